//! What one look at a message has found in its texts, for the walk that masks.
//!
//! Invariant: what is remembered is of a text that is byte for byte the same, in the same place: its key is a hash of both,
//! keyed anew for each run. Values are dropped with the run. Of large texts the finds are kept, and the views made again.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use super::places::Place;
use super::search::Hit;
use super::views::View;

/// Views are kept while their texts are no longer than this together, in octets.
const MAX_KEPT: usize = 512 * 1_024;

/// What was found in the views of a text.
#[derive(Debug, Default)]
pub(super) struct Seen {
    hits: Vec<Hit>,
    /// How many of them are in which view, for those that have any.
    counts: Vec<(usize, usize)>,
    /// How many views there are.
    views: usize,
    /// All of them, or none.
    kept: Vec<View>,
}

impl Seen {
    /// One more view, with what was found in it. `room` is for how many octets more views are kept.
    fn add(&mut self, view: View, hits: Vec<Hit>, room: &mut usize) {
        if !hits.is_empty() {
            self.counts.push((self.views, hits.len()));
            if self.hits.is_empty() {
                self.hits = hits;
            } else {
                self.hits.extend(hits);
            }
        }
        if self.kept.len() == self.views {
            match room.checked_sub(view.text.text().len()) {
                Some(less) => {
                    *room = less;
                    self.kept.push(view);
                }
                None => self.kept = Vec::new(),
            }
        }
        self.views += 1;
    }

    /// The views, where all of them are kept.
    pub(super) fn take_views(&mut self) -> Option<Vec<View>> {
        (self.kept.len() == self.views).then(|| std::mem::take(&mut self.kept))
    }

    /// What was found, view by view.
    pub(super) fn into_hits(self) -> impl FnMut() -> Vec<Hit> {
        let (mut hits, mut counts, mut view) = (self.hits, self.counts.into_iter().peekable(), 0);
        let mut taken = 0;
        move || {
            let count = counts.next_if(|(of, _)| *of == view).map_or(0, |(_, count)| count);
            view += 1;
            if taken == 0 && count == hits.len() {
                return std::mem::take(&mut hits);
            }
            taken += count;
            hits.get(taken - count..taken).unwrap_or_default().to_vec()
        }
    }
}

/// Remembers texts by their keys.
#[derive(Debug)]
pub(super) struct Memo {
    keys: RandomState,
    /// Of the last look.
    seen: HashMap<u64, Seen>,
    /// For how many octets more views are kept.
    room: usize,
    /// Texts in which the last pass that masks found nothing to mask.
    clean: HashSet<u64>,
}

impl Memo {
    pub(super) fn new() -> Self {
        Self { keys: RandomState::new(), seen: HashMap::new(), room: MAX_KEPT, clean: HashSet::new() }
    }

    /// The key of a place whose views take time to make; `None` for a header value.
    pub(super) fn key(&self, place: &Place<'_>) -> Option<u64> {
        place.kind_of_views().map(|kind| self.keys.hash_one((kind, place.name, place.source)))
    }

    /// Was there nothing in it, and has nothing been learned since?
    pub(super) fn is_clean(&self, key: Option<u64>) -> bool {
        key.is_some_and(|key| self.clean.contains(&key))
    }

    /// A look begins.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
        self.room = MAX_KEPT;
    }

    /// A look at a text begins.
    pub(super) fn begin(&mut self, key: Option<u64>) {
        if let Some(key) = key {
            self.seen.insert(key, Seen::default());
        }
    }

    /// One more view of it.
    pub(super) fn saw(&mut self, key: Option<u64>, view: View, hits: Vec<Hit>) {
        if let Some(seen) = key.and_then(|key| self.seen.get_mut(&key)) {
            seen.add(view, hits, &mut self.room);
        }
    }

    /// A pass that masks begins.
    pub(super) fn soil(&mut self) {
        self.clean.clear();
    }

    pub(super) fn found_nothing(&mut self, key: Option<u64>) {
        self.clean.extend(key);
    }

    /// What the look before saw there.
    pub(super) fn take(&mut self, key: Option<u64>) -> Option<Seen> {
        self.seen.remove(&key?)
    }
}
