//! Patterns for addresses: `internal`, `external`, an address, a domain, a glob, a regular expression.
//!
//! Upper and lower case are the same, also in local parts, and so are both spellings of an internationalised domain.

use std::collections::HashSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::directory::{Fact, Organization};
use crate::envelope::{Address, Domain};
use crate::rule::Takes;
use crate::rule::late::Late;
use crate::rule::pattern::PatternSet;
use crate::rule::problem::Code;
use crate::rule::section::{At, Section};
use crate::rule::truth::Truth;

use super::text_match::expressions;

/// What the reference says of a pattern.
pub const PATTERNS: Takes = Takes::WordsOr(
    &["internal", "external"],
    "address | domain | glob such as \"*.example.com\" or \"ann*@example.com\" | \"/regular expression/\"",
);

/// Compiled patterns; one must match.
#[derive(Debug, Default)]
pub struct AddressMatch {
    internal: bool,
    external: bool,
    nobody: bool,
    addresses: HashSet<String>,
    domains: HashSet<Domain>,
    address_globs: GlobSet,
    domain_globs: GlobSet,
    /// Of whole addresses.
    expressions: Option<PatternSet>,
}

/// One pattern as it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rule) enum Pattern {
    /// Whoever is of the organization.
    Internal,
    /// Whoever is not.
    External,
    /// The null sender.
    Nobody,
    /// An address, folded.
    Address(String),
    /// A domain itself, without those below it.
    Domain(Domain),
    /// A glob over folded addresses.
    AddressGlob(String),
    /// A glob over domains in their Unicode form.
    DomainGlob(String),
    /// A regular expression over folded addresses, with its `(?i)`.
    Expression(String),
}

impl Pattern {
    /// What a text in a rule file stands for. Globs and expressions are not compiled. The error says what is wrong.
    pub(in crate::rule) fn read(text: &str) -> Result<Self, String> {
        let written = text.trim();
        // No domain ends in a slash, so it is no address.
        let between = written.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        if let Some(text) = between.filter(|text| !text.is_empty()) {
            return Ok(Self::Expression(format!("(?i){text}")));
        }
        match (written, written.rsplit_once('@')) {
            ("internal", _) => Ok(Self::Internal),
            ("external", _) => Ok(Self::External),
            ("", _) => Ok(Self::Nobody),
            (_, Some((local, domain))) if written.contains(GLOB) => {
                Ok(Self::AddressGlob(format!("{}@{}", local.to_lowercase(), glob_domain(domain))))
            }
            (_, None) if written.contains(GLOB) => Ok(Self::DomainGlob(glob_domain(written))),
            (_, Some(_)) => match Address::new(written) {
                Ok(address) => Ok(Self::Address(address.folded())),
                Err(why) => Err(format!("\"{}\" is {why}", shown(written))),
            },
            (_, None) => match Domain::new(written).ok().filter(|domain| domain.as_str().contains('.')) {
                Some(domain) => Ok(Self::Domain(domain)),
                None => Err(format!("\"{}\" is neither an address nor a domain", shown(written))),
            },
        }
    }
}

/// What makes a glob of a pattern.
const GLOB: [char; 4] = ['*', '?', '[', '{'];

/// Take a glob in; the answer is what is wrong with it.
fn add_glob(whole: &str, into: &mut GlobSetBuilder) -> Option<(Code, String)> {
    match glob(whole) {
        Ok(glob) => {
            into.add(glob);
            None
        }
        Err(why) => Some((Code::Pattern, format!("this glob does not compile: {}", why.kind()))),
    }
}

/// A glob over addresses or domains; `*` also matches dots.
pub(in crate::rule) fn glob(pattern: &str) -> Result<globset::Glob, globset::Error> {
    GlobBuilder::new(pattern).case_insensitive(true).literal_separator(false).backslash_escape(false).build()
}

/// The domain of a glob, label by label in its Unicode form where it is no glob itself.
fn glob_domain(domain: &str) -> String {
    let labels = domain.split('.').map(|label| {
        let whole = !label.contains(['*', '?', '[', ']', '{', '}', ',']);
        let known = whole.then(|| Domain::new(label).ok()).flatten();
        known.map_or_else(|| label.to_lowercase(), |domain| domain.as_str().to_owned())
    });
    labels.collect::<Vec<_>>().join(".")
}

impl AddressMatch {
    /// Compile patterns, reporting each fault at its own. With `nobody`, an empty string stands for the null sender.
    pub fn compile(section: &mut Section<'_>, patterns: &[At<String>], nobody: bool) -> Option<Self> {
        let mut test = Self::default();
        let mut address_globs = GlobSetBuilder::new();
        let mut domain_globs = GlobSetBuilder::new();
        let mut sound = true;
        let mut regular: Vec<At<String>> = Vec::new();
        for pattern in patterns {
            let read = Pattern::read(&pattern.value);
            let fault = match read {
                Ok(Pattern::Expression(value)) => {
                    regular.push(At { value, span: pattern.span.clone() });
                    None
                }
                Ok(Pattern::Internal) => {
                    test.internal = true;
                    None
                }
                Ok(Pattern::External) => {
                    test.external = true;
                    None
                }
                Ok(Pattern::Nobody) => {
                    test.nobody = nobody;
                    (!nobody).then_some((Code::WrongValue, "an empty pattern matches nobody".to_owned()))
                }
                Ok(Pattern::AddressGlob(whole)) => add_glob(&whole, &mut address_globs),
                Ok(Pattern::DomainGlob(whole)) => add_glob(&whole, &mut domain_globs),
                Ok(Pattern::Address(folded)) => {
                    test.addresses.insert(folded);
                    None
                }
                Ok(Pattern::Domain(domain)) => {
                    test.domains.insert(domain);
                    None
                }
                Err(what) => Some((Code::WrongValue, what)),
            };
            if let Some((code, what)) = fault {
                sound = false;
                section.problem(
                    &pattern.span,
                    code,
                    what,
                    "write \"internal\", \"external\", an address, a domain such as \"example.com\", a glob such as \
                     \"*.example.com\" or \"*@example.com\", or a regular expression such as \"/^ann[0-9]+@/\"",
                );
            }
        }
        if !regular.is_empty() {
            test.expressions = expressions(section, &regular);
            sound &= test.expressions.is_some();
        }
        for (globs, into) in [(address_globs, &mut test.address_globs), (domain_globs, &mut test.domain_globs)] {
            match globs.build() {
                Ok(set) => *into = set,
                Err(why) => {
                    sound = false;
                    let span = patterns.first().map_or_else(|| section.span(), |pattern| pattern.span.clone());
                    section.problem(&span, Code::Pattern, format!("these globs are too many: {}", why.kind()), "");
                }
            }
        }
        sound.then_some(test)
    }

    /// True when it asks who is internal.
    pub fn needs_domains(&self) -> bool {
        self.internal || self.external
    }

    /// Does one of the patterns match? `None` is the null sender, which only the empty pattern matches.
    pub fn truth(&self, address: Option<&Address>, organization: Fact<&Organization>) -> Truth {
        let Some(address) = address else { return self.nobody.into() };
        let side = match organization {
            _ if !self.needs_domains() => Truth::Fails,
            Fact::Unknown(why) => Truth::Unknown(why),
            Fact::Known(organization) => {
                let internal = organization.is_internal(address.domain());
                Truth::from((internal && self.internal) || (!internal && self.external))
            }
        };
        match side {
            Truth::Holds => Truth::Holds,
            side => Truth::any([self.is_listed(address).into(), side]),
        }
    }

    /// Does a pattern match that is neither `internal` nor `external`?
    fn is_listed(&self, address: &Address) -> bool {
        let domain = address.domain();
        if self.domains.contains(domain) || self.domain_globs.is_match(domain.as_str()) {
            return true;
        }
        if self.addresses.is_empty() && self.address_globs.is_empty() && self.expressions.is_none() {
            return false;
        }
        let folded = address.folded();
        self.addresses.contains(&folded)
            || self.address_globs.is_match(&folded)
            || self
                .expressions
                .as_ref()
                .is_some_and(|expressions| expressions.is_match(&folded, Late::NEVER) == Ok(true))
    }
}

/// A pattern of a rule file for a problem: cut where it is long, without control characters.
fn shown(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::section::tests::read;

    fn compile(patterns: &str) -> (Option<AddressMatch>, String) {
        let (test, problems) = read(&format!("p = {patterns}"), |mut section| {
            let patterns = section.strings("p")?;
            AddressMatch::compile(&mut section, &patterns, true)
        });
        (test, problems.render(false))
    }

    #[track_caller]
    fn check(patterns: &str, holds: &[&str], not: &[&str]) {
        let (test, problems) = compile(patterns);
        let test = test.unwrap_or_else(|| panic!("{problems}"));
        let organization = Organization {
            domains: vec![Domain::new("example.com").unwrap(), Domain::new("bücher.example").unwrap()],
        };
        for address in holds {
            assert!(
                test.truth(Some(&Address::new(address).unwrap()), Fact::Known(&organization)).is_sure(),
                "{patterns}: {address}"
            );
        }
        for address in not {
            assert!(
                !test.truth(Some(&Address::new(address).unwrap()), Fact::Known(&organization)).is_sure(),
                "{patterns}: {address}"
            );
        }
    }

    #[test]
    fn internal_and_external() {
        let ours = ["ann@example.com", "Ann@EXAMPLE.com", "x@xn--bcher-kva.example"];
        let theirs = ["kim@customer.example", "x@mail.example.com"];
        check("\"internal\"", &ours, &theirs);
        check("\"external\"", &theirs, &ours);
    }

    #[test]
    fn addresses_and_domains() {
        check(
            "\"Ann@Example.com\"",
            &["ann@example.com", "ANN@EXAMPLE.COM"],
            &["ann+x@example.com", "ann@mail.example.com", "joann@example.com"],
        );
        check("\"example.com\"", &["ann@example.com"], &["ann@mail.example.com", "ann@notexample.com"]);
        check("\"bücher.example\"", &["a@xn--bcher-kva.example"], &["a@bucher.example"]);
        check("'\"a@b\"@example.com'", &["\"a@b\"@example.com"], &["b@example.com"]);
    }

    #[test]
    fn globs() {
        check("\"*.example.com\"", &["a@mail.example.com", "a@a.b.example.com"], &["a@example.com", "a@xexample.com"]);
        check("\"*@example.com\"", &["a@example.com", "A.B+c@Example.COM"], &["a@mail.example.com"]);
        check(
            "\"ann*@example.com\"",
            &["ann@example.com", "Anna@example.com", "ann+x@example.com"],
            &["joann@example.com"],
        );
        check("\"*@*.bücher.example\"", &["a@x.xn--bcher-kva.example"], &["a@xn--bcher-kva.example"]);
        check("\"*@xn--bcher-kva.example\"", &["a@bücher.example"], &["a@bucher.example"]);
        check("\"no-?eply@*\"", &["No-Reply@example.net"], &["noreply@example.net"]);
    }

    #[test]
    fn regular_expressions() {
        check("'/^no-?reply[0-9]*@/'", &["No-Reply7@example.net", "noreply@x.example"], &["xnoreply@example.net"]);
        check(
            "'/@(.+\\.)?bücher\\.example$/'",
            &["a@x.xn--bcher-kva.example", "a@BÜCHER.example"],
            &["a@bucher.example"],
        );
        check("['/^x@/', 'example.com']", &["x@a.example", "y@example.com"], &["y@a.example"]);
        let (compiled, text) = compile("['/(/', '//']");
        assert!(compiled.is_none());
        assert_eq!((text.matches("R005").count(), text.matches("R003").count()), (1, 1), "{text}");
    }

    #[test]
    fn one_of_several_is_enough() {
        check(
            "[\"internal\", \"kim@customer.example\", \"*.net\"]",
            &["ann@example.com", "kim@customer.example", "x@example.net"],
            &["lee@customer.example"],
        );
    }

    #[test]
    fn where_nobody_knows_who_is_internal_other_patterns_still_match() {
        let address = Address::new("ann@example.com").unwrap();
        let truth = |patterns| compile(patterns).0.unwrap().truth(Some(&address), Fact::Unknown("dark"));
        assert_eq!(truth("\"internal\""), Truth::Unknown("dark"));
        assert_eq!(truth("\"external\""), Truth::Unknown("dark"));
        assert_eq!(truth("[\"external\", \"example.com\"]"), Truth::Holds);
        assert_eq!(truth("\"example.net\""), Truth::Fails);
    }

    #[test]
    fn the_null_sender_matches_only_the_empty_pattern() {
        let organization = Organization::default();
        for (patterns, want) in [("\"\"", true), ("\"external\"", false), ("\"*\"", false), ("[\"*@*\", \"\"]", true)] {
            let truth = compile(patterns).0.unwrap().truth(None, Fact::Known(&organization));
            assert_eq!(truth.is_sure(), want, "{patterns}");
        }
    }

    #[test]
    fn each_fault_is_reported_at_its_pattern() {
        let (compiled, text) =
            compile("[\"extern\", \"@example.com\", \"a@b@c.example\", \"[a@example.com\", \"ok.example\"]");
        assert!(compiled.is_none());
        assert_eq!(text.matches("R003").count(), 3, "{text}");
        assert_eq!(text.matches("R005").count(), 1, "{text}");
    }
}
