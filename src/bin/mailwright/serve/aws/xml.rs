//! The little XML that S3 is asked in, as SDKs write it: no attributes but a name space, no comments, no CDATA.
//!
//! Invariant: linear in the text. What is not understood is nothing.

use axum::response::Response;

use super::s3::error;

/// What stands in the first element of this name.
pub fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    elements(text, name).next()?
}

/// What stands in each element of this name; `None` for one that does not end, the last then.
pub fn elements<'t>(text: &'t str, name: &str) -> impl Iterator<Item = Option<&'t str>> {
    let [open, close] = [format!("<{name}"), format!("</{name}>")];
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once(open.as_str())?;
            rest = after;
            // A longer name begins the same way.
            if !after.starts_with(|c: char| matches!(c, '>' | '/') || c.is_ascii_whitespace()) {
                continue;
            }
            let found = after.split_once('>').and_then(|(attributes, after)| {
                if attributes.ends_with('/') { Some(("", after)) } else { after.split_once(close.as_str()) }
            });
            // Behind one that does not end comes nothing.
            rest = found.map_or("", |(_, after)| after);
            return Some(found.map(|(inner, _)| inner));
        }
    })
}

/// Without references to characters (XML 1.0 §4.1, §4.6).
pub fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, after) = after.split_once(';')?;
        out.push_str(before);
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// A body that is not what it should be.
pub fn malformed() -> Response {
    error(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_a_name_are_found_with_what_stands_in_them() {
        let text = "<Tags xmlns=\"x\"><Tag><Key>a</Key></Tag><Tag\n>b</Tag><TagSet/></Tags>";
        assert_eq!(element(text, "Tags"), text.get(16..text.len() - 7));
        assert_eq!(elements(text, "Tag").collect::<Vec<_>>(), [Some("<Key>a</Key>"), Some("b")]);
        assert_eq!(element(text, "None"), None);
        assert_eq!([element(text, "TagSet"), element("<a />", "a")], [Some(""), Some("")]);
        assert_eq!(elements("<a>1</a><a>2", "a").collect::<Vec<_>>(), [Some("1"), None]);
        assert_eq!(unescaped("a&amp;b&#x20;&#228;").as_deref(), Some("a&b \u{e4}"));
        assert_eq!(unescaped("&x;").or_else(|| unescaped("&")), None);
    }
}
