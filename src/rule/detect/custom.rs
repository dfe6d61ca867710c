//! Patterns of the rule's author. They see the text as it is: nothing is folded, and `(?i)` is theirs to write.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// Name and label of matches of a `pattern` of the rule.
pub const PATTERN: &str = "pattern";
pub const LABEL: &str = "REDACTED";

/// Size of a compiled pattern, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Compile, within the limit of size; the error says why not, in one line. A pattern that matches nothing at all (`""`,
/// `a*`) is a slip: it looks for less than it seems to.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build().map_err(|why| {
        let why = why.to_string();
        let last = why.trim().lines().last().unwrap_or_default();
        last.strip_prefix("error: ").unwrap_or(last).to_owned()
    })?;
    if regex.is_match("") { Err("it matches the empty text".to_owned()) } else { Ok(regex) }
}

/// Hand the range of every match that is not empty to `found`, as long as it says so.
pub fn find(pattern: &Regex, text: &str, mut found: impl FnMut(Range<usize>) -> bool) {
    pattern.find_iter(text).filter(|hit| !hit.is_empty()).all(|hit| found(hit.range()));
}

/// The same with what the group named `value` matched, where the pattern has one.
pub fn find_value(pattern: &Regex, text: &str, found: &mut impl FnMut(Range<usize>) -> bool) {
    if !pattern.capture_names().flatten().any(|name| name == "value") {
        find(pattern, text, found);
        return;
    }
    for captures in pattern.captures_iter(text) {
        let value = captures.name("value").filter(|value| !value.is_empty());
        if value.is_some_and(|value| !found(value.range())) {
            return;
        }
    }
}
