//! A search in steps for what automata cannot do: all ways to match at once, one thread for each state of the expression, in
//! the order in which the expression prefers them (R. Cox, Regular Expression Matching: the Virtual Machine Approach).

use std::ops::Range;

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;

use super::super::late::{Steps, TimeUp};

/// The threads of one search.
pub(super) struct Threads<'n> {
    nfa: &'n NFA,
    now: List,
    next: List,
    /// States to look at while others are followed.
    stack: Vec<StateID>,
}

/// Threads by state, the preferred first: each with where its match begins.
#[derive(Default)]
struct List {
    order: Vec<(StateID, usize)>,
    /// By state: in which round it was put in last.
    seen: Vec<u32>,
    round: u32,
}

impl List {
    fn new(states: usize) -> Self {
        Self { order: Vec::new(), seen: vec![0; states], round: 1 }
    }

    fn clear(&mut self) {
        self.order.clear();
        self.round = self.round.checked_add(1).unwrap_or_else(|| {
            self.seen.fill(0);
            1
        });
    }

    /// Says whether the state is new in this round.
    fn see(&mut self, state: StateID) -> bool {
        match self.seen.get_mut(state.as_usize()) {
            Some(seen) if *seen != self.round => {
                *seen = self.round;
                true
            }
            _ => false,
        }
    }
}

impl<'n> Threads<'n> {
    pub(super) fn new(nfa: &'n NFA) -> Self {
        let states = nfa.states().len();
        Self { nfa, now: List::new(states), next: List::new(states), stack: Vec::new() }
    }

    /// The first match from `from` on; `any`: one that ends before all others.
    pub(super) fn find(
        &mut self,
        text: &str,
        from: usize,
        any: bool,
        steps: &mut Steps<'_>,
    ) -> Result<Option<Range<usize>>, TimeUp> {
        let octets = text.as_bytes();
        let mut found: Option<Range<usize>> = None;
        self.now.clear();
        for at in from..=octets.len() {
            if found.is_some() && self.now.order.is_empty() {
                break;
            }
            if found.is_none() && text.is_char_boundary(at) {
                let start = self.nfa.start_anchored();
                steps.took(follow(self.nfa, &mut self.now, &mut self.stack, (start, at), octets, at))?;
            }
            steps.took(self.now.order.len() + 1)?;
            self.next.clear();
            for &(state, start) in &self.now.order {
                let to = match self.nfa.state(state) {
                    State::ByteRange { trans } => trans.matches(octets, at).then_some(trans.next),
                    State::Sparse(transitions) => transitions.matches(octets, at),
                    State::Dense(transitions) => transitions.matches(octets, at),
                    State::Match { .. } => {
                        found = Some(start..at);
                        if any {
                            return Ok(found);
                        }
                        // Those behind it are preferred less.
                        break;
                    }
                    _ => None,
                };
                if let Some(to) = to {
                    steps.took(follow(self.nfa, &mut self.next, &mut self.stack, (to, start), octets, at + 1))?;
                }
            }
            std::mem::swap(&mut self.now, &mut self.next);
        }
        Ok(found)
    }
}

/// A thread, with all that its state leads to without reading; says how many states that are.
fn follow(
    nfa: &NFA,
    list: &mut List,
    stack: &mut Vec<StateID>,
    (state, start): (StateID, usize),
    octets: &[u8],
    at: usize,
) -> usize {
    let mut count = 0;
    stack.push(state);
    while let Some(state) = stack.pop() {
        if !list.see(state) {
            continue;
        }
        count += 1;
        match nfa.state(state) {
            State::Look { look, next } => {
                if nfa.look_matcher().matches(*look, octets, at) {
                    stack.push(*next);
                }
            }
            State::Union { alternates } => stack.extend(alternates.iter().rev()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt2, *alt1]),
            State::Capture { next, .. } => stack.push(*next),
            State::Fail => {}
            State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) | State::Match { .. } => {
                list.order.push((state, start));
            }
        }
    }
    count
}
