//! What `sender` and `recipients` say of somebody.

use crate::rule::conditions::text_match::fold;
use crate::rule::section::{Holds, Section};

use super::addresses::Patterns;
use super::each_in_some;
use super::texts::{Text, list};

/// What is tested of one person; all parts must hold.
#[derive(Debug, Default)]
pub struct Person<'p> {
    is: Option<Patterns>,
    /// Where `is` looks; the flow where it is not said.
    pub by: Vec<String>,
    groups: Option<Vec<String>>,
    attributes: Vec<(String, Value<'p>)>,
    same: Option<Vec<String>>,
    differs: Option<Vec<String>>,
}

/// What is tested of an attribute.
#[derive(Debug)]
struct Value<'p> {
    exists: bool,
    text: Text<'p>,
}

const FLOW: &str = "flow";

impl<'p> Person<'p> {
    /// Patterns, or a table; `None` for what is not known here.
    pub fn read(section: &mut Section<'p>, key: &'static str) -> Option<Self> {
        let of_file = section.peek_tables(key).iter().any(|table| table.holds("file") != Holds::Nothing);
        let by = vec![FLOW.to_owned()];
        if section.holds(key) != Holds::Table || of_file {
            return Some(Self { is: Some(Patterns::read(section, key)?), by, ..Self::default() });
        }
        let mut table = section.section(key)?;
        let known = ["is", "by", "group", "attribute", "same", "differs"];
        table.keys().iter().all(|key| known.contains(&key.value.as_str())).then_some(())?;
        let given = |table: &Section<'_>, key: &str| table.holds(key) != Holds::Nothing;
        let is = if given(&table, "is") { Some(Patterns::read(&mut table, "is")?) } else { None };
        let attributes = if given(&table, "attribute") { attributes(table.section("attribute")?)? } else { Vec::new() };
        Some(Self {
            is,
            by: list(&mut table, "by", str::to_owned).ok()?.unwrap_or(by),
            groups: list(&mut table, "group", |name| name.trim().to_lowercase()).ok()?,
            attributes,
            same: list(&mut table, "same", str::to_owned).ok()?,
            differs: list(&mut table, "differs", str::to_owned).ok()?,
        })
    }

    /// Only the null sender passes.
    pub fn is_nobody(&self) -> bool {
        self.by == [FLOW] && self.is.as_ref().is_some_and(Patterns::are_nobody)
    }

    /// True when what the directory says decides, or who is internal: that may not be known.
    pub fn is_by_address_alone(&self) -> bool {
        self.groups.is_none() && self.attributes.is_empty() && !self.compares_attributes()
    }

    fn compares_attributes(&self) -> bool {
        self.same.iter().chain(&self.differs).flatten().any(|compared| compared != "domain")
    }

    /// Does whoever passes this pass the other?
    pub fn implies(&self, other: &Self) -> bool {
        let is = |wanted: &Patterns| {
            let there = |place: &String| other.by.contains(place);
            self.is.as_ref().is_some_and(|is| is.imply(wanted)) && self.by.iter().all(there)
        };
        let groups = |wanted: &Vec<String>| {
            self.groups.as_ref().is_some_and(|groups| each_in_some(groups, wanted, |one, other| one == other))
        };
        let attribute = |(name, wanted): &(String, Value<'_>)| {
            self.attributes.iter().any(|(has, value)| has == name && value.implies(wanted))
        };
        let all_of = |wanted: &Option<Vec<String>>, given: &Option<Vec<String>>| {
            wanted.iter().flatten().all(|one| given.iter().flatten().any(|other| other == one))
        };
        other.is.as_ref().is_none_or(is)
            && other.groups.as_ref().is_none_or(groups)
            && other.attributes.iter().all(attribute)
            && all_of(&other.same, &self.same)
            && all_of(&other.differs, &self.differs)
    }

    /// Is there nobody, at one address, who passes both?
    pub fn excludes(&self, other: &Self) -> bool {
        // A field may name several people.
        let by_address = self.by == [FLOW]
            && other.by == [FLOW]
            && self.is.as_ref().zip(other.is.as_ref()).is_some_and(|(one, other)| one.exclude(other));
        let shared = |one: &Option<Vec<String>>, other: &Option<Vec<String>>| {
            let domain = |list: &Option<Vec<String>>| list.iter().flatten().any(|word| word == "domain");
            domain(one) && domain(other)
        };
        by_address || shared(&self.same, &other.differs) || shared(&self.differs, &other.same)
    }

    /// The same for somebody of whom there is one: a group has many members, and what holds for one of them does not for
    /// another.
    pub fn excludes_alone(&self, other: &Self) -> bool {
        let attribute = |(name, value): &(String, Value<'_>)| {
            other.attributes.iter().any(|(has, there)| has == name && value.excludes(there))
        };
        self.excludes(other) || self.attributes.iter().any(attribute)
    }
}

fn attributes(mut table: Section<'_>) -> Option<Vec<(String, Value<'_>)>> {
    let mut attributes = Vec::new();
    for key in table.keys() {
        let name = crate::directory::Attribute::named(&key.value)?.as_str();
        attributes.push((name.to_owned(), Value::read(&mut table, name)?));
    }
    Some(attributes)
}

impl<'p> Value<'p> {
    fn read(table: &mut Section<'p>, key: &'static str) -> Option<Self> {
        let of_file = table.peek_tables(key).iter().any(|value| value.holds("file") != Holds::Nothing);
        if table.holds(key) != Holds::Table || of_file {
            let is = list(table, key, fold).ok()?;
            return Some(Self { exists: true, text: Text::default().with_values(is) });
        }
        let mut value = table.section(key)?;
        let known = ["exists", "is", "contains", "words", "matches"];
        value.keys().iter().all(|key| known.contains(&key.value.as_str())).then_some(())?;
        let exists = value.boolean("exists").is_none_or(|at| at.value);
        let is = list(&mut value, "is", fold).ok()?;
        Some(Self { exists, text: Text::of_table(&mut value)?.with_values(is) })
    }

    fn implies(&self, other: &Self) -> bool {
        self.exists == other.exists && self.text.implies(&other.text)
    }

    fn excludes(&self, other: &Self) -> bool {
        self.exists != other.exists || self.exists && self.text.excludes(&other.text)
    }
}
