//! Rules that never run because earlier ones stop what they are about, and rules whose work nobody sees.

use super::claims::Claim;
use super::formula::Node;
use super::proof::Sign;
use super::{Lints, Written};
use crate::rule::problem::Code;
use crate::rule::toml_value::shown;

/// What a rule may do and still be sure to stop: what it does to a message may be left out, and the rest of it too.
const SURE: &[&str] = &["stop", "drop", "junk", "bypass_spam_check", "bounce"];

impl<'p> Lints<'_, 'p> {
    /// Say where a rule never runs, or nobody sees what it does. `never` says which rules never act.
    pub(super) fn shadowed(&self, at: usize, never: &[bool]) {
        let Some(rule) = self.rules.get(at) else { return };
        let earlier = || {
            let acting = self.rules.iter().take(at).zip(never).filter(|(_, never)| !**never);
            acting.map(|(earlier, _)| earlier).filter(|earlier| earlier.enforced && earlier.only_does(SURE))
        };
        let name = shown(rule.name);
        let stops: Vec<&Written<'p>> = earlier().filter(|earlier| earlier.does("stop")).collect();
        if let Some(stop) = stops.iter().find(|stop| self.take(&[stop], rule)) {
            let what = format!("`{name}` never runs: `{}` stops every message that it is about", shown(stop.name));
            let help = "put it into a file whose name sorts first, or narrow the other";
            return self.report(Code::NeverActs, rule.span(), what, help);
        }
        if stops.len() > 1 && self.take(&stops, rule) {
            let mut needed = stops.clone();
            for stop in stops {
                let others: Vec<_> = needed.iter().filter(|other| !std::ptr::eq(**other, stop)).copied().collect();
                if self.take(&others, rule) {
                    needed = others;
                }
            }
            let all: Vec<String> = needed.iter().map(|stop| format!("`{}`", shown(stop.name))).collect();
            let what = format!("`{name}` never runs: {} stop every message that it is about", all.join(", "));
            let help = "put it into a file whose name sorts first, or narrow one of the others";
            return self.report(Code::NeverActs, rule.span(), what, help);
        }
        // Whoever is added gets the message; what is stored is there; and one that only looks on has no work to be seen.
        let goes_on = rule.does("stop") || rule.does("store_attachments") || !rule.enforced;
        if goes_on || self.rules.iter().any(|rule| rule.does("add_recipients")) {
            return;
        }
        if let Some(drop) = earlier().find(|earlier| earlier.does("drop") && self.take(&[earlier], rule)) {
            let drop = shown(drop.name);
            let what = format!("nobody sees what `{name}` does: `{drop}` drops every message that it is about");
            let help = "take one of them out, or narrow the other";
            return self.report(Code::NeverActs, rule.span(), what, help);
        }
        let bounces = |earlier: &&Written<'p>| {
            earlier.does("bounce")
                && !rule.does("drop")
                && self.take(&[earlier], rule)
                && self.bounces_all(earlier, rule)
        };
        if let Some(bounce) = earlier().find(bounces) {
            let bounce = shown(bounce.name);
            let what = format!("nobody sees what `{name}` does: `{bounce}` sends back every message that it is about");
            let help = "take one of them out, or narrow the other";
            self.report(Code::NeverActs, rule.span(), what, help);
        }
    }

    /// Do earlier rules act on every message that a rule acts on?
    fn take(&self, earlier: &[&Written<'p>], rule: &Written<'p>) -> bool {
        let mut parts: Vec<(Sign, &Node<'p>)> = vec![(Sign::Holds, &rule.formula)];
        parts.extend(earlier.iter().map(|earlier| (Sign::NotHolds, &earlier.formula)));
        self.prover.clashes(&parts, &|one, other| self.alike(one, other, true)).is_some()
    }

    /// Is nothing that a rule acts on mail that an earlier one would not send back, automatic mail?
    fn bounces_all(&self, earlier: &Written<'p>, rule: &Written<'p>) -> bool {
        let index = self.rules.iter().position(|other| std::ptr::eq(other, earlier)).unwrap_or_default();
        let automatic = Node::of(Claim::automatic(&earlier.section, index));
        let parts = [(Sign::Holds, &rule.formula), (Sign::Holds, &automatic)];
        self.prover.clashes(&parts, &|one, other| self.alike(one, other, true)).is_some()
    }
}
