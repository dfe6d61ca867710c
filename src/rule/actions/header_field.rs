//! Header fields in rules: which may be touched, and what may stand in them.
//!
//! Invariant: no rule changes a field that WorkMail holds fixed, that a signature or a reply depends on, or that says
//! how the body is to be read.

use super::super::problem::Code;
use super::super::section::{At, Holds, Section};
use super::super::template::{Context, Template};
use super::super::toml_value::shown;
use super::super::{ActionError, OptionDoc, Scene, Takes};
use crate::flow::put_checks;
use crate::message::{Field, FieldError, FieldName, FieldNames};

/// Characters of a value.
const MAX_VALUE: usize = 2_000;

/// Why nothing is done to the header of an empty message, or of one that is in doubt.
pub(super) const UNFIT: &str = "the header cannot be edited";

/// The option that names the field.
pub(super) const NAME: OptionDoc = OptionDoc {
    key: "name",
    takes: Takes::Text("field name"),
    default: "",
    doc: "The name of the field, such as `X-Department`. Fields that carry the mail (From, Date, Content-Type, …) \
          cannot be named.",
};

/// The option that names those that go.
pub(super) const NAMES: OptionDoc = OptionDoc {
    key: "name",
    takes: Takes::Texts("field name, or the start of names and `*`"),
    default: "",
    doc: "The name of the field, such as `X-Originating-IP`; `X-Spam-*` is every field whose name begins so. Fields that \
          carry the mail (From, Date, Content-Type, …) cannot be named, and stay where a start is theirs too.",
};

/// The option that holds the value.
pub(super) const VALUE: OptionDoc = OptionDoc {
    key: "value",
    takes: Takes::Template,
    default: "",
    doc: "The value as text in one line; what is not ASCII is encoded. Line ends and control characters in variables \
          become spaces.",
};

/// Fields that no rule touches, with the reason. A name that ends in `*` stands for all that begin so.
const FIXED: &[(&str, &str)] = &[
    ("From", IDENTITY),
    ("Sender", IDENTITY),
    ("To", IDENTITY),
    ("Cc", IDENTITY),
    ("Bcc", IDENTITY),
    ("Reply-To", IDENTITY),
    ("Date", IDENTITY),
    ("Message-ID", IDENTITY),
    ("References", "threads hang on it"),
    ("In-Reply-To", "threads hang on it"),
    ("Resent-*", "it says who sent the message on"),
    ("Return-Path", "mail servers write it"),
    ("Received", "mail servers write it"),
    ("Received-SPF", "mail servers write it"),
    ("Authentication-Results", "mail servers write it"),
    ("DKIM-Signature", "it is a signature; `broken_signatures` deals with those that rules break"),
    ("DomainKey-Signature", "it is a signature"),
    ("ARC-*", "it is a signature"),
    ("MIME-Version", "it says how the body is to be read"),
    ("Content-*", "it says how the body is to be read"),
    ("X-SES-*", "the mail service writes it"),
    ("X-Mailwright-*", "it is mailwright's own mark"),
];

const IDENTITY: &str = "WorkMail does not let it be changed";

/// True for a field that may stand once only.
pub(super) fn stands_once(name: &FieldName) -> bool {
    put_checks::fields::stands_once(name.as_str().as_bytes())
}

/// Why a field must not be touched; `None` when it may.
pub(super) fn fixed(name: &str) -> Option<&'static str> {
    let matches = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
        None => name.eq_ignore_ascii_case(pattern),
    };
    FIXED.iter().find(|(pattern, _)| matches(pattern)).map(|(_, why)| *why)
}

/// Read `name`. Reports its problems itself.
pub(super) fn read_name(section: &mut Section<'_>) -> Option<FieldName> {
    if section.holds("name") == Holds::Nothing {
        section.missing("name");
        return None;
    }
    let text = section.string("name")?;
    if text.value.ends_with('*') {
        let what = format!("`{}` is no one field", shown(&text.value));
        let help = "only `remove_header` takes a name that ends in `*`, for all that begin so";
        section.problem(&text.span, Code::HeaderField, what, help);
        return None;
    }
    let name = FieldName::new(&text.value);
    checked(section, &text, name, |name| name)
}

/// Read `name` where it may be several, and each may end in `*`. Reports its problems itself.
pub(super) fn read_names(section: &mut Section<'_>) -> Option<Vec<FieldNames>> {
    if section.holds("name") == Holds::Nothing {
        section.missing("name");
        return None;
    }
    let texts = section.strings("name")?;
    let read = |text: &At<String>| {
        if text.value == "*" {
            let help = "write how they begin, such as \"X-Spam-*\"";
            section.problem(&text.span, Code::HeaderField, "`*` would be every field", help);
            return None;
        }
        checked(section, text, FieldNames::new(&text.value), FieldNames::name)
    };
    let names: Vec<Option<FieldNames>> = texts.iter().map(read).collect();
    names.into_iter().collect()
}

/// A name that a rule may touch, or the start of such names.
fn checked<T>(
    section: &mut Section<'_>,
    text: &At<String>,
    made: Result<T, FieldError>,
    name: impl Fn(&T) -> &FieldName,
) -> Option<T> {
    let made = match made {
        Ok(made) => made,
        Err(fault) => {
            let what = format!("\"{}\" is no field name: {fault}", shown(&text.value));
            section.problem(&text.span, Code::HeaderField, what, "such as \"X-Department\"");
            return None;
        }
    };
    if let Some(why) = fixed(name(&made).as_str()) {
        let what = format!("a rule must not touch the field `{}`: {why}", shown(&text.value));
        section.problem(&text.span, Code::HeaderField, what, "use a field of your own, such as \"X-Department\"");
        return None;
    }
    Some(made)
}

/// Read `value`. Reports its problems itself.
pub(super) fn read_value(section: &mut Section<'_>) -> Option<Template> {
    if section.holds("value") == Holds::Nothing {
        section.missing("value");
        return None;
    }
    if let Some(text) = section.peek("value") {
        let fault = if text.contains(char::is_control) {
            Some("a field value holds no line ends and no control characters".to_owned())
        } else if text.chars().count() > MAX_VALUE {
            Some(format!("a field value has at most {MAX_VALUE} characters"))
        } else if text.trim().is_empty() {
            Some("the value is empty".to_owned())
        } else {
            None
        };
        if let Some(what) = fault {
            let span = section.string("value")?.span;
            section.problem(&span, Code::HeaderField, what, "");
            return None;
        }
    }
    Template::read(section, "value", Context::Header)
}

/// The field with its value filled in; a value that grew too long is cut.
pub(super) fn fill(name: &FieldName, value: &Template, scene: &Scene<'_, '_>) -> Result<Field, ActionError> {
    let filled = value.fill(scene)?;
    let text: String = filled.text().chars().take(MAX_VALUE).collect();
    Field::new(name.clone(), &text).map_err(|fault| ActionError::Template(fault.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_carry_the_mail_are_fixed_in_any_case() {
        for name in
            ["From", "content-type", "CONTENT-X", "arc-seal", "X-SES-Outgoing", "x-mailwright-mark", "dkim-signature"]
        {
            assert!(fixed(name).is_some(), "{name}");
        }
        for name in ["X-From", "Subject", "Contents", "X-Department", "Arc", "Récéived"] {
            assert!(fixed(name).is_none(), "{name}");
        }
    }

    #[test]
    fn what_a_put_demands_there_or_unchanged_no_rule_can_name() {
        for name in put_checks::fields::REQUIRED.iter().chain(put_checks::fields::FIXED) {
            assert!(fixed(name).is_some(), "{name}");
        }
    }
}
