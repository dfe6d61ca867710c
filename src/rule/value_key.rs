//! The secret that pseudonyms and the digests of finds are made with.
//!
//! Invariant: it is never shown, and what is made with it says nothing of a value to who does not have it.

use std::fmt;

/// Shortest key, in octets: as long as the hash (RFC 2104 §3).
pub const MIN_VALUE_KEY: usize = 32;

/// A secret. `Debug` does not show it.
#[derive(Clone)]
pub struct ValueKey(Vec<u8>);

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key for pseudonyms has at least {MIN_VALUE_KEY} characters; `openssl rand -hex 32` makes a good one")]
pub struct ValueKeyError;

impl ValueKey {
    /// Check a key: its octets are used as they are, without white space round them.
    pub fn new(text: &str) -> Result<Self, ValueKeyError> {
        let octets = text.trim().as_bytes();
        if octets.len() < MIN_VALUE_KEY { Err(ValueKeyError) } else { Ok(Self(octets.to_vec())) }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ValueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValueKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_long_and_not_shown() {
        assert_eq!(ValueKey::new(" short ").unwrap_err(), ValueKeyError);
        let key = ValueKey::new("0123456789abcdef0123456789abcdef\n").unwrap();
        assert_eq!(format!("{key:?}"), "ValueKey(…)");
        assert_eq!(key.octets().len(), 32);
    }
}
