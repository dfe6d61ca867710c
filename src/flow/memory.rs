//! The ports in memory: for tests, and for replaying messages without AWS. They can be told to fail.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::key::{Bucket, MessageId, ObjectKey};
use super::ports::{Content, Location, MessageFlow, ObjectStore, PortError, Refusal};
use super::put_checks;
use crate::stored::Stored;

/// A message flow and an object store in one, as a put-back reads what was stored.
#[derive(Debug)]
pub struct Memory {
    bucket: Bucket,
    state: Mutex<State>,
}

/// One of the calls that a port takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`MessageFlow::fetch`].
    Fetch,
    /// [`ObjectStore::put`].
    Put,
    /// [`ObjectStore::keep`].
    Keep,
    /// [`MessageFlow::put_back`].
    PutBack,
}

/// How a call fails.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It fails and does nothing.
    Before(PortError),
    /// It does what it should and fails then: the answer was lost.
    After(PortError),
    /// It never answers.
    Hang,
}

#[derive(Debug, Default)]
struct State {
    strict: bool,
    messages: HashMap<MessageId, Bytes>,
    objects: HashMap<String, Bytes>,
    once: HashMap<Call, VecDeque<Fault>>,
    always: HashMap<Call, Fault>,
    calls: Vec<Call>,
}

impl Memory {
    /// Nothing in it.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket, state: Mutex::default() }
    }
    /// Put a message in transit.
    pub fn insert(&self, id: MessageId, raw: impl Into<Bytes>) {
        self.state().messages.insert(id, raw.into());
    }
    /// The message as it stands now.
    pub fn message(&self, id: &MessageId) -> Option<Bytes> {
        self.state().messages.get(id).cloned()
    }
    /// Take a message out.
    pub fn remove(&self, id: &MessageId) -> Option<Bytes> {
        self.state().messages.remove(id)
    }
    /// The keys of all stored objects, sorted.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.state().objects.keys().cloned().collect();
        keys.sort();
        keys
    }
    /// A stored object.
    pub fn object(&self, key: &str) -> Option<Bytes> {
        self.state().objects.get(key).cloned()
    }
    /// Let a put-back demand what WorkMail does ([`put_checks`]).
    pub fn demand_as_workmail_does(&self) {
        self.state().strict = true;
    }
    /// Let the next such call fail; said twice, the next two.
    pub fn fail_once(&self, call: Call, fault: Fault) {
        self.state().once.entry(call).or_default().push_back(fault);
    }
    /// Let every such call fail.
    pub fn fail_always(&self, call: Call, fault: Fault) {
        self.state().always.insert(call, fault);
    }
    /// All calls so far, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer<T>(
        &self,
        call: Call,
        work: impl FnOnce(&mut State) -> Result<T, PortError> + Send,
    ) -> Result<T, PortError> {
        let fault = {
            let mut state = self.state();
            state.calls.push(call);
            let next = state.once.get_mut(&call).and_then(VecDeque::pop_front);
            next.or_else(|| state.always.get(&call).cloned())
        };
        match fault {
            None => work(&mut self.state()),
            Some(Fault::Before(error)) => Err(error),
            Some(Fault::After(error)) => {
                work(&mut self.state())?;
                Err(error)
            }
            Some(Fault::Hang) => std::future::pending().await,
        }
    }
}

impl MessageFlow for Memory {
    async fn fetch(&self, id: &MessageId) -> Result<Bytes, PortError> {
        self.answer(Call::Fetch, |state| state.messages.get(id).cloned().ok_or_else(gone)).await
    }

    async fn put_back(&self, id: &MessageId, location: &Location) -> Result<(), PortError> {
        self.answer(Call::PutBack, |state| {
            let object = state.objects.get(location.key.as_str()).cloned();
            let object = object.ok_or_else(|| PortError::permanent(Refusal::Location, "no such object"))?;
            let message = state.messages.get_mut(id).ok_or_else(gone)?;
            if state.strict {
                put_checks::put(&object, message)
                    .map_err(|why| PortError::permanent(Refusal::Rejected, why.to_string()))?;
            }
            *message = object;
            Ok(())
        })
        .await
    }
}

impl ObjectStore for Memory {
    async fn put(&self, key: &ObjectKey, content: &Content) -> Result<Location, PortError> {
        self.answer(Call::Put, |state| {
            state.objects.insert(key.as_str().to_owned(), content.chunks().concat().into());
            Ok(Location { bucket: self.bucket.clone(), key: key.clone(), version: None })
        })
        .await
    }

    async fn keep(&self, attachment: &Stored) -> Result<(), PortError> {
        self.answer(Call::Keep, |state| {
            state.objects.insert(attachment.key().to_owned(), attachment.content().clone());
            Ok(())
        })
        .await
    }
}

fn gone() -> PortError {
    PortError::permanent(Refusal::Gone, "")
}
