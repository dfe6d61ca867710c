//! `{ over, under }`: a size in octets between limits; `{ at_least, at_most }`: a number within limits.

use std::ops::RangeInclusive;

use crate::rule::problem::Code;
use crate::rule::section::Section;
use crate::rule::{OptionDoc, Takes};

use super::keys;

/// `over` for the reference.
pub const OVER: OptionDoc =
    OptionDoc { key: "over", takes: Takes::Size, default: "no limit", doc: "Holds when the size is larger than this." };
/// `under` for the reference.
pub const UNDER: OptionDoc = OptionDoc {
    key: "under",
    takes: Takes::Size,
    default: "no limit",
    doc: "Holds when the size is smaller than this.",
};
/// Both.
pub const OPTIONS: &[OptionDoc] = &[OVER, UNDER];

/// A size between limits, neither included.
#[derive(Debug, Clone, Copy, Default)]
pub struct SizeRange {
    over: Option<u64>,
    under: Option<u64>,
}

impl SizeRange {
    /// Read the table `{ over, under }` of the key.
    pub fn read(mut section: Section<'_>, of: &str) -> Option<Self> {
        let known = keys(OPTIONS);
        let given = section.keys();
        let over = section.size(OVER.key);
        let under = section.size(UNDER.key);
        let whole = given.iter().filter(|key| known.contains(&key.value.as_str())).count()
            == usize::from(over.is_some()) + usize::from(under.is_some());
        if given.is_empty() {
            let span = section.span();
            section.problem(&span, Code::Missing, format!("`{of}` says neither `over` nor `under`"), "");
            return None;
        }
        let impossible = over.as_ref().zip(under.as_ref()).filter(|(o, u)| o.value.saturating_add(1) >= u.value);
        if let Some((_, under)) = &impossible {
            section.problem(
                &under.span,
                Code::WrongValue,
                "no size is over the one and under the other",
                "`over` must be smaller than `under`",
            );
        }
        let sound = whole && impossible.is_none();
        let range = Self { over: over.map(|at| at.value), under: under.map(|at| at.value) };
        section.finish(of, &known);
        sound.then_some(range)
    }

    /// Is every size of `bounds` between the limits, or none of them? `None` where some are.
    pub fn holds_for_all(self, bounds: &RangeInclusive<u64>) -> Option<bool> {
        let (least, most) = (*bounds.start(), *bounds.end());
        if self.over.is_some_and(|over| most <= over) || self.under.is_some_and(|under| least >= under) {
            return Some(false);
        }
        (self.holds(least) && self.holds(most)).then_some(true)
    }

    /// The least and the greatest size in it; `None` where there is none.
    pub fn limits(self) -> Option<(u64, u64)> {
        let least = self.over.map_or(Some(0), |over| over.checked_add(1))?;
        let most = self.under.map_or(Some(u64::MAX), |under| under.checked_sub(1))?;
        (least <= most).then_some((least, most))
    }
    /// Is `size` between the limits?
    pub fn holds(self, size: u64) -> bool {
        self.over.is_none_or(|over| size > over) && self.under.is_none_or(|under| size < under)
    }
}

/// A number within limits, for the reference.
pub const COUNT: &[OptionDoc] = &[
    OptionDoc {
        key: "at_least",
        takes: Takes::Number(0, u64::MAX),
        default: "0",
        doc: "Holds when there are so many or more.",
    },
    OptionDoc {
        key: "at_most",
        takes: Takes::Number(0, u64::MAX),
        default: "no limit",
        doc: "Holds when there are so many or fewer.",
    },
];

/// A number within limits, both included.
#[derive(Debug, Clone, Copy)]
pub struct CountRange {
    /// 0 where it is not given.
    pub at_least: u64,
    /// `None`: no limit.
    pub at_most: Option<u64>,
}

impl CountRange {
    /// Read the table `{ at_least, at_most }` of the key.
    pub fn read(mut table: Section<'_>, of: &str) -> Option<Self> {
        let known = keys(COUNT);
        let numbers = table.keys().iter().filter(|key| known.contains(&key.value.as_str())).count();
        let at_least = table.number("at_least");
        let at_most = table.number("at_most");
        let mut sound = numbers == usize::from(at_least.is_some()) + usize::from(at_most.is_some());
        if table.keys().is_empty() {
            let span = table.span();
            table.problem(&span, Code::Missing, format!("`{of}` says neither `at_least` nor `at_most`"), "");
            sound = false;
        }
        if let (Some(least), Some(most)) = (&at_least, &at_most)
            && least.value > most.value
        {
            let what = "no number is at least the one and at most the other";
            table.problem(&most.span, Code::WrongValue, what, "");
            sound = false;
        }
        table.finish(of, &known);
        let at_least = at_least.map_or(0, |at| at.value);
        sound.then_some(Self { at_least, at_most: at_most.map(|at| at.value) })
    }

    /// Is `count` within the limits? Of a list that is cut it is not known how many it had at most.
    pub fn holds(self, count: usize, cut: bool) -> bool {
        let count = count as u64;
        count >= self.at_least && self.at_most.is_none_or(|most| !cut && count <= most)
    }
}
