//! Each entry of the conditions, each alternative and each exception is left out in turn, wherever it stands: when all tests
//! still hold, nobody would notice its loss.

use mailwright::pipeline::Pipeline;
use mailwright::rule::Mode;
use mailwright::rule::piece::Described;
use serde_json::{Value, json};

use super::runner::Runner;
use crate::check::count;
use crate::terminal::{Colour, FAINT, GOOD, ODD, escape};

/// What no test notices.
pub struct Survivor {
    rule: String,
    /// What was left out, such as `` `size` in `when` ``.
    without: String,
    /// `rules/20-legal.toml:12`.
    place: String,
}

/// What was left out, and what of it no test noticed.
pub struct Mutation {
    tried: usize,
    survivors: Vec<Survivor>,
}

impl Mutation {
    /// Leave out one piece after another. `load` reads the rules anew, as a rule set cannot be copied.
    pub fn of(
        pipeline: &Pipeline,
        runner: &Runner<'_>,
        load: impl Fn() -> Result<Pipeline, String>,
    ) -> Result<Self, String> {
        let mut mutation = Self { tried: 0, survivors: Vec::new() };
        for (index, rule) in pipeline.rules().iter().enumerate().filter(|(_, rule)| rule.mode != Mode::Off) {
            for Described { piece, name, within, span, .. } in rule.pieces() {
                mutation.tried += 1;
                if runner.holds(&load()?.without(index, &piece)) {
                    let without = if within.is_empty() { name } else { format!("{name} in {within}") };
                    let place = span.map(|span| pipeline.place(span)).unwrap_or_default();
                    mutation.survivors.push(Survivor { rule: rule.name.clone(), without, place });
                }
            }
        }
        Ok(mutation)
    }

    /// Did tests notice each time?
    pub fn is_noticed(&self) -> bool {
        self.survivors.is_empty()
    }

    /// For people.
    pub fn text(&self, colour: Colour) -> String {
        if self.survivors.is_empty() {
            let parts = count(self.tried, "part");
            let text = format!("{parts} of the conditions left out, one at a time, and a test noticed each time\n");
            return colour.paint(GOOD, &text).into_owned();
        }
        let tried = count(self.tried, "change");
        let mut text = format!("no test notices {} of {tried}:\n", self.survivors.len());
        for Survivor { rule, without, place } in &self.survivors {
            let (word, place) = (colour.paint(ODD, "unnoticed"), colour.paint(FAINT, place));
            text.push_str(&format!("  {word} `{}` without {without}  {place}\n", escape(rule)));
        }
        text
    }

    /// For programs: what no test notices.
    pub fn json(&self) -> Value {
        let survivors = self.survivors.iter();
        survivors
            .map(|Survivor { rule, without, place }| json!({ "rule": rule, "without": without, "place": place }))
            .collect()
    }
}
