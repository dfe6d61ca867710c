//! Patterns of the rule's author. They see the text as it is: nothing is folded, and `(?i)` is theirs to write.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::{Family, PatternError};

/// Matches of patterns in the rule.
pub const FAMILY: Family = Family { name: "pattern", label: "REDACTED", keywords: &[] };

/// Size of a compiled pattern, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Compile, within the limit of size. A pattern that matches nothing at all (`""`, `a*`) is a slip: it looks for less than
/// it seems to.
pub fn compile(index: usize, pattern: &str) -> Result<Regex, PatternError> {
    let fault = |why: String| PatternError { index, why };
    let regex = RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build().map_err(|why| fault(why.to_string()))?;
    if regex.is_match("") { Err(fault("it matches the empty text".to_owned())) } else { Ok(regex) }
}

/// Hand the range of every match that is not empty to `found`.
pub fn find(pattern: &Regex, text: &str, mut found: impl FnMut(Range<usize>)) {
    pattern.find_iter(text).filter(|hit| !hit.is_empty()).for_each(|hit| found(hit.range()));
}
