//! A run of a message as the page shows it.

use mailwright::flow::handler::Fate;
use mailwright::rule::Disposition;

use crate::page::{Entry, Passage, RUN, Row, Sight};
use crate::serve::answer::word;
use crate::serve::run::{Outcome, Run};

/// Most recipients that are listed.
const MAX_RECIPIENTS: usize = 20;

/// The row of a run.
pub fn row(run: &Run) -> Row {
    sight(run, Row::of)
}

/// All of a run.
pub fn entry(run: &Run) -> Entry {
    sight(run, Entry::of)
}

fn sight<T>(run: &Run, look: impl FnOnce(&Sight<'_>) -> T) -> T {
    let outcome = run.outcome.as_deref();
    let passage = Passage {
        fate: fate(run),
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
        notes.push("another function answered: what its rules looked at is not known here".to_owned());
    }
    if outcome.is_none() {
        notes.push("in transit: the function is at work, or will be invoked again".to_owned());
    }
    look(&Sight {
        number: run.number,
        path: &run.origin.words(),
        event: Some(&run.event),
        handled: outcome.and_then(|outcome| outcome.handled.as_ref()),
        before: &run.original,
        after: run.rewritten().map(AsRef::as_ref),
        titles: &RUN,
        notes: &notes,
        failure: outcome.and_then(|outcome| outcome.failure.as_deref()),
        passage: Some(&passage),
    })
}

fn fate(run: &Run) -> &'static str {
    let Some(outcome) = run.outcome.as_deref() else { return "waiting" };
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
