//! What changed when, as numbers that go up: who knows one of them can ask what is newer.
//!
//! Invariant: a change is noted before anybody is told, and being told late, or once for many, loses nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mailwright::facts::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use crate::serve::hub::{Hub, News};

/// What changed when.
#[derive(Debug)]
pub struct Changes {
    /// Which run of the program it is: the numbers of another mean nothing.
    server: String,
    state: Mutex<State>,
    told: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    last: u64,
    runs: BTreeMap<usize, u64>,
    rules: u64,
    times: Times,
    /// Which rules they are.
    digest: String,
}

/// When the rules were loaded.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// The rule set in force.
    pub loaded: Timestamp,
    /// How often rules were loaded.
    pub loads: u64,
    /// The rule files that cannot be used.
    pub problems: Option<Timestamp>,
}

impl Changes {
    /// Of a hub, from now on and for as long as it is there. Needs a runtime.
    pub fn of(hub: &Arc<Hub>) -> Arc<Self> {
        let times = Times { loaded: Timestamp::now(), loads: 1, problems: None };
        let digest = hub.rules().pipeline.digest().to_owned();
        let state = State { last: 1, runs: BTreeMap::new(), rules: 1, times, digest };
        let server = format!("{}-{}", std::process::id(), Timestamp::now().as_millisecond());
        let changes = Arc::new(Self { server, state: Mutex::new(state), told: watch::Sender::new(1) });
        let mut news = hub.news();
        let (hub, noting) = (Arc::clone(hub), Arc::clone(&changes));
        hub.runs().iter().for_each(|run| noting.note(&hub, News::Run(run.number)));
        tokio::spawn(async move {
            loop {
                match news.recv().await {
                    Ok(one) => noting.note(&hub, one),
                    Err(RecvError::Lagged(_)) => {
                        hub.runs().iter().for_each(|run| noting.note(&hub, News::Run(run.number)));
                        noting.note(&hub, News::Rules);
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
        changes
    }

    fn note(&self, hub: &Hub, news: News) {
        let first = hub.runs().first().map_or(0, |run| run.number);
        let mut state = self.state();
        state.last += 1;
        let last = state.last;
        match news {
            News::Run(number) => drop(state.runs.insert(number, last)),
            News::Gone(_) => {}
            News::Rules => {
                state.rules = last;
                let (rules, now) = (hub.rules(), Timestamp::now());
                if rules.pipeline.digest() != state.digest {
                    rules.pipeline.digest().clone_into(&mut state.digest);
                    state.times.loads += 1;
                    state.times.loaded = now;
                }
                state.times.problems = rules.problems.is_some().then_some(now);
            }
        }
        state.runs = state.runs.split_off(&first);
        drop(state);
        self.told.send_replace(last);
    }

    /// Which run of the program it is.
    pub fn server(&self) -> &str {
        &self.server
    }
    /// The number of the last change.
    pub fn last(&self) -> u64 {
        self.state().last
    }
    /// The number of the last change of a run.
    pub fn of_run(&self, number: usize) -> u64 {
        self.state().runs.get(&number).copied().unwrap_or(1)
    }
    /// The number of the last change of the rules, and when that was.
    pub fn of_rules(&self) -> (u64, Times) {
        let state = self.state();
        (state.rules, state.times)
    }
    /// Told the number of the last change whenever it is another.
    pub fn told(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
