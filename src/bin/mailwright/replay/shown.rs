//! What is shown of a message: lines for people, or one line of JSON.
//!
//! Invariant: one message, one JSON line. What comes from rule files and messages is made safe for a terminal.

use std::fmt::Write as _;

use mailwright::envelope::Address;
use mailwright::flow::handler::{Fate, FlowReport, Handled};
use mailwright::pipeline::{RuleReport, Verdict};
use serde_json::{Map, Value, json};

use super::View;
use super::passage::Account;
use crate::terminal::{BAD, Colour, FAINT, GOOD, NAME, ODD, escape};

/// Recipients that are shown with what they are answered.
const MAX_RECIPIENTS_SHOWN: usize = 20;

/// Lines for people.
pub(super) fn text(account: &Account<'_>, view: View) -> String {
    let colour = view.colour;
    let mut out = String::new();
    let path = format!("{:<width$}", account.path, width = view.width);
    out.push_str(&colour.paint(NAME, &path));
    if let Some(event) = account.event {
        let _ = write!(out, "  {:<8}", event.direction.as_str());
    }
    if let Some(handled) = account.handled {
        let (style, fate) = match handled.report.fate {
            Fate::Rewritten => (GOOD, "rewritten"),
            Fate::Unchanged => (FAINT, "unchanged"),
            Fate::Marked => (FAINT, "marked"),
            Fate::Original { .. } => (BAD, "original"),
            Fate::Off => (FAINT, "off"),
            Fate::Observed { .. } => (FAINT, "observed"),
            Fate::Undecodable | Fate::Failed => (BAD, "failed"),
        };
        let _ = write!(out, "  {}", colour.paint(style, fate));
        let edits = edits(handled);
        if edits > 0 {
            let _ = write!(out, ", {}", crate::check::count(edits, "edit"));
        }
        let _ = write!(out, "  {}", answers(handled));
        let time = format!("{:.1} ms", handled.report.times.total_ms);
        let _ = write!(out, "  {}", colour.paint(FAINT, &time));
    } else {
        let _ = write!(out, "  {}", colour.paint(BAD, "failed"));
    }
    out.push('\n');
    out.push_str(&details(account, colour));
    out.push_str(&account.diff);
    out
}

/// What stands below the first line: what failed, who is answered what, what the rules did.
pub fn details(account: &Account<'_>, colour: Colour) -> String {
    let mut out = String::new();
    if let Some(failure) = &account.failure {
        let _ = writeln!(out, "    {}", colour.paint(BAD, &escape(failure)));
    }
    for line in recipient_lines(account) {
        let _ = writeln!(out, "    {}", colour.paint(FAINT, &escape(&line)));
    }
    let stored = account.handled.map_or(0, |handled| handled.report.attachments_stored);
    if stored > 0 {
        let line = format!("{:<18} {}", "stored:", crate::check::count(stored, "attachment"));
        let _ = writeln!(out, "    {}", colour.paint(FAINT, &line));
    }
    for line in account.handled.iter().flat_map(|handled| put_lines(&handled.report)) {
        let _ = writeln!(out, "    {}", colour.paint(ODD, &line));
    }
    let report = account.handled.and_then(|handled| handled.report.rules.as_ref());
    for rule in report.map(|report| report.rules.as_slice()).unwrap_or_default() {
        if let Some((style, line)) = rule_line(rule) {
            let _ = writeln!(out, "    {}", colour.paint(style, &escape(&line)));
        }
    }
    for note in report.map(|report| report.notes.as_slice()).unwrap_or_default() {
        let _ = writeln!(out, "    {}", colour.paint(FAINT, &escape(&format!("note: {note}"))));
    }
    for signature in report.map(|report| report.signatures.as_slice()).unwrap_or_default() {
        let style = if signature.broken { ODD } else { FAINT };
        let _ = writeln!(out, "    {}", colour.paint(style, &escape(&signature.to_string())));
    }
    out
}

/// What a put that was rejected did not meet, and what was repaired then.
pub fn put_lines(report: &FlowReport) -> Vec<String> {
    let times = |count: usize| if count > 1 { format!(" ({count} times)") } else { String::new() };
    let unmet = report.unmet.iter().map(|unmet| {
        let word = if unmet.demand.refuses() { "rejected:" } else { "advised against:" };
        let whose = if unmet.came { "" } else { ", brought in by the rewrite" };
        format!("{word:<18} {}{}{whose}", unmet.words(), times(unmet.count))
    });
    let repaired = report.repaired.iter().map(|m| format!("{:<18} {}{}", "repaired:", m.what.words(), times(m.count)));
    unmet.chain(repaired).collect()
}

/// Only rules that did something, or should have.
fn rule_line(rule: &RuleReport) -> Option<(anstyle::Style, String)> {
    let effects = rule.effects.join("; ");
    let (style, what) = match &rule.verdict {
        Verdict::Matched if rule.edits == 0 => (FAINT, effects),
        Verdict::Matched => (anstyle::Style::new(), effects),
        Verdict::Audited => (ODD, format!("audit only: {effects}")),
        Verdict::Skipped(why) => (ODD, format!("skipped: {why}")),
        Verdict::Failed(why) => (BAD, format!("failed: {why}")),
        Verdict::OutOfTime => (BAD, "not run: out of time".to_owned()),
        Verdict::NotMatched(_) | Verdict::Excepted(_) | Verdict::Off | Verdict::Inactive(_) | Verdict::Stopped => {
            return None;
        }
    };
    Some((style, format!("{:<18} {what}", rule.name)))
}

/// How many edits the rules made.
pub fn edits(handled: &Handled) -> usize {
    handled.report.rules.iter().flat_map(|report| &report.rules).map(|rule| rule.edits).sum()
}

/// What each recipient is answered, where it is not the same for all, and who is added.
fn recipient_lines(account: &Account<'_>) -> Vec<String> {
    let Some(response) = account.handled.and_then(|handled| handled.answer.as_ref().ok()) else { return Vec::new() };
    let mut lines = Vec::new();
    if account.handled.is_some_and(|handled| handled.report.answers.len() > 1) {
        let recipients = account.event.and_then(|event| event.json.pointer("/envelope/recipients")?.as_array());
        let addresses =
            recipients.into_iter().flatten().filter_map(|one| Address::new(one.get("address")?.as_str()?).ok());
        for address in addresses {
            lines.push(format!("{:<18} {}", rule_word(response.word_for(&address)), address.as_str()));
        }
        let more = lines.len().saturating_sub(MAX_RECIPIENTS_SHOWN);
        if more > 0 {
            lines.truncate(MAX_RECIPIENTS_SHOWN);
            lines.push(format!("and {more} more"));
        }
    }
    lines.extend(response.added().map(|address| format!("{:<18} {}", "added", address.as_str())));
    lines
}

/// What is answered, in the words of rule files.
pub fn answer(handled: &Handled) -> &'static str {
    handled.report.answer.map_or("try again", rule_word)
}

/// As [`answer`]; where it is not the same for all recipients, for how many it is which.
pub fn answers(handled: &Handled) -> String {
    let each = &handled.report.answers;
    if each.len() < 2 {
        return answer(handled).to_owned();
    }
    let each: Vec<String> = each.iter().map(|(word, count)| format!("{} for {count}", rule_word(word))).collect();
    each.join(", ")
}

/// The word of rule files for one of WorkMail's.
fn rule_word(answer: &'static str) -> &'static str {
    match answer {
        "DEFAULT" => "deliver",
        "BOUNCE" => "bounce",
        "DROP" => "drop",
        "MOVE_TO_JUNK" => "junk",
        "BYPASS_SPAM_CHECK" => "bypass_spam_check",
        "MIXED" => "mixed",
        other => other,
    }
}

/// One line for programs: the function's own report, with the path and what was written.
pub fn json(account: &Account<'_>) -> String {
    let mut line = Map::new();
    line.insert("path".to_owned(), json!(account.path));
    line.insert("failure".to_owned(), json!(account.failure));
    line.insert("written".to_owned(), json!(account.written));
    if let Some(event) = account.event {
        line.insert("message_id".to_owned(), json!(event.id));
        line.insert("event".to_owned(), event.json.clone());
    }
    if let Some(handled) = account.handled {
        line.insert("response".to_owned(), json!(handled.answer.as_ref().ok()));
        if let Ok(Value::Object(mut report)) = serde_json::to_value(&handled.report) {
            // What conditions looked at is content, and for the page alone.
            let rules = report.get_mut("rules").and_then(|rules| rules.get_mut("rules")).and_then(Value::as_array_mut);
            for rule in rules.into_iter().flatten().filter_map(Value::as_object_mut) {
                rule.remove("checked");
            }
            line.extend(report);
        }
    }
    let mut line = Value::Object(line).to_string();
    line.push('\n');
    line
}
