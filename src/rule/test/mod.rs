//! `[[test]]` entries beside the rules: a message, what the flow says about it, and what must come of it.
//!
//! Here they are read and judged; `mailwright test` runs them. Invariant: a test that says nothing about what must come of
//! its message is a problem, so a test that passes has looked at something.

mod answers;
mod directory;
mod expect;
mod message;

use std::collections::HashMap;

use super::problem::Code;
use super::reading::Reading;
use super::section::{At, Holds, Section, Span};
use super::tables;
use super::takes::keys;
use super::toml_value::{nearest_line, shown};
use crate::envelope::{Address, AddressError, Direction, Sender};
use crate::facts::Timestamp;

pub use directory::Otherwise;
pub use expect::{Expect, Miss, Seen};
pub use message::Source;

/// One test.
#[derive(Debug)]
pub struct Test {
    /// Unique in its file.
    pub name: String,
    /// `rules/20-legal.toml:12`.
    pub place: String,
    /// Where the message comes from.
    pub message: Source,
    /// Which way it goes; `None` is by its sender.
    pub direction: Option<Direction>,
    /// Instead of its From field.
    pub from: Option<Sender>,
    /// Instead of its To and Cc fields; empty takes those.
    pub to: Vec<Address>,
    /// What the directory says otherwise than `organization.toml`.
    pub directory: Otherwise,
    /// When it passes; `None` is when the test runs.
    pub at: Option<Timestamp>,
    /// What must come of it.
    pub expect: Expect,
}

/// A test as it was read, with the names of rules that must be there.
pub(super) struct Read {
    pub test: Test,
    pub rules: Vec<At<String>>,
}

/// Read one `[[test]]`. `place` says where a span is.
pub(super) fn read(mut section: Section<'_>, place: &dyn Fn(&Span) -> String) -> Option<Read> {
    for key in ["name", "message", "expect"] {
        if section.holds(key) == Holds::Nothing {
            section.missing(key);
        }
    }
    let span = section.span();
    let name = section.string("name");
    let message = message::read(&mut section);
    let envelope = section.section("envelope").map(envelope);
    let directory = directory::read(&mut section);
    let at = at(&mut section);
    let expect = section.section("expect").map(expect::read);
    section.finish("test", &keys(tables::TEST));
    let name = name.filter(|name| !name.value.trim().is_empty())?;
    let (direction, from, to) = envelope.unwrap_or_default();
    let (expect, rules) = expect?;
    let test =
        Test { name: name.value, place: place(&span), message: message?, direction, from, to, at, directory, expect };
    Some(Read { test, rules })
}

/// A date and time with its offset.
fn at(section: &mut Section<'_>) -> Option<Timestamp> {
    let written = section.date_time("at")?;
    let at = written.value.parse().ok();
    if at.is_none() {
        let help = "write 2026-12-24T10:00:00+01:00, without quotes";
        section.problem(&written.span, Code::WrongValue, "`at` takes a date and a time with its offset", help);
    }
    at
}

fn envelope(mut section: Section<'_>) -> (Option<Direction>, Option<Sender>, Vec<Address>) {
    let words = [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)];
    let direction = section.choice("direction", &words).map(|at| at.value);
    let from = section.string("from").and_then(|at| checked(Sender::read(&at.value), &at, &mut section));
    let to = section.strings("to").unwrap_or_default();
    let to = to.iter().filter_map(|at| checked(Address::new(&at.value), at, &mut section)).collect();
    section.finish("envelope", &keys(tables::ENVELOPE));
    (direction, from, to)
}

fn checked<T>(read: Result<T, AddressError>, at: &At<String>, section: &mut Section<'_>) -> Option<T> {
    if read.is_err() {
        let what = format!("\"{}\" is not an e-mail address", shown(&at.value));
        section.problem(&at.span, Code::WrongValue, what, "");
    }
    read.ok()
}

/// Report names of rules that there are not.
pub(super) fn check_names(reading: &Reading, wanted: &[At<String>], rules: &HashMap<String, Span>) {
    for at in wanted.iter().filter(|at| !rules.contains_key(&at.value)) {
        let what = format!("there is no rule `{}`", shown(&at.value));
        let help = nearest_line(&at.value, rules.keys().map(String::as_str));
        reading.error(Some(at.span.clone()), Code::WrongValue, what, help);
    }
}
