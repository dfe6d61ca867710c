//! PGP in the text of a message: ASCII armor (RFC 9580 §6.2) and the cleartext signature framework (§7).
//!
//! Only whole armor counts: a line that begins it, alone on its line, and one that ends it. A line that only looks like a
//! beginning protects nothing, as anybody can write it.

use memchr::memmem;

use super::Protection;

const BEGIN: &[u8] = b"-----BEGIN PGP ";

/// What the first lines of armor are and the last, behind the dashes, with what they say of the text.
const ARMOR: &[(&[u8], &[u8], Protection)] = &[
    (b"MESSAGE-----", b"-----END PGP MESSAGE-----", Protection::Encrypted),
    (b"MESSAGE, PART ", b"-----END PGP MESSAGE, PART ", Protection::Encrypted),
    (b"SIGNED MESSAGE-----", b"-----END PGP SIGNATURE-----", Protection::Signed),
];

/// A quick look: false means that there is none. Of text as it is written, but for base64.
pub(super) fn may_be_in(raw: &[u8]) -> bool {
    memmem::find(raw, BEGIN).is_some()
}

/// The same of text in quoted-printable, where a beginning may be spelled, or a soft break may be in it.
pub(super) fn may_be_spelled_in(raw: &[u8]) -> bool {
    let in_pair = |first: Option<&u8>, second: Option<&u8>| {
        BEGIN.windows(2).any(|pair| pair.first() == first && pair.get(1) == second)
    };
    let is_sign = |at: usize| {
        let behind = raw.get(at + 1..).unwrap_or_default();
        match behind {
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => {
                in_pair(at.checked_sub(1).and_then(|i| raw.get(i)), rest.first())
            }
            [high, low, rest @ ..] => {
                let digit = |digit: u8| char::from(digit).to_digit(16);
                let octet = digit(*high).zip(digit(*low)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                // A space is spelled at the end of many a line, where it is none of a beginning.
                let ends_line = matches!(rest.first(), None | Some(b'\r' | b'\n'));
                octet.is_some_and(|octet| BEGIN.contains(&octet) && !(octet == b' ' && ends_line))
            }
            _ => false,
        }
    };
    may_be_in(raw) || memchr::memchr_iter(b'=', raw).any(is_sign)
}

/// What begins in a text, wherever it stands: the gravest.
pub(super) fn begins(text: &[u8]) -> Option<Protection> {
    let labels = memmem::find_iter(text, BEGIN).filter_map(|at| text.get(at + BEGIN.len()..));
    labels.filter_map(|label| ARMOR.iter().find(|(begin, ..)| label.starts_with(begin))).map(|(.., found)| *found).min()
}

/// What whole armor is in a text: the gravest.
pub(super) fn whole(text: &[u8]) -> Option<Protection> {
    let starts_line = |at: usize| {
        let before = text.get(..at).unwrap_or_default();
        let indent = before.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
        matches!(before.len().checked_sub(indent + 1).and_then(|i| before.get(i)), None | Some(b'\n' | b'\r'))
    };
    let mut found = None;
    // Where each sort of armor ends last: everything before that is closed.
    let ends: Vec<Option<usize>> = ARMOR.iter().map(|(_, end, _)| memmem::rfind(text, end)).collect();
    for at in memmem::find_iter(text, BEGIN) {
        let label = text.get(at + BEGIN.len()..).unwrap_or_default();
        let kinds = ARMOR
            .iter()
            .zip(&ends)
            .filter(|((begin, ..), end)| label.starts_with(begin) && end.is_some_and(|end| end > at));
        for ((_, _, protection), _) in kinds {
            if starts_line(at) {
                found = found.into_iter().chain([*protection]).min();
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "-----BEGIN PGP MESSAGE-----\n\nwcBMA0==\n=aBcD\n-----END PGP MESSAGE-----\n";
    const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHi\n-----BEGIN PGP SIGNATURE-----\n\nwsB==\n\
                          -----END PGP SIGNATURE-----\n";

    #[test]
    fn whole_armor_on_lines_of_its_own_counts() {
        let of = |text: &str| whole(text.as_bytes());
        assert_eq!(of(MESSAGE), Some(Protection::Encrypted));
        assert_eq!(of(&format!("Hi Kim,\r\n\r\n{}", MESSAGE.replace('\n', "\r\n"))), Some(Protection::Encrypted));
        assert_eq!(of(SIGNED), Some(Protection::Signed));
        assert_eq!(of(&format!("{SIGNED}\n{MESSAGE}")), Some(Protection::Encrypted));
        assert_eq!(of(&format!("  {MESSAGE}")), Some(Protection::Encrypted));
        assert_eq!(of(&MESSAGE.replace("MESSAGE-----", "MESSAGE, PART 1/2-----")), Some(Protection::Encrypted));
    }

    #[test]
    fn what_is_cut_quoted_or_a_key_does_not() {
        let of = |text: &str| whole(text.as_bytes());
        assert_eq!(of("Hi\n-----BEGIN PGP MESSAGE-----\nx"), None);
        assert_eq!(of("-----BEGIN PGP SIGNED MESSAGE-----\nx"), None);
        assert_eq!(of("-----END PGP MESSAGE-----\n-----BEGIN PGP MESSAGE-----\n"), None);
        assert_eq!(of(&MESSAGE.replace("-----BEGIN", "as in -----BEGIN")), None);
        assert_eq!(of(&format!("> {}", MESSAGE.replace('\n', "\n> "))), None);
        assert_eq!(of(&format!(">{}", MESSAGE.replace('\n', "\n>"))), None);
        assert_eq!(of(&MESSAGE.replace("MESSAGE", "PUBLIC KEY BLOCK")), None);
    }

    #[test]
    fn a_text_full_of_beginnings_takes_linear_time() {
        assert_eq!(whole("-----BEGIN PGP MESSAGE-----\n".repeat(50_000).as_bytes()), None);
    }
}
