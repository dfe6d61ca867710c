//! A simulated WorkMail with its retries and its fallback, over ports that fail by a random schedule: whatever fails and
//! in whatever order, the message in transit is the original or the whole rewrite, and once the faults are over it is the
//! rewrite, exactly once. The same where between two tries another rule set is published, or the function's mode is changed:
//! then it is the rewrite of one of the rule sets, and no other touches it again. A schedule is made from its number alone: `SCHEDULE=17 cargo test --test schedules` runs that one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mailwright::flow::handler::{ANSWER_WITHIN, Handled, Settings, handle};
use mailwright::flow::key::{Bucket, MessageId, ObjectKey};
use mailwright::flow::mark::StampKey;
use mailwright::flow::mode::FlowMode;
use mailwright::flow::ports::{Content, Location, MessageFlow, ObjectStore, PortError, Refusal, Trouble};
use mailwright::flow::put_checks;
use mailwright::pipeline::{Pipeline, Verdict};
use mailwright::stored::Stored;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

const SCHEDULES: u64 = 4_000;
const ID: &str = "00000000-0000-4000-8000-000000000001";
/// WorkMail's rule timeout, at its longest (Administrator Guide).
const RULE_TIMEOUT: Duration = Duration::from_hours(4);

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Happens {
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
struct Random(AtomicU64);

impl Random {
    fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    fn below(&self, limit: u64) -> u64 {
        self.next() % limit
    }
    fn one_of<T: Copy>(&self, all: &[T]) -> T {
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
struct World {
    random: Random,
    /// Faults of 100 calls, while they last.
    share: u64,
    /// Whether calls are refused for good, too.
    refuses: bool,
    calls_with_faults: AtomicU64,
    message: Mutex<Bytes>,
    objects: Mutex<Vec<(ObjectKey, Bytes)>>,
    /// Every content that the message ever had.
    seen: Mutex<Vec<Bytes>>,
    refused: AtomicU64,
    died: tokio::sync::Notify,
}

impl World {
    fn new(schedule: u64, original: &Bytes) -> Self {
        let random = Random(AtomicU64::new(schedule.wrapping_mul(0x0102_0304_0506_0709)));
        let (share, refuses, calls) = (random.below(95), random.below(4) == 0, random.below(60));
        Self {
            random,
            share,
            refuses,
            calls_with_faults: AtomicU64::new(calls),
            message: Mutex::new(original.clone()),
            objects: Mutex::default(),
            seen: Mutex::new(vec![original.clone()]),
            refused: AtomicU64::new(0),
            died: tokio::sync::Notify::new(),
        }
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
    async fn call<T: Send>(&self, work: impl FnOnce() -> Result<T, PortError> + Send) -> Result<T, PortError> {
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
    fn now(&self) -> Bytes {
        self.message.lock().unwrap().clone()
    }
}

impl MessageFlow for World {
    async fn fetch(&self, _: &MessageId) -> Result<Bytes, PortError> {
        self.call(|| Ok(self.now())).await
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

/// A rule set and a message for it.
struct Case {
    name: &'static str,
    rules: &'static str,
    message: &'static str,
    /// The original must never be what a valid answer delivers.
    strict: bool,
}

const PLAIN: &str = "From: Ann <ann@example.com>\nTo: kim@customer.example\nDate: Mon, 5 Oct 2026 10:00:00 \
                     +0000\nMessage-ID: <1@example.com>\nSubject: Harvest plan\nMIME-Version: 1.0\nContent-Type: text/plain; \
                     charset=utf-8\n\nThe apples are ripe. Card 4111 1111 1111 1111.\n";

const CASES: &[Case] = &[
    Case {
        name: "a footer, each time anew",
        rules: "[[rule]]\nname = \"footer\"\naction = { kind = \"append\", text = \"Grown by Example\", once = \"always\" }\n",
        message: PLAIN,
        strict: false,
    },
    Case {
        name: "a footer and an answer",
        rules: "[[rule]]\nname = \"footer\"\naction = [{ kind = \"append\", text = \"Grown by Example\" }, { kind = \"drop\" }]\n",
        message: PLAIN,
        strict: false,
    },
    Case {
        name: "cards masked",
        rules: "[[rule]]\nname = \"cards\"\naction = { kind = \"redact\", detect = \"card\" }\n",
        message: PLAIN,
        strict: true,
    },
    Case {
        name: "nothing to do",
        rules: "[[rule]]\nname = \"tag\"\nwhen = { subject = \"Lottery\" }\naction = { kind = \"tag_subject\", tag = \"[X]\" }\n",
        message: PLAIN,
        strict: false,
    },
];

struct Prepared {
    case: &'static Case,
    pipeline: Pipeline,
    original: Bytes,
    rewrite: Bytes,
    answer: Value,
}

fn event() -> Value {
    json!({
        "envelope": {"mailFrom": {"address": "ann@example.com"}, "recipients": [{"address": "kim@customer.example"}]},
        "messageId": ID, "invocationId": "11111111111111111111111111111111", "flowDirection": "OUTBOUND", "truncated": false
    })
}

async fn invoke(pipeline: &Pipeline, mode: FlowMode, world: &World) -> Handled {
    let stamp_key = Some(StampKey::new("0123456789abcdef0123456789abcdef").unwrap());
    let settings = Settings { mode, stamp_key, ..Settings::default() };
    handle(&event(), Instant::now() + ANSWER_WITHIN, pipeline, world, world, &settings).await
}

async fn prepare(case: &'static Case) -> Prepared {
    let pipeline = Pipeline::from_sources(vec![("r.toml".to_owned(), case.rules.to_owned())]).unwrap();
    let original = Bytes::from(case.message.replace('\n', "\r\n"));
    let calm = World { share: 0, ..World::new(0, &original) };
    let handled = invoke(&pipeline, FlowMode::Enforce, &calm).await;
    let answer = serde_json::to_value(handled.answer.unwrap()).unwrap();
    Prepared { case, pipeline, rewrite: calm.now(), original, answer }
}

/// What WorkMail did in the end.
#[derive(Debug, PartialEq)]
enum End {
    /// `late`: the calls took so long that no time was left for rules, which their `on_error` let pass.
    Answered {
        answer: Value,
        late: bool,
        mode: FlowMode,
    },
    Fallback,
}

/// WorkMail calls, and calls again with growing pauses until its rule's timeout. `at_work` says for each try which rules and
/// which mode it meets.
async fn deliver<'p>(at_work: impl Fn() -> (&'p Pipeline, FlowMode), world: &World) -> End {
    let until = Instant::now() + RULE_TIMEOUT;
    let mut pause = Duration::from_secs(10);
    while Instant::now() < until {
        let (pipeline, mode) = at_work();
        let handled = tokio::select! {
            handled = timeout(ANSWER_WITHIN, invoke(pipeline, mode, world)) => handled.ok(),
            () = world.died.notified() => None,
        };
        if let Some(Handled { answer: Ok(answer), report }) = handled {
            let rules = report.rules.map(|report| report.rules).unwrap_or_default();
            let late = rules.iter().any(|rule| rule.verdict == Verdict::OutOfTime);
            return End::Answered { answer: serde_json::to_value(answer).unwrap(), late, mode };
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_mins(30));
    }
    End::Fallback
}

/// The numbers of the schedules to run, and whether it is one that somebody looks into.
fn schedules() -> (std::ops::Range<u64>, bool) {
    match std::env::var("SCHEDULE").ok().and_then(|number| number.parse::<u64>().ok()) {
        Some(number) => (number..number + 1, true),
        None => (0..SCHEDULES, false),
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_in_whatever_order_nothing_is_lost_doubled_or_half_done() {
    let mut cases = Vec::new();
    for case in CASES {
        cases.push(prepare(case).await);
    }
    let (schedules, alone) = schedules();
    let (mut retried, mut refused, mut fell_back) = (0, 0, 0);
    for schedule in schedules {
        let Prepared { case, pipeline, original, rewrite, answer } =
            &cases[usize::try_from(schedule).unwrap() % CASES.len()];
        let at = || format!("SCHEDULE={schedule}, {}", case.name);
        let world = World::new(schedule, original);
        let began = Instant::now();
        let end = deliver(|| (pipeline, FlowMode::Enforce), &world).await;
        for content in world.seen.lock().unwrap().iter() {
            assert!(content == original || content == rewrite, "{}: half done, or done twice", at());
        }
        let refusals = world.refused.load(Ordering::Relaxed);
        match &end {
            End::Answered { late: true, .. } => {
                assert!(!case.strict, "{}: what must not go out went out", at());
                assert!(world.now() == *original, "{}: put back, and not by the rules", at());
            }
            End::Answered { answer: told, .. } if refusals == 0 => {
                assert_eq!(told, answer, "{}", at());
                assert!(world.now() == *rewrite, "{}: the rewrite was lost", at());
            }
            End::Answered { .. } if case.strict => {
                assert!(world.now() == *rewrite, "{}: what must not go out went out", at());
            }
            End::Answered { .. } => {}
            End::Fallback => assert!(refusals > 0 || case.strict, "{}: the faults were over long before", at()),
        }
        retried += u32::from(began.elapsed() > ANSWER_WITHIN);
        refused += u32::from(refusals > 0);
        fell_back += u32::from(end == End::Fallback);
    }
    // The schedules are worth something only if they hit.
    assert!(
        alone || (retried > 500 && refused > 100),
        "{retried} were tried again, {refused} refused, {fell_back} given up"
    );
}

const fn case(name: &'static str, rules: &'static str, strict: bool) -> Case {
    Case { name, rules, message: PLAIN, strict }
}

/// What is published in place of what. `strict`: both are.
const SWAPS: &[[Case; 2]] = &[
    [
        case(
            "a footer",
            "[[rule]]\nname = \"footer\"\naction = { kind = \"append\", text = \"Grown by Example\", once = \"always\" }\n",
            false,
        ),
        case(
            "another footer",
            "[[rule]]\nname = \"footer\"\naction = { kind = \"append\", text = \"Sold by Example\", once = \"always\" }\n",
            false,
        ),
    ],
    [
        case(
            "a footer, and dropped",
            "[[rule]]\nname = \"footer\"\naction = [{ kind = \"append\", text = \"Grown by Example\" }, { kind = \"drop\" }]\n",
            false,
        ),
        case(
            "a tag, and bounced",
            "[[rule]]\nname = \"tag\"\naction = { kind = \"tag_subject\", tag = \"[X]\" }\n\
             [[rule]]\nname = \"footer\"\naction = { kind = \"bounce\", message = \"No.\" }\n",
            false,
        ),
    ],
    [
        case("cards", "[[rule]]\nname = \"cards\"\naction = { kind = \"redact\", detect = \"card\" }\n", true),
        case(
            "cards and a footer",
            "[[rule]]\nname = \"cards\"\naction = { kind = \"redact\", detect = \"card\", style = \"stars\" }\n\
             [[rule]]\nname = \"footer\"\naction = { kind = \"append\", text = \"Grown\", once = \"always\" }\n",
            true,
        ),
    ],
    [
        case(
            "nothing to do",
            "[[rule]]\nname = \"n\"\naction = { kind = \"remove_header\", name = \"X-None\" }\n",
            false,
        ),
        case(
            "a stamp",
            "[[rule]]\nname = \"n\"\naction = { kind = \"add_header\", name = \"X-Seen\", value = \"1\" }\n",
            false,
        ),
    ],
];

#[tokio::test(start_paused = true)]
async fn whatever_is_changed_between_two_tries_the_message_is_rewritten_once_by_one_rule_set() {
    let mut cases = Vec::new();
    for [one, other] in SWAPS {
        cases.push([prepare(one).await, prepare(other).await]);
    }
    let (schedules, alone) = schedules();
    let (mut swapped, mut observed, mut repeated) = (0, 0, 0);
    for schedule in schedules {
        let pair = &cases[usize::try_from(schedule).unwrap() % cases.len()];
        let strict = pair[0].case.strict;
        let original = &pair[0].original;
        let at = || format!("SCHEDULE={schedule}, {} and {}", pair[0].case.name, pair[1].case.name);
        let world = World::new(schedule, original);
        // In a third of them the mode changes, too.
        let modes = world.random.below(3) == 0;
        let met = Mutex::new(Vec::new());
        let at_work = || {
            let which = usize::try_from(world.random.below(2)).unwrap();
            let mode = if modes { world.random.one_of(&FlowMode::ALL) } else { FlowMode::Enforce };
            met.lock().unwrap().push((which, mode));
            (&pair[which].pipeline, mode)
        };
        let end = deliver(at_work, &world).await;
        let met = met.into_inner().unwrap();

        // All that it ever was: as it came, and after that one rewrite of one rule set.
        let mut seen = world.seen.lock().unwrap().clone();
        seen.dedup();
        let rewrites: Vec<&Bytes> = seen.iter().filter(|content| *content != original).collect();
        assert!(rewrites.len() <= 1, "{}: rewritten twice", at());
        let whole = |content: &&Bytes| pair.iter().any(|prepared| prepared.rewrite == **content);
        assert!(rewrites.iter().all(whole), "{}: half done, or done twice", at());
        if met.iter().all(|(_, mode)| *mode != FlowMode::Enforce) {
            assert!(rewrites.is_empty(), "{}: rewritten while it only looked on", at());
        }
        let now = world.now();
        let calm = world.refused.load(Ordering::Relaxed) == 0;
        match &end {
            End::Answered { answer, mode, .. } if *mode != FlowMode::Enforce => {
                let delivered = json!({"actions": [{"action": {"type": "DEFAULT"}, "allRecipients": true}]});
                assert_eq!(*answer, delivered, "{}", at());
                observed += 1;
            }
            End::Answered { late: true, .. } => assert!(!strict, "{}: what must not go out went out", at()),
            End::Answered { answer, .. } if calm => {
                assert!(pair.iter().any(|prepared| *answer == prepared.answer), "{}: {answer}", at());
                assert!(pair.iter().any(|prepared| now == prepared.rewrite), "{}: the rewrite was lost", at());
                repeated += u32::from(met.len() > 1 && now != *original);
            }
            End::Answered { .. } => assert!(!strict || now != *original, "{}: what must not go out went out", at()),
            End::Fallback => assert!(!calm || strict, "{}: the faults were over long before", at()),
        }
        swapped += u32::from(met.windows(2).any(|two| two[0].0 != two[1].0));
    }
    assert!(
        alone || (swapped > 300 && observed > 300 && repeated > 300),
        "{swapped} met two rule sets, {observed} were only looked at, {repeated} rewritten after more than one try"
    );
}
