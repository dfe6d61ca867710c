//! What the actions on attachments share: which ones, in which messages, and what is said in their place.
//!
//! Invariant: what is inside of a signed or encrypted part stays, whatever a rule asks for; and a second run finds nothing
//! left to do.

mod options;
mod removal;
#[cfg(test)]
mod tests;

use crate::hex::hex;
use minijinja::value::Value;
use sha2::{Digest, Sha256};

use super::super::conditions::attachment::Attachments;
use super::super::template::{Filled, Template};
use super::super::{ActionError, Protected, Scene};
use super::block::{ANY_END, ANY_NAME};
use crate::message::{Attachment, BodyError, Draft, Message, PartId, TextEdit, Uuencoded, tame};
use crate::stored::PREFIX;
pub(super) use options::{
    ATTACHED_MESSAGES, ATTACHMENT, HTML, MESSAGE, NOTICE, PROTECTED, TEXT, UNBOUNCEABLE, read_protected,
    read_unbounceable,
};
pub(super) use removal::Removal;

/// Attached messages are looked into this deep.
const MAX_ATTACHED: usize = 5;

/// Which attachments an action is about.
#[derive(Debug)]
pub(super) struct Selection {
    pub which: Attachments,
    pub attached_messages: bool,
    pub protected: Protected,
}

/// What an action does to one attachment; answers whether it did anything.
pub(super) type Each<'e> = dyn FnMut(&mut Draft<'_>, &Attachment) -> Result<bool, ActionError> + 'e;

/// What it makes of one that stands in the midst of a text: edits of the text.
pub(super) type EachInText<'e> = dyn Fn(&Draft<'_>, &Attachment, &Uuencoded) -> Result<Vec<TextEdit>, ActionError> + 'e;

/// How such edits go into the text of a body.
pub(super) type Put<'e> = dyn Fn(&mut Draft<'_>, PartId, &[TextEdit]) -> Result<(), BodyError> + 'e;

/// What an action does.
pub(super) struct Act<'e> {
    pub part: &'e mut Each<'e>,
    pub in_text: &'e EachInText<'e>,
    pub put: &'e Put<'e>,
}

/// What became of the attachments of a message.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    /// So many were dealt with.
    pub count: usize,
    /// So many are inside of what must not be edited.
    pub locked: usize,
}

impl Selection {
    /// Do something to each attachment that is meant, also in attached messages if it is to be.
    pub fn each(&self, draft: &mut Draft<'_>, act: &mut Act<'_>) -> Result<Done, ActionError> {
        self.each_in(draft, 0, act)
    }

    fn each_in(&self, draft: &mut Draft<'_>, depth: usize, act: &mut Act<'_>) -> Result<Done, ActionError> {
        let mut done = Done::default();
        let mut passing = self.which.passing(draft).unwrap_or_default();
        let all = passing.len();
        passing.retain(|attachment| draft.lock(attachment).is_none());
        done.locked = all - passing.len();
        // Those in texts first: edits of a text are of the text as it was looked at.
        let mut texts: Vec<(PartId, Vec<TextEdit>)> = Vec::new();
        for attachment in &passing {
            let Some(file) = &attachment.in_text else { continue };
            let edits = (act.in_text)(draft, attachment, file)?;
            done.count += usize::from(!edits.is_empty());
            match texts.last_mut().filter(|(part, _)| *part == attachment.part) {
                Some((_, of_part)) => of_part.extend(edits),
                None => texts.push((attachment.part, edits)),
            }
        }
        for (part, edits) in texts.iter().filter(|(_, edits)| !edits.is_empty()) {
            (act.put)(draft, *part, edits)?;
        }
        for attachment in passing.iter().filter(|attachment| attachment.in_text.is_none()) {
            done.count += usize::from((act.part)(draft, attachment)?);
        }
        if !self.attached_messages || depth >= MAX_ATTACHED {
            return Ok(done);
        }
        for part in draft.attached_messages() {
            if draft.lock_of(part).is_some() {
                continue;
            }
            let Some(raw) = draft.attached_bytes(part) else { continue };
            let message = Message::parse(&raw);
            let mut inner = Draft::new(&message);
            inner.permit_as(draft);
            let inside = self.each_in(&mut inner, depth + 1, act)?;
            done.locked += inside.locked;
            if !inner.is_unchanged() {
                if let Some(doubt) = draft.message().doubt() {
                    return Err(doubt.into());
                }
                let rendered = inner.render().map_err(ActionError::Attached)?;
                draft.put_attached(part, &rendered);
                done.count += inside.count;
            }
        }
        Ok(done)
    }

    /// What the rule does where some of what is meant must not be edited; `None` where it goes on with the rest.
    pub fn policy(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        let draft = &*scene.draft;
        draft.protection()?;
        let passing = self.which.passing(draft)?;
        let is_locked = |attachment: &Attachment| draft.lock(attachment).is_some();
        (self.protected != Protected::Wrap && passing.iter().any(is_locked)).then_some(self.protected)
    }
}

/// What templates say of one attachment.
#[derive(Debug, Clone)]
pub(super) struct Details {
    pub name: String,
    pub media_type: String,
    /// Decoded, where that can be done.
    pub content: Option<Vec<u8>>,
    pub size: u64,
    pub sha256: [u8; 32],
}

impl Details {
    pub fn of(draft: &Draft<'_>, attachment: &Attachment) -> Result<Self, ActionError> {
        let message = draft.message();
        let content = draft.octets(attachment);
        let raw = message.part(attachment.part).map(|part| message.bytes(&part.body)).ok_or(BodyError::Encoding)?;
        let octets = content.as_deref().unwrap_or(raw);
        Ok(Self {
            name: tame(attachment.name.as_deref().unwrap_or_default()),
            media_type: attachment.media_type.clone(),
            size: octets.len() as u64,
            sha256: Sha256::digest(octets).into(),
            content: content.map(std::borrow::Cow::into_owned),
        })
    }

    /// The values of [`super::super::template::STORED`] for an attachment of which nothing is known.
    pub fn any(link: &str) -> Vec<(&'static str, Value)> {
        vec![
            ("attachment.key", Value::from(format!("{PREFIX}{ANY_END}"))),
            ("attachment.link", Value::from(link)),
            ("attachment.name", Value::from(ANY_NAME.to_string())),
            ("attachment.sha256", Value::from("0".repeat(64))),
            ("attachment.size", Value::from(0)),
            ("attachment.type", Value::from(ANY_END.to_string())),
        ]
    }

    /// The values of [`super::super::template::ATTACHMENT`].
    pub fn values(&self) -> Vec<(&'static str, Value)> {
        let name = match &*self.name {
            "" if self.media_type.starts_with("message/") => "attached message",
            "" => "without a name",
            name => name,
        };
        let hex = hex(&self.sha256);
        vec![
            ("attachment.name", Value::from(name)),
            ("attachment.sha256", Value::from(hex)),
            ("attachment.size", Value::from(self.size)),
            ("attachment.type", Value::from(self.media_type.as_str())),
        ]
    }
}

/// `1 attachment`, `2 attachments`.
pub(super) fn counted(count: usize) -> String {
    if count == 1 { "1 attachment".to_owned() } else { format!("{count} attachments") }
}

/// A template about an attachment, filled in.
fn filled<'t>(
    template: &'t Template,
    scene: &Scene<'_, '_>,
    values: &[(&'static str, Value)],
) -> Result<Filled<'t>, ActionError> {
    template.fill_with(scene, values)
}
