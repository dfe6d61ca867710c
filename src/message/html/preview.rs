//! What a list of messages shows of one: its first text, which many senders hide in front of all others (a preheader). A
//! banner above it would be all that a reader sees there.

use std::fmt::Write as _;

use super::element::Element;
use super::open::Walk;
use super::tokens::{Kind, Token, attributes, is_space};

/// Characters of the text that a list of messages shows; none shows more.
const SHOWN: usize = 140;
/// Invisible characters behind it, so that the banner does not follow there: lists show no white space, but count it.
const PADDING: usize = 80;
/// A preheader has few elements.
const MAX_TOKENS: usize = 200;

/// Where the text ends that the sender hid in front of all that is shown; `at` is where the document begins. `None` where
/// there is no such text.
pub fn behind_preheader(html: &str, at: usize) -> Option<usize> {
    let mut walk = Walk::new(html);
    let mut found = None;
    // Behind the last hidden element, until something follows that is seen: it may be closed there by no more than the
    // end tags before a block at the end.
    let mut behind = None;
    // How deep the hidden element is, while it is open, and whether there is text in it.
    let mut hidden: Option<(usize, bool)> = None;
    let mut seen = 0;
    while let Some(token) = walk.next() {
        if token.span.start < at {
            continue;
        }
        seen += 1;
        if seen > MAX_TOKENS {
            return found;
        }
        if let Some((depth, has_text)) = hidden
            && walk.opened.depth() <= depth
        {
            if has_text {
                behind = Some(token.span.start);
            }
            hidden = None;
        }
        let source = html.get(token.span.clone()).unwrap_or_default();
        match (&mut hidden, token.kind) {
            (Some((_, has_text)), Kind::Text) => *has_text |= !source.trim().is_empty(),
            (None, Kind::Start { element, .. }) => {
                found = behind.take().or(found);
                if element.is_void() || element.is_raw() || !is_hidden(html, &token) {
                    return found;
                }
                hidden = Some((walk.opened.depth(), false));
            }
            (None, Kind::Text) if !source.bytes().all(is_space) => return behind.or(found),
            (None, Kind::End { element: Element::Body | Element::Html }) => return found,
            _ => {}
        }
    }
    found
}

/// True for an element that its own tag hides.
fn is_hidden(html: &str, token: &Token) -> bool {
    attributes(html, token).any(|(name, value)| {
        let style: String = value.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        let hides = ["display:none", "visibility:hidden", "mso-hide:all", "max-height:0", "opacity:0;", "font-size:0"];
        name.eq_ignore_ascii_case("hidden")
            || name.eq_ignore_ascii_case("style") && hides.iter().any(|hides| format!("{style};").contains(hides))
    })
}

/// A hidden copy of the first text of a document, to stand in front of all others. Empty for a document without text.
pub fn preheader(html: &str) -> String {
    let text = super::visible(html).text;
    let mut first = String::new();
    for word in text.split(|c: char| c.is_whitespace()).filter(|word| !word.is_empty()) {
        if first.chars().count() + word.chars().count() >= SHOWN {
            break;
        }
        if !first.is_empty() {
            first.push(' ');
        }
        first.push_str(word);
    }
    if first.is_empty() {
        return first;
    }
    let mut out = String::from(
        "<div aria-hidden=\"true\"\nstyle=\"display:none!important;visibility:hidden!important;max-height:0!important;\
         overflow:hidden!important;font-size:1px!important;line-height:1px!important;opacity:0!important;mso-hide:all\">\n",
    );
    out.push_str(&first.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    for count in 0..PADDING {
        if count % 10 == 0 {
            out.push('\n');
        }
        let _ = out.write_str("&#847;&zwnj;&nbsp;");
    }
    out.push_str("\n</div>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banner_stands_behind_what_the_sender_hid_for_the_preview() {
        const PLACE: &str = "‸";
        for case in [
            "<div style=\"display: none\">Preview</div>‸<p>Hello</p>",
            "\n<span style='font-size:0px'>Preview <b>text</b></span><div hidden>more</div>‸<p>Hello",
            "<!-- x --><div style=\"max-height:0;overflow:hidden\">Preview</div>\n<div style=\"display:none\">&zwnj;</div>‸<p>",
        ] {
            let html = format!("<body>{}", case.replace(PLACE, ""));
            let wanted = case.find(PLACE).map(|at| at + "<body>".len());
            let found = behind_preheader(&html, "<body>".len());
            // White space may stand on either side.
            let rest = |at: Option<usize>| at.and_then(|at| html.get(at..)).map(str::trim_start);
            assert_eq!(rest(found), rest(wanted), "{case}");
        }
        for case in
            ["<p>Hello</p>", "Hello<div hidden>x</div>", "<div hidden></div><p>x", "", "<div hidden>never closed"]
        {
            assert_eq!(behind_preheader(case, 0), None, "{case}");
        }
    }

    #[test]
    fn a_copy_of_the_first_text_is_hidden() {
        let copy = preheader(&format!("<p>Hello &lt;Kim&gt;</p><p>{}</p>", "word ".repeat(60)));
        assert!(copy.contains("\nHello &lt;Kim&gt; word word"), "{copy}");
        assert!(copy.starts_with("<div aria-hidden=\"true\"\nstyle=\"display:none!important;"), "{copy}");
        assert!(copy.lines().all(|line| line.len() < 300), "{copy}");
        assert_eq!(preheader("<img src=x>"), "");
    }
}
