//! What patterns of addresses say: a domain is within a glob that matches it, an address within its domain.
//!
//! Who is internal is not known while rules are read: `internal` and `external` exclude each other, and nothing else is
//! within them.

use regex::Regex;

use crate::envelope::Domain;
use crate::rule::conditions::address_match::{Pattern, glob};
use crate::rule::section::Section;

use super::{MAX_COMPARED, each_in_some};

/// Patterns of which one must match.
#[derive(Debug)]
pub struct Patterns(Vec<Pattern>);

impl Patterns {
    /// Read the patterns of a key; `None` where they are not all known.
    pub fn read(section: &mut Section<'_>, key: &'static str) -> Option<Self> {
        let patterns = section.strings(key)?;
        patterns.iter().map(|at| Pattern::read(&at.value).ok().map(plain)).collect::<Option<_>>().map(Self)
    }

    /// Only the null sender.
    pub fn are_nobody(&self) -> bool {
        self.0.iter().all(|pattern| *pattern == Pattern::Nobody)
    }

    /// Does whoever passes these pass the others?
    pub fn imply(&self, other: &Self) -> bool {
        each_in_some(&self.0, &other.0, within)
    }

    /// Is there nobody who passes both?
    pub fn exclude(&self, other: &Self) -> bool {
        let apart = |one: &Pattern| other.0.iter().all(|other| apart(one, other) || apart(other, one));
        self.0.len().saturating_mul(other.0.len()) <= MAX_COMPARED && self.0.iter().all(apart)
    }
}

/// `*@example.com` is the domain itself: a domain holds no `@`.
fn plain(pattern: Pattern) -> Pattern {
    let domain = match &pattern {
        Pattern::AddressGlob(whole) => whole.strip_prefix("*@").filter(|rest| !is_glob(rest)),
        _ => None,
    };
    let domain = domain.and_then(|domain| Domain::new(domain).ok().filter(|read| read.as_str() == domain));
    domain.map_or(pattern, Pattern::Domain)
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', ']', '{', '}', '\\', '!'])
}

fn matches(pattern: &str, text: &str) -> bool {
    glob(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(text))
}

/// The end that a glob demands and all that it demands: `*.example.com`.
fn ending(glob: &str) -> Option<&str> {
    glob.strip_prefix('*').filter(|rest| !is_glob(rest))
}

fn found(expression: &str, text: &str) -> bool {
    Regex::new(expression).is_ok_and(|expression| expression.is_match(text))
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Does whoever matches the one match the other?
fn within(one: &Pattern, other: &Pattern) -> bool {
    if one == other {
        return true;
    }
    match (one, other) {
        (Pattern::Nobody, _) => false,
        (_, Pattern::DomainGlob(any)) if any == "*" => true,
        (_, Pattern::AddressGlob(any)) if any == "*@*" => true,
        (Pattern::Address(address), Pattern::Domain(domain)) => domain_of(address) == domain.as_str(),
        (Pattern::Address(address), Pattern::DomainGlob(glob)) => matches(glob, domain_of(address)),
        (Pattern::Address(address), Pattern::AddressGlob(glob)) => matches(glob, address),
        (Pattern::Address(address), Pattern::Expression(expression)) => found(expression, address),
        (Pattern::Domain(domain), Pattern::DomainGlob(glob)) => matches(glob, domain.as_str()),
        (Pattern::Domain(domain), Pattern::AddressGlob(whole)) => {
            whole.strip_prefix("*@").is_some_and(|glob| matches(glob, domain.as_str()))
        }
        (Pattern::DomainGlob(one), Pattern::DomainGlob(other)) => {
            ending(one).zip(ending(other)).is_some_and(|(one, other)| one.ends_with(other))
        }
        _ => false,
    }
}

/// Is there nobody who matches both? In one of the two orders.
fn apart(one: &Pattern, other: &Pattern) -> bool {
    match (one, other) {
        (Pattern::Nobody, other) => *other != Pattern::Nobody,
        (Pattern::Internal, Pattern::External) => true,
        (Pattern::Address(one), Pattern::Address(other)) => one != other,
        (Pattern::Address(address), Pattern::Domain(domain)) => domain_of(address) != domain.as_str(),
        (Pattern::Domain(one), Pattern::Domain(other)) => one != other,
        (Pattern::Address(address), Pattern::DomainGlob(glob)) => is_sound(glob) && !matches(glob, domain_of(address)),
        (Pattern::Address(address), Pattern::AddressGlob(glob)) => is_sound(glob) && !matches(glob, address),
        (Pattern::Domain(domain), Pattern::DomainGlob(glob)) => is_sound(glob) && !matches(glob, domain.as_str()),
        (Pattern::DomainGlob(one), Pattern::DomainGlob(other)) => {
            let ends = ending(one).zip(ending(other));
            ends.is_some_and(|(one, other)| !one.ends_with(other) && !other.ends_with(one))
        }
        _ => false,
    }
}

fn is_sound(pattern: &str) -> bool {
    glob(pattern).is_ok()
}
