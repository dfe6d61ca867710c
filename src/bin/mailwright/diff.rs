//! `mailwright diff`: what another rule set would do to the same mail.
//!
//! Invariant: each message is run through both rule sets by the function's own handler, at the same time of day; results are
//! added up in the order of the messages, so a run that was broken off goes on to the same totals.

mod compare;
mod resume;
mod shown;
mod sums;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use mailwright::facts::Clock;
use mailwright::flow::handler::Settings;
use mailwright::pipeline::Pipeline;

use crate::event::{EnvelopeOptions, Given};
use crate::keys::ValueOption;
use crate::page::report::Room;
use crate::replay::function::{self, Function};
use crate::replay::{self, workers};
use crate::source::{self, Found};
use crate::terminal::{BAD, Colour};
use crate::{End, terminal};
use compare::{Comparer, Union, Wanted};
use resume::Resume;
use sums::Sums;

/// Show what would change if rules B took the place of rules A; nothing is sent
///
/// Every message of PATH, which is as for `replay`, is run through both rule sets. What differs is counted and shown with a
/// few examples: matches of each rule, what is newly bounced, dropped or sent to the junk folder, what is newly skipped or
/// fails, and messages whose rewrite is another.
///
/// Exit codes are those of diff tools: 0 no message would be treated differently, 1 some would, 2 wrong usage, faulty rules,
/// or messages that could not be compared.
#[derive(Debug, Args)]
pub struct Options {
    /// The rules as they are: a folder of rule files, or one rule file
    #[arg(value_name = "A")]
    old: PathBuf,
    /// The rules as they would be
    #[arg(value_name = "B")]
    new: PathBuf,
    /// Messages
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    envelope: EnvelopeOptions,
    /// The internal domains, parted by commas, instead of those of each organization.toml
    #[arg(long, value_name = "DOMAINS", value_delimiter = ',')]
    domains: Vec<String>,
    /// How many messages to name for each difference
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=100))]
    examples: u8,
    /// Keep what is done in this file while it runs; a run that was broken off goes on from there. It is removed at the end
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Write a page to look at: the messages that differ, under A and under B side by side. The first 2,000 are shown
    #[arg(long, value_name = "FILE.html", conflicts_with = "resume")]
    report: Option<PathBuf>,
    /// One JSON object, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    value: ValueOption,
}

/// How long a run took, and how much of it an earlier one had done.
#[derive(Debug, Clone, Copy)]
struct Took {
    elapsed: Duration,
    workers: usize,
    earlier: usize,
}

/// Run the command.
pub fn run(options: &Options) -> End {
    match diff(options) {
        Ok(end) => end,
        Err(what) => {
            eprintln!("{}: {what}", Colour::of(&io::stderr()).paint(BAD, "error"));
            End::Unusable
        }
    }
}

fn diff(options: &Options) -> Result<End, String> {
    let given = options.envelope.given()?;
    let (old, new) = (load(options, &options.old)?, load(options, &options.new)?);
    let finds = source::find(&options.paths).map_err(|error| error.to_string())?;
    if finds.messages.is_empty() {
        return Err("no message found\n  = help: give a file by name, or end its name in .eml".to_owned());
    }
    let messages = &finds.messages;
    let mut report =
        options.report.as_deref().map(|path| replay::start_report(path, "diff", &new, &finds)).transpose()?;
    let new = if report.is_some() { new.checking_all() } else { new };
    let room = report.is_some().then(Room::default);
    let union = Union::of(&old, &new);
    let examples = usize::from(options.examples);
    let started = (given.clock().now(), Sums::new(&union));
    let mut resume = options
        .resume
        .as_deref()
        .map(|path| Resume::open(path, &resume::digest([&old, &new], &options.domains, &given, examples, messages)?))
        .transpose()?;
    let (now, mut sums) = resume.as_mut().and_then(Resume::take).unwrap_or(started);
    let earlier = sums.messages;
    let settings = Settings { clock: Clock::Fixed(now), ..Settings::default() };
    let wanted = Wanted::default();
    sums.tell(examples, &wanted);
    let function = |pipeline| Function { pipeline, settings: settings.clone(), strict: false };
    let both = Comparer::new([function(&old), function(&new)], &given, &union, &wanted, room.as_ref());

    let bar = replay::progress(messages.len(), true);
    bar.set_position(earlier as u64);
    function::keep_panics_quiet();
    let began = Instant::now();
    let work = |index: usize| messages.get(earlier + index).map(|found| both.compare(found, earlier + index));
    let left = messages.len().saturating_sub(earlier);
    let done = workers::in_order(left, work, |result| -> io::Result<()> {
        let Some(compared) = result else { return Ok(()) };
        if let (Some(report), Some(room), false) = (&mut report, &room, compared.changes.is_empty()) {
            report.add(compared.entry.as_ref(), room)?;
        }
        sums.add(compared, examples, &wanted);
        bar.inc(1);
        resume.as_mut().map_or(Ok(()), |resume| resume.save_now_and_then(now, &sums))
    });
    bar.finish_and_clear();
    // Nothing else is written before the end than these two, of which there is one.
    let kept = done
        .and_then(|()| report.map_or(Ok(()), |report| report.finish(&shown::summary(&sums))))
        .and_then(|()| resume.as_ref().map_or(Ok(()), Resume::end));
    if let Err(error) = kept {
        let path = options.report.as_deref().or(options.resume.as_deref()).map(terminal::path).unwrap_or_default();
        return Err(format!("cannot write `{path}`: {error}"));
    }
    let took = Took { elapsed: began.elapsed(), workers: workers::workers(left), earlier };
    let mut out = io::stdout().lock();
    let colour = Colour::of(&out);
    let shown = if options.json { shown::json(&sums, options, took) } else { shown::text(&sums, colour, took) };
    // A reader that has gone away has seen what it wanted.
    let _ = out.write_all(shown.as_bytes()).and_then(|()| out.flush());
    Ok(match (sums.unread.count, sums.differing) {
        (0, 0) => End::Good,
        (0, _) => End::Differs,
        _ => End::Unusable,
    })
}

fn load(options: &Options, rules: &std::path::Path) -> Result<Pipeline, String> {
    let key = options.value.key()?;
    let missing = key.is_none();
    let pipeline = replay::pipeline(rules, &options.domains)?.with_value_key(key);
    if pipeline.needs_value_key() && missing {
        return Err(replay::NO_VALUE_KEY.to_owned());
    }
    Ok(pipeline)
}

/// What tells a message from others, also in another run.
fn place(found: &Found) -> String {
    let place = found.place();
    format!("{} {}", place.start, place.end)
}

/// What the command line says about all messages.
fn words(given: &Given) -> String {
    let address = |address: &mailwright::envelope::Address| address.as_str().to_owned();
    let to: Vec<String> = given.to.iter().map(address).collect();
    format!(
        "{:?} {:?} {} {}",
        given.at,
        given.direction,
        given.from.as_ref().map_or("-", mailwright::envelope::Sender::as_str),
        to.join(" ")
    )
}
