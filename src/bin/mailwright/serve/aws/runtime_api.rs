//! The Lambda Runtime API: hands events to functions and takes their answers.
//!
//! A function is whatever asks for the next invocation: the `bootstrap` of this project, or a script of ten lines. Several
//! may ask; each invocation goes to one of them. A message waits until a function asks for it, and then has the time that
//! WorkMail gives; the rule's time does not begin before a function is there.
//!
//! Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
//!
//! Invariant: an invocation ends once: with the first answer, with an error, when its time is over, or when the function
//! that serve started has ended.

use std::collections::{HashMap, VecDeque};
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
use tokio::time::{Instant, timeout, timeout_at};

use super::{Aws, MAX_BODY, answer, body};

/// What stands before the calls.
pub const BASE: &str = "/2018-06-01/runtime/";
/// Most functions that ask at a time: each holds a connection for as long as there is no work.
const MAX_ASKING: usize = 64;
/// Most octets of an error that are shown.
const MAX_ERROR: usize = 1_000;
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
}

/// An invocation that a function has taken. Who waits for it may have given up; it may end it all the same.
#[derive(Debug)]
struct Working {
    done: oneshot::Sender<Result>,
    /// Its time is over then.
    until: Instant,
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

/// Takes an invocation that waits out again when whoever waits for it gives up.
struct Ticket<'a>(&'a RuntimeApi, String);

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.0.state().queue.retain(|one| one.id != self.1);
    }
}

/// A function that asks, until it is answered or goes away.
struct Asking<'a>(&'a RuntimeApi);

impl<'a> Asking<'a> {
    /// `None` where too many do.
    fn at(runtime: &'a RuntimeApi) -> Option<Self> {
        {
            let mut state = runtime.state();
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

    /// Invoke a function: it is waited for until `taken_by`, and its answer for `within` from then on.
    pub async fn invoke(&self, event: &Value, taken_by: Instant, within: Duration) -> Result {
        let (taken, has_taken) = oneshot::channel();
        let (done, result) = oneshot::channel();
        let id = {
            let mut state = self.state();
            state.count += 1;
            let id = request_id(state.count);
            state.queue.push_back(Invocation { id: id.clone(), event: event.clone(), taken, done, within });
            id
        };
        let ticket = Ticket(self, id);
        self.waiting.notify_one();
        match timeout_at(taken_by, has_taken).await {
            Ok(Ok(())) => {}
            _ => return Err("no function has asked for it at the Runtime API".to_owned()),
        }
        match timeout(within, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("the function has ended".to_owned()),
            Err(_) => {
                self.state().working.remove(&ticket.1);
                Err(format!("the function did not answer within {} s", within.as_secs()))
            }
        }
    }

    /// The functions have ended: what they were at has failed.
    pub fn ended(&self) {
        self.state().working.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Work for a function, when there is some; `None` where too many ask.
    async fn next(&self) -> Option<(String, Value)> {
        let _asking = Asking::at(self)?;
        loop {
            let woken = self.waiting.notified();
            {
                let mut state = self.state();
                if let Some(Invocation { id, event, taken, done, within }) = state.queue.pop_front() {
                    let _ = taken.send(());
                    let now = Instant::now();
                    state.working.retain(|_, working| working.until > now);
                    state.working.insert(id.clone(), Working { done, until: now + within });
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

/// A call of a function; `call` is what stands behind [`BASE`].
pub async fn take(aws: &Aws, call: &str, request: Request) -> Response {
    let parts: Vec<&str> = call.split('/').collect();
    match (request.method().clone(), parts.as_slice()) {
        (Method::GET, ["invocation", "next"]) => {
            let Some((id, event)) = aws.runtime.next().await else {
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
