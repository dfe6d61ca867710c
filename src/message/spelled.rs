//! Text as it is spelled somewhere in a message, with a map back to its source: HTML with its character references, an
//! attribute, a URL with its percent signs, a folded calendar line, a parameter cut into pieces.
//!
//! Invariant: runs ascend, in the text and in the source, and lie apart. Source that no run holds (markup, folding) stands
//! for nothing in the text, or for a separator that was put there; an edit leaves it alone.

use std::ops::Range;

pub use super::runs::Run;
use super::runs::Runs;

/// A text with the place of each character in its source, which is the caller's to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spelled {
    text: String,
    runs: Runs,
}

impl Spelled {
    /// Text that stands in its source as it is, `offset` bytes from its start.
    pub fn plain(text: &str, offset: usize) -> Self {
        let mut spelled = Self::default();
        spelled.push(text, offset..offset + text.len(), true);
        spelled
    }

    /// From a text and the runs of it.
    pub(super) fn new(text: String, runs: Runs) -> Self {
        Self { text, runs }
    }

    /// What it reads as.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// One more piece. `verbatim` only where the source is the text, byte for byte.
    pub fn push(&mut self, text: &str, source: Range<usize>, verbatim: bool) {
        if text.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.runs.join(Run { text: start..self.text.len(), source, verbatim });
    }

    /// Text that stands for no source.
    pub fn push_separator(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// What spells `range` of the text, in order; what cannot be divided is in as a whole when any of it is.
    pub fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = Run> + '_ {
        let runs = self.runs.from(range.start);
        runs.take_while(move |run| run.text.start < range.end).map(move |run| {
            if !run.verbatim {
                return run;
            }
            let text = range.start.max(run.text.start)..range.end.min(run.text.end);
            let shift = |at: usize| run.source.start + (at - run.text.start);
            Run { source: shift(text.start)..shift(text.end), text, verbatim: true }
        })
    }

    /// A part of it, with the same source.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        let mut part = Self::default();
        let mut at = range.start;
        for run in self.pieces(range.clone()) {
            // Separators stay where they were.
            part.push_separator(self.text.get(at..run.text.start).unwrap_or_default());
            part.push(self.text.get(run.text.clone()).unwrap_or_default(), run.source, run.verbatim);
            at = run.text.end;
        }
        part.push_separator(self.text.get(at..range.end).unwrap_or_default());
        part
    }

    /// The same text with `%XX` decoded (RFC 3986 §2.1); `plus` reads as a space in forms. What is no UTF-8 shows as
    /// U+FFFD.
    #[must_use]
    pub fn percent_decoded(&self, plus_is_space: bool) -> Self {
        if !(self.text.contains('%') || plus_is_space && self.text.contains('+')) {
            return self.clone();
        }
        let bytes = self.text.as_bytes();
        let mut decoded = Self::default();
        let (mut at, mut copied) = (0, 0);
        while let Some(byte) = bytes.get(at) {
            let unit = match byte {
                b'%' => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let is_octet = || rest.get(1..3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
                    percent_character(rest).or_else(|| is_octet().then_some((char::REPLACEMENT_CHARACTER, 3)))
                }
                b'+' if plus_is_space => Some((' ', 1)),
                _ => None,
            };
            let Some((character, length)) = unit else {
                at += 1;
                continue;
            };
            decoded.append(self, copied..at);
            let mut pieces = self.pieces(at..at + length);
            if let Some(first) = pieces.next() {
                let end = pieces.last().map_or(first.source.end, |last| last.source.end);
                decoded.push(character.encode_utf8(&mut [0; 4]), first.source.start..end, false);
            }
            at += length;
            copied = at;
        }
        decoded.append(self, copied..bytes.len());
        decoded
    }

    fn append(&mut self, from: &Self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let part = from.part(range);
        let shift = self.text.len();
        self.text.push_str(&part.text);
        for run in part.runs.iter() {
            self.runs.push(Run { text: run.text.start + shift..run.text.end + shift, ..run });
        }
    }

    /// Put `other` behind it.
    pub fn extend(&mut self, other: &Self) {
        self.append(other, 0..other.text.len());
    }

    /// The same text, `offset` bytes further on in its source.
    pub fn shift(&mut self, offset: usize) {
        self.runs.shift(offset);
    }

    /// The same text, whose source is the text of `outer`, with the source of that.
    #[must_use]
    pub fn within(&self, outer: &Self) -> Self {
        let mut out = Self::default();
        let mut at = 0;
        for run in self.runs.iter() {
            out.push_separator(self.text.get(at..run.text.start).unwrap_or_default());
            at = run.text.end;
            let mut pieces = outer.pieces(run.source.clone());
            if run.verbatim {
                for piece in pieces {
                    let text = outer.text.get(piece.text).unwrap_or_default();
                    out.push(text, piece.source, piece.verbatim);
                }
            } else if let Some(first) = pieces.next() {
                let end = pieces.last().map_or(first.source.end, |last| last.source.end);
                out.push(self.text.get(run.text.clone()).unwrap_or_default(), first.source.start..end, false);
            }
        }
        out.push_separator(self.text.get(at..).unwrap_or_default());
        out
    }

    /// The same text with runs of white space as one blank each, as HTML shows them; separators that were put there stay.
    #[must_use]
    pub fn collapsed(self) -> Self {
        let is_blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b'\x0C');
        let mut out = Self { text: String::with_capacity(self.text.len()), runs: Runs::default() };
        let mut at = 0;
        for run in self.runs.iter() {
            out.push_separator(self.text.get(at..run.text.start).unwrap_or_default());
            at = run.text.end;
            let text = self.text.get(run.text.clone()).unwrap_or_default();
            if !run.verbatim {
                out.push(text, run.source, false);
                continue;
            }
            let bytes = text.as_bytes();
            let (mut copied, mut seen) = (0, 0);
            while let Some(found) = bytes.get(seen..).and_then(|rest| rest.iter().position(is_blank)) {
                let start = seen + found;
                let length = bytes.get(start..).unwrap_or_default().iter().take_while(|b| is_blank(b)).count();
                seen = start + length;
                if length == 1 && bytes.get(start) == Some(&b' ') {
                    continue;
                }
                let source = |range: Range<usize>| run.source.start + range.start..run.source.start + range.end;
                out.push(text.get(copied..start).unwrap_or_default(), source(copied..start), true);
                out.push(" ", source(start..seen), false);
                copied = seen;
            }
            let rest = run.source.start + copied..run.source.end;
            out.push(text.get(copied..).unwrap_or_default(), rest, true);
        }
        out.push_separator(self.text.get(at..).unwrap_or_default());
        out
    }

    /// Separators that were put there and are `from` become `to`; both are one byte of ASCII.
    pub fn replace_separators(&mut self, from: u8, to: u8) {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        let mut at = 0;
        let ends = self.runs.iter().map(|run| (run.text.start, run.text.end));
        for (start, end) in ends.chain([(bytes.len(), bytes.len())]) {
            for byte in bytes.get_mut(at..start).unwrap_or_default() {
                if *byte == from {
                    *byte = to;
                }
            }
            at = end;
        }
        self.text = String::from_utf8(bytes).unwrap_or_default();
    }
}

/// The character that percent signs spell here, and in how many octets.
fn percent_character(bytes: &[u8]) -> Option<(char, usize)> {
    let octet = |n: usize| {
        let hex = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        (bytes.get(n * 3) == Some(&b'%')).then_some(())?;
        Some(hex(n * 3 + 1)? * 16 + hex(n * 3 + 2)?)
    };
    let first = octet(0)?;
    let length = match first {
        0..=0x7F => 1,
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let octets: Vec<u8> = (0..length).map(octet).collect::<Option<_>>()?;
    let character = std::str::from_utf8(&octets).ok()?.chars().next()?;
    Some((character, length * 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_are_decoded_with_their_place() {
        let spelled = Spelled::plain("a%34+%C3%A9%zz%ff", 10).percent_decoded(true);
        assert_eq!(spelled.text(), "a4 é%zz\u{FFFD}");
        let pieces: Vec<_> = spelled.pieces(1..5).map(|run| (run.source, run.verbatim)).collect();
        assert_eq!(pieces, [(11..14, false), (14..15, false), (15..21, false)]);
        let rest: Vec<_> = spelled.pieces(5..11).map(|run| run.source).collect();
        assert_eq!(rest, vec![21..24, 24..27]);
    }

    #[test]
    fn white_space_collapses_and_keeps_its_place() {
        let mut spelled = Spelled::plain("a\r\n  b c\td", 10);
        spelled.push_separator("\n");
        spelled.push("e ", 30..32, true);
        let collapsed = spelled.collapsed();
        assert_eq!(collapsed.text(), "a b c d\ne ");
        let sources: Vec<_> = collapsed.pieces(0..11).map(|run| run.source).collect();
        assert_eq!(sources, [10..11, 11..15, 15..18, 18..19, 19..20, 30..32]);
    }

    #[test]
    fn text_within_text_has_the_source_of_the_outer_one() {
        let outer = Spelled::plain("a%3Cb%3Ec", 5).percent_decoded(false);
        assert_eq!(outer.text(), "a<b>c");
        let mut inner = Spelled::plain("a", 0);
        inner.push("c", 4..5, true);
        let whole = inner.within(&outer);
        let sources: Vec<_> = whole.pieces(0..2).map(|run| run.source).collect();
        assert_eq!((whole.text(), sources), ("ac", vec![5..6, 13..14]));
        let mut unit = Spelled::default();
        unit.push("x", 1..4, false);
        assert_eq!(unit.within(&outer).pieces(0..1).map(|run| run.source).collect::<Vec<_>>(), vec![6..13]);
    }

    #[test]
    fn separators_are_told_from_text() {
        let mut spelled = Spelled::plain("a\tb", 0);
        spelled.push_separator("\t");
        spelled.extend(&Spelled::plain("c", 9));
        spelled.push_separator("\t");
        spelled.replace_separators(b'\t', b'|');
        assert_eq!(spelled.text(), "a\tb|c|");
        assert_eq!(spelled.part(2..5).text(), "b|c");
        assert_eq!(spelled.part(2..5).pieces(0..3).count(), 2);
    }

    #[test]
    fn a_separator_at_the_end_stays_when_percent_signs_are_decoded() {
        let mut spelled = Spelled::plain("%34", 0);
        spelled.push_separator("\t");
        assert_eq!(spelled.percent_decoded(false).text(), "4\t");
    }
}
