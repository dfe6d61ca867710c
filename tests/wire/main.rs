//! The function as a process of its own, invoked over the Lambda Runtime API, with Message Flow, S3 and WorkMail's directory on
//! loopback.

mod calls;
mod candidate_faults;
mod deployed;
mod directory;
mod extremes;
mod faults;
mod full_of_finds;
mod full_of_work;
mod gate;
mod kept;
mod load;
mod mail;
mod message_flow;
mod object_store;
mod operators;
mod organization;
mod plain_store;
mod published;
mod rule_faults;
mod runtime_api;
mod second_server;
mod secrets;
mod server;
mod shelf;
mod validity;
mod world;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};
use world::{World, event, start_fails};

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn default() -> Value {
    json!({"actions": [{"action": {"type": "DEFAULT"}, "allRecipients": true}]})
}

fn message(subject: &str) -> Bytes {
    let text = format!(
        "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: {subject}\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nThe äpples are ripe.\n"
    );
    Bytes::from(text.replace('\n', "\r\n"))
}

/// With something to store outside of it, and its sender in the directory.
fn message_with_a_file() -> Bytes {
    let text = "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Harvest plan\nMIME-Version: 1.0\n\
                Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=us-ascii\n\n\
                The apples are ripe.\n--b\nContent-Type: application/pdf\n\
                Content-Disposition: attachment; filename=plan.pdf\nContent-Transfer-Encoding: base64\n\n\
                JVBERi0xLjQKJSBub3QgbXVjaCBvZiBhIHBsYW4K\n--b--\n";
    Bytes::from(text.replace('\n', "\r\n"))
}

#[tokio::test]
async fn one_process_answers_many_events() {
    let mut world = World::start().await;

    // No rule changes it: it is read and nothing else.
    world.insert("in-1", message("Harvest plan"));
    assert_eq!(world.invoke(&event("in-1", "INBOUND")).await, Ok(default()));
    assert_eq!(world.requests(), ["GET in-1"]);
    assert_eq!(world.message("in-1"), message("Harvest plan"));

    // A rule asks for an answer alone.
    world.insert("in-2", message("You won the lottery"));
    let junk = json!({"actions": [{"action": {"type": "MOVE_TO_JUNK"}, "allRecipients": true}]});
    assert_eq!(world.invoke(&event("in-2", "INBOUND")).await, Ok(junk));
    assert_eq!(world.requests(), ["GET in-2"]);

    // Changed: what is put back is what a replay makes of it.
    world.insert("out-1", message("Harvest plan"));
    let out = event("out-1", "OUTBOUND");
    assert_eq!(world.invoke(&out).await, Ok(default()));
    assert_eq!(world.requests(), ["GET out-1", "POST out-1"]);
    let rewritten = world.message("out-1");
    assert_eq!(rewritten, world.replayed(&out, message("Harvest plan")));
    let text = String::from_utf8(rewritten.to_vec()).unwrap();
    assert!(text.starts_with("X-Mailwright-Mark: v=3; flow=outbound;"), "{text}");
    assert!(text.contains("X-Checked: yes\r\n") && text.contains("Grown by Example Orchards"), "{text}");

    // The same event again: nothing changes.
    assert_eq!(world.invoke(&out).await, Ok(default()));
    assert_eq!(world.requests(), ["GET out-1"]);
    assert_eq!(world.message("out-1"), rewritten);

    // An empty message, and one that is no mail.
    for (id, raw) in [("odd-1", Bytes::new()), ("odd-2", Bytes::from_static(&[0, 255, 13, 10, 0, 10, 10, 200]))] {
        world.insert(id, raw.clone());
        let event = event(id, "OUTBOUND");
        assert_eq!(world.invoke(&event).await, Ok(default()));
        assert_eq!(world.message(id), world.replayed(&event, raw));
    }
    world.requests();

    // Not there: WorkMail is told to go on.
    assert_eq!(world.invoke(&event("nowhere", "OUTBOUND")).await, Ok(default()));
    assert_eq!(world.requests(), ["GET nowhere"]);

    // Events that cannot be decoded, and fields that are null.
    for event in [json!(null), json!([1]), json!("x"), json!({}), json!({"messageId": 3})] {
        assert_eq!(world.invoke(&event).await, Ok(default()), "{event}");
    }
    assert!(world.requests().is_empty());
    world.insert("nulls", message("Harvest plan"));
    let nulls = json!({"messageId": "nulls", "envelope": null, "sender": null, "subject": null, "invocationId": null,
                       "flowDirection": null, "truncated": null, "summaryVersion": null});
    assert_eq!(world.invoke(&nulls).await, Ok(default()));
    assert_eq!(world.requests(), ["GET nulls"]);

    let log = world.log();
    assert_eq!(log.lines().filter(|line| line.contains("\"fate\":")).count(), 13, "{log}");
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    // Each message is counted, in a line that CloudWatch reads metrics out of.
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let metrics: Vec<&Value> = lines.iter().filter(|line| line["_aws"]["CloudWatchMetrics"].is_array()).collect();
    assert_eq!(metrics.iter().filter(|line| line["Messages"] == 1).count(), 13, "{log}");
    assert_eq!(metrics[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"], "mail");
    assert!(metrics.iter().any(|line| line["Rewritten"] == 1 && line["TotalTime"].is_number()), "{log}");
    for content in ["Harvest", "pples", "lottery", "example.com", "customer", SECRET] {
        assert!(!log.contains(content), "{content}: {log}");
    }
}

#[tokio::test]
async fn a_second_try_after_a_put_that_went_through_changes_nothing() {
    let mut world = World::start().await;
    world.insert("m", message("Harvest plan"));
    {
        let mut state = world.flow.state();
        state.always.insert(Method::POST, (504, "ServiceUnavailableException"));
        state.after = true;
    }
    let out = event("m", "OUTBOUND");
    // On a busy machine there may be no time for the put itself.
    for seconds in [2, 4, 8] {
        let error = world.invoke_within(&out, Duration::from_secs(seconds)).await.unwrap_err();
        assert_eq!(error["errorType"], "Mailwright.OutOfTime");
        if world.message("m") != message("Harvest plan") {
            break;
        }
    }
    let rewritten = world.message("m");
    assert_eq!(rewritten, world.replayed(&out, message("Harvest plan")));

    world.flow.state().always.clear();
    world.requests();
    assert_eq!(world.invoke(&out).await, Ok(default()));
    assert_eq!(world.requests(), ["GET m"]);
    assert_eq!(world.message("m"), rewritten);
    assert!(world.log().contains("\"fate\":\"marked\""));
}

#[tokio::test]
async fn what_is_refused_for_good_is_delivered_as_it_came() {
    let mut world = World::start().await;
    for kind in ["MessageFrozen", "MessageRejected", "InvalidContentLocation", "AccessDeniedException"] {
        world.insert("m", message("Harvest plan"));
        world.flow.state().failures.entry(Method::POST).or_default().push_back((400, kind));
        assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
        assert_eq!(world.requests(), ["GET m", "POST m"], "tried once");
        assert_eq!(world.message("m"), message("Harvest plan"));
    }
    world.s3.refuse.store(true, Ordering::SeqCst);
    assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    assert_eq!(world.requests(), ["GET m"]);
    assert_eq!(world.message("m"), message("Harvest plan"));

    let log = world.log();
    for refusal in ["Frozen", "Rejected", "Location", "Denied"] {
        assert!(log.contains(&format!("\"refusal\":\"{refusal}\"")), "{log}");
    }
    assert!(log.contains("grant s3:PutObject"), "{log}");
    assert!(log.contains("is not to its …") && !log.contains("Harvest"), "{log}");

    // The function goes on.
    world.s3.refuse.store(false, Ordering::SeqCst);
    assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    assert_ne!(world.message("m"), message("Harvest plan"));
}

#[tokio::test]
async fn what_is_rejected_for_faults_it_came_with_is_repaired_and_put_once_more() {
    let mut world = World::start().await;
    world.flow.state().strict = true;
    let text = |head: &str, body: &str| {
        let head = "From: Ann <ann@example.com>\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n".to_owned() + head;
        Bytes::from(format!("{head}\n{body}\n").replace('\n', "\r\n"))
    };
    // Nothing to refuse.
    world.insert("sound", text("Subject: Harvest plan\n", "The apples are ripe."));
    assert_eq!(world.invoke(&event("sound", "OUTBOUND")).await, Ok(default()));
    assert_eq!(world.requests(), ["GET sound", "POST sound"]);
    assert!(String::from_utf8_lossy(&world.message("sound")).contains("Grown by"));

    let fields = "DKIM-Signature: d=amazonses.com\nDKIM-Signature: d=example.com\nSubject: Grüße\n";
    world.insert("m", text(fields, "The apples are ripe."));
    assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    assert_eq!(world.requests(), ["GET m", "POST m", "POST m"]);
    let repaired = String::from_utf8(world.message("m").to_vec()).unwrap();
    assert!(repaired.is_ascii() && repaired.contains("Grown by"), "{repaired}");
    assert!(repaired.contains("Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"), "{repaired}");
    assert!(repaired.contains("d=example.com") && !repaired.contains("d=amazonses.com"), "{repaired}");

    let beyond = text(&format!("X-Token: {}\n", "x".repeat(1_200)), "The apples are ripe.");
    world.insert("beyond", beyond.clone());
    assert_eq!(world.invoke(&event("beyond", "OUTBOUND")).await, Ok(default()));
    assert_eq!(world.requests(), ["GET beyond", "POST beyond"]);
    assert_eq!(world.message("beyond"), beyond);
    let log = world.log();
    assert!(log.contains("\"repaired\":\"8-bit octets of a header field encoded: 1;"), "{log}");
    assert!(log.contains("\"rejected_for\":\"a line over 998 octets: 1\""), "{log}");
}

#[tokio::test]
async fn throttling_that_clears_is_waited_for() {
    let mut world = World::start().await;
    world.insert("m", message("Harvest plan"));
    for method in [Method::GET, Method::POST] {
        let failures = [(429, "ThrottlingException"), (503, "ServiceUnavailableException")];
        world.flow.state().failures.insert(method, failures.into());
    }
    let out = event("m", "OUTBOUND");
    assert_eq!(world.invoke(&out).await, Ok(default()));
    assert_eq!(world.requests(), ["GET m", "GET m", "GET m", "POST m", "POST m", "POST m"]);
    assert_eq!(world.message("m"), world.replayed(&out, message("Harvest plan")));
    assert!(world.log().contains("\"retries\":4"));
}

#[tokio::test]
async fn throttling_that_stays_fails_the_invocation_and_leaves_the_message() {
    let mut world = World::start().await;
    world.insert("m", message("Harvest plan"));
    world.flow.state().always.insert(Method::POST, (400, "ThrottlingException"));
    // On a busy machine there may be no time for several tries, or the answer come late.
    for seconds in [3, 6, 12] {
        let (started, time) = (Instant::now(), Duration::from_secs(seconds));
        let error = world.invoke_within(&event("m", "OUTBOUND"), time).await.unwrap_err();
        let took = started.elapsed();
        assert_eq!(error["errorType"], "Mailwright.OutOfTime");
        let text = error["errorMessage"].as_str().unwrap().to_owned();
        assert!(!text.contains("Harvest"), "{text}");
        assert_eq!(world.message("m"), message("Harvest plan"));
        let tries = world.requests().iter().filter(|request| request.starts_with("POST")).count();
        let told = text.contains("putting the rewritten message back") && text.contains("throttling");
        if told && tries >= 3 && took < time {
            return;
        }
        assert!(seconds < 12, "{tries} tries in {took:?}: {text}");
    }
}

#[tokio::test]
async fn the_version_of_the_object_is_passed_on() {
    let mut world = World::start().await;
    world.insert("m", message("Harvest plan"));
    assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    world.s3.versions.store(true, Ordering::SeqCst);
    world.insert("m", message("Harvest plan"));
    assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    assert_eq!(world.flow.state().versions, [None, Some("v-1".to_owned())]);
}

#[tokio::test]
async fn a_message_of_25_mb_goes_through() {
    let mut world = World::start_plain().await;
    let line = "VGhlIGFwcGxlcyBhcmUgcmlwZSwgYW5kIHNvIGFyZSB0aGUgcGVhcnMuIFRoZSBhcHBsZXMgYXJl\r\n";
    let head = "From: ann@example.com\nTo: kim@customer.example\nSubject: Harvest plan\nMIME-Version: 1.0\n\
                Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=iso-8859-1\n\
                Content-Transfer-Encoding: quoted-printable\n\nThe =E4pples are ripe.\n--b\n\
                Content-Type: application/pdf\nContent-Disposition: attachment; filename=plan.pdf\n\
                Content-Transfer-Encoding: base64\n\n"
        .replace('\n', "\r\n");
    let raw = Bytes::from(format!("{head}{}--b--\r\n", line.repeat(25_000_000 / line.len())));
    world.insert("large", raw.clone());
    let out = event("large", "OUTBOUND");
    assert_eq!(world.insist(&out).await, Ok(default()));
    let rewritten = world.message("large");
    assert!(rewritten.len() > raw.len());
    assert!(rewritten == world.replayed(&out, raw), "not what a replay makes of it");
}

#[test]
fn a_function_that_cannot_start_says_all_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let (status, log) = start_fails(folder.path(), &[("MAILWRIGHT_BUCKET", "my.bucket"), ("MAILWRIGHT_STAMP_KEY", "")]);
    assert!(!status.success());
    assert!(log.contains("MAILWRIGHT_BUCKET") && log.contains("MAILWRIGHT_STAMP_KEY"), "{log}");

    let rules = "[[rule]]\nname = \"a\"\n[[rule.action]]\nkind = \"apend\"\n[[rule]]\nname = \"a\"\n";
    std::fs::write(folder.path().join("rules/rules.toml"), rules).unwrap();
    let (status, log) = start_fails(folder.path(), &[]);
    assert!(!status.success());
    assert!(log.contains("apend") && log.contains("rules.toml"), "{log}");
}
