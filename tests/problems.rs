//! Every folder of `tests/problems/` is a rule set with faults; `expected.txt` in it is what `mailwright check` shows.
//!
//! `BLESS=1 cargo test --test problems` writes the files anew: read them before they are committed.

use std::path::{Path, PathBuf};

use mailwright::pipeline::Pipeline;
use mailwright::rule::problem::{Code, Problems};

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("tests/problems")
        .expect("tests run in the folder of the package")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn problems(folder: &Path) -> Problems {
    match Pipeline::load(folder) {
        Ok(pipeline) => pipeline.warnings_at("2026-06-01T12:00Z".parse().expect("a moment")),
        Err(problems) => problems,
    }
}

#[test]
fn every_fault_is_shown_as_expected() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let shown = format!("{}\n", problems(&folder));
        let expected = folder.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&expected, &shown).expect("the expected file is written");
            continue;
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default().replace("\r\n", "\n");
        if wanted != shown {
            wrong.push(format!("== {}\n-- expected\n{wanted}-- shown\n{shown}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_has_a_problem_and_every_code_a_folder() {
    let mut seen = Vec::new();
    for folder in folders() {
        let problems = problems(&folder);
        assert!(!problems.is_empty(), "{} has no problem", folder.display());
        seen.extend(problems.iter().map(|problem| problem.code));
    }
    for code in Code::ALL {
        assert!(seen.contains(code), "{code} is shown nowhere");
    }
}

#[test]
fn json_says_the_same() {
    for folder in folders() {
        let problems = problems(&folder);
        let json = problems.to_json();
        let list = json.as_array().expect("an array");
        assert_eq!(list.len(), problems.len());
        for (record, problem) in list.iter().zip(&problems) {
            assert_eq!(record.get("code").and_then(|c| c.as_str()), Some(problem.code.as_str()));
            assert_eq!(record.get("place").is_some(), problem.span.is_some());
        }
    }
}
