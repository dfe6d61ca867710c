//! ISO-2022-JP (RFC 1468), which has shift sequences: new text begins and ends in what is in force around it.

use std::ops::Range;

use encoding_rs::ISO_2022_JP;

use super::encode_with;
use super::strict::{Reading, Strict};

const ESCAPE: u8 = 0x1B;
/// The shift to ASCII (RFC 1468).
const ISO_2022_JP_ASCII: &[u8] = b"\x1b(B";

/// New text in place of a range of the bytes of `shifts`, and the range that it replaces, which may lie a shift sequence
/// further; `None` when the charset lacks a character. Two shifts with nothing between them are never written: readers
/// show them as broken text, since they could hide something.
pub(super) fn splice(text: &str, shifts: &Shifts<'_>, range: Range<usize>) -> Option<(Range<usize>, Vec<u8>)> {
    let bytes = shifts.bytes;
    let in_force = |at: usize| shifts.state_at(at).unwrap_or(ISO_2022_JP_ASCII);
    let encoded = encode_with(ISO_2022_JP, text)?;
    if Strict::Iso2022Jp.reading(&encoded, text) != Reading::Same {
        return None;
    }
    let (first, content) = match leading_shift(&encoded) {
        Some(shift) => (shift, encoded.get(shift.len()..)?),
        None => (ISO_2022_JP_ASCII, encoded.as_slice()),
    };
    let follows = bytes.get(range.end..).and_then(leading_shift);
    if let Some(shift) = follows.filter(|shift| *shift == first && range.is_empty() && !text.is_empty()) {
        // As good behind the shift, and there the text needs none of its own.
        let at = range.end + shift.len();
        return splice(text, shifts, at..at);
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

/// Where the shift sequences of a text are: found once, asked for at many places.
#[derive(Debug)]
pub(super) struct Shifts<'b> {
    bytes: &'b [u8],
    /// Ascending.
    escapes: Vec<usize>,
}

impl<'b> Shifts<'b> {
    pub fn of(bytes: &'b [u8]) -> Self {
        Self { bytes, escapes: memchr::memchr_iter(ESCAPE, bytes).collect() }
    }

    /// False for a place between shift sequences: where the text around is broken, nobody knows what is in force there.
    pub fn is_unshifted(&self, range: &Range<usize>) -> bool {
        let unshifted = |at: usize| self.state_at(at).is_none() && self.bytes.get(at) != Some(&ESCAPE);
        unshifted(range.start) && unshifted(range.end)
    }

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
    fn iso_2022_jp_is_edited_in_its_ascii_state() {
        let splice = |bytes: &[u8], range: Range<usize>, text| {
            let (range, new) = super::splice(text, &Shifts::of(bytes), range).unwrap();
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
            let (range, new) = super::splice(text, &Shifts::of(bytes), at..at).unwrap();
            let out = [&bytes[..range.start], &new, &bytes[range.end..]].concat();
            assert!(!ISO_2022_JP.decode_without_bom_handling(&out).1, "{at} {text}: {}", out.escape_ascii());
        }
    }

    #[test]
    fn signs_that_only_some_readers_know_are_lacking() {
        assert_eq!(splice("①", &Shifts::of(b""), 0..0), None);
        assert_eq!(splice("ｱ", &Shifts::of(b""), 0..0), None);
    }
}
