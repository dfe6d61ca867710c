//! What stands in place of a find.
//!
//! Invariant: ASCII but for the mask character of the rule, which becomes `*` where the text cannot take it as it is. A
//! mask that is laid over a find character for character has as many characters as the find.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::rule::value_key::ValueKey;

/// How a find is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `[CARD]`: the kind of data in brackets.
    Label,
    /// Every digit and letter becomes a mask character but the first and last so many; separators stay:
    /// `**** **** **** 1111`. At most half of the digits and letters are kept, however many are asked for.
    Keep { first: usize, last: usize },
    /// Every character but line ends becomes a mask character.
    Block,
    /// `j***@example.com`; what is no address keeps its last four.
    Partial,
    /// `CARD#7f3a91c2`: the same for the same value, by the key of the function.
    Pseudonym,
    /// Nothing.
    Remove,
    /// The whole text that holds a find gives way to a notice.
    Notice,
    /// Nothing is masked: the message is sent back.
    Bounce,
}

/// What stands in place of one find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mask {
    /// In place of all of it.
    Whole(String),
    /// A character for each of its characters.
    Each(String),
}

/// What is known of a find when it is masked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// What a label shows, without brackets.
    pub label: &'a str,
    /// The find as it is spelled.
    pub text: &'a str,
    /// As its detector reads it.
    pub value: &'a str,
}

/// Mask characters of [`Style::Partial`]: as many whatever the address is, so that its length is not told.
pub(super) const PARTIAL: usize = 3;
/// Hex digits of a pseudonym: two values in 65,000 would have the same with a chance of a half.
const PSEUDONYM: usize = 8;

impl Style {
    /// `character` is what stands for a digit or letter. Without a key, pseudonyms are labels.
    pub(super) fn mask(self, of: Subject<'_>, character: char, key: Option<&ValueKey>) -> Mask {
        match self {
            Self::Label | Self::Notice | Self::Bounce => Mask::Whole(format!("[{}]", of.label)),
            Self::Keep { first, last } => Mask::Each(keep(of.text, first, last, character)),
            Self::Block => {
                let each = |c| if matches!(c, '\r' | '\n') { c } else { character };
                Mask::Each(of.text.chars().map(each).collect())
            }
            Self::Partial => match of.text.rsplit_once('@') {
                Some((local, domain)) if local.chars().count() > 1 => {
                    let first: String = local.chars().take(1).filter(char::is_ascii_alphanumeric).collect();
                    let stars: String = std::iter::repeat_n(character, PARTIAL).collect();
                    Mask::Whole(format!("{first}{stars}@{}", ascii(domain, character)))
                }
                Some((_, domain)) => {
                    let stars: String = std::iter::repeat_n(character, PARTIAL).collect();
                    Mask::Whole(format!("{stars}@{}", ascii(domain, character)))
                }
                None => Mask::Each(keep(of.text, 0, 4, character)),
            },
            Self::Pseudonym => Mask::Whole(match key {
                Some(key) => format!("{}#{}", of.label, key.pseudonym(of.label, of.value)),
                None => format!("[{}]", of.label),
            }),
            Self::Remove => Mask::Whole(String::new()),
        }
    }
}

fn keep(text: &str, first: usize, last: usize, character: char) -> String {
    let count = text.chars().filter(|c| c.is_alphanumeric()).count();
    let last = last.min(count / 2);
    let first = first.min(count / 2 - last);
    let mut seen = 0;
    let mask = |c: char| {
        if !c.is_alphanumeric() {
            return c;
        }
        seen += 1;
        if seen <= first || seen > count - last { c } else { character }
    };
    text.chars().map(mask).collect()
}

/// A domain that is not ASCII is written by its owner in ASCII as well, but not here: it is no part of what is known.
fn ascii(domain: &str, character: char) -> String {
    domain.chars().map(|c| if c.is_ascii() { c } else { character }).collect()
}

impl ValueKey {
    fn pseudonym(&self, label: &str, value: &str) -> String {
        let digest = self.digest("pseudonym", label, value);
        let digits: String = digest.chars().take(PSEUDONYM).collect();
        // Digits alone would be a number again.
        match digits.strip_prefix(|c: char| c.is_ascii_digit()) {
            Some(rest) if digits.bytes().all(|b| b.is_ascii_digit()) => format!("a{rest}"),
            _ => digits,
        }
    }

    /// Hex digits that tell two values apart and say nothing of either without the key.
    pub(super) fn digest(&self, purpose: &str, detector: &str, value: &str) -> String {
        let Ok(mut hmac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.octets()) else { return String::new() };
        for piece in [purpose, detector, value] {
            hmac.update(&(piece.len() as u64).to_be_bytes());
            hmac.update(piece.as_bytes());
        }
        crate::hex::hex(&hmac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(style: Style, text: &str) -> String {
        let key = ValueKey::new("0123456789abcdef0123456789abcdef").unwrap();
        match style.mask(Subject { label: "CARD", text, value: text }, '*', Some(&key)) {
            Mask::Whole(text) | Mask::Each(text) => text,
        }
    }

    #[test]
    fn the_ends_stay_and_so_do_separators() {
        for (first, last, text, want) in [
            (0, 4, "4111 1111 1111 1111", "**** **** **** 1111"),
            (6, 4, "4111 1111 1111 1111", "4111 **** **** 1111"),
            (2, 2, "4111 1111 1111 1111", "41** **** **** **11"),
            (0, 4, "4111-1111\u{a0}1111.1111", "****-****\u{a0}****.1111"),
            (0, 4, "123-45-6789", "***-**-6789"),
            (0, 0, "DE89 3704", "**** ****"),
            (0, 4, "١٢٣٤٥٦٧٨", "****٥٦٧٨"),
            (0, 3, "ann@example.com", "***@*******.com"),
            (0, 100, "4111111111111111", "********11111111"),
            (0, 4, "A1", "*1"),
            (0, 4, "A", "*"),
        ] {
            assert_eq!(mask(Style::Keep { first, last }, text), want);
        }
    }

    #[test]
    fn masks_are_not_found_again() {
        let set = crate::rule::detect::DetectorSet::built_in(&["card", "ssn", "iban", "email"]).unwrap();
        let keep = |first, last| Style::Keep { first, last };
        let styles = [
            Style::Label,
            keep(0, 0),
            keep(0, 4),
            keep(4, 4),
            keep(0, 99),
            Style::Partial,
            Style::Block,
            Style::Pseudonym,
        ];
        for text in [
            "card 4111 1111 1111 1111",
            "SSN 123456789",
            "DE89 3704 0044 0532 0130 00",
            "ann@example.com",
            "ann [at] example [dot] com",
        ] {
            for style in styles {
                let mut masked = text.to_owned();
                for found in set.find(text).into_iter().rev() {
                    let new = mask(style, &text[found.range()]);
                    masked.replace_range(found.range(), &new);
                }
                assert_ne!(masked, text);
                assert_eq!(set.find(&masked), [], "{masked}");
            }
        }
    }

    #[test]
    fn other_styles() {
        assert_eq!(mask(Style::Label, "4111 1111"), "[CARD]");
        assert_eq!(mask(Style::Block, "41 11-11\r\n1"), "********\r\n*");
        assert_eq!(mask(Style::Partial, "john@example.com"), "j***@example.com");
        assert_eq!(mask(Style::Partial, "j@example.com"), "***@example.com");
        assert_eq!(mask(Style::Partial, "4111 1111 1111"), "**** **** 1111");
        assert_eq!(mask(Style::Remove, "4111"), "");
    }

    #[test]
    fn pseudonyms_are_the_same_for_the_same_value_and_the_same_key_only() {
        let one = mask(Style::Pseudonym, "4111111111111111");
        assert_eq!(one, mask(Style::Pseudonym, "4111111111111111"));
        assert_ne!(one, mask(Style::Pseudonym, "4111111111111112"));
        assert!(one.starts_with("CARD#") && one.len() == 13, "{one}");
        let other = ValueKey::new("0123456789abcdef0123456789abcdee").unwrap();
        assert_ne!(
            Mask::Whole(one),
            Style::Pseudonym.mask(Subject { label: "CARD", text: "", value: "4111111111111111" }, '*', Some(&other))
        );
    }
}
