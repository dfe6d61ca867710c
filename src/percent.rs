//! What is written with percent signs, and which characters stay as they are in each place.

pub use percent_encoding::utf8_percent_encode as encoded;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

/// All but the `unreserved` characters (RFC 3986 §2.3): legal in every place of a URL, in every kind of attribute, and in
/// text; and what AWS signs.
pub const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same in a path: its slashes stay.
pub const IN_PATH: &AsciiSet = &RESERVED.remove(b'/');
/// The same where forms write (`application/x-www-form-urlencoded`): `*` stays.
pub const IN_FORM: &AsciiSet = &RESERVED.remove(b'*');
/// What is not ASCII: the same URL in every charset.
pub const NOT_ASCII: &AsciiSet = &AsciiSet::EMPTY;
/// All but the `attribute-char` of parameters (RFC 2231 §7).
pub const IN_PARAMETER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'{')
    .remove(b'|')
    .remove(b'}')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_keeps_what_means_nothing_there() {
        for (set, written) in [
            (RESERVED, "a-._~%2A%2F%3F%25%26%27%20%C3%A9"),
            (IN_PATH, "a-._~%2A/%3F%25%26%27%20%C3%A9"),
            (IN_FORM, "a-._~*%2F%3F%25%26%27%20%C3%A9"),
            (IN_PARAMETER, "a-._~%2A%2F%3F%25&%27%20%C3%A9"),
            (NOT_ASCII, "a-._~*/?%&' %C3%A9"),
        ] {
            assert_eq!(encoded("a-._~*/?%&' \u{e9}", set).to_string(), written);
        }
    }
}
