//! What a reader sees of a text, each with a map to its source, and how a new text is written there.

use std::ops::Range;

use super::super::redact::views::{self, TextKind, Writing};
use crate::message::html::{self, UnseenKind};
use crate::message::{Spelled, TextEdit};

/// Attributes that readers show, or read out.
const ATTRIBUTES: &[&str] = &["alt", "aria-label", "label", "placeholder", "summary", "title"];

/// A text as it is seen.
#[derive(Debug)]
pub(super) struct Shown {
    pub text: Spelled,
    writing: Writing,
}

impl Shown {
    /// Text that is written as it is.
    pub fn plain(text: Spelled) -> Self {
        Self { text, writing: Writing::Plain }
    }

    /// The edits of the source that put `new` in place of a range. Markup within the range stays.
    pub fn put(&self, range: Range<usize>, new: &str) -> Vec<TextEdit> {
        let mut pieces = self.text.pieces(range);
        let Some(first) = pieces.next() else { return Vec::new() };
        let text = self.writing.write(new);
        if self.writing.takes_line_ends() {
            let end = pieces.last().map_or(first.source.end, |last| last.source.end);
            return vec![TextEdit { range: first.source.start..end, text }];
        }
        let rest = pieces.map(|piece| TextEdit { range: piece.source, text: String::new() });
        std::iter::once(TextEdit { range: first.source, text }).chain(rest).collect()
    }
}

/// Hands on all that is seen of a text, one after the other. `links`: where links lead as well.
pub(super) fn each(kind: TextKind, source: &str, links: bool, see: &mut dyn FnMut(Shown)) {
    if kind != TextKind::Html {
        return views::views(kind, source, false, &mut |view| see(Shown { text: view.text, writing: view.writing }));
    }
    let mut seen = html::visible(source).into_spelled().collapsed();
    // No text runs on over the cells of a table.
    seen.replace_separators(b'\t', b'|');
    see(Shown { text: seen, writing: Writing::Markup });
    html::unseen(source, &mut |unseen| {
        let name = source.get(unseen.name.clone()).unwrap_or_default();
        let is = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let writing = match unseen.kind {
            UnseenKind::Attribute if is(ATTRIBUTES) => Writing::Attribute,
            UnseenKind::Link if links && is(&["href"]) => Writing::Attribute,
            UnseenKind::Text => Writing::Markup,
            _ => return,
        };
        see(Shown { text: unseen.text, writing });
    });
}
