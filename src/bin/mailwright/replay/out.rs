//! `--out`: every message, changed or not, at its relative path.
//!
//! Invariant: no file that is replayed is ever written to, and no two messages are written to one file; both are
//! found out before the first message is run.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use mailwright::stored::Stored;

use crate::source::Found;
use crate::terminal;

/// The folder of stored attachments.
const STORED: &str = "stored-attachments";

/// Why the messages cannot be written there.
#[derive(Debug, thiserror::Error)]
pub enum OutError {
    /// Two messages at one path.
    #[error(
        "`{first}` and `{second}` would both be written to `{path}`\n  = help: replay them one after the other with two \
         --out folders, or name the folder that holds both"
    )]
    Collision {
        /// The path below the folder.
        path: String,
        /// A message.
        first: String,
        /// Another.
        second: String,
    },
    /// The folder lies in one that is replayed.
    #[error(
        "--out `{out}` lies in `{path}`, which is replayed: the next run would replay what this one writes\n  = help: \
         choose a folder outside it"
    )]
    Inside {
        /// The folder.
        out: String,
        /// The path.
        path: String,
    },
    /// A message would be written over.
    #[error("--out `{out}` would write over `{path}`, which is replayed\n  = help: choose another folder")]
    Overwrite {
        /// The folder.
        out: String,
        /// The message.
        path: String,
    },
    /// The folder cannot be made.
    #[error("cannot make the folder --out `{out}`: {why}\n  = help: choose a folder that you may write to")]
    Folder {
        /// The folder.
        out: String,
        /// Why.
        why: io::Error,
    },
}

/// Where messages are written.
#[derive(Debug)]
pub struct Out {
    folder: PathBuf,
}

impl Out {
    /// Make the folder, and make sure that `messages`, found through `paths`, can be written to it.
    pub fn new(folder: &Path, paths: &[PathBuf], messages: &[Found]) -> Result<Self, OutError> {
        let out = terminal::path(folder);
        collisions(messages)?;
        fs::create_dir_all(folder).map_err(|why| OutError::Folder { out: out.clone(), why })?;
        let whole = folder.canonicalize().map_err(|why| OutError::Folder { out: out.clone(), why })?;
        for path in paths {
            if path.is_dir() && path.canonicalize().is_ok_and(|path| whole.starts_with(path)) {
                return Err(OutError::Inside { out, path: terminal::path(path) });
            }
        }
        let sources: HashSet<PathBuf> =
            messages.iter().filter_map(Found::file).filter_map(|f| f.canonicalize().ok()).collect();
        for message in messages {
            let target = whole.join(&message.relative);
            if target.canonicalize().is_ok_and(|target| sources.contains(&target)) {
                return Err(OutError::Overwrite { out, path: message.shown.clone() });
            }
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Write a message; answers where it is.
    pub fn write<'a>(&self, relative: &Path, slices: impl Iterator<Item = &'a [u8]>) -> io::Result<PathBuf> {
        let path = self.folder.join(relative);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::new(File::create(&path)?);
        for slice in slices {
            file.write_all(slice)?;
        }
        file.flush()?;
        Ok(path)
    }

    /// Write the attachments that rules stored, below `stored-attachments`, by their keys: the same one is written once.
    pub fn write_attachments(&self, stored: &[Stored]) -> io::Result<()> {
        for attachment in stored {
            let path = self.folder.join(STORED).join(attachment.key());
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, attachment.content())?;
        }
        Ok(())
    }
}

/// No two messages at one path, and none at a path that another needs as a folder.
fn collisions(messages: &[Found]) -> Result<(), OutError> {
    let mut taken: HashMap<&Path, &Found> = HashMap::new();
    let collision = |path: &Path, first: &Found, second: &Found| OutError::Collision {
        path: terminal::path(path),
        first: first.shown.clone(),
        second: second.shown.clone(),
    };
    for message in messages {
        debug_assert!(message.relative.components().all(|c| matches!(c, Component::Normal(_))));
        if let Some(first) = taken.insert(&message.relative, message) {
            return Err(collision(&message.relative, first, message));
        }
    }
    for message in messages {
        for folder in message.relative.ancestors().skip(1) {
            if let Some(first) = taken.get(folder) {
                return Err(collision(folder, first, message));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn found(paths: &[PathBuf]) -> Vec<Found> {
        source::find(paths).unwrap().messages
    }

    fn folders(names: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let paths = names.iter().map(|name| folder.path().join(name)).collect::<Vec<_>>();
        for path in &paths {
            fs::create_dir_all(path).unwrap();
            fs::write(path.join("x.eml"), "A: 1\n\n").unwrap();
        }
        (folder, paths)
    }

    #[test]
    fn two_messages_of_one_relative_path_are_named() {
        let (folder, paths) = folders(&["a", "b"]);
        let error = Out::new(&folder.path().join("out"), &paths, &found(&paths)).unwrap_err().to_string();
        assert!(
            error.contains("a/x.eml` and `") && error.contains("b/x.eml` would both be written to `x.eml`"),
            "{error}"
        );
        assert!(!folder.path().join("out").exists());
    }

    #[test]
    fn what_is_replayed_is_never_written_over() {
        let (folder, paths) = folders(&["a"]);
        let messages = found(&paths);
        for out in ["a", "a/out"] {
            let error = Out::new(&folder.path().join(out), &paths, &messages).unwrap_err();
            assert!(matches!(error, OutError::Inside { .. }), "{error}");
        }
        let file = vec![paths[0].join("x.eml")];
        let error = Out::new(&paths[0], &file, &found(&file)).unwrap_err();
        assert!(matches!(error, OutError::Overwrite { .. }), "{error}");
    }

    #[test]
    fn messages_are_written_at_their_relative_paths() {
        let (folder, paths) = folders(&["a", "a/b"]);
        let messages = found(&paths[..1]);
        let out = Out::new(&folder.path().join("new/out"), &paths[..1], &messages).unwrap();
        for message in &messages {
            out.write(&message.relative, [b"X: ".as_slice(), b"1\n\n"].into_iter()).unwrap();
        }
        assert_eq!(fs::read(folder.path().join("new/out/b/x.eml")).unwrap(), b"X: 1\n\n");
        assert_eq!(fs::read(folder.path().join("new/out/x.eml")).unwrap(), b"X: 1\n\n");
    }
}
