//! Tokens of HTML with their offsets: what a byte is.
//!
//! Follows the states of the WHATWG tokeniser (HTML §13.2.5) as far as they decide where a token begins and ends. Every
//! byte belongs to exactly one token, and no state looks back or tries again, so it is linear on any input: a comment,
//! quote or script that is never closed reaches to the end of the document, as it does in a browser. Nothing is
//! allocated.
//!
//! Why not `lol_html`: it streams rewritten HTML and does not say where a token stands in the source, which splicing
//! needs; it acts on elements, so nothing happens at a `</body>` that is not there; and it makes the function 2 MB
//! bigger.

use std::ops::Range;

use memchr::{memchr, memmem};

use super::element::Element;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text with character references.
    Text,
    /// What is between `<![CDATA[` and `]]>` inside SVG or MathML; the token includes both; `closed` when the
    /// second is there.
    Cdata { closed: bool },
    /// All that stands in a raw element, see [`Element::is_raw`]; `closed` when its end tag follows.
    Raw { element: Element, closed: bool },
    /// `<name …>`.
    Start { element: Element, self_closing: bool },
    /// `</name …>`.
    End { element: Element },
    /// Comments and all that is read as one: `<!…>`, `<?…>`, `</ …>`, `</>`.
    Comment { closed: bool },
    /// `<!doctype …>`.
    Doctype { closed: bool },
    /// A tag that never ends: it and all after it is dropped.
    Unfinished,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// All of it.
    pub(super) span: Range<usize>,
    /// The name of a tag; empty for other tokens.
    pub(super) name: Range<usize>,
}

/// The tokens of a document.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    html: &'a str,
    at: usize,
    raw: Option<Element>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { html, at: 0, raw: None }
    }

    /// The next token. `foreign`: it stands directly in SVG or MathML, where CDATA counts and no element is raw.
    pub(super) fn next(&mut self, foreign: bool) -> Option<Token> {
        let start = self.at;
        if let Some(element) = self.raw.take() {
            let end = raw_end(self.html.as_bytes(), start, element);
            if end.is_none_or(|end| end > start) {
                self.at = end.unwrap_or(self.html.len());
                let kind = Kind::Raw { element, closed: end.is_some() };
                return Some(Token { kind, span: start..self.at, name: start..start });
            }
        }
        let rest = self.html.as_bytes().get(start..)?;
        let token = match rest {
            [] => return None,
            [b'<', b'!', ..] => self.declaration(start, foreign),
            [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic() => self.tag(start, start + 2),
            // `</` at the very end is text.
            [b'<', b'?', ..] | [b'<', b'/', _, ..] => self.bogus_comment(start),
            [b'<', letter, ..] if letter.is_ascii_alphabetic() => self.tag(start, start + 1),
            _ => self.text(start),
        };
        self.at = token.span.end;
        if let Kind::Start { element, .. } = token.kind
            && !foreign
            && element.is_raw()
        {
            self.raw = Some(element);
        }
        Some(token)
    }

    fn text(&self, start: usize) -> Token {
        // A `<` at its start is one that opens nothing.
        let end = next_opening(self.html.as_bytes(), start + 1).unwrap_or(self.html.len());
        Token { kind: Kind::Text, span: start..end, name: start..start }
    }

    fn declaration(&self, start: usize, foreign: bool) -> Token {
        let bytes = self.html.as_bytes();
        let rest = bytes.get(start + 2..).unwrap_or_default();
        if rest.starts_with(b"--") {
            let end = comment_end(bytes, start + 4);
            let kind = Kind::Comment { closed: end.is_some() };
            return Token { kind, span: start..end.unwrap_or(bytes.len()), name: start..start };
        }
        if foreign && rest.starts_with(b"[CDATA[") {
            let inner = start + 9;
            let found = bytes.get(inner..).and_then(|rest| memmem::find(rest, b"]]>"));
            let end = found.map_or(bytes.len(), |found| inner + found + 3);
            return Token { kind: Kind::Cdata { closed: found.is_some() }, span: start..end, name: start..start };
        }
        let token = self.bogus_comment(start);
        match token.kind {
            Kind::Comment { closed } if rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"doctype")) => {
                Token { kind: Kind::Doctype { closed }, ..token }
            }
            _ => token,
        }
    }

    fn bogus_comment(&self, start: usize) -> Token {
        let bytes = self.html.as_bytes();
        let end = bytes.get(start..).and_then(|rest| memchr(b'>', rest)).map(|found| start + found + 1);
        let kind = Kind::Comment { closed: end.is_some() };
        Token { kind, span: start..end.unwrap_or(bytes.len()), name: start..start }
    }

    fn tag(&self, start: usize, name_start: usize) -> Token {
        let bytes = self.html.as_bytes();
        let name_end = skip(bytes, name_start, |b| !is_space(b) && b != b'/' && b != b'>');
        let name = name_start..name_end;
        let mut at = name_end;
        let end = loop {
            match attribute(bytes, at) {
                Step::Attribute { next, .. } => at = next,
                Step::End { next, self_closing } => break Some((next, self_closing)),
                Step::Unfinished => break None,
            }
        };
        let Some((end, self_closing)) = end else {
            return Token { kind: Kind::Unfinished, span: start..bytes.len(), name };
        };
        let element = Element::named(self.html.get(name.clone()).unwrap_or_default());
        let kind = if name_start == start + 1 { Kind::Start { element, self_closing } } else { Kind::End { element } };
        Token { kind, span: start..end, name }
    }
}

/// The next `<` at or after `at` that opens a token.
fn next_opening(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = at + memchr(b'<', bytes.get(at..)?)?;
        match (bytes.get(found + 1), bytes.get(found + 2)) {
            (Some(b'!' | b'?'), _) | (Some(b'/'), Some(_)) => return Some(found),
            (Some(letter), _) if letter.is_ascii_alphabetic() => return Some(found),
            _ => at = found + 1,
        }
    }
}

/// The attributes of a start tag, names and values as they stand in the source, references not decoded.
pub(super) fn attributes<'a>(html: &'a str, token: &Token) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut at = token.name.end;
    std::iter::from_fn(move || match attribute(html.as_bytes(), at) {
        Step::Attribute { name, value, next } => {
            at = next;
            Some((html.get(name).unwrap_or_default(), html.get(value).unwrap_or_default()))
        }
        _ => None,
    })
}

/// Where the attributes of a tag stand: names and values.
pub(super) fn attribute_ranges(html: &str, token: &Token) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let mut at = token.name.end;
    std::iter::from_fn(move || match attribute(html.as_bytes(), at) {
        Step::Attribute { name, value, next } => {
            at = next;
            Some((name, value))
        }
        _ => None,
    })
}

enum Step {
    Attribute { name: Range<usize>, value: Range<usize>, next: usize },
    End { next: usize, self_closing: bool },
    Unfinished,
}

/// One attribute, or the end of the tag, from `at` on (states 13.2.5.32 to 13.2.5.40).
fn attribute(bytes: &[u8], at: usize) -> Step {
    let start = skip(bytes, at, |b| is_space(b) || b == b'/');
    match bytes.get(start) {
        None => return Step::Unfinished,
        Some(b'>') => {
            let self_closing = start > at && bytes.get(start - 1) == Some(&b'/');
            return Step::End { next: start + 1, self_closing };
        }
        Some(_) => {}
    }
    // A leading `=` belongs to the name.
    let name_end = skip(bytes, start + 1, |b| !is_space(b) && !matches!(b, b'/' | b'>' | b'='));
    let name = start..name_end;
    let equals = skip(bytes, name_end, is_space);
    if bytes.get(equals) != Some(&b'=') {
        return Step::Attribute { name, value: name_end..name_end, next: name_end };
    }
    let value = skip(bytes, equals + 1, is_space);
    match bytes.get(value) {
        None => Step::Unfinished,
        Some(b'>') => Step::Attribute { name, value: value..value, next: value },
        Some(quote @ (b'"' | b'\'')) => match bytes.get(value + 1..).and_then(|rest| memchr(*quote, rest)) {
            None => Step::Unfinished,
            Some(length) => {
                let end = value + 1 + length;
                Step::Attribute { name, value: value + 1..end, next: end + 1 }
            }
        },
        Some(_) => {
            let end = skip(bytes, value, |b| !is_space(b) && b != b'>');
            Step::Attribute { name, value: value..end, next: end }
        }
    }
}

/// Where a comment ends whose text begins at `at`, just past `<!--`.
fn comment_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..).unwrap_or_default() {
        [b'>', ..] => return Some(at + 1),
        [b'-', b'>', ..] => return Some(at + 2),
        _ => {}
    }
    let mut from = at;
    loop {
        let dashes = from + memmem::find(bytes.get(from..)?, b"--")?;
        match bytes.get(dashes + 2..)? {
            [b'>', ..] => return Some(dashes + 3),
            [b'!', b'>', ..] => return Some(dashes + 4),
            _ => from = dashes + 1,
        }
    }
}

/// Where the end tag of a raw element begins.
fn raw_end(bytes: &[u8], start: usize, element: Element) -> Option<usize> {
    let name: &[u8] = match element {
        Element::Iframe => b"iframe",
        Element::Noembed => b"noembed",
        Element::Noframes => b"noframes",
        Element::Script => b"script",
        Element::Style => b"style",
        Element::Textarea => b"textarea",
        Element::Title => b"title",
        Element::Xmp => b"xmp",
        _ => return None,
    };
    let mut at = start;
    // Script only: inside `<!--`, and inside a `<script>` in there (script data double escaped state).
    let (mut escaped, mut nested) = (false, false);
    loop {
        let rest = bytes.get(at..)?;
        let found = if escaped { memchr::memchr2(b'<', b'-', rest) } else { memchr(b'<', rest) }?;
        at += found;
        let rest = bytes.get(at..)?;
        if element == Element::Script {
            if !escaped && rest.starts_with(b"<!--") {
                escaped = true;
                // `<!-->` and `<!--->` close themselves: look at the dashes again.
                at += 2;
                continue;
            }
            if escaped && rest.starts_with(b"-->") {
                (escaped, nested) = (false, false);
                at += 3;
                continue;
            }
            if escaped && !nested && tag_named(rest, 1, name) {
                nested = true;
                at += 1;
                continue;
            }
        }
        if rest.get(1) == Some(&b'/') && tag_named(rest, 2, name) {
            if !nested {
                return Some(at);
            }
            nested = false;
        }
        at += 1;
    }
}

fn tag_named(rest: &[u8], from: usize, name: &[u8]) -> bool {
    rest.get(from..from + name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name))
        && rest.get(from + name.len()).is_some_and(|b| is_space(*b) || matches!(b, b'/' | b'>'))
}

fn skip(bytes: &[u8], mut at: usize, while_: impl Fn(u8) -> bool) -> usize {
    while bytes.get(at).is_some_and(|b| while_(*b)) {
        at += 1;
    }
    at
}

/// HTML white space in tags and between them.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}
