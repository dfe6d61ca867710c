//! Where messages come from: files, folders, mbox files, Maildir, standard input, each as it is or packed by gzip.
//!
//! Invariant: all that is asked for is found and opened before the first message is run, so a wrong path costs nothing;
//! a message is read when its turn comes, so only those at work are in memory.

mod folder;
mod gzip;
mod mbox;

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::terminal;
use gzip::Packed;

/// Longest message that is read, in octets: more than ten times what WorkMail takes.
const MAX_MESSAGE: u64 = 512 * 1024 * 1024;
/// Most octets read from standard input or a pipe, which are kept in memory.
const MAX_STREAM: u64 = 2 * 1024 * 1024 * 1024;
/// How much of a file is looked at to tell what it is.
const SNIFFED: u64 = 1024;

/// A message that was found and not yet read.
#[derive(Debug)]
pub struct Found {
    /// What people call it: its path, made safe to print.
    pub shown: String,
    /// Where it goes below `--out`.
    pub relative: PathBuf,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// The whole of a file.
    File(PathBuf),
    /// A message of an mbox file.
    Mbox(PathBuf, Range<u64>),
    /// A message of an mbox file that is packed, by its place in what is unpacked.
    PackedMbox(Arc<Packed>, Range<u64>),
    /// The whole of what came through a pipe.
    Memory(Arc<Vec<u8>>),
    /// A message of an mbox that came through a pipe.
    MemoryMbox(Arc<Vec<u8>>, Range<u64>),
}

/// All that was found.
#[derive(Debug, Default)]
pub struct Finds {
    /// The messages, in the order of the arguments, then of their names.
    pub messages: Vec<Found>,
    /// Files in folders that are no messages by name or by their first line.
    pub passed_over: usize,
}

/// A path that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{what} `{path}`: {why}\n  = help: {help}")]
pub struct SourceError {
    what: &'static str,
    path: String,
    why: String,
    help: &'static str,
}

impl SourceError {
    fn new(what: &'static str, path: &Path, why: impl Into<String>, help: &'static str) -> Self {
        Self { what, path: terminal::path(path), why: why.into(), help }
    }

    fn io(path: &Path, error: &io::Error) -> Self {
        let help = match error.kind() {
            io::ErrorKind::NotFound => "check the spelling; paths are relative to the folder that you are in",
            io::ErrorKind::PermissionDenied => "give yourself the right to read it (chmod +r), or leave it out",
            _ => "make it readable, or leave it out",
        };
        Self::new("cannot read", path, error.to_string(), help)
    }
}

impl Found {
    /// Read the message.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match &self.place {
            Place::File(path) => {
                let file = File::open(path)?;
                let length = file.metadata()?.len();
                if length > MAX_MESSAGE {
                    return Err(too_large(length));
                }
                let mut raw = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
                file.take(MAX_MESSAGE).read_to_end(&mut raw)?;
                if gzip::is_packed(&raw) { gzip::unpack(&raw, MAX_MESSAGE) } else { Ok(raw) }
            }
            Place::Mbox(path, range) => {
                let length = range.end.saturating_sub(range.start);
                if length > MAX_MESSAGE {
                    return Err(too_large(length));
                }
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(range.start))?;
                let mut raw = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
                file.take(length).read_to_end(&mut raw)?;
                Ok(mbox::unquote(raw))
            }
            Place::PackedMbox(file, range) => {
                let length = range.end.saturating_sub(range.start);
                if length > MAX_MESSAGE {
                    return Err(too_large(length));
                }
                Ok(mbox::unquote(file.read(range.start, usize::try_from(length).unwrap_or(usize::MAX))?))
            }
            Place::Memory(raw) => Ok(raw.as_ref().clone()),
            Place::MemoryMbox(raw, range) => {
                let start = usize::try_from(range.start).unwrap_or(usize::MAX);
                let end = usize::try_from(range.end).unwrap_or(usize::MAX);
                Ok(mbox::unquote(raw.get(start..end).unwrap_or_default().to_vec()))
            }
        }
    }

    /// Where it stands in its file.
    pub fn place(&self) -> Range<u64> {
        match &self.place {
            Place::Mbox(_, range) | Place::PackedMbox(_, range) | Place::MemoryMbox(_, range) => range.clone(),
            Place::File(_) | Place::Memory(_) => 0..0,
        }
    }

    /// The file that it stands in; `None` where it came through a pipe.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) | Place::Mbox(path, _) => Some(path),
            Place::PackedMbox(file, _) => Some(file.path()),
            Place::Memory(_) | Place::MemoryMbox(..) => None,
        }
    }
}

fn too_large(length: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("{length} octets; the limit is {MAX_MESSAGE}"))
}

/// Find the messages that `paths` name.
pub fn find(paths: &[PathBuf]) -> Result<Finds, SourceError> {
    let mut finds = Finds::default();
    for path in paths {
        if path.as_os_str() == "-" {
            piped(Path::new("stdin"), io::stdin().lock(), &mut finds)?;
            continue;
        }
        let kind = fs::metadata(path).map_err(|e| SourceError::io(path, &e))?;
        if kind.is_dir() {
            folder::find(path, &mut finds)?;
        } else {
            let name = path.file_name().map_or_else(|| PathBuf::from("message"), |name| unpacked(Path::new(name)));
            let file = File::open(path).map_err(|e| SourceError::io(path, &e))?;
            if kind.is_file() {
                let is_mbox = !has_extension(&name, "eml")
                    && (has_extension(&name, "mbox") || mbox::begins(&first_octets(path, file)?));
                if is_mbox {
                    add_mbox(path, &name, &mut finds)?;
                } else {
                    add_file(path, name, &mut finds);
                }
            } else {
                piped(path, file, &mut finds)?;
            }
        }
    }
    Ok(finds)
}

fn add_file(path: &Path, relative: PathBuf, finds: &mut Finds) {
    finds.messages.push(Found { shown: terminal::path(path), relative, place: Place::File(path.to_owned()) });
}

fn add_mbox(path: &Path, relative: &Path, finds: &mut Finds) -> Result<(), SourceError> {
    let mut file = File::open(path).map_err(|e| SourceError::io(path, &e))?;
    let mut magic = Vec::new();
    file.by_ref().take(3).read_to_end(&mut magic).map_err(|e| SourceError::io(path, &e))?;
    let (index, packed) = if gzip::is_packed(&magic) {
        (gzip::open(path).and_then(mbox::index), Some(Arc::new(Packed::new(path))))
    } else {
        let whole = file.rewind().map(|()| BufReader::with_capacity(256 * 1024, file));
        (whole.and_then(mbox::index), None)
    };
    for (number, range) in index.map_err(|e| SourceError::io(path, &e))?.into_iter().enumerate() {
        let name = mbox_entry(number);
        finds.messages.push(Found {
            shown: terminal::path(&path.join(&name)),
            relative: relative.join(&name),
            place: match &packed {
                Some(packed) => Place::PackedMbox(Arc::clone(packed), range),
                None => Place::Mbox(path.to_owned(), range),
            },
        });
    }
    Ok(())
}

/// The name of a file without the `.gz` that gzip puts behind it.
fn unpacked(path: &Path) -> PathBuf {
    if has_extension(path, "gz") { path.with_extension("") } else { path.to_owned() }
}

/// The name of a message of an mbox, which has none of its own.
fn mbox_entry(number: usize) -> String {
    format!("{:06}.eml", number + 1)
}

/// A message or an mbox that comes through a pipe: it is kept in memory, for it can be read once only.
fn piped(path: &Path, from: impl Read, finds: &mut Finds) -> Result<(), SourceError> {
    let mut raw = Vec::new();
    from.take(MAX_STREAM).read_to_end(&mut raw).map_err(|e| SourceError::io(path, &e))?;
    if raw.len() as u64 >= MAX_STREAM {
        return Err(SourceError::new(
            "cannot read",
            path,
            "more than 2 GiB came through it",
            "save it to a file first",
        ));
    }
    if gzip::is_packed(&raw) {
        raw = gzip::unpack(&raw, MAX_STREAM).map_err(|e| SourceError::io(path, &e))?;
    }
    let raw = Arc::new(raw);
    let stem = path.file_name().map_or_else(|| PathBuf::from("stdin"), PathBuf::from);
    if mbox::begins(&raw) {
        let ranges = mbox::index(raw.as_slice()).map_err(|e| SourceError::io(path, &e))?;
        for (number, range) in ranges.into_iter().enumerate() {
            let name = mbox_entry(number);
            finds.messages.push(Found {
                shown: terminal::path(&path.join(&name)),
                relative: stem.join(&name),
                place: Place::MemoryMbox(Arc::clone(&raw), range),
            });
        }
    } else {
        let relative = stem.with_extension("eml");
        finds.messages.push(Found { shown: terminal::path(path), relative, place: Place::Memory(raw) });
    }
    Ok(())
}

/// The first octets of a file, unpacked where it is packed.
fn first_octets(path: &Path, file: File) -> Result<Vec<u8>, SourceError> {
    let mut start = Vec::new();
    file.take(SNIFFED).read_to_end(&mut start).map_err(|e| SourceError::io(path, &e))?;
    Ok(if gzip::is_packed(&start) { gzip::start(&start) } else { start })
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(finds: &Finds) -> Vec<String> {
        finds.messages.iter().map(|m| m.relative.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_missing_path_is_named_with_a_way_out() {
        let error = find(&[PathBuf::from("no/such/folder")]).unwrap_err().to_string();
        assert!(error.starts_with("cannot read `no/such/folder`: "), "{error}");
        assert!(error.contains("help: check the spelling"), "{error}");
    }

    #[test]
    fn a_file_given_by_name_is_a_message_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a letter.txt");
        fs::write(&path, "Subject: x\n\ny\n").unwrap();
        let finds = find(&[path]).unwrap();
        assert_eq!(names(&finds), ["a letter.txt"]);
        assert_eq!(finds.messages[0].read().unwrap(), b"Subject: x\n\ny\n");
    }

    #[test]
    fn an_eml_that_begins_with_an_mbox_line_is_one_message_with_that_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.eml");
        let raw = b"From a Mon Jan  1 00:00:00 2024\nSubject: x\n\nFrom b Mon Jan  1 00:00:00 2024\n";
        fs::write(&path, raw).unwrap();
        let finds = find(&[path]).unwrap();
        assert_eq!(names(&finds), ["x.eml"]);
        assert_eq!(finds.messages[0].read().unwrap(), raw);
    }

    #[test]
    fn an_mbox_gives_one_file_per_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox");
        fs::write(
            &path,
            "From a Mon Jan  1 00:00:00 2024\nSubject: 1\n\n>From me\n\nFrom b Mon Jan  1 00:00:00 2024\nSubject: 2\n\nx\n",
        )
        .unwrap();
        let finds = find(&[path]).unwrap();
        assert_eq!(names(&finds), ["inbox/000001.eml", "inbox/000002.eml"]);
        assert_eq!(finds.messages[0].read().unwrap(), b"Subject: 1\n\nFrom me\n");
        assert_eq!(finds.messages[1].read().unwrap(), b"Subject: 2\n\nx\n");
    }
}
