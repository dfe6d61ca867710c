//! What rules see of it: attachments as they stand now, their content, and how one is taken off.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::super::draft::{Block, BodyError, Draft, Place};
use super::super::edits::Edit;
use super::super::protection::{self, Protection};
use super::super::standing::is_all;
use super::super::transfer::applied;
use super::super::{
    Attachment, Body, BodyKind, Disposition, FieldSpan, Message, ParameterText, Part, PartId, TextEdit,
    TransferEncoding, Uuencoded, Value,
};
use crate::stored::Stored;

use super::{Fate, Image, Notice, Surgery, end_is_sound, has_room, notice, shares_boundary};

/// The type of an attachment that declares none (RFC 2046 §4.5.1).
const UNDECLARED: &str = "application/octet-stream";
/// Names of uuencode as a transfer encoding, which no RFC has.
const UUENCODE: &[&str] = &["x-uuencode", "uuencode", "x-uue", "uue"];

/// Fields that name a file (RFC 2183 §2.3; RFC 2045 §5.1 has an older one).
const FIELDS_OF_NAMES: &[&str] = &["Content-Disposition", "Content-Type"];
/// Names of one field that are looked at.
const MAX_NAMES: usize = 16;

/// Where it is said that an attachment is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// In a small text file in its place.
    InPlace,
    /// Below the text of the message.
    InBodies,
    /// Nowhere.
    Nowhere,
}

impl<'m> Draft<'m> {
    /// Attachments as they stand now: without those that were taken off, by the names that they have now.
    pub fn attachments(&self) -> Vec<Attachment> {
        let mut all = self.message().attachments();
        all.retain(|attachment| !self.surgery.is_gone(attachment.part));
        for attachment in &mut all {
            if let Some(part) = self.header_now(attachment.part) {
                attachment.name = part.file_name;
            }
        }
        for body in self.readable().into_iter().filter(|body| body.kind == BodyKind::Plain) {
            let text = self.text(body.part).unwrap_or_default();
            all.extend(Uuencoded::all(text).into_iter().map(|file| Attachment {
                part: body.part,
                name: text.get(file.name.clone()).map(str::to_owned),
                media_type: UNDECLARED.to_owned(),
                in_text: Some(file),
            }));
        }
        all.sort_by_key(|attachment| attachment.part);
        all
    }

    /// Every name that is written for an attachment, the one that most readers show first: `filename` and `name`, each as it
    /// is, encoded or in pieces. Readers do not agree on which counts.
    pub fn names(&self, attachment: &Attachment) -> Vec<String> {
        let mut names: Vec<String> = attachment.name.iter().cloned().collect();
        if attachment.in_text.is_some() {
            return names;
        }
        let is_named = |value: &Value<'_>| FIELDS_OF_NAMES.iter().any(|name| name.eq_ignore_ascii_case(&value.name));
        for value in self.fields_of(attachment.part).into_iter().filter(is_named) {
            for name in ParameterText::read(&value.raw).into_iter().take(MAX_NAMES) {
                if !name.text().is_empty() && !names.iter().any(|known| known == name.text()) {
                    names.push(name.text().to_owned());
                }
            }
        }
        names
    }

    /// The header of a part whose fields were edited, read once more.
    fn header_now(&self, id: PartId) -> Option<Part> {
        let is_edited = if id == PartId(0) {
            [&b"Content-Type"[..], b"Content-Disposition"].iter().any(|name| self.header.names(self.message(), name))
        } else {
            self.permitted.fields.range((id, 0)..=(id, usize::MAX)).next().is_some()
        };
        if !is_edited {
            return None;
        }
        let mut header = Vec::new();
        for value in self.fields_of(id) {
            header.extend_from_slice(&[value.name.as_bytes(), b":", &value.raw, b"\r\n"].concat());
        }
        header.extend_from_slice(b"\r\n");
        Message::parse(&header).part(PartId(0)).cloned()
    }

    /// The octets of an attachment as they stand now, its encoding undone; `None` where it cannot be.
    pub fn octets(&self, attachment: &Attachment) -> Option<Cow<'m, [u8]>> {
        match &attachment.in_text {
            Some(file) => self.text(attachment.part).ok().map(|text| Cow::Owned(file.octets(text))),
            None => self.content(attachment.part).or_else(|| uuencoded_part(self.message(), attachment.part)),
        }
    }

    /// How many octets [`Self::octets`] gives, without making them where it can be helped. Of what cannot be decoded: as
    /// many as are written.
    pub fn size(&self, attachment: &Attachment) -> u64 {
        let id = attachment.part;
        if let Some(file) = &attachment.in_text {
            return self.text(id).map_or(0, |text| file.size(text));
        }
        if self.is_edited_file(id) {
            return self.content(id).map_or(0, |octets| octets.len() as u64);
        }
        self.message().size(id, || uuencoded_part(self.message(), id).map(|octets| octets.len()))
    }

    /// What [`Self::size`] is at least and at most, known without a look at the octets.
    pub fn size_bounds(&self, attachment: &Attachment) -> RangeInclusive<u64> {
        let part = self.message().part(attachment.part);
        let is_stored = attachment.in_text.is_none() && !self.is_edited_file(attachment.part);
        match part.filter(|_| is_stored) {
            Some(part) if part.encoding == TransferEncoding::Identity => {
                let size = part.body.len() as u64;
                size..=size
            }
            // No encoding is shorter than what it encodes.
            Some(part) => 0..=part.body.len() as u64,
            None => 0..=u64::MAX,
        }
    }

    /// Was the content of a part edited?
    fn is_edited_file(&self, id: PartId) -> bool {
        self.permitted.attached.contains_key(&id) || self.permitted.edited_texts().any(|(file, _)| file.body.part == id)
    }

    /// The octets of a part as they stand now, its transfer encoding undone; `None` where it cannot be.
    pub fn content(&self, id: PartId) -> Option<Cow<'m, [u8]>> {
        let message = self.message();
        if let Some((file, text)) = self.permitted.edited_texts().find(|(file, _)| file.body.part == id) {
            let part = message.part(id)?;
            let edits: Vec<Edit> = text.raw_edits(message, file.body.part).ok()?.to_vec();
            let moved = |edit: Edit| Edit {
                range: edit.range.start - part.header.start..edit.range.end - part.header.start,
                with: edit.with,
            };
            let mut edits: Vec<Edit> = edits.into_iter().map(moved).collect();
            edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
            let entity = applied(message.bytes(&(part.header.start..part.body.end)), 0, &edits);
            return Message::parse(&entity).content(PartId(0)).map(|octets| Cow::Owned(octets.into_owned()));
        }
        if self.permitted.attached.contains_key(&id) {
            return self.attached_bytes(id);
        }
        message.content(id)
    }

    /// What keeps an attachment from being taken off or renamed: it is inside of what is signed or encrypted, or it is that.
    pub fn lock(&self, attachment: &Attachment) -> Option<Protection> {
        let Attachment { part, in_text, .. } = attachment;
        match in_text {
            Some(_) => protection::of_text(self.message(), Body { part: *part, kind: BodyKind::Plain }),
            None => self.lock_of(*part),
        }
    }

    /// The same for a part.
    pub fn lock_of(&self, id: PartId) -> Option<Protection> {
        lock_of(self.message(), id)
    }

    /// Take an attachment off. Where nothing would be left otherwise, or no body takes what is said of it, the notice
    /// stands in its place; where that is one of alternatives, of which a reader shows one only, in the bodies (`block`) or
    /// behind the message.
    pub fn take_off(&mut self, id: PartId, notice: Notice, block: &Block, said: Said) -> Result<(), BodyError> {
        let message = self.message();
        if let Some(doubt) = message.doubt() {
            return Err(doubt);
        }
        if shares_boundary(message) {
            return Err(BodyError::Doubtful);
        }
        let part = message.part(id).ok_or(BodyError::Field)?;
        if self.lock_of(id).is_some() || !part.children.is_empty() || self.surgery.is_gone(id) {
            return Err(BodyError::Field);
        }
        let is_alternative = parent_type(message, part) == "multipart/alternative";
        self.permitted.forget(id);
        if !self.surgery.leaves_something(message, id) || said == Said::InPlace && !is_alternative {
            return self.replace(id, notice);
        }
        self.surgery.gone.insert(id, Fate::Removed);
        if said == Said::Nowhere || self.insert(block, Place::End).is_ok_and(|bodies| bodies > 0) {
            return Ok(());
        }
        if is_alternative { self.put_notice_beside(Arc::new(notice)) } else { self.replace(id, notice) }
    }

    /// Take files off that stand in the text of a body, with what is said in the place of each, in order. Without `shown`
    /// nothing is, where any of the text is left.
    pub fn take_off_in_text(&mut self, id: PartId, files: &[TextEdit], shown: bool) -> Result<(), BodyError> {
        let part = self.message().part(id).ok_or(BodyError::Field)?;
        let text = self.text(id)?;
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        // RFC 3676 §4.2 and §4.4: no line flows into the next, and none becomes a quote.
        let stuffed = |line: &str| {
            let line = line.trim_end();
            let stuff = part.flowed && (line.starts_with([' ', '>']) || line.starts_with("From "));
            if stuff { format!(" {line}") } else { line.to_owned() }
        };
        let said = |edit: &TextEdit| TextEdit {
            range: edit.range.clone(),
            text: edit.text.split('\n').map(stuffed).collect::<Vec<_>>().join(newline),
        };
        let unsaid = |edit: &TextEdit| {
            let behind = text.get(edit.range.end..).unwrap_or_default();
            let line_end = [newline, "\n"].into_iter().find(|end| behind.starts_with(end)).map_or(0, str::len);
            TextEdit { range: edit.range.start..edit.range.end + line_end, text: String::new() }
        };
        let blocks: Vec<_> = files.iter().map(|edit| edit.range.clone()).collect();
        let shown = shown || is_all(text, &blocks);
        let edits: Vec<TextEdit> = files.iter().map(|edit| if shown { said(edit) } else { unsaid(edit) }).collect();
        self.edit(id, &edits).or_else(|why| {
            // What the charset of the text cannot hold is no reason to leave the file there.
            let ascii = |text: &str| text.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
            let plain = |edit: &TextEdit| TextEdit { range: edit.range.clone(), text: ascii(&edit.text) };
            let plain: Vec<TextEdit> = edits.iter().map(plain).collect();
            if plain == edits { Err(why) } else { self.edit(id, &plain) }
        })
    }

    /// The notice stands in the place of the part.
    fn replace(&mut self, id: PartId, notice: Notice) -> Result<(), BodyError> {
        let message = self.message();
        if id == PartId(0) {
            if notice.replacing(message).is_none() {
                return Err(BodyError::Field);
            }
            self.header.forget(message, notice::FIELDS);
            self.header.forget(message, notice::DROPPED);
        }
        self.surgery.gone.insert(id, Fate::Replaced(Arc::new(notice)));
        Ok(())
    }

    /// An attachment that was taken off is to be stored, where this draft becomes the message.
    pub fn set_aside(&mut self, stored: Stored) {
        if !self.stored.iter().any(|one| one.key() == stored.key()) {
            self.stored.push(Arc::new(stored));
        }
    }

    /// The attachments to be stored.
    pub fn stored(&self) -> &[Arc<Stored>] {
        &self.stored
    }

    /// The pictures that HTML can show by their Content-ID: it, without angle brackets, and the part.
    pub fn pictures(&self) -> Vec<(String, PartId)> {
        let message = self.message();
        let picture = |(id, part): (usize, &Part)| {
            let is_one = part.media_type.starts_with("image/") && parent_type(message, part) == "multipart/related";
            let is_id = |field: &&FieldSpan| message.bytes(&field.name).eq_ignore_ascii_case(b"Content-ID");
            let field = part.fields.iter().find(is_id).filter(|_| is_one && !self.surgery.is_gone(PartId(id)))?;
            let value = String::from_utf8_lossy(message.bytes(&field.value));
            let name = value.trim().strip_prefix('<')?.strip_suffix('>')?;
            Some((name.to_owned(), PartId(id)))
        };
        message.parts().iter().enumerate().filter_map(picture).collect()
    }

    /// Do the texts of the message, as they stand now, hold this word of ASCII, in whatever case? So also what cannot be
    /// read.
    pub fn texts_hold(&self, word: &str) -> bool {
        let holds = |octets: &[u8]| {
            octets.windows(word.len().max(1)).any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
        };
        let texts = self.message().parts().iter().enumerate().filter(|(_, part)| part.is_text());
        let mut ids = texts.map(|(id, _)| PartId(id)).filter(|id| !self.surgery.is_gone(*id));
        ids.any(|id| match self.text(id) {
            Ok(text) => holds(text.as_bytes()),
            Err(_) => self.content(id).is_none_or(|octets| holds(&octets)),
        })
    }

    /// Take a picture out that no HTML shows any more. False where it stays.
    pub fn take_out_picture(&mut self, id: PartId) -> bool {
        let message = self.message();
        let is_free = message.doubt().is_none()
            && !shares_boundary(message)
            && self.lock_of(id).is_none()
            && self.pictures().iter().any(|(_, part)| *part == id)
            && self.surgery.leaves_something(message, id);
        if is_free {
            self.permitted.forget(id);
            self.surgery.gone.insert(id, Fate::Removed);
        }
        is_free
    }

    /// Put pictures beside an HTML body that shows them: into the multipart/related that it stands in, or a new one. One
    /// that is there is not put in twice.
    pub fn add_images(&mut self, id: PartId, images: &[Arc<Image>]) -> Result<(), BodyError> {
        let message = self.message();
        if images.is_empty() {
            return Ok(());
        }
        if let Some(doubt) = message.doubt() {
            return Err(doubt);
        }
        if shares_boundary(message) {
            return Err(BodyError::Doubtful);
        }
        let above = |id: &PartId| message.part(*id).and_then(|part| part.parent);
        let is_related = |id: &PartId| message.part(*id).is_some_and(|part| part.media_type == "multipart/related");
        let around = std::iter::successors(above(&id), above).find(is_related);
        let scope = around.unwrap_or(id);
        let part = message.part(scope).ok_or(BodyError::Field)?;
        let place = |image: &Image| {
            let mut all = message.parts().iter().enumerate().filter(|(_, part)| part.parent == Some(scope));
            all.find(|(_, part)| image.is(message, part)).map(|(id, _)| PartId(id)).filter(|_| part.is_multipart())
        };
        let mut new: Vec<Arc<Image>> = self.surgery.images.get(&scope).cloned().unwrap_or_default();
        let old = new.len();
        let mut back = Vec::new();
        for image in images {
            match place(image) {
                // One that went with a block before.
                Some(there) => back.push(there),
                None if new.contains(image) => {}
                None => new.push(Arc::clone(image)),
            }
        }
        self.surgery.gone.retain(|id, _| !back.contains(id));
        if new.len() == old {
            return Ok(());
        }
        if !has_room(message, id, new.len()) {
            return Err(BodyError::Doubtful);
        }
        let last = part.children.last().and_then(|last| message.part(*last)).unwrap_or(part);
        let behind = message.raw().get(last.body.end..).unwrap_or_default();
        if behind.starts_with(b"--") {
            return Err(BodyError::LastLine);
        }
        if behind.is_empty() && id != PartId(0) {
            end_is_sound(message)?;
        }
        let before = self.surgery.clone();
        self.surgery.images.insert(scope, new);
        // Whether the message takes it is known now, while the rule can still be taken back.
        if let Err(why) = self.body_edits() {
            self.surgery = before;
            return Err(why);
        }
        Ok(())
    }
}

impl Surgery {
    /// Would there be anything left to show without this part, and a root in each multipart/related?
    fn leaves_something(&self, message: &Message<'_>, id: PartId) -> bool {
        let mut after = self.clone();
        after.gone.insert(id, Fate::Removed);
        let removed = after.removed(message);
        let is_root = |part: &Part| {
            let parent = part.parent.and_then(|parent| message.part(parent));
            parent
                .is_some_and(|parent| parent.media_type == "multipart/related" && parent.children.first() == Some(&id))
        };
        id != PartId(0) && !removed.contains(&PartId(0)) && !message.part(id).is_some_and(is_root)
    }
}

/// A part whose transfer encoding is uuencode, by one of its names.
fn uuencoded_part<'m>(message: &Message<'m>, id: PartId) -> Option<Cow<'m, [u8]>> {
    let part = message.part(id).filter(|part| part.encoding == TransferEncoding::Unknown)?;
    let is_encoding =
        |field: &&FieldSpan| message.bytes(&field.name).eq_ignore_ascii_case(b"Content-Transfer-Encoding");
    let encoding = part.fields.iter().find(is_encoding).map(|field| message.bytes(&field.value).trim_ascii())?;
    if !UUENCODE.iter().any(|name| encoding.eq_ignore_ascii_case(name.as_bytes())) {
        return None;
    }
    let text = std::str::from_utf8(message.bytes(&part.body)).ok()?;
    Uuencoded::all(text).first().map(|file| Cow::Owned(file.octets(text)))
}

fn parent_type<'p>(message: &'p Message<'_>, part: &Part) -> &'p str {
    part.parent.and_then(|parent| message.part(parent)).map_or("", |parent| parent.media_type.as_str())
}

pub(in crate::message) fn lock_of(message: &Message<'_>, id: PartId) -> Option<Protection> {
    let protection = message.protection()?;
    let part = message.part(id)?;
    let around = std::iter::successors(part.parent, |id| message.part(*id)?.parent);
    let outermost = around.filter_map(|id| message.part(id).and_then(protection::encloses)).last();
    // What says that it is a file is one, but for what is all of the message.
    let is_file = part.parent.is_some() && part.disposition == Some(Disposition::Attachment);
    let own = protection::by_type(part).filter(|own| match own {
        Protection::Tnef => super::super::body::readable(message.parts()).iter().all(|body| body.part == id),
        Protection::Calendar => protection == Protection::Calendar && !is_file,
        _ => true,
    });
    outermost.or(own)
}
