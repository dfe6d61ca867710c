//! mbox files, read as `mboxrd`: each message begins with a `From ` line and ends with an empty line, and a line of
//! the message that begins with `>From ` (with any number of `>`) has one `>` too many.
//!
//! Invariant: linear in the file; no line of it is held in memory, however long. Bytes come out as they are, but for
//! the `>` that the format put in.

use std::io::{self, BufRead};
use std::ops::Range;

use memchr::{memchr, memmem};

/// How much of a line is kept to tell a `From ` line.
const HEAD: usize = 200;

/// True when a file that starts so is an mbox.
pub fn begins(start: &[u8]) -> bool {
    start.starts_with(b"From ")
}

/// Where the messages stand, without their `From ` lines and the empty line that ends each.
pub fn index(mut reader: impl BufRead) -> io::Result<Vec<Range<u64>>> {
    let mut scan = Scan { after_blank: true, ..Scan::default() };
    let mut head = Vec::with_capacity(HEAD);
    let mut line_start = 0_u64;
    let mut offset = 0_u64;
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let line_end = memchr(b'\n', chunk);
        let piece = chunk.get(..line_end.map_or(chunk.len(), |at| at + 1)).unwrap_or(chunk);
        let room = HEAD.saturating_sub(head.len());
        head.extend_from_slice(piece.get(..room).unwrap_or(piece));
        let taken = piece.len();
        offset += taken as u64;
        reader.consume(taken);
        if line_end.is_some() {
            scan.line(&head, line_start..offset);
            head.clear();
            line_start = offset;
        }
    }
    if line_start < offset {
        scan.line(&head, line_start..offset);
    }
    scan.close(offset);
    Ok(scan.found)
}

#[derive(Default)]
struct Scan {
    found: Vec<Range<u64>>,
    /// Where the message at hand begins.
    open: Option<u64>,
    /// The line before was empty, or there is none.
    after_blank: bool,
    /// Length of that empty line.
    blank: u64,
}

impl Scan {
    fn line(&mut self, head: &[u8], place: Range<u64>) {
        if self.after_blank && is_separator(head, place.start == 0) {
            self.close(place.start);
            self.open = Some(place.end);
            self.after_blank = false;
            self.blank = 0;
            return;
        }
        // What stands before the first `From ` line is a message as well: nothing is lost.
        self.open.get_or_insert(place.start);
        self.after_blank = matches!(head, b"\n" | b"\r\n");
        self.blank = if self.after_blank { place.end - place.start } else { 0 };
    }

    fn close(&mut self, end: u64) {
        if let Some(start) = self.open.take() {
            self.found.push(start..end.saturating_sub(self.blank).max(start));
        }
    }
}

/// `From ` and a time, as all that write mbox files have it. QUIRK: old Mozilla wrote `From ` and nothing else; and
/// prose that begins a paragraph with "From " stands unquoted in `mboxcl` files, so a time is asked for.
fn is_separator(line: &[u8], first: bool) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    first
        || rest.trim_ascii().is_empty()
        || rest.windows(5).any(|w| matches!(w, [a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit())))
}

/// Take one `>` off each line that begins with `>From `, `>>From ` and so on.
pub fn unquote(raw: Vec<u8>) -> Vec<u8> {
    if memmem::find(&raw, b">From ").is_none() {
        return raw;
    }
    let mut out = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|b| *b == b'\n') {
        let depth = line.iter().take_while(|b| **b == b'>').count();
        let quoted = depth > 0 && line.get(depth..).is_some_and(|rest| rest.starts_with(b"From "));
        out.extend_from_slice(line.get(usize::from(quoted)..).unwrap_or(line));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(mbox: &str) -> Vec<String> {
        // A buffer of 3 octets: lines come in pieces, as long ones do.
        let ranges = index(io::BufReader::with_capacity(3, mbox.as_bytes())).unwrap();
        let message = |range: Range<u64>| {
            let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            String::from_utf8(unquote(mbox.as_bytes()[range].to_vec())).unwrap()
        };
        ranges.into_iter().map(message).collect()
    }

    const LINE: &str = "From a@example.com Mon Jan  1 00:00:00 2024\n";

    #[test]
    fn messages_come_without_their_from_line_and_the_empty_line_after_them() {
        assert_eq!(messages(&format!("{LINE}A: 1\n\nx\n\n{LINE}B: 2\n\ny\n\n")), ["A: 1\n\nx\n", "B: 2\n\ny\n"]);
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        let line = LINE.replace('\n', "\r\n");
        assert_eq!(
            messages(&format!("{line}A: 1\r\n\r\nx\r\n\r\n{line}B: 2\r\n\r\n")),
            ["A: 1\r\n\r\nx\r\n", "B: 2\r\n"]
        );
    }

    #[test]
    fn a_from_line_inside_a_paragraph_and_prose_after_an_empty_line_part_nothing() {
        let body = "A: 1\n\nx\nFrom b Mon Jan  1 00:00:00 2024\n\nFrom the desk of the director\n";
        assert_eq!(messages(&format!("{LINE}{body}")), [body]);
    }

    #[test]
    fn one_quote_mark_is_taken_off_and_no_more() {
        let mbox = format!("{LINE}A: 1\n\n>From x\n>>From y\n> From z\n>Frommage\n");
        assert_eq!(messages(&mbox), ["A: 1\n\nFrom x\n>From y\n> From z\n>Frommage\n"]);
    }

    #[test]
    fn empty_and_odd_files() {
        assert_eq!(messages(""), [""; 0]);
        assert_eq!(messages("From "), [""]);
        assert_eq!(messages("A: 1\n\nno from line"), ["A: 1\n\nno from line"]);
        assert_eq!(messages(&format!("{LINE}{LINE}")), [LINE]);
        assert_eq!(messages(&format!("{LINE}\n{LINE}\n")), ["", ""]);
    }
}
