//! What an edited text is made of: ranges of the text that came in, and new text, by turns; in eight octets each.
//!
//! Invariant: pieces stand in the order of the edited text, and those that came in in their own.

use std::ops::Range;

/// A piece of the current text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// A range of the text that came in.
    Kept(Range<usize>),
    /// New text.
    New(&'t str),
}

impl Piece<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Kept(range) => range.len(),
            Self::New(text) => text.len(),
        }
    }
}

/// All pieces of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pieces {
    list: Vec<Entry>,
    /// New text, one piece behind the other.
    new: String,
    /// One did not fit in.
    over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// In the text that came in; of new text, which follows the one before it, [`Entry::NEW`].
    start: u32,
    len: u32,
}

impl Entry {
    const NEW: u32 = u32::MAX;
}

impl Pieces {
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// True where one is missing: the text is not what it was to become.
    pub fn is_over(&self) -> bool {
        self.over
    }

    pub fn count(&self) -> usize {
        self.list.len()
    }

    pub fn push(&mut self, piece: &Piece<'_>) {
        let (start, len) = match piece {
            Piece::Kept(range) => (u32::try_from(range.start).ok().filter(|start| *start != Entry::NEW), range.len()),
            Piece::New(text) => {
                self.new.push_str(text);
                (Some(Entry::NEW), text.len())
            }
        };
        match (start, u32::try_from(len)) {
            (Some(start), Ok(len)) => self.list.push(Entry { start, len }),
            _ => self.over = true,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut at = 0;
        self.list.iter().map(move |entry| {
            let (start, len) = (entry.start as usize, entry.len as usize);
            if entry.start != Entry::NEW {
                return Piece::Kept(start..start + len);
            }
            at += len;
            Piece::New(self.new.get(at - len..at).unwrap_or_default())
        })
    }

    /// The text that they make.
    pub fn read(&self, original: &str) -> String {
        let mut text = String::with_capacity(self.list.iter().map(|entry| entry.len as usize).sum());
        for piece in self.iter() {
            text.push_str(match piece {
                Piece::Kept(range) => original.get(range).unwrap_or_default(),
                Piece::New(new) => new,
            });
        }
        text
    }
}

/// Walks over pieces by offsets of the text that they make.
pub(super) struct Cutter<'t, I> {
    pieces: I,
    head: Option<Piece<'t>>,
    at: usize,
}

impl<'t, I: Iterator<Item = Piece<'t>>> Cutter<'t, I> {
    pub fn new(pieces: I) -> Self {
        Self { pieces, head: None, at: 0 }
    }

    /// Hand on everything before `to`.
    pub fn take_to(&mut self, to: usize, sink: &mut impl FnMut(&Piece<'t>)) {
        while self.at < to {
            let Some(piece) = self.head.take().or_else(|| self.pieces.next()) else { return };
            let len = piece.len();
            let room = to - self.at;
            if len <= room {
                self.at += len;
                if len > 0 {
                    sink(&piece);
                }
                continue;
            }
            self.at = to;
            let (first, second) = match piece {
                Piece::Kept(range) => {
                    (Piece::Kept(range.start..range.start + room), Piece::Kept(range.start + room..range.end))
                }
                Piece::New(text) => {
                    let (first, second) = text.split_at_checked(room).unwrap_or((text, ""));
                    (Piece::New(first), Piece::New(second))
                }
            };
            sink(&first);
            self.head = Some(second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_out_as_they_were_put_in() {
        let mut pieces = Pieces::default();
        let all = [Piece::Kept(0..2), Piece::New("x"), Piece::New(""), Piece::Kept(3..5), Piece::New("yz")];
        for piece in &all {
            pieces.push(piece);
        }
        assert_eq!(pieces.iter().collect::<Vec<_>>(), all);
        assert_eq!(pieces.read("abcde"), "abxdeyz");
        let mut cut = Vec::new();
        let mut cutter = Cutter::new(all.into_iter());
        cutter.take_to(1, &mut |piece| cut.push(piece.clone()));
        cutter.take_to(6, &mut |_| ());
        cutter.take_to(usize::MAX, &mut |piece| cut.push(piece.clone()));
        assert_eq!(cut, [Piece::Kept(0..1), Piece::New("z")]);
        pieces.push(&Piece::Kept(usize::MAX - 2..usize::MAX));
        assert!(pieces.is_over());
    }
}
