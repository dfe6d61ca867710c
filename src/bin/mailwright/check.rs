//! `mailwright check`: every problem of a rule set, without a message.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use mailwright::facts::{Clock, Timestamp};
use mailwright::pipeline::Pipeline;
use mailwright::rule::period::Phase;
use serde_json::json;

use crate::End;
use crate::terminal::Colour;

/// Show every problem of a rule set
#[derive(Debug, Args)]
pub struct Options {
    /// A folder of rule files, or one rule file
    #[arg(value_name = "RULES", default_value = "rules")]
    rules: PathBuf,
    /// One JSON object, for programs
    #[arg(long)]
    json: bool,
}

/// Run the command.
pub fn run(options: &Options) -> End {
    let mut out = io::stdout().lock();
    let (end, shown) = match Pipeline::load(&options.rules) {
        Ok(pipeline) => {
            let (rules, files) = (pipeline.rules().len(), files(&options.rules));
            let now = Clock::System.now();
            let warnings = pipeline.warnings_at(now);
            let shown = if options.json {
                let (digest, problems) = (pipeline.digest(), warnings.to_json());
                let limited: Vec<_> = limited(&pipeline, now)
                    .map(|(name, active, phase)| json!({ "rule": name, "active": active, "phase": phase }))
                    .collect();
                json!({ "rules": rules, "files": files, "digest": digest, "limited": limited, "problems": problems })
                    .to_string()
            } else if warnings.is_empty() {
                format!("{} in {}, no problems{}", count(rules, "rule"), count(files, "file"), limits(&pipeline, now))
            } else {
                let counted = count(warnings.len(), "warning");
                let totals = format!("{} in {}, {counted}", count(rules, "rule"), count(files, "file"));
                let totals = format!("{totals}{}", limits(&pipeline, now));
                format!("{}\n\n{totals}", warnings.render(Colour::of(&out).0))
            };
            (End::Good, shown)
        }
        Err(problems) if options.json => (End::Unusable, json!({ "problems": problems.to_json() }).to_string()),
        Err(problems) => {
            let total = count(problems.len(), "problem");
            (End::Unusable, format!("{}\n\n{total}", problems.render(Colour::of(&out).0)))
        }
    };
    // A reader that has gone away has seen what it wanted.
    let _ = writeln!(out, "{shown}");
    end
}

/// The rules that begin or end, with when that is and where now is.
fn limited(pipeline: &Pipeline, now: Timestamp) -> impl Iterator<Item = (&str, String, &'static str)> {
    pipeline.rules().iter().filter_map(move |rule| {
        let active = rule.active.as_ref()?;
        let phase = match active.phase(now) {
            Phase::Before => "not yet",
            Phase::Within => "now",
            Phase::After => "over",
        };
        Some((rule.name.as_str(), active.to_string(), phase))
    })
}

/// A line for each of them.
fn limits(pipeline: &Pipeline, now: Timestamp) -> String {
    let line = |(name, active, phase)| format!("\n  {}: active {active}: {phase}", crate::terminal::escape(name));
    limited(pipeline, now).map(line).collect()
}

/// `1 rule`, `2 rules`.
pub fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// How many rule files there are, `organization.toml` included.
fn files(rules: &std::path::Path) -> usize {
    if rules.is_file() {
        return 1;
    }
    let entries = std::fs::read_dir(rules).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "toml")).count()
}
