//! The United States.

use super::super::catalog::Spec;
use super::super::check::{digit, last, luhn_sum, number, parts, weighted};
use super::super::shape::{good, named, sure, weak};

/// Detectors of this country.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "ssn",
        "SSN",
        &["national-ids", "us"],
        "United States: social security numbers",
        &[
            "ssn",
            "ssns",
            "ssn#",
            "ss#",
            "ss #",
            "ssid",
            "social security",
            "social-security",
            "socialsecurity",
            "soc sec",
            "soc. sec",
            "social sec",
            "ss no",
            "ss number",
        ],
        &[sure("ddd dd dddd"), named("ddddddddd")],
        ssn,
    ),
    Spec::number(
        "us-itin",
        "ITIN",
        &["national-ids", "us"],
        "United States: individual taxpayer numbers",
        &["itin", "itins", "individual taxpayer", "taxpayer id", "taxpayer identification", "tax id", "tin"],
        &[good("ddd dd dddd"), named("ddddddddd")],
        itin,
    ),
    Spec::number(
        "us-ein",
        "EIN",
        &["us", "financial"],
        "United States: employer numbers, near a word that says so",
        &["ein", "fein", "employer identification", "federal tax id", "tax id", "tin"],
        &[named("dd-ddddddd")],
        ein,
    ),
    Spec::number(
        "us-aba",
        "ROUTING",
        &["financial", "us"],
        "United States: ABA routing numbers",
        &["aba", "routing", "routing number", "routing no", "rtn", "routing transit", "transit number", "wire", "ach"],
        &[weak("ddddddddd"), weak("dddd dddd d")],
        aba,
    ),
    Spec::number(
        "us-bank-account",
        "ACCOUNT",
        &["financial", "us"],
        "United States: bank account numbers, near a word that says so",
        &[
            "bank account",
            "checking account",
            "savings account",
            "account and routing",
            "deposit account",
            "bank acct",
            "checking acct",
            "savings acct",
            "direct deposit",
        ],
        &[
            named("dddddddd"),
            named("ddddddddd"),
            named("dddddddddd"),
            named("ddddddddddd"),
            named("dddddddddddd"),
            named("ddddddddddddd"),
        ],
        |value| !super::super::check::is_one_character(value),
    ),
    Spec::number(
        "us-npi",
        "NPI",
        &["health", "us"],
        "United States: national provider identifiers",
        &["npi", "npis", "national provider", "provider identifier", "provider id", "provider number"],
        &[weak("dddddddddd")],
        npi,
    ),
    Spec::number(
        "us-dea",
        "DEA",
        &["health", "us"],
        "United States: DEA registration numbers",
        &["dea", "dea#", "dea number", "dea no", "dea registration", "drug enforcement", "prescriber"],
        &[weak("AAddddddd")],
        dea,
    ),
    Spec::number(
        "us-mbi",
        "MBI",
        &["health", "us"],
        "United States: Medicare beneficiary identifiers",
        &["mbi", "medicare", "beneficiary", "medicare number", "medicare id"],
        &[good("dAXd-AXd-AAdd"), named("dAXdAXdAAdd")],
        mbi,
    ),
    Spec::number(
        "us-passport",
        "PASSPORT",
        &["national-ids", "us"],
        "United States: passport numbers, near a word that says so",
        &["us passport", "u.s. passport", "passport number", "passport no", "passport card", "passport"],
        &[named("Adddddddd"), named("ddddddddd")],
        |value| value.first().is_some_and(|c| c.is_ascii_alphabetic() || (b'1'..=b'7').contains(c)),
    ),
    Spec::number(
        "us-driver-license",
        "LICENSE",
        &["national-ids", "us"],
        "United States: driver's licence numbers of the larger states, near a word that says so",
        &[
            "driver license",
            "drivers license",
            "driver's license",
            "driver\u{2019}s license",
            "driving license",
            "license number",
            "dl number",
            "dl#",
            "dl no",
            "driver's licence",
        ],
        &[
            named("Addddddd"),
            named("Adddddddd"),
            named("ddddddddd"),
            named("dddddddd"),
            named("Adddddddddddd"),
            named("Addd dddd dddd"),
            named("Addd ddd dd ddd d"),
            named("AAdddddd"),
            named("ddd ddd ddd"),
        ],
        |value| !super::super::check::is_one_character(value),
    ),
];

/// SSA: the areas that may have been given out (randomised since 2011), without those printed in advertisements. There is
/// no check digit.
fn ssn(value: &[u8]) -> bool {
    let Some([area, group, serial]) = parts(value, [3, 2, 4]) else { return false };
    let sample = matches!((area, group, serial), (78, 5, 1120) | (219, 9, 9999));
    !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0 && !sample
}

/// IRS: 9xx, and the groups in use.
fn itin(value: &[u8]) -> bool {
    let Some([area, group, serial]) = parts(value, [3, 2, 4]) else { return false };
    area >= 900 && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99) && serial != 0
}

/// IRS: the prefixes of campuses.
fn ein(value: &[u8]) -> bool {
    let prefix = value.get(..2).and_then(number).unwrap_or_default();
    !matches!(prefix, 0 | 7..=9 | 17..=19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97)
}

/// Weights 3, 7, 1, and the prefixes of Federal Reserve banks, thrifts, electronic transactions and cheques.
fn aba(value: &[u8]) -> bool {
    let prefix = value.get(..2).and_then(number).unwrap_or(99);
    weighted(value, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_some_and(|sum| sum > 0 && sum.is_multiple_of(10))
        && matches!(prefix, 0..=12 | 21..=32 | 61..=72 | 80)
}

/// 45 CFR 162.406: Luhn with 80840 before it, which adds 24. Begins with 1 or 2.
fn npi(value: &[u8]) -> bool {
    matches!(value.first(), Some(b'1' | b'2')) && luhn_sum(value).is_some_and(|sum| (sum + 24).is_multiple_of(10))
}

/// The sum of the first, third and fifth and twice the others; its last digit is the seventh.
fn dea(value: &[u8]) -> bool {
    let [first, _, digits @ ..] = value else { return false };
    let Some((check, rest)) = last(digits) else { return false };
    b"ABCDEFGHJKLMPRSTUX".contains(first)
        && weighted(rest, &[1, 2, 1, 2, 1, 2]).is_some_and(|sum| sum > 0 && sum % 10 == check)
}

/// CMS: the class of each position; S, L, O, I, B and Z do not occur.
fn mbi(value: &[u8]) -> bool {
    let fits = |(place, &c): (usize, &u8)| match place {
        0 => (b'1'..=b'9').contains(&c),
        1 | 4 | 7 | 8 => c.is_ascii_alphabetic() && !b"SLOIBZ".contains(&c),
        2 | 5 => !b"SLOIBZ".contains(&c),
        _ => digit(c).is_some(),
    };
    value.len() == 11 && value.iter().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check(
            "ssn",
            &["001010001", "123456789", "665999999", "899010001", "772100001"],
            &["000456789", "666456789", "900456789", "987654320", "123006789", "123450000", "078051120", "219099999"],
        );
        check(
            "us-itin",
            &["912701234", "900500001", "999999999"],
            &["912691234", "912661234", "812701234", "912930001"],
        );
        check(
            "us-aba",
            &["021000021", "011401533", "091000019", "121000358"],
            &["021000022", "000000000", "991000019"],
        );
        check("us-npi", &["1234567893", "1245319599"], &["1234567890", "3234567899"]);
        check("us-dea", &["AB1234563"], &["AB1234562", "IB1234563"]);
        check("us-mbi", &["1EG4TE5MK73", "1EG4TE5MK72"], &["0EG4TE5MK73", "1SG4TE5MK73", "1EG4TE5MKB3"]);
        check("us-ein", &["121234567"], &["001234567", "891234567"]);
    }
}
