//! A search in steps: automata whose states are made as a text needs them, driven octet by octet.
//!
//! They know nothing of Unicode's word boundaries beside what is not ASCII, and with some texts they would be made anew with
//! every octet. Then threads go on.

use std::ops::Range;

use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, Config, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input, MatchKind};

use super::super::late::{Late, Steps, TimeUp};
use super::threads::Threads;

/// So many octets are gone through between two looks at the clock.
const EVERY: usize = 1 << 16;
/// Octets of the states that are kept.
const CACHE: usize = 2 << 20;
/// From so many times on that they were all made anew,
const ANEW: usize = 3;
/// so many octets of text must be gone through for each, or threads are faster.
const WORTH: usize = 10;

/// Expressions, to be looked for in steps.
#[derive(Debug)]
pub(super) struct Stepped {
    forward: DFA,
    /// From the end of a match back to its start; none where only whether there is one is asked.
    backward: Option<DFA>,
}

/// Why the automaton ended before the text.
enum Ended {
    /// Time is up.
    Late,
    /// It cannot go on.
    Stuck,
}

impl From<TimeUp> for Ended {
    fn from(_: TimeUp) -> Self {
        Self::Late
    }
}

fn automaton(expressions: &[&str], backward: bool) -> Option<DFA> {
    let kind = if backward { MatchKind::All } else { MatchKind::LeftmostFirst };
    let config = Config::new()
        .match_kind(kind)
        .unicode_word_boundary(true)
        .cache_capacity(CACHE)
        .skip_cache_capacity_check(true)
        .minimum_cache_clear_count(Some(ANEW))
        .minimum_bytes_per_state(Some(WORTH));
    let captures = thompson::WhichCaptures::None;
    let thompson = thompson::Config::new().reverse(backward).which_captures(captures);
    DFA::builder().configure(config).thompson(thompson).build_many(expressions).ok()
}

impl Stepped {
    /// To find the matches of an expression. `None` where it cannot be compiled.
    pub(super) fn finding(expression: &str) -> Option<Box<Self>> {
        let forward = automaton(&[expression], false)?;
        Some(Box::new(Self { forward, backward: Some(automaton(&[expression], true)?) }))
    }

    /// To say whether one of them matches.
    pub(super) fn matching(expressions: &[String]) -> Option<Box<Self>> {
        let expressions: Vec<&str> = expressions.iter().map(String::as_str).collect();
        Some(Box::new(Self { forward: automaton(&expressions, false)?, backward: None }))
    }

    /// How many steps an octet can take.
    pub(super) fn states(&self) -> usize {
        self.forward.get_nfa().states().len()
    }

    /// Does one match somewhere?
    pub(super) fn is_match(&self, text: &str, late: Late<'_>) -> Result<bool, TimeUp> {
        let mut steps = Steps::new(late, EVERY);
        let nfa = self.forward.get_nfa();
        // What matches nothing at all would do so inside of characters.
        if !nfa.has_empty() {
            match ahead(&self.forward, &mut self.forward.create_cache(), text, 0, true, &mut steps) {
                Ok(end) => return Ok(end.is_some()),
                Err(Ended::Late) => return Err(TimeUp),
                Err(Ended::Stuck) => {}
            }
        }
        Threads::new(nfa).find(text, 0, true, &mut steps).map(|found| found.is_some())
    }

    /// Every match that is not empty, in order and apart.
    pub(super) fn find(
        &self,
        text: &str,
        late: Late<'_>,
        found: &mut dyn FnMut(Range<usize>) -> bool,
    ) -> Result<(), TimeUp> {
        let mut steps = Steps::new(late, EVERY);
        let mut search = Search::new(self);
        let mut at = 0;
        while at <= text.len() {
            let Some(hit) = search.next(text, at, &mut steps)? else { break };
            at = hit.end;
            if hit.is_empty() {
                at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            } else if !found(hit) {
                break;
            }
        }
        Ok(())
    }
}

/// A search that goes on behind each match.
struct Search<'s> {
    stepped: &'s Stepped,
    caches: Option<(Cache, Cache)>,
    threads: Option<Threads<'s>>,
}

impl<'s> Search<'s> {
    fn new(stepped: &'s Stepped) -> Self {
        let empty = stepped.forward.get_nfa().has_empty();
        let backward = stepped.backward.as_ref().filter(|_| !empty);
        let caches = backward.map(|backward| (stepped.forward.create_cache(), backward.create_cache()));
        Self { stepped, caches, threads: None }
    }

    /// The first match from `at` on.
    fn next(&mut self, text: &str, at: usize, steps: &mut Steps<'_>) -> Result<Option<Range<usize>>, TimeUp> {
        if let Some((there, back)) = &mut self.caches
            && let Some(backward) = &self.stepped.backward
        {
            let found = ahead(&self.stepped.forward, there, text, at, false, steps).and_then(|end| match end {
                None => Ok(None),
                Some(end) => start_of(backward, back, text, at..end, steps).map(|start| start.map(|at| at..end)),
            });
            match found {
                Ok(found) => return Ok(found),
                Err(Ended::Late) => return Err(TimeUp),
                Err(Ended::Stuck) => {}
            }
        }
        self.threads.get_or_insert_with(|| Threads::new(self.stepped.forward.get_nfa())).find(text, at, false, steps)
    }
}

/// Is it a match (`true`), or the end of all (`false`)?
fn is_match(state: LazyStateID) -> Result<Option<bool>, Ended> {
    if !state.is_tagged() {
        Ok(None)
    } else if state.is_match() {
        Ok(Some(true))
    } else if state.is_dead() {
        Ok(Some(false))
    } else if state.is_quit() {
        Err(Ended::Stuck)
    } else {
        Ok(None)
    }
}

/// Where the first match from `from` on ends; `any`: where one does that ends before all others.
fn ahead(
    dfa: &DFA,
    cache: &mut Cache,
    text: &str,
    from: usize,
    any: bool,
    steps: &mut Steps<'_>,
) -> Result<Option<usize>, Ended> {
    let input = Input::new(text).span(from..text.len());
    let mut state = dfa.start_state_forward(cache, &input).map_err(|_| Ended::Stuck)?;
    let mut end = None;
    cache.search_start(from);
    for (at, octet) in (from..).zip(text.as_bytes().get(from..).unwrap_or_default()) {
        steps.took(1)?;
        cache.search_update(at);
        state = dfa.next_state(cache, state, *octet).map_err(|_| Ended::Stuck)?;
        // It is told one octet late.
        match is_match(state)? {
            Some(true) if any => return Ok(Some(at)),
            Some(true) => end = Some(at),
            Some(false) => return Ok(end),
            None => {}
        }
    }
    cache.search_finish(text.len());
    state = dfa.next_eoi_state(cache, state).map_err(|_| Ended::Stuck)?;
    Ok(if is_match(state)? == Some(true) { Some(text.len()) } else { end })
}

/// Where the match begins that ends with `range`.
fn start_of(
    dfa: &DFA,
    cache: &mut Cache,
    text: &str,
    range: Range<usize>,
    steps: &mut Steps<'_>,
) -> Result<Option<usize>, Ended> {
    let input = Input::new(text).span(range.clone()).anchored(Anchored::Yes);
    let mut state = dfa.start_state_reverse(cache, &input).map_err(|_| Ended::Stuck)?;
    let mut start = None;
    cache.search_start(range.end);
    for (at, octet) in text.as_bytes().iter().enumerate().take(range.end).skip(range.start).rev() {
        steps.took(1)?;
        cache.search_update(at);
        state = dfa.next_state(cache, state, *octet).map_err(|_| Ended::Stuck)?;
        match is_match(state)? {
            Some(true) => start = Some(at + 1),
            Some(false) => return Ok(start),
            None => {}
        }
    }
    cache.search_finish(range.start);
    state = match range.start.checked_sub(1).and_then(|at| text.as_bytes().get(at)) {
        Some(before) => dfa.next_state(cache, state, *before).map_err(|_| Ended::Stuck)?,
        None => dfa.next_eoi_state(cache, state).map_err(|_| Ended::Stuck)?,
    };
    Ok(if is_match(state)? == Some(true) { Some(range.start) } else { start })
}
