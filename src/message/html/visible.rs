//! What a reader sees, with a map back to the source.

use std::ops::Range;

use memchr::memchr;

use super::element::Element;
use super::entity::{self, Decoded};
use super::open::Walk;
use super::tokens::Kind;
use crate::message::runs::{Run, Runs};
use crate::message::spelled::Spelled;

/// What a reader sees, with a map back to the source.
///
/// Character references are decoded and markup is gone; runs of white space are as they are. Blocks and `<br>` are
/// parted by `\n`, cells by `\t`; tags inside a line (`<b>`, `<span>`, `<wbr>`) do not part anything, so a number that
/// changes its font in the middle is one number. Text that CSS hides counts as visible: mail programs show it in
/// previews, and not all of them know the CSS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visible {
    /// The text.
    pub text: String,
    /// Together they cover the text but for the separators that stand for markup. A character reference cannot be divided.
    runs: Runs,
}

impl Visible {
    /// The bytes of the source that show the characters in `range` (bytes of `text`), ascending, apart, markup between
    /// them left out. A character reference counts as one character: it is in when any of it is.
    pub fn source_ranges(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for run in self.runs.from(range.start).take_while(|run| run.text.start < range.end) {
            let source = if run.verbatim {
                let from = range.start.max(run.text.start) - run.text.start;
                let to = range.end.min(run.text.end) - run.text.start;
                run.source.start + from..run.source.start + to
            } else {
                run.source
            };
            match ranges.last_mut() {
                Some(last) if last.end == source.start => last.end = source.end,
                _ if source.is_empty() => {}
                _ => ranges.push(source),
            }
        }
        ranges
    }

    /// The same, to be searched and edited ([`Spelled`]).
    pub fn into_spelled(self) -> Spelled {
        Spelled::new(self.text, self.runs)
    }

    fn verbatim(&mut self, html: &str, source: Range<usize>) {
        if source.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(html.get(source.clone()).unwrap_or_default());
        self.runs.push(Run { text: start..self.text.len(), source, verbatim: true });
    }

    /// Text with character references.
    pub(super) fn escaped(&mut self, html: &str, source: Range<usize>) {
        let bytes = html.as_bytes();
        let mut copied = source.start;
        let mut at = source.start;
        while let Some(found) = bytes.get(at..source.end).and_then(|rest| memchr(b'&', rest)) {
            at += found;
            let reference = html.get(at..source.end).and_then(entity::decode);
            let Some((decoded, length)) = reference else {
                at += 1;
                continue;
            };
            self.verbatim(html, copied..at);
            let start = self.text.len();
            match decoded {
                Decoded::Char(char) => self.text.push(char),
                Decoded::Text(text) => self.text.push_str(text),
            }
            self.runs.push(Run { text: start..self.text.len(), source: at..at + length, verbatim: false });
            at += length;
            copied = at;
        }
        self.verbatim(html, copied..source.end);
    }

    fn separator(&mut self, pending: &mut Pending) {
        match std::mem::replace(pending, Pending::Nothing) {
            Pending::Line if !self.text.is_empty() && !self.text.ends_with('\n') => self.text.push('\n'),
            Pending::Cell if !self.text.is_empty() && !self.text.ends_with(['\n', '\t']) => self.text.push('\t'),
            _ => {}
        }
    }
}

/// What parts the next text from the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pending {
    Nothing,
    Cell,
    Line,
}

/// The visible text of `html`. Linear.
pub fn visible(html: &str) -> Visible {
    let mut visible = Visible::default();
    let mut walk = Walk::new(html);
    let mut pending = Pending::Nothing;
    while let Some(token) = walk.next() {
        let hidden = walk.opened.is_hidden();
        match token.kind {
            Kind::Text if !hidden => {
                let blank = html.get(token.span.clone()).is_none_or(|text| text.trim().is_empty());
                // White space between blocks is not shown, except in preformatted text.
                if blank && (pending != Pending::Nothing || visible.text.is_empty()) && !walk.opened.has(Element::Pre) {
                    continue;
                }
                visible.separator(&mut pending);
                visible.escaped(html, token.span);
            }
            Kind::Cdata { closed } if !hidden => {
                visible.separator(&mut pending);
                let inner = token.span.start + "<![CDATA[".len();
                let end = if closed { token.span.end - "]]>".len() } else { token.span.end };
                visible.verbatim(html, inner..end.max(inner));
            }
            Kind::Raw { element, .. } if element.is_shown_raw() && !hidden => {
                visible.separator(&mut pending);
                if element == Element::Textarea {
                    visible.escaped(html, token.span);
                } else {
                    visible.verbatim(html, token.span);
                }
            }
            Kind::Start { element: Element::Br, .. } | Kind::End { element: Element::Br } if !hidden => {
                visible.separator(&mut pending);
                visible.text.push('\n');
            }
            Kind::Start { element, .. } | Kind::End { element } => {
                if element.parts_lines() {
                    pending = Pending::Line;
                } else if matches!(element, Element::Td | Element::Th) {
                    pending = pending.max(Pending::Cell);
                }
            }
            _ => {}
        }
    }
    visible
}
