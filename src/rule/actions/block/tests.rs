//! Blocks that stand once, whoever tries to keep them away.

use crate::envelope::{Address, Direction, Envelope};
use crate::facts::Facts;
use crate::message::Message;
use crate::pipeline::{Pipeline, Verdict};

const BANNER: &str = "Outside mail from {{ sender.domain }}. Take care with links.";

pub(super) fn rule(name: &str, action: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\n[[rule.action]]\n{action}\n")
}

fn prepend(text: &str) -> String {
    rule("banner", &format!("kind = \"prepend\"\ntext = \"{text}\""))
}

fn plain(text: &str) -> String {
    format!("From: eve@evil.example\nSubject: Hi\nMessage-ID: <1@evil.example>\n\n{text}")
}

pub(super) fn html(html: &str) -> String {
    format!("From: eve@evil.example\nSubject: Hi\nMessage-ID: <1@evil.example>\nContent-Type: text/html\n\n{html}")
}

/// What becomes of a message.
fn run_raw(rules: &str, raw: &[u8]) -> Vec<u8> {
    let pipeline = Pipeline::from_sources(vec![("r.toml".into(), rules.into())]).unwrap_or_else(|p| panic!("{p}"));
    let envelope = Envelope {
        direction: Direction::Inbound,
        sender: Address::new("eve@evil.example").ok(),
        recipients: Address::new("kim@example.com").into_iter().collect(),
        message_id: "0-1".into(),
        truncated: false,
    };
    let message = Message::parse(raw);
    let outcome = pipeline.run(&message, &envelope, &Facts::default(), &|| false).unwrap();
    assert!(outcome.report.notes.is_empty(), "{:?}", outcome.report.notes);
    for rule in &outcome.report.rules {
        assert!(!matches!(rule.verdict, Verdict::Failed(_)), "{rule:?}");
    }
    outcome.rewritten.map_or_else(|| raw.to_vec(), |rendered| rendered.to_vec())
}

pub(super) fn run(rules: &str, mail: &str) -> String {
    let out = run_raw(rules, mail.replace('\n', "\r\n").as_bytes());
    String::from_utf8(out).unwrap().replace("\r\n", "\n")
}

/// The message after one run; a second changes nothing.
fn once_raw(rules: &str, raw: &[u8]) -> String {
    let out = run_raw(rules, raw);
    assert_eq!(run_raw(rules, &out), out, "a second run changes nothing");
    String::from_utf8_lossy(&out).into_owned()
}

/// The message after one run; a second changes nothing.
pub(super) fn once(rules: &str, mail: &str) -> String {
    let out = run(rules, mail);
    assert_eq!(run(rules, &out), out, "a second run changes nothing");
    out
}

/// The block as it stands in a message of the same sender.
fn written(rules: &str) -> String {
    let out = run(rules, &html("<p>Hi</p>"));
    let (start, end) = (out.find("<div data-mailwright").unwrap(), out.rfind("</div>").unwrap());
    out[start..end + "</div>".len()].to_owned()
}

#[test]
fn text_of_a_stranger_keeps_no_banner_away_unless_it_is_the_banner_in_its_place() {
    let banner = "Outside mail from evil.example. Take care with links.";
    let rules = prepend(BANNER);
    for text in [
        format!("Hi Kim,\n\nthe system says:\n\n{banner}\n"),
        format!("{}{banner}\n\nHi\n", "\n".repeat(60)),
        "Outside mail from bank.example. Take care with links.\n\nHi\n".to_owned(),
        "Outside mail from your own colleague, evil.example. Take care with links.\n\nHi\n".to_owned(),
        "Outside mail from\n\nevil.example. Take care with links.\n\nHi\n".to_owned(),
        format!("> {banner}\n\nHi\n"),
        format!("{banner} It is safe.\n\nHi\n"),
    ] {
        let out = once(&rules, &plain(&text));
        assert!(out.ends_with(&format!("\n\n{banner}\n\n{text}")), "{out}");
    }
    let as_written = plain(&format!("{banner}\n\nHi\n"));
    assert_eq!(once(&rules, &as_written), as_written);
}

#[test]
fn html_of_a_stranger_keeps_no_banner_away_unless_a_reader_sees_it() {
    let rules = prepend(BANNER);
    let block = written(&rules);
    let hidden = block.replacen("style=\"", "style=\"display:none;", 1);
    for body in [
        format!("<div style=\"display:none\">{block}</div><p>Hi</p>"),
        format!("<p>Hi</p>{block}"),
        format!("<!-- {block} --><p>Hi</p>"),
        format!("<p title='{block}'>Hi</p>"),
        format!("<style>{block}</style><p>Hi</p>"),
        format!("<template>{block}</template><p>Hi</p>"),
        format!("<head><title>{block}</title></head><body><p>Hi</p>"),
        format!("{hidden}<p>Hi</p>"),
        format!("<b>{block}</b><p>Hi</p>"),
        block.replace("evil.example", "bank.example") + "<p>Hi</p>",
        block.replace("links.", "everything.") + "<p>Hi</p>",
        "<div data-mailwright=\"000000000000-000000000000\"></div><p>Hi</p>".to_owned(),
        "<p>Outside mail from evil.example. Take care with links.</p><p>Hi</p>".to_owned(),
    ] {
        let out = once(&rules, &html(&body));
        // Ours is shown, before all that is seen.
        assert_eq!(out.matches(block.as_str()).count(), html(&body).matches(block.as_str()).count() + 1, "{out}");
        let seen = crate::message::html::visible(out.split_once("\n\n").unwrap().1).text;
        assert!(seen.starts_with("Outside mail from evil.example. Take care with links."), "{out}");
    }
    for body in [format!("{block}<p>Hi</p>"), format!("<html><body>\n{block}\n<p>Hi</p></body></html>")] {
        assert_eq!(once(&rules, &html(&body)), html(&body));
    }
}

#[test]
fn a_body_that_lacks_the_block_gets_it_though_its_alternative_has_it() {
    let rules = prepend(BANNER);
    let banner = "Outside mail from evil.example. Take care with links.";
    let mail = format!(
        "From: eve@evil.example\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\n{banner}\n\nHi\n\
         --b\nContent-Type: text/html\n\n<p>Hi</p>\n--b--\n"
    );
    let out = once(&rules, &mail);
    assert_eq!(out.matches("Take care").count(), 2, "{out}");
    assert!(out.contains("<div data-mailwright") && out.contains(&format!("--b\n\n{banner}\n\nHi\n--b\n")), "{out}");
}

#[test]
fn blocks_at_one_place_know_each_other_and_nobody_elses() {
    let footer = |name: &str| rule(name, &format!("kind = \"append\"\ntext = \"Footer {name} for {{{{ subject }}}}\""));
    let below = |name: &str| footer(name) + "place = \"below-reply\"\n";
    let tag = rule("tag", "kind = \"tag_subject\"\ntag = \"[X]\"");
    let quote = "On 7 May 2024, Kim wrote:\n> Shall we?\n";
    for rules in [
        [footer("a"), footer("b"), footer("c")].concat(),
        [below("a"), footer("b"), tag.clone(), below("c")].concat(),
        [footer("a"), below("b"), prepend(BANNER), tag.clone(), below("c")].concat(),
    ] {
        for body in ["Hi\n", &format!("Yes.\n\n{quote}"), "", &format!("{quote}\nYes.\n\n> Where?\n\nHere.\n")] {
            let out = once(&rules, &plain(body));
            assert_eq!(out.matches("Footer").count(), 3, "{out}");
        }
        for body in ["<p>Hi</p>", "<p>Yes.</p><blockquote type=cite>Shall we?</blockquote>", "<div><p>Hi", ""] {
            let out = once(&rules, &html(body));
            assert_eq!(out.matches("Footer").count(), 3, "{out}");
        }
    }
    // A block that no rule writes is text like any other.
    let out = once(&footer("a"), &plain("Hi\n\nFooter a for Hi\n\nFooter z for Hi\n"));
    assert!(out.ends_with("Footer a for Hi\n\nFooter z for Hi\n\nFooter a for Hi\n"), "{out}");
}

#[test]
fn a_footer_at_the_end_does_not_move_the_one_below_the_reply() {
    let rules = [
        rule("a", "kind = \"append\"\ntext = \"At the end\""),
        rule("b", "kind = \"append\"\ntext = \"Below the reply\"\nplace = \"below-reply\""),
    ]
    .concat();
    let out = once(&rules, &plain("Yes.\n\nOn 7 May 2024, Kim wrote:\n> Shall we?\n"));
    let body = "Yes.\n\nBelow the reply\n\nOn 7 May 2024, Kim wrote:\n> Shall we?\n\nAt the end\n";
    assert!(out.ends_with(body), "{out}");
}

#[test]
fn two_rules_with_one_text_put_it_in_once() {
    let notice = |name: &str| rule(name, "kind = \"append\"\nhtml = \"<p>Example Ltd, High Street</p>\"");
    for mail in [plain("Hi\n"), html("<p>Hi</p>")] {
        let out = once(&[notice("outbound"), notice("inbound")].concat(), &mail);
        assert_eq!(out.matches("High Street").count(), 1, "{out}");
    }
}

#[test]
fn blocks_are_known_in_every_charset_and_encoding() {
    let rules = [
        rule("a", "kind = \"append\"\nhtml = \"<p>Café „Müller“ – 10 €</p>\""),
        rule("b", "kind = \"prepend\"\nhtml = \"<p>¡Cuidado! 日本 £ — ~</p>\""),
    ]
    .concat();
    for charset in
        ["us-ascii", "iso-8859-1", "windows-1252", "utf-8", "shift_jis", "iso-2022-jp", "gb18030", "koi8-r", "x-no"]
    {
        for encoding in ["7bit", "quoted-printable", "base64"] {
            for kind in ["plain; format=flowed", "html"] {
                let body = if encoding == "base64" { "SGkgS2ltDQo=" } else { "Hi Kim" };
                let mail = format!(
                    "From: a@evil.example\nMIME-Version: 1.0\nContent-Type: text/{kind}; charset={charset}\n\
                     Content-Transfer-Encoding: {encoding}\n\n{body}\n"
                );
                assert_ne!(once(&rules, &mail), mail);
            }
        }
    }
}

#[test]
fn blocks_beside_a_message_are_known_and_are_no_body() {
    let rules = [
        rule("a", "kind = \"append\"\ntext = \"First\"\nno_body = \"part\""),
        rule("b", "kind = \"append\"\ntext = \"Second\""),
        rule("c", "kind = \"append\"\ntext = \"Third\"\nno_body = \"part\""),
        rule("d", "kind = \"prepend\"\ntext = \"Above\"\nno_body = \"part\""),
    ]
    .concat();
    let mail = "From: a@evil.example\nMIME-Version: 1.0\nContent-Type: application/pdf; name=a.pdf\n\nJVBERi0=\n";
    let out = once(&rules, mail);
    for (block, count) in [("First", 1), ("Second", 0), ("Third", 1), ("Above", 1)] {
        assert_eq!(out.matches(block).count(), count, "{block}: {out}");
    }
}

const NOTICE: &str = "kind = \"append\"\ntext = \"This mail is confidential. Delete it, if it is not for you.\"";

#[test]
fn once_per_thread_a_quoted_copy_counts_however_it_is_wrapped() {
    let thread = rule("r", &format!("{NOTICE}\nonce = \"thread\""));
    let message = rule("r", NOTICE);
    let quote =
        "Yes.\n\nOn 7 May 2024, Kim wrote:\n>> This mail is *confidential*. Delete\n>> it, if it is not\n>> for you.\n";
    assert_eq!(once(&thread, &plain(quote)), plain(quote));
    assert_eq!(once(&message, &plain(quote)).matches("confidential").count(), 2);
    let quote = "<p>Yes.</p><blockquote type=cite><p>This&nbsp;mail is <b>confidential</b>.<br>Delete it, if it is not for \
                 you.</blockquote>";
    assert_eq!(once(&thread, &html(quote)), html(quote));
    assert_eq!(once(&message, &html(quote)).matches("confidential").count(), 2);
}

const FOOTER: &str = "kind = \"append\"\ntext = \"Example Ltd, High Street\"\n";

#[test]
fn half_a_link_at_the_end_hides_no_footer_from_a_second_run() {
    let rules = rule("footer", &format!("{FOOTER}once = \"thread\""));
    for text in ["<http://", "See <https://\n", "a <mailto:\n\n"] {
        assert_eq!(once(&rules, &plain(text)).matches("High Street").count(), 1, "{text}");
    }
}

#[test]
fn an_element_whose_name_is_not_ascii_hides_no_footer_from_a_second_run() {
    let rules = rule("footer", FOOTER);
    for text in ["<yé>", "<b><yé>Hi", "<p>Hi <日本 x=y>there"] {
        let out = once(&rules, &html(text));
        assert!(!out.contains("</yé") && !out.contains("</&#"), "{out}");
    }
}

#[test]
fn what_is_closed_before_a_footer_moves_no_banner() {
    let both = [prepend(BANNER), rule("footer", FOOTER)].concat();
    let keep = BANNER.to_owned() + "\"\npreview = \"keep";
    let keep = [prepend(&keep), rule("footer", FOOTER)].concat();
    for text in ["<noscript>", "<head><noscript><style>p{}</style>", "<template>", "<div hidden>Preview <b>x"] {
        assert_eq!(once(&both, &html(text)).matches("Take care").count(), 1, "{text}");
        assert_eq!(once(&keep, &html(text)).matches("Take care").count(), 1, "{text}");
    }
}

#[test]
fn a_block_that_begins_inside_of_a_tag_is_none() {
    let rules = rule("footer", &format!("{FOOTER}place = \"below-reply\""));
    let block = written(&rules);
    for before in ["<d", "<p title=", "<p title='x'", "<script>"] {
        let out = once(&rules, &html(&format!("{before}{block}")));
        assert_eq!(out.matches("High Street").count(), 2, "{out}");
    }
}

#[test]
fn a_part_beside_a_message_is_no_body_that_lacks_another_block() {
    let rules = |banner: &str, footer: &str| {
        [
            rule("banner", &format!("kind = \"prepend\"\ntext = \"{banner}\"")),
            rule("footer", &format!("kind = \"append\"\ntext = \"{footer}\"")),
        ]
        .concat()
    };
    // One of the blocks does not fit into the text, the other one does.
    let narrow = |kind: &str| {
        format!("From: eve@evil.example\r\nContent-Type: text/{kind}; charset=x-unknown\r\n\r\nHi Kim\r\n").into_bytes()
    };
    let shifted = b"From: eve@evil.example\r\nContent-Type: text/html; charset=iso-2022-jp\r\n\r\n>\x1b$B".to_vec();
    let base64 = b"From: eve@evil.example\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                   Cjx==\r\n"
        .to_vec();
    for raw in [narrow("plain"), narrow("html"), shifted, base64] {
        for (banner, footer) in [("Take care", "Example Ltd, 5 €"), ("Caution, 5 €", "Example Ltd"), ("A €", "B €")]
        {
            once_raw(&rules(banner, footer), &raw);
        }
    }
    let out = once_raw(&rules("Take care", "Example Ltd, 5 €"), &narrow("plain"));
    assert_eq!(out.matches("Take care").count(), 1, "{out}");
    assert!(out.contains("\r\n\r\nTake care\r\n\r\nHi Kim\r\n"), "{out}");
}

#[test]
fn a_strangers_copy_in_front_of_the_document_keeps_no_banner_away() {
    let rules = prepend(BANNER);
    for document in ["<html><body><p>Hi</p></body></html>", "<!doctype html><p>Hi</p>"] {
        // What the banner is written as, taken from another message, in front of all of it.
        let out = once(&rules, &html("<p>Hi</p>"));
        let copy = out.split("\n\n").nth(1).unwrap().split("<p>Hi").next().unwrap().trim();
        let out = once(&rules, &html(&format!("{copy}{document}")));
        // Ours stands above it, in a part with both forms.
        assert_eq!(out.matches("Take care with").count(), 3, "{out}");
        assert!(out.contains("multipart/mixed; boundary=\"=_mailwright_mixed_0\""), "{out}");
    }
}

#[test]
fn a_part_of_a_strangers_that_looks_like_one_beside_a_message_keeps_no_banner_away() {
    let rules = prepend(BANNER);
    let banner = "Outside mail from evil.example. Take care with links.";
    let around = |parts: [&str; 2]| {
        let [first, second] = parts;
        format!(
            "From: eve@evil.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_mailwright_mixed_0\"\n\n\
             --=_mailwright_mixed_0\n{first}\n--=_mailwright_mixed_0\n{second}\n--=_mailwright_mixed_0--\n"
        )
    };
    let plain = format!("\n{banner}\n");
    let said = "\nClick here\n";
    let html = "Content-Type: text/html\n\n<p>Click here</p>\n";
    // Below the text, or beside a text of the other kind, it is no banner of that text.
    let out = once(&rules, &around([said, &plain]));
    assert!(out.contains(&format!("\n{banner}\n\nClick here\n")), "{out}");
    let out = once(&rules, &around([&plain, html]));
    assert!(out.contains("<div data-mailwright"), "{out}");
    // Above it, it is what a reader sees first.
    assert_eq!(once(&rules, &around([&plain, said])), around([&plain, said]));
}

#[test]
fn a_message_is_wrapped_once_though_a_text_in_it_could_be_edited_but_for_what_it_holds() {
    let rules = rule("footer", "kind = \"append\"\ntext = \"Example Ltd, 5 €\"\nprotected = \"wrap\"");
    let mail = "From: eve@evil.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
                Content-Type: text/plain; charset=x-unknown\n\nHi\n--b\nContent-Type: multipart/signed; boundary=s\n\n--s\n\n\
                signed\n--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n--b--\n";
    let out = once(&rules, mail);
    assert!(out.contains("=_mailwright_mixed_0") && !out.contains("=_mailwright_mixed_1"), "{out}");
}

#[test]
fn a_text_that_ends_in_half_a_line_end_is_no_other_once_it_is_encoded() {
    let rules = [
        rule("banner", "kind = \"prepend\"\ntext = \"Take care\""),
        rule("footer", "kind = \"append\"\ntext = \"Example Ltd, 5 €\""),
    ]
    .concat();
    once_raw(&rules, b":\n\n\xa0\r");
}

#[test]
fn a_plain_body_beside_html_that_is_ours_alone_gets_a_footer_that_is_known() {
    let rules = [prepend(BANNER), rule("footer", &format!("{FOOTER}once = \"thread\""))].concat();
    let mail = format!(
        "From: eve@evil.example\nMIME-Version: 1.0\nContent-Type: multipart/alternative; \
         boundary=\"=_mailwright_alternative_0_0\"\n\n--=_mailwright_alternative_0_0\nContent-Type: text/html\n\n{}\n\
         --=_mailwright_alternative_0_0\n\nHi\n--=_mailwright_alternative_0_0--\n",
        written(&prepend(BANNER))
    );
    assert_eq!(once(&rules, &mail).matches("High Street").count(), 1);
}

#[test]
fn a_banner_below_many_others_is_still_at_the_top() {
    let banner = |name: &str| rule(name, &format!("kind = \"prepend\"\ntext = \"Banner {name}\""));
    let rules: String = ["a", "b", "c", "d", "e"].map(banner).concat();
    for mail in [plain("Hi\n"), html("<p>Hi</p>"), plain("")] {
        let out = once(&rules, &mail);
        assert_eq!(out.matches("Banner").count(), 5, "{out}");
    }
    let mail = plain(&format!("Banner b\n\nBanner a\n\n{}Banner c\n\nHi\n", "\n".repeat(9)));
    assert_eq!(run(&banner("a"), &mail).matches("Banner a").count(), 2);
}

#[test]
fn what_becomes_armor_with_a_line_behind_it_was_armor_before() {
    let rules = rule("footer", &format!("{FOOTER}protected = \"wrap\""));
    let armor = "-----BEGIN PGP MESSAGE-----\nx\n-----END PGP MESSAGE-----";
    let spelled = armor.bytes().fold(String::new(), |spelled, b| format!("{spelled}={b:02X}"));
    let broken = armor.replacen("BEGIN", "BEG=\nIN", 1);
    for text in [spelled, broken, armor.replacen('-', "=2D", 1)] {
        let mail = format!("From: eve@evil.example\nContent-Transfer-Encoding: quoted-printable\n\n{text}=");
        let out = once(&rules, &mail);
        assert!(out.contains("=_mailwright_mixed_0"), "{out}");
    }
}

#[test]
fn empty_parts_that_look_like_ones_beside_a_message_are_no_bodies() {
    let alternative = "Content-Type: multipart/alternative; boundary=\"=_mailwright_alternative_1_0\"\n\n\
                       --=_mailwright_alternative_1_0\n\n--=_mailwright_alternative_1_0\nContent-Type: text/html\n\n\
                       --=_mailwright_alternative_1_0--\n";
    let around = |first: &str, second: &str| {
        format!(
            "From: eve@evil.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=_mailwright_mixed_1\"\n\n\
             --=_mailwright_mixed_1\n{first}\n--=_mailwright_mixed_1\n{second}\n--=_mailwright_mixed_1--\n"
        )
    };
    for rules in [
        prepend(BANNER),
        rule("footer", FOOTER),
        [prepend(BANNER), rule("footer", &format!("{FOOTER}once = \"thread\""))].concat(),
    ] {
        for mail in [around("\n", alternative), around(alternative, "\n"), around("\nHi\n", alternative)] {
            once(&rules, &mail);
        }
    }
    let out = once(&prepend(BANNER), &around("\nHi\n", alternative));
    assert_eq!(out.matches("Take care").count(), 1, "{out}");
}
