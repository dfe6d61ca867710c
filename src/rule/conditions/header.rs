//! `header`: fields of the message's header.

use crate::message::FieldNames;
use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene, Takes};

use super::keys;
use super::range::{self, CountRange};
use super::text_match::{CONTAINS, MATCHES, TextMatch, WORDS, fold};

const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        key: "name",
        takes: Takes::Text("field name, or the start of names and `*`"),
        default: "",
        doc: "Which field; upper and lower case are the same. `X-Spam-*` is every field whose name begins so.",
    },
    OptionDoc {
        key: "exists",
        takes: Takes::Boolean,
        default: "true",
        doc: "Whether there must be such a field or must be none.",
    },
    OptionDoc {
        key: "is",
        takes: Takes::Texts("string"),
        default: "not tested",
        doc: "Holds when the value is one of these; upper and lower case are the same, a run of white space is one blank.",
    },
    CONTAINS,
    WORDS,
    MATCHES,
    OptionDoc {
        key: "which",
        takes: Takes::Word(&["any", "all", "first", "last"]),
        default: "\"any\"",
        doc: "Which of several fields of that name must pass; the first is the topmost.",
    },
    OptionDoc {
        key: "form",
        takes: Takes::Word(&["decoded", "raw"]),
        default: "\"decoded\"",
        doc: "Whether the tests see the value as a reader does, or as it is written, unfolded and with its encoded words.",
    },
    OptionDoc {
        key: "encoded",
        takes: Takes::Boolean,
        default: "not tested",
        doc: "Whether the value must be written with encoded words (RFC 2047), or without.",
    },
    OptionDoc {
        key: "count",
        takes: Takes::Table(range::COUNT),
        default: "any number",
        doc: "Holds when there are so many fields of that name; `{ at_least = 2 }` is one that stands twice.",
    },
];

/// Which fields of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instance {
    Any,
    All,
    First,
    Last,
}

const INSTANCES: &[(&str, Instance)] =
    &[("any", Instance::Any), ("all", Instance::All), ("first", Instance::First), ("last", Instance::Last)];

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "header",
    doc: "Tests the decoded values of a header field, or whether it is there; of several fields of that name one must pass, \
          or those that `which` says. An array of tables tests several fields.",
    takes: Takes::Tables(OPTIONS),
    example: "header = { name = \"X-Mailer\", contains = \"Bulk\" }",
    compile,
};

#[derive(Debug)]
struct Header(Vec<FieldTest>);

#[derive(Debug)]
struct FieldTest {
    name: FieldNames,
    exists: bool,
    /// Folded values of which the field must be one.
    is: Option<Vec<String>>,
    text: TextMatch,
    which: Instance,
    raw: bool,
    encoded: Option<bool>,
    count: Option<CountRange>,
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
        FieldNames::new(&at.value)
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
    let which = given_choice(&mut table, "which", INSTANCES, &mut sound).unwrap_or(Instance::Any);
    let raw = given_choice(&mut table, "form", &[("decoded", false), ("raw", true)], &mut sound).unwrap_or(false);
    let encoded_given = there(&table, "encoded");
    let encoded = table.boolean("encoded").map(|at| at.value);
    sound &= !encoded_given || encoded.is_some();
    let count = if there(&table, "count") {
        let count = table.section("count").and_then(|below| CountRange::read(below, "count"));
        sound &= count.is_some();
        count
    } else {
        None
    };
    if let (Some(exists), Some(text)) = (&exists, &text)
        && !exists.value
        && (!text.is_empty() || is.is_some() || encoded.is_some() || count.is_some())
    {
        let help = "leave `exists` out, or the other tests";
        table.problem(&exists.span, Code::WrongValue, "a field that is not there has no value to test", help);
        sound = false;
    }
    let field = |name: &str| {
        let is_field = name.contains('-') || name.starts_with(|c: char| c.is_ascii_uppercase());
        is_field.then_some("the field is named with `name`: `header = { name = \"X-Spam-Flag\", is = \"yes\" }`")
    };
    table.finish_with(key, &keys(OPTIONS), field);
    sound.then_some(FieldTest {
        name: name?,
        exists: exists.is_none_or(|at| at.value),
        is,
        text: text?,
        which,
        raw,
        encoded,
        count,
    })
}

/// A word that is given, and whether it is known.
fn given_choice<T: Copy>(
    table: &mut Section<'_>,
    key: &'static str,
    words: &[(&'static str, T)],
    sound: &mut bool,
) -> Option<T> {
    let given = table.holds(key) != Holds::Nothing;
    let choice = table.choice(key, words).map(|at| at.value);
    *sound &= !given || choice.is_some();
    choice
}

impl FieldTest {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        let picks = |name: &[u8]| self.name.are(name);
        let values = scene.draft.values_of(picks);
        if !self.exists {
            return values.is_empty();
        }
        if self.count.is_some_and(|count| !count.holds(values.len(), false)) {
            return false;
        }
        let raw: Vec<String> = if self.raw || self.encoded.is_some() {
            scene.draft.raw_values_of(picks).iter().map(|raw| unfolded(raw)).collect()
        } else {
            Vec::new()
        };
        let passes = |at: usize, value: &String| {
            let raw = raw.get(at).map_or("", String::as_str);
            let seen = if self.raw { raw } else { value.as_str() };
            self.encoded.is_none_or(|encoded| has_encoded_word(raw) == encoded)
                && self.is.as_ref().is_none_or(|list| list.contains(&fold(seen)))
                && self.text.holds(seen, scene.late)
        };
        let mut each = values.iter().enumerate().map(|(at, value)| passes(at, value));
        match self.which {
            // With `count = { at_most = 0 }`, none is what is wanted.
            _ if values.is_empty() => self.count.is_some() && self.is.is_none() && self.text.is_empty(),
            Instance::Any => each.any(|passes| passes),
            Instance::All => each.all(|passes| passes),
            Instance::First => each.next().unwrap_or(false),
            Instance::Last => values.last().is_some_and(|value| passes(values.len() - 1, value)),
        }
    }
}

/// A raw value on one line (RFC 5322 §2.2.3).
fn unfolded(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).replace("\r\n", "").replace('\n', "").trim().to_owned()
}

/// `=?charset?B?…?=` (RFC 2047 §2).
fn has_encoded_word(raw: &str) -> bool {
    raw.match_indices("=?").any(|(at, _)| {
        let mut parts = raw.get(at + 2..).unwrap_or_default().splitn(3, '?');
        let (charset, encoding, rest) = (parts.next(), parts.next(), parts.next());
        charset.is_some_and(|charset| !charset.is_empty() && !charset.contains(char::is_whitespace))
            && encoding.is_some_and(|encoding| matches!(encoding, "B" | "b" | "Q" | "q"))
            && rest.is_some_and(|rest| rest.contains("?="))
    })
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
            let name = match &test.name {
                FieldNames::One(name) => name.as_str().to_owned(),
                FieldNames::BeginWith(start) => format!("{}*", start.as_str()),
            };
            let values = scene.draft.values_of(|name| test.name.are(name));
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
    fn fields_that_begin_alike() {
        assert!(holds("header = { name = \"X-T*\", is = \"three\" }", MESSAGE));
        assert!(holds("header = { name = \"x-*\", count = { at_least = 3, at_most = 3 } }", MESSAGE));
        assert!(holds("header = { name = \"X-Spam-*\", exists = false }", MESSAGE));
        assert!(holds("header = { name = \"Sub*\", form = \"raw\", contains = \"=C3=A9\" }", MESSAGE));
        assert!(!holds("header = { name = \"Tag*\" }", MESSAGE));
        assert!(problems("header = { name = \"*\" }").contains("R006"));
    }

    #[test]
    fn several_fields() {
        let both = |name: &str| format!("header = [{{ name = \"X-Tag\" }}, {{ name = \"{name}\" }}]");
        assert!(holds(&both("Subject"), MESSAGE));
        assert!(!holds(&both("X-Other"), MESSAGE));
    }

    #[test]
    fn which_of_several() {
        for (which, text, want) in [
            ("any", "three", true),
            ("all", "three", false),
            ("all", "e", true),
            ("first", "three", false),
            ("first", "one", true),
            ("last", "three", true),
            ("last", "one", false),
        ] {
            let when = format!("header = {{ name = \"X-Tag\", which = \"{which}\", contains = \"{text}\" }}");
            assert_eq!(holds(&when, MESSAGE), want, "{when}");
        }
        assert!(!holds("header = { name = \"X-Other\", which = \"all\", contains = \"x\" }", MESSAGE));
        assert!(holds("header = { name = \"X-Tag\", words = \"two\" }", MESSAGE));
        assert!(!holds("header = { name = \"X-Tag\", words = \"thre\" }", MESSAGE));
    }

    #[test]
    fn as_it_is_written() {
        assert!(holds("header = { name = \"Subject\", encoded = true }", MESSAGE));
        assert!(!holds("header = { name = \"X-Tag\", encoded = true }", MESSAGE));
        assert!(holds("header = { name = \"X-Tag\", encoded = false, which = \"all\" }", MESSAGE));
        assert!(holds("header = { name = \"Subject\", form = \"raw\", matches = '^=\\?utf-8\\?Q' }", MESSAGE));
        assert!(!holds("header = { name = \"Subject\", form = \"raw\", contains = \"café\" }", MESSAGE));
        let odd = "Subject: =?utf-8?X?a?= =? =??Q?a?= 1=?2\n\nx";
        assert!(!holds("header = { name = \"Subject\", encoded = true }", odd));
        assert!(holds("header = { name = \"Subject\", form = \"raw\", contains = \"a b\" }", "Subject: a\n b\n\nx"));
    }

    #[test]
    fn how_often_it_stands_there() {
        assert!(holds("header = { name = \"X-Tag\", count = { at_least = 2 } }", MESSAGE));
        assert!(!holds("header = { name = \"Subject\", count = { at_least = 2 } }", MESSAGE));
        assert!(holds("header = { name = \"X-Other\", count = { at_most = 1 } }", MESSAGE));
        assert!(holds(
            "header = { name = \"X-Tag\", count = { at_least = 2 }, which = \"last\", is = \"three\" }",
            MESSAGE
        ));
    }

    #[test]
    fn what_cannot_be_meant() {
        assert!(problems("header = { name = \"X\", which = \"second\" }").contains("R003"));
        assert!(problems("header = { name = \"X\", form = \"cooked\" }").contains("R003"));
        assert!(problems("header = { name = \"X\", exists = false, encoded = true }").contains("no value to test"));
        assert!(problems("header = { exists = true }").contains("`name` is missing"));
        assert!(problems("header = { name = \"X Tag:\" }").contains("R006"));
        assert!(problems("header = { name = \"X\", exists = false, is = \"a\" }").contains("no value to test"));
        assert!(problems("header = { name = \"X\", exists = \"yes\" }").contains("R003"));
    }
}
