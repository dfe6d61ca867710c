//! Every built-in detector by name, and the groups that a rule can name instead of each of them.
//!
//! Invariant: names are unique, also against the names of groups; a label is ASCII, so that every charset can hold it.

use super::families;
use super::literals::{self, Token};
use super::numbers::{self, Valid};
use super::shape::Shape;

/// A built-in detector: pattern, validator, context words, and what rule files, reports and masks say of it.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Its name in rule files and reports.
    pub name: &'static str,
    /// What a label mask shows, such as `CARD`.
    pub label: &'static str,
    /// The groups that it belongs to: what sort of data, and of which country.
    pub groups: &'static [&'static str],
    /// What it finds, in a few words.
    pub doc: &'static str,
    /// Words that vouch for a find when they stand near it, in any case.
    pub keywords: &'static [&'static str],
    /// How it finds.
    pub find: Find,
}

/// How a detector finds.
#[derive(Debug, Clone, Copy)]
pub enum Find {
    /// A number of one of these forms, with a validator.
    Number(&'static [Shape], Valid),
    /// Payment cards.
    Card,
    /// International bank account numbers.
    Iban,
    /// E-mail addresses.
    Email,
    /// What a function reads where digits begin.
    AtDigits(numbers::AtDigits),
    /// Long words of digits and letters, as a function reads them.
    Word(numbers::ReadWord),
    /// Tokens with a start of their own.
    Tokens(&'static [Token]),
    /// What a function reads behind a literal.
    Led {
        /// Any of these.
        literals: &'static [&'static str],
        /// In their very case.
        exact: bool,
        /// The function.
        read: literals::Read,
    },
}

impl Spec {
    /// A detector of numbers.
    pub const fn number(
        name: &'static str,
        label: &'static str,
        groups: &'static [&'static str],
        doc: &'static str,
        keywords: &'static [&'static str],
        shapes: &'static [Shape],
        valid: Valid,
    ) -> Self {
        Self { name, label, groups, doc, keywords, find: Find::Number(shapes, valid) }
    }
}

/// Every built-in detector, by family.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    families::ALL.iter().copied().flatten()
}

/// The detectors that `name` stands for: one by its name, a whole group, or `all`. Empty where there is no such name.
pub fn named(name: &str) -> Vec<&'static Spec> {
    all().filter(|spec| name == "all" || spec.name == name || spec.groups.contains(&name)).collect()
}

/// The names of all groups, sorted; `all` first.
pub fn groups() -> Vec<&'static str> {
    let mut groups: Vec<_> = all().flat_map(|spec| spec.groups).copied().collect();
    groups.sort_unstable();
    groups.dedup();
    groups.insert(0, "all");
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::detect::context::{MAX_WORD, Mask};

    #[test]
    fn names_are_unique_and_labels_ascii() {
        let mut names: Vec<_> = all().map(|spec| spec.name).chain(groups()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(count < Mask::CAPACITY);
        for spec in all() {
            assert!(
                spec.label.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-'),
                "{}",
                spec.name
            );
            assert!(!spec.groups.is_empty() && !spec.doc.is_empty(), "{}", spec.name);
            for word in spec.keywords {
                assert!(
                    word.len() <= MAX_WORD && !word.is_empty() && word.to_lowercase() == *word,
                    "{}: {word}",
                    spec.name
                );
            }
        }
    }

    #[test]
    fn national_ids_of_thirty_countries_and_more() {
        assert!(named("national-ids").len() >= 45, "{}", named("national-ids").len());
        assert_eq!(named("card").len(), 1);
        assert!(named("crd").is_empty());
    }
}
