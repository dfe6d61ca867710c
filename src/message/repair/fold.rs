//! Folding of header lines (RFC 5322 §2.2.3).

use super::super::transfer::MAX_LINE;

/// RFC 5322 §2.1.1: lines should be no longer.
const WIDTH: usize = 78;

/// The value of a field, whose first line begins at `column`, with each line over `limit` octets folded before white
/// space. White space is kept, so unfolding gives what it gave before. Lines end in CRLF where they are new.
pub(super) fn fold(value: &str, column: usize, limit: usize) -> String {
    let mut out = String::with_capacity(value.len() + value.len() / 32);
    for (nth, line) in value.split_inclusive('\n').enumerate() {
        let text = line.strip_suffix('\n').unwrap_or(line);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let mut column = if nth == 0 { column } else { 0 };
        if column + text.len() <= limit {
            out.push_str(line);
            continue;
        }
        // On a line of its own a name stands badly: the first word stays beside it if it can.
        let mut words = if nth == 0 { 0 } else { usize::from(text.starts_with([' ', '\t'])) };
        let mut rest = text;
        while !rest.is_empty() {
            let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            let word = rest.get(blank..).and_then(|r| r.find([' ', '\t'])).map_or(rest.len(), |end| blank + end);
            let (token, behind) = rest.split_at(word);
            let first = nth == 0 && words == 0;
            let over = column + token.len() > if first { MAX_LINE } else { WIDTH };
            // A line of nothing but white space is none.
            if blank > 0 && column > 0 && over && token.len() > blank {
                out.push_str("\r\n");
                column = 0;
            }
            out.push_str(token);
            column += token.len();
            words += 1;
            rest = behind;
        }
        out.push_str(line.get(text.len()..).unwrap_or_default());
    }
    out
}

/// True when a line of the value, whose first line begins at `column`, is too long.
pub(super) fn is_long(value: &[u8], column: usize) -> bool {
    value.split(|b| *b == b'\n').enumerate().any(|(nth, line)| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.len() + if nth == 0 { column } else { 0 } > MAX_LINE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_lines_are_folded_and_unfolding_gives_them_back() {
        let long = format!(" short\r\n {}\r\n tail", "word  ".repeat(300));
        let out = fold(&long, 3, MAX_LINE);
        assert_eq!(out.replace("\r\n", ""), long.replace("\r\n", ""));
        assert!(out.starts_with(" short\r\n word  word") && out.ends_with("\r\n tail"));
        assert!(out.split("\r\n").all(|line| line.len() <= WIDTH && !line.trim().is_empty()), "{out}");
        assert_eq!(fold(" short", 3, MAX_LINE), " short");
    }

    #[test]
    fn a_word_that_is_too_long_stays_whole() {
        let long = format!(" {} {}", "x".repeat(995), "y".repeat(1_500));
        let out = fold(&long, 10, MAX_LINE);
        assert!(out.starts_with("\r\n xxx"), "the name alone, as both do not fit");
        assert!(is_long(out.as_bytes(), 10));
    }

    #[test]
    fn a_line_that_begins_with_white_space_gets_no_empty_line_above_it() {
        let long = format!(" short\r\n {}", "x".repeat(1_500));
        assert_eq!(fold(&long, 3, MAX_LINE), long);
        let trailing = format!(" {}{}", "x".repeat(980), " ".repeat(40));
        assert_eq!(fold(&trailing, 3, MAX_LINE), trailing);
    }
}
