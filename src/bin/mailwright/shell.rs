//! `mailwright completions` and `mailwright man`: what a shell and `man` want to know of the command, made from its own
//! description of itself.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::terminal::{BAD, Colour};
use crate::{Arguments, End};

/// Print the completions of a shell
///
/// For bash: `mailwright completions bash > ~/.local/share/bash-completion/completions/mailwright`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for each command
///
/// `mailwright man | man -l -` shows it.
#[derive(Debug, Args)]
pub struct Manual {
    /// Write `mailwright.1`, `mailwright-replay.1` and so on into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Print completions.
pub fn complete(options: &Completions) -> End {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "mailwright", &mut script);
    // A reader that has gone away has seen what it wanted.
    let _ = io::stdout().write_all(&script);
    End::Good
}

/// Print or write manual pages.
pub fn manual(options: &Manual) -> End {
    match pages(options) {
        Ok(()) => End::Good,
        Err(what) => {
            eprintln!("{}: {what}", Colour::of(&io::stderr()).paint(BAD, "error"));
            End::Unusable
        }
    }
}

fn pages(options: &Manual) -> Result<(), String> {
    let command = Arguments::command();
    let Some(folder) = &options.out else {
        let _ = io::stdout().write_all(&page(command)?);
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|error| format!("cannot write to `{}`: {error}", crate::terminal::path(folder)))
}

fn page(command: clap::Command) -> Result<Vec<u8>, String> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page).map_err(|error| error.to_string())?;
    Ok(page)
}
