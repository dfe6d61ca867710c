//! Poland, Czechia, Slovakia, Hungary, Romania, Bulgaria, Croatia, Slovenia and Türkiye.

use super::super::catalog::Spec;
use super::super::check::{digit, is_date, last, mod11_10, number, parts, weighted};
use super::super::shape::{fair, good, weak};

/// Detectors of these countries.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "pl-pesel",
        "PESEL",
        &["national-ids", "pl", "eu"],
        "Poland: personal numbers",
        &["pesel", "numer pesel", "nr pesel"],
        &[fair("ddddddddddd")],
        pesel,
    ),
    Spec::number(
        "pl-nip",
        "NIP",
        &["national-ids", "pl", "eu"],
        "Poland: tax numbers",
        &["nip", "n.i.p", "numer identyfikacji podatkowej", "tax id", "vat"],
        &[good("ddd-ddd-dd-dd"), good("ddd-dd-dd-ddd"), weak("dddddddddd")],
        nip,
    ),
    Spec::number(
        "cz-rodne-cislo",
        "RODNE-CISLO",
        &["national-ids", "cz", "sk", "eu"],
        "Czechia and Slovakia: birth numbers",
        &[
            "rodn\u{e9} \u{10d}\u{ed}slo",
            "rodne cislo",
            "rodn\u{e9} \u{10d}.",
            "r.\u{10d}",
            "r\u{10d}",
            "r.c",
            "birth number",
        ],
        &[good("dddddd/dddd"), weak("dddddddddd")],
        rodne_cislo,
    ),
    Spec::number(
        "hu-tax-id",
        "TAX-ID",
        &["national-ids", "hu", "eu"],
        "Hungary: tax identification numbers",
        &["ad\u{f3}azonos\u{ed}t\u{f3}", "adoazonosito", "ad\u{f3}azonos\u{ed}t\u{f3} jel", "tax id"],
        &[weak("dddddddddd")],
        hungarian_tax_id,
    ),
    Spec::number(
        "ro-cnp",
        "CNP",
        &["national-ids", "ro", "eu"],
        "Romania: personal numeric codes",
        &["cnp", "cod numeric personal", "codul numeric personal"],
        &[fair("ddddddddddddd")],
        cnp,
    ),
    Spec::number(
        "bg-egn",
        "EGN",
        &["national-ids", "bg", "eu"],
        "Bulgaria: uniform civil numbers",
        &[
            "egn",
            "\u{435}\u{433}\u{43d}",
            "\u{435}\u{434}\u{438}\u{43d}\u{435}\u{43d} \u{433}\u{440}\u{430}\u{436}\u{434}\u{430}\u{43d}\u{441}\u{43a}\u{438}",
        ],
        &[fair("dddddddddd")],
        egn,
    ),
    Spec::number(
        "hr-oib",
        "OIB",
        &["national-ids", "hr", "eu"],
        "Croatia: personal identification numbers",
        &["oib", "osobni identifikacijski", "identifikacijski broj"],
        &[weak("ddddddddddd")],
        mod11_10,
    ),
    Spec::number(
        "si-emso",
        "EMSO",
        &["national-ids", "si", "eu"],
        "Slovenia and its neighbours: unique master citizen numbers (EM\u{160}O, JMBG)",
        &["emso", "em\u{161}o", "jmbg", "mati\u{10d}na \u{161}tevilka", "mati\u{10d}ni broj", "maticni broj"],
        &[fair("ddddddddddddd")],
        emso,
    ),
    Spec::number(
        "tr-tckn",
        "TCKN",
        &["national-ids", "tr"],
        "T\u{fc}rkiye: identification numbers",
        &[
            "tckn",
            "tc kimlik",
            "t.c. kimlik",
            "t.c kimlik",
            "kimlik no",
            "kimlik numaras\u{131}",
            "kimlik numarasi",
            "tc no",
            "t.c. no",
        ],
        &[fair("ddddddddddd")],
        tckn,
    ),
];

/// Date of birth with the century in the month; weights 1, 3, 7, 9.
fn pesel(value: &[u8]) -> bool {
    let Some([year, month, day]) = parts(value, [2, 2, 2]) else { return false };
    let sum = weighted(value, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    is_date(2000 + year, month % 20, day) && sum.is_some_and(|sum| sum.is_multiple_of(10))
}

fn nip(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[6, 5, 7, 2, 3, 4, 5, 6, 7]).unwrap_or_default();
    sum > 0 && sum % 11 == check && !value.starts_with(b"00")
}

/// Date of birth (months of women raised by 50, and by 20 more where serials ran out); divisible by 11, but
/// that the check digit is 0 for a remainder of 10 in some that were given out before 1986.
fn rodne_cislo(value: &[u8]) -> bool {
    let Some([year, month, day]) = parts(value, [2, 2, 2]) else { return false };
    let month = match month {
        71..=82 => month - 70,
        51..=62 => month - 50,
        21..=32 => month - 20,
        month => month,
    };
    is_date(2000 + year, month, day)
        && number(value).is_some_and(|number| number.is_multiple_of(11) || (number % 10 == 0 && number / 10 % 11 == 10))
}

/// An 8, days since 1867, serial, a digit by modulus 11.
fn hungarian_tax_id(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    value.starts_with(b"8") && weighted(rest, &[1, 2, 3, 4, 5, 6, 7, 8, 9]).is_some_and(|sum| sum % 11 == check)
}

/// Sex and century, date of birth, county, serial, a digit by modulus 11.
fn cnp(value: &[u8]) -> bool {
    let (Some((check, rest)), Some([first, year, month, day, county])) = (last(value), parts(value, [1, 2, 2, 2, 2]))
    else {
        return false;
    };
    let sum = weighted(rest, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]).unwrap_or_default() % 11;
    (1..=9).contains(&first)
        && is_date(2000 + year, month, day)
        && matches!(county, 1..=52 | 70 | 80..=83)
        && (if sum == 10 { 1 } else { sum }) == check
}

/// Date of birth (months raised by 20 or 40 for other centuries), serial, a digit by modulus 11.
fn egn(value: &[u8]) -> bool {
    let (Some((check, rest)), Some([year, month, day])) = (last(value), parts(value, [2, 2, 2])) else { return false };
    let month = match month {
        41.. => month - 40,
        21.. => month - 20,
        month => month,
    };
    let sum = weighted(rest, &[2, 4, 8, 5, 10, 9, 7, 3, 6]);
    is_date(2000 + year, month, day) && sum.is_some_and(|sum| sum % 11 % 10 == check)
}

/// Date of birth with a year of three digits, region, serial, a digit by modulus 11.
fn emso(value: &[u8]) -> bool {
    let (Some((check, rest)), Some([day, month, year])) = (last(value), parts(value, [2, 2, 3])) else { return false };
    let sum = weighted(rest, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]).unwrap_or_default() % 11;
    let year = if year >= 800 { 1000 + year } else { 2000 + year };
    year < 2100 && is_date(year, month, day) && (if sum == 0 { 0 } else { 11 - sum }) == check
}

/// Two digits: the tenth by odd and even places, the eleventh by the sum.
fn tckn(value: &[u8]) -> bool {
    let sum = |step: usize, from: usize, to: usize| -> Option<u32> {
        value
            .iter()
            .enumerate()
            .filter(|&(place, _)| place >= from && place < to && (place - from).is_multiple_of(step))
            .map(|(_, &c)| digit(c))
            .sum()
    };
    let (Some(odd), Some(even), Some(all)) = (sum(2, 0, 9), sum(2, 1, 8), sum(1, 0, 10)) else { return false };
    let at = |place: usize| value.get(place).and_then(|&c| digit(c));
    value.first() != Some(&b'0') && at(9) == Some((odd * 7 + 100 - even) % 10) && at(10) == Some(all % 10)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check("pl-pesel", &["44051401359", "02070803628"], &["44051401358", "44131401359"]);
        check("pl-nip", &["1234563218", "5260250274"], &["1234563217", "0000000000"]);
        check("cz-rodne-cislo", &["7103192745", "7801233540"], &["7103192746", "7113192745"]);
        check("ro-cnp", &["1630615123457", "1800101221144"], &["1630615123458", "1631315123457"]);
        check("bg-egn", &["7523169263", "7501020018"], &["7523169264", "7513169263"]);
        check("hr-oib", &["33392005961", "69435151530"], &["33392005962"]);
        check("si-emso", &["0101006500006"], &["0101006500007", "3201006500006"]);
        check("tr-tckn", &["10000000146", "19191919190"], &["10000000147", "00000000146"]);
        check("hu-tax-id", &["8071592153"], &["8071592154", "7071592153"]);
    }
}
