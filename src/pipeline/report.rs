//! What one run did: for people, for programs, and for whoever answers the flow.

use std::sync::Arc;

use super::checked::Checked;
use crate::answers::{Answers, Asked};
use crate::message::dkim::Signature;
use crate::message::{Rendered, Violation};
use crate::rule::Find;
use crate::stored::Stored;

/// What one run did, for people and programs; holds no content.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// Digest of the rule set, 16 hex digits.
    pub digest: String,
    /// One entry per rule, in order.
    pub rules: Vec<RuleReport>,
    /// What was odd about the message.
    pub notes: Vec<String>,
    /// What became of the DKIM signatures of inbound mail that was rewritten; empty for all other mail.
    pub signatures: Vec<Signature>,
}

/// What became of one rule.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RuleReport {
    /// The rule.
    pub name: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What its actions did, one line each, such as `append: 2 bodies`.
    pub effects: Vec<String>,
    /// How many edits it made.
    pub edits: usize,
    /// For a rule that asks about each recipient: for how many of how many it matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<Share>,
    /// How each of its conditions turned out; only where [`Pipeline::checking_all`] was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checked: Vec<Checked>,
    /// What it found and masked, without content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finds: Vec<Find>,
}

/// Some of the recipients that the flow named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Share {
    /// How many of them.
    pub matched: usize,
    /// Of how many.
    pub of: usize,
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "why")]
pub enum Verdict {
    /// All of `when` held and nothing of `unless`: it acted.
    Matched,
    /// As `Matched`, in audit mode: it changed nothing.
    Audited,
    /// A condition did not hold: which.
    NotMatched(String),
    /// An exception held: which.
    Excepted(String),
    /// It matched and left the message alone: why, such as `signed`.
    Skipped(String),
    /// It failed and was taken back: why.
    Failed(String),
    /// `mode = "off"`.
    Off,
    /// It has not begun, or is over: when it is active.
    Inactive(String),
    /// A rule before it said stop.
    Stopped,
    /// Time ran out before it, or while it ran: it was taken back.
    OutOfTime,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome<'m> {
    /// What was done.
    pub report: Report,
    /// The rewritten message; `None` where nothing changed.
    pub rewritten: Option<Rendered<'m>>,
    /// What to answer for each recipient: the strictest that any rule asked for that one.
    pub answers: Answers,
    /// The rules that asked for something in the answer, in order.
    pub asked: Vec<Asked>,
    /// Attachments to be stored before the rewritten message goes out, which links to them.
    pub stored: Vec<Arc<Stored>>,
}

/// A run that must not end in delivery.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A rule with `on_error = "fail"` failed.
    #[error("rule `{rule}` failed and its on_error is fail: {why}")]
    Rule {
        /// Its name.
        rule: String,
        /// Why, without content.
        why: String,
    },
    /// The rewritten message did not hold up, and a rule with `on_error = "fail"` had a part in it.
    #[error(transparent)]
    Violation(#[from] Violation),
}
