//! Multiparts that nothing closes.

use super::super::Message;
use super::super::edits::Edit;
use super::super::part::Part;
use super::{Repair, Work};

impl Message<'_> {
    /// True when a closing delimiter stands behind the last part of a multipart (RFC 2046 §5.1.1). Not for one that
    /// cannot be taken apart, or has no part.
    pub fn is_closed(&self, part: &Part) -> bool {
        let (Some(boundary), Some(end)) = (&part.boundary, last_end(self, part)) else { return false };
        let rest = self.raw().get(end..).unwrap_or_default();
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        rest.starts_with(&[b"--", boundary.as_slice(), b"--"].concat())
    }
}

fn last_end(message: &Message<'_>, part: &Part) -> Option<usize> {
    part.children.last().and_then(|last| message.part(*last)).map(|last| last.body.end)
}

/// Close a multipart where its last part ends; no octet of that part becomes another. Of those that end at one place the
/// innermost comes first.
pub(super) fn mend(message: &Message<'_>, part: &Part, work: &mut Work) {
    let (Some(boundary), Some(end)) = (&part.boundary, last_end(message, part)) else { return };
    if message.is_closed(part) {
        return;
    }
    let newline = message.line_end().as_bytes();
    let last = if end == message.raw().len() { newline } else { b"" };
    let with = [newline, b"--", boundary.as_slice(), b"--", last].concat();
    work.edits.push(Edit { range: end..end, with: with.into() });
    work.did(Repair::Delimiter);
}
