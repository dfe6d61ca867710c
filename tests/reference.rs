//! `docs/reference/` is what the code says of itself: its examples are run, and its pages compared.
//!
//! `BLESS=1 cargo test --test reference` writes it anew; read the difference as somebody who writes rules would.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use mailwright::rule::problem::Code;
use mailwright::rule::{actions, conditions};
use regex::Regex;

/// Every page below a folder, by its path.
fn pages(folder: &Path) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                pages.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    pages
}

/// What the command writes; it runs once for all tests.
fn written() -> &'static BTreeMap<String, String> {
    static WRITTEN: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    WRITTEN.get_or_init(write)
}

fn write() -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_mailwright")).args(["docs", "--out"]).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    pages(folder.path())
}

#[test]
fn the_reference_is_what_the_code_says() {
    let stands = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let written = written();
    if std::env::var_os("BLESS").is_some() {
        let _ = std::fs::remove_dir_all(&stands);
        for (name, text) in written {
            let path = stands.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        return;
    }
    let stand = pages(&stands);
    let (names, wanted): (Vec<_>, Vec<_>) = (stand.keys().collect(), written.keys().collect());
    assert_eq!(names, wanted, "BLESS=1 cargo test --test reference writes docs/reference/ anew");
    for (name, text) in written {
        assert!(stand.get(name) == Some(text), "docs/reference/{name} differs; BLESS=1 cargo test --test reference");
    }
}

#[test]
fn every_condition_action_and_code_is_told_with_an_example() {
    let pages = written();
    let page = |name: String| pages.get(&name).unwrap_or_else(|| panic!("{name} is not there")).as_str();
    for kind in conditions::KINDS {
        let text = page(format!("conditions/{}.md", kind.key));
        // What the example says is run: the condition holds, so the subject is tagged.
        assert!(text.contains("Subject: [seen] "), "{}", kind.key);
        for option in kind.takes.options() {
            assert!(text.contains(&format!("| `{}` |", option.key)), "{} {}", kind.key, option.key);
        }
    }
    for kind in actions::KINDS {
        let text = page(format!("actions/{}.md", kind.kind));
        let shows = ["It comes out as:", "WorkMail is answered", "It goes to ", "so no later rule"];
        let does = shows.iter().any(|what| text.contains(what)) || kind.kind == "stop";
        assert!(does, "the example of {} does nothing", kind.kind);
        for option in kind.options {
            assert!(text.contains(&format!("| `{}` |", option.key)), "{} {}", kind.kind, option.key);
        }
    }
    let problems = page("problems.md".to_owned());
    for code in Code::ALL {
        let section = problems.split(&format!("\n## {code}\n")).nth(1).and_then(|rest| rest.split("\n## ").next());
        let section = section.unwrap_or_else(|| panic!("{code} has no section"));
        assert!(section.contains(&format!("[{code}]")), "the example of {code} does not have it: {section}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let link = Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    let code = Regex::new("(?s)```.*?```").unwrap();
    let mut links = 0;
    for (name, text) in written() {
        let at = folder.join(name);
        for found in link.captures_iter(&code.replace_all(text, "")) {
            let to = at.parent().unwrap().join(&found[1]);
            assert!(to.exists(), "{name}: {}", &found[1]);
            links += 1;
        }
    }
    assert!(links > 30, "{links}");
}
