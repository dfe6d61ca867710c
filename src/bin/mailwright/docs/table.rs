//! Options as tables of Markdown, those of tables in tables below them.

use std::fmt::Write as _;

use mailwright::rule::{OptionDoc, Takes};

/// The options of `of`, and below them those of the tables that they take.
pub fn options(of: &str, list: &[OptionDoc]) -> String {
    let mut out = String::new();
    let keys = |list: &[OptionDoc]| list.iter().map(|option| option.key).collect::<Vec<_>>();
    let mut tables = vec![(of.to_owned(), list.to_vec())];
    let mut nth = 0;
    while let Some((_, list)) = tables.get(nth).cloned() {
        for option in &list {
            below(&option.takes, option.key, &mut tables);
        }
        nth += 1;
    }
    let mut told: Vec<Vec<&str>> = Vec::new();
    for (name, list) in &tables {
        // A table that stands in several places is told once.
        if told.contains(&keys(list)) {
            continue;
        }
        told.push(keys(list));
        if name != of {
            let mut names: Vec<String> = Vec::new();
            for (name, _) in tables.iter().filter(|(_, other)| keys(other) == keys(list)) {
                let name = format!("`{name}`");
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            let _ = writeln!(out, "\n### {}\n", names.join(", "));
        }
        out.push_str("| key | takes | without it | what it is for |\n|---|---|---|---|\n");
        for option in list {
            let without = if option.default.is_empty() { "**required**".to_owned() } else { value(option.default) };
            let takes = takes(&option.takes);
            let _ = writeln!(out, "| `{}` | {takes} | {without} | {} |", option.key, cell(option.doc));
        }
    }
    out
}

/// The tables that a key takes.
pub fn below(takes: &Takes, key: &str, tables: &mut Vec<(String, Vec<OptionDoc>)>) {
    match takes {
        Takes::Table(options) | Takes::Tables(options) => tables.push((key.to_owned(), options.to_vec())),
        Takes::Attributes(value) => below(value, "attribute.department", tables),
        Takes::Either(list) => list.iter().for_each(|one| below(one, key, tables)),
        _ => {}
    }
}

/// What a key takes: what is to be typed as code, what says what it is as words.
pub fn takes(takes: &Takes) -> String {
    let words = |words: &[&str]| words.iter().map(|word| code(&format!("\"{word}\""))).collect::<Vec<_>>().join(", ");
    match takes {
        Takes::Text(what) => cell(what),
        Takes::Array(what) => format!("array of {}", cell(what)),
        Takes::Texts(what) => format!("{}, or several", cell(what)),
        Takes::TextsOrNone(what) => format!("{}, or several, or `[]`", cell(what)),
        Takes::Word(list) => words(list),
        Takes::Words(list) => format!("one or several of {}", words(list)),
        Takes::WordsOr(list, what) => format!("{}, or {}; one or several", words(list), cell(what)),
        Takes::Boolean => "`true`, `false`".to_owned(),
        Takes::True => "`true`".to_owned(),
        Takes::Template => "template, or `{ file = \"…\" }`".to_owned(),
        Takes::Table(options) => code(&named(options)),
        Takes::Tables(options) => format!("{}, or an array of them", code(&named(options))),
        Takes::Entries(key, value) => format!("table: {key} = {}", self::takes(value)),
        Takes::Attributes(value) => format!("table: attribute = {}", self::takes(value)),
        Takes::Conditions { several: false } => "table of conditions".to_owned(),
        Takes::Conditions { several: true } => "table of conditions, or an array of them".to_owned(),
        Takes::Actions => "table with the `kind` of an action, or an array of them".to_owned(),
        Takes::Either(list) => list.iter().map(self::takes).collect::<Vec<_>>().join("; or "),
        Takes::Detectors | Takes::Number(..) | Takes::Size | Takes::Date | Takes::Time | Takes::File => {
            cell(&takes.to_string())
        }
    }
}

fn named(options: &[OptionDoc]) -> String {
    format!("{{ {} }}", options.iter().map(|option| option.key).collect::<Vec<_>>().join(", "))
}

/// A default: a value, or words.
fn value(default: &str) -> String {
    let is_value = default.starts_with(['"', '[', '{']) && !default.contains(", with")
        || matches!(default, "true" | "false")
        || default.parse::<u32>().is_ok();
    if is_value { code(default) } else { cell(default) }
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// Text for a cell: a bar would end it, and a star outside of code would be emphasis.
pub fn cell(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(nth, piece)| if nth % 2 == 0 { piece.replace('*', "\\*") } else { piece.to_owned() });
    pieces.collect::<Vec<_>>().join("`").replace('|', "\\|").replace('\n', " ")
}
