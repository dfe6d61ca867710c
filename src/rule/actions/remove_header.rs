//! `remove_header`: fields go.

use super::super::section::Section;
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Scene};
use super::header_field;
use crate::envelope::Direction;
use crate::message::{FieldName, Which};

/// `remove_header`.
pub const KIND: ActionKind = ActionKind {
    kind: "remove_header",
    doc: "Removes header fields of a name.",
    options: &[
        header_field::NAME,
        OptionDoc {
            key: "which",
            takes: "\"all\" | \"first\" | \"last\"",
            default: "\"all\"",
            doc: "Which of several. With `first` and `last` a message that passes twice (internal mail) loses another.",
        },
    ],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"remove_header\"\nname = \"X-Originating-IP\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let name = header_field::read_name(section);
    let words = [("all", Which::All), ("first", Which::First), ("last", Which::Last)];
    let which = section.choice("which", &words).map_or(Which::All, |which| which.value);
    Some(Box::new(RemoveHeader { name: name?, which }))
}

#[derive(Debug)]
struct RemoveHeader {
    name: FieldName,
    which: Which,
}

impl Action for RemoveHeader {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        Ok(match scene.draft.remove_fields(&self.name, self.which) {
            0 if scene.draft.values(self.name.as_str()).is_empty() => Effect::Nothing("there is no such field"),
            0 => Effect::Unfit(header_field::UNFIT.to_owned()),
            1 => Effect::Edited(1, "1 field".to_owned()),
            count => Effect::Edited(count, format!("{count} fields")),
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
}
