//! The function as a process of its own, and everything that it talks to.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::gate::{Gate, Service};
use crate::message_flow::MessageFlow;
use crate::object_store::{self, Switches};
use crate::organization::{self, Organization};
use crate::plain_store;
use crate::runtime_api::{self, RuntimeApi};
use crate::{KEY_ID, SECRET};

pub const STAMP_KEY: &str = "0123456789abcdef0123456789abcdef";
pub const BUCKET: &str = "rewritten-mail";
pub const ATTACHMENTS: &str = "attachments-of-mail";
/// What S3 is played by.
#[derive(Debug, Clone, Copy)]
pub enum Store {
    /// A real S3 server over a folder, which checks signatures and checksums.
    Strict,
    /// Objects in memory, and nothing is checked: for a lot of mail.
    Plain,
    /// A server that runs there, and has the buckets.
    At(SocketAddr),
}

/// How often a message is sent for which there was no time, on a machine with much else to do.
pub const PATIENCE: u32 = 20;

/// A function that has not answered so long after its deadline is not going to; Lambda ends it.
const OVERDUE: Duration = Duration::from_secs(1);

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
    variables: Vec<(String, String)>,
    gates: Option<Gates>,
}

/// A gate in front of each endpoint.
pub struct Gates {
    pub runtime: Gate,
    pub flow: Gate,
    pub s3: Gate,
    pub directory: Gate,
    died: mpsc::UnboundedReceiver<u64>,
    life: Arc<AtomicU64>,
}

/// A port of the function, as far as it is behind a gate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Port {
    Runtime,
    Flow,
    S3,
    Directory,
}

/// What came of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Answered(Value),
    /// The function says that it failed.
    Failed(Value),
    /// Nothing came until after the deadline, and the process was ended, as Lambda does; or it ended by itself.
    Silent,
    /// A fault ended the process.
    Died,
}

/// What stands between the function and its endpoints.
enum Between {
    /// It talks to them itself.
    Nothing,
    /// A gate for each, of which one may be closed.
    Gates { closed: Option<Port> },
}

impl World {
    /// Everything up, the function waiting for its first event.
    pub async fn start() -> Self {
        Self::start_with(RULES, &[]).await
    }

    /// The same with a store for a lot of mail.
    pub async fn start_plain() -> Self {
        Self::start_on(Store::Plain, RULES, &[]).await
    }

    /// The same with other rules, and with variables changed.
    pub async fn start_with(rules: &str, changes: &[(&str, &str)]) -> Self {
        Self::start_on(Store::Strict, rules, changes).await
    }

    /// The same on another store.
    pub async fn start_on(store: Store, rules: &str, changes: &[(&str, &str)]) -> Self {
        Self::start_behind(store, rules, changes, Between::Nothing).await
    }

    /// The same with a gate in front of each endpoint, of which one may be closed, a directory, and a bucket for attachments.
    pub async fn gated(rules: &str, changes: &[(&str, &str)], closed: Option<Port>) -> Self {
        Self::start_behind(Store::Strict, rules, changes, Between::Gates { closed }).await
    }

    async fn start_behind(store: Store, rules: &str, changes: &[(&str, &str)], between: Between) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["rules", "s3", &format!("s3/{BUCKET}"), &format!("s3/{ATTACHMENTS}")] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("rules/rules.toml"), rules).unwrap();
        let (s3_address, s3) = match store {
            Store::Strict => object_store::start(&folder.path().join("s3")).await,
            Store::Plain => (plain_store::start().await, Arc::default()),
            Store::At(address) => (address, Arc::default()),
        };
        let clients = Clients::new(&environment(&format!("http://{s3_address}")));
        let flow = MessageFlow::start(clients.s3).await;
        let runtime = RuntimeApi::start().await;
        let own = |(name, value): (&str, String)| (name.to_owned(), value);
        let mut variables: Vec<(String, String)> = self::variables(folder.path()).into_iter().map(own).collect();
        variables.extend(
            [
                ("AWS_LAMBDA_RUNTIME_API", runtime.address.to_string()),
                ("MAILWRIGHT_METRICS", "mail".to_owned()),
                ("AWS_ENDPOINT_URL_S3", format!("http://localhost:{}", s3_address.port())),
                ("AWS_ENDPOINT_URL_WORKMAILMESSAGEFLOW", format!("http://{}", flow.address)),
            ]
            .map(own),
        );
        let gates = match between {
            Between::Gates { closed } => {
                let gates = Gates::start(runtime.address, flow.address, s3_address, closed).await;
                variables.extend(gates.variables().into_iter().map(own));
                Some(gates)
            }
            Between::Nothing => None,
        };
        variables.extend(changes.iter().map(|(name, value)| own((*name, (*value).to_owned()))));
        let process = spawn(folder.path(), &variables);
        Self { flow, s3, folder, runtime, process, variables, gates }
    }

    pub fn gates(&self) -> &Gates {
        self.gates.as_ref().unwrap()
    }
    pub fn gate(&self, port: Port) -> &Gate {
        let gates = self.gates();
        match port {
            Port::Runtime => &gates.runtime,
            Port::Flow => &gates.flow,
            Port::S3 => &gates.s3,
            Port::Directory => &gates.directory,
        }
    }

    /// End the process and start another, as Lambda does after a time-out or a crash.
    pub async fn restart(&mut self) {
        self.kill();
        self.runtime = RuntimeApi::start().await;
        if let Some(gates) = &mut self.gates {
            gates.runtime.lead_to(self.runtime.address);
            gates.life.fetch_add(1, Ordering::SeqCst);
        } else {
            self.variables.push(("AWS_LAMBDA_RUNTIME_API".to_owned(), self.runtime.address.to_string()));
        }
        self.process = spawn(self.folder.path(), &self.variables);
    }

    /// Invoke the function behind its gates. Where it does not answer, there is another process afterwards.
    pub async fn call(&mut self, event: &Value, time: Duration) -> Outcome {
        let gates = self.gates.as_mut().unwrap();
        let outcome = tokio::select! {
            came = timeout(time + OVERDUE, self.runtime.invoke(event, time)) => match came {
                Ok(Ok(answer)) => return Outcome::Answered(answer),
                Ok(Err(error)) => return Outcome::Failed(error),
                Err(_) => Outcome::Silent,
            },
            () = gates.death() => Outcome::Died,
            () = ended(&mut self.process) => Outcome::Silent,
        };
        self.restart().await;
        outcome
    }

    fn kill(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.process.id()
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
    /// Invoke until there was time enough, as WorkMail does: how much there is for a large message depends on what else the
    /// machine does.
    pub async fn insist(&mut self, event: &Value) -> runtime_api::Result {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.invoke(event).await {
                Err(error) if error["errorType"] == "Mailwright.OutOfTime" && tries < PATIENCE => {}
                result => return result,
            }
        }
    }
    pub async fn invoke_within(&mut self, event: &Value, time: Duration) -> runtime_api::Result {
        self.runtime.invoke(event, time).await
    }
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// What the handler makes of a message over in-memory ports, as a replay does.
    pub fn replayed(&self, event: &Value, message: Bytes) -> Bytes {
        let pipeline = Pipeline::load(&self.folder.path().join("rules")).unwrap();
        let memory = Memory::new(Bucket::new(BUCKET).unwrap());
        let id = MessageId::new(event["messageId"].as_str().unwrap()).unwrap();
        memory.insert(id.clone(), message);
        let stamp_key = Some(StampKey::new(STAMP_KEY).unwrap());
        let settings = Settings { prefix: KeyPrefix::default(), stamp_key, ..Settings::default() };
        unhurried(event, &pipeline, &memory, &settings);
        memory.message(&id).unwrap()
    }
}

/// Handle an event in memory, where no time passes: on a busy machine it would run out, and the message be another than what the
/// function makes of it.
pub fn unhurried(event: &Value, pipeline: &Pipeline, memory: &Memory, settings: &Settings) {
    let handled = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let deadline = tokio::time::Instant::now() + Duration::from_secs(15);
            handle(event, deadline, pipeline, memory, memory, settings).await.answer.unwrap();
        });
    };
    // A runtime of its own is none within another.
    std::thread::scope(|scope| scope.spawn(handled).join().unwrap());
}

/// The function: the one that `MAILWRIGHT_BOOTSTRAP` names, such as what is about to be deployed, else the one just built.
fn program() -> PathBuf {
    std::env::var_os("MAILWRIGHT_BOOTSTRAP").map_or_else(|| env!("CARGO_BIN_EXE_bootstrap").into(), PathBuf::from)
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Gates {
    async fn start(runtime: SocketAddr, flow: SocketAddr, s3: SocketAddr, closed: Option<Port>) -> Self {
        let organization = Organization::start().await;
        let (dead, died) = mpsc::unbounded_channel();
        let life = Arc::<AtomicU64>::default();
        let gate = |port: Port, upstream: SocketAddr, service: Service| {
            let gate = Gate::closed(upstream, service, dead.clone(), life.clone());
            if closed != Some(port) {
                gate.open();
            }
            gate
        };
        Self {
            runtime: gate(Port::Runtime, runtime, Service::Json),
            flow: gate(Port::Flow, flow, Service::Json),
            s3: gate(Port::S3, s3, Service::Xml),
            directory: gate(Port::Directory, organization.address, Service::Json),
            died,
            life: life.clone(),
        }
    }

    /// Wait until a fault ends this life of the process.
    async fn death(&mut self) {
        while let Some(life) = self.died.recv().await {
            if life == self.life.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_LAMBDA_RUNTIME_API", self.runtime.address.to_string()),
            ("AWS_ENDPOINT_URL_S3", format!("http://localhost:{}", self.s3.address.port())),
            ("AWS_ENDPOINT_URL_WORKMAILMESSAGEFLOW", format!("http://{}", self.flow.address)),
            ("AWS_ENDPOINT_URL_WORKMAIL", format!("http://{}", self.directory.address)),
            ("MAILWRIGHT_ORGANIZATION_ID", organization::ID.to_owned()),
            ("MAILWRIGHT_ATTACHMENTS", ATTACHMENTS.to_owned()),
        ]
    }
}

/// Wait until the process has ended by itself.
async fn ended(process: &mut Child) {
    while process.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Start the process; its log is added to that of those before it.
fn spawn(folder: &Path, variables: &[(String, String)]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    Command::new(program())
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
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

pub fn environment(s3: &str) -> Environment {
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
