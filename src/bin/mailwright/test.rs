//! `mailwright test`: runs the tests that stand beside the rules, with the function's own handler.
//!
//! Invariant: a test that cannot be run has failed.

mod coverage;
mod junit;
mod mutation;
mod runner;
mod values;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use mailwright::pipeline::Pipeline;
use mailwright::rule::value_key::ValueKey;
use serde_json::json;

use crate::End;
use crate::check::count;
use crate::terminal::{BAD, Colour, FAINT, GOOD, ODD, escape};
use coverage::Coverage;
use mutation::Mutation;
use runner::{Ran, Runner};
use values::Values;

/// Run the tests beside the rules
///
/// A test is a `[[test]]` table in a rule file: a message, what the flow says about it, and what must come of it. The
/// function's own code runs, with the message in memory instead of WorkMail and S3.
#[derive(Debug, Args)]
pub struct Options {
    /// A folder of rule files, or one rule file
    #[arg(value_name = "RULES", default_value = "rules")]
    rules: PathBuf,
    /// Run only tests whose name holds this text
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["coverage", "min_coverage", "mutate", "mutate_values"])]
    filter: Option<String>,
    /// Write the snapshots anew; read them before you commit them
    #[arg(long)]
    bless: bool,
    /// Say which rules, conditions and exceptions no test looks at
    #[arg(long)]
    coverage: bool,
    /// Fail when less of the rules is covered, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
    /// Leave out each condition, alternative and exception in turn, and fail when no test notices
    #[arg(long)]
    mutate: bool,
    /// As --mutate, and each value of a list in a condition, too
    #[arg(long)]
    mutate_values: bool,
    /// Write the results as JUnit XML, for CI servers: tests, coverage as properties, and what else --min-coverage and
    /// --mutate ask for as tests of their own
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// One JSON object, for programs
    #[arg(long)]
    json: bool,
}

/// Run the command.
pub fn run(options: &Options) -> End {
    let mut out = io::stdout().lock();
    let failed = |what: String| {
        eprintln!("{}: {what}", Colour::of(&io::stderr()).paint(BAD, "error"));
        End::Unusable
    };
    match test(options, Colour::of(&out)) {
        Ok(Done { shown, end, unwritten }) => {
            // A reader that has gone away has seen what it wanted.
            let _ = out.write_all(shown.as_bytes());
            unwritten.map_or(end, failed)
        }
        Err(what) => failed(what),
    }
}

/// The key that pseudonyms are made with here: always the same, so snapshots hold, and nobody's who has real mail.
const KEY: &str = "the key of tests and explanations, which is no secret";

/// A pipeline as it runs where nothing depends on it: each condition is looked at, and rules that need a key have one.
pub fn rehearsed(pipeline: Pipeline) -> Pipeline {
    let key = ValueKey::new(KEY).ok().filter(|_| pipeline.needs_value_key());
    pipeline.checking_all().with_value_key(key)
}

fn load(options: &Options) -> Result<Pipeline, String> {
    Pipeline::load(&options.rules).map(rehearsed).map_err(|problems| {
        let place = crate::terminal::path(&options.rules);
        format!("the rules in `{place}` cannot be used\n\n{}", problems.render(Colour::of(&io::stderr()).0))
    })
}

/// What came of the tests.
struct Done {
    /// What to print.
    shown: String,
    end: End,
    /// Why the results are not in a file that was asked for.
    unwritten: Option<String>,
}

/// The error is one of usage: nothing was run.
fn test(options: &Options, colour: Colour) -> Result<Done, String> {
    let pipeline = load(options)?;
    let runner = Runner::new(&options.rules, options.bless, options.filter.as_deref())?;
    if pipeline.tests().is_empty() {
        let help = "write a [[test]] table beside the rules: name, message, expect";
        return Err(format!("there are no tests in `{}`\n  = help: {help}", crate::terminal::path(&options.rules)));
    }
    let ran = runner.run(&pipeline);
    if ran.is_empty() {
        return Err("no test has such a name".to_owned());
    }
    let failed = ran.iter().filter(|ran| !ran.misses.is_empty()).count();
    let coverage = Coverage::of(&pipeline, &ran);
    let mutates = options.mutate || options.mutate_values;
    let mut mutation =
        if mutates && failed == 0 { Some(Mutation::of(&pipeline, &runner, || load(options))?) } else { None };
    if options.mutate_values {
        let values = |mutation: Mutation| mutation.with_values(Values::of(&pipeline, &runner, &options.rules));
        mutation = mutation.map(values);
    }
    let thin = options.min_coverage.is_some_and(|least| coverage.percent() < u32::from(least));
    let end = if failed > 0 || thin || !mutation.as_ref().is_none_or(Mutation::is_noticed) {
        End::MessageFailed
    } else {
        End::Good
    };

    let also = junit::Also { coverage: &coverage, least: options.min_coverage, mutates, mutation: mutation.as_ref() };
    let unwritten = options.junit.as_deref().and_then(|path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let written = folder.map_or(Ok(()), std::fs::create_dir_all);
        let written = written.and_then(|()| std::fs::write(path, junit::xml(&ran, &also)));
        written.err().map(|error| format!("cannot write `{}`: {error}", crate::terminal::path(path)))
    });
    if options.json {
        let record = json!({
            "tests": ran.iter().map(Ran::json).collect::<Vec<_>>(),
            "failed": failed,
            "coverage": coverage.json(),
            "unnoticed": mutation.as_ref().map(Mutation::json),
        });
        return Ok(Done { shown: format!("{record}\n"), end, unwritten });
    }
    let mut text: String = ran.iter().map(|ran| shown(ran, colour)).collect();
    let totals = format!("{}: {} passed, {failed} failed\n", count(ran.len(), "test"), ran.len() - failed);
    text.push_str(&colour.paint(if failed > 0 { BAD } else { GOOD }, &totals));
    if options.coverage || thin {
        text.push_str(&coverage.text(colour));
    }
    match &mutation {
        Some(mutation) => text.push_str(&mutation.text(colour)),
        None if mutates => text.push_str("nothing was left out of the rules, as tests fail\n"),
        None => {}
    }
    Ok(Done { shown: text, end, unwritten })
}

fn shown(ran: &Ran, colour: Colour) -> String {
    let (word, style) = if ran.misses.is_empty() { ("ok  ", GOOD) } else { ("FAIL", BAD) };
    let place = colour.paint(FAINT, &ran.place).into_owned();
    let mut text = format!("{} {}  {place}\n", colour.paint(style, word), escape(&ran.name));
    for miss in &ran.misses {
        for (index, line) in miss.what.lines().enumerate() {
            let line = escape(line);
            text.push_str(&if index == 0 {
                format!("     {}: {line}\n", miss.key)
            } else {
                format!("       {line}\n")
            });
        }
    }
    for path in &ran.blessed {
        text.push_str(&format!("     {} {path}\n", colour.paint(ODD, "written")));
    }
    text
}
