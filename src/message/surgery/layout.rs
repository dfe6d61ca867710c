//! Which parts a rewritten message has, in order: what `verify.rs` holds the result against.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::beside::Beside;
use super::super::{Message, Part, PartId};
use super::{Fate, Image, Notice, Surgery, is_related};

/// One part of the rewritten message.
#[derive(Debug, Clone)]
pub(in crate::message) enum Seat {
    /// A part that came in.
    Kept(PartId),
    /// A notice in the place of one.
    Notice(Arc<Notice>),
    /// The multipart/related that an HTML part got.
    Related,
    /// A picture.
    Image(Arc<Image>),
    /// A part of those that stand beside the message.
    Beside,
}

impl Seat {
    /// Is the new part what it was meant to be? Parts that came in are for the caller to look at.
    pub fn is(&self, message: &Message<'_>, part: &Part) -> bool {
        match self {
            Self::Kept(_) | Self::Beside => true,
            Self::Notice(notice) => notice.is(message, part),
            Self::Related => part.media_type == "multipart/related" && part.boundary.is_some(),
            Self::Image(image) => part.media_type == image.media_type() && image.is(message, part),
        }
    }
}

/// All of them, each with the index of the part that holds it.
#[derive(Debug)]
pub(in crate::message) struct Layout {
    pub seats: Vec<(Seat, Option<usize>)>,
    /// By part that came in.
    places: BTreeMap<PartId, usize>,
}

impl Layout {
    pub fn new(message: &Message<'_>, surgery: &Surgery, beside: &Beside) -> Self {
        let mut layout = Self { seats: Vec::new(), places: BTreeMap::new() };
        for number in 0..beside.parts_above() {
            layout.seats.push((Seat::Beside, (number > 0).then_some(0)));
        }
        let outer = (!beside.is_empty()).then_some(0);
        let removed = surgery.removed(message);
        let ends = related_ends(message, surgery);
        for (id, part) in message.parts().iter().enumerate() {
            let id = PartId(id);
            if !removed.contains(&id) {
                let parent = match part.parent {
                    Some(parent) => layout.places.get(&parent).copied(),
                    None => outer,
                };
                match surgery.gone.get(&id) {
                    Some(Fate::Replaced(notice)) => layout.push(Seat::Notice(Arc::clone(notice)), parent),
                    _ => layout.keep(message, id, parent, surgery),
                }
            }
            for (of, images) in ends.get(&id).into_iter().flatten() {
                let parent = layout.places.get(of).copied();
                images.iter().for_each(|image| layout.push(Seat::Image(Arc::clone(image)), parent));
            }
        }
        for _ in 0..beside.parts_below() {
            layout.seats.push((Seat::Beside, Some(0)));
        }
        beside.notices.iter().for_each(|notice| layout.push(Seat::Notice(Arc::clone(notice)), Some(0)));
        layout
    }

    fn push(&mut self, seat: Seat, parent: Option<usize>) {
        self.seats.push((seat, parent));
    }

    /// A part that came in, in a multipart/related of its own where pictures come to it.
    fn keep(&mut self, message: &Message<'_>, id: PartId, parent: Option<usize>, surgery: &Surgery) {
        let images = surgery.images.get(&id).filter(|_| !is_related(message, id));
        let related = images.map(|_| self.seats.len());
        if images.is_some() {
            self.push(Seat::Related, parent);
        }
        self.places.insert(id, self.seats.len());
        self.push(Seat::Kept(id), related.or(parent));
        for image in images.into_iter().flatten() {
            self.push(Seat::Image(Arc::clone(image)), related);
        }
    }

    /// Where a part that came in is now.
    pub fn place(&self, id: PartId) -> Option<PartId> {
        self.places.get(&id).copied().map(PartId)
    }
}

/// A multipart/related and the pictures that come to it.
type Pictures<'s> = (PartId, &'s [Arc<Image>]);

/// For the last part in each multipart/related that pictures come to: which, and the pictures; the inner ones first.
fn related_ends<'s>(message: &Message<'_>, surgery: &'s Surgery) -> BTreeMap<PartId, Vec<Pictures<'s>>> {
    let mut ends: BTreeMap<PartId, Vec<Pictures<'s>>> = BTreeMap::new();
    for (id, images) in surgery.images.iter().rev().filter(|(id, _)| is_related(message, **id)) {
        let last = std::iter::successors(Some(*id), |id| message.part(*id)?.children.last().copied()).last();
        ends.entry(last.unwrap_or(*id)).or_default().push((*id, images));
    }
    ends
}
