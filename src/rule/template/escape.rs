//! Values as text of a context: what they may not become.

use std::borrow::Cow;

use super::filled::{CLOSE, OPEN};
use super::is_reserved;

/// One line without control characters: safe in a header field.
pub(super) fn one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(char::is_control) { Cow::Owned(text.replace(char::is_control, " ")) } else { text }
}

/// Text as HTML: no markup is left in it.
pub fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Attributes whose value is a URL.
const URLS: &[&str] = &["action", "background", "formaction", "href", "poster", "src", "xlink:href"];

/// HTML in which no value of a variable begins a URL that is a script or a document of its own: such values are left out.
pub(super) fn without_scripts(html: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    for (at, _) in html.match_indices(OPEN) {
        if at < copied {
            continue;
        }
        let before = html.get(..at).unwrap_or_default();
        let Some(ends) = opens_url(before) else { continue };
        let rest = html.get(at..).unwrap_or_default();
        let end = rest.find(ends);
        let value = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let url: String = value.chars().filter(|c| *c > ' ' && !is_reserved(*c)).take(12).collect();
        let url = url.to_ascii_lowercase();
        if ["javascript:", "vbscript:", "data:"].iter().any(|scheme| url.starts_with(scheme)) {
            out.push_str(html.get(copied..at).unwrap_or_default());
            let mut rest = value;
            while let Some((fixed, behind)) = rest.split_once(OPEN) {
                out.push_str(fixed);
                out.extend([OPEN, CLOSE]);
                rest = behind.split_once(CLOSE).map_or("", |(_, behind)| behind);
            }
            out.push_str(rest);
            copied = at + value.len();
        }
    }
    if copied == 0 {
        return Cow::Borrowed(html);
    }
    out.push_str(html.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Where a value that is a URL begins behind this text: what ends it.
fn opens_url(before: &str) -> Option<fn(char) -> bool> {
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || is_reserved(c));
    let ends: fn(char) -> bool = match before.chars().next_back() {
        Some('"') => |c| c == '"',
        Some('\'') => |c| c == '\'',
        _ => |c| c.is_whitespace() || c == '>',
    };
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before).trim_end().strip_suffix('=')?.trim_end();
    URLS.iter()
        .any(|name| {
            before
                .len()
                .checked_sub(name.len())
                .and_then(|at| before.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(name))
        })
        .then_some(ends)
}
