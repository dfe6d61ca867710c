//! `mailwright docs`: the reference of conditions, actions, tables and problems, from the descriptions by which rule files
//! are read.
//!
//! Invariant: what an example shows is what came of it when the page was written; nothing of a page is typed by hand twice.

mod action_examples;
mod condition_examples;
mod example;
mod pages;
mod problems;
mod table;

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::End;
use crate::terminal::{BAD, Colour};

/// Write the reference of rule files, a page for each condition and action
///
/// Markdown, readable as it is. Each example is run, and the page shows the message before and after.
#[derive(Debug, Args)]
pub struct Options {
    /// The folder to write it into
    #[arg(long, value_name = "FOLDER", default_value = "docs/reference")]
    out: PathBuf,
}

/// Run the command.
pub fn run(options: &Options) -> End {
    match write(options) {
        Ok(count) => {
            println!("wrote {count} pages to {}", crate::terminal::path(&options.out));
            End::Good
        }
        Err(what) => {
            eprintln!("{}: {what}", Colour::of(&io::stderr()).paint(BAD, "error"));
            End::Unusable
        }
    }
}

fn write(options: &Options) -> Result<usize, String> {
    let pages = pages::all()?;
    for (name, text) in &pages {
        let path = options.out.join(name);
        let folder = path.parent().unwrap_or(&options.out);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("cannot write `{}`: {error}", crate::terminal::path(&path)))?;
    }
    Ok(pages.len())
}
