//! The largest messages there are, of nothing but what takes a rule long: links, words to replace, letters that lead a regular
//! expression into every state it has. The message is rewritten as a whole or left as it came, in time and in little memory.
//! With `MAILWRIGHT_BOOTSTRAP` it is the program that would be deployed, and the messages are of 40 MB.

use std::time::Instant;

use crate::full_of_finds::{LARGEST, MOST, is_optimised, peak};
use crate::world::{Store, World, event};

const ID: &str = "m-1";
/// What WorkMail waits for, in seconds.
const WAITS: u64 = 15;
/// What a build without optimisations gets, in octets.
const SMALL: usize = 60_000;

struct Case {
    what: &'static str,
    rule: &'static str,
    html: bool,
    line: &'static str,
    /// What becomes of 40 MB: an error that says so, or none.
    fails: Option<&'static str>,
}

const GATEWAY: &str = "action = { kind = \"rewrite_links\", gateway = \"https://gate.example.com/?u={{ url }}\" }";
const REPLACE: &str = "action = { kind = \"replace\", words = \"Acme\", with = \"Acme Ltd\" }";
const COSTLY: &str = "when = { body = { matches = 'a[ab\\r\\n]{400}[c-z]' } }\naction = { kind = \"drop\" }";
const TOO_LONG: &str = "octets of rewritten links in one text than the 48000000";
const TOO_MANY: &str = "places to replace than the 10000";
const LATE: &str = "time ran out";

const CASES: &[Case] = &[
    Case { what: "links", rule: GATEWAY, html: false, line: "http://a.b http://c.d", fails: Some(TOO_LONG) },
    Case { what: "links in HTML", rule: GATEWAY, html: true, line: "<a href=//a.b>x</a>", fails: Some(TOO_LONG) },
    Case { what: "URLs in HTML", rule: GATEWAY, html: true, line: "<p>http://a.b", fails: Some(TOO_LONG) },
    Case {
        what: "tracked links",
        rule: "action = { kind = \"rewrite_links\", tracking = \"known\" }",
        html: false,
        line: "http://a.b/?utm_a=1",
        fails: None,
    },
    Case { what: "words", rule: REPLACE, html: false, line: "Acme Acme Acme Acme", fails: Some(TOO_MANY) },
    Case { what: "words in HTML", rule: REPLACE, html: true, line: "<b>Acme</b> <i>Acme</i>", fails: Some(TOO_MANY) },
    Case { what: "new words", rule: REPLACE, html: false, line: "Acme Ltd Acme Ltd", fails: None },
    Case { what: "letters", rule: COSTLY, html: false, line: "", fails: Some(LATE) },
];

fn message(case: &Case, octets: usize) -> Vec<u8> {
    let kind = if case.html { "html" } else { "plain" };
    let mut raw = format!(
        "From: Ann <ann@example.com>\r\nTo: kim@customer.example\r\nSubject: Harvest plan\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
    )
    .into_bytes();
    let mut state = 1_u32;
    let room = octets - 1_000;
    while raw.len() < room {
        if case.line.is_empty() {
            raw.extend(
                std::iter::repeat_with(|| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    if state >> 31 == 0 { b'a' } else { b'b' }
                })
                .take(76),
            );
        } else {
            raw.extend(case.line.as_bytes());
        }
        raw.extend(b"\r\n");
    }
    raw
}

#[tokio::test]
async fn a_message_full_of_work_is_done_or_given_up_as_a_whole() {
    for case in CASES {
        let rules = format!("[[rule]]\nname = \"work\"\non_error = \"fail\"\n{}\n", case.rule);
        let mut world = World::start_on(Store::Plain, &rules, &[]).await;
        let raw = message(case, if is_optimised() { LARGEST } else { SMALL });
        world.insert(ID, raw.clone());
        let begun = Instant::now();
        let answer = world.invoke(&event(ID, "OUTBOUND")).await;
        let (took, memory) = (begun.elapsed(), peak(world.pid()));
        println!("{} of {} octets: {} ms, {} MB", case.what, raw.len(), took.as_millis(), memory / 1_000_000);
        assert!(memory < MOST, "{}: {memory} octets of memory", case.what);
        assert!(took.as_secs() < WAITS || !is_optimised(), "{}: {took:?}", case.what);
        let Err(error) = answer else {
            assert!(!is_optimised() || case.fails.is_none(), "{} was done", case.what);
            continue;
        };
        assert!(world.message(ID) == raw, "{}: not as it came", case.what);
        // On a slow machine time runs out first, maybe when the rule is done.
        let kind = error["errorType"].as_str().unwrap_or_default();
        assert!(["Mailwright.RuleFailed", "Mailwright.OutOfTime"].contains(&kind), "{}: {error}", case.what);
        let why = error["errorMessage"].to_string();
        assert!(case.fails.is_some_and(|fails| why.contains(fails)) || why.contains(LATE), "{}: {why}", case.what);
        assert!(case.fails.is_some() || !is_optimised(), "{}: {why}", case.what);
    }
}
