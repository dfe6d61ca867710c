//! Attachments are taken off, and it is said so in their place.

use std::sync::Arc;

use minijinja::value::Value;

use super::super::super::readable::as_html;
use super::super::super::section::{Holds, Section};
use super::super::super::template::{self, Context, Template};
use super::super::super::{ActionError, Effect, Scene, Unbounceable};
use super::super::Written;
use super::{Details, Done, Selection, counted, filled, read_protected, read_unbounceable};
use crate::message::{Attachment, Block, BodyError, Draft, Notice, Place, Taken, html};
use crate::rule::conditions::attachment;

/// Where it is said that an attachment is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Part,
    Body,
    Nowhere,
}

/// Values of variables, by their names.
type Values = Vec<(&'static str, Value)>;

/// `strip_attachments` or what of `store_attachments` is the same.
#[derive(Debug)]
pub(in crate::rule::actions) struct Removal {
    pub selection: Selection,
    pub unbounceable: Unbounceable,
    shown: Shown,
    text: Template,
    html: Option<Template>,
}

impl Removal {
    /// Read the options; `text` is what is said where the rule says nothing else.
    pub fn read(section: &mut Section<'_>, text: &str, variables: &'static [template::Variable]) -> Option<Self> {
        if section.holds("attachment") == Holds::Nothing {
            section.missing("attachment");
        }
        let which = attachment::read(section, "attachment");
        let attached_messages = section.boolean("attached_messages").is_some_and(|at| at.value);
        let protected = read_protected(section);
        let unbounceable = read_unbounceable(section);
        let words = [("part", Shown::Part), ("body", Shown::Body), ("none", Shown::Nowhere)];
        let shown = section.choice("notice", &words).map_or(Shown::Part, |found| found.value);
        let given = [section.holds("text"), section.holds("html")].map(|holds| holds != Holds::Nothing);
        let own_text = Template::read_with(section, "text", Context::Text, variables);
        let html = Template::read_with(section, "html", Context::Html, variables);
        let sound = given == [own_text.is_some(), html.is_some()];
        let text = own_text.or_else(|| Template::built_in(text, Context::Text, variables))?;
        let selection = Selection { which: which?, attached_messages, protected };
        sound.then_some(Self { selection, unbounceable, shown, text, html })
    }

    /// Take them off. `before` sees each one first, and adds the values of variables.
    pub fn run(
        &self,
        scene: &mut Scene<'_, '_>,
        before: &dyn Fn(&Scene<'_, '_>, &Details) -> Result<Values, ActionError>,
    ) -> Result<Done, ActionError> {
        if self.selection.attached_messages {
            scene.draft.permit(crate::message::Permission::AttachedMessages);
        }
        // Templates look at the message as the rules before have left it.
        let mut draft = scene.draft.clone();
        let done = self.selection.each(&mut draft, &mut |draft, attachment| {
            let details = Details::of(draft, attachment)?;
            let mut values = details.values();
            values.extend(before(scene, &details)?);
            let text = filled(&self.text, scene, &values)?.text().trim_matches('\n').to_owned();
            let html = match &self.html {
                Some(html) => filled(html, scene, &values)?.text().into_owned(),
                None => as_html(&text),
            };
            let block = Block { html: html::shielded(html.trim()), text, images: Vec::new() };
            self.take_off(draft, attachment, &details, &block)
        })?;
        *scene.draft = draft;
        Ok(done)
    }

    fn take_off(
        &self,
        draft: &mut Draft<'_>,
        attachment: &Attachment,
        details: &Details,
        block: &Block,
    ) -> Result<bool, ActionError> {
        let notice = Notice::new(&block.text, &details.name)
            .ok_or_else(|| ActionError::Template("the notice grew too large".to_owned()))?;
        let taken = draft.take_off(attachment.part, notice, self.shown == Shown::Part)?;
        match (taken, self.shown) {
            (Taken::WithoutNotice, Shown::Body) => say_in_body(draft, block)?,
            (Taken::OutOfAlternatives, _) => draft.put_beside(block, Place::End)?,
            _ => {}
        }
        Ok(true)
    }

    /// The notice as it stands in bodies and beside a message, for other blocks to know it as one of ours.
    pub fn block(&self, scene: &Scene<'_, '_>, variables: &'static [template::Variable]) -> Option<Arc<Written>> {
        if self.shown == Shown::Nowhere {
            return None;
        }
        let values: Vec<_> = variables.iter().map(|variable| (variable.name, Value::from("0"))).collect();
        let text = filled(&self.text, scene, &values).ok()?;
        let html = match &self.html {
            Some(html) => filled(html, scene, &values).ok()?.map(|html| html::shielded(html.trim())),
            None => text.map(|text| html::shielded(as_html(text.trim_matches('\n')).trim())),
        };
        Some(Arc::new(Written::new(&text, &html)))
    }

    /// What is reported of it.
    pub fn effect(done: Done, did: &str) -> Effect {
        match done {
            Done { count: 0, locked: 0 } => Effect::Nothing("no attachment passes its tests"),
            Done { count: 0, locked } => Effect::Unfit(format!("{} inside of a protected part", counted(locked))),
            Done { count, locked: 0 } => Effect::Edited(count, format!("{} {did}", counted(count))),
            Done { count, locked } => Effect::Edited(
                count,
                format!("{} {did}, {} inside of a protected part left alone", counted(count), counted(locked)),
            ),
        }
    }
}

/// Below the text of each body, or beside the message where there is none or it cannot be edited.
fn say_in_body(draft: &mut Draft<'_>, block: &Block) -> Result<(), BodyError> {
    match draft.insert(block, Place::End) {
        Ok(1..) => Ok(()),
        Ok(0) | Err(_) => draft.put_beside(block, Place::End),
    }
}
