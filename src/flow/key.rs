//! Names that the AWS APIs take: message ids, buckets, object keys. Once made, they cannot be wrong.
//!
//! The SDKs check none of these patterns before they send a request. Source of all of them: the service model of
//! `workmailmessageflow` (2019-05-01), `PutRawMessageContent`.

use std::fmt;

use crate::hex::hex;

/// Longest message id, in characters (service model, `messageIdType`).
pub const MAX_MESSAGE_ID: usize = 120;
/// Shortest bucket name, in characters (service model, `s3BucketIdType`).
pub const MIN_BUCKET: usize = 3;
/// Longest bucket name, in characters (service model, `s3BucketIdType`).
pub const MAX_BUCKET: usize = 63;
/// Longest object key, in characters (service model, `s3KeyIdType`).
pub const MAX_KEY: usize = 1024;
/// Longest key prefix: what is left of a key by the longest message id, a digest and two slashes.
pub const MAX_PREFIX: usize = MAX_KEY - MAX_MESSAGE_ID - 64 - 2;

/// Digits of an organization's id (service model of `workmail`, `OrganizationId`).
pub const ORGANIZATION_DIGITS: usize = 32;

/// Why a name is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a message id.
    #[error("a message id is 1 to {MAX_MESSAGE_ID} of a-z, 0-9 and -")]
    MessageId,
    /// Not a bucket that WorkMail reads from: S3 also allows dots, WorkMail does not.
    #[error(
        "a bucket name is {MIN_BUCKET} to {MAX_BUCKET} of a-z, 0-9 and -, without a dot, and starts with a letter or a digit"
    )]
    Bucket,
    /// Not an object key that WorkMail reads: no dot, no underscore.
    #[error("an object key is 1 to {MAX_KEY} of a-z, A-Z, 0-9, - and /, without a dot or an underscore")]
    Key,
    /// Not the id of a WorkMail organization.
    #[error("the id of an organization is m- and {ORGANIZATION_DIGITS} of 0-9 and a-f")]
    Organization,
    /// Not an object that a rule set may be published in.
    #[error(
        "a published rule set is s3://BUCKET/KEY: the bucket's name without a dot, the key of at most {MAX_KEY} octets"
    )]
    Rules,
    /// Not a prefix of such a key.
    #[error("a key prefix is at most {MAX_PREFIX} of a-z, A-Z, 0-9, - and /, without a dot or an underscore")]
    Prefix,
}

/// WorkMail's handle for a message (`[a-z0-9\-]*`, 1 to 120): not the RFC 5322 Message-ID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct MessageId(String);

/// A bucket that WorkMail reads from (`^[a-z0-9][a-z0-9\-]*`, 3 to 63).
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Bucket(String);

/// A key that WorkMail reads (`[a-zA-Z0-9\-/]*`, 1 to 1024).
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct ObjectKey(String);

/// The id of a WorkMail organization (`^m-[0-9a-f]{32}$`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationId(String);

/// An object that a rule set is published in: `s3://bucket/key`. Its key may hold what S3 allows, as nobody but the function
/// reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesObject {
    /// The bucket, in the function's Region.
    pub bucket: Bucket,
    /// The key, as it is.
    pub key: String,
}

/// What stands before all keys: empty, or ends in one slash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPrefix(String);

impl OrganizationId {
    /// Check an id.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let digits = text.strip_prefix("m-").unwrap_or_default();
        let fits =
            digits.len() == ORGANIZATION_DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Organization) }
    }
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RulesObject {
    /// Read `s3://bucket/key`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let (bucket, key) = text.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or(NameError::Rules)?;
        let bucket = Bucket::new(bucket).map_err(|_| NameError::Rules)?;
        let fits = (1..=MAX_KEY).contains(&key.len()) && !key.chars().any(char::is_control);
        if fits { Ok(Self { bucket, key: key.to_owned() }) } else { Err(NameError::Rules) }
    }
}

impl MessageId {
    /// Check an id.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let fits = (1..=MAX_MESSAGE_ID).contains(&text.len()) && text.bytes().all(is_lower_digit_hyphen);
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::MessageId) }
    }
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Bucket {
    /// Check a name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let fits = (MIN_BUCKET..=MAX_BUCKET).contains(&text.len())
            && text.bytes().all(is_lower_digit_hyphen)
            && !text.starts_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Bucket) }
    }
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl KeyPrefix {
    /// Check a prefix. Slashes at its ends do not matter.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let text = text.trim_matches('/');
        if text.len() > MAX_PREFIX - 1 || !text.bytes().all(is_key_octet) {
            return Err(NameError::Prefix);
        }
        Ok(Self(if text.is_empty() { String::new() } else { format!("{text}/") }))
    }
    /// A folder below it; `name` is one of such characters. Too long a prefix leaves the name out.
    #[must_use]
    pub(crate) fn below(&self, name: &str) -> Self {
        Self::new(&format!("{}{name}", self.0)).unwrap_or_else(|_| self.clone())
    }
    /// The prefix with its slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ObjectKey {
    /// Check a key.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let fits = (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(is_key_octet);
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Key) }
    }
    /// The key of a rewritten message: prefix, message id, SHA-256 of the content in hex. The same rewrite of the same
    /// message has the same key, so a retry overwrites and nothing piles up.
    pub fn of(prefix: &KeyPrefix, id: &MessageId, sha256: &[u8; 32]) -> Self {
        Self(format!("{}{}/{}", prefix.0, id.0, hex(sha256)))
    }
    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_lower_digit_hyphen(octet: u8) -> bool {
    matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-')
}

fn is_key_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_the_service_would_refuse_cannot_be_made() {
        for good in ["a", "550e8400-e29b-41d4-a716-446655440000", &"a".repeat(120)] {
            assert!(MessageId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "a_b", "a.b", "a/b", "ä", "a b", "a\n", "../a", &"a".repeat(121)] {
            assert_eq!(MessageId::new(bad), Err(NameError::MessageId), "{bad}");
        }
        for good in ["abc", "my-bucket-1", "0ab", &"b".repeat(63)] {
            assert!(Bucket::new(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "-ab", "my.bucket", "My-bucket", "my_bucket", &"b".repeat(64)] {
            assert_eq!(Bucket::new(bad), Err(NameError::Bucket), "{bad}");
        }
        for bad in ["", "a.eml", "a_b", "a+b", "a=b", "é", &"k".repeat(1025)] {
            assert_eq!(ObjectKey::new(bad), Err(NameError::Key), "{bad}");
        }
        assert!(ObjectKey::new("2026/A-b/9").is_ok());
    }

    #[test]
    fn the_object_of_a_rule_set_is_a_url() {
        let object = RulesObject::new("s3://my-bucket/mail rules/rules_1.json").unwrap();
        assert_eq!((object.bucket.as_str(), object.key.as_str()), ("my-bucket", "mail rules/rules_1.json"));
        for bad in
            ["", "rules", "s3://", "s3://my-bucket", "s3://my-bucket/", "s3://my.bucket/r", "s3:///r", "https://b/r"]
        {
            assert_eq!(RulesObject::new(bad), Err(NameError::Rules), "{bad}");
        }
    }

    #[test]
    fn slashes_round_a_prefix_do_not_matter() {
        for (given, kept) in [("", ""), ("/", ""), ("out", "out/"), ("/out/new//", "out/new/")] {
            assert_eq!(KeyPrefix::new(given).unwrap().as_str(), kept);
        }
        assert_eq!(KeyPrefix::new("my_mail"), Err(NameError::Prefix));
    }

    #[test]
    fn the_longest_prefix_and_id_make_a_key_that_fits() {
        let prefix = KeyPrefix::new(&"p".repeat(MAX_PREFIX - 1)).unwrap();
        let id = MessageId::new(&"a".repeat(MAX_MESSAGE_ID)).unwrap();
        let key = ObjectKey::of(&prefix, &id, &[0xfa; 32]);
        assert_eq!(ObjectKey::new(key.as_str()), Ok(key));
        assert!(KeyPrefix::new(&"p".repeat(MAX_PREFIX)).is_err());
    }
}
