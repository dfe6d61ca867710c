//! `tag_subject`: a word in front of the subject, once.

use super::super::problem::Code;
use super::super::section::{Holds, Section};
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Scene, Takes};
use super::header_field;
use crate::envelope::Direction;

/// `tag_subject`.
pub const KIND: ActionKind = ActionKind {
    kind: "tag_subject",
    doc: "Puts a tag in front of the subject, where it does not stand already (also behind Re:, AW:, Fwd:).",
    options: &[OptionDoc {
        key: "tag",
        takes: Takes::Text("string"),
        default: "",
        doc: "The tag, such as `[External]`; a space is put behind it.",
    }],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"tag_subject\"\ntag = \"[External]\"\n",
    compile,
};

/// Characters of a tag: it is to leave room for the subject.
const MAX_TAG: usize = 60;

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    Some(Box::new(TagSubject(read_tag(section)?)))
}

/// Read `tag`.
pub(super) fn read_tag(section: &mut Section<'_>) -> Option<String> {
    if section.holds("tag") == Holds::Nothing {
        section.missing("tag");
        return None;
    }
    let tag = section.string("tag")?;
    if tag.value.contains(char::is_control) {
        section.problem(&tag.span, Code::HeaderField, "a tag holds no line ends and no control characters", "");
        return None;
    }
    let text = tag.value.trim();
    if text.is_empty() || text.chars().count() > MAX_TAG {
        section.problem(&tag.span, Code::WrongValue, format!("a tag has 1 to {MAX_TAG} characters"), "");
        return None;
    }
    Some(text.to_owned())
}

#[derive(Debug)]
struct TagSubject(String);

impl Action for TagSubject {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        Ok(if scene.draft.tag_subject(&self.0) {
            Effect::Edited(1, "the subject".to_owned())
        } else if !scene.draft.takes_fields() {
            Effect::Unfit(header_field::UNFIT.to_owned())
        } else {
            Effect::Nothing("it is there already")
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
}
