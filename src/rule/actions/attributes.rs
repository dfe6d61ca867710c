//! Values of HTML attributes that a reader is shown, or that a click hands on.
//!
//! Tags are told from text as far as that takes; in doubt more is looked at, never less. Linear.

use std::ops::Range;

use memchr::memchr;

/// Shown as they are.
const SHOWN: &[&str] = &["alt", "title", "value", "placeholder", "aria-label", "summary"];
/// Shown where they name a person.
const LINKS: &[&str] = &["href", "action"];
const PEOPLE: &[&str] = &["mailto:", "tel:", "sms:"];

/// The byte ranges of those values in `html`, in order, without their quotes.
pub(super) fn shown(html: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(found) = html.as_bytes().get(at..).and_then(|rest| memchr(b'<', rest)) {
        at += found + 1;
        let rest = html.as_bytes().get(at..).unwrap_or_default();
        if rest.first().is_some_and(u8::is_ascii_alphabetic) {
            at = tag(html, at, &mut ranges);
        }
    }
    ranges
}

/// Walk one tag from its name on; answers where it ends.
fn tag(html: &str, start: usize, ranges: &mut Vec<Range<usize>>) -> usize {
    let bytes = html.as_bytes();
    let skip = |from: usize, stop: fn(u8) -> bool| {
        bytes.get(from..).and_then(|rest| rest.iter().position(|b| stop(*b))).map_or(bytes.len(), |n| from + n)
    };
    let mut at = skip(start, |b| b.is_ascii_whitespace() || b == b'>' || b == b'/');
    loop {
        at = skip(at, |b| !b.is_ascii_whitespace() && b != b'/');
        match bytes.get(at) {
            None => return at,
            Some(b'>') => return at + 1,
            _ => {}
        }
        // A name may begin with `=`; so every turn goes on by one octet at least.
        let name_end = skip(at + 1, |b| b.is_ascii_whitespace() || matches!(b, b'=' | b'>' | b'/'));
        let name = html.get(at..name_end).unwrap_or_default();
        at = skip(name_end, |b| !b.is_ascii_whitespace());
        if bytes.get(at) != Some(&b'=') {
            continue;
        }
        at = skip(at + 1, |b| !b.is_ascii_whitespace());
        let (value, end) = match bytes.get(at) {
            Some(b'"') => quoted(at, skip(at + 1, |b| b == b'"')),
            Some(b'\'') => quoted(at, skip(at + 1, |b| b == b'\'')),
            _ => {
                let end = skip(at, |b| b.is_ascii_whitespace() || b == b'>');
                (at..end, end)
            }
        };
        at = end.min(bytes.len());
        if is_shown(name, html.get(value.clone()).unwrap_or_default()) {
            ranges.push(value);
        }
    }
}

fn quoted(open: usize, close: usize) -> (Range<usize>, usize) {
    (open + 1..close, close + 1)
}

fn is_shown(name: &str, value: &str) -> bool {
    let is_one = |names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    let value = value.trim_start();
    let names_a_person =
        || PEOPLE.iter().any(|scheme| value.get(..scheme.len()).is_some_and(|v| v.eq_ignore_ascii_case(scheme)));
    is_one(SHOWN) || (is_one(LINKS) && names_a_person())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(html: &str) -> Vec<&str> {
        shown(html).into_iter().map(|range| html.get(range).unwrap()).collect()
    }

    #[test]
    fn finds_values_in_every_way_of_quoting() {
        assert_eq!(values("<img alt=\"a b\" title='c' value=d src=e>"), ["a b", "c", "d"]);
        assert_eq!(values("<A HREF=\"MailTo:x@y\">z</A><a href=\"https://x\">z</a>"), ["MailTo:x@y"]);
        assert_eq!(values("<img data-x=\">\" alt = \"a\"/>"), ["a"]);
    }

    #[test]
    fn broken_tags_end_somewhere() {
        for html in
            ["<", "<a", "<a href", "<a href=", "<a href=\"", "<a =", "<a ==x>", "<é alt=\"é", "<a/>", "< a alt=x>"]
        {
            let _ = values(html);
        }
        assert_eq!(values("<a alt=\"é"), ["é"]);
    }
}
