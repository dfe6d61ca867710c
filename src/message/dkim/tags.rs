//! The tag list of a DKIM-Signature field (RFC 6376 §3.2, §3.5).

use super::canonical::Canon;
use crate::message::part::TransferEncoding;
use crate::message::transfer;

/// Tags of one list past this number make it unreadable.
const MAX_TAGS: usize = 64;
/// Names in `h=` past this number make it unreadable.
const MAX_SIGNED: usize = 1_000;

/// What a signature is made with (RFC 6376 §3.3, RFC 8463 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// `rsa-sha256`.
    RsaSha256,
    /// `ed25519-sha256`.
    Ed25519Sha256,
    /// `rsa-sha1`, which counts for nothing since 2018 (RFC 8301 §3.1).
    RsaSha1,
    /// None of these.
    Other,
}

impl Algorithm {
    /// True where the body hash is SHA-256.
    pub(super) fn hashes_with_sha256(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::Ed25519Sha256)
    }
}

/// What a DKIM-Signature field says of itself, as far as it matters without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tags {
    /// `a=`.
    pub algorithm: Algorithm,
    /// Of the header: `c=` before the slash.
    pub header: Canon,
    /// Of the body: `c=` behind the slash.
    pub body: Canon,
    /// `l=`: so many octets of the canonical body are signed.
    pub length: Option<u64>,
    /// `bh=`.
    pub body_hash: Vec<u8>,
    /// `h=` in lower case, in order, names that stand there twice twice.
    pub signed: Vec<Vec<u8>>,
}

/// Read the value of a field. `None` where a verifier gives up on it as well: a tag that must be there is missing, one
/// stands there twice, or its value cannot be read.
pub(super) fn read(value: &[u8]) -> Option<Tags> {
    let mut tags: Vec<(&[u8], &[u8])> = Vec::new();
    let mut specs = value.split(|b| *b == b';').peekable();
    while let Some(spec) = specs.next() {
        let spec = spec.trim_ascii();
        if spec.is_empty() && specs.peek().is_none() {
            break;
        }
        let equals = memchr::memchr(b'=', spec)?;
        let (name, value) = (spec.get(..equals)?.trim_ascii_end(), spec.get(equals + 1..)?.trim_ascii_start());
        let is_name =
            name.first()?.is_ascii_alphabetic() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
        if !is_name || tags.len() >= MAX_TAGS || tags.iter().any(|(other, _)| *other == name) {
            return None;
        }
        tags.push((name, value));
    }
    let tag = |name: &str| tags.iter().find(|(other, _)| *other == name.as_bytes()).map(|(_, value)| *value);
    if tag("v")? != b"1" {
        return None;
    }
    for needed in ["b", "d", "s"] {
        tag(needed).filter(|value| !value.is_empty())?;
    }
    let (header, body) = match tag("c") {
        None => (Canon::Simple, Canon::Simple),
        Some(value) => {
            let mut canons = value.splitn(2, |b| *b == b'/');
            let header = canon(canons.next()?)?;
            (header, canons.next().map_or(Some(Canon::Simple), canon)?)
        }
    };
    let length = match tag("l") {
        None => None,
        Some(value) => {
            Some(std::str::from_utf8(value).ok().filter(|v| v.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?)
        }
    };
    let signed: Vec<Vec<u8>> =
        tag("h")?.split(|b| *b == b':').map(|name| name.trim_ascii().to_ascii_lowercase()).collect();
    if signed.len() > MAX_SIGNED || signed.iter().any(Vec::is_empty) {
        return None;
    }
    let body_hash: Vec<u8> = tag("bh")?.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    let body_hash = transfer::decode(TransferEncoding::Base64, &body_hash).ok()?.into_owned();
    Some(Tags { algorithm: algorithm(tag("a")?), header, body, length, body_hash, signed })
}

fn algorithm(value: &[u8]) -> Algorithm {
    match value.to_ascii_lowercase().as_slice() {
        b"rsa-sha256" => Algorithm::RsaSha256,
        b"ed25519-sha256" => Algorithm::Ed25519Sha256,
        b"rsa-sha1" => Algorithm::RsaSha1,
        _ => Algorithm::Other,
    }
}

fn canon(value: &[u8]) -> Option<Canon> {
    match value.trim_ascii().to_ascii_lowercase().as_slice() {
        b"simple" => Some(Canon::Simple),
        b"relaxed" => Some(Canon::Relaxed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "v=1; a=rsa-sha256; d=example.net; s=brisbane; c=simple/relaxed; l=12;\r\n\th=From : to:\r\n \
                        Subject:Subject; bh=MTIz\r\n NDU2; b=dzdV\r\n yOfA; q=dns/txt; x_y=1;";

    #[test]
    fn a_list_with_folding_in_every_place() {
        let tags = read(GOOD.as_bytes()).unwrap();
        assert_eq!((tags.algorithm, tags.header, tags.body), (Algorithm::RsaSha256, Canon::Simple, Canon::Relaxed));
        assert_eq!((tags.length, tags.body_hash.as_slice()), (Some(12), &b"123456"[..]));
        assert_eq!(tags.signed, [&b"from"[..], b"to", b"subject", b"subject"]);
    }

    #[test]
    fn what_is_not_said_is_simple() {
        let with = |c: &str| {
            let tags = read(GOOD.replace("c=simple/relaxed;", c).as_bytes()).unwrap();
            (tags.header, tags.body)
        };
        assert_eq!(with(""), (Canon::Simple, Canon::Simple));
        assert_eq!(with("c=relaxed;"), (Canon::Relaxed, Canon::Simple));
        assert_eq!(with("c=relaxed/relaxed;"), (Canon::Relaxed, Canon::Relaxed));
    }

    #[test]
    fn lists_that_no_verifier_reads() {
        for (from, to) in [
            ("v=1", "v=2"),
            ("v=1;", ""),
            ("a=rsa-sha256;", ""),
            ("d=example.net", "d="),
            ("s=brisbane;", ""),
            ("b=dzdV\r\n yOfA;", ""),
            ("bh=MTIz\r\n NDU2;", ""),
            ("bh=MTIz", "bh=!!"),
            ("h=From", "h=From::"),
            ("simple/relaxed", "simple/other"),
            ("l=12", "l=-1"),
            ("l=12", "l=99999999999999999999999"),
            ("q=dns/txt", "a=rsa-sha256"),
            ("q=dns/txt", "q"),
            ("q=dns/txt", ""),
        ] {
            assert!(GOOD.contains(from) && read(GOOD.replace(from, to).as_bytes()).is_none(), "{from} -> {to}");
        }
        assert!(read(b"").is_none());
    }
}
