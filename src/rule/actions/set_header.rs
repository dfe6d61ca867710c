//! `set_header`: a field gets a value, whether it was there or not.

use super::super::section::Section;
use super::super::template::Template;
use super::super::{Action, ActionError, ActionKind, Effect, Scene};
use super::header_field;
use crate::directory::Need;
use crate::envelope::Direction;
use crate::message::FieldName;

/// `set_header`.
pub const KIND: ActionKind = ActionKind {
    kind: "set_header",
    doc: "Gives a header field a value: the first of that name is replaced where it stands, others of that name go; \
          without one it is put on top.",
    options: &[header_field::NAME, header_field::VALUE],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"set_header\"\nname = \"X-Department\"\nvalue = \"Sales, {{ sender.domain }}\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let name = header_field::read_name(section);
    let value = header_field::read_value(section);
    Some(Box::new(SetHeader { name: name?, value: value? }))
}

#[derive(Debug)]
struct SetHeader {
    name: FieldName,
    value: Template,
}

impl Action for SetHeader {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let field = header_field::fill(&self.name, &self.value, scene)?;
        Ok(if scene.draft.set_field(field) {
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
