//! A draft: a message on its way through the rules. Each rule sees what those before it did.
//!
//! Cheap to clone: a clone is the last good state that is gone back to when a rule fails.

use std::borrow::Cow;
use std::ops::Range;

use super::{Body, Field, FieldName, Message, PartId, Protection, Rendered, Violation};

/// Where a block goes in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before the text that is shown first.
    Start,
    /// After the text that is shown last.
    End,
    /// After the newest text of a reply, above what it quotes; the end where that is in doubt.
    BelowReply,
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
}

/// One replacement in the current text of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// Byte range of the current text ([`Draft::text`]), on character boundaries.
    pub range: Range<usize>,
    /// What stands there instead; for HTML already escaped.
    pub text: String,
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
    #[error("its charset cannot hold the text and its bytes are not valid in it")]
    Unmovable,
    /// A comment, style or script that is never closed would swallow it.
    #[error("there is no place in its HTML where the text would be seen")]
    NoPlace,
    /// The header of the part cannot be edited.
    #[error("its Content-Type field cannot be edited")]
    Field,
}

/// A message on its way through the rules.
#[derive(Debug, Clone)]
pub struct Draft<'m> {
    message: &'m Message<'m>,
}

impl<'m> Draft<'m> {
    /// A draft that changes nothing.
    pub fn new(message: &'m Message<'m>) -> Self {
        Self { message }
    }
    /// The message that came in.
    pub fn message(&self) -> &'m Message<'m> {
        self.message
    }

    // -- header fields of the message, as they stand now --

    /// Decoded values (RFC 2047, unfolded) of all fields `name`, in order.
    pub fn values(&self, name: &str) -> Vec<String> {
        let _ = name;
        todo!()
    }
    /// Raw values of all fields `name`, folding included.
    pub fn raw_values(&self, name: &str) -> Vec<Cow<'m, [u8]>> {
        let _ = name;
        todo!()
    }
    /// The decoded subject, `None` where there is none.
    pub fn subject(&self) -> Option<String> {
        todo!()
    }
    /// Put a field on top of the header.
    pub fn add_field(&mut self, field: Field) -> bool {
        let _ = field;
        todo!()
    }
    /// The first field of that name is replaced where it stands, others of that name go; on top where there is none.
    /// False when nothing changed.
    pub fn set_field(&mut self, field: Field) -> bool {
        let _ = field;
        todo!()
    }
    /// Remove fields; says how many.
    pub fn remove_fields(&mut self, name: &FieldName, which: Which) -> usize {
        let _ = (name, which);
        todo!()
    }
    /// Put `tag` and a space in front of the subject, once: not where it stands already, also behind Re/AW/Fwd.
    /// The bytes of the subject are kept. False when nothing changed.
    pub fn tag_subject(&mut self, tag: &str) -> bool {
        let _ = tag;
        todo!()
    }

    // -- bodies --

    /// The bodies that may be edited, in the order in which they are shown. Empty when the message is protected.
    pub fn bodies(&self) -> Vec<Body> {
        todo!()
    }
    /// Every text that a reader sees, protected or not; for conditions.
    pub fn readable(&self) -> Vec<Body> {
        todo!()
    }
    /// The current text of a text part, decoded; bytes that are not valid show as U+FFFD.
    pub fn text(&self, part: PartId) -> Result<&str, BodyError> {
        let _ = part;
        todo!()
    }
    /// The current text of a body as a reader sees it: for HTML without markup.
    pub fn visible(&self, body: Body) -> Result<Cow<'_, str>, BodyError> {
        let _ = body;
        todo!()
    }
    /// Replace ranges of the current text; `edits` are in order and apart. All or none.
    pub fn edit(&mut self, part: PartId, edits: &[TextEdit]) -> Result<(), BodyError> {
        let _ = (part, edits);
        todo!()
    }
    /// Put a block into each body that shows it: the text form into `text/plain`, the HTML form into `text/html`.
    /// Says into how many; all or none. `Ok(0)` where there is no body.
    pub fn insert(&mut self, block: &Block, place: Place) -> Result<usize, BodyError> {
        let _ = (block, place);
        todo!()
    }
    /// Make the whole message an attachment-like part below a new one that shows the block: for protected messages.
    pub fn wrap(&mut self, block: &Block) -> Result<(), BodyError> {
        let _ = block;
        todo!()
    }
    /// What protects the message as it came in.
    pub fn protection(&self) -> Option<Protection> {
        self.message.protection()
    }

    // -- the result --

    /// True when no edit was made.
    pub fn is_unchanged(&self) -> bool {
        todo!()
    }
    /// How many edits of the raw bytes there are.
    pub fn edit_count(&self) -> usize {
        todo!()
    }
    /// The rewritten message, checked against the one that came in (Invariants 1 to 6).
    pub fn render(&self) -> Result<Rendered<'m>, Violation> {
        todo!()
    }
}
