//! `{ over, under }`: a size in octets between limits.

use crate::rule::OptionDoc;
use crate::rule::problem::Code;
use crate::rule::section::Section;

use super::keys;

/// `over` for the reference.
pub const OVER: OptionDoc = OptionDoc {
    key: "over",
    takes: "size, such as \"10 MB\" | octets",
    default: "no limit",
    doc: "Holds when the size is larger than this.",
};
/// `under` for the reference.
pub const UNDER: OptionDoc = OptionDoc {
    key: "under",
    takes: "size, such as \"64 KB\" | octets",
    default: "no limit",
    doc: "Holds when the size is smaller than this.",
};
/// Both.
pub const OPTIONS: &[OptionDoc] = &[OVER, UNDER];

/// A size between limits, neither included.
#[derive(Debug, Clone, Copy, Default)]
pub struct SizeRange {
    over: Option<u64>,
    under: Option<u64>,
}

impl SizeRange {
    /// Read the table `{ over, under }` of the key.
    pub fn read(mut section: Section<'_>, of: &str) -> Option<Self> {
        let known = keys(OPTIONS);
        let given = section.keys();
        let over = section.size(OVER.key);
        let under = section.size(UNDER.key);
        let whole = given.iter().filter(|key| known.contains(&key.value.as_str())).count()
            == usize::from(over.is_some()) + usize::from(under.is_some());
        if given.is_empty() {
            let span = section.span();
            section.problem(&span, Code::Missing, format!("`{of}` says neither `over` nor `under`"), "");
            return None;
        }
        let impossible = over.as_ref().zip(under.as_ref()).filter(|(o, u)| o.value.saturating_add(1) >= u.value);
        if let Some((_, under)) = &impossible {
            section.problem(
                &under.span,
                Code::WrongValue,
                "no size is over the one and under the other",
                "`over` must be smaller than `under`",
            );
        }
        let sound = whole && impossible.is_none();
        let range = Self { over: over.map(|at| at.value), under: under.map(|at| at.value) };
        section.finish(of, &known);
        sound.then_some(range)
    }

    /// Is `size` between the limits?
    pub fn holds(self, size: u64) -> bool {
        self.over.is_none_or(|over| size > over) && self.under.is_none_or(|under| size < under)
    }
}
