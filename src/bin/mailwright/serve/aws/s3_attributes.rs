//! `GetObjectAttributes`: tag, checksum and size of an object, without its octets.

use std::fmt::Write as _;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;

use super::Aws;
use super::s3::{Asked, error, xml};
use super::s3_fields::{TIME, missing};
use super::s3_list::{NAME_SPACE, escaped};
use crate::serve::object::version_id;

/// The field that says which are wanted.
const WANTED: &str = "x-amz-object-attributes";

/// Those that are asked for.
pub fn get(aws: &Aws, asked: &Asked, request: &Request) -> Response {
    let version = asked.parameter("versionId");
    let Some(object) = aws.workmail.object(&asked.bucket, &asked.key, version.as_deref()) else {
        return missing(version.is_some());
    };
    let lists = request.headers().get_all(WANTED).iter().filter_map(|field| field.to_str().ok());
    let names: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    if names.is_empty() {
        return error(400, "InvalidArgument", "x-amz-object-attributes says which are wanted");
    }
    let mut inner = String::new();
    let mut add = |name: &str, value: &str| {
        let _ = write!(inner, "<{name}>{value}</{name}>");
    };
    for name in names {
        match name {
            "ETag" => add("ETag", &object.tag),
            "ObjectSize" => add("ObjectSize", &object.content.len().to_string()),
            "StorageClass" => add("StorageClass", "STANDARD"),
            "Checksum" => {
                if let Some((name, value)) = &object.checksum {
                    let name = name.trim_start_matches("x-amz-checksum-").to_ascii_uppercase();
                    add("Checksum", &format!("<Checksum{name}>{}</Checksum{name}>", escaped(value)));
                }
            }
            "ObjectParts" => {
                if let Some((_, parts)) = object.tag.split_once('-') {
                    add("ObjectParts", &format!("<PartsCount>{parts}</PartsCount>"));
                }
            }
            _ => return error(400, "InvalidArgument", "Invalid attribute name specified."),
        }
    }
    let body = format!("<GetObjectAttributesResponse xmlns=\"{NAME_SPACE}\">{inner}</GetObjectAttributesResponse>");
    let mut answer = xml(StatusCode::OK, &body);
    for (name, value) in
        [("x-amz-version-id", version_id(object.version)), ("last-modified", object.stored.strftime(TIME).to_string())]
    {
        if let Ok(value) = value.parse() {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
