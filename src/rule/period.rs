//! `{ from, until, zone }`: a stretch of time, for the condition `date` and for rules that begin and end.
//!
//! `from` and `until` are dates, or dates with a time of day, as TOML writes them. A date stands for its whole day: `until =
//! 2026-12-31` is over when that day is. With a time of day `until` is the first moment that is no longer in. What names no
//! offset needs a `zone`.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::problem::Code;
use super::section::{At, Holds, Section};
use super::toml_value::{nearest_line, shown};
use super::{OptionDoc, Takes};

/// Its options.
pub const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        key: "from",
        takes: Takes::Date,
        default: "no limit",
        doc: "When it begins; a date is the first moment of its day.",
    },
    OptionDoc {
        key: "until",
        takes: Takes::Date,
        default: "no limit",
        doc: "When it ends: with the end of this day, or at this time of day.",
    },
    ZONE_OF_DATES,
];

/// `zone` for the reference.
pub const ZONE: OptionDoc = OptionDoc { default: "", ..ZONE_OF_DATES };

/// The same where a date may name its offset.
const ZONE_OF_DATES: OptionDoc = OptionDoc {
    key: "zone",
    takes: Takes::Text("time zone, such as \"Europe/Berlin\" or \"UTC\""),
    default: "needed, unless both name their offset",
    doc: "Where the clock hangs that dates and times are read from, by its name in the IANA database.",
};

/// A stretch of time.
#[derive(Debug, Clone)]
pub struct Period {
    from: Option<Timestamp>,
    /// Not in it any more.
    until: Option<Timestamp>,
    written: String,
}

/// Where a moment is, seen from a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It has not begun.
    Before,
    /// In it.
    Within,
    /// It is over.
    After,
}

impl Period {
    /// Read the table.
    pub fn read(mut table: Section<'_>, of: &str) -> Option<Self> {
        let given = table.keys();
        let whole = table.span();
        let zone = read_zone(&mut table);
        let from = table.date_time("from");
        let until = table.date_time("until");
        let mut sound = true;
        for (key, read) in [("from", &from), ("until", &until)] {
            sound &= read.is_some() || table.holds(key) == Holds::Nothing;
        }
        if from.is_none() && until.is_none() && sound {
            let keys = if given.is_empty() { "is empty" } else { "has no limit" };
            table.problem(&whole, Code::Missing, format!("`{of}` {keys}"), "give `from`, `until` or both");
            sound = false;
        }
        let local = [&from, &until].into_iter().flatten().find(|at| is_local(&at.value));
        if let (Some(at), Holds::Nothing) = (local, table.holds("zone")) {
            let help = "add `zone = \"Europe/Berlin\"` or yours; or write date, time and offset";
            table.problem(&at.span, Code::Missing, "when that is depends on where: `zone` is missing", help);
            sound = false;
        }
        sound &= zone.is_some() || table.holds("zone") == Holds::Nothing;
        let zone = zone.unwrap_or(TimeZone::UTC);
        let mut moment = |at: &At<String>, day_after: bool| {
            let read = moment(&at.value, &zone, day_after);
            if read.is_none() {
                let help = "write 2026-12-31, 2026-12-31T18:00:00 or 2026-12-31T18:00:00+01:00, without quotes";
                table.problem(&at.span, Code::WrongValue, "this is no date that can be used", help);
                sound = false;
            }
            read
        };
        let begins = from.as_ref().and_then(|at| moment(at, false));
        let ends = until.as_ref().and_then(|at| moment(at, true));
        if let (Some(begins), Some(ends), Some(at)) = (begins, ends, &until)
            && begins >= ends
        {
            table.problem(&at.span, Code::WrongValue, "it ends before it begins", "`until` comes after `from`");
            sound = false;
        }
        if let (Some(ends), Some(at)) = (ends, &until) {
            table.ends(&at.span, ends);
        }
        let limit = |word: &str, at: &Option<At<String>>| at.as_ref().map(|at| format!("{word} {}", at.value));
        let written =
            [limit("from", &from), limit("until", &until)].into_iter().flatten().collect::<Vec<_>>().join(" ");
        table.finish(of, &["from", "until", "zone"]);
        sound.then_some(Self { from: begins, until: ends, written })
    }

    /// Its first moment, and the first that is no longer in it; `None` where there is no limit.
    pub(super) fn limits(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.from, self.until)
    }
    /// Where `now` is, seen from it.
    pub fn phase(&self, now: Timestamp) -> Phase {
        if self.from.is_some_and(|from| now < from) {
            Phase::Before
        } else if self.until.is_some_and(|until| now >= until) {
            Phase::After
        } else {
            Phase::Within
        }
    }
    /// Is `now` in it?
    pub fn holds(&self, now: Timestamp) -> bool {
        self.phase(now) == Phase::Within
    }
}

impl std::fmt::Display for Period {
    /// `from 2026-12-01 until 2026-12-31`, as it is written in the rule file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)
    }
}

/// Read `zone`.
pub(super) fn read_zone(table: &mut Section<'_>) -> Option<TimeZone> {
    let name = table.string("zone")?;
    let zone = TimeZone::get(&name.value).ok();
    if zone.is_none() {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        let help = nearest_line(&name.value, known.iter().map(String::as_str));
        let what = format!("there is no time zone \"{}\"", shown(&name.value));
        let help = format!("{help}zones are named as \"Europe/Berlin\", \"America/New_York\", \"UTC\"");
        table.problem(&name.span, Code::WrongValue, what, help);
    }
    zone
}

/// Neither with an offset nor in UTC.
fn is_local(written: &str) -> bool {
    written.parse::<Timestamp>().is_err()
}

/// The moment that a date, or a date with a time, names; of a date the first of the day, or of the day after.
fn moment(written: &str, zone: &TimeZone, day_after: bool) -> Option<Timestamp> {
    if let Ok(exact) = written.parse::<Timestamp>() {
        return Some(exact);
    }
    let local = if written.contains([':', 'T', ' ']) {
        written.parse::<DateTime>().ok()?
    } else {
        let day = written.parse::<Date>().ok()?;
        let day = if day_after { day.checked_add(1.day()).ok()? } else { day };
        day.to_datetime(jiff::civil::Time::midnight())
    };
    // A time of day that the clocks leave out is moved on, one that they show twice is the first (RFC 5545 §3.3.5).
    Some(zone.to_ambiguous_zoned(local).compatible().ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::section::tests::read;

    fn period(toml: &str) -> Period {
        let (period, problems) = read(toml, |mut section| Period::read(section.section("p")?, "p"));
        assert!(problems.is_empty(), "{problems}");
        period.unwrap()
    }

    #[track_caller]
    fn check(toml: &str, within: &[&str], without: &[&str]) {
        let period = period(toml);
        for (moments, want) in [(within, true), (without, false)] {
            for moment in moments {
                assert_eq!(period.holds(moment.parse().unwrap()), want, "{toml}: {moment}");
            }
        }
    }

    #[test]
    fn a_date_is_a_whole_day_where_the_clock_hangs() {
        check(
            "p = { from = 2026-12-01, until = 2026-12-31, zone = \"Europe/Berlin\" }",
            &["2026-12-01T00:00+01:00", "2026-12-31T23:59:59+01:00"],
            &["2026-11-30T23:59:59+01:00", "2027-01-01T00:00+01:00"],
        );
        // Clocks go forward on that night: the day has 23 hours.
        check(
            "p = { from = 2026-03-29, until = 2026-03-29, zone = \"Europe/Berlin\" }",
            &["2026-03-28T23:00Z", "2026-03-29T21:59Z"],
            &["2026-03-28T22:59Z", "2026-03-29T22:00Z"],
        );
    }

    #[test]
    fn with_a_time_it_ends_at_that_moment() {
        check(
            "p = { from = 2026-12-24T10:00:00+01:00, until = 2026-12-24T12:00:00Z }",
            &["2026-12-24T09:00Z", "2026-12-24T11:59:59Z"],
            &["2026-12-24T08:59Z", "2026-12-24T12:00Z"],
        );
        check(
            "p = { until = 2026-07-01T08:00:00, zone = \"America/New_York\" }",
            &["2026-07-01T11:59Z"],
            &["2026-07-01T12:00Z"],
        );
        // 02:30 is left out in that night, and shown twice in the other.
        check(
            "p = { from = 2026-03-29T02:30:00, zone = \"Europe/Berlin\" }",
            &["2026-03-29T01:30Z"],
            &["2026-03-29T01:29Z"],
        );
        check(
            "p = { from = 2026-10-25T02:30:00, zone = \"Europe/Berlin\" }",
            &["2026-10-25T00:30Z"],
            &["2026-10-25T00:29Z"],
        );
    }

    #[test]
    fn phases() {
        let period = period("p = { from = 2026-12-01, until = 2026-12-31, zone = \"UTC\" }");
        let phase = |moment: &str| period.phase(moment.parse().unwrap());
        assert_eq!([phase("2026-11-01T00:00Z"), phase("2026-12-05T00:00Z")], [Phase::Before, Phase::Within]);
        assert_eq!(phase("2027-01-01T00:00Z"), Phase::After);
        assert_eq!(period.to_string(), "from 2026-12-01 until 2026-12-31");
    }

    #[test]
    fn what_cannot_be_meant() {
        let problems = |toml: &str| {
            let (period, problems) = read(toml, |mut section| Period::read(section.section("p")?, "p"));
            assert!(period.is_none(), "{toml}");
            problems.to_string()
        };
        assert!(problems("p = {}").contains("is empty"));
        assert!(problems("p = { zone = \"UTC\" }").contains("has no limit"));
        assert!(problems("p = { from = 2026-12-01 }").contains("`zone` is missing"));
        assert!(problems("p = { from = \"soon\", zone = \"UTC\" }").contains("takes a date"));
        assert!(problems("p = { from = 10:00:00, zone = \"UTC\" }").contains("no date that can be used"));
        assert!(
            problems("p = { from = 2026-12-01, zone = \"Europe/Berln\" }").contains("did you mean `Europe/Berlin`?")
        );
        let text = problems("p = { from = 2026-12-02, until = 2026-12-01, zone = \"UTC\" }");
        assert!(text.contains("ends before it begins"), "{text}");
    }
}
