//! `mailwright new test`: a test of what the rules do to a message now.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use mailwright::envelope::{Address, Envelope};
use mailwright::facts::Facts;
use mailwright::flow::response::Response;
use mailwright::message::Message;
use mailwright::pipeline::{Outcome, Pipeline, Verdict};

use super::quoted;
use crate::event::{EnvelopeOptions, Event};

/// Print a test of what the rules do to a message now
///
/// Read it, change what should be otherwise, and put it into a rule file. The message stands in the rules folder.
#[derive(Debug, Args)]
pub struct Options {
    /// A message in the rules folder
    #[arg(value_name = "MESSAGE")]
    message: PathBuf,
    /// The folder of rule files
    #[arg(long, value_name = "RULES", default_value = "rules")]
    rules: PathBuf,
    /// What the test is called
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    envelope: EnvelopeOptions,
}

/// The test, in TOML.
pub fn print(options: &Options) -> Result<String, String> {
    let given = options.envelope.given()?;
    let shown = crate::terminal::path(&options.message);
    let pipeline = Pipeline::load(&options.rules).map(crate::test::rehearsed).map_err(|problems| {
        format!("the rules in `{}` cannot be used\n\n{problems}", crate::terminal::path(&options.rules))
    })?;
    let raw = std::fs::read(&options.message).map_err(|error| crate::explain::unreadable(&options.message, &error))?;
    let inside = || {
        let (folder, message) = (options.rules.canonicalize().ok()?, options.message.canonicalize().ok()?);
        Some(message.strip_prefix(folder).ok()?.to_str()?.replace('\\', "/"))
    };
    let path = inside().ok_or_else(|| {
        let rules = crate::terminal::path(&options.rules);
        format!("`{shown}` is not in `{rules}`; copy it there, so that the test has it wherever it is run")
    })?;
    let event = Event::new(&raw, &given, pipeline.organization());
    let read = mailwright::flow::workmail::Event::read(&event.json);
    let message = Message::parse(&raw);
    let facts = Facts { now: Some(given.clock().now()), ..Facts::default() };
    let outcome = pipeline
        .run(&message, &read.envelope, &facts, &|| false)
        .map_err(|error| format!("{error}; `expect = {{ answer = \"fail\" }}` would be the test"))?;
    let name = options.name.clone().unwrap_or_else(|| path.clone());
    let mut text = format!("[[test]]\nname = {}\nmessage = {}\n", quoted(&name), quoted(&path));
    let _ = write!(text, "envelope = {{ direction = \"{}\"", event.direction);
    if let Some(from) = &given.from {
        let _ = write!(text, ", from = {}", quoted(from.as_str()));
    }
    if !given.to.is_empty() {
        let _ = write!(text, ", to = [{}]", list(given.to.iter().map(Address::as_str)));
    }
    text.push_str(" }\n");
    if let Some(at) = given.at {
        let _ = writeln!(text, "at = {at}");
    }
    expect(&outcome, &read.envelope, &mut text);
    Ok(text)
}

fn expect(outcome: &Outcome<'_>, envelope: &Envelope, text: &mut String) {
    let named = |wanted: &dyn Fn(&Verdict) -> bool| {
        let rules = outcome.report.rules.iter().filter(|rule| wanted(&rule.verdict));
        list(rules.map(|rule| rule.name.as_str()))
    };
    text.push_str("[test.expect]\n");
    let matched = named(&|verdict| matches!(verdict, Verdict::Matched | Verdict::Audited));
    if !matched.is_empty() {
        let _ = writeln!(text, "matched = [{matched}]");
    }
    let not = named(&|verdict| matches!(verdict, Verdict::NotMatched(_) | Verdict::Excepted(_)));
    if !not.is_empty() {
        let _ = writeln!(text, "not_matched = [{not}]");
    }
    let word = |word: &str| match word {
        "MOVE_TO_JUNK" => "junk".to_owned(),
        "DEFAULT" => "deliver".to_owned(),
        word => word.to_lowercase(),
    };
    let response = Response::new(&outcome.answers, envelope, Some(envelope.direction));
    if response.word() == "MIXED" {
        let each = |one: &Address| format!("{} = {}", quoted(one.as_str()), quoted(&word(response.word_for(one))));
        let each: Vec<String> = envelope.recipients.iter().map(each).collect();
        let _ = writeln!(text, "answers = {{ {} }}", each.join(", "));
    } else {
        let _ = writeln!(text, "answer = {}", quoted(&word(response.word())));
    }
    if response.added().next().is_some() {
        let _ = writeln!(text, "added = [{}]", list(response.added().map(Address::as_str)));
    }
    if outcome.rewritten.is_none() {
        text.push_str("unchanged = true\n");
    } else {
        text.push_str("# what the new text must hold: body.once = \"…\", subject = \"…\", header = [{ name = \"…\", is = \"…\" }]\n");
        text.push_str("unchanged = false\n");
    }
}

/// Strings, parted by commas.
fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.map(quoted).collect::<Vec<_>>().join(", ")
}
