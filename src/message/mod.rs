//! A message is the raw bytes of one mail with an index of its header fields and parts.
//!
//! Bytes in, bytes out: this folder knows nothing of rules, WorkMail or AWS. Parsing never fails: what cannot be
//! understood is one opaque part. The only way in which a message changes is an edit, a byte range of the message and
//! what replaces it ([`edits`]); every byte outside the edits is the byte that came in.

mod draft;
mod edits;
mod field;
pub mod html;
mod part;
pub mod reply;
mod scan;
mod text;
mod verify;

use std::ops::Range;

pub use draft::{Block, BodyError, Draft, Place, TextEdit, Which};
pub use edits::Rendered;
pub use field::{Field, FieldError, FieldName};
pub use part::{Attachment, Body, BodyKind, Disposition, Protection, TransferEncoding};
pub use verify::Violation;

/// Index of a part in [`Message::parts`]; the message itself is part 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartId(pub usize);

/// How lines end, decided by the first line end of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// `\r\n`, as RFC 5322 has it; also for a message without any line end.
    CrLf,
    /// `\n`: files on disk.
    Lf,
    /// `\r`: a message that holds no `\n` at all.
    Cr,
}

/// One header field as byte ranges of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpan {
    /// The name, without the colon and white space before it.
    pub name: Range<usize>,
    /// What follows the colon, folded lines included, without the last line end.
    pub value: Range<usize>,
    /// The whole field with its line end.
    pub whole: Range<usize>,
}

/// One part of a message; part 0 is the message.
#[derive(Debug, Clone)]
pub struct Part {
    /// The multipart that holds it.
    pub parent: Option<PartId>,
    /// The parts of a multipart, in order. Empty for everything else, also for `message/*`, which is opaque.
    pub children: Vec<PartId>,
    /// Its header fields, in order.
    pub fields: Vec<FieldSpan>,
    /// The header block, without the blank line that ends it.
    pub header: Range<usize>,
    /// What follows the blank line; without the line end that belongs to the delimiter after it.
    pub body: Range<usize>,
    /// False when no blank line ends the header block.
    pub has_separator: bool,
    /// Type and subtype in lower case, `text/plain` where nothing is declared (RFC 2045 §5.2).
    pub media_type: String,
    /// `charset` parameter, lower case.
    pub charset: Option<String>,
    /// `Content-Transfer-Encoding`.
    pub encoding: TransferEncoding,
    /// `Content-Disposition`.
    pub disposition: Option<Disposition>,
    /// `filename`, else `name`, decoded (RFC 2047, RFC 2231).
    pub file_name: Option<String>,
    /// `boundary` of a multipart, when it has one that can be used.
    pub boundary: Option<Vec<u8>>,
}

/// A message: raw bytes and the index over them.
#[derive(Debug)]
pub struct Message<'a> {
    raw: &'a [u8],
    parts: Vec<Part>,
    line_end: LineEnd,
    notes: Vec<&'static str>,
}

impl<'a> Message<'a> {
    /// Index `raw`. Never fails, linear in its length.
    pub fn parse(raw: &'a [u8]) -> Self {
        let _ = raw;
        todo!()
    }
    /// The bytes that came in.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }
    /// All parts in document order; the message itself is first.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
    /// How its lines end.
    pub fn line_end(&self) -> LineEnd {
        self.line_end
    }
    /// What was odd about it, in words for the report (never content).
    pub fn notes(&self) -> &[&'static str] {
        &self.notes
    }
    /// What forbids editing the body, if anything does: the outermost or first such part decides.
    pub fn protection(&self) -> Option<Protection> {
        todo!()
    }
    /// Attachments, in document order: parts with a file name or an attachment disposition, and all that is no text
    /// body, no multipart and no inline image of a related part.
    pub fn attachments(&self) -> Vec<Attachment> {
        todo!()
    }
}
