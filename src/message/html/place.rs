//! Where a block is seen first, and where it is seen last.

use std::collections::BTreeSet;

use super::element::Element;
use super::open::Walk;
use super::tokens::{Kind, Token, attributes};

/// Where a block would be seen first: after `<body …>`; where there is none, after what belongs into the head; before
/// content that stands even before that. A hidden preheader comes after it. `None` for a document of frames, which
/// shows no text, and for one whose body hides itself.
pub fn start(html: &str) -> Option<usize> {
    let mut walk = Walk::new(html);
    let mut place = 0;
    // Inside an element that is no text itself but holds some: `<noscript>` or `<template>` in the head.
    let mut inside: Option<Element> = None;
    while let Some(token) = walk.next() {
        match token.kind {
            Kind::Text if is_blank(html, &token) => {}
            Kind::Comment { closed } => {
                // `<?xml …?>` opens the document; other comments may be Outlook's, which opens tables in them.
                if closed
                    && place == 0
                    && html.get(token.span.clone()).is_some_and(|comment| comment.starts_with("<?xml"))
                {
                    place = token.span.end;
                }
            }
            Kind::Start { element: Element::Noscript | Element::Template, .. } if inside.is_none() => {
                inside = element_of(&token);
            }
            // Empty or not, it moves nothing: one that is never closed here is closed before a block at the end.
            Kind::End { element } if inside == Some(element) => inside = None,
            Kind::Text | Kind::Start { .. } | Kind::End { .. } if inside == Some(Element::Template) => {}
            Kind::Start { element: Element::Body | Element::Html, .. } if hides_all(html, &token) => return None,
            Kind::Start { element: Element::Body, .. } => return Some(token.span.end),
            Kind::Start { element: Element::Frameset, .. } => return None,
            Kind::Doctype { closed: true } | Kind::Start { element: Element::Html | Element::Head, .. } => {
                place = token.span.end;
            }
            Kind::Start { element, .. } if element.is_metadata() => {
                // A raw element counts when its end tag comes: one that is never closed would swallow the block.
                if !element.is_raw() && inside.is_none() {
                    place = token.span.end;
                }
            }
            Kind::Raw { element, .. } if element.is_metadata() => {}
            Kind::End { element } if element == Element::Head || (element.is_metadata() && element.is_raw()) => {
                if inside.is_none() {
                    place = token.span.end;
                }
            }
            // These do not begin the body; nor does any other end tag, but for `</br>`, which is a line break.
            Kind::End { element } if !matches!(element, Element::Body | Element::Html | Element::Br) => {}
            _ => break,
        }
    }
    Some(place)
}

/// Where a block would be seen last: before the last effective `</body>` or `</html>`, or at the end where there is
/// none or content follows it. Never in a comment, style, script, title or tag: where one of these is never closed, the
/// place is before it. `None` for a document of frames, which shows no text, and for one
/// whose body hides itself.
///
/// What is open there is closed by [`End::closers`].
pub fn end(html: &str) -> Option<End> {
    let mut walk = Walk::new(html);
    // The first of the end tags after which nothing is shown any more.
    let mut place: Option<usize> = None;
    // Where a raw element opened whose end tag has not come yet.
    let mut raw_start = 0;
    let mut seen = false;
    while let Some(token) = walk.next() {
        match token.kind {
            Kind::End { element: Element::Body | Element::Html } => {
                place = place.or(Some(token.span.start));
            }
            Kind::Start { element: Element::Frameset, .. } if !seen => return None,
            Kind::Start { element: Element::Body | Element::Html, .. } if !seen && hides_all(html, &token) => {
                return None;
            }
            Kind::Start { element: Element::Html | Element::Head | Element::Body, .. }
            | Kind::Doctype { closed: true } => {}
            Kind::Start { element, .. } => {
                if element.is_raw() {
                    raw_start = token.span.start;
                }
                if !element.is_metadata() {
                    seen = true;
                    place = None;
                }
            }
            Kind::Text => {
                if !is_blank(html, &token) {
                    seen = true;
                    place = None;
                }
            }
            Kind::Raw { closed: false, .. } => {
                return Some(place.map_or_else(|| End::before(html, raw_start), |at| End::reached(html, at, &walk)));
            }
            Kind::Comment { closed: false }
            | Kind::Doctype { closed: false }
            | Kind::Cdata { closed: false }
            | Kind::Unfinished => {
                return Some(End::reached(html, place.unwrap_or(token.span.start), &walk));
            }
            Kind::Cdata { .. } => place = None,
            // An end tag after `</body>` that closes something still moves the place.
            Kind::End { element } => {
                if !element.is_metadata() && walk.opened.may_close(element) {
                    place = None;
                }
            }
            Kind::Comment { .. } | Kind::Raw { .. } => {}
        }
    }
    // `</` at the very end is text, but with a block behind it it would open a comment.
    let place = place.unwrap_or(html.strip_suffix("</").unwrap_or(html).len());
    Some(End::reached(html, place, &walk))
}

/// Where a block would be seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The place.
    pub at: usize,
    /// The end tags to put in front of the block, so that formatting, tables, lists and the like which were left open there
    /// do not swallow it or move it. Empty for a document in order.
    pub closers: String,
}

impl End {
    /// At a place that a walk has come to, or past which it has closed nothing.
    fn reached(html: &str, at: usize, walk: &Walk) -> Self {
        Self { at, closers: end_tags(html, at, walk) }
    }

    fn before(html: &str, at: usize) -> Self {
        let mut walk = Walk::new(html);
        while walk.next().is_some_and(|token| token.span.start < at) {}
        Self::reached(html, at, &walk)
    }
}

fn end_tags(html: &str, at: usize, walk: &Walk) -> String {
    let mut tags = String::new();
    // A name that is not ASCII would be written with character references, which mean nothing in a tag. Its element has no
    // look of its own.
    let can_be_written = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
    for open in walk.opened.elements().rev().filter(|open| open.name.start < at) {
        if let Some(name) = html.get(open.name.clone()).filter(can_be_written) {
            tags.push_str("</");
            tags.push_str(name);
            tags.push('>');
        }
    }
    tags
}

/// Those of these places at which a start tag begins: what looks like one inside of another tag, a comment or a style sheet
/// is none.
pub fn tags_at(html: &str, mut places: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut walk = Walk::new(html);
    while !places.is_empty()
        && let Some(token) = walk.next()
    {
        if places.remove(&token.span.start) && matches!(token.kind, Kind::Start { .. }) {
            found.insert(token.span.start);
        }
    }
    found
}

/// True for a body whose own tag says that nothing of it is shown.
fn hides_all(html: &str, token: &Token) -> bool {
    attributes(html, token).any(|(name, value)| {
        let style = || value.split(';').map(|declaration| declaration.split_whitespace().collect::<String>());
        name.eq_ignore_ascii_case("hidden")
            || name.eq_ignore_ascii_case("style")
                && style().any(|d| {
                    let d = d.to_ascii_lowercase();
                    matches!(d.trim_end_matches("!important"), "display:none" | "opacity:0")
                })
    })
}

fn element_of(token: &Token) -> Option<Element> {
    match token.kind {
        Kind::Start { element, .. } | Kind::End { element } => Some(element),
        _ => None,
    }
}

fn is_blank(html: &str, token: &Token) -> bool {
    html.get(token.span.clone()).is_none_or(|text| text.bytes().all(super::tokens::is_space))
}
