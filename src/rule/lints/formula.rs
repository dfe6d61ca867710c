//! A table of conditions as a formula over claims, as it is written, with its places.

use std::rc::Rc;

use super::claims::Claim;
use crate::rule::conditions;
use crate::rule::section::{Holds, Section, Span};

/// A part of a formula.
#[derive(Debug, Clone)]
pub struct Node<'p> {
    /// Where it stands.
    pub span: Span,
    /// What it says.
    pub is: Is<'p>,
}

/// What a part says.
#[derive(Debug, Clone)]
pub enum Is<'p> {
    /// All parts hold; of none, always.
    All(Vec<Node<'p>>),
    /// One of the parts holds; of none, never.
    Any(Vec<Node<'p>>),
    /// It does not hold.
    Not(Box<Node<'p>>),
    /// One claim.
    Claim(Rc<Claim<'p>>),
}

impl<'p> Node<'p> {
    /// A table of conditions of a rule.
    pub fn read(table: &Section<'p>, rule: usize) -> Self {
        let mut parts = Vec::new();
        for kind in conditions::KINDS {
            if table.holds(kind.key) != Holds::Nothing {
                parts.extend(Claim::read(table, kind.key, rule).into_iter().map(Self::of));
            }
        }
        // Depth has a limit where rules are compiled, and only those that could be are read here.
        for key in ["any", "all", "not"] {
            let below: Vec<Self> = table.peek_tables(key).iter().map(|below| Self::read(below, rule)).collect();
            let span = table.span_of(key);
            match (key, table.holds(key)) {
                (_, Holds::Nothing) => {}
                ("any", _) => parts.push(Self { span, is: Is::Any(below) }),
                ("all", _) => parts.push(Self { span, is: Is::All(below) }),
                _ => parts.extend(below.into_iter().map(|below| below.negated(span.clone()))),
            }
        }
        Self { span: table.span(), is: Is::All(parts) }
    }

    /// One claim.
    pub fn of(claim: Claim<'p>) -> Self {
        Self { span: claim.span.clone(), is: Is::Claim(Rc::new(claim)) }
    }

    /// The opposite.
    pub fn negated(self, span: Span) -> Self {
        Self { span, is: Is::Not(Box::new(self)) }
    }

    /// The parts right below.
    pub fn parts(&self) -> &[Self] {
        match &self.is {
            Is::All(parts) | Is::Any(parts) => parts,
            Is::Not(part) => std::slice::from_ref(part),
            Is::Claim(_) => &[],
        }
    }

    fn parts_mut(&mut self) -> &mut [Self] {
        match &mut self.is {
            Is::All(parts) | Is::Any(parts) => parts,
            Is::Not(part) => std::slice::from_mut(part),
            Is::Claim(_) => &mut [],
        }
    }

    /// The part at a path of indexes.
    pub fn at(&self, path: &[usize]) -> Option<&Self> {
        path.iter().try_fold(self, |node, index| node.parts().get(*index))
    }

    /// The same with another part at a path.
    pub fn with(&self, path: &[usize], part: Self) -> Self {
        let mut changed = self.clone();
        let mut found = Some(&mut changed);
        for index in path {
            found = found.and_then(|node| node.parts_mut().get_mut(*index));
        }
        if let Some(found) = found {
            *found = part;
        }
        changed
    }

    /// The same list of parts without one of them.
    pub fn without_part(&self, index: usize) -> Self {
        let mut changed = self.clone();
        if let Is::All(parts) | Is::Any(parts) = &mut changed.is
            && index < parts.len()
        {
            parts.remove(index);
        }
        changed
    }

    /// Every claim in it.
    pub fn claims<'n>(&'n self, take: &mut impl FnMut(&'n Claim<'p>)) {
        if let Is::Claim(claim) = &self.is {
            take(claim);
        }
        self.parts().iter().for_each(|part| part.claims(take));
    }
}
