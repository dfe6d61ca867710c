//! `remove_header`: fields go.

use super::super::conditions::text_match::{self, TextMatch};
use super::super::section::Section;
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Scene, Takes};
use super::header_field;
use crate::envelope::Direction;
use crate::message::{FieldNames, Which};

/// `remove_header`.
pub const KIND: ActionKind = ActionKind {
    kind: "remove_header",
    doc: "Removes header fields of a name, or of all names that begin alike; with `contains`, `words` or `matches` those \
          whose decoded value passes.",
    options: &[
        header_field::NAMES,
        OptionDoc {
            key: "which",
            takes: Takes::Word(&["all", "first", "last"]),
            default: "\"all\"",
            doc: "Which of several; the first is the topmost. With `first` and `last` a message that passes twice (internal \
                  mail) loses another.",
        },
        text_match::CONTAINS,
        text_match::WORDS,
        text_match::MATCHES,
    ],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"remove_header\"\nname = \"X-Originating-IP\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let names = header_field::read_names(section);
    let words = [("all", Which::All), ("first", Which::First), ("last", Which::Last)];
    let which = section.choice("which", &words).map_or(Which::All, |which| which.value);
    let value = TextMatch::read(section, KIND.options);
    Some(Box::new(RemoveHeader { names: names?, which, value: value? }))
}

#[derive(Debug)]
struct RemoveHeader {
    names: Vec<FieldNames>,
    which: Which,
    value: TextMatch,
}

impl Action for RemoveHeader {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        // What no rule may touch stays, where its name begins like those that go.
        let fixed = |name: &[u8]| std::str::from_utf8(name).is_ok_and(|name| header_field::fixed(name).is_some());
        let picks = |name: &[u8]| self.names.iter().any(|names| names.are(name)) && !fixed(name);
        let late = scene.late;
        let passes = |value: &str| self.value.is_empty() || self.value.holds(value, late);
        Ok(match scene.draft.remove_picked(self.which, picks, passes) {
            0 if !scene.draft.values_of(picks).iter().any(|value| passes(value)) => {
                Effect::Nothing("there is no such field")
            }
            0 => Effect::Unfit(header_field::UNFIT.to_owned()),
            1 => Effect::Edited(1, "1 field".to_owned()),
            count => Effect::Edited(count, format!("{count} fields")),
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
}
