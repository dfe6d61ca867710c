//! `--resume`: what is done, kept in a file while a run goes on.
//!
//! Invariant: the file is whole at any moment, and a run goes on only from one over the same messages with the same rules
//! and options.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use jiff::Timestamp;
use mailwright::hex::hex;
use mailwright::pipeline::Pipeline;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::sums::Sums;
use super::{place, words};
use crate::event::Given;
use crate::source::Found;
use crate::terminal;

/// Written at least so often, in messages.
const MESSAGES: usize = 500;
/// And in time.
const EVERY: Duration = Duration::from_secs(1);

/// The file of a run.
pub struct Resume {
    path: PathBuf,
    digest: String,
    found: Option<State>,
    saved: (usize, Instant),
}

#[derive(Serialize, Deserialize)]
struct State {
    /// Of what the run is.
    run: String,
    /// What time it is for the rules.
    now: String,
    /// All that is done.
    sums: Sums,
}

/// As [`State`], to write.
#[derive(Serialize)]
struct Saved<'a> {
    run: &'a str,
    now: String,
    sums: &'a Sums,
}

impl Resume {
    /// Open what an earlier run left, if it left anything.
    pub fn open(path: &Path, digest: &str) -> Result<Self, String> {
        let shown = terminal::path(path);
        let found: Option<State> = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("cannot read --resume `{shown}`: {error}")),
            Ok(octets) => Some(serde_json::from_slice(&octets).map_err(|_| {
                format!("--resume `{shown}` is no file of a run that was broken off\n  = help: choose another file")
            })?),
        };
        if found.as_ref().is_some_and(|state| state.run != digest) {
            return Err(format!(
                "--resume `{shown}` is of another run: the rules, the messages or the options were others\n  = help: \
                 delete it to begin anew, or choose another file"
            ));
        }
        Ok(Self { path: path.to_owned(), digest: digest.to_owned(), found, saved: (0, Instant::now()) })
    }

    /// The time and the sums of the run that was broken off.
    pub fn take(&mut self) -> Option<(Timestamp, Sums)> {
        let state = self.found.take()?;
        let now = state.now.parse().ok()?;
        self.saved.0 = state.sums.messages;
        Some((now, state.sums))
    }

    /// Write it, unless that was done a moment ago.
    pub fn save_now_and_then(&mut self, now: Timestamp, sums: &Sums) -> io::Result<()> {
        let (messages, at) = self.saved;
        if sums.messages < messages + MESSAGES && at.elapsed() < EVERY {
            return Ok(());
        }
        self.saved = (sums.messages, Instant::now());
        let state = serde_json::to_vec(&Saved { run: &self.digest, now: now.to_string(), sums })?;
        let mut part = OsString::from(&self.path);
        part.push(".part");
        fs::write(&part, state)?;
        fs::rename(&part, &self.path)
    }

    /// The run is done: the file is not needed any more.
    pub fn end(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// What a run is of. An error where the messages come through a pipe.
pub fn digest(
    rules: [&Pipeline; 2],
    domains: &[String],
    given: &Given,
    examples: usize,
    messages: &[Found],
) -> Result<String, String> {
    let mut digest = Sha256::new();
    let mut line = |text: &str| {
        digest.update(text.as_bytes());
        digest.update(b"\n");
    };
    line(env!("CARGO_PKG_VERSION"));
    for pipeline in rules {
        line(pipeline.digest());
    }
    for domain in domains {
        line(domain);
    }
    line(&words(given));
    line(&examples.to_string());
    let mut last: Option<(&Path, String)> = None;
    for found in messages {
        let file =
            found.file().ok_or("--resume needs files: what comes through a pipe is gone when it is asked for again")?;
        if last.as_ref().is_none_or(|(path, _)| *path != file) {
            let meta = fs::metadata(file).map_err(|error| format!("cannot read `{}`: {error}", found.shown))?;
            let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            last = Some((file, format!("{} {:?}", meta.len(), modified)));
        }
        line(&found.shown);
        line(last.as_ref().map_or("", |(_, about)| about));
        line(&place(found));
    }
    Ok(hex(&digest.finalize()))
}
