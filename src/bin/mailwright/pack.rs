//! `mailwright pack`: a rule set as one file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use mailwright::pipeline::Pipeline;

use crate::End;
use crate::terminal::{BAD, Colour};

/// Write a rule set as one file: to keep, to compare with a later one, to hand on
///
/// Every command takes it where it takes a folder of rules, and so does MAILWRIGHT_RULES of the function. What has a problem
/// is not packed. Messages of tests are left out.
#[derive(Debug, Args)]
pub struct Options {
    /// A folder of rule files
    #[arg(value_name = "RULES", default_value = "rules")]
    rules: PathBuf,
    /// Where to write it; - is standard output
    #[arg(long, value_name = "FILE", default_value = "rules.json")]
    out: PathBuf,
}

/// Run the command.
pub fn run(options: &Options) -> End {
    match pack(options) {
        Ok(shown) => {
            // A reader that has gone away has seen what it wanted.
            let _ = io::stdout().write_all(&shown);
            End::Good
        }
        Err(what) => {
            eprintln!("{}: {what}", Colour::of(&io::stderr()).paint(BAD, "error"));
            End::Unusable
        }
    }
}

fn pack(options: &Options) -> Result<Vec<u8>, String> {
    let cannot = |problems: &mailwright::rule::problem::Problems| {
        let rules = crate::terminal::path(&options.rules);
        format!("the rules in `{rules}` cannot be packed\n\n{}", problems.render(Colour::of(&io::stderr()).0))
    };
    let packed = Pipeline::pack(&options.rules).map_err(|problems| cannot(&problems))?;
    if options.out == Path::new("-") {
        return Ok(packed);
    }
    // Read again, so that what is said is true of what was written.
    let read = Pipeline::unpack(&packed).map_err(|problems| cannot(&problems))?;
    let shown = crate::terminal::path(&options.out);
    std::fs::write(&options.out, &packed).map_err(|error| format!("cannot write `{shown}`: {error}"))?;
    let rules = crate::check::count(read.rules().len(), "rule");
    Ok(format!("wrote {shown}: {rules}, digest {}\n", read.digest()).into_bytes())
}
