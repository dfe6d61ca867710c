//! `redact`: sensitive data is masked in the subject and in every body.
//!
//! Invariant: where this action has run and answered without an error, none of what it looks for is left in the
//! subject, in the text that a reader sees and in what links and pictures say of themselves (`mailto:`, `tel:`, `alt`,
//! `title`, `value`); what cannot be read or changed is an error, never passed over. Addresses of web pages stay: they
//! would lead elsewhere.

use std::collections::BTreeMap;

use super::super::detect::{self, DetectorId, DetectorSet, Found, Style};
use super::super::problem::Code;
use super::super::section::{Holds, Section};
use super::super::template::escape_html;
use super::super::{Action, ActionError, ActionKind, Effect, OnError, OptionDoc, Protected, Scene};
use super::attributes;
use super::block::read_protected;
use crate::envelope::Direction;
use crate::message::{Body, BodyError, BodyKind, Draft, Field, FieldName, TextEdit, html};

/// `redact`.
pub const KIND: ActionKind = ActionKind {
    kind: "redact",
    doc: "Masks sensitive data in the subject and in every body. A rule with it has on_error = \"fail\" unless it says \
          otherwise.",
    options: OPTIONS,
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"redact\"\ndetect = [\"card\", \"iban\"]\nstyle = \"keep-last\"\nkeep = 4\n",
    compile,
};

/// What to look for, and what is this action's alone.
const OPTIONS: &[OptionDoc] = {
    let [detect, pattern, confidence, at_least, groups] = detect::OPTIONS;
    let [style, keep, places, protected] = OWN;
    &[detect, pattern, detect::LABEL, confidence, at_least, groups, style, keep, places, protected]
};

const OWN: [OptionDoc; 4] = [
    OptionDoc {
        key: "style",
        takes: "\"label\" | \"keep-last\"",
        default: "\"label\"",
        doc: "Put a label in its place, such as `[CARD]`, or stars for all but the last characters.",
    },
    OptionDoc {
        key: "keep",
        takes: "0 to 8",
        default: "4",
        doc: "How many digits and letters `keep-last` keeps; never more than half of them.",
    },
    OptionDoc {
        key: "where",
        takes: "\"subject\" | \"body\", or both",
        default: "[\"subject\", \"body\"]",
        doc: "Where to look.",
    },
    OptionDoc {
        key: "protected",
        takes: "\"skip\" | \"headers-only\" | \"bounce\"",
        default: "\"bounce\"",
        doc: "What the rule does where such data stands in a body that must not be edited (signed, an invitation, \
              …): nothing (`skip`), only the subject and its other actions (`headers-only`), or send it back \
              (`bounce`).",
    },
];

/// The most characters that a mask may keep.
const MAX_KEEP: u64 = 8;
/// How often a text is gone through: where one find is masked, what stood too close to it to be told can be found.
const MAX_ROUNDS: usize = 8;
/// The subject, and the field in which Exchange and Outlook keep a copy of it.
const SUBJECTS: &[&str] = &["Subject", "Thread-Topic"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Subject,
    Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Label,
    KeepLast,
}

#[derive(Debug)]
struct Redact {
    detectors: DetectorSet,
    style: Style,
    subject: bool,
    body: bool,
    protected: Protected,
}

fn compile(section: &mut Section<'_>) -> Option<Box<dyn Action>> {
    let patterns = section.span_of("pattern");
    let detectors = detect::read_detectors(section, OPTIONS);
    let shape = section.choice("style", &[("label", Shape::Label), ("keep-last", Shape::KeepLast)]);
    let shape = shape.map_or(Shape::Label, |shape| shape.value);
    let keep_span = section.span_of("keep");
    let has_keep = section.holds("keep") != Holds::Nothing;
    let keep = section.number("keep").map_or(4, |keep| keep.value);
    if keep > MAX_KEEP {
        section.problem(&keep_span, Code::WrongValue, format!("`keep` takes 0 to {MAX_KEEP}"), "");
    } else if has_keep && shape == Shape::Label {
        let help = "add `style = \"keep-last\"`, or leave `keep` out";
        section.problem(&keep_span, Code::WrongValue, "`keep` goes with `style = \"keep-last\"` only", help);
    }
    let looks = section.choices("where", &[("subject", Look::Subject), ("body", Look::Body)]);
    let looks = looks.map(|looks| looks.into_iter().map(|look| look.value).collect::<Vec<_>>());
    let looks_at = |look| looks.as_ref().is_none_or(|looks| looks.contains(&look));
    let protected = if section.peek("protected") == Some("wrap") {
        let help = "a message put below a new part still holds the data; use \"bounce\"";
        let span = section.string("protected")?.span;
        section.problem(&span, Code::WrongValue, "`redact` cannot wrap", help);
        return None;
    } else {
        read_protected(section, Protected::Bounce)
    };
    if keep > MAX_KEEP {
        return None;
    }
    let detectors = detectors?;
    let style = match shape {
        Shape::Label => Style::Label,
        Shape::KeepLast => Style::KeepLast(usize::try_from(keep).unwrap_or(4)),
    };
    let redact = Redact { detectors, style, subject: looks_at(Look::Subject), body: looks_at(Look::Body), protected };
    // Masks that are found again would grow with each pass.
    let again = |id| !redact.detectors.find(&redact.mask(id, "0")).is_empty();
    if style == Style::Label && redact.detectors.ids().any(again) {
        section.problem(
            &patterns,
            Code::Pattern,
            "the pattern matches what stands in place of its matches",
            "make it stricter, or give another `label`",
        );
        return None;
    }
    Some(Box::new(redact))
}

impl Redact {
    fn mask(&self, detector: DetectorId, found: &str) -> String {
        self.style.mask(self.detectors.label(detector), found)
    }

    fn redact_subject(&self, draft: &mut Draft<'_>, counts: &mut Counts) -> Result<(), ActionError> {
        for name in SUBJECTS {
            let values = draft.values(name);
            let finds: Vec<(String, Vec<Found>)> = values
                .into_iter()
                .map(|value| {
                    let finds = self.detectors.find(&value);
                    (value, finds)
                })
                .collect();
            let Some((value, _)) = finds.first() else { continue };
            if finds.iter().all(|(_, finds)| finds.is_empty()) {
                continue;
            }
            // Setting the field takes all others of its name away, so those with finds are gone too.
            let masked = finds.first().map_or_else(|| value.clone(), |(value, finds)| self.masked(value, finds));
            for (_, finds) in &finds {
                counts.add(&self.detectors, finds);
            }
            let fault = |e: crate::message::FieldError| ActionError::Template(e.to_string());
            let mut clean: String = masked.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            for _ in 1..MAX_ROUNDS {
                let finds = self.detectors.find(&clean);
                let masked = self.masked(&clean, &finds);
                if masked == clean {
                    break;
                }
                counts.add(&self.detectors, &finds);
                clean = masked;
            }
            if !draft.takes_fields() {
                return Err(ActionError::Header);
            }
            draft.set_field(Field::new(FieldName::new(name).map_err(fault)?, &clean).map_err(fault)?);
        }
        Ok(())
    }

    fn masked(&self, text: &str, finds: &[Found]) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for find in finds {
            out.push_str(text.get(at..find.range.start).unwrap_or_default());
            out.push_str(&self.mask(find.detector, text.get(find.range.clone()).unwrap_or_default()));
            at = find.range.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    /// The edits of one body, in order and apart.
    /// The blocks that rules before have put beside the message.
    fn redact_blocks(&self, draft: &mut Draft<'_>, counts: &mut Counts) {
        draft.edit_blocks(&mut |kind, text| {
            let mut text = text.to_owned();
            let mut changed = false;
            for _ in 0..MAX_ROUNDS {
                let mut found = Counts::default();
                let mut edits = self.edits(kind, &text, &mut found);
                edits.retain(|edit| text.get(edit.range.clone()) != Some(edit.text.as_str()));
                if edits.is_empty() {
                    break;
                }
                for edit in edits.iter().rev() {
                    text.replace_range(edit.range.clone(), &edit.text);
                }
                changed = true;
                counts.take(found);
            }
            changed.then_some(text)
        });
    }

    /// Where the structure cannot be taken apart, or not in one way only, what it holds is no body. It is looked through
    /// as it stands, and a find there cannot be masked.
    fn refuse_hidden(&self, draft: &Draft<'_>) -> Result<(), ActionError> {
        let message = draft.message();
        let opaque = message.parts().iter().any(|part| part.is_multipart() && part.children.is_empty());
        if draft.protection().is_some() || (message.doubt().is_none() && !opaque) {
            return Ok(());
        }
        let start = message.parts().first().map_or(0, |root| root.body.start);
        let text = String::from_utf8_lossy(message.raw().get(start..).unwrap_or_default());
        if self.detectors.find(&text).is_empty() { Ok(()) } else { Err(BodyError::Doubtful.into()) }
    }

    fn edits(&self, kind: BodyKind, source: &str, counts: &mut Counts) -> Vec<TextEdit> {
        match kind {
            BodyKind::Plain => {
                let finds = self.detectors.find(source);
                counts.add(&self.detectors, &finds);
                let masked = |find: Found| {
                    let text = self.mask(find.detector, source.get(find.range.clone()).unwrap_or_default());
                    TextEdit { range: find.range, text }
                };
                finds.into_iter().map(masked).collect()
            }
            BodyKind::Html => {
                let visible = html::visible(source);
                let finds = self.detectors.find(&visible.text);
                counts.add(&self.detectors, &finds);
                let mut edits = Vec::new();
                for find in &finds {
                    self.html_edits(&visible, find, &mut edits);
                }
                for range in attributes::shown(source) {
                    let value = source.get(range.clone()).unwrap_or_default();
                    let finds = self.detectors.find(value);
                    counts.add(&self.detectors, &finds);
                    edits.extend(finds.into_iter().map(|find| {
                        let mask = self.mask(find.detector, value.get(find.range.clone()).unwrap_or_default());
                        let edit = range.start + find.range.start..range.start + find.range.end;
                        TextEdit { range: edit, text: escape_html(&mask) }
                    }));
                }
                apart(edits)
            }
        }
    }

    /// The find may be split by markup, which stays: a label stands in its first piece, stars each in their place.
    fn html_edits(&self, visible: &html::Visible, find: &Found, edits: &mut Vec<TextEdit>) {
        let shown = visible.text.get(find.range.clone()).unwrap_or_default();
        let mask = self.mask(find.detector, shown);
        if self.style == Style::Label {
            for (i, range) in visible.source_ranges(find.range.clone()).into_iter().enumerate() {
                edits.push(TextEdit { range, text: if i == 0 { escape_html(&mask) } else { String::new() } });
            }
            return;
        }
        for ((at, old), new) in shown.char_indices().zip(mask.chars()) {
            if old == new {
                continue;
            }
            let start = find.range.start + at;
            for range in visible.source_ranges(start..start + old.len_utf8()) {
                match edits.last_mut() {
                    Some(last) if last.range.end == range.start => {
                        last.range.end = range.end;
                        last.text.push(new);
                    }
                    _ => edits.push(TextEdit { range, text: new.to_string() }),
                }
            }
        }
    }

    /// Does a body that must not be edited hold something to mask?
    fn is_in_protected(&self, draft: &Draft<'_>) -> bool {
        let editable = draft.bodies();
        let is_locked = |body: &Body| !editable.iter().any(|b| b.part == body.part);
        draft.readable().into_iter().filter(is_locked).any(|body| {
            // What cannot be read cannot be cleared.
            draft.visible(body).map_or(true, |text| !self.detectors.find(&text).is_empty())
        })
    }
}

impl Action for Redact {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let mut counts = Counts::default();
        if self.subject {
            self.redact_subject(scene.draft, &mut counts)?;
        }
        if self.body {
            for body in scene.draft.bodies() {
                for _ in 0..MAX_ROUNDS {
                    let (text, mut found) = (scene.draft.text(body.part)?, Counts::default());
                    let mut edits = self.edits(body.kind, text, &mut found);
                    edits.retain(|edit| text.get(edit.range.clone()) != Some(edit.text.as_str()));
                    if edits.is_empty() {
                        break;
                    }
                    scene.draft.edit(body.part, &edits)?;
                    counts.take(found);
                }
            }
        }
        if self.body {
            self.redact_blocks(scene.draft, &mut counts);
            self.refuse_hidden(scene.draft)?;
        }
        Ok(match counts.total() {
            0 => Effect::Nothing("nothing was found"),
            total => Effect::Edited(total, counts.to_string()),
        })
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        (self.body && scene.draft.protection().is_some() && self.is_in_protected(scene.draft)).then_some(self.protected)
    }
    fn run_on_header(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        // Bodies that must not be edited are not among those that it goes through.
        self.run(scene)
    }
    fn edits_body(&self) -> bool {
        true
    }
    fn on_error(&self) -> OnError {
        OnError::Fail
    }
    fn protected_policy(&self) -> Option<Protected> {
        Some(self.protected)
    }
}

/// In order; what overlaps (tags shown as text, as in a textarea) is edited once.
fn apart(mut edits: Vec<TextEdit>) -> Vec<TextEdit> {
    edits.sort_by_key(|edit| edit.range.start);
    let mut end = 0;
    edits.retain(|edit| {
        let apart = edit.range.start >= end;
        if apart {
            end = edit.range.end;
        }
        apart
    });
    edits
}

/// How many finds of which detector.
#[derive(Debug, Default)]
struct Counts(BTreeMap<String, usize>);

impl Counts {
    fn add(&mut self, detectors: &DetectorSet, finds: &[Found]) {
        for find in finds {
            *self.0.entry(detectors.name(find.detector).to_owned()).or_default() += 1;
        }
    }
    fn take(&mut self, other: Self) {
        for (detector, count) in other.0 {
            *self.0.entry(detector).or_default() += count;
        }
    }
    fn total(&self) -> usize {
        self.0.values().sum()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, (detector, count)) in self.0.iter().enumerate() {
            write!(f, "{}{count} {detector}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::directory::Organization;
    use crate::envelope::{Direction, Envelope};
    use crate::message::Message;
    use crate::pipeline::Pipeline;

    #[test]
    fn two_cards_that_only_a_dot_parts_are_both_masked_at_once() {
        let rules = "[[rule]]\nname = \"cards\"\n[[rule.action]]\nkind = \"redact\"\ndetect = \"card\"\n";
        let pipeline = Pipeline::from_sources(vec![("rules.toml".to_owned(), rules.to_owned())]).unwrap();
        let pipeline = pipeline.with_organization(Organization::default());
        let envelope = Envelope {
            direction: Direction::Outbound,
            sender: None,
            recipients: Vec::new(),
            message_id: String::new(),
            truncated: false,
        };
        let cards = "4111 1111 1111 1111.4111 1111 1111 1111";
        let raw = format!("Subject: {cards}\r\n\r\n{cards}\r\n");
        let message = Message::parse(raw.as_bytes());
        let rewritten = pipeline.run(&message, &envelope, &|| false).unwrap().rewritten.unwrap().to_vec();
        assert_eq!(String::from_utf8(rewritten).unwrap(), "Subject: [CARD].[CARD]\r\n\r\n[CARD].[CARD]\r\n");
    }
}
