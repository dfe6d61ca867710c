//! What rules change of a message that the conditions of later rules look at.

use super::claims::{Claim, LooksAt};
use super::{Lints, Written};
use crate::rule::section::Section;

/// What an action may change.
#[derive(Debug, PartialEq, Eq)]
pub enum Changes {
    /// Nothing of the message.
    Nothing,
    /// Fields of these names, in lower case; one may end in `*`.
    Fields(Vec<String>),
    /// Any part of it.
    Message,
}

/// Kinds that leave the message as it is.
pub const ANSWERS: &[&str] = &["stop", "drop", "bounce", "junk", "bypass_spam_check", "add_recipients"];

impl Changes {
    /// What an action may change.
    pub fn of(action: &Section<'_>) -> Self {
        match action.peek("kind") {
            Some(kind) if ANSWERS.contains(&kind) => Self::Nothing,
            Some("set_header" | "add_header" | "remove_header") => {
                let names = action.clone().strings("name");
                names.map_or(Self::Message, |names| {
                    Self::Fields(names.into_iter().map(|at| at.value.trim().to_lowercase()).collect())
                })
            }
            _ => Self::Message,
        }
    }

    /// May a claim be another after this?
    pub fn reach(&self, claim: &Claim<'_>) -> bool {
        match (self, claim.looks_at()) {
            (Self::Nothing, _) | (_, LooksAt::Given) | (Self::Fields(_), LooksAt::Parts) => false,
            (Self::Message, _) | (Self::Fields(_), LooksAt::Message | LooksAt::Header) => true,
            (Self::Fields(names), LooksAt::Field(looked)) => names.iter().any(|name| meet(name, looked)),
        }
    }
}

impl Changes {
    /// May it be fields of this name?
    pub fn meet(&self, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Fields(names) => names.iter().any(|other| meet(other, name)),
            Self::Message => true,
        }
    }
}

/// May two names, or starts of names, be of one field?
fn meet(one: &str, other: &str) -> bool {
    match (one.strip_suffix('*'), other.strip_suffix('*')) {
        (None, None) => one == other,
        (Some(start), None) => other.starts_with(start),
        (None, Some(start)) => one.starts_with(start),
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
    }
}

impl Written<'_> {
    /// May a claim be another after this rule?
    fn may_change(&self, claim: &Claim<'_>) -> bool {
        self.enforced && self.changes.iter().any(|changes| changes.reach(claim))
    }
}

impl Lints<'_, '_> {
    /// Do two claims of different rules see the same message? The rules in between may have changed it; the earlier one
    /// itself has not, where it is `passed` by.
    pub(super) fn alike(&self, one: &Claim<'_>, other: &Claim<'_>, passed: bool) -> bool {
        let (first, last) = if one.rule <= other.rule { (one, other) } else { (other, one) };
        let from = first.rule + usize::from(passed);
        let between = self.rules.iter().take(last.rule).skip(from);
        first.rule == last.rule || between.into_iter().all(|rule| !rule.may_change(one) && !rule.may_change(other))
    }
}
