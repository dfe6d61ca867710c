//! New parts beside a whole message: for messages whose body must not or cannot be edited.
//!
//! The entity that came in becomes one part of a multipart/mixed, its bytes unchanged; the new parts stand above and below
//! it. The fields that say how to read it move down with it, all other fields stay.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;
use memchr::memmem;

use super::draft::{Block, BodyError};
use super::edits::Edit;
use super::surgery::{self, Notice};
use super::transfer::{MAX_LINE, with_line_end};
use super::{FieldSpan, LineEnd, Message, PartId};

/// The fields that say how to read the message.
const MOVED: &[&[u8]] = &[b"Content-Type", b"Content-Transfer-Encoding", b"Content-Disposition"];

/// How the boundaries of our multiparts begin.
const BOUNDARY: &str = "=_mailwright_";

/// True for a part in a multipart whose boundary is like ours: perhaps a block that stands beside the message.
pub(super) fn is_beside(message: &Message<'_>, id: PartId) -> bool {
    let parent = |id: PartId| message.part(id).and_then(|part| part.parent);
    let is_ours = |id: PartId| {
        message.part(id).and_then(|part| part.boundary.as_ref()).is_some_and(|b| b.starts_with(BOUNDARY.as_bytes()))
    };
    parent(id).is_some_and(is_ours)
}

/// The new parts.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    /// Shown before the message, from the top.
    pub above: Vec<Block>,
    /// Shown after it, from the top.
    pub below: Vec<Block>,
    /// Files that say which attachments are gone; they stand last.
    pub notices: Vec<Arc<Notice>>,
    /// True when the parts have an HTML alternative, as the message has.
    pub hypertext: bool,
}

impl Beside {
    pub fn is_empty(&self) -> bool {
        self.above.is_empty() && self.below.is_empty() && self.notices.is_empty()
    }

    /// How many parts there are before the message's own, the multipart included.
    pub fn parts_above(&self) -> usize {
        if self.is_empty() { 0 } else { 1 + self.parts_of(&self.above) }
    }

    /// How many parts of blocks there are behind the message's own.
    pub fn parts_below(&self) -> usize {
        self.parts_of(&self.below)
    }

    fn parts_of(&self, blocks: &[Block]) -> usize {
        let pictures = |block: &Block| if block.images.is_empty() { 0 } else { 1 + block.images.len() };
        blocks.iter().map(|block| if self.hypertext { 3 + pictures(block) } else { 1 }).sum()
    }

    /// The edits that put the parts there. `own` are the edits of the message's own body, which may change the fields
    /// that move: what is left of them comes back with the rest. `inside` are those of its parts.
    pub fn edits(&self, message: &Message<'_>, own: Vec<Edit>, inside: &[Edit]) -> Result<Vec<Edit>, BodyError> {
        if self.is_empty() {
            return Ok(own);
        }
        if let Some(doubt) = message.structural_doubt() {
            return Err(doubt);
        }
        if message.is_cut_in_a_header() {
            return Err(BodyError::Separator);
        }
        let last = last_line(message, own.iter().chain(inside).collect());
        // With the LF behind it, it would become a line end.
        if message.line_end() == LineEnd::Lf && last.ends_with(b"\r") {
            return Err(BodyError::Doubtful);
        }
        if last.len() > MAX_LINE {
            return Err(BodyError::LastLine);
        }
        let root = message.part(PartId(0)).ok_or(BodyError::Separator)?;
        let top = message.field_place(PartId(0)).ok_or(BodyError::Field)?;
        let boundary = free_boundary(message.raw(), "mixed");
        let mut fields = format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n");
        let is_version = |field: &FieldSpan| message.bytes(&field.name).eq_ignore_ascii_case(b"MIME-Version");
        if !root.fields.iter().any(is_version) {
            fields.insert_str(0, "MIME-Version: 1.0\r\n");
        }

        let mut above = Vec::new();
        for (number, block) in self.above.iter().enumerate() {
            above.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            self.write(message, block, number, &mut above);
            above.extend_from_slice(b"\r\n");
        }
        above.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        let mut above = with_line_end(above, message.line_end());
        let mut below = Vec::new();
        for (number, block) in self.below.iter().enumerate() {
            below.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
            self.write(message, block, self.above.len() + number, &mut below);
        }
        for notice in &self.notices {
            below.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
            below.extend(notice.entity(LineEnd::CrLf, true));
        }
        below.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());

        let (in_header, in_body): (Vec<Edit>, Vec<Edit>) =
            own.into_iter().partition(|edit| edit.range.end <= root.header.end && !within(&edit.range, &root.body));
        let mut edits = Vec::new();
        for edit in in_header.iter().filter(|edit| edit.range == (top..top)) {
            above.extend_from_slice(&edit.with);
        }
        move_fields(message, &in_header, top, &mut above, &mut edits)?;
        above.extend_from_slice(message.line_end().as_bytes());
        let end = message.raw().len();
        edits.push(Edit { range: top..top, with: with_line_end(fields.into_bytes(), message.line_end()).into() });
        edits.push(Edit { range: root.body.start..root.body.start, with: above.into() });
        // Of edits at one place the first stands first.
        edits.extend(in_body);
        edits.push(Edit { range: end..end, with: with_line_end(below, message.line_end()).into() });
        Ok(edits)
    }

    fn write(&self, message: &Message<'_>, block: &Block, number: usize, out: &mut Vec<u8>) {
        let text = MimePart::new("text/plain", crlf(&block.text));
        let part = if self.hypertext {
            let boundary = free_boundary(message.raw(), &format!("alternative_{number}"));
            let html = MimePart::new("text/html", crlf(&block.html));
            let html = if block.images.is_empty() {
                html
            } else {
                let boundary = free_boundary(message.raw(), &format!("related_beside_{number}"));
                let related = ContentType::new("multipart/related").attribute("type", "text/html");
                let pictures = block.images.iter().map(|image| image.part());
                MimePart::new(
                    related.attribute("boundary", boundary),
                    std::iter::once(html).chain(pictures).collect::<Vec<_>>(),
                )
            };
            let alternatives = vec![text, html];
            MimePart::new(ContentType::new("multipart/alternative").attribute("boundary", boundary), alternatives)
        } else {
            text
        };
        part.write_part(out);
    }
}

/// The last line of the message with these edits, which are apart.
fn last_line(message: &Message<'_>, mut edits: Vec<&Edit>) -> Vec<u8> {
    let raw = message.raw();
    let line = memchr::memrchr(b'\n', raw).map_or(0, |at| at + 1);
    edits.retain(|edit| edit.range.end >= line);
    edits.sort_by_key(|edit| edit.range.start);
    let from = edits.first().map_or(line, |edit| edit.range.start.min(line));
    let mut end = edited(message, &(from..raw.len()), edits.into_iter());
    end.drain(..memchr::memrchr(b'\n', &end).map_or(0, |at| at + 1));
    end
}

pub(super) fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A range of the message with edits inside it applied.
pub(super) fn edited<'e>(
    message: &Message<'_>,
    range: &Range<usize>,
    edits: impl Iterator<Item = &'e Edit>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = range.start;
    for edit in edits {
        out.extend_from_slice(message.bytes(&(at..edit.range.start.max(at))));
        out.extend_from_slice(&edit.with);
        at = edit.range.end;
    }
    out.extend_from_slice(message.bytes(&(at..range.end)));
    out
}

/// Text whose lines end in CRLF, as `mail-builder` wants it.
fn crlf(text: &str) -> Cow<'_, str> {
    if text.contains('\n') { text.lines().collect::<Vec<_>>().join("\r\n").into() } else { text.into() }
}

/// Digits of a boundary that can occur: the first that is free is below the number of those that do.
const MAX_DIGITS: usize = 10;

/// A boundary that does not occur in the message.
fn free_boundary(raw: &[u8], name: &str) -> String {
    free_boundary_of(raw, &format!("{BOUNDARY}{name}_"))
}

/// A boundary of this prefix that does not occur in the message.
pub(super) fn free_boundary_of(raw: &[u8], prefix: &str) -> String {
    let mut taken = HashSet::new();
    for at in memmem::find_iter(raw, prefix) {
        let digits = raw.get(at + prefix.len()..).unwrap_or_default().iter().take(MAX_DIGITS);
        // What begins with 12 begins with 1 too.
        let mut number = 0_u64;
        for digit in digits.take_while(|b| b.is_ascii_digit()) {
            number = number * 10 + u64::from(digit - b'0');
            taken.insert(number);
        }
    }
    let free = (0..=taken.len() as u64).find(|number| !taken.contains(number)).unwrap_or_default();
    format!("{prefix}{free}")
}

/// Move the fields that say how to read a message down to `above`, each with its own edits; `edits` take them out. What is
/// put in at `top` stays there.
pub(super) fn move_fields(
    message: &Message<'_>,
    in_header: &[Edit],
    top: usize,
    above: &mut Vec<u8>,
    edits: &mut Vec<Edit>,
) -> Result<(), BodyError> {
    let Some(root) = message.part(PartId(0)) else { return Ok(()) };
    // What says that the message is a notice says so of the part that it becomes.
    let of_notice = surgery::is_notice(message, root).then_some(surgery::NOTICE_FIELD.as_bytes());
    for field in &root.fields {
        let name = message.bytes(&field.name);
        if MOVED.iter().copied().chain(of_notice).any(|moved| moved.eq_ignore_ascii_case(name)) {
            let own = in_header.iter().filter(|edit| edit.range != (top..top) && within(&edit.range, &field.whole));
            let bytes = edited(message, &field.whole, own);
            let plain = |b: &u8| b.is_ascii() && *b != 0;
            if !bytes.iter().all(plain) || bytes.split(|b| *b == b'\n').any(|line| line.len() > MAX_LINE) {
                return Err(BodyError::Field);
            }
            above.extend_from_slice(&bytes);
            edits.push(Edit { range: field.whole.clone(), with: Bytes::new() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{block, crlf, rewritten};
    use super::super::{BodyError, Draft, Message, Place};
    use super::MAX_LINE;

    #[test]
    fn a_signed_message_keeps_every_byte_below_its_new_part() {
        let entity = "Content-Type: text/plain\n\nsigned  \n";
        let body = format!("--s\n{entity}\n--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n");
        let text = format!("Subject: a\nContent-Type: multipart/signed;\n\tboundary=s\nTo: b\n\n{body}");
        let out = rewritten(&text, |draft| draft.put_beside(&block("Notice"), Place::Start).unwrap());
        let boundary = "=_mailwright_mixed_0";
        let head =
            format!("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\nSubject: a\nTo: b\n\n");
        let tail = format!("\n--{boundary}\nContent-Type: multipart/signed;\n\tboundary=s\n\n{body}\n--{boundary}--\n");
        assert!(out.starts_with(&head) && out.ends_with(&tail), "{out}");
        assert!(out.contains("\n\nNotice"), "{out}");
    }

    #[test]
    fn the_boundary_is_one_that_the_message_does_not_hold() {
        let text =
            "Content-Type: multipart/signed; boundary=s\n\n--s\n\n=_mailwright_mixed_0 =_mailwright_mixed_1\n--s--\n";
        let out = rewritten(text, |draft| draft.put_beside(&block("Notice"), Place::End).unwrap());
        assert!(out.contains("boundary=\"=_mailwright_mixed_2\""), "{out}");
    }

    #[test]
    fn a_message_that_ends_in_half_a_line_end_gets_no_part_below_it() {
        let message = Message::parse(b"Subject: a\n\nHello\r");
        let mut draft = Draft::new(&message);
        assert_eq!(draft.put_beside(&block("Notice"), Place::End), Err(BodyError::Doubtful));
    }

    #[test]
    fn nothing_follows_a_last_line_that_is_too_long_to_be_ended() {
        let raw = format!("Content-Transfer-Encoding: x-odd\r\n\r\n{}", "x".repeat(MAX_LINE + 1));
        let message = Message::parse(raw.as_bytes());
        let mut draft = Draft::new(&message);
        assert_eq!(draft.put_beside(&block("Notice"), Place::End), Err(BodyError::LastLine));
        let ended = format!("{raw}\r\n");
        let message = Message::parse(ended.as_bytes());
        let mut draft = Draft::new(&message);
        assert_eq!(draft.put_beside(&block("Notice"), Place::End), Ok(()));
        assert!(draft.render().is_ok());
    }

    #[test]
    fn a_message_that_is_in_doubt_gets_no_part_beside_it() {
        let two_types = "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n";
        let cut = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: text/html";
        for text in ["Subject: a", two_types, cut, ""] {
            let raw = crlf(text);
            let message = Message::parse(&raw);
            let mut draft = Draft::new(&message);
            assert!(draft.put_beside(&block("Notice"), Place::End).is_err(), "{text}");
            assert!(draft.is_unchanged());
        }
    }
}
