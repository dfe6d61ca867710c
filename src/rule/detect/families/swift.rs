//! SWIFT codes (BIC, ISO 9362): eight or eleven characters behind a word that says so.

use std::ops::Range;

use super::super::Confidence;
use super::super::catalog::{Find, Spec};
use super::super::literals::run;

/// The detector.
pub const SPEC: Spec = Spec {
    name: "swift",
    label: "SWIFT",
    groups: &["financial"],
    doc: "SWIFT codes (BIC) behind a word that says so",
    keywords: &[],
    find: Find::Led { literals: &["swift", "bic"], exact: false, read },
};

/// ISO 3166-1 alpha-2, and XK for Kosovo.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO \
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE \
    KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW \
    MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE \
    SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE \
    VG VI VN VU WF WS YE YT ZA ZM ZW XK";

/// Words and signs between the word and the code: `SWIFT/BIC code:`.
const MAX_BETWEEN: usize = 24;

fn read(bytes: &[u8], at: Range<usize>) -> Option<(Range<usize>, Option<Confidence>, Confidence)> {
    let before = at.start.checked_sub(1).and_then(|at| bytes.get(at));
    if before.is_some_and(u8::is_ascii_alphabetic) || bytes.get(at.end).is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let mut from = at.end;
    loop {
        from += run(bytes, from, 8, |b| b" \t\r\n:=#.-/()".contains(&b));
        let length = run(bytes, from, 12, |b| b.is_ascii_alphanumeric());
        let word = bytes.get(from..from + length)?;
        let goes_on =
            [&b"code"[..], b"codes", b"bic", b"swift", b"no", b"nr", b"number", b"is", b"address", b"adresse", b"id"];
        if !goes_on.iter().any(|known| word.eq_ignore_ascii_case(known)) {
            let range = from..from + length;
            return (is_code(word)).then_some((range, Some(Confidence::High), Confidence::High));
        }
        from += length;
        if from > at.end + MAX_BETWEEN {
            return None;
        }
    }
}

/// Institution, country, location, perhaps a branch.
fn is_code(word: &[u8]) -> bool {
    let (Some(bank), Some(country), Some(rest)) = (word.get(..4), word.get(4..6), word.get(6..)) else { return false };
    let upper = word.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let known =
        std::str::from_utf8(country).is_ok_and(|code| COUNTRIES.split_ascii_whitespace().any(|known| known == code));
    upper && known && bank.iter().all(u8::is_ascii_alphabetic) && matches!(rest.len(), 2 | 5)
}
