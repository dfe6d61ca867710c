//! The value of a header field as text, and how a change of that text goes back into the field.
//!
//! Invariant: what no edit touches keeps its octets: other encoded words, folding, the white space around. ASCII that
//! stands as it is is edited in place; an encoded word (RFC 2047) that an edit touches is encoded anew, alone, in its own
//! charset and encoding where those can hold the new text.

use std::fmt::Write as _;
use std::ops::Range;

use encodify::rfc2047::{self, EncodedWord, WordEncoding};
use encodify::{Fold, base64};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::LineEnd;
use super::long_lines;
use super::text_edits::TextEdit;
use super::transfer::with_line_end;

/// An encoded word is at most so long (RFC 2047 §2).
const MAX_WORD: usize = 75;

/// A value and what spells it.
#[derive(Debug, Clone)]
pub struct FieldText {
    raw: Vec<u8>,
    text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone)]
struct Segment {
    source: Range<usize>,
    text: Range<usize>,
    spelling: Spelling,
}

#[derive(Debug, Clone, Copy)]
enum Spelling {
    /// As it is; the source is the text.
    Plain,
    /// One octet that is no UTF-8.
    Octet,
    /// One encoded word, or several of one charset that do not decode one by one.
    Word { charset: &'static Encoding, base64: bool },
}

impl FieldText {
    /// Read the raw value of a field, folding included.
    pub fn read(raw: &[u8]) -> Self {
        let mut field = Self { raw: raw.to_vec(), text: String::new(), segments: Vec::new() };
        let mut at = 0;
        // The word before, while only white space stands between.
        let mut behind_word: Option<usize> = None;
        let mut plain_from = 0;
        while at < raw.len() {
            let rest = raw.get(at..).unwrap_or_default();
            let word = rest.starts_with(b"=?").then(|| EncodedWord::parse(rest)).flatten();
            let Some((word, length)) = word else {
                at += 1 + memchr::memchr(b'=', rest.get(1..).unwrap_or_default()).unwrap_or(rest.len() - 1);
                continue;
            };
            let between = raw.get(plain_from..at).unwrap_or_default();
            let joined = behind_word.filter(|_| between.iter().all(u8::is_ascii_whitespace));
            if joined.is_none() {
                field.plain(plain_from..at);
            }
            field.word(&word, at..at + length, joined);
            behind_word = Some(field.segments.len());
            at += length;
            plain_from = at;
        }
        field.plain(plain_from..raw.len());
        field
    }

    /// The text: unfolded, encoded words decoded. White space at its ends is there as it is.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Octets that stand as they are; line ends of folding are no text.
    fn plain(&mut self, range: Range<usize>) {
        let Some(bytes) = self.raw.get(range.clone()).map(<[u8]>::to_vec) else { return };
        let mut at = range.start;
        for chunk in bytes.split_inclusive(|b| *b == b'\n') {
            let line = chunk.strip_suffix(b"\n").map_or(chunk, |line| line.strip_suffix(b"\r").unwrap_or(line));
            if let Ok(text) = std::str::from_utf8(line) {
                self.push(text, at..at + line.len(), Spelling::Plain);
            } else {
                for (i, byte) in line.iter().enumerate() {
                    let place = at + i..at + i + 1;
                    if byte.is_ascii() {
                        self.push(char::from(*byte).encode_utf8(&mut [0; 4]), place, Spelling::Plain);
                    } else {
                        self.push(&WINDOWS_1252.decode_without_bom_handling(&[*byte]).0, place, Spelling::Octet);
                    }
                }
            }
            at += chunk.len();
        }
    }

    fn push(&mut self, text: &str, source: Range<usize>, spelling: Spelling) {
        if text.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        let text = start..self.text.len();
        if let (Some(last), Spelling::Plain) = (self.segments.last_mut(), spelling)
            && matches!(last.spelling, Spelling::Plain)
            && last.source.end == source.start
        {
            last.source.end = source.end;
            last.text.end = text.end;
            return;
        }
        self.segments.push(Segment { source, text, spelling });
    }

    /// A word; `joined` when nothing but white space stands between it and the segment before it, a word.
    fn word(&mut self, word: &EncodedWord<'_>, source: Range<usize>, joined: Option<usize>) {
        let charset = Encoding::for_label(word.charset).unwrap_or(UTF_8);
        let base64 = word.encoding == WordEncoding::Base64;
        let bytes = word.decode().unwrap_or_default();
        let (text, broken) = charset.decode_without_bom_handling(&bytes);
        // A character cut in two by the end of a word: both words are read, and written, as one.
        if let Some(last) = joined.and_then(|n| self.segments.get(n.checked_sub(1)?))
            && let Spelling::Word { charset: before, .. } = last.spelling
            && before == charset
            && (broken || self.text.get(last.text.clone()).is_some_and(|t| t.ends_with('\u{FFFD}')))
        {
            let whole = last.source.start..source.end;
            let mut octets = Vec::new();
            let mut at = whole.start;
            while let Some(rest) = self.raw.get(at..whole.end).filter(|rest| !rest.is_empty()) {
                match EncodedWord::parse(rest) {
                    Some((word, length)) => {
                        octets.extend(word.decode().unwrap_or_default());
                        at += length;
                    }
                    None => at += 1,
                }
            }
            let text = charset.decode_without_bom_handling(&octets).0.into_owned();
            let start = last.text.start;
            self.segments.pop();
            self.text.truncate(start);
            self.push(&text, whole, Spelling::Word { charset, base64 });
            return;
        }
        self.push(&text, source, Spelling::Word { charset, base64 });
    }

    /// The raw value with ranges of the text replaced, which ascend and lie apart, folded once more where a line would be too
    /// long for the wire; `None` when they do not, or when there is no blank to fold such a line at. New text stands in the first encoded word that its range touches, else in place; it is ASCII
    /// where it stands in place.
    pub fn edited(&self, edits: &[TextEdit], line_end: LineEnd) -> Option<Vec<u8>> {
        let mut new: Vec<Option<String>> = vec![None; self.segments.len()];
        // How far the text of each segment has been copied.
        let mut copied: Vec<usize> = self.segments.iter().map(|segment| segment.text.start).collect();
        let mut at = 0;
        for edit in edits {
            if edit.range.start < at || self.text.get(edit.range.clone()).is_none() {
                return None;
            }
            at = edit.range.end;
            let first = self.segments.partition_point(|segment| segment.text.end <= edit.range.start);
            let touched = self.segments.iter().enumerate().skip(first);
            let touched: Vec<usize> =
                touched.take_while(|(_, s)| s.text.start < edit.range.end).map(|(index, _)| index).collect();
            let is_word = |index: &usize| {
                self.segments.get(*index).is_some_and(|segment| matches!(segment.spelling, Spelling::Word { .. }))
            };
            let holder = touched.iter().copied().find(is_word).or(touched.first().copied());
            for index in touched {
                let (segment, slot, from) = (self.segments.get(index)?, new.get_mut(index)?, copied.get_mut(index)?);
                let text = slot.get_or_insert_default();
                text.push_str(self.text.get(*from..edit.range.start.max(segment.text.start)).unwrap_or_default());
                if Some(index) == holder {
                    text.push_str(&edit.text);
                }
                *from = edit.range.end.min(segment.text.end);
            }
        }
        for ((segment, slot), from) in self.segments.iter().zip(&mut new).zip(copied) {
            if let Some(text) = slot {
                text.push_str(self.text.get(from..segment.text.end).unwrap_or_default());
            }
        }
        self.written(&new, line_end)
    }

    fn written(&self, new: &[Option<String>], line_end: LineEnd) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.raw.len() + 32);
        let mut at = 0;
        // What stands at the end: a word or not, and whether an edit moved it or what stood behind it.
        let (mut behind_word, mut moved) = (false, false);
        for (index, (segment, new)) in self.segments.iter().zip(new).enumerate() {
            out.extend_from_slice(self.raw.get(at..segment.source.start)?);
            at = segment.source.end;
            let old = self.raw.get(segment.source.clone())?;
            moved |= new.is_some();
            if new.as_ref().is_some_and(String::is_empty) {
                continue;
            }
            let is_word = matches!(segment.spelling, Spelling::Word { .. });
            let first = match new {
                Some(text) if !is_word => text.bytes().next(),
                _ => old.first().copied(),
            };
            // A word that touches other text is not known for one.
            if moved && (behind_word || is_word) && touches(&out, first) {
                out.push(b' ');
            }
            let next_is_word =
                self.segments.get(index + 1).is_some_and(|s| matches!(s.spelling, Spelling::Word { .. }));
            if let (Some(text), false) = (new, is_word)
                && behind_word
                && next_is_word
                && text.bytes().all(|b| b == b' ')
            {
                // White space between two words is not shown: what was shown before is encoded.
                out.extend_from_slice(format!(" =?utf-8?Q?{}?= ", "_".repeat(text.len())).as_bytes());
                (behind_word, moved) = (true, true);
                continue;
            }
            match (new, segment.spelling) {
                (None, _) => out.extend_from_slice(old),
                (Some(text), Spelling::Word { charset, base64 }) => {
                    encode_word(text, charset, base64, old, line_end, &mut out);
                }
                (Some(text), _) => out.extend_from_slice(text.as_bytes()),
            }
            (behind_word, moved) = (is_word, new.is_some());
        }
        out.extend_from_slice(self.raw.get(at..)?);
        let out = without_blank_lines(&out);
        let out = long_lines::folded(&out, MAX_NAME, line_end).into_owned();
        (!long_lines::is_too_long(&out, MAX_NAME)).then_some(out)
    }
}

/// The name of the field stands on the first line.
const MAX_NAME: usize = 80;

/// True where nothing parts what is written from what comes next.
fn touches(out: &[u8], next: Option<u8>) -> bool {
    let parts = |b: u8| b.is_ascii_whitespace() || matches!(b, b'(' | b')' | b'"');
    out.last().is_some_and(|b| !parts(*b)) && next.is_some_and(|b| !parts(b))
}

fn encode_word(text: &str, charset: &'static Encoding, base64: bool, old: &[u8], line_end: LineEnd, out: &mut Vec<u8>) {
    let (bytes, used, unmappable) = charset.encode(text);
    let payload = if base64 { base64::STANDARD.encode(&bytes) } else { q_payload(&bytes) };
    // The name of the charset as it was written, with its language.
    let name = old.get(2..).and_then(|rest| rest.split(|b| *b == b'?').next()).unwrap_or_default();
    let word = format!("=?{}?{}?{payload}?=", String::from_utf8_lossy(name), if base64 { 'B' } else { 'Q' });
    if !unmappable && used == charset && word.len() <= old.len().max(MAX_WORD) {
        out.extend_from_slice(word.as_bytes());
        return;
    }
    let words = if base64 { rfc2047::B } else { rfc2047::Q_PHRASE };
    let mut encoded = String::new();
    let mut column = out.iter().rev().take_while(|b| **b != b'\n').count();
    words.encode_words("utf-8", text, &mut column, Fold::HEADER, &mut encoded);
    out.extend(with_line_end(encoded.into_bytes(), line_end));
}

/// RFC 2047 §4.2, with the few characters that may stand anywhere (§5, rule 3).
fn q_payload(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        match byte {
            b' ' => out.push('_'),
            b'!' | b'*' | b'+' | b'-' | b'/' => out.push(char::from(*byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(*byte)),
            _ => {
                let _ = write!(out, "={byte:02X}");
            }
        }
        out
    })
}

/// A line of a folded value that holds nothing but white space would be taken for the end of the header by some.
fn without_blank_lines(value: &[u8]) -> Vec<u8> {
    if memchr::memchr(b'\n', value).is_none() {
        return value.to_vec();
    }
    let lines: Vec<&[u8]> = value.split_inclusive(|b| *b == b'\n').collect();
    let mut out = Vec::with_capacity(value.len());
    for (n, line) in lines.iter().enumerate() {
        if n > 0 && line.trim_ascii().is_empty() {
            // The last line has no line end: that of the one before it goes.
            if n + 1 == lines.len() {
                out.truncate(out.trim_ascii_end().len());
            }
            continue;
        }
        out.extend_from_slice(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(raw: &str, find: &str, mask: &str) -> String {
        let field = FieldText::read(raw.as_bytes());
        let start = field.text().find(find).unwrap_or_else(|| panic!("{:?}", field.text()));
        let edit = TextEdit { range: start..start + find.len(), text: mask.to_owned() };
        String::from_utf8(field.edited(&[edit], LineEnd::CrLf).unwrap()).unwrap()
    }

    #[test]
    fn text_as_it_stands_is_edited_in_place() {
        assert_eq!(masked(" a 4111 b", "4111", "[X]"), " a [X] b");
        assert_eq!(masked(" a 41\r\n 11 b", "41 11", "[X]"), " a [X]\r\n b");
        assert_eq!(masked("  a  \t4111", "4111", "[X]"), "  a  \t[X]");
        assert_eq!(masked(" a\r\n 4111\r\n", "4111", ""), " a");
    }

    #[test]
    fn one_encoded_word_is_encoded_anew_and_the_others_stay() {
        assert_eq!(
            masked(" =?UTF-8?q?Gr=c3=bc=c3=9fe?= =?utf-8?Q?_4111_x?=\r\n =?iso-8859-1?Q?=FC?=", "4111", "[X]"),
            " =?UTF-8?q?Gr=c3=bc=c3=9fe?= =?utf-8?Q?_=5BX=5D_x?=\r\n =?iso-8859-1?Q?=FC?="
        );
        assert_eq!(
            masked(" =?iso-8859-1?Q?=FC_41?= =?utf-8?B?MTE=?= end", "4111", "[X]"),
            " =?iso-8859-1?Q?=FC_=5BX=5D?=  end"
        );
        assert_eq!(masked(" Re: 41=?utf-8?Q?11?=", "4111", "[X]"), " Re: =?utf-8?Q?=5BX=5D?=");
        assert_eq!(masked(" =?utf-8?Q?a_41?= 11 b", " 41", ""), " =?utf-8?Q?a?= 11 b");
    }

    #[test]
    fn a_character_cut_in_two_is_read_as_one() {
        let raw = " =?utf-8?Q?4111_=C3?= =?utf-8?Q?=BC_b?=";
        assert_eq!(FieldText::read(raw.as_bytes()).text(), " 4111 ü b");
        assert_eq!(masked(raw, "4111", "[X]"), " =?utf-8?Q?=5BX=5D_=C3=BC_b?=");
    }

    #[test]
    fn a_word_and_what_follows_stay_apart() {
        assert_eq!(masked(" =?utf-8?Q?a?= 4111 b", " 4111 ", ""), " =?utf-8?Q?a?= b");
        assert_eq!(
            masked(" =?utf-8?Q?a?= 4111 =?utf-8?Q?b?=", "4111", ""),
            " =?utf-8?Q?a?= =?utf-8?Q?__?= =?utf-8?Q?b?="
        );
        assert_eq!(masked(" =?utf-8?Q?a_41?= 11b", "41 11", "[X]"), " =?utf-8?Q?a_=5BX=5D?= b");
        let long = masked(" =?utf-8?Q?a_41?=", "41", &"word ".repeat(30));
        assert!(long.lines().all(|line| line.len() <= 78), "{long}");
        assert_eq!(FieldText::read(long.as_bytes()).text().trim_end(), format!(" a {}", "word ".repeat(30)).trim_end());
    }

    #[test]
    fn octets_that_are_no_utf_8_are_read_one_by_one_and_stay() {
        let field = FieldText::read(b" caf\xE9 4111 \x80");
        assert_eq!(field.text(), " café 4111 €");
        let start = field.text().find("4111").unwrap();
        let edit = TextEdit { range: start..start + 4, text: "[X]".to_owned() };
        assert_eq!(field.edited(&[edit], LineEnd::CrLf).unwrap(), b" caf\xE9 [X] \x80");
    }
}
