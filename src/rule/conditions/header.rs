//! `header`: fields of the message's header.

use crate::message::FieldName;
use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene};

use super::keys;
use super::text_match::{CONTAINS, MATCHES, TextMatch, fold};

const OPTIONS: &[OptionDoc] = &[
    OptionDoc { key: "name", takes: "field name", default: "", doc: "Which field; upper and lower case are the same." },
    OptionDoc {
        key: "exists",
        takes: "true | false",
        default: "true",
        doc: "Whether there must be such a field or must be none.",
    },
    OptionDoc {
        key: "is",
        takes: "string | array of strings",
        default: "not tested",
        doc: "Holds when the value is one of these; upper and lower case are the same, a run of white space is one blank.",
    },
    CONTAINS,
    MATCHES,
];

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "header",
    doc: "Tests the decoded values of a header field, or whether it is there; of several fields of that name one must pass. \
          An array of tables tests several fields.",
    options: OPTIONS,
    example: "header = { name = \"X-Mailer\", contains = \"Bulk\" }",
    compile,
};

#[derive(Debug)]
struct Header(Vec<FieldTest>);

#[derive(Debug)]
struct FieldTest {
    name: FieldName,
    exists: bool,
    /// Folded values of which the field must be one.
    is: Option<Vec<String>>,
    text: TextMatch,
}

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let tests: Vec<Option<FieldTest>> = section.sections(key)?.into_iter().map(|table| read(table, key)).collect();
    Some(Box::new(Header(tests.into_iter().collect::<Option<_>>()?)))
}

fn read(mut table: Section<'_>, key: &'static str) -> Option<FieldTest> {
    let there = |table: &Section<'_>, key: &str| table.holds(key) != Holds::Nothing;
    let mut sound = true;
    let name = if there(&table, "name") { table.string("name") } else { None };
    if !there(&table, "name") {
        table.missing("name");
    }
    let name = name.and_then(|at| {
        FieldName::new(&at.value)
            .map_err(|why| table.problem(&at.span, Code::HeaderField, why.to_string(), "write it without the colon"))
            .ok()
    });
    let exists_given = there(&table, "exists");
    let exists = table.boolean("exists");
    sound &= !exists_given || exists.is_some();
    let is_given = there(&table, "is");
    let is = table.strings("is").map(|values| values.iter().map(|at| fold(&at.value)).collect());
    sound &= !is_given || is.is_some();
    let text = TextMatch::read(&mut table, OPTIONS);
    if let (Some(exists), Some(text)) = (&exists, &text)
        && !exists.value
        && (!text.is_empty() || is.is_some())
    {
        let help = "leave `exists` out, or the other tests";
        table.problem(&exists.span, Code::WrongValue, "a field that is not there has no value to test", help);
        sound = false;
    }
    table.finish(key, &keys(OPTIONS));
    sound.then_some(FieldTest { name: name?, exists: exists.is_none_or(|at| at.value), is, text: text? })
}

impl FieldTest {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        let values = scene.draft.values(self.name.as_str());
        if !self.exists {
            return values.is_empty();
        }
        values.iter().any(|value| {
            self.is.as_ref().is_none_or(|list| {
                let value = fold(value);
                list.contains(&value)
            }) && self.text.holds(value)
        })
    }
}

impl Condition for Header {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.0.iter().all(|test| test.holds(scene))
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let values = |test: &FieldTest| {
            let name = test.name.as_str();
            let values = scene.draft.values(name);
            if values.is_empty() { format!("no {name}") } else { format!("{name}: {}", values.join(", ")) }
        };
        Some(self.0.iter().map(values).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds, problems};

    const MESSAGE: &str = "X-Tag: One  Two\nx-tag: three\nX-Empty:\nSubject: =?utf-8?Q?caf=C3=A9?=\n\nx";

    #[test]
    fn a_field_is_there_or_not() {
        assert!(holds("header = { name = \"x-TAG\" }", MESSAGE));
        assert!(holds("header = { name = \"X-Empty\", exists = true }", MESSAGE));
        assert!(!holds("header = { name = \"X-Other\", exists = true }", MESSAGE));
        assert!(holds("header = { name = \"X-Other\", exists = false }", MESSAGE));
        assert!(!holds("header = { name = \"X-Tag\", exists = false }", MESSAGE));
    }

    #[test]
    fn one_of_its_values_passes() {
        assert!(holds("header = { name = \"X-Tag\", is = \"one two\" }", MESSAGE));
        assert!(holds("header = { name = \"X-Tag\", is = [\"no\", \"THREE\"] }", MESSAGE));
        assert!(!holds("header = { name = \"X-Tag\", is = \"one\" }", MESSAGE));
        assert!(holds("header = { name = \"X-Tag\", contains = \"HRE\" }", MESSAGE));
        assert!(holds("header = { name = \"Subject\", matches = '^café$' }", MESSAGE));
        assert!(!holds("header = { name = \"X-Tag\", contains = \"one\", matches = \"three\" }", MESSAGE));
        assert!(!holds("header = { name = \"X-Other\", matches = '' }", MESSAGE));
    }

    #[test]
    fn several_fields() {
        let both = |name: &str| format!("header = [{{ name = \"X-Tag\" }}, {{ name = \"{name}\" }}]");
        assert!(holds(&both("Subject"), MESSAGE));
        assert!(!holds(&both("X-Other"), MESSAGE));
    }

    #[test]
    fn what_cannot_be_meant() {
        assert!(problems("header = { exists = true }").contains("`name` is missing"));
        assert!(problems("header = { name = \"X Tag:\" }").contains("R006"));
        assert!(problems("header = { name = \"X\", exists = false, is = \"a\" }").contains("no value to test"));
        assert!(problems("header = { name = \"X\", exists = \"yes\" }").contains("R003"));
    }
}
