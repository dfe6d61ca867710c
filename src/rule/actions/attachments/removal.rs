//! Attachments are taken off, and it is said so in their place.

use std::sync::Arc;

use minijinja::value::Value;

use super::super::super::readable::as_html;
use super::super::super::section::{Holds, Section};
use super::super::super::template::{self, Context, Template};
use super::super::super::{ActionError, Effect, Scene, Unbounceable};
use super::super::Written;
use super::{Act, Details, Done, Selection, counted, filled, read_protected, read_unbounceable};
use crate::message::{Attachment, Block, Draft, Notice, Said, TextEdit, html};
use crate::rule::conditions::attachment;

/// Values of variables, by their names.
type Values = Vec<(&'static str, Value)>;

/// `strip_attachments` or what of `store_attachments` is the same.
#[derive(Debug)]
pub(in crate::rule::actions) struct Removal {
    pub selection: Selection,
    pub unbounceable: Unbounceable,
    said: Said,
    text: Template,
    html: Option<Template>,
}

impl Removal {
    /// Read the options; `default` is what is said where the rule says nothing else, in text and, where it is not made from
    /// the text, in HTML.
    pub fn read(
        section: &mut Section<'_>,
        default: (&str, Option<&str>),
        variables: &'static [template::Variable],
    ) -> Option<Self> {
        if section.holds("attachment") == Holds::Nothing {
            section.missing("attachment");
        }
        let which = attachment::read(section, "attachment");
        let attached_messages = section.boolean("attached_messages").is_some_and(|at| at.value);
        let protected = read_protected(section);
        let unbounceable = read_unbounceable(section);
        let words = [("part", Said::InPlace), ("body", Said::InBodies), ("none", Said::Nowhere)];
        let said = section.choice("notice", &words).map_or(Said::InPlace, |found| found.value);
        let given = [section.holds("text"), section.holds("html")].map(|holds| holds != Holds::Nothing);
        let own_text = Template::read_with(section, "text", Context::Text, variables);
        let html = Template::read_with(section, "html", Context::Html, variables);
        let sound = given == [own_text.is_some(), html.is_some()];
        let built_in = default.1.filter(|_| given == [false, false]);
        let html = html.or_else(|| Template::built_in(built_in?, Context::Html, variables));
        let text = own_text.or_else(|| Template::built_in(default.0, Context::Text, variables))?;
        let selection = Selection { which: which?, attached_messages, protected };
        sound.then_some(Self { selection, unbounceable, said, text, html })
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
        let said = |draft: &Draft<'_>, attachment: &Attachment| {
            let details = Details::of(draft, attachment)?;
            let mut values = details.values();
            values.extend(before(scene, &details)?);
            let text = filled(&self.text, scene, &values)?.text().trim_matches('\n').to_owned();
            let html = match &self.html {
                Some(html) => filled(html, scene, &values)?.text().into_owned(),
                None => as_html(&text),
            };
            Ok::<_, ActionError>((details, Block { html: html::shielded(html.trim()), text, images: Vec::new() }))
        };
        let done = self.selection.each(
            &mut draft,
            &mut Act {
                part: &mut |draft, attachment| {
                    let (details, block) = said(draft, attachment)?;
                    let notice = Notice::new(&block.text, &details.name)
                        .ok_or_else(|| ActionError::Template("the notice grew too large".to_owned()))?;
                    draft.take_off(attachment.part, notice, &block, self.said)?;
                    Ok(true)
                },
                in_text: &|draft, attachment, file| {
                    let (_, block) = said(draft, attachment)?;
                    Ok(vec![TextEdit { range: file.whole.clone(), text: block.text }])
                },
                put: &|draft, part, files| draft.take_off_in_text(part, files, self.said != Said::Nowhere),
            },
        )?;
        *scene.draft = draft;
        Ok(done)
    }

    /// The notice as it stands in bodies, whatever the attachment, for other blocks to know it as one of ours. `link` is
    /// what leads to a stored one, as far as it is known.
    pub fn block(&self, scene: &Scene<'_, '_>, link: &str) -> Option<Arc<Written>> {
        if self.said == Said::Nowhere {
            return None;
        }
        let values = Details::any(link);
        let text = filled(&self.text, scene, &values).ok()?;
        let html = match &self.html {
            Some(html) => filled(html, scene, &values).ok()?.map(|html| html::shielded(html.trim())),
            None => text.map(|text| html::shielded(as_html(text.trim_matches('\n')).trim())),
        };
        Written::notice(&text, &html).map(Arc::new)
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
