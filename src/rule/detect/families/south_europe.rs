//! Spain, Portugal, Italy and Greece.

use super::super::catalog::Spec;
use super::super::check::{base36, cross, ddmmyy, digit, last, luhn, number, weighted};
use super::super::shape::{fair, good, sure, weak};

/// Detectors of these countries.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "es-nif",
        "NIF",
        &["national-ids", "es", "eu"],
        "Spain: tax numbers of citizens (NIF, DNI)",
        &["nif", "dni", "d.n.i", "n.i.f", "documento nacional", "identificaci\u{f3}n fiscal", "identificacion fiscal"],
        &[good("ddddddddA"), good("dddddddd-A"), sure("dd.ddd.ddd-A"), fair("dddddddd A")],
        nif,
    ),
    Spec::number(
        "es-nie",
        "NIE",
        &["national-ids", "es", "eu"],
        "Spain: numbers of foreigners (NIE)",
        &["nie", "n.i.e", "n\u{fa}mero de extranjero", "extranjero", "extranjeros"],
        &[good("AdddddddA"), good("A-ddddddd-A"), fair("A ddddddd A"), good("Addddddd-A")],
        nie,
    ),
    Spec::number(
        "es-social-security",
        "SOCIAL-SECURITY",
        &["national-ids", "es", "eu"],
        "Spain: social security numbers",
        &["seguridad social", "afiliaci\u{f3}n", "afiliacion", "nuss", "naf", "n.a.f"],
        &[good("dd/dddddddd/dd"), good("dd dddddddd dd"), fair("dddddddddddd")],
        nuss,
    ),
    Spec::number(
        "pt-nif",
        "NIF",
        &["national-ids", "pt", "eu"],
        "Portugal: tax numbers",
        &[
            "nif",
            "contribuinte",
            "n\u{fa}mero fiscal",
            "numero fiscal",
            "n\u{ba} fiscal",
            "identifica\u{e7}\u{e3}o fiscal",
            "nipc",
        ],
        &[weak("ddddddddd"), weak("ddd ddd ddd")],
        portuguese_nif,
    ),
    Spec::number(
        "pt-citizen-card",
        "CITIZEN-CARD",
        &["national-ids", "pt", "eu"],
        "Portugal: numbers of citizen cards",
        &["cart\u{e3}o de cidad\u{e3}o", "cartao de cidadao", "bilhete de identidade", "citizen card"],
        &[good("dddddddd d AAd"), good("dddddddddAAd"), good("dddddddd dAAd")],
        citizen_card,
    ),
    Spec::number(
        "it-codice-fiscale",
        "CODICE-FISCALE",
        &["national-ids", "it", "eu"],
        "Italy: tax codes",
        &["codice fiscale", "cod. fisc", "cod fiscale", "cod.fisc", "c.f", "cf"],
        &[sure("AAAAAAdXAXXAXXXA"), sure("AAA AAA dXAXX AXXXA")],
        codice_fiscale,
    ),
    Spec::number(
        "it-vat",
        "PARTITA-IVA",
        &["financial", "it", "eu"],
        "Italy: VAT numbers",
        &["partita iva", "p.iva", "p. iva", "p.i", "piva", "p iva", "vat", "iva"],
        &[weak("ddddddddddd")],
        |value| luhn(value) && value.iter().any(|&c| c != b'0'),
    ),
    Spec::number(
        "gr-amka",
        "AMKA",
        &["national-ids", "gr", "eu"],
        "Greece: social security numbers",
        &["amka", "\u{3b1}\u{3bc}\u{3ba}\u{3b1}", "\u{3b1}.\u{3bc}.\u{3ba}.\u{3b1}"],
        &[fair("ddddddddddd"), fair("dddddd ddddd")],
        |value| ddmmyy(value) && luhn(value),
    ),
    Spec::number(
        "gr-afm",
        "AFM",
        &["national-ids", "gr", "eu"],
        "Greece: tax numbers",
        &["afm", "\u{3b1}\u{3c6}\u{3bc}", "\u{3b1}.\u{3c6}.\u{3bc}", "\u{3b4}.\u{3bf}.\u{3c5}"],
        &[weak("ddddddddd")],
        afm,
    ),
];

const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// The letter of the remainder by 23.
fn letter_fits(digits: u64, letter: u8) -> bool {
    usize::try_from(digits % 23).ok().and_then(|rest| LETTERS.get(rest)) == Some(&letter)
}

fn nif(value: &[u8]) -> bool {
    let Some((&letter, digits)) = value.split_last() else { return false };
    number(digits).is_some_and(|digits| digits > 0 && letter_fits(digits, letter))
}

/// X, Y and Z stand for 0, 1 and 2.
fn nie(value: &[u8]) -> bool {
    let [first @ b'X'..=b'Z', digits @ .., letter] = value else { return false };
    number(digits).is_some_and(|digits| letter_fits(u64::from(first - b'X') * 10_000_000 + digits, *letter))
}

/// Province, serial, remainder by 97. A short serial goes without its leading zeros.
fn nuss(value: &[u8]) -> bool {
    let (Some(province), Some(serial), Some(check)) =
        (value.get(..2).and_then(number), value.get(2..10).and_then(number), value.get(10..).and_then(number))
    else {
        return false;
    };
    let whole = if serial < 10_000_000 { province * 10_000_000 + serial } else { province * 100_000_000 + serial };
    matches!(province, 1..=53 | 66) && whole % 97 == check
}

fn portuguese_nif(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[9, 8, 7, 6, 5, 4, 3, 2]).unwrap_or_default() % 11;
    !matches!(value.first(), Some(b'0' | b'4')) && (if sum < 2 { 0 } else { 11 - sum }) == check
}

/// Luhn over digits and letters, A = 10.
fn citizen_card(value: &[u8]) -> bool {
    let worth = |(place, &c): (usize, &u8)| {
        let worth = base36(c)?;
        Some(if place % 2 == 0 {
            worth
        } else if worth * 2 > 9 {
            worth * 2 - 9
        } else {
            worth * 2
        })
    };
    let sum: Option<u32> = value.iter().rev().enumerate().map(worth).sum();
    sum.is_some_and(|sum| sum.is_multiple_of(10))
}

/// Decreto ministeriale 23 December 1976: odd places by a table, even ones as they are; letters L to V may stand for
/// digits where two people would share a code.
fn codice_fiscale(value: &[u8]) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    const DIGITS: &[usize] = &[6, 7, 9, 10, 12, 13, 14];
    let Some((&check, rest)) = value.split_last() else { return false };
    let is_digit = |c: u8| c.is_ascii_digit() || b"LMNPQRSTUV".contains(&c);
    if !value.get(8).is_some_and(|month| b"ABCDEHLMPRST".contains(month))
        || !DIGITS.iter().all(|&place| value.get(place).is_some_and(|&c| is_digit(c)))
    {
        return false;
    }
    let plain = |c: u8| b"LMNPQRSTUV".iter().position(|&l| l == c).map_or(digit(c), |d| u32::try_from(d).ok());
    let day = plain(value.get(9).copied().unwrap_or_default())
        .zip(plain(value.get(10).copied().unwrap_or_default()))
        .map_or(0, |(tens, ones)| tens * 10 + ones);
    let sum: Option<u32> = rest
        .iter()
        .enumerate()
        .map(|(place, &c)| {
            let worth = digit(c).unwrap_or_else(|| u32::from(c.saturating_sub(b'A')));
            if place % 2 == 0 { ODD.get(worth as usize).copied() } else { Some(worth) }
        })
        .sum();
    matches!(day, 1..=31 | 41..=71) && sum.is_some_and(|sum| sum % 26 == u32::from(check.saturating_sub(b'A')))
}

/// Powers of two, modulo 11, modulo 10.
fn afm(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[256, 128, 64, 32, 16, 8, 4, 2]).unwrap_or_default();
    sum > 0 && sum % 11 % 10 == check && cross(check) < 10
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check("es-nif", &["12345678Z", "54362315K"], &["12345678A", "00000000T"]);
        check("es-nie", &["X1234567L", "X2482300W", "Y0000001S"], &["X1234567A", "W1234567L"]);
        check("es-social-security", &["281234567840"], &["281234567841", "991234567840"]);
        check("pt-nif", &["123456789", "501964843"], &["123456780", "423456789"]);
        check("pt-citizen-card", &["000000000ZZ4"], &["000000000ZZ5"]);
        check(
            "it-codice-fiscale",
            &["RSSMRA85T10A562S", "RCCMNL83S18D969H", "RSSMRA85T10A56NH"],
            &["RSSMRA85T10A562T", "RSSMRA85F10A562S"],
        );
        check("it-vat", &["00743110157"], &["00743110158", "00000000000"]);
        check("gr-amka", &["01013099997"], &["01013099998", "32013099997"]);
        check("gr-afm", &["023456780", "094259216"], &["123456781", "000000000"]);
    }
}
