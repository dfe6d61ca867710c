//! The connections of one port: so many, and a new one takes the place of one that does nothing.
//!
//! Programs keep connections that they do not use, browsers among them; and a client that means ill opens as many as it can.
//! Neither may keep others out: when all places are taken, the connection that has been idle for longest is closed, else one
//! that begins to send and hardly goes on. One that is being answered keeps its place.
//!
//! Invariant: never more connections than places.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// A client that has sent less than [`SENDS`] for so long is given up for another, and not before.
const SENDS_FOR: Duration = Duration::from_secs(2);
/// Octets that show that a client sends.
const SENDS: usize = 16 * 1024;

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Nothing: it waits for its client to begin.
    Idle,
    /// It takes in what its client sends.
    Receiving,
    /// It is being answered.
    Answering,
}

/// The places of a port.
#[derive(Debug)]
pub struct Places {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    held: BTreeMap<u64, Held>,
}

#[derive(Debug)]
struct Held {
    doing: Doing,
    since: Instant,
    /// Octets since then.
    octets: usize,
    closed: Arc<Notify>,
}

/// The place of a connection; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    number: u64,
    closed: Arc<Notify>,
}

impl Places {
    /// So many.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    /// One for a new connection; `None` where all are being answered.
    pub fn take(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state();
        if state.held.len() >= self.most && !state.close_one() {
            return None;
        }
        let (number, closed) = (state.next, Arc::<Notify>::default());
        state.next += 1;
        state
            .held
            .insert(number, Held { doing: Doing::Idle, since: Instant::now(), octets: 0, closed: Arc::clone(&closed) });
        Some(Place { places: Arc::clone(self), number, closed })
    }

    /// Close one that does nothing: there are too few of something else, such as file descriptors.
    pub fn close_one(&self) {
        self.state().close_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn close_one(&mut self) -> bool {
        let longest = |doing: Doing| {
            let those = self.held.iter().filter(move |(_, held)| held.doing == doing);
            those.min_by_key(|(_, held)| held.since).map(|(number, held)| (*number, held.since))
        };
        let receiving = longest(Doing::Receiving).filter(|(_, since)| since.elapsed() >= SENDS_FOR);
        let held = longest(Doing::Idle).or(receiving).and_then(|(number, _)| self.held.remove(&number));
        // Its task is told, and ends; its place is free at once.
        held.inspect(|held| held.closed.notify_one()).is_some()
    }
}

impl Place {
    /// It does this from now on.
    pub fn is(&self, doing: Doing) {
        if let Some(held) = self.places.state().held.get_mut(&self.number) {
            held.doing = doing;
            (held.since, held.octets) = (Instant::now(), 0);
        }
    }

    /// Its client has sent so many octets more.
    pub fn has_sent(&self, octets: usize) {
        if let Some(held) = self.places.state().held.get_mut(&self.number) {
            held.octets = held.octets.saturating_add(octets);
            if held.octets >= SENDS {
                (held.since, held.octets) = (Instant::now(), 0);
            }
        }
    }

    /// Until another connection has taken its place.
    pub async fn is_taken(&self) {
        self.closed.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.state().held.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_connection_takes_the_place_of_the_one_that_was_idle_for_longest() {
        let places = Places::new(3);
        let [first, second, third] = [(); 3].map(|()| places.take().unwrap());
        first.is(Doing::Answering);
        let fourth = places.take().unwrap();
        let numbers = || places.state().held.keys().copied().collect::<Vec<_>>();
        assert_eq!(numbers(), [first.number, third.number, fourth.number]);
        // What was closed is told, and gives back nothing that another has.
        let told = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        told.block_on(async { tokio::time::timeout(Duration::from_secs(5), second.is_taken()).await.unwrap() });
        drop(second);
        assert_eq!(numbers().len(), 3);
        third.is(Doing::Idle);
        drop(places.take().unwrap());
        assert_eq!(numbers(), [first.number, third.number]);
    }

    #[test]
    fn what_is_being_answered_or_has_just_begun_keeps_its_place() {
        let places = Places::new(2);
        let [first, second] = [(); 2].map(|()| places.take().unwrap());
        first.is(Doing::Answering);
        second.is(Doing::Receiving);
        assert!(places.take().is_none());
        let long_ago = Instant::now().checked_sub(SENDS_FOR).unwrap();
        let age = || places.state().held.get_mut(&second.number).unwrap().since = long_ago;
        // One that sends keeps it, too.
        age();
        second.has_sent(SENDS);
        assert!(places.take().is_none());
        age();
        second.has_sent(SENDS - 1);
        assert!(places.take().is_some());
        drop(first);
        assert!(places.take().is_some());
    }
}
