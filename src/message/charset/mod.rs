//! Charsets: reading a body's bytes as text, writing new text in the same charset, and finding a place of the text in the
//! bytes. `encoding_rs` reads, so what the WHATWG reads as a superset is read so: that is what mail clients show. `strict`
//! knows where readers that take the label at its word see something else.
//!
//! Invariant: bytes that are not edited are never decoded and written back, so nothing here has to be lossless. New text is
//! written only in octets that all readers of the label read alike.

mod escaped;
mod iso_2022_jp;
mod strict;

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::{
    DecoderResult, EncoderResult, Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252,
    X_USER_DEFINED,
};

use escaped::Escaped;
use iso_2022_jp::Shifts;
pub(super) use strict::Reading;
use strict::Strict;

/// How a body's bytes are read, and how new text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charset {
    codec: Codec,
    /// How those that take the label at its word read the bytes.
    reads: Strict,
    /// What new text may hold.
    writes: Strict,
    /// False where the label says nothing that could be relied on: then text is never moved to UTF-8.
    known: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Encoding(&'static Encoding),
    Escaped(Escaped),
    /// UTF-32 of this order.
    Utf32 {
        big: bool,
    },
    /// Not even ASCII stands for itself.
    Opaque,
}

/// Labels of US-ASCII. The WHATWG reads it as Windows-1252.
const ASCII: &[&str] =
    &["us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "iso-ir-6", "us", "cp367", "ibm367", "csascii"];
/// Labels of UTF-16 that do not say which octet comes first.
const UTF_16: &[&str] = &["utf-16", "ucs-2", "iso-10646-ucs-2", "csunicode", "unicode"];
/// Labels in which ASCII is not ASCII begin so.
const OPAQUE: &[&str] = &["ucs-4", "iso-10646", "cp037", "cp500", "ebcdic", "ibm1047"];

impl Charset {
    /// The charset of `bytes` that are labelled so.
    pub fn of(label: Option<&str>, bytes: &[u8]) -> Self {
        let ascii = |known| {
            // QUIRK: much mail that says US-ASCII, or nothing, is UTF-8 or Windows-1252.
            if std::str::from_utf8(bytes).is_ok() {
                Self { codec: Codec::Encoding(UTF_8), reads: Strict::Exact, writes: Strict::Ascii, known: true }
            } else {
                Self { codec: Codec::Encoding(WINDOWS_1252), reads: Strict::Iso, writes: Strict::Ascii, known }
            }
        };
        let Some(label) = label else { return ascii(false) };
        if ASCII.contains(&label) {
            return ascii(true);
        }
        let exact = |codec| Self { codec, reads: Strict::Exact, writes: Strict::Exact, known: true };
        if let Some(escaped) = Escaped::of(label) {
            return exact(Codec::Escaped(escaped));
        }
        if let Some(order) = label.strip_prefix("utf-32").or_else(|| label.strip_prefix("utf32")) {
            let little = bytes.starts_with(&[0xFF, 0xFE, 0, 0]) || order == "le";
            return exact(Codec::Utf32 { big: !little });
        }
        let unknown = |codec| Self { codec, reads: Strict::Ascii, writes: Strict::Ascii, known: false };
        let Some(encoding) = Encoding::for_label(label.as_bytes()) else {
            let opaque = OPAQUE.iter().any(|start| label.starts_with(start));
            return unknown(if opaque { Codec::Opaque } else { Codec::Encoding(WINDOWS_1252) });
        };
        if encoding == REPLACEMENT || encoding == X_USER_DEFINED {
            // ISO-2022-CN: ASCII, outside its shifted runs, and a line begins in ASCII.
            return unknown(Codec::Encoding(WINDOWS_1252));
        }
        if encoding == UTF_16LE || encoding == UTF_16BE {
            let big = match bytes {
                [0xFE, 0xFF, ..] => true,
                [0xFF, 0xFE, ..] => false,
                _ if UTF_16.contains(&label) => is_big_endian(bytes),
                _ => encoding == UTF_16BE,
            };
            return exact(Codec::Encoding(if big { UTF_16BE } else { UTF_16LE }));
        }
        let strict = Strict::of(label);
        Self { codec: Codec::Encoding(encoding), reads: strict, writes: strict, known: true }
    }

    /// The text of `bytes`, what is not valid as U+FFFD, and how far readers agree on it.
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> (Cow<'b, str>, Reading) {
        let encoding = match self.codec {
            Codec::Encoding(encoding) => encoding,
            Codec::Escaped(escaped) => {
                let runs = escaped.read(bytes);
                return (Cow::Owned(runs.text), runs.reading);
            }
            Codec::Utf32 { big } => return decode_utf_32(bytes, big),
            Codec::Opaque => return (Cow::Borrowed(""), Reading::Broken),
        };
        let (text, errors) = encoding.decode_without_bom_handling(bytes);
        let reading = if errors {
            Reading::Broken
        } else if self.reads != Strict::Exact && !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok() {
            // UTF-8, whatever the label says.
            Reading::Narrow
        } else if encoding != ISO_2022_JP && !self.is_wide() && holds_jis(bytes) {
            // QUIRK: Japanese mail often has no label, or another one, and many readers go by the escape sequences.
            self.reads.reading(bytes, &text).max(Reading::Differs)
        } else {
            self.reads.reading(bytes, &text)
        };
        (text, reading)
    }

    /// True when text that readers agree on so far may be written as UTF-8 instead.
    pub fn can_move(&self, reading: Reading) -> bool {
        self.known && reading == Reading::Same
    }

    /// True when text that was read from it, with readers that agree so far, reads the same when it is written once more.
    pub fn writes_again(&self, reading: Reading) -> bool {
        let stateless = match self.codec {
            Codec::Encoding(encoding) => encoding != ISO_2022_JP,
            Codec::Utf32 { .. } => true,
            Codec::Escaped(_) | Codec::Opaque => false,
        };
        stateless && self.writes != Strict::Ascii && reading == Reading::Same
    }

    /// True when the bytes may read in another way once something stands beside them: it was guessed from bytes that are
    /// not ASCII, or what they mean depends on what stands before.
    pub fn depends(&self) -> bool {
        self.writes == Strict::Ascii && self.codec == Codec::Encoding(WINDOWS_1252)
            || matches!(self.codec, Codec::Escaped(_))
            || self.codec == Codec::Encoding(ISO_2022_JP)
    }

    /// True when a character has two octets or more, so that what is out of step stays so.
    pub fn is_wide(&self) -> bool {
        matches!(self.codec, Codec::Utf32 { .. }) || self.unit().is_some()
    }

    /// The order of octets in UTF-16: true for big-endian.
    fn unit(&self) -> Option<bool> {
        match self.codec {
            Codec::Encoding(encoding) if encoding == UTF_16BE => Some(true),
            Codec::Encoding(encoding) if encoding == UTF_16LE => Some(false),
            _ => None,
        }
    }

    /// True when text in this charset cannot be edited at all.
    pub fn is_opaque(&self) -> bool {
        self.codec == Codec::Opaque
    }

    /// New text in place of ranges of `text`, which is what `bytes` read as: the ranges of `bytes` that are replaced, and by
    /// what. `None` when the charset lacks a character, or the state of a place is in doubt.
    pub fn splices(
        &self,
        bytes: &[u8],
        text: &str,
        reading: Reading,
        replacements: &[(Range<usize>, String)],
    ) -> Option<Vec<(Range<usize>, Vec<u8>)>> {
        if let Codec::Escaped(escaped) = self.codec {
            return escaped.splices(bytes, &escaped.read(bytes), replacements);
        }
        let wanted: Vec<usize> = replacements.iter().flat_map(|(range, _)| [range.start, range.end]).collect();
        let found = self.locate(bytes, text, &wanted);
        let shifts = (self.reads == Strict::Iso2022Jp).then(|| Shifts::of(bytes));
        let splice = |((_, new), place): (&(Range<usize>, String), &[usize])| {
            let at = place.first().copied()?..place.last().copied()?;
            let Some(shifts) = &shifts else { return Some((at, self.encode(new)?)) };
            if reading == Reading::Broken && !shifts.is_unshifted(&at) {
                return None;
            }
            iso_2022_jp::splice(new, shifts, at)
        };
        replacements.iter().zip(found.chunks_exact(2)).map(splice).collect()
    }

    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        if let Some(big) = self.unit() {
            let octets = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            return Some(text.encode_utf16().flat_map(octets).collect());
        }
        let encoded = match self.codec {
            Codec::Escaped(_) | Codec::Opaque => return None,
            _ if self.writes == Strict::Ascii => text.as_bytes().to_vec(),
            Codec::Encoding(encoding) => encode_with(encoding, text)?,
            Codec::Utf32 { big } => {
                let octets = |c: char| if big { u32::from(c).to_be_bytes() } else { u32::from(c).to_le_bytes() };
                return Some(text.chars().flat_map(octets).collect());
            }
        };
        (self.writes.reading(&encoded, text) == Reading::Same).then_some(encoded)
    }

    /// The byte offsets of offsets of the decoded text, which ascend and stand on character boundaries.
    fn locate(&self, bytes: &[u8], text: &str, wanted: &[usize]) -> Vec<usize> {
        if text.as_bytes() == bytes {
            return wanted.to_vec();
        }
        // The ends need no search.
        if wanted.iter().all(|w| *w == 0 || *w == text.len()) {
            return wanted.iter().map(|w| if *w == 0 { 0 } else { bytes.len() }).collect();
        }
        let Codec::Encoding(encoding) = self.codec else {
            // Four octets for each character.
            let (mut at, mut count) = (0, 0);
            let offset = |wanted: &usize| {
                count += text.get(at..*wanted).map_or(0, |piece| piece.chars().count());
                at = *wanted;
                (count * 4).min(bytes.len())
            };
            return wanted.iter().map(offset).collect();
        };
        let mut decoder = encoding.new_decoder_without_bom_handling();
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

/// UTF-16 without a mark: text has more characters below U+0100 than any others, and they have a zero in front.
fn is_big_endian(bytes: &[u8]) -> bool {
    let zeros = |first: usize| bytes.iter().skip(first).step_by(2).filter(|b| **b == 0).count();
    zeros(0) > zeros(1)
}

fn decode_utf_32(bytes: &[u8], big: bool) -> (Cow<'_, str>, Reading) {
    let mut reading = Reading::Same;
    let mut text = String::with_capacity(bytes.len() / 4);
    for octets in bytes.chunks(4) {
        let c = <[u8; 4]>::try_from(octets).ok().and_then(|octets| {
            char::from_u32(if big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) })
        });
        if c.is_none() {
            reading = Reading::Broken;
        }
        text.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    (Cow::Owned(text), reading)
}

/// Text in an encoding; `None` when it lacks a character. What the WHATWG would write as another character it lacks.
fn encode_with(encoding: &'static Encoding, text: &str) -> Option<Vec<u8>> {
    let mut encoder = encoding.new_encoder();
    let mut out = Vec::with_capacity(encoder.max_buffer_length_from_utf8_without_replacement(text.len())?);
    let (result, _) = encoder.encode_from_utf8_to_vec_without_replacement(text, &mut out, true);
    let whole = result == EncoderResult::InputEmpty && encoding.decode_without_bom_handling(&out).0 == text;
    whole.then_some(out)
}

/// Does ISO-2022 text of two octets a character begin here?
fn holds_jis(bytes: &[u8]) -> bool {
    memchr::memchr_iter(0x1B, bytes).any(|at| bytes.get(at + 1) == Some(&b'$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_without_a_label_is_not_moved() {
        for label in [None, Some("us-ascii"), Some("utf-8"), Some("iso-8859-1")] {
            let bytes = b"a \x1B$B$3$s\x1B(B \x1B[1mb";
            let charset = Charset::of(label, bytes);
            let (_, reading) = charset.decode(bytes);
            assert!(reading == Reading::Differs && !charset.can_move(reading), "{label:?}");
        }
        assert_eq!(Charset::of(Some("us-ascii"), b"").decode(b"\x1B[1mb").1, Reading::Same);
    }

    #[test]
    fn text_goes_into_a_charset_only_where_its_label_holds_it() {
        let encode = |label, text: &str| Charset::of(Some(label), b"").encode(text);
        assert_eq!(encode("iso-8859-1", "é").as_deref(), Some(&b"\xE9"[..]));
        assert_eq!(encode("iso-8859-1", "€"), None);
        assert_eq!(encode("windows-1252", "€").as_deref(), Some(&b"\x80"[..]));
        assert_eq!(encode("us-ascii", "é"), None);
        assert_eq!(encode("utf-16be", "é").as_deref(), Some(&b"\x00\xE9"[..]));
        assert_eq!(encode("utf-32", "é").as_deref(), Some(&b"\0\0\0\xE9"[..]));
        assert_eq!(encode("utf-32le", "é").as_deref(), Some(&b"\xE9\0\0\0"[..]));
        assert_eq!(encode("cp037", "e"), None);
        // Where readers that know the standard alone would see it too.
        assert_eq!(encode("gb2312", "é").as_deref(), Some(&b"\xA8\xA6"[..]));
        assert_eq!(encode("gb2312", "—"), None);
        assert_eq!(encode("gbk", "—").as_deref(), Some(&b"\xA1\xAA"[..]));
        assert_eq!(encode("gbk", "€"), None);
        assert_eq!(encode("shift_jis", "日本①"), None);
        assert_eq!(encode("shift_jis", "日本").as_deref(), Some(&b"\x93\xFA\x96{"[..]));
        assert_eq!(encode("shift_jis", "−"), None, "it would become a full-width one");
        assert_eq!(encode("windows-31j", "日本"), None);
        assert_eq!(encode("windows-1255", "\u{5BA}"), None);
    }

    #[test]
    fn a_place_behind_a_broken_character_is_not_one_byte_further() {
        let bytes = b"\xE2\x82x\xC3\xA9y\xFF";
        let charset = Charset::of(Some("utf-8"), bytes);
        let (text, reading) = charset.decode(bytes);
        assert_eq!(reading, Reading::Broken);
        assert_eq!(text, "\u{FFFD}xéy\u{FFFD}");
        assert_eq!(charset.locate(bytes, &text, &[0, 3, 4, 6, 7, 10]), [0, 2, 3, 5, 6, 7]);
    }

    #[test]
    fn places_are_found_in_charsets_of_many_bytes() {
        let bytes = b"a\x82\xA0b\x82\xA2c";
        let charset = Charset::of(Some("shift_jis"), bytes);
        let (text, reading) = charset.decode(bytes);
        assert_eq!(reading, Reading::Same);
        assert_eq!(text, "aあbいc");
        assert_eq!(charset.locate(bytes, &text, &[0, 1, 4, 5, 8, 9]), [0, 1, 3, 4, 6, 7]);
    }

    #[test]
    fn utf_32_and_utf_16_without_a_mark() {
        let decode = |label, bytes: &'static [u8]| {
            let (text, reading) = Charset::of(Some(label), bytes).decode(bytes);
            (text.into_owned(), reading)
        };
        assert_eq!(decode("utf-32", b"\0\0\0H\0\x01\xF6\0"), ("H😀".to_owned(), Reading::Same));
        assert_eq!(decode("utf-32", b"\xFF\xFE\0\0H\0\0\0"), ("\u{FEFF}H".to_owned(), Reading::Same));
        assert_eq!(decode("utf-32le", b"H\0\0\0\0").1, Reading::Broken);
        assert_eq!(decode("utf-16", b"H\0i\0").0, "Hi");
        assert_eq!(decode("utf-16", b"\0H\0i").0, "Hi");
        let charset = Charset::of(Some("utf-32le"), b"");
        assert_eq!(charset.locate(b"H\0\0\0\xE9\0\0\0x\0\0\0", "Héx", &[1, 3, 4]), [4, 8, 12]);
    }

    #[test]
    fn text_that_readers_see_in_two_ways_is_not_moved() {
        let moves = |label, bytes: &[u8]| {
            let charset = Charset::of(label, bytes);
            charset.can_move(charset.decode(bytes).1)
        };
        assert!(moves(Some("iso-8859-1"), b"caf\xE9") && !moves(Some("iso-8859-1"), b"\x93caf\xE9\x94"));
        assert!(moves(Some("iso-8859-1"), b"a\xA0b") && !moves(Some("iso-8859-1"), b"a\x9Fb"));
        assert!(moves(Some("gb2312"), b"\xC4\xE3") && !moves(Some("gb2312"), b"\xE9F"));
        assert!(moves(Some("x-sjis"), b"a") && !moves(Some("x-sjis"), b"\x82\xA0"));
        assert!(moves(None, "é".as_bytes()) && !moves(None, b"\xE9"));
        assert!(!moves(Some("big5"), "日本".as_bytes()), "it is UTF-8");
    }

    #[test]
    fn a_guess_depends_on_the_bytes_and_a_label_does_not() {
        let depends = |label, bytes: &[u8]| Charset::of(label, bytes).depends();
        assert!(depends(None, b"\xE9") && depends(Some("us-ascii"), b"\xE9") && depends(Some("iso-2022-jp"), b""));
        assert!(!depends(Some("windows-1252"), b"\xE9") && !depends(None, "é".as_bytes()));
    }
}
