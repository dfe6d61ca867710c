//! The bucket where rules are published, with its versions, as S3 answers for it.

use std::collections::HashMap;

use hyper::{Method, Request, Response};
use mailwright::flow::earlier::MOST_VERSIONS;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::world::World;

/// Where the rules are published.
pub const RULES: &str = "s3://mail-rules/rules.json";
/// Where a candidate is.
pub const CANDIDATE: &str = "s3://mail-rules/candidate.json";
/// What no process can use.
pub const FAULTY: &str = "{\"mailwright\":1,\"files\":{\"10-footer.toml\":\"[[rule]]\"}}";

/// What stands in the bucket `mail-rules`, and how it is asked for.
#[derive(Default)]
pub struct Shelf {
    /// The versions of each key, the last one last; `None` is that it was deleted.
    versions: HashMap<String, Vec<Option<String>>>,
    /// It answers with 503.
    pub down: bool,
    /// Nobody may see the versions.
    pub closed: bool,
    /// What it answered: the status, before it `list` or the number of the version where one was asked for.
    told: Vec<String>,
}

impl Shelf {
    /// As S3 answers it, of a signed request for this bucket; nothing for another request.
    pub fn answer<T>(&mut self, request: &Request<T>) -> Option<Response<s3s::Body>> {
        let rest = request.uri().path().strip_prefix("/mail-rules")?;
        let key = rest.trim_start_matches('/').to_owned();
        let asked = |name: &str| {
            let query = request.uri().query().unwrap_or_default().split('&');
            let mut found = query.filter_map(|entry| entry.split_once('=').or(Some((entry, ""))));
            found.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let signed = header("authorization").starts_with("AWS4-HMAC-SHA256 ") && request.method() == Method::GET;
        let (lists, version) = (asked("versions").is_some(), asked("versionId"));
        let none = Vec::new();
        let versions = self.versions.get(&key).unwrap_or(&none);
        let object = match &version {
            Some(version) => version.parse::<usize>().ok().and_then(|version| versions.get(version)),
            None => versions.last(),
        };
        let object = object.and_then(Option::as_ref);
        let known = !header("if-none-match").is_empty()
            && object.map(|text| tag(text)).as_deref() == Some(header("if-none-match"));
        let (status, body) = match object {
            _ if self.down => (503, error("ServiceUnavailable")),
            _ if !signed || self.closed && (lists || version.is_some()) => (403, error("AccessDenied")),
            _ if lists => (200, self.list(&asked("prefix").unwrap_or_default(), asked("max-keys").as_deref())),
            None => (404, error("NoSuchKey")),
            Some(_) if known => (304, String::new()),
            Some(text) => (200, text.clone()),
        };
        let what = if lists { "list " } else { version.as_deref().map_or("", |_| "version ") };
        let response =
            Response::builder().status(status).header("etag", object.map(|text| tag(text)).unwrap_or_default());
        self.told.push(format!("{what}{status}"));
        Some(response.body(s3s::Body::from(body)).unwrap())
    }

    /// `ListObjectVersions`, with a key that only begins like this one behind it.
    fn list(&self, prefix: &str, most: Option<&str>) -> String {
        assert_eq!(most, Some(MOST_VERSIONS.to_string().as_str()));
        let versions = self.versions.get(prefix).map(Vec::as_slice).unwrap_or_default();
        let versions = versions.iter().enumerate().rev().take(MOST_VERSIONS);
        let entries: String = versions
            .map(|(at, text)| match text {
                Some(text) => format!(
                    "<Version><Key>{prefix}</Key><VersionId>{at}</VersionId><ETag>{}</ETag></Version>",
                    tag(text).replace('"', "&quot;")
                ),
                None => format!("<DeleteMarker><Key>{prefix}</Key><VersionId>{at}</VersionId></DeleteMarker>"),
            })
            .collect();
        let other = format!("<Version><Key>{prefix}.old</Key><VersionId>0</VersionId><ETag>\"0\"</ETag></Version>");
        format!("<?xml version=\"1.0\"?><ListVersionsResult>{entries}{other}</ListVersionsResult>")
    }
}

fn tag(text: &str) -> String {
    format!("\"{:x?}\"", Sha256::digest(text).as_slice())
}

fn error(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>")
}

/// A rule file as `mailwright pack` packs it.
pub fn packed(rules: &str) -> String {
    json!({ "mailwright": 1, "files": { "10-footer.toml": rules } }).to_string()
}

/// Publish it there.
pub fn publish(world: &World, key: &str, content: &str) {
    world.s3.shelf.lock().unwrap().versions.entry(key.to_owned()).or_default().push(Some(content.to_owned()));
}

/// Delete what is published there: its versions stay.
pub fn delete(world: &World, key: &str) {
    world.s3.shelf.lock().unwrap().versions.entry(key.to_owned()).or_default().push(None);
}

/// As if the newest version there had never been.
pub fn forget(world: &World, key: &str) {
    world.s3.shelf.lock().unwrap().versions.get_mut(key).unwrap().pop();
}

/// What was answered since this was last asked.
pub fn told(world: &World) -> Vec<String> {
    std::mem::take(&mut world.s3.shelf.lock().unwrap().told)
}
