//! Links in texts and HTML, through the pipeline.

use crate::envelope::{Address, Direction, Envelope};
use crate::facts::Facts;
use crate::message::{Message, Rendered};
use crate::pipeline::Pipeline;

const GATE: &str = "gateway = \"https://gate.example.com/?u={{ url }}\"\n";
const TRACKING: &str = "tracking = \"known\"\n";
const UNWRAP: &str = "unwrap = \"https://gate.example.com/?u={{ url }}\"\n";

/// What the rule makes of a body, and the effects it tells; a second run changes nothing.
fn run(options: &str, head: &str, body: &str) -> (String, Vec<String>) {
    let rule = format!("[[rule]]\nname = \"links\"\n[[rule.action]]\nkind = \"rewrite_links\"\n{options}");
    let organization = "domains = [\"example.com\"]\n".to_owned();
    let files = vec![("organization.toml".into(), organization), ("r.toml".into(), rule)];
    let pipeline = Pipeline::from_sources(files).unwrap_or_else(|problems| panic!("{problems}"));
    let raw = format!("From: kim@example.net\nMIME-Version: 1.0\n{head}\n\n{body}").replace('\n', "\r\n").into_bytes();
    let (first, effects) = once(&pipeline, &raw);
    let (second, _) = once(&pipeline, &first);
    assert_eq!(String::from_utf8_lossy(&second), String::from_utf8_lossy(&first), "a second run");
    let text = String::from_utf8(first).unwrap().replace("\r\n", "\n");
    let (_, body) = text.split_once("\n\n").unwrap();
    (body.to_owned(), effects)
}

fn once(pipeline: &Pipeline, raw: &[u8]) -> (Vec<u8>, Vec<String>) {
    let envelope = Envelope {
        direction: Direction::Inbound,
        sender: Address::new("kim@example.net").ok(),
        recipients: Address::new("ann@example.com").into_iter().collect(),
        message_id: "0-1".into(),
        truncated: false,
    };
    let message = Message::parse(raw);
    let outcome = pipeline.run(&message, &envelope, &Facts::default(), &|| false).unwrap();
    assert!(outcome.report.notes.is_empty(), "{:?}", outcome.report.notes);
    let out = outcome.rewritten.as_ref().map_or_else(|| raw.to_vec(), Rendered::to_vec);
    (out, outcome.report.rules.into_iter().flat_map(|rule| rule.effects).collect())
}

fn html(options: &str, body: &str) -> String {
    run(options, "Content-Type: text/html; charset=utf-8", body).0
}

fn plain(options: &str, body: &str) -> String {
    run(options, "Content-Type: text/plain; charset=utf-8", body).0
}

#[test]
fn the_links_of_html_lead_through_the_gateway_and_nothing_else_changes() {
    const A: &str = "https://gate.example.com/?u=https%3A%2F%2Fa.example%2F";
    for (before, after) in [
        ("<a href=\"https://a.example/\">x</a>\n", format!("<a href=\"{A}\">x</a>\n")),
        ("<A  HREF = 'https://a.example/?b&amp;c' >x</A>\n", format!("<A  HREF = '{A}%3Fb%26c' >x</A>\n")),
        ("<a href=https://a.example/>x</a>\n", format!("<a href={A}>x</a>\n")),
        ("<a href=\" ht&#116;ps://a.\nexample/\">x</a>\n", format!("<a href=\"{A}\">x</a>\n")),
        ("<area href=\"//a.example/\">\n", format!("<area href=\"{A}\">\n")),
        (
            "<base href=\"https://a.example/\"><a href=\"b\">x</a>\n",
            format!("<base href=\"https://a.example/\"><a href=\"{A}b\">x</a>\n"),
        ),
        (
            "<!--[if mso]><v:rect href=\"https://a.example/\"></v:rect><![endif]-->\n",
            format!("<!--[if mso]><v:rect href=\"{A}\"></v:rect><![endif]-->\n"),
        ),
        (
            "<a href=\"www.a.example\">x</a>\n",
            "<a href=\"https://gate.example.com/?u=http%3A%2F%2Fwww.a.example\">x</a>\n".to_owned(),
        ),
        ("<p>see https://a.example/.</p>\n", format!("<p>see <a href=\"{A}\">https://a.example/</a>.</p>\n")),
        (
            "<a href=\"https://a.example/\">https://a.example/</a>\n",
            format!("<a href=\"{A}\">https://a.example/</a>\n"),
        ),
    ] {
        assert_eq!(html(GATE, before), after, "{before}");
    }
    for same in [
        "<a href=\"mailto:a@a.example\">x</a> <a href=\"tel:+1\">x</a> <a href=\"#x\">x</a> <a href=\"cid:x\">x</a>\n",
        "<a href=\"javascript:x\">x</a> <a href=\"b/c\">x</a> <a href=\"/b\">x</a> <a href=\"\">x</a> <a>x</a>\n",
        "<img src=\"https://a.example/x.png\"><link href=\"https://a.example/\"><form action=\"https://a.example/\">\n",
        "<textarea>https://a.example/</textarea><button>https://a.example/</button><title>www.a.example</title>\n",
        "<a href=\"https://gate.example.com/?u=https%3A%2F%2Fa.example\">x</a>\n",
    ] {
        assert_eq!(html(GATE, same), same);
    }
    let kept = "<p>see https://a.example/.</p>\n";
    assert_eq!(html(&format!("{GATE}bare = \"keep\"\n"), kept), kept);
}

#[test]
fn the_links_of_text_become_the_same() {
    const A: &str = "https://gate.example.com/?u=https%3A%2F%2Fa.example%2F";
    for (before, after) in [
        ("See https://a.example/, and <https://a.example/>.\n", format!("See {A}, and <{A}>.\n")),
        ("> (https://a.example/)\n", format!("> ({A})\n")),
        ("ann@www.a.example, ftp://a.example/\n", "ann@www.a.example, ftp://a.example/\n".to_owned()),
    ] {
        assert_eq!(plain(GATE, before), after, "{before}");
    }
    let flowed = "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes";
    assert_eq!(run(GATE, flowed, "x https://a.exam \nple/ y\n").0, format!("x {A} y\n"));
    let quoted = "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable";
    let (body, _) = run(GATE, quoted, "See https://a.exam=\nple/?b=3Dc for =\nmore\n");
    assert!(
        body.replace("=\n", "")
            .starts_with("See https://gate.example.com/?u=3Dhttps%3A%2F%2Fa.example%2F%3Fb%3Dc for more"),
        "{body}"
    );
}

#[test]
fn hosts_that_are_allowed_are_left_alone_and_nobody_else_passes_for_one() {
    let options = format!("{GATE}allow = [\"internal\", \"*.example.net\"]\n");
    let same = "https://example.com/a http://www.example.net:80/b\n";
    assert_eq!(plain(&options, same), same);
    for url in [
        "https://example.com@evil.example/",
        "https://example.com:80@evil.example/",
        "https://evil.example\\@example.com/",
        "https://example.com.evil.example/",
        "https://evil.example/example.com",
    ] {
        let out = html(&options, &format!("<a href=\"{url}\">x</a>\n"));
        assert!(out.starts_with("<a href=\"https://gate.example.com/?u=https%3A%2F%2F"), "{out}");
    }
}

#[test]
fn tracking_is_taken_out_and_the_rest_of_the_link_keeps_its_spelling() {
    for (before, after) in [
        (
            "<a href=\"https://a.example/?utm_source=b&amp;c=%2d&amp;fbclid=d#e\">x</a>\n",
            "<a href=\"https://a.example/?c=%2d#e\">x</a>\n",
        ),
        (
            "<a href='https://a.example/?mc_eid=b'>https://a.example/?mc_eid=b</a>\n",
            "<a href='https://a.example/'>https://a.example/?mc_eid=b</a>\n",
        ),
        ("<p>https://a.example/?c=d&amp;utm_id=1.</p>\n", "<p>https://a.example/?c=d.</p>\n"),
    ] {
        assert_eq!(html(TRACKING, before), after, "{before}");
    }
    assert_eq!(plain(TRACKING, "<https://a.example/?a=b&gclid=c>\n"), "<https://a.example/?a=b>\n");
    let own = "tracking = [\"x_*\", \"ref\"]\n";
    assert_eq!(plain(own, "https://a.example/?x_1=2&utm_a=b&ref=c\n"), "https://a.example/?utm_a=b\n");
    let (body, effects) = run(
        &format!("{GATE}{TRACKING}"),
        "Content-Type: text/html",
        "<a href=\"https://a.example/?utm_source=b\">x</a> <a href=\"https://b.example\">y</a>\n",
    );
    assert!(body.contains("u=https%3A%2F%2Fa.example%2F\"") && body.contains("u=https%3A%2F%2Fb.example\""), "{body}");
    assert_eq!(effects, ["rewrite_links: 2 links in 1 text: 2 through the gateway, 1 without tracking"]);
}

#[test]
fn what_goes_out_leads_straight_again() {
    let through = html(GATE, "<a href=\"https://a.example/?b=1&amp;c='2'\">x</a> https://a.example/\n");
    let back = html(UNWRAP, &through);
    assert_eq!(
        back,
        "<a href=\"https://a.example/?b=1&amp;c=&#39;2&#39;\">x</a> <a href=\"https://a.example/\">https://a.example/</a>\n"
    );
    assert_eq!(plain(UNWRAP, &plain(GATE, "> https://a.example/?b=1.\n")), "> https://a.example/?b=1.\n");
    let from_text = "<a href=\"https://gate.example.com/?u=https%3A%2F%2Fa.example%2F\">https://gate.example.com/?u=https%3A%2F%2Fa.example%2F</a>\n";
    assert_eq!(html(UNWRAP, from_text), "<a href=\"https://a.example/\">https://a.example/</a>\n");
    let other = "<a href=\"https://gate.example.com/?u=javascript%3Ax\">x</a> <a href=\"https://gate.example.com/help\">y</a>\n";
    assert_eq!(html(UNWRAP, other), other);
}

#[test]
fn signed_parts_keep_their_links_and_texts_beside_them_do_not() {
    let part = |body: &str| format!("Content-Type: text/plain\n\n{body}\n");
    let signed = format!(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=s\n\n--s\n{}--s\nContent-Type: \
         application/pkcs7-signature\n\nx\n--s--\n",
        part("https://a.example/")
    );
    let (head, body) = signed.split_once("\n\n").unwrap();
    assert_eq!(run(GATE, head, body).0, body);
    let mixed = format!("--m\n{}--m\n{signed}--m--\n", part("https://b.example/"));
    let (out, _) = run(GATE, "Content-Type: multipart/mixed; boundary=m", &mixed);
    assert!(out.contains("u=https%3A%2F%2Fb.example%2F\n") && out.contains("\nhttps://a.example/\n"), "{out}");
    let (out, _) = run(&format!("{GATE}protected = \"skip\"\n"), "Content-Type: multipart/mixed; boundary=m", &mixed);
    assert_eq!(out, mixed);
}
