//! Octets in hex digits, as digests are shown.

use std::fmt::Write as _;

/// Two lower-case digits for each octet.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut hex, octet| {
        let _ = write!(hex, "{octet:02x}");
        hex
    })
}
