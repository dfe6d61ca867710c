//! What `PutRawMessageContent` demands of a message, as one pure function: which of its demands a message does not meet.
//!
//! WorkMail publishes what it demands in seven lines and the rest in error messages that nobody has written down
//! (WorkMail API Reference, `RawMessageContent`). So each [`Demand`] says on what it rests ([`Basis`]): on AWS's own
//! words, on what AWS only recommends, or on what mail standards and the words of Amazon SES, whose demands are the same
//! to the letter, make likely. Nothing here was tried on a live organization.
//!
//! It serves three ends: `replay --strict` refuses what WorkMail would refuse; the handler never puts what would be
//! refused because of our own edits; and after a rejection it knows what there is to repair, and whether the repair was
//! enough.
//!
//! Invariant: never fails, linear in the message, and holds no content: offsets, lengths, and names of fields that are
//! on our own lists.

mod attachments;
mod edited;
pub mod fields;

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::Range;

use serde::Serialize;

use super::workmail::MAX_MESSAGE;
use crate::message::{Draft, FieldSpan, MAX_LINE, Message, Part, Rendered, header_fields, header_of};

/// Most attachments of one message (Administrator Guide, "Amazon WorkMail quotas").
pub const MAX_ATTACHMENTS: usize = 500;

/// Most names that are listed for one demand.
const MAX_NAMED: usize = 5;

/// A demand that a message does not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// A line of at most 998 octets and its line end.
    Line,
    /// Header fields in 7 bits.
    HeaderBits,
    /// Bodies in 7 bits.
    BodyBits,
    /// No NUL.
    Nul,
    /// A field that must be there.
    Required,
    /// A field that may stand once.
    Once,
    /// A field that must keep its value.
    Fixed,
    /// An attachment of a type that SES takes.
    AttachmentType,
    /// Not more attachments than the quota.
    Attachments,
    /// Not larger than the quota.
    Size,
    /// Multiparts that are formed as RFC 2046 asks: a boundary, a part, a closing delimiter.
    Multipart,
    /// A blank line between a header and its body.
    Separator,
}

/// On what a demand rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// AWS's words.
    Documented,
    /// AWS says that there is such a demand, or a standard does; what falls under it is our guess.
    Assumed,
    /// AWS recommends it. Not meeting it is no reason for a refusal that we know of.
    Advised,
}

impl Demand {
    /// On what it rests.
    pub const fn basis(self) -> Basis {
        match self {
            // API Reference: "must not exceed 1,000 characters", "content type that Amazon SES supports".
            // Administrator Guide, quotas: 40 MB, 500 attachments.
            // SES `RawMessage`: "a header and a body, separated by a blank line".
            Self::Line | Self::AttachmentType | Self::Attachments | Self::Size | Self::Separator => Basis::Documented,
            // API Reference: "all the required header fields", "certain unique headers", "immutable headers", "each part
            // of a multipart MIME message must be formatted properly". RFC 5322 §2.2 for 7-bit headers, §4 for NUL.
            Self::Required | Self::Once | Self::Fixed | Self::Multipart | Self::HeaderBits | Self::Nul => {
                Basis::Assumed
            }
            // API Reference: "outside of the 7-bit ASCII character range, we recommend encoding that content".
            Self::BodyBits => Basis::Advised,
        }
    }

    /// True when not meeting it is refused, as far as is known.
    pub const fn refuses(self) -> bool {
        !matches!(self.basis(), Basis::Advised)
    }

    /// What is wrong, in fixed words; of one or several.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Line => "a line over 998 octets",
            Self::HeaderBits => "8-bit octets in a header field",
            Self::BodyBits => "8-bit octets in a body",
            Self::Nul => "a NUL octet",
            Self::Required => "a required header field is missing",
            Self::Once => "a header field that may stand once stands again",
            Self::Fixed => "a header field that must not change has another value",
            Self::AttachmentType => "an attachment of an unsupported type",
            Self::Attachments => "more than 500 attachments",
            Self::Size => "more than 40 MB",
            Self::Multipart => "a multipart that is not formed as it should be",
            Self::Separator => "a header that no blank line ends",
        }
    }
}

/// A demand that is not met, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which.
    pub demand: Demand,
    /// The field, where it is one of our lists; by its name there. The extension of an attachment.
    pub name: Option<&'static str>,
    /// The part, counted as IMAP does (RFC 9051 §6.4.5.1): `2.1` is the first part of the second. Empty: the message.
    pub part: String,
    /// True when it stands in the header of that part.
    pub in_header: bool,
    /// Where it begins, in octets from the start of the message.
    pub offset: usize,
    /// How long it is, in octets.
    pub octets: usize,
    /// True when the message as fetched has it, too; false when the rewrite brought it in.
    pub came: bool,
}

impl Fault {
    /// What it is a fault of, for comparing.
    fn key(&self) -> (Demand, Option<&'static str>) {
        (self.demand, self.name)
    }
}

/// Why a put is refused: what it demands and the message does not meet. Shows fixed words only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", words(.faults))]
pub struct Rejection {
    /// The faults that a put is refused for, in the order of [`compare`]; never empty.
    pub faults: Vec<Fault>,
}

/// As WorkMail's put: takes `new` in place of `fetched`, or says why not.
pub fn put(new: &[u8], fetched: &[u8]) -> Result<(), Rejection> {
    let new = Message::parse(new);
    let mut faults = check(&new);
    if !has_same_fields(&new, fetched) {
        changed_fields(&new, &Message::parse(header_of(fetched)), &mut faults);
    }
    if !faults.iter().any(|fault| fault.demand.refuses()) {
        return Ok(());
    }
    let fetched = Message::parse(fetched);
    tell_apart(&mut faults, &new, &check(&fetched), &fetched);
    faults.retain(|fault| fault.demand.refuses());
    Err(Rejection { faults })
}

/// How often a demand is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// Which.
    pub demand: Demand,
    /// How often.
    pub count: usize,
    /// True where the message came with it; false where the rewrite brought it in.
    pub came: bool,
    /// Of which fields, or of attachments with which extensions, as our lists have them; in order, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<&'static str>,
}

impl Unmet {
    /// What is wrong, with the names, in words of ours.
    pub fn words(&self) -> String {
        let (shown, more) = self.names.split_at(self.names.len().min(MAX_NAMED));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let names = if shown.is_empty() { String::new() } else { format!(" ({}{more})", shown.join(", ")) };
        format!("{}{names}", self.demand.words())
    }
}

/// The faults by sort, in the order of [`Demand`].
pub fn unmet(faults: &[Fault]) -> Vec<Unmet> {
    let mut sorts: BTreeMap<(Demand, bool), (usize, BTreeSet<&'static str>)> = BTreeMap::new();
    for fault in faults {
        let (count, names) = sorts.entry((fault.demand, fault.came)).or_default();
        *count += 1;
        names.extend(fault.name);
    }
    let sorts = sorts.into_iter();
    sorts
        .map(|((demand, came), (count, names))| Unmet { demand, count, came, names: names.into_iter().collect() })
        .collect()
}

/// The faults in our own words.
pub fn words(faults: &[Fault]) -> String {
    let each = unmet(faults).into_iter().map(|unmet| {
        let often = if unmet.count > 1 { format!(" ({} times)", unmet.count) } else { String::new() };
        let whose = if unmet.came { "" } else { ", brought in by the rewrite" };
        format!("{}{often}{whose}", unmet.words())
    });
    each.collect::<Vec<_>>().join("; ")
}

/// The demands that `new` does not meet, with those that it shares with the message as it was fetched told apart. In
/// the order of the demands' offsets, by demand.
pub fn compare(new: &Message<'_>, fetched: &Message<'_>) -> Vec<Fault> {
    let mut faults = check(new);
    changed_fields(new, fetched, &mut faults);
    if faults.iter().any(|fault| !fault.came) {
        tell_apart(&mut faults, new, &check(fetched), fetched);
    }
    faults
}

/// The faults for which the flow would refuse a rewrite that came about by our own doing: what no edit touched is not
/// looked at. Empty for every rewrite that holds up. What the rewrite keeps of the message is what [`Draft::render`] has
/// made sure of: its parts and their boundaries.
pub fn brought_in(message: &Message<'_>, rendered: &Rendered<'_>) -> Vec<Fault> {
    if edited::brings_nothing_in(message, rendered) {
        return Vec::new();
    }
    let outline = rendered.outline(message);
    let mut faults = compare(&Message::parse(&outline), message);
    faults.retain(|fault| !fault.came && fault.demand.refuses());
    faults
}

/// The demands that a message alone does not meet; `came` is false throughout.
pub fn check(message: &Message<'_>) -> Vec<Fault> {
    let mut checked = Checked { message, names: None, faults: Vec::new() };
    checked.lines();
    let is_plain = message.raw().is_ascii() && memchr::memchr(0, message.raw()).is_none();
    for (id, part) in message.parts().iter().enumerate() {
        if !is_plain {
            checked.octets(id, part);
        }
        checked.structure(id, part);
    }
    checked.root_fields();
    checked.attachments();
    if message.raw().len() > MAX_MESSAGE {
        checked.fault(Demand::Size, None, 0, false, 0..message.raw().len());
    }
    checked.faults
}

struct Checked<'c, 'm> {
    message: &'c Message<'m>,
    /// The names of its parts, once one is asked for.
    names: Option<Vec<String>>,
    faults: Vec<Fault>,
}

impl Checked<'_, '_> {
    fn fault(&mut self, demand: Demand, name: Option<&'static str>, part: usize, in_header: bool, at: Range<usize>) {
        let names = self.names.get_or_insert_with(|| self.message.part_names());
        let part = names.get(part).filter(|_| part > 0).cloned().unwrap_or_default();
        let fault = Fault { demand, name, part, in_header, offset: at.start, octets: at.len(), came: false };
        self.faults.push(fault);
    }

    /// Lines over the limit, wherever they stand; a CR alone ends no line on the wire.
    fn lines(&mut self) {
        let raw = self.message.raw();
        let mut start = 0;
        while let Some(rest) = raw.get(start..).filter(|rest| !rest.is_empty()) {
            // What ends within the limit need not be looked at line by line.
            let near = rest.get(..rest.len().min(MAX_LINE + 1)).unwrap_or_default();
            if let Some(end) = memchr::memrchr(b'\n', near) {
                start += end + 1;
                continue;
            }
            let end = memchr::memchr(b'\n', rest).map_or(raw.len(), |length| start + length);
            let line = raw.get(start..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > MAX_LINE {
                let parts = self.message.parts();
                // Parts are in the order of their headers.
                let id = parts.partition_point(|part| part.header.start <= start).saturating_sub(1);
                let header = parts.get(id).map(|part| part.header.clone()).unwrap_or_default();
                let in_header = header.contains(&start);
                let field = parts.get(id).and_then(|part| part.fields.iter().find(|f| f.whole.contains(&start)));
                let name = field.filter(|_| in_header).and_then(|field| known(self.message, field));
                self.fault(Demand::Line, name, id, in_header, start..start + line.len());
            }
            start = end + 1;
        }
    }

    /// Octets that are not 7-bit, and NUL.
    fn octets(&mut self, id: usize, part: &Part) {
        for field in &part.fields {
            let bytes = self.message.bytes(&field.whole);
            if !bytes.is_ascii() {
                self.fault(Demand::HeaderBits, known(self.message, field), id, true, field.whole.clone());
            }
            if memchr::memchr(0, bytes).is_some() {
                self.fault(Demand::Nul, known(self.message, field), id, true, field.whole.clone());
            }
        }
        if part.boundary.is_some() {
            return;
        }
        let body = self.message.bytes(&part.body);
        if !body.is_ascii() {
            self.fault(Demand::BodyBits, None, id, false, part.body.clone());
        }
        if let Some(at) = memchr::memchr(0, body) {
            self.fault(Demand::Nul, None, id, false, part.body.start + at..part.body.start + at + 1);
        }
    }

    fn structure(&mut self, id: usize, part: &Part) {
        if !part.has_separator {
            self.fault(Demand::Separator, None, id, true, part.header.clone());
        }
        if part.is_multipart() && !self.message.is_closed(part) {
            self.fault(Demand::Multipart, None, id, false, part.body.clone());
        }
    }

    fn root_fields(&mut self) {
        let mut seen: Vec<&'static str> = Vec::new();
        for field in self.message.fields() {
            let name = self.message.bytes(&field.name);
            if let Some(once) = fields::ONCE.iter().find(|once| once.as_bytes().eq_ignore_ascii_case(name)) {
                if seen.contains(once) {
                    self.fault(Demand::Once, Some(once), 0, true, field.whole.clone());
                } else {
                    seen.push(once);
                }
            }
        }
        for required in fields::REQUIRED {
            if !seen.contains(required) {
                self.fault(Demand::Required, Some(required), 0, true, 0..0);
            }
        }
    }

    fn attachments(&mut self) {
        for (id, part) in self.message.parts().iter().enumerate() {
            if let Some(extension) = part.file_name.as_deref().and_then(attachments::unsupported) {
                self.fault(Demand::AttachmentType, Some(extension), id, true, part.header.clone());
            }
        }
        let attachments = self.message.attachments().len();
        if attachments > MAX_ATTACHMENTS {
            self.fault(Demand::Attachments, None, 0, false, 0..0);
        }
    }
}

/// The name of a field where it is on one of our lists: what a message makes up is no name to report.
fn known(message: &Message<'_>, field: &FieldSpan) -> Option<&'static str> {
    let name = message.bytes(&field.name);
    let lists = [fields::ONCE, fields::FIXED, fields::REQUIRED];
    lists.into_iter().flatten().find(|known| known.as_bytes().eq_ignore_ascii_case(name)).copied()
}

/// Fields that must not change: the values are those that came, in their order, decoded and unfolded. Of a field that may
/// stand once, copies may go. MIME-Version may come where there was none.
fn changed_fields(new: &Message<'_>, fetched: &Message<'_>, faults: &mut Vec<Fault>) {
    if has_same_fields(new, fetched.raw()) {
        return;
    }
    let (new_draft, old_draft) = (Draft::new(new), Draft::new(fetched));
    for name in fields::FIXED {
        let (new_raw, old_raw) = (new_draft.raw_values(name), old_draft.raw_values(name));
        // What an octet outside of 7 bits means that is no UTF-8, nobody can tell: no value to compare.
        let odd = old_raw.iter().any(|value| std::str::from_utf8(value).is_err());
        if new_raw == old_raw || odd || (old_raw.is_empty() && *name == "MIME-Version" && new_raw.len() == 1) {
            continue;
        }
        let plain = |values: Vec<String>| -> Vec<String> {
            values.iter().map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
        };
        let (now, before) = (plain(new_draft.values(name)), plain(old_draft.values(name)));
        let mut rest = before.iter();
        let in_order = now.iter().all(|value| rest.any(|old| same_people(old, value)));
        let copies_only = fields::stands_once(name.as_bytes()) && !now.is_empty();
        if !in_order || (now.len() != before.len() && !copies_only) {
            let field = new.fields().iter().find(|f| new.bytes(&f.name).eq_ignore_ascii_case(name.as_bytes()));
            let at = field.map_or(0..0, |field| field.whole.clone());
            faults.push(Fault {
                demand: Demand::Fixed,
                name: Some(name),
                part: String::new(),
                in_header: true,
                offset: at.start,
                octets: at.len(),
                came: false,
            });
        }
    }
}

/// True where the fields that must not change are the same and written the same, in the same order.
fn has_same_fields(new: &Message<'_>, fetched: &[u8]) -> bool {
    let (_, fields) = header_fields(fetched);
    fixed_fields(new.raw(), new.fields()).eq(fixed_fields(fetched, &fields))
}

/// The fields that must not change, by their place on the list, as they are written.
fn fixed_fields<'a>(raw: &'a [u8], fields: &'a [FieldSpan]) -> impl Iterator<Item = (usize, &'a [u8])> {
    fields.iter().filter_map(|field| {
        let name = raw.get(field.name.clone())?;
        let at = fields::FIXED.iter().position(|fixed| fixed.as_bytes().eq_ignore_ascii_case(name))?;
        Some((at, raw.get(field.value.clone())?))
    })
}

/// The same value, also where a name in quotation marks has become an encoded word.
fn same_people(old: &str, new: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace() && !"\"\\".contains(*c)).collect::<String>();
    old == new || bare(old) == bare(new)
}

/// Mark the faults that the message as fetched has, too: first those with the same octets, then, as an edit may have
/// moved others, as many as it has of the same sort.
fn tell_apart(faults: &mut [Fault], new: &Message<'_>, old_faults: &[Fault], fetched: &Message<'_>) {
    let print = |message: &Message<'_>, fault: &Fault| {
        let mut hasher = DefaultHasher::new();
        message.bytes(&(fault.offset..fault.offset + fault.octets)).hash(&mut hasher);
        (fault.key(), hasher.finish())
    };
    let mut alike: HashMap<_, usize> = HashMap::new();
    let mut of_sort: HashMap<_, usize> = HashMap::new();
    for fault in old_faults {
        *alike.entry(print(fetched, fault)).or_default() += 1;
        *of_sort.entry(fault.key()).or_default() += 1;
    }
    let take = |left: Option<&mut usize>| {
        left.is_some_and(|left| {
            let any = *left > 0;
            *left = left.saturating_sub(1);
            any
        })
    };
    for fault in faults.iter_mut() {
        if take(alike.get_mut(&print(new, fault))) {
            fault.came = take(of_sort.get_mut(&fault.key()));
        }
    }
    for fault in faults.iter_mut().filter(|fault| !fault.came) {
        fault.came = take(of_sort.get_mut(&fault.key()));
    }
}

#[cfg(test)]
mod tests;
