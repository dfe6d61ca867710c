//! Mail that is hard to rewrite. Every folder of `tests/golden/` is one message and what becomes of it, byte for byte;
//! `tests/golden/README.md` says what is in a folder, and which tests show the cases that are no message.
//!
//! `BLESS=1 cargo test --test golden` writes the expected files anew, `GOLDEN=42` looks at the folders that begin so only.
//! Read what was written before it is committed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use mailwright::answers::Answers;
use mailwright::envelope::{Address, Direction, Envelope};
use mailwright::facts::Facts;
use mailwright::message::Message;
use mailwright::pipeline::{Pipeline, Verdict};
use mailwright::rule::{Disposition, Takes, actions, conditions};
use toml::de::{DeTable, DeValue};

const GOLDEN: &str = "tests/golden";
/// Removing the first or the last of several fields takes another each time, as the option's description says.
const ANOTHER_EACH_TIME: &[&str] = &["69-remove-first", "69-remove-last"];
/// How many cases there are, and all are shown.
const CASES: usize = 80;

fn folders() -> Vec<PathBuf> {
    let only = std::env::var("GOLDEN").unwrap_or_default();
    let begins = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&only));
    let entries = fs::read_dir(GOLDEN).expect("tests run in the folder of the package");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = paths.filter(|path| path.is_dir()).filter(begins).collect();
    folders.sort();
    folders
}

/// The rules of a folder, or those of all.
fn pipeline(folder: &Path) -> Pipeline {
    let own = folder.join("rules.toml");
    let path = if own.exists() { own } else { Path::new(GOLDEN).join("rules.toml") };
    let text = fs::read_to_string(&path).expect("a rule file");
    let mut files = vec![("rules.toml".to_owned(), text)];
    // People and groups, and who is internal.
    files
        .extend(fs::read_to_string(folder.join("organization.toml")).ok().map(|o| ("organization.toml".to_owned(), o)));
    Pipeline::from_sources(files).unwrap_or_else(|p| panic!("{}: {p}", path.display()))
}

/// What the folder says of the envelope, or Ann to Kim, outbound.
fn envelope(folder: &Path) -> Envelope {
    let text = fs::read_to_string(folder.join("envelope.json")).unwrap_or_else(|_| "{}".to_owned());
    let facts: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let word = |key: &str, default: &str| match facts.get(key) {
        Some(value) => value.as_str().expect("a string").to_owned(),
        None => default.to_owned(),
    };
    let address = |text: &str| Address::new(text).expect("an address");
    let recipients = match facts.get("recipients") {
        Some(list) => {
            list.as_array().expect("an array").iter().map(|a| address(a.as_str().expect("a string"))).collect()
        }
        None => vec![address("kim@example.net")],
    };
    let sender = word("sender", "ann@example.com");
    Envelope {
        direction: if word("direction", "outbound") == "inbound" { Direction::Inbound } else { Direction::Outbound },
        sender: (!sender.is_empty()).then(|| address(&sender)),
        recipients,
        message_id: "golden".into(),
        truncated: facts.get("truncated").is_some_and(|t| t.as_bool().expect("true or false")),
    }
}

/// What the rules are told: the people of the folder, and what time it is, where the folder says so. `"directory": false`
/// is a directory that does not answer.
fn facts(folder: &Path, pipeline: &Pipeline, envelope: &Envelope) -> Facts {
    let text = fs::read_to_string(folder.join("envelope.json")).unwrap_or_else(|_| "{}".to_owned());
    let facts: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let at = facts.get("at").map(|at| at.as_str().expect("a string").parse().expect("a moment"));
    let answers = facts.get("directory").is_none_or(|answers| answers.as_bool().expect("true or false"));
    let book = pipeline.book().clone();
    let book = if answers { book } else { book.unavailable("the directory did not answer in time") };
    let people = book.look_up(pipeline.need(envelope.direction), envelope);
    Facts { now: at, people, ..Facts::default() }
}

/// What a run came to: the message, where it changed, and the report.
struct Ran {
    rewritten: Option<Vec<u8>>,
    report: String,
    answers: Option<Answers>,
}

fn run(pipeline: &Pipeline, envelope: &Envelope, facts: &Facts, raw: &[u8]) -> Ran {
    let message = Message::parse(raw);
    let outcome = match pipeline.run(&message, envelope, facts, &|| false) {
        Ok(outcome) => outcome,
        // A rule with `on_error = "fail"`: nobody is answered, and the flow tries again.
        Err(fails) => return Ran { rewritten: None, report: format!("{fails}\n"), answers: None },
    };
    let mut report = String::from(if outcome.rewritten.is_some() { "rewritten" } else { "as it came" });
    let _ = match outcome.answers.strictest() {
        Disposition::Deliver => writeln!(report),
        other => writeln!(report, ", {other:?}"),
    };
    if !outcome.answers.are_one() {
        for (recipient, answer) in envelope.recipients.iter().zip(outcome.answers.named()) {
            let _ = writeln!(report, "for {}: {answer:?}", recipient.as_str());
        }
    }
    for recipient in outcome.answers.added() {
        let _ = writeln!(report, "added: {}", recipient.as_str());
    }
    for rule in &outcome.report.rules {
        let _ = match &rule.verdict {
            Verdict::Matched => writeln!(report, "{}: matched", rule.name),
            Verdict::NotMatched(why) => writeln!(report, "{}: not matched, {why}", rule.name),
            Verdict::Excepted(why) => writeln!(report, "{}: excepted, {why}", rule.name),
            Verdict::Skipped(why) => writeln!(report, "{}: skipped, {why}", rule.name),
            other => writeln!(report, "{}: {other:?}", rule.name),
        };
        for effect in &rule.effects {
            let _ = writeln!(report, "    {effect}");
        }
    }
    for note in &outcome.report.notes {
        let _ = writeln!(report, "note: {note}");
    }
    for signature in &outcome.report.signatures {
        let _ = writeln!(report, "{signature}");
    }
    Ran { rewritten: outcome.rewritten.map(|r| r.to_vec()), report, answers: Some(outcome.answers) }
}

/// For people: line by line, with what cannot be seen escaped.
fn shown(bytes: &[u8]) -> String {
    bytes.split_inclusive(|b| *b == b'\n').fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "    {}", line.escape_ascii());
        out
    })
}

#[test]
fn hard_mail_becomes_what_it_should() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = String::new();
    for folder in folders() {
        let (pipeline, envelope) = (pipeline(&folder), envelope(&folder));
        let raw = fs::read(folder.join("message.eml")).expect("message.eml");
        let ran = run(&pipeline, &envelope, &facts(&folder, &pipeline, &envelope), &raw);
        let (eml, txt) = (folder.join("expected.eml"), folder.join("expected.txt"));
        if bless {
            fs::write(&txt, &ran.report).expect("expected.txt is written");
            match &ran.rewritten {
                Some(bytes) => fs::write(&eml, bytes).expect("expected.eml is written"),
                None if eml.exists() => fs::remove_file(&eml).expect("expected.eml is removed"),
                None => {}
            }
        }
        let report = fs::read_to_string(&txt).unwrap_or_default().replace("\r\n", "\n");
        if report != ran.report {
            let _ = writeln!(wrong, "== {}\n-- expected\n{report}-- was\n{}", txt.display(), ran.report);
        }
        // Without expected.eml the message passes as it came.
        let expected = eml.exists().then(|| fs::read(&eml).expect("expected.eml"));
        if expected != ran.rewritten {
            let or_same = |bytes: &Option<Vec<u8>>| bytes.as_deref().map_or("    as it came\n".to_owned(), shown);
            let _ = writeln!(
                wrong,
                "== {}\n-- expected\n{}-- was\n{}",
                eml.display(),
                or_same(&expected),
                or_same(&ran.rewritten)
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_second_run_changes_nothing() {
    for folder in folders() {
        if ANOTHER_EACH_TIME.iter().any(|name| folder.ends_with(name)) {
            continue;
        }
        let (pipeline, envelope) = (pipeline(&folder), envelope(&folder));
        let raw = fs::read(folder.join("message.eml")).expect("message.eml");
        let first = run(&pipeline, &envelope, &facts(&folder, &pipeline, &envelope), &raw);
        let Some(once) = &first.rewritten else { continue };
        let second = run(&pipeline, &envelope, &facts(&folder, &pipeline, &envelope), once);
        let twice = second.rewritten.as_deref().map(shown);
        assert_eq!(twice, None, "{}\n{}", folder.display(), second.report);
        assert_eq!(first.answers, second.answers, "{}", folder.display());
    }
}

/// Every file of Rust in a folder, one after another.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).expect("a source file"));
        }
    }
}

/// The number that a name or a row of a table begins with.
fn number(text: &str) -> Option<usize> {
    text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

#[test]
fn every_case_is_shown() {
    let readme = fs::read_to_string(Path::new(GOLDEN).join("README.md")).expect("README.md");
    let mut code = String::new();
    sources(Path::new("src"), &mut code);
    sources(Path::new("tests"), &mut code);
    let (_, table) = readme.split_once("## Cases that are no message here").expect("the table");
    let table = table.split("\n## ").next().unwrap_or_default();
    let mut shown = BTreeSet::new();
    for row in table.lines().filter_map(|line| line.strip_prefix("| ")) {
        let Some(case) = number(row) else { continue };
        let tests = row.split('`').skip(1).step_by(2);
        assert!(
            tests.into_iter().any(|name| code.contains(&format!("fn {name}("))),
            "the README names no test that exists for case {case}: {row}"
        );
        shown.insert(case);
    }
    for entry in fs::read_dir(GOLDEN).expect("the folder") {
        let folder = entry.expect("an entry");
        if folder.path().join("message.eml").exists() {
            shown.extend(number(&folder.file_name().to_string_lossy()));
        }
    }
    let all: BTreeSet<usize> = (1..=CASES).collect();
    assert_eq!(shown, all, "a case has neither a folder nor a test in the README, or there is no such case");
}

/// Every table of a rule file under `key`, whether it stands alone or in an array.
fn tables<'t, 'f>(table: &'t DeTable<'f>, key: &str) -> Vec<&'t DeTable<'f>> {
    match table.get(key).map(toml::Spanned::get_ref) {
        Some(DeValue::Table(table)) => vec![table],
        Some(DeValue::Array(list)) => list.iter().filter_map(|item| item.get_ref().as_table()).collect(),
        _ => Vec::new(),
    }
}

/// The conditions in a table of them, with the options that they give.
fn conditions_used(table: &DeTable<'_>, used: &mut BTreeSet<String>) {
    for key in table.keys().map(|key| key.get_ref().as_ref()) {
        let below = tables(table, key);
        if ["any", "all", "not"].contains(&key) {
            for table in below {
                conditions_used(table, used);
            }
            continue;
        }
        used.insert(key.to_owned());
        let options = below.into_iter().flat_map(DeTable::keys);
        used.extend(options.map(|option| format!("{key}.{}", option.get_ref())));
    }
}

#[test]
fn every_condition_and_action_and_each_of_their_options_has_a_case() {
    if std::env::var_os("GOLDEN").is_some() {
        return;
    }
    let mut used = BTreeSet::new();
    let mut excepted = BTreeSet::new();
    for folder in folders() {
        let text = fs::read_to_string(folder.join("rules.toml")).unwrap_or_default();
        let file = DeTable::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for rule in tables(file.get_ref(), "rule") {
            for table in tables(rule, "when") {
                conditions_used(table, &mut used);
            }
            for table in tables(rule, "unless") {
                conditions_used(table, &mut excepted);
            }
            for action in tables(rule, "action") {
                let kind = action.get("kind").and_then(|kind| kind.get_ref().as_str()).expect("a kind");
                used.insert(kind.to_owned());
                used.extend(action.keys().map(|option| format!("{kind}.{}", option.get_ref())));
            }
        }
    }
    let mut missing = BTreeSet::new();
    for kind in conditions::KINDS {
        if !excepted.contains(kind.key) {
            missing.insert(format!("{} in an exception", kind.key));
        }
        let options = kind.takes.options().iter().map(|option| format!("{}.{}", kind.key, option.key));
        missing.extend(std::iter::once(kind.key.to_owned()).chain(options).filter(|name| !used.contains(name)));
    }
    for kind in actions::KINDS {
        let options = kind.options.iter().map(|option| format!("{}.{}", kind.kind, option.key));
        missing.extend(std::iter::once(kind.kind.to_owned()).chain(options).filter(|name| !used.contains(name)));
    }
    assert!(missing.is_empty(), "no folder of {GOLDEN} shows {missing:#?}");
}

/// The words that a condition on the sort of a message takes, each in a folder of its own where it holds.
#[test]
fn every_word_of_kind_has_a_case_where_it_holds() {
    let kind = conditions::KINDS.iter().find(|kind| kind.key == "kind").expect("the condition");
    let Takes::Words(words) = kind.takes else { panic!("`kind` takes words") };
    for word in words {
        let folder = Path::new(GOLDEN).join(format!("when-kind-{word}"));
        let report = fs::read_to_string(folder.join("expected.txt")).unwrap_or_default();
        let named = format!("\n{word}: matched\n");
        assert!(report.contains(&named), "{} shows no message that is {word}", folder.display());
        let rules = fs::read_to_string(folder.join("rules.toml")).unwrap_or_default();
        for word in words {
            let rule = format!("name = \"{word}\"\nwhen = {{ kind = \"{word}\" }}");
            assert!(rules.contains(&rule), "{} does not ask for {word}", folder.display());
        }
    }
}
