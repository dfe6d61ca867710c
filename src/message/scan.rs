//! Header fields and part tree as byte ranges.
//!
//! Invariant: never fails, never recurses, linear in the message whatever is in it. What passes a limit, or cannot be
//! understood, is one opaque part.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;

use super::part::{self, Part};
use super::{FieldSpan, LineEnd, PartId};

/// Multiparts nested deeper than this are opaque.
pub const MAX_DEPTH: usize = 100;
/// Parts past this number are opaque. WorkMail takes 500 attachments.
pub const MAX_PARTS: usize = 10_000;
/// Fields of one header block past this number are not looked at.
pub const MAX_FIELDS: usize = 2_000;
/// Fields for which there is room from the start.
const USUAL_FIELDS: usize = 8;
/// A boundary has at most 70 characters (RFC 2046 §5.1.1); the wild has more.
const MAX_BOUNDARY: usize = 1_000;

pub(super) struct Scanned {
    pub parts: Vec<Part>,
    pub line_end: LineEnd,
    pub notes: Vec<&'static str>,
    /// True when its lines end in CR alone, which no mail in transit does: it is left as it is.
    pub lone_cr: bool,
}

/// Index a message.
pub(super) fn scan(raw: &[u8]) -> Scanned {
    let line_end = line_end_of(raw);
    let mut scanner = Scanner::new(raw);
    let lone_cr = ends_lines_in_cr(raw);
    if lone_cr {
        scanner.note("its lines end in CR alone; it is left as it is");
        let mut part = part::read(raw, Vec::new(), "text/plain");
        part.body = 0..raw.len();
        scanner.parts.push(part);
    } else {
        scanner.run();
    }
    Scanned { parts: scanner.parts, line_end, notes: scanner.notes, lone_cr }
}

/// Where the header of a message stands and its fields, as [`scan`] finds them, without the rest.
pub(super) fn header(raw: &[u8]) -> (Range<usize>, Vec<FieldSpan>) {
    if ends_lines_in_cr(raw) {
        return (0..0, Vec::new());
    }
    let start = mbox_line_end(Lines { raw });
    let header = Scanner::new(raw).header(start);
    (start..header.end, header.fields)
}

fn ends_lines_in_cr(raw: &[u8]) -> bool {
    memchr::memchr(b'\n', raw).is_none() && memchr::memchr(b'\r', raw).is_some()
}

fn line_end_of(raw: &[u8]) -> LineEnd {
    match memchr::memchr(b'\n', raw) {
        Some(0) => LineEnd::Lf,
        Some(at) => {
            if raw.get(at - 1) == Some(&b'\r') {
                LineEnd::CrLf
            } else {
                LineEnd::Lf
            }
        }
        None => LineEnd::CrLf,
    }
}

/// Lines of the message. A line ends at LF, with or without a CR before it.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    pub raw: &'a [u8],
}

impl Lines<'_> {
    /// End of the line that begins at `at`: (without its line end, with it).
    pub fn line(&self, at: usize) -> (usize, usize) {
        let rest = self.raw.get(at..).unwrap_or_default();
        match memchr::memchr(b'\n', rest) {
            Some(n) if n > 0 && rest.get(n - 1) == Some(&b'\r') => (at + n - 1, at + n + 1),
            Some(n) => (at + n, at + n + 1),
            None => (self.raw.len(), self.raw.len()),
        }
    }

    /// Where the line end before `at` begins, not before `from`; `at` itself when none stands there.
    fn before_line_end(&self, at: usize, from: usize) -> usize {
        let byte = |i: usize| self.raw.get(i).copied();
        if at > from && byte(at - 1) == Some(b'\n') {
            return if at - 1 > from && byte(at - 2) == Some(b'\r') { at - 2 } else { at - 1 };
        }
        at
    }
}

/// What a delimiter begins with. One search finds those behind a line end and those behind a CR alone.
static DASHES: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"--"));

struct Scanner<'a> {
    lines: Lines<'a>,
    parts: Vec<Part>,
    /// The multiparts whose delimiters end what is being read, outermost first.
    open: Vec<(PartId, Vec<u8>)>,
    /// Level in `open` of each boundary; of equal ones the outermost, which ends what is inside it.
    levels: HashMap<Vec<u8>, usize>,
    /// Whether a delimiter would stand where a CR alone is taken for a line end.
    lone_cr: Cell<bool>,
    notes: Vec<&'static str>,
}

/// A delimiter line of the multipart at this level (RFC 2046 §5.1.1).
#[derive(Clone, Copy)]
enum Delimiter {
    Next(usize),
    Close(usize),
}

/// The end of a part that still goes on.
const OPEN_END: usize = usize::MAX;

impl<'a> Scanner<'a> {
    fn new(raw: &'a [u8]) -> Self {
        Self {
            lines: Lines { raw },
            parts: Vec::new(),
            open: Vec::new(),
            levels: HashMap::new(),
            lone_cr: Cell::new(false),
            notes: Vec::new(),
        }
    }

    fn run(&mut self) {
        let mut at = self.part(None, mbox_line_end(self.lines));
        while let Some((line, delimiter)) = self.next_delimiter(at) {
            let (_, next) = self.lines.line(line);
            at = next;
            match delimiter {
                Delimiter::Next(level) => {
                    self.end_children(level, line);
                    self.close_to(level + 1);
                    let parent = self.open.get(level).map(|(part, _)| *part);
                    if self.parts.len() >= MAX_PARTS {
                        self.note("it has more parts than the limit; the rest is opaque");
                        if let Some(root) = self.parts.first_mut() {
                            root.doubtful = true;
                        }
                        break;
                    }
                    at = self.part(parent, next);
                }
                Delimiter::Close(level) => {
                    self.end_children(level, line);
                    self.close_to(level);
                }
            }
        }
        let len = self.lines.raw.len();
        for part in &mut self.parts {
            if part.body.end == OPEN_END {
                part.body.end = len;
            }
        }
        if self.lone_cr.get() {
            self.note("a delimiter stands beside a carriage return that ends no line");
            if let Some(root) = self.parts.first_mut() {
                root.doubtful = true;
            }
        }
    }

    fn note(&mut self, note: &'static str) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Read the header block at `at` as a new part, and look for its delimiters if it is a multipart. Answers where its
    /// body begins.
    fn part(&mut self, parent: Option<PartId>, at: usize) -> usize {
        let id = PartId(self.parts.len());
        let header = self.header(at);
        let in_digest = parent.and_then(|p| self.parts.get(p.0)).is_some_and(|p| p.media_type == "multipart/digest");
        let default_type = if in_digest { "message/rfc822" } else { "text/plain" };
        let mut part = part::read(self.lines.raw, header.fields, default_type);
        part.parent = parent;
        part.header = at..header.end;
        part.body = header.body..OPEN_END;
        part.has_separator = header.has_separator;
        part.doubtful |= has_lone_cr(self.lines.raw.get(at..header.end).unwrap_or_default());
        if part.contested {
            self.note("two fields of a part say different things; the first counts");
        }
        if header.odd {
            self.note("a header block holds a line that is no field");
        }
        if part.is_multipart() {
            if part.boundary.as_ref().is_none_or(|b| b.is_empty() || b.len() > MAX_BOUNDARY) {
                part.doubtful |= part.boundary.take().is_some();
                self.note("a multipart without a usable boundary is opaque");
            } else if self.open.len() >= MAX_DEPTH {
                part.boundary = None;
                part.doubtful = true;
                self.note("it is nested deeper than the limit; what is inside is opaque");
            }
        } else {
            part.boundary = None;
        }
        if let Some(boundary) = &part.boundary {
            // QUIRK: a line that closes the one is a delimiter of the other.
            let closes = |a: &[u8], b: &[u8]| a.strip_suffix(b"--") == Some(b);
            part.doubtful |= self.open.iter().any(|(_, open)| closes(open, boundary) || closes(boundary, open));
            self.levels.entry(boundary.clone()).or_insert(self.open.len());
            self.open.push((id, boundary.clone()));
        }
        self.parts.push(part);
        if let Some(parent) = parent.and_then(|p| self.parts.get_mut(p.0)) {
            parent.children.push(id);
        }
        header.body
    }

    /// The first delimiter line at or after `at`, which is the start of a line.
    fn next_delimiter(&self, at: usize) -> Option<(usize, Delimiter)> {
        if self.open.is_empty() {
            return None;
        }
        let raw = self.lines.raw;
        if let Some(delimiter) = self.delimiter_at(at) {
            return Some((at, delimiter));
        }
        let mut from = at;
        loop {
            let dashes = from + DASHES.find(raw.get(from..)?)?;
            match dashes.checked_sub(1).and_then(|before| raw.get(before)) {
                Some(b'\n') => {
                    if let Some(delimiter) = self.delimiter_at(dashes) {
                        return Some((dashes, delimiter));
                    }
                }
                Some(b'\r') => self.see_lone_cr(dashes),
                _ => {}
            }
            // A row of dashes is one place.
            from = dashes + raw.get(dashes..)?.iter().position(|b| *b != b'-')?;
        }
    }

    /// QUIRK: some readers take a CR alone for a line end. Where that makes a delimiter of what is none to others, they do
    /// not see the same parts.
    fn see_lone_cr(&self, dashes: usize) {
        let rest = self.lines.raw.get(dashes + 2..).unwrap_or_default();
        let text = rest.get(..rest.len().min(2 * MAX_BOUNDARY)).unwrap_or_default();
        let line = text.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default().trim_ascii_end();
        let of_ours = |text: &[u8]| self.levels.contains_key(text);
        if of_ours(line) || line.strip_suffix(b"--").is_some_and(of_ours) {
            self.lone_cr.set(true);
        }
    }

    fn delimiter_at(&self, line: usize) -> Option<Delimiter> {
        if !self.lines.raw.get(line..)?.starts_with(b"--") {
            return None;
        }
        let (end, _) = self.lines.line(line);
        let text = self.lines.raw.get(line + 2..end)?;
        if has_lone_cr(text.get(..text.len().min(2 * MAX_BOUNDARY))?) {
            self.see_lone_cr(line);
        }
        if text.len() > 2 * MAX_BOUNDARY {
            return None;
        }
        let text = text.trim_ascii_end();
        if let Some(level) = self.levels.get(text) {
            return Some(Delimiter::Next(*level));
        }
        let level = self.levels.get(text.strip_suffix(b"--")?)?;
        Some(Delimiter::Close(*level))
    }

    /// What is inside the multipart at `level` and goes on still, ends before the delimiter line at `line`; the line end
    /// before a delimiter belongs to it (RFC 2046 §5.1.1).
    fn end_children(&mut self, level: usize, line: usize) {
        let last_child = |parts: &[Part], id: PartId| parts.get(id.0).and_then(|p| p.children.last()).copied();
        let Some((id, _)) = self.open.get(level) else { return };
        let mut next = last_child(&self.parts, *id);
        while let Some(id) = next {
            next = last_child(&self.parts, id);
            let Some(part) = self.parts.get_mut(id.0) else { return };
            if part.body.end != OPEN_END {
                return;
            }
            part.body.end = self.lines.before_line_end(line, part.body.start);
        }
    }

    fn close_to(&mut self, level: usize) {
        while self.open.len() > level {
            if let Some((_, boundary)) = self.open.pop()
                && self.levels.get(&boundary) == Some(&self.open.len())
            {
                self.levels.remove(&boundary);
            }
        }
    }

    /// Read a header block.
    fn header(&self, start: usize) -> Header {
        let raw = self.lines.raw;
        let mut header = Header {
            fields: Vec::with_capacity(USUAL_FIELDS),
            end: start,
            body: start,
            has_separator: false,
            odd: false,
        };
        let mut at = start;
        // Past the limit of fields, continuation lines belong to a field that is not recorded.
        let mut recording = false;
        while at < raw.len() {
            let (end, next) = self.lines.line(at);
            header.end = at;
            header.body = at;
            let line = raw.get(at..end).unwrap_or_default();
            match line.first() {
                None => {
                    header.body = next;
                    header.has_separator = true;
                    return header;
                }
                Some(b' ' | b'\t') => {
                    if let Some(field) = header.fields.last_mut().filter(|_| recording) {
                        field.value.end = end;
                        field.whole.end = next;
                    }
                }
                Some(b'-') if self.delimiter_at(at).is_some() => return header,
                Some(_) => {
                    let Some((name_len, colon)) = field_name(line) else {
                        // QUIRK: some readers go on to the blank line, some take this for the first line of the body.
                        header.odd = true;
                        return header;
                    };
                    recording = name_len > 0 && header.fields.len() < MAX_FIELDS;
                    if recording {
                        header.fields.push(FieldSpan {
                            name: at..at + name_len,
                            value: at + colon + 1..end,
                            whole: at..next,
                        });
                    }
                }
            }
            at = next;
        }
        header.end = at;
        header.body = at;
        header
    }
}

struct Header {
    fields: Vec<FieldSpan>,
    end: usize,
    body: usize,
    has_separator: bool,
    odd: bool,
}

/// Length of the field name that a line begins with, and where its colon stands; 0 for a line that begins with the colon;
/// `None` when the line is no field. White space before the colon is obsolete syntax (RFC 5322 §4.5).
fn field_name(line: &[u8]) -> Option<(usize, usize)> {
    let length = line.iter().take_while(|b| b.is_ascii_graphic() && **b != b':').count();
    let blanks = line.get(length..)?.iter().take_while(|b| b.is_ascii_whitespace()).count();
    (line.get(length + blanks) == Some(&b':')).then_some((length, length + blanks))
}

/// Some readers take a CR alone for a line end.
pub(super) fn has_lone_cr(header: &[u8]) -> bool {
    // In arithmetic that the compiler does for many octets at once: there is a CR in each line.
    let pairs = header.iter().zip(header.get(1..).unwrap_or_default());
    pairs.fold(0, |any, (b, next)| any | (u8::from(*b == b'\r') & u8::from(*next != b'\n'))) != 0
}

/// QUIRK: files cut from an mbox begin with its `From ` line, which is no part of the message. Answers where the header
/// begins.
fn mbox_line_end(lines: Lines<'_>) -> usize {
    if lines.raw.starts_with(b"From ") { lines.line(0).1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::super::testing::crlf;
    use super::*;

    /// One line per part: how deep it is, its type, its body.
    fn outline(raw: &[u8]) -> Vec<String> {
        let message = Message::parse(raw);
        let depth = |part: &Part| std::iter::successors(part.parent, |id| message.part(*id)?.parent).count();
        let show = |part: &Part| {
            let body = if part.is_multipart() { "" } else { std::str::from_utf8(message.bytes(&part.body)).unwrap() };
            format!("{} {} {body:?}", depth(part), part.media_type)
        };
        message.parts().iter().map(show).collect()
    }

    fn outline_of(text: &str) -> Vec<String> {
        outline(&crlf(text))
    }

    const NESTED: &str = "Content-Type: multipart/mixed; boundary=a\n\nbefore\n--a\nContent-Type: multipart/alternative;\n \
                          boundary=\"b c\"\n\n--b c\n\none\n--b c\nContent-Type: text/html\n\ntwo\n\n--b c--\nbetween\n--a\n\
                          \nthree\n--a--\nafter\n";

    #[test]
    fn parts_are_found_at_any_depth() {
        let expected = [
            "0 multipart/mixed \"\"",
            "1 multipart/alternative \"\"",
            "2 text/plain \"one\"",
            "2 text/html \"two\\r\\n\"",
            "1 text/plain \"three\"",
        ];
        assert_eq!(outline_of(NESTED), expected);
        let lf: Vec<String> = expected.iter().map(|line| line.replace("\\r", "")).collect();
        assert_eq!(outline(NESTED.as_bytes()), lf);
    }

    #[test]
    fn a_boundary_that_begins_like_another_is_not_it() {
        let text = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\n\
                    one\n--abc\n--ab--\n--a--\n";
        assert_eq!(outline_of(text).last().unwrap(), "2 text/plain \"one\\r\\n--abc\"");
    }

    #[test]
    fn of_equal_boundaries_the_outer_one_counts() {
        let text = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\none\n\
                    --a--\n";
        assert_eq!(outline_of(text), ["0 multipart/mixed \"\"", "1 multipart/mixed \"\"", "1 text/plain \"one\""]);
    }

    #[test]
    fn a_multipart_that_is_not_closed_ends_where_the_one_around_it_goes_on() {
        let text = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n\
                    --a\n\ntwo";
        let parts = outline_of(text);
        assert_eq!(parts[2..], ["2 text/plain \"one\"", "1 text/plain \"two\""]);
    }

    #[test]
    fn delimiters_may_have_white_space_behind_them_and_nothing_else() {
        let text = "Content-Type: multipart/mixed; boundary=a\n\n--a \t\n\none\n--ax\n--a--x\n --a\n--a--\t\n";
        assert_eq!(outline_of(text)[1..], ["1 text/plain \"one\\r\\n--ax\\r\\n--a--x\\r\\n --a\""]);
    }

    #[test]
    fn a_delimiter_beside_a_lone_carriage_return_leaves_the_message_in_doubt() {
        let doubt = |body: &str| {
            let raw = format!(
                "Content-Type: multipart/mixed; boundary=\"a b\"\r\n\r\n--a b\r\n\r\none\r\n{body}\r\n--a b--\r\n"
            );
            Message::parse(raw.as_bytes()).doubt().is_some()
        };
        let seen = [
            "--a b\rContent-Type: text/html\r\n\r\ntwo",
            "x\r--a b\r\n\r\ntwo",
            "x\r--a b--",
            "--a b--\rx",
            "\r\r--a b \rx",
        ];
        assert!(seen.iter().all(|body| doubt(body)));
        let not = ["x\ry", "x\r--a bc\r\n", "x--a b\ry", "--a\rb", "----------\r----------", " --a b\rx", "x -- \ry"];
        assert!(not.iter().all(|body| !doubt(body)));
    }

    #[test]
    fn a_boundary_whose_delimiter_closes_another_leaves_the_message_in_doubt() {
        let doubt = |outer: &str, inner: &str| {
            let raw = crlf(&format!(
                "Content-Type: multipart/mixed; boundary=\"{outer}\"\n\n--{outer}\nContent-Type: multipart/mixed; \
                 boundary=\"{inner}\"\n\n--{inner}\n\none\n--{inner}--\n--{outer}--\n"
            ));
            Message::parse(&raw).doubt().is_some()
        };
        assert!(doubt("a", "a--") && doubt("a--", "a"));
        assert!(!doubt("a", "a-") && !doubt("a", "--a") && !doubt("a", "b--"));
    }

    #[test]
    fn a_header_without_a_blank_line_has_no_body() {
        let raw = crlf("Subject: a\nTo: b");
        let message = Message::parse(&raw);
        assert_eq!(message.fields().len(), 2);
        let root = &message.parts()[0];
        assert!(!root.has_separator && root.body.is_empty());
        assert_eq!(message.bytes(&message.fields()[1].value), b" b");
    }

    #[test]
    fn a_line_that_is_no_field_ends_the_header_and_is_noted() {
        let raw = crlf("Subject: a\nnot a field\n\nbody\n");
        let message = Message::parse(&raw);
        assert_eq!(message.fields().len(), 1);
        assert!(!message.parts()[0].has_separator);
        assert_eq!(message.notes().len(), 1);
    }

    #[test]
    fn folded_fields_and_odd_names_keep_their_ranges() {
        let raw = crlf("Subject : a\n\tb\n: c\nX:\n\nbody");
        let message = Message::parse(&raw);
        let fields: Vec<_> =
            message.fields().iter().map(|f| (message.bytes(&f.name), message.bytes(&f.value))).collect();
        assert_eq!(fields, [(&b"Subject"[..], &b" a\r\n\tb"[..]), (b"X", b"")]);
    }

    #[test]
    fn the_from_line_of_a_mailbox_file_is_no_header_field() {
        let raw = b"From ann@example.com Mon Jan 19 10:00:00 2026\nSubject: a\n\nbody\n";
        let message = Message::parse(raw);
        assert_eq!(message.bytes(&message.fields()[0].name), b"Subject");
        assert_eq!(message.bytes(&message.parts()[0].body), b"body\n");
    }

    #[test]
    fn what_is_nested_too_deep_is_opaque() {
        let deep = |levels: usize| {
            let level = |n| format!("Content-Type: multipart/mixed; boundary=b{n}x\n\n--b{n}x\n");
            crlf(&((0..levels).map(level).collect::<String>() + "\nend\n"))
        };
        assert_eq!(Message::parse(&deep(MAX_DEPTH)).parts().len(), MAX_DEPTH + 1);
        let raw = deep(MAX_DEPTH + 5);
        let message = Message::parse(&raw);
        assert_eq!(message.parts().len(), MAX_DEPTH + 1);
        assert!(message.doubt().is_some() && message.parts()[MAX_DEPTH].boundary.is_none());
    }

    #[test]
    fn parts_and_fields_past_their_limits_are_not_looked_at() {
        let raw = "Content-Type: multipart/mixed; boundary=a\n\n".to_owned() + &"--a\n\n".repeat(MAX_PARTS + 5);
        let message = Message::parse(raw.as_bytes());
        assert!(message.parts().len() == MAX_PARTS && message.doubt().is_some());
        let raw = "X: y\n z\n".repeat(MAX_FIELDS + 5) + "\nbody";
        let message = Message::parse(raw.as_bytes());
        assert_eq!(message.fields().len(), MAX_FIELDS);
        assert_eq!(message.bytes(&message.parts()[0].body), b"body");
    }

    #[test]
    fn a_multipart_without_a_boundary_is_opaque() {
        let raw = crlf("Content-Type: multipart/mixed\n\n--\n\none\n----\n");
        let message = Message::parse(&raw);
        assert!(message.parts().len() == 1 && message.parts()[0].boundary.is_none() && message.notes().len() == 1);
    }

    #[test]
    fn an_empty_message_is_one_part() {
        assert_eq!(outline(b""), ["0 text/plain \"\""]);
        assert_eq!(outline(b"\n"), ["0 text/plain \"\""]);
    }

    #[test]
    fn what_a_digest_holds_are_messages() {
        let text = "Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: b\n\nc\n--a--\n";
        assert!(outline_of(text)[1].starts_with("1 message/rfc822"));
    }

    #[test]
    fn a_boundary_that_is_empty_or_too_long_leaves_the_message_in_doubt() {
        let parts = |boundary: &str| {
            let raw = crlf(&format!(
                "Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n--{boundary}\n\none\n--{boundary}--\n"
            ));
            let message = Message::parse(&raw);
            (message.parts().len(), message.doubt().is_some())
        };
        assert_eq!(parts(&"x".repeat(MAX_BOUNDARY)), (2, false));
        assert_eq!(parts(&"x".repeat(MAX_BOUNDARY + 1)), (1, true));
        assert_eq!(parts(""), (1, true));
    }
}
