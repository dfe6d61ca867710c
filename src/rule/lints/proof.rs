//! Whether parts of formulas can be so at once: by taking them apart, and looking for two claims that clash.
//!
//! A part holds, fails, or nobody can tell (Kleene's logic, as rules are run), so what is known of it is one of four signs.
//! Invariant: what is found to clash does so for every message, recipient and moment. Work has a limit, and what takes more
//! is not found.

use std::cell::Cell;

use super::claims::Claim;
use super::formula::{Is, Node};

/// Steps of all proofs of one rule set together.
const MAX_STEPS: usize = 400_000;
/// Steps of one proof.
const MAX_STEPS_OF_ONE: usize = 4_000;

/// What is known of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It holds.
    Holds,
    /// It fails, or nobody can tell.
    NotHolds,
    /// It fails.
    Fails,
    /// It holds, or nobody can tell.
    NotFails,
}

impl Sign {
    fn negated(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
            Self::NotHolds => Self::NotFails,
            Self::NotFails => Self::NotHolds,
        }
    }
    /// As far as it goes for what is always known.
    fn of(self, claim: &Claim<'_>) -> Self {
        match self {
            Self::NotHolds if !claim.may_be_unknown() => Self::Fails,
            Self::NotFails if !claim.may_be_unknown() => Self::Holds,
            sign => sign,
        }
    }
}

/// Two claims that cannot be as they would have to be.
#[derive(Debug, Clone, Copy)]
pub struct Clash<'n, 'p> {
    /// The one that stands first.
    pub one: (Sign, &'n Claim<'p>),
    /// The other.
    pub other: (Sign, &'n Claim<'p>),
}

/// Looks for clashes.
#[derive(Debug)]
pub struct Prover {
    left: Cell<usize>,
}

/// A proof: what is known on one branch, and what is still to be taken apart.
struct Branch<'n, 'p> {
    known: Vec<(Sign, &'n Claim<'p>)>,
    open: Vec<(Sign, &'n Node<'p>)>,
    /// What parts the branch in several.
    forks: Vec<(Sign, &'n [Node<'p>])>,
}

impl Prover {
    /// With all of its steps.
    pub fn new() -> Self {
        Self { left: Cell::new(MAX_STEPS) }
    }

    /// Why parts cannot be so at once; `None` where they can, or where it is not known. `alike` says whether two claims see
    /// the same message.
    pub fn clashes<'n, 'p>(
        &self,
        parts: &[(Sign, &'n Node<'p>)],
        alike: &dyn Fn(&Claim<'p>, &Claim<'p>) -> bool,
    ) -> Option<Vec<Clash<'n, 'p>>> {
        let mut steps = MAX_STEPS_OF_ONE.min(self.left.get());
        let given = steps;
        let branch = Branch { known: Vec::new(), open: parts.to_vec(), forks: Vec::new() };
        let mut found = Vec::new();
        let closed = close(branch, alike, &mut steps, &mut found);
        self.left.set(self.left.get().saturating_sub(given - steps));
        closed.then_some(found)
    }
}

/// Is there a clash on each way to go on?
fn close<'n, 'p>(
    mut branch: Branch<'n, 'p>,
    alike: &dyn Fn(&Claim<'p>, &Claim<'p>) -> bool,
    steps: &mut usize,
    found: &mut Vec<Clash<'n, 'p>>,
) -> bool {
    while let Some((sign, node)) = branch.open.pop() {
        if *steps == 0 {
            return false;
        }
        *steps -= 1;
        match (&node.is, sign) {
            (Is::Not(part), _) => branch.open.push((sign.negated(), part)),
            (Is::All(parts), Sign::Holds | Sign::NotFails) | (Is::Any(parts), Sign::Fails | Sign::NotHolds) => {
                branch.open.extend(parts.iter().map(|part| (sign, part)));
            }
            (Is::All(parts) | Is::Any(parts), _) => branch.forks.push((sign, parts)),
            (Is::Claim(claim), _) => {
                let new = (sign.of(claim), claim.as_ref());
                *steps = steps.saturating_sub(branch.known.len() / 16);
                // Few clash; whether they see the same message takes longer to say.
                if let Some(other) = branch.known.iter().find(|known| clash(**known, new) && alike(known.1, claim)) {
                    let place = |claim: &Claim<'_>| (claim.span.file, claim.span.range.start);
                    let (one, other) = if place(other.1) <= place(claim) { (*other, new) } else { (new, *other) };
                    found.push(Clash { one, other });
                    return true;
                }
                branch.known.push(new);
            }
        }
    }
    // The one with the fewest ways first: none is a clash by itself.
    let Some(next) = (0..branch.forks.len()).min_by_key(|at| branch.forks.get(*at).map_or(0, |fork| fork.1.len()))
    else {
        return false;
    };
    let (sign, parts) = branch.forks.swap_remove(next);
    parts.iter().all(|part| {
        let (known, forks) = (branch.known.clone(), branch.forks.clone());
        close(Branch { known, open: vec![(sign, part)], forks }, alike, steps, found)
    })
}

/// Can two claims not be so at once?
fn clash(one: (Sign, &Claim<'_>), other: (Sign, &Claim<'_>)) -> bool {
    one_way(one, other) || one_way(other, one)
}

fn one_way((sign, one): (Sign, &Claim<'_>), (other_sign, other): (Sign, &Claim<'_>)) -> bool {
    match (sign, other_sign) {
        (Sign::Holds, Sign::Holds | Sign::NotFails) => one.excludes(other),
        (Sign::Holds, Sign::NotHolds | Sign::Fails) | (Sign::NotFails, Sign::Fails) => one.implies(other),
        (Sign::Fails, Sign::Fails | Sign::NotHolds) => one.exhausts(other),
        _ => false,
    }
}
