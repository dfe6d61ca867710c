//! `untag_subject`: takes a word off the subject.

use super::super::section::Section;
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Scene, Takes};
use super::{header_field, tag_subject};
use crate::envelope::Direction;

/// `untag_subject`.
pub const KIND: ActionKind = ActionKind {
    kind: "untag_subject",
    doc: "Takes a tag off the subject wherever it stands as a word of its own, as in replies to mail that was tagged.",
    options: &[OptionDoc {
        key: "tag",
        takes: Takes::Text("string"),
        default: "",
        doc: "The tag, in any case, such as `[External]`; the rest of the subject keeps its bytes.",
    }],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"untag_subject\"\ntag = \"[External]\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    Some(Box::new(UntagSubject(tag_subject::read_tag(section)?)))
}

#[derive(Debug)]
struct UntagSubject(String);

impl Action for UntagSubject {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        Ok(if scene.draft.untag_subject(&self.0) {
            Effect::Edited(1, "the subject".to_owned())
        } else if !scene.draft.takes_fields() {
            Effect::Unfit(header_field::UNFIT.to_owned())
        } else {
            Effect::Nothing("it is not there")
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
}
