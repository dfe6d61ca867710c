//! Putting a whole message below a new part: for messages whose body must not be edited.
//!
//! The entity that came in becomes the last part of a multipart/mixed with its bytes unchanged; its `Content-*` fields move
//! down with it, all other fields stay.

use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;
use memchr::memmem;

use super::draft::{Block, BodyError};
use super::edits::Edit;
use super::transfer::with_line_end;
use super::{FieldSpan, Message, PartId};

/// Parts that come before the message: the multipart, the alternative, its text and its HTML.
pub(super) const NEW_PARTS: usize = 4;

/// The edits that wrap a message.
pub(super) fn edits(message: &Message<'_>, block: &Block) -> Result<Vec<Edit>, BodyError> {
    let root = message.part(PartId(0)).filter(|root| root.has_separator).ok_or(BodyError::Separator)?;
    let top = message.field_place(PartId(0)).ok_or(BodyError::Field)?;
    let (outer, inner) = (boundary(message.raw(), "mixed"), boundary(message.raw(), "alternative"));
    let named = |field: &FieldSpan, name: &[u8]| message.bytes(&field.name).eq_ignore_ascii_case(name);
    let is_content = |field: &&FieldSpan| {
        message.bytes(&field.name).get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"content-"))
    };

    let mut fields = format!("Content-Type: multipart/mixed; boundary=\"{outer}\"\r\n");
    if !root.fields.iter().any(|field| named(field, b"MIME-Version")) {
        fields.insert_str(0, "MIME-Version: 1.0\r\n");
    }
    let mut above = format!("--{outer}\r\n").into_bytes();
    let alternatives =
        vec![MimePart::new("text/plain", block.text.as_str()), MimePart::new("text/html", block.html.as_str())];
    MimePart::new(ContentType::new("multipart/alternative").attribute("boundary", inner), alternatives)
        .write_part(&mut above);
    above.extend_from_slice(format!("\r\n--{outer}\r\n").as_bytes());
    let mut above = with_line_end(above, message.line_end());
    let mut edits = Vec::new();
    for field in root.fields.iter().filter(is_content) {
        let bytes = message.bytes(&field.whole);
        above.extend_from_slice(bytes);
        edits.push(Edit { range: field.whole.clone(), with: Vec::new() });
    }
    above.extend_from_slice(message.line_end().as_bytes());

    let end = message.raw().len();
    let below = with_line_end(format!("\r\n--{outer}--\r\n").into_bytes(), message.line_end());
    edits.push(Edit { range: top..top, with: with_line_end(fields.into_bytes(), message.line_end()) });
    edits.push(Edit { range: root.body.start..root.body.start, with: above });
    edits.push(Edit { range: end..end, with: below });
    Ok(edits)
}

/// A boundary that does not occur in the message.
fn boundary(raw: &[u8], name: &str) -> String {
    // Each try that occurs in the message takes some of its bytes, so one of these does not.
    let tries = (0..=raw.len()).map(|n| format!("=_mailwright_{name}_{n}"));
    tries.into_iter().find(|b| memmem::find(raw, b.as_bytes()).is_none()).unwrap_or_default()
}
