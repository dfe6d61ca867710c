//! Taking a tag off a subject, with the bytes around it as they are.
//!
//! Invariant: what is decoded afterwards is what was decoded before, without the tag and the space behind it.

use std::ops::Range;

use super::field::encode_tag;
use super::header::decode_value;

/// The raw value without the tag; `None` where it does not hold it, or the bytes around it cannot be kept.
pub(super) fn untagged_raw(raw: &[u8], tag: &str) -> Option<Vec<u8>> {
    let wanted = untagged(&decode_value(raw), tag)?;
    let mut value = raw.to_vec();
    // Encoded words first, from behind, so that places before stay.
    for word in encoded_words(raw).into_iter().rev() {
        let text = decode_value(raw.get(word.clone())?);
        if let Some(rest) = untagged(&text, tag) {
            // The white space behind the word counts now.
            let parted = raw.get(word.end).is_some_and(u8::is_ascii_whitespace);
            let rest = if parted { rest.trim_end() } else { &rest };
            let with = if rest.trim().is_empty() { Vec::new() } else { encode_tag(rest, 0, false).into_bytes() };
            let end = if with.is_empty() { word.end + blanks(raw.get(word.end..)?) } else { word.end };
            value.splice(word.start..end, with);
        }
    }
    let words = encoded_words(&value);
    let in_word = |at: usize| words.iter().any(|word| word.contains(&at));
    let plain = String::from_utf8_lossy(&value).into_owned();
    if plain.as_bytes() == value.as_slice() {
        for found in occurrences(&plain, tag).into_iter().rev().filter(|found| !in_word(found.start)) {
            value.splice(found, []);
        }
    }
    // A line that is nothing but white space would end the header for some readers.
    let blank = value.split(|b| *b == b'\n').skip(1).any(|line| line.trim_ascii().is_empty());
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    (!blank && words(&decode_value(&value)) == words(&wanted)).then_some(value)
}

/// Text without the tag and the space behind it; `None` where it does not hold it.
pub(super) fn untagged(text: &str, tag: &str) -> Option<String> {
    let found = occurrences(text, tag);
    let mut rest = text.to_owned();
    for range in found.iter().rev() {
        rest.replace_range(range.clone(), "");
    }
    (!found.is_empty()).then_some(rest)
}

/// Where the tag stands as a word of its own, in any case, each with the white space behind it.
fn occurrences(text: &str, tag: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    let joins =
        |a: Option<char>, b: Option<char>| a.is_some_and(char::is_alphanumeric) && b.is_some_and(char::is_alphanumeric);
    for (at, _) in text.char_indices() {
        let Some(end) = at.checked_add(tag.len()).filter(|_| at >= from) else { continue };
        if !text.get(at..end).is_some_and(|word| word == tag || word.eq_ignore_ascii_case(tag)) {
            continue;
        }
        let (before, behind) = (text.get(..at).unwrap_or_default(), text.get(end..).unwrap_or_default());
        if joins(before.chars().next_back(), tag.chars().next())
            || joins(tag.chars().next_back(), behind.chars().next())
        {
            continue;
        }
        let space = behind.len() - behind.trim_start().len();
        from = end + space;
        found.push(at..from);
    }
    found
}

/// `=?charset?encoding?text?=` (RFC 2047 §2).
fn encoded_words(raw: &[u8]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut from = 0;
    while let Some(start) = raw.get(from..).and_then(|rest| memchr::memmem::find(rest, b"=?")).map(|at| from + at) {
        let rest = raw.get(start + 2..).unwrap_or_default();
        let marks: Vec<usize> = memchr::memchr_iter(b'?', rest).take(2).collect();
        let end = marks.get(1).and_then(|second| {
            memchr::memmem::find(rest.get(second + 1..)?, b"?=").map(|at| start + 2 + second + 1 + at + 2)
        });
        match end {
            Some(end) if !raw.get(start..end).is_some_and(|word| word.iter().any(u8::is_ascii_whitespace)) => {
                words.push(start..end);
                from = end;
            }
            _ => from = start + 2,
        }
    }
    words
}

fn blanks(rest: &[u8]) -> usize {
    rest.len() - rest.trim_ascii_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off(raw: &str, tag: &str) -> Option<String> {
        untagged_raw(raw.as_bytes(), tag).map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn a_tag_goes_wherever_it_stands_and_the_rest_stays() {
        for (raw, expected) in [
            (" [EXT] Hi", " Hi"),
            (" Re: [ext] AW: [EXT] Hi  there", " Re: AW: Hi  there"),
            (" Re: [EXT]\r\n Hi\r\n\tthere", " Re: Hi\r\n\tthere"),
            (" [EXT] =?utf-8?Q?=C3=A9?=\r\n =?utf-8?Q?_x?=", " =?utf-8?Q?=C3=A9?=\r\n =?utf-8?Q?_x?="),
            (" =?utf-8?Q?[EXT]?= =?iso-8859-1?q?=E9?=", " =?iso-8859-1?q?=E9?="),
            (" [EXT] Grüße", " Grüße"),
            (" WG: [EXT] Re[2]: [list] [EXT] Hi", " WG: Re[2]: [list] Hi"),
            (" Odp: Hi [EXT] there [ext]", " Odp: Hi there "),
            (" =?utf-8?Q?AW=3A_=5BEXT=5D?=\r\n =?utf-8?Q?_=C3=A9?=", " AW:\r\n =?utf-8?Q?_=C3=A9?="),
            (" [EXT]", " "),
        ] {
            assert_eq!(off(raw, "[EXT]").as_deref(), Some(expected), "{raw}");
        }
        let out = off(" Re: =?utf-8?B?W0VYVF0gR3LDvMOfZQ==?= Kim", "[EXT]").unwrap();
        assert!(decode_value(out.as_bytes()).contains("Re: Grüße Kim"), "{out}");
    }

    #[test]
    fn what_is_no_tag_stays() {
        assert_eq!(off(" NEXT week", "EXT"), None);
        assert_eq!(off(" EXT week", "EXT").as_deref(), Some(" week"));
        assert_eq!(off(" [EXTERNAL] Hi", "[EXT]"), None);
        // The space between two encoded words would be lost: the whole subject is written once more.
        assert_eq!(off(" =?utf-8?Q?a?= [EXT] =?utf-8?Q?b?=", "[EXT]"), None);
    }
}
