//! Stretches of time, and hours of the week.
//!
//! Without a clock neither holds, so that two of them leave no moment out says nothing of what always holds.

use jiff::civil::{Time, Weekday};

use crate::facts::Timestamp;
use crate::rule::conditions::schedule::{self, Hours};
use crate::rule::period::Period;
use crate::rule::section::Section;

use super::each_in_some;

/// From a moment until another, which is no longer in it.
type Stretch = (Option<Timestamp>, Option<Timestamp>);

/// Stretches of which the moment must be in one.
#[derive(Debug)]
pub struct Dates(Vec<Stretch>);

impl Dates {
    /// The tables of a key.
    pub fn read(section: &mut Section<'_>, key: &'static str) -> Option<Self> {
        let tables = section.sections(key)?;
        let limits = |table| Period::read(table, key).map(|period| period.limits());
        tables.into_iter().map(limits).collect::<Option<_>>().map(Self)
    }

    /// Is every moment of these in one of the others?
    pub fn imply(&self, other: &Self) -> bool {
        each_in_some(&self.0, &other.0, |one, other| {
            let from = other.0.is_none_or(|from| one.0.is_some_and(|it| it >= from));
            from && other.1.is_none_or(|until| one.1.is_some_and(|it| it <= until))
        })
    }

    /// Is no moment in both?
    pub fn exclude(&self, other: &Self) -> bool {
        let before = |one: &Stretch, other: &Stretch| one.1.zip(other.0).is_some_and(|(until, from)| until <= from);
        self.0.iter().all(|one| other.0.iter().all(|other| before(one, other) || before(other, one)))
    }
}

/// Hours of which it must be one.
#[derive(Debug)]
pub struct Week(Vec<Hours>);

const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

impl Week {
    /// The tables of a key.
    pub fn read(section: &mut Section<'_>, key: &'static str) -> Option<Self> {
        section.sections(key)?.into_iter().map(|table| schedule::read(table, key)).collect::<Option<_>>().map(Self)
    }

    /// What both say at every moment at which one of them may begin or end; `None` where their clocks hang in different
    /// zones.
    fn with<'s>(&'s self, other: &'s Self) -> Option<impl Iterator<Item = (bool, bool)> + 's> {
        let all = || self.0.iter().chain(&other.0);
        let zone = self.0.first()?.zone().iana_name()?;
        all().all(|hours| hours.zone().iana_name() == Some(zone)).then_some(())?;
        let edges: Vec<Time> = all().flat_map(Hours::edges).collect();
        let says = |week: &[Hours], day, time| week.iter().any(|hours| hours.on_the_wall(day, time));
        let at = move |day| {
            let both = move |time: &Time| (says(&self.0, day, *time), says(&other.0, day, *time));
            edges.iter().map(both).collect::<Vec<_>>()
        };
        Some(DAYS.into_iter().flat_map(at))
    }

    /// Are all hours of this one in the other?
    pub fn implies(&self, other: &Self) -> bool {
        self.with(other).is_some_and(|mut moments| moments.all(|(one, other)| !one || other))
    }

    /// Is no hour in both?
    pub fn excludes(&self, other: &Self) -> bool {
        self.with(other).is_some_and(|mut moments| moments.all(|(one, other)| !one || !other))
    }
}
