//! What templates may name.

use mail_parser::MessageParser;
use minijinja::value::Value;

use super::super::conditions::kind as sort;
use super::super::{ActionError, Scene};
use crate::directory::{Attribute, Fact};
use crate::message::Draft;

/// Characters of a value that templates see.
const MAX_VALUE: usize = 1_000;

/// One variable of the templates.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name, such as `sender.address`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub doc: &'static str,
    /// A value for trying a template out.
    pub sample: &'static str,
    source: Source,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Text(fn(&Scene<'_, '_>) -> String),
    Number(fn(&Scene<'_, '_>) -> usize),
    Flag(fn(&Scene<'_, '_>) -> bool),
    /// What the directory tells of the sender.
    Directory(Attribute),
    /// Given by whoever fills the template in.
    Given,
}

impl Variable {
    const fn text(
        name: &'static str,
        doc: &'static str,
        sample: &'static str,
        of: fn(&Scene<'_, '_>) -> String,
    ) -> Self {
        Self { name, doc, sample, source: Source::Text(of) }
    }
    const fn number(name: &'static str, doc: &'static str, of: fn(&Scene<'_, '_>) -> usize) -> Self {
        Self { name, doc, sample: "1", source: Source::Number(of) }
    }
    const fn flag(name: &'static str, doc: &'static str, of: fn(&Scene<'_, '_>) -> bool) -> Self {
        Self { name, doc, sample: "true", source: Source::Flag(of) }
    }
    const fn directory(name: &'static str, doc: &'static str, sample: &'static str, attribute: Attribute) -> Self {
        Self { name, doc, sample, source: Source::Directory(attribute) }
    }

    const fn given(name: &'static str, doc: &'static str, sample: &'static str) -> Self {
        Self { name, doc, sample, source: Source::Given }
    }

    /// True for what has to be looked up in the directory.
    pub fn is_of_directory(&self) -> bool {
        matches!(self.source, Source::Directory(_))
    }

    /// What it holds for this message; empty where there is nothing. An error where the directory could not tell.
    pub(super) fn value(&self, scene: &Scene<'_, '_>) -> Result<Value, ActionError> {
        Ok(match self.source {
            Source::Text(of) => Value::from(line(&of(scene))),
            Source::Number(of) => Value::from(of(scene)),
            Source::Flag(of) => Value::from(of(scene)),
            Source::Given => Value::from(""),
            Source::Directory(attribute) => match scene.facts.people.sender.person.as_ref() {
                Fact::Known(person) => {
                    let value = person.as_ref().and_then(|person| person.get(attribute));
                    Value::from(line(value.unwrap_or_default()))
                }
                Fact::Unknown(why) => return Err(ActionError::Template(format!("the sender is not known: {why}"))),
            },
        })
    }

    /// A value for trying a template out: the sample, or the emptiest of its type.
    pub(super) fn trial(&self, sample: bool) -> Value {
        match self.source {
            Source::Number(_) => Value::from(usize::from(sample)),
            Source::Flag(_) => Value::from(sample),
            Source::Given if let Ok(number) = self.sample.parse::<u64>() => {
                Value::from(if sample { number } else { 0 })
            }
            _ if sample => Value::from(self.sample),
            _ => Value::from(""),
        }
    }
}

/// Every variable, in alphabetical order.
pub const VARIABLES: &[Variable] = &[
    Variable::text("direction", "`inbound` or `outbound`.", "outbound", |scene| {
        scene.envelope.direction.as_str().to_owned()
    }),
    Variable::text(
        "from.address",
        "The address in the From field, which a reader sees and anybody can write.",
        "ann@example.com",
        |scene| shown(scene, "From").1,
    ),
    Variable::text("from.name", "The name in the From field; empty where there is none.", "Ann Lee", |scene| {
        shown(scene, "From").0
    }),
    Variable::number("message.attachments", "How many attachments the message came with.", |scene| {
        Draft::new(scene.draft.message()).attachments().len()
    }),
    Variable::text(
        "message.id",
        "The flow's handle for the message; not its Message-ID.",
        "00000000-0000-0000-0000-000000000000",
        |scene| scene.envelope.message_id.clone(),
    ),
    Variable::flag("message.is_forward", "True for a message that passes on another one.", sort::is_forward),
    Variable::flag("message.is_new", "True for a message that is neither a reply nor a forward.", |scene| {
        !sort::is_forward(scene) && !sort::is_reply(scene)
    }),
    Variable::flag("message.is_reply", "True for a reply that is no forward.", |scene| {
        sort::is_reply(scene) && !sort::is_forward(scene)
    }),
    Variable::text("message.message_id", "The Message-ID field, without angle brackets.", "1@example.com", |scene| {
        first(scene, "Message-ID").trim_matches(|c: char| c.is_whitespace() || "<>".contains(c)).to_owned()
    }),
    Variable::number("message.size", "The size of the message as it came in, in octets.", |scene| {
        scene.draft.message().raw().len()
    }),
    Variable::text(
        "now",
        "When the message passes, in UTC, for the filter `date`: `{{ now | date(\"%d.%m.%Y\", zone=\"Europe/Berlin\") }}`.",
        "2026-10-05T10:00:00Z",
        |scene| scene.facts.now.map_or(String::new(), |now| now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
    ),
    Variable::number("recipients.count", "How many recipients this copy goes to.", |scene| {
        scene.envelope.recipients.len()
    }),
    Variable::text("rule.name", "The name of the rule.", "legal-notice", |scene| scene.rule.to_owned()),
    Variable::text(
        "sender.address",
        "The address of the sender by the flow; empty for bounces.",
        "ann@example.com",
        |scene| scene.envelope.sender.as_ref().map_or(String::new(), |a| a.as_str().to_owned()),
    ),
    Variable::directory("sender.city", "City of the sender, by the directory.", "Berlin", Attribute::City),
    Variable::directory(
        "sender.company",
        "Company of the sender, by the directory.",
        "Example Ltd",
        Attribute::Company,
    ),
    Variable::directory("sender.country", "Country of the sender, by the directory.", "Germany", Attribute::Country),
    Variable::directory(
        "sender.department",
        "Department of the sender, by the directory.",
        "Sales",
        Attribute::Department,
    ),
    Variable::directory(
        "sender.display_name",
        "Name of the sender as the directory shows it.",
        "Ann Lee",
        Attribute::DisplayName,
    ),
    Variable::text(
        "sender.domain",
        "The domain of the sender by the flow; empty for bounces.",
        "example.com",
        |scene| scene.envelope.sender.as_ref().map_or(String::new(), |a| a.domain().as_str().to_owned()),
    ),
    Variable::directory(
        "sender.email",
        "First address of the sender, by the directory.",
        "ann@example.com",
        Attribute::Email,
    ),
    Variable::directory(
        "sender.first_name",
        "First name of the sender, by the directory.",
        "Ann",
        Attribute::FirstName,
    ),
    Variable::directory("sender.initials", "Initials of the sender, by the directory.", "AL", Attribute::Initials),
    Variable::directory(
        "sender.job_title",
        "Job title of the sender, by the directory.",
        "Engineer",
        Attribute::JobTitle,
    ),
    Variable::directory("sender.last_name", "Last name of the sender, by the directory.", "Lee", Attribute::LastName),
    Variable::directory("sender.name", "User name of the sender, by the directory.", "ann", Attribute::Name),
    Variable::directory("sender.office", "Office of the sender, by the directory.", "B 12", Attribute::Office),
    Variable::directory(
        "sender.street",
        "Street of the sender, by the directory.",
        "1 Example Street",
        Attribute::Street,
    ),
    Variable::directory(
        "sender.telephone",
        "Telephone number of the sender, by the directory.",
        "+49 30 0000000",
        Attribute::Telephone,
    ),
    Variable::directory("sender.zip_code", "Postal code of the sender, by the directory.", "10115", Attribute::ZipCode),
    Variable::text(
        "subject",
        "The subject as the rules before have left it; empty where there is none.",
        "Minutes of Monday",
        |scene| scene.draft.subject().unwrap_or_default(),
    ),
    Variable::text("to.address", "The first address in the To field.", "kim@example.net", |scene| shown(scene, "To").1),
    Variable::text(
        "to.name",
        "The name beside the first address in the To field; empty where there is none.",
        "Kim Park",
        |scene| shown(scene, "To").0,
    ),
];

const ATTACHMENT_NAME: Variable = Variable::given(
    "attachment.name",
    "The file name, without what deceives (directions, control characters, folders).",
    "report.pdf",
);
const ATTACHMENT_SHA256: Variable = Variable::given(
    "attachment.sha256",
    "SHA-256 of its content in hex: what a virus scanner or a search knows it by.",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
);
const ATTACHMENT_SIZE: Variable =
    Variable::given("attachment.size", "Its size in octets, its transfer encoding undone.", "48213");
const ATTACHMENT_TYPE: Variable = Variable::given("attachment.type", "The declared media type.", "application/pdf");

/// The variables of templates about one attachment.
pub const ATTACHMENT: &[Variable] = &[ATTACHMENT_NAME, ATTACHMENT_SHA256, ATTACHMENT_SIZE, ATTACHMENT_TYPE];

/// The variables of templates about an attachment that is stored.
pub const STORED: &[Variable] = &[
    Variable::given(
        "attachment.key",
        "Where a stored attachment is in its bucket: `attachments/` and 64 hex digits.",
        "attachments/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
    Variable::given(
        "attachment.link",
        "The link to a stored attachment.",
        "https://files.example.com/attachments/9f86d081884c7d659a2feaa0c55ad015",
    ),
    ATTACHMENT_NAME,
    ATTACHMENT_SHA256,
    ATTACHMENT_SIZE,
    ATTACHMENT_TYPE,
];

fn first(scene: &Scene<'_, '_>, field: &str) -> String {
    scene.draft.values(field).into_iter().next().unwrap_or_default()
}

/// Name and address of whom a field names first.
fn shown(scene: &Scene<'_, '_>, field: &str) -> (String, String) {
    let Some(raw) = scene.draft.raw_values(field).into_iter().next() else { return Default::default() };
    let header = [format!("{field}:").as_bytes(), &raw, b"\r\n\r\n"].concat();
    let Some(message) = MessageParser::new().parse_headers(&header[..]) else { return Default::default() };
    let addresses = if field == "From" { message.from() } else { message.to() };
    let Some(first) = addresses.and_then(mail_parser::Address::first) else { return Default::default() };
    let text = |text: Option<&str>| text.unwrap_or_default().trim().to_owned();
    (text(first.name()), text(first.address()))
}

/// A value for templates: line ends and control characters, which encoded words may hold, are spaces; one that is longer
/// than any real one is cut, so that no sender can make a template fail.
fn line(text: &str) -> String {
    text.chars().take(MAX_VALUE).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
