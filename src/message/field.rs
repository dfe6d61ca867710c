//! A header field that is safe to write: once made, it can inject neither lines nor fields.

use encodify::{Fold, rfc2047};

use super::LineEnd;
use super::transfer::MAX_LINE;

/// RFC 5322 §2.1.1: lines should be no longer, without their line end.
const FOLD_AT: usize = 78;

/// Why a field cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// RFC 5322 §2.2: printable US-ASCII without the colon.
    #[error("a field name holds only printable ASCII without space and colon")]
    Name,
    /// CR, LF or NUL in a value.
    #[error("a field value holds no line end and no NUL")]
    Value,
}

/// A field name (RFC 5322 §2.2), compared without regard to case.
#[derive(Debug, Clone)]
pub struct FieldName(String);

impl FieldName {
    /// Check a name.
    pub fn new(name: &str) -> Result<Self, FieldError> {
        if name.is_empty() || name.len() > 76 || !name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            return Err(FieldError::Name);
        }
        Ok(Self(name.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the same name in any case.
    pub fn is(&self, other: &[u8]) -> bool {
        self.0.as_bytes().eq_ignore_ascii_case(other)
    }
}

/// The name of one field, or how the names of several begin.
#[derive(Debug, Clone)]
pub enum FieldNames {
    /// This name.
    One(FieldName),
    /// Every name that begins so.
    BeginWith(FieldName),
}

impl FieldNames {
    /// A name; one that ends in `*` is every name that begins so. `*` alone is none.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        match text.strip_suffix('*') {
            Some(start) => FieldName::new(start).map(Self::BeginWith),
            None => FieldName::new(text).map(Self::One),
        }
    }

    /// The name, or how the names begin.
    pub fn name(&self) -> &FieldName {
        match self {
            Self::One(name) | Self::BeginWith(name) => name,
        }
    }

    /// True for a name that is meant, in any case.
    pub fn are(&self, other: &[u8]) -> bool {
        match self {
            Self::One(name) => name.is(other),
            Self::BeginWith(start) => other.get(..start.0.len()).is_some_and(|begins| start.is(begins)),
        }
    }
}

/// A field ready to be written: RFC 2047 encoded words where the value is not ASCII, folded below 78 octets.
#[derive(Debug, Clone)]
pub struct Field {
    name: FieldName,
    value: String,
}

impl Field {
    /// Check a value. It is text: what is not ASCII will be written as encoded words.
    pub fn new(name: FieldName, value: &str) -> Result<Self, FieldError> {
        if value.contains(['\r', '\n', '\0']) {
            return Err(FieldError::Value);
        }
        Ok(Self { name, value: value.trim().to_owned() })
    }

    /// Its name.
    pub fn name(&self) -> &FieldName {
        &self.name
    }

    /// Its value as text.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The whole field with its line end.
    pub(super) fn encode(&self, line_end: LineEnd) -> Vec<u8> {
        let mut out = format!("{}:", self.name.0);
        let mut column = out.len() + 1;
        if needs_encoded_words(&self.value) {
            out.push(' ');
            encode_words(&self.value, &mut column, &mut out);
        } else {
            column -= 1;
            for word in self.value.split_ascii_whitespace() {
                if column + 1 + word.len() > FOLD_AT && column > self.name.0.len() + 1 {
                    out.push_str("\r\n");
                    column = 0;
                }
                out.push(' ');
                out.push_str(word);
                column += 1 + word.len();
            }
            if self.value.is_empty() {
                out.push(' ');
            }
        }
        out.push_str("\r\n");
        super::transfer::with_line_end(out.into_bytes(), line_end)
    }
}

/// True for text that cannot stand in a header as it is, or would be read as something else.
fn needs_encoded_words(value: &str) -> bool {
    !value.bytes().all(|b| b == b'\t' || b == b' ' || b.is_ascii_graphic())
        || value.contains("=?")
        || value.split_ascii_whitespace().any(|word| word.len() > MAX_LINE - FOLD_AT)
        || value.contains("  ")
}

/// Text as RFC 2047 encoded words, in the shorter of both encodings.
fn encode_words(text: &str, column: &mut usize, out: &mut String) {
    let words =
        if rfc2047::Q_TEXT.payload_len(text) <= rfc2047::B.payload_len(text) { rfc2047::Q_TEXT } else { rfc2047::B };
    words.encode_words("utf-8", text, column, Fold::HEADER, out);
}

/// A tag to stand in front of an unstructured value, with what parts it from that value. White space between two encoded
/// words is not shown (RFC 2047 §6.2), so an encoded tag before an encoded word holds the space itself.
pub(super) fn encode_tag(tag: &str, column: usize, before_encoded_word: bool) -> String {
    let mut out = String::new();
    if needs_encoded_words(tag) {
        let mut column = column;
        let text = if before_encoded_word { format!("{tag} ") } else { tag.to_owned() };
        encode_words(&text, &mut column, &mut out);
    } else {
        out.push_str(tag);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: &str) -> String {
        let field = Field::new(FieldName::new("X-Note").unwrap(), value).unwrap();
        String::from_utf8(field.encode(LineEnd::CrLf)).unwrap()
    }

    #[test]
    fn a_value_cannot_bring_in_lines() {
        let name = FieldName::new("X-Note").unwrap();
        assert!(Field::new(name.clone(), "a\r\nBcc: x@example.com").is_err());
        assert!(Field::new(name, "a\0").is_err());
        assert!(FieldName::new("X Note").is_err());
        assert!(FieldName::new("X:").is_err());
        assert!(FieldName::new("").is_err());
        assert!(FieldName::new(&"x".repeat(76)).is_ok() && FieldName::new(&"x".repeat(77)).is_err());
    }

    #[test]
    fn names_that_begin_alike() {
        let spam = FieldNames::new("X-Spam-*").unwrap();
        assert!(spam.are(b"x-SPAM-Status") && spam.are(b"X-Spam-"));
        assert!(!spam.are(b"X-Spam") && !spam.are(b"X-Spa\xC3\xBC-Status") && !spam.are(b""));
        assert!(FieldNames::new("X-Spam").unwrap().are(b"x-spam"));
        assert!(FieldNames::new("*").is_err() && FieldNames::new("X Y*").is_err());
    }

    #[test]
    fn long_values_are_folded_and_others_encoded() {
        assert_eq!(encoded("plain"), "X-Note: plain\r\n");
        assert_eq!(encoded(""), "X-Note: \r\n");
        assert_eq!(encoded("Grüße"), "X-Note: =?utf-8?B?R3LDvMOfZQ==?=\r\n");
        let literal = encoded("=?utf-8?Q?x?=");
        let value = literal.strip_prefix("X-Note:").unwrap().as_bytes();
        assert_eq!(super::super::header::decode_value(value), "=?utf-8?Q?x?=");
        let long = encoded(&"word ".repeat(100));
        assert!(long.lines().all(|l| l.len() <= FOLD_AT), "{long}");
        let long = encoded(&"é".repeat(500));
        assert!(long.lines().all(|l| l.len() <= FOLD_AT), "{long}");
        let long = encoded(&"x".repeat(3_000));
        assert!(long.lines().all(|l| l.len() <= MAX_LINE), "{long}");
    }
}
