//! What the lints take for sure, held against messages: conditions of the rule files and made-up ones, in each other, on
//! messages of the rules and of the golden cases.

mod made;
mod scenes;

use std::fs;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::formula::Node;
use super::proof::{Prover, Sign};
use crate::directory::{Need, Organization};
use crate::envelope::{Address, Domain, Envelope};
use crate::facts::Facts;
use crate::message::{Draft, Message, Rendered};
use crate::pipeline::{Pipeline, Verdict};
use crate::rule::entry::Entry;
use crate::rule::nesting;
use crate::rule::problem::Code;
use crate::rule::section::tests::read;
use crate::rule::truth::Truth;
use crate::rule::truths::{Truths, table_truths};
use crate::rule::{Disposition, Scene};
use made::{Dice, KEYS, entry, rule_set, table};
use scenes::{Known, book, files, scenes};

/// A value as it would be written.
fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(value) => value.to_string(),
        DeValue::Array(items) => {
            format!("[{}]", items.iter().map(|item| written(item.get_ref())).collect::<Vec<_>>().join(", "))
        }
        DeValue::Table(table) => format!("{{ {} }}", entries(table)),
    }
}

fn entries(table: &DeTable<'_>) -> String {
    table
        .iter()
        .map(|(key, value)| format!("{:?} = {}", key.get_ref(), written(value.get_ref())))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Every `when` and `unless` of the rule files.
fn of_files() -> Vec<String> {
    let mut paths = Vec::new();
    for folder in ["rules", "docs/cookbook", "tests/golden"] {
        files(folder, ".toml", &mut paths);
    }
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).unwrap();
        let Ok(document) = DeTable::parse(&text) else { continue };
        let Some(DeValue::Array(rules)) = document.get_ref().get("rule").map(Spanned::get_ref) else { continue };
        for rule in rules.iter().filter_map(|rule| rule.get_ref().as_table()) {
            for key in ["when", "unless"] {
                match rule.get(key).map(Spanned::get_ref) {
                    Some(DeValue::Table(table)) => found.push(entries(table)),
                    Some(DeValue::Array(list)) => {
                        found.extend(list.iter().filter_map(|item| item.get_ref().as_table()).map(entries));
                    }
                    _ => {}
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// What a table says in a scene.
fn truths(table: &[Entry], known: &Known, message: &Message<'_>) -> Truths {
    let mut draft = Draft::new(message);
    let organization =
        Organization { domains: vec![Domain::new("example.com").unwrap(), Domain::new("bücher.example").unwrap()] };
    let mut need = Need::default();
    for condition in table {
        need.add(condition.need());
    }
    let book = if known.dark { book().unavailable("dark") } else { book() };
    let facts = Facts { now: known.now, people: book.look_up(&need, &known.envelope), ..Facts::default() };
    let scene = Scene {
        late: crate::rule::Late::NEVER,
        draft: &mut draft,
        envelope: &known.envelope,
        facts: &facts,
        organization: &organization,
        rule: "test",
        rules: &[],
        key: None,
    };
    table_truths(table, &scene)
}

/// For each recipient, and at last for those who are not named, where there are such.
fn pointwise(truths: &Truths, envelope: &Envelope) -> Vec<Truth> {
    let others = usize::from(envelope.truncated || envelope.recipients.is_empty());
    match truths {
        Truths::ForAll(truth) => vec![*truth; envelope.recipients.len() + others],
        Truths::ForEach(each) => each.iter().copied().chain(vec![Truth::Fails; others]).collect(),
    }
}

fn is(sign: Sign, truth: Truth) -> bool {
    match sign {
        Sign::Holds => truth == Truth::Holds,
        Sign::NotHolds => truth != Truth::Holds,
        Sign::Fails => truth == Truth::Fails,
        Sign::NotFails => truth != Truth::Fails,
    }
}

#[test]
fn what_is_taken_for_sure_is_so_for_every_message() {
    let mut dice = Dice::new(7);
    let mut wanted = of_files();
    for key in KEYS {
        wanted.extend((0..12).map(|_| entry(key, &mut dice)));
    }
    wanted.extend((0..150).map(|_| table(&mut dice, 2)));
    let sound = |text: &String| {
        let (_, problems) = read(text, |mut section| section.section("when").map(|when| nesting::read(when, "when")));
        problems.is_empty()
    };
    let texts: Vec<String> = wanted.into_iter().map(|text| format!("when = {{ {text} }}")).filter(sound).collect();
    assert!(texts.len() > 300, "{}", texts.len());
    let scenes = scenes(120, &mut dice);
    let messages: Vec<Message<'_>> = scenes.iter().map(|known| Message::parse(&known.raw)).collect();
    let document = format!("[[c]]\n{}\n", texts.join("\n[[c]]\n"));
    let _ = read(&document, |mut section| {
        let tables: Vec<_> =
            section.sections("c").unwrap().into_iter().map(|mut c| c.section("when").unwrap()).collect();
        let nodes: Vec<Node<'_>> = tables.iter().map(|table| Node::read(table, 0)).collect();
        let truths: Vec<Vec<Vec<Truth>>> = tables
            .iter()
            .map(|table| {
                let compiled = nesting::read(table.clone(), "when");
                let of = |(known, message): (&Known, &Message<'_>)| {
                    pointwise(&truths(&compiled, known, message), &known.envelope)
                };
                scenes.iter().zip(&messages).map(of).collect()
            })
            .collect();
        let signs = [
            (Sign::Holds, Sign::NotHolds),
            (Sign::Holds, Sign::Holds),
            (Sign::NotFails, Sign::Fails),
            (Sign::Fails, Sign::NotHolds),
            (Sign::Holds, Sign::NotFails),
        ];
        let mut found = [0; 5];
        for _ in 0..25_000 {
            let (one, other) = (dice.below(nodes.len()), dice.below(nodes.len()));
            for (nth, (sign, other_sign)) in signs.into_iter().enumerate() {
                let parts = [(sign, &nodes[one]), (other_sign, &nodes[other])];
                if Prover::new().clashes(&parts, &|_, _| true).is_none() {
                    continue;
                }
                found[nth] += usize::from(one != other);
                for (scene, (of_one, of_other)) in truths[one].iter().zip(&truths[other]).enumerate() {
                    let both = of_one.iter().zip(of_other).any(|(one, other)| is(sign, *one) && is(other_sign, *other));
                    assert!(
                        !both,
                        "{sign:?} {}\n{other_sign:?} {}\nin scene {scene}: {:?}, {:?}, {:?} {of_one:?} {of_other:?}\n{}",
                        texts[one],
                        texts[other],
                        scenes[scene].envelope.direction,
                        scenes[scene].envelope.sender.as_ref().map(Address::as_str),
                        scenes[scene].envelope.recipients.iter().map(Address::as_str).collect::<Vec<_>>(),
                        String::from_utf8_lossy(&scenes[scene].raw)
                    );
                }
            }
        }
        // The test shows nothing where nothing is found.
        println!("{found:?} of {}", nodes.len());
        assert!(found[0] > 200 && found[1] > 500 && found[2] > 200, "{found:?}");
    });
}

#[test]
fn what_is_said_of_rules_is_so_for_every_message() {
    let mut dice = Dice::new(11);
    let scenes = scenes(60, &mut dice);
    let mut found = [0; 4];
    for _ in 0..1_500 {
        let text = rule_set(&mut dice);
        let organization = "domains = [\"example.com\", \"bücher.example\"]\n".to_owned();
        let files = vec![("rules.toml".to_owned(), text.clone()), ("organization.toml".to_owned(), organization)];
        let Ok(pipeline) = Pipeline::from_sources(files) else { continue };
        let said: Vec<&str> = pipeline
            .warnings()
            .iter()
            .filter(|problem| problem.code == Code::NeverActs)
            .map(|problem| problem.what.as_str())
            .collect();
        if said.is_empty() {
            continue;
        }
        let book = book();
        for known in &scenes {
            let message = Message::parse(&known.raw);
            let need = pipeline.need(known.envelope.direction);
            let book = if known.dark { book.clone().unavailable("dark") } else { book.clone() };
            let facts = Facts { now: known.now, people: book.look_up(need, &known.envelope), ..Facts::default() };
            let Ok(outcome) = pipeline.run(&message, &known.envelope, &facts, &|| false) else { continue };
            let out = outcome.rewritten.as_ref().map_or_else(|| known.raw.clone(), Rendered::to_vec);
            let out = String::from_utf8_lossy(&out);
            for what in &said {
                let of = |before: &str, after: &str| what.split_once(before)?.1.split_once(after).map(|(name, _)| name);
                let matched = |name: &str| {
                    let report = outcome.report.rules.iter().find(|report| report.name == name).unwrap();
                    matches!(report.verdict, Verdict::Matched | Verdict::Skipped(_))
                };
                let context = || {
                    format!("{what}\n{text}\n{}\n{:?}", String::from_utf8_lossy(&known.raw), known.envelope.direction)
                };
                if let Some(name) = of("the rule `", "` never acts") {
                    found[0] += 1;
                    assert!(!matched(name), "{}", context());
                } else if let Some((name, _)) = what.split_once("` never runs") {
                    found[1] += 1;
                    assert!(!matched(name.trim_start_matches('`')), "{}", context());
                } else if let Some(name) = of("nobody sees what `", "` does") {
                    found[2] += 1;
                    let gone = |answer: &Disposition| matches!(answer, Disposition::Drop | Disposition::Bounce(_));
                    let mut answers = outcome.answers.named().iter();
                    assert!(!matched(name) || answers.all(gone), "{}", context());
                } else if let Some(name) = of("every message that `", "` acts on") {
                    found[3] += 1;
                    let value = format!("v{}", name.trim_start_matches('r'));
                    assert!(!matched(name) || !out.contains(&format!("X-A: {value}")), "{}", context());
                }
            }
        }
    }
    assert!(found.iter().all(|found| *found > 100), "{found:?}");
}
