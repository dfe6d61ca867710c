//! `store_attachments`: attachments are stored outside of the message, which gets a link to them.

use std::cell::RefCell;
use std::sync::Arc;

use minijinja::value::Value;

use super::super::problem::Code;
use super::super::section::{Holds, Section};
use super::super::template::{self, Context, Template};
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Protected, Scene, Takes, Unbounceable};
use super::Written;
use super::attachments::{self, Details, Removal};
use super::block::ANY_END;
use crate::envelope::Direction;
use crate::message::BodyError;
use crate::stored::{MAX_LIFE, PREFIX, Stored};

/// `store_attachments`.
pub const KIND: ActionKind = ActionKind {
    kind: "store_attachments",
    doc: "Stores attachments in a bucket and leaves a link to each in its place; all other parts keep every byte. Needs \
          the bucket of `MAILWRIGHT_ATTACHMENTS`.",
    options: &[
        attachments::ATTACHMENT,
        OptionDoc {
            key: "link",
            takes: Takes::Template,
            default: "a link to S3 that expires",
            doc: "The link, such as \"https://files.example.com/{{ attachment.key }}\" where a server of yours gives the \
                  bucket's objects to those who may have them. `attachment.key` is `attachments/` and 64 hex digits.",
        },
        OptionDoc {
            key: "hours",
            takes: Takes::Number(1, (MAX_LIFE / HOUR) as u64),
            default: "24",
            doc: "How long a link without `link` works. It is signed with the credentials of the function's role, and ends \
                  with them in any case, often within 12 hours: for links that have to last, use `link`.",
        },
        attachments::NOTICE,
        OptionDoc {
            key: "text",
            takes: Takes::Template,
            default: "name, size, link and SHA-256",
            doc: "What the notice says. Variables of its own: those of `strip_attachments`, `attachment.link` and \
                  `attachment.key`.",
        },
        attachments::HTML,
        attachments::ATTACHED_MESSAGES,
        attachments::PROTECTED,
        attachments::UNBOUNCEABLE,
    ],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"store_attachments\"\nattachment = { size = { over = \"10 MB\" } }\n\
              link = \"https://files.example.com/{{ attachment.key }}\"\n",
    compile,
};

const MESSAGE: &str = "The attachment \"{{ attachment.name }}\" ({{ attachment.size }} octets) is stored here:\n\
                       {{ attachment.link }}\nSHA-256: {{ attachment.sha256 }}";
const HTML: &str = "The attachment \"<a href=\"{{ attachment.link }}\">{{ attachment.name }}</a>\" ({{ attachment.size }} \
                    octets) is stored. The link leads to it.<br>\nSHA-256: {{ attachment.sha256 }}";
const HOUR: u32 = 3_600;

#[derive(Debug)]
struct Store {
    removal: Removal,
    link: Option<Template>,
    /// In seconds.
    life: u32,
}

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let given = [section.holds("link"), section.holds("hours")].map(|holds| holds != Holds::Nothing);
    let link = Template::read_with(section, "link", Context::Text, template::STORED);
    let mut hours = section.number("hours");
    if let Some(at) = hours.as_ref().filter(|at| !(1..=u64::from(MAX_LIFE / HOUR)).contains(&at.value)) {
        let span = at.span.clone();
        let help = "S3 takes no link that works for more than a week; for longer, use `link`";
        section.problem(&span, Code::WrongValue, "`hours` is 1 to 168", help);
        hours = None;
    }
    if let Some(at) = hours.as_ref().filter(|_| given == [true, true]) {
        let span = at.span.clone();
        let help = "leave `hours` out: how long your server gives a file is its own affair";
        section.problem(
            &span,
            Code::WrongValue,
            "`hours` is for links that expire, which those of `link` do not",
            help,
        );
        hours = None;
    }
    let is_same_for_all = link.as_ref().is_some_and(|link| !link.source().contains("attachment.key"));
    if is_same_for_all {
        let span = section.span_of("link");
        let help = "put `{{ attachment.key }}` into it";
        section.problem(&span, Code::WrongValue, "every attachment would have the same link", help);
    }
    let removal = Removal::read(section, (MESSAGE, Some(HTML)), template::STORED)?;
    let life = hours.as_ref().and_then(|at| u32::try_from(at.value).ok()).map_or(24 * HOUR, |hours| hours * HOUR);
    let sound = !is_same_for_all && given == [link.is_some(), hours.is_some()];
    sound.then(|| Box::new(Store { removal, link, life }) as Box<dyn Action>)
}

impl Store {
    /// What leads to an attachment of which nothing is known: the host and what is the same for all.
    fn any_link(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let Some(template) = &self.link else {
            let link = scene.facts.links.link(PREFIX, scene.facts.now, self.life);
            let (host, _) = link.split_once(PREFIX)?;
            return Some(format!("{host}{PREFIX}{ANY_END}"));
        };
        let link = template.fill_with(scene, &Details::any("")).ok()?.text().into_owned();
        // A filter of the template may have encoded it.
        let encoded =
            ANY_END.to_string().bytes().fold(String::new(), |encoded, octet| encoded + &format!("%{octet:02X}"));
        Some(link.replace(&encoded, &ANY_END.to_string()).split_whitespace().collect())
    }
}

impl Action for Store {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let stored = RefCell::new(Vec::new());
        let (links, now) = (scene.facts.links.clone(), scene.facts.now);
        let done = self.removal.run(scene, &|scene, details| {
            // What cannot be decoded cannot be given to anybody.
            let content = details.content.clone().ok_or(BodyError::Encoding)?;
            let new = Stored::new(&details.name, &details.media_type, content.into());
            let mut values = vec![("attachment.key", Value::from(new.key()))];
            let link = match &self.link {
                Some(link) => link.fill_with(scene, &[details.values(), values.clone()].concat())?.text().into_owned(),
                None => links.link(new.key(), now, self.life),
            };
            let link: String = link.split_whitespace().collect();
            values.push(("attachment.link", Value::from(link)));
            stored.borrow_mut().push(new);
            Ok(values)
        })?;
        stored.into_inner().into_iter().for_each(|stored| scene.draft.set_aside(stored));
        Ok(Removal::effect(done, "stored"))
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        self.removal.selection.policy(scene)
    }
    fn block(&self, scene: &Scene<'_, '_>) -> Option<Arc<Written>> {
        self.removal.block(scene, &self.any_link(scene)?)
    }
    fn edits_body(&self) -> bool {
        true
    }
    fn protected_policy(&self) -> Option<Protected> {
        Some(self.removal.selection.protected)
    }
    fn unbounceable(&self) -> Unbounceable {
        self.removal.unbounceable
    }
    fn stores(&self) -> bool {
        true
    }
}
