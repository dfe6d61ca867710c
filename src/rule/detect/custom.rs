//! Patterns of the rule's author. They see the text as it is: nothing is folded, and `(?i)` is theirs to write.

use std::ops::Range;

use regex::RegexBuilder;

use crate::rule::late::{Late, TimeUp};
use crate::rule::pattern::Pattern;

/// Name and label of matches of a `pattern` of the rule.
pub const PATTERN: &str = "pattern";
pub const LABEL: &str = "REDACTED";

/// The group that a detector of the rule set finds, where its pattern has one.
const VALUE: &str = "value";
/// Size of a compiled pattern, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Compile, within the limit of size; the error says why not, in one line. A pattern that matches nothing at all (`""`,
/// `a*`) is a slip: it looks for less than it seems to.
pub fn compile(pattern: &str) -> Result<Pattern, String> {
    let regex = RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build().map_err(|why| {
        let why = why.to_string();
        let last = why.trim().lines().last().unwrap_or_default();
        last.strip_prefix("error: ").unwrap_or(last).to_owned()
    })?;
    if regex.is_match("") { Err("it matches the empty text".to_owned()) } else { Ok(regex.into()) }
}

/// Hand the range of every match that is not empty to `found`, as long as it says so: of what the group named `value`
/// matched, where the pattern has one.
pub fn find_value(
    pattern: &Pattern,
    text: &str,
    late: Late<'_>,
    found: &mut dyn FnMut(Range<usize>) -> bool,
) -> Result<(), TimeUp> {
    if !pattern.regex().capture_names().flatten().any(|name| name == VALUE) {
        return pattern.find(text, late, found);
    }
    pattern.captures(text, late, &mut |captures| {
        let value = captures.name(VALUE).filter(|value| !value.is_empty());
        value.is_none_or(|value| found(value.range()))
    })
}
