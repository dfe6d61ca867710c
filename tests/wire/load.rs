//! A lot of mail through one process: none is lost, none is half done, and the process does not grow.
//!
//! Each test run sends a small share. All of it, and the figures:
//!
//! ```text
//! MAILWRIGHT_LOAD=10000 cargo test --profile quick --features wire --test wire load -- --nocapture --test-threads 1
//! ```

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mailwright::flow::handler::Settings;
use mailwright::flow::key::{Bucket, KeyPrefix, MessageId};
use mailwright::flow::mark::StampKey;
use mailwright::flow::memory::Memory;
use mailwright::pipeline::Pipeline;
use serde_json::Value;

use crate::mail;
use crate::validity::fault_of;
use crate::world::{BUCKET, STAMP_KEY, Store, World, event, unhurried};

/// Messages where nobody says how many.
const SHARE: usize = 300;
/// What the process may grow by after the first third of the load, in octets: what the allocator keeps of the largest message.
const GROWTH: u64 = 24_000_000;

const RULES: &str = r#"
[[rule]]
name = "cards"
action = { kind = "redact", detect = "card" }

[[rule]]
name = "footer"
when = { direction = "outbound" }
action = { kind = "append", text = "Grown by Example Orchards.", html = "<p>Grown by Example Orchards.</p>" }

[[rule]]
name = "banner"
when = { direction = "inbound", subject = { contains = "weather" } }
action = { kind = "prepend", text = "Sent from outside.", html = "<p>Sent from outside.</p>" }
"#;

fn asked_for() -> Option<usize> {
    std::env::var("MAILWRIGHT_LOAD").ok()?.parse().ok()
}

/// What the process holds in memory now, and at most so far, in octets. Linux says it.
fn memory(pid: u32) -> Option<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kb| kb * 1_024)
    };
    Some((value("VmRSS:")?, value("VmHWM:")?))
}

/// What the handler makes of a message, in this process.
struct Twin {
    pipeline: Pipeline,
    settings: Settings,
    /// By message id: the same message has the same, and comes again.
    made: HashMap<String, Bytes>,
}

impl Twin {
    fn new() -> Self {
        let pipeline = Pipeline::from_sources(vec![("rules.toml".to_owned(), RULES.to_owned())]).unwrap();
        let stamp_key = Some(StampKey::new(STAMP_KEY).unwrap());
        Self {
            pipeline,
            settings: Settings { prefix: KeyPrefix::default(), stamp_key, ..Settings::default() },
            made: HashMap::new(),
        }
    }

    fn rewrite(&mut self, event: &Value, raw: Bytes) -> Bytes {
        let name = event["messageId"].as_str().unwrap();
        if let Some(made) = self.made.get(name) {
            return made.clone();
        }
        let memory = Memory::new(Bucket::new(BUCKET).unwrap());
        let id = MessageId::new(name).unwrap();
        memory.insert(id.clone(), raw);
        unhurried(event, &self.pipeline, &memory, &self.settings);
        let made = memory.message(&id).unwrap();
        self.made.insert(name.to_owned(), made.clone());
        made
    }
}

#[derive(Default)]
struct Load {
    sent: usize,
    octets: usize,
    rewritten: usize,
    /// Invocations that failed, as WorkMail would repeat them.
    repeated: usize,
    /// From event to answer.
    times: Vec<Duration>,
    held: Vec<u64>,
}

impl Load {
    async fn send(&mut self, world: &mut World, twin: &mut Twin, id: &str, raw: Bytes, direction: &str) {
        let event = event(id, direction);
        world.insert(id, raw.clone());
        let answer = loop {
            let began = Instant::now();
            let answer = world.invoke(&event).await;
            self.times.push(began.elapsed());
            match answer {
                Ok(answer) => break answer,
                Err(error) => assert_eq!(error["errorType"], "Mailwright.OutOfTime", "{id}"),
            }
            self.repeated += 1;
            assert!(self.repeated <= 20, "the machine is too slow for this load: {}", world.log());
        };
        assert_eq!(fault_of(&answer, &event), None, "{id}: {answer}");
        // Some are sent for again, as if the answer had been lost.
        if self.sent.is_multiple_of(50) {
            assert_eq!(world.invoke(&event).await, Ok(answer), "{id}, the second time");
        }
        let now = world.flow.state().messages.remove(id).unwrap();
        let rewrite = twin.rewrite(&event, raw.clone());
        assert!(now == rewrite, "{id} is not the rewrite: {} octets of {}", now.len(), raw.len());
        self.sent += 1;
        self.octets += raw.len();
        self.rewritten += usize::from(rewrite != raw);
        self.held.extend(memory(world.pid()).map(|(now, _)| now));
    }

    fn percentile(&self, percent: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    fn seconds(&self) -> f64 {
        self.times.iter().sum::<Duration>().as_secs_f64()
    }
}

fn count_of(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// The most in a part of what was measured.
fn most(held: &[u64]) -> u64 {
    held.iter().copied().max().unwrap_or_default()
}

#[tokio::test]
async fn a_load_of_mixed_mail_loses_none_and_the_process_does_not_grow() {
    let count = asked_for().unwrap_or(SHARE);
    let mut world = World::start_on(Store::Plain, RULES, &[]).await;
    let (mut twin, mut load) = (Twin::new(), Load::default());
    for n in 0..count {
        let n = n % mail::VARIETY;
        let (raw, direction) = mail::message(n);
        load.send(&mut world, &mut twin, &format!("m-{n}"), raw, direction).await;
    }
    assert!(load.rewritten * 2 > load.sent, "{} of {} rewritten", load.rewritten, load.sent);
    let third = load.held.len() / 3;
    if third > 0 {
        let (first, last) = (most(&load.held[..third]), most(&load.held[2 * third..]));
        assert!(last <= first + GROWTH, "it grew from {first} to {last} octets");
    }
    if asked_for().is_some() {
        let rate = count_of(load.sent) / load.seconds();
        println!(
            "{} messages, {} MB, {} rewritten, {} repeated: {rate:.0} a second, {:.1} MB/s; p50 {:?}, p99 {:?}, longest {:?}; \
             held {} MB at most, {} MB in the first third, {} MB in the last, {} MB at the end",
            load.sent,
            load.octets / 1_000_000,
            load.rewritten,
            load.repeated,
            count_of(load.octets / 1_000_000) / load.seconds(),
            load.percentile(50),
            load.percentile(99),
            load.percentile(100),
            memory(world.pid()).map_or(0, |(_, most)| most / 1_000_000),
            most(&load.held[..third]) / 1_000_000,
            most(&load.held[2 * third..]) / 1_000_000,
            load.held.last().copied().unwrap_or_default() / 1_000_000,
        );
    }
}

/// The middle of what the function says of a stage, in milliseconds.
fn middle(lines: &[Value], stage: &str) -> f64 {
    let mut times: Vec<f64> = lines.iter().filter_map(|line| line[stage].as_f64()).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[tokio::test]
async fn a_message_is_held_in_memory_about_once() {
    for (octets, count) in [(10_000, 200), (1_000_000, 60), (10_000_000, 15), (25_000_000, 10)] {
        let count = if asked_for().is_some() { count } else { 1 };
        let mut world = World::start_on(Store::Plain, RULES, &[]).await;
        let (mut twin, mut load) = (Twin::new(), Load::default());
        for _ in 0..count {
            load.send(&mut world, &mut twin, "m", mail::of_size(octets), "OUTBOUND").await;
        }
        assert_eq!(load.rewritten, count);
        let Some((_, most)) = memory(world.pid()) else { continue };
        // A program that is not optimized holds more, but not of mail.
        assert!(most < 60_000_000 + 3 * octets as u64, "{octets} octets: {most} held");
        if asked_for().is_some() {
            let lines: Vec<Value> = world.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            let stages = ["fetch_ms", "run_ms", "store_ms", "put_back_ms", "total_ms"];
            let stages: Vec<String> =
                stages.iter().map(|stage| format!("{stage} {:.2}", middle(&lines, stage))).collect();
            println!(
                "{octets} octets, {count} messages: p50 {:?}, p99 {:?}; {}; {} MB held at most",
                load.percentile(50),
                load.percentile(99),
                stages.join(", "),
                most / 1_000_000
            );
        }
    }
}
