//! Where a text stands: words and phrases, or what patterns match.

use std::ops::Range;

use regex::Regex;

use super::with::With;
use crate::rule::detect::DetectorSet;

/// What is looked for.
#[derive(Debug)]
pub(super) enum Find {
    /// Whole words and phrases, in any case.
    Words(DetectorSet),
    /// On the text as it is.
    Patterns(Vec<Regex>),
}

impl Find {
    /// What is to be replaced in a text, in order and apart, and by what: at most one place more than `room`.
    pub fn in_text(&self, text: &str, with: &With, room: usize) -> Vec<(Range<usize>, String)> {
        let most = room.saturating_add(1);
        let mut found: Vec<(Range<usize>, String)> = match self {
            Self::Words(words) => {
                let all = words.find(text).into_iter().map(|found| (found.range(), with.plain()));
                all.filter(|(range, new)| !stands(text, range, new)).take(most).collect()
            }
            Self::Patterns(patterns) => {
                let one = |pattern: &Regex| -> Vec<(Range<usize>, String)> {
                    let all = pattern.captures_iter(text).filter_map(|captures| {
                        let range = captures.get(0)?.range();
                        let new = with.of(&captures);
                        (!range.is_empty() && !stands(text, &range, &new)).then_some((range, new))
                    });
                    all.take(most).collect()
                };
                patterns.iter().flat_map(one).collect()
            }
        };
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut end = 0;
        found.retain(|(range, _)| {
            let apart = range.start >= end;
            if apart {
                end = range.end;
            }
            apart
        });
        found
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
