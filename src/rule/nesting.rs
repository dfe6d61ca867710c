//! `any`, `all` and `not`: conditions made of conditions.
//!
//! A table of conditions holds when all of its entries hold.

use super::problem::Code;
use super::section::{Holds, Section};
use super::{Condition, Scene, conditions};

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

/// True when every entry of a table holds.
pub(super) fn table_holds(table: &[Box<dyn Condition>], scene: &Scene<'_, '_>) -> bool {
    table.iter().all(|condition| condition.holds(scene))
}

impl Condition for Any {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.0.iter().any(|table| table_holds(table, scene))
    }
    fn key(&self) -> &'static str {
        "any"
    }
}

impl Condition for All {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.0.iter().all(|table| table_holds(table, scene))
    }
    fn key(&self) -> &'static str {
        "all"
    }
}

impl Condition for Not {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        !table_holds(&self.0, scene)
    }
    fn key(&self) -> &'static str {
        "not"
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
    section.finish(of, &known);
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
