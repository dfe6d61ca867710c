//! The function as a process of its own, and everything that it talks to.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mailwright::flow::aws::{Clients, Environment};
use mailwright::flow::handler::{Settings, handle};
use mailwright::flow::key::{Bucket, KeyPrefix, MessageId};
use mailwright::flow::mark::StampKey;
use mailwright::flow::memory::Memory;
use mailwright::pipeline::Pipeline;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::message_flow::MessageFlow;
use crate::object_store::{self, Switches};
use crate::runtime_api::{self, RuntimeApi};
use crate::{KEY_ID, SECRET};

const STAMP_KEY: &str = "0123456789abcdef0123456789abcdef";
const BUCKET: &str = "rewritten-mail";

const RULES: &str = r#"
[[rule]]
name = "footer"
when = { direction = "outbound" }
[[rule.action]]
kind = "append"
text = "Grown by Example Orchards, é €."
html = "<p>Grown by Example Orchards, é €.</p>"

[[rule]]
name = "stamp"
when = { direction = "outbound" }
[[rule.action]]
kind = "set_header"
name = "X-Checked"
value = "yes"

[[rule]]
name = "junked"
when = { direction = "inbound", subject = { contains = "lottery" } }
[[rule.action]]
kind = "junk"
"#;

pub struct World {
    pub flow: MessageFlow,
    pub s3: Arc<Switches>,
    pub folder: TempDir,
    runtime: RuntimeApi,
    process: Child,
}

impl World {
    /// Everything up, the function waiting for its first event.
    pub async fn start() -> Self {
        Self::start_with(RULES, &[]).await
    }

    /// The same with other rules, and with variables changed.
    pub async fn start_with(rules: &str, changes: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["rules", "s3", &format!("s3/{BUCKET}")] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("rules/rules.toml"), rules).unwrap();
        let (s3_address, s3) = object_store::start(&folder.path().join("s3")).await;
        let clients = Clients::new(&environment(&format!("http://{s3_address}")));
        let flow = MessageFlow::start(clients.s3).await;
        let runtime = RuntimeApi::start().await;
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(program())
            .env_clear()
            .envs(variables(folder.path()))
            .env("AWS_LAMBDA_RUNTIME_API", runtime.address.to_string())
            .env("MAILWRIGHT_METRICS", "mail")
            .env("AWS_ENDPOINT_URL_S3", format!("http://localhost:{}", s3_address.port()))
            .env("AWS_ENDPOINT_URL_WORKMAILMESSAGEFLOW", format!("http://{}", flow.address))
            .envs(changes.iter().copied())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { flow, s3, folder, runtime, process }
    }

    pub fn insert(&self, id: &str, message: impl Into<Bytes>) {
        self.flow.state().messages.insert(id.to_owned(), message.into());
    }
    pub fn message(&self, id: &str) -> Bytes {
        self.flow.state().messages.get(id).cloned().unwrap()
    }
    /// Requests to Message Flow since the last time this was asked.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.flow.state().requests)
    }
    pub async fn invoke(&mut self, event: &Value) -> runtime_api::Result {
        self.invoke_within(event, Duration::from_secs(15)).await
    }
    pub async fn invoke_within(&mut self, event: &Value, time: Duration) -> runtime_api::Result {
        self.runtime.invoke(event, time).await
    }
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// What the handler makes of a message over in-memory ports, as a replay does.
    pub async fn replayed(&self, event: &Value, message: Bytes) -> Bytes {
        let pipeline = Pipeline::load(&self.folder.path().join("rules")).unwrap();
        let memory = Memory::new(Bucket::new(BUCKET).unwrap());
        let id = MessageId::new(event["messageId"].as_str().unwrap()).unwrap();
        memory.insert(id.clone(), message);
        let stamp_key = Some(StampKey::new(STAMP_KEY).unwrap());
        let settings = Settings { prefix: KeyPrefix::default(), stamp_key, ..Settings::default() };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(15);
        handle(event, deadline, &pipeline, &memory, &memory, &settings).await.answer.unwrap();
        memory.message(&id).unwrap()
    }
}

/// The function: the one that `MAILWRIGHT_BOOTSTRAP` names, such as what is about to be deployed, else the one just built.
fn program() -> PathBuf {
    std::env::var_os("MAILWRIGHT_BOOTSTRAP").map_or_else(|| env!("CARGO_BIN_EXE_bootstrap").into(), PathBuf::from)
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Start the function where it cannot start; how it ended, and its log.
pub fn start_fails(folder: &Path, changes: &[(&str, &str)]) -> (ExitStatus, String) {
    let output = Command::new(program())
        .env_clear()
        .envs(variables(folder))
        .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")
        .envs(changes.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status, String::from_utf8(output.stdout).unwrap())
}

fn variables(folder: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_LAMBDA_FUNCTION_NAME", "f".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ("MAILWRIGHT_BUCKET", BUCKET.to_owned()),
        ("MAILWRIGHT_STAMP_KEY", STAMP_KEY.to_owned()),
        ("MAILWRIGHT_DOMAINS", "example.com".to_owned()),
        ("MAILWRIGHT_RULES", folder.join("rules").display().to_string()),
    ]
}

fn environment(s3: &str) -> Environment {
    Environment::read(&|name| match name {
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        "AWS_ACCESS_KEY_ID" => Some(KEY_ID.to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some(SECRET.to_owned()),
        "AWS_ENDPOINT_URL_S3" => Some(s3.to_owned()),
        _ => None,
    })
    .unwrap()
}

pub fn event(id: &str, direction: &str) -> Value {
    json!({
        "summaryVersion": "2019-07-28",
        "envelope": {
            "mailFrom": {"address": "ann@example.com"},
            "recipients": [{"address": "kim@customer.example"}]
        },
        "sender": {"address": "ann@example.com"},
        "subject": "Harvest plan",
        "messageId": id,
        "invocationId": "11111111111111111111111111111111",
        "flowDirection": direction,
        "truncated": false
    })
}
