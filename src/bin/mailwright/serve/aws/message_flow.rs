//! WorkMail Message Flow: `GetRawMessageContent` and `PutRawMessageContent`.
//!
//! Source: Amazon WorkMail Message Flow API Reference; status codes and patterns of its service model (2019-05-01).

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use mailwright::flow::key::{Bucket, MessageId, ObjectKey};
use mailwright::flow::memory::{Call, Fault};
use mailwright::flow::ports::{PortError, Refusal, Trouble};
use serde_json::Value;

use super::{Aws, Unread, answer, body, broken, decoded, hang, json_error};
use crate::serve::fault::At;

/// What stands before the message id.
pub const BASE: &str = "/messages/";

pub async fn take(aws: &Aws, request: Request) -> Response {
    let id = request.uri().path().strip_prefix(BASE).and_then(decoded);
    let Some(id) = id.and_then(|id| MessageId::new(&id).ok()) else {
        return failed(&PortError::permanent(Refusal::Invalid, "messageId is 1 to 120 of a-z, 0-9 and -"));
    };
    let call = match *request.method() {
        Method::GET => Call::Fetch,
        Method::POST => Call::PutBack,
        _ => return json_error(StatusCode::METHOD_NOT_ALLOWED, "UnknownOperationException", "GET or POST"),
    };
    let fault = aws.workmail.fault(At::Call(call));
    match &fault {
        Some(Fault::Before(error)) => return failed(error),
        Some(Fault::Hang) => return hang().await,
        Some(Fault::After(_)) | None => {}
    }
    let done = if call == Call::Fetch { fetch(aws, &id) } else { put(aws, &id, request).await };
    if fault.is_some() { broken() } else { done }
}

fn fetch(aws: &Aws, id: &MessageId) -> Response {
    match aws.workmail.message(id) {
        Ok(raw) => answer(StatusCode::OK, &[("content-type", "application/octet-stream".to_owned())], raw),
        Err(error) => failed(&error),
    }
}

async fn put(aws: &Aws, id: &MessageId, request: Request) -> Response {
    let octets = match body(aws, request, super::MAX_BODY).await {
        Ok((octets, _)) => octets,
        Err(Unread::NoRoom) => return failed(&PortError::transient(Trouble::Throttled, "")),
        Err(_) => return failed(&PortError::permanent(Refusal::Invalid, "the body is too large, or did not come")),
    };
    let asked: Value = serde_json::from_slice(&octets).unwrap_or_default();
    let text = |name: &str| asked.pointer(&format!("/content/s3Reference/{name}")).and_then(Value::as_str);
    let (bucket, key) = (text("bucket").unwrap_or_default(), text("key").unwrap_or_default());
    if let Some(error) = Bucket::new(bucket).map(drop).and_then(|()| ObjectKey::new(key).map(drop)).err() {
        return failed(&PortError::permanent(Refusal::Invalid, error.to_string()));
    }
    let (workmail, id) = (std::sync::Arc::clone(&aws.workmail), id.clone());
    let (bucket, key, version) = (bucket.to_owned(), key.to_owned(), text("objectVersion").map(str::to_owned));
    // A large message takes a while to check.
    let work = move || workmail.replace(&id, &bucket, &key, version.as_deref());
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(())) => answer(StatusCode::OK, &[("content-type", "application/json".to_owned())], "{}"),
        Ok(Err(error)) => failed(&error),
        Err(_) => failed(&PortError::transient(Trouble::Unavailable, "")),
    }
}

fn failed(error: &PortError) -> Response {
    let (status, kind) = match error {
        PortError::Permanent { kind, .. } => match kind {
            Refusal::Gone => (404, "ResourceNotFoundException"),
            Refusal::Frozen => (400, "MessageFrozen"),
            Refusal::Rejected | Refusal::Unfit | Refusal::TooLarge => (400, "MessageRejected"),
            Refusal::Location => (400, "InvalidContentLocation"),
            Refusal::Denied => (403, "AccessDeniedException"),
            Refusal::Invalid => (400, "ValidationException"),
        },
        PortError::Transient { kind, .. } => match kind {
            Trouble::Throttled => (429, "ThrottlingException"),
            Trouble::Unavailable | Trouble::Timeout => (503, "ServiceUnavailableException"),
            Trouble::Connection => return broken(),
        },
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json_error(status, kind, &error.to_string())
}
