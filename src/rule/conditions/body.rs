//! `body`: the text that a reader sees.

use crate::message::Body;
use crate::rule::section::Section;
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene, Takes};

use super::subject;
use super::text_match::{CONTAINS, MATCHES, TextMatch, WORDS};

const OPTIONS: &[OptionDoc] = &[WORDS, CONTAINS, MATCHES];

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "body",
    doc: "Tests the text that a reader sees, for HTML without markup, quoted text and what its style hides included; a bare string is `contains`. \
          Of several bodies one must pass all tests. Attachments are not looked at.",
    takes: Takes::Either(&[Takes::Text("string"), Takes::Table(OPTIONS)]),
    example: "body = { words = [\"confidential\", \"trade secret\"] }",
    compile,
};

#[derive(Debug)]
struct Text(TextMatch);

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    Some(Box::new(Text(subject::read(section, key, OPTIONS)?)))
}

/// Does a body pass? It is not read when time is up.
fn sees(scene: &Scene<'_, '_>, body: Body, test: &TextMatch) -> bool {
    !scene.late.is_late() && scene.draft.visible(body).is_ok_and(|text| test.holds(&text, scene.late))
}

impl Condition for Text {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        scene.draft.readable().into_iter().any(|body| sees(scene, body, &self.0))
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let draft = &*scene.draft;
        let read =
            |body| draft.visible(body).map_or("one that cannot be read".to_owned(), |text| text.trim().to_owned());
        let texts: Vec<String> = draft.readable().into_iter().map(read).collect();
        Some(if texts.is_empty() { "no body".to_owned() } else { texts.join(" | ") })
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds, problems};

    const HTML: &str = "Content-Type: text/html\n\n<p title=\"hidden\">Top <b>sec</b>ret</p>";

    #[test]
    fn plain_text() {
        assert!(holds("body = \"top secret\"", "Subject: x\n\nThis is top\nsecret."));
        assert!(!holds("body = \"top secret\"", "Subject: top secret\n\nHello"));
        assert!(holds("body = { matches = 'EMP-[0-9]{4}' }", "Subject: x\n\nEMP-0042"));
    }

    #[test]
    fn html_is_seen_without_markup() {
        assert!(holds("body = { words = \"top secret\" }", HTML));
        assert!(!holds("body = \"hidden\"", HTML));
        assert!(!holds("body = \"<b>\"", HTML));
    }

    #[test]
    fn encoded_text_is_decoded() {
        let message = "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
                       Gr=FC=DFe aus K=F6=\nln";
        assert!(holds("body = { words = \"grüße aus köln\" }", message));
    }

    #[test]
    fn every_alternative_is_looked_at_and_attachments_are_not() {
        let message = "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n\
                       --a\nContent-Type: text/plain\n\nplain\n--a\nContent-Type: text/html\n\n<p>rich</p>\n--a--\n\
                       --m\nContent-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=a.txt\n\n\
                       attached\n--m--\n";
        assert!(holds("body = { words = \"plain\" }", message));
        assert!(holds("body = { words = \"rich\" }", message));
        assert!(!holds("body = { words = \"attached\" }", message));
        // One body must pass all tests.
        assert!(!holds("body = { words = \"plain\", contains = \"rich\" }", message));
    }

    #[test]
    fn signed_text_is_read_too() {
        let message = "Content-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"\n\n--s\n\
                       Content-Type: text/plain\n\nsecret\n--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n";
        assert!(holds("body = { words = \"secret\" }", message));
    }

    #[test]
    fn a_test_is_needed() {
        assert!(problems("body = {}").contains("tests nothing"));
        assert!(problems("body = { words = [] }").contains("R003"));
    }
}
