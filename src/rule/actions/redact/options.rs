//! The options of `redact`, and what is wrong with them.

use super::super::super::detect;
use super::super::super::problem::Code;
use super::super::super::section::{Holds, Section, Span};
use super::super::super::{OptionDoc, Protected, Takes, Unbounceable};
use super::mask::{Mask, Style, Subject};
use super::{Places, Redact};
use crate::message::FieldName;

/// What to look for, and what is this action's alone.
pub(super) const OPTIONS: &[OptionDoc] = {
    let [detect, pattern, confidence, at_least, groups] = detect::OPTIONS;
    let [style, keep, keep_first, character, places, fields, cells, notice, message, protected, unbounceable] = OWN;
    &[
        detect,
        pattern,
        detect::LABEL,
        confidence,
        at_least,
        groups,
        style,
        keep,
        keep_first,
        character,
        places,
        fields,
        cells,
        notice,
        message,
        protected,
        unbounceable,
    ]
};

const OWN: [OptionDoc; 11] = [
    OptionDoc {
        key: "style",
        takes: Takes::Word(&[
            "label",
            "keep-last",
            "stars",
            "block",
            "partial",
            "pseudonym",
            "remove",
            "notice",
            "bounce",
        ]),
        default: "\"label\"",
        doc: "What stands in its place: `[CARD]`; stars for all digits and letters but the last (`keep-last`), or for all \
              of them (`stars`), separators kept; stars for every character (`block`); `j***@example.com` (`partial`); \
              `CARD#7f3a91c2`, the same for the same value (`pseudonym`; takes a key); nothing (`remove`); a notice in \
              place of the whole text (`notice`). Or nothing is masked, and the message is sent back (`bounce`).",
    },
    OptionDoc {
        key: "keep",
        takes: Takes::Number(0, MAX_KEEP),
        default: "4",
        doc: "How many digits and letters `keep-last` keeps at the end; never more than half of them.",
    },
    OptionDoc {
        key: "keep_first",
        takes: Takes::Number(0, MAX_KEEP),
        default: "0",
        doc: "How many `keep-last` keeps at the beginning; with `keep` never more than half of them.",
    },
    OptionDoc {
        key: "character",
        takes: Takes::Word(&["*", "#", "•"]),
        default: "\"*\"",
        doc: "What stands for a digit or letter; a text that cannot take `•` as it is gets `*`.",
    },
    OptionDoc {
        key: "where",
        takes: Takes::Words(&["subject", "body", "file-names", "attachments", "attached-messages"]),
        default: "[\"subject\", \"body\", \"file-names\"]",
        doc: "Where to look: the subject and its copies; every text alternative, with all that its HTML holds; the names \
              of files; attachments of text (CSV, JSON, XML, Markdown, logs, cards, calendars); messages that are \
              attached.",
    },
    OptionDoc {
        key: "fields",
        takes: Takes::Texts("field name"),
        default: "none",
        doc: "Header fields to look through besides those of `subject`.",
    },
    OptionDoc {
        key: "cells",
        takes: Takes::Boolean,
        default: "false",
        doc: "Whether a value may run on over cells of a table that stand side by side.",
    },
    OptionDoc {
        key: "notice",
        takes: Takes::Text("string"),
        default: "\"This text was removed: it held data that must not be sent.\"",
        doc: "What `style = \"notice\"` puts in place of the text.",
    },
    OptionDoc {
        key: "message",
        takes: Takes::Text("string"),
        default: "a text that says so",
        doc: "What the sender is told with `style = \"bounce\"`; without variables, and never what was found.",
    },
    OptionDoc {
        key: "protected",
        takes: Takes::Word(&["skip", "headers-only", "bounce"]),
        default: "\"bounce\"",
        doc: "What the rule does where such data stands in a body that must not be edited (signed, an invitation, \
              …): nothing (`skip`), only the subject and its other actions (`headers-only`), or send it back \
              (`bounce`).",
    },
    OptionDoc {
        key: "unbounceable",
        takes: Takes::Word(&["fail", "drop", "deliver"]),
        default: "\"fail\"",
        doc: "What becomes of a message that would be sent back and is automatic or has no sender: the invocation fails \
              (WorkMail tries again, then its fallback action decides), it is dropped, or it goes out as it is.",
    },
];

/// The most characters that a mask may keep at either end.
const MAX_KEEP: u64 = 8;
/// Characters of a notice or a bounce.
const MAX_TEXT: usize = 2_000;
/// Fields to look through.
const MAX_FIELDS: usize = 50;
const NOTICE: &str = "This text was removed: it held data that must not be sent.";
const BOUNCED: &str = "Your message was not delivered: it holds data that must not be sent by mail, such as the number of \
                       a payment card. Please send it without that data, or ask your mail administrator.";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Label,
    KeepLast,
    Stars,
    Block,
    Partial,
    Pseudonym,
    Remove,
    Notice,
    Bounce,
}

const STYLES: &[(&str, Word)] = &[
    ("label", Word::Label),
    ("keep-last", Word::KeepLast),
    ("stars", Word::Stars),
    ("block", Word::Block),
    ("partial", Word::Partial),
    ("pseudonym", Word::Pseudonym),
    ("remove", Word::Remove),
    ("notice", Word::Notice),
    ("bounce", Word::Bounce),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Subject,
    Body,
    FileNames,
    Attachments,
    AttachedMessages,
}

const LOOKS: &[(&str, Look)] = &[
    ("subject", Look::Subject),
    ("body", Look::Body),
    ("file-names", Look::FileNames),
    ("attachments", Look::Attachments),
    ("attached-messages", Look::AttachedMessages),
];

pub(super) fn read(section: &mut Section<'_>) -> Option<Redact> {
    let mut sound = true;
    let patterns = section.span_of(if section.holds("pattern") == Holds::Nothing { "detect" } else { "pattern" });
    let detectors = detect::read_detectors(section, OPTIONS);
    let given = |section: &Section<'_>, key: &str| section.holds(key) != Holds::Nothing;

    let style = read_style(section);
    sound &= style.is_some();
    let (style, character) = style.unwrap_or((Style::Label, '*'));
    let notice = text(section, "notice", style == Style::Notice, NOTICE, "style = \"notice\"");
    let message = text(section, "message", style == Style::Bounce, BOUNCED, "style = \"bounce\"");

    let there = given(section, "where");
    let looks = section.choices("where", LOOKS);
    sound &= !there || looks.is_some();
    let looks: Vec<Look> = match looks {
        Some(looks) => looks.into_iter().map(|look| look.value).collect(),
        None => vec![Look::Subject, Look::Body, Look::FileNames],
    };
    let at = |look| looks.contains(&look);
    let places = Places {
        subject: at(Look::Subject),
        body: at(Look::Body),
        file_names: at(Look::FileNames),
        attachments: at(Look::Attachments),
        attached_messages: at(Look::AttachedMessages),
    };
    let fields = fields(section);
    sound &= fields.is_some();
    let there = given(section, "cells");
    let cells = section.boolean("cells");
    sound &= !there || cells.is_some();

    let protected_span = section.span_of("protected");
    let protected = if section.peek("protected") == Some("wrap") {
        let help = "a message put below a new part still holds the data; use \"bounce\"";
        let span = section.string("protected")?.span;
        section.problem(&span, Code::WrongValue, "`redact` cannot wrap", help);
        return None;
    } else {
        let words =
            [("skip", Protected::Skip), ("headers-only", Protected::HeadersOnly), ("bounce", Protected::Bounce)];
        section.choice("protected", &words).map_or(Protected::Bounce, |found| found.value)
    };
    let unbounceable_span = section.span_of("unbounceable");
    let words = [("fail", Unbounceable::Fail), ("drop", Unbounceable::Drop), ("deliver", Unbounceable::Deliver)];
    let there = given(section, "unbounceable");
    let unbounceable = section.choice("unbounceable", &words);
    sound &= !there || unbounceable.is_some();
    let unbounceable = unbounceable.map_or(Unbounceable::Fail, |found| found.value);

    let detectors = detectors?;
    let (notice, message) = (notice?, message?);
    if !sound {
        return None;
    }
    // Masks that are found again would be masked for ever; a label stands in wherever another style would be found.
    let found = |text: &str| !detectors.find(text).is_empty();
    let label = |id| match Style::Label.mask(Subject { label: detectors.label(id), text: "", value: "" }, '*', None) {
        Mask::Whole(text) | Mask::Each(text) => text,
    };
    if detectors.ids().map(label).any(|label| found(&label)) || found(&notice) {
        section.problem(
            &patterns,
            Code::Pattern,
            "the pattern matches what stands in place of its matches",
            "make it stricter, or give another `label`",
        );
        return None;
    }
    warn_of_leaks(section, protected, unbounceable, places, [&protected_span, &unbounceable_span]);
    Some(Redact {
        detectors,
        style,
        character,
        places,
        fields: fields.unwrap_or_default(),
        cells: cells.is_some_and(|cells| cells.value),
        notice,
        message,
        protected,
        unbounceable,
    })
}

/// How finds are masked, and with which character.
fn read_style(section: &mut Section<'_>) -> Option<(Style, char)> {
    let mut sound = true;
    let given = |section: &Section<'_>, key: &str| section.holds(key) != Holds::Nothing;
    let style_given = given(section, "style");
    let word = section.choice("style", STYLES);
    sound &= !style_given || word.is_some();
    let word = word.map_or(Word::Label, |word| word.value);
    let [keep, keep_first] = [("keep", 4), ("keep_first", 0)].map(|(key, default)| {
        let (span, there) = (section.span_of(key), given(section, key));
        let Some(number) = section.number(key) else {
            sound &= !there;
            return default;
        };
        if number.value > MAX_KEEP {
            section.problem(&span, Code::WrongValue, format!("`{key}` takes 0 to {MAX_KEEP}"), "");
            sound = false;
        } else if word != Word::KeepLast {
            let help = format!("add `style = \"keep-last\"`, or leave `{key}` out");
            let what = format!("`{key}` goes with `style = \"keep-last\"` only");
            section.problem(&span, Code::WrongValue, what, help);
            sound = false;
        }
        usize::try_from(number.value).unwrap_or(default)
    });
    let there = given(section, "character");
    let character = section.choice("character", &[("*", '*'), ("#", '#'), ("•", '•')]);
    sound &= !there || character.is_some();
    let style = match word {
        Word::Label => Style::Label,
        Word::KeepLast => Style::Keep { first: keep_first, last: keep },
        Word::Stars => Style::Keep { first: 0, last: 0 },
        Word::Block => Style::Block,
        Word::Partial => Style::Partial,
        Word::Pseudonym => Style::Pseudonym,
        Word::Remove => Style::Remove,
        Word::Notice => Style::Notice,
        Word::Bounce => Style::Bounce,
    };
    sound.then(|| (style, character.map_or('*', |found| found.value)))
}

/// What lets such data pass is allowed, and said.
fn warn_of_leaks(
    section: &mut Section<'_>,
    protected: Protected,
    unbounceable: Unbounceable,
    places: Places,
    [protected_span, unbounceable_span]: [&Span; 2],
) {
    if protected != Protected::Bounce {
        section.warning(
            protected_span,
            Code::FailOpen,
            "signed and otherwise protected mail goes out with the data in it",
            "leave `protected` out: such mail is sent back then; or bounce it by a rule with `kind`",
        );
    }
    if unbounceable == Unbounceable::Deliver {
        section.warning(
            unbounceable_span,
            Code::FailOpen,
            "automatic mail that would be sent back goes out with the data in it",
            "leave `unbounceable` out, or say \"drop\"",
        );
    }
    if !(places.subject && places.body) {
        let span = section.span_of("where");
        let left_out = if places.body { "the subject" } else { "the body" };
        section.warning(
            &span,
            Code::FailOpen,
            format!("{left_out} is not looked at, so the data can go out there"),
            "add \"subject\" and \"body\" to `where`, or leave it out",
        );
    }
}

/// A text that goes with one style only.
fn text(section: &mut Section<'_>, key: &'static str, fits: bool, default: &str, goes_with: &str) -> Option<String> {
    if section.holds(key) == Holds::Nothing {
        return Some(default.to_owned());
    }
    let found = section.string(key)?;
    let text = found.value.trim();
    if !fits {
        let what = format!("`{key}` goes with `{goes_with}` only");
        section.problem(&found.span, Code::WrongValue, what, format!("add `{goes_with}`, or leave `{key}` out"));
        return None;
    }
    if text.is_empty() || text.chars().count() > MAX_TEXT || text.contains("{{") || text.contains("{%") {
        let what = format!("`{key}` has 1 to {MAX_TEXT} characters and no variables");
        section.problem(&found.span, Code::WrongValue, what, "write a text that fits every message");
        return None;
    }
    Some(text.to_owned())
}

/// Names of fields; those that say how the message is read, or that mail servers write, are left alone.
fn fields(section: &mut Section<'_>) -> Option<Vec<FieldName>> {
    if section.holds("fields") == Holds::Nothing {
        return Some(Vec::new());
    }
    let names = section.strings("fields")?;
    let mut fields = Vec::new();
    for name in &names {
        match FieldName::new(&name.value) {
            Ok(field) if fields.len() < MAX_FIELDS => match super::super::header_field::fixed(&name.value) {
                Some(why) => {
                    let what = format!("`{}` cannot be edited: {why}", name.value);
                    section.problem(&name.span, Code::HeaderField, what, "");
                    return None;
                }
                None => fields.push(field),
            },
            Ok(_) => {
                let what = format!("more than {MAX_FIELDS} fields");
                section.problem(&name.span, Code::WrongValue, what, "");
                return None;
            }
            Err(error) => {
                section.problem(&name.span, Code::HeaderField, error.to_string(), "");
                return None;
            }
        }
    }
    Some(fields)
}
