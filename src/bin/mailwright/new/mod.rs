//! `mailwright new`: a rule or a test to start from.
//!
//! Invariant: what is written has no problems and its tests hold; nothing that is there is overwritten.

mod rule;
mod test;

use std::io::{self, Write};

use clap::{Args, Subcommand};

use crate::End;
use crate::terminal::{BAD, Colour};

/// Write a rule, or a test, to start from
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Rule(rule::Options),
    Test(test::Options),
}

/// Run the command.
pub fn run(options: &Options) -> End {
    let done = match &options.what {
        What::Rule(options) => rule::write(options),
        What::Test(options) => test::print(options),
    };
    match done {
        Ok(shown) => {
            // A reader that has gone away has seen what it wanted.
            let _ = io::stdout().write_all(shown.as_bytes());
            End::Good
        }
        Err(what) => {
            eprintln!("{}: {what}", Colour::of(&io::stderr()).paint(BAD, "error"));
            End::Unusable
        }
    }
}

/// A string in TOML, quoted.
fn quoted(text: &str) -> String {
    // JSON's escapes are TOML's but for this one, which TOML wants for DEL.
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
