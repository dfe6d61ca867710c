//! `junk`: to the junk folder.

use super::super::{Action, ActionError, ActionKind, Disposition, Effect, Scene};
use crate::envelope::Direction;

/// `junk`.
pub const KIND: ActionKind = ActionKind {
    kind: "junk",
    doc: "The message goes to the junk folder. Inbound only.",
    options: &[],
    directions: &[Direction::Inbound],
    example: "kind = \"junk\"\n",
    compile: |_| Some(Box::new(Junk)),
};

#[derive(Debug)]
struct Junk;

impl Action for Junk {
    fn run(&self, _: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        Ok(Effect::Dispose(Disposition::Junk))
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn is_for_each(&self) -> bool {
        true
    }
    fn disposition(&self) -> Option<Disposition> {
        Some(Disposition::Junk)
    }
}
