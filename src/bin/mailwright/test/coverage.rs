//! What of the rules the tests have looked at.
//!
//! A rule is covered when it has matched in a test; each entry of its conditions, each alternative and each exception,
//! wherever it stands, when in some test the rule would have applied to others without it. Where all of them are covered,
//! each condition has been seen to hold and to fail where that alone decided.

use mailwright::pipeline::{Pipeline, Verdict, decides};
use mailwright::rule::Mode;
use mailwright::rule::piece::Described;
use serde_json::{Value, json};

use super::runner::Ran;
use crate::terminal::{Colour, FAINT, ODD, escape};

/// What is covered, and what is not.
pub struct Coverage {
    points: usize,
    missing: Vec<Missing>,
}

/// What no test looks at.
struct Missing {
    rule: String,
    what: String,
    /// `rules/20-legal.toml:12`.
    place: String,
}

impl Coverage {
    /// Of a rule set by tests that have run.
    pub fn of(pipeline: &Pipeline, ran: &[Ran]) -> Self {
        let mut coverage = Self { points: 0, missing: Vec::new() };
        for (index, rule) in pipeline.rules().iter().enumerate().filter(|(_, rule)| rule.mode != Mode::Off) {
            let reports = || ran.iter().filter_map(|ran| ran.rules.get(index));
            let matched = reports().any(|r| {
                matches!(r.verdict, Verdict::Matched | Verdict::Audited | Verdict::Skipped(_) | Verdict::Failed(_))
            });
            let place = |span| pipeline.place(span);
            let mut point = |covered: bool, what: String, place: Option<String>| {
                coverage.points += 1;
                if !covered {
                    let (rule, place) = (rule.name.clone(), place.unwrap_or_default());
                    coverage.missing.push(Missing { rule, what, place });
                }
            };
            point(matched, "no test in which it matches".to_owned(), rule.span.as_ref().map(place));
            for Described { piece, name, within, lets_in, span } in rule.pieces() {
                let active = || reports().filter(|report| !matches!(report.verdict, Verdict::Inactive(_)));
                let decided = active().any(|report| decides(&report.checked, &piece));
                let within = if matches!(within, "" | "`when`") { String::new() } else { format!(" in {within}") };
                let does = if lets_in { "lets it match" } else { "keeps it from matching" };
                point(decided, format!("no test in which {name}{within} alone {does}"), span.map(place));
            }
        }
        coverage
    }

    /// How much is covered; 100 where there is nothing to cover.
    pub fn percent(&self) -> u32 {
        let covered = self.points - self.missing.len();
        u32::try_from((covered * 100).checked_div(self.points).unwrap_or(100)).unwrap_or(100)
    }

    /// How many points are covered, and of how many.
    pub const fn covered(&self) -> (usize, usize) {
        (self.points - self.missing.len(), self.points)
    }

    /// For people.
    pub fn text(&self, colour: Colour) -> String {
        let (covered, points) = self.covered();
        let mut text = format!("coverage: {covered} of {points} ({} %)\n", self.percent());
        for Missing { rule, what, place } in &self.missing {
            let (word, place) = (colour.paint(ODD, "not covered"), colour.paint(FAINT, place));
            text.push_str(&format!("  {word} `{}`: {what}  {place}\n", escape(rule)));
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let missing = self
            .missing
            .iter()
            .map(|Missing { rule, what, place }| json!({ "rule": rule, "what": what, "place": place }));
        json!({
            "points": self.points,
            "covered": self.points - self.missing.len(),
            "percent": self.percent(),
            "missing": missing.collect::<Vec<_>>(),
        })
    }
}
