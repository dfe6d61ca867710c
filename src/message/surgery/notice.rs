//! The notice that stands in the place of an attachment.
//!
//! A small text part with a file name, so that it is shown as a file and is no body that other rules edit. A second run
//! knows it by a field of its own and by its form. Whoever writes such a field himself hides a short text from the rules on
//! attachments, nothing else: what is not `text/plain`, not small or not named `.txt` is no notice.

use std::fmt::Write as _;

use bytes::Bytes;

use super::super::edits::Edit;
use super::super::part::{Part, TransferEncoding};
use super::super::transfer::{self, with_line_end};
use super::super::{LineEnd, Message, PartId};
use crate::percent::{self, IN_PARAMETER};

/// The field that a notice is known by.
pub(in crate::message) const FIELD: &str = "X-Mailwright-Notice";
/// Its value.
const VALUE: &[u8] = b"attachment";
/// Octets of the longest notice, encoded.
const MAX_NOTICE: usize = 16_384;
/// Octets of a line of a notice that is not encoded (RFC 5322 §2.1.1 has 998).
const MAX_TEXT_LINE: usize = 300;
/// Fields that say how to read the message, which a notice in its place has of its own.
pub(super) const FIELDS: &[&[u8]] =
    &[b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding", b"Content-Disposition", FIELD.as_bytes()];
/// Fields of what was there: they say nothing of the notice.
pub(super) const DROPPED: &[&[u8]] = &[
    b"Content-Description",
    b"Content-ID",
    b"Content-Location",
    b"Content-MD5",
    b"Content-Duration",
    b"X-Attachment-Id",
];

/// A notice, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `text/plain`, lines parted by `\n`.
    text: String,
    /// Printable ASCII without quotes, ends in `.txt`.
    file_name: String,
    /// The same where it needs RFC 2231.
    wide_name: Option<String>,
}

impl Notice {
    /// A notice with this text, as a file called `name` and `.txt`. `None` where it is too long.
    pub fn new(text: &str, name: &str) -> Option<Self> {
        let name = super::tame(name);
        let name = if name.is_empty() { "attachment".to_owned() } else { name };
        let ascii: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        let wide_name = (ascii != name).then(|| format!("{}.txt", percent::encoded(&name, IN_PARAMETER)));
        let text = format!("{}\n", text.trim_end_matches('\n'));
        let notice = Self { text, file_name: format!("{ascii}.txt"), wide_name };
        (notice.body(LineEnd::CrLf).1.len() <= MAX_NOTICE).then_some(notice)
    }

    /// Its body, encoded.
    fn body(&self, line_end: LineEnd) -> (&'static str, Vec<u8>) {
        let bytes = with_line_end(self.text.replace('\n', "\r\n").into_bytes(), line_end);
        // In base64 no line of it can be a delimiter.
        if self.text.contains("--") {
            return ("base64", transfer::encode_base64(&bytes, line_end).1);
        }
        let clean = self.text.bytes().all(|b| b == b'\n' || b == b'\t' || b == b' ' || b.is_ascii_graphic());
        if clean && self.text.lines().all(|line| line.len() <= MAX_TEXT_LINE && !line.starts_with("From ")) {
            return ("7bit", bytes);
        }
        match transfer::encode(&bytes, line_end) {
            (TransferEncoding::QuotedPrintable, encoded) => ("quoted-printable", encoded),
            (_, encoded) => ("base64", encoded),
        }
    }

    fn fields(&self, encoding: &str) -> String {
        let mut fields = format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\
             Content-Disposition: inline; filename=\"{}\"",
            self.file_name
        );
        if let Some(wide) = &self.wide_name {
            let _ = write!(fields, ";\r\n\tfilename*=utf-8''{wide}");
        }
        let _ = write!(fields, "\r\n{FIELD}: attachment\r\n");
        fields
    }

    /// The part: header, blank line, body. `ended`: a line end follows it.
    pub(in crate::message) fn entity(&self, line_end: LineEnd, ended: bool) -> Vec<u8> {
        let (encoding, mut body) = self.body(line_end);
        let newline = line_end.as_bytes();
        while body.ends_with(newline) {
            body.truncate(body.len() - newline.len());
        }
        if !ended {
            body.extend_from_slice(newline);
        }
        let mut out = with_line_end(format!("{}\r\n", self.fields(encoding)).into_bytes(), line_end);
        out.extend(body);
        out
    }

    /// The edits that put it in the place of a message that is an attachment itself. `None` where no field can be put in.
    pub(super) fn replacing(&self, message: &Message<'_>) -> Option<Vec<Edit>> {
        let root = message.part(PartId(0))?;
        let top = message.field_place(PartId(0))?;
        let (encoding, body) = self.body(message.line_end());
        let is = |name: &[u8], list: &[&[u8]]| list.iter().any(|field| field.eq_ignore_ascii_case(name));
        let mut edits = Vec::new();
        let mut has_version = false;
        for field in &root.fields {
            let name = message.bytes(&field.name);
            if name.eq_ignore_ascii_case(b"MIME-Version") {
                has_version = true;
            } else if is(name, FIELDS) || is(name, DROPPED) {
                edits.push(Edit { range: field.whole.clone(), with: Bytes::new() });
            }
        }
        let version = if has_version { "" } else { "MIME-Version: 1.0\r\n" };
        let fields = format!("{version}{}", self.fields(encoding));
        edits.push(Edit { range: top..top, with: with_line_end(fields.into_bytes(), message.line_end()).into() });
        edits.push(Edit { range: root.body.clone(), with: body.into() });
        Some(edits)
    }

    /// Is this part the notice?
    pub(super) fn is(&self, message: &Message<'_>, part: &Part) -> bool {
        let text = transfer::decode(part.encoding, message.bytes(&part.body));
        let line = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        is_notice(message, part) && text.is_ok_and(|text| line(&String::from_utf8_lossy(&text)) == line(&self.text))
    }
}

/// True for a notice, of whatever rule.
pub(in crate::message) fn is_notice(message: &Message<'_>, part: &Part) -> bool {
    part.media_type == "text/plain"
        && part.body.len() <= MAX_NOTICE + MAX_TEXT_LINE
        && part.encoding != TransferEncoding::Unknown
        && part
            .file_name
            .as_ref()
            .is_some_and(|name| name.to_lowercase().rsplit_once('.').is_some_and(|(_, end)| end == "txt"))
        && part.fields.iter().any(|field| {
            message.bytes(&field.name).eq_ignore_ascii_case(FIELD.as_bytes())
                && message.bytes(&field.value).trim_ascii() == VALUE
        })
}

/// In quotes as it is.
fn is_plain(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%' | '=' | '?')
}
