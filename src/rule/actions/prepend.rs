//! `prepend`: a block above the text.

use super::super::section::Section;
use super::super::{Action, ActionKind, OptionDoc, Takes};
use super::block::{self, Insert};
use crate::envelope::Direction;
use crate::message::Place;

/// `prepend`.
pub const KIND: ActionKind = ActionKind {
    kind: "prepend",
    doc: "Puts a block above the text of every body: a warning, a banner.",
    options: &[
        block::HTML,
        block::TEXT,
        block::IMAGES,
        OptionDoc {
            key: "preview",
            takes: Takes::Word(&["banner", "keep"]),
            default: "\"banner\"",
            doc: "What a list of messages shows as the first words of one: those of the block, or those that it would show \
                  without it (`keep`). For that the block goes below text that the sender hid at the start, or below a \
                  hidden copy of the first words. In plain text nothing can be hidden: there it is the block.",
        },
        block::ONCE,
        block::PROTECTED,
        block::FALLBACK,
        block::NO_BODY,
    ],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"prepend\"\n\
              text = \"This mail comes from outside ({{ sender.domain }}). Take care with links.\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let words = [("banner", Place::Start), ("keep", Place::BelowPreview)];
    let place = section.choice("preview", &words).map_or(Place::Start, |found| found.value);
    Some(Box::new(Insert::read(section, KIND.kind, &[], place)?))
}
