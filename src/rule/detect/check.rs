//! Check digits and dates: the arithmetic that validators are made of.
//!
//! Values are ASCII digits and upper-case letters without separators, as [`super::shape`] reads them. Whatever else comes
//! in is no match, never a panic.

/// What a digit is worth; `None` for anything else.
pub fn digit(c: u8) -> Option<u32> {
    c.is_ascii_digit().then(|| u32::from(c - b'0'))
}

/// What a digit (0 to 9) or a letter (A = 10 to Z = 35) is worth.
pub fn base36(c: u8) -> Option<u32> {
    char::from(c).to_digit(36)
}

/// The number that digits write; `None` where one is none, or where it is too large.
pub fn number(value: &[u8]) -> Option<u64> {
    value.iter().try_fold(0u64, |sum, &c| sum.checked_mul(10)?.checked_add(u64::from(digit(c)?)))
}

/// The sum of digits times weights; as long as the shorter of both.
pub fn weighted(value: &[u8], weights: &[u32]) -> Option<u32> {
    value.iter().zip(weights).map(|(&c, weight)| Some(digit(c)? * weight)).sum()
}

/// The last digit of a value, and those before it.
pub fn last(value: &[u8]) -> Option<(u32, &[u8])> {
    let (&last, rest) = value.split_last()?;
    Some((digit(last)?, rest))
}

/// The cross sum of a number below 100.
pub const fn cross(number: u32) -> u32 {
    number / 10 + number % 10
}

/// ISO/IEC 7812-1 Annex B, over digits.
pub fn luhn(value: &[u8]) -> bool {
    luhn_sum(value).is_some_and(|sum| sum.is_multiple_of(10))
}

/// The sum of [`luhn`], its last digit counted once.
pub fn luhn_sum(value: &[u8]) -> Option<u32> {
    value
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &c)| Some(if place % 2 == 0 { digit(c)? } else { cross(digit(c)? * 2) }))
        .sum()
}

/// The remainder of a number of any length by `modulus`; a letter counts as its two digits (A = 10).
pub fn remainder(value: impl IntoIterator<Item = u8>, modulus: u32) -> Option<u32> {
    value.into_iter().try_fold(0u32, |rest, c| {
        let worth = base36(c)?;
        Some((rest * if worth > 9 { 100 } else { 10 } + worth) % modulus)
    })
}

/// ISO 7064 MOD 97-10 as IBANs use it: the first four characters moved to the end.
pub fn mod97(value: &[u8]) -> bool {
    let (head, tail) = value.split_at(value.len().min(4));
    remainder(tail.iter().chain(head).copied(), 97) == Some(1)
}

/// ISO 7064 MOD 11,10.
pub fn mod11_10(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let product = rest.iter().try_fold(10u32, |product, &c| {
        let sum = (digit(c)? + product) % 10;
        Some(if sum == 0 { 10 } else { sum } * 2 % 11)
    });
    product.is_some_and(|product| (11 - product) % 10 == check)
}

/// ISO 7064 MOD 11-2: the last character may be an X.
pub fn mod11_2(value: &[u8]) -> bool {
    let Some((&check, rest)) = value.split_last() else { return false };
    let sum = rest.iter().try_fold(0u32, |sum, &c| Some((sum + digit(c)?) * 2 % 11));
    let check = if check == b'X' { Some(10) } else { digit(check) };
    sum.is_some_and(|sum| Some((12 - sum) % 11) == check)
}

/// Verhoeff's dihedral check.
pub fn verhoeff(value: &[u8]) -> bool {
    const D: [[u8; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const P: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let state = value.iter().rev().enumerate().try_fold(0u8, |state, (place, &c)| {
        let permuted = *P.get(place % 8)?.get(digit(c)? as usize)?;
        D.get(usize::from(state))?.get(usize::from(permuted)).copied()
    });
    state == Some(0)
}

/// ICAO 9303 and kin: 7, 3, 1 over digits and letters, modulo 10.
pub fn icao(value: &[u8]) -> Option<u32> {
    let sum: Option<u32> = value.iter().zip([7, 3, 1].iter().cycle()).map(|(&c, w)| Some(base36(c)? * w)).sum();
    sum.map(|sum| sum % 10)
}

/// Is there such a day? Years count in full; two digits are a year that leaps by fours.
pub const fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    day >= 1 && day <= days
}

/// The numbers that consecutive runs of digits write: `parts(b"850730", [2, 2, 2])` is `[85, 7, 30]`.
pub fn parts<const N: usize>(value: &[u8], lengths: [usize; N]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    let mut rest = value;
    for (part, length) in numbers.iter_mut().zip(lengths) {
        let (head, tail) = rest.split_at_checked(length)?;
        *part = number(head)?;
        rest = tail;
    }
    Some(numbers)
}

/// `YYMMDD` at the start of the value.
pub fn yymmdd(value: &[u8]) -> bool {
    parts(value, [2, 2, 2]).is_some_and(|[year, month, day]| is_date(2000 + year, month, day))
}

/// `DDMMYY` at the start of the value.
pub fn ddmmyy(value: &[u8]) -> bool {
    parts(value, [2, 2, 2]).is_some_and(|[day, month, year]| is_date(2000 + year, month, day))
}

/// `YYYYMMDD` at the start of the value, of somebody who may be alive.
pub fn yyyymmdd(value: &[u8]) -> bool {
    parts(value, [4, 2, 2]).is_some_and(|[year, month, day]| (1880..2100).contains(&year) && is_date(year, month, day))
}

/// Are all characters the same?
pub fn is_one_character(value: &[u8]) -> bool {
    value.windows(2).all(|pair| pair.first() == pair.last())
}

/// Bits of information in each character of the text (Shannon), by how often each occurs in it.
pub fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for &byte in text {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let total = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total);
    -shares.map(|share| share * share.log2()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(luhn(b"79927398713") && !luhn(b"79927398710"));
        assert!(mod97(b"GB29NWBK60161331926819") && !mod97(b"GB28NWBK60161331926819"));
        assert!(mod11_10(b"86095742719") && !mod11_10(b"86095742718"));
        assert!(mod11_2(b"11010519491231002X") && !mod11_2(b"110105194912310020"));
        assert!(verhoeff(b"2363") && !verhoeff(b"2364"));
        assert_eq!(icao(b"520727"), Some(3));
        assert_eq!(icao(b"L01X00T47"), Some(1));
    }

    #[test]
    fn dates() {
        assert!(is_date(2024, 2, 29) && !is_date(2023, 2, 29) && !is_date(1900, 2, 29) && is_date(2000, 2, 29));
        assert!(!is_date(2024, 13, 1) && !is_date(2024, 4, 31) && !is_date(2024, 1, 0));
        assert!(yymmdd(b"850730") && !yymmdd(b"851330") && !yymmdd(b"85"));
    }

    #[test]
    fn entropy_of_text() {
        assert!(entropy(b"aaaaaaaa") < 0.01);
        assert!((entropy(b"abcdefgh") - 3.0).abs() < 0.01);
        assert!(entropy(b"").abs() < 0.01);
    }

    #[test]
    fn what_is_no_digit_matches_nothing() {
        for check in [luhn, mod97, mod11_10, mod11_2, verhoeff] {
            assert!(!check(b"12-4"), "a dash");
        }
        assert_eq!(number(b"99999999999999999999999"), None);
        assert_eq!(parts(b"12", [2, 1]), None);
    }
}
