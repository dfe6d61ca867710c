//! What the flow says about a message: direction, sender, recipients, ids. None of it is read from the message.

mod punycode;

use std::fmt;
use std::hash::{Hash, Hasher};

use punycode::{ascii_label, unicode_label};

/// Longest domain, in octets (RFC 1035 §2.3.4).
const MAX_DOMAIN: usize = 253;

/// Longest address that is read, in octets: more than RFC 5321 §4.5.3.1 allows, less than an attack needs.
const MAX_ADDRESS: usize = 1_000;

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

/// A mail domain: lower case, without a trailing dot, `xn--` labels in their Unicode form, so that both spellings of an
/// internationalised domain are one. No Unicode normalisation: spell it precomposed, as everyone does.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

/// An e-mail address, split at its last `@`. Two are equal when their local parts are, to the case, and their domains in
/// either spelling. `Debug` shows no address: addresses do not belong in logs.
#[derive(Clone)]
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

/// Who a message is said to be from, on a command line or in a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// This address.
    Address(Address),
    /// The null sender of bounces (RFC 5321 §4.5.5).
    Nobody,
}

impl Sender {
    /// An address; nothing, or `<>`, is nobody.
    pub fn read(text: &str) -> Result<Self, AddressError> {
        match text.trim() {
            "" | "<>" => Ok(Self::Nobody),
            text => Address::new(text).map(Self::Address),
        }
    }
    /// As it was said; empty for nobody.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Address(address) => address.as_str(),
            Self::Nobody => "",
        }
    }
    /// Its address, where there is somebody.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Address(address) => Some(address),
            Self::Nobody => None,
        }
    }
}

/// Why a string is no address or domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address or a mail domain")]
pub struct AddressError;

impl Domain {
    /// Check and normalise: trimmed, lower case, without a trailing dot, `xn--` labels decoded (RFC 3492).
    pub fn new(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text);
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | ',' | ';' | '"');
        if text.len() > MAX_DOMAIN || text.contains(odd) {
            return Err(AddressError);
        }
        // Nearly all are of ASCII, where no label has another form.
        let lower = text.to_lowercase();
        if lower.is_ascii() && !lower.contains("xn--") {
            return if lower.split('.').any(str::is_empty) { Err(AddressError) } else { Ok(Self(lower)) };
        }
        // RFC 3490 §3.1: ideographic and full-width full stops part labels too.
        let labels: Vec<String> = text.split(['.', '\u{3002}', '\u{FF0E}', '\u{FF61}']).map(unicode_label).collect();
        if labels.iter().any(String::is_empty) {
            return Err(AddressError);
        }
        Ok(Self(labels.join(".")))
    }
    /// In lower case, `xn--` labels decoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// In ASCII, as names are looked up: labels that are not ASCII as `xn--` labels. `None` where one has no such form.
    pub fn ascii(&self) -> Option<String> {
        self.0.split('.').map(ascii_label).collect::<Option<Vec<_>>>().map(|labels| labels.join("."))
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}

impl Address {
    /// Split at the last `@`: a quoted local part may hold others. Angle brackets round it go; the case of the local part
    /// is kept. A local part may be quoted (RFC 5321 §4.1.2); one that is not holds no white space and no other `@`.
    pub fn new(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text).trim();
        let at = text.rfind('@').ok_or(AddressError)?;
        let local = text.get(..at).unwrap_or_default();
        let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
        let odd = |c: char| c.is_whitespace() || matches!(c, '@' | '<' | '>' | '"');
        if local.is_empty()
            || text.len() > MAX_ADDRESS
            || text.contains(char::is_control)
            || (!quoted && local.contains(odd))
        {
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
    /// For comparing as people do: all lower case, the domain in its Unicode form. Mail systems may tell the case of local
    /// parts apart (RFC 5321 §2.4); hardly any does.
    pub fn folded(&self) -> String {
        let mut folded = self.local().to_lowercase();
        folded.push('@');
        folded.push_str(self.domain.as_str());
        folded
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.local() == other.local() && self.domain == other.domain
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.local().hash(state);
        self.domain.hash(state);
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        Domain::new(text).unwrap()
    }

    fn address(text: &str) -> Address {
        Address::new(text).unwrap()
    }

    #[test]
    fn domains_are_the_same_in_any_case_and_spelling() {
        assert_eq!(domain("Example.COM"), domain("example.com."));
        assert_eq!(domain(" bücher.example "), domain("xn--bcher-kva.example"));
        assert_eq!(domain("BÜCHER.example"), domain("XN--BCHER-KVA.Example"));
        assert_eq!(domain("例え。テスト"), domain("xn--r8jz45g.xn--zckzah"));
        assert_eq!(domain("xn--r8jz45g.xn--zckzah").as_str(), "例え.テスト");
        assert_eq!(domain("Mail.BÜCHER.example").ascii().as_deref(), Some("mail.xn--bcher-kva.example"));
        assert_eq!(domain("xn--r8jz45g.xn--zckzah").ascii().as_deref(), Some("xn--r8jz45g.xn--zckzah"));
        assert_ne!(domain("example.com"), domain("mail.example.com"));
        assert_ne!(domain("bucher.example"), domain("bücher.example"));
    }

    #[test]
    fn no_domains() {
        for text in ["", ".", "..", "a..b", ".example", "exa mple.com", "a@b", "<example.com>", "a,b", "x\r\ny"] {
            assert_eq!(Domain::new(text), Err(AddressError), "{text:?}");
        }
        assert_eq!(Domain::new(&format!("{}.example", "a".repeat(250))), Err(AddressError));
    }

    #[test]
    fn addresses_split_at_the_last_at() {
        for (text, local, domain) in [
            ("ann@example.com", "ann", "example.com"),
            ("<ann@example.com>", "ann", "example.com"),
            (" Ann.Lee+news@Example.COM ", "Ann.Lee+news", "example.com"),
            ("\"a@b\"@example.com", "\"a@b\"", "example.com"),
            ("\"a b\"@example.com", "\"a b\"", "example.com"),
            ("jürgen@xn--bcher-kva.example", "jürgen", "bücher.example"),
            ("ann@[192.0.2.1]", "ann", "[192.0.2.1]"),
        ] {
            let address = address(text);
            assert_eq!((address.local(), address.domain().as_str()), (local, domain), "{text:?}");
        }
    }

    #[test]
    fn no_addresses() {
        for text in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "a@b@example.com",
            "ann lee@example.com",
            "ann\r\n@example.com",
            "<@>",
            "<ann@example.com",
        ] {
            assert_eq!(Address::new(text), Err(AddressError), "{text:?}");
        }
    }

    #[test]
    fn an_address_keeps_its_text_and_compares_its_parts() {
        assert_eq!(address("Ann@Example.com").as_str(), "Ann@Example.com");
        assert_eq!(address("ann@xn--bcher-kva.example"), address("ann@BÜCHER.example"));
        assert_ne!(address("Ann@example.com"), address("ann@example.com"));
        assert_ne!(address("ann+x@example.com"), address("ann@example.com"));
        assert_eq!(address("Ann+X@xn--bcher-kva.example").folded(), "ann+x@bücher.example");
    }

    #[test]
    fn an_address_is_never_shown_by_debug() {
        assert_eq!(format!("{:?}", address("ann@example.com")), "Address(…)");
    }
}
