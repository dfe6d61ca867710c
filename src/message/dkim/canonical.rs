//! Canonical forms of header fields and bodies (RFC 6376 §3.4).
//!
//! Invariant: a body passes through once, in pieces of any size, and none of it is kept. A line ends at LF, with or
//! without a CR before it, and counts as CRLF: mail that lies on a disk was signed as it went over the wire.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// SHA-256 of a canonical body, or of its beginning.
pub(super) type Hash = [u8; 32];

/// How much is done about changes on the way (RFC 6376 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Canon {
    /// Next to none is tolerated.
    Simple,
    /// White space may change.
    Relaxed,
}

/// Hashes of one body in one canonical form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BodyHashes {
    /// Of the whole.
    pub whole: Hash,
    /// Octets of the whole.
    pub len: u64,
    /// Of the first so many octets, for each limit that was asked for and that is not beyond the end.
    pub first: BTreeMap<u64, Hash>,
}

impl BodyHashes {
    /// The hash of what a signature with this `l=` covers; `None` where it claims more than there is.
    pub fn of(&self, length: Option<u64>) -> Option<&Hash> {
        match length {
            Some(length) => self.first.get(&length),
            None => Some(&self.whole),
        }
    }
}

/// Hashes a body as it comes.
#[derive(Debug)]
pub(super) struct BodyHasher {
    canon: Canon,
    out: Sink,
    /// Line ends that are held back: those at the end of the body do not count.
    ends: u64,
    /// White space that is held back: at the end of a line it does not count. Relaxed only.
    space: bool,
    /// A CR at the end of a piece, which may be half of a line end.
    cr: bool,
    /// Anything but line ends has been seen.
    any: bool,
}

/// Line ends that are written at once.
const ENDS: &[u8; 64] = b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

impl BodyHasher {
    /// For one canonical form; `limits` are the lengths (`l=`) that hashes are wanted of.
    pub fn new(canon: Canon, limits: impl IntoIterator<Item = u64>) -> Self {
        Self { canon, out: Sink::new(limits), ends: 0, space: false, cr: false, any: false }
    }

    /// The next piece of the body.
    pub fn update(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let end = memchr::memchr(b'\n', piece);
            let (line, rest) = piece.split_at(end.unwrap_or(piece.len()));
            piece = rest.get(1..).unwrap_or_default();
            let (text, cr) = match line.strip_suffix(b"\r") {
                Some(text) => (text, true),
                None => (line, false),
            };
            // What is held from the last piece is half of a line end if a LF follows at once, else it is text.
            if self.cr && !(line.is_empty() && end.is_some()) {
                self.text(b"\r");
            }
            self.text(text);
            self.cr = cr && end.is_none();
            if end.is_some() {
                self.space = false;
                self.ends += 1;
            }
        }
    }

    /// The hashes, when all pieces have come.
    pub fn finish(mut self) -> BodyHashes {
        if self.cr {
            self.text(b"\r");
        }
        // RFC 6376 §3.4.3: without a body there is a line end still; §3.4.4: there is nothing.
        if self.any || self.canon == Canon::Simple {
            self.out.write(b"\r\n");
        }
        self.out.finish()
    }

    /// Text without line ends.
    fn text(&mut self, text: &[u8]) {
        if self.canon == Canon::Simple || memchr::memchr2(b' ', b'\t', text).is_none() {
            return self.word(text);
        }
        let is_blank = |b: &u8| matches!(b, b' ' | b'\t');
        let mut rest = text;
        while !rest.is_empty() {
            let (word, behind) = rest.split_at(memchr::memchr2(b' ', b'\t', rest).unwrap_or(rest.len()));
            self.word(word);
            let blank = behind.iter().take_while(|b| is_blank(b)).count();
            self.space |= blank > 0;
            rest = behind.get(blank..).unwrap_or_default();
        }
    }

    /// Octets that count, with what was held back before them.
    fn word(&mut self, word: &[u8]) {
        if word.is_empty() {
            return;
        }
        self.any = true;
        while self.ends > 0 {
            let now = self.ends.min(ENDS.len() as u64 / 2);
            self.ends -= now;
            let octets = usize::try_from(now * 2).unwrap_or(0);
            self.out.write(ENDS.get(..octets).unwrap_or_default());
        }
        if std::mem::take(&mut self.space) {
            self.out.write(b" ");
        }
        self.out.write(word);
    }
}

/// Takes canonical octets and hashes them, the beginnings that were asked for as well.
#[derive(Debug)]
struct Sink {
    digest: Sha256,
    len: u64,
    /// Lengths still to come, the next one last.
    limits: Vec<u64>,
    first: BTreeMap<u64, Hash>,
}

impl Sink {
    fn new(limits: impl IntoIterator<Item = u64>) -> Self {
        let mut limits: Vec<u64> = limits.into_iter().collect();
        limits.sort_unstable_by(|a, b| b.cmp(a));
        limits.dedup();
        let mut sink = Self { digest: Sha256::new(), len: 0, limits, first: BTreeMap::new() };
        sink.write(b"");
        sink
    }

    fn write(&mut self, mut octets: &[u8]) {
        while let Some(limit) = self.limits.last().copied() {
            let left = limit - self.len;
            let Some(within) = usize::try_from(left).ok().and_then(|left| octets.get(..left)) else { break };
            self.digest.update(within);
            self.len = limit;
            octets = octets.get(within.len()..).unwrap_or_default();
            self.first.insert(limit, self.digest.clone().finalize().into());
            self.limits.pop();
        }
        self.digest.update(octets);
        self.len += octets.len() as u64;
    }

    fn finish(self) -> BodyHashes {
        BodyHashes { whole: self.digest.finalize().into(), len: self.len, first: self.first }
    }
}

/// A whole header field, its line end included, in canonical form (RFC 6376 §3.4.1, §3.4.2).
pub(super) fn field(canon: Canon, name: &[u8], value: &[u8], whole: &[u8]) -> Vec<u8> {
    match canon {
        // The line end at the end is one in either case.
        Canon::Simple => {
            let whole = whole.strip_suffix(b"\n").unwrap_or(whole);
            let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
            let mut out = Vec::with_capacity(whole.len());
            for line in whole.split_inclusive(|b| *b == b'\n') {
                match line.strip_suffix(b"\n") {
                    Some(text) => {
                        out.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                        out.extend_from_slice(b"\r\n");
                    }
                    None => out.extend_from_slice(line),
                }
            }
            out
        }
        Canon::Relaxed => {
            let mut out = name.to_ascii_lowercase();
            out.push(b':');
            let start = out.len();
            let mut space = false;
            for byte in value {
                if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                    space = out.len() > start;
                } else {
                    if std::mem::take(&mut space) {
                        out.push(b' ');
                    }
                    out.push(*byte);
                }
            }
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules of RFC 6376 §3.4.3 and §3.4.4 word for word, on the whole body at once.
    fn slow(canon: Canon, body: &[u8]) -> Vec<u8> {
        let text: String = body.iter().map(|b| char::from(*b)).collect();
        let mut lines: Vec<String> =
            text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).into()).collect();
        // Where the text ends in a line end, the last piece is no line; a CR that nothing follows ends none.
        if text.ends_with('\r') && !text.ends_with('\n') {
            lines.last_mut().unwrap().push('\r');
        }
        if canon == Canon::Relaxed {
            for line in &mut lines {
                let mut words = String::new();
                for c in line.replace('\t', " ").chars() {
                    if c != ' ' || !words.ends_with(' ') {
                        words.push(c);
                    }
                }
                *line = words.trim_end_matches(' ').to_owned();
            }
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        let mut out: Vec<u8> = lines.iter().flat_map(|line| line.chars().map(|c| c as u8).chain(*b"\r\n")).collect();
        if out.is_empty() && canon == Canon::Simple {
            out = b"\r\n".to_vec();
        }
        out
    }

    fn sha256(bytes: &[u8]) -> Hash {
        Sha256::digest(bytes).into()
    }

    fn hashes(canon: Canon, body: &[u8], piece: usize, limits: &[u64]) -> BodyHashes {
        let mut hasher = BodyHasher::new(canon, limits.iter().copied());
        body.chunks(piece).for_each(|piece| hasher.update(piece));
        hasher.finish()
    }

    /// RFC 6376 §3.4.5, where `<SP>` is a space and `<HTAB>` a tab.
    const EXAMPLE: &[u8] = b" C \r\nD \t E\r\n\r\n\r\n";

    #[test]
    fn the_examples_of_rfc_6376() {
        for (canon, canonical) in [(Canon::Relaxed, &b" C\r\nD E\r\n"[..]), (Canon::Simple, b" C \r\nD \t E\r\n")] {
            assert_eq!(hashes(canon, EXAMPLE, 99, &[]).whole, sha256(canonical));
            assert_eq!(slow(canon, EXAMPLE), canonical);
        }
        let of = |canon, whole: &[u8]| {
            let colon = whole.iter().position(|b| *b == b':').unwrap();
            let name = whole[..colon].trim_ascii_end();
            String::from_utf8(field(canon, name, &whole[colon + 1..], whole)).unwrap()
        };
        assert_eq!(of(Canon::Relaxed, b"A: X\r\n"), "a:X");
        assert_eq!(of(Canon::Relaxed, b"B : Y\t\r\n\tZ  \r\n"), "b:Y Z");
        assert_eq!(of(Canon::Simple, b"A: X\r\n"), "A: X");
        assert_eq!(of(Canon::Simple, b"B : Y\t\n\tZ  \n"), "B : Y\t\r\n\tZ  ");
    }

    #[test]
    fn an_empty_body_is_a_line_end_or_nothing() {
        // The hashes that RFC 6376 §3.4.3 and §3.4.4 give.
        let base64 = |hash: &[u8]| encodify::base64::STANDARD.encode(hash);
        let given = [sha256(b"\r\n"), sha256(b"")].map(|hash| base64(&hash));
        assert_eq!(
            given,
            ["frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
        );
        for body in [&b""[..], b"\r\n", b"\r\n\r\n", b"\n\n\n"] {
            assert_eq!(hashes(Canon::Simple, body, 1, &[]).whole, sha256(b"\r\n"));
            assert_eq!(hashes(Canon::Relaxed, body, 1, &[]).whole, sha256(b""));
        }
        assert_eq!(hashes(Canon::Relaxed, b" \t\r\n \r\n", 1, &[]).whole, sha256(b""));
        assert_eq!(hashes(Canon::Simple, b" \r\n", 1, &[]).whole, sha256(b" \r\n"));
    }

    proptest::proptest! {
        #[test]
        fn a_body_in_pieces_is_the_body_at_once(
            letters in proptest::collection::vec(0..6_usize, 0..60),
            piece in 1..9_usize,
        ) {
            let body: Vec<u8> = letters.iter().map(|l| b"ab \t\r\n"[*l]).collect();
            for canon in [Canon::Simple, Canon::Relaxed] {
                let expected = slow(canon, &body);
                let limits: Vec<u64> = (0..70).step_by(7).collect();
                let found = hashes(canon, &body, piece, &limits);
                proptest::prop_assert_eq!(found.whole, sha256(&expected), "{:?} {:?}", canon, body.escape_ascii());
                proptest::prop_assert_eq!(found.len, expected.len() as u64);
                for limit in limits {
                    let part = usize::try_from(limit).ok().and_then(|limit| expected.get(..limit)).map(sha256);
                    proptest::prop_assert_eq!(found.of(Some(limit)).copied(), part);
                }
            }
        }
    }

    #[test]
    fn many_empty_lines_in_the_middle_count() {
        let body = [&b"a"[..], &b"\r\n".repeat(200), b"b\r\n"].concat();
        assert_eq!(hashes(Canon::Relaxed, &body, 7, &[]).whole, sha256(&body));
    }
}
