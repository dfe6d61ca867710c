//! The environment of a function that serve starts.
//!
//! It gets that of this process with what Lambda sets, and endpoints here in place of AWS's. Invariant: credentials and profiles
//! of yours are taken out, so that a mistake cannot reach AWS.

use std::ffi::OsString;
use std::path::Path;

use super::workmail::{ATTACHMENTS, BUCKET};

/// Variables that lead to AWS, to somebody's credentials, or to a proxy, which would see all of the mail.
pub const TAKEN_OUT: &[&str] = &[
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CA_BUNDLE",
    "MAILWRIGHT_ORGANIZATION_ID",
    "MAILWRIGHT_PREFIX",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

/// What a function needs to know beside what all need.
#[derive(Debug)]
pub struct About<'a> {
    /// `host:port` of S3 and Message Flow.
    pub endpoint: &'a str,
    /// The rules.
    pub rules: &'a Path,
    /// The internal domains, where the command line says them.
    pub domains: &'a [String],
    /// The secret of the mark.
    pub stamp_key: String,
    /// The secret of pseudonyms.
    pub value_key: Option<&'a str>,
}

/// What a function is told (AWS Lambda Developer Guide, "Defined runtime environment variables"; `flow/config.rs`), but where it
/// asks for work: that is another place for each process.
pub fn variables(about: &About<'_>) -> Vec<(&'static str, OsString)> {
    let url = format!("http://{}", about.endpoint);
    let rules = about.rules.canonicalize().unwrap_or_else(|_| about.rules.to_owned());
    let mut variables: Vec<(&'static str, OsString)> = vec![
        ("AWS_ENDPOINT_URL", url.clone().into()),
        ("AWS_ENDPOINT_URL_S3", url.clone().into()),
        ("AWS_ENDPOINT_URL_WORKMAILMESSAGEFLOW", url.into()),
        ("AWS_REGION", "eu-west-1".into()),
        ("AWS_DEFAULT_REGION", "eu-west-1".into()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".into()),
        ("AWS_SECRET_ACCESS_KEY", "local".into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("AWS_CONFIG_FILE", "/dev/null".into()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
        ("AWS_LAMBDA_FUNCTION_NAME", "mailwright".into()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/mailwright".into()),
        ("MAILWRIGHT_BUCKET", BUCKET.into()),
        ("MAILWRIGHT_ATTACHMENTS", ATTACHMENTS.into()),
        ("MAILWRIGHT_RULES", rules.into()),
        ("MAILWRIGHT_STAMP_KEY", about.stamp_key.clone().into()),
        ("PYTHONUNBUFFERED", "1".into()),
    ];
    if !about.domains.is_empty() {
        variables.push(("MAILWRIGHT_DOMAINS", about.domains.join(",").into()));
    }
    if let Some(key) = about.value_key {
        variables.push(("MAILWRIGHT_VALUE_KEY", key.into()));
    }
    variables
}
