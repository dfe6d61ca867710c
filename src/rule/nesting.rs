//! `any`, `all` and `not`: conditions made of conditions.
//!
//! A table of conditions holds when all of its entries hold.

use super::elsewhere;
use super::problem::Code;
use super::section::{Holds, Section};
use super::truth::Truth;
use super::truths::{Truths, asks_each, table_truths};
use super::{Condition, Scene, conditions};
use crate::directory::Need;

/// Depth of `any`, `all` and `not` in each other.
pub const MAX_DEPTH: usize = 8;

/// The entries of one table.
type Table = Vec<Box<dyn Condition>>;

/// `any = [{…}, …]`: one of the tables holds.
#[derive(Debug)]
struct Any(Vec<Table>);
/// `all = [{…}, …]`: every table holds.
#[derive(Debug)]
struct All(Vec<Table>);
/// `not = {…}`: the table does not hold.
#[derive(Debug)]
struct Not(Table);

fn need_of<'t>(entries: impl Iterator<Item = &'t Box<dyn Condition>>) -> Need {
    let mut need = Need::default();
    entries.for_each(|condition| need.add(condition.need()));
    need
}

impl Condition for Any {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.truth(scene).is_sure()
    }
    fn truth(&self, scene: &Scene<'_, '_>) -> Truth {
        self.truths(scene).for_any()
    }
    fn truths(&self, scene: &Scene<'_, '_>) -> Truths {
        self.0.iter().fold(Truths::ForAll(Truth::Fails), |truths, table| {
            if truths == Truths::ForAll(Truth::Holds) { truths } else { truths.or(table_truths(table, scene)) }
        })
    }
    fn asks_each(&self) -> bool {
        self.0.iter().any(|table| asks_each(table))
    }
    fn key(&self) -> &'static str {
        "any"
    }
    fn need(&self) -> Need {
        need_of(self.0.iter().flatten())
    }
}

impl Condition for All {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.truth(scene).is_sure()
    }
    fn truth(&self, scene: &Scene<'_, '_>) -> Truth {
        self.truths(scene).for_any()
    }
    fn truths(&self, scene: &Scene<'_, '_>) -> Truths {
        self.0.iter().fold(Truths::ForAll(Truth::Holds), |truths, table| {
            if truths == Truths::ForAll(Truth::Fails) { truths } else { truths.and(table_truths(table, scene)) }
        })
    }
    fn asks_each(&self) -> bool {
        self.0.iter().any(|table| asks_each(table))
    }
    fn key(&self) -> &'static str {
        "all"
    }
    fn need(&self) -> Need {
        need_of(self.0.iter().flatten())
    }
}

impl Condition for Not {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.truth(scene).is_sure()
    }
    fn truth(&self, scene: &Scene<'_, '_>) -> Truth {
        self.truths(scene).for_any()
    }
    fn truths(&self, scene: &Scene<'_, '_>) -> Truths {
        table_truths(&self.0, scene).negated()
    }
    fn asks_each(&self) -> bool {
        asks_each(&self.0)
    }
    fn key(&self) -> &'static str {
        "not"
    }
    fn need(&self) -> Need {
        need_of(self.0.iter())
    }
}

/// Read every entry of a table of conditions. `of` names the table in problems.
pub(super) fn read(mut section: Section<'_>, of: &str) -> Table {
    let table = entries(&mut section, of, 0);
    finish(section, of);
    table
}

fn finish(section: Section<'_>, of: &str) {
    let known: Vec<&str> = conditions::KINDS.iter().map(|kind| kind.key).chain(["any", "all", "not"]).collect();
    section.finish_with(of, &known, elsewhere::condition);
}

fn entries(section: &mut Section<'_>, of: &str, depth: usize) -> Table {
    let mut table: Table = Vec::new();
    if section.keys().is_empty() {
        section.problem(
            &section.span(),
            Code::WrongValue,
            format!("`{of}` is an empty table"),
            "leave it out, or name a condition",
        );
    }
    for kind in conditions::KINDS {
        if section.holds(kind.key) != Holds::Nothing {
            table.extend((kind.compile)(section, kind.key));
        }
    }
    for key in ["any", "all", "not"] {
        if section.holds(key) == Holds::Nothing {
            continue;
        }
        if depth >= MAX_DEPTH {
            let span = section.span_of(key);
            section.problem(&span, Code::WrongValue, format!("conditions nest deeper than {MAX_DEPTH}"), "");
            section.ignore(key);
            continue;
        }
        if key == "not" {
            if let Some(mut below) = section.section(key) {
                let inner = entries(&mut below, key, depth + 1);
                finish(below, key);
                table.push(Box::new(Not(inner)));
            }
            continue;
        }
        let Some(list) = section.sections(key) else { continue };
        let tables: Vec<Table> = list
            .into_iter()
            .map(|mut below| {
                let inner = entries(&mut below, key, depth + 1);
                finish(below, key);
                inner
            })
            .collect();
        table.push(if key == "any" { Box::new(Any(tables)) } else { Box::new(All(tables)) });
    }
    table
}

/// True when a table of conditions can hold for inbound mail only: `direction = "inbound"` stands in it or in an `all` of
/// it, or a condition that asks what was found when the message came in. Takes nothing away and reports nothing.
pub(super) fn inbound_only(section: &Section<'_>) -> bool {
    section.peek("direction") == Some("inbound")
        || ["authentication", "verdict"].iter().any(|key| section.holds(key) != Holds::Nothing)
        || section.peek_tables("all").iter().any(inbound_only)
}
