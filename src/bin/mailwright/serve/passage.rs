//! One message on its way through the emulated flow: the function is invoked, tried again where it fails, and what it answers
//! is done.
//!
//! Invariant: every message that comes in has an outcome: an answer of the function, or the fallback action when the rule's
//! time is over. A panic is a failed try. The time begins when there is a function: one that is attached may come later.
//!
//! Source: WorkMail Administrator Guide, "Synchronous Run Lambda rule". How long WorkMail waits between its tries is not
//! published: here it is a second, then twice as long each time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use mailwright::flow::handler::{ANSWER_WITHIN, Fate, Handled};
use mailwright::flow::memory::Fault;
use mailwright::rule::Disposition;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::answer::Reading;
use super::aws::runtime_api::RuntimeApi;
use super::built_in::BuiltIn;
use super::fault::At;
use super::hub::{Hub, News, Rules, Work};
use super::log::Log;
use super::process::Processes;
use super::run::{Outcome, Run};
use super::workmail::WorkMail;
use crate::replay::function;

/// Pause before the second try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause.
const MAX_PAUSE: Duration = Duration::from_mins(5);
/// A function that is away for longer is said to be, and a message that runs anew for longer.
const SAID_AFTER: Duration = Duration::from_secs(1);

/// What all messages have in common.
#[derive(Debug)]
pub struct Flow {
    hub: Arc<Hub>,
    workmail: Arc<WorkMail>,
    /// Who answers.
    pub function: Answers,
    plan: Plan,
    log: Log,
    /// So many are with a function that serve has started: as many as it may have processes.
    turns: Semaphore,
    /// The newest round of runs: who waits to try again goes on at once.
    rounds: watch::Sender<u64>,
}

/// What WorkMail is told about the rule.
#[derive(Debug)]
pub struct Plan {
    /// For how long it tries.
    pub rule_timeout: Duration,
    /// What it does then.
    pub fallback: Disposition,
}

/// Who answers.
#[derive(Debug)]
pub enum Answers {
    /// The function's own code, with the rules in force.
    BuiltIn(Box<BuiltIn>),
    /// A function that serve has started.
    Started(Arc<RuntimeApi>, Arc<Processes>),
    /// Whoever asks at the Runtime API.
    Attached(Arc<RuntimeApi>),
}

impl Answers {
    /// Who answers, and what is to be known of it, for people. Empty for what is built in.
    pub fn who(&self) -> String {
        match self {
            Self::BuiltIn(_) => String::new(),
            Self::Started(_, processes) => {
                let most = match processes.most() {
                    1 => "in one process, for one message at a time".to_owned(),
                    most => format!("in up to {most} processes"),
                };
                format!(
                    "Answered by {} {most}, which is started anew when a rule file is saved. Which rules matched is known where its log says so.",
                    processes.command()
                )
            }
            Self::Attached(_) => {
                "Answered by the function that is attached. When a rule file is saved, the messages are \
                 sent to it again: it must read its rules itself. Which of them matched is not known here."
                    .to_owned()
            }
        }
    }
}

/// What came of one invocation.
struct Invoked {
    /// What was answered, or why it failed.
    answer: Result<Value, String>,
    handled: Option<Handled>,
    failure: Option<String>,
    /// How long it was not with a function, where that is nobody's fault.
    waited: Duration,
}

impl Invoked {
    fn failed(why: impl Into<String>) -> Self {
        Self { answer: Err(why.into()), handled: None, failure: None, waited: Duration::ZERO }
    }

    fn by_built_in(handled: Result<Handled, String>) -> Self {
        let handled = match handled {
            Ok(handled) => handled,
            Err(why) => return Self::failed(why),
        };
        let answer = match &handled.answer {
            Ok(response) => serde_json::to_value(response).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        Self { answer, failure: function::failure(&handled), handled: Some(handled), waited: Duration::ZERO }
    }
}

/// Runs anew what has passed, one round after the other.
#[derive(Default)]
struct Rounds {
    /// Those of the round; each answers with its number, and whether it ran.
    at_work: JoinSet<(usize, bool)>,
    numbers: HashSet<usize>,
    ran: usize,
}

impl Flow {
    /// Over these.
    pub fn new(hub: Arc<Hub>, workmail: Arc<WorkMail>, function: Answers, plan: Plan, log: Log) -> Arc<Self> {
        let rounds = watch::Sender::new(hub.rules().generation);
        let turns = match &function {
            Answers::Started(_, processes) => processes.most(),
            Answers::BuiltIn(_) | Answers::Attached(_) => 0,
        };
        Arc::new(Self { hub, workmail, function, plan, log, turns: Semaphore::new(turns), rounds })
    }

    /// Do all that there is to do, until the hub is gone.
    pub async fn work(self: Arc<Self>, mut to_do: mpsc::UnboundedReceiver<Work>) {
        let forgetting = tokio::spawn(Arc::clone(&self).forget());
        let mut rounds = Rounds::default();
        loop {
            let work = tokio::select! {
                work = to_do.recv() => work,
                Some(ended) = rounds.at_work.join_next() => {
                    self.ended(&mut rounds, &ended);
                    continue;
                }
            };
            match work {
                None => break,
                Some(Work::New(run)) => drop(tokio::spawn(Arc::clone(&self).first(run))),
                Some(Work::Again(generation)) => self.again(generation, &mut rounds).await,
                Some(Work::Behind(number)) => self.join(number, &mut rounds),
            }
        }
        forgetting.abort();
    }

    /// What the hub keeps no longer cannot be fetched either.
    async fn forget(self: Arc<Self>) {
        let mut news = self.hub.news();
        loop {
            match news.recv().await {
                Ok(News::Gone(_)) | Err(RecvError::Lagged(_)) => {
                    let kept = self.hub.runs();
                    self.workmail.keep_only(|id| kept.iter().any(|run| run.id == *id));
                }
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// A message that has come in.
    async fn first(self: Arc<Self>, run: Arc<Run>) {
        let passed = self.pass(&run).await;
        self.hub.left_transit(run.original.len());
        self.log.passed(&passed);
        self.hub.is_behind(passed.number, passed.generation);
    }

    /// All that is kept and has passed runs anew: what somebody looks at, then the newest first. A round that is not done is
    /// overtaken: what it is at is given up.
    async fn again(self: &Arc<Self>, generation: u64, rounds: &mut Rounds) {
        if self.hub.rules().generation != generation {
            // Rules that are newer have their own round.
            return;
        }
        rounds.at_work.shutdown().await;
        *rounds = Rounds::default();
        if let Answers::Started(_, processes) = &self.function {
            processes.restart().await;
        }
        self.rounds.send_replace(generation);
        for number in self.hub.in_turn() {
            self.join(number, rounds);
        }
    }

    fn join(self: &Arc<Self>, number: usize, rounds: &mut Rounds) {
        if rounds.numbers.insert(number) {
            let flow = Arc::clone(self);
            rounds.at_work.spawn(async move { (number, flow.pass_again(number).await) });
        }
    }

    fn ended(&self, rounds: &mut Rounds, ended: &Result<(usize, bool), JoinError>) {
        if let Ok((number, ran)) = ended {
            rounds.numbers.remove(number);
            rounds.ran += usize::from(*ran);
        }
        if rounds.at_work.is_empty() {
            self.log.ran_again(std::mem::take(&mut rounds.ran));
        }
    }

    /// Run a message anew that has passed under other rules. One in transit is tried under those that are in force then.
    async fn pass_again(&self, number: usize) -> bool {
        let generation = self.hub.rules().generation;
        let run = self.hub.run(number).filter(|run| run.outcome.is_some() && run.generation < generation);
        let Some(run) = run else { return false };
        let mut passes = std::pin::pin!(self.pass(&run));
        if timeout(SAID_AFTER, &mut passes).await.is_err() {
            self.hub.still_runs(number);
            passes.await;
        }
        true
    }

    /// Until there is an outcome. The run with it.
    async fn pass(&self, run: &Run) -> Run {
        self.workmail.begin(&run.id, run.original.clone());
        let mut rounds = self.rounds.subscribe();
        let mut turn = self.turn(run.number).await;
        let mut began = Instant::now();
        let mut failures = Vec::new();
        let mut pause = FIRST_PAUSE;
        let (reading, invoked, rules) = loop {
            let rules = self.hub.rules();
            let mut invoked = tokio::select! {
                invoked = self.invoke(run, &rules, began + self.plan.rule_timeout) => invoked,
                // A function that is not built in may be looked at in a debugger: it ends what it has begun.
                _ = rounds.changed(), if matches!(self.function, Answers::BuiltIn(_)) => {
                    (began, pause) = self.anew(run, &mut failures);
                    continue;
                }
            };
            drop(turn);
            began += invoked.waited;
            let read = std::mem::replace(&mut invoked.answer, Ok(Value::Null)).and_then(|answer| {
                Reading::of(&answer, &run.event, rules.pipeline.organization(), &self.plan.fallback)
            });
            let why = match read {
                Ok(reading) => break (Some(reading), invoked, rules),
                Err(why) => why,
            };
            let over = began.elapsed() + pause > self.plan.rule_timeout;
            failures.push(why.clone());
            let tried = if over { None } else { invoked.handled.take() };
            self.hub.failed(run.number, failures.clone(), tried);
            self.log.try_failed(run, failures.len(), &why, (!over).then_some(pause));
            if over {
                invoked.failure = Some(why);
                break (None, invoked, rules);
            }
            tokio::select! {
                () = sleep(pause) => pause = (pause * 2).min(MAX_PAUSE),
                _ = rounds.changed() => (began, pause) = self.anew(run, &mut failures),
            }
            turn = self.turn(run.number).await;
        };
        let tries = failures.len() + usize::from(reading.is_some());
        let fell_back = reading.is_none();
        let Reading { answered, others, mut notes } =
            reading.unwrap_or_else(|| Reading::same_for_all(&run.event, &self.plan.fallback));
        let rewritten = self.workmail.freeze(&run.id);
        let fate = invoked.handled.as_ref().map(|handled| &handled.report.fate);
        if rewritten.is_some() && tries > 1 && fate.is_none_or(|fate| *fate != Fate::Rewritten) {
            notes.push("a try before put the rewritten message back".to_owned());
        }
        let outcome = Outcome {
            rewritten,
            handled: invoked.handled,
            answered,
            others,
            fell_back,
            failure: invoked.failure,
            notes,
            tries,
            took: began.elapsed(),
        };
        let mut passed = run.clone();
        passed.failures = failures;
        passed.tried = None;
        passed.outcome = Some(Arc::new(outcome));
        passed.generation = rules.generation;
        self.hub.passed(passed.clone());
        passed
    }

    /// Other rules are in force: what was tried under those before counts no longer. When it began, and its next pause.
    fn anew(&self, run: &Run, failures: &mut Vec<String>) -> (Instant, Duration) {
        self.workmail.begin(&run.id, run.original.clone());
        if !failures.is_empty() {
            failures.clear();
            self.hub.failed(run.number, Vec::new(), None);
        }
        (Instant::now(), FIRST_PAUSE)
    }

    /// Until a function that is not built in is there, and one that serve has started has time. One that is built in always
    /// has; for those that are attached messages queue up.
    async fn turn(&self, number: usize) -> Option<SemaphorePermit<'_>> {
        let is_there = async |runtime: &RuntimeApi| {
            if timeout(SAID_AFTER, runtime.wait_for_a_function()).await.is_err() {
                self.log.waits(number);
                runtime.wait_for_a_function().await;
            }
        };
        match &self.function {
            Answers::BuiltIn(_) => return None,
            Answers::Started(runtime, _) if runtime.has_asked() => {}
            // Whoever debugs a function that is attached ends it and starts it again.
            Answers::Started(runtime, _) => is_there(runtime).await,
            Answers::Attached(runtime) => {
                is_there(runtime).await;
                return None;
            }
        }
        self.turns.acquire().await.ok()
    }

    async fn invoke(&self, run: &Run, rules: &Rules, over: Instant) -> Invoked {
        let late = "the function did not answer within 15 s";
        match self.workmail.fault(At::Invoke) {
            Some(Fault::Before(error)) => return Invoked::failed(format!("the function cannot be invoked: {error}")),
            Some(Fault::Hang) => {
                sleep(ANSWER_WITHIN).await;
                return Invoked::failed(late);
            }
            Some(Fault::After(_)) => {
                self.answer(run, rules, over).await;
                return Invoked::failed("the function answered, and the answer was lost");
            }
            None => {}
        }
        self.answer(run, rules, over).await
    }

    async fn answer(&self, run: &Run, rules: &Rules, over: Instant) -> Invoked {
        match &self.function {
            Answers::BuiltIn(function) => {
                Invoked::by_built_in(function.invoke(run, &rules.pipeline, &self.workmail).await)
            }
            Answers::Started(runtime, _) | Answers::Attached(runtime) => {
                let is_attached = matches!(self.function, Answers::Attached(_));
                let (queued, mut invoked) = (Instant::now(), runtime.invoke(&run.event.json, ANSWER_WITHIN));
                // How many are attached is the user's: messages that wait for one do not lose time.
                if !invoked.is_taken((!is_attached).then_some(over)).await {
                    return Invoked::failed("no function has asked for it at the Runtime API");
                }
                let waited = if is_attached { queued.elapsed() } else { Duration::ZERO };
                Invoked { answer: invoked.answer().await, handled: None, failure: None, waited }
            }
        }
    }
}
