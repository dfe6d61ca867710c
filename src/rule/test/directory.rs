//! `directory` of a test: other people than those of `organization.toml`, or a directory that does not answer.

use crate::directory::{Book, GroupName, Person};
use crate::envelope::Address;
use crate::rule::organization::fill;
use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::tables;
use crate::rule::takes::keys;
use crate::rule::toml_value::shown;

/// What the directory says otherwise in a test.
#[derive(Debug, Default)]
pub struct Otherwise {
    people: Vec<(Address, Person, Vec<GroupName>)>,
    unavailable: bool,
}

/// What is known where a test takes the directory away.
const UNAVAILABLE: &str = "the test says that the directory does not answer";

impl Otherwise {
    /// `book` with what the test says otherwise: its people take the place of those at the same address.
    pub fn over(&self, book: &Book) -> Book {
        let mut book = book.clone();
        for (address, person, groups) in &self.people {
            book.insert(address, person.clone());
            for group in groups {
                book.join(group, address);
            }
        }
        if self.unavailable { book.unavailable(UNAVAILABLE) } else { book }
    }
}

/// Read `directory` of a test: a table, or the word that takes it away.
pub(super) fn read(section: &mut Section<'_>) -> Otherwise {
    let mut otherwise = Otherwise::default();
    if section.holds("directory") == Holds::String {
        otherwise.unavailable = section.choice("directory", &[("unavailable", true)]).is_some();
        return otherwise;
    }
    let Some(mut table) = section.section("directory") else { return otherwise };
    if table.holds("person") == Holds::Nothing {
        table.missing("person");
    }
    for mut person in table.sections("person").unwrap_or_default() {
        if person.holds("address") == Holds::Nothing {
            person.missing("address");
        }
        let address = one_address(&mut person);
        let mut read = Person::default();
        for alias in person.strings("aliases").unwrap_or_default() {
            read.aliases.extend(checked(&mut person, &alias.value, &alias.span));
        }
        let mut groups = Vec::new();
        for group in person.strings("groups").unwrap_or_default() {
            match GroupName::new(&group.value) {
                Ok(name) => groups.push(name),
                Err(why) => {
                    person.problem(&group.span, Code::WrongValue, format!("\"{}\" is {why}", shown(&group.value)), "");
                }
            }
        }
        fill(&mut person, &mut read);
        person.finish("person", &keys(tables::PERSON_OF_TEST));
        otherwise.people.extend(address.map(|address| (address, read, groups)));
    }
    table.finish("directory", &keys(tables::DIRECTORY));
    otherwise
}

fn one_address(section: &mut Section<'_>) -> Option<Address> {
    let at = section.string("address")?;
    checked(section, &at.value, &at.span)
}

fn checked(section: &mut Section<'_>, text: &str, span: &crate::rule::section::Span) -> Option<Address> {
    let read = Address::new(text).ok();
    if read.is_none() {
        section.problem(span, Code::WrongValue, format!("\"{}\" is not an e-mail address", shown(text)), "");
    }
    read
}
