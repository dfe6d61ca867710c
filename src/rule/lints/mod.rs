//! What of a rule set works and can hardly be meant: rules that never act or never run, exceptions and alternatives that
//! never count, fields that are written for nobody, more answers than the flow takes.
//!
//! It looks at rules as they are written, when all of them could be read, and reasons over what their conditions claim
//! ([`claims`], [`proof`]). Invariant: what is reported is so whatever the message, so that a warning is worth reading;
//! what is not sure is not reported.

mod answers;
mod changes;
mod claims;
mod formula;
mod idle;
mod never;
mod proof;
mod shadow;
#[cfg(test)]
mod tests;
mod unanswered;
mod undone;

use std::cell::RefCell;

use toml::Spanned;
use toml::de::DeTable;

use super::problem::{Code, Problem, Severity};
use super::reading::Reading;
use super::section::{Section, Span};
use crate::flow::workmail::MAX_ACTIONS;
use changes::Changes;
use claims::Claim;
use formula::{Is, Node};
use proof::{Clash, Prover, Sign};

/// A rule as it is written.
#[derive(Debug)]
struct Written<'p> {
    name: &'p str,
    section: Section<'p>,
    /// When it acts: `active`, then `when`, then the opposite of each exception.
    formula: Node<'p>,
    /// How many parts of the formula are no exceptions.
    demands: usize,
    actions: Vec<Section<'p>>,
    /// What each of them may change.
    changes: Vec<Changes>,
    /// It is in force, not in audit.
    enforced: bool,
}

/// What the lints have to say, and what they reason with.
struct Lints<'l, 'p> {
    reading: &'l Reading,
    prover: Prover,
    rules: Vec<Written<'p>>,
    /// `rules/20-legal.toml:12`.
    place: &'l dyn Fn(&Span) -> String,
    reported: RefCell<Vec<Span>>,
}

/// Report what can hardly be meant. `files` are the rule files, in order.
pub(super) fn check<'p>(
    reading: &'p Reading,
    files: impl Iterator<Item = (usize, &'p Spanned<DeTable<'p>>)>,
    place: &dyn Fn(&Span) -> String,
) {
    let rules = reading.again(|| {
        files
            .flat_map(|(file, table)| reading.section(file, table).peek_tables("rule"))
            .filter(|rule| rule.peek("mode") != Some("off"))
            .enumerate()
            .map(|(index, rule)| Written::read(rule, index))
            .collect()
    });
    let lints = Lints { reading, prover: Prover::new(), rules, place, reported: RefCell::default() };
    let never: Vec<bool> = lints.rules.iter().map(|rule| lints.never(rule)).collect();
    for (rule, _) in lints.rules.iter().zip(&never).filter(|(_, never)| !**never) {
        lints.idle(rule);
    }
    for rule in &lints.rules {
        if let Some(after) = rule.after_stop() {
            let what =
                format!("`{}` stands behind `stop`, and is done all the same", after.peek("kind").unwrap_or_default());
            lints.report(Code::NeverActs, after.span_of("kind"), what, "`stop` is about later rules: put it last");
        }
        lints.undone_at_once(rule);
    }
    for (rule, _) in lints.rules.iter().zip(&never).filter(|(_, never)| !**never) {
        lints.unanswered(rule);
    }
    let acting = || never.iter().enumerate().filter(|(_, never)| !**never).map(|(at, _)| at);
    acting().for_each(|at| lints.shadowed(at, &never));
    acting().for_each(|at| lints.undone(at));
    if let Some((span, count)) = answers::many(&lints.rules) {
        let what = format!("one message may get {count} different answers; WorkMail takes {MAX_ACTIONS}");
        let help = "of more, the bounces with the fewest recipients become one that holds all their texts: let rules share a text";
        lints.report(Code::ManyAnswers, span, what, help);
    }
}

impl<'p> Written<'p> {
    fn read(section: Section<'p>, index: usize) -> Self {
        let mut parts: Vec<Node<'p>> = Claim::active(&section, index).map(Node::of).into_iter().collect();
        parts.extend(section.peek_tables("when").iter().map(|table| Node::read(table, index)));
        let demands = parts.len();
        parts.extend(section.peek_tables("unless").iter().map(|table| {
            let exception = Node::read(table, index);
            let span = exception.span.clone();
            exception.negated(span)
        }));
        Self {
            name: section.peek("name").unwrap_or_default(),
            formula: Node { span: section.span_of("when"), is: Is::All(parts) },
            demands,
            changes: section.peek_tables("action").iter().map(Changes::of).collect(),
            actions: section.peek_tables("action"),
            enforced: section.peek("mode") != Some("audit"),
            section,
        }
    }

    fn does(&self, kind: &str) -> bool {
        self.actions.iter().any(|action| action.peek("kind") == Some(kind))
    }

    /// True when it does nothing but these.
    fn only_does(&self, kinds: &[&str]) -> bool {
        self.actions.iter().all(|action| action.peek("kind").is_some_and(|kind| kinds.contains(&kind)))
    }

    fn after_stop(&self) -> Option<&Section<'p>> {
        let stop = self.actions.iter().position(|action| action.peek("kind") == Some("stop"))?;
        self.actions.get(stop + 1)
    }

    /// The place of its name.
    fn span(&self) -> Span {
        self.section.span_of("name")
    }
}

impl<'p> Lints<'_, 'p> {
    /// Say it, once for a place.
    fn report(&self, code: Code, span: Span, what: String, help: &str) {
        if self.reported.borrow().contains(&span) {
            return;
        }
        self.reported.borrow_mut().push(span.clone());
        let (severity, help) = (Severity::Warning, help.to_owned());
        self.reading.report(Problem { code, severity, what, span: Some(span), help });
    }

    /// Why parts of one rule cannot be so at once.
    fn clashes<'n>(&self, parts: &[(Sign, &'n Node<'p>)]) -> Option<Vec<Clash<'n, 'p>>> {
        self.prover.clashes(parts, &|_, _| true)
    }
}
