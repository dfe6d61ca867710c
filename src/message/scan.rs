//! Header fields and part tree as byte ranges.
