//! `add_recipients`: more people get the message.
//!
//! WorkMail adds them as Bcc: the To and Cc fields stay as they are. The list is fixed when the rules are loaded, so that a
//! second try of the same message answers the same without running the rules.

use super::super::problem::Code;
use super::super::section::{Holds, Section};
use super::super::toml_value::shown;
use super::super::{Action, ActionError, ActionKind, Effect, OptionDoc, Scene, Takes};
use crate::directory::Need;
use crate::envelope::{Address, Direction};

/// `add_recipients`.
pub const KIND: ActionKind = ActionKind {
    kind: "add_recipients",
    doc: "Adds recipients, whom nobody sees (Bcc): outbound any, inbound addresses of the organization. Who is added gets the \
          message as it leaves the rules, also where it is bounced or dropped for the others. Who is a recipient already is not \
          added, and gets what is answered for them anyway.",
    options: &[OptionDoc {
        key: "addresses",
        takes: Takes::Texts("address"),
        default: "",
        doc: "Who is added; `{ file = \"lists/archive.txt\" }` is a list of them.",
    }],
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"add_recipients\"\naddresses = \"archive@example.com\"\n",
    compile,
};

/// Addresses of one action: a message has 500 recipients at most.
const MAX_ADDRESSES: usize = 100;

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    if section.holds("addresses") == Holds::Nothing {
        section.missing("addresses");
        return None;
    }
    let written = section.strings("addresses")?;
    let mut addresses: Vec<Address> = Vec::with_capacity(written.len());
    let mut sound = true;
    for at in &written {
        if let Ok(address) = Address::new(&at.value) {
            addresses.push(address);
        } else {
            let what = format!("\"{}\" is not an e-mail address", shown(&at.value));
            section.problem(&at.span, Code::WrongValue, what, "write it as \"archive@example.com\"");
            sound = false;
        }
    }
    if addresses.len() > MAX_ADDRESSES {
        let span = section.span_of("addresses");
        let what = format!("{} addresses; {MAX_ADDRESSES} are allowed", addresses.len());
        section.problem(&span, Code::WrongValue, what, "a group of WorkMail is one address");
        return None;
    }
    sound.then(|| Box::new(AddRecipients(addresses)) as Box<dyn Action>)
}

#[derive(Debug)]
struct AddRecipients(Vec<Address>);

impl Action for AddRecipients {
    fn run(&self, _: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        Ok(Effect::Add(self.0.clone()))
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn need(&self) -> Need {
        // Inbound mail goes to addresses of the organization only.
        Need { domains: true, ..Need::default() }
    }
    fn adds(&self) -> &[Address] {
        &self.0
    }
}
