//! `--fault`: what goes wrong, and how often.
//!
//! Written `KIND`, `KIND:CALL` or `KIND:CALL:COUNT`; without a count it goes wrong each time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mailwright::flow::memory::{Call, Fault};
use mailwright::flow::ports::{PortError, Refusal, Trouble};

/// Most of one kind at one call.
const MAX_COUNT: usize = 1_000;
/// The words for what goes wrong.
const KINDS: &str = "throttle, unavailable, hang, lost, disconnect, gone, frozen, rejected, location, denied, invalid";
/// The words for where.
const CALLS: &str = "fetch, put, keep, put-back, invoke";

/// Where something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// In a call of the function.
    Call(Call),
    /// When the function is invoked.
    Invoke,
}

const FETCH: At = At::Call(Call::Fetch);
const PUT: At = At::Call(Call::Put);
const KEEP: At = At::Call(Call::Keep);
const PUT_BACK: At = At::Call(Call::PutBack);

/// One `--fault`.
#[derive(Debug, Clone)]
pub struct Planned {
    at: Vec<At>,
    fault: Fault,
    count: Option<usize>,
}

impl Planned {
    /// Read one; the error says what can be written.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut words = text.split(':');
        let kind = words.next().unwrap_or_default();
        let wrong = |what: &str, of: &str| format!("there is no {what} like this; {what}s are {of}");
        let trouble = |kind| Fault::Before(PortError::transient(kind, "asked for by --fault"));
        let refusal = |kind| Fault::Before(PortError::permanent(kind, "asked for by --fault"));
        let calls: &[At] = &[FETCH, PUT, KEEP, PUT_BACK];
        // The first of each are those where it happens when no call is said.
        let (fault, usual, others): (Fault, &[At], &[At]) = match kind {
            "throttle" => (trouble(Trouble::Throttled), calls, &[At::Invoke]),
            "unavailable" => (trouble(Trouble::Unavailable), calls, &[At::Invoke]),
            "hang" => (Fault::Hang, calls, &[At::Invoke]),
            "disconnect" => (trouble(Trouble::Connection), calls, &[]),
            "lost" => {
                let lost = PortError::transient(Trouble::Timeout, "asked for by --fault");
                (Fault::After(lost), &[PUT_BACK], &[FETCH, PUT, KEEP, At::Invoke])
            }
            "gone" => (refusal(Refusal::Gone), &[FETCH], &[PUT_BACK]),
            "frozen" => (refusal(Refusal::Frozen), &[PUT_BACK], &[]),
            "rejected" => (refusal(Refusal::Rejected), &[PUT_BACK], &[]),
            "location" => (refusal(Refusal::Location), &[PUT_BACK], &[]),
            "denied" => (refusal(Refusal::Denied), calls, &[]),
            "invalid" => (refusal(Refusal::Invalid), calls, &[]),
            _ => return Err(wrong("kind", KINDS)),
        };
        let at = match words.next() {
            None => usual.to_vec(),
            Some(word) => {
                let at = match word {
                    "fetch" => FETCH,
                    "put" => PUT,
                    "keep" => KEEP,
                    "put-back" => PUT_BACK,
                    "invoke" => At::Invoke,
                    _ => return Err(wrong("call", CALLS)),
                };
                if !usual.contains(&at) && !others.contains(&at) {
                    return Err(format!("`{kind}` does not happen to `{word}`"));
                }
                vec![at]
            }
        };
        let count = match words.next().map(str::parse) {
            None => None,
            Some(Ok(count)) if (1..=MAX_COUNT).contains(&count) => Some(count),
            Some(_) => return Err(format!("the count is a number from 1 to {MAX_COUNT}")),
        };
        if words.next().is_some() {
            return Err("write KIND, KIND:CALL or KIND:CALL:COUNT".to_owned());
        }
        Ok(Self { at, fault, count })
    }
}

/// What will go wrong.
#[derive(Debug, Default)]
pub struct Faults {
    left: Mutex<Left>,
}

#[derive(Debug, Default)]
struct Left {
    once: HashMap<At, VecDeque<Fault>>,
    always: HashMap<At, Fault>,
}

impl Faults {
    /// All of them; of several at one call those with a count come first, in their order.
    pub fn new(planned: &[Planned]) -> Self {
        let mut left = Left::default();
        for Planned { at, fault, count } in planned {
            for at in at {
                match count {
                    Some(count) => {
                        let queue = left.once.entry(*at).or_default();
                        queue.extend(std::iter::repeat_n(fault, *count).cloned());
                    }
                    None => drop(left.always.insert(*at, fault.clone())),
                }
            }
        }
        Self { left: Mutex::new(left) }
    }

    /// What befalls this call.
    pub fn next(&self, at: At) -> Option<Fault> {
        let mut left = self.left();
        let once = left.once.get_mut(&at).and_then(VecDeque::pop_front);
        once.or_else(|| left.always.get(&at).cloned())
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(texts: &[&str]) -> Faults {
        Faults::new(&texts.iter().map(|text| Planned::new(text).unwrap()).collect::<Vec<_>>())
    }

    fn shown(fault: Option<Fault>) -> String {
        match fault {
            None => "none".to_owned(),
            Some(Fault::Hang) => "hang".to_owned(),
            Some(Fault::Before(error)) => format!("{error}"),
            Some(Fault::After(error)) => format!("after: {error}"),
        }
    }

    #[test]
    fn counted_ones_come_first_and_then_each_time() {
        let faults = faults(&["throttle:put:2", "frozen", "hang:put"]);
        let puts: Vec<String> = (0..4).map(|_| shown(faults.next(PUT))).collect();
        assert!(puts[0].contains("throttling") && puts[1] == puts[0] && puts[2] == "hang" && puts[3] == "hang");
        assert!(shown(faults.next(PUT_BACK)).contains("frozen"));
        assert_eq!(shown(faults.next(FETCH)), "none");
    }

    #[test]
    fn what_is_not_understood_says_what_can_be_written() {
        for (text, says) in [
            ("slow", "kinds are throttle"),
            ("", "kinds are throttle"),
            ("throttle:get", "calls are fetch"),
            ("frozen:fetch", "does not happen"),
            ("throttle:put:0", "from 1"),
            ("throttle:put:x", "from 1"),
            ("throttle:put:2:3", "KIND:CALL:COUNT"),
        ] {
            let error = Planned::new(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
