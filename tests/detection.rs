//! How much of what is made up here the detectors find, and how much else: recall and precision by detector.
//!
//! `cargo test --test detection -- --nocapture` prints the table; `BLESS=1 cargo test --test detection` writes it to
//! docs/detectors.md. Values are made with check digits computed here, not by the code under test. Each stands in text, in
//! HTML and in a subject, in several spellings; beside them stand values whose check digit is wrong, and numbers of no
//! such sort.

mod values;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mailwright::message::{Draft, Message};
use mailwright::rule::detect::{DetectorSet, catalog};
use values::{Chance, SORTS};

/// Values of each sort.
const EACH: usize = 100;
/// What recall and precision of each detector must not fall below.
const FLOOR: f64 = 0.97;

/// Text that holds nothing of the kind, and looks like it.
fn decoy(chance: &mut Chance) -> String {
    let n = chance.below(1_000_000_000);
    match chance.below(12) {
        0 => format!("order 701-{:07}-{:07} is on its way", n % 10_000_000, chance.below(10_000_000)),
        1 => format!("at 17{:011} the job began", n * 97 % 100_000_000_000),
        2 => format!("a score of 0.{}{}", chance.digits(8), chance.digits(8)),
        3 => format!("id {:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", n, n % 65_536, n % 4_096, n % 4_095, n * 511),
        4 => format!("version {}.{}.{}.{}", n % 20, n % 7, n % 900, n % 77),
        5 => format!("see https://example.com/t/{}{}?p={n}", chance.digits(16), n % 10),
        6 => format!("tracking 1Z999AA1{}", chance.digits(10)),
        7 => format!("ISBN 978-3-16-{:06}-{}", n % 1_000_000, n % 10),
        8 => format!("commit {}", chance.text("0123456789abcdef", 40)),
        9 => format!("{} EUR on {:02}.{:02}.2026", n, 1 + n % 28, 1 + n % 12),
        10 => format!("margin: {}px {}px; color: #{:06x}", n % 4_000, n % 3_000, n % 16_777_216),
        _ => format!("room {}, page {}, line {}", n % 400, n % 900, n % 80),
    }
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    Text,
    Html,
    Subject,
}

/// The text that detectors see of a message that holds `text` there.
fn seen(place: Place, text: &str) -> String {
    let raw = match place {
        Place::Text => format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n", text.replace('\n', "\r\n")),
        Place::Html => {
            let text =
                text.replace('&', "&amp;").replace('<', "&lt;").replace('\u{a0}', "&nbsp;").replace('\n', "<br>");
            format!(
                "Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>Hello</p><p>{text}</p></body></html>\r\n"
            )
        }
        Place::Subject => format!("Subject: {text}\r\n\r\nx\r\n"),
    };
    let message = Message::parse(raw.as_bytes());
    let draft = Draft::new(&message);
    match place {
        Place::Subject => draft.subject().unwrap_or_default(),
        _ => draft
            .readable()
            .into_iter()
            .find_map(|body| draft.visible(body).ok())
            .map(|text| text.to_string())
            .unwrap_or_default(),
    }
}

#[derive(Default)]
struct Score {
    values: usize,
    found: usize,
    decoys: usize,
    wrong: usize,
}

impl Score {
    fn recall(&self) -> f64 {
        ratio(self.found, self.values)
    }
    fn precision(&self) -> f64 {
        ratio(self.found, self.found + self.wrong)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap()) }
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn recall_and_precision() {
    let set = DetectorSet::built_in(&["all"]).unwrap();
    let mut chance = Chance(7);
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut misses = Vec::new();
    let mut masked_again = 0;
    for sort in SORTS {
        for _ in 0..EACH {
            let value = (sort.make)(&mut chance);
            let before = chance.of(sort.before);
            let after = if sort.detector == "connection-string" {
                "@db.example.com/x"
            } else {
                chance.of(&[", thanks", ".", "", " and so on"])
            };
            let place = if value.contains('\n') {
                Place::Text
            } else {
                [Place::Text, Place::Html, Place::Subject][usize::try_from(chance.below(3)).unwrap()]
            };
            let lead = decoy(&mut chance);
            let text = seen(
                place,
                &format!("{lead}\n{before}{value}{after}")
                    .replace('\n', if matches!(place, Place::Subject) { " - " } else { "\n" }),
            );
            let finds = set.find(&text);
            let is_value = |found: &&mailwright::rule::detect::Found| letters(&text[found.range()]) == letters(&value);
            let hit = finds.iter().find(is_value).is_some_and(|found| set.name(found.detector) == sort.detector);
            let score = scores.entry(sort.detector.to_owned()).or_default();
            score.values += 1;
            score.found += usize::from(hit);
            if !hit {
                misses.push(format!("{}: {before:?} {value:?} in {place:?}", sort.detector));
            }
            for found in finds.iter().filter(|found| !is_value(found)) {
                scores.entry(set.name(found.detector).to_owned()).or_default().wrong += 1;
                misses.push(format!("{} found in {text:?}: {:?}", set.name(found.detector), &text[found.range()]));
            }
            // With labels in their places, nothing is left to find.
            let mut masked = text.clone();
            for found in finds.iter().rev() {
                masked.replace_range(found.range(), &format!("[{}]", set.label(found.detector)));
            }
            masked_again += set.find(&masked).len();
            let broken = (sort.broken)(&value);
            if !broken.is_empty() {
                let text = seen(Place::Text, &format!("{before}{broken}{after}\n"));
                let found = set.find(&text).iter().any(|found| set.name(found.detector) == sort.detector);
                let score = scores.entry(sort.detector.to_owned()).or_default();
                score.decoys += 1;
                score.wrong += usize::from(found);
                if found {
                    misses.push(format!("{} found though broken: {broken:?}", sort.detector));
                }
            }
        }
    }
    let mut decoys = 0;
    for _ in 0..1_000 {
        let text = seen(Place::Text, &decoy(&mut chance));
        decoys += 1;
        for found in set.find(&text) {
            scores.entry(set.name(found.detector).to_owned()).or_default().wrong += 1;
            misses.push(format!("{} in {text:?}", set.name(found.detector)));
        }
    }
    let table = table(&scores, decoys);
    println!("{table}");
    for miss in misses.iter().take(60) {
        println!("{miss}");
    }
    assert_eq!(masked_again, 0, "finds in what was masked");
    let values: usize = scores.values().map(|score| score.values).sum();
    assert!(values >= 2_000 && SORTS.len() >= 15, "{values} values of {} sorts", SORTS.len());
    for (detector, score) in &scores {
        assert!(score.recall() >= FLOOR, "{detector}: recall {:.3}", score.recall());
        assert!(
            score.precision() >= FLOOR || score.values == 0 && score.wrong < 5,
            "{detector}: precision {:.3}",
            score.precision()
        );
    }
    publish("measured", &table);
}

fn table(scores: &BTreeMap<String, Score>, decoys: usize) -> String {
    let mut table = String::from(
        "| detector | values | found | recall | broken values | wrong finds | precision |\n|---|---|---|---|---|---|---|\n",
    );
    let mut sum = Score::default();
    for (detector, score) in scores {
        row(&mut table, &format!("`{detector}`"), score);
        sum.values += score.values;
        sum.found += score.found;
        sum.decoys += score.decoys;
        sum.wrong += score.wrong;
    }
    row(&mut table, "all", &sum);
    let _ = writeln!(table, "\nAmong them stood {} texts that hold nothing to find.", decoys + sum.values);
    table
}

fn row(table: &mut String, name: &str, score: &Score) {
    let Score { values, found, decoys, wrong } = score;
    let _ = writeln!(
        table,
        "| {name} | {values} | {found} | {:.1} % | {decoys} | {wrong} | {:.1} % |",
        100.0 * score.recall(),
        100.0 * score.precision()
    );
}

#[test]
fn the_reference_names_every_detector() {
    let mut table = String::from("| detector | finds | label | groups |\n|---|---|---|---|\n");
    for spec in catalog::all() {
        let _ = writeln!(table, "| `{}` | {} | `[{}]` | {} |", spec.name, spec.doc, spec.label, spec.groups.join(", "));
    }
    publish("detectors", &table);
}

/// What stands between the marks of docs/detectors.md must be `text`; with `BLESS=1` it is written.
fn publish(mark: &str, text: &str) {
    const PATH: &str = "docs/detectors.md";
    static LOCK: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _lock = LOCK.lock().unwrap();
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let page = std::fs::read_to_string(PATH).unwrap().replace("\r\n", "\n");
    let start = page.find(&open).map(|at| at + open.len()).unwrap();
    let end = page.find(&close).unwrap();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(PATH, format!("{}{text}{}", &page[..start], &page[end..])).unwrap();
        return;
    }
    assert_eq!(&page[start..end], text, "BLESS=1 cargo test --test detection writes {PATH}");
}
