//! `ListParts` and `ListMultipartUploads`: uploads that are not complete, and what has come of them.

use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::response::Response;

use super::s3::{Asked, xml};
use super::s3_list::{NAME_SPACE, TIME, escaped};
use super::{Aws, multipart};

/// Most parts of a list.
const MAX_PARTS: usize = 1_000;

/// The parts of an upload that have come.
pub fn parts(aws: &Aws, asked: &Asked, id: &str) -> Response {
    let number = |name: &str| asked.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let most = number("max-parts").unwrap_or(MAX_PARTS).min(MAX_PARTS);
    let behind = number("part-number-marker").unwrap_or_default();
    let (bucket, key) = (escaped(&asked.bucket), escaped(&asked.key));
    let list = aws.uploads.look(asked, id, |upload| {
        let left: Vec<_> = upload.parts.iter().filter(|(number, _)| usize::from(**number) > behind).collect();
        let mut inner = String::new();
        for (number, (part, came)) in left.iter().take(most) {
            let _ = write!(
                inner,
                "<Part><PartNumber>{number}</PartNumber><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag>\
                 <Size>{}</Size></Part>",
                came.strftime(TIME),
                part.tag,
                part.content.len()
            );
        }
        let last = left.get(most.saturating_sub(1)).filter(|_| left.len() > most && most > 0);
        let next = last.map(|(number, _)| format!("<NextPartNumberMarker>{number}</NextPartNumberMarker>"));
        format!(
            "<ListPartsResult xmlns=\"{NAME_SPACE}\"><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{}</UploadId>\
             <PartNumberMarker>{behind}</PartNumberMarker>{}<MaxParts>{most}</MaxParts><IsTruncated>{}</IsTruncated>\
             <StorageClass>STANDARD</StorageClass>{inner}</ListPartsResult>",
            escaped(id),
            next.as_deref().unwrap_or_default(),
            next.is_some()
        )
    });
    list.map_or_else(multipart::unknown, |list| xml(StatusCode::OK, &list))
}

/// The uploads to a bucket that are not complete: never more than one list holds.
pub fn uploads(aws: &Aws, asked: &Asked) -> Response {
    let prefix = asked.parameter("prefix").unwrap_or_default();
    let mut found = Vec::new();
    aws.uploads.each(&asked.bucket, |upload| {
        if upload.key.starts_with(&prefix) {
            let inner = format!(
                "<Upload><Key>{}</Key><UploadId>{}</UploadId><StorageClass>STANDARD</StorageClass><Initiated>{}</Initiated></Upload>",
                escaped(&upload.key),
                upload.id,
                upload.begun.strftime(TIME)
            );
            found.push((upload.key.clone(), inner));
        }
    });
    // By their keys; those of one key as they were begun.
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let inner: String = found.into_iter().map(|(_, inner)| inner).collect();
    xml(
        StatusCode::OK,
        &format!(
            "<ListMultipartUploadsResult xmlns=\"{NAME_SPACE}\"><Bucket>{}</Bucket><Prefix>{}</Prefix>\
             <MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>{inner}</ListMultipartUploadsResult>",
            escaped(&asked.bucket),
            escaped(&prefix)
        ),
    )
}
