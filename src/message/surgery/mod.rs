//! Surgery: whole parts that go, or come, in the midst of a message.
//!
//! An attachment is taken off, and a notice stands in its place; a picture comes to stand beside the HTML that shows it.
//! `notice.rs` writes the one, `image.rs` the other, `cut.rs` says which octets go, `layout.rs` which parts there are
//! afterwards, `attachments.rs` is what rules see of it.
//!
//! Invariant: every other part keeps its octets, and so do all delimiters, preambles and epilogues. No multipart is left
//! without a part.

mod attachments;
mod cut;
mod image;
mod layout;
mod name;
mod notice;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::beside::{edited, move_fields, within};
use super::draft::BodyError;
use super::edits::Edit;
use super::transfer::{MAX_LINE, with_line_end};
use super::{FieldSpan, LineEnd, MAX_DEPTH, MAX_PARTS, Message, Part, PartId, body};

pub use attachments::Said;
pub(super) use attachments::lock_of;
pub use image::{Image, ImageError, MAX_IMAGE, is_named_by_content};
pub(super) use layout::{Layout, Seat};
pub use name::{tame, tamed};
pub use notice::Notice;
pub(super) use notice::{FIELD as NOTICE_FIELD, is_notice};

/// What becomes of a part.
#[derive(Debug, Clone)]
enum Fate {
    /// A notice stands in its place.
    Replaced(Arc<Notice>),
    /// Nothing does.
    Removed,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Surgery {
    /// Parts that go: attachments.
    gone: BTreeMap<PartId, Fate>,
    /// Pictures that come: to a multipart/related that is there, or to an HTML part that gets one of its own.
    images: BTreeMap<PartId, Vec<Arc<Image>>>,
}

impl Surgery {
    pub fn is_unchanged(&self) -> bool {
        self.gone.is_empty() && self.images.is_empty()
    }

    /// True for a part that was taken off.
    pub fn is_gone(&self, id: PartId) -> bool {
        self.gone.contains_key(&id)
    }

    /// The parts that go, and those that pictures come to.
    pub fn parts(&self) -> impl Iterator<Item = PartId> {
        self.gone.keys().chain(self.images.keys()).copied()
    }

    /// True when what is left begins with a text with a file name, such as a notice.
    pub fn leaves_a_named_text_first(&self, message: &Message<'_>) -> bool {
        let removed = self.removed(message);
        let is_left = |id: &&PartId| !removed.contains(*id);
        let first_child = |id: &PartId| message.part(*id)?.children.iter().find(is_left).copied();
        let first = std::iter::successors(Some(PartId(0)), first_child).last();
        first.is_some_and(|id| match self.gone.get(&id) {
            Some(Fate::Replaced(_)) => true,
            _ => message.part(id).is_some_and(body::is_named_text),
        })
    }

    /// True where the message itself becomes a part, beside the pictures of its HTML.
    pub fn wraps_root(&self, message: &Message<'_>) -> bool {
        self.images.contains_key(&PartId(0)) && !is_related(message, PartId(0))
    }

    /// Where the message changes for it, apart from its header: start and end.
    pub fn ranges(&self, message: &Message<'_>) -> BTreeSet<(usize, usize)> {
        if self.is_unchanged() {
            return BTreeSet::new();
        }
        let (before, after) = self.edits(message);
        let root = message.part(PartId(0)).filter(|_| self.is_gone(PartId(0))).map(|root| root.body.clone());
        let ranges = before.iter().chain(&after).map(|edit| edit.range.clone()).chain(root);
        ranges.map(|range| (range.start, range.end)).collect()
    }

    /// Names of fields that the header of the message gets or loses for it.
    pub fn names_field(&self, name: &[u8]) -> bool {
        let root_is_gone = self.is_gone(PartId(0));
        let is = |field: &&[u8]| field.eq_ignore_ascii_case(name);
        root_is_gone && notice::FIELDS.iter().any(is)
            || self.images.contains_key(&PartId(0)) && [&b"MIME-Version"[..], b"Content-Type"].iter().any(is)
    }

    /// The edits of parts that come before those of their texts, and those that come after.
    pub fn edits(&self, message: &Message<'_>) -> (Vec<Edit>, Vec<Edit>) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        after.extend(self.cuts(message));
        for (id, images) in self.images.iter().filter(|(id, _)| **id != PartId(0) || is_related(message, **id)) {
            let (head, tail) = self.image_edits(message, *id, images);
            before.extend(head);
            after.push(tail);
        }
        (before, after)
    }

    /// The edits of the message's own body, `own`, with what becomes of the message as a whole: where it is an attachment
    /// that goes, or an HTML body that pictures come to.
    pub fn root_edits(&self, message: &Message<'_>, own: Vec<Edit>) -> Result<Vec<Edit>, BodyError> {
        let root = PartId(0);
        if let Some(Fate::Replaced(notice)) = self.gone.get(&root) {
            return notice.replacing(message).ok_or(BodyError::Field);
        }
        match self.images.get(&root) {
            Some(images) if !is_related(message, root) => wrapped(message, own, images),
            _ => Ok(own),
        }
    }
}

fn is_related(message: &Message<'_>, id: PartId) -> bool {
    message.part(id).is_some_and(|part| part.media_type == "multipart/related")
}

/// The message becomes the root of a multipart/related (RFC 2387): the fields that say how to read it move down with it.
fn wrapped(message: &Message<'_>, own: Vec<Edit>, images: &[Arc<Image>]) -> Result<Vec<Edit>, BodyError> {
    let root = message.part(PartId(0)).ok_or(BodyError::Separator)?;
    let top = message.field_place(PartId(0)).ok_or(BodyError::Field)?;
    let boundary = image::boundary(message, PartId(0));
    let mut fields = image::related_field(&boundary);
    let is_version = |field: &FieldSpan| message.bytes(&field.name).eq_ignore_ascii_case(b"MIME-Version");
    let brings_version = own.iter().any(|edit| edit.range == (top..top) && edit.with.starts_with(b"MIME-Version"));
    if !root.fields.iter().any(is_version) && !brings_version {
        fields.insert_str(0, "MIME-Version: 1.0\r\n");
    }
    let mut above = with_line_end(format!("--{boundary}\r\n").into_bytes(), message.line_end());
    let (in_header, in_body): (Vec<Edit>, Vec<Edit>) =
        own.into_iter().partition(|edit| edit.range.end <= root.header.end && !within(&edit.range, &root.body));
    let mut edits = Vec::new();
    let mut version = Vec::new();
    for edit in in_header.iter().filter(|edit| edit.range == (top..top)) {
        // The version is the message's, whatever else moves.
        for line in edit.with.split_inclusive(|b| *b == b'\n') {
            let is_version = line.get(..12).is_some_and(|name| name.eq_ignore_ascii_case(b"mime-version"));
            if is_version { &mut version } else { &mut above }.extend_from_slice(line);
        }
    }
    move_fields(message, &in_header, top, &mut above, &mut edits)?;
    above.extend_from_slice(message.line_end().as_bytes());
    version.extend(with_line_end(fields.into_bytes(), message.line_end()));
    edits.push(Edit { range: top..top, with: version.into() });
    edits.push(Edit { range: root.body.start..root.body.start, with: above.into() });
    edits.extend(in_body);
    let end = message.raw().len();
    if message.line_end() == LineEnd::Lf && message.raw().ends_with(b"\r") {
        return Err(BodyError::Doubtful);
    }
    let own = edits.iter().filter(|edit| edit.range.start > root.body.start);
    let last = edited(message, &root.body, own);
    if last.rsplit(|b| *b == b'\n').next().is_some_and(|line| line.len() > MAX_LINE) {
        return Err(BodyError::LastLine);
    }
    let mut below = Vec::new();
    for image in images {
        below.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        image.write(&mut below);
    }
    below.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    edits.push(Edit { range: end..end, with: with_line_end(below, message.line_end()).into() });
    Ok(edits)
}

/// Can parts be put behind the end of the message, where nothing ends its last part?
fn end_is_sound(message: &Message<'_>) -> Result<(), BodyError> {
    let raw = message.raw();
    if message.line_end() == LineEnd::Lf && raw.ends_with(b"\r") {
        return Err(BodyError::Doubtful);
    }
    let last_line = raw.len() - memchr::memrchr(b'\n', raw).map_or(0, |at| at + 1);
    if last_line > MAX_LINE { Err(BodyError::LastLine) } else { Ok(()) }
}

/// Is a multipart in one of the same boundary? Readers do not agree on which of them a delimiter belongs to.
fn shares_boundary(message: &Message<'_>) -> bool {
    let above = |part: &Part| part.parent.and_then(|id| message.part(id));
    message.parts().iter().filter(|part| part.boundary.is_some()).any(|part| {
        let around = std::iter::successors(above(part), |part| above(part));
        around.take(MAX_DEPTH).any(|outer| outer.boundary == part.boundary)
    })
}

/// How deep a part is nested.
fn depth(message: &Message<'_>, id: PartId) -> usize {
    std::iter::successors(message.part(id), |part| message.part(part.parent?)).count()
}

/// Is there room for so many parts more, one level deeper?
fn has_room(message: &Message<'_>, id: PartId, more: usize) -> bool {
    depth(message, id) + 1 < MAX_DEPTH && message.parts().len() + more + 1 < MAX_PARTS
}

fn boundary_of<'m>(message: &'m Message<'_>, id: PartId) -> &'m [u8] {
    message.part(id).and_then(|part| part.boundary.as_deref()).unwrap_or_default()
}
