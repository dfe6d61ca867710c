//! The options of `replace`, and what is wrong with them.

use super::super::super::detect::{DetectorSet, MAX_PHRASE, compile_pattern};
use super::super::super::pattern::Pattern;
use super::super::super::problem::Code;
use super::super::super::section::{Holds, Section};
use super::super::super::{OptionDoc, Takes};
use super::super::attachments::read_protected;
use super::Replace;
use super::find::Find;
use super::with::{MAX_TEXT, With};

pub(super) const OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        key: "words",
        takes: Takes::Texts("string"),
        default: "none",
        doc: "What to look for: whole words and phrases, in upper or lower case, whatever parts their words. Either this or \
              `pattern`.",
    },
    OptionDoc {
        key: "pattern",
        takes: Takes::Texts("regular expression"),
        default: "none",
        doc: "What to look for, on the text as it is; begin with `(?i)` to ignore case.",
    },
    OptionDoc {
        key: "with",
        takes: Takes::Text("string"),
        default: "",
        doc: "What stands in its place, in one line; `\"\"` for nothing. With `pattern`, `$1` and `${name}` are what a group \
              matched, `$$` is a dollar sign. What stands within this text already is left alone.",
    },
    OptionDoc {
        key: "where",
        takes: Takes::Words(&["subject", "body", "links"]),
        default: "[\"subject\", \"body\"]",
        doc: "Where to look: the subject; what a reader sees of every text alternative; with `body`, where the links of HTML \
              lead, such as `tel:` and `mailto:`.",
    },
    OptionDoc {
        key: "protected",
        takes: Takes::Word(&["beside", "skip", "headers-only", "bounce"]),
        default: "\"beside\"",
        doc: "What the rule does to a message of which a part is signed or encrypted, a report, an invitation or TNEF: the \
              subject and the text beside that part are edited, and without such a text the rule does nothing (`beside`); it \
              does nothing (`skip`); only the subject is edited and its other actions are done (`headers-only`); the message \
              is sent back (`bounce`).",
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Subject,
    Body,
    Links,
}

const LOOKS: &[(&str, Look)] = &[("subject", Look::Subject), ("body", Look::Body), ("links", Look::Links)];

pub(super) fn read(section: &mut Section<'_>) -> Option<Replace> {
    let given = |section: &Section<'_>, key: &str| section.holds(key) != Holds::Nothing;
    let [words, pattern] = ["words", "pattern"].map(|key| given(section, key));
    let mut sound = true;
    if words == pattern {
        let span = if words { section.span_of("pattern") } else { section.span() };
        let (code, what) = if words {
            (Code::WrongValue, "`words` and `pattern` are both given")
        } else {
            (Code::Missing, "`words` or `pattern` is missing")
        };
        section.problem(&span, code, what, "give one of them; for both, write two actions");
        sound = false;
    }
    let phrases = words.then(|| read_words(section));
    let patterns = pattern.then(|| read_patterns(section));
    let with = read_with(section, if words { None } else { patterns.as_ref().and_then(Option::as_deref) });

    let there = given(section, "where");
    let (span, looks) = (section.span_of("where"), section.choices("where", LOOKS));
    sound &= !there || looks.is_some();
    let looks: Vec<Look> = match looks {
        Some(looks) => looks.into_iter().map(|look| look.value).collect(),
        None => vec![Look::Subject, Look::Body],
    };
    let at = |look| looks.contains(&look);
    if at(Look::Links) && !at(Look::Body) {
        section.problem(&span, Code::WrongValue, "`links` goes with `body`", "add \"body\", or leave \"links\" out");
        sound = false;
    }
    let protected = read_protected(section);
    let find = match (phrases, patterns) {
        (Some(words), _) => Find::Words(words?),
        (None, patterns) => Find::Patterns(patterns??),
    };
    let with = with?;
    sound.then(|| Replace {
        find,
        with,
        subject: at(Look::Subject),
        body: at(Look::Body),
        links: at(Look::Links),
        protected,
    })
}

fn read_words(section: &mut Section<'_>) -> Option<DetectorSet> {
    let words = section.strings("words")?;
    let bad = words.iter().find(|word| word.value.trim().is_empty() || word.value.len() > MAX_PHRASE);
    if let Some(bad) = bad {
        let what = format!("a text to look for has 1 to {MAX_PHRASE} octets");
        section.problem(&bad.span, Code::WrongValue, what, "");
        return None;
    }
    match DetectorSet::of_phrases(words.iter().map(|word| word.value.as_str())) {
        Ok(words) => Some(words),
        Err(why) => {
            let span = words.first().map_or_else(|| section.span(), |word| word.span.clone());
            section.problem(&span, Code::WrongValue, why, "");
            None
        }
    }
}

fn read_patterns(section: &mut Section<'_>) -> Option<Vec<Pattern>> {
    let texts = section.strings("pattern")?;
    let mut patterns = Vec::with_capacity(texts.len());
    for text in &texts {
        match compile_pattern(&text.value) {
            Ok(pattern) => patterns.push(pattern),
            Err(why) => {
                let what = format!("the regular expression cannot be used: {why}");
                section.problem(&text.span, Code::Pattern, what, "");
            }
        }
    }
    (patterns.len() == texts.len()).then_some(patterns)
}

/// `patterns`: those whose groups may stand in it; `None` where it is a text as it is.
fn read_with(section: &mut Section<'_>, patterns: Option<&[Pattern]>) -> Option<With> {
    if section.holds("with") == Holds::Nothing {
        section.missing("with");
        return None;
    }
    let with = section.string("with")?;
    let text = with.value.as_str();
    if text.chars().count() > MAX_TEXT || text.contains(char::is_control) || text.contains("{{") || text.contains("{%")
    {
        let what = format!("`with` is one line of at most {MAX_TEXT} characters, without variables");
        section.problem(&with.span, Code::WrongValue, what, "");
        return None;
    }
    match patterns.map(|patterns| With::read(text, patterns)) {
        None => Some(With::text(text)),
        Some(Ok(with)) => Some(with),
        Some(Err(why)) => {
            section.problem(&with.span, Code::Pattern, why, "write `$$` for a dollar sign");
            None
        }
    }
}
