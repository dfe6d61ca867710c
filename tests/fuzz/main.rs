//! The fuzz targets on any toolchain: messages that are made, and seeds, mutated by a fixed sequence of random numbers.
//! What makes rules do something new is kept and mutated further.
//!
//! By default a few executions for each target. `FUZZ_SECONDS` runs each target for so long, `FUZZ_SEEDS` takes further
//! seeds from folders (parted by `:`), `FUZZ_START` begins another sequence. What fails is made small and written to a
//! file, and `FUZZ_INPUT` runs one file: `FUZZ_INPUT=file cargo test --test fuzz pipeline`.

mod finding;
mod mutate;
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutate::Random;

/// Executions where no time is given.
const EXECUTIONS: u64 = 1_000;
/// Larger files are no seeds.
const MAX_SEED: u64 = 64 * 1024;
/// Longer inputs are not kept.
const MAX_KEPT: usize = 8 * 1024;
/// More inputs are not kept.
const MAX_POOL: usize = 50_000;
/// Choices of a message that is made.
const MAX_CHOICES: usize = 160;
/// After so many findings of different kinds a run ends.
const MAX_FINDINGS: usize = 50;

#[test]
fn parse() {
    fuzz("parse", &["rules/samples"], |input, _| {
        targets::parse(input);
        None
    });
}

/// An execution is one message through one rule set, and what comes out once more.
#[test]
fn pipeline() {
    fuzz("pipeline", &["rules/samples", "tests/golden"], |input, choice| {
        let sets = targets::judge::rule_sets();
        let judged = targets::judge::judge(&sets[choice % sets.len()], input);
        Some((judged.signature, judged.rewritten))
    });
}

#[test]
fn edits() {
    fuzz("edits", &["rules/samples", "tests/golden"], |input, _| {
        targets::edits(input);
        None
    });
}

#[test]
fn repair() {
    fuzz("repair", &["rules/samples", "tests/golden"], |input, _| {
        targets::repair(input);
        None
    });
}

#[test]
fn rules() {
    fuzz("rules", &["rules", "fuzz/rules", "tests/problems"], |input, _| {
        targets::rules(input);
        None
    });
}

/// What an execution says of its input: what it did, and what came out.
type Told = Option<(u64, Option<Vec<u8>>)>;

fn number(key: &str) -> Option<u64> {
    std::env::var(key).ok().map(|text| text.parse().expect("a number"))
}

fn fuzz(name: &str, folders: &[&str], target: impl Fn(&[u8], usize) -> Told) {
    if let Ok(path) = std::env::var("FUZZ_INPUT") {
        let (_, target) = *targets::TARGETS.iter().find(|(n, _)| *n == name).expect("a target of that name");
        targets::reproduce(target, &path);
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_mail = name != "rules";
    let more = std::env::var("FUZZ_SEEDS").ok().filter(|_| is_mail).unwrap_or_default();
    let more = more.split(':').filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let mut pool = seeds(
        folders.iter().map(|folder| root.join(folder)).chain(more),
        if is_mail { &["eml"][..] } else { &["toml"] },
    );
    assert!(!pool.is_empty(), "there are no seeds");
    finding::catch_quietly();

    let limit = number("FUZZ_SECONDS").map(Duration::from_secs);
    let (started, seeds) = (Instant::now(), pool.len());
    let mut random = Random(number("FUZZ_START").unwrap_or(0));
    let (mut executions, mut bytes) = (0, 0);
    let (mut signatures, mut findings, mut files) = (HashSet::new(), HashSet::new(), Vec::new());
    loop {
        let at = usize::try_from(executions).unwrap_or(usize::MAX);
        let is_over = limit.map_or(executions >= EXECUTIONS, |limit| started.elapsed() >= limit);
        if is_over || findings.len() >= MAX_FINDINGS {
            break;
        }
        // Each seed as it is, then new ones.
        let input = match pool.get(at).filter(|_| at < seeds) {
            Some(seed) => seed.clone(),
            None if is_mail && random.below(3) == 0 => targets::made::message(&random.bytes(MAX_CHOICES)),
            None => random.mutated(&pool),
        };
        let choice = random.below(usize::MAX);
        executions += 1;
        bytes += input.len();
        let mut told = None;
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| told = target(&input, choice)));
        if done.is_err() {
            let fails = |input: &[u8]| drop(target(input, choice));
            let what = finding::failure(&fails, &input).unwrap_or_else(|| "it fails now and then".to_owned());
            let kind = finding::kind(&what);
            if findings.insert(kind.clone()) {
                let small = finding::minimised(&fails, &input, &kind);
                files.push(write(&root.join("target/fuzz"), &format!("{name}-{}", files.len()), &small, &what));
            }
        } else if let Some((signature, rewritten)) = told
            && input.len() <= MAX_KEPT
            && pool.len() < MAX_POOL
            && signatures.insert(signature)
        {
            pool.push(input);
            pool.extend(rewritten.filter(|out| out.len() <= MAX_KEPT));
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    let rate = executions as f64 / seconds;
    println!(
        "{name}: {seeds} seeds, {executions} executions, {bytes} bytes, {} kept, {rate:.0} per second",
        signatures.len()
    );
    assert!(files.is_empty(), "FUZZ_INPUT=file cargo test --test fuzz {name}, for each of {files:#?}");
}

/// Keep an input that failed, and what was said of it.
fn write(folder: &Path, name: &str, input: &[u8], what: &str) -> (PathBuf, String) {
    let path = folder.join(name);
    fs::create_dir_all(folder).expect("a folder for what failed");
    fs::write(&path, input).expect("a file for what failed");
    println!("{}: {what}", path.display());
    (path, what.to_owned())
}

/// All files of these folders with one of these endings, in the order of their names.
fn seeds(folders: impl Iterator<Item = PathBuf>, endings: &[&str]) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    let mut open: Vec<PathBuf> = folders.collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending))
                && path.metadata().is_ok_and(|m| m.len() <= MAX_SEED)
            {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a seed")).collect()
}
