//! `mailwright diff` as a user meets it: what it says, its exit codes, a run that is broken off and goes on.

mod folder;

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use folder::Folder;
use serde_json::Value;

const A: &str = r#"
[[rule]]
name = "stamp"
when = { direction = "outbound" }
[[rule.action]]
kind = "set_header"
name = "X-Checked"
value = "yes"

[[rule]]
name = "gone"
mode = "audit"
when = { direction = "outbound" }
[[rule.action]]
kind = "drop"
"#;

const B: &str = r#"
[[rule]]
name = "stamp"
when = { direction = "outbound" }
unless = { subject = "Lunch" }
[[rule.action]]
kind = "set_header"
name = "X-Checked"
value = "by us"

[[rule]]
name = "junk"
when = { direction = "inbound", subject = "Prize" }
[[rule.action]]
kind = "junk"

[[rule]]
name = "notice"
when = { direction = "outbound", subject = "Signed" }
[[rule.action]]
kind = "append"
text = "Notice"
html = "<p>Notice</p>"
"#;

/// Two rule sets and a few messages.
fn folder() -> Folder {
    let folder = Folder::new();
    for (name, rules) in [("a", A), ("b", B)] {
        folder.write(&format!("{name}/10.toml"), rules);
        folder.write(&format!("{name}/organization.toml"), "domains = [\"example.com\"]\n");
    }
    folder.write("mail/1-order.eml", mail("ann@example.com", "Order"));
    folder.write("mail/2-lunch.eml", mail("ann@example.com", "Lunch"));
    folder.write("mail/3-prize.eml", mail("x@shop.example", "Prize"));
    folder.write("mail/4-hello.eml", mail("x@shop.example", "Hello"));
    let signed = "Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
                      Content-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n";
    folder.write(
        "mail/5-signed.eml",
        mail("ann@example.com", "Signed").replace("\r\n\r\nHello.\r\n", &format!("\r\n{signed}")),
    );
    folder
}

fn mail(from: &str, subject: &str) -> String {
    format!("From: {from}\r\nTo: kim@customer.example\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\r\nHello.\r\n")
}

/// Without what differs from run to run.
fn totals(json: &str) -> Value {
    let mut value: Value = serde_json::from_str(json).unwrap();
    value.as_object_mut().unwrap().remove("run");
    value
}

#[test]
fn what_would_change_is_counted_and_shown_with_examples() {
    let folder = folder();
    let (code, stdout, stderr) = folder.run(&["diff", "a", "b", "mail"]);
    assert_eq!((code, stderr.as_str()), (1, ""), "{stdout}");
    let (shown, speed) = stdout.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(
        shown,
        "5 messages: 4 differ, 1 the same
  rewritten                3 → 2
  stamp                    matched 3 → 2
  junk                     matched - → 1  only in B
  notice                   matched - → 0, skipped - → 1  only in B
  gone                     matched 3 → -  only in A

deliver → junk: 1
    mail/3-prize.eml
        junk: junk: to the junk folder

rewritten under A only: 1
    mail/2-lunch.eml
        - X-Checked: yes

rewritten otherwise: 2
    mail/1-order.eml
        - X-Checked: yes
        + X-Checked: by us
    mail/5-signed.eml
        - X-Checked: yes
        + X-Checked: by us

junk newly matched: 1
    mail/3-prize.eml
        junk: to the junk folder

gone no longer matched: 3
    mail/1-order.eml
    mail/2-lunch.eml
    mail/5-signed.eml

stamp no longer matched: 1
    mail/2-lunch.eml
        not matched: the exception subject holds

notice newly skipped: 1
    mail/5-signed.eml
        matched, and left the message alone: signed
"
    );
    assert!(speed.starts_with("5 messages in ") && speed.ends_with(" messages/s"), "{speed}");
}

#[test]
fn the_exit_code_is_that_of_diff_tools() {
    let folder = folder();
    let (_, stdout, _) = folder.run(&["diff", "a", "b", "mail", "--examples", "1"]);
    assert!(stdout.contains("\ngone no longer matched: 3\n    mail/1-order.eml\n    and 2 more\n"), "{stdout}");
    let (code, stdout, _) = folder.run(&["diff", "a", "a", "mail"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("5 messages: none differs, 5 the same\n  rewritten                3\n"), "{stdout}");
    assert_eq!(folder.run(&["diff", "a", "b", "mail/4-hello.eml"]).0, 0);
    for (arguments, wanted) in [
        (&["diff", "a", "gone", "mail"][..], "gone"),
        (&["diff", "a", "b", "none"], "cannot read `none`"),
        (&["diff", "a", "b"], "PATH"),
        (&["diff", "a", "b", "mail", "--examples", "500"], "500"),
        (&["diff", "a", "b", "-", "--resume", "state"], "--resume needs files"),
    ] {
        let (code, stdout, stderr) = folder.run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(wanted), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_page_shows_what_differs_under_both() {
    let folder = folder();
    let (code, stdout, stderr) = folder.run(&["diff", "a", "b", "mail", "--report", "page.html"]);
    assert_eq!((code, stderr.as_str()), (1, ""), "{stdout}");
    let page = fs::read_to_string(folder.path("page.html")).unwrap();
    assert_eq!(page.matches("<details class=message").count(), 4, "{page}");
    assert!(page.contains("5 messages: 4 differ, 1 the same"), "{page}");
    assert!(page.contains("<li>deliver → junk</li><li>junk newly matched</li>"), "{page}");
    assert!(page.contains("<q>X-Checked: <del>yes</del>\n</q>") || page.contains("<q>X-Checked: yes\n</q>"), "{page}");
    assert!(!page.contains("4-hello.eml"));
}

#[test]
fn json_has_the_same_counts() {
    let folder = folder();
    let (code, stdout, _) = folder.run(&["diff", "a", "b", "mail", "--json", "--examples", "1"]);
    assert_eq!(code, 1);
    let value = totals(&stdout);
    assert_eq!(value["messages"], 5);
    assert_eq!(value["differing"], 4);
    assert_eq!(value["rewritten"]["b"], 2);
    assert_eq!(value["rules"][1]["name"], "junk");
    assert_eq!(value["rules"][1]["a"], Value::Null);
    assert_eq!(value["rules"][1]["b"]["matched"], 1);
    let changes = value["changes"].as_array().unwrap();
    let gone = changes.iter().find(|change| change["of"] == "gone").unwrap();
    assert_eq!((gone["kind"].as_str(), gone["count"].as_u64()), (Some("no_longer_matched"), Some(3)));
    assert_eq!(gone["examples"].as_array().unwrap().len(), 1);
}

#[test]
fn a_packed_mbox_gives_what_the_same_messages_give_in_files() {
    use std::io::Write as _;
    let folder = folder();
    let names = ["1-order", "2-lunch", "3-prize", "4-hello", "5-signed"];
    let messages = names.map(|name| fs::read_to_string(folder.path(&format!("mail/{name}.eml"))).unwrap());
    let mbox = messages.map(|message| format!("From x 10:00\r\n{message}\r\n")).concat().repeat(200);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(mbox.as_bytes()).unwrap();
    folder.write("all.mbox.gz", packer.finish().unwrap());
    folder.write("all.mbox", mbox);
    let of = |path: &str| totals(&folder.run(&["diff", "a", "b", path, "--json", "--examples", "0"]).1);
    let zipped = of("all.mbox.gz");
    assert_eq!(zipped["messages"], 1_000);
    assert_eq!(zipped, of("all.mbox"));
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_totals() {
    let folder = folder();
    let line = |n: usize| {
        format!("From x 10:00\r\n{}\r\n", mail("ann@example.com", if n.is_multiple_of(7) { "Lunch" } else { "Order" }))
    };
    folder.write("all.mbox", (0..4_000).map(line).collect::<String>());
    let whole = folder.run(&["diff", "a", "b", "all.mbox", "--json"]);
    let arguments = ["diff", "a", "b", "all.mbox", "--json", "--resume", "state"];
    let mut child = folder.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !folder.path("state").exists() {
        assert!(began.elapsed() < Duration::from_mins(2), "nothing was kept");
        assert!(child.try_wait().unwrap().is_none(), "it was done before it could be killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let state: Value = serde_json::from_slice(&fs::read(folder.path("state")).unwrap()).unwrap();
    let done = state["sums"]["messages"].as_u64().unwrap();
    assert!((1..4_000).contains(&done), "{done}");

    let (code, _, stderr) = folder.run(&["diff", "a", "a", "all.mbox", "--resume", "state"]);
    assert!(code == 2 && stderr.contains("is of another run"), "{stderr}");

    let (code, stdout, stderr) = folder.run(&arguments);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let run: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(run["run"]["messages"].as_u64().unwrap(), 4_000 - done);
    assert_eq!(totals(&stdout), totals(&whole.1));
    assert!(!folder.path("state").exists());
}
