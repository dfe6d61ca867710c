//! What the report says of DKIM signatures is what a verifier finds: messages are signed with a key made here, in every
//! canonical form, with `l=` and without, rewritten by rules that touch the body, signed fields or neither, and verified
//! before and after by Python's `dkimpy`. The pipeline has no key and no DNS, so its verdict rests on hashes and fields.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use mailwright::directory::Organization;
use mailwright::envelope::{Address, Direction, Envelope};
use mailwright::facts::Facts;
use mailwright::message::Message;
use mailwright::message::dkim::BodyHash;
use mailwright::pipeline::Pipeline;

const SCRIPT: &str = "tests/dkim/signatures.py";

/// What the script exits with where dkimpy or openssl is missing.
const MISSING: i32 = 3;

const RULES: &[(&str, &str)] = &[
    ("footer", "kind = \"append\"\ntext = \"Füße, 5 €\"\n"),
    ("banner", "kind = \"prepend\"\ntext = \"From outside\"\n"),
    ("tag", "kind = \"tag_subject\"\ntag = \"[EXT]\"\n"),
    ("stamp", "kind = \"set_header\"\nname = \"X-Seen\"\nvalue = \"yes\"\n"),
    ("signed as absent", "kind = \"set_header\"\nname = \"X-Absent\"\nvalue = \"yes\"\n"),
    ("removed", "kind = \"remove_header\"\nname = \"X-Mailer\"\n"),
];

fn envelope() -> Envelope {
    Envelope {
        direction: Direction::Inbound,
        sender: Address::new("kim@example.net").ok(),
        recipients: vec![Address::new("ann@example.com").unwrap()],
        message_id: "m-1".into(),
        truncated: false,
    }
}

/// What the script prints; `None` where what it needs is missing.
fn python(what: &str, folder: &Path) -> Option<String> {
    let output = Command::new("python3").arg(SCRIPT).arg(what).arg(folder).output().ok()?;
    if output.status.code() == Some(MISSING) {
        return None;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("names and verdicts"))
}

#[test]
fn a_verifier_finds_what_the_report_says() {
    let folder = tempfile::tempdir().expect("a folder");
    if python("sign", folder.path()).is_none() {
        println!("left out: there is no python3 with dkimpy and openssl here");
        return;
    }
    let mut both = [0, 0];
    for (what, rule) in RULES {
        let rules = format!("[[rule]]\nname = \"rule\"\n[[rule.action]]\n{rule}");
        let pipeline = Pipeline::from_sources(vec![("rules.toml".into(), rules)]).unwrap_or_else(|p| panic!("{p}"));
        let pipeline = pipeline.with_organization(Organization::default());
        let after = folder.path().join("after");
        let _ = std::fs::remove_dir_all(&after);
        std::fs::create_dir(&after).expect("a folder");
        let mut said = HashMap::new();
        for entry in std::fs::read_dir(folder.path().join("before")).expect("signed messages") {
            let path = entry.expect("a message").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            let raw = std::fs::read(&path).expect("a message");
            let message = Message::parse(&raw);
            let outcome = pipeline.run(&message, &envelope(), &Facts::default(), &|| false).expect("no rule fails");
            let rewritten = outcome.rewritten.unwrap_or_else(|| panic!("{what}, {name}: nothing changed"));
            std::fs::write(after.join(&name), rewritten.to_vec()).expect("a file");
            let [signature] = outcome.report.signatures.as_slice() else { panic!("{what}, {name}: one signature") };
            assert_eq!(signature.before, BodyHash::Matches, "{what}, {name}: {signature}");
            assert!(!signature.partial || name.ends_with("-l.eml"), "{what}, {name}: {signature}");
            said.insert(name, signature.broken);
        }
        let found = python("verify", folder.path()).expect("as it signed");
        assert_eq!(found.lines().count(), said.len(), "{what}");
        for line in found.lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            let [name, before, verifies] = columns[..] else { panic!("three columns: {line}") };
            assert_eq!(before, "True", "{what}, {name}: it was signed well");
            let broken = said.get(name).unwrap_or_else(|| panic!("{what}, {name}: it was run"));
            assert_eq!(*broken, verifies == "False", "{what}, {name}: verifies after: {verifies}");
            both[usize::from(*broken)] += 1;
        }
    }
    assert!(both.iter().all(|count| *count > 40), "signatures that hold and that break: {both:?}");
}
