//! The element round an HTML block: the mark by which it is known, and styles that no message can undo.

use crate::hex::hex;

use sha2::{Digest, Sha256};

use crate::message::{Draft, html};

/// The attribute of the element round a block.
pub(super) const MARK: &str = "data-mailwright";
/// A block that is shielded ([`html::shielded`]) with its mark. `here` is the mark of the action and of the message
/// ([`message_mark`]).
pub(super) fn marked(shielded: &str, here: &str) -> String {
    format!("<div {MARK}=\"{here}\"{}", shielded.strip_prefix("<div").unwrap_or(shielded))
}

/// True for HTML that hides what stands behind it: a quote, comment, style or script in it is not closed.
pub(super) fn swallows(html: &str) -> bool {
    const BEHIND: &str = "mailwright";
    !html::visible(&format!("<div>{html}</div>{BEHIND}")).text.trim_end().ends_with(BEHIND)
}

/// Tells this message from those that quote it: the block of another message is no reason to leave ours out.
pub(super) fn message_mark(draft: &Draft<'_>) -> String {
    let id = draft.values("Message-ID").into_iter().next();
    digest(&[&id.or_else(|| draft.values("Date").into_iter().next()).unwrap_or_default()])
}

/// 12 hex digits.
pub(super) fn digest(pieces: &[&str]) -> String {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update((piece.len() as u64).to_be_bytes());
        digest.update(piece.as_bytes());
    }
    hex(digest.finalize().get(..6).unwrap_or_default())
}
