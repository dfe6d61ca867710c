//! `CopyObject` and `UploadPartCopy`: an object, or a part of it, from a place to another.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::s3::{Asked, Range, cut, error, xml};
use super::s3_fields::{self, Judged, OF_SOURCE};
use super::{Aws, decoded, multipart, s3_tags};
use crate::serve::object::{Object, Octets, version_id};

/// The field that names the source.
pub const SOURCE: &str = "x-amz-copy-source";

/// Copy to what is asked about; `part` is the number of a part and its upload.
pub fn copy(aws: &Aws, asked: &Asked, fields: &HeaderMap, part: Option<&(String, String)>) -> Response {
    let text = |name: &str| fields.get(name).and_then(|field| field.to_str().ok());
    let Some((bucket, key, version)) = text(SOURCE).and_then(source) else {
        return error(400, "InvalidArgument", "x-amz-copy-source is BUCKET/KEY, with ?versionId=ID where one is meant");
    };
    let Some(object) = aws.workmail.object(&bucket, &key, version.as_deref()) else {
        return s3_fields::missing(version.is_some());
    };
    if s3_fields::judged(fields, OF_SOURCE, &object) != Judged::Holds {
        return s3_fields::failed();
    }
    let mut answer = if let Some((number, upload)) = part {
        let content = match text("x-amz-copy-source-range").map(|range| cut(range, object.content.len())) {
            None | Some(Range::Whole) => object.content.clone(),
            Some(Range::Part(from, to)) => object.content.slice(from..to),
            Some(Range::Nothing) => return error(416, "InvalidRange", "The requested range is not satisfiable"),
        };
        match multipart::part(aws, upload, number, Octets::of(content)) {
            Ok(tag) => said("CopyPartResult", &tag, &object),
            Err(refused) => return *refused,
        }
    } else {
        let replaced = text("x-amz-metadata-directive").is_some_and(|word| word.eq_ignore_ascii_case("REPLACE"));
        if !replaced && version.is_none() && (&bucket, &key) == (&asked.bucket, &asked.key) {
            return error(
                400,
                "InvalidRequest",
                "This copy request is illegal because it is to itself and changes nothing.",
            );
        }
        if !s3_fields::may_store(fields, aws.workmail.object(&asked.bucket, &asked.key, None).as_ref()) {
            return s3_fields::failed();
        }
        let mut about = if replaced { s3_fields::said(fields) } else { object.about.clone() };
        about.tags.clone_from(&object.about.tags);
        if text("x-amz-tagging-directive").is_some_and(|word| word.eq_ignore_ascii_case("REPLACE")) {
            match s3_tags::with(fields) {
                Ok(tags) => about.tags = tags,
                Err(refused) => return *refused,
            }
        }
        // A copy is of one piece, whatever it is of.
        let octets = Octets { checksum: object.checksum.clone(), ..Octets::of(object.content.clone()) };
        let copied = aws.workmail.store(&asked.bucket, &asked.key, octets, about);
        let mut answer = said("CopyObjectResult", &copied.tag, &copied);
        if let Ok(version) = version_id(copied.version).parse() {
            answer.headers_mut().insert("x-amz-version-id", version);
        }
        answer
    };
    if let Ok(version) = version_id(object.version).parse() {
        answer.headers_mut().insert("x-amz-copy-source-version-id", version);
    }
    answer
}

/// Bucket, key and version: `bucket/key`, `/bucket/key`, with percent-encoding.
fn source(text: &str) -> Option<(String, String, Option<String>)> {
    let (path, version) = match text.rsplit_once("?versionId=") {
        Some((path, version)) => (path, Some(decoded(version)?)),
        None => (text, None),
    };
    let path = decoded(path)?;
    let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/')?;
    (!bucket.is_empty() && !key.is_empty()).then(|| (bucket.to_owned(), key.to_owned(), version))
}

fn said(element: &str, tag: &str, object: &Object) -> Response {
    let stored = object.stored.strftime(super::s3_list::TIME);
    let inner = format!("<ETag>&quot;{tag}&quot;</ETag><LastModified>{stored}</LastModified>");
    xml(StatusCode::OK, &format!("<{element}>{inner}</{element}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_bucket_and_a_key() {
        let read = |text: &str| {
            source(text).map(|(bucket, key, version)| format!("{bucket} {key} {}", version.unwrap_or_default()))
        };
        assert_eq!(read("my-bucket/a/b").unwrap(), "my-bucket a/b ");
        assert_eq!(read("/my-bucket/a%20b%3Fc?versionId=v1").unwrap(), "my-bucket a b?c v1");
        assert_eq!(read("my-bucket%2Fk").unwrap(), "my-bucket k ");
        for odd in ["", "/", "k", "my-bucket/", "//k", "my-bucket/%ff"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
