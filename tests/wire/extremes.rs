//! The largest messages, the longest lists, the worst events, deadlines that pass anywhere, rules that panic, and a Runtime
//! API that fails: over the wire, with what must hold of message and answer.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::gate::{Fault, Which};
use crate::validity::fault_of;
use crate::world::{Outcome, PATIENCE, Port, Store, World, event};
use crate::{default, message, message_with_a_file};

const PLENTY: Duration = Duration::from_secs(15);
const ID: &str = "m-1";

const STRICT: &str = r#"
[[rule]]
name = "footer"
on_error = "fail"
when = { direction = "outbound" }
action = { kind = "append", text = "Grown by Example Orchards.", once = "always" }
"#;

fn text(world: &World, id: &str) -> String {
    String::from_utf8_lossy(&world.message(id)).into_owned()
}

/// There was no time for a call, or for a rule that has to run.
fn is_late(error: &Value) -> bool {
    let late = |text: &str| text.contains("time ran out") || text.contains("no time was left");
    error["errorMessage"].as_str().is_some_and(late)
}

/// Invoke with plenty of time, again where it was not enough: the answer, which WorkMail must take.
async fn answer(world: &mut World, event: &Value) -> Value {
    let mut tries = 0;
    loop {
        tries += 1;
        match world.call(event, PLENTY).await {
            Outcome::Answered(answer) => {
                assert_eq!(fault_of(&answer, event), None, "{answer} for {event}");
                return answer;
            }
            Outcome::Failed(error) if is_late(&error) && tries < PATIENCE => {}
            Outcome::Silent if tries < PATIENCE => {}
            outcome => panic!("{outcome:?} for {event}: {}", world.log()),
        }
    }
}

#[tokio::test]
async fn a_rule_that_panics_costs_that_rule_or_fails_the_invocation() {
    let rules = |on_error: &str| {
        format!("[[rule]]\nname = \"bug\"\non_error = \"{on_error}\"\naction = {{ kind = \"panic\" }}\n{STRICT}")
    };
    let event = event(ID, "OUTBOUND");
    let mut world = World::gated(&rules("skip"), &[], None).await;
    let pid = world.pid();
    for _ in 0..3 {
        world.insert(ID, message("Harvest plan"));
        assert_eq!(world.call(&event, PLENTY).await, Outcome::Answered(default()));
        assert_eq!(text(&world, ID).matches("Grown by").count(), 1);
        assert!(!text(&world, ID).contains("half done"));
        let rewrite = world.message(ID);
        assert_eq!(world.call(&event, PLENTY).await, Outcome::Answered(default()));
        assert!(world.message(ID) == rewrite, "another at the next try");
    }
    assert_eq!(world.pid(), pid, "the process goes on");
    let log = world.log();
    assert!(log.contains("src/rule/actions/panics.rs") && log.contains("\"rules_failed\":\"bug\""), "{log}");

    let mut world = World::gated(&rules("fail"), &[], None).await;
    world.insert(ID, message("Harvest plan"));
    let Outcome::Failed(error) = world.call(&event, PLENTY).await else { panic!("answered") };
    assert_eq!(error["errorType"], "Mailwright.RuleFailed");
    assert_eq!(world.message(ID), message("Harvest plan"));
    // The rule is mended, and WorkMail tries again.
    std::fs::write(world.folder.path().join("rules/rules.toml"), STRICT).unwrap();
    world.restart().await;
    for _ in 0..2 {
        assert_eq!(world.call(&event, PLENTY).await, Outcome::Answered(default()));
        assert_eq!(text(&world, ID).matches("Grown by").count(), 1);
    }
}

/// One rule needs each port.
const EACH_PORT: &str = r#"
[[rule]]
name = "files"
on_error = "fail"
action = { kind = "store_attachments", attachment = { extension = "pdf" }, link = "https://files.example.com/{{ attachment.key }}" }

[[rule]]
name = "footer"
on_error = "fail"
when = { sender = { group = "sales@example.com" } }
action = { kind = "append", text = "Grown by Example Orchards.", once = "always" }
"#;

#[tokio::test]
async fn a_deadline_that_passes_anywhere_leaves_the_original_or_the_whole_rewrite() {
    let calls: [(&str, Port, Which); 6] = [
        ("fetching", Port::Flow, |head| head.method == "GET"),
        ("looking people up", Port::Directory, |_| true),
        ("storing an attachment", Port::S3, |head| head.path.starts_with("/attachments-of-mail/")),
        ("storing", Port::S3, |head| head.path.starts_with("/rewritten-mail/")),
        ("putting back", Port::Flow, |head| head.method == "POST"),
        ("answering", Port::Runtime, |head| head.path.ends_with("/response")),
    ];
    let event = event(ID, "OUTBOUND");
    let original = message_with_a_file();
    let mut world = World::gated(EACH_PORT, &[], None).await;
    world.insert(ID, original.clone());
    answer(&mut world, &event).await;
    let rewrite = world.message(ID);
    let mut outcomes = Vec::new();
    for (what, port, which) in calls {
        // The first comes too late, in the second there is not even time to begin.
        for (late, time) in [(1_500, 1_400), (1, 2)] {
            if port == Port::Directory {
                // What was asked before is not asked again.
                world.restart().await;
            }
            world.insert(ID, original.clone());
            world.gate(port).plan(which, Fault::Late(Duration::from_millis(late)), usize::MAX);
            let outcome = world.call(&event, Duration::from_millis(time)).await;
            world.gate(port).clear();
            let now = world.message(ID);
            assert!(now == original || now == rewrite, "{what}: half done");
            match outcome {
                // The original is never what a valid answer lets go out.
                Outcome::Answered(_) => assert!(now == rewrite, "{what}: answered, and not rewritten"),
                Outcome::Failed(_) | Outcome::Silent => {}
                Outcome::Died => panic!("{what}: {outcome:?}"),
            }
            outcomes.push(outcome);
            if port == Port::Directory {
                // A directory that failed is left alone for a while.
                world.restart().await;
            }
            // Twice, as WorkMail may.
            for _ in 0..2 {
                answer(&mut world, &event).await;
                assert!(world.message(ID) == rewrite, "{what}: not the rewrite after the next try");
            }
        }
    }
    assert!(outcomes.iter().filter(|outcome| !matches!(outcome, Outcome::Answered(_))).count() >= 6, "{outcomes:?}");

    // While the rules run: a long text, and hardly any time.
    let mut world = World::gated(STRICT, &[], None).await;
    let text_alone = message("Harvest plan");
    let long =
        format!("{}{}", String::from_utf8_lossy(&text_alone), "The apples are ripe, and the pears.\r\n".repeat(8_000));
    for time in [800, 1_000, 1_200, 1_500] {
        world.insert(ID, long.clone());
        let outcome = world.call(&event, Duration::from_millis(time)).await;
        let now = world.message(ID);
        let rewritten = now.starts_with(b"X-Mailwright-Mark:") && now.ends_with(b"Grown by Example Orchards.\r\n");
        assert!(now == long.as_bytes() || rewritten, "half done");
        assert!(rewritten || !matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
    }
    for _ in 0..2 {
        answer(&mut world, &event).await;
        assert_eq!(text(&world, ID).matches("Grown by").count(), 1);
    }
}

#[tokio::test]
async fn a_runtime_api_that_fails_costs_no_more_than_another_try() {
    let event = event(ID, "OUTBOUND");
    let original = message_with_a_file();
    let mut world = World::gated(STRICT, &[], None).await;
    world.insert(ID, original.clone());
    answer(&mut world, &event).await;
    let rewrite = world.message(ID);
    let next: Which = |head| head.path.ends_with("/invocation/next");
    let response: Which = |head| head.path.ends_with("/response");
    for (what, which) in [("the next event", next), ("the answer", response)] {
        for fault in [
            Fault::Says(500, "InternalServerError"),
            Fault::Says(413, "RequestEntityTooLarge"),
            Fault::Garbage,
            Fault::ResetRequest,
            Fault::ResetAfter,
            Fault::ResetAnswer,
            Fault::Truncated,
            Fault::TooShort,
            Fault::Malformed,
            Fault::Dies,
            Fault::DiesAfter,
        ] {
            world.insert(ID, original.clone());
            world.gate(Port::Runtime).plan(which, fault, 1);
            if what == "the next event" {
                // It asks for it as soon as it runs.
                world.restart().await;
            }
            let outcome = world.call(&event, Duration::from_secs(6)).await;
            assert_eq!(world.gate(Port::Runtime).clear(), 1, "{what}: {fault:?} was not met");
            let now = world.message(ID);
            assert!(now == original || now == rewrite, "{what}, {fault:?}: {outcome:?}");
            if let Outcome::Answered(answer) = &outcome {
                assert_eq!(fault_of(answer, &event), None, "{what}, {fault:?}: {answer}");
            }
            assert!(now == rewrite || !matches!(outcome, Outcome::Answered(_)), "{what}, {fault:?}: {outcome:?}");
            // Lambda ends a sandbox whose Runtime API fails.
            world.restart().await;
            assert_eq!(world.call(&event, PLENTY).await, Outcome::Answered(default()), "{what}, {fault:?}");
            assert!(world.message(ID) == rewrite, "{what}, {fault:?}: not the rewrite after the next try");
        }
    }
    // The runtime panics where headers are missing that tell it of the event; we do not.
    assert!(!world.log().contains("\"place\":\"src/"), "{}", world.log());
}

/// A message of so many octets, nearly all of them an attachment.
fn of_size(octets: usize) -> Bytes {
    let whole = message_with_a_file();
    let at = whole.len() - "--b--\r\n".len();
    let line = "VGhlIGFwcGxlcyBhcmUgcmlwZSwgYW5kIHNvIGFyZSB0aGUgcGVhcnMuIFRoZSBhcHBsZXMgYXJl\r\n";
    let mut raw = Vec::with_capacity(octets);
    raw.extend_from_slice(&whole[..at]);
    while raw.len() + line.len() + 7 <= octets {
        raw.extend_from_slice(line.as_bytes());
    }
    // Whatever is left is an epilogue.
    raw.extend_from_slice(&whole[at..]);
    raw.resize(octets - 2, b' ');
    raw.extend_from_slice(b"\r\n");
    raw.into()
}

#[tokio::test]
async fn the_largest_message_goes_through_and_what_would_be_larger_stays_as_it_is() {
    let mut world = World::start_on(Store::Plain, &STRICT.replace("fail", "skip"), &[]).await;
    let event = event(ID, "OUTBOUND");
    for (octets, rewritten) in [(39_990_000, true), (40_000_000, false), (61_000_000, false)] {
        let raw = of_size(octets);
        world.insert(ID, raw.clone());
        let began = Instant::now();
        let answer = world.insist(&event).await;
        assert_eq!(answer, Ok(default()), "{octets} octets, after {:?}: {}", began.elapsed(), world.log());
        let now = world.message(ID);
        if rewritten {
            assert!(now.len() > raw.len() && now.len() <= 40_000_000);
            // All of the attachment, as it came.
            let from = memchr::memmem::find(&raw, b"--b\r\nContent-Type: application/pdf").unwrap();
            assert!(now.ends_with(&raw[from..]), "{octets} octets: the rest is not as it came");
        } else {
            assert!(now == raw, "{octets} octets: not the original");
        }
        // WorkMail's next try.
        assert_eq!(world.insist(&event).await, Ok(default()), "{octets} octets: {}", world.log());
        assert!(world.message(ID) == now, "{octets} octets: another at the next try");
    }
    let log = world.log();
    assert_eq!(log.matches("\"refusal\":\"TooLarge\"").count(), 4, "{log}");
    // Once at most: it may be that only the answer came too late.
    assert!(log.matches("\"fate\":\"rewritten\"").count() <= 1, "{log}");
    assert!(log.matches("\"fate\":\"marked\"").count() >= 1, "{log}");
}

#[tokio::test]
async fn five_hundred_recipients_each_get_an_answer() {
    let mut rules = STRICT.to_owned();
    for kind in 0..20 {
        rules.push_str(&format!(
            "[[rule]]\nname = \"bounce-{kind}\"\non_error = \"fail\"\nwhen = {{ recipients = {{ each = \"*@c{kind}.example\" }} }}\n\
             action = {{ kind = \"bounce\", message = \"Not to c{kind}, please.\" }}\n"
        ));
    }
    let mut world = World::gated(&rules, &[], None).await;
    for (count, truncated) in [(1, false), (500, false), (500, true), (501, false), (2_000, true)] {
        world.insert(ID, message("Harvest plan"));
        let mut event = event(ID, "OUTBOUND");
        let to = |n: usize| json!({ "address": format!("person.{n:04}@c{}.example", n % 40) });
        event["envelope"]["recipients"] = (0..count).map(to).collect();
        event["truncated"] = truncated.into();
        let given = answer(&mut world, &event).await;
        assert_eq!(text(&world, ID).matches("Grown by").count(), 1);
        let rewrite = world.message(ID);
        assert_eq!(answer(&mut world, &event).await, given, "another answer at the next try");
        assert!(world.message(ID) == rewrite, "another at the next try");
        let mut bounced = 0;
        for action in given["actions"].as_array().unwrap() {
            let text = action["action"]["parameters"]["bounceMessage"].as_str().unwrap_or_default();
            for address in action["recipients"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                let kind = address.split(['@', '.']).nth(2).unwrap();
                let asked = kind[1..].parse::<usize>().unwrap() < 20;
                // Bounces that there are too many of become one with all their texts.
                assert_eq!(asked, text.contains(&format!("Not to {kind}, please.")), "{address}: {action}");
                bounced += usize::from(asked);
            }
        }
        if count == 500 && !truncated {
            assert_eq!(bounced, 260, "{given}");
        }
    }
}

#[tokio::test]
async fn a_message_that_hundreds_of_rules_ask_about_is_rewritten_once_whatever_is_lost() {
    let mut rules = STRICT.to_owned();
    for n in 0..300 {
        rules.push_str(&format!(
            "[[rule]]\nname = \"bounce-{n}\"\non_error = \"fail\"\nwhen = {{ recipients = {{ each = \"*@c{n}.example\" }} }}\n\
             action = {{ kind = \"bounce\", message = \"Not to c{n}, please.\" }}\n"
        ));
    }
    let mut world = World::gated(&rules, &[], None).await;
    let mut event = event(ID, "OUTBOUND");
    let to = |n: usize| json!({ "address": format!("person.{n:04}@c{}.example", n % 400) });
    event["envelope"]["recipients"] = (0..500).map(to).collect();
    let original = message("Harvest plan");
    world.insert(ID, original.clone());
    let first = answer(&mut world, &event).await;
    let rewrite = world.message(ID);
    assert!(rewrite.starts_with(b"X-Mailwright-Mark: v=4;") && rewrite.len() < original.len() + 45_000);
    // The answer is lost, and the process with it.
    world.insert(ID, original);
    let mut lost = false;
    for _ in 0..PATIENCE {
        world.gate(Port::Runtime).plan(|head| head.path.ends_with("/response"), Fault::Dies, 1);
        world.call(&event, PLENTY).await;
        lost = world.gate(Port::Runtime).clear() == 1;
        if lost {
            break;
        }
    }
    assert!(lost && world.message(ID) == rewrite, "{}", world.log());
    for _ in 0..2 {
        assert_eq!(answer(&mut world, &event).await, first);
        assert!(world.message(ID) == rewrite);
    }
    assert_eq!(text(&world, ID).matches("Grown by").count(), 1);
}

/// Events of which a field is missing, null, of another type, or holds what it should not.
pub fn worst_events() -> Vec<Value> {
    let sound = event(ID, "OUTBOUND");
    let wrong = [
        Value::Null,
        json!(true),
        json!(-7.5),
        json!(""),
        json!("x".repeat(10_000)),
        json!("\u{0}\u{202e}../../a@b\r\nX: y"),
        json!([]),
        json!([null, [1], {"address": null}, {"address": "a@b@c"}, {"address": ["x@y.example"]}]),
        json!({}),
        json!({"address": {"address": "x@y.example"}}),
    ];
    let places = [
        "/summaryVersion",
        "/envelope",
        "/envelope/mailFrom",
        "/envelope/mailFrom/address",
        "/envelope/recipients",
        "/envelope/recipients/0",
        "/envelope/recipients/0/address",
        "/sender",
        "/sender/address",
        "/subject",
        "/messageId",
        "/invocationId",
        "/flowDirection",
        "/truncated",
    ];
    let mut events = Vec::new();
    for place in places {
        for value in &wrong {
            let mut event = sound.clone();
            *event.pointer_mut(place).unwrap() = value.clone();
            events.push(event);
        }
        let (parent, name) = place.rsplit_once('/').unwrap();
        let mut event = sound.clone();
        match event.pointer_mut(parent).unwrap() {
            Value::Object(fields) => drop(fields.remove(name)),
            Value::Array(entries) => entries.clear(),
            _ => {}
        }
        events.push(event);
    }
    let mut more = sound.clone();
    more["unheard"] = json!({"of": [1, 2, 3]});
    events.extend([more, json!(null), json!([]), json!([sound]), json!("x"), json!(0), json!({})]);
    events
}

#[tokio::test]
async fn the_worst_event_is_answered_and_costs_no_mail() {
    let mut world = World::gated(STRICT, &[], None).await;
    let original = message("Harvest plan");
    world.insert(ID, original.clone());
    answer(&mut world, &event(ID, "OUTBOUND")).await;
    let rewrite = world.message(ID);
    let pid = world.pid();
    for event in worst_events() {
        world.insert(ID, original.clone());
        let given = answer(&mut world, &event).await;
        let now = world.message(ID);
        assert_eq!(answer(&mut world, &event).await, given, "{event}");
        assert!(world.message(ID) == now, "another at the next try: {event}");
        let meant = event["messageId"] == ID && event["flowDirection"] == "OUTBOUND";
        let as_should_be = if meant { text(&world, ID).contains("Grown by") } else { now == original };
        assert!(as_should_be, "{event}: {}", text(&world, ID));
        if meant && event["envelope"]["recipients"][0]["address"] == "kim@customer.example" {
            assert!(now == rewrite, "{event}");
        }
    }
    assert_eq!(world.pid(), pid, "the process goes on");
    assert!(!world.log().contains("panicked"), "{}", world.log());
}
