//! Tags of objects: with a put (`x-amz-tagging`), and got, put and deleted by themselves.
//!
//! Source: Amazon S3 API Reference, `PutObjectTagging`; S3 User Guide, "Categorizing your objects using tags".

use std::fmt::Write as _;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::s3::{Asked, error, xml};
use super::s3_fields::missing;
use super::s3_list::{NAME_SPACE, escaped};
use super::xml::{element, elements, malformed, unescaped};
use super::{Aws, answer, pairs};
use crate::serve::object::{Pairs, version_id};

/// The field that puts tags with an object.
pub const FIELD: &str = "x-amz-tagging";
/// Most tags of an object.
const MAX_TAGS: usize = 10;
/// Longest key, in characters.
const MAX_KEY: usize = 128;
/// Longest value, in characters.
const MAX_VALUE: usize = 256;

/// The tags that come with an object, in its header: `key=value&…`; an answer where they cannot be taken.
pub fn with(fields: &HeaderMap) -> Result<Pairs, Box<Response>> {
    let Some(field) = fields.get(FIELD) else { return Ok(Vec::new()) };
    let tags = field.to_str().ok().and_then(pairs).ok_or_else(|| Box::new(invalid("it is no query of tags")))?;
    checked(tags)
}

/// Those of an object, or of a version of it (`GetObjectTagging`).
pub fn get(aws: &Aws, asked: &Asked) -> Response {
    let version = asked.parameter("versionId");
    let Some(object) = aws.workmail.object(&asked.bucket, &asked.key, version.as_deref()) else {
        return missing(version.is_some());
    };
    let mut tags = String::new();
    for (key, value) in &object.about.tags {
        let _ = write!(tags, "<Tag><Key>{}</Key><Value>{}</Value></Tag>", escaped(key), escaped(value));
    }
    let body = format!("<Tagging xmlns=\"{NAME_SPACE}\"><TagSet>{tags}</TagSet></Tagging>");
    versioned(xml(StatusCode::OK, &body), object.version)
}

/// Give an object these tags, and no others (`PutObjectTagging`).
pub fn put(aws: &Aws, asked: &Asked, body: &[u8]) -> Response {
    match read(body).map(checked) {
        None => malformed(),
        Some(Err(refused)) => *refused,
        Some(Ok(tags)) => set(aws, asked, tags, StatusCode::OK),
    }
}

/// Take its tags away (`DeleteObjectTagging`).
pub fn delete(aws: &Aws, asked: &Asked) -> Response {
    set(aws, asked, Vec::new(), StatusCode::NO_CONTENT)
}

fn set(aws: &Aws, asked: &Asked, tags: Pairs, status: StatusCode) -> Response {
    let version = asked.parameter("versionId");
    match aws.workmail.tag(&asked.bucket, &asked.key, version.as_deref(), tags) {
        Some(version) => versioned(answer(status, &[], ""), version),
        None => missing(version.is_some()),
    }
}

fn versioned(mut answer: Response, version: u64) -> Response {
    if let Ok(version) = version_id(version).parse() {
        answer.headers_mut().insert("x-amz-version-id", version);
    }
    answer
}

fn read(body: &[u8]) -> Option<Pairs> {
    let set = element(element(std::str::from_utf8(body).ok()?, "Tagging")?, "TagSet").unwrap_or_default();
    let text = |tag, name| element(tag, name).and_then(unescaped);
    elements(set, "Tag").map(|tag| Some((text(tag?, "Key")?, text(tag?, "Value")?))).collect()
}

fn checked(tags: Pairs) -> Result<Pairs, Box<Response>> {
    let is_long = |(key, value): &(String, String)| {
        key.is_empty() || key.chars().count() > MAX_KEY || value.chars().count() > MAX_VALUE
    };
    if tags.len() > MAX_TAGS {
        return Err(Box::new(error(400, "BadRequest", "Object tags cannot be greater than 10")));
    }
    if tags.iter().any(is_long) {
        return Err(Box::new(invalid("a key has 1 to 128 characters, a value at most 256")));
    }
    if tags.iter().enumerate().any(|(at, (key, _))| tags.iter().skip(at + 1).any(|(other, _)| other == key)) {
        return Err(Box::new(invalid("Cannot provide multiple Tags with the same key")));
    }
    Ok(tags)
}

fn invalid(why: &str) -> Response {
    error(400, "InvalidTag", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_sdks_write_them_within_the_limits() {
        let one = "<Tag><Key>a&amp;b</Key><Value>c</Value></Tag>";
        let body = |inner: &str| format!("<?xml?><Tagging xmlns=\"{NAME_SPACE}\"><TagSet>{inner}</TagSet></Tagging>");
        assert_eq!(read(body(one).as_bytes()).unwrap(), [("a&b".to_owned(), "c".to_owned())]);
        assert_eq!(read(body("").as_bytes()).unwrap(), []);
        for odd in [&b""[..], b"\xff", b"<Tagging><TagSet><Tag></Tag></TagSet></Tagging>"] {
            assert_eq!(read(odd), None);
        }
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let many: Pairs = (0..11).map(|n| tag(&n.to_string(), "")).collect();
        for refused in
            [many.clone(), vec![tag("a", "1"), tag("a", "2")], vec![tag("", "")], vec![tag("a", &"x".repeat(257))]]
        {
            assert_eq!(checked(refused).unwrap_err().status(), 400);
        }
        assert_eq!(checked(many[..10].to_vec()).unwrap().len(), 10);
    }

    #[test]
    fn tags_of_a_put_are_a_query() {
        let fields = |text: &str| HeaderMap::from_iter([(FIELD.parse().unwrap(), text.parse().unwrap())]);
        let tags = with(&fields("kind=mail&who=ann+b%26c")).unwrap();
        assert_eq!(tags, [("kind".to_owned(), "mail".to_owned()), ("who".to_owned(), "ann b&c".to_owned())]);
        assert!(with(&HeaderMap::new()).unwrap().is_empty());
        assert!(with(&fields("a=1&a=2")).is_err() && with(&fields("a=%ff")).is_err());
    }
}
