//! What a rule edits only where it was told to: attachments of text, invitations, file names, attached messages.
//!
//! Invariant: nothing here changes unless a rule asked for the permission first ([`super::Draft::permit`]), and what is
//! edited without one does not get past `verify.rs`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::body::{self, Body, BodyKind};
use super::draft::BodyError;
use super::edits::{Edit, Rendered, Slice};
use super::part::{Part, TransferEncoding};
use super::spellings::Gap;
use super::text::PartText;
use super::{Message, PartId};

/// What may be edited beyond the bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Attachments of text.
    Attachments,
    /// Invitations, and the bodies beside them.
    Calendar,
    /// Messages that are attached.
    AttachedMessages,
    /// File names and descriptions of parts.
    Names,
}

/// How a text that is no body is written, as far as an edit has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Text as it stands: plain, Markdown, logs, and what is not known.
    Plain,
    /// Comma- or tab-separated values (RFC 4180).
    Csv,
    /// JSON (RFC 8259).
    Json,
    /// HTML, AMP for mail.
    Html,
    /// XML.
    Xml,
    /// `text/enriched`, `text/richtext` (RFC 1896).
    Enriched,
    /// Folded content lines: iCalendar (RFC 5545), vCard (RFC 6350).
    Directory,
}

/// A part that holds text and is no body.
#[derive(Debug, Clone)]
pub(super) struct FileText<'m> {
    pub(super) body: Body,
    pub(super) kind: FileKind,
    /// The reader sees it beside the bodies: an alternative such as AMP or `text/enriched`.
    pub(super) is_alternative: bool,
    pub(super) is_calendar: bool,
    pub(super) text: OnceLock<Result<Arc<PartText<'m>>, BodyError>>,
}

/// A message that is attached, on its way through the rules.
#[derive(Debug, Clone)]
pub(super) struct Attached {
    /// What it is now.
    bytes: Arc<[u8]>,
    /// The edits of the raw message that bring it about.
    edits: Vec<Edit>,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Permitted<'m> {
    /// In the order of parts.
    pub(super) texts: Vec<FileText<'m>>,
    /// New raw values of fields of parts: by part and index of the field.
    pub(super) fields: BTreeMap<(PartId, usize), Vec<u8>>,
    pub(super) attached: BTreeMap<PartId, Attached>,
    /// New octets of what stands between parts, by where it begins.
    pub(super) gaps: BTreeMap<usize, (Range<usize>, Vec<u8>)>,
    pub(super) granted: Vec<Permission>,
}

impl<'m> Permitted<'m> {
    pub(super) fn of(message: &Message<'m>) -> Self {
        let text = |(id, part): (usize, &Part)| {
            let kind = file_kind(part)?;
            let written = if matches!(kind, FileKind::Html | FileKind::Xml) { BodyKind::Html } else { BodyKind::Plain };
            Some(FileText {
                body: Body { part: PartId(id), kind: written },
                kind,
                is_alternative: is_alternative(message, part),
                is_calendar: part.media_type == "text/calendar",
                text: OnceLock::new(),
            })
        };
        let texts = message.parts().iter().enumerate().filter_map(text).collect();
        Self { texts, ..Self::default() }
    }

    pub(super) fn is_granted(&self, permission: Permission) -> bool {
        self.granted.contains(&permission)
    }

    /// A part is gone: what was edited of it counts no longer.
    pub(super) fn forget(&mut self, id: PartId) {
        self.fields.retain(|(part, _), _| *part != id);
        self.attached.remove(&id);
        if let Some(file) = self.index(id).and_then(|i| self.texts.get_mut(i)) {
            file.text = OnceLock::new();
        }
    }

    pub(super) fn is_unchanged(&self) -> bool {
        self.fields.is_empty()
            && self.attached.is_empty()
            && self.gaps.is_empty()
            && self.edited_texts().next().is_none()
    }

    pub(super) fn index(&self, part: PartId) -> Option<usize> {
        self.texts.binary_search_by_key(&part, |text| text.body.part).ok()
    }

    pub(super) fn edited_texts(&self) -> impl Iterator<Item = (&FileText<'m>, &PartText<'m>)> {
        self.texts.iter().filter_map(|file| {
            let text = file.text.get()?.as_deref().ok()?;
            text.is_edited().then_some((file, text))
        })
    }

    /// The bytes of an attached message as they stand now; `None` for what is no message, or cannot be edited in place
    /// (RFC 2046 §5.2.1 allows it no transfer encoding).
    pub(super) fn attached_bytes(&self, message: &Message<'m>, id: PartId) -> Option<Cow<'m, [u8]>> {
        let part = message.part(id)?;
        if !is_attached_message(part) || part.encoding != TransferEncoding::Identity {
            return None;
        }
        Some(match self.attached.get(&id) {
            Some(attached) => Cow::Owned(attached.bytes.to_vec()),
            None => Cow::Borrowed(message.bytes(&part.body)),
        })
    }

    /// Put a rewritten attached message in place; `rendered` is of what [`Self::attached_bytes`] gave.
    pub(super) fn put_attached(&mut self, message: &Message<'m>, id: PartId, rendered: &Rendered<'_>) {
        let Some(part) = message.part(id) else { return };
        let bytes: Arc<[u8]> = rendered.to_vec().into();
        let edits = if self.attached.contains_key(&id) {
            // Edits of edits: the whole from the first octet that differs to the last.
            vec![difference(message.bytes(&part.body), &bytes, part.body.start)]
        } else {
            let new = rendered.parts().iter().filter_map(|slice| match slice {
                Slice::New(with, range) => {
                    let range = range.start + part.body.start..range.end + part.body.start;
                    Some(Edit { range, with: with.clone() })
                }
                Slice::Kept(_) => None,
            });
            new.collect()
        };
        self.attached.insert(id, Attached { bytes, edits });
    }

    /// The edits of header fields of parts and of attached messages.
    pub(super) fn edits(&self, message: &Message<'_>) -> Vec<Edit> {
        let mut edits: Vec<Edit> = self.attached.values().flat_map(|attached| attached.edits.clone()).collect();
        edits.extend(self.gaps.values().map(|(range, with)| Edit { range: range.clone(), with: with.clone().into() }));
        for ((part, index), value) in &self.fields {
            let field = message.part(*part).and_then(|part| part.fields.get(*index));
            if let Some(field) = field {
                edits.push(Edit { range: field.value.clone(), with: value.clone().into() });
            }
        }
        edits
    }

    /// What stands before the first part of a multipart and behind the last.
    pub(super) fn gaps(&self, message: &Message<'m>) -> Vec<Gap<'m>> {
        let gap = |range: Range<usize>| {
            let text = match self.gaps.get(&range.start) {
                Some((_, new)) => Cow::Owned(new.clone()),
                None => Cow::Borrowed(message.bytes(&range)),
            };
            (!text.trim_ascii().is_empty()).then_some(Gap { range, text })
        };
        message.parts().iter().flat_map(|part| ranges_between(message, part)).filter_map(gap).collect()
    }

    /// What a rule made of an attached message.
    pub(super) fn rewritten(&self, id: PartId) -> Option<Arc<[u8]>> {
        self.attached.get(&id).map(|attached| Arc::clone(&attached.bytes))
    }

    /// Is `bytes` what became of this attached message?
    pub(super) fn is_attached(&self, id: PartId, bytes: &[u8]) -> bool {
        self.attached.get(&id).is_some_and(|attached| *attached.bytes == *bytes)
    }
}

/// Preamble and epilogue of a multipart that has parts.
fn ranges_between(message: &Message<'_>, part: &Part) -> Vec<Range<usize>> {
    let child = |id: Option<&PartId>| id.and_then(|id| message.part(*id));
    let (Some(first), Some(last)) = (child(part.children.first()), child(part.children.last())) else {
        return Vec::new();
    };
    let before = message.bytes(&(part.body.start..first.header.start));
    // The delimiter line is the last one before the first part.
    let line = before.strip_suffix(b"\n").unwrap_or(before);
    let preamble = memchr::memrchr(b'\n', line).map_or(0, |at| at + 1);
    let behind = message.bytes(&(last.body.end..part.body.end));
    let delimiter = memchr::memmem::find(behind, b"--").unwrap_or(behind.len());
    let line = behind.get(delimiter..).and_then(|rest| memchr::memchr(b'\n', rest));
    let epilogue = line.map_or(part.body.end, |at| last.body.end + delimiter + at + 1);
    vec![part.body.start..part.body.start + preamble, epilogue..part.body.end.max(epilogue)]
}

fn difference(old: &[u8], new: &[u8], offset: usize) -> Edit {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.get(start..).unwrap_or_default(), new.get(start..).unwrap_or_default());
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let with = new_rest.get(..new_rest.len() - end).unwrap_or_default().to_vec();
    Edit { range: offset + start..offset + old.len() - end, with: with.into() }
}

pub(super) fn is_attached_message(part: &Part) -> bool {
    matches!(part.media_type.as_str(), "message/rfc822" | "message/global" | "message/news")
}

/// Shown in place of, or beside, the bodies: not as a file.
fn is_alternative(message: &Message<'_>, part: &Part) -> bool {
    let parent = part.parent.and_then(|id| message.part(id));
    part.disposition != Some(super::Disposition::Attachment)
        && part.file_name.is_none()
        && (part.media_type == "text/enriched"
            || part.media_type == "text/richtext"
            || parent.is_some_and(|parent| parent.media_type == "multipart/alternative"))
}

/// How the text of a part is written; `None` for bodies and for what holds no text.
fn file_kind(part: &Part) -> Option<FileKind> {
    if part.is_multipart() || body::is_body(part) {
        return None;
    }
    let by_name = || {
        let extension = part.file_name.as_deref()?.rsplit_once('.')?.1.to_ascii_lowercase();
        Some(match extension.as_str() {
            "csv" | "tsv" | "tab" => FileKind::Csv,
            "json" | "jsonl" | "ndjson" | "geojson" => FileKind::Json,
            "html" | "htm" | "xhtml" => FileKind::Html,
            "xml" | "svg" => FileKind::Xml,
            "ics" | "ical" | "vcf" | "vcard" | "ifb" => FileKind::Directory,
            "txt" | "log" | "md" | "markdown" | "text" | "yaml" | "yml" | "ini" | "conf" | "cfg" | "toml" | "sql"
            | "env" | "properties" | "pem" | "key" | "sh" | "py" | "js" | "ts" | "diff" | "patch" | "asc" | "tex"
            | "rst" | "adoc" | "org" => FileKind::Plain,
            _ => return None,
        })
    };
    match part.media_type.as_str() {
        "text/csv" | "text/tab-separated-values" | "application/csv" => Some(FileKind::Csv),
        "application/json" | "text/json" | "application/x-ndjson" | "application/ld+json" => Some(FileKind::Json),
        "text/html" | "text/x-amp-html" | "application/xhtml+xml" => Some(FileKind::Html),
        "text/xml" | "application/xml" | "image/svg+xml" => Some(FileKind::Xml),
        "text/enriched" | "text/richtext" => Some(FileKind::Enriched),
        "text/calendar" | "text/vcard" | "text/x-vcard" | "text/directory" | "application/ics" | "text/x-vcalendar" => {
            Some(FileKind::Directory)
        }
        "text/rtf" => None,
        "application/octet-stream" | "application/x-unknown" | "application/vnd.ms-excel" => by_name(),
        "application/x-yaml"
        | "application/yaml"
        | "application/toml"
        | "application/sql"
        | "application/javascript"
        | "application/x-sh"
        | "application/x-pem-file" => Some(FileKind::Plain),
        media_type if media_type.ends_with("+json") => Some(FileKind::Json),
        media_type if media_type.ends_with("+xml") => Some(FileKind::Xml),
        media_type if media_type.starts_with("text/") => Some(by_name().unwrap_or(FileKind::Plain)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_of_two_texts_is_one_edit() {
        let edit = |old: &str, new: &str| difference(old.as_bytes(), new.as_bytes(), 10);
        assert_eq!(edit("abcd", "abXd"), Edit { range: 12..13, with: b"X".to_vec().into() });
        assert_eq!(edit("aaa", "aaaa"), Edit { range: 13..13, with: b"a".to_vec().into() });
        assert_eq!(edit("aaaa", "aa"), Edit { range: 12..14, with: bytes::Bytes::new() });
    }
}
