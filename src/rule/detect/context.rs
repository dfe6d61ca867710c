//! What stands round a number: words that vouch for it, and places where digits mean something else (URLs, ids, hex).
//!
//! Invariant: no look goes further than a constant number of bytes, so that a text full of candidates stays linear.

use std::ops::Range;

use aho_corasick::AhoCorasick;

/// How far back and ahead a word may stand that vouches for a number, in bytes.
const BEFORE: usize = 120;
const AFTER: usize = 60;

/// How much of what touches a number is looked at on either side, in bytes.
const TOKEN: usize = 128;

/// How far back the start of a URL is looked for, in bytes.
const URL: usize = 1_024;

/// So many characters of base64 beside a number make it part of a blob.
const BLOB: usize = 24;

/// An automaton for words, in any case (ASCII).
pub fn words(words: &[&str]) -> Option<AhoCorasick> {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
}

/// Does one of the words stand near `range`? Whole words; digits may touch them (`card4111…`).
pub fn near(bytes: &[u8], range: &Range<usize>, words: Option<&AhoCorasick>) -> bool {
    let Some(words) = words else { return false };
    let from = range.start.saturating_sub(BEFORE);
    let to = bytes.len().min(range.end.saturating_add(AFTER));
    let Some(window) = bytes.get(from..to) else { return false };
    let letter = |at: Option<usize>| at.and_then(|at| window.get(at)).is_some_and(u8::is_ascii_alphabetic);
    words.find_overlapping_iter(window).any(|found| {
        let open = !letter(Some(found.start())) || !letter(found.start().checked_sub(1));
        let shut = !letter(found.end().checked_sub(1)) || !letter(Some(found.end()));
        open && shut
    })
}

/// What stands before `at`, nearest last, as long as `part_of` holds.
fn back(bytes: &[u8], at: usize, part_of: impl Fn(u8) -> bool) -> &[u8] {
    let window = bytes.get(at.saturating_sub(TOKEN)..at).unwrap_or_default();
    let start = window.iter().rposition(|&b| !part_of(b)).map_or(0, |stop| stop + 1);
    window.get(start..).unwrap_or_default()
}

/// What follows `at` as long as `part_of` holds.
fn ahead(bytes: &[u8], at: usize, part_of: impl Fn(u8) -> bool) -> &[u8] {
    let window = bytes.get(at..bytes.len().min(at.saturating_add(TOKEN))).unwrap_or_default();
    let end = window.iter().position(|&b| !part_of(b)).unwrap_or(window.len());
    window.get(..end).unwrap_or_default()
}

/// Part of a token: anything but white space and what parts URLs and message ids from text.
fn in_token(b: u8) -> bool {
    !b.is_ascii_whitespace() && !b.is_ascii_control() && !b"<>\"".contains(&b)
}

/// Part of a local part or a domain, as message ids have them.
fn in_address(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"._+=$%-!#*".contains(&b)
}

/// Are the digits of `range` something else than a number that stands for itself?
pub fn is_something_else(bytes: &[u8], range: &Range<usize>) -> bool {
    if follows_decimal_point(bytes, range.start) {
        return true;
    }
    let matched = bytes.get(range.clone()).unwrap_or_default();
    if matched.iter().any(u8::is_ascii_whitespace) {
        return false;
    }
    let before = back(bytes, range.start, in_token);
    let after = ahead(bytes, range.end, in_token);
    in_url(bytes, range.start)
        || in_message_id(bytes, range)
        || in_hex(bytes, range)
        || in_uuid(bytes, range)
        || in_blob(bytes, range)
        || in_boundary(before, after)
}

/// `0.5227687358856201`.
pub fn follows_decimal_point(bytes: &[u8], start: usize) -> bool {
    matches!(bytes.get(start.saturating_sub(2)..start), Some([digit, b'.']) if digit.is_ascii_digit())
}

/// `+41 44…`: a telephone number.
pub fn follows_plus(bytes: &[u8], start: usize) -> bool {
    start.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'+')
}

/// `https://example.com/4111…`. A comma or bar before the number ends the URL: a line of CSV.
fn in_url(bytes: &[u8], start: usize) -> bool {
    let window = bytes.get(start.saturating_sub(URL)..start).unwrap_or_default();
    if window.last().is_none_or(|last| b",;| \t\r\n".contains(last)) {
        return false;
    }
    // What ends a URL; found by memchr, which is ten times as fast here as a loop.
    let end = memchr::memrchr3(b' ', b'\n', b'<', window).max(memchr::memrchr3(b'\t', b'"', b'>', window));
    let token = end.map_or(window, |end| window.get(end + 1..).unwrap_or_default());
    let starts = |prefix: &[u8]| token.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    memchr::memmem::find(token, b"://").is_some() || [&b"www."[..], b"cid:", b"mid:", b"urn:"].iter().any(|p| starts(p))
}

/// `<4111….x@mail.example>`.
fn in_message_id(bytes: &[u8], range: &Range<usize>) -> bool {
    let local = ahead(bytes, range.end, in_address);
    let at = range.end + local.len();
    if bytes.get(at) == Some(&b'@') {
        let domain = ahead(bytes, at + 1, |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        let dotted = domain.iter().rposition(|&b| b == b'.').is_some_and(|dot| dot > 0 && dot + 1 < domain.len());
        let closed = bytes.get(at + 1 + domain.len()) == Some(&b'>');
        if !domain.is_empty() && (dotted || closed) {
            return true;
        }
    }
    let domain = back(bytes, range.start, |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    let at = range.start.checked_sub(domain.len() + 1);
    at.is_some_and(|at| {
        let local = back(bytes, at, in_address);
        bytes.get(at) == Some(&b'@') && !local.is_empty()
    })
}

/// `a4111111111111111f`, `0x4111…`: letters touch the number and all of them are hex digits.
fn in_hex(bytes: &[u8], range: &Range<usize>) -> bool {
    let before = back(bytes, range.start, |b| b.is_ascii_alphanumeric());
    let after = ahead(bytes, range.end, |b| b.is_ascii_alphanumeric());
    let before = before.strip_prefix(b"0x").unwrap_or(before);
    let touched = before.len() + after.len() > 0 || back(bytes, range.start, |b| b.is_ascii_alphanumeric()).len() == 2;
    touched && before.iter().chain(after).all(u8::is_ascii_hexdigit)
}

/// `41111111-1111-1111-1111-111111111111`.
fn in_uuid(bytes: &[u8], range: &Range<usize>) -> bool {
    let part_of = |b: u8| b.is_ascii_hexdigit() || b == b'-';
    let before = back(bytes, range.start, part_of);
    let after = ahead(bytes, range.end, part_of);
    let whole = bytes.get(range.start - before.len()..range.end + after.len()).unwrap_or_default();
    whole.len() == 36 && whole.split(|&b| b == b'-').map(<[u8]>::len).eq([8, 4, 4, 4, 12])
}

/// A line of base64, a token, a DKIM value: much else on either side, of both cases and with digits.
fn in_blob(bytes: &[u8], range: &Range<usize>) -> bool {
    let part_of = |b: u8| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b);
    let before = back(bytes, range.start, part_of);
    let after = ahead(bytes, range.end, part_of);
    let has = |test: fn(&u8) -> bool| before.iter().chain(after).any(test);
    before.len() + after.len() >= BLOB
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

/// `------=_Part_4111…_1`, `--boundary4111…`.
fn in_boundary(before: &[u8], after: &[u8]) -> bool {
    let dashes = before.iter().take_while(|&&b| b == b'-').count();
    let rest = before.get(dashes..).unwrap_or_default();
    let odd = |b: &u8| b"=_".contains(b);
    dashes >= 2 && !rest.is_empty() && (rest.iter().any(odd) || after.iter().any(odd) || dashes >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_near_as_words() {
        let list = words(&["card", "ss#", "social security"]);
        for (text, want) in [
            ("card 123", true),
            ("CARD123", true),
            ("my Social Security is 123", true),
            ("SS# 123", true),
            ("discard 123", false),
            ("cardigan 123", false),
            ("123 on my card", true),
            ("123", false),
        ] {
            let start = text.find("123").unwrap();
            assert_eq!(near(text.as_bytes(), &(start..start + 3), list.as_ref()), want, "{text}");
        }
        let far = format!("card {} 123", "x".repeat(200));
        assert!(!near(far.as_bytes(), &(far.len() - 3..far.len()), list.as_ref()));
    }

    #[test]
    fn digits_that_are_something_else() {
        let number = "4111111111111111";
        for (text, want) in [
            ("4111111111111111", false),
            ("card:4111111111111111,", false),
            ("card4111111111111111x", false),
            ("(4111111111111111)", false),
            ("Ann,https://example.com/x,4111111111111111", false),
            ("ann@example.com,4111111111111111", false),
            ("--4111111111111111", false),
            ("0.4111111111111111", true),
            ("https://example.com/o?id=4111111111111111&x=1", true),
            ("www.example.com/4111111111111111", true),
            ("<4111111111111111.7@mail.example>", true),
            ("<x@4111111111111111.mail.example>", true),
            ("a4111111111111111f", true),
            ("0x4111111111111111", true),
            ("aGVsbG8gd29ybGQxMjM0NTY3ODkw4111111111111111ZZ", true),
            ("------=_Part_4111111111111111_7", true),
        ] {
            let start = text.find(number).unwrap();
            assert_eq!(is_something_else(text.as_bytes(), &(start..start + number.len())), want, "{text}");
        }
        let uuid = "41111111-1111-1111-1111-111111111111";
        assert!(is_something_else(uuid.as_bytes(), &(9..23)));
    }
}
