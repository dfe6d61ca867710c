//! URLs in text, as mail programs find them: from the scheme, or `www.`, to white space, quotes or angle brackets, without
//! the punctuation of the sentence.
//!
//! Where programs differ about the end of a URL it does not matter which one is right: what stands behind it stands
//! behind the rewritten one too, and belongs to its last parameter for those that read on.

use std::ops::Range;

use memchr::memmem;

use super::url;
use crate::message::Spelled;

/// Lines over which a URL in angle brackets may go on (RFC 3986 appendix C).
const MAX_LINES: usize = 20;
/// Octets of a URL. Longer ones are cut there, which is no loss, as said above.
const MAX_URL: usize = 8_192;

/// A URL in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// What it is, line ends left out.
    pub(super) url: String,
}

/// Hands on every URL, in order and apart, as long as `found` says so. Linear.
pub(super) fn each_url(text: &str, found: &mut dyn FnMut(Found) -> bool) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let schemes = memmem::Finder::new("://");
    // Both are looked for once: each next one is kept until it is passed.
    let next_scheme = |from: usize| schemes.find(bytes.get(from..).unwrap_or_default()).map(|at| from + at);
    let next_www = |from: usize| {
        let dots = memchr::memchr_iter(b'.', bytes.get(from..).unwrap_or_default());
        dots.map(|dot| from + dot).find(|dot| {
            dot.checked_sub(3)
                .filter(|start| *start >= from)
                .is_some_and(|start| bytes.get(start..*dot).is_some_and(|www| www.eq_ignore_ascii_case(b"www")))
        })
    };
    let (mut scheme, mut www) = (next_scheme(0), next_www(0));
    loop {
        if scheme.is_some_and(|colon| colon < at) {
            scheme = next_scheme(at);
        }
        if www.is_some_and(|dot| dot < at + 3) {
            www = next_www(at);
        }
        let by_scheme = match (scheme, www) {
            (Some(colon), Some(dot)) => colon < dot,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return,
        };
        let (start, host) = if by_scheme {
            let colon = scheme.unwrap_or_default();
            at = colon + 3;
            let Some(start) = scheme_start(bytes, colon) else { continue };
            (start, colon + 3)
        } else {
            let dot = www.unwrap_or_default();
            at = dot + 1;
            if !may_begin_bare(text.get(..dot - 3).unwrap_or_default()) {
                continue;
            }
            (dot - 3, dot - 3)
        };
        let end = url_end(text, host);
        let shortest = if by_scheme { host + 1 } else { dot_behind(text, host + 4, end) };
        if end < shortest {
            continue;
        }
        let mut one = Found { range: start..end, url: text.get(start..end).unwrap_or_default().to_owned() };
        if text.get(..start).is_some_and(|before| before.ends_with('<')) {
            go_on(text, &mut one);
        }
        at = one.range.end.max(at);
        if !found(one) {
            return;
        }
    }
}

/// Where `http` or `https` begins that ends at `colon`.
fn scheme_start(bytes: &[u8], colon: usize) -> Option<usize> {
    let named = |scheme: &[u8]| {
        let start = colon.checked_sub(scheme.len())?;
        bytes.get(start..colon).filter(|word| word.eq_ignore_ascii_case(scheme)).map(|_| start)
    };
    let start = named(b"https").or_else(|| named(b"http"))?;
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    (!before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'+'))).then_some(start)
}

/// True where `www.` may begin behind this text: not in an address or another URL.
fn may_begin_bare(before: &str) -> bool {
    before.chars().next_back().is_none_or(|c| c.is_whitespace() || c == '\u{feff}' || "(<[{\"'*>|“‘«„:,;".contains(c))
}

/// The least end of a URL that begins with `www.`: behind a second dot and a letter.
fn dot_behind(text: &str, from: usize, end: usize) -> usize {
    let host = text.get(from..end.max(from)).unwrap_or_default().split(['/', '?', '#', ':']).next().unwrap_or_default();
    host.find('.').filter(|dot| *dot > 0).map_or(usize::MAX, |dot| from + dot + 2)
}

/// Where the URL ends whose host begins at `host`.
fn url_end(text: &str, host: usize) -> usize {
    let rest = text.get(host..).unwrap_or_default();
    let mut in_host = true;
    let mut before = '/';
    let mut end = host;
    for (at, c) in rest.char_indices() {
        let goes_on = if c.is_ascii() {
            c.is_ascii_graphic() && !"\"<>`".contains(c)
        } else if is_unspaced(c) {
            // A host may be written in them; elsewhere the sentence goes on.
            in_host && (before == '.' || before == '/' || !before.is_ascii())
        } else {
            c.is_alphanumeric()
        };
        if !goes_on || at >= MAX_URL {
            break;
        }
        in_host &= !matches!(c, '/' | '?' | '#');
        before = c;
        end = host + at + c.len_utf8();
    }
    without_punctuation(text, host, end)
}

/// Letters of scripts that put no space between words.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x2E80..=0x9FFF | 0xAC00..=0xD7AF
        | 0xF900..=0xFAFF | 0xFF00..=0xFFEF | 0x1F000..=0x3FFFF)
}

/// The end without what belongs to the sentence: points, quotes, and closing brackets that nothing in the URL opens.
fn without_punctuation(text: &str, start: usize, end: usize) -> usize {
    let url = text.get(start..end).unwrap_or_default();
    let count = |c: char| url.bytes().filter(|b| char::from(*b) == c).count();
    let mut open = [('(', ')'), ('[', ']'), ('{', '}')].map(|(open, close)| (close, count(open), count(close)));
    let mut kept = url;
    while let Some(last) = kept.chars().next_back() {
        let goes = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '|' | '\\' => true,
            ')' | ']' | '}' => match open.iter_mut().find(|(close, ..)| *close == last) {
                Some((_, opened, closed)) if *closed > *opened => {
                    *closed -= 1;
                    true
                }
                _ => false,
            },
            _ => false,
        };
        if !goes {
            break;
        }
        kept = kept.get(..kept.len() - last.len_utf8()).unwrap_or_default();
    }
    start + kept.len()
}

/// A URL in angle brackets that goes on in the next lines, up to its `>`.
fn go_on(text: &str, one: &mut Found) {
    let mut url = one.url.clone();
    let mut at = one.range.end;
    for _ in 0..MAX_LINES {
        let rest = text.get(at..).unwrap_or_default();
        let word = rest.bytes().take(MAX_URL).take_while(|b| b.is_ascii_graphic() && !b"\"<>`".contains(b)).count();
        url.push_str(rest.get(..word).unwrap_or_default());
        at += word;
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with('>') {
            *one = Found { range: one.range.start..at, url };
            return;
        }
        let Some(line) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')) else { return };
        // Quoted lines go on behind their marks.
        let marks = line.bytes().take(MAX_LINES).take_while(|b| matches!(b, b'>' | b' ')).count();
        let marks = if line.starts_with('>') { marks } else { 0 };
        at += rest.len() - line.len() + marks;
        if url.len() > MAX_URL {
            return;
        }
    }
}

/// A text with `delsp=yes` as its lines go on (RFC 3676 §4.2): a soft line break and the space before it are no part of it.
pub(super) fn without_soft_breaks(text: &str) -> Spelled {
    let mut spelled = Spelled::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        let bare = line.trim_end_matches(['\r', '\n']);
        let depth = |line: &str| line.bytes().take_while(|b| *b == b'>').count();
        let next = text.get(end..).unwrap_or_default();
        let is_soft = bare.ends_with(' ')
            && bare.trim_start_matches(['>', ' ']) != "-- "
            && !next.is_empty()
            && depth(next) == depth(bare);
        // Marks and stuffing of a line that goes on are left out as well.
        let from = if spelled.text().ends_with('\n') || spelled.text().is_empty() {
            start
        } else {
            let marks = depth(line);
            start + marks + usize::from(line.get(marks..).is_some_and(|rest| rest.starts_with(' ')))
        };
        let to = if is_soft { start + bare.len() - 1 } else { end };
        if from < to {
            spelled.push(text.get(from..to).unwrap_or_default(), from..to, true);
        }
    }
    spelled
}

/// True for what is found as it stands and led through a gateway: it needs a scheme.
pub(super) fn with_scheme(found: &str) -> String {
    if url::sort(found) == url::Sort::Bare { format!("http://{found}") } else { found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<Found> {
        let mut all = Vec::new();
        each_url(text, &mut |found| {
            all.push(found);
            true
        });
        all
    }

    fn found(text: &str) -> Vec<String> {
        let all = urls(text);
        for one in &all {
            assert!(text.get(one.range.clone()).is_some());
        }
        assert!(all.windows(2).all(|two| two[0].range.end <= two[1].range.start));
        all.into_iter().map(|one| one.url).collect()
    }

    #[test]
    fn urls_end_where_the_sentence_goes_on() {
        for (text, url) in [
            ("See https://a.example/b.", "https://a.example/b"),
            ("(https://a.example/b)", "https://a.example/b"),
            ("https://a.example/b_(c)", "https://a.example/b_(c)"),
            ("(see https://a.example/b_(c)).", "https://a.example/b_(c)"),
            ("<https://a.example/?b=c&d>", "https://a.example/?b=c&d"),
            ("Terms<https://a.example/>.", "https://a.example/"),
            ("[text](https://a.example/)", "https://a.example/"),
            ("\"HTTPS://A.example/\"!", "HTTPS://A.example/"),
            ("*https://a.example/*", "https://a.example/"),
            ("https://m\u{fc}nchen.example/stra\u{df}e?", "https://m\u{fc}nchen.example/stra\u{df}e"),
            ("请看https://a.example/b请看", "https://a.example/b"),
            ("请看https://a.example请看", "https://a.example"),
            ("https://例え.example/b。", "https://例え.example/b"),
            ("www.a.example/b, yes", "www.a.example/b"),
            ("https://a.example/?u=https://b.example/", "https://a.example/?u=https://b.example/"),
            ("https://a.example/\u{a0}b", "https://a.example/"),
            ("<https://a.example/long\r\n/path?b=c>", "https://a.example/long/path?b=c"),
            ("> <https://a.example/long\n> /path>", "https://a.example/long/path"),
            ("<https://a.example/long\nand so on", "https://a.example/long"),
        ] {
            assert_eq!(found(text), [url], "{text}");
        }
        for text in [
            "",
            "://",
            "https://",
            "https:// a",
            "git+https://a.example/",
            "ftp://a.example/",
            "ann@www.a.example",
            "www.a",
            "www..a",
            "www.",
            "awww.a.example",
            "https://.",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
        assert_eq!(found("http://a.example http://b.example\nwww.c.example").len(), 3);
    }

    #[test]
    fn lines_that_go_on_are_one() {
        let joined = without_soft_breaks("> https://a.example/lo \r\n> ng and\r\nx \r\n-- \r\ny");
        assert_eq!(joined.text(), "> https://a.example/long and\r\nx-- \r\ny");
        assert_eq!(without_soft_breaks("a \n> b\n").text(), "a \n> b\n");
    }

    #[test]
    fn time_is_linear_in_odd_texts() {
        for text in ["https://a.example/(", "<https://a\n", "www.", "https://a.example/)", "http://", "<http://a.b/\n"]
        {
            urls(&text.repeat(50_000));
        }
        urls(&format!("https://a.example/{}", ")".repeat(500_000)));
        without_soft_breaks(&"> a \n".repeat(100_000));
    }
}
