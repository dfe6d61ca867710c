//! What the flow needs from outside, as traits: the message flow, an object store, a directory.
//!
//! An error of a port says one thing above all: whether trying again can help ([`PortError`]). No port tries again by
//! itself: the handler does, because it knows how much time is left.

use std::future::Future;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::key::{Bucket, MessageId, ObjectKey};
use crate::directory::{Book, Need, People};
use crate::envelope::Envelope;
use crate::message::Rendered;
use crate::stored::Stored;

/// Where messages are fetched from and put back to.
pub trait MessageFlow {
    /// The raw bytes of a message, in one buffer.
    fn fetch(&self, id: &MessageId) -> impl Future<Output = Result<Bytes, PortError>> + Send;
    /// Replace a message by what stands at `location`.
    fn put_back(&self, id: &MessageId, location: &Location) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Where rewritten messages are stored for the flow to read, and attachments for people.
pub trait ObjectStore {
    /// Store `content` under `key`; what stands there already is overwritten.
    fn put(&self, key: &ObjectKey, content: &Content) -> impl Future<Output = Result<Location, PortError>> + Send;
    /// Store an attachment that a rule took out of a message, for people to fetch; the same one again changes nothing.
    fn keep(&self, attachment: &Stored) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Where people and groups are looked up.
pub trait Directory {
    /// What is needed of the people of a message. It does not fail: what cannot be looked up until then is not known, and
    /// says why. `now` tells how old an earlier answer is.
    fn look_up(
        &self,
        need: &Need,
        envelope: &Envelope,
        now: Timestamp,
        until: Instant,
    ) -> impl Future<Output = People> + Send;
}

impl Directory for Book {
    async fn look_up(&self, need: &Need, envelope: &Envelope, _: Timestamp, _: Instant) -> People {
        Self::look_up(self, need, envelope)
    }
}

/// Where an object stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Its bucket.
    pub bucket: Bucket,
    /// Its key.
    pub key: ObjectKey,
    /// Its version, where the bucket has versions.
    pub version: Option<String>,
}

/// Slices that are shorter, in octets, are copied into one chunk with those beside them: a chunk costs about as much as so
/// many octets.
const SHARED_FROM: usize = 1_024;
/// And so long does such a chunk get.
const CHUNK: usize = 256 * 1_024;

/// A rewritten message on its way to the store: chunks, most of them views of the fetched message, which are not copied.
#[derive(Debug, Clone)]
pub struct Content {
    chunks: Vec<Bytes>,
    len: usize,
    sha256: [u8; 32],
}

impl Content {
    /// The slices of `rendered`, short ones together. Long ones are not copied: those that lie in `original` are shared with
    /// it.
    pub fn new(original: &Bytes, rendered: &Rendered<'_>) -> Self {
        let mut hash = Sha256::new();
        let (mut chunks, mut small) = (Vec::new(), BytesMut::with_capacity(rendered.len().min(4 * SHARED_FROM)));
        for slice in rendered.buffers(original) {
            let is_long = slice.len() >= SHARED_FROM;
            if !small.is_empty() && (is_long || small.len() + slice.len() > CHUNK) {
                hash.update(&small);
                chunks.push(small.split().freeze());
            }
            if is_long {
                hash.update(&slice);
                chunks.push(slice);
            } else {
                small.extend_from_slice(&slice);
            }
        }
        if !small.is_empty() {
            hash.update(&small);
            chunks.push(small.freeze());
        }
        Self { chunks, len: rendered.len(), sha256: hash.finalize().into() }
    }
    /// The chunks, in order; none is empty.
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }
    /// Length in octets.
    pub fn len(&self) -> usize {
        self.len
    }
    /// True when there is not an octet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// SHA-256 of all octets.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

/// Why a call to the outside failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// It will fail again: trying again is of no use.
    #[error("{kind}{}", said(.detail))]
    Permanent {
        /// What sort of refusal.
        kind: Refusal,
        /// What the service said, and what to do about it; never content of the message. May be empty.
        detail: String,
    },
    /// It may work the next time.
    #[error("{kind}{}", said(.detail))]
    Transient {
        /// What sort of trouble.
        kind: Trouble,
        /// What the service said; never content of the message. May be empty.
        detail: String,
    },
}

/// A failure for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// `ResourceNotFoundException`: never there, or longer ago than 24 hours.
    #[error("the message is gone")]
    Gone,
    /// `MessageFrozen`: it cannot be changed; usually a redirected message.
    #[error("the message is frozen")]
    Frozen,
    /// `MessageRejected`: the new content did not pass the flow's checks.
    #[error("the new content was rejected")]
    Rejected,
    /// `InvalidContentLocation`: WorkMail cannot read the bucket.
    #[error("the object's location was refused")]
    Location,
    /// The function may not do this.
    #[error("access was denied")]
    Denied,
    /// The request itself was refused (validation, no such bucket, …).
    #[error("the request was refused")]
    Invalid,
    /// The rewrite has a fault that the message did not come with and that the flow refuses; found out before asking.
    #[error("the new content would be rejected")]
    Unfit,
    /// Larger than the flow takes; found out before asking.
    #[error("the new content is too large")]
    TooLarge,
}

/// A failure that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Too many requests.
    #[error("the service is throttling")]
    Throttled,
    /// An error on the side of the service (5xx).
    #[error("the service is in trouble")]
    Unavailable,
    /// No answer in time.
    #[error("there was no answer in time")]
    Timeout,
    /// No connection, or one that broke.
    #[error("the connection failed")]
    Connection,
}

impl PortError {
    /// A failure for good.
    pub fn permanent(kind: Refusal, detail: impl Into<String>) -> Self {
        Self::Permanent { kind, detail: detail.into() }
    }
    /// A failure that may pass.
    pub fn transient(kind: Trouble, detail: impl Into<String>) -> Self {
        Self::Transient { kind, detail: detail.into() }
    }
}

fn said(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Draft, Message, PartId, TextEdits};

    #[test]
    fn a_message_full_of_edits_goes_out_in_few_chunks_and_a_large_slice_is_not_copied() {
        let text = format!("\r\n{}{}", "number 1234\r\n".repeat(100_000), "word word word\r\n".repeat(10_000));
        let raw = Bytes::from(text);
        let message = Message::parse(&raw);
        let mut draft = Draft::new(&message);
        let mut edits = TextEdits::default();
        (0..100_000).for_each(|line| edits.push(line * 13 + 7..line * 13 + 11, "9"));
        draft.edit(PartId(0), edits).unwrap();
        let rendered = draft.render().unwrap();
        let content = Content::new(&raw, &rendered);
        assert_eq!(content.len(), rendered.len());
        assert!(content.chunks().concat() == rendered.to_vec());
        assert!(content.chunks().len() < 50, "{}", content.chunks().len());
        assert_eq!(content.sha256()[..], Sha256::digest(rendered.to_vec())[..]);
        let last = content.chunks().last().unwrap();
        assert!(raw.as_ptr_range().contains(&last.as_ptr()), "the last is a part of what was fetched");
    }
}
