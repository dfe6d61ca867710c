//! Hosts whose links stay as they are.

use std::collections::HashSet;

use crate::directory::{Fact, Organization};
use crate::envelope::Domain;

/// Patterns for hosts.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    internal: bool,
    exact: HashSet<String>,
    below: HashSet<String>,
}

impl Hosts {
    /// Add `internal`, `example.com` or `*.example.com`. The error says what is wrong.
    pub(super) fn add(&mut self, pattern: &str) -> Result<(), &'static str> {
        const FAULT: &str = "it is neither \"internal\" nor a domain";
        let pattern = pattern.trim();
        if pattern == "internal" {
            self.internal = true;
            return Ok(());
        }
        let (name, into) = match pattern.strip_prefix("*.") {
            Some(name) => (name, &mut self.below),
            None => (pattern, &mut self.exact),
        };
        let is_name = name.contains('.') && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'));
        let domain = Domain::new(name).ok().filter(|_| is_name).ok_or(FAULT)?;
        into.insert(domain.as_str().to_owned());
        Ok(())
    }

    /// True when the directory has to say who is internal.
    pub(super) fn ask_who_is_internal(&self) -> bool {
        self.internal
    }

    /// Is this host one of them? Where nobody knows who is internal, nobody is.
    pub(super) fn hold(&self, host: &Domain, organization: Fact<&Organization>) -> bool {
        let is_internal = || organization.known().is_some_and(|organization| organization.is_internal(host));
        if self.internal && is_internal() || self.exact.contains(host.as_str()) {
            return true;
        }
        let mut rest = host.as_str();
        while let Some((_, parent)) = rest.split_once('.').filter(|_| !self.below.is_empty()) {
            if self.below.contains(parent) {
                return true;
            }
            rest = parent;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_itself_and_a_star_what_is_below_it() {
        let mut hosts = Hosts::default();
        for pattern in ["example.com", "*.example.net", "M\u{dc}NCHEN.example"] {
            hosts.add(pattern).unwrap();
        }
        let holds = |host: &str| hosts.hold(&Domain::new(host).unwrap(), Fact::Known(&Organization::default()));
        assert!(holds("example.com") && holds("a.example.net") && holds("a.b.example.net"));
        assert!(holds("xn--mnchen-3ya.example"));
        assert!(!holds("a.example.com") && !holds("example.net") && !holds("evilexample.net"));
        for pattern in ["", "com", "*", "https://example.com", "example.com/a", "a*.example.com", "*.com"] {
            assert!(Hosts::default().add(pattern).is_err(), "{pattern}");
        }
    }
}
