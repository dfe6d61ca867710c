//! `--diff`: what is different in the header and in the decoded text, as lines for people.
//!
//! Invariant: every line is safe for a terminal and of bounded length; time is bounded whatever the text.

use std::time::Duration;

use mailwright::message::{BodyKind, Draft, Message};
use similar::{DiffOp, TextDiff};

use crate::terminal::{BAD, Colour, FAINT, GOOD, escape};

/// Lines around a difference.
const CONTEXT: usize = 2;
/// Most characters of a line that are shown; long lines are shown where they differ.
const LINE: usize = 240;
/// Characters shown before the place where two long lines part.
const LEAD: usize = 40;
/// Most lines shown for the header, and for each text.
const LINES: usize = 120;
/// How long the shortest difference is looked for; then a longer one does.
const PATIENCE: Duration = Duration::from_millis(300);

/// The differences between a message as it came in and as it goes out, each line ended by `\n`.
pub fn diff(before: &Message<'_>, after: &Message<'_>, colour: Colour) -> String {
    let mut out = String::new();
    section("header", &header(before), &header(after), colour, &mut out);
    let (old, new) = (texts(before), texts(after));
    for index in 0..old.len().max(new.len()) {
        let (title, old) = old.get(index).map_or(("", ""), |(title, text)| (title, text));
        let (title, new) = new.get(index).map_or((title, ""), |(title, text)| (title, text));
        section(title, old, new, colour, &mut out);
    }
    out
}

fn header(message: &Message<'_>) -> String {
    let range = message.parts().first().map(|part| part.header.clone()).unwrap_or_default();
    String::from_utf8_lossy(message.raw().get(range).unwrap_or_default()).into_owned()
}

/// Every text that a reader sees, decoded.
fn texts(message: &Message<'_>) -> Vec<(&'static str, String)> {
    let draft = Draft::new(message);
    let mut texts = Vec::new();
    for body in draft.readable() {
        let title = match body.kind {
            BodyKind::Plain => "text/plain",
            BodyKind::Html => "text/html",
        };
        if let Ok(text) = draft.text(body.part) {
            texts.push((title, text.to_owned()));
        }
    }
    texts
}

fn section(title: &str, old: &str, new: &str, colour: Colour, out: &mut String) {
    if old == new {
        return;
    }
    out.push_str(&colour.paint(FAINT, &format!("    --- {title}")));
    out.push('\n');
    // Without their ends, so that the last line is the same line when another follows it.
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let diff = TextDiff::configure().timeout(PATIENCE).diff_slices(&old, &new);
    let mut lines = Lines { colour, out, left: LINES, dropped: 0 };
    for (number, hunk) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if number > 0 {
            lines.push(' ', "⋮");
        }
        for op in hunk {
            lines.op(&diff, op);
        }
    }
    if old == new {
        lines.push(' ', "only line ends differ");
    }
    lines.end();
}

struct Lines<'o> {
    colour: Colour,
    out: &'o mut String,
    left: usize,
    dropped: usize,
}

impl Lines<'_> {
    fn op(&mut self, diff: &TextDiff<'_, '_, str>, op: &DiffOp) {
        if let DiffOp::Equal { old_index, len, .. } = *op {
            for index in old_index..old_index + len {
                self.push(' ', &clip(diff.old_slice(index).unwrap_or_default(), 0));
            }
            return;
        }
        // The n-th old line against the n-th new one: long lines are shown from where they part.
        let (old, new) = (op.old_range(), op.new_range());
        let parting = |nth: usize| match (diff.old_slice(old.start + nth), diff.new_slice(new.start + nth)) {
            (Some(a), Some(b)) if nth < old.len() && nth < new.len() => common_start(a, b),
            _ => 0,
        };
        for nth in 0..old.len() {
            self.push('-', &clip(diff.old_slice(old.start + nth).unwrap_or_default(), parting(nth)));
        }
        for nth in 0..new.len() {
            self.push('+', &clip(diff.new_slice(new.start + nth).unwrap_or_default(), parting(nth)));
        }
    }

    fn push(&mut self, sign: char, shown: &str) {
        if self.left == 0 {
            self.dropped += 1;
            return;
        }
        self.left -= 1;
        let line = format!("    {sign} {shown}");
        let line = line.trim_end();
        match sign {
            '-' => self.out.push_str(&self.colour.paint(BAD, line)),
            '+' => self.out.push_str(&self.colour.paint(GOOD, line)),
            _ => self.out.push_str(line),
        }
        self.out.push('\n');
    }

    fn end(self) {
        if self.dropped > 0 {
            let line = format!("    … {} more lines", self.dropped);
            self.out.push_str(&self.colour.paint(FAINT, &line));
            self.out.push('\n');
        }
    }
}

/// Octets that both begin with, at a character boundary.
fn common_start(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum()
}

/// A line to show: at most [`LINE`] characters, from a little before octet `parting`.
fn clip(line: &str, parting: usize) -> String {
    let long = line.char_indices().nth(LINE).is_some();
    let start = if long {
        let (before, _) = line.split_at_checked(parting.min(line.len())).unwrap_or((line, ""));
        before.char_indices().nth_back(LEAD).map_or(0, |(at, _)| at)
    } else {
        0
    };
    let rest = line.get(start..).unwrap_or_default();
    let end = rest.char_indices().nth(LINE).map_or(rest.len(), |(at, _)| at);
    let shown = escape(rest.get(..end).unwrap_or_default());
    let lead = if start > 0 { "…" } else { "" };
    match rest.len() - end {
        0 => format!("{lead}{shown}"),
        more => format!("{lead}{shown}… ({more} octets more)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> String {
        let mut out = String::new();
        section("t", old, new, Colour(false), &mut out);
        out
    }

    #[test]
    fn only_what_differs_is_shown_with_two_lines_around_it() {
        let old = "1\r\n2\r\n3\r\n4\r\n5\r\n";
        assert_eq!(shown(old, old), "");
        assert_eq!(
            shown(old, "1\r\n2\r\n3\r\n4\r\nx\x1b[31m\r\n5\r\n"),
            "    --- t\n      3\n      4\n    + x\\x1b[31m\n      5\n"
        );
    }

    #[test]
    fn a_last_line_without_an_end_is_the_same_line_when_text_follows() {
        assert_eq!(
            shown("1\nBilling", "1\nBilling\n\nNotice"),
            "    --- t\n      1\n      Billing\n    +\n    + Notice\n"
        );
        assert_eq!(shown("1", "1\n"), "    --- t\n      only line ends differ\n");
    }

    #[test]
    fn a_long_line_is_shown_where_it_differs() {
        let long = "é".repeat(100_000);
        let shown = shown(&long, &format!("{long}<p>footer</p>"));
        assert!(shown.lines().all(|line| line.chars().count() < 300), "{shown}");
        assert!(shown.ends_with("é<p>footer</p>\n"), "{shown}");
        assert!(shown.contains("    - …é"), "{shown}");
    }

    #[test]
    fn many_lines_are_counted_rather_than_shown() {
        let new = (0..1_000).map(|i| i.to_string() + "\n").collect::<String>();
        assert!(shown("", &new).ends_with("    + 119\n    … 880 more lines\n"));
    }
}
