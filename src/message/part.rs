//! What a part is: its type, its transfer encoding, its place on the screen.

use std::ops::Range;

use super::structured::Structured;
use super::{FieldSpan, PartId, mime_field};

/// `Content-Transfer-Encoding` (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, `8bit`, `binary`, or none.
    Identity,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `base64`.
    Base64,
    /// Anything else: the part cannot be read.
    Unknown,
}

/// `Content-Disposition` (RFC 2183).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// `inline`, or anything that is not `attachment`.
    Inline,
    /// `attachment`.
    Attachment,
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
    /// `format=flowed` (RFC 3676).
    pub flowed: bool,
    /// `delsp=yes` (RFC 3676 §4): the space before a soft line break is no part of the text.
    pub delsp: bool,
    /// True when readers do not agree on what this part is: its text is left alone.
    pub doubtful: bool,
    /// True when two of its fields say different things, of the same structure: readers that take the last for the first see
    /// the same parts, and a text where it is one. A block goes in by the first; nothing else is edited.
    pub contested: bool,
    /// True when that is so of its transfer encoding.
    pub contested_encoding: bool,
    /// `smime-type` of `application/pkcs7-mime` (RFC 8551), lower case.
    pub smime_type: Option<String>,
    /// `method` of `text/calendar` (RFC 5546), lower case.
    pub method: Option<String>,
    /// True when it says that it holds header fields of its own that are signed with it (RFC 9788 `hp`, or
    /// `protected-headers` as older programs write it).
    pub protects_header: bool,
}

/// A Content-Type or Content-Disposition field longer than this, in octets, is not taken apart: mail-parser puts the pieces
/// of parameters (RFC 2231 §3) together in quadratic time.
const MAX_VALUE: usize = 16_384;

impl Part {
    /// True for `multipart/*`, whether it can be taken apart or not.
    pub fn is_multipart(&self) -> bool {
        self.media_type.starts_with("multipart/")
    }

    /// True for `text/*`.
    pub fn is_text(&self) -> bool {
        self.media_type.starts_with("text/")
    }
}

/// A part from its header fields; of several fields of one name the first counts, as in most clients.
pub(super) fn read(raw: &[u8], fields: Vec<FieldSpan>, default_type: &str) -> Part {
    let mut part = Part {
        parent: None,
        children: Vec::new(),
        fields: Vec::new(),
        header: 0..0,
        body: 0..0,
        has_separator: false,
        media_type: String::new(),
        charset: None,
        encoding: TransferEncoding::Identity,
        disposition: None,
        file_name: None,
        boundary: None,
        flowed: false,
        delsp: false,
        smime_type: None,
        method: None,
        protects_header: false,
        doubtful: false,
        contested: false,
        contested_encoding: false,
    };
    let (mut content_type, mut disposition, mut encoding) = (None::<&FieldSpan>, None, None);
    let mut second_disposition = false;
    for field in &fields {
        // "Content-" is rare enough to make this the only comparison for most fields.
        let name = raw.get(field.name.clone()).unwrap_or_default();
        if !name.get(..8).is_some_and(|n| n.eq_ignore_ascii_case(b"content-")) {
            continue;
        }
        let (slot, which) = match name.get(8..) {
            Some(n) if n.eq_ignore_ascii_case(b"type") => (&mut content_type, Mime::Type),
            Some(n) if n.eq_ignore_ascii_case(b"disposition") => (&mut disposition, Mime::Disposition),
            Some(n) if n.eq_ignore_ascii_case(b"transfer-encoding") => (&mut encoding, Mime::Encoding),
            _ => continue,
        };
        if let Some(first) = slot.filter(|first| !same_value(raw, first, field)) {
            match which {
                Mime::Type if same_structure(raw, first, field) => part.contested = true,
                Mime::Type => part.doubtful = true,
                Mime::Disposition => second_disposition = true,
                Mime::Encoding => {
                    let of = |field: &FieldSpan| transfer_encoding(raw.get(field.value.clone()).unwrap_or_default());
                    part.contested_encoding |= of(first) != of(field);
                }
            }
        }
        slot.get_or_insert(field);
        // White space before the colon: some readers do not see such a field.
        part.doubtful |= raw.get(field.name.end) != Some(&b':') || field.whole.len() > MAX_VALUE;
    }
    let value = content_type.and_then(|f| structured(raw, f));
    if let Some(value) = &value {
        part.media_type = value.media_type();
        let parameter = |name: &str| value.parameter(name);
        part.charset = parameter("charset").map(|c| c.trim_matches(['"', '\'']).to_lowercase());
        part.boundary = parameter("boundary").map(|b| b.as_bytes().to_vec());
        part.file_name = parameter("name").map(str::to_owned);
        part.flowed = parameter("format").is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
        part.delsp = parameter("delsp").is_some_and(|d| d.eq_ignore_ascii_case("yes"));
        part.smime_type = parameter("smime-type").map(str::to_lowercase);
        part.method = parameter("method").map(str::to_lowercase);
        part.protects_header = parameter("hp").is_some() || parameter("protected-headers").is_some();
    }
    if let Some(field) = content_type.filter(|_| !matches!(value, Some(Structured::Plain(_)))) {
        part.doubtful |= reads_differently(raw.get(field.value.clone()).unwrap_or_default(), &part);
    }
    if part.media_type.is_empty() {
        default_type.clone_into(&mut part.media_type);
    }
    part.contested |= part.contested_encoding;
    if second_disposition {
        // Whether a file is one does not matter to the texts beside it.
        let is_file = !part.is_text() && !part.is_multipart() && !part.media_type.starts_with("message/");
        *(if is_file { &mut part.contested } else { &mut part.doubtful }) = true;
    }
    if let Some(value) = disposition.and_then(|f| structured(raw, f)) {
        let attachment = value.is("attachment");
        part.disposition = Some(if attachment { Disposition::Attachment } else { Disposition::Inline });
        if let Some(name) = value.parameter("filename") {
            part.file_name = Some(name.to_owned());
        }
    }
    if let Some(field) = encoding {
        part.encoding = transfer_encoding(raw.get(field.value.clone()).unwrap_or_default());
    }
    part.fields = fields;
    part
}

/// The fields that say what a part is.
#[derive(Clone, Copy)]
enum Mime {
    Type,
    Disposition,
    Encoding,
}

/// Whether two Content-Type fields come to the same structure: both say it is a text that is shown, or the same multipart, or
/// both the same other thing.
fn same_structure(raw: &[u8], first: &FieldSpan, second: &FieldSpan) -> bool {
    let (Some(first @ Structured::Plain(_)), Some(second @ Structured::Plain(_))) =
        (structured(raw, first), structured(raw, second))
    else {
        return false;
    };
    let (a, b) = (first.media_type(), second.media_type());
    let same = |name: &str| first.parameter(name) == second.parameter(name);
    let both = |types: &[&str]| types.contains(&&*a) && types.contains(&&*b);
    if a.starts_with("multipart/") || b.starts_with("multipart/") {
        let plain = ["multipart/mixed", "multipart/alternative", "multipart/related"];
        return both(&plain) && first.parameter("boundary").is_some() && same("boundary");
    }
    both(&["text/plain", "text/html"]) && same("name")
        || a == b && !a.starts_with("text/") && !a.starts_with("message/")
}

/// The same value twice is no doubt.
fn same_value(raw: &[u8], a: &FieldSpan, b: &FieldSpan) -> bool {
    let value = |field: &FieldSpan| raw.get(field.value.clone()).unwrap_or_default().trim_ascii();
    value(a).eq_ignore_ascii_case(value(b))
}

/// Read a Content-Type value once more, as simple readers do: the type up to the first `;`, the boundary without comments
/// and folding. True when it comes to another structure than `part`.
fn reads_differently(value: &[u8], part: &Part) -> bool {
    // QUIRK: readers that see no type here, for a comment or a missing `;`, show no text: nothing to put a block into.
    let end = mime_field::type_end(value).or_else(|| memchr::memchr(b';', value)).unwrap_or(value.len());
    let simple = value.get(..end).unwrap_or_default().trim_ascii().to_ascii_lowercase();
    let bare = simple.split(|b| b.is_ascii_whitespace() || *b == b'(').next().unwrap_or_default();
    let behind = simple.get(bare.len()..).unwrap_or_default().trim_ascii_start();
    let simple: &[u8] = match &simple {
        simple if memchr::memchr_iter(b'/', simple).count() != 1 => b"text/plain",
        // A comment behind the type of a multipart: to readers that take it for a piece of the subtype, it is a multipart
        // still.
        _ if part.is_multipart() && bare == part.media_type.as_bytes() && behind.starts_with(b"(") => bare,
        simple => simple,
    };
    let media_type = if part.media_type.is_empty() { "text/plain" } else { &part.media_type };
    let matters = |t: &[u8]| t.starts_with(b"text/") || t.starts_with(b"multipart/");
    if simple != media_type.as_bytes() && (matters(simple) || matters(media_type.as_bytes())) {
        return true;
    }
    if !part.is_multipart() {
        return false;
    }
    let range = mime_field::parameter(value, b"boundary");
    if range.is_none() && part.boundary.is_none() {
        // All agree that it cannot be taken apart.
        return false;
    }
    if range.is_none() {
        return part.boundary != boundary_of_pieces(value);
    }
    let in_pieces = |name: &&[u8]| mime_field::parameter(value, name).is_some();
    if [&b"boundary*"[..], b"boundary*0", b"boundary*0*"].iter().any(in_pieces) {
        return true;
    }
    let behind = range.as_ref().and_then(|r| value.get(r.end..)).unwrap_or_default().trim_ascii_start();
    if !behind.is_empty() && !behind.starts_with(b";") {
        return true;
    }
    let value = range.and_then(|r| value.get(r)).unwrap_or_default();
    let bare = |value: &[u8]| value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value).to_vec();
    let second = mime_field::parameter(behind, b"boundary").and_then(|second| behind.get(second));
    if second.is_some_and(|second| bare(second) != bare(value)) {
        return true;
    }
    let inner = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\""));
    let odd: &[u8] = if inner.is_some() { b"\"\\" } else { b"\"\\()" };
    let boundary = inner.unwrap_or(value);
    part.boundary.as_deref() != Some(boundary) || boundary.iter().any(|b| !(b' '..=b'~').contains(b) || odd.contains(b))
}

/// A boundary in pieces (RFC 2231 §3). Readers that do not put them together see no parts at all, so none sees other parts.
/// `None` where one is encoded, or has signs that not all read alike.
fn boundary_of_pieces(value: &[u8]) -> Option<Vec<u8>> {
    let mut boundary = Vec::new();
    for piece in 0..=MAX_BOUNDARY {
        let Some(range) = mime_field::parameter(value, format!("boundary*{piece}").as_bytes()) else { break };
        let behind = value.get(range.end..).unwrap_or_default().trim_ascii_start();
        let text = value.get(range).unwrap_or_default();
        let text = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(text);
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"'+_,-./:=?".contains(b);
        if !text.iter().all(is_plain) || !(behind.is_empty() || behind.starts_with(b";")) {
            return None;
        }
        boundary.extend_from_slice(text);
    }
    let odd = |name: &str| mime_field::parameter(value, name.as_bytes()).is_some();
    let fits = (1..=MAX_BOUNDARY).contains(&boundary.len());
    (fits && !odd("boundary*") && !odd("boundary*0*") && !odd("boundary*1*")).then_some(boundary)
}

/// Octets of a boundary (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;

fn structured<'r>(raw: &'r [u8], field: &FieldSpan) -> Option<Structured<'r>> {
    let value = raw.get(field.value.start..field.whole.end).filter(|_| field.whole.len() <= MAX_VALUE)?;
    Structured::of(value)
}

fn transfer_encoding(value: &[u8]) -> TransferEncoding {
    let value = value.trim_ascii();
    // QUIRK: with a comment or a parameter behind it, some readers know the encoding and some do not.
    let is = |name: &str| value.eq_ignore_ascii_case(name.as_bytes());
    if is("base64") {
        TransferEncoding::Base64
    } else if is("quoted-printable") {
        TransferEncoding::QuotedPrintable
    } else if value.is_empty() || is_identity(value) {
        TransferEncoding::Identity
    } else {
        TransferEncoding::Unknown
    }
}

/// QUIRK: `8bit;`, `7bit (a comment)`, `"7bit"`. Readers that do not know the encoding take the text as it is, which is what
/// those that know it do.
fn is_identity(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let len = value.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let (word, behind) = value.split_at(len);
    let behind = behind.strip_prefix(b"\"").unwrap_or(behind).trim_ascii_start();
    let known = [&b"7bit"[..], b"8bit", b"binary"].iter().any(|name| word.eq_ignore_ascii_case(name));
    known && (behind.is_empty() || behind.starts_with(b";") || behind.starts_with(b"("))
}

#[cfg(test)]
mod tests {
    use super::super::testing::crlf;
    use super::super::{BodyError, Message};
    use super::MAX_VALUE;

    #[test]
    fn what_all_take_as_it_is_has_no_encoding() {
        for (value, identity) in [
            ("8bit", true),
            (" 7BIT;", true),
            ("\"7bit\"", true),
            ("binary (really)", true),
            ("8-bit", false),
            ("7bit base64", false),
            ("7bit, base64", false),
            ("base64;", false),
            ("x-7bit", false),
        ] {
            let is = super::transfer_encoding(value.as_bytes()) == super::TransferEncoding::Identity;
            assert_eq!(is, identity, "{value}");
        }
    }

    #[test]
    fn a_plain_content_type_is_no_doubt_to_simple_readers() {
        for value in [
            "text/plain; charset=utf-8; format=flowed;",
            "TEXT/HTML;\r\n\tcharset=\"iso-8859-1\"",
            "multipart/mixed; boundary=a-b_c.d+e:f/g",
            "multipart/mixed; boundary=\"----=_(a) b?c;d\"; type=\"text/html\"",
            "multipart/mixed; name=x",
            "application/pdf ; name=\"a/b\"",
            "text",
        ] {
            let raw = format!("Content-Type: {value}\r\n\r\nx");
            let message = Message::parse(raw.as_bytes());
            let part = &message.parts()[0];
            assert!(super::Structured::of(value.as_bytes()).is_some_and(|v| matches!(v, super::Structured::Plain(_))));
            assert!(!super::reads_differently(value.as_bytes(), part), "{value}");
        }
    }

    #[test]
    fn two_fields_that_come_to_the_same_parts_are_contested_and_others_are_doubtful() {
        let contested = [
            "Content-Type: text/plain; charset=utf-8\nContent-Type: text/html",
            "Content-Type: multipart/mixed; boundary=b\nContent-Type: multipart/alternative; boundary=\"b\"",
            "Content-Type: image/png; name=a.png\nContent-Type: image/png; name=b.png",
            "Content-Type: image/png\nContent-Disposition: inline\nContent-Disposition: attachment",
            "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 8bit",
        ];
        let doubtful = [
            "Content-Type: text/plain\nContent-Type: text/plain; name=a.txt",
            "Content-Type: text/plain\nContent-Type: text/calendar",
            "Content-Type: text/html\nContent-Type: image/png",
            "Content-Type: text/plain\nContent-Type: text/plain (comment)",
            "Content-Type: multipart/mixed; boundary=a\nContent-Type: multipart/mixed; boundary=b",
            "Content-Type: multipart/mixed; boundary=b\nContent-Type: multipart/signed; boundary=b",
            "Content-Type: multipart/mixed\nContent-Type: multipart/mixed; x=y",
            "Content-Disposition: inline\nContent-Disposition: attachment",
        ];
        let sure = ["Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: 8bit", "Content-Type: text/html"];
        for (headers, expected) in
            [(&contested[..], (true, false)), (&doubtful, (false, true)), (&sure, (false, false))]
        {
            for header in headers {
                let raw = crlf(&format!("{header}\n\nx"));
                let message = Message::parse(&raw);
                let part = &message.parts()[0];
                assert_eq!((part.contested, part.doubtful), expected, "{header}");
                assert_eq!(message.doubt().is_some(), part.contested || part.doubtful);
            }
        }
    }

    #[test]
    fn a_content_type_of_endless_pieces_is_left_alone() {
        let pieces = |count: usize| (0..count).map(|n| format!("; name*{n}=x")).collect::<Vec<_>>().concat();
        let parse = |count| format!("Content-Type: text/html{}\r\n\r\nx", pieces(count));
        let short = parse(100);
        let message = Message::parse(short.as_bytes());
        assert_eq!((message.parts()[0].media_type.as_str(), message.doubt()), ("text/html", None));
        let long = parse(MAX_VALUE / 10);
        assert_eq!(Message::parse(long.as_bytes()).doubt(), Some(BodyError::Doubtful));
    }
}
