//! A function that serve starts: what it is told, what it writes, and that it is started again when it ends.
//!
//! It gets the environment of this process with what Lambda sets, and endpoints here in place of AWS's: credentials and
//! profiles of yours are taken out, so that a mistake cannot reach AWS.
//!
//! Invariant: it ends with serve; what it writes is shown safe for a terminal.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep};

use super::aws::runtime_api::RuntimeApi;
use super::hub::Hub;
use super::log::Log;
use super::said::Said;
use super::workmail::{ATTACHMENTS, BUCKET};

/// Pause before it is started again; it doubles while it ends at once.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// One that runs for so long did not end at once.
const LASTS: Duration = Duration::from_secs(10);
/// Longest line that it writes.
const MAX_LINE: u64 = 4_096;
/// Variables that lead to AWS, to somebody's credentials, or to a proxy, which would see all of the mail.
const TAKEN_OUT: &[&str] = &[
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CA_BUNDLE",
    "MAILWRIGHT_ORGANIZATION_ID",
    "MAILWRIGHT_PREFIX",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

/// A function.
#[derive(Debug)]
pub struct Process {
    command: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    runtime: Arc<RuntimeApi>,
    hub: Arc<Hub>,
    log: Log,
    /// Asks for another start.
    restart: Notify,
    /// So that one restart is done before the next is asked for.
    turn: Mutex<()>,
    /// Told at each start.
    started: Notify,
}

/// What a function needs to know beside what all need.
#[derive(Debug)]
pub struct About<'a> {
    /// `host:port` of the endpoints.
    pub endpoint: &'a str,
    /// The rules.
    pub rules: &'a Path,
    /// The internal domains, where the command line says them.
    pub domains: &'a [String],
    /// The secret of the mark.
    pub stamp_key: String,
    /// The secret of pseudonyms.
    pub value_key: Option<&'a str>,
}

/// What a function is told (AWS Lambda Developer Guide, "Defined runtime environment variables"; `flow/config.rs`).
pub fn variables(about: &About<'_>) -> Vec<(&'static str, OsString)> {
    let url = format!("http://{}", about.endpoint);
    let rules = about.rules.canonicalize().unwrap_or_else(|_| about.rules.to_owned());
    let mut variables: Vec<(&'static str, OsString)> = vec![
        ("AWS_LAMBDA_RUNTIME_API", about.endpoint.into()),
        ("AWS_ENDPOINT_URL", url.clone().into()),
        ("AWS_ENDPOINT_URL_S3", url.clone().into()),
        ("AWS_ENDPOINT_URL_WORKMAILMESSAGEFLOW", url.into()),
        ("AWS_REGION", "eu-west-1".into()),
        ("AWS_DEFAULT_REGION", "eu-west-1".into()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".into()),
        ("AWS_SECRET_ACCESS_KEY", "local".into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("AWS_CONFIG_FILE", "/dev/null".into()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
        ("AWS_LAMBDA_FUNCTION_NAME", "mailwright".into()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/mailwright".into()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local".into()),
        ("MAILWRIGHT_BUCKET", BUCKET.into()),
        ("MAILWRIGHT_ATTACHMENTS", ATTACHMENTS.into()),
        ("MAILWRIGHT_RULES", rules.into()),
        ("MAILWRIGHT_STAMP_KEY", about.stamp_key.clone().into()),
        ("PYTHONUNBUFFERED", "1".into()),
    ];
    if !about.domains.is_empty() {
        variables.push(("MAILWRIGHT_DOMAINS", about.domains.join(",").into()));
    }
    if let Some(key) = about.value_key {
        variables.push(("MAILWRIGHT_VALUE_KEY", key.into()));
    }
    variables
}

impl Process {
    /// Start it, so that it is known whether it can be, and keep it running from then on.
    pub fn start(
        command: Vec<OsString>,
        variables: Vec<(&'static str, OsString)>,
        runtime: Arc<RuntimeApi>,
        hub: Arc<Hub>,
        log: Log,
    ) -> Result<Arc<Self>, String> {
        let process = Arc::new(Self {
            command,
            variables,
            runtime,
            hub,
            log,
            restart: Notify::new(),
            turn: Mutex::new(()),
            started: Notify::new(),
        });
        let first = process.spawn().map_err(|error| {
            let name = process.command.first().map(|name| crate::terminal::escape_octets(name.as_encoded_bytes()));
            format!("cannot start `{}`: {error}", name.unwrap_or_default())
        })?;
        tokio::spawn(Arc::clone(&process).keep_running(first));
        Ok(process)
    }

    /// Start it anew, as its rules have changed; what it is at fails and is tried again.
    pub async fn restart(&self) {
        let _turn = self.turn.lock().await;
        let started = self.started.notified();
        self.restart.notify_one();
        started.await;
    }

    async fn keep_running(self: Arc<Self>, first: Child) {
        let mut child = Ok(first);
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let asked = match &mut child {
                Ok(child) => tokio::select! {
                    ended = child.wait() => {
                        let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                        self.log.odd(&format!("the function has ended ({how}); it is started again"));
                        false
                    }
                    () = self.restart.notified() => {
                        drop(child.kill().await);
                        true
                    }
                },
                Err(error) => {
                    self.log.odd(&format!("the function cannot be started: {error}"));
                    false
                }
            };
            self.runtime.ended();
            if !asked {
                pause = if began.elapsed() >= LASTS { FIRST_PAUSE } else { pause };
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.restart.notified() => {}
                }
                pause = (pause * 2).min(MAX_PAUSE);
            }
            child = self.spawn();
            self.started.notify_waiters();
        }
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let (program, arguments) = self.command.split_first().ok_or(std::io::ErrorKind::NotFound)?;
        let mut command = Command::new(program);
        command.args(arguments);
        for name in TAKEN_OUT {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        if let Some(out) = child.stdout.take() {
            tokio::spawn(show(out, Arc::clone(&self.hub), self.log.clone()));
        }
        if let Some(out) = child.stderr.take() {
            tokio::spawn(show(out, Arc::clone(&self.hub), self.log.clone()));
        }
        Ok(child)
    }
}

/// Line by line; a longer one in pieces.
async fn show(out: impl AsyncRead + Unpin, hub: Arc<Hub>, log: Log) {
    let mut out = BufReader::new(out);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut out).take(MAX_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                log.function(&line);
                if let Some((id, said)) = Said::read(&line) {
                    hub.function_said(&id, said);
                }
            }
        }
    }
}
