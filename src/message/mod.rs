//! A message is the raw bytes of one mail with an index of its header fields and parts.
//!
//! Bytes in, bytes out: this folder knows nothing of rules, WorkMail or AWS. Parsing never fails: what cannot be
//! understood is one opaque part. The only way in which a message changes is an edit, a byte range of the message and
//! what replaces it ([`Rendered`]); every byte outside the edits is the byte that came in.

mod armor;
mod beside;
mod body;
mod charset;
mod delimiter;
pub mod dkim;
mod draft;
mod edits;
mod field;
mod field_text;
mod foresight;
mod header;
pub mod html;
mod long_lines;
mod mime_field;
mod outside;
mod parameter_text;
mod part;
mod permitted;
mod pieces;
mod place;
mod protection;
mod repair;
pub mod reply;
mod runs;
mod scan;
mod sizes;
mod spelled;
mod spellings;
mod standing;
mod structured;
mod surgery;
#[cfg(test)]
mod testing;
mod text;
mod text_edits;
mod transfer;
mod untag;
mod uuencoded;
mod verify;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

pub use body::{Attachment, Body, BodyKind};
pub use draft::{Block, BodyError, Draft, Inserted, Place, Target, Which};
pub use edits::Rendered;
pub use field::{Field, FieldError, FieldName, FieldNames};
pub use field_text::FieldText;
pub(crate) use header::is_reply_prefix;
pub use outside::Outside;
pub use parameter_text::ParameterText;
pub use part::{Disposition, Part, TransferEncoding};
pub use permitted::{FileKind, Permission};
pub use protection::Protection;
pub use repair::{Bits, Mended, Repair, Repaired};
pub use scan::{MAX_DEPTH, MAX_FIELDS, MAX_PARTS};
use sizes::Sizes;
pub use spelled::{Run, Spelled};
pub use spellings::{File, Gap, Value};
pub use standing::{is_all, stands};
pub use surgery::{Image, ImageError, MAX_IMAGE, Notice, Said, is_named_by_content, tame, tamed};
pub(crate) use text::character_references;
pub use text_edits::{TextEdit, TextEdits};
pub use transfer::MAX_LINE;
pub use uuencoded::Uuencoded;
pub use verify::Violation;

/// The octets of a message up to the first blank line, and that; all of them where there is none. For those who want no
/// more than its fields, which are the same: what is behind need not be looked through for parts.
pub fn header_of(raw: &[u8]) -> &[u8] {
    let blank_lines = [&b"\n\r\n"[..], b"\n\n"];
    let end = blank_lines.into_iter().filter_map(|blank| Some(memchr::memmem::find(raw, blank)? + blank.len())).min();
    raw.get(..end.unwrap_or(raw.len())).unwrap_or_default()
}

/// Where the header of a message stands, in octets, without the blank line that ends it, and its fields: those of
/// [`Message::fields`], for those who need no more.
pub fn header_fields(raw: &[u8]) -> (Range<usize>, Vec<FieldSpan>) {
    scan::header(raw)
}

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
}

impl LineEnd {
    /// Its octets.
    pub const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
        }
    }
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

/// A message: raw bytes and the index over them.
#[derive(Debug)]
pub struct Message<'a> {
    raw: &'a [u8],
    parts: Vec<Part>,
    line_end: LineEnd,
    notes: Vec<&'static str>,
    lone_cr: bool,
    protection: OnceLock<Option<Protection>>,
    sizes: Sizes,
}

impl<'a> Message<'a> {
    /// Index `raw`. Never fails, linear in its length.
    pub fn parse(raw: &'a [u8]) -> Self {
        let scan::Scanned { parts, line_end, notes, lone_cr } = scan::scan(raw);
        Self { raw, parts, line_end, notes, lone_cr, protection: OnceLock::new(), sizes: Sizes::default() }
    }

    /// The bytes that came in.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// All parts in document order; the message itself is first.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// One part.
    pub fn part(&self, id: PartId) -> Option<&Part> {
        self.parts.get(id.0)
    }

    /// The header fields of the message, in order.
    pub fn fields(&self) -> &[FieldSpan] {
        self.parts.first().map_or(&[], |root| &root.fields)
    }

    /// The bytes of a range; none where it reaches past the end.
    pub fn bytes(&self, range: &Range<usize>) -> &'a [u8] {
        self.raw.get(range.clone()).unwrap_or_default()
    }

    /// How its lines end.
    pub fn line_end(&self) -> LineEnd {
        self.line_end
    }

    /// What was odd about it, in words for the report (never content).
    pub fn notes(&self) -> &[&'static str] {
        &self.notes
    }

    /// What forbids editing the body, if anything does: the gravest.
    pub fn protection(&self) -> Option<Protection> {
        *self.protection.get_or_init(|| protection::of_message(self))
    }

    /// True where PGP-encrypted data begins in a text, whole or cut: nobody can say what it holds.
    pub fn begins_encrypted_text(&self) -> bool {
        protection::begins_in_texts(self) == Some(Protection::Encrypted)
    }

    /// Why no body of it is edited: readers do not agree on where one begins, or on the structure. What one of them shows
    /// after an edit is not what another shows.
    pub fn doubt(&self) -> Option<BodyError> {
        if self.parts.iter().any(|part| !part.has_separator) {
            return Some(BodyError::Separator);
        }
        self.parts.iter().any(|part| part.doubtful || part.contested).then_some(BodyError::Doubtful)
    }

    /// Why no block goes into it. What all readers take for the same parts, with the same texts, takes one: two fields that say
    /// different things of them, and a last part that was cut off in its header, are no doubt here.
    fn structural_doubt(&self) -> Option<BodyError> {
        let ends = |part: &Part| memchr::memchr(b'\n', self.raw.get(part.header.end..).unwrap_or_default()).is_none();
        let is_cut = |part: &Part| part.parent.is_some() && ends(part);
        if self.parts.iter().any(|part| !part.has_separator && !is_cut(part)) {
            return Some(BodyError::Separator);
        }
        self.parts.iter().any(|part| part.doubtful).then_some(BodyError::Doubtful)
    }

    /// True when nothing can stand behind its end: its last part was cut off in its header.
    fn is_cut_in_a_header(&self) -> bool {
        self.parts.last().is_some_and(|part| !part.has_separator)
    }

    /// True when all readers agree on where its header ends and on the lines of it, whatever they make of the rest.
    fn has_sure_header(&self) -> bool {
        self.part(PartId(0)).is_some_and(|root| root.has_separator && !scan::has_lone_cr(self.bytes(&root.header)))
    }

    /// Attachments, in document order: parts with a file name or an attachment disposition, and all that is no text
    /// body, no multipart, no signature and no inline image of a related part.
    pub fn attachments(&self) -> Vec<Attachment> {
        body::attachments(self)
    }

    /// The octets of a part, its transfer encoding undone; `None` where it cannot be, or there is no such part. Those of a
    /// part that is not encoded are borrowed.
    pub fn content(&self, id: PartId) -> Option<Cow<'a, [u8]>> {
        let part = self.part(id)?;
        transfer::decode(part.encoding, self.bytes(&part.body)).ok()
    }

    /// How reports name its parts: `1.2` is the second part of the first part of a multipart, `1` all of a message that is
    /// no multipart; empty for the multipart itself.
    pub fn part_names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.parts.len()];
        for (id, part) in self.parts.iter().enumerate() {
            for (nth, PartId(child)) in part.children.iter().enumerate() {
                let above = names.get(id).cloned().unwrap_or_default();
                let dot = if above.is_empty() { "" } else { "." };
                if let Some(name) = names.get_mut(*child) {
                    *name = format!("{above}{dot}{}", nth + 1);
                }
            }
        }
        if let ([first, ..], true) = (names.as_mut_slice(), self.parts.first().is_some_and(|p| p.children.is_empty())) {
            first.push('1');
        }
        names
    }

    /// Where new fields of a part go: on top of its header. `None` where a field put there would swallow or displace what
    /// follows: an empty message, one without a line end, or one that begins with white space and has no field.
    fn field_place(&self, id: PartId) -> Option<usize> {
        let part = self.part(id).filter(|_| !self.lone_cr)?;
        let at = part.header.start;
        match self.raw.get(at) {
            Some(b' ' | b'\t') => part.fields.first().map(|field| field.whole.start),
            Some(_) => Some(at),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{block, crlf, rewritten};
    use super::{Draft, Field, FieldName, Message, Place, header_of};

    #[test]
    fn the_header_alone_has_the_fields_of_the_message() {
        for raw in [
            "A: b\r\nC: d\r\n\r\nE: f\r\n",
            "A: b\nC: d\n e\n\nE: f\n",
            "A: b\nC: d\r\n\nE: f\n",
            "A: b\r\n\nE: f\r\n\r\n",
            "A: b\n no blank line",
            "\r\nA: b\r\n\r\nx",
            "\n\nA: b\n",
            "From me\nA: b\n\nx\n",
            "From me\n\nA: b\n\nx\n",
            "A: b\nno field\n\nx",
            "A: b\rC: d\r\rx",
            "A: b\r\n \r\n\t\r\nC: d\r\n\r\nx",
            "Content-Type: multipart/mixed; boundary=a\r\n--a\r\n\r\nx\r\n--a--\r\n",
            "",
        ] {
            let (header, whole) = (Message::parse(header_of(raw.as_bytes())), Message::parse(raw.as_bytes()));
            assert_eq!(header.fields(), whole.fields(), "{raw:?}");
            let alone = super::header_fields(raw.as_bytes());
            assert_eq!(alone, (whole.parts()[0].header.clone(), whole.fields().to_vec()), "{raw:?}");
        }
    }

    #[test]
    fn a_message_that_is_cut_off_in_the_header_of_its_last_part_takes_a_block() {
        let text = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n";
        let header = "Content-Type: image/png; name=\"a b.png\"\n\tx=y\nContent-Disposition: inline\n";
        for len in 0..=header.len() {
            let raw = crlf(&format!("{text}{}", &header[..len]));
            // A type without its second half is read as none.
            if raw.ends_with(b"image/") {
                continue;
            }
            let message = Message::parse(&raw);
            assert_eq!((message.doubt().is_some(), message.structural_doubt()), (true, None), "{len}");
            let mut draft = Draft::new(&message);
            assert_eq!(draft.insert(&block("5 €"), Place::End), Ok(1), "{len}");
            assert!(draft.put_beside(&block("5 €"), Place::End).is_err());
            draft.render().unwrap();
        }
        let raw = crlf(&format!("{text}no field\n\ntwo\n"));
        assert!(Message::parse(&raw).structural_doubt().is_some());
    }

    #[test]
    fn a_field_goes_above_the_first_where_white_space_stands_before_it() {
        let field = Field::new(FieldName::new("X-Note").unwrap(), "n").unwrap();
        let out = rewritten(" odd\nSubject: a\nTo: b\n\nx", |draft| assert!(draft.add_field(field)));
        assert_eq!(out, " odd\nX-Note: n\nSubject: a\nTo: b\n\nx");
    }
}
