//! India, China, Hong Kong, Taiwan, Singapore, Malaysia, South Korea, Japan and Thailand.

use super::super::catalog::Spec;
use super::super::check::{base36, digit, last, mod11_2, number, verhoeff, weighted, yymmdd, yyyymmdd};
use super::super::shape::{fair, good, named, sure, weak};

/// Detectors of these countries.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "in-aadhaar",
        "AADHAAR",
        &["national-ids", "in"],
        "India: Aadhaar numbers",
        &["aadhaar", "aadhar", "adhaar", "adhar", "uidai", "uid", "\u{906}\u{927}\u{93e}\u{930}"],
        &[fair("dddd dddd dddd"), weak("dddddddddddd")],
        aadhaar,
    ),
    Spec::number(
        "in-pan",
        "PAN",
        &["national-ids", "in"],
        "India: permanent account numbers",
        &["pan", "pan no", "pan card", "permanent account", "income tax"],
        &[good("AAAAAddddA")],
        pan,
    ),
    Spec::number(
        "in-gstin",
        "GSTIN",
        &["financial", "in"],
        "India: goods and services tax numbers",
        &["gstin", "gst", "gst no", "gst number"],
        &[sure("ddAAAAAddddAXZX")],
        gstin,
    ),
    Spec::number(
        "cn-resident-id",
        "RESIDENT-ID",
        &["national-ids", "cn"],
        "China: resident identity numbers",
        &["\u{8eab}\u{4efd}\u{8bc1}", "\u{8eab}\u{4efd}\u{8b49}", "resident id", "identity card", "id card"],
        &[sure("dddddddddddddddddX"), sure("dddddd dddddddd dddX")],
        resident_id,
    ),
    Spec::number(
        "hk-hkid",
        "HKID",
        &["national-ids", "hk"],
        "Hong Kong: identity card numbers",
        &[
            "hkid",
            "hk id",
            "hong kong id",
            "identity card",
            "\u{8eab}\u{4efd}\u{8b49}",
            "\u{8eab}\u{4efd}\u{8bc1}",
            "id card",
        ],
        &[sure("Adddddd(X)"), sure("AAdddddd(X)"), weak("AddddddX"), weak("AAddddddX")],
        hkid,
    ),
    Spec::number(
        "tw-national-id",
        "NATIONAL-ID",
        &["national-ids", "tw"],
        "Taiwan: national identification and resident numbers",
        &[
            "\u{8eab}\u{5206}\u{8b49}",
            "\u{8eab}\u{5206}\u{8b49}\u{5b57}\u{865f}",
            "\u{7d71}\u{4e00}\u{8b49}\u{865f}",
            "national id",
            "taiwan id",
            "id number",
        ],
        &[fair("Addddddddd")],
        taiwanese,
    ),
    Spec::number(
        "sg-nric",
        "NRIC",
        &["national-ids", "sg"],
        "Singapore: NRIC and FIN numbers",
        &["nric", "fin", "nric/fin", "ic no", "ic number", "identity card"],
        &[good("AdddddddA")],
        nric,
    ),
    Spec::number(
        "my-mykad",
        "MYKAD",
        &["national-ids", "my"],
        "Malaysia: identity card numbers",
        &["mykad", "nric", "ic no", "no. kp", "no kp", "kad pengenalan", "ic number", "identity card"],
        &[good("dddddd-dd-dddd"), named("dddddddddddd")],
        mykad,
    ),
    Spec::number(
        "kr-rrn",
        "RRN",
        &["national-ids", "kr"],
        "South Korea: resident registration numbers",
        &[
            "\u{c8fc}\u{bbfc}\u{b4f1}\u{b85d}\u{bc88}\u{d638}",
            "\u{c8fc}\u{bbfc}\u{bc88}\u{d638}",
            "rrn",
            "resident registration",
            "\u{c678}\u{ad6d}\u{c778}\u{b4f1}\u{b85d}\u{bc88}\u{d638}",
        ],
        &[good("dddddd-ddddddd"), fair("ddddddddddddd")],
        rrn,
    ),
    Spec::number(
        "jp-my-number",
        "MY-NUMBER",
        &["national-ids", "jp"],
        "Japan: individual numbers",
        &[
            "\u{30de}\u{30a4}\u{30ca}\u{30f3}\u{30d0}\u{30fc}",
            "\u{500b}\u{4eba}\u{756a}\u{53f7}",
            "my number",
            "mynumber",
            "individual number",
        ],
        &[fair("dddd dddd dddd"), weak("dddddddddddd")],
        my_number,
    ),
    Spec::number(
        "th-citizen-id",
        "CITIZEN-ID",
        &["national-ids", "th"],
        "Thailand: citizen identification numbers",
        &[
            "\u{e1a}\u{e31}\u{e15}\u{e23}\u{e1b}\u{e23}\u{e30}\u{e0a}\u{e32}\u{e0a}\u{e19}",
            "\u{e40}\u{e25}\u{e02}\u{e1b}\u{e23}\u{e30}\u{e08}\u{e33}\u{e15}\u{e31}\u{e27}",
            "citizen id",
            "thai id",
            "national id",
        ],
        &[sure("d dddd ddddd dd d"), fair("ddddddddddddd")],
        thai,
    ),
];

/// Verhoeff; the first is 2 or more, and it does not read the same backwards (UIDAI).
fn aadhaar(value: &[u8]) -> bool {
    let palindrome = value.iter().eq(value.iter().rev());
    value.first().is_some_and(|&c| c >= b'2') && !palindrome && verhoeff(value)
}

/// The fourth letter says what sort of taxpayer.
fn pan(value: &[u8]) -> bool {
    value.get(3).is_some_and(|kind| b"ABCEFGHJLPTK".contains(kind)) && value.get(5..9) != Some(b"0000")
}

/// State, PAN, entity, Z, a character by modulus 36 with weights 1 and 2.
fn gstin(value: &[u8]) -> bool {
    let Some((&check, rest)) = value.split_last() else { return false };
    let state = value.get(..2).and_then(number).unwrap_or_default();
    let sum: Option<u32> = rest
        .iter()
        .zip([1u32, 2].iter().cycle())
        .map(|(&c, weight)| {
            let product = base36(c)? * weight;
            Some(product / 36 + product % 36)
        })
        .sum();
    matches!(state, 1..=38 | 97 | 99)
        && value.get(13) == Some(&b'Z')
        && value.get(2..12).is_some_and(pan)
        && sum.map(|sum| (36 - sum % 36) % 36) == base36(check)
}

/// Region, date of birth, serial, ISO 7064 MOD 11-2 (GB 11643).
fn resident_id(value: &[u8]) -> bool {
    let region = value.get(..2).and_then(number).unwrap_or_default();
    matches!(region, 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83)
        && value.get(6..).is_some_and(yyyymmdd)
        && mod11_2(value)
}

/// Letters count from A = 10, a blank before a single one 36; weights 9 to 1, modulo 11, A is 10.
fn hkid(value: &[u8]) -> bool {
    let letters = value.iter().take_while(|c| c.is_ascii_alphabetic()).count();
    let Some((&check, rest)) = value.split_last() else { return false };
    let head = if letters == 1 { Some(36) } else { None };
    let worths = head.map(Some).into_iter().chain(rest.iter().map(|&c| base36(c)));
    let sum: Option<u32> = worths.zip((2..=9).rev()).map(|(worth, weight)| Some(worth? * weight)).sum();
    let check = if check == b'A' { Some(10) } else { digit(check) };
    sum.zip(check).is_some_and(|(sum, check)| (sum + check).is_multiple_of(11))
}

/// The letter as two digits, then weights 8 to 1; the second character says which sex.
fn taiwanese(value: &[u8]) -> bool {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let [letter, rest @ ..] = value else { return false };
    let Some(place) = LETTERS.iter().position(|l| l == letter).and_then(|place| u32::try_from(place).ok()) else {
        return false;
    };
    let letter = place + 10;
    let sum = weighted(rest, &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(rest.first(), Some(b'1' | b'2' | b'8' | b'9'))
        && sum.is_some_and(|sum| (letter / 10 + letter % 10 * 9 + sum).is_multiple_of(10))
}

/// Weights 2, 7, 6, 5, 4, 3, 2 and the letters of each series.
fn nric(value: &[u8]) -> bool {
    let [series, digits @ .., letter] = value else { return false };
    let Some(sum) = weighted(digits, &[2, 7, 6, 5, 4, 3, 2]) else { return false };
    let (offset, letters): (u32, &[u8]) = match series {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    letters.get(((sum + offset) % 11) as usize) == Some(letter)
}

/// Date of birth and place of birth; there is no check digit.
fn mykad(value: &[u8]) -> bool {
    let place = value.get(6..8).and_then(number).unwrap_or_default();
    yymmdd(value) && matches!(place, 1..=16 | 21..=59 | 60..=68 | 71 | 72 | 74..=79 | 82..=93 | 98 | 99)
}

/// Date of birth, sex and century, serial, a digit by modulus 11. Those given out since October 2020 have none.
fn rrn(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]).unwrap_or_default();
    let sex = value.get(6).and_then(|&c| digit(c)).unwrap_or_default();
    // Foreigners' numbers add two.
    let offset = if matches!(sex, 5..=8) { 13 } else { 11 };
    yymmdd(value) && (offset - sum % 11) % 10 == check
}

/// Weights 6 to 2, 7 to 2, modulo 11.
fn my_number(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]).unwrap_or_default() % 11;
    !super::super::check::is_one_character(value) && (if sum <= 1 { 0 } else { 11 - sum }) == check
}

/// Weights 13 to 2, modulo 11.
fn thai(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]).unwrap_or_default();
    matches!(value.first(), Some(b'1'..=b'8')) && (11 - sum % 11) % 10 == check
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check("in-aadhaar", &["234123412346"], &["234123412347", "134123412346"]);
        check("in-pan", &["ACUPA7085R"], &["ACUDA7085R", "ACUPA0000R"]);
        check("in-gstin", &["27AAPFU0939F1ZV"], &["27AAPFU0939F1ZO", "00AAPFU0939F1ZV"]);
        check(
            "cn-resident-id",
            &["11010519491231002X", "440524188001010014"],
            &["110105194912310020", "11010519491331002X"],
        );
        check("hk-hkid", &["A1234563", "G123456A", "L5555550", "AB9876543"], &["A1234564", "G1234561"]);
        check("tw-national-id", &["A123456789"], &["A123456788", "A323456789"]);
        check("sg-nric", &["S1234567D", "G1234567X", "F1234567N", "T1234567J"], &["S1234567A", "A1234567D"]);
        check("kr-rrn", &["9710139019902"], &["9710139019903", "9713139019902"]);
        check("jp-my-number", &["123456789018"], &["123456789019", "000000000000"]);
        check("th-citizen-id", &["1234545678781"], &["1234545678782"]);
        check("my-mykad", &["770305021234"], &["771305021234", "770305001234"]);
    }
}
