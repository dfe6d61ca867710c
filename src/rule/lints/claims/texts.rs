//! What tests of a text say: `contains`, `words`, `matches`.
//!
//! A text that holds a piece holds every piece of that piece; of expressions only those that are the same are compared.

use toml::de::DeValue;

use crate::rule::conditions::text_match::{fold, occurs_as_word};
use crate::rule::section::{At, Holds, Section};
use crate::rule::toml_value::same;

use super::{MAX_COMPARED, each_in_some};

/// Tests of one text; of each list one holds, of several lists each.
#[derive(Debug, Default)]
pub struct Text<'p> {
    /// The whole value, folded.
    is: Option<Vec<String>>,
    contains: Option<Vec<String>>,
    words: Option<Vec<String>>,
    matches: Option<Vec<String>>,
    detects: Option<&'p DeValue<'p>>,
}

impl<'p> Text<'p> {
    /// A bare string, which is `contains`, or a table of tests; `None` for what is not known here.
    pub fn read(section: &mut Section<'p>, key: &'static str) -> Option<Self> {
        if section.holds(key) == Holds::String {
            let contains = Some(vec![fold(&section.string(key)?.value)]);
            return Some(Self { contains, ..Self::default() });
        }
        let mut table = section.section(key)?;
        let known = ["contains", "words", "matches"];
        table.keys().iter().all(|key| known.contains(&key.value.as_str())).then_some(())?;
        Self::of_table(&mut table)
    }

    /// The tests that stand in a table, beside other keys.
    pub fn of_table(table: &mut Section<'p>) -> Option<Self> {
        let detects = table.holds("contains") == Holds::Table;
        let detects = if detects { table.value("contains").filter(|value| !is_list(value)) } else { None };
        let contains = if detects.is_some() { None } else { list(table, "contains", fold).ok()? };
        Some(Self {
            is: None,
            contains,
            words: list(table, "words", fold).ok()?,
            matches: list(table, "matches", str::to_owned).ok()?,
            detects,
        })
    }

    /// The whole value is one of these too.
    pub fn with_values(self, is: Option<Vec<String>>) -> Self {
        Self { is, ..self }
    }

    /// A text of which nothing is tested.
    pub fn is_empty(&self) -> bool {
        self.is.is_none()
            && self.contains.is_none()
            && self.words.is_none()
            && self.matches.is_none()
            && self.detects.is_none()
    }

    /// Does every text that passes these tests pass the others?
    pub fn implies(&self, other: &Self) -> bool {
        let values =
            |wanted: &[String]| one(self.is.as_ref(), |is| each_in_some(is, wanted, |is, wanted| is == wanted));
        let contains = |wanted: &[String]| {
            let holds = |has: &[String]| each_in_some(has, wanted, |has, wanted| has.contains(wanted.as_str()));
            [&self.is, &self.contains, &self.words].into_iter().any(|list| one(list.as_ref(), holds))
        };
        let words = |wanted: &[String]| {
            let holds = |has: &[String]| each_in_some(has, wanted, |has, wanted| occurs_as_word(wanted, has));
            [&self.is, &self.words].into_iter().any(|list| one(list.as_ref(), holds))
        };
        let matches =
            |wanted: &[String]| one(self.matches.as_ref(), |has| each_in_some(has, wanted, |has, want| has == want));
        other.is.as_deref().is_none_or(values)
            && other.contains.as_deref().is_none_or(contains)
            && other.words.as_deref().is_none_or(words)
            && other.matches.as_deref().is_none_or(matches)
            && other.detects.is_none_or(|wanted| self.detects.is_some_and(|has| same(has, wanted)))
    }

    /// Is there no text that passes both, as each must be one of some values?
    pub fn excludes(&self, other: &Self) -> bool {
        let apart = |one: &[String], other: &[String]| {
            one.len().saturating_mul(other.len()) <= MAX_COMPARED && !one.iter().any(|value| other.contains(value))
        };
        self.is.as_deref().zip(other.is.as_deref()).is_some_and(|(one, other)| apart(one, other))
    }
}

fn one(list: Option<&Vec<String>>, holds: impl Fn(&[String]) -> bool) -> bool {
    list.is_some_and(|list| holds(list))
}

/// `{ file = "…" }`.
fn is_list(value: &DeValue<'_>) -> bool {
    matches!(value, DeValue::Table(table) if table.contains_key("file"))
}

/// A list that is there and could not be read.
#[derive(Debug)]
pub struct NotRead;

/// A list that may not be there.
pub fn list(
    table: &mut Section<'_>,
    key: &'static str,
    of: fn(&str) -> String,
) -> Result<Option<Vec<String>>, NotRead> {
    if table.holds(key) == Holds::Nothing {
        return Ok(None);
    }
    let list: Vec<At<String>> = table.strings(key).ok_or(NotRead)?;
    Ok(Some(list.iter().map(|at| of(&at.value)).collect()))
}
