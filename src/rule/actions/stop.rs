//! `stop`: no later rule runs.

use super::super::{Action, ActionError, ActionKind, Effect, Scene};
use crate::envelope::Direction;

/// `stop`.
pub const KIND: ActionKind = ActionKind {
    kind: "stop",
    doc: "No later rule runs for this message.",
    options: &[],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"stop\"\n",
    compile: |_| Some(Box::new(Stop)),
};

#[derive(Debug)]
struct Stop;

impl Action for Stop {
    fn run(&self, _: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        Ok(Effect::Stop)
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
}
