//! Finds that begin with fixed text (`ghp_`, `-----BEGIN`, `password:`): one automaton for all of them.
//!
//! Invariant: what stands behind a literal is looked at for a bounded number of bytes, or each byte once.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::Confidence;
use super::context::Nearby;
use super::found::Finds;
use super::numbers::Hit;

/// A token with a fixed start: what follows is of one alphabet, and so long.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// How it begins; upper and lower case differ.
    pub prefix: &'static str,
    /// What may follow.
    pub alphabet: Alphabet,
    /// Characters behind the prefix, at least and at most.
    pub length: (usize, usize),
    /// What a token whose characters fit is by itself: `None` is nothing without a keyword.
    pub check: fn(&[u8]) -> Option<Confidence>,
}

/// Characters of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// Digits and letters.
    Alphanumeric,
    /// And `-`, `_`: base64 for URLs.
    Url,
    /// And `.`.
    Dotted,
    /// Digits and lower-case a to f.
    Hex,
    /// Digits, letters, `+`, `/`, `=`.
    Base64,
    /// Upper-case letters and 2 to 7.
    Base32,
}

impl Alphabet {
    /// May this byte be part of it?
    pub fn has(self, byte: u8) -> bool {
        match self {
            Self::Alphanumeric => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || b"-_".contains(&byte),
            Self::Dotted => byte.is_ascii_alphanumeric() || b"-_.".contains(&byte),
            Self::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Base64 => byte.is_ascii_alphanumeric() || b"+/=".contains(&byte),
            Self::Base32 => byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte),
        }
    }
}

/// The length of the run of an alphabet at `from`, at most `limit`.
pub fn run(bytes: &[u8], from: usize, limit: usize, part_of: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..bytes.len().min(from.saturating_add(limit))).unwrap_or_default();
    rest.iter().position(|&b| !part_of(b)).unwrap_or(rest.len())
}

/// Reads what follows a literal: the range of the find, and how sure it is without and with a keyword near.
pub type Read = fn(&[u8], Range<usize>) -> Option<(Range<usize>, Option<Confidence>, Confidence)>;

/// What is done where a literal occurs.
#[derive(Debug, Clone, Copy)]
enum Then {
    Token(&'static Token),
    Read { read: Read, exact: bool },
}

/// All literals of a set.
#[derive(Debug, Default)]
pub struct Literals {
    automaton: Option<AhoCorasick>,
    /// The literal, the detector, what is done.
    patterns: Vec<(&'static str, usize, Then)>,
    /// By pattern of the automaton: the patterns whose literals it begins with.
    begun: Vec<Vec<usize>>,
}

impl Literals {
    /// Look for this token as well.
    pub fn token(&mut self, token: &'static Token, detector: usize) {
        self.patterns.push((token.prefix, detector, Then::Token(token)));
    }
    /// Look for these literals as well: in upper and lower case unless they must be `exact`.
    pub fn read(&mut self, literals: &[&'static str], exact: bool, read: Read, detector: usize) {
        self.patterns.extend(literals.iter().map(|literal| (*literal, detector, Then::Read { read, exact })));
    }
    /// All that there are.
    #[must_use]
    pub fn compile(mut self) -> Self {
        let mut words: Vec<String> = self.patterns.iter().map(|(literal, ..)| literal.to_ascii_lowercase()).collect();
        words.sort_unstable();
        words.dedup();
        let begins = |word: &str, literal: &str| {
            word.get(..literal.len()).is_some_and(|head| head.eq_ignore_ascii_case(literal))
        };
        let begun = |word: &String| {
            let patterns = self.patterns.iter().enumerate();
            patterns.filter(|(_, (literal, ..))| begins(word, literal)).map(|(at, _)| at).collect()
        };
        self.begun = words.iter().map(begun).collect();
        // The longest literal at a place, and those that it begins with: one step a byte, which finds that overlap are not.
        self.automaton = (!words.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .ascii_case_insensitive(true)
                    .match_kind(MatchKind::LeftmostLongest)
                    .kind(Some(AhoCorasickKind::DFA))
                    .build(&words)
                    .ok()
            })
            .flatten();
        self
    }

    /// Everything that begins with a literal. `nearby` is read from the start of the text.
    pub fn find(&self, bytes: &[u8], least: Confidence, nearby: &mut Nearby<'_>, finds: &mut Finds<'_>) {
        let Some(automaton) = &self.automaton else { return };
        // Behind what was found last, by detector of the last find: a block of keys is not read once for each line.
        let mut behind: Option<(usize, usize)> = None;
        for found in automaton.find_iter(bytes) {
            if !finds.goes_on() {
                return;
            }
            for &pattern in self.begun.get(found.pattern().as_usize()).into_iter().flatten() {
                let Some(&(literal, detector, then)) = self.patterns.get(pattern) else { continue };
                let at = found.start()..found.start() + literal.len();
                if behind.is_some_and(|(known, end)| known == detector && at.start < end) {
                    continue;
                }
                let Some(hit) = read_at(bytes, at, literal, detector, then, least, nearby) else { continue };
                let (range, detector, confidence) = hit;
                behind = Some((detector, range.end));
                finds.push(range, detector, confidence);
            }
        }
    }
}

fn read_at(
    bytes: &[u8],
    at: Range<usize>,
    literal: &str,
    detector: usize,
    then: Then,
    least: Confidence,
    nearby: &mut Nearby<'_>,
) -> Option<Hit> {
    let exact = !matches!(then, Then::Read { exact: false, .. });
    if exact && bytes.get(at.clone()) != Some(literal.as_bytes()) {
        return None;
    }
    let (range, alone, near) = match then {
        Then::Token(token) => read_token(bytes, at, token),
        Then::Read { read, .. } => read(bytes, at),
    }?;
    let confidence = match alone {
        Some(alone) if alone >= near => Some(alone),
        _ if nearby.near(&range).has(detector) => Some(near),
        alone => alone,
    };
    confidence.filter(|confidence| *confidence >= least).map(|confidence| (range, detector, confidence))
}

fn read_token(bytes: &[u8], at: Range<usize>, token: &Token) -> Option<(Range<usize>, Option<Confidence>, Confidence)> {
    let before = at.start.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(|b| b.is_ascii_alphanumeric() || b"_+".contains(b)) {
        return None;
    }
    let (least, most) = token.length;
    let length = run(bytes, at.end, most + 1, |b| token.alphabet.has(b));
    let mut end = at.end + length;
    if !(least..=most).contains(&length) {
        return None;
    }
    // The end of a sentence is no part of it.
    while end > at.end && bytes.get(end - 1).is_some_and(|b| b"-_.".contains(b)) {
        end -= 1;
    }
    let body = bytes.get(at.end..end).filter(|body| body.len() >= least)?;
    let varied = super::check::entropy(body) >= 2.0;
    let confidence = (token.check)(body).filter(|_| varied);
    let near = confidence.unwrap_or(Confidence::Low).max(Confidence::Medium);
    varied.then_some((at.start..end, confidence, near))
}
