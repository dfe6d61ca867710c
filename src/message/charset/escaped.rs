//! The charsets in seven bits that `encoding_rs` does not know: UTF-7 (RFC 2152), HZ (RFC 1843) and ISO-2022-KR (RFC 1557).
//! All are ASCII but for runs that an escape opens and closes.
//!
//! Invariant: new text begins and ends in ASCII. An edit inside a run writes that run anew, and nothing else.

use std::ops::Range;

use encoding_rs::{EUC_KR, Encoding, GBK};

use super::strict::{Reading, Strict};

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escaped {
    /// UTF-7.
    Utf7,
    /// HZ-GB-2312.
    Hz,
    /// ISO-2022-KR.
    Iso2022Kr,
}

const ESCAPE: u8 = 0x1B;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;
/// Says that what is shifted is KS X 1001; once, before the first shift.
const KOREAN: &[u8] = b"\x1B$)C";

/// A piece of the bytes, and its text. The pieces follow each other, and every one begins and ends in ASCII.
#[derive(Debug)]
struct Run {
    text: Range<usize>,
    bytes: Range<usize>,
    kind: RunKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunKind {
    /// ASCII that stands for itself.
    Direct,
    /// What an escape opens; false where only what follows ends it, or the end of the text.
    Escape { closed: bool },
}

/// How a character is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Direct,
    Doubled,
    Shifted,
    /// It would be read as an escape.
    Nothing,
}

/// A text, run by run.
#[derive(Debug)]
pub(super) struct Runs {
    pub text: String,
    pub reading: Reading,
    pieces: Vec<Run>,
}

impl Escaped {
    /// The charset of a label.
    pub fn of(label: &str) -> Option<Self> {
        match label {
            "hz-gb-2312" | "hz" | "hzgb" => Some(Self::Hz),
            "iso-2022-kr" | "csiso2022kr" => Some(Self::Iso2022Kr),
            _ if label.starts_with("utf-7") || label.starts_with("unicode-1-1-utf-7") => Some(Self::Utf7),
            _ => None,
        }
    }

    /// Read bytes.
    pub fn read(self, bytes: &[u8]) -> Runs {
        let mut runs = Runs { text: String::with_capacity(bytes.len()), reading: Reading::Same, pieces: Vec::new() };
        let mut at = 0;
        let mut designated = false;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let from = runs.text.len();
            let direct = rest.iter().take_while(|b| b.is_ascii() && !self.escapes(**b)).count();
            let (len, kind) = if direct > 0 {
                runs.text.push_str(std::str::from_utf8(rest.get(..direct).unwrap_or_default()).unwrap_or_default());
                (direct, RunKind::Direct)
            } else {
                match self {
                    Self::Utf7 => read_utf_7(rest, &mut runs),
                    Self::Hz => read_hz(rest, &mut runs),
                    Self::Iso2022Kr => read_korean(rest, &mut designated, &mut runs),
                }
            };
            let text = from..runs.text.len();
            runs.pieces.push(Run { text, bytes: at..at + len, kind });
            at += len;
        }
        runs
    }

    fn escapes(self, octet: u8) -> bool {
        match self {
            Self::Utf7 => octet == b'+',
            Self::Hz => octet == b'~',
            Self::Iso2022Kr => matches!(octet, ESCAPE | SHIFT_OUT | SHIFT_IN),
        }
    }

    /// The bytes of a text that begins and ends in ASCII; `None` when the charset lacks a character.
    fn encode(self, text: &str, designated: bool) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len() + 8);
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let kind = self.written(first);
            let len = rest.find(|c| self.written(c) != kind).unwrap_or(rest.len());
            let run = rest.get(..len)?;
            rest = rest.get(len..)?;
            match (kind, self) {
                (Written::Direct, _) => out.extend_from_slice(run.as_bytes()),
                (Written::Nothing, _) => return None,
                (Written::Doubled, _) => out.extend_from_slice(run.repeat(2).as_bytes()),
                (Written::Shifted, Self::Utf7) if run == "+" => out.extend_from_slice(b"+-"),
                (Written::Shifted, Self::Utf7) => {
                    let units: Vec<u8> = run.encode_utf16().flat_map(u16::to_be_bytes).collect();
                    let digits = encodify::base64::STANDARD.encode(&units);
                    out.push(b'+');
                    out.extend_from_slice(digits.trim_end_matches('=').as_bytes());
                    out.push(b'-');
                }
                (Written::Shifted, Self::Hz) => {
                    out.extend_from_slice(b"~{");
                    out.extend_from_slice(&pairs(GBK, "gb2312", run)?);
                    out.extend_from_slice(b"~}");
                }
                (Written::Shifted, Self::Iso2022Kr) => {
                    if !designated {
                        return None;
                    }
                    out.push(SHIFT_OUT);
                    out.extend_from_slice(&pairs(EUC_KR, "euc-kr", run)?);
                    out.push(SHIFT_IN);
                }
            }
        }
        Some(out)
    }

    fn written(self, c: char) -> Written {
        match (c, self) {
            ('+' | '\\' | '~', Self::Utf7) => Written::Shifted,
            ('~', Self::Hz) => Written::Doubled,
            ('\u{0E}' | '\u{0F}' | '\u{1B}', Self::Iso2022Kr) => Written::Nothing,
            _ if c.is_ascii() => Written::Direct,
            _ => Written::Shifted,
        }
    }

    /// What goes into `bytes`, which read as `runs`, for new text in place of ranges of the text, which ascend: the ranges of
    /// bytes that are replaced, and by what. `None` when the charset lacks a character, or nobody knows what state a place
    /// is in.
    pub fn splices(
        self,
        bytes: &[u8],
        runs: &Runs,
        replacements: &[(Range<usize>, String)],
    ) -> Option<Vec<(Range<usize>, Vec<u8>)>> {
        if runs.reading == Reading::Broken {
            return None;
        }
        let designation = memchr::memmem::find(bytes, KOREAN).map_or(usize::MAX, |at| at + KOREAN.len());
        let mut splices = Vec::with_capacity(replacements.len());
        let mut pending: Option<Pending> = None;
        let mut finish = |pending: Pending| {
            let end = runs.after(pending.last);
            let text = pending.text + runs.text.get(pending.last..end)?;
            let at = runs.byte(pending.start)?..runs.byte(end)?;
            let mut with = self.encode(&text, designation <= at.start)?;
            if !with.is_empty() || !at.is_empty() {
                // What stands before must not go on into the new text.
                with.splice(..0, runs.closer(self, at.start));
            }
            splices.push((at, with));
            Some(())
        };
        for (range, new) in replacements {
            let goes_on = pending.as_ref().is_some_and(|pending| range.start < runs.after(pending.last));
            if !goes_on && let Some(done) = pending.take() {
                finish(done)?;
            }
            let now = pending.get_or_insert_with(|| {
                let start = runs.before(range.start);
                Pending { start, text: String::new(), last: start }
            });
            now.text.push_str(runs.text.get(now.last..range.start)?);
            now.text.push_str(new);
            now.last = range.end;
        }
        if let Some(done) = pending.take() {
            finish(done)?;
        }
        Some(splices)
    }
}

/// Replacements that touch one run.
struct Pending {
    /// Where it begins in the text, outside of runs.
    start: usize,
    /// The new text up to `last`.
    text: String,
    last: usize,
}

impl Runs {
    /// The run that `at` is strictly inside of, if it cannot be divided.
    fn around(&self, at: usize) -> Option<&Run> {
        let first = self.pieces.partition_point(|run| run.text.end <= at);
        self.pieces.get(first).filter(|run| run.text.start < at && run.kind != RunKind::Direct)
    }

    fn before(&self, at: usize) -> usize {
        self.around(at).map_or(at, |run| run.text.start)
    }

    fn after(&self, at: usize) -> usize {
        self.around(at).map_or(at, |run| run.text.end)
    }

    /// The byte offset of a place outside of runs; behind runs that have no text.
    fn byte(&self, at: usize) -> Option<usize> {
        let first = self.pieces.partition_point(|run| run.text.end <= at);
        match self.pieces.get(first) {
            Some(run) if run.text.start == at => Some(run.bytes.start),
            Some(run) => (run.kind == RunKind::Direct).then(|| run.bytes.start + (at - run.text.start)),
            None => Some(self.pieces.last().map_or(0, |run| run.bytes.end)),
        }
    }

    /// What ends the run that ends at this byte, where it has no end of its own.
    fn closer(&self, escaped: Escaped, at: usize) -> Vec<u8> {
        let last = self.pieces.partition_point(|run| run.bytes.end < at);
        let open = self.pieces.get(last).filter(|run| run.bytes.end == at);
        if open.is_none_or(|run| run.kind != RunKind::Escape { closed: false }) {
            return Vec::new();
        }
        match escaped {
            Escaped::Utf7 => b"-".to_vec(),
            Escaped::Hz => b"~}".to_vec(),
            Escaped::Iso2022Kr => vec![SHIFT_IN],
        }
    }

    fn found(&mut self, reading: Reading) {
        self.reading = self.reading.max(reading);
    }

    fn unreadable(&mut self, len: usize, reading: Reading) -> (usize, RunKind) {
        self.found(reading);
        self.text.push(char::REPLACEMENT_CHARACTER);
        (len, RunKind::Escape { closed: true })
    }

    /// Octet pairs of seven bits, which are those of `encoding` without the high bit.
    fn pair(&mut self, encoding: &'static Encoding, label: &str, pair: [u8; 2]) {
        let pair = pair.map(|octet| octet | 0x80);
        let (text, broken) = encoding.decode_without_bom_handling(&pair);
        let reading = if broken { Reading::Narrow } else { Strict::of(label).reading(&pair, &text) };
        self.text.push_str(&text);
        self.found(reading);
    }
}

/// The octets of wide characters, without the high bit.
fn pairs(encoding: &'static Encoding, label: &str, text: &str) -> Option<Vec<u8>> {
    let bytes = super::encode_with(encoding, text)?;
    let wide = bytes.iter().all(|b| !b.is_ascii()) && Strict::of(label).reading(&bytes, text) == Reading::Same;
    wide.then(|| bytes.iter().map(|b| b & 0x7F).collect())
}

fn read_utf_7(rest: &[u8], runs: &mut Runs) -> (usize, RunKind) {
    if rest.first() != Some(&b'+') {
        return runs.unreadable(1, Reading::Narrow);
    }
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let digits: Vec<u8> = rest.iter().skip(1).copied().take_while(is_digit).collect();
    let closed = rest.get(1 + digits.len()) == Some(&b'-');
    let len = 1 + digits.len() + usize::from(closed);
    if digits.is_empty() {
        // `+-` is a plus sign; so is, to some, one that opens nothing.
        runs.text.push('+');
        if !closed {
            runs.found(Reading::Narrow);
        }
        return (len, if closed { RunKind::Escape { closed } } else { RunKind::Direct });
    }
    let (mut bits, mut count) = (0_u32, 0);
    let mut units = Vec::with_capacity(digits.len() / 2);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push(u16::try_from(bits >> count & 0xFFFF).unwrap_or_default());
            bits &= (1 << count) - 1;
        }
    }
    if count >= 6 || bits != 0 {
        runs.found(Reading::Narrow);
    }
    for unit in char::decode_utf16(units) {
        if unit.is_err() {
            runs.found(Reading::Narrow);
        }
        runs.text.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    (len, RunKind::Escape { closed })
}

fn read_hz(rest: &[u8], runs: &mut Runs) -> (usize, RunKind) {
    match rest {
        [b'~', b'~', ..] => {
            runs.text.push('~');
            (2, RunKind::Escape { closed: true })
        }
        [b'~', b'\n', ..] => (2, RunKind::Escape { closed: true }),
        [b'~', b'{', ..] => {
            let mut at = 2;
            loop {
                match rest.get(at..).unwrap_or_default() {
                    [b'~', b'}', ..] => return (at + 2, RunKind::Escape { closed: true }),
                    [first @ 0x21..=0x7D, second @ 0x21..=0x7E, ..] => runs.pair(GBK, "gb2312", [*first, *second]),
                    [] => return (at, RunKind::Escape { closed: false }),
                    // Some readers are back in ASCII behind a line end, some are not.
                    _ => {
                        runs.found(Reading::Broken);
                        return (at, RunKind::Escape { closed: false });
                    }
                }
                at += 2;
            }
        }
        [b'~', ..] => {
            runs.found(Reading::Narrow);
            runs.text.push('~');
            (1, RunKind::Direct)
        }
        _ => runs.unreadable(1, Reading::Narrow),
    }
}

fn read_korean(rest: &[u8], designated: &mut bool, runs: &mut Runs) -> (usize, RunKind) {
    if rest.starts_with(KOREAN) {
        *designated = true;
        return (KOREAN.len(), RunKind::Escape { closed: true });
    }
    if rest.first() != Some(&SHIFT_OUT) || !*designated {
        let known = rest.first().is_some_and(|b| !b.is_ascii());
        return runs.unreadable(1, if known { Reading::Narrow } else { Reading::Broken });
    }
    let mut at = 1;
    loop {
        match rest.get(at..).unwrap_or_default() {
            [SHIFT_IN, ..] => return (at + 1, RunKind::Escape { closed: true }),
            [first @ 0x21..=0x7E, second @ 0x21..=0x7E, ..] => runs.pair(EUC_KR, "euc-kr", [*first, *second]),
            [] => return (at, RunKind::Escape { closed: false }),
            _ => {
                runs.found(Reading::Broken);
                return (at, RunKind::Escape { closed: false });
            }
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(escaped: Escaped, bytes: &[u8], edits: &[(Range<usize>, &str)]) -> Option<String> {
        let runs = escaped.read(bytes);
        let edits: Vec<_> = edits.iter().map(|(range, new)| (range.clone(), (*new).to_owned())).collect();
        let mut expected = runs.text.clone();
        for (range, new) in edits.iter().rev() {
            expected.replace_range(range.clone(), new);
        }
        let mut out = bytes.to_vec();
        for (at, with) in escaped.splices(bytes, &runs, &edits)?.into_iter().rev() {
            out.splice(at, with);
        }
        assert_eq!(escaped.read(&out).text, expected, "{}", out.escape_ascii());
        Some(out.escape_ascii().to_string())
    }

    #[test]
    fn utf_7_is_read_and_written() {
        let read = |bytes: &[u8]| (Escaped::Utf7.read(bytes).text, Escaped::Utf7.read(bytes).reading);
        assert_eq!(read(b"a+AOk-b+-c+2D3eAA"), ("aéb+c😀".to_owned(), Reading::Same));
        assert_eq!(read(b"C++ and + +A +AO- \xE9").1, Reading::Narrow);
        let splice = |bytes: &[u8], range, new| spliced(Escaped::Utf7, bytes, &[(range, new)]).unwrap();
        assert_eq!(splice(b"ab", 1..1, "é+日"), "a+AOkAK2Xl-b");
        assert_eq!(splice(b"a+AOk", 3..3, "b-"), "a+AOk-b-");
        assert_eq!(splice(b"a+AOk.", 3..3, "b"), "a+AOk-b.");
        assert_eq!(splice(b"+AOkA6A-", 2..2, "x"), "+AOk-x+AOg-");
        assert_eq!(splice(b"a+AOk-", 0..1, "\\"), r"+AFw-+AOk-");
        let two = spliced(Escaped::Utf7, b"+AOkA6ADq-", &[(0..2, "1"), (4..6, "2")]);
        assert_eq!(two.as_deref(), Some("1+AOg-2"));
    }

    #[test]
    fn hz_is_read_and_written() {
        let read = |bytes: &[u8]| (Escaped::Hz.read(bytes).text, Escaped::Hz.read(bytes).reading);
        assert_eq!(read(b"a~{Dz:C~}~~~\nb"), ("a您好~b".to_owned(), Reading::Same));
        assert_eq!(read(b"~{Dz\n:C~}").1, Reading::Broken);
        let splice = |bytes: &[u8], range, new| spliced(Escaped::Hz, bytes, &[(range, new)]);
        assert_eq!(splice(b"~{Dz:C~}", 0..0, "é~").as_deref(), Some("~{(&~}~~~{Dz:C~}"));
        assert_eq!(splice(b"~{Dz:C~}", 3..3, "x").as_deref(), Some("~{Dz~}x~{:C~}"));
        assert_eq!(splice(b"~{Dz:C", 6..6, "x").as_deref(), Some("~{Dz:C~}x"));
        assert_eq!(splice(b"~{Dz:C~}", 6..6, "€"), None);
        assert_eq!(splice(b"~{Dz\n:C~}", 0..0, "x"), None);
    }

    #[test]
    fn iso_2022_kr_is_read_and_written() {
        let bytes = b"\x1B$)C\x0EN0\x0F ok";
        let runs = Escaped::Iso2022Kr.read(bytes);
        assert_eq!((runs.text.as_str(), runs.reading), ("寬 ok", Reading::Same));
        let splice = |bytes: &[u8], range, new| spliced(Escaped::Iso2022Kr, bytes, &[(range, new)]);
        // Behind what says which charset is shifted to.
        assert_eq!(splice(bytes, 0..0, "한").as_deref(), Some(r"\x1b$)C\x0eGQ\x0f\x0eN0\x0f ok"));
        assert_eq!(splice(b"\x1B$)C\x0EN0", 3..3, "x").as_deref(), Some(r"\x1b$)C\x0eN0\x0fx"));
        assert_eq!(splice(b"ok", 0..0, "한"), None);
        assert_eq!(splice(bytes, 0..0, "é"), None);
        assert_eq!(splice(b"\x0EN0\x0F", 0..0, "x"), None);
    }
}
