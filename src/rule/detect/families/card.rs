//! Payment cards: issuer ranges and lengths (ISO/IEC 7812), Luhn, the usual grouping.

use std::ops::Range;

use super::super::Confidence;
use super::super::catalog::{Find, Spec};
use super::super::context;
use super::super::digits::{self, Class, Group};

/// Payment card numbers.
pub const SPEC: Spec = Spec {
    name: "card",
    label: "CARD",
    groups: &["financial"],
    doc: "payment card numbers of all issuers",
    keywords: WORDS,
    find: Find::Card,
};

const WORDS: &[&str] = &[
    "card",
    "cards",
    "cardno",
    "card number",
    "cc",
    "ccn",
    "credit",
    "debit",
    "visa",
    "mastercard",
    "maestro",
    "amex",
    "american express",
    "discover",
    "diners",
    "jcb",
    "unionpay",
    "union pay",
    "rupay",
    "cvv",
    "cvc",
    "cvv2",
    "expiry",
    "exp",
    "expires",
    "valid thru",
    "valid until",
    "karte",
    "kreditkarte",
    "kartennummer",
    "carte",
    "carte bancaire",
    "tarjeta",
    "carta",
    "cartao",
    "kort",
    "kaart",
    "creditcard",
    "debitcard",
    "bankcard",
];

/// Digits of the longest prefix of an issuer, and what cuts so many off.
const PREFIX: usize = 6;
const TENS: [u32; PREFIX] = [1, 10, 100, 1_000, 10_000, 100_000];
/// Digits of the shortest and the longest card number.
pub const SHORTEST: usize = 12;
const LONGEST: usize = 19;

/// A range of issuer numbers.
struct Issuer {
    /// First and last prefix, of the same number of digits.
    prefixes: (u32, u32),
    /// Digits that the number has at least and at most.
    lengths: (usize, usize),
    /// Lengths at which prefix and Luhn are enough; at others a keyword must stand near.
    sure: &'static [usize],
    /// The issuer gives out numbers without a Luhn digit: then a keyword must stand near.
    luhn_optional: bool,
}

const fn issuer(prefixes: (u32, u32), lengths: (usize, usize), sure: &'static [usize]) -> Issuer {
    Issuer { prefixes, lengths, sure, luhn_optional: false }
}

/// Who issues what. Telephone numbers, EAN and IMEI numbers are as long as the short lengths, hence `sure`.
const ISSUERS: &[Issuer] = &[
    // Visa.
    issuer((4, 4), (13, 13), &[]),
    issuer((4, 4), (16, 16), &[16]),
    issuer((4, 4), (19, 19), &[19]),
    // Mastercard.
    issuer((51, 55), (16, 16), &[16]),
    issuer((2221, 2720), (16, 16), &[16]),
    // American Express.
    issuer((34, 34), (15, 15), &[15]),
    issuer((37, 37), (15, 15), &[15]),
    // Discover.
    issuer((6011, 6011), (16, 19), &[16, 19]),
    issuer((622_126, 622_925), (16, 19), &[16, 19]),
    issuer((644, 649), (16, 19), &[16, 19]),
    issuer((65, 65), (16, 19), &[16, 19]),
    // Diners Club.
    issuer((300, 305), (14, 19), &[14, 16, 19]),
    issuer((3095, 3095), (14, 19), &[14, 16, 19]),
    issuer((36, 36), (14, 19), &[14, 16, 19]),
    issuer((38, 39), (14, 19), &[14, 16, 19]),
    // JCB.
    issuer((3528, 3589), (16, 19), &[16, 19]),
    // UnionPay.
    Issuer { prefixes: (62, 62), lengths: (16, 19), sure: &[16, 17, 18, 19], luhn_optional: true },
    // Maestro.
    issuer((50, 50), (12, 19), &[16]),
    issuer((56, 69), (12, 19), &[16]),
    // Mir.
    issuer((2200, 2204), (16, 19), &[16, 19]),
    // RuPay.
    issuer((60, 60), (16, 16), &[16]),
    issuer((81, 82), (16, 16), &[16]),
    issuer((508, 508), (16, 16), &[16]),
];

/// What issuer ranges and Luhn say of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// It may be one, if a keyword stands near.
    Weak,
    /// It is one.
    Sure,
}

/// ISO/IEC 7812-1 Annex B.
pub fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match (place % 2, u32::from(digit)) {
            (0, value) => value,
            (_, value) if value > 4 => value * 2 - 9,
            (_, value) => value * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn standing(number: &[u8]) -> Option<Standing> {
    let first = number.first()?;
    if number.iter().all(|digit| digit == first) {
        return None;
    }
    let checked = luhn(number);
    // Most candidates end here, before the table.
    if !checked && !number.starts_with(&[6, 2]) {
        return None;
    }
    let start = number.get(..PREFIX)?.iter().fold(0, |value, &digit| value * 10 + u32::from(digit));
    ISSUERS
        .iter()
        .filter_map(|issuer| {
            let (low, high) = issuer.prefixes;
            let width = low.checked_ilog10()? as usize + 1;
            let prefix = start / TENS.get(PREFIX - width)?;
            let fits = (low..=high).contains(&prefix)
                && (issuer.lengths.0..=issuer.lengths.1).contains(&number.len())
                && (checked || issuer.luhn_optional);
            let sure = checked && issuer.sure.contains(&number.len());
            fits.then_some(if sure { Standing::Sure } else { Standing::Weak })
        })
        .max()
}

/// How cards are printed: groups of four and a last one of at most four; 4-6-5 and 4-6-4; 4-4-5.
fn usual(groups: &[usize]) -> bool {
    match groups {
        [_] | [4, 6, 4 | 5] | [4, 4, 5] => true,
        [fours @ .., last] => fours.iter().all(|&len| len == 4) && (1..=4).contains(last),
        [] => false,
    }
}

/// The card number that begins with `group`: its range and how sure it is. `before` is the group before it, unless
/// that is part of another find. With `any_groups`, digits may be grouped in any way, over quoted lines too. `vouched` says
/// whether a keyword stands near.
pub fn at(
    bytes: &[u8],
    group: Group,
    before: Option<Group>,
    any_groups: bool,
    vouched: &mut dyn FnMut(&Range<usize>) -> bool,
) -> Option<(Range<usize>, Confidence)> {
    if !(b'2'..=b'8').contains(bytes.get(group.start)?)
        || group.len() > LONGEST
        || (!any_groups && group.len() != 4 && group.len() < SHORTEST)
    {
        return None;
    }
    // Years and prices: no other group follows, as it does in a card.
    if !any_groups
        && group.len() == 4
        && !digits::follower(bytes, group, 7, false).is_some_and(|(_, next)| matches!(next.len(), 4 | 6))
    {
        return None;
    }
    let mut number = Vec::with_capacity(LONGEST);
    let mut lens = Vec::with_capacity(LONGEST / 4 + 1);
    let mut ends = Vec::with_capacity(LONGEST / 4 + 1);
    let mut class: Option<Class> = None;
    let mut next = Some(group);
    while let Some(group) = next {
        if number.len() + group.len() > LONGEST {
            break;
        }
        number.extend(bytes.get(group.start..group.end)?.iter().map(|digit| digit - b'0'));
        lens.push(group.len());
        ends.push((group.end, number.len()));
        next = digits::follower(bytes, group, LONGEST + 1, any_groups)
            .filter(|&(found, _)| any_groups || *class.get_or_insert(found) == found)
            .map(|(_, group)| group);
    }
    // The longest first: a shorter one inside it would leave its tail to be read.
    for (count, &(end, len)) in ends.iter().enumerate().rev() {
        if len < SHORTEST {
            break;
        }
        let groups = lens.get(..=count)?;
        // Of four groups of four, three are none.
        let cut = len < 16 && groups.iter().all(|&len| len == 4) && lens.get(count + 1) == Some(&4);
        if !any_groups && (!usual(groups) || cut) {
            continue;
        }
        let Some(mut standing) = number.get(..len).and_then(standing) else { continue };
        let range = group.start..end;
        if context::is_something_else(bytes, &range) || (len <= 15 && context::follows_plus(bytes, group.start)) {
            continue;
        }
        if is_inside_longer(bytes, &range, groups, before, class) {
            standing = Standing::Weak;
        }
        match standing {
            Standing::Sure => return Some((range, Confidence::High)),
            Standing::Weak if vouched(&range) => {
                return Some((range, Confidence::Medium));
            }
            Standing::Weak => {}
        }
    }
    None
}

/// Does the number look like the middle or the start of a longer one: a tracking number in groups of four, an order
/// number with parts before or behind?
fn is_inside_longer(
    bytes: &[u8],
    range: &Range<usize>,
    groups: &[usize],
    before: Option<Group>,
    class: Option<Class>,
) -> bool {
    // What stands on another line, or apart by ` - `, is another number.
    let parted = before.and_then(|before| {
        let (found, start) = digits::separator(bytes, before.end, false)?;
        let gap = bytes.get(before.end..start)?;
        let apart = gap.contains(&b'\n') || (found == Class::Dash && gap.len() > 1);
        (start == range.start && !apart).then_some((found, before.len()))
    });
    if let [_] = groups {
        let behind = digits::separator(bytes, range.end, false).and_then(|(found, start)| {
            let long = digits::digits_end(bytes.get(..bytes.len().min(start + 8))?, start) - start > 4;
            (found == Class::Dash && long).then_some(())
        });
        return matches!(parted, Some((Class::Dash, _))) || behind.is_some();
    }
    matches!(parted, Some((found, 4)) if Some(found) == class)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect()
    }

    /// Published test numbers of the issuers and of payment services.
    #[test]
    fn issuers() {
        for number in [
            "4111111111111111",
            "4000000000000000006",
            "5555555555554444",
            "5105105105105100",
            "2221000000000009",
            "2223003122003222",
            "2720990000000007",
            "378282246310005",
            "371449635398431",
            "341111111111111",
            "6011111111111117",
            "6011000990139424",
            "6445644564456445",
            "6500000000000002",
            "30569309025904",
            "36227206271667",
            "38520000023237",
            "3530111333300000",
            "3566002020360505",
            "6200000000000005",
            "6759649826438453",
            "5018000000000009",
            "2200000000000004",
        ] {
            assert_eq!(standing(&digits(number)), Some(Standing::Sure), "{number}");
        }
        for number in ["4222222222222", "6759000000005", "500000000009"] {
            assert_eq!(standing(&digits(number)), Some(Standing::Weak), "{number}");
        }
    }

    #[test]
    fn no_cards() {
        for number in [
            "4111111111111112", // Luhn
            "4444444444444444", // one digit
            "0000000000000000",
            "1700000000000000", // no issuer
            "2721000000000004", // above the range
            "2220999999999999", // below it
            "41111111111111",   // Visa of 14
            "555555555555444",  // Mastercard of 15
            "",
        ] {
            assert_eq!(standing(&digits(number)).filter(|s| *s == Standing::Sure), None, "{number}");
        }
    }

    #[test]
    fn unionpay_without_luhn_is_weak() {
        assert_eq!(standing(&digits("6200000000000006")), Some(Standing::Weak));
    }

    #[test]
    fn grouping() {
        for groups in [&[16][..], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[4, 4, 4, 1]] {
            assert!(usual(groups), "{groups:?}");
        }
        for groups in [&[][..], &[5, 5, 6], &[2, 2, 4, 4, 4], &[4, 4, 4, 5], &[8, 8]] {
            assert!(!usual(groups), "{groups:?}");
        }
    }
}
