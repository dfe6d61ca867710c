//! The people of the organization: who is internal, what is known of a person, who is in which group.
//!
//! Data without I/O. What the rules of a message need to know ([`Need`]) is looked up before they run, by a
//! [`Directory`](crate::flow::ports::Directory), and handed to them ([`People`]). Invariant: what was not looked up, or
//! could not be, is told apart from what is not there ([`Fact`]), and never taken for it.

mod book;
mod group_name;
mod need;
mod people;
mod person;

pub(crate) use book::NO_SUCH_GROUP;
pub use book::{Book, Group};
pub use group_name::{GroupName, GroupNameError};
pub use need::{Need, Wanted};
pub use people::{Member, People};
pub use person::{Attribute, MAX_VALUE, Person};

use crate::envelope::Domain;

/// What a fact is before anybody looks it up.
pub const NOT_LOOKED_UP: &str = "nobody looked it up in the directory";
/// What a fact is where there is nothing to look it up in.
pub const NO_DIRECTORY: &str =
    "there is no directory: list people in organization.toml, or set MAILWRIGHT_ORGANIZATION_ID";

/// What is known of the organization without asking anyone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organization {
    /// Its mail domains. Subdomains are not included: list them.
    pub domains: Vec<Domain>,
}

impl Organization {
    /// True when `domain` is one of the organization's.
    pub fn is_internal(&self, domain: &Domain) -> bool {
        self.domains.contains(domain)
    }
}

/// A fact that has to be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<T> {
    /// It was, and this is it.
    Known(T),
    /// It was not, or could not be: why, for reports; never content.
    Unknown(&'static str),
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self::Unknown(NOT_LOOKED_UP)
    }
}

impl<T> Fact<T> {
    /// The fact by reference.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Self::Known(value) => Fact::Known(value),
            Self::Unknown(why) => Fact::Unknown(why),
        }
    }
    /// Another fact that follows from it.
    pub fn map<U>(self, follows: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known(value) => Fact::Known(follows(value)),
            Self::Unknown(why) => Fact::Unknown(why),
        }
    }
    /// Its value, where it is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}
