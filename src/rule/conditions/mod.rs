//! One file per kind of condition; the list that names them all.
//!
//! Invariant: a condition reads, it changes nothing, and what a message lacks does not hold.

mod address;
pub(in crate::rule) mod address_match;
pub(in crate::rule) mod attachment;
mod body;
mod date;
mod direction;
mod header;
pub(super) mod kind;
mod looked_at;
mod people;
mod person;
pub(in crate::rule) mod range;
pub(in crate::rule) mod schedule;
mod size;
mod subject;
pub(in crate::rule) mod text_match;
mod uninspectable;
mod verdicts;

#[cfg(test)]
mod testing;

use super::ConditionKind;
use super::takes::keys;

/// Every kind of condition. Adding one: its file, and a line here.
pub const KINDS: &[ConditionKind] = &[
    direction::KIND,
    people::SENDER,
    people::RECIPIENTS,
    address::KIND,
    subject::KIND,
    header::KIND,
    body::KIND,
    kind::KIND,
    size::KIND,
    date::KIND,
    schedule::KIND,
    attachment::KIND,
    uninspectable::KIND,
    verdicts::AUTHENTICATION,
    verdicts::VERDICT_KIND,
];
