//! How a part will be read once its edits are in. What would be read in another way than it should is known while the rule
//! can still do something else: a message can be so odd that no rewrite of a field or of an encoding says what is meant.

use std::ops::Range;

use super::edits::Edit;
use super::text::PartText;
use super::transfer::applied;
use super::{BodyKind, Message, Part, PartId};

/// True when the part is, with these edits, of the type and name that it was of, and the text in it is `text`. The text is
/// looked at only where `in_doubt` says so: elsewhere it is known to be right.
pub(super) fn reads_well(message: &Message<'_>, part: &Part, edits: &[Edit], text: &str, in_doubt: bool) -> bool {
    let (in_header, in_body): (Vec<&Edit>, Vec<&Edit>) =
        edits.iter().partition(|edit| edit.range.start < part.body.start);
    if in_header.is_empty() && !in_doubt {
        return true;
    }
    let with_edits = |range: &Range<usize>, mut edits: Vec<&Edit>| {
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        applied(message.raw().get(..range.end).unwrap_or_default(), range.start, edits)
    };
    let body = if in_doubt { with_edits(&part.body, in_body) } else { Vec::new() };
    let after = [&with_edits(&part.header, in_header), message.line_end().as_bytes(), &body].concat();
    let after = Message::parse(&after);
    let Some(is) = after.part(PartId(0)) else { return false };
    let same = part.media_type == is.media_type
        && part.file_name == is.file_name
        && part.disposition == is.disposition
        && part.flowed == is.flowed;
    let kind = if is.media_type == "text/html" { BodyKind::Html } else { BodyKind::Plain };
    let is_letter = |octet: &u8| *octet != b'\r';
    let same_letters = |read: &str| read == text || read.bytes().filter(is_letter).eq(text.bytes().filter(is_letter));
    let reads = || PartText::read(&after, is, kind).is_ok_and(|read| same_letters(read.original()));
    same && (!in_doubt || reads())
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;
    use super::super::testing::crlf;
    use super::super::{Draft, Message, Place};

    #[test]
    fn a_field_that_says_something_else_with_a_charset_in_it_keeps_its_part_as_it_is() {
        for content_type in ["text/plain;name*", "text/plain;\"charset=", "text/plain; name*0"] {
            let raw = crlf(&format!("Content-Type: {content_type}\n\nHello\n"));
            let message = Message::parse(&raw);
            let mut draft = Draft::new(&message);
            let _ = draft.insert(&block("5 €, 日本"), Place::End);
            assert!(draft.render().is_ok(), "{content_type}");
        }
    }

    #[test]
    fn broken_text_between_shifts_is_edited_where_it_reads_well_or_not_at_all() {
        let raw = b"Content-Type: text/plain; charset=iso-2022-jp\n\n\r\n\nen\xCAm\x1b$B0\r\n";
        let message = Message::parse(raw);
        let mut draft = Draft::new(&message);
        let body = draft.bodies()[0].part;
        for at in (0..12).rev() {
            let len = draft.text(body).map_or(0, str::len);
            let at = at.min(len);
            if draft.text(body).is_ok_and(|text| text.is_char_boundary(at)) {
                let edit = super::super::TextEdit { range: at..at, text: "x".to_owned() };
                let _ = draft.edit(body, &[edit]);
                assert!(draft.render().is_ok(), "{at}");
            }
        }
    }
}
