//! The handler over in-memory ports: every row of its error table, second tries, forged marks, odd events.

mod log;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mailwright::directory::{GroupName, Need, People};
use mailwright::envelope::Envelope;
use mailwright::facts::Timestamp;
use mailwright::flow::handler::{
    ANSWER_WITHIN, Fate, FlowError, Handled, LOOK_UP_WITHIN, Settings, Stage, handle, handle_with_directory,
};
use mailwright::flow::key::{Bucket, KeyPrefix, MessageId, ObjectKey};
use mailwright::flow::mark::{self, StampKey};
use mailwright::flow::memory::{Call, Fault, Memory};
use mailwright::flow::ports::{Directory, Location, MessageFlow, PortError, Refusal, Trouble};
use mailwright::flow::put_checks::{Demand, Unmet};
use mailwright::flow::workmail::MAX_MESSAGE;
use mailwright::message::{Mended, Repair};
use mailwright::pipeline::{Pipeline, Verdict};
use mailwright::rule::OnError;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

const ID: &str = "00000000-0000-4000-8000-000000000001";
const DEFAULT: &str = r#"{"actions":[{"action":{"type":"DEFAULT"},"allRecipients":true}]}"#;
const JUNK: &str = r#"{"actions":[{"action":{"type":"MOVE_TO_JUNK"},"allRecipients":true}]}"#;
const ORIGINAL: &str = "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Harvest plan\nMIME-Version: 1.0\n\
                        Content-Type: text/plain; charset=utf-8\n\nThe apples are ripe.\n";

const STAMP: &str = r#"
[[rule]]
name = "stamp"
on_error = "skip"
[[rule.action]]
kind = "set_header"
name = "X-Checked"
value = "yes"
"#;
const NOTHING: &str = r#"
[[rule]]
name = "nothing"
[[rule.action]]
kind = "remove_header"
name = "X-Not-There"
"#;
const JUNKED: &str = r#"
[[rule]]
name = "junked"
when = { direction = "inbound" }
[[rule.action]]
kind = "junk"
"#;

struct World {
    memory: Memory,
    pipeline: Pipeline,
    settings: Settings,
    event: Value,
    raw: Bytes,
}

/// A world in which `rules` meet the message `text`, line ends turned to CRLF.
fn world(rules: &str, text: &str, direction: &str) -> World {
    log::start();
    let pipeline = Pipeline::from_sources(vec![("rules.toml".to_owned(), rules.to_owned())]).unwrap();
    let memory = Memory::new(Bucket::new("bucket").unwrap());
    let raw = Bytes::from(text.replace('\n', "\r\n"));
    memory.insert(id(), raw.clone());
    let stamp_key = Some(StampKey::new("0123456789abcdef0123456789abcdef").unwrap());
    let settings = Settings { prefix: KeyPrefix::new("out").unwrap(), stamp_key, ..Settings::default() };
    World { memory, pipeline, settings, event: event(direction), raw }
}

fn id() -> MessageId {
    MessageId::new(ID).unwrap()
}

fn event(direction: &str) -> Value {
    json!({
        "summaryVersion": "2019-07-28",
        "envelope": {
            "mailFrom": {"address": "ann@example.com"},
            "recipients": [{"address": "kim@customer.example"}]
        },
        "sender": {"address": "ann@example.com"},
        "subject": "Harvest plan",
        "messageId": ID,
        "invocationId": "11111111111111111111111111111111",
        "flowDirection": direction,
        "truncated": false
    })
}

impl World {
    async fn go(&self) -> Handled {
        let deadline = Instant::now() + Duration::from_mins(1);
        handle(&self.event, deadline, &self.pipeline, &self.memory, &self.memory, &self.settings).await
    }
    fn now(&self) -> Bytes {
        self.memory.message(&id()).unwrap()
    }
    fn text(&self) -> String {
        String::from_utf8(self.now().to_vec()).unwrap()
    }
    fn is_untouched(&self) -> bool {
        self.now() == self.raw
    }
}

fn answer(handled: &Handled) -> String {
    serde_json::to_string(handled.answer.as_ref().unwrap()).unwrap()
}

fn refuse(kind: Refusal) -> Fault {
    Fault::Before(PortError::permanent(kind, "as the service says it"))
}

fn trouble(kind: Trouble) -> Fault {
    Fault::Before(PortError::transient(kind, ""))
}

const REFUSALS: [Refusal; 6] =
    [Refusal::Gone, Refusal::Frozen, Refusal::Rejected, Refusal::Location, Refusal::Denied, Refusal::Invalid];
const TROUBLES: [Trouble; 4] = [Trouble::Throttled, Trouble::Unavailable, Trouble::Timeout, Trouble::Connection];

#[tokio::test(start_paused = true)]
async fn a_message_that_no_rule_changes_is_neither_stored_nor_put_back() {
    let world = world(NOTHING, ORIGINAL, "OUTBOUND");
    let handled = world.go().await;
    assert_eq!(answer(&handled), DEFAULT);
    assert_eq!(handled.report.fate, Fate::Unchanged);
    assert_eq!(world.memory.calls(), [Call::Fetch]);
    assert!(world.is_untouched());
}

#[tokio::test(start_paused = true)]
async fn a_changed_message_is_stored_put_back_and_marked_on_top() {
    let world = world(STAMP, ORIGINAL, "OUTBOUND");
    let handled = world.go().await;
    assert_eq!(answer(&handled), DEFAULT);
    assert_eq!(handled.report.fate, Fate::Rewritten);
    assert_eq!(world.memory.calls(), [Call::Fetch, Call::Put, Call::PutBack]);
    let text = world.text();
    let (mark, rest) = text.split_once("X-Checked: yes\r\n").unwrap();
    assert!(mark.starts_with("X-Mailwright-Mark: v=3; flow=outbound; rules="), "{mark}");
    assert!(mark.lines().all(|line| line.len() <= 78), "{mark}");
    assert_eq!(rest.as_bytes(), world.raw);
    assert_eq!(handled.report.size_in, Some(world.raw.len()));
    assert_eq!(handled.report.size_out, Some(text.len()));
    let keys = world.memory.keys();
    assert_eq!(keys.len(), 1);
    assert!(keys[0].starts_with(&format!("out/{ID}/")), "{keys:?}");
    assert_eq!(ObjectKey::new(&keys[0]).ok(), handled.report.key);
}

#[tokio::test(start_paused = true)]
async fn without_a_stamp_key_there_is_no_mark_and_none_is_looked_for() {
    let text = format!("{}: v=1; whatever\n{ORIGINAL}", mark::NAME);
    let mut world = world(STAMP, &text, "INBOUND");
    world.settings = Settings::default();
    let handled = world.go().await;
    assert_eq!(handled.report.fate, Fate::Rewritten);
    assert_eq!(world.text(), format!("X-Checked: yes\r\n{}", String::from_utf8_lossy(&world.raw)));
    assert!(world.memory.keys()[0].starts_with(ID));
}

#[tokio::test(start_paused = true)]
async fn a_second_try_after_a_put_that_went_through_answers_the_same_and_changes_nothing() {
    let world = world(&format!("{STAMP}{JUNKED}"), ORIGINAL, "INBOUND");
    world.memory.fail_always(Call::PutBack, Fault::After(PortError::transient(Trouble::Timeout, "")));
    let first = world.go().await;
    assert!(matches!(first.answer, Err(FlowError::Trouble { stage: Stage::PutBack, .. })), "{first:?}");
    let rewritten = world.now();
    assert!(rewritten.starts_with(b"X-Mailwright-Mark: v=3; flow=inbound; "));
    let calls = world.memory.calls().len();

    let second = world.go().await;
    assert_eq!(answer(&second), JUNK);
    assert_eq!(second.report.fate, Fate::Marked);
    assert_eq!(world.memory.calls()[calls..], [Call::Fetch]);
    assert_eq!(world.now(), rewritten);
    assert_eq!(world.memory.keys().len(), 1, "the tries overwrote one object");
}

const EACH: &str = r#"
[[rule]]
name = "each"
when = { subject = "Harvest", recipients = { each = "customer.example" } }
action = { kind = "bounce", message = "Not you." }

[[rule]]
name = "copy"
action = { kind = "add_recipients", addresses = ["archive@example.com", "LEE@other.example"] }

[[rule]]
name = "new subject"
action = { kind = "set_header", name = "Subject", value = "Apples" }
"#;

#[tokio::test(start_paused = true)]
async fn a_second_try_answers_each_recipient_as_the_first_did() {
    let recipients = |list: &[&str]| Value::from(list.iter().map(|one| json!({ "address": one })).collect::<Vec<_>>());
    let three = ["bob@example.com", "kim@customer.example", "lee@other.example"];
    let mut world = world(EACH, ORIGINAL, "OUTBOUND");
    world.event["envelope"]["recipients"] = recipients(&three);
    let first = world.go().await;
    let told = concat!(
        r#"{"actions":[{"action":{"type":"DEFAULT"},"allRecipients":true},"#,
        r#"{"action":{"type":"BOUNCE","parameters":{"bounceMessage":"Not you."}},"recipients":["kim@customer.example"]},"#,
        r#"{"action":{"type":"DEFAULT"},"recipients":["archive@example.com"]}]}"#
    );
    assert_eq!(answer(&first), told);
    assert_eq!((first.report.answer, first.report.recipients_added), (Some("MIXED"), 1));
    assert_eq!(first.report.answers.into_iter().collect::<Vec<_>>(), [("BOUNCE", 1), ("DEFAULT", 2)]);
    let rewritten = world.text();
    assert!(rewritten.contains("Subject: Apples") && !rewritten.contains("kim@customer.example;"), "{rewritten}");

    // The subject that the rule asks for is no longer there, and the recipients come in another order.
    world.event["envelope"]["recipients"] =
        recipients(&["LEE@other.example", "Kim@Customer.example", "bob@example.com"]);
    let second = world.go().await;
    assert_eq!(second.report.fate, Fate::Marked);
    assert_eq!(answer(&second), told.replace("kim@customer.example", "Kim@Customer.example"));
    // Of others than those of the mark, the rule is asked again.
    world.event["envelope"]["recipients"] = recipients(&three[..2]);
    let third = world.go().await;
    assert_eq!(third.report.fate, Fate::Marked);
    assert!(!answer(&third).contains("BOUNCE"), "{}", answer(&third));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_recipients_is_logged() {
    let mut world = world(EACH, ORIGINAL, "OUTBOUND");
    let three = ["bob@example.com", "kim@customer.example", "lee@other.example"];
    world.event["envelope"]["recipients"] =
        three.iter().map(|one| json!({ "address": one })).collect::<Vec<_>>().into();
    let handled = world.go().await;
    let report = format!("{} {handled:?}", serde_json::to_string(&handled.report).unwrap());
    for part in ["kim@", "bob@", "lee@", "archive@", "customer.example"] {
        assert!(!report.contains(part), "{part}: {report}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_put_that_went_through_unheard_within_one_try_is_put_again() {
    let world = world(STAMP, ORIGINAL, "OUTBOUND");
    world.memory.fail_once(Call::PutBack, Fault::After(PortError::transient(Trouble::Timeout, "")));
    let handled = world.go().await;
    assert_eq!(handled.report.fate, Fate::Rewritten);
    assert_eq!(world.text().matches(mark::NAME).count(), 1);
    assert_eq!(handled.report.retries, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_delivered_as_it_came() {
    for (call, stage) in [(Call::Put, Stage::Store), (Call::PutBack, Stage::PutBack)] {
        for kind in REFUSALS {
            let world = world(&format!("{STAMP}{JUNKED}"), ORIGINAL, "INBOUND");
            world.memory.fail_always(call, refuse(kind));
            let handled = world.go().await;
            assert_eq!(answer(&handled), JUNK, "what rules ask for still holds: {stage} {kind}");
            let why = format!("{kind}: as the service says it");
            assert_eq!(handled.report.fate, Fate::Original { stage, refusal: Some(kind), why });
            assert!(world.is_untouched());
            assert_eq!(handled.report.retries, 0);
            assert_eq!(world.memory.calls().iter().filter(|c| **c == call).count(), 1);
        }
    }
    for kind in REFUSALS {
        let world = world(&format!("{STAMP}{JUNKED}"), ORIGINAL, "INBOUND");
        world.memory.fail_always(Call::Fetch, refuse(kind));
        let handled = world.go().await;
        assert_eq!(answer(&handled), DEFAULT, "nothing is known of a message that cannot be read: {kind}");
        assert!(world.is_untouched());
        assert_eq!(world.memory.calls(), [Call::Fetch]);
    }
}

/// A message whose own text has a line that is too long, and a field that a rule adds.
fn long_lined() -> World {
    let long = "x".repeat(1_500);
    world(STAMP, &format!("From: ann@example.com\n\n{long}\n"), "OUTBOUND")
}

#[tokio::test(start_paused = true)]
async fn a_message_rejected_for_a_fault_it_came_with_is_repaired_once() {
    let world = long_lined();
    world.memory.fail_once(Call::PutBack, refuse(Refusal::Rejected));
    let handled = world.go().await;
    assert_eq!(handled.report.fate, Fate::Rewritten);
    assert_eq!(handled.report.repaired, [Mended { what: Repair::LongLines, count: 1 }]);
    assert!(world.text().lines().all(|line| line.len() <= 998));
    assert!(world.text().contains("Content-Transfer-Encoding: quoted-printable"));

    let world = long_lined();
    world.memory.fail_always(Call::PutBack, refuse(Refusal::Rejected));
    let handled = world.go().await;
    assert!(matches!(handled.report.fate, Fate::Original { refusal: Some(Refusal::Rejected), .. }));
    assert!(world.is_untouched());
    let puts = world.memory.calls().iter().filter(|call| **call == Call::PutBack).count();
    assert_eq!(puts, 2, "once as it is and once repaired");
}

#[tokio::test(start_paused = true)]
async fn a_repaired_message_meets_the_demands_or_is_not_put() {
    let sound = "From: Ann <ann@example.com>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: Harvest plan\n";
    let long = "x".repeat(1_500);
    // Repaired: one more put, which is taken.
    let repairable = world(STAMP, &format!("{sound}\n{long}\n"), "OUTBOUND");
    repairable.memory.demand_as_workmail_does();
    let handled = repairable.go().await;
    assert_eq!(handled.report.fate, Fate::Rewritten);
    assert_eq!(repairable.memory.calls(), [Call::Fetch, Call::Put, Call::PutBack, Call::Put, Call::PutBack]);
    assert_eq!(repairable.text().matches(mark::NAME).count(), 1);
    assert_eq!(repairable.go().await.report.fate, Fate::Marked);

    // A line that nothing can be done about: no second put.
    let beyond = world(STAMP, &format!("{sound}X-Token: {long}\n\n{long}\n"), "OUTBOUND");
    beyond.memory.demand_as_workmail_does();
    let handled = beyond.go().await;
    assert!(matches!(handled.report.fate, Fate::Original { refusal: Some(Refusal::Rejected), .. }));
    assert_eq!(handled.report.unmet, [Unmet { demand: Demand::Line, count: 2, came: true, names: Vec::new() }]);
    assert!(handled.report.repaired.is_empty() && beyond.is_untouched());
    assert_eq!(beyond.memory.calls(), [Call::Fetch, Call::Put, Call::PutBack]);

    // What is only thought to be refused, such as a missing Date, keeps nobody from trying.
    let dateless = world(STAMP, &format!("From: ann@example.com\n\n{long}\n"), "OUTBOUND");
    dateless.memory.demand_as_workmail_does();
    let handled = dateless.go().await;
    assert!(matches!(handled.report.fate, Fate::Original { refusal: Some(Refusal::Rejected), .. }));
    assert_eq!(dateless.memory.calls().iter().filter(|call| **call == Call::PutBack).count(), 2);
    assert!(dateless.is_untouched());
}

#[tokio::test(start_paused = true)]
async fn a_rejection_for_no_fault_that_is_known_is_not_answered_with_a_repair() {
    let world = world(STAMP, &ORIGINAL.replace("Subject", "Date: x\nSubject"), "OUTBOUND");
    world.memory.fail_once(Call::PutBack, refuse(Refusal::Rejected));
    let handled = world.go().await;
    assert!(matches!(handled.report.fate, Fate::Original { refusal: Some(Refusal::Rejected), .. }));
    assert!(handled.report.unmet.is_empty() && world.is_untouched());
    assert_eq!(world.memory.calls(), [Call::Fetch, Call::Put, Call::PutBack]);
}

#[tokio::test(start_paused = true)]
async fn trouble_after_a_rejection_is_waited_for_and_a_strict_rule_still_holds() {
    let repaired = long_lined();
    repaired.memory.fail_once(Call::PutBack, refuse(Refusal::Rejected));
    repaired.memory.fail_once(Call::PutBack, trouble(Trouble::Throttled));
    assert_eq!(repaired.go().await.report.fate, Fate::Rewritten);

    let late = long_lined();
    late.memory.fail_once(Call::PutBack, refuse(Refusal::Rejected));
    late.memory.fail_always(Call::PutBack, Fault::Hang);
    let started = Instant::now();
    assert!(matches!(late.go().await.answer, Err(FlowError::Trouble { stage: Stage::PutBack, .. })));
    assert!(started.elapsed() < ANSWER_WITHIN && late.is_untouched());

    let mut strict = long_lined();
    strict.settings.on_error = OnError::Fail;
    strict.memory.fail_always(Call::PutBack, refuse(Refusal::Rejected));
    assert!(matches!(strict.go().await.answer, Err(FlowError::Refused { stage: Stage::PutBack, .. })));
    assert!(strict.is_untouched());
}

#[tokio::test(start_paused = true)]
async fn a_strict_rule_keeps_the_original_from_going_out() {
    let strict = STAMP.replace("\"skip\"", "\"fail\"");
    for call in [Call::Fetch, Call::Put, Call::PutBack] {
        for kind in REFUSALS {
            let world = world(&strict, ORIGINAL, "OUTBOUND");
            world.memory.fail_always(call, refuse(kind));
            let handled = world.go().await;
            assert!(world.is_untouched());
            if call == Call::Fetch && kind == Refusal::Gone {
                assert_eq!(answer(&handled), DEFAULT);
                continue;
            }
            let Err(FlowError::Refused { because, .. }) = &handled.answer else {
                panic!("{call:?} {kind}: {handled:?}")
            };
            assert!(because.contains("`stamp`"), "{because}");
            assert_eq!(handled.report.fate, Fate::Failed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_strict_rule_that_changed_nothing_does_not_stand_in_the_way() {
    let strict = NOTHING.replace("name = \"nothing\"", "name = \"nothing\"\non_error = \"fail\"");
    let world = world(&format!("{STAMP}{strict}"), ORIGINAL, "OUTBOUND");
    world.memory.fail_always(Call::PutBack, refuse(Refusal::Frozen));
    let handled = world.go().await;
    assert_eq!(answer(&handled), DEFAULT);
    assert!(world.is_untouched());
}

#[tokio::test(start_paused = true)]
async fn the_error_policy_can_be_strict_for_all_rules() {
    for call in [Call::Fetch, Call::Put, Call::PutBack] {
        let mut world = world(STAMP, ORIGINAL, "OUTBOUND");
        world.settings.on_error = OnError::Fail;
        world.memory.fail_always(call, refuse(Refusal::Denied));
        let handled = world.go().await;
        assert!(matches!(handled.answer, Err(FlowError::Refused { .. })), "{call:?}: {handled:?}");
        assert!(world.is_untouched());
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_that_clears_is_waited_for() {
    for call in [Call::Fetch, Call::Put, Call::PutBack] {
        let world = world(STAMP, ORIGINAL, "OUTBOUND");
        for kind in TROUBLES {
            world.memory.fail_once(call, trouble(kind));
        }
        let started = Instant::now();
        let handled = world.go().await;
        assert_eq!(handled.report.fate, Fate::Rewritten, "{call:?}");
        assert_eq!(handled.report.retries, 4);
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        assert!(world.text().contains("X-Checked: yes"));
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_that_stays_fails_the_invocation_in_time_and_leaves_the_message() {
    for call in [Call::Fetch, Call::Put, Call::PutBack] {
        for fault in TROUBLES.map(trouble).into_iter().chain([Fault::Hang]) {
            let world = world(STAMP, ORIGINAL, "OUTBOUND");
            world.memory.fail_always(call, fault.clone());
            let started = Instant::now();
            let handled = world.go().await;
            let Err(error @ FlowError::Trouble { tries, .. }) = &handled.answer else { panic!("{handled:?}") };
            assert!(*tries >= 4, "{tries}");
            assert_eq!(error.kind(), "Mailwright.OutOfTime");
            assert!(started.elapsed() < ANSWER_WITHIN, "{call:?} {fault:?}: {:?}", started.elapsed());
            assert!(started.elapsed() > ANSWER_WITHIN / 2, "{call:?} {fault:?}: {:?}", started.elapsed());
            assert!(world.is_untouched());
            assert_eq!(handled.report.answer, None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_leaves_time_for_another() {
    for call in [Call::Fetch, Call::Put, Call::PutBack] {
        let world = world(STAMP, ORIGINAL, "OUTBOUND");
        world.memory.fail_once(call, Fault::Hang);
        assert_eq!(world.go().await.report.fate, Fate::Rewritten, "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_function_is_kept_where_it_is_shorter() {
    let world = world(STAMP, ORIGINAL, "OUTBOUND");
    world.memory.fail_always(Call::Put, Fault::Hang);
    let started = Instant::now();
    let deadline = started + Duration::from_secs(4);
    let handled = handle(&world.event, deadline, &world.pipeline, &world.memory, &world.memory, &world.settings).await;
    assert!(handled.answer.is_err());
    assert!(Instant::now() < deadline);
}

#[tokio::test(start_paused = true)]
async fn rules_that_time_does_not_reach_count_as_failed() {
    for (on_error, fails) in [("skip", false), ("fail", true)] {
        let world = world(&STAMP.replace("skip", on_error), ORIGINAL, "OUTBOUND");
        // The message comes late.
        for _ in 0..3 {
            world.memory.fail_once(Call::Fetch, Fault::Hang);
        }
        let handled = world.go().await;
        assert!(world.is_untouched());
        if fails {
            let Err(FlowError::Rule(why)) = &handled.answer else { panic!("{handled:?}") };
            assert!(why.contains("`stamp`"), "{why}");
        } else {
            assert_eq!(answer(&handled), DEFAULT);
            let report = handled.report.rules.unwrap();
            assert_eq!(report.rules[0].verdict, Verdict::OutOfTime);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_invocation_without_time_left_calls_nobody_and_fails() {
    let world = world(STAMP, ORIGINAL, "OUTBOUND");
    let handled =
        handle(&world.event, Instant::now(), &world.pipeline, &world.memory, &world.memory, &world.settings).await;
    let error = handled.answer.unwrap_err();
    assert!(matches!(error, FlowError::Trouble { stage: Stage::Fetch, tries: 0, .. }), "{error:?}");
    assert_eq!(error.to_string(), "time ran out before fetching the message");
    assert!(world.memory.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_would_grow_too_large_is_delivered_as_it_came() {
    let text = format!("{ORIGINAL}{}", "The apples are ripe, and so are the pears.\n".repeat(910_000));
    let world = world(STAMP, &text, "OUTBOUND");
    let room = MAX_MESSAGE - 20;
    world.memory.insert(id(), world.raw.slice(..room));
    let handled = world.go().await;
    assert_eq!(answer(&handled), DEFAULT);
    assert!(
        matches!(handled.report.fate, Fate::Original { refusal: Some(Refusal::TooLarge), .. }),
        "{:?}",
        handled.report
    );
    // It ends in the midst of a line, and is the same when it is fetched once more.
    assert_eq!(world.memory.calls(), [Call::Fetch, Call::Fetch]);
    assert_eq!(world.now(), world.raw.slice(..room));
}

/// Message Flow, with only the beginning of a message at the first calls.
struct Beginning<'a> {
    memory: &'a Memory,
    cut: usize,
    left: AtomicU32,
}

impl MessageFlow for Beginning<'_> {
    async fn fetch(&self, id: &MessageId) -> Result<Bytes, PortError> {
        let whole = self.memory.fetch(id).await?;
        let is_cut = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        Ok(if is_cut { whole.slice(..self.cut) } else { whole })
    }
    async fn put_back(&self, id: &MessageId, location: &Location) -> Result<(), PortError> {
        self.memory.put_back(id, location).await
    }
}

#[tokio::test(start_paused = true)]
async fn what_looks_like_a_beginning_is_fetched_once_more() {
    let whole = world(STAMP, ORIGINAL, "OUTBOUND");
    whole.go().await;
    for cut in [0, 1, ORIGINAL.len() / 2] {
        let world = world(STAMP, ORIGINAL, "OUTBOUND");
        assert!(cut == 0 || world.raw[cut - 1] != b'\n');
        let flow = Beginning { memory: &world.memory, cut, left: AtomicU32::new(1) };
        let deadline = Instant::now() + Duration::from_secs(14);
        let (rules, store, settings) = (&world.pipeline, &world.memory, &world.settings);
        let handled = handle(&world.event, deadline, rules, &flow, store, settings).await;
        assert_eq!(answer(&handled), DEFAULT);
        assert_eq!(world.memory.calls(), [Call::Fetch, Call::Fetch, Call::Put, Call::PutBack]);
        assert_eq!(world.now(), whole.now());
    }
}

#[tokio::test(start_paused = true)]
async fn a_forged_mark_counts_for_nothing_and_is_taken_off_mail_that_comes_in() {
    let mac = "0".repeat(64);
    for forged in ["v=1", "", &format!("v=1; flow=inbound; rules=0000000000000000; did=; mac={mac}")] {
        let text = format!("Received: from a.example\n{}: {forged}\n{ORIGINAL}", mark::NAME);
        let changed = world(STAMP, &text, "INBOUND");
        assert_eq!(changed.go().await.report.fate, Fate::Rewritten);
        let (_, rest) =
            changed.text().split_once("X-Checked: yes\r\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert_eq!(rest, format!("Received: from a.example\r\n{}", ORIGINAL.replace('\n', "\r\n")));
        assert_eq!(changed.text().matches(mark::NAME).count(), 1);
        assert_eq!(changed.go().await.report.fate, Fate::Marked);

        // No rule changes it: the forged mark is reason enough to put it back.
        let unchanged = world(NOTHING, &text, "INBOUND");
        assert_eq!(unchanged.go().await.report.fate, Fate::Rewritten);
        let (mark, rest) = unchanged.text().split_once("Received").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(mark.starts_with("X-Mailwright-Mark: v=3; flow=inbound; "));
        assert_eq!(rest, format!(": from a.example\r\n{}", ORIGINAL.replace('\n', "\r\n")));

        // Nobody outside puts it on mail that goes out: it is no reason to change the message.
        let outbound = world(NOTHING, &text, "OUTBOUND");
        assert_eq!(outbound.go().await.report.fate, Fate::Unchanged);
        assert!(outbound.is_untouched());
    }
}

#[tokio::test(start_paused = true)]
async fn a_mark_of_another_message_key_or_flow_counts_for_nothing() {
    let outbound = world(STAMP, ORIGINAL, "OUTBOUND");
    outbound.go().await;
    let marked = outbound.text().replace("\r\n", "\n");

    // The same message comes in: the mark of the way out goes, the rule sees its own field and changes nothing.
    let inbound = world(STAMP, &marked, "INBOUND");
    assert_eq!(inbound.go().await.report.fate, Fate::Rewritten);
    assert_eq!(inbound.text().matches(mark::NAME).count(), 1);
    assert!(inbound.text().contains("flow=inbound"));
    assert_eq!(inbound.text().matches("X-Checked").count(), 1);

    // Rules that were published between two tries do not rewrite what others have rewritten.
    let other_rules = world(&STAMP.replace("yes", "twice"), &marked, "OUTBOUND");
    assert_eq!(other_rules.go().await.report.fate, Fate::Marked);
    assert!(other_rules.is_untouched());

    let mut other_key = world(STAMP, &marked, "OUTBOUND");
    other_key.settings.stamp_key = Some(StampKey::new(&"k".repeat(32)).unwrap());
    assert_eq!(other_key.go().await.report.fate, Fate::Unchanged);

    let mut other_message = world(STAMP, &marked, "OUTBOUND");
    let other = MessageId::new("other").unwrap();
    other_message.memory.insert(other, other_message.raw.clone());
    other_message.event["messageId"] = "other".into();
    assert_eq!(other_message.go().await.report.fate, Fate::Unchanged);

    let same = world(STAMP, &marked, "OUTBOUND");
    assert_eq!(same.go().await.report.fate, Fate::Marked);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_decoded_is_delivered() {
    for event in [
        Value::Null,
        json!([]),
        json!("text"),
        json!(7),
        json!({}),
        json!({"messageId": null}),
        json!({"messageId": ["a"]}),
        json!({"messageId": "../../etc"}),
        json!({"messageId": "A".repeat(5_000)}),
        json!({"Records": [{"eventSource": "aws:ses"}]}),
    ] {
        // Even where a rule is strict: nobody can tell which message it is.
        let mut world = world(&STAMP.replace("skip", "fail"), ORIGINAL, "OUTBOUND");
        world.event = event;
        let handled = world.go().await;
        assert_eq!(answer(&handled), DEFAULT, "{}", world.event);
        assert_eq!(handled.report.fate, Fate::Undecodable);
        assert!(world.memory.calls().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_with_any_field_missing_or_wrong_still_gets_its_message_through() {
    let wrong = [None, Some(Value::Null), Some(json!(3)), Some(json!([{}])), Some(json!({"x": 1})), Some(json!("x"))];
    for key in event("INBOUND").as_object().unwrap().keys() {
        for value in &wrong {
            let mut world = world(STAMP, ORIGINAL, "INBOUND");
            match value {
                None => drop(world.event.as_object_mut().unwrap().remove(key)),
                Some(value) => world.event[key] = value.clone(),
            }
            let handled = world.go().await;
            assert_eq!(answer(&handled), DEFAULT, "{}", world.event);
            if key == "messageId" {
                assert!(world.is_untouched());
            } else {
                assert_eq!(handled.report.fate, Fate::Rewritten, "{}", world.event);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_direction_is_not_said_nothing_is_answered_that_only_one_allows() {
    let mut world = world(JUNKED, ORIGINAL, "INBOUND");
    assert_eq!(answer(&world.go().await), JUNK);
    world.event["flowDirection"] = Value::Null;
    let handled = world.go().await;
    assert_eq!(answer(&handled), DEFAULT);
    assert_eq!(handled.report.direction, None);
}

#[tokio::test(start_paused = true)]
async fn a_truncated_event_is_answered_for_all_recipients() {
    let mut world = world(&format!("{STAMP}{JUNKED}"), ORIGINAL, "INBOUND");
    world.event["truncated"] = true.into();
    world.event["envelope"]["recipients"] =
        (0..2_000).map(|n| json!({"address": format!("r{n}@example.com")})).collect::<Vec<_>>().into();
    assert_eq!(answer(&world.go().await), JUNK);
}

#[tokio::test(start_paused = true)]
async fn all_of_500_recipients_are_looked_at_and_answered_as_one() {
    let rule = JUNKED.replace(
        "direction = \"inbound\"",
        "direction = \"inbound\", recipients = { any = \"last@xn--bcher-kva.example\" }",
    );
    let mut world = world(&rule, ORIGINAL, "INBOUND");
    let mut recipients: Vec<Value> = (1..500).map(|n| json!({"address": format!("r{n}@example.com")})).collect();
    world.event["envelope"]["recipients"] = recipients.clone().into();
    assert_eq!(answer(&world.go().await), DEFAULT);
    recipients.push(json!({"address": "Last@BÜCHER.example"}));
    world.event["envelope"]["recipients"] = recipients.into();
    assert_eq!(answer(&world.go().await), JUNK);
}

#[tokio::test(start_paused = true)]
async fn recipients_that_a_truncated_event_leaves_out_may_be_anybody() {
    let rule = |when: &str| JUNKED.replace("\"inbound\"", &format!("\"inbound\", {when}"));
    for (when, whole, cut) in [
        ("recipients = { all = \"customer.example\" }", JUNK, DEFAULT),
        ("recipients = { any = \"customer.example\" }", JUNK, JUNK),
        ("recipients = { any = \"example.org\" }", DEFAULT, DEFAULT),
    ] {
        let mut world = world(&rule(when), ORIGINAL, "INBOUND");
        assert_eq!(answer(&world.go().await), whole, "{when}");
        world.event["truncated"] = true.into();
        assert_eq!(answer(&world.go().await), cut, "{when}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_can_be_written_as_json() {
    let world = world(&format!("{STAMP}{JUNKED}"), ORIGINAL, "INBOUND");
    let report = serde_json::to_value(world.go().await.report).unwrap();
    assert_eq!(report["fate"], json!({"is": "rewritten"}));
    assert_eq!(report["message_id"], ID);
    assert_eq!(report["direction"], "inbound");
    assert_eq!(report["rules"]["rules"][0]["name"], "stamp");
}

#[tokio::test(start_paused = true)]
async fn each_message_is_one_line_in_the_log_without_any_of_its_content() {
    let fault = |call, fault: Fault| {
        let world = world(&format!("{STAMP}{JUNKED}"), ORIGINAL, "INBOUND");
        world.memory.fail_always(call, fault);
        world
    };
    log::take();
    world(STAMP, ORIGINAL, "OUTBOUND").go().await;
    world(NOTHING, ORIGINAL, "OUTBOUND").go().await;
    fault(Call::PutBack, refuse(Refusal::Frozen)).go().await;
    fault(Call::Put, trouble(Trouble::Throttled)).go().await;
    let mut undecodable = world(STAMP, ORIGINAL, "OUTBOUND");
    undecodable.event["messageId"] = Value::Null;
    undecodable.go().await;
    let log = log::take();
    // A level below come the calls that are tried again.
    let lines: Vec<_> = log.lines().filter(|line| !line.ends_with("level=DEBUG")).collect();
    let levels: Vec<_> = lines.iter().map(|line| line.rsplit('=').next().unwrap()).collect();
    assert_eq!(levels, ["INFO", "INFO", "WARN", "ERROR", "WARN"], "{log}");
    for (line, fate) in lines.iter().zip(["rewritten", "unchanged", "original", "failed", "undecodable"]) {
        assert!(line.contains(&format!("fate=\"{fate}\"")), "{line}");
    }
    assert!(log.contains(ID) && log.contains("rules_matched=\"stamp,junked\"") && log.contains("Frozen"), "{log}");
    for content in ["apples", "Harvest", "example.com", "customer.example", "ann@", "kim@", "Checked"] {
        assert!(!log.contains(content), "{content}: {log}");
    }
}

fn any_fault() -> impl Strategy<Value = Option<Fault>> {
    let error = prop_oneof![
        prop::sample::select(REFUSALS.to_vec()).prop_map(|kind| PortError::permanent(kind, "")),
        prop::sample::select(TROUBLES.to_vec()).prop_map(|kind| PortError::transient(kind, "")),
    ];
    prop_oneof![
        2 => Just(None),
        2 => error.clone().prop_map(|e| Some(Fault::Before(e))),
        2 => error.prop_map(|e| Some(Fault::After(e))),
        1 => Just(Some(Fault::Hang)),
    ]
}

proptest! {
    /// Invariant 7: whatever fails and however often WorkMail tries, the message is the original or the rewrite; when
    /// the answer says that it was rewritten, it was; and with a strict rule the original is never delivered.
    #[test]
    fn nothing_is_lost_whatever_fails(
        faults in prop::collection::vec((0..3_usize, any_fault()), 0..40),
        strict in any::<bool>(),
        tries in 1..4_usize,
    ) {
        let rules = if strict { STAMP.replace("skip", "fail") } else { STAMP.to_owned() };
        let clean = world(&rules, ORIGINAL, "OUTBOUND");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(clean.go());
        let rewritten = clean.now();

        let world = world(&rules, ORIGINAL, "OUTBOUND");
        for (call, fault) in faults {
            if let Some(fault) = fault {
                world.memory.fail_once([Call::Fetch, Call::Put, Call::PutBack][call], fault);
            }
        }
        let mut seen = BTreeSet::new();
        for _ in 0..tries {
            let handled = runtime.block_on(world.go());
            let now = world.now();
            prop_assert!(now == world.raw || now == rewritten);
            prop_assert!(world.memory.keys().len() <= 1);
            seen.insert(handled.report.fate.as_str());
            if matches!(handled.report.fate, Fate::Rewritten | Fate::Marked) {
                prop_assert!(now == rewritten);
            }
            if handled.answer.is_ok() {
                let gone = matches!(handled.report.fate, Fate::Original { refusal: Some(Refusal::Gone), .. });
                prop_assert!(!strict || gone || now == rewritten, "{seen:?}");
                break;
            }
        }
    }
}

/// A directory that never answers; it remembers what it was asked, and how long it was waited for.
#[derive(Default)]
struct Silent(Mutex<Vec<(Need, Duration)>>);

impl Directory for Silent {
    async fn look_up(&self, need: &Need, envelope: &Envelope, _: Timestamp, until: Instant) -> People {
        self.0.lock().unwrap().push((need.clone(), until.duration_since(Instant::now())));
        tokio::time::sleep_until(until).await;
        People::unknown("it is silent", &envelope.recipients)
    }
}

impl World {
    async fn go_asking(&self, directory: &Silent) -> Handled {
        let deadline = Instant::now() + Duration::from_mins(1);
        let (pipeline, memory, settings) = (&self.pipeline, &self.memory, &self.settings);
        handle_with_directory(&self.event, deadline, pipeline, memory, memory, directory, settings).await
    }
}

const ASKS: &str = r#"
[[rule]]
name = "sales"
when = { direction = "outbound", sender = { group = "sales@example.com" } }
[[rule.action]]
kind = "set_header"
name = "X-Sales"
value = "yes"

[[rule]]
name = "not-sales"
unless = { sender = { group = "sales@example.com" } }
[[rule.action]]
kind = "set_header"
name = "X-Not-Sales"
value = "yes"

[[rule]]
name = "stamp"
[[rule.action]]
kind = "set_header"
name = "X-Checked"
value = "yes"
"#;

#[tokio::test(start_paused = true)]
async fn a_directory_is_asked_only_for_what_rules_of_that_way_need() {
    let silent = Silent::default();
    world(NOTHING, ORIGINAL, "OUTBOUND").go_asking(&silent).await;
    let inbound =
        ASKS.replacen("outbound", "inbound", 1).replace("unless = { sender", "unless = { subject = \"x\" } #");
    world(&inbound, ORIGINAL, "OUTBOUND").go_asking(&silent).await;
    let off = ASKS.replace("name = \"sales\"", "name = \"sales\"\nmode = \"off\"").replace("unless =", "#");
    world(&off, ORIGINAL, "OUTBOUND").go_asking(&silent).await;
    assert!(silent.0.lock().unwrap().is_empty());
    world(ASKS, ORIGINAL, "OUTBOUND").go_asking(&silent).await;
    let asked = silent.0.lock().unwrap();
    let (need, within) = &asked[0];
    assert_eq!(need.groups().into_iter().map(GroupName::as_str).collect::<Vec<_>>(), ["sales@example.com"]);
    assert!(!need.sender.person && need.recipients.is_empty() && !need.domains);
    assert_eq!((asked.len(), *within), (1, LOOK_UP_WITHIN));
}

#[tokio::test(start_paused = true)]
async fn a_silent_directory_costs_the_rules_that_ask_it_and_nothing_else() {
    let lenient = world(ASKS, ORIGINAL, "OUTBOUND");
    let began = Instant::now();
    let handled = lenient.go_asking(&Silent::default()).await;
    assert!(began.elapsed() < LOOK_UP_WITHIN + Duration::from_secs(1));
    assert_eq!((&handled.report.fate, answer(&handled)), (&Fate::Rewritten, DEFAULT.to_owned()));
    // Neither the rule nor its opposite runs on a guess.
    assert!(!lenient.text().contains("Sales:") && lenient.text().contains("X-Checked: yes"));
    let verdicts: Vec<_> = handled.report.rules.unwrap().rules.into_iter().map(|rule| rule.verdict).collect();
    let unknown = Verdict::Failed("whether it applies is not known: it is silent".to_owned());
    assert_eq!(verdicts, [unknown.clone(), unknown, Verdict::Matched]);

    let strict = ASKS.replace("name = \"not-sales\"", "name = \"not-sales\"\non_error = \"fail\"");
    let strict = world(&strict, ORIGINAL, "OUTBOUND");
    let error = strict.go_asking(&Silent::default()).await.answer.unwrap_err();
    assert_eq!(error.kind(), "Mailwright.RuleFailed");
    assert!(strict.is_untouched());
}

const STORED: &str = r#"
[[rule]]
name = "files"
[[rule.action]]
kind = "store_attachments"
attachment = { extension = "pdf" }
link = "https://files.example.com/{{ attachment.key }}"
"#;
const WITH_FILE: &str = "From: Ann <ann@example.com>\nSubject: Harvest plan\nMIME-Version: 1.0\nContent-Type: multipart/mixed; \
                         boundary=m\n\n--m\n\nSee the plan.\n--m\nContent-Type: application/pdf; name=plan.pdf\n\n%PDF-1.7\n--m--\n";

#[tokio::test(start_paused = true)]
async fn an_attachment_is_stored_before_the_message_that_links_to_it_goes_out() {
    let world = world(STORED, WITH_FILE, "OUTBOUND");
    world.memory.fail_once(Call::Keep, Fault::After(PortError::transient(Trouble::Timeout, "")));
    let handled = world.go().await;
    assert_eq!((&handled.report.fate, handled.report.attachments_stored), (&Fate::Rewritten, 1));
    assert_eq!(world.memory.calls(), [Call::Fetch, Call::Keep, Call::Keep, Call::Put, Call::PutBack]);
    let keys: Vec<String> = world.memory.keys().into_iter().filter(|key| key.starts_with("attachments/")).collect();
    assert!(keys.len() == 1 && world.text().contains(&format!("https://files.example.com/{}", keys[0])), "{keys:?}");
    assert!(!world.text().contains("%PDF"));
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_attachment_cannot_be_stored_goes_out_with_it_or_not_at_all() {
    let denied = || Fault::Before(PortError::permanent(Refusal::Denied, ""));
    let lenient = world(STORED, WITH_FILE, "OUTBOUND");
    lenient.memory.fail_always(Call::Keep, denied());
    let handled = lenient.go().await;
    assert!(matches!(handled.report.fate, Fate::Original { stage: Stage::Keep, .. }), "{:?}", handled.report.fate);
    assert!(lenient.is_untouched() && answer(&handled) == DEFAULT);
    let strict = world(&STORED.replace("\"files\"", "\"files\"\non_error = \"fail\""), WITH_FILE, "OUTBOUND");
    strict.memory.fail_always(Call::Keep, denied());
    assert!(matches!(strict.go().await.answer, Err(FlowError::Refused { stage: Stage::Keep, .. })));
    assert!(strict.is_untouched());
    let slow = world(STORED, WITH_FILE, "OUTBOUND");
    slow.memory.fail_always(Call::Keep, Fault::Hang);
    assert!(matches!(slow.go().await.answer, Err(FlowError::Trouble { stage: Stage::Keep, .. })));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_hundreds_of_rules_ask_about_is_known_again_and_answered_as_before() {
    let footer = "[[rule]]\nname = \"footer\"\naction = { kind = \"append\", text = \"Grown by Example.\", once = \"always\" }\n";
    let (mut everybody, mut each) = (footer.to_owned(), footer.to_owned());
    for n in 0..200 {
        everybody.push_str(&format!(
            "[[rule]]\nname = \"all-{n}\"\naction = [{{ kind = \"bounce\", message = \"No. {n}\" }}, \
             {{ kind = \"add_recipients\", addresses = [\"copy{n}@example.com\"] }}]\n"
        ));
        each.push_str(&format!(
            "[[rule]]\nname = \"each-{n}\"\nwhen = {{ recipients = {{ each = \"*@c{n}.example\" }} }}\n\
             action = {{ kind = \"bounce\", message = \"No. {n}\" }}\n"
        ));
    }
    each.push_str(
        "[[rule]]\nname = \"dropped\"\nwhen = { recipients = { each = \"p4*@*\" } }\naction = { kind = \"drop\" }\n",
    );
    for (rules, count, truncated) in [(&everybody, 3, false), (&each, 400, false), (&each, 400, true)] {
        let mut world = world(rules, ORIGINAL, "OUTBOUND");
        let to = |n: usize| json!({ "address": format!("p{n}@c{}.example", n % 250) });
        world.event["envelope"]["recipients"] = (0..count).map(to).collect();
        world.event["truncated"] = truncated.into();
        let first = answer(&world.go().await);
        let rewritten = world.text();
        assert!(rewritten.starts_with("X-Mailwright-Mark: v=4; flow=outbound; rules="), "{rewritten}");
        assert!(rewritten.lines().all(|line| line.len() <= 78), "{rewritten}");
        assert_eq!(rewritten.matches("Grown by Example.").count(), 1);
        assert!(first.contains("BOUNCE") && (count < 400) != first.contains("DROP"), "{first}");
        // What WorkMail tries again it asks about in the same words.
        for _ in 0..2 {
            let again = world.go().await;
            assert_eq!(again.report.fate, Fate::Marked);
            assert_eq!(answer(&again), first);
            assert_eq!(world.text(), rewritten);
        }
        // In another order.
        world.event["envelope"]["recipients"].as_array_mut().unwrap().reverse();
        let reversed = world.go().await;
        assert_eq!(reversed.report.fate, Fate::Marked);
        let sorted = |answer: &str| answer.chars().filter(|c| *c == '@').count();
        assert_eq!(sorted(&answer(&reversed)), sorted(&first));
    }
}
