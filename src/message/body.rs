//! Which parts are bodies, and which are attachments.
//!
//! A body is a text part that a reader sees: not an attachment, nothing under a signature, nothing inside an attached
//! message. A text part with a file name counts as an attachment, inline or not.

use std::collections::HashMap;

use super::part::{Disposition, Part};
use super::surgery::is_notice;
use super::{Message, PartId, Uuencoded, mime_field};

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    /// `text/plain`.
    Plain,
    /// `text/html`.
    Html,
}

/// A text part that a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// Which part.
    pub part: PartId,
    /// What it is written in.
    pub kind: BodyKind,
}

/// A part that a reader sees as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Which part.
    pub part: PartId,
    /// Decoded file name.
    pub name: Option<String>,
    /// Declared type, lower case.
    pub media_type: String,
    /// For a file in the midst of the text of a body: where it stands in it now.
    pub in_text: Option<Uuencoded>,
}

/// Every text that a reader sees, in the order in which it is shown; nothing of encrypted parts.
pub(super) fn readable(parts: &[Part]) -> Vec<Body> {
    // Of a part that was cut off in its header nothing is shown.
    let seen = parts.iter().enumerate().filter(|(_, part)| part.has_separator || part.parent.is_none());
    seen.filter_map(|(id, part)| Some(Body { part: PartId(id), kind: body_kind(part)? })).collect()
}

/// A text that a reader sees.
pub(super) fn is_body(part: &Part) -> bool {
    body_kind(part).is_some()
}

fn body_kind(part: &Part) -> Option<BodyKind> {
    if part.disposition == Some(Disposition::Attachment) || part.file_name.is_some() {
        return None;
    }
    match part.media_type.as_str() {
        "text/plain" => Some(BodyKind::Plain),
        "text/html" => Some(BodyKind::Html),
        _ => None,
    }
}

/// True for a text with a file name that is not called an attachment: where it is the first of a message, some readers show it
/// as the body, some as a file.
pub(super) fn is_named_text(part: &Part) -> bool {
    part.file_name.is_some()
        && part.disposition != Some(Disposition::Attachment)
        && matches!(part.media_type.as_str(), "text/plain" | "text/html")
}

/// The bodies of `all` that a block goes into: one HTML and one plain text body, those that are shown first or last. Where both
/// are alternatives of each other, both are of the same alternative: a list that added its own text part below does not
/// make its reader see the block twice. What only the root of a multipart/related leads to shows it where nothing else of
/// its kind does. Of alternatives of one kind readers show the last (RFC 2046 §5.1.4): those before it are not the first.
pub(super) fn targets(message: &Message<'_>, all: &[Body], first: bool) -> Vec<Body> {
    let parts = message.parts();
    let pick = |kind: BodyKind, within: Option<PartId>| {
        let of_kind =
            || all.iter().filter(|b| b.kind == kind && within.is_none_or(|a| is_inside(parts, b.part, a))).copied();
        let mut shown: Vec<Body> = of_kind().filter(|body| !is_resource(message, body.part)).collect();
        if shown.is_empty() {
            shown.extend(of_kind());
        }
        if !first {
            return shown.pop();
        }
        let last: HashMap<PartId, PartId> = shown.iter().flat_map(|body| branches(parts, *body)).collect();
        shown.iter().copied().find(|body| branches(parts, *body).all(|(at, branch)| last.get(&at) == Some(&branch)))
    };
    let html = pick(BodyKind::Html, None);
    let alternative = html.and_then(|b| ancestor(parts, b.part, "multipart/alternative"));
    let plain = alternative.and_then(|a| pick(BodyKind::Plain, Some(a))).or_else(|| pick(BodyKind::Plain, None));
    let mut targets: Vec<Body> = plain.into_iter().chain(html).collect();
    targets.sort_by_key(|b| b.part);
    targets
}

fn parent(parts: &[Part], id: PartId) -> Option<PartId> {
    parts.get(id.0).and_then(|p| p.parent)
}

fn ancestor(parts: &[Part], id: PartId, media_type: &str) -> Option<PartId> {
    std::iter::successors(parent(parts, id), |id| parent(parts, *id))
        .find(|id| parts.get(id.0).is_some_and(|p| p.media_type == media_type))
}

/// The `multipart/alternative` parts that a body stands in.
pub(super) fn alternatives(parts: &[Part], body: Body) -> impl Iterator<Item = PartId> {
    let around = std::iter::successors(parent(parts, body.part), |id| parent(parts, *id));
    around.filter(|id| parts.get(id.0).is_some_and(|part| part.media_type == "multipart/alternative"))
}

/// True for what stands in a multipart/related below a part other than its root that the root can name (RFC 2387, RFC 2392): a
/// frame, or nothing that is shown.
fn is_resource(message: &Message<'_>, id: PartId) -> bool {
    let parts = message.parts();
    std::iter::successors(Some(id), |id| parent(parts, *id)).any(|id| {
        let related = parent(parts, id).and_then(|p| parts.get(p.0)).filter(|p| p.media_type == "multipart/related");
        let has_name =
            || value(message, id, b"Content-ID").or_else(|| value(message, id, b"Content-Location")).is_some();
        related.is_some_and(|related| has_name() && root_of(message, related) != Some(id))
    })
}

/// The part that a multipart/related shows: the one that its `start` names, else the first.
fn root_of(message: &Message<'_>, related: &Part) -> Option<PartId> {
    let named = || {
        let field = related.fields.iter().find(|f| message.bytes(&f.name).eq_ignore_ascii_case(b"Content-Type"))?;
        let value = message.bytes(&field.value);
        let start = bare_id(value.get(mime_field::parameter(value, b"start")?)?);
        related
            .children
            .iter()
            .copied()
            .find(|child| self::value(message, *child, b"Content-ID").map(bare_id) == Some(start))
    };
    named().or_else(|| related.children.first().copied())
}

/// The value of the first field of this name.
fn value<'m>(message: &'m Message<'_>, id: PartId, name: &[u8]) -> Option<&'m [u8]> {
    let fields = &message.part(id)?.fields;
    fields.iter().find(|f| message.bytes(&f.name).eq_ignore_ascii_case(name)).map(|f| message.bytes(&f.value))
}

/// A content id without its quotes and angle brackets.
fn bare_id(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(text).trim_ascii();
    text.strip_prefix(b"<").and_then(|t| t.strip_suffix(b">")).unwrap_or(text)
}

/// The `multipart/alternative` parts that a body stands in, each with that child of it in which it does.
fn branches(parts: &[Part], body: Body) -> impl Iterator<Item = (PartId, PartId)> {
    let around = std::iter::successors(Some(body.part), |id| parent(parts, *id));
    let pairs = around.filter_map(|id| Some((parent(parts, id)?, id)));
    pairs.filter(|(id, _)| parts.get(id.0).is_some_and(|part| part.media_type == "multipart/alternative"))
}

fn is_inside(parts: &[Part], id: PartId, outer: PartId) -> bool {
    std::iter::successors(parent(parts, id), |id| parent(parts, *id)).any(|id| id == outer)
}

/// Attachments, in document order: parts with a file name or an attachment disposition, and all that is no text body, no
/// multipart, no signature, no alternative and no inline image of a related part.
pub(super) fn attachments(message: &Message<'_>) -> Vec<Attachment> {
    let parts = message.parts();
    let is_attachment = |part: &Part| {
        if part.is_multipart() && part.boundary.is_some() || body_kind(part).is_some() {
            return false;
        }
        if part.disposition == Some(Disposition::Attachment) {
            return true;
        }
        let parent = part.parent.and_then(|p| parts.get(p.0)).map_or("", |p| p.media_type.as_str());
        match (parent, part.media_type.as_str()) {
            (
                "multipart/signed",
                "application/pkcs7-signature" | "application/x-pkcs7-signature" | "application/pgp-signature",
            )
            | ("multipart/encrypted" | "multipart/report", _) => false,
            ("multipart/alternative", media_type) => !media_type.starts_with("text/"),
            ("multipart/related", media_type) => !media_type.starts_with("image/"),
            _ => true,
        }
    };
    let attachment = |(id, part): (usize, &Part)| Attachment {
        part: PartId(id),
        name: part.file_name.clone(),
        media_type: part.media_type.clone(),
        in_text: None,
    };
    parts
        .iter()
        .enumerate()
        .filter(|(_, part)| is_attachment(part) && !is_notice(message, part))
        .map(attachment)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::crlf;
    use super::*;

    /// A multipart of these parts, each `header||body`.
    fn multipart(subtype: &str, boundary: &str, parts: &[&str]) -> String {
        let part = |part: &&str| format!("--{boundary}\n{}\n", part.replace("||", "\n\n"));
        let parts: String = parts.iter().map(part).collect();
        format!("Content-Type: multipart/{subtype}; boundary={boundary}||{parts}--{boundary}--")
    }

    fn message(part: &str) -> Vec<u8> {
        crlf(&part.replace("||", "\n\n"))
    }

    const PLAIN: &str = "Content-Type: text/plain||text";
    const HTML: &str = "Content-Type: text/html||<p>text</p>";
    const IMAGE: &str = "Content-Type: image/png\nContent-ID: <1>||x";

    fn targets_of(part: &str, first: bool) -> Vec<usize> {
        let raw = message(part);
        let message = Message::parse(&raw);
        targets(&message, &readable(message.parts()), first).iter().map(|body| body.part.0).collect()
    }

    #[test]
    fn both_alternatives_show_a_block() {
        let alternative = multipart("alternative", "b", &[PLAIN, HTML]);
        assert_eq!(targets_of(&alternative, false), [1, 2]);
        let related = multipart("related", "r", &[HTML, IMAGE]);
        let nested = multipart("mixed", "m", &[&multipart("alternative", "b", &[PLAIN, &related]), IMAGE]);
        assert_eq!(targets_of(&nested, true), [2, 4]);
    }

    #[test]
    fn a_list_footer_in_a_part_of_its_own_does_not_show_the_block_twice() {
        let listed = multipart("mixed", "m", &[&multipart("alternative", "b", &[PLAIN, HTML]), PLAIN]);
        assert_eq!(targets_of(&listed, false), [2, 3]);
        assert_eq!(targets_of(&listed, true), [2, 3]);
    }

    #[test]
    fn of_html_image_html_the_outer_ones_show_the_block() {
        let mixed = multipart("mixed", "m", &[HTML, IMAGE, HTML]);
        let apple = multipart("alternative", "b", &[PLAIN, &mixed]);
        assert_eq!(targets_of(&apple, false), [1, 5]);
        assert_eq!(targets_of(&apple, true), [1, 3]);
    }

    #[test]
    fn of_alternatives_of_one_kind_the_last_shows_the_block() {
        for first in [true, false] {
            assert_eq!(targets_of(&multipart("alternative", "a", &[HTML, HTML]), first), [2]);
            assert_eq!(targets_of(&multipart("alternative", "a", &[PLAIN, PLAIN]), first), [2]);
            let inner = multipart("alternative", "i", &[PLAIN, HTML]);
            assert_eq!(targets_of(&multipart("alternative", "a", &[&inner, HTML]), first), [2, 4]);
            let related = multipart("related", "r", &[HTML, IMAGE]);
            assert_eq!(targets_of(&multipart("alternative", "a", &[HTML, PLAIN, &related]), first), [2, 4]);
        }
        let mixed = multipart("mixed", "m", &[HTML, IMAGE, HTML]);
        let both = multipart("alternative", "a", &[PLAIN, HTML, &mixed]);
        assert_eq!((targets_of(&both, true), targets_of(&both, false)), (vec![1, 4], vec![1, 6]));
    }

    #[test]
    fn of_a_related_part_the_root_shows_the_block() {
        let frame = "Content-Type: text/html\nContent-ID: <f@x>||<p>frame</p>";
        let root = "Content-Type: text/html\nContent-ID: <r@x>||<iframe src=\"cid:f@x\"></iframe>";
        for first in [true, false] {
            assert_eq!(targets_of(&multipart("related", "r", &[HTML, frame, IMAGE]), first), [1]);
            let by_start = multipart("related", "r", &[frame, root]).replace("related;", "related; start=\"<r@x>\";");
            assert_eq!(targets_of(&by_start, first), [2]);
            let alternative = multipart("alternative", "a", &[PLAIN, HTML]);
            assert_eq!(targets_of(&multipart("related", "r", &[&alternative, frame]), first), [2, 3]);
            assert_eq!(targets_of(&multipart("related", "r", &[PLAIN, frame]), first), [1, 2]);
        }
        // Without a name it is a text among others.
        assert_eq!(targets_of(&multipart("related", "r", &[HTML, IMAGE, HTML]), false), [3]);
    }

    #[test]
    fn texts_with_a_file_name_are_attachments_and_no_bodies() {
        let named = "Content-Type: text/plain; name=a.txt||text";
        let inline = "Content-Type: text/html\nContent-Disposition: attachment||text";
        let mail = multipart("mixed", "m", &[PLAIN, named, inline]);
        assert_eq!(targets_of(&mail, false), [1]);
        let raw = message(&mail);
        let found: Vec<_> = attachments(&Message::parse(&raw)).into_iter().map(|a| (a.part.0, a.name)).collect();
        assert_eq!(found, [(2, Some("a.txt".to_owned())), (3, None)]);
    }

    #[test]
    fn inline_images_of_a_related_part_are_no_attachments() {
        let attachments_of = |part: &str| attachments(&Message::parse(&message(part))).len();
        assert_eq!(attachments_of(&multipart("related", "r", &[HTML, IMAGE])), 0);
        assert_eq!(attachments_of(&multipart("mixed", "m", &[HTML, "Content-Type: application/pdf||x"])), 1);
        assert_eq!(attachments_of(&multipart("mixed", "m", &[HTML, "Content-Type: message/rfc822||a: b"])), 1);
    }
}
