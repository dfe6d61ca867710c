//! What was looked up for one message.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Fact, GroupName, NOT_LOOKED_UP, Organization, Person};
use crate::envelope::Address;

/// Somebody who sends or gets a message.
#[derive(Debug, Clone, Default)]
pub struct Member {
    /// What the directory tells of the person; `None` where nobody of the organization has the address.
    pub person: Fact<Option<Arc<Person>>>,
    /// Those of the groups asked for that the person is in.
    pub groups: Fact<BTreeSet<GroupName>>,
}

impl Member {
    /// Nobody of the organization.
    pub fn nobody() -> Self {
        Self { person: Fact::Known(None), groups: Fact::Known(BTreeSet::new()) }
    }
    /// Nothing is known, and why.
    pub fn unknown(why: &'static str) -> Self {
        Self { person: Fact::Unknown(why), groups: Fact::Unknown(why) }
    }
}

/// What was looked up for one message: as much of it as the rules asked for.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// Who is internal, by the directory; `None` where it does not say and what is configured holds.
    pub organization: Option<Fact<Organization>>,
    /// Who sends the message. A message without a sender comes from nobody.
    pub sender: Member,
    recipients: HashMap<String, Fact<Vec<Member>>>,
}

impl People {
    /// Nothing could be looked up, and why.
    pub fn unknown(why: &'static str, recipients: &[Address]) -> Self {
        let mut people = Self { sender: Member::unknown(why), ..Self::default() };
        for address in recipients {
            people.insert(address, Fact::Unknown(why));
        }
        people
    }
    /// The same with who is internal.
    #[must_use]
    pub fn with_organization(mut self, organization: Option<Fact<Organization>>) -> Self {
        self.organization = organization;
        self
    }
    /// What the directory tells of the sender, where it is known.
    pub fn sender(&self) -> Option<&Person> {
        self.sender.person.as_ref().known()?.as_deref()
    }
    /// Who gets what is sent to an address: one person, the members of a group, or nobody of the organization, who is
    /// one that is not there. Never empty.
    pub fn at(&self, address: &Address) -> Fact<&[Member]> {
        let found = self.recipients.get(&address.folded());
        found.map_or(Fact::Unknown(NOT_LOOKED_UP), |fact| fact.as_ref().map(Vec::as_slice))
    }
    /// Keep who gets what is sent to an address; nobody becomes one that is not there.
    pub fn insert(&mut self, address: &Address, members: Fact<Vec<Member>>) {
        let members = members.map(|list| if list.is_empty() { vec![Member::nobody()] } else { list });
        self.recipients.insert(address.folded(), members);
    }
}
