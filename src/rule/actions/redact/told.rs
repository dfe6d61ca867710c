//! Which places of a source have been told already: what stands in several views of a text (a comment as text and as HTML)
//! is one find.
//!
//! Invariant: a place is looked up among any number of others in the time that a search by halves takes, in whatever order
//! views come.

use std::ops::Range;

/// Places, in lists that are in order and apart, each more than twice as long as the next.
#[derive(Debug, Default)]
pub(super) struct Told {
    lists: Vec<Vec<(u32, u32)>>,
}

impl Told {
    /// Does it overlap one of them?
    pub(super) fn holds(&self, place: &Range<usize>) -> bool {
        let Some((start, end)) = narrow(place) else { return false };
        self.lists.iter().any(|list| {
            let behind = list.partition_point(|(_, other)| *other <= start);
            list.get(behind).is_some_and(|(other, _)| *other < end)
        })
    }

    /// More of them, in order and apart.
    pub(super) fn add(&mut self, places: impl Iterator<Item = Range<usize>>) {
        let new: Vec<_> = places.filter_map(|place| narrow(&place)).collect();
        let Some((start, _)) = new.first() else { return };
        match self.lists.last_mut() {
            Some(last) if last.last().is_some_and(|(_, end)| end <= start) => last.extend(new),
            _ => self.lists.push(new),
        }
        while let [.., before, last] = self.lists.as_slice()
            && before.len() <= last.len().saturating_mul(2)
        {
            let last = self.lists.pop().unwrap_or_default();
            if let Some(before) = self.lists.last_mut() {
                before.extend(last);
                before.sort_unstable();
                before.dedup_by(|next, previous| {
                    let overlap = next.0 < previous.1;
                    if overlap {
                        previous.1 = previous.1.max(next.1);
                    }
                    overlap
                });
            }
        }
    }
}

fn narrow(place: &Range<usize>) -> Option<(u32, u32)> {
    Some((u32::try_from(place.start).ok()?, u32::try_from(place.end).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_known_in_whatever_order_it_came() {
        let mut told = Told::default();
        // As many lists as views, were they not put together.
        for at in (0..1_000_usize).map(|n| n * 37 % 1_000 * 10) {
            assert!(!told.holds(&(at..at + 5)), "{at}");
            told.add(std::iter::once(at..at + 5));
            assert!(told.holds(&(at + 4..at + 9)) && told.holds(&(at..at + 1)), "{at}");
        }
        assert!(told.lists.len() < 12, "{}", told.lists.len());
        assert!(!told.holds(&(5..10)) && !told.holds(&(9_995..20_000)) && told.holds(&(3..30)));
    }

    #[test]
    fn what_overlaps_is_one_place() {
        let mut told = Told::default();
        told.add([0..10, 20..30].into_iter());
        told.add(std::iter::once(5..25));
        assert!(told.holds(&(12..13)) && told.holds(&(29..30)) && !told.holds(&(30..31)));
    }
}
