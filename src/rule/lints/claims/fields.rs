//! What `header` says of one field.

use crate::message::FieldNames;
use crate::rule::conditions::text_match::fold;
use crate::rule::section::{Holds, Section};

use super::ranges::Range;
use super::texts::{Text, list};

/// A test of the fields of one name.
#[derive(Debug)]
pub struct Field<'p> {
    /// In lower case; with its `*`, where it has one.
    pub name: String,
    exists: bool,
    text: Text<'p>,
    which: Which,
    raw: bool,
    encoded: Option<bool>,
    count: Option<Range>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Any,
    All,
    First,
    Last,
}

const WHICH: &[(&str, Which)] =
    &[("any", Which::Any), ("all", Which::All), ("first", Which::First), ("last", Which::Last)];
const KNOWN: &[&str] = &["name", "exists", "is", "contains", "words", "matches", "which", "form", "encoded", "count"];

impl<'p> Field<'p> {
    /// Read one table; `None` for what is not known here.
    pub fn read(mut table: Section<'p>) -> Option<Self> {
        table.keys().iter().all(|key| KNOWN.contains(&key.value.as_str())).then_some(())?;
        let name = table.string("name")?.value;
        let name = match FieldNames::new(&name).ok()? {
            FieldNames::One(name) => name.as_str().to_lowercase(),
            FieldNames::BeginWith(start) => format!("{}*", start.as_str().to_lowercase()),
        };
        let count =
            if table.holds("count") == Holds::Nothing { None } else { Some(Range::of_count(table.section("count")?)?) };
        let is = list(&mut table, "is", fold).ok()?;
        Some(Self {
            name,
            exists: table.boolean("exists").is_none_or(|at| at.value),
            text: Text::of_table(&mut table)?.with_values(is),
            which: table.choice("which", WHICH).map_or(Which::Any, |at| at.value),
            raw: table.choice("form", &[("decoded", false), ("raw", true)]).is_some_and(|at| at.value),
            encoded: table.boolean("encoded").map(|at| at.value),
            count,
        })
    }

    /// Holds only where there is such a field.
    fn needs_one(&self) -> bool {
        self.exists && self.count.is_none_or(|count| count.least > 0)
    }

    /// Holds only for a reply, as `kind` takes it.
    pub fn is_of_reply(&self) -> bool {
        self.needs_one() && matches!(self.name.as_str(), "in-reply-to" | "references")
    }

    /// Tests no more than that there is one.
    fn asks_presence(&self) -> bool {
        self.text.is_empty() && self.encoded.is_none() && self.count.is_none()
    }

    /// Does the other hold wherever this one does?
    pub fn implies(&self, other: &Self) -> bool {
        if self.name != other.name {
            return false;
        }
        if !other.exists {
            return !self.exists;
        }
        if other.asks_presence() {
            return self.needs_one();
        }
        let count = match (other.count, self.count) {
            (None, _) => self.needs_one(),
            (Some(wanted), Some(count)) => count.is_within(wanted),
            (Some(wanted), None) => self.exists && wanted.least <= 1 && wanted.most == u64::MAX,
        };
        let which = match (self.which, other.which) {
            (one, other) if one == other => true,
            (Which::All, _) | (Which::First | Which::Last, Which::Any) => true,
            _ => false,
        };
        self.exists
            && count
            && which
            // What there is none of passes no test of its value, and any of its number.
            && (self.needs_one() || self.text.is_empty() == other.text.is_empty())
            && (self.raw == other.raw || other.text.is_empty())
            && (other.encoded.is_none() || self.encoded == other.encoded)
            && self.text.implies(&other.text)
    }

    /// Do the two never hold at once?
    pub fn excludes(&self, other: &Self) -> bool {
        if self.name != other.name {
            return false;
        }
        if self.exists != other.exists {
            return if self.exists { self.needs_one() } else { other.needs_one() };
        }
        if !self.exists {
            return false;
        }
        let counts = self.count.zip(other.count).is_some_and(|(one, other)| one.is_apart(other));
        let same_value = matches!(
            (self.which, other.which),
            (Which::First, Which::First) | (Which::Last, Which::Last) | (Which::All, _) | (_, Which::All)
        );
        let values = same_value && self.needs_one() && other.needs_one() && self.raw == other.raw;
        let encoded = self.encoded.zip(other.encoded).is_some_and(|(one, other)| one != other);
        counts || values && (encoded || self.text.excludes(&other.text))
    }

    /// Does one of the two always hold?
    pub fn exhausts(&self, other: &Self) -> bool {
        let (there, gone) = if self.exists { (self, other) } else { (other, self) };
        self.name == other.name && there.exists && !gone.exists && there.asks_presence()
    }
}
