//! What S3 says in XML: lists of buckets and objects.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::response::Response;
use mailwright::percent::{self, IN_PATH};
use mailwright::rule::template::escape_html;

use super::Aws;
use super::s3::{Asked, xml};
use crate::serve::object::version_id;

/// Most keys of a list.
const MAX_KEYS: usize = 1_000;
/// A time, as S3 writes it in XML.
pub const TIME: &str = "%Y-%m-%dT%H:%M:%S.000Z";
/// The name space of all answers.
pub const NAME_SPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// All buckets that hold something.
pub fn buckets(aws: &Aws) -> Response {
    let mut list = String::new();
    for bucket in aws.workmail.buckets() {
        let name = escaped(&bucket);
        let _ =
            write!(list, "<Bucket><Name>{name}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>");
    }
    xml(
        StatusCode::OK,
        &format!(
            "<ListAllMyBucketsResult xmlns=\"{NAME_SPACE}\"><Owner><ID>local</ID></Owner><Buckets>{list}</Buckets>\
             </ListAllMyBucketsResult>"
        ),
    )
}

/// Where a bucket is.
pub fn location() -> Response {
    xml(StatusCode::OK, &format!("<LocationConstraint xmlns=\"{NAME_SPACE}\">eu-west-1</LocationConstraint>"))
}

/// That a bucket has versions.
pub fn versioning() -> Response {
    let status = "<Status>Enabled</Status>";
    xml(StatusCode::OK, &format!("<VersioningConfiguration xmlns=\"{NAME_SPACE}\">{status}</VersioningConfiguration>"))
}

/// All versions of the keys of a bucket, the newest first, and where they are deleted (`ListObjectVersions`).
pub fn versions(aws: &Aws, asked: &Asked) -> Response {
    let text = |name: &str| asked.parameter(name).unwrap_or_default();
    let (prefix, delimiter) = (text("prefix"), text("delimiter"));
    let (from, behind) = (text("key-marker"), text("version-id-marker"));
    let most = text("max-keys").parse().unwrap_or(MAX_KEYS).min(MAX_KEYS);
    let url = text("encoding-type") == "url";
    let written = |key: &str| if url { percent::encoded(key, IN_PATH).to_string() } else { escaped(key) };
    let (mut contents, mut groups) = (String::new(), BTreeSet::new());
    let (mut count, mut last, mut more) = (0, None, false);
    'keys: for (key, versions) in aws.workmail.versions(&asked.bucket, &prefix, &from) {
        let group = group(&key, &prefix, &delimiter);
        if let Some(group) = group {
            if key.as_str() <= from.as_str() || from.starts_with(group) || groups.contains(group) {
                continue;
            }
            if count >= most {
                more = most > 0;
                break;
            }
            groups.insert(group.to_owned());
            count += 1;
            last = Some((group.to_owned(), String::new()));
            continue;
        }
        let newest = versions.last().map_or(0, |object| object.version);
        // Behind the key, or behind one of its versions.
        let mut skips = key == from;
        for object in versions.iter().rev() {
            let version = version_id(object.version);
            if skips {
                skips = behind.is_empty() || version != behind;
                continue;
            }
            if count >= most {
                more = most > 0;
                break 'keys;
            }
            let kind = if object.is_deleted { "DeleteMarker" } else { "Version" };
            let _ = write!(
                contents,
                "<{kind}><Key>{}</Key><VersionId>{version}</VersionId><IsLatest>{}</IsLatest><LastModified>{}</LastModified>",
                written(&key),
                object.version == newest,
                object.stored.strftime(TIME)
            );
            if !object.is_deleted {
                let (tag, octets) = (&object.tag, object.content.len());
                let _ = write!(
                    contents,
                    "<ETag>&quot;{tag}&quot;</ETag><Size>{octets}</Size><StorageClass>STANDARD</StorageClass>"
                );
            }
            let _ = write!(contents, "</{kind}>");
            count += 1;
            last = Some((key.clone(), version));
        }
    }
    for group in &groups {
        let _ = write!(contents, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", written(group));
    }
    let next = last.filter(|_| more).map(|(key, version)| {
        let version =
            if version.is_empty() { version } else { format!("<NextVersionIdMarker>{version}</NextVersionIdMarker>") };
        format!("<NextKeyMarker>{}</NextKeyMarker>{version}", written(&key))
    });
    let encoding = if url { "<EncodingType>url</EncodingType>" } else { "" };
    xml(
        StatusCode::OK,
        &format!(
            "<ListVersionsResult xmlns=\"{NAME_SPACE}\"><Name>{}</Name><Prefix>{}</Prefix><KeyMarker>{}</KeyMarker>\
             <VersionIdMarker>{}</VersionIdMarker><MaxKeys>{most}</MaxKeys><IsTruncated>{more}</IsTruncated>{encoding}{}{contents}\
             </ListVersionsResult>",
            escaped(&asked.bucket),
            written(&prefix),
            written(&from),
            escaped(&behind),
            next.unwrap_or_default(),
        ),
    )
}

/// The part of a key up to the first delimiter behind a prefix.
fn group<'k>(key: &'k str, prefix: &str, delimiter: &str) -> Option<&'k str> {
    let at = key.get(prefix.len()..).filter(|_| !delimiter.is_empty())?.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len())
}

/// The keys of a bucket (`ListObjectsV2`, and `ListObjects` with its marker), below a prefix, up to a delimiter.
pub fn objects(aws: &Aws, asked: &Asked) -> Response {
    let text = |name: &str| asked.parameter(name).unwrap_or_default();
    let (prefix, delimiter) = (text("prefix"), text("delimiter"));
    let after = text("continuation-token").max(text("start-after")).max(text("marker"));
    let most = text("max-keys").parse().unwrap_or(MAX_KEYS).min(MAX_KEYS);
    let url = text("encoding-type") == "url";
    let written = |key: &str| if url { percent::encoded(key, IN_PATH).to_string() } else { escaped(key) };
    let mut contents = String::new();
    let mut groups = BTreeSet::new();
    let (mut count, mut last, mut more) = (0, String::new(), false);
    for (key, object) in aws.workmail.list(&asked.bucket, &prefix, &after) {
        let group = group(&key, &prefix, &delimiter).map(str::to_owned);
        let known = group.as_ref().is_some_and(|group| groups.contains(group));
        if count >= most && !known {
            more = most > 0;
            break;
        }
        last.clone_from(&key);
        match group {
            Some(_) if known => continue,
            Some(group) => drop(groups.insert(group)),
            None => {
                let _ = write!(
                    contents,
                    "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size>\
                     <StorageClass>STANDARD</StorageClass></Contents>",
                    written(&key),
                    object.stored.strftime(TIME),
                    object.tag,
                    object.content.len()
                );
            }
        }
        count += 1;
    }
    for group in &groups {
        let _ = write!(contents, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", written(group));
    }
    let next =
        ["NextContinuationToken", "NextMarker"].map(|name| format!("<{name}>{}</{name}>", escaped(&last))).concat();
    let next = if more { next } else { String::new() };
    let encoding = if url { "<EncodingType>url</EncodingType>" } else { "" };
    xml(
        StatusCode::OK,
        &format!(
            "<ListBucketResult xmlns=\"{NAME_SPACE}\"><Name>{}</Name><Prefix>{}</Prefix><KeyCount>{count}</KeyCount>\
             <MaxKeys>{most}</MaxKeys><IsTruncated>{more}</IsTruncated>{encoding}{next}{contents}</ListBucketResult>",
            escaped(&asked.bucket),
            written(&prefix),
        ),
    )
}

/// Text in XML. What XML cannot hold becomes a question mark.
pub fn escaped(text: &str) -> String {
    escape_html(text).replace(|c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'), "?")
}
