//! `organization.toml`: the mail domains of the organization, its people and its groups.
//!
//! For replays, tests and flows without a directory of their own. It knows what WorkMail knows, under the same names.

use std::collections::{HashMap, HashSet};

use super::problem::Code;
use super::section::{At, Holds, Section, Span};
use super::tables;
use super::takes::keys;
use super::toml_value::{nearest_line, shown};
use crate::directory::{Attribute, Book, Group, GroupName, MAX_VALUE, Organization, Person};
use crate::envelope::{Address, Domain};

/// People of one organization file.
const MAX_PEOPLE: usize = 20_000;
/// Groups of one organization file.
const MAX_GROUPS: usize = 2_000;

/// Read the file. `place` says where a span is.
pub(super) fn read(mut section: Section<'_>, place: &dyn Fn(&Span) -> String) -> (Organization, Book) {
    let organization = Organization { domains: domains(&mut section) };
    let mut book = Book::default();
    let mut taken = Taken { at: HashMap::new(), place };
    for (index, person) in section.sections("person").unwrap_or_default().into_iter().enumerate() {
        if index >= MAX_PEOPLE {
            let span = person.span();
            section.problem(&span, Code::WrongValue, format!("more than {MAX_PEOPLE} people"), "");
            break;
        }
        if let Some((address, person)) = read_person(person, &mut taken) {
            book.insert(&address, person);
        }
    }
    let mut members = Vec::new();
    for (index, group) in section.sections("group").unwrap_or_default().into_iter().enumerate() {
        if index >= MAX_GROUPS {
            let span = group.span();
            section.problem(&span, Code::WrongValue, format!("more than {MAX_GROUPS} groups"), "");
            break;
        }
        if let Some(group) = read_group(group, &mut taken, &mut members) {
            book.insert_group(group);
        }
    }
    // Members may be listed before they are described.
    let mut unknown = HashSet::new();
    for member in members {
        let Ok(address) = Address::new(&member.value) else { continue };
        let there = book.person(&address).is_some() || book.has_group(&GroupName::of(&address));
        if !there && unknown.insert(address.folded()) {
            let what = format!("\"{}\" is neither a person nor a group of this file", shown(&member.value));
            let help = nearest_line(&member.value, taken.at.keys().map(String::as_str));
            section.problem(&member.span, Code::WrongValue, what, help);
        }
    }
    section.finish("organization", &keys(tables::ORGANIZATION));
    (organization, book)
}

fn domains(section: &mut Section<'_>) -> Vec<Domain> {
    if section.holds("domains") == Holds::Nothing {
        section.missing("domains");
    }
    let mut domains = Vec::new();
    for domain in section.strings("domains").unwrap_or_default() {
        match Domain::new(&domain.value) {
            Ok(name) => domains.push(name),
            Err(_) => section.problem(
                &domain.span,
                Code::WrongValue,
                format!("\"{}\" is not a mail domain", shown(&domain.value)),
                "write it as it stands behind the `@`, such as \"example.com\"",
            ),
        }
    }
    domains
}

/// Addresses and names that somebody has, with the place of each.
struct Taken<'p> {
    at: HashMap<String, Span>,
    place: &'p dyn Fn(&Span) -> String,
}

impl Taken<'_> {
    /// An address that nobody else has; a problem where it is none, or taken.
    fn address(&mut self, at: &At<String>, section: &mut Section<'_>) -> Option<Address> {
        let Ok(address) = Address::new(&at.value) else {
            let what = format!("\"{}\" is not an e-mail address", shown(&at.value));
            section.problem(&at.span, Code::WrongValue, what, "");
            return None;
        };
        self.take(address.folded(), at, section).then_some(address)
    }
    fn take(&mut self, key: String, at: &At<String>, section: &mut Section<'_>) -> bool {
        if let Some(first) = self.at.get(&key) {
            let help = format!("the first is at {}", (self.place)(first));
            section.problem(&at.span, Code::Duplicate, format!("two have \"{}\"", shown(&at.value)), help);
            return false;
        }
        self.at.insert(key, at.span.clone());
        true
    }
}

fn read_person(mut section: Section<'_>, taken: &mut Taken<'_>) -> Option<(Address, Person)> {
    let address = own_address(&mut section, taken);
    let mut person = Person::default();
    for alias in section.strings("aliases").unwrap_or_default() {
        person.aliases.extend(taken.address(&alias, &mut section));
    }
    fill(&mut section, &mut person);
    section.finish("person", &keys(tables::PERSON));
    Some((address?, person))
}

/// Read every attribute that is there.
pub(super) fn fill(section: &mut Section<'_>, person: &mut Person) {
    for attribute in Attribute::ALL.iter().filter(|a| **a != Attribute::Email) {
        let key = attribute.as_str();
        if section.holds(key) == Holds::Nothing {
            continue;
        }
        let value = match attribute {
            Attribute::Hidden => section.boolean(key).map(|at| at.value.to_string()),
            Attribute::State => word(section, key, &["enabled", "disabled", "deleted"]),
            Attribute::Role => word(section, key, &["user", "resource", "system_user", "remote_user"]),
            _ => section.string(key).and_then(|text| {
                let long = text.value.chars().count() > MAX_VALUE;
                if long {
                    let what = format!("`{key}` takes at most {MAX_VALUE} characters");
                    section.problem(&text.span, Code::WrongValue, what, "WorkMail holds no more");
                }
                (!long).then_some(text.value)
            }),
        };
        if let Some(value) = value {
            person.set(*attribute, &value);
        }
    }
}

fn word(section: &mut Section<'_>, key: &'static str, words: &[&'static str]) -> Option<String> {
    let words: Vec<(&'static str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
    section.choice(key, &words).map(|at| at.value.to_owned())
}

fn own_address(section: &mut Section<'_>, taken: &mut Taken<'_>) -> Option<Address> {
    if section.holds("address") == Holds::Nothing {
        section.missing("address");
        return None;
    }
    let at = section.string("address")?;
    taken.address(&at, section)
}

fn read_group(mut section: Section<'_>, taken: &mut Taken<'_>, members: &mut Vec<At<String>>) -> Option<Group> {
    let given = |section: &Section<'_>, key: &str| section.holds(key) != Holds::Nothing;
    if !given(&section, "address") && !given(&section, "name") {
        let span = section.span();
        section.problem(
            &span,
            Code::Missing,
            "the group has neither `address` nor `name`",
            "rules name it by one of them",
        );
    }
    let address = if given(&section, "address") { own_address(&mut section, taken) } else { None };
    let name = section.string("name").filter(|at| match GroupName::new(&at.value) {
        Ok(name) if name.address().is_none() => taken.take(name.as_str().to_owned(), at, &mut section),
        _ => {
            let what = format!("\"{}\" cannot be the name of a group", shown(&at.value));
            section.problem(&at.span, Code::WrongValue, what, "a name has 1 to 256 characters and no `@`");
            false
        }
    });
    let listed = if section.is_empty_array("members") {
        section.ignore("members");
        Vec::new()
    } else {
        section.strings("members").unwrap_or_default()
    };
    let mut addresses = Vec::new();
    for member in listed {
        if let Ok(address) = Address::new(&member.value) {
            addresses.push(address);
            members.push(member);
        } else {
            let what = format!("\"{}\" is not an e-mail address", shown(&member.value));
            section.problem(&member.span, Code::WrongValue, what, "members are named by their addresses");
        }
    }
    section.finish("group", &keys(tables::GROUP));
    let named = address.is_some() || name.is_some();
    named.then(|| Group { address, name: name.map(|at| at.value), members: addresses })
}
