//! The texts in which a part is looked through, each with a map to its source, and how a mask is written there.
//!
//! Invariant: what a reader or a program reads of the part is in one of the views: markup, references, escapes and folding
//! undone. A mask that is written into a view leaves its source as legal as it was.

use std::fmt::Write as _;
use std::ops::Range;

use memchr::memchr;

use super::url;
use crate::message::html::{self, UnseenKind};
use crate::message::{BodyKind, FileKind, Spelled};
use crate::percent::{self, IN_FORM};
use crate::rule::template::escape_html;

/// How the text of a part is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::rule::actions) enum TextKind {
    Plain,
    /// `format=flowed` (RFC 3676): lines that end in a blank go on.
    Flowed {
        /// That blank is no part of the text.
        delsp: bool,
    },
    Html,
    Xml,
    Csv,
    Json,
    Enriched,
    Directory,
}

impl From<BodyKind> for TextKind {
    fn from(kind: BodyKind) -> Self {
        match kind {
            BodyKind::Plain => Self::Plain,
            BodyKind::Html => Self::Html,
        }
    }
}

impl From<FileKind> for TextKind {
    fn from(kind: FileKind) -> Self {
        match kind {
            FileKind::Plain => Self::Plain,
            FileKind::Csv => Self::Csv,
            FileKind::Json => Self::Json,
            FileKind::Html => Self::Html,
            FileKind::Xml => Self::Xml,
            FileKind::Enriched => Self::Enriched,
            FileKind::Directory => Self::Directory,
        }
    }
}

/// How a mask is written where a view stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rule::actions) enum Writing {
    /// As it is.
    Plain,
    /// Text of HTML and XML.
    Markup,
    /// An attribute, in quotes of either sort or in none.
    Attribute,
    /// A URL in an attribute.
    Url,
    /// A comment, a style, a script: no mark that could end it.
    Raw,
    /// A field of comma-separated values.
    Cell,
    /// Inside a JSON string.
    JsonString,
    /// A JSON number: it becomes a string.
    JsonValue,
    /// A value in a calendar or a card (RFC 5545 §3.3.11).
    Directory,
    /// HTML in such a value: its markup stays.
    Description,
    /// `format=flowed` with its soft line ends undone.
    Flowed,
    /// Between the commands of `text/enriched`.
    Enriched,
}

impl Writing {
    pub(in crate::rule::actions) fn write(self, mask: &str) -> String {
        let replace = |odd: &str| mask.chars().map(|c| if odd.contains(c) { '_' } else { c }).collect::<String>();
        match self {
            Self::Plain | Self::Flowed => mask.to_owned(),
            Self::Markup => escape_html(mask),
            Self::Attribute => attribute(mask),
            Self::Url => attribute(&percent::encoded(mask, IN_FORM).to_string()),
            Self::Raw => replace("<>&'\"\\"),
            Self::Cell => replace(",;\"\t"),
            Self::JsonString => replace("\"\\"),
            Self::JsonValue => format!("\"{}\"", replace("\"\\")),
            Self::Directory | Self::Description => replace("\\;,:\""),
            Self::Enriched => replace("<>"),
        }
    }

    /// True where a reader sees characters that are no ASCII, whatever the charset.
    pub(super) fn takes_references(self) -> bool {
        matches!(self, Self::Markup | Self::Attribute)
    }

    /// Folding inside of what goes away goes with it: a line that holds nothing, or half of one, would be left.
    pub(in crate::rule::actions) fn takes_line_ends(self) -> bool {
        matches!(self, Self::Directory | Self::Flowed)
    }

    /// A mask laid over a JSON number would be no value any more: it becomes a string as a whole.
    pub(super) fn is_whole(self) -> bool {
        self == Self::JsonValue
    }
}

/// In an attribute without quotes, white space and quotes end the value.
fn attribute(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_ascii_alphanumeric() || "[](){}*#@._-+:/%,;!?|".contains(c) || !c.is_ascii() {
            out.push(c);
        } else {
            let _ = write!(out, "&#{};", u32::from(c));
        }
        out
    })
}

/// A text to look through.
#[derive(Debug)]
pub(in crate::rule::actions) struct View {
    pub text: Spelled,
    pub writing: Writing,
    /// What it is in the part, for the report; empty for what a reader sees.
    pub what: &'static str,
}

impl View {
    fn new(text: Spelled, writing: Writing, what: &'static str) -> Self {
        Self { text, writing, what }
    }
}

/// Markup in comments is looked into this deep.
const MAX_COMMENTS: usize = 3;

/// Takes views, one after the other: all at once they would be many times as large as the text.
pub(in crate::rule::actions) type See<'s> = dyn FnMut(View) + 's;

/// Hands all views of a text to `see`, always in the same order. `cells`: a value may run on over cells of a table that
/// stand side by side.
pub(in crate::rule::actions) fn views(kind: TextKind, source: &str, cells: bool, see: &mut See<'_>) {
    match kind {
        TextKind::Plain => plain(source, see),
        TextKind::Flowed { delsp } => flowed(source, delsp, see),
        TextKind::Html => html_views(source, 0, cells, MAX_COMMENTS, see),
        TextKind::Xml => xml_views(source, see),
        TextKind::Csv => see(View::new(Spelled::plain(source, 0), Writing::Cell, "")),
        TextKind::Json => json_views(source, see),
        TextKind::Enriched => see(View::new(between_tags(source, ""), Writing::Enriched, "")),
        TextKind::Directory => directory(source, see),
    }
}

/// Text as it stands, but for files in it that are uuencoded: their lines say nothing (IEEE 1003.1, uuencode).
fn plain(source: &str, see: &mut See<'_>) {
    let files = uuencoded(source);
    if files.is_empty() {
        return see(View::new(Spelled::plain(source, 0), Writing::Plain, ""));
    }
    let mut text = Spelled::default();
    let mut at = 0;
    for file in files {
        text.push(source.get(at..file.start).unwrap_or_default(), at..file.start, true);
        text.push_separator("\n");
        at = file.end;
    }
    text.push(source.get(at..).unwrap_or_default(), at..source.len(), true);
    see(View::new(text, Writing::Plain, ""));
}

/// As it stands, and with soft line ends undone where there are any: a reader that knows of them shows one line.
fn flowed(source: &str, delsp: bool, see: &mut See<'_>) {
    plain(source, see);
    let mut joined = Spelled::default();
    let (mut at, mut copied, mut is_joined) = (0, 0, false);
    let marks = |line: &str| line.bytes().take_while(|b| *b == b'>').count();
    let mut depth = marks(source);
    for line in source.split_inclusive('\n') {
        let text = line.trim_end_matches(['\r', '\n']);
        let next = at + line.len();
        let rest = source.get(next..).unwrap_or_default();
        let (before, now) = (depth, marks(rest));
        depth = now;
        // The line before a signature ends in a blank and does not go on.
        let is_sign = text.trim_start_matches('>').trim_start() == "-- ";
        if text.ends_with(' ') && !is_sign && before == now && !rest.is_empty() {
            let end = at + text.len() - usize::from(delsp);
            joined.push(source.get(copied..end).unwrap_or_default(), copied..end, true);
            let stuffed = usize::from(rest.as_bytes().get(now) == Some(&b' '));
            copied = next + now + stuffed;
            is_joined = true;
        }
        at = next;
    }
    if is_joined {
        joined.push(source.get(copied..).unwrap_or_default(), copied..source.len(), true);
        see(View::new(joined, Writing::Flowed, ""));
    }
}

/// The data lines of uuencoded files in a text, without their `begin` and `end`.
pub(in crate::rule) fn uuencoded(text: &str) -> Vec<Range<usize>> {
    let mut files = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    if !text.contains("begin ") {
        return files;
    }
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        let trimmed = line.trim_end();
        match open {
            None => {
                let mode = trimmed.strip_prefix("begin ").and_then(|rest| rest.split_once(' '));
                if mode.is_some_and(|(m, name)| {
                    matches!(m.len(), 3 | 4) && m.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty()
                }) {
                    open = Some(next);
                }
            }
            Some(start) if !is_uu_line(trimmed) => {
                // Of one line or none it is a text that begins so.
                if trimmed == "end" && at > start {
                    files.push(start..at);
                }
                open = None;
            }
            Some(_) => {}
        }
        at = next;
    }
    files
}

/// Its first character says how many octets it holds; mail programs cut white space at its end.
fn is_uu_line(line: &str) -> bool {
    let bytes = line.as_bytes();
    let Some((first, data)) = bytes.split_first() else { return true };
    let octets = usize::from(first.wrapping_sub(b' ') & 0x3F);
    let full = octets.div_ceil(3) * 4;
    (b' '..=b'`').contains(first)
        && data.iter().all(|b| (b' '..=b'`').contains(b))
        && data.len() <= full + 2
        && data.len() + 4 >= full
}

fn html_views(source: &str, offset: usize, cells: bool, deeper: usize, see: &mut See<'_>) {
    let mut see = |text: Spelled, writing, what| {
        let mut view = View::new(text, writing, what);
        if offset > 0 {
            view.text.shift(offset);
        }
        see(view);
    };
    let mut seen = html::visible(source).into_spelled().collapsed();
    if !cells {
        seen.replace_separators(b'\t', b'|');
    }
    see(seen, Writing::Markup, "");
    html::unseen(source, &mut |unseen| {
        match unseen.kind {
            UnseenKind::Attribute => {
                // A document in an attribute: `srcdoc`, and what libraries keep there.
                if deeper > 0 && unseen.text.text().contains('<') {
                    see(shown(&unseen.text), Writing::Attribute, "attribute");
                }
                see(unseen.text, Writing::Attribute, "attribute");
            }
            UnseenKind::Link => {
                url::parts(&unseen.text, &mut |text| see(text, Writing::Url, "link"));
            }
            UnseenKind::Raw => see(unseen.text, Writing::Raw, "source"),
            UnseenKind::Text => see(unseen.text, Writing::Markup, "hidden"),
            UnseenKind::Comment => {
                let start = unseen.text.pieces(0..1).next().map_or(0, |run| run.source.start);
                if deeper > 0 && unseen.text.text().contains(['<', '&']) {
                    // Conditional comments hold HTML that some programs show, and what was commented out has references.
                    html_views(unseen.text.text(), start, cells, deeper - 1, &mut |view| {
                        see(view.text, view.writing, "comment");
                    });
                }
                see(unseen.text, Writing::Raw, "comment");
            }
        }
    });
}

/// What a reader would see of a text that is HTML, itself written in another.
fn shown(text: &Spelled) -> Spelled {
    html::visible(text.text()).into_spelled().collapsed().within(text)
}

/// Elements of XML part their texts: it has no markup inside of words.
fn xml_views(source: &str, see: &mut See<'_>) {
    see(View::new(between_tags(source, "\n"), Writing::Markup, ""));
    html::unseen(source, &mut |unseen| {
        let what = if unseen.kind == UnseenKind::Comment { "comment" } else { "attribute" };
        let writing = match unseen.kind {
            UnseenKind::Attribute | UnseenKind::Link => Writing::Attribute,
            _ => Writing::Raw,
        };
        see(View::new(unseen.text, writing, what));
    });
}

/// The text between tags, references decoded; `separator` for each tag.
fn between_tags(source: &str, separator: &str) -> Spelled {
    let bytes = source.as_bytes();
    let mut text = Spelled::default();
    let mut at = 0;
    loop {
        let open = bytes.get(at..).and_then(|rest| memchr(b'<', rest)).map_or(source.len(), |n| at + n);
        if separator.is_empty() {
            text.push(source.get(at..open).unwrap_or_default(), at..open, true);
        } else {
            text.extend(&html::escaped(source, at..open));
        }
        let Some(rest) = bytes.get(open + 1..) else { return text };
        if separator.is_empty() && rest.first() == Some(&b'<') {
            // RFC 1896: `<<` is one `<`.
            text.push("<", open..open + 2, false);
            at = open + 2;
            continue;
        }
        let Some(length) = memchr(b'>', rest) else { return text };
        text.push_separator(separator);
        at = open + 1 + length + 1;
    }
}

/// Properties whose value is no text: what programs know an event or a person by, when it is, whom to answer.
const PROPERTIES: &[&str] = &[
    "UID",
    "RELATED-TO",
    "RECURRENCE-ID",
    "DTSTART",
    "DTEND",
    "DTSTAMP",
    "DUE",
    "DURATION",
    "CREATED",
    "LAST-MODIFIED",
    "COMPLETED",
    "REV",
    "SEQUENCE",
    "RRULE",
    "RDATE",
    "EXDATE",
    "TRIGGER",
    "ORGANIZER",
    "ATTENDEE",
    "PRODID",
    "TZID",
    "GEO",
    "KEY",
    "PHOTO",
    "LOGO",
    "SOUND",
];

/// Lines of a calendar or a card, put together: a line that begins with white space goes on (RFC 5545 §3.1).
fn unfolded(source: &str) -> Spelled {
    let mut text = Spelled::default();
    let mut start = 0;
    while start < source.len() {
        // A line with those that it goes on in.
        let mut end = start;
        loop {
            let rest = source.get(end..).unwrap_or_default();
            end += memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
            if end >= source.len() || !source.get(end..).is_some_and(|rest| rest.starts_with([' ', '\t'])) {
                break;
            }
        }
        let line = source.get(start..end).unwrap_or_default();
        let name = line.split([':', ';']).next().unwrap_or_default();
        let name = name.rsplit('.').next().unwrap_or_default().trim();
        if PROPERTIES.iter().any(|property| property.eq_ignore_ascii_case(name)) {
            text.push_separator("\n");
        } else {
            let mut of_line = unfolded_line(line);
            of_line.shift(start);
            text.extend(&of_line);
        }
        start = end;
    }
    text
}

/// The lines, and what is shown of a description in HTML (MS-OXCICAL §2.1.3.1.1.20.26).
fn directory(source: &str, see: &mut See<'_>) {
    let text = unfolded(source);
    if text.text().contains('<') {
        see(View::new(shown(&text), Writing::Description, ""));
    }
    see(View::new(text, Writing::Directory, ""));
}

fn unfolded_line(source: &str) -> Spelled {
    let bytes = source.as_bytes();
    let mut text = Spelled::default();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr(b'\n', rest)) {
        let end = at + found;
        at = end + 1;
        if matches!(bytes.get(at), Some(b' ' | b'\t')) {
            let line = if end > copied && bytes.get(end - 1) == Some(&b'\r') { end - 1 } else { end };
            unescaped(source, copied..line, &mut text);
            at += 1;
            copied = at;
        }
    }
    unescaped(source, copied..source.len(), &mut text);
    text
}

/// `\n`, `\,`, `\;` of a calendar.
fn unescaped(source: &str, range: Range<usize>, text: &mut Spelled) {
    let (mut copied, mut at) = (range.start, range.start);
    let bytes = source.as_bytes();
    while let Some(found) = bytes.get(at..range.end).and_then(|rest| memchr(b'\\', rest)) {
        at += found;
        let character = match bytes.get(at + 1) {
            Some(b'n' | b'N') => "\n",
            Some(b',') => ",",
            Some(b';') => ";",
            Some(b'\\') => "\\",
            _ => {
                at += 1;
                continue;
            }
        };
        text.push(source.get(copied..at).unwrap_or_default(), copied..at, true);
        text.push(character, at..at + 2, false);
        at += 2;
        copied = at;
    }
    text.push(source.get(copied..range.end).unwrap_or_default(), copied..range.end, true);
}

/// Strings of JSON with their escapes decoded, and what stands outside of them.
fn json_views(source: &str, see: &mut See<'_>) {
    let bytes = source.as_bytes();
    let (mut strings, mut outside) = (Spelled::default(), Spelled::default());
    let mut at = 0;
    while at < source.len() {
        let open = bytes.get(at..).and_then(|rest| memchr(b'"', rest)).map_or(source.len(), |n| at + n);
        let between = source.get(at..open).unwrap_or_default();
        outside.push(between, at..open, true);
        if open == source.len() {
            break;
        }
        strings.push_separator(between);
        at = json_string(source, open + 1, &mut strings);
        strings.push_separator("\n");
        // What vouches for a number stands before it, as its key.
        outside.push_separator(source.get(open..at).unwrap_or_default());
    }
    see(View::new(strings, Writing::JsonString, ""));
    see(View::new(outside, Writing::JsonValue, ""));
}

/// One string from behind its quote on; answers where what follows it begins.
fn json_string(source: &str, start: usize, text: &mut Spelled) -> usize {
    let bytes = source.as_bytes();
    let (mut copied, mut at) = (start, start);
    let plain = |from: usize, to: usize, text: &mut Spelled| {
        text.push(source.get(from..to).unwrap_or_default(), from..to, true);
    };
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            plain(copied, at, text);
            return at + 1;
        }
        let unit = match bytes.get(at + 1) {
            Some(b'u') => {
                let code = source.get(at + 2..at + 6).and_then(|hex| u32::from_str_radix(hex, 16).ok());
                code.and_then(char::from_u32).map(|c| (c, 6))
            }
            Some(b'n') => Some(('\n', 2)),
            Some(b'r') => Some(('\r', 2)),
            Some(b't') => Some(('\t', 2)),
            Some(b'b' | b'f') => Some((' ', 2)),
            Some(c @ (b'"' | b'\\' | b'/')) => Some((char::from(*c), 2)),
            _ => None,
        };
        let Some((character, length)) = unit else {
            at += 1;
            continue;
        };
        plain(copied, at, text);
        text.push(character.encode_utf8(&mut [0; 4]), at..at + length, false);
        at += length;
        copied = at;
    }
    plain(copied.min(source.len()), source.len(), text);
    source.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(kind: TextKind, source: &str, cells: bool) -> Vec<View> {
        let mut all = Vec::new();
        views(kind, source, cells, &mut |view| all.push(view));
        all
    }

    fn texts(kind: TextKind, source: &str) -> Vec<String> {
        let views = all(kind, source, false);
        for view in &views {
            for run in view.text.pieces(0..usize::MAX) {
                let spelled = source.get(run.source.clone()).expect("a range of the source");
                assert!(!run.verbatim || view.text.text().get(run.text) == Some(spelled));
            }
        }
        views.into_iter().map(|view| view.text.text().to_owned()).collect()
    }

    #[test]
    fn html_is_looked_at_in_and_out_of_sight() {
        let html = "<p title='a&amp;b' style=c>d<br>e</p><a href=\"https://f/?g=h%20i&amp;j=k#l\">m</a><!--[if mso]><b>n</b><![endif]--><!--q&#52;-->\
                    <table><tr><td>o</td><td>p</td></tr></table>";
        let expected =
            ["d\ne\nm\no|p", "a&b", "c", "g=h i", "j=k", "l", "[if mso]>n", "q4", "[if mso]><b>n</b><![endif]"];
        let found = texts(TextKind::Html, html);
        for text in expected {
            assert!(found.iter().any(|t| t == text), "{text}: {found:?}");
        }
        assert_eq!(all(TextKind::Html, html, true)[0].text.text(), "d\ne\nm\no\tp");
    }

    #[test]
    fn folding_and_escapes_are_undone() {
        assert_eq!(texts(TextKind::Directory, "SUMMARY:a\\, 41\r\n 11\\n b\r\nX:c"), ["SUMMARY:a, 4111\n b\r\nX:c"]);
        assert_eq!(
            texts(TextKind::Json, r#"{"a": "4\u0031\"1", "b": 42}"#),
            ["{a\n: 41\"1\n, b\n".to_owned(), r#"{"a": "4\u0031\"1", "b": 42}"#.to_owned()]
        );
        assert_eq!(texts(TextKind::Xml, "<a b='c'>d&#52;<e/>f</a>"), ["\nd4\nf\n", "c"]);
        assert_eq!(texts(TextKind::Enriched, "a <bold>b</bold> << c"), ["a b < c"]);
    }

    #[test]
    fn files_in_a_text_are_left_alone() {
        let text = "Hi\nbegin 644 a.txt\n#0V%T\n`\nend\nbye\n";
        let files = uuencoded(text);
        assert_eq!(files, vec![19..27]);
        assert_eq!(texts(TextKind::Plain, text), ["Hi\nbegin 644 a.txt\n\nend\nbye\n"]);
        assert!(uuencoded("begin 644 things\nand then I went home\nend\n").is_empty());
    }

    #[test]
    fn a_mask_is_legal_where_it_stands() {
        assert_eq!(Writing::Attribute.write("[A B]\"'<•"), "[A&#32;B]&#34;&#39;&#60;•");
        assert_eq!(Writing::Url.write("[A]*"), "%5BA%5D*");
        assert_eq!(Writing::Raw.write("a-->"), "a--_");
        assert_eq!(Writing::JsonValue.write("[A]"), "\"[A]\"");
        assert_eq!(Writing::Cell.write("[A,B]"), "[A_B]");
    }
}
