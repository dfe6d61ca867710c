//! Text as the detectors read it: every digit an ASCII digit, every space a space, every dash a hyphen, what cannot be
//! seen gone; and the way back to the text as it is.
//!
//! Invariant: folding keeps the order of characters, so a range of the folded text is one range of the text.

use std::borrow::Cow;
use std::ops::Range;

/// What becomes of one character.
enum Fold {
    /// It stays.
    Keep,
    /// It cannot be seen and goes.
    Drop,
    /// This ASCII character stands for it.
    As(u8),
}

/// The zeros of the decimal digits (Unicode general category Nd) that people type; the nine digits follow each.
const ZEROS: &[char] = &[
    '\u{0660}',
    '\u{06F0}',
    '\u{07C0}',
    '\u{0966}',
    '\u{09E6}',
    '\u{0A66}',
    '\u{0AE6}',
    '\u{0B66}',
    '\u{0BE6}',
    '\u{0C66}',
    '\u{0CE6}',
    '\u{0D66}',
    '\u{0DE6}',
    '\u{0E50}',
    '\u{0ED0}',
    '\u{0F20}',
    '\u{1040}',
    '\u{1090}',
    '\u{17E0}',
    '\u{1810}',
    '\u{1946}',
    '\u{19D0}',
    '\u{1A80}',
    '\u{1A90}',
    '\u{1B50}',
    '\u{1BB0}',
    '\u{1C40}',
    '\u{1C50}',
    '\u{A620}',
    '\u{A8D0}',
    '\u{A900}',
    '\u{A9D0}',
    '\u{A9F0}',
    '\u{AA50}',
    '\u{ABF0}',
    '\u{104A0}',
    '\u{10D30}',
    '\u{11066}',
    '\u{1E140}',
    '\u{1E950}',
    '\u{1FBF0}',
];

/// `first + offset`, for offsets below 128.
fn ascii(first: u8, offset: u32) -> Fold {
    u8::try_from(offset).map_or(Fold::Keep, |offset| Fold::As(first.saturating_add(offset)))
}

fn fold(c: char) -> Fold {
    let code = u32::from(c);
    match code {
        // Control characters that nothing shows, soft hyphen, marks that stand over, under and round a digit or a letter
        // (the frame of keycap digits among them), Arabic letter mark, Mongolian selectors and vowel separator, zero-width
        // space, (non-)joiner and marks of direction, word joiner and invisible operators, isolates, variation selectors,
        // zero-width no-break space, tags.
        0..=0x08
        | 0x0E..=0x1F
        | 0x7F..=0x84
        | 0xAD
        | 0x86..=0x9F
        | 0x300..=0x36F
        | 0x61C
        | 0x17B4
        | 0x17B5
        | 0x180B..=0x180F
        | 0x200B..=0x200F
        | 0x202A..=0x202E
        | 0x2060..=0x206F
        | 0x20D0..=0x20F0
        | 0xFE00..=0xFE0F
        | 0xFEFF
        | 0xFFF9..=0xFFFB
        | 0xE0000..=0xE0FFF => Fold::Drop,
        // Vertical tab, form feed, no-break, Hangul fillers, Ogham, en to hair (figure, thin …), narrow no-break, medium
        // mathematical, braille without a dot, ideographic.
        0x0B
        | 0x0C
        | 0xA0
        | 0x115F
        | 0x1160
        | 0x1680
        | 0x2000..=0x200A
        | 0x202F
        | 0x205F
        | 0x2800
        | 0x3000
        | 0x3164
        | 0xFFA0 => Fold::As(b' '),
        // Next line, line and paragraph separator.
        0x85 | 0x2028 | 0x2029 => Fold::As(b'\n'),
        // Hyphen, non-breaking hyphen, figure, en, em dash, bar, hyphen bullet, minus sign, small forms.
        0x2010..=0x2015 | 0x2043 | 0x2212 | 0xFE58 | 0xFE63 => Fold::As(b'-'),
        // Middle dot, bullet, one dot leader, hyphenation point, small full stop.
        0xB7 | 0x2022 | 0x2024 | 0x2027 | 0xFE52 => Fold::As(b'.'),
        // Full-width forms of ASCII.
        0xFF01..=0xFF5E => ascii(b'!', code - 0xFF01),
        // Mathematical digits: five alphabets of ten.
        0x1D7CE..=0x1D7FF => ascii(b'0', (code - 0x1D7CE) % 10),
        // Mathematical letters: thirteen alphabets of twice 26.
        0x1D400..=0x1D6A3 => match (code - 0x1D400) % 52 {
            upper @ 0..=25 => ascii(b'A', upper),
            lower => ascii(b'a', lower - 26),
        },
        // Digits in a circle. Superscripts stay out: a footnote mark behind a number is not part of it.
        0x2460..=0x2468 => ascii(b'1', code - 0x2460),
        0x24EA => Fold::As(b'0'),
        0x660.. => {
            let below = ZEROS.partition_point(|&zero| zero <= c);
            match below.checked_sub(1).and_then(|at| ZEROS.get(at)) {
                Some(&zero) if code - u32::from(zero) < 10 => ascii(b'0', code - u32::from(zero)),
                _ => Fold::Keep,
            }
        }
        _ => Fold::Keep,
    }
}

/// First bytes of characters of which none is folded: Latin, Greek, Cyrillic, Armenian, Hebrew; Chinese; Korean.
const fn is_letter_lead(byte: u8) -> bool {
    matches!(byte, 0xC3..=0xCB | 0xCE..=0xD7 | 0xE4..=0xE9 | 0xEB..=0xED)
}

/// ASCII of which nothing is folded.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E | b'\t' | b'\r' | b'\n')
}

/// The length of the plain ASCII that a text begins with; a whole block at a time while that goes.
fn plain_run(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    // What `is_plain` says, in arithmetic that the compiler does for a whole block at once.
    let odd = |b: u8| {
        u8::from(b.wrapping_sub(b' ') > b'~' - b' ')
            & u8::from(b != b'\t')
            & u8::from(b != b'\r')
            & u8::from(b != b'\n')
    };
    let plain = |block: &&[u8]| block.iter().fold(0, |any, &b| any | odd(b)) == 0;
    let blocks = BLOCK * bytes.chunks_exact(BLOCK).take_while(plain).count();
    blocks + bytes.get(blocks..).unwrap_or_default().iter().take_while(|b| is_plain(**b)).count()
}

/// A text, folded. One in which nothing is folded is borrowed.
#[derive(Debug)]
pub struct Folded<'t> {
    original: &'t str,
    text: Cow<'t, str>,
}

impl<'t> Folded<'t> {
    /// Fold `original`.
    pub fn new(original: &'t str) -> Self {
        let bytes = original.as_bytes();
        let mut text = String::new();
        // What has been copied, and what has been looked at.
        let (mut copied, mut at) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            let width = match byte {
                _ if is_plain(byte) => {
                    at += plain_run(bytes.get(at..).unwrap_or_default());
                    continue;
                }
                0..0x80 => 1,
                0x80..0xE0 => 2,
                0xE0..0xF0 => 3,
                _ => 4,
            };
            if !is_letter_lead(byte) {
                let folded = original.get(at..at + width).and_then(|c| c.chars().next()).map_or(Fold::Keep, fold);
                if !matches!(folded, Fold::Keep) {
                    text.push_str(original.get(copied..at).unwrap_or_default());
                    copied = at + width;
                }
                if let Fold::As(byte) = folded {
                    text.push(char::from(byte));
                }
            }
            at += width;
        }
        if copied == 0 {
            return Self { original, text: Cow::Borrowed(original) };
        }
        text.push_str(original.get(copied..).unwrap_or_default());
        Self { original, text: Cow::Owned(text) }
    }

    /// The folded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// From ranges of the folded text to ranges of the original.
    pub fn way_back(&self) -> WayBack<'t> {
        let chars = matches!(self.text, Cow::Owned(_)).then(|| self.original.char_indices());
        WayBack { original: self.original, chars, at: 0 }
    }
}

/// Turns ranges of a folded text, sorted and apart, into ranges of the original. One pass, no map kept: a map of a text
/// made of odd digits would be larger than the text.
#[derive(Debug)]
pub struct WayBack<'t> {
    original: &'t str,
    /// What follows; `None` where nothing was folded.
    chars: Option<std::str::CharIndices<'t>>,
    /// Where the next character of the original begins in the folded text.
    at: usize,
}

impl WayBack<'_> {
    /// Of a range behind those before.
    pub fn to(&mut self, range: Range<usize>) -> Range<usize> {
        let Some(chars) = &mut self.chars else { return range };
        let mut start = None;
        let mut end = None;
        while self.at < range.end {
            let Some((offset, c)) = chars.next() else { break };
            let width = match fold(c) {
                Fold::Keep => c.len_utf8(),
                Fold::Drop => 0,
                Fold::As(_) => 1,
            };
            if width > 0 {
                if self.at >= range.start && start.is_none() {
                    start = Some(offset);
                }
                end = Some(offset + c.len_utf8());
            }
            self.at += width;
        }
        let start = start.unwrap_or(self.original.len());
        start..end.unwrap_or(start).max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(original: &str, range: Range<usize>) -> &str {
        let range = Folded::new(original).way_back().to(range);
        &original[range]
    }

    #[test]
    fn zeros_are_sorted_and_are_zeros() {
        assert!(ZEROS.windows(2).all(|pair| pair[0] < pair[1]));
        for &zero in ZEROS {
            assert_eq!(Folded::new(&zero.to_string()).text(), "0", "{zero:?}");
            assert!(zero.is_numeric(), "{zero:?}");
            let nine = char::from_u32(u32::from(zero) + 9).unwrap();
            assert_eq!(Folded::new(&nine.to_string()).text(), "9", "{nine:?}");
        }
    }

    #[test]
    fn a_block_is_plain_if_each_byte_is() {
        for byte in 0..=u8::MAX {
            let run = plain_run(&[byte; 32]);
            assert_eq!(run, if is_plain(byte) { 32 } else { 0 }, "{byte:#x}");
            let mut block = [b'x'; 70];
            block[40] = byte;
            assert_eq!(plain_run(&block), if is_plain(byte) { 70 } else { 40 }, "{byte:#x}");
        }
    }

    #[test]
    fn digits_spaces_dashes_and_invisible_characters() {
        for (text, want) in [
            ("plain 12-3", "plain 12-3"),
            ("41\u{ff18}\u{0661}\u{1d7d9}", "41811"),
            ("1\u{a0}2\u{202f}3\u{2009}4\u{2007}5", "1 2 3 4 5"),
            ("1\u{2013}2\u{2012}3\u{2212}4", "1-2-3-4"),
            ("1\u{200b}2\u{ad}3\u{2060}4\u{feff}5", "12345"),
            ("\u{ff24}\u{ff25}\u{1d403}", "DED"),
            ("1\u{0}2\u{7f}3\u{b}4", "123 4"),
            ("1\u{332}2\u{304}3\u{2800}4\u{3164}5", "123 4 5"),
            ("tab\tline\r\n", "tab\tline\r\n"),
            ("é ü", "é ü"),
        ] {
            assert_eq!(Folded::new(text).text(), want);
        }
    }

    #[test]
    fn ranges_go_back_without_what_cannot_be_seen_round_them() {
        assert_eq!(back("ab12", 2..4), "12");
        assert_eq!(back("é\u{200b}1\u{200b}\u{ff12}\u{200b}x", 2..4), "1\u{200b}\u{ff12}");
        assert_eq!(back("é\u{661}\u{662}", 2..4), "\u{661}\u{662}");
    }

    #[test]
    fn several_ranges_go_back_in_one_pass() {
        let original = "\u{661}é\u{662}-\u{663}";
        let folded = Folded::new(original);
        assert_eq!(folded.text(), "1é2-3");
        let mut way = folded.way_back();
        let found: Vec<&str> = [0..1, 3..4, 5..6].into_iter().map(|range| &original[way.to(range)]).collect();
        assert_eq!(found, ["\u{661}", "\u{662}", "\u{663}"]);
    }
}
