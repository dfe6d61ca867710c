//! Germany, Austria and Switzerland.

use super::super::catalog::Spec;
use super::super::check::{cross, ddmmyy, digit, icao, is_date, last, mod11_10, parts, weighted};
use super::super::shape::{fair, good, named, sure};

/// Detectors of these countries.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "de-tax-id",
        "TAX-ID",
        &["national-ids", "de", "eu"],
        "Germany: tax identification numbers",
        &[
            "steuer-id",
            "steuerid",
            "steuer id",
            "steuer-identifikationsnummer",
            "steueridentifikationsnummer",
            "steuerliche identifikationsnummer",
            "identifikationsnummer",
            "idnr",
            "id-nr",
            "tax id",
            "tin",
        ],
        &[good("dd ddd ddd ddd"), fair("ddddddddddd")],
        tax_id,
    ),
    Spec::number(
        "de-id-card",
        "ID-CARD",
        &["national-ids", "de", "eu"],
        "Germany: numbers of identity cards",
        &[
            "personalausweis",
            "ausweisnummer",
            "ausweis",
            "ausweis-nr",
            "personalausweisnummer",
            "identity card",
            "id card",
        ],
        &[fair("AXXXXXXXXd"), named("AXXXXXXXX")],
        |value| document(value, b"LMNPRTVWXY"),
    ),
    Spec::number(
        "de-passport",
        "PASSPORT",
        &["national-ids", "de", "eu"],
        "Germany: passport numbers",
        &["reisepass", "passnummer", "pass-nr", "reisepassnummer", "passport", "german passport"],
        &[fair("AXXXXXXXXd"), named("AXXXXXXXX")],
        |value| document(value, b"CFGHJK"),
    ),
    Spec::number(
        "de-social-insurance",
        "SOCIAL-INSURANCE",
        &["national-ids", "de", "eu"],
        "Germany: pension insurance numbers",
        &[
            "sozialversicherungsnummer",
            "rentenversicherungsnummer",
            "versicherungsnummer",
            "sv-nummer",
            "svnr",
            "sv-nr",
            "rvnr",
            "rv-nummer",
            "sozialversicherung",
        ],
        &[sure("dd dddddd A ddd"), good("ddddddddAddd")],
        social_insurance,
    ),
    Spec::number(
        "de-health-insurance",
        "HEALTH-INSURANCE",
        &["health", "de", "eu"],
        "Germany: numbers of the health insured",
        &["krankenversichertennummer", "versichertennummer", "krankenkasse", "kvnr", "krankenversicherung", "egk"],
        &[fair("Addddddddd")],
        health_insurance,
    ),
    Spec::number(
        "at-social-insurance",
        "SOCIAL-INSURANCE",
        &["national-ids", "at", "eu"],
        "Austria: social insurance numbers",
        &[
            "sozialversicherungsnummer",
            "svnr",
            "sv-nummer",
            "sv-nr",
            "versicherungsnummer",
            "e-card",
            "sozialversicherung",
        ],
        &[fair("dddd dddddd"), fair("dddd dd dd dd"), fair("dddddddddd")],
        svnr,
    ),
    Spec::number(
        "ch-ahv",
        "AHV",
        &["national-ids", "ch"],
        "Switzerland: old-age insurance numbers",
        &["ahv", "avs", "ahv-nummer", "ahv-nr", "sozialversicherungsnummer", "num\u{e9}ro avs", "numero avs", "ahvn13"],
        &[sure("ddd.dddd.dddd.dd"), sure("ddd dddd dddd dd"), good("ddddddddddddd")],
        ahv,
    ),
];

/// ISO 7064 MOD 11,10; of the first ten digits one occurs two or three times, the others once or not at all.
fn tax_id(value: &[u8]) -> bool {
    let mut counts = [0u8; 10];
    for &c in value.iter().take(10) {
        if let Some(count) = digit(c).and_then(|d| counts.get_mut(d as usize)) {
            *count += 1;
        }
    }
    let repeated = counts.iter().filter(|&&count| count > 1).count();
    value.first() != Some(&b'0') && repeated == 1 && counts.iter().all(|&count| count <= 3) && mod11_10(value)
}

/// Consonants and digits; a tenth character is the check digit of ICAO 9303.
fn document(value: &[u8], first: &[u8]) -> bool {
    let allowed = |c: &u8| b"0123456789CFGHJKLMNPRTVWXYZ".contains(c);
    let Some((number, check)) = value.split_at_checked(9) else { return false };
    value.first().is_some_and(|c| first.contains(c))
        && number.iter().all(allowed)
        && number.iter().filter(|c| c.is_ascii_digit()).count() >= 2
        && check.first().is_none_or(|&c| icao(number) == digit(c))
}

/// Area, date of birth, the letter as two digits, serial, check digit (§ 2 VKVV).
fn social_insurance(value: &[u8]) -> bool {
    let (Some((check, rest)), Some([_, day, month, _])) = (last(value), parts(value, [2, 2, 2, 2])) else {
        return false;
    };
    let (Some(head), Some(&letter), Some(serial)) = (rest.get(..8), rest.get(8), rest.get(9..11)) else { return false };
    let letter = u32::from(letter.saturating_sub(b'A') + 1);
    let digits = head.iter().map(|&c| digit(c)).chain([Some(letter / 10), Some(letter % 10)]);
    let digits = digits.chain(serial.iter().map(|&c| digit(c)));
    let sum: Option<u32> = digits.zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]).map(|(d, w)| Some(cross(d? * w))).sum();
    // The day may be raised where two share a date of birth and a name.
    is_date(2000, month, if day > 31 { day.saturating_sub(50) } else { day })
        && sum.is_some_and(|sum| sum % 10 == check)
}

/// The letter as two digits, weights 1 and 2 by turns with cross sums (§ 290 SGB V).
fn health_insurance(value: &[u8]) -> bool {
    let Some((check, [letter, rest @ ..])) = last(value) else { return false };
    let letter = u32::from(letter.saturating_sub(b'A') + 1);
    let digits = [Some(letter / 10), Some(letter % 10)].into_iter().chain(rest.iter().map(|&c| digit(c)));
    let sum: Option<u32> = digits.zip([1, 2].into_iter().cycle()).map(|(d, w)| Some(cross(d? * w))).sum();
    sum.is_some_and(|sum| sum % 10 == check)
}

/// Serial, check digit, date of birth; modulo 11. The 13th and later months stand for dates that are not known.
fn svnr(value: &[u8]) -> bool {
    let Some([serial, check, day, month, _]) = parts(value, [3, 1, 2, 2, 2]) else { return false };
    let sum = weighted(value, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]);
    serial >= 100
        && (ddmmyy(value.get(4..).unwrap_or_default()) || (matches!(month, 13..=15) && matches!(day, 1..=31)))
        && sum.is_some_and(|sum| u64::from(sum % 11) == check)
}

/// The country 756, and the check digit of EAN-13.
fn ahv(value: &[u8]) -> bool {
    value.starts_with(b"756")
        && weighted(value, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_some_and(|sum| sum.is_multiple_of(10))
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check(
            "de-tax-id",
            &["86095742719", "47036892816", "65929970489"],
            &["86095742718", "12345678903", "01234567899"],
        );
        check("de-id-card", &["T220001293", "L01X00T471", "T22000129"], &["T220001294", "A220001293", "L01X00T472"]);
        check("de-passport", &["C01X00T478", "C01X00T47"], &["C01X00T479", "B01X00T47"]);
        check("de-social-insurance", &["15070649C103"], &["15070649C104", "15071449C103"]);
        check("de-health-insurance", &["A123456780"], &["A123456781"]);
        check("at-social-insurance", &["1237010180"], &["1238010180", "1237320180"]);
        check("ch-ahv", &["7569217076985"], &["7569217076984", "7559217076985"]);
    }
}
