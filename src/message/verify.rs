//! The rewritten message held against the original: Invariants 1 to 6.

/// An invariant that a rewrite would have broken. The original goes out instead; it is a bug in mailwright.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rewrite would break an invariant ({invariant}): {what}; this is a bug in mailwright, please report it")]
pub struct Violation {
    /// Its name, such as `locality`.
    pub invariant: &'static str,
    /// What was found, without content.
    pub what: String,
}
