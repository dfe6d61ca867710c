//! `mailwright serve`: WorkMail's flow on this machine, for mail clients, AWS SDKs and browsers.
//!
//! | where | what |
//! |---|---|
//! | `hub.rs`, `run.rs` | the last messages and the rules in force: what all else looks at |
//! | `passage.rs` | a message on its way: invocation, tries, fallback; `built_in.rs` is the function's own code, `answer.rs` reads what is answered |
//! | `workmail.rs`, `object.rs`, `fault.rs` | what the function sees of WorkMail and S3, and what goes wrong there |
//! | `smtp/`, `aws/` | where mail clients and AWS SDKs connect; `room.rs` is the memory for what they send |
//! | `process.rs`, `variables.rs`, `said.rs` | the processes of a function that is started here, what they are told, and what they say of messages |
//! | `watch.rs`, `log.rs` | rule files that change; what is said on the terminal |
//! | `http.rs`, `places.rs`, `page/` | connections, and how many; the page |
//!
//! Invariant: nothing leaves the machine. No mail is sent, nothing connects to anywhere, nothing is written to the disk; and
//! only programs on this machine can connect, unless `--listen` says otherwise.

mod answer;
mod aws;
mod built_in;
mod fault;
mod http;
pub mod hub;
mod log;
mod object;
mod page;
mod passage;
mod places;
mod process;
mod room;
pub mod run;
mod said;
mod smtp;
mod variables;
mod watch;
mod workmail;

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::middleware::from_fn;
use clap::{Args, ValueEnum};
use mailwright::directory::Organization;
use mailwright::envelope::{Direction, Domain};
use mailwright::facts::{Clock, Timestamp};
use mailwright::flow::handler::Settings;
use mailwright::flow::mark::StampKey;
use mailwright::hex::hex;
use mailwright::pipeline::Pipeline;
use mailwright::rule::Disposition;
use mailwright::rule::value_key::ValueKey;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::keys::{StampOption, ValueOption};
use crate::replay::{NO_VALUE_KEY, function, pipeline};
use crate::source::{self, Found};
use crate::terminal::{BAD, Colour, NAME};
use crate::{End, check};
use aws::Aws;
use aws::runtime_api::RuntimeApi;
use built_in::BuiltIn;
use fault::{Faults, Planned};
use http::CONNECTIONS;
use hub::{Hub, Limits};
use log::Log;
use page::Way;
use passage::{Answers, Flow, Plan};
use process::{Function, Processes};
use room::Room;
use run::{Arrival, Origin};
use smtp::Port;
use variables::About;
use workmail::WorkMail;

/// Most threads that read files and look at messages.
const THREADS: usize = 64;
/// Most octets of what is being received.
const RECEIVED_OCTETS: usize = 192 * 1024 * 1024;

/// Run WorkMail's flow on this machine: a page that shows each message before and after, and why
///
/// Messages come in by SMTP, by the page, or as files. They run through the rules with the function's own code, or through
/// a function of yours, against a WorkMail and an S3 in memory, which refuse, fail and try again as the real ones do. When a
/// rule file is saved, all messages run again. Nothing leaves the machine: no mail is sent, and only programs on this machine
/// can connect.
///
/// After --, a command that starts a function: anything that asks for work at the Lambda Runtime API, in any language. It
/// finds the endpoints in its environment (AWS_LAMBDA_RUNTIME_API, AWS_ENDPOINT_URL).
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
    /// The port of mail from outside, by SMTP: inbound
    #[arg(long, value_name = "PORT", default_value_t = 2525)]
    inbound: u16,
    /// The port of mail of users, by SMTP: outbound
    #[arg(long, value_name = "PORT", default_value_t = 2587)]
    outbound: u16,
    /// The port of Message Flow, S3 and the Lambda Runtime API
    #[arg(long, value_name = "PORT", default_value_t = 8621)]
    aws: u16,
    /// Wait for a function that is started elsewhere and asks at the Runtime API; messages wait for it too
    #[arg(long, conflicts_with = "command")]
    attach: bool,
    /// How many processes of COMMAND are started at most. As in Lambda each answers one message at a time: another is
    /// started when a message waits for one
    #[arg(long, value_name = "COUNT", default_value = "4", value_parser = clap::value_parser!(u8).range(1..=32), requires = "command")]
    processes: u8,
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
    #[command(flatten)]
    stamp: StampOption,
    #[command(flatten)]
    value: ValueOption,
    /// Start this function, and have it answer instead of the built-in one
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
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
    let stamp_key = options.stamp.key()?;
    let value_key = options.value.key()?;
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
    let ports = Ports::listen(options).await?;
    let banner = banner(options, &first, &ports)?;
    let endpoint = ports.aws.local_addr().map_err(|error| error.to_string())?;
    let endpoint = SocketAddr::new(own(endpoint.ip()), endpoint.port()).to_string();

    let (hub, to_do) = Hub::new(Limits::of(usize::from(options.keep)), first);
    let workmail = Arc::new(WorkMail::new(Faults::new(&options.fault)));
    let runtime = Arc::<RuntimeApi>::default();
    let room = Room::new(RECEIVED_OCTETS);
    let aws = Arc::new(Aws::new(Arc::clone(&workmail), Arc::clone(&runtime), Arc::clone(&room)));
    let function = if options.command.is_empty() && !options.attach {
        let clock = options.at.map_or(Clock::System, Clock::Fixed);
        let built_in = BuiltIn::start(Settings { stamp_key, clock, ..Settings::default() });
        Answers::BuiltIn(Box::new(built_in.map_err(|error| format!("cannot start a thread: {error}"))?))
    } else if options.command.is_empty() {
        Answers::Attached(runtime)
    } else {
        let about = About {
            endpoint: &endpoint,
            rules: &options.rules,
            domains: &options.domains,
            stamp_key: options.stamp.text().map_or_else(made_up, str::to_owned),
            value_key: options.value.text(),
        };
        let function = Function {
            command: options.command.clone(),
            variables: variables::variables(&about),
            processes: usize::from(options.processes),
            address: if options.listen.is_loopback() { options.listen } else { Ipv4Addr::LOCALHOST.into() },
        };
        let processes = Processes::start(function, Arc::clone(&aws), Arc::clone(&hub), log.clone())?;
        Answers::Started(runtime, processes)
    };
    log.say(&banner);
    let plan = Plan {
        rule_timeout: Duration::from_secs(options.rule_timeout),
        fallback: match options.fallback {
            Fallback::Deliver => Disposition::Deliver,
            Fallback::Bounce => Disposition::Bounce("the rule could not be run".to_owned()),
            Fallback::Drop => Disposition::Drop,
        },
    };
    let flow = Flow::new(Arc::clone(&hub), Arc::clone(&workmail), function, plan, log.clone());
    let (rules, domains) = (options.rules.clone(), options.domains.clone());
    let load = move || load(&rules, &domains, value_key.clone());
    tokio::spawn(watch::watch(options.rules.clone(), Arc::clone(&hub), log.clone(), load));
    let who = flow.function.who();
    tokio::spawn(flow.work(to_do));
    let ways = ports.ways(hub.rules().pipeline.organization().domains.first()).map_err(|error| error.to_string())?;
    let page = page::routes(Arc::clone(&hub), Arc::clone(&room), ways, who);
    tokio::spawn(http::serve(ports.page, page.layer(from_fn(http::same_site)), CONNECTIONS));
    tokio::spawn(http::serve(ports.aws, aws::routes(aws).layer(from_fn(http::no_browser)), CONNECTIONS));
    for (listener, direction) in [(ports.inbound, Direction::Inbound), (ports.outbound, Direction::Outbound)] {
        let (hub, room) = (Arc::clone(&hub), Arc::clone(&room));
        let clock = options.at.map_or(Clock::System, Clock::Fixed);
        tokio::spawn(smtp::serve(listener, Port { direction, clock, hub, room }));
    }
    tokio::spawn(take_files(hub, messages, log));
    asked_to_end().await.map_err(|error| format!("cannot wait for Ctrl-C: {error}"))
}

/// Ctrl-C, or what `kill` and service managers send: a function that was started here must end too.
async fn asked_to_end() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
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

/// Where it listens.
struct Ports {
    page: TcpListener,
    inbound: TcpListener,
    outbound: TcpListener,
    aws: TcpListener,
}

impl Ports {
    async fn listen(options: &Options) -> Result<Self, String> {
        let at = options.listen;
        Ok(Self {
            page: listen(at, options.page, "--page").await?,
            inbound: listen(at, options.inbound, "--inbound").await?,
            outbound: listen(at, options.outbound, "--outbound").await?,
            aws: listen(at, options.aws, "--aws").await?,
        })
    }

    /// How messages come in besides, for who looks at an empty page.
    fn ways(&self, domain: Option<&Domain>) -> io::Result<Vec<Way>> {
        let place = |listener: &TcpListener| listener.local_addr().map(|at| SocketAddr::new(own(at.ip()), at.port()));
        let domain = domain.map_or("example.com", Domain::as_str);
        Ok(Way::all(place(&self.inbound)?, place(&self.outbound)?, place(&self.aws)?, domain))
    }
}

async fn listen(address: IpAddr, port: u16, option: &str) -> Result<TcpListener, String> {
    let address = SocketAddr::new(address, port);
    TcpListener::bind(address).await.map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::AddrNotAvailable => "give --listen an address of this machine".to_owned(),
            io::ErrorKind::PermissionDenied => format!("choose a port from 1024 on with {option}"),
            _ => format!("choose another port with {option}; 0 is any that is free"),
        };
        format!("cannot listen at {address}: {error}\n  = help: {help}")
    })
}

/// The address that programs here reach it by.
fn own(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

/// A key for the mark, for this start: the function has to have one.
fn made_up() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    hex(&Sha256::digest(format!("{now} {}", std::process::id())))
}

fn banner(options: &Options, rules: &Pipeline, ports: &Ports) -> Result<String, String> {
    let colour = Colour::of(&io::stdout());
    let place = |listener: &TcpListener| {
        let at = listener.local_addr().map_err(|error| error.to_string())?;
        Ok::<_, String>(colour.paint(NAME, &SocketAddr::new(own(at.ip()), at.port()).to_string()).into_owned())
    };
    let internal: Vec<&str> = rules.organization().domains.iter().map(Domain::as_str).collect();
    let internal = if internal.is_empty() { "nobody is internal".to_owned() } else { internal.join(", ") };
    let who = if options.listen.is_loopback() {
        "Only programs on this machine can connect.".to_owned()
    } else {
        format!(
            "OTHER MACHINES CAN CONNECT, as --listen is {}: there is no password and no encryption.",
            options.listen
        )
    };
    let function = match (options.command.is_empty(), options.attach) {
        (false, _) => format!("`{}`", process::shown(&options.command)),
        (true, true) => "whoever asks at the Runtime API".to_owned(),
        (true, false) => "the built-in function".to_owned(),
    };
    Ok(format!(
        "mailwright serves {} of `{}`; internal: {internal}; answered by {function}\n  \
         page                   http://{}/\n  \
         mail from outside      {}  (SMTP, inbound)\n  \
         mail of users          {}  (SMTP, outbound)\n  \
         S3, Message Flow       AWS_ENDPOINT_URL=http://{}\n  \
         Lambda Runtime API     AWS_LAMBDA_RUNTIME_API={}\n\
         {who} No mail is sent. Ctrl-C ends it.",
        check::count(rules.rules().len(), "rule"),
        crate::terminal::path(&options.rules),
        place(&ports.page)?,
        place(&ports.inbound)?,
        place(&ports.outbound)?,
        place(&ports.aws)?,
        place(&ports.aws)?,
    ))
}

/// Messages that the command line names, as fast as they pass.
async fn take_files(hub: Arc<Hub>, messages: Vec<Found>, log: Log) {
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
