//! What becomes of a rewritten message that WorkMail would reject for what it came with. Every folder of `tests/put/` is
//! one message; its name begins with the number of the case in `tests/golden/README.md`. The rules are those of
//! `tests/golden/rules.toml`, and the put demands what WorkMail's does.
//!
//! `BLESS=1 cargo test --test put` writes the expected files anew. Read what was written before it is committed.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use mailwright::flow::handler::{Fate, Settings, handle};
use mailwright::flow::key::{Bucket, MessageId};
use mailwright::flow::memory::{Call, Memory};
use mailwright::flow::put_checks::{self, Demand, fields};
use mailwright::message::{Bits, Message};
use mailwright::pipeline::Pipeline;
use proptest::prelude::*;
use serde_json::json;
use tokio::time::Instant;

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir("tests/put").expect("tests run in the folder of the package");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    folders
}

fn pipeline() -> Pipeline {
    let text = fs::read_to_string("tests/golden/rules.toml").expect("a rule file");
    Pipeline::from_sources(vec![("rules.toml".into(), text)]).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The message that is delivered, and a report.
fn put(pipeline: &Pipeline, raw: Vec<u8>) -> (Bytes, String) {
    let id = MessageId::new("put").expect("an id");
    let memory = Memory::new(Bucket::new("bucket").expect("a name"));
    memory.demand_as_workmail_does();
    memory.insert(id.clone(), raw);
    let event = json!({
        "envelope": {
            "mailFrom": {"address": "ann@example.com"}, "recipients": [{"address": "kim@example.net"}]
        },
        "messageId": "put",
        "flowDirection": "OUTBOUND"
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let settings = Settings::default();
    let deadline = Instant::now() + Duration::from_mins(1);
    let handled = runtime.block_on(handle(&event, deadline, pipeline, &memory, &memory, &settings));
    let mut report = match &handled.report.fate {
        Fate::Original { refusal, .. } => format!("the original goes out, {refusal:?}\n"),
        fate => format!("{}\n", fate.as_str()),
    };
    let puts = memory.calls().into_iter().filter(|call| *call == Call::PutBack).count();
    let _ = writeln!(report, "put {puts} times");
    for unmet in &handled.report.unmet {
        let _ = writeln!(report, "rejected, {:?}: {}: {}", unmet.demand.basis(), unmet.words(), unmet.count);
    }
    for mended in &handled.report.repaired {
        let _ = writeln!(report, "repaired: {}: {}", mended.what.words(), mended.count);
    }
    (memory.message(&id).expect("the message"), report)
}

#[test]
fn what_workmail_rejects_becomes_what_it_should() {
    let bless = std::env::var_os("BLESS").is_some();
    let pipeline = pipeline();
    let mut wrong = String::new();
    for folder in folders() {
        let raw = fs::read(folder.join("message.eml")).expect("message.eml");
        let (delivered, report) = put(&pipeline, raw.clone());
        let (eml, txt) = (folder.join("expected.eml"), folder.join("expected.txt"));
        if bless {
            fs::write(&txt, &report).expect("expected.txt is written");
            if delivered != raw {
                fs::write(&eml, &delivered).expect("expected.eml is written");
            } else if eml.exists() {
                fs::remove_file(&eml).expect("expected.eml is removed");
            }
        }
        let expected = fs::read(&eml).unwrap_or(raw);
        if expected != delivered {
            let shown = delivered.escape_ascii().to_string().replace("\\n", "\\n\n    ");
            let _ = writeln!(wrong, "== {}\n    {shown}", eml.display());
        }
        if fs::read_to_string(&txt).unwrap_or_default().replace("\r\n", "\n") != report {
            let _ = writeln!(wrong, "== {}\n{report}", txt.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A piece of a header, of which the first holds for all.
fn header_field() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        "Subject",
        "From",
        "To",
        "Cc",
        "Received",
        "References",
        "X-Note",
        "Content-Type",
        "Content-Disposition",
        "Content-Transfer-Encoding",
        "DKIM-Signature",
        "List-Id",
        "Keywords",
        "MIME-Version",
    ]);
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "Ann", "<ann@example.com>", ",", ";", ":", "\"", "(", ")", "\\", " ", "\r\n ", "\t", "Jürgen", "日本語",
            "ü@example.com", "=?utf-8?Q?=C3=A9?=", "\"Größe, x\"", "(söndag)", "text/plain", "; charset=utf-8",
            "; name=\"Größe.pdf\"", "; filename=é", "; name*=utf-8''x", "base64", "quoted-printable", "8bit",
            "multipart/mixed; boundary=b", "; boundary=b", "d=example.com", "\u{7f}",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>().prop_filter("no line end", |b| !b"\r\n".contains(b)), 1..6),
        1 => (1_u16..1_100).prop_map(|n| vec![b'x'; usize::from(n)]),
    ];
    (name, prop::collection::vec(piece, 0..8))
        .prop_map(|(name, pieces)| [format!("{name}: ").as_bytes(), &pieces.concat(), b"\r\n"].concat())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "text",
            "Grüße",
            "\r\n",
            "\n",
            "\r",
            "=",
            "=C3=A9",
            "=20\r\n",
            "QUJD",
            "==",
            "\0",
            "--b\r\n",
            "--b--\r\n",
            "\r\n--b\r\n",
            "\r\n\r\n",
            "Content-Type: text/html\r\n",
            "Content-Transfer-Encoding: base64\r\n",
            "-----BEGIN PGP MESSAGE-----\r\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        (900_u16..1_100).prop_map(|n| vec![b'A'; usize::from(n)]),
        prop::collection::vec(any::<u8>(), 1..20),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// A repair takes faults away and brings none in, what is left to repair is nothing, and a reader that shares no
    /// code with us reads the same header values and attachments as before.
    #[test]
    fn a_repair_brings_nothing_in_and_is_whole(fields in prop::collection::vec(header_field(), 0..8), body in body()) {
        let raw = [&fields.concat(), b"\r\n".as_slice(), &body].concat();
        let message = Message::parse(&raw);
        let Some(repaired) = message.repaired(fields::ONCE, Bits::Encode) else { return Ok(()) };
        let bytes = repaired.rendered.to_vec();
        let after = Message::parse(&bytes);
        let faults = put_checks::compare(&after, &message);
        prop_assert!(faults.iter().all(|fault| fault.came), "{faults:?}\n{}", bytes.escape_ascii());
        prop_assert!(faults.len() < put_checks::check(&message).len(), "{}", bytes.escape_ascii());
        prop_assert!(faults.iter().all(|fault| fault.demand != Demand::Fixed));
        prop_assert!(after.repaired(fields::ONCE, Bits::Encode).is_none(), "{}", bytes.escape_ascii());
    }

    /// The checks never fail, whatever the octets.
    #[test]
    fn the_checks_take_any_octets(raw in prop::collection::vec(any::<u8>(), 0..400)) {
        let message = Message::parse(&raw);
        let faults = put_checks::check(&message);
        prop_assert!(faults.iter().all(|fault| fault.offset + fault.octets <= raw.len()));
        let _ = message.repaired(fields::ONCE, Bits::Encode);
    }
}
