//! Character references: `&amp;`, `&eacute`, `&#8364;`, `&#x20AC;` (HTML §13.2.5.72 to .80).

/// The longest name, with its `;`: `&CounterClockwiseContourIntegral;`.
const LONGEST: usize = 33;

/// More digits than any character needs; a reference is read to its end all the same.
const TOO_LARGE: u32 = 0x11_0000;

/// What a numeric reference to 0x80..=0x9F means: windows-1252, where that has a character.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// What a character reference stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoded {
    Char(char),
    Text(&'static str),
}

/// The character reference at the start of `source`, which begins with `&`, and how many bytes it takes.
pub(super) fn decode(source: &str) -> Option<(Decoded, usize)> {
    let bytes = source.as_bytes();
    if bytes.get(1) == Some(&b'#') { numeric(bytes) } else { named(bytes) }
}

fn numeric(bytes: &[u8]) -> Option<(Decoded, usize)> {
    let (first, radix) = if matches!(bytes.get(2), Some(b'x' | b'X')) { (3, 16) } else { (2, 10) };
    let mut at = first;
    let mut code: u32 = 0;
    while let Some(digit) = bytes.get(at).and_then(|b| char::from(*b).to_digit(radix)) {
        code = code.saturating_mul(radix).saturating_add(digit).min(TOO_LARGE);
        at += 1;
    }
    if at == first {
        return None;
    }
    if bytes.get(at) == Some(&b';') {
        at += 1;
    }
    let char = match code {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9f => WINDOWS_1252.get(code as usize - 0x80).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some((Decoded::Char(char), at))
}

fn named(bytes: &[u8]) -> Option<(Decoded, usize)> {
    let window = bytes.get(..LONGEST.min(bytes.len()))?;
    let letters = window.iter().skip(1).take_while(|b| b.is_ascii_alphanumeric()).count();
    let mut length = 1 + letters;
    if letters == 0 {
        return None;
    }
    if window.get(length) == Some(&b';') {
        length += 1;
    }
    // Without `;` some names count also as the beginning of a longer word: `&copy2`, `&notit;`.
    for length in (2..=length).rev() {
        if let Some(found) = window.get(..length).and_then(|name| htmlize::ENTITIES.get(name)) {
            return Some((Decoded::Text(std::str::from_utf8(found).ok()?), length));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Decoded, decode};

    #[test]
    fn references_are_read_as_browsers_read_them() {
        let cases = [
            ("&amp;b", Some(("&", 5))),
            ("&ampb", Some(("&", 4))),
            ("&eacute;", Some(("é", 8))),
            ("&eacutex", Some(("é", 7))),
            ("&notit;", Some(("¬", 4))),
            ("&notin;", Some(("∉", 7))),
            ("&hellip", None),
            ("&hellip;", Some(("…", 8))),
            ("&CounterClockwiseContourIntegral;", Some(("∳", 33))),
            ("&ngE;", Some(("≧\u{338}", 5))),
            ("&nbsp;", Some(("\u{a0}", 6))),
            ("&#52;", Some(("4", 5))),
            ("&#52111", Some(("\u{cb8f}", 7))),
            ("&#x34;1", Some(("4", 6))),
            ("&#X34g", Some(("4", 5))),
            ("&#150;", Some(("–", 6))),
            ("&#0;", Some(("\u{fffd}", 4))),
            ("&#xD800;", Some(("\u{fffd}", 8))),
            ("&#99999999999999999999;", Some(("\u{fffd}", 23))),
            ("&#;", None),
            ("&#x;", None),
            ("&", None),
            ("& b", None),
            ("&;", None),
            ("&é", None),
            ("&unknown;", None),
        ];
        for (source, wanted) in cases {
            let found = decode(source).map(|(decoded, length)| match decoded {
                Decoded::Char(char) => (char.to_string(), length),
                Decoded::Text(text) => (text.to_owned(), length),
            });
            assert_eq!(found, wanted.map(|(text, length)| (text.to_owned(), length)), "{source}");
        }
    }
}
