//! Blocks in a protected message, outside of what is protected.
//!
//! Invariant: the part that is protected keeps its bytes, and a reader sees the block where it is to stand: in a text that
//! nothing protects, or above the message.

use std::collections::HashSet;

use super::body::{self, Body};
use super::draft::{Block, BodyError, Draft, Place, Target};
use super::protection::{self, Protection};
use super::{Message, PartId};

/// Where a block of a protected message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    /// Into so many bodies that nothing protects.
    Into(usize),
    /// Into a part of its own above the message.
    Above,
    /// Nowhere: what is this would lose its meaning inside another part.
    Nowhere(Protection),
}

impl Draft<'_> {
    /// True where a block of a protected message can stand in a body that nothing protects. `ours` are parts that a run
    /// before has put beside the message: no bodies of it.
    pub fn has_free_bodies(&self, at: Place, ours: &[Body]) -> bool {
        free_bodies(self.message(), at, ours).is_some()
    }

    /// The bodies that may be edited: all, or of a protected message those that nothing protects.
    pub fn free_bodies(&self) -> Vec<Body> {
        match self.protection() {
            None => self.readable(),
            Some(_) => free_bodies(self.message(), Place::End, &[]).unwrap_or_default(),
        }
    }

    /// Show a block in a protected message, outside of what is protected: in these bodies
    /// ([`Draft::targets_among_others`]), where they are free; else in a new part above the message, unless the message
    /// would lose its meaning inside another part.
    pub fn insert_outside(
        &mut self,
        targets: &[Target],
        ours: &[Body],
        block: &Block,
        at: Place,
    ) -> Result<Outside, BodyError> {
        if let Some(doubt) = self.message().structural_doubt() {
            return Err(doubt);
        }
        if self.has_free_bodies(at, ours)
            && let Ok(count) = self.put_into(targets, block)
        {
            return Ok(Outside::Into(count));
        }
        match protection::against_wrapping(self.message(), &self.surgery) {
            Some(protection) => Ok(Outside::Nowhere(protection)),
            None => self.put_beside(block, Place::Start).map(|()| Outside::Above),
        }
    }
}

/// The bodies of a protected message that nothing protects, nor an alternative of them. `None` where there is none, or
/// where a block on top would stand below something protected.
pub(super) fn free_bodies(message: &Message<'_>, at: Place, ours: &[Body]) -> Option<Vec<Body>> {
    let parts = message.parts();
    let mut all = body::readable(parts);
    all.retain(|body| !ours.contains(body));
    let (mut free, protected): (Vec<Body>, Vec<Body>) =
        all.iter().partition(|body| protection::of_text(message, **body).is_none());
    let shared: HashSet<PartId> = protected.iter().flat_map(|body| body::alternatives(parts, *body)).collect();
    free.retain(|body| !body::alternatives(parts, *body).any(|id| shared.contains(&id)));
    let is_below = at.is_top() && all.first() != free.first();
    (!free.is_empty() && !is_below).then_some(free)
}
