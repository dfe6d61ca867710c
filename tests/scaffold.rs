//! `mailwright new`, `pack`, `completions` and `man`: what they write can be used as it is.

use std::path::Path;
use std::process::Command;

use mailwright::rule::actions;

/// Exit code, standard output, standard error.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mailwright")).args(arguments).current_dir(folder).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_new_rule_for_any_action_has_no_problems_and_its_test_holds() {
    for kind in actions::KINDS {
        let folder = tempfile::tempdir().unwrap();
        let (code, told, error) = run(folder.path(), &["new", "rule", "mine", "--do", kind.kind]);
        assert_eq!((code, error.as_str()), (0, ""), "{}", kind.kind);
        assert!(told.starts_with("wrote rules/10-mine.toml\n"), "{told}");
        let file = std::fs::read_to_string(folder.path().join("rules/10-mine.toml")).unwrap();
        for option in kind.options {
            assert!(file.contains(&format!("{} = ", option.key)), "{}: {}\n{file}", kind.kind, option.key);
        }
        std::fs::write(folder.path().join("rules/organization.toml"), "domains = [\"example.com\"]\n").unwrap();
        let (code, told, error) = run(folder.path(), &["check"]);
        assert_eq!((code, error.as_str()), (0, ""), "{told}\n{file}");
        // That one asks for a companion, by design.
        assert!(kind.kind == "redact" || told == "1 rule in 2 files, no problems\n", "{told}\n{file}");
        let (code, told, error) = run(folder.path(), &["test"]);
        assert_eq!((code, error.as_str()), (0, ""), "{}: {told}\n{file}", kind.kind);
    }
}

#[test]
fn a_new_rule_comes_after_those_that_are_there_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["new", "rule", "first"]).0, 0);
    assert_eq!(run(folder.path(), &["new", "rule", "second", "--do", "bounce"]).0, 0);
    assert!(folder.path().join("rules/20-second.toml").is_file());
    let (code, _, error) = run(folder.path(), &["new", "rule", "first"]);
    assert_eq!((code, error.as_str()), (2, "error: there is a rule `first` already\n"));
    let (code, _, error) = run(folder.path(), &["new", "rule", "Third Rule"]);
    assert_eq!(code, 2);
    assert!(error.contains("a-z, 0-9 and -"), "{error}");
    let (code, _, error) = run(folder.path(), &["new", "rule", "third", "--do", "apend"]);
    assert_eq!(code, 2);
    assert!(error.contains("the actions are append, prepend"), "{error}");
    // The two, and the schema that both name.
    assert_eq!(std::fs::read_dir(folder.path().join("rules")).unwrap().count(), 3);
}

#[test]
fn a_new_test_says_what_the_rules_do_now() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    let message = std::fs::read(root.join("rules/samples/01-inbound-plain.eml")).unwrap();
    std::fs::write(rules.join("in.eml"), &message).unwrap();
    std::fs::write(folder.path().join("out.eml"), &message).unwrap();
    let rule = "[[rule]]\nname = \"junk\"\nwhen = { direction = \"inbound\" }\naction = { kind = \"junk\" }\n\n[[rule]]\nname = \
                \"out\"\nwhen = { direction = \"outbound\" }\naction = { kind = \"drop\" }\n\n";
    std::fs::write(rules.join("r.toml"), rule).unwrap();
    let (code, test, error) = run(folder.path(), &["new", "test", "rules/in.eml", "--name", "spam \"goes\" to junk"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let should = "[[test]]\nname = \"spam \\\"goes\\\" to junk\"\nmessage = \"in.eml\"\nenvelope = { direction = \"inbound\" \
                  }\n[test.expect]\nmatched = [\"junk\"]\nnot_matched = [\"out\"]\nanswer = \"junk\"\nunchanged = true\n";
    assert_eq!(test, should);
    std::fs::write(rules.join("r.toml"), format!("{rule}{test}")).unwrap();
    let (code, told, error) = run(folder.path(), &["test", "--min-coverage", "100"]);
    assert_eq!((code, error.as_str()), (1, ""), "the other rule has no test: {told}");
    assert_eq!(run(folder.path(), &["test"]).0, 0, "{told}");
    let (code, _, error) = run(folder.path(), &["new", "test", "out.eml"]);
    assert_eq!(code, 2);
    assert!(error.contains("`out.eml` is not in `rules`"), "{error}");
}

#[test]
fn a_rule_set_is_packed_with_its_digest_and_a_faulty_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    let (code, told, error) = run(folder.path(), &["pack", rules]);
    assert_eq!((code, error.as_str()), (0, ""));
    let digest = mailwright::pipeline::Pipeline::load(Path::new(rules)).unwrap().digest().to_owned();
    assert!(told.starts_with("wrote rules.json: ") && told.contains(&digest), "{told}");
    let packed = std::fs::read(folder.path().join("rules.json")).unwrap();
    assert_eq!(run(folder.path(), &["pack", rules, "--out", "-"]).1.as_bytes(), packed);
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/samples");
    let (code, told, error) = run(folder.path(), &["diff", rules, "rules.json", samples]);
    assert_eq!((code, error.as_str()), (0, ""), "{told}");
    let (code, told, error) = run(folder.path(), &["check", "rules.json"]);
    assert_eq!((code, error.as_str()), (0, ""), "{told}");
    std::fs::write(folder.path().join("bad.toml"), "[[rule]]\nname = 3\n").unwrap();
    let (code, told, error) = run(folder.path(), &["pack", "bad.toml", "--out", "bad.json"]);
    assert_eq!((code, told.as_str()), (2, ""));
    assert!(error.contains("the rules in `bad.toml` cannot be packed") && error.contains("bad.toml:2:8"), "{error}");
    assert!(!folder.path().join("bad.json").exists());
}

#[test]
fn shells_and_man_are_told_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let (_, help, _) = run(folder.path(), &["--help"]);
    let commands: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ")?.split("  ").next()).collect();
    let commands: Vec<&str> =
        commands.into_iter().filter(|word| word.chars().all(|c| c.is_ascii_lowercase())).collect();
    assert!(commands.contains(&"replay") && commands.contains(&"new"), "{help}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, error) = run(folder.path(), &["completions", shell]);
        assert_eq!((code, error.as_str()), (0, ""));
        for command in commands.iter().filter(|command| !command.is_empty()) {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    let (code, page, error) = run(folder.path(), &["man"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(page.contains(".TH mailwright 1"), "{page}");
    assert_eq!(run(folder.path(), &["man", "--out", "pages"]).0, 0);
    for command in commands.iter().filter(|command| !command.is_empty()) {
        assert!(folder.path().join(format!("pages/mailwright-{command}.1")).is_file(), "{command}");
    }
}
