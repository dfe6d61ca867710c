//! The Lambda Runtime API: hands events to the function and takes its answers.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use crate::server::{answer, serve};

/// An answer, or the error that the invocation failed with.
pub type Result = std::result::Result<Value, Value>;

pub struct RuntimeApi {
    pub address: SocketAddr,
    events: mpsc::UnboundedSender<(Value, Duration)>,
    results: mpsc::UnboundedReceiver<Result>,
}

/// The id of an invocation, and the trace that it stands in.
pub const REQUEST_ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";
pub const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

impl RuntimeApi {
    pub async fn start() -> Self {
        let (events, next) = mpsc::unbounded_channel::<(Value, Duration)>();
        let (done, results) = mpsc::unbounded_channel();
        let next = Arc::new(Mutex::new(next));
        let address = serve(move |request| {
            let (next, done) = (next.clone(), done.clone());
            async move {
                let path = request.uri().path().strip_prefix("/2018-06-01/runtime/").unwrap_or_default().to_owned();
                if path == "invocation/next" {
                    let Some((event, time)) = next.lock().await.recv().await else { return answer(500, &[], "") };
                    let deadline = (SystemTime::now() + time).duration_since(UNIX_EPOCH).unwrap().as_millis();
                    let headers = [
                        ("lambda-runtime-aws-request-id", REQUEST_ID),
                        ("lambda-runtime-trace-id", TRACE),
                        ("lambda-runtime-deadline-ms", &deadline.to_string()),
                        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:f"),
                        ("content-type", "application/json"),
                    ];
                    return answer(200, &headers, event.to_string());
                }
                let value = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
                let result = match path.rsplit('/').next() {
                    Some("response") => Ok(value),
                    _ => Err(value),
                };
                done.send(result).unwrap();
                answer(202, &[], "{}")
            }
        })
        .await;
        Self { address, events, results }
    }

    /// Invoke the function with so much time, and wait for what comes of it.
    pub async fn invoke(&mut self, event: &Value, time: Duration) -> Result {
        self.events.send((event.clone(), time)).unwrap();
        self.results.recv().await.unwrap()
    }
}
