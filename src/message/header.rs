//! The header of the message on its way through the rules.
//!
//! Invariant: fields that no rule names keep their bytes, order, case and folding. New fields go on top.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use encodify::rfc2047;
use encoding_rs::Encoding;

use super::draft::Which;
use super::edits::Edit;
use super::field::{Field, FieldName, encode_tag};
use super::transfer::MAX_LINE;
use super::untag::{untagged, untagged_raw};
use super::{Message, PartId};

/// What became of a field that came in.
#[derive(Debug, Clone)]
enum Change {
    /// Another field stands there.
    Replaced(Vec<u8>),
    /// New bytes at a place of the message inside the field.
    Inserted(usize, Vec<u8>),
    Removed,
}

/// Changes of the message's header.
#[derive(Debug, Clone, Default)]
pub(super) struct HeaderDraft {
    /// Fields on top; the topmost last.
    added: Vec<Field>,
    /// By index of the field.
    changes: BTreeMap<usize, Change>,
}

/// Where a field stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Added(usize),
    CameIn(usize),
}

impl HeaderDraft {
    /// The message is another part from now on: what became of its fields of these names counts no longer.
    pub fn forget(&mut self, message: &Message<'_>, names: &[&[u8]]) {
        let is = |name: &[u8]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
        self.added.retain(|field| !is(field.name().as_str().as_bytes()));
        let fields = message.fields();
        self.changes.retain(|index, _| fields.get(*index).is_none_or(|field| !is(message.bytes(&field.name))));
    }

    pub fn is_unchanged(&self) -> bool {
        self.added.is_empty() && self.changes.is_empty()
    }

    /// Forget what leaves a field as it came in.
    pub fn drop_undone(&mut self, message: &Message<'_>) {
        self.changes.retain(|index, change| {
            let Some(field) = message.fields().get(*index) else { return false };
            let came_in = message.bytes(&field.whole);
            match change {
                Change::Replaced(bytes) => in_place(bytes, came_in) != came_in,
                Change::Inserted(_, new) => !new.is_empty(),
                Change::Removed => true,
            }
        });
    }

    /// Where the fields of this name stand now, from the top.
    fn places<'s>(&'s self, message: &'s Message<'_>, name: &'s [u8]) -> impl Iterator<Item = At> + 's {
        self.places_of(message, move |other| other.eq_ignore_ascii_case(name))
    }

    /// Where the fields stand now whose names are picked, from the top.
    fn places_of<'s>(
        &'s self,
        message: &'s Message<'_>,
        picks: impl Fn(&[u8]) -> bool + Copy + 's,
    ) -> impl Iterator<Item = At> + 's {
        let added = self.added.iter().enumerate().rev();
        let added = added.filter(move |(_, field)| picks(field.name().as_str().as_bytes())).map(|(i, _)| At::Added(i));
        let came_in = message.fields().iter().enumerate().filter(move |(i, field)| {
            picks(message.bytes(&field.name)) && !matches!(self.changes.get(i), Some(Change::Removed))
        });
        added.chain(came_in.map(|(i, _)| At::CameIn(i)))
    }

    /// Raw values of the fields of this name, folding included.
    pub fn raw_values<'m>(&self, message: &Message<'m>, name: &str) -> Vec<Cow<'m, [u8]>> {
        self.places(message, name.as_bytes()).filter_map(|at| self.raw_value(message, at)).collect()
    }

    /// Raw values of the fields whose names are picked.
    pub fn raw_values_of<'m>(&self, message: &Message<'m>, picks: impl Fn(&[u8]) -> bool + Copy) -> Vec<Cow<'m, [u8]>> {
        self.places_of(message, picks).filter_map(|at| self.raw_value(message, at)).collect()
    }

    fn raw_value<'m>(&self, message: &Message<'m>, at: At) -> Option<Cow<'m, [u8]>> {
        match at {
            At::Added(i) => Some(Cow::Owned(value_of(&self.added.get(i)?.encode(message.line_end())).to_vec())),
            At::CameIn(i) => {
                let field = message.fields().get(i)?;
                Some(match self.changes.get(&i) {
                    Some(Change::Replaced(bytes)) => Cow::Owned(value_of(bytes).to_vec()),
                    Some(Change::Inserted(at, new)) => {
                        let before = message.bytes(&(field.value.start..*at));
                        let after = message.bytes(&(*at..field.value.end));
                        Cow::Owned([before, new, after].concat())
                    }
                    Some(Change::Removed) => return None,
                    None => Cow::Borrowed(message.bytes(&field.value)),
                })
            }
        }
    }

    /// Every field as it stands now, from the top: where, its name, its raw value.
    pub(super) fn all<'m>(&self, message: &Message<'m>) -> Vec<(At, Cow<'m, str>, Cow<'m, [u8]>)> {
        let added = (0..self.added.len()).rev().map(At::Added);
        let places = added.chain((0..message.fields().len()).map(At::CameIn));
        let name = |at: At| match at {
            At::Added(i) => Some(Cow::Owned(self.added.get(i)?.name().as_str().to_owned())),
            At::CameIn(i) => Some(String::from_utf8_lossy(message.bytes(&message.fields().get(i)?.name))),
        };
        places.filter_map(|at| Some((at, name(at)?, self.raw_value(message, at)?))).collect()
    }

    /// Put a raw value in place of the one that stands there. False where that cannot be.
    pub(super) fn put_value(&mut self, message: &Message<'_>, at: At, raw: &[u8]) -> bool {
        match at {
            At::Added(i) => {
                let Some(place) = self.added.get_mut(i) else { return false };
                let new = FieldName::new(place.name().as_str()).and_then(|name| Field::new(name, &decode_value(raw)));
                new.is_ok_and(|field| {
                    *place = field;
                    true
                })
            }
            At::CameIn(i) => {
                let Some(field) = message.fields().get(i) else { return false };
                let before = message.bytes(&(field.whole.start..field.value.start));
                let after = message.bytes(&(field.value.end..field.whole.end));
                self.changes.insert(i, Change::Replaced([before, raw, after].concat()));
                true
            }
        }
    }

    /// Decoded values of the fields of this name.
    pub fn values(&self, message: &Message<'_>, name: &str) -> Vec<String> {
        self.raw_values(message, name).iter().map(|raw| decode_value(raw)).collect()
    }

    /// On top of the header.
    pub fn add(&mut self, field: Field) {
        self.added.push(field);
    }

    /// In the place of the first of its name, or of the last, or on top where there is none; with [`Which::All`] others of
    /// its name go.
    pub fn set(&mut self, message: &Message<'_>, field: Field, which: Which) -> bool {
        let name = field.name().as_str().to_owned();
        let values = self.values(message, &name);
        let stands = match which {
            Which::All if values.len() > 1 => None,
            Which::All | Which::First => values.first(),
            Which::Last => values.last(),
        };
        if stands.is_some_and(|value| value == field.value()) {
            return false;
        }
        let mut places: Vec<At> = self.places(message, name.as_bytes()).collect();
        if which == Which::Last {
            places.reverse();
        }
        match places.first() {
            Some(At::CameIn(i)) => {
                self.changes.insert(*i, Change::Replaced(field.encode(message.line_end())));
            }
            Some(At::Added(i)) => {
                if let Some(place) = self.added.get_mut(*i) {
                    *place = field;
                }
            }
            None => self.added.push(field),
        }
        if which == Which::All {
            // Indexes of added fields fall, so none that is still to go moves, and the one that was set is done with.
            places.iter().skip(1).for_each(|place| self.remove_at(*place));
        }
        true
    }

    fn remove_at(&mut self, at: At) {
        match at {
            At::Added(i) if i < self.added.len() => drop(self.added.remove(i)),
            At::Added(_) => {}
            At::CameIn(i) => drop(self.changes.insert(i, Change::Removed)),
        }
    }

    /// Decoded values of the fields whose names are picked.
    pub fn values_of(&self, message: &Message<'_>, picks: impl Fn(&[u8]) -> bool + Copy) -> Vec<String> {
        self.raw_values_of(message, picks).iter().map(|raw| decode_value(raw)).collect()
    }

    /// Remove fields of those whose names are picked and whose decoded values pass; says how many.
    pub fn remove(
        &mut self,
        message: &Message<'_>,
        which: Which,
        picks: impl Fn(&[u8]) -> bool + Copy,
        passes: impl Fn(&str) -> bool,
    ) -> usize {
        let value_passes = |at: &At| self.raw_value(message, *at).is_some_and(|raw| passes(&decode_value(&raw)));
        let mut places: Vec<At> = self.places_of(message, picks).filter(value_passes).collect();
        match which {
            Which::All => {}
            Which::First => places.truncate(1),
            Which::Last => drop(places.drain(..places.len().saturating_sub(1))),
        }
        // Indexes of added fields fall: the topmost has the highest.
        for place in &places {
            self.remove_at(*place);
        }
        places.len()
    }

    /// Put a tag in front of the subject, unless it stands there already; the bytes of the subject stay.
    pub fn tag_subject(&mut self, message: &Message<'_>, tag: &str) -> bool {
        let place = self.places(message, b"Subject").next();
        let Some(place) = place else {
            let Ok(name) = FieldName::new("Subject") else { return false };
            return Field::new(name, tag).is_ok_and(|field| {
                self.added.push(field);
                true
            });
        };
        let raw = self.raw_values(message, "Subject").into_iter().next().unwrap_or_default();
        if has_tag(&decode_value(&raw), tag) {
            return false;
        }
        let came_in = |i: usize| message.fields().get(i).filter(|_| !self.changes.contains_key(&i));
        if let At::CameIn(i) = place
            && let Some(field) = came_in(i)
            && raw.split(|b| *b == b'\n').next().is_none_or(|line| line.len() < MAX_LINE)
        {
            let blank = raw.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            let rest = raw.get(blank..).unwrap_or_default();
            let tag = encode_tag(tag, "Subject: ".len(), rest.trim_ascii_start().starts_with(b"=?"));
            let mut new = format!("{}{tag}", if blank == 0 { " " } else { "" }).into_bytes();
            // The line must not get too long; a folded line goes on with white space already.
            let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line).len();
            if line > 0 && "Subject: ".len() + blank + new.len() + 1 + line > MAX_LINE {
                new.extend_from_slice(message.line_end().as_bytes());
                new.push(b' ');
            } else if line > 0 {
                new.push(b' ');
            }
            let new = super::transfer::with_line_end(new, message.line_end());
            self.changes.insert(i, Change::Inserted(field.value.start + blank, new));
            return true;
        }
        // A subject that a rule before has written, or whose line is too long as it is: write it once more.
        let subject = format!("{tag} {}", decode_value(&raw));
        FieldName::new("Subject")
            .and_then(|name| Field::new(name, &subject))
            .is_ok_and(|field| self.set(message, field, Which::All))
    }

    /// Give a field that came in another name; its value keeps its bytes. False where it has changed already, where its first
    /// line would get too long, or where it is not ASCII.
    pub fn rename(&mut self, message: &Message<'_>, index: usize, name: &str) -> bool {
        let Some(field) = message.fields().get(index).filter(|_| !self.changes.contains_key(&index)) else {
            return false;
        };
        let value = message.bytes(&(field.value.start..field.whole.end));
        let first = memchr::memchr(b'\n', value).unwrap_or(value.len());
        // An octet that is not 7-bit would count as brought in.
        if name.len() + 1 + first > MAX_LINE || !value.iter().all(|b| b.is_ascii() && *b != 0) {
            return false;
        }
        self.changes.insert(index, Change::Replaced([name.as_bytes(), b":", value].concat()));
        true
    }

    /// Remove a field that came in. False where it has changed already.
    pub fn remove_field(&mut self, message: &Message<'_>, index: usize) -> bool {
        let is_there = message.fields().get(index).is_some() && !self.changes.contains_key(&index);
        if is_there {
            self.changes.insert(index, Change::Removed);
        }
        is_there
    }

    /// Take a tag off the subject; false where it is not there. The bytes around it stay where they can.
    pub fn untag_subject(&mut self, message: &Message<'_>, tag: &str) -> bool {
        let Some(raw) = self.raw_values(message, "Subject").into_iter().next() else { return false };
        let Some(text) = untagged(&decode_value(&raw), tag) else { return false };
        let place = self.places(message, b"Subject").next();
        if let Some(At::CameIn(i)) = place
            && !self.changes.contains_key(&i)
            && let Some(field) = message.fields().get(i)
            && let Some(value) = untagged_raw(&raw, tag)
            && value.split(|b| *b == b'\n').all(|line| line.len() + "Subject:".len() < MAX_LINE)
        {
            let before = message.bytes(&(field.whole.start..field.value.start));
            let behind = message.bytes(&(field.value.end..field.whole.end));
            self.changes.insert(i, Change::Replaced([before, &value, behind].concat()));
            return true;
        }
        FieldName::new("Subject")
            .and_then(|name| Field::new(name, &text.replace(['\r', '\n', '\0'], " ")))
            .is_ok_and(|field| self.set(message, field, Which::All))
    }

    /// True when a change was made to fields of this name.
    pub fn names(&self, message: &Message<'_>, name: &[u8]) -> bool {
        let is_new_name = |change: &Change| match change {
            Change::Replaced(bytes) => bytes.split(|b| *b == b':').next().is_some_and(|n| n.eq_ignore_ascii_case(name)),
            Change::Inserted(..) | Change::Removed => false,
        };
        if self.changes.values().any(is_new_name) {
            return true;
        }
        let changed = self.changes.keys().filter_map(|i| message.fields().get(*i));
        self.added.iter().any(|field| field.name().is(name))
            || changed.into_iter().any(|field| message.bytes(&field.name).eq_ignore_ascii_case(name))
    }

    /// The edits of the raw message; `None` when there are fields to add and no place for them.
    pub fn edits(&self, message: &Message<'_>) -> Option<Vec<Edit>> {
        let mut edits = Vec::with_capacity(self.changes.len() + 1);
        if !self.added.is_empty() {
            let at = message.field_place(PartId(0))?;
            let with = self.added.iter().rev().flat_map(|field| field.encode(message.line_end())).collect();
            edits.push(Edit { range: at..at, with });
        }
        for (i, change) in &self.changes {
            let Some(field) = message.fields().get(*i) else { continue };
            edits.push(match change {
                Change::Replaced(bytes) => {
                    let with = in_place(bytes, message.bytes(&field.whole)).to_vec();
                    Edit { range: field.whole.clone(), with: with.into() }
                }
                Change::Inserted(at, new) => Edit { range: *at..*at, with: new.clone().into() },
                Change::Removed => Edit { range: field.whole.clone(), with: Bytes::new() },
            });
        }
        Some(edits)
    }
}

/// A field as it stands in the place of another: a last line without a line end stays one.
fn in_place<'b>(new: &'b [u8], old: &[u8]) -> &'b [u8] {
    if old.ends_with(b"\n") { new } else { new.trim_ascii_end() }
}

/// The value in a whole field.
fn value_of(field: &[u8]) -> &[u8] {
    let value = memchr::memchr(b':', field).and_then(|at| field.get(at + 1..)).unwrap_or_default();
    value.trim_ascii_end()
}

/// An unstructured value as text: unfolded, encoded words decoded (RFC 2047), the rest as UTF-8 or else Windows-1252.
pub(super) fn decode_value(raw: &[u8]) -> String {
    let utf8;
    let raw = if std::str::from_utf8(raw).is_ok() {
        raw
    } else {
        utf8 = encoding_rs::WINDOWS_1252.decode_without_bom_handling(raw).0;
        utf8.as_bytes()
    };
    let decode = |charset: &[u8], bytes: &[u8], out: &mut String| {
        let encoding = Encoding::for_label(charset).unwrap_or(encoding_rs::UTF_8);
        out.push_str(&encoding.decode_without_bom_handling(bytes).0);
    };
    rfc2047::decode_text(raw, decode).into_owned()
}

/// Is this what mail programs put before the subject of a reply or a forward? In lower case, without its colon.
pub fn is_reply_prefix(word: &str) -> bool {
    REPLY_PREFIXES.contains(&word)
}

/// What mail programs put before the subject of a reply or a forward.
const REPLY_PREFIXES: &[&str] = &[
    "re",
    "aw",
    "sv",
    "vs",
    "fw",
    "fwd",
    "wg",
    "rv",
    "tr",
    "antw",
    "odp",
    "pd",
    "r",
    "ref",
    "rif",
    "i",
    "enc",
    "res",
    "ynt",
    "ilt",
    "vl",
    "bls",
    "trs",
    "fs",
    "vb",
    "doorst",
    "回复",
    "转发",
    "答复",
    "回覆",
    "轉寄",
    "返信",
    "转寄",
    "ответ",
    "отв",
    "antwort",
    "rép",
    "rép.",
    "svar",
    "frs",
    "vá",
    "továbbítás",
    "răsp",
    "απ",
    "σχετ",
    "πρθ",
    "השב",
    "הועבר",
    "رد",
    "転送",
    "회신",
    "답장",
    "전달",
    "trả lời",
];

/// True when the tag stands in front of a subject, or behind no more than reply prefixes and other tags.
fn has_tag(subject: &str, tag: &str) -> bool {
    let mut rest = subject.trim_start();
    // Each round takes at least one character away.
    loop {
        if rest.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)) {
            return true;
        }
        let after = match rest.strip_prefix('[') {
            Some(inner) => inner.split_once(']').map(|(_, after)| after),
            None => after_reply_prefix(rest),
        };
        match after {
            Some(after) => rest = after.trim_start(),
            None => return false,
        }
    }
}

fn after_reply_prefix(subject: &str) -> Option<&str> {
    let colon = subject.char_indices().take(24).find(|(_, c)| matches!(c, ':' | '：'))?;
    let (prefix, after) = subject.split_at(colon.0);
    // `Re[2]`, `Re(3)`, `Re^2`, `AW :`
    let word = prefix.split(['[', '(', '^']).next()?.trim();
    let count = prefix.get(word.len()..)?.trim();
    let counts = count.chars().all(|c| c.is_ascii_digit() || "[]()^ ".contains(c));
    let lower = word.to_lowercase();
    let known = REPLY_PREFIXES.iter().any(|p| p.eq_ignore_ascii_case(word) || **p == lower);
    (counts && known).then(|| after.get(colon.1.len_utf8()..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(raw: &str, tag: &str) -> Option<String> {
        let raw = raw.replace('\n', "\r\n");
        let message = Message::parse(raw.as_bytes());
        let mut header = HeaderDraft::default();
        if !header.tag_subject(&message, tag) {
            return None;
        }
        let edits = super::super::edits::sorted(header.edits(&message).unwrap());
        let out = super::super::Rendered::new(message.raw(), edits).unwrap().to_vec();
        Some(String::from_utf8(out).unwrap().replace("\r\n", "\n"))
    }

    #[test]
    fn a_tag_goes_in_front_and_the_subject_stays() {
        assert_eq!(tagged("Subject: Hi\n\nx", "[EXT]").unwrap(), "Subject: [EXT] Hi\n\nx");
        assert_eq!(tagged("Subject:Hi\n\nx", "[EXT]").unwrap(), "Subject: [EXT] Hi\n\nx");
        assert_eq!(tagged("Subject: y\n\nx", "[EXT]").unwrap(), "Subject: [EXT] y\n\nx");
        assert_eq!(tagged("Subject:\n\nx", "[EXT]").unwrap(), "Subject: [EXT]\n\nx");
        assert_eq!(tagged("subject:  Hi\n  there\n\nx", "[EXT]").unwrap(), "subject:  [EXT] Hi\n  there\n\nx");
        assert_eq!(tagged("To: x\n\nx", "[EXT]").unwrap(), "Subject: [EXT]\nTo: x\n\nx");
        let words = "Subject: =?utf-8?Q?=C3=A9?= =?utf-8?Q?=C3=A8?=\n\nx";
        assert_eq!(tagged(words, "[EXT]").unwrap(), words.replace("Subject: ", "Subject: [EXT] "));
    }

    #[test]
    fn a_value_takes_the_place_of_all_that_were_added_before() {
        let message = Message::parse(b"X-A: 0\r\nTo: x\r\nx-a: 1\r\n\r\ny");
        let field = |value| Field::new(FieldName::new("X-A").unwrap(), value).unwrap();
        for (which, wanted) in [
            (Which::All, "X-A: new|To: x"),
            (Which::First, "X-A: new|X-A: 3|X-A: 2|X-A: 0|To: x|x-a: 1"),
            (Which::Last, "X-A: 4|X-A: 3|X-A: 2|X-A: 0|To: x|X-A: new"),
        ] {
            let mut header = HeaderDraft::default();
            for value in ["2", "3", "4"] {
                header.add(field(value));
            }
            assert!(header.set(&message, field("new"), which));
            let edits = super::super::edits::sorted(header.edits(&message).unwrap());
            let out = super::super::Rendered::new(message.raw(), edits).unwrap().to_vec();
            let out = String::from_utf8(out).unwrap();
            assert_eq!(out.trim_end_matches("\r\n\r\ny").replace("\r\n", "|"), wanted, "{which:?}");
        }
    }

    #[test]
    fn an_encoded_tag_before_an_encoded_word_keeps_its_space() {
        let out = tagged("Subject: =?utf-8?Q?=C3=A9?=\n\nx", "[Ü]").unwrap();
        let value = value_of(out.lines().next().unwrap().as_bytes());
        assert_eq!(decode_value(value), "[Ü] é");
        let out = tagged("Subject: abc\n\nx", "[Ü]").unwrap();
        assert_eq!(decode_value(value_of(out.lines().next().unwrap().as_bytes())), "[Ü] abc");
    }

    #[test]
    fn a_field_that_is_set_does_not_swallow_the_next_where_line_ends_are_mixed() {
        let message = Message::parse(b"To: x\r\nSubject: old\nDate: now\r\n\r\nx");
        let mut header = HeaderDraft::default();
        header.set(&message, Field::new(FieldName::new("Subject").unwrap(), "new").unwrap(), Which::All);
        let edits = super::super::edits::sorted(header.edits(&message).unwrap());
        let out = super::super::Rendered::new(message.raw(), edits).unwrap().to_vec();
        assert_eq!(out, b"To: x\r\nSubject: new\r\nDate: now\r\n\r\nx");
    }

    #[test]
    fn a_tag_stands_once() {
        for subject in ["[EXT] a", "Re: [EXT] a", "AW: Re[2]: [list] [ext] a", "[EXT]", "RE: FW: [EXT] Re: a"] {
            assert_eq!(tagged(&format!("Subject: {subject}\n\nx"), "[EXT]"), None, "{subject}");
        }
        for subject in [
            "WG: [EXT] a",
            "Odp: [EXT] a",
            "SV: SV: [EXT] a",
            "Re[2]: [EXT] a",
            "Re(3): Re^2: AW : [EXT] a",
            "RE:[EXT]a",
            "Re: [list] Re: [EXT] a",
            "[list] Re: [other] Fwd: [EXT] a",
            "[EXT] [list] Re: a",
            "Rép. : [EXT] a",
            "Отв: [EXT] a",
            "回复：[EXT] a",
            "=?utf-8?Q?Re=3A_=5BEXT=5D_Gr=C3=BC=C3=9Fe?=",
            "Re: =?utf-8?B?W0VYVF0gR3LDvMOfZQ==?=",
            "Re:\n [EXT]\n a",
            "=?iso-8859-1?Q?AW=3A?=\n =?iso-8859-1?Q?_[EXT]_=FC?=",
        ] {
            assert_eq!(tagged(&format!("Subject: {subject}\n\nx"), "[EXT]"), None, "{subject}");
        }
        for subject in [
            "a [EXT]",
            "Reason: [EXT]",
            "12:30 [EXT]",
            "Re: a [EXT] b",
            "[EXTERNAL] a",
            "(EXT) a",
            "Re: [list Re: [EXT",
            "=?utf-8?Q?a_=5BEXT=5D?=",
        ] {
            let raw = format!("Subject: {subject}\n\nx");
            let out = tagged(&raw, "[EXT]").unwrap_or_else(|| panic!("{subject}"));
            assert_eq!(out, raw.replacen("Subject: ", "Subject: [EXT] ", 1), "the rest keeps its bytes");
            assert_eq!(tagged(&out, "[EXT]"), None, "{subject}, once more");
        }
    }

    #[test]
    fn a_long_subject_line_is_folded_before_it_gets_too_long() {
        let out = tagged(&format!("Subject: {}\n\nx", "y".repeat(985)), "[EXTERNAL]").unwrap();
        assert!(out.lines().all(|l| l.len() <= MAX_LINE));
        let out = tagged(&format!("Subject: {}\n\nx", "y".repeat(1_500)), "[EXTERNAL]").unwrap();
        assert!(out.lines().all(|l| l.len() <= MAX_LINE), "{out}");
    }

    #[test]
    fn a_field_that_is_set_stands_where_the_first_of_its_name_stood() {
        let message = Message::parse(b"Subject: a\r\nTo: x\r\nsubject: b\r\n\r\nx");
        let mut header = HeaderDraft::default();
        assert!(header.set(&message, Field::new(FieldName::new("Subject").unwrap(), "c").unwrap(), Which::All));
        let edits = super::super::edits::sorted(header.edits(&message).unwrap());
        let out = super::super::Rendered::new(message.raw(), edits).unwrap().to_vec();
        assert_eq!(out, b"Subject: c\r\nTo: x\r\n\r\nx");
    }

    #[test]
    fn only_what_was_changed_is_named() {
        let message = Message::parse(b"Subject: a\r\nTo: x\r\n\r\nx");
        let mut header = HeaderDraft::default();
        assert!(!header.names(&message, b"Subject"));
        assert!(header.rename(&message, 1, "X-To"));
        assert!(
            header.names(&message, b"to") && header.names(&message, b"x-to") && !header.names(&message, b"Subject")
        );
    }
}
