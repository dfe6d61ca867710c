//! A function that serve starts, in as many processes as messages wait for one, up to a limit; and that it is started again when
//! it ends.
//!
//! As in Lambda, each process answers one message at a time. The first is started at once, another when a message waits and all
//! that there are are at work. Each asks at a port of its own: so it is known which messages have failed when it ends.
//!
//! Invariant: no more processes than the limit; they end with serve; what they write is shown safe for a terminal.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::aws::runtime_api::ATTACHED;
use super::aws::{self, Aws};
use super::http::{self, CONNECTIONS_OF_PROCESS, no_browser};
use super::hub::Hub;
use super::log::Log;
use super::said::Said;
use super::variables::TAKEN_OUT;

/// Pause before it is started again; it doubles while it ends at once.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// One that runs for so long did not end at once.
const LASTS: Duration = Duration::from_secs(10);
/// Most characters of the command that are shown.
const LONGEST: usize = 80;
/// Longest line that it writes.
const MAX_LINE: u64 = 4_096;

/// A function.
#[derive(Debug)]
pub struct Function {
    /// How it is started.
    pub command: Vec<OsString>,
    /// What it is told.
    pub variables: Vec<(&'static str, OsString)>,
    /// Most processes of it at a time.
    pub processes: usize,
    /// Where they ask for work: any port of this address.
    pub address: IpAddr,
}

/// The processes of a function.
#[derive(Debug)]
pub struct Processes {
    function: Function,
    aws: Arc<Aws>,
    hub: Arc<Hub>,
    log: Log,
    /// Asks for another start.
    restart: Notify,
    /// So that one restart is done before the next is asked for.
    turn: Mutex<()>,
    /// Told at each start that was asked for.
    started: Notify,
}

/// One of them.
#[derive(Debug)]
struct Process {
    child: Child,
    /// By which the Runtime API knows it.
    id: u64,
    /// Its endpoint.
    endpoint: AbortHandle,
    began: Instant,
}

/// How one has ended; `None` where it was asked to.
struct Ended(Option<(String, Duration)>);

impl Processes {
    /// Start the first, so that it is known whether it can be, and keep one running from then on.
    pub fn start(function: Function, aws: Arc<Aws>, hub: Arc<Hub>, log: Log) -> Result<Arc<Self>, String> {
        let (restart, started) = (Notify::new(), Notify::new());
        let processes = Arc::new(Self { function, aws, hub, log, restart, turn: Mutex::new(()), started });
        let first = processes.spawn().map_err(|error| {
            let name = processes.function.command.get(..1).unwrap_or_default();
            format!("cannot start `{}`: {error}", shown(name))
        })?;
        tokio::spawn(Arc::clone(&processes).keep_running(first));
        Ok(processes)
    }

    /// How it is started, for people.
    pub fn command(&self) -> String {
        shown(&self.function.command)
    }

    /// How many there are at most.
    pub const fn most(&self) -> usize {
        self.function.processes
    }

    /// Start it anew, as its rules have changed; what it is at fails and is tried again.
    pub async fn restart(&self) {
        let _turn = self.turn.lock().await;
        let started = self.started.notified();
        self.restart.notify_one();
        started.await;
    }

    async fn keep_running(self: Arc<Self>, first: Process) {
        let (mut running, mut end) = (JoinSet::new(), watch::Sender::new(()));
        running.spawn(Arc::clone(&self).run(first, end.subscribe()));
        let (mut pause, mut not_before) = (FIRST_PAUSE, Instant::now());
        loop {
            let count = running.len();
            tokio::select! {
                () = self.restart.notified() => {
                    // All of them have ended before there is a new one.
                    drop(std::mem::replace(&mut end, watch::Sender::new(())));
                    while running.join_next().await.is_some() {}
                    // What it may have taken at the port that is everybody's.
                    self.aws.runtime.ended(ATTACHED);
                    (pause, not_before) = (FIRST_PAUSE, Instant::now());
                    self.run_another(&mut running, &end);
                    self.started.notify_waiters();
                }
                Some(ended) = running.join_next(), if count > 0 => {
                    let Ok(Ended(Some((how, lasted)))) = ended else { continue };
                    let which = if running.is_empty() { "the function" } else { "a process of the function" };
                    self.log.odd(&format!("{which} has ended ({how}); it is started again"));
                    pause = if lasted >= LASTS { FIRST_PAUSE } else { pause };
                    not_before = Instant::now() + pause;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
                () = self.lacks_one(count == 0, not_before), if count < self.function.processes => {
                    if !self.run_another(&mut running, &end) {
                        not_before = Instant::now() + pause;
                        pause = (pause * 2).min(MAX_PAUSE);
                    }
                }
            }
        }
    }

    /// Until another process is wanted, and may be started.
    async fn lacks_one(&self, is_none_there: bool, not_before: Instant) {
        sleep_until(not_before).await;
        if !is_none_there {
            self.aws.runtime.lacks_a_function().await;
        }
    }

    /// Start one more; whether it could be.
    fn run_another(self: &Arc<Self>, running: &mut JoinSet<Ended>, end: &watch::Sender<()>) -> bool {
        match self.spawn() {
            Ok(process) => drop(running.spawn(Arc::clone(self).run(process, end.subscribe()))),
            Err(error) => {
                self.log.odd(&format!("the function cannot be started: {error}"));
                return false;
            }
        }
        true
    }

    /// Until it has ended, or `end` is gone and it with it.
    async fn run(self: Arc<Self>, mut process: Process, mut end: watch::Receiver<()>) -> Ended {
        let how = tokio::select! {
            ended = process.child.wait() => Some(ended.map_or_else(|error| error.to_string(), |status| status.to_string())),
            _ = end.changed() => {
                drop(process.child.kill().await);
                None
            }
        };
        self.aws.runtime.ended(process.id);
        process.endpoint.abort();
        Ended(how.map(|how| (how, process.began.elapsed())))
    }

    fn spawn(&self) -> io::Result<Process> {
        let (program, arguments) = self.function.command.split_first().ok_or(io::ErrorKind::NotFound)?;
        let listener = std::net::TcpListener::bind(SocketAddr::new(self.function.address, 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let place = listener.local_addr()?.to_string();
        let id = self.aws.runtime.begins();
        let mut command = Command::new(program);
        command.args(arguments);
        for name in TAKEN_OUT {
            command.env_remove(name);
        }
        command.envs(self.function.variables.iter().map(|(name, value)| (name, value)));
        command.env("AWS_LAMBDA_RUNTIME_API", place).env("AWS_LAMBDA_LOG_STREAM_NAME", format!("local-{id}"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().inspect_err(|_| self.aws.runtime.ended(id))?;
        if let Some(out) = child.stdout.take() {
            tokio::spawn(show(out, Arc::clone(&self.hub), self.log.clone()));
        }
        if let Some(out) = child.stderr.take() {
            tokio::spawn(show(out, Arc::clone(&self.hub), self.log.clone()));
        }
        let routes = aws::runtime_routes(Arc::clone(&self.aws), id).layer(from_fn(no_browser));
        let endpoint = tokio::spawn(http::serve(listener, routes, CONNECTIONS_OF_PROCESS)).abort_handle();
        Ok(Process { child, id, endpoint, began: Instant::now() })
    }
}

/// A command in a line, cut and safe to show.
pub fn shown(command: &[OsString]) -> String {
    let words = command.iter().map(|word| crate::terminal::escape_octets(word.as_encoded_bytes()));
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
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
