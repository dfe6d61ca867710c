//! Transfer encodings (RFC 2045 §6): undoing them, and splicing into what is encoded.
//!
//! Invariant: a splice changes no encoded octet that does not have to change. Quoted-printable is spliced in place, so
//! the lines around stay; base64 is encoded anew from the last whole group before the first edit.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use encodify::{base64, qp};
use memchr::memmem;

use super::LineEnd;
use super::draft::BodyError;
use super::edits::Edit;
use super::part::TransferEncoding;

/// RFC 5322 §2.1.1: octets of a line, without its line end.
pub const MAX_LINE: usize = 998;
/// RFC 2045 §6.7, §6.8.
pub(super) const ENCODED_LINE: usize = 76;

/// Undo a transfer encoding. Identity borrows.
pub(super) fn decode(encoding: TransferEncoding, raw: &[u8]) -> Result<Cow<'_, [u8]>, BodyError> {
    match encoding {
        TransferEncoding::Identity => Ok(Cow::Borrowed(raw)),
        TransferEncoding::QuotedPrintable => Ok(decode_quoted_printable(raw)),
        TransferEncoding::Base64 => {
            let extent = base64_extent(raw)?;
            let decode = |data: &[u8]| base64::MIME.decode(data).map_err(|_| BodyError::Encoding);
            let mut decoded = decode(raw.get(..extent).unwrap_or_default())?;
            for piece in base64_pieces(raw.get(extent..).unwrap_or_default()) {
                decoded.extend_from_slice(&decode(piece)?);
            }
            Ok(Cow::Owned(decoded))
        }
        TransferEncoding::Unknown => Err(BodyError::Encoding),
    }
}

/// How many octets [`decode`] gives, without making them; `None` where it cannot.
pub(super) fn decoded_len(encoding: TransferEncoding, raw: &[u8]) -> Option<usize> {
    match encoding {
        TransferEncoding::Identity => Some(raw.len()),
        TransferEncoding::QuotedPrintable => Some(quoted_printable_len(raw)),
        TransferEncoding::Base64 => {
            let extent = base64_extent(raw).ok()?;
            let len = |data: &[u8]| base64::MIME.decoded_len(data).ok();
            let first = len(raw.get(..extent).unwrap_or_default())?;
            let behind = base64_pieces(raw.get(extent..).unwrap_or_default());
            behind.into_iter().try_fold(first, |sum, piece| Some(sum + len(piece)?))
        }
        TransferEncoding::Unknown => None,
    }
}

/// True when all readers undo the encoding alike, so that the whole may be encoded anew.
pub(super) fn is_sound(encoding: TransferEncoding, raw: &[u8]) -> bool {
    match encoding {
        TransferEncoding::QuotedPrintable => memchr::memchr_iter(b'=', raw)
            .all(|at| raw.get(at..).is_none_or(|rest| !matches!(quoted_printable_token(rest), Token::Literal(_)))),
        // What stands behind the padding would be gone.
        TransferEncoding::Base64 => {
            base64_extent(raw).is_ok_and(|end| raw.get(end..).unwrap_or_default().trim_ascii().is_empty())
        }
        TransferEncoding::Identity | TransferEncoding::Unknown => true,
    }
}

/// One replacement in decoded octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Splice {
    /// What is replaced, in decoded octets.
    pub at: Range<usize>,
    /// By what, decoded.
    pub with: Bytes,
}

/// Splice into an encoded body that begins at `offset` of the message. `None` when it cannot be done in place within the
/// limits of a line or of 7 bits: then the whole body is to be encoded anew.
pub(super) fn splice(
    encoding: TransferEncoding,
    raw: &[u8],
    offset: usize,
    splices: &[Splice],
    line_end: LineEnd,
) -> Result<Option<Vec<Edit>>, BodyError> {
    let mut edits = match encoding {
        TransferEncoding::Identity => {
            let fits = splices.iter().all(|s| s.with.iter().all(|b| b.is_ascii() && *b != 0));
            if !fits {
                return Ok(None);
            }
            if !changed_lines_are_7_bit(raw, splices) {
                return Ok(None);
            }
            splices.iter().map(|s| Edit { range: s.at.clone(), with: s.with.clone() }).collect()
        }
        TransferEncoding::QuotedPrintable => splice_quoted_printable(raw, splices, line_end),
        TransferEncoding::Base64 => vec![splice_base64(raw, splices, line_end)?],
        TransferEncoding::Unknown => return Err(BodyError::Encoding),
    };
    if longest_changed_line(raw, &edits) > MAX_LINE || edits.iter().any(|edit| splits_line_end(raw, &edit.range)) {
        return Ok(None);
    }
    // Beside a `=` that began nothing, an edit can make it begin something.
    if encoding == TransferEncoding::QuotedPrintable && !is_sound(encoding, raw) {
        let splices: Vec<Edit> = splices.iter().map(|s| Edit { range: s.at.clone(), with: s.with.clone() }).collect();
        if decode(encoding, &applied(raw, 0, &edits))? != applied(&decode(encoding, raw)?, 0, &splices) {
            return Err(BodyError::Encoding);
        }
    }
    for edit in &mut edits {
        edit.range = edit.range.start + offset..edit.range.end + offset;
    }
    Ok(Some(edits))
}

/// True when one end of the range is in the middle of a CRLF: where a character has two octets, that is no line end, but
/// the half of it that stays would be one.
fn splits_line_end(raw: &[u8], range: &Range<usize>) -> bool {
    let splits = |at: usize| at > 0 && raw.get(at - 1..=at) == Some(b"\r\n");
    splits(range.start) || splits(range.end)
}

/// The bytes from `at` on with edits in them, which are in order and apart.
pub(super) fn applied<'e>(bytes: &[u8], mut at: usize, edits: impl IntoIterator<Item = &'e Edit>) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().saturating_sub(at));
    for edit in edits {
        out.extend_from_slice(bytes.get(at..edit.range.start).unwrap_or_default());
        out.extend_from_slice(&edit.with);
        at = edit.range.end;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    out
}

/// A line that changes is written in 7 bits, all of it. Each line is looked at once, however many splices it holds.
fn changed_lines_are_7_bit(raw: &[u8], splices: &[Splice]) -> bool {
    let mut seen = 0;
    splices.iter().all(|Splice { at, .. }| {
        let before = raw.get(seen..at.start).unwrap_or_default();
        let start = memchr::memrchr(b'\n', before).map_or(seen, |n| seen + n + 1);
        let from = at.end.max(seen);
        let end = raw.get(from..).and_then(|after| memchr::memchr(b'\n', after)).map_or(raw.len(), |n| from + n);
        seen = end;
        raw.get(start..end).unwrap_or_default().iter().all(|b| b.is_ascii() && *b != 0)
    })
}

/// Encode a whole body anew, in the encoding that suits it: quoted-printable for text that is mostly ASCII, base64
/// otherwise.
pub(super) fn encode(bytes: &[u8], line_end: LineEnd) -> (TransferEncoding, Vec<u8>) {
    let escaped = bytes.iter().filter(|b| !b.is_ascii() || **b == b'=').count();
    // A lone CR cannot stand in a line, NUL should not.
    let odd = memchr::memchr(0, bytes).is_some() || has_lone_cr(bytes);
    if odd || escaped * 3 > bytes.len() {
        encode_base64(bytes, line_end)
    } else {
        let text = whole_characters(qp::BODY.encode(bytes).into_bytes());
        (TransferEncoding::QuotedPrintable, with_line_end(text, line_end))
    }
}

/// Encode a whole body anew in base64, in which no line is anything but data.
pub(super) fn encode_base64(bytes: &[u8], line_end: LineEnd) -> (TransferEncoding, Vec<u8>) {
    let text = base64::MIME.encode(bytes);
    (TransferEncoding::Base64, with_line_end(text.into_bytes(), line_end))
}

fn has_lone_cr(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n'))
}

/// CRLF to the line end of the message.
pub(super) fn with_line_end(bytes: Vec<u8>, line_end: LineEnd) -> Vec<u8> {
    match line_end {
        LineEnd::CrLf => bytes,
        LineEnd::Lf => bytes.into_iter().filter(|b| *b != b'\r').collect(),
    }
}

/// Octets of the longest line that the edits touch, without LF. A CR alone ends no line on the wire.
pub(super) fn longest_changed_line(raw: &[u8], edits: &[Edit]) -> usize {
    let mut longest = 0;
    // Octets on the line before the place where the walk is.
    let mut column = 0;
    let mut kept_from = 0;
    let mut touched = false;
    for edit in edits {
        let kept = raw.get(kept_from..edit.range.start).unwrap_or_default();
        match (memchr::memchr(b'\n', kept), memchr::memrchr(b'\n', kept)) {
            (Some(first), Some(last)) => {
                if touched {
                    longest = longest.max(column + first);
                }
                column = kept.len() - last - 1;
            }
            _ => column += kept.len(),
        }
        touched = true;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &edit.with) {
            longest = longest.max(column + end - start);
            column = 0;
            start = end + 1;
        }
        column += edit.with.len() - start;
        kept_from = edit.range.end;
    }
    let rest = raw.get(kept_from..).unwrap_or_default();
    let rest = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    if touched { longest.max(column + rest) } else { 0 }
}

// -- quoted-printable --

/// What stands at one place of quoted-printable text.
enum Token {
    /// So many octets that stand for themselves.
    Literal(usize),
    /// `=XX`: one octet.
    Octet(u8),
    /// A soft line break of so many octets: nothing.
    Soft(usize),
}

fn quoted_printable_token(rest: &[u8]) -> Token {
    if rest.first() != Some(&b'=') {
        return Token::Literal(memchr::memchr(b'=', rest).unwrap_or(rest.len()).max(1));
    }
    let hex = |i: usize| rest.get(i).and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    if let (Some(high), Some(low)) = (hex(1), hex(2)) {
        return Token::Octet(high * 16 + low);
    }
    let blank = rest.get(1..).unwrap_or_default().iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    match (rest.get(1 + blank), rest.get(2 + blank)) {
        (None, _) => Token::Soft(rest.len()),
        (Some(b'\r'), Some(b'\n')) => Token::Soft(3 + blank),
        (Some(b'\n' | b'\r'), _) => Token::Soft(2 + blank),
        // QUIRK: `=` that begins nothing stands for itself, as readers show it.
        _ => Token::Literal(1),
    }
}

fn decode_quoted_printable(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'=', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|r| !r.is_empty()) {
        match quoted_printable_token(rest) {
            Token::Literal(n) => {
                out.extend_from_slice(rest.get(..n).unwrap_or_default());
                at += n;
            }
            Token::Octet(octet) => {
                out.push(octet);
                at += 3;
            }
            Token::Soft(n) => at += n,
        }
    }
    Cow::Owned(out)
}

fn quoted_printable_len(raw: &[u8]) -> usize {
    let (mut at, mut len) = (0, 0);
    while let Some(rest) = raw.get(at..).filter(|r| !r.is_empty()) {
        let (raw_len, decoded) = match quoted_printable_token(rest) {
            Token::Literal(n) => (n, n),
            Token::Octet(_) => (3, 1),
            Token::Soft(n) => (n, 0),
        };
        at += raw_len;
        len += decoded;
    }
    len
}

/// The raw offsets of decoded offsets, which ascend; behind soft line breaks.
fn locate_quoted_printable(raw: &[u8], wanted: &[usize]) -> Vec<usize> {
    let mut found = Vec::with_capacity(wanted.len());
    let mut wanted = wanted.iter().copied().peekable();
    let (mut at, mut decoded) = (0, 0);
    while let Some(rest) = raw.get(at..).filter(|r| !r.is_empty()) {
        let (raw_len, len) = match quoted_printable_token(rest) {
            Token::Literal(n) => (n, n),
            Token::Octet(_) => (3, 1),
            Token::Soft(n) => (n, 0),
        };
        while let Some(want) = wanted.next_if(|w| *w < decoded + len) {
            found.push(at + (want - decoded));
        }
        at += raw_len;
        decoded += len;
    }
    found.extend(wanted.map(|_| raw.len()));
    found
}

fn splice_quoted_printable(raw: &[u8], splices: &[Splice], line_end: LineEnd) -> Vec<Edit> {
    let wanted: Vec<usize> = splices.iter().flat_map(|s| [s.at.start, s.at.end]).collect();
    let found = locate_quoted_printable(raw, &wanted);
    let newline = line_end.as_bytes();
    let is_end = |b: &u8| *b == b'\n' || *b == b'\r';
    let mut edits = Vec::with_capacity(splices.len());
    // Where the last splice ended, and how long its line had grown by then.
    let (mut last_end, mut last_column) = (0, 0);
    for (splice, place) in splices.iter().zip(found.chunks_exact(2)) {
        let (start, end) = (place.first().copied().unwrap_or(0), place.last().copied().unwrap_or(0));
        let before = raw.get(..start).unwrap_or_default();
        let after = raw.get(end..).unwrap_or_default();
        let mut with = Vec::new();
        // A soft break that the text ends with, without a line end, would swallow what follows.
        if start == raw.len() && dangling_soft_break(before) {
            with.extend_from_slice(newline);
        }
        let on_line = before.iter().rev().take_while(|b| !is_end(b)).take(ENCODED_LINE).count();
        let since = start.saturating_sub(last_end);
        let column = if on_line >= since { last_column + since } else { on_line };
        // Where characters have two octets, CR and LF are no line ends.
        let engine = if splice.with.contains(&0) { qp::BINARY } else { qp::BODY };
        let encoded = with_line_end(whole_characters(engine.encode(&splice.with).into_bytes()), line_end);
        let first_line = encoded.iter().position(is_end).unwrap_or(encoded.len());
        if column > 0 && with.is_empty() && column + first_line >= ENCODED_LINE && first_line > 0 {
            with.push(b'=');
            with.extend_from_slice(newline);
        }
        with.extend_from_slice(&encoded);
        // What is encoded must not run into what follows on the line. White space at its end needs what follows.
        let last_line = with.iter().rev().take_while(|b| !is_end(b)).count();
        let next_line = after.iter().take(ENCODED_LINE).take_while(|b| !is_end(b)).count();
        let on_the_line = column;
        let column = if last_line == with.len() { column + last_line } else { last_line };
        if column > 0 && next_line > 0 && column + next_line > ENCODED_LINE && !splice.with.is_empty() {
            with.push(b'=');
            with.extend_from_slice(newline);
        }
        last_column = with.iter().rev().take_while(|b| !is_end(b)).count();
        if last_column == with.len() {
            last_column += on_the_line;
        }
        last_end = end;
        edits.push(Edit { range: start..end, with: with.into() });
    }
    edits
}

/// Soft line breaks moved so that none divides a character of UTF-8: some readers decode line by line. Lines end in CRLF.
fn whole_characters(encoded: Vec<u8>) -> Vec<u8> {
    const SOFT: &[u8] = b"=\r\n";
    let octet = |rest: &[u8]| match quoted_printable_token(rest) {
        Token::Octet(octet) => Some(octet),
        Token::Literal(_) | Token::Soft(_) => None,
    };
    let divides = |at: usize| matches!(encoded.get(at + SOFT.len()..).and_then(octet), Some(0x80..=0xBF));
    if !memmem::find_iter(&encoded, SOFT).any(divides) {
        return encoded;
    }
    let mut out = Vec::with_capacity(encoded.len() + 64);
    for line in encoded.split_inclusive(|b| *b == b'\n') {
        out.extend_from_slice(line.strip_suffix(SOFT).unwrap_or(line));
    }
    let joined = std::mem::take(&mut out);
    let (mut at, mut column) = (0, 0);
    while let Some(rest) = joined.get(at..).filter(|rest| !rest.is_empty()) {
        let len = match octet(rest) {
            Some(first) => {
                let more = usize::from(first >= 0xC0) + usize::from(first >= 0xE0) + usize::from(first >= 0xF0);
                let follows = |n: &usize| matches!(rest.get(n * 3..).and_then(octet), Some(0x80..=0xBF));
                3 + 3 * (1..=more).take_while(follows).count()
            }
            None => 1,
        };
        let ends = |at: usize| joined.get(at).is_none_or(|b| *b == b'\r');
        // The last one of a line needs no room for a soft break behind it.
        let room = ENCODED_LINE - usize::from(!ends(at + len));
        if rest.starts_with(b"\n") {
            column = 0;
        } else if !rest.starts_with(b"\r") {
            if column + len > room {
                out.extend_from_slice(SOFT);
                column = 0;
            }
            column += len;
        }
        out.extend_from_slice(rest.get(..len).unwrap_or_default());
        at += len;
    }
    out
}

fn dangling_soft_break(raw: &[u8]) -> bool {
    let text = raw.trim_ascii_end();
    text.ends_with(b"=") && raw.get(text.len()..).is_some_and(|blank| blank.iter().all(|b| matches!(b, b' ' | b'\t')))
}

// -- base64 --

const fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'+' || b == b'/'
}

/// How far base64 data goes: to its padding, where readers stop. What follows is kept and not read. An error where there
/// is anything but the alphabet and white space before, or one digit too many: readers do not agree on what that is.
fn base64_extent(raw: &[u8]) -> Result<usize, BodyError> {
    let mut digits = 0_usize;
    for (at, &b) in raw.iter().enumerate() {
        if is_base64(b) {
            digits += 1;
        } else if b == b'=' {
            let pad = match digits % 4 {
                2 => 2,
                3 => 1,
                _ => return Err(BodyError::Encoding),
            };
            let rest = raw.get(at..).unwrap_or_default();
            let mut seen = 0;
            let end = rest.iter().position(|b| {
                seen += usize::from(*b == b'=');
                seen == pad || !(*b == b'=' || b.is_ascii_whitespace())
            });
            return match end {
                Some(n) if seen == pad => Ok(at + n + 1),
                _ => Err(BodyError::Encoding),
            };
        } else if !b.is_ascii_whitespace() {
            return Err(BodyError::Encoding);
        }
    }
    if digits % 4 == 1 { Err(BodyError::Encoding) } else { Ok(raw.len()) }
}

/// What stands behind the padding, where all of it is base64 again: some readers go on there, some do not. Empty where it
/// is something else, such as the footer of a mailing list in plain text, which no reader shows as text.
fn base64_pieces(behind: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = behind.trim_ascii();
    while !rest.is_empty() {
        match base64_extent(rest) {
            Ok(extent) if extent > 0 => {
                let (piece, behind) = rest.split_at(extent.min(rest.len()));
                pieces.push(piece);
                rest = behind.trim_ascii_start();
            }
            _ => return Vec::new(),
        }
    }
    pieces
}

/// One edit from the last whole group before the first splice to the end of the data.
fn splice_base64(raw: &[u8], splices: &[Splice], line_end: LineEnd) -> Result<Edit, BodyError> {
    let extent = base64_extent(raw)?;
    if !base64_pieces(raw.get(extent..).unwrap_or_default()).is_empty() {
        return Err(BodyError::Encoding);
    }
    let data = raw.get(..extent).unwrap_or_default();
    let decoded = base64::MIME.decode(data).map_err(|_| BodyError::Encoding)?;
    let first = splices.first().map_or(decoded.len(), |s| s.at.start);
    let group = first / 3;

    let mut tail = Vec::with_capacity(decoded.len() - group * 3 + 64);
    let mut from = group * 3;
    for splice in splices {
        tail.extend_from_slice(decoded.get(from..splice.at.start).unwrap_or_default());
        tail.extend_from_slice(&splice.with);
        from = splice.at.end;
    }
    tail.extend_from_slice(decoded.get(from..).unwrap_or_default());
    drop(decoded);

    // Where that group begins, and how far its line has gone.
    let mut digits = 0;
    let start = data.iter().position(|b| {
        digits += usize::from(is_base64(*b));
        digits > group * 4
    });
    let start = start.unwrap_or_else(|| data.trim_ascii_end().len());
    let is_end = |b: &u8| *b == b'\n' || *b == b'\r';
    let column = data.get(..start).unwrap_or_default().iter().rev().take_while(|b| !is_end(b)).take(MAX_LINE).count();

    // Without padding, readers would go on into what stands behind the data.
    if !raw.get(extent..).unwrap_or_default().trim_ascii().is_empty() && tail.len().is_multiple_of(3) {
        return Err(BodyError::Encoding);
    }
    let mut with = Vec::with_capacity(tail.len() / 3 * 4 + tail.len() / 20 + 64);
    let newline = line_end.as_bytes();
    // Octets that the rest of the line takes, and so many lines at a time.
    let room = ENCODED_LINE.saturating_sub(column) / 4 * 3;
    let (head, rest) = tail.split_at(room.min(tail.len()));
    with.extend_from_slice(base64::STANDARD.encode(head).as_bytes());
    for lines in rest.chunks(ENCODED_LINE / 4 * 3 * 1_024) {
        for line in base64::STANDARD.encode(lines).as_bytes().chunks(ENCODED_LINE) {
            if !with.is_empty() || column > 0 {
                with.extend_from_slice(newline);
            }
            with.extend_from_slice(line);
        }
    }
    // The line end behind the data stays: it is outside the edit.
    let end = data.trim_ascii_end().len().max(start);
    Ok(Edit { range: start..end, with: with.into() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn octets_are_counted_as_they_are_decoded(raw in bodies()) {
            for encoding in [
                TransferEncoding::Identity,
                TransferEncoding::QuotedPrintable,
                TransferEncoding::Base64,
                TransferEncoding::Unknown,
            ] {
                let decoded = decode(encoding, raw.as_bytes()).ok().map(|octets| octets.len());
                prop_assert_eq!(decoded_len(encoding, raw.as_bytes()), decoded, "{:?}", encoding);
            }
        }
    }

    /// What is base64 or quoted-printable, with what both can be broken by.
    fn bodies() -> impl Strategy<Value = String> {
        let data = prop::collection::vec(any::<u8>(), 0..200).prop_map(|octets| base64::MIME.encode(octets));
        let odd = prop::sample::select(vec![
            "=", "==", "=3D", "=\r\n", "= \t\n", "=\r", "\r\n", "\n", " ", "\t", "\u{c}", "\u{b}", "a", "ab", "YWJj",
            "YQ==", "YWI=", "YR==", "é", "-", "_", "+/", "=e9", "=E", "\0",
        ]);
        let odd = prop::collection::vec(odd.prop_map(str::to_owned), 0..20);
        let broken = prop::collection::vec(prop_oneof![data.clone(), odd.clone().prop_map(|all| all.concat())], 0..6);
        prop_oneof![data, odd.prop_map(|all| all.concat()), broken.prop_map(|all| all.concat())]
    }

    /// Splices `with` in for `at` of the decoded text.
    fn spliced(encoding: TransferEncoding, raw: &str, at: Range<usize>, with: &str) -> Option<String> {
        let splices = [Splice { at, with: with.as_bytes().to_vec().into() }];
        let edits = splice(encoding, raw.as_bytes(), 0, &splices, LineEnd::CrLf).unwrap()?;
        let mut out = raw.to_owned();
        for edit in edits.iter().rev() {
            out.replace_range(edit.range.clone(), std::str::from_utf8(&edit.with).unwrap());
        }
        Some(out)
    }

    fn quoted(raw: &str, at: Range<usize>, with: &str) -> String {
        let out = spliced(TransferEncoding::QuotedPrintable, raw, at.clone(), with).unwrap();
        let decode = |raw: &str| String::from_utf8(decode_quoted_printable(raw.as_bytes()).into_owned()).unwrap();
        let mut expected = decode(raw);
        expected.replace_range(at, with);
        assert_eq!(decode(&out), expected, "{out:?}");
        out
    }

    #[test]
    fn lines_that_change_are_seven_bits_whatever_the_others_are() {
        let raw = "é\nabc abc\nü".as_bytes();
        let is_7_bit = |places: &[Range<usize>]| {
            let splices: Vec<_> = places.iter().map(|at| Splice { at: at.clone(), with: Bytes::new() }).collect();
            changed_lines_are_7_bit(raw, &splices)
        };
        assert!(is_7_bit(&[3..6, 7..10]));
        assert!(!is_7_bit(&[Range { start: 0, end: 0 }]));
        assert!(!is_7_bit(&[3..6, 11..11]), "the second is on the last line");
        assert!(!is_7_bit(&[3..4, 7..12]), "the second goes on to the last line");
    }

    #[test]
    fn quoted_printable_is_spliced_in_place() {
        assert_eq!(quoted("Gr=C3=BC=C3=9Fe =3D a\r\nend", 4..4, "x"), "Gr=C3=BCx=C3=9Fe =3D a\r\nend");
        assert_eq!(quoted("a b c\r\n", 2..3, "=é"), "a =3D=C3=A9 c\r\n");
        assert_eq!(quoted("abc\r\n", 0..3, ""), "\r\n");
    }

    #[test]
    fn a_splice_behind_a_soft_break_leaves_the_break_alone() {
        assert_eq!(quoted("one =\r\ntwo", 4..7, "2"), "one =\r\n2");
        assert_eq!(quoted("one =\r\ntwo", 4..4, "x"), "one =\r\nxtwo");
    }

    #[test]
    fn a_soft_break_at_the_very_end_does_not_swallow_what_is_appended() {
        let out = quoted("text=", 4..4, "more");
        assert_eq!(out, "text=\r\nmore");
    }

    #[test]
    fn long_text_in_quoted_printable_is_broken_into_lines() {
        let out = quoted("short\r\n", 5..5, &"word ".repeat(60));
        assert!(out.lines().all(|line| line.len() <= ENCODED_LINE + 1), "{out}");
    }

    #[test]
    fn no_soft_break_divides_a_character() {
        for text in
            ["e\u{301}".repeat(60), "a👩\u{200d}🌾 ".repeat(20), format!("{}é\r\nb", "x".repeat(73)), "=é".repeat(90)]
        {
            let (encoding, encoded) =
                (TransferEncoding::QuotedPrintable, qp::BODY.encode(text.as_bytes()).into_bytes());
            let encoded = whole_characters(encoded);
            assert_eq!(decode(encoding, &encoded).unwrap().as_ref(), text.as_bytes());
            for line in encoded.split(|b| *b == b'\n') {
                assert!(line.len() <= ENCODED_LINE + 1, "{}", line.escape_ascii());
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let line = decode_quoted_printable(line.strip_suffix(b"=").unwrap_or(line)).into_owned();
                assert!(String::from_utf8(line).is_ok());
            }
        }
    }

    #[test]
    fn odd_quoted_printable_reads_as_it_is_shown() {
        let decode = |raw: &'static str| String::from_utf8_lossy(&decode_quoted_printable(raw.as_bytes())).into_owned();
        assert_eq!(decode("a=zz b"), "a=zz b");
        assert_eq!(decode("a= \t\r\nb"), "ab");
        assert_eq!(decode("a=\nb=e9"), "ab\u{fffd}");
        assert_eq!(decode("a="), "a");
        assert!(is_sound(TransferEncoding::QuotedPrintable, b"a=3D=\r\n"));
        assert!(!is_sound(TransferEncoding::QuotedPrintable, b"a=zz"));
    }

    #[test]
    fn an_equals_sign_that_begins_nothing_is_not_made_to_begin_something() {
        let splice_at = |at: usize, with: &str| {
            let splices = [Splice { at: at..at, with: with.as_bytes().to_vec().into() }];
            splice(TransferEncoding::QuotedPrintable, b"a= <b>\r\n", 0, &splices, LineEnd::CrLf)
        };
        assert_eq!(splice_at(3, "\r\nx"), Err(BodyError::Encoding));
        assert_eq!(splice_at(2, "41"), Err(BodyError::Encoding));
        assert!(splice_at(6, "x").is_ok_and(|edits| edits.is_some()));
    }

    #[test]
    fn base64_is_encoded_anew_from_the_last_whole_group() {
        let based = |raw: &str, at, with: &str| spliced(TransferEncoding::Base64, raw, at, with);
        assert_eq!(based("YWJj\r\nZGVm\r\n", 6..6, "ghi").unwrap(), "YWJj\r\nZGVmZ2hp\r\n");
        assert_eq!(based("YWJj\r\nZGU=\r\n", 5..5, "f").unwrap(), "YWJj\r\nZGVm\r\n");
        assert_eq!(based("YWJj\r\nZGU=\r\n", 1..2, "x").unwrap(), "YXhjZGU=\r\n");
        assert_eq!(based("", 0..0, "abc").unwrap(), "YWJj");
    }

    #[test]
    fn base64_lines_keep_their_length() {
        let full = base64::MIME.encode("x".repeat(57).as_bytes());
        let out = spliced(TransferEncoding::Base64, &(full + "\r\n"), 57..57, &"y".repeat(100)).unwrap();
        assert!(out.lines().all(|line| line.len() <= ENCODED_LINE), "{out}");
    }

    #[test]
    fn base64_that_readers_read_differently_is_left_alone() {
        for raw in ["YW?j", "YWJjZ", "YW=j", "YWJjZ===", "=", "YWJj--text"] {
            assert_eq!(decode(TransferEncoding::Base64, raw.as_bytes()), Err(BodyError::Encoding), "{raw}");
        }
        // All pieces are read, for what is looked for in a text; none is edited.
        let pieces = b"SGVsbG8=\r\nIEtpbQ==\r\nIQ";
        assert_eq!(decode(TransferEncoding::Base64, pieces).unwrap().as_ref(), b"Hello Kim!");
        let splices = [Splice { at: 10..10, with: Bytes::from_static(b"x") }];
        assert_eq!(splice(TransferEncoding::Base64, pieces, 0, &splices, LineEnd::CrLf), Err(BodyError::Encoding));
        // A list's footer in plain text behind the padding is not read, and stays.
        let out = spliced(TransferEncoding::Base64, "YQ==\r\n__\r\nlist", 1..1, "b").unwrap();
        assert_eq!(out, "YWI=\r\n__\r\nlist");
        let splices = [Splice { at: 1..1, with: Bytes::from_static(b"bc") }];
        let without_padding = splice(TransferEncoding::Base64, b"YQ==\r\nlist", 0, &splices, LineEnd::CrLf);
        assert_eq!(without_padding, Err(BodyError::Encoding));
    }

    #[test]
    fn what_does_not_fit_into_seven_bits_or_a_line_is_no_splice() {
        let plain = |raw: &str, with: &str| spliced(TransferEncoding::Identity, raw, 1..1, with);
        assert_eq!(plain("ab\r\n", "x").unwrap(), "axb\r\n");
        assert_eq!(plain("ab\r\n", "é"), None);
        assert_eq!(plain("abé\r\n", "x"), None);
        assert_eq!(plain("ab\r\né\r\n", "x").unwrap(), "axb\r\né\r\n");
        assert_eq!(plain("ab\r\n", &"x".repeat(MAX_LINE)), None);
        assert_eq!(plain(&("ab\r".to_owned() + &"x".repeat(MAX_LINE)), "y"), None);
    }

    #[test]
    fn a_whole_body_is_encoded_in_what_suits_it() {
        assert_eq!(
            encode("Grüße an alle, die da sind\r\n".as_bytes(), LineEnd::CrLf).0,
            TransferEncoding::QuotedPrintable
        );
        assert_eq!(encode("日本語".as_bytes(), LineEnd::CrLf).0, TransferEncoding::Base64);
        assert_eq!(encode(b"a\0b", LineEnd::CrLf).0, TransferEncoding::Base64);
        assert_eq!(encode(b"a\rb", LineEnd::CrLf).0, TransferEncoding::Base64);
        assert!(!encode("日本語".repeat(60).as_bytes(), LineEnd::Lf).1.contains(&b'\r'));
    }

    #[test]
    fn the_longest_line_that_changes_is_measured() {
        let longest = |with: &str| {
            longest_changed_line(
                b"ab\nlonger than any\n",
                &[Edit { range: 0..0, with: with.as_bytes().to_vec().into() }],
            )
        };
        assert_eq!(longest("x"), 3);
        assert_eq!(longest("x\nyyy"), 5);
        assert_eq!(longest("x\nyyy\nz"), 3);
        assert_eq!(longest("xxxx\n"), 4);
    }
}
