//! Bodies that the wire does not take: encoded, or their encoded lines broken.

use encodify::base64;

use super::super::edits::Edit;
use super::super::part::{Part, TransferEncoding};
use super::super::protection::{begins_in_texts, by_type};
use super::super::transfer::{self, ENCODED_LINE, MAX_LINE, with_line_end};
use super::super::{Message, PartId, mime_field};
use super::proof::same_text;
use super::{Bits, Repair, Work};

/// What must not be written in another way.
pub(super) struct Guards {
    /// Inline PGP stands in a text.
    armored: bool,
}

impl Guards {
    pub fn of(message: &Message<'_>) -> Self {
        Self { armored: begins_in_texts(message).is_some() }
    }

    /// True for a part inside one that is signed, encrypted or a report: its header is part of what is protected.
    #[expect(clippy::unused_self, reason = "as its sibling")]
    pub fn header(&self, message: &Message<'_>, id: PartId) -> bool {
        let above = |id: &PartId| message.part(*id).and_then(|part| part.parent);
        std::iter::successors(above(&id), above).any(|id| message.part(id).is_some_and(|part| by_type(part).is_some()))
    }

    /// True for that, for a part that is protected itself, and for text beside armor.
    pub fn body(&self, message: &Message<'_>, id: PartId) -> bool {
        let Some(part) = message.part(id) else { return true };
        self.header(message, id) || by_type(part).is_some() || (self.armored && part.is_text())
    }
}

/// Repair the body of a leaf.
pub(super) fn mend(message: &Message<'_>, id: PartId, part: &Part, bits: Bits, work: &mut Work) {
    let body = message.bytes(&part.body);
    let long = body.split(|b| *b == b'\n').any(is_long);
    let odd = !body.is_ascii() && bits == Bits::Encode || memchr::memchr(0, body).is_some();
    // RFC 2046 §5.2: no encoding is allowed on `message/*`.
    let opaque = part.is_multipart() || part.media_type.starts_with("message/") || !part.has_separator;
    if opaque || !(long || odd) {
        return;
    }
    let with = match part.encoding {
        TransferEncoding::Identity => {
            let (encoding, data) = encoded(message, part, body);
            let Ok(fields) = mime_field::set(message, id, None, encoding) else { return };
            work.edits.extend(fields);
            work.did(if long { Repair::LongLines } else { Repair::Octets });
            data
        }
        TransferEncoding::QuotedPrintable if transfer::is_sound(part.encoding, body) && !body.contains(&0) => {
            work.did(if long { Repair::EncodedLines } else { Repair::Octets });
            with_line_end(broken_quoted_printable(body), message.line_end())
        }
        TransferEncoding::Base64 if long && body.is_ascii() => {
            let Some(data) = broken_base64(body) else { return };
            work.did(Repair::EncodedLines);
            with_line_end(data, message.line_end())
        }
        _ => return,
    };
    work.edits.push(Edit { range: part.body.clone(), with: with.into() });
    work.bodies.push(id);
}

fn is_long(line: &[u8]) -> bool {
    line.strip_suffix(b"\r").unwrap_or(line).len() > MAX_LINE
}

/// A body encoded: text so that it can be read, all else octet by octet.
fn encoded(message: &Message<'_>, part: &Part, body: &[u8]) -> (TransferEncoding, Vec<u8>) {
    let readable = part.is_text().then(|| transfer::encode(body, message.line_end()));
    let readable = readable.filter(|(encoding, data)| {
        transfer::decode(*encoding, data).is_ok_and(|decoded| same_text(part, body, &decoded))
    });
    let (encoding, mut data) = readable.unwrap_or_else(|| {
        let data = with_line_end(base64::MIME.encode(body).into_bytes(), message.line_end());
        (TransferEncoding::Base64, data)
    });
    if encoding == TransferEncoding::Base64 {
        // Where the message ends its last line stays one; elsewhere the line end before the delimiter is enough.
        data.truncate(data.trim_ascii_end().len());
        if part.body.end == message.raw().len() {
            data.extend_from_slice(message.line_end().as_bytes());
        }
    }
    (encoding, data)
}

/// Quoted-printable with soft breaks in the lines that need them, and 8-bit octets escaped; all other lines as they are.
fn broken_quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + body.len() / 16);
    for line in body.split_inclusive(|b| *b == b'\n') {
        if !is_long(line.strip_suffix(b"\n").unwrap_or(line)) && line.is_ascii() {
            out.extend_from_slice(line);
            continue;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        // White space at the end, and a soft break before it, stay together.
        let tail = text.trim_ascii_end();
        let tail = tail.strip_suffix(b"=").unwrap_or(tail).len();
        let (mut column, mut at) = (0, 0);
        while let Some(&octet) = text.get(at..tail).and_then(<[u8]>::first) {
            let token: &[u8] = match octet {
                b'=' => text.get(at..at + 3).unwrap_or(b"="),
                _ => text.get(at..=at).unwrap_or_default(),
            };
            at += token.len();
            let escaped;
            let token = if octet.is_ascii() {
                token
            } else {
                escaped = format!("={octet:02X}");
                escaped.as_bytes()
            };
            if column + token.len() >= ENCODED_LINE {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
            out.extend_from_slice(token);
            column += token.len();
        }
        out.extend_from_slice(line.get(at..).unwrap_or_default());
    }
    out
}

/// Base64 with its long lines broken; `None` where one holds what is no base64.
fn broken_base64(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len() + body.len() / 32);
    for line in body.split_inclusive(|b| *b == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.len() <= MAX_LINE {
            out.extend_from_slice(line);
            continue;
        }
        if !text.iter().all(|b| b.is_ascii_alphanumeric() || b"+/= \t".contains(b)) {
            return None;
        }
        for (nth, piece) in text.chunks(ENCODED_LINE).enumerate() {
            if nth > 0 {
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(piece);
        }
        out.extend_from_slice(line.get(text.len()..).unwrap_or_default());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_is_broken_between_its_tokens_and_nowhere_else() {
        let long = format!("keep me=\r\n{}  \r\nand me = no\r\nGr\u{fc}n=20=\r\n", "a=3D".repeat(400));
        let out = broken_quoted_printable(long.as_bytes());
        assert!(out.split(|b| *b == b'\n').all(|line| line.len() <= 77 && line.is_ascii()));
        let text = String::from_utf8(out.clone()).unwrap();
        assert!(text.starts_with("keep me=\r\n") && text.contains("\r\nand me = no\r\nGr=C3=BCn=20=\r\n"), "{text}");
        let decode = |raw: &[u8]| transfer::decode(TransferEncoding::QuotedPrintable, raw).unwrap().into_owned();
        assert_eq!(decode(&out), decode(long.as_bytes()));
    }

    #[test]
    fn base64_is_broken_where_it_is_too_long() {
        let data = format!("AAAA\r\n{}\r\n", "QUJD".repeat(400));
        let out = broken_base64(data.as_bytes()).unwrap();
        assert!(out.starts_with(b"AAAA\r\nQUJD") && out.split(|b| *b == b'\n').all(|line| line.len() <= 77));
        let kept = |raw: &[u8]| raw.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<u8>>();
        assert_eq!(kept(&out), kept(data.as_bytes()));
        assert_eq!(broken_base64("*".repeat(1_000).as_bytes()), None);
    }
}
