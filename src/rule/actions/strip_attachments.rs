//! `strip_attachments`: attachments are taken off.

use std::sync::Arc;

use super::super::section::Section;
use super::super::template;
use super::super::{Action, ActionError, ActionKind, Effect, Protected, Scene, Unbounceable};
use super::Written;
use super::attachments::{self, Removal};
use crate::envelope::Direction;

/// `strip_attachments`.
pub const KIND: ActionKind = ActionKind {
    kind: "strip_attachments",
    doc: "Takes attachments off and leaves a notice with name, size and SHA-256; all other parts keep every byte. A file \
          that is uuencoded in a text counts as an attachment, and its notice stands there. Files inside of archives and \
          winmail.dat are not taken out of them: the whole of it goes. Rules on the text belong behind one with it: those before \
          leave a message alone that is protected by what goes, such as winmail.dat or an invitation.",
    options: &[
        attachments::ATTACHMENT,
        attachments::NOTICE,
        attachments::TEXT,
        attachments::HTML,
        attachments::ATTACHED_MESSAGES,
        attachments::PROTECTED,
        attachments::UNBOUNCEABLE,
    ],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"strip_attachments\"\nattachment = { extension = [\"exe\", \"js\", \"scr\"] }\n",
    compile,
};

#[derive(Debug)]
struct Strip(Removal);

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    Some(Box::new(Strip(Removal::read(section, (attachments::MESSAGE, None), template::ATTACHMENT)?)))
}

impl Action for Strip {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let done = self.0.run(scene, &|_, _| Ok(Vec::new()))?;
        Ok(Removal::effect(done, "removed"))
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        self.0.selection.policy(scene)
    }
    fn block(&self, scene: &Scene<'_, '_>) -> Option<Arc<Written>> {
        self.0.block(scene, "")
    }
    fn edits_body(&self) -> bool {
        true
    }
    fn protected_policy(&self) -> Option<Protected> {
        Some(self.0.selection.protected)
    }
    fn unbounceable(&self) -> Unbounceable {
        self.0.unbounceable
    }
}
