//! The `mailwright` command as a user meets it: its output, its files, its exit codes.

mod folder;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use folder::{Folder, said};

const RULES: &str = r#"
[[rule]]
name = "stamp"
when = { direction = "outbound" }
[[rule.action]]
kind = "set_header"
name = "X-Checked"
value = "yes"
"#;

/// A folder with `rules/` in it.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("rules/10-stamp.toml", RULES);
    folder.write("rules/organization.toml", "domains = [\"example.com\"]\n");
    folder
}

fn mail(from: &str) -> String {
    format!("From: {from}\r\nTo: kim@customer.example\r\nSubject: Hello\r\n\r\nHello.\r\n")
}

fn stamped(from: &str) -> String {
    format!("X-Checked: yes\r\n{}", mail(from))
}

fn octets(path: &Path) -> String {
    String::from_utf8(fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_message_is_written_at_its_relative_path_changed_or_not() {
    let folder = folder();
    folder.write("mail/out going/a.eml", mail("ann@example.com"));
    folder.write("mail/b.eml", mail("kim@customer.example"));
    folder.write("mail/empty.eml", "");
    folder.write("mail/notes.txt", "no mail");
    folder.write(
        "mail/list.mbox",
        format!("From x 10:00\n{}\nFrom y 10:00\n{}", mail("ann@example.com"), mail("x@y.example")),
    );
    let (code, stdout, stderr) = folder.run(&["replay", "mail", "--out", "after"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("5 messages: 2 rewritten, 3 left as they came, 0 failed (1 file passed over"), "{stdout}");
    assert_eq!(octets(&folder.path("after/out going/a.eml")), stamped("ann@example.com"));
    assert_eq!(octets(&folder.path("after/b.eml")), mail("kim@customer.example"));
    assert_eq!(octets(&folder.path("after/empty.eml")), "");
    assert_eq!(octets(&folder.path("after/list.mbox/000001.eml")), stamped("ann@example.com"));
    assert_eq!(octets(&folder.path("after/list.mbox/000002.eml")), mail("x@y.example"));
}

#[test]
fn the_command_line_says_what_the_header_does_not() {
    let folder = folder();
    folder.write("a.eml", "Subject: nobody\r\n\r\nx\r\n");
    let (_, stdout, _) = folder.run(&["replay", "a.eml"]);
    assert!(stdout.contains("a.eml  inbound   unchanged  deliver"), "{stdout}");
    let (_, stdout, _) = folder.run(&["replay", "a.eml", "--from", "ann@example.com"]);
    assert!(stdout.contains("a.eml  outbound  rewritten, 1 edit  deliver"), "{stdout}");
    let (_, stdout, _) = folder.run(&["replay", "a.eml", "--direction", "outbound"]);
    assert!(stdout.contains("a.eml  outbound  rewritten"), "{stdout}");
    let (_, stdout, _) =
        folder.run(&["replay", "a.eml", "--from", "ann@other.example", "--domains", "x.example,other.example"]);
    assert!(stdout.contains("a.eml  outbound  rewritten"), "{stdout}");
}

#[test]
fn json_has_one_object_a_line_in_the_order_of_the_messages() {
    let folder = folder();
    for number in 0..300 {
        folder.write(&format!("mail/{number:03}.eml"), mail("ann@example.com"));
    }
    let (code, stdout, _) = folder.run(&["replay", "mail", "--json"]);
    assert_eq!(code, 0);
    let lines: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 301);
    for (number, line) in lines.iter().take(300).enumerate() {
        assert_eq!(line["path"], format!("mail/{number:03}.eml"));
        assert_eq!(line["fate"]["is"], "rewritten");
        assert_eq!(line["rules"]["rules"][0]["verdict"]["is"], "matched");
        assert_eq!(line["event"]["flowDirection"], "OUTBOUND");
        assert_eq!(line["response"]["actions"][0]["action"]["type"], "DEFAULT");
    }
    assert_eq!(lines[300]["totals"]["messages"], 300);
    assert_eq!(lines[300]["totals"]["rules"][0]["matched"], 300);
}

#[test]
fn standard_input_is_a_message_or_an_mbox() {
    let folder = folder();
    for (input, wanted) in [
        (mail("ann@example.com"), "stdin  outbound  rewritten"),
        (format!("From x 10:00\n{}", mail("ann@example.com")), "stdin/000001.eml  outbound  rewritten"),
    ] {
        let mut child = folder.command(&["replay", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let (code, stdout, _) = said(&child.wait_with_output().unwrap());
        assert_eq!(code, 0);
        assert!(stdout.contains(wanted), "{stdout}");
    }
}

#[test]
fn wrong_usage_is_named_and_nothing_is_run() {
    let folder = folder();
    folder.write("a.eml", mail("ann@example.com"));
    folder.write("no mail/notes.txt", "x");
    folder.write("rules-with-a-fault/a.toml", "[[rule]]\nname = \"x\"\nplce = 1\n");
    for (arguments, wanted) in [
        (&["a.eml", "gone.eml"][..], "cannot read `gone.eml`"),
        (&["no mail"], "no message found; 1 files were passed over"),
        (&["a.eml", "--from", "nobody"], "--from `nobody`: not an e-mail address"),
        (&["a.eml", "--domains", "a b"], "--domains `a b`: not an e-mail address or a mail domain"),
        (&["a.eml", "--stamp-key", "short"], "--stamp-key: a stamp key has at least"),
        (&["a.eml", "--rules", "gone"], "gone"),
        (&["a.eml", "--rules", "rules-with-a-fault"], "plce"),
        (&["a.eml", "--out", "."], "--out `.` would write over `a.eml`"),
        (&["a.eml", "a.eml", "--out", "after"], "would both be written to `a.eml`"),
        (&[], "PATH"),
    ] {
        let arguments: Vec<&str> = ["replay"].iter().chain(arguments).copied().collect();
        let (code, stdout, stderr) = folder.run(&arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(wanted), "{arguments:?}: {stderr}");
    }
    assert!(!folder.path("after").exists());
}

#[test]
fn mail_cannot_reach_the_terminal() {
    let folder = folder();
    folder.write(
        "rules/20-tag.toml",
        "[[rule]]\nname = \"tag\"\n[[rule.action]]\nkind = \"tag_subject\"\ntag = \"[T]\"\n",
    );
    folder.write(
        "a\x1b[2J.eml",
        "From: ann@example.com\r\nSubject: \x1b]0;title\x07 x\u{202e}\r\nX: \u{9b}2J\r\n\r\n\x1b[2J\r\n",
    );
    let (code, stdout, _) = folder.run(&["replay", ".", "--diff"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("a\\x1b[2J.eml") && stdout.contains("\\x1b]0;title\\x07"), "{stdout}");
    assert!(!stdout.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{stdout:?}");
}

#[test]
fn a_diff_shows_what_was_put_in_and_nothing_else() {
    let folder = folder();
    folder.write("a.eml", mail("ann@example.com"));
    let (_, stdout, _) = folder.run(&["replay", "a.eml", "--diff"]);
    let signed: Vec<&str> = stdout.lines().filter(|l| l.starts_with("    + ") || l.starts_with("    - ")).collect();
    assert_eq!(signed, ["    + X-Checked: yes"], "{stdout}");
}

#[test]
fn a_page_shows_every_message_and_nothing_of_it_is_markup() {
    let folder = folder();
    let hostile = "</summary><script>alert(1)</script>";
    folder.write("a.eml", mail("ann@example.com").replace("Hello\r\n", &format!("{hostile}\r\n")));
    folder.write("b.eml", mail("kim@customer.example"));
    let (code, stdout, stderr) = folder.run(&["replay", "a.eml", "b.eml", "--report", "page.html"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.ends_with("page written to page.html\n"), "{stdout}");
    let page = octets(&folder.path("page.html"));
    assert_eq!(page.matches("<details class=message").count(), 2);
    assert!(page.contains("2 messages: 1 rewritten, 1 left as they came, 0 failed"), "{page}");
    assert!(
        page.contains("id=m1 data-path=\"a.eml\" data-fate=\"rewritten\" data-answer=\"deliver\" data-rules=\"0\"")
    );
    assert!(page.contains("<ins>") || page.contains("<q>X-Checked: yes\n</q>"), "{page}");
    assert!(page.contains("when <b>direction</b>: <q>inbound</q>"), "why the rule did not match: {page}");
    assert!(!page.contains(hostile) && page.contains("&lt;/summary&gt;&lt;script&gt;"));
    // One script, ours, which the policy knows by its hash.
    assert_eq!((page.matches("<script").count(), page.matches("script-src 'sha256-").count()), (1, 1));
    assert!(!folder.path("page.html.part").exists());
}

#[test]
fn a_page_has_its_own_limit_and_is_written_over_no_message() {
    let folder = folder();
    let many = format!("From x 10:00\n{}\n", mail("ann@example.com")).repeat(2_020);
    folder.write("many.mbox", many);
    let (code, _, stderr) = folder.run(&["replay", "many.mbox", "--quiet", "--report", "page.html"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let page = octets(&folder.path("page.html"));
    assert_eq!(page.matches("<details class=message").count(), 2_000);
    assert!(page.contains("the first 2000 are shown, 20 are left out"));
    let (_, stdout, _) = folder.run(&["replay", "many.mbox", "--json", "--report", "page.html"]);
    assert!(stdout.contains("\"effects\"") && !stdout.contains("\"checked\""), "what conditions saw is content");
    let (code, _, stderr) = folder.run(&["replay", "many.mbox", "--report", "many.mbox"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--report `many.mbox` would write over a message"), "{stderr}");
    let (code, _, stderr) = folder.run(&["replay", "many.mbox", "--report", "no/such/page.html"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("cannot write --report `no/such/page.html`"), "{stderr}");
}

#[test]
fn an_odd_message_never_stops_the_run() {
    let folder = folder();
    let level = |level| format!("Content-Type: multipart/mixed; boundary={level}\n\n--{level}\n");
    let nested = "From: ann@example.com\n".to_owned() + &(0..10_000).map(level).collect::<Vec<_>>().concat();
    let odd: [(&str, Vec<u8>); 7] = [
        ("headers-only", b"From: ann@example.com\r\nTo: x@y.example".to_vec()),
        ("no-headers", b"\r\n\r\njust text".to_vec()),
        ("nul", b"From: ann@example.com\r\n\r\n\0\0\0".to_vec()),
        ("one-line", [b"From: ann@example.com\r\n\r\n".as_slice(), &vec![b'x'; 5_000_000]].concat()),
        ("nested", nested.into_bytes()),
        ("boundary", b"From: ann@example.com\nContent-Type: multipart/mixed; boundary=\"\n\n--\n".to_vec()),
        ("charset", b"From: ann@example.com\nContent-Type: text/plain; charset=\xff\xfe\n\n\xff\xfe\xfd".to_vec()),
    ];
    for (name, raw) in &odd {
        folder.write(&format!("mail/{name}.eml"), raw);
    }
    let (code, stdout, stderr) = folder.run(&["replay", "mail", "--out", "after"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("\n7 messages: "), "{stdout}");
    for (name, raw) in &odd {
        let after = fs::read(folder.path(&format!("after/{name}.eml"))).unwrap();
        assert!(after.ends_with(raw), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_message_that_cannot_be_written_is_a_failure_and_the_run_goes_on() {
    let folder = folder();
    folder.write("mail/a.eml", mail("ann@example.com"));
    folder.write("mail/b.eml", mail("ann@example.com"));
    fs::create_dir_all(folder.path("after/a.eml")).unwrap();
    let (code, stdout, _) = folder.run(&["replay", "mail", "--out", "after"]);
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("cannot write it below --out") && stdout.contains("1 failed"), "{stdout}");
    assert_eq!(octets(&folder.path("after/b.eml")), stamped("ann@example.com"));
}

#[test]
fn check_counts_rules_or_shows_every_problem() {
    let folder = folder();
    assert_eq!(folder.run(&["check"]), (0, "1 rule in 2 files, no problems\n".into(), String::new()));
    let (code, stdout, _) = folder.run(&["check", "rules", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, json["problems"].as_array().unwrap().len()), (0, 0));

    folder.write("rules/20.toml", "[[rule]]\nname = \"x\"\nplce = 1\n[[rule.action]]\nkind = \"apend\"\n");
    let (code, stdout, _) = folder.run(&["check"]);
    assert_eq!(code, 2);
    assert!(stdout.contains("plce") && stdout.contains("append") && stdout.ends_with("2 problems\n"), "{stdout}");
    let (code, stdout, _) = folder.run(&["check", "rules", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, json["problems"].as_array().unwrap().len()), (2, 2));
}

#[test]
fn a_strict_run_refuses_what_workmail_would_and_shows_what_becomes_of_it() {
    let folder = folder();
    let sound = "From: ann@example.com\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n";
    folder.write("mail/1-sound.eml", format!("{sound}\r\nHello.\r\n"));
    folder.write("mail/2-long.eml", format!("{sound}\r\n{}\r\n", "The apples are ripe. ".repeat(60)));
    folder.write("mail/3-beyond.eml", format!("{sound}X-Token: {}\r\n\r\nHello.\r\n", "x".repeat(1_200)));
    let (code, stdout, _) = folder.run(&["replay", "mail", "--out", "lenient"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("3 messages: 3 rewritten"), "{stdout}");
    assert!(stdout.contains("hint: WorkMail would reject 2 of 3 rewritten messages as they are"), "{stdout}");
    assert!(!stdout.contains("rejected:"), "{stdout}");

    let (code, stdout, _) = folder.run(&["replay", "mail", "--strict", "--out", "after"]);
    assert_eq!(code, 1, "a rule was not applied");
    assert!(stdout.contains("3 messages: 2 rewritten, 1 left as they came, 1 failed"), "{stdout}");
    assert!(stdout.contains("    rejected:          a line over 998 octets\n"), "{stdout}");
    assert!(stdout.contains("    repaired:          a part with lines over the limit encoded\n"), "{stdout}");
    assert!(stdout.contains("putting the rewritten message back: the new content was rejected: a line"), "{stdout}");
    assert!(stdout.contains("put: 3 tried, 2 rejected; 1 repaired, 1 left as they came"), "{stdout}");
    assert!(!stdout.contains("hint:"), "{stdout}");
    assert_eq!(octets(&folder.path("after/1-sound.eml")), octets(&folder.path("lenient/1-sound.eml")));
    let long = octets(&folder.path("after/2-long.eml"));
    assert!(long.lines().all(|line| line.len() <= 78) && long.contains("X-Checked: yes"), "{long}");
    assert_eq!(octets(&folder.path("after/3-beyond.eml")), octets(&folder.path("mail/3-beyond.eml")));

    let (_, stdout, _) = folder.run(&["replay", "mail", "--strict", "--json"]);
    let lines: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["unmet"], serde_json::json!([]));
    assert_eq!(lines[1]["unmet"], serde_json::json!([{"demand": "line", "count": 1, "came": true}]));
    assert_eq!(lines[1]["repaired"], serde_json::json!([{"what": "long-lines", "count": 1}]));
    assert_eq!(lines[2]["fate"]["is"], "original");
    assert_eq!((&lines[3]["totals"]["rejectable"], &lines[3]["totals"]["repaired"]), (&2.into(), &1.into()));
}
