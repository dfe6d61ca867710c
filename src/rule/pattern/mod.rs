//! The regular expressions of rules, looked for in texts of any size.
//!
//! A search takes as many steps as the text has octets times the states of the expression, and some expressions can be led
//! to take them all. What is little is left to the `regex` crate. What is more is done here in steps, with a look at the
//! clock now and then: `stepped.rs` with automata that are made as they are needed, `threads.rs` where these cannot.
//!
//! Invariant: what is found is what the `regex` crate finds, whoever looked for it.

mod stepped;
mod threads;

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Captures, Regex, RegexSet};

use super::late::{Late, TimeUp};
use stepped::Stepped;

/// Octets of a text in which any expression of rules is soon done.
const SMALL: usize = 4_096;
/// Steps that may be taken without a look at the clock: half a second at the worst.
const STEPS: usize = 1 << 26;

/// One expression.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// How it is looked for in steps; made for the first text that is large.
    stepped: OnceLock<Option<Box<Stepped>>>,
}

/// Expressions of which one must match.
#[derive(Debug)]
pub struct PatternSet {
    set: RegexSet,
    stepped: OnceLock<Option<Box<Stepped>>>,
}

impl From<Regex> for Pattern {
    fn from(regex: Regex) -> Self {
        Self { regex, stepped: OnceLock::new() }
    }
}

impl From<RegexSet> for PatternSet {
    fn from(set: RegexSet) -> Self {
        Self { set, stepped: OnceLock::new() }
    }
}

/// The way in steps, for a text that takes it.
fn for_large<'s>(
    stepped: &'s OnceLock<Option<Box<Stepped>>>,
    text: &str,
    make: impl FnOnce() -> Option<Box<Stepped>>,
) -> Option<&'s Stepped> {
    if text.len() <= SMALL {
        return None;
    }
    let stepped = stepped.get_or_init(make).as_deref()?;
    (text.len().saturating_mul(stepped.states()) > STEPS).then_some(stepped)
}

impl Pattern {
    /// The expression.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// Hand the range of every match that is not empty to `found`, in order and apart, as long as it says so.
    pub fn find(&self, text: &str, late: Late<'_>, found: &mut dyn FnMut(Range<usize>) -> bool) -> Result<(), TimeUp> {
        if let Some(stepped) = for_large(&self.stepped, text, || Stepped::finding(self.regex.as_str())) {
            return stepped.find(text, late, found);
        }
        for hit in self.regex.find_iter(text) {
            late.in_time()?;
            if !hit.is_empty() && !found(hit.range()) {
                break;
            }
        }
        Ok(())
    }

    /// The same with what the groups have matched.
    pub fn captures<'t>(
        &self,
        text: &'t str,
        late: Late<'_>,
        found: &mut dyn FnMut(&Captures<'t>) -> bool,
    ) -> Result<(), TimeUp> {
        if let Some(stepped) = for_large(&self.stepped, text, || Stepped::finding(self.regex.as_str())) {
            return stepped.find(text, late, &mut |range| match self.captures_at(text, &range) {
                Some(captures) => found(&captures),
                None => true,
            });
        }
        for captures in self.regex.captures_iter(text) {
            late.in_time()?;
            if captures.get_match().is_empty() {
                continue;
            }
            if !found(&captures) {
                break;
            }
        }
        Ok(())
    }

    /// The groups of a match that was found.
    fn captures_at<'t>(&self, text: &'t str, range: &Range<usize>) -> Option<Captures<'t>> {
        // No expression looks further behind its match than a line end; the rest of a large text is not for it to go through.
        let behind = text.get(range.end..).unwrap_or_default().chars().take(2).map(char::len_utf8).sum::<usize>();
        let near = text.get(..range.end + behind).unwrap_or(text);
        let is_it = |captures: &Captures<'t>| captures.get_match().range() == *range;
        // Unless it would end with the text.
        self.regex.captures_at(near, range.start).filter(is_it).or_else(|| self.regex.captures_at(text, range.start))
    }
}

impl PatternSet {
    /// Does one match somewhere?
    pub fn is_match(&self, text: &str, late: Late<'_>) -> Result<bool, TimeUp> {
        match for_large(&self.stepped, text, || Stepped::matching(self.set.patterns())) {
            Some(stepped) => stepped.is_match(text, late),
            None => Ok(self.set.is_match(text)),
        }
    }
}

#[cfg(test)]
mod tests;
