//! A published rule set: looked for anew now and then, compiled aside, swapped only when it is sound.
//!
//! A rule set is published as one object (`mailwright pack`), which S3 replaces as a whole: nobody reads half of a new set,
//! or files of two. Whether it is another is told by its tag, so an unchanged one is not sent again.
//!
//! Lambda freezes the process between messages, so nothing can look in the background: the look is made before a message,
//! once in a while, and takes no longer than it is given.
//!
//! Where what is published cannot be used, or is gone, the versions from before are looked through ([`super::earlier`]): so
//! all processes come to the same rules, those that have just begun and those that were there before. A candidate is what is
//! published and nothing else: an older one was another trial.
//!
//! Invariant: what is in force is a whole, sound rule set: the last of those that were published, as far as it is known. What
//! cannot be fetched or used leaves what is in force where it is, and the caller is told.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::budget::{Budget, Exhausted};
use super::earlier::{self, Found};
use super::ports::PortError;
use super::provisions::Provisions;
use crate::pipeline::Pipeline;

/// So many rule sets that were in force before are kept, to know again what they have rewritten.
const KEPT: usize = 3;
/// What could not be read is asked for again after so long, where looks are rarer.
const AGAIN: Duration = Duration::from_mins(1);

/// Where a rule set is published.
pub trait RuleStore {
    /// What is published now; `None` where it is still what `known` names.
    fn published(&self, known: Option<&str>) -> impl Future<Output = Result<Option<Published>, PortError>> + Send;
    /// All that was ever published there, the newest first, up to [`earlier::MOST_VERSIONS`]. What is published now is the
    /// first of them, unless it was deleted.
    fn versions(&self) -> impl Future<Output = Result<Vec<Version>, PortError>> + Send;
    /// What was published as this one.
    fn version(&self, version: &Version) -> impl Future<Output = Result<Published, PortError>> + Send;
}

/// A published rule set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Another for each content: S3's `ETag`.
    pub tag: String,
    /// A packed rule set.
    pub octets: Bytes,
}

/// A rule set that is published, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What the store calls it.
    pub id: String,
    /// As of [`Published`].
    pub tag: String,
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
    /// What is published cannot be used. The last one that can is in force, where there is one; of a candidate, none.
    Refused {
        /// Why.
        unusable: Unusable,
        /// Whether it was not told before.
        first: bool,
    },
    /// Nobody could say: what was in force stays so; where nothing was that was published, the last sound one is, if it is found.
    Unknown {
        /// How often it was tried.
        tries: u32,
        /// The last failure.
        error: PortError,
    },
}

/// How it stands with what is published, as of the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// It is in force, or was not looked for yet.
    #[default]
    Good,
    /// It cannot be used.
    Refused,
    /// It could not be read.
    Unread,
}

/// The rule set in force of those that are published in one place.
#[derive(Debug)]
pub struct InForce<S> {
    store: S,
    provisions: Provisions,
    every: Duration,
    goes_back: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pipeline: Option<Arc<Pipeline>>,
    /// Its tag; `None` where it was not published, but deployed.
    tag: Option<String>,
    /// Those before it, the last first.
    before: VecDeque<Arc<Pipeline>>,
    /// What is published and cannot be used.
    refused: Option<Refused>,
    standing: Standing,
    asked: Option<Instant>,
}

#[derive(Debug)]
struct Refused {
    unusable: Unusable,
    octets: Bytes,
    /// Whether the versions before it have been looked through.
    searched: bool,
    told: bool,
}

impl State {
    fn remember(&mut self, before: Arc<Pipeline>) {
        self.before.retain(|one| one.digest() != before.digest());
        self.before.push_front(before);
        self.before.truncate(KEPT);
    }
}

impl<S: RuleStore> InForce<S> {
    /// `first` is in force until something sound is published. `store` is asked once in `every` at most, and a minute after it
    /// could not be read.
    pub fn new(first: Pipeline, store: S, provisions: Provisions, every: Duration) -> Self {
        let state = Mutex::new(State { pipeline: Some(Arc::new(first)), ..State::default() });
        Self { store, provisions, every, goes_back: true, state }
    }

    /// Nothing is in force but what is published, if it can be used.
    pub fn candidate(store: S, provisions: Provisions, every: Duration) -> Self {
        Self { store, provisions, every, goes_back: false, state: Mutex::default() }
    }

    /// The rule set in force, if there is one.
    pub fn pipeline(&self) -> Option<Arc<Pipeline>> {
        self.state().pipeline.clone()
    }

    /// Whether the one in force was published, and not deployed with the function.
    pub fn is_published(&self) -> bool {
        self.state().tag.is_some()
    }

    /// How it stands with what is published.
    pub fn standing(&self) -> Standing {
        self.state().standing
    }

    /// The rule sets that are known here: the one in force and some that were before it.
    pub fn known(&self) -> Vec<Arc<Pipeline>> {
        let state = self.state();
        state.pipeline.iter().chain(&state.before).cloned().collect()
    }

    /// Look for a newer one, where it is time or `at_once` says so. Takes no longer than `budget`, and the time to compile.
    pub async fn look(&self, budget: &Budget, at_once: bool) -> Looked {
        if !self.is_time() && !at_once {
            return Looked::Later;
        }
        // What cannot be used is read again: a part of it that got lost on the way would look like that as well.
        let known = Some(self.state()).filter(|state| state.refused.is_none()).and_then(|state| state.tag.clone());
        match budget.insist(&mut 0, || self.store.published(known.as_deref())).await {
            Ok(Ok(Some(published))) if Some(&published.tag) != known.as_ref() => self.take(published, budget).await,
            Ok(Ok(_)) => {
                self.state().standing = Standing::Good;
                Looked::Same
            }
            Ok(Err(error)) => {
                self.state().standing = Standing::Unread;
                if !self.goes_back {
                    self.withdraw();
                } else if !self.is_published() {
                    return match self.search(budget).await {
                        Err(Exhausted { tries, error }) => Looked::Unknown { tries, error },
                        Ok(_) => Looked::Unknown { tries: 1, error },
                    };
                }
                Looked::Unknown { tries: 1, error }
            }
            Err(Exhausted { tries, error }) => {
                self.state().standing = Standing::Unread;
                Looked::Unknown { tries, error }
            }
        }
    }

    /// What is published is another than the one in force, or could not be used before.
    async fn take(&self, published: Published, budget: &Budget) -> Looked {
        let same = |refused: &Refused| refused.unusable.tag == published.tag && refused.octets == published.octets;
        if !self.state().refused.as_ref().is_some_and(same) {
            let why = match self.compile(&published.octets) {
                Ok(pipeline) => return self.swap(pipeline, published.tag),
                Err(why) => why,
            };
            let unusable = Unusable { tag: published.tag, why };
            let mut state = self.state();
            let told = state.refused.as_ref().is_some_and(|refused| refused.told && refused.unusable == unusable);
            state.refused = Some(Refused { unusable, octets: published.octets, searched: false, told });
        }
        self.state().standing = Standing::Refused;
        if !self.goes_back {
            self.withdraw();
        } else if !self.is_published() || self.state().refused.as_ref().is_some_and(|refused| !refused.searched) {
            match self.search(budget).await {
                Ok(Some(swapped)) => return swapped,
                Ok(None) => {}
                // With what was published before, it can wait.
                Err(_) if self.is_published() => {}
                Err(Exhausted { tries, error }) => return Looked::Unknown { tries, error },
            }
        }
        match &mut self.state().refused {
            Some(refused) => {
                let first = !std::mem::replace(&mut refused.told, true);
                Looked::Refused { unusable: refused.unusable.clone(), first }
            }
            None => Looked::Same,
        }
    }

    /// Go back to the newest version that can be used. It may be what is published, where that was read badly: then the
    /// answer says so.
    async fn search(&self, budget: &Budget) -> Result<Option<Looked>, Exhausted> {
        let held = self.state().tag.clone();
        let found = earlier::newest(&self.store, budget, held.as_deref(), |octets| self.compile(octets)).await?;
        if let Some(refused) = &mut self.state().refused {
            refused.searched = true;
        }
        let Found::Sound { pipeline, tag, first } = found else { return Ok(None) };
        if first && self.state().standing == Standing::Refused {
            return Ok(Some(self.swap(*pipeline, tag)));
        }
        let digest = pipeline.digest().to_owned();
        self.put_in_force(*pipeline, tag);
        tracing::warn!(digest, "a rule set that was published before is in force");
        Ok(None)
    }

    /// Take the one in force out of it.
    fn withdraw(&self) {
        let mut state = self.state();
        state.tag = None;
        if let Some(before) = state.pipeline.take() {
            state.remember(before);
        }
    }

    fn swap(&self, pipeline: Pipeline, tag: String) -> Looked {
        let new = self.put_in_force(pipeline, tag);
        let mut state = self.state();
        (state.refused, state.standing) = (None, Standing::Good);
        if new { Looked::Swapped } else { Looked::Same }
    }

    /// Whether it is another than before.
    fn put_in_force(&self, pipeline: Pipeline, tag: String) -> bool {
        let mut state = self.state();
        state.tag = Some(tag);
        let pipeline = Arc::new(pipeline);
        let Some(before) = state.pipeline.replace(Arc::clone(&pipeline)) else { return true };
        let new = before.digest() != pipeline.digest();
        if new {
            state.remember(before);
        }
        new
    }

    fn is_time(&self) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        let every = if state.standing == Standing::Unread { self.every.min(AGAIN) } else { self.every };
        let due = state.asked.is_none_or(|asked| now.duration_since(asked) >= every);
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

    /// What is published, what was asked for, and what was published before, the newest first.
    #[derive(Debug)]
    struct Shelf(Mutex<On>, Mutex<Result<Vec<Published>, PortError>>);

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
        async fn versions(&self) -> Result<Vec<Version>, PortError> {
            let versions = self.1.lock().unwrap().clone()?.into_iter().enumerate();
            Ok(versions.map(|(at, version)| Version { id: at.to_string(), tag: version.tag }).collect())
        }
        async fn version(&self, version: &Version) -> Result<Published, PortError> {
            let versions = self.1.lock().unwrap().clone()?;
            Ok(versions[version.id.parse::<usize>().unwrap()].clone())
        }
    }

    fn rules(name: &str) -> String {
        format!("[[rule]]\nname = \"{name}\"\naction = {{ kind = \"drop\" }}\n")
    }

    fn packed(text: &str) -> String {
        serde_json::json!({ "mailwright": 1, "files": { "r.toml": text } }).to_string()
    }

    fn in_force() -> InForce<Shelf> {
        let shelf =
            Shelf(Mutex::new((Err(PortError::permanent(Refusal::Gone, "")), Vec::new())), Mutex::new(Ok(vec![])));
        let first = Pipeline::from_sources(vec![("r.toml".into(), rules("first"))]).unwrap();
        InForce::new(first, shelf, Provisions::default(), Duration::from_mins(1))
    }

    fn publish(rules: &InForce<Shelf>, tag: &str, text: &str) {
        let published = Published { tag: tag.into(), octets: Bytes::from(packed(text)) };
        rules.store.0.lock().unwrap().0 = Ok(published.clone());
        if let Ok(versions) = &mut *rules.store.1.lock().unwrap() {
            versions.insert(0, published);
        }
    }

    /// A process that begins now, where the same was published.
    fn begun(other: &InForce<Shelf>) -> InForce<Shelf> {
        let new = in_force();
        new.store.0.lock().unwrap().0 = other.store.0.lock().unwrap().0.clone();
        *new.store.1.lock().unwrap() = other.store.1.lock().unwrap().clone();
        new
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

    #[tokio::test(start_paused = true)]
    async fn all_processes_come_to_the_newest_that_can_be_used() {
        let (asleep, awake) = (in_force(), in_force());
        let bad = "[[rule]]\nname = 3\n";
        for (at, text) in [rules("one"), rules("two"), bad.to_owned(), format!("{bad}\n")].iter().enumerate() {
            publish(&asleep, &at.to_string(), text);
            publish(&awake, &at.to_string(), text);
            later(&awake).await;
            if at == 0 {
                look(&asleep).await;
            }
        }
        let why = "R004 r.toml:1:1, R003 r.toml:2:8";
        let begun = begun(&awake);
        for rules in [&asleep, &awake, &begun] {
            let (names, looked) = later(rules).await;
            assert_eq!((names.as_str(), rules.is_published(), rules.standing()), ("two", true, Standing::Refused));
            assert!(matches!(looked, Looked::Refused { unusable: Unusable { why: said, .. }, .. } if said == why));
            assert_eq!(later(rules).await.1, refused("3", why, false), "it is told once");
        }
        // A deleted one leads to the same.
        let deleted = self::begun(&awake);
        deleted.store.0.lock().unwrap().0 = Err(PortError::permanent(Refusal::Location, ""));
        let (names, looked) = look(&deleted).await;
        assert!(names == "two" && matches!(looked, Looked::Unknown { tries: 1, .. }), "{looked:?}");
        assert!(deleted.is_published() && deleted.standing() == Standing::Unread);
        let digests: Vec<_> = awake.known().iter().map(|one| one.rules()[0].name.clone()).collect();
        assert_eq!(digests, ["two", "one", "first"], "those before it are still known");
    }

    #[tokio::test(start_paused = true)]
    async fn without_one_to_go_back_to_the_first_stays_and_is_not_called_published() {
        let bad = "[[rule]]\nname = 3\n";
        let none = in_force();
        publish(&none, "1", bad);
        let denied = in_force();
        publish(&denied, "1", bad);
        *denied.store.1.lock().unwrap() = Err(PortError::permanent(Refusal::Denied, ""));
        for rules in [&none, &denied] {
            let (names, looked) = look(rules).await;
            assert!(names == "first" && matches!(looked, Looked::Refused { first: true, .. }), "{looked:?}");
            assert!(!rules.is_published());
        }
        // Once somebody may see what was before, it is looked for again.
        publish(&none, "0", &rules("zero"));
        if let Ok(versions) = &mut *none.store.1.lock().unwrap() {
            versions.reverse();
        }
        none.store.0.lock().unwrap().0 = Ok(Published { tag: "1".into(), octets: Bytes::from(packed(bad)) });
        let (names, looked) = later(&none).await;
        assert!(names == "zero" && matches!(looked, Looked::Refused { first: false, .. }), "{looked:?}");
        // In passing nobody can say: that is no answer, and the next look asks again.
        let busy = in_force();
        publish(&busy, "1", &rules("one"));
        publish(&busy, "2", bad);
        let versions =
            std::mem::replace(&mut *busy.store.1.lock().unwrap(), Err(PortError::transient(Trouble::Unavailable, "")));
        let (names, looked) = look(&busy).await;
        assert!(names == "first" && matches!(looked, Looked::Unknown { tries: 2.., .. }), "{looked:?}");
        *busy.store.1.lock().unwrap() = versions;
        let (names, looked) = later(&busy).await;
        assert!(names == "one" && matches!(looked, Looked::Refused { first: true, .. }), "{looked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_cut_short_on_its_way_is_not_held_against_it() {
        let whole = Bytes::from(packed(&rules("whole")));
        let cut = whole.slice(..whole.len() / 2);
        // Read again as a version, it is whole.
        let once = in_force();
        publish(&once, "1", &rules("whole"));
        once.store.0.lock().unwrap().0 = Ok(Published { tag: "1".into(), octets: cut.clone() });
        assert_eq!(look(&once).await, ("whole".into(), Looked::Swapped));
        assert_eq!(once.standing(), Standing::Good);
        // Cut each time, and whole at the next look.
        let often = in_force();
        let half = Published { tag: "1".into(), octets: cut };
        *often.store.0.lock().unwrap() = (Ok(half.clone()), Vec::new());
        *often.store.1.lock().unwrap() = Ok(vec![half]);
        let (names, looked) = look(&often).await;
        assert!(names == "first" && matches!(looked, Looked::Refused { first: true, .. }), "{looked:?}");
        often.store.0.lock().unwrap().0 = Ok(Published { tag: "1".into(), octets: whole });
        assert_eq!(later(&often).await, ("whole".into(), Looked::Swapped));
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_read_is_asked_for_again_in_a_minute_however_rare_looks_are() {
        let mut rare = in_force();
        rare.every = Duration::from_hours(24);
        assert!(matches!(look(&rare).await.1, Looked::Unknown { .. }));
        publish(&rare, "1", &rules("second"));
        assert_eq!(look(&rare).await.1, Looked::Later);
        assert_eq!(later(&rare).await, ("second".into(), Looked::Swapped));
        assert_eq!(later(&rare).await.1, Looked::Later, "and now it can wait");
    }

    #[tokio::test(start_paused = true)]
    async fn a_candidate_is_what_is_published_and_no_other() {
        let shelf = in_force().store;
        let candidate = InForce::candidate(shelf, Provisions::default(), Duration::from_mins(1));
        let budget = || Budget::new(Instant::now(), Instant::now() + Duration::from_secs(14));
        for (at, text) in [rules("one"), "[[rule]]\nname = 3\n".to_owned(), rules("two")].iter().enumerate() {
            publish(&candidate, &at.to_string(), text);
            candidate.look(&budget(), true).await;
            assert_eq!(candidate.pipeline().is_some(), at != 1, "{at}");
        }
        // What cannot be read in passing is what it was; what is gone is gone.
        for (error, there) in [
            (PortError::transient(Trouble::Unavailable, ""), true),
            (PortError::permanent(Refusal::Location, ""), false),
        ] {
            candidate.store.0.lock().unwrap().0 = Err(error);
            candidate.look(&budget(), true).await;
            assert_eq!(candidate.pipeline().is_some(), there);
        }
        assert_eq!(candidate.known().len(), 2);
    }
}
