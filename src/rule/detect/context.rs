//! What stands round a number: words that vouch for it, and places where digits mean something else (URLs, ids, hex).
//!
//! Invariant: no look goes further than a constant number of bytes, so that a text full of candidates stays linear.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// How far back and ahead a word may stand that vouches for a number, in bytes.
const BEFORE: usize = 120;
const AFTER: usize = 60;

/// The same for what only a word makes a find.
const CLOSE: (usize, usize) = (60, 16);

/// How much of what touches a number is looked at on either side, in bytes.
const TOKEN: usize = 128;

/// How far back the start of a URL is looked for, in bytes.
const URL: usize = 1_024;

/// So many characters of base64 beside a number make it part of a blob.
const BLOB: usize = 24;

/// Longest keyword, in bytes.
pub const MAX_WORD: usize = 64;

/// How much is read ahead for keywords at a time, in bytes.
const STRIDE: usize = 512;

/// A set of detectors of one [`super::DetectorSet`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mask([u64; Self::WORDS]);

impl Mask {
    const WORDS: usize = 5;
    /// So many detectors fit.
    #[cfg(test)]
    pub const CAPACITY: usize = Self::WORDS * 64;

    /// Add a detector.
    pub fn add(&mut self, detector: usize) {
        if let Some(word) = self.0.get_mut(detector / 64) {
            *word |= 1 << (detector % 64);
        }
    }
    /// Is the detector in it?
    pub fn has(&self, detector: usize) -> bool {
        self.0.get(detector / 64).is_some_and(|word| word & (1 << (detector % 64)) != 0)
    }
    fn add_all(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }
}

/// The keywords of all detectors of a set, in one automaton.
#[derive(Debug, Default)]
pub struct Words {
    automaton: Option<AhoCorasick>,
    /// By pattern of the automaton: whom the word vouches for.
    masks: Vec<Mask>,
}

impl Words {
    /// `words` are pairs of a keyword and the detector that it vouches for.
    pub fn new<'w>(words: impl Iterator<Item = (&'w str, usize)>) -> Self {
        let mut list: BTreeMap<String, Mask> = BTreeMap::new();
        for (word, detector) in words.filter(|(word, _)| !word.is_empty() && word.len() <= MAX_WORD) {
            // The automaton knows the case of ASCII only.
            for spelling in [word.to_lowercase(), word.to_uppercase()] {
                let spelling = if spelling.is_ascii() { spelling.to_lowercase() } else { spelling };
                list.entry(spelling).or_default().add(detector);
            }
        }
        let (words, masks): (Vec<String>, Vec<Mask>) = list.into_iter().unzip();
        let automaton = (!words.is_empty())
            .then(|| {
                AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(&words).ok()
            })
            .flatten();
        Self { automaton, masks }
    }
}

/// Keywords as they are met on the way through a text: read where a number needs one, each byte at most once.
#[derive(Debug)]
pub struct Nearby<'t> {
    bytes: &'t [u8],
    words: &'t Words,
    /// Range and mask of those met, in the order of their ends.
    met: VecDeque<(usize, usize, Mask)>,
    /// Keywords that end up to here have been met.
    read_to: usize,
}

impl<'t> Nearby<'t> {
    /// Of a folded text.
    pub fn new(bytes: &'t [u8], words: &'t Words) -> Self {
        Self { bytes, words, met: VecDeque::new(), read_to: 0 }
    }

    /// Whom the words near `range` vouch for. Ranges come in the order of their starts, near enough.
    pub fn near(&mut self, range: &Range<usize>) -> Mask {
        self.within(range, (BEFORE, AFTER))
    }

    /// The same for what has no check of its own: the words must stand closer.
    pub fn close(&mut self, range: &Range<usize>) -> Mask {
        self.within(range, CLOSE)
    }

    fn within(&mut self, range: &Range<usize>, (before, after): (usize, usize)) -> Mask {
        let mut mask = Mask::default();
        let Some(automaton) = &self.words.automaton else { return mask };
        let from = range.start.saturating_sub(BEFORE);
        let to = self.bytes.len().min(range.end.saturating_add(AFTER));
        self.read_to = self.read_to.max(from);
        while self.met.front().is_some_and(|&(start, ..)| start + 2 * BEFORE < from) {
            self.met.pop_front();
        }
        if self.read_to < to {
            let read_to = self.bytes.len().min(to + STRIDE);
            let start = self.read_to.saturating_sub(MAX_WORD);
            for found in automaton.find_overlapping_iter(self.bytes.get(start..read_to).unwrap_or_default()) {
                let (word, end) = (start + found.start(), start + found.end());
                if end > self.read_to && is_word(self.bytes, word, end) {
                    let mask = self.words.masks.get(found.pattern().as_usize()).copied().unwrap_or_default();
                    self.met.push_back((word, end, mask));
                }
            }
            self.read_to = read_to;
        }
        let (from, to) = (range.start.saturating_sub(before), range.end.saturating_add(after));
        for (start, end, word) in &self.met {
            if *start >= from && *end <= to {
                mask.add_all(word);
            }
        }
        mask
    }
}

/// Is a letter of an alphabet beside `at`? Chinese and kin need no blanks round a word.
fn letter_before(bytes: &[u8], at: usize) -> bool {
    match bytes.get(at.saturating_sub(2)..at) {
        Some([.., last]) if last.is_ascii() => last.is_ascii_alphabetic(),
        Some([first, _]) => (0xC3..=0xDF).contains(first),
        _ => false,
    }
}

fn letter_after(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|&b| b.is_ascii_alphabetic() || (0xC3..=0xDF).contains(&b))
}

/// Is what stands there a word of its own? Digits may touch it (`card4111…`).
fn is_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let lettered = |b: Option<&u8>| b.is_some_and(|&b| b.is_ascii_alphabetic() || (0x80..0xE0).contains(&b));
    let open = !lettered(bytes.get(start)) || !letter_before(bytes, start);
    let shut = end.checked_sub(1).is_some_and(|last| !lettered(bytes.get(last))) || !letter_after(bytes, end);
    // `[SSN]` is the mask of a find, and vouches for no other.
    let bracket = start.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'[');
    let mask = bracket && bytes.get(end).is_some_and(|b| b"]#-".contains(b));
    open && shut && !mask
}

/// What stands before `at`, nearest last, as long as `part_of` holds.
fn back(bytes: &[u8], at: usize, part_of: impl Fn(u8) -> bool) -> &[u8] {
    let window = bytes.get(at.saturating_sub(TOKEN)..at).unwrap_or_default();
    let start = window.iter().rposition(|&b| !part_of(b)).map_or(0, |stop| stop + 1);
    window.get(start..).unwrap_or_default()
}

/// What follows `at` as long as `part_of` holds.
fn ahead(bytes: &[u8], at: usize, part_of: impl Fn(u8) -> bool) -> &[u8] {
    let window = bytes.get(at..bytes.len().min(at.saturating_add(TOKEN))).unwrap_or_default();
    let end = window.iter().position(|&b| !part_of(b)).unwrap_or(window.len());
    window.get(..end).unwrap_or_default()
}

/// Part of a token: anything but white space and what parts URLs and message ids from text.
fn in_token(b: u8) -> bool {
    !b.is_ascii_whitespace() && !b.is_ascii_control() && !b"<>\"".contains(&b)
}

/// Part of a local part or a domain, as message ids have them.
fn in_address(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"._+=$%-!#*".contains(&b)
}

/// Are the digits of `range` something else than a number that stands for itself?
pub fn is_something_else(bytes: &[u8], range: &Range<usize>) -> bool {
    if follows_decimal_point(bytes, range.start) {
        return true;
    }
    let matched = bytes.get(range.clone()).unwrap_or_default();
    if matched.iter().any(u8::is_ascii_whitespace) {
        return false;
    }
    let before = back(bytes, range.start, in_token);
    let after = ahead(bytes, range.end, in_token);
    in_url(bytes, range.start)
        || in_message_id(bytes, range)
        || in_hex(bytes, range)
        || in_uuid(bytes, range)
        || in_blob(bytes, range)
        || in_boundary(before, after)
}

/// `0.5227687358856201`.
pub fn follows_decimal_point(bytes: &[u8], start: usize) -> bool {
    matches!(bytes.get(start.saturating_sub(2)..start), Some([digit, b'.']) if digit.is_ascii_digit())
}

/// `+41 44…`: a telephone number.
pub fn follows_plus(bytes: &[u8], start: usize) -> bool {
    start.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'+')
}

/// `https://example.com/4111…`. A comma or bar before the number ends the URL: a line of CSV.
fn in_url(bytes: &[u8], start: usize) -> bool {
    let window = bytes.get(start.saturating_sub(URL)..start).unwrap_or_default();
    if window.last().is_none_or(|last| b",;| \t\r\n".contains(last)) {
        return false;
    }
    // What ends a URL; found by memchr, which is ten times as fast here as a loop.
    let end = memchr::memrchr3(b' ', b'\n', b'<', window).max(memchr::memrchr3(b'\t', b'"', b'>', window));
    let token = end.map_or(window, |end| window.get(end + 1..).unwrap_or_default());
    let starts = |prefix: &[u8]| token.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    memchr::memmem::find(token, b"://").is_some() || [&b"www."[..], b"cid:", b"mid:", b"urn:"].iter().any(|p| starts(p))
}

/// `<4111….x@mail.example>`.
fn in_message_id(bytes: &[u8], range: &Range<usize>) -> bool {
    let local = ahead(bytes, range.end, in_address);
    let at = range.end + local.len();
    if bytes.get(at) == Some(&b'@') {
        let domain = ahead(bytes, at + 1, |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        let dotted = domain.iter().rposition(|&b| b == b'.').is_some_and(|dot| dot > 0 && dot + 1 < domain.len());
        let closed = bytes.get(at + 1 + domain.len()) == Some(&b'>');
        if !domain.is_empty() && (dotted || closed) {
            return true;
        }
    }
    let domain = back(bytes, range.start, |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    let at = range.start.checked_sub(domain.len() + 1);
    at.is_some_and(|at| {
        let local = back(bytes, at, in_address);
        bytes.get(at) == Some(&b'@') && !local.is_empty()
    })
}

/// `a4111111111111111f`, `0x4111…`: letters touch the number and all of them are hex digits.
fn in_hex(bytes: &[u8], range: &Range<usize>) -> bool {
    let before = back(bytes, range.start, |b| b.is_ascii_alphanumeric());
    let after = ahead(bytes, range.end, |b| b.is_ascii_alphanumeric());
    let before = before.strip_prefix(b"0x").unwrap_or(before);
    let touched = before.len() + after.len() > 0 || back(bytes, range.start, |b| b.is_ascii_alphanumeric()).len() == 2;
    touched && before.iter().chain(after).all(u8::is_ascii_hexdigit)
}

/// `41111111-1111-1111-1111-111111111111`.
fn in_uuid(bytes: &[u8], range: &Range<usize>) -> bool {
    let part_of = |b: u8| b.is_ascii_hexdigit() || b == b'-';
    let before = back(bytes, range.start, part_of);
    let after = ahead(bytes, range.end, part_of);
    let whole = bytes.get(range.start - before.len()..range.end + after.len()).unwrap_or_default();
    whole.len() == 36 && whole.split(|&b| b == b'-').map(<[u8]>::len).eq([8, 4, 4, 4, 12])
}

/// A line of base64, a token, a DKIM value: much else on either side, of both cases and with digits.
fn in_blob(bytes: &[u8], range: &Range<usize>) -> bool {
    let part_of = |b: u8| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b);
    let before = back(bytes, range.start, part_of);
    let after = ahead(bytes, range.end, part_of);
    let has = |test: fn(&u8) -> bool| before.iter().chain(after).any(test);
    before.len() + after.len() >= BLOB
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

/// `------=_Part_4111…_1`, `--boundary4111…`.
fn in_boundary(before: &[u8], after: &[u8]) -> bool {
    let dashes = before.iter().take_while(|&&b| b == b'-').count();
    let rest = before.get(dashes..).unwrap_or_default();
    let odd = |b: &u8| b"=_".contains(b);
    dashes >= 2 && !rest.is_empty() && (rest.iter().any(odd) || after.iter().any(odd) || dashes >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(words: &Words, text: &str, range: Range<usize>) -> bool {
        Nearby::new(text.as_bytes(), words).near(&range).has(3)
    }

    #[test]
    fn words_stand_near_as_words() {
        let words =
            Words::new(["card", "ss#", "social security", "sécurité", "身份证"].map(|word| (word, 3)).into_iter());
        for (text, want) in [
            ("card 123", true),
            ("CARD123", true),
            ("my Social Security is 123", true),
            ("SS# 123", true),
            ("discard 123", false),
            ("cardigan 123", false),
            ("123 on my card", true),
            ("123", false),
            ("SÉCURITÉ 123", true),
            ("insécurité 123", false),
            ("我的身份证是123", true),
            ("我的card123", true),
            ("écard 123", false),
        ] {
            let start = text.find("123").unwrap();
            assert_eq!(near(&words, text, start..start + 3), want, "{text}");
        }
        let far = format!("card {} 123", "x".repeat(200));
        assert!(!near(&words, &far, far.len() - 3..far.len()));
    }

    #[test]
    fn words_are_met_wherever_reading_paused() {
        let words = Words::new([("card", 3)].into_iter());
        for gap in 300..1_300 {
            let text = format!("1 {} card 2", "x".repeat(gap));
            let mut nearby = Nearby::new(text.as_bytes(), &words);
            assert!(!nearby.near(&(0..1)).has(3));
            assert!(nearby.near(&(text.len() - 1..text.len())).has(3), "{gap}");
        }
    }

    #[test]
    fn digits_that_are_something_else() {
        let number = "4111111111111111";
        for (text, want) in [
            ("4111111111111111", false),
            ("card:4111111111111111,", false),
            ("card4111111111111111x", false),
            ("(4111111111111111)", false),
            ("Ann,https://example.com/x,4111111111111111", false),
            ("ann@example.com,4111111111111111", false),
            ("--4111111111111111", false),
            ("0.4111111111111111", true),
            ("https://example.com/o?id=4111111111111111&x=1", true),
            ("www.example.com/4111111111111111", true),
            ("<4111111111111111.7@mail.example>", true),
            ("<x@4111111111111111.mail.example>", true),
            ("a4111111111111111f", true),
            ("0x4111111111111111", true),
            ("aGVsbG8gd29ybGQxMjM0NTY3ODkw4111111111111111ZZ", true),
            ("------=_Part_4111111111111111_7", true),
        ] {
            let start = text.find(number).unwrap();
            assert_eq!(is_something_else(text.as_bytes(), &(start..start + number.len())), want, "{text}");
        }
        let uuid = "41111111-1111-1111-1111-111111111111";
        assert!(is_something_else(uuid.as_bytes(), &(9..23)));
    }
}
