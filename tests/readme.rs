//! README.md holds what is true: the output that it shows is the output of the command that it shows. `BLESS=1 cargo test --profile quick --test readme` writes them anew; read the difference.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use regex::Regex;

const RUN: &str = "cargo run --release -- ";

#[test]
fn what_the_readme_shows_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let mut told = readme.clone();
    put(&mut told, "replay", &fenced(&output(command(&readme, "replay"))));
    put(&mut told, "check", &fenced(&output(command(&readme, "check"))));
    put(&mut told, "test", &fenced(&output(command(&readme, "test --filter"))));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, told).unwrap();
        return;
    }
    let (is, should) = (without_times(&readme), without_times(&told));
    for (is, should) in is.lines().zip(should.lines()) {
        assert_eq!(is, should, "README.md differs; BLESS=1 cargo test --profile quick --test readme writes it anew");
    }
    assert_eq!(is, should, "README.md differs in length");
}

/// The arguments of the command in the README that begins with `word`.
fn command<'r>(readme: &'r str, word: &str) -> &'r str {
    let mut lines = readme.lines().filter_map(|line| line.strip_prefix(RUN));
    lines.find(|arguments| arguments.starts_with(word)).unwrap_or_else(|| panic!("README.md has no `{RUN}{word}`"))
}

fn output(arguments: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_mailwright"))
        .args(arguments.split_whitespace())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("MAILWRIGHT_STAMP_KEY")
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && error.is_empty(), "{arguments}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn fenced(text: &str) -> String {
    format!("```text\n{}\n```\n", text.trim_end())
}

/// Replace what stands between `<!-- name -->` and `<!-- /name -->`.
fn put(readme: &mut String, name: &str, text: &str) {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = readme.find(&open).unwrap_or_else(|| panic!("README.md has no {open}")) + open.len();
    let end = start + readme[start..].find(&close).unwrap_or_else(|| panic!("README.md has no {close}"));
    // A line of which only the time is different stays.
    let stood: HashMap<String, &str> = readme[start..end].lines().map(|line| (without_times(line), line)).collect();
    let line = |line: &str| stood.get(&without_times(line)).map_or(line, |stood| stood).to_owned() + "\n";
    let text: String = text.lines().map(line).collect();
    readme.replace_range(start..end, &text);
}

/// Times, speeds and cores are the machine's.
fn without_times(text: &str) -> String {
    let times = Regex::new(r"[0-9.]+ (ms|s on|cores?|messages/s|MB/s)\b").unwrap();
    times.replace_all(text, "_ $1").replace("_ cores", "_ core")
}

/// Every file below a folder, with its path relative to it.
fn files_below(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, root, files);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            files.push((path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"), text));
        }
    }
}

#[test]
fn every_rule_that_the_readme_shows_can_be_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let mut beside = Vec::new();
    files_below(&root.join("rules"), &root.join("rules"), &mut beside);
    beside.retain(|(name, _)| name.contains('/') || name == "organization.toml");
    let blocks: Vec<&str> = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let rules: Vec<&&str> = blocks.iter().filter(|block| block.contains("[[rule]]")).collect();
    assert!(rules.len() >= 4, "the README shows rules");
    for block in rules {
        let mut files = beside.clone();
        files.push(("readme.toml".to_owned(), (*block).to_string()));
        if let Err(problems) = mailwright::pipeline::Pipeline::from_sources(files) {
            panic!("{block}\n{problems}");
        }
    }
}
