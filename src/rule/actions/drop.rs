//! `drop`: neither delivered nor sent back.

use super::super::{Action, ActionError, ActionKind, Disposition, Effect, Scene};
use crate::envelope::Direction;

/// `drop`.
pub const KIND: ActionKind = ActionKind {
    kind: "drop",
    doc: "The message is neither delivered nor sent back.",
    options: &[],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"drop\"\n",
    compile: |_| Some(Box::new(Drop)),
};

#[derive(Debug)]
struct Drop;

impl Action for Drop {
    fn run(&self, _: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        Ok(Effect::Dispose(Disposition::Drop))
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn is_for_each(&self) -> bool {
        true
    }
    fn disposition(&self) -> Option<Disposition> {
        Some(Disposition::Drop)
    }
}
