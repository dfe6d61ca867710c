//! The fuzz targets on any toolchain, without coverage: seeds, mutated by a fixed sequence of random numbers.
//!
//! By default a few executions for each target. `FUZZ_SECONDS` runs each target for so long, `FUZZ_SEEDS` takes further
//! seeds from folders (parted by `:`), `FUZZ_START` begins another sequence. What fails is written to a file, and
//! `FUZZ_INPUT` runs one file: `FUZZ_INPUT=file cargo test --test fuzz pipeline`.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Executions where no time is given.
const EXECUTIONS: u64 = 1_000;
/// Larger files are no seeds.
const MAX_SEED: u64 = 64 * 1024;
/// Mutated inputs are no longer than this.
const MAX_INPUT: usize = 128 * 1024;
/// What mail and rule files are made of.
const TOKENS: &[&str] = &[
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\r\n\r\n",
    " ",
    "\t",
    "\0",
    "=",
    "=\n",
    "=3D",
    "=E9",
    "--",
    "--b\r\n",
    "--b--\r\n",
    "Subject: ",
    "Content-Type: text/plain; charset=",
    "Content-Type: text/html\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: multipart/signed; boundary=\"b\"\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "Content-Transfer-Encoding: 8bit\r\n",
    "Content-Disposition: attachment; filename=x\r\n",
    "utf-8",
    "us-ascii",
    "iso-8859-1",
    "windows-1252",
    "utf-16",
    "utf-16le",
    "utf-7",
    "shift_jis",
    "gbk",
    "gb18030",
    "iso-2022-jp",
    "x-unknown",
    "\u{1b}$B",
    "\u{1b}(B",
    "é",
    "日本",
    "\u{feff}",
    "=?utf-8?Q?=C3=A9?=",
    "<html>",
    "<body>",
    "</body></html>",
    "<blockquote type=cite>",
    "<!--",
    "-->",
    "<style>",
    "</style>",
    "<div>",
    "</div>",
    "&nbsp;",
    "<table>",
    "> ",
    "-- \n",
    "From ",
    "On Monday Ann wrote:\n",
    "4111 1111 1111 1111",
    "ann@example.com",
    "spring",
    "-----BEGIN PGP MESSAGE-----\n",
    "[[rule]]\n",
    "[[rule.action]]\n",
    "[[test]]\n",
    "kind = \"append\"\n",
    "kind = \"redact\"\n",
    "name = \"",
    "when = { ",
    "any = [",
    "not = {",
    " }",
    "]",
    "\"",
    "'''",
    "{{ sender.domain }}",
    "{% if ",
    "%}",
    "regex = \"",
    "(a+)+",
    "*",
    "\\",
];

#[test]
fn parse() {
    fuzz("parse", &["rules/samples"]);
}

#[test]
fn pipeline() {
    fuzz("pipeline", &["rules/samples"]);
}

#[test]
fn rules() {
    fuzz("rules", &["rules", "fuzz/rules", "tests/problems"]);
}

fn fuzz(name: &str, folders: &[&str]) {
    let (_, target) = *targets::TARGETS.iter().find(|(n, _)| *n == name).expect("a target of that name");
    if let Ok(path) = std::env::var("FUZZ_INPUT") {
        targets::reproduce(target, &path);
        return;
    }
    let number = |key| std::env::var(key).ok().map(|text: String| text.parse::<u64>().expect("a number"));
    let limit = number("FUZZ_SECONDS").map(Duration::from_secs);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let more = std::env::var("FUZZ_SEEDS").ok().filter(|_| name != "rules").unwrap_or_default();
    let folders = folders
        .iter()
        .map(|folder| root.join(folder))
        .chain(more.split(':').filter(|f| !f.is_empty()).map(PathBuf::from));
    let seeds = seeds(folders, if name == "rules" { "toml" } else { "eml" });
    assert!(!seeds.is_empty(), "there are no seeds");

    let started = Instant::now();
    let (mut random, mut executions, mut failures) = (Random(number("FUZZ_START").unwrap_or(0)), 0_u64, Vec::new());
    let mut bytes = 0;
    let mut seed = seeds.iter();
    loop {
        // Each seed as it is, then mutated ones.
        let input = seed.next().cloned().unwrap_or_else(|| random.mutated(&seeds));
        if limit.map_or(executions >= EXECUTIONS, |limit| started.elapsed() >= limit) || failures.len() >= 20 {
            break;
        }
        executions += 1;
        bytes += input.len();
        if catch_unwind(|| target(&input)).is_err() {
            let folder = root.join("target/fuzz");
            fs::create_dir_all(&folder).expect("a folder for what failed");
            let path = folder.join(format!("{name}-{}", failures.len()));
            fs::write(&path, input).expect("a file for what failed");
            failures.push(path);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "shown to people")]
    let rate = executions as f64 / seconds;
    println!("{name}: {} seeds, {executions} executions, {bytes} bytes, {rate:.0} per second", seeds.len());
    assert!(failures.is_empty(), "FUZZ_INPUT=file cargo test --test fuzz {name}, for each of {failures:#?}");
}

/// All files of these folders with this ending, in the order of their names.
fn seeds(folders: impl Iterator<Item = PathBuf>, ending: &str) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    let mut open: Vec<PathBuf> = folders.collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == ending)
                && path.metadata().is_ok_and(|m| m.len() <= MAX_SEED)
            {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a seed")).collect()
}

/// A linear congruential generator: the same sequence everywhere.
struct Random(u64);

impl Random {
    /// Less than `below`; 0 where that is 0.
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % below.max(1)
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.of(seeds).clone();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input, seeds);
        }
        input.truncate(MAX_INPUT);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        match self.below(9) {
            0 => {
                let end = (at + self.below(64)).min(input.len());
                input.drain(at..end);
            }
            1 => {
                let end = (at + self.below(200)).min(input.len());
                let copy = input[at..end].to_vec();
                input.splice(at..at, copy);
            }
            2 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            3 => input.truncate(at),
            4 => {
                // Lines of another seed.
                let other = self.of(seeds);
                let start = line_start(other, self.below(other.len() + 1));
                let end = line_start(other, (start + self.below(400)).min(other.len())).max(start);
                let at = line_start(input, at);
                input.splice(at..at, other[start..end].iter().copied());
            }
            5 => {
                // A line goes, or comes twice.
                let start = line_start(input, at);
                let end = input[start..].iter().position(|b| *b == b'\n').map_or(input.len(), |n| start + n + 1);
                let line: Vec<u8> = input.drain(start..end).collect();
                let to = line_start(input, self.below(input.len() + 1));
                for _ in 0..self.below(3) {
                    input.splice(to..to, line.iter().copied());
                }
            }
            6 => {
                // All lines end another way.
                let crlf = self.below(2) == 0;
                let mut out = Vec::with_capacity(input.len());
                for byte in input.iter().filter(|b| **b != b'\r') {
                    if crlf && *byte == b'\n' {
                        out.push(b'\r');
                    }
                    out.push(*byte);
                }
                *input = out;
            }
            _ => {
                let token = *self.of(TOKENS);
                let at = if self.below(2) == 0 { line_start(input, at) } else { at };
                input.splice(at..at, token.bytes());
            }
        }
    }
}

fn line_start(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1)
}
