//! Nothing of a message, of who writes it to whom, or of the directory gets into what the function says: log, metrics, the
//! errors that invocations fail with, what is printed of a panic. Every text that comes from outside bears a mark here, every
//! path is gone, and the mark is looked for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::calls::{Call, Policy, faults};
use crate::extremes::worst_events;
use crate::gate::Fault;
use crate::shelf::{FAULTY, RULES as PUBLISHED, packed, publish};
use crate::world::{Outcome, Port, STAMP_KEY, World, event, start_fails};
use crate::{KEY_ID, SECRET};

/// What is said nowhere: the mark, in any case and in base64; what the directory says; keys.
const TOLD_TO_NOBODY: &[&str] =
    &["sekret", "c2vrcmv0", "nla3jld", "zwtyzx", "ann@", "sales@", "ann lee", "field sales", "grower", STAMP_KEY];
const ID: &str = "m-1";
const AT_ONCE: usize = 6;
const PLENTY: Duration = Duration::from_secs(15);
/// Time for an invocation that meets a fault: it is told of just the same when there is hardly any.
const LITTLE: Duration = Duration::from_millis(1_600);

/// Rules that look at everything and say what they found wherever a rule can.
const RULES: &str = r#"
[[rule]]
name = "files"
on_error = "skip"
action = { kind = "store_attachments", attachment = { extension = "pdf" } }

[[rule]]
name = "names"
on_error = "skip"
action = { kind = "rename_attachments", append = ".txt" }

[[rule]]
name = "footer"
on_error = "skip"
when = { sender = { group = "sales@example.com", attribute = { department = { words = "sales" } } } }
action = { kind = "append", text = "From {{ sender.display_name }} about {{ subject }}." }

[[rule]]
name = "words"
on_error = "skip"
when = { any = [{ subject = { contains = "sekret" } }, { header = { name = "X-Sekret", contains = "sekret" } }] }
action = [{ kind = "redact", pattern = "(?i)sekretbody[0-9]+" }, { kind = "tag_subject", tag = "[seen]" }]

[[rule]]
name = "some"
when = { recipients = { each = "*@sekretto.example" } }
action = { kind = "bounce", message = "No." }
"#;

/// What a service may say of a message, in quotes and without.
const ECHO: &str = "Header Subject: Sekretsubject is invalid, 'sekretbody1234' <sekretfrom@sekretfrom.example> to \
                    \"Sekretname\" sekretto@sekretto.example; SEKRETFILE.pdf in line 12 sekret sekret";

fn message() -> Bytes {
    let text = "From: \"Sekretname, Ann\" <ann@example.com>\nTo: sekretto@sekretto.example\nCc: =?utf-8?B?U2VrcmV0?= \
                <sekretcc@sekretcc.example>\nSubject: Sekretsubject\nX-Sekret: sekretvalue\nMessage-ID: \
                <sekretid@sekretid.example>\nReferences: <sekretref@sekretid.example>\nMIME-Version: 1.0\n\
                Content-Type: multipart/mixed; boundary=sekretboundary; name=sekretparameter\n\n--sekretboundary\n\
                Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=sekretcharset\n\n\
                Sekretbody1234 for you.\n--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: \
                quoted-printable\n\n<p title=3D\"sekrettitle\">Sekretbody1234 <a href=3D\"https://sekret.example/\">for=\n</a> \
                you.</p>\n--b--\n--sekretboundary\nContent-Type: application/pdf; name=\"sekretfile.pdf\"\n\
                Content-Disposition: attachment; filename=\"sekretfile.pdf\"\nContent-Transfer-Encoding: base64\n\n\
                JVBERi0xLjQKJSBzZWtyZXQgc2VrcmV0IHNla3JldAo=\n--sekretboundary\nContent-Type: message/rfc822\n\n\
                From: sekretother@sekretother.example\nSubject: sekretinner\n\nsekretinnerbody\n--sekretboundary--\n";
    Bytes::from(text.replace('\n', "\r\n"))
}

fn telling_event() -> Value {
    let mut event = event(ID, "OUTBOUND");
    event["envelope"]["recipients"] = serde_json::json!([
        {"address": "sekretto@sekretto.example"}, {"address": "sekretcc@sekretcc.example"}, {"address": "sekret"}
    ]);
    event["sender"]["address"] = "sekretsender@sekretsender.example".into();
    event["subject"] = "Sekretsubject".into();
    event["sekretfield"] = "sekretfield".into();
    event
}

/// The same where the sender is nobody whom the directory knows.
fn event_of_a_stranger() -> Value {
    let mut event = telling_event();
    event["envelope"]["mailFrom"]["address"] = "sekretfrom@sekretfrom.example".into();
    event
}

fn what_is_told(text: &str) -> Option<String> {
    let small = text.to_ascii_lowercase();
    let told = TOLD_TO_NOBODY.iter().find(|secret| small.contains(*secret))?;
    let line = text.lines().find(|line| line.to_ascii_lowercase().contains(told)).unwrap_or(text);
    Some(format!("`{told}` is told: {line}"))
}

/// Call, and look at the error that comes of it; an answer names recipients, as it must.
async fn call(world: &mut World, event: &Value, time: Duration, wrong: &mut Vec<String>, what: &str) -> Outcome {
    let outcome = world.call(event, time).await;
    if let Outcome::Failed(error) = &outcome {
        wrong.extend(what_is_told(&error.to_string()).map(|told| format!("{what}, the error: {told}")));
    }
    outcome
}

fn rules(policy: Policy) -> String {
    match policy {
        Policy::Skip => RULES.to_owned(),
        Policy::Fail => RULES.replace("\"skip\"", "\"fail\""),
    }
}

async fn world(rules: &str, level: &str) -> World {
    let changes = [("MAILWRIGHT_LOG", level), ("MAILWRIGHT_PUBLISHED_RULES", PUBLISHED)];
    let world = World::gated(rules, &changes, None).await;
    publish(&world, "rules.json", &packed(rules));
    for port in [Port::Runtime, Port::Flow, Port::S3, Port::Directory] {
        world.gate(port).say(ECHO);
    }
    world
}

#[tokio::test]
async fn no_fault_makes_the_function_tell_of_mail() {
    let queue: VecDeque<_> =
        [Call::Fetch, Call::LookUp, Call::Keep, Call::Store, Call::PutBack, Call::Rules, Call::Versions]
            .into_iter()
            .flat_map(|call| faults(call).into_iter().map(move |(what, fault, _)| (call, what, fault)))
            // It would take until the end of its time, to say the same as one that hangs.
            .filter(|(.., fault)| !matches!(fault, Fault::ByteByByte(_) | Fault::HangAfter | Fault::TooLong))
            .collect();
    let mut workers = JoinSet::new();
    for policy in [Policy::Skip, Policy::Fail] {
        let queue = Arc::new(Mutex::new(queue.clone()));
        for worker in 0..AT_ONCE {
            let queue = queue.clone();
            workers.spawn(async move {
                let mut world = world(&rules(policy), if worker % 2 == 0 { "debug" } else { "info" }).await;
                let mut wrong = Vec::new();
                loop {
                    let Some((at, what, fault)) = queue.lock().unwrap().pop_front() else { break };
                    let what = format!("{at:?}: {what}, {policy:?}");
                    if matches!(at, Call::LookUp | Call::Rules | Call::Versions) {
                        world.restart().await;
                    }
                    if at == Call::Versions {
                        publish(&world, "rules.json", FAULTY);
                    }
                    world.insert(ID, message());
                    world.gate(at.port()).plan(at.which(), fault, usize::MAX);
                    call(&mut world, &telling_event(), LITTLE, &mut wrong, &what).await;
                    world.gate(at.port()).clear();
                    if at == Call::Versions {
                        publish(&world, "rules.json", &packed(&rules(policy)));
                    }
                }
                wrong.extend(what_is_told(&world.log()));
                wrong
            });
        }
    }
    let wrong = workers.join_all().await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_goes_well_and_what_is_marked_is_not_told_either() {
    for (policy, level) in [(Policy::Skip, "debug"), (Policy::Fail, "info")] {
        let mut world = world(&rules(policy), level).await;
        let mut wrong = Vec::new();
        for event in [telling_event(), event_of_a_stranger()] {
            world.insert(ID, message());
            for what in ["rewritten", "marked"] {
                let outcome = call(&mut world, &event, PLENTY, &mut wrong, what).await;
                let Outcome::Answered(answer) = outcome else { panic!("{what}: {outcome:?}: {}", world.log()) };
                assert!(answer.to_string().contains("BOUNCE"), "{answer}");
            }
            // It was there to be told.
            let rewritten = String::from_utf8_lossy(&world.message(ID)).to_ascii_lowercase();
            assert!(rewritten.contains("[seen] sekretsubject") && !rewritten.contains("sekretbody1234"), "{rewritten}");
        }
        let log = world.log();
        wrong.extend(what_is_told(&log));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        for said in ["\"fate\":\"rewritten\"", "\"fate\":\"marked\"", "\"Rule.words.Matched\":1", "files,names"] {
            assert!(log.contains(said), "{said}: {log}");
        }
        assert!(!log.contains(SECRET) && !log.contains(KEY_ID));
    }
}

#[tokio::test]
async fn a_panic_and_a_bad_event_tell_nothing() {
    for on_error in ["skip", "fail"] {
        let bug = format!("[[rule]]\nname = \"bug\"\non_error = \"{on_error}\"\naction = {{ kind = \"panic\" }}\n");
        let mut world = world(&format!("{bug}{RULES}"), "debug").await;
        let mut wrong = Vec::new();
        for event in [telling_event(), event_of_a_stranger()] {
            world.insert(ID, message());
            call(&mut world, &event, PLENTY, &mut wrong, "a panic").await;
        }
        wrong.extend(what_is_told(&world.log()));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(world.log().contains("src/rule/actions/panics.rs"), "it panicked");
    }
    let mut world = world(RULES, "debug").await;
    let mut wrong = Vec::new();
    for event in worst_events() {
        // Whatever stands in it is somebody's.
        let text = event
            .to_string()
            .replace("x@y", "sekret@sekret")
            .replace("xxxxxxxx", "sekret@a")
            .replace("a@b", "sekret@b");
        let mut event: Value = serde_json::from_str(&text).unwrap();
        if let Some(fields) = event.as_object_mut() {
            fields.insert("sekret".to_owned(), "sekret".into());
        }
        world.insert(ID, message());
        call(&mut world, &event, PLENTY, &mut wrong, &text).await;
    }
    // One that is cut off on its way is no JSON.
    for fault in [Fault::TooShort, Fault::Malformed, Fault::Truncated, Fault::Says(500, "sekret")] {
        world.gate(Port::Runtime).plan(|head| head.path.ends_with("/next"), fault, 1);
        world.restart().await;
        call(&mut world, &telling_event(), LITTLE, &mut wrong, "an event that is cut").await;
        world.gate(Port::Runtime).clear();
    }
    wrong.extend(what_is_told(&world.log()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_bad_rule_set_shows_the_lines_at_fault_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let bad = "\n[[rule]]\nname = \"typo\"\naction = { kind = \"dorp\" }\n";
    std::fs::write(folder.path().join("rules/rules.toml"), format!("{RULES}{bad}")).unwrap();
    let (status, log) = start_fails(folder.path(), &[]);
    assert!(!status.success() && log.contains("dorp"), "{log}");
    assert_eq!(what_is_told(&log), None);
    assert!(!log.contains(SECRET), "{log}");
}
