//! Which parts are bodies, which are attachments, and what protects a message from being edited.
//!
//! A body is a text part that a reader sees: not an attachment, nothing under a signature, nothing inside an attached
//! message. A text part with a file name counts as an attachment, inline or not.

use memchr::memmem;

use super::part::{Disposition, Part, TransferEncoding};
use super::scan::{Scanned, scan};
use super::{Message, PartId, transfer};

/// Attached messages are looked into this deep for parts that are protected.
const MAX_ATTACHED_DEPTH: usize = 5;

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
    /// Size in octets after the transfer encoding is undone (estimated from the encoded length, without decoding).
    pub size: u64,
}

/// Why the body of a message is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// `multipart/encrypted`, enveloped `application/pkcs7-mime`, inline PGP.
    Encrypted,
    /// `multipart/signed`, signed `application/pkcs7-mime`, clear-signed inline PGP.
    Signed,
    /// `multipart/report`: DSN, MDN, abuse reports.
    Report,
    /// `application/ms-tnef`: winmail.dat.
    Tnef,
    /// `text/calendar`: invitations and answers to them.
    Calendar,
    /// `message/partial`, `message/external-body` as the message: a piece of another message, or a pointer to one.
    Fragment,
}

impl Protection {
    /// The word for it in reports and rule files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Encrypted => "encrypted",
            Self::Report => "report",
            Self::Calendar => "calendar",
            Self::Tnef => "tnef",
            Self::Fragment => "fragment",
        }
    }
}

/// Every text that a reader sees, in the order in which it is shown; nothing of encrypted parts.
pub(super) fn readable(parts: &[Part]) -> Vec<Body> {
    parts.iter().enumerate().filter_map(|(id, part)| Some(Body { part: PartId(id), kind: body_kind(part)? })).collect()
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

/// The bodies that a block goes into: one HTML and one plain text body, those that are shown first or last. Where both
/// are alternatives of each other, both are of the same alternative: a list that added its own text part below does not
/// make its reader see the block twice.
pub(super) fn targets(parts: &[Part], first: bool) -> Vec<Body> {
    let all = readable(parts);
    let pick = |kind: BodyKind, within: Option<PartId>| {
        let mut of_kind =
            all.iter().filter(|b| b.kind == kind && within.is_none_or(|a| is_inside(parts, b.part, a))).copied();
        if first { of_kind.next() } else { of_kind.next_back() }
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
        size: decoded_size(part),
    };
    parts.iter().enumerate().filter(|(_, part)| is_attachment(part)).map(attachment).collect()
}

fn decoded_size(part: &Part) -> u64 {
    let raw = part.body.len() as u64;
    match part.encoding {
        // 78 octets of a full line hold 57.
        TransferEncoding::Base64 => raw * 57 / 78,
        _ => raw,
    }
}

/// What forbids editing the bodies of a message, the gravest first; also when it is inside an attached message, whose
/// reader may be meant to check it.
pub(super) fn protection(message: &Message<'_>) -> Option<Protection> {
    let own = structural(message.parts()).or_else(|| inline_pgp(message));
    if own.is_some() {
        return own;
    }
    let mut found = None;
    let mut inside: Vec<(&[u8], usize)> = attached(message.raw(), message.parts(), 1);
    while let Some((raw, depth)) = inside.pop() {
        let Scanned { parts, .. } = scan(raw);
        found = found.into_iter().chain(structural(&parts).filter(|p| *p != Protection::Calendar)).min();
        if depth < MAX_ATTACHED_DEPTH {
            inside.extend(attached(raw, &parts, depth + 1));
        }
    }
    found
}

/// Attached messages that can be read as they are.
fn attached<'a>(raw: &'a [u8], parts: &[Part], depth: usize) -> Vec<(&'a [u8], usize)> {
    let readable = |part: &&Part| part.media_type == "message/rfc822" && part.encoding == TransferEncoding::Identity;
    parts.iter().filter(readable).filter_map(|p| Some((raw.get(p.body.clone())?, depth))).collect()
}

fn structural(parts: &[Part]) -> Option<Protection> {
    parts.iter().filter_map(part_protection).min()
}

pub(super) fn part_protection(part: &Part) -> Option<Protection> {
    let name_ends = |end: &str| part.file_name.as_ref().is_some_and(|n| n.to_lowercase().ends_with(end));
    match part.media_type.as_str() {
        "multipart/signed" => Some(Protection::Signed),
        "multipart/encrypted" | "application/pgp-encrypted" => Some(Protection::Encrypted),
        "multipart/report" => Some(Protection::Report),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            let signed = part.smime_type.as_deref() == Some("signed-data");
            Some(if signed { Protection::Signed } else { Protection::Encrypted })
        }
        "application/ms-tnef" | "application/vnd.ms-tnef" => Some(Protection::Tnef),
        "text/calendar" => Some(Protection::Calendar),
        "message/partial" | "message/external-body" if part.parent.is_none() => Some(Protection::Fragment),
        "application/octet-stream" if name_ends(".p7m") => Some(Protection::Encrypted),
        "application/octet-stream" if name_ends("winmail.dat") => Some(Protection::Tnef),
        _ => None,
    }
}

/// Armor in a text body (RFC 9580 §6.2, §7).
pub(super) fn inline_pgp(message: &Message<'_>) -> Option<Protection> {
    let armor = memmem::Finder::new(b"-----BEGIN PGP ");
    let in_body = |body: Body| {
        let part = message.part(body.part)?;
        let raw = message.raw().get(part.body.clone())?;
        let decoded;
        let text = if part.encoding == TransferEncoding::Base64 {
            decoded = transfer::decode(part.encoding, raw).ok()?;
            decoded.as_ref()
        } else {
            raw
        };
        armor.find_iter(text).find_map(|at| {
            let before = at.checked_sub(1).and_then(|i| text.get(i));
            let label = text.get(at + armor.needle().len()..)?;
            if before.is_some_and(|b| *b != b'\n' && *b != b'\r' && *b != b'>') {
                None
            } else if label.starts_with(b"MESSAGE") {
                Some(Protection::Encrypted)
            } else if label.starts_with(b"SIGNED MESSAGE") {
                Some(Protection::Signed)
            } else {
                None
            }
        })
    };
    readable(message.parts()).into_iter().filter_map(in_body).min()
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
        targets(Message::parse(&raw).parts(), first).iter().map(|body| body.part.0).collect()
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

    #[test]
    fn what_protects_a_message() {
        let protection_of = |part: &str| Message::parse(&message(part)).protection();
        let signature = "Content-Type: application/pgp-signature||x";
        let signed = multipart("signed", "s", &[PLAIN, signature]);
        let attached =
            |inner: &str| multipart("mixed", "m", &[PLAIN, &format!("Content-Type: message/rfc822||{inner}")]);
        for (part, expected) in [
            (signed.as_str(), Some(Protection::Signed)),
            (&multipart("encrypted", "e", &[PLAIN]), Some(Protection::Encrypted)),
            (&multipart("report", "r", &[PLAIN]), Some(Protection::Report)),
            (&multipart("mixed", "m", &[PLAIN, &signed]), Some(Protection::Signed)),
            ("Content-Type: application/pkcs7-mime; smime-type=signed-data||x", Some(Protection::Signed)),
            ("Content-Type: application/x-pkcs7-mime; name=smime.p7m||x", Some(Protection::Encrypted)),
            ("Content-Type: application/octet-stream; name=smime.P7M||x", Some(Protection::Encrypted)),
            (&multipart("mixed", "m", &[PLAIN, "Content-Type: application/ms-tnef||x"]), Some(Protection::Tnef)),
            (&multipart("alternative", "m", &[PLAIN, "Content-Type: text/calendar||x"]), Some(Protection::Calendar)),
            ("Content-Type: message/partial; id=a; number=1||x", Some(Protection::Fragment)),
            (&attached(&signed), Some(Protection::Signed)),
            (&attached("Content-Type: text/calendar||x"), None),
            (PLAIN, None),
            (&multipart("mixed", "m", &[PLAIN, IMAGE]), None),
        ] {
            assert_eq!(protection_of(part), expected, "{part}");
        }
    }

    #[test]
    fn inline_pgp_protects_where_it_begins_a_line() {
        let protection_of = |text: &str| Message::parse(&crlf(&format!("\n{text}\n"))).protection();
        assert_eq!(protection_of("Hi\n-----BEGIN PGP MESSAGE-----\nx"), Some(Protection::Encrypted));
        assert_eq!(protection_of("-----BEGIN PGP SIGNED MESSAGE-----\nx"), Some(Protection::Signed));
        assert_eq!(protection_of("as in -----BEGIN PGP MESSAGE-----"), None);
        assert_eq!(protection_of("-----BEGIN PGP PUBLIC KEY BLOCK-----"), None);
        // Base64 of the first.
        let base64 = "Content-Transfer-Encoding: base64\n\nLS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCng=\n";
        assert_eq!(Message::parse(&crlf(base64)).protection(), Some(Protection::Encrypted));
    }
}
