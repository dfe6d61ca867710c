//! What each entry of a table of conditions claims of a message, and what one claim says of another.
//!
//! Invariant: an answer of yes is true of every message, recipient and moment; what is not known is no. A key or an option
//! that is not known here makes a claim that is compared by its text alone, so that a new one can be missed and never
//! misread.
//!
//! A condition holds, fails, or nobody can tell ([`Truth`](crate::rule::truth::Truth)). That a claim implies another means
//! that it is nowhere truer; that it excludes another, that it is nowhere truer than the other's opposite.

mod addresses;
mod attachments;
mod fields;
mod people;
mod ranges;
mod texts;
mod times;

use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::envelope::Direction;
use crate::rule::section::{Holds, Section, Span};
use crate::rule::toml_value::same;

use addresses::Patterns;
use attachments::Attachments;
use fields::Field;
use people::Person;
use ranges::Range;
use texts::Text;
use times::{Dates, Week};

/// So many pairs of entries of two lists are compared; of longer lists nothing is known.
const MAX_COMPARED: usize = 10_000;

/// What one entry says.
#[derive(Debug)]
pub struct Claim<'p> {
    /// Where it stands.
    pub span: Span,
    /// Its key; of `recipients` also what of it.
    pub key: &'static str,
    /// The rule that it stands in, by its place in the rule set.
    pub rule: usize,
    /// Words for it.
    pub word: Option<&'p str>,
    says: Says<'p>,
    /// The whole value, where the claim is all of it.
    written: Option<&'p DeValue<'p>>,
}

/// Whose recipients are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Any,
    All,
    Each,
}

#[derive(Debug)]
enum Says<'p> {
    Direction(Direction),
    Size(Range),
    Dates(Dates),
    Week(Week),
    /// `kind`.
    Kinds(Vec<String>),
    /// `uninspectable`.
    Hidden(Vec<String>),
    /// `authentication` or `verdict`: the words that each method or scan may have.
    Found(BTreeMap<&'static str, Vec<String>>),
    Subject(Text<'p>),
    Body(Text<'p>),
    Field(Field<'p>),
    Sender(Person<'p>),
    Recipients(Of, Person<'p>),
    Count(Range),
    Address {
        fields: Vec<String>,
        is: Option<Patterns>,
        name: Option<Text<'p>>,
    },
    Attachments(Attachments),
    /// Nothing that is known here.
    Other,
}

/// What a claim looks at, that rules may change.
#[derive(Debug, PartialEq, Eq)]
pub enum LooksAt<'c> {
    /// What the flow says, what came in, the time: no rule changes it.
    Given,
    /// Fields of this name, in lower case; it may end in `*`.
    Field(&'c str),
    /// Any field.
    Header,
    /// Bodies and attachments.
    Parts,
    /// All of it.
    Message,
}

impl<'p> Claim<'p> {
    /// What the entry `key` of a table claims, in parts that must all hold.
    pub fn read(table: &Section<'p>, key: &'static str, rule: usize) -> Vec<Self> {
        let one = |says: Option<Says<'p>>, word: Option<&'p str>| Self {
            span: table.span_of(key),
            key,
            rule,
            word,
            says: says.unwrap_or(Says::Other),
            written: table.value(key),
        };
        let mut section = table.clone();
        match key {
            "header" => {
                let tables = section.sections(key).unwrap_or_default();
                let fields: Option<Vec<Field<'p>>> = tables.into_iter().map(Field::read).collect();
                let fields = fields.filter(|fields| !fields.is_empty());
                fields.map_or_else(
                    || vec![one(None, None)],
                    |fields| {
                        let of = |field| Self { written: None, ..one(Some(Says::Field(field)), None) };
                        fields.into_iter().map(of).collect()
                    },
                )
            }
            "recipients" => recipients(table, rule).unwrap_or_else(|| vec![one(None, None)]),
            _ => vec![one(read_one(&mut section, key), table.peek(key))],
        }
    }

    /// That a rule is in force.
    pub fn active(rule_table: &Section<'p>, rule: usize) -> Option<Self> {
        (rule_table.holds("active") != Holds::Nothing).then(|| Self {
            span: rule_table.span_of("active"),
            key: "active",
            rule,
            word: None,
            says: Dates::read(&mut rule_table.clone(), "active").map_or(Says::Other, Says::Dates),
            written: rule_table.value("active"),
        })
    }

    /// That a message is one that no bounce answers, as a rule finds it.
    pub fn automatic(of: &Section<'p>, rule: usize) -> Self {
        let says = Says::Kinds(vec!["automatic".to_owned()]);
        Self { span: of.span(), key: "kind", rule, word: None, says, written: None }
    }

    /// May nobody be able to tell? What is asked of a directory, which may not answer.
    pub fn may_be_unknown(&self) -> bool {
        matches!(self.says, Says::Sender(_) | Says::Recipients(..) | Says::Address { .. } | Says::Other)
    }

    /// What it looks at.
    pub fn looks_at(&self) -> LooksAt<'_> {
        match &self.says {
            Says::Direction(_)
            | Says::Size(_)
            | Says::Dates(_)
            | Says::Week(_)
            | Says::Found(_)
            | Says::Recipients(..)
            | Says::Count(_) => LooksAt::Given,
            Says::Sender(person) if person.by.iter().all(|by| by == "flow" || by == "Return-Path") => LooksAt::Given,
            Says::Sender(_) | Says::Address { .. } => LooksAt::Header,
            Says::Subject(_) => LooksAt::Field("subject"),
            Says::Field(field) => LooksAt::Field(&field.name),
            Says::Body(_) | Says::Attachments(_) => LooksAt::Parts,
            Says::Kinds(_) | Says::Hidden(_) | Says::Other => LooksAt::Message,
        }
    }

    /// Does the other hold wherever this one does, and fail only where it fails?
    pub fn implies(&self, other: &Self) -> bool {
        let same_text = self.written.zip(other.written).is_some_and(|(one, two)| same(one, two));
        if self.key == other.key && same_text {
            return true;
        }
        match (&self.says, &other.says) {
            (Says::Direction(one), Says::Direction(other)) => one == other,
            (Says::Found(_), Says::Direction(way)) => *way == Direction::Inbound,
            (Says::Size(one), Says::Size(other)) | (Says::Count(one), Says::Count(other)) => one.is_within(*other),
            (Says::Dates(one), Says::Dates(other)) => one.imply(other),
            (Says::Week(one), Says::Week(other)) => one.implies(other),
            (Says::Kinds(one), Says::Kinds(other)) => each_in_some(one, other, |one, other| is_sort_of(one, other)),
            (Says::Sender(person), Says::Kinds(kinds)) => {
                person.is_nobody() && kinds.iter().any(|kind| kind == "automatic")
            }
            (Says::Field(field), Says::Kinds(kinds)) => field.is_of_reply() && kinds.iter().any(|kind| kind == "reply"),
            (Says::Hidden(one), Says::Hidden(other)) => each_in_some(one, other, |one, other| one == other),
            (Says::Found(one), Says::Found(wanted)) if self.key == other.key => {
                let within = |(what, words): (&&str, &Vec<String>)| {
                    one.get(*what).is_some_and(|has| each_in_some(has, words, |one, other| one == other))
                };
                wanted.iter().all(within)
            }
            (Says::Subject(one), Says::Subject(other)) | (Says::Body(one), Says::Body(other)) => one.implies(other),
            (Says::Field(one), Says::Field(other)) => one.implies(other),
            (Says::Sender(one), Says::Sender(other)) => one.implies(other),
            (Says::Recipients(of, one), Says::Recipients(wanted, other)) => {
                let reaches = match (of, wanted) {
                    (one, other) if one == other => true,
                    (Of::Each, Of::Any) => true,
                    // A group without members passes what all of its members pass, and not what one of them does.
                    (Of::All, _) => other.is_by_address_alone(),
                    _ => false,
                };
                reaches && one.implies(other)
            }
            (Says::Address { fields, is, name }, Says::Address { fields: places, is: who, name: called }) => {
                let is = |wanted: &Patterns| is.as_ref().is_some_and(|is| is.imply(wanted));
                let name = |wanted: &Text<'_>| name.as_ref().is_some_and(|name| name.implies(wanted));
                fields.iter().all(|field| places.contains(field))
                    && who.as_ref().is_none_or(is)
                    && called.as_ref().is_none_or(name)
            }
            (Says::Attachments(one), Says::Attachments(other)) => one.implies(other),
            _ => false,
        }
    }

    /// Do the two never hold at once?
    pub fn excludes(&self, other: &Self) -> bool {
        self.rules_out(other) || other.rules_out(self)
    }

    fn rules_out(&self, other: &Self) -> bool {
        match (&self.says, &other.says) {
            (Says::Direction(one), Says::Direction(other)) => one != other,
            (Says::Found(_), Says::Direction(way)) => *way == Direction::Outbound,
            (Says::Size(one), Says::Size(other)) | (Says::Count(one), Says::Count(other)) => one.is_apart(*other),
            (Says::Dates(one), Says::Dates(other)) => one.exclude(other),
            (Says::Week(one), Says::Week(other)) => one.excludes(other),
            (Says::Kinds(one), Says::Kinds(other)) => {
                one.iter().all(|one| one == "new") && other.iter().all(|kind| kind == "reply" || kind == "forward")
            }
            (Says::Kinds(kinds), Says::Field(field)) => kinds.iter().all(|kind| kind == "new") && field.is_of_reply(),
            (Says::Found(one), Says::Found(words)) if self.key == other.key => words
                .iter()
                .any(|(what, words)| one.get(what).is_some_and(|has| has.iter().all(|word| !words.contains(word)))),
            (Says::Field(one), Says::Field(other)) => one.excludes(other),
            (Says::Sender(one), Says::Sender(other)) => one.excludes_alone(other),
            (Says::Recipients(Of::All, one), Says::Recipients(_, other))
            | (Says::Recipients(Of::Each, one), Says::Recipients(Of::Each, other)) => one.excludes(other),
            (Says::Attachments(one), Says::Attachments(other)) => one.excludes(other),
            _ => false,
        }
    }

    /// Does one of the two hold wherever the other fails?
    pub fn exhausts(&self, other: &Self) -> bool {
        match (&self.says, &other.says) {
            (Says::Direction(one), Says::Direction(other)) => one != other,
            (Says::Size(one), Says::Size(other)) => one.exhausts(*other),
            (Says::Field(one), Says::Field(other)) => one.exhausts(other),
            _ => false,
        }
    }
}

/// What one entry says; `None` where it is not known here.
fn read_one<'p>(section: &mut Section<'p>, key: &'static str) -> Option<Says<'p>> {
    Some(match key {
        "direction" => {
            let ways = [Direction::Inbound, Direction::Outbound].map(|way| (way.as_str(), way));
            Says::Direction(section.choice(key, &ways)?.value)
        }
        "size" => Says::Size(Range::of_size(section.section(key)?)?),
        "date" => Says::Dates(Dates::read(section, key)?),
        "schedule" => Says::Week(Week::read(section, key)?),
        "kind" => Says::Kinds(words(section, key)?),
        "uninspectable" if section.holds(key) != Holds::Other => Says::Hidden(words(section, key)?),
        "authentication" => Says::Found(found(section.section(key)?, &["spf", "dkim", "dmarc"])?),
        "verdict" => Says::Found(found(section.section(key)?, &["spam", "virus"])?),
        "subject" => Says::Subject(Text::read(section, key)?),
        "body" => Says::Body(Text::read(section, key)?),
        "sender" => Says::Sender(Person::read(section, key)?),
        "address" => address(section.section(key)?)?,
        "attachment" => Says::Attachments(Attachments::read(section, key)?),
        _ => return None,
    })
}

fn words(section: &mut Section<'_>, key: &'static str) -> Option<Vec<String>> {
    Some(section.strings(key)?.into_iter().map(|at| at.value).collect())
}

fn found(mut table: Section<'_>, known: &[&'static str]) -> Option<BTreeMap<&'static str, Vec<String>>> {
    table.keys().iter().all(|key| known.contains(&key.value.as_str())).then_some(())?;
    let given: Vec<&'static str> = known.iter().copied().filter(|key| table.holds(key) != Holds::Nothing).collect();
    given.into_iter().map(|key| Some((key, words(&mut table, key)?))).collect()
}

fn address(mut table: Section<'_>) -> Option<Says<'_>> {
    let known = ["field", "is", "name"];
    table.keys().iter().all(|key| known.contains(&key.value.as_str())).then_some(())?;
    let given = |table: &Section<'_>, key: &str| table.holds(key) != Holds::Nothing;
    let fields = texts::list(&mut table, "field", str::to_owned).ok()?.unwrap_or_else(|| vec!["From".to_owned()]);
    let is = if given(&table, "is") { Some(Patterns::read(&mut table, "is")?) } else { None };
    let name = if given(&table, "name") { Some(Text::read(&mut table, "name")?) } else { None };
    Some(Says::Address { fields, is, name })
}

/// Each key of `recipients` is a claim of its own; `None` where one is not known here.
fn recipients<'p>(table: &Section<'p>, rule: usize) -> Option<Vec<Claim<'p>>> {
    let below = table.clone().section("recipients")?;
    let claim = |below: &Section<'p>, key: &'static str, says| Claim {
        span: below.span_of(key),
        key: if key == "count" { "recipients.count" } else { "recipients" },
        rule,
        word: below.peek(key),
        says,
        written: None,
    };
    let mut claims = Vec::new();
    for key in below.keys() {
        claims.push(match key.value.as_str() {
            "any" => claim(&below, "any", Says::Recipients(Of::Any, Person::read(&mut below.clone(), "any")?)),
            "all" => claim(&below, "all", Says::Recipients(Of::All, Person::read(&mut below.clone(), "all")?)),
            "each" => claim(&below, "each", Says::Recipients(Of::Each, Person::read(&mut below.clone(), "each")?)),
            "count" => claim(&below, "count", Says::Count(Range::of_count(below.clone().section("count")?)?)),
            _ => return None,
        });
    }
    Some(claims)
}

/// Sorts of mail that are sorts of another.
fn is_sort_of(one: &str, other: &str) -> bool {
    one == other || other == "automatic" && ["auto-reply", "list", "voice-mail", "recall"].contains(&one)
}

/// Does each entry of one list go with some entry of the other? No, where they are too long to look.
fn each_in_some<T, U>(list: &[T], others: &[U], goes: impl Fn(&T, &U) -> bool) -> bool {
    list.len().saturating_mul(others.len()) <= MAX_COMPARED
        && list.iter().all(|one| others.iter().any(|other| goes(one, other)))
}
