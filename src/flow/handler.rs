//! From event to answer: decode, fetch, look people up, run, store, put back, answer. No AWS types.
//!
//! Invariant (nothing lost): each recipient gets the message exactly as it came or exactly as rewritten, or the
//! invocation fails so that WorkMail tries again. A message is replaced by one call, which takes the whole of it or
//! nothing.
//!
//! | what fails | what happens |
//! |---|---|
//! | the event cannot be read | answer `DEFAULT`; nothing else is known |
//! | message gone, frozen, rejected, too large, location refused, access denied, request refused | for good: the original is delivered, with a warning |
//! | rejected, and the message came with faults that WorkMail refuses | they are repaired and it is put once more; where that cannot be done or is refused as well, the original |
//! | the rewrite itself would be rejected | it is not put: the original is delivered, with a warning; a bug of ours |
//! | throttling, 5xx, timeout, connection | tried again with backoff while there is time, then the invocation fails |
//! | an attachment cannot be stored | as with the rewritten message, which links to it and is not put back |
//! | a rule with `on_error = "fail"` | the invocation fails |
//! | the directory cannot be asked, or not in time | rules that need what it did not say fail, by their `on_error`; the others run |
//! | time runs out | the rules that were not run count as failed; what is not put back in time fails the invocation |
//!
//! Where the rewritten message is refused for good, what rules asked for in the answer (bounce, drop, junk, …) still
//! holds, since it is about the message and not about its new content. But when a rule with `on_error = "fail"` changed
//! the message, the original must not go out: the invocation fails. The same where the message cannot be read for good
//! (other than gone: there is nothing left to protect) and the rule set holds such a rule, as nobody can tell what it
//! would have done. [`Settings::on_error`] can say so for the whole rule set.
//!
//! Rules run synchronously, and the clock is asked before each rule, not inside one. A check inside would have to leave a
//! rule half done, and is not needed: every action is linear in the message, and the largest there is, 40 MB of text, takes
//! one append or redact about half a second to two seconds of a core, less than what [`PUT_RESERVE`] keeps back. The
//! tokio timeouts cannot interrupt a rule; a function with a fraction of a core should be given more memory.
//!
//! Nothing of what is logged or reported here is content: ids, rule names, counts, sizes, durations.

use std::collections::BTreeMap;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout_at};

use super::key::{KeyPrefix, MessageId, ObjectKey};
use super::mark::{Marker, StampKey};
use super::ports::{Content, Directory, MessageFlow, ObjectStore, PortError, Refusal, Trouble};
use super::put_checks::{self, Basis, Fault, Unmet};
use super::response::Response;
use super::workmail::{Event, preflight};
use crate::answers::{Answers, Asked};
use crate::directory::People;
use crate::envelope::Direction;
use crate::facts::{Clock, Facts};
use crate::message::{Bits, Draft, Mended, Message, Repaired};
use crate::pipeline::{Pipeline, Report, RunError, Verdict};
use crate::rule::{Mode, OnError, Rule};
use crate::stored::{Links, Stored};

/// WorkMail waits so long for an answer (Administrator Guide, "Synchronous Run Lambda rule").
pub const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Kept back from the time given, for the answer to arrive.
pub const ANSWER_RESERVE: Duration = Duration::from_millis(750);
/// Kept back from the rules, for storing and putting back; a third of the time where that is less.
pub const PUT_RESERVE: Duration = Duration::from_secs(3);
/// The directory is asked for so long, beside fetching the message; a third of the time where that is less.
pub const LOOK_UP_WITHIN: Duration = Duration::from_secs(4);
/// No call is started with less time left than this.
pub(super) const MIN_TRY: Duration = Duration::from_millis(250);
/// Pause before the second try, before jitter; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause, before jitter.
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// A repair may break what the rules left whole.
const SIGNATURES_BEFORE_REPAIR: &str = "what is said of DKIM signatures is of the message before its repair";

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
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
    /// No prefix, no mark, the original goes on.
    fn default() -> Self {
        Self {
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

/// Why an invocation fails. WorkMail tries again until the rule's timeout, then applies its fallback action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// A rule with `on_error = "fail"` failed, or the rewrite that it had a part in did not hold up.
    #[error("{0}")]
    Rule(String),
    /// A call failed until there was no time left.
    #[error("{stage} failed {tries} times, until time ran out: {error}")]
    Trouble {
        /// Which call.
        stage: Stage,
        /// How often it was tried.
        tries: u32,
        /// The last failure.
        error: PortError,
    },
    /// A call was refused for good, and the original must not go out.
    #[error("{stage}: {error}; the original is not delivered because {because}")]
    Refused {
        /// Which call.
        stage: Stage,
        /// The refusal.
        error: PortError,
        /// Who says so.
        because: String,
    },
    /// A panic outside of any rule, and the original must not go out.
    #[error(
        "mailwright panicked; this is a bug in mailwright, please report it; the original is not delivered because {because}"
    )]
    Bug {
        /// Who says so.
        because: String,
    },
}

impl FlowError {
    /// A name for the sort of error, to filter and count by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Rule(_) => "Mailwright.RuleFailed",
            Self::Trouble { .. } => "Mailwright.OutOfTime",
            Self::Refused { .. } => "Mailwright.Refused",
            Self::Bug { .. } => "Mailwright.Bug",
        }
    }
}

/// A step on the way from event to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Getting the message.
    Fetch,
    /// Running the rules.
    Run,
    /// Storing an attachment that the rules took out of the message.
    Keep,
    /// Putting the rewritten message to the store.
    Store,
    /// Telling the flow to take it.
    PutBack,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Fetch => "fetching the message",
            Self::Run => "running the rules",
            Self::Keep => "storing an attachment",
            Self::Store => "storing the rewritten message",
            Self::PutBack => "putting the rewritten message back",
        })
    }
}

/// What became of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Fate {
    /// No rule changed it: nothing was stored or put back.
    Unchanged,
    /// It was rewritten and put back.
    Rewritten,
    /// It bears the mark of an earlier try: nothing was run, the answer is the one of that try.
    Marked,
    /// The event does not say which message: delivered, unread.
    Undecodable,
    /// The flow refused for good, or mailwright has a bug: the original is delivered.
    Original {
        /// Where.
        stage: Stage,
        /// What sort of refusal; `None` for a bug of ours.
        refusal: Option<Refusal>,
        /// In words.
        why: String,
    },
    /// The invocation fails.
    Failed,
}

impl Fate {
    /// The word for it in logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Rewritten => "rewritten",
            Self::Marked => "marked",
            Self::Undecodable => "undecodable",
            Self::Original { .. } => "original",
            Self::Failed => "failed",
        }
    }
}

/// What happened to one message; holds no content.
#[derive(Debug, Clone, Serialize)]
pub struct FlowReport {
    /// The flow's handle for it.
    pub message_id: Option<MessageId>,
    /// The same for each try of one event.
    pub invocation_id: Option<String>,
    /// Which way it goes, where the event says so.
    pub direction: Option<Direction>,
    /// What became of it.
    pub fate: Fate,
    /// The word answered, such as `DEFAULT`, or `MIXED` where it is not the same for all; `None` when the invocation fails.
    pub answer: Option<&'static str>,
    /// How many of the recipients that the event names get which answer.
    pub answers: BTreeMap<&'static str, usize>,
    /// How many recipients rules have added.
    pub recipients_added: usize,
    /// Octets that came in.
    pub size_in: Option<usize>,
    /// Octets of the rewritten message.
    pub size_out: Option<usize>,
    /// Where it is stored.
    pub key: Option<ObjectKey>,
    /// What of its demands the new content did not meet when the flow rejected it, as far as they are known.
    pub unmet: Vec<Unmet>,
    /// What was repaired of what the message came with, after the flow rejected it and before it was put once more.
    pub repaired: Vec<Mended>,
    /// Attachments that were stored outside of the message.
    pub attachments_stored: usize,
    /// Calls that were tried again.
    pub retries: u32,
    /// How long each stage took.
    pub times: Times,
    /// What the rules did; `None` when they were not run, or failed the invocation.
    pub rules: Option<Report>,
}

/// How long the stages took, in milliseconds; 0 for one that was not reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Times {
    /// [`Stage::Fetch`].
    pub fetch_ms: f64,
    /// Looking people up, beside [`Stage::Fetch`].
    pub look_up_ms: f64,
    /// [`Stage::Run`].
    pub run_ms: f64,
    /// [`Stage::Store`].
    pub store_ms: f64,
    /// [`Stage::PutBack`].
    pub put_back_ms: f64,
    /// All of them and what is between.
    pub total_ms: f64,
}

/// Answer an event with the people and groups of `organization.toml`: [`handle_with_directory`].
pub async fn handle<F: MessageFlow, S: ObjectStore>(
    event: &serde_json::Value,
    deadline: Instant,
    pipeline: &Pipeline,
    flow: &F,
    store: &S,
    settings: &Settings,
) -> Handled {
    handle_with_directory(event, deadline, pipeline, flow, store, pipeline.book(), settings).await
}

/// Answer an event. `deadline` is when the answer must have been given; [`ANSWER_WITHIN`] holds in any case. Needs a
/// tokio runtime with time enabled. Logs one event.
pub async fn handle_with_directory<F: MessageFlow, S: ObjectStore, D: Directory>(
    event: &serde_json::Value,
    deadline: Instant,
    pipeline: &Pipeline,
    flow: &F,
    store: &S,
    directory: &D,
    settings: &Settings,
) -> Handled {
    let started = Instant::now();
    let event = Event::read(event);
    let mut report = FlowReport {
        message_id: event.message_id.clone(),
        invocation_id: event.invocation_id.clone(),
        direction: event.direction_known.then_some(event.envelope.direction),
        fate: Fate::Undecodable,
        answer: None,
        answers: BTreeMap::new(),
        recipients_added: 0,
        size_in: None,
        size_out: None,
        key: None,
        unmet: Vec::new(),
        repaired: Vec::new(),
        attachments_stored: 0,
        retries: 0,
        times: Times::default(),
        rules: None,
    };
    let answer = match &event.message_id {
        None => Ok(Response::deliver()),
        Some(id) => {
            let until = deadline.min(started + ANSWER_WITHIN).checked_sub(ANSWER_RESERVE).unwrap_or(started);
            let passage = Passage { id, event: &event, started, until, pipeline, flow, store, directory, settings };
            // Boxed: its type grows beyond what the compiler looks into.
            Box::pin(passage.pass(&mut report)).await
        }
    };
    match &answer {
        Ok(response) => {
            report.answer = Some(response.word());
            report.answers = response.counts();
            report.recipients_added = response.added().count();
        }
        Err(_) => report.fate = Fate::Failed,
    }
    report.times.total_ms = ms_since(started);
    log(&report, answer.as_ref().err());
    Handled { answer, report }
}

/// One message on its way through.
struct Passage<'a, F, S, D> {
    id: &'a MessageId,
    event: &'a Event,
    started: Instant,
    until: Instant,
    pipeline: &'a Pipeline,
    flow: &'a F,
    store: &'a S,
    directory: &'a D,
    settings: &'a Settings,
}

/// What a run of the rules came to, without a borrow of the message.
enum Ran {
    Marked(Answers),
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
    async fn pass(&self, report: &mut FlowReport) -> Result<Response, FlowError> {
        let at = Instant::now();
        let fetch = async {
            let fetched = self.insist(Stage::Fetch, &mut report.retries, || self.flow.fetch(self.id)).await;
            (fetched, ms_since(at))
        };
        let look_up = async { (self.look_up().await, ms_since(at)) };
        let ((fetched, fetch_ms), (people, look_up_ms)) = tokio::join!(fetch, look_up);
        (report.times.fetch_ms, report.times.look_up_ms) = (fetch_ms, look_up_ms);
        let raw = match fetched? {
            Ok(raw) => raw,
            Err(error) => return self.unread(Stage::Fetch, Some(error), report),
        };
        report.size_in = Some(raw.len());

        let at = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| self.run(&raw, people)));
        report.times.run_ms = ms_since(at);
        let (content, stored, unfit, answers) = match ran {
            Err(_) => return self.unread(Stage::Run, None, report),
            Ok(Err(error)) => return Err(FlowError::Rule(error.to_string())),
            Ok(Ok(Ran::Marked(answers))) => {
                report.fate = Fate::Marked;
                return Ok(self.answer(&answers));
            }
            Ok(Ok(Ran::Done { report: rules, content, stored, unfit, answers })) => {
                report.rules = Some(*rules);
                (content, stored, unfit, answers)
            }
        };
        let Some(content) = content else {
            report.fate = Fate::Unchanged;
            return Ok(self.answer(&answers));
        };
        report.size_out = Some(content.len());
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

    /// What the rules need to know of people; nothing is asked where they need nothing.
    async fn look_up(&self) -> People {
        let envelope = &self.event.envelope;
        let need = self.pipeline.need(envelope.direction);
        if need.is_empty() {
            return People::default();
        }
        let within = LOOK_UP_WITHIN.min(self.until.saturating_duration_since(self.started) / 3);
        self.directory.look_up(&need, envelope, self.settings.clock.now(), self.started + within).await
    }

    /// Look for the mark, run the rules, put the mark on.
    fn run(&self, raw: &Bytes, people: People) -> Result<Ran, RunError> {
        let message = Message::parse(raw);
        let facts = Facts { now: Some(self.settings.clock.now()), people, links: self.settings.links.clone() };
        let marker = self.settings.stamp_key.as_ref().map(|key| Marker {
            key,
            id: self.id,
            digest: self.pipeline.digest(),
            direction: self.event.envelope.direction,
            recipients: &self.event.envelope.recipients,
        });
        if let Some(asked) = marker.and_then(|marker| marker.read(&Draft::new(&message))) {
            return Ok(Ran::Marked(self.pipeline.answers_of(&asked, &message, &self.event.envelope, &facts)));
        }
        let reserve = PUT_RESERVE.min(self.until.saturating_duration_since(self.started) / 3);
        let rules_until = self.until.checked_sub(reserve).unwrap_or(self.until);
        let finish = |draft: &mut Draft<'_>, asked: &[Asked]| {
            if let Some(marker) = marker {
                marker.finish(draft, asked);
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
        for tries in 1.. {
            // Half of what is left, so that a call that hangs leaves time for another.
            let now = Instant::now();
            let left = self.until.saturating_duration_since(now);
            let error = match timeout_at(now + (left / 2).max(MIN_TRY), call()).await {
                Ok(Ok(value)) => return Ok(Ok(value)),
                Ok(Err(error @ PortError::Permanent { .. })) => return Ok(Err(error)),
                Ok(Err(error)) => error,
                Err(_) => PortError::transient(Trouble::Timeout, ""),
            };
            let pause = pause(tries);
            if Instant::now() + pause + MIN_TRY > self.until {
                return Err(FlowError::Trouble { stage, tries, error });
            }
            sleep(pause).await;
            *retries += 1;
        }
        Err(FlowError::Trouble { stage, tries: u32::MAX, error: PortError::transient(Trouble::Timeout, "") })
    }

    /// The rules could not be run: for good, or by a bug of ours.
    fn unread(&self, stage: Stage, error: Option<PortError>, report: &mut FlowReport) -> Result<Response, FlowError> {
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
        Ok(Response::deliver())
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

/// Backoff that doubles, with jitter over its upper half.
pub(super) fn pause(tries: u32) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(MAX_PAUSE);
    let half = whole / 2;
    // Each `RandomState` has keys of its own: chance enough, without a crate for it.
    let chance = RandomState::new().hash_one(tries) % 1_000;
    half + half.mul_f64(f64::from(u32::try_from(chance).unwrap_or(0)) / 1_000.0)
}

fn ms_since(at: Instant) -> f64 {
    (at.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

/// One event per message: ids, rule names, counts, sizes and durations.
fn log(report: &FlowReport, error: Option<&FlowError>) {
    let rules = report.rules.as_ref().map(|r| r.rules.as_slice()).unwrap_or_default();
    let signatures = report.rules.as_ref().map(|r| r.signatures.as_slice()).unwrap_or_default();
    let names = |is: fn(&Verdict) -> bool| {
        rules.iter().filter(|r| is(&r.verdict)).map(|r| r.name.as_str()).collect::<Vec<_>>().join(",")
    };
    let matched = names(|v| matches!(v, Verdict::Matched));
    let failed = names(|v| matches!(v, Verdict::Failed(_) | Verdict::OutOfTime));
    let answers: Vec<String> = report.answers.iter().map(|(word, count)| format!("{word}: {count}")).collect();
    let answers = (report.answers.len() > 1).then(|| answers.join(", "));
    let unmet: Vec<String> =
        report.unmet.iter().map(|unmet| format!("{}: {}", unmet.demand.words(), unmet.count)).collect();
    let unmet = (!unmet.is_empty()).then(|| unmet.join("; "));
    let repaired: Vec<String> = report.repaired.iter().map(|m| format!("{}: {}", m.what.words(), m.count)).collect();
    let repaired = (!repaired.is_empty()).then(|| repaired.join("; "));
    let (refused_at, refusal, why) = match &report.fate {
        Fate::Original { stage, refusal, why } => (Some(*stage), *refusal, Some(why.clone())),
        _ => (None, None, error.map(ToString::to_string)),
    };
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                fate = report.fate.as_str(),
                message_id = report.message_id.as_ref().map(MessageId::as_str),
                invocation_id = report.invocation_id.as_deref(),
                direction = report.direction.map(Direction::as_str),
                answer = report.answer,
                answers = answers,
                recipients_added = report.recipients_added,
                size_in = report.size_in,
                size_out = report.size_out,
                rejected_for = unmet,
                repaired = repaired,
                key = report.key.as_ref().map(ObjectKey::as_str),
                attachments_stored = report.attachments_stored,
                retries = report.retries,
                rules_matched = matched,
                rules_failed = failed,
                edits = rules.iter().map(|r| r.edits).sum::<usize>(),
                signatures = signatures.len(),
                signatures_broken = signatures.iter().filter(|signature| signature.broken).count(),
                digest = report.rules.as_ref().map(|r| r.digest.as_str()),
                refused_at = refused_at.map(tracing::field::debug),
                refusal = refusal.map(tracing::field::debug),
                error_kind = error.map(FlowError::kind),
                error = why.as_deref(),
                fetch_ms = report.times.fetch_ms,
                look_up_ms = report.times.look_up_ms,
                run_ms = report.times.run_ms,
                store_ms = report.times.store_ms,
                put_back_ms = report.times.put_back_ms,
                total_ms = report.times.total_ms,
                "message handled"
            )
        };
    }
    match &report.fate {
        Fate::Failed => event!(error),
        Fate::Original { .. } | Fate::Undecodable => event!(warn),
        Fate::Unchanged | Fate::Rewritten | Fate::Marked => event!(info),
    }
}
