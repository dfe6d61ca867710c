//! Where a text stands: words and phrases, or what patterns match.

use std::ops::Range;

use super::with::With;
use crate::rule::ActionError;
use crate::rule::detect::{Beyond, DetectorSet, Found};
use crate::rule::late::{Late, Steps};
use crate::rule::pattern::Pattern;

/// So many places are looked at in one text, most of which must hold the new text already.
const MAX_FINDS: usize = 8_000_000;
/// And so many between two looks at the clock.
const EVERY: usize = 256;

/// What is looked for.
#[derive(Debug)]
pub(super) enum Find {
    /// Whole words and phrases, in any case.
    Words(DetectorSet),
    /// On the text as it is.
    Patterns(Vec<Pattern>),
}

impl Find {
    /// What is to be replaced in a text, in order and apart, and by what: at most one place more than `room`.
    pub fn in_text(
        &self,
        text: &str,
        with: &With,
        room: usize,
        late: Late<'_>,
    ) -> Result<Vec<(Range<usize>, String)>, ActionError> {
        let most = room.saturating_add(1);
        let mut steps = Steps::new(late, EVERY);
        let mut found: Vec<(Range<usize>, String)> = Vec::new();
        match self {
            Self::Words(words) => {
                let all = words.find_at_most(MAX_FINDS, text, late).map_err(|beyond| match beyond {
                    Beyond::Finds => ActionError::TooMany("places that hold what is looked for", MAX_FINDS),
                    Beyond::Time => ActionError::Late,
                })?;
                let new = with.plain();
                for range in all.iter().map(Found::range) {
                    steps.took(1)?;
                    if found.len() < most && !stands(text, &range, &new) {
                        found.push((range, new.clone()));
                    }
                }
            }
            Self::Patterns(patterns) => {
                for pattern in patterns {
                    let mut of_this = 0;
                    pattern.captures(text, late, &mut |captures| {
                        let (range, new) = (captures.get_match().range(), with.of(captures));
                        if !stands(text, &range, &new) {
                            found.push((range, new));
                            of_this += 1;
                        }
                        of_this < most
                    })?;
                }
            }
        }
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut end = 0;
        found.retain(|(range, _)| {
            let apart = range.start >= end;
            if apart {
                end = range.end;
            }
            apart
        });
        Ok(found)
    }
}

/// Does what stands at `range` belong to the new text, which stands there already? Upper and lower case are the same, and so
/// are all ways to part words, over lines and quotes as well.
fn stands(text: &str, range: &Range<usize>, new: &str) -> bool {
    let old = text.get(range.clone()).unwrap_or_default();
    let (before, after) = (text.get(..range.start).unwrap_or_default(), text.get(range.end..).unwrap_or_default());
    if old.trim().is_empty() {
        return old == new;
    }
    let old: String = folded(old.chars()).collect();
    let new: String = folded(new.chars()).collect();
    new.match_indices(&old).any(|(at, _)| {
        let (left, right) = (new.get(..at).unwrap_or_default(), new.get(at + old.len()..).unwrap_or_default());
        let behind = folded(after.chars()).take(right.chars().count());
        let ahead = folded(before.chars().rev()).take(left.chars().count());
        behind.eq(right.chars()) && ahead.eq(left.chars().rev())
    })
}

/// Lower case, with one blank for all that parts words: white space, and the marks of quotes.
fn folded(characters: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let mut blank = false;
    let each = move |c: char| {
        let parts = c.is_whitespace() || c == '>';
        let drop = parts && blank;
        blank = parts;
        let plain = if parts { ' ' } else { c.to_lowercase().next().unwrap_or(c) };
        (!drop).then_some(plain)
    };
    characters.filter_map(each)
}
