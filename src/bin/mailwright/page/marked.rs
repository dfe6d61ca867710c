//! Two texts as one, with what differs marked.
//!
//! Invariant: what is shown is bounded in lines and in the length of each, and so is the time; all of it is text.

use std::fmt::Write as _;
use std::time::Duration;

use similar::{DiffOp, TextDiff};

use super::markup::line as escape;

/// Most lines that are shown of one pair of texts.
const LINES: usize = 400;
/// Most characters of a line that are shown.
const LINE: usize = 1_200;
/// Characters shown before the place where two long lines part.
const LEAD: usize = 80;
/// Most octets of a text that are compared.
const COMPARED: usize = 4 * 1024 * 1024;
/// How long the shortest difference is looked for; then a longer one does.
const PATIENCE: Duration = Duration::from_millis(300);

/// The lines of both texts with `context` lines around what differs; where nothing differs, the text.
pub fn marked(old: &str, new: &str, context: usize) -> String {
    let (old, all_old) = start(old);
    let (new, all_new) = start(new);
    let mut lines = Lines { out: "<pre class=lines>".to_owned(), left: LINES, dropped: 0 };
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if old == new {
        for (number, line) in new_lines.iter().enumerate() {
            lines.push(Sign::Same, number, &whole(line));
        }
    } else {
        let diff = TextDiff::configure().timeout(PATIENCE).diff_slices(&old_lines, &new_lines);
        let mut shown = 0;
        for hunk in diff.grouped_ops(context) {
            let start = hunk.first().map_or(shown, |op| op.new_range().start);
            lines.gap(start.saturating_sub(shown));
            for op in &hunk {
                lines.op(&old_lines, &new_lines, op);
            }
            shown = hunk.last().map_or(shown, |op| op.new_range().end);
        }
        if diff.grouped_ops(context).is_empty() {
            lines.say("only line ends differ");
        }
        lines.gap(new_lines.len().saturating_sub(shown));
    }
    if lines.dropped > 0 {
        let more = crate::check::count(lines.dropped, "more line");
        lines.say(&more);
    }
    if !(all_old && all_new) {
        lines.say(&format!("what stands behind the first {} is not compared", super::markup::size(COMPARED)));
    }
    lines.out.push_str("</pre>");
    lines.out
}

/// At most [`COMPARED`] octets, and whether that is all.
fn start(text: &str) -> (&str, bool) {
    match text.len() {
        0..=COMPARED => (text, true),
        _ => (text.get(..text.floor_char_boundary(COMPARED)).unwrap_or_default(), false),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Same,
    Out,
    In,
}

struct Lines {
    out: String,
    left: usize,
    dropped: usize,
}

impl Lines {
    fn op(&mut self, old: &[&str], new: &[&str], op: &DiffOp) {
        let (from, to) = (op.old_range(), op.new_range());
        let at = |lines: &[&str], index: usize| lines.get(index).copied().unwrap_or_default().to_owned();
        if matches!(op, DiffOp::Equal { .. }) {
            for index in to {
                self.push(Sign::Same, index, &whole(&at(new, index)));
            }
            return;
        }
        // The n-th old line against the n-th new one.
        let pairs = from.len().min(to.len());
        for (nth, index) in from.clone().enumerate() {
            let other = (nth < pairs).then(|| at(new, to.start + nth));
            self.push(Sign::Out, index, &against(&at(old, index), other.as_deref(), "del"));
        }
        for (nth, index) in to.clone().enumerate() {
            let other = (nth < pairs).then(|| at(old, from.start + nth));
            self.push(Sign::In, index, &against(&at(new, index), other.as_deref(), "ins"));
        }
    }

    fn push(&mut self, sign: Sign, index: usize, html: &str) {
        if self.left == 0 {
            self.dropped += 1;
            return;
        }
        self.left -= 1;
        let (class, sign) = match sign {
            Sign::Same => ("", " "),
            Sign::Out => (" class=out", "−"),
            Sign::In => (" class=in", "+"),
        };
        let _ = write!(self.out, "<span{class}><i>{}</i><b>{sign}</b><q>{html}\n</q></span>", index + 1);
    }

    fn gap(&mut self, lines: usize) {
        if lines > 0 {
            self.say(&crate::check::count(lines, "unchanged line"));
        }
    }

    fn say(&mut self, words: &str) {
        let _ = write!(self.out, "<em>{}\n</em>", escape(words));
    }
}

fn whole(line: &str) -> String {
    let (shown, all) = super::markup::cut(line, LINE);
    let mut html = escape(shown);
    if !all {
        let _ = write!(html, "<em>… {} octets more</em>", line.len() - shown.len());
    }
    html
}

/// A line with what is not in `other` in an element, as long as they have something in common.
fn against(line: &str, other: Option<&str>, element: &str) -> String {
    let Some(other) = other else { return whole(line) };
    let mut head: usize = line.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    let (rest, other_rest) = (line.get(head..).unwrap_or_default(), other.get(head..).unwrap_or_default());
    let pairs = rest.chars().rev().zip(other_rest.chars().rev());
    let mut tail: usize = pairs.take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    // Of the places where the same text could have been put in, the one that parts no word.
    if tail == other_rest.len() {
        let slid = slide(line, head, line.len() - tail);
        (head, tail) = (head - slid, tail + slid);
    }
    if head + tail == 0 || (head + tail) * 4 < line.len().min(other.len()) {
        return whole(line);
    }
    let middle = line.get(head..line.len() - tail).unwrap_or_default();
    let before = line.get(..head).unwrap_or_default();
    let from = before.char_indices().nth_back(LEAD).filter(|_| line.len() > LINE).map_or(0, |(at, _)| at);
    let lead = if from > 0 { "<em>… </em>" } else { "" };
    let before = escape(before.get(from..).unwrap_or_default());
    let after = whole(line.get(line.len() - tail..).unwrap_or_default());
    if middle.is_empty() {
        return format!("{lead}{before}{after}");
    }
    format!("{lead}{before}<{element}>{}</{element}>{after}", whole(middle))
}

/// By how many octets a range of a line moves to the left to end with a space or to begin the line, what is around it staying
/// the same.
fn slide(line: &str, start: usize, end: usize) -> usize {
    let (before, within) = (line.get(..start).unwrap_or_default(), line.get(..end).unwrap_or_default());
    if within.ends_with(char::is_whitespace) || start == end {
        return 0;
    }
    let mut slid = 0;
    for (a, b) in before.chars().rev().zip(within.chars().rev()) {
        if a != b {
            break;
        }
        slid += a.len_utf8();
        if line.get(..end - slid).is_some_and(|rest| rest.ends_with(char::is_whitespace)) {
            return slid;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_in_a_line_is_marked() {
        let html = marked("a\nSubject: Hello <b>\nc\n", "a\nSubject: [EXT] Hello <b>\nc\n", 1);
        assert!(html.contains("<b>−</b><q>Subject: Hello &lt;b&gt;\n</q>"), "{html}");
        assert!(html.contains("<b>+</b><q>Subject: <ins>[EXT] </ins>Hello &lt;b&gt;\n</q>"), "{html}");
    }

    #[test]
    fn what_is_put_in_begins_where_a_word_does() {
        let html = marked("Subject: [list] Hello\n", "Subject: [EXT] [list] Hello\n", 1);
        assert!(html.contains("Subject: <ins>[EXT] </ins>[list] Hello"), "{html}");
        let html = marked("aaa\n", "aaaa\n", 1);
        assert!(html.contains("aaa<ins>a</ins>"), "{html}");
    }

    #[test]
    fn unchanged_lines_are_counted_and_long_ones_are_cut() {
        let old = (0..1_000).fold(String::new(), |old, n| format!("{old}{n}\n"));
        let html = marked(&old, &format!("{old}{}\n", "x".repeat(100_000)), 2);
        assert!(html.contains("<em>998 unchanged lines\n</em>"), "{html}");
        assert!(html.contains("98800 octets more"), "{html}");
        assert!(html.len() < 4_000, "{}", html.len());
        assert!(marked(&old, &old, 2).contains("<em>600 more lines\n</em>"));
        assert!(marked("a\r\n", "a\n", 2).contains("only line ends differ"));
    }
}
