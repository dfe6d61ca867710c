//! The largest messages there are, of nothing but what a rule masks: masked as a whole in little memory, or the invocation
//! fails and says why. With `MAILWRIGHT_BOOTSTRAP` it is the program that would be deployed, and the messages are of 40 MB.

use serde_json::Value;

use crate::default;
use crate::world::{Store, World, event};

const RULES: &str = r#"
[[rule]]
name = "mask"
action = { kind = "redact", detect = ["card", "email"], style = "keep-last" }
"#;

const ID: &str = "m-1";
/// The most memory that the process ever has, in octets, whatever is in a message of 40 MB: well below half of what the
/// template gives it.
pub const MOST: u64 = 400_000_000;
/// The largest message that WorkMail takes back.
pub const LARGEST: usize = 40_000_000;
/// What a build without optimisations masks in time on a machine with much else to do, in octets.
const SMALL: usize = 300_000;
/// How often a message is sent for which there was no time: how much there is depends on what else the machine does.
const TRIES: u32 = 3;
const LATE: &str = "time ran out";

/// One after the other, each with another number or name: a line as it comes, and as it is to go out.
type Line = fn(u64) -> (String, String);

struct Case {
    what: &'static str,
    content_type: &'static str,
    base64: bool,
    line: Line,
}

pub fn is_optimised() -> bool {
    std::env::var_os("MAILWRIGHT_BOOTSTRAP").is_some()
}

/// Sixteen digits that pass Luhn.
fn card(n: u64) -> String {
    let digits = format!("411111{:09}", n % 50_000 * 7_919);
    let doubled = |(at, b): (usize, u8)| match (u32::from(b - b'0'), at % 2) {
        (digit, 0) if digit > 4 => digit * 2 - 9,
        (digit, 0) => digit * 2,
        (digit, _) => digit,
    };
    let sum: u32 = digits.bytes().rev().enumerate().map(doubled).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn cases() -> Vec<Case> {
    let plain = "text/plain; charset=utf-8";
    let html = "text/html; charset=utf-8";
    vec![
        Case {
            what: "cards in groups",
            content_type: plain,
            base64: false,
            line: |n| {
                let card = card(n);
                let groups = format!("{} {} {} ", &card[..4], &card[4..8], &card[8..12]);
                (format!("{groups}{}\r\n", &card[12..]), format!("**** **** **** {}\r\n", &card[12..]))
            },
        },
        Case {
            what: "addresses",
            content_type: plain,
            base64: false,
            line: |n| {
                let name = format!("a{:04}", n % 10_000);
                (format!("{name}@example.com\r\n"), "*****@******e.com\r\n".to_owned())
            },
        },
        Case {
            what: "cards in HTML",
            content_type: html,
            base64: false,
            line: |n| {
                let card = card(n);
                (format!("<p>{card}</p>\r\n"), format!("<p>************{}</p>\r\n", &card[12..]))
            },
        },
        Case {
            what: "cards in attributes and comments",
            content_type: html,
            base64: false,
            line: |n| {
                let card = card(n);
                let masked = format!("************{}", &card[12..]);
                (
                    format!("<i title='{card}'><!--{card}--></i>\r\n"),
                    format!("<i title='{masked}'><!--{masked}--></i>\r\n"),
                )
            },
        },
        Case {
            what: "cards in base64",
            content_type: plain,
            base64: true,
            line: |n| {
                let card = card(n);
                (format!("{card} \u{e9}\r\n"), format!("************{} \u{e9}\r\n", &card[12..]))
            },
        },
    ]
}

/// A message of so many octets at most, and the text that is to become of its body.
fn message(case: &Case, octets: usize) -> (Vec<u8>, String) {
    let encoding = if case.base64 { "base64" } else { "7bit" };
    let mut raw = format!(
        "From: Ann <ann@example.com>\r\nTo: kim@customer.example\r\nSubject: Harvest plan\r\nMIME-Version: 1.0\r\n\
         Content-Type: {}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n",
        case.content_type
    );
    // The mark that the rewrite gets, and the line ends of base64.
    let room = (octets - raw.len() - 1_000) / if case.base64 { 140 } else { 100 } * 100;
    let (mut text, mut expected) = (String::new(), String::new());
    for n in 0.. {
        let (line, masked) = (case.line)(n);
        if text.len() + line.len() > room {
            break;
        }
        text.push_str(&line);
        expected.push_str(&masked);
    }
    if case.base64 {
        raw.push_str(&encodify::base64::MIME.encode(text.as_bytes()));
        raw.push_str("\r\n");
    } else {
        raw.push_str(&text);
    }
    (raw.into_bytes(), expected)
}

/// The text of the body of a message.
fn body(case: &Case, raw: &[u8]) -> String {
    let start = memchr::memmem::find(raw, b"\r\n\r\n").unwrap() + 4;
    if case.base64 {
        return String::from_utf8(encodify::base64::MIME.decode(&raw[start..]).unwrap()).unwrap();
    }
    String::from_utf8(raw[start..].to_vec()).unwrap()
}

/// The most memory that the process had since it began, in octets.
pub fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

/// What becomes of a message: `None` where it is masked as it should be, else the error, with the message as it came.
async fn outcome(world: &mut World, case: &Case, octets: usize) -> Option<Value> {
    for _ in 1..TRIES {
        let outcome = one_outcome(world, case, octets).await;
        let late =
            outcome.as_ref().and_then(|error| error["errorMessage"].as_str()).is_some_and(|why| why.contains(LATE));
        if !late {
            return outcome;
        }
    }
    one_outcome(world, case, octets).await
}

async fn one_outcome(world: &mut World, case: &Case, octets: usize) -> Option<Value> {
    let (raw, expected) = message(case, octets);
    world.insert(ID, raw.clone());
    let answer = world.invoke(&event(ID, "OUTBOUND")).await;
    let now = world.message(ID);
    let peak = peak(world.pid());
    println!("{} of {} octets: {} MB", case.what, raw.len(), peak / 1_000_000);
    assert!(peak < MOST, "{}: {peak} octets of memory", case.what);
    match answer {
        Ok(answer) => {
            assert_eq!(answer, default(), "{}", case.what);
            assert!(now.starts_with(b"X-Mailwright-Mark:") && body(case, &now) == expected, "{}: half done", case.what);
            None
        }
        Err(error) => {
            assert!(now == raw, "{}: not as it came", case.what);
            assert_eq!(error["errorType"], "Mailwright.RuleFailed", "{}: {error}", case.what);
            Some(error)
        }
    }
}

#[tokio::test]
async fn full_of_finds_a_message_is_masked_as_a_whole_in_little_memory() {
    let octets = if is_optimised() { LARGEST } else { SMALL };
    let mut world = World::start_on(Store::Plain, RULES, &[]).await;
    for case in cases() {
        let error = outcome(&mut world, &case, octets).await;
        assert_eq!(error, None, "{}: {}", case.what, world.log());
        world.restart().await;
    }
}

#[tokio::test]
async fn full_of_more_finds_than_it_takes_a_message_fails_as_a_whole() {
    let mut world = World::start_on(Store::Plain, RULES, &[]).await;
    // Five million addresses.
    let shortest = Case {
        what: "the shortest addresses",
        content_type: "text/plain",
        base64: false,
        line: |_| ("a@b.co\r\n".to_owned(), "*@*.co\r\n".to_owned()),
    };
    if !is_optimised() {
        // It would take all the time there is, and the processor from the tests beside it.
        assert_eq!(outcome(&mut world, &shortest, SMALL).await, None, "{}", world.log());
        return;
    }
    let error = outcome(&mut world, &shortest, LARGEST).await.unwrap()["errorMessage"].to_string();
    let why = "the message has more finds to mask than the 4000000 that a rule takes";
    assert!(error.contains("`mask`") && error.contains(why), "{error}");
    assert!(world.log().contains(why), "{}", world.log());
}
