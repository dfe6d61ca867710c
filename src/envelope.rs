//! What the flow says about a message: direction, sender, recipients, ids. None of it is read from the message.

use std::fmt;

/// Which way a message goes, seen from the organization. WorkMail: `flowDirection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Comes in to mailboxes of the organization.
    Inbound,
    /// Sent by a user of the organization.
    Outbound,
}

impl Direction {
    /// The word for it in rule files, logs and the processed mark.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mail domain: lower case, without a trailing dot, IDN as U-labels are kept as they are.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

/// An e-mail address, split at its last `@`. `Debug` shows no address: addresses do not belong in logs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    text: String,
    at: usize,
    domain: Domain,
}

/// What the flow says about a message.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Inbound or outbound.
    pub direction: Direction,
    /// Who the message is from, by the flow; absent for the null sender (bounces).
    pub sender: Option<Address>,
    /// To whom this copy goes. Incomplete when `truncated`.
    pub recipients: Vec<Address>,
    /// The flow's handle for the message, not the RFC 5322 Message-ID.
    pub message_id: String,
    /// True when the flow cut the list of recipients.
    pub truncated: bool,
}

/// Why a string is no address or domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address or a mail domain")]
pub struct AddressError;

impl Domain {
    /// Check and normalise: trimmed, lower case, without a trailing dot.
    pub fn new(text: &str) -> Result<Self, AddressError> {
        let text = text.trim().trim_end_matches('.').to_lowercase();
        if text.is_empty()
            || text.len() > 253
            || text.contains(|c: char| c.is_whitespace() || c.is_control() || "@<>,;\"".contains(c))
        {
            return Err(AddressError);
        }
        Ok(Self(text))
    }
    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}

impl Address {
    /// Split at the last `@`: a quoted local part may hold others. The case of the local part is kept.
    pub fn new(text: &str) -> Result<Self, AddressError> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        let at = text.rfind('@').ok_or(AddressError)?;
        if at == 0 || text.len() > 1_000 || text.contains(|c: char| c.is_control()) {
            return Err(AddressError);
        }
        let domain = Domain::new(text.get(at + 1..).unwrap_or_default())?;
        Ok(Self { text: text.to_owned(), at, domain })
    }
    /// As the flow gave it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// What stands before the last `@`.
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }
    /// What stands behind it.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}
