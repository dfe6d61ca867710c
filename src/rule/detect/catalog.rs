//! Every built-in detector by name, and the groups that a rule can name instead of each of them.
//!
//! Invariant: names are unique, also against the names of groups; a label is ASCII, so that every charset can hold it.

use super::{card, email, iban, ssn};

/// A built-in detector: what rule files, reports and masks say of it.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Its name in rule files and reports.
    pub name: &'static str,
    /// What a label mask shows, such as `CARD`.
    pub label: &'static str,
    /// The groups that it belongs to.
    pub groups: &'static [&'static str],
    /// What it finds, in a few words.
    pub doc: &'static str,
}

/// Every built-in detector.
pub const DETECTORS: &[Spec] = &[card::SPEC, iban::SPEC, ssn::SPEC, email::SPEC];

/// The detectors that `name` stands for: one by its name, or a whole group. Empty where there is no such name.
pub fn named(name: &str) -> Vec<&'static Spec> {
    DETECTORS.iter().filter(|spec| spec.name == name || spec.groups.contains(&name)).collect()
}

/// The names of all groups, sorted.
pub fn groups() -> Vec<&'static str> {
    let mut groups: Vec<_> = DETECTORS.iter().flat_map(|spec| spec.groups).copied().collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}
