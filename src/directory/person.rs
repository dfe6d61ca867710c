//! A person of the directory, by the names that WorkMail has for what it knows.

use std::collections::BTreeMap;
use std::fmt;

use crate::envelope::Address;

/// Longest value of an attribute, in characters (WorkMail API Reference, `DescribeUser`).
pub const MAX_VALUE: usize = 256;

/// What WorkMail's `DescribeUser` tells of a person. It knows no manager, no mobile number and no attributes of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attribute {
    /// The address, the first of those that the person has.
    Email,
    /// The user name.
    Name,
    /// The name as it is shown.
    DisplayName,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// Initials.
    Initials,
    /// The job title.
    JobTitle,
    /// The department.
    Department,
    /// The company.
    Company,
    /// The office.
    Office,
    /// The telephone number.
    Telephone,
    /// Street and number.
    Street,
    /// The city.
    City,
    /// The postal code.
    ZipCode,
    /// The country.
    Country,
    /// `enabled`, `disabled` or `deleted`.
    State,
    /// `user`, `resource`, `system_user` or `remote_user`.
    Role,
    /// `true` where the person is hidden from the address book, else `false`.
    Hidden,
}

impl Attribute {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Email,
        Self::Name,
        Self::DisplayName,
        Self::FirstName,
        Self::LastName,
        Self::Initials,
        Self::JobTitle,
        Self::Department,
        Self::Company,
        Self::Office,
        Self::Telephone,
        Self::Street,
        Self::City,
        Self::ZipCode,
        Self::Country,
        Self::State,
        Self::Role,
        Self::Hidden,
    ];

    /// Its name in rule files, templates and `organization.toml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Name => "name",
            Self::DisplayName => "display_name",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Initials => "initials",
            Self::JobTitle => "job_title",
            Self::Department => "department",
            Self::Company => "company",
            Self::Office => "office",
            Self::Telephone => "telephone",
            Self::Street => "street",
            Self::City => "city",
            Self::ZipCode => "zip_code",
            Self::Country => "country",
            Self::State => "state",
            Self::Role => "role",
            Self::Hidden => "hidden",
        }
    }

    /// The attribute of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|attribute| attribute.as_str() == name)
    }
}

/// A person. `Debug` shows nothing of it: it does not belong in logs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Other addresses of the same person, where the directory names them.
    pub aliases: Vec<Address>,
    values: BTreeMap<Attribute, String>,
}

impl Person {
    /// What is known under this name. An empty value is as good as none.
    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        self.values.get(&attribute).map(String::as_str)
    }
    /// The same by the name of the attribute, such as `job_title`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.get(Attribute::named(name)?)
    }
    /// Set a value: trimmed, cut at [`MAX_VALUE`]; an empty one takes the attribute away.
    pub fn set(&mut self, attribute: Attribute, value: &str) {
        let value: String = value.trim().chars().take(MAX_VALUE).collect();
        if value.is_empty() {
            self.values.remove(&attribute);
        } else {
            self.values.insert(attribute, value);
        }
    }
    /// All that is known, in the order of [`Attribute::ALL`].
    pub fn values(&self) -> impl Iterator<Item = (Attribute, &str)> {
        self.values.iter().map(|(attribute, value)| (*attribute, value.as_str()))
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_their_names() {
        for attribute in Attribute::ALL {
            assert_eq!(Attribute::named(attribute.as_str()), Some(*attribute));
        }
        assert_eq!(Attribute::named("manager"), None);
    }

    #[test]
    fn an_empty_value_is_none_and_a_long_one_is_cut() {
        let mut person = Person::default();
        person.set(Attribute::City, "  Köln ");
        person.set(Attribute::Office, "  ");
        person.set(Attribute::Street, &"ä".repeat(300));
        assert_eq!(person.attribute("city"), Some("Köln"));
        assert_eq!(person.get(Attribute::Office), None);
        assert_eq!(person.get(Attribute::Street).map(|street| street.chars().count()), Some(MAX_VALUE));
        assert_eq!(person.values().count(), 2);
        person.set(Attribute::City, "");
        assert_eq!(person.get(Attribute::City), None);
        assert_eq!(format!("{person:?}"), "Person(…)");
    }
}
