//! `bypass_spam_check`: delivered without the spam check.

use super::super::{Action, ActionError, ActionKind, Disposition, Effect, Scene};
use crate::envelope::Direction;

/// `bypass_spam_check`.
pub const KIND: ActionKind = ActionKind {
    kind: "bypass_spam_check",
    doc: "The message is delivered without the spam check. Inbound only.",
    options: &[],
    directions: &[Direction::Inbound],
    example: "kind = \"bypass_spam_check\"\n",
    compile: |_| Some(Box::new(BypassSpamCheck)),
};

#[derive(Debug)]
struct BypassSpamCheck;

impl Action for BypassSpamCheck {
    fn run(&self, _: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        Ok(Effect::Dispose(Disposition::BypassSpamCheck))
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn is_for_each(&self) -> bool {
        true
    }
    fn disposition(&self) -> Option<Disposition> {
        Some(Disposition::BypassSpamCheck)
    }
}
