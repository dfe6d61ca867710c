//! The United Kingdom and Ireland.

use super::super::catalog::Spec;
use super::super::check::{digit, is_date, last, parts, weighted};
use super::super::shape::{fair, good, named, sure, weak};

/// Detectors of these countries.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "uk-nhs",
        "NHS",
        &["national-ids", "health", "uk"],
        "United Kingdom: NHS numbers",
        &[
            "nhs",
            "nhs no",
            "nhs number",
            "national health service",
            "health service number",
            "h&c number",
            "chi number",
        ],
        &[fair("ddd ddd dddd"), weak("dddddddddd")],
        nhs,
    ),
    Spec::number(
        "uk-nino",
        "NINO",
        &["national-ids", "uk"],
        "United Kingdom: National Insurance numbers",
        &["nino", "ni number", "ni no", "national insurance", "nat ins", "insurance number"],
        &[sure("AA dd dd dd A"), good("AAddddddA"), good("AA dddddd A"), good("AA ddddddA")],
        nino,
    ),
    Spec::number(
        "uk-driving-licence",
        "LICENCE",
        &["national-ids", "uk"],
        "United Kingdom: driving licence numbers",
        &["driving licence", "driver licence", "licence number", "driver number", "dvla"],
        &[good("AXXXXddddddXXdAA"), good("AXXXX dddddd XXdAA"), good("AXXXX dddddd XX dAA")],
        driving_licence,
    ),
    Spec::number(
        "uk-passport",
        "PASSPORT",
        &["national-ids", "uk"],
        "United Kingdom: passport numbers, near a word that says so",
        &["uk passport", "british passport", "passport number", "passport no", "passport"],
        &[named("ddddddddd")],
        |value| value.first() != Some(&b'0'),
    ),
    Spec::number(
        "uk-bank-account",
        "ACCOUNT",
        &["financial", "uk"],
        "United Kingdom: sort code and account number, near a word that says so",
        &["sort code", "sort-code", "sortcode", "account number", "account no", "acc no", "a/c"],
        &[named("dd-dd-dd dddddddd"), named("dd-dd-dd")],
        |value| !value.starts_with(b"000000"),
    ),
    Spec::number(
        "ie-pps",
        "PPS",
        &["national-ids", "ie", "eu"],
        "Ireland: personal public service numbers",
        &["pps", "ppsn", "pps number", "pps no", "personal public service", "upsp"],
        &[good("dddddddA"), good("dddddddAA"), good("ddddddd A"), good("ddddddd AA")],
        pps,
    ),
];

/// Weights 10 to 2, modulo 11.
fn nhs(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[10, 9, 8, 7, 6, 5, 4, 3, 2]);
    value.iter().any(|&c| c != b'0') && sum.is_some_and(|sum| (11 - sum % 11) % 11 == check)
}

/// HMRC manual NIM39110.
fn nino(value: &[u8]) -> bool {
    let [first, second, .., suffix] = value else { return false };
    !b"DFIQUV".contains(first)
        && !b"DFIOQUV".contains(second)
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&[*first, *second])
        && (b'A'..=b'D').contains(suffix)
}

/// Five of the name, the date of birth as `YMMDDY` (months of women from 51), two initials, two more and a check.
fn driving_licence(value: &[u8]) -> bool {
    let Some((name, rest)) = value.split_at_checked(5) else { return false };
    let padded = name.iter().position(u8::is_ascii_digit).unwrap_or(5);
    let Some([decade, month, day, year]) = parts(rest, [1, 2, 2, 1]) else { return false };
    let month = if month > 50 { month - 50 } else { month };
    padded > 0
        && name.iter().skip(padded).all(|&c| c == b'9')
        && is_date(1900 + decade * 10 + year, month, day)
        && rest.get(6..8).is_some_and(|initials| initials.iter().all(|c| c.is_ascii_alphabetic() || *c == b'9'))
}

/// Weights 8 to 2 and 9 for a second letter, modulo 23.
fn pps(value: &[u8]) -> bool {
    let Some((digits, letters)) = value.split_at_checked(7) else { return false };
    let Some(sum) = weighted(digits, &[8, 7, 6, 5, 4, 3, 2]) else { return false };
    let worth = |c: u8| u32::from(c.saturating_sub(b'A') + 1);
    let (check, second) = match *letters {
        [check] | [check, b'W'] => (check, 0),
        [check, second] => (check, worth(second)),
        _ => return false,
    };
    let rest = (sum + second * 9) % 23;
    digit(check).is_none() && (if check == b'W' { 0 } else { worth(check) }) == rest
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check("uk-nhs", &["9434765919", "9434765870", "4010232137"], &["9434765918", "0000000000"]);
        check("uk-nino", &["AB123456C", "JG103759A"], &["QQ123456C", "GB123456A", "AB123456E", "AO123456A"]);
        check(
            "uk-driving-licence",
            &["MORGA657054SM9IJ", "MORGA753116SM9IJ"],
            &["MORGA697054SM9IJ", "99999657054SM9IJ"],
        );
        check("ie-pps", &["1234567T", "1234567FA", "6433435F"], &["1234567A", "6433435E", "1234567FB"]);
    }
}
