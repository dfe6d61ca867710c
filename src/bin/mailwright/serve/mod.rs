//! `mailwright serve`: WorkMail's flow on this machine, for mail clients, AWS SDKs and browsers.
//!
//! | where | what |
//! |---|---|
//! | `hub.rs`, `run.rs` | the last messages and the rules in force: what all else looks at |
//! | `passage.rs` | a message on its way: invocation, tries, fallback; `answer.rs` reads what is answered |
//! | `workmail.rs`, `fault.rs` | what the function sees of WorkMail and S3, and what goes wrong there |
//! | `watch.rs`, `log.rs` | rule files that change; what is said on the terminal |
//! | `http.rs`, `page.rs` | connections; the page |
//!
//! Invariant: nothing leaves the machine. No mail is sent, nothing connects to anywhere, nothing is written to the disk; and
//! only programs on this machine can connect, unless `--listen` says otherwise.

mod answer;
mod fault;
mod http;
pub mod hub;
mod log;
mod page;
mod passage;
pub mod run;
mod watch;
mod workmail;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use clap::{Args, ValueEnum};
use mailwright::directory::Organization;
use mailwright::envelope::Domain;
use mailwright::facts::{Clock, Timestamp};
use mailwright::flow::handler::Settings;
use mailwright::flow::mark::StampKey;
use mailwright::pipeline::Pipeline;
use mailwright::rule::Disposition;
use mailwright::rule::value_key::ValueKey;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore};

use crate::replay::{NO_VALUE_KEY, function, pipeline};
use crate::source::{self, Found};
use crate::terminal::{BAD, Colour, NAME};
use crate::{End, check};
use fault::{Faults, Planned};
use hub::{Hub, Limits};
use log::Log;
use passage::Flow;
use run::{Arrival, Origin};
use workmail::WorkMail;

/// Most threads that run rules, read files and wait for faults.
const THREADS: usize = 64;

/// Run WorkMail's flow on this machine: a page that shows each message before and after, and why
///
/// Messages come in by the page, or as files. They run through the rules with the function's own code, against a WorkMail
/// and an S3 in memory, which refuse, fail and try again as the real ones do. When a rule file is saved, all messages run
/// again. Nothing leaves the machine: no mail is sent, and only programs on this machine can connect.
#[derive(Debug, Args)]
pub struct Options {
    /// Messages to take in at the start: files, folders, mbox files, Maildirs
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A folder of rule files, or one rule file
    #[arg(long, value_name = "RULES", default_value = "rules")]
    rules: PathBuf,
    /// The internal domains, parted by commas, instead of those of organization.toml
    #[arg(long, value_name = "DOMAINS", value_delimiter = ',')]
    domains: Vec<String>,
    /// The address to listen at; any but a loopback address lets other machines in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// The port of the page; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 8620)]
    page: u16,
    /// How many messages are kept
    #[arg(long, value_name = "COUNT", default_value = "200", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    keep: u16,
    /// What goes wrong: KIND, KIND:CALL or KIND:CALL:COUNT, such as throttle:put:2, frozen or hang:invoke:1; may be given
    /// more than once. Kinds are throttle, unavailable, hang, lost, disconnect, gone, frozen, rejected, location, denied and
    /// invalid; calls are fetch, put, keep, put-back and invoke
    #[arg(long, value_name = "FAULT", value_parser = Planned::new)]
    fault: Vec<Planned>,
    /// For how many seconds WorkMail invokes the function again when it fails
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(0..=14_400))]
    rule_timeout: u64,
    /// What WorkMail does with a message when that time is over
    #[arg(long, value_enum, default_value_t = Fallback::Deliver)]
    fallback: Fallback,
    /// What time it is for the rules, such as 2026-12-24T10:00+01:00, instead of now
    #[arg(long, value_name = "TIME", value_parser = crate::event::moment)]
    at: Option<Timestamp>,
    /// One JSON object a line for each message that has passed
    #[arg(long)]
    json: bool,
    /// Show failures only
    #[arg(long)]
    quiet: bool,
    /// The secret of the processed mark, as the function has it; without it messages are not marked
    #[arg(long, value_name = "KEY", env = "MAILWRIGHT_STAMP_KEY", hide_env_values = true)]
    stamp_key: Option<String>,
    /// The secret of pseudonyms and of the digests of what redact found, as the function has it
    #[arg(long, value_name = "KEY", env = "MAILWRIGHT_VALUE_KEY", hide_env_values = true)]
    value_key: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fallback {
    /// Go on with it
    Deliver,
    /// Send it back
    Bounce,
    /// Neither
    Drop,
}

/// Run the command.
pub fn run(options: &Options) -> End {
    match serve(options) {
        Ok(()) => End::Good,
        Err(what) => {
            eprintln!("{}: {what}", Colour::of(&io::stderr()).paint(BAD, "error"));
            End::Unusable
        }
    }
}

/// The error is one of usage: nothing was served.
fn serve(options: &Options) -> Result<(), String> {
    let stamp_key = options.stamp_key.as_deref().filter(|key| !key.trim().is_empty());
    let stamp_key = stamp_key.map(StampKey::new).transpose().map_err(|error| format!("--stamp-key: {error}"))?;
    let value_key = options.value_key.as_deref().filter(|key| !key.trim().is_empty());
    let value_key = value_key.map(ValueKey::new).transpose().map_err(|error| format!("--value-key: {error}"))?;
    let first = ready(pipeline(&options.rules, &options.domains)?, value_key.clone())?;
    let finds = source::find(&options.paths).map_err(|error| error.to_string())?;
    let log = Log::start(options.json, options.quiet).map_err(|error| format!("cannot start a thread: {error}"))?;
    function::keep_panics_quiet();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .build()
        .map_err(|error| format!("cannot start a runtime: {error}"))?;
    let served = runtime.block_on(serve_all(options, first, stamp_key, value_key, finds.messages, log));
    // What still runs, such as a fault that hangs, is not waited for.
    runtime.shutdown_background();
    served
}

async fn serve_all(
    options: &Options,
    first: Pipeline,
    stamp_key: Option<StampKey>,
    value_key: Option<ValueKey>,
    messages: Vec<Found>,
    log: Log,
) -> Result<(), String> {
    let page = listen(options.listen, options.page, "--page").await?;
    let rules = check::count(first.rules().len(), "rule");
    let internal: Vec<&str> = first.organization().domains.iter().map(Domain::as_str).collect();
    log.say(&banner(options, &rules, &internal.join(", "), &page)?);

    let (hub, to_do) = Hub::new(Limits { runs: usize::from(options.keep) }, first);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let flow = Arc::new(Flow {
        hub: Arc::clone(&hub),
        workmail: Arc::new(WorkMail::new(Faults::new(&options.fault))),
        settings: Settings { stamp_key, clock: options.at.map_or(Clock::System, Clock::Fixed), ..Settings::default() },
        rule_timeout: Duration::from_secs(options.rule_timeout),
        fallback: match options.fallback {
            Fallback::Deliver => Disposition::Deliver,
            Fallback::Bounce => Disposition::Bounce("the rule could not be run".to_owned()),
            Fallback::Drop => Disposition::Drop,
        },
        cores: Arc::new(Semaphore::new(cores)),
        again: Mutex::new(()),
        log: log.clone(),
    });
    let (rules, domains) = (options.rules.clone(), options.domains.clone());
    let load = move || load(&rules, &domains, value_key.clone());
    tokio::spawn(watch::watch(options.rules.clone(), Arc::clone(&hub), log.clone(), load));
    tokio::spawn(flow.work(to_do));
    tokio::spawn(http::serve(page, page::routes(Arc::clone(&hub)).layer(from_fn(http::same_site))));
    take_files(&hub, messages, &log).await;
    tokio::signal::ctrl_c().await.map_err(|error| format!("cannot wait for Ctrl-C: {error}"))
}

/// The rules as the page wants them: it says why one did not match.
fn ready(pipeline: Pipeline, value_key: Option<ValueKey>) -> Result<Pipeline, String> {
    if pipeline.needs_value_key() && value_key.is_none() {
        return Err(NO_VALUE_KEY.to_owned());
    }
    Ok(pipeline.with_value_key(value_key).checking_all())
}

/// Compile the rules anew; the error is plain text.
fn load(rules: &std::path::Path, domains: &[String], value_key: Option<ValueKey>) -> Result<Pipeline, String> {
    let pipeline = Pipeline::load(rules).map_err(|problems| problems.render(false))?;
    let domains: Vec<Domain> = domains.iter().filter_map(|text| Domain::new(text).ok()).collect();
    let pipeline = if domains.is_empty() { pipeline } else { pipeline.with_organization(Organization { domains }) };
    ready(pipeline, value_key)
}

async fn listen(address: IpAddr, port: u16, option: &str) -> Result<TcpListener, String> {
    let address = SocketAddr::new(address, port);
    TcpListener::bind(address).await.map_err(|error| {
        format!(
            "cannot listen at {address}: {error}\n  = help: choose another port with {option}; 0 is any that is free"
        )
    })
}

fn banner(options: &Options, rules: &str, internal: &str, page: &TcpListener) -> Result<String, String> {
    let place = |listener: &TcpListener| listener.local_addr().map_err(|error| error.to_string());
    let colour = Colour::of(&io::stdout());
    let internal = if internal.is_empty() { "nobody is internal" } else { internal };
    let who = if options.listen.is_loopback() {
        "Only programs on this machine can connect.".to_owned()
    } else {
        format!(
            "OTHER MACHINES CAN CONNECT, as --listen is {}: there is no password and no encryption.",
            options.listen
        )
    };
    Ok(format!(
        "mailwright serves {rules} of `{}`; internal: {internal}\n  page    {}\n{who} No mail is sent. Ctrl-C ends it.",
        crate::terminal::path(&options.rules),
        colour.paint(NAME, &format!("http://{}/", place(page)?)),
    ))
}

/// Messages that the command line names, as fast as they pass.
async fn take_files(hub: &Arc<Hub>, messages: Vec<Found>, log: &Log) {
    for found in messages {
        let shown: Arc<str> = found.shown.as_str().into();
        let raw = match tokio::task::spawn_blocking(move || found.read()).await {
            Ok(Ok(raw)) => bytes::Bytes::from(raw),
            Ok(Err(error)) => {
                log.odd(&format!("{shown} cannot be read: {error}"));
                continue;
            }
            Err(_) => continue,
        };
        while hub.take(Arrival::new(Origin::File(Arc::clone(&shown)), raw.clone())).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
