//! `rename_attachments`: file names that deceive say what they are.

use super::super::conditions::attachment;
use super::super::problem::Code;
use super::super::section::{Holds, Section};
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Protected, Scene, Takes, Unbounceable};
use super::attachments::{self, Act, Done, Selection, counted, read_protected};
use crate::envelope::Direction;
use crate::message::{Attachment, Draft, ParameterText, Permission, TextEdit, tame, tamed};

/// `rename_attachments`.
pub const KIND: ActionKind = ActionKind {
    kind: "rename_attachments",
    doc: "Makes the names of attachments say what they are, wherever a name is written: without characters that turn its \
          direction or are not seen, without folders, with the last extension as the only one where that is a program's \
          (`invoice.pdf.exe` becomes `invoice_pdf.exe`), at most 120 characters long. Nothing else of the message changes.",
    options: &[
        OptionDoc {
            key: "attachment",
            takes: Takes::Table(attachment::OPTIONS),
            default: "every attachment",
            doc: "Which attachments: the same tests as those of the condition `attachment`.",
        },
        OptionDoc {
            key: "append",
            takes: Takes::Text("string"),
            default: "nothing",
            doc: "An extension to put behind these names, such as \".blocked\", so that nothing opens them by a click; once.",
        },
        attachments::ATTACHED_MESSAGES,
        attachments::PROTECTED,
        attachments::UNBOUNCEABLE,
    ],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"rename_attachments\"\n",
    compile,
};

/// Characters of the longest extension that is put behind names.
const MAX_EXTENSION: usize = 20;
/// Longer fields are not taken apart, in octets.
const MAX_FIELD: usize = 16_384;

#[derive(Debug)]
struct Rename {
    selection: Selection,
    append: Option<String>,
    unbounceable: Unbounceable,
}

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let which = if section.holds("attachment") == Holds::Nothing {
        attachment::Attachments::any()
    } else {
        attachment::read(section, "attachment")?
    };
    let given = section.holds("append") != Holds::Nothing;
    let append = section.string("append").and_then(|at| {
        let name = at.value.strip_prefix('.').unwrap_or_default();
        let fits =
            (1..=MAX_EXTENSION).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !fits {
            let what = format!("`append` takes a dot and up to {MAX_EXTENSION} of a-z, A-Z, 0-9 and -");
            section.problem(&at.span, Code::WrongValue, what, "write it as \".blocked\"");
        }
        fits.then_some(at.value)
    });
    let attached_messages = section.boolean("attached_messages").is_some_and(|at| at.value);
    let protected = read_protected(section);
    let unbounceable = attachments::read_unbounceable(section);
    if given && append.is_none() {
        return None;
    }
    let selection = Selection { which, attached_messages, protected };
    Some(Box::new(Rename { selection, append, unbounceable }))
}

impl Rename {
    /// Write the names of one attachment anew; answers whether one changed.
    fn rename(&self, draft: &mut Draft<'_>, attachment: &Attachment) -> Result<bool, ActionError> {
        let mut changed = false;
        for mut value in draft.fields_of(attachment.part) {
            let is = |name: &str| value.name.eq_ignore_ascii_case(name);
            if !is("Content-Type") && !is("Content-Disposition") || value.raw.len() > MAX_FIELD {
                continue;
            }
            for which in 0..ParameterText::read(&value.raw).len() {
                let Some(name) = ParameterText::read(&value.raw).into_iter().nth(which) else { break };
                let edits = self.edits(name.text());
                if edits.is_empty() {
                    continue;
                }
                if !draft.edit_name(&mut value, &name, &edits) {
                    return Err(ActionError::Header);
                }
                changed = true;
            }
        }
        Ok(changed)
    }

    fn edits(&self, name: &str) -> Vec<TextEdit> {
        let mut edits = tamed(name);
        let Some(append) = &self.append else { return edits };
        // What is left of the name, from its end: the last character takes the extension with it.
        for (at, c) in name.char_indices().rev() {
            let range = at..at + c.len_utf8();
            let edit = edits.iter_mut().rfind(|edit| edit.range.start <= at && range.end <= edit.range.end);
            match edit {
                Some(edit) if edit.text.is_empty() => {}
                Some(edit) => {
                    edit.text.push_str(append);
                    return edits;
                }
                None => {
                    let before = name.get(..range.end).unwrap_or_default();
                    let is_there = before.len() >= append.len()
                        && before
                            .get(before.len() - append.len()..)
                            .is_some_and(|end| end.eq_ignore_ascii_case(append));
                    if !is_there {
                        let text = format!("{c}{append}");
                        edits.push(TextEdit { range, text });
                        edits.sort_by_key(|edit| edit.range.start);
                    }
                    return edits;
                }
            }
        }
        edits
    }
}

impl Rename {
    /// The edits of a name in a text, where it begins at `start`.
    fn edits_in_text(&self, name: &str, start: usize) -> Vec<TextEdit> {
        // Without a name it would be no file any more for those who look for one.
        if tame(name).is_empty() {
            let append = self.append.as_deref().unwrap_or_default();
            return vec![TextEdit { range: start..start + name.len(), text: format!("attachment{append}") }];
        }
        let moved = |edit: TextEdit| TextEdit { range: edit.range.start + start..edit.range.end + start, ..edit };
        self.edits(name).into_iter().map(moved).collect()
    }
}

impl Action for Rename {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        scene.draft.permit(Permission::Names);
        if self.selection.attached_messages {
            scene.draft.permit(Permission::AttachedMessages);
        }
        let done = self.selection.each(
            scene.draft,
            &mut Act {
                part: &mut |draft, attachment| self.rename(draft, attachment),
                in_text: &|draft, attachment, file| {
                    let name = draft.text(attachment.part)?.get(file.name.clone()).unwrap_or_default();
                    Ok(self.edits_in_text(name, file.name.start))
                },
                put: &|draft, part, edits| draft.edit(part, edits),
            },
        )?;
        Ok(match done {
            Done { count: 0, locked: 0 } => Effect::Nothing("every name is what it says"),
            Done { count: 0, locked } => Effect::Unfit(format!("{} inside of a protected part", counted(locked))),
            Done { count, .. } => Effect::Edited(count, format!("{} renamed", counted(count))),
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        let needs = |attachment: &Attachment| {
            let names = attachment.name.as_deref().map(|name| !self.edits(name).is_empty());
            scene.draft.lock(attachment).is_some() && names == Some(true)
        };
        let passing = self.selection.which.passing(scene.draft)?;
        if !passing.iter().any(needs) {
            return None;
        }
        self.selection.policy(scene)
    }
    fn edits_body(&self) -> bool {
        true
    }
    fn protected_policy(&self) -> Option<Protected> {
        Some(self.selection.protected)
    }
    fn unbounceable(&self) -> Unbounceable {
        self.unbounceable
    }
}
