//! Evasions and look-alikes, one line each; numbers made up by proptest.

use proptest::prelude::*;

use super::*;

use crate::rule::section::tests::read;

/// A set by its options in a rule file.
fn set_of(options: &str) -> DetectorSet {
    let (set, problems) = read(options, |mut section| read_detectors(&mut section, &[]));
    set.unwrap_or_else(|| panic!("{problems}"))
}

fn set(names: &[&str]) -> DetectorSet {
    DetectorSet::built_in(names).unwrap()
}

fn hits<'t>(names: &[&str], text: &'t str) -> Vec<&'t str> {
    set(names).find(text).into_iter().map(|found| &text[found.range()]).collect()
}

/// `before` + number + `after`: just the number is found.
#[track_caller]
fn finds(name: &str, before: &str, number: &str, after: &str) {
    let text = format!("{before}{number}{after}");
    assert_eq!(hits(&[name], &text), [number], "{text:?}");
}

#[track_caller]
fn ignores(name: &str, text: &str) {
    assert_eq!(hits(&[name], text), [""; 0], "{text:?}");
}

#[test]
fn cards_however_they_are_spelled() {
    for number in [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111  1111  1111  1111",
        "4111\t1111\t1111\t1111",
        "4111 1111\n1111 1111",
        "4111 1111 1111\r\n1111",
        "4111 - 1111 - 1111 - 1111",
        "4111\u{a0}1111\u{a0}1111\u{a0}1111",
        "4111\u{202f}1111\u{202f}1111\u{202f}1111",
        "4111\u{2009}1111\u{2009}1111\u{2009}1111",
        "4111\u{2007}1111\u{2007}1111\u{2007}1111",
        "4111\u{3000}1111\u{3000}1111\u{3000}1111",
        "4111\u{2013}1111\u{2013}1111\u{2013}1111",
        "4111\u{2012}1111\u{2012}1111\u{2012}1111",
        "4111\u{2212}1111\u{2212}1111\u{2212}1111",
        "4111\u{2011}1111\u{2011}1111\u{2011}1111",
        "4\u{200b}111\u{200b}1111\u{200b}11111111",
        "4111\u{ad}1111\u{ad}1111\u{ad}1111",
        "4111\u{2060}1111\u{2060}1111\u{2060}1111",
        "4\u{feff}1\u{200d}1\u{200c}1111111111111",
        "\u{ff14}\u{ff11}\u{ff11}\u{ff11}111111111111",
        "\u{664}\u{661}\u{661}\u{661} \u{661}\u{661}\u{661}\u{661} \u{661}\u{661}\u{661}\u{661} \u{661}\u{661}\u{661}\u{661}",
        "\u{6f4}\u{6f1}\u{6f1}\u{6f1}111111111111",
        "\u{1d7d2}\u{1d7cf}\u{1d7d9}\u{1d7e3}111111111111",
        "2221 0000 0000 0009",
        "2720990000000007",
        "3782 822463 10005",
        "378282246310005",
        "3056 930902 5904",
        "6011 1111 1111 1117",
        "6759 6498 2643 8453",
        "4000 0000 0000 0000 006",
    ] {
        finds("card", "", number, "");
        finds("card", "My card is ", number, ", thanks");
        finds("card", "é ", number, "\u{200b} é");
        finds("card", "(", number, ")");
        finds("card", "a;", number, ";12/27;123");
        finds("card", "card", number, "x");
        finds("card", "", number, ".");
        finds("card", "No:", number, "\n");
    }
}

#[test]
fn cards_among_other_numbers() {
    finds("card", "Room 12, ", "4111 1111 1111 1111", " 12/27 123");
    finds("card", "2024-05-11 ", "4111 1111 1111 1111", "");
    finds("card", "", "4111111111111111", "-123");
    finds("card", "1,", "4111111111111111", ",25.00");
    finds("card", "Item 3. ", "4111 1111 1111 1111", "");
    assert_eq!(
        hits(&["card"], "4111 1111 1111 1111 5555 5555 5555 4444"),
        ["4111 1111 1111 1111", "5555 5555 5555 4444"]
    );
    assert_eq!(
        hits(&["card"], "4111111111111111\n5555555555554444,378282246310005"),
        ["4111111111111111", "5555555555554444", "378282246310005"]
    );
}

#[test]
fn what_looks_like_a_card_and_is_none() {
    for text in [
        "4111 1111 1111 1112", // Luhn
        "4444 4444 4444 4444", // one digit
        "0000000000000000",
        "0.5227687358856201", // a decimal fraction
        "score: 12.4111111111111111",
        "1700000000000",    // milliseconds
        "1700000000000000", // microseconds
        "2024-05-11T12:34:56.123456Z",
        "20240511123456",
        "550e8400-e29b-41d4-a716-446655440000", // UUIDs
        "41111111-1111-1111-1111-111111111111",
        "e29b41d4-0000-4000-8000-501234567897",
        "978-3-16-148410-0", // ISBN
        "9783161484100",
        "4006381333931",     // EAN
        "+49 151 1234 5678", // telephone
        "+639171234567",
        "1Z999AA10123456784", // tracking
        "9400 1000 0000 0000 0000 00",
        "9400 4111 1111 1111 1111 00",
        "94004111111111111111",
        "701-4111111-1111111", // an order
        "123-4111111111111111",
        "#411111 #111111 #111", // colours
        "margin:4111px 1111px 1111px 1111px",
        "https://example.com/o/4111111111111111", // URLs
        "https://example.com/?a=1&b=4111111111111111&c=2",
        "<4111111111111111.42@mail.example.com>", // message ids
        "Message-ID: <abc.4111111111111111@mail.example.com>",
        "4111111111111111@mail.example.com",
        "da39a3ee4111111111111111afd80709", // hex
        "0x4111111111111111",
        "aGVsbG8gd29ybGQgNDExMTExMT4111111111111111ExMTExMTE", // base64
        "------=_Part_4111111111111111_1",                     // a boundary
        "DE89 3704 0044 0532 0130 00",                         // an IBAN
        "41111 11111 111111",                                  // grouped in no usual way
        "41 11 11 11 11 11 11 11",
        "4111-1111 1111.1111", // separators of several classes
        "4111/1111/1111/1111",
        "4111 1111 1111",
        "",
        "no digits at all",
    ] {
        ignores("card", text);
    }
}

#[test]
fn short_lengths_need_a_keyword() {
    ignores("card", "4222222222222");
    finds("card", "Visa ", "4222222222222", "");
    ignores("card", "500000000009");
    finds("card", "Maestro: ", "500000000009", "");
}

#[test]
fn unusual_groups_by_option() {
    let set = set_of("detect = \"card\"\ngroups = \"any\"");
    for number in [
        "41111 11111 111111",
        "41 11 11 11 11 11 11 11",
        "4111 1111\n> 1111 1111",
        "41111111\r\n> > 11111111",
        "4111-1111 1111.1111",
    ] {
        let text = format!("card {number} end");
        let found = set.find(&text);
        assert_eq!(found.iter().map(|found| &text[found.range()]).collect::<Vec<_>>(), [number]);
    }
}

#[test]
fn ssns() {
    for number in [
        "123-45-6789",
        "123 45 6789",
        "123.45.6789",
        "123\u{a0}45\u{a0}6789",
        "123\u{2013}45\u{2013}6789",
        "123\u{2011}45\u{2011}6789",
        "\u{ff11}23-45-6789",
        "1\u{200b}23-45-6789",
    ] {
        finds("ssn", "", number, "");
        finds("ssn", "SSN", number, "");
        finds("ssn", "é: ", number, ", é");
    }
    finds("ssn", "SSN: ", "123456789", "");
    finds("ssn", "social security number ", "123456789", ".");
    finds("ssn", "1 ", "123-45-6789", " 2");
    for text in [
        "123456789",
        "order 123456789",
        "900-45-6789",
        "987-65-4321",
        "000-45-6789",
        "666-45-6789",
        "123-00-6789",
        "123-45-0000",
        "078-05-1120",
        "219-09-9999",
        "SSN 078-05-1120",
        "123-45 6789",
        "123-45-67890",
        "123-456-789",
        "0123-45-6789",
        "1-123-45-6789",
        "123-45-6789-01",
        "12 123 45 6789 7",
        "part AB123-45-6789",
        "https://example.com/123-45-6789",
        "+123-45-6789",
        "0.123456789",
    ] {
        ignores("ssn", text);
    }
}

#[test]
fn ibans() {
    for number in [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "de89 3704 0044 0532 0130 00",
        "DE89-3704-0044-0532-0130-00",
        "DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00",
        "DE89\u{202f}3704\u{202f}0044\u{202f}0532\u{202f}0130\u{202f}00",
        "DE89 3704 0044\n0532 0130 00",
        "DE 89 3704 0044 0532 0130 00",
        "\u{ff24}\u{ff25}89 3704 0044 0532 0130 00",
        "DE\u{200b}89370400440532013000",
        "GB29 NWBK 6016 1331 9268 19",
        "gb29nwbk60161331926819",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
        "NO93 8601 1117 947",
    ] {
        finds("iban", "", number, "");
        finds("iban", "IBAN:", number, "");
        finds("iban", "IBAN", number, "");
        finds("iban", "Konto ", number, ", BIC");
    }
    for text in [
        "DE88370400440532013000",
        "DE8937040044053201300",
        "XX89370400440532013000",
        "D E89370400440532013000",
        "code 89370400440532013000",
        "CODE 89370400440532013000",
        "GB29 1234 6016 1331 9268 19",
        "https://example.com/DE89370400440532013000",
    ] {
        ignores("iban", text);
    }
}

#[test]
fn kinds_do_not_disturb_each_other() {
    let text = "Card 4111 1111 1111 1111, SSN 123-45-6789, IBAN DE89 3704 0044 0532 0130 00, ann@example.com, EMP-0042";
    let set = set_of("detect = [\"financial\", \"ssn\", \"contact\"]\npattern = 'EMP-[0-9]+'");
    let found = set.find(text);
    let names: Vec<&str> = found.iter().map(|found| set.name(found.detector)).collect();
    assert_eq!(names, ["card", "ssn", "iban", "email", "pattern"]);
}

#[test]
fn finds_that_overlap_become_one() {
    let set = set_of("detect = \"card\"\npattern = ['[0-9]{4} end', 'card [0-9]{4}']");
    let text = "a card 4111 1111 1111 1111 end";
    let found = set.find(text);
    assert_eq!(found.len(), 1);
    assert_eq!(&text[found[0].range()], "card 4111 1111 1111 1111 end");
}

/// Appends the digit that makes the number pass Luhn.
fn with_luhn_digit(mut number: String) -> String {
    for digit in '0'..='9' {
        number.push(digit);
        let digits: Vec<u8> = number.bytes().map(|b| b - b'0').collect();
        if card::luhn(&digits) {
            break;
        }
        number.pop();
    }
    number
}

/// Is any of the digits another one?
fn varied(number: &str) -> bool {
    number.bytes().any(|b| Some(b) != number.bytes().next())
}

fn spaced(number: &str, separator: &str) -> String {
    let groups: Vec<String> = number.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into()).collect();
    groups.join(separator)
}

proptest! {
    #[test]
    fn every_visa_and_mastercard_is_found(
        number in "(4[0-9]{14}|5[1-5][0-9]{13}|222[1-9][0-9]{11}|2[3-6][0-9]{13}|3528[0-9]{11}|6011[0-9]{11})",
        separator in prop::sample::select(vec!["", " ", "-", ".", "\u{a0}", "\u{2013}", "\u{200b}", "\u{2009}"]),
    ) {
        let number = with_luhn_digit(number);
        prop_assume!(varied(&number));
        let number = spaced(&number, separator);
        let text = format!("x {number} y");
        prop_assert_eq!(hits(&["card"], &text), [number.as_str()]);
    }

    #[test]
    fn no_number_that_fails_luhn_is_found(number in "(4|5[1-5])[0-9]{14,15}") {
        let digits: Vec<u8> = number.bytes().map(|b| b - b'0').collect();
        prop_assume!(!card::luhn(&digits));
        prop_assert_eq!(hits(&["card"], &number), [""; 0]);
    }

    #[test]
    fn every_valid_ssn_is_found(area in 1u32..900, group in 1u32..100, serial in 1u32..10_000) {
        let text = format!("{area:03}-{group:02}-{serial:04}");
        let valid = area != 666 && (area, group, serial) != (78, 5, 1120) && (area, group, serial) != (219, 9, 9999);
        prop_assert_eq!(hits(&["ssn"], &text).len(), usize::from(valid));
    }

    #[test]
    fn every_german_iban_is_found_and_no_other(bban in "[0-9]{18}", wrong in 1u32..96) {
        // Check digits: 98 minus the remainder with `DE00` at the end (D = 13, E = 14).
        let rest = format!("{bban}131400").bytes().fold(0u32, |rest, b| (rest * 10 + u32::from(b - b'0')) % 97);
        let check = 98 - rest;
        let good = spaced(&format!("DE{check:02}{bban}"), " ");
        prop_assert_eq!(hits(&["iban"], &good), [good.as_str()]);
        let bad = spaced(&format!("DE{:02}{bban}", (check + wrong) % 97), " ");
        prop_assert_eq!(hits(&["iban"], &bad), [""; 0]);
    }

    #[test]
    fn anything_goes_in_and_ranges_are_sorted_apart_and_on_boundaries(
        text in "([0-9]{1,5}|[ \\-.@\u{a0}\u{200b}]|\\PC|[a-z]{1,3}|4111 ?1111-?|DE89|\u{661}){0,60}",
    ) {
        let set = set_of("detect = [\"card\", \"ssn\", \"iban\", \"email\"]\npattern = '[a-c]+1'\ngroups = \"any\"");
        let mut last = 0;
        for found in set.find(&text) {
            prop_assert!(found.range().start >= last && found.range().start < found.range().end);
            prop_assert!(text.get(found.range()).is_some());
            last = found.range().end;
        }
    }
}
