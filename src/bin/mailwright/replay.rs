//! `mailwright replay`: runs messages through the rules with the function's own handler, and shows what happened.

pub mod diff;
pub mod function;
pub mod out;
pub mod passage;
pub mod shown;
pub mod totals;
mod tray;
pub mod workers;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mailwright::directory::Organization;
use mailwright::envelope::Domain;
use mailwright::pipeline::Pipeline;

use crate::event::EnvelopeOptions;
use crate::keys::{StampOption, ValueOption};
use crate::page::report::{Report, Room};
use crate::terminal::{BAD, Colour, ODD};
use crate::{End, source};
use out::Out;
use passage::Passage;
use totals::Totals;

/// A run with fewer messages shows no progress.
const LONG_RUN: usize = 200;

/// Rules that make pseudonyms need a key.
pub const NO_VALUE_KEY: &str = "a rule makes pseudonyms, and there is no key for them\n  = help: say --value-key KEY; \
                                `openssl rand -hex 32` makes one";

/// Run messages through the rules and show what happened to each; nothing is sent
///
/// PATH is a file, a folder, an mbox, a Maildir, or - for standard input. A file given by name is a message whatever
/// its name, or an mbox when it begins with "From " and does not end in .eml. In a folder and all below it, messages
/// are *.eml, those of *.mbox, all in cur and new of a Maildir, and files without extension that begin with a header
/// field. What gzip has packed is unpacked.
///
/// The function's own code runs, with one message in memory instead of WorkMail and S3. The event that WorkMail would
/// send is made from the message: the sender from From, the recipients from To and Cc, the message id from the first
/// 32 hex digits of its SHA-256. It is outbound when the sender's domain is internal, else inbound.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Args)]
pub struct Options {
    /// Messages
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// A folder of rule files, or one rule file
    #[arg(long, value_name = "RULES", default_value = "rules")]
    rules: PathBuf,
    #[command(flatten)]
    envelope: EnvelopeOptions,
    /// The internal domains, parted by commas, instead of those of organization.toml
    #[arg(long, value_name = "DOMAINS", value_delimiter = ',')]
    domains: Vec<String>,
    /// Write every message, changed or not, to this folder: at its path relative to PATH; those of an mbox at
    /// NAME/000001.eml and so on
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Refuse a put as WorkMail does, as far as its demands are known: then see what is repaired and put once more, and
    /// what is delivered as it came
    #[arg(long)]
    strict: bool,
    /// Write a page to look at: what became of each message and why, before and after. The first 2,000 messages are shown
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Show what is different in the header and the decoded text
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    diff: bool,
    /// One JSON object a line for each message, then one with the totals
    #[arg(long)]
    json: bool,
    /// Show failures and totals only
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    stamp: StampOption,
    #[command(flatten)]
    value: ValueOption,
}

/// How the run shows what it does.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Clone, Copy)]
pub struct View {
    json: bool,
    quiet: bool,
    diff: bool,
    /// A put is refused as WorkMail does.
    strict: bool,
    colour: Colour,
    /// Columns for the path.
    width: usize,
}

/// Run the command.
pub fn run(options: &Options) -> End {
    match replay(options) {
        Ok(end) => end,
        Err(what) => {
            let colour = Colour::of(&io::stderr());
            eprintln!("{}: {what}", colour.paint(BAD, "error"));
            End::Unusable
        }
    }
}

/// The error is one of usage: nothing was run.
fn replay(options: &Options) -> Result<End, String> {
    let given = options.envelope.given()?;
    let stamp_key = options.stamp.key()?;
    let value_key = options.value.key()?;
    let pipeline = pipeline(&options.rules, &options.domains)?.with_value_key(value_key.clone());
    if pipeline.needs_value_key() && value_key.is_none() {
        return Err(NO_VALUE_KEY.to_owned());
    }
    let finds = source::find(&options.paths).map_err(|error| error.to_string())?;
    if finds.messages.is_empty() {
        let passed_over = match finds.passed_over {
            0 => String::new(),
            n => format!("; {n} files were passed over, as they are not *.eml, *.mbox or in a Maildir"),
        };
        return Err(format!("no message found{passed_over}\n  = help: give a file by name, or end its name in .eml"));
    }
    let out = options.out.as_deref().map(|folder| Out::new(folder, &options.paths, &finds.messages));
    let out = out.transpose().map_err(|error| error.to_string())?;
    let mut report =
        options.report.as_deref().map(|path| start_report(path, "replay", &pipeline, &finds)).transpose()?;
    // Why rules did not match is for the page alone: it costs time.
    let pipeline = if report.is_some() { pipeline.checking_all() } else { pipeline };
    let room = report.is_some().then(Room::default);

    let stdout = io::stdout();
    let view = View {
        strict: options.strict,
        json: options.json,
        quiet: options.quiet,
        diff: options.diff,
        colour: Colour::of(&stdout),
        width: finds.messages.iter().map(|m| m.shown.chars().count()).max().unwrap_or(0).min(60),
    };
    let bar = progress(finds.messages.len(), view.quiet);
    let passage = Passage::new(&pipeline, stamp_key, &given, out.as_ref(), room.as_ref(), view);
    let mut totals = Totals::new(&pipeline, finds.passed_over, options.out.as_deref(), options.strict);
    let mut sink = BufWriter::with_capacity(64 * 1024, stdout.lock());
    let live = stdout.is_terminal();

    function::keep_panics_quiet();
    let began = Instant::now();
    let work = |index: usize| finds.messages.get(index).map(|message| passage.pass(message, index));
    let done = |result: Option<passage::Passed>| -> io::Result<()> {
        let Some(passed) = result else { return Ok(()) };
        totals.add(&passed.tally);
        if let (Some(report), Some(room)) = (&mut report, &room) {
            report.add(passed.entry.as_ref(), room)?;
        }
        bar.inc(1);
        sink.write_all(passed.shown.as_bytes())?;
        if live { sink.flush() } else { Ok(()) }
    };
    let written = workers::in_order(finds.messages.len(), work, done);
    totals.took(began.elapsed(), workers::workers(finds.messages.len()));
    bar.finish_and_clear();
    let end = if totals.failed() { End::MessageFailed } else { End::Good };
    let written = written.and_then(|()| {
        let totals_text = if view.json { totals.json() } else { totals.text(view.colour) };
        sink.write_all(totals_text.as_bytes())?;
        if let Some(report) = report {
            report.finish(&totals.summary())?;
            if let (Some(path), false) = (&options.report, view.json) {
                writeln!(sink, "page written to {}", crate::terminal::path(path))?;
            }
        }
        sink.flush()
    });
    match written {
        Ok(()) => Ok(end),
        // A reader that has gone away, such as `head`, has seen what it wanted; but not all was run.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(End::MessageFailed),
        Err(error) => {
            eprintln!(
                "{}: cannot write what came of the messages: {error}",
                Colour::of(&io::stderr()).paint(BAD, "error")
            );
            Ok(End::MessageFailed)
        }
    }
}

/// The page, and that it is written over no message.
pub fn start_report(
    path: &Path,
    title: &'static str,
    pipeline: &Pipeline,
    finds: &source::Finds,
) -> Result<Report, String> {
    let shown = crate::terminal::path(path);
    if let Ok(whole) = path.canonicalize()
        && finds
            .messages
            .iter()
            .filter_map(source::Found::file)
            .any(|file| file.canonicalize().is_ok_and(|f| f == whole))
    {
        return Err(format!(
            "--report `{shown}` would write over a message that is replayed\n  = help: choose another file"
        ));
    }
    let rules = pipeline.rules().iter().map(|rule| rule.name.clone()).collect();
    Report::create(path, title, rules).map_err(|error| format!("cannot write --report `{shown}`: {error}"))
}

/// The rules at `rules`, with the internal domains of the command line, if it names any.
pub fn pipeline(rules: &Path, domains: &[String]) -> Result<Pipeline, String> {
    let mut internal = Vec::new();
    for text in domains {
        let shown = crate::terminal::escape(text);
        internal.push(Domain::new(text).map_err(|error| format!("--domains `{shown}`: {error}"))?);
    }
    let stderr = io::stderr();
    let colour = Colour::of(&stderr);
    let pipeline = Pipeline::load(rules).map_err(|problems| {
        format!("the rules in `{}` cannot be used\n\n{}", crate::terminal::path(rules), problems.render(colour.0))
    })?;
    let pipeline =
        if internal.is_empty() { pipeline } else { pipeline.with_organization(Organization { domains: internal }) };
    if pipeline.organization().domains.is_empty() {
        eprintln!(
            "{}: no domain is internal, so everybody is external: say --domains example.com, or write \
             organization.toml beside the rules",
            colour.paint(ODD, "warning")
        );
    }
    Ok(pipeline)
}

/// On a terminal, and where the messages are not themselves shown on it.
pub fn progress(messages: usize, quiet: bool) -> ProgressBar {
    let shown_on_terminal = io::stdout().is_terminal() && !quiet;
    if messages < LONG_RUN || shown_on_terminal || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(messages as u64), ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} messages, {per_sec}, {eta} to go") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
