//! What the function does while rules are changed: modes in which it only looks on, whatever fails meanwhile.

use std::time::Duration;

use bytes::Bytes;
use mailwright::flow::handler::{Fate, Handled, Settings, Stage, handle, handle_nothing};
use mailwright::flow::key::{Bucket, KeyPrefix, MessageId};
use mailwright::flow::mark::{self, StampKey};
use mailwright::flow::memory::{Call, Fault, Memory};
use mailwright::flow::mode::FlowMode;
use mailwright::flow::ports::{PortError, Refusal, Trouble};
use mailwright::pipeline::{Pipeline, Verdict};
use mailwright::rule::OnError;
use serde_json::{Value, json};
use tokio::time::Instant;

const ID: &str = "00000000-0000-4000-8000-000000000001";
const DEFAULT: &str = r#"{"actions":[{"action":{"type":"DEFAULT"},"allRecipients":true}]}"#;
const ORIGINAL: &str = "From: Ann <ann@example.com>\r\nTo: kim@customer.example\r\nSubject: Harvest plan\r\nMIME-Version: 1.0\r\n\
                        Content-Type: text/plain; charset=utf-8\r\n\r\nThe apples are ripe. Card 4111 1111 1111 1111.\r\n";
const RULES: &str = r#"
[[rule]]
name = "cards"
action = { kind = "redact", detect = "card" }
[[rule]]
name = "stopped"
action = { kind = "drop" }
"#;
const NOTHING: &str = "[[rule]]\nname = \"n\"\naction = { kind = \"remove_header\", name = \"X-Not-There\" }\n";
const OBSERVING: [FlowMode; 2] = [FlowMode::Audit, FlowMode::Shadow];

struct World {
    memory: Memory,
    pipeline: Pipeline,
    settings: Settings,
}

fn id() -> MessageId {
    MessageId::new(ID).unwrap()
}

fn event() -> Value {
    json!({
        "envelope": {"mailFrom": {"address": "ann@example.com"}, "recipients": [{"address": "kim@customer.example"}]},
        "messageId": ID, "invocationId": "11111111111111111111111111111111", "flowDirection": "OUTBOUND", "truncated": false
    })
}

fn world(rules: &str, mode: FlowMode) -> World {
    let pipeline = Pipeline::from_sources(vec![("r.toml".to_owned(), rules.to_owned())]).unwrap();
    let memory = Memory::new(Bucket::new("bucket").unwrap());
    memory.insert(id(), ORIGINAL);
    let stamp_key = Some(StampKey::new("0123456789abcdef0123456789abcdef").unwrap());
    let prefix = KeyPrefix::new("out").unwrap();
    World { memory, pipeline, settings: Settings { mode, prefix, stamp_key, ..Settings::default() } }
}

impl World {
    async fn go(&self) -> Handled {
        let deadline = Instant::now() + Duration::from_secs(14);
        handle(&event(), deadline, &self.pipeline, &self.memory, &self.memory, &self.settings).await
    }
    fn now(&self) -> Bytes {
        self.memory.message(&id()).unwrap()
    }
    /// Delivered as it came, to everybody.
    fn assert_let_through(&self, handled: &Handled) {
        assert_eq!(serde_json::to_string(handled.answer.as_ref().unwrap()).unwrap(), DEFAULT);
        assert!(self.now() == ORIGINAL);
    }
}

fn observed(handled: &Handled) -> (&Fate, Option<&str>) {
    match &handled.report.fate {
        Fate::Observed { would, why } => (would, why.as_deref()),
        fate => panic!("{fate:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn audit_says_what_would_have_been_done_and_does_nothing() {
    let world = world(RULES, FlowMode::Audit);
    let handled = world.go().await;
    world.assert_let_through(&handled);
    assert_eq!(observed(&handled), (&Fate::Rewritten, None));
    let report = &handled.report;
    assert_eq!((report.answer, report.would_answer), (Some("DEFAULT"), Some("DROP")));
    let verdicts: Vec<&Verdict> = report.rules.as_ref().unwrap().rules.iter().map(|rule| &rule.verdict).collect();
    assert_eq!(verdicts, [&Verdict::Matched, &Verdict::Matched]);
    assert!(report.size_out.is_some() && report.key.is_none());
    assert_eq!(report.rule_set.as_ref().unwrap().digest, world.pipeline.digest());
    assert_eq!(world.memory.calls(), [Call::Fetch]);
}

#[tokio::test(start_paused = true)]
async fn shadow_keeps_what_the_message_would_have_become() {
    let enforced = world(RULES, FlowMode::Enforce);
    enforced.go().await;
    let world = world(RULES, FlowMode::Shadow);
    for _ in 0..2 {
        let handled = world.go().await;
        world.assert_let_through(&handled);
        assert_eq!(observed(&handled), (&Fate::Rewritten, None));
        // One object, however often WorkMail asks; of its key nobody learns who wrote to whom.
        let key = handled.report.key.as_ref().unwrap().as_str().to_owned();
        assert_eq!(world.memory.keys(), [key.as_str()]);
        let (folder, digest) = key.rsplit_once('/').unwrap();
        assert_eq!(folder, format!("out/shadow/{ID}"));
        assert!(digest.len() == 64 && digest.bytes().all(|octet| octet.is_ascii_hexdigit()), "{key}");
        assert!(world.memory.object(&key).unwrap() == enforced.now());
    }
    assert_eq!(world.memory.calls(), [Call::Fetch, Call::Put, Call::Fetch, Call::Put]);
}

#[tokio::test(start_paused = true)]
async fn shadow_stores_nothing_where_nothing_would_change() {
    let world = world(NOTHING, FlowMode::Shadow);
    let handled = world.go().await;
    world.assert_let_through(&handled);
    assert_eq!(observed(&handled), (&Fate::Unchanged, None));
    assert_eq!(world.memory.calls(), [Call::Fetch]);
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_while_it_looks_on_nothing_of_it_reaches_the_mail() {
    let faults = [
        Fault::Before(PortError::permanent(Refusal::Denied, "")),
        Fault::Before(PortError::transient(Trouble::Throttled, "")),
        Fault::After(PortError::transient(Trouble::Timeout, "")),
        Fault::Hang,
    ];
    for mode in OBSERVING {
        for call in [Call::Fetch, Call::Put] {
            for fault in &faults {
                let mut world = world(RULES, mode);
                world.settings.on_error = OnError::Fail;
                world.memory.fail_always(call, fault.clone());
                let began = Instant::now();
                let handled = world.go().await;
                world.assert_let_through(&handled);
                let (fate, why) = observed(&handled);
                // `redact` has on_error = "fail".
                let expected = if call == Call::Fetch { Fate::Failed } else { Fate::Rewritten };
                assert_eq!((fate, why.is_some()), (&expected, call == Call::Fetch), "{mode:?} {call:?} {fault:?}");
                let longest = if call == Call::Fetch { 14 } else { 3 };
                assert!(began.elapsed() <= Duration::from_secs(longest), "{mode:?} {call:?} {fault:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_fails_the_invocation_is_only_said_to() {
    for mode in OBSERVING {
        let world = world(RULES, mode);
        // No time for rules.
        let handled =
            handle(&event(), Instant::now(), &world.pipeline, &world.memory, &world.memory, &world.settings).await;
        world.assert_let_through(&handled);
        let (fate, why) = observed(&handled);
        assert_eq!(fate, &Fate::Failed);
        assert_eq!(why, Some(format!("time ran out before {}", Stage::Fetch).as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn switched_off_it_answers_at_once_and_fetches_nothing() {
    let world = world(RULES, FlowMode::Off);
    let handled = world.go().await;
    world.assert_let_through(&handled);
    assert_eq!((handled.report.fate, handled.report.mode), (Fate::Off, FlowMode::Off));
    assert!(world.memory.calls().is_empty());
    for event in [event(), Value::Null, json!({"messageId": 3})] {
        let handled = handle_nothing(&event);
        assert_eq!(serde_json::to_string(&handled.answer.unwrap()).unwrap(), DEFAULT);
        assert_eq!(handled.report.fate, Fate::Off);
    }
}

/// Rewritten, the answer lost, and then the mode changed: the message stays the whole rewrite, and is not touched again.
#[tokio::test(start_paused = true)]
async fn a_mode_that_changes_between_two_tries_leaves_the_message_whole() {
    let mut world = world(RULES, FlowMode::Enforce);
    world.go().await;
    let rewritten = world.now();
    assert!(rewritten.starts_with(mark::NAME.as_bytes()));
    for mode in [FlowMode::Audit, FlowMode::Shadow, FlowMode::Off, FlowMode::Enforce] {
        world.settings.mode = mode;
        let handled = world.go().await;
        assert!(world.now() == rewritten, "{mode:?}");
        let report = &handled.report;
        match mode {
            FlowMode::Audit | FlowMode::Shadow => {
                assert_eq!(observed(&handled), (&Fate::Marked, None));
                assert_eq!((report.answer, report.would_answer), (Some("DEFAULT"), Some("DROP")));
            }
            FlowMode::Off => assert_eq!((report.answer, &report.fate), (Some("DEFAULT"), &Fate::Off)),
            FlowMode::Enforce => assert_eq!((report.answer, &report.fate), (Some("DROP"), &Fate::Marked)),
        }
    }
}
