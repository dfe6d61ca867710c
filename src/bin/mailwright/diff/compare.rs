//! One message through both rule sets.
//!
//! Invariant: whatever happens to a message, it counts: as compared, or as one that could not be.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use mailwright::flow::handler::Handled;
use mailwright::flow::ports::Content;
use mailwright::message::Message;
use mailwright::pipeline::{Pipeline, RuleReport, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Event, Given};
use crate::page::report::Room;
use crate::page::{COMPARISON, Entry, Sight};
use crate::replay::function::{Function, bug, failure};
use crate::replay::totals::Did;
use crate::replay::{diff, shown};
use crate::source::Found;
use crate::terminal::{Colour, escape};

/// Lines of a difference that an example shows.
const LINES: usize = 3;
/// Characters of each.
const LINE: usize = 140;

/// A way in which a message is treated differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something else is answered: from what to what.
    Answer,
    /// It fails under B only.
    NewlyFailed,
    /// It fails under A only.
    NoLongerFailed,
    /// It is rewritten under B only.
    NewlyRewritten,
    /// It is rewritten under A only.
    NoLongerRewritten,
    /// It is rewritten under both, in another way.
    RewrittenOtherwise,
    /// A rule matches under B only.
    NewlyMatched,
    /// A rule matches under A only.
    NoLongerMatched,
    /// A rule leaves it alone under B only.
    NewlySkipped,
    /// A rule fails under B only.
    RuleNewlyFailed,
}

/// One difference.
#[derive(Debug)]
pub struct Change {
    /// What sort.
    pub kind: Kind,
    /// Of which rule, or from which answer to which.
    pub of: String,
    /// More about it, lines that are safe to print; empty where there are examples enough.
    pub what: String,
}

/// What came of a message.
#[derive(Debug, Default)]
pub struct Compared {
    /// Its path, safe to print.
    pub path: String,
    /// Its size.
    pub octets: usize,
    /// What each rule of the union did, under A and under B.
    pub rules: Vec<[Option<Did>; 2]>,
    /// Was it rewritten?
    pub rewritten: [bool; 2],
    /// Did it fail?
    pub failed: [bool; 2],
    /// What differs.
    pub changes: Vec<Change>,
    /// Why it could not be compared.
    pub unread: Option<String>,
    /// What to put on the page.
    pub entry: Option<Entry>,
}

/// The rules of both sets by their names, those of B first.
#[derive(Debug)]
pub struct Union {
    /// A rule, and its index in each set.
    pub rules: Vec<(String, [Option<usize>; 2])>,
}

impl Union {
    /// Put both together.
    pub fn of(old: &Pipeline, new: &Pipeline) -> Self {
        let index = |pipeline: &Pipeline, name: &str| pipeline.rules().iter().position(|rule| rule.name == name);
        let of_new = new.rules().iter().enumerate();
        let mut rules: Vec<_> =
            of_new.map(|(at, rule)| (rule.name.clone(), [index(old, &rule.name), Some(at)])).collect();
        let only_old = old.rules().iter().enumerate().filter(|(_, rule)| index(new, &rule.name).is_none());
        rules.extend(only_old.map(|(at, rule)| (rule.name.clone(), [Some(at), None])));
        Self { rules }
    }
}

/// Of which differences there are examples enough: the rest need not be put into words.
#[derive(Debug, Default)]
pub struct Wanted(Mutex<HashSet<(Kind, String)>>);

impl Wanted {
    /// No more examples of this.
    pub fn enough(&self, kind: Kind, of: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((kind, of.to_owned()));
    }

    fn wants(&self, kind: Kind, of: &str) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(kind, of.to_owned()))
    }
}

/// What all messages of a run have in common.
pub struct Comparer<'r> {
    functions: [Function<'r>; 2],
    given: &'r Given,
    union: &'r Union,
    wanted: &'r Wanted,
    /// Whether a message is shown on a page, where there is one.
    room: Option<&'r Room>,
    /// Both sets have the same organization, so that there is one event for both.
    one_event: bool,
}

/// A message under one rule set.
struct Side {
    answer: String,
    failure: Option<String>,
    handled: Handled,
    content: Option<Content>,
}

impl<'r> Comparer<'r> {
    /// What all messages of a run have in common.
    pub fn new(
        functions: [Function<'r>; 2],
        given: &'r Given,
        union: &'r Union,
        wanted: &'r Wanted,
        room: Option<&'r Room>,
    ) -> Self {
        let [old, new] = &functions;
        let one_event = old.pipeline.organization().domains == new.pipeline.organization().domains;
        Self { functions, given, union, wanted, room, one_event }
    }

    /// Compare what both make of a message.
    pub fn compare(&self, found: &Found, index: usize) -> Compared {
        let done = catch_unwind(AssertUnwindSafe(|| self.run(found, index))).unwrap_or_else(|_| Err(bug()));
        done.unwrap_or_else(|why| Compared { path: found.shown.clone(), unread: Some(why), ..Compared::default() })
    }

    fn run(&self, found: &Found, index: usize) -> Result<Compared, String> {
        let raw = Bytes::from(found.read().map_err(|error| format!("cannot be read: {error}"))?);
        let [old, new] = &self.functions;
        let event = Event::new(&raw, self.given, old.pipeline.organization());
        let other = (!self.one_event).then(|| Event::new(&raw, self.given, new.pipeline.organization()));
        let event_b = other.as_ref().unwrap_or(&event);
        let (a, b) = (side(old, &event, &raw)?, side(new, event_b, &raw)?);
        let rules = self.union.rules.iter().map(|(_, [old, new])| [a.did(*old), b.did(*new)]).collect();
        let mut compared = Compared {
            path: found.shown.clone(),
            octets: raw.len(),
            rules,
            rewritten: [a.content.is_some(), b.content.is_some()],
            failed: [a.failure.is_some(), b.failure.is_some()],
            changes: Vec::new(),
            unread: None,
            entry: None,
        };
        self.differences(&raw, &a, &b, &mut compared);
        // Once it is full, the room stays so.
        if !compared.changes.is_empty() && self.room.is_some_and(|room| room.has(0)) {
            let (before, after) = (a.whole(&raw), b.whole(&raw));
            let notes: Vec<String> =
                compared.changes.iter().map(|change| super::shown::title(change.kind, &change.of)).collect();
            compared.entry = Some(Entry::of(&Sight {
                number: index + 1,
                path: &found.shown,
                event: Some(event_b),
                handled: Some(&b.handled),
                before: &before,
                after: (before != after).then_some(&after),
                titles: &COMPARISON,
                notes: &notes,
                failure: b.failure.as_deref(),
                passage: None,
            }));
        }
        Ok(compared)
    }

    fn differences(&self, raw: &Bytes, a: &Side, b: &Side, compared: &mut Compared) {
        let mut add = |kind: Kind, of: String, what: &dyn Fn() -> String| {
            let what = if self.wanted.wants(kind, &of) { what() } else { String::new() };
            compared.changes.push(Change { kind, of, what });
        };
        if a.answer != b.answer {
            add(Kind::Answer, format!("{} → {}", a.answer, b.answer), &|| said(a.rules(), b.rules()));
        } else if a.response() != b.response() {
            add(Kind::Answer, format!("{} with another text, or for others", a.answer), &|| said(a.rules(), b.rules()));
        }
        match (&a.failure, &b.failure) {
            (None, Some(why)) => add(Kind::NewlyFailed, String::new(), &|| escape(why).into_owned()),
            (Some(why), None) => add(Kind::NoLongerFailed, String::new(), &|| escape(why).into_owned()),
            _ => {}
        }
        let kind = match (&a.content, &b.content) {
            (None, Some(_)) => Some(Kind::NewlyRewritten),
            (Some(_), None) => Some(Kind::NoLongerRewritten),
            (Some(a), Some(b)) if !is_same(a, b) => Some(Kind::RewrittenOtherwise),
            _ => None,
        };
        if let Some(kind) = kind {
            add(kind, String::new(), &|| excerpt(&a.whole(raw), &b.whole(raw)));
        }
        for (name, [old, new]) in &self.union.rules {
            let (did_a, did_b) = (a.did(*old).unwrap_or(Did::Nothing), b.did(*new).unwrap_or(Did::Nothing));
            if did_a == did_b {
                continue;
            }
            let why = || new.and_then(|at| b.rules().get(at)).map(why).unwrap_or_default();
            let kind = match (did_a, did_b) {
                (_, Did::Matched) => Kind::NewlyMatched,
                (_, Did::Skipped) => Kind::NewlySkipped,
                (_, Did::Failed) => Kind::RuleNewlyFailed,
                (Did::Matched, Did::Nothing) => Kind::NoLongerMatched,
                (_, Did::Nothing) => continue,
            };
            add(kind, name.clone(), &why);
        }
    }
}

impl Side {
    fn rules(&self) -> &[RuleReport] {
        self.handled.report.rules.as_ref().map(|report| report.rules.as_slice()).unwrap_or_default()
    }

    /// The answer in full: the texts of bounces, and who gets which.
    fn response(&self) -> Option<Value> {
        self.handled.answer.as_ref().ok().and_then(|response| serde_json::to_value(response).ok())
    }

    /// The message as it goes out.
    fn whole(&self, raw: &Bytes) -> Vec<u8> {
        self.content.as_ref().map_or_else(|| raw.to_vec(), |content| content.chunks().concat())
    }

    /// What a rule did; `None` where it is no rule of this set.
    fn did(&self, rule: Option<usize>) -> Option<Did> {
        rule.map(|at| self.rules().get(at).map_or(Did::Nothing, Did::of))
    }
}

fn side(function: &Function<'_>, event: &Event, raw: &Bytes) -> Result<Side, String> {
    let (handled, content, _) = function.handle(event, raw)?;
    let failure = failure(&handled);
    let answer = shown::answers(&handled);
    Ok(Side { answer, failure, handled, content })
}

fn is_same(a: &Content, b: &Content) -> bool {
    a.len() == b.len() && a.sha256() == b.sha256()
}

/// Why a rule did what it did, in a line.
fn why(report: &RuleReport) -> String {
    let words = match &report.verdict {
        Verdict::Matched | Verdict::Audited => report.effects.join("; "),
        other => crate::explain::words(other),
    };
    cut(&escape(&words))
}

/// The rules that did something else under B, of whom the answer may be.
fn said(old: &[RuleReport], new: &[RuleReport]) -> String {
    let did_so = |rule: &RuleReport| {
        let before = old.iter().find(|before| before.name == rule.name);
        before.is_some_and(|before| before.verdict == rule.verdict && before.effects == rule.effects)
    };
    let other = new.iter().filter(|rule| Did::of(rule) != Did::Nothing && !did_so(rule));
    let lines = other.take(LINES).map(|rule| format!("{}: {}", escape(&rule.name), why(rule)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The first lines that differ in the header or in a text.
fn excerpt(a: &[u8], b: &[u8]) -> String {
    let lines = diff::diff(&Message::parse(a), &Message::parse(b), Colour(false));
    let signed = lines.lines().map(str::trim_start).filter(|line| line.starts_with("+ ") || line.starts_with("- "));
    let shown: Vec<String> = signed.take(LINES).map(cut).collect();
    if shown.is_empty() { "the source differs, not its header or a text".to_owned() } else { shown.join("\n") }
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.to_owned(),
    }
}
