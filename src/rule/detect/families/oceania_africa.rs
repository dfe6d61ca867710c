//! Australia, New Zealand, South Africa and Israel.

use super::super::catalog::Spec;
use super::super::check::{cross, digit, last, luhn, number, weighted, yymmdd};
use super::super::shape::{fair, good, weak};

/// Detectors of these countries.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "au-tfn",
        "TFN",
        &["national-ids", "au"],
        "Australia: tax file numbers",
        &["tfn", "tax file", "tax file number"],
        &[fair("ddd ddd ddd"), weak("ddddddddd")],
        tfn,
    ),
    Spec::number(
        "au-medicare",
        "MEDICARE",
        &["national-ids", "health", "au"],
        "Australia: Medicare card numbers",
        &["medicare", "medicare card", "medicare number", "medicare no"],
        &[fair("dddd ddddd d"), weak("dddddddddd"), weak("ddddddddddd"), fair("dddd ddddd d d")],
        medicare,
    ),
    Spec::number(
        "au-abn",
        "ABN",
        &["financial", "au"],
        "Australia: business numbers",
        &["abn", "a.b.n", "australian business number", "business number"],
        &[good("dd ddd ddd ddd"), fair("ddddddddddd")],
        abn,
    ),
    Spec::number(
        "au-acn",
        "ACN",
        &["financial", "au"],
        "Australia: company numbers",
        &["acn", "a.c.n", "australian company number", "company number"],
        &[fair("ddd ddd ddd"), weak("ddddddddd")],
        acn,
    ),
    Spec::number(
        "nz-ird",
        "IRD",
        &["national-ids", "nz"],
        "New Zealand: IRD numbers",
        &["ird", "ird number", "ird no", "inland revenue"],
        &[fair("dd-ddd-ddd"), fair("ddd-ddd-ddd"), weak("dddddddd"), weak("ddddddddd")],
        ird,
    ),
    Spec::number(
        "za-id",
        "ID-NUMBER",
        &["national-ids", "za"],
        "South Africa: identity numbers",
        &[
            "id number",
            "id no",
            "id nr",
            "identity number",
            "sa id",
            "said",
            "rsa id",
            "id-nommer",
            "identiteitsnommer",
        ],
        &[fair("ddddddddddddd"), good("dddddd dddd ddd"), good("dddddd dddd dd d")],
        south_african,
    ),
    Spec::number(
        "il-id",
        "ID-NUMBER",
        &["national-ids", "il"],
        "Israel: identity numbers",
        &[
            "teudat zehut",
            "id number",
            "israeli id",
            "\u{5ea}\u{5e2}\u{5d5}\u{5d3}\u{5ea} \u{5d6}\u{5d4}\u{5d5}\u{5ea}",
            "\u{5ea}.\u{5d6}",
            "\u{5ea}\"\u{5d6}",
            "\u{5de}\u{5e1}\u{5e4}\u{5e8} \u{5d6}\u{5d4}\u{5d5}\u{5ea}",
        ],
        &[weak("ddddddddd"), weak("dddddddd-d")],
        |value| luhn(value) && number(value).is_some_and(|number| number > 1_000_000),
    ),
];

fn tfn(value: &[u8]) -> bool {
    weighted(value, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_some_and(|sum| sum > 0 && sum.is_multiple_of(11))
}

/// Weights 1, 3, 7, 9; then the issue and perhaps who of the card.
fn medicare(value: &[u8]) -> bool {
    let check = value.get(8).and_then(|&c| digit(c));
    matches!(value.first(), Some(b'2'..=b'6'))
        && weighted(value, &[1, 3, 7, 9, 1, 3, 7, 9]).map(|sum| sum % 10) == check
        && value.get(9) != Some(&b'0')
}

/// One off the first digit; modulus 89.
fn abn(value: &[u8]) -> bool {
    let sum = weighted(value, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    value.first() != Some(&b'0') && sum.is_some_and(|sum| (sum - 10).is_multiple_of(89))
}

fn acn(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    weighted(rest, &[8, 7, 6, 5, 4, 3, 2, 1]).is_some_and(|sum| sum > 0 && (10 - sum % 10) % 10 == check)
}

/// Modulus 11, with other weights where the first say 10.
fn ird(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let padded: Vec<u8> =
        std::iter::repeat_n(b'0', 8usize.saturating_sub(rest.len())).chain(rest.iter().copied()).collect();
    let sum = |weights: &[u32]| (11 - weighted(&padded, weights).unwrap_or_default() % 11) % 11;
    let wanted = match sum(&[3, 2, 7, 6, 5, 4, 3, 2]) {
        10 => sum(&[7, 4, 3, 2, 5, 2, 7, 6]),
        wanted => wanted,
    };
    number(value).is_some_and(|number| (10_000_000..150_000_000).contains(&number))
        && wanted == check
        && cross(check) < 10
}

/// Date of birth, serial, citizenship, a digit that was race once, Luhn.
fn south_african(value: &[u8]) -> bool {
    yymmdd(value) && matches!(value.get(10), Some(b'0'..=b'2')) && luhn(value)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check("au-tfn", &["123456782"], &["123456783", "000000000"]);
        check("au-medicare", &["2123456701", "21234567011"], &["2123456711", "1123456701"]);
        check("au-abn", &["51824753556", "53004085616"], &["51824753557"]);
        check("au-acn", &["004085616", "000000019"], &["004085617", "000000000"]);
        check("nz-ird", &["49091850", "35901981", "049091850", "136410132"], &["49091851", "9125568"]);
        check("za-id", &["7503305044089", "8001015009087"], &["7503305044080", "7513305044089"]);
        check("il-id", &["039337423", "123456782"], &["039337424", "000000000"]);
    }
}
