//! A URL as far as a rule needs to know it: what it is, and whose host it names beyond doubt.
//!
//! Follows the WHATWG URL standard in what a browser leaves out (control characters, line ends) and takes for a slash.
//! The host is read more strictly than there: it is known only where every program reads the same one. Whatever is odd
//! (a user in front of it, a backslash, percent signs) has no known host, and no allow list lets it pass. That makes a
//! parser with tables for every script unnecessary: the crate `url` would bring ten more and half a megabyte.

use std::borrow::Cow;

use crate::envelope::Domain;

/// What sort of URL it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sort {
    /// `http:` or `https:`, and its host where that is beyond doubt.
    Web(Option<Domain>),
    /// `//host/path`: the scheme of the page, which for mail is that of the web mail program.
    SchemeRelative,
    /// `www.example.com`, of which mail programs make a web page.
    Bare,
    /// Relative to a base.
    Relative,
    /// `#place`: stays in the message.
    Fragment,
    /// Another scheme: `mailto:`, `tel:`, `cid:`, `data:`, `javascript:`.
    Other,
}

/// The URL without what browsers leave out: control characters and spaces round it, tabs and line ends in it.
pub(super) fn cleaned(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim_matches(|c: char| c <= ' ');
    if trimmed.contains(['\t', '\n', '\r']) {
        Cow::Owned(trimmed.replace(['\t', '\n', '\r'], ""))
    } else {
        Cow::Borrowed(trimmed)
    }
}

/// What sort of URL a cleaned one is.
pub(super) fn sort(url: &str) -> Sort {
    if let Some((scheme, rest)) = scheme(url) {
        return if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") {
            Sort::Web(host(rest))
        } else {
            Sort::Other
        };
    }
    let is_slash = |byte: Option<&u8>| matches!(byte, Some(b'/' | b'\\'));
    let bytes = url.as_bytes();
    if is_slash(bytes.first()) && is_slash(bytes.get(1)) {
        Sort::SchemeRelative
    } else if url.starts_with('#') || url.is_empty() {
        Sort::Fragment
    } else if url.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www.")) {
        Sort::Bare
    } else {
        Sort::Relative
    }
}

/// The scheme and what stands behind its colon.
fn scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let mut letters = scheme.bytes();
    let first = letters.next().is_some_and(|b| b.is_ascii_alphabetic());
    (first && letters.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))).then_some((scheme, rest))
}

/// The host of a web page, from behind the scheme's colon; `None` where programs might read another one.
fn host(rest: &str) -> Option<Domain> {
    let authority = rest.strip_prefix("//")?.split(['/', '?', '#']).next()?;
    let (name, port) = authority.split_once(':').map_or((authority, None), |(name, port)| (name, Some(port)));
    let plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'));
    let sound = plain
        && name.starts_with(char::is_alphanumeric)
        && name.contains('.')
        && port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()));
    if sound { Domain::new(name).ok() } else { None }
}

/// Where a relative URL leads (RFC 3986 §5.2.2, without taking `..` out, which every reader of the result does).
pub(super) fn joined(base: &str, relative: &str) -> Option<String> {
    let base = cleaned(base);
    let (Sort::Web(Some(_)), Some((scheme, _))) = (sort(&base), scheme(&base)) else { return None };
    let authority_end = base.get(scheme.len() + 3..)?.find(['/', '?', '#']).map(|at| at + scheme.len() + 3);
    let (origin, path) = base.split_at(authority_end.unwrap_or(base.len()));
    let path = path.split('#').next().unwrap_or_default();
    Some(match relative.chars().next()? {
        '?' => format!("{origin}{}{relative}", path.split('?').next().unwrap_or_default()),
        '/' | '\\' => format!("{origin}{relative}"),
        _ => {
            let path = path.split('?').next().unwrap_or_default();
            let folder = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
            format!("{origin}{folder}{relative}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        Domain::new(text).unwrap()
    }

    #[test]
    fn a_host_is_known_only_beyond_doubt() {
        for (url, host) in [
            ("https://Example.com", "example.com"),
            ("HTTP://a.example.com:8080/b@c", "a.example.com"),
            ("https://example.com?a", "example.com"),
            ("https://example.com.", "example.com"),
            ("https://m\u{fc}nchen.example/", "xn--mnchen-3ya.example"),
        ] {
            assert_eq!(sort(url), Sort::Web(Some(domain(host))), "{url}");
        }
        for url in [
            "https://example.com@evil.example/",
            "https://example.com:80@evil.example/",
            "https://evil.example\\@example.com/",
            "https:\\\\example.com/",
            "https:///example.com/",
            "https:/example.com/",
            "https:example.com",
            "https://example.com%2eevil.example/",
            "https://example\u{ad}.com/",
            "https://[::1]/",
            "https://",
            "https://localhost/",
        ] {
            assert_eq!(sort(url), Sort::Web(None), "{url}");
        }
    }

    #[test]
    fn other_urls_are_told_apart() {
        for (url, expected) in [
            ("mailto:a@example.com", Sort::Other),
            ("JavaScript:alert(1)", Sort::Other),
            ("data:text/html,x", Sort::Other),
            ("//example.com/", Sort::SchemeRelative),
            ("/\\example.com/", Sort::SchemeRelative),
            ("www.example.com", Sort::Bare),
            ("#top", Sort::Fragment),
            ("", Sort::Fragment),
            ("a/b.html", Sort::Relative),
            ("?a=b:c", Sort::Relative),
        ] {
            assert_eq!(sort(&cleaned(url)), expected, "{url}");
        }
        assert_eq!(cleaned(" \u{1}ht\ntp\ts://a.example \r\n"), "https://a.example");
    }

    #[test]
    fn relative_links_follow_their_base() {
        let base = "https://b.example/c/d?e#f";
        for (relative, url) in [
            ("g", "https://b.example/c/g"),
            ("/g", "https://b.example/g"),
            ("?g", "https://b.example/c/d?g"),
            ("../g", "https://b.example/c/../g"),
        ] {
            assert_eq!(joined(base, relative).as_deref(), Some(url));
        }
        assert_eq!(joined("https://b.example", "g").as_deref(), Some("https://b.example/g"));
        assert_eq!(joined("https://b.example?x", "g").as_deref(), Some("https://b.example/g"));
        assert_eq!(joined("file:///c/", "g"), None);
        assert_eq!(joined("/c/", "g"), None);
    }
}
