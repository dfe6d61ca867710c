//! WorkMail's Message Flow: gives messages out, and takes them back from S3 as the service does.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hyper::{Method, Request};
use mailwright::flow::put_checks;
use serde_json::Value;

use crate::server::{Answer, answer, serve, trace};

/// How a request fails: `(HTTP status, x-amzn-errortype)`.
pub type Failure = (u16, &'static str);

#[derive(Clone)]
pub struct MessageFlow {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    s3: aws_sdk_s3::Client,
}

#[derive(Default)]
pub struct State {
    /// Message by id.
    pub messages: HashMap<String, Bytes>,
    /// How the next such requests fail.
    pub failures: HashMap<Method, VecDeque<Failure>>,
    /// How all such requests fail.
    pub always: HashMap<Method, Failure>,
    /// Whether a request that fails does first what it should.
    pub after: bool,
    /// Whether a put demands what WorkMail does.
    pub strict: bool,
    /// `METHOD id`, in order.
    pub requests: Vec<String>,
    /// Object versions that were named.
    pub versions: Vec<Option<String>>,
    /// The trace that each request names.
    pub traces: Vec<Option<String>>,
}

impl MessageFlow {
    pub async fn start(s3: aws_sdk_s3::Client) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let mut flow = Self { address: ([127, 0, 0, 1], 0).into(), state, s3 };
        let served = flow.clone();
        flow.address = serve(move |request| served.clone().take(request)).await;
        flow
    }

    pub fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn take(self, request: Request<Bytes>) -> Answer {
        let signed = request.headers().get("authorization").and_then(|v| v.to_str().ok()).is_some_and(|v| {
            v.starts_with("AWS4-HMAC-SHA256 Credential=") && v.contains("/eu-west-1/workmailmessageflow/aws4_request")
        });
        let Some(id) = request.uri().path().strip_prefix("/messages/").filter(|_| signed) else {
            return failure((403, "AccessDeniedException"));
        };
        let method = request.method().clone();
        let failing = {
            let mut state = self.state();
            state.requests.push(format!("{method} {id}"));
            state.traces.push(trace(request.headers()));
            let next = state.failures.get_mut(&method).and_then(VecDeque::pop_front);
            next.or_else(|| state.always.get(&method).copied()).map(|failure| (failure, state.after))
        };
        if let Some((failing, false)) = failing {
            return failure(failing);
        }
        let done = match method {
            Method::GET => self.get(id),
            _ => self.put(id, request.body()).await,
        };
        failing.map_or(done, |(failing, _)| failure(failing))
    }

    fn get(&self, id: &str) -> Answer {
        match self.state().messages.get(id) {
            Some(message) => answer(200, &[("content-type", "application/octet-stream")], message.clone()),
            None => failure((404, "ResourceNotFoundException")),
        }
    }

    async fn put(&self, id: &str, body: &[u8]) -> Answer {
        let body: Value = serde_json::from_slice(body).unwrap();
        let reference = &body["content"]["s3Reference"];
        let text = |key: &str| reference[key].as_str().map(str::to_owned);
        let request = self.s3.get_object().set_bucket(text("bucket")).set_key(text("key"));
        let Ok(object) = request.send().await else { return failure((400, "InvalidContentLocation")) };
        let content = object.body.collect().await.unwrap().into_bytes();
        let mut state = self.state();
        state.versions.push(text("objectVersion"));
        let strict = state.strict;
        match state.messages.get_mut(id) {
            Some(message) if strict && put_checks::put(&content, message).is_err() => failure((400, "MessageRejected")),
            Some(message) => {
                *message = content;
                answer(200, &[("content-type", "application/json")], "{}")
            }
            None => failure((404, "ResourceNotFoundException")),
        }
    }
}

fn failure((status, kind): Failure) -> Answer {
    let headers = [("content-type", "application/json"), ("x-amzn-errortype", kind)];
    answer(status, &headers, r#"{"message":"Header \"Subject: Harvest plan\" is not to its liking"}"#)
}
