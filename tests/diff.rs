//! `mailwright diff` as a user meets it: what it says, its exit codes, a run that is broken off and goes on.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

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

struct Case {
    folder: TempDir,
}

impl Case {
    fn new() -> Self {
        let case = Self { folder: tempfile::tempdir().unwrap() };
        for (folder, rules) in [("a", A), ("b", B)] {
            case.write(&format!("{folder}/10.toml"), rules);
            case.write(&format!("{folder}/organization.toml"), "domains = [\"example.com\"]\n");
        }
        case.write("mail/1-order.eml", mail("ann@example.com", "Order"));
        case.write("mail/2-lunch.eml", mail("ann@example.com", "Lunch"));
        case.write("mail/3-prize.eml", mail("x@shop.example", "Prize"));
        case.write("mail/4-hello.eml", mail("x@shop.example", "Hello"));
        let signed = "Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\r\n\r\n--b\r\n\r\nx\r\n--b\r\n\
                      Content-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n";
        case.write(
            "mail/5-signed.eml",
            mail("ann@example.com", "Signed").replace("\r\n\r\nHello.\r\n", &format!("\r\n{signed}")),
        );
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailwright"));
        command.arg("diff").args(arguments).current_dir(self.folder.path());
        command.env_remove("MAILWRIGHT_VALUE_KEY").stdin(Stdio::null());
        command
    }

    /// Exit code, standard output, standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        read(&self.command(arguments).output().unwrap())
    }
}

fn read(output: &Output) -> (i32, String, String) {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
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
    let case = Case::new();
    let (code, stdout, stderr) = case.run(&["a", "b", "mail"]);
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
    let case = Case::new();
    let (_, stdout, _) = case.run(&["a", "b", "mail", "--examples", "1"]);
    assert!(stdout.contains("\ngone no longer matched: 3\n    mail/1-order.eml\n    and 2 more\n"), "{stdout}");
    let (code, stdout, _) = case.run(&["a", "a", "mail"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("5 messages: none differs, 5 the same\n  rewritten                3\n"), "{stdout}");
    assert_eq!(case.run(&["a", "b", "mail/4-hello.eml"]).0, 0);
    for (arguments, wanted) in [
        (&["a", "gone", "mail"][..], "gone"),
        (&["a", "b", "none"], "cannot read `none`"),
        (&["a", "b"], "PATH"),
        (&["a", "b", "mail", "--examples", "500"], "500"),
        (&["a", "b", "-", "--resume", "state"], "--resume needs files"),
    ] {
        let (code, stdout, stderr) = case.run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(wanted), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_page_shows_what_differs_under_both() {
    let case = Case::new();
    let (code, stdout, stderr) = case.run(&["a", "b", "mail", "--report", "page.html"]);
    assert_eq!((code, stderr.as_str()), (1, ""), "{stdout}");
    let page = fs::read_to_string(case.path("page.html")).unwrap();
    assert_eq!(page.matches("<details class=message").count(), 4, "{page}");
    assert!(page.contains("5 messages: 4 differ, 1 the same"), "{page}");
    assert!(page.contains("<li>deliver → junk</li><li>junk newly matched</li>"), "{page}");
    assert!(page.contains("<q>X-Checked: <del>yes</del>\n</q>") || page.contains("<q>X-Checked: yes\n</q>"), "{page}");
    assert!(!page.contains("4-hello.eml"));
}

#[test]
fn json_has_the_same_counts() {
    let case = Case::new();
    let (code, stdout, _) = case.run(&["a", "b", "mail", "--json", "--examples", "1"]);
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
    let case = Case::new();
    let names = ["1-order", "2-lunch", "3-prize", "4-hello", "5-signed"];
    let messages = names.map(|name| fs::read_to_string(case.path(&format!("mail/{name}.eml"))).unwrap());
    let mbox = messages.map(|message| format!("From x 10:00\r\n{message}\r\n")).concat().repeat(200);
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(mbox.as_bytes()).unwrap();
    case.write("all.mbox.gz", packer.finish().unwrap());
    case.write("all.mbox", mbox);
    let of = |path: &str| totals(&case.run(&["a", "b", path, "--json", "--examples", "0"]).1);
    let zipped = of("all.mbox.gz");
    assert_eq!(zipped["messages"], 1_000);
    assert_eq!(zipped, of("all.mbox"));
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_totals() {
    let case = Case::new();
    let line = |n: usize| {
        format!("From x 10:00\r\n{}\r\n", mail("ann@example.com", if n.is_multiple_of(7) { "Lunch" } else { "Order" }))
    };
    case.write("all.mbox", (0..4_000).map(line).collect::<String>());
    let whole = case.run(&["a", "b", "all.mbox", "--json"]);
    let arguments = ["a", "b", "all.mbox", "--json", "--resume", "state"];
    let mut child = case.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !case.path("state").exists() {
        assert!(began.elapsed() < Duration::from_mins(2), "nothing was kept");
        assert!(child.try_wait().unwrap().is_none(), "it was done before it could be killed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let state: Value = serde_json::from_slice(&fs::read(case.path("state")).unwrap()).unwrap();
    let done = state["sums"]["messages"].as_u64().unwrap();
    assert!((1..4_000).contains(&done), "{done}");

    let (code, _, stderr) = case.run(&["a", "a", "all.mbox", "--resume", "state"]);
    assert!(code == 2 && stderr.contains("is of another run"), "{stderr}");

    let (code, stdout, stderr) = case.run(&arguments);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let run: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(run["run"]["messages"].as_u64().unwrap(), 4_000 - done);
    assert_eq!(totals(&stdout), totals(&whole.1));
    assert!(!case.path("state").exists());
}
