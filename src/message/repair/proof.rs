//! A repaired message held against the one that was there, before it leaves: the same parts, the same decoded bodies, the
//! same header fields with the same values, but for second ones that went.
//!
//! Reads the result anew, all of it: a repair is rare.

use std::ops::Range;

use encoding_rs::Encoding;

use super::super::charset::Charset;
use super::super::edits::Rendered;
use super::super::part::Part;
use super::super::verify::wire;
use super::super::{Message, PartId, transfer};
use super::field;

/// Fields that come with an encoding where there were none.
const NEW: [&[u8]; 2] = [b"MIME-Version", b"Content-Transfer-Encoding"];

/// `None` when the repair does not hold up.
pub(super) fn holds(
    message: &Message<'_>,
    rendered: &Rendered<'_>,
    dropped: &[usize],
    bodies: &[PartId],
    charset: Option<&'static Encoding>,
) -> Option<()> {
    wire(message, rendered).ok()?;
    let bytes = rendered.to_vec();
    let after = Message::parse(&bytes);
    let whole = after.parts().len() == message.parts().len() && after.doubt().is_none();
    let parts = message.parts().iter().zip(after.parts()).enumerate();
    let alike = |(id, (before, now)): (usize, (&Part, &Part))| {
        let mended = bodies.contains(&PartId(id));
        let dropped = if id == 0 { dropped } else { &[] };
        same_kind(before, now)
            && same_body(message, &after, before, now, mended)
            && same_fields(message, &after, (before, dropped), (now, mended), charset)
    };
    (whole && parts.into_iter().all(alike)).then_some(())
}

fn same_kind(before: &Part, now: &Part) -> bool {
    before.media_type == now.media_type
        && before.parent == now.parent
        && before.boundary == now.boundary
        && before.charset == now.charset
        && before.flowed == now.flowed
        && before.disposition == now.disposition
        && before.has_separator == now.has_separator
        // Octets that are no UTF-8 have no name yet.
        && (before.file_name == now.file_name || before.file_name.as_ref().is_some_and(|n| n.contains('\u{FFFD}')))
}

fn same_body(message: &Message<'_>, after: &Message<'_>, before: &Part, now: &Part, mended: bool) -> bool {
    if before.boundary.is_some() {
        return true;
    }
    let (old, new) = (message.bytes(&before.body), after.bytes(&now.body));
    if !mended {
        return before.encoding == now.encoding && old == new;
    }
    let (Ok(old), Ok(new)) = (transfer::decode(before.encoding, old), transfer::decode(now.encoding, new)) else {
        return false;
    };
    old == new || before.is_text() && same_text(before, &old, &new)
}

/// A text that is encoded anew has the line ends of the message; where those octets are no line ends to its charset, that is
/// another text.
pub(super) fn same_text(part: &Part, old: &[u8], new: &[u8]) -> bool {
    let read = |octets: &[u8]| Charset::of(part.charset.as_deref(), octets).decode(octets).0.replace('\r', "");
    old.iter().filter(|b| **b != b'\r').eq(new.iter().filter(|b| **b != b'\r')) && read(old) == read(new)
}

fn same_fields(
    message: &Message<'_>,
    after: &Message<'_>,
    (before, dropped): (&Part, &[usize]),
    (now, mended): (&Part, bool),
    charset: Option<&'static Encoding>,
) -> bool {
    let old = before.fields.iter().enumerate().filter(|(index, _)| dropped.binary_search(index).is_err());
    let mut old = old.map(|(_, field)| field).peekable();
    for field in &now.fields {
        let name = after.bytes(&field.name);
        let is_new = || mended && NEW.iter().any(|new| new.eq_ignore_ascii_case(name));
        let encoding = |range: &Range<usize>| message.bytes(range).eq_ignore_ascii_case(NEW[1]);
        if let Some(was) = old.next_if(|was| message.bytes(&was.name) == name) {
            let (was, is) = (message.bytes(&was.value), after.bytes(&field.value));
            if was == is || is_new() {
                continue;
            }
            let same = field::text_of(was, charset).zip(std::str::from_utf8(is).ok());
            if !same.is_some_and(|(was, is)| field::same(name, &was, is)) {
                return false;
            }
        } else if !is_new() {
            // A second Content-Transfer-Encoding went with the first.
            while mended && old.next_if(|was| encoding(&was.name)).is_some() {}
            if old.next_if(|was| message.bytes(&was.whole) == after.bytes(&field.whole)).is_none() {
                return false;
            }
        }
    }
    old.all(|field| mended && message.bytes(&field.name).eq_ignore_ascii_case(NEW[1]))
}
