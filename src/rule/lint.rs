//! What of a rule set works and can hardly be meant: rules that never act or never run, more answers than the flow takes.
//!
//! It looks at rules as they are written, when all of them could be read. Invariant: what is reported never happens whatever
//! the message, so that a warning is worth reading; nothing is reported that depends on a message.

use toml::Spanned;
use toml::de::DeTable;

use super::problem::{Code, Problem, Severity};
use super::section::{Holds, Reading, Section, Span, shown};
use crate::envelope::Direction;
use crate::flow::workmail::MAX_ACTIONS;

/// A rule as it is written.
struct Written<'p> {
    name: &'p str,
    section: Section<'p>,
    when: Vec<Section<'p>>,
    unless: Vec<Section<'p>>,
    actions: Vec<Section<'p>>,
    /// It is in force, neither off nor in audit.
    enforced: bool,
}

/// Report what can hardly be meant. `files` are the rule files, in order.
pub(super) fn check<'p>(reading: &'p Reading, files: impl Iterator<Item = (usize, &'p Spanned<DeTable<'p>>)>) {
    let rules: Vec<Written<'p>> = files
        .flat_map(|(file, table)| reading.section(file, table).peek_tables("rule"))
        .filter(|rule| rule.peek("mode") != Some("off"))
        .map(|rule| Written {
            name: rule.peek("name").unwrap_or_default(),
            when: rule.peek_tables("when"),
            unless: rule.peek_tables("unless"),
            actions: rule.peek_tables("action"),
            enforced: rule.peek("mode") != Some("audit"),
            section: rule,
        })
        .collect();
    let report = |code, span: Span, what: String, help: &str| {
        let (severity, help) = (Severity::Warning, help.to_owned());
        reading.report(Problem { code, severity, what, span: Some(span), help });
    };
    for rule in &rules {
        for (span, why) in rule.never() {
            report(Code::NeverActs, span, format!("the rule `{}` never acts: {why}", shown(rule.name)), "");
        }
        if let Some(after) = rule.after_stop() {
            let what =
                format!("`{}` stands behind `stop`, and is done all the same", after.peek("kind").unwrap_or_default());
            report(Code::NeverActs, after.span_of("kind"), what, "`stop` is about later rules: put it last");
        }
    }
    let adds = rules.iter().any(|rule| rule.does("add_recipients"));
    for (at, rule) in rules.iter().enumerate() {
        let earlier = || rules.iter().take(at).filter(|earlier| earlier.enforced && earlier.covers(rule));
        let span = rule.section.span_of("name");
        if let Some(stop) = earlier().find(|earlier| earlier.does("stop")) {
            let what = format!(
                "`{}` never runs: `{}` stops every message that it is about",
                shown(rule.name),
                shown(stop.name)
            );
            report(Code::NeverActs, span, what, "put it into a file whose name sorts first, or narrow the other");
        } else if let Some(drop) = earlier().find(|earlier| earlier.does("drop") && !adds) {
            let (name, drop) = (shown(rule.name), shown(drop.name));
            let what = format!("nobody sees what `{name}` does: `{drop}` drops every message that it is about");
            report(Code::NeverActs, span, what, "take one of them out, or narrow the other");
        }
    }
    if let Some((span, count)) = many_answers(&rules) {
        let what = format!("one message may get {count} different answers; WorkMail takes {MAX_ACTIONS}");
        let help = "of more, the bounces with the fewest recipients become one that holds all their texts: let rules share a text";
        report(Code::ManyAnswers, span, what, help);
    }
}

impl<'p> Written<'p> {
    /// Why its conditions cannot hold, and where that stands.
    fn never(&self) -> Vec<(Span, String)> {
        let Some(when) = self.when.first() else { return Vec::new() };
        let mut found = Vec::new();
        if let [Some(inbound), Some(_)] = ways(when) {
            found.push((inbound, "no message is inbound and outbound".to_owned()));
        }
        for recipients in when.peek_tables("recipients") {
            let all = recipients.peek("all");
            let opposite = match all {
                Some("internal") => Some("external"),
                Some("external") => Some("internal"),
                _ => None,
            };
            let other = ["any", "each"].into_iter().find(|key| opposite.is_some() && recipients.peek(key) == opposite);
            if let (Some(all), Some(key)) = (all, other) {
                let why = format!("where all recipients are {all}, none is {}", opposite.unwrap_or_default());
                found.push((recipients.span_of(key), why));
            }
        }
        for not in when.peek_tables("not") {
            if !not.keys().is_empty() && not.is_within(when) {
                found.push((when.span_of("not"), "`not` holds what `when` demands".to_owned()));
            }
        }
        for unless in &self.unless {
            if !unless.keys().is_empty() && unless.is_within(when) {
                found.push((unless.span(), "the exception holds wherever `when` does".to_owned()));
            }
        }
        found
    }

    fn does(&self, kind: &str) -> bool {
        self.actions.iter().any(|action| action.peek("kind") == Some(kind))
    }

    fn after_stop(&self) -> Option<&Section<'p>> {
        let stop = self.actions.iter().position(|action| action.peek("kind") == Some("stop"))?;
        self.actions.get(stop + 1)
    }

    /// True when it acts on every message that the other one is about.
    fn covers(&self, other: &Self) -> bool {
        let within = |when: &Section<'_>| other.when.first().is_some_and(|others| when.is_within(others));
        // What it does to a body may be left out, and the rest of the rule with it.
        let flow_alone = self.actions.iter().all(|action| matches!(action.peek("kind"), Some("stop" | "drop")));
        self.unless.is_empty()
            && self.section.holds("active") == Holds::Nothing
            && flow_alone
            && self.when.first().is_none_or(within)
    }
}

/// Where a table demands that a message is inbound, and that it is outbound.
fn ways(when: &Section<'_>) -> [Option<Span>; 2] {
    let mut found = [None, None];
    let mut tables = vec![when.clone()];
    // As deep as conditions nest.
    while let Some(table) = tables.pop() {
        let [inbound, outbound] = &mut found;
        match table.peek("direction") {
            Some("inbound") => *inbound = Some(table.span_of("direction")),
            Some("outbound") => *outbound = Some(table.span_of("direction")),
            _ => {}
        }
        for key in ["authentication", "verdict"] {
            if table.holds(key) != Holds::Nothing {
                *inbound = Some(table.span_of(key));
            }
        }
        tables.extend(table.peek_tables("all"));
    }
    found
}

/// Where the bounce stands with which one message may get more different answers than the flow takes, and how many.
fn many_answers(rules: &[Written<'_>]) -> Option<(Span, usize)> {
    for way in [Direction::Inbound, Direction::Outbound] {
        let mut texts: Vec<&str> = Vec::new();
        let mut kinds: Vec<&str> = Vec::new();
        let mut last = None;
        for rule in rules.iter().filter(|rule| rule.enforced && rule.may_go(way)) {
            // What is for all recipients alike is one answer, whatever it is.
            if !rule.when.iter().chain(&rule.unless).any(asks_each) {
                continue;
            }
            for action in &rule.actions {
                match (action.peek("kind"), action.peek("message")) {
                    (Some("bounce"), Some(text)) if !texts.contains(&text) => {
                        texts.push(text);
                        last = Some(action.span_of("kind"));
                    }
                    (Some(kind @ ("drop" | "junk" | "bypass_spam_check")), _) if !kinds.contains(&kind) => {
                        kinds.push(kind);
                    }
                    _ => {}
                }
            }
        }
        // For the others there is one more.
        let count = texts.len() + kinds.len() + 1;
        if let Some(span) = last.filter(|_| count > MAX_ACTIONS) {
            return Some((span, count));
        }
    }
    None
}

impl Written<'_> {
    fn may_go(&self, way: Direction) -> bool {
        self.when.first().and_then(|when| when.peek("direction")).is_none_or(|direction| direction == way.as_str())
    }
}

/// Does `each` of `recipients` stand in a table of conditions, or below it?
fn asks_each(table: &Section<'_>) -> bool {
    table.peek_tables("recipients").iter().any(|recipients| recipients.holds("each") != Holds::Nothing)
        || ["any", "all", "not"].iter().any(|key| table.peek_tables(key).iter().any(asks_each))
}
