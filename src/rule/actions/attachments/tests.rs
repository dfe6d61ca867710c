//! Attachments that go and names that change, in messages of every structure.

use crate::envelope::{Address, Direction, Envelope};
use crate::facts::Facts;
use crate::message::{Message, Rendered};
use crate::pipeline::{Pipeline, Verdict};

fn pipeline(action: &str) -> Pipeline {
    let rule = format!("[[rule]]\nname = \"no-programs\"\n[[rule.action]]\n{action}");
    Pipeline::from_sources(vec![("r.toml".into(), rule)]).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The message after one run, and what is reported; a second run changes nothing.
#[track_caller]
pub(super) fn run(action: &str, mail: &str) -> (String, Vec<String>) {
    let (out, report) = run_raw(action, mail.replace('\n', "\r\n").as_bytes());
    (String::from_utf8(out).unwrap().replace("\r\n", "\n"), report)
}

#[track_caller]
pub(super) fn run_raw(action: &str, raw: &[u8]) -> (Vec<u8>, Vec<String>) {
    let pipeline = pipeline(action);
    let envelope = Envelope {
        direction: Direction::Inbound,
        sender: Address::new("eve@customer.example").ok(),
        recipients: Address::new("kim@example.com").into_iter().collect(),
        message_id: "0-1".into(),
        truncated: false,
    };
    let once = |raw: &[u8]| {
        let message = Message::parse(raw);
        let outcome = pipeline.run(&message, &envelope, &Facts::default(), &|| false).unwrap();
        assert!(outcome.report.notes.iter().all(|note| !note.contains("taken back")), "{:?}", outcome.report.notes);
        let report = outcome.report.rules.into_iter().next().unwrap();
        let mut said = report.effects;
        if !matches!(report.verdict, Verdict::Matched) {
            said.push(format!("{:?}", report.verdict));
        }
        (outcome.rewritten.as_ref().map_or_else(|| raw.to_vec(), Rendered::to_vec), said)
    };
    let (out, report) = once(raw);
    let (twice, _) = once(&out);
    assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&out), "a second run changes something");
    (out, report)
}

const STRIP: &str = "kind = \"strip_attachments\"\nattachment = { extension = \"exe\" }\ntext = \"{{ attachment.name }} is \
                     gone, {{ attachment.size }} octets, {{ attachment.sha256 }}\"\n";
const EXE: &str = "Content-Type: application/x-msdownload; name=run.exe\nContent-Transfer-Encoding: base64\n\
                   Content-Disposition: attachment; filename=run.exe\n\nTVqQAAMA";
const PDF: &str = "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n JVBERi0x\n";
const NOTICE: &str = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\nContent-Disposition: \
                      inline; filename=\"run.exe.txt\"\nX-Mailwright-Notice: attachment\n\nrun.exe is gone, 6 octets, \
                      3b9ee8ae";

fn none(action: &str) -> String {
    format!("{action}notice = \"none\"\n")
}

#[test]
fn a_notice_stands_in_the_place_of_an_attachment_and_nothing_else_changes() {
    let mail = |part: &str| {
        format!(
            "Subject: a\nContent-Type: multipart/mixed; boundary=m\n\npreamble \n--m\n\nsee \n--m \n{part}\n--m\n{PDF}\n--m--\nepilogue"
        )
    };
    let (out, said) = run(STRIP, &mail(EXE));
    let digest = out.split("octets, ").nth(1).unwrap().split('\n').next().unwrap().to_owned();
    assert_eq!(out, mail(&NOTICE.replace("3b9ee8ae", &digest)));
    assert_eq!(said, ["strip_attachments: 1 attachment removed"]);
}

#[test]
fn a_part_that_goes_without_a_notice_leaves_nothing_behind() {
    let mail = |parts: &[&str], end: &str| {
        let parts = parts.iter().fold(String::new(), |parts, part| format!("{parts}--m\n{part}\n"));
        format!("Content-Type: multipart/mixed; boundary=m\n\npreamble\n{parts}{end}")
    };
    let text = "\nsee \n";
    for end in ["--m--\n", "--m--", "--m-- \nepilogue\n\n"] {
        for (before, after) in [
            (vec![text, EXE, PDF], vec![text, PDF]),
            (vec![text, PDF, EXE], vec![text, PDF]),
            (vec![EXE, text, PDF], vec![text, PDF]),
            (vec![EXE, EXE, text, EXE, EXE, PDF, EXE, EXE], vec![text, PDF]),
        ] {
            assert_eq!(run(&none(STRIP), &mail(&before, end)).0, mail(&after, end));
        }
    }
    // Nothing ends the last part, nor the one before it, which grows by no octet.
    let (out, _) = run(&none(STRIP), &mail(&[text, EXE], ""));
    assert_eq!(out, mail(&[text], "--m--\n"));
}

#[test]
fn a_multipart_of_which_nothing_is_left_goes_too() {
    let inner = |parts: &str| format!("Content-Type: multipart/mixed; boundary=i\n\n{parts}--i--\n");
    let mail = |parts: &str| format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n{parts}--m--\n");
    let nested = format!("--m\n{}", inner(&format!("--i\n{EXE}\n--i\n{EXE}\n")));
    assert_eq!(run(&none(STRIP), &mail(&nested)).0, mail(""));
    let unclosed = format!("--m\nContent-Type: multipart/mixed; boundary=i\n\n--i\n{EXE}\n");
    assert_eq!(run(&none(STRIP), &mail(&unclosed)).0, mail(""));
}

#[test]
fn something_is_left_of_every_message() {
    let alone = format!("From: a@customer.example\nMIME-Version: 1.0\nSubject: a\n{EXE}\n");
    for action in [STRIP.to_owned(), none(STRIP)] {
        let (out, _) = run(&action, &alone);
        assert!(out.contains("\nSubject: a\n") && out.contains("run.exe is gone, 6 octets"), "{out}");
        assert!(!out.contains("TVqQ") && out.matches("Content-Type").count() == 1, "{out}");
        let mixed = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n{EXE}\n--m\n{EXE}\n--m--\n");
        let (out, said) = run(&action, &mixed);
        assert!(out.contains("run.exe is gone") && !out.contains("TVqQ"), "{out}");
        assert_eq!(said, ["strip_attachments: 2 attachments removed"]);
    }
}

#[test]
fn a_notice_is_no_alternative() {
    let mail = format!(
        "Content-Type: multipart/alternative; boundary=m\n\n--m\n\nsee\n--m\nContent-Type: text/html\n\n<p>see</p>\n--m\n{EXE}\n--m--\n"
    );
    let (out, _) = run(STRIP, &mail);
    let (text, html) = out.split_once("Content-Type: text/html").unwrap();
    assert!(text.contains("see\n\nrun.exe is gone") && html.contains("run.exe is gone"), "{out}");
    assert!(!out.contains("X-Mailwright-Notice") && out.matches("\n--m\n").count() == 2, "{out}");
    // Where no body takes it, in a file behind the message.
    let odd = mail.replace("--m\n\nsee", "--m\nContent-Transfer-Encoding: x-odd\n\nsee");
    let (out, _) = run(STRIP, &odd);
    let (head, tail) = out.split_once("\n--m--\n").unwrap();
    assert!(head.ends_with("<p>see</p>") && tail.contains(NOTICE.split("gone").next().unwrap()), "{out}");
    let (out, _) = run(&none(STRIP), &mail);
    assert!(out.ends_with("<p>see</p>\n--m--\n"), "{out}");
}

#[test]
fn attached_messages_are_looked_into_where_the_rule_says_so() {
    let mail = |part: &str| {
        format!(
            "Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\nContent-Type: message/rfc822\n\nSubject: b\n\
             Content-Type: multipart/mixed; boundary=i\n\n--i\n\ninner\n--i\n{part}\n--i--\n\n--m--\n"
        )
    };
    let (out, said) = run(STRIP, &mail(EXE));
    assert_eq!(
        (out, said.as_slice()),
        (mail(EXE), &["strip_attachments: nothing to do, no attachment passes its tests".to_owned()][..])
    );
    let (out, said) = run(&format!("{STRIP}attached_messages = true\n"), &mail(EXE));
    assert!(out.contains("run.exe is gone") && !out.contains("TVqQ"), "{out}");
    assert_eq!(said, ["strip_attachments: 1 attachment removed"]);
}

#[test]
fn what_is_signed_stays_and_what_stands_beside_it_goes() {
    let signed = format!(
        "Content-Type: multipart/signed; boundary=s\n\n--s\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nsee\n--i\n{EXE}\n--i--\n--s\n\
         Content-Type: application/pkcs7-signature\n\nx\n--s--"
    );
    let (out, said) = run(STRIP, &signed);
    assert_eq!(out, signed);
    assert_eq!(
        said,
        [
            "strip_attachments: left out, 1 attachment inside of a protected part",
            "Skipped(\"1 attachment inside of a protected part\")"
        ]
    );
    assert_eq!(run(&format!("{STRIP}protected = \"skip\"\n"), &signed).1, ["Skipped(\"signed\")"]);
    let bounce = format!("{STRIP}protected = \"bounce\"\n");
    assert!(run(&bounce, &signed).1.contains(&"protected: bounced".to_owned()));
    let mail = |part: &str| format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n{signed}\n--m\n{part}\n--m--\n");
    let (out, said) = run(&none(STRIP), &mail(EXE));
    assert_eq!(out, mail("").replace("\n--m\n\n--m--", "\n--m--"));
    assert_eq!(said, ["strip_attachments: 1 attachment removed, 1 attachment inside of a protected part left alone"]);
}

#[test]
fn a_notice_in_the_body_stands_below_the_text() {
    let mail = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{EXE}\n--m--\n");
    let (out, _) = run(&format!("{STRIP}notice = \"body\"\n"), &mail);
    assert!(out.contains("\n--m\n\nsee\n\nrun.exe is gone, 6 octets"), "{out}");
    assert_eq!(out.matches("--m\n").count(), 1, "{out}");
}

#[test]
fn a_notice_behind_a_footer_does_not_bring_the_footer_once_more() {
    let files = "link = \"https://files.example.com/{{ attachment.key }}\"\nnotice = \"body\"\n";
    let footer = "kind = \"append\"\ntext = \"Example Ltd\"\n[[rule.action]]\n";
    let bodies = [
        "",
        "Content-Type: text/html\n",
        "Content-Type: text/plain; charset=x-odd\nContent-Transfer-Encoding: x-odd\n",
    ];
    for body in bodies {
        let mail = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n{body}\nsee\n--m\n{EXE}\n--m--\n");
        for action in
            [format!("{STRIP}notice = \"body\"\n"), format!("{STORE}{files}"), format!("{STORE}notice = \"body\"\n")]
        {
            // A second run changes nothing, in either order.
            let (below, _) = run(&format!("{footer}{action}"), &mail);
            let (above, _) =
                run(&format!("{action}[[rule.action]]\n{}", footer.trim_end_matches("[[rule.action]]\n")), &mail);
            for out in [below, above] {
                assert_eq!(out.matches("Example Ltd").count(), 1, "{out}");
                assert!(out.contains("run.exe") && !out.contains("TVqQ"), "{out}");
            }
        }
    }
}

#[test]
fn a_footer_beside_a_notice_that_is_all_of_the_message_comes_once() {
    let footer = "[[rule.action]]\nkind = \"append\"\ntext = \"Example Ltd\"\n";
    for notice in ["part", "body", "none"] {
        let (out, _) = run(&format!("{STRIP}notice = \"{notice}\"\n{footer}"), &format!("Subject: a\n{EXE}\n"));
        assert!(out.contains("run.exe is gone") && out.matches("Example Ltd").count() == 1, "{out}");
    }
    // A notice of a run before, and the footer is new.
    let mail = format!("Subject: a\n{NOTICE}\n");
    let (out, _) = run(&format!("{}{footer}", STRIP.replace("exe", "txt")), &mail);
    assert!(out.contains("run.exe is gone") && out.matches("Example Ltd").count() == 1, "{out}");
}

#[test]
fn what_was_taken_off_protects_the_message_no_longer() {
    let footer = "[[rule]]\nname = \"footer\"\n[[rule.action]]\nkind = \"append\"\ntext = \"Example Ltd\"\n";
    let calendar = "Content-Type: text/calendar; method=REQUEST; name=a.ics\nContent-Disposition: attachment; filename=a.ics\n\nBEGIN:VCALENDAR";
    let tnef = "Content-Type: application/ms-tnef; name=winmail.dat\n\nx";
    let signed = "Content-Type: message/rfc822\n\nContent-Type: multipart/signed; boundary=s\n\n--s\n\nsee\n--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n";
    for part in [calendar, tnef, signed] {
        let mail = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{part}\n--m--\n");
        for notice in ["part", "body", "none"] {
            let strip = format!("kind = \"strip_attachments\"\nattachment = {{}}\nnotice = \"{notice}\"\n");
            let (out, _) = run(&format!("{strip}{footer}"), &mail);
            assert_eq!(out.matches("Example Ltd").count(), 1, "{out}");
        }
    }
}

#[test]
fn a_sender_who_writes_notices_himself_keeps_no_banner_away_and_pushes_none_down() {
    let banner = "kind = \"prepend\"\ntext = \"From outside\"\n[[rule.action]]\n";
    let fake = format!("run.exe is gone, 6 octets, {}\n", "0".repeat(64)).repeat(50);
    let action = format!("{banner}{STRIP}notice = \"body\"\n");
    let (out, _) = run(&action, &format!("Subject: a\n\n{fake}Pay now\n"));
    assert!(out.starts_with("Subject: a\n\nFrom outside\n\nrun.exe is gone"), "{out}");
    // In a part like those that stand beside a message.
    let part = "Content-Type: text/plain\nX-Mailwright-Notice: attachment\n\n";
    let beside = format!(
        "Content-Type: multipart/mixed; boundary=\"=_mailwright_mixed_0\"\n\n--=_mailwright_mixed_0\n{part}{fake}\n--=_mailwright_mixed_0--\n"
    );
    let (out, _) = run(&action, &beside);
    assert!(out.contains("From outside\n\nrun.exe is gone"), "{out}");
    // A file that some readers show as the body.
    let named = part.replace("text/plain\n", "text/plain; name=a.txt\n");
    let (out, _) = run(&action, &format!("Subject: a\n{named}Pay now\n"));
    assert!(out.contains("From outside") && out.contains("Pay now"), "{out}");
}

#[test]
fn a_name_cannot_bring_in_a_delimiter_or_a_field() {
    let exe = EXE.replace("filename=run.exe", "filename*=utf-8''a%0A--m--%0D%0A%22%0ABcc:%20x%E2%80%AE.exe");
    let mail = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{exe}\n--m--\n");
    let (out, _) = run(
        "kind = \"strip_attachments\"\nattachment = {}\ntext = \"\"\"\n--m--\n{{ attachment.name }}\"\"\"\n",
        &mail,
    );
    assert!(!out.contains("\nBcc") && out.matches("\n--m--").count() == 1, "{out}");
    assert!(out.contains("base64") && out.contains("filename=\"a --m-- _ Bcc_ x.exe.txt\""), "{out}");
}

#[test]
fn the_content_of_a_part_that_rules_before_edited_counts() {
    let text = "Content-Type: text/plain; name=a.txt\n\ncard 4111 1111 1111 1111\n";
    let mail = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{text}\n--m--\n");
    let action = "kind = \"redact\"\ndetect = \"card\"\nwhere = [\"attachments\"]\n[[rule.action]]\nkind = \"strip_attachments\"\n\
                  attachment = { extension = \"txt\" }\ntext = \"{{ attachment.sha256 }}\"\n";
    let (with, _) = run(action, &mail);
    let (without, _) = run(action, &mail.replace("4111 1111 1111 1111", "no number"));
    assert!(!with.contains("4111"), "{with}");
    assert_ne!(with, without);
}

#[test]
fn readers_that_part_multiparts_of_one_boundary_in_other_ways_see_what_came() {
    let mail = format!(
        "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/mixed; boundary=m\n\n--m\n{EXE}\n--m--\n--m\n{EXE}\n--m--\n"
    );
    let (out, said) = run(STRIP, &mail);
    assert_eq!(out, mail);
    assert!(said[0].contains("could not be edited"), "{said:?}");
}

#[test]
fn a_message_that_was_renamed_can_still_be_taken_off() {
    let alone = format!("Subject: a\n{}\n", EXE.replace("run.exe", "\"run.pdf.exe\""));
    let (out, _) = run(&format!("{RENAME}[[rule.action]]\n{STRIP}"), &alone);
    assert!(out.contains("run_pdf.exe is gone") && !out.contains("TVqQ"), "{out}");
}

const RENAME: &str = "kind = \"rename_attachments\"\n";

#[test]
fn names_that_deceive_are_written_anew_in_every_spelling() {
    for (before, after) in [
        ("name=invoice.pdf.exe", "name=\"invoice_pdf.exe\""),
        ("name=\"a\u{202E}fdp.exe\"", "name=\"afdp.exe\""),
        ("name=\"=?utf-8?Q?a=E2=80=AEfdp.exe?=\"", "name=\"=?utf-8?Q?afdp=2Eexe?=\""),
        ("name*=utf-8''a%E2%80%AEfdp.exe", "name*=utf-8''afdp.exe"),
        (
            "name*0*=utf-8''a%E2%80%AE; name*1=\"fdp\"; name*2=.exe; x=y",
            "name*0*=utf-8''a; name*1=\"fdp\"; name*2=.exe; x=y",
        ),
        ("name=\"../../run.exe\"; x=\"a.b.exe\"", "name=\"..____run.exe\"; x=\"a.b.exe\""),
        ("name=\"a\\\"b.exe. \"", "name=\"a__b.exe\""),
    ] {
        let mail = |name: &str| {
            format!(
                "Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\nContent-Type: application/octet-stream; {name}\n\nMZ\n--m--\n"
            )
        };
        let (out, said) = run(RENAME, &mail(before));
        assert_eq!(out, mail(after));
        assert_eq!(said, ["rename_attachments: 1 attachment renamed"]);
    }
}

#[test]
fn an_extension_is_put_behind_names_once() {
    let action =
        "kind = \"rename_attachments\"\nattachment = { extension = [\"exe\", \"blocked\"] }\nappend = \".blocked\"\n";
    let mail = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{EXE}\n--m\n{PDF}\n--m--\n");
    let (out, _) = run(action, &mail);
    assert_eq!(out, mail.replace("name=run.exe", "name=\"run.exe.blocked\""));
    let alone = format!("Subject: a\n{EXE}\n");
    assert_eq!(run(action, &alone).0, alone.replace("name=run.exe", "name=\"run.exe.blocked\""));
    let wide = alone.replace("name=run.exe", "name*=utf-8''%C3%BC.exe.%20");
    assert_eq!(run(action, &wide).0, wide.replace("%C3%BC.exe.%20", "%C3%BC.exe.blocked"));
}

const STORE: &str = "kind = \"store_attachments\"\nattachment = { extension = [\"exe\", \"txt\"] }\n";

/// What is stored for a message, and the message.
fn stored(action: &str, mail: &str) -> (Vec<std::sync::Arc<crate::stored::Stored>>, String) {
    let pipeline = pipeline(action);
    let envelope = Envelope {
        direction: Direction::Outbound,
        sender: Address::new("ann@example.com").ok(),
        recipients: Address::new("kim@customer.example").into_iter().collect(),
        message_id: "0-1".into(),
        truncated: false,
    };
    let raw = mail.replace('\n', "\r\n").into_bytes();
    let message = Message::parse(&raw);
    let outcome = pipeline.run(&message, &envelope, &Facts::default(), &|| false).unwrap();
    let out = outcome.rewritten.as_ref().map_or(raw.clone(), Rendered::to_vec);
    (outcome.stored, String::from_utf8(out).unwrap().replace("\r\n", "\n"))
}

#[test]
fn what_is_stored_is_the_attachment_and_the_link_leads_to_it() {
    let mail =
        format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{EXE}\n--m\n{EXE}\n--m\n{PDF}\n--m--\n");
    let own = format!("{STORE}link = \"https://files.example.com/{{{{ attachment.key }}}}\"\n");
    let (kept, out) = stored(&own, &mail);
    assert_eq!(kept.len(), 1, "one attachment that comes twice is stored once");
    assert_eq!((kept[0].content().as_ref(), kept[0].name()), (&b"MZ\x90\0\x03\0"[..], "run.exe"));
    assert_eq!(out.matches(&format!("\nhttps://files.example.com/{}\n", kept[0].key())).count(), 2, "{out}");
    assert!(!out.contains("TVqQ") && out.contains(PDF.trim_end()), "{out}");
    assert_eq!(run(&own, &mail).1, ["store_attachments: 2 attachments stored"]);
    let (kept, out) = stored(&format!("{STORE}notice = \"body\"\nhours = 2\n"), &mail);
    let link = format!("https://stored.example/{}?expires-in=7200", kept[0].key());
    assert!(out.contains(&link) && out.matches("\n--m\n").count() == 2, "{out}");
}

#[test]
fn what_rules_before_masked_is_stored_masked() {
    let text =
        "Content-Type: text/plain; name=a.txt\nContent-Transfer-Encoding: base64\n\nY2FyZCA0MTExIDExMTEgMTExMSAxMTEx";
    let mail = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{text}\n--m--\n");
    let redact = "kind = \"redact\"\ndetect = \"card\"\nwhere = [\"attachments\"]\n[[rule.action]]\n";
    let (kept, _) = stored(&format!("{redact}{STORE}"), &mail);
    assert_eq!(kept[0].content().as_ref(), b"card [CARD]");
}

#[test]
fn what_cannot_be_decoded_is_not_stored() {
    let mail = format!(
        "Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{}\n--m--\n",
        EXE.replace("base64", "x-odd")
    );
    let (kept, out) = stored(STORE, &mail);
    assert_eq!((kept.len(), out), (0, mail));
}

#[test]
fn what_is_wrong_with_a_link_is_said() {
    let problems = |options: &str| {
        let rule = format!("[[rule]]\nname = \"r\"\n[[rule.action]]\n{STORE}{options}");
        Pipeline::from_sources(vec![("r.toml".into(), rule)]).expect_err("a problem").to_string()
    };
    assert!(problems("link = \"https://files.example.com/\"\n").contains("would have the same link"));
    assert!(problems("hours = 200\n").contains("1 to 168"));
    assert!(problems("notice = \"maybe\"\n").contains("notice"));
    assert!(problems("text = \"{{ attachment.nam }}\"\n").contains("attachment.name"));
}

/// A program of 6 octets, as [`EXE`], and a text.
const UU: &str = "begin 644 run.exe\n&35J0  ,`\n`\nend";
const UU_TEXT: &str = "begin 644 note.md\n#0V%T\n`\nend";

fn digest_of(out: &str) -> String {
    out.split("octets, ").nth(1).unwrap().chars().take(64).collect()
}

#[test]
fn a_uuencoded_file_in_the_text_is_an_attachment_with_a_notice_in_its_place() {
    for header in
        ["", "Content-Type: text/plain; charset=us-ascii; format=flowed\n", "Content-Type: text/plain; charset=utf-8\n"]
    {
        let mail = |file: &str| format!("Subject: a\n{header}\nHi \n\n{file}\n{UU_TEXT}\nBye \n");
        let (out, said) = run(STRIP, &mail(UU));
        assert_eq!(out, mail(&format!("run.exe is gone, 6 octets, {}", digest_of(&out))));
        assert_eq!(said, ["strip_attachments: 1 attachment removed"]);
        let (out, _) = run(&none(STRIP), &mail(UU));
        assert_eq!(out, mail(UU).replace(&format!("{UU}\n"), ""));
    }
    let (out, _) =
        run(&STRIP.replace("\"exe\"", "[\"exe\", \"md\"]"), &format!("Subject: a\n\n{UU}\n{UU_TEXT}\nBye\n"));
    assert!(out.starts_with("Subject: a\n\nrun.exe is gone, 6") && out.contains("\nnote.md is gone, 3"), "{out}");
}

#[test]
fn the_digest_of_a_uuencoded_file_is_that_of_its_octets() {
    let attached = format!("Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\n{EXE}\n--m--\n");
    let (as_part, _) = run(STRIP, &attached);
    let (in_text, _) = run(STRIP, &format!("Subject: a\n\n{UU}\n"));
    assert_eq!(digest_of(&as_part), digest_of(&in_text));
    // As a transfer encoding of a part, too.
    let encoded = attached.replace("base64", "x-uuencode").replace("TVqQAAMA", UU);
    assert_eq!(digest_of(&run(STRIP, &encoded).0), digest_of(&as_part));
}

#[test]
fn something_is_left_of_a_text_that_is_nothing_but_a_file() {
    let (out, _) = run(&none(STRIP), &format!("Subject: a\n\n{UU}\n"));
    assert!(out.contains("\n\nrun.exe is gone, 6"), "{out}");
}

#[test]
fn a_uuencoded_file_in_a_text_that_is_encoded_or_signed() {
    let text =
        encodify::base64::MIME.encode(format!("Hi\r\n{UU}\r\n").replace('\n', "\r\n").replace("\r\r", "\r").as_bytes());
    let mail =
        format!("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{}\n", text.replace("\r\n", "\n"));
    let (out, said) = run(STRIP, &mail);
    assert!(out != mail && said == ["strip_attachments: 1 attachment removed"], "{out}");
    let signed = format!(
        "Content-Type: multipart/signed; boundary=s\n\n--s\n\nsee\n{UU}\n--s\nContent-Type: application/pkcs7-signature\n\nx\n--s--"
    );
    let (out, said) = run(STRIP, &signed);
    assert_eq!(out, signed);
    assert!(said[0].contains("1 attachment inside of a protected part"), "{said:?}");
}

#[test]
fn what_the_charset_of_a_text_cannot_hold_keeps_no_file_there() {
    let mail = "Content-Type: text/plain; charset=x-odd\n\nHi\nbegin 644 \u{e4}.exe\n#0V%T\n`\nend\n";
    let (out, _) = run(STRIP, mail);
    assert!(out.contains(".exe is gone, 3 octets") && !out.contains("begin"), "{out}");
}

#[test]
fn uuencoded_files_are_stored_and_renamed() {
    let mail = format!("Subject: a\n\nHi\n{UU}\nBye\n");
    let (kept, out) = stored(&format!("{STORE}link = \"https://files.example.com/{{{{ attachment.key }}}}\"\n"), &mail);
    assert_eq!((kept[0].content().as_ref(), kept[0].name()), (&b"MZ\x90\0\x03\0"[..], "run.exe"));
    assert!(out.contains(&format!("\nhttps://files.example.com/{}\n", kept[0].key())), "{out}");
    let (out, said) = run(&format!("{RENAME}append = \".blocked\"\n"), &mail.replace("run.exe", "a.pdf.exe. "));
    assert_eq!(out, mail.replace("run.exe", "a_pdf.exe.blocked "));
    assert_eq!(said, ["rename_attachments: 1 attachment renamed"]);
    let (out, _) = run(RENAME, &mail.replace("run.exe", "\u{202E}"));
    assert!(out.contains("\nbegin 644 attachment\n&35J0"), "{out}");
}

#[test]
fn files_in_texts_of_attached_messages() {
    let mail = |file: &str| {
        format!(
            "Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\nContent-Type: message/rfc822\n\nSubject: b\n\nHi\n{file}\n\n--m--\n"
        )
    };
    let (out, _) = run(&format!("{STRIP}attached_messages = true\n"), &mail(UU));
    assert_eq!(out, mail(&format!("run.exe is gone, 6 octets, {}", digest_of(&out))));
}
