//! What an auditor would ask of `redact`: wherever a value stands, and however it is spelled, it is gone afterwards and the
//! text around is as it was; and it is told nowhere.

mod log;
mod values;

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use mail_parser::{MessageParser, MimeHeaders};
use mailwright::directory::Organization;
use mailwright::envelope::{Address, Direction, Envelope};
use mailwright::facts::Facts;
use mailwright::flow::handler::{Settings, handle};
use mailwright::flow::key::{Bucket, KeyPrefix, MessageId};
use mailwright::flow::mark::StampKey;
use mailwright::flow::memory::Memory;
use mailwright::message::Message;
use mailwright::pipeline::Pipeline;
use mailwright::rule::detect::DetectorSet;
use mailwright::rule::value_key::ValueKey;
use proptest::prelude::*;
use proptest::sample::select;
use values::{Chance, SORTS};

const EVERYWHERE: &str = "[[rule]]\nname = \"cards\"\n[[rule.action]]\nkind = \"redact\"\ndetect = \"card\"\n\
                          where = [\"subject\", \"body\", \"file-names\", \"attachments\", \"attached-messages\"]\n";

fn envelope() -> Envelope {
    Envelope {
        direction: Direction::Outbound,
        sender: Address::new("ann@example.com").ok(),
        recipients: vec![Address::new("kim@example.net").unwrap()],
        message_id: "m-1".into(),
        truncated: false,
    }
}

fn pipeline(rules: &str) -> Pipeline {
    let pipeline = Pipeline::from_sources(vec![("rules.toml".into(), rules.into())]).unwrap_or_else(|p| panic!("{p}"));
    pipeline.with_organization(Organization::default())
}

/// The message after the rules; as it came where nothing changed.
fn redacted(pipeline: &Pipeline, raw: &[u8]) -> Vec<u8> {
    let message = Message::parse(raw);
    let outcome = pipeline.run(&message, &envelope(), &Facts::default(), &|| false).expect("the rule does not fail");
    outcome.rewritten.map_or_else(|| raw.to_vec(), |rewritten| rewritten.to_vec())
}

// -- values in random places --

/// A card number that passes Luhn, its digits alone.
fn card() -> impl Strategy<Value = String> {
    proptest::collection::vec(0_u8..10, 14).prop_map(|digits| {
        let mut number = String::from("4");
        number.extend(digits.iter().map(|digit| char::from(b'0' + digit)));
        let sum: u32 =
            number.bytes().rev().enumerate().map(|(place, digit)| luhn(u32::from(digit - b'0'), place)).sum();
        let _ = write!(number, "{}", (10 - sum % 10) % 10);
        number
    })
}

/// What a digit counts, from the one beside the check digit on.
fn luhn(digit: u32, place: usize) -> u32 {
    match (place % 2, digit * 2) {
        (0, double) if double > 9 => double - 9,
        (0, double) => double,
        _ => digit,
    }
}

/// The number in four groups.
fn spelled(card: &str, separator: &str) -> String {
    [&card[..4], &card[4..8], &card[8..12], &card[12..]].join(separator)
}

fn separator() -> impl Strategy<Value = &'static str> {
    select(&["", " ", "-", ".", "\u{a0}", "\u{2009}", "\u{2013}", "\u{200b}"][..])
}

fn quoted_printable(text: &str) -> String {
    // Soft breaks wherever they fall.
    let mut out = String::new();
    for (n, byte) in text.bytes().enumerate() {
        match byte {
            b'\r' => out.push('\r'),
            b'\n' => out.push('\n'),
            b' '..=b'~' if byte != b'=' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "={byte:02X}");
            }
        }
        if n % 23 == 22 && byte != b'\r' && byte != b'\n' {
            out.push_str("=\r\n");
        }
    }
    out
}

fn base64(text: &str) -> String {
    let encoded = encodify::base64::MIME.encode(text.as_bytes());
    encoded.trim_end().to_owned()
}

fn encoded(text: &str, encoding: &str) -> String {
    let body = match encoding {
        "base64" => base64(text),
        "quoted-printable" => quoted_printable(text),
        _ => text.to_owned(),
    };
    format!("Content-Transfer-Encoding: {encoding}\r\n\r\n{body}")
}

fn words(text: &str, way: usize) -> String {
    let q = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("={byte:02X}") };
    let word = |text: &str| {
        if way == 0 {
            format!("=?utf-8?B?{}?=", encodify::base64::STANDARD.encode(text.as_bytes()))
        } else {
            format!("=?utf-8?Q?{}?=", text.bytes().map(q).collect::<String>())
        }
    };
    // Cut in the middle: the number may run on over two words.
    let middle = text.floor_char_boundary(text.len() / 2);
    format!("{}\r\n {}", word(&text[..middle]), word(&text[middle..]))
}

#[derive(Debug, Clone)]
struct Planted {
    cards: Vec<String>,
    subject: String,
    plain: String,
    html: String,
    name: String,
    file: String,
    encodings: [&'static str; 3],
    way: usize,
    attached: bool,
}

fn planted() -> impl Strategy<Value = Planted> {
    let text = select(&["Grüße, ", "order 12, ", "Zürich: ", "a ", "(", "card no. "][..]);
    let encodings = || select(&["base64", "quoted-printable"][..]);
    let html = select(&["", "<b>", "<!-- x -->", "<wbr>", "&shy;", "</span><span class=a>"][..]);
    let cards = proptest::collection::vec((card(), separator(), text, html), 5);
    (cards, [encodings(), encodings(), encodings()], 0_usize..3, any::<bool>()).prop_map(
        |(cards, encodings, way, attached)| {
            let at = |n: usize| {
                let (card, separator, before, _) = &cards[n];
                (*before, spelled(card, separator))
            };
            let line = |n: usize| format!("{}{} end", at(n).0, at(n).1);
            let (card, separator, _, markup) = &cards[2];
            let half = format!("{}{separator}{markup}{separator}{}", &card[..8], &card[8..]);
            let plain_name: String = line(3).chars().filter(char::is_ascii).collect();
            Planted {
                subject: line(0),
                plain: format!("Hello,\r\n{}\r\nbye\r\n", line(1)),
                html: format!("<p title=\"{card}\">before {half} after</p>\r\n"),
                name: if plain_name.contains(&cards[3].0) { plain_name } else { cards[3].0.clone() },
                file: format!("name,card\r\nKim,{}\r\n", at(4).1),
                cards: cards.iter().map(|(card, ..)| card.clone()).collect(),
                encodings,
                way,
                attached,
            }
        },
    )
}

impl Planted {
    fn raw(&self) -> Vec<u8> {
        let subject = if self.way == 2 && self.subject.is_ascii() {
            self.subject.clone()
        } else {
            words(&self.subject, self.way)
        };
        let [plain, html, file] = self.encodings;
        let name = match self.way {
            0 => format!("filename=\"{}.csv\"", self.name),
            1 => format!(
                "filename*=utf-8''{}.csv",
                self.name.replace(' ', "%20").replace(',', "%2C").replace('(', "%28").replace(':', "%3A")
            ),
            _ => format!("filename*0=\"{}\";\r\n filename*1=\"{}.csv\"", &self.name[..6], &self.name[6..]),
        };
        let inner = format!(
            "From: ann@example.com\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; \
             boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; \
             charset=utf-8\r\n{}\r\n--a\r\nContent-Type: text/html; charset=utf-8\r\n{}\r\n--a--\r\n--m\r\nContent-Type: \
             text/csv\r\nContent-Disposition: attachment; {name}\r\n{}\r\n--m--\r\n",
            encoded(&self.plain, plain),
            encoded(&self.html, html),
            encoded(&self.file, file)
        );
        if !self.attached {
            return inner.into_bytes();
        }
        format!(
            "From: ann@example.com\r\nSubject: Fwd\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; \
             boundary=o\r\n\r\n--o\r\n\r\nSee below.\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--o--\r\n"
        )
        .into_bytes()
    }
}

/// Every text of a message, decoded by another parser: subject, bodies, names, attachments.
fn texts(raw: &[u8]) -> Vec<String> {
    let message = MessageParser::default().parse(raw).expect("a message");
    let mut texts = vec![message.subject().unwrap_or_default().to_owned()];
    for part in &message.parts {
        texts.extend(part.attachment_name().map(str::to_owned));
        if let Some(inner) = part.message() {
            texts.extend(inner.subject().map(str::to_owned));
            for part in &inner.parts {
                texts.extend(part.attachment_name().map(str::to_owned));
                texts.extend(part.text_contents().map(str::to_owned));
            }
        } else {
            texts.extend(part.text_contents().map(str::to_owned));
        }
    }
    texts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(96), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_is_gone_wherever_it_stood_and_the_text_around_is_as_it_was(planted in planted()) {
        let raw = planted.raw();
        let pipeline = pipeline(EVERYWHERE);
        let out = redacted(&pipeline, &raw);
        let (before, after) = (texts(&raw), texts(&out));
        prop_assert_eq!(before.len(), after.len());
        for text in &after {
            let visible: String = mail_parser::decoders::html::html_to_text(text).chars().filter(char::is_ascii_digit).collect();
            let all: String = text.chars().filter(char::is_ascii_digit).collect();
            for card in &planted.cards {
                prop_assert!(!visible.contains(card.as_str()) && !all.contains(card.as_str()), "{card} in {text:?}");
            }
        }
        for text in [&planted.subject, &planted.plain, &planted.file] {
            let wanted = planted.cards.iter().fold(text.clone(), |text, card| {
                ["", " ", "-", ".", "\u{a0}", "\u{2009}", "\u{2013}", "\u{200b}"].iter().fold(text, |text, separator| text.replace(&spelled(card, separator), "[CARD]"))
            });
            let is = |found: &String| found.trim() == wanted.trim();
            prop_assert!(after.iter().any(is), "{wanted:?} in {after:?}");
        }
        prop_assert!(after.iter().any(|text| text.starts_with("<p title=\"[CARD]\">before [CARD]") && text.trim_end().ends_with(" after</p>")), "{after:?}");
        // Once is enough, and no detector finds anything.
        prop_assert_eq!(&redacted(&pipeline, &out), &out);
        let detectors = DetectorSet::built_in(&["card"]).unwrap();
        for text in &after {
            prop_assert!(detectors.find(text).is_empty(), "{text:?}");
        }
    }
}

// -- every sort of value --

/// Places that take a value of any sort, each with words before it that say what it is.
struct Strewn {
    value: String,
    before: &'static str,
    after: &'static str,
}

impl Strewn {
    fn line(&self) -> String {
        format!("{}{}{}", self.before, self.value, self.after)
    }

    /// `way` is how the texts are written.
    fn raw(&self, way: usize) -> Vec<u8> {
        let line = self.line();
        let encodings = ["base64", "quoted-printable"];
        let encoding = |n: usize| encodings[(way + n) % 2];
        // A value of several lines stands in texts alone.
        let subject = if self.value.contains('\n') { "no value".to_owned() } else { words(&line, way % 2) };
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('\u{a0}', "&nbsp;");
        // What is shown changes its font in the middle of the value.
        let (first, last) = self.value.split_at(self.value.floor_char_boundary(self.value.len() / 2));
        let bold =
            format!("{}{}<b>{}</b>{}", self.before, escaped(first), escaped(last), self.after).replace('\n', "<br>");
        let html = format!(
            "<p title=\"{}\">a {bold} b</p><!-- c {} d -->",
            escaped(&line).replace('"', "&quot;"),
            escaped(&line)
        );
        format!(
            "From: ann@example.com\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; \
             boundary=m\r\n\r\n--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; \
             charset=utf-8\r\n{}\r\n--a\r\nContent-Type: text/html; charset=utf-8\r\n{}\r\n--a--\r\n--m\r\nContent-Type: \
             text/x-log; charset=utf-8\r\nContent-Disposition: attachment\r\n{}\r\n--m--\r\n",
            encoded(&format!("Hello,\r\n{}\r\nbye\r\n", line.replace('\n', "\r\n")), encoding(0)),
            encoded(&html, encoding(1)),
            encoded(&line, encoding(way / 2)),
        )
        .into_bytes()
    }
}

/// Without line ends and markup that is empty.
fn flat(text: &str) -> String {
    let text = text.trim().replace("&quot;", "\"").replace(['\r', '\n'], "");
    text.replace("<br>", "").replace("<b></b>", "")
}

/// Letters and digits alone.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn rule_for(detector: &str) -> Pipeline {
    pipeline(&EVERYWHERE.replace("\"card\"", &format!("\"{detector}\"")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(4), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_of_any_sort_is_gone_from_every_place_and_one_that_is_broken_stays(seed in any::<u64>(), way in 0_usize..4) {
        for sort in SORTS {
            let mut chance = Chance(seed);
            let value = (sort.make)(&mut chance);
            let before = chance.of(sort.before);
            let after = if sort.detector == "connection-string" { "@db.example.com/x" } else { ", thanks" };
            let pipeline = rule_for(sort.detector);
            let strewn = Strewn { value, before, after };
            let raw = strewn.raw(way);
            let out = redacted(&pipeline, &raw);
            let after_it = texts(&out);
            prop_assert_eq!(texts(&raw).len(), after_it.len());
            for text in &after_it {
                prop_assert!(!bare(text).contains(&bare(&strewn.value)), "{}: {:?} in {text:?}", sort.detector, strewn.value);
            }
            let set = DetectorSet::built_in(&[sort.detector]).unwrap();
            let found = set.find(&strewn.line());
            prop_assert_eq!(found.len(), 1, "{}: {:?}", sort.detector, strewn.line());
            let label = format!("[{}]", set.label(found[0].detector));
            let line = strewn.line().replace(&strewn.value, &label);
            let plain = format!("Hello,\n{line}\nbye");
            let html = format!("<p title=\"{line}\">a {line} b</p><!-- c {line} d -->");
            for wanted in [&line, &plain, &html] {
                let is = |text: &String| flat(text) == flat(wanted);
                prop_assert!(after_it.iter().any(is), "{}: {wanted:?} in {after_it:?}", sort.detector);
            }
            if !strewn.value.contains('\n') {
                prop_assert!(after_it[0].trim() == line.trim(), "{}: {:?}", sort.detector, after_it[0]);
            }
            for text in &after_it {
                prop_assert!(set.find(text).is_empty(), "{}: {text:?}", sort.detector);
            }
            prop_assert_eq!(&redacted(&pipeline, &out), &out);
            let broken = (sort.broken)(&strewn.value);
            if !broken.is_empty() {
                let raw = Strewn { value: broken, ..strewn }.raw(way);
                prop_assert_eq!(redacted(&pipeline, &raw), raw, "{}: broken, and masked", sort.detector);
            }
        }
    }
}

// -- what is told --

const SECRETS: &[&str] =
    &["4111111111111111", "4111 1111 1111 1111", "4111-1111", "536-22-6789", "536226789", "geheim@", "1111 1111"];

/// Mail with secrets in every place, and in places where they make a rule fail.
fn telling() -> Vec<(&'static str, String)> {
    let all = "Subject: 4111 1111 1111 1111 for geheim@example.org\r\nList-Help: <https://x.example/?n=4111111111111111>\r\nMIME-Version: \
               1.0\r\nContent-Type: multipart/mixed; boundary=4111111111111111\r\n\r\n--4111111111111111\r\n\r\nssn \
               536-22-6789, geheim@example.org\r\n--4111111111111111\r\nContent-Type: text/html\r\n\r\n<p \
               title='4111-1111-1111-1111'>4111 1111 1111 1111<!-- 4111111111111111 --></p>\r\n--4111111111111111\r\nContent-Type: \
               text/csv; name=\"4111111111111111.csv\"\r\n\r\n4111111111111111\r\n--4111111111111111--\r\n";
    let signed = "Subject: a\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n4111 1111 1111 \
                  1111\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n";
    let broken = "Subject: 4111 1111 1111 1111\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: \
                  x-4111111111111111\r\n\r\n4111 1111 1111 1111\r\n";
    let opaque = "Subject: a\r\nContent-Type: multipart/mixed\r\n\r\n4111 1111 1111 1111\r\n";
    let automatic = format!("Auto-Submitted: auto-replied\r\n{signed}");
    let list = [("all", all), ("signed", signed), ("broken", broken), ("opaque", opaque), ("automatic", &automatic)];
    list.into_iter()
        .map(|(name, text)| (name, format!("From: ann@example.com\r\nTo: kim@example.net\r\n{text}")))
        .collect()
}

const STYLES: &[&str] = &["label", "block", "pseudonym", "remove", "notice", "bounce"];
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn telling_rules(style: &str) -> String {
    format!(
        "[[rule]]\nname = \"everything\"\n[[rule.action]]\nkind = \"redact\"\ndetect = [\"card\", \"ssn\", \"email\"]\nstyle = \
         \"{style}\"\nwhere = [\"subject\", \"body\", \"file-names\", \"attachments\", \"attached-messages\"]\n"
    )
}

fn assert_tells_nothing(what: &str, told: &str) {
    for secret in SECRETS {
        assert!(!told.contains(secret), "{what} tells {secret}:\n{told}");
    }
}

#[test]
fn a_value_is_in_no_report_and_no_error() {
    for style in STYLES {
        let pipeline = pipeline(&telling_rules(style)).with_value_key(ValueKey::new(KEY).ok());
        for (name, mail) in telling() {
            let message = Message::parse(mail.as_bytes());
            let told = match pipeline.run(&message, &envelope(), &Facts::default(), &|| false) {
                Ok(outcome) => {
                    let json = serde_json::to_string(&outcome.report).unwrap();
                    format!("{:?} {json} {:?}", outcome.report, outcome.answers)
                }
                Err(error) => format!("{error} {error:?}"),
            };
            assert_tells_nothing(&format!("{style}, {name}"), &told);
        }
        assert_tells_nothing(style, &format!("{pipeline:?}"));
        assert!(!format!("{pipeline:?}").contains(KEY));
    }
}

#[test]
fn a_value_is_nowhere_in_what_replay_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::create_dir(folder.path().join("mail")).unwrap();
    for (name, mail) in telling() {
        fs::write(folder.path().join(format!("mail/{name}.eml")), mail).unwrap();
    }
    for style in STYLES {
        fs::write(folder.path().join("rules/a.toml"), telling_rules(style)).unwrap();
        for view in [&["--json"][..], &["--quiet"], &[]] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_mailwright"));
            command.args(["replay", "mail", "--domains", "example.com", "--value-key", KEY]).args(view);
            command.current_dir(folder.path()).env_remove("MAILWRIGHT_STAMP_KEY").stdin(Stdio::null());
            let output = command.output().unwrap();
            let said =
                [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned()).concat();
            assert!(said.contains("everything"), "{said}");
            assert_tells_nothing(&format!("replay {view:?} with {style}"), &said);
            assert!(!said.contains(KEY));
        }
    }
}

/// What WorkMail would send for such a message.
fn event(id: &str) -> serde_json::Value {
    serde_json::json!({
        "summaryVersion": "2019-07-28",
        "envelope": {
            "mailFrom": {"address": "ann@example.com"},
            "recipients": [{"address": "kim@example.net"}]
        },
        "sender": {"address": "ann@example.com"},
        "subject": "4111 1111 1111 1111 for geheim@example.org",
        "messageId": id,
        "invocationId": "11111111111111111111111111111111",
        "flowDirection": "OUTBOUND",
        "truncated": false
    })
}

#[tokio::test(start_paused = true)]
async fn a_value_is_in_no_line_of_the_log_and_in_no_answer() {
    log::start();
    log::take();
    let id = MessageId::new("00000000-0000-4000-8000-000000000002").unwrap();
    let event = event(id.as_str());
    for style in STYLES {
        let pipeline = pipeline(&telling_rules(style)).with_value_key(ValueKey::new(KEY).ok());
        for (name, mail) in telling() {
            for strict in [false, true] {
                let memory = Memory::new(Bucket::new("bucket").unwrap());
                memory.insert(id.clone(), Bytes::from(mail.clone()));
                if strict {
                    memory.demand_as_workmail_does();
                }
                let stamp_key = StampKey::new(KEY).ok();
                let settings = Settings { prefix: KeyPrefix::new("out").unwrap(), stamp_key, ..Settings::default() };
                let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
                let handled = handle(&event, deadline, &pipeline, &memory, &memory, &settings).await;
                let answer = match &handled.answer {
                    Ok(answer) => serde_json::to_string(answer).unwrap(),
                    Err(error) => format!("{error} {error:?}"),
                };
                let what = format!("{style}, {name}");
                assert_tells_nothing(&what, &format!("{answer} {handled:?}"));
                assert_tells_nothing(&what, &memory.keys().join(" "));
            }
        }
    }
    let said = log::take();
    assert!(said.matches("message handled").count() >= STYLES.len() * telling().len() * 2, "{said}");
    assert!(said.contains("everything"), "{said}");
    assert_tells_nothing("the log", &said);
    assert!(!said.contains(KEY));
}

#[cfg(feature = "lambda")]
#[test]
fn a_panic_is_logged_by_its_place() {
    log::start();
    log::take();
    let before = std::panic::take_hook();
    mailwright::flow::log::start();
    let panicked = std::panic::catch_unwind(|| panic!("no rule reads 4111 1111 1111 1111"));
    std::panic::set_hook(before);
    assert!(panicked.is_err());
    let said = log::take();
    assert!(said.contains("mailwright panicked") && said.contains("tests/redaction.rs"), "{said}");
    assert_tells_nothing("the log of a panic", &said);
}

#[test]
fn finds_are_told_with_place_offset_and_a_keyed_digest() {
    let pipeline = pipeline(EVERYWHERE);
    let raw = b"Subject: a 4111 1111 1111 1111\r\n\r\nb 4111111111111111\r\n";
    let message = Message::parse(raw);
    let told = |pipeline: &Pipeline| {
        let finds =
            pipeline.run(&message, &envelope(), &Facts::default(), &|| false).unwrap().report.rules.remove(0).finds;
        finds.into_iter().map(|find| (find.detector, find.place, find.offset, find.digest)).collect::<Vec<_>>()
    };
    let place =
        |place: &str, offset, digest: &Option<String>| ("card".to_owned(), place.to_owned(), offset, digest.clone());
    assert_eq!(told(&pipeline), [place("subject", 3, &None), place("1", 2, &None)]);
    let pipeline = pipeline.with_value_key(ValueKey::new(KEY).ok());
    let finds = told(&pipeline);
    let digest = finds[0].3.clone();
    assert_eq!(digest.as_ref().map(String::len), Some(16));
    assert_eq!(finds, [place("subject", 3, &digest), place("1", 2, &digest)], "one value, one digest");
}

#[test]
fn mail_that_cannot_be_sent_back_does_not_get_out() {
    let automatic = telling().into_iter().find(|(name, _)| *name == "automatic").unwrap().1;
    let rules = |option: &str| format!("{}{option}", telling_rules("label"));
    let run = |option: &str| {
        let message = Message::parse(automatic.as_bytes());
        let outcome = pipeline(&rules(option)).run(&message, &envelope(), &Facts::default(), &|| false);
        outcome.map(|outcome| format!("{:?}", outcome.answers.strictest())).map_err(|error| error.to_string())
    };
    assert!(run("").unwrap_err().contains("cannot be sent back"));
    assert_eq!(run("unbounceable = \"drop\"\n").as_deref(), Ok("Drop"));
    assert_eq!(run("unbounceable = \"deliver\"\n").as_deref(), Ok("Deliver"));
}

#[test]
fn pseudonyms_without_a_key_fail() {
    let pipeline = pipeline(&telling_rules("pseudonym"));
    assert!(pipeline.needs_value_key());
    let mail = &telling()[0].1;
    let error = pipeline.run(&Message::parse(mail.as_bytes()), &envelope(), &Facts::default(), &|| false).unwrap_err();
    assert!(error.to_string().contains("MAILWRIGHT_VALUE_KEY"), "{error}");
}

#[test]
fn a_pattern_that_finds_its_own_masks_comes_to_an_end() {
    let out = |pattern: &str| {
        let rules = format!(
            "[[rule]]\nname = \"p\"\n[[rule.action]]\nkind = \"redact\"\npattern = '{pattern}'\nlabel = \"id\"\nstyle = \
             \"keep-last\"\n"
        );
        let out = redacted(&pipeline(&rules), b"Subject: x\r\n\r\nno. ABCD1234 end\r\n");
        String::from_utf8(out).unwrap()
    };
    assert_eq!(out(r"[A-Z*]{4}\d{4}"), "Subject: x\r\n\r\nno. ******34 end\r\n");
    assert_eq!(out(r"[A-Z*]{4}[*\d]{4}"), "Subject: x\r\n\r\nno. [id] end\r\n");
}

/// One rule over a message of one line, and the line afterwards, which a second run leaves as it is.
fn masked_line(options: &str, line: &str) -> String {
    let rules = format!("[[rule]]\nname = \"one\"\n[[rule.action]]\nkind = \"redact\"\n{options}");
    let pipeline = pipeline(&rules);
    let out = redacted(&pipeline, format!("Subject: x\r\n\r\n{line}\r\n").as_bytes());
    assert_eq!(redacted(&pipeline, &out), out, "a second run changes nothing");
    let text = String::from_utf8(out).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.trim_end().to_owned()
}

#[test]
fn what_a_mask_lays_open_to_another_detector_is_masked_as_well() {
    let all = "detect = [\"card\", \"iban\", \"email\", \"ssn\"]\n";
    assert_eq!(masked_line(all, "a@r.le4111 1111 1111 1111"), "[EMAIL][CARD]");
    let keep = format!("{all}pattern = \"(?i)secret-[0-9]+\"\nstyle = \"keep-last\"\nkeep = 3\n");
    let line = masked_line(&keep, "secret-123-45-6789");
    assert!(!line.contains("123-45-6789"), "{line}");
    // One number is too few, before and after.
    let few = format!("{all}at_least = 2\n");
    assert_eq!(masked_line(&few, "a@r.le 4111 1111 1111 1111 b@r.le"), "[EMAIL] 4111 1111 1111 1111 [EMAIL]");
    // Too few by itself, and enough with what a mask has laid open.
    let line = masked_line(&few, "a@r.le4111 1111 1111 1111 b@r.le 5555 5555 5555 4444");
    assert_eq!(line, "[EMAIL][CARD] [EMAIL] [CARD]");
}

#[test]
fn a_find_on_a_line_too_long_for_the_wire_is_masked_where_nothing_can_be_encoded_anew() {
    let long = "word ".repeat(300);
    let raw = format!(
        "Subject: 4111 1111 1111 1111 {long}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         a 4111 1111 1111 1111 {long}{}\r\n--b\r\nContent-Type: text/csv; x=\"{long}\"; name=\"4111111111111111 {long}.csv\"\r\n\r\n\
         4111 1111 1111 1111 {long}\r\n--b--\r\n{long}5555555555554444\r\n",
        "x".repeat(2_000)
    );
    let pipeline = pipeline(EVERYWHERE);
    let out = redacted(&pipeline, raw.as_bytes());
    let text = String::from_utf8(out.clone()).unwrap();
    assert!(!text.contains("1111") && !text.contains("5555"), "{text}");
    assert!(text.lines().all(|line| line.len() <= 998), "{text}");
    let (before, after) = (texts(raw.as_bytes()), texts(&out));
    let plain = |texts: &[String]| {
        texts.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let wanted: Vec<String> = plain(&before)
        .into_iter()
        .map(|text| text.replace("4111 1111 1111 1111", "[CARD]").replace("4111111111111111", "[CARD]"))
        .collect();
    assert_eq!(plain(&after), wanted);
    assert_eq!(redacted(&pipeline, &out), out);
}

/// A message of one part, redacted everywhere: its body afterwards and what the report says.
fn masked_part(header: &str, body: &str) -> (String, String) {
    let raw = format!("Subject: x\r\nMIME-Version: 1.0\r\n{header}\r\n\r\n{body}");
    let pipeline = pipeline(EVERYWHERE);
    let message = Message::parse(raw.as_bytes());
    let outcome = pipeline.run(&message, &envelope(), &Facts::default(), &|| false).expect("the rule does not fail");
    let effects = outcome.report.rules[0].effects.join("; ");
    let out = outcome.rewritten.map_or_else(|| raw.clone().into_bytes(), |rewritten| rewritten.to_vec());
    assert_eq!(redacted(&pipeline, &out), out, "a second run changes nothing");
    let text = String::from_utf8(out).unwrap();
    (text.split_once("\r\n\r\n").unwrap().1.to_owned(), effects)
}

#[test]
fn a_value_is_found_as_a_reader_is_shown_it_and_counts_once() {
    let flowed = "Content-Type: text/plain; format=flowed";
    let delsp = "Content-Type: text/plain; format=flowed; delsp=yes";
    let html = "Content-Type: text/html";
    let calendar = "Content-Type: text/calendar";
    for (header, body, wanted) in [
        (flowed, "pay 4111 1111 \r\n1111 1111 now\r\n", "pay [CARD] now\r\n"),
        (delsp, "pay 4111 1111 11 \r\n11 1111 now\r\n", "pay [CARD] now\r\n"),
        (delsp, "pay 4111 1111 \r\n1111 1111 now\r\n", "pay [CARD] now\r\n"),
        (flowed, "> pay 4111 1111 \r\n> 1111 1111 now\r\n", "> pay [CARD] now\r\n"),
        (flowed, "pay 4111 1111\r\n-- \r\n1111 1111\r\n", "pay 4111 1111\r\n-- \r\n1111 1111\r\n"),
        (html, "<p>4111 1111\r\n\t\t   1111 1111</p>\r\n", "<p>[CARD]</p>\r\n"),
        (html, "<p>4111 <b>1111</b>\r\n      1111     1111</p>\r\n", "<p>[CARD]<b></b></p>\r\n"),
        (html, "<p>4111<br>\r\n     1111 1111 1111</p>\r\n", "<p>[CARD]<br></p>\r\n"),
        (html, "<!-- 4111 1111 1111 1111 --><!--<b>4111</b> 1111 1111 1111-->", "<!-- [CARD] --><!--<b>[CARD]</b>-->"),
        (
            html,
            "<iframe srcdoc=\"&lt;p&gt;4111 &lt;b&gt;1111&lt;/b&gt; 1111 1111\">",
            "<iframe srcdoc=\"&lt;p&gt;[CARD]&lt;b&gt;&lt;/b&gt;\">",
        ),
        (
            calendar,
            "BEGIN:VCALENDAR\r\nX-ALT-DESC;FMTTYPE=text/html:<p>4111 <b>11\r\n 11</b> 1111 1111</p>\r\nEND:VCALENDAR\r\n",
            "BEGIN:VCALENDAR\r\nX-ALT-DESC;FMTTYPE=text/html:<p>[CARD]<b>\r\n </b></p>\r\nEND:VCALENDAR\r\n",
        ),
    ] {
        let (out, effects) = masked_part(header, body);
        assert_eq!(out, wanted, "{header}: {effects}");
        let count = wanted.matches("[CARD]").count();
        assert!(count == 0 || effects.contains(&format!("redact: {count} card in 1")), "{header} {body}: {effects}");
    }
}

#[test]
fn an_attached_message_in_base64_is_looked_into_and_what_it_holds_does_not_get_out() {
    let run = |inner: &str| {
        let raw = format!(
            "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            base64(inner)
        );
        let message = Message::parse(raw.as_bytes());
        let pipeline = pipeline(EVERYWHERE);
        pipeline
            .run(&message, &envelope(), &Facts::default(), &|| false)
            .map(|outcome| outcome.rewritten.is_some())
            .ok()
    };
    assert_eq!(run("Subject: a\r\n\r\nnothing to see\r\n"), Some(false));
    assert_eq!(run("Subject: a\r\n\r\n4111 1111 1111 1111\r\n"), None);
    assert_eq!(run("Subject: 4111 1111 1111 1111\r\n\r\nnothing\r\n"), None);
}
