//! A simulated WorkMail with its retries and its fallback, over ports that fail by a random schedule: whatever fails and
//! in whatever order, the message in transit is the original or the whole rewrite, and once the faults are over it is the
//! rewrite, exactly once. The same where between two tries another rule set is published, or the function's mode is changed:
//! then it is the rewrite of one of the rule sets, and no other touches it again. A schedule is made from its number alone: `SCHEDULE=17 cargo test --test schedules` runs that one.

mod everything;
mod world;

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use mailwright::facts::Clock;
use mailwright::flow::handler::{ANSWER_WITHIN, Handled, Settings, handle};
use mailwright::flow::mark::StampKey;
use mailwright::flow::mode::FlowMode;
use mailwright::pipeline::{Pipeline, Verdict};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use world::World;

const SCHEDULES: u64 = 4_000;
const ID: &str = "00000000-0000-4000-8000-000000000001";
/// WorkMail's rule timeout, at its longest (Administrator Guide).
pub const RULE_TIMEOUT: Duration = Duration::from_hours(4);

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
    // Pauses between calls vary with the time: so that a schedule is the same each time, it stands still.
    let clock = Clock::Fixed(Timestamp::UNIX_EPOCH);
    let settings = Settings { mode, stamp_key, clock, ..Settings::default() };
    handle(&event(), Instant::now() + ANSWER_WITHIN, pipeline, world, world, &settings).await
}

async fn prepare(case: &'static Case) -> Prepared {
    let pipeline = Pipeline::from_sources(vec![("r.toml".to_owned(), case.rules.to_owned())]).unwrap();
    let original = Bytes::from(case.message.replace('\n', "\r\n"));
    let calm = World::calm(&original);
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
            biased;
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
pub fn schedules(count: u64) -> (std::ops::Range<u64>, bool) {
    match std::env::var("SCHEDULE").ok().and_then(|number| number.parse::<u64>().ok()) {
        Some(number) => (number..number + 1, true),
        None => (0..count, false),
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_in_whatever_order_nothing_is_lost_doubled_or_half_done() {
    let mut cases = Vec::new();
    for case in CASES {
        cases.push(prepare(case).await);
    }
    let (schedules, alone) = schedules(SCHEDULES);
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
    let (schedules, alone) = schedules(SCHEDULES);
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
