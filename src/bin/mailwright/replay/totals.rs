//! What a run came to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use mailwright::flow::handler::Handled;
use mailwright::pipeline::{Pipeline, RuleReport, Verdict};
use serde_json::json;

use super::shown;
use crate::check::count;
use crate::terminal::{BAD, Colour, NAME, ODD, escape};

/// What is counted of a message.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug)]
pub struct Tally {
    /// It failed.
    pub failed: bool,
    octets: usize,
    changed: bool,
    answer: Option<&'static str>,
    /// WorkMail would reject it, as it was put first.
    rejectable: bool,
    /// It was repaired, and the put taken then.
    repaired: bool,
    rules: Vec<Did>,
}

/// What is counted of a rule on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// It did not match, or was not looked at.
    Nothing,
    /// It matched, to act or in audit mode.
    Matched,
    /// It matched and left the message alone.
    Skipped,
    /// It failed.
    Failed,
}

impl Did {
    /// What a rule did.
    pub fn of(rule: &RuleReport) -> Self {
        match rule.verdict {
            Verdict::Matched | Verdict::Audited => Self::Matched,
            Verdict::Skipped(_) => Self::Skipped,
            Verdict::Failed(_) | Verdict::OutOfTime => Self::Failed,
            Verdict::NotMatched(_) | Verdict::Excepted(_) | Verdict::Off | Verdict::Inactive(_) | Verdict::Stopped => {
                Self::Nothing
            }
        }
    }
}

impl Tally {
    /// Count a message.
    pub fn new(
        octets: Option<usize>,
        handled: Option<&Handled>,
        changed: bool,
        rejectable: bool,
        failed: bool,
    ) -> Self {
        let rules = handled.iter().filter_map(|handled| handled.report.rules.as_ref());
        let rules: Vec<Did> = rules.flat_map(|report| &report.rules).map(Did::of).collect();
        let failed = failed || rules.contains(&Did::Failed);
        let rejected = handled.is_some_and(|handled| !handled.report.unmet.is_empty());
        let repaired = changed && handled.is_some_and(|handled| !handled.report.repaired.is_empty());
        let answer = handled.map(shown::answer);
        let rejectable = rejectable || rejected;
        Self { failed, octets: octets.unwrap_or(0), changed, answer, rejectable, repaired, rules }
    }
}

/// The sums of a run.
#[derive(Debug)]
pub struct Totals<'r> {
    pipeline: &'r Pipeline,
    out: Option<&'r Path>,
    strict: bool,
    rejectable: usize,
    repaired: usize,
    passed_over: usize,
    messages: usize,
    changed: usize,
    failed: usize,
    octets: u64,
    answers: BTreeMap<&'static str, usize>,
    /// For each rule: matched, skipped, failed.
    rules: Vec<[usize; 3]>,
    elapsed: Duration,
    workers: usize,
}

impl<'r> Totals<'r> {
    /// Nothing yet.
    pub fn new(pipeline: &'r Pipeline, passed_over: usize, out: Option<&'r Path>, strict: bool) -> Self {
        Self {
            pipeline,
            out,
            strict,
            rejectable: 0,
            repaired: 0,
            passed_over,
            messages: 0,
            changed: 0,
            failed: 0,
            octets: 0,
            answers: BTreeMap::new(),
            rules: vec![[0; 3]; pipeline.rules().len()],
            elapsed: Duration::ZERO,
            workers: 1,
        }
    }

    /// Add a message.
    pub fn add(&mut self, tally: &Tally) {
        self.messages += 1;
        self.changed += usize::from(tally.changed);
        self.failed += usize::from(tally.failed);
        self.rejectable += usize::from(tally.rejectable);
        self.repaired += usize::from(tally.repaired);
        self.octets += tally.octets as u64;
        if let Some(answer) = tally.answer {
            *self.answers.entry(answer).or_default() += 1;
        }
        for (sums, did) in self.rules.iter_mut().zip(&tally.rules) {
            let [matched, skipped, failed] = sums;
            match did {
                Did::Nothing => {}
                Did::Matched => *matched += 1,
                Did::Skipped => *skipped += 1,
                Did::Failed => *failed += 1,
            }
        }
    }

    /// How long it took, on how many cores.
    pub fn took(&mut self, elapsed: Duration, workers: usize) {
        self.elapsed = elapsed;
        self.workers = workers;
    }

    /// True when a message failed.
    pub fn failed(&self) -> bool {
        self.failed > 0
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let Self { changed, failed, .. } = *self;
        let unchanged = self.messages - changed;
        format!(
            "{}: {changed} rewritten, {unchanged} left as they came, {failed} failed",
            count(self.messages, "message")
        )
    }

    /// Lines for people.
    pub fn text(&self, colour: Colour) -> String {
        let mut out = String::new();
        let Self { changed, failed, .. } = *self;
        let failures = format!("{failed} failed");
        let failures = if failed > 0 { colour.paint(BAD, &failures) } else { failures.as_str().into() };
        let messages = count(self.messages, "message");
        let messages = colour.paint(NAME, &messages);
        let unchanged = self.messages - changed;
        let _ = write!(out, "\n{messages}: {changed} rewritten, {unchanged} left as they came, {failures}");
        if self.passed_over > 0 {
            let _ = write!(out, " ({} passed over: no mail by name)", count(self.passed_over, "file"));
        }
        out.push('\n');
        for (rule, [matched, skipped, failed]) in self.pipeline.rules().iter().zip(&self.rules) {
            let _ = write!(out, "  {:<20} matched {matched}", escape(&rule.name));
            if *skipped > 0 {
                let _ = write!(out, ", skipped {skipped}");
            }
            if *failed > 0 {
                let _ = write!(out, ", {}", colour.paint(BAD, &format!("failed {failed}")));
            }
            out.push('\n');
        }
        out.push_str(&self.put_line(colour));
        let answers: Vec<String> = self.answers.iter().map(|(answer, n)| format!("{answer} {n}")).collect();
        let _ = writeln!(out, "answers: {}", answers.join(", "));
        let (per_second, megabytes) = self.speed();
        let octets = match self.octets {
            small @ 0..1_000_000 => format!("{:.1} KB", megabytes_of(small) * 1_000.0),
            octets => format!("{:.1} MB", megabytes_of(octets)),
        };
        let seconds = self.elapsed.as_secs_f64();
        let _ = writeln!(
            out,
            "{octets} in {seconds:.3} s on {}: {per_second:.0} messages/s, {megabytes:.0} MB/s",
            count(self.workers, "core")
        );
        if let Some(folder) = self.out {
            let _ = writeln!(out, "written to {}", crate::terminal::path(folder));
        }
        out
    }

    /// What WorkMail's put would say, or in a strict run has said.
    fn put_line(&self, colour: Colour) -> String {
        let Self { changed, rejectable, repaired, .. } = *self;
        let line = match (self.strict, rejectable) {
            (true, _) => {
                let original = rejectable.saturating_sub(repaired);
                let put = changed + original;
                format!("put: {put} tried, {rejectable} rejected; {repaired} repaired, {original} left as they came")
            }
            (false, 0) => return String::new(),
            (false, _) => format!(
                "hint: WorkMail would reject {rejectable} of {} as they are, by what is known of its demands; --strict \
                 shows what becomes of them",
                count(changed, "rewritten message")
            ),
        };
        format!("{}\n", colour.paint(ODD, &line))
    }

    /// One line for programs.
    pub fn json(&self) -> String {
        let rules: Vec<_> = self.pipeline.rules().iter().zip(&self.rules).collect();
        let rules = rules.iter().map(|(rule, [matched, skipped, failed])| {
            json!({ "name": rule.name, "matched": matched, "skipped": skipped, "failed": failed })
        });
        let (per_second, megabytes) = self.speed();
        let totals = json!({
            "totals": {
                "messages": self.messages,
                "rewritten": self.changed,
                "unchanged": self.messages - self.changed,
                "failed": self.failed,
                "rejectable": self.rejectable,
                "repaired": self.repaired,
                "passed_over": self.passed_over,
                "rules": rules.collect::<Vec<_>>(),
                "answers": self.answers,
                "octets": self.octets,
                "seconds": self.elapsed.as_secs_f64(),
                "cores": self.workers,
                "messages_per_second": per_second.round(),
                "megabytes_per_second": (megabytes * 10.0).round() / 10.0,
            }
        });
        format!("{totals}\n")
    }

    /// Messages and megabytes a second.
    fn speed(&self) -> (f64, f64) {
        let seconds = self.elapsed.as_secs_f64().max(1e-9);
        #[expect(clippy::cast_precision_loss, reason = "a count for people")]
        let messages = self.messages as f64;
        (messages / seconds, megabytes_of(self.octets) / seconds)
    }
}

/// Millions of octets.
fn megabytes_of(octets: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let octets = octets as f64;
    octets / 1_000_000.0
}
