//! A header field that is safe to write: once made, it can inject neither lines nor fields.

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
}
