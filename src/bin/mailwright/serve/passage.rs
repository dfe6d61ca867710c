//! One message on its way through the emulated flow: the function is invoked, tried again where it fails, and what it answers
//! is done.
//!
//! Invariant: every message that comes in has an outcome: an answer of the function, or the fallback action when the rule's
//! time is over. A panic is a failed try. The time begins when there is a function: one that is attached may come later.
//!
//! Source: WorkMail Administrator Guide, "Synchronous Run Lambda rule". How long WorkMail waits between its tries is not
//! published: here it is a second, then twice as long each time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use mailwright::flow::handler::{ANSWER_WITHIN, Fate, Handled, Settings};
use mailwright::flow::memory::Fault;
use mailwright::rule::Disposition;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::time::{Instant, sleep};

use super::answer::Reading;
use super::aws::runtime_api::RuntimeApi;
use super::fault::At;
use super::hub::{Hub, News, Rules, Work};
use super::log::Log;
use super::process::Process;
use super::run::{Outcome, Run};
use super::workmail::WorkMail;
use crate::replay::function::{self, Function};

/// Pause before the second try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause.
const MAX_PAUSE: Duration = Duration::from_mins(5);

/// What all messages have in common.
#[derive(Debug)]
pub struct Flow {
    /// Where they are kept.
    pub hub: Arc<Hub>,
    /// What the function sees of them.
    pub workmail: Arc<WorkMail>,
    /// Who answers.
    pub function: Answers,
    /// What the operator of the function decides, for the built-in one.
    pub settings: Settings,
    /// For how long WorkMail tries.
    pub rule_timeout: Duration,
    /// What it does then.
    pub fallback: Disposition,
    /// So many messages run at a time.
    pub cores: Arc<Semaphore>,
    /// Held by who runs again what has passed: one at a time.
    pub again: Mutex<()>,
    /// Who is told.
    pub log: Log,
}

/// Who answers.
#[derive(Debug)]
pub enum Answers {
    /// The function's own code, with the rules in force.
    BuiltIn,
    /// Whoever asks at the Runtime API; with the process that serve has started, if it has.
    Runtime(Arc<RuntimeApi>, Option<Arc<Process>>),
}

/// What came of one invocation.
struct Invoked {
    /// What was answered, or why it failed.
    answer: Result<Value, String>,
    handled: Option<Handled>,
    failure: Option<String>,
}

impl Invoked {
    fn failed(why: impl Into<String>) -> Self {
        Self { answer: Err(why.into()), handled: None, failure: None }
    }
}

impl Flow {
    /// Do all that there is to do, until the hub is gone.
    pub async fn work(self: Arc<Self>, mut to_do: mpsc::UnboundedReceiver<Work>) {
        let forgetting = tokio::spawn(Arc::clone(&self).forget());
        while let Some(work) = to_do.recv().await {
            let flow = Arc::clone(&self);
            match work {
                Work::New(run) => drop(tokio::spawn(async move {
                    let passed = flow.pass(&run).await;
                    flow.hub.left_transit(run.original.len());
                    flow.log.passed(&passed);
                    // The rules may have changed while it was in transit.
                    if flow.hub.rules().generation != passed.generation {
                        let _turn = flow.again.lock().await;
                        flow.pass_again(run.number).await;
                    }
                })),
                Work::Again(generation) => drop(tokio::spawn(flow.again(generation))),
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

    /// All that is kept and has passed runs anew, the newest first.
    async fn again(self: Arc<Self>, generation: u64) {
        let _turn = self.again.lock().await;
        if let Answers::Runtime(_, Some(process)) = &self.function {
            process.restart().await;
        }
        let mut count = 0;
        for run in self.hub.runs().into_iter().rev() {
            if self.hub.rules().generation != generation {
                // Rules that are newer have their own round.
                return;
            }
            count += usize::from(self.pass_again(run.number).await);
        }
        self.log.ran_again(count);
    }

    /// Run a message anew that has passed under other rules. One in transit ends under those that are in force when it is
    /// tried.
    async fn pass_again(&self, number: usize) -> bool {
        let generation = self.hub.rules().generation;
        let run = self.hub.run(number).filter(|run| run.outcome.is_some() && run.generation < generation);
        if let Some(run) = &run {
            self.pass(run).await;
        }
        run.is_some()
    }

    /// Until there is an outcome. The run with it.
    async fn pass(&self, run: &Run) -> Run {
        self.workmail.begin(&run.id, run.original.clone());
        if let Answers::Runtime(runtime, _) = &self.function {
            if !runtime.is_there() {
                self.log.waits(run.number);
            }
            runtime.wait_for_a_function().await;
        }
        let began = Instant::now();
        let mut failures = Vec::new();
        let mut tries = 0;
        let mut pause = FIRST_PAUSE;
        let (reading, invoked, rules) = loop {
            let rules = self.hub.rules();
            tries += 1;
            let mut invoked = self.invoke(run, &rules, began + self.rule_timeout).await;
            let read = std::mem::replace(&mut invoked.answer, Ok(Value::Null))
                .and_then(|answer| Reading::of(&answer, &run.event, rules.pipeline.organization(), &self.fallback));
            let why = match read {
                Ok(reading) => break (Some(reading), invoked, rules),
                Err(why) => why,
            };
            let over = began.elapsed() + pause > self.rule_timeout;
            failures.push(why.clone());
            self.hub.failed(run.number, failures.clone());
            self.log.try_failed(run, tries, &why, (!over).then_some(pause));
            if over {
                invoked.failure = Some(why);
                break (None, invoked, rules);
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        };
        let fell_back = reading.is_none();
        let Reading { answered, others, mut notes } =
            reading.unwrap_or_else(|| Reading::same_for_all(&run.event, &self.fallback));
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
        passed.outcome = Some(Arc::new(outcome));
        passed.generation = rules.generation;
        self.hub.passed(passed.clone());
        passed
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
            Answers::BuiltIn => self.built_in(run, rules).await,
            Answers::Runtime(runtime, _) => {
                let answer = runtime.invoke(&run.event.json, over, ANSWER_WITHIN).await;
                Invoked { answer, handled: None, failure: None }
            }
        }
    }

    async fn built_in(&self, run: &Run, rules: &Rules) -> Invoked {
        let Ok(_turn) = self.cores.acquire().await else { return Invoked::failed("the flow has ended") };
        let (pipeline, workmail, event) =
            (Arc::clone(&rules.pipeline), Arc::clone(&self.workmail), Arc::clone(&run.event));
        let settings = self.settings.clone();
        let work = move || {
            let function = Function { pipeline: &pipeline, settings, strict: true };
            match catch_unwind(AssertUnwindSafe(|| function.answer(&event, &*workmail, &*workmail))) {
                Ok(Ok(handled)) => Invoked {
                    answer: match &handled.answer {
                        Ok(response) => serde_json::to_value(response).map_err(|error| error.to_string()),
                        Err(error) => Err(error.to_string()),
                    },
                    failure: function::failure(&handled),
                    handled: Some(handled),
                },
                Ok(Err(why)) => Invoked::failed(why),
                Err(_) => Invoked::failed(function::bug()),
            }
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Invoked::failed("the function panicked"))
    }
}
