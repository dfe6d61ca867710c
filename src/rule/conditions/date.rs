//! `date`: whether the message passes within a stretch of time.

use crate::rule::period::{self, Period};
use crate::rule::section::Section;
use crate::rule::{Condition, ConditionKind, Scene, Takes};

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "date",
    doc: "Tests when the message passes: from a date or a moment, until another; of several tables one must hold. A date is its \
          whole day. A rule as a whole begins and ends with `active`.",
    takes: Takes::Tables(period::OPTIONS),
    example: "date = { from = 2026-12-20, until = 2027-01-06, zone = \"Europe/Berlin\" }",
    compile,
};

#[derive(Debug)]
struct Within(Vec<Period>);

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let periods: Vec<_> = section.sections(key)?.into_iter().map(|table| Period::read(table, key)).collect();
    Some(Box::new(Within(periods.into_iter().collect::<Option<_>>()?)))
}

impl Condition for Within {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        scene.facts.now.is_some_and(|now| self.0.iter().any(|period| period.holds(now)))
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        Some(scene.facts.now.map_or("nobody says what time it is".to_owned(), |now| now.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds, holds_at, problems};

    #[test]
    fn one_of_several() {
        let when = "date = [{ until = 2026-01-06, zone = \"UTC\" }, { from = 2026-12-20, zone = \"UTC\" }]";
        for (now, want) in [("2026-01-06T23:00Z", true), ("2026-06-01T00:00Z", false), ("2026-12-20T00:00Z", true)] {
            assert_eq!(holds_at(when, now), want, "{now}");
        }
    }

    #[test]
    fn without_a_clock_no_date_holds() {
        assert!(!holds("date = { from = 2000-01-01, zone = \"UTC\" }", "Subject: x\n\nx"));
        assert!(!holds("schedule = { zone = \"UTC\", days = \"mon\" }", "Subject: x\n\nx"));
    }

    #[test]
    fn a_zone_is_needed() {
        assert!(problems("date = { from = 2026-12-01 }").contains("`zone` is missing"));
    }
}
