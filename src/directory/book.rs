//! A directory in memory: what `organization.toml` and tests of rules say of people and groups.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{Attribute, Fact, GroupName, Member, NO_DIRECTORY, Need, People, Person, Wanted};
use crate::envelope::{Address, Envelope};

/// People and groups by their addresses.
#[derive(Debug, Clone, Default)]
pub struct Book {
    people: HashMap<String, Arc<Person>>,
    groups: Vec<Group>,
    /// Addresses and names of groups, with their index.
    named: HashMap<GroupName, usize>,
    unavailable: Option<&'static str>,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Its address, where it has one.
    pub address: Option<Address>,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Addresses of its members: of people, or of groups.
    pub members: Vec<Address>,
}

impl Book {
    /// True when it lists neither people nor groups: it is no directory, and nothing is known by it.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.groups.is_empty()
    }
    /// Is there a group of that address or name?
    pub fn has_group(&self, name: &GroupName) -> bool {
        self.named.contains_key(name)
    }
    /// True when it lists a group.
    pub fn has_groups(&self) -> bool {
        !self.groups.is_empty()
    }
    /// What its groups are called: addresses and names.
    pub fn group_names(&self) -> impl Iterator<Item = &GroupName> {
        self.named.keys()
    }
    /// Is there a person at that address?
    pub fn person(&self, address: &Address) -> Option<&Arc<Person>> {
        self.people.get(&address.folded())
    }
    /// Put a person in, at this address and at the aliases; who stood there before is replaced.
    pub fn insert(&mut self, address: &Address, mut person: Person) {
        if person.get(Attribute::Email).is_none() {
            person.set(Attribute::Email, address.as_str());
        }
        let aliases = person.aliases.clone();
        let person = Arc::new(person);
        for address in aliases.iter().chain([address]) {
            self.people.insert(address.folded(), Arc::clone(&person));
        }
    }
    /// Put a group in.
    pub fn insert_group(&mut self, group: Group) {
        let index = self.groups.len();
        let name = group.name.as_deref().and_then(|name| GroupName::new(name).ok());
        self.named.extend(group.address.as_ref().map(GroupName::of).into_iter().chain(name).map(|name| (name, index)));
        self.groups.push(group);
    }
    /// Make somebody a member of a group, which is made where there is none of that name.
    pub fn join(&mut self, group: &GroupName, member: &Address) {
        if !self.named.contains_key(group) {
            let name = group.address().is_none().then(|| group.as_str().to_owned());
            self.insert_group(Group { address: group.address(), name, members: Vec::new() });
        }
        let found = self.named.get(group).and_then(|index| self.groups.get_mut(*index));
        if let Some(group) = found {
            group.members.push(member.clone());
        }
    }
    /// Make it a directory that cannot be asked.
    #[must_use]
    pub fn unavailable(mut self, why: &'static str) -> Self {
        self.unavailable = Some(why);
        self
    }

    /// What is needed of the people of a message.
    pub fn look_up(&self, need: &Need, envelope: &Envelope) -> People {
        let why = self.unavailable.or(self.is_empty().then_some(NO_DIRECTORY));
        if let Some(why) = why {
            return People::unknown(why, &envelope.recipients);
        }
        let mut people = People::default();
        people.sender = match &envelope.sender {
            _ if need.sender.is_empty() => Member::default(),
            None => Member::nobody(),
            Some(address) => self.member(address, &need.sender),
        };
        if !need.recipients.is_empty() {
            for address in &envelope.recipients {
                people.insert(address, Fact::Known(self.members(address, &need.recipients)));
            }
        }
        people
    }

    fn member(&self, address: &Address, wanted: &Wanted) -> Member {
        let person = Fact::Known(self.person(address).cloned());
        let missing = wanted.groups.iter().any(|name| !self.has_group(name));
        let groups = if missing { Fact::Unknown(NO_SUCH_GROUP) } else { Fact::Known(self.groups_of(address, wanted)) };
        Member { person, groups }
    }

    /// A group stands for its members, those of groups in it included; who is disabled gets no mail by it.
    fn members(&self, address: &Address, wanted: &Wanted) -> Vec<Member> {
        let mut seen = HashSet::from([address.folded()]);
        let mut open = vec![address.clone()];
        let mut members = Vec::new();
        while let Some(address) = open.pop() {
            if let Some(group) = self.named.get(&GroupName::of(&address)).and_then(|index| self.groups.get(*index)) {
                open.extend(group.members.iter().filter(|a| seen.insert(a.folded())).cloned());
                continue;
            }
            let state = self.person(&address).and_then(|person| person.get(Attribute::State));
            if seen.len() == 1 || state.is_none_or(|state| state == "enabled") {
                members.push(self.member(&address, wanted));
            }
        }
        members
    }

    /// Those of the groups wanted that an address is in, itself or by a group that is.
    fn groups_of(&self, address: &Address, wanted: &Wanted) -> BTreeSet<GroupName> {
        let own = [address.folded()].into_iter();
        let mut inside: HashSet<String> =
            own.chain(self.person(address).into_iter().flat_map(|p| p.aliases.iter().map(Address::folded))).collect();
        inside.extend(
            self.person(address)
                .and_then(|p| p.get(Attribute::Email))
                .and_then(|e| Address::new(e).ok())
                .map(|a| a.folded()),
        );
        let mut of = HashSet::new();
        loop {
            let holds = |group: &Group| group.members.iter().any(|member| inside.contains(&member.folded()));
            let more: Vec<usize> = self
                .groups
                .iter()
                .enumerate()
                .filter(|(index, group)| !of.contains(index) && holds(group))
                .map(|(index, _)| index)
                .collect();
            if more.is_empty() {
                break;
            }
            for index in more {
                of.insert(index);
                inside.extend(self.groups.get(index).and_then(|group| group.address.as_ref()).map(Address::folded));
            }
        }
        let is_in = |name: &&GroupName| self.named.get(*name).is_some_and(|index| of.contains(index));
        wanted.groups.iter().filter(is_in).cloned().collect()
    }
}

/// What is known of membership where a rule names a group that is none.
pub(crate) const NO_SUCH_GROUP: &str = "the directory has no group of a name that a rule gives";
