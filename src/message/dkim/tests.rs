use super::super::testing::{block, crlf};
use super::super::{Draft, Field, FieldName, Place, Which};
use super::*;

/// RFC 6376 appendix A.2, RFC 8463 appendix A.3: one body, its hash the same in either form.
const BODY: &str = "Hi.\n\nWe lost the game. Are you hungry yet?\n\nJoe.\n";
const BODY_HASH: &str = "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=";

fn signature(tags: &str) -> String {
    format!(
        "DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com; b=AuUoFEfDxTDkHlLX; bh={BODY_HASH};\n\t{tags}\n"
    )
}

/// A message as in RFC 6376 appendix A.2, with these fields on top.
fn message(on_top: &str, body: &str) -> Vec<u8> {
    let header = "Received: from client1.football.example.com [192.0.2.1] by submitserver.example.com; Fri, 11 Jul 2003 \
                  21:01:54 -0700 (PDT)\nFrom: Joe SixPack <joe@football.example.com>\nTo: Suzie Q \
                  <suzie@shopping.example.net>\nSubject: Is dinner ready?\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n\
                  Message-ID: <20030712040037.46341.5F8J@football.example.com>\n";
    crlf(&format!("{on_top}{header}\n{body}"))
}

/// What is said of the signatures of a message when `edit` was done.
#[track_caller]
fn compared(raw: &[u8], edit: impl FnOnce(&mut Draft<'_>)) -> Vec<Signature> {
    let message = Message::parse(raw);
    let mut draft = Draft::new(&message);
    edit(&mut draft);
    draft.render_signed().expect("the rewrite holds up").1
}

fn name(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

fn footer(draft: &mut Draft<'_>) {
    assert_eq!(draft.insert(&block("Footer"), Place::End), Ok(1));
}

const ALL: &str = "c=simple/simple; h=Received : From : To : Subject : Date : Message-ID";

#[test]
fn a_footer_breaks_the_example_of_rfc_6376_and_a_field_on_top_does_not() {
    let raw = message(&signature(ALL), BODY);
    let stamped = compared(&raw, |draft| assert!(draft.add_field(Field::new(name("X-Seen"), "yes").unwrap())));
    let [stamped] = stamped.as_slice() else { panic!("{stamped:?}") };
    assert_eq!((stamped.before, stamped.after, stamped.broken), (BodyHash::Matches, BodyHash::Matches, false));
    assert_eq!(stamped.to_string(), "DKIM signature 1: its body hash matches, before and after");
    let footed = compared(&raw, footer);
    assert_eq!((footed[0].before, footed[0].after), (BodyHash::Matches, BodyHash::Differs));
    assert_eq!(
        footed[0].to_string(),
        "DKIM signature 1: its body hash matched before and does not match after; it no longer verifies"
    );
}

#[test]
fn both_signatures_of_the_example_of_rfc_8463() {
    let h = "c=relaxed/relaxed; h=from : to : subject : date : message-id : from : subject : date";
    let ed25519 = signature(h).replace("rsa-sha256", "ed25519-sha256").replace("brisbane", "brisbane2");
    let raw = message(&(ed25519 + &signature(h)), BODY);
    let found = compared(&raw, |draft| assert!(draft.tag_subject("[EXT]")));
    let algorithms: Vec<_> = found.iter().map(|s| s.algorithm.unwrap()).collect();
    assert_eq!(algorithms, [Algorithm::Ed25519Sha256, Algorithm::RsaSha256]);
    for (number, signature) in (1..).zip(&found) {
        assert_eq!(signature.fields, [SignedField { name: "Subject".into(), how: How::Changed }]);
        assert_eq!(
            signature.to_string(),
            format!(
                "DKIM signature {number}: its body hash matches, before and after; a signed field, Subject, was changed; \
                 it no longer verifies"
            )
        );
    }
}

#[test]
fn mail_that_lies_on_a_disk_was_signed_with_its_line_ends_on_the_wire() {
    let raw = String::from_utf8(message(&signature(ALL), BODY)).unwrap().replace("\r\n", "\n");
    assert_eq!(compared(raw.as_bytes(), footer)[0].before, BodyHash::Matches);
}

#[test]
fn white_space_matters_to_a_simple_signature_alone() {
    let body = BODY.replace("game. Are", "game. \t Are ").replace("you", " you  ") + "\n\n";
    let body = body.replace("Joe.", "Joe. \t");
    let before = |c: &str, body: &str| {
        let raw = message(&signature(&format!("c=relaxed/{c}; h=From")), body);
        compared(&raw, footer)[0].before
    };
    assert_eq!(before("simple", &body), BodyHash::Differs);
    assert_eq!(before("relaxed", &body), BodyHash::Matches);
    assert_eq!(before("simple", &format!("{BODY}\n\n")), BodyHash::Matches);
    assert_eq!(before("simple", BODY.trim_end()), BodyHash::Matches);
}

#[test]
fn which_fields_a_signature_takes_of_several() {
    let extra = "X-Note: one\nX-Note: two\nX-Note: three\n";
    let how = |h: &str, edit: fn(&mut Draft<'_>)| -> Vec<How> {
        let raw = message(&format!("{}{extra}", signature(&format!("c=relaxed/simple; h=from:{h}"))), BODY);
        compared(&raw, edit)[0].fields.iter().map(|field| field.how).collect()
    };
    let add = |draft: &mut Draft<'_>| assert!(draft.add_field(Field::new(name("X-Note"), "zero").unwrap()));
    // From the bottom: one on top of what is signed is not signed.
    assert_eq!(how("x-note:X-NOTE:x-note", add), []);
    assert_eq!(how("x-note:x-note:x-note:x-note", add), [How::Added]);
    let remove_top = |draft: &mut Draft<'_>| assert_eq!(draft.remove_fields(&name("x-note"), Which::First), 1);
    assert_eq!(how("x-note:x-note", remove_top), []);
    assert_eq!(how("x-note:x-note:x-note", remove_top), [How::Removed]);
    let remove_low = |draft: &mut Draft<'_>| assert_eq!(draft.remove_fields(&name("x-note"), Which::Last), 1);
    assert_eq!(how("x-note", remove_low), [How::Removed]);
    assert_eq!(how("to", remove_low), []);
    // What is signed as absent must stay absent.
    let new = |draft: &mut Draft<'_>| assert!(draft.add_field(Field::new(name("X-New"), "yes").unwrap()));
    assert_eq!(how("x-new", new), [How::Added]);
    let set =
        |draft: &mut Draft<'_>| assert!(draft.set_field(Field::new(name("X-Note"), "other").unwrap(), Which::All));
    assert_eq!(how("x-note", set), [How::Removed]);
    let same = |draft: &mut Draft<'_>| {
        assert_eq!(draft.remove_fields(&name("X-Note"), Which::All), 3);
        assert!(draft.add_field(Field::new(name("x-NOTE"), "three").unwrap()));
    };
    assert_eq!(how("x-note", same), []);
}

#[test]
fn a_footer_behind_what_is_signed_breaks_nothing_and_is_told() {
    let length = |tags: &str, l: u64| signature(&format!("{tags}; l={l}"));
    let raw = message(&length("c=simple/simple; h=From", 54), BODY);
    let found = compared(&raw, footer);
    assert_eq!((found[0].before, found[0].after, found[0].broken), (BodyHash::Matches, BodyHash::Matches, false));
    assert!(found[0].partial);
    assert!(found[0].to_string().ends_with("; l= leaves the end of the body unsigned"));
    let found = compared(&raw, |draft| assert!(draft.insert(&block("Banner"), Place::Start).is_ok()));
    assert!(found[0].broken);
    // It claims more than there is.
    let raw = message(&length("c=simple/simple; h=From", 55), BODY);
    assert_eq!(compared(&raw, footer)[0].before, BodyHash::Differs);
}

#[test]
fn what_did_not_hold_before_is_not_broken_by_the_rules() {
    let raw = message(&signature(ALL), &BODY.replace("lost", "won"));
    let found = compared(&raw, footer);
    assert_eq!((found[0].before, found[0].broken), (BodyHash::Differs, false));
    assert_eq!(found[0].to_string(), "DKIM signature 1: its body hash did not match before the rules ran");
}

#[test]
fn what_is_not_known_is_not_said() {
    let old = signature(ALL).replace("rsa-sha256", "rsa-sha1");
    let unreadable = "DKIM-Signature: v=1; a=rsa-sha256\n";
    let raw = message(&format!("{old}{unreadable}"), BODY);
    let found: Vec<String> = compared(&raw, footer).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "DKIM signature 1: its body hash was not checked, and the body changed (rsa-sha1, which verifiers count no \
             more); it no longer verifies",
            "DKIM signature 2: it cannot be read",
        ]
    );
}

#[test]
fn a_body_that_moves_to_another_encoding_changes_fields_that_are_signed() {
    let mime = "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n";
    let on_top = signature("c=relaxed/relaxed; h=from:mime-version:content-type:content-transfer-encoding") + mime;
    let found = compared(&message(&on_top, BODY), |draft| {
        assert_eq!(draft.insert(&block("Füße"), Place::End), Ok(1));
    });
    let fields: Vec<(&str, How)> = found[0].fields.iter().map(|f| (f.name.as_str(), f.how)).collect();
    assert_eq!(fields, [("Content-Transfer-Encoding", How::Added), ("Content-Type", How::Changed)]);
}

/// The header after the edit, when broken signatures are dealt with.
fn settled(raw: &[u8], on_broken: OnBroken, edit: impl FnOnce(&mut Draft<'_>)) -> (String, Vec<OnBroken>) {
    let message = Message::parse(raw);
    let mut draft = Draft::new(&message);
    edit(&mut draft);
    draft.on_broken_signatures(on_broken, false);
    let (rendered, signatures) = draft.render_signed().expect("the rewrite holds up");
    let out = String::from_utf8(rendered.to_vec()).unwrap().replace("\r\n", "\n");
    (out.split("\n\n").next().unwrap().to_owned(), signatures.iter().map(|s| s.done).collect())
}

#[test]
fn broken_signatures_are_renamed_or_removed_and_no_others() {
    let broken = signature(ALL);
    let holds = signature("c=simple/simple; h=From; l=54");
    let before = signature("c=simple/simple; h=From; l=9");
    let raw = message(&format!("{broken}{holds}{before}"), BODY);
    let header = String::from_utf8(raw.clone()).unwrap().replace("\r\n", "\n");
    let header = header.split("\n\n").next().unwrap();
    assert_eq!(settled(&raw, OnBroken::Keep, footer), (header.to_owned(), vec![OnBroken::Keep; 3]));
    let renamed = header.replacen("DKIM-Signature:", "X-Original-DKIM-Signature:", 1);
    let done = vec![OnBroken::Rename, OnBroken::Keep, OnBroken::Keep];
    assert_eq!(settled(&raw, OnBroken::Rename, footer), (renamed, done));
    let removed = header.replacen(&broken, "", 1);
    let done = vec![OnBroken::Remove, OnBroken::Keep, OnBroken::Keep];
    assert_eq!(settled(&raw, OnBroken::Remove, footer), (removed, done));
    let nothing = |_: &mut Draft<'_>| {};
    assert_eq!(settled(&raw, OnBroken::Remove, nothing).0, header);
}

#[test]
fn a_signature_that_another_covers_stays() {
    let covers = signature("c=simple/simple; h=From:DKIM-Signature; l=54");
    let raw = message(&format!("{covers}{}", signature(ALL)), BODY);
    assert_eq!(settled(&raw, OnBroken::Remove, footer).1, [OnBroken::Keep, OnBroken::Keep]);
}

#[test]
fn a_name_that_makes_a_line_too_long_is_not_given() {
    let long = format!("{} z={}\n", signature(ALL).trim_end().replace('\n', ""), "x".repeat(790));
    let length = long.len();
    assert!((985..999).contains(&length), "{length}");
    assert_eq!(settled(&message(&long, BODY), OnBroken::Rename, footer).1, [OnBroken::Keep]);
}

#[test]
fn a_signature_that_is_not_ascii_is_not_written_anew() {
    let raw = message(&signature(ALL).replace("example.com", "exämple.com"), BODY);
    assert_eq!(settled(&raw, OnBroken::Rename, footer).1, [OnBroken::Keep]);
    assert_eq!(settled(&raw, OnBroken::Remove, footer).1, [OnBroken::Remove]);
}

#[test]
fn more_signatures_than_the_limit_are_not_looked_at() {
    let raw = message(&signature(ALL).repeat(MAX_SIGNATURES + 5), BODY);
    assert_eq!(compared(&raw, footer).len(), MAX_SIGNATURES);
}
