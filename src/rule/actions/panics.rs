//! `panic`: a bug of ours, for the test that a function with one loses no mail and tells nothing of it.

use super::super::{Action, ActionError, ActionKind, Effect, Scene};
use crate::envelope::Direction;

/// `panic`; only with the feature `wire`, which no function that is deployed is built with.
pub const KIND: ActionKind = ActionKind {
    kind: "panic",
    doc: "Tags the subject, and panics with the subject and the sender's address.",
    options: &[],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"panic\"\n",
    compile: |_| Some(Box::new(Panic)),
};

#[derive(Debug)]
struct Panic;

impl Action for Panic {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        scene.draft.tag_subject("[half done]");
        let sender = scene.envelope.sender.as_ref().map(|sender| sender.as_str().to_owned());
        panic!("no rule reads {:?} of {sender:?}", scene.draft.subject())
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
}
