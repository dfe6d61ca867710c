//! What is shown of a run: lines for people, or JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::compare::Kind;
use super::sums::{Example, RuleSums, Sums};
use super::{Options, Took};
use crate::check::count;
use crate::terminal::{self, BAD, Colour, FAINT, GOOD, NAME, ODD, escape};

/// One line for people.
pub fn summary(sums: &Sums) -> String {
    let same = sums.messages - sums.differing - sums.unread.count;
    format!("{}: {}, {same} the same", count(sums.messages, "message"), differ(sums))
}

fn differ(sums: &Sums) -> String {
    match sums.differing {
        0 => "none differs".to_owned(),
        1 => "1 differs".to_owned(),
        n => format!("{n} differ"),
    }
}

/// Lines for people.
pub fn text(sums: &Sums, colour: Colour, took: Took) -> String {
    let mut out = String::new();
    let same = sums.messages - sums.differing - sums.unread.count;
    let differs = if sums.differing > 0 { ODD } else { GOOD };
    let messages = count(sums.messages, "message");
    let _ = write!(out, "{}: {}, {same} the same", colour.paint(NAME, &messages), colour.paint(differs, &differ(sums)));
    if sums.unread.count > 0 {
        let unread = format!("{} could not be compared", sums.unread.count);
        let _ = write!(out, ", {}", colour.paint(BAD, &unread));
    }
    let _ = writeln!(out, "\n  {:<24} {}", "rewritten", step(Some(sums.rewritten[0]), Some(sums.rewritten[1])));
    if sums.failed != [0, 0] {
        let _ = writeln!(out, "  {:<24} {}", "failed", step(Some(sums.failed[0]), Some(sums.failed[1])));
    }
    for rule in &sums.rules {
        rule_line(rule, colour, &mut out);
    }
    for group in &sums.groups {
        let (style, title) = (style(group.kind), title(group.kind, &group.of));
        let _ = writeln!(out, "\n{}: {}", colour.paint(style, &title), group.count);
        examples(&group.examples, group.count, colour, &mut out);
    }
    if sums.unread.count > 0 {
        let _ = writeln!(out, "\n{}: {}", colour.paint(BAD, "could not be compared"), sums.unread.count);
        examples(&sums.unread.examples, sums.unread.count, colour, &mut out);
    }
    let done = sums.messages - took.earlier;
    let earlier = if took.earlier > 0 { format!(", after {} of an earlier run", took.earlier) } else { String::new() };
    let line = format!(
        "{} in {:.1} s on {}: {:.0} messages/s{earlier}",
        count(done, "message"),
        took.elapsed.as_secs_f64(),
        count(took.workers, "core"),
        speed(done, took)
    );
    let _ = writeln!(out, "\n{}", colour.paint(FAINT, &line));
    out
}

fn speed(messages: usize, took: Took) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count for people")]
    let messages = messages as f64;
    messages / took.elapsed.as_secs_f64().max(1e-9)
}

/// `5 → 3`, or `5` where both are the same.
fn step(old: Option<usize>, new: Option<usize>) -> String {
    let word = |n: Option<usize>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    if old == new { word(new) } else { format!("{} → {}", word(old), word(new)) }
}

fn rule_line(rule: &RuleSums, colour: Colour, out: &mut String) {
    let at = |sums: Option<[usize; 3]>, index: usize| sums.and_then(|sums| sums.get(index).copied());
    let mut line = format!("  {:<24} matched {}", escape(&rule.name), step(at(rule.old, 0), at(rule.new, 0)));
    for (index, word) in [(1, "skipped"), (2, "failed")] {
        let (old, new) = (at(rule.old, index), at(rule.new, index));
        if old.unwrap_or(0) + new.unwrap_or(0) > 0 {
            let _ = write!(line, ", {word} {}", step(old, new));
        }
    }
    match (rule.old, rule.new) {
        (None, _) => line.push_str("  only in B"),
        (_, None) => line.push_str("  only in A"),
        _ => {}
    }
    let changed = rule.old != rule.new;
    let _ = writeln!(out, "{}", if changed { colour.paint(ODD, &line) } else { line.as_str().into() });
}

fn style(kind: Kind) -> anstyle::Style {
    match kind {
        Kind::NewlyFailed | Kind::RuleNewlyFailed => BAD,
        Kind::NoLongerFailed => GOOD,
        Kind::NewlyMatched | Kind::NoLongerMatched => NAME,
        Kind::Answer
        | Kind::NewlyRewritten
        | Kind::NoLongerRewritten
        | Kind::RewrittenOtherwise
        | Kind::NewlySkipped => ODD,
    }
}

/// A difference in words; `of` is what it is of.
pub fn title(kind: Kind, of: &str) -> String {
    let of = escape(of);
    match kind {
        Kind::Answer => of.replace('_', " "),
        Kind::NewlyFailed => "newly failed".to_owned(),
        Kind::NoLongerFailed => "no longer failed".to_owned(),
        Kind::NewlyRewritten => "rewritten under B only".to_owned(),
        Kind::NoLongerRewritten => "rewritten under A only".to_owned(),
        Kind::RewrittenOtherwise => "rewritten otherwise".to_owned(),
        Kind::NewlyMatched => format!("{of} newly matched"),
        Kind::NoLongerMatched => format!("{of} no longer matched"),
        Kind::NewlySkipped => format!("{of} newly skipped"),
        Kind::RuleNewlyFailed => format!("{of} newly failed"),
    }
}

fn examples(examples: &[Example], all: usize, colour: Colour, out: &mut String) {
    for example in examples {
        let _ = writeln!(out, "    {}", example.path);
        for line in example.what.lines() {
            let style = match line.as_bytes() {
                [b'+', ..] => GOOD,
                [b'-', ..] => BAD,
                _ => FAINT,
            };
            let _ = writeln!(out, "        {}", colour.paint(style, line));
        }
    }
    if let (more @ 1.., false) = (all - examples.len(), examples.is_empty()) {
        let _ = writeln!(out, "    {}", colour.paint(FAINT, &format!("and {more} more")));
    }
}

/// One object for programs.
pub fn json(sums: &Sums, options: &Options, took: Took) -> String {
    let did = |sums: Option<[usize; 3]>| {
        sums.map(|[matched, skipped, failed]| json!({ "matched": matched, "skipped": skipped, "failed": failed }))
    };
    let rules: Vec<Value> =
        sums.rules.iter().map(|rule| json!({ "name": rule.name, "a": did(rule.old), "b": did(rule.new) })).collect();
    let pair = |[a, b]: [usize; 2]| json!({ "a": a, "b": b });
    let done = sums.messages - took.earlier;
    let object = json!({
        "a": terminal::path(&options.old),
        "b": terminal::path(&options.new),
        "messages": sums.messages,
        "differing": sums.differing,
        "same": sums.messages - sums.differing - sums.unread.count,
        "not_compared": sums.unread,
        "octets": sums.octets,
        "rewritten": pair(sums.rewritten),
        "failed": pair(sums.failed),
        "rules": rules,
        "changes": sums.groups,
        "run": {
            "messages": done,
            "seconds": took.elapsed.as_secs_f64(),
            "cores": took.workers,
            "messages_per_second": speed(done, took).round(),
        },
    });
    format!("{object}\n")
}
