//! `by`: where `sender` looks for the address, in what the flow says or in fields of the header.
//!
//! A field can be written by anybody, except `Return-Path` as the server that took the message in wrote it: that one stands
//! above the first `Received` (RFC 5321 §4.4). Invariant: one that stands lower counts for nothing.

use crate::rule::section::Section;
use crate::rule::truth::Truth;
use crate::rule::{OptionDoc, Scene, Takes};

use super::address;
use super::address_match::AddressMatch;

/// `by` for the reference.
pub const BY: OptionDoc = OptionDoc {
    key: "by",
    takes: Takes::Words(&["flow", "From", "Sender", "Return-Path"]),
    default: "\"flow\"",
    doc: "Where `is` looks: whom the flow names (WorkMail: the From address, or who it was sent on behalf of), the From \
          field, the Sender field, or the sender of the SMTP envelope (MAIL FROM) as the receiving server noted it, inbound \
          only. Of several one must match. `group` and `attribute` are about whom the flow names.",
};

/// A place to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookedAt {
    /// What the flow says.
    Flow,
    /// A field of the header.
    Field(&'static str),
    /// The sender of the SMTP envelope, as the receiving server noted it.
    ReturnPath,
}

const WORDS: &[(&str, LookedAt)] = &[
    ("flow", LookedAt::Flow),
    ("From", LookedAt::Field("From")),
    ("Sender", LookedAt::Field("Sender")),
    ("Return-Path", LookedAt::ReturnPath),
];

/// Read `by`; what the flow says where it is not given.
pub fn read(table: &mut Section<'_>) -> Option<Vec<LookedAt>> {
    table.choices(BY.key, WORDS).map(|found| found.into_iter().map(|at| at.value).collect())
}

impl LookedAt {
    /// Does an address there pass?
    pub fn truth(self, test: &AddressMatch, scene: &Scene<'_, '_>) -> Truth {
        let organization = scene.who_is_internal();
        match self {
            Self::Flow => test.truth(scene.envelope.sender.as_ref(), organization),
            Self::Field(name) => {
                let passes = |shown: &mail_parser::Addr<'_>| {
                    address::mail_address(shown)
                        .map_or(Truth::Fails, |address| test.truth(Some(&address), scene.who_is_internal()))
                };
                Truth::any(scene.draft.raw_values(name).iter().map(|value| address::any_of(value, passes)))
            }
            Self::ReturnPath => match return_path(scene) {
                None => Truth::Fails,
                Some(path) if path.is_empty() => test.truth(None, organization),
                Some(path) => match crate::envelope::Address::new(&path) {
                    Ok(address) => test.truth(Some(&address), organization),
                    Err(_) => Truth::Fails,
                },
            },
        }
    }

    /// What is there: for people.
    pub fn seen(self, scene: &Scene<'_, '_>) -> String {
        match self {
            Self::Flow => {
                scene.envelope.sender.as_ref().map_or("nobody".to_owned(), |sender| sender.as_str().to_owned())
            }
            Self::Field(name) => {
                let values = scene.draft.values(name);
                if values.is_empty() { format!("no {name}") } else { format!("{name}: {}", values.join(", ")) }
            }
            Self::ReturnPath => {
                return_path(scene).map_or("no Return-Path".to_owned(), |path| format!("Return-Path: <{path}>"))
            }
        }
    }
}

/// The path between its angle brackets; empty for the null sender.
fn return_path(scene: &Scene<'_, '_>) -> Option<String> {
    let message = scene.draft.message();
    let received_or_path = message.fields().iter().find(|field| {
        let name = message.bytes(&field.name);
        name.eq_ignore_ascii_case(b"Return-Path") || name.eq_ignore_ascii_case(b"Received")
    })?;
    if !message.bytes(&received_or_path.name).eq_ignore_ascii_case(b"Return-Path") {
        return None;
    }
    let value = std::str::from_utf8(message.bytes(&received_or_path.value)).ok()?.trim();
    let path = value.strip_prefix('<').and_then(|value| value.strip_suffix('>')).unwrap_or(value);
    Some(path.trim().to_owned())
}
