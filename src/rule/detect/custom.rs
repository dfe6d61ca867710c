//! Patterns of the rule's author. They see the text as it is: nothing is folded, and `(?i)` is theirs to write.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::{Family, PatternError};

/// Matches of patterns in the rule.
pub const FAMILY: Family = Family { name: "pattern", label: "REDACTED", keywords: &[] };

/// Size of a compiled pattern, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Compile, within the limit of size.
pub fn compile(index: usize, pattern: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|why| PatternError { index, why: why.to_string() })
}

/// Hand the range of every match that is not empty to `found`.
pub fn find(pattern: &Regex, text: &str, mut found: impl FnMut(Range<usize>)) {
    pattern.find_iter(text).filter(|hit| !hit.is_empty()).for_each(|hit| found(hit.range()));
}
