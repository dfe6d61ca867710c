//! How each condition of a rule turned out, and what of that decided whether the rule applied.

use super::run::fence;
use crate::answers::Whom;
use crate::rule::entry::{Entry, Says};
use crate::rule::piece::Piece;
use crate::rule::truth::Truth;
use crate::rule::truths::Truths;
use crate::rule::{Rule, Scene};

/// How one condition of a rule turned out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// Which of the tables of `unless` it stands in, from 0; `None` in `when`.
    pub exception: Option<usize>,
    /// Its key.
    pub key: &'static str,
    /// Did it hold?
    pub holds: bool,
    /// What of the message it looked at. This is content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Of `any`, `all` and `not`: each table in it, with its conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<Vec<Checked>>,
    /// For whom it held.
    #[serde(skip)]
    truths: Truths,
    #[serde(skip)]
    sort: Sort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Condition,
    Any,
    All,
    Not,
}

impl Checked {
    /// Look at every condition of a rule.
    pub(super) fn all(rule: &Rule, scene: &Scene<'_, '_>) -> Vec<Self> {
        let exceptions = rule.unless.iter().enumerate().map(|(index, table)| (Some(index), table));
        let tables = std::iter::once((None, &rule.when)).chain(exceptions);
        let all = tables.flat_map(|(exception, table)| table.iter().map(move |entry| (exception, entry)));
        all.map(|(exception, entry)| Self::of(entry, exception, scene)).collect()
    }

    fn of(entry: &Entry, exception: Option<usize>, scene: &Scene<'_, '_>) -> Self {
        let table = |table: &Vec<Entry>| table.iter().map(|entry| Self::of(entry, exception, scene)).collect();
        let below: Vec<Vec<Self>> = entry.tables().iter().map(|entries| table(entries)).collect();
        let sort = match entry.says {
            Says::Condition(_) => Sort::Condition,
            Says::Any(_) => Sort::Any,
            Says::All(_) => Sort::All,
            Says::Not(_) => Sort::Not,
        };
        let unknown = || Truths::ForAll(Truth::Unknown("it panicked"));
        let mut checked = Self {
            exception,
            key: entry.key(),
            holds: false,
            seen: fence(|| entry.seen(scene)).unwrap_or_default(),
            below,
            truths: Truths::ForAll(Truth::Fails),
            sort,
        };
        checked.truths = match sort {
            Sort::Condition => fence(|| entry.truths(scene)).unwrap_or_else(|_| unknown()),
            _ => checked.without(None),
        };
        checked.holds = checked.truths.for_any().is_sure();
        checked
    }

    /// For whom it would hold without what stands at a path below it.
    fn without(&self, path: Option<&[usize]>) -> Truths {
        let mut tables = self.below.iter().enumerate().filter_map(|(index, table)| match path {
            Some([at]) if *at == index => None,
            Some([at, rest @ ..]) if *at == index => Some(table_without(table.iter(), Some(rest))),
            _ => Some(table_without(table.iter(), None)),
        });
        match self.sort {
            Sort::Condition => self.truths.clone(),
            Sort::Any => tables.fold(Truths::ForAll(Truth::Fails), Truths::or),
            Sort::All => tables.fold(Truths::ForAll(Truth::Holds), Truths::and),
            Sort::Not => tables.next().unwrap_or(Truths::ForAll(Truth::Holds)).negated(),
        }
    }
}

/// For whom the entries of a table hold, without what stands at a path below it.
fn table_without<'c>(table: impl Iterator<Item = &'c Checked>, path: Option<&[usize]>) -> Truths {
    let entries = table.enumerate().filter_map(|(index, entry)| match path {
        Some([at]) if *at == index => None,
        Some([at, rest @ ..]) if *at == index => Some(entry.without(Some(rest))),
        _ => Some(entry.truths.clone()),
    });
    entries.fold(Truths::ForAll(Truth::Holds), Truths::and)
}

/// For whom a rule applies, by how its conditions turned out; `None` where that is not known.
fn whom(checked: &[Checked], piece: Option<&Piece>) -> Option<Whom> {
    let of = |exception| checked.iter().filter(move |checked| checked.exception == exception);
    let path = |exception| piece.filter(|piece| piece.exception == exception).map(|piece| piece.path.as_slice());
    let mut truths = table_without(of(None), path(None));
    let exceptions = checked.iter().filter_map(|checked| checked.exception).max().map_or(0, |last| last + 1);
    for index in 0..exceptions {
        let left_out = path(Some(index));
        if left_out != Some(&[]) {
            truths = truths.and(table_without(of(Some(index)), left_out).negated());
        }
    }
    truths.whom().ok()
}

/// Would a rule apply to others than it did, without a piece of it? Conditions alone count, as they turned out.
pub fn decides(checked: &[Checked], piece: &Piece) -> bool {
    if checked.is_empty() {
        return false;
    }
    let plain = |whom: Whom| match whom {
        whom if whom.is_nobody() => Whom::Nobody,
        Whom::Some(named) if !named.contains(&false) => Whom::Everybody,
        whom => whom,
    };
    whom(checked, None).map(plain) != whom(checked, Some(piece)).map(plain)
}
