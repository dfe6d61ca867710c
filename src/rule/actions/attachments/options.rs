//! The options that the actions on attachments share, as rule authors read them.

use super::super::super::conditions::attachment;
use super::super::super::section::Section;
use super::super::super::{OptionDoc, Protected, Takes, Unbounceable};

pub(in crate::rule::actions) const ATTACHMENT: OptionDoc = OptionDoc {
    key: "attachment",
    takes: Takes::Table(attachment::OPTIONS),
    default: "",
    doc: "Which attachments: the same tests as those of the condition `attachment`. With `total` or `count` only where \
          that many, or that much, pass the other tests. `{}` is every attachment.",
};
pub(in crate::rule::actions) const NOTICE: OptionDoc = OptionDoc {
    key: "notice",
    takes: Takes::Word(&["part", "body", "none"]),
    default: "\"part\"",
    doc: "Where it is said that an attachment is gone: in a small text file in its place, below the text of the message (in \
          each form of it), or nowhere. The file stands there too where no text takes the words, or nothing at all would be \
          left of the message; among alternatives, of which a reader shows one, the words stand below the text.",
};
pub(in crate::rule::actions) const TEXT: OptionDoc = OptionDoc {
    key: "text",
    takes: Takes::Template,
    default: "name, size, SHA-256 and rule",
    doc: "What the notice says. Variables of its own: `attachment.name`, `attachment.type`, `attachment.size`, \
          `attachment.sha256`.",
};
pub(in crate::rule::actions) const HTML: OptionDoc = OptionDoc {
    key: "html",
    takes: Takes::Template,
    default: "made from `text`; without both, the default as HTML",
    doc: "The same for HTML bodies, with `notice = \"body\"`.",
};
pub(in crate::rule::actions) const ATTACHED_MESSAGES: OptionDoc = OptionDoc {
    key: "attached_messages",
    takes: Takes::Boolean,
    default: "false",
    doc: "Also the attachments of messages that are attached, up to five deep.",
};
pub(in crate::rule::actions) const PROTECTED: OptionDoc = OptionDoc {
    key: "protected",
    takes: Takes::Word(&["beside", "skip", "headers-only", "bounce"]),
    default: "\"beside\"",
    doc: "What the rule does where an attachment is inside of a signed or encrypted part, or is that part itself: it leaves \
          that one alone, and not those beside (`beside`); it does nothing (`skip`), only its other actions \
          (`headers-only`), or sends the message back (`bounce`). Anybody can put a signature round a file: a rule that \
          keeps files out needs `bounce`.",
};
pub(in crate::rule::actions) const UNBOUNCEABLE: OptionDoc = OptionDoc {
    key: "unbounceable",
    takes: Takes::Word(&["deliver", "drop", "fail"]),
    default: "\"deliver\"",
    doc: "With `protected = \"bounce\"`: what becomes of automatic mail and bounces, which are never sent back.",
};
pub(in crate::rule::actions) const MESSAGE: &str = "The attachment \"{{ attachment.name }}\" ({{ attachment.size }} \
    octets) was removed by the mail rule \"{{ rule.name }}\".\nSHA-256: {{ attachment.sha256 }}";

/// Read `protected`; [`Protected::Wrap`] is `beside`.
pub(in crate::rule::actions) fn read_protected(section: &mut Section<'_>) -> Protected {
    let words = [
        ("beside", Protected::Wrap),
        ("skip", Protected::Skip),
        ("headers-only", Protected::HeadersOnly),
        ("bounce", Protected::Bounce),
    ];
    section.choice("protected", &words).map_or(Protected::Wrap, |found| found.value)
}

/// Read `unbounceable`.
pub(in crate::rule::actions) fn read_unbounceable(section: &mut Section<'_>) -> Unbounceable {
    let words = [("deliver", Unbounceable::Deliver), ("drop", Unbounceable::Drop), ("fail", Unbounceable::Fail)];
    section.choice("unbounceable", &words).map_or(Unbounceable::Deliver, |found| found.value)
}
