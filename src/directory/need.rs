//! What the rules that may run need to know, so that nothing else is looked up.

use std::collections::BTreeSet;

use super::GroupName;

/// What is to be looked up before rules run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// Which domains are internal.
    pub domains: bool,
    /// Of the sender.
    pub sender: Wanted,
    /// Of each recipient.
    pub recipients: Wanted,
}

/// What is wanted of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What the directory tells of the person.
    pub person: bool,
    /// Which of these groups the person is in.
    pub groups: BTreeSet<GroupName>,
}

impl Wanted {
    /// True when nothing is.
    pub fn is_empty(&self) -> bool {
        !self.person && self.groups.is_empty()
    }
    fn add(&mut self, other: Self) {
        self.person |= other.person;
        self.groups.extend(other.groups);
    }
}

impl Need {
    /// Nothing but the domains.
    pub fn domains() -> Self {
        Self { domains: true, ..Self::default() }
    }
    /// What the directory tells of the sender.
    pub fn sender() -> Self {
        Self { sender: Wanted { person: true, ..Wanted::default() }, ..Self::default() }
    }
    /// True when nothing is to be looked up.
    pub fn is_empty(&self) -> bool {
        !self.domains && self.sender.is_empty() && self.recipients.is_empty()
    }
    /// This and that.
    pub fn add(&mut self, other: Self) {
        self.domains |= other.domains;
        self.sender.add(other.sender);
        self.recipients.add(other.recipients);
    }
    /// All groups that are named.
    pub fn groups(&self) -> BTreeSet<&GroupName> {
        self.sender.groups.iter().chain(&self.recipients.groups).collect()
    }
}
