//! Finding sensitive data in text: payment cards, US social security numbers, IBANs, e-mail addresses, own patterns.
//!
//! Each family is a pattern, a validator (check digits, issuer ranges, country structures), a look at what stands
//! round a match (keywords, URLs, ids) and so a confidence. Numbers are found however they are spelled: with spaces,
//! dashes and dots of any sort, full-width or Arabic digits, invisible characters between them.
//!
//! Invariant: finds are ranges of the text as it was handed in, sorted and apart, on character boundaries. Linear time.
//!
//! Out of scope: letters that look like others, digits written as words, reversed text, text in images.

mod card;
mod context;
mod custom;
mod digits;
mod email;
mod folded;
mod iban;
mod ssn;
mod style;

use std::ops::Range;

use regex::Regex;

use digits::Group;
use folded::Folded;
pub use style::Style;

/// A kind of data that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Payment card numbers.
    Card,
    /// US social security numbers.
    Ssn,
    /// International bank account numbers.
    Iban,
    /// E-mail addresses.
    Email,
}

impl Kind {
    /// The words for them in rule files.
    pub const WORDS: &[(&'static str, Self)] =
        &[("card", Self::Card), ("ssn", Self::Ssn), ("iban", Self::Iban), ("email", Self::Email)];
}

/// What there is to know of a family of data besides how it looks.
#[derive(Debug, Clone, Copy)]
struct Family {
    /// Its name in rule files and reports.
    name: &'static str,
    /// What a label shows in its place.
    label: &'static str,
    /// Words that vouch for a weak match when they stand near it.
    keywords: &'static [&'static str],
}

impl Family {
    const ALL: &'static [Self] = &[card::FAMILY, ssn::FAMILY, iban::FAMILY, email::FAMILY, custom::FAMILY];

    fn of(name: &str) -> Self {
        Self::ALL.iter().copied().find(|family| family.name == name).unwrap_or(custom::FAMILY)
    }
}

/// How sure a find is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The form alone would not do; a keyword stands near.
    Likely,
    /// Form and check digits say so.
    Sure,
}

/// A find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Byte range of the text handed in.
    pub range: Range<usize>,
    /// Name of what found it: `card`, `ssn`, `iban`, `email`, or `pattern` for a pattern of the rule.
    pub detector: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
}

/// A pattern that does not compile or grows too large.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct PatternError {
    /// Which of the patterns, from 0.
    pub index: usize,
    /// What the regex crate says.
    pub why: String,
}

/// What to look for, compiled.
#[derive(Debug, Clone)]
pub struct DetectorSet {
    kinds: Vec<Kind>,
    patterns: Vec<Regex>,
    any_groups: bool,
}

impl DetectorSet {
    /// Look for `kinds`, and for what `patterns` (regular expressions) match.
    pub fn new(kinds: &[Kind], patterns: &[impl AsRef<str>]) -> Result<Self, PatternError> {
        let patterns = patterns
            .iter()
            .enumerate()
            .map(|(index, pattern)| custom::compile(index, pattern.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self { kinds: kinds.to_vec(), patterns, any_groups: false })
    }

    /// Also take cards whose digits are grouped in unusual ways (`41 11 11…`, `41111 11111 111111`) or run on over
    /// quoted lines (`\n> `). Finds more, and more that is none.
    #[must_use]
    pub fn with_any_groups(mut self) -> Self {
        self.any_groups = true;
        self
    }

    /// Everything found in `text`, sorted and apart. Finds that overlap become one.
    pub fn find(&self, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        if !self.kinds.is_empty() {
            let folded = Folded::new(text);
            if self.wants(Kind::Card) || self.wants(Kind::Ssn) || self.wants(Kind::Iban) {
                self.find_numbers(folded.text().as_bytes(), &mut found);
            }
            if self.wants(Kind::Email) {
                email::find(folded.text(), |range| {
                    found.push(Found { range, detector: email::FAMILY.name, confidence: Confidence::Sure });
                });
            }
            found = apart(found);
            folded.map_back(found.iter_mut().map(|found| &mut found.range));
        }
        for pattern in &self.patterns {
            custom::find(pattern, text, |range| {
                found.push(Found { range, detector: custom::FAMILY.name, confidence: Confidence::Sure });
            });
        }
        if self.patterns.is_empty() { found } else { apart(found) }
    }

    fn wants(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// One pass over the groups of digits: each is tried as the start of an IBAN, a card, an SSN.
    fn find_numbers(&self, bytes: &[u8], found: &mut Vec<Found>) {
        // Where the last find ends, and the group before the one looked at unless a find holds it.
        let mut last = 0;
        let mut before: Option<Group> = None;
        let mut at = 0;
        while let Some(group) = digits::next_group(bytes, at) {
            let hit = iban::at(bytes, group.start)
                .filter(|range| range.start >= last)
                .map(|range| (range, Kind::Iban, iban::FAMILY.name, Confidence::Sure))
                .or_else(|| {
                    let wanted = self.wants(Kind::Card);
                    let (range, confidence) =
                        wanted.then(|| card::at(bytes, group, before, self.any_groups)).flatten()?;
                    Some((range, Kind::Card, card::FAMILY.name, confidence))
                })
                .or_else(|| {
                    let (range, confidence) = self.wants(Kind::Ssn).then(|| ssn::at(bytes, group, before)).flatten()?;
                    Some((range, Kind::Ssn, ssn::FAMILY.name, confidence))
                });
            if let Some((range, kind, detector, confidence)) = hit {
                at = range.end;
                last = range.end;
                before = None;
                // An IBAN that is not asked for still is no card.
                if self.wants(kind) {
                    found.push(Found { range, detector, confidence });
                }
            } else {
                at = group.end;
                before = Some(group);
            }
        }
    }
}

/// Sorted, and what overlaps made one: cutting one of two short would leave a piece of it to be read.
fn apart(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|found| (found.range.start, std::cmp::Reverse(found.range.end)));
    let mut merged: Vec<Found> = Vec::with_capacity(found.len());
    for next in found {
        match merged.last_mut() {
            Some(previous) if next.range.start < previous.range.end => {
                previous.range.end = previous.range.end.max(next.range.end);
            }
            _ => merged.push(next),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
