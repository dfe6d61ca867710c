//! Which rule set a message gets.
//!
//! A [`Pipeline`] is a choice by itself: every message gets it. [`RuleSets`] has a current one, which may be published while
//! the function runs, and may have a candidate beside it, which a share of the messages gets.
//!
//! Where what is published cannot be used, or is gone, what was published before it is ([`super::refresh`]), in all processes.
//!
//! Invariant: a try that cannot know the rules for its message fails, or uses those that it was told to use then; and
//! nothing that is wrong with a candidate keeps a message from the current rules.
//!
//! | what fails, in a process that has not yet had published rules | what happens |
//! |---|---|
//! | throttling, 5xx, timeout, connection | tried again for a third of the time, then the invocation fails, and WorkMail tries again: without S3 nothing could be rewritten either |
//! | access denied, nothing there, a faulty rule set, and nothing to go back to | the rules that the function was deployed with are in force ([`Which::Layer`]); with `on_error = "fail"` the invocation fails |
//!
//! In a process that has had some, all of these leave the last good ones in force.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::budget::Budget;
use super::key::MessageId;
use super::ports::{PortError, Refusal};
use super::refresh::{InForce, Looked, RuleStore, Standing, Unusable};
use super::report::{FlowError, Looks, Stage};
use super::share::Share;
use crate::pipeline::Pipeline;
use crate::rule::OnError;

/// A look at what is published takes no longer, where there are rules in force.
pub const LOOK_WITHIN: Duration = Duration::from_secs(1);

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
    /// Others that are known here: in use for other messages, or in force before. A message that one of them has rewritten gets
    /// its answer.
    pub others: Vec<Arc<Pipeline>>,
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
    /// The one that the function was deployed with, in place of one that should have been published.
    Layer,
}

impl Which {
    /// The word for it in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Candidate => "candidate",
            Self::Layer => "layer",
        }
    }
}

impl Rules for Pipeline {
    async fn choose(&self, _: &MessageId, _: &Budget, _: &mut Looks) -> Result<Chosen<'_>, FlowError> {
        let rule_set = RuleSet { which: Which::Current, digest: self.digest().to_owned(), other: None };
        Ok(Chosen { pipeline: Held::Borrowed(self), rule_set, others: Vec::new() })
    }
}

/// The rule sets of a function.
#[derive(Debug)]
pub struct RuleSets<S> {
    current: Current<S>,
    candidate: Option<(Share, InForce<S>)>,
    on_error: OnError,
}

#[derive(Debug)]
enum Current<S> {
    /// The function was deployed with it.
    Fixed(Arc<Pipeline>),
    /// It is published. `settled`: this process may use what it has, without having to ask first.
    Published { in_force: Box<InForce<S>>, settled: AtomicBool },
}

impl<S: RuleStore + Sync> RuleSets<S> {
    /// The rules that the function was deployed with, for every message.
    pub fn fixed(pipeline: Pipeline) -> Self {
        Self { current: Current::Fixed(Arc::new(pipeline)), candidate: None, on_error: OnError::Skip }
    }
    /// Rules that are published. `on_error` says what happens where they cannot be had for good.
    pub fn published(in_force: InForce<S>, on_error: OnError) -> Self {
        let settled = AtomicBool::new(false);
        Self { current: Current::Published { in_force: Box::new(in_force), settled }, candidate: None, on_error }
    }
    /// Others, which are published, for a share of the messages.
    #[must_use]
    pub fn with_candidate(mut self, share: Share, in_force: InForce<S>) -> Self {
        self.candidate = Some((share, in_force));
        self
    }

    async fn current(&self, budget: &Budget) -> (Result<Arc<Pipeline>, FlowError>, Looked) {
        let (in_force, settled) = match &self.current {
            Current::Fixed(pipeline) => return (Ok(Arc::clone(pipeline)), Looked::Later),
            Current::Published { in_force, settled } => (in_force, settled),
        };
        let first = !settled.load(Ordering::Relaxed);
        let within = if first { budget.third() } else { LOOK_WITHIN.min(budget.third()) };
        let looked = in_force.look(&budget.part(within), first).await;
        let failed = match &looked {
            _ if !first || in_force.is_published() => None,
            Looked::Later | Looked::Same | Looked::Swapped => None,
            Looked::Unknown { tries, error: error @ PortError::Transient { .. } } => {
                Some(FlowError::Trouble { stage: Stage::Rules, tries: *tries, error: error.clone() })
            }
            Looked::Unknown { error, .. } => self.refused(error.clone()),
            Looked::Refused { unusable, .. } => self.refused(PortError::permanent(Refusal::Invalid, &*unusable.why)),
        };
        let unknown = || FlowError::Bug { because: "there are no rules".to_owned() };
        let answer = failed.map_or_else(|| in_force.pipeline().ok_or_else(unknown), Err);
        settled.store(answer.is_ok(), Ordering::Relaxed);
        (answer, looked)
    }

    fn refused(&self, error: PortError) -> Option<FlowError> {
        let because = "the error policy is fail".to_owned();
        (self.on_error == OnError::Fail).then_some(FlowError::Refused { stage: Stage::Rules, error, because })
    }

    /// Whether the rules of the layer stand in for published ones.
    fn falls_back(&self) -> bool {
        matches!(&self.current, Current::Published { in_force, .. } if !in_force.is_published())
    }

    /// All that are known in this process.
    fn known(&self) -> Vec<Arc<Pipeline>> {
        let current = match &self.current {
            Current::Fixed(pipeline) => vec![Arc::clone(pipeline)],
            Current::Published { in_force, .. } => in_force.known(),
        };
        let candidate = self.candidate.iter().flat_map(|(_, in_force)| in_force.known());
        current.into_iter().chain(candidate).collect()
    }

    async fn candidate(&self, budget: &Budget) -> Looked {
        match &self.candidate {
            Some((_, in_force)) => in_force.look(&budget.part(LOOK_WITHIN.min(budget.third())), false).await,
            None => Looked::Later,
        }
    }
}

impl<S: RuleStore + Sync> Rules for RuleSets<S>
where
    for<'a> &'a S: Send,
{
    async fn choose(&self, id: &MessageId, budget: &Budget, looks: &mut Looks) -> Result<Chosen<'_>, FlowError> {
        let ((current, looked), beside) = tokio::join!(self.current(budget), self.candidate(budget));
        tell(Which::Current, &looked, current.as_ref().ok().map(|current| current.digest()));
        let candidate = self.candidate.as_ref().and_then(|(_, in_force)| in_force.pipeline());
        tell(Which::Candidate, &beside, candidate.as_ref().map(|candidate| candidate.digest()));
        if let Current::Published { in_force, .. } = &self.current {
            count(&looked, in_force.standing(), looks);
        }
        if let Some((_, in_force)) = &self.candidate {
            count(&beside, in_force.standing(), looks);
        }
        let current = current?;
        let which = if self.falls_back() { Which::Layer } else { Which::Current };
        let candidate = self.candidate.as_ref().and_then(|(share, in_force)| Some((share, in_force.pipeline()?)));
        // A candidate that has become the current one is none.
        let candidate = candidate.filter(|(_, candidate)| candidate.digest() != current.digest());
        let (which, pipeline, other) = match candidate {
            Some((share, candidate)) if share.includes(id) => (Which::Candidate, candidate, Some(current)),
            Some((_, candidate)) => (which, current, Some(candidate)),
            None => (which, current, None),
        };
        let other = other.map(|other| other.digest().to_owned());
        let rule_set = RuleSet { which, digest: pipeline.digest().to_owned(), other };
        let mut others = self.known();
        others.retain(|other| other.digest() != pipeline.digest());
        Ok(Chosen { pipeline: Held::Shared(pipeline), rule_set, others })
    }
}

/// Count how it stands, with each message, so that what stays wrong is counted however seldom it is looked for.
fn count(looked: &Looked, standing: Standing, looks: &mut Looks) {
    looks.swapped += u32::from(*looked == Looked::Swapped);
    looks.refused += u32::from(standing == Standing::Refused);
    looks.unread += u32::from(standing == Standing::Unread);
}

/// Log what an operator should know of a look.
fn tell(which: Which, looked: &Looked, digest: Option<&str>) {
    let rule_set = which.as_str();
    match looked {
        Looked::Swapped => tracing::info!(rule_set, digest, "published rules are in force"),
        Looked::Refused { unusable: Unusable { tag, why }, first: true } => {
            let tag = tag.as_str();
            tracing::error!(rule_set, tag, problems = why.as_str(), "the published rules cannot be used");
        }
        Looked::Unknown { error, .. } => tracing::warn!(rule_set, %error, "the published rules cannot be read"),
        Looked::Later | Looked::Same | Looked::Refused { .. } => {}
    }
}
