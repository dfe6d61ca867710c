//! Rules that are published while the function runs, and the modes of the function.

use std::time::Duration;

use crate::shelf::{CANDIDATE, FAULTY, RULES, delete, packed, publish, told};
use crate::world::{World, event, start_fails};
use crate::{default, message};

const EACH_TIME: [(&str, &str); 2] = [("MAILWRIGHT_PUBLISHED_RULES", RULES), ("MAILWRIGHT_RULES_EVERY", "1")];

fn footer(text: &str) -> String {
    format!("[[rule]]\nname = \"footer\"\naction = {{ kind = \"append\", text = \"{text}\", once = \"always\" }}\n")
}

/// A message that is sent when it is time to look again; its last line.
async fn later(world: &mut World, id: &str) -> String {
    tokio::time::sleep(Duration::from_millis(1_010)).await;
    send(world, id).await
}

async fn send(world: &mut World, id: &str) -> String {
    world.insert(id, message("Harvest plan"));
    assert_eq!(world.invoke(&event(id, "OUTBOUND")).await, Ok(default()));
    last_line(world, id)
}

fn last_line(world: &World, id: &str) -> String {
    String::from_utf8_lossy(&world.message(id)).lines().last().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn rules_are_taken_up_while_the_function_runs() {
    let mut world = World::start_with("[[rule]]\nname = \"s\"\naction = { kind = \"stop\" }\n", &EACH_TIME).await;
    publish(&world, "rules.json", &packed(&footer("Grown by Example")));
    assert_eq!(later(&mut world, "a").await, "Grown by Example");
    assert_eq!(later(&mut world, "b").await, "Grown by Example");
    assert_eq!(told(&world), ["200", "304"], "what is known is not sent again");

    publish(&world, "rules.json", &packed(&footer("Sold by Example")));
    assert_eq!(later(&mut world, "d").await, "Sold by Example");

    // A faulty one is kept away, and said once with code and place; counted as long as it is there.
    publish(&world, "rules.json", &packed(&footer("Lost")).replace("append", "apend"));
    assert_eq!(later(&mut world, "e").await, "Sold by Example");
    assert_eq!(later(&mut world, "f").await, "Sold by Example");
    // Read again as a version, lest a part of it was lost on the way; the one before it is in force already.
    assert_eq!(told(&world), ["200", "200", "list 200", "version 200", "200"]);
    let log = world.log();
    assert_eq!(log.matches("\"problems\":\"R003 10-footer.toml:3:19\"").count(), 1, "{log}");
    assert_eq!(log.matches("\"RulesRefused\":1").count(), 2, "{log}");
    assert!(!log.contains("apend") && !log.contains("Lost"), "{log}");

    world.s3.shelf.lock().unwrap().down = true;
    assert_eq!(later(&mut world, "g").await, "Sold by Example");
    delete(&world, "rules.json");
    world.s3.shelf.lock().unwrap().down = false;
    assert_eq!(later(&mut world, "h").await, "Sold by Example");
    let log = world.log();
    assert_eq!(log.matches("\"RulesUnread\":1").count(), 2, "{log}");
    assert!(!log.contains("LayerRules"), "{log}");
    assert!(log.contains("publish a rule set there, and grant s3:GetObject"), "{log}");
    assert_eq!(log.matches("\"RulesSwapped\":1").count(), 2, "{log}");
}

#[tokio::test]
async fn what_is_published_is_looked_for_no_more_often_than_it_says() {
    let changes = [EACH_TIME[0], ("MAILWRIGHT_RULES_EVERY", "3600")];
    let mut world = World::start_with("", &changes).await;
    publish(&world, "rules.json", &packed(&footer("Grown by Example")));
    assert_eq!(send(&mut world, "a").await, "Grown by Example");
    assert_eq!(told(&world), ["200"]);
    publish(&world, "rules.json", &packed(&footer("Sold by Example")));
    assert_eq!(later(&mut world, "b").await, "Grown by Example");
    assert!(told(&world).is_empty(), "it is not time yet");
}

#[tokio::test]
async fn a_new_process_without_s3_loses_no_mail() {
    let deployed = "[[rule]]\nname = \"f\"\naction = { kind = \"append\", text = \"Deployed by Example\" }\n";
    let mut world = World::start_with(deployed, &EACH_TIME).await;
    world.s3.shelf.lock().unwrap().down = true;
    world.insert("a", message("Harvest plan"));
    let error = world.invoke_within(&event("a", "OUTBOUND"), Duration::from_secs(4)).await.unwrap_err();
    assert_eq!(error["errorType"], "Mailwright.OutOfTime");
    let text = error["errorMessage"].as_str().unwrap();
    assert!(text.starts_with("reading the published rules failed"), "{text}");
    assert!(world.requests().is_empty());
    assert_eq!(world.message("a"), message("Harvest plan"));

    // Nothing is published: those of the layer.
    world.s3.shelf.lock().unwrap().down = false;
    assert_eq!(send(&mut world, "a").await, "Deployed by Example");
    publish(&world, "rules.json", &packed(&footer("Grown by Example")));
    assert_eq!(later(&mut world, "b").await, "Grown by Example");

    let log = world.log();
    assert!(log.contains("\"LayerRules\":1") && log.contains("\"rule_set\":\"layer\""), "{log}");

    let mut strict = EACH_TIME.to_vec();
    strict.push(("MAILWRIGHT_ON_ERROR", "fail"));
    let mut world = World::start_with(deployed, &strict).await;
    world.insert("a", message("Harvest plan"));
    let error = world.invoke(&event("a", "OUTBOUND")).await.unwrap_err();
    assert_eq!(error["errorType"], "Mailwright.Refused");
    publish(&world, "rules.json", &packed(&footer("Grown by Example")));
    assert_eq!(send(&mut world, "a").await, "Grown by Example");
}

#[tokio::test]
async fn a_process_that_begins_has_the_last_good_rules_whatever_is_published() {
    for deleted in [false, true] {
        let mut world = World::start_with(&footer("Deployed by Example"), &EACH_TIME).await;
        publish(&world, "rules.json", &packed(&footer("Grown by Example")));
        publish(&world, "rules.json", &packed(&footer("Sold by Example")));
        publish(&world, "rules.json", FAULTY);
        if deleted {
            delete(&world, "rules.json");
        }
        assert_eq!(send(&mut world, "a").await, "Sold by Example", "{}", world.log());
        let told_first = if deleted { "404" } else { "200" };
        assert_eq!(told(&world), [told_first, "list 200", "version 200", "version 200"]);
        // And those that come later.
        world.restart().await;
        assert_eq!(later(&mut world, "b").await, "Sold by Example");
        assert_eq!(later(&mut world, "c").await, "Sold by Example");
        let log = world.log();
        let counted = if deleted { "\"RulesUnread\":1" } else { "\"RulesRefused\":1" };
        assert_eq!((log.matches(counted).count(), log.contains("LayerRules")), (3, false), "{log}");
        publish(&world, "rules.json", &packed(&footer("Kept by Example")));
        assert_eq!(later(&mut world, "d").await, "Kept by Example");
    }

    // Where nobody may see what was published before, it says what to grant.
    let mut world = World::start_with(&footer("Deployed by Example"), &EACH_TIME).await;
    world.s3.shelf.lock().unwrap().closed = true;
    publish(&world, "rules.json", &packed(&footer("Grown by Example")));
    publish(&world, "rules.json", FAULTY);
    assert_eq!(send(&mut world, "a").await, "Deployed by Example");
    let log = world.log();
    assert!(log.contains("grant s3:ListBucketVersions") && log.contains("\"LayerRules\":1"), "{log}");
}

#[tokio::test]
async fn rules_that_are_exchanged_between_two_tries_leave_the_answer_as_it_was() {
    let bounce = |text: &str| {
        packed(&format!(
            "{}[[rule]]\nname = \"b\"\naction = {{ kind = \"bounce\", message = \"{text}\" }}\n",
            footer(text)
        ))
    };
    let said = |answer: &serde_json::Value| answer["actions"][0]["action"]["parameters"]["bounceMessage"].clone();
    let mut world = World::start_with("", &EACH_TIME).await;
    publish(&world, "rules.json", &bounce("One"));
    world.insert("a", message("Harvest plan"));
    let event = event("a", "OUTBOUND");
    assert_eq!(said(&world.invoke(&event).await.unwrap()), "One");
    publish(&world, "rules.json", &bounce("Two"));
    tokio::time::sleep(Duration::from_millis(1_010)).await;
    assert_eq!(said(&world.invoke(&event).await.unwrap()), "One", "the mark says it");
    assert_eq!(last_line(&world, "a"), "One");
    world.restart().await;
    assert_eq!(said(&world.invoke(&event).await.unwrap()), "One", "also to a process that never had its rules");
    assert_eq!(last_line(&world, "a"), "One");
    let log = world.log();
    assert_eq!(log.matches("\"answered_by\":\"the mark\"").count(), 2, "{log}");
    assert!(log.contains("\"marked_by\":\""), "{log}");
}

#[tokio::test]
async fn a_share_of_the_messages_gets_the_candidate() {
    let changes =
        [EACH_TIME[0], EACH_TIME[1], ("MAILWRIGHT_CANDIDATE_RULES", CANDIDATE), ("MAILWRIGHT_CANDIDATE_SHARE", "50")];
    let mut world = World::start_with(&footer("Deployed"), &changes).await;
    publish(&world, "rules.json", &packed(&footer("Current")));
    publish(&world, "candidate.json", &packed(&footer("Candidate")));
    let mut lines = Vec::new();
    for number in 0..24 {
        lines.push(send(&mut world, &format!("m-{number}")).await);
    }
    // The same again: each goes the way it went.
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(send(&mut world, &format!("m-{number}")).await, *line);
    }
    let of = |line: &str| lines.iter().filter(|one| *one == line).count();
    assert!(of("Current") > 3 && of("Candidate") > 3 && of("Current") + of("Candidate") == 24, "{lines:?}");
    let log = world.log();
    let handled =
        log.lines().filter(|line| line.contains("\"rule_set\":\"candidate\"") && line.contains("\"other_digest\":\""));
    assert_eq!(handled.count(), 2 * of("Candidate"), "{log}");
    assert!(log.contains("\"RuleSet\":\"candidate\"") && log.contains("\"RuleSet\":\"current\""), "{log}");
}

#[tokio::test]
async fn what_it_only_looks_at_is_delivered_as_it_came() {
    for mode in ["audit", "shadow"] {
        let mut world = World::start_with(&footer("Grown by Example"), &[("MAILWRIGHT_MODE", mode)]).await;
        world.insert("m", message("Harvest plan"));
        assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
        assert_eq!(world.requests(), ["GET m"]);
        assert_eq!(world.message("m"), message("Harvest plan"));
        let log = world.log();
        assert!(log.contains("\"would\":\"rewritten\"") && log.contains("\"Would.Rewritten\":1"), "{log}");
        let key = log.split("\"key\":\"").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(key.is_some(), mode == "shadow", "{log}");
        if let Some(key) = key {
            let kept = std::fs::read(world.folder.path().join("s3/rewritten-mail").join(key)).unwrap();
            assert!(key.starts_with("shadow/m/") && String::from_utf8_lossy(&kept).ends_with("Grown by Example\r\n"));
        }
    }
}

#[tokio::test]
async fn the_switch_needs_nothing_but_itself() {
    let changes = [("MAILWRIGHT_MODE", "off"), ("MAILWRIGHT_BUCKET", ""), ("MAILWRIGHT_STAMP_KEY", "x")];
    let mut world = World::start_with("[[rule]]\nthis is no rule", &changes).await;
    world.insert("m", message("Harvest plan"));
    assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    assert!(world.requests().is_empty());
    assert!(world.log().contains("\"fate\":\"off\"") && world.log().contains("\"Off\":1"), "{}", world.log());

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let (status, log) =
        start_fails(folder.path(), &[("MAILWRIGHT_MODE", "of"), ("MAILWRIGHT_CANDIDATE_RULES", "rules")]);
    assert!(!status.success());
    assert!(
        log.contains("MAILWRIGHT_MODE is none of") && log.contains("MAILWRIGHT_CANDIDATE_RULES cannot be used"),
        "{log}"
    );
}
