//! `address`: the addresses that stand in header fields, with the names beside them.
//!
//! Not who the flow says a message is from ([`super::people`]), but who a reader sees.

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, HeaderValue};

use crate::directory::Need;
use crate::envelope::Address as MailAddress;
use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::truth::Truth;
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene, Takes};

use super::address_match::{AddressMatch, PATTERNS};
use super::keys;
use super::subject;
use super::text_match::{OF_TEXT, TextMatch};

/// Octets of one field that are read; nobody reads a longer one.
const LONGEST: usize = 1 << 18;

/// Fields that hold addresses (RFC 5322 §3.6.2, §3.6.3).
const FIELDS: &[(&str, &str)] =
    &[("From", "From"), ("Sender", "Sender"), ("Reply-To", "Reply-To"), ("To", "To"), ("Cc", "Cc")];

const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        key: "field",
        takes: Takes::Words(&["From", "Sender", "Reply-To", "To", "Cc"]),
        default: "\"From\"",
        doc: "Which fields to look at.",
    },
    OptionDoc { key: "is", takes: PATTERNS, default: "any address", doc: "What the address must be, as in `sender`." },
    OptionDoc {
        key: "name",
        takes: Takes::Either(&[Takes::Text("string"), Takes::Table(OF_TEXT)]),
        default: "any name, or none",
        doc: "Tests the name beside the address; a bare string is `contains`.",
    },
];

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "address",
    doc: "Tests the addresses that a reader sees in header fields: holds when one address passes all tests given. A field \
          can be written by anybody; who the flow says the message is from is `sender`.",
    takes: Takes::Table(OPTIONS),
    example: "address = { field = \"From\", is = \"external\", name = { words = \"Ann Lee\" } }",
    compile,
};

#[derive(Debug)]
struct Shown {
    fields: Vec<&'static str>,
    is: Option<AddressMatch>,
    name: Option<TextMatch>,
}

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let mut table = section.section(key)?;
    let given = |table: &Section<'_>, key| table.holds(key) != Holds::Nothing;
    let (has_field, has_is, has_name) = (given(&table, "field"), given(&table, "is"), given(&table, "name"));
    let fields = table.choices("field", FIELDS);
    let is = table.strings("is").and_then(|patterns| AddressMatch::compile(&mut table, &patterns, false));
    let name = if has_name { subject::read(&mut table, "name", OF_TEXT) } else { None };
    if !has_is && !has_name {
        let span = table.span();
        table.problem(&span, Code::Missing, format!("`{key}` says neither `is` nor `name`"), "");
    }
    table.finish(key, &keys(OPTIONS));
    let sound = has_field == fields.is_some() && has_is == is.is_some() && has_name == name.is_some();
    let fields = fields.map_or_else(|| vec!["From"], |fields| fields.into_iter().map(|at| at.value).collect());
    (sound && (has_is || has_name)).then(|| Box::new(Shown { fields, is, name }) as Box<dyn Condition>)
}

impl Shown {
    fn passes(&self, shown: &Addr<'_>, scene: &Scene<'_, '_>) -> Truth {
        if !self.name.as_ref().is_none_or(|test| shown.name.as_deref().is_some_and(|name| test.holds(name, scene.late)))
        {
            return Truth::Fails;
        }
        let Some(test) = &self.is else { return Truth::Holds };
        match mail_address(shown) {
            Some(address) => test.truth(Some(&address), scene.who_is_internal()),
            None => Truth::Fails,
        }
    }
}

/// What a raw value of a field tells of the addresses in it, as far as one of them says it.
pub(super) fn any_of(value: &[u8], says: impl FnMut(&Addr<'_>) -> Truth) -> Truth {
    let value = value.get(..value.len().min(LONGEST)).unwrap_or_default();
    // The parser ends a value at a line end that no white space follows.
    let value = [value, b"\r\n\r\n"].concat();
    let HeaderValue::Address(list) = MessageStream::new(&value).parse_address() else { return Truth::Fails };
    Truth::any(list.iter().map(says))
}

/// An address of a field, where it is one.
pub(super) fn mail_address(shown: &Addr<'_>) -> Option<MailAddress> {
    shown.address.as_deref().and_then(|text| MailAddress::new(text).ok())
}

impl Condition for Shown {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.truth(scene).is_sure()
    }
    fn truth(&self, scene: &Scene<'_, '_>) -> Truth {
        let values = self.fields.iter().flat_map(|field| scene.draft.raw_values(field));
        Truth::any(values.map(|value| any_of(&value, |shown| self.passes(shown, scene))))
    }
    fn need(&self) -> Need {
        let domains = self.is.as_ref().is_some_and(AddressMatch::needs_domains);
        Need { domains, ..Need::default() }
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let values = |field: &&'static str| {
            let values = scene.draft.values(field);
            if values.is_empty() { format!("no {field}") } else { format!("{field}: {}", values.join(", ")) }
        };
        Some(self.fields.iter().map(values).collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds, problems};

    const MESSAGE: &str = "From: \"Lee, Ann\" <kim@customer.example>\nReply-To: Desk: a@other.example,\n \
                           =?utf-8?Q?Bj=C3=B6rn?= <b@example.com>;\nTo: ann@example.com (Ann)\n\nx";

    #[track_caller]
    fn check(test: &str, want: bool) {
        assert_eq!(holds(&format!("address = {test}"), MESSAGE), want, "{test}");
    }

    #[test]
    fn the_from_field_unless_others_are_named() {
        check("{ is = \"external\" }", true);
        check("{ is = \"internal\" }", false);
        check("{ field = \"To\", is = \"internal\" }", true);
        check("{ field = [\"Reply-To\", \"Cc\"], is = \"b@example.com\" }", true);
        check("{ field = \"Sender\", is = \"*\" }", false);
    }

    #[test]
    fn names_beside_addresses() {
        check("{ name = \"lee, ann\" }", true);
        check("{ name = { words = \"ann\" }, is = \"external\" }", true);
        check("{ name = { words = \"ann\" }, is = \"internal\" }", false);
        check("{ field = \"Reply-To\", name = \"björn\" }", true);
    }

    #[test]
    fn name_and_address_are_of_the_same_person() {
        check("{ field = \"Reply-To\", name = \"björn\", is = \"other.example\" }", false);
        check("{ field = \"Reply-To\", name = \"björn\", is = \"example.com\" }", true);
    }

    #[test]
    fn odd_fields_do_not_hold_and_do_not_fail() {
        for from in ["", "nobody", "<>", "a b <", "\"", "@", ",,,;:;"] {
            assert!(!holds("address = { is = \"*@*\" }", &format!("From: {from}\n\nx")), "{from}");
        }
        assert!(holds("address = { is = \"external\" }", "From: a@x.example, b@example.com\n\nx"));
        assert!(holds("address = { is = \"internal\" }", "From: a@x.example, b@example.com\n\nx"));
    }

    #[test]
    fn what_cannot_be_meant() {
        assert!(problems("address = { field = \"From\" }").contains("neither `is` nor `name`"));
        assert!(problems("address = { field = \"X-From\", is = \"internal\" }").contains("R003"));
        assert!(problems("address = { is = \"a@\" }").contains("R003"));
        assert!(problems("address = { name = {} }").contains("tests nothing"));
    }
}
