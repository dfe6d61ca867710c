//! The draft as a rule sees it that looks everywhere: header values, file names, texts that are no bodies, attached
//! messages.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use super::draft::{BodyError, Draft};
use super::edits::Rendered;
use super::header::At;
use super::permitted::{FileKind, Permission, is_attached_message};
use super::text::PartText;
use super::text_edits::{TextEdit, TextEdits};
use super::{Field, FieldName, FieldText, ParameterText, PartId, long_lines};
use std::ops::Range;

/// A header field of the message or of one of its parts, as it stands now.
#[derive(Debug, Clone)]
pub struct Value<'m> {
    /// Whose field it is; part 0 is the message.
    pub part: PartId,
    /// Its name, as it is written.
    pub name: Cow<'m, str>,
    /// The raw value, folding included.
    pub raw: Cow<'m, [u8]>,
    at: At,
}

/// A part that holds text and is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Which part.
    pub part: PartId,
    /// How it is written.
    pub kind: FileKind,
    /// True for an alternative of the bodies, such as AMP or `text/enriched`: a reader sees it as one.
    pub is_alternative: bool,
    /// True for an invitation or an answer to one.
    pub is_calendar: bool,
}

/// What stands between the delimiters of a multipart and is no part of it (RFC 2046 §5.1.1).
#[derive(Debug, Clone)]
pub struct Gap<'m> {
    pub(super) range: Range<usize>,
    /// Its octets.
    pub text: Cow<'m, [u8]>,
}

impl<'m> Draft<'m> {
    /// Let rules edit more than bodies. Not to be taken back in this draft; a clone from before is without it.
    pub fn permit(&mut self, permission: Permission) {
        if !self.permitted.is_granted(permission) {
            self.permitted.granted.push(permission);
        }
    }

    /// The permissions of another draft, for a message that is attached to its own.
    pub fn permit_as(&mut self, other: &Draft<'_>) {
        self.permitted.granted.clone_from(&other.permitted.granted);
    }

    /// Header fields as they stand now: all of the message's, and those of its parts.
    pub fn fields_of(&self, part: PartId) -> Vec<Value<'m>> {
        let message = self.message();
        if part == PartId(0) {
            let values = self.header.all(message).into_iter();
            return values.map(|(at, name, raw)| Value { part, name, raw, at }).collect();
        }
        let Some(fields) = message.part(part).map(|part| &part.fields) else { return Vec::new() };
        let value = |(index, field): (usize, &super::FieldSpan)| Value {
            part,
            name: String::from_utf8_lossy(message.bytes(&field.name)),
            raw: match self.permitted.fields.get(&(part, index)) {
                Some(new) => Cow::Owned(new.clone()),
                None => Cow::Borrowed(message.bytes(&field.value)),
            },
            at: At::CameIn(index),
        };
        fields.iter().enumerate().map(value).collect()
    }

    /// Replace ranges of a value's text, as [`FieldText::read`] reads it. False where it cannot be written.
    pub fn edit_value(&mut self, value: &Value<'m>, edits: &[TextEdit]) -> bool {
        let line_end = self.message().line_end();
        match FieldText::read(&value.raw).edited(edits, line_end) {
            Some(raw) => self.put_value(value, without_blank_lines(raw, &value.raw)),
            None => false,
        }
    }

    /// Replace ranges of a file name in a value, one that [`ParameterText::read`] reads there; `value` is then as it stands
    /// now. False where it cannot be written.
    pub fn edit_name(&mut self, value: &mut Value<'m>, name: &ParameterText, edits: &[TextEdit]) -> bool {
        let line_end = self.message().line_end();
        let Some(edits) = name.edits(edits, line_end) else { return false };
        let mut raw = value.raw.to_vec();
        for edit in edits.into_iter().rev() {
            raw.splice(edit.range, edit.with);
        }
        let name = value.name.len() + 1;
        let raw = long_lines::folded(&raw, name, line_end).into_owned();
        if long_lines::is_too_long(&raw, name) {
            return false;
        }
        value.raw = Cow::Owned(raw.clone());
        self.put_value(value, raw)
    }

    /// Write a value anew, in folded lines. False where it cannot be written.
    pub fn write_value(&mut self, value: &Value<'m>, text: &str) -> bool {
        let field = FieldName::new(&value.name).and_then(|name| Field::new(name, text));
        let Ok(whole) = field.map(|field| field.encode(self.message().line_end())) else { return false };
        let raw = memchr::memchr(b':', &whole).and_then(|colon| whole.get(colon + 1..)).unwrap_or_default();
        self.put_value(value, raw.trim_ascii_end().to_vec())
    }

    /// Put a raw value in place of one; what is the caller's to keep legal. False where the header cannot be edited.
    pub fn put_value(&mut self, value: &Value<'m>, raw: Vec<u8>) -> bool {
        if value.part == PartId(0) {
            return self.takes_fields() && self.header.put_value(self.message(), value.at, &raw);
        }
        if self.message().doubt().is_some() {
            return false;
        }
        let At::CameIn(index) = value.at else { return false };
        if !self.permitted.is_granted(Permission::Names) {
            return false;
        }
        self.permitted.fields.insert((value.part, index), raw);
        true
    }

    /// The texts that are no bodies, in the order of parts; none where the message is protected, but for invitations.
    pub fn files(&self) -> Vec<File> {
        let file = |text: &super::permitted::FileText<'m>| File {
            part: text.body.part,
            kind: text.kind,
            is_alternative: text.is_alternative,
            is_calendar: text.is_calendar,
        };
        self.permitted.texts.iter().filter(|text| !self.surgery.is_gone(text.body.part)).map(file).collect()
    }

    fn file(&self, part: PartId) -> Result<&PartText<'m>, BodyError> {
        let file = self.permitted.index(part).and_then(|i| self.permitted.texts.get(i)).ok_or(BodyError::Encoding)?;
        let read = || {
            let part = self.message().part(file.body.part).ok_or(BodyError::Encoding)?;
            PartText::read(self.message(), part, file.body.kind).map(Arc::new)
        };
        file.text.get_or_init(read).as_deref().map_err(|error| *error)
    }

    /// The current text of a file, decoded.
    pub fn file_text(&self, part: PartId) -> Result<&str, BodyError> {
        self.file(part).map(PartText::current)
    }

    /// Replace ranges of the current text of a file; `edits` are in order and apart. All or none.
    pub fn edit_file(&mut self, part: PartId, edits: impl Into<TextEdits>) -> Result<(), BodyError> {
        let edits = edits.into();
        if edits.is_empty() {
            return Ok(());
        }
        if let Some(doubt) = self.message().doubt() {
            return Err(doubt);
        }
        let text = self.file(part)?.edited(&edits).ok_or(BodyError::Range)?;
        drop(edits);
        text.raw_edits(self.message(), part)?;
        if let Some(file) = self.permitted.index(part).and_then(|i| self.permitted.texts.get_mut(i)) {
            file.text = OnceLock::from(Ok(Arc::new(text)));
        }
        Ok(())
    }

    /// What stands before the first part of a multipart and behind the last, where it is not empty, as it stands now.
    pub fn gaps(&self) -> Vec<Gap<'m>> {
        self.permitted.gaps(self.message())
    }

    /// Put new text in place of such a gap, its lines wrapped where they are too long for the wire: nothing says how it is
    /// encoded. False where the message cannot be edited.
    pub fn edit_gap(&mut self, gap: &Gap<'m>, text: &[u8]) -> bool {
        let fits = self.message().doubt().is_none() && self.protection().is_none();
        if fits {
            let text = long_lines::wrapped(text, self.message().line_end()).into_owned();
            self.permitted.gaps.insert(gap.range.start, (gap.range.clone(), text));
        }
        fits
    }

    /// The messages that are attached.
    pub fn attached_messages(&self) -> Vec<PartId> {
        let parts = self.message().parts().iter().enumerate();
        let is_there =
            |(id, part): &(usize, &super::Part)| is_attached_message(part) && !self.surgery.is_gone(PartId(*id));
        parts.filter(is_there).map(|(id, _)| PartId(id)).collect()
    }

    /// The bytes of an attached message as they stand now; `None` where they cannot be edited in place.
    pub fn attached_bytes(&self, part: PartId) -> Option<Cow<'m, [u8]>> {
        self.permitted.attached_bytes(self.message(), part)
    }

    /// Put a rewritten attached message in its place; `rendered` is of what [`Self::attached_bytes`] gave.
    pub fn put_attached(&mut self, part: PartId, rendered: &Rendered<'_>) {
        let message = self.message();
        self.permitted.put_attached(message, part, rendered);
    }
}

/// A value without folded lines that hold nothing but white space, where it had none before: the header would end there
/// for some readers (RFC 5322 §3.2.2).
fn without_blank_lines(raw: Vec<u8>, before: &[u8]) -> Vec<u8> {
    let has_blank = |raw: &[u8]| raw.split(|b| *b == b'\n').skip(1).any(|line| line.trim_ascii().is_empty());
    if !has_blank(&raw) || has_blank(before) {
        return raw;
    }
    let lines = raw.split_inclusive(|b| *b == b'\n').enumerate();
    let mut kept: Vec<u8> = lines
        .filter(|(nth, line)| *nth == 0 || !line.trim_ascii().is_empty())
        .flat_map(|(_, line)| line)
        .copied()
        .collect();
    while kept.last().is_some_and(|b| matches!(b, b'\r' | b'\n')) {
        kept.pop();
    }
    kept
}
