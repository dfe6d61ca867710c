//! For the tests of conditions: a `when` in TOML, a made-up message, an envelope.

use std::fmt::Write as _;

use crate::directory::{Book, Need, Organization};
use crate::envelope::{Address, Direction, Domain, Envelope};
use crate::facts::{Facts, Timestamp};
use crate::message::{Draft, Message};
use crate::rule::entry::Table;
use crate::rule::section::tests::read;
use crate::rule::truth::Truth;
use crate::rule::truths::table_truths;
use crate::rule::{Condition, Scene};

use super::KINDS;

/// Outbound from ann@example.com to `to`; `example.com` and `bücher.example` are internal.
pub fn envelope(to: &[&str]) -> Envelope {
    Envelope {
        direction: Direction::Outbound,
        sender: Address::new("ann@example.com").ok(),
        recipients: to.iter().map(|address| Address::new(address).unwrap()).collect(),
        message_id: "m-1".into(),
        truncated: false,
    }
}

/// The conditions of a `when`, or its problems as people see them.
pub fn compile(toml: &str) -> Result<Vec<Box<dyn Condition>>, String> {
    let (conditions, problems) = read(toml, |mut section| {
        let mut list = Vec::new();
        for kind in KINDS {
            if section.span_of(kind.key) != section.span() {
                list.push((kind.compile)(&mut section, kind.key));
            }
        }
        section.finish("when", &KINDS.iter().map(|kind| kind.key).collect::<Vec<_>>());
        list.into_iter().collect::<Option<Vec<_>>>()
    });
    match conditions {
        Some(conditions) if problems.is_empty() => Ok(conditions),
        _ => {
            let mut text = String::new();
            for problem in &problems {
                let _ = writeln!(text, "{} {} {}", problem.code, problem.what, problem.help);
            }
            assert!(!text.is_empty(), "no condition and no problem: {toml}");
            Err(text)
        }
    }
}

/// Do all conditions of `when` hold? `raw` with `\n` at line ends.
#[track_caller]
pub fn holds_for(when: &str, raw: &str, envelope: &Envelope) -> bool {
    truth_for(when, raw, envelope, &Book::default()).is_sure()
}

/// The same with a directory.
#[track_caller]
pub fn truth_for(when: &str, raw: &str, envelope: &Envelope, book: &Book) -> Truth {
    truth_of(when, raw, envelope, book, None)
}

/// Do they hold for a message that does not matter, at this moment?
#[track_caller]
pub fn holds_at(when: &str, now: &str) -> bool {
    let envelope = envelope(&["kim@customer.example"]);
    truth_of(when, "Subject: x\n\nx", &envelope, &Book::default(), Some(now.parse().unwrap())).is_sure()
}

#[track_caller]
fn truth_of(when: &str, raw: &str, envelope: &Envelope, book: &Book, now: Option<Timestamp>) -> Truth {
    let conditions = compile(when).unwrap_or_else(|problems| panic!("{when}\n{problems}"));
    assert!(!conditions.is_empty(), "{when}");
    let raw = raw.replace('\n', "\r\n");
    let message = Message::parse(raw.as_bytes());
    let mut draft = Draft::new(&message);
    let organization = Organization {
        domains: ["example.com", "bücher.example"].iter().map(|domain| Domain::new(domain).unwrap()).collect(),
    };
    let mut need = Need::default();
    for condition in &conditions {
        need.add(condition.need());
    }
    let facts = Facts { now, people: book.look_up(&need, envelope), ..Facts::default() };
    let scene = Scene {
        late: crate::rule::Late::NEVER,
        draft: &mut draft,
        envelope,
        facts: &facts,
        organization: &organization,
        rule: "test",
        rules: &[],
        key: None,
    };
    let conditions: Table = conditions.into_iter().collect();
    let truth = table_truths(&conditions, &scene).for_any();
    let holds = conditions.iter().all(|entry| entry.holds(&scene));
    assert_eq!(holds, truth.is_sure(), "{when}");
    truth
}

/// As [`holds_for`], with an envelope that does not matter.
#[track_caller]
pub fn holds(when: &str, raw: &str) -> bool {
    holds_for(when, raw, &envelope(&["kim@customer.example"]))
}

/// The problems of a `when`.
#[track_caller]
pub fn problems(when: &str) -> String {
    compile(when).expect_err(when)
}

#[test]
fn every_kind_has_docs_and_an_example_that_compiles() {
    for kind in KINDS {
        assert!(kind.doc.ends_with('.'), "{}", kind.key);
        let conditions = compile(kind.example).unwrap_or_else(|problems| panic!("{}\n{problems}", kind.example));
        assert!(conditions.iter().any(|condition| condition.key() == kind.key), "{}", kind.key);
        for option in kind.takes.options() {
            assert!(!option.takes.to_string().is_empty() && option.doc.ends_with('.'), "{} {}", kind.key, option.key);
        }
    }
    let mut keys: Vec<_> = KINDS.iter().map(|kind| kind.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), KINDS.len());
}

#[test]
fn an_unknown_option_is_a_problem_that_names_those_there_are() {
    for kind in KINDS.iter().filter(|kind| !kind.takes.options().is_empty()) {
        let text = problems(&format!("{} = {{ plce = 1 }}", kind.key));
        assert!(text.contains("R002") && text.contains("`plce`"), "{text}");
        for option in kind.takes.options() {
            assert!(text.contains(option.key), "{}: {text}", option.key);
        }
    }
}
