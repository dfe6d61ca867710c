//! Raw 8-bit text of a header as RFC 2047 encoded words; what is ASCII in it stays.

use encodify::Fold;
use encodify::rfc2047::{B, EncodedWord, Q_PHRASE, WordEncoder};

/// Octets of a line with encoded words (RFC 2047 §2).
const LINE: usize = 76;
/// Octets of the shortest word that holds any character: `=?utf-8?Q?=F0=9F=8E=89?=`.
const ROOM: usize = 24;

/// Text with its words that are not ASCII encoded. `column`: where it begins on its line. White space between words that
/// are encoded side by side goes into them, as readers do not show it there (RFC 2047 §6.2).
pub(super) fn encode(text: &str, column: usize) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let tokens = tokens(text);
    let mut at = 0;
    while let Some(&(blank, word)) = tokens.get(at) {
        out.push_str(blank);
        if word.is_ascii() {
            out.push_str(word);
            at += 1;
            continue;
        }
        let mut group = String::new();
        if at.checked_sub(1).and_then(|i| tokens.get(i)).is_some_and(|(_, before)| is_encoded(before)) {
            group.push_str(&unfolded(blank));
        }
        group.push_str(word);
        at += 1;
        while let Some((blank, word)) = tokens.get(at) {
            if word.is_ascii() {
                if is_encoded(word) {
                    group.push_str(&unfolded(blank));
                }
                break;
            }
            group.push_str(&unfolded(blank));
            group.push_str(word);
            at += 1;
        }
        append(&group, column, &mut out);
    }
    out
}

/// Append `text` as encoded words that may stand in text, phrases and comments alike.
pub(super) fn append(text: &str, column: usize, out: &mut String) {
    let words: WordEncoder = if Q_PHRASE.payload_len(text) <= B.payload_len(text) { Q_PHRASE } else { B };
    let mut column = make_room(out, column);
    words.encode_words("utf-8", text, &mut column, Fold::HEADER, out);
}

/// Fold a line of `out` that has no room for a word before the white space that it has: no more comes in. Answers at which
/// column `out`, which began at `column`, then ends.
pub(super) fn make_room(out: &mut String, column: usize) -> usize {
    let column = column_of(out, column);
    let opened = out.trim_end_matches('(').len();
    let blank = out.get(..opened).unwrap_or_default().trim_end_matches([' ', '\t']).len();
    if column + ROOM <= LINE || blank == opened || out.get(..blank).unwrap_or_default().ends_with('\n') {
        return column;
    }
    out.insert_str(blank, "\r\n");
    out.len() - blank - 2
}

/// Where what is appended to `out`, which began at `column`, would stand on its line.
fn column_of(out: &str, column: usize) -> usize {
    match out.rfind('\n') {
        Some(at) => out.len() - at - 1,
        None => column + out.len(),
    }
}

/// White space and the word behind it; at the end maybe white space alone.
fn tokens(text: &str) -> Vec<(&str, &str)> {
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let mut rest = text;
    let mut tokens = Vec::new();
    while !rest.is_empty() {
        let (blank, behind) = rest.split_at(rest.find(|c| !is_blank(c)).unwrap_or(rest.len()));
        let (word, behind) = behind.split_at(behind.find(is_blank).unwrap_or(behind.len()));
        tokens.push((blank, word));
        rest = behind;
    }
    tokens
}

/// Folding white space as readers show it.
fn unfolded(blank: &str) -> String {
    if blank.contains('\n') { " ".to_owned() } else { blank.to_owned() }
}

fn is_encoded(word: &str) -> bool {
    EncodedWord::parse(word.as_bytes()).is_some_and(|(_, len)| len == word.len())
}

#[cfg(test)]
mod tests {
    use super::super::super::header::decode_value;
    use super::*;

    #[test]
    fn what_is_ascii_stays_and_all_of_it_reads_as_before() {
        for (text, expected) in [
            (" Re: Grüße", " Re: =?utf-8?B?R3LDvMOfZQ==?="),
            (" Grüße und Küsse", " =?utf-8?B?R3LDvMOfZQ==?= und =?utf-8?B?S8O8c3Nl?="),
            (" é è x", " =?utf-8?B?w6kgw6g=?= x"),
            (" =?utf-8?Q?a?= é =?utf-8?Q?b?=", " =?utf-8?Q?a?= =?utf-8?Q?_=C3=A9_?= =?utf-8?Q?b?="),
        ] {
            assert_eq!(encode(text, 8), expected);
            assert_eq!(decode_value(expected.as_bytes()), decode_value(text.as_bytes()));
        }
    }

    #[test]
    fn a_line_is_folded_at_the_white_space_that_is_there() {
        let text = format!(" {} 🎉 and", "x".repeat(60));
        let out = encode(&text, 8);
        assert_eq!(out, format!(" {}\r\n =?utf-8?B?8J+OiQ==?= and", "x".repeat(60)));
        assert_eq!(out.replace("\r\n", "").replace("=?utf-8?B?8J+OiQ==?=", "🎉"), text);
    }

    #[test]
    fn long_text_becomes_many_words_none_of_which_splits_a_character() {
        let text = format!(" {}", "日本語".repeat(120));
        let out = encode(&text, 8);
        assert!(out.split("\r\n").all(|line| line.len() <= 76), "{out}");
        assert_eq!(decode_value(out.as_bytes()), text.trim());
        for word in out.split_whitespace() {
            let (word, _) = EncodedWord::parse(word.as_bytes()).unwrap();
            assert!(String::from_utf8(word.decode().unwrap()).is_ok());
        }
    }
}
