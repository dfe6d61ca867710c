//! Header fields that the wire does not take: written in 7 bits, and folded.

use std::borrow::Cow;

use encoding_rs::Encoding;
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::super::edits::Edit;
use super::super::header::decode_value;
use super::super::transfer::{MAX_LINE, with_line_end};
use super::super::{FieldSpan, Message};
use super::{Repair, Work, fold, parameter, phrase, words};

/// A longer value, in octets, is left as it is.
const MAX_VALUE: usize = 65_536;
/// Lines with encoded words are no longer (RFC 2047 §2).
const ENCODED_LINE: usize = 76;

/// What a field holds, as far as it says where encoded words may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Text for people.
    Text,
    /// What nobody has defined, so text; but an address in it is for programs.
    Other,
    /// Addresses and phrases.
    People,
    /// Content-Type, Content-Disposition.
    Parameters,
    /// Comments at most.
    Comments,
    /// Nothing that may be written otherwise.
    Opaque,
}

const TEXT: &[&str] = &[
    "Subject",
    "Comments",
    "Content-Description",
    "Thread-Topic",
    "Organization",
    "User-Agent",
    "X-Mailer",
    "Original-Subject",
    "Solicitation",
];
const PEOPLE: &[&str] = &[
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
    "Resent-Reply-To",
    "Disposition-Notification-To",
    "Return-Receipt-To",
    "Errors-To",
    "Mail-Followup-To",
    "Mail-Reply-To",
    "List-Id",
    "Keywords",
    "Original-From",
];
const COMMENTS: &[&str] = &[
    "Received",
    "Date",
    "Resent-Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "List-Archive",
    "List-Help",
    "List-Owner",
    "List-Post",
    "List-Subscribe",
    "List-Unsubscribe",
];
/// All that begin so.
const OPAQUE: &[&str] = &[
    "DKIM-",
    "DomainKey-",
    "ARC-",
    "Authentication-Results",
    "Received-SPF",
    "X-SES-",
    "X-Mailwright-",
    "Content-",
    "Return-Path",
    "Delivered-To",
    "Resent-Message-ID",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
    "Autocrypt",
];

fn kind(name: &[u8]) -> Kind {
    let is = |list: &[&str]| list.iter().any(|one| one.as_bytes().eq_ignore_ascii_case(name));
    let begins = |one: &&str| name.get(..one.len()).is_some_and(|start| start.eq_ignore_ascii_case(one.as_bytes()));
    if is(TEXT) {
        Kind::Text
    } else if is(PEOPLE) {
        Kind::People
    } else if is(COMMENTS) {
        Kind::Comments
    } else if is(&["Content-Type", "Content-Disposition"]) {
        Kind::Parameters
    } else if OPAQUE.iter().any(begins) {
        Kind::Opaque
    } else {
        Kind::Other
    }
}

/// Repair one field, if it has a fault and can be repaired.
pub(super) fn mend(message: &Message<'_>, field: &FieldSpan, charset: Option<&'static Encoding>, work: &mut Work) {
    let value = message.bytes(&field.value);
    // What stands before the value on its first line: the name, the colon.
    let column = field.value.start - field.whole.start;
    let odd = !value.is_ascii();
    if !(odd || fold::is_long(value, column)) || value.len() > MAX_VALUE || memchr::memchr(0, value).is_some() {
        return;
    }
    let Some(text) = text_of(value, charset) else { return };
    let kind = kind(message.bytes(&field.name));
    let mut new = Cow::Borrowed(text.as_ref());
    if odd {
        let written = written(kind, &text, column);
        if !written.is_ascii() || !reads_alike(kind, &text, &written) {
            return;
        }
        new = Cow::Owned(fold::fold(&written, column, ENCODED_LINE));
    }
    if fold::is_long(new.as_bytes(), column) {
        new = Cow::Owned(fold::fold(&new, column, MAX_LINE));
        if fold::is_long(new.as_bytes(), column) {
            return;
        }
    }
    work.did(if odd { Repair::HeaderOctets } else { Repair::HeaderLine });
    let with = with_line_end(new.into_owned().into_bytes(), message.line_end());
    work.edits.push(Edit { range: field.value.clone(), with: with.into() });
}

/// A value as text: as UTF-8, else in the charset of the message's text. `None` where neither says what its octets mean:
/// no guess is written down for good.
pub(super) fn text_of<'v>(value: &'v [u8], charset: Option<&'static Encoding>) -> Option<Cow<'v, str>> {
    if let Ok(text) = std::str::from_utf8(value) {
        return Some(Cow::Borrowed(text));
    }
    charset?.decode_without_bom_handling_and_without_replacement(value)
}

fn written(kind: Kind, text: &str, column: usize) -> String {
    match kind {
        Kind::Text => words::encode(text, column),
        Kind::Other if !text.split_whitespace().any(|word| !word.is_ascii() && word.contains('@')) => {
            words::encode(text, column)
        }
        Kind::People => phrase::encode_people(text, column),
        Kind::Comments => phrase::encode_comments(text, column),
        Kind::Parameters => parameter::encode(text),
        Kind::Other | Kind::Opaque => text.to_owned(),
    }
}

/// Whether readers get from the new value what they got from the old.
fn reads_alike(kind: Kind, old: &str, new: &str) -> bool {
    match kind {
        // One reader takes the value apart, another shows it as it stands: quotation marks are for the first only.
        Kind::People => {
            let plain = |text: &str| -> String {
                let shown = decode_value(text.as_bytes());
                shown.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\\')).collect()
            };
            addresses(old) == addresses(new) && plain(old) == plain(new)
        }
        Kind::Parameters => parameters(old) == parameters(new),
        _ => decode_value(old.as_bytes()) == decode_value(new.as_bytes()),
    }
}

/// Whether two values of a field read the same, for [`super::proof`].
pub(super) fn same(name: &[u8], old: &str, new: &str) -> bool {
    let unfolded = |text: &str| text.replace(['\r', '\n'], "");
    unfolded(old) == unfolded(new) || reads_alike(kind(name), old, new)
}

/// The names and addresses of a list of addresses, as mail-parser reads them.
pub(super) fn addresses(value: &str) -> Vec<(String, String)> {
    let line = format!("{}\n", value.replace('\r', "").trim_end());
    let people = |list: &[mail_parser::Addr<'_>], group: Option<&str>| {
        let text = |text: Option<&str>| text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let group = text(group);
        let each = list.iter().map(|addr| (format!("{group}:{}", text(addr.name())), text(addr.address())));
        each.collect::<Vec<_>>()
    };
    match MessageStream::new(line.as_bytes()).parse_address() {
        HeaderValue::Address(mail_parser::Address::List(list)) => people(&list, None),
        HeaderValue::Address(mail_parser::Address::Group(groups)) => {
            groups.iter().flat_map(|group| people(&group.addresses, group.name.as_deref())).collect()
        }
        _ => Vec::new(),
    }
}

/// The type and the parameters of a value, as mail-parser reads them.
fn parameters(value: &str) -> Option<(String, Vec<(String, String)>)> {
    let line = format!("{}\n", value.replace('\r', "").trim_end());
    match MessageStream::new(line.as_bytes()).parse_content_type() {
        HeaderValue::ContentType(value) => {
            let of = |a: &mail_parser::Attribute<'_>| (a.name.to_string(), a.value.to_string());
            let mut parameters: Vec<_> = value.attributes().unwrap_or_default().iter().map(of).collect();
            parameters.sort();
            Some((format!("{}/{}", value.ctype(), value.subtype().unwrap_or_default()), parameters))
        }
        _ => None,
    }
}
