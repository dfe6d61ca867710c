//! Charsets: reading a body's bytes as text, writing new text in the same charset, and finding a place of the text in the
//! bytes. `encoding_rs` reads, so what the WHATWG reads as a superset is read so: that is what mail clients show.
//!
//! Invariant: bytes that are not edited are never decoded and written back, so nothing here has to be lossless.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::{
    DecoderResult, EncoderResult, Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
    X_USER_DEFINED,
};

/// How a body's bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charset {
    read_as: &'static Encoding,
    write: Write,
    /// False where the label says nothing that could be relied on: then text is never moved to UTF-8.
    known: bool,
}

/// What new text may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Write {
    /// US-ASCII; also for charsets that are not known or whose label is narrower than what it is read as.
    Ascii,
    /// ISO 8859-1 proper, which the WHATWG reads as Windows-1252.
    Latin1,
    /// Whatever the encoding holds.
    Encoding,
    /// UTF-16 of this order.
    Utf16 { big: bool },
    /// ISO-2022-JP, which has shift states.
    Iso2022Jp,
    /// UTF-7 (RFC 2152), read as the ASCII that it is made of: what stands for itself in it.
    Utf7,
    /// Nothing: not even ASCII stands for itself.
    Nothing,
}

/// Labels of US-ASCII. The WHATWG reads it as Windows-1252.
const ASCII: &[&str] =
    &["us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "iso-ir-6", "us", "cp367", "ibm367", "csascii"];
/// Labels of ISO 8859-1, which the WHATWG reads as Windows-1252.
const LATIN1: &[&str] = &[
    "iso-8859-1",
    "iso8859-1",
    "iso_8859-1",
    "iso88591",
    "latin1",
    "l1",
    "cp819",
    "ibm819",
    "iso_8859-1:1987",
    "csisolatin1",
];
/// Labels that mean just what the WHATWG reads. Others are read as something wider, and take ASCII only.
const EXACT: &[&str] = &[
    "utf-8",
    "utf8",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "windows-874",
    "cp1250",
    "cp1251",
    "cp1252",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "macintosh",
    "ibm866",
    "gb18030",
    "euc-jp",
];

impl Charset {
    /// The charset of `bytes` that are labelled so.
    pub fn of(label: Option<&str>, bytes: &[u8]) -> Self {
        let ascii = |known| {
            // QUIRK: much mail that says US-ASCII, or nothing, is UTF-8 or Windows-1252.
            let utf8 = std::str::from_utf8(bytes).is_ok();
            Self { read_as: if utf8 { UTF_8 } else { WINDOWS_1252 }, write: Write::Ascii, known: known || utf8 }
        };
        let Some(label) = label else { return ascii(false) };
        if ASCII.contains(&label) {
            return ascii(true);
        }
        if label.starts_with("utf-7") || label.starts_with("unicode-1-1-utf-7") {
            return Self { read_as: WINDOWS_1252, write: Write::Utf7, known: false };
        }
        let unknown = |write| Self { read_as: WINDOWS_1252, write, known: false };
        let Some(encoding) = Encoding::for_label(label.as_bytes()) else {
            let wide = ["utf-32", "utf32", "ucs-4", "iso-10646", "cp037", "cp500", "ebcdic", "ibm1047"];
            return unknown(if wide.iter().any(|w| label.starts_with(w)) { Write::Nothing } else { Write::Ascii });
        };
        if encoding == REPLACEMENT || encoding == X_USER_DEFINED {
            // ISO-2022-KR, ISO-2022-CN, HZ: ASCII, outside their shifted runs, and a line begins in ASCII.
            return unknown(Write::Ascii);
        }
        if encoding == UTF_16LE || encoding == UTF_16BE {
            let big = match bytes {
                [0xFE, 0xFF, ..] => true,
                [0xFF, 0xFE, ..] => false,
                _ => encoding == UTF_16BE,
            };
            return Self { read_as: if big { UTF_16BE } else { UTF_16LE }, write: Write::Utf16 { big }, known: true };
        }
        let write = if encoding == ISO_2022_JP {
            Write::Iso2022Jp
        } else if LATIN1.contains(&label) {
            Write::Latin1
        } else if EXACT.contains(&label) {
            Write::Encoding
        } else {
            Write::Ascii
        };
        Self { read_as: encoding, write, known: true }
    }

    /// The text of `bytes`; what is not valid reads as U+FFFD. The flag says whether all was valid.
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> (Cow<'b, str>, bool) {
        let (text, errors) = self.read_as.decode_without_bom_handling(bytes);
        let valid = !errors && !self.is_contested(bytes, &text);
        (text, valid)
    }

    /// True when readers do not agree on what the bytes mean: those that take the label at its word see control
    /// characters, or the bytes are UTF-8 whatever the label says.
    fn is_contested(&self, bytes: &[u8], text: &str) -> bool {
        if !self.read_as.is_single_byte() || bytes.is_ascii() {
            return false;
        }
        let narrow = matches!(self.write, Write::Latin1 | Write::Ascii) && self.read_as == WINDOWS_1252;
        narrow && bytes.iter().any(|b| (0x80..0xA0).contains(b))
            || text.chars().any(|c| ('\u{80}'..='\u{9F}').contains(&c))
            || std::str::from_utf8(bytes).is_ok()
    }

    /// True when all that was read may be written as UTF-8 instead.
    pub fn can_move(&self, valid: bool) -> bool {
        self.known && valid
    }

    /// True when it was guessed from bytes that are not ASCII.
    pub fn is_guessed(&self) -> bool {
        self.write == Write::Ascii && self.read_as == WINDOWS_1252
    }

    /// True when a character has two octets or more, so that what is out of step stays so.
    pub fn is_wide(&self) -> bool {
        matches!(self.write, Write::Utf16 { .. })
    }

    /// True when text in this charset cannot be edited at all.
    pub fn is_opaque(&self) -> bool {
        self.write == Write::Nothing
    }

    /// The shift sequences in `bytes`; none in a charset that has none.
    pub fn shifts<'b>(&self, bytes: &'b [u8]) -> Shifts<'b> {
        let escapes =
            if self.write == Write::Iso2022Jp { memchr::memchr_iter(ESCAPE, bytes).collect() } else { vec![] };
        Shifts { bytes, escapes }
    }

    /// New text in this charset, to stand in place of `range` of the bytes of `shifts`, and the range that it replaces, which
    /// may lie a shift sequence further; `None` when the charset lacks a character.
    pub fn splice(&self, text: &str, shifts: &Shifts<'_>, range: Range<usize>) -> Option<(Range<usize>, Vec<u8>)> {
        if self.write == Write::Iso2022Jp {
            splice_iso_2022_jp(text, shifts, range)
        } else {
            Some((range, self.encode(text)?))
        }
    }

    /// False for a place between shift sequences of a charset that has them: where the text around is broken, nobody knows
    /// what is in force there.
    pub fn is_unshifted(&self, shifts: &Shifts<'_>, range: &Range<usize>) -> bool {
        let unshifted = |at: usize| shifts.state_at(at).is_none() && shifts.bytes.get(at) != Some(&ESCAPE);
        self.write != Write::Iso2022Jp || unshifted(range.start) && unshifted(range.end)
    }

    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        match self.write {
            Write::Nothing => None,
            Write::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Write::Latin1 => {
                text.chars().map(|c| u8::try_from(u32::from(c)).ok().filter(|b| !(0x80..0xA0).contains(b))).collect()
            }
            Write::Encoding => encode_with(self.read_as, text),
            Write::Utf16 { big } => {
                let unit = |u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() };
                Some(text.encode_utf16().flat_map(unit).collect())
            }
            Write::Utf7 => {
                let direct = text.is_ascii() && !text.contains(['+', '\\', '~']);
                direct.then(|| text.as_bytes().to_vec())
            }
            Write::Iso2022Jp => encode_with(ISO_2022_JP, text),
        }
    }

    /// The byte offsets of offsets of the decoded text, which ascend and stand on character boundaries.
    pub fn locate(&self, bytes: &[u8], text: &str, wanted: &[usize]) -> Vec<usize> {
        if text.as_bytes() == bytes {
            return wanted.to_vec();
        }
        // The ends need no search.
        if wanted.iter().all(|w| *w == 0 || *w == text.len()) {
            return wanted.iter().map(|w| if *w == 0 { 0 } else { bytes.len() }).collect();
        }
        let mut decoder = self.read_as.new_decoder_without_bom_handling();
        let mut found = Vec::with_capacity(wanted.len());
        let mut wanted = wanted.iter().copied().peekable();
        let (mut at, mut read, mut buffer) = (0, 0, [0_u8; 32]);
        // Byte by byte: the first place at which so much has been read is before any shift sequence.
        loop {
            while wanted.next_if(|w| *w <= read).is_some() {
                found.push(at);
            }
            let Some(byte) = bytes.get(at..=at).filter(|_| wanted.peek().is_some()) else { break };
            let last = at + 1 == bytes.len();
            let (result, taken, written) = decoder.decode_to_utf8_without_replacement(byte, &mut buffer, last);
            at += taken;
            read += written;
            if let DecoderResult::Malformed(_, behind) = result {
                // What is not valid is known to be so a few bytes later, and may end before them.
                read += char::REPLACEMENT_CHARACTER.len_utf8();
                while wanted.next_if(|w| *w <= read).is_some() {
                    found.push(at - usize::from(behind).min(at));
                }
            }
        }
        found.extend(wanted.map(|_| bytes.len()));
        found
    }
}

const ESCAPE: u8 = 0x1B;
/// The shift to ASCII (RFC 1468).
const ISO_2022_JP_ASCII: &[u8] = b"\x1b(B";

/// New text begins and ends in what is in force around it. Two shifts with nothing between them are never written: readers
/// show them as broken text, since they could hide something.
fn splice_iso_2022_jp(text: &str, shifts: &Shifts<'_>, range: Range<usize>) -> Option<(Range<usize>, Vec<u8>)> {
    let bytes = shifts.bytes;
    let in_force = |at: usize| shifts.state_at(at).unwrap_or(ISO_2022_JP_ASCII);
    let encoded = encode_with(ISO_2022_JP, text)?;
    let (first, content) = match leading_shift(&encoded) {
        Some(shift) => (shift, encoded.get(shift.len()..)?),
        None => (ISO_2022_JP_ASCII, encoded.as_slice()),
    };
    let follows = bytes.get(range.end..).and_then(leading_shift);
    if let Some(shift) = follows.filter(|shift| *shift == first && range.is_empty() && !text.is_empty()) {
        // As good behind the shift, and there the text needs none of its own.
        let at = range.end + shift.len();
        return splice_iso_2022_jp(text, shifts, at..at);
    }
    let mut out = Vec::with_capacity(encoded.len() + 8);
    let mut state = in_force(range.start);
    if !text.is_empty() {
        if first != state {
            out.extend_from_slice(first);
        }
        state = shift_state(encoded.strip_suffix(ISO_2022_JP_ASCII).unwrap_or(&encoded)).unwrap_or(ISO_2022_JP_ASCII);
        out.extend_from_slice(content.strip_suffix(ISO_2022_JP_ASCII).unwrap_or(content));
    }
    let wanted = if range.end == bytes.len() { ISO_2022_JP_ASCII } else { in_force(range.end) };
    if follows.is_none() && state != wanted {
        out.extend_from_slice(wanted);
    }
    Some((range, out))
}

/// The shift sequence that bytes begin with.
fn leading_shift(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [ESCAPE, b'$', b'(' | b')', _, ..] => bytes.get(..4),
        [ESCAPE, _, _, ..] => bytes.get(..3),
        _ => None,
    }
}

fn encode_with(encoding: &'static Encoding, text: &str) -> Option<Vec<u8>> {
    let mut encoder = encoding.new_encoder();
    let mut out = Vec::with_capacity(encoder.max_buffer_length_from_utf8_without_replacement(text.len())?);
    let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(text, &mut out, true);
    (result == EncoderResult::InputEmpty).then_some(out)
}

/// Where the shift sequences of a text are: found once, asked for at many places.
#[derive(Debug)]
pub(super) struct Shifts<'b> {
    bytes: &'b [u8],
    /// Ascending.
    escapes: Vec<usize>,
}

impl<'b> Shifts<'b> {
    /// The escape sequence (RFC 1468, RFC 1554) that is in force at `at`, unless it is ASCII.
    fn state_at(&self, at: usize) -> Option<&'b [u8]> {
        let before = self.escapes.partition_point(|escape| *escape < at);
        let last = before.checked_sub(1).and_then(|i| self.escapes.get(i))?;
        shift(self.bytes.get(*last..at)?)
    }
}

/// The escape sequence that is in force at the end of `bytes`, unless it is ASCII.
fn shift_state(bytes: &[u8]) -> Option<&[u8]> {
    shift(bytes.get(memchr::memrchr(ESCAPE, bytes)?..)?)
}

/// The shift sequence that bytes begin with, unless it is to ASCII.
fn shift(bytes: &[u8]) -> Option<&[u8]> {
    leading_shift(bytes).filter(|escape| *escape != ISO_2022_JP_ASCII)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_into_a_charset_only_where_its_label_holds_it() {
        let encode = |label, text: &str| {
            let charset = Charset::of(Some(label), b"");
            charset.splice(text, &charset.shifts(b""), 0..0).map(|(_, new)| new)
        };
        assert_eq!(encode("iso-8859-1", "é").as_deref(), Some(&b"\xE9"[..]));
        assert_eq!(encode("iso-8859-1", "€"), None);
        assert_eq!(encode("windows-1252", "€").as_deref(), Some(&b"\x80"[..]));
        assert_eq!(encode("us-ascii", "é"), None);
        assert_eq!(encode("utf-16be", "é").as_deref(), Some(&b"\x00\xE9"[..]));
        assert_eq!(encode("utf-32", "e"), None);
    }

    #[test]
    fn iso_2022_jp_is_edited_in_its_ascii_state() {
        let splice = |bytes: &[u8], range: Range<usize>, text| {
            let charset = Charset::of(Some("iso-2022-jp"), bytes);
            let (range, new) = charset.splice(text, &charset.shifts(bytes), range).unwrap();
            [&bytes[..range.start], &new, &bytes[range.end..]].concat().escape_ascii().to_string()
        };
        let (unclosed, closed) = (b"\x1b$B$\"$$", b"a\x1b$B$\"$$\x1b(B.");
        assert_eq!(splice(unclosed, 7..7, "x"), r#"\x1b$B$\"$$\x1b(Bx"#);
        assert_eq!(splice(unclosed, 5..5, "x"), r#"\x1b$B$\"\x1b(Bx\x1b$B$$"#);
        assert_eq!(splice(closed, 8..8, "x"), r#"a\x1b$B$\"$$\x1b(Bx."#);
        // From ASCII into what is shifted, and out of it.
        assert_eq!(splice(closed, 0..6, "x"), r"x\x1b$B$$\x1b(B.");
        assert_eq!(splice(closed, 6..12, "x"), r#"a\x1b$B$\"\x1b(Bx"#);
        assert_eq!(splice(closed, 6..8, ""), r#"a\x1b$B$\"\x1b(B."#);
    }

    #[test]
    fn japanese_beside_japanese_has_no_shift_that_shows_as_a_broken_character() {
        let bytes = b"\x1b$B$\"$$\x1b(B.";
        for (at, text) in [(0, "日本"), (5, "日本"), (7, "日本"), (7, "a日本"), (5, "日a本"), (7, "日a")] {
            let charset = Charset::of(Some("iso-2022-jp"), bytes);
            let (range, new) = charset.splice(text, &charset.shifts(bytes), at..at).unwrap();
            let out = [&bytes[..range.start], &new, &bytes[range.end..]].concat();
            assert!(charset.decode(&out).1, "{at} {text}: {}", out.escape_ascii());
        }
    }

    #[test]
    fn a_place_behind_a_broken_character_is_not_one_byte_further() {
        let bytes = b"\xE2\x82x\xC3\xA9y\xFF";
        let charset = Charset::of(Some("utf-8"), bytes);
        let (text, valid) = charset.decode(bytes);
        assert!(!valid);
        assert_eq!(text, "\u{FFFD}xéy\u{FFFD}");
        assert_eq!(charset.locate(bytes, &text, &[0, 3, 4, 6, 7, 10]), [0, 2, 3, 5, 6, 7]);
    }

    #[test]
    fn places_are_found_in_charsets_of_many_bytes() {
        let bytes = b"a\x82\xA0b\x82\xA2c";
        let charset = Charset::of(Some("shift_jis"), bytes);
        let (text, valid) = charset.decode(bytes);
        assert!(valid);
        assert_eq!(text, "aあbいc");
        assert_eq!(charset.locate(bytes, &text, &[0, 1, 4, 5, 8, 9]), [0, 1, 3, 4, 6, 7]);
    }
}
