//! HTML as plain text, for the text form of a block that is given in HTML only.
//!
//! Meant for what rule authors write: short and well-formed. Blocks become lines, items get a dash, links show their
//! target, pictures what stands for them. Linear.

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

/// What is shown of a link's target behind its text; `None` where the text says it, or there is nothing but a scheme, as with
/// a variable that is empty.
fn worth_showing<'t>(target: &'t str, shown: &str) -> Option<&'t str> {
    let schemes = ["mailto:", "tel:"];
    let (scheme, bare) = schemes
        .iter()
        .find_map(|scheme| target.strip_prefix(scheme).map(|bare| (*scheme, bare)))
        .unwrap_or(("", target));
    let [bare_plain, shown_plain] = [bare, shown].map(without_marks);
    let site = bare_plain.split_once("://").map_or(&*bare_plain, |(_, site)| site).trim_end_matches('/');
    let number = |text: &str| text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect::<String>();
    let is_said = shown_plain == bare_plain
        || shown_plain.trim_end_matches('/') == site
        || scheme == "tel:" && number(&shown_plain) == number(&bare_plain);
    (!site.is_empty() && !bare_plain.starts_with('#') && !is_said).then_some(bare)
}

fn without_marks(text: &str) -> String {
    text.chars().filter(|c| !Filled::is_mark(*c)).collect()
}

/// The same HTML with what text would lose put in as text: link targets, dashes before items, what pictures show. Line ends
/// between words become spaces, so that only markup parts lines.
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
                    if let Some(bare) = worth_showing(plain.trim(), shown.trim()) {
                        let _ = write!(out, " &lt;{}&gt;", escape_html(bare));
                    }
                }
                out.push_str(tag);
            }
            "img" => {
                out.push_str(tag);
                let alt = attribute(tag, "alt").unwrap_or_default();
                if !without_marks(&alt).trim().is_empty() {
                    let _ = write!(out, " {} ", alt.replace('<', "&lt;").replace('>', "&gt;"));
                }
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
    fn a_target_that_the_text_says_or_that_is_empty_is_not_shown() {
        assert_eq!(readable("<a href=\"https://www.example.com/\">www.example.com</a>"), "www.example.com");
        assert_eq!(readable("<a href=\"tel:+15550100\">+1 555 0100</a>"), "+1 555 0100");
        assert_eq!(readable("<a href=\"tel:+15550100\">Call me</a>"), "Call me <+15550100>");
        let value = |text: &str| Filled::value(text);
        for href in [value(""), format!("tel:{}", value("")), format!("https://{}", value("")), String::new()] {
            assert_eq!(without_marks(&readable(&format!("<a href=\"{href}\">link</a>"))), "link", "{href}");
        }
        let link = format!("<a href=\"{}\">link</a>", value("https://x.example/?a&amp;b"));
        assert_eq!(readable(&link), format!("link <{}>", value("https://x.example/?a&b")));
        let same = format!("<a href=\"mailto:{0}\">{0}</a>", value("ann@example.com"));
        assert_eq!(readable(&same), value("ann@example.com"));
    }

    #[test]
    fn pictures_show_what_stands_for_them() {
        assert_eq!(readable("<p><img src=a.png alt=\"Example Ltd\"><br>x</p>"), "Example Ltd\nx");
        assert_eq!(
            readable("<a href=\"https://x.example\"><img alt='A &amp; B > C'></a>"),
            "A & B > C <https://x.example>"
        );
        assert_eq!(readable("a<img alt=\"\">b<img src=a.png>c<img alt=\" \">d"), "abcd");
        let alt = format!("<img alt=\"Logo of {}\">", Filled::value("Ann"));
        assert_eq!(readable(&alt), format!("Logo of {}", Filled::value("Ann")));
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
