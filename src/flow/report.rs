//! What happened to one message, and why an invocation fails: for the log, for metrics, for replays.
//!
//! Invariant (no content): ids, rule names, counts, sizes, durations, fixed words, and what a service said without what it
//! quotes.

use std::collections::BTreeMap;

use serde::Serialize;
use tracing::level_filters::LevelFilter;

use super::key::{MessageId, ObjectKey};
use super::mode::FlowMode;
use super::ports::{PortError, Refusal};
use super::put_checks::Unmet;
use super::response::Response;
use super::rule_sets::RuleSet;
use super::workmail::Event;
use crate::envelope::Direction;
use crate::message::Mended;
use crate::pipeline::{Report, Verdict};

/// Why an invocation fails. WorkMail tries again until the rule's timeout, then applies its fallback action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// A rule with `on_error = "fail"` failed, or the rewrite that it had a part in did not hold up.
    #[error("{0}")]
    Rule(String),
    /// A call failed until there was no time left.
    #[error("{}", out_of_time(*.stage, *.tries, .error))]
    Trouble {
        /// Which call.
        stage: Stage,
        /// How often it was tried; 0 where there was no time left for it.
        tries: u32,
        /// The last failure.
        error: PortError,
    },
    /// A call was refused for good, and the original must not go out.
    #[error("{stage}: {error}; the original is not delivered because {because}")]
    Refused {
        /// Which call.
        stage: Stage,
        /// The refusal.
        error: PortError,
        /// Who says so.
        because: String,
    },
    /// A panic outside of any rule, and the original must not go out.
    #[error(
        "mailwright panicked; this is a bug in mailwright, please report it; the original is not delivered because {because}"
    )]
    Bug {
        /// Who says so.
        because: String,
    },
}

impl FlowError {
    /// A name for the sort of error, to filter and count by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Rule(_) => "Mailwright.RuleFailed",
            Self::Trouble { .. } => "Mailwright.OutOfTime",
            Self::Refused { .. } => "Mailwright.Refused",
            Self::Bug { .. } => "Mailwright.Bug",
        }
    }
}

/// A step on the way from event to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Looking for newer rules.
    Rules,
    /// Getting the message.
    Fetch,
    /// Running the rules.
    Run,
    /// Storing an attachment that the rules took out of the message.
    Keep,
    /// Putting the rewritten message to the store.
    Store,
    /// Telling the flow to take it.
    PutBack,
}

impl Stage {
    /// The word for it in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Fetch => "fetch",
            Self::Run => "run",
            Self::Keep => "keep",
            Self::Store => "store",
            Self::PutBack => "put_back",
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rules => "reading the published rules",
            Self::Fetch => "fetching the message",
            Self::Run => "running the rules",
            Self::Keep => "storing an attachment",
            Self::Store => "storing the rewritten message",
            Self::PutBack => "putting the rewritten message back",
        })
    }
}

/// What became of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Fate {
    /// No rule changed it: nothing was stored or put back.
    Unchanged,
    /// It was rewritten and put back.
    Rewritten,
    /// It bears the mark of an earlier try: nothing was run, the answer is the one of that try.
    Marked,
    /// The event does not say which message: delivered, unread.
    Undecodable,
    /// The function is switched off: delivered, unread.
    Off,
    /// The function only looks on ([`FlowMode::Audit`], [`FlowMode::Shadow`]): delivered as it came.
    Observed {
        /// What would have become of it.
        would: Box<Fate>,
        /// Why the invocation would have failed, if it would.
        why: Option<String>,
    },
    /// The flow refused for good, or mailwright has a bug: the original is delivered.
    Original {
        /// Where.
        stage: Stage,
        /// What sort of refusal; `None` for a bug of ours.
        refusal: Option<Refusal>,
        /// In words.
        why: String,
    },
    /// The invocation fails.
    Failed,
}

impl Fate {
    /// The word for it in logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Rewritten => "rewritten",
            Self::Marked => "marked",
            Self::Undecodable => "undecodable",
            Self::Off => "off",
            Self::Observed { .. } => "observed",
            Self::Original { .. } => "original",
            Self::Failed => "failed",
        }
    }
}

/// Another rule set than the one for the message has rewritten it at an earlier try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MarkedBy {
    /// Its digest.
    pub digest: String,
    /// By what it is known what was answered.
    pub answered: Answered,
}

/// By what a second try knows the answer of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// The mark carries it.
    ByMark,
    /// The rule set that made it is still known here.
    ByItsRules,
    /// Rules that have the same names as its own have answered.
    ByNames,
}

impl MarkedBy {
    /// What the answer is of, in logs.
    pub const fn answered_by(&self) -> &'static str {
        match self.answered {
            Answered::ByMark => "the mark",
            Answered::ByItsRules => "its rules",
            Answered::ByNames => "rules of the same names",
        }
    }
}

/// What happened to one message; holds no content.
#[derive(Debug, Clone, Serialize)]
pub struct FlowReport {
    /// The flow's handle for it.
    pub message_id: Option<MessageId>,
    /// The same for each try of one event.
    pub invocation_id: Option<String>,
    /// Which way it goes, where the event says so.
    pub direction: Option<Direction>,
    /// What the function does with what the rules ask for.
    pub mode: FlowMode,
    /// The rule set for it; `None` where none was asked for, or none could be had.
    pub rule_set: Option<RuleSet>,
    /// Which rule set has rewritten the message at an earlier try, where it is another than `rule_set`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marked_by: Option<MarkedBy>,
    /// What came of looking for newer rules, and how it stands with them.
    pub looks: Looks,
    /// What became of it.
    pub fate: Fate,
    /// The word answered, such as `DEFAULT`, or `MIXED` where it is not the same for all; `None` when the invocation fails.
    pub answer: Option<&'static str>,
    /// The word that would have been answered, where the function only looks on.
    pub would_answer: Option<&'static str>,
    /// How many of the recipients that the event names get which answer.
    pub answers: BTreeMap<&'static str, usize>,
    /// How many recipients rules have added.
    pub recipients_added: usize,
    /// Octets that came in.
    pub size_in: Option<usize>,
    /// Octets of the rewritten message.
    pub size_out: Option<usize>,
    /// Where it is stored, for the flow or, in [`FlowMode::Shadow`], for people to look at.
    pub key: Option<ObjectKey>,
    /// What of its demands the new content did not meet when the flow rejected it, as far as they are known.
    pub unmet: Vec<Unmet>,
    /// What was repaired of what the message came with, after the flow rejected it and before it was put once more.
    pub repaired: Vec<Mended>,
    /// Attachments that were stored outside of the message.
    pub attachments_stored: usize,
    /// Calls that were tried again.
    pub retries: u32,
    /// How long each stage took.
    pub times: Times,
    /// What the rules did; `None` when they were not run, or failed the invocation.
    pub rules: Option<Report>,
}

impl FlowReport {
    /// Of a message that nothing was done with yet.
    pub(super) fn new(event: &Event, mode: FlowMode) -> Self {
        Self {
            message_id: event.message_id.clone(),
            invocation_id: event.invocation_id.clone(),
            direction: event.direction_known.then_some(event.envelope.direction),
            mode,
            rule_set: None,
            marked_by: None,
            looks: Looks::default(),
            fate: Fate::Undecodable,
            answer: None,
            would_answer: None,
            answers: BTreeMap::new(),
            recipients_added: 0,
            size_in: None,
            size_out: None,
            key: None,
            unmet: Vec::new(),
            repaired: Vec::new(),
            attachments_stored: 0,
            retries: 0,
            times: Times::default(),
            rules: None,
        }
    }
    /// Take down what is answered; a failure of the invocation is its fate.
    pub(super) fn close(&mut self, answer: &Result<Response, FlowError>) {
        match answer {
            Ok(response) => {
                self.answer = Some(response.word());
                self.answers = response.counts();
                self.recipients_added = response.added().count();
            }
            Err(_) => self.fate = Fate::Failed,
        }
    }
}

/// How it stands with the published rules, each counted for the current ones and for a candidate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Looks {
    /// Newer ones are in force.
    pub swapped: u32,
    /// What is published cannot be used.
    pub refused: u32,
    /// It could not be read.
    pub unread: u32,
}

fn out_of_time(stage: Stage, tries: u32, error: &PortError) -> String {
    match tries {
        0 => format!("time ran out before {stage}"),
        1 => format!("{stage} failed, and no time was left: {error}"),
        _ => format!("{stage} failed {tries} times, until time ran out: {error}"),
    }
}

/// How long the stages took, in milliseconds; 0 for one that was not reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Times {
    /// Looking for newer rules.
    pub rules_ms: f64,
    /// [`Stage::Fetch`].
    pub fetch_ms: f64,
    /// Looking people up, beside [`Stage::Fetch`].
    pub look_up_ms: f64,
    /// [`Stage::Run`].
    pub run_ms: f64,
    /// [`Stage::Store`].
    pub store_ms: f64,
    /// [`Stage::PutBack`].
    pub put_back_ms: f64,
    /// All of them and what is between.
    pub total_ms: f64,
}

/// One event per message: ids, rule names, counts, sizes and durations.
pub(super) fn log(report: &FlowReport, error: Option<&FlowError>) {
    if LevelFilter::current() == LevelFilter::OFF {
        // Nobody listens.
        return;
    }
    let rules = report.rules.as_ref().map(|r| r.rules.as_slice()).unwrap_or_default();
    let signatures = report.rules.as_ref().map(|r| r.signatures.as_slice()).unwrap_or_default();
    let names = |is: fn(&Verdict) -> bool| {
        let names: Vec<_> = rules.iter().filter(|r| is(&r.verdict)).map(|r| r.name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(","))
    };
    let matched = names(|v| matches!(v, Verdict::Matched));
    let audited = names(|v| matches!(v, Verdict::Audited));
    let skipped = names(|v| matches!(v, Verdict::Skipped(_)));
    let failed = names(|v| matches!(v, Verdict::Failed(_) | Verdict::OutOfTime));
    let answers: Vec<String> = report.answers.iter().map(|(word, count)| format!("{word}: {count}")).collect();
    let answers = (report.answers.len() > 1).then(|| answers.join(", "));
    let unmet: Vec<String> = report.unmet.iter().map(|unmet| format!("{}: {}", unmet.words(), unmet.count)).collect();
    let unmet = (!unmet.is_empty()).then(|| unmet.join("; "));
    let repaired: Vec<String> = report.repaired.iter().map(|m| format!("{}: {}", m.what.words(), m.count)).collect();
    let repaired = (!repaired.is_empty()).then(|| repaired.join("; "));
    let (met, why) = match &report.fate {
        Fate::Observed { would, why } => (&**would, why.clone()),
        fate => (fate, error.map(ToString::to_string)),
    };
    let (refused_at, refusal, why) = match met {
        Fate::Original { stage, refusal, why } => (Some(*stage), *refusal, Some(why.clone())),
        _ => (None, None, why),
    };
    let would = match &report.fate {
        Fate::Observed { would, .. } => Some(would.as_str()),
        _ => None,
    };
    let (rule_set, marked_by) = (report.rule_set.as_ref(), report.marked_by.as_ref());
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                fate = report.fate.as_str(),
                mode = report.mode.as_str(),
                would = would,
                would_answer = report.would_answer,
                message_id = report.message_id.as_ref().map(MessageId::as_str),
                invocation_id = report.invocation_id.as_deref(),
                direction = report.direction.map(Direction::as_str),
                answer = report.answer,
                answers = answers,
                recipients_added = report.recipients_added,
                size_in = report.size_in,
                size_out = report.size_out,
                rejected_for = unmet,
                repaired = repaired,
                key = report.key.as_ref().map(ObjectKey::as_str),
                attachments_stored = report.attachments_stored,
                retries = report.retries,
                rules_matched = matched,
                rules_audited = audited,
                rules_skipped = skipped,
                rules_failed = failed,
                edits = rules.iter().map(|r| r.edits).sum::<usize>(),
                signatures = signatures.len(),
                signatures_broken = signatures.iter().filter(|signature| signature.broken).count(),
                rule_set = rule_set.map(|rules| rules.which.as_str()),
                digest = rule_set.map(|rules| rules.digest.as_str()),
                other_digest = rule_set.and_then(|rules| rules.other.as_deref()),
                marked_by = marked_by.map(|by| by.digest.as_str()),
                answered_by = marked_by.map(MarkedBy::answered_by),
                refused_at = refused_at.map(tracing::field::debug),
                refusal = refusal.map(tracing::field::debug),
                error_kind = error.map(FlowError::kind),
                error = why.as_deref(),
                rules_ms = report.times.rules_ms,
                fetch_ms = report.times.fetch_ms,
                look_up_ms = report.times.look_up_ms,
                run_ms = report.times.run_ms,
                store_ms = report.times.store_ms,
                put_back_ms = report.times.put_back_ms,
                total_ms = report.times.total_ms,
                "message handled"
            )
        };
    }
    match &report.fate {
        Fate::Failed => event!(error),
        Fate::Original { .. } | Fate::Undecodable => event!(warn),
        Fate::Unchanged | Fate::Rewritten | Fate::Marked | Fate::Off | Fate::Observed { .. } => event!(info),
    }
}
