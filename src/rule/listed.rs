//! Lists of values in conditions, and each without one of them, to see whether a test notices.
//!
//! Lists that stand in files of their own are data, and no part of a rule: they are not looked at.
//!
//! Invariant: a list without a value is written as its author would write it; only its own text is another.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nesting::MAX_DEPTH;
use super::problem::SourceFile;
use super::section::Span;

/// Deepest table that is looked into: conditions in each other, and the options of one.
const DEEPEST: usize = 2 * MAX_DEPTH + 4;

/// A list of two or more values in the conditions of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The rule.
    pub rule: String,
    /// The keys that lead to it, without those that only nest conditions: `sender` or `header.is`.
    pub key: String,
    /// True in `unless`.
    pub exception: bool,
    /// Where it stands.
    pub span: Span,
    /// Its values, as they are written.
    pub values: Vec<String>,
}

impl Listed {
    /// Its text without the value of this index.
    pub fn without(&self, index: usize) -> String {
        let left = self.values.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, value)| value.as_str());
        format!("[{}]", left.collect::<Vec<_>>().join(", "))
    }
}

/// All of them, in the order in which they are written.
pub(crate) fn find(sources: &[SourceFile]) -> Vec<Listed> {
    let mut found = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        let (table, _) = DeTable::parse_recoverable(&source.text);
        let Some(DeValue::Array(rules)) = table.get_ref().get("rule").map(Spanned::get_ref) else { continue };
        for rule in rules {
            let DeValue::Table(rule) = rule.get_ref() else { continue };
            let Some(DeValue::String(name)) = rule.get("name").map(Spanned::get_ref) else { continue };
            for (part, exception) in [("when", false), ("unless", true)] {
                let Some(value) = rule.get(part) else { continue };
                let mut search = Search { file, source, rule: name, exception, found: &mut found };
                search.value(value, &mut Vec::new(), 0);
            }
        }
    }
    found.sort_by_key(|listed| (listed.span.file, listed.span.range.start));
    found
}

struct Search<'s> {
    file: usize,
    source: &'s SourceFile,
    rule: &'s str,
    exception: bool,
    found: &'s mut Vec<Listed>,
}

impl Search<'_> {
    fn value<'v>(&mut self, value: &'v Spanned<DeValue<'_>>, keys: &mut Vec<&'v str>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, value) in table {
                    let nests = matches!(key.get_ref().as_ref(), "any" | "all" | "not");
                    // `recipients = { any = "external" }` says for whom; a table of conditions has tables in its `any`.
                    let is_condition = nests && holds_tables(value.get_ref());
                    if !is_condition {
                        keys.push(key.get_ref());
                    }
                    self.value(value, keys, depth + 1);
                    if !is_condition {
                        keys.pop();
                    }
                }
            }
            DeValue::Array(list) if holds_tables(value.get_ref()) => {
                for value in list {
                    self.value(value, keys, depth + 1);
                }
            }
            DeValue::Array(list) if list.len() > 1 => {
                let text = |range: Range<usize>| self.source.text.get(range).map(str::to_owned);
                let values: Option<Vec<String>> = list.iter().map(|value| text(value.span())).collect();
                let Some(values) = values else { return };
                let span = Span { file: self.file, range: value.span() };
                let (rule, key) = (self.rule.to_owned(), keys.join("."));
                self.found.push(Listed { rule, key, exception: self.exception, span, values });
            }
            _ => {}
        }
    }
}

fn holds_tables(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(list) => list.iter().any(|value| matches!(value.get_ref(), DeValue::Table(_))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
[[rule]]
name = "r"
when = { direction = "outbound", recipients = { any = ["a.example", "b.example"] }, any = [
    { subject = { words = ["one", 'two'] } },
    { not = { sender = ["x@example.com", # the first
        "y@example.com"], size = { over = 1 } } },
] }
unless = [{ header = { name = "X", is = ["a", "b"] } }, { subject = ["single"] }]
action = { kind = "tag_subject", tag = "[S]" }

[[rule]]
name = "other"
action = { kind = "remove_header", name = ["A", "B"] }
"#;

    #[test]
    fn lists_of_conditions_are_found_with_their_values() {
        let source = SourceFile { path: "r.toml".to_owned(), text: RULES.to_owned() };
        let found = find(&[source]);
        let told: Vec<String> = found
            .iter()
            .map(|one| format!("{}{} {}", one.key, if one.exception { "!" } else { "" }, one.values.join(" ")))
            .collect();
        assert_eq!(
            told,
            [
                r#"recipients.any "a.example" "b.example""#,
                r#"subject.words "one" 'two'"#,
                r#"sender "x@example.com" "y@example.com""#,
                r#"header.is! "a" "b""#,
            ]
        );
        assert_eq!(found[1].without(0), "['two']");
        assert_eq!(&RULES[found[3].span.range.clone()], r#"["a", "b"]"#);
    }
}
