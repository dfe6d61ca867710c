//! `{ is, by, group, attribute, same, differs }`: what `sender` and `recipients` test of somebody.
//!
//! Invariant: what the directory could not tell makes a test unknown, never true and never false.

use crate::directory::{Attribute, Fact, GroupName, Member, Person, Wanted};
use crate::envelope::Address;
use crate::rule::late::Late;
use crate::rule::problem::Code;
use crate::rule::section::{At, Holds, Section};
use crate::rule::toml_value::shown;
use crate::rule::truth::Truth;
use crate::rule::{OptionDoc, Scene, Takes};

use super::address_match::{AddressMatch, PATTERNS};
use super::keys;
use super::looked_at::{self, BY, LookedAt};
use super::text_match::{CONTAINS, MATCHES, TextMatch, WORDS, fold};

/// `is` for the reference.
pub const IS: OptionDoc =
    OptionDoc { key: "is", takes: PATTERNS, default: "anybody", doc: "One of these must match the address." };
/// `group` for the reference.
pub const GROUP: OptionDoc = OptionDoc {
    key: "group",
    takes: Takes::Texts("address or name of a group"),
    default: "not tested",
    doc: "Membership of one of these groups, also by way of a group that is a member of it.",
};
/// `attribute` for the reference.
pub const ATTRIBUTE: OptionDoc = OptionDoc {
    key: "attribute",
    takes: Takes::Attributes(&Takes::Either(&[Takes::Texts("string"), Takes::Table(OF_VALUE)])),
    default: "not tested",
    doc: "What the directory says of the person; each must hold. A bare string, or an array, is the whole value, upper and \
          lower case being the same. Nobody of the organization has no attributes.",
};
/// `same` for the reference.
const SAME: OptionDoc = OptionDoc {
    key: "same",
    takes: Takes::Words(COMPARED),
    default: "not compared",
    doc: "What must be the same as of the sender; what one of the two lacks is not.",
};
/// `differs` for the reference.
const DIFFERS: OptionDoc = OptionDoc {
    key: "differs",
    takes: Takes::Words(COMPARED),
    default: "not compared",
    doc: "What must be another than of the sender; what one of the two lacks is not.",
};

/// What is tested of a sender.
pub const OF_SENDER: &[OptionDoc] = &[IS, BY, GROUP, ATTRIBUTE];
/// What is tested of a recipient.
pub const OF_RECIPIENT: &[OptionDoc] = &[IS, GROUP, ATTRIBUTE, SAME, DIFFERS];

/// Of a value: `exists`.
const EXISTS: OptionDoc = OptionDoc {
    key: "exists",
    takes: Takes::Boolean,
    default: "true",
    doc: "Whether there must be a value or must be none.",
};
/// Of a value: `is`.
const VALUE_IS: OptionDoc = OptionDoc {
    key: "is",
    takes: Takes::Texts("string"),
    default: "not tested",
    doc: "Holds when the value is one of these.",
};
/// What is tested of a value.
const OF_VALUE: &[OptionDoc] = &[EXISTS, VALUE_IS, CONTAINS, WORDS, MATCHES];

/// A compiled test; all parts must hold.
#[derive(Debug, Default)]
pub struct PersonTest {
    is: Option<AddressMatch>,
    /// Where `is` looks; empty for what the flow says.
    by: Vec<LookedAt>,
    groups: Vec<GroupName>,
    attributes: Vec<(Attribute, ValueTest)>,
    same: Vec<Compared>,
    differs: Vec<Compared>,
}

#[derive(Debug, Clone, Copy)]
enum Compared {
    Domain,
    Attribute(Attribute),
}

#[derive(Debug)]
struct ValueTest {
    exists: bool,
    /// Folded values of which it must be one.
    is: Option<Vec<String>>,
    text: TextMatch,
}

impl PersonTest {
    /// Read what stands at `key`: patterns of addresses, or a table of `options`. `nobody` as in
    /// [`AddressMatch::compile`].
    pub fn read(section: &mut Section<'_>, key: &'static str, options: &[OptionDoc], nobody: bool) -> Option<Self> {
        let of_file = section.peek_tables(key).iter().any(|table| table.holds("file") != Holds::Nothing);
        if section.holds(key) != Holds::Table || of_file {
            let patterns = section.strings(key)?;
            let is = Some(AddressMatch::compile(section, &patterns, nobody)?);
            return Some(Self { is, ..Self::default() });
        }
        let mut table = section.section(key)?;
        if table.keys().is_empty() {
            let span = table.span();
            let given = keys(options).into_iter().filter(|key| *key != BY.key).collect::<Vec<_>>().join("`, `");
            table.problem(&span, Code::Missing, format!("`{key}` tests nothing"), format!("give one of `{given}`"));
        }
        let mut sound = !table.keys().is_empty();
        let mut test = Self::default();
        let takes = |name: &str| options.iter().any(|option| option.key == name);
        let given = |table: &Section<'_>, name: &str| takes(name) && table.holds(name) != Holds::Nothing;
        if given(&table, IS.key) {
            test.is = table.strings(IS.key).and_then(|list| AddressMatch::compile(&mut table, &list, nobody));
            sound &= test.is.is_some();
        }
        if given(&table, BY.key) {
            let span = table.span_of(BY.key);
            match looked_at::read(&mut table) {
                Some(by) => test.by = by,
                None => sound = false,
            }
            let asks = [GROUP.key, ATTRIBUTE.key].into_iter().find(|name| given(&table, name));
            if !given(&table, IS.key) {
                let what = "`by` says where `is` looks, and there is no `is`";
                table.problem(&span, Code::Missing, what, "write `is = \"external\"`, or who it must be");
                sound = false;
            } else if let Some(name) = asks.filter(|_| test.by != [LookedAt::Flow]) {
                let what = format!("`{name}` is about whom the flow names, wherever `by` looks");
                let help = "test the two by themselves: `all = [{ sender = { … } }, { sender = { … } }]`";
                table.problem(&span, Code::WrongValue, what, help);
                sound = false;
            }
        }
        if given(&table, GROUP.key) {
            let names = table.strings(GROUP.key).unwrap_or_default();
            sound &= !names.is_empty();
            for name in names {
                match GroupName::new(&name.value) {
                    Ok(group) => {
                        table.keep_group(At { value: group.clone(), span: name.span.clone() });
                        test.groups.push(group);
                    }
                    Err(why) => {
                        sound = false;
                        let what = format!("\"{}\" is {why}", shown(&name.value));
                        table.problem(&name.span, Code::WrongValue, what, "write \"sales@example.com\" or \"Sales\"");
                    }
                }
            }
        }
        if given(&table, ATTRIBUTE.key) {
            match table.section(ATTRIBUTE.key).and_then(attributes) {
                Some(read) => test.attributes = read,
                None => sound = false,
            }
        }
        for (name, into) in [(SAME.key, &mut test.same), (DIFFERS.key, &mut test.differs)] {
            if given(&table, name) {
                match table.choices(name, &compared()) {
                    Some(read) => *into = read.into_iter().map(|at| at.value).collect(),
                    None => sound = false,
                }
            }
        }
        let attribute =
            |name: &str| Attribute::named(name).map(|of| format!("write `attribute = {{ {} = \"…\" }}`", of.as_str()));
        table.finish_with(key, &keys(options), attribute);
        sound.then_some(test)
    }

    /// Which domains are internal?
    pub fn needs_domains(&self) -> bool {
        self.is.as_ref().is_some_and(AddressMatch::needs_domains)
    }
    /// What has to be looked up of the person.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            person: !self.attributes.is_empty() || self.compares_attributes(),
            groups: self.groups.iter().cloned().collect(),
        }
    }
    /// True when attributes of the sender are needed too.
    pub fn compares_attributes(&self) -> bool {
        self.same.iter().chain(&self.differs).any(|compared| matches!(compared, Compared::Attribute(_)))
    }
    /// True when more is tested than the address.
    pub fn asks_directory(&self) -> bool {
        !self.wanted().is_empty()
    }

    /// Does the address pass, whoever has it?
    pub fn address(&self, address: Option<&Address>, scene: &Scene<'_, '_>) -> Truth {
        let is = self.is.as_ref().map(|is| match self.by.as_slice() {
            [] => is.truth(address, scene.who_is_internal()),
            by => Truth::any(by.iter().map(|at| at.truth(is, scene))),
        });
        let domain = |compared: &&Compared| matches!(compared, Compared::Domain);
        let sender = scene.envelope.sender.as_ref().map(Address::domain);
        let both = sender.zip(address.map(Address::domain));
        let same = self.same.iter().filter(domain).map(|_| both.is_some_and(|(one, other)| one == other).into());
        let differs = self.differs.iter().filter(domain).map(|_| both.is_some_and(|(one, other)| one != other).into());
        Truth::all(is.into_iter().chain(same).chain(differs))
    }
    /// Does the person pass, whatever the address?
    pub fn member(&self, member: &Member, scene: &Scene<'_, '_>) -> Truth {
        let group = (!self.groups.is_empty()).then(|| match &member.groups {
            Fact::Known(of) => self.groups.iter().any(|group| of.contains(group)).into(),
            Fact::Unknown(why) => Truth::Unknown(why),
        });
        let attributes = self.attributes.iter().map(|(attribute, test)| match &member.person {
            Fact::Known(Some(person)) => test.holds(person.get(*attribute)).into(),
            Fact::Known(None) => Truth::Fails,
            Fact::Unknown(why) => Truth::Unknown(why),
        });
        let sender = &scene.facts.people.sender;
        let compare = |compared: &Compared, same: bool| match compared {
            Compared::Domain => Truth::Holds,
            Compared::Attribute(attribute) => compare(*attribute, &sender.person, &member.person, same),
        };
        let same = self.same.iter().map(|compared| compare(compared, true));
        let differs = self.differs.iter().map(|compared| compare(compared, false));
        Truth::all(group.into_iter().chain(attributes).chain(same).chain(differs))
    }

    /// What stands where `is` looks, other than what the flow says: for people.
    pub fn seen_elsewhere(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let seen: Vec<String> = self.by.iter().map(|at| at.seen(scene)).collect();
        (!seen.is_empty()).then(|| seen.join("; "))
    }

    /// What the directory says of somebody, as far as it is tested: for people.
    pub fn seen(&self, member: &Member) -> String {
        let mut parts = Vec::new();
        if !self.groups.is_empty() {
            parts.push(match &member.groups {
                Fact::Known(of) if of.is_empty() => "in no such group".to_owned(),
                Fact::Known(of) => format!("in {}", of.iter().map(GroupName::as_str).collect::<Vec<_>>().join(", ")),
                Fact::Unknown(why) => (*why).to_owned(),
            });
        }
        let compared = self.same.iter().chain(&self.differs).filter_map(|compared| match compared {
            Compared::Domain => None,
            Compared::Attribute(attribute) => Some(*attribute),
        });
        let looked_at: Vec<Attribute> =
            self.attributes.iter().map(|(attribute, _)| *attribute).chain(compared).collect();
        match &member.person {
            _ if looked_at.is_empty() => {}
            Fact::Known(None) => parts.push("not in the directory".to_owned()),
            Fact::Unknown(why) => parts.push((*why).to_owned()),
            Fact::Known(Some(person)) => parts.extend(looked_at.into_iter().map(|attribute| {
                let name = attribute.as_str();
                person.get(attribute).map_or_else(|| format!("no {name}"), |value| format!("{name} \"{value}\""))
            })),
        }
        parts.join("; ")
    }
}

/// Is an attribute of two persons the same, or another? Of nobody, and of what one lacks, neither.
fn compare(
    attribute: Attribute,
    one: &Fact<Option<std::sync::Arc<Person>>>,
    other: &Fact<Option<std::sync::Arc<Person>>>,
    same: bool,
) -> Truth {
    let (one, other) = match (one, other) {
        (Fact::Known(None), _) | (_, Fact::Known(None)) => return Truth::Fails,
        (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => return Truth::Unknown(why),
        (Fact::Known(Some(one)), Fact::Known(Some(other))) => (one, other),
    };
    let value = |person: &Person| person.get(attribute).map(fold);
    value(one).zip(value(other)).is_some_and(|(one, other)| (one == other) == same).into()
}

/// The words of `same` and `differs`.
const COMPARED: &[&str; Attribute::ALL.len() + 1] = &{
    let mut words = ["domain"; Attribute::ALL.len() + 1];
    let mut nth = 0;
    while nth < Attribute::ALL.len() {
        words[nth + 1] = Attribute::ALL[nth].as_str();
        nth += 1;
    }
    words
};

fn compared() -> Vec<(&'static str, Compared)> {
    let what = |word: &&'static str| (*word, Attribute::named(word).map_or(Compared::Domain, Compared::Attribute));
    COMPARED.iter().map(what).collect()
}

fn attributes(mut table: Section<'_>) -> Option<Vec<(Attribute, ValueTest)>> {
    let mut sound = true;
    if table.keys().is_empty() {
        let span = table.span();
        table.problem(
            &span,
            Code::Missing,
            "`attribute` tests nothing",
            "write `attribute = { department = \"Sales\" }`",
        );
        sound = false;
    }
    let mut tests = Vec::new();
    for attribute in Attribute::ALL {
        if table.holds(attribute.as_str()) != Holds::Nothing {
            match value_test(&mut table, attribute.as_str()) {
                Some(test) => tests.push((*attribute, test)),
                None => sound = false,
            }
        }
    }
    let names: Vec<&str> = Attribute::ALL.iter().map(|attribute| attribute.as_str()).collect();
    table.finish(ATTRIBUTE.key, &names);
    sound.then_some(tests)
}

fn value_test(table: &mut Section<'_>, key: &'static str) -> Option<ValueTest> {
    let folded = |texts: Vec<At<String>>| texts.iter().map(|text| fold(&text.value)).collect::<Vec<_>>();
    let of_file = table.peek_tables(key).iter().any(|value| value.holds("file") != Holds::Nothing);
    if table.holds(key) != Holds::Table || of_file {
        let is = Some(folded(table.strings(key)?));
        return Some(ValueTest { exists: true, is, text: TextMatch::default() });
    }
    let mut value = table.section(key)?;
    let given = |value: &Section<'_>, name: &str| value.holds(name) != Holds::Nothing;
    let (exists_given, is_given) = (given(&value, EXISTS.key), given(&value, VALUE_IS.key));
    let mut sound = !value.keys().is_empty();
    if !sound {
        let span = value.span();
        let options = keys(OF_VALUE).join("`, `");
        value.problem(&span, Code::Missing, format!("`{key}` tests nothing"), format!("give one of `{options}`"));
    }
    let exists = if exists_given { value.boolean(EXISTS.key) } else { None };
    let is = if is_given { value.strings(VALUE_IS.key).map(folded) } else { None };
    let text = TextMatch::read(&mut value, OF_VALUE);
    sound &= exists_given == exists.is_some() && is_given == is.is_some();
    if let (Some(exists), Some(text)) = (&exists, &text)
        && !exists.value
        && (is.is_some() || !text.is_empty())
    {
        let help = "leave `exists` out, or the other tests";
        value.problem(&exists.span, Code::WrongValue, "a value that is not there cannot be tested", help);
        sound = false;
    }
    value.finish(key, &keys(OF_VALUE));
    sound.then_some(ValueTest { exists: exists.is_none_or(|at| at.value), is, text: text? })
}

impl ValueTest {
    fn holds(&self, value: Option<&str>) -> bool {
        let Some(value) = value else { return !self.exists };
        self.exists
            && self.is.as_ref().is_none_or(|list| list.contains(&fold(value)))
            && (self.text.is_empty() || self.text.holds(value, Late::NEVER))
    }
}
