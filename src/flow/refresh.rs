//! The rule set in force: looked for anew now and then, compiled aside, swapped only when it is sound.
//!
//! Invariant: there is always a rule set in force, and it is a whole one. What cannot be fetched or has a problem leaves
//! the last good one where it is, and the caller is told.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::ports::{PortError, Trouble};
use crate::pipeline::Pipeline;
use crate::rule::problem::Problems;

/// Where a rule set is published.
pub trait RuleStore {
    /// What is published now; `None` where it is still what `known` names.
    fn published(&self, known: Option<&str>) -> impl Future<Output = Result<Option<Published>, PortError>> + Send;
}

/// A published rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Another for each content: S3's `ETag`.
    pub tag: String,
    /// A packed rule set.
    pub octets: Bytes,
}

/// What came of looking for a new rule set.
#[derive(Debug)]
pub enum Looked {
    /// It was not time yet, or it is the same.
    Same,
    /// A new one is in force.
    Swapped,
    /// The new one cannot be used: the last good one stays in force. Said once for each that is published.
    Refused(Problems),
    /// Nobody could say: the last good one stays in force.
    Unknown(PortError),
}

impl Looked {
    /// The word for it in logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Swapped => "swapped",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// The rule set in force, and where to look for the next.
#[derive(Debug)]
pub struct InForce<S, C> {
    store: S,
    compile: C,
    every: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pipeline: Arc<Pipeline>,
    /// What was looked at last, good or not.
    tag: Option<String>,
    asked: Option<Instant>,
}

impl<S: RuleStore, C: Fn(&[u8]) -> Result<Pipeline, Problems>> InForce<S, C> {
    /// `first` is in force until something sound is published. `store` is asked once in `every` at most.
    pub fn new(first: Pipeline, store: S, compile: C, every: Duration) -> Self {
        let state = State { pipeline: Arc::new(first), tag: None, asked: None };
        Self { store, compile, every, state: Mutex::new(state) }
    }
    /// The rule set for the next message, after a look at the store where it is time. Takes no longer than `within`, and
    /// the time to compile.
    pub async fn current(&self, within: Duration) -> (Arc<Pipeline>, Looked) {
        let looked = if self.is_time() { self.look(within).await } else { Looked::Same };
        (Arc::clone(&self.state().pipeline), looked)
    }

    fn is_time(&self) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        let due = state.asked.is_none_or(|asked| now.duration_since(asked) >= self.every);
        if due {
            state.asked = Some(now);
        }
        due
    }

    async fn look(&self, within: Duration) -> Looked {
        let known = self.state().tag.clone();
        let published = match timeout(within, self.store.published(known.as_deref())).await {
            Ok(Ok(Some(published))) if Some(&published.tag) != known.as_ref() => published,
            Ok(Ok(_)) => return Looked::Same,
            Ok(Err(error)) => return Looked::Unknown(error),
            Err(_) => return Looked::Unknown(PortError::transient(Trouble::Timeout, "")),
        };
        let compiled = (self.compile)(&published.octets);
        let mut state = self.state();
        state.tag = Some(published.tag);
        match compiled {
            Ok(pipeline) => {
                state.pipeline = Arc::new(pipeline);
                Looked::Swapped
            }
            Err(problems) => Looked::Refused(problems),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::ports::Refusal;

    /// What is published, and how often it was asked for.
    #[derive(Debug)]
    struct Shelf(Mutex<(Result<Published, PortError>, u32)>);

    impl RuleStore for Shelf {
        async fn published(&self, known: Option<&str>) -> Result<Option<Published>, PortError> {
            let published = {
                let mut state = self.0.lock().unwrap();
                state.1 += 1;
                state.0.clone()?
            };
            if published.tag == "hangs" {
                std::future::pending::<()>().await;
            }
            Ok((known != Some(published.tag.as_str())).then_some(published))
        }
    }

    fn rules(name: &str) -> String {
        format!("[[rule]]\nname = \"{name}\"\naction = {{ kind = \"drop\" }}\n")
    }

    fn compile(octets: &[u8]) -> Result<Pipeline, Problems> {
        Pipeline::from_sources(vec![("r.toml".into(), String::from_utf8_lossy(octets).into_owned())])
    }

    type Rules = InForce<Shelf, fn(&[u8]) -> Result<Pipeline, Problems>>;

    fn in_force() -> Rules {
        let shelf = Shelf(Mutex::new((Err(PortError::permanent(Refusal::Gone, "")), 0)));
        InForce::new(compile(rules("first").as_bytes()).unwrap(), shelf, compile, Duration::from_mins(1))
    }

    fn publish(rules: &Rules, tag: &str, text: &str) {
        let published = Published { tag: tag.into(), octets: Bytes::from(text.to_owned()) };
        rules.store.0.lock().unwrap().0 = Ok(published);
    }

    async fn look(rules: &Rules) -> (String, &'static str) {
        let (pipeline, looked) = rules.current(Duration::from_secs(2)).await;
        (pipeline.rules().iter().map(|rule| rule.name.as_str()).collect(), looked.as_str())
    }

    async fn later(rules: &Rules) -> (String, &'static str) {
        tokio::time::advance(Duration::from_mins(1)).await;
        look(rules).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_sound_rule_set_is_swapped_in_and_a_faulty_one_is_not() {
        let rules_in_force = in_force();
        assert_eq!(look(&rules_in_force).await, ("first".into(), "unknown"));
        publish(&rules_in_force, "1", &rules("second"));
        assert_eq!(look(&rules_in_force).await, ("first".into(), "same"), "it is not time yet");
        assert_eq!(later(&rules_in_force).await, ("second".into(), "swapped"));
        assert_eq!(later(&rules_in_force).await, ("second".into(), "same"));
        publish(&rules_in_force, "2", "[[rule]]\nname = 3\n");
        assert_eq!(later(&rules_in_force).await, ("second".into(), "refused"));
        assert_eq!(later(&rules_in_force).await, ("second".into(), "same"), "it is said once");
        publish(&rules_in_force, "3", &rules("third"));
        assert_eq!(later(&rules_in_force).await, ("third".into(), "swapped"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_not_answer_takes_no_longer_than_it_may() {
        let rules_in_force = in_force();
        publish(&rules_in_force, "hangs", "");
        let began = Instant::now();
        assert_eq!(look(&rules_in_force).await, ("first".into(), "unknown"));
        assert_eq!(began.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn the_store_is_asked_once_in_a_while_however_many_messages_come() {
        let rules_in_force = in_force();
        for _ in 0..100 {
            look(&rules_in_force).await;
        }
        assert_eq!(rules_in_force.store.0.lock().unwrap().1, 1);
    }
}
