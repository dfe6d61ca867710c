//! Fields of objects, and those by which a request depends on what there is (RFC 9110 §13, as S3 reads it).

use axum::http::HeaderMap;
use axum::response::Response;
use mailwright::facts::Timestamp;

use super::s3::error;
use crate::serve::object::{About, Object, Pairs, version_id};

/// Longest content type that is kept.
const MAX_TYPE: usize = 200;
/// Most octets of all other fields that are kept (S3, "User-defined metadata": 2 KB).
const MAX_FIELDS: usize = 2_048;
/// What an object is that nobody gave a type.
const ANY_TYPE: &str = "binary/octet-stream";
/// What else comes back as it was given, beside what begins with [`OWN`].
const KEPT: [&str; 4] = ["cache-control", "content-disposition", "content-language", "expires"];
/// How names begin that users give.
const OWN: &str = "x-amz-meta-";
/// The four fields of a condition: a tag that it must have or must not have, a time since which it must have or must not have
/// changed.
pub type Conditions = [&'static str; 4];
/// Those of a request for an object.
pub const OF_REQUEST: Conditions = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];
/// Those of a copy, for its source.
pub const OF_SOURCE: Conditions = [
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-unmodified-since",
];
/// A time, as HTTP writes it (RFC 9110 §5.6.7).
pub const TIME: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// What is said of an object that comes with these fields.
pub fn said(fields: &HeaderMap) -> About {
    let media_type = text(fields, "content-type").filter(|text| !text.is_empty() && text.len() <= MAX_TYPE);
    let mut octets = 0;
    let own = fields.iter().filter(|(name, _)| KEPT.contains(&name.as_str()) || name.as_str().starts_with(OWN));
    let own = own.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let kept = own.take_while(|(name, value)| {
        octets += name.len() + value.len();
        octets <= MAX_FIELDS
    });
    About { media_type: media_type.unwrap_or(ANY_TYPE).to_owned(), fields: kept.collect(), tags: Vec::new() }
}

/// What is said of an object that was put.
pub fn stored(object: &Object) -> Pairs {
    let mut fields = about(object);
    fields.extend(object.checksum.clone());
    fields
}

/// What is said of an object that is put or got.
pub fn about(object: &Object) -> Pairs {
    let pairs = [("etag", format!("\"{}\"", object.tag)), ("x-amz-version-id", version_id(object.version))];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

/// All that goes with an object. Its checksum does for who asks for it (`x-amz-checksum-mode`).
pub fn all(object: &Object, asked: &HeaderMap) -> Pairs {
    let pairs = [
        ("content-type", object.about.media_type.clone()),
        ("accept-ranges", "bytes".to_owned()),
        ("last-modified", object.stored.strftime(TIME).to_string()),
        // What a browser makes of it is not mail's to say.
        ("x-content-type-options", "nosniff".to_owned()),
        ("content-security-policy", "sandbox; default-src 'none'".to_owned()),
    ];
    let mut fields = about(object);
    fields.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
    fields.extend(object.about.fields.iter().cloned());
    if let tags @ 1.. = object.about.tags.len() {
        fields.push(("x-amz-tagging-count".to_owned(), tags.to_string()));
    }
    // That of the whole: it says nothing of a part.
    let wants = text(asked, "x-amz-checksum-mode").is_some_and(|word| word.eq_ignore_ascii_case("ENABLED"));
    fields.extend(object.checksum.clone().filter(|_| wants && !asked.contains_key("range")));
    fields
}

/// What comes of conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// They hold, or there are none.
    Holds,
    /// Who asks has it already.
    NotModified,
    /// What is there is not what was meant.
    Fails,
}

/// Hold the conditions of a request against an object (RFC 9110 §13.2.2: a tag counts more than a time).
pub fn judged(fields: &HeaderMap, names: Conditions, object: &Object) -> Judged {
    let [is, is_not, changed, unchanged] = names.map(|name| text(fields, name));
    // HTTP knows whole seconds.
    let time = |text: &str| jiff_time(text).map(|then| object.stored.as_second() <= then);
    match (is, unchanged.and_then(time)) {
        (Some(tags), _) if !names_tag(tags, &object.tag) => return Judged::Fails,
        (None, Some(false)) => return Judged::Fails,
        _ => {}
    }
    match (is_not, changed.and_then(time)) {
        (Some(tags), _) if names_tag(tags, &object.tag) => Judged::NotModified,
        (None, Some(true)) => Judged::NotModified,
        _ => Judged::Holds,
    }
}

/// Whether an object may be stored where this one is, or none: `If-None-Match: *` and `If-Match` (S3, "Conditional writes").
pub fn may_store(fields: &HeaderMap, there: Option<&Object>) -> bool {
    text(fields, "if-none-match").is_none_or(|tags| there.is_none_or(|object| !names_tag(tags, &object.tag)))
        && text(fields, "if-match").is_none_or(|tags| there.is_some_and(|object| names_tag(tags, &object.tag)))
}

/// Whether a range is one of this object: `If-Range`.
pub fn is_meant(fields: &HeaderMap, object: &Object) -> bool {
    text(fields, "if-range").is_none_or(|of| {
        names_tag(of, &object.tag) || jiff_time(of).is_some_and(|then| object.stored.as_second() <= then)
    })
}

fn names_tag(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/").trim_matches('"') == tag)
}

/// Seconds since 1970.
fn jiff_time(text: &str) -> Option<i64> {
    let text = text.strip_suffix("GMT").map(|text| format!("{text}+0000"))?;
    Timestamp::strptime("%a, %d %b %Y %H:%M:%S %z", &text).ok().map(Timestamp::as_second)
}

/// There is no such object, or no such version.
pub fn missing(version: bool) -> Response {
    if version {
        error(404, "NoSuchVersion", "The specified version does not exist.")
    } else {
        error(404, "NoSuchKey", "The specified key does not exist.")
    }
}

/// A condition does not hold.
pub fn failed() -> Response {
    error(412, "PreconditionFailed", "At least one of the preconditions you specified did not hold.")
}

fn text<'h>(fields: &'h HeaderMap, name: &str) -> Option<&'h str> {
    fields.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;
    use crate::serve::fault::Faults;
    use crate::serve::workmail::WorkMail;

    fn fields(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn conditions_are_held_against_tag_and_time() {
        let object = WorkMail::new(Faults::default()).store("my-bucket", "k", b"x".to_vec().into(), About::default());
        let tag = format!("\"{}\"", object.tag);
        let (early, late) = ("Mon, 05 Jan 2015 10:00:00 GMT", "Mon, 05 Jan 2099 10:00:00 GMT");
        for (pairs, expected) in [
            (&[][..], Judged::Holds),
            (&[("if-match", tag.as_str())], Judged::Holds),
            (&[("if-match", "\"a\", *")], Judged::Holds),
            (&[("if-match", "\"a\"")], Judged::Fails),
            (&[("if-none-match", tag.as_str())], Judged::NotModified),
            (&[("if-none-match", "\"a\"")], Judged::Holds),
            (&[("if-modified-since", late)], Judged::NotModified),
            (&[("if-modified-since", early)], Judged::Holds),
            (&[("if-modified-since", "yesterday")], Judged::Holds),
            (&[("if-unmodified-since", early)], Judged::Fails),
            (&[("if-unmodified-since", early), ("if-match", tag.as_str())], Judged::Holds),
            (&[("if-modified-since", late), ("if-none-match", "\"a\"")], Judged::Holds),
        ] {
            assert_eq!(judged(&fields(pairs), OF_REQUEST, &object), expected, "{pairs:?}");
        }
        let any = fields(&[("if-none-match", "*")]);
        assert!(may_store(&any, None) && !may_store(&any, Some(&object)));
        let this = fields(&[("if-match", &tag)]);
        assert!(!may_store(&this, None) && may_store(&this, Some(&object)));
        assert!(is_meant(&fields(&[("if-range", &tag)]), &object));
        assert!(!is_meant(&fields(&[("if-range", early)]), &object));
    }

    #[test]
    fn what_users_say_of_objects_is_kept_within_a_limit() {
        let said = said(&fields(&[
            ("x-amz-meta-a", "1"),
            ("content-type", "text/plain"),
            ("x-amz-acl", "private"),
            ("expires", "0"),
        ]));
        assert_eq!(said.media_type, "text/plain");
        assert_eq!(said.fields, [("x-amz-meta-a".to_owned(), "1".to_owned()), ("expires".to_owned(), "0".to_owned())]);
        let long = "x".repeat(MAX_FIELDS);
        assert!(super::said(&fields(&[("x-amz-meta-a", &long)])).fields.is_empty());
    }
}
