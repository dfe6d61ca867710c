//! What holds for every kind of action, and what the ones on bodies do to messages.

use super::super::conditions;
use super::KINDS;
use crate::envelope::{Address, Direction, Envelope};
use crate::facts::Facts;
use crate::message::Message;
use crate::pipeline::{Outcome, Pipeline, Verdict};
use crate::rule::Disposition;

const PLAIN: &str = "From: ann@example.com\nSubject: Minutes\nMessage-ID: <1@example.com>\nDate: Mon, 5 Oct 2026 10:00:00 \
                     +0000\nX-Originating-IP: 192.0.2.1\n\nHi Kim,\ncard 4111 1111 1111 1111\n";
const BOTH: &str = "From: ann@example.com\nSubject: Minutes\nMessage-ID: <1@example.com>\nMIME-Version: 1.0\nContent-Type: \
                    multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nHi \
                    Kim\n--b\nContent-Type: text/html; charset=utf-8\n\n<html><body><p>Hi Kim</p></body></html>\n--b--\n";
const SIGNED: &str = "From: ann@example.com\nSubject: Minutes\nMIME-Version: 1.0\nContent-Type: multipart/signed; \
                      protocol=\"application/pkcs7-signature\"; boundary=b\n\n--b\n\nCard 4111 1111 1111 1111\n--b\n\
                      Content-Type: application/pkcs7-signature\n\nx\n--b--\n";

fn envelope(direction: Direction) -> Envelope {
    Envelope {
        direction,
        sender: Address::new("ann@example.com").ok(),
        recipients: Address::new("kim@customer.example").into_iter().collect(),
        message_id: "0-1".into(),
        truncated: false,
    }
}

fn pipeline(rule: &str) -> Pipeline {
    let files = vec![("r.toml".into(), rule.into()), ("organization.toml".into(), "domains = \"example.com\"".into())];
    Pipeline::from_sources(files).unwrap_or_else(|problems| panic!("{problems}"))
}

fn with_action(action: &str) -> Pipeline {
    pipeline(&format!("[[rule]]\nname = \"r\"\n[[rule.action]]\n{action}"))
}

fn crlf(mail: &str) -> Vec<u8> {
    mail.replace('\n', "\r\n").into_bytes()
}

/// The message after the rules, with the outcome.
fn run<'m>(pipeline: &Pipeline, message: &'m Message<'m>, direction: Direction) -> (Vec<u8>, Outcome<'m>) {
    let outcome = pipeline.run(message, &envelope(direction), &Facts::default(), &|| false).unwrap();
    assert!(outcome.report.notes.is_empty(), "{:?}", outcome.report.notes);
    (outcome.rewritten.as_ref().map_or_else(|| message.raw().to_vec(), crate::message::Rendered::to_vec), outcome)
}

fn rewritten(action: &str, mail: &str) -> String {
    let raw = crlf(mail);
    let message = Message::parse(&raw);
    String::from_utf8(run(&with_action(action), &message, Direction::Outbound).0).unwrap().replace("\r\n", "\n")
}

/// How often the text stands in the message after one run, and after a run on that.
fn counts(action: &str, mail: &str, text: &str) -> (usize, usize) {
    let once = rewritten(action, mail);
    let twice = rewritten(action, &once);
    (once.matches(text).count(), twice.matches(text).count())
}

#[test]
fn every_kind_has_docs_for_itself_and_its_options() {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.kind).collect();
    for kind in KINDS {
        assert_eq!(names.iter().filter(|name| **name == kind.kind).count(), 1, "{}", kind.kind);
        assert!(kind.doc.ends_with('.'), "{}", kind.kind);
        assert!(!kind.directions.is_empty(), "{}", kind.kind);
        for option in kind.options {
            assert!(option.doc.ends_with('.'), "{}: {}", kind.kind, option.key);
            assert!(!option.takes.to_string().is_empty(), "{}: {}", kind.kind, option.key);
        }
    }
    for kind in conditions::KINDS {
        assert!(kind.doc.ends_with('.'), "{}", kind.key);
        for option in kind.takes.options() {
            assert!(option.doc.ends_with('.'), "{}: {}", kind.key, option.key);
        }
    }
}

#[test]
fn every_condition_has_an_example_that_loads() {
    for kind in conditions::KINDS {
        let rule = format!("[[rule]]\nname = \"r\"\naction = {{ kind = \"drop\" }}\n[rule.when]\n{}\n", kind.example);
        pipeline(&rule);
    }
}

#[test]
fn every_action_has_an_example_that_loads_acts_and_acts_only_once() {
    for kind in KINDS {
        let direction = kind.directions.first().copied().unwrap();
        let inbound = if direction == Direction::Inbound { "when = { direction = \"inbound\" }\n" } else { "" };
        let rule = format!("[[rule]]\nname = \"r\"\n{inbound}[[rule.action]]\n{}", kind.example);
        let pipeline = pipeline(&rule);
        for mail in [PLAIN, BOTH] {
            let raw = crlf(mail);
            let message = Message::parse(&raw);
            let (once, outcome) = run(&pipeline, &message, direction);
            let report = outcome.report.rules.first().unwrap();
            assert_eq!(report.verdict, Verdict::Matched, "{}", kind.kind);
            assert_eq!(report.effects.len(), 1, "{}", kind.kind);
            assert_eq!(report.edits > 0, once != raw, "{}: {:?}", kind.kind, report.effects);
            let again = Message::parse(&once);
            let (twice, second) = run(&pipeline, &again, direction);
            assert!(second.rewritten.is_none(), "{} acts twice:\n{}", kind.kind, String::from_utf8_lossy(&twice));
            assert_eq!(second.answers, outcome.answers, "{}", kind.kind);
        }
    }
}

#[test]
fn a_block_goes_into_each_body_in_its_form() {
    let mail =
        rewritten("kind = \"append\"\nhtml = '<p>See <a href=\"https://x.example/\">terms</a> &amp; more</p>'\n", BOTH);
    assert!(mail.contains("See terms <https://x.example/> & more"), "{mail}");
    let html = "\" href=\"https://x.example/\">terms</a> &amp; more</p></div>";
    assert!(mail.contains(html) || mail.replace("=\n", "").replace("=3D", "=").contains(html), "{mail}");
    let mail = rewritten("kind = \"prepend\"\ntext = \"a < b {{ subject }}\"\n", BOTH);
    assert!(mail.contains("a &lt; b Minutes"), "{mail}");
    assert!(mail.contains("\n\na < b Minutes"), "{mail}");
}

#[test]
fn a_header_that_cannot_be_edited_is_not_said_to_be_fine() {
    let raw = crlf("From: kim@example.com\nSubject: 4111 1111 1111 1111\nX-A: b\n");
    let message = Message::parse(&raw);
    for action in [
        "kind = \"tag_subject\"\ntag = \"[X]\"\n",
        "kind = \"set_header\"\nname = \"X-B\"\nvalue = \"c\"\n",
        "kind = \"remove_header\"\nname = \"X-A\"\n",
    ] {
        let verdict = run(&with_action(action), &message, Direction::Outbound).1.report.rules.remove(0).verdict;
        assert_eq!(verdict, Verdict::Skipped("the header cannot be edited".into()), "{action}");
    }
    let redact = with_action("kind = \"redact\"\ndetect = \"card\"\nwhere = \"subject\"\n");
    let failed = redact.run(&message, &envelope(Direction::Outbound), &Facts::default(), &|| false);
    assert!(failed.is_err_and(|e| e.to_string().contains("the header could not be edited")));
}

#[test]
fn a_subject_of_any_length_or_with_line_ends_does_not_keep_a_banner_off() {
    let long = PLAIN.replace("Minutes", &"word ".repeat(100_000));
    assert!(rewritten("kind = \"prepend\"\ntext = \"Outside: {{ subject }}\"\n", &long).contains("Outside: word word"));
    let split = PLAIN.replace("Minutes", "=?utf-8?q?a=0D=0A=0D=0Ab=00c?=");
    assert!(
        rewritten("kind = \"prepend\"\ntext = \"Outside: {{ subject }}\"\n", &split).contains("Outside: a    b c\n")
    );
}

#[test]
fn a_hidden_copy_of_the_banner_that_ships_does_not_keep_it_off() {
    let rules = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/10-external-banner.toml");
    let pipeline = Pipeline::load(&rules).unwrap();
    let banner = "This message comes from outside the company. Do not open attachments or follow links unless you know \
                  the sender and expect them.";
    let raw = crlf(&BOTH.replace("<html>", &format!("<html><div style=\"display:none\">{banner}</div>")));
    let message = Message::parse(&raw);
    let from_outside = Envelope { sender: Address::new("eve@evil.example").ok(), ..envelope(Direction::Inbound) };
    let outcome = pipeline.run(&message, &from_outside, &Facts::default(), &|| false).unwrap();
    assert_eq!(outcome.report.rules[0].effects, ["prepend: 2 bodies"]);
}

#[test]
fn a_value_of_the_message_is_no_markup_and_no_header_line() {
    let mail = BOTH.replace("Minutes", "=?utf-8?q?=3Cimg_src=3Dx=3E=0D=0ABcc:_eve@example.net?=");
    let out = rewritten("kind = \"append\"\nhtml = \"<p>Re {{ subject }}</p>\"\n", &mail);
    let (_, html) = out.split_once("<html>").unwrap();
    assert!(html.contains("&lt;img src=x&gt;") && !html.contains("<img"), "{out}");
    let out = rewritten("kind = \"set_header\"\nname = \"X-Copy\"\nvalue = \"{{ subject }}\"\n", &mail);
    assert!(!out.contains("\nBcc:"), "{out}");
}

const NOTICE: &str = "kind = \"append\"\ntext = \"This mail is confidential, {{ sender.domain }}.\"\n";

#[test]
fn once_per_message_puts_the_block_below_each_reply() {
    let reply = "From: kim@example.com\nSubject: Re: Minutes\nMessage-ID: <2@example.com>\n\nThanks!\n\nOn Mon, 5 Oct 2026 \
                 at 10:00, Ann <ann@example.com> wrote:\n> Hi Kim,\n>\n> This mail is confidential, example.com.\n";
    assert_eq!(counts(NOTICE, PLAIN, "confidential"), (1, 1));
    assert_eq!(counts(NOTICE, reply, "confidential"), (2, 2));
    let below = format!("{NOTICE}place = \"below-reply\"\n");
    assert_eq!(counts(&below, reply, "confidential"), (2, 2));
    let out = rewritten(&below, reply);
    assert!(out.find("confidential") < out.find("wrote:"), "{out}");
    let thread = format!("{NOTICE}once = \"thread\"\n");
    assert_eq!(counts(&thread, PLAIN, "confidential"), (1, 1));
    assert_eq!(counts(&thread, reply, "confidential"), (1, 1));
    let always = format!("{NOTICE}once = \"always\"\n");
    assert_eq!(counts(&always, PLAIN, "confidential"), (1, 2));
}

#[test]
fn a_block_is_known_again_though_its_variables_have_changed() {
    let rule = "[[rule]]\nname = \"r\"\n[[rule.action]]\nkind = \"append\"\ntext = \"This is confidential: {{ subject \
                }}\"\n[[rule.action]]\nkind = \"tag_subject\"\ntag = \"[X]\"\n";
    let pipeline = pipeline(rule);
    for mail in [PLAIN, BOTH] {
        let raw = crlf(mail);
        let message = Message::parse(&raw);
        let (once, _) = run(&pipeline, &message, Direction::Outbound);
        let again = Message::parse(&once);
        assert!(run(&pipeline, &again, Direction::Outbound).1.rewritten.is_none());
    }
}

#[test]
fn two_blocks_of_one_rule_are_two_blocks() {
    let rule = "[[rule]]\nname = \"r\"\n[[rule.action]]\nkind = \"append\"\nhtml = \"<p>The first of these</p>\"\n\
                [[rule.action]]\nkind = \"append\"\nhtml = \"<p>The second of these</p>\"\n";
    let raw = crlf(BOTH);
    let message = Message::parse(&raw);
    let (once, _) = run(&pipeline(rule), &message, Direction::Outbound);
    let once = String::from_utf8(once).unwrap();
    assert!(once.contains("The first of these") && once.contains("The second of these"), "{once}");
}

#[test]
fn wrapping_a_signed_message_shows_the_block_and_happens_once() {
    let wrap = format!("{NOTICE}protected = \"wrap\"\n");
    let out = rewritten(&wrap, SIGNED);
    assert!(out.contains("confidential") && out.contains("multipart/signed"), "{out}");
    assert_eq!(counts(&wrap, SIGNED, "confidential"), (1, 1));
    assert_eq!(rewritten(NOTICE, SIGNED), SIGNED);
}

const REDACT: &str = "kind = \"redact\"\ndetect = [\"card\", \"email\"]\n";

#[test]
fn mail_of_attachments_only_gets_the_block_as_a_part_where_the_rule_says_so() {
    const FILE: &str = "From: ann@example.com\nMIME-Version: 1.0\nContent-Type: application/pdf; name=a.pdf\n\
                        Content-Transfer-Encoding: base64\n\nJVBERi0xLjc=\n";
    let part = "kind = \"append\"\ntext = \"Confidential.\"\nno_body = \"part\"\n";
    assert_eq!(counts(part, FILE, "Confidential."), (1, 1));
    assert!(
        rewritten(part, FILE).contains(
            "\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjc=\n"
        )
    );
    assert_eq!(rewritten("kind = \"append\"\ntext = \"Confidential.\"\n", FILE), FILE);
}

#[test]
fn text_that_cannot_be_edited_without_doubt_keeps_its_bytes_and_the_block_stands_beside_it() {
    let raw = b"From: ann@example.com\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\xFC\xDFe\r\n";
    let message = Message::parse(raw);
    let beside = with_action("kind = \"append\"\ntext = \"Für Sie\"\n");
    let (out, _) = run(&beside, &message, Direction::Outbound);
    let has = |part: &[u8]| out.windows(part.len()).any(|window| window == part);
    assert!(has(b"Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xFC\xDFe\r\n"));
    let again = Message::parse(&out);
    assert_eq!(run(&beside, &again, Direction::Outbound).0, out);
    let skip = with_action("kind = \"append\"\ntext = \"Für Sie\"\nfallback = \"skip\"\n");
    let (out, outcome) = run(&skip, &message, Direction::Outbound);
    assert_eq!(out, raw);
    assert!(matches!(outcome.report.rules[0].verdict, Verdict::Skipped(_)));
}

#[test]
fn a_charset_with_something_stuck_to_it_keeps_its_field_and_the_block_stands_beside() {
    let mail =
        "From: ann@example.com\nContent-Type: text/plain; charset=\"UTF-8\"Content-Transfer-Encoding: 8bit\n\nHi\n";
    let append = "kind = \"append\"\ntext = \"Für Sie\"\n";
    let out = rewritten(append, mail);
    assert!(
        out.contains("\nContent-Type: text/plain; charset=\"UTF-8\"Content-Transfer-Encoding: 8bit\n\nHi\n"),
        "{out}"
    );
    assert_eq!(rewritten(append, &out), out);
}

#[test]
fn data_in_what_cannot_be_taken_apart_is_an_error_and_never_passed_over() {
    let cards = pipeline("[[rule]]\nname = \"r\"\n[[rule.action]]\nkind = \"redact\"\ndetect = \"card\"\n");
    let opaque = "Content-Type: multipart/mixed\n\n--b\n\n4111 1111 1111 1111\n--b--\n";
    let never = "Content-Type: multipart/mixed; boundary=c\n\n--b\n\n4111 1111 1111 1111\n--b--\n";
    let doubtful = "Content-Type: text/plain\nContent-Type: text/html\n\n4111 1111 1111 1111\n";
    for mail in [opaque, never, doubtful] {
        let raw = crlf(mail);
        let message = Message::parse(&raw);
        assert!(cards.run(&message, &envelope(Direction::Outbound), &Facts::default(), &|| false).is_err(), "{mail}");
        let clean = crlf(&mail.replace("4111", "4112"));
        let message = Message::parse(&clean);
        assert!(cards.run(&message, &envelope(Direction::Outbound), &Facts::default(), &|| false).is_ok(), "{mail}");
    }
}

#[test]
fn data_is_masked_in_a_block_that_stands_beside_the_message() {
    let rules = "[[rule]]\nname = \"a\"\n[[rule.action]]\nkind = \"prepend\"\ntext = \"Über {{ subject }}\"\n\
                 [[rule]]\nname = \"b\"\n[[rule.action]]\nkind = \"redact\"\ndetect = \"card\"\n";
    let raw = b"Subject: 4111 1111 1111 1111\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\xFC\xDFe\r\n";
    let message = Message::parse(raw);
    let (out, _) = run(&pipeline(rules), &message, Direction::Outbound);
    assert!(!String::from_utf8_lossy(&out).contains("4111"));
    let again = Message::parse(&out);
    assert_eq!(run(&pipeline(rules), &again, Direction::Outbound).0, out);
}

#[test]
fn data_is_masked_in_the_subject_and_in_every_body() {
    let mail = "From: ann@example.com\nSubject: Pay 4111 1111 1111 1111\nThread-Topic: Pay 4111 1111 1111 1111\nMIME-Version: \
                1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nNo. \
                4111111111111111, kim@customer.example\n--b\nContent-Type: text/html\n\n<p>No. 4111 <b>1111</b> 1111&nbsp;\
                1111</p><p>kim@<i>customer</i>.example</p>\n--b--\n";
    let out = rewritten(REDACT, mail);
    assert!(out.contains("Subject: Pay [CARD]\nThread-Topic: Pay [CARD]\n"), "{out}");
    assert!(out.contains("No. [CARD], [EMAIL]\n"), "{out}");
    assert!(out.contains("<p>No. [CARD]<b></b></p><p>[EMAIL]<i></i></p>"), "{out}");
    assert_eq!(rewritten(REDACT, &out), out);
    let stars = format!("{REDACT}style = \"keep-last\"\nkeep = 4\nwhere = \"body\"\n");
    let out = rewritten(&stars, mail);
    assert!(out.contains("Subject: Pay 4111 1111 1111 1111\n"), "{out}");
    assert!(out.contains("No. ************1111,"), "{out}");
    assert!(out.contains("<p>No. **** <b>****</b> ****&nbsp;1111</p>"), "{out}");
}

#[test]
fn what_links_and_pictures_say_is_masked_too() {
    let html = "From: a@b\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p><a class=x HREF='mailto:kim@customer.example?subject=x' \
                title=\"Write to kim@customer.example\">write</a> <img alt=\"card 4111111111111111\" \
                src=\"https://x.example/4111111111111111.png\"> <a href=\"https://x.example/?to=kim@customer.example\">x</a></p>\n";
    let out = rewritten(REDACT, html);
    assert!(out.contains("HREF='mailto:%5BEMAIL%5D?subject=x' title=\"Write to [EMAIL]\">write</a>"), "{out}");
    assert!(out.contains("<img alt=\"card [CARD]\" src=\"https://x.example/4111111111111111.png\">"), "{out}");
    assert!(out.contains("<a href=\"https://x.example/?to=%5BEMAIL%5D\">"), "{out}");
    assert_eq!(rewritten(REDACT, &out), out);
}

#[test]
fn own_patterns_have_own_labels() {
    let out = rewritten(
        "kind = \"redact\"\npattern = 'EMP-\\d{4}'\nlabel = \"STAFF <ID>\"\n",
        &BOTH.replace("Kim", "EMP-1234"),
    );
    assert!(out.contains("Hi [STAFF <ID>]\n"), "{out}");
    assert!(out.contains("Hi [STAFF &lt;ID&gt;]</p>"), "{out}");
}

#[test]
fn data_in_a_signed_body_bounces_the_message_unless_the_rule_says_otherwise() {
    let disposition = |action: &str, mail: &str| {
        let raw = crlf(mail);
        let message = Message::parse(&raw);
        run(&with_action(action), &message, Direction::Outbound).1.answers.strictest().clone()
    };
    assert!(matches!(disposition(REDACT, SIGNED), Disposition::Bounce(_)));
    assert_eq!(disposition(REDACT, &SIGNED.replace("4111", "4112")), Disposition::Deliver);
    assert_eq!(disposition(&format!("{REDACT}protected = \"skip\"\n"), SIGNED), Disposition::Deliver);
    let tagged = SIGNED.replace("Minutes", "4111 1111 1111 1111");
    let out = rewritten(&format!("{REDACT}protected = \"headers-only\"\n"), &tagged);
    assert!(out.contains("Subject: [CARD]\n") && out.contains("Card 4111"), "{out}");
}
