//! `sender` and `recipients`: who the message is from and for, by the envelope, not by its header.

use crate::envelope::Address;
use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene};

use super::address_match::{AddressMatch, TAKES};
use super::keys;

/// The kind `sender`.
pub const SENDER: ConditionKind = ConditionKind {
    key: "sender",
    doc: "Tests the sender that the flow names, not the From field: \"internal\", \"external\", an address, a domain, a glob, \
          or an array of these of which one must match; \"\" is the null sender of bounces, which nothing else matches.",
    options: &[],
    example: "sender = [\"example.net\", \"*@news.example.com\"]",
    compile: compile_sender,
};

const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        key: "any",
        takes: TAKES,
        default: "not tested",
        doc: "Holds when at least one recipient matches one of the patterns; where the flow has cut the list of recipients, one \
              of those that it names.",
    },
    OptionDoc {
        key: "all",
        takes: TAKES,
        default: "not tested",
        doc: "Holds when every recipient matches one of the patterns; not when the flow has cut the list of recipients.",
    },
];

/// The kind `recipients`.
pub const RECIPIENTS: ConditionKind = ConditionKind {
    key: "recipients",
    doc: "Tests the recipients that the flow names, not the To and Cc fields: whether any or all of them match.",
    options: OPTIONS,
    example: "recipients = { any = \"external\" }",
    compile: compile_recipients,
};

/// Recipients that are named where all are meant.
const SHOWN: usize = 5;

#[derive(Debug)]
struct Sender(AddressMatch);

#[derive(Debug)]
struct Recipients {
    any: Option<AddressMatch>,
    all: Option<AddressMatch>,
}

fn compile_sender(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let patterns = section.strings(key)?;
    Some(Box::new(Sender(AddressMatch::compile(section, &patterns, true)?)))
}

fn compile_recipients(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    if matches!(section.holds(key), Holds::String | Holds::Array) {
        // Read for its place, and so that it is not unknown as well.
        let span = section.strings(key).and_then(|list| list.into_iter().next()).map(|at| at.span);
        let span = span.unwrap_or_else(|| section.span_of(key));
        section.problem(
            &span,
            Code::WrongValue,
            "a message has several recipients: must any or all of them match?",
            "write `recipients = { any = … }` or `recipients = { all = … }`",
        );
        return None;
    }
    let mut table = section.section(key)?;
    let mut sound = true;
    let mut read = |table: &mut Section<'_>, key| {
        if table.holds(key) == Holds::Nothing {
            return None;
        }
        let test = table.strings(key).and_then(|patterns| AddressMatch::compile(table, &patterns, false));
        sound &= test.is_some();
        test
    };
    let any = read(&mut table, "any");
    let all = read(&mut table, "all");
    if table.keys().is_empty() {
        let span = table.span();
        table.problem(&span, Code::Missing, format!("`{key}` says neither `any` nor `all`"), "");
    }
    table.finish(key, &keys(OPTIONS));
    (sound && (any.is_some() || all.is_some())).then(|| Box::new(Recipients { any, all }) as Box<dyn Condition>)
}

impl Condition for Sender {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.0.holds(scene.envelope.sender.as_ref(), scene.organization)
    }
    fn key(&self) -> &'static str {
        SENDER.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        Some(scene.envelope.sender.as_ref().map_or("nobody".to_owned(), |sender| named(sender, scene)))
    }
}

impl Condition for Recipients {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        let envelope = scene.envelope;
        let matches = |test: &AddressMatch, address| test.holds(Some(address), scene.organization);
        let any = |test| envelope.recipients.iter().any(|address| matches(test, address));
        // What was cut off is not known, and of nobody nothing is said.
        let all = |test| {
            !envelope.truncated
                && !envelope.recipients.is_empty()
                && envelope.recipients.iter().all(|address| matches(test, address))
        };
        self.any.as_ref().is_none_or(any) && self.all.as_ref().is_none_or(all)
    }
    fn key(&self) -> &'static str {
        RECIPIENTS.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let all = &scene.envelope.recipients;
        let shown: Vec<String> = all.iter().take(SHOWN).map(|address| named(address, scene)).collect();
        let more = if all.len() > SHOWN { format!(" and {} more", all.len() - SHOWN) } else { String::new() };
        let cut = if scene.envelope.truncated { ", and the list is cut" } else { "" };
        Some(if all.is_empty() { "nobody".to_owned() } else { format!("{}{more}{cut}", shown.join(", ")) })
    }
}

/// `kim@customer.example (external)`
fn named(address: &Address, scene: &Scene<'_, '_>) -> String {
    let side = if scene.organization.is_internal(address.domain()) { "internal" } else { "external" };
    format!("{} ({side})", address.as_str())
}

#[cfg(test)]
mod tests {
    use crate::envelope::Envelope;
    use crate::rule::conditions::testing::{envelope, holds_for, problems};

    const MESSAGE: &str = "From: x@other.example\nTo: y@other.example\n\nx";

    #[track_caller]
    fn check(when: &str, envelope: &Envelope, want: bool) {
        assert_eq!(holds_for(when, MESSAGE, envelope), want, "{when}");
    }

    #[test]
    fn the_sender_of_the_envelope() {
        let mut envelope = envelope(&["kim@customer.example"]);
        check("sender = \"internal\"", &envelope, true);
        check("sender = \"Ann@example.com\"", &envelope, true);
        check("sender = [\"other.example\", \"ann*@*\"]", &envelope, true);
        check("sender = \"other.example\"", &envelope, false);
        check("sender = \"\"", &envelope, false);
        envelope.sender = None;
        check("sender = \"\"", &envelope, true);
        check("sender = [\"internal\", \"external\"]", &envelope, false);
    }

    #[test]
    fn any_and_all_recipients() {
        let mixed = envelope(&["bob@example.com", "kim@customer.example"]);
        let internal = envelope(&["bob@example.com", "x@xn--bcher-kva.example"]);
        check("recipients = { any = \"external\" }", &mixed, true);
        check("recipients = { any = \"external\" }", &internal, false);
        check("recipients = { all = \"internal\" }", &mixed, false);
        check("recipients = { all = \"internal\" }", &internal, true);
        check("recipients = { all = [\"internal\", \"customer.example\"] }", &mixed, true);
        check("recipients = { any = \"external\", all = [\"internal\", \"customer.example\"] }", &mixed, true);
        check("recipients = { any = \"external\", all = \"internal\" }", &mixed, false);
    }

    #[test]
    fn a_list_that_was_cut_is_never_all() {
        let mut cut = envelope(&["bob@example.com"]);
        cut.truncated = true;
        check("recipients = { all = \"internal\" }", &cut, false);
        check("recipients = { any = \"internal\" }", &cut, true);
        check("recipients = { any = \"external\" }", &cut, false);
    }

    #[test]
    fn no_recipients_match_nothing() {
        let nobody = envelope(&[]);
        check("recipients = { all = \"internal\" }", &nobody, false);
        check("recipients = { any = \"external\" }", &nobody, false);
    }

    #[test]
    fn any_or_all_must_be_said() {
        assert!(problems("recipients = \"external\"").contains("any or all"));
        assert!(problems("recipients = [\"external\", \"internal\"]").contains("any or all"));
        assert!(problems("recipients = {}").contains("neither `any` nor `all`"));
        assert!(problems("recipients = { any = \"\" }").contains("an empty pattern"));
        assert!(problems("recipients = { any = [] }").contains("R003"));
        assert!(problems("sender = \"nobody\"").contains("neither an address nor a domain"));
    }
}
