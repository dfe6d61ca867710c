//! A published rule set in S3: one object, read only where it is another than the one known.

use bytes::Bytes;

use super::errors::{Call, port_error};
use super::{SdkError, read};
use crate::flow::key::RulesObject;
use crate::flow::ports::PortError;
use crate::flow::refresh::{Published, RuleStore};
use crate::rule::packed::MAX_PACKED;

/// HTTP: what `If-None-Match` names is what is there (RFC 9110 §15.4.5).
const NOT_MODIFIED: u16 = 304;

/// Where a rule set is published in S3.
#[derive(Debug, Clone)]
pub struct S3Rules {
    client: aws_sdk_s3::Client,
    object: RulesObject,
}

impl S3Rules {
    /// Over this client, in this object.
    pub fn new(client: aws_sdk_s3::Client, object: RulesObject) -> Self {
        Self { client, object }
    }
}

impl RuleStore for S3Rules {
    async fn published(&self, known: Option<&str>) -> Result<Option<Published>, PortError> {
        let request = self.client.get_object().bucket(self.object.bucket.as_str()).key(&self.object.key);
        let output = match request.set_if_none_match(known.map(str::to_owned)).send().await {
            Ok(output) => output,
            Err(SdkError::ServiceError(error)) if error.raw().status().as_u16() == NOT_MODIFIED => return Ok(None),
            Err(error) => return Err(port_error(Call::Rules, &error)),
        };
        let tag = output.e_tag.unwrap_or_default();
        let octets: Bytes = read(output.body, MAX_PACKED).await?;
        Ok(Some(Published { tag, octets }))
    }
}
