//! International bank account numbers (ISO 13616): country, structure, modulus 97.

use std::ops::Range;

use super::super::catalog::{Find, Spec};
use super::super::{check::mod97, context};

/// International bank account numbers.
pub const SPEC: Spec = Spec {
    name: "iban",
    label: "IBAN",
    groups: &["financial", "eu"],
    doc: "international bank account numbers",
    keywords: &[],
    find: Find::Iban,
};

/// Longest separator between two characters of a number.
const MAX_SEPARATOR: usize = 3;

/// What follows country and check digits in each country: so many digits (`n`), letters (`a`), either (`c`).
/// SWIFT IBAN Registry, release 101. Sorted.
const COUNTRIES: &[(&str, &str)] = &[
    ("AD", "8n 12c"),
    ("AE", "19n"),
    ("AL", "8n 16c"),
    ("AT", "16n"),
    ("AZ", "4a 20c"),
    ("BA", "16n"),
    ("BE", "12n"),
    ("BG", "4a 6n 8c"),
    ("BH", "4a 14c"),
    ("BI", "23n"),
    ("BR", "23n 1a 1c"),
    ("BY", "4c 4n 16c"),
    ("CH", "5n 12c"),
    ("CR", "18n"),
    ("CY", "8n 16c"),
    ("CZ", "20n"),
    ("DE", "18n"),
    ("DJ", "23n"),
    ("DK", "14n"),
    ("DO", "4c 20n"),
    ("EE", "16n"),
    ("EG", "25n"),
    ("ES", "20n"),
    ("FI", "14n"),
    ("FK", "2a 12n"),
    ("FO", "14n"),
    ("FR", "10n 11c 2n"),
    ("GB", "4a 14n"),
    ("GE", "2a 16n"),
    ("GI", "4a 15c"),
    ("GL", "14n"),
    ("GR", "7n 16c"),
    ("GT", "24c"),
    ("HN", "4a 20n"),
    ("HR", "17n"),
    ("HU", "24n"),
    ("IE", "4a 14n"),
    ("IL", "19n"),
    ("IQ", "4a 15n"),
    ("IS", "22n"),
    ("IT", "1a 10n 12c"),
    ("JO", "4a 4n 18c"),
    ("KW", "4a 22c"),
    ("KZ", "3n 13c"),
    ("LB", "4n 20c"),
    ("LC", "4a 24c"),
    ("LI", "5n 12c"),
    ("LT", "16n"),
    ("LU", "3n 13c"),
    ("LV", "4a 13c"),
    ("LY", "21n"),
    ("MC", "10n 11c 2n"),
    ("MD", "20c"),
    ("ME", "18n"),
    ("MK", "3n 10c 2n"),
    ("MN", "16n"),
    ("MR", "23n"),
    ("MT", "4a 5n 18c"),
    ("MU", "4a 19n 3a"),
    ("NI", "4a 20n"),
    ("NL", "4a 10n"),
    ("NO", "11n"),
    ("OM", "3n 16c"),
    ("PK", "4a 16c"),
    ("PL", "24n"),
    ("PS", "4a 21c"),
    ("PT", "21n"),
    ("QA", "4a 21c"),
    ("RO", "4a 16c"),
    ("RS", "18n"),
    ("RU", "14n 15c"),
    ("SA", "2n 18c"),
    ("SC", "4a 20n 3a"),
    ("SD", "14n"),
    ("SE", "20n"),
    ("SI", "15n"),
    ("SK", "20n"),
    ("SM", "1a 10n 12c"),
    ("SO", "19n"),
    ("ST", "21n"),
    ("SV", "4a 20n"),
    ("TL", "19n"),
    ("TN", "20n"),
    ("TR", "6n 16c"),
    ("UA", "6n 19c"),
    ("VA", "18n"),
    ("VG", "4a 16n"),
    ("XK", "16n"),
    ("YE", "4a 4n 18c"),
];

fn structure(country: &[u8]) -> Option<&'static str> {
    let found = COUNTRIES.binary_search_by(|(code, _)| code.as_bytes().cmp(country)).ok()?;
    COUNTRIES.get(found).map(|(_, structure)| *structure)
}

/// The classes of the characters of a structure, one by one.
fn classes(structure: &str) -> impl Iterator<Item = u8> + '_ {
    structure.split(' ').flat_map(|run| {
        let (count, class) = run.split_at(run.len().saturating_sub(1));
        std::iter::repeat_n(class.bytes().next().unwrap_or(b'c'), count.parse().unwrap_or(0))
    })
}

/// The number whose check digits begin at `digits`: two letters stand before them.
pub fn at(bytes: &[u8], digits: usize) -> Option<Range<usize>> {
    // Country and check digits stand together; in capitals a blank may part them.
    let letters = match bytes.get(digits.checked_sub(1)?)? {
        b' ' => digits - 1,
        _ => digits,
    };
    let start = letters.checked_sub(2)?;
    let is_letter = if letters < digits { u8::is_ascii_uppercase } else { u8::is_ascii_alphabetic };
    let country = bytes.get(start..letters).filter(|country| country.iter().all(is_letter))?;
    let before = bytes.get(..start).unwrap_or_default();
    let named =
        before.len().checked_sub(4).and_then(|at| before.get(at..)).is_some_and(|w| w.eq_ignore_ascii_case(b"iban"));
    if letters < digits && !named && before.last().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let country = country.to_ascii_uppercase();
    let structure = structure(&country)?;
    let mut number = country;
    let mut at = digits;
    for class in [b'n', b'n'].into_iter().chain(classes(structure)) {
        let skipped = bytes.get(at..)?.iter().take(MAX_SEPARATOR).take_while(|b| b" \t\r\n-.".contains(b)).count();
        // Country and check digits stand together.
        if number.len() < 4 && skipped > 0 {
            return None;
        }
        let c = bytes.get(at + skipped)?.to_ascii_uppercase();
        let fits = match class {
            b'n' => c.is_ascii_digit(),
            b'a' => c.is_ascii_uppercase(),
            _ => c.is_ascii_alphanumeric(),
        };
        if !fits {
            return None;
        }
        number.push(c);
        at += skipped + 1;
    }
    let goes_on = bytes.get(at).is_some_and(u8::is_ascii_digit);
    (!goes_on && mod97(&number) && !context::is_something_else(bytes, &(start..at))).then_some(start..at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_lengths_are_those_of_iso_13616() {
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (country, length) in [
            ("DE", 22),
            ("GB", 22),
            ("FR", 27),
            ("ES", 24),
            ("IT", 27),
            ("NL", 18),
            ("BE", 16),
            ("NO", 15),
            ("MT", 31),
            ("CH", 21),
            ("AT", 20),
            ("PL", 28),
            ("SE", 24),
            ("LC", 32),
            ("RU", 33),
            ("BR", 29),
            ("SA", 24),
            ("CR", 22),
        ] {
            let structure = structure(country.as_bytes()).unwrap();
            assert_eq!(classes(structure).count() + 4, length, "{country}");
        }
        for (country, structure) in COUNTRIES {
            assert!((11..=30).contains(&classes(structure).count()), "{country}");
            assert!(classes(structure).all(|class| b"nac".contains(&class)), "{country}");
        }
    }

    /// Examples that the registry prints.
    #[test]
    fn registry_examples() {
        for number in [
            "AD1200012030200359100100",
            "AE070331234567890123456",
            "AL47212110090000000235698741",
            "AT611904300234573201",
            "AZ21NABZ00000000137010001944",
            "BA391290079401028494",
            "BE68539007547034",
            "BG80BNBG96611020345678",
            "BH67BMAG00001299123456",
            "BR9700360305000010009795493P1",
            "BY13NBRB3600900000002Z00AB00",
            "CH9300762011623852957",
            "CR05015202001026284066",
            "CY17002001280000001200527600",
            "CZ6508000000192000145399",
            "DE89370400440532013000",
            "DK5000400440116243",
            "DO28BAGR00000001212453611324",
            "EE382200221020145685",
            "EG380019000500000000263180002",
            "ES9121000418450200051332",
            "FI2112345600000785",
            "FO6264600001631634",
            "FR1420041010050500013M02606",
            "GB29NWBK60161331926819",
            "GE29NB0000000101904917",
            "GI75NWBK000000007099453",
            "GL8964710001000206",
            "GR1601101250000000012300695",
            "GT82TRAJ01020000001210029690",
            "HR1210010051863000160",
            "HU42117730161111101800000000",
            "IE29AIBK93115212345678",
            "IL620108000000099999999",
            "IQ98NBIQ850123456789012",
            "IS140159260076545510730339",
            "IT60X0542811101000000123456",
            "JO94CBJO0010000000000131000302",
            "KW81CBKU0000000000001234560101",
            "KZ86125KZT5004100100",
            "LB62099900000001001901229114",
            "LC55HEMM000100010012001200023015",
            "LI21088100002324013AA",
            "LT121000011101001000",
            "LU280019400644750000",
            "LV80BANK0000435195001",
            "MC5811222000010123456789030",
            "MD24AG000225100013104168",
            "ME25505000012345678951",
            "MK07250120000058984",
            "MR1300020001010000123456753",
            "MT84MALT011000012345MTLCAST001S",
            "MU17BOMM0101101030300200000MUR",
            "NL91ABNA0417164300",
            "NO9386011117947",
            "PK36SCBL0000001123456702",
            "PL61109010140000071219812874",
            "PS92PALS000000000400123456702",
            "PT50000201231234567890154",
            "QA58DOHB00001234567890ABCDEFG",
            "RO49AAAA1B31007593840000",
            "RS35260005601001611379",
            "SA0380000000608010167519",
            "SC18SSCB11010000000000001497USD",
            "SE4550000000058398257466",
            "SI56263300012039086",
            "SK3112000000198742637541",
            "SM86U0322509800000000270100",
            "ST23000100010051845310146",
            "SV62CENR00000000000000700025",
            "TL380080012345678910157",
            "TN5910006035183598478831",
            "TR330006100519786457841326",
            "UA213223130000026007233566001",
            "VA59001123000012345678",
            "VG96VPVG0000012345678901",
            "XK051212012345678906",
        ] {
            assert_eq!(at(number.as_bytes(), 2), Some(0..number.len()), "{number}");
            let mut wrong = number.as_bytes().to_vec();
            wrong[2] = if wrong[2] == b'9' { b'8' } else { wrong[2] + 1 };
            assert_eq!(at(&wrong, 2), None, "{number} with a wrong check digit");
        }
    }
}
