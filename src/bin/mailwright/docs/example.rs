//! An example of the reference: a rule and a message, run, with what came of it.

use std::fmt::Write as _;

use mailwright::facts::{Clock, Facts};
use mailwright::flow::response::Response;
use mailwright::flow::workmail;
use mailwright::message::Message;
use mailwright::pipeline::{Pipeline, Verdict};

use crate::event::{Event, Given};

/// When messages of examples pass: a Tuesday morning.
const NOW: &str = "2026-12-22T10:00:00+01:00";
/// Lines that are alike and stand below each other are shown up to this many.
const ALIKE: usize = 2;

/// A message for a condition or an action, and what has to stand beside its rule.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The key or kind.
    pub of: &'static str,
    /// The message, with LF. A line of `{{many lines}}` stands for many.
    pub message: &'static str,
    /// More of the rule, before its action.
    pub rule: &'static str,
    /// What stands behind the rule.
    pub behind: &'static str,
    /// What the author says of it, in a sentence.
    pub note: &'static str,
}

impl Example {
    /// An example that needs nothing beside its rule.
    pub const fn new(of: &'static str, message: &'static str) -> Self {
        Self { of, message, rule: "", behind: "", note: "" }
    }

    /// Markdown: the rule, the message before, what came of it.
    pub fn told(&self, rule: &str) -> Result<String, String> {
        let wrong = |what: String| format!("the example of `{}`: {what}; this is a bug in mailwright", self.of);
        let organization = ("organization.toml".to_owned(), "domains = [\"example.com\"]\n".to_owned());
        let pipeline = Pipeline::from_sources(vec![("example.toml".to_owned(), rule.to_owned()), organization])
            .map_err(|problems| wrong(problems.to_string()))?;
        let many = "YWxsIHRoZSBzYW1lLCBsaW5lIGFmdGVyIGxpbmUsIHVudGlsIHRoZSBmaWxlIGlzIHRvbyBs\n".repeat(190_000);
        let raw = self.message.replace("{{many lines}}\n", &many).replace('\n', "\r\n").into_bytes();
        let at = NOW.parse().map_err(|_| wrong("no time".to_owned()))?;
        let given = Given { direction: None, from: None, to: Vec::new(), at: Some(at) };
        let event = Event::new(&raw, &given, pipeline.organization());
        let read = workmail::Event::read(&event.json);
        let message = Message::parse(&raw);
        let facts = Facts { now: Some(Clock::Fixed(at).now()), ..Facts::default() };
        let outcome =
            pipeline.run(&message, &read.envelope, &facts, &|| false).map_err(|error| wrong(error.to_string()))?;
        let first = outcome.report.rules.first().ok_or_else(|| wrong("no rule".to_owned()))?;
        if first.verdict != Verdict::Matched {
            return Err(wrong(format!("the rule does not match: {:?}", first.verdict)));
        }
        let mut out = fenced("toml", rule);
        if !self.note.is_empty() {
            let _ = write!(out, "\n{}\n", self.note);
        }
        let _ = write!(out, "\nA message that goes {}:\n\n{}", event.direction, fenced("text", &shown(&raw)));
        match &outcome.rewritten {
            Some(rewritten) => {
                let after = rewritten.to_vec();
                let _ = write!(out, "\nIt comes out as:\n\n{}", fenced("text", &shown(&after)));
            }
            None => out.push_str("\nNothing of it changes.\n"),
        }
        let effects = first.effects.join("; ");
        if !effects.is_empty() {
            let _ = write!(out, "\nThe report says: `{effects}`.\n");
        }
        let response = Response::new(&outcome.answers, &read.envelope, Some(event.direction));
        let added: Vec<&str> = response.added().map(mailwright::envelope::Address::as_str).collect();
        if response.word() != "DEFAULT" {
            let _ = write!(out, "\nWorkMail is answered `{}`.\n", response.word());
        }
        if !added.is_empty() {
            let _ = write!(out, "\nIt goes to {} as well.\n", added.join(", "));
        }
        Ok(out)
    }
}

/// A message for people: lines that are alike once or twice, with how many there are.
fn shown(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets).replace("\r\n", "\n");
    let text = without_styles(&text);
    let mut out = String::new();
    let mut lines = text.trim_end().lines().peekable();
    while let Some(line) = lines.next() {
        let mut alike = 0;
        while lines.next_if(|next| *next == line && !line.is_empty()).is_some() {
            alike += 1;
        }
        for _ in 0..=alike.min(ALIKE - 1) {
            out.push_str(line);
            out.push('\n');
        }
        if alike >= ALIKE {
            let _ = writeln!(out, "(and {} lines like it)", alike + 1 - ALIKE);
        }
    }
    out
}

/// Without what a block says of its own look, which is long and the same each time.
fn without_styles(text: &str) -> String {
    const OPEN: &str = "style=\"all:";
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((_, behind)) = after.split_once('"') else { break };
        out.push_str(before);
        out.push_str("style=\"…\"");
        rest = behind;
    }
    out + rest
}

/// A block of code; longer marks where the text holds such marks itself.
pub fn fenced(language: &str, text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}
