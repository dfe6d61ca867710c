//! What is left of a text however mail programs wrap, quote and space it: by that a block is known in quoted text.
//!
//! They wrap lines anew, put `>` before them, write other quotes and dashes, stars round what was bold, and the target
//! of a link behind its text. So only letters and digits count, in lower case, without link targets and quote marks.

use std::ops::Range;

use super::super::super::template::Filled;

/// Letters by which a block is known; one with fewer is compared with all its signs.
const KNOWN_BY: usize = 12;
/// What the variables between two pieces may hold, in octets.
const MAX_VALUE: usize = 1_000;
/// So many places where a block might begin are looked at.
const MAX_TRIES: usize = 200;
/// Lines over which a link target may be wrapped.
const MAX_TARGET_LINES: usize = 4;

/// What a text is known by.
#[derive(Debug)]
pub(in crate::rule::actions) struct Print {
    /// In this order, as [`normal`] makes them.
    pieces: Vec<String>,
    /// A word that stands in every form of the text: quick to look for.
    word: String,
    counts: Counts,
}

/// Which signs count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// Letters and digits that are not in a link target.
    Letters,
    /// All but white space and quote marks.
    All,
}

impl Print {
    pub(in crate::rule::actions) fn new(filled: &Filled<'_>) -> Self {
        let fixed = filled.fixed_pieces();
        let pieces = normal_pieces(&fixed, Counts::Letters);
        if pieces.iter().map(String::len).sum::<usize>() >= KNOWN_BY {
            return Self { pieces, word: word(&fixed.join("\n")), counts: Counts::Letters };
        }
        let whole = filled.text();
        let pieces = normal_pieces(&[&whole], Counts::All);
        Self { pieces, word: word(&whole), counts: Counts::All }
    }

    /// A quick look: false means that [`Print::find`] finds nothing.
    pub(in crate::rule::actions) fn may_be_in(&self, text: &str) -> bool {
        memchr::memmem::find(text.as_bytes(), self.word.as_bytes()).is_some()
    }

    /// Is it somewhere in the text?
    pub(in crate::rule::actions) fn is_in(&self, text: &str) -> bool {
        let mut all = String::with_capacity(text.len());
        normal(text, self.counts, |_, c| all.push(c));
        self.next(&all, 0, &mut 0).is_some()
    }

    /// Where it stands, in order and apart: from its first sign that counts to its last.
    pub(in crate::rule::actions) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut all = String::with_capacity(text.len());
        // For each octet, where its character begins in the text.
        let mut places = Vec::with_capacity(text.len());
        normal(text, self.counts, |at, c| {
            all.push(c);
            places.resize(all.len(), at);
        });
        let mut found = Vec::new();
        let (mut from, mut tries) = (0, 0);
        while let Some(range) = self.next(&all, from, &mut tries) {
            from = range.end;
            let first = places.get(range.start).copied().unwrap_or_default();
            let last = range.end.checked_sub(1).and_then(|at| places.get(at)).copied().unwrap_or_default();
            let length = text.get(last..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            found.push(first..last + length);
        }
        found
    }

    /// True for text without a sign that counts.
    pub(in crate::rule::actions) fn is_blank(&self, text: &str) -> bool {
        let mut blank = true;
        normal(text, self.counts, |_, _| blank = false);
        blank
    }

    /// All pieces, in order, each near the one before.
    fn next(&self, all: &str, from: usize, tries: &mut usize) -> Option<Range<usize>> {
        let (first, others) = self.pieces.split_first()?;
        for at in memchr::memmem::find_iter(all.get(from..)?.as_bytes(), first.as_bytes()) {
            *tries += 1;
            if *tries > MAX_TRIES {
                return None;
            }
            let start = from + at;
            let end = others.iter().try_fold(start + first.len(), |end, piece| {
                let near = all.as_bytes().get(end..all.len().min(end + MAX_VALUE + piece.len()))?;
                memchr::memmem::find(near, piece.as_bytes()).map(|at| end + at + piece.len())
            });
            if let Some(end) = end {
                return Some(start..end);
            }
        }
        None
    }
}

fn normal_pieces(pieces: &[&str], counts: Counts) -> Vec<String> {
    let normal = |piece: &&str| {
        let mut out = String::new();
        normal(piece, counts, |_, c| out.push(c));
        out
    };
    pieces.iter().map(normal).filter(|piece| !piece.is_empty()).collect()
}

/// The longest word in ASCII outside of link targets: no client writes references for letters.
fn word(text: &str) -> String {
    let mut words = String::new();
    let mut last = 0;
    normal(text, Counts::All, |at, c| {
        if at != last || !c.is_ascii_alphanumeric() {
            words.push(' ');
        }
        if c.is_ascii_alphanumeric() {
            words.push_str(text.get(at..at + 1).unwrap_or_default());
        }
        last = at + c.len_utf8();
    });
    let outside = |word: &&str| !is_in_target(text, word);
    let longest = words.split(' ').filter(outside).max_by_key(|word| word.len());
    longest.unwrap_or_default().to_owned()
}

fn is_in_target(text: &str, word: &str) -> bool {
    let mut outside = String::new();
    normal(text, Counts::Letters, |_, c| outside.push(c));
    !outside.is_empty() && !outside.contains(&word.to_lowercase())
}

/// Hand on the signs that count, each with where it stands in the text. Linear.
fn normal(text: &str, counts: Counts, mut sink: impl FnMut(usize, char)) {
    let mut at = 0;
    // Lines for which a link target that an angle bracket opened may go on.
    let mut target_lines = 0_usize;
    for line in text.split_inclusive('\n') {
        let marks = quote_marks(line);
        let mut here = at + marks + line.get(marks..).map_or(0, |rest| rest.len() - rest.trim_start().len());
        at += line.len();
        let rest = |from: usize| text.get(from..at).unwrap_or_default();
        if target_lines > 0 {
            let length = rest(here).find(|c: char| c.is_whitespace() || c == '>').unwrap_or(0);
            let closed = rest(here + length).starts_with('>');
            here += length;
            target_lines = if closed { 0 } else { target_lines - 1 };
        }
        let mut before = ' ';
        while let Some(c) = rest(here).chars().next() {
            if counts == Counts::Letters && !before.is_alphanumeric() && is_target(rest(here)) {
                let end = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '(' | ')' | '[' | ']');
                here += rest(here).find(end).unwrap_or(rest(here).len());
                if before == '<' && rest(here).trim().is_empty() {
                    target_lines = MAX_TARGET_LINES;
                }
                before = ' ';
                continue;
            }
            if match counts {
                Counts::Letters => c.is_alphanumeric(),
                Counts::All => !c.is_whitespace() && c != '>',
            } {
                c.to_lowercase().for_each(|lower| sink(here, lower));
            }
            before = c;
            here += c.len_utf8();
        }
    }
}

/// The marks of a quote at the beginning of a line, in octets.
fn quote_marks(line: &str) -> usize {
    let mut rest = line;
    loop {
        let bare = rest.trim_start_matches([' ', '\t', '\u{A0}']);
        let initials = bare.bytes().take(4).take_while(u8::is_ascii_uppercase).count();
        match bare.as_bytes().get(initials) {
            Some(b'>') if initials <= 3 => rest = bare.get(initials + 1..).unwrap_or_default(),
            Some(b'|') if initials == 0 => rest = bare.get(1..).unwrap_or_default(),
            _ => return line.len() - rest.len(),
        }
    }
}

/// True for an empty line, quoted or not.
pub(in crate::rule::actions) fn blank_quoted(line: &str) -> bool {
    line.get(quote_marks(line)..).is_none_or(|rest| rest.trim().is_empty())
}

/// True for the address of a link or a picture.
fn is_target(text: &str) -> bool {
    const SCHEMES: [&str; 4] = ["http://", "https://", "mailto:", "cid:"];
    SCHEMES.iter().any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTICE: &str = "This mail is “confidential”. Delete it, if it is not for you: see our terms \
                          <https://www.example.com/legal/terms-and-conditions/for-mail?lang=en>.";

    #[test]
    fn a_text_is_known_again_wrapped_and_quoted() {
        let print = Print::new(&Filled::fixed(NOTICE));
        for text in [
            "Hi\n\nThis mail is\n“confidential”. Delete it, if\nit is not for you: see our terms.\n",
            "> > This mail is \"confidential\". Delete it,\n> > if it is not for you: see our\n>> terms[https://www.example.com/legal].",
            "This\u{a0}mail is *“confidential”*. Delete it,   if it is not for you: see our _terms_.",
            "KL> This mail is 'confidential'. Delete it\nKL> if it is not for you -- see our terms\nKL> <https://www.example.com/legal/\nKL> terms-and-conditions/for-mail?lang=en>.",
            "| This mail is &confidential&. Delete it if it is not for you (see our terms (http://x.example/))",
        ] {
            assert!(print.may_be_in(text) && print.is_in(text), "{text}");
            assert_eq!(print.find(text).len(), 1);
        }
        for text in
            ["This mail is confidential.", "see our terms. This mail is confidential. Delete it, if it is not for you"]
        {
            assert!(!print.is_in(text), "{text}");
        }
        assert!(!print.may_be_in("nothing of it"));
    }

    #[test]
    fn a_text_behind_a_link_target_that_is_wrapped_counts() {
        let print = Print::new(&Filled::fixed("Our terms <https://www.example.com/> hold for all that we do"));
        assert!(print.is_in("> Our terms <https://www.example.com/?a=b\n> &c=d> hold for all\n> that we do\n"));
        assert!(print.is_in("> Our terms\n> <https://www.example.com/>\n> hold for all that we do\n"));
        assert!(!print.is_in("> Our terms\n> <https://www.example.com/>\n> never hold for all that we do\n"));
    }

    #[test]
    fn values_of_variables_may_be_others_and_are_short() {
        let filled = format!("This mail comes from {} and not from us", Filled::value("evil.example"));
        let print = Print::new(&Filled::fixed(&filled));
        assert!(print.is_in("> This mail comes from kim.example\n> and not from us\n"));
        assert!(print.is_in("This mail comes from This mail comes from kim.example and not from us"));
        assert!(!print.is_in(&format!("This mail comes from {} and not from us", "x".repeat(5_000))));
    }

    #[test]
    fn a_short_text_is_known_by_all_its_signs() {
        let print = Print::new(&Filled::fixed("[Outside]"));
        assert!(print.is_in("> [Outside]\n> Hi") && !print.is_in("Outside it rains"));
        let print = Print::new(&Filled::fixed("https://example.com/"));
        assert!(print.is_in("see https://example.com/ now") && !print.is_in("see https://example.net/"));
        assert!(!Print::new(&Filled::fixed("")).is_in("anything"));
    }

    #[test]
    fn places_reach_from_the_first_letter_to_the_last() {
        let print = Print::new(&Filled::fixed("This mail is “confidential”."));
        let text = "Hi.\n> *This* mail\n> is \"confidential\".\nKim\n> This mail is confidential é";
        let found: Vec<&str> = print.find(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["This* mail\n> is \"confidential", "This mail is confidential"]);
    }

    #[test]
    fn time_is_linear_in_odd_texts() {
        let print = Print::new(&Filled::fixed("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
        assert!(!print.is_in(&"a".repeat(1_000_000)));
        let filled = format!("confidential mail {} of ours", Filled::value("x"));
        assert!(!Print::new(&Filled::fixed(&filled)).is_in(&"confidential mail ".repeat(100_000)));
        normal(&"> ".repeat(200_000), Counts::Letters, |_, _| ());
        normal(&"<https://x\n".repeat(50_000), Counts::Letters, |_, _| ());
    }
}
