//! Raw 8-bit text in MIME parameters (`name`, `filename`): RFC 2231.

use std::fmt::Write as _;
use std::ops::Range;

use crate::percent::{self, IN_PARAMETER};

/// Octets of one section of a parameter that is written in several (RFC 2231 §3).
const SECTION: usize = 56;

/// The value of a Content-Type or Content-Disposition field with those parameters encoded that are not ASCII. What stands
/// in the type itself, or in a parameter that is there in its encoded form already, stays.
pub(super) fn encode(value: &str) -> String {
    let segments = segments(value);
    let named = |range: &Range<usize>| {
        let (name, value) = value.get(range.clone())?.split_once('=')?;
        Some((name.trim(), value.trim()))
    };
    let all: Vec<_> = segments.iter().skip(1).filter_map(&named).map(|(name, _)| name.to_ascii_lowercase()).collect();
    let mut out = String::with_capacity(value.len() * 2);
    for (nth, range) in segments.iter().enumerate() {
        let text = value.get(range.clone()).unwrap_or_default();
        if nth > 0 {
            out.push(';');
        }
        let encodable = |(name, value): &(&str, &str)| {
            let encoded = format!("{}*", name.to_ascii_lowercase());
            let token = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            nth > 0
                && !value.is_ascii()
                && !name.is_empty()
                && name.bytes().all(token)
                && !all.iter().any(|other| other.starts_with(&encoded))
        };
        match named(range).filter(encodable) {
            Some((name, text_of)) => {
                let blank = text.len() - text.trim_start().len();
                let tail = text.trim_end().len();
                out.push_str(text.get(..blank).unwrap_or_default());
                parameter(name, &unquoted(text_of), &mut out);
                out.push_str(text.get(tail..).unwrap_or_default());
            }
            None => out.push_str(text),
        }
    }
    out
}

fn parameter(name: &str, text: &str, out: &mut String) {
    let mut sections = vec![String::from("utf-8''")];
    for c in text.chars() {
        let token = percent::encoded(c.encode_utf8(&mut [0; 4]), IN_PARAMETER).to_string();
        match sections.last_mut() {
            Some(section) if section.len() + token.len() <= SECTION => section.push_str(&token),
            _ => sections.push(token),
        }
    }
    if let [only] = sections.as_slice() {
        let _ = write!(out, "{name}*={only}");
        return;
    }
    for (nth, section) in sections.iter().enumerate() {
        let _ = write!(out, "{}{name}*{nth}*={section}", if nth == 0 { "" } else { ";\r\n " });
    }
}

/// Without quotation marks, and without the backslash before those and before another backslash; others are part of a
/// name, as on Windows.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    inner.replace("\r\n", "").replace('\n', "").replace("\\\"", "\"").replace("\\\\", "\\")
}

/// What stands between semicolons that are neither quoted nor in a comment.
fn segments(value: &str) -> Vec<Range<usize>> {
    let mut segments = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped) = (0, 0_usize, false, false);
    for (at, b) in value.bytes().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match b {
            b'\\' if quoted || depth > 0 => escaped = true,
            b'"' if depth == 0 => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            b';' if !quoted && depth == 0 => {
                segments.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    segments.push(start..value.len());
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_are_not_ascii_are_encoded_and_others_stay() {
        for (value, expected) in [
            (" attachment; filename=\"Übersicht.pdf\"", " attachment; filename*=utf-8''%C3%9Cbersicht.pdf"),
            (
                " application/pdf;\r\n\tname=Größe.pdf; x=y",
                " application/pdf;\r\n\tname*=utf-8''Gr%C3%B6%C3%9Fe.pdf; x=y",
            ),
            (
                " attachment; filename=\"a; b \\\"é\\\".txt\" ; size=3",
                " attachment; filename*=utf-8''a%3B%20b%20%22%C3%A9%22.txt ; size=3",
            ),
            (" attachment; filename=\"é\"; filename*=utf-8''e", " attachment; filename=\"é\"; filename*=utf-8''e"),
            (" té/xt; name=a", " té/xt; name=a"),
        ] {
            assert_eq!(encode(value), expected);
        }
    }

    #[test]
    fn a_long_name_is_written_in_sections() {
        let out = encode(&format!(" attachment; filename=\"{}.pdf\"", "日本".repeat(60)));
        assert!(out.starts_with(" attachment; filename*0*=utf-8''%E6%97%A5"), "{out}");
        assert!(out.split("\r\n").all(|line| line.len() <= 78), "{out}");
        assert!(out.contains(";\r\n filename*1*="), "{out}");
    }
}
