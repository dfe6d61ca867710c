//! S3 over what is stored in memory: put, get, head and copy of objects with their versions, lists, deletes, uploads in parts.
//!
//! Uploads in parts are here because `aws s3 cp` and boto3's transfers use them from 8 MB on, which mail often has. Buckets
//! are there when they are named, and have versions. What is not here says so (`NotImplemented`).
//!
//! Source: Amazon S3 API Reference.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use mailwright::flow::memory::{Call, Fault};
use mailwright::flow::ports::{PortError, Refusal, Trouble};

use super::s3_fields::Judged;
use super::{
    Aws, MAX_BODY, MAX_OBJECT, Unread, answer, answer_with, body, broken, chunked, decoded, hang, multipart, query,
    s3_copy, s3_delete, s3_fields, s3_list,
};
use crate::serve::fault::At;
use crate::serve::workmail::ATTACHMENTS;

/// Longest key, in octets (S3, "Naming Amazon S3 objects").
pub const MAX_KEY: usize = 1024;
/// Parameters that ask for what is not here.
const NOT_HERE: &[&str] = &[
    "acl",
    "lifecycle",
    "policy",
    "cors",
    "encryption",
    "attributes",
    "restore",
    "select",
    "torrent",
    "retention",
    "legal-hold",
];

/// What a request is about.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its bucket; empty for all.
    pub bucket: String,
    /// Its key; empty for the bucket.
    pub key: String,
    /// The query, as it was sent.
    pub query: Option<String>,
}

impl Asked {
    /// From path and host: `/bucket/key`, or `/key` at `bucket.localhost`.
    fn of(request: &Request) -> Option<Self> {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
        let path = decoded(request.uri().path().strip_prefix('/')?)?;
        let (bucket, key) = match host.strip_suffix(".localhost") {
            Some(bucket) => (bucket.to_owned(), path),
            None => path.split_once('/').map_or((path.clone(), String::new()), |(b, k)| (b.to_owned(), k.to_owned())),
        };
        let sound = |octet: u8| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
        let fits = bucket.is_empty() && key.is_empty()
            || (3..=63).contains(&bucket.len()) && bucket.bytes().all(sound) && key.len() <= MAX_KEY;
        fits.then(|| Self { bucket, key, query: request.uri().query().map(str::to_owned) })
    }
    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<String> {
        query(self.query.as_deref(), name)
    }
}

pub async fn take(aws: &Aws, request: Request) -> Response {
    let Some(asked) = Asked::of(&request) else {
        return error(400, "InvalidURI", "no bucket and key that S3 takes");
    };
    if NOT_HERE.iter().any(|name| asked.parameter(name).is_some()) {
        return not_here();
    }
    let has = |name: &str| asked.parameter(name).is_some();
    let upload = asked.parameter("uploadId");
    match (request.method().clone(), asked.bucket.is_empty(), asked.key.is_empty()) {
        (Method::GET, true, _) => s3_list::buckets(aws),
        (Method::GET, _, true) if has("location") => s3_list::location(),
        (Method::GET, _, true) if has("versioning") => s3_list::versioning(),
        (Method::GET, _, true) if has("versions") => s3_list::versions(aws, &asked),
        (Method::GET, _, true) if has("uploads") => not_here(),
        (Method::GET, _, true) => s3_list::objects(aws, &asked),
        (Method::PUT | Method::HEAD, false, true) => answer(StatusCode::OK, &[], ""),
        (Method::DELETE, false, true) => s3_delete::bucket(aws, &asked.bucket),
        (Method::POST, false, true) if has("delete") => match body(aws, request, MAX_BODY).await {
            Ok((octets, _place)) => s3_delete::objects(aws, &asked.bucket, &octets),
            Err(why) => unread(why),
        },
        (Method::GET, _, false) if has("tagging") => s3_list::no_tags(),
        (Method::GET, _, false) if upload.is_some() => not_here(),
        (Method::GET | Method::HEAD, _, false) => get(aws, &asked, &request),
        (Method::PUT, _, false) if has("tagging") => not_here(),
        (Method::PUT, _, false) => put(aws, &asked, request).await,
        (Method::POST, _, false) if has("uploads") => multipart::begin(aws, &asked, s3_fields::said(request.headers())),
        (Method::POST, _, false) if upload.is_some() => {
            // The list of parts is read, so that the connection can be used again; all parts make the object.
            match body(aws, request, MAX_BODY).await {
                Ok(_) => multipart::complete(aws, &asked, &upload.unwrap_or_default()),
                Err(why) => unread(why),
            }
        }
        (Method::DELETE, _, false) => match upload {
            Some(upload) => multipart::abort(aws, &upload),
            None => s3_delete::object(aws, &asked),
        },
        _ => not_here(),
    }
}

fn not_here() -> Response {
    error(501, "NotImplemented", "mailwright serve does not do this")
}

fn get(aws: &Aws, asked: &Asked, request: &Request) -> Response {
    let version = asked.parameter("versionId");
    let Some(object) = aws.workmail.object(&asked.bucket, &asked.key, version.as_deref()) else {
        return s3_fields::missing(version.is_some());
    };
    match s3_fields::judged(request.headers(), s3_fields::OF_REQUEST, &object) {
        Judged::Holds => {}
        Judged::Fails => return s3_fields::failed(),
        Judged::NotModified => return answer_with(StatusCode::NOT_MODIFIED, &s3_fields::about(&object), ""),
    }
    let length = object.content.len();
    let mut fields = s3_fields::all(&object);
    let range = request.headers().get("range").and_then(|field| field.to_str().ok());
    // A part of another object than is meant is none (RFC 9110 §13.1.5).
    let range = range.filter(|_| s3_fields::is_meant(request.headers(), &object));
    let (status, content) = match range.map(|range| cut(range, length)) {
        None | Some(Range::Whole) => (StatusCode::OK, object.content),
        Some(Range::Nothing) => return error(416, "InvalidRange", "The requested range is not satisfiable"),
        Some(Range::Part(from, to)) => {
            fields.push(("content-range".to_owned(), format!("bytes {from}-{}/{length}", to - 1)));
            (StatusCode::PARTIAL_CONTENT, object.content.slice(from..to))
        }
    };
    fields.push(("content-length".to_owned(), content.len().to_string()));
    let content = if *request.method() == Method::HEAD { axum::body::Bytes::new() } else { content };
    answer_with(status, &fields, content)
}

/// What of an object is asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Range {
    /// All of it.
    Whole,
    /// What it does not have.
    Nothing,
    /// From an octet up to another.
    Part(usize, usize),
}

/// RFC 9110 §14.2, one range. What is no range of one kind is passed over, as the standard asks.
pub fn cut(field: &str, length: usize) -> Range {
    let Some((from, to)) = field.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Range::Whole;
    };
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to.saturating_add(1).min(length)),
        (Ok(from), Err(_)) if to.is_empty() => (from, length),
        (Err(_), Ok(last)) if from.is_empty() => (length.saturating_sub(last), length),
        _ => return Range::Whole,
    };
    if from < to { Range::Part(from, to) } else { Range::Nothing }
}

async fn put(aws: &Aws, asked: &Asked, request: Request) -> Response {
    let call = if asked.bucket == ATTACHMENTS { Call::Keep } else { Call::Put };
    let fault = aws.workmail.fault(At::Call(call));
    match &fault {
        Some(Fault::Before(error)) => return failed(error),
        Some(Fault::Hang) => return hang().await,
        Some(Fault::After(_)) | None => {}
    }
    let fields = request.headers().clone();
    let (octets, _place) = match body(aws, request, MAX_OBJECT).await {
        Ok(read) => read,
        Err(why) => return unread(why),
    };
    let part = asked.parameter("partNumber").zip(asked.parameter("uploadId"));
    let done = if fields.contains_key(s3_copy::SOURCE) {
        s3_copy::copy(aws, asked, &fields, part.as_ref())
    } else {
        let work = move || whole(&fields, octets).map(|octets| (fields, octets));
        let (fields, octets) = match tokio::task::spawn_blocking(work).await {
            Ok(Ok(done)) => done,
            Ok(Err((code, message))) => return error(400, code, message),
            Err(_) => return error(500, "InternalError", "it could not be read"),
        };
        if let Some((part, upload)) = part {
            match multipart::part(aws, &upload, &part, octets.into()) {
                Ok(tag) => answer(StatusCode::OK, &[("etag", format!("\"{tag}\""))], ""),
                Err(refused) => *refused,
            }
        } else if !s3_fields::may_store(&fields, aws.workmail.object(&asked.bucket, &asked.key, None).as_ref()) {
            s3_fields::failed()
        } else {
            let said = s3_fields::said(&fields);
            let object = aws.workmail.store(&asked.bucket, &asked.key, octets.into(), said);
            answer_with(StatusCode::OK, &s3_fields::about(&object), "")
        }
    };
    if fault.is_some() { broken() } else { done }
}

/// The octets that were meant, checked as far as they can be.
fn whole(fields: &HeaderMap, octets: Vec<u8>) -> Result<Vec<u8>, (&'static str, &'static str)> {
    let text = |name: &str| fields.get(name).and_then(|field| field.to_str().ok());
    let is_chunked = text("x-amz-content-sha256").is_some_and(|kind| kind.starts_with("STREAMING-"))
        || text("content-encoding").is_some_and(|coding| coding.contains("aws-chunked"));
    let (content, trailers) = if is_chunked {
        let decoded = chunked::decode(&octets).ok_or(("IncompleteBody", "the chunks are not whole"))?;
        (decoded.content, decoded.trailers)
    } else {
        (octets, Vec::new())
    };
    let told = text("x-amz-decoded-content-length").map(str::parse::<usize>);
    if told.is_some_and(|told| told != Ok(content.len())) {
        return Err(("IncompleteBody", "the length is not the one that was told"));
    }
    let in_header = fields.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let all = in_header.chain(trailers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    if all.into_iter().any(|(name, value)| chunked::has_checksum(&content, name, value) == Some(false)) {
        return Err(("BadDigest", "the checksum is not the one that was told"));
    }
    Ok(content)
}

fn unread(why: Unread) -> Response {
    match why {
        Unread::TooLarge => error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"),
        Unread::TooSlow => error(
            400,
            "RequestTimeout",
            "Your socket connection to the server was not read from or written to within the timeout period.",
        ),
        Unread::NoRoom => error(503, "SlowDown", "Please reduce your request rate."),
        Unread::Broken => error(400, "IncompleteBody", "The request body terminated unexpectedly"),
    }
}

fn failed(why: &PortError) -> Response {
    let message = why.to_string();
    match why {
        PortError::Transient { kind: Trouble::Connection, .. } => broken(),
        PortError::Transient { kind: Trouble::Throttled, .. } => error(503, "SlowDown", &message),
        PortError::Transient { .. } => error(500, "InternalError", &message),
        PortError::Permanent { kind: Refusal::Denied, .. } => error(403, "AccessDenied", &message),
        PortError::Permanent { .. } => error(400, "InvalidRequest", &message),
    }
}

/// An error, as S3 says it.
pub fn error(status: u16, code: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = s3_list::escaped(code);
    let message = s3_list::escaped(message);
    xml(status, &format!("<Error><Code>{code}</Code><Message>{message}</Message><RequestId>local</RequestId></Error>"))
}

/// An answer of one element.
pub fn xml(status: StatusCode, element: &str) -> Response {
    let fields = [("content-type", "application/xml".to_owned())];
    answer(status, &fields, format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{element}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_as_http_says() {
        for (field, range) in [
            ("bytes=0-4", Range::Part(0, 5)),
            ("bytes=5-", Range::Part(5, 10)),
            ("bytes=-3", Range::Part(7, 10)),
            ("bytes=-30", Range::Part(0, 10)),
            ("bytes=8-99999999999999999999", Range::Whole),
            ("bytes=8-18446744073709551615", Range::Part(8, 10)),
            ("bytes=10-", Range::Nothing),
            ("bytes=7-3", Range::Nothing),
            ("bytes=-0", Range::Nothing),
            ("lines=1-2", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
        ] {
            assert_eq!(cut(field, 10), range, "{field}");
        }
    }
}
