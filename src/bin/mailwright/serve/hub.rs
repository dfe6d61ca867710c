//! The last messages that passed, and the rule set in force: what the page and the log look at, and where messages come in.
//!
//! For who shows them (`page`):
//!
//! - [`Hub::runs`] are all that are kept, oldest first; [`Hub::run`] is one of them. A [`Run`] never changes: when something
//!   becomes of a message, another `Run` of the same number stands in its place. While it is in transit it has no outcome.
//! - [`Hub::news`] says which has changed. A receiver that falls behind (`Lagged`) reads [`Hub::runs`] again.
//! - [`Hub::take`] takes a message in, pasted or dropped: it answers with its number as soon as it is in transit.
//! - [`Hub::rules`] is the rule set in force, with what is wrong with the files as they stand now. When they change, all that
//!   is kept runs anew: a `Run` whose `generation` is older than that of the rules has not had its turn yet.
//!
//! Invariant: memory is bounded. At most [`Limits::runs`] messages of [`KEPT_OCTETS`] in all are kept, and no more is in
//! transit at a time than [`TRANSIT_RUNS`] messages of [`TRANSIT_OCTETS`]: what comes on top is refused, and the sender
//! tries again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use mailwright::directory::Organization;
use mailwright::facts::Timestamp;
use mailwright::flow::handler::Handled;
use mailwright::flow::key::MessageId;
use mailwright::hex::hex;
use mailwright::message::{Draft, Message};
use mailwright::pipeline::Pipeline;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::{broadcast, mpsc};

use super::run::{Arrival, Origin, ReturnPath, Run};
use super::said::Said;
use crate::event::Event;

/// Most octets of all messages that are kept, as they came and as they were rewritten.
const KEPT_OCTETS: usize = 192 * 1024 * 1024;
/// Most messages in transit at a time.
const TRANSIT_RUNS: usize = 200;
/// Most octets in transit at a time.
const TRANSIT_OCTETS: usize = 128 * 1024 * 1024;
/// How much news a receiver may be behind.
const NEWS: usize = 256;
/// WorkMail cuts the subject in the event (Administrator Guide, "Configuring AWS Lambda for Amazon WorkMail").
const EVENT_SUBJECT: usize = 256;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Messages.
    pub runs: usize,
    /// Octets of them, as they came and as they were rewritten.
    pub octets: usize,
    /// Octets in transit at a time.
    pub transit_octets: usize,
}

impl Limits {
    /// So many messages, and as much of them as a laptop has room for.
    pub const fn of(runs: usize) -> Self {
        Self { runs, octets: KEPT_OCTETS, transit_octets: TRANSIT_OCTETS }
    }
}

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The run of this number is new or another.
    Run(usize),
    /// The run of this number is kept no longer.
    Gone(usize),
    /// Another rule set is in force, or its files have other problems.
    Rules,
}

/// The rule set in force.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Counts the rule sets, from 1.
    pub generation: u64,
    /// The rules.
    pub pipeline: Arc<Pipeline>,
    /// Why the files as they stand now cannot be used, in plain text: the rule set is the last good one.
    pub problems: Option<Arc<str>>,
}

/// No message can be taken in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too much is in transit; try again when some of it has passed")]
pub struct Full;

/// A message that was taken in.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Its run.
    pub number: usize,
    /// The flow's handle for it.
    pub id: MessageId,
}

/// What goes to who runs the messages.
#[derive(Debug)]
pub enum Work {
    /// A message has come in.
    New(Arc<Run>),
    /// Another rule set is in force: all that is kept runs anew.
    Again(u64),
    /// This message has passed under a rule set that was in force before.
    Behind(usize),
}

/// The last messages, and the rules.
#[derive(Debug)]
pub struct Hub {
    limits: Limits,
    state: Mutex<State>,
    news: broadcast::Sender<News>,
    work: mpsc::UnboundedSender<Work>,
    salt: [u8; 32],
    ids: AtomicU64,
    /// The message that somebody looked at last.
    looked_at: AtomicUsize,
}

#[derive(Debug)]
struct State {
    runs: VecDeque<Arc<Run>>,
    octets: usize,
    last: usize,
    transit_octets: usize,
    transit_runs: usize,
    rules: Rules,
}

impl Hub {
    /// Nothing in it; `work` is what there is to do, in order. Its length is bounded by what may be in transit.
    pub fn new(limits: Limits, pipeline: Pipeline) -> (Arc<Self>, mpsc::UnboundedReceiver<Work>) {
        let rules = Rules { generation: 1, pipeline: Arc::new(pipeline), problems: None };
        let state = State { runs: VecDeque::new(), octets: 0, last: 0, transit_octets: 0, transit_runs: 0, rules };
        let (work, to_do) = mpsc::unbounded_channel();
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let salt = Sha256::digest(format!("{started} {}", std::process::id())).into();
        let news = broadcast::Sender::new(NEWS);
        let (ids, looked_at) = (AtomicU64::new(0), AtomicUsize::new(0));
        (Arc::new(Self { limits, state: Mutex::new(state), news, work, salt, ids, looked_at }), to_do)
    }

    /// All that are kept, oldest first.
    pub fn runs(&self) -> Vec<Arc<Run>> {
        self.state().runs.iter().cloned().collect()
    }
    /// The run of this number, while it is kept.
    pub fn run(&self, number: usize) -> Option<Arc<Run>> {
        let state = self.state();
        state.place(number).and_then(|place| state.runs.get(place)).cloned()
    }
    /// The numbers of all that are kept, in the order in which they run anew: what somebody looked at last, then the newest
    /// first.
    pub fn in_turn(&self) -> Vec<usize> {
        let looked_at = self.looked_at.load(Ordering::Relaxed);
        let mut numbers: Vec<usize> = self.state().runs.iter().rev().map(|run| run.number).collect();
        numbers.sort_by_key(|number| *number != looked_at);
        numbers
    }
    /// Somebody looks at this one.
    pub fn look_at(&self, number: usize) {
        self.looked_at.store(number, Ordering::Relaxed);
    }
    /// What changes from now on.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }
    /// The rule set in force.
    pub fn rules(&self) -> Rules {
        self.state().rules.clone()
    }

    /// Take a message in. It has passed when its run has an outcome.
    pub async fn take(self: &Arc<Self>, arrival: Arrival) -> Result<Taken, Full> {
        let hub = Arc::clone(self);
        // A large message takes a while to look at.
        tokio::task::spawn_blocking(move || hub.take_now(arrival)).await.unwrap_or(Err(Full))
    }

    /// As [`Hub::take`], on this thread.
    pub fn take_now(&self, arrival: Arrival) -> Result<Taken, Full> {
        let octets = arrival.raw.len();
        let rules = {
            let mut state = self.state();
            if !state.has_room(octets, self.limits) {
                return Err(Full);
            }
            state.transit_runs += 1;
            state.transit_octets += octets;
            state.rules.clone()
        };
        let id = self.next_id();
        let event = event(&arrival, &id, rules.pipeline.organization());
        let mut state = self.state();
        state.last += 1;
        let run = Arc::new(Run {
            number: state.last,
            origin: arrival.origin,
            arrived: Timestamp::now(),
            id: id.clone(),
            event: Arc::new(event),
            original: arrival.raw,
            failures: Vec::new(),
            tried: None,
            outcome: None,
            generation: rules.generation,
            said: None,
        });
        state.octets += run.octets();
        state.runs.push_back(Arc::clone(&run));
        let gone = state.shrink(self.limits);
        drop(state);
        let number = run.number;
        // A hub that nobody works for keeps messages in transit; that is at the end only.
        let _ = self.work.send(Work::New(run));
        self.tell(gone.into_iter().map(News::Gone).chain([News::Run(number)]));
        Ok(Taken { number, id })
    }

    /// So many tries of a message have failed, and this the built-in handler did in the last.
    pub fn failed(&self, number: usize, failures: Vec<String>, tried: Option<Handled>) {
        self.replace(number, |run| (run.failures, run.tried) = (failures, tried.map(Arc::new)));
    }

    /// A message that has passed before is in transit again, and takes its time.
    pub fn still_runs(&self, number: usize) {
        self.tell([News::Run(number)]);
    }

    /// A message has passed; again, if it has before.
    pub fn passed(&self, passed: Run) {
        // What was said of it came while it passed.
        self.replace(passed.number, |run| *run = Run { said: run.said.take(), ..passed });
    }

    /// A function has said this of a message.
    pub fn function_said(&self, id: &MessageId, said: Said) {
        let number = self.state().runs.iter().find(|run| run.id == *id).map(|run| run.number);
        if let Some(number) = number {
            self.replace(number, |run| run.said = Some(Arc::new(said)));
        }
    }

    /// A message that was taken in has passed, whether it is kept still or not: there is room for others.
    pub fn left_transit(&self, octets: usize) {
        let mut state = self.state();
        state.transit_runs = state.transit_runs.saturating_sub(1);
        state.transit_octets = state.transit_octets.saturating_sub(octets);
    }

    /// A message has passed under the rule set of this generation: where that is not in force any more, it runs anew.
    pub fn is_behind(&self, number: usize, generation: u64) {
        if self.rules().generation != generation {
            let _ = self.work.send(Work::Behind(number));
        }
    }

    /// All that is kept runs anew, under the same rules: the function that answers is another.
    pub fn run_again(&self) -> u64 {
        let generation = {
            let mut state = self.state();
            state.rules.generation += 1;
            state.rules.generation
        };
        let _ = self.work.send(Work::Again(generation));
        generation
    }

    /// Put another rule set in force; all that is kept runs anew. Answers with its generation.
    pub fn put_in_force(&self, pipeline: Pipeline) -> u64 {
        let generation = {
            let mut state = self.state();
            let generation = state.rules.generation + 1;
            state.rules = Rules { generation, pipeline: Arc::new(pipeline), problems: None };
            generation
        };
        let _ = self.work.send(Work::Again(generation));
        self.tell([News::Rules]);
        generation
    }

    /// The rule files as they stand now cannot be used: the rule set stays. `None`: they can, and say the same as before.
    pub fn set_problems(&self, problems: Option<Arc<str>>) {
        self.state().rules.problems = problems;
        self.tell([News::Rules]);
    }

    fn replace(&self, number: usize, change: impl FnOnce(&mut Run)) {
        let mut state = self.state();
        let Some(place) = state.place(number) else { return };
        let Some(slot) = state.runs.get_mut(place) else { return };
        let mut run = Run::clone(slot);
        let before = run.octets();
        change(&mut run);
        let after = run.octets();
        *slot = Arc::new(run);
        state.octets = (state.octets + after).saturating_sub(before);
        let gone = state.shrink(self.limits);
        drop(state);
        self.tell(gone.into_iter().map(News::Gone).chain([News::Run(number)]));
    }

    /// Nobody may be listening.
    fn tell(&self, news: impl IntoIterator<Item = News>) {
        news.into_iter().for_each(|one| drop(self.news.send(one)));
    }

    /// No two messages have the same, also over several starts.
    pub fn next_id(&self) -> MessageId {
        loop {
            let count = self.ids.fetch_add(1, Ordering::Relaxed);
            let digits = hex(&Sha256::new().chain_update(self.salt).chain_update(count.to_be_bytes()).finalize());
            let groups =
                [digits.get(..8), digits.get(8..12), digits.get(12..16), digits.get(16..20), digits.get(20..32)];
            let text = groups.map(Option::unwrap_or_default).join("-");
            if let Ok(id) = MessageId::new(&text) {
                return id;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Numbers go up by one, and only the oldest leave.
    fn place(&self, number: usize) -> Option<usize> {
        number.checked_sub(self.runs.front()?.number).filter(|place| *place < self.runs.len())
    }

    fn has_room(&self, octets: usize, limits: Limits) -> bool {
        self.transit_runs < TRANSIT_RUNS && self.transit_octets.saturating_add(octets) <= limits.transit_octets
    }

    /// Let the oldest go until the rest is within the limits; the newest always stays.
    fn shrink(&mut self, limits: Limits) -> Vec<usize> {
        let mut gone = Vec::new();
        while self.runs.len() > 1 && (self.runs.len() > limits.runs || self.octets > limits.octets) {
            let Some(run) = self.runs.pop_front() else { break };
            self.octets = self.octets.saturating_sub(run.octets());
            gone.push(run.number);
        }
        gone
    }
}

/// The event that WorkMail would send. Unlike that of a replay its ids are the flow's own, and it has the subject, which
/// rules do not look at and other functions may.
fn event(arrival: &Arrival, id: &MessageId, organization: &Organization) -> Event {
    let mut event = Event::new(&arrival.raw, &arrival.given, organization);
    id.as_str().clone_into(&mut event.id);
    let message = Message::parse(&arrival.raw);
    let subject: String = Draft::new(&message).subject().unwrap_or_default().chars().take(EVENT_SUBJECT).collect();
    if let Some(fields) = event.json.as_object_mut() {
        fields.insert("messageId".to_owned(), json!(event.id));
        fields.insert("invocationId".to_owned(), json!(event.id.replace('-', "")));
        fields.insert("subject".to_owned(), json!(subject));
    }
    if let Some(sender) = event.json.pointer_mut("/envelope/mailFrom/address") {
        match &arrival.return_path {
            ReturnPath::Null => *sender = json!(""),
            ReturnPath::Address(address) if *sender == json!("") => *sender = json!(address.as_str()),
            ReturnPath::Address(_) | ReturnPath::Unknown => {}
        }
    }
    event
}

impl Arrival {
    /// The message as it came, of which nothing else is known.
    pub fn new(origin: Origin, raw: impl Into<Bytes>) -> Self {
        let given = crate::event::Given { direction: None, from: None, to: Vec::new(), at: None };
        Self { origin, raw: raw.into(), given, return_path: ReturnPath::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use mailwright::rule::Disposition;

    use super::*;
    use crate::serve::run::Outcome;

    fn hub(runs: usize) -> (Arc<Hub>, mpsc::UnboundedReceiver<Work>) {
        let rules = "[[rule]]\nname = \"r\"\naction = { kind = \"drop\" }\n";
        let organization = "domains = [\"example.com\"]\n";
        let sources = vec![("r.toml".into(), rules.into()), ("organization.toml".into(), organization.into())];
        Hub::new(
            Limits { runs, octets: 192 << 10, transit_octets: 128 << 10 },
            Pipeline::from_sources(sources).unwrap(),
        )
    }

    fn take(hub: &Hub, raw: impl Into<Bytes>) -> Result<Taken, Full> {
        hub.take_now(Arrival::new(Origin::Smtp(Vec::new()), raw))
    }

    fn pass(hub: &Hub, number: usize, rewritten: Option<usize>) {
        let octets = hub.run(number).map_or(0, |run| run.original.len());
        let outcome = Outcome {
            handled: None,
            rewritten: rewritten.map(|octets| Bytes::from(vec![b'x'; octets])),
            answered: Vec::new(),
            others: Disposition::Deliver,
            fell_back: false,
            failure: None,
            notes: Vec::new(),
            tries: 1,
            took: std::time::Duration::ZERO,
        };
        if let Some(run) = hub.run(number) {
            hub.passed(Run { outcome: Some(Arc::new(outcome)), ..Run::clone(&run) });
        }
        hub.left_transit(octets);
    }

    fn numbers(hub: &Hub) -> Vec<usize> {
        hub.runs().iter().map(|run| run.number).collect()
    }

    #[test]
    fn the_last_ones_are_kept_and_news_is_told() {
        let (hub, _work) = hub(3);
        let mut news = hub.news();
        let ids: Vec<String> = (0..5).map(|_| take(&hub, "Subject: x\r\n\r\n").unwrap().id.to_string()).collect();
        assert_eq!(numbers(&hub), [3, 4, 5]);
        assert!(hub.run(2).is_none() && hub.run(6).is_none() && hub.run(0).is_none());
        assert_eq!(hub.run(4).unwrap().id.as_str(), ids[3]);
        let told: Vec<News> = std::iter::from_fn(|| news.try_recv().ok()).collect();
        let expected =
            [News::Run(1), News::Run(2), News::Run(3), News::Gone(1), News::Run(4), News::Gone(2), News::Run(5)];
        assert_eq!(told, expected);
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 5);
    }

    #[test]
    fn what_is_kept_has_a_limit_in_octets_too() {
        let (hub, _work) = hub(100);
        for number in 1..=6 {
            take(&hub, vec![b'x'; 30 << 10]).unwrap();
            pass(&hub, number, Some(20 << 10));
        }
        // Three of them have 150 KB, four would have 200.
        assert_eq!(numbers(&hub), [4, 5, 6]);
        assert!(hub.state().octets <= 192 << 10);
    }

    #[test]
    fn what_is_looked_at_runs_first_and_then_the_newest() {
        let (hub, mut work) = hub(4);
        (0..5).for_each(|_| drop(take(&hub, "x").unwrap()));
        assert_eq!(hub.in_turn(), [5, 4, 3, 2]);
        hub.look_at(3);
        assert_eq!(hub.in_turn(), [3, 5, 4, 2]);
        hub.look_at(1);
        assert_eq!(hub.in_turn(), [5, 4, 3, 2]);
        while work.try_recv().is_ok() {}
        hub.is_behind(5, 1);
        assert!(work.try_recv().is_err());
        assert_eq!(hub.run_again(), 2);
        hub.is_behind(5, 1);
        let to_do: Vec<Work> = std::iter::from_fn(|| work.try_recv().ok()).collect();
        assert!(matches!(to_do.as_slice(), [Work::Again(2), Work::Behind(5)]), "{to_do:?}");
    }

    #[test]
    fn no_more_is_in_transit_than_there_is_room_for() {
        let (hub, _work) = hub(1_000);
        for _ in 0..4 {
            take(&hub, vec![b'x'; 30 << 10]).unwrap();
        }
        assert!(take(&hub, vec![b'x'; 30 << 10]).is_err());
        pass(&hub, 1, None);
        assert!(take(&hub, vec![b'x'; 30 << 10]).is_ok());
        let taken = (0..1_000).take_while(|_| take(&hub, "x").is_ok()).count();
        assert_eq!(taken, TRANSIT_RUNS - 4);
    }

    #[test]
    fn the_event_says_what_workmail_would() {
        let (hub, _work) = hub(10);
        let raw =
            format!("From: Ann <ann@example.com>\r\nTo: kim@customer.example\r\nSubject: {}\r\n\r\n", "é".repeat(300));
        let taken = take(&hub, raw.clone()).unwrap();
        let event = hub.run(taken.number).unwrap().event.json.clone();
        assert_eq!(event["messageId"], taken.id.as_str());
        assert_eq!(event["subject"].as_str().unwrap().chars().count(), 256);
        assert_eq!(event["envelope"]["mailFrom"]["address"], "ann@example.com");
        let null = Arrival { return_path: ReturnPath::Null, ..Arrival::new(Origin::Smtp(Vec::new()), raw) };
        let taken = hub.take_now(null).unwrap();
        assert_eq!(hub.run(taken.number).unwrap().event.json["envelope"]["mailFrom"]["address"], "");
        let bob = mailwright::envelope::Address::new("bob@example.com").unwrap();
        let bare = Arrival { return_path: ReturnPath::Address(bob), ..Arrival::new(Origin::Smtp(Vec::new()), "\r\nx") };
        let taken = hub.take_now(bare).unwrap();
        assert_eq!(hub.run(taken.number).unwrap().event.json["envelope"]["mailFrom"]["address"], "bob@example.com");
    }
}
