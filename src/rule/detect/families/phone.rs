//! Telephone numbers: E.164 with its calling codes, the North American plan, and national numbers near a word that says so.
//!
//! A table of calling codes and lengths stands in for the metadata of libphonenumber, whose port costs a megabyte and
//! microseconds a number, and whose patterns a mail need not meet to be a leak.

use std::ops::Range;

use super::super::Confidence;
use super::super::catalog::{Find, Spec};
use super::super::digits::Group;
use super::super::numbers::Read;

/// The detector.
pub const SPEC: Spec = Spec {
    name: "phone",
    label: "PHONE",
    groups: &["contact"],
    doc: "telephone numbers: international, North American, and national ones near a word that says so",
    keywords: &[
        "phone",
        "phones",
        "telephone",
        "tel",
        "tel.",
        "mobile",
        "cell",
        "cellphone",
        "fax",
        "call",
        "call me",
        "dial",
        "sms",
        "text me",
        "whatsapp",
        "hotline",
        "landline",
        "ph",
        "mob",
        "telefon",
        "telefonnummer",
        "handy",
        "mobil",
        "mobilnummer",
        "rufnummer",
        "durchwahl",
        "t\u{e9}l\u{e9}phone",
        "t\u{e9}l",
        "portable",
        "tel\u{e9}fono",
        "telefono",
        "m\u{f3}vil",
        "movil",
        "celular",
        "cellulare",
        "telefone",
        "telem\u{f3}vel",
        "telefoon",
        "mobiel",
        "gsm",
        "telefonu",
        "kom\u{f3}rka",
        "puhelin",
        "mobiltelefon",
        "\u{442}\u{435}\u{43b}",
        "\u{442}\u{435}\u{43b}\u{435}\u{444}\u{43e}\u{43d}",
        "\u{96fb}\u{8a71}",
        "\u{7535}\u{8bdd}",
        "\u{624b}\u{673a}",
        "\u{643a}\u{5e2f}",
        "\u{c804}\u{d654}",
    ],
    find: Find::AtDigits(at),
};

/// Digits of the longest number (ITU-T E.164 §6.2.1).
const LONGEST: usize = 15;
/// Separators between two digits: `) - `.
const MAX_SEPARATOR: usize = 3;

/// Calling codes with the lengths of national numbers (ITU-T E.164 national numbering plans).
const CODES: &[(&str, usize, usize)] = &[
    ("1", 10, 10),
    ("7", 10, 10),
    ("20", 8, 10),
    ("27", 9, 9),
    ("30", 10, 10),
    ("31", 9, 9),
    ("32", 8, 9),
    ("33", 9, 9),
    ("34", 9, 9),
    ("36", 8, 9),
    ("39", 6, 11),
    ("40", 9, 9),
    ("41", 9, 9),
    ("43", 6, 13),
    ("44", 9, 10),
    ("45", 8, 8),
    ("46", 7, 10),
    ("47", 8, 8),
    ("48", 9, 9),
    ("49", 6, 13),
    ("51", 8, 9),
    ("52", 10, 11),
    ("53", 6, 8),
    ("54", 10, 11),
    ("55", 10, 11),
    ("56", 9, 9),
    ("57", 8, 10),
    ("58", 10, 10),
    ("60", 8, 10),
    ("61", 9, 9),
    ("62", 7, 12),
    ("63", 8, 10),
    ("64", 8, 10),
    ("65", 8, 8),
    ("66", 8, 9),
    ("81", 9, 10),
    ("82", 8, 10),
    ("84", 9, 10),
    ("86", 9, 11),
    ("90", 10, 10),
    ("91", 10, 10),
    ("92", 9, 10),
    ("93", 9, 9),
    ("94", 9, 9),
    ("95", 7, 10),
    ("98", 10, 10),
    ("211", 9, 9),
    ("212", 9, 9),
    ("213", 8, 9),
    ("216", 8, 8),
    ("218", 8, 9),
    ("22", 7, 10),
    ("23", 6, 10),
    ("24", 6, 9),
    ("25", 6, 10),
    ("26", 7, 9),
    ("29", 4, 7),
    ("350", 8, 8),
    ("351", 9, 9),
    ("352", 6, 11),
    ("353", 7, 9),
    ("354", 7, 9),
    ("355", 8, 9),
    ("356", 8, 8),
    ("357", 8, 8),
    ("358", 6, 12),
    ("359", 7, 9),
    ("370", 8, 8),
    ("371", 8, 8),
    ("372", 7, 8),
    ("373", 8, 8),
    ("374", 8, 8),
    ("375", 9, 9),
    ("376", 6, 9),
    ("377", 8, 9),
    ("378", 6, 10),
    ("380", 9, 9),
    ("381", 8, 9),
    ("382", 8, 8),
    ("383", 8, 9),
    ("385", 8, 9),
    ("386", 8, 8),
    ("387", 8, 9),
    ("389", 8, 8),
    ("420", 9, 9),
    ("421", 9, 9),
    ("423", 7, 9),
    ("50", 7, 8),
    ("59", 6, 9),
    ("67", 5, 8),
    ("68", 4, 7),
    ("69", 4, 7),
    ("800", 8, 8),
    ("808", 8, 8),
    ("85", 7, 9),
    ("870", 9, 12),
    ("880", 8, 10),
    ("881", 8, 10),
    ("882", 7, 12),
    ("883", 7, 12),
    ("886", 8, 9),
    ("960", 7, 7),
    ("961", 7, 8),
    ("962", 8, 9),
    ("963", 8, 9),
    ("964", 8, 10),
    ("965", 8, 8),
    ("966", 8, 9),
    ("967", 7, 9),
    ("968", 8, 8),
    ("970", 8, 9),
    ("971", 8, 9),
    ("972", 8, 9),
    ("973", 8, 8),
    ("974", 8, 8),
    ("975", 7, 8),
    ("976", 8, 8),
    ("977", 8, 10),
    ("992", 9, 9),
    ("993", 8, 8),
    ("994", 9, 9),
    ("995", 9, 9),
    ("996", 9, 9),
    ("998", 9, 9),
];

/// Digits with what may part them, from the first of them on.
struct Digits {
    /// Up to [`LONGEST`] and one.
    read: [u8; LONGEST + 1],
    /// Behind each of them.
    ends: [usize; LONGEST + 1],
    len: usize,
    /// How many digits the groups have.
    groups: [usize; LONGEST + 1],
    count: usize,
    /// Of what they are parted by: a bracket, a dash or a dot.
    signs: bool,
}

impl Digits {
    fn digits(&self) -> &[u8] {
        self.read.get(..self.len).unwrap_or_default()
    }
    fn groups(&self) -> &[usize] {
        self.groups.get(..self.count).unwrap_or_default()
    }
    /// Behind the digit of that number, from 1.
    fn end(&self, length: usize) -> Option<usize> {
        self.ends.get(..self.len)?.get(length.checked_sub(1)?).copied()
    }
    fn push(&mut self, digit: u8, end: usize, first: bool) {
        let (Some(place), Some(behind)) = (self.read.get_mut(self.len), self.ends.get_mut(self.len)) else { return };
        (*place, *behind) = (digit, end);
        self.len += 1;
        self.count += usize::from(first);
        if let Some(group) = self.count.checked_sub(1).and_then(|at| self.groups.get_mut(at)) {
            *group += 1;
        }
    }
}

fn gather(bytes: &[u8], start: usize) -> Digits {
    const NONE: usize = LONGEST + 1;
    let mut found = Digits { read: [0; NONE], ends: [0; NONE], len: 0, groups: [0; NONE], count: 0, signs: false };
    let (mut at, mut skipped) = (start, 0);
    while let Some(&byte) = bytes.get(at).filter(|_| found.len <= LONGEST) {
        match byte {
            b'0'..=b'9' => {
                // `(0)`: dialled within the country only.
                if byte == b'0' && skipped > 0 && bytes.get(at.wrapping_sub(1)..at + 2) == Some(b"(0)") {
                    at += 2;
                    continue;
                }
                found.push(byte, at + 1, skipped > 0 || found.len == 0);
                skipped = 0;
            }
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' if skipped < MAX_SEPARATOR => {
                skipped += 1;
                found.signs |=
                    byte != b' ' && bytes.get(at + 1..at + 3).is_some_and(|next| next.iter().any(u8::is_ascii_digit));
            }
            _ => break,
        }
        at += 1;
    }
    found
}

/// The length of a whole number behind its calling code, if there is such a code.
fn national(digits: &[u8]) -> Option<(usize, usize, usize)> {
    (1..=3).rev().find_map(|width| {
        let code = std::str::from_utf8(digits.get(..width)?).ok()?;
        let (_, least, most) = CODES.iter().find(|(known, ..)| {
            *known == code || (known.len() == 2 && code.len() == 3 && code.starts_with(known) && is_wide(known))
        })?;
        Some((width, *least, *most))
    })
}

/// Codes of two digits that stand for ten of three.
fn is_wide(code: &str) -> bool {
    matches!(code, "22" | "23" | "24" | "25" | "26" | "29" | "50" | "59" | "67" | "68" | "69" | "85")
}

/// North America: area and exchange begin with 2 to 9, and are not of the form N11.
fn is_nanp(digits: &[u8]) -> bool {
    let [a, a1, a2, e, e1, e2, ..] = digits else { return false };
    digits.len() == 10
        && *a >= b'2'
        && *e >= b'2'
        && (*a1, *a2) != (b'1', b'1')
        && (*e1, *e2) != (b'1', b'1')
        && *a1 != b'9'
}

fn byte(bytes: &[u8], at: Option<usize>) -> u8 {
    at.and_then(|at| bytes.get(at)).copied().unwrap_or(b' ')
}

fn at(bytes: &[u8], group: Group) -> Option<Read> {
    if group.len() > LONGEST {
        return None;
    }
    let before = byte(bytes, group.start.checked_sub(1));
    let (mut start, mut plus) = (group.start, false);
    if before == b'+' {
        (start, plus) = (group.start - 1, true);
    } else if before == b'(' {
        start -= 1;
        if byte(bytes, start.checked_sub(1)) == b'+' {
            (start, plus) = (start - 1, true);
        }
    }
    // A short number that no other follows is no telephone number, and most numbers are such.
    if !plus && group.len() < 6 {
        let behind = bytes.get(group.end..bytes.len().min(group.end + MAX_SEPARATOR + 1)).unwrap_or_default();
        let next = behind.iter().position(|b| !b" -./)(".contains(b));
        if next.is_none_or(|next| next == 0 || !behind.get(next).is_some_and(u8::is_ascii_digit)) {
            return None;
        }
    }
    let outside = byte(bytes, start.checked_sub(1));
    let touched = outside.is_ascii_alphanumeric() || b"_-./=&#$%@".contains(&outside) && !outside.is_ascii_whitespace();
    if touched && !(outside == b'=' || outside == b'/') {
        return None;
    }
    let found = gather(bytes, group.start);
    // A bracket that nothing closes is none of the number's.
    let inner = bytes.get(group.start..found.end(found.len)?)?;
    if before == b'(' && !inner.contains(&b')') {
        start = group.start;
        plus = false;
    }
    if plus || found.digits().starts_with(b"00") {
        return international(bytes, start, &found, plus);
    }
    plain(bytes, start, &found, before == b'(')
}

fn ends_well(bytes: &[u8], end: usize) -> bool {
    let next = byte(bytes, Some(end));
    let behind = byte(bytes, Some(end + 1));
    let goes_on = b".-/:,".contains(&next) && behind.is_ascii_alphanumeric();
    !goes_on && !next.is_ascii_alphanumeric() && !b"_@=%".contains(&next)
}

fn international(bytes: &[u8], start: usize, found: &Digits, plus: bool) -> Option<Read> {
    let skip = if plus { 0 } else { 2 };
    let digits = found.digits().get(skip..)?;
    let (width, least, most) = national(digits)?;
    // All digits if they fit, else the whole groups that do.
    let groups = found.groups();
    let length = (1..=groups.len()).rev().map(|count| groups.iter().take(count).sum::<usize>()).find(|&length| {
        let national = length.saturating_sub(skip + width);
        (least..=most).contains(&national) || (national == most + 1 && digits.get(width) == Some(&b'0'))
    })?;
    let end = found.end(length)?;
    let alone = if plus { Confidence::Medium } else { Confidence::Low };
    let range = start..end;
    ends_well(bytes, end).then_some(Read { range, alone: Some(alone), near: Confidence::High, elsewhere: true })
}

fn plain(bytes: &[u8], start: usize, found: &Digits, bracket: bool) -> Option<Read> {
    let end = found.end(found.len)?;
    let range: Range<usize> = start..end;
    let digits = found.digits();
    if !(6..=LONGEST).contains(&digits.len()) || !ends_well(bytes, end) {
        return None;
    }
    let local = if digits.len() == 11 { digits.strip_prefix(b"1").unwrap_or(digits) } else { digits };
    let groups = found.groups();
    if is_nanp(local) && matches!(groups, [3, 3, 4] | [1, 3, 3, 4]) {
        let alone = if found.signs { Confidence::Medium } else { Confidence::Low };
        return Some(Read { range, alone: Some(alone), near: Confidence::High, elsewhere: true });
    }
    // Elsewhere numbers begin with the trunk prefix 0, and only words tell them from others. Dates and sums do not count.
    // Nor do US postal codes.
    let dated = matches!(groups, [4, 2, 2] | [1 | 2, 2, 4] | [2, 1, 4] | [5, 4]);
    // Versions, addresses of hosts and book numbers have single digits between their dots and dashes.
    let single = groups.iter().skip(1).any(|&group| group == 1) || (groups.len() > 3 && digits.len() < 8);
    let many = groups.len() > 6 || single;
    let alone = (digits.first() == Some(&b'0') && (bracket || groups.len() > 1) && digits.len() >= 9)
        .then_some(Confidence::Low);
    (!dated && !many && digits.len() >= 7).then_some(Read { range, alone, near: Confidence::Medium, elsewhere: true })
}
