//! US social security numbers: area, group and serial (SSA, randomised since 2011; there is no check digit).

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::Confidence;
use super::catalog::Spec;
use super::context;
use super::digits::{self, Class, Group};

/// US social security numbers.
pub const SPEC: Spec =
    Spec { name: "ssn", label: "SSN", groups: &["national-ids", "us"], doc: "US social security numbers" };

const WORDS: &[&str] = &[
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
];

static KEYWORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| context::words(WORDS));

/// Printed in advertisements and leaflets, never anyone's again.
const SAMPLES: &[(u32, u32, u32)] = &[(78, 5, 1120), (219, 9, 9999)];

/// Is this a number that may have been given out?
pub fn valid(area: u32, group: u32, serial: u32) -> bool {
    !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0 && !SAMPLES.contains(&(area, group, serial))
}

fn value(bytes: &[u8], range: Range<usize>) -> u32 {
    bytes.get(range).unwrap_or_default().iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
}

/// The number that begins with `group`: `123-45-6789` with any one separator, or nine digits near a keyword.
pub fn at(bytes: &[u8], group: Group, before: Option<Group>) -> Option<(Range<usize>, Confidence)> {
    let (end, class) = match group.len() {
        9 => (group.end, None),
        3 => {
            let (class, second) = digits::follower(bytes, group, 3, false)?;
            let (again, third) = digits::follower(bytes, second, 5, false)?;
            if second.len() != 2 || third.len() != 4 || class != again {
                return None;
            }
            (third.end, Some(class))
        }
        _ => return None,
    };
    let range = group.start..end;
    let number: Vec<u8> = bytes.get(range.clone())?.iter().copied().filter(u8::is_ascii_digit).collect();
    if !valid(value(&number, 0..3), value(&number, 3..5), value(&number, 5..9))
        || context::is_something_else(bytes, &range)
        || context::follows_plus(bytes, group.start)
    {
        return None;
    }
    let neighbour = |found: Class| found != Class::Space || class != Some(Class::Dash);
    let touched = before.is_some_and(|before| {
        digits::separator(bytes, before.end, false)
            .is_some_and(|(found, start)| start == group.start && neighbour(found))
    }) || digits::separator(bytes, end, false).is_some_and(|(found, _)| neighbour(found));
    // `123-45-6789-01` is some other number, whatever stands near.
    if class.is_some()
        && touched
        && digits::separator(bytes, end, false).is_some_and(|(found, _)| Some(found) == class && found != Class::Space)
    {
        return None;
    }
    let letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let glued = letter(group.start.checked_sub(1)) || letter(Some(end));
    let broken = bytes.get(range.clone())?.contains(&b'\n') && class == Some(Class::Space);
    if class.is_some() && !touched && !glued && !broken {
        return Some((range, Confidence::High));
    }
    context::near(bytes, &range, KEYWORDS.as_ref()).then_some((range, Confidence::Medium))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_groups_and_serials() {
        for (area, group, serial) in [(1, 1, 1), (123, 45, 6789), (665, 99, 9999), (899, 1, 1), (772, 10, 1)] {
            assert!(valid(area, group, serial), "{area}-{group}-{serial}");
        }
        for (area, group, serial) in [
            (0, 45, 6789),
            (666, 45, 6789),
            (900, 45, 6789),
            (987, 65, 4320),
            (123, 0, 6789),
            (123, 45, 0),
            (78, 5, 1120),
            (219, 9, 9999),
        ] {
            assert!(!valid(area, group, serial), "{area}-{group}-{serial}");
        }
    }
}
