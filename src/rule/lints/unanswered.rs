//! Bounces of mail that is never sent back: what no person has written, or nobody has sent.

use super::changes::ANSWERS;
use super::claims::Claim;
use super::formula::Node;
use super::proof::Sign;
use super::{Lints, Written};
use crate::rule::problem::Code;
use crate::rule::toml_value::shown;

impl<'p> Lints<'_, 'p> {
    /// Say which bounces of a rule send nothing back.
    pub(super) fn unanswered(&self, rule: &Written<'p>) {
        // What other actions change may be what makes the message automatic.
        if !rule.does("bounce") || !rule.only_does(ANSWERS) {
            return;
        }
        let automatic = Node::of(Claim::automatic(&rule.section, 0));
        if self.clashes(&[(Sign::Holds, &rule.formula), (Sign::NotHolds, &automatic)]).is_none() {
            return;
        }
        for bounce in rule.actions.iter().filter(|action| action.peek("kind") == Some("bounce")) {
            let what = format!("nothing is sent back: `{}` is about mail that no person wrote", shown(rule.name));
            let help = "a bounce to it would make a loop, or hit somebody else, so it is delivered; `drop` or `junk` keep it away";
            self.report(Code::NeverActs, bounce.span_of("kind"), what, help);
        }
    }
}
