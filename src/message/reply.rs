//! Where the newest text of a reply ends.

/// Where the newest text of a plain-text reply ends and the quoted message begins, as a byte offset at the start of a
/// line; `None` when it is no reply, when the replies stand between the quotes, or in doubt.
pub fn reply_end(text: &str) -> Option<usize> {
    let _ = text;
    None
}
