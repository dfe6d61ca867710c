//! From event to answer: decode, choose the rules, fetch, look people up, run, store, put back, answer. No AWS types.
//!
//! Invariant (nothing lost): each recipient gets the message exactly as it came or exactly as rewritten, or the
//! invocation fails so that WorkMail tries again. A message is replaced by one call, which takes the whole of it or
//! nothing.
//!
//! | what fails | what happens |
//! |---|---|
//! | the event cannot be read | answer `DEFAULT`; nothing else is known |
//! | the rules cannot be had | [`super::rule_sets`] says when the invocation fails and when others are in force |
//! | message gone, frozen, rejected, too large, location refused, access denied, request refused | for good: the original is delivered, with a warning |
//! | rejected, and the message came with faults that WorkMail refuses | they are repaired and it is put once more; where that cannot be done or is refused as well, the original |
//! | the rewrite itself would be rejected | it is not put: the original is delivered, with a warning; a bug of ours |
//! | throttling, 5xx, timeout, connection | tried again with backoff while there is time, then the invocation fails |
//! | the message looks as if it were cut short | it is fetched once more ([`super::whole`]) |
//! | an attachment cannot be stored | as with the rewritten message, which links to it and is not put back |
//! | a rule with `on_error = "fail"` | the invocation fails |
//! | the directory cannot be asked, or not in time | rules that need what it did not say fail, by their `on_error`; the others run |
//! | time runs out ([`super::budget`]) | the rules that were not run count as failed; what is not put back in time fails the invocation |
//!
//! Where the rewritten message is refused for good, what rules asked for in the answer (bounce, drop, junk, …) still
//! holds, since it is about the message and not about its new content. But when a rule with `on_error = "fail"` changed
//! the message, the original must not go out: the invocation fails. The same where the message cannot be read for good
//! (other than gone: there is nothing left to protect) and the rule set holds such a rule, as nobody can tell what it
//! would have done. [`Settings::on_error`] can say so for the whole rule set.
//!
//! While the function only looks on ([`FlowMode::Audit`], [`FlowMode::Shadow`]) all of these deliver the original, and the
//! report says what they would have done.
//!
//! Rules run synchronously: no timeout of tokio can interrupt one. The clock is asked before each rule, and by `redact`
//! again and again, which takes some seconds of a core for 40 MB of nothing but finds; a rule that ends for it is taken
//! back as a whole. Every other action is linear in the message and takes 40 MB of text about half a second of a core, less
//! than what [`PUT_RESERVE`] keeps back, as does what comes behind the rules.
//!
//! Nothing of what is logged or reported here is content: ids, rule names, counts, sizes, durations.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use tracing::{Instrument, debug_span};

pub use super::budget::{ANSWER_RESERVE, ANSWER_WITHIN, LOOK_UP_WITHIN, PUT_RESERVE};
pub use super::report::{Answered, Fate, FlowError, FlowReport, MarkedBy, Stage, Times};

use super::budget::{Budget, Exhausted};
use super::key::{KeyPrefix, MessageId, ObjectKey};
use super::mark::{Marked, Marker, StampKey};
use super::mode::FlowMode;
use super::ports::{Content, Directory, MessageFlow, ObjectStore, PortError, Refusal};
use super::put_checks::{self, Basis, Fault, Unmet};
use super::report::log;
use super::response::Response;
use super::rule_sets::Rules;
use super::whole::{MOST_TIMES, may_be_cut};
use super::workmail::{Event, preflight};
use crate::answers::{Answers, Asked};
use crate::directory::{Book, People};
use crate::facts::{Clock, Facts, Timestamp};
use crate::message::{Bits, Draft, Mended, Message, Repaired};
use crate::pipeline::{Pipeline, Report, RunError, Verdict};
use crate::rule::{Mode, OnError, Rule};
use crate::stored::{Links, Stored};

/// What stands before the keys of what messages would become.
const SHADOW: &str = "shadow";
/// Storing that takes no longer, as nobody waits for it but the message.
const SHADOW_WITHIN: Duration = Duration::from_secs(3);
/// A repair may break what the rules left whole.
const SIGNATURES_BEFORE_REPAIR: &str = "what is said of DKIM signatures is of the message before its repair";

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is done with what the rules ask for.
    pub mode: FlowMode,
    /// What stands before the keys of stored messages.
    pub prefix: KeyPrefix,
    /// The secret of the processed mark. Without it there is no mark, and none is looked for.
    pub stamp_key: Option<StampKey>,
    /// What time it is for the rules.
    pub clock: Clock,
    /// What happens when the flow refuses for good: the original goes on (`Skip`), or the invocation fails (`Fail`).
    pub on_error: OnError,
    /// How links to stored attachments are made.
    pub links: Links,
}

impl Default for Settings {
    /// Rules are enforced; no prefix, no mark, the original goes on.
    fn default() -> Self {
        Self {
            mode: FlowMode::Enforce,
            prefix: KeyPrefix::default(),
            stamp_key: None,
            clock: Clock::System,
            on_error: OnError::Skip,
            links: Links::default(),
        }
    }
}

/// What came of an invocation.
#[derive(Debug)]
pub struct Handled {
    /// What to answer, or why the invocation must fail.
    pub answer: Result<Response, FlowError>,
    /// What happened, either way.
    pub report: FlowReport,
}

/// Answer an event with the people and groups of the rule set's `organization.toml`: [`handle_with_directory`].
pub async fn handle<R: Rules, F: MessageFlow, S: ObjectStore>(
    event: &serde_json::Value,
    deadline: Instant,
    rules: &R,
    flow: &F,
    store: &S,
    settings: &Settings,
) -> Handled {
    Box::pin(answer(event, deadline, rules, (flow, store, None::<&Book>), settings)).await
}

/// Answer an event. `deadline` is when the answer must have been given; [`ANSWER_WITHIN`] holds in any case. Needs a
/// tokio runtime with time enabled. Logs one event.
pub async fn handle_with_directory<R: Rules, F: MessageFlow, S: ObjectStore, D: Directory>(
    event: &serde_json::Value,
    deadline: Instant,
    rules: &R,
    flow: &F,
    store: &S,
    directory: &D,
    settings: &Settings,
) -> Handled {
    Box::pin(answer(event, deadline, rules, (flow, store, Some(directory)), settings)).await
}

/// Answer an event while the function is switched off: the message is delivered as it came. Needs nothing, so that it can
/// be done when everything else is broken. Logs one event.
pub fn handle_nothing(event: &serde_json::Value) -> Handled {
    let started = Instant::now();
    let mut report = FlowReport::new(&Event::read(event), FlowMode::Off);
    report.fate = Fate::Off;
    finish(Ok(Response::deliver()), report, started)
}

async fn answer<R: Rules, F: MessageFlow, S: ObjectStore, D: Directory>(
    event: &serde_json::Value,
    deadline: Instant,
    rules: &R,
    ports: (&F, &S, Option<&D>),
    settings: &Settings,
) -> Handled {
    if settings.mode == FlowMode::Off {
        return handle_nothing(event);
    }
    let started = Instant::now();
    let budget = Budget::new(started, deadline).with_chance(chance_of(settings.clock.now()));
    let event = Event::read(event);
    let mut report = FlowReport::new(&event, settings.mode);
    let Some(id) = &event.message_id else { return finish(Ok(Response::deliver()), report, started) };
    let chosen = rules.choose(id, &budget, &mut report.looks).await;
    report.times.rules_ms = ms_since(started);
    let answer = match chosen {
        Err(error) if settings.mode == FlowMode::Enforce => Err(error),
        Err(error) => {
            report.fate = Fate::Observed { would: Box::new(Fate::Failed), why: Some(error.to_string()) };
            Ok(Response::deliver())
        }
        Ok(chosen) => {
            report.rule_set = Some(chosen.rule_set.clone());
            let (flow, store, directory) = ports;
            let pipeline = &*chosen.pipeline;
            let others = &chosen.others;
            let passage = Passage { id, event: &event, budget, pipeline, others, flow, store, directory, settings };
            match settings.mode {
                FlowMode::Enforce => passage.enforce(&mut report).await,
                _ => Ok(passage.observe(&mut report).await),
            }
        }
    };
    finish(answer, report, started)
}

fn finish(answer: Result<Response, FlowError>, mut report: FlowReport, started: Instant) -> Handled {
    report.close(&answer);
    report.times.total_ms = ms_since(started);
    log(&report, answer.as_ref().err());
    Handled { answer, report }
}

/// One message on its way through.
struct Passage<'a, F, S, D> {
    id: &'a MessageId,
    event: &'a Event,
    budget: Budget,
    pipeline: &'a Pipeline,
    /// Rule sets that may have rewritten it at an earlier try.
    others: &'a [Arc<Pipeline>],
    flow: &'a F,
    store: &'a S,
    /// `None`: the rule set's own.
    directory: Option<&'a D>,
    settings: &'a Settings,
}

/// What the rules make of a message.
enum Worked {
    /// Nothing: it could not be read, and the original goes on.
    Unread,
    /// Nothing: they made it what it is, at an earlier try.
    Marked(Answers),
    /// It stays as it is.
    Unchanged(Answers),
    /// It becomes another.
    Changed(Box<Change>),
}

/// What a message becomes.
struct Change {
    raw: Bytes,
    content: Content,
    /// Attachments that the content links to.
    stored: Vec<Arc<Stored>>,
    /// Why the flow would reject the content for what rules did.
    unfit: Option<String>,
    answers: Answers,
}

/// What a run of the rules came to, without a borrow of the message.
enum Ran {
    Marked(Answers, Option<MarkedBy>),
    Done {
        report: Box<Report>,
        content: Option<Content>,
        /// Attachments that the content links to.
        stored: Vec<Arc<Stored>>,
        /// Why the flow would reject the content for what rules did.
        unfit: Option<String>,
        answers: Answers,
    },
}

impl<F: MessageFlow, S: ObjectStore, D: Directory> Passage<'_, F, S, D> {
    /// Fetch the message and run the rules over it.
    async fn work_out(&self, report: &mut FlowReport) -> Result<Worked, FlowError> {
        let at = Instant::now();
        let fetch = async {
            let fetched = self.fetch(&mut report.retries).await;
            (fetched, ms_since(at))
        };
        let ((fetched, fetch_ms), (people, look_up_ms)) = tokio::join!(fetch, self.look_up());
        (report.times.fetch_ms, report.times.look_up_ms) = (fetch_ms, look_up_ms);
        let raw = match fetched? {
            Ok(raw) => raw,
            Err(error) => return self.unread(Stage::Fetch, Some(error), report),
        };
        report.size_in = Some(raw.len());

        let at = Instant::now();
        let ran = debug_span!("run").in_scope(|| catch_unwind(AssertUnwindSafe(|| self.run(&raw, people))));
        report.times.run_ms = ms_since(at);
        Ok(match ran {
            Err(_) => return self.unread(Stage::Run, None, report),
            Ok(Err(error)) => return Err(FlowError::Rule(error.to_string())),
            Ok(Ok(Ran::Marked(answers, by))) => {
                report.marked_by = by;
                Worked::Marked(answers)
            }
            Ok(Ok(Ran::Done { report: rules, content, stored, unfit, answers })) => {
                report.rules = Some(*rules);
                report.size_out = content.as_ref().map(Content::len);
                match content {
                    None => Worked::Unchanged(answers),
                    Some(content) => Worked::Changed(Box::new(Change { raw, content, stored, unfit, answers })),
                }
            }
        })
    }

    /// The message; once more where it may be the beginning of one only.
    async fn fetch(&self, retries: &mut u32) -> Result<Result<Bytes, PortError>, FlowError> {
        let mut longest: Option<Bytes> = None;
        for _ in 0..MOST_TIMES {
            let raw = match self.insist(Stage::Fetch, retries, || self.flow.fetch(self.id)).await? {
                Ok(raw) => raw,
                Err(error) => return Ok(Err(error)),
            };
            let same = longest.as_ref() == Some(&raw);
            if longest.as_ref().is_some_and(|before| before.len() != raw.len()) {
                let message_id = self.id.as_str();
                tracing::warn!(message_id, "the message was given out in two lengths: the longer is taken");
            }
            longest = longest.filter(|before| before.len() > raw.len()).or(Some(raw));
            if same || !longest.as_deref().is_some_and(may_be_cut) {
                break;
            }
        }
        Ok(Ok(longest.unwrap_or_default()))
    }

    /// Do what the rules ask for.
    async fn enforce(&self, report: &mut FlowReport) -> Result<Response, FlowError> {
        let change = match self.work_out(report).await? {
            Worked::Unread => return Ok(Response::deliver()),
            Worked::Marked(answers) => {
                report.fate = Fate::Marked;
                return Ok(self.answer(&answers));
            }
            Worked::Unchanged(answers) => {
                report.fate = Fate::Unchanged;
                return Ok(self.answer(&answers));
            }
            Worked::Changed(change) => *change,
        };
        let Change { raw, content, stored, unfit, answers } = change;
        if let Some(why) = unfit {
            self.refused(Stage::Store, PortError::permanent(Refusal::Unfit, why), report)?;
            return Ok(self.answer(&answers));
        }
        if let Err(error) = self.keep(&stored, report).await? {
            self.refused(Stage::Keep, error, report)?;
            return Ok(self.answer(&answers));
        }
        let mut replaced = self.replace(&raw, &content, report).await?;
        if matches!(&replaced, Err((_, error)) if refusal(error) == Some(Refusal::Rejected)) {
            let (unmet, repaired) = catch_unwind(AssertUnwindSafe(|| repair(&raw, &content))).unwrap_or_default();
            report.unmet = unmet;
            if let Some((content, mended)) = repaired {
                report.size_out = Some(content.len());
                report.repaired = mended;
                if let Some(rules) = report.rules.as_mut().filter(|rules| !rules.signatures.is_empty()) {
                    rules.notes.push(SIGNATURES_BEFORE_REPAIR.to_owned());
                }
                replaced = self.replace(&raw, &content, report).await?;
            }
        }
        match replaced {
            Ok(()) => report.fate = Fate::Rewritten,
            Err((stage, error)) => self.refused(stage, error, report)?,
        }
        Ok(self.answer(&answers))
    }

    /// Say what the rules would do, and deliver the message as it came.
    async fn observe(&self, report: &mut FlowReport) -> Response {
        let (mut why, mut would_answer) = (None, None);
        let mut answers = |answers: &Answers| would_answer = Some(self.answer(answers).word());
        let would = match self.work_out(report).await {
            Err(error) => {
                why = Some(error.to_string());
                Fate::Failed
            }
            Ok(Worked::Unread) => report.fate.clone(),
            Ok(Worked::Marked(asked)) => {
                answers(&asked);
                Fate::Marked
            }
            Ok(Worked::Unchanged(asked)) => {
                answers(&asked);
                Fate::Unchanged
            }
            Ok(Worked::Changed(change)) => {
                if self.settings.mode == FlowMode::Shadow {
                    self.shadow(&change.content, report).await;
                }
                answers(&change.answers);
                match change.unfit {
                    Some(why) => Fate::Original { stage: Stage::Store, refusal: Some(Refusal::Unfit), why },
                    None => Fate::Rewritten,
                }
            }
        };
        report.would_answer = would_answer;
        report.fate = Fate::Observed { would: Box::new(would), why };
        Response::deliver()
    }

    /// Store what the message would become. It is worth no failure and little time.
    async fn shadow(&self, content: &Content, report: &mut FlowReport) {
        let key = ObjectKey::of(&self.settings.prefix.below(SHADOW), self.id, content.sha256());
        let at = Instant::now();
        let budget = self.budget.part(SHADOW_WITHIN);
        let stored = budget.insist(&mut report.retries, || self.store.put(&key, content)).await;
        report.times.store_ms = ms_since(at);
        let error = match stored {
            Ok(Ok(_)) => {
                report.key = Some(key);
                return;
            }
            Ok(Err(error)) | Err(Exhausted { error, .. }) => error,
        };
        tracing::warn!(%error, message_id = self.id.as_str(), "what the message would become could not be stored");
    }

    /// What the rules need to know of people; nothing is asked where they need nothing.
    async fn look_up(&self) -> (People, f64) {
        let envelope = &self.event.envelope;
        let need = self.pipeline.need(envelope.direction);
        if need.is_empty() {
            return (People::default(), 0.0);
        }
        let at = Instant::now();
        let (now, until) = (self.settings.clock.now(), self.budget.look_up_until());
        let people = match self.directory {
            Some(directory) => directory.look_up(need, envelope, now, until).instrument(debug_span!("look_up")).await,
            None => self.pipeline.book().look_up(need, envelope),
        };
        (people, ms_since(at))
    }

    /// Look for the mark, run the rules, put the mark on.
    fn run(&self, raw: &Bytes, people: People) -> Result<Ran, RunError> {
        let message = Message::parse(raw);
        let facts = Facts { now: Some(self.settings.clock.now()), people, links: self.settings.links.clone() };
        let names = names(self.pipeline);
        let marker = self.settings.stamp_key.as_ref().map(|key| Marker {
            key,
            id: self.id,
            digest: self.pipeline.digest(),
            names: &names,
            direction: self.event.envelope.direction,
            recipients: &self.event.envelope.recipients,
        });
        if let Some(marker) = marker
            && let Some(Marked { answers: given, asked, digest }) = marker.read(&Draft::new(&message))
        {
            let is_other = digest != self.pipeline.digest();
            if let Some(given) = given {
                return Ok(Ran::Marked(given, is_other.then_some(MarkedBy { digest, answered: Answered::ByMark })));
            }
            let answers = |pipeline: &Pipeline, asked: &[Asked]| {
                pipeline.answers_of(asked, &message, &self.event.envelope, &facts)
            };
            if !is_other {
                return Ok(Ran::Marked(answers(self.pipeline, &asked), None));
            }
            // One message, one rule set: what it has asked for belongs to what it has made of the message.
            let its = self.others.iter().find(|other| other.digest() == digest).and_then(|its| {
                let marker = Marker { digest: its.digest(), names: &self::names(its), ..marker };
                marker.read(&Draft::new(&message)).map(|marked| answers(its, &marked.asked))
            });
            let answered = if its.is_some() { Answered::ByItsRules } else { Answered::ByNames };
            let by = MarkedBy { digest, answered };
            return Ok(Ran::Marked(its.unwrap_or_else(|| answers(self.pipeline, &asked)), Some(by)));
        }
        let rules_until = self.budget.rules_until();
        let finish = |draft: &mut Draft<'_>, asked: &[Asked], answers: &Answers| {
            if let Some(marker) = marker {
                marker.finish(draft, asked, answers);
            }
        };
        let outcome = self.pipeline.run_then(
            &message,
            &self.event.envelope,
            &facts,
            &|| Instant::now() >= rules_until,
            &finish,
        )?;
        let faults = outcome.rewritten.as_ref().map(|rendered| put_checks::brought_in(&message, rendered));
        let unfit = faults.filter(|faults| !faults.is_empty()).map(|faults| put_checks::words(&faults));
        let content = outcome.rewritten.map(|rendered| Content::new(raw, &rendered));
        let stored = outcome.stored;
        Ok(Ran::Done { report: Box::new(outcome.report), content, stored, unfit, answers: outcome.answers })
    }

    /// Store the attachments that the rewritten message links to, before it goes out.
    async fn keep(&self, stored: &[Arc<Stored>], report: &mut FlowReport) -> Result<Result<(), PortError>, FlowError> {
        let at = Instant::now();
        for attachment in stored {
            let kept = self.insist(Stage::Keep, &mut report.retries, || self.store.keep(attachment)).await;
            report.times.store_ms = ms_since(at);
            if let Err(error) = kept? {
                return Ok(Err(error));
            }
            report.attachments_stored += 1;
        }
        Ok(Ok(()))
    }

    /// Store the rewritten message and put it back. The outer error fails the invocation, the inner one is a refusal.
    async fn replace(
        &self,
        raw: &Bytes,
        content: &Content,
        report: &mut FlowReport,
    ) -> Result<Result<(), (Stage, PortError)>, FlowError> {
        if let Err(error) = preflight(raw.len(), content.len()) {
            return Ok(Err((Stage::Store, error)));
        }
        let key = ObjectKey::of(&self.settings.prefix, self.id, content.sha256());
        let at = Instant::now();
        let stored = self.insist(Stage::Store, &mut report.retries, || self.store.put(&key, content)).await;
        report.times.store_ms = ms_since(at);
        let location = match stored? {
            Ok(location) => location,
            Err(error) => return Ok(Err((Stage::Store, error))),
        };
        report.key = Some(key);
        let at = Instant::now();
        let put = self.insist(Stage::PutBack, &mut report.retries, || self.flow.put_back(self.id, &location)).await;
        report.times.put_back_ms = ms_since(at);
        Ok(put?.map_err(|error| (Stage::PutBack, error)))
    }

    /// Call until it works, is refused for good, or time runs out. The outer error fails the invocation, the inner one
    /// is a refusal.
    async fn insist<T, Fut: Future<Output = Result<T, PortError>>>(
        &self,
        stage: Stage,
        retries: &mut u32,
        call: impl Fn() -> Fut,
    ) -> Result<Result<T, PortError>, FlowError> {
        let call = || call().instrument(debug_span!("call", stage = stage.as_str()));
        let called = self.budget.insist(retries, call).await;
        called.map_err(|Exhausted { tries, error }| FlowError::Trouble { stage, tries, error })
    }

    /// The rules could not be run: for good, or by a bug of ours.
    fn unread(&self, stage: Stage, error: Option<PortError>, report: &mut FlowReport) -> Result<Worked, FlowError> {
        let refusal = error.as_ref().and_then(refusal);
        if refusal != Some(Refusal::Gone) {
            let mut rules = self.pipeline.rules().iter();
            let way = self.event.envelope.direction;
            let may_apply = |rule: &Rule| rule.when.iter().all(|when| when.direction().is_none_or(|only| only == way));
            let strict =
                rules.find(|rule| rule.mode == Mode::Enforce && rule.on_error == OnError::Fail && may_apply(rule));
            if let Some(because) = self.because(strict.map(|rule| rule.name.as_str())) {
                return Err(match error {
                    Some(error) => FlowError::Refused { stage, error, because },
                    None => FlowError::Bug { because },
                });
            }
        }
        let why = error.map_or_else(|| "mailwright panicked, please report it".to_owned(), |e| e.to_string());
        report.fate = Fate::Original { stage, refusal, why };
        Ok(Worked::Unread)
    }

    /// The rewritten message was refused for good.
    fn refused(&self, stage: Stage, error: PortError, report: &mut FlowReport) -> Result<(), FlowError> {
        let rules = report.rules.iter().flat_map(|report| &report.rules).zip(self.pipeline.rules());
        let strict = rules
            .filter(|(did, rule)| did.verdict == Verdict::Matched && did.edits > 0 && rule.on_error == OnError::Fail);
        let strict = strict.map(|(_, rule)| rule.name.as_str()).next();
        if let Some(because) = self.because(strict) {
            return Err(FlowError::Refused { stage, error, because });
        }
        report.fate = Fate::Original { stage, refusal: refusal(&error), why: error.to_string() };
        Ok(())
    }

    /// Why the original must not go out, if it must not.
    fn because(&self, rule: Option<&str>) -> Option<String> {
        match rule {
            Some(rule) => Some(format!("of rule `{rule}`, whose on_error is fail")),
            None if self.settings.on_error == OnError::Fail => Some("the error policy is fail".to_owned()),
            None => None,
        }
    }

    fn answer(&self, answers: &Answers) -> Response {
        let direction = self.event.direction_known.then_some(self.event.envelope.direction);
        Response::new(answers, &self.event.envelope, direction)
    }
}

/// The names of the rules, in order; `None` for those that are not enforced.
fn names(pipeline: &Pipeline) -> Vec<Option<&str>> {
    pipeline.rules().iter().map(|rule| (rule.mode == Mode::Enforce).then_some(rule.name.as_str())).collect()
}

/// For content that the flow rejected: which demands it does not meet, and the content without the faults that the message
/// came with. Nothing where there are none, or where what is left would be rejected as well.
fn repair(fetched: &Bytes, content: &Content) -> (Vec<Unmet>, Option<(Content, Vec<Mended>)>) {
    let raw = Bytes::from(content.chunks().concat());
    let (message, fetched) = (Message::parse(&raw), Message::parse(fetched));
    let faults = put_checks::compare(&message, &fetched);
    let unmet = put_checks::unmet(&faults);
    if !faults.iter().any(|fault| fault.came) {
        return (unmet, None);
    }
    // Where a fault is known that is refused, what AWS only advises against was hardly the reason.
    let known = faults.iter().any(|fault| fault.came && fault.demand.refuses());
    let repaired = message.repaired(put_checks::fields::ONCE, if known { Bits::Keep } else { Bits::Encode });
    let sound = |repaired: &Repaired<'_>| {
        let bytes = repaired.rendered.to_vec();
        let refused =
            |fault: &Fault| fault.demand.basis() == Basis::Documented || fault.demand.refuses() && !fault.came;
        !put_checks::compare(&Message::parse(&bytes), &fetched).iter().any(refused)
    };
    let repaired = repaired.filter(sound).map(|r| (Content::new(&raw, &r.rendered), r.mended));
    (unmet, repaired)
}

fn refusal(error: &PortError) -> Option<Refusal> {
    match error {
        PortError::Permanent { kind, .. } => Some(*kind),
        PortError::Transient { .. } => None,
    }
}

/// Two messages hardly come in the same nanosecond.
fn chance_of(now: Timestamp) -> u64 {
    u64::try_from(now.as_nanosecond()).unwrap_or_default()
}

fn ms_since(at: Instant) -> f64 {
    (at.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
