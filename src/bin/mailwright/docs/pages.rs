//! The pages of the reference, by their paths.

use std::fmt::Write as _;

use mailwright::envelope::Direction;
use mailwright::rule::{ActionKind, ConditionKind, actions, conditions, tables, template};

use super::example::Example;
use super::table::{below, cell, options, takes};
use super::{action_examples, condition_examples, problems};

/// What stands on top of each page: nobody is to edit it.
const MADE: &str = "<!-- Made by `mailwright docs`; change the code, not this file. -->\n\n";

/// All pages: `(path, text)`.
pub fn all() -> Result<Vec<(String, String)>, String> {
    let mut pages = vec![
        ("README.md".to_owned(), index()),
        ("rule-files.md".to_owned(), rule_files()),
        ("problems.md".to_owned(), problems::page()),
    ];
    for kind in conditions::KINDS {
        pages.push((format!("conditions/{}.md", kind.key), condition(kind)?));
    }
    for kind in actions::KINDS {
        pages.push((format!("actions/{}.md", kind.kind), action(kind)?));
    }
    Ok(pages.into_iter().map(|(path, text)| (path, format!("{MADE}{text}"))).collect())
}

/// The first sentence.
fn first(doc: &str) -> &str {
    let end = doc.match_indices(". ").map(|(at, _)| at).find(|at| doc.get(at + 2..).is_some_and(begins_a_sentence));
    end.map_or(doc, |end| doc.get(..=end).unwrap_or(doc))
}

fn begins_a_sentence(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_uppercase() || c == '`')
}

fn directions(kind: &ActionKind) -> &'static str {
    match (kind.directions.contains(&Direction::Inbound), kind.directions.contains(&Direction::Outbound)) {
        (true, true) => "both",
        (true, false) => "inbound",
        _ => "outbound",
    }
}

fn index() -> String {
    let mut out = String::from(
        "# Reference of rule files\n\nA rule set is a folder: rule files (`*.toml`) in the order of their names, \
         `organization.toml`, and the templates and lists that they name. [Rule files](rule-files.md) says which tables there \
         are; [problems](problems.md) what `mailwright check` finds. [The cookbook](../cookbook/README.md) has whole rules for \
         tasks.\n\nEditors complete and check rule files by their schema, [rules.schema.json](../rules.schema.json), which the \
         first line of a file names: `#:schema ../docs/rules.schema.json`.\n\n## Conditions\n\nThey stand in `when`, where all \
         must hold, and in `unless`. `any = [{ … }, { … }]` holds where one of its tables does, `all = [{ … }]` where each \
         does, `not = { … }` where its table does not; they nest up to eight deep.\n\n| condition | what it tests \
         |\n|---|---|\n",
    );
    for kind in conditions::KINDS {
        let _ = writeln!(out, "| [`{0}`](conditions/{0}.md) | {1} |", kind.key, cell(first(kind.doc)));
    }
    out.push_str("\n## Actions\n\n| action | what it does | direction |\n|---|---|---|\n");
    for kind in actions::KINDS {
        let _ = writeln!(
            out,
            "| [`{0}`](actions/{0}.md) | {1} | {2} |",
            kind.kind,
            cell(first(kind.doc)),
            directions(kind)
        );
    }
    out.push_str(
        "\n## Variables of templates\n\nTexts of blocks and notices and the values of header fields may hold these. \
         [Templates](../templates.md) tells how they are escaped, and what else a template can do.\n\n| variable | what it \
         holds |\n|---|---|\n",
    );
    for variable in template::VARIABLES {
        let _ = writeln!(out, "| `{{{{ {} }}}}` | {} |", variable.name, cell(variable.doc));
    }
    for variable in template::STORED {
        let doc = cell(variable.doc);
        let _ = writeln!(out, "| `{{{{ {} }}}}` | Of an attachment, in the notice about it: {doc} |", variable.name);
    }
    out
}

fn rule_files() -> String {
    let mut out = String::from(
        "# Rule files\n\nEach key of each table. Where a string is taken, `\"$name\"` stands for a constant; where several are, \
         `{ file = \"lists/partners.txt\" }` stands for the lines of a file. Which keys `when`, `unless` and `action` take, \
         [the lists of conditions and actions](README.md) say.\n\n## The file\n\n",
    );
    out.push_str(&rows(tables::FILE));
    for (title, table) in [("rule", tables::RULE), ("test", tables::TEST), ("detector", tables::DETECTOR)] {
        let _ = write!(out, "\n## `[[{title}]]`\n\n{}", options(title, table));
    }
    let _ = write!(out, "\n## organization.toml\n\n{}", options("organization.toml", tables::ORGANIZATION));
    out
}

/// A table without those below it.
fn rows(list: &[mailwright::rule::OptionDoc]) -> String {
    let mut out = String::from("| table | what it is for |\n|---|---|\n");
    for option in list {
        let _ = writeln!(out, "| `{}` | {} |", option.key, cell(option.doc));
    }
    out
}

fn example<'e>(list: &'e [Example], of: &str) -> Result<&'e Example, String> {
    list.iter()
        .find(|example| example.of == of)
        .ok_or_else(|| format!("`{of}` has no example; this is a bug in mailwright"))
}

fn condition(kind: &ConditionKind) -> Result<String, String> {
    let mut out = format!("# Condition `{}`\n\n{}\n\nIt takes: {}\n", kind.key, kind.doc, takes(&kind.takes));
    let mut tables = Vec::new();
    below(&kind.takes, kind.key, &mut tables);
    if let Some((name, list)) = tables.first() {
        let _ = write!(out, "\n## Options\n\n{}", options(name, list));
    }
    let example = example(condition_examples::ALL, kind.key)?;
    let rule = format!(
        "[[rule]]\nname = \"example\"\n\n[rule.when]\n{}\n\n[[rule.action]]\nkind = \"tag_subject\"\ntag = \"[seen]\"\n",
        kind.example.trim_end()
    );
    let _ = write!(out, "\n## Example\n\n{}", example.told(&rule)?);
    Ok(out)
}

fn action(kind: &ActionKind) -> Result<String, String> {
    let mut out = format!("# Action `{}`\n\n{}\n", kind.kind, kind.doc);
    out.push_str(match directions(kind) {
        "inbound" => "\nFor inbound mail only: the rule needs `direction = \"inbound\"` in its `when`.\n",
        "outbound" => "\nFor outbound mail only.\n",
        _ => "\nFor mail in both directions.\n",
    });
    let _ = match kind.options {
        [] => write!(out, "\nIt has no options.\n"),
        list => write!(out, "\n## Options\n\n{}", options(kind.kind, list)),
    };
    let example = example(action_examples::ALL, kind.kind)?;
    let inbound = if directions(kind) == "inbound" { "when = { direction = \"inbound\" }\n" } else { "" };
    let rule = format!(
        "[[rule]]\nname = \"example\"\n{inbound}{}\n[[rule.action]]\n{}\n{}",
        example.rule,
        kind.example.trim_end(),
        example.behind
    );
    let _ = write!(out, "\n## Example\n\n{}", example.told(&rule)?);
    Ok(out)
}
