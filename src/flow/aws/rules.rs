//! A published rule set in S3: one object, read only where it is another than the one known, and its earlier versions.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;

use super::errors::{Call, port_error};
use super::{SdkError, read};
use crate::flow::earlier::MOST_VERSIONS;
use crate::flow::key::RulesObject;
use crate::flow::ports::PortError;
use crate::flow::refresh::{Published, RuleStore, Version};
use crate::rule::packed::MAX_PACKED;

/// HTTP: what `If-None-Match` names is what is there (RFC 9110 §15.4.5).
const NOT_MODIFIED: u16 = 304;

/// What a list of versions ends with.
const END_OF_LIST: &[u8] = b"</ListVersionsResult>";

/// A list that is cut short is no shorter list. The SDK reads the versions that are there and does not ask for the end.
#[derive(Debug)]
struct ToItsEnd;

#[dyn_dispatch_hint]
impl Intercept for ToItsEnd {
    fn name(&self) -> &'static str {
        "ToItsEnd"
    }
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().unwrap_or_default();
        if response.status().is_success() && !body.trim_ascii_end().ends_with(END_OF_LIST) {
            return Err("the list of versions is cut short".into());
        }
        Ok(())
    }
}

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

    async fn versions(&self) -> Result<Vec<Version>, PortError> {
        let request = self.client.list_object_versions().bucket(self.object.bucket.as_str()).prefix(&self.object.key);
        let request = request.max_keys(i32::try_from(MOST_VERSIONS).unwrap_or(i32::MAX));
        let output = request.customize().interceptor(ToItsEnd).send().await;
        let output = output.map_err(|error| port_error(Call::Versions, &error))?;
        // Of each key the newest first, and of all that begin like this one it comes first (S3 API Reference).
        let versions = output.versions.unwrap_or_default().into_iter();
        let ours = versions.filter(|version| version.key() == Some(self.object.key.as_str()));
        Ok(ours.filter_map(|version| Some(Version { id: version.version_id?, tag: version.e_tag? })).collect())
    }

    async fn version(&self, version: &Version) -> Result<Published, PortError> {
        let request = self.client.get_object().bucket(self.object.bucket.as_str()).key(&self.object.key);
        let output =
            request.version_id(&version.id).send().await.map_err(|error| port_error(Call::Versions, &error))?;
        Ok(Published { tag: version.tag.clone(), octets: read(output.body, MAX_PACKED).await? })
    }
}
