use super::super::Draft;
use super::super::testing::crlf;
use super::*;

const ONCE: &[&str] = &["DKIM-Signature", "Subject", "From", "Date", "Message-ID", "Comments"];

/// What was repaired, and how often.
type Did = Vec<(Repair, usize)>;

fn repaired_bytes(raw: &[u8]) -> Option<(Vec<u8>, Did)> {
    let message = Message::parse(raw);
    let repaired = message.repaired(ONCE, Bits::Encode)?;
    let bytes = repaired.rendered.to_vec();
    assert!(Message::parse(&bytes).repaired(ONCE, Bits::Encode).is_none(), "once: {}", String::from_utf8_lossy(&bytes));
    Some((bytes, repaired.mended.iter().map(|m| (m.what, m.count)).collect()))
}

fn repaired(text: &str) -> Option<String> {
    repaired_bytes(&crlf(text)).map(|(out, _)| String::from_utf8(out).unwrap().replace("\r\n", "\n"))
}

/// What was repaired in it.
fn did(text: &str) -> Did {
    repaired_bytes(&crlf(text)).map(|(_, did)| did).unwrap_or_default()
}

fn long() -> String {
    "x".repeat(1_200)
}

#[test]
fn only_the_part_that_is_refused_is_encoded_anew() {
    let long = long();
    let raw = format!(
        "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\nshort\n--b\n\
         Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<p>{long} é</p>\n--b--\nepilogue\n"
    );
    let out = repaired(&raw).unwrap();
    assert!(out.lines().all(|line| line.len() <= 76), "{out}");
    assert!(out.contains("\n--b\n\nshort\n--b\n"), "{out}");
    assert!(out.contains("Content-Transfer-Encoding: quoted-printable\n"), "{out}");
    assert!(out.ends_with("\n--b--\nepilogue\n"), "{out}");
    assert_eq!(did(&raw), [(Repair::LongLines, 1)]);
}

#[test]
fn what_is_no_text_becomes_base64_octet_by_octet() {
    let raw = [
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n".as_slice(),
        b"\0\xFF\r\r\n\n",
        long().as_bytes(),
    ]
    .concat();
    let (out, did) = repaired_bytes(&raw).unwrap();
    assert_eq!(did, [(Repair::LongLines, 1)]);
    let after = Message::parse(&out);
    let part = &after.parts()[0];
    let decoded = super::super::transfer::decode(part.encoding, after.bytes(&part.body)).unwrap();
    assert_eq!(decoded, [b"\0\xFF\r\r\n\n", long().as_bytes()].concat());
    assert!(out.starts_with(b"MIME-Version: 1.0\r\n"));
}

#[test]
fn long_lines_of_encoded_parts_are_broken() {
    let raw = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\n{}\n--b\n\
         Content-Transfer-Encoding: quoted-printable\n\nshort=20\n{}\n--b--\n",
        "QUJD".repeat(300),
        "=3D".repeat(400)
    );
    let out = repaired(&raw).unwrap();
    assert!(out.lines().all(|line| line.len() <= 76), "{out}");
    assert!(out.contains("\nshort=20\n=3D=3D"), "{out}");
    assert_eq!(did(&raw), [(Repair::EncodedLines, 2)]);
}

#[test]
fn a_message_without_mime_fields_gets_them() {
    let raw = "From: a@example.com\nSubject: x\n\nGrüße from the harbour\n";
    let expected = "MIME-Version: 1.0\nContent-Transfer-Encoding: quoted-printable\nFrom: a@example.com\nSubject: x\n\n\
                    Gr=C3=BC=C3=9Fe from the harbour\n";
    assert_eq!(repaired(raw).unwrap(), expected);
    assert_eq!(did(raw), [(Repair::Octets, 1)]);
}

#[test]
fn header_fields_are_written_in_7_bits_where_that_can_be_done() {
    let raw = "From: Jürgen <j@example.com>\nTo: jürgen@example.com\nSubject: Grüße\nX-Note: ü\n\nx\n";
    let expected = "From: =?utf-8?Q?J=C3=BCrgen?= <j@example.com>\nTo: jürgen@example.com\n\
                    Subject: =?utf-8?B?R3LDvMOfZQ==?=\nX-Note: =?utf-8?B?w7w=?=\n\nx\n";
    assert_eq!(repaired(raw).unwrap(), expected);
    assert_eq!(did(raw), [(Repair::HeaderOctets, 3)]);
    let part = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/pdf; name=\"Größe.pdf\"\n\nx\n--b--\n";
    assert!(repaired(part).unwrap().contains("\nContent-Type: application/pdf; name*=utf-8''Gr%C3%B6%C3%9Fe.pdf\n"));
}

#[test]
fn octets_that_are_no_utf_8_are_what_the_text_is_in_or_stay() {
    let with = |charset: &str| {
        [b"Subject: Gr\xFC\xDFe\r\nContent-Type: text/plain; charset=".as_slice(), charset.as_bytes(), b"\r\n\r\nx\r\n"]
            .concat()
    };
    let (out, _) = repaired_bytes(&with("iso-8859-1")).unwrap();
    assert!(out.starts_with(b"Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"));
    for charset in ["utf-8", "us-ascii", "utf-16", "x-unknown"] {
        assert!(repaired_bytes(&with(charset)).is_none(), "{charset}");
    }
}

#[test]
fn a_header_line_is_folded_where_it_has_white_space() {
    let raw = format!("Subject: x\nReferences: {}\nX-Token: {}\n\nx\n", "<a@b.example> ".repeat(100), long());
    let out = repaired(&raw).unwrap();
    assert_eq!(out.replace("\n <", " <"), raw);
    assert_eq!(did(&raw), [(Repair::HeaderLine, 1)]);
}

#[test]
fn of_second_fields_the_first_stays() {
    let raw = "Subject: a\nFrom: x@example.com\nsubject: b\nReceived: 1\nReceived: 2\nX-A: 1\nX-A: 2\n\nx\n";
    assert_eq!(repaired(raw).unwrap(), raw.replace("subject: b\n", ""));
    assert_eq!(did(raw), [(Repair::SecondField, 1)]);
    assert_eq!(repaired("Comments: a\nComments: b\n\nx\n"), None);
    assert_eq!(repaired("Comments: a\nComments: a\n\nx\n").unwrap(), "Comments: a\n\nx\n");
}

#[test]
fn of_signatures_that_of_the_sender_s_domain_stays() {
    let of = |domains: &[&str], from: &str| {
        let signature = |d: &&str| format!("DKIM-Signature: v=1; a=rsa-sha256;\n d={d}; b=x\n");
        let signatures = domains.iter().map(signature).collect::<Vec<_>>().concat();
        let out = repaired(&format!("{signatures}From: {from}\n\nx\n")).unwrap();
        assert_eq!(out.matches("DKIM-Signature").count(), 1, "{out}");
        out.split("d=").nth(1).unwrap().split(';').next().unwrap().to_owned()
    };
    assert_eq!(of(&["amazonses.com", "example.com"], "Ann <ann@Example.com>"), "example.com");
    assert_eq!(of(&["amazonses.com", "mail.example.com", "example.com"], "ann@example.com"), "mail.example.com");
    assert_eq!(of(&["amazonses.com", "example.com"], "ann@notexample.com"), "amazonses.com");
    assert_eq!(of(&["com", "example.com"], "ann@sub.example.com"), "example.com");
}

#[test]
fn what_has_no_fault_is_not_repaired() {
    assert_eq!(repaired("From: a@example.com\n\nfine\n"), None);
    assert_eq!(repaired("no header\n"), None);
    assert_eq!(repaired(""), None);
}

#[test]
fn what_is_protected_is_not_repaired_and_what_stands_beside_it_is() {
    let long = long();
    let signed = format!("Content-Type: multipart/signed; boundary=s\n\n--s\nX-Q: é\n\n{long}\n--s--\n");
    assert_eq!(repaired(&signed), None);
    assert_eq!(repaired(&format!("\n-----BEGIN PGP MESSAGE-----\n{long}\n")), None);
    for kind in ["text/calendar", "message/rfc822", "application/pkcs7-mime", "application/ms-tnef"] {
        assert_eq!(repaired(&format!("Content-Type: {kind}\n\n{long}\n")), None, "{kind}");
    }
    // The fields above a signed part are no part of what is signed.
    let tagged = repaired(&format!("Subject: é\n{signed}")).unwrap();
    assert_eq!(tagged, format!("Subject: =?utf-8?B?w6k=?=\n{signed}"));
    let mixed = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n{signed}\n--m\n\n{long}\n--m--\n");
    let out = repaired(&mixed).unwrap();
    assert!(out.contains(&signed) && !out.ends_with(&format!("{long}\n--m--\n")), "{out}");
}

#[test]
fn a_second_encoding_field_goes_once() {
    let raw = "Content-Transfer-Encoding: 8bit\nSubject: x\nContent-Transfer-Encoding: 8bit\n\nGrüße\n";
    let message = crlf(raw);
    let message = Message::parse(&message);
    let out = message.repaired(&["Content-Transfer-Encoding"], Bits::Encode).unwrap().rendered.to_vec();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("Content-Transfer-Encoding").count(), 1, "{text}");
}

#[test]
fn multiparts_that_nothing_closes_are_closed_and_their_parts_stay() {
    let raw = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/related; boundary=b\n\n--b\n\none\n\n--a\n\
               Content-Type: multipart/alternative; boundary=c\n\n--c\n\ntwo\n";
    let expected = raw.replace("one\n\n--a", "one\n\n--b--\n--a") + "\n--c--\n\n--a--\n";
    assert_eq!(repaired(raw).unwrap(), expected);
    assert_eq!(did(raw), [(Repair::Delimiter, 3)]);
    // What cannot be taken apart, and what is signed, stays.
    assert_eq!(repaired("Content-Type: multipart/mixed; boundary=a\n\nno part\n"), None);
    assert_eq!(repaired("Content-Type: multipart/signed; boundary=a\n\n--a\n\ntext\n"), None);
}

#[test]
fn a_body_of_8_bits_is_kept_where_that_is_asked_and_nothing_else_is_wrong_with_it() {
    let of = |text: &str| {
        let raw = crlf(text);
        let message = Message::parse(&raw);
        let repaired = message.repaired(ONCE, Bits::Keep)?;
        Some(String::from_utf8(repaired.rendered.to_vec()).unwrap().replace("\r\n", "\n"))
    };
    assert_eq!(of("Subject: x\n\nGrüße\n"), None);
    assert_eq!(of("Subject: x\nSubject: y\n\nGrüße\n").unwrap(), "Subject: x\n\nGrüße\n");
    assert!(of(&format!("Subject: x\n\nGrüße {}\n", long())).unwrap().is_ascii());
}

#[test]
fn what_readers_do_not_agree_on_is_not_repaired() {
    let with = |boundary: &str| {
        format!("Subject: Grüße\nContent-Type: multipart/mixed; boundary={boundary}\n\n--b\n\nx\n--b--\n")
    };
    assert_eq!(did(&with("b")), [(Repair::HeaderOctets, 1)]);
    assert_eq!(did(&with("\"\"")), []);
    // Nor does it get a meaning by what is taken away.
    let twice = crlf("Content-Type: text/plain\nContent-Type: text/html\n\nx\n");
    assert!(Message::parse(&twice).repaired(&["Content-Type"], Bits::Encode).is_none());
    let alike = crlf("Content-Type: text/plain\nContent-Type: text/plain\n\nx\n");
    assert!(Message::parse(&alike).repaired(&["Content-Type"], Bits::Encode).is_some());
}

#[test]
fn octets_of_a_line_end_inside_other_signs_stay() {
    for raw in [
        &b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-16\n\n\r\n\x99"[..],
        b"MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-2022-jp\n\n\x84\x1b$B\r\n",
    ] {
        let (out, did) = repaired_bytes(raw).expect("it is repaired");
        assert_eq!(did, [(Repair::Octets, 1)]);
        let text = |raw: &[u8]| {
            let message = Message::parse(raw);
            let text = Draft::new(&message).text(PartId(0)).map(|text| text.replace('\r', ""));
            text.expect("it can be read")
        };
        assert_eq!(text(&out), text(raw));
    }
}
