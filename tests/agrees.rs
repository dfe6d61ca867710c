//! An independent parser agrees: Python's `email` reads the messages of `tests/golden/` before and after, and finds the
//! same tree of parts, the same header fields and the same texts, the edited ones but for the blocks. What it reads
//! otherwise stands in `tests/agrees/differs.tsv`, each with its reason.

use std::collections::BTreeSet;
use std::process::Command;

/// The reader needs `tomllib`, which came with Python 3.11.
const NEEDED: &str = "import sys; sys.exit(sys.version_info < (3, 11))";

#[test]
fn python_reads_the_golden_messages_as_we_do() {
    let has_python = Command::new("python3").args(["-c", NEEDED]).status().is_ok_and(|status| status.success());
    if !has_python {
        println!("left out: there is no python3 of 3.11 or newer here, whose email package is what is asked");
        return;
    }
    let run = Command::new("python3").args(["tests/agrees/compare.py", "tests/golden"]).output().expect("python3 runs");
    let found = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{found}{}", String::from_utf8_lossy(&run.stderr));
    let read = found.lines().last().and_then(|line| line.strip_suffix(" messages read")?.parse::<usize>().ok());
    assert!(read.is_some_and(|count| count > 100), "it came to its end and found the messages: {read:?}");

    let list = include_str!("agrees/differs.tsv").lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let known: BTreeSet<(&str, &str)> = list
        .map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            [folder, what, why] if !why.trim().is_empty() => (folder, what),
            _ => panic!("differs.tsv: three columns, parted by tabs, and a reason in the last: {line}"),
        })
        .collect();
    let lines: Vec<(&str, &str, &str)> = found
        .lines()
        .filter_map(|line| {
            let mut columns = line.splitn(3, '\t');
            Some((columns.next()?, columns.next()?, columns.next()?))
        })
        .collect();
    let new: Vec<_> = lines.iter().filter(|(folder, what, _)| !known.contains(&(folder, what))).collect();
    assert!(new.is_empty(), "Python reads these otherwise: {new:#?}");
    let differs: BTreeSet<(&str, &str)> = lines.iter().map(|(folder, what, _)| (*folder, *what)).collect();
    let agreed: Vec<_> = known.difference(&differs).collect();
    assert!(agreed.is_empty(), "Python agrees on these by now: {agreed:?}");
}
