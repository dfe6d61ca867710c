//! Octets in hex digits, as digests are shown.

/// Two lower-case digits for each octet.
pub fn hex(octets: &[u8]) -> String {
    let digits = octets.iter().flat_map(|octet| [octet >> 4, octet & 0xF]);
    let mut hex = String::with_capacity(octets.len() * 2);
    hex.extend(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)));
    hex
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_octet_is_two_digits() {
        assert_eq!(super::hex(&[0x00, 0x0A, 0x9F, 0xFF]), "000a9fff");
    }
}
