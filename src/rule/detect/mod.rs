//! Finding sensitive data in text: payment cards, US social security numbers, IBANs, e-mail addresses, own patterns.
//!
//! Each family is a pattern, a validator (check digits, issuer ranges, country structures), a look at what stands
//! round a match (keywords, URLs, ids) and so a confidence. Numbers are found however they are spelled: with spaces,
//! dashes and dots of any sort, full-width or Arabic digits, invisible characters between them.
//!
//! Invariant: finds are ranges of the text as it was handed in, sorted and apart, on character boundaries. Linear time.
//!
//! Out of scope: letters that look like others, digits written as words, reversed text, text in images.

pub mod catalog;
mod check;
mod context;
mod custom;
mod dictionary;
pub(in crate::rule) mod digits;
mod families;
mod folded;
mod found;
mod literals;
mod numbers;
mod own;
mod read;
mod shape;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::late::{Late, TimeUp};
use super::pattern::Pattern;
use catalog::{Find, Spec};
use context::{Nearby, Words};
pub use custom::compile as compile_pattern;
pub use dictionary::{MAX_PHRASE, MAX_PHRASES};
use digits::Group;
use families::{card, email, iban};
use folded::Folded;
use found::Finds;
pub use found::{Beyond, Found};
use literals::Literals;
use numbers::Numbers;
pub use own::{OwnDetector, read_own};
pub use read::{LABEL, OPTIONS, read_detectors};

/// Which detector of a [`DetectorSet`]; [`DetectorSet::name`] says its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DetectorId(u16);

/// How sure a find is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It has the form, which much else has too.
    Low,
    /// A check digit speaks for it, or a word near it that says what it is.
    #[default]
    Medium,
    /// Little else has that form and passes its checks, or both speak for it.
    High,
}

/// How the digits of a number may be grouped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Groups {
    /// As such numbers are printed.
    #[default]
    Usual,
    /// In any way (`41 11 11…`, `41111 11111 111111`), and over quoted lines (`\n> `). Finds more, and more that is none.
    Any,
}

/// What to look for, before it is compiled.
#[derive(Debug, Default)]
struct Wanted {
    specs: Vec<&'static Spec>,
    own: Vec<Arc<OwnDetector>>,
    patterns: Vec<Pattern>,
    /// For matches of `patterns`.
    label: Option<String>,
    confidence: Confidence,
    at_least: usize,
    groups: Groups,
}

impl Wanted {
    fn add(&mut self, spec: &'static Spec) {
        if !self.specs.iter().any(|known| known.name == spec.name) {
            self.specs.push(spec);
        }
    }

    fn compile(self) -> DetectorSet {
        let mut names: Vec<Name> =
            self.specs.iter().map(|spec| (Cow::Borrowed(spec.name), Cow::Borrowed(spec.label))).collect();
        names.extend(self.own.iter().map(|own| (Cow::Owned(own.name.clone()), Cow::Owned(own.label.clone()))));
        let forms = self.specs.iter().enumerate().flat_map(|(detector, spec)| match spec.find {
            Find::Number(shapes, valid) => shapes.iter().map(|shape| (*shape, detector, valid)).collect(),
            _ => Vec::new(),
        });
        let mut numbers = Numbers::new(forms, self.groups == Groups::Any);
        let mut literals = Literals::default();
        for (detector, spec) in self.specs.iter().enumerate() {
            match spec.find {
                Find::AtDigits(read) => numbers.at_digits(read, detector),
                Find::Word(read) => numbers.word(read, detector),
                Find::Tokens(tokens) => tokens.iter().for_each(|token| literals.token(token, detector)),
                Find::Led { literals: words, exact, read } => literals.read(words, exact, read, detector),
                Find::Number(..) | Find::Card | Find::Iban | Find::Email => {}
            }
        }
        let words = self.specs.iter().enumerate();
        let words = words.flat_map(|(detector, spec)| spec.keywords.iter().map(move |word| (*word, detector)));
        let first = self.specs.len();
        let own = self.own.iter().zip(first..);
        let own = own.flat_map(|(own, detector)| own.keywords.iter().map(move |word| (word.as_str(), detector)));
        let words = Words::new(words.chain(own));
        let finder = |wanted: fn(&Find) -> bool| self.specs.iter().position(|spec| wanted(&spec.find));
        let [card, iban, email] = [
            finder(|find| matches!(find, Find::Card)),
            finder(|find| matches!(find, Find::Iban)),
            finder(|find| matches!(find, Find::Email)),
        ];
        let is_all_cards = self.specs.iter().all(|spec| matches!(spec.find, Find::Card));
        let is_sure = is_all_cards && self.own.is_empty() && self.patterns.is_empty();
        names.push((Cow::Borrowed(custom::PATTERN), self.label.map_or(Cow::Borrowed(custom::LABEL), Cow::Owned)));
        DetectorSet(Arc::new(Compiled {
            finds: self.specs.iter().map(|spec| spec.find).collect(),
            names,
            fewest_digits: if is_sure { card::SHORTEST } else { 0 },
            numbers,
            literals: literals.compile(),
            words,
            card,
            iban,
            email,
            own: self.own,
            patterns: self.patterns,
            confidence: self.confidence,
            at_least: self.at_least.max(1),
            groups: self.groups,
        }))
    }
}

/// Name and label.
type Name = (Cow<'static, str>, Cow<'static, str>);

#[derive(Debug)]
struct Compiled {
    /// Name and label, by [`DetectorId`]; the last is for patterns.
    names: Vec<Name>,
    /// How each finds, by [`DetectorId`]; none for patterns.
    finds: Vec<Find>,
    /// Digits that each find holds at least.
    fewest_digits: usize,
    numbers: Numbers,
    literals: Literals,
    words: Words,
    card: Option<usize>,
    iban: Option<usize>,
    email: Option<usize>,
    /// Those of the rule set; their ids follow those of `finds`.
    own: Vec<Arc<OwnDetector>>,
    patterns: Vec<Pattern>,
    confidence: Confidence,
    at_least: usize,
    groups: Groups,
}

/// What to look for, compiled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DetectorSet(Arc<Compiled>);

impl DetectorSet {
    /// The built-in detectors of these names and groups, at the default confidence; `None` where a name is unknown.
    pub fn built_in(names: &[&str]) -> Option<Self> {
        let mut wanted = Wanted::default();
        for name in names {
            let found = catalog::named(name);
            if found.is_empty() {
                return None;
            }
            for spec in found {
                wanted.add(spec);
            }
        }
        Some(wanted.compile())
    }

    /// Whole words and phrases, in any case, however their words are parted; the error says why they cannot be compiled.
    pub fn of_phrases<'p>(phrases: impl Iterator<Item = &'p str>) -> Result<Self, String> {
        let own = vec![Arc::new(OwnDetector::of_phrases(phrases)?)];
        Ok(Wanted { own, ..Wanted::default() }.compile())
    }

    /// The name of a detector in rule files and reports: `card`, or `pattern` for a pattern of the rule.
    pub fn name(&self, id: DetectorId) -> &str {
        self.0.names.get(usize::from(id.0)).map_or("", |(name, _)| name)
    }

    /// What a label shows in place of a find of this detector, without brackets: `CARD`. ASCII.
    pub fn label(&self, id: DetectorId) -> &str {
        self.0.names.get(usize::from(id.0)).map_or("", |(_, label)| label)
    }

    /// Every detector of the set.
    pub fn ids(&self) -> impl Iterator<Item = DetectorId> + '_ {
        (0..self.0.names.len()).filter_map(|id| u16::try_from(id).ok()).map(DetectorId)
    }

    /// How many finds of one detector the rule asks for; 1 unless it says otherwise. [`Self::find`] finds fewer too: only
    /// who looks at the whole of a message can count.
    pub fn at_least(&self) -> usize {
        self.0.at_least
    }

    /// Are there enough finds of one detector in `text`?
    pub fn enough_in(&self, text: &str, late: Late<'_>) -> Result<bool, TimeUp> {
        let finds = match self.find_at_most(usize::MAX, text, late) {
            Ok(finds) => finds,
            Err(Beyond::Time) => return Err(TimeUp),
            // Of a text of over four gigabytes.
            Err(Beyond::Finds) => return Ok(true),
        };
        let mut counts = vec![0usize; self.0.names.len()];
        for find in &finds {
            if let Some(count) = counts.get_mut(usize::from(find.detector.0)) {
                *count += 1;
            }
        }
        Ok(counts.into_iter().any(|count| count >= self.0.at_least))
    }

    /// What `detector` found in `range` of `text` as it reads it, the same for every spelling: the digits and letters of a
    /// number in upper case, an address in lower case, a secret as it is. For pseudonyms and keyed digests; it is content, so for no log.
    pub fn value(&self, text: &str, range: Range<usize>, detector: DetectorId) -> String {
        let folded = Folded::new(text.get(range).unwrap_or_default());
        match self.0.finds.get(usize::from(detector.0)) {
            Some(Find::Email | Find::AtDigits(_)) => folded.text().to_lowercase(),
            Some(Find::Number(..) | Find::Card | Find::Iban) => {
                folded.text().chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
            }
            _ => folded.text().trim().to_owned(),
        }
    }

    /// Everything found in `text`, sorted and apart. Finds that overlap become one.
    pub fn find(&self, text: &str) -> Vec<Found> {
        self.find_at_most(usize::MAX, text, Late::NEVER).unwrap_or_default()
    }

    /// The same, where it is so many at most and there is time for it.
    pub fn find_at_most(&self, most: usize, text: &str, late: Late<'_>) -> Result<Vec<Found>, Beyond> {
        let mut finds = Finds::new(most, late);
        let set = &*self.0;
        // Other characters may stand for digits.
        if !digits::are_there(text.as_bytes(), set.fewest_digits) && text.is_ascii() {
            return Ok(Vec::new());
        }
        if set.names.len() > 1 {
            let folded = Folded::new(text);
            let bytes = folded.text().as_bytes();
            self.find_numbers(bytes, &mut finds);
            set.literals.find(bytes, set.confidence, &mut Nearby::new(bytes, &set.words), &mut finds);
            self.find_own(folded.text(), &mut finds)?;
            if let Some(detector) = set.email {
                email::find(folded.text(), |range| finds.push(range, detector, Confidence::High));
            }
            finds.part();
            let mut way = folded.way_back();
            finds.move_to(|range| way.to(range));
        }
        if !set.patterns.is_empty() {
            let detector = set.names.len() - 1;
            for pattern in &set.patterns {
                pattern.find(text, late, &mut |range| finds.push(range, detector, Confidence::High))?;
            }
            finds.part();
        }
        finds.into_list()
    }

    /// What the rule set's own detectors find.
    fn find_own(&self, text: &str, finds: &mut Finds<'_>) -> Result<(), TimeUp> {
        let late = finds.late();
        for (at, own) in self.0.own.iter().enumerate() {
            let detector = self.0.finds.len() + at;
            let mut nearby = Nearby::new(text.as_bytes(), &self.0.words);
            let mut found = |range: Range<usize>| {
                let value = text.get(range.clone()).unwrap_or_default();
                if !own.checks.iter().all(|check| check.holds(value)) {
                    return finds.goes_on();
                }
                let vouched = own.near > own.alone && nearby.near(&range).has(detector);
                let confidence = if vouched { own.near } else { own.alone };
                if confidence < self.0.confidence {
                    return finds.goes_on();
                }
                finds.push(range, detector, confidence)
            };
            for pattern in &own.patterns {
                custom::find_value(pattern, text, late, &mut found)?;
            }
            if let Some(dictionary) = &own.dictionary {
                dictionary.find(text, late, &mut found)?;
            }
        }
        Ok(())
    }

    /// One pass over the groups of digits: each is tried as the start of an IBAN, of a card, of the other numbers.
    fn find_numbers(&self, bytes: &[u8], finds: &mut Finds<'_>) {
        let set = &*self.0;
        if set.card.or(set.iban).is_none() && set.numbers.is_empty() {
            return;
        }
        let any_groups = set.groups == Groups::Any;
        let mut nearby = Nearby::new(bytes, &set.words);
        // Where the last find ends, and the group before the one looked at unless a find holds it.
        let mut last = 0;
        let mut before: Option<Group> = None;
        let mut at = 0;
        while let Some(group) = digits::next_group(bytes, at).filter(|_| finds.goes_on()) {
            let hit = iban::at(bytes, group.start)
                .map(|range| (range, set.iban, Confidence::High))
                .or_else(|| {
                    let detector = set.card?;
                    let mut vouched = |range: &Range<usize>| nearby.near(range).has(detector);
                    let (range, confidence) = card::at(bytes, group, before, any_groups, &mut vouched)?;
                    (confidence >= set.confidence).then_some((range, Some(detector), confidence))
                })
                .or_else(|| {
                    let (range, detector, confidence) =
                        set.numbers.at(bytes, group, before, set.confidence, &mut nearby)?;
                    Some((range, Some(detector), confidence))
                })
                .filter(|(range, ..)| range.start >= last);
            if let Some((range, detector, confidence)) = hit {
                at = range.end;
                last = range.end;
                before = None;
                // An IBAN that is not asked for still is no card.
                if let Some(detector) = detector {
                    finds.push(range, detector, confidence);
                }
            } else {
                at = group.end;
                before = Some(group);
            }
        }
    }
}

#[cfg(test)]
mod tests;
