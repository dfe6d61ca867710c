//! What each policy does to each kind of protected message, however deep in the message the protected part stands: by the
//! rules alone, as a rule author sees it.

use std::fmt::Write as _;

use mailwright::directory::Organization;
use mailwright::envelope::{Address, Direction, Envelope};
use mailwright::facts::Facts;
use mailwright::message::Message;
use mailwright::pipeline::{Outcome, Pipeline};

const TEXT: &str = "Content-Type: text/plain; charset=utf-8\n\nHello\n";
const ARMORED: &str = "-----BEGIN PGP MESSAGE-----\n\nhQEMA0\n=abcd\n-----END PGP MESSAGE-----\n";
const CLEAR: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n-----BEGIN PGP SIGNATURE-----\n\n\
                     iQEz\n=abcd\n-----END PGP SIGNATURE-----\n";

fn multipart(subtype: &str, parameters: &str, boundary: &str, parts: &[&str]) -> String {
    let mut out = format!("Content-Type: multipart/{subtype}{parameters}; boundary=\"{boundary}\"\n\n");
    for part in parts {
        let _ = write!(out, "--{boundary}\n{part}\n");
    }
    out + &format!("--{boundary}--\n")
}

/// The kinds, each with whether a new part may stand above it: what would not be decrypted or answered inside another part
/// stays whole.
fn kinds() -> Vec<(&'static str, String, bool)> {
    let signature = |kind: &str| format!("Content-Type: application/{kind}-signature; name=s\n\nMIIB\n");
    let pkcs7 = |kind: &str| {
        let disposition = "Content-Disposition: attachment; filename=smime.p7m";
        format!("Content-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7m\n{disposition}\n\nMIIB\n")
    };
    let request = "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n";
    let encrypted =
        ["Content-Type: application/pgp-encrypted\n\nVersion: 1\n", "Content-Type: application/octet-stream\n\nx\n"];
    let report = |kind: &str| [TEXT.to_owned(), format!("Content-Type: message/{kind}\n\nReporting-UA: a\n")];
    let parts = |parts: &[String; 2], subtype: &str, parameters: &str| {
        multipart(subtype, parameters, "p", &parts.each_ref().map(String::as_str))
    };
    let text = TEXT.to_owned();
    vec![
        (
            "S/MIME",
            parts(&[text.clone(), signature("pkcs7")], "signed", "; protocol=\"application/pkcs7-signature\""),
            true,
        ),
        ("PGP/MIME", parts(&[text, signature("pgp")], "signed", "; protocol=\"application/pgp-signature\""), true),
        (
            "PGP/MIME, encrypted",
            multipart("encrypted", "; protocol=\"application/pgp-encrypted\"", "p", &encrypted),
            false,
        ),
        ("S/MIME, enveloped", pkcs7("enveloped-data"), false),
        ("S/MIME, opaque", pkcs7("signed-data"), false),
        ("PGP in the text, signed", format!("Content-Type: text/plain\n\n{CLEAR}"), true),
        ("PGP in the text, encrypted", format!("Content-Type: text/plain\n\n{ARMORED}"), true),
        ("delivery report", parts(&report("delivery-status"), "report", "; report-type=delivery-status"), false),
        (
            "read receipt",
            parts(&report("disposition-notification"), "report", "; report-type=disposition-notification"),
            false,
        ),
        ("invitation", request.to_owned(), false),
        (
            "TNEF",
            "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+\n".into(),
            false,
        ),
    ]
}

/// Where the protected part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// It is the message.
    Alone,
    /// In so many multiparts, with no text beside it.
    Inside(usize),
    /// The same with a text before it, in each.
    Beside(usize),
}

fn placed(part: &str, stands: Stands) -> String {
    let (depth, beside) = match stands {
        Stands::Alone => (0, false),
        Stands::Inside(depth) => (depth, false),
        Stands::Beside(depth) => (depth, true),
    };
    (0..depth).fold(part.to_owned(), |inner, level| {
        let boundary = format!("outer{level}");
        let parts: &[&str] = if beside { &[TEXT, &inner] } else { &[&inner] };
        multipart("mixed", "", &boundary, parts)
    })
}

fn pipeline(policy: &str) -> Pipeline {
    let rules = format!(
        "[[rule]]\nname = \"banner\"\n[[rule.action]]\nkind = \"prepend\"\ntext = \"BLÖCK 5 €\"\nprotected = \"{policy}\"\n\
         [[rule.action]]\nkind = \"set_header\"\nname = \"X-Seen\"\nvalue = \"yes\"\n"
    );
    let pipeline = Pipeline::from_sources(vec![("rules.toml".into(), rules)]).unwrap_or_else(|p| panic!("{p}"));
    pipeline.with_organization(Organization::default())
}

fn envelope() -> Envelope {
    Envelope {
        direction: Direction::Outbound,
        sender: Address::new("ann@example.com").ok(),
        recipients: vec![Address::new("kim@example.net").unwrap()],
        message_id: "m-1".into(),
        truncated: false,
    }
}

fn run<'m>(pipeline: &Pipeline, message: &'m Message<'m>) -> (Outcome<'m>, Option<Vec<u8>>) {
    let outcome = pipeline.run(message, &envelope(), &Facts::default(), &|| false).expect("no rule fails");
    let rewritten = outcome.rewritten.as_ref().map(mailwright::message::Rendered::to_vec);
    (outcome, rewritten)
}

/// How often the block stands in the texts of a message, as a reader sees them.
fn blocks(raw: &[u8]) -> usize {
    let message = mail_parser::MessageParser::new().parse(raw).expect("a message");
    let texts = message.parts.iter().filter_map(|part| part.text_contents());
    texts.map(|text| text.matches("BLÖCK 5 €").count()).sum()
}

#[test]
fn each_policy_does_what_it_says_to_each_kind_at_each_depth() {
    let policies = ["skip", "headers-only", "wrap", "bounce"].map(|policy| (policy, pipeline(policy)));
    let places = [Stands::Alone, Stands::Inside(1), Stands::Inside(3), Stands::Beside(1), Stands::Beside(4)];
    let mut wrapped = 0;
    for (kind, part, may_be_wrapped) in kinds() {
        for stands in places {
            let header = "From: ann@example.com\nTo: kim@example.net\nSubject: Plan\nMIME-Version: 1.0\n";
            let raw = format!("{header}{}", placed(&part, stands)).replace('\n', "\r\n").into_bytes();
            let whole = part.replace('\n', "\r\n");
            let body = raw.windows(4).position(|w| w == b"\r\n\r\n").map(|at| raw[at..].to_vec()).unwrap();
            for (policy, pipeline) in &policies {
                let what = format!("{kind}, {stands:?}, {policy}");
                let message = Message::parse(&raw);
                assert!(message.protection().is_some(), "{what}");
                let (outcome, after) = run(pipeline, &message);
                let answer = format!("{:?}", outcome.answers.strictest());
                // Nobody is told of an automatic message that it came back.
                let automatic = stands == Stands::Alone && matches!(kind, "delivery report" | "read receipt");
                assert_eq!(answer.contains("Bounce"), *policy == "bounce" && !automatic, "{what}: {answer}");
                let Some(after) = after else {
                    assert!(matches!(*policy, "skip" | "bounce"), "{what}: unchanged");
                    continue;
                };
                assert!(matches!(*policy, "headers-only" | "wrap"), "{what}: changed");
                let shown = String::from_utf8_lossy(&after).into_owned();
                assert!(shown.contains("X-Seen: yes\r\n"), "{what}: {shown}");
                if *policy == "headers-only" {
                    assert!(after.ends_with(&body), "{what}: {shown}");
                    continue;
                }
                // The protected part keeps its bytes, or is the message, whose fields may stand above the new part's.
                let inner = if stands == Stands::Alone { &whole[whole.find("\r\n\r\n").unwrap()..] } else { &whole };
                assert!(shown.contains(inner.trim_end()), "{what}: {shown}");
                let expected = matches!(stands, Stands::Beside(_)) || may_be_wrapped;
                assert_eq!(blocks(&after), usize::from(expected), "{what}: {shown}");
                assert_eq!(Message::parse(&after).protection(), message.protection(), "{what}: {shown}");
                let again = Message::parse(&after);
                assert_eq!(run(pipeline, &again).1, None, "{what}: a second run changes nothing");
                wrapped += usize::from(expected);
            }
        }
    }
    assert!(wrapped > 30, "{wrapped}");
}
