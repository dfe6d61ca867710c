//! A published rule set: looked for anew now and then, compiled aside, swapped only when it is sound.
//!
//! A rule set is published as one object (`mailwright pack`), which S3 replaces as a whole: nobody reads half of a new set,
//! or files of two. Whether it is another is told by its tag, so an unchanged one is not sent again.
//!
//! Lambda freezes the process between messages, so nothing can look in the background: the look is made before a message,
//! once in a while, and takes no longer than it is given.
//!
//! Invariant: what is in force is a whole, sound rule set. What cannot be fetched or used leaves the last good one where it
//! is, and the caller is told.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::budget::{Budget, Exhausted};
use super::ports::PortError;
use super::provisions::Provisions;
use crate::pipeline::Pipeline;

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

/// Why a published rule set cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Its tag.
    pub tag: String,
    /// Codes and places of its problems, or what the function lacks for it.
    pub why: String,
}

/// What came of looking for a new rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It was not time yet.
    Later,
    /// What is published is in force.
    Same,
    /// A new one is in force.
    Swapped,
    /// What is published cannot be used: the last good one stays in force. `first`: it is seen for the first time.
    Refused {
        /// Why.
        unusable: Unusable,
        /// Whether this was not known before.
        first: bool,
    },
    /// Nobody could say: the last good one stays in force.
    Unknown {
        /// How often it was tried.
        tries: u32,
        /// The last failure.
        error: PortError,
    },
}

/// The rule set in force of those that are published in one place.
#[derive(Debug)]
pub struct InForce<S> {
    store: S,
    provisions: Provisions,
    every: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pipeline: Option<Arc<Pipeline>>,
    /// What was looked at last, good or not.
    tag: Option<String>,
    /// Why that cannot be used.
    unusable: Option<Unusable>,
    asked: Option<Instant>,
}

impl<S: RuleStore> InForce<S> {
    /// `first` is in force until something sound is published. `store` is asked once in `every` at most.
    pub fn new(first: Option<Pipeline>, store: S, provisions: Provisions, every: Duration) -> Self {
        let state = State { pipeline: first.map(Arc::new), ..State::default() };
        Self { store, provisions, every, state: Mutex::new(state) }
    }

    /// The rule set in force, if there is one.
    pub fn pipeline(&self) -> Option<Arc<Pipeline>> {
        self.state().pipeline.clone()
    }

    /// Look for a newer one, where it is time or `at_once` says so. Takes no longer than `budget`, and the time to compile.
    pub async fn look(&self, budget: &Budget, at_once: bool) -> Looked {
        if !self.is_time() && !at_once {
            return Looked::Later;
        }
        let known = self.state().tag.clone();
        let published = match budget.insist(&mut 0, || self.store.published(known.as_deref())).await {
            Ok(Ok(Some(published))) if Some(&published.tag) != known.as_ref() => published,
            Ok(Ok(_)) => {
                let unusable = self.state().unusable.clone();
                return unusable.map_or(Looked::Same, |unusable| Looked::Refused { unusable, first: false });
            }
            Ok(Err(error)) => return Looked::Unknown { tries: 1, error },
            Err(Exhausted { tries, error }) => return Looked::Unknown { tries, error },
        };
        let compiled = self.compile(&published.octets);
        let mut state = self.state();
        state.tag = Some(published.tag.clone());
        match compiled {
            Ok(pipeline) => {
                state.unusable = None;
                let digest = pipeline.digest().to_owned();
                let before = state.pipeline.replace(Arc::new(pipeline));
                if before.is_some_and(|before| before.digest() == digest) { Looked::Same } else { Looked::Swapped }
            }
            Err(why) => {
                let unusable = Unusable { tag: published.tag, why };
                state.unusable = Some(unusable.clone());
                Looked::Refused { unusable, first: true }
            }
        }
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

    fn compile(&self, octets: &[u8]) -> Result<Pipeline, String> {
        let compile = || {
            let pipeline = Pipeline::unpack(octets).map_err(|problems| problems.places())?;
            self.provisions.equip(pipeline).map_err(str::to_owned)
        };
        catch_unwind(AssertUnwindSafe(compile))
            .unwrap_or_else(|_| Err("mailwright panicked; this is a bug in mailwright, please report it".to_owned()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::ports::{Refusal, Trouble};

    /// What is published, and what was asked for.
    #[derive(Debug)]
    struct Shelf(Mutex<On>);

    type On = (Result<Published, PortError>, Vec<Option<String>>);

    impl RuleStore for Shelf {
        async fn published(&self, known: Option<&str>) -> Result<Option<Published>, PortError> {
            let published = {
                let mut state = self.0.lock().unwrap();
                state.1.push(known.map(str::to_owned));
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

    fn packed(text: &str) -> String {
        serde_json::json!({ "mailwright": 1, "files": { "r.toml": text } }).to_string()
    }

    fn in_force() -> InForce<Shelf> {
        let shelf = Shelf(Mutex::new((Err(PortError::permanent(Refusal::Gone, "")), Vec::new())));
        let first = Pipeline::from_sources(vec![("r.toml".into(), rules("first"))]).unwrap();
        InForce::new(Some(first), shelf, Provisions::default(), Duration::from_mins(1))
    }

    fn publish(rules: &InForce<Shelf>, tag: &str, text: &str) {
        let published = Published { tag: tag.into(), octets: Bytes::from(packed(text)) };
        rules.store.0.lock().unwrap().0 = Ok(published);
    }

    /// The names of the rules in force after a look, and what came of it.
    async fn look(rules: &InForce<Shelf>) -> (String, Looked) {
        let now = Instant::now();
        let budget = Budget::new(now, now + Duration::from_secs(14)).part(Duration::from_secs(1));
        let looked = rules.look(&budget, false).await;
        (rules.pipeline().unwrap().rules().iter().map(|rule| rule.name.as_str()).collect(), looked)
    }

    async fn later(rules: &InForce<Shelf>) -> (String, Looked) {
        tokio::time::advance(Duration::from_mins(1)).await;
        look(rules).await
    }

    fn refused(tag: &str, why: &str, first: bool) -> Looked {
        Looked::Refused { unusable: Unusable { tag: tag.into(), why: why.into() }, first }
    }

    #[tokio::test(start_paused = true)]
    async fn a_sound_rule_set_is_swapped_in_and_a_faulty_one_is_not() {
        let in_force = in_force();
        let (names, looked) = look(&in_force).await;
        assert!(names == "first" && matches!(looked, Looked::Unknown { tries: 1, .. }), "{looked:?}");
        publish(&in_force, "1", &rules("second"));
        assert_eq!(look(&in_force).await, ("first".into(), Looked::Later), "it is not time yet");
        assert_eq!(later(&in_force).await, ("second".into(), Looked::Swapped));
        assert_eq!(later(&in_force).await, ("second".into(), Looked::Same));
        publish(&in_force, "1b", &rules("second"));
        assert_eq!(later(&in_force).await, ("second".into(), Looked::Same), "the same under another tag");
        publish(&in_force, "2", "[[rule]]\nname = 3\n");
        let why = "R004 r.toml:1:1, R003 r.toml:2:8";
        assert_eq!(later(&in_force).await, ("second".into(), refused("2", why, true)));
        assert_eq!(later(&in_force).await, ("second".into(), refused("2", why, false)), "it is not read again");
        publish(
            &in_force,
            "3",
            "[[rule]]\nname = \"p\"\naction = { kind = \"redact\", detect = \"card\", style = \"pseudonym\" }",
        );
        let (names, looked) = later(&in_force).await;
        assert!(names == "second" && format!("{looked:?}").contains("set MAILWRIGHT_VALUE_KEY"), "{looked:?}");
        publish(&in_force, "4", &rules("third"));
        assert_eq!(later(&in_force).await, ("third".into(), Looked::Swapped));
        assert_eq!(later(&in_force).await, ("third".into(), Looked::Same));
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_not_answer_takes_no_longer_than_it_may() {
        let in_force = in_force();
        publish(&in_force, "hangs", "");
        let began = Instant::now();
        let (names, looked) = look(&in_force).await;
        assert!(names == "first" && matches!(looked, Looked::Unknown { .. }), "{looked:?}");
        assert!(began.elapsed() <= Duration::from_secs(1), "{:?}", began.elapsed());
        in_force.store.0.lock().unwrap().0 = Err(PortError::transient(Trouble::Unavailable, ""));
        let (names, looked) = later(&in_force).await;
        assert!(names == "first" && matches!(looked, Looked::Unknown { tries: 2.., .. }), "{looked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_store_is_asked_once_in_a_while_however_many_messages_come() {
        let in_force = in_force();
        for _ in 0..100 {
            look(&in_force).await;
        }
        assert_eq!(in_force.store.0.lock().unwrap().1.len(), 1);
        publish(&in_force, "1", &rules("second"));
        later(&in_force).await;
        later(&in_force).await;
        assert_eq!(in_force.store.0.lock().unwrap().1, [None, None, Some("1".to_owned())]);
    }
}
