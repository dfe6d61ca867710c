//! `subject`: the subject as a reader sees it.

use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene, Takes};

use super::keys;
use super::text_match::{CONTAINS, MATCHES, TextMatch, WORDS};

const OPTIONS: &[OptionDoc] = &[CONTAINS, WORDS, MATCHES];

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "subject",
    doc: "Tests the decoded subject; a bare string is `contains`. A message without a subject does not hold.",
    takes: Takes::Either(&[Takes::Text("string"), Takes::Table(OPTIONS)]),
    example: "subject = { words = [\"invoice\", \"payment reminder\"] }",
    compile,
};

#[derive(Debug)]
struct Subject(TextMatch);

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    Some(Box::new(Subject(read(section, key, OPTIONS)?)))
}

/// A bare string (`contains`), or a table of tests of which one must be given.
pub(super) fn read(section: &mut Section<'_>, key: &'static str, options: &[OptionDoc]) -> Option<TextMatch> {
    if matches!(section.holds(key), Holds::String) {
        let text = section.string(key)?;
        return TextMatch::of_contains(section, text);
    }
    let mut table = section.section(key)?;
    let nothing = table.keys().is_empty();
    let test = TextMatch::read(&mut table, options);
    if nothing {
        let keys = keys(options).join("`, `");
        let span = table.span();
        table.problem(&span, Code::Missing, format!("`{key}` tests nothing"), format!("give one of `{keys}`"));
    }
    table.finish(key, &keys(options));
    test.filter(|test| !test.is_empty())
}

impl Condition for Subject {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        scene.draft.subject().is_some_and(|subject| self.0.holds(&subject, scene.late))
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        Some(scene.draft.subject().map_or("no subject".to_owned(), |subject| format!("\"{subject}\"")))
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds, problems};

    #[test]
    fn a_bare_string_is_contains() {
        assert!(holds("subject = \"INVOICE\"", "Subject: Your invoices\n\nx"));
        assert!(!holds("subject = \"invoice\"", "Subject: Hello\n\ninvoice"));
    }

    #[test]
    fn encoded_words_are_decoded() {
        let message = "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus?=\n =?utf-8?B?IEvDtmxu?=\n\nx";
        assert!(holds("subject = { words = \"grüße aus köln\" }", message));
        assert!(!holds("subject = { words = \"grüß\" }", message));
        assert!(holds("subject = { matches = '^Gr' }", message));
    }

    #[test]
    fn no_subject_does_not_hold() {
        assert!(!holds("subject = { matches = '' }", "From: ann@example.com\n\nx"));
        assert!(holds("subject = { matches = '^$' }", "Subject:\n\nx"));
    }

    #[test]
    fn a_test_is_needed() {
        assert!(problems("subject = {}").contains("tests nothing"));
        assert!(problems("subject = { matches = '(' }").contains("unclosed group"));
        assert!(problems("subject = 3").contains("R003"));
    }
}
