//! Uploads in parts, while they are not complete.
//!
//! Invariant: at most [`MAX_UPLOADS`] at a time, each of [`MAX_OBJECT`] octets, all together of [`MAX_OCTETS`]. One more upload
//! makes the oldest go; one more part is refused.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use axum::response::Response;
use mailwright::facts::Timestamp;

use super::s3::{Asked, error, xml};
use super::s3_list::{NAME_SPACE, escaped};
use super::xml::{element, elements, malformed, unescaped};
use super::{Aws, MAX_OBJECT, answer};
use crate::serve::object::{About, Octets, version_id};

/// Most uploads that are not complete.
const MAX_UPLOADS: usize = 20;
/// Most octets of all of them.
const MAX_OCTETS: usize = 128 * 1024 * 1024;
/// Highest number of a part (S3, "Amazon S3 multipart upload limits").
const MAX_PART: u16 = 10_000;
/// Fewest octets of a part that is not the last (the same).
const MIN_PART: usize = 5 * 1024 * 1024;

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

/// An upload.
#[derive(Debug)]
pub struct Upload {
    /// What it is called.
    pub id: String,
    /// Where the object goes.
    pub bucket: String,
    /// And under which key.
    pub key: String,
    /// When it was begun.
    pub begun: Timestamp,
    /// By their numbers, and when each came.
    pub parts: BTreeMap<u16, (Octets, Timestamp)>,
    about: About,
}

impl Upload {
    fn octets(&self) -> usize {
        self.parts.values().map(|(part, _)| part.content.len()).sum()
    }

    fn is(&self, asked: &Asked, id: &str) -> bool {
        self.id == id && self.bucket == asked.bucket && self.key == asked.key
    }
}

impl Uploads {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Look at the upload of this id.
    pub fn look<T>(&self, asked: &Asked, id: &str, look: impl FnOnce(&Upload) -> T) -> Option<T> {
        self.state().uploads.iter().find(|one| one.is(asked, id)).map(look)
    }

    /// Look at those of a bucket, the oldest first.
    pub fn each(&self, bucket: &str, look: impl FnMut(&Upload)) {
        self.state().uploads.iter().filter(|one| one.bucket == bucket).for_each(look);
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
    let begun = Timestamp::now();
    state.uploads.push_back(Upload { id: id.clone(), bucket, key, begun, about, parts: BTreeMap::new() });
    xml(
        StatusCode::OK,
        &format!(
            "<InitiateMultipartUploadResult xmlns=\"{NAME_SPACE}\"><Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
             </InitiateMultipartUploadResult>",
            escaped(&asked.bucket),
            escaped(&asked.key)
        ),
    )
}

/// Keep a part; its entity tag, or why not.
pub fn part(aws: &Aws, upload: &str, number: &str, octets: Octets) -> Result<String, Box<Response>> {
    let Some(number) = number.parse().ok().filter(|number| (1..=MAX_PART).contains(number)) else {
        return Err(error(400, "InvalidArgument", "the part number is from 1 to 10000").into());
    };
    let (tag, length) = (octets.tag.clone(), octets.content.len());
    let mut state = aws.uploads.state();
    let all: usize = state.uploads.iter().map(Upload::octets).sum();
    let Some(upload) = state.uploads.iter_mut().find(|one| one.id == upload) else { return Err(unknown().into()) };
    if upload.octets() + length > MAX_OBJECT || all + length > MAX_OCTETS {
        return Err(error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size").into());
    }
    upload.parts.insert(number, (octets, Timestamp::now()));
    Ok(tag)
}

/// Make the object of the parts that `body` lists.
pub fn complete(aws: &Aws, asked: &Asked, upload: &str, body: &[u8]) -> Response {
    let Some(listed) = std::str::from_utf8(body).ok().and_then(listed) else { return malformed() };
    let upload = {
        let mut state = aws.uploads.state();
        let Some(place) = state.uploads.iter().position(|one| one.is(asked, upload)) else { return unknown() };
        match state.uploads.get(place).map(|upload| check(&listed, upload)) {
            Some(Ok(())) => state.uploads.remove(place),
            Some(Err(refused)) => return *refused,
            None => None,
        }
    };
    let Some(mut upload) = upload else { return unknown() };
    let parts: Vec<Octets> =
        listed.iter().filter_map(|(number, _)| upload.parts.remove(number)).map(|(octets, _)| octets).collect();
    let object = aws.workmail.store(&upload.bucket, &upload.key, Octets::of_parts(&parts), upload.about);
    let (bucket, key) = (escaped(&upload.bucket), escaped(&upload.key));
    let mut response = xml(
        StatusCode::OK,
        &format!(
            "<CompleteMultipartUploadResult xmlns=\"{NAME_SPACE}\"><Bucket>{bucket}</Bucket><Key>{key}</Key>\
             <ETag>&quot;{}&quot;</ETag></CompleteMultipartUploadResult>",
            object.tag
        ),
    );
    if let Ok(version) = version_id(object.version).parse() {
        response.headers_mut().insert("x-amz-version-id", version);
    }
    response
}

/// Numbers and entity tags, as they are listed. None at all is nothing that can be read.
fn listed(text: &str) -> Option<Vec<(u16, String)>> {
    let part = |part: Option<&str>| {
        let number = element(part?, "PartNumber")?.trim().parse().ok()?;
        let tag = element(part?, "ETag").and_then(unescaped)?;
        Some((number, tag.trim().trim_matches('"').to_owned()))
    };
    let inner = element(text, "CompleteMultipartUpload")?;
    let parts: Vec<_> = elements(inner, "Part").take(usize::from(MAX_PART) + 1).map(part).collect::<Option<_>>()?;
    (1..=usize::from(MAX_PART)).contains(&parts.len()).then_some(parts)
}

/// Whether these parts are there, in order, and large enough.
fn check(listed: &[(u16, String)], upload: &Upload) -> Result<(), Box<Response>> {
    let in_order = listed.windows(2).all(|pair| matches!(pair, [(one, _), (next, _)] if one < next));
    if !in_order {
        let what = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(error(400, "InvalidPartOrder", what).into());
    }
    for (nth, (number, tag)) in listed.iter().enumerate() {
        let Some((part, _)) = upload.parts.get(number).filter(|(part, _)| part.tag == *tag) else {
            let what = "One or more of the specified parts could not be found. The part may not have been uploaded, or \
                        the specified entity tag may not match the part's entity tag.";
            return Err(error(400, "InvalidPart", what).into());
        };
        if part.content.len() < MIN_PART && nth + 1 < listed.len() {
            let what = "Your proposed upload is smaller than the minimum allowed size";
            return Err(error(400, "EntityTooSmall", what).into());
        }
    }
    Ok(())
}

pub fn abort(aws: &Aws, upload: &str) -> Response {
    let mut state = aws.uploads.state();
    let before = state.uploads.len();
    state.uploads.retain(|one| one.id != upload);
    if state.uploads.len() < before { answer(StatusCode::NO_CONTENT, &[], "") } else { unknown() }
}

/// There is no such upload.
pub fn unknown() -> Response {
    error(404, "NoSuchUpload", "The specified multipart upload does not exist.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_listed_in_order_with_their_tags() {
        let part = |number: &str| {
            format!(
                "<Part><ETag>&quot;ab&quot;</ETag><PartNumber>{number}</PartNumber><ChecksumCRC32>x</ChecksumCRC32></Part>"
            )
        };
        let body =
            |inner: &str| format!("<CompleteMultipartUpload xmlns=\"{NAME_SPACE}\">{inner}</CompleteMultipartUpload>");
        let read = listed(&body(&(part("1") + &part("3")))).unwrap();
        assert_eq!(read, [(1, "ab".to_owned()), (3, "ab".to_owned())]);
        for odd in ["", &body(""), &body(&part("x")), &body("<Part></Part>"), &body(&part("1").repeat(10_001))] {
            assert!(listed(odd).is_none());
        }
    }
}
