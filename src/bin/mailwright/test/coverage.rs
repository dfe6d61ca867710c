//! What of the rules the tests have looked at.
//!
//! A rule is covered when it has matched in a test; a condition when it has kept its rule from matching, alone; an
//! exception when it has kept from matching a rule whose `when` held. So whoever leaves one of them out, or inverts it,
//! changes what comes of a test's message.

use mailwright::pipeline::{Checked, Pipeline, Verdict};
use mailwright::rule::Mode;
use serde_json::{Value, json};

use super::runner::Ran;
use crate::terminal::{Colour, ODD, escape};

/// What is covered, and what is not.
pub struct Coverage {
    points: usize,
    missing: Vec<String>,
}

impl Coverage {
    /// Of a rule set by tests that have run.
    pub fn of(pipeline: &Pipeline, ran: &[Ran]) -> Self {
        let mut coverage = Self { points: 0, missing: Vec::new() };
        for (index, rule) in pipeline.rules().iter().enumerate().filter(|(_, rule)| rule.mode != Mode::Off) {
            let reports: Vec<_> = ran.iter().filter_map(|ran| ran.rules.get(index)).collect();
            let name = escape(&rule.name);
            let matched = reports.iter().any(|r| {
                matches!(r.verdict, Verdict::Matched | Verdict::Audited | Verdict::Skipped(_) | Verdict::Failed(_))
            });
            coverage.point(matched, || format!("`{name}`: no test in which it matches"));
            for (at, condition) in rule.when.iter().enumerate() {
                let alone = reports.iter().any(|report| {
                    let failed = of(&report.checked, None).enumerate().filter(|(_, c)| !c.holds).map(|(at, _)| at);
                    failed.eq([at])
                });
                let key = condition.key();
                coverage.point(alone, || format!("`{name}`: no test in which `{key}` alone keeps it from matching"));
            }
            for (table, conditions) in rule.unless.iter().enumerate() {
                let excepted = reports.iter().any(|report| {
                    of(&report.checked, None).all(|c| c.holds)
                        && of(&report.checked, Some(table)).count() > 0
                        && of(&report.checked, Some(table)).all(|c| c.holds)
                });
                let keys: Vec<_> = conditions.iter().map(|condition| condition.key()).collect();
                let keys = keys.join(", ");
                coverage.point(excepted, || format!("`{name}`: no test in which the exception {keys} holds"));
            }
        }
        coverage
    }

    fn point(&mut self, covered: bool, what: impl FnOnce() -> String) {
        self.points += 1;
        if !covered {
            self.missing.push(what());
        }
    }

    /// How much is covered; 100 where there is nothing to cover.
    pub fn percent(&self) -> u32 {
        let covered = self.points - self.missing.len();
        u32::try_from((covered * 100).checked_div(self.points).unwrap_or(100)).unwrap_or(100)
    }

    /// For people.
    pub fn text(&self, colour: Colour) -> String {
        let covered = self.points - self.missing.len();
        let mut text = format!("coverage: {covered} of {} ({} %)\n", self.points, self.percent());
        for what in &self.missing {
            text.push_str(&format!("  {} {what}\n", colour.paint(ODD, "not covered")));
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({ "points": self.points, "covered": self.points - self.missing.len(), "percent": self.percent(), "missing": self.missing })
    }
}

/// The conditions of `when`, or of one exception.
fn of(checked: &[Checked], exception: Option<usize>) -> impl Iterator<Item = &Checked> {
    checked.iter().filter(move |checked| checked.exception == exception)
}
