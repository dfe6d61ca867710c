//! What the flow needs from outside, as traits: the message flow, an object store, a directory.
//!
//! An error of a port says one thing above all: whether trying again can help ([`PortError`]). No port tries again by
//! itself: the handler does, because it knows how much time is left.

use std::future::Future;

use bytes::Bytes;
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

/// A rewritten message on its way to the store: chunks, most of them views of the fetched message, none copied.
#[derive(Debug, Clone)]
pub struct Content {
    chunks: Vec<Bytes>,
    len: usize,
    sha256: [u8; 32],
}

impl Content {
    /// The slices of `rendered`; those that lie in `original` are shared with it, the others are copied.
    pub fn new(original: &Bytes, rendered: &Rendered<'_>) -> Self {
        let span = original.as_ptr_range();
        let mut hash = Sha256::new();
        let mut len = 0;
        let chunks = rendered
            .slices()
            .filter(|slice| !slice.is_empty())
            .map(|slice| {
                hash.update(slice);
                len += slice.len();
                let at = slice.as_ptr_range();
                let shared = span.start <= at.start && at.end <= span.end;
                if shared { original.slice_ref(slice) } else { Bytes::copy_from_slice(slice) }
            })
            .collect();
        Self { chunks, len, sha256: hash.finalize().into() }
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
