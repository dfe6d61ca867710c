//! The URL of a gateway that links are led through, and the way back.

use super::url::{self, Sort};
use crate::percent::{self, NOT_ASCII, RESERVED};

/// The place of the link in the option.
const VARIABLE: &str = "url";
/// Links that were led through a gateway so often and more stay as they are.
const MAX_NESTED: usize = 10;
/// Characters of a gateway's URL.
const MAX_LENGTH: usize = 500;

/// A gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gateway {
    before: String,
    behind: String,
}

impl Gateway {
    /// Read `https://gate.example.com/?u={{ url }}`. The error says what is wrong.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (before, rest) = text.split_once("{{").ok_or("it has no `{{ url }}` for the link")?;
        let (name, behind) = rest.split_once("}}").ok_or("its `{{` has no `}}`")?;
        if name.trim() != VARIABLE {
            return Err("`{{ url }}` is all that it can hold");
        }
        let is_plain = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(c);
        if !before.chars().all(is_plain) || !behind.chars().all(is_plain) {
            return Err("it holds what is not written in a URL as it is, or more than one variable");
        }
        if text.len() > MAX_LENGTH {
            return Err("it is too long");
        }
        let Sort::Web(Some(_)) = url::sort(before) else {
            return Err("it has to begin with `https://` or `http://` and a host");
        };
        let path = before.splitn(4, '/').nth(3);
        if path.is_none() {
            return Err("the link has to stand behind the host and a `/`");
        }
        Ok(Self { before: before.to_owned(), behind: behind.to_owned() })
    }

    /// The link through the gateway; ASCII without white space, quotes or angle brackets.
    pub(super) fn through(&self, url: &str) -> String {
        format!("{}{}{}", self.before, percent::encoded(url, RESERVED), self.behind)
    }

    /// True for a link that leads through this gateway, whoever wrote it.
    pub(super) fn leads(&self, url: &str) -> bool {
        url.starts_with(&self.before)
    }

    /// Where a link through one of these gateways leads; `None` for other links, and where it leads is no web page.
    pub(super) fn unwrapped(gateways: &[Self], url: &str) -> Option<String> {
        let inside = |url: &str| {
            let gateway = gateways.iter().find(|gateway| gateway.leads(url))?;
            let rest = url.strip_prefix(&gateway.before)?;
            // What stood behind the link in the text is kept from it by what always stands behind it.
            percent_decoded(rest.strip_suffix(&gateway.behind).unwrap_or(rest))
        };
        let mut found = inside(url)?;
        for _ in 0..MAX_NESTED {
            if let Some(next) = inside(&found) {
                found = next;
            } else {
                let is_sound = !found.contains(|c: char| c <= ' ' || c == '\u{7f}' || "\"<>\\".contains(c));
                let is_through = gateways.iter().any(|gateway| gateway.leads(&found));
                let is_web = matches!(url::sort(&found), Sort::Web(_));
                return (is_sound && is_web && !is_through).then(|| percent::encoded(&found, NOT_ASCII).to_string());
            }
        }
        None
    }
}

/// The text that percent signs spell; `None` where it is no UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex =
            |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        if let (b'%', Some(high), Some(low)) = (byte, hex(at + 1), hex(at + 2)) {
            out.push(high * 16 + low);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway() -> Gateway {
        Gateway::read("https://gate.example.com/?u={{ url }}&k=1").unwrap()
    }

    #[test]
    fn there_and_back() {
        for url in ["https://a.example/?b=c&d=%26#e", "http://a.example", "https://a.example/%C3%A9"] {
            let through = gateway().through(url);
            assert!(gateway().leads(&through));
            assert_eq!(Gateway::unwrapped(&[gateway()], &through).as_deref(), Some(url));
            let twice = gateway().through(&through);
            assert_eq!(Gateway::unwrapped(&[gateway()], &twice).as_deref(), Some(url));
        }
        for url in [
            "https://gate.example.com@evil.example/?u=",
            "https://gate.example.com/?u=javascript%3Aalert(1)",
            "https://gate.example.com/?u=https%3A%2F%2Fa%22",
            "https://gate.example.com/?u=%FF",
            "https://gate.example.com/other",
        ] {
            assert_eq!(Gateway::unwrapped(&[gateway()], url), None, "{url}");
        }
    }

    #[test]
    fn what_is_no_gateway() {
        for text in [
            "https://gate.example.com/?u=",
            "https://gate.example.com/?u={{ url",
            "https://gate.example.com/?u={{ link }}",
            "https://gate.example.com{{ url }}",
            "https://gate.example.com?u={{ url }}",
            "{{ url }}",
            "gate.example.com/{{ url }}",
            "https://user@gate.example.com/{{ url }}",
            "https://gate.example.com/a b/{{ url }}",
            "https://gate.example.com/\"/{{ url }}",
            "https://gate.example.com/{{ url }}/{{ url }}",
        ] {
            assert!(Gateway::read(text).is_err(), "{text}");
        }
    }
}
