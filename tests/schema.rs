//! The schema of rule files is true: it takes every rule file that works, and refuses what is misspelt.
//!
//! `BLESS=1 cargo test --test schema` writes `docs/*.schema.json` anew. A validator that shares no code with us judges.

use std::path::{Path, PathBuf};
use std::process::Command;

use boon::{Compiler, SchemaIndex, Schemas};
use mailwright::pipeline::Pipeline;
use mailwright::rule::schema;
use regex::Regex;
use serde_json::Value;

/// Both schemas, compiled.
struct Judge {
    schemas: Schemas,
    rules: SchemaIndex,
    organization: SchemaIndex,
}

impl Judge {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let mut compile = |name: &str, schema: Value| {
            compiler.add_resource(name, schema).unwrap();
            compiler.compile(name, &mut schemas).unwrap_or_else(|error| panic!("{error:#}"))
        };
        let rules = compile("rules.schema.json", schema::of_rules());
        let organization = compile("organization.schema.json", schema::of_organization());
        Self { schemas, rules, organization }
    }
    /// What is wrong with a file.
    fn wrong(&self, path: &Path, value: &Value) -> Option<String> {
        let of = if path.ends_with("organization.toml") { self.organization } else { self.rules };
        self.schemas.validate(value, of).err().map(|error| format!("{}: {error:#}", path.display()))
    }
}

/// A file as a schema sees it; `None` where it is not TOML.
fn value(path: &Path) -> Option<Value> {
    schema::file_as_json(&std::fs::read_to_string(path).ok()?).ok()
}

fn toml_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            toml_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_schemas_in_docs_are_those_of_the_command() {
    for of in ["rules", "organization"] {
        let output = Command::new(env!("CARGO_BIN_EXE_mailwright")).args(["schema", of]).output().unwrap();
        assert!(output.status.success());
        let path = root().join(format!("docs/{of}.schema.json"));
        let told = String::from_utf8(output.stdout).unwrap();
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, told).unwrap();
        } else {
            let stands = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(stands == told, "{}: BLESS=1 cargo test --test schema writes it anew", path.display());
        }
    }
}

#[test]
fn every_rule_file_that_works_is_valid() {
    let judge = Judge::new();
    let mut files = Vec::new();
    for folder in ["rules", "docs/cookbook", "tests/golden", "tests/corpus", "tests/page"] {
        toml_files(&root().join(folder), &mut files);
    }
    files.retain(|path| !path.ends_with("Cargo.toml"));
    assert!(files.len() > 200, "{}", files.len());
    for path in files {
        let value = value(&path).unwrap_or_else(|| panic!("{} is no TOML", path.display()));
        assert_eq!(judge.wrong(&path, &value), None);
    }
}

/// What a schema can know: keys that there are not, keys that must be there, types and words. Not what goes with what.
const KNOWABLE: &str = r#"(?m)unknown key `|there is no action|does not know "|` takes .*, not |^error\[R004\]: `(name|kind|action)` is missing"#;

#[test]
fn what_is_misspelt_is_refused() {
    let judge = Judge::new();
    let (knowable, mut refused) = (Regex::new(KNOWABLE).unwrap(), 0);
    for entry in std::fs::read_dir(root().join("tests/problems")).unwrap() {
        let folder = entry.unwrap().path();
        let problems = match Pipeline::load(&folder) {
            Ok(pipeline) => pipeline.warnings().to_string(),
            Err(problems) => problems.to_string(),
        };
        // Names of detectors and groups may be the rule set's own, and are not the schema's to know.
        let problems = problems.replace("`detect` does not know", "");
        let mut files = Vec::new();
        toml_files(&folder, &mut files);
        let wrong = files.iter().any(|path| value(path).is_some_and(|value| judge.wrong(path, &value).is_some()));
        assert!(wrong || !knowable.is_match(&problems), "{} is valid to the schema:\n{problems}", folder.display());
        assert!(!wrong || problems.contains("error["), "{} is refused by the schema alone", folder.display());
        refused += usize::from(wrong);
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn rule_files_that_ship_name_their_schema() {
    for (folder, to) in [("rules", "../docs"), ("docs/cookbook", "..")] {
        let mut files = Vec::new();
        toml_files(&root().join(folder), &mut files);
        for path in files {
            let of = if path.ends_with("organization.toml") { "organization" } else { "rules" };
            let text = std::fs::read_to_string(&path).unwrap();
            let first = text.lines().next().unwrap_or_default();
            assert_eq!(first, format!("#:schema {to}/{of}.schema.json"), "{}", path.display());
            assert!(path.parent().unwrap().join(to).join(format!("{of}.schema.json")).is_file(), "{}", path.display());
        }
    }
}
