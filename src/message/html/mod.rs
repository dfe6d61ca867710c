//! Where in HTML: start, end, above the quoted reply; visible text with a map to the source.
//!
//! Tokenises as the WHATWG says, far enough to know what a byte is (text, tag, comment, raw text), and keeps the stack
//! of open elements; never builds a tree, never writes HTML out again. All offsets are byte offsets of the `&str` handed
//! in, on character boundaries. Linear on any input.

#[cfg(test)]
mod differential;
mod element;
mod entity;
mod links;
mod open;
mod pieces;
mod place;
mod preview;
mod reply;
mod shield;
#[cfg(test)]
mod tests;
mod tokens;
mod unseen;
mod visible;

pub use links::{Link, LinkText, Links, Target as LinkTarget, base, each_link, links};
pub use pieces::{Piece, pieces};
pub use place::{End, end, start, tags_at};
pub use preview::{behind_preheader, preheader};
pub use reply::{reply_end, signature_start};
pub use shield::shielded;
pub use unseen::{Unseen, UnseenKind, escaped, unseen};
pub use visible::{Visible, visible};
