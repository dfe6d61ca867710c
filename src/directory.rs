//! Who is internal. Later also: attributes of people, and groups.

use crate::envelope::Domain;

/// What is known of the organization without asking anyone.
#[derive(Debug, Clone, Default)]
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
