//! One rule after the other: whether it applies, for whom, and what its failing means for the message.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::act::{Done, act};
use super::checked::Checked;
use super::report::{RuleReport, RunError, Share, Verdict};
use crate::answers::{Asked, Whom, add};
use crate::directory::{Fact, Organization};
use crate::envelope::{Address, Envelope};
use crate::facts::{Facts, Timestamp};
use crate::message::Draft;
use crate::rule::period::Phase;
use crate::rule::truth::Truth;
use crate::rule::truths::{self, Truths};
use crate::rule::value_key::ValueKey;
use crate::rule::{ActionError, Disposition, Late, Mode, OnError, Rule, Scene};

/// One run over one message.
pub(super) struct Run<'r, 'm> {
    pub(super) draft: Draft<'m>,
    pub(super) envelope: &'r Envelope,
    pub(super) facts: &'r Facts,
    pub(super) organization: &'r Organization,
    pub(super) key: Option<&'r ValueKey>,
    pub(super) rules: &'r [Rule],
    pub(super) dispositions: Vec<(Disposition, Whom)>,
    pub(super) added: Vec<Address>,
    pub(super) asked: Vec<Asked>,
    pub(super) stopped: bool,
    pub(super) late: bool,
}

impl<'m> Run<'_, 'm> {
    /// Look at a rule, and do what it says.
    pub(super) fn rule(
        &mut self,
        index: usize,
        rule: &Rule,
        out_of_time: &dyn Fn() -> bool,
    ) -> Result<RuleReport, RunError> {
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
        let whom = match self.whom(rule, out_of_time) {
            Ok(whom) => whom,
            Err(Verdict::Failed(why)) => {
                fails(rule, &why)?;
                return Ok(report(Verdict::Failed(why)));
            }
            Err(Verdict::OutOfTime) => {
                fails(rule, "time ran out")?;
                return Ok(report(Verdict::OutOfTime));
            }
            Err(not) => return Ok(report(not)),
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
    fn scene<'s>(&'s mut self, rule: &'s Rule, late: Late<'s>) -> Scene<'s, 'm> {
        Scene {
            draft: &mut self.draft,
            envelope: self.envelope,
            facts: self.facts,
            organization: self.organization,
            rule: &rule.name,
            key: self.key,
            rules: self.rules,
            late,
        }
    }

    /// For whom a rule applies, or why it does not.
    fn whom(&mut self, rule: &Rule, out_of_time: &dyn Fn() -> bool) -> Result<Whom, Verdict> {
        let told = Cell::new(false);
        let is_late = || {
            told.set(told.get() || out_of_time());
            told.get()
        };
        let whom = fence(|| whom(rule, &self.scene(rule, Late::new(&is_late))));
        // What a condition did not look at in time says nothing.
        if told.get() {
            self.late = true;
            return Err(Verdict::OutOfTime);
        }
        whom.map_err(Verdict::Failed)?
    }

    /// How every condition of a rule that is looked at turns out.
    pub(super) fn check_all(&mut self, rule: &Rule) -> Vec<Checked> {
        if rule.mode == Mode::Off || self.stopped {
            return Vec::new();
        }
        Checked::all(rule, &self.scene(rule, Late::NEVER))
    }

    fn share(&self, whom: &Whom) -> Share {
        let of = self.envelope.recipients.len();
        Share { matched: (0..of).filter(|index| whom.includes(*index)).count(), of }
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
pub(super) fn whom(rule: &Rule, scene: &Scene<'_, '_>) -> Result<Whom, Verdict> {
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

/// For a rule that failed: an error when its `on_error` says so. A rule in audit mode never fails a run.
fn fails(rule: &Rule, why: &str) -> Result<(), RunError> {
    if rule.on_error == OnError::Fail && rule.mode == Mode::Enforce {
        return Err(RunError::Rule { rule: rule.name.clone(), why: why.to_owned() });
    }
    Ok(())
}

/// Nothing that a rule does ends the run: a panic is a failure of that rule. Its text may hold content and is not kept.
pub(super) fn fence<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|_| "it panicked; this is a bug in mailwright, please report it".to_owned())
}
