//! `mailwright explain`: for one message, why each rule matched or not, what it did, and who decided what becomes of it.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;
use mailwright::answers::Whom;
use mailwright::envelope::{Address, Envelope};
use mailwright::facts::Facts;
use mailwright::flow::workmail;
use mailwright::message::{Message, Part};
use mailwright::pipeline::{Checked, Outcome, Pipeline, RuleReport, Verdict};
use mailwright::rule::{Disposition, Rule};
use serde_json::{Value, json};

use crate::End;
use crate::event::{EnvelopeOptions, Event, Given};
use crate::terminal::{BAD, Colour, FAINT, GOOD, NAME, ODD, escape, escape_octets};

/// Characters of what a condition looked at that are shown.
const SEEN: usize = 160;
/// Octets of an edit that are shown.
const EDIT: usize = 120;

/// Say for one message why each rule matched or not, and what each edit is
#[derive(Debug, Args)]
pub struct Options {
    /// A message, or - for standard input
    #[arg(value_name = "MESSAGE")]
    message: PathBuf,
    /// A folder of rule files, or one rule file
    #[arg(long, value_name = "RULES", default_value = "rules")]
    rules: PathBuf,
    #[command(flatten)]
    envelope: EnvelopeOptions,
    /// One JSON object, for programs
    #[arg(long)]
    json: bool,
}

/// Run the command.
pub fn run(options: &Options) -> End {
    let mut out = io::stdout().lock();
    match explain(options, Colour::of(&out)) {
        Ok(shown) => {
            // A reader that has gone away has seen what it wanted.
            let _ = out.write_all(shown.as_bytes());
            End::Good
        }
        Err((end, what)) => {
            eprintln!("{}: {what}", Colour::of(&io::stderr()).paint(BAD, "error"));
            end
        }
    }
}

/// Why a message cannot be read, and what to do.
pub fn unreadable(path: &Path, error: &io::Error) -> String {
    let help = match error.kind() {
        io::ErrorKind::IsADirectory => "it takes one message; `mailwright replay` takes folders",
        _ => "check the spelling; paths are relative to the folder that you are in",
    };
    format!("`{}` cannot be read: {error}\n  = help: {help}", crate::terminal::path(path))
}

fn explain(options: &Options, colour: Colour) -> Result<String, (End, String)> {
    let usage = |what: String| (End::Unusable, what);
    let given = options.envelope.given().map_err(usage)?;
    let pipeline = Pipeline::load(&options.rules).map(crate::test::rehearsed).map_err(|problems| {
        let place = crate::terminal::path(&options.rules);
        usage(format!("the rules in `{place}` cannot be used\n\n{}", problems.render(Colour::of(&io::stderr()).0)))
    })?;
    let raw = read(options).map_err(|error| usage(unreadable(&options.message, &error)))?;
    let envelope = envelope(&raw, &given, &pipeline);
    let message = Message::parse(&raw);
    let people = pipeline.book().look_up(pipeline.need(envelope.direction), &envelope);
    let facts = Facts { now: Some(given.clock().now()), people, ..Facts::default() };
    let outcome = pipeline
        .run(&message, &envelope, &facts, &|| false)
        .map_err(|error| (End::MessageFailed, format!("{error}; WorkMail would try again")))?;
    if options.json {
        return Ok(format!("{}\n", record(&message, &envelope, &outcome)));
    }
    let mut text = format!("{}, ", envelope.direction);
    let sender = envelope.sender.as_ref().map_or("nobody", |sender| sender.as_str());
    let _ =
        writeln!(text, "from {}, to {}", escape(sender), crate::check::count(envelope.recipients.len(), "recipient"));
    for report in &outcome.report.rules {
        rule(report, colour, &mut text);
    }
    for note in &outcome.report.notes {
        let _ = writeln!(text, "{}", colour.paint(FAINT, &escape(&format!("note: {note}"))));
    }
    edits(&message, &outcome, colour, &mut text);
    let _ = writeln!(text, "{} {}", colour.paint(NAME, "answer:"), answer(&pipeline, &envelope, &outcome));
    added(&pipeline, &outcome, &mut text);
    Ok(text)
}

fn read(options: &Options) -> io::Result<Vec<u8>> {
    if options.message.as_os_str() == "-" {
        let mut raw = Vec::new();
        io::stdin().lock().read_to_end(&mut raw)?;
        return Ok(raw);
    }
    std::fs::read(&options.message)
}

fn envelope(raw: &[u8], given: &Given, pipeline: &Pipeline) -> Envelope {
    workmail::Event::read(&Event::new(raw, given, pipeline.organization()).json).envelope
}

/// What became of a rule.
pub fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Matched => "matched".to_owned(),
        Verdict::Audited => "matched, audit only: nothing of this is done".to_owned(),
        Verdict::NotMatched(key) => format!("not matched: `{key}` does not hold"),
        Verdict::Excepted(keys) => format!("not matched: the exception {keys} holds"),
        Verdict::Skipped(why) => format!("matched, and left the message alone: {why}"),
        Verdict::Failed(why) => format!("failed: {why}"),
        Verdict::Off => "off".to_owned(),
        Verdict::Inactive(why) => format!("not looked at: {why}"),
        Verdict::Stopped => "not looked at: a rule before it said stop".to_owned(),
        Verdict::OutOfTime => "not looked at: out of time".to_owned(),
    }
}

fn rule(report: &RuleReport, colour: Colour, text: &mut String) {
    let style = match &report.verdict {
        Verdict::Matched => GOOD,
        Verdict::Audited | Verdict::Skipped(_) => ODD,
        Verdict::Failed(_) | Verdict::OutOfTime => BAD,
        Verdict::NotMatched(_) | Verdict::Excepted(_) | Verdict::Off | Verdict::Inactive(_) | Verdict::Stopped => FAINT,
    };
    let verdict = words(&report.verdict);
    let _ = writeln!(text, "{}  {}", colour.paint(NAME, &escape(&report.name)), colour.paint(style, &escape(&verdict)));
    for (index, checked) in report.checked.iter().enumerate() {
        condition(checked, begins(&report.checked, index), "    ", colour, text);
    }
    if let Some(share) = report.recipients {
        let _ = writeln!(text, "    for {} of {} recipients", share.matched, share.of);
    }
    for effect in &report.effects {
        let _ = writeln!(text, "    {}", escape(effect));
    }
}

/// What a condition of a rule begins with. Those of one exception must hold together.
pub fn begins(checked: &[Checked], index: usize) -> &'static str {
    let exception = |at: usize| checked.get(at).and_then(|checked| checked.exception);
    match (exception(index), index.checked_sub(1).and_then(exception)) {
        (None, _) => "when",
        (this, before) if this == before => "   and",
        _ => "unless",
    }
}

/// A line for a condition, and below it, further in, those in its tables; each table begins with a dash.
fn condition(checked: &Checked, begin: &str, margin: &str, colour: Colour, text: &mut String) {
    let (style, word) = if checked.holds { (GOOD, "holds") } else { (FAINT, "does not hold") };
    let seen = checked.seen.as_deref().map(|seen| format!(": {}", escape(&cut(seen)))).unwrap_or_default();
    let _ = writeln!(text, "{margin}{begin} {} {}{seen}", checked.key, colour.paint(style, word));
    // Further in than its own key.
    let margin = format!("{margin}{}", if matches!(begin, "-" | " ") { "    " } else { "  " });
    for table in &checked.below {
        for (index, checked) in table.iter().enumerate() {
            condition(checked, if index == 0 { "-" } else { " " }, &margin, colour, text);
        }
    }
}

fn cut(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(SEEN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// Every edit: its part, its line, and what is new.
fn edits(message: &Message<'_>, outcome: &Outcome<'_>, colour: Colour, text: &mut String) {
    let Some(rewritten) = &outcome.rewritten else { return };
    let places = Places::of(message);
    for (range, new) in rewritten.edits() {
        let line = 1 + memchr::memchr_iter(b'\n', message.bytes(&(0..range.start))).count();
        let _ = writeln!(text, "{} in {}, line {line}", colour.paint(NAME, "edit"), places.name(range.start));
        for (sign, style, octets) in [('-', BAD, message.bytes(&range)), ('+', GOOD, new)] {
            if octets.is_empty() {
                continue;
            }
            let shown = escape_octets(octets.get(..octets.len().min(EDIT)).unwrap_or_default());
            let more = octets.len().saturating_sub(EDIT);
            let more = if more > 0 { format!(" … {more} octets more") } else { String::new() };
            let _ = writeln!(text, "    {}", colour.paint(style, &format!("{sign} {shown}{more}")));
        }
    }
}

/// What parts are called.
struct Places<'m> {
    parts: &'m [Part],
    names: Vec<String>,
}

impl<'m> Places<'m> {
    fn of(message: &'m Message<'_>) -> Self {
        Self { parts: message.parts(), names: message.part_names() }
    }

    /// The innermost part that holds an offset, its header or its body.
    fn name(&self, at: usize) -> String {
        let holds = |range: &Range<usize>| (range.start..=range.end).contains(&at);
        let inner = self.parts.iter().zip(&self.names).rev().find(|(part, _)| holds(&part.header) || holds(&part.body));
        match inner {
            Some((part, _)) if part.parent.is_none() && at < part.header.end => "the header".to_owned(),
            Some((part, name)) if at < part.header.end => format!("the header of part {name}"),
            Some((part, name)) if !name.is_empty() => format!("part {name} ({})", part.media_type),
            _ => "the body".to_owned(),
        }
    }
}

/// What is answered, and which rule said so.
fn answer(pipeline: &Pipeline, envelope: &Envelope, outcome: &Outcome<'_>) -> String {
    let said = |disposition: &Disposition, meant: &dyn Fn(&Whom) -> bool| {
        let asked = outcome.asked.iter().filter(|asked| asked.disposes && asked.whom.as_ref().is_some_and(meant));
        let says = |rule: &&Rule| {
            let mut said = rule.actions.iter().flat_map(|action| [action.disposition(), action.may_dispose()]);
            said.any(|said| said.as_ref() == Some(disposition))
        };
        let (won, lost): (Vec<&Rule>, Vec<&Rule>) =
            asked.filter_map(|asked| pipeline.rules().get(asked.rule)).partition(says);
        let named = |rules: &[&Rule]| {
            rules.iter().map(|rule| format!("`{}`", escape(&rule.name))).collect::<Vec<_>>().join(", ")
        };
        let word = word(disposition);
        match (won.as_slice(), lost.as_slice()) {
            ([], []) => format!("{word}, as no rule says otherwise"),
            ([], several) | (several, []) => format!("{word}, said {}", named(several)),
            (won, lost) => format!("{word}, said {}: stricter than what {} said", named(won), named(lost)),
        }
    };
    let answers = &outcome.answers;
    if answers.are_one() {
        return said(answers.others(), &|whom| !whom.is_nobody());
    }
    let each = envelope.recipients.iter().zip(answers.named()).enumerate();
    let mut text = String::from("not the same for all");
    for (index, (recipient, disposition)) in each {
        let _ =
            write!(text, "\n    {}: {}", escape(recipient.as_str()), said(disposition, &|whom| whom.includes(index)));
    }
    if envelope.truncated {
        let _ = write!(text, "\n    who is not named: {}", said(answers.others(), &|whom| *whom == Whom::Everybody));
    }
    text
}

fn word(disposition: &Disposition) -> &'static str {
    match disposition {
        Disposition::Deliver => "deliver",
        Disposition::BypassSpamCheck => "deliver without the spam check",
        Disposition::Junk => "to the junk folder",
        Disposition::Bounce(_) => "bounce",
        Disposition::Drop => "drop",
    }
}

/// Who gets the message besides, and which rules said so.
fn added(pipeline: &Pipeline, outcome: &Outcome<'_>, text: &mut String) {
    let rules = outcome.asked.iter().filter(|asked| asked.adds).filter_map(|asked| pipeline.rules().get(asked.rule));
    let rules: Vec<String> = rules.map(|rule| format!("`{}`", escape(&rule.name))).collect();
    for address in outcome.answers.added() {
        let _ = writeln!(text, "    {}: added, said {}", escape(address.as_str()), rules.join(", "));
    }
}

fn record(message: &Message<'_>, envelope: &Envelope, outcome: &Outcome<'_>) -> Value {
    let places = Places::of(message);
    let edits: Vec<Value> = outcome
        .rewritten
        .iter()
        .flat_map(mailwright::message::Rendered::edits)
        .map(|(range, new)| {
            json!({
                "place": places.name(range.start),
                "offset": range.start,
                "old": escape_octets(message.bytes(&range)),
                "new": escape_octets(new),
            })
        })
        .collect();
    let answers: Vec<Value> = envelope
        .recipients
        .iter()
        .zip(outcome.answers.named())
        .map(|(recipient, disposition)| json!({ "recipient": recipient.as_str(), "disposition": disposition }))
        .collect();
    let added: Vec<&str> = outcome.answers.added().iter().map(Address::as_str).collect();
    let disposition = outcome.answers.strictest();
    json!({ "report": outcome.report, "edits": edits, "disposition": disposition, "answers": answers, "added": added })
}
