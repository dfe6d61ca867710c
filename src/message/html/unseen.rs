//! What HTML holds besides the text that a reader sees: attributes, comments, the text of styles, scripts, the title and
//! of elements that are not shown.
//!
//! Together with [`super::visible`] every character of a document that spells something is looked at: only the names of
//! tags, and of attributes that hold neither digit nor `@`, are left out.

use std::ops::Range;

use memchr::memchr;

use super::entity::{self, Decoded};
use super::open::Walk;
use super::tokens::{Kind, attribute_ranges};
use crate::message::Spelled;

/// What sort of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnseenKind {
    /// The value of an attribute that is text, references decoded.
    Attribute,
    /// The value of an attribute that is a URL, references decoded.
    Link,
    /// What stands between the marks of a comment; conditional comments hold HTML.
    Comment,
    /// The text of a style, a script or another element whose content is no markup, as it stands.
    Raw,
    /// Text that is not shown, such as the title: references decoded.
    Text,
}

/// A text that a reader does not see, or not as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// What sort.
    pub kind: UnseenKind,
    /// The text, with its place in the document.
    pub text: Spelled,
    /// The name of the attribute, as it is written; empty for everything else.
    pub name: Range<usize>,
}

/// Attributes whose value is a URL, or several.
const LINKS: &[&str] = &[
    "action",
    "background",
    "cite",
    "data",
    "formaction",
    "href",
    "longdesc",
    "ping",
    "poster",
    "src",
    "srcset",
    "xlink:href",
];

/// Hands all of it to `see`, in the order of the document: kept all at once, it would be many times as large as that. Linear.
pub fn unseen(html: &str, see: &mut dyn FnMut(Unseen)) {
    let mut walk = Walk::new(html);
    // Text that is not shown, while no block or cell parts it: a number may change its font there as well.
    let mut running = Spelled::default();
    while let Some(token) = walk.next() {
        let hidden = walk.opened.is_hidden();
        let span = token.span.clone();
        if matches!(token.kind, Kind::Text) && hidden {
            running.extend(&escaped(html, span));
            continue;
        }
        let goes_on = match token.kind {
            Kind::Start { element, .. } | Kind::End { element } => hidden && !element.parts_lines(),
            Kind::Comment { .. } => true,
            _ => false,
        };
        let mut add = |kind, text: Spelled, name| {
            if !text.text().trim().is_empty() {
                see(Unseen { kind, text, name });
            }
        };
        if !goes_on {
            add(UnseenKind::Text, std::mem::take(&mut running), 0..0);
        }
        match token.kind {
            Kind::Raw { element, .. } if hidden || !element.is_shown_raw() => {
                let kind = if element == super::element::Element::Title { UnseenKind::Text } else { UnseenKind::Raw };
                let text = if kind == UnseenKind::Text { escaped(html, span) } else { verbatim(html, span) };
                add(kind, text, 0..0);
            }
            Kind::Cdata { .. } if hidden => add(UnseenKind::Raw, verbatim(html, span), 0..0),
            Kind::Comment { .. } => {
                // The marks are no text; without `--` it is what a browser takes for a comment.
                let inner = html.get(span.clone()).unwrap_or_default();
                let start = span.start + if inner.starts_with("<!--") { 4 } else { 2 }.min(inner.len());
                let end = span.end - if inner.ends_with("-->") { 3 } else { usize::from(inner.ends_with('>')) };
                add(UnseenKind::Comment, verbatim(html, start..end.max(start)), 0..0);
            }
            // Entities of XML are declared there.
            Kind::Doctype { .. } => add(UnseenKind::Raw, verbatim(html, span.start + 2..span.end), 0..0),
            // Some readers show what a browser drops.
            Kind::Unfinished => add(UnseenKind::Comment, verbatim(html, span.start + 1..span.end), 0..0),
            Kind::Start { .. } | Kind::End { .. } => {
                for (name, value) in attribute_ranges(html, &token) {
                    let is_link =
                        html.get(name.clone()).is_some_and(|n| LINKS.iter().any(|l| l.eq_ignore_ascii_case(n)));
                    let kind = if is_link { UnseenKind::Link } else { UnseenKind::Attribute };
                    if html.get(name.clone()).is_some_and(|n| n.contains(|c: char| c.is_ascii_digit() || c == '@')) {
                        add(UnseenKind::Raw, verbatim(html, name.clone()), 0..0);
                    }
                    add(kind, escaped(html, value), name);
                }
            }
            _ => {}
        }
    }
    if !running.text().trim().is_empty() {
        see(Unseen { kind: UnseenKind::Text, text: running, name: 0..0 });
    }
}

fn verbatim(html: &str, source: Range<usize>) -> Spelled {
    Spelled::plain(html.get(source.clone()).unwrap_or_default(), source.start)
}

/// Text with character references.
pub fn escaped(html: &str, source: Range<usize>) -> Spelled {
    referenced(html, source, |_, _| true)
}

/// The same, of the references that are ones: `is_one` is told where each begins and ends.
pub(super) fn referenced(html: &str, source: Range<usize>, is_one: impl Fn(usize, usize) -> bool) -> Spelled {
    let bytes = html.as_bytes();
    let mut spelled = Spelled::default();
    let (mut copied, mut at) = (source.start, source.start);
    let plain = |from: usize, to: usize, spelled: &mut Spelled| {
        spelled.push(html.get(from..to).unwrap_or_default(), from..to, true);
    };
    while let Some(found) = bytes.get(at..source.end).and_then(|rest| memchr(b'&', rest)) {
        at += found;
        let reference = html.get(at..source.end).and_then(entity::decode);
        let Some((decoded, length)) = reference.filter(|(_, length)| is_one(at, at + length)) else {
            at += 1;
            continue;
        };
        plain(copied, at, &mut spelled);
        match decoded {
            Decoded::Char(char) => spelled.push(char.encode_utf8(&mut [0; 4]), at..at + length, false),
            Decoded::Text(text) => spelled.push(text, at..at + length, false),
        }
        at += length;
        copied = at;
    }
    plain(copied, source.end, &mut spelled);
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(html: &str) -> Vec<Unseen> {
        let mut all = Vec::new();
        unseen(html, &mut |unseen| all.push(unseen));
        all
    }

    fn texts(html: &str) -> Vec<(UnseenKind, String)> {
        all(html).into_iter().map(|unseen| (unseen.kind, unseen.text.text().to_owned())).collect()
    }

    #[test]
    fn everything_that_is_not_shown_is_there() {
        use UnseenKind::{Attribute, Comment, Link, Raw, Text};
        let html = "<!doctype html><title>a&amp;b</title><style>c{}</style><!-- d --><p title='e&#52;' data-f=g>shown \
                    <img src=\"h?i=j\" alt></p><script>k</script><svg><title>l</title></svg></p m=n>";
        let expected = [
            (Raw, "doctype html>"),
            (Text, "a&b"),
            (Raw, "c{}"),
            (Comment, " d "),
            (Attribute, "e4"),
            (Attribute, "g"),
            (Link, "h?i=j"),
            (Raw, "k"),
            (Text, "l"),
            (Attribute, "n"),
        ];
        let expected: Vec<_> = expected.into_iter().map(|(kind, text)| (kind, text.to_owned())).collect();
        assert_eq!(texts(html), expected);
    }

    #[test]
    fn broken_markup_ends_somewhere() {
        for html in
            ["<", "<a", "<a x", "<a x=", "<a x='é", "<!--", "<!-", "<!>", "<!-->", "<!--->", "</>", "<?x", "<title>é"]
        {
            for unseen in all(html) {
                for run in unseen.text.pieces(0..usize::MAX) {
                    assert!(html.get(run.source).is_some(), "{html}");
                }
            }
        }
        assert_eq!(texts("<p x='4111").len(), 1);
    }

    #[test]
    fn a_reference_at_the_very_end_is_read() {
        assert_eq!(escaped("411&#49;", 0..8).text(), "4111");
        assert_eq!(escaped("a&amp;b", 0..6).text(), "a&");
    }
}
