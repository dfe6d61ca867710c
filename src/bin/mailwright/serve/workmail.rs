//! WorkMail's message flow and S3 as a function sees them, in memory: what is in transit, and what was stored.
//!
//! A message can be fetched as long as it is kept (with WorkMail, for 24 hours). It can be put back until the function has
//! answered; from then on it is frozen. A put demands what WorkMail demands, as far as that is known
//! ([`put_checks`]). Buckets are there when they are named.
//!
//! Invariant: at most [`MAX_OBJECTS`] objects of [`MAX_OCTETS`] in all are kept; the oldest go first. Keys are names in a
//! table: nothing is written to the disk.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mailwright::facts::Timestamp;
use mailwright::flow::key::{Bucket, MessageId, ObjectKey};
use mailwright::flow::memory::{Call, Fault};
use mailwright::flow::ports::{Content, Location, MessageFlow, ObjectStore, PortError, Refusal};
use mailwright::flow::put_checks;
use mailwright::stored::Stored;

use super::fault::{At, Faults};
use super::object::{About, Deleted, Object, Octets, Pairs, version_id};

/// Where the function is told to put rewritten messages.
pub const BUCKET: &str = "rewritten-mail";
/// Where it is told to keep attachments.
pub const ATTACHMENTS: &str = "kept-attachments";
/// Most versions of objects.
const MAX_OBJECTS: usize = 10_000;
/// Most octets of all of them.
const MAX_OCTETS: usize = 192 * 1024 * 1024;

/// The flow and the store.
#[derive(Debug)]
pub struct WorkMail {
    faults: Faults,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    messages: HashMap<MessageId, Held>,
    objects: BTreeMap<Name, Vec<Object>>,
    /// In the order of their coming.
    ages: VecDeque<(Name, u64)>,
    octets: usize,
    most_octets: usize,
    versions: u64,
}

/// Bucket and key.
pub type Name = (String, String);

#[derive(Debug)]
struct Held {
    content: Bytes,
    put: bool,
    frozen: bool,
}

impl WorkMail {
    /// Nothing in it.
    pub fn new(faults: Faults) -> Self {
        Self::limited(faults, MAX_OCTETS)
    }
    fn limited(faults: Faults, most_octets: usize) -> Self {
        Self { faults, state: Mutex::new(State { most_octets, ..State::default() }) }
    }
    /// What befalls this call.
    pub fn fault(&self, at: At) -> Option<Fault> {
        self.faults.next(at)
    }

    // -- messages --

    /// A message is in transit, as it came; again, if it was before.
    pub fn begin(&self, id: &MessageId, raw: Bytes) {
        self.state().messages.insert(id.clone(), Held { content: raw, put: false, frozen: false });
    }
    /// The function has answered. What was put back, if anything was.
    pub fn freeze(&self, id: &MessageId) -> Option<Bytes> {
        let mut state = self.state();
        let held = state.messages.get_mut(id)?;
        held.frozen = true;
        held.put.then(|| held.content.clone())
    }
    /// All others that have passed are kept no longer.
    pub fn keep_only(&self, kept: impl Fn(&MessageId) -> bool) {
        self.state().messages.retain(|id, held| !held.frozen || kept(id));
    }
    /// `GetRawMessageContent`, without faults.
    pub fn message(&self, id: &MessageId) -> Result<Bytes, PortError> {
        self.state().messages.get(id).map(|held| held.content.clone()).ok_or_else(gone)
    }
    /// `PutRawMessageContent`, without faults.
    pub fn replace(&self, id: &MessageId, bucket: &str, key: &str, version: Option<&str>) -> Result<(), PortError> {
        let before = {
            let state = self.state();
            let held = state.messages.get(id).ok_or_else(gone)?;
            if held.frozen {
                return Err(PortError::permanent(Refusal::Frozen, "the function has answered for it"));
            }
            held.content.clone()
        };
        let object = self.object(bucket, key, version);
        let object = object.ok_or_else(|| PortError::permanent(Refusal::Location, "no such object"))?;
        put_checks::put(&object.content, &before)
            .map_err(|why| PortError::permanent(Refusal::Rejected, why.to_string()))?;
        if let Some(held) = self.state().messages.get_mut(id).filter(|held| !held.frozen) {
            held.content = object.content;
            held.put = true;
        }
        Ok(())
    }

    // -- objects --

    /// Store a version of an object.
    pub fn store(&self, bucket: &str, key: &str, octets: Octets, about: About) -> Object {
        let Octets { content, tag, checksum } = octets;
        let mut state = self.state();
        state.versions += 1;
        let stored = Timestamp::now();
        let object = Object { content, about, is_deleted: false, version: state.versions, stored, tag, checksum };
        state.add((bucket.to_owned(), key.to_owned()), object.clone());
        object
    }
    /// The newest version of an object, or the one that is named.
    pub fn object(&self, bucket: &str, key: &str, version: Option<&str>) -> Option<Object> {
        let state = self.state();
        let versions = state.objects.get(&(bucket.to_owned(), key.to_owned()))?;
        let object = match version {
            None => versions.last(),
            Some(text) => versions.iter().find(|object| version_id(object.version) == text),
        };
        object.filter(|object| !object.is_deleted).cloned()
    }
    /// Give the newest version of an object, or the one that is named, these tags. Which it is.
    pub fn tag(&self, bucket: &str, key: &str, version: Option<&str>, tags: Pairs) -> Option<u64> {
        let mut state = self.state();
        let versions = state.objects.get_mut(&(bucket.to_owned(), key.to_owned()))?;
        let object = match version {
            None => versions.last_mut(),
            Some(text) => versions.iter_mut().find(|object| version_id(object.version) == text),
        };
        let object = object.filter(|object| !object.is_deleted)?;
        let before = object.octets();
        object.about.tags = tags;
        let (after, version) = (object.octets(), object.version);
        state.octets = (state.octets + after).saturating_sub(before);
        Some(version)
    }

    /// Delete an object, so that its versions stay and the newest says that it is deleted; or remove a version. `None` where
    /// there is nothing to remove.
    pub fn delete(&self, bucket: &str, key: &str, version: Option<&str>) -> Option<Deleted> {
        let name: Name = (bucket.to_owned(), key.to_owned());
        let mut state = self.state();
        let Some(text) = version else {
            state.versions += 1;
            let (version, stored) = (state.versions, Timestamp::now());
            let (content, about, tag) = (Bytes::new(), About::default(), String::new());
            state.add(name, Object { content, about, is_deleted: true, version, stored, tag, checksum: None });
            return Some(Deleted { version, says_so: true });
        };
        let object = state.objects.get(&name)?.iter().find(|object| version_id(object.version) == text)?;
        let deleted = Deleted { version: object.version, says_so: object.is_deleted };
        state.remove(&name, deleted.version);
        state.ages.retain(|(one, version)| *one != name || *version != deleted.version);
        Some(deleted)
    }
    /// The buckets that hold something.
    pub fn buckets(&self) -> Vec<String> {
        let mut buckets: Vec<String> = self.state().objects.keys().map(|(bucket, _)| bucket.clone()).collect();
        buckets.dedup();
        buckets
    }
    /// The newest versions of the objects of a bucket whose keys begin with `prefix` and come behind `after`, by their keys.
    pub fn list(&self, bucket: &str, prefix: &str, after: &str) -> Vec<(String, Object)> {
        let newest = |(key, mut versions): (String, Vec<Object>)| Some((key, versions.pop()?));
        let all = self.versions(bucket, prefix, after).into_iter().filter_map(newest);
        all.filter(|(key, object)| !object.is_deleted && (after.is_empty() || key.as_str() > after)).collect()
    }
    /// All versions, the oldest first, of the objects of a bucket whose keys begin with `prefix`, from `from` on, by their
    /// keys.
    pub fn versions(&self, bucket: &str, prefix: &str, from: &str) -> Vec<(String, Vec<Object>)> {
        let state = self.state();
        let first: Name = (bucket.to_owned(), prefix.max(from).to_owned());
        let here = state.objects.range(first..).take_while(|((one, key), _)| one == bucket && key.starts_with(prefix));
        here.map(|((_, key), versions)| (key.clone(), versions.clone())).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call with what befalls it.
    async fn answer<T>(&self, call: Call, work: impl FnOnce() -> Result<T, PortError> + Send) -> Result<T, PortError> {
        match self.fault(At::Call(call)) {
            None => work(),
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::After(error)) => {
                work()?;
                Err(error)
            }
            Some(Fault::Hang) => std::future::pending().await,
        }
    }
}

impl State {
    fn add(&mut self, name: Name, object: Object) {
        self.octets += object.octets();
        self.ages.push_back((name.clone(), object.version));
        self.objects.entry(name).or_default().push(object);
        while self.ages.len() > 1 && (self.ages.len() > MAX_OBJECTS || self.octets > self.most_octets) {
            let Some((name, version)) = self.ages.pop_front() else { break };
            self.remove(&name, version);
        }
    }

    fn remove(&mut self, name: &Name, version: u64) {
        let Some(versions) = self.objects.get_mut(name) else { return };
        let place = versions.iter().position(|object| object.version == version);
        let removed = place.map(|place| versions.remove(place));
        self.octets = self.octets.saturating_sub(removed.as_ref().map_or(0, Object::octets));
        if versions.is_empty() {
            self.objects.remove(name);
        }
    }
}

fn gone() -> PortError {
    PortError::permanent(Refusal::Gone, "Unknown messageId")
}

impl MessageFlow for WorkMail {
    async fn fetch(&self, id: &MessageId) -> Result<Bytes, PortError> {
        self.answer(Call::Fetch, || self.message(id)).await
    }

    async fn put_back(&self, id: &MessageId, location: &Location) -> Result<(), PortError> {
        let (bucket, key) = (location.bucket.as_str(), location.key.as_str());
        self.answer(Call::PutBack, || self.replace(id, bucket, key, location.version.as_deref())).await
    }
}

impl ObjectStore for WorkMail {
    async fn put(&self, key: &ObjectKey, content: &Content) -> Result<Location, PortError> {
        let bucket = Bucket::new(BUCKET).map_err(|error| PortError::permanent(Refusal::Invalid, error.to_string()))?;
        self.answer(Call::Put, || {
            let octets = Octets::of(content.chunks().concat());
            let object = self.store(BUCKET, key.as_str(), octets, About::of("message/rfc822"));
            Ok(Location { bucket, key: key.clone(), version: Some(version_id(object.version)) })
        })
        .await
    }

    async fn keep(&self, attachment: &Stored) -> Result<(), PortError> {
        self.answer(Call::Keep, || {
            let octets = Octets::of(attachment.content().clone());
            self.store(ATTACHMENTS, attachment.key(), octets, About::of(attachment.safe_type()));
            Ok(())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW: &[u8] =
        b"From: ann@example.com\r\nTo: kim@customer.example\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\
                         Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nx\r\n";

    fn id(text: &str) -> MessageId {
        MessageId::new(text).unwrap()
    }

    fn refusal(done: &Result<(), PortError>) -> Option<Refusal> {
        match done {
            Err(PortError::Permanent { kind, .. }) => Some(*kind),
            _ => None,
        }
    }

    #[test]
    fn a_message_can_be_put_until_it_is_answered() {
        let workmail = WorkMail::new(Faults::default());
        let new = [b"X-Checked: yes\r\n", RAW].concat();
        workmail.store("my-bucket", "new", new.clone().into(), About::default());
        workmail.store("my-bucket", "long", [RAW, &vec![b'x'; 1_200], b"\r\n"].concat().into(), About::default());
        assert_eq!(refusal(&workmail.replace(&id("m"), "my-bucket", "new", None)), Some(Refusal::Gone));
        workmail.begin(&id("m"), RAW.into());
        assert_eq!(refusal(&workmail.replace(&id("m"), "my-bucket", "none", None)), Some(Refusal::Location));
        assert_eq!(refusal(&workmail.replace(&id("m"), "my-bucket", "new", Some("v9"))), Some(Refusal::Location));
        assert_eq!(refusal(&workmail.replace(&id("m"), "my-bucket", "long", None)), Some(Refusal::Rejected));
        assert_eq!(workmail.message(&id("m")).unwrap(), RAW);
        workmail.replace(&id("m"), "my-bucket", "new", None).unwrap();
        assert_eq!(workmail.freeze(&id("m")).unwrap(), new);
        assert_eq!(refusal(&workmail.replace(&id("m"), "my-bucket", "new", None)), Some(Refusal::Frozen));
        assert_eq!(workmail.message(&id("m")).unwrap(), new);
        // It runs again.
        workmail.begin(&id("m"), RAW.into());
        assert_eq!(workmail.freeze(&id("m")), None);
        workmail.keep_only(|_| false);
        assert!(workmail.message(&id("m")).is_err());
    }

    #[test]
    fn the_oldest_objects_go_when_there_are_too_many_or_too_large_ones() {
        let workmail = WorkMail::limited(Faults::default(), 192 << 10);
        let first = workmail.store("my-bucket", "k", vec![1; 100 << 10].into(), About::default());
        workmail.store("my-bucket", "k", vec![2; 80 << 10].into(), About::default());
        assert!(workmail.object("my-bucket", "k", Some(&version_id(first.version))).is_some());
        workmail.store("my-bucket", "other", vec![3; 30 << 10].into(), About::default());
        assert!(workmail.object("my-bucket", "k", Some(&version_id(first.version))).is_none());
        assert_eq!(workmail.object("my-bucket", "k", None).unwrap().content.first(), Some(&2));
        let second = version_id(workmail.object("my-bucket", "k", None).unwrap().version);
        let said = workmail.delete("my-bucket", "k", None).unwrap();
        assert!(said.says_so && workmail.object("my-bucket", "k", None).is_none());
        assert!(workmail.object("my-bucket", "k", Some(&second)).is_some());
        assert!(workmail.delete("my-bucket", "k", Some(&version_id(said.version))).unwrap().says_so);
        assert!(workmail.object("my-bucket", "k", None).is_some(), "what said so is gone");
        assert!(!workmail.delete("my-bucket", "k", Some(&second)).unwrap().says_so);
        assert_eq!(workmail.delete("my-bucket", "k", Some(&second)), None);
        assert!(workmail.object("my-bucket", "k", None).is_none());
        assert_eq!(workmail.state().octets, 30 << 10);
        assert_eq!(workmail.state().ages.len(), 1);
        for _ in 0..=MAX_OBJECTS {
            workmail.store("small", "k", Octets::of(&b"x"[..]), About::default());
        }
        assert_eq!(workmail.state().ages.len(), MAX_OBJECTS);
        assert_eq!(workmail.buckets(), ["small"]);
    }

    #[test]
    fn lists_begin_at_the_prefix_and_behind_a_key() {
        let workmail = WorkMail::new(Faults::default());
        for key in ["a", "b/1", "b/2", "b/3", "c"] {
            workmail.store("one", key, Vec::new().into(), About::default());
            workmail.store("two", key, Vec::new().into(), About::default());
        }
        let keys = |prefix, after| -> Vec<String> {
            workmail.list("one", prefix, after).into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(keys("", "").len(), 5);
        assert_eq!(keys("b/", ""), ["b/1", "b/2", "b/3"]);
        assert_eq!(keys("b/", "b/1"), ["b/2", "b/3"]);
        assert_eq!(keys("b/", "a"), ["b/1", "b/2", "b/3"]);
        assert_eq!(keys("", "b/3"), ["c"]);
        assert!(keys("d", "").is_empty() && keys("a", "c").is_empty());
        workmail.delete("one", "b/2", None);
        assert_eq!(keys("b/", ""), ["b/1", "b/3"]);
        let versions = workmail.versions("one", "b/", "b/2");
        let counts: Vec<(&str, usize)> = versions.iter().map(|(key, all)| (key.as_str(), all.len())).collect();
        assert_eq!(counts, [("b/2", 2), ("b/3", 1)]);
    }
}
