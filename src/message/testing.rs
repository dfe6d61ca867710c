//! For tests: messages as short strings, and what becomes of them.

use super::{Block, Draft, Message, Violation};

/// Text with LF as a message: lines end in CRLF.
pub(super) fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// A block of one line, in both forms.
pub(super) fn block(text: &str) -> Block {
    Block { text: text.to_owned(), html: format!("<p>{text}</p>"), images: Vec::new() }
}

/// The message after `edit`, lines ended by LF again. Checks that it holds up.
pub(super) fn rewritten(text: &str, edit: impl FnOnce(&mut Draft<'_>)) -> String {
    let raw = crlf(text);
    let out = render(&raw, edit).expect("the rewrite holds up");
    String::from_utf8(out).expect("the rewrite is text").replace("\r\n", "\n")
}

/// The bytes of the message after `edit`.
pub(super) fn render(raw: &[u8], edit: impl FnOnce(&mut Draft<'_>)) -> Result<Vec<u8>, Violation> {
    let message = Message::parse(raw);
    let mut draft = Draft::new(&message);
    edit(&mut draft);
    draft.render().map(|rendered| rendered.to_vec())
}
