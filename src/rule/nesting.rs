//! `any`, `all` and `not`: conditions made of conditions.
//!
//! A table of conditions holds when all of its entries hold.

use super::entry::{Entry, Says, Table};
use super::problem::Code;
use super::section::{Holds, Section};
use super::{conditions, elsewhere};

/// Depth of `any`, `all` and `not` in each other.
pub const MAX_DEPTH: usize = 8;

/// How a condition is written.
fn example(key: &str) -> Option<&'static str> {
    match key {
        "any" => Some("any = [{ subject = \"invoice\" }, { sender = \"example.net\" }]"),
        "all" => Some("all = [{ subject = \"invoice\" }, { subject = \"paid\" }]"),
        "not" => Some("not = { sender = \"internal\" }"),
        key => conditions::KINDS.iter().find(|kind| kind.key == key).map(|kind| kind.example),
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
    let whole = section.span();
    section.show_examples(example);
    let mut table = Vec::new();
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
            let span = Some(section.span_of(kind.key));
            section.show_options(kind.takes.options());
            let condition = (kind.compile)(section, kind.key);
            table.extend(condition.map(|condition| Entry { says: Says::Condition(condition), span }));
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
        let span = Some(section.span_of(key));
        if key == "not" {
            if let Some(mut below) = section.section(key) {
                let inner = entries(&mut below, key, depth + 1);
                finish(below, key);
                table.push(Entry { says: Says::Not(inner), span });
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
        let says = if key == "any" { Says::Any(tables) } else { Says::All(tables) };
        table.push(Entry { says, span });
    }
    Table::new(table, whole)
}

/// True when a table of conditions can hold for inbound mail only: `direction = "inbound"` stands in it or in an `all` of
/// it, or a condition that asks what was found when the message came in. Takes nothing away and reports nothing.
pub(super) fn inbound_only(section: &Section<'_>) -> bool {
    section.peek("direction") == Some("inbound")
        || ["authentication", "verdict"].iter().any(|key| section.holds(key) != Holds::Nothing)
        || section.peek_tables("all").iter().any(inbound_only)
}
