//! Each entry of the conditions, each alternative and each exception is left out in turn, wherever it stands: when all tests
//! still hold, nobody would notice its loss.

use mailwright::pipeline::Pipeline;
use mailwright::rule::Mode;
use mailwright::rule::piece::Described;
use serde_json::{Value, json};

use super::runner::Runner;
use super::values::Values;
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
    values: Option<Values>,
}

impl Mutation {
    /// Leave out one piece after another. `load` reads the rules anew, as a rule set cannot be copied.
    pub fn of(
        pipeline: &Pipeline,
        runner: &Runner<'_>,
        load: impl Fn() -> Result<Pipeline, String>,
    ) -> Result<Self, String> {
        let mut mutation = Self { tried: 0, survivors: Vec::new(), values: None };
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

    /// The same of values of lists.
    #[must_use]
    pub fn with_values(self, values: Values) -> Self {
        Self { values: Some(values), ..self }
    }

    /// How often tests did not notice, and of how many times.
    pub fn unnoticed(&self) -> (usize, usize) {
        let values = self.values.as_ref().map_or((0, 0), |values| (values.unnoticed(), values.tried));
        (self.survivors.len() + values.0, self.tried + values.1)
    }

    /// Did tests notice each time?
    pub fn is_noticed(&self) -> bool {
        self.unnoticed().0 == 0
    }

    /// For people.
    pub fn text(&self, colour: Colour) -> String {
        let lists = self.values.as_ref().map(|values| values.text(colour)).unwrap_or_default();
        if self.is_noticed() {
            let values = self.values.as_ref().map(|values| format!(" and {} of lists", count(values.tried, "value")));
            let parts = count(self.tried, "part") + " of the conditions" + &values.unwrap_or_default();
            let text = format!("{parts} left out, one at a time, and a test noticed each time\n");
            return colour.paint(GOOD, &text).into_owned() + &lists;
        }
        let (unnoticed, tried) = self.unnoticed();
        let mut text = format!("no test notices {unnoticed} of {}:\n", count(tried, "change"));
        for Survivor { rule, without, place } in &self.survivors {
            let (word, place) = (colour.paint(ODD, "unnoticed"), colour.paint(FAINT, place));
            text.push_str(&format!("  {word} `{}` without {without}  {place}\n", escape(rule)));
        }
        text + &lists
    }

    /// For programs: what no test notices.
    pub fn json(&self) -> Value {
        let survivors = self.survivors.iter();
        let parts = survivors
            .map(|Survivor { rule, without, place }| json!({ "rule": rule, "without": without, "place": place }));
        parts.chain(self.values.iter().flat_map(Values::json)).collect()
    }
}
