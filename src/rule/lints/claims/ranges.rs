//! Numbers between limits.

use crate::rule::conditions::range::{CountRange, SizeRange};
use crate::rule::section::Section;

/// From the least to the most, both included; `u64::MAX` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub least: u64,
    pub most: u64,
}

impl Range {
    /// `{ over, under }`.
    pub fn of_size(table: Section<'_>) -> Option<Self> {
        let (least, most) = SizeRange::read(table, "size")?.limits()?;
        Some(Self { least, most })
    }

    /// `{ at_least, at_most }`.
    pub fn of_count(table: Section<'_>) -> Option<Self> {
        let count = CountRange::read(table, "count")?;
        Some(Self { least: count.at_least, most: count.at_most.unwrap_or(u64::MAX) })
    }

    /// Is every number of this one in the other?
    pub fn is_within(self, other: Self) -> bool {
        self.least >= other.least && self.most <= other.most
    }

    /// Is no number in both?
    pub fn is_apart(self, other: Self) -> bool {
        self.least > other.most || other.least > self.most
    }

    /// Is every number in one of the two?
    pub fn exhausts(self, other: Self) -> bool {
        let (low, high) = if self.least <= other.least { (self, other) } else { (other, self) };
        low.least == 0 && high.most == u64::MAX && low.most.saturating_add(1) >= high.least
    }
}
