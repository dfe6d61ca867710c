//! S3 over what is stored in memory: put, get, head and copy of objects with their versions and tags, lists, deletes, uploads
//! in parts.
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
use mailwright::hex::hex;

use super::s3_fields::Judged;
use super::{
    Aws, MAX_BODY, MAX_OBJECT, Unread, answer, answer_with, body, broken, chunked, decoded, hang, multipart, query,
    s3_attributes, s3_copy, s3_delete, s3_fields, s3_list, s3_parts, s3_tags,
};
use crate::serve::fault::At;
use crate::serve::object::{About, Octets};
use crate::serve::workmail::ATTACHMENTS;

/// Longest key, in octets (S3, "Naming Amazon S3 objects").
pub const MAX_KEY: usize = 1024;
/// Parameters that ask for what is not here.
const NOT_HERE: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "torrent",
    "website",
];

/// Fields with a checksum of an object, in base64.
const CHECKSUMS: &[&str] = &[
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
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
        (Method::GET, _, true) if has("uploads") => s3_parts::uploads(aws, &asked),
        (Method::GET, _, true) if has("tagging") => error(404, "NoSuchTagSet", "The TagSet does not exist"),
        (_, _, true) if has("tagging") => not_here(),
        (Method::GET, _, true) => s3_list::objects(aws, &asked),
        (Method::PUT | Method::HEAD, false, true) => answer(StatusCode::OK, &[], ""),
        (Method::DELETE, false, true) => s3_delete::bucket(aws, &asked.bucket),
        (Method::POST, false, true) if has("delete") => match body(aws, request, MAX_BODY).await {
            Ok((octets, _place)) => s3_delete::objects(aws, &asked.bucket, &octets),
            Err(why) => unread(why),
        },
        (Method::GET, _, false) if has("tagging") => s3_tags::get(aws, &asked),
        (Method::DELETE, _, false) if has("tagging") => s3_tags::delete(aws, &asked),
        (Method::PUT, _, false) if has("tagging") => match body(aws, request, MAX_BODY).await {
            Ok((octets, _place)) => s3_tags::put(aws, &asked, &octets),
            Err(why) => unread(why),
        },
        (Method::GET, _, false) if has("attributes") => s3_attributes::get(aws, &asked, &request),
        (Method::GET, _, false) if upload.is_some() => s3_parts::parts(aws, &asked, &upload.unwrap_or_default()),
        (Method::GET | Method::HEAD, _, false) => get(aws, &asked, &request),
        (Method::PUT, _, false) => put(aws, &asked, request).await,
        (Method::POST, _, false) if has("uploads") => match described(request.headers()) {
            Ok(about) => multipart::begin(aws, &asked, about),
            Err(refused) => *refused,
        },
        (Method::POST, _, false) if upload.is_some() => match body(aws, request, MAX_BODY).await {
            Ok((octets, _place)) => multipart::complete(aws, &asked, &upload.unwrap_or_default(), &octets),
            Err(why) => unread(why),
        },
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
    let mut fields = s3_fields::all(&object, request.headers());
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
        // A digest of a large one takes a while.
        let work = move || whole(&fields, octets).map(|octets| (fields, octets));
        let (fields, octets) = match tokio::task::spawn_blocking(work).await {
            Ok(Ok(done)) => done,
            Ok(Err((code, message))) => return error(400, code, message),
            Err(_) => return error(500, "InternalError", "it could not be read"),
        };
        if let Some((part, upload)) = part {
            let checksum = octets.checksum.clone();
            match multipart::part(aws, &upload, &part, octets) {
                Ok(tag) => {
                    let mut fields = vec![("etag".to_owned(), format!("\"{tag}\""))];
                    fields.extend(checksum);
                    answer_with(StatusCode::OK, &fields, "")
                }
                Err(refused) => *refused,
            }
        } else if !s3_fields::may_store(&fields, aws.workmail.object(&asked.bucket, &asked.key, None).as_ref()) {
            s3_fields::failed()
        } else {
            match described(&fields) {
                Ok(about) => {
                    let object = aws.workmail.store(&asked.bucket, &asked.key, octets, about);
                    answer_with(StatusCode::OK, &s3_fields::stored(&object), "")
                }
                Err(refused) => *refused,
            }
        }
    };
    if fault.is_some() { broken() } else { done }
}

/// What is said of an object that comes with these fields, its tags among it.
fn described(fields: &HeaderMap) -> Result<About, Box<Response>> {
    s3_tags::with(fields).map(|tags| About { tags, ..s3_fields::said(fields) })
}

/// The octets that were meant, checked as far as they can be.
fn whole(fields: &HeaderMap, octets: Vec<u8>) -> Result<Octets, (&'static str, &'static str)> {
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
    let mut checksum = None;
    for (name, value) in all.filter(|(name, _)| CHECKSUMS.contains(name)) {
        if chunked::has_checksum(&content, name, value) == Some(false) {
            return Err(("BadDigest", "the checksum is not the one that was told"));
        }
        checksum = Some((name.to_owned(), value.to_owned()));
    }
    let octets = Octets { checksum, ..Octets::of(content) };
    match text("content-md5").map(|told| encodify::base64::STANDARD.decode(told.trim())) {
        Some(Ok(told)) if hex(&told) != octets.tag => Err(("BadDigest", "the MD5 is not the one that was told")),
        Some(Err(_)) => Err(("InvalidDigest", "Content-MD5 is no base64")),
        _ => Ok(octets),
    }
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
