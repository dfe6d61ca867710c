//! The event that WorkMail would send for a message: from the command line, and where that is silent from the
//! message's own From, To and Cc.
//!
//! Invariant: every message has an event, whatever its header says or lacks.

use std::collections::HashSet;
use std::sync::LazyLock;

use clap::{Args, ValueEnum};
use mail_parser::{HeaderName, MessageParser};
use mailwright::directory::Organization;
use mailwright::envelope::{Address, AddressError, Direction, Sender};
use mailwright::facts::{Clock, Timestamp};
use mailwright::hex::hex;
use mailwright::message::{FieldSpan, header_fields};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Most octets of a header that are looked at for addresses.
const MAX_HEADER: usize = 1024 * 1024;
/// Most recipients (Administrator Guide, "Amazon WorkMail quotas"); an event with more says that it is cut.
const MAX_RECIPIENTS: usize = 500;

/// The options that say what the flow would say.
#[derive(Debug, Args)]
pub struct EnvelopeOptions {
    /// Which way the messages go
    #[arg(long, value_enum, default_value_t = Way::Auto)]
    direction: Way,
    /// The sender of all messages, instead of their From; '' or '<>' is the null sender of bounces
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// A recipient of all messages, instead of their To and Cc; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<String>,
    /// What time it is for the rules, such as 2026-12-24T10:00+01:00, instead of now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,
}

/// A point in time, as options write it.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write it with an offset: 2026-12-24T10:00+01:00, or 2026-12-24T09:00Z".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    /// By the domain of the sender
    Auto,
    /// To mailboxes of the organization
    Inbound,
    /// From users of the organization
    Outbound,
}

impl EnvelopeOptions {
    /// What they say; the error names what is no address.
    pub fn given(&self) -> Result<Given, String> {
        let no_address = |option: &str, text: &str, error: AddressError| {
            format!("{option} `{}`: {error}", crate::terminal::escape(text))
        };
        let address = |option: &str, text: &String| Address::new(text).map_err(|error| no_address(option, text, error));
        let sender = |option: &str, text: &String| Sender::read(text).map_err(|error| no_address(option, text, error));
        Ok(Given {
            direction: match self.direction {
                Way::Auto => None,
                Way::Inbound => Some(Direction::Inbound),
                Way::Outbound => Some(Direction::Outbound),
            },
            from: self.from.as_ref().map(|text| sender("--from", text)).transpose()?,
            at: self.at,
            to: self.to.iter().map(|text| address("--to", text)).collect::<Result<_, _>>()?,
        })
    }
}

/// What the command line says about every message.
#[derive(Debug, Clone)]
pub struct Given {
    /// `--direction`; `None` is `auto`.
    pub direction: Option<Direction>,
    /// `--from`.
    pub from: Option<Sender>,
    /// `--to`.
    pub to: Vec<Address>,
    /// `--at`.
    pub at: Option<Timestamp>,
}

impl Given {
    /// What time it is for the rules.
    pub fn clock(&self) -> Clock {
        self.at.map_or(Clock::System, Clock::Fixed)
    }
}

/// An event, and what of it is shown.
#[derive(Debug)]
pub struct Event {
    /// First 32 hex digits of the SHA-256 of the message: the same message has the same id in every run.
    pub id: String,
    /// Which way the message goes.
    pub direction: Direction,
    /// As WorkMail would send it.
    pub json: Value,
}

impl Event {
    /// The event for a message.
    pub fn new(raw: &[u8], given: &Given, organization: &Organization) -> Self {
        let id = hex(Sha256::digest(raw).get(..16).unwrap_or_default());
        let (mut from, mut to) = (given.from.clone(), given.to.clone());
        if from.is_none() || to.is_empty() {
            let (header_from, header_to) = addresses(raw);
            from = from.or(header_from.map(Sender::Address));
            if to.is_empty() {
                to = header_to;
            }
        }
        let from = from.unwrap_or(Sender::Nobody);
        let internal = from.address().is_some_and(|from| organization.is_internal(from.domain()));
        let direction = given.direction.unwrap_or(if internal { Direction::Outbound } else { Direction::Inbound });
        let truncated = to.len() > MAX_RECIPIENTS;
        let recipients: Vec<Value> =
            to.iter().take(MAX_RECIPIENTS).map(|address| json!({ "address": address.as_str() })).collect();
        let json = json!({
            "summaryVersion": "2019-07-28",
            "envelope": {
                "mailFrom": { "address": from.as_str() },
                "recipients": recipients,
            },
            "messageId": id,
            "invocationId": id,
            "flowDirection": direction.as_str().to_uppercase(),
            "truncated": truncated,
        });
        Self { id, direction, json }
    }
}

static PARSER: LazyLock<MessageParser> = LazyLock::new(|| {
    let parser = MessageParser::new().header_address(HeaderName::From).header_address(HeaderName::To);
    parser.header_address(HeaderName::Cc).default_header_ignore()
});

/// The first address of From, and all of To and Cc. What is no address is left out.
fn addresses(raw: &[u8]) -> (Option<Address>, Vec<Address>) {
    let (header, fields) = header_fields(raw);
    let end = header.end.min(header.start + MAX_HEADER);
    // The other fields need not be read once more; what stands above the first is none.
    let is_read = |field: &&FieldSpan| {
        let name = raw.get(field.name.clone()).unwrap_or_default();
        [&b"From"[..], b"To", b"Cc"].iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
    };
    let above = header.start..fields.first().map_or(end, |first| first.whole.start);
    let ranges = std::iter::once(above).chain(fields.iter().filter(is_read).map(|field| field.whole.clone()));
    let read = ranges.map(|range| raw.get(range.start.min(end)..range.end.min(end)).unwrap_or_default());
    let header = read.collect::<Vec<_>>().concat();
    let Some(parsed) = PARSER.parse_headers(&header) else { return (None, Vec::new()) };
    let read = |list: Option<&mail_parser::Address<'_>>| -> Vec<Address> {
        let all = list.into_iter().flat_map(mail_parser::Address::iter);
        all.filter_map(|addr| Address::new(addr.address()?).ok()).collect()
    };
    let mut seen = HashSet::new();
    let mut to = read(parsed.to());
    to.append(&mut read(parsed.cc()));
    to.retain(|address| seen.insert(address.clone()));
    to.truncate(MAX_RECIPIENTS + 1);
    (read(parsed.from()).into_iter().next(), to)
}

#[cfg(test)]
mod tests {
    use mailwright::envelope::Domain;

    use super::*;

    fn event(raw: &str, given: &Given) -> Event {
        let organization = Organization { domains: vec![Domain::new("example.com").unwrap()] };
        Event::new(raw.as_bytes(), given, &organization)
    }

    const NOTHING: Given = Given { direction: None, from: None, to: Vec::new(), at: None };

    #[test]
    fn the_header_says_who_and_the_domain_says_which_way() {
        let raw = "From: \"Meyer, Ann\" <ann@example.com>\r\nTo: Kim <kim@customer.example>,\r\n lee@customer.example\r\n\
                   Cc: kim@customer.example, Team: bob@example.com;\r\n\r\nx\r\n";
        let event = event(raw, &NOTHING);
        assert_eq!(event.direction, Direction::Outbound);
        assert_eq!(event.json.pointer("/envelope/mailFrom/address").unwrap(), "ann@example.com");
        let to: Vec<_> = event.json.pointer("/envelope/recipients").unwrap().as_array().unwrap().clone();
        let to: Vec<_> = to.iter().map(|r| r["address"].as_str().unwrap()).collect();
        assert_eq!(to, ["kim@customer.example", "lee@customer.example", "bob@example.com"]);
    }

    #[test]
    fn the_command_line_goes_before_the_header() {
        let given = Given {
            at: None,
            direction: Some(Direction::Inbound),
            from: Some(Sender::read("a@x.example").unwrap()),
            to: vec![Address::new("b@example.com").unwrap()],
        };
        let event = event("From: ann@example.com\nTo: kim@customer.example\n\n", &given);
        assert_eq!(event.direction, Direction::Inbound);
        assert_eq!(event.json.pointer("/envelope/mailFrom/address").unwrap(), "a@x.example");
        assert_eq!(event.json.pointer("/envelope/recipients/0/address").unwrap(), "b@example.com");
    }

    #[test]
    fn the_null_sender_goes_before_the_header() {
        for text in ["", "<>", " "] {
            let given = Given { from: Some(Sender::read(text).unwrap()), ..NOTHING };
            let event = event("From: ann@example.com\nTo: kim@customer.example\n\n", &given);
            assert_eq!(event.direction, Direction::Inbound);
            assert_eq!(event.json.pointer("/envelope/mailFrom/address").unwrap(), "");
        }
    }

    #[test]
    fn a_message_without_a_header_has_an_event_and_always_the_same_id() {
        let one = event("", &NOTHING);
        assert_eq!((one.direction, one.id.as_str()), (Direction::Inbound, "e3b0c44298fc1c149afbf4c8996fb924"));
        assert_eq!(one.json.pointer("/envelope/mailFrom/address").unwrap(), "");
        assert_eq!(event("no header\n", &NOTHING).direction, Direction::Inbound);
    }
}
