use super::super::testing::{block, crlf, rewritten};
use super::super::{Draft, Outside, Place, Target};
use super::*;

/// A multipart of these parts, each `header||body`.
fn multipart(subtype: &str, boundary: &str, parts: &[&str]) -> String {
    let part = |part: &&str| format!("--{boundary}\n{}\n", part.replace("||", "\n\n"));
    let parts: String = parts.iter().map(part).collect();
    format!("Content-Type: multipart/{subtype}; boundary={boundary}||{parts}--{boundary}--")
}

fn message(part: &str) -> Vec<u8> {
    crlf(&part.replace("||", "\n\n"))
}

fn protection_of(part: &str) -> Option<Protection> {
    Message::parse(&message(part)).protection()
}

const PLAIN: &str = "Content-Type: text/plain||text";
const HTML: &str = "Content-Type: text/html||<p>text</p>";
const IMAGE: &str = "Content-Type: image/png\nContent-ID: <1>||x";
const SIGNATURE: &str = "Content-Type: application/pgp-signature||x";
const REQUEST: &str = "Content-Type: text/calendar; method=REQUEST||BEGIN:VCALENDAR";
const TNEF: &str = "Content-Type: application/ms-tnef||x";
const ARMOR: &str = "-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----\n";

fn signed() -> String {
    multipart("signed", "s", &[PLAIN, SIGNATURE])
}

fn attached(inner: &str) -> String {
    multipart("mixed", "m", &[PLAIN, &format!("Content-Type: message/rfc822||{inner}")])
}

#[test]
fn what_protects_a_message() {
    for (part, expected) in [
        (signed().as_str(), Some(Protection::Signed)),
        (&multipart("encrypted", "e", &[PLAIN]), Some(Protection::Encrypted)),
        (&multipart("report", "r", &[PLAIN]), Some(Protection::Report)),
        (&multipart("mixed", "m", &[PLAIN, &signed()]), Some(Protection::Signed)),
        ("Content-Type: application/pkcs7-mime; smime-type=signed-data||x", Some(Protection::Signed)),
        ("Content-Type: application/x-pkcs7-mime; name=smime.p7m||x", Some(Protection::Encrypted)),
        ("Content-Type: application/octet-stream; name=smime.P7M||x", Some(Protection::Encrypted)),
        (&multipart("mixed", "m", &[PLAIN, TNEF]), Some(Protection::Tnef)),
        (
            &multipart("mixed", "m", &["Content-Type: application/octet-stream; name=winmail.dat||x"]),
            Some(Protection::Tnef),
        ),
        (&multipart("alternative", "m", &[PLAIN, "Content-Type: text/calendar||x"]), Some(Protection::Calendar)),
        ("Content-Type: message/partial; id=a; number=1||x", Some(Protection::Fragment)),
        (&attached(&signed()), Some(Protection::Signed)),
        (&attached("Content-Type: text/calendar||x"), None),
        (PLAIN, None),
        (&multipart("mixed", "m", &[PLAIN, IMAGE]), None),
    ] {
        assert_eq!(protection_of(part), expected, "{part}");
    }
}

#[test]
fn files_that_only_look_like_it_protect_nothing() {
    for name in ["smime.p7m", "winmail.dat"] {
        let file = format!("Content-Type: application/octet-stream; name={name}||x");
        assert_eq!(protection_of(&multipart("mixed", "m", &[PLAIN, &file])), None, "{name}");
    }
    let calendar = |field: &str, body: &str| {
        let part =
            format!("Content-Type: text/calendar{field}\nContent-Disposition: attachment||BEGIN:VCALENDAR\n{body}");
        protection_of(&multipart("mixed", "m", &[PLAIN, &part]))
    };
    assert_eq!(calendar("", "VERSION:2.0"), None);
    assert_eq!(calendar("; method=PUBLISH", "METHOD:PUBLISH"), None);
    assert_eq!(calendar("; name=a.ics", "METHOD:PUBLISH"), None);
    assert_eq!(calendar("; method=REQUEST; name=a.ics", ""), Some(Protection::Calendar));
    assert_eq!(calendar("; method=\"Reply\"", ""), Some(Protection::Calendar));
    // Mail programs read it in the calendar where the field does not say it.
    assert_eq!(calendar("; name=a.ics", "VERSION:2.0\nMethod:REQUEST"), Some(Protection::Calendar));
    let long = format!("METHOD:REQUEST\r\n{}", "X-LINE: x\r\n".repeat(900));
    let base64 = encodify::base64::MIME.encode(long.as_bytes()).replace('\r', "");
    assert_eq!(calendar("; name=a.ics\nContent-Transfer-Encoding: base64", ""), None);
    let part = format!("Content-Type: text/calendar\nContent-Transfer-Encoding: base64||{base64}");
    assert_eq!(protection_of(&multipart("mixed", "m", &[PLAIN, &part])), Some(Protection::Calendar));
}

#[test]
fn pgp_in_a_text_protects_where_a_reader_sees_it() {
    assert_eq!(protection_of(&format!("||{ARMOR}")), Some(Protection::Encrypted));
    let html = |body: &str| protection_of(&format!("Content-Type: text/html||{body}"));
    let lines = ARMOR.replace('\n', "<br>\n");
    assert_eq!(html(&format!("<pre>{ARMOR}</pre>")), Some(Protection::Encrypted));
    assert_eq!(html(&lines), Some(Protection::Encrypted));
    assert_eq!(html(&format!("<!--\n{ARMOR}-->Hi")), None);
    assert_eq!(html(&format!("<style>\n{ARMOR}</style>Hi")), None);
    assert_eq!(html("<div style=display:none>-----BEGIN PGP MESSAGE-----</div>Hi"), None);
    // Base64 of the armor.
    let base64 = "Content-Transfer-Encoding: base64||LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCgp4Ci0tLS0tRU5EIFBHUCBNRVNTQUdFLS0tLS0K";
    assert_eq!(protection_of(base64), Some(Protection::Encrypted));
}

/// Where a block goes.
fn outside(part: &str, at: Place) -> Outside {
    let raw = message(part);
    let message = Message::parse(&raw);
    let mut draft = Draft::new(&message);
    let targets: Vec<Target> = draft.targets(at).into_iter().map(|body| Target::new(body, Vec::new(), at)).collect();
    let found = draft.insert_outside(&targets, &[], &block("Banner"), at).unwrap();
    let changed = found != Outside::Into(0) && !matches!(found, Outside::Nowhere(_));
    assert_eq!(draft.is_unchanged(), !changed);
    draft.render().expect("the rewrite holds up");
    found
}

#[test]
fn a_block_goes_outside_of_what_is_protected() {
    use Outside::{Above, Into, Nowhere};
    let invitation = multipart("alternative", "a", &[PLAIN, HTML, REQUEST]);
    let fake = multipart("encrypted", "e", &[PLAIN]);
    let encrypted = multipart(
        "encrypted",
        "e",
        &["Content-Type: application/pgp-encrypted||Version: 1", "Content-Type: application/octet-stream||x"],
    );
    let enveloped = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m||x";
    let opaque = "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m||x";
    let report = multipart("report", "r", &[PLAIN, "Content-Type: message/delivery-status||x"]);
    let both = multipart("alternative", "a", &[PLAIN, HTML]);
    let signed_html = multipart("signed", "s", &[&both, SIGNATURE]);
    for (part, first, last) in [
        (signed(), Above, Above),
        (signed_html.clone(), Above, Above),
        // A list that puts its footer below a signed message.
        (multipart("mixed", "m", &[&signed_html, PLAIN]), Above, Into(1)),
        (multipart("mixed", "m", &[PLAIN, &signed_html]), Into(1), Into(1)),
        (multipart("mixed", "m", &[PLAIN, &signed()]), Into(1), Into(1)),
        (multipart("alternative", "m", &[PLAIN, &multipart("signed", "s", &[HTML, SIGNATURE])]), Above, Above),
        (multipart("mixed", "m", &[PLAIN, TNEF]), Into(1), Into(1)),
        (multipart("mixed", "m", &[&both, enveloped]), Into(2), Into(2)),
        (attached(&signed()), Into(1), Into(1)),
        (invitation.clone(), Into(2), Into(2)),
        (multipart("mixed", "m", &[&invitation, "Content-Type: application/ics; name=a.ics||x"]), Into(2), Into(2)),
        (format!("||Hi\n{ARMOR}"), Above, Above),
        (format!("Content-Type: text/html||<pre>{ARMOR}</pre>"), Above, Above),
        (fake, Above, Above),
        (encrypted.clone(), Nowhere(Protection::Encrypted), Nowhere(Protection::Encrypted)),
        (multipart("mixed", "m", &[&encrypted]), Nowhere(Protection::Encrypted), Nowhere(Protection::Encrypted)),
        (enveloped.into(), Nowhere(Protection::Encrypted), Nowhere(Protection::Encrypted)),
        (opaque.into(), Nowhere(Protection::Signed), Nowhere(Protection::Signed)),
        (
            multipart("signed", "s", &[enveloped, SIGNATURE]),
            Nowhere(Protection::Encrypted),
            Nowhere(Protection::Encrypted),
        ),
        (multipart("signed", "s", &["Content-Type: application/pdf||x", SIGNATURE]), Above, Above),
        (
            multipart("signed", "s", &[&invitation, SIGNATURE]),
            Nowhere(Protection::Calendar),
            Nowhere(Protection::Calendar),
        ),
        (report.clone(), Nowhere(Protection::Report), Nowhere(Protection::Report)),
        (multipart("mixed", "m", &[PLAIN, &report]), Into(1), Into(1)),
        (REQUEST.into(), Nowhere(Protection::Calendar), Nowhere(Protection::Calendar)),
        (TNEF.into(), Nowhere(Protection::Tnef), Nowhere(Protection::Tnef)),
        (
            "Content-Type: message/partial; id=a; number=1||x".into(),
            Nowhere(Protection::Fragment),
            Nowhere(Protection::Fragment),
        ),
    ] {
        assert_eq!(outside(&part, Place::Start), first, "first: {part}");
        assert_eq!(outside(&part, Place::End), last, "last: {part}");
    }
}

#[test]
fn what_is_protected_keeps_its_bytes_beside_an_edited_text() {
    let listed = multipart("mixed", "m", &[&signed(), PLAIN]).replace("||", "\n\n");
    let out = rewritten(&listed, |draft| {
        let targets: Vec<Target> =
            draft.targets(Place::End).into_iter().map(|body| Target::new(body, Vec::new(), Place::End)).collect();
        assert_eq!(draft.insert_outside(&targets, &[], &block("Footer"), Place::End), Ok(Outside::Into(1)));
    });
    assert_eq!(out, listed.replace("text\n--m--", "text\n\nFooter\n--m--"));
}

#[test]
fn messages_attached_to_messages_are_opened_so_deep_and_no_deeper() {
    let nested = |depth| format!("{}{}", "Content-Type: message/rfc822||".repeat(depth), signed());
    assert_eq!(protection_of(&nested(MAX_ATTACHED_DEPTH)), Some(Protection::Signed));
    assert_eq!(protection_of(&nested(MAX_ATTACHED_DEPTH + 1)), None);
}
