//! The options that say what to look for, read the same way by the actions and the conditions that use detectors.

use std::sync::Arc;

use super::custom;
use super::{Confidence, DetectorSet, Groups, Wanted, catalog};
use crate::rule::problem::Code;
use crate::rule::section::{At, Holds, Section};
use crate::rule::toml_value::{nearest_line, shown};
use crate::rule::{OptionDoc, Takes};

/// What [`read_detectors`] reads, for the `finish` of the table and for the reference.
pub const OPTIONS: [OptionDoc; 5] = [
    OptionDoc {
        key: "detect",
        takes: Takes::Detectors,
        default: "none",
        doc: "What to look for: detectors such as \"card\", \"iban\", \"email\", groups such as \"financial\", own \
              `[[detector]]`s.",
    },
    OptionDoc {
        key: "pattern",
        takes: Takes::Texts("regular expression"),
        default: "none",
        doc: "What else to look for.",
    },
    OptionDoc {
        key: "confidence",
        takes: Takes::Word(&["low", "medium", "high"]),
        default: "\"medium\"",
        doc: "The least confidence that counts: `low` takes what has the form alone, `medium` a check digit or a word \
              near it that says what it is, `high` a form that little else has, or both.",
    },
    OptionDoc {
        key: "at_least",
        takes: Takes::Number(1, MAX_AT_LEAST),
        default: "1",
        doc: "How many finds of one detector there must be.",
    },
    OptionDoc {
        key: "groups",
        takes: Takes::Word(&["usual", "any"]),
        default: "\"usual\"",
        doc: "Whether digits may be grouped in unusual ways as well (`41 11 11…`), and run on over quoted lines; `any` \
              finds more, and more that is none.",
    },
];

/// The label of `pattern`, for actions that show one.
pub const LABEL: OptionDoc = OptionDoc {
    key: "label",
    takes: Takes::Text("string"),
    default: "\"REDACTED\"",
    doc: "What stands in place of a match of `pattern`, in brackets.",
};

/// Characters of a label.
const MAX_LABEL: usize = 40;
/// The largest `at_least`.
const MAX_AT_LEAST: u64 = 1_000_000;

/// Read [`OPTIONS`] from a table, and [`LABEL`] where `known` has it. `None` when there were problems, each reported at its
/// key.
pub fn read_detectors(section: &mut Section<'_>, known: &[OptionDoc]) -> Option<DetectorSet> {
    let [detect, pattern] = ["detect", "pattern"].map(|key| section.holds(key) != Holds::Nothing);
    let mut sound = true;
    if !detect && !pattern {
        let span = section.span();
        let help = format!("`detect` takes {}; `pattern` a regular expression", takes());
        section.problem(&span, Code::Missing, "`detect` or `pattern` is missing", help);
        sound = false;
    }
    let mut wanted = Wanted::default();
    if detect {
        let names = section.strings("detect");
        sound &= names.is_some();
        for name in names.unwrap_or_default() {
            sound &= add(section, &mut wanted, &name);
        }
    }
    if known.iter().any(|option| option.key == LABEL.key) && section.holds("label") != Holds::Nothing {
        wanted.label = read_label(section, pattern);
        sound &= wanted.label.is_some();
    }
    if pattern {
        let patterns = section.strings("pattern");
        sound &= patterns.is_some();
        for pattern in patterns.unwrap_or_default() {
            match custom::compile(&pattern.value) {
                Ok(regex) => wanted.patterns.push(regex),
                Err(why) => {
                    let what = format!("the regular expression cannot be used: {why}");
                    section.problem(&pattern.span, Code::Pattern, what, "");
                    sound = false;
                }
            }
        }
    }
    let words = [("low", Confidence::Low), ("medium", Confidence::Medium), ("high", Confidence::High)];
    let given = section.holds("confidence") != Holds::Nothing;
    let confidence = section.choice("confidence", &words);
    sound &= !given || confidence.is_some();
    wanted.confidence = confidence.map_or(Confidence::Medium, |at| at.value);
    let given = section.holds("groups") != Holds::Nothing;
    let groups = section.choice("groups", &[("usual", Groups::Usual), ("any", Groups::Any)]);
    sound &= !given || groups.is_some();
    wanted.groups = groups.map_or(Groups::Usual, |at| at.value);
    if section.holds("at_least") != Holds::Nothing {
        let number = section.number("at_least");
        sound &= number.is_some();
        if let Some(At { value, span }) = number {
            if !(1..=MAX_AT_LEAST).contains(&value) {
                let what = format!("`at_least` takes 1 to {MAX_AT_LEAST}");
                section.problem(&span, Code::WrongValue, what, "");
                sound = false;
            }
            wanted.at_least = usize::try_from(value).unwrap_or(usize::MAX);
        }
    }
    sound.then(|| wanted.compile())
}

/// What `detect` takes, for the help of problems; all names would fill a page.
fn takes() -> String {
    let groups = catalog::groups();
    let sorts: Vec<_> = groups.iter().copied().filter(|group| group.len() > 2).collect();
    format!("detectors, such as card, iban, ssn, and groups: {}, or a country such as de", sorts.join(", "))
}

/// The names that `detect` takes: groups, then detectors.
fn names() -> Vec<&'static str> {
    catalog::groups().into_iter().chain(catalog::all().map(|spec| spec.name)).collect()
}

fn add(section: &mut Section<'_>, wanted: &mut Wanted, name: &At<String>) -> bool {
    let found = catalog::named(&name.value);
    let own = section.own_detectors();
    // `all` is every detector, those of the rule set included.
    for detector in own.iter().filter(|own| own.name == name.value || name.value == "all") {
        if !wanted.own.iter().any(|known| known.name == detector.name) {
            wanted.own.push(Arc::clone(detector));
        }
    }
    if found.is_empty() && !own.iter().any(|own| own.name == name.value) {
        let known = names().into_iter().chain(own.iter().map(|own| own.name.as_str()));
        let help = nearest_line(&name.value, known);
        let what = format!("`detect` does not know \"{}\"", shown(&name.value));
        section.problem(&name.span, Code::WrongValue, what, format!("{help}it takes {}", takes()));
        return false;
    }
    for spec in found {
        wanted.add(spec);
    }
    true
}

fn read_label(section: &mut Section<'_>, has_pattern: bool) -> Option<String> {
    let label = section.string("label")?;
    if !is_label(&label.value) {
        let what = format!("a label has 1 to {MAX_LABEL} printable ASCII characters");
        section.problem(&label.span, Code::WrongValue, what, "ASCII can be written in every charset");
        return None;
    }
    if !has_pattern {
        let help = "`detect` has labels of its own";
        section.problem(&label.span, Code::WrongValue, "`label` goes with `pattern` only", help);
        return None;
    }
    Some(label.value.trim().to_owned())
}

/// Can this stand in brackets in place of a find, whatever the charset?
pub fn is_label(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().count() <= MAX_LABEL && text.bytes().all(|b| matches!(b, b' '..=b'~'))
}
