//! A draft: a message on its way through the rules. Each rule sees what those before it did.
//!
//! Cheap to clone: a clone is the last good state that is gone back to when a rule fails.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::beside::Beside;
use super::body::{self, Body, BodyKind};
use super::dkim::{self, OnBroken, Signature};
use super::edits::{Edit, Rendered, sorted};
use super::header::HeaderDraft;
use super::permitted::Permitted;
use super::place::Site;
use super::protection::{self, Protection};
use super::surgery::{Image, Notice, Surgery};
use super::text::PartText;
use super::text_edits::TextEdits;
use super::verify::{self, Violation};
use crate::stored::Stored;

use super::{Field, FieldName, Message, PartId, html, outside, place};

/// Where a block goes in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before the text that is shown first.
    Start,
    /// As `Start`, but a list of messages goes on to show the text of the message: in HTML behind what the sender hid for
    /// that, or behind a hidden copy of the first text.
    BelowPreview,
    /// After the text that is shown last.
    End,
    /// After the newest text of a reply, above what it quotes; the end where that is in doubt.
    BelowReply,
    /// Above the signature of the newest text; as `BelowReply` where there is none, or it is in doubt.
    AboveSignature,
}

impl Place {
    /// Is it above what is shown first?
    pub const fn is_top(self) -> bool {
        matches!(self, Self::Start | Self::BelowPreview)
    }

    /// Is it at the top or the end, and not somewhere in the text?
    pub const fn is_edge(self) -> bool {
        matches!(self, Self::Start | Self::BelowPreview | Self::End)
    }

    /// The places in the midst of a text that this one stands for, the best first; none for an edge.
    pub(super) const fn and_next_best(self) -> &'static [Self] {
        match self {
            Self::AboveSignature => &[Self::AboveSignature, Self::BelowReply],
            Self::BelowReply => &[Self::BelowReply],
            Self::Start | Self::BelowPreview | Self::End => &[],
        }
    }
}

/// Which of several fields of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Every one.
    All,
    /// The topmost.
    First,
    /// The lowest.
    Last,
}

/// A block of new text, in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// For `text/plain`, lines parted by `\n`.
    pub text: String,
    /// For `text/html`: a fragment.
    pub html: String,
    /// Pictures that the fragment shows by their Content-ID; they stand beside each HTML body that it goes into.
    pub images: Vec<Arc<Image>>,
}

/// A body that a block goes into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which.
    pub body: Body,
    /// Ranges of its current text that hold blocks of ours: no part of what its sender wrote.
    pub blocks: Vec<Range<usize>>,
    /// Where it goes there.
    pub place: Place,
    /// Where in the midst of its current text that is ([`Draft::find_places`]).
    spot: Option<usize>,
}

impl Target {
    /// A body with blocks of ours in it. Where a place other than an edge is in its text, [`Draft::find_places`] says.
    pub fn new(body: Body, blocks: Vec<Range<usize>>, place: Place) -> Self {
        Self { body, blocks, place, spot: None }
    }
}

/// Where a block went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Into so many bodies; 0 where there is none.
    Into(usize),
    /// Into a part of its own, because a body could not be edited: why.
    Beside(BodyError),
}

/// Why a body was left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The transfer encoding is unknown or its data is broken.
    #[error("its transfer encoding cannot be undone")]
    Encoding,
    /// The charset is unknown and the text needs it.
    #[error("its charset is not known")]
    Charset,
    /// The charset lacks a character, and the part cannot be moved to UTF-8 without loss.
    #[error("its charset cannot hold the text, and readers do not agree on what its bytes mean")]
    Unmovable,
    /// A comment, style or script that is never closed would swallow it.
    #[error("there is no place in its HTML where the text would be seen")]
    NoPlace,
    /// The header of the part cannot be edited.
    #[error("its Content-Type field cannot be edited")]
    Field,
    /// No blank line says where the body begins, and readers do not agree on it.
    #[error("no blank line ends its header, so where it begins is in doubt")]
    Separator,
    /// Its header can be read in several ways, or it passes a limit.
    #[error("readers do not agree on its structure")]
    Doubtful,
    /// The only text begins the message and has a file name: some readers show it as the body, some as a file.
    #[error("it has a file name, and readers do not agree on whether it is a file")]
    Named,
    /// Its last line passes the limit of a line and has no line end: nothing can follow it.
    #[error("its last line has no end and is too long to be given one")]
    LastLine,
    /// More is replaced in it than is held at once.
    #[error("there is too much to replace in it, in too many places apart")]
    TooMany,
    /// The ranges of an edit do not ascend, overlap, or are no ranges of the text.
    #[error("the edit does not fit the text")]
    Range,
}

/// The text of a part, or why it cannot be read.
type ReadText<'m> = Result<Arc<PartText<'m>>, BodyError>;

/// A message on its way through the rules.
#[derive(Debug, Clone)]
pub struct Draft<'m> {
    message: &'m Message<'m>,
    pub(super) header: HeaderDraft,
    /// Text parts that a reader sees; read when they are first asked for.
    texts: Vec<(Body, OnceLock<ReadText<'m>>)>,
    beside: Beside,
    on_broken: OnBroken,
    record_results: bool,
    pub(super) permitted: Permitted<'m>,
    pub(super) surgery: Surgery,
    /// Attachments to be stored outside of the message.
    pub(super) stored: Vec<Arc<Stored>>,
}

impl<'m> Draft<'m> {
    /// A draft that changes nothing.
    pub fn new(message: &'m Message<'m>) -> Self {
        let texts = body::readable(message.parts()).into_iter().map(|body| (body, OnceLock::new())).collect();
        Self {
            message,
            header: HeaderDraft::default(),
            texts,
            beside: Beside::default(),
            on_broken: OnBroken::default(),
            record_results: false,
            permitted: Permitted::of(message),
            surgery: Surgery::default(),
            stored: Vec::new(),
        }
    }

    /// The message that came in.
    pub fn message(&self) -> &'m Message<'m> {
        self.message
    }

    // -- header fields of the message, as they stand now --

    /// Decoded values (RFC 2047, unfolded) of all fields `name`, in order.
    pub fn values(&self, name: &str) -> Vec<String> {
        self.header.values(self.message, name)
    }

    /// Decoded values of all fields whose names are picked, from the top.
    pub fn values_of(&self, picks: impl Fn(&[u8]) -> bool + Copy) -> Vec<String> {
        self.header.values_of(self.message, picks)
    }

    /// The same, as they are written, folding included.
    pub fn raw_values_of(&self, picks: impl Fn(&[u8]) -> bool + Copy) -> Vec<Cow<'m, [u8]>> {
        self.header.raw_values_of(self.message, picks)
    }

    /// Raw values of all fields `name`, folding included.
    pub fn raw_values(&self, name: &str) -> Vec<Cow<'m, [u8]>> {
        self.header.raw_values(self.message, name)
    }

    /// The decoded subject, `None` where there is none.
    pub fn subject(&self) -> Option<String> {
        self.values("Subject").into_iter().next()
    }

    /// True when its header can be edited: not that of an empty message, of one that begins with white space, or where
    /// readers do not agree on its fields. A body in doubt is no hindrance.
    pub fn takes_fields(&self) -> bool {
        self.message.field_place(PartId(0)).is_some() && self.message.has_sure_header()
    }

    /// Put a field on top of the header. False when nothing changed.
    pub fn add_field(&mut self, field: Field) -> bool {
        self.takes_fields() && {
            self.header.add(field);
            true
        }
    }

    /// The first field of that name is replaced where it stands, or the last; with [`Which::All`] the first, and others of
    /// that name go. On top where there is none. False when nothing changed.
    pub fn set_field(&mut self, field: Field, which: Which) -> bool {
        self.takes_fields() && self.header.set(self.message, field, which)
    }

    /// Remove fields of a name; says how many.
    pub fn remove_fields(&mut self, name: &FieldName, which: Which) -> usize {
        self.remove_picked(which, |other| name.is(other), |_| true)
    }

    /// Remove fields of those whose names are picked and whose decoded values pass; says how many.
    pub fn remove_picked(
        &mut self,
        which: Which,
        picks: impl Fn(&[u8]) -> bool + Copy,
        passes: impl Fn(&str) -> bool,
    ) -> usize {
        if !self.message.has_sure_header() {
            return 0;
        }
        self.header.remove(self.message, which, picks, passes)
    }

    /// True when the subject was changed, and mail programs that know of protected header fields (RFC 9788) show another
    /// one: the sender's, which is signed or encrypted with the body.
    pub fn hides_subject(&self) -> bool {
        self.header.names(self.message, b"Subject") && protection::protects_header(self.message)
    }

    /// Put `tag` and a space in front of the subject, once: not where it stands already, also behind Re/AW/Fwd.
    /// The bytes of the subject are kept. False when nothing changed.
    pub fn tag_subject(&mut self, tag: &str) -> bool {
        self.takes_fields() && self.header.tag_subject(self.message, tag)
    }

    /// Take `tag` off the subject wherever it stands, in any case; the bytes around it stay. False when nothing changed.
    pub fn untag_subject(&mut self, tag: &str) -> bool {
        self.takes_fields() && self.header.untag_subject(self.message, tag)
    }

    // -- bodies --

    /// The bodies that may be edited, in the order in which they are shown. Empty when the message is protected.
    pub fn bodies(&self) -> Vec<Body> {
        if self.protection().is_some() { Vec::new() } else { self.readable() }
    }

    /// Every text that a reader sees, protected or not; for conditions.
    pub fn readable(&self) -> Vec<Body> {
        self.texts.iter().map(|(body, _)| *body).collect()
    }

    /// Texts are in the order of parts.
    fn text_index(&self, part: PartId) -> Option<usize> {
        self.texts.binary_search_by_key(&part, |(body, _)| body.part).ok()
    }

    fn part_text(&self, part: PartId) -> Result<&PartText<'m>, BodyError> {
        let (body, text) = self.text_index(part).and_then(|i| self.texts.get(i)).ok_or(BodyError::Encoding)?;
        let read = || {
            let part = self.message.part(body.part).ok_or(BodyError::Encoding)?;
            PartText::read(self.message, part, body.kind).map(Arc::new)
        };
        text.get_or_init(read).as_deref().map_err(|e| *e)
    }

    /// The current text of a text part, decoded; bytes that are not valid show as U+FFFD.
    pub fn text(&self, part: PartId) -> Result<&str, BodyError> {
        self.part_text(part).map(PartText::current)
    }

    /// The current text of a body as a reader sees it: for HTML without markup.
    pub fn visible(&self, body: Body) -> Result<Cow<'_, str>, BodyError> {
        let text = self.text(body.part)?;
        Ok(match body.kind {
            BodyKind::Plain => Cow::Borrowed(text),
            BodyKind::Html => Cow::Owned(html::visible(text).text),
        })
    }

    /// Replace ranges of the current text; `edits` are in order and apart. All or none.
    pub fn edit(&mut self, part: PartId, edits: impl Into<TextEdits>) -> Result<(), BodyError> {
        let edits = edits.into();
        if edits.is_empty() {
            return Ok(());
        }
        if let Some(doubt) = self.message.doubt() {
            return Err(doubt);
        }
        let new = self.edited(part, edits)?;
        self.put_text(part, new);
        Ok(())
    }

    fn edited(&self, part: PartId, edits: TextEdits) -> Result<PartText<'m>, BodyError> {
        let Some(found) = self.message.part(part).filter(|p| p.has_separator) else {
            return Err(BodyError::Separator);
        };
        if let Some(doubt) = self.message.structural_doubt() {
            return Err(doubt);
        }
        if found.contested_encoding {
            return Err(BodyError::Encoding);
        }
        let text = self.part_text(part)?.edited(&edits).ok_or(BodyError::Range)?;
        drop(edits);
        // Whether the text can go back is known now, while the rule can still be taken back.
        text.raw_edits(self.message, part)?;
        Ok(text)
    }

    fn put_text(&mut self, part: PartId, new: PartText<'m>) {
        if let Some((_, text)) = self.text_index(part).and_then(|i| self.texts.get_mut(i)) {
            *text = OnceLock::from(Ok(Arc::new(new)));
        }
    }

    /// The bodies that a block goes into: one of each kind, those that are shown first or last. Of a protected message
    /// those that nothing protects, and where there is none, those that are.
    pub fn targets(&self, at: Place) -> Vec<Body> {
        self.targets_among_others(at, &[])
    }

    /// The same, where `ours` are parts that a run before has put beside the message: no bodies of it.
    pub fn targets_among_others(&self, at: Place, ours: &[Body]) -> Vec<Body> {
        let free = self.protection().and_then(|_| outside::free_bodies(self.message, at, ours));
        let mut all = free.unwrap_or_else(|| self.readable());
        all.retain(|body| !ours.contains(body));
        body::targets(self.message, &all, at.is_top())
    }

    /// Put a block into each body that shows it: the text form into `text/plain`, the HTML form into `text/html`.
    /// Says into how many; all or none. `Ok(0)` where there is no body.
    pub fn insert(&mut self, block: &Block, at: Place) -> Result<usize, BodyError> {
        let mut all: Vec<Target> = self.targets(at).into_iter().map(|body| Target::new(body, Vec::new(), at)).collect();
        self.find_places(&mut all);
        self.insert_into(&all, block)
    }

    /// Find the places of targets in their texts. Those of bodies that are alternatives of each other agree.
    pub fn find_places(&self, targets: &mut [Target]) {
        let alternative = |body| body::alternatives(self.message.parts(), body).last();
        let groups: Vec<_> = targets.iter().map(|target| alternative(target.body)).collect();
        for (at, group) in groups.iter().enumerate() {
            let is_one = |other: usize| other == at || group.is_some() && groups.get(other) == Some(group);
            if (0..at).any(is_one) {
                continue;
            }
            let mut of_group: Vec<&mut Target> =
                targets.iter_mut().enumerate().filter(|(other, _)| is_one(*other)).map(|(_, target)| target).collect();
            // What cannot be read takes no block either.
            let texts: Vec<_> = of_group
                .iter()
                .map(|target| (target.body.kind, self.text(target.body.part).unwrap_or_default(), &*target.blocks))
                .collect();
            let place = of_group.first().map_or(Place::End, |target| target.place);
            let (place, spots) = place::settled(&texts, place);
            for (target, spot) in of_group.iter_mut().zip(spots) {
                (target.place, target.spot) = (place, spot);
            }
        }
    }

    /// As [`Draft::insert`], into these bodies.
    pub fn insert_into(&mut self, targets: &[Target], block: &Block) -> Result<usize, BodyError> {
        if self.protection().is_some() {
            return Ok(0);
        }
        if let Some(doubt) = self.message.structural_doubt() {
            return Err(doubt);
        }
        if targets.is_empty() && self.surgery.leaves_a_named_text_first(self.message) {
            return Err(BodyError::Named);
        }
        self.put_into(targets, block)
    }

    /// Whatever protects the message.
    pub(super) fn put_into(&mut self, targets: &[Target], block: &Block) -> Result<usize, BodyError> {
        if !block.images.is_empty()
            && let Some(doubt) = self.message.doubt()
        {
            return Err(doubt);
        }
        let mut new = Vec::new();
        for Target { body, place, spot, .. } in targets {
            let Some(part) = self.message.part(body.part) else { continue };
            let text = self.part_text(body.part)?;
            let newline = text.newline(self.message, part);
            let site = Site { kind: body.kind, text: text.current(), spot: *spot, newline, flowed: part.flowed };
            let edit = place::insertion(site, block, *place)?;
            new.push((body.part, self.edited(body.part, (&[edit]).into())?));
        }
        let count = new.len();
        let before = (!block.images.is_empty()).then(|| (self.texts.clone(), self.surgery.clone()));
        for (part, text) in new {
            self.put_text(part, text);
        }
        if let Some((texts, surgery)) = before {
            let html = targets.iter().filter(|target| target.body.kind == BodyKind::Html);
            let parts: Vec<PartId> = html.map(|target| target.body.part).collect();
            if let Err(why) = parts.into_iter().try_for_each(|part| self.add_images(part, &block.images)) {
                (self.texts, self.surgery) = (texts, surgery);
                return Err(why);
            }
        }
        Ok(count)
    }

    /// As [`Draft::insert_into`]; where a body cannot be edited, the block becomes a part of its own beside the message,
    /// whose bytes stay.
    pub fn insert_or_put_beside(
        &mut self,
        targets: &[Target],
        block: &Block,
        at: Place,
    ) -> Result<Inserted, BodyError> {
        match self.insert_into(targets, block) {
            Ok(count) => Ok(Inserted::Into(count)),
            Err(why) => self.put_beside(block, at).map(|()| Inserted::Beside(why)).map_err(|_| why),
        }
    }

    /// Show a block in a part of its own, above the message or below it. The message becomes one part of a multipart, with
    /// its bytes as they are.
    pub fn put_beside(&mut self, block: &Block, at: Place) -> Result<(), BodyError> {
        let mut beside = self.beside.clone();
        beside.hypertext = self.texts.iter().any(|(body, _)| body.kind == BodyKind::Html);
        match at {
            Place::Start | Place::BelowPreview => beside.above.insert(0, block.clone()),
            _ => beside.below.push(block.clone()),
        }
        self.stand_beside(beside)
    }

    /// Say in a small text file behind the message that an attachment is gone.
    pub(super) fn put_notice_beside(&mut self, notice: Arc<Notice>) -> Result<(), BodyError> {
        let mut beside = self.beside.clone();
        beside.notices.push(notice);
        self.stand_beside(beside)
    }

    fn stand_beside(&mut self, beside: Beside) -> Result<(), BodyError> {
        // What rules before made of the body counts: its last line may have become one that can be ended.
        let (root, inside) = self.body_edits()?;
        beside.edits(self.message, root, &inside)?;
        self.beside = beside;
        Ok(())
    }

    /// Replace the text of the blocks that stand beside the message: `edit` answers the new text, where it has any.
    pub fn edit_blocks(&mut self, edit: &mut dyn FnMut(BodyKind, &str) -> Option<String>) {
        for block in self.beside.above.iter_mut().chain(&mut self.beside.below) {
            for (kind, text) in [(BodyKind::Plain, &mut block.text), (BodyKind::Html, &mut block.html)] {
                if let Some(new) = edit(kind, text) {
                    *text = new;
                }
            }
        }
    }

    /// True when a block stands in a part of its own beside the message.
    pub fn has_parts_beside(&self) -> bool {
        !self.beside.is_empty()
    }

    /// The bodies that came in where blocks stand that were put beside a message.
    pub fn beside(&self) -> impl Iterator<Item = Body> {
        self.texts.iter().map(|(body, _)| *body).filter(|body| super::beside::is_beside(self.message, body.part))
    }

    /// What protects the message as it stands now: a part that was taken off protects nothing.
    pub fn protection(&self) -> Option<Protection> {
        protection::of_draft(self.message, &self.surgery, &self.permitted)
    }

    // -- the result --

    fn edited_texts(&self) -> impl Iterator<Item = (Body, &PartText<'m>)> {
        self.texts.iter().filter_map(|(body, text)| {
            let text = text.get()?.as_deref().ok()?;
            text.is_edited().then_some((*body, text))
        })
    }

    /// Forget edits of fields and texts that came to nothing: what one rule did and another undid.
    pub fn drop_undone(&mut self) {
        self.header.drop_undone(self.message);
        for (_, text) in &mut self.texts {
            let edited = text.get().and_then(|text| text.as_deref().ok()).filter(|text| text.is_edited());
            if edited.is_some_and(|text| text.current() == text.original()) {
                *text = OnceLock::new();
            }
        }
    }

    /// True when no edit was made.
    pub fn is_unchanged(&self) -> bool {
        self.header.is_unchanged()
            && self.beside.is_empty()
            && self.permitted.is_unchanged()
            && self.surgery.is_unchanged()
            && self.edited_texts().next().is_none()
    }

    /// The edits of the body of the message itself, and those of its parts.
    pub(super) fn body_edits(&self) -> Result<(Vec<Edit>, Vec<Edit>), BodyError> {
        let mut root = Vec::new();
        let (mut inside, behind) = self.surgery.edits(self.message);
        let files = self.permitted.edited_texts().map(|(file, text)| (file.body, text));
        for (body, text) in self.edited_texts().chain(files) {
            let of_body = text.raw_edits(self.message, body.part)?;
            if body.part == PartId(0) { &mut root } else { &mut inside }.extend_from_slice(of_body);
        }
        inside.extend(behind);
        Ok((self.surgery.root_edits(self.message, root)?, inside))
    }

    /// The edits of the raw message, in order.
    fn edits(&self) -> Result<Vec<Edit>, BodyError> {
        let mut edits = self.header.edits(self.message).ok_or(BodyError::Field)?;
        let (root, inside) = self.body_edits()?;
        let beside = self.beside.edits(self.message, root, &inside)?;
        edits.extend(inside);
        edits.extend(self.permitted.edits(self.message));
        edits.extend(beside);
        Ok(sorted(edits))
    }

    /// Say what is done with the signatures that the rules break, once all rules are done; with `record_results` the
    /// results that the receiving server found before are kept in `X-Original-Authentication-Results`.
    pub fn on_broken_signatures(&mut self, on_broken: OnBroken, record_results: bool) {
        self.on_broken = on_broken;
        self.record_results = record_results;
    }

    /// As [`Draft::render`], with what became of the DKIM signatures that the message came with; those that no longer
    /// verify are dealt with as [`Draft::on_broken_signatures`] says.
    pub fn render_signed(&mut self) -> Result<(Rendered<'m>, Vec<Signature>), Violation> {
        let rendered = self.render()?;
        let mut signatures = dkim::compare(self.message, &rendered);
        if !self.settle(&mut signatures) {
            return Ok((rendered, signatures));
        }
        Ok((self.render()?, signatures))
    }

    /// Deal with broken signatures; true when the draft changed.
    fn settle(&mut self, signatures: &mut [Signature]) -> bool {
        let mut changed = false;
        if signatures.iter().any(|signature| signature.broken)
            && self.record_results
            && let Some(results) = self.values("Authentication-Results").into_iter().next()
        {
            let name = FieldName::new("X-Original-Authentication-Results");
            let results = results.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
            let results = results.collect::<Vec<_>>().join(" ");
            changed =
                name.and_then(|name| Field::new(name, &results)).is_ok_and(|field| self.set_field(field, Which::All));
        }
        if self.on_broken == OnBroken::Keep || self.message.doubt().is_some() {
            return changed;
        }
        for (field, signature) in dkim::disposable(self.message, signatures) {
            let done = match self.on_broken {
                OnBroken::Rename => self.header.rename(self.message, field, dkim::RENAMED),
                _ => self.header.remove_field(self.message, field),
            };
            if let Some(signature) = signatures.get_mut(signature).filter(|_| done) {
                signature.done = self.on_broken;
                changed = true;
            }
        }
        changed
    }

    /// The rewritten message, checked against the one that came in (Invariants 1 to 6).
    pub fn render(&self) -> Result<Rendered<'m>, Violation> {
        let edits = self.edits().map_err(|error| Violation { invariant: "text", what: error.to_string() })?;
        let overlap = || Violation { invariant: "locality", what: "edits overlap".to_owned() };
        let rendered = Rendered::new(self.message.raw(), edits).ok_or_else(overlap)?;
        let texts: Vec<_> = self.edited_texts().collect();
        verify::verify(self.message, &rendered, &self.header, &texts, &self.beside, &self.permitted, &self.surgery)?;
        Ok(rendered)
    }
}

#[cfg(test)]
mod tests {
    use super::super::TextEdit;
    use super::super::testing::{block, crlf, render, rewritten};
    use super::*;

    fn append(text: &str, block_text: &str) -> String {
        rewritten(text, |draft| assert_eq!(draft.insert(&block(block_text), Place::End), Ok(1)))
    }

    #[test]
    fn a_footer_in_seven_bits_changes_no_other_byte() {
        let text = "Subject: a\nContent-Type: text/plain; charset=utf-8\n\nHello\n";
        assert_eq!(append(text, "Footer"), format!("{text}\nFooter\n"));
    }

    #[test]
    fn a_text_of_eight_bits_becomes_quoted_printable() {
        let text = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\
                    Grüße from the harbour, see you soon\n";
        let expected = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
                        Content-Transfer-Encoding: quoted-printable\n\n\
                        Gr=C3=BC=C3=9Fe from the harbour, see you soon\n\nF=C3=BC=C3=9Fe\n";
        assert_eq!(append(text, "Füße"), expected);
    }

    #[test]
    fn a_text_that_moves_to_utf_8_keeps_its_other_parameters() {
        let text = "MIME-Version: 1.0\nContent-Type: text/plain; format=flowed;\n\tcharset=\"us-ascii\"; delsp=yes\n\nHello \nyou\n";
        let out = append(text, "5 €");
        assert!(out.contains("Content-Type: text/plain; format=flowed;\n\tcharset=utf-8; delsp=yes\n"), "{out}");
        assert!(out.ends_with("\n\nHello=20\nyou\n\n5 =E2=82=AC\n"), "{out}");
    }

    #[test]
    fn lines_of_a_footer_are_stuffed_in_flowed_text() {
        let text = "Content-Type: text/plain; format=flowed\n\nHello\n";
        assert!(append(text, "> quote\nFrom here").ends_with("Hello\n\n > quote\n From here\n"));
        assert!(append(&text.replace("flowed", "fixed"), "> quote").ends_with("Hello\n\n> quote\n"));
    }

    #[test]
    fn html_of_any_charset_takes_references() {
        let text = "Content-Type: text/html; charset=us-ascii\n\n<p>Hi</p>\n";
        let out = append(text, "5 €, 日本");
        assert!(out.starts_with("Content-Type: text/html; charset=us-ascii\n\n"), "{out}");
        assert!(out.contains("<p>5 &#8364;, &#26085;&#26412;</p>"), "{out}");
    }

    #[test]
    fn text_in_a_charset_that_is_not_known_takes_ascii_and_nothing_else() {
        let text = "Content-Type: text/plain; charset=x-unknown\n\nHello\n";
        assert!(append(text, "Footer").ends_with("Hello\n\nFooter\n"));
        let raw = crlf(text);
        let message = Message::parse(&raw);
        let mut draft = Draft::new(&message);
        assert_eq!(draft.insert(&block("5 €"), Place::End), Err(BodyError::Unmovable));
        assert!(draft.is_unchanged());
    }

    #[test]
    fn edits_of_several_rules_become_one_rewrite() {
        let text = "Content-Type: text/plain\n\nmy number is 1234, call me\n";
        let out = rewritten(text, |draft| {
            let edit = |range, text: &str| TextEdit { range, text: text.to_owned() };
            draft.edit(PartId(0), &[edit(13..17, "[NUMBER]"), edit(19..23, "write to")]).unwrap();
            assert_eq!(draft.text(PartId(0)), Ok("my number is [NUMBER], write to me\r\n"));
            draft.insert(&block("Footer"), Place::End).unwrap();
            draft.insert(&block("Banner"), Place::Start).unwrap();
            // Inside what the rules before brought in.
            draft.edit(PartId(0), &[edit(0..6, "Notice"), edit(24..30, "CARD")]).unwrap();
        });
        assert_eq!(out, "Content-Type: text/plain\n\nNotice\n\nmy number is [CARD], write to me\n\nFooter\n");
    }

    #[test]
    fn a_second_block_ends_its_lines_as_the_first_one() {
        let out = render(b"Content-Type: text/html\n\n\r", |draft| {
            draft.insert(&block("One"), Place::End).unwrap();
            draft.insert(&block("Two"), Place::End).unwrap();
        });
        assert_eq!(out.unwrap(), b"Content-Type: text/html\n\n\r\n<p>One</p>\n\n<p>Two</p>\n");
    }

    #[test]
    fn half_of_what_looks_like_a_line_end_in_utf_16_does_not_stay_behind() {
        let raw = b"Content-Type: text/plain; charset=utf-16be\r\n\r\na\r\nb";
        let out = render(raw, |draft| {
            let edit = TextEdit {
                range: 0..draft.text(PartId(0)).unwrap().chars().next().unwrap().len_utf8(),
                text: "x".to_owned(),
            };
            draft.edit(PartId(0), &[edit]).unwrap();
        });
        let head =
            "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-16be";
        assert_eq!(String::from_utf8(out.unwrap()).unwrap(), format!("{head}\r\n\r\nAHgKYg==\r\n"));
    }

    #[test]
    fn a_text_that_ends_in_a_shift_and_nothing_behind_it_takes_a_block() {
        for (raw, place) in [("-\x1b$B", Place::End), ("-\x1b$B", Place::Start), ("\x1b$B0", Place::End)] {
            let raw = format!("Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n{raw}");
            let out = render(raw.as_bytes(), |draft| {
                let block = block("Footer");
                draft.insert(&block, place).map(|_| ()).or_else(|_| draft.put_beside(&block, place)).unwrap();
            });
            assert!(String::from_utf8_lossy(&out.unwrap()).contains("Footer"));
        }
    }

    #[test]
    fn a_byte_order_mark_that_an_edit_takes_away_is_no_other_order_of_octets() {
        let raw = b"Content-Type: text/plain; charset=utf-16\r\n\r\n\xFE\xFF\0e";
        let message = Message::parse(raw);
        let mut draft = Draft::new(&message);
        let _ = draft.edit(PartId(0), &[TextEdit { range: 0..3, text: "x".to_owned() }]);
        assert!(draft.render().is_ok());
    }

    #[test]
    fn a_part_stands_below_a_long_last_line_that_is_encoded_now() {
        let raw = format!("Content-Type: text/plain; charset=x-unknown\r\n\r\n{}", "long ".repeat(300));
        let out = render(raw.as_bytes(), |draft| {
            assert_eq!(draft.insert(&block("Banner"), Place::End), Ok(1));
            let target = |body| Target::new(body, Vec::new(), Place::End);
            let all: Vec<Target> = draft.targets(Place::End).into_iter().map(target).collect();
            assert!(matches!(draft.insert_or_put_beside(&all, &block("5 €"), Place::End), Ok(Inserted::Beside(_))));
        });
        assert!(String::from_utf8(out.unwrap()).unwrap().contains("multipart/mixed"));
    }

    #[test]
    fn edits_that_do_not_fit_the_text_change_nothing() {
        let raw = crlf("\nGrüße\n");
        let message = Message::parse(&raw);
        let mut draft = Draft::new(&message);
        let edit = |range| TextEdit { range, text: "x".to_owned() };
        for edits in [vec![edit(3..4)], vec![edit(0..99)], vec![edit(2..5), edit(1..2)]] {
            assert_eq!(draft.edit(PartId(0), &edits), Err(BodyError::Range));
        }
        assert!(draft.is_unchanged());
    }

    #[test]
    fn an_edit_that_takes_half_a_line_end_leaves_the_line_end() {
        let edit = |range, text: &str| TextEdit { range, text: text.to_owned() };
        let out = render(b"\r\nabc\r\ndef\r\n", |draft| {
            draft.edit(PartId(0), &[edit(1..4, "x"), edit(7..9, "y")]).unwrap();
        });
        assert_eq!(out.unwrap(), b"\r\nax\r\ndey\r\n");
    }

    #[test]
    fn an_invalid_byte_far_away_keeps_nobody_from_a_footer() {
        let raw =
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xFC\xDFe\r\nHi\r\n";
        let out = render(raw, |draft| assert_eq!(draft.insert(&block("Footer"), Place::End), Ok(1))).unwrap();
        assert_eq!(out, [&raw[..], b"\r\nFooter\r\n"].concat());
    }

    #[test]
    fn without_edits_the_rewrite_is_the_message() {
        for raw in [&b""[..], b"\n", b"Subject: a", b"Subject: a\r\n\r\n\xFF\0"] {
            assert_eq!(render(raw, |_| ()).unwrap(), raw);
        }
    }

    #[test]
    fn the_last_part_of_a_message_that_is_cut_off_takes_a_footer() {
        let text = "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nHello";
        assert_eq!(append(text, "Footer"), format!("{text}\n\nFooter"));
    }

    #[test]
    fn an_empty_part_takes_a_footer_before_the_delimiter() {
        let text = "Content-Type: multipart/mixed; boundary=a\n\n--a\n\n--a--\n";
        let out = append(text, "Footer");
        assert_eq!(out, "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nFooter\n--a--\n");
    }
}
