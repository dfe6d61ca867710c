//! The options that `append` and `prepend` share, as rule authors read them.

use super::super::super::section::Section;
use super::super::super::{OptionDoc, Protected, Takes};

pub(in crate::rule::actions) const HTML: OptionDoc = OptionDoc {
    key: "html",
    takes: Takes::Template,
    default: "made from `text`",
    doc: "The block for HTML bodies: a fragment. Variables in it are escaped.",
};
pub(in crate::rule::actions) const TEXT: OptionDoc = OptionDoc {
    key: "text",
    takes: Takes::Template,
    default: "made from `html`",
    doc: "The block for plain text bodies.",
};
pub(in crate::rule::actions) const ONCE: OptionDoc = OptionDoc {
    key: "once",
    takes: Takes::Word(&["message", "thread", "always"]),
    default: "\"message\"",
    doc: "When the block is left out. `message`: it stands already as we write it and where we put it, so that nobody can \
          keep it away by writing its text elsewhere, or hidden; each reply gets its own. `thread`: its text stands \
          anywhere, quoted replies included, however it is wrapped and quoted; a sender can write it there too, so this is \
          for notices on mail that goes out. `always`: never (a second try of the function still puts it in once).",
};
pub(in crate::rule::actions) const PROTECTED: OptionDoc = OptionDoc {
    key: "protected",
    takes: Takes::Word(&["skip", "headers-only", "wrap", "bounce"]),
    default: "\"skip\"",
    doc: "What the rule does to a message of which a part is signed or encrypted, a report, an invitation or TNEF: nothing \
          (`skip`), only its other actions (`headers-only`), show the block outside of that part (`wrap`: in the text \
          beside it, which an alternative to an invitation is too, else in a new part above a signed message; what would \
          not be decrypted or answered inside another part is left alone), or send it back (`bounce`). A warning on mail \
          from outside needs `wrap`: anybody can attach such a part to a text.",
};

/// `fallback`: what is done where a body cannot be edited without doubt.
pub(in crate::rule::actions) const FALLBACK: OptionDoc = OptionDoc {
    key: "fallback",
    takes: Takes::Word(&["part", "skip"]),
    default: "\"part\"",
    doc: "Where a body cannot be edited without doubt (bytes that are not valid, an unknown charset or transfer \
          encoding, a text in which a second run would not know the block): put the block into a part of its own beside the message, or leave the message alone. A message of \
          kind `malformed` is left alone in any case, unless all programs see the same parts in it.",
};

/// `no_body`: what is done where there is nothing to read, only files.
pub(in crate::rule::actions) const NO_BODY: OptionDoc = OptionDoc {
    key: "no_body",
    takes: Takes::Word(&["skip", "part"]),
    default: "\"skip\"",
    doc: "Where a message has no text body, only attachments: leave it alone, or put the block into a part of its own.",
};

/// Read `protected`.
pub(in crate::rule::actions) fn read_protected(section: &mut Section<'_>, default: Protected) -> Protected {
    let words = [
        ("skip", Protected::Skip),
        ("headers-only", Protected::HeadersOnly),
        ("wrap", Protected::Wrap),
        ("bounce", Protected::Bounce),
    ];
    section.choice("protected", &words).map_or(default, |found| found.value)
}
