//! Values that were found, wherever they stand again: whatever is between their letters and digits, as long as it is little.
//!
//! Invariant: linear in the text, however many values are known.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem;

use crate::rule::detect::{DetectorId, digits};

/// Values by their letters and digits ([`plain`]), with what found them.
pub(super) type Values = BTreeMap<String, (DetectorId, Arc<str>)>;

/// Looks for values.
#[derive(Debug)]
pub(super) struct Known {
    finder: Finder,
    values: Vec<Value>,
    /// Digits that each of them holds at least.
    digits: usize,
}

/// Most messages with a find hold one, and an automaton takes long to make.
#[derive(Debug)]
enum Finder {
    One(Box<memmem::Finder<'static>>),
    Several(AhoCorasick),
}

#[derive(Debug)]
struct Value {
    detector: DetectorId,
    spelled: Arc<str>,
    /// Its letters and digits.
    characters: usize,
}

impl Known {
    /// `None` where there is nothing to look for.
    pub(super) fn new(values: &Values) -> Option<Self> {
        let finder = match (values.keys().next()?, values.len()) {
            (word, 1) => Finder::One(Box::new(memmem::Finder::new(word).into_owned())),
            _ => Finder::Several(
                AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(values.keys()).ok()?,
            ),
        };
        let of = |(plain, (detector, value)): (&String, &(DetectorId, Arc<str>))| Value {
            detector: *detector,
            spelled: Arc::clone(value),
            characters: plain.chars().count(),
        };
        let digits = |word: &String| word.bytes().filter(u8::is_ascii_digit).count();
        let digits = values.keys().map(digits).min().unwrap_or(0);
        Some(Self { finder, values: values.iter().map(of).collect(), digits })
    }

    /// A value by its index.
    pub(super) fn value(&self, index: usize) -> Option<&str> {
        self.values.get(index).map(|value| &*value.spelled)
    }

    /// Hands on where values stand, in order and apart, with what finds them and their index, as long as `found` says to go
    /// on.
    pub(super) fn find(&self, text: &str, found: &mut dyn FnMut(Range<usize>, DetectorId, usize) -> bool) {
        // Other characters may stand for digits.
        if !digits::are_there(text.as_bytes(), self.digits) && text.is_ascii() {
            return;
        }
        let plain = plain(text);
        match &self.finder {
            Finder::One(finder) => {
                let length = finder.needle().len();
                self.hand_on(text, finder.find_iter(plain.as_bytes()).map(|at| (at..at + length, 0)), found);
            }
            Finder::Several(finder) => {
                self.hand_on(text, finder.find_iter(&plain).map(|m| (m.range(), m.pattern().as_usize())), found);
            }
        }
    }

    /// `matches` are places in the letters and digits of `text`.
    fn hand_on(
        &self,
        text: &str,
        matches: impl Iterator<Item = (Range<usize>, usize)>,
        found: &mut dyn FnMut(Range<usize>, DetectorId, usize) -> bool,
    ) {
        let mut matches = matches.peekable();
        let (mut at, mut start) = (0, 0);
        for (place, c) in text.char_indices() {
            let Some((next, index)) = matches.peek() else { break };
            let Some(folded) = folded(c) else { continue };
            if at == next.start {
                start = place;
            }
            at += folded.len_utf8();
            let end = place + c.len_utf8();
            if at < next.end {
                continue;
            }
            let index = *index;
            matches.next();
            if let Some(value) = self.values.get(index) {
                let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                let before = text.get(..start).and_then(|t| t.chars().next_back());
                let after = text.get(end..).and_then(|t| t.chars().next());
                let span = text.get(start..end).map_or(0, |t| t.chars().count());
                if !touches(before)
                    && !touches(after)
                    && span <= value.characters * 3
                    && !found(start..end, value.detector, index)
                {
                    return;
                }
            }
        }
    }
}

/// Letters and digits alone, digits as ASCII, letters in upper case.
pub(super) fn plain(text: &str) -> String {
    if text.is_ascii() {
        let mut plain = Vec::with_capacity(text.len());
        plain.extend(text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase()));
        return String::from_utf8(plain).unwrap_or_default();
    }
    let mut plain = String::with_capacity(text.len());
    plain.extend(text.chars().filter_map(folded));
    plain
}

fn folded(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric().then(|| c.to_ascii_uppercase());
    }
    let digit = match c {
        '\u{FF10}'..='\u{FF19}' => u32::from(c) - 0xFF10,
        '\u{0660}'..='\u{0669}' => u32::from(c) - 0x0660,
        '\u{06F0}'..='\u{06F9}' => u32::from(c) - 0x06F0,
        '\u{0966}'..='\u{096F}' => u32::from(c) - 0x0966,
        '\u{1D7CE}'..='\u{1D7FF}' => (u32::from(c) - 0x1D7CE) % 10,
        _ => return c.is_alphanumeric().then(|| c.to_uppercase().next().unwrap_or(c)),
    };
    char::from_digit(digit, 10)
}
