//! Tables of conditions, as they are compiled: entries that all must hold, and tables in `any`, `all` and `not`.
//!
//! Invariant: a table holds for a recipient when each entry does, as far as that is known (see [`Truth`]).

use std::ops::{Deref, DerefMut};

use super::section::Span;
use super::truth::Truth;
use super::truths::{Truths, asks_each, table_truths};
use super::{Condition, Scene};
use crate::directory::Need;
use crate::envelope::Direction;

/// Entries that all must hold; of none, always.
#[derive(Debug, Default)]
pub struct Table {
    entries: Vec<Entry>,
    span: Option<Span>,
}

/// One entry of a table.
#[derive(Debug)]
pub struct Entry {
    /// What it says.
    pub says: Says,
    /// Where its key stands; `None` for one that no file holds.
    pub span: Option<Span>,
}

/// What an entry says.
#[derive(Debug)]
pub enum Says {
    /// A condition of some kind.
    Condition(Box<dyn Condition>),
    /// `any = [{…}, …]`: one of the tables holds.
    Any(Vec<Table>),
    /// `all = [{…}, …]`: every table holds.
    All(Vec<Table>),
    /// `not = {…}`: the table does not hold.
    Not(Table),
}

impl Table {
    /// Entries that stand at a place.
    pub fn new(entries: Vec<Entry>, span: Span) -> Self {
        Self { entries, span: Some(span) }
    }
    /// Where it stands; `None` for one that no file holds.
    pub fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }
    /// The keys of its entries, such as `sender, size`.
    pub fn keys(&self) -> String {
        self.iter().map(Entry::key).collect::<Vec<_>>().join(", ")
    }
}

impl Deref for Table {
    type Target = Vec<Entry>;
    fn deref(&self) -> &Vec<Entry> {
        &self.entries
    }
}

impl DerefMut for Table {
    fn deref_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.entries
    }
}

impl FromIterator<Box<dyn Condition>> for Table {
    fn from_iter<T: IntoIterator<Item = Box<dyn Condition>>>(conditions: T) -> Self {
        let entry = |condition| Entry { says: Says::Condition(condition), span: None };
        Self { entries: conditions.into_iter().map(entry).collect(), span: None }
    }
}

impl Entry {
    /// Is it sure to hold, for one recipient at least?
    pub fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        match &self.says {
            Says::Condition(condition) => condition.holds(scene),
            _ => self.truths(scene).for_any().is_sure(),
        }
    }
    /// For which recipients it holds.
    pub fn truths(&self, scene: &Scene<'_, '_>) -> Truths {
        match &self.says {
            Says::Condition(condition) => condition.truths(scene),
            Says::Any(tables) => tables.iter().fold(Truths::ForAll(Truth::Fails), |truths, table| {
                if truths == Truths::ForAll(Truth::Holds) { truths } else { truths.or(table_truths(table, scene)) }
            }),
            Says::All(tables) => tables.iter().fold(Truths::ForAll(Truth::Holds), |truths, table| {
                if truths == Truths::ForAll(Truth::Fails) { truths } else { truths.and(table_truths(table, scene)) }
            }),
            Says::Not(table) => table_truths(table, scene).negated(),
        }
    }
    /// The key in the rule file, such as `recipients` or `any`.
    pub fn key(&self) -> &'static str {
        match &self.says {
            Says::Condition(condition) => condition.key(),
            Says::Any(_) => "any",
            Says::All(_) => "all",
            Says::Not(_) => "not",
        }
    }
    /// The tables in it; none in a condition.
    pub fn tables(&self) -> &[Table] {
        match &self.says {
            Says::Condition(_) => &[],
            Says::Any(tables) | Says::All(tables) => tables,
            Says::Not(table) => std::slice::from_ref(table),
        }
    }
    /// What of the message it looked at (see [`Condition::seen`]).
    pub fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        match &self.says {
            Says::Condition(condition) => condition.seen(scene),
            _ => None,
        }
    }
    /// For a condition that holds one way only: which.
    pub fn direction(&self) -> Option<Direction> {
        match &self.says {
            Says::Condition(condition) => condition.direction(),
            _ => None,
        }
    }
    /// What has to be looked up before it can be told.
    pub fn need(&self) -> Need {
        if let Says::Condition(condition) = &self.says {
            return condition.need();
        }
        let mut need = Need::default();
        for entry in self.tables().iter().flat_map(|table| table.iter()) {
            need.add(entry.need());
        }
        need
    }
    /// True where it may hold for some recipients and not for others.
    pub fn asks_each(&self) -> bool {
        match &self.says {
            Says::Condition(condition) => condition.asks_each(),
            _ => self.tables().iter().any(|table| asks_each(table)),
        }
    }
}
