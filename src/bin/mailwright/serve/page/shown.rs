//! A run of a message as the page shows it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mailwright::flow::handler::Fate;
use mailwright::rule::Disposition;

use crate::page::{Entry, Passage, RUN, Row, Sight, text};
use crate::replay::function::bug;
use crate::serve::answer::word;
use crate::serve::hub::Rules;
use crate::serve::run::{Outcome, Run};

/// Most recipients that are listed.
const MAX_RECIPIENTS: usize = 20;

/// The row of a run. A message that cannot be shown keeps no other from it.
pub fn row(run: &Run, rules: &Rules) -> Row {
    let look = || {
        let row = sight(run, rules, Row::of);
        // The function's log names its rules: those of the same name are counted.
        let Some(said) = run.said.as_deref().filter(|_| row.rules.is_empty()) else { return row };
        let index = |name: &str| rules.pipeline.rules().iter().position(|rule| rule.name == name);
        Row { rules: said.met().filter_map(index).collect(), ..row }
    };
    catch_unwind(AssertUnwindSafe(look)).unwrap_or_else(|_| Row {
        number: run.number,
        path: run.origin.words(),
        html: format!("<strong>{}</strong>", text(&bug())),
        fate: "failed",
        answer: "",
        rules: Vec::new(),
    })
}

/// All of a run.
pub fn entry(run: &Run, rules: &Rules) -> Entry {
    sight(run, rules, Entry::of)
}

fn sight<T>(run: &Run, rules: &Rules, look: impl FnOnce(&Sight<'_>) -> T) -> T {
    let outcome = run.outcome.as_deref();
    let passage = Passage {
        fate: fate(run, rules),
        answer: outcome.map_or("", answer),
        recipients: outcome.map(recipients).unwrap_or_default(),
        tries: run.failures.iter().enumerate().map(|(nth, why)| format!("try {} failed: {why}", nth + 1)).collect(),
        raw: format!("/page/messages/{}/", run.number),
    };
    let mut notes = outcome.map(|outcome| outcome.notes.clone()).unwrap_or_default();
    if outcome.is_some_and(|outcome| outcome.fell_back) {
        notes.insert(0, "the function gave no answer in time: everybody gets the fallback action".to_owned());
    }
    if outcome.is_some_and(|outcome| outcome.handled.is_none() && outcome.failure.is_none()) {
        match &run.said {
            Some(said) => notes.extend(said.lines()),
            None => notes.push("another function answered: which rules matched, and why, is not known here".to_owned()),
        }
    }
    if is_behind(run, rules) && outcome.is_some() {
        notes.insert(
            0,
            "in transit again, under the rules in force; what is shown here the rules before have made".to_owned(),
        );
    }
    if outcome.is_none() {
        notes.push("in transit: the function is at work or waited for, or will be invoked again".to_owned());
    }
    look(&Sight {
        number: run.number,
        path: &run.origin.words(),
        event: Some(&run.event),
        handled: match outcome.filter(|_| !is_behind(run, rules)) {
            Some(outcome) => outcome.handled.as_ref(),
            None => run.tried.as_deref().or(outcome.and_then(|outcome| outcome.handled.as_ref())),
        },
        before: &run.original,
        after: run.rewritten().map(AsRef::as_ref),
        titles: &RUN,
        notes: &notes,
        failure: outcome.and_then(|outcome| outcome.failure.as_deref()),
        passage: Some(&passage),
    })
}

/// It has not passed yet under the rules in force.
fn is_behind(run: &Run, rules: &Rules) -> bool {
    run.generation < rules.generation
}

fn fate(run: &Run, rules: &Rules) -> &'static str {
    let Some(outcome) = run.outcome.as_deref().filter(|_| !is_behind(run, rules)) else { return "waiting" };
    if outcome.fell_back {
        return "failed";
    }
    match outcome.handled.as_ref().map(|handled| &handled.report.fate) {
        Some(Fate::Original { .. }) => "original",
        Some(Fate::Marked) => "marked",
        Some(Fate::Undecodable | Fate::Failed) => "failed",
        Some(Fate::Rewritten | Fate::Unchanged | Fate::Off | Fate::Observed { .. }) | None => {
            if outcome.rewritten.is_some() { "rewritten" } else { "unchanged" }
        }
    }
}

/// What is done for all, or that it is not the same for all.
fn answer(outcome: &Outcome) -> &'static str {
    let mut words = outcome.answered.iter().filter(|one| !one.added).map(|one| word(&one.disposition));
    let first = words.next().unwrap_or(word(&outcome.others));
    if words.all(|other| other == first) { first } else { "mixed" }
}

/// Who gets what, where it is not the same for all, and who is added; with the words of a bounce.
fn recipients(outcome: &Outcome) -> Vec<String> {
    let said = |disposition: &Disposition| match disposition {
        Disposition::Bounce(text) if !text.is_empty() => format!("bounce, with: {text}"),
        other => word(other).replace('_', " "),
    };
    let mixed = answer(outcome) == "mixed";
    let mut lines: Vec<String> = Vec::new();
    if !mixed
        && let Some(first) = outcome.answered.first()
        && let Disposition::Bounce(_) = first.disposition
    {
        lines.push(said(&first.disposition));
    }
    let listed = outcome.answered.iter().filter(|one| mixed || one.added);
    lines
        .extend(listed.map(|one| {
            format!("{}{}: {}", if one.added { "added " } else { "" }, one.address, said(&one.disposition))
        }));
    if let more @ 1.. = lines.len().saturating_sub(MAX_RECIPIENTS) {
        lines.truncate(MAX_RECIPIENTS);
        lines.push(format!("and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::serve::run::Answered;

    fn outcome(answered: &[(&str, Disposition, bool)]) -> Outcome {
        let one = |(address, disposition, added): &(&str, Disposition, bool)| Answered {
            address: (*address).to_owned(),
            disposition: disposition.clone(),
            added: *added,
        };
        Outcome {
            handled: None,
            rewritten: None,
            answered: answered.iter().map(one).collect(),
            others: Disposition::Deliver,
            fell_back: false,
            failure: None,
            notes: Vec::new(),
            tries: 1,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn who_gets_what_is_said_where_it_is_not_the_same_for_all() {
        let bounce = || Disposition::Bounce("No cards.".to_owned());
        let same =
            outcome(&[("a@x.example", Disposition::Deliver, false), ("b@x.example", Disposition::Deliver, false)]);
        assert_eq!((answer(&same), recipients(&same)), ("deliver", Vec::new()));
        let all = outcome(&[("a@x.example", bounce(), false), ("b@x.example", bounce(), false)]);
        assert_eq!((answer(&all), recipients(&all)), ("bounce", vec!["bounce, with: No cards.".to_owned()]));
        let mixed = outcome(&[
            ("a@x.example", bounce(), false),
            ("b@x.example", Disposition::BypassSpamCheck, false),
            ("log@x.example", Disposition::Deliver, true),
        ]);
        assert_eq!(answer(&mixed), "mixed");
        assert_eq!(
            recipients(&mixed),
            ["a@x.example: bounce, with: No cards.", "b@x.example: bypass spam check", "added log@x.example: deliver"]
        );
        assert_eq!(answer(&outcome(&[])), "deliver");
        let many = vec![("a@x.example", Disposition::Deliver, true); MAX_RECIPIENTS + 5];
        assert_eq!(recipients(&outcome(&many)).last().map(String::as_str), Some("and 5 more"));
    }
}
