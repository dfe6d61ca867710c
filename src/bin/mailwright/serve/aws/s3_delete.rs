//! `DeleteObject`, `DeleteObjects` and `DeleteBucket`.
//!
//! A bucket has versions: what is deleted without naming one is hidden by a version that says so, and comes back when that
//! version is removed (S3, "Working with delete markers").

use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::response::Response;

use super::s3::{Asked, MAX_KEY, error, xml};
use super::s3_list::{NAME_SPACE, escaped};
use super::xml::{element, elements, malformed, unescaped};
use super::{Aws, answer};
use crate::serve::object::version_id;

/// Most objects of one request (S3, `DeleteObjects`).
const MAX_OBJECTS: usize = 1_000;

/// One object, or one of its versions.
pub fn object(aws: &Aws, asked: &Asked) -> Response {
    let deleted = aws.workmail.delete(&asked.bucket, &asked.key, asked.parameter("versionId").as_deref());
    let mut fields = Vec::new();
    if let Some(deleted) = deleted {
        fields.push(("x-amz-version-id", version_id(deleted.version)));
        if deleted.says_so {
            fields.push(("x-amz-delete-marker", "true".to_owned()));
        }
    }
    answer(StatusCode::NO_CONTENT, &fields, "")
}

/// A bucket, where nothing is in it. It is there again when it is named.
pub fn bucket(aws: &Aws, bucket: &str) -> Response {
    if aws.workmail.versions(bucket, "", "").is_empty() {
        answer(StatusCode::NO_CONTENT, &[], "")
    } else {
        error(
            409,
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
        )
    }
}

/// Several, as the body of the request names them.
pub fn objects(aws: &Aws, bucket: &str, body: &[u8]) -> Response {
    let Some(asked) = std::str::from_utf8(body).ok().and_then(read) else {
        return malformed();
    };
    let mut results = String::new();
    for (key, version) in asked.objects {
        let deleted = aws.workmail.delete(bucket, &key, version.as_deref());
        if asked.quiet {
            continue;
        }
        let _ = write!(results, "<Deleted><Key>{}</Key>", escaped(&key));
        if let Some(version) = &version {
            let _ = write!(results, "<VersionId>{}</VersionId>", escaped(version));
        }
        if let Some(deleted) = deleted.filter(|deleted| deleted.says_so) {
            let marker = version_id(deleted.version);
            let _ = write!(
                results,
                "<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>{marker}</DeleteMarkerVersionId>"
            );
        }
        results.push_str("</Deleted>");
    }
    xml(StatusCode::OK, &format!("<DeleteResult xmlns=\"{NAME_SPACE}\">{results}</DeleteResult>"))
}

#[derive(Debug, PartialEq, Eq)]
struct Several {
    /// Keys, and versions.
    objects: Vec<(String, Option<String>)>,
    /// Only what goes wrong is to be said.
    quiet: bool,
}

/// Read `<Delete>` with its `<Object>`s.
fn read(text: &str) -> Option<Several> {
    let inner = element(text, "Delete")?;
    let quiet = element(inner, "Quiet").is_some_and(|word| word.trim() == "true");
    let object = |object: Option<&str>| {
        let key = element(object?, "Key").and_then(unescaped).filter(|key| !key.is_empty() && key.len() <= MAX_KEY)?;
        let version = element(object?, "VersionId").and_then(unescaped).filter(|version| version != "null");
        Some((key, version))
    };
    let objects: Vec<_> = elements(inner, "Object").take(MAX_OBJECTS + 1).map(object).collect::<Option<_>>()?;
    (1..=MAX_OBJECTS).contains(&objects.len()).then_some(Several { objects, quiet })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_deleted_is_read_as_sdks_write_it() {
        let text = "<?xml version=\"1.0\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b&#x20;&#228;</Key>\
            </Object><Object><Key>c</Key><VersionId>v1</VersionId></Object><Quiet>true</Quiet></Delete>";
        let expected = [("a&b \u{e4}".to_owned(), None), ("c".to_owned(), Some("v1".to_owned()))];
        assert_eq!(read(text).unwrap(), Several { objects: expected.into(), quiet: true });
        let many = format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(MAX_OBJECTS + 1));
        for odd in [
            "",
            "<Delete>",
            "<Delete></Delete>",
            "<Delete><Object></Object></Delete>",
            "<Delete><Object><Key>&x;</Key></Object></Delete>",
            &many,
        ] {
            assert_eq!(read(odd), None);
        }
    }
}
