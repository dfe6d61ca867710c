//! A quick look at what edits alone can have brought in, so that a rewrite is not checked as a whole where it need not be.
//!
//! Invariant: in doubt false. True means that the rewrite has no fault that the message did not come with, given what
//! `Draft::render` has made sure of: the parts and their boundaries are those that came.

use std::ops::Range;

use super::super::workmail::MAX_MESSAGE;
use super::fields::{FIXED, ONCE};
use crate::message::{FieldSpan, MAX_LINE, Message, Part, PartId, Rendered};

/// True when no fault was brought in.
pub(super) fn brings_nothing_in(message: &Message<'_>, rendered: &Rendered<'_>) -> bool {
    let Some(root) = message.part(PartId(0)).filter(|root| root.has_separator) else { return false };
    let has_nul = |with: &[u8]| memchr::memchr(0, with).is_some();
    if rendered.len() > MAX_MESSAGE
        || rendered.longest_changed_line() > MAX_LINE
        || rendered.edits().any(|(_, with)| has_nul(with))
    {
        return false;
    }
    let mut header = Header { message, fields: message.fields(), added: Vec::new(), removed: Vec::new() };
    let mut parts = message.parts().iter().peekable();
    for (range, with) in rendered.edits() {
        if range.start < root.body.start {
            if !header.take(&range, with) {
                return false;
            }
            continue;
        }
        // Parts are in the order of their bodies; what is in that of a multipart, and in no part of it, is not so simple.
        while parts.next_if(|part| part.body.end < range.start || part.boundary.is_some()).is_some() {}
        let holds =
            |part: &&&Part| part.header.start <= range.start && range.end <= part.body.end && part.has_separator;
        let Some(part) = parts.peek().filter(holds) else { return false };
        if range.start < part.body.start && !leaves_name(message, part, &range, with) {
            return false;
        }
    }
    header.is_sound()
}

/// True when an edit in the header of a part below the message is sound, and says nothing of what the part is called. Only
/// the message itself has fields that must be there, or once.
fn leaves_name(message: &Message<'_>, part: &Part, range: &Range<usize>, with: &[u8]) -> bool {
    let mut header = Header { message, fields: &part.fields, added: Vec::new(), removed: Vec::new() };
    header.take(range, with) && !header.names_anything()
}

/// The edits of a header.
struct Header<'a, 'm> {
    message: &'a Message<'m>,
    fields: &'a [FieldSpan],
    /// Names of fields, each with the octets that it stands in.
    added: Vec<(&'a [u8], &'a [u8])>,
    removed: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Header<'a, '_> {
    /// Take note of an edit; false for one that is not of whole fields, nor of the value of one that may have any.
    fn take(&mut self, range: &Range<usize>, with: &'a [u8]) -> bool {
        let first = self.fields.partition_point(|field| field.whole.end <= range.start);
        let touched = self.fields.get(first..).unwrap_or_default();
        match touched.first() {
            _ if !with.is_ascii() => false,
            Some(field) if field.whole.start < range.start => self.is_of_value(field, range, with),
            _ => {
                let whole = touched.iter().take_while(|field| field.whole.start < range.end);
                let mut end = range.start;
                for field in whole {
                    self.removed.push((self.message.bytes(&field.name), self.message.bytes(&field.whole)));
                    end = field.whole.end;
                }
                end == range.end && self.add(with)
            }
        }
    }

    fn is_of_value(&self, field: &FieldSpan, range: &Range<usize>, with: &[u8]) -> bool {
        let is_folded = |at: usize| matches!(with.get(at + 1), Some(b' ' | b'\t'));
        let name = self.message.bytes(&field.name);
        field.value.start <= range.start
            && range.end <= field.value.end
            && memchr::memchr_iter(b'\n', with).all(is_folded)
            && !is_on(FIXED, name)
            && ![self.message.bytes(&field.whole), with].iter().any(|bytes| may_name(name, bytes))
    }

    /// Take note of new fields; false for what is none.
    fn add(&mut self, with: &'a [u8]) -> bool {
        for line in with.split_inclusive(|b| *b == b'\n') {
            if !line.ends_with(b"\n") {
                return false;
            }
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                if self.added.is_empty() {
                    return false;
                }
                continue;
            }
            match memchr::memchr(b':', line) {
                Some(colon) => self.added.push((line.get(..colon).unwrap_or_default().trim_ascii_end(), with)),
                None => return false,
            }
        }
        true
    }

    fn is_sound(&self) -> bool {
        let count = |fields: &[(&[u8], &[u8])], name: &[u8]| {
            fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count()
        };
        let came = |name: &[u8]| {
            self.fields.iter().filter(|field| self.message.bytes(&field.name).eq_ignore_ascii_case(name)).count()
        };
        // MIME-Version may come where there was none.
        let is_version = |name: &[u8]| {
            name.eq_ignore_ascii_case(b"MIME-Version") && came(name) == 0 && count(&self.added, name) == 1
        };
        let stays_once = |name: &[u8]| {
            let came = came(name);
            came + count(&self.added, name) <= came.max(1) + count(&self.removed, name)
        };
        !self.names_anything()
            && !self.removed.iter().any(|(name, _)| is_on(FIXED, name))
            && self
                .added
                .iter()
                .all(|(name, _)| (!is_on(FIXED, name) || is_version(name)) && (!is_on(ONCE, name) || stays_once(name)))
    }

    /// Perhaps a name of an attachment among what was added or removed.
    fn names_anything(&self) -> bool {
        self.added.iter().chain(&self.removed).any(|(name, bytes)| may_name(name, bytes))
    }
}

fn is_on(list: &[&str], name: &[u8]) -> bool {
    list.iter().any(|listed| listed.as_bytes().eq_ignore_ascii_case(name))
}

/// Perhaps the name of an attachment, which tells its type.
fn may_name(field: &[u8], bytes: &[u8]) -> bool {
    let is_content = field.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"Content-"));
    is_content && bytes.windows(4).any(|word| word.eq_ignore_ascii_case(b"name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Block, Draft, Field, FieldName, Place, TextEdit};

    const MAIL: &str = "From: ann@example.com\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: Hello\n";

    fn sure(mail: &str, edit: impl FnOnce(&mut Draft<'_>)) -> bool {
        let raw = mail.replace('\n', "\r\n").into_bytes();
        let message = Message::parse(&raw);
        let mut draft = Draft::new(&message);
        edit(&mut draft);
        let rendered = draft.render().unwrap();
        let sure = brings_nothing_in(&message, &rendered);
        let out = rendered.to_vec();
        let faults = super::super::compare(&Message::parse(&out), &message);
        assert!(!sure || faults.iter().all(|fault| fault.came || !fault.demand.refuses()), "{faults:?}");
        sure
    }

    fn field(name: &str, value: &str) -> Field {
        Field::new(FieldName::new(name).unwrap(), value).unwrap()
    }

    #[test]
    fn common_edits_are_known_to_bring_nothing_in() {
        let block =
            Block { text: "Größe 5 €".to_owned(), html: "<p>Größe 5 €</p>".to_owned(), images: Vec::new() };
        let insert = |draft: &mut Draft<'_>| assert_ne!(draft.insert(&block, Place::End), Ok(0));
        let mixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nHi\n--a\n\
                     Content-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--b\nContent-Type: text/html\n\n<p>x\n--b--\n--a--\n";
        assert!(sure(&format!("{MAIL}\nHi\n"), insert));
        assert!(sure(&format!("{MAIL}Content-Type: text/plain\n\nHi\n"), insert));
        assert!(sure(&format!("{MAIL}MIME-Version: 1.0\nContent-Type: text/html\n\n<p>Hi\n"), insert));
        assert!(sure(&format!("{MAIL}{mixed}"), |draft| {
            let html = draft.bodies().last().unwrap().part;
            draft.edit(html, &[TextEdit { range: 0..0, text: "x".to_owned() }]).unwrap();
        }));
        assert!(sure(&format!("{MAIL}{mixed}"), insert));
        let latin = mixed.replace("text/html\n", "text/plain; charset=iso-8859-1\n");
        assert!(sure(&format!("{MAIL}{latin}"), insert));
        let eight_bit = mixed.replace("text/html\n", "text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n");
        assert!(sure(&format!("{MAIL}{eight_bit}"), insert));
        assert!(sure(&format!("{MAIL}X-Mailer: x\n\nHi\n"), |draft| {
            assert!(draft.tag_subject("[EXT]"));
            assert!(draft.add_field(field("X-Stamp", "yes")));
            assert_eq!(draft.remove_fields(&FieldName::new("X-Mailer").unwrap(), crate::message::Which::All), 1);
        }));
        let long = "x".repeat(2_000);
        assert!(sure(&format!("{MAIL}\n{long}\n"), |draft| assert!(
            draft.set_field(field("Subject", "Größe"), crate::message::Which::All)
        )));
    }

    #[test]
    fn what_may_bring_a_fault_in_is_looked_at_as_a_whole() {
        for name in ["To", "Message-ID", "Received", "From"] {
            assert!(!sure(&format!("{MAIL}\nHi\n"), |draft| assert!(draft.add_field(field(name, "x")))), "{name}");
        }
        assert!(!sure(&format!("{MAIL}\nHi\n"), |draft| assert!(draft.add_field(field("Subject", "x")))));
        assert!(!sure(&format!("{MAIL}\nHi\n"), |draft| {
            assert_eq!(draft.remove_fields(&FieldName::new("Date").unwrap(), crate::message::Which::All), 1);
        }));
    }

    #[test]
    fn a_field_of_a_part_that_may_name_an_attachment_is_looked_at_as_a_whole() {
        let raw = format!(
            "{MAIL}Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain; charset=us-ascii\n\nHi\n--a\n\
             Content-Type: text/plain; charset=us-ascii; name=a.exe\n\nHi\n--a--\n"
        );
        let message = Message::parse(raw.as_bytes());
        let [_, plain, named] = message.parts() else { panic!("three parts") };
        let charset = |part: &Part| {
            let at = part.header.start + raw[part.header.clone()].find("us-ascii").unwrap();
            at..at + "us-ascii".len()
        };
        assert!(leaves_name(&message, plain, &charset(plain), b"utf-8"));
        assert!(!leaves_name(&message, plain, &charset(plain), b"utf-8; name=b.exe"));
        assert!(!leaves_name(&message, named, &charset(named), b"utf-8"));
        let start = plain.header.start..plain.header.start;
        assert!(leaves_name(&message, plain, &start, b"Content-Transfer-Encoding: base64\n"));
        assert!(!leaves_name(&message, plain, &start, b"Content-Disposition: attachment; filename=b.exe\n"));
        assert!(!leaves_name(&message, plain, &start, b"\n"));
    }
}
