//! How rules name a group: by its address, or by its name.

use crate::envelope::Address;

/// Longest name of a group, in characters (WorkMail API Reference, `DescribeGroup`).
const MAX_NAME: usize = 256;

/// A group as a rule names it; upper and lower case are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupName(String);

/// Why a text names no group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the address or the name of a group")]
pub struct GroupNameError;

impl GroupName {
    /// An address, where it holds an `@`, else a name.
    pub fn new(text: &str) -> Result<Self, GroupNameError> {
        let text = text.trim();
        if text.contains('@') {
            return Address::new(text).map(|address| Self(address.folded())).map_err(|_| GroupNameError);
        }
        let odd = text.is_empty() || text.chars().count() > MAX_NAME || text.contains(char::is_control);
        if odd { Err(GroupNameError) } else { Ok(Self(text.to_lowercase())) }
    }
    /// The group of an address.
    pub fn of(address: &Address) -> Self {
        Self(address.folded())
    }
    /// The address, where it is one.
    pub fn address(&self) -> Option<Address> {
        self.0.contains('@').then(|| Address::new(&self.0).ok()).flatten()
    }
    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_named_by_address_or_name_in_any_case() {
        let name = |text: &str| GroupName::new(text).unwrap();
        assert_eq!(name("Sales@Example.COM"), name("sales@example.com"));
        assert_eq!(name("x@xn--bcher-kva.example"), name("x@bücher.example"));
        assert_eq!(name(" Sales Team "), name("sales team"));
        assert!(name("sales").address().is_none());
        assert_eq!(name("a@example.com").address().map(|a| a.folded()).as_deref(), Some("a@example.com"));
        for text in ["", " ", "a@", "@b", "a\u{7}b"] {
            assert_eq!(GroupName::new(text), Err(GroupNameError), "{text:?}");
        }
    }
}
