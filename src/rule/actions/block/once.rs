//! How a block knows itself again: by its text, however a client has wrapped, spaced and quoted it.

use super::super::super::template::Filled;
use super::wrapper::MARK;
use super::{Insert, Once, Ready};
use crate::message::{Body, BodyKind, Draft, html, reply};

/// Octets of text, white space aside, by which a block is known; a shorter one is compared as a whole.
const KNOWN_BY: usize = 12;

/// What a text is known by.
#[derive(Debug)]
pub(super) struct Print {
    /// In this order, without white space.
    pieces: Vec<String>,
    /// A word that stands in every form of the text: quick to look for.
    word: String,
}

impl Insert {
    /// Does the block stand where it must not be put in again?
    pub(super) fn is_there(&self, ready: &Ready, here: &str, bodies: &[Body], draft: &Draft<'_>) -> bool {
        if self.once == Once::Always {
            return false;
        }
        // What an HTML body says goes before its plain alternative: what is quoted is easier to tell in HTML.
        let has_html = bodies.iter().any(|body| body.kind == BodyKind::Html);
        let deciding = bodies.iter().filter(|body| !has_html || body.kind == BodyKind::Html);
        deciding.filter_map(|body| Some((body.kind, draft.text(body.part).ok()?))).any(|(kind, text)| match kind {
            BodyKind::Html => {
                let newest = self.newest(text, html::reply_end);
                // Put in by us for this very message, or by a rule before it was quoted.
                text.contains(here)
                    || newest.contains(&format!("{MARK}=\"{}", ready.mark))
                    || (ready.html_print.may_be_in(newest) && ready.html_print.is_in(&html::visible(newest).text))
            }
            BodyKind::Plain => {
                if !ready.text_print.may_be_in(text) {
                    return false;
                }
                if looks_quoted(&ready.text) && stands_in(&ready.text, text) {
                    return true;
                }
                // Put at the end of a reply it stands behind what is quoted; that is quick to tell.
                ready.text_print.is_in(unquoted_end(text))
                    || ready.text_print.is_in(self.newest(text, reply::reply_end))
            }
        })
    }

    /// The text in which the block counts as there.
    fn newest<'t>(&self, text: &'t str, reply_end: fn(&str) -> Option<usize>) -> &'t str {
        if self.once == Once::Thread {
            return text;
        }
        reply_end(text).and_then(|end| text.get(..end)).unwrap_or(text)
    }
}

impl Print {
    pub(super) fn new(filled: &Filled<'_>) -> Self {
        let squeezed = |pieces: Vec<&str>| -> Vec<String> {
            pieces.into_iter().map(squeeze).filter(|piece| !piece.is_empty()).collect()
        };
        let mut pieces = squeezed(filled.fixed_pieces());
        let mut words = filled.fixed_pieces().join("\n");
        if pieces.iter().map(String::len).sum::<usize>() < KNOWN_BY {
            let whole = filled.text();
            pieces = squeezed(vec![&whole]);
            words = whole.into_owned();
        }
        // Words in ASCII stand in HTML as they are: no client writes references for letters.
        let word = words.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|word| word.len()).unwrap_or_default();
        Self { pieces, word: word.to_owned() }
    }
    /// A quick look: false means that [`Print::is_in`] is false.
    fn may_be_in(&self, text: &str) -> bool {
        memchr::memmem::find(text.as_bytes(), self.word.as_bytes()).is_some()
    }
    /// All pieces, in order; white space and quote marks do not count.
    fn is_in(&self, text: &str) -> bool {
        let text = squeeze(text);
        let mut rest = text.as_str();
        for piece in &self.pieces {
            let Some(at) = memchr::memmem::find(rest.as_bytes(), piece.as_bytes()) else { return false };
            rest = rest.get(at + piece.len()..).unwrap_or_default();
        }
        !self.pieces.is_empty()
    }
}

/// Without white space and quote marks: clients wrap lines anew, and put `>` in front of them.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '>').collect()
}

/// True for a block of which lines look as if they were quoted.
fn looks_quoted(block: &str) -> bool {
    block.lines().any(|line| line.trim_start().starts_with('>'))
}

/// True where the lines of a block stand as they are: quoted, each would have a mark before it.
fn stands_in(block: &str, text: &str) -> bool {
    let lines = |text: &str| text.trim().lines().fold(String::new(), |out, line| out + "\n" + line.trim());
    lines(text).contains(&lines(block))
}

/// The lines behind the last quoted one.
fn unquoted_end(text: &str) -> &str {
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.trim_start().starts_with('>') {
            start = at;
        }
    }
    text.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_again_wrapped_and_quoted() {
        let print = Print::new(&Filled::fixed("This mail is confidential. Delete it if it is not for you."));
        for text in [
            "Hi\n\nThis mail is\nconfidential. Delete it if\nit is not for you.\n",
            "> > This mail is confidential. Delete it\n> > if it is not for you.",
            "This\u{a0}mail is confidential. Delete it if it is not for you.",
        ] {
            assert!(print.may_be_in(text) && print.is_in(text), "{text}");
        }
        assert!(!print.is_in("This mail is confidential."));
        assert!(!print.may_be_in("nothing of it"));
    }

    #[test]
    fn a_footer_with_a_line_like_a_quote_is_known_again() {
        let block = "Example Ltd\n> Reg. no. 1\nHigh Street";
        assert!(looks_quoted(block) && !looks_quoted("Example Ltd -> High Street"));
        assert!(stands_in(block, "Hi\r\n\r\nExample Ltd\r\n > Reg. no. 1\r\nHigh Street\r\n"));
        assert!(!stands_in(block, "Hi\n\n> Example Ltd\n> > Reg. no. 1\n> High Street\n"));
    }

    #[test]
    fn the_end_behind_the_quote() {
        assert_eq!(unquoted_end("a\n> b\nc\n"), "c\n");
        assert_eq!(unquoted_end("a\nb"), "a\nb");
        assert_eq!(unquoted_end("a\n> b"), "");
    }
}
