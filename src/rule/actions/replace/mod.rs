//! `replace`: a text gives way to another wherever a reader sees it, such as an old telephone number to the new one.
//!
//! `find.rs` says where it stands, `with.rs` what it becomes, `shown.rs` what a reader sees of a text.
//!
//! Invariant: a second run changes nothing. What stands within the new text already (`Acme` in `Acme Ltd`) is left alone, and
//! where the new text would be found and replaced without end, the action fails and nothing is changed. Blocks of rules stay
//! as they are written; so do the targets of links, unless the rule says otherwise.

mod find;
mod options;
mod shown;
#[cfg(test)]
mod tests;
mod with;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::late::{Late, Steps};
use super::super::section::Section;
use super::super::{Action, ActionError, ActionKind, Effect, Protected, Scene};
use super::Written;
use super::block::written_by_rules;
use super::redact::views::TextKind;
use crate::envelope::Direction;
use crate::message::{BodyError, BodyKind, FieldText, FileKind, PartId, Spelled, TextEdit, Value};
use find::Find;
use shown::Shown;
use with::With;

/// `replace`.
pub const KIND: ActionKind = ActionKind {
    kind: "replace",
    doc: "Puts another text in place of what it finds in the subject and in what a reader sees of texts. Data that must not \
          leave is masked by `redact`, which looks everywhere.",
    options: options::OPTIONS,
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"replace\"\nwords = \"Oldname Ltd\"\nwith = \"Newname Ltd\"\n",
    compile: |section: &mut Section<'_>| options::read(section).map(|replace| Box::new(replace) as Box<dyn Action>),
};

/// How often a message is gone through: what is replaced can lay open another find.
const MAX_ROUNDS: usize = 4;
/// Places of one message; what stands there more often is no text that somebody wrote.
const MAX_PLACES: usize = 10_000;
/// So many texts that are seen, such as attributes, are gone through between two looks at the clock.
const VIEWS_EVERY: usize = 256;
/// What a program shows as the subject: Exchange and Outlook keep a copy in Thread-Topic.
const SUBJECTS: &[&str] = &["Subject", "Thread-Topic"];

#[derive(Debug)]
struct Replace {
    find: Find,
    with: With,
    subject: bool,
    body: bool,
    links: bool,
    protected: Protected,
}

/// A text of the message, as the rules before have left it.
#[derive(Debug, Clone, Copy)]
struct Text {
    part: PartId,
    kind: TextKind,
    /// It is a body, and no other alternative of one.
    is_body: bool,
}

/// What was done.
#[derive(Debug, Default)]
struct Done {
    places: usize,
    texts: BTreeSet<PartId>,
    subject: bool,
    failed: BTreeSet<PartId>,
    why: Option<BodyError>,
}

/// The edits of one place: of each piece of it that markup parts.
type Change = Vec<TextEdit>;

impl Replace {
    /// What becomes of one text, by what is seen of it; `room`: how many places there may be.
    fn changes(
        &self,
        each_view: impl FnOnce(&mut dyn FnMut(Shown)),
        source: &str,
        room: &mut usize,
        late: Late<'_>,
    ) -> Result<Vec<Change>, ActionError> {
        late.in_time()?;
        let mut changes: Vec<Change> = Vec::new();
        let mut steps = Steps::new(late, VIEWS_EVERY);
        let mut of_view = |view: &Shown| -> Result<(), ActionError> {
            steps.took(1)?;
            for (range, new) in self.find.in_text(view.text.text(), &self.with, *room, late)? {
                *room = room.checked_sub(1).ok_or(ActionError::TooMany("places to replace", MAX_PLACES))?;
                changes.push(view.put(range, &new));
            }
            Ok(())
        };
        let mut result = Ok(());
        each_view(&mut |view| {
            if result.is_ok() {
                result = of_view(&view);
            }
        });
        result?;
        let is_there = |edit: &TextEdit| source.get(edit.range.clone()) == Some(edit.text.as_str());
        changes.retain(|edits| !edits.iter().all(is_there));
        Ok(apart(changes))
    }

    fn of_text(
        &self,
        scene: &mut Scene<'_, '_>,
        text: Text,
        written: &mut Option<Vec<Arc<Written>>>,
        room: &mut usize,
    ) -> Result<Vec<Change>, ActionError> {
        let (late, source) = (scene.late, current(scene, text)?);
        let each_view = |see: &mut dyn FnMut(Shown)| shown::each(text.kind, source, self.links, see);
        let mut changes = self.changes(each_view, source, room, late)?;
        if changes.is_empty() {
            return Ok(changes);
        }
        let kind = if text.kind == TextKind::Html { BodyKind::Html } else { BodyKind::Plain };
        let written = written.get_or_insert_with(|| written_by_rules(scene));
        let source = current(scene, text).unwrap_or_default();
        let blocks: Vec<_> = written.iter().flat_map(|block| block.find(kind, source)).collect();
        let is_ours = |edit: &TextEdit| blocks.iter().any(|at| at.start < edit.range.end && edit.range.start < at.end);
        changes.retain(|edits| !edits.iter().any(is_ours));
        Ok(changes)
    }

    /// One pass over the subject; says whether there was anything to do.
    fn subjects(&self, scene: &mut Scene<'_, '_>, done: &mut Done, room: &mut usize) -> Result<bool, ActionError> {
        let is_one = |value: &Value<'_>| SUBJECTS.iter().any(|name| name.eq_ignore_ascii_case(&value.name));
        let mut acted = false;
        for value in scene.draft.fields_of(PartId(0)).into_iter().filter(is_one) {
            let field = FieldText::read(&value.raw);
            let view = Shown::plain(Spelled::plain(field.text(), 0));
            let changes = self.changes(|see| see(view), field.text(), room, scene.late)?;
            if changes.is_empty() {
                continue;
            }
            acted = true;
            done.places += changes.len();
            done.subject = true;
            let edits = changes.concat();
            let in_place = edits.iter().all(|edit| edit.text.is_ascii()) && scene.draft.edit_value(&value, &edits);
            if !in_place && !scene.draft.write_value(&value, &written_anew(field.text(), &edits)) {
                return Err(ActionError::Header);
            }
        }
        Ok(acted)
    }

    fn replace(&self, scene: &mut Scene<'_, '_>, body: bool) -> Result<Effect, ActionError> {
        let mut done = Done::default();
        let mut room = MAX_PLACES;
        let mut written = None;
        for _ in 0..MAX_ROUNDS {
            let mut acted = self.subject && self.subjects(scene, &mut done, &mut room)?;
            let texts = if body && self.body { texts(scene) } else { Vec::new() };
            scene.late.in_time()?;
            for text in texts.into_iter().filter(|text| !done.failed.contains(&text.part)).collect::<Vec<_>>() {
                let found = self.of_text(scene, text, &mut written, &mut room);
                let put = found.and_then(|changes| {
                    let mut edits = changes.concat();
                    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
                    match text.is_body {
                        _ if edits.is_empty() => Ok(()),
                        true => scene.draft.edit(text.part, &edits),
                        false => scene.draft.edit_file(text.part, &edits),
                    }?;
                    Ok(changes.len())
                });
                match put {
                    Ok(0) => {}
                    Ok(places) => {
                        acted = true;
                        done.places += places;
                        done.texts.insert(text.part);
                    }
                    Err(ActionError::Body(why)) => {
                        done.failed.insert(text.part);
                        done.why.get_or_insert(why);
                    }
                    Err(error) => return Err(error),
                }
            }
            if !acted {
                return Ok(done.effect());
            }
        }
        Err(ActionError::Remains)
    }
}

impl Done {
    fn effect(&self) -> Effect {
        let count = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        let places = [
            self.subject.then(|| "the subject".to_owned()),
            (!self.texts.is_empty()).then(|| count(self.texts.len(), "text")),
        ];
        let places = places.into_iter().flatten().collect::<Vec<_>>().join(" and ");
        match (self.places, &self.why) {
            (0, None) => Effect::Nothing("it stands nowhere"),
            (0, Some(why)) => Effect::Unfit(format!("a text could not be edited: {why}")),
            (n, None) => Effect::Edited(n, format!("{} in {places}", count(n, "place"))),
            (n, Some(why)) => Effect::Edited(
                n,
                format!("{} in {places}; {} could not be edited: {why}", count(n, "place"), self.failed.len()),
            ),
        }
    }
}

fn current<'d>(scene: &'d Scene<'_, '_>, text: Text) -> Result<&'d str, BodyError> {
    if text.is_body { scene.draft.text(text.part) } else { scene.draft.file_text(text.part) }
}

/// A value with the edits made, without its folding.
fn written_anew(text: &str, edits: &[TextEdit]) -> String {
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        out.replace_range(edit.range.clone(), &edit.text);
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The bodies, and other alternatives of them such as AMP.
fn texts(scene: &Scene<'_, '_>) -> Vec<Text> {
    let draft = &*scene.draft;
    let flowed = |part: PartId| {
        let part = draft.message().part(part).filter(|part| part.flowed);
        part.map_or(TextKind::Plain, |part| TextKind::Flowed { delsp: part.delsp })
    };
    let bodies = draft.free_bodies().into_iter().map(|body| Text {
        part: body.part,
        kind: if body.kind == BodyKind::Html { TextKind::Html } else { flowed(body.part) },
        is_body: true,
    });
    let files = if draft.protection().is_none() { draft.files() } else { Vec::new() };
    let others = files.into_iter().filter(|file| file.is_alternative && !file.is_calendar).filter_map(|file| {
        let known = matches!(file.kind, FileKind::Html | FileKind::Plain | FileKind::Enriched);
        known.then(|| Text { part: file.part, kind: file.kind.into(), is_body: false })
    });
    bodies.chain(others).collect()
}

/// In order; of two within each other the first stays, the other is looked at in the next round.
fn apart(mut changes: Vec<Change>) -> Vec<Change> {
    let span = |edits: &Change| {
        let start = edits.first().map_or(0, |edit| edit.range.start);
        start..edits.last().map_or(start, |edit| edit.range.end)
    };
    changes.sort_by_key(|edits| (span(edits).start, span(edits).end));
    let mut end = 0;
    changes.retain(|edits| {
        let span = span(edits);
        let apart = span.start >= end && !span.is_empty();
        if apart {
            end = span.end;
        }
        apart
    });
    changes
}

impl Action for Replace {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        self.replace(scene, true)
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        scene.draft.protection().filter(|_| self.body)?;
        match self.protected {
            Protected::Wrap => scene.draft.free_bodies().is_empty().then_some(Protected::Skip),
            policy => Some(policy),
        }
    }
    fn run_on_header(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        self.replace(scene, false)
    }
    fn edits_body(&self) -> bool {
        self.body
    }
    fn protected_policy(&self) -> Option<Protected> {
        self.body.then_some(self.protected)
    }
}
