//! What `replace` makes of texts, and what it leaves.

use crate::envelope::{Address, Direction, Envelope};
use crate::facts::Facts;
use crate::message::{Message, Rendered};
use crate::pipeline::Pipeline;

const ACME: &str = "words = \"Acme\"\nwith = \"Acme Ltd\"\n";
const NEW: &str = "words = [\"Old Name\", \"Oldname\"]\nwith = \"Newname & Söhne\"\n";

fn once(pipeline: &Pipeline, raw: &[u8]) -> (Vec<u8>, Vec<String>) {
    let envelope = Envelope {
        direction: Direction::Outbound,
        sender: Address::new("ann@example.com").ok(),
        recipients: Address::new("kim@example.net").into_iter().collect(),
        message_id: "0-1".into(),
        truncated: false,
    };
    let message = Message::parse(raw);
    let outcome = pipeline.run(&message, &envelope, &Facts::default(), &|| false).unwrap();
    assert!(outcome.report.notes.is_empty(), "{:?}", outcome.report.notes);
    let out = outcome.rewritten.as_ref().map_or_else(|| raw.to_vec(), Rendered::to_vec);
    let effects = outcome.report.rules.into_iter().flat_map(|rule| match rule.effects {
        effects if effects.is_empty() => vec![format!("{:?}", rule.verdict)],
        effects => effects,
    });
    (out, effects.collect())
}

/// What the rule makes of a message, and the effects it tells; a second run changes nothing.
fn run(options: &str, mail: &str) -> (String, String) {
    let rule = format!("[[rule]]\nname = \"r\"\n[[rule.action]]\nkind = \"replace\"\n{options}");
    let pipeline =
        Pipeline::from_sources(vec![("r.toml".into(), rule)]).unwrap_or_else(|problems| panic!("{problems}"));
    let raw = format!("From: ann@example.com\nMIME-Version: 1.0\n{mail}").replace('\n', "\r\n").into_bytes();
    let (first, effects) = once(&pipeline, &raw);
    let (second, _) = once(&pipeline, &first);
    assert_eq!(String::from_utf8_lossy(&second), String::from_utf8_lossy(&first), "a second run");
    let text = String::from_utf8(first).unwrap().replace("\r\n", "\n");
    (text.replacen("From: ann@example.com\nMIME-Version: 1.0\n", "", 1), effects.join("; "))
}

fn body(options: &str, head: &str, body: &str) -> String {
    let (mail, _) = run(options, &format!("Content-Type: {head}\n\n{body}"));
    mail.split_once("\n\n").unwrap().1.to_owned()
}

fn plain(options: &str, text: &str) -> String {
    body(options, "text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit", text)
}

fn html(options: &str, text: &str) -> String {
    body(options, "text/html; charset=us-ascii", text)
}

#[test]
fn words_are_found_in_any_case_however_they_are_parted() {
    assert_eq!(plain(ACME, "ACME, acme. Acmes, acme-x\n"), "Acme Ltd, Acme Ltd. Acmes, Acme Ltd-x\n");
    let name = "words = \"Old Name\"\nwith = \"New\"\n";
    assert_eq!(plain(name, "old\nname and Old\u{a0} Name\n"), "New and New\n");
}

#[test]
fn what_stands_within_the_new_text_already_is_left_alone() {
    for text in ["See Acme Ltd.\n", "See ACME\nLTD.\n", "> by Acme\n> Ltd\n", "Acme  ltd\n"] {
        assert_eq!(plain(ACME, text), text);
    }
    assert_eq!(plain(ACME, "Acme Ltd and Acme\n"), "Acme Ltd and Acme Ltd\n");
    let old = "pattern = 'GmbH'\nwith = \"The GmbH of old\"\n";
    assert_eq!(plain(old, "the\n  GMBH The GmbH of GmbH\n"), "the\n  GMBH The The GmbH of old of The GmbH of old\n");
}

#[test]
fn patterns_put_their_groups_in() {
    let number = "pattern = '\\+1 555 01(\\d\\d)'\nwith = \"+1 556 22$1\"\n";
    assert_eq!(plain(number, "Call +1 555 0142 or +1 555 0199\n"), "Call +1 556 2242 or +1 556 2299\n");
    let dollars = "words = \"5 dollars\"\nwith = \"$5 ${x}\"\n";
    assert_eq!(plain(dollars, "for 5 dollars\n"), "for $5 ${x}\n");
}

#[test]
fn html_is_edited_where_it_is_seen() {
    for (before, after) in [
        ("<p>Old <b>Name</b></p>\n", "<p>Newname &amp; S&#246;hne<b></b></p>\n"),
        ("<img alt='Oldname' class=oldname>\n", "<img alt='Newname&#32;&#38;&#32;S&#246;hne' class=oldname>\n"),
        (
            "<style>.oldname{}</style><title>Oldname</title>\n",
            "<style>.oldname{}</style><title>Newname &amp; S&#246;hne</title>\n",
        ),
        (
            "<!-- Oldname --><a href=http://oldname.example/>x</a>\n",
            "<!-- Oldname --><a href=http://oldname.example/>x</a>\n",
        ),
        ("<td>Old</td><td>Name</td>\n", "<td>Old</td><td>Name</td>\n"),
        ("<p>Old&nbsp;N&#97;me</p>\n", "<p>Newname &amp; S&#246;hne</p>\n"),
    ] {
        assert_eq!(html(NEW, before), after);
    }
}

#[test]
fn links_are_edited_where_the_rule_says_so() {
    let number = "pattern = '\\+1(.?)555(.?)0100'\nwith = \"+1${1}555${2}0199\"\n";
    let text = "<a href=\"tel:+15550100\">+1 555 0100</a>\n";
    assert_eq!(html(number, text), "<a href=\"tel:+15550100\">+1 555 0199</a>\n");
    let with_links = format!("{number}where = [\"subject\", \"body\", \"links\"]\n");
    assert_eq!(html(&with_links, text), "<a href=\"tel:+15550199\">+1 555 0199</a>\n");
}

#[test]
fn the_subject_is_edited_as_it_is_read() {
    let (mail, effects) = run(NEW, "Subject: Re: =?utf-8?Q?Old_Name_f=C3=BCr?= you\nThread-Topic: Oldname\n\nx\n");
    assert!(effects.starts_with("replace: 2 places in the subject"), "{effects}");
    let message = Message::parse(mail.as_bytes());
    let of = |at: usize| crate::message::FieldText::read(message.bytes(&message.fields()[at].value)).text().to_owned();
    assert_eq!((of(0).trim(), of(1).trim()), ("Re: Newname & Söhne für you", "Newname & Söhne"));
    assert_eq!(run(&format!("{NEW}where = \"body\"\n"), "Subject: Oldname\n\nx\n").0, "Subject: Oldname\n\nx\n");
}

#[test]
fn a_subject_that_gets_too_long_is_folded() {
    let long = format!("words = \"Oldname\"\nwith = \"{}\"\n", "a long name ".repeat(30).trim());
    let (mail, _) = run(&long, &format!("Subject: {}Oldname\n\nx\n", "word ".repeat(180)));
    assert!(mail.contains("a long name a long") && mail.lines().all(|line| line.len() < 998), "{mail}");
}

#[test]
fn a_text_that_would_be_found_without_end_is_an_error_and_nothing_changes() {
    let swap = "pattern = '(\\w+) and (\\w+)'\nwith = \"$2 and $1\"\n";
    let (mail, effects) = run(swap, "Subject: x\n\nsalt and pepper\n");
    assert_eq!(mail, "Subject: x\n\nsalt and pepper\n");
    assert!(effects.contains("found again"), "{effects}");
    let (mail, effects) =
        run("pattern = 'a'\nwith = \"b\"\n", &format!("Subject: x\n\n{}\n", "a a a a a a\n".repeat(2000)));
    assert!(mail.contains("a a a") && effects.contains("than the 10000"), "{effects}");
}

#[test]
fn what_is_laid_open_is_found_as_well() {
    assert_eq!(plain("pattern = '  '\nwith = \" \"\n", "a    b\n"), "a b\n");
    assert_eq!(plain("words = \"Sent from my phone\"\nwith = \"\"\n", "Hi\n\nsent from my phone\n"), "Hi\n\n\n");
}

#[test]
fn text_that_a_charset_cannot_hold_moves_it() {
    let (mail, _) = run(NEW, "Content-Type: text/plain; charset=us-ascii\n\nOldname\n");
    assert!(mail.contains("utf-8") && mail.contains("Newname & S=C3=B6hne"), "{mail}");
}

#[test]
fn blocks_of_rules_and_signed_text_stay() {
    let rules = "[[rule]]\nname = \"a\"\n[[rule.action]]\nkind = \"append\"\ntext = \"By Acme since 1950.\"\n\
                 [[rule]]\nname = \"r\"\n[[rule.action]]\nkind = \"replace\"\n";
    let pipeline = Pipeline::from_sources(vec![("r.toml".into(), format!("{rules}{ACME}"))]).unwrap();
    let raw = b"From: ann@example.com\r\nSubject: x\r\n\r\nI work for Acme\r\n";
    let (first, _) = once(&pipeline, raw);
    let text = String::from_utf8(first.clone()).unwrap();
    assert!(text.contains("for Acme Ltd") && text.contains("By Acme since"), "{text}");
    assert_eq!(once(&pipeline, &first).0, first);
    let signed = "Subject: Acme\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\n\n\
                  --b\n\nAcme\n--b\nContent-Type: application/pkcs7-signature\n\nx\n--b--\n";
    assert_eq!(run(ACME, signed).0, signed);
    let header = run(&format!("{ACME}protected = \"headers-only\"\n"), signed).0;
    assert_eq!(header, signed.replace("Subject: Acme", "Subject: Acme Ltd"));
}
