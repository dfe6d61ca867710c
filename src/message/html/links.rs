//! The links of HTML: where they lead, with their place in the source, and the texts of which mail programs make links.
//!
//! Outlook reads the HTML in conditional comments, buttons drawn in VML among it, so links are looked for there too.

use std::ops::Range;

use memchr::memmem;

use super::element::Element;
use super::open::Walk;
use super::tokens::{Kind, Token, Tokens, attribute_ranges};
use super::unseen::referenced;
use crate::message::Spelled;

/// What a document leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// The targets of links, in the order of the document.
    pub targets: Vec<Target>,
    /// What relative links are relative to: the first `<base href>`.
    pub base: Option<String>,
    /// Texts that may hold a URL, in the order of the document.
    pub texts: Vec<LinkText>,
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URL, references decoded as in attributes (HTML §13.2.5.73).
    pub url: Spelled,
    /// The whole value in the source, without quotes.
    pub value: Range<usize>,
}

/// A text between two tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkText {
    /// What a reader sees.
    pub text: Spelled,
    /// It is the text of a link, or part of it.
    pub in_link: bool,
}

/// One of the links of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// Where a link leads.
    Target(Target),
    /// A text that may hold a URL.
    Text(LinkText),
}

/// The links of `html`, all at once: many times as large as the document where it is full of them. Linear.
pub fn links(html: &str) -> Links {
    let mut links = Links { base: base(html), ..Links::default() };
    each_link(html, &mut || true, &mut |link| match link {
        Link::Target(target) => links.targets.push(target),
        Link::Text(text) => links.texts.push(text),
    });
    links
}

/// What relative links are relative to: the first `<base href>`.
pub fn base(html: &str) -> Option<String> {
    let named = |at: usize| html.as_bytes().get(at + 1..at + 5).is_some_and(|name| name.eq_ignore_ascii_case(b"base"));
    memchr::memchr_iter(b'<', html.as_bytes()).find(|at| named(*at))?;
    let mut walk = Walk::new(html);
    while let Some(token) = walk.next() {
        if matches!(token.kind, Kind::Start { element: Element::Base, .. })
            && let Some(value) = hrefs(html, &token).next()
        {
            return Some(attribute_text(html, value).text().to_owned());
        }
    }
    None
}

/// Hands on the links of `html` one by one, in the order of the document, as long as it `goes_on`: it is asked with each tag
/// and each text. Linear.
pub fn each_link(html: &str, goes_on: &mut dyn FnMut() -> bool, found: &mut dyn FnMut(Link)) {
    let mut walk = Walk::new(html);
    while let Some(token) = walk.next().filter(|_| goes_on()) {
        match token.kind {
            Kind::Start { element: Element::Base, .. } => {}
            Kind::Start { .. } => targets(html, &token, 0, found),
            Kind::Comment { .. } => {
                if let Some(inner) = conditional(html, &token.span) {
                    let source = html.get(inner.clone()).unwrap_or_default();
                    let mut tokens = Tokens::new(source);
                    while let Some(token) = tokens.next(false).filter(|_| goes_on()) {
                        if matches!(token.kind, Kind::Start { .. }) {
                            targets(source, &token, inner.start, found);
                        }
                    }
                }
            }
            Kind::Text => {
                let source = html.get(token.span.clone()).unwrap_or_default();
                let may_hold = |what: &str| memmem::find(source.as_bytes(), what.as_bytes()).is_some();
                // A URL needs a dot; references may spell it.
                if !(may_hold(".") || may_hold("&")) || walk.opened.is_hidden() || !walk.opened.is_flow() {
                    continue;
                }
                let text = super::escaped(html, token.span);
                if text.text().contains('.') && !walk.opened.elements().any(|open| open.element == Element::Button) {
                    let in_link = walk.opened.elements().any(|open| open.element == Element::A);
                    found(Link::Text(LinkText { text, in_link }));
                }
            }
            _ => {}
        }
    }
}

/// The targets of a start tag that stands `offset` bytes into the document.
fn targets(html: &str, token: &Token, offset: usize, found: &mut dyn FnMut(Link)) {
    let name = html.get(token.name.clone()).unwrap_or_default();
    let is_vml = name.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("v:"));
    if !(is_vml || name.eq_ignore_ascii_case("a") || name.eq_ignore_ascii_case("area")) {
        return;
    }
    for value in hrefs(html, token) {
        let mut url = attribute_text(html, value.clone());
        url.shift(offset);
        found(Link::Target(Target { url, value: value.start + offset..value.end + offset }));
    }
}

/// The values of `href` in a tag: of several, programs do not agree which one counts.
fn hrefs<'a>(html: &'a str, token: &'a Token) -> impl Iterator<Item = Range<usize>> + 'a {
    attribute_ranges(html, token).filter_map(|(name, value)| {
        let name = html.get(name)?;
        let is_href = name.eq_ignore_ascii_case("href") || name.eq_ignore_ascii_case("xlink:href");
        (is_href && !value.is_empty()).then_some(value)
    })
}

/// The HTML in a conditional comment: `<!--[if mso]>…<![endif]-->`.
fn conditional(html: &str, span: &Range<usize>) -> Option<Range<usize>> {
    let text = html.get(span.clone())?;
    let condition = text.strip_prefix("<!--")?.trim_start();
    let starts = condition.strip_prefix('[')?.trim_start();
    starts.get(..2).filter(|word| word.eq_ignore_ascii_case("if"))?;
    let start = text.find("]>")? + 2;
    let end = text.rfind("<!").filter(|end| *end >= start).unwrap_or(text.len());
    Some(span.start + start..span.start + end)
}

/// The value of an attribute. Unlike in text, a name without `;` that goes on is no reference: `?a=1&copy=2`.
fn attribute_text(html: &str, source: Range<usize>) -> Spelled {
    let bytes = html.as_bytes();
    let last = source.end;
    referenced(html, source, |at, end| {
        let goes_on = end < last && bytes.get(end).is_some_and(|b| *b == b'=' || b.is_ascii_alphanumeric());
        let is_number = bytes.get(at + 1) == Some(&b'#');
        is_number || bytes.get(end - 1) == Some(&b';') || !goes_on
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(html: &str) -> Vec<String> {
        let found = links(html).targets;
        for target in &found {
            assert!(html.get(target.value.clone()).is_some(), "{html}");
            for run in target.url.pieces(0..usize::MAX) {
                assert!(target.value.start <= run.source.start && run.source.end <= target.value.end, "{html}");
            }
        }
        found.into_iter().map(|target| target.url.text().to_owned()).collect()
    }

    #[test]
    fn links_are_read_as_browsers_read_them() {
        for (html, url) in [
            ("<a href=\"https://a.example/?b=1&amp;c=2\">", "https://a.example/?b=1&c=2"),
            ("<A HREF='https://a.example/'>", "https://a.example/"),
            ("<a class=x href=https://a.example/b/>", "https://a.example/b/"),
            ("<area href=\" https://a\n.example\">", " https://a\n.example"),
            ("<a href=\"https://a.example/?b=1&copy=2&region=3&not;\">", "https://a.example/?b=1&copy=2&region=3¬"),
            ("<a href=\"h&#116;tps&colon;//a.example\">", "https://a.example"),
            ("<svg><a xlink:href=\"https://a.example/\">", "https://a.example/"),
            ("<!--[if mso]><v:roundrect href=\"https://a.example/\"></v:roundrect><![endif]-->", "https://a.example/"),
        ] {
            assert_eq!(urls(html), [url], "{html}");
        }
        for html in [
            "<!-- <a href=\"https://a.example/\"> -->",
            "<textarea><a href=\"https://a.example/\"></textarea>",
            "<link href=\"https://a.example/\">",
            "<p title='<a href=\"https://a.example/\">'>",
            "<a href=\"https://a.example/",
            "<a href>",
        ] {
            assert!(urls(html).is_empty(), "{html}");
        }
        assert_eq!(urls("<a href=x href=y>"), ["x", "y"]);
    }

    #[test]
    fn texts_say_whether_they_are_links() {
        let html = "<base href='https://b.example/'><title>a.b</title><p>c.d <a href=x>e.f<b>g.h</b></a> i&#46;j <button>k.l</button>";
        let found = links(html);
        assert_eq!(found.base.as_deref(), Some("https://b.example/"));
        let texts: Vec<_> = found.texts.iter().map(|t| (t.text.text(), t.in_link)).collect();
        assert_eq!(texts, [("c.d ", false), ("e.f", true), ("g.h", true), (" i.j ", false)]);
    }
}
