//! The rules of a rule set, run over a message.

use std::path::Path;

use crate::directory::Organization;
use crate::envelope::Envelope;
use crate::message::{Draft, Message, Rendered, Violation};
use crate::rule::{Disposition, Rule};

/// A compiled rule set.
#[derive(Debug)]
pub struct Pipeline {
    rules: Vec<Rule>,
    digest: String,
    organization: Organization,
}

/// What one run did, for people and programs; holds no content.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// Digest of the rule set, 16 hex digits.
    pub digest: String,
    /// One entry per rule, in order.
    pub rules: Vec<RuleReport>,
    /// What was odd about the message.
    pub notes: Vec<String>,
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
    /// A rule before it said stop.
    Stopped,
    /// Time ran out before it.
    OutOfTime,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome<'m> {
    /// What was done.
    pub report: Report,
    /// The rewritten message; `None` where nothing changed.
    pub rewritten: Option<Rendered<'m>>,
    /// What to answer for all recipients: the strictest that any rule asked for.
    pub disposition: Disposition,
    /// Indexes of the rules that asked for a disposition.
    pub disposing: Vec<usize>,
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

impl Pipeline {
    /// Compile all `*.toml` of a folder, or one file, in the order of file names. `organization.toml` in the folder
    /// says which domains are internal.
    pub fn load(path: &Path) -> Result<Self, crate::rule::file::Problems> {
        let _ = path;
        todo!()
    }
    /// Run the rules over a message. `out_of_time` is asked before each rule.
    pub fn run<'m>(
        &self,
        message: &'m Message<'m>,
        envelope: &Envelope,
        out_of_time: &dyn Fn() -> bool,
    ) -> Result<Outcome<'m>, RunError> {
        self.run_then(message, envelope, out_of_time, &|_, _| {})
    }
    /// As [`Pipeline::run`]. When all rules are done, and before the draft is rendered, `finish` is called with the
    /// draft and the indexes of the rules that asked for a disposition: the flow puts its own fields in or takes them
    /// out. What it does counts as a change; it is called again where a draft that does not hold up is gone back from.
    pub fn run_then<'m>(
        &self,
        message: &'m Message<'m>,
        envelope: &Envelope,
        out_of_time: &dyn Fn() -> bool,
        finish: &dyn Fn(&mut Draft<'m>, &[usize]),
    ) -> Result<Outcome<'m>, RunError> {
        let _ = (message, envelope, out_of_time, finish);
        todo!()
    }
    /// What these rules ask for together, as [`Outcome::disposition`] said when they asked for it: for a second try of
    /// a message that the rules have been run over already. Indexes that are no rule's, or the index of a rule that
    /// asks for nothing, count for nothing.
    pub fn disposition_of(&self, disposing: &[usize]) -> Disposition {
        let _ = disposing;
        todo!()
    }
    /// Digest of the rule set: 16 hex digits of SHA-256 over all rule and template files.
    pub fn digest(&self) -> &str {
        &self.digest
    }
    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
    /// Who is internal.
    pub fn organization(&self) -> &Organization {
        &self.organization
    }
    /// Internal domains from elsewhere (environment, command line) instead of `organization.toml`.
    pub fn with_organization(mut self, organization: Organization) -> Self {
        self.organization = organization;
        self
    }
}
