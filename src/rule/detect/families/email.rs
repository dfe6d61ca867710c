//! E-mail addresses as people write them: the dot-atoms and quoted strings of RFC 5322 §3.4.1, with IDN, and
//! `name [at] host [dot] example`. Not what only looks like one: message ids, content ids, file names, the user in a URL.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::super::catalog::{Find, Spec};

/// E-mail addresses.
pub const SPEC: Spec = Spec {
    name: "email",
    label: "EMAIL",
    groups: &["contact"],
    doc: "e-mail addresses",
    keywords: &[],
    find: Find::Email,
};

/// RFC 5321 §4.5.3.1.
const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 253;

/// How far back the name of the header field may stand that makes an address a message id, in bytes.
const FIELD: usize = 200;

/// No top-level domains: `icon@2x.png`.
const FILE_NAMES: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "css", "js", "html", "htm", "php", "pdf", "txt", "doc",
    "docx", "xls", "xlsx", "ppt", "pptx", "xml", "json", "eml", "exe", "dll",
];

/// `ann [at] example [dot] com`.
static SPELLED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)[a-z0-9_][a-z0-9._%+'-]{0,63}[ \t]{0,3}[\[({][ \t]?at[ \t]?[\])}][ \t]{0,3}",
        r"[a-z0-9-]{1,63}(?:(?:\.|[ \t]{0,3}[\[({][ \t]?dot[ \t]?[\])}][ \t]{0,3})[a-z0-9-]{1,63}){0,8}",
        r"(?:\.|[ \t]{0,3}[\[({][ \t]?dot[ \t]?[\])}][ \t]{0,3})[a-z]{2,24}\b"
    ))
    .ok()
});

/// Chinese, Japanese, Korean and other scripts written without spaces: text that touches an address is no part of it.
fn is_wide(c: char) -> bool {
    c >= '\u{2E80}'
}

/// May stand in an unquoted local part. `/`, `=`, `?` and `&` may by RFC 5322, but in mail they end a URL or a query.
fn in_local(c: char, wide: bool) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "._%+'-".contains(c)
    } else {
        c.is_alphanumeric() && (wide || !is_wide(c))
    }
}

fn in_domain(c: char, wide: bool) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || c == '.' || c == '-'
    } else {
        c.is_alphanumeric() && (wide || !is_wide(c))
    }
}

/// Where the local part before the `@` at `at` begins.
fn local_start(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    if let Some(inner) = before.strip_suffix('"') {
        let open = inner.bytes().rev().take(MAX_LOCAL).position(|b| b == b'"' || b == b'\n')?;
        let start = inner.len() - open - 1;
        return (open > 0 && inner.as_bytes().get(start) == Some(&b'"')).then_some(start);
    }
    let wide = before.chars().next_back().is_some_and(is_wide);
    let mut start = at;
    for (offset, c) in before.char_indices().rev() {
        if !in_local(c, wide) || at - offset > MAX_LOCAL {
            break;
        }
        start = offset;
    }
    let local = text.get(start..at)?;
    let trimmed = local.trim_start_matches(|c: char| c != '_' && !c.is_alphanumeric());
    (!trimmed.is_empty()).then_some(at - trimmed.len())
}

/// Where the domain that begins at `start` ends.
fn domain_end(text: &str, start: usize) -> Option<usize> {
    let after = text.get(start..)?;
    let wide = after.chars().next().is_some_and(is_wide);
    let mut end = 0;
    for (offset, c) in after.char_indices() {
        let doubled = c == '.' && after.get(..offset).is_some_and(|domain| domain.is_empty() || domain.ends_with('.'));
        if !in_domain(c, wide) || doubled || offset >= MAX_DOMAIN {
            break;
        }
        end = offset + c.len_utf8();
    }
    let domain = after.get(..end)?.trim_end_matches(['.', '-']);
    let (host, top) = domain.rsplit_once('.')?;
    let letters = top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
    let punycode = top.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--"));
    let is_file = FILE_NAMES.iter().any(|name| top.eq_ignore_ascii_case(name));
    ((letters || punycode) && !is_file && !host.starts_with('-')).then_some(start + domain.len())
}

/// `Message-ID: <…>`, `cid:…`, `https://ann@…`: an id, or the user of a URL.
fn is_id(text: &str, start: usize) -> bool {
    let bytes = text.as_bytes();
    let window = bytes.get(start.saturating_sub(FIELD)..start).unwrap_or_default();
    let line = window.iter().rposition(|&b| b == b'\n').map_or(window, |end| window.get(end + 1..).unwrap_or_default());
    let token =
        line.iter().rposition(u8::is_ascii_whitespace).map_or(line, |end| line.get(end + 1..).unwrap_or_default());
    let lower = token.to_ascii_lowercase();
    if lower.ends_with(b"cid:") || lower.ends_with(b"mid:") {
        return true;
    }
    if let Some(scheme) = memchr::memmem::find(&lower, b"://") {
        return !lower.get(scheme + 3..).unwrap_or_default().iter().any(|b| b"/?#".contains(b));
    }
    let field = line.to_ascii_lowercase();
    let field = field.trim_ascii_start();
    let field = field.strip_prefix(b">").map_or(field, <[u8]>::trim_ascii_start);
    lower.ends_with(b"<")
        && [&b"message-id:"[..], b"in-reply-to:", b"references:", b"content-id:", b"resent-message-id:"]
            .iter()
            .any(|name| field.starts_with(name))
}

/// Hand the range of every address to `found`, in order, as long as it says so.
pub fn find(text: &str, mut found: impl FnMut(Range<usize>) -> bool) {
    let bytes = text.as_bytes();
    let mut last = 0;
    for at in memchr::memchr_iter(b'@', bytes) {
        if at < last {
            continue;
        }
        let Some(end) = domain_end(text, at + 1) else { continue };
        let Some(start) = local_start(text, at).filter(|&start| start >= last) else { continue };
        if !is_id(text, start) && !found(start..end) {
            return;
        }
        last = end;
    }
    // The expression is only worth its time where a bracket follows `at`.
    let spelled = memchr::memchr3_iter(b']', b')', b'}', bytes).any(|close| {
        bytes.get(..close).is_some_and(|before| {
            before.trim_ascii_end().last_chunk::<2>().is_some_and(|word| word.eq_ignore_ascii_case(b"at"))
        })
    });
    if let Some(expression) = SPELLED.as_ref().filter(|_| spelled) {
        expression.find_iter(text).all(|hit| found(hit.range()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<&str> {
        let mut hits = Vec::new();
        find(text, |range| {
            hits.push(&text[range]);
            true
        });
        hits
    }

    #[test]
    fn addresses() {
        for (text, want) in [
            ("ann@example.com", "ann@example.com"),
            ("write to ann.lee+x@mail.example.co.uk, please", "ann.lee+x@mail.example.co.uk"),
            ("<ann@example.com>", "ann@example.com"),
            ("mailto:ann@example.com?subject=x", "ann@example.com"),
            ("'ann@example.com'", "ann@example.com"),
            ("o'brien@example.com.", "o'brien@example.com"),
            ("jürgen@bücher.example", "jürgen@bücher.example"),
            ("请联系ann@example.com谢谢", "ann@example.com"),
            ("用户@例え.テスト", "用户@例え.テスト"),
            ("x@xn--bcher-kva.xn--p1ai", "x@xn--bcher-kva.xn--p1ai"),
            (r#""ann lee"@example.com"#, r#""ann lee"@example.com"#),
            ("https://example.com/unsubscribe?to=ann@example.com&x=1", "ann@example.com"),
            ("ann [at] example.com", "ann [at] example.com"),
            ("ann (at) example (dot) com", "ann (at) example (dot) com"),
        ] {
            assert_eq!(all(text), [want], "{text}");
        }
    }

    #[test]
    fn no_addresses() {
        for text in [
            "@example.com",
            "ann@",
            "ann@localhost",
            "ann@example.c",
            "a@b",
            "icon@2x.png",
            "@media print",
            "Message-ID: <a1@mail.example.com>",
            "> References: <a1@mail.example.com>",
            "src=\"cid:p1@mail.example.com\"",
            "https://ann@example.com/",
            "https://example.com/@ann.lee",
            "image001.png@01D9ABCD.12345678",
            "***@*******.com",
            "2 (at most)",
            "look at (this)",
            "[at] example.com",
            "@@@@@",
        ] {
            assert_eq!(all(text), [""; 0], "{text}");
        }
    }
}
