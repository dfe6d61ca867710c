//! What is said on the terminal while it serves: one message after the other.
//!
//! Invariant: what comes from mail or from a function is made safe for a terminal first; and a terminal that is not read
//! stops nothing: lines wait in a queue of [`QUEUE`], those beyond it are left out and counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use mailwright::flow::handler::Fate;
use mailwright::message::{Draft, Message};
use serde_json::{Value, json};

use super::answer::word;
use super::run::{Outcome, Run};
use crate::check::count;
use crate::replay::passage::Account;
use crate::replay::shown;
use crate::terminal::{BAD, Colour, FAINT, GOOD, NAME, ODD, escape};

/// Most lines that wait.
const QUEUE: usize = 2_000;
/// Most characters of a subject.
const SUBJECT: usize = 60;
/// Most characters of a line of a function.
const LINE: usize = 2_000;

/// Says what happens.
#[derive(Debug, Clone)]
pub struct Log {
    lines: SyncSender<String>,
    left_out: Arc<AtomicUsize>,
    colour: Colour,
    json: bool,
    quiet: bool,
}

impl Log {
    /// To standard output, from a thread of its own. `json`: one object a line for each message that has passed, and
    /// nothing else. `quiet`: failures only.
    pub fn start(json: bool, quiet: bool) -> io::Result<Self> {
        let (lines, waiting) = sync_channel(QUEUE);
        let left_out = Arc::<AtomicUsize>::default();
        let colour = Colour(Colour::of(&io::stdout()).0 && !json);
        let missing = Arc::clone(&left_out);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || print(&waiting, &missing))?;
        Ok(Self { lines, left_out, colour, json, quiet })
    }

    /// Whole lines, safe already, that people read.
    pub fn say(&self, lines: &str) {
        if !self.json {
            self.send(format!("{lines}\n"));
        }
    }

    /// A message has passed for the first time.
    pub fn passed(&self, run: &Run) {
        let Some(outcome) = &run.outcome else { return };
        if self.json {
            self.send(format!("{}\n", line(run, outcome)));
        } else if !self.quiet || outcome.failure.is_some() {
            self.send(self.text(run, outcome));
        }
    }

    /// A try has failed; `again` is when the next is made.
    pub fn try_failed(&self, run: &Run, tries: usize, why: &str, again: Option<Duration>) {
        let next = again.map_or_else(
            || "the rule's time is over: fallback".to_owned(),
            |pause| format!("again in {} s", pause.as_secs()),
        );
        let line = format!("try {tries} failed: {}; {next}", escape(why));
        self.say(&format!("{}  {}", self.number(run.number), self.colour.paint(BAD, &line)));
    }

    /// No function asks for this message.
    pub fn waits(&self, number: usize) {
        if !self.quiet {
            self.say(&format!("{}  {}", self.number(number), self.colour.paint(FAINT, "waits for a function")));
        }
    }

    /// So many messages have run under a new rule set.
    pub fn ran_again(&self, messages: usize) {
        if messages > 0 && !self.quiet {
            self.say(&self.colour.paint(FAINT, &format!("{} ran again", count(messages, "message"))));
        }
    }

    /// The rule files have changed; `problems` are why they cannot be used.
    pub fn rules(&self, rules: usize, problems: Option<&str>) {
        match problems {
            None => self.say(&self.colour.paint(GOOD, &format!("the rules have changed: {}", count(rules, "rule")))),
            Some(problems) => self.say(&format!(
                "{}\n{problems}",
                self.colour.paint(BAD, "the rule files cannot be used as they stand; the last good ones stay in force")
            )),
        }
    }

    /// Something that wants a look.
    pub fn odd(&self, what: &str) {
        self.say(&self.colour.paint(ODD, &escape(what)));
    }

    /// A line that a function wrote.
    pub fn function(&self, octets: &[u8]) {
        let line: String = String::from_utf8_lossy(octets).chars().take(LINE).collect();
        self.say(&self.colour.paint(FAINT, &format!("  | {}", escape(line.trim_end()))));
    }

    fn number(&self, number: usize) -> String {
        self.colour.paint(NAME, &format!("#{number:<4}")).into_owned()
    }

    fn text(&self, run: &Run, outcome: &Outcome) -> String {
        let colour = self.colour;
        let (style, fate) = match outcome.handled.as_ref().map(|handled| &handled.report.fate) {
            _ if outcome.fell_back => (BAD, "fallback"),
            Some(Fate::Rewritten) => (GOOD, "rewritten"),
            // A try before has put it back.
            Some(Fate::Unchanged | Fate::Marked) | None if outcome.rewritten.is_some() => (GOOD, "rewritten"),
            Some(Fate::Unchanged) | None => (FAINT, "unchanged"),
            Some(Fate::Marked) => (FAINT, "marked"),
            Some(Fate::Original { .. }) => (BAD, "original"),
            Some(Fate::Undecodable | Fate::Failed) => (BAD, "failed"),
            Some(Fate::Off) => (FAINT, "off"),
            Some(Fate::Observed { .. }) => (FAINT, "observed"),
        };
        let edits = outcome.handled.as_ref().map_or(0, shown::edits);
        let edits = if edits > 0 { format!(", {}", count(edits, "edit")) } else { String::new() };
        let time = format!("{:.1} ms", outcome.took.as_secs_f64() * 1_000.0);
        let path = run.origin.words();
        let mut out = format!(
            "{}  {:<8}  {}{edits}  {}  {}  {}\n",
            self.number(run.number),
            run.event.direction.as_str(),
            colour.paint(style, fate),
            answers(outcome),
            colour.paint(FAINT, &format!("{time}  {path}")),
            colour.paint(NAME, &subject(&run.original)),
        );
        out.push_str(&shown::details(&account(run, outcome, &path), colour));
        for note in &outcome.notes {
            out.push_str(&format!("    {}\n", colour.paint(ODD, &escape(note))));
        }
        out
    }

    fn send(&self, lines: String) {
        if self.lines.try_send(lines).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What `replay` would say of it.
fn account<'a>(run: &'a Run, outcome: &'a Outcome, path: &'a str) -> Account<'a> {
    Account {
        path,
        event: Some(&run.event),
        handled: outcome.handled.as_ref(),
        written: None,
        failure: outcome.failure.clone(),
        diff: String::new(),
    }
}

/// What is answered; where it is not the same for all, for how many it is which.
fn answers(outcome: &Outcome) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for answered in outcome.answered.iter().filter(|one| !one.added) {
        let word = word(&answered.disposition);
        match counts.iter_mut().find(|(one, _)| *one == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    match counts.as_slice() {
        [] => word(&outcome.others).to_owned(),
        [(word, _)] => (*word).to_owned(),
        several => several.iter().map(|(word, count)| format!("{word} for {count}")).collect::<Vec<_>>().join(", "),
    }
}

/// The subject, cut and safe to show.
fn subject(raw: &[u8]) -> String {
    let message = Message::parse(raw);
    let subject = Draft::new(&message).subject().unwrap_or_default();
    let subject = subject.trim();
    let cut: String = subject.chars().take(SUBJECT).collect();
    let more = if cut.len() < subject.len() { "…" } else { "" };
    format!("{}{more}", escape(&cut))
}

/// One line for programs: as `replay --json`, with what the flow adds.
fn line(run: &Run, outcome: &Outcome) -> Value {
    let path = run.origin.words();
    let mut line: Value = serde_json::from_str(&shown::json(&account(run, outcome, &path))).unwrap_or_default();
    let answered: Vec<Value> = outcome
        .answered
        .iter()
        .map(|one| json!({ "address": one.address, "answer": word(&one.disposition), "added": one.added }))
        .collect();
    if let Some(fields) = line.as_object_mut() {
        fields.insert("number".to_owned(), json!(run.number));
        fields.insert("answered".to_owned(), json!(answered));
        fields.insert("fell_back".to_owned(), json!(outcome.fell_back));
        fields.insert("tries".to_owned(), json!(outcome.tries));
        fields.insert("rewritten".to_owned(), json!(outcome.rewritten.is_some()));
    }
    line
}

fn print(lines: &Receiver<String>, left_out: &AtomicUsize) {
    let mut out = io::stdout();
    while let Ok(line) = lines.recv() {
        let missing = left_out.swap(0, Ordering::Relaxed);
        let missing = if missing > 0 { format!("… and {missing} more that nobody read\n") } else { String::new() };
        // A reader that has gone away ends the log, not the server.
        if out
            .write_all(line.as_bytes())
            .and_then(|()| out.write_all(missing.as_bytes()))
            .and_then(|()| out.flush())
            .is_err()
        {
            return;
        }
    }
}
