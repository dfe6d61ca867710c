//! What forbids editing a message, or a text in it.
//!
//! A message is protected when any of it is: by default no rule edits one of which a part is signed or encrypted, a
//! report, an invitation or TNEF. A text is protected when it stands inside such a part, or holds PGP itself. So a rule
//! may be told to edit the texts beside a protected part: the part keeps its bytes.
//!
//! An attachment that merely looks like one of these is none: a `.ics` or `.p7m` file beside a text says nothing about
//! the text.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use super::armor;
use super::body::{self, Body};
use super::part::{Part, TransferEncoding};
use super::permitted::Permitted;
use super::scan::{Scanned, scan};
use super::surgery::Surgery;
use super::{BodyKind, FieldSpan, Message, PartId, html, transfer};

/// Attached messages are looked into this deep for parts that are protected.
const MAX_ATTACHED_DEPTH: usize = 5;
/// Octets of a calendar that are looked at for its method.
const CALENDAR_START: usize = 4_096;
/// Methods on which mail programs act (RFC 5546 §1.4). `PUBLISH` asks for no answer.
const INVITES: &[&str] = &["request", "reply", "cancel", "add", "refresh", "counter", "declinecounter"];

/// Why the body of a message is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// `multipart/encrypted`, enveloped `application/pkcs7-mime`, PGP in the text.
    Encrypted,
    /// `multipart/signed`, signed `application/pkcs7-mime`, clear-signed inline PGP.
    Signed,
    /// `multipart/report`: DSN, MDN, abuse reports.
    Report,
    /// `application/ms-tnef`: winmail.dat.
    Tnef,
    /// `text/calendar` that mail programs act on: invitations and answers to them (iTIP, RFC 5546).
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

/// What forbids editing the bodies of a message, the gravest first; also when it is inside an attached message, whose
/// reader may be meant to check it.
pub(super) fn of_message(message: &Message<'_>) -> Option<Protection> {
    of_what_is_left(message, &|_| true, &|_| None)
}

/// The same once rules have taken parts off, and rewritten attached messages.
pub(super) fn of_draft(message: &Message<'_>, surgery: &Surgery, permitted: &Permitted<'_>) -> Option<Protection> {
    if surgery.is_unchanged() && permitted.attached.is_empty() {
        return message.protection();
    }
    let removed = surgery.removed(message);
    of_what_is_left(message, &|id| !removed.contains(&id) && !surgery.is_gone(id), &|id| permitted.rewritten(id))
}

/// `is_left`: the part is there; `rewritten`: what an attached message is now, where that is something else.
fn of_what_is_left(
    message: &Message<'_>,
    is_left: &dyn Fn(PartId) -> bool,
    rewritten: &dyn Fn(PartId) -> Option<Arc<[u8]>>,
) -> Option<Protection> {
    let own = structural(message.raw(), message.parts(), is_left);
    let own = own.or_else(|| pgp_in_texts(message));
    if own.is_some() {
        return own;
    }
    let mut found = None;
    let mut inside: Vec<(Cow<'_, [u8]>, usize)> = Vec::new();
    for (id, raw) in attached(message.raw(), message.parts()).filter(|(id, _)| is_left(*id)) {
        inside.push((rewritten(id).map_or(Cow::Borrowed(raw), |new| Cow::Owned(new.to_vec())), 1));
    }
    while let Some((raw, depth)) = inside.pop() {
        let Scanned { parts, .. } = scan(&raw);
        let protection = structural(&raw, &parts, &|_| true).filter(|p| *p != Protection::Calendar);
        found = found.into_iter().chain(protection).min();
        if depth < MAX_ATTACHED_DEPTH {
            match &raw {
                Cow::Borrowed(raw) => inside.extend(attached(raw, &parts).map(|(_, raw)| (raw.into(), depth + 1))),
                Cow::Owned(raw) => {
                    inside.extend(attached(raw, &parts).map(|(_, raw)| (Cow::Owned(raw.to_vec()), depth + 1)));
                }
            }
        }
    }
    found
}

/// What forbids editing one text: the outermost part around it that is protected as a whole, or PGP in it.
pub(super) fn of_text(message: &Message<'_>, text: Body) -> Option<Protection> {
    let parent = |id: &PartId| message.part(*id).and_then(|part| part.parent);
    let around = std::iter::successors(parent(&text.part), parent);
    let outermost = around.filter_map(|id| message.part(id).and_then(encloses)).last();
    outermost.or_else(|| in_text(message, text))
}

/// Why a message, none of whose texts can take a block, must not be put into another part either: it would no longer be
/// decrypted, answered, or read by the program that it is meant for.
pub(super) fn against_wrapping(message: &Message<'_>, surgery: &Surgery) -> Option<Protection> {
    let parts = message.parts();
    let first = body::readable(parts).into_iter().next();
    let of_first = first.and_then(|text| of_text(message, text));
    let of_root = parts.first().and_then(encloses);
    if of_root == Some(Protection::Report) || of_first == Some(Protection::Report) {
        return Some(Protection::Report);
    }
    let index = Index::new(message.raw(), parts);
    let removed = surgery.removed(message);
    let is_left = |id: PartId| !removed.contains(&id) && !surgery.is_gone(id);
    let left = parts.iter().enumerate().filter(|(id, _)| is_left(PartId(*id)));
    let mut own = left.filter_map(|(_, part)| index.protection(part));
    if first.is_some() {
        // What claims to be encrypted and shows a text is not, and nothing is lost by wrapping it.
        return own.find(|protection| *protection == Protection::Calendar);
    }
    own.filter(|protection| *protection != Protection::Signed || of_root.is_none()).min()
}

/// True when the message holds its header fields once more, under a signature or encryption, for readers to show: it says
/// so, or it is encrypted and its own subject is one of those that stand for another (RFC 9788 §3.2, and older programs).
pub(super) fn protects_header(message: &Message<'_>) -> bool {
    const STAND_INS: &[&[u8]] = &[b"[...]", b"...", b"Encrypted Message", b"Encrypted message"];
    let parent = |id: &PartId| message.part(*id).and_then(|part| part.parent);
    let is_inside = |part: &Part| {
        let around = std::iter::successors(part.parent, parent);
        around.filter_map(|id| message.part(id).and_then(encloses)).any(|around| around != Protection::Report)
    };
    if message.parts().iter().any(|part| part.protects_header && is_inside(part)) {
        return true;
    }
    let is_stand_in = |field: &FieldSpan| {
        message.bytes(&field.name).eq_ignore_ascii_case(b"Subject")
            && STAND_INS.contains(&message.bytes(&field.value).trim_ascii())
    };
    message.fields().iter().any(is_stand_in) && message.protection() == Some(Protection::Encrypted)
}

/// Attached messages that can be read as they are.
fn attached<'a>(raw: &'a [u8], parts: &[Part]) -> impl Iterator<Item = (PartId, &'a [u8])> {
    let readable = |part: &Part| part.media_type == "message/rfc822" && part.encoding == TransferEncoding::Identity;
    let read =
        move |(id, part): (usize, &Part)| Some((PartId(id), raw.get(part.body.clone())?)).filter(|_| readable(part));
    parts.iter().enumerate().filter_map(read)
}

fn structural(raw: &[u8], parts: &[Part], is_left: &dyn Fn(PartId) -> bool) -> Option<Protection> {
    let index = Index::new(raw, parts);
    let left = parts.iter().enumerate().filter(|(id, _)| is_left(PartId(*id)));
    left.filter_map(|(_, part)| index.protection(part)).min()
}

/// A multipart of which everything inside is protected.
pub(super) fn encloses(part: &Part) -> Option<Protection> {
    match part.media_type.as_str() {
        "multipart/signed" => Some(Protection::Signed),
        "multipart/encrypted" => Some(Protection::Encrypted),
        "multipart/report" => Some(Protection::Report),
        _ => None,
    }
}

/// What a part looks like by its type and its name: it is not to be written in another way.
pub(super) fn by_type(part: &Part) -> Option<Protection> {
    let name_ends = |end: &str| part.file_name.as_ref().is_some_and(|n| n.to_lowercase().ends_with(end));
    match part.media_type.as_str() {
        "application/pgp-encrypted" => Some(Protection::Encrypted),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            let signed = part.smime_type.as_deref() == Some("signed-data");
            Some(if signed { Protection::Signed } else { Protection::Encrypted })
        }
        "application/ms-tnef" | "application/vnd.ms-tnef" => Some(Protection::Tnef),
        "text/calendar" => Some(Protection::Calendar),
        "message/partial" | "message/external-body" if part.parent.is_none() => Some(Protection::Fragment),
        "application/octet-stream" if name_ends(".p7m") => Some(Protection::Encrypted),
        "application/octet-stream" if name_ends("winmail.dat") => Some(Protection::Tnef),
        _ => encloses(part),
    }
}

/// The parts of a message, to be asked for what protects it.
struct Index<'a> {
    raw: &'a [u8],
    parts: &'a [Part],
    has_text: OnceCell<bool>,
}

impl<'a> Index<'a> {
    fn new(raw: &'a [u8], parts: &'a [Part]) -> Self {
        Self { raw, parts, has_text: OnceCell::new() }
    }

    fn protection(&self, part: &Part) -> Option<Protection> {
        // A file of no particular type beside a text is an attachment, whatever its name.
        let alone = || !self.has_text.get_or_init(|| !body::readable(self.parts).is_empty());
        let protection = by_type(part)?;
        let holds = match part.media_type.as_str() {
            "text/calendar" => self.is_invitation(part),
            "application/octet-stream" => alone(),
            _ => true,
        };
        holds.then_some(protection)
    }

    /// A calendar that is the message or an alternative of its text, or that says that it wants to be acted on; no file
    /// that holds dates.
    fn is_invitation(&self, part: &Part) -> bool {
        let Some(parent) = part.parent.and_then(|id| self.parts.get(id.0)) else { return true };
        if parent.media_type == "multipart/alternative" {
            return true;
        }
        let invites = |method: &str| INVITES.iter().any(|one| one.eq_ignore_ascii_case(method));
        if let Some(method) = &part.method {
            return invites(method);
        }
        // QUIRK: mail programs read the method in the calendar where the field does not say it.
        let body = self.raw.get(part.body.clone()).unwrap_or_default();
        // Whole lines, which base64 can be undone of.
        let start = body
            .get(..CALENDAR_START)
            .map_or(body, |start| start.get(..memchr::memrchr(b'\n', start).unwrap_or(0)).unwrap_or_default());
        let decoded = transfer::decode(part.encoding, start).unwrap_or_default();
        String::from_utf8_lossy(&decoded).lines().any(|line| {
            let method = line.split_once(':').filter(|(name, _)| name.trim().eq_ignore_ascii_case("method"));
            method.is_some_and(|(_, method)| invites(method.trim()))
        })
    }
}

/// What begins in the texts, whole or cut, quoted or not: the gravest. For those who must not take less for PGP than it is.
pub(super) fn begins_in_texts(message: &Message<'_>) -> Option<Protection> {
    let begins = |text: Body| {
        let part = message.part(text.part)?;
        armor::begins(&transfer::decode(part.encoding, message.bytes(&part.body)).ok()?)
    };
    body::readable(message.parts()).into_iter().filter_map(begins).min()
}

/// PGP in the texts that a reader sees: the gravest.
fn pgp_in_texts(message: &Message<'_>) -> Option<Protection> {
    body::readable(message.parts()).into_iter().filter_map(|text| in_text(message, text)).min()
}

fn in_text(message: &Message<'_>, text: Body) -> Option<Protection> {
    let part = message.part(text.part)?;
    let raw = message.bytes(&part.body);
    let may_be_in = match part.encoding {
        TransferEncoding::Base64 => true,
        TransferEncoding::QuotedPrintable => armor::may_be_spelled_in(raw),
        _ => armor::may_be_in(raw),
    };
    if !may_be_in {
        return None;
    }
    let decoded = transfer::decode(part.encoding, raw).ok()?;
    match text.kind {
        BodyKind::Plain => armor::whole(&decoded),
        BodyKind::Html if !armor::may_be_in(&decoded) => None,
        BodyKind::Html => armor::whole(html::visible(&String::from_utf8_lossy(&decoded)).text.as_bytes()),
    }
}

#[cfg(test)]
mod tests;
