//! Files that stand in the midst of a text: uuencode (IEEE 1003.1), as mail had it before MIME and some programs still send it.
//!
//! Readers part such a file from the text and show it as an attachment, so rules on attachments see it as one.
//!
//! Invariant: a file is a line `begin`, a mode and a name, with data behind it; prose that begins so is none. Linear.

use std::ops::Range;

use encodify::base64;

/// The most octets that a line can say it holds.
const MAX_LINE: u8 = 63;

/// A file in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uuencoded {
    /// From `begin` to the last line of it, without the line end behind that.
    pub whole: Range<usize>,
    /// Its name.
    pub name: Range<usize>,
    /// The lines that hold its octets.
    data: Range<usize>,
    /// `begin-base64` (`uuencode -m`).
    is_base64: bool,
}

impl Uuencoded {
    /// The files in a text, in order.
    pub fn all(text: &str) -> Vec<Self> {
        let mut files = Vec::new();
        let mut at = 0;
        while let Some(begin) = next_begin(text, at) {
            let (file, next) = read(text, &begin);
            files.extend(file);
            at = next;
        }
        files
    }

    /// Its octets. A line that holds none of them is passed over.
    pub fn octets(&self, text: &str) -> Vec<u8> {
        let data = text.get(self.data.clone()).unwrap_or_default();
        if self.is_base64 {
            return base64::MIME.decode(data.as_bytes()).unwrap_or_default();
        }
        let mut octets = Vec::with_capacity(data.len() / 4 * 3);
        for line in data.lines() {
            decode_line(line.as_bytes(), &mut octets);
        }
        octets
    }

    /// How many octets it has.
    pub fn size(&self, text: &str) -> u64 {
        let data = text.get(self.data.clone()).unwrap_or_default();
        if self.is_base64 {
            return self.octets(text).len() as u64;
        }
        data.lines().filter_map(|line| length(line.as_bytes())).map(u64::from).sum()
    }
}

/// The first line of a file.
struct Begin {
    start: usize,
    name: Range<usize>,
    /// Where the next line begins.
    end: usize,
    is_base64: bool,
}

/// The next `begin` line from `at` on, which is the start of a line.
fn next_begin(text: &str, at: usize) -> Option<Begin> {
    let rest = text.get(at..)?;
    memchr::memmem::find_iter(rest.as_bytes(), "begin").find_map(|found| begin(text, at + found))
}

fn begin(text: &str, start: usize) -> Option<Begin> {
    let is_line = start == 0 || text.get(..start)?.ends_with(['\n', '\u{FEFF}']);
    let rest = text.get(start..).filter(|_| is_line)?;
    let line = rest.split_inclusive('\n').next()?;
    let is_base64 = line.starts_with("begin-base64 ");
    let behind = line.strip_prefix("begin-base64 ").or_else(|| line.strip_prefix("begin "))?.trim_start();
    let mode = behind.bytes().take_while(|b| matches!(b, b'0'..=b'7')).count();
    let name = behind.get(mode..).filter(|name| (3..=5).contains(&mode) && name.starts_with([' ', '\t']))?.trim();
    let end = start + line.trim_end().len();
    let name = (!name.is_empty()).then(|| end - name.len()..end)?;
    Some(Begin { start, name, end: start + line.len(), is_base64 })
}

/// The file that begins there, and where to look for the next.
fn read(text: &str, begin: &Begin) -> (Option<Uuencoded>, usize) {
    let last = if begin.is_base64 { "====" } else { "end" };
    let is_data = |line: &str| if begin.is_base64 { is_base64(line) } else { length(line.as_bytes()).is_some() };
    let (mut at, mut data, mut odd) = (begin.end, 0_usize, 0_usize);
    // Where the lines end that hold data one behind the other, and whether one of them holds all that it says.
    let (mut sound, mut is_whole, mut in_row) = (begin.end, false, true);
    let mut closed = None;
    for line in text.get(begin.end..).unwrap_or_default().split_inclusive('\n') {
        let shown = line.trim_end_matches(['\r', '\n']);
        if shown.trim_end() == last {
            closed = Some((at, at + shown.trim_end().len(), at + line.len()));
            break;
        }
        if line.starts_with("begin") && self::begin(text, at).is_some() {
            break;
        }
        if is_data(shown) {
            data += 1;
            if in_row {
                sound = at + shown.len();
                is_whole |= begin.is_base64 || is_full(shown.as_bytes());
            }
        } else {
            in_row = false;
            odd += usize::from(!shown.trim().is_empty());
        }
        at += line.len();
    }
    let file = |end: usize, data_end: usize| Uuencoded {
        whole: begin.start..end,
        name: begin.name.clone(),
        data: begin.end..data_end,
        is_base64: begin.is_base64,
    };
    match closed {
        // A reader passes over a line that is no data.
        Some((data_end, end, next)) if data > odd => (Some(file(end, data_end)), next),
        _ if is_whole => (Some(file(sound, sound)), sound),
        _ => (None, at.max(begin.end)),
    }
}

/// How many octets a line holds; `None` for what is no line of data.
fn length(line: &[u8]) -> Option<u8> {
    let (first, rest) = line.split_first()?;
    let length = first.checked_sub(b' ').filter(|_| *first <= b'`')? & MAX_LINE;
    let most = usize::from(length).div_ceil(3) * 4;
    // Blanks at its end may have been lost, and a sum may stand behind it.
    let fits = rest.len() <= most + 2 && rest.iter().all(|b| (b' '..=b'`').contains(b));
    fits.then_some(length)
}

/// Does a line hold as much as it says?
fn is_full(line: &[u8]) -> bool {
    length(line).is_some_and(|length| length > 0 && (line.len() - 1) * 6 >= usize::from(length) * 8)
}

fn decode_line(line: &[u8], out: &mut Vec<u8>) {
    let Some(length) = length(line) else { return };
    let mut left = usize::from(length);
    let sextet = |at: usize| line.get(at).map_or(0, |b| u32::from(b.wrapping_sub(b' ') & MAX_LINE));
    let mut at = 1;
    while left > 0 {
        let group = (0..4).fold(0, |group, i| group << 6 | sextet(at + i));
        let octets = group.to_be_bytes();
        out.extend(octets.iter().skip(1).take(left));
        left = left.saturating_sub(3);
        at += 4;
    }
}

fn is_base64(line: &str) -> bool {
    let line = line.trim_end();
    line.len().is_multiple_of(4)
        && !line.is_empty()
        && line.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, octets, and what is left of the text without the file.
    fn files(text: &str) -> Vec<(String, Vec<u8>)> {
        let all = Uuencoded::all(text);
        for file in &all {
            assert_eq!(file.size(text), file.octets(text).len() as u64);
        }
        all.iter().map(|file| (text[file.name.clone()].to_owned(), file.octets(text))).collect()
    }

    fn without(text: &str) -> String {
        let mut rest = text.to_owned();
        Uuencoded::all(text).iter().rev().for_each(|file| rest.replace_range(file.whole.clone(), "[file]"));
        rest
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let text = "Hi\r\nbegin 644 a b.txt \r\n#0V%T\r\n`\r\nend\r\nBye\r\n";
        assert_eq!(files(text), [("a b.txt".to_owned(), b"Cat".to_vec())]);
        assert_eq!(without(text), "Hi\r\n[file]\r\nBye\r\n");
        let long = format!("begin 0644 x\nM{}\n!00\n \nend", "05I0".repeat(15));
        assert_eq!(files(&long)[0].1.len(), 46);
        // Zeroes written as blanks that were cut off.
        assert_eq!(files("begin 644 z\n#\n`\nend\n"), [("z".to_owned(), vec![0, 0, 0])]);
        assert_eq!(files("begin 644 empty\n`\nend\n"), [("empty".to_owned(), vec![])]);
        assert_eq!(files("begin-base64 644 c\nQ2F0\n====\n"), [("c".to_owned(), b"Cat".to_vec())]);
    }

    #[test]
    fn files_one_behind_the_other_and_one_that_is_cut_off() {
        let text = "begin 644 a\n#0V%T\n`\nend\nbegin 644 b\n#0V%T\nend\nso\nbegin 644 c\n#0V%T";
        let names: Vec<String> = files(text).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(without(text), "[file]\n[file]\nso\n[file]");
        // A line that is no data hides no file from those who pass over it.
        assert_eq!(files("begin 644 a\nthis is no data\n#0V%T\n`\nend\n"), [("a".to_owned(), b"Cat".to_vec())]);
    }

    #[test]
    fn prose_is_no_file() {
        for text in [
            "begin 644 things\nand then I went home\nend\n",
            "We begin 644 x\n#0V%T\n`\nend\n",
            "> begin 644 x\n> #0V%T\n> `\n> end\n",
            "begin 644\n#0V%T\n`\nend\n",
            "begin now x\n#0V%T\n`\nend\n",
            "begin 644 x\n\nHELLO\n",
            "begin 644 x",
            "beginning",
        ] {
            assert_eq!(files(text), [], "{text}");
        }
    }

    #[test]
    fn many_beginnings_take_no_time() {
        let text = "begin 644 a\n#0V%\n".repeat(100_000);
        let _ = Uuencoded::all(&text);
        let text = "begin 644 a\nodd\n".repeat(100_000);
        assert!(Uuencoded::all(&text).is_empty());
    }
}
