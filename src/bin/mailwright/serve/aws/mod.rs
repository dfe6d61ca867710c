//! What a function reaches with an AWS SDK: WorkMail Message Flow and S3, and the Lambda Runtime API. All at one address, as
//! SDKs take one for all services (`AWS_ENDPOINT_URL`).
//!
//! Any credentials will do: signatures are not looked at, as there is nothing to protect from programs on this machine. The
//! wire tests of the function have endpoints of their own, among them an S3 that checks signatures: what serves people must
//! not be what the function is tested against.
//!
//! Invariant: a request never costs more than [`MAX_OBJECT`] octets, nor longer than [`BODY_WITHIN`], nor more than there is
//! room for; ids, buckets and keys are names in tables, never paths.

mod chunked;
mod message_flow;
mod multipart;
pub mod runtime_api;
mod s3;
mod s3_attributes;
mod s3_copy;
mod s3_delete;
mod s3_fields;
mod s3_list;
mod s3_parts;
mod s3_tags;
mod xml;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper::body::Frame;
use tokio::time::{Instant, timeout, timeout_at};

use super::room::{Place, Room};
use super::workmail::WorkMail;
use multipart::Uploads;
use runtime_api::{ATTACHED, RuntimeApi};

/// Largest object: what WorkMail takes, and room for chunk heads.
const MAX_OBJECT: usize = 64 * 1024 * 1024;
/// Largest body of all other requests: what Lambda takes as an answer (Lambda quotas, 6 MB).
const MAX_BODY: usize = 6 * 1024 * 1024;
/// A body has come by then.
const BODY_WITHIN: Duration = Duration::from_mins(2);
/// The next octets of it have come by then.
const FRAME_WITHIN: Duration = Duration::from_secs(20);
/// A request that a fault lets hang is over then at the latest.
const HANG: Duration = Duration::from_mins(5);

/// All that requests need.
#[derive(Debug)]
pub struct Aws {
    /// The flow and the store.
    pub workmail: Arc<WorkMail>,
    /// Where functions ask for work.
    pub runtime: Arc<RuntimeApi>,
    /// Memory for bodies.
    pub room: Arc<Room>,
    uploads: Uploads,
}

impl Aws {
    /// Over these.
    pub fn new(workmail: Arc<WorkMail>, runtime: Arc<RuntimeApi>, room: Arc<Room>) -> Self {
        Self { workmail, runtime, room, uploads: Uploads::default() }
    }
}

/// Everything under one address.
pub fn routes(aws: Arc<Aws>) -> Router {
    Router::new().fallback(take).with_state(aws)
}

/// The Runtime API alone, for the process of this id.
pub fn runtime_routes(aws: Arc<Aws>, process: u64) -> Router {
    let take = move |State(aws): State<Arc<Aws>>, request: Request| async move {
        let call = request.uri().path().strip_prefix(runtime_api::BASE).unwrap_or_default().to_owned();
        runtime_api::take(&aws, process, &call, request).await
    };
    Router::new().fallback(take).with_state(aws)
}

async fn take(State(aws): State<Arc<Aws>>, request: Request) -> Response {
    let path = request.uri().path();
    let scope = scope(&request);
    if let (Some(call), None) = (path.strip_prefix(runtime_api::BASE), &scope) {
        let call = call.to_owned();
        return runtime_api::take(&aws, ATTACHED, &call, request).await;
    }
    let unsigned = if path.starts_with(message_flow::BASE) { "workmailmessageflow" } else { "s3" };
    match scope.as_deref().unwrap_or(unsigned) {
        "workmailmessageflow" => message_flow::take(&aws, request).await,
        "s3" => s3::take(&aws, request).await,
        _ => {
            let what = "mailwright serve has S3, WorkMail Message Flow and the Lambda Runtime API only";
            json_error(StatusCode::NOT_IMPLEMENTED, "NotImplementedException", what)
        }
    }
}

/// The service that a request is signed for (Signature Version 4: `Credential=ID/DATE/REGION/SERVICE/aws4_request`).
fn scope(request: &Request) -> Option<String> {
    let field = request.headers().get(header::AUTHORIZATION).and_then(|field| field.to_str().ok());
    let text = field.and_then(|field| field.split_once("Credential=")).map(|(_, rest)| rest.to_owned());
    let text = text.or_else(|| query(request.uri().query(), "X-Amz-Credential"))?;
    let credential = text.split([',', ' ']).next()?;
    credential.rsplit('/').nth(1).map(str::to_owned)
}

/// The value of a parameter of the query, decoded; empty where it has none.
fn query(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = query?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| decoded(&value.replace('+', " ")));
    values.next().flatten()
}

/// All parameters of a query, decoded; `None` where that is no UTF-8.
fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let text = |text: &str| decoded(&text.replace('+', " "));
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| Some((text(key)?, text(value)?)))
        .collect()
}

/// Without percent-encoding (RFC 3986 §2.1); `None` where that is no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let octet = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        octets.push(octet.unwrap_or(*first));
        rest = octet.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    String::from_utf8(octets).ok()
}

/// Why a body cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unread {
    TooLarge,
    TooSlow,
    NoRoom,
    Broken,
}

/// The body of a request, to its end, with its place in the room.
async fn body(aws: &Aws, request: Request, limit: usize) -> Result<(Vec<u8>, Place), Unread> {
    let until = Instant::now() + BODY_WITHIN;
    let told =
        request.headers().get(header::CONTENT_LENGTH).and_then(|field| field.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|told| told > limit) {
        return Err(Unread::TooLarge);
    }
    let mut place = aws.room.place();
    // What is told is believed when it has come.
    let mut octets = Vec::with_capacity(told.unwrap_or(0).min(64 * 1024));
    let mut body = request.into_body();
    loop {
        let frame = timeout_at(until, timeout(FRAME_WITHIN, body.frame())).await;
        let Ok(Ok(frame)) = frame else { return Err(Unread::TooSlow) };
        let Some(frame) = frame else { return Ok((octets, place)) };
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        if octets.len() + data.len() > limit {
            return Err(Unread::TooLarge);
        }
        if !place.grow(data.len()) {
            return Err(Unread::NoRoom);
        }
        octets.extend_from_slice(&data);
    }
}

/// An answer with fields.
fn answer(status: StatusCode, fields: &[(&'static str, String)], body: impl Into<Body>) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let Ok(value) = value.parse() {
            headers.insert(*name, value);
        }
    }
    (status, headers, body.into()).into_response()
}

/// As [`answer`], with fields that whoever stored an object has named.
fn answer_with(status: StatusCode, fields: &[(String, String)], body: impl Into<Body>) -> Response {
    let mut answer = answer(status, &[], body);
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// An error of a service that speaks JSON.
fn json_error(status: StatusCode, kind: &str, message: &str) -> Response {
    let fields = [("content-type", "application/json".to_owned()), ("x-amzn-errortype", kind.to_owned())];
    answer(status, &fields, serde_json::json!({ "message": message, "__type": kind }).to_string())
}

/// What a fault lets hang: no answer, until the client gives up.
async fn hang() -> Response {
    tokio::time::sleep(HANG).await;
    broken()
}

/// An answer that breaks off, and the connection with it.
fn broken() -> Response {
    answer(StatusCode::OK, &[("content-length", "1".to_owned())], Body::new(BreaksOff))
}

struct BreaksOff;

impl hyper::body::Body for BreaksOff {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}
