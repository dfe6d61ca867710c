//! Uploads in parts, while they are not complete.
//!
//! Invariant: at most [`MAX_UPLOADS`] at a time, each of [`MAX_OBJECT`] octets, all together of [`MAX_OCTETS`]. One more upload
//! makes the oldest go; one more part is refused.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;

use super::s3::{Asked, error, xml};
use super::s3_list::escaped;
use super::{Aws, MAX_OBJECT, answer};
use crate::serve::workmail::{About, tag};

/// Most uploads that are not complete.
const MAX_UPLOADS: usize = 20;
/// Most octets of all of them.
const MAX_OCTETS: usize = 128 * 1024 * 1024;
/// Highest number of a part (S3, "Amazon S3 multipart upload limits").
const MAX_PART: u16 = 10_000;

/// Uploads that are not complete, the oldest first.
#[derive(Debug, Default)]
pub struct Uploads {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    uploads: VecDeque<Upload>,
    begun: u64,
}

#[derive(Debug)]
struct Upload {
    id: String,
    bucket: String,
    key: String,
    about: About,
    parts: BTreeMap<u16, Bytes>,
}

impl Upload {
    fn octets(&self) -> usize {
        self.parts.values().map(Bytes::len).sum()
    }
}

impl Uploads {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub fn begin(aws: &Aws, asked: &Asked, about: About) -> Response {
    let mut state = aws.uploads.state();
    state.begun += 1;
    let id = format!("upload-{}", state.begun);
    if state.uploads.len() >= MAX_UPLOADS {
        state.uploads.pop_front();
    }
    let (bucket, key) = (asked.bucket.clone(), asked.key.clone());
    state.uploads.push_back(Upload { id: id.clone(), bucket, key, about, parts: BTreeMap::new() });
    xml(
        StatusCode::OK,
        &format!(
            "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
             </InitiateMultipartUploadResult>",
            escaped(&asked.bucket),
            escaped(&asked.key)
        ),
    )
}

/// Keep a part; its entity tag, or why not.
pub fn part(aws: &Aws, upload: &str, number: &str, octets: Bytes) -> Result<String, Box<Response>> {
    let Some(number) = number.parse().ok().filter(|number| (1..=MAX_PART).contains(number)) else {
        return Err(error(400, "InvalidArgument", "the part number is from 1 to 10000").into());
    };
    let tag = tag(&octets);
    let mut state = aws.uploads.state();
    let all: usize = state.uploads.iter().map(Upload::octets).sum();
    let Some(upload) = state.uploads.iter_mut().find(|one| one.id == upload) else { return Err(unknown().into()) };
    if upload.octets() + octets.len() > MAX_OBJECT || all + octets.len() > MAX_OCTETS {
        return Err(error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").into());
    }
    upload.parts.insert(number, octets);
    Ok(tag)
}

pub fn complete(aws: &Aws, asked: &Asked, upload: &str) -> Response {
    let upload = {
        let mut state = aws.uploads.state();
        let place = state.uploads.iter().position(|one| {
            one.id == upload && one.bucket == asked.bucket && one.key == asked.key && !one.parts.is_empty()
        });
        place.and_then(|place| state.uploads.remove(place))
    };
    let Some(upload) = upload else { return unknown() };
    let parts = upload.parts.len();
    let content = upload.parts.into_values().collect::<Vec<_>>().concat();
    let object = aws.workmail.store(&upload.bucket, &upload.key, content.into(), upload.about);
    let (bucket, key) = (escaped(&upload.bucket), escaped(&upload.key));
    let mut response = xml(
        StatusCode::OK,
        &format!(
            "<CompleteMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key><ETag>&quot;{}-{}&quot;</ETag>\
             </CompleteMultipartUploadResult>",
            object.tag, parts
        ),
    );
    if let Ok(version) = crate::serve::workmail::version_id(object.version).parse() {
        response.headers_mut().insert("x-amz-version-id", version);
    }
    response
}

pub fn abort(aws: &Aws, upload: &str) -> Response {
    let mut state = aws.uploads.state();
    let before = state.uploads.len();
    state.uploads.retain(|one| one.id != upload);
    if state.uploads.len() < before { answer(StatusCode::NO_CONTENT, &[], "") } else { unknown() }
}

fn unknown() -> Response {
    error(404, "NoSuchUpload", "The specified multipart upload does not exist.")
}
