//! Lines that are too long for the wire, in what is edited and cannot be encoded anew: header fields, and what stands
//! between the parts of a multipart.
//!
//! Invariant: no octet goes. What comes in is a line end before white space, which unfolding takes out again (RFC 5322
//! §2.2.3), and in text that nobody shows one with a blank behind it.

use std::borrow::Cow;

use super::LineEnd;
use super::transfer::MAX_LINE;

/// Octets of a line without its line end, of which a CR may be counted.
const LIMIT: usize = MAX_LINE - 1;

/// The raw value of a field, folded where a line is too long; `before` octets stand on its first line. A line without white
/// space at which it can be folded stays too long.
pub(super) fn folded(value: &[u8], before: usize, line_end: LineEnd) -> Cow<'_, [u8]> {
    broken(value, before, line_end, false)
}

/// Text of whole lines, with a line end wherever a line would be too long. A new line begins with a blank: it is no
/// delimiter.
pub(super) fn wrapped(text: &[u8], line_end: LineEnd) -> Cow<'_, [u8]> {
    broken(text, 0, line_end, true)
}

/// True where a line is too long for the wire; `before` octets stand on the first.
pub(super) fn is_too_long(value: &[u8], before: usize) -> bool {
    let mut before = before;
    value.split(|b| *b == b'\n').any(|line| line.len() + std::mem::take(&mut before) > MAX_LINE)
}

fn broken(text: &[u8], before: usize, line_end: LineEnd, anywhere: bool) -> Cow<'_, [u8]> {
    if !is_too_long(text, before) {
        return Cow::Borrowed(text);
    }
    let newline = line_end.as_bytes();
    let mut out = Vec::with_capacity(text.len() + text.len() / LIMIT * 3 + 3);
    let mut before = before;
    for line in text.split_inclusive(|b| *b == b'\n') {
        let mut rest = line;
        let mut room = LIMIT.saturating_sub(std::mem::take(&mut before));
        // No line of a field may be left without anything but white space.
        let end = if anywhere { line.len() } else { line.trim_ascii_end().len() };
        while rest.len() > room + 1 {
            let kept = end.saturating_sub(line.len() - rest.len());
            let window = rest.get(..kept.min(room + 1)).unwrap_or_default();
            let (at, blank) = match place(window) {
                Some(at) => (at, &b""[..]),
                None if anywhere && kept > room => (whole_character(rest, room), &b" "[..]),
                None => break,
            };
            let (head, tail) = rest.split_at(at);
            out.extend_from_slice(head);
            out.extend_from_slice(newline);
            out.extend_from_slice(blank);
            rest = tail;
            room = LIMIT - blank.len();
        }
        out.extend_from_slice(rest);
    }
    Cow::Owned(out)
}

/// Where to put a line end: before the last white space with text before it, rather one behind a `;` or a `,`.
fn place(window: &[u8]) -> Option<usize> {
    let is_blank = |b: &u8| matches!(b, b' ' | b'\t');
    let text = window.iter().position(|b| !is_blank(b))?;
    let mut fallback = None;
    for at in (text + 1..window.len()).rev() {
        if window.get(at).is_some_and(is_blank) {
            fallback = fallback.or(Some(at));
            if at.checked_sub(1).and_then(|before| window.get(before)).is_some_and(|b| b";,".contains(b)) {
                return Some(at);
            }
        }
    }
    fallback
}

/// The end of the last whole character of UTF-8 before `at`, which is not the first octet.
fn whole_character(text: &[u8], at: usize) -> usize {
    let within = |at: usize| text.get(at).is_some_and(|b| b & 0xC0 == 0x80);
    (at.saturating_sub(3)..=at).rev().find(|at| !within(*at)).unwrap_or(at).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(value: &str) -> String {
        String::from_utf8(folded(value.as_bytes(), 9, LineEnd::CrLf).into_owned()).unwrap()
    }

    #[test]
    fn a_long_value_is_folded_at_its_blanks_and_reads_as_before() {
        let value = format!(" {}", "word ".repeat(500));
        let out = fold(&value);
        assert!(out.lines().all(|line| line.len() < MAX_LINE && !line.trim().is_empty()), "{out}");
        assert_eq!(out.replace("\r\n", ""), value);
        assert_eq!(fold(" short"), " short");
    }

    #[test]
    fn a_long_value_is_folded_between_its_parameters_if_it_can_be() {
        let value = format!(" text/csv; a={}; name=\"{}\"", "x".repeat(600), "y z ".repeat(100));
        let first = format!(" text/csv; a={};", "x".repeat(600));
        assert_eq!(fold(&value).lines().next(), Some(first.as_str()));
    }

    #[test]
    fn a_long_word_is_not_divided_in_a_field() {
        let value = format!(" a {} b", "x".repeat(1_200));
        assert_eq!(fold(&value), format!(" a\r\n {} b", "x".repeat(1_200)));
        assert!(is_too_long(fold(&value).as_bytes(), 9));
        let blank = format!(" a{}", " ".repeat(1_200));
        assert_eq!(fold(&blank), blank, "no line of white space alone");
    }

    #[test]
    fn text_that_is_no_field_is_wrapped_whatever_it_holds() {
        for text in [
            format!("{}\r\n", "x".repeat(3_000)),
            "--".repeat(2_000),
            format!("{}\r\n--b", "é".repeat(1_500)),
            format!("a\r\n{}{}\r\n", "word ".repeat(300), " ".repeat(2_000)),
        ] {
            let out = wrapped(text.as_bytes(), LineEnd::CrLf).into_owned();
            let out = String::from_utf8(out).expect("whole characters");
            let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(without_blanks(&out), without_blanks(&text));
            assert!(!out.contains("\n--") || text.contains("\n--"), "{out}");
            assert!(out.lines().all(|line| line.len() < MAX_LINE), "{out}");
        }
    }
}
