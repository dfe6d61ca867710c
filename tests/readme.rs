//! README.md holds what is true: the output that it shows is the output of the command that it shows. `BLESS=1 cargo test --profile quick --test readme` writes them anew; read the difference.

use std::collections::{BTreeSet, HashMap};
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

#[test]
fn the_table_of_commands_names_every_option_of_each() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (named, offered) =
        (Regex::new("`(--[a-z-]+)`").unwrap(), Regex::new("(?m)^ +(?:-[a-z], )?(--[a-z-]+)").unwrap());
    let all = |pattern: &Regex, text: &str| -> BTreeSet<String> {
        let options = pattern.captures_iter(text).map(|found| found[1].to_owned());
        options.filter(|option| !matches!(option.as_str(), "--help" | "--version")).collect()
    };
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `mailwright ")).collect();
    let mut seen = BTreeSet::new();
    for row in rows {
        let first = row.split(" | ").next().unwrap();
        let mut options = BTreeSet::new();
        for call in first.split('`').filter(|part| part.starts_with("mailwright ")) {
            let words = call.split_whitespace().skip(1);
            let command: Vec<&str> = words.take_while(|word| word.chars().all(|c| c.is_ascii_lowercase())).collect();
            options.extend(all(&offered, &output(&format!("{} --help", command.join(" ")))));
            seen.extend(command.first().map(|word| (*word).to_owned()));
        }
        assert_eq!(all(&named, row), options, "{first}: the README's table, and --help");
    }
    let commands = Regex::new("(?m)^  ([a-z]+) ").unwrap();
    let help = output("--help");
    for command in commands.captures_iter(&help).map(|found| found[1].to_owned()) {
        assert!(seen.contains(&command), "the README's table lacks `{command}`");
    }
}

/// Links in what people read, that do not leave it: the file is there, and what they name in it.
#[test]
fn every_link_in_the_docs_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["docs", "benches", "fuzz", "rules", "tests"] {
        files_below(&root.join(folder), root, &mut files);
    }
    files.retain(|(name, _)| Path::new(name).extension().is_some_and(|extension| extension == "md"));
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        files.push((name.to_owned(), std::fs::read_to_string(root.join(name)).unwrap()));
    }
    let link = Regex::new(r"\]\(([^()\s]+)\)").unwrap();
    let anchors: HashMap<&str, BTreeSet<String>> =
        files.iter().map(|(name, text)| (name.as_str(), anchors(text))).collect();
    let (mut links, mut wrong) = (0, Vec::new());
    for (name, text) in &files {
        for target in link.captures_iter(&without_code(text)).map(|found| found[1].to_owned()) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let folder = Path::new(name).parent().unwrap();
            let path = if path.is_empty() { name.clone() } else { plain(&folder.join(path)) };
            let known = anchors.get(path.as_str()).is_none_or(|anchors| anchor.is_empty() || anchors.contains(anchor));
            if !root.join(&path).exists() || !known {
                wrong.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(links > 100 && wrong.is_empty(), "{links} links, these lead nowhere: {wrong:#?}");
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.to_str().unwrap().split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What stands in fences and in backquotes is no link.
fn without_code(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    Regex::new("`[^`\n]*`").unwrap().replace_all(&text, "`").into_owned()
}

/// The names of headings, as code hosts make them, and those that are given.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut anchors = BTreeSet::new();
    let mut fenced = false;
    let link = Regex::new(r"\[([^\]]*)\]\([^)]*\)").unwrap();
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let title = link.replace_all(title.trim(), "$1").to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let name: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = seen.entry(name.clone()).or_default();
        anchors.insert(if *count == 0 { name } else { format!("{name}-{count}") });
        *count += 1;
    }
    let given = Regex::new("<a (?:id|name)=\"([^\"]+)\"").unwrap();
    anchors.extend(given.captures_iter(text).map(|found| found[1].to_owned()));
    anchors
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
