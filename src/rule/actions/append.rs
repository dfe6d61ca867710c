//! `append`: a block below the text.

use super::super::section::Section;
use super::super::{Action, ActionKind, OptionDoc, Takes};
use super::block::{self, Insert};
use crate::envelope::Direction;
use crate::message::Place;

/// `append`.
pub const KIND: ActionKind = ActionKind {
    kind: "append",
    doc: "Puts a block below the text of every body: a legal notice, a footer.",
    options: &[
        block::HTML,
        block::TEXT,
        block::IMAGES,
        OptionDoc {
            key: "place",
            takes: Takes::Word(&["end", "below-reply", "above-signature"]),
            default: "\"end\"",
            doc: "At the end of the body; below the newest text of a reply and above what it quotes; or above the signature \
                  of the newest text. Where there is no such place, or not in every alternative, or it is in doubt: the \
                  place named before it.",
        },
        block::ONCE,
        block::PROTECTED,
        block::FALLBACK,
        block::NO_BODY,
    ],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"append\"\n\
              html = \"<p>Example Ltd, 1 High Street. This mail is confidential.</p>\"\n\
              place = \"below-reply\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let places = [("end", Place::End), ("below-reply", Place::BelowReply), ("above-signature", Place::AboveSignature)];
    Some(Box::new(Insert::read(section, KIND.kind, &places, Place::End)?))
}
