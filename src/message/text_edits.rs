//! Replacements in a text: as many as a text has characters, in a few octets each.
//!
//! Invariant: what is handed out is in order and apart, once [`TextEdits::part`] has been called or it was put in so.

use std::ops::Range;

/// One replacement in the current text of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// Byte range of the current text ([`super::Draft::text`]), on character boundaries.
    pub range: Range<usize>,
    /// What stands there instead; for HTML already escaped.
    pub text: String,
}

/// Any number of replacements in one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextEdits {
    list: Vec<Entry>,
    /// What stands instead, one behind the other as they were put in.
    text: String,
    /// One did not fit in: a text of over four gigabytes.
    over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    start: u32,
    end: u32,
    /// Range of `text`.
    from: u32,
    to: u32,
}

impl TextEdits {
    /// One more: `text` in place of `range`.
    pub fn push(&mut self, range: Range<usize>, text: &str) {
        let from = self.text.len();
        self.text.push_str(text);
        let entry = || {
            let number = |number: usize| u32::try_from(number).ok();
            let (start, end) = (number(range.start)?, number(range.end)?);
            Some(Entry { start, end, from: number(from)?, to: number(self.text.len())? })
        };
        match entry() {
            Some(entry) => self.list.push(entry),
            None => self.over = true,
        }
    }

    /// So many more will be put in.
    pub fn reserve(&mut self, more: usize) {
        self.list.reserve(more);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Octets of all that stands instead.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && !self.over
    }

    /// True where one is missing: none of them may be made.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Take back all but the first so many that were put in.
    pub fn truncate(&mut self, count: usize) {
        if let Some(first) = self.list.get(count) {
            self.text.truncate(first.from as usize);
            self.list.truncate(count);
        }
    }

    /// Those behind the first so many, each with what stands instead.
    pub fn behind(&self, first: usize) -> impl Iterator<Item = (Range<usize>, &str)> + Clone {
        self.list.get(first..).unwrap_or_default().iter().map(|entry| {
            let text = self.text.get(entry.from as usize..entry.to as usize).unwrap_or_default();
            (entry.start as usize..entry.end as usize, text)
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Range<usize>, &str)> + Clone {
        self.behind(0)
    }

    /// Put them in order; of those that overlap the first stays, and those that change nothing go.
    pub fn part(&mut self) {
        self.list.sort_by_key(|entry| (entry.start, entry.end));
        let mut end = 0;
        self.list.retain(|entry| {
            let apart = entry.start >= end && !(entry.start == entry.end && entry.from == entry.to);
            if apart {
                end = entry.end;
            }
            apart
        });
    }

    /// The text with all of them made; `None` where there are none, or one is no range of it.
    pub fn applied(&self, text: &str) -> Option<String> {
        if self.list.is_empty() || self.over {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (range, new) in self.iter() {
            out.push_str(text.get(at..range.start)?);
            text.get(range.clone())?;
            out.push_str(new);
            at = range.end;
        }
        out.push_str(text.get(at..)?);
        Some(out)
    }

    /// One by one.
    pub fn to_vec(&self) -> Vec<TextEdit> {
        self.iter().map(|(range, text)| TextEdit { range, text: text.to_owned() }).collect()
    }
}

impl From<&[TextEdit]> for TextEdits {
    fn from(edits: &[TextEdit]) -> Self {
        let mut all = Self::default();
        for edit in edits {
            all.push(edit.range.clone(), &edit.text);
        }
        all
    }
}

impl<const N: usize> From<&[TextEdit; N]> for TextEdits {
    fn from(edits: &[TextEdit; N]) -> Self {
        edits.as_slice().into()
    }
}

impl From<&Vec<TextEdit>> for TextEdits {
    fn from(edits: &Vec<TextEdit>) -> Self {
        edits.as_slice().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_overlaps_the_first_stays() {
        let mut edits = TextEdits::default();
        for (range, text) in [(6..8, "c"), (0..2, "a"), (1..3, "b"), (4..4, ""), (3..4, "")] {
            edits.push(range, text);
        }
        edits.part();
        assert_eq!(edits.iter().collect::<Vec<_>>(), [(0..2, "a"), (3..4, ""), (6..8, "c")]);
        assert_eq!(edits.applied("0123456789").as_deref(), Some("a245c89"));
        assert_eq!(edits.applied("0123"), None);
        edits.truncate(1);
        assert_eq!(edits.len(), 1);
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let mut edits = TextEdits::default();
        edits.push(0..1, "abc");
        edits.push(2..3, "def");
        edits.truncate(1);
        edits.push(4..5, "g");
        assert_eq!(edits.iter().collect::<Vec<_>>(), [(0..1, "abc"), (4..5, "g")]);
        edits.truncate(9);
        assert_eq!(edits.len(), 2);
    }

    #[test]
    fn a_place_that_cannot_be_told_is_not_left_out_in_silence() {
        let mut edits = TextEdits::default();
        edits.push(usize::MAX - 1..usize::MAX, "x");
        assert!(edits.is_over() && !edits.is_empty());
        assert_eq!(edits.applied(""), None);
    }
}
