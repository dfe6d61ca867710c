//! HTML as tags and what stands between them, for whoever shows it.
//!
//! Invariant: the pieces are in order and what they are is what a browser takes them for, as long as no tag of SVG or
//! MathML is written out again: inside those a browser reads raw elements as markup.

use std::borrow::Cow;

use super::entity::{self, Decoded};
use super::tokens::{Kind, Tokens, attributes};

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text with character references, as it stands in the source.
    Text(&'a str),
    /// What stands in `<style>`, `<script>`, `<title>` and their like, up to the end tag.
    Raw {
        /// The element, in lower case.
        element: String,
        /// What it holds.
        text: &'a str,
    },
    /// `<name …>`.
    Start {
        /// In lower case.
        name: String,
        /// Names in lower case, values with their character references decoded.
        attributes: Vec<(String, Cow<'a, str>)>,
    },
    /// `</name>`.
    End {
        /// In lower case.
        name: String,
    },
    /// `<!doctype …>`.
    Doctype,
}

/// Most attributes of a tag that are given; no mail has as many, and a reader of them may look at each twice.
const MAX_ATTRIBUTES: usize = 64;

/// The pieces of `html`, without comments. Linear.
pub fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut tokens = Tokens::new(html);
    let mut last = String::new();
    std::iter::from_fn(move || {
        loop {
            let token = tokens.next(false)?;
            let source = html.get(token.span.clone()).unwrap_or_default();
            let name = || html.get(token.name.clone()).unwrap_or_default().to_ascii_lowercase();
            return Some(match token.kind {
                Kind::Text | Kind::Cdata { .. } => Piece::Text(source),
                Kind::Raw { .. } => Piece::Raw { element: std::mem::take(&mut last), text: source },
                Kind::Start { .. } => {
                    let all = attributes(html, &token).take(MAX_ATTRIBUTES);
                    let each = all.map(|(name, value)| (name.to_ascii_lowercase(), decoded(value)));
                    let attributes = each.collect();
                    last = name();
                    Piece::Start { name: last.clone(), attributes }
                }
                Kind::End { .. } => Piece::End { name: name() },
                Kind::Doctype { .. } => Piece::Doctype,
                Kind::Comment { .. } => continue,
                Kind::Unfinished => return None,
            });
        }
    })
}

/// An attribute's value with its character references decoded (HTML §13.2.5.73: one without `;` that more letters or a
/// `=` follow is none, as in `?a=1&copy=2`).
fn decoded(value: &str) -> Cow<'_, str> {
    let Some(mut at) = memchr::memchr(b'&', value.as_bytes()) else { return Cow::Borrowed(value) };
    let mut out = value.get(..at).unwrap_or_default().to_owned();
    while let Some(rest) = value.get(at..).filter(|rest| !rest.is_empty()) {
        let found = if rest.starts_with('&') { entity::decode(rest) } else { None };
        let cut = |length: &usize| {
            let next = rest.as_bytes().get(*length);
            let open = rest.as_bytes().get(length - 1) != Some(&b';') && !rest.starts_with("&#");
            !(open && next.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'='))
        };
        if let Some((decoded, length)) = found.filter(|(_, length)| cut(length)) {
            match decoded {
                Decoded::Char(c) => out.push(c),
                Decoded::Text(text) => out.push_str(text),
            }
            at += length;
        } else {
            let length = rest.bytes().skip(1).position(|b| b == b'&').map_or(rest.len(), |next| next + 1);
            out.push_str(rest.get(..length).unwrap_or_default());
            at += length;
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_apart_and_raw_text_is_told_from_markup() {
        let html =
            "<!DOCTYPE html><A HREF=\"x?a=1&amp;b&copy=2&#x3a;\" x>a &lt; b<!-- <i> --></a><style>a > b { }</STYLE><p";
        let start = |name: &str, attributes: &[(&str, &'static str)]| Piece::Start {
            name: name.to_owned(),
            attributes: attributes.iter().map(|(n, v)| ((*n).to_owned(), Cow::Borrowed(*v))).collect(),
        };
        let end = |name: &str| Piece::End { name: name.to_owned() };
        assert_eq!(
            pieces(html).collect::<Vec<_>>(),
            [
                Piece::Doctype,
                start("a", &[("href", "x?a=1&b&copy=2:"), ("x", "")]),
                Piece::Text("a &lt; b"),
                end("a"),
                start("style", &[]),
                Piece::Raw { element: "style".to_owned(), text: "a > b { }" },
                end("style"),
            ]
        );
    }
}
