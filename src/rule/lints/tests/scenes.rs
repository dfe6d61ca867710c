//! Messages of the rules and of the golden cases, and made-up ones, and what is known of them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::made::{Dice, TEXTS};
use crate::directory::{Attribute, Book, Group, Person};
use crate::envelope::{Address, Direction, Envelope};
use crate::facts::Timestamp;

pub(super) fn files(folder: &str, ending: &str, found: &mut Vec<PathBuf>) {
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

/// A message, and all that is known of it.
pub(super) struct Known {
    pub(super) raw: Vec<u8>,
    pub(super) envelope: Envelope,
    pub(super) now: Option<Timestamp>,
    pub(super) dark: bool,
}

pub(super) fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

pub(super) fn message(dice: &mut Dice) -> Vec<u8> {
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

pub(super) fn scenes(count: usize, dice: &mut Dice) -> Vec<Known> {
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

pub(super) fn book() -> Book {
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
