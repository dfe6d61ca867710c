//! Finds on their way out of the detectors: a list that stays small however many there are, and ends where it is told to.
//!
//! Invariant: a list that ended early is never handed out.

use std::ops::Range;

use super::{Confidence, DetectorId};
use crate::rule::late::{Late, TimeUp};

/// A find, in twelve octets: a text may hold millions of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    start: u32,
    end: u32,
    /// What found it.
    pub detector: DetectorId,
    /// How sure it is.
    pub confidence: Confidence,
}

impl Found {
    /// Byte range of the text handed in.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// `None` behind the first four gigabytes of a text.
    fn new(range: &Range<usize>, detector: usize, confidence: Confidence) -> Option<Self> {
        let detector = DetectorId(u16::try_from(detector).ok()?);
        Some(Self {
            start: u32::try_from(range.start).ok()?,
            end: u32::try_from(range.end).ok()?,
            detector,
            confidence,
        })
    }
}

/// Why not everything was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Beyond {
    /// There are more finds than were asked for.
    #[error("there are more finds than it takes")]
    Finds,
    /// Time ran out.
    #[error("time ran out")]
    Time,
}

impl From<TimeUp> for Beyond {
    fn from(_: TimeUp) -> Self {
        Self::Time
    }
}

/// So many steps are taken between two looks at the clock.
const STEPS: usize = 4_096;

/// Finds as they are made.
pub struct Finds<'l> {
    list: Vec<Found>,
    most: usize,
    late: Late<'l>,
    steps: usize,
    ended: Option<Beyond>,
}

impl<'l> Finds<'l> {
    /// None yet, and at most so many.
    pub fn new(most: usize, late: Late<'l>) -> Self {
        Self { list: Vec::new(), most, late, steps: 0, ended: None }
    }

    /// One more; says whether there is any use in going on.
    pub fn push(&mut self, range: Range<usize>, detector: usize, confidence: Confidence) -> bool {
        if !self.goes_on() {
            return false;
        }
        match Found::new(&range, detector, confidence).filter(|_| self.list.len() < self.most) {
            Some(found) => self.list.push(found),
            None => self.ended = Some(Beyond::Finds),
        }
        self.ended.is_none()
    }

    /// Is there any use in going on? To be asked now and then: it looks at the clock.
    pub fn goes_on(&mut self) -> bool {
        self.steps += 1;
        if self.ended.is_none() && self.steps.is_multiple_of(STEPS) && self.late.is_late() {
            self.ended = Some(Beyond::Time);
        }
        self.ended.is_none()
    }

    /// The clock that it looks at.
    pub fn late(&self) -> Late<'l> {
        self.late
    }

    /// Sorted, and what overlaps made one, by the surest of its detectors: cutting one of two short would leave a piece of it
    /// to be read.
    pub fn part(&mut self) {
        self.list.sort_by_key(|found| (found.start, std::cmp::Reverse(found.end)));
        self.list.dedup_by(|next, previous| {
            let overlap = next.start < previous.end;
            if overlap {
                previous.end = previous.end.max(next.end);
                if next.confidence > previous.confidence {
                    (previous.detector, previous.confidence) = (next.detector, next.confidence);
                }
            }
            overlap
        });
    }

    /// Move each to where `to` says that its range is; they are in order.
    pub fn move_to(&mut self, mut to: impl FnMut(Range<usize>) -> Range<usize>) {
        for found in &mut self.list {
            let range = to(found.range());
            // The text that is left is no longer than the one that was looked at, or this is a find of nothing.
            match Found::new(&range, usize::from(found.detector.0), found.confidence) {
                Some(moved) => *found = moved,
                None => self.ended = Some(Beyond::Finds),
            }
        }
    }

    /// All of them, or why they are not all.
    pub fn into_list(self) -> Result<Vec<Found>, Beyond> {
        self.ended.map_or(Ok(self.list), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_ends_early_is_none() {
        let never = || false;
        let mut finds = Finds::new(2, Late::new(&never));
        let push = |finds: &mut Finds<'_>, at: usize| finds.push(at..at + 2, 0, Confidence::High);
        assert!(push(&mut finds, 5) && push(&mut finds, 0));
        finds.part();
        assert!(!push(&mut finds, 9) && !push(&mut finds, 11));
        assert_eq!(finds.into_list(), Err(Beyond::Finds));

        let always = || true;
        let mut finds = Finds::new(usize::MAX, Late::new(&always));
        let steps = (0..2 * STEPS).take_while(|at| push(&mut finds, *at)).count();
        assert!(steps < STEPS);
        assert_eq!(finds.into_list(), Err(Beyond::Time));

        let mut finds = Finds::new(usize::MAX, Late::NEVER);
        assert!(!push(&mut finds, usize::MAX - 9), "it would not be where it says");
        assert_eq!(finds.into_list(), Err(Beyond::Finds));
    }

    #[test]
    fn what_overlaps_is_one() {
        let mut finds = Finds::new(9, Late::NEVER);
        for (range, detector, confidence) in [
            (4..8, 0, Confidence::Low),
            (2..5, 1, Confidence::High),
            (8..9, 2, Confidence::Low),
            (2..3, 3, Confidence::Low),
        ] {
            finds.push(range, detector, confidence);
        }
        finds.part();
        let list: Vec<_> = finds.into_list().unwrap().iter().map(|found| (found.range(), found.detector.0)).collect();
        assert_eq!(list, [(2..8, 1), (8..9, 2)]);
        assert_eq!(size_of::<Found>(), 12);
    }
}
