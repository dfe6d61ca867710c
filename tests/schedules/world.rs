//! The message in transit, the bucket, and what befalls the calls.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mailwright::flow::key::{Bucket, MessageId, ObjectKey};
use mailwright::flow::ports::{Content, Location, MessageFlow, ObjectStore, PortError, Refusal, Trouble};
use mailwright::flow::put_checks;
use mailwright::stored::Stored;
use tokio::time::sleep;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Happens {
    Works,
    /// It fails and does nothing.
    Fails(Trouble),
    /// It does its work, and the answer is lost.
    Loses(Trouble),
    /// It never answers: with work done before or not.
    Hangs(bool),
    /// It is refused for good.
    Refuses(Refusal),
    /// The process dies in it: with work done before or not.
    Dies(bool),
    /// It takes so many milliseconds.
    Slow(u64),
}

/// SplitMix64: small, and the same everywhere.
pub struct Random(pub AtomicU64);

impl Random {
    pub fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn below(&self, limit: u64) -> u64 {
        self.next() % limit
    }
    pub fn one_of<T: Copy>(&self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
    fn trouble(&self) -> Trouble {
        self.one_of(&[Trouble::Throttled, Trouble::Unavailable, Trouble::Timeout, Trouble::Connection])
    }
    fn refusal(&self) -> Refusal {
        use Refusal::{Denied, Frozen, Invalid, Location, Rejected};
        self.one_of(&[Frozen, Rejected, Location, Denied, Invalid])
    }
}

/// The message in transit, the bucket, and what befalls the calls.
pub struct World {
    pub random: Random,
    /// Faults of 100 calls, while they last.
    share: u64,
    /// Whether calls are refused for good, too.
    refuses: bool,
    calls_with_faults: AtomicU64,
    /// Whether the message was given out cut short the last time: not twice in a row.
    was_cut: AtomicBool,
    /// How often it was.
    pub cut: AtomicU64,
    message: Mutex<Bytes>,
    pub objects: Mutex<Vec<(ObjectKey, Bytes)>>,
    /// Every content that the message ever had.
    pub seen: Mutex<Vec<Bytes>>,
    pub refused: AtomicU64,
    pub died: tokio::sync::Notify,
}

impl World {
    pub fn new(schedule: u64, original: &Bytes) -> Self {
        let random = Random(AtomicU64::new(schedule.wrapping_mul(0x0102_0304_0506_0709)));
        let (share, refuses, calls) = (random.below(95), random.below(4) == 0, random.below(60));
        Self {
            random,
            share,
            refuses,
            calls_with_faults: AtomicU64::new(calls),
            was_cut: AtomicBool::new(false),
            cut: AtomicU64::new(0),
            message: Mutex::new(original.clone()),
            objects: Mutex::default(),
            seen: Mutex::new(vec![original.clone()]),
            refused: AtomicU64::new(0),
            died: tokio::sync::Notify::new(),
        }
    }
    /// Whether all calls work from now on.
    pub fn is_calm(&self) -> bool {
        self.calls_with_faults.load(Ordering::Relaxed) == 0
    }
    /// The same where nothing goes wrong.
    pub fn calm(original: &Bytes) -> Self {
        Self { share: 0, ..Self::new(0, original) }
    }
    fn befalls(&self) -> Happens {
        let left = self.calls_with_faults.load(Ordering::Relaxed);
        self.calls_with_faults.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 0 || self.random.below(100) >= self.share {
            return Happens::Works;
        }
        match self.random.below(if self.refuses { 8 } else { 7 }) {
            0 | 1 => Happens::Fails(self.random.trouble()),
            2 | 3 => Happens::Loses(self.random.trouble()),
            4 => Happens::Hangs(self.random.below(2) == 0),
            5 => Happens::Dies(self.random.below(2) == 0),
            6 => Happens::Slow(self.random.below(9_000)),
            _ => Happens::Refuses(self.random.refusal()),
        }
    }
    pub async fn call<T: Send>(&self, work: impl FnOnce() -> Result<T, PortError> + Send) -> Result<T, PortError> {
        match self.befalls() {
            Happens::Works => work(),
            Happens::Fails(trouble) => Err(PortError::transient(trouble, "")),
            Happens::Loses(trouble) => work().and_then(|_| Err(PortError::transient(trouble, ""))),
            Happens::Hangs(done) => {
                let _ = done.then(work);
                std::future::pending().await
            }
            Happens::Dies(done) => {
                let _ = done.then(work);
                self.died.notify_one();
                std::future::pending().await
            }
            Happens::Slow(ms) => {
                sleep(Duration::from_millis(ms)).await;
                work()
            }
            Happens::Refuses(refusal) => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Err(PortError::permanent(refusal, ""))
            }
        }
    }
    /// The message, or now and then the beginning of it, up to the midst of a line.
    fn given_out(&self, whole: Bytes) -> Bytes {
        let was_cut = self.was_cut.swap(false, Ordering::Relaxed);
        if self.is_calm() || was_cut || self.random.below(10) > 0 {
            return whole;
        }
        let at = usize::try_from(self.random.below(whole.len() as u64)).unwrap();
        let end = (0..=at).rev().find(|end| !whole[..*end].ends_with(b"\n")).unwrap_or(0);
        self.was_cut.store(true, Ordering::Relaxed);
        self.cut.fetch_add(1, Ordering::Relaxed);
        whole.slice(..end)
    }
    pub fn now(&self) -> Bytes {
        self.message.lock().unwrap().clone()
    }
}

impl MessageFlow for World {
    async fn fetch(&self, _: &MessageId) -> Result<Bytes, PortError> {
        self.call(|| Ok(self.now())).await.map(|whole| self.given_out(whole))
    }
    async fn put_back(&self, _: &MessageId, location: &Location) -> Result<(), PortError> {
        self.call(|| {
            let objects = self.objects.lock().unwrap();
            // As S3 does, by its last version.
            let object = objects.iter().rev().find(|(key, _)| *key == location.key).map(|(_, object)| object.clone());
            let object = object.ok_or_else(|| PortError::permanent(Refusal::Location, "no such object"))?;
            put_checks::put(&object, &self.now())
                .map_err(|why| PortError::permanent(Refusal::Rejected, why.to_string()))?;
            self.seen.lock().unwrap().push(object.clone());
            *self.message.lock().unwrap() = object;
            Ok(())
        })
        .await
    }
}

impl ObjectStore for World {
    async fn put(&self, key: &ObjectKey, content: &Content) -> Result<Location, PortError> {
        let object = Bytes::from(content.chunks().concat());
        self.call(|| {
            self.objects.lock().unwrap().push((key.clone(), object));
            Ok(Location { bucket: Bucket::new("bucket").unwrap(), key: key.clone(), version: None })
        })
        .await
    }

    async fn keep(&self, attachment: &Stored) -> Result<(), PortError> {
        let key = ObjectKey::new(attachment.key()).unwrap();
        self.call(|| {
            self.objects.lock().unwrap().push((key, attachment.content().clone()));
            Ok(())
        })
        .await
    }
}
