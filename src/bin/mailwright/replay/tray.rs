//! The ports of the function for a single message in memory: what is put is kept as the chunks that were handed over,
//! so a large message is not copied. If it is strict, it refuses a put as WorkMail does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use mailwright::flow::key::{Bucket, MessageId, ObjectKey};
use mailwright::flow::ports::{Content, Location, MessageFlow, ObjectStore, PortError, Refusal};
use mailwright::flow::put_checks;
use mailwright::stored::Stored;

/// A flow that holds one message, and a store that holds its rewritten form.
#[derive(Debug)]
pub struct Tray {
    bucket: Bucket,
    raw: Bytes,
    strict: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stored: Option<Content>,
    put_back: bool,
    kept: Vec<Stored>,
}

impl Tray {
    /// A flow that holds `raw`.
    pub fn new(bucket: Bucket, raw: Bytes, strict: bool) -> Self {
        Self { bucket, raw, strict, state: Mutex::default() }
    }

    /// What was put back, with the attachments that were stored for it; `None` where the message stays as it came in.
    pub fn into_rewritten(self) -> Option<(Content, Vec<Stored>)> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.stored.filter(|_| state.put_back).map(|content| (content, state.kept))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MessageFlow for Tray {
    async fn fetch(&self, _: &MessageId) -> Result<Bytes, PortError> {
        Ok(self.raw.clone())
    }

    async fn put_back(&self, _: &MessageId, _: &Location) -> Result<(), PortError> {
        let mut state = self.state();
        let Some(stored) = &state.stored else {
            return Err(PortError::permanent(Refusal::Location, "nothing was stored"));
        };
        if self.strict {
            put_checks::put(&stored.chunks().concat(), &self.raw)
                .map_err(|why| PortError::permanent(Refusal::Rejected, why.to_string()))?;
        }
        state.put_back = true;
        Ok(())
    }
}

impl ObjectStore for Tray {
    async fn put(&self, key: &ObjectKey, content: &Content) -> Result<Location, PortError> {
        self.state().stored = Some(content.clone());
        Ok(Location { bucket: self.bucket.clone(), key: key.clone(), version: None })
    }

    async fn keep(&self, attachment: &Stored) -> Result<(), PortError> {
        self.state().kept.push(attachment.clone());
        Ok(())
    }
}
