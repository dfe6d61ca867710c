//! What `attachment` says: so many attachments pass all of its tests.

use crate::rule::conditions::attachment::content::GROUPS;
use crate::rule::section::{Holds, Section};

use super::each_in_some;
use super::ranges::Range;
use super::texts::list;

/// Tests of attachments, and how many must pass them.
#[derive(Debug)]
pub struct Attachments {
    /// `name`, `type`, `content`, `inside`, `extension`: one pattern of each must match.
    patterns: [Option<Vec<String>>; 5],
    locked: Option<bool>,
    size: Option<Range>,
    total: Option<Range>,
    count: Range,
}

const KNOWN: &[&str] = &["name", "type", "content", "inside", "extension", "locked", "size", "total", "count"];

impl Attachments {
    /// Read the table of a key; `None` for what is not known here.
    pub fn read(section: &mut Section<'_>, key: &'static str) -> Option<Self> {
        let mut table = section.section(key)?;
        table.keys().iter().all(|key| KNOWN.contains(&key.value.as_str())).then_some(())?;
        let given = |table: &Section<'_>, key: &str| table.holds(key) != Holds::Nothing;
        let range = |table: &mut Section<'_>, key, read: fn(Section<'_>) -> Option<Range>| {
            if given(table, key) { table.section(key).and_then(read).map(Some) } else { Some(None) }
        };
        let extension = |text: &str| text.strip_prefix('.').unwrap_or(text).to_lowercase();
        let content = list(&mut table, "content", str::to_owned).ok()?.map(with_groups);
        Some(Self {
            patterns: [
                list(&mut table, "name", str::to_owned).ok()?,
                list(&mut table, "type", str::to_owned).ok()?,
                content,
                list(&mut table, "inside", str::to_owned).ok()?,
                list(&mut table, "extension", extension).ok()?,
            ],
            locked: table.boolean("locked").map(|at| at.value),
            size: range(&mut table, "size", Range::of_size)?,
            total: range(&mut table, "total", Range::of_size)?,
            count: range(&mut table, "count", Range::of_count)?.unwrap_or(Range { least: 1, most: u64::MAX }),
        })
    }

    /// Does an attachment that passes these tests pass the others?
    fn passing_pass(&self, other: &Self) -> bool {
        let pattern = |(one, other): (&Option<Vec<String>>, &Option<Vec<String>>)| match (one, other) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(one), Some(other)) => each_in_some(one, other, |one, other| one == other),
        };
        self.patterns.iter().zip(&other.patterns).all(pattern)
            && (other.locked.is_none() || self.locked == other.locked)
            && other.size.is_none_or(|wanted| self.size.is_some_and(|size| size.is_within(wanted)))
    }

    /// Does the other hold wherever this one does?
    pub fn implies(&self, other: &Self) -> bool {
        let (to, from) = (self.passing_pass(other), other.passing_pass(self));
        let total = |wanted: Range| {
            let total = self.total.unwrap_or(Range { least: 0, most: u64::MAX });
            let most = wanted.most == u64::MAX || from && total.most <= wanted.most;
            most && (wanted.least == 0 || to && total.least >= wanted.least)
        };
        (other.count.least == 0 || to && self.count.least >= other.count.least)
            && (other.count.most == u64::MAX || from && self.count.most <= other.count.most)
            && other.total.is_none_or(total)
    }

    /// Do the two never hold at once?
    pub fn excludes(&self, other: &Self) -> bool {
        let over = |one: &Self, other: &Self| one.count.least > other.count.most && one.passing_pass(other);
        over(self, other) || over(other, self)
    }
}

fn with_groups(list: Vec<String>) -> Vec<String> {
    let types = |text: String| match GROUPS.iter().find(|(word, _)| *word == text) {
        Some((_, types)) => types.iter().map(|glob| (*glob).to_owned()).collect(),
        None => vec![text],
    };
    list.into_iter().flat_map(types).collect()
}
