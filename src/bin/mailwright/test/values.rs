//! `--mutate-values`: each value of a list in a condition is left out in turn.
//!
//! Invariant: at most [`MAX_TRIES`] rule sets are tried, [`MAX_OF_LIST`] for one list; what was not tried is counted, and said.

use std::path::Path;

use mailwright::pipeline::Pipeline;
use mailwright::rule::Mode;
use mailwright::rule::listed::Listed;
use serde_json::{Value, json};

use super::rehearsed;
use super::runner::Runner;
use crate::terminal::{Colour, FAINT, ODD, escape};

/// Most values that are left out.
const MAX_TRIES: usize = 1_000;
/// Most of one list: a longer one is data, and has its own place.
const MAX_OF_LIST: usize = 25;
/// Most values of a list that are named.
const NAMED: usize = 5;
/// Longest value that is shown, in characters.
const LONGEST: usize = 60;

/// What no test notices of a list.
struct Thin {
    list: Listed,
    /// `rules/20-legal.toml:12`.
    place: String,
    /// The values that can go, as they are written.
    values: Vec<String>,
}

/// What was left out of lists, and what of it no test noticed.
pub struct Values {
    /// How many.
    pub tried: usize,
    left_out: usize,
    thin: Vec<Thin>,
}

impl Values {
    /// Leave out one value after another of the rules at `path`.
    pub fn of(pipeline: &Pipeline, runner: &Runner<'_>, path: &Path) -> Self {
        let mut values = Self { tried: 0, left_out: 0, thin: Vec::new() };
        let is_off = |name: &str| pipeline.rules().iter().any(|rule| rule.name == name && rule.mode == Mode::Off);
        for list in pipeline.listed().into_iter().filter(|list| !is_off(&list.rule)) {
            let most = MAX_OF_LIST.min(MAX_TRIES.saturating_sub(values.tried));
            values.left_out += list.values.len().saturating_sub(most);
            let mut unnoticed = Vec::new();
            for (index, value) in list.values.iter().enumerate().take(most) {
                // What is no rule set without it needs it.
                let Ok(without) = Pipeline::load_without_value(path, &list, index) else { continue };
                values.tried += 1;
                if runner.holds(&rehearsed(without)) {
                    unnoticed.push(value.clone());
                }
            }
            if !unnoticed.is_empty() {
                let place = pipeline.place(&list.span);
                values.thin.push(Thin { list, place, values: unnoticed });
            }
        }
        values
    }

    /// How many no test noticed.
    pub fn unnoticed(&self) -> usize {
        self.thin.iter().map(|thin| thin.values.len()).sum()
    }

    /// A line for each list, for people.
    pub fn text(&self, colour: Colour) -> String {
        let mut text = String::new();
        for Thin { list, place, values } in &self.thin {
            // One more takes no more room than to say that there is.
            let most = if values.len() == NAMED + 1 { values.len() } else { NAMED };
            let mut named: Vec<String> = values.iter().take(most).map(|value| shown(value)).collect();
            let last = match values.len().saturating_sub(most) {
                0 => named.pop().unwrap_or_default(),
                more => format!("{more} others"),
            };
            let named = if named.is_empty() { last } else { format!("{} or {last}", named.join(", ")) };
            let (word, place) = (colour.paint(ODD, "unnoticed"), colour.paint(FAINT, place));
            let (rule, of) = (escape(&list.rule), self::of(list));
            text.push_str(&format!("  {word} `{rule}` without {named} of {of}  {place}\n"));
        }
        if self.left_out > 0 {
            text.push_str(&format!("  of long lists {} values were not left out\n", self.left_out));
        }
        text
    }

    /// For programs: one for each value.
    pub fn json(&self) -> impl Iterator<Item = Value> {
        self.thin.iter().flat_map(|Thin { list, place, values }| {
            let without = move |value: &String| format!("{value} of {}", of(list));
            values.iter().map(move |value| json!({ "rule": list.rule, "without": without(value), "place": place }))
        })
    }
}

/// Such as ``the 3 values of `sender` in `when` ``.
fn of(list: &Listed) -> String {
    let within = if list.exception { "unless" } else { "when" };
    format!("the {} values of `{}` in `{within}`", list.values.len(), escape(&list.key))
}

fn shown(value: &str) -> String {
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    match value.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", escape(value.get(..at).unwrap_or_default())),
        None => escape(&value).into_owned(),
    }
}
