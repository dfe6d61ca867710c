//! Attachments that are stored outside of the message: their keys, and links to them.
//!
//! Rules do no I/O: an action says what is to be stored under which key, and puts the link into the message. The handler
//! stores it before the message is put back, so no reader gets a link that leads nowhere. A link that expires takes no
//! call to AWS either: it is a signature over its own text.
//!
//! Invariant: the key says nothing about people. It is a digest of content, name and type, so the same attachment has the
//! same key however often it comes, and a second try stores nothing twice.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::percent::{self, IN_PATH, RESERVED};

/// What stands before the digest in keys.
pub const PREFIX: &str = "attachments/";
/// Longest life of a link (Signature Version 4, `X-Amz-Expires`), in seconds.
pub const MAX_LIFE: u32 = 7 * 24 * 3_600;
/// Types that a browser runs or shows as a page of the host that they come from.
const ACTIVE: &[&str] =
    &["text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml", "text/javascript"];

/// An attachment to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    key: String,
    name: String,
    media_type: String,
    content: Bytes,
    sha256: [u8; 32],
}

impl fmt::Debug for Stored {
    /// Its key; name and content are content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("key", &self.key).field("len", &self.content.len()).finish_non_exhaustive()
    }
}

impl Stored {
    /// An attachment of this name (without what deceives) and declared type.
    pub fn new(name: &str, media_type: &str, content: Bytes) -> Self {
        let sha256: [u8; 32] = Sha256::digest(&content).into();
        let mut digest = Sha256::new();
        for piece in [name.as_bytes(), media_type.as_bytes(), &sha256] {
            digest.update((piece.len() as u64).to_be_bytes());
            digest.update(piece);
        }
        let key = format!("{PREFIX}{}", hex(&digest.finalize()));
        Self { key, name: name.to_owned(), media_type: media_type.to_owned(), content, sha256 }
    }
    /// `attachments/` and 64 hex digits.
    pub fn key(&self) -> &str {
        &self.key
    }
    /// The file name; may be empty. This is content.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Its octets.
    pub fn content(&self) -> &Bytes {
        &self.content
    }
    /// SHA-256 of its octets.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
    /// The type to store it with: as declared, unless a browser would run it as a page of the host.
    pub fn safe_type(&self) -> &str {
        let token = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        let sound = self.media_type.split_once('/').is_some_and(|(a, b)| token(a) && token(b));
        if sound && !ACTIVE.contains(&self.media_type.as_str()) { &self.media_type } else { "application/octet-stream" }
    }
    /// `Content-Disposition` to store it with (RFC 6266): a browser saves it, whatever it is.
    pub fn disposition(&self) -> String {
        if self.name.is_empty() {
            return "attachment".to_owned();
        }
        format!("attachment; filename*=UTF-8''{}", percent::encoded(&self.name, RESERVED))
    }
}

/// How a link to a stored attachment is made where a rule does not say.
#[derive(Debug, Clone, Default)]
pub struct Links(Option<Arc<Signer>>);

impl Links {
    /// Links that S3 takes until they expire.
    pub fn signed(signer: Signer) -> Self {
        Self(Some(Arc::new(signer)))
    }
    /// A link that works for `life` seconds from `now` on. Without a signer, in replays and tests, one that leads nowhere.
    pub fn link(&self, key: &str, now: Option<Timestamp>, life: u32) -> String {
        match (&self.0, now) {
            (Some(signer), Some(now)) => signer.sign(key, now, life),
            _ => format!("https://stored.example/{key}?expires-in={life}"),
        }
    }
}

/// Signs links to objects of one bucket (AWS Signature Version 4, query parameters).
#[derive(Clone)]
pub struct Signer {
    /// `https://bucket.s3.region.amazonaws.com`, or the same for another server; without a slash at its end.
    pub base: String,
    /// Its Region.
    pub region: String,
    /// Access key id.
    pub key_id: String,
    /// Secret access key.
    pub secret: String,
    /// Session token of a role. Such a link stops working when the session ends, whatever it says itself.
    pub token: Option<String>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("base", &self.base).field("region", &self.region).finish_non_exhaustive()
    }
}

impl Signer {
    fn sign(&self, key: &str, now: Timestamp, life: u32) -> String {
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = time.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let credential = percent::encoded(&format!("{}/{scope}", self.key_id), RESERVED).to_string();
        let mut query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={time}&X-Amz-Expires={}",
            life.clamp(1, MAX_LIFE)
        );
        if let Some(token) = &self.token {
            let _ = write!(query, "&X-Amz-Security-Token={}", percent::encoded(token, RESERVED));
        }
        query.push_str("&X-Amz-SignedHeaders=host");
        let rest = self.base.split_once("://").map_or(self.base.as_str(), |(_, rest)| rest);
        let (host, folder) =
            rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
        let path = percent::encoded(&format!("{folder}/{key}"), IN_PATH).to_string();
        let request = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(request.as_bytes())));
        let mut secret = format!("AWS4{}", self.secret).into_bytes();
        for piece in [day, &self.region, "s3", "aws4_request", &text] {
            secret = hmac(&secret, piece);
        }
        let scheme = self.base.split_once("://").map_or("https", |(scheme, _)| scheme);
        format!("{scheme}://{host}{path}?{query}&X-Amz-Signature={}", hex(&secret))
    }
}

fn hmac(secret: &[u8], text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(secret).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(token: Option<&str>) -> Signer {
        Signer {
            base: "https://examplebucket.s3.amazonaws.com".into(),
            region: "us-east-1".into(),
            key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            token: token.map(str::to_owned),
        }
    }

    /// The example of the Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters".
    #[test]
    fn a_link_is_signed_as_s3_wants_it() {
        let now: Timestamp = "2013-05-24T00:00:00Z".parse().unwrap();
        let links = Links::signed(signer(None));
        assert_eq!(
            links.link("test.txt", Some(now), 86_400),
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\
             AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=\
             86400&X-Amz-SignedHeaders=host&X-Amz-Signature=\
             aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
        let with = Links::signed(signer(Some("a/b+c"))).link("test.txt", Some(now), 86_400);
        assert!(with.contains("&X-Amz-Security-Token=a%2Fb%2Bc&X-Amz-SignedHeaders=host"), "{with}");
    }

    #[test]
    fn secrets_and_names_are_not_shown() {
        let shown =
            format!("{:?} {:?}", Links::signed(signer(Some("token"))), Stored::new("salary.pdf", "a/b", Bytes::new()));
        assert!(!shown.contains("wJalr") && !shown.contains("token") && !shown.contains("salary"), "{shown}");
    }

    #[test]
    fn the_key_is_that_of_the_attachment_and_says_nothing() {
        let stored = |name: &str, content: &'static str| Stored::new(name, "application/pdf", Bytes::from(content));
        let one = stored("Ann Example.pdf", "x");
        assert_eq!(one.key(), stored("Ann Example.pdf", "x").key());
        assert_ne!(one.key(), stored("b.pdf", "x").key());
        assert_ne!(one.key(), stored("Ann Example.pdf", "y").key());
        assert!(crate::flow::key::ObjectKey::new(one.key()).is_ok() && !one.key().contains("Ann"));
        assert_eq!(one.disposition(), "attachment; filename*=UTF-8''Ann%20Example.pdf");
        for (given, kept) in [
            ("application/pdf", "application/pdf"),
            ("text/html", "application/octet-stream"),
            ("image/svg+xml", "application/octet-stream"),
            ("a b/c", "application/octet-stream"),
            ("text", "application/octet-stream"),
        ] {
            assert_eq!(Stored::new("", given, Bytes::new()).safe_type(), kept);
        }
    }
}
