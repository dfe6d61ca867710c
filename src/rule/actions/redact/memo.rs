//! What one look at a message has made out of its texts, for the walks that follow.
//!
//! Invariant: what is remembered is of a text that is byte for byte the same, in the same place: its key is a hash of both,
//! keyed anew for each run. Values are dropped with the run.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use super::places::Place;
use super::search::Hit;
use super::views::View;

/// A view, and what was found in it.
pub(super) type Seen = (View, Vec<Hit>);

/// Remembers texts by their keys.
#[derive(Debug, Default)]
pub(super) struct Memo {
    keys: RandomState,
    /// Of the last look.
    seen: HashMap<u64, Vec<Seen>>,
    /// Texts in which the last pass that masks found nothing to mask.
    clean: HashSet<u64>,
}

impl Memo {
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
    }

    pub(super) fn saw(&mut self, key: Option<u64>, seen: Vec<Seen>) {
        if let Some(key) = key {
            self.seen.insert(key, seen);
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
    pub(super) fn take(&mut self, key: Option<u64>) -> Option<Vec<Seen>> {
        self.seen.remove(&key?)
    }
}
