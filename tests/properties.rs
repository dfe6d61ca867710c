//! The invariants of a rewrite, each as a property of messages built from their structure, whole and damaged.
//!
//! Each is checked from outside: by where the bytes lie, by lines, and by another parser that reads before and after.
//! `PROPTEST_CASES` sets the number of cases.

mod invariants;

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::MessageParser;
use mailwright::envelope::{Address, Direction, Envelope};
use mailwright::facts::Facts;
use mailwright::flow::put_checks;
use mailwright::message::{Bits, Block, Draft, Message, Place};
use mailwright::pipeline::{Outcome, Pipeline, Verdict};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

// -- messages --

/// A part of a message that is built.
#[derive(Debug, Clone)]
enum Node {
    Text { html: bool, charset: &'static str, encoding: &'static str, lines: Vec<&'static str>, flowed: bool },
    Multi { subtype: &'static str, boundary: String, children: Vec<Node>, around: bool, closed: bool },
    Attachment { encoding: &'static str },
    Attached(Box<Node>),
    Signed(Box<Node>),
}

#[derive(Debug, Clone)]
struct Mail {
    root: Node,
    fields: Vec<&'static str>,
    crlf: bool,
}

/// What becomes of the bytes of a message afterwards.
#[derive(Debug, Clone)]
enum Damage {
    Delete(usize, usize),
    Double(usize, usize),
    Flip(usize, u8),
    Insert(usize, &'static [u8]),
    MoveLine(usize, usize),
}

const CHARSETS: &[&str] = &[
    "utf-8",
    "us-ascii",
    "iso-8859-1",
    "windows-1252",
    "iso-2022-jp",
    "shift_jis",
    "gbk",
    "utf-16",
    "utf-7",
    "x-unknown",
    "",
];
/// Lines for every charset.
const ASCII: &[&str] = &[
    "Hello Kim,",
    "",
    "see you on Monday at 10 = 5 + 5",
    "  indented",
    "-- ",
    "> quoted",
    "From here on",
    "--",
    "--b1",
    "a line with space at its end ",
    ".",
    "On Mon, 19 Jan 2026, Ann wrote:",
    "secret-1234 and secret-99",
    "=20 =3D =",
    "\t",
    "word word word word word word word word word word word word word word word word word word word word word word",
];
const LATIN: &[&str] = &["Grüße aus Köln", "déjà vu", "é"];
const JAPANESE: &[&str] = &["こんにちは。", "価格表", "A日本B語C"];
const CHINESE: &[&str] = &["您好", "价格A表"];
const FIELDS: &[&str] = &[
    "From: Ann <ann@example.com>",
    "To: kim@customer.example,\n\t\"Lee, Jo\" <jo@customer.example>",
    "Subject: Harvest plan",
    "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n =?utf-8?Q?_aus?=",
    "SUBJECT:no space",
    "X-Odd : space before the colon",
    "X-Odd:",
    "x-folded: a\n b\n   c",
    "Received: from a by b; Mon, 19 Jan 2026 10:00:00 +0000",
    "Received: from b by c; Mon, 19 Jan 2026 10:00:01 +0000",
    "X-Proof: before",
    "Message-ID: <1@example.com>",
];

fn text() -> impl Strategy<Value = Node> {
    (select(CHARSETS), select(&["7bit", "8bit", "quoted-printable", "base64", ""][..]), any::<bool>(), any::<bool>())
        .prop_flat_map(|(charset, encoding, html, flowed)| {
            let foreign: &[&str] = match charset {
                "utf-8" | "utf-16" => &["Grüße, 日本 👍", "5 €"],
                "iso-8859-1" | "windows-1252" => LATIN,
                "iso-2022-jp" | "shift_jis" => JAPANESE,
                "gbk" => CHINESE,
                _ => &[],
            };
            let lines: Vec<&str> = ASCII.iter().chain(foreign).chain(foreign).copied().collect();
            // UTF-16 cannot stand in a message as it is, nor can what is not ASCII in seven bits.
            let encoding = match (charset, encoding) {
                ("utf-16", "7bit" | "8bit" | "" | "quoted-printable") => "base64",
                ("utf-8" | "iso-8859-1" | "windows-1252" | "shift_jis" | "gbk", "7bit" | "") => "8bit",
                _ => encoding,
            };
            proptest::collection::vec(select(lines), 0..6).prop_map(move |lines| Node::Text {
                html,
                charset,
                encoding,
                lines,
                flowed,
            })
        })
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![6 => text(), 1 => select(&["base64", "7bit"][..]).prop_map(|encoding| Node::Attachment { encoding })];
    leaf.prop_recursive(6, 16, 3, |inner| {
        let multi = (
            select(&["mixed", "alternative", "related"][..]),
            select(&["b", "b1", "b11", "=_x'()+_,./:=?", "\u{2d}\u{2d}--="][..]),
            proptest::collection::vec(inner.clone(), 1..4),
            any::<bool>(),
            prop::bool::weighted(0.85),
        );
        prop_oneof![
            8 => multi.prop_map(|(subtype, boundary, children, around, closed)| {
                Node::Multi { subtype, boundary: boundary.to_owned(), children, around, closed }
            }),
            1 => inner.clone().prop_map(|node| Node::Attached(Box::new(node))),
            1 => inner.prop_map(|node| Node::Signed(Box::new(node))),
        ]
    })
}

fn mail() -> impl Strategy<Value = Mail> {
    (node(), subsequence(FIELDS, 0..=FIELDS.len()), prop::bool::weighted(0.7)).prop_map(|(root, fields, crlf)| Mail {
        root,
        fields,
        crlf,
    })
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = 0_usize..10_000;
    let bytes: &[&[u8]] = &[
        b"\0",
        b"\r",
        b"\n",
        b"\r\n\r\n",
        b"=",
        b"=\r\n",
        b"\xE9",
        b"\xFF\xFE",
        b"--b\r\n",
        b"--b1--\r\n",
        b"\x1b$B",
        b"<!--",
        b"Content-Type: text/html\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
    ];
    prop_oneof![
        (at.clone(), 0_usize..80).prop_map(|(at, len)| Damage::Delete(at, len)),
        (at.clone(), 0_usize..80).prop_map(|(at, len)| Damage::Double(at, len)),
        (at.clone(), any::<u8>()).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        (at.clone(), select(bytes)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at.clone(), at).prop_map(|(from, to)| Damage::MoveLine(from, to)),
    ]
}

/// Bytes of a whole message, or of a damaged one.
fn any_mail() -> impl Strategy<Value = Vec<u8>> {
    (mail(), prop_oneof![Just(vec![]), proptest::collection::vec(damage(), 1..6)])
        .prop_map(|(mail, damage)| damage.iter().fold(mail.build().0, |raw, damage| damage.apply(raw)))
}

impl Node {
    /// The same with every multipart closed, and no attached message that holds others, which all parsers read alike.
    fn closed(self) -> Self {
        match self {
            Self::Multi { subtype, boundary, children, around, .. } => {
                let children = children.into_iter().map(Self::closed).collect();
                Self::Multi { subtype, boundary, children, around, closed: true }
            }
            Self::Attached(inner) if !matches!(*inner, Self::Text { .. }) => Self::Attachment { encoding: "7bit" },
            Self::Signed(inner) => Self::Signed(Box::new(inner.closed())),
            other => other,
        }
    }
}

impl Damage {
    fn apply(&self, mut raw: Vec<u8>) -> Vec<u8> {
        let place = |at: usize| at % (raw.len() + 1);
        match *self {
            Self::Delete(at, len) => {
                let at = place(at);
                raw.drain(at..(at + len).min(raw.len()));
            }
            Self::Double(at, len) => {
                let at = place(at);
                let copy = raw[at..(at + len).min(raw.len())].to_vec();
                raw.splice(at..at, copy);
            }
            Self::Flip(at, mask) => {
                let at = place(at);
                if let Some(byte) = raw.get_mut(at) {
                    *byte ^= mask;
                }
            }
            Self::Insert(at, bytes) => {
                let at = place(at);
                raw.splice(at..at, bytes.iter().copied());
            }
            Self::MoveLine(from, to) => {
                let mut lines: Vec<&[u8]> = raw.split_inclusive(|b| *b == b'\n').collect();
                if !lines.is_empty() {
                    let line = lines.remove(from % lines.len());
                    lines.insert(to % (lines.len() + 1), line);
                }
                raw = lines.concat();
            }
        }
        raw
    }
}

/// What must be found in every rewrite as it is.
type Untouchable = Vec<Vec<u8>>;

impl Mail {
    fn build(&self) -> (Vec<u8>, Untouchable) {
        let mut head = String::new();
        for field in &self.fields {
            head.push_str(field);
            head.push('\n');
        }
        let mut untouchable = Vec::new();
        let (fields, body) = self.root.build(&mut untouchable, &mut 0);
        let mut raw = [head.as_bytes(), b"MIME-Version: 1.0\n", &fields, b"\n", &body].concat();
        if self.crlf {
            raw = crlf(&raw);
            for bytes in &mut untouchable {
                *bytes = crlf(bytes);
            }
        }
        (raw, untouchable)
    }
}

fn crlf(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] }).collect()
}

impl Node {
    /// Its header fields and its body, lines ended by LF. `count` keeps boundaries apart that must not be alike.
    fn build(&self, untouchable: &mut Untouchable, count: &mut usize) -> (Vec<u8>, Vec<u8>) {
        *count += 1;
        match self {
            Self::Text { html, charset, encoding, lines, flowed } => {
                text_part(*html, charset, encoding, lines, *flowed)
            }
            Self::Attachment { encoding } => {
                let data = format!("attachment {count} secret-1234 Hello Kim,\n");
                let body = if *encoding == "base64" { encodify::base64::MIME.encode(data.as_bytes()) } else { data };
                let body = body.replace('\r', "");
                untouchable.push(body.trim_end().as_bytes().to_vec());
                let fields = format!(
                    "Content-Type: text/plain; name=\"a.txt\"\nContent-Transfer-Encoding: {encoding}\n\
                     Content-Disposition: attachment;\n filename=\"a.txt\"\n"
                );
                (fields.into_bytes(), body.into_bytes())
            }
            Self::Multi { subtype, boundary, children, around, closed } => {
                // A boundary that begins like that of the multipart around it, and is another one.
                let boundary = format!("{boundary}{}", "n".repeat(*count));
                let mut body = Vec::new();
                if *around {
                    let preamble = format!("This is a multipart message {count} \u{e9}.");
                    untouchable.push(preamble.clone().into_bytes());
                    body.extend_from_slice(preamble.as_bytes());
                    body.push(b'\n');
                }
                for child in children {
                    let (fields, part) = child.build(untouchable, count);
                    body.extend_from_slice(format!("--{boundary}\n").as_bytes());
                    body.extend_from_slice(&[&fields, &b"\n"[..], &part, b"\n"].concat());
                }
                if *closed {
                    body.extend_from_slice(format!("--{boundary}--\n").as_bytes());
                }
                if *around && *closed {
                    let epilogue = format!("Epilogue {count}");
                    untouchable.push(epilogue.clone().into_bytes());
                    body.extend_from_slice(epilogue.as_bytes());
                    body.push(b'\n');
                }
                let fields = format!("Content-Type: multipart/{subtype};\n\tboundary=\"{boundary}\"\n");
                (fields.into_bytes(), body)
            }
            Self::Attached(inner) => {
                let (fields, body) = inner.build(&mut Vec::new(), count);
                let message = [&b"Subject: Inside\n"[..], &fields, b"\n", &body].concat();
                untouchable.push(message.trim_ascii_end().to_vec());
                (b"Content-Type: message/rfc822\n".to_vec(), message)
            }
            Self::Signed(inner) => {
                let boundary = format!("signed{count}");
                let (fields, part) = inner.build(&mut Vec::new(), count);
                let entity = [&fields, &b"\n"[..], &part].concat();
                untouchable.push(entity.clone());
                let signature = "Content-Type: application/pgp-signature\n\nno signature at all\n";
                let body = [
                    format!("--{boundary}\n").as_bytes(),
                    &entity,
                    format!("\n--{boundary}\n{signature}\n--{boundary}--\n").as_bytes(),
                ]
                .concat();
                let fields = format!("Content-Type: multipart/signed; boundary={boundary}\n");
                (fields.into_bytes(), body)
            }
        }
    }
}

fn text_part(html: bool, charset: &str, encoding: &str, lines: &[&str], flowed: bool) -> (Vec<u8>, Vec<u8>) {
    let mut text = lines.join("\n");
    if html {
        let escaped = text.replace('<', "&lt;").replace('>', "&gt;").replace('\n', "</p>\n<p>");
        text = format!("<html><body>\n<p>{escaped}</p>\n</body></html>\n");
    }
    let bytes = match charset {
        "utf-16" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "utf-7" => text.replace('+', "+-").into_bytes(),
        _ => {
            let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
            encoding.encode(&text).0.into_owned()
        }
    };
    let body = match encoding {
        "base64" => encodify::base64::MIME.encode(&bytes).replace('\r', "").into_bytes(),
        "quoted-printable" => {
            let encoded = encodify::qp::BODY.encode(crlf(&bytes));
            encoded.replace('\r', "").into_bytes()
        }
        _ => bytes,
    };
    let subtype = if html { "html" } else { "plain" };
    let charset = if charset.is_empty() { String::new() } else { format!(";\n charset=\"{charset}\"") };
    let flowed = if flowed && !html { "; format=flowed" } else { "" };
    let mut fields = format!("Content-Type: text/{subtype}{charset}{flowed}\n");
    if !encoding.is_empty() {
        fields.push_str("Content-Transfer-Encoding: ");
        fields.push_str(encoding);
        fields.push('\n');
    }
    (fields.into_bytes(), body)
}

// -- rules --

/// A rule set in TOML, and the header fields that it names.
#[derive(Debug, Clone)]
struct RuleSet {
    toml: String,
    named: Vec<&'static str>,
}

const BLOCKS: &[&str] = &[
    "This mail is confidential and meant for you alone.",
    "Größe: 5 €, Übergröße: 7 €. Bitte beachten!",
    "日本語のフッターです。ご確認ください。",
    "Two lines of = signs\\nand > another one with a https://example.com/?a=b&c=d link",
    "> looks quoted\\n-- \\nFrom the start",
];

fn actions() -> impl Strategy<Value = (String, Option<&'static str>)> {
    let once = select(&["message", "thread"][..]);
    let protected = select(&["skip", "headers-only", "wrap"][..]);
    let place = select(&["", "end", "below-reply", "above-signature"][..]);
    let block = (select(BLOCKS), select(&["text", "html"][..]), once, protected, place);
    let block = block.prop_map(|(text, form, once, protected, place)| {
        let text = if form == "html" { text.replace('&', "&amp;").replace('>', "&gt;") } else { text.to_owned() };
        let (kind, place) = match place {
            "" => ("prepend", String::new()),
            place => ("append", format!("place = \"{place}\"\n")),
        };
        (
            format!("kind = \"{kind}\"\n{form} = \"{text}\"\n{place}once = \"{once}\"\nprotected = \"{protected}\"\n"),
            None,
        )
    });
    let redact = select(&["label = \"GONE\"\n", "style = \"keep-last\"\nkeep = 2\n", ""][..]);
    let redact = redact.prop_map(|style| {
        let toml =
            format!("kind = \"redact\"\npattern = \"secret-[0-9]+\"\n{style}where = \"body\"\nprotected = \"skip\"\n");
        (toml, None)
    });
    let value = select(
        &["yes", "a value long enough to be folded somewhere on its way to the end of the line, I think", "Größe 5 €"]
            [..],
    );
    let header = (select(&["set_header", "add_header"][..]), value).prop_map(|(kind, value)| {
        (format!("kind = \"{kind}\"\nname = \"X-Proof\"\nvalue = \"{value}\"\n"), Some("X-Proof"))
    });
    let tag = select(&["[EXT]", "[Größe 5 €]"][..]);
    prop_oneof![
        4 => block,
        1 => redact,
        1 => header,
        1 => Just(("kind = \"remove_header\"\nname = \"X-Odd\"\n".to_owned(), Some("X-Odd"))),
        1 => tag.prop_map(|tag| (format!("kind = \"tag_subject\"\ntag = \"{tag}\"\n"), Some("Subject"))),
    ]
}

fn rule_set() -> impl Strategy<Value = RuleSet> {
    proptest::collection::vec(actions(), 1..4).prop_map(|actions| {
        let mut toml = String::new();
        let mut named: Vec<&str> = Vec::new();
        for (i, (action, name)) in actions.iter().enumerate() {
            // Two rules that give one field two values have nothing to come to rest at.
            if name.is_some_and(|name| named.contains(&name)) {
                continue;
            }
            named.extend(*name);
            let head = format!("[[rule]]\nname = \"rule-{i}\"\non_error = \"skip\"\n[[rule.action]]\n");
            toml.extend([head.as_str(), action, "\n"]);
        }
        RuleSet { toml, named }
    })
}

impl RuleSet {
    fn compile(&self) -> Pipeline {
        let files = vec![("rules.toml".to_owned(), self.toml.clone())];
        Pipeline::from_sources(files).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
    }

    fn wraps(&self) -> bool {
        // A block goes into a part of its own where a body cannot be edited.
        self.toml.contains("pend\"")
    }
}

fn envelope() -> Envelope {
    Envelope {
        direction: Direction::Outbound,
        sender: Address::new("ann@example.com").ok(),
        recipients: vec![Address::new("kim@customer.example").unwrap()],
        message_id: "1".to_owned(),
        truncated: false,
    }
}

fn run<'m>(pipeline: &Pipeline, message: &'m Message<'m>) -> Outcome<'m> {
    pipeline.run(message, &envelope(), &Facts::default(), &|| false).unwrap()
}

/// No rule panicked and no rewrite was taken back: such a message would go out as it came, as a bug.
fn is_sound(outcome: &Outcome<'_>) -> Result<(), TestCaseError> {
    for rule in &outcome.report.rules {
        if let Verdict::Failed(why) = &rule.verdict {
            prop_assert!(!why.contains("bug in mailwright"), "{why}");
        }
    }
    prop_assert!(outcome.report.notes.iter().all(|n| !n.contains("bug in mailwright")), "{:?}", outcome.report.notes);
    Ok(())
}

fn check(result: Result<(), String>) -> Result<(), TestCaseError> {
    result.map_err(TestCaseError::fail)
}

#[test]
fn crs_that_stand_alone_at_the_end_of_a_text_stay_as_they_are_above_a_footer() {
    let rules = "[[rule]]\nname = \"a\"\n[[rule.action]]\nkind = \"append\"\ntext = \"Footer\"\n";
    let pipeline = Pipeline::from_sources(vec![("rules.toml".into(), rules.into())]).unwrap_or_else(|p| panic!("{p}"));
    for raw in [&b"\nk\r\r"[..], b"\nk\r", b"\nk\n\r\r\r"] {
        let message = Message::parse(raw);
        let rewritten = run(&pipeline, &message).rewritten.expect("a footer");
        assert_eq!(invariants::hold(raw, &rewritten, &[], false), Ok(()));
        let out = rewritten.to_vec();
        assert!(out.starts_with(raw) && out.ends_with(b"Footer\n"), "{}", out.escape_ascii());
    }
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// -- properties --

proptest! {
    #![proptest_config(config())]

    /// 1. Every byte outside the edits is the byte that came in.
    #[test]
    fn bytes_outside_the_edits_stay(raw in any_mail(), rules in rule_set()) {
        let message = Message::parse(&raw);
        if let Some(rewritten) = run(&rules.compile(), &message).rewritten {
            check(invariants::locality(&raw, &rewritten))?;
            prop_assert_eq!(rewritten.len(), rewritten.to_vec().len());
        }
    }

    /// 1. No rule matched: the output is the input.
    #[test]
    fn without_a_match_nothing_changes(raw in any_mail(), rules in rule_set()) {
        let toml = rules.toml.replace("on_error", "when = { direction = \"inbound\" }\non_error");
        let message = Message::parse(&raw);
        let outcome = run(&RuleSet { toml, ..rules }.compile(), &message);
        prop_assert!(outcome.rewritten.is_none());
        prop_assert_eq!(Draft::new(&message).render().unwrap().to_vec(), raw.clone());
    }

    /// 2. Header fields that no rule names keep their bytes and their order.
    #[test]
    fn header_fields_that_no_rule_names_stay(raw in any_mail(), rules in rule_set()) {
        let message = Message::parse(&raw);
        if let Some(rewritten) = run(&rules.compile(), &message).rewritten {
            check(invariants::header_fields(&raw, &rewritten.to_vec(), &rules.named, rules.wraps()))?;
        }
    }

    /// 3. What is signed, attached or outside of all parts is in the rewrite as it was, in order.
    #[test]
    fn protected_parts_stay(mail in mail(), rules in rule_set()) {
        let (raw, untouchable) = mail.build();
        let message = Message::parse(&raw);
        if let Some(rewritten) = run(&rules.compile(), &message).rewritten {
            let out = rewritten.to_vec();
            let mut at = 0;
            for bytes in untouchable {
                let found = memchr::memmem::find(&out[at..], &bytes);
                prop_assert!(found.is_some(), "changed: {}", bytes.escape_ascii());
                at += found.unwrap_or(0);
            }
        }
    }

    /// 4. What is brought in can go over the wire.
    #[test]
    fn edits_bring_in_nothing_that_the_wire_does_not_take(raw in any_mail(), rules in rule_set()) {
        let message = Message::parse(&raw);
        if let Some(rewritten) = run(&rules.compile(), &message).rewritten {
            check(invariants::wire(&raw, &rewritten, rules.wraps()))?;
        }
    }

    /// 5. The old text with a block in it is the new text, as another parser reads both.
    #[test]
    fn text_around_a_block_stays(mail in mail(), text in select(BLOCKS), at in select(&[Place::Start, Place::End, Place::BelowReply][..])) {
        let (raw, _) = Mail { root: mail.root.closed(), ..mail }.build();
        let message = Message::parse(&raw);
        let mut draft = Draft::new(&message);
        let text = text.replace("\\n", "\n");
        let html = format!("<p>{}</p>", text.replace('&', "&amp;").replace('>', "&gt;"));
        let Ok(count @ 1..) = draft.insert(&Block { text, html, images: Vec::new() }, at) else { return Ok(()) };
        let out = draft.render().map_err(|v| TestCaseError::fail(v.to_string()))?.to_vec();
        let (before, after) = (texts(&raw), texts(&out));
        prop_assert_eq!(before.len(), after.len());
        let mut changed = 0;
        for (before, after) in before.iter().zip(&after) {
            if before == after {
                continue;
            }
            changed += 1;
            let alike = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| a.zip(b).take_while(|(a, b)| a == b).count();
            let start = alike(&mut before.chars(), &mut after.chars());
            let end = alike(&mut before.chars().rev(), &mut after.chars().rev());
            prop_assert!(start + end >= before.chars().count(), "{before:?} became {after:?}");
        }
        prop_assert_eq!(changed, count);
    }

    /// 6. A second run changes nothing.
    #[test]
    fn a_second_run_changes_nothing(raw in any_mail(), rules in rule_set()) {
        let pipeline = rules.compile();
        let message = Message::parse(&raw);
        let first = run(&pipeline, &message);
        if let Some(rewritten) = &first.rewritten {
            let out = rewritten.to_vec();
            let again = Message::parse(&out);
            let second = run(&pipeline, &again);
            if let Some(twice) = second.rewritten {
                let verdicts = |o: &[mailwright::pipeline::RuleReport]| o.iter().map(|r| format!("{:?} {:?}", r.verdict, r.effects)).collect::<Vec<_>>();
                prop_assert!(twice.to_vec() == out, "{:?} then {:?}\n{}", verdicts(&first.report.rules), verdicts(&second.report.rules), String::from_utf8_lossy(&out));
            }
        }
    }

    /// 7. Whatever comes in, nothing panics and no rewrite is taken back.
    #[test]
    fn nothing_panics(raw in any_mail(), rules in rule_set()) {
        let pipeline = rules.compile();
        let done = catch_unwind(AssertUnwindSafe(|| {
            let message = Message::parse(&raw);
            let sound = is_sound(&run(&pipeline, &message));
            let _ = (message.attachments(), message.protection());
            sound
        }));
        prop_assert!(done.is_ok(), "a panic");
        if let Ok(sound) = done {
            sound?;
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// What WorkMail rejects is repaired once: no repair is left to do, and another parser reads the texts that were there.
    #[test]
    fn a_repair_changes_no_text_and_comes_to_rest(mail in mail(), long in any::<bool>(), octets in any::<bool>(), twice in any::<bool>()) {
        let (mut raw, _) = Mail { root: mail.root.closed(), ..mail }.build();
        let mut head = String::new();
        if long {
            head.push_str(&format!("X-Long: {}\r\n", "word ".repeat(300)));
        }
        if octets {
            head.push_str("X-Octets: Größe\r\n");
        }
        if twice {
            head.push_str("Reply-To: ann@example.com\r\nReply-To: ann@example.com\r\n");
        }
        if raw.windows(2).all(|end| end != b"\r\n") {
            head = head.replace('\r', "");
        }
        raw.splice(0..0, head.bytes());
        let message = Message::parse(&raw);
        let Some(repaired) = message.repaired(put_checks::fields::ONCE, Bits::Encode) else {
            prop_assert!(!(long || octets || twice) || message.doubt().is_some() || message.protection().is_some());
            return Ok(());
        };
        let out = repaired.rendered.to_vec();
        let after = Message::parse(&out);
        prop_assert!(after.repaired(put_checks::fields::ONCE, Bits::Encode).is_none(), "{:?}", repaired.mended);
        prop_assert_eq!(texts(&raw), texts(&out));
        let faults = |message: &Message<'_>| put_checks::check(message).len();
        prop_assert!(faults(&after) < faults(&message), "{:?}", repaired.mended);
    }
}

/// Every text of a message as mail-parser reads it, line ends as LF.
fn texts(raw: &[u8]) -> Vec<String> {
    let message = MessageParser::default().parse(raw).expect("a message");
    let text = |part: &mail_parser::MessagePart<'_>| match &part.body {
        mail_parser::PartType::Text(text) | mail_parser::PartType::Html(text) => Some(text.replace('\r', "")),
        _ => None,
    };
    message.parts.iter().filter_map(text).collect()
}
