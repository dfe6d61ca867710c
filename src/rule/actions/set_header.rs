//! `set_header`: a field gets a value, whether it was there or not.

use super::super::section::Section;
use super::super::template::Template;
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Scene, Takes};
use super::header_field;
use crate::directory::Need;
use crate::envelope::Direction;
use crate::message::{FieldName, Which};

/// `set_header`.
pub const KIND: ActionKind = ActionKind {
    kind: "set_header",
    doc: "Gives a header field a value: the first of that name is replaced where it stands, others of that name go unless \
          `which` says otherwise; without one it is put on top.",
    options: &[
        header_field::NAME,
        header_field::VALUE,
        OptionDoc {
            key: "which",
            takes: Takes::Word(&["all", "first", "last"]),
            default: "\"all\"",
            doc: "Which of several fields of that name gets the value; the first is the topmost. With `all` the first gets \
                  it and others go, with `first` and `last` others stay as they are.",
        },
    ],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"set_header\"\nname = \"X-Department\"\nvalue = \"Sales, {{ sender.domain }}\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let name = header_field::read_name(section);
    let value = header_field::read_value(section);
    let words = [("all", Which::All), ("first", Which::First), ("last", Which::Last)];
    let which = section.choice("which", &words).map_or(Which::All, |which| which.value);
    Some(Box::new(SetHeader { name: name?, value: value?, which }))
}

#[derive(Debug)]
struct SetHeader {
    name: FieldName,
    value: Template,
    which: Which,
}

impl Action for SetHeader {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let field = header_field::fill(&self.name, &self.value, scene)?;
        Ok(if scene.draft.set_field(field, self.which) {
            Effect::Edited(1, "1 field".to_owned())
        } else if !scene.draft.takes_fields() {
            Effect::Unfit(header_field::UNFIT.to_owned())
        } else {
            Effect::Nothing("it has that value already")
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn need(&self) -> Need {
        self.value.need()
    }
}
