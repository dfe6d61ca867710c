//! `mailwright explain` as a rule author meets it.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const RULES: &str = r#"
[[rule]]
name = "tag"
when = { direction = "inbound", sender = "external" }
unless = { subject = "private" }
[[rule.action]]
kind = "tag_subject"
tag = "[EXT]"

[[rule]]
name = "large"
when = { size = { over = "1 MB" } }
[[rule.action]]
kind = "drop"

[[rule]]
name = "junk"
when = { direction = "inbound", body = "pens" }
[[rule.action]]
kind = "junk"
[[rule.action]]
kind = "append"
text = "Checked"
"#;

const MESSAGE: &str =
    "From: kim@customer.example\r\nTo: ann@example.com\r\nSubject: Offer\x1b[31m\r\n\r\nCheap pens\r\n";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    write("rules/rules.toml", RULES);
    write("rules/organization.toml", "domains = [\"example.com\"]\n");
    write("offer.eml", MESSAGE);
    folder
}

fn explain(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailwright"));
    command.arg("explain").args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn each_rule_each_condition_each_edit_and_who_decided() {
    let folder = folder();
    let output = explain(folder.path(), &["offer.eml"]);
    let wanted = r#"inbound, from kim@customer.example, to 1 recipient
tag  matched
    when direction holds: inbound
    when sender holds: kim@customer.example (external)
    unless subject does not hold: "Offer\x1b[31m"
    tag_subject: the subject
large  not matched: `size` does not hold
    when size does not hold: 84 octets
junk  matched
    when direction holds: inbound
    when body holds: Cheap pens
    junk: to the junk folder
    append: 1 body
edit in the header, line 3
    + [EXT] 
edit in part 1 (text/plain), line 6
    + \r\nChecked\r\n
answer: to the junk folder, said `junk`
"#;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted);
    assert!(output.status.success());
}

#[test]
fn the_command_line_goes_before_the_header() {
    let folder = folder();
    let output = explain(folder.path(), &["offer.eml", "--direction", "outbound", "--from", "ann@example.com"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.starts_with("outbound, from ann@example.com"), "{shown}");
    assert!(shown.contains("tag  not matched: `direction` does not hold"), "{shown}");
    assert!(shown.ends_with("answer: deliver, as no rule says otherwise\n"), "{shown}");
}

#[test]
fn one_object_for_programs() {
    let folder = folder();
    let output = explain(folder.path(), &["offer.eml", "--json"]);
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record.pointer("/report/rules/0/checked/0/key").unwrap(), "direction");
    assert_eq!(record.pointer("/report/rules/0/checked/1/seen").unwrap(), "kim@customer.example (external)");
    assert_eq!(record.pointer("/edits/0/new").unwrap(), "[EXT] ");
    assert_eq!(record.pointer("/disposition").unwrap(), "junk");
}

#[test]
fn wrong_usage() {
    let folder = folder();
    for (arguments, wanted) in [
        (vec!["none.eml"], "`none.eml` cannot be read"),
        (vec!["offer.eml", "--rules", "none"], "cannot be used"),
        (vec!["offer.eml", "--from", "ann"], "--from `ann`"),
    ] {
        let output = explain(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2));
        let shown = String::from_utf8(output.stderr).unwrap();
        assert!(shown.contains(wanted), "{shown}");
    }
}

#[test]
fn conditions_in_each_other_are_shown_one_by_one() {
    let folder = folder();
    let rules = r#"
[[rule]]
name = "nested"
when = { direction = "inbound", any = [
    { subject = "invoice" },
    { sender = "external", not = { size = { over = "1 MB" } } },
] }
unless = { all = [{ body = "nothing" }, { kind = "list" }] }
action = { kind = "junk" }
"#;
    std::fs::write(folder.path().join("rules/rules.toml"), rules).unwrap();
    let output = explain(folder.path(), &["offer.eml"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    let wanted = "\
nested  matched
    when direction holds: inbound
    when any holds
      - subject does not hold: \"Offer\\x1b[31m\"
      - sender holds: kim@customer.example (external)
        not holds
          - size does not hold: 84 octets
    unless all does not hold
      - body does not hold: Cheap pens
      - kind does not hold: new
";
    assert!(shown.contains(wanted), "{shown}");
    let output = explain(folder.path(), &["offer.eml", "--json"]);
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record.pointer("/report/rules/0/checked/1/below/1/1/below/0/0/key").unwrap(), "size");
}
