//! Canada, Mexico, Brazil, Argentina, Chile, Colombia and Ecuador. The United States have a file of their own.

use super::super::catalog::Spec;
use super::super::check::{digit, is_one_character, last, luhn, number, parts, weighted, yymmdd};
use super::super::shape::{fair, good, named, sure, weak};

/// Detectors of these countries.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "ca-sin",
        "SIN",
        &["national-ids", "ca"],
        "Canada: social insurance numbers",
        &["sin", "sin#", "social insurance", "nas", "num\u{e9}ro d'assurance sociale", "assurance sociale"],
        &[fair("ddd ddd ddd"), weak("ddddddddd")],
        |value| luhn(value) && !matches!(value.first(), Some(b'0' | b'8')),
    ),
    Spec::number(
        "mx-curp",
        "CURP",
        &["national-ids", "mx"],
        "Mexico: population registry codes",
        &["curp", "clave \u{fa}nica", "clave unica"],
        &[sure("AAAAddddddAAAAAAXd")],
        curp,
    ),
    Spec::number(
        "mx-rfc",
        "RFC",
        &["national-ids", "mx"],
        "Mexico: taxpayer codes",
        &["rfc", "r.f.c", "registro federal de contribuyentes", "contribuyentes"],
        &[good("AAAAddddddXXX"), good("AAAA dddddd XXX"), named("AAAddddddXXX")],
        rfc,
    ),
    Spec::number(
        "br-cpf",
        "CPF",
        &["national-ids", "br"],
        "Brazil: taxpayer numbers of people",
        &["cpf", "c.p.f", "cadastro de pessoas", "cpf/mf"],
        &[sure("ddd.ddd.ddd-dd"), fair("ddddddddddd"), good("ddddddddd-dd")],
        cpf,
    ),
    Spec::number(
        "br-cnpj",
        "CNPJ",
        &["financial", "br"],
        "Brazil: taxpayer numbers of companies",
        &["cnpj", "c.n.p.j", "cadastro nacional"],
        &[sure("dd.ddd.ddd/dddd-dd"), fair("dddddddddddddd")],
        cnpj,
    ),
    Spec::number(
        "ar-dni",
        "DNI",
        &["national-ids", "ar"],
        "Argentina: identity document numbers, near a word that says so",
        &["dni", "d.n.i", "documento nacional", "documento de identidad"],
        &[named("dd.ddd.ddd"), named("dddddddd"), named("d.ddd.ddd")],
        |value| value.first() != Some(&b'0'),
    ),
    Spec::number(
        "ar-cuit",
        "CUIT",
        &["national-ids", "ar"],
        "Argentina: taxpayer and labour numbers (CUIT, CUIL)",
        &["cuit", "cuil", "c.u.i.t", "c.u.i.l"],
        &[good("dd-dddddddd-d"), fair("ddddddddddd")],
        cuit,
    ),
    Spec::number(
        "cl-rut",
        "RUT",
        &["national-ids", "cl"],
        "Chile: tax and identity numbers",
        &["rut", "run", "r.u.t", "rol \u{fa}nico", "rol unico"],
        &[sure("dd.ddd.ddd-X"), sure("d.ddd.ddd-X"), good("dddddddd-X"), weak("ddddddd-X")],
        rut,
    ),
    Spec::number(
        "co-nit",
        "NIT",
        &["national-ids", "co"],
        "Colombia: tax numbers",
        &["nit", "n.i.t", "rut", "n\u{fa}mero de identificaci\u{f3}n tributaria"],
        &[good("ddd.ddd.ddd-d"), weak("ddddddddd-d")],
        nit,
    ),
    Spec::number(
        "ec-cedula",
        "CEDULA",
        &["national-ids", "ec"],
        "Ecuador: identity numbers",
        &["c\u{e9}dula", "cedula", "c.i", "ci", "ruc"],
        &[fair("ddddddddd-d"), weak("dddddddddd")],
        cedula,
    ),
];

/// Name, date of birth, sex, state, consonants, homonym, a digit by modulus 10 over an alphabet with Ñ.
fn curp(value: &[u8]) -> bool {
    const STATES: &[&[u8; 2]] = &[
        b"AS", b"BC", b"BS", b"CC", b"CL", b"CM", b"CS", b"CH", b"DF", b"DG", b"GT", b"GR", b"HG", b"JC", b"MC", b"MN",
        b"MS", b"NT", b"NL", b"OC", b"PL", b"QT", b"QR", b"SP", b"SL", b"SR", b"TC", b"TS", b"TL", b"VZ", b"YN", b"ZS",
        b"NE", b"CX",
    ];
    let Some((check, rest)) = last(value) else { return false };
    let state = value.get(11..13).is_some_and(|state| STATES.iter().any(|known| known.as_slice() == state));
    let sum: Option<u32> = rest.iter().zip((2..=18).rev()).map(|(&c, weight)| Some(mexican(c)? * weight)).sum();
    state
        && matches!(value.get(10), Some(b'H' | b'M' | b'X'))
        && value.get(4..).is_some_and(yymmdd)
        && sum.is_some_and(|sum| (10 - sum % 10) % 10 == check)
}

/// Ñ stands between N and O.
fn mexican(c: u8) -> Option<u32> {
    match c {
        b'0'..=b'9' => digit(c),
        b'A'..=b'N' => Some(u32::from(c - b'A') + 10),
        b'O'..=b'Z' => Some(u32::from(c - b'A') + 11),
        _ => None,
    }
}

/// Name, date of birth, two characters, a digit (or A) by modulus 11.
fn rfc(value: &[u8]) -> bool {
    let Some((&check, rest)) = value.split_last() else { return false };
    let letters = value.iter().take_while(|c| c.is_ascii_alphabetic()).count();
    let worth = |c: u8| match c {
        b'0'..=b'9' => digit(c),
        b'A'..=b'N' => Some(u32::from(c - b'A') + 10),
        b'O'..=b'Z' => Some(u32::from(c - b'A') + 11),
        _ => None,
    };
    // A company has three letters, and a blank before them that counts 37.
    let head = if value.len() == 12 { Some(Some(37)) } else { None };
    let worths = head.into_iter().chain(rest.iter().map(|&c| worth(c)));
    let sum: Option<u32> = worths.zip((2..=13).rev()).map(|(worth, weight)| Some(worth? * weight)).sum();
    let wanted = sum.map(|sum| (11 - sum % 11) % 11);
    let check = if check == b'A' { Some(10) } else { digit(check) };
    value.get(letters..).is_some_and(yymmdd) && wanted == check
}

/// A digit by modulus 11: nothing where the remainder is below 2.
fn brazilian(value: &[u8], weights: &[u32]) -> bool {
    let rest = weighted(value, weights).unwrap_or_default() % 11;
    let wanted = if rest < 2 { 0 } else { 11 - rest };
    value.get(weights.len()).and_then(|&c| digit(c)) == Some(wanted)
}

fn cpf(value: &[u8]) -> bool {
    !is_one_character(value)
        && brazilian(value, &[10, 9, 8, 7, 6, 5, 4, 3, 2])
        && brazilian(value, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
}

fn cnpj(value: &[u8]) -> bool {
    !is_one_character(value)
        && brazilian(value, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
        && brazilian(value, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
}

fn cuit(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]).unwrap_or_default() % 11;
    let kind = value.get(..2).and_then(number).unwrap_or_default();
    matches!(kind, 20 | 23 | 24 | 25 | 26 | 27 | 30 | 33 | 34 | 50 | 51 | 55) && (11 - sum) % 11 == check
}

/// Weights 2 to 7 from the right, modulo 11; K is 10.
fn rut(value: &[u8]) -> bool {
    let Some((&check, digits)) = value.split_last() else { return false };
    let sum: Option<u32> = digits.iter().rev().zip((2..=7).cycle()).map(|(&c, weight)| Some(digit(c)? * weight)).sum();
    let check = if check == b'K' { Some(10) } else { digit(check) };
    number(digits).is_some_and(|digits| digits >= 100_000) && sum.map(|sum| (11 - sum % 11) % 11) == check
}

/// Weights by primes, modulo 11.
fn nit(value: &[u8]) -> bool {
    let Some((check, rest)) = last(value) else { return false };
    let sum = weighted(rest, &[41, 37, 29, 23, 19, 17, 13, 7, 3]).unwrap_or_default() % 11;
    (if sum < 2 { sum } else { 11 - sum }) == check
}

/// Province, a digit below 6, Luhn.
fn cedula(value: &[u8]) -> bool {
    let Some([province, third]) = parts(value, [2, 1]) else { return false };
    matches!(province, 1..=24 | 30 | 50) && third < 6 && luhn(value)
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check("ca-sin", &["130692544", "123456782"], &["130692545", "046454286", "846454286"]);
        check("mx-curp", &["BOXW310820HNERXN09", "HEGG560427MVZRRL04"], &["BOXW310820HNERXN08", "BOXW311320HNERXN09"]);
        check("mx-rfc", &["GODE561231GR8"], &["GODE561231GR9", "GODE561331GR8"]);
        check("br-cpf", &["52998224725", "39053344705"], &["52998224726", "11111111111"]);
        check("br-cnpj", &["11222333000181", "11444777000161"], &["11222333000182"]);
        check("ar-cuit", &["20055361682"], &["20055361683", "99055361682"]);
        check("cl-rut", &["125319092", "123456785"], &["125319093"]);
        check("co-nit", &["2131234321"], &["2131234322"]);
        check("ec-cedula", &["1714307103"], &["1714307104", "9914307103"]);
    }
}
