//! What is stored in S3: octets, what was said of them, and what tells them apart.

use bytes::Bytes;
use mailwright::facts::Timestamp;
use mailwright::hex::hex;
use md5::{Digest, Md5};

/// Names and values.
pub type Pairs = Vec<(String, String)>;

/// What is said of an object by who stores it.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// `Content-Type`, as it was given.
    pub media_type: String,
    /// Other fields that come back with it: names in lower case, and values.
    pub fields: Pairs,
    /// Its tags: keys and values.
    pub tags: Pairs,
}

impl About {
    /// Of this type, and nothing else.
    pub fn of(media_type: &str) -> Self {
        Self { media_type: media_type.to_owned(), ..Self::default() }
    }
}

/// Octets, and what tells them from others.
#[derive(Debug, Clone)]
pub struct Octets {
    /// Themselves.
    pub content: Bytes,
    /// Their entity tag, without quotes: MD5 in hexadecimal, as S3 has it of what comes in one piece; and of what came in
    /// parts MD5 over those of the parts, with their number.
    pub tag: String,
    /// The checksum that they were sent with, such as `x-amz-checksum-crc32`, and in base64.
    pub checksum: Option<(String, String)>,
}

impl Octets {
    /// With the tag of what comes in one piece: some milliseconds for a megabyte.
    pub fn of(content: impl Into<Bytes>) -> Self {
        let content = content.into();
        Self { tag: hex(&Md5::digest(&content)), content, checksum: None }
    }

    /// Of parts, in their order.
    pub fn of_parts(parts: &[Self]) -> Self {
        let mut digest = Md5::new();
        for part in parts {
            // An entity tag of a part is that of one piece: 32 digits.
            let pairs = part.tag.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
            let octets: Vec<u8> = pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
            digest.update(&octets);
        }
        let content = parts.iter().map(|part| &*part.content).collect::<Vec<&[u8]>>().concat().into();
        Self { content, tag: format!("{}-{}", hex(&digest.finalize()), parts.len()), checksum: None }
    }
}

impl From<Vec<u8>> for Octets {
    fn from(content: Vec<u8>) -> Self {
        Self::of(content)
    }
}

/// What has come of a deletion.
#[derive(Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The version that says that the object is deleted, or the one that was removed.
    pub version: u64,
    /// True where that version says so.
    pub says_so: bool,
}

/// A version of an object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its octets.
    pub content: Bytes,
    /// What was said of it.
    pub about: About,
    /// It says that the object is deleted, and has no octets.
    pub is_deleted: bool,
    /// Which version.
    pub version: u64,
    /// When it was stored.
    pub stored: Timestamp,
    /// Its entity tag, without quotes.
    pub tag: String,
    /// The checksum that it was sent with.
    pub checksum: Option<(String, String)>,
}

impl Object {
    /// How much memory it takes, nearly.
    pub fn octets(&self) -> usize {
        let pairs = self.about.fields.iter().chain(&self.about.tags).chain(&self.checksum);
        self.content.len() + pairs.map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }
}

/// The id of a version, as S3 says it.
pub fn version_id(version: u64) -> String {
    format!("v{version:08}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_tags_are_those_of_s3() {
        let [hello, world] = [Octets::of(&b"Hello"[..]), Octets::of(&b"World"[..])];
        assert_eq!(hello.tag, "8b1a9953c4611296a827abf8c47804d7");
        // md5(unhex(md5("Hello")) + unhex(md5("World"))), as `md5sum` and `xxd` have it.
        let whole = Octets::of_parts(&[hello, world]);
        assert_eq!((whole.tag.as_str(), &*whole.content), ("64d1e57a34042883053ec1c5d8d60167-2", &b"HelloWorld"[..]));
    }
}
