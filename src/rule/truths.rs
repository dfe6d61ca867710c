//! Whether something holds for each recipient: for all alike, or for some and not for others.
//!
//! A condition on the message holds for all or for none; one on `each` recipient tells them apart. Each condition is looked
//! at once, however many recipients there are. Invariant: where it is told for each, nothing is told of those whom the flow
//! has not named.

use super::Scene;
use super::entry::Entry;
use super::truth::Truth;
use crate::answers::Whom;

/// Whether something holds for the recipients of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truths {
    /// For all alike, also those whom the flow has not named.
    ForAll(Truth),
    /// For each recipient of the envelope, in its order.
    ForEach(Vec<Truth>),
}

impl Truths {
    /// For whom both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::ForAll(Truth::Fails), _) | (_, Self::ForAll(Truth::Fails)) => Self::ForAll(Truth::Fails),
            (one, other) => one.with(other, |one, other| Truth::all([one, other])),
        }
    }
    /// For whom one of them holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::ForAll(Truth::Holds), _) | (_, Self::ForAll(Truth::Holds)) => Self::ForAll(Truth::Holds),
            (one, other) => one.with(other, |one, other| Truth::any([one, other])),
        }
    }
    /// For whom it does not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::ForAll(truth) => Self::ForAll(!truth),
            Self::ForEach(each) => Self::ForEach(each.into_iter().map(std::ops::Not::not).collect()),
        }
    }
    /// Whether there is a recipient for whom it holds.
    pub fn for_any(&self) -> Truth {
        match self {
            Self::ForAll(truth) => *truth,
            Self::ForEach(each) => Truth::any(each.iter().copied()),
        }
    }
    /// For whom it holds. The error says what nobody could tell, for one of them at least.
    pub fn whom(self) -> Result<Whom, &'static str> {
        match self {
            Self::ForAll(Truth::Unknown(why)) => Err(why),
            Self::ForAll(truth) => Ok(if truth.is_sure() { Whom::Everybody } else { Whom::Nobody }),
            Self::ForEach(each) => {
                let sure = |truth: Truth| match truth {
                    Truth::Unknown(why) => Err(why),
                    truth => Ok(truth.is_sure()),
                };
                each.into_iter().map(sure).collect::<Result<_, _>>().map(Whom::Some)
            }
        }
    }
    fn with(self, other: Self, of: impl Fn(Truth, Truth) -> Truth) -> Self {
        match (self, other) {
            (Self::ForAll(one), Self::ForAll(other)) => Self::ForAll(of(one, other)),
            (Self::ForAll(one), Self::ForEach(each)) => Self::ForEach(each.into_iter().map(|it| of(one, it)).collect()),
            (Self::ForEach(each), Self::ForAll(other)) => {
                Self::ForEach(each.into_iter().map(|it| of(it, other)).collect())
            }
            (Self::ForEach(one), Self::ForEach(other)) => {
                Self::ForEach(one.into_iter().zip(other).map(|(one, other)| of(one, other)).collect())
            }
        }
    }
}

/// For which recipients every entry of a table holds.
pub(crate) fn table_truths(table: &[Entry], scene: &Scene<'_, '_>) -> Truths {
    let mut truths = Truths::ForAll(Truth::Holds);
    for condition in table {
        if truths.for_any() == Truth::Fails {
            return Truths::ForAll(Truth::Fails);
        }
        truths = truths.and(condition.truths(scene));
    }
    truths
}

/// True where an entry may hold for some recipients and not for others.
pub(crate) fn asks_each(table: &[Entry]) -> bool {
    table.iter().any(Entry::asks_each)
}

#[cfg(test)]
mod tests {
    use super::Truth::{Fails, Holds, Unknown};
    use super::*;

    const DARK: Truth = Unknown("dark");

    fn each(truths: &[Truth]) -> Truths {
        Truths::ForEach(truths.to_vec())
    }

    #[test]
    fn for_each_by_itself() {
        assert_eq!(each(&[Holds, Holds, Fails]).and(each(&[Fails, Holds, DARK])), each(&[Fails, Holds, Fails]));
        assert_eq!(each(&[Holds, Fails, Fails]).or(each(&[DARK, Holds, DARK])), each(&[Holds, Holds, DARK]));
        assert_eq!(each(&[Holds, Fails, DARK]).negated(), each(&[Fails, Holds, DARK]));
        assert_eq!(Truths::ForAll(Holds).and(each(&[Holds, Fails])), each(&[Holds, Fails]));
        assert_eq!(Truths::ForAll(DARK).and(each(&[Holds, Fails])), each(&[DARK, Fails]));
        assert_eq!(Truths::ForAll(Fails).and(each(&[Holds])), Truths::ForAll(Fails));
        assert_eq!(Truths::ForAll(Holds).or(each(&[Fails])), Truths::ForAll(Holds));
    }

    #[test]
    fn whom_that_is() {
        assert_eq!(each(&[Holds, Fails]).whom(), Ok(Whom::Some(vec![true, false])));
        assert_eq!(each(&[Holds, DARK]).whom(), Err("dark"));
        assert_eq!(Truths::ForAll(Holds).whom(), Ok(Whom::Everybody));
        assert_eq!(Truths::ForAll(Fails).whom(), Ok(Whom::Nobody));
        assert_eq!((each(&[Fails, DARK]).for_any(), each(&[]).for_any()), (DARK, Fails));
    }
}
