//! Belgium, the Netherlands, Luxembourg and France.

use super::super::catalog::Spec;
use super::super::check::{digit, is_date, luhn, number, parts, verhoeff, weighted, yyyymmdd};
use super::super::shape::{fair, good, named, sure, weak};

/// Detectors of these countries.
pub const DETECTORS: &[Spec] = &[
    Spec::number(
        "nl-bsn",
        "BSN",
        &["national-ids", "nl", "eu"],
        "Netherlands: citizen service numbers",
        &[
            "bsn",
            "burgerservicenummer",
            "burger service nummer",
            "sofinummer",
            "sofi-nummer",
            "sofi",
            "citizen service number",
        ],
        &[weak("ddddddddd"), weak("dddd dd ddd"), weak("ddd ddd ddd")],
        bsn,
    ),
    Spec::number(
        "be-national-number",
        "NATIONAL-NUMBER",
        &["national-ids", "be", "eu"],
        "Belgium: national register numbers",
        &[
            "rijksregisternummer",
            "rijksregister",
            "nationaal nummer",
            "registre national",
            "num\u{e9}ro national",
            "numero national",
            "num\u{e9}ro de registre",
            "niss",
            "insz",
            "national number",
            "nationalregisternummer",
        ],
        &[sure("dd.dd.dd-ddd.dd"), good("dd dd dd ddd dd"), good("dddddd-ddd-dd"), fair("ddddddddddd")],
        belgian,
    ),
    Spec::number(
        "lu-national-id",
        "NATIONAL-ID",
        &["national-ids", "lu", "eu"],
        "Luxembourg: national identification numbers",
        &["matricule", "num\u{e9}ro d'identification", "identifiant national", "sozialversicherungsnummer", "cns"],
        &[sure("ddddddddddddd"), sure("dddd dd dd ddd dd")],
        luxembourgish,
    ),
    Spec::number(
        "fr-nir",
        "NIR",
        &["national-ids", "fr", "eu"],
        "France: social security numbers (NIR, INSEE)",
        &[
            "nir",
            "insee",
            "s\u{e9}curit\u{e9} sociale",
            "securite sociale",
            "num\u{e9}ro de s\u{e9}cu",
            "numero de secu",
            "n\u{b0} s\u{e9}cu",
            "n\u{b0} de s\u{e9}cu",
            "carte vitale",
            "num\u{e9}ro ss",
            "n\u{b0} ss",
        ],
        &[
            sure("d dd dd dX ddd ddd dd"),
            fair("ddddddXdddddddd"),
            sure("ddddddXdddddd dd"),
            named("ddddddXdddddd"),
            named("d dd dd dX ddd ddd"),
        ],
        nir,
    ),
    Spec::number(
        "fr-id-card",
        "ID-CARD",
        &["national-ids", "fr", "eu"],
        "France: numbers of identity cards and passports, near a word that says so",
        &[
            "carte nationale d'identit\u{e9}",
            "carte nationale d\u{2019}identit\u{e9}",
            "carte d'identit\u{e9}",
            "carte d\u{2019}identit\u{e9}",
            "cni",
            "passeport",
            "num\u{e9}ro de passeport",
        ],
        &[named("dddddddddddd"), named("ddAAddddd")],
        |value| value.len() == 9 || value.get(2..4).and_then(number).is_some_and(|month| (1..=12).contains(&month)),
    ),
];

/// The test of eleven: weights 9 to 2, the last counts against.
fn bsn(value: &[u8]) -> bool {
    let (Some(sum), Some(last)) = (weighted(value, &[9, 8, 7, 6, 5, 4, 3, 2]), value.get(8).and_then(|&c| digit(c)))
    else {
        return false;
    };
    sum > 0 && sum % 11 == last && !super::super::check::is_one_character(value)
}

/// 97 less the remainder of the first nine; a 2 stands before them for who is born from 2000 on.
fn belgian(value: &[u8]) -> bool {
    let Some([year, month, day, serial, check]) = parts(value, [2, 2, 2, 3, 2]) else { return false };
    let head = value.get(..9).and_then(number).unwrap_or_default();
    let fits = |head: u64| 97 - head % 97 == check;
    // Numbers of people who are not in the register have months raised by 20 or 40; 0 where the date is not known.
    let month = month % 20;
    (month == 0 || day == 0 || is_date(2000 + year, month, day))
        && (fits(head) || fits(2_000_000_000 + head))
        && month <= 12
        && day <= 31
        && serial > 0
}

/// Date of birth, serial, one digit by Luhn and one by Verhoeff.
fn luxembourgish(value: &[u8]) -> bool {
    let (Some(head), Some(&second)) = (value.get(..11), value.get(12)) else { return false };
    let verhoeff_of: Vec<u8> = head.iter().copied().chain([second]).collect();
    yyyymmdd(value) && value.get(..12).is_some_and(luhn) && verhoeff(&verhoeff_of)
}

/// Sex, year, month, department (2A and 2B are Corsica), commune, order, key: 97 less the remainder.
fn nir(value: &[u8]) -> bool {
    let (Some(&sex), Some(head), Some(department)) = (value.first(), value.get(..13), value.get(5..7)) else {
        return false;
    };
    let month = value.get(3..5).and_then(number).unwrap_or_default();
    let mut digits = head.to_vec();
    let corsica = match department {
        b"2A" => 1_000_000,
        b"2B" => 2_000_000,
        _ => 0,
    };
    if corsica > 0
        && let Some(place) = digits.get_mut(6)
    {
        *place = b'0';
    }
    let Some(head) = number(&digits) else { return false };
    // 2A counts as 20 less one million, 2B as 20 less two.
    let head = head.saturating_sub(corsica);
    matches!(sex, b'1'..=b'4' | b'7' | b'8')
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && value.get(13..).is_some_and(|key| key.is_empty() || number(key) == Some(97 - head % 97))
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn published_examples() {
        check("nl-bsn", &["111222333", "123456782"], &["111222334", "000000000", "999999999"]);
        check("be-national-number", &["85073003328"], &["85073003329", "85133003328"]);
        check("lu-national-id", &["1893120105732"], &["1893120105733", "1893130105732"]);
        check(
            "fr-nir",
            &["255081416802538", "2550814168025"],
            &["255081416802539", "555081416802538", "255131416802538"],
        );
    }
}
