//! Whether a condition holds: it does, it does not, or nobody can tell.
//!
//! The logic is Kleene's: what is not known makes the whole unknown only where it matters. `any` holds when one holds
//! whatever the others are, `all` fails when one fails, and `not` of what nobody can tell is as unknown. So a directory
//! that does not answer neither lets a rule run nor keeps it from running by itself: the rule fails, by its `on_error`.

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It does.
    Holds,
    /// It does not.
    Fails,
    /// Nobody can tell: why, without content.
    Unknown(&'static str),
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

impl Truth {
    /// True only where it is known to hold.
    pub fn is_sure(self) -> bool {
        self == Self::Holds
    }
    /// Do all hold? Of none, yes. Later ones are not asked for once one fails.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::Holds;
        for part in parts {
            match part {
                Self::Fails => return Self::Fails,
                Self::Unknown(_) if whole == Self::Holds => whole = part,
                _ => {}
            }
        }
        whole
    }
    /// Does any hold? Of none, no. Later ones are not asked for once one holds.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = Self::Fails;
        for part in parts {
            match part {
                Self::Holds => return Self::Holds,
                Self::Unknown(_) if whole == Self::Fails => whole = part,
                _ => {}
            }
        }
        whole
    }
}

impl std::ops::Not for Truth {
    type Output = Self;
    /// The opposite; of what nobody can tell, nobody can tell that either.
    fn not(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
            Self::Unknown(why) => Self::Unknown(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Truth::{self, Fails, Holds, Unknown};

    const DARK: Truth = Unknown("dark");

    #[test]
    fn what_is_not_known_counts_where_it_matters() {
        assert_eq!(Truth::all([Holds, DARK, Holds]), DARK);
        assert_eq!(Truth::all([DARK, Fails]), Fails);
        assert_eq!(Truth::all([]), Holds);
        assert_eq!(Truth::any([Fails, DARK, Fails]), DARK);
        assert_eq!(Truth::any([DARK, Holds]), Holds);
        assert_eq!(Truth::any([]), Fails);
        assert_eq!([!Holds, !Fails, !DARK], [Fails, Holds, DARK]);
        assert!(Holds.is_sure() && !DARK.is_sure() && !Fails.is_sure());
    }
}
