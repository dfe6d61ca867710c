//! One message that passes, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mailwright::envelope::Address;
use mailwright::facts::Timestamp;
use mailwright::flow::handler::Handled;
use mailwright::flow::key::MessageId;
use mailwright::rule::Disposition;

use super::said::Said;
use crate::event::{Event, Given};

/// A message to take in.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// Where it comes from.
    pub origin: Origin,
    /// The message.
    pub raw: Bytes,
    /// What is known of its envelope; what is not is read from the message.
    pub given: Given,
    /// What SMTP says of the sender.
    pub return_path: ReturnPath,
}

/// What SMTP says of the sender; WorkMail goes by the From field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReturnPath {
    /// Nothing.
    Unknown,
    /// The null sender, as of bounces, whatever the message says.
    Null,
    /// For a message that does not say who it is from.
    Address(Address),
}

/// Where a message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// By SMTP, with the names of fields that were added.
    Smtp(Vec<&'static str>),
    /// Pasted or dropped into the page: the name of its file, safe to show.
    Page(Arc<str>),
    /// A file: its path, safe to show.
    File(Arc<str>),
}

impl Origin {
    /// In a few words, safe to show.
    pub fn words(&self) -> String {
        match self {
            Self::Smtp(added) if added.is_empty() => "smtp".to_owned(),
            Self::Smtp(added) => format!("smtp, {} added", added.join(" and ")),
            Self::Page(name) | Self::File(name) => name.to_string(),
        }
    }
}

/// A message that passes or has passed.
#[derive(Debug, Clone)]
pub struct Run {
    /// From 1, never used again.
    pub number: usize,
    /// Where it comes from.
    pub origin: Origin,
    /// When it came in.
    pub arrived: Timestamp,
    /// The flow's handle for it.
    pub id: MessageId,
    /// What the function is told.
    pub event: Arc<Event>,
    /// As it came in.
    pub original: Bytes,
    /// Why the tries before have failed, in order.
    pub failures: Vec<String>,
    /// What the built-in handler did in the last of them.
    pub tried: Option<Arc<Handled>>,
    /// What became of it; `None` while it is in transit.
    pub outcome: Option<Arc<Outcome>>,
    /// The rule set of its outcome, or the one in force when it came in.
    pub generation: u64,
    /// What the function said of it last, where it is one of this project's.
    pub said: Option<Arc<Said>>,
}

impl Run {
    /// How much memory it takes, nearly.
    pub fn octets(&self) -> usize {
        self.original.len() + self.rewritten().map_or(0, Bytes::len)
    }
    /// As it was put back; `None` where it goes on as it came, or has not passed.
    pub fn rewritten(&self) -> Option<&Bytes> {
        self.outcome.as_ref().and_then(|outcome| outcome.rewritten.as_ref())
    }
}

/// What became of a message.
#[derive(Debug)]
pub struct Outcome {
    /// What the built-in handler did; `None` where another function ran, or a panic came.
    pub handled: Option<Handled>,
    /// As it was put back; `None` where it goes on as it came.
    pub rewritten: Option<Bytes>,
    /// What WorkMail does for each recipient; empty where it has no recipient that can be read.
    pub answered: Vec<Answered>,
    /// What WorkMail does for those whom the event does not name.
    pub others: Disposition,
    /// The function did not answer until the rule's time was over: everybody gets the fallback action.
    pub fell_back: bool,
    /// Why it counts as failed.
    pub failure: Option<String>,
    /// What else is to be said.
    pub notes: Vec<String>,
    /// How often the function was invoked.
    pub tries: usize,
    /// From coming in until this was known; for another run of it, how long that took.
    pub took: Duration,
}

/// What WorkMail does for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The address, as the event or the answer names it.
    pub address: String,
    /// What is done.
    pub disposition: Disposition,
    /// The function added this recipient.
    pub added: bool,
}
