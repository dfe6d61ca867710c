//! Exceptions and alternatives that change nothing: without them the rule would be the same.

use super::formula::{Is, Node};
use super::proof::Sign;
use super::{Lints, Written};
use crate::rule::problem::Code;
use crate::rule::toml_value::shown;

/// Parts of one rule that are tried; a rule with more is not looked at further.
const MAX_PARTS: usize = 200;

/// A part that may be left out.
struct Idle {
    /// The list that it stands in.
    list: Vec<usize>,
    index: usize,
    /// An exception or a `not`: without it the rule would let in more, or else less.
    lets_in_less: bool,
}

impl<'p> Lints<'_, 'p> {
    /// Say which exceptions and alternatives of a rule change nothing.
    pub(super) fn idle(&self, rule: &Written<'p>) {
        let mut parts = Vec::new();
        collect(&rule.formula, &mut Vec::new(), true, &mut parts);
        parts.truncate(MAX_PARTS);
        let mut formula = rule.formula.clone();
        // From the last: where two take the same, the later one is superfluous.
        for Idle { list, index, lets_in_less } in parts.into_iter().rev() {
            let Some(whole) = formula.at(&list) else { continue };
            let Some(part) = whole.parts().get(index).cloned() else { continue };
            let without = formula.with(&list, whole.without_part(index));
            let (more, less) = if lets_in_less { (&without, &formula) } else { (&formula, &without) };
            if self.clashes(&[(Sign::Holds, more), (Sign::NotHolds, less)]).is_none() {
                continue;
            }
            let name = shown(rule.name);
            let (what, help) = if let (Is::Not(exception), true) = (&part.is, list.is_empty()) {
                let demands = rule.formula.parts().iter().take(rule.demands).map(|part| (Sign::Holds, part));
                let clashes = self.clashes(&demands.chain([(Sign::NotFails, exception.as_ref())]).collect::<Vec<_>>());
                match clashes.as_deref() {
                    Some([clash]) => (format!("the exception of `{name}` never applies: {}", self.why(*clash)), LEAVE),
                    Some(_) => (format!("the exception of `{name}` never applies where `when` holds"), LEAVE),
                    None => (format!("the exception of `{name}` takes nothing that the others leave"), LEAVE),
                }
            } else if let Is::Not(_) = &part.is {
                (format!("`not` takes nothing away from `{name}`"), LEAVE)
            } else {
                let alone = Node { span: whole.span.clone(), is: Is::Any(vec![part.clone()]) };
                let alone = formula.with(&list, alone);
                let never = !lets_in_less && self.clashes(&[(Sign::Holds, &alone)]).is_some();
                let why =
                    if never { "never holds where the rest of the rule does" } else { "adds nothing to the others" };
                (format!("this alternative of `any` {why}, in `{name}`"), LEAVE)
            };
            self.report(Code::NeverActs, part.span.clone(), what, help);
            formula = without;
        }
    }
}

const LEAVE: &str = "leave it out, or correct what it was to say";

/// Alternatives of each `any`, and what each `not` and exception takes away. `lets_in` is false below a `not`.
fn collect(node: &Node<'_>, path: &mut Vec<usize>, lets_in: bool, parts: &mut Vec<Idle>) {
    for (index, part) in node.parts().iter().enumerate() {
        let takes_away = lets_in && matches!((&node.is, &part.is), (Is::All(_), Is::Not(_)));
        let alternative = matches!(node.is, Is::Any(_)) && node.parts().len() > 1;
        if takes_away || alternative {
            parts.push(Idle { list: path.clone(), index, lets_in_less: takes_away || !lets_in });
        }
        path.push(index);
        let is_not = matches!(node.is, Is::Not(_));
        collect(part, path, lets_in != is_not, parts);
        path.pop();
    }
}
