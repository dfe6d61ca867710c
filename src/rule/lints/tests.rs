//! What the lints take for sure, held against messages: conditions of the rule files and made-up ones, in each other, on
//! messages of the rules and of the golden cases.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::formula::Node;
use super::proof::{Prover, Sign};
use crate::directory::{Attribute, Book, Group, Need, Organization, Person};
use crate::envelope::{Address, Direction, Domain, Envelope};
use crate::facts::{Facts, Timestamp};
use crate::message::{Draft, Message};
use crate::pipeline::{Pipeline, Verdict};
use crate::rule::entry::Entry;
use crate::rule::nesting;
use crate::rule::problem::Code;
use crate::rule::section::tests::read;
use crate::rule::truth::Truth;
use crate::rule::truths::{Truths, table_truths};
use crate::rule::{Disposition, Scene};

/// Numbers that are the same each time (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
    /// `["a", "b"]`, with one to three of them.
    fn some(&mut self, of: &[&str]) -> String {
        let picked: Vec<String> = (0..=self.below(3)).map(|_| format!("{:?}", self.one(of))).collect();
        format!("[{}]", picked.join(", "))
    }
    fn flip(&mut self) -> bool {
        self.below(2) == 0
    }
}

const PATTERNS: &[&str] = &[
    "internal",
    "external",
    "example.com",
    "news.example.com",
    "example.net",
    "*.example.com",
    "*",
    "*@*",
    "*@example.net",
    "*@*.example.com",
    "ann@example.com",
    "Bob@example.com",
    "ann*@example.com",
    "kim@example.net",
    "/^ann@/",
    "/example/",
    "x@bücher.example",
    "xn--bcher-kva.example",
];
const TEXTS: &[&str] =
    &["invoice", "voice", "trade secret", "secret", "Trade  Secret", "re", "[ext]", "ext", "geheim", "köln", "n"];
const SORTS: &[&str] = &[
    "new",
    "reply",
    "forward",
    "auto-reply",
    "automatic",
    "calendar",
    "signed",
    "encrypted",
    "report",
    "list",
    "tnef",
    "voice-mail",
    "recall",
    "malformed",
];
const KEYS: &[&str] = &[
    "direction",
    "sender",
    "recipients",
    "address",
    "subject",
    "header",
    "body",
    "kind",
    "size",
    "date",
    "schedule",
    "attachment",
    "uninspectable",
    "authentication",
    "verdict",
];

fn range(dice: &mut Dice, least: &str, most: &str, of: &[u64]) -> String {
    let (mut one, mut two) = (of[dice.below(of.len())], of[dice.below(of.len())]);
    if one > two {
        (one, two) = (two, one);
    }
    match dice.below(3) {
        0 => format!("{{ {least} = {one} }}"),
        1 => format!("{{ {most} = {} }}", two + 1),
        _ => format!("{{ {least} = {one}, {most} = {} }}", two + 2),
    }
}

fn text(dice: &mut Dice) -> String {
    let mut parts = Vec::new();
    for key in ["contains", "words"] {
        if dice.below(3) > 0 {
            parts.push(format!("{key} = {}", dice.some(TEXTS)));
        }
    }
    if parts.is_empty() || dice.below(4) == 0 {
        parts.push(format!("matches = {}", dice.some(&["secret", "(?i)invoice", "^re"])));
    }
    parts.join(", ")
}

fn person(dice: &mut Dice, recipient: bool) -> String {
    if dice.flip() {
        return dice.some(PATTERNS);
    }
    let mut parts = Vec::new();
    if dice.flip() {
        parts.push(format!("is = {}", dice.some(PATTERNS)));
        if !recipient && dice.below(3) == 0 {
            return format!("{{ {}, by = {} }}", parts[0], dice.some(&["flow", "From", "Sender", "Return-Path"]));
        }
    }
    if dice.flip() {
        parts.push(format!("group = {}", dice.some(&["sales", "all@example.com", "Sales"])));
    }
    if dice.flip() {
        let value = match dice.below(4) {
            0 => "{ exists = false }".to_owned(),
            1 => "{ exists = true }".to_owned(),
            2 => dice.some(&["Sales", "Finance", "Field Sales"]),
            _ => format!("{{ contains = {} }}", dice.some(&["sales", "field", "finance"])),
        };
        parts.push(format!("attribute = {{ department = {value} }}"));
    }
    if recipient && dice.below(3) == 0 {
        parts.push(format!("{} = {}", dice.one(&["same", "differs"]), dice.some(&["domain", "department"])));
    }
    if parts.is_empty() {
        parts.push("group = \"sales\"".to_owned());
    }
    format!("{{ {} }}", parts.join(", "))
}

/// One entry of a table of conditions.
fn entry(key: &str, dice: &mut Dice) -> String {
    let value = match key {
        "direction" => format!("{:?}", dice.one(&["inbound", "outbound"])),
        "sender" if dice.below(6) == 0 => "\"\"".to_owned(),
        "sender" => person(dice, false),
        "recipients" => {
            let mut parts = Vec::new();
            for key in ["any", "all", "each"] {
                if dice.below(3) == 0 {
                    parts.push(format!("{key} = {}", person(dice, true)));
                }
            }
            if parts.is_empty() || dice.below(4) == 0 {
                parts.push(format!("count = {}", range(dice, "at_least", "at_most", &[0, 1, 2, 3])));
            }
            format!("{{ {} }}", parts.join(", "))
        }
        "address" => {
            let fields = dice.some(&["From", "Reply-To", "To"]);
            let name = if dice.flip() { format!(", name = {{ {} }}", text(dice)) } else { String::new() };
            format!("{{ field = {fields}, is = {}{name} }}", dice.some(PATTERNS))
        }
        "subject" | "body" if dice.flip() => format!("{:?}", dice.one(TEXTS)),
        "subject" | "body" => format!("{{ {} }}", text(dice)),
        "header" => {
            let name = dice.one(&["Subject", "X-A", "x-a", "X-*", "Received"]);
            let rest = match dice.below(6) {
                0 => "exists = false".to_owned(),
                1 => "exists = true".to_owned(),
                2 => format!("count = {}", range(dice, "at_least", "at_most", &[0, 1, 2])),
                3 => format!("is = {}", dice.some(&["yes", "no", "trade secret", "Your invoice"])),
                4 => format!(
                    "is = {}, which = {:?}",
                    dice.some(&["yes", "no"]),
                    dice.one(&["any", "all", "first", "last"])
                ),
                _ => format!("{}, form = {:?}", text(dice), dice.one(&["raw", "decoded"])),
            };
            format!("{{ name = {name:?}, {rest} }}")
        }
        "kind" => dice.some(SORTS),
        "size" => range(dice, "over", "under", &[100, 300, 301, 1_000, 5_000]),
        "date" => {
            let stretches = [
                "from = 2026-01-01, until = 2026-03-31",
                "from = 2026-02-01",
                "until = 2026-01-31",
                "from = 2026-06-01, until = 2026-06-30",
            ];
            let one = |dice: &mut Dice| format!("{{ {}, zone = \"UTC\" }}", dice.one(&stretches));
            if dice.flip() { one(dice) } else { format!("[{}, {}]", one(dice), one(dice)) }
        }
        "schedule" => {
            let days = dice.some(&["mon", "fri", "weekday", "weekend", "sun"]);
            let hours =
                dice.one(&["", ", from = \"08:00\"", ", until = \"18:00\"", ", from = \"22:00\", until = \"06:00\""]);
            format!("{{ days = {days}{hours}, zone = {:?} }}", dice.one(&["UTC", "UTC", "Europe/Berlin"]))
        }
        "attachment" => {
            let mut parts = Vec::new();
            if dice.flip() {
                parts.push(format!("extension = {}", dice.some(&["exe", ".EXE", "txt", "zip"])));
            }
            if dice.below(3) == 0 {
                parts.push(format!("name = {}", dice.some(&["*.txt", "a*"])));
            }
            if dice.below(3) == 0 {
                parts.push(format!("content = {}", dice.some(&["archive", "application/zip", "office"])));
            }
            if dice.below(3) == 0 {
                parts.push(format!("size = {}", range(dice, "over", "under", &[0, 10, 100])));
            }
            if dice.below(3) == 0 {
                parts.push(format!("total = {}", range(dice, "over", "under", &[0, 10, 100])));
            }
            if dice.flip() {
                parts.push(format!("count = {}", range(dice, "at_least", "at_most", &[0, 1, 2])));
            }
            format!("{{ {} }}", parts.join(", "))
        }
        "uninspectable" if dice.below(4) == 0 => "true".to_owned(),
        "uninspectable" => dice.some(&["encrypted", "archive", "pdf", "structure", "charset", "other", "image"]),
        "authentication" => format!(
            "{{ spf = {}, dmarc = {} }}",
            dice.some(&["pass", "fail", "missing"]),
            dice.some(&["pass", "none", "missing"])
        ),
        _ => format!("{{ spam = {} }}", dice.some(&["pass", "gray", "fail", "missing"])),
    };
    format!("{key} = {value}")
}

/// A table of conditions, in other tables.
fn table(dice: &mut Dice, depth: usize) -> String {
    let mut keys: Vec<&str> = (0..1 + dice.below(2)).map(|_| dice.one(KEYS)).collect();
    keys.sort_unstable();
    keys.dedup();
    if depth > 0 && dice.below(3) == 0 {
        keys.clear();
    }
    let mut entries: Vec<String> = keys.into_iter().map(|key| entry(key, dice)).collect();
    for key in ["any", "all", "not"] {
        if depth == 0 || !(entries.is_empty() || dice.below(4) == 0) {
            continue;
        }
        let below = |dice: &mut Dice| format!("{{ {} }}", table(dice, depth - 1));
        entries.push(match key {
            "not" => format!("not = {}", below(dice)),
            _ => format!("{key} = [{}, {}]", below(dice), below(dice)),
        });
    }
    if entries.is_empty() { entry(dice.one(KEYS), dice) } else { entries.join(", ") }
}

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

fn files(folder: &str, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(path.to_str().unwrap(), ending, found);
        } else if path.to_str().is_some_and(|name| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
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

/// A message, and all that is known of it.
struct Known {
    raw: Vec<u8>,
    envelope: Envelope,
    now: Option<Timestamp>,
    dark: bool,
}

fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

fn message(dice: &mut Dice) -> Vec<u8> {
    let mut raw = String::from("Received: from a by inbound-smtp.eu-west-1.amazonaws.com with SMTP id x; y\n");
    let verdict = dice.one(&["PASS", "GRAY", "FAIL"]);
    let _ = writeln!(
        raw,
        "X-SES-Spam-Verdict: {verdict}\nAuthentication-Results: amazonses.com; spf={}; dmarc={}",
        dice.one(&["pass", "fail"]),
        dice.one(&["pass", "none"])
    );
    for _ in 0..dice.below(3) {
        let _ = writeln!(raw, "X-A: {}", dice.one(&["yes", "no", "trade secret", "Invoice"]));
    }
    let person = |dice: &mut Dice| {
        dice.one(&["ann@example.com", "\"Trade Secret\" <kim@example.net>", "x@news.example.com"]).to_owned()
    };
    let _ = writeln!(raw, "From: {}\nTo: {}", person(dice), person(dice));
    if dice.below(4) > 0 {
        let prefix = dice.one(&["", "", "Re: ", "Fwd: ", "[ext] "]);
        let _ = writeln!(
            raw,
            "Subject: {prefix}{}",
            dice.one(&["Your invoice", "trade secret", "Voice", "geheim in Köln", "yes"])
        );
    }
    raw.push_str(dice.one(&[
        "",
        "",
        "In-Reply-To: <1@x.example>\n",
        "Auto-Submitted: auto-replied\n",
        "List-Id: <a.example>\n",
        "Return-Path: <>\n",
    ]));
    let body = format!("{} {}\n", dice.one(TEXTS), dice.one(TEXTS));
    if dice.flip() {
        let _ = write!(raw, "\n{body}");
    } else {
        raw.push_str("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\n");
        raw.push_str(&body);
        for _ in 0..=dice.below(2) {
            let name = dice.one(&["a.txt", "b.exe", "c.zip"]);
            let _ = write!(
                raw,
                "--m\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename={name}\n\n{}\n",
                dice.one(&["PK\u{3}\u{4}", "x", "0123456789abcdef"]).repeat(1 + dice.below(20))
            );
        }
        raw.push_str("--m--\n");
    }
    raw.replace('\n', "\r\n").into_bytes()
}

fn scenes(count: usize, dice: &mut Dice) -> Vec<Known> {
    let mut paths = Vec::new();
    files("tests/golden", "message.eml", &mut paths);
    files("rules", ".eml", &mut paths);
    let people = [
        "ann@example.com",
        "bob@example.com",
        "kim@example.net",
        "x@news.example.com",
        "all@example.com",
        "x@bücher.example",
        "\"a@example.net\"@example.com",
    ];
    let times =
        ["2026-01-02T07:00Z", "2026-02-15T12:00Z", "2026-03-31T23:59Z", "2026-06-05T22:30Z", "2026-06-07T05:00Z"];
    (0..count)
        .map(|_| {
            let raw = if dice.flip() { fs::read(&paths[dice.below(paths.len())]).unwrap() } else { message(dice) };
            let recipients = (0..dice.below(4)).map(|_| address(dice.one(&people))).collect();
            let sender = (dice.below(6) > 0).then(|| address(dice.one(&people)));
            let direction = if dice.flip() { Direction::Inbound } else { Direction::Outbound };
            let envelope =
                Envelope { direction, sender, recipients, message_id: "m-1".into(), truncated: dice.below(5) == 0 };
            let now = (dice.below(5) > 0).then(|| dice.one(&times).parse().unwrap());
            Known { raw, envelope, now, dark: dice.below(5) == 0 }
        })
        .collect()
}

fn book() -> Book {
    let mut book = Book::default();
    for (of, department) in
        [("ann@example.com", "Field Sales"), ("bob@example.com", "Finance"), ("x@news.example.com", "")]
    {
        let mut person = Person::default();
        if !department.is_empty() {
            person.set(Attribute::named("department").unwrap(), department);
        }
        book.insert(&address(of), person);
    }
    for (of, name, members) in [
        ("sales@example.com", "Sales", "ann@example.com"),
        ("all@example.com", "All", "ann@example.com bob@example.com"),
    ] {
        let members = members.split_whitespace().map(address).collect();
        book.insert_group(Group { address: Some(address(of)), name: Some(name.to_owned()), members });
    }
    book
}

/// What a table says in a scene.
fn truths(table: &[Entry], known: &Known, message: &Message<'_>) -> Truths {
    let mut draft = Draft::new(message);
    let organization =
        Organization { domains: vec![Domain::new("example.com").unwrap(), Domain::new("bücher.example").unwrap()] };
    let mut need = Need::default();
    table.iter().for_each(|condition| need.add(condition.need()));
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

/// For each recipient, and at last for those who are not named.
fn pointwise(truths: &Truths, recipients: usize) -> Vec<Truth> {
    match truths {
        Truths::ForAll(truth) => vec![*truth; recipients + 1],
        Truths::ForEach(each) => each.iter().copied().chain([Truth::Fails]).collect(),
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
    let mut dice = Dice(7);
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
    let document: String = texts.iter().map(|text| format!("[[c]]\n{text}\n")).collect();
    let _ = read(&document, |mut section| {
        let tables: Vec<_> =
            section.sections("c").unwrap().into_iter().map(|mut c| c.section("when").unwrap()).collect();
        let nodes: Vec<Node<'_>> = tables.iter().map(|table| Node::read(table, 0)).collect();
        let truths: Vec<Vec<Vec<Truth>>> = tables
            .iter()
            .map(|table| {
                let compiled = nesting::read(table.clone(), "when");
                let of = |(known, message): (&Known, &Message<'_>)| {
                    pointwise(&truths(&compiled, known, message), known.envelope.recipients.len())
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
        for _ in 0..40_000 {
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

/// A rule set, with a field of its own for each rule that writes one.
fn rule_set(dice: &mut Dice) -> String {
    const WAYS: &[&str] = &["direction = \"inbound\", ", "direction = \"outbound\", ", ""];
    let mut text = String::new();
    for rule in 0..4 {
        let way = dice.one(WAYS);
        let keys = ["sender", "size", "subject", "header", "kind", "recipients", "schedule"];
        let any = || "date = { from = 2000-01-01, zone = \"UTC\" }".to_owned();
        let condition = if dice.below(4) == 0 { any() } else { entry(dice.one(&keys), dice) };
        let _ = write!(text, "[[rule]]\nname = \"r{rule}\"\nwhen = {{ {way}{condition} }}\n");
        if dice.below(3) == 0 {
            let _ = writeln!(text, "unless = {{ {} }}", table(dice, 1));
        }
        let action = match dice.below(6) {
            0 => "{ kind = \"stop\" }".to_owned(),
            1 => "{ kind = \"drop\" }".to_owned(),
            2 => "{ kind = \"bounce\", message = \"no\" }".to_owned(),
            3 => "{ kind = \"tag_subject\", tag = \"[ext]\" }".to_owned(),
            4 => format!("{{ kind = \"remove_header\", name = {:?} }}", dice.one(&["X-A", "X-*"])),
            _ => format!(
                "{{ kind = {:?}, name = \"X-A\", value = \"v{rule}\" }}",
                dice.one(&["set_header", "add_header"])
            ),
        };
        let _ = writeln!(text, "action = {action}\n");
    }
    text
}

#[test]
fn what_is_said_of_rules_is_so_for_every_message() {
    let mut dice = Dice(11);
    let scenes = scenes(60, &mut dice);
    let mut found = [0; 4];
    for _ in 0..2_500 {
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
            let facts = Facts { now: known.now, people: book.look_up(&need, &known.envelope), ..Facts::default() };
            let Ok(outcome) = pipeline.run(&message, &known.envelope, &facts, &|| false) else { continue };
            let out = outcome.rewritten.as_ref().map_or_else(|| known.raw.clone(), |rewritten| rewritten.to_vec());
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
