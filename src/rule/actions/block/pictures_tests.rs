//! Blocks with pictures.

use super::tests::{html, once, rule, run};
use crate::message::Message;
use crate::pipeline::Pipeline;

/// A picture of one dot.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn with(options: &str) -> String {
    rule(
        "logo",
        &format!(
            "kind = \"append\"\nhtml = '<p><img src=\"cid:logo\" alt=\"Example\">Example Ltd</p>'\ntext = \"Example \
             Ltd\"\nimages = {{ logo = \"data:image/png;base64,{DOT}\" }}\n{options}"
        ),
    )
}

/// Media types by depth, `Content-ID`s and all.
fn outline(mail: &str) -> Vec<String> {
    let raw = mail.replace('\n', "\r\n").into_bytes();
    let message = Message::parse(&raw);
    let depth =
        |id: usize| std::iter::successors(message.parts()[id].parent, |id| message.parts()[id.0].parent).count();
    let lines = message.parts().iter().enumerate().map(|(id, part)| format!("{} {}", depth(id), part.media_type));
    lines.collect()
}

#[track_caller]
fn check(mail: &str, parts: &[&str]) -> String {
    let out = once(&with(""), mail);
    assert_eq!(outline(&out), parts, "{out}");
    assert!(out.contains("Example Ltd"), "{out}");
    assert_eq!(out.matches("mailwright>\n").count(), parts.iter().filter(|part| part.ends_with("image/png")).count());
    out
}

#[test]
fn html_gets_a_related_part_with_its_picture() {
    let out = check(&html("<p>Hi</p>\n"), &["0 multipart/related", "1 text/html", "1 image/png"]);
    assert!(
        out.starts_with("MIME-Version: 1.0\nContent-Type: multipart/related; type=\"text/html\";\n\tboundary="),
        "{out}"
    );
    assert!(out.contains("\nSubject: Hi\n"), "{out}");
    let id = out.split("Content-ID: <").nth(1).unwrap().split('>').next().unwrap();
    assert!(out.contains(&format!("src=\"cid:{id}\"")) || out.contains(&format!("src=3D\"cid:{id}\"")), "{out}");
    assert!(out.contains("Content-Disposition: inline; filename=\"logo.png\""), "{out}");
}

#[test]
fn of_two_alternatives_the_html_gets_it() {
    let alternative = "--a\n\nHi\n--a\nContent-Type: text/html\nX-Odd: 1\n\n<p>Hi</p>\n--a--";
    let mail = format!("Subject: a\nContent-Type: multipart/alternative; boundary=a\n\n{alternative}\n");
    let parts = ["0 multipart/alternative", "1 text/plain", "1 multipart/related", "2 text/html", "2 image/png"];
    let out = check(&mail, &parts);
    assert!(out.starts_with("Subject: a\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\nHi\n\nExample Ltd\n--a\nContent-Type: multipart/related;"), "{out}");
    assert!(out.contains("\nContent-Type: text/html\nX-Odd: 1\n\n<p>Hi</p>"), "{out}");
    assert!(out.ends_with("--\n--a--\n"), "{out}");
    // A text that nothing ends.
    let cut = mail.strip_suffix("\n--a--\n").unwrap();
    check(cut, &parts);
    check(&format!("{cut}\n"), &parts);
    // Beside a file.
    let mixed = format!(
        "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n{alternative}\n--m\n\
         Content-Type: application/pdf; name=a.pdf\n\n%PDF\n--m--\n"
    );
    let out = check(
        &mixed,
        &[
            "0 multipart/mixed",
            "1 multipart/alternative",
            "2 text/plain",
            "2 multipart/related",
            "3 text/html",
            "3 image/png",
            "1 application/pdf",
        ],
    );
    assert!(out.ends_with("\n--m\nContent-Type: application/pdf; name=a.pdf\n\n%PDF\n--m--\n"), "{out}");
}

#[test]
fn a_related_part_that_is_there_takes_the_picture() {
    let related = "Content-Type: multipart/related; boundary=r; type=\"text/html\"; start=\"<1>\"\n\n--r\nContent-Type: text/html\n\
                   Content-ID: <1>\n\n<img src=cid:2>\n--r\nContent-Type: image/gif\nContent-ID: <2>\n\nGIF89a\n";
    let parts = ["0 multipart/related", "1 text/html", "1 image/gif", "1 image/png"];
    let out = check(&format!("{related}--r--\nepilogue\n"), &parts);
    assert!(
        out.starts_with("Content-Type: multipart/related; boundary=r; type=\"text/html\"; start=\"<1>\"\n\n--r\n"),
        "{out}"
    );
    assert!(out.contains("\nGIF89a\n--r\nContent-Type: image/png") && out.ends_with("\n--r--\nepilogue\n"), "{out}");
    check(related, &parts);
    let around = "Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\nHi\n--a\n\
                  Content-Type: text/html\n\n<p>Hi</p>\n--a--\n--r\nContent-Type: image/gif\n\nGIF89a\n--r--\n";
    check(
        around,
        &[
            "0 multipart/related",
            "1 multipart/alternative",
            "2 text/plain",
            "2 text/html",
            "1 image/gif",
            "1 image/png",
        ],
    );
}

#[test]
fn plain_text_needs_no_picture() {
    let out = check("Subject: a\n\nHi\n", &["0 text/plain"]);
    assert_eq!(out, "Subject: a\n\nHi\n\nExample Ltd\n");
}

#[test]
fn beside_a_message_the_picture_stands_with_its_block() {
    let odd = "Content-Type: multipart/alternative; boundary=a\n\n--a\n\nHi\n--a\nContent-Type: text/html; charset=x-odd\n\
               Content-Transfer-Encoding: x-odd\n\n<p>Hi</p>\n--a--\n";
    let out = once(&with(""), odd);
    let expected = [
        "0 multipart/mixed",
        "1 multipart/alternative",
        "2 text/plain",
        "2 text/html",
        "1 multipart/alternative",
        "2 text/plain",
        "2 multipart/related",
        "3 text/html",
        "3 image/png",
    ];
    assert_eq!(outline(&out), expected, "{out}");
}

#[test]
fn two_blocks_share_a_picture() {
    let rules = format!(
        "{}{}",
        with(""),
        with("").replace("\"logo\"\n", "\"other\"\n").replace("Example Ltd", "One High Street")
    );
    let out = once(&rules, &html("<p>Hi</p>\n"));
    assert_eq!(outline(&out), ["0 multipart/related", "1 text/html", "1 image/png"], "{out}");
    assert!(out.contains("Example Ltd") && out.contains("One High Street"), "{out}");
}

#[test]
fn a_picture_of_a_stranger_under_our_name_does_not_stand_for_ours() {
    let out = run(&with(""), &html("<p>Hi</p>\n"));
    let id = out.split("Content-ID: <").nth(1).unwrap().split('>').next().unwrap();
    let mail = format!(
        "Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n<p>Hi</p>\n--r\nContent-Type: image/png\n\
         Content-ID: <{id}>\n\nother\n--r--\n"
    );
    check(&mail, &["0 multipart/related", "1 text/html", "1 image/png", "1 image/png"]);
}

#[test]
fn what_is_wrong_with_pictures_is_said() {
    let problems = |images: &str, html: &str| {
        let action = format!("kind = \"append\"\nhtml = '{html}'\nimages = {images}\n");
        let loaded = Pipeline::from_sources(vec![("r.toml".into(), rule("r", &action))]);
        loaded.expect_err("a problem").to_string()
    };
    let shown = "<img src=\"cid:logo\">";
    assert!(problems("{ logo = \"x.png\" }", shown).contains("cannot be read"));
    assert!(problems("{ logo = \"data:image/png;base64,AAAA\" }", shown).contains("no PNG, JPEG or GIF"));
    assert!(problems(&format!("{{ \"a b\" = \"data:image/png;base64,{DOT}\" }}"), shown).contains("name is 1 to 40"));
    assert!(
        problems(&format!("{{ logo = \"data:image/png;base64,{DOT}\" }}"), "<p>x</p>")
            .contains("shows no picture `logo`")
    );
    assert!(
        problems(&format!("{{ logo = \"data:image/png;base64,{DOT}\" }}"), "<img src=\"cid:lgo\">")
            .contains("shows no picture")
    );
    assert!(problems("{ logo = 1 }", shown).contains("a path or a `data:` URL"));
}
