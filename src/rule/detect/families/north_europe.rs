//! Sweden, Finland, Denmark, Norway, Iceland, Estonia, Latvia and Lithuania.

use super::super::catalog::Spec;
use super::super::check::{ddmmyy, digit, is_date, last, luhn, number, parts, weighted, yymmdd, yyyymmdd};
use super::super::shape::{fair, good, sure, weak};

/// Detectors of these countries.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "se-personnummer",
        "PERSONNUMMER",
        &["national-ids", "se", "eu"],
        "Sweden: personal and coordination numbers",
        &["personnummer", "personnr", "pers.nr", "pnr", "person nr", "samordningsnummer", "personal number"],
        &[good("dddddd-dddd"), sure("dddddddd-dddd"), weak("dddddddddd"), fair("dddddddddddd")],
        personnummer,
    ),
    Spec::number(
        "fi-hetu",
        "HETU",
        &["national-ids", "fi", "eu"],
        "Finland: personal identity codes",
        &["hetu", "henkil\u{f6}tunnus", "henkilotunnus", "personbeteckning", "identity code", "sotu"],
        &[sure("dddddd-dddX"), sure("ddddddAdddX")],
        hetu,
    ),
    Spec::number(
        "dk-cpr",
        "CPR",
        &["national-ids", "dk", "eu"],
        "Denmark: personal identification numbers",
        &["cpr", "cpr-nr", "cpr-nummer", "cprnr", "personnummer", "cpr nr"],
        &[good("dddddd-dddd"), weak("dddddd dddd"), weak("dddddddddd")],
        cpr,
    ),
    Spec::number(
        "no-fodselsnummer",
        "FODSELSNUMMER",
        &["national-ids", "no"],
        "Norway: birth and D-numbers",
        &["f\u{f8}dselsnummer", "fodselsnummer", "f\u{f8}dselsnr", "fnr", "personnummer", "d-nummer", "national id"],
        &[good("ddddddddddd"), good("dddddd ddddd")],
        fodselsnummer,
    ),
    Spec::number(
        "is-kennitala",
        "KENNITALA",
        &["national-ids", "is"],
        "Iceland: identification numbers",
        &["kennitala", "kennit\u{f6}lu", "kt.", "kt", "kennitolu"],
        &[good("dddddd-dddd"), fair("dddddddddd")],
        kennitala,
    ),
    Spec::number(
        "ee-isikukood",
        "ISIKUKOOD",
        &["national-ids", "ee", "eu"],
        "Estonia: personal identification codes",
        &["isikukood", "isikukoodi", "personal code", "id code", "identification code"],
        &[fair("ddddddddddd")],
        baltic,
    ),
    Spec::number(
        "lt-asmens-kodas",
        "ASMENS-KODAS",
        &["national-ids", "lt", "eu"],
        "Lithuania: personal codes",
        &["asmens kodas", "asmens kod\u{105}", "a.k", "personal code", "asm. kodas"],
        &[fair("ddddddddddd")],
        baltic,
    ),
    Spec::number(
        "lv-personas-kods",
        "PERSONAS-KODS",
        &["national-ids", "lv", "eu"],
        "Latvia: personal codes",
        &["personas kods", "personas koda", "pers. kods", "p.k", "personal code"],
        &[good("dddddd-ddddd"), fair("ddddddddddd")],
        personas_kods,
    ),
];

/// Date of birth (the day raised by 60 in coordination numbers), serial, Luhn over the ten.
fn personnummer(value: &[u8]) -> bool {
    let short = if value.len() == 12 { value.get(2..).unwrap_or_default() } else { value };
    let Some([year, month, day]) = parts(short, [2, 2, 2]) else { return false };
    let century = value.len() == 10 || value.starts_with(b"19") || value.starts_with(b"20");
    century && is_date(2000 + year, month, if day > 60 { day - 60 } else { day }) && luhn(short)
}

/// Date of birth, a sign for the century, serial, the character of the remainder by 31.
fn hetu(value: &[u8]) -> bool {
    let (digits, sign) = match value {
        [head @ .., _, _, _, _] if head.len() == 7 => (head.get(..6).unwrap_or_default(), head.get(6)),
        [head @ .., _, _, _, _] => (head, None),
        _ => return false,
    };
    let Some(tail) = value.get(value.len().saturating_sub(4)..) else { return false };
    let (Some(&check), Some(serial)) = (tail.get(3), tail.get(..3)) else { return false };
    let whole: Vec<u8> = digits.iter().chain(serial).copied().collect();
    let sign = sign.is_none_or(|sign| b"ABCDEFYXWVU".contains(sign));
    let rest = number(&whole).and_then(|whole| usize::try_from(whole % 31).ok());
    sign && ddmmyy(digits)
        && number(serial).is_some_and(|serial| serial >= 2)
        && rest.and_then(|rest| b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(rest)) == Some(&check)
}

/// Date of birth and serial; the modulus 11 of old numbers is not kept by all since 2007, and so not asked for where a
/// serial is one of the new.
fn cpr(value: &[u8]) -> bool {
    ddmmyy(value) && weighted(value, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_some_and(|sum| sum.is_multiple_of(11))
}

/// Date of birth (the day raised by 40 in D-numbers), serial, two digits by modulus 11.
fn fodselsnummer(value: &[u8]) -> bool {
    let Some([day, month, year]) = parts(value, [2, 2, 2]) else { return false };
    let day = if day > 40 { day - 40 } else { day };
    let month = if month > 40 { month - 40 } else { month };
    let zero = |weights: &[u32]| weighted(value, weights).is_some_and(|sum| sum.is_multiple_of(11));
    is_date(2000 + year, month, day)
        && zero(&[3, 7, 6, 1, 8, 9, 4, 5, 2, 1])
        && zero(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1])
}

/// Date (the day raised by 40 for companies), two of a serial, a digit by modulus 11, the century.
fn kennitala(value: &[u8]) -> bool {
    let Some([day, month, year, _, _, century]) = parts(value, [2, 2, 2, 2, 1, 1]) else { return false };
    let sum = weighted(value, &[3, 2, 7, 6, 5, 4, 3, 2, 1]);
    matches!(century, 0 | 8 | 9)
        && is_date(2000 + year, month, if day > 40 { day - 40 } else { day })
        && sum.is_some_and(|sum| sum.is_multiple_of(11))
}

/// Estonia and Lithuania: century and sex, date of birth, serial; weights in two goes, modulo 11.
fn baltic(value: &[u8]) -> bool {
    let (Some((check, rest)), Some(&first)) = (last(value), value.first()) else { return false };
    let sum = |weights: &[u32]| weighted(rest, weights).unwrap_or_default() % 11;
    let wanted = match sum(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) {
        10 => sum(&[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 10,
        rest => rest,
    };
    (b'1'..=b'8').contains(&first) && value.get(1..).is_some_and(yymmdd) && wanted == check
}

/// Date of birth and century, serial, a digit by modulus 11; those given out since 2017 begin with 32 and hold no date.
fn personas_kods(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9]).unwrap_or_default() + 1;
    let century = value.get(6).and_then(|&c| digit(c)).is_some_and(|century| century <= 2);
    (value.starts_with(b"32") || (ddmmyy(value) && century)) && sum % 11 % 10 == check && !yyyymmdd(value)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check(
            "se-personnummer",
            &["8112189876", "198112189876", "6408233234"],
            &["8112189875", "8113189876", "178112189876"],
        );
        check("fi-hetu", &["131052308T", "131052A308T"], &["131052308S", "131352308T", "131052Z308T"]);
        check("dk-cpr", &["2110625629", "0707614285"], &["2110625628", "2113625629"]);
        check("no-fodselsnummer", &["15108695088"], &["15108695089", "15138695088"]);
        check("is-kennitala", &["4504013150", "1201743399"], &["4504013140", "4513013150"]);
        check("ee-isikukood", &["36805280109", "37605030299"], &["36805280108"]);
        check("lt-asmens-kodas", &["38703181745"], &["38703181746", "98703181745"]);
        check("lv-personas-kods", &["16117519997"], &["16117519998"]);
    }
}
