//! `bounce`: sent back with a text.
//!
//! The text has no variables: a second try of the same message must answer the same without running the rules.

use super::super::problem::Code;
use super::super::section::{Holds, Section};
use super::super::template::Context;
use super::super::{Action, ActionError, ActionKind, Disposition, Effect, OptionDoc, Scene, Takes};
use crate::envelope::Direction;

/// `bounce`.
pub const KIND: ActionKind = ActionKind {
    kind: "bounce",
    doc: "The message is sent back to its sender with a text. Automatic mail and bounces are delivered instead.",
    options: &[OptionDoc {
        key: "message",
        takes: Takes::Text("string"),
        default: "",
        doc: "What the sender is told, in plain text and without variables other than `{{ const.… }}`.",
    }],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"bounce\"\nmessage = \"Please send files over 20 MB by other means.\"\n",
    compile,
};

/// Characters of the text: WorkMail's answer holds at most 256 KB for all recipients.
const MAX_MESSAGE: usize = 4_000;

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    if section.holds("message") == Holds::Nothing {
        section.missing("message");
        return None;
    }
    let message = section.string("message")?;
    let message = section.with_constants(message, Context::Text)?;
    let text = message.value.trim();
    if text.is_empty() || text.chars().count() > MAX_MESSAGE {
        let what = format!("the text of a bounce has 1 to {MAX_MESSAGE} characters");
        section.problem(&message.span, Code::WrongValue, what, "");
        return None;
    }
    if text.contains("{{") || text.contains("{%") {
        section.problem(
            &message.span,
            Code::Template,
            "the text of a bounce has no variables",
            "write a text that fits every message",
        );
        return None;
    }
    Some(Box::new(Bounce(text.to_owned())))
}

#[derive(Debug)]
struct Bounce(String);

impl Action for Bounce {
    fn run(&self, _: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        Ok(Effect::Dispose(Disposition::Bounce(self.0.clone())))
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn is_for_each(&self) -> bool {
        true
    }
    fn disposition(&self) -> Option<Disposition> {
        Some(Disposition::Bounce(self.0.clone()))
    }
}
