//! Whether a block that is found in a text stands where it would be put.
//!
//! Invariant: a block stands there only if taking out every block of ours and putting this one in again would put it at
//! that very place. So whoever wrote it there, a reader sees it as if we had.

use std::borrow::Cow;
use std::ops::Range;

use super::body::BodyKind;
use super::draft::Place;
use super::html;
use super::place::{Spot, spot};

/// Empty lines that may stand between the place of a block and a block further down, besides those of blocks that stand
/// between: more could push it out of sight.
const MAX_EMPTY_LINES: usize = 3;

/// A text without the blocks in it.
pub(super) struct Without<'t> {
    pub text: Cow<'t, str>,
    taken: Vec<Range<usize>>,
}

impl<'t> Without<'t> {
    /// `blocks` are ranges of the text; those that are none, or overlap one before, count for nothing.
    pub fn new(text: &'t str, blocks: &[Range<usize>]) -> Self {
        let mut sorted: Vec<_> = blocks.iter().filter(|block| text.get((*block).clone()).is_some()).cloned().collect();
        sorted.sort_by_key(|block| (block.start, block.end));
        let mut taken: Vec<Range<usize>> = Vec::with_capacity(sorted.len());
        for block in sorted {
            if !block.is_empty() && taken.last().is_none_or(|last| last.end <= block.start) {
                taken.push(block);
            }
        }
        if taken.is_empty() {
            return Self { text: Cow::Borrowed(text), taken };
        }
        let mut rest = String::with_capacity(text.len());
        let mut at = 0;
        for block in &taken {
            rest.push_str(text.get(at..block.start).unwrap_or_default());
            at = block.end;
        }
        rest.push_str(text.get(at..).unwrap_or_default());
        Self { text: Cow::Owned(rest), taken }
    }

    /// Where an offset of the whole text is in the rest.
    pub fn rest_of(&self, at: usize) -> usize {
        let before = self.taken.iter().take_while(|block| block.start < at);
        at - before.map(|block| block.end.min(at) - block.start).sum::<usize>()
    }

    /// How many blocks stand before `end`, an offset of the whole text, and not before `start`, one of the rest.
    fn between(&self, start: usize, end: usize) -> usize {
        let mut taken = 0;
        let mut count = 0;
        for block in self.taken.iter().take_while(|block| block.start < end) {
            count += usize::from(block.start - taken >= start);
            taken += block.len();
        }
        count
    }

    /// Where an offset of the rest is in the whole text, behind the blocks that stand there.
    pub fn whole_of(&self, at: usize) -> usize {
        self.taken.iter().fold(at, |at, block| if block.start <= at { at + block.len() } else { at })
    }
}

/// Does `block`, one of `blocks` in `text`, stand where it would be put?
pub fn stands(kind: BodyKind, text: &str, blocks: &[Range<usize>], block: &Range<usize>, place: Place) -> bool {
    let without = Without::new(text, blocks);
    let rest = without.text.as_ref();
    let Some(Spot { at: spot, closers: idle }) = spot(kind, rest, place) else { return false };
    // What is open there would be closed before the block.
    if !is_idle(rest, spot, &idle) {
        return false;
    }
    let at = without.rest_of(block.start);
    let Some(between) = rest.get(at.min(spot)..at.max(spot)) else { return false };
    let sunk = kind == BodyKind::Plain && at > spot;
    let is_blank = |text: &str| text.chars().all(char::is_whitespace);
    (is_blank(between) || !idle.is_empty() && is_blank(&between.replace(&idle, "")))
        && !(sunk && between.matches('\n').count() > MAX_EMPTY_LINES + 2 * without.between(spot, block.start))
}

/// Do the end tags before a block at `spot` close nothing, or nothing that they can close?
fn is_idle(html: &str, spot: usize, closers: &str) -> bool {
    if closers.is_empty() {
        return true;
    }
    let Some((above, below)) = html.split_at_checked(spot) else { return false };
    html::end(&format!("{above}{closers}{below}")).is_some_and(|end| end.closers == closers)
}

/// True when there is nothing but these blocks, if any, and space.
pub fn is_all(text: &str, blocks: &[Range<usize>]) -> bool {
    Without::new(text, blocks).text.chars().all(|c| c.is_whitespace() || c == '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The block is `[…]` in the text; other blocks of ours are `(…)`.
    fn stands_in(kind: BodyKind, text: &str, place: Place) -> bool {
        let range = |open: char, close: char| Some(text.find(open)?..text.rfind(close)? + 1);
        let block = range('[', ']').unwrap();
        let blocks: Vec<_> = [Some(block.clone()), range('(', ')')].into_iter().flatten().collect();
        stands(kind, text, &blocks, &block, place)
    }

    #[test]
    fn places_are_mapped_past_blocks() {
        let without = Without::new("ab[x](y)cd[z]", &[2..5, 5..8, 10..13]);
        assert_eq!(without.text, "abcd");
        assert_eq!([0, 2, 4].map(|at| without.whole_of(at)), [0, 8, 13]);
        assert_eq!([1, 2, 4, 8, 9, 13].map(|at| without.rest_of(at)), [1, 2, 2, 2, 3, 4]);
        assert_eq!(Without::new("ab", &[1..9, 0..0]).text, "ab");
    }

    #[test]
    fn at_the_end() {
        for text in ["Hi\n\n[block]\n", "Hi\n\n[block]\n\n(other)\n", "Hi\n\n(other)\n\n[block]", "[block]\n \n"] {
            assert!(stands_in(BodyKind::Plain, text, Place::End), "{text}");
        }
        for text in ["[block]\nHi\n", "Hi\n[block]\nKim\n(other)\n"] {
            assert!(!stands_in(BodyKind::Plain, text, Place::End), "{text}");
        }
        for text in ["<p>Hi</p>\n[block]\n</body></html>", "<p>Hi\n</p>[block]\n(other)\n</body>", "Hi\n[block]"] {
            assert!(stands_in(BodyKind::Html, text, Place::End), "{text}");
        }
        for text in [
            "<p>Hi</p><div style='display:none'>[block]</div></body>",
            "<p>Hi</p><div style='display:none'>[block]",
            "<p>Hi</p><!-- [block] -->",
            "<p>Hi</p><!-- [block]",
            "<p>Hi</p><textarea>[block]",
            "<p>Hi</p><style>[block]",
            "<p>Hi</p><template>[block]",
        ] {
            assert!(!stands_in(BodyKind::Html, text, Place::End), "{text}");
        }
    }

    #[test]
    fn at_the_start() {
        for text in ["[block]\n\nHi\n", "\u{FEFF}[block]\n\nHi\n", "(other)\n\n[block]\n\nHi\n", "\n[block]\nHi"] {
            assert!(stands_in(BodyKind::Plain, text, Place::Start), "{text}");
        }
        let pushed_down = format!("{}[block]\n\nHi\n", "\n".repeat(100));
        for text in ["Hi\n[block]\n", &pushed_down] {
            assert!(!stands_in(BodyKind::Plain, text, Place::Start), "{text}");
        }
        assert!(stands_in(BodyKind::Html, "<html><body>\n[block]\n<p>Hi</p>", Place::Start));
        for text in ["<div hidden>[block]</div><p>Hi</p>", "<p>Hi</p>[block]", "<!-- <body>[block] --><body>Hi"] {
            assert!(!stands_in(BodyKind::Html, text, Place::Start), "{text}");
        }
    }

    #[test]
    fn below_a_reply() {
        let quote = "On 7 May 2024, Kim wrote:\n> Shall we meet?\n";
        let place = Place::BelowReply;
        assert!(stands_in(BodyKind::Plain, &format!("Yes.\n\n[block]\n\n{quote}"), place));
        // A block at the end is no text below the quote.
        assert!(stands_in(BodyKind::Plain, &format!("Yes.\n\n[block]\n\n{quote}\n\n(other)\n"), place));
        assert!(!stands_in(BodyKind::Plain, &format!("Yes.\n\n{quote}\n\n[block]\n"), place));
        let quote = "<blockquote type=cite>Shall we meet?</blockquote>";
        assert!(stands_in(BodyKind::Html, &format!("<p>Yes.</p>\n[block]\n{quote}"), place));
        assert!(!stands_in(BodyKind::Html, &format!("<p>Yes.</p><span hidden>[block]</span>{quote}"), place));
        assert!(!stands_in(BodyKind::Html, &format!("<p>Yes.</p>{quote}[block]"), place));
    }

    #[test]
    fn nothing_but_blocks() {
        assert!(is_all("\u{FEFF}[a]\n\n[b]\n", &[3..6, 8..11]));
        assert!(!is_all("[a] [b] c", &[0..3, 4..7]) && is_all(" \n", &[]));
    }
}
