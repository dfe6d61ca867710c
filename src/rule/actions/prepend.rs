//! `prepend`: a block above the text.

use super::super::section::Section;
use super::super::{Action, ActionKind};
use super::block::{self, Insert};
use crate::envelope::Direction;
use crate::message::Place;

/// `prepend`.
pub const KIND: ActionKind = ActionKind {
    kind: "prepend",
    doc: "Puts a block above the text of every body: a warning, a banner.",
    options: &[block::HTML, block::TEXT, block::ONCE, block::PROTECTED, block::FALLBACK, block::NO_BODY],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"prepend\"\n\
              text = \"This mail comes from outside ({{ sender.domain }}). Take care with links.\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    Some(Box::new(Insert::read(section, KIND.kind, &[], Place::Start)?))
}
