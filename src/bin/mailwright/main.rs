//! The `mailwright` command: tries rules on messages, and checks rule files.
//!
//! Exit codes: 0 good, 1 a message or a test failed or something differs, 2 wrong usage or a faulty rule file.

mod check;
mod diff;
mod docs;
mod event;
mod explain;
mod keys;
mod new;
mod pack;
mod page;
mod replay;
mod schema;
mod serve;
mod shell;
mod source;
mod terminal;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Rewrites mail in transit, byte-exact outside the edit.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Options),
    Check(check::Options),
    Diff(diff::Options),
    Explain(explain::Options),
    Test(test::Options),
    Serve(serve::Options),
    Pack(pack::Options),
    Schema(schema::Options),
    Docs(docs::Options),
    New(new::Options),
    Completions(shell::Completions),
    Man(shell::Manual),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Good,
    MessageFailed,
    Differs,
    Unusable,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        match end {
            End::Good => Self::SUCCESS,
            End::MessageFailed | End::Differs => Self::from(1),
            End::Unusable => Self::from(2),
        }
    }
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Replay(options) => replay::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Diff(options) => diff::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Serve(options) => serve::run(&options),
        Command::Pack(options) => pack::run(&options),
        Command::Docs(options) => docs::run(&options),
        Command::Schema(options) => schema::run(&options),
        Command::New(options) => new::run(&options),
        Command::Completions(options) => shell::complete(&options),
        Command::Man(options) => shell::manual(&options),
    }
    .into()
}
