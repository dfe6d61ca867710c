//! Answers that are remembered, each asked for by one at a time.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout_at};

use super::Ages;
use crate::flow::ports::{PortError, Trouble};

/// Answers of one sort that are remembered; when there are more, all are forgotten.
const MAX_ENTRIES: usize = 20_000;

/// Answers by their question.
#[derive(Debug)]
pub(super) struct Cache<V> {
    ages: Ages,
    slots: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Slot<V>>>>>,
}

#[derive(Debug)]
struct Slot<V> {
    /// The last answer, when it was given, and whether it was that there is nothing.
    answer: Option<(V, Timestamp, bool)>,
    /// A refusal for good is not asked for again so soon either.
    refused: Option<(PortError, Timestamp)>,
}

impl<V> Default for Slot<V> {
    fn default() -> Self {
        Self { answer: None, refused: None }
    }
}

impl<V: Clone + Send> Cache<V> {
    pub(super) fn new(ages: Ages) -> Self {
        Self { ages, slots: Mutex::default() }
    }

    /// The answer to a question: remembered, or asked for. Who asks at the same time waits for the same answer. Where it
    /// cannot be had, an older one will do.
    pub(super) async fn get<Fut: Future<Output = Result<V, PortError>> + Send>(
        &self,
        question: &str,
        now: Timestamp,
        until: Instant,
        is_missing: impl Fn(&V) -> bool,
        ask: impl FnOnce() -> Fut,
    ) -> Result<V, PortError> {
        let slot = self.slot(question);
        let Ok(mut slot) = timeout_at(until, slot.lock()).await else {
            return Err(PortError::transient(Trouble::Timeout, ""));
        };
        if let Some((value, at, missing)) = &slot.answer
            && is_within(*at, now, if *missing { self.ages.missing } else { self.ages.fresh })
        {
            return Ok(value.clone());
        }
        slot.refused = slot.refused.take().filter(|(_, at)| is_within(*at, now, self.ages.missing));
        let answer = match &slot.refused {
            Some((error, _)) => Err(error.clone()),
            None => ask().await,
        };
        match answer {
            Ok(value) => {
                let missing = is_missing(&value);
                slot.answer = Some((value.clone(), now, missing));
                Ok(value)
            }
            Err(error) => {
                if slot.refused.is_none() && matches!(error, PortError::Permanent { .. }) {
                    slot.refused = Some((error.clone(), now));
                }
                let old = slot.answer.as_ref().filter(|(_, at, _)| is_within(*at, now, self.ages.stale));
                old.map(|(value, ..)| value.clone()).ok_or(error)
            }
        }
    }

    fn slot(&self, question: &str) -> Arc<tokio::sync::Mutex<Slot<V>>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_ENTRIES && !slots.contains_key(question) {
            slots.clear();
        }
        Arc::clone(slots.entry(question.to_owned()).or_default())
    }
}

/// Was it less than so long ago? What is from the future (the clock was set back) was not.
fn is_within(at: Timestamp, now: Timestamp, age: Duration) -> bool {
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    at <= now && now.duration_since(at) < age
}
