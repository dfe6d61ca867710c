//! The rules of a rule set, run over a message.
//!
//! Each rule sees what those before it did. Invariant: a rule acts as a whole or not at all. Whatever it does wrong, the
//! draft is the one from before it, and its `on_error` says what that means for the message.

mod checked;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use crate::answers::{Answers, Asked, NotAdded, Whom, add, stricter};
use crate::directory::{Book, Fact, Need, Organization};
use crate::envelope::{Address, Direction, Envelope};
use crate::facts::{Facts, Timestamp};
use crate::message::dkim::Signature;
use crate::message::{Draft, Message, Rendered, Violation};
use crate::rule::automatic::is_automatic;
use crate::rule::period::Phase;
use crate::rule::piece::Piece;
use crate::rule::problem::{Code, Problem, Problems, Severity};
use crate::rule::section::Span;
use crate::rule::test::Test;
use crate::rule::truth::Truth;
use crate::rule::truths::{self, Truths};
use crate::rule::value_key::ValueKey;
use crate::rule::{
    Action, ActionError, Disposition, Effect, Find, Late, Mode, OnError, Protected, Redacted, Rule, Scene,
    Unbounceable, file, packed,
};
use crate::stored::Stored;

pub use checked::{Checked, decides};

/// A compiled rule set.
#[derive(Debug)]
pub struct Pipeline {
    rules: Vec<Rule>,
    digest: String,
    organization: Organization,
    book: Book,
    tests: Vec<Test>,
    warnings: Problems,
    endings: Vec<(Span, Timestamp)>,
    checks_all: bool,
    key: Option<ValueKey>,
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

impl Pipeline {
    /// Compile all `*.toml` of a folder, or one file, in the order of file names; or a packed rule set, a file that ends in
    /// `.json` ([`Pipeline::pack`]). `organization.toml` in the folder
    /// says which domains are internal.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        file::load(path).map(Self::of)
    }
    /// Compile files that are in memory, `(relative path, text)`: rule files end in `.toml`, the others are templates.
    pub fn from_sources(files: Vec<(String, String)>) -> Result<Self, Problems> {
        file::from_sources(files).map(Self::of)
    }
    /// A rule set as one file, for [`Pipeline::load`] and [`Pipeline::unpack`]; with the same digest. No rule set with an
    /// error can be packed.
    pub fn pack(path: &Path) -> Result<Vec<u8>, Problems> {
        file::load(path).map(|set| packed::pack(&set.files))
    }
    /// Compile a packed rule set.
    pub fn unpack(packed: &[u8]) -> Result<Self, Problems> {
        file::from_packed(packed).map(Self::of)
    }
    fn of(set: file::RuleSet) -> Self {
        let file::RuleSet { rules, organization, book, tests, digest, warnings, endings, files: _ } = set;
        Self { rules, digest, organization, book, tests, warnings, endings, checks_all: false, key: None }
    }
    /// Run the rules over a message. `out_of_time` is asked before each rule, and by a rule that takes long.
    pub fn run<'m>(
        &self,
        message: &'m Message<'m>,
        envelope: &Envelope,
        facts: &Facts,
        out_of_time: &dyn Fn() -> bool,
    ) -> Result<Outcome<'m>, RunError> {
        self.run_then(message, envelope, facts, out_of_time, &|_, _| {})
    }
    /// As [`Pipeline::run`]. When all rules are done, and before the draft is rendered, `finish` is called with the
    /// draft and the rules that asked for something in the answer: the flow puts its own fields in or takes them out. What it does counts as a change; it is called again where a draft that does not hold up is gone back from.
    pub fn run_then<'m>(
        &self,
        message: &'m Message<'m>,
        envelope: &Envelope,
        facts: &Facts,
        out_of_time: &dyn Fn() -> bool,
        finish: &dyn Fn(&mut Draft<'m>, &[Asked]),
    ) -> Result<Outcome<'m>, RunError> {
        let mut run = Run {
            draft: Draft::new(message),
            envelope,
            facts,
            organization: &self.organization,
            key: self.key.as_ref(),
            rules: &self.rules,
            dispositions: Vec::new(),
            added: Vec::new(),
            asked: Vec::new(),
            stopped: false,
            late: false,
        };
        let mut reports = Vec::with_capacity(self.rules.len());
        for (index, rule) in self.rules.iter().enumerate() {
            let checked = if self.checks_all { run.check_all(rule) } else { Vec::new() };
            reports.push(RuleReport { checked, ..run.rule(index, rule, out_of_time)? });
        }
        let mut report = Report {
            digest: self.digest.clone(),
            rules: reports,
            notes: message.notes().iter().map(|note| (*note).to_owned()).collect(),
            signatures: Vec::new(),
        };
        let Run { mut draft, dispositions, added, asked, .. } = run;
        finish(&mut draft, &asked);
        let way = envelope.direction;
        let (rewritten, signatures) = match render(&mut draft, way) {
            Ok(done) => done,
            Err(violation) => {
                self.take_back(&mut report, violation)?;
                draft = Draft::new(message);
                finish(&mut draft, &asked);
                match render(&mut draft, way) {
                    Ok(done) => done,
                    Err(violation) => {
                        report.notes.push(format!("the message goes out as it came in: {violation}"));
                        (None, Vec::new())
                    }
                }
            }
        };
        report.signatures = signatures;
        if rewritten.is_some() && draft.hides_subject() {
            report.notes.push(HIDDEN_SUBJECT.to_owned());
        }
        let stored = if rewritten.is_some() { draft.stored().to_vec() } else { Vec::new() };
        Ok(Outcome { report, rewritten, answers: Answers::new(envelope, &dispositions, added), asked, stored })
    }
    /// What these rules ask for together, as [`Outcome::answers`] said when they asked for it: for a second try of a
    /// message that the rules have been run over already. Indexes that are no rule's, or the index of a rule that asks
    /// for nothing, count for nothing.
    pub fn answers_of(&self, asked: &[Asked], message: &Message<'_>, envelope: &Envelope, facts: &Facts) -> Answers {
        let (mut dispositions, mut added) = (Vec::new(), Vec::new());
        let mut draft = Draft::new(message);
        let (organization, key) = (&self.organization, self.key.as_ref());
        let scene =
            Scene { draft: &mut draft, envelope, facts, organization, rule: "", rules: &[], key, late: Late::NEVER };
        let known = match scene.who_is_internal() {
            Fact::Known(known) => known,
            Fact::Unknown(_) => organization,
        };
        for (entry, rule) in asked.iter().filter_map(|entry| Some((entry, self.rules.get(entry.rule)?))) {
            let bounces = rule.actions.iter().any(|a| a.protected_policy() == Some(Protected::Bounce));
            let may = rule.actions.iter().find_map(|action| action.may_dispose());
            let wanted = own_disposition(rule).or(may).or_else(|| bounces.then(protected_bounce));
            let wanted = match wanted.filter(|_| entry.disposes) {
                // What could not be sent back then was dropped, or delivered as the rule's other actions say.
                Some(Disposition::Bounce(_)) if unanswerable(&scene).is_some() => {
                    let drops = rule.actions.iter().any(|action| action.unbounceable() == Unbounceable::Drop);
                    let others = rule.actions.iter().map(|action| action.disposition());
                    let other = others.filter(|d| !matches!(d, Some(Disposition::Bounce(_)))).fold(None, stricter);
                    if drops { Some(Disposition::Drop) } else { other }
                }
                wanted => wanted,
            };
            let anew = || fence(|| whom(rule, &scene)).ok().and_then(Result::ok).unwrap_or(Whom::Nobody);
            let whom = entry.whom.clone().unwrap_or_else(anew);
            dispositions.extend(wanted.map(|disposition| (disposition, whom)));
            let adds = rule.actions.iter().filter(|_| entry.adds).flat_map(|action| action.adds());
            for address in adds {
                // What was left out then is left out again.
                let _ = add(&mut added, address, envelope, known);
            }
        }
        Answers::new(envelope, &dispositions, added)
    }
    /// Digest of the rule set: 16 hex digits of SHA-256 over all rule and template files.
    pub fn digest(&self) -> &str {
        &self.digest
    }
    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
    /// The tests beside the rules, in order.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }
    /// Who is internal.
    pub fn organization(&self) -> &Organization {
        &self.organization
    }
    /// The people and groups of `organization.toml`.
    pub fn book(&self) -> &Book {
        &self.book
    }
    /// What has to be looked up before the rules run over a message that goes this way; both ways where every condition
    /// is looked at ([`Pipeline::checking_all`]).
    pub fn need(&self, way: Direction) -> Need {
        let mut need = Need::default();
        let runs = |rule: &&Rule| rule.may_apply(way) || self.checks_all && rule.mode != Mode::Off;
        self.rules.iter().filter(runs).for_each(|rule| need.add(rule.need()));
        need
    }
    /// What is odd about the rule files and did not keep them from being used.
    pub fn warnings(&self) -> &Problems {
        &self.warnings
    }
    /// The same, and what is over at this moment: rules and dates.
    pub fn warnings_at(&self, now: Timestamp) -> Problems {
        let over = self.endings.iter().filter(|(_, until)| *until <= now);
        self.warnings.with(over.map(|(span, _)| Problem {
            code: Code::Over,
            severity: Severity::Warning,
            what: "this is over".to_owned(),
            span: Some(span.clone()),
            help: "take out what has had its time, or move the date".to_owned(),
        }))
    }
    /// Internal domains from elsewhere (environment, command line) instead of those of `organization.toml`.
    #[must_use]
    pub fn with_organization(mut self, organization: Organization) -> Self {
        self.organization = organization;
        self
    }

    /// Look at every condition of a rule and say how each turned out ([`RuleReport::checked`]), instead of stopping at the
    /// first that does not hold. For tests of rules: it costs time.
    #[must_use]
    pub fn checking_all(mut self) -> Self {
        self.checks_all = true;
        self
    }
    /// The same rules with a piece of one left out; a piece that is not there changes nothing.
    #[must_use]
    pub fn without(mut self, rule: usize, piece: &Piece) -> Self {
        if let Some(rule) = self.rules.get_mut(rule) {
            rule.leave_out(piece);
        }
        self
    }
    /// `rules/20-legal.toml:12`, for a place in the rule files.
    pub fn place(&self, span: &Span) -> String {
        self.warnings.place(span)
    }
    /// The secret that pseudonyms and the digests of finds are made with.
    #[must_use]
    pub fn with_value_key(mut self, key: Option<ValueKey>) -> Self {
        self.key = key;
        self
    }
    /// True when rules ask for people or groups and there is no directory of the rule set's own to ask.
    pub fn needs_directory(&self) -> bool {
        let needs = |way| {
            let need = self.need(way);
            !need.sender.is_empty() || !need.recipients.is_empty()
        };
        self.book.is_empty() && (needs(Direction::Inbound) || needs(Direction::Outbound))
    }
    /// True when a rule stores attachments.
    pub fn stores_attachments(&self) -> bool {
        let active = self.rules.iter().filter(|rule| rule.mode == Mode::Enforce);
        active.flat_map(|rule| &rule.actions).any(|action| action.stores())
    }
    /// True when a rule does nothing without such a key.
    pub fn needs_value_key(&self) -> bool {
        let active = self.rules.iter().filter(|rule| rule.mode != Mode::Off);
        active.flat_map(|rule| &rule.actions).any(|action| action.needs_key())
    }

    /// The rewrite does not hold up: the rules that had a part in it are taken back, or the run fails.
    fn take_back(&self, report: &mut Report, violation: Violation) -> Result<(), RunError> {
        for (rule, entry) in self.rules.iter().zip(&mut report.rules) {
            if entry.edits == 0 || entry.verdict != Verdict::Matched {
                continue;
            }
            if rule.on_error == OnError::Fail {
                return Err(RunError::Violation(violation));
            }
            entry.verdict = Verdict::Failed(format!("taken back: {violation}"));
            entry.edits = 0;
        }
        report.notes.push(format!("the rules' edits were taken back: {violation}"));
        Ok(())
    }
}

/// RFC 9788: the tag stands in the field that lists of messages show, until the message is opened.
const HIDDEN_SUBJECT: &str = "the subject is protected within the message too: mail programs that know of protected header \
                              fields show that one, unchanged";

/// Render what changed. Of outbound mail no signature is looked at: it is signed when it leaves, after us.
fn render<'m>(draft: &mut Draft<'m>, way: Direction) -> Result<(Option<Rendered<'m>>, Vec<Signature>), Violation> {
    if draft.is_unchanged() {
        return Ok((None, Vec::new()));
    }
    if way == Direction::Outbound {
        return Ok((Some(draft.render()?), Vec::new()));
    }
    let (rendered, signatures) = draft.render_signed()?;
    Ok((Some(rendered), signatures))
}

/// One run over one message.
struct Run<'r, 'm> {
    draft: Draft<'m>,
    envelope: &'r Envelope,
    facts: &'r Facts,
    organization: &'r Organization,
    key: Option<&'r ValueKey>,
    rules: &'r [Rule],
    dispositions: Vec<(Disposition, Whom)>,
    added: Vec<Address>,
    asked: Vec<Asked>,
    stopped: bool,
    late: bool,
}

/// What the actions of a rule came to.
#[derive(Default)]
struct Done {
    effects: Vec<String>,
    edits: usize,
    disposition: Option<Disposition>,
    finds: Vec<Find>,
    added: Vec<Address>,
    stop: bool,
    /// For how many recipients, where it is not for everybody.
    share: Option<Share>,
    /// Why the message could not take it, in whole or in part.
    unfit: Option<String>,
}

impl<'m> Run<'_, 'm> {
    fn rule(&mut self, index: usize, rule: &Rule, out_of_time: &dyn Fn() -> bool) -> Result<RuleReport, RunError> {
        let report = |verdict| RuleReport {
            name: rule.name.clone(),
            verdict,
            effects: Vec::new(),
            edits: 0,
            recipients: None,
            checked: Vec::new(),
            finds: Vec::new(),
        };
        if rule.mode == Mode::Off {
            return Ok(report(Verdict::Off));
        }
        if let Some(why) = inactive(rule, self.facts.now) {
            return Ok(report(Verdict::Inactive(why)));
        }
        if self.stopped {
            return Ok(report(Verdict::Stopped));
        }
        self.late = self.late || out_of_time();
        if self.late {
            fails(rule, "time ran out")?;
            return Ok(report(Verdict::OutOfTime));
        }
        let whom = match fence(|| self.whom(rule)) {
            Ok(Ok(whom)) => whom,
            Ok(Err(Verdict::Failed(why))) | Err(why) => {
                fails(rule, &why)?;
                return Ok(report(Verdict::Failed(why)));
            }
            Ok(Err(not)) => return Ok(report(not)),
        };
        let share = asks_each(rule).then(|| self.share(&whom));
        // The rule works on a copy: what fails, or is only looked at, leaves nothing behind.
        let mut draft = self.draft.clone();
        let scene = Scene {
            draft: &mut draft,
            envelope: self.envelope,
            facts: self.facts,
            organization: self.organization,
            rule: &rule.name,
            key: self.key,
            rules: self.rules,
            late: Late::new(out_of_time),
        };
        let done = match fence(|| act(rule, share, scene)) {
            Ok(Ok(done)) => done,
            // Odd mail is no error: the message cannot take the edit, so the rule leaves all of it alone.
            Ok(Err(ActionError::Body(error))) => {
                let why = format!("a body could not be edited: {error}");
                fails(rule, &why)?;
                return Ok(report(Verdict::Skipped(why)));
            }
            Ok(Err(ActionError::Late)) => {
                self.late = true;
                fails(rule, "time ran out")?;
                return Ok(report(Verdict::OutOfTime));
            }
            Ok(Err(error @ ActionError::Header)) => {
                fails(rule, &error.to_string())?;
                return Ok(report(Verdict::Skipped(error.to_string())));
            }
            Ok(Err(error)) => {
                fails(rule, &error.to_string())?;
                return Ok(report(Verdict::Failed(error.to_string())));
            }
            Err(why) => {
                fails(rule, &why)?;
                return Ok(report(Verdict::Failed(why)));
            }
        };
        let did = done.edits > 0 || done.disposition.is_some() || !done.added.is_empty() || done.stop;
        let verdict = match (done.unfit, rule.mode) {
            (Some(why), _) if !did => Verdict::Skipped(why),
            (_, Mode::Enforce) => Verdict::Matched,
            _ => Verdict::Audited,
        };
        if rule.mode == Mode::Enforce {
            self.draft = draft;
            self.stopped = done.stop;
            let adds = !done.added.is_empty();
            let disposes = done.disposition.is_some();
            if adds || disposes {
                let disposition = done.disposition.clone();
                self.asked.push(Asked { rule: index, whom: Some(whom.clone()), disposes, disposition, adds });
            }
            self.dispositions.extend(done.disposition.map(|disposition| (disposition, whom)));
            let known = self.facts.people.organization.as_ref().map_or(Fact::Known(self.organization), Fact::as_ref);
            let organization = if let Fact::Known(known) = known { known } else { self.organization };
            for address in &done.added {
                // One that a rule before it added is not added twice.
                let _ = add(&mut self.added, address, self.envelope, organization);
            }
        }
        let Done { mut effects, edits, finds, .. } = done;
        if rule.mode == Mode::Enforce && self.envelope.truncated && share.is_some() {
            effects.push(CUT_LIST.to_owned());
        }
        Ok(RuleReport { effects, edits, finds, recipients: share, ..report(verdict) })
    }

    /// What the conditions of a rule look at.
    fn scene<'s>(&'s mut self, rule: &'s Rule) -> Scene<'s, 'm> {
        Scene {
            draft: &mut self.draft,
            envelope: self.envelope,
            facts: self.facts,
            organization: self.organization,
            rule: &rule.name,
            key: self.key,
            rules: self.rules,
            late: Late::NEVER,
        }
    }

    /// How every condition of a rule that is looked at turns out.
    fn check_all(&mut self, rule: &Rule) -> Vec<Checked> {
        if rule.mode == Mode::Off || self.stopped {
            return Vec::new();
        }
        Checked::all(rule, &self.scene(rule))
    }

    fn share(&self, whom: &Whom) -> Share {
        let of = self.envelope.recipients.len();
        Share { matched: (0..of).filter(|index| whom.includes(*index)).count(), of }
    }

    /// For whom the rule applies, or why it does not.
    fn whom(&mut self, rule: &Rule) -> Result<Whom, Verdict> {
        let scene = self.scene(rule);
        whom(rule, &scene)
    }
}

/// Nothing is known of those who were cut off, so a rule about each recipient leaves them alone.
const CUT_LIST: &str = "the list of recipients is cut: of those cut off, none is meant";

/// Why a rule does not run at this time.
fn inactive(rule: &Rule, now: Option<Timestamp>) -> Option<String> {
    let active = rule.active.as_ref()?;
    match now.map(|now| active.phase(now)) {
        Some(Phase::Within) => None,
        Some(Phase::Before) => Some(format!("active {active}, not yet")),
        Some(Phase::After) => Some(format!("active {active}, which is over")),
        None => Some(format!("active {active}, and nobody says what time it is")),
    }
}

/// True for a rule that may match for some recipients and not for others.
fn asks_each(rule: &Rule) -> bool {
    std::iter::once(&rule.when).chain(&rule.unless).any(|table| truths::asks_each(table))
}

/// For whom a rule applies, or why it does not. It fails where it is not known for whom.
fn whom(rule: &Rule, scene: &Scene<'_, '_>) -> Result<Whom, Verdict> {
    let mut truths = Truths::ForAll(Truth::Holds);
    for condition in rule.when.iter() {
        truths = truths.and(condition.truths(scene));
        if truths.for_any() == Truth::Fails {
            return Err(Verdict::NotMatched(condition.key().to_owned()));
        }
    }
    for table in &rule.unless {
        truths = truths.and(truths::table_truths(table, scene).negated());
        if truths.for_any() == Truth::Fails {
            return Err(Verdict::Excepted(table.keys()));
        }
    }
    let unknown = |why| Verdict::Failed(format!("whether it applies is not known: {why}"));
    truths.whom().map(|whom| whom.settled(scene.envelope)).map_err(unknown)
}

/// Do what a rule says.
fn act(rule: &Rule, share: Option<Share>, mut scene: Scene<'_, '_>) -> Result<Done, ActionError> {
    let mut done = Done { share, ..Done::default() };
    let policies: Vec<Protected> = rule.actions.iter().filter_map(|action| action.protected(&scene)).collect();
    // What was not looked at in time says nothing of what a protected message holds.
    if !policies.is_empty() && scene.late.is_late() {
        return Err(ActionError::Late);
    }
    let protection = || scene.draft.protection().map_or("protected", |p| p.as_str());
    if policies.contains(&Protected::Bounce) {
        let why = protection();
        done.unfit = Some(why.to_owned());
        done.effects.push(format!("protected: {why}"));
        let asked = own_disposition(rule).unwrap_or_else(protected_bounce);
        let bouncing = rule.actions.iter().filter(|action| action.protected(&scene) == Some(Protected::Bounce));
        let otherwise = bouncing.map(|action| action.unbounceable()).max().unwrap_or(Unbounceable::Deliver);
        dispose(&mut done, "protected", asked, otherwise, &scene)?;
        return Ok(done);
    }
    if policies.contains(&Protected::Skip) {
        done.unfit = Some(protection().to_owned());
        return Ok(done);
    }
    for action in &rule.actions {
        let effect = match action.protected(&scene) {
            Some(Protected::Wrap) => action.run_wrapped(&mut scene),
            Some(_) => action.run_on_header(&mut scene),
            None => action.run(&mut scene),
        };
        record(&mut done, action.as_ref(), effect?, &scene)?;
    }
    Ok(done)
}

fn record(done: &mut Done, action: &dyn Action, effect: Effect, scene: &Scene<'_, '_>) -> Result<(), ActionError> {
    let kind = action.kind();
    match effect {
        Effect::Edited(count, note) => {
            done.edits += count;
            done.effects.push(format!("{kind}: {note}"));
        }
        Effect::Nothing(why) => done.effects.push(format!("{kind}: nothing to do, {why}")),
        Effect::Unfit(why) => {
            done.effects.push(format!("{kind}: left out, {why}"));
            done.unfit.get_or_insert(why);
        }
        Effect::Dispose(disposition) => dispose(done, kind, disposition, action.unbounceable(), scene)?,
        Effect::Add(addresses) => {
            let (mut there, mut external, mut over) = (0, 0, 0);
            let organization = match scene.who_is_internal() {
                Fact::Known(organization) => organization,
                Fact::Unknown(why) => return Err(ActionError::Directory(why)),
            };
            let known = done.added.len();
            for address in &addresses {
                match add(&mut done.added, address, scene.envelope, organization) {
                    Ok(()) => {}
                    Err(NotAdded::There) => there += 1,
                    Err(NotAdded::External) => external += 1,
                    Err(NotAdded::TooMany) => over += 1,
                }
            }
            done.effects.push(format!("{kind}: {}", added_note(done.added.len() - known, there, external, over)));
            if external > 0 {
                done.unfit.get_or_insert_with(|| "inbound mail goes to addresses of the organization only".to_owned());
            }
        }
        Effect::Stop => {
            done.effects.push(format!("{kind}: no later rule runs"));
            done.stop = true;
        }
        Effect::Redacted(Redacted { count, note, finds, disposition }) => {
            done.edits += count;
            done.effects.push(format!("{kind}: {note}"));
            done.finds.extend(finds);
            if let Some(disposition) = disposition {
                dispose(done, kind, disposition, action.unbounceable(), scene)?;
            }
        }
    }
    Ok(())
}

/// Take a disposition down, unless this message must not be answered that way: then what is to be done instead.
fn dispose(
    done: &mut Done,
    kind: &str,
    disposition: Disposition,
    otherwise: Unbounceable,
    scene: &Scene<'_, '_>,
) -> Result<(), ActionError> {
    let refused = match &disposition {
        Disposition::Bounce(_) => unanswerable(scene),
        Disposition::Junk | Disposition::BypassSpamCheck if scene.envelope.direction != Direction::Inbound => {
            Some("inbound only")
        }
        _ => None,
    };
    let disposition = match (refused, otherwise, disposition) {
        (None, _, disposition) => disposition,
        (Some(why), Unbounceable::Fail, Disposition::Bounce(_)) => return Err(ActionError::Unbounceable(why)),
        (Some(_), Unbounceable::Drop, Disposition::Bounce(_)) => Disposition::Drop,
        (Some(why), ..) => {
            done.effects.push(format!("{kind}: delivered, {why}"));
            done.unfit.get_or_insert_with(|| why.to_owned());
            return Ok(());
        }
    };
    let name = match &disposition {
        Disposition::BypassSpamCheck => "delivered without the spam check",
        Disposition::Deliver => "delivered",
        Disposition::Junk => "to the junk folder",
        Disposition::Bounce(_) => "bounced",
        Disposition::Drop => "dropped",
    };
    let share = done.share.filter(|share| share.matched < share.of);
    let share = share.map(|share| format!(", for {} of {} recipients", share.matched, share.of)).unwrap_or_default();
    done.effects.push(format!("{kind}: {name}{share}"));
    done.disposition = stricter(done.disposition.take(), Some(disposition));
    Ok(())
}

/// Why a message must not be answered (RFC 3834 §2, RFC 5321 §4.5.5): that makes a loop, or hits somebody who did not
/// write.
fn unanswerable(scene: &Scene<'_, '_>) -> Option<&'static str> {
    if scene.envelope.sender.is_none() {
        return Some("there is no sender to bounce to");
    }
    is_automatic(scene).then_some("an automatic message is not bounced")
}

/// What the actions of a rule answer to the flow, whatever the message.
fn own_disposition(rule: &Rule) -> Option<Disposition> {
    rule.actions.iter().map(|action| action.disposition()).fold(None, stricter)
}

/// What a sender is told whose message a rule must change and cannot.
fn protected_bounce() -> Disposition {
    Disposition::Bounce(
        "Your message was not delivered: it is signed, encrypted or otherwise protected from changes, and a mail rule \
         has to change it. Please send it without protection, or ask your mail administrator."
            .to_owned(),
    )
}

/// What became of addresses to add, in numbers.
fn added_note(added: usize, there: usize, external: usize, over: usize) -> String {
    let mut note = match added {
        0 => "nobody is added".to_owned(),
        1 => "1 recipient".to_owned(),
        n => format!("{n} recipients"),
    };
    for (count, why) in [
        (there, "there already"),
        (external, "outside of the organization, where inbound mail does not go"),
        (over, "over what the flow takes"),
    ] {
        if count > 0 {
            let _ = write!(note, "; left out: {count} {why}");
        }
    }
    note
}

/// For a rule that failed: an error when its `on_error` says so. A rule in audit mode never fails a run.
fn fails(rule: &Rule, why: &str) -> Result<(), RunError> {
    if rule.on_error == OnError::Fail && rule.mode == Mode::Enforce {
        return Err(RunError::Rule { rule: rule.name.clone(), why: why.to_owned() });
    }
    Ok(())
}

/// Nothing that a rule does ends the run: a panic is a failure of that rule. Its text may hold content and is not kept.
fn fence<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|_| "it panicked; this is a bug in mailwright, please report it".to_owned())
}

#[cfg(test)]
mod tests;
