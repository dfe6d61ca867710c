//! HTML as plain text, for the text form of a block that is given in HTML only.
//!
//! Meant for what rule authors write: short and well-formed. Blocks become lines, items get a dash, links show their
//! target. Linear.

use std::fmt::Write as _;

use super::template::{Filled, escape_html};
use crate::message::html;

/// `html` as lines of text.
pub(super) fn readable(source: &str) -> String {
    let visible = html::visible(&with_marks(source));
    let mut lines: Vec<String> = Vec::new();
    for line in visible.text.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        // Where a variable begins and ends is no line of its own.
        if line.chars().all(Filled::is_mark)
            && let Some(last) = lines.last_mut()
        {
            last.push_str(&line);
        } else if !line.is_empty() {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// Plain text as HTML.
pub(super) fn as_html(text: &str) -> String {
    escape_html(text.trim_end()).replace('\n', "<br>\n")
}

/// The same HTML with what text would lose put in as text: link targets, dashes before items. Line ends between words
/// become spaces, so that only markup parts lines.
fn with_marks(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 64);
    let mut rest = source;
    let mut link: Option<(String, usize)> = None;
    while let Some(at) = rest.find('<') {
        let (text, tag_on) = rest.split_at(at);
        push_text(&mut out, text);
        let length = tag_length(tag_on);
        let (tag, after) = tag_on.split_at(length);
        let name: String =
            tag.chars().skip(1).take_while(|c| *c == '/' || c.is_ascii_alphanumeric()).collect::<String>();
        match name.to_ascii_lowercase().as_str() {
            "a" => {
                out.push_str(tag);
                link = attribute(tag, "href").map(|target| (target, out.len()));
            }
            "/a" => {
                if let Some((target, start)) = link.take() {
                    let shown = html::visible(out.get(start..).unwrap_or_default()).text;
                    let plain = html::visible(&target).text;
                    let bare = plain.strip_prefix("mailto:").unwrap_or(&plain);
                    if !bare.is_empty() && !bare.starts_with('#') && shown.trim() != bare {
                        let _ = write!(out, " &lt;{}&gt;", escape_html(bare));
                    }
                }
                out.push_str(tag);
            }
            "li" => {
                out.push_str(tag);
                out.push_str("- ");
            }
            _ => out.push_str(tag),
        }
        rest = after;
    }
    push_text(&mut out, rest);
    out
}

fn push_text(out: &mut String, text: &str) {
    out.extend(text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }));
}

/// Length of the tag or comment at the start of `html`; of the `<` where it is none.
fn tag_length(html: &str) -> usize {
    if html.starts_with("<!--") {
        return html.find("-->").map_or(html.len(), |end| end + 3);
    }
    if !html.chars().nth(1).is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        return 1;
    }
    let mut quote = None;
    for (at, c) in html.char_indices() {
        match (quote, c) {
            (None, '>') => return at + 1,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    html.len()
}

/// The value of an attribute, still escaped.
pub(super) fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower.get(from..)?.find(name).map(|at| at + from) {
        from = at + name.len();
        let before = lower.get(..at)?.chars().next_back()?;
        let rest = tag.get(from..)?.trim_start();
        if let Some(value) = rest.strip_prefix('=').filter(|_| before.is_whitespace()) {
            let value = value.trim_start();
            let quoted = ['"', '\''].into_iter().find_map(|q| value.strip_prefix(q)?.split(q).next());
            let bare = || value.split(|c: char| c.is_whitespace() || c == '>').next();
            return quoted.or_else(bare).map(str::to_owned);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_lines_and_entities_characters() {
        let html = "<div><p>One &amp;\n two&nbsp;<b>three</b></p><p>four<br>five</p></div>";
        assert_eq!(readable(html), "One & two three\nfour\nfive");
    }

    #[test]
    fn links_show_their_target_unless_it_is_their_text() {
        assert_eq!(
            readable("<a href=\"https://x.example/?a=1&amp;b\">Terms</a>."),
            "Terms <https://x.example/?a=1&b>."
        );
        assert_eq!(readable("<a href='mailto:a@example.com'>a@example.com</a>"), "a@example.com");
        assert_eq!(readable("<a href=https://x.example>x</a>"), "x <https://x.example>");
        assert_eq!(readable("<a href=\"#top\">up</a>"), "up");
    }

    #[test]
    fn items_get_a_dash() {
        assert_eq!(readable("<ul>\n<li>a</li>\n<li>b</li></ul>"), "- a\n- b");
    }

    #[test]
    fn broken_html_is_no_trouble() {
        for html in ["<", "<a href=\"", "a < b", "<a href", "<!-- x", "</a></a>", "<a>é</a"] {
            let _ = readable(html);
        }
        assert_eq!(readable("a < b"), "a < b");
    }

    #[test]
    fn text_becomes_html_without_markup() {
        assert_eq!(as_html("a < b\nc\n"), "a &lt; b<br>\nc");
    }
}
