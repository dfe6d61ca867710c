//! What rules can say and do. (The rules themselves live in the top-level `rules/`.)

pub mod actions;
pub(crate) mod automatic;
pub mod conditions;
mod constants;
pub mod detect;
mod elsewhere;
pub mod entry;
pub mod file;
pub mod late;
mod lints;
pub mod listed;
pub(crate) mod nesting;
mod organization;
pub(crate) mod packed;
pub(crate) mod pattern;
pub mod period;
pub mod piece;
pub mod problem;
mod readable;
mod reading;
pub mod schema;
pub mod section;
pub mod tables;
pub mod takes;
pub mod template;
pub mod test;
mod toml_value;
pub mod truth;
pub mod truths;
pub mod value_key;

use std::fmt::Debug;
use std::sync::Arc;

use actions::Written;

use crate::directory::{Fact, Need, Organization};
use crate::envelope::{Address, Direction, Envelope};
use crate::facts::Facts;
use crate::message::{BodyError, Draft, Violation};
pub use late::Late;
use period::Period;
pub use takes::{OptionDoc, Takes};
use truth::Truth;
use truths::Truths;
use value_key::ValueKey;

/// What a rule sees while it runs. Everything it needs to know is handed in: it does no I/O and has no clock.
#[derive(Debug)]
pub struct Scene<'s, 'm> {
    /// The message as the rules before have left it.
    pub draft: &'s mut Draft<'m>,
    /// What the flow says about it.
    pub envelope: &'s Envelope,
    /// What else is known: the time, people.
    pub facts: &'s Facts,
    /// Who is internal as it is configured; [`Scene::who_is_internal`] also asks the directory.
    pub organization: &'s Organization,
    /// The name of the rule that runs.
    pub rule: &'s str,
    /// The secret of pseudonyms and digests, where the flow has one.
    pub key: Option<&'s ValueKey>,
    /// All rules of the set, in order: a block knows the others by them.
    pub rules: &'s [Rule],
    /// Whether there is time left; what takes long asks now and then.
    pub late: Late<'s>,
}

impl Scene<'_, '_> {
    /// Who is internal: by the directory where it says so, else as it is configured.
    pub fn who_is_internal(&self) -> Fact<&Organization> {
        let told = self.facts.people.organization.as_ref();
        told.map_or(Fact::Known(self.organization), Fact::as_ref)
    }
}

impl From<late::TimeUp> for ActionError {
    fn from(_: late::TimeUp) -> Self {
        Self::Late
    }
}

/// One test in `when` or `unless`, compiled.
pub trait Condition: Debug + Send + Sync {
    /// Is it sure to hold? What a message lacks does not hold; it is never an error. One that [`Scene::late`] tells that time
    /// is up answers anything.
    fn holds(&self, scene: &Scene<'_, '_>) -> bool;
    /// The same for a condition that may not know: what the directory could not tell.
    fn truth(&self, scene: &Scene<'_, '_>) -> Truth {
        self.holds(scene).into()
    }
    /// The key in the rule file, such as `recipients`.
    fn key(&self) -> &'static str;
    /// What of the message it looked at, for the author of a rule: this is content, and is asked for by
    /// `mailwright explain` and tests alone.
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let _ = scene;
        None
    }
    /// For a condition that holds one way only: which.
    fn direction(&self) -> Option<Direction> {
        None
    }
    /// What has to be looked up before it can be told.
    fn need(&self) -> Need {
        Need::default()
    }
    /// For which recipients it holds. A condition on the message holds for all or for none.
    fn truths(&self, scene: &Scene<'_, '_>) -> Truths {
        Truths::ForAll(self.truth(scene))
    }
    /// True for a condition that may hold for some recipients and not for others.
    fn asks_each(&self) -> bool {
        false
    }
}

/// What an action did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// So many edits of the message, with a note for the report (never content), such as `2 bodies`.
    Edited(usize, String),
    /// Nothing to do, and why (never content), such as `it is there already`.
    Nothing(&'static str),
    /// The message cannot take this action: why (never content). The rest of the rule goes on.
    Unfit(String),
    /// What to answer to the flow, for the recipients that the rule is about.
    Dispose(Disposition),
    /// Recipients to add.
    Add(Vec<Address>),
    /// No later rule runs.
    Stop,
    /// Data was found and masked, or is a reason to send the message back.
    Redacted(Redacted),
}

/// What an action found, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// So many finds were masked.
    pub count: usize,
    /// For the report (never content), such as `2 card in subject, 1.2`.
    pub note: String,
    /// Each find, up to a limit.
    pub finds: Vec<Find>,
    /// What is answered instead, where nothing is masked.
    pub disposition: Option<Disposition>,
}

/// One find, for the report: no content.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Find {
    /// The detector that found it.
    pub detector: String,
    /// Where: a header field in lower case, a part such as `1.2`, `1.2 name` for its file name, `2/1` for part 1 of the
    /// message that is part 2.
    pub place: String,
    /// What of an HTML text it is: `attribute`, `link`, `comment`, `hidden`, `source`; none for what a reader sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// Byte offset in the decoded text of the place.
    pub offset: usize,
    /// Keyed digest of the value, to know it again: 16 hex digits. None without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What becomes of a message that an action would send back, and that must not be answered: automatic mail, bounces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unbounceable {
    /// It is delivered.
    Deliver,
    /// It is dropped.
    Drop,
    /// The rule fails.
    Fail,
}

/// Why an action failed; the rule's `on_error` decides what that means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// A body that the action had to change could not be changed.
    #[error("a body could not be changed: {0}")]
    Body(#[from] BodyError),
    /// A field that the action had to change stands in a header that cannot be edited.
    #[error("the header could not be edited")]
    Header,
    /// A message that had to be sent back must not be answered, and must not go out.
    #[error("the message must not go out, and cannot be sent back: {0}")]
    Unbounceable(&'static str),
    /// Pseudonyms take a key.
    #[error("there is no key for pseudonyms; set MAILWRIGHT_VALUE_KEY, or --value-key for replay")]
    Key,
    /// What was masked is found again, whatever stands in its place.
    #[error("what stands in place of a find is found again")]
    Remains,
    /// What the action has to know of people is not known: why.
    #[error("what it has to know of people is not known: {0}")]
    Directory(&'static str),
    /// An attached message did not hold up.
    #[error("an attached message could not be changed: {0}")]
    Attached(Violation),
    /// What was put in would not be found again by a second run (Invariant 6).
    #[error("a second run would put it in once more; is its HTML whole?")]
    Once,
    /// There is more in the message than the action takes: what, and how much it takes.
    #[error("the message has more {0} than the {1} that a rule takes")]
    TooMany(&'static str, usize),
    /// Time ran out while it ran.
    #[error("time ran out")]
    Late,
    /// A template could not be filled in.
    #[error("a template could not be filled in: {0}")]
    Template(String),
}

/// What is answered for a recipient; WorkMail calls it an action. Strictest last.
///
/// Ordered by strictness; two bounces are told apart by their text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Delivered without the spam check. Inbound only.
    BypassSpamCheck,
    /// Delivered.
    Deliver,
    /// Moved to the junk folder. Inbound only.
    Junk,
    /// Sent back with this text.
    Bounce(String),
    /// Neither delivered nor sent back.
    Drop,
}

/// What a rule does about a message whose body must not be edited ([`crate::message::Protection`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protected {
    /// The rule does nothing to this message.
    Skip,
    /// Only its actions on the header and the flow.
    HeadersOnly,
    /// The message is put below a new part that shows the text.
    Wrap,
    /// The message is sent back.
    Bounce,
}

/// One thing that a rule does, compiled.
pub trait Action: Debug + Send + Sync {
    /// Do it.
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError>;
    /// The kind in the rule file, such as `append`.
    fn kind(&self) -> &'static str;
    /// For an action on the body: what the rule does where the message as it stands now is protected from it. `None`
    /// for actions on the header and the flow, and where nothing stands in the way.
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        let _ = scene;
        None
    }
    /// For an action on the body with [`Protected::Wrap`]: do it by wrapping the message.
    fn run_wrapped(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        self.run(scene)
    }
    /// For an action on the body with [`Protected::HeadersOnly`]: do what of it does not touch the body.
    fn run_on_header(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let why = scene.draft.protection().map_or("protected", |protection| protection.as_str());
        Ok(Effect::Unfit(format!("the message is {why}")))
    }
    /// For an action that puts a block into bodies: the block, as it would be written into this message.
    fn block(&self, scene: &Scene<'_, '_>) -> Option<Arc<Written>> {
        let _ = scene;
        None
    }
    /// True for an action that can be done for some recipients and not for others: it answers to the flow and leaves the
    /// message as it is.
    fn is_for_each(&self) -> bool {
        false
    }
    /// The recipients that it adds, whatever the message.
    fn adds(&self) -> &[Address] {
        &[]
    }
    /// True for an action on the body.
    fn edits_body(&self) -> bool {
        false
    }
    /// What it answers to the flow, whatever the message.
    fn disposition(&self) -> Option<Disposition> {
        None
    }
    /// What a failure means for a rule that does not say: an action that keeps something from leaving fails.
    fn on_error(&self) -> OnError {
        OnError::Skip
    }
    /// What becomes of a message that this action would send back, where that must not be.
    fn unbounceable(&self) -> Unbounceable {
        Unbounceable::Deliver
    }
    /// What it answers to the flow for some messages.
    fn may_dispose(&self) -> Option<Disposition> {
        None
    }
    /// True when it stores attachments outside of the message.
    fn stores(&self) -> bool {
        false
    }
    /// True when it does nothing without [`Scene::key`].
    fn needs_key(&self) -> bool {
        false
    }
    /// True for an action that keeps data from leaving: where it is not run, the data goes out.
    fn keeps_from_leaving(&self) -> bool {
        false
    }
    /// What has to be looked up before it can be done.
    fn need(&self) -> Need {
        Need::default()
    }
    /// What `protected` says, whatever the message; `None` for actions on the header and the flow.
    fn protected_policy(&self) -> Option<Protected> {
        None
    }
}

/// A kind of condition: one per file in `conditions/`, one line each in [`conditions::KINDS`].
#[derive(Debug, Clone, Copy)]
pub struct ConditionKind {
    /// The key in `when` and `unless`.
    pub key: &'static str,
    /// What it tests, in one sentence.
    pub doc: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// A `when` entry in TOML, as `direction = "outbound"`.
    pub example: &'static str,
    /// Read the value of `key` from the section and compile it. Reports its problems itself; `None` when there were any.
    pub compile: fn(&mut section::Section<'_>, &'static str) -> Option<Box<dyn Condition>>,
}

/// A kind of action: one per file in `actions/`, one line each in [`actions::KINDS`].
#[derive(Debug, Clone, Copy)]
pub struct ActionKind {
    /// The `kind` in the rule file.
    pub kind: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// Its options, without `kind`.
    pub options: &'static [OptionDoc],
    /// The directions in which the flow allows it.
    pub directions: &'static [Direction],
    /// A `[[rule.action]]` in TOML, without its header line.
    pub example: &'static str,
    /// Read the options and compile them. Reports its problems itself; `None` when there were any.
    pub compile: fn(&mut section::Section<'_>) -> Option<Box<dyn Action>>,
}

/// What happens when a rule fails or runs out of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The message goes on as it was before the rule.
    Skip,
    /// The invocation fails; the flow tries again.
    Fail,
}

/// Whether a rule acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    Enforce,
    /// It is evaluated and reported, and changes nothing.
    Audit,
    /// It is not looked at.
    Off,
}

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// Unique in the rule set.
    pub name: String,
    /// For people.
    pub description: String,
    /// Whether it acts.
    pub mode: Mode,
    /// When it begins and ends.
    pub active: Option<Period>,
    /// What a failure means.
    pub on_error: OnError,
    /// All must hold; empty holds always.
    pub when: entry::Table,
    /// The exceptions, one per table: an exception applies when all of its entries hold.
    pub unless: Vec<entry::Table>,
    /// Where its name stands; `None` for one that no file holds.
    pub span: Option<section::Span>,
    /// Done in order.
    pub actions: Vec<Box<dyn Action>>,
}

impl Rule {
    /// True when it can act on messages that go this way.
    pub fn may_apply(&self, way: Direction) -> bool {
        self.mode != Mode::Off && self.when.iter().all(|when| when.direction().is_none_or(|only| only == way))
    }
    /// What has to be looked up before it runs.
    pub fn need(&self) -> Need {
        let mut need = Need::default();
        let tables = std::iter::once(&self.when).chain(&self.unless);
        tables.flat_map(|table| table.iter()).for_each(|entry| need.add(entry.need()));
        self.actions.iter().for_each(|action| need.add(action.need()));
        need
    }
}
