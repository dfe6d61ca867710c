//! Each condition and each exception is left out in turn: when all tests still hold, nobody would notice its loss.

use mailwright::pipeline::{Piece, Pipeline};
use mailwright::rule::Mode;

use super::runner::Runner;
use crate::check::count;
use crate::terminal::{Colour, GOOD, ODD, escape};

/// What no test notices, in words. `load` reads the rules anew, as a rule set cannot be copied.
pub fn survivors(
    pipeline: &Pipeline,
    runner: &Runner<'_>,
    load: impl Fn() -> Result<Pipeline, String>,
) -> Result<Vec<String>, String> {
    let mut survivors = Vec::new();
    for (index, rule) in pipeline.rules().iter().enumerate().filter(|(_, rule)| rule.mode != Mode::Off) {
        let name = escape(&rule.name);
        let conditions =
            rule.when.iter().enumerate().map(|(at, condition)| {
                (Piece::Condition(at), format!("`{name}` without `{}` in `when`", condition.key()))
            });
        let exceptions = rule.unless.iter().enumerate().map(|(at, table)| {
            let keys: Vec<_> = table.iter().map(|condition| condition.key()).collect();
            (Piece::Exception(at), format!("`{name}` without the exception {}", keys.join(", ")))
        });
        for (piece, what) in conditions.chain(exceptions) {
            if runner.holds(&load()?.without(index, piece)) {
                survivors.push(what);
            }
        }
    }
    Ok(survivors)
}

/// For people.
pub fn text(survivors: &[String], failed: bool, colour: Colour) -> String {
    if failed {
        return "nothing was left out of the rules, as tests fail\n".to_owned();
    }
    if survivors.is_empty() {
        let text = "each condition and exception was left out in turn, and a test noticed each time\n";
        return colour.paint(GOOD, text).into_owned();
    }
    let mut text = format!("no test notices {}:\n", count(survivors.len(), "change"));
    for what in survivors {
        text.push_str(&format!("  {} {what}\n", colour.paint(ODD, "unnoticed")));
    }
    text
}
