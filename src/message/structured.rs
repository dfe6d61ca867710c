//! Values of the form of Content-Type and Content-Disposition: a word, then parameters (RFC 2045 §5.1, RFC 2183).
//!
//! Most are written so plainly that all readers agree on them: those are read here and now, and borrowed. All others are
//! left to mail-parser, which costs ten times as much.
//!
//! Invariant: what is read here is read by mail-parser in the same way, and by simple readers too.

use std::borrow::Cow;

use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};

use super::mime_field;

/// Parameters of a plain value; with more it is not plain.
const MAX_PLAIN: usize = 8;

/// A value, taken apart.
#[derive(Debug)]
pub(super) enum Structured<'v> {
    /// All readers agree on it.
    Plain(Plain<'v>),
    /// As mail-parser reads it.
    Read(ContentType<'static>),
}

impl<'v> Structured<'v> {
    /// Take a value apart; `None` for one that says nothing.
    pub fn of(value: &'v [u8]) -> Option<Self> {
        plain(value).map(Self::Plain).or_else(|| read(value).map(Self::Read))
    }

    /// Type and subtype in lower case; `text/plain` for a value that has no subtype, as RFC 2045 §5.2 asks.
    pub fn media_type(&self) -> String {
        match self {
            Self::Plain(plain) => {
                if plain.word.contains('/') {
                    plain.word.to_ascii_lowercase()
                } else {
                    "text/plain".to_owned()
                }
            }
            Self::Read(value) => match value.subtype() {
                Some(subtype) if !value.ctype().trim().is_empty() && !subtype.trim().is_empty() => {
                    format!("{}/{}", value.ctype().trim(), subtype.trim()).to_lowercase()
                }
                _ => "text/plain".to_owned(),
            },
        }
    }

    /// True for a value whose word, up to a subtype, is this one.
    pub fn is(&self, word: &str) -> bool {
        match self {
            Self::Plain(plain) => {
                plain.word.split_once('/').map_or(plain.word, |(kind, _)| kind).eq_ignore_ascii_case(word)
            }
            Self::Read(value) => value.ctype().trim().eq_ignore_ascii_case(word),
        }
    }

    /// A parameter by its name in lower case, without white space round it; an empty one is none.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        match self {
            Self::Plain(plain) => plain.parameter(name),
            Self::Read(value) => value.attribute(name).map(str::trim).filter(|value| !value.is_empty()),
        }
    }
}

/// `type/subtype; name=value; other="a value"`, in ASCII, each name once, without comments, escapes, encoded words, pieces
/// (RFC 2231) and empty values.
#[derive(Debug, Default)]
pub(super) struct Plain<'v> {
    word: &'v str,
    parameters: [(&'v str, &'v str); MAX_PLAIN],
}

impl<'v> Plain<'v> {
    fn parameter(&self, name: &str) -> Option<&'v str> {
        let mut parameters = self.parameters.iter().take_while(|(name, _)| !name.is_empty());
        parameters.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

fn plain(value: &[u8]) -> Option<Plain<'_>> {
    let value = str::from_utf8(value).ok()?.trim_ascii();
    let len = value
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'/'))
        .count();
    let (word, mut rest) = value.split_at_checked(len)?;
    let (kind, subtype) = word.split_once('/').unwrap_or((word, "none"));
    if kind.is_empty() || subtype.is_empty() || subtype.contains('/') {
        return None;
    }
    let mut plain = Plain { word, ..Plain::default() };
    let mut slots = 0..MAX_PLAIN;
    loop {
        rest = past_blanks(rest)?;
        if rest.is_empty() {
            return Some(plain);
        }
        rest = past_blanks(rest.strip_prefix(';')?)?;
        if rest.is_empty() {
            return Some(plain);
        }
        let len = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
        let (name, behind) = rest.split_at_checked(len)?;
        let (value, behind) = parameter_value(behind.strip_prefix('=')?)?;
        if name.is_empty() || plain.parameter(name).is_some() {
            return None;
        }
        *plain.parameters.get_mut(slots.next()?)? = (name, value);
        rest = behind;
    }
}

/// A word, or a quoted string of which each octet stands for itself; and what is behind it.
fn parameter_value(rest: &str) -> Option<(&str, &str)> {
    let (value, behind) = if let Some(quoted) = rest.strip_prefix('"') {
        let (value, behind) = quoted.split_once('"')?;
        let is_itself = |b: u8| matches!(b, b' '..=b'~') && b != b'\\';
        let has_encoded_word = || value.as_bytes().windows(2).any(|pair| pair == b"=?");
        if !value.bytes().all(is_itself) || value.trim_ascii().len() != value.len() || has_encoded_word() {
            return None;
        }
        (value, behind)
    } else {
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b':' | b'/');
        rest.split_at_checked(rest.bytes().take_while(is_word).count())?
    };
    (!value.is_empty()).then_some((value, behind))
}

/// What is behind spaces, tabs and folds; `None` where a CR stands for itself.
fn past_blanks(text: &str) -> Option<&str> {
    let rest = text.trim_ascii_start();
    let blanks = text.as_bytes().get(..text.len() - rest.len())?;
    let odd = |at: usize| match blanks.get(at) {
        Some(b'\r') => blanks.get(at + 1) != Some(&b'\n'),
        Some(b'\x0C') => true,
        _ => false,
    };
    (!(0..blanks.len()).any(odd)).then_some(rest)
}

/// As mail-parser reads it.
fn read(value: &[u8]) -> Option<ContentType<'static>> {
    // mail-parser wants a line end, and LF to fold at.
    let value: Cow<'_, [u8]> = if value.ends_with(b"\n") {
        Cow::Borrowed(value)
    } else {
        let mut line: Vec<u8> = value.iter().map(|b| if *b == b'\r' { b'\n' } else { *b }).collect();
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        Cow::Owned(line)
    };
    let tidied = mime_field::tidied(&value).map(|tidied| [tidied.trim_ascii_end(), b"\n"].concat());
    let value = tidied.as_deref().unwrap_or(&value);
    match MessageStream::new(value).parse_content_type().into_owned() {
        HeaderValue::ContentType(value) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// The names that [`super::super::part`] asks for.
    const NAMES: [&str; 11] = [
        "charset",
        "boundary",
        "name",
        "filename",
        "format",
        "delsp",
        "smime-type",
        "method",
        "hp",
        "protected-headers",
        "report-type",
    ];

    /// True when the value is plain; then mail-parser must read the same.
    fn is_plain_and_read_alike(value: &[u8]) -> bool {
        let Some(plain) = plain(value).map(Structured::Plain) else { return false };
        let line = [value, b"\r\n"].concat();
        let read = Structured::Read(read(&line).expect("what is plain says something"));
        assert_eq!(plain.media_type(), read.media_type());
        assert_eq!(plain.is("attachment"), read.is("attachment"));
        for name in NAMES {
            assert_eq!(plain.parameter(name), read.parameter(name), "{name}");
        }
        true
    }

    #[test]
    fn what_mail_programs_write_is_plain() {
        for value in [
            " text/plain",
            " text/plain; charset=utf-8",
            " TEXT/HTML; Charset=\"UTF-8\"",
            " text/plain; charset=us-ascii; format=flowed; delsp=yes",
            " multipart/alternative;\r\n\tboundary=\"----=_Part_1_2.3\"",
            " multipart/mixed; boundary=0000000000aa1b2c05d0;",
            " application/pdf; name=\"a (1) = b; c.pdf\"",
            " attachment; filename=a.pdf; size=12",
            " inline",
        ] {
            assert!(is_plain_and_read_alike(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn what_is_read_in_several_ways_is_not_plain() {
        for value in [
            "",
            " ;charset=utf-8",
            " text",
            " text/",
            " text/plain/x",
            " text/plain (a comment)",
            " text/plain; charset=\"utf-8",
            " text/plain; charset=utf-8 (x)",
            " text/plain; charset=utf-8 format=flowed",
            " text/plain charset=utf-8",
            " text/plain; charset=a; Charset=b",
            " text/plain; charset*=utf-8''x",
            " text/plain; name*0=a; name*1=b",
            " text/plain; name=\"a\\\"b\"",
            " text/plain; name=\"=?utf-8?q?a?=\"",
            " text/plain; name=\" a\"",
            " text/plain; name=\"\"",
            " text/plain; name=\"a\r\n b\"",
            " text/plain; name=",
            " text/plain;; charset=utf-8",
            " text/plain; charset =utf-8",
            " text/plain;\r charset=utf-8",
            " text/plain; name=\"\u{e9}\"",
        ] {
            let is_word = value.trim() == "text";
            assert_eq!(plain(value.as_bytes()).is_some(), is_word, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_is_read_alike(
            pieces in prop::collection::vec(select(vec![
                "text/plain", "multipart/mixed", "attachment", "x", "/", ";", "; ", ";\r\n ", ";\n\t", " ", "charset", "name",
                "filename", "boundary", "format", "=", "=", "\"", "\"", "a b", "utf-8", "----=_x", "(", ")", "\\", "*", "'", "%41",
                "=?", "?=", ":", ",", "<", "\u{e9}", "\r", "@", "1",
            ]), 0..14),
        ) {
            is_plain_and_read_alike(pieces.concat().as_bytes());
        }

        #[test]
        fn parameters_in_any_order_are_read_alike(
            word in select(vec!["text/plain", "Multipart/Mixed", "attachment", "inline", "application/x-a.b+c"]),
            parameters in prop::collection::vec(
                (select(NAMES.to_vec()), select(vec!["=", "=\""]), "[ -~]{1,12}", select(vec!["", "\""]), select(vec![";", "; ", ";\r\n\t", " ; "])),
                0..4,
            ),
        ) {
            let mut value = format!(" {word}");
            for (name, open, text, close, gap) in parameters {
                value = format!("{value}{gap}{name}{open}{text}{close}");
            }
            is_plain_and_read_alike(value.as_bytes());
        }
    }
}
