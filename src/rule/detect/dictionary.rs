//! Many phrases at once, such as the names of projects or customers.
//!
//! Upper and lower case are the same, a run of white space is one blank, and phrases are whole words. Invariant: one pass
//! over the text, whatever the phrases.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::rule::late::{Late, Steps, TimeUp};

/// Phrases of one dictionary.
pub const MAX_PHRASES: usize = 200_000;
/// Bytes of a phrase.
pub const MAX_PHRASE: usize = 200;
/// Octets of the file of a dictionary.
pub const MAX_FILE: u64 = 8 << 20;

/// Phrases that stand somewhere are looked at between two looks at the clock: many may be no whole words.
const EVERY: usize = 4_096;

/// Compiled phrases.
#[derive(Debug)]
pub struct Dictionary(AhoCorasick);

/// A character in lower case, and a blank for white space.
fn plain(c: char) -> impl Iterator<Item = char> {
    let ascii = c.is_ascii().then(|| if c.is_ascii_whitespace() { ' ' } else { c.to_ascii_lowercase() });
    let wide = (!c.is_ascii()).then(|| c.to_lowercase());
    ascii.into_iter().chain(wide.into_iter().flatten())
}

/// Text as phrases are compared: lower case, a run of white space as one blank.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(plain) {
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}

/// Part of a word where words are parted by blanks.
fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| (c.is_alphanumeric() || c == '_') && c < '\u{2E80}')
}

impl Dictionary {
    /// Compile; the error says why not.
    pub fn new<'p>(phrases: impl Iterator<Item = &'p str>) -> Result<Self, String> {
        let phrases: Vec<String> = phrases.map(|phrase| normal(phrase.trim())).collect();
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&phrases)
            .map(Self)
            .map_err(|why| format!("these phrases are too many: {why}"))
    }

    /// Hand the range of every phrase in `text` to `found`, in order, as long as it says so.
    pub fn find(&self, text: &str, late: Late<'_>, found: &mut dyn FnMut(Range<usize>) -> bool) -> Result<(), TimeUp> {
        let mut steps = Steps::new(late, EVERY);
        let normal = normal(text);
        let mut way = Way { text, at: 0, normal: 0, blank: false };
        let mut from = 0;
        while let Some(hit) = normal.get(from..).and_then(|rest| self.0.find(rest)) {
            steps.took(1)?;
            let (start, end) = (from + hit.start(), from + hit.end());
            let edge = |at: usize, before: bool| {
                let (left, right) = normal.split_at(at);
                let (inside, outside) = (right.chars().next(), left.chars().next_back());
                let (inside, outside) = if before { (inside, outside) } else { (outside, inside) };
                is_word(inside) && is_word(outside)
            };
            if edge(start, true) || edge(end, false) {
                // The next word may begin a phrase.
                let step = normal.get(start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
                from = start + step;
                continue;
            }
            if !found(way.to(start)..way.to(end)) {
                break;
            }
            from = end;
        }
        Ok(())
    }
}

/// The way from the normal text back to the text, in one pass.
struct Way<'t> {
    text: &'t str,
    at: usize,
    normal: usize,
    blank: bool,
}

impl Way<'_> {
    /// The place in the text of a place in the normal text; places come in order.
    fn to(&mut self, place: usize) -> usize {
        for c in self.text.get(self.at..).unwrap_or_default().chars() {
            let mut grown = self.normal;
            let mut blank = self.blank;
            for c in plain(c) {
                if c != ' ' || !blank {
                    grown += c.len_utf8();
                }
                blank = c == ' ';
            }
            // White space that became part of the blank before it goes with that blank.
            if self.normal >= place && grown > self.normal || grown > place {
                break;
            }
            (self.normal, self.blank) = (grown, blank);
            self.at += c.len_utf8();
            if self.normal == place && !blank {
                break;
            }
        }
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'t>(phrases: &[&str], text: &'t str) -> Vec<&'t str> {
        let dictionary = Dictionary::new(phrases.iter().copied()).unwrap();
        let mut hits = Vec::new();
        let found = dictionary.find(text, Late::NEVER, &mut |range| {
            hits.push(&text[range]);
            true
        });
        assert_eq!(found, Ok(()));
        hits
    }

    #[test]
    fn whole_words_in_any_case_however_they_are_parted() {
        let phrases = ["Blue Heron", "heron", "Ünïcode", "機密", "C++", "a b c"];
        assert_eq!(all(&phrases, "the BLUE\r\n  heron project"), ["BLUE\r\n  heron"]);
        assert_eq!(all(&phrases, "herons and a Heron, xheron"), ["Heron"]);
        assert_eq!(all(&phrases, "É ÜNÏCODE."), ["ÜNÏCODE"]);
        assert_eq!(all(&phrases, "これは機密です"), ["機密"]);
        assert_eq!(all(&phrases, "c++ code"), ["c++"]);
        assert_eq!(all(&phrases, "İ  a  b  c  İ heron"), ["a  b  c", "heron"]);
        assert_eq!(all(&phrases, ""), [""; 0]);
        assert_eq!(all(&phrases, "heron"), ["heron"]);
    }
}
