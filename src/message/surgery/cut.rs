//! Which octets go when parts go.
//!
//! A part that is replaced goes from its header to the end of its body. One that is removed goes with the delimiter line
//! above it, so that what is left is as if it had never been there.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::super::edits::Edit;
use super::super::{Message, PartId};
use super::{Fate, Surgery, boundary_of};

impl Surgery {
    pub(super) fn cuts(&self, message: &Message<'_>) -> Vec<Edit> {
        let removed = self.removed(message);
        let mut edits = Vec::new();
        for (id, part) in message.parts().iter().enumerate() {
            let id = PartId(id);
            if id == PartId(0) || part.parent.is_some_and(|parent| removed.contains(&parent)) {
                continue;
            }
            if removed.contains(&id) {
                edits.push(removal(message, id, follows_only_removed(message, id, &removed)));
            } else if let Some(Fate::Replaced(notice)) = self.gone.get(&id) {
                let range = part.header.start..part.body.end;
                // A body without an octet can have its delimiter right behind it.
                let ended = !message.raw().get(range.end..).unwrap_or_default().starts_with(b"--");
                edits.push(Edit { range, with: notice.entity(message.line_end(), ended).into() });
            }
        }
        edits
    }

    /// The parts that are removed, with the multiparts of which nothing would be left.
    pub(in crate::message) fn removed(&self, message: &Message<'_>) -> BTreeSet<PartId> {
        let mut removed: BTreeSet<PartId> =
            self.gone.iter().filter(|(_, fate)| matches!(fate, Fate::Removed)).map(|(id, _)| *id).collect();
        if removed.is_empty() {
            return removed;
        }
        // What a multipart holds stands behind it.
        for (id, part) in message.parts().iter().enumerate().rev() {
            if !part.children.is_empty() && part.children.iter().all(|child| removed.contains(child)) {
                removed.insert(PartId(id));
            }
        }
        // What is in it goes with it.
        for (id, part) in message.parts().iter().enumerate() {
            if part.parent.is_some_and(|parent| removed.contains(&parent)) {
                removed.insert(PartId(id));
            }
        }
        removed
    }
}

/// Is it the last of what is left of an unclosed multipart, up to parts that are removed too? Answers whether a part of
/// the multipart before it stays.
fn follows_only_removed(message: &Message<'_>, id: PartId, removed: &BTreeSet<PartId>) -> bool {
    let Some(parent) = message.part(id).and_then(|part| message.part(part.parent?)) else { return false };
    let last = parent.children.last() == Some(&id);
    last && parent.children.iter().any(|child| !removed.contains(child))
}

/// The delimiter line above a part and all of the part, up to the next delimiter line. Where nothing follows, the
/// multipart is closed, or the part before would grow by a line end.
fn removal(message: &Message<'_>, id: PartId, close: bool) -> Edit {
    let Some(part) = message.part(id) else { return Edit { range: 0..0, with: Bytes::new() } };
    let start = delimiter_above(message, part.header.start);
    let rest = message.raw().get(part.body.end..).unwrap_or_default();
    let line_end = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
    let mut with = Vec::new();
    if rest.is_empty() && close {
        let boundary = part.parent.map_or(&b""[..], |parent| boundary_of(message, parent));
        with = [b"--", boundary, b"--", message.line_end().as_bytes()].concat();
    }
    Edit { range: start..part.body.end + line_end, with: with.into() }
}

/// Where the line before `at` begins, which is the start of a line.
fn delimiter_above(message: &Message<'_>, at: usize) -> usize {
    let before = message.bytes(&(0..at));
    let line = before.strip_suffix(b"\n").unwrap_or(before);
    memchr::memrchr(b'\n', line).map_or(0, |at| at + 1)
}
