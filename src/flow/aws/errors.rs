//! AWS errors, told apart by whether trying again can help.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::SdkError;
use crate::flow::ports::{PortError, Refusal, Trouble};

/// Which call failed: for what must be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// `GetRawMessageContent`.
    Fetch,
    /// `PutObject`.
    Put,
    /// `PutRawMessageContent`.
    PutBack,
    /// `GetObject` of a published rule set.
    Rules,
    /// `ListObjectVersions` of it, and `GetObject` of a version.
    Versions,
    /// A call to the directory.
    ListMailDomains,
    /// The same.
    DescribeEntity,
    /// The same.
    DescribeUser,
    /// The same.
    ListGroupsForEntity,
    /// The same.
    ListGroups,
    /// The same.
    ListGroupMembers,
}

impl Call {
    const fn grant(self) -> &'static str {
        match self {
            Self::Fetch => "grant workmailmessageflow:GetRawMessageContent to the function's role",
            Self::Put => {
                "grant s3:PutObject on the bucket to the function's role (and kms:GenerateDataKey on its key, if it has one)"
            }
            Self::PutBack => "grant workmailmessageflow:PutRawMessageContent to the function's role",
            Self::Rules => {
                "publish a rule set there, and grant s3:GetObject on that object to the function's role (S3 says the same of \
                 both)"
            }
            Self::Versions => {
                "grant s3:ListBucketVersions on the bucket of the rules and s3:GetObjectVersion on the object to the function's role"
            }
            Self::ListMailDomains => "grant workmail:ListMailDomains to the function's role, or set MAILWRIGHT_DOMAINS",
            Self::DescribeEntity => "grant workmail:DescribeEntity to the function's role",
            Self::DescribeUser => "grant workmail:DescribeUser to the function's role",
            Self::ListGroupsForEntity => "grant workmail:ListGroupsForEntity to the function's role",
            Self::ListGroups => "grant workmail:ListGroups to the function's role",
            Self::ListGroupMembers => "grant workmail:ListGroupMembers to the function's role",
        }
    }
}

/// What an SDK error means.
pub(super) fn port_error<E: ProvideErrorMetadata>(call: Call, error: &SdkError<E, HttpResponse>) -> PortError {
    match error {
        SdkError::ServiceError(error) => {
            let detail = Detail { code: error.err().code(), message: error.err().message() };
            told(call, error.raw().status().as_u16(), &detail)
        }
        SdkError::TimeoutError(_) => PortError::transient(Trouble::Timeout, ""),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => PortError::transient(Trouble::Timeout, ""),
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            PortError::permanent(Refusal::Invalid, "the endpoint cannot be used")
        }
        SdkError::ResponseError(error) if error.raw().status().as_u16() >= 500 => {
            PortError::transient(Trouble::Unavailable, "")
        }
        SdkError::ConstructionFailure(_) => PortError::permanent(Refusal::Invalid, "the request cannot be made"),
        _ => PortError::transient(Trouble::Connection, ""),
    }
}

/// What a service said.
struct Detail<'e> {
    code: Option<&'e str>,
    message: Option<&'e str>,
}

fn told(call: Call, status: u16, said: &Detail<'_>) -> PortError {
    use Refusal::{Denied, Frozen, Gone, Invalid, Location, Rejected};
    use Trouble::{Throttled, Timeout, Unavailable};

    let detail = super::said::said(said.code, said.message);
    let permanent = |kind, help: &str| {
        let parts = [detail.as_str(), help];
        PortError::permanent(kind, parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join("; "))
    };
    let transient = |kind| PortError::transient(kind, detail.clone());
    let reading = "let workmail.REGION.amazonaws.com read the bucket: s3:GetObject and s3:GetObjectVersion in its policy, \
                   same Region and account";
    match (said.code.unwrap_or_default(), status) {
        ("ResourceNotFoundException" | "EntityNotFoundException", _) => permanent(Gone, ""),
        // No other request would be answered either.
        ("OrganizationNotFoundException" | "OrganizationStateException", _) => permanent(
            Denied,
            "MAILWRIGHT_ORGANIZATION_ID must name an active organization in the function's Region and account",
        ),
        ("DirectoryUnavailableException" | "DirectoryServiceAuthenticationFailedException", _) => {
            transient(Unavailable)
        }
        ("MessageFrozen", _) => permanent(Frozen, ""),
        ("MessageRejected", _) => permanent(Rejected, ""),
        ("InvalidContentLocation", _) => permanent(Location, reading),
        // The four ways in which AWS services say it.
        ("ThrottlingException" | "Throttling" | "TooManyRequestsException" | "SlowDown", _) | (_, 429) => {
            transient(Throttled)
        }
        ("RequestTimeout" | "RequestTimeoutException", _) | (_, 408 | 504) => transient(Timeout),
        // Credentials and clocks of a function's sandbox get renewed with it; a conflict of two puts passes.
        (
            "ExpiredToken" | "ExpiredTokenException" | "RequestTimeTooSkewed" | "RequestExpired" | "OperationAborted",
            _,
        )
        | (_, 409 | 500..) => transient(Unavailable),
        // It was done, but what was said of it cannot be read; or the content arrived with other octets than were sent.
        (_, 200..=299) | ("BadDigest" | "XAmzContentChecksumMismatch" | "IncompleteBody", _) => {
            transient(Trouble::Connection)
        }
        ("NoSuchKey", _) => permanent(Location, call.grant()),
        ("NoSuchBucket", _) if matches!(call, Call::Rules | Call::Versions) => {
            permanent(Location, "the bucket of the rules does not exist")
        }
        ("NoSuchBucket", _) => permanent(Location, "MAILWRIGHT_BUCKET names a bucket that does not exist"),
        ("PermanentRedirect" | "AuthorizationHeaderMalformed", _) | (_, 301 | 307) => {
            permanent(Location, "the bucket must be in the function's Region")
        }
        ("AccessDenied" | "AccessDeniedException", _) | (_, 401 | 403) => permanent(Denied, call.grant()),
        (_, 404) if matches!(call, Call::Fetch | Call::PutBack) => permanent(Gone, ""),
        _ => permanent(Invalid, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(call: Call, code: Option<&str>, status: u16) -> Result<Refusal, Trouble> {
        match told(call, status, &Detail { code, message: None }) {
            PortError::Permanent { kind, .. } => Ok(kind),
            PortError::Transient { kind, .. } => Err(kind),
        }
    }

    #[test]
    fn what_passes_is_tried_again_and_nothing_else() {
        for (call, code, status, expected) in [
            (Call::Fetch, Some("ResourceNotFoundException"), 404, Ok(Refusal::Gone)),
            (Call::Fetch, None, 404, Ok(Refusal::Gone)),
            (Call::PutBack, Some("MessageFrozen"), 400, Ok(Refusal::Frozen)),
            (Call::PutBack, Some("MessageRejected"), 400, Ok(Refusal::Rejected)),
            (Call::PutBack, Some("InvalidContentLocation"), 400, Ok(Refusal::Location)),
            (Call::PutBack, Some("ThrottlingException"), 400, Err(Trouble::Throttled)),
            (Call::Put, Some("SlowDown"), 503, Err(Trouble::Throttled)),
            (Call::Fetch, Some("ValidationException"), 400, Ok(Refusal::Invalid)),
            (Call::Fetch, Some("AccessDeniedException"), 403, Ok(Refusal::Denied)),
            (Call::Put, None, 403, Ok(Refusal::Denied)),
            (Call::Put, Some("NoSuchBucket"), 404, Ok(Refusal::Location)),
            (Call::Rules, Some("NoSuchBucket"), 404, Ok(Refusal::Location)),
            (Call::Rules, Some("NoSuchKey"), 404, Ok(Refusal::Location)),
            (Call::Rules, Some("AccessDenied"), 403, Ok(Refusal::Denied)),
            (Call::Put, Some("PermanentRedirect"), 301, Ok(Refusal::Location)),
            (Call::Put, Some("ExpiredToken"), 400, Err(Trouble::Unavailable)),
            (Call::Put, Some("InternalError"), 500, Err(Trouble::Unavailable)),
            (Call::Fetch, None, 502, Err(Trouble::Unavailable)),
            (Call::Fetch, None, 429, Err(Trouble::Throttled)),
            (Call::Fetch, None, 408, Err(Trouble::Timeout)),
            (Call::Put, Some("Whatever"), 400, Ok(Refusal::Invalid)),
            (Call::DescribeUser, None, 200, Err(Trouble::Connection)),
            (Call::DescribeEntity, Some("EntityNotFoundException"), 400, Ok(Refusal::Gone)),
            (Call::DescribeEntity, None, 404, Ok(Refusal::Invalid)),
            (Call::DescribeUser, Some("OrganizationNotFoundException"), 400, Ok(Refusal::Denied)),
            (Call::DescribeUser, Some("DirectoryUnavailableException"), 400, Err(Trouble::Unavailable)),
            (Call::ListGroupMembers, Some("InvalidParameterException"), 400, Ok(Refusal::Invalid)),
        ] {
            assert_eq!(kind(call, code, status), expected, "{call:?} {code:?} {status}");
        }
    }

    #[test]
    fn a_denied_call_says_what_to_grant() {
        let said = Detail { code: Some("AccessDenied"), message: Some("Access Denied") };
        let text = told(Call::Put, 403, &said).to_string();
        assert!(text.contains("s3:PutObject") && text.contains("Access Denied"), "{text}");
    }
}
