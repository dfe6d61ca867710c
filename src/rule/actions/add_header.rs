//! `add_header`: one more field, on top.

use super::super::problem::Code;
use super::super::section::Section;
use super::super::template::Template;
use super::super::{Action, ActionError, ActionKind, Effect, Scene};
use super::header_field;
use crate::directory::Need;
use crate::envelope::Direction;
use crate::message::FieldName;

/// `add_header`.
pub const KIND: ActionKind = ActionKind {
    kind: "add_header",
    doc: "Puts a header field on top, beside those of its name; not where one with that value is there, and not beside \
          another where the field may stand once only.",
    options: &[header_field::NAME, header_field::VALUE],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"add_header\"\nname = \"X-Seen-By\"\nvalue = \"mail rules of example.com\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let at = section.peek("name").is_some().then(|| section.span_of("name"));
    let name = header_field::read_name(section);
    if let (Some(at), Some(name)) = (&at, name.as_ref().filter(|name| header_field::stands_once(name))) {
        let name = name.as_str();
        section.warning(
            at,
            Code::HeaderField,
            format!("`{name}` may stand once: where a message has one, nothing is added"),
            "`set_header` gives it a value whether it is there or not",
        );
    }
    let value = header_field::read_value(section);
    Some(Box::new(AddHeader { name: name?, value: value? }))
}

#[derive(Debug)]
struct AddHeader {
    name: FieldName,
    value: Template,
}

impl Action for AddHeader {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let field = header_field::fill(&self.name, &self.value, scene)?;
        let there = scene.draft.values(self.name.as_str());
        if there.iter().any(|value| same(value, field.value())) {
            return Ok(Effect::Nothing("it is there already"));
        }
        if !there.is_empty() && header_field::stands_once(&self.name) {
            return Ok(Effect::Unfit("a field of that name is there, and it may stand once only".to_owned()));
        }
        Ok(if scene.draft.add_field(field) {
            Effect::Edited(1, "1 field".to_owned())
        } else {
            Effect::Unfit(header_field::UNFIT.to_owned())
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn need(&self) -> Need {
        self.value.need()
    }
}

/// Folding changes white space and nothing else.
fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}
