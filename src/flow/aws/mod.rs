//! The ports over the AWS SDK: Message Flow, S3 and WorkMail's directory.
//!
//! Invariant: a port tries once. Whether and when to try again is decided by the handler, which knows how much time is
//! left; when it stops waiting, the request is dropped. So the SDK's own retries are off.

mod clients;
mod directory;
mod errors;
mod rules;
mod said;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_workmailmessageflow::types::{RawMessageContent, S3Reference};
use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};

pub use clients::{Clients, Environment, Problem};
pub use directory::WorkMailCalls;
pub use rules::S3Rules;

use super::key::{Bucket, MessageId, ObjectKey};
use super::ports::{Content, Location, MessageFlow, ObjectStore, PortError, Refusal, Trouble};
use crate::stored::Stored;
use errors::{Call, port_error};

/// Largest message that is fetched, in octets: above all that WorkMail takes, below what fills the memory.
pub const MAX_FETCH: usize = 60_000_000;

/// WorkMail's message flow.
#[derive(Debug, Clone)]
pub struct WorkMailFlow {
    client: aws_sdk_workmailmessageflow::Client,
}

/// A bucket that WorkMail reads from.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: aws_sdk_s3::Client,
    bucket: Bucket,
    attachments: Option<Bucket>,
}

impl WorkMailFlow {
    /// Over this client.
    pub fn new(client: aws_sdk_workmailmessageflow::Client) -> Self {
        Self { client }
    }
}

impl S3Store {
    /// Into this bucket.
    pub fn new(client: aws_sdk_s3::Client, bucket: Bucket) -> Self {
        Self { client, bucket, attachments: None }
    }
    /// Attachments go into this bucket, which WorkMail does not read.
    #[must_use]
    pub fn with_attachments(mut self, bucket: Option<Bucket>) -> Self {
        self.attachments = bucket;
        self
    }
}

impl MessageFlow for WorkMailFlow {
    async fn fetch(&self, id: &MessageId) -> Result<Bytes, PortError> {
        let request = self.client.get_raw_message_content().message_id(id.as_str());
        let output = request.send().await.map_err(|error| port_error(Call::Fetch, &error))?;
        read(output.message_content, MAX_FETCH).await
    }

    async fn put_back(&self, id: &MessageId, location: &Location) -> Result<(), PortError> {
        let invalid = |error: &dyn std::fmt::Display| PortError::permanent(Refusal::Invalid, error.to_string());
        let reference = S3Reference::builder()
            .bucket(location.bucket.as_str())
            .key(location.key.as_str())
            .set_object_version(location.version.clone())
            .build()
            .map_err(|error| invalid(&error))?;
        let content = RawMessageContent::builder().s3_reference(reference).build();
        let request = self.client.put_raw_message_content().message_id(id.as_str()).content(content);
        request.send().await.map_err(|error| port_error(Call::PutBack, &error))?;
        Ok(())
    }
}

impl ObjectStore for S3Store {
    async fn put(&self, key: &ObjectKey, content: &Content) -> Result<Location, PortError> {
        let chunks = Chunks { left: content.len() as u64, queue: content.chunks().iter().cloned().collect() };
        let output = self
            .client
            .put_object()
            .bucket(self.bucket.as_str())
            .key(key.as_str())
            .content_type("message/rfc822")
            .content_length(i64::try_from(content.len()).unwrap_or(i64::MAX))
            // S3 checks the content by the hash that the key is made of: the body need not be read a second time to be
            // signed or to be given a trailing checksum, and is streamed as it is.
            .checksum_sha256(aws_smithy_types::base64::encode(content.sha256()))
            .body(ByteStream::new(SdkBody::from_body_1_x(chunks)))
            .send()
            .await
            .map_err(|error| port_error(Call::Put, &error))?;
        // QUIRK: a bucket whose versioning is suspended gives the version `null`, which names the object just stored.
        let version = output.version_id.filter(|version| !version.is_empty());
        Ok(Location { bucket: self.bucket.clone(), key: key.clone(), version })
    }

    async fn keep(&self, attachment: &Stored) -> Result<(), PortError> {
        let Some(bucket) = &self.attachments else {
            return Err(PortError::permanent(
                Refusal::Invalid,
                "MAILWRIGHT_ATTACHMENTS names no bucket for attachments",
            ));
        };
        let request = self.client.put_object().bucket(bucket.as_str()).key(attachment.key());
        request
            .content_type(attachment.safe_type())
            .content_disposition(attachment.disposition())
            .checksum_sha256(aws_smithy_types::base64::encode(attachment.sha256()))
            .body(ByteStream::from(attachment.content().clone()))
            .send()
            .await
            .map_err(|error| port_error(Call::Put, &error))?;
        Ok(())
    }
}

/// The whole body in one buffer of its length.
async fn read(mut body: ByteStream, most: usize) -> Result<Bytes, PortError> {
    let too_large = || PortError::permanent(Refusal::TooLarge, format!("more than {most} octets"));
    let expected = usize::try_from(body.size_hint().0).unwrap_or(usize::MAX);
    if expected > most {
        return Err(too_large());
    }
    let mut raw = BytesMut::with_capacity(expected);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| PortError::transient(Trouble::Connection, "it broke in the middle"))?;
        if raw.len() + chunk.len() > most {
            return Err(too_large());
        }
        raw.extend_from_slice(&chunk);
    }
    Ok(raw.freeze())
}

/// A request body that sends chunks as they are.
struct Chunks {
    left: u64,
    queue: VecDeque<Bytes>,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.queue.pop_front();
        self.left -= next.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Poll::Ready(next.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.queue.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
