//! `schedule`: hours of the week.
//!
//! The clock on the wall counts, in the zone that is named: where clocks go forward or back, nine o'clock is still nine
//! o'clock. Hours that end before they begin go over midnight, and belong to the day on which they begin.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use crate::rule::period::{ZONE, read_zone};
use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene, Takes};

use super::keys;

const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        key: "days",
        takes: Takes::Words(&["mon", "tue", "wed", "thu", "fri", "sat", "sun", "weekday", "weekend"]),
        default: "every day",
        doc: "The days on which the hours begin; `weekday` is Monday to Friday.",
    },
    OptionDoc { key: "from", takes: Takes::Time, default: "midnight", doc: "When they begin." },
    OptionDoc {
        key: "until",
        takes: Takes::Time,
        default: "midnight",
        doc: "The first moment that is no longer in them; where it is before `from`, of the next day.",
    },
    ZONE,
];

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "schedule",
    doc: "Tests whether the message passes in certain hours of the week; of several tables one must hold.",
    takes: Takes::Tables(OPTIONS),
    example: "schedule = { days = \"weekday\", from = \"08:00\", until = \"18:00\", zone = \"Europe/Berlin\" }",
    compile,
};

const DAYS: &[(&str, &[Weekday])] = &[
    ("mon", &[Weekday::Monday]),
    ("tue", &[Weekday::Tuesday]),
    ("wed", &[Weekday::Wednesday]),
    ("thu", &[Weekday::Thursday]),
    ("fri", &[Weekday::Friday]),
    ("sat", &[Weekday::Saturday]),
    ("sun", &[Weekday::Sunday]),
    ("weekday", &[Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday]),
    ("weekend", &[Weekday::Saturday, Weekday::Sunday]),
];

#[derive(Debug)]
struct Schedule(Vec<Hours>);

/// Hours of some days of the week.
#[derive(Debug)]
pub(in crate::rule) struct Hours {
    days: Vec<Weekday>,
    from: Time,
    /// `None` is the end of the day.
    until: Option<Time>,
    zone: TimeZone,
}

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let hours: Vec<_> = section.sections(key)?.into_iter().map(|table| read(table, key)).collect();
    Some(Box::new(Schedule(hours.into_iter().collect::<Option<_>>()?)))
}

/// Read one table. Reports its problems itself; `None` when there were any.
pub(in crate::rule) fn read(mut table: Section<'_>, key: &str) -> Option<Hours> {
    let given = |table: &Section<'_>, key: &str| table.holds(key) != Holds::Nothing;
    let mut sound = true;
    let days = table.choices("days", DAYS);
    sound &= days.is_some() || !given(&table, "days");
    let from = table.time_of_day("from");
    sound &= from.is_some() || !given(&table, "from");
    let until = table.time_of_day("until");
    sound &= until.is_some() || !given(&table, "until");
    if !given(&table, "zone") {
        table.missing("zone");
    }
    let zone = read_zone(&mut table);
    let begins = from.as_ref().map_or(Time::midnight(), |at| at.value);
    let ends = until.as_ref().map(|at| at.value).filter(|ends| *ends != Time::midnight());
    if let (Some(ends), Some(at)) = (ends, &until)
        && ends == begins
    {
        let help = "for whole days leave both out";
        table.problem(&at.span, Code::WrongValue, "it ends when it begins", help);
        sound = false;
    }
    if !given(&table, "days") && !given(&table, "from") && !given(&table, "until") {
        let span = table.span();
        table.problem(&span, Code::Missing, format!("`{key}` is always"), "give `days`, `from` or `until`");
        sound = false;
    }
    let hours = |name: &str| (name == "hours").then_some("write `from = \"09:00\", until = \"17:00\"`");
    table.finish_with(key, &keys(OPTIONS), hours);
    let all = || DAYS.iter().take(7).flat_map(|(_, days)| days.iter().copied()).collect();
    let days = days.map_or_else(all, |days| days.iter().flat_map(|at| at.value.iter().copied()).collect());
    sound.then_some(Hours { days, from: begins, until: ends, zone: zone? })
}

impl Hours {
    fn hold(&self, now: Timestamp) -> bool {
        let local = now.to_zoned(self.zone.clone()).datetime();
        self.on_the_wall(local.date().weekday(), local.time())
    }

    /// Are they, where the clock on the wall shows this?
    pub(in crate::rule) fn on_the_wall(&self, today: Weekday, time: Time) -> bool {
        let on = |day: Weekday| self.days.contains(&day);
        match self.until {
            None => on(today) && time >= self.from,
            Some(until) if self.from < until => on(today) && time >= self.from && time < until,
            Some(until) => (on(today) && time >= self.from) || (on(today.previous()) && time < until),
        }
    }
}

impl Hours {
    /// Where the clock hangs.
    pub(in crate::rule) fn zone(&self) -> &TimeZone {
        &self.zone
    }
    /// The times of day at which they may begin or end.
    pub(in crate::rule) fn edges(&self) -> [Time; 3] {
        [Time::midnight(), self.from, self.until.unwrap_or(Time::midnight())]
    }
}

impl Condition for Schedule {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        scene.facts.now.is_some_and(|now| self.0.iter().any(|hours| hours.hold(now)))
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let local = |now: Timestamp| {
            let zoned = now.to_zoned(self.0.first().map_or(TimeZone::UTC, |hours| hours.zone.clone()));
            format!("{:?}, {}", zoned.date().weekday(), zoned.datetime())
        };
        Some(scene.facts.now.map_or("nobody says what time it is".to_owned(), local))
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds_at, problems};

    #[track_caller]
    fn check(when: &str, within: &[&str], without: &[&str]) {
        for (moments, want) in [(within, true), (without, false)] {
            for now in moments {
                assert_eq!(holds_at(&format!("schedule = {when}"), now), want, "{when}: {now}");
            }
        }
    }

    #[test]
    fn hours_of_weekdays() {
        check(
            "{ days = \"weekday\", from = \"08:00\", until = 18:00:00, zone = \"Europe/Berlin\" }",
            &["2026-12-24T08:00+01:00", "2026-12-24T17:59:59+01:00"],
            &["2026-12-24T07:59:59+01:00", "2026-12-24T18:00+01:00", "2026-12-26T12:00+01:00"],
        );
    }

    #[test]
    fn whole_days() {
        check(
            "{ days = [\"sat\", \"sun\"], zone = \"Asia/Tokyo\" }",
            &["2026-12-25T15:00Z", "2026-12-27T14:59Z"],
            &["2026-12-25T14:59Z", "2026-12-27T15:00Z"],
        );
        check(
            "{ from = \"22:00\", until = \"24:00\", zone = \"UTC\" }",
            &["2026-12-24T23:59Z"],
            &["2026-12-25T00:00Z"],
        );
    }

    #[test]
    fn over_midnight_the_hours_belong_to_the_day_they_begin_on() {
        // A Friday night.
        check(
            "{ days = \"fri\", from = \"22:00\", until = \"06:00\", zone = \"UTC\" }",
            &["2026-12-25T22:00Z", "2026-12-26T05:59Z"],
            &["2026-12-25T05:00Z", "2026-12-26T06:00Z", "2026-12-26T22:00Z", "2026-12-25T21:59Z"],
        );
        check(
            "{ days = \"sun\", from = \"22:00\", until = \"06:00\", zone = \"UTC\" }",
            &["2026-12-28T03:00Z"],
            &["2026-12-27T03:00Z"],
        );
    }

    #[test]
    fn the_clock_on_the_wall_counts_when_clocks_change() {
        let nine = "{ from = \"09:00\", until = \"10:00\", zone = \"Europe/Berlin\" }";
        check(
            nine,
            &["2026-03-28T08:00Z", "2026-03-29T07:00Z", "2026-10-24T07:00Z", "2026-10-25T08:00Z"],
            &["2026-03-29T08:00Z", "2026-10-25T07:00Z"],
        );
        // Shown twice, both are meant; left out, none is.
        let two = "{ from = \"02:00\", until = \"03:00\", zone = \"Europe/Berlin\" }";
        check(two, &["2026-10-25T00:30Z", "2026-10-25T01:30Z"], &["2026-03-29T00:59Z", "2026-03-29T01:00Z"]);
    }

    #[test]
    fn what_cannot_be_meant() {
        assert!(problems("schedule = { zone = \"UTC\" }").contains("is always"));
        assert!(problems("schedule = { days = \"mon\" }").contains("`zone` is missing"));
        assert!(problems("schedule = { days = \"monday\", zone = \"UTC\" }").contains("R003"));
        assert!(problems("schedule = { from = \"8 am\", zone = \"UTC\" }").contains("time of day"));
        assert!(problems("schedule = { from = \"25:00\", zone = \"UTC\" }").contains("time of day"));
        assert!(
            problems("schedule = { from = \"08:00\", until = \"08:00\", zone = \"UTC\" }")
                .contains("ends when it begins")
        );
    }
}
