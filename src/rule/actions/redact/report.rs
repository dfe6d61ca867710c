//! What a run found and where, for people and programs.
//!
//! Invariant: no content: the name of the detector, the place, the offset, a digest that only a key makes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use super::search::{Hit, Search};
use super::told::Told;
use super::views::View;
use crate::rule::Find;
use crate::rule::value_key::ValueKey;

/// So many finds are told one by one; the others are counted.
pub(super) const MAX_FINDS: usize = 200;
/// So many places are named to people.
const MAX_PLACES: usize = 6;
/// Hex digits of a digest.
const DIGEST: usize = 16;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Tally {
    finds: Vec<Find>,
    counts: BTreeMap<String, usize>,
    places: Vec<String>,
    seen: BTreeSet<String>,
}

impl Tally {
    /// What was found in one view of a place. `told` is what was found in those before; `None` where there is one view only.
    pub(super) fn add(
        &mut self,
        search: &Search<'_>,
        view: &View,
        hits: &[Hit],
        place: &str,
        key: Option<&ValueKey>,
        told: Option<&mut Told>,
    ) {
        for hit in hits {
            let is_new = || !told.as_ref().is_some_and(|told| told.holds(&source(view, hit)));
            if is_new() {
                self.count(search, hit, place, view, key);
            }
        }
        if let Some(told) = told {
            told.add(hits.iter().map(|hit| source(view, hit)));
        }
    }

    fn count(&mut self, search: &Search<'_>, hit: &Hit, place: &str, view: &View, key: Option<&ValueKey>) {
        let name = search.detectors.name(hit.detector);
        match self.counts.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(name.to_owned(), 1)),
        }
        if !self.seen.contains(place) {
            self.seen.insert(place.to_owned());
            self.places.push(place.to_owned());
        }
        if self.finds.len() < MAX_FINDS {
            // Bytes of the decoded text of the place.
            let offset = source(view, hit).start;
            let value = || search.value(view.text.text(), hit);
            let digest = key.map(|key| key.digest("find", name, &value()).chars().take(DIGEST).collect());
            let what = (!view.what.is_empty()).then(|| view.what.to_owned());
            self.finds.push(Find { detector: name.to_owned(), place: place.to_owned(), what, offset, digest });
        }
    }

    pub(super) fn total(&self) -> usize {
        self.counts.values().sum()
    }

    pub(super) fn into_finds(self) -> Vec<Find> {
        self.finds
    }
}

/// From the first octet of a find in the source of its view to behind its last.
fn source(view: &View, hit: &Hit) -> Range<usize> {
    let mut pieces = view.text.pieces(hit.range());
    let first = pieces.next().map_or(0..0, |piece| piece.source);
    first.start..pieces.last().map_or(first.end, |last| last.source.end)
}

/// `2 card, 1 iban in subject, 1.2`.
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts: Vec<String> = self.counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        let mut places = self.places.iter().take(MAX_PLACES).cloned().collect::<Vec<_>>().join(", ");
        if self.places.len() > MAX_PLACES {
            let _ = write!(places, " and {} more", self.places.len() - MAX_PLACES);
        }
        write!(f, "{} in {places}", counts.join(", "))
    }
}
