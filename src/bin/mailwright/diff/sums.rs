//! What the messages of a run came to.
//!
//! Invariant: its size depends on the rules and the number of examples, not on the number of messages.

use serde::{Deserialize, Serialize};

use super::compare::{Compared, Kind, Union, Wanted};
use crate::replay::totals::Did;

/// The sums of a run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sums {
    /// How many messages.
    pub messages: usize,
    /// How many are treated differently.
    pub differing: usize,
    /// Their octets.
    pub octets: u64,
    /// How many are rewritten under A, under B.
    pub rewritten: [usize; 2],
    /// How many fail.
    pub failed: [usize; 2],
    /// What each rule did.
    pub rules: Vec<RuleSums>,
    /// What differs.
    pub groups: Vec<Group>,
    /// Those that could not be compared.
    pub unread: Unread,
}

/// What a rule did.
#[derive(Debug, Serialize, Deserialize)]
pub struct RuleSums {
    /// Its name.
    pub name: String,
    /// Matched, skipped, failed, under A; `None` where A has no such rule.
    pub old: Option<[usize; 3]>,
    /// Under B.
    pub new: Option<[usize; 3]>,
}

/// Messages that differ in one way.
#[derive(Debug, Serialize, Deserialize)]
pub struct Group {
    /// Which way.
    pub kind: Kind,
    /// Of which rule, or from which answer to which; may be empty.
    pub of: String,
    /// How many.
    pub count: usize,
    /// The first of them.
    pub examples: Vec<Example>,
}

/// One message.
#[derive(Debug, Serialize, Deserialize)]
pub struct Example {
    /// Its path, safe to print.
    pub path: String,
    /// Lines about it, safe to print.
    pub what: String,
}

/// Messages that could not be compared.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Unread {
    /// How many.
    pub count: usize,
    /// The first of them.
    pub examples: Vec<Example>,
}

impl Sums {
    /// Nothing yet.
    pub fn new(union: &Union) -> Self {
        let rules = union.rules.iter().map(|(name, [old, new])| RuleSums {
            name: name.clone(),
            old: old.map(|_| [0; 3]),
            new: new.map(|_| [0; 3]),
        });
        Self {
            messages: 0,
            differing: 0,
            octets: 0,
            rewritten: [0; 2],
            failed: [0; 2],
            rules: rules.collect(),
            groups: Vec::new(),
            unread: Unread::default(),
        }
    }

    /// Say of what there are examples enough.
    pub fn tell(&self, examples: usize, wanted: &Wanted) {
        for group in self.groups.iter().filter(|group| group.examples.len() >= examples) {
            wanted.enough(group.kind, &group.of);
        }
    }

    /// Add a message.
    pub fn add(&mut self, compared: Compared, examples: usize, wanted: &Wanted) {
        let Compared { path, octets, rules, rewritten, failed, changes, unread, entry: _ } = compared;
        self.messages += 1;
        self.octets += octets as u64;
        if let Some(what) = unread {
            self.unread.count += 1;
            if self.unread.examples.len() < examples {
                self.unread.examples.push(Example { path, what });
            }
            return;
        }
        self.differing += usize::from(!changes.is_empty());
        for (sums, happened) in [(&mut self.rewritten, rewritten), (&mut self.failed, failed)] {
            sums.iter_mut().zip(happened).for_each(|(sum, happened)| *sum += usize::from(happened));
        }
        for (sums, [old, new]) in self.rules.iter_mut().zip(&rules) {
            count(&mut sums.old, *old);
            count(&mut sums.new, *new);
        }
        for change in changes {
            let Some(group) = self.group(change.kind, &change.of) else { continue };
            group.count += 1;
            if group.examples.len() < examples {
                group.examples.push(Example { path: path.clone(), what: change.what });
            }
            if group.examples.len() >= examples {
                wanted.enough(change.kind, &change.of);
            }
        }
    }

    /// They stand in the order of kinds, then of names.
    fn group(&mut self, kind: Kind, of: &str) -> Option<&mut Group> {
        let place = self.groups.iter().position(|group| (group.kind, group.of.as_str()) >= (kind, of));
        let at = place.unwrap_or(self.groups.len());
        if self.groups.get(at).is_none_or(|group| group.kind != kind || group.of != of) {
            self.groups.insert(at, Group { kind, of: of.to_owned(), count: 0, examples: Vec::new() });
        }
        self.groups.get_mut(at)
    }
}

fn count(sums: &mut Option<[usize; 3]>, did: Option<Did>) {
    let Some([matched, skipped, failed]) = sums else { return };
    match did {
        Some(Did::Matched) => *matched += 1,
        Some(Did::Skipped) => *skipped += 1,
        Some(Did::Failed) => *failed += 1,
        Some(Did::Nothing) | None => {}
    }
}
