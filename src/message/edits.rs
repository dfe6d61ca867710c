//! Edits, and what comes of them: a list of slices, most of them borrowed from the message.

use std::ops::Range;

use bytes::Bytes;

use super::Message;

/// Bodies up to this size, in octets, are part of an [`Rendered::outline`] in any case.
const LEFT_OUT: usize = 1_024;

/// A splice of the raw bytes: the only way in which a message changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// What is replaced.
    pub range: Range<usize>,
    /// By what.
    pub with: Bytes,
}

/// Put edits in order. Edits at one place stay in the order in which they were made.
pub(super) fn sorted(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by_key(|e| (e.range.start, e.range.end));
    edits
}

/// One slice of a rewritten message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slice {
    /// A range of the message that came in.
    Kept(Range<usize>),
    /// New bytes, and the range that they stand for.
    New(Bytes, Range<usize>),
}

/// A rewritten message: slices in order, most of them borrowed from the message that came in.
#[derive(Debug, Clone)]
pub struct Rendered<'m> {
    raw: &'m [u8],
    slices: Vec<Slice>,
    len: usize,
}

impl<'m> Rendered<'m> {
    /// Apply edits that are in order and do not overlap; `None` when they are not or reach past the end.
    pub(super) fn new(raw: &'m [u8], edits: Vec<Edit>) -> Option<Self> {
        let mut slices = Vec::with_capacity(edits.len() * 2 + 1);
        let mut at = 0;
        let mut len = raw.len();
        for Edit { range, with } in edits {
            if range.start < at || range.end < range.start || range.end > raw.len() {
                return None;
            }
            if range.start > at {
                slices.push(Slice::Kept(at..range.start));
            }
            len = len - range.len() + with.len();
            at = range.end;
            slices.push(Slice::New(with, range));
        }
        if at < raw.len() {
            slices.push(Slice::Kept(at..raw.len()));
        }
        Some(Self { raw, slices, len })
    }

    /// What was replaced, as a range of the message that came in, and by what, in order.
    pub fn edits(&self) -> impl Iterator<Item = (Range<usize>, &[u8])> {
        self.slices.iter().filter_map(|slice| match slice {
            Slice::New(bytes, range) => Some((range.clone(), &**bytes)),
            Slice::Kept(_) => None,
        })
    }

    pub(super) fn parts(&self) -> &[Slice] {
        &self.slices
    }

    /// What stands for the octets before `at` of the message that came in, in order. New octets at `at` are behind it.
    pub(super) fn until(&self, at: usize) -> impl Iterator<Item = &[u8]> {
        self.slices.iter().filter_map(move |slice| match slice {
            Slice::Kept(range) if range.start < at => self.raw.get(range.start..range.end.min(at)),
            Slice::New(bytes, range) if range.start < at => Some(bytes),
            _ => None,
        })
    }

    /// What stands for the octets from `at` on.
    pub(super) fn from(&self, at: usize) -> impl Iterator<Item = &[u8]> {
        self.slices.iter().filter_map(move |slice| match slice {
            Slice::Kept(range) if range.end > at => self.raw.get(range.start.max(at)..range.end),
            Slice::New(bytes, range) if range.start >= at => Some(bytes),
            _ => None,
        })
    }

    /// Length in octets.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there is not an octet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The slices, in order.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.slices.iter().map(|slice| match slice {
            Slice::Kept(range) => self.raw.get(range.clone()).unwrap_or_default(),
            Slice::New(bytes, _) => bytes,
        })
    }

    /// The slices in buffers: those that lie in `original`, which the message was read from, share it, and none is copied.
    pub fn buffers(&self, original: &Bytes) -> impl Iterator<Item = Bytes> {
        let span = original.as_ptr_range();
        self.slices.iter().map(move |slice| match slice {
            Slice::New(bytes, _) => bytes.clone(),
            Slice::Kept(range) => {
                let kept = self.raw.get(range.clone()).unwrap_or_default();
                let at = kept.as_ptr_range();
                let shared = span.start <= at.start && at.end <= span.end;
                if shared { original.slice_ref(kept) } else { Bytes::copy_from_slice(kept) }
            }
        })
    }

    /// The rewritten message without the bodies of those parts, other than small ones, that no edit touched: all that an
    /// edit can have changed, for a part of the price.
    pub fn outline(&self, message: &Message<'_>) -> Vec<u8> {
        let touched: Vec<&Range<usize>> = self.new_ranges().collect();
        let is_touched = |body: &Range<usize>| {
            let first = touched.partition_point(|range| range.end < body.start);
            touched.get(first).is_some_and(|range| range.start <= body.end)
        };
        let leaves = message.parts().iter().filter(|part| part.boundary.is_none() && part.has_separator);
        let left_out = leaves.filter(|part| part.body.len() > LEFT_OUT && !is_touched(&part.body));
        let mut left_out = left_out.map(|part| part.body.clone()).peekable();
        let mut out = Vec::new();
        for slice in &self.slices {
            match slice {
                Slice::New(bytes, _) => out.extend_from_slice(bytes),
                Slice::Kept(range) => {
                    let mut at = range.start;
                    while let Some(body) = left_out.next_if(|body| body.end <= range.end) {
                        out.extend_from_slice(message.bytes(&(at..body.start.max(at))));
                        at = body.end;
                    }
                    out.extend_from_slice(message.bytes(&(at..range.end)));
                }
            }
        }
        out
    }

    /// Octets of the longest line that an edit touched, without its line end.
    pub fn longest_changed_line(&self) -> usize {
        let mut longest = 0;
        // Octets of the current line so far, whether an edit touched it, and whether a CR is the last of them.
        let (mut column, mut touched, mut has_cr) = (0_usize, false, false);
        for slice in &self.slices {
            let (bytes, is_new) = match slice {
                Slice::Kept(range) => (self.raw.get(range.clone()).unwrap_or_default(), false),
                Slice::New(bytes, _) => (&**bytes, true),
            };
            touched |= is_new;
            let mut start = 0;
            while let Some(length) = memchr::memchr(b'\n', bytes.get(start..).unwrap_or_default()) {
                let cr = if length > 0 { bytes.get(start + length - 1) == Some(&b'\r') } else { has_cr };
                if touched {
                    longest = longest.max(column + length - usize::from(cr));
                }
                (column, touched, has_cr) = (0, is_new, false);
                start += length + 1;
                if !is_new {
                    // No edit touches the others up to the last.
                    start = memchr::memrchr(b'\n', bytes).map_or(start, |last| last + 1);
                }
            }
            let rest = bytes.get(start..).unwrap_or_default();
            column += rest.len();
            has_cr = rest.last().map_or(has_cr, |last| *last == b'\r');
            // A line that begins right behind an edit is no line of it.
            touched &= column > 0;
        }
        if touched { longest.max(column) } else { longest }
    }

    /// What was replaced, in order.
    pub(super) fn new_ranges(&self) -> impl Iterator<Item = &Range<usize>> {
        self.slices.iter().filter_map(|slice| match slice {
            Slice::New(_, range) => Some(range),
            Slice::Kept(_) => None,
        })
    }

    /// The message in one piece: a copy.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len);
        for slice in self.slices() {
            out.extend_from_slice(slice);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_changed_where_an_edit_touches_it() {
        let raw = b"a\r\nbb\r\nccc\r\ndddd";
        let of = |range: Range<usize>, with: &str| {
            let edits = vec![Edit { range, with: with.as_bytes().to_vec().into() }];
            Rendered::new(raw, edits).unwrap().longest_changed_line()
        };
        assert_eq!([of(0..0, ""), of(3..3, "x"), of(3..3, "x\r\n"), of(5..5, "\r\nxxxxx")], [0, 3, 1, 5]);
        // A line end that goes joins two lines, and so does half of one in two slices.
        assert_eq!([of(5..7, ""), of(16..16, "x"), of(16..16, "\r\n"), of(1..2, "\r")], [5, 5, 4, 1]);
        assert_eq!(Rendered::new(raw, Vec::new()).unwrap().longest_changed_line(), 0);
    }
}
