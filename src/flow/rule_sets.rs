//! Which rule set a message gets.
//!
//! A [`Pipeline`] is a choice by itself: every message gets it.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;

use super::budget::Budget;
use super::key::MessageId;
use super::report::{FlowError, Looks};
use crate::pipeline::Pipeline;

/// Where the rules for a message come from.
pub trait Rules {
    /// The rule set for a message. `looks` counts what came of looking for a newer one. An error fails the invocation.
    fn choose(
        &self,
        id: &MessageId,
        budget: &Budget,
        looks: &mut Looks,
    ) -> impl Future<Output = Result<Chosen<'_>, FlowError>> + Send;
}

/// The rule set for a message.
#[derive(Debug)]
pub struct Chosen<'a> {
    /// It.
    pub pipeline: Held<'a>,
    /// Its name.
    pub rule_set: RuleSet,
}

/// A compiled rule set, for as long as a message needs it.
#[derive(Debug, Clone)]
pub enum Held<'a> {
    /// One for all messages.
    Borrowed(&'a Pipeline),
    /// One that may be swapped for another while the message is handled.
    Shared(Arc<Pipeline>),
}

impl Deref for Held<'_> {
    type Target = Pipeline;
    fn deref(&self) -> &Pipeline {
        match self {
            Self::Borrowed(pipeline) => pipeline,
            Self::Shared(pipeline) => pipeline,
        }
    }
}

/// By what name a rule set goes in report, log and metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleSet {
    /// The one for most messages, or the one that is being tried.
    pub which: Which,
    /// Its digest, 16 hex digits.
    pub digest: String,
    /// The digest of the other, where two are in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
}

/// One of two rule sets in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The one for all messages that the other does not get.
    Current,
    /// The one that a share of the messages gets.
    Candidate,
}

impl Which {
    /// The word for it in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Candidate => "candidate",
        }
    }
}

impl Rules for Pipeline {
    async fn choose(&self, _: &MessageId, _: &Budget, _: &mut Looks) -> Result<Chosen<'_>, FlowError> {
        let rule_set = RuleSet { which: Which::Current, digest: self.digest().to_owned(), other: None };
        Ok(Chosen { pipeline: Held::Borrowed(self), rule_set })
    }
}
