//! One file per kind of action; the list that names them all.

use super::ActionKind;

mod add_header;
mod add_recipients;
mod append;
mod attachments;
mod block;
mod bounce;
mod broken_signatures;
mod bypass_spam_check;
mod drop;
mod header_field;
mod junk;
#[cfg(feature = "wire")]
mod panics;
mod prepend;
mod redact;
mod remove_block;
mod remove_header;
mod rename_attachments;
mod replace;
mod rewrite_links;
mod set_header;
mod stop;
mod store_attachments;
mod strip_attachments;
mod tag_subject;
mod untag_subject;

pub use block::Written;

#[cfg(test)]
mod tests;

pub(super) use redact::uuencoded;

/// Every kind of action. Adding one: its file, and a line here.
pub const KINDS: &[ActionKind] = &[
    append::KIND,
    prepend::KIND,
    remove_block::KIND,
    tag_subject::KIND,
    untag_subject::KIND,
    set_header::KIND,
    add_header::KIND,
    remove_header::KIND,
    broken_signatures::KIND,
    redact::KIND,
    replace::KIND,
    rewrite_links::KIND,
    strip_attachments::KIND,
    store_attachments::KIND,
    rename_attachments::KIND,
    bounce::KIND,
    drop::KIND,
    junk::KIND,
    bypass_spam_check::KIND,
    add_recipients::KIND,
    stop::KIND,
];

/// Kinds that no list shows: what a rule can do in a function that is built to be tested, and in no other.
pub(super) const OF_TESTS: &[ActionKind] = &[
    #[cfg(feature = "wire")]
    panics::KIND,
];
