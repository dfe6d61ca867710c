//! `mailwright test` as a rule author meets it: what it prints, its files, its exit codes; and the tests of the shipped
//! rules.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn mailwright(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mailwright"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("MAILWRIGHT_STAMP_KEY")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A folder with `rules/rules.toml`.
fn folder(tests: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("rules/organization.toml"), "domains = [\"example.com\"]\n").unwrap();
    let rules = r#"
[[rule]]
name = "notice"
when = { direction = "outbound", recipients = { any = "external" } }
unless = { subject = "private" }
[[rule.action]]
kind = "append"
text = "Example Ltd"
"#;
    std::fs::write(folder.path().join("rules/rules.toml"), format!("{rules}{tests}")).unwrap();
    folder
}

const MATCHES: &str = r#"
[[test]]
name = "a customer"
message = { subject = "Hello", text = "Hi Kim", html = "<p>Hi Kim</p>", attachments = ["a.txt"], header = { X-A = "b" } }
envelope = { from = "ann@example.com", to = "kim@customer.example" }
expect.matched = "notice"
expect.answer = "deliver"
expect.unchanged = false
expect.subject = "Hello"
expect.header = [{ name = "X-A", is = "b", count = 1 }, { name = "X-B", absent = true }]
expect.body = { once = "Example Ltd", contains = "Hi Kim", lacks = "Hi Ann" }
expect.html = "Hi Kim Example Ltd"
expect.text = "Hi Kim Example Ltd"
expect.attachments = "a.txt"
"#;

#[test]
fn the_tests_of_the_shipped_rules_hold_and_each_condition_matters() {
    let output = mailwright(Path::new(env!("CARGO_MANIFEST_DIR")), &["test", "--min-coverage", "100", "--mutate"]);
    assert!(output.status.success(), "{}{}", stdout(&output), String::from_utf8_lossy(&output.stderr));
    assert!(stdout(&output).contains("a test noticed each time"), "{}", stdout(&output));
}

#[test]
fn so_do_those_of_the_cookbook_which_names_each_of_its_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = std::fs::read_to_string(root.join("docs/cookbook/README.md")).unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(root.join("docs/cookbook")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name).extension().is_none_or(|e| e != "toml") || name == "organization.toml" {
            continue;
        }
        files += 1;
        assert!(list.contains(&format!("[{name}]({name})")), "{name} is not in the list");
        let path = format!("docs/cookbook/{name}");
        let output = mailwright(root, &["test", &path, "--min-coverage", "100", "--mutate"]);
        assert!(output.status.success(), "{}{}", stdout(&output), String::from_utf8_lossy(&output.stderr));
        let output = mailwright(root, &["check", &path]);
        assert!(output.status.success(), "{}", stdout(&output));
    }
    assert_eq!(files, list.matches(".toml)").count());
}

#[test]
fn a_test_that_holds() {
    let folder = folder(MATCHES);
    let output = mailwright(folder.path(), &["test"]);
    assert_eq!(stdout(&output), "ok   a customer  rules/rules.toml:10\n1 test: 1 passed, 0 failed\n");
    assert!(output.status.success());
}

#[test]
fn a_failure_says_what_is_different() {
    let folder = folder(
        r#"
[[test]]
name = "everything is wrong"
message = { subject = "Private", text = "Hi Kim" }
envelope = { from = "ann@example.com", to = "kim@customer.example" }
expect.matched = "notice"
expect.answer = "bounce"
expect.unchanged = false
expect.subject = "Hello"
expect.header = [{ name = "Subject", contains = "y" }, { name = "X-B" }, { name = "From", absent = true }]
expect.body = { contains = "Example Ltd", lacks = "Hi", once = "H" }
expect.html = "x"
expect.attachments = ["a.txt"]

[[test]]
name = "no such file"
message = "none.eml"
expect.unchanged = true
"#,
    );
    let output = mailwright(folder.path(), &["test"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = stdout(&output);
    let wanted = r#"FAIL everything is wrong  rules/rules.toml:10
     matched: `notice` did not match: the exception subject held
     answer: it is `deliver`, not `bounce`
     unchanged: no octet of the message was changed
     subject: it is "Private", not "Hello"
     header.contains: Subject lacks "y", it is "Private"
     header: X-B is not there
     header: From is there: "ann@example.com"
     body.contains: "Example Ltd" is not there
       the plain text body reads: Hi Kim
     body.lacks: "Hi" is there
       the plain text body reads: Hi Kim
     html: the message has no HTML body
     attachments: they are [], not ["a.txt"]
FAIL no such file  rules/rules.toml:23
     message: `rules/none.eml` cannot be read: No such file or directory (os error 2)
2 tests: 0 passed, 2 failed
"#;
    assert_eq!(shown, wanted);
}

#[test]
fn coverage_and_mutation_name_what_no_test_looks_at() {
    let folder = folder(MATCHES);
    let output = mailwright(folder.path(), &["test", "--coverage", "--mutate"]);
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    for line in [
        "coverage: 1 of 4 (25 %)",
        "not covered `notice`: no test in which `direction` alone keeps it from matching",
        "not covered `notice`: no test in which the exception `subject` alone keeps it from matching  rules/rules.toml:5",
        "no test notices 3 of 3 changes:",
        "unnoticed `notice` without `recipients` in `when`  rules/rules.toml:4",
        "unnoticed `notice` without the exception `subject`  rules/rules.toml:5",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    assert_eq!(mailwright(folder.path(), &["test", "--min-coverage", "26"]).status.code(), Some(1));
    assert_eq!(mailwright(folder.path(), &["test", "--min-coverage", "25"]).status.code(), Some(0));
}

/// A rule with conditions in each other, and the tests.
fn nested(tests: &str) -> TempDir {
    let folder = folder("");
    let rules = r#"
[[rule]]
name = "nested"
when = { direction = "outbound", any = [
    { subject = "offer" },
    { sender = "sales@example.com", not = { kind = "reply" } },
] }
unless = { all = [{ subject = "private" }, { body = "private" }] }
action = { kind = "tag_subject", tag = "[S]" }
"#;
    std::fs::write(folder.path().join("rules/rules.toml"), format!("{rules}{tests}")).unwrap();
    folder
}

#[test]
fn coverage_and_mutation_go_into_any_all_and_not() {
    let folder = nested(
        r#"
[[test]]
name = "an offer"
message = { subject = "An offer", text = "Hi" }
expect.matched = "nested"
"#,
    );
    let output = mailwright(folder.path(), &["test", "--coverage", "--mutate"]);
    let wanted = r"coverage: 2 of 10 (20 %)
  not covered `nested`: no test in which `direction` alone keeps it from matching  rules/rules.toml:4
  not covered `nested`: no test in which `any` alone keeps it from matching  rules/rules.toml:4
  not covered `nested`: no test in which the alternative `sender, not` of `any` alone lets it match  rules/rules.toml:6
  not covered `nested`: no test in which `sender` in an alternative of `any` alone keeps it from matching  rules/rules.toml:6
  not covered `nested`: no test in which `not` in an alternative of `any` alone keeps it from matching  rules/rules.toml:6
  not covered `nested`: no test in which the exception `all` alone keeps it from matching  rules/rules.toml:8
  not covered `nested`: no test in which the part `subject` of `all` alone lets it match  rules/rules.toml:8
  not covered `nested`: no test in which the part `body` of `all` alone lets it match  rules/rules.toml:8
no test notices 8 of 9 changes:
  unnoticed `nested` without `direction` in `when`  rules/rules.toml:4
  unnoticed `nested` without `any` in `when`  rules/rules.toml:4
  unnoticed `nested` without the alternative `sender, not` of `any`  rules/rules.toml:6
  unnoticed `nested` without `sender` in an alternative of `any`  rules/rules.toml:6
  unnoticed `nested` without `not` in an alternative of `any`  rules/rules.toml:6
  unnoticed `nested` without the exception `all`  rules/rules.toml:8
  unnoticed `nested` without the part `subject` of `all`  rules/rules.toml:8
  unnoticed `nested` without the part `body` of `all`  rules/rules.toml:8
";
    assert!(stdout(&output).ends_with(wanted), "{}", stdout(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_test_for_each_condition_covers_them_all() {
    let mut tests = String::new();
    for (nth, (from, message, matched)) in [
        ("ann", "subject = \"An offer\", text = \"Hi\"", true),
        ("sales", "subject = \"Hello\", text = \"private\"", true),
        ("ann", "subject = \"Hello\", text = \"Hi\"", false),
        ("sales", "subject = \"Hello\", text = \"Hi\", header = { In-Reply-To = \"<1@example.net>\" }", false),
        ("ann", "subject = \"A private offer\", text = \"Hi\"", true),
        ("ann", "subject = \"A private offer\", text = \"private\"", false),
        ("ann", "subject = \"An offer\", text = \"private\"", true),
    ]
    .into_iter()
    .enumerate()
    {
        let expect = if matched { "matched" } else { "not_matched" };
        tests += &format!(
            "\n[[test]]\nname = \"{nth}\"\nmessage = {{ {message} }}\nexpect.{expect} = \"nested\"\n\
             envelope = {{ from = \"{from}@example.com\", to = \"kim@example.net\" }}\n"
        );
    }
    tests += "\n[[test]]\nname = \"inbound\"\nmessage = { subject = \"An offer\" }\nexpect.not_matched = \"nested\"\n\
              envelope = { direction = \"inbound\", from = \"kim@example.net\", to = \"ann@example.com\" }\n";
    let folder = nested(&tests);
    let output = mailwright(folder.path(), &["test", "--coverage", "--min-coverage", "100", "--mutate"]);
    let shown = stdout(&output);
    assert!(shown.contains("coverage: 10 of 10 (100 %)"), "{shown}");
    assert!(
        shown.contains("9 parts of the conditions left out, one at a time, and a test noticed each time"),
        "{shown}"
    );
    assert!(output.status.success());
}

#[test]
fn a_snapshot_is_compared_octet_by_octet_and_written_when_asked() {
    let folder = folder(
        "\n[[test]]\nname = \"all of it\"\nmessage = { text = \"Hi\" }\nexpect.snapshot = \"snapshots/all.eml\"\n\
         envelope = { from = \"ann@example.com\", to = \"kim@customer.example\" }\n",
    );
    let output = mailwright(folder.path(), &["test"]);
    assert!(
        stdout(&output).contains("`rules/snapshots/all.eml` is not there; --bless writes it"),
        "{}",
        stdout(&output)
    );
    let output = mailwright(folder.path(), &["test", "--bless"]);
    assert!(
        output.status.success() && stdout(&output).contains("written rules/snapshots/all.eml"),
        "{}",
        stdout(&output)
    );
    assert!(mailwright(folder.path(), &["test"]).status.success());
    let path = folder.path().join("rules/snapshots/all.eml");
    let octets = std::fs::read(&path).unwrap();
    let text = String::from_utf8(octets).unwrap();
    assert!(text.contains("Example Ltd"), "{text}");
    std::fs::write(&path, text.replace("Example Ltd", "Example Inc")).unwrap();
    let output = mailwright(folder.path(), &["test"]);
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(shown.contains("Example Inc") && shown.contains("Example Ltd"), "{shown}");
}

#[test]
fn a_test_reads_and_writes_nothing_outside_of_the_folder_of_the_rules() {
    for (message, expect) in
        [("{ text = \"Hi\" }", "snapshot = \"../outside.eml\""), ("\"../outside.eml\"", "unchanged = false")]
    {
        let folder = folder(&format!(
            "\n[[test]]\nname = \"outside\"\nmessage = {message}\nexpect = {{ {expect} }}\n\
             envelope = {{ from = \"ann@example.com\", to = \"kim@customer.example\" }}\n",
        ));
        let output = mailwright(folder.path(), &["test", "--bless"]);
        let shown = stdout(&output);
        assert!(shown.contains("`../outside.eml` is not below the folder of the rules"), "{shown}");
        assert!(!folder.path().join("outside.eml").exists() && output.status.code() == Some(1), "{shown}");
    }
}

#[test]
fn rules_that_make_pseudonyms_are_tested_without_the_key_of_the_function() {
    let folder = folder("");
    let rules = "[[rule]]\nname = \"pseudonyms\"\n[[rule.action]]\nkind = \"redact\"\ndetect = \"email\"\n\
                 style = \"pseudonym\"\n[[test]]\nname = \"an address\"\nmessage = { text = \"ask lee@example.net\" }\n\
                 expect = { matched = [\"pseudonyms\"], body = { lacks = \"lee@example.net\" } }\n";
    std::fs::remove_file(folder.path().join("rules/organization.toml")).unwrap();
    std::fs::write(folder.path().join("rules/rules.toml"), rules).unwrap();
    let output = mailwright(folder.path(), &["test"]);
    assert!(output.status.success(), "{}", stdout(&output));
}

#[test]
fn results_for_programs() {
    let folder = folder(MATCHES);
    let output = mailwright(folder.path(), &["test", "--json", "--junit", "reports/junit/results.xml"]);
    let record: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(record.pointer("/tests/0/passed").unwrap(), true);
    assert_eq!(record.pointer("/coverage/points").unwrap(), 4);
    let xml = std::fs::read_to_string(folder.path().join("reports/junit/results.xml")).unwrap();
    assert!(
        xml.contains("<testcase name=\"a customer\" classname=\"rules.rules\" file=\"rules/rules.toml\" line=\"10\""),
        "{xml}"
    );
}

#[test]
fn results_that_cannot_be_written_are_shown_all_the_same() {
    let folder = folder(MATCHES);
    let output = mailwright(folder.path(), &["test", "--junit", "rules/rules.toml/results.xml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("1 test: 1 passed, 0 failed"), "{}", stdout(&output));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cannot write `rules/rules.toml/results.xml`"), "{said}");
}

#[test]
fn wrong_usage() {
    let none = folder("");
    let output = mailwright(none.path(), &["test"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there are no tests"));
    let one = folder(MATCHES);
    let output = mailwright(one.path(), &["test", "--filter", "nothing like it"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no test has such a name"));
    let faulty = folder("\n[[test]]\nname = \"x\"\nmessage = \"x.eml\"\nexpect.matched = \"notcie\"\n");
    let output = mailwright(faulty.path(), &["test"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `notice`?"));
}

#[test]
fn values_of_lists_are_left_out_one_by_one() {
    let folder = folder("");
    let rules = r#"
[[rule]]
name = "partners"
when = { subject = { words = ["offer", "price", "quote"] }, sender = ["ann@example.com", "bob@example.com"] }
action = { kind = "tag_subject", tag = "[P]" }
"#;
    let test = |from: &str, word: &str| {
        format!(
            "\n[[test]]\nname = \"{from} {word}\"\nmessage = {{ subject = \"An {word}\" }}\nexpect.matched = \"partners\"\n\
             envelope = {{ from = \"{from}@example.com\", to = \"kim@example.net\" }}\n"
        )
    };
    let write =
        |tests: &str| std::fs::write(folder.path().join("rules/rules.toml"), format!("{rules}{tests}")).unwrap();
    let not = "\n[[test]]\nname = \"not\"\nmessage = { subject = \"Hello\" }\nexpect.not_matched = \"partners\"\n\
               envelope = { from = \"ann@example.com\", to = \"kim@example.net\" }\n\
               [[test]]\nname = \"nor\"\nmessage = { subject = \"An offer\" }\nexpect.not_matched = \"partners\"\n\
               envelope = { from = \"eve@example.com\", to = \"kim@example.net\" }\n";
    write(&(test("ann", "offer") + not));
    let output = mailwright(folder.path(), &["test", "--mutate"]);
    assert!(output.status.success(), "{}", stdout(&output));
    let output = mailwright(folder.path(), &["test", "--mutate-values", "--junit", "out.xml"]);
    let wanted = "no test notices 3 of 7 changes:
  unnoticed `partners` without \"bob@example.com\" of the 2 values of `sender` in `when`  rules/rules.toml:4
  unnoticed `partners` without \"price\" or \"quote\" of the 3 values of `subject.words` in `when`  rules/rules.toml:4
";
    let mut lines: Vec<String> = stdout(&output).lines().map(str::to_owned).collect();
    lines.sort();
    let mut wanted: Vec<&str> = wanted.lines().collect();
    wanted.sort_unstable();
    assert!(lines.iter().filter(|line| line.contains("notice")).eq(&wanted), "{}", stdout(&output));
    assert_eq!(output.status.code(), Some(1));
    let junit = std::fs::read_to_string(folder.path().join("out.xml")).unwrap();
    assert!(junit.contains("<failure message=\"no test notices 3 of 7 changes\">"), "{junit}");
    let output = mailwright(folder.path(), &["test", "--mutate-values", "--json"]);
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record["unnoticed"].as_array().unwrap().len(), 3, "{record}");

    write(&(test("ann", "offer") + &test("bob", "price") + &test("bob", "quote") + not));
    let output = mailwright(folder.path(), &["test", "--mutate-values"]);
    let shown = stdout(&output);
    assert!(shown.contains("2 parts of the conditions and 5 values of lists left out, one at a time"), "{shown}");
    assert!(output.status.success());
}
