//! Edits of the MIME header fields of a part whose body is encoded anew: charset and transfer encoding.
//!
//! Invariant: every parameter but the one that changes keeps its bytes.

use std::ops::Range;

use bytes::Bytes;

use super::draft::BodyError;
use super::edits::Edit;
use super::part::{Part, TransferEncoding};
use super::transfer::{MAX_LINE, longest_changed_line};
use super::{FieldSpan, Message, PartId};

/// Set the transfer encoding of a part and, where given, its charset.
pub(super) fn set(
    message: &Message<'_>,
    id: PartId,
    charset: Option<&str>,
    encoding: TransferEncoding,
) -> Result<Vec<Edit>, BodyError> {
    let part = message.part(id).ok_or(BodyError::Field)?;
    let mut edits = Vec::new();
    let mut new = Vec::new();
    let newline = message.line_end().as_bytes();
    let mut add = |line: String| {
        new.extend_from_slice(line.as_bytes());
        new.extend_from_slice(newline);
    };
    if part.parent.is_none() && named(message, part, b"MIME-Version").next().is_none() {
        add("MIME-Version: 1.0".to_owned());
    }
    if let Some(charset) = charset {
        let mut fields = named(message, part, b"Content-Type");
        match (fields.next(), fields.next()) {
            (None, _) => add(format!("Content-Type: {}; charset={charset}", part.media_type)),
            (Some(field), None) => edits.push(charset_edit(message, part, field, charset)?),
            // Readers do not agree on which of two counts.
            (Some(_), Some(_)) => return Err(BodyError::Field),
        }
    }
    let name = match encoding {
        TransferEncoding::QuotedPrintable => "quoted-printable",
        TransferEncoding::Base64 => "base64",
        TransferEncoding::Identity | TransferEncoding::Unknown => return Err(BodyError::Encoding),
    };
    let mut fields = named(message, part, b"Content-Transfer-Encoding");
    match fields.next() {
        None => add(format!("Content-Transfer-Encoding: {name}")),
        Some(field) if part.encoding != encoding => {
            edits.push(Edit { range: field.value.clone(), with: format!(" {name}").into_bytes().into() });
        }
        Some(_) => {}
    }
    let too_long = |Edit { range, with }: &Edit| {
        let range = range.start - part.header.start..range.end - part.header.start;
        longest_changed_line(message.bytes(&part.header), &[Edit { range, with: with.clone() }]) > MAX_LINE
    };
    if edits.iter().any(too_long) {
        return Err(BodyError::Field);
    }
    // A second one could undo what the first says.
    edits.extend(fields.map(|field| Edit { range: field.whole.clone(), with: Bytes::new() }));
    if !new.is_empty() {
        let at = message.field_place(id).ok_or(BodyError::Field)?;
        edits.push(Edit { range: at..at, with: new.into() });
    }
    Ok(edits)
}

fn named<'p>(message: &'p Message<'_>, part: &'p Part, name: &'p [u8]) -> impl Iterator<Item = &'p FieldSpan> {
    part.fields.iter().filter(move |f| message.bytes(&f.name).eq_ignore_ascii_case(name))
}

fn charset_edit(message: &Message<'_>, part: &Part, field: &FieldSpan, charset: &str) -> Result<Edit, BodyError> {
    let value = message.bytes(&field.value);
    if !value.is_ascii() {
        return Err(BodyError::Field);
    }
    let at = |range: Range<usize>| field.value.start + range.start..field.value.start + range.end;
    if lacks_semicolon(value) {
        let tidied = tidied(value).ok_or(BodyError::Field)?;
        let range = parameter(&tidied, b"charset");
        if parameter(&tidied, b"charset*").is_some() {
            return Err(BodyError::Field);
        }
        let with = match range {
            Some(Range { start, end }) => {
                let piece = |range: Range<usize>| tidied.get(range).unwrap_or_default();
                [piece(0..start), charset.as_bytes(), piece(end..tidied.len())].concat()
            }
            None => [&tidied, format!("; charset={charset}").as_bytes()].concat(),
        };
        return Ok(Edit { range: field.value.clone(), with: with.into() });
    }
    if let Some(range) = parameter(value, b"charset") {
        // A comment in front of it is the name to some readers. With something stuck to it, readers would not see the new
        // charset either.
        if value.get(range.start) == Some(&b'(') {
            return Err(BodyError::Field);
        }
        let behind = value.get(range.end..).unwrap_or_default();
        let next = behind.trim_ascii_start();
        if parameter(behind, b"charset*").is_some() {
            return Err(BodyError::Field);
        }
        if let Some(second) = parameter(behind, b"charset") {
            // Some readers take the last of several: the same one twice becomes the new one twice.
            let name = |range: Range<usize>| value.get(range).unwrap_or_default();
            let second = range.end + second.start..range.end + second.end;
            let rest = name(second.end..value.len());
            let parted = |rest: &[u8]| rest.is_empty() || rest.trim_ascii_start().starts_with(b";");
            let same = unquoted(name(second.clone())).eq_ignore_ascii_case(unquoted(name(range.clone())));
            if !same || !parted(next) || !parted(rest) || parameter(rest, b"charset").is_some() {
                return Err(BodyError::Field);
            }
            let with = [charset.as_bytes(), name(range.end..second.start), charset.as_bytes()].concat();
            return Ok(Edit { range: at(range.start..second.end), with: with.into() });
        }
        if !next.is_empty() && !next.starts_with(b";") && !next.starts_with(b"(") {
            return Err(BodyError::Field);
        }
        // A comment behind it is taken for a piece of the name by some readers.
        let comment = range.end + (behind.len() - next.len());
        let end = if value.get(comment) == Some(&b'(') { comment_end(value, comment) } else { range.end };
        let behind = value.get(end..).unwrap_or_default().trim_ascii_start();
        if !behind.is_empty() && !behind.starts_with(b";") {
            return Err(BodyError::Field);
        }
        return Ok(Edit { range: at(range.start..end), with: charset.as_bytes().to_vec().into() });
    }
    if let Some(range) = parameter(value, b"charset*") {
        // In the form of RFC 2231, which not all readers know; in pieces it stays.
        let before = value.get(..range.start).unwrap_or_default().trim_ascii_end();
        let before = before.strip_suffix(b"=").unwrap_or(before).trim_ascii_end();
        let star = before.len().checked_sub(1).ok_or(BodyError::Field)?;
        return Ok(Edit { range: at(star..range.end), with: format!("={charset}").into_bytes().into() });
    }
    if part.charset.is_some() {
        return Err(BodyError::Field);
    }
    let text = value.trim_ascii();
    if !text.get(..part.media_type.len()).is_some_and(|t| t.eq_ignore_ascii_case(part.media_type.as_bytes())) {
        // The value is no type at all, which reads as text/plain.
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        return Ok(Edit {
            range: at(0..end),
            with: format!(" {}; charset={charset}", part.media_type).into_bytes().into(),
        });
    }
    let end = value.trim_ascii_end().len();
    let separator = if text.ends_with(b";") { " " } else { "; " };
    Ok(Edit { range: at(end..end), with: format!("{separator}charset={charset}").into_bytes().into() })
}

/// True when the charset is written so that some readers know it and some do not: in single quotes, with a quote that is
/// not closed, with a comment behind it, without a `;` before it, twice, in one of two fields, or in the form of RFC 2231. None of it matters while
/// the text is ASCII.
pub(super) fn has_odd_charset(message: &Message<'_>, part: &Part) -> bool {
    let mut fields = named(message, part, b"Content-Type").map(|field| message.bytes(&field.value));
    let Some(value) = fields.next() else { return false };
    let Some(range) = parameter(value, b"charset") else { return part.charset.is_some() };
    let behind = value.get(range.end..).unwrap_or_default().trim_ascii_start();
    let name = unquoted(value.get(range).unwrap_or_default());
    // Some readers take the last of several fields.
    let says_so = |other: &[u8]| {
        let charset = parameter(other, b"charset").and_then(|range| other.get(range)).map(unquoted);
        charset.is_some_and(|charset| charset.eq_ignore_ascii_case(name))
    };
    if !fields.all(says_so) {
        return true;
    }
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:+".contains(b);
    !name.iter().all(plain)
        || !(behind.is_empty() || behind.starts_with(b";"))
        || lacks_semicolon(value)
        || has_other_charset(behind, name)
}

fn unquoted(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"\"").and_then(|n| n.strip_suffix(b"\"")).unwrap_or(name)
}

/// Does another `charset` follow that is not this one?
fn has_other_charset(mut behind: &[u8], name: &[u8]) -> bool {
    while let Some(range) = parameter(behind, b"charset") {
        let next = unquoted(behind.get(range.clone()).unwrap_or_default());
        if !next.eq_ignore_ascii_case(name) || range.end == 0 {
            return true;
        }
        behind = behind.get(range.end..).unwrap_or_default();
    }
    false
}

/// Where `text/…` ends that a value begins with, if something follows that is a `;`, white space or a comment.
pub(super) fn type_end(value: &[u8]) -> Option<usize> {
    let start = value.len() - value.trim_ascii_start().len();
    let rest = value.get(start..)?;
    let token = |b: &u8| b.is_ascii_alphanumeric() || b"-_.+".contains(b);
    let subtype = rest.get(5..).filter(|_| rest.get(..5).is_some_and(|text| text.eq_ignore_ascii_case(b"text/")))?;
    let len = subtype.iter().take_while(|b| token(b)).count();
    let ended = subtype.get(len).is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b';' | b'('));
    (len > 0 && ended).then_some(start + 5 + len)
}

/// QUIRK: `text/plain charset=utf-8` and `text/plain; charset=utf-8 format=flowed`, which most readers take as it is meant.
fn lacks_semicolon(value: &[u8]) -> bool {
    let Some(end) = type_end(value) else { return false };
    let behind = without_comments(value.get(end..).unwrap_or_default());
    let behind = behind.trim_ascii_start();
    if !behind.is_empty() && !behind.starts_with(b";") {
        return parameter_name(behind);
    }
    let charset = parameter_from(behind, 0, false, b"charset");
    charset.and_then(|range| behind.get(range.end..)).is_some_and(|next| parameter_name(next.trim_ascii_start()))
}

/// True for what begins with `name=`.
fn parameter_name(bytes: &[u8]) -> bool {
    let len = bytes.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_*".contains(b)).count();
    len > 0 && bytes.get(len..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
}

/// A value of a text type as simple readers want it: without comments before its parameters, and with every `;` that is
/// missing. `None` when it is so already.
pub(super) fn tidied(value: &[u8]) -> Option<Vec<u8>> {
    let end = type_end(value)?;
    let (head, tail) = value.split_at(end);
    if !lacks_semicolon(value) {
        return tail.trim_ascii_start().starts_with(b"(").then(|| [head, &without_comments(tail)].concat());
    }
    let tail = without_comments(tail);
    let mut out = head.to_vec();
    let mut rest = tail.trim_ascii();
    while !rest.is_empty() {
        let (mut len, mut ended) = (0, false);
        while let Some(&b) = rest.get(len) {
            if b == b'"' {
                len = quoted_end(rest, len);
                continue;
            }
            // White space parts parameters where a name follows.
            let behind = rest.get(len..).unwrap_or_default().trim_ascii_start();
            let blank = rest.len() - len - behind.len();
            ended = b == b';' || blank > 0 && parameter_name(behind);
            if ended {
                break;
            }
            len += blank.max(1);
        }
        let (parameter, behind) = rest.split_at(len);
        let parameter = parameter.trim_ascii();
        if !parameter.is_empty() {
            out.extend_from_slice(b"; ");
            out.extend_from_slice(parameter);
        }
        rest = behind.get(usize::from(ended)..).unwrap_or_default().trim_ascii_start();
    }
    Some(out)
}

fn without_comments(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(&b) = value.get(at) {
        let next = match b {
            b'(' => comment_end(value, at),
            b'"' => quoted_end(value, at),
            _ => at + 1,
        };
        if b != b'(' {
            out.extend_from_slice(value.get(at..next).unwrap_or_default());
        }
        at = next;
    }
    out
}

/// Where the value of a parameter stands, quotes included (RFC 2045 §5.1). Comments and quoted strings are passed over.
pub(super) fn parameter(value: &[u8], name: &[u8]) -> Option<Range<usize>> {
    if lacks_semicolon(value) {
        return parameter_from(value, type_end(value)?, true, name);
    }
    parameter_from(value, 0, false, name)
}

fn parameter_from(value: &[u8], mut at: usize, mut in_parameter: bool, name: &[u8]) -> Option<Range<usize>> {
    while let Some(&b) = value.get(at) {
        match b {
            b'"' => at = quoted_end(value, at),
            b'(' => at = comment_end(value, at),
            b';' => {
                in_parameter = true;
                at += 1;
            }
            _ if b.is_ascii_whitespace() => at += 1,
            _ => {
                let token = value.get(at..).unwrap_or_default();
                let len =
                    token.iter().position(|b| b";=\"(".contains(b) || b.is_ascii_whitespace()).unwrap_or(token.len());
                let word = token.get(..len).unwrap_or_default();
                at += len.max(1);
                if !in_parameter || !word.eq_ignore_ascii_case(name) {
                    continue;
                }
                let blank = |from: usize| {
                    from + value.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_whitespace()).count()
                };
                let equals = blank(at);
                if value.get(equals) != Some(&b'=') {
                    continue;
                }
                let start = blank(equals + 1);
                if value.get(start) == Some(&b'"') {
                    return Some(start..quoted_end(value, start));
                }
                let rest = value.get(start..).unwrap_or_default();
                let len = rest.iter().position(|b| b";(".contains(b) || b.is_ascii_whitespace()).unwrap_or(rest.len());
                return Some(start..start + len);
            }
        }
    }
    None
}

/// Where the text of a quoted string ends that begins at `start`, and where what follows it begins (RFC 5322 §3.2.4).
pub(super) fn quoted_string(value: &[u8], start: usize) -> (usize, usize) {
    let mut at = start + 1;
    while let Some(&b) = value.get(at) {
        match b {
            b'\\' => at += 2,
            b'"' => return (at, at + 1),
            _ => at += 1,
        }
    }
    (value.len(), value.len())
}

fn quoted_end(value: &[u8], start: usize) -> usize {
    quoted_string(value, start).1
}

/// Where a comment ends that begins at `start`, with those inside of it (RFC 5322 §3.2.2).
pub(super) fn comment_end(value: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(&b) = value.get(at) {
        match b {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' if depth == 1 => return at + 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::super::edits::{Rendered, sorted};
    use super::{BodyError, Message, PartId, TransferEncoding, parameter, set};

    #[test]
    fn a_line_that_is_too_long_already_is_not_made_longer() {
        let raw = format!("Content-Type: text/plain; x={}\r\n\r\nx", "y".repeat(990));
        let message = Message::parse(raw.as_bytes());
        let edits = set(&message, PartId(0), Some("utf-8"), TransferEncoding::QuotedPrintable);
        assert_eq!(edits, Err(BodyError::Field));
    }

    #[test]
    fn what_stands_behind_a_comment_would_be_a_piece_of_the_new_charset() {
        let moved = |value: &str| {
            let raw = format!("Content-Type: text/plain; charset={value}\r\n\r\nx");
            set(&Message::parse(raw.as_bytes()), PartId(0), Some("utf-8"), TransferEncoding::QuotedPrintable).is_ok()
        };
        assert!(!moved("utf8()+"));
        assert!(moved("utf8()") && moved("utf8 (a) ; x=y"));
    }

    #[test]
    fn the_charset_is_found_wherever_it_stands() {
        let find = |value: &'static str| parameter(value.as_bytes(), b"charset").and_then(|r| value.get(r));
        assert_eq!(find(" text/plain; charset=us-ascii"), Some("us-ascii"));
        assert_eq!(find(" text/plain; Charset = \"us-ascii\"; format=flowed"), Some("\"us-ascii\""));
        assert_eq!(find(" text/plain; name=\"a;charset=b\";\r\n\tcharset=c (d;charset=e)"), Some("c"));
        assert_eq!(find(" text/plain (charset=a)"), None);
        assert_eq!(find(" charset=a"), None);
        assert_eq!(find(" text/plain charset=a"), Some("a"));
        assert_eq!(find(" text/plain (odd) format=flowed charset=a"), Some("a"));
        assert_eq!(find(" text/plain words (charset=a)"), None);
    }

    #[test]
    fn a_charset_that_some_readers_do_not_see_is_written_so_that_all_do() {
        let moved = |value: &str| {
            let raw = format!("MIME-Version: 1.0\r\nContent-Type: {value}\r\n\r\nx\r\n");
            let message = Message::parse(raw.as_bytes());
            assert_eq!(message.parts()[0].media_type, "text/plain", "{value}");
            let edits = set(&message, PartId(0), Some("utf-8"), TransferEncoding::QuotedPrintable);
            let out = Rendered::new(raw.as_bytes(), sorted(edits.ok()?))?.to_vec();
            let out = String::from_utf8(out).unwrap();
            out.lines().find_map(|line| line.strip_prefix("Content-Type: ")).map(str::to_owned)
        };
        for (value, expected) in [
            ("text/plain charset=us-ascii", Some("text/plain; charset=utf-8")),
            ("TEXT/Plain  charset=x; format=flowed", Some("TEXT/Plain; charset=utf-8; format=flowed")),
            ("text/plain (a; b) charset=x format=flowed", Some("text/plain; charset=utf-8; format=flowed")),
            ("text/plain format=flowed; charset=x", Some("text/plain; format=flowed; charset=utf-8")),
            ("text/plain name=\"a b=c\" charset=x", Some("text/plain; name=\"a b=c\"; charset=utf-8")),
            ("text/plain format=flowed", Some("text/plain; format=flowed; charset=utf-8")),
            ("text/plain (of course); charset=x (ASCII)", Some("text/plain (of course); charset=utf-8")),
            ("text/plain; charset*=us-ascii'en'x; a=b", Some("text/plain; charset=utf-8; a=b")),
            ("text/plain; charset=", Some("text/plain; charset=utf-8")),
            ("text/plain; charset=\"x", Some("text/plain; charset=utf-8")),
            ("text/plain", Some("text/plain; charset=utf-8")),
            ("text/plain;", Some("text/plain; charset=utf-8")),
            ("text/plain; charset=a; charset=b", None),
            ("text/plain; charset*0=a; charset*1=b", None),
        ] {
            assert_eq!(moved(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn nor_is_that_of_a_part() {
        let long = "y".repeat(985);
        for value in
            [format!("text/plain; x={long}"), format!("text/plain; charset=x; y={long}"), "text/plain".to_owned()]
        {
            let raw = format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: {value}\r\n\r\nx\r\n--b--\r\n"
            );
            let message = Message::parse(raw.as_bytes());
            let edits = set(&message, PartId(1), Some("utf-8"), TransferEncoding::QuotedPrintable);
            assert_eq!(edits.err(), (value.len() > 900).then_some(BodyError::Field), "{value}");
        }
    }
}
