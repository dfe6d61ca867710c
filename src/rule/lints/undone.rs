//! Fields that one action writes and another takes away or writes again, before anybody could have looked.

use super::changes::{ANSWERS, Changes};
use super::proof::Sign;
use super::{Lints, Written};
use crate::rule::problem::Code;
use crate::rule::section::Section;
use crate::rule::toml_value::shown;

/// Kinds that write or take a field, and no more.
const OF_FIELDS: &[&str] = &["set_header", "add_header", "remove_header"];

impl<'p> Lints<'_, 'p> {
    /// Say which actions of a rule the same rule undoes.
    pub(super) fn undone_at_once(&self, rule: &Written<'p>) {
        for (at, (action, changes)) in rule.does_what().enumerate() {
            let Some(name) = written(action, changes) else { continue };
            let other = rule.does_what().skip(at + 1).find(|(later, changes)| undoes(later, changes, name));
            let Some((other, _)) = other else { continue };
            let kind = other.peek("kind").unwrap_or_default();
            let what = format!("nobody sees this field: `{kind}` of the same rule takes its place");
            let what = if kind == "remove_header" { what.replace("takes its place", "takes it away") } else { what };
            self.report(Code::NeverActs, action.span_of("kind"), what, "take one of them out");
        }
    }

    /// Say which fields of a rule a later one undoes, wherever it writes them.
    pub(super) fn undone(&self, at: usize) {
        // One that stops is followed by none.
        let Some(rule) = self.rules.get(at).filter(|rule| rule.enforced && !rule.does("stop")) else { return };
        for (action, changes) in rule.does_what() {
            let Some(name) = written(action, changes) else { continue };
            for later in self.rules.iter().skip(at + 1) {
                if looks_at(later, name) || later.enforced && later.does("stop") && !later.undoes(name) {
                    break;
                }
                if later.undoes(name) && self.is_followed(rule, later) {
                    let what = format!(
                        "nobody sees this field: `{}` at {} writes or takes it away on every message that `{}` acts on",
                        shown(later.name),
                        (self.place)(&later.span()),
                        shown(rule.name)
                    );
                    self.report(
                        Code::NeverActs,
                        action.span_of("kind"),
                        what,
                        "take one of them out, or narrow the later",
                    );
                    break;
                }
                // What else writes a field of this name may be what is meant to stay.
                if later.changes.iter().any(|changes| changes.meet(name)) {
                    break;
                }
            }
        }
    }

    /// Does the later rule act wherever the earlier one does?
    fn is_followed(&self, rule: &Written<'p>, later: &Written<'p>) -> bool {
        let parts = [(Sign::Holds, &rule.formula), (Sign::NotHolds, &later.formula)];
        self.prover.clashes(&parts, &|one, other| self.alike(one, other, false)).is_some()
    }
}

/// Does a condition of a rule look at fields of this name?
fn looks_at(rule: &Written<'_>, name: &str) -> bool {
    let field = Changes::Fields(vec![name.to_owned()]);
    let mut looks = false;
    rule.formula.claims(&mut |claim| looks |= field.reach(claim));
    looks
}

impl<'p> Written<'p> {
    /// Its actions, with what each may change.
    fn does_what(&self) -> impl Iterator<Item = (&Section<'p>, &Changes)> {
        self.actions.iter().zip(&self.changes)
    }

    /// Is it sure to take away, or to write anew, every field of this name, where it acts?
    fn undoes(&self, name: &str) -> bool {
        let sure = |kind: &str| ANSWERS.contains(&kind) && kind != "add_recipients" || OF_FIELDS.contains(&kind);
        self.enforced
            && self.actions.iter().all(|action| action.peek("kind").is_some_and(sure))
            && self.does_what().any(|(action, changes)| undoes(action, changes, name))
    }
}

/// The name of the field that an action writes, in lower case.
fn written<'c>(action: &Section<'_>, changes: &'c Changes) -> Option<&'c str> {
    match (action.peek("kind"), changes) {
        (Some("set_header" | "add_header"), Changes::Fields(names)) => names.first().map(String::as_str),
        _ => None,
    }
}

/// Does an action leave nothing of what was written into fields of this name?
fn undoes(action: &Section<'_>, changes: &Changes, name: &str) -> bool {
    let all = action.peek("which").is_none_or(|which| which == "all");
    let whatever = ["contains", "words", "matches"].iter().all(|key| action.value(key).is_none());
    let same = matches!(changes, Changes::Fields(names) if names.iter().any(|other| other == name));
    matches!(action.peek("kind"), Some("set_header" | "remove_header")) && all && whatever && same
}
