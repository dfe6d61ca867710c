//! `sender` and `recipients`: who the message is from and for, by the envelope, not by its header.

use crate::directory::{Fact, Need, Wanted};
use crate::envelope::Address;
use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::truth::Truth;
use crate::rule::truths::Truths;
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene, Takes};

use super::address_match::PATTERNS;
use super::keys;
use super::person::{OF_RECIPIENT, OF_SENDER, PersonTest};
use super::range::{self, CountRange};

/// The kind `sender`.
pub const SENDER: ConditionKind = ConditionKind {
    key: "sender",
    doc: "Tests the sender that the flow names, or with `by` the one that fields of the header name. It takes \"internal\", \"external\", an address, a domain, a glob, \
          or an array of these of which one must match; \"\" is the null sender of bounces, which nothing else matches. A \
          table tests what the directory says too; all that it names must hold.",
    takes: Takes::Either(&[PATTERNS, Takes::Table(OF_SENDER)]),
    example: "sender = [\"example.net\", \"*@news.example.com\"]",
    compile: compile_sender,
};

/// What `any`, `all` and `each` take.
const WHO: Takes = Takes::Either(&[PATTERNS, Takes::Table(OF_RECIPIENT)]);

const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        key: "any",
        takes: WHO,
        default: "not tested",
        doc: "Holds when at least one recipient passes; where the flow has cut the list of recipients, one of those that it \
              names.",
    },
    OptionDoc {
        key: "all",
        takes: WHO,
        default: "not tested",
        doc: "Holds when every recipient passes; not when the flow has cut the list of recipients.",
    },
    OptionDoc {
        key: "each",
        takes: WHO,
        default: "not tested",
        doc: "Holds for each recipient that passes, a group where one of its members does: the rule answers to the flow for \
              these alone, and can do nothing to the message, which is one for all. Not for those whom the flow has cut off \
              the list.",
    },
    OptionDoc {
        key: "count",
        takes: Takes::Table(range::COUNT),
        default: "any number",
        doc: "Holds when there are so many recipients, whoever they are; `at_most` not when the flow has cut the list.",
    },
];

/// The kind `recipients`.
pub const RECIPIENTS: ConditionKind = ConditionKind {
    key: "recipients",
    doc: "Tests the recipients that the flow names, not the To and Cc fields: whether any or all of them match, how many \
          there are, or for each of them by itself whether it matches. A group stands for its members.",
    takes: Takes::Table(OPTIONS),
    example: "recipients = { any = \"external\" }",
    compile: compile_recipients,
};

/// Recipients that are named where all are meant.
const SHOWN: usize = 5;

#[derive(Debug)]
struct Sender(PersonTest);

#[derive(Debug)]
struct Recipients {
    any: Option<PersonTest>,
    all: Option<PersonTest>,
    each: Option<PersonTest>,
    count: Option<CountRange>,
}

fn compile_sender(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    Some(Box::new(Sender(PersonTest::read(section, key, OF_SENDER, true)?)))
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
            "write `recipients = { any = … }` or `{ all = … }`; or `{ each = … }`, to answer for those who match alone",
        );
        return None;
    }
    let mut table = section.section(key)?;
    let mut sound = true;
    let mut read = |table: &mut Section<'_>, key| {
        if table.holds(key) == Holds::Nothing {
            return None;
        }
        let test = PersonTest::read(table, key, OF_RECIPIENT, false);
        sound &= test.is_some();
        test
    };
    let any = read(&mut table, "any");
    let all = read(&mut table, "all");
    let each = read(&mut table, "each");
    let count_given = table.holds("count") != Holds::Nothing;
    let count = table.section("count").and_then(|below| CountRange::read(below, "count"));
    sound &= !count_given || count.is_some();
    if table.keys().is_empty() {
        let span = table.span();
        let help = "write `recipients = { any = \"external\" }`, or `{ count = { at_least = 50 } }`";
        table.problem(&span, Code::Missing, format!("`{key}` says neither `any` nor `all` nor `each`"), help);
    }
    let none = |name: &str| (name == "none").then_some("write `not = { recipients = { any = … } }`");
    table.finish_with(key, &keys(OPTIONS), none);
    let tests = any.is_some() || all.is_some() || each.is_some() || count.is_some();
    (sound && tests).then(|| Box::new(Recipients { any, all, each, count }) as Box<dyn Condition>)
}

impl Condition for Sender {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.truth(scene).is_sure()
    }
    fn truth(&self, scene: &Scene<'_, '_>) -> Truth {
        let address = || self.0.address(scene.envelope.sender.as_ref(), scene);
        let person = || self.0.member(&scene.facts.people.sender, scene);
        // A message without a sender comes from nobody, also where nobody looked.
        let person =
            || if scene.envelope.sender.is_none() && self.0.asks_directory() { Truth::Fails } else { person() };
        match address() {
            Truth::Fails => Truth::Fails,
            address => Truth::all([address, person()]),
        }
    }
    fn key(&self) -> &'static str {
        SENDER.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        if let Some(seen) = self.0.seen_elsewhere(scene) {
            return Some(seen);
        }
        let known = || self.0.seen(&scene.facts.people.sender);
        Some(scene.envelope.sender.as_ref().map_or("nobody".to_owned(), |sender| named(sender, &known(), scene)))
    }
    fn need(&self) -> Need {
        Need { domains: self.0.needs_domains(), sender: self.0.wanted(), recipients: Wanted::default() }
    }
}

impl Recipients {
    /// What is tested of one recipient: by its address, and by each who reads there.
    fn passes(test: &PersonTest, address: &Address, scene: &Scene<'_, '_>, all: bool) -> Truth {
        let own = test.address(Some(address), scene);
        if own == Truth::Fails || !test.asks_directory() {
            return own;
        }
        let readers = match scene.facts.people.at(address) {
            Fact::Unknown(why) => Truth::Unknown(why),
            Fact::Known(members) => {
                let passes = members.iter().map(|member| test.member(member, scene));
                if all { Truth::all(passes) } else { Truth::any(passes) }
            }
        };
        Truth::all([own, readers])
    }
}

impl Condition for Recipients {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.truth(scene).is_sure()
    }
    fn truth(&self, scene: &Scene<'_, '_>) -> Truth {
        self.truths(scene).for_any()
    }
    fn truths(&self, scene: &Scene<'_, '_>) -> Truths {
        let envelope = scene.envelope;
        let any = self.any.as_ref().map(|test| {
            Truth::any(envelope.recipients.iter().map(|address| Self::passes(test, address, scene, false)))
        });
        // What was cut off is not known, and of nobody nothing is said.
        let all = self.all.as_ref().map(|test| {
            if envelope.truncated || envelope.recipients.is_empty() {
                return Truth::Fails;
            }
            Truth::all(envelope.recipients.iter().map(|address| Self::passes(test, address, scene, true)))
        });
        let count = self.count.map(|range| range.holds(envelope.recipients.len(), envelope.truncated).into());
        let whole = Truths::ForAll(Truth::all(any.into_iter().chain(all).chain(count)));
        let Some(test) = &self.each else { return whole };
        let each = envelope.recipients.iter().map(|address| Self::passes(test, address, scene, false));
        whole.and(Truths::ForEach(each.collect()))
    }
    fn asks_each(&self) -> bool {
        self.each.is_some()
    }
    fn key(&self) -> &'static str {
        RECIPIENTS.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let known = |address: &Address| {
            let Some(test) = self.any.iter().chain(&self.all).chain(&self.each).find(|test| test.asks_directory())
            else {
                return String::new();
            };
            match scene.facts.people.at(address) {
                Fact::Unknown(why) => why.to_owned(),
                Fact::Known([one]) => test.seen(one),
                Fact::Known(members) => format!("a group of {}", members.len()),
            }
        };
        let all = &scene.envelope.recipients;
        let shown: Vec<String> = all.iter().take(SHOWN).map(|address| named(address, &known(address), scene)).collect();
        let more = if all.len() > SHOWN { format!(" and {} more", all.len() - SHOWN) } else { String::new() };
        let cut = if scene.envelope.truncated { ", and the list is cut" } else { "" };
        Some(if all.is_empty() { "nobody".to_owned() } else { format!("{}{more}{cut}", shown.join(", ")) })
    }
    fn need(&self) -> Need {
        let mut need = Need::default();
        for test in self.any.iter().chain(&self.all).chain(&self.each) {
            let sender = Wanted { person: test.compares_attributes(), ..Wanted::default() };
            need.add(Need { domains: test.needs_domains(), sender, recipients: test.wanted() });
        }
        need
    }
}

/// `kim@customer.example (external)`, with what else is known.
fn named(address: &Address, known: &str, scene: &Scene<'_, '_>) -> String {
    let side = match scene.who_is_internal() {
        Fact::Known(organization) if organization.is_internal(address.domain()) => "internal",
        Fact::Known(_) => "external",
        Fact::Unknown(why) => why,
    };
    let known = if known.is_empty() { String::new() } else { format!("; {known}") };
    format!("{} ({side}{known})", address.as_str())
}

#[cfg(test)]
mod tests {
    use crate::directory::{Attribute, Book, Group, Person};
    use crate::envelope::{Address, Envelope};
    use crate::rule::conditions::testing::{envelope, holds_for, problems, truth_for};
    use crate::rule::truth::Truth::{self, Fails, Holds, Unknown};

    const MESSAGE: &str = "From: x@other.example\nTo: y@other.example\n\nx";

    #[track_caller]
    fn check(when: &str, envelope: &Envelope, want: bool) {
        assert_eq!(holds_for(when, MESSAGE, envelope), want, "{when}");
    }

    #[track_caller]
    fn ask(when: &str, envelope: &Envelope, book: &Book, want: Truth) {
        assert_eq!(truth_for(when, MESSAGE, envelope, book), want, "{when}");
    }

    fn address(text: &str) -> Address {
        Address::new(text).unwrap()
    }

    /// Ann and Bob sell, Cy counts; Ann is in emea@, which is in sales@; all@ holds everybody.
    fn book() -> Book {
        let mut book = Book::default();
        for (of, alias, values) in [
            ("ann@example.com", "a.lee@example.com", "department=Field Sales|office=B 2|city=Köln"),
            ("bob@example.com", "bobby@example.com", "department=field sales|city=Bonn"),
            ("cy@example.com", "cyril@example.com", "department=Finance|office=B 2"),
        ] {
            let mut person = Person::default();
            person.aliases.push(address(alias));
            for (name, value) in values.split('|').filter_map(|value| value.split_once('=')) {
                person.set(Attribute::named(name).unwrap(), value);
            }
            book.insert(&address(of), person);
        }
        for (of, name, members) in [
            ("emea@example.com", "EMEA", "ann@example.com"),
            ("sales@example.com", "Sales", "emea@example.com bobby@example.com"),
            ("all@example.com", "All", "sales@example.com cy@example.com"),
            ("none@example.com", "None", ""),
        ] {
            let members = members.split_whitespace().map(address).collect();
            book.insert_group(Group { address: Some(address(of)), name: Some(name.to_owned()), members });
        }
        book
    }

    #[test]
    fn groups_of_the_sender() {
        let book = book();
        let mut from = envelope(&["kim@customer.example"]);
        ask("sender = { group = \"emea@example.com\" }", &from, &book, Holds);
        ask("sender = { group = \"Sales@Example.com\" }", &from, &book, Holds);
        ask("sender = { group = [\"none\", \"ALL\"] }", &from, &book, Holds);
        ask("sender = { group = \"none@example.com\" }", &from, &book, Fails);
        ask("sender = { is = \"example.net\", group = \"all\" }", &from, &book, Fails);
        from.sender = Some(address("A.Lee@example.com"));
        ask("sender = { group = \"emea\" }", &from, &book, Holds);
        from.sender = Some(address("kim@customer.example"));
        ask("sender = { group = \"all\" }", &from, &book, Fails);
        from.sender = None;
        ask("sender = { group = \"all\" }", &from, &book, Fails);
    }

    #[test]
    fn attributes_of_the_sender() {
        let book = book();
        let from = envelope(&["kim@customer.example"]);
        for (attribute, want) in [
            ("{ department = \"FIELD  sales\" }", Holds),
            ("{ department = \"Sales\" }", Fails),
            ("{ department = [\"Finance\", \"Field Sales\"] }", Holds),
            ("{ department = { words = \"sales\" } }", Holds),
            ("{ department = { matches = '^Field' }, city = { contains = \"köl\" } }", Holds),
            ("{ department = { is = \"field sales\" }, city = \"Bonn\" }", Fails),
            ("{ telephone = { exists = false }, office = { exists = true } }", Holds),
            ("{ telephone = \"1\" }", Fails),
            ("{ email = \"ann@example.com\" }", Holds),
        ] {
            ask(&format!("sender = {{ attribute = {attribute} }}"), &from, &book, want);
        }
    }

    #[test]
    fn nobody_has_no_attributes_not_even_missing_ones() {
        let mut from = envelope(&["kim@customer.example"]);
        from.sender = Some(address("kim@customer.example"));
        ask("sender = { attribute = { office = { exists = false } } }", &from, &book(), Fails);
    }

    #[test]
    fn a_group_stands_for_its_members() {
        let book = book();
        let one = envelope(&["bob@example.com", "kim@customer.example"]);
        ask("recipients = { any = { group = \"sales\" } }", &one, &book, Holds);
        ask("recipients = { all = { group = \"sales\" } }", &one, &book, Fails);
        let group = envelope(&["all@example.com"]);
        ask("recipients = { any = { attribute = { department = \"Finance\" } } }", &group, &book, Holds);
        ask("recipients = { all = { attribute = { department = \"Finance\" } } }", &group, &book, Fails);
        ask("recipients = { all = { group = \"all@example.com\" } }", &group, &book, Holds);
        ask("recipients = { any = { group = \"sales\" } }", &group, &book, Holds);
        ask("recipients = { all = { group = \"sales\" } }", &group, &book, Fails);
        let empty = envelope(&["none@example.com"]);
        ask("recipients = { any = { group = \"none\" } }", &empty, &book, Fails);
        ask("recipients = { all = { group = \"none\" } }", &empty, &book, Fails);
    }

    #[test]
    fn recipients_against_the_sender() {
        let book = book();
        let to = |to| envelope(&[to]);
        ask("recipients = { any = { same = \"department\" } }", &to("bob@example.com"), &book, Holds);
        ask("recipients = { any = { same = [\"department\", \"city\"] } }", &to("bob@example.com"), &book, Fails);
        ask("recipients = { any = { differs = \"department\" } }", &to("cy@example.com"), &book, Holds);
        ask("recipients = { any = { differs = \"department\" } }", &to("bob@example.com"), &book, Fails);
        // What one of the two lacks is neither the same nor another.
        ask("recipients = { any = { same = \"office\" } }", &to("bob@example.com"), &book, Fails);
        ask("recipients = { any = { differs = \"office\" } }", &to("bob@example.com"), &book, Fails);
        ask("recipients = { any = { differs = \"city\" } }", &to("kim@customer.example"), &book, Fails);
        check("recipients = { any = { same = \"domain\" } }", &to("x@Example.com"), true);
        check("recipients = { all = { differs = \"domain\" } }", &to("x@customer.example"), true);
        check("recipients = { all = { differs = \"domain\" } }", &envelope(&["x@a.example", "b@example.com"]), false);
    }

    #[test]
    fn what_is_not_known_neither_holds_nor_fails() {
        let dark = book().unavailable("dark");
        let from = envelope(&["bob@example.com", "kim@customer.example"]);
        for when in [
            "sender = { group = \"all\" }",
            "sender = { attribute = { city = { exists = false } } }",
            "recipients = { any = { group = \"all\" } }",
            "recipients = { all = { same = \"department\" } }",
        ] {
            ask(when, &from, &dark, Unknown("dark"));
        }
        // Where it does not matter, it does not matter.
        ask("sender = { is = \"example.net\", group = \"all\" }", &from, &dark, Fails);
        ask("recipients = { any = { is = \"bob@example.com\" } }", &from, &dark, Holds);
        ask("sender = { group = \"all\" }\ndirection = \"inbound\"", &from, &dark, Fails);
        // A group that nobody has heard of is a slip of the author, not an empty group.
        assert!(matches!(truth_for("sender = { group = \"slaes\" }", MESSAGE, &from, &book()), Unknown(_)));
        // No directory at all says nothing either.
        assert!(matches!(truth_for("sender = { group = \"all\" }", MESSAGE, &from, &Book::default()), Unknown(_)));
    }

    #[test]
    fn faults_of_tests_of_people() {
        assert!(problems("sender = {}").contains("`sender` tests nothing"));
        assert!(problems("sender = { group = \"a@\" }").contains("not the address or the name of a group"));
        assert!(problems("sender = { same = \"domain\" }").contains("`sender` takes: is, by, group, attribute"));
        assert!(problems("recipients = { any = { same = \"manager\" } }").contains("does not know \"manager\""));
        assert!(problems("sender = { attribute = { departement = \"x\" } }").contains("did you mean `department`?"));
        assert!(problems("sender = { attribute = {} }").contains("`attribute` tests nothing"));
        assert!(problems("sender = { attribute = { city = {} } }").contains("`city` tests nothing"));
        let both = "sender = { attribute = { city = { exists = false, contains = \"x\" } } }";
        assert!(problems(both).contains("not there cannot be tested"));
        assert!(problems("sender = { attribute = { city = { matches = \"(\" } } }").contains("R005"));
        assert!(problems("sender = { is = \"nobody\" }").contains("neither an address nor a domain"));
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
    fn where_the_sender_is_looked_for() {
        let mail = "Return-Path: <bounces@Bulk.example>\nReceived: from a by b; x\nReturn-Path: <forged@other.example>\n\
                    From: Kim <kim@customer.example>, lee@second.example\nSender: desk@customer.example\n\nx";
        let envelope = envelope(&["bob@example.com"]);
        let check = |when: &str, want: bool| assert_eq!(holds_for(when, mail, &envelope), want, "{when}");
        check("sender = { is = \"ann@example.com\", by = \"flow\" }", true);
        check("sender = { is = \"example.com\", by = \"From\" }", false);
        check("sender = { is = \"customer.example\", by = \"From\" }", true);
        check("sender = { is = \"lee@second.example\", by = \"From\" }", true);
        check("sender = { is = \"customer.example\", by = [\"flow\", \"From\"] }", true);
        check("sender = { is = \"external\", by = \"flow\" }", false);
        check("sender = { is = \"external\", by = [\"flow\", \"From\"] }", true);
        check("sender = { is = \"desk@*\", by = \"Sender\" }", true);
        check("sender = { is = \"bulk.example\", by = \"Return-Path\" }", true);
        // What stands below a Received is what the sender wrote.
        check("sender = { is = \"other.example\", by = \"Return-Path\" }", false);
        check("sender = { is = [\"\", \"other.example\"], by = \"Return-Path\" }", false);
        let null = "Return-Path: <>\nReceived: x\nFrom: kim@customer.example\n\nx";
        assert!(holds_for("sender = { is = \"\", by = \"Return-Path\" }", null, &envelope));
        assert!(!holds_for("sender = { is = \"\", by = \"From\" }", null, &envelope));
        let none = "Received: x\nReturn-Path: <>\nFrom: kim@customer.example\n\nx";
        assert!(!holds_for("sender = { is = [\"\", \"*\"], by = \"Return-Path\" }", none, &envelope));
        assert!(problems("sender = { by = \"From\" }").contains("there is no `is`"));
        assert!(problems("sender = { is = \"internal\", by = \"envelope\" }").contains("R003"));
        assert!(
            problems("sender = { is = \"internal\", by = \"From\", group = \"all\" }").contains("whom the flow names")
        );
        assert!(problems("recipients = { any = { is = \"internal\", by = \"From\" } }").contains("unknown key `by`"));
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
        assert!(problems("recipients = {}").contains("neither `any` nor `all` nor `each`"));
        assert!(problems("recipients = { any = \"\" }").contains("an empty pattern"));
        assert!(problems("recipients = { any = [] }").contains("R003"));
        assert!(problems("sender = \"nobody\"").contains("neither an address nor a domain"));
    }

    #[test]
    fn what_the_page_about_people_shows_is_true() {
        let page = include_str!("../../../docs/directory.md");
        let blocks = || page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let conditions: Vec<&str> =
            blocks().filter(|block| block.starts_with("when = ")).flat_map(str::lines).collect();
        assert_eq!(conditions.len(), 4);
        for line in conditions {
            let table = line.strip_prefix("when = {").or_else(|| line.strip_prefix("unless = {")).unwrap();
            let table = table.trim().strip_suffix('}').unwrap();
            assert!(crate::rule::conditions::testing::compile(table).is_ok(), "{line}");
        }
        let organization = blocks().find(|block| block.starts_with("domains = ")).unwrap();
        let test = blocks().find(|block| block.starts_with("[[test]]")).unwrap();
        let rules = format!("[[rule]]\nname = \"offer\"\naction = {{ kind = \"drop\" }}\n{test}");
        let files = [("organization.toml", organization), ("rules.toml", &rules)];
        let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let pipeline = crate::pipeline::Pipeline::from_sources(files.to_vec());
        let problems = match &pipeline {
            Ok(pipeline) => pipeline.warnings().render(false),
            Err(problems) => problems.render(false),
        };
        assert!(pipeline.is_ok(), "{problems}");
        let listed = crate::directory::Attribute::ALL.iter().filter(|a| page.contains(&format!("`{}`", a.as_str())));
        assert_eq!(listed.count(), crate::directory::Attribute::ALL.len());
    }
}
