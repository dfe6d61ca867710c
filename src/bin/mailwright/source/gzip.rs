//! Files that gzip has packed, whatever they are called.
//!
//! Invariant: nothing is unpacked to disk, and of a packed mbox at most [`KEPT`] octets wait in memory. Messages are asked
//! for in about the order in which they stand, so the file is read through once for the index and once for the
//! messages.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use flate2::bufread::{GzDecoder, MultiGzDecoder};

/// What a packed file begins with (RFC 1952 §2.3.1), its one method included. No message does.
const MAGIC: &[u8] = &[0x1f, 0x8b, 0x08];
/// Most octets that wait for a reader that is behind.
const KEPT: usize = 64 * 1024 * 1024;
/// Read at a time.
const CHUNK: usize = 256 * 1024;

/// True where what starts so is packed.
pub fn is_packed(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

/// The unpacked start of what begins with `start`, as far as that reaches.
pub fn start(start: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // It is cut off: what came before the error counts.
    let _ = GzDecoder::new(start).take(1024).read_to_end(&mut out);
    out
}

/// A reader of a file's unpacked content.
pub fn open(path: &Path) -> io::Result<impl BufRead> {
    let packed = BufReader::with_capacity(CHUNK, File::open(path)?);
    Ok(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(packed)))
}

/// Unpack what is in memory, at most `most` octets.
pub fn unpack(packed: &[u8], most: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    MultiGzDecoder::new(packed).take(most.saturating_add(1)).read_to_end(&mut out)?;
    if out.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} octets when unpacked")));
    }
    Ok(out)
}

/// A packed file whose messages are read by several threads, each the next one.
pub struct Packed {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reader: Option<Box<dyn Read + Send>>,
    /// Where the reader stands in the unpacked content.
    at: u64,
    /// What it went past for a reader that is ahead of another.
    kept: VecDeque<(u64, Vec<u8>)>,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Packed {
    /// Nothing is opened yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), state: Mutex::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `length` octets from `start` on in the unpacked content.
    pub fn read(&self, start: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = state.find(start, length) {
            return Ok(found);
        }
        if state.reader.is_none() || state.at > start {
            let packed = BufReader::with_capacity(CHUNK, File::open(&self.path)?);
            *state = State { reader: Some(Box::new(MultiGzDecoder::new(packed))), ..State::default() };
        }
        state.skip_to(start)?;
        state.take(length)
    }
}

impl State {
    fn find(&self, start: u64, length: usize) -> Option<Vec<u8>> {
        self.kept.iter().find_map(|(at, octets)| {
            let from = usize::try_from(start.checked_sub(*at)?).ok()?;
            Some(octets.get(from..from.checked_add(length)?)?.to_vec())
        })
    }

    /// What is gone past is kept for others, unless it is much: then a run goes on in the middle of the file.
    fn skip_to(&mut self, start: u64) -> io::Result<()> {
        let gap = start.saturating_sub(self.at);
        if gap > (KEPT / 4) as u64 {
            let reader = self.reader.as_mut().ok_or(io::ErrorKind::NotFound)?;
            let skipped = io::copy(&mut reader.take(gap), &mut io::sink())?;
            self.at += skipped;
            return if skipped == gap { Ok(()) } else { Err(changed()) };
        }
        if gap == 0 {
            return Ok(());
        }
        let (at, length) = (self.at, usize::try_from(gap).unwrap_or(usize::MAX));
        let octets = self.take(length)?;
        self.kept.push_back((at, octets));
        while self.kept.iter().map(|(_, octets)| octets.len()).sum::<usize>() > KEPT || self.kept.len() > 256 {
            self.kept.pop_front();
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let reader = self.reader.as_mut().ok_or(io::ErrorKind::NotFound)?;
        let mut octets = Vec::with_capacity(length.min(KEPT));
        reader.take(length as u64).read_to_end(&mut octets)?;
        self.at += octets.len() as u64;
        if octets.len() == length { Ok(octets) } else { Err(changed()) }
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than it was")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn messages_are_read_in_order_and_a_little_out_of_it() {
        let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        // Two members, as `cat a.gz b.gz` makes them (RFC 1952 §2.2).
        let (a, b) = content.split_at(300_000);
        std::fs::write(&path, [packed(a), packed(b)].concat()).unwrap();
        let file = Packed::new(&path);
        for start in [0, 4_000, 1_000, 500_000, 499_000, 700_000, 0, 799_000] {
            let read = file.read(start as u64, 1_000).unwrap();
            assert_eq!(read, content[start..start + 1_000], "{start}");
        }
        assert!(file.read(799_999, 2).is_err());
    }

    #[test]
    fn what_is_packed_is_known_by_its_first_octets_and_bounded() {
        let bomb = packed(&vec![b'a'; 1_000_000]);
        assert!(is_packed(&bomb) && !is_packed(b"From: a"));
        assert_eq!(unpack(&bomb, 1_000_000).unwrap().len(), 1_000_000);
        assert!(unpack(&bomb, 999_999).is_err());
        assert!(unpack(&bomb[..500], 1_000_000).is_err());
        assert_eq!(start(&packed(b"From: a\n")[..]), b"From: a\n");
    }
}
