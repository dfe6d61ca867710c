//! `aws-chunked` bodies: chunks with their length in front, and trailers such as a checksum.
//!
//! Source: Amazon S3 API Reference, "Signature calculations: transferring payload in multiple chunks", with and without
//! signatures of the chunks. Signatures are passed over.

use encodify::base64;
use flate2::Crc;
use sha2::{Digest, Sha256};

/// Longest head of a chunk: a length and a signature.
const MAX_HEAD: usize = 256;
/// Most trailers.
const MAX_TRAILERS: usize = 16;

/// A body without its chunks.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The octets.
    pub content: Vec<u8>,
    /// Names in lower case, and values.
    pub trailers: Vec<(String, String)>,
}

/// Take the chunks apart; `None` where they are not whole. Linear.
pub fn decode(body: &[u8]) -> Option<Decoded> {
    let mut content = Vec::with_capacity(body.len());
    let mut rest = body;
    loop {
        let (head, after) = line(rest, MAX_HEAD)?;
        let head = std::str::from_utf8(head).ok()?;
        let digits = head.split(';').next()?.trim();
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let length = usize::from_str_radix(digits, 16).ok()?;
        if length == 0 {
            return Some(Decoded { content, trailers: trailers(after)? });
        }
        content.extend_from_slice(after.get(..length)?);
        rest = after.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

fn trailers(mut rest: &[u8]) -> Option<Vec<(String, String)>> {
    let mut trailers = Vec::new();
    while !rest.is_empty() {
        let (field, after) = line(rest, MAX_HEAD)?;
        rest = after;
        if field.is_empty() {
            break;
        }
        let (name, value) = std::str::from_utf8(field).ok()?.split_once(':')?;
        if trailers.len() == MAX_TRAILERS {
            return None;
        }
        trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    Some(trailers)
}

fn line(octets: &[u8], longest: usize) -> Option<(&[u8], &[u8])> {
    let end = memchr::memmem::find(octets.get(..octets.len().min(longest))?, b"\r\n")?;
    Some((octets.get(..end)?, octets.get(end + 2..)?))
}

/// Whether `content` has this checksum, in base64 (`x-amz-checksum-NAME`); `None` for those that are not checked here.
pub fn has_checksum(content: &[u8], name: &str, value: &str) -> Option<bool> {
    let own = match name.strip_prefix("x-amz-checksum-")? {
        "crc32" => {
            let mut crc = Crc::new();
            crc.update(content);
            base64::STANDARD.encode(crc.sum().to_be_bytes().as_slice())
        }
        "sha256" => base64::STANDARD.encode(Sha256::digest(content).as_slice()),
        _ => return None,
    };
    Some(own == value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_with_and_without_signatures_are_taken_apart() {
        let plain = b"5\r\nHello\r\n7\r\n, world\r\n0\r\nx-amz-checksum-crc32:/+nrwA==\r\n\r\n";
        let whole = decode(plain).unwrap();
        assert_eq!(whole.content, b"Hello, world");
        assert_eq!(whole.trailers, [("x-amz-checksum-crc32".to_owned(), "/+nrwA==".to_owned())]);
        let signed = b"C;chunk-signature=ab12\r\nHello, world\r\n0;chunk-signature=cd\r\n\r\n";
        assert_eq!(decode(signed).unwrap(), Decoded { content: b"Hello, world".to_vec(), trailers: Vec::new() });
        assert_eq!(decode(b"0\r\n\r\n").unwrap().content, b"");
    }

    #[test]
    fn what_is_cut_or_made_up_is_nothing() {
        let whole = b"5\r\nHello\r\n0\r\nx:y\r\n\r\n";
        for end in 0..whole.len() - 8 {
            assert!(decode(&whole[..end]).is_none(), "{end}");
        }
        for odd in [
            &b"-1\r\n\r\n"[..],
            b"+5\r\nHello\r\n0\r\n",
            b"ffffffffffffffffff\r\n",
            b"fffffffffffffffe\r\nx",
            b"5\r\nHello0\r\n\r\n",
        ] {
            assert!(decode(odd).is_none());
        }
    }

    #[test]
    fn checksums_are_those_of_the_content() {
        assert_eq!(has_checksum(b"123456789", "x-amz-checksum-crc32", "y/Q5Jg=="), Some(true));
        assert_eq!(has_checksum(b"123456780", "x-amz-checksum-crc32", "y/Q5Jg=="), Some(false));
        assert_eq!(
            has_checksum(b"", "x-amz-checksum-sha256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
            Some(true)
        );
        assert_eq!(has_checksum(b"", "x-amz-checksum-crc64nvme", "AAAA"), None);
    }
}
