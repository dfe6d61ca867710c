//! The rules of a rule set, run over a message.
//!
//! Each rule sees what those before it did. Invariant: a rule acts as a whole or not at all. Whatever it does wrong, the
//! draft is the one from before it, and its `on_error` says what that means for the message.

mod act;
mod checked;
mod report;
mod run;

use std::path::Path;
use std::sync::OnceLock;

use self::act::{own_disposition, protected_bounce, unanswerable};
use self::run::{Run, fence, whom};
use crate::answers::{Answers, Asked, Whom, add, stricter};
use crate::directory::{Book, Fact, Need, Organization};
use crate::envelope::{Direction, Envelope};
use crate::facts::{Facts, Timestamp};
use crate::message::dkim::Signature;
use crate::message::{Draft, Message, Rendered, Violation};
use crate::rule::listed::{self, Listed};
use crate::rule::piece::Piece;
use crate::rule::problem::{Code, Problem, Problems, Severity};
use crate::rule::section::Span;
use crate::rule::test::Test;
use crate::rule::value_key::ValueKey;
use crate::rule::{Disposition, Late, Mode, OnError, Protected, Rule, Scene, Unbounceable, file, packed};

pub use checked::{Checked, decides};
pub use report::{Outcome, Report, RuleReport, RunError, Share, Verdict};

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
    needs: Needs,
}

/// What has to be looked up for messages of each way, once it is asked for.
#[derive(Debug, Default)]
struct Needs {
    inbound: OnceLock<Need>,
    outbound: OnceLock<Need>,
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
        let needs = Needs::default();
        Self { rules, digest, organization, book, tests, warnings, endings, checks_all: false, key: None, needs }
    }

    /// Run the rules over a message. `out_of_time` is asked before each rule, and by a rule that takes long.
    pub fn run<'m>(
        &self,
        message: &'m Message<'m>,
        envelope: &Envelope,
        facts: &Facts,
        out_of_time: &dyn Fn() -> bool,
    ) -> Result<Outcome<'m>, RunError> {
        self.run_then(message, envelope, facts, out_of_time, &|_, _, _| {})
    }

    /// As [`Pipeline::run`]. When all rules are done, and before the draft is rendered, `finish` is called with the
    /// draft, the rules that asked for something in the answer, and that answer: the flow puts its own fields in or takes them
    /// out. What it does counts as a change; it is called again where a draft that does not hold up is gone back from.
    pub fn run_then<'m>(
        &self,
        message: &'m Message<'m>,
        envelope: &Envelope,
        facts: &Facts,
        out_of_time: &dyn Fn() -> bool,
        finish: &dyn Fn(&mut Draft<'m>, &[Asked], &Answers),
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
        let answers = Answers::new(envelope, &dispositions, added);
        draft.drop_undone();
        finish(&mut draft, &asked, &answers);
        let way = envelope.direction;
        let (rewritten, signatures) = match render(&mut draft, way) {
            Ok(done) => done,
            Err(violation) => {
                self.take_back(&mut report, violation)?;
                draft = Draft::new(message);
                finish(&mut draft, &asked, &answers);
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
        Ok(Outcome { report, rewritten, answers, asked, stored })
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
    pub fn need(&self, way: Direction) -> &Need {
        let need = match way {
            Direction::Inbound => &self.needs.inbound,
            Direction::Outbound => &self.needs.outbound,
        };
        need.get_or_init(|| {
            let mut need = Need::default();
            let runs = |rule: &&Rule| rule.may_apply(way) || self.checks_all && rule.mode != Mode::Off;
            self.rules.iter().filter(runs).for_each(|rule| need.add(rule.need()));
            need
        })
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
        self.needs = Needs::default();
        self
    }

    /// The same rules with a piece of one left out; a piece that is not there changes nothing.
    #[must_use]
    pub fn without(mut self, rule: usize, piece: &Piece) -> Self {
        if let Some(rule) = self.rules.get_mut(rule) {
            rule.leave_out(piece);
        }
        self.needs = Needs::default();
        self
    }

    /// Every list of values in the conditions of its rules.
    pub fn listed(&self) -> Vec<Listed> {
        listed::find(self.warnings.files())
    }

    /// As [`Pipeline::load`], with a list of [`Pipeline::listed`] without one of its values. That may be no rule set any more.
    pub fn load_without_value(path: &Path, list: &Listed, index: usize) -> Result<Self, Problems> {
        file::load_edited(path, Some((&list.span, &list.without(index)))).map(Self::of)
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

#[cfg(test)]
mod tests;
