//! Text that is full of finds, and a clock that runs out.

use std::cell::Cell;

use crate::envelope::{Address, Direction, Envelope};
use crate::facts::Facts;
use crate::message::{Draft, Message};
use crate::pipeline::{Outcome, Pipeline, RunError, Verdict};

/// More than are written one by one.
const MANY: usize = 6_000;

fn pipeline(options: &str) -> Pipeline {
    let rules = format!("[[rule]]\nname = \"mask\"\n{options}\n");
    Pipeline::from_sources(vec![("rules.toml".to_owned(), rules)]).unwrap_or_else(|problems| panic!("{problems}"))
}

fn run<'m>(rules: &Pipeline, message: &'m Message<'m>, late: &dyn Fn() -> bool) -> Result<Outcome<'m>, RunError> {
    let envelope = Envelope {
        direction: Direction::Outbound,
        sender: Address::new("ann@example.com").ok(),
        recipients: Vec::new(),
        message_id: "1".to_owned(),
        truncated: false,
    };
    rules.run(message, &envelope, &Facts::default(), late)
}

/// A message of one body, and the same when the rule is done with it.
fn masked(options: &str, header: &str, body: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let head = format!("Subject: a\r\nMIME-Version: 1.0\r\n{header}\r\n\r\n");
    let raw = [head.as_bytes(), body].concat();
    let message = Message::parse(&raw);
    let outcome = run(&pipeline(options), &message, &|| false).unwrap();
    let rewritten = outcome.rewritten.unwrap_or_else(|| panic!("{:?}", outcome.report.rules)).to_vec();
    (raw, rewritten)
}

/// Lines, each with a number of its own.
fn lines(line: &str) -> String {
    let number = |n: usize| {
        let digits = format!("411111{n:09}");
        let sum: u32 = digits.bytes().rev().enumerate().map(|(at, b)| doubled(u32::from(b - b'0'), at % 2 == 0)).sum();
        format!("{digits}{}", (10 - sum % 10) % 10)
    };
    (0..MANY).map(|n| line.replace("4111", &number(n))).collect()
}

fn doubled(digit: u32, doubles: bool) -> u32 {
    let value = if doubles { digit * 2 } else { digit };
    if value > 9 { value - 9 } else { value }
}

#[test]
fn text_full_of_finds_keeps_every_octet_round_them() {
    let rule = "action = { kind = \"redact\", detect = \"card\", style = \"stars\" }";
    let (_, out) = masked(rule, "Content-Type: text/plain; charset=utf-8", lines("No. 4111,\r\n").as_bytes());
    let expected = "No. ****************,\r\n".repeat(MANY);
    assert!(out.ends_with(format!("\r\n\r\n{expected}").as_bytes()) && !out.ends_with(b"\r\n\r\n"));
    assert!(out.starts_with(b"Subject: a\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"));

    // Markup, references and attributes between them.
    let html = lines("<p title=\"4111\">a&amp;4111<br/>b</p>\r\n");
    let (raw, out) = masked(rule, "Content-Type: text/html; charset=us-ascii", html.as_bytes());
    let line = "<p title=\"****************\">a&amp;****************<br/>b</p>\r\n";
    let expected = line.repeat(MANY);
    assert_eq!(raw.len(), out.len());
    assert!(out.ends_with(format!("\r\n\r\n{expected}").as_bytes()));
}

#[test]
fn text_full_of_finds_reads_as_it_did_however_it_is_encoded() {
    let rule = "action = { kind = \"redact\", detect = \"card\" }";
    let expected = "größer = [CARD] \u{2026}\r\n".repeat(MANY);
    let text = lines("größer = 4111 \u{2026}\r\n");
    let quoted = encodify::qp::BODY.encode(text.as_bytes());
    let base64 = encodify::base64::MIME.encode(text.as_bytes()) + "\r\n";
    let (windows, ..) = encoding_rs::WINDOWS_1252.encode(&text);
    let (japanese, ..) = encoding_rs::ISO_2022_JP.encode("あ4111\r\n");
    let japanese = lines(std::str::from_utf8(&japanese).unwrap());
    let cases: [(&str, &[u8], &str); 5] = [
        ("utf-8\r\nContent-Transfer-Encoding: quoted-printable", quoted.as_bytes(), &expected),
        ("utf-8\r\nContent-Transfer-Encoding: base64", base64.as_bytes(), &expected),
        ("utf-8\r\nContent-Transfer-Encoding: 8bit", text.as_bytes(), &expected),
        ("windows-1252\r\nContent-Transfer-Encoding: 8bit", &windows, &expected),
        ("iso-2022-jp", japanese.as_bytes(), &"あ[CARD]\r\n".repeat(MANY)),
    ];
    for (charset, body, expected) in cases {
        let (_, out) = masked(rule, &format!("Content-Type: text/plain; charset={charset}"), body);
        let message = Message::parse(&out);
        let draft = Draft::new(&message);
        let body = draft.bodies()[0].part;
        assert!(draft.text(body).unwrap() == expected, "{charset}");
    }
}

#[test]
fn finds_in_every_attribute_are_told_once_and_in_no_time() {
    let rule = "action = { kind = \"redact\", detect = \"card\" }";
    let html = lines("<!--<b>4111</b>--><a href=\"?x=4111\" title='4111'>4111</a>\r\n");
    let head = "Subject: a\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n";
    let raw = format!("{head}{html}");
    let message = Message::parse(raw.as_bytes());
    let outcome = run(&pipeline(rule), &message, &|| false).unwrap();
    assert_eq!(outcome.report.rules[0].edits, 4 * MANY);
    let out = outcome.rewritten.unwrap().to_vec();
    let line = "<!--<b>[CARD]</b>--><a href=\"?x=%5BCARD%5D\" title='[CARD]'>[CARD]</a>\r\n";
    assert!(out.ends_with(line.repeat(MANY).as_bytes()));
}

#[test]
fn what_stands_between_parts_is_masked_in_one_pass() {
    let rule = "action = { kind = \"redact\", detect = \"card\" }";
    let body = format!("{}--b\r\n\r\nhi\r\n--b--\r\n", lines("4111\r\n"));
    let (_, out) = masked(rule, "Content-Type: multipart/mixed; boundary=b", body.as_bytes());
    assert!(out.ends_with(format!("{}--b\r\n\r\nhi\r\n--b--\r\n", "[CARD]\r\n".repeat(MANY)).as_bytes()));
}

#[test]
fn a_rule_whose_time_runs_out_while_it_looks_is_taken_back() {
    let raw = format!("Subject: a\r\n\r\n{}", "No. 4111 1111 1111 1111\r\n".repeat(100));
    let message = Message::parse(raw.as_bytes());
    let action = "action = { kind = \"redact\", detect = \"card\" }";
    let asked = Cell::new(0);
    // As often as it is asked where there is time enough.
    run(&pipeline(action), &message, &|| {
        asked.set(asked.get() + 1);
        false
    })
    .unwrap();
    let all = asked.get();
    assert!(all > 8, "it looks at the clock {all} times");
    for enough in 1..all {
        asked.set(0);
        let late = || asked.replace(asked.get() + 1) >= enough;
        let skipped = run(&pipeline(&format!("on_error = \"skip\"\n{action}")), &message, &late).unwrap();
        assert_eq!(skipped.report.rules[0].verdict, Verdict::OutOfTime, "after {enough} of {all}");
        assert!(skipped.rewritten.is_none());
        asked.set(0);
        let error = run(&pipeline(action), &message, &late).unwrap_err();
        assert_eq!(error.to_string(), "rule `mask` failed and its on_error is fail: time ran out");
    }
}

#[test]
fn time_that_runs_out_is_no_reason_to_send_a_protected_message_back() {
    let raw = "Subject: a\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nNo. \
               4111 1111 1111 1111\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n";
    let message = Message::parse(raw.as_bytes());
    let rules = pipeline("on_error = \"skip\"\naction = { kind = \"redact\", detect = \"card\" }");
    let asked = Cell::new(0);
    let outcome = run(&rules, &message, &|| asked.replace(asked.get() + 1) > 0).unwrap();
    assert_eq!(outcome.report.rules[0].verdict, Verdict::OutOfTime);
    assert!(outcome.asked.is_empty());
    let outcome = run(&rules, &message, &|| false).unwrap();
    assert_eq!(outcome.asked.len(), 1, "with time, it is sent back");
}

#[test]
fn a_protected_message_with_a_card_behind_its_last_part_is_sent_back() {
    let raw = |behind: &str| {
        format!(
            "Subject: a\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n--b\r\n\
             Content-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n{behind}\r\n"
        )
    };
    let rules = pipeline("action = { kind = \"redact\", detect = \"card\" }");
    for (behind, sent_back) in [("No. 4111 1111 1111 1111", 1), ("No. 4111", 0)] {
        let raw = raw(behind);
        let message = Message::parse(raw.as_bytes());
        let outcome = run(&rules, &message, &|| false).unwrap();
        assert_eq!((outcome.asked.len(), outcome.rewritten.is_none()), (sent_back, true), "{behind}");
    }
}

#[test]
fn more_masks_than_a_message_can_hold_fail_the_rule() {
    let line = "~".repeat(900);
    let raw = format!("Subject: a\r\n\r\n{}", format!("{line}\r\n").repeat(1_400));
    let message = Message::parse(raw.as_bytes());
    let label = "L".repeat(39);
    let rules = pipeline(&format!("action = {{ kind = \"redact\", pattern = \"~\", label = \"{label}\" }}"));
    let error = run(&rules, &message, &|| false).unwrap_err().to_string();
    assert!(error.ends_with("more octets of masks in one text than the 48000000 that a rule takes"), "{error}");
}
