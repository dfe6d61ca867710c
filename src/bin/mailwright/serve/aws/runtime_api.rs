//! The Lambda Runtime API: hands events to functions and takes their answers.
//!
//! A function is whatever asks for the next invocation: the `bootstrap` of this project, or a script of ten lines. Several
//! may ask; each invocation goes to one of them, so that one that takes long holds up no other. A message waits until a function
//! asks for it, and then has the time that WorkMail gives; the rule's time does not begin before a function is there.
//!
//! Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
//!
//! Invariant: an invocation ends once: with the first answer, with an error, when its time is over, or when the process that
//! serve started and that has taken it has ended. A process that has ended takes none.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use mailwright::flow::handler::ANSWER_WITHIN;
use mailwright::hex::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Aws, MAX_BODY, answer, body};

/// What stands before the calls.
pub const BASE: &str = "/2018-06-01/runtime/";
/// Most functions that ask at a time: each holds a connection for as long as there is no work.
const MAX_ASKING: usize = 64;
/// Most octets of an error that are shown.
const MAX_ERROR: usize = 1_000;
/// A message waits for so long before another process is started: one that has just answered may ask again.
const BUSY_FOR: Duration = Duration::from_millis(50);
/// The id of all functions that serve has not started.
pub const ATTACHED: u64 = 0;
/// The function's name, as it is told.
const ARN: &str = "arn:aws:lambda:eu-west-1:000000000000:function:mailwright";

/// An answer, or why there is none.
pub type Result = std::result::Result<Value, String>;

/// Invocations that wait, and those at work.
#[derive(Debug, Default)]
pub struct RuntimeApi {
    state: Mutex<State>,
    waiting: Notify,
    /// Told when a function asks.
    there: Notify,
    /// Told when an invocation is queued.
    queued: Notify,
}

#[derive(Debug, Default)]
struct State {
    count: u64,
    queue: VecDeque<Invocation>,
    working: HashMap<String, Working>,
    /// So many functions ask now.
    asking: usize,
    /// True since a function has asked.
    asked: bool,
    /// Processes that serve has started and that have not ended.
    processes: HashSet<u64>,
    /// Those of them that have not asked yet.
    starting: HashSet<u64>,
    /// So many of them there have been.
    begun: u64,
}

/// An invocation that a function has taken. Who waits for it may have given up; it may end it all the same.
#[derive(Debug)]
struct Working {
    done: oneshot::Sender<Result>,
    /// Its time is over then.
    until: Instant,
    /// Who has taken it.
    process: u64,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    event: Value,
    /// Told when a function has taken it.
    taken: oneshot::Sender<()>,
    done: oneshot::Sender<Result>,
    within: Duration,
}

/// An invocation, for whoever waits for its answer. Dropped, it is taken out of the queue again.
#[derive(Debug)]
pub struct Invoked<'a> {
    runtime: &'a RuntimeApi,
    id: String,
    has_taken: oneshot::Receiver<()>,
    result: oneshot::Receiver<Result>,
    within: Duration,
}

impl Invoked<'_> {
    /// Until a function has taken it, or it is too late; whether one has.
    pub async fn is_taken(&mut self, by: Option<Instant>) -> bool {
        match by {
            Some(by) => timeout_at(by, &mut self.has_taken).await.is_ok_and(|taken| taken.is_ok()),
            None => (&mut self.has_taken).await.is_ok(),
        }
    }

    /// What a function answers that has taken it.
    pub async fn answer(mut self) -> Result {
        match timeout(self.within, &mut self.result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("the function has ended".to_owned()),
            Err(_) => {
                self.runtime.state().working.remove(&self.id);
                Err(format!("the function did not answer within {} s", self.within.as_secs()))
            }
        }
    }
}

impl Drop for Invoked<'_> {
    fn drop(&mut self) {
        self.runtime.state().queue.retain(|one| one.id != self.id);
    }
}

/// A function that asks, until it is answered or goes away.
struct Asking<'a>(&'a RuntimeApi);

impl<'a> Asking<'a> {
    /// `None` where too many do.
    fn at(runtime: &'a RuntimeApi, process: u64) -> Option<Self> {
        {
            let mut state = runtime.state();
            state.starting.remove(&process);
            if state.asking >= MAX_ASKING {
                return None;
            }
            state.asking += 1;
            state.asked = true;
        }
        runtime.there.notify_waiters();
        Some(Self(runtime))
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.state().asking -= 1;
    }
}

impl RuntimeApi {
    /// True when a function has asked for work.
    pub fn has_asked(&self) -> bool {
        self.state().asked
    }

    /// Until a function asks for work, or is at some.
    pub async fn wait_for_a_function(&self) {
        loop {
            let mut there = std::pin::pin!(self.there.notified());
            there.as_mut().enable();
            let is_there = {
                let (state, now) = (self.state(), Instant::now());
                state.asking > 0 || state.working.values().any(|working| working.until > now)
            };
            if is_there {
                return;
            }
            there.await;
        }
    }

    /// Until a message waits and all functions are at work. Those that are starting will take one each.
    pub async fn lacks_a_function(&self) {
        let lacks = || {
            let state = self.state();
            state.queue.len() > state.asking + state.starting.len()
        };
        loop {
            let queued = self.queued.notified();
            if lacks() {
                sleep(BUSY_FOR).await;
                if lacks() {
                    return;
                }
            } else {
                queued.await;
            }
        }
    }

    /// Invoke a function, which has `within` for its answer. It ends when what is handed out is dropped.
    pub fn invoke(&self, event: &Value, within: Duration) -> Invoked<'_> {
        let (taken, has_taken) = oneshot::channel();
        let (done, result) = oneshot::channel();
        let id = {
            let mut state = self.state();
            state.count += 1;
            let id = request_id(state.count);
            state.queue.push_back(Invocation { id: id.clone(), event: event.clone(), taken, done, within });
            id
        };
        self.waiting.notify_one();
        self.queued.notify_one();
        Invoked { runtime: self, id, has_taken, result, within }
    }

    /// Serve starts a process of a function: what it is known by.
    pub fn begins(&self) -> u64 {
        let mut state = self.state();
        state.begun += 1;
        let id = state.begun;
        state.processes.insert(id);
        state.starting.insert(id);
        id
    }

    /// A process has ended: what it was at has failed, and it takes nothing more.
    pub fn ended(&self, process: u64) {
        let mut state = self.state();
        state.processes.remove(&process);
        state.starting.remove(&process);
        state.working.retain(|_, working| working.process != process);
        drop(state);
        // It may have been woken for work that another has to take.
        self.waiting.notify_one();
        self.queued.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Work for a function, when there is some; `None` where too many ask, or the process has ended.
    async fn next(&self, process: u64) -> Option<(String, Value)> {
        let _asking = Asking::at(self, process)?;
        loop {
            let woken = self.waiting.notified();
            {
                let mut state = self.state();
                if process != ATTACHED && !state.processes.contains(&process) {
                    self.waiting.notify_one();
                    return None;
                }
                if let Some(Invocation { id, event, taken, done, within }) = state.queue.pop_front() {
                    let _ = taken.send(());
                    let now = Instant::now();
                    state.working.retain(|_, working| working.until > now);
                    state.working.insert(id.clone(), Working { done, until: now + within, process });
                    // Another may wait behind it, for another function.
                    self.waiting.notify_one();
                    return Some((id, event));
                }
            }
            woken.await;
        }
    }

    fn end(&self, id: &str, result: Result) -> bool {
        let Some(working) = self.state().working.remove(id) else { return false };
        let in_time = working.until > Instant::now();
        let _ = working.done.send(result);
        in_time
    }
}

/// In the form of Lambda's.
fn request_id(count: u64) -> String {
    let digits = hex(&Sha256::digest(format!("{count} {}", std::process::id())));
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default()).join("-")
}

/// A call of a function that is known by `process`; `call` is what stands behind [`BASE`].
pub async fn take(aws: &Aws, process: u64, call: &str, request: Request) -> Response {
    let parts: Vec<&str> = call.split('/').collect();
    match (request.method().clone(), parts.as_slice()) {
        (Method::GET, ["invocation", "next"]) => {
            let Some((id, event)) = aws.runtime.next(process).await else {
                return refused(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "too many functions ask for work");
            };
            let deadline = SystemTime::now() + ANSWER_WITHIN;
            let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            let fields = [
                ("lambda-runtime-aws-request-id", id),
                ("lambda-runtime-deadline-ms", deadline.to_string()),
                ("lambda-runtime-invoked-function-arn", ARN.to_owned()),
                ("content-type", "application/json".to_owned()),
            ];
            answer(StatusCode::OK, &fields, event.to_string())
        }
        (Method::POST, [.., kind @ ("response" | "error")]) => {
            let Ok((octets, _place)) = body(aws, request, MAX_BODY).await else {
                return refused(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "RequestEntityTooLarge",
                    "the body is too large, or did not come",
                );
            };
            match (parts.as_slice(), *kind) {
                (["invocation", id, _], "response") => {
                    let value = serde_json::from_slice(&octets);
                    ended(aws, id, value.map_err(|_| "the function's answer is no JSON".to_owned()))
                }
                (["invocation", id, _], _) => ended(aws, id, Err(format!("the function failed: {}", said(&octets)))),
                // It cannot start; it will end.
                (["init", _], "error") => accepted(),
                _ => refused(StatusCode::NOT_FOUND, "NotFound", "no such call"),
            }
        }
        _ => refused(StatusCode::NOT_FOUND, "NotFound", "no such call"),
    }
}

fn ended(aws: &Aws, id: &str, result: Result) -> Response {
    if aws.runtime.end(id, result) {
        accepted()
    } else {
        refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "no such invocation, or its time is over")
    }
}

/// What a function says of its error: type and message.
fn said(octets: &[u8]) -> String {
    let value: Value = serde_json::from_slice(octets).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let said = format!("{}: {}", text("errorType"), text("errorMessage"));
    said.chars().take(MAX_ERROR).collect()
}

fn accepted() -> Response {
    answer(StatusCode::ACCEPTED, &[("content-type", "application/json".to_owned())], "{\"status\":\"OK\"}")
}

fn refused(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = json!({ "errorType": kind, "errorMessage": message }).to_string();
    answer(status, &[("content-type", "application/json".to_owned())], body)
}
