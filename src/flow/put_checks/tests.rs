use super::*;

const PLAIN: &str = "From: ann@example.com\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: Hello\n";

fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// Each fault as `demand name part offset`.
fn shown(faults: &[Fault]) -> Vec<String> {
    let show = |f: &Fault| {
        let whose = if f.came { "" } else { "!" };
        let demand = serde_json::to_value(f.demand).unwrap();
        format!("{whose}{} {} {}", demand.as_str().unwrap(), f.name.unwrap_or("-"), f.part).trim_end().to_owned()
    };
    faults.iter().map(show).collect()
}

fn faults(text: &str) -> Vec<String> {
    let raw = crlf(text);
    let message = Message::parse(&raw);
    // Held against itself, all of it came with the message.
    assert!(compare(&message, &message).iter().all(|fault| fault.came));
    shown(&check(&message)).iter().map(|fault| fault.trim_start_matches('!').to_owned()).collect()
}

fn between(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (crlf(before), crlf(after));
    shown(&compare(&Message::parse(&after), &Message::parse(&before)))
}

#[test]
fn a_sound_message_has_no_fault() {
    assert!(faults(&format!("{PLAIN}\nHi\n")).is_empty());
    let mixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nHi\n--a\n\
                 Content-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--b--\nepilogue\n--a--\n";
    assert!(faults(&format!("{PLAIN}{mixed}")).is_empty());
}

#[test]
fn a_line_may_have_998_octets_and_no_more() {
    let line = |n| format!("{PLAIN}\n{}\n", "x".repeat(n));
    assert!(faults(&line(998)).is_empty());
    assert_eq!(faults(&line(999)), ["line -"]);
    let long = "y".repeat(999);
    let raw = crlf(&format!(
        "{PLAIN}References: {long}\nContent-Type: multipart/mixed; boundary=a\n\n{long}\n--a\n\n{long}\n--a--\n{long}"
    ));
    let message = Message::parse(&raw);
    let found = check(&message);
    assert_eq!(shown(&found), ["!line References", "!line -", "!line - 1", "!line - 1"]);
    assert!(found[0].in_header && !found[1].in_header);
    for fault in &found[1..] {
        assert_eq!(message.bytes(&(fault.offset..fault.offset + fault.octets)), long.as_bytes());
    }
}

#[test]
fn octets_that_are_not_7_bit_are_told_apart_by_where_they_stand() {
    assert_eq!(
        faults(&format!("{}\nGrüße\n", PLAIN.replace("Hello", "Grüße"))),
        ["header-bits Subject", "body-bits -"]
    );
    assert_eq!(faults(&format!("{PLAIN}X-Made-Up: Grüße\n\nx\n")), ["header-bits -"], "no name that a message made up");
    assert_eq!(faults(&format!("{PLAIN}\na\0b\n")), ["nul -"]);
    assert!(!Demand::BodyBits.refuses() && Demand::HeaderBits.refuses());
}

#[test]
fn fields_are_there_and_once() {
    assert_eq!(faults("Subject: x\n\nHi\n"), ["required From", "required Date"]);
    let signed = format!(
        "DKIM-Signature: a\n{PLAIN}dkim-signature: b\nSubject: c\nX-A: 1\nX-A: 2\nReceived: 1\nReceived: 2\n\nx"
    );
    assert_eq!(faults(&signed), ["once DKIM-Signature", "once Subject"]);
}

#[test]
fn attachments_of_types_that_ses_does_not_take() {
    let part = |name| format!("--a\nContent-Type: application/octet-stream; name=\"{name}\"\n\nx\n");
    let mail = |parts: String| format!("{PLAIN}Content-Type: multipart/mixed; boundary=a\n\n{parts}--a--\n");
    assert_eq!(
        faults(&mail([part("a.pdf"), part("b.Js"), part("=?utf-8?Q?c.URL?=")].concat())),
        ["attachment-type js 2", "attachment-type url 3"]
    );
    assert!(faults(&mail(part("a.pdf").repeat(500))).is_empty());
    assert_eq!(faults(&mail(part("a.pdf").repeat(501))), ["attachments -"]);
}

#[test]
fn multiparts_have_a_boundary_parts_and_an_end() {
    let mail = |rest: &str| faults(&format!("{PLAIN}Content-Type: multipart/mixed; {rest}"));
    assert_eq!(mail("x=y\n\nHi\n"), ["multipart -"]);
    assert_eq!(mail("boundary=a\n\nHi\n"), ["multipart -"]);
    assert_eq!(mail("boundary=a\n\n--a\n\nHi\n"), ["multipart -"]);
    assert_eq!(mail("boundary=a\n\n--a\n\nHi\n--a-- \n"), [""; 0]);
    let inner = "boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nHi\n--a--\n";
    assert_eq!(mail(inner), ["multipart - 1"]);
    assert_eq!(faults(&format!("{PLAIN}no field\n")), ["separator -"]);
}

#[test]
fn what_came_with_the_message_is_told_from_what_we_brought_in() {
    let long = "x".repeat(1_200);
    let before = format!("{PLAIN}\n{long}\n");
    assert_eq!(between(&before, &format!("X-Checked: yes\n{before}")), ["line -"]);
    assert_eq!(between(&before, &format!("X-Checked: {long}\n{before}")), ["!line -", "line -"]);
    let signed = format!("DKIM-Signature: a\nDKIM-Signature: b\n{PLAIN}\nx\n");
    assert_eq!(between(&signed, &format!("Precedence: x\n{signed}")), ["once DKIM-Signature"]);
    assert_eq!(between(&signed, &format!("Subject: x\n{signed}")), ["once DKIM-Signature", "!once Subject"]);
    // A raw subject with a tag in front is no new fault.
    let raw = PLAIN.replace("Hello", "Grüße");
    assert_eq!(
        between(&format!("{raw}\nx"), &format!("{}\nx", raw.replace("Grüße", "[EXT] Grüße"))),
        ["header-bits Subject"]
    );
}

#[test]
fn fixed_fields_keep_their_value_however_it_is_written() {
    let with = |fields: &str| format!("{fields}Date: x\nSubject: y\n\nz\n");
    let check = |before: &str, after: &str| between(&with(before), &with(after));
    assert_eq!(check("From: a@example.com\n", "From: b@example.com\n"), ["!fixed From"]);
    assert_eq!(check("From: a@example.com\nTo: x@example.com\n", "From: a@example.com\n"), ["!fixed To"]);
    assert_eq!(check("From: a@example.com\n", "From: a@example.com\nCc: x@example.com\n"), ["!fixed Cc"]);
    assert_eq!(
        check("From: a@example.com\nReceived: 1\nReceived: 2\n", "From: a@example.com\nReceived: 2\n"),
        ["!fixed Received"]
    );
    for (before, after) in [
        ("From: a@example.com,\n b@example.com\n", "From: a@example.com, b@example.com\n"),
        ("From: \"Jürgen\" <a@example.com>\n", "From: =?utf-8?Q?J=C3=BCrgen?= <a@example.com>\n"),
        ("From: a@example.com\n", "MIME-Version: 1.0\nFrom: a@example.com\n"),
        ("From: a@example.com\nFrom: b@example.com\n", "From: a@example.com\n"),
    ] {
        let (now, then) = (check(before, after), check(before, before));
        assert!(now.iter().all(|fault| then.contains(fault)), "{before} {after}: {now:?}");
    }
}

#[test]
fn what_an_edit_did_not_touch_is_not_looked_at() {
    let raw = crlf(&format!("{PLAIN}\n{}\n", "x".repeat(50_000)));
    let message = Message::parse(&raw);
    let mut draft = Draft::new(&message);
    let field = |name: &str| crate::message::Field::new(crate::message::FieldName::new(name).unwrap(), "x").unwrap();
    draft.add_field(field("X-Checked"));
    assert_eq!(brought_in(&message, &draft.render().unwrap()), []);
    draft.add_field(field("Precedence"));
    assert_eq!(brought_in(&message, &draft.render().unwrap()), []);
    draft.add_field(field("Precedence"));
    assert_eq!(shown(&brought_in(&message, &draft.render().unwrap())), ["!once Precedence"]);
}
