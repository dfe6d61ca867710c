//! `broken_signatures`: what becomes of the DKIM signatures that the rules break.
//!
//! Invariant: only a signature that could have held when the message came in, and that cannot any more, is touched. That
//! is known when all rules are done, and decided then.

use super::super::section::{Holds, Section};
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Scene, Takes};
use crate::envelope::Direction;
use crate::message::dkim::OnBroken;

/// `broken_signatures`.
pub const KIND: ActionKind = ActionKind {
    kind: "broken_signatures",
    doc: "Says what becomes of the DKIM signatures that the edits of all rules break; one that still verifies is left \
          alone, and so are ARC sets, which say what an earlier server found.",
    options: &[
        OptionDoc {
            key: "do",
            takes: Takes::Word(&["keep", "rename", "remove"]),
            default: "",
            doc: "They stay (as they do without a rule), are named `X-Original-DKIM-Signature`, or go.",
        },
        OptionDoc {
            key: "record_results",
            takes: Takes::Boolean,
            default: "false",
            doc: "Where one breaks, keep the results of the receiving server (the topmost `Authentication-Results`) in \
                  `X-Original-Authentication-Results`.",
        },
    ],
    directions: &[Direction::Inbound],
    example: "kind = \"broken_signatures\"\ndo = \"rename\"\n",
    compile,
};

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let words = [("keep", OnBroken::Keep), ("rename", OnBroken::Rename), ("remove", OnBroken::Remove)];
    if section.holds("do") == Holds::Nothing {
        section.missing("do");
    }
    let on_broken = section.choice("do", &words);
    let record_results = section.boolean("record_results").is_some_and(|found| found.value);
    Some(Box::new(BrokenSignatures { on_broken: on_broken?.value, record_results }))
}

#[derive(Debug)]
struct BrokenSignatures {
    on_broken: OnBroken,
    record_results: bool,
}

impl Action for BrokenSignatures {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        if scene.draft.values("DKIM-Signature").is_empty() {
            return Ok(Effect::Nothing("there is no DKIM signature"));
        }
        scene.draft.on_broken_signatures(self.on_broken, self.record_results);
        let note = match self.on_broken {
            OnBroken::Keep => "what the rules break is kept",
            OnBroken::Rename => "what the rules break is renamed",
            OnBroken::Remove => "what the rules break is removed",
        };
        Ok(Effect::Edited(0, note.to_owned()))
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
}
