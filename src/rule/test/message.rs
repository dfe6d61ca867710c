//! The message of a test: a file beside the rules, or a few words from which one is made.

use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;

use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::tables;
use crate::rule::takes::keys;

/// Octets of an attachment that says nothing of its size.
const SIZE: usize = 10;
/// The most octets of one that is made.
const MAX_SIZE: usize = 40_000_000;

/// Where the message of a test comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file, relative to the rules folder.
    File(String),
    /// The octets.
    Inline(Vec<u8>),
}

/// Read `message`.
pub(super) fn read(section: &mut Section<'_>) -> Option<Source> {
    match section.holds("message") {
        Holds::Nothing => None,
        Holds::String => section.string("message").map(|path| Source::File(path.value)),
        _ => inline(section.section("message")?).map(Source::Inline),
    }
}

fn inline(mut table: Section<'_>) -> Option<Vec<u8>> {
    let given = table.keys();
    let mut text = |key| table.string(key).map(|at| at.value);
    let (raw, from, to, subject) = (text("raw"), text("from"), text("to"), text("subject"));
    let (plain, html) = (text("text"), text("html"));
    let attachments = attachments(&mut table);
    let header = fields(&mut table);
    if given.is_empty() {
        let span = table.span();
        let help = "give the path of a file, `raw`, or some of: from, to, subject, text, html, header, attachments";
        table.problem(&span, Code::Missing, "`message` is empty", help);
    }
    if raw.is_some() && given.len() > 1 {
        let span = table.span_of("raw");
        table.problem(&span, Code::WrongValue, "`raw` is the whole message", "leave the other keys out");
    }
    table.finish("message", &keys(tables::MESSAGE));
    if let Some(raw) = raw {
        return Some(raw.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes());
    }
    let mut message = MessageBuilder::new()
        .header("From", Raw::new(from.as_deref().unwrap_or("ann@example.com")))
        .header("To", Raw::new(to.as_deref().unwrap_or("kim@customer.example")))
        .message_id("test@example.com")
        .date(0_i64);
    if let Some(subject) = &subject {
        message = message.subject(subject.as_str());
    }
    for (name, value) in &header {
        message = message.header(name.as_str(), Raw::new(value.as_str()));
    }
    if let Some(plain) = &plain {
        message = message.text_body(plain.as_str());
    }
    if let Some(html) = &html {
        message = message.html_body(html.as_str());
    }
    if plain.is_none() && html.is_none() && attachments.is_empty() {
        message = message.text_body("");
    }
    for (name, size) in attachments {
        message = message.attachment("application/octet-stream", name, vec![b'x'; size]);
    }
    message.write_to_vec().ok()
}

/// `header = { X-Name = "value" }`.
fn fields(table: &mut Section<'_>) -> Vec<(String, String)> {
    let Some(header) = table.section("header") else { return Vec::new() };
    let mut fields = Vec::new();
    for (key, value) in header.into_strings() {
        match (crate::message::FieldName::new(&key.value), value) {
            (Ok(name), Some(value)) if !value.value.contains(['\r', '\n']) => {
                fields.push((name.as_str().to_owned(), value.value));
            }
            _ => table.problem(&key.span, Code::HeaderField, "a field has a name and a string of one line", ""),
        }
    }
    fields
}

/// Names, or `{ name, size }` where it matters how large a file is.
fn attachments(table: &mut Section<'_>) -> Vec<(String, usize)> {
    if !table.peek_tables("attachments").is_empty() {
        return table.sections("attachments").unwrap_or_default().into_iter().filter_map(attachment).collect();
    }
    let names = table.strings("attachments").unwrap_or_default();
    names.into_iter().map(|at| (at.value, SIZE)).collect()
}

fn attachment(mut table: Section<'_>) -> Option<(String, usize)> {
    if table.holds("name") == Holds::Nothing {
        table.missing("name");
    }
    let name = table.string("name").map(|at| at.value);
    let size = table.size("size");
    let octets = size.as_ref().map_or(Ok(SIZE), |size| usize::try_from(size.value)).unwrap_or(usize::MAX);
    if let Some(size) = size.filter(|_| octets > MAX_SIZE) {
        let what = format!("an attachment made for a test has at most {MAX_SIZE} octets");
        table.problem(&size.span, Code::WrongValue, what, "");
    }
    table.finish("attachments", &keys(tables::MADE_ATTACHMENT));
    Some((name?, octets.min(MAX_SIZE)))
}
