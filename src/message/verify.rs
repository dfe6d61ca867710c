//! The rewritten message held against the original: Invariants 1 to 5. (6, once, is a property of the rules and tested
//! there.) Runs on every changed message, before it leaves.
//!
//! What was not edited is compared by where it comes from, not octet by octet, and large parts that were not edited are
//! left out of the second scan: a 25 MB attachment costs nothing here.

use std::cell::LazyCell;
use std::ops::Range;

use super::beside::Beside;
use super::body::{Body, BodyKind};
use super::edits::{Rendered, Slice};
use super::header::HeaderDraft;
use super::permitted::{Permission, Permitted};
use super::pieces::Piece;
use super::surgery::{self, Layout, Seat, Surgery};
use super::text::PartText;
use super::transfer::MAX_LINE;
use super::{FieldSpan, LineEnd, Message, Part, PartId, Protection, protection};

/// Bodies of parts that were not edited are left out of the second scan from this size on, in octets.
const LEFT_OUT: usize = 1_024;

/// An invariant that a rewrite would have broken. The original goes out instead; it is a bug in mailwright.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rewrite would break an invariant ({invariant}): {what}; this is a bug in mailwright, please report it")]
pub struct Violation {
    /// Its name, such as `locality`.
    pub invariant: &'static str,
    /// What was found, without content.
    pub what: String,
}

fn violation(invariant: &'static str, what: impl Into<String>) -> Result<(), Violation> {
    Err(Violation { invariant, what: what.into() })
}

/// Check a rewritten message.
pub(super) fn verify(
    message: &Message<'_>,
    rendered: &Rendered<'_>,
    header: &HeaderDraft,
    texts: &[(Body, &PartText<'_>)],
    beside: &Beside,
    permitted: &Permitted<'_>,
    surgery: &Surgery,
) -> Result<(), Violation> {
    protected(message, texts, permitted, protection::of_draft(message, surgery, permitted))?;
    if surgery.parts().any(|id| surgery::lock_of(message, id).is_some()) {
        return violation("protected", "a part of what is protected was taken off, or put in");
    }
    let mut texts: Vec<(Body, &PartText<'_>)> = texts.to_vec();
    texts.extend(permitted.edited_texts().map(|(file, text)| (file.body, text)));
    let mut edited: Vec<PartId> = texts.iter().map(|(body, _)| body.part).collect();
    edited.extend(permitted.attached.keys());
    edited.sort_unstable();
    locality(message, rendered, &edited, beside, permitted, surgery)?;
    wire(message, rendered)?;
    let skeleton = skeleton(message, rendered, &edited, surgery);
    let after = Message::parse(&skeleton);
    let mime = !edited.is_empty() || !beside.is_empty();
    fields(message, &after, rendered, mime, &|name| header.names(message, name) || surgery.names_field(name))?;
    let layout = Layout::new(message, surgery, beside);
    structure(message, &after, &edited, &layout, &|id| is_renamed(message, header, permitted, id))?;
    for (body, text) in texts {
        let Some(place) = layout.place(body.part) else { return violation("text", "an edited part is gone") };
        kept_text(&after, place, body.kind, text)?;
    }
    for id in permitted.attached.keys() {
        let part = layout.place(*id).and_then(|place| after.part(place));
        if !part.is_some_and(|part| permitted.is_attached(*id, after.bytes(&part.body))) {
            return violation("attached", "an attached message is not what a rule made of it");
        }
    }
    Ok(())
}

/// Invariant 3: nothing of a protected message is edited, and nothing but bodies, unless a rule was told to.
fn protected(
    message: &Message<'_>,
    texts: &[(Body, &PartText<'_>)],
    permitted: &Permitted<'_>,
    protection: Option<Protection>,
) -> Result<(), Violation> {
    let may = |permission| permitted.is_granted(permission);
    let open = match protection {
        None => true,
        Some(Protection::Calendar) => may(Permission::Calendar),
        Some(_) => false,
    };
    // An alternative of the bodies is one, whatever it is written in.
    let files = permitted.edited_texts().all(|(file, _)| {
        let permission = if file.is_calendar { Permission::Calendar } else { Permission::Attachments };
        open && (may(permission) || file.is_alternative && !file.is_calendar)
    });
    let attached = permitted.attached.is_empty() || open && may(Permission::AttachedMessages);
    let free = |(id, _): &(PartId, usize)| surgery::lock_of(message, *id).is_none();
    let named = permitted.fields.is_empty() || may(Permission::Names) && permitted.fields.keys().all(free);
    // Beside a part that is protected, a text may be edited; never inside.
    let inside = |(body, _): &(Body, &PartText<'_>)| protection::of_text(message, *body).is_some();
    let any_inside = protection.is_some() && texts.iter().any(inside);
    if any_inside || !open && !permitted.gaps.is_empty() {
        return violation("protected", "what is protected was edited");
    }
    if !(files && attached && named) {
        return violation("protected", "what is no body was edited, and no rule was told to");
    }
    Ok(())
}

/// A part whose file name a rule was told to edit.
fn is_renamed(message: &Message<'_>, header: &HeaderDraft, permitted: &Permitted<'_>, id: PartId) -> bool {
    let of_root = |name: &[u8]| id == PartId(0) && header.names(message, name);
    permitted.fields.range((id, 0)..=(id, usize::MAX)).next().is_some()
        || permitted.is_granted(Permission::Names) && (of_root(b"Content-Type") || of_root(b"Content-Disposition"))
}

/// Invariants 1 and 3: edits touch the header, and the parts that rules edited; nothing else.
fn locality(
    message: &Message<'_>,
    rendered: &Rendered<'_>,
    edited: &[PartId],
    beside: &Beside,
    permitted: &Permitted<'_>,
    surgery: &Surgery,
) -> Result<(), Violation> {
    let Some(root) = message.part(PartId(0)) else { return violation("locality", "there is no message") };
    let len = message.raw().len();
    let within = |inner: &Range<usize>, outer: &Range<usize>| outer.start <= inner.start && inner.end <= outer.end;
    // Text parts in document order, which lie apart.
    let edited_parts: Vec<&Part> = edited.iter().filter_map(|id| message.part(*id)).collect();
    let in_edited_part = |range: &Range<usize>| {
        let behind = edited_parts.partition_point(|part| part.header.start <= range.start);
        let part = behind.checked_sub(1).and_then(|i| edited_parts.get(i));
        part.is_some_and(|part| within(range, &part.body) || within(range, &part.header))
    };
    let fields = permitted.fields.keys().filter_map(|(part, index)| message.part(*part)?.fields.get(*index));
    let values: Vec<&Range<usize>> = fields.map(|field| &field.value).collect();
    let in_named_field = |range: &Range<usize>| {
        let behind = values.partition_point(|value| value.start <= range.start);
        behind.checked_sub(1).and_then(|i| values.get(i)).is_some_and(|value| within(range, value))
    };
    let surgical = surgery.ranges(message);
    let allowed = |range: &Range<usize>| {
        within(range, &root.header)
            || in_edited_part(range)
            || in_named_field(range)
            || permitted.gaps.get(&range.start).is_some_and(|(gap, _)| gap == range)
            || surgical.contains(&(range.start, range.end))
            || (!beside.is_empty() || surgery.wraps_root(message))
                && range.is_empty()
                && (range.start == root.body.start || range.start == len)
    };
    let mut at = 0;
    for slice in rendered.parts() {
        let range = match slice {
            Slice::Kept(range) => range,
            Slice::New(_, range) if allowed(range) => range,
            Slice::New(..) => return violation("locality", "an edit is outside the header and the edited parts"),
        };
        if range.start != at {
            return violation("locality", "octets are missing or doubled");
        }
        at = range.end;
    }
    if at != len {
        return violation("locality", "the end is missing");
    }
    Ok(())
}

/// Invariant 4: what edits bring in.
pub(super) fn wire(message: &Message<'_>, rendered: &Rendered<'_>) -> Result<(), Violation> {
    // Octets of the current line so far, and whether an edit touched it.
    let (mut column, mut touched) = (0_usize, false);
    let line_done = |len: usize, touched: bool| {
        if touched && len > MAX_LINE + 1 { violation("wire", "a changed line is too long") } else { Ok(()) }
    };
    let had_bare_lf = LazyCell::new(|| has_bare_lf(message.raw()));
    for slice in rendered.parts() {
        match slice {
            Slice::Kept(range) => {
                let bytes = message.bytes(range);
                match (memchr::memchr(b'\n', bytes), memchr::memrchr(b'\n', bytes)) {
                    (Some(first), Some(last)) => {
                        line_done(column + first, touched)?;
                        column = bytes.len() - last - 1;
                        touched = false;
                    }
                    _ => column += bytes.len(),
                }
            }
            Slice::New(bytes, range) => {
                let odd = |bytes: &[u8]| bytes.iter().filter(|b| !b.is_ascii() || **b == 0).count();
                let is_plain = bytes.is_ascii() && memchr::memchr(0, bytes).is_none();
                if !is_plain && odd(bytes) > odd(message.bytes(range)) {
                    return violation("wire", "an octet that is not 7-bit was brought in");
                }
                if message.line_end() == LineEnd::CrLf && has_bare_lf(bytes) && !*had_bare_lf {
                    return violation("wire", "a bare LF was brought in");
                }
                // A deletion joins two lines only inside an edited line.
                let mut start = 0;
                for end in memchr::memchr_iter(b'\n', bytes) {
                    line_done(column + end - start, true)?;
                    column = 0;
                    start = end + 1;
                }
                column += bytes.len() - start;
                // A line that begins right behind an edit is no line of it.
                touched = column > 0;
            }
        }
    }
    line_done(column, touched)
}

fn has_bare_lf(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes).any(|at| at.checked_sub(1).and_then(|i| bytes.get(i)) != Some(&b'\r'))
}

/// The rewritten message without the bodies of large parts that were not edited.
fn skeleton(message: &Message<'_>, rendered: &Rendered<'_>, edited: &[PartId], surgery: &Surgery) -> Vec<u8> {
    let left_out = message.parts().iter().enumerate().filter(|(id, part)| {
        part.boundary.is_none()
            && part.has_separator
            && part.body.len() > LEFT_OUT
            && edited.binary_search(&PartId(*id)).is_err()
            && !surgery.is_gone(PartId(*id))
    });
    let left_out: Vec<Range<usize>> = left_out.map(|(_, part)| part.body.clone()).collect();
    let mut out = Vec::with_capacity(rendered.len().saturating_sub(left_out.iter().map(Range::len).sum()));
    let mut left_out = left_out.into_iter().peekable();
    for slice in rendered.parts() {
        match slice {
            Slice::New(bytes, _) => out.extend_from_slice(bytes),
            Slice::Kept(range) => {
                let mut at = range.start;
                while let Some(body) = left_out.peek() {
                    if body.end > range.end {
                        break;
                    }
                    out.extend_from_slice(message.bytes(&(at..body.start.max(at))));
                    at = body.end;
                    left_out.next();
                }
                out.extend_from_slice(message.bytes(&(at..range.end)));
            }
        }
    }
    out
}

/// Invariant 2: the fields that no edit touched are there, in order, and those that came have names that were meant.
fn fields(
    message: &Message<'_>,
    after: &Message<'_>,
    rendered: &Rendered<'_>,
    mime_fields: bool,
    is_named: &dyn Fn(&[u8]) -> bool,
) -> Result<(), Violation> {
    let replaced = rendered.parts().iter().filter_map(|slice| match slice {
        Slice::New(_, range) => Some(range),
        Slice::Kept(_) => None,
    });
    let replaced: Vec<&Range<usize>> = replaced.collect();
    let is_touched = |field: &FieldSpan| {
        let first = replaced.partition_point(|range| range.end < field.whole.start);
        let mut near = replaced.iter().skip(first).take_while(|range| range.start < field.whole.end);
        near.any(
            |range| {
                if range.is_empty() { field.value.start <= range.start } else { field.whole.start < range.end }
            },
        )
    };
    let mime = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
    let meant =
        |name: &[u8]| is_named(name) || mime_fields && mime.iter().any(|m| m.as_bytes().eq_ignore_ascii_case(name));
    let mut kept = message.fields().iter().filter(|field| !is_touched(field)).peekable();
    for field in after.fields() {
        let bytes = after.bytes(&field.whole);
        if kept.next_if(|k| message.bytes(&k.whole) == bytes).is_some() {
            continue;
        }
        if !meant(after.bytes(&field.name)) {
            return violation("header", "a field is there that no rule named, or the order changed");
        }
    }
    match kept.next() {
        // The scan stops at a limit, which new fields can move.
        Some(_) if message.fields().len() < super::MAX_FIELDS => {
            violation("header", "a field that no rule named is gone")
        }
        _ => Ok(()),
    }
}

/// Invariants 3 and 4: the same parts in the same places, and those that were to come.
fn structure(
    message: &Message<'_>,
    after: &Message<'_>,
    edited: &[PartId],
    layout: &Layout,
    is_renamed: &dyn Fn(PartId) -> bool,
) -> Result<(), Violation> {
    let expected = layout.seats.len();
    if after.parts().len() != expected && expected <= super::MAX_PARTS {
        return violation("structure", format!("{} parts became {}", message.parts().len(), after.parts().len()));
    }
    for ((seat, parent), after_part) in layout.seats.iter().zip(after.parts()) {
        let is_beside = matches!(seat, Seat::Beside);
        if !is_beside && after_part.parent != parent.map(PartId) || !seat.is(after, after_part) {
            return violation("structure", "a new part is not what it was meant to be, or another stands elsewhere");
        }
        let Seat::Kept(id) = seat else { continue };
        let Some(before) = message.part(*id) else { return violation("structure", "a part is gone") };
        let same = before.media_type == after_part.media_type
            && before.boundary == after_part.boundary
            && (before.file_name == after_part.file_name || is_renamed(*id))
            && before.disposition == after_part.disposition
            && before.has_separator == after_part.has_separator
            && before.flowed == after_part.flowed;
        let same_body = || before.encoding == after_part.encoding && before.charset == after_part.charset;
        let untouched = edited.binary_search(id).is_err();
        if !same || (untouched && !(same_body() && same_length(before, after_part))) {
            return violation("structure", format!("part {} is not what it was", id.0));
        }
    }
    Ok(())
}

/// The body of a part that was not edited is as long as it was, unless it was left out of the scan.
fn same_length(before: &Part, after: &Part) -> bool {
    before.boundary.is_some()
        || before.body.len() == after.body.len()
        || before.body.len() > LEFT_OUT && after.body.is_empty()
}

/// Invariant 5: taking the new text out of the new body gives the old one.
fn kept_text(after: &Message<'_>, id: PartId, kind: BodyKind, text: &PartText<'_>) -> Result<(), Violation> {
    let Some(part) = after.part(id) else { return violation("text", "an edited part is gone") };
    let read = PartText::read(after, part, kind);
    let Ok(new) = read else { return violation("text", "an edited body cannot be read") };
    // Encoding a body anew makes its line ends those of the message.
    let (new, current) = (new.original(), text.current());
    if new != current && !new.chars().filter(|c| *c != '\r').eq(current.chars().filter(|c| *c != '\r')) {
        return violation("text", "an edited body does not read as it should");
    }
    let mut at = 0;
    for piece in text.pieces().iter() {
        let (expected, len) = match piece {
            Piece::Kept(range) => (text.original().get(range.clone()), range.len()),
            Piece::New(text) => (Some(text), text.len()),
        };
        if expected != current.get(at..at + len) {
            return violation("text", "text that no rule named changed");
        }
        at += len;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::edits::Edit;
    use super::super::testing::crlf;
    use super::super::{BodyKind, Field, FieldName, TextEdit};
    use super::*;

    const TEXT: &str = "Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b\n\
                        Content-Type: text/plain; name=c\n\nattached\n--b--\n";

    /// Replaces `old` by `new` in the message, as if rules had edited the first text and set `X-New`.
    fn refused(raw: &[u8], old: &str, new: &[u8]) -> &'static str {
        let message = Message::parse(raw);
        let at = memchr::memmem::find(raw, old.replace('\n', "\r\n").as_bytes()).unwrap();
        let range = at..at + old.replace('\n', "\r\n").len();
        let rendered = Rendered::new(raw, vec![Edit { range, with: new.to_vec().into() }]).unwrap();
        let mut header = HeaderDraft::default();
        header.add(Field::new(FieldName::new("X-New").unwrap(), "x").unwrap());
        let body = Body { part: PartId(1), kind: BodyKind::Plain };
        let part = message.part(body.part).unwrap();
        let text = PartText::read(&message, part, body.kind).unwrap();
        let text = text.edited(&(&[TextEdit { range: 5..5, text: ", Kim".to_owned() }]).into()).unwrap();
        let permitted = Permitted::of(&message);
        match verify(
            &message,
            &rendered,
            &header,
            &[(body, &text)],
            &Beside::default(),
            &permitted,
            &Surgery::default(),
        ) {
            Ok(()) => "nothing",
            Err(violation) => violation.invariant,
        }
    }

    #[test]
    fn a_rewrite_that_does_what_rules_say_is_taken() {
        assert_eq!(refused(&crlf(TEXT), "Hello", b"Hello, Kim"), "nothing");
    }

    #[test]
    fn edits_of_an_attachment_or_a_delimiter_are_refused() {
        let raw = crlf(TEXT);
        assert_eq!(refused(&raw, "attached", b"changed"), "locality");
        assert_eq!(refused(&raw, "--b--", b"--c--"), "locality");
    }

    #[test]
    fn a_field_that_no_rule_named_is_refused() {
        let raw = crlf(TEXT);
        assert_eq!(refused(&raw, "Subject: a\n", b"X-Other: b\r\nSubject: a\r\n"), "header");
        assert_eq!(refused(&raw, "Subject: a\n", b"Subject: b\r\n"), "header");
        assert_eq!(refused(&raw, "Subject: a", b"X-New: a"), "text");
    }

    #[test]
    fn what_the_wire_does_not_take_is_refused() {
        let raw = crlf(TEXT);
        assert_eq!(refused(&raw, "Hello", "Grüße".as_bytes()), "wire");
        assert_eq!(refused(&raw, "Hello", b"Hel\0lo"), "wire");
        assert_eq!(refused(&raw, "Hello", b"Hello\nKim"), "wire");
        assert_eq!(refused(&raw, "Hello", &[b'x'; 1_000]), "wire");
    }

    #[test]
    fn a_changed_structure_is_refused() {
        let raw = crlf(TEXT);
        assert_eq!(refused(&raw, "Hello", b"Hello\r\n--b\r\n\r\nKim"), "structure");
        assert_eq!(refused(&raw, "boundary=b", b"boundary=c"), "structure");
    }

    #[test]
    fn text_other_than_the_rules_wrote_is_refused() {
        let raw = crlf(TEXT);
        assert_eq!(refused(&raw, "Hello", b"Hello, Jim"), "text");
        assert_eq!(refused(&raw, "Hello", b""), "text");
    }

    #[test]
    fn an_edit_of_a_protected_message_is_refused() {
        assert_eq!(refused(&crlf(&TEXT.replace("mixed", "signed")), "Hello", b"Hello, Kim"), "protected");
    }
}
