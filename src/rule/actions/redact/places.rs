//! Goes through all places of a message in which a rule looks: header values, file names, bodies and other texts, blocks of
//! rules before, what stands between parts, attached messages.
//!
//! Invariant: each place is handed on once in a walk, as it stands then; what is answered for it is put in, or the walk
//! ends with an error.

use super::super::super::ActionError;
use super::views::{See, TextKind, View, Writing, views};
use super::{Places, Redact, url};
use crate::message::{Body, BodyError, Draft, File, Message, ParameterText, PartId, Spelled, TextEdits, Value};
use crate::rule::Late;
use crate::rule::template::escape_html;

/// Fields that hold the subject, or what a sender says of the message: Exchange and Outlook keep a copy of the subject in
/// Thread-Topic.
const COPIES: &[&str] =
    &["Subject", "Thread-Topic", "Comments", "Keywords", "Original-Subject", "X-Original-Subject", "Summary"];
/// Fields of parts that a reader is shown.
const DESCRIPTIONS: &[&str] = &["Content-Description"];
const NAMED: &[&str] = &["Content-Type", "Content-Disposition"];
/// Longer fields are not taken apart, nor is such a message edited, in octets.
const MAX_NAMED: usize = 16_384;
/// Attached messages are looked into this deep.
const MAX_ATTACHED: usize = 5;

/// A place, as it stands now.
pub(super) struct Place<'a> {
    /// For reports: `subject`, `1.2`.
    pub name: &'a str,
    /// The same for the alternatives of one text.
    pub group: &'a str,
    pub source: &'a str,
    views: Views,
    /// It takes characters that are no ASCII as they are.
    pub unicode: bool,
    kind: Option<TextKind>,
}

/// The views of a place, or what they are made from once they are asked for.
enum Views {
    Made(Vec<View>),
    Of { kind: TextKind, cells: bool },
}

/// What becomes of a place: edits of its source, in order and apart.
pub(super) type Visit<'v> = dyn FnMut(Place<'_>) -> Result<TextEdits, ActionError> + 'v;

impl Place<'_> {
    /// Hands the texts to look through to `see`; none the second time where the place is no text that is spelled.
    pub(super) fn views(&mut self, see: &mut See<'_>) {
        match &mut self.views {
            Views::Made(views) => std::mem::take(views).into_iter().for_each(see),
            Views::Of { kind, cells } => views(*kind, self.source, *cells, see),
        }
    }

    /// Are there several texts to look through, which may show the same octets?
    pub(super) fn has_several_views(&self) -> bool {
        match &self.views {
            Views::Made(views) => views.len() > 1,
            Views::Of { kind, .. } => !matches!(kind, TextKind::Plain | TextKind::Csv | TextKind::Enriched),
        }
    }

    /// How the text is written, where its views are still to be made.
    pub(super) fn kind_of_views(&self) -> Option<TextKind> {
        match self.views {
            Views::Made(_) => None,
            Views::Of { kind, .. } => Some(kind),
        }
    }

    /// A notice in place of the whole text; `None` where it would not be legal, or is there.
    pub(super) fn notice(&self, notice: &str) -> Option<String> {
        let text = match self.kind? {
            TextKind::Plain | TextKind::Flowed { .. } | TextKind::Csv => notice.to_owned(),
            TextKind::Html => format!("<p>{}</p>", escape_html(notice)),
            TextKind::Xml => format!("<notice>{}</notice>", escape_html(notice)),
            TextKind::Json => serde_json::Value::from(notice).to_string(),
            TextKind::Enriched => notice.replace('<', "<<"),
            TextKind::Directory => return None,
        };
        let end = if self.source.ends_with("\r\n") {
            "\r\n"
        } else if self.source.ends_with('\n') {
            "\n"
        } else {
            ""
        };
        Some(format!("{text}{end}")).filter(|text| text != self.source)
    }
}

impl Redact {
    /// Go through all that may be edited.
    pub(super) fn walk(&self, draft: &mut Draft<'_>, late: Late<'_>, visit: &mut Visit<'_>) -> Result<(), ActionError> {
        self.walk_in(draft, ("", 0, late), self.is_locked(draft), visit)
    }

    /// `before` stands in front of the names of parts: those of an attached message.
    fn walk_in(
        &self,
        draft: &mut Draft<'_>,
        (before, depth, late): (&str, usize, Late<'_>),
        locked: bool,
        visit: &mut Visit<'_>,
    ) -> Result<(), ActionError> {
        self.walk_fields(draft, before, visit)?;
        if locked {
            return Ok(());
        }
        let names = Names::of(draft.message(), before);
        if self.places.file_names {
            for part in 0..draft.message().parts().len() {
                walk_names(draft, PartId(part), &names, visit)?;
            }
        }
        if self.places.body {
            for body in draft.readable() {
                let edits = {
                    let text = draft.text(body.part)?;
                    visit(self.place(&names, body.part, body.kind.into(), text, draft.message()))?
                };
                draft.edit(body.part, edits)?;
            }
        }
        for file in draft.files().into_iter().filter(|file| self.looks_at(file)) {
            let edits = {
                let text = draft.file_text(file.part)?;
                visit(self.place(&names, file.part, file.kind.into(), text, draft.message()))?
            };
            draft.edit_file(file.part, edits)?;
        }
        if self.places.body {
            self.walk_blocks(draft, visit)?;
            walk_gaps(draft, before, visit)?;
        }
        if self.places.attached_messages && depth < MAX_ATTACHED {
            self.walk_attached(draft, &names, (depth, late), visit)?;
        }
        Ok(())
    }

    /// Texts beside the bodies: alternatives are looked at with them, files where the rule says so.
    fn looks_at(&self, file: &File) -> bool {
        if file.is_alternative && !file.is_calendar { self.places.body } else { self.places.attachments }
    }

    fn place<'a>(
        &self,
        names: &'a Names,
        part: PartId,
        kind: TextKind,
        source: &'a str,
        message: &Message<'_>,
    ) -> Place<'a> {
        let (name, group) = names.of_part(part);
        let of = message.part(part);
        let utf8 = of.and_then(|part| part.charset.as_deref()).is_some_and(|c| c == "utf-8" || c == "utf8");
        let kind = match of {
            Some(part) if kind == TextKind::Plain && part.flowed => TextKind::Flowed { delsp: part.delsp },
            _ => kind,
        };
        let views = Views::Of { kind, cells: self.cells };
        Place { name, group, source, views, unicode: utf8 && !source.is_ascii(), kind: Some(kind) }
    }

    /// The subject, its copies, the queries of List-* URLs, and what the rule names.
    fn walk_fields(&self, draft: &mut Draft<'_>, before: &str, visit: &mut Visit<'_>) -> Result<(), ActionError> {
        // An edit of one leaves the others where they are.
        for value in draft.fields_of(PartId(0)) {
            let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(&value.name));
            let is_list = value.name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("list-"));
            let named = self.fields.iter().any(|name| name.is(value.name.as_bytes()));
            if self.places.subject && (is(COPIES) || is_list) || named {
                // The name of a field that nobody named is the sender's.
                let name = if is_list && !named { "list".to_owned() } else { value.name.to_ascii_lowercase() };
                let name = format!("{before}{name}");
                walk_value(draft, &value, &name, is_list && !named, visit)?;
            }
        }
        Ok(())
    }

    /// The blocks that rules before have put beside the message.
    fn walk_blocks(&self, draft: &mut Draft<'_>, visit: &mut Visit<'_>) -> Result<(), ActionError> {
        let mut result = Ok(());
        draft.edit_blocks(&mut |kind, text| {
            let place = Place {
                name: "block",
                group: "block",
                source: text,
                views: Views::Of { kind: kind.into(), cells: self.cells },
                unicode: false,
                kind: None,
            };
            match visit(place) {
                Ok(edits) => edits.applied(text),
                Err(error) => {
                    result = Err(error);
                    None
                }
            }
        });
        result
    }

    fn walk_attached(
        &self,
        draft: &mut Draft<'_>,
        names: &Names,
        (depth, late): (usize, Late<'_>),
        visit: &mut Visit<'_>,
    ) -> Result<(), ActionError> {
        for part in draft.attached_messages() {
            let Some(raw) = draft.attached_bytes(part) else {
                self.look_into_encoded(draft, part, names, (depth, late), visit)?;
                continue;
            };
            let message = Message::parse(&raw);
            let mut inner = Draft::new(&message);
            inner.permit_as(draft);
            let before = format!("{}/", names.of_part(part).0);
            let locked = self.is_locked(&inner);
            self.walk_in(&mut inner, (&before, depth + 1, late), locked, visit)?;
            self.refuse_hidden(&inner, late)?;
            if !inner.is_unchanged() {
                let rendered = inner.render().map_err(ActionError::Attached)?;
                draft.put_attached(part, &rendered);
            }
        }
        Ok(())
    }

    /// An attached message in a transfer encoding, which no part of its sort may have (RFC 2046 §5.2.1): it is looked
    /// through, and a find there cannot be masked.
    fn look_into_encoded(
        &self,
        draft: &Draft<'_>,
        part: PartId,
        names: &Names,
        (depth, late): (usize, Late<'_>),
        visit: &mut Visit<'_>,
    ) -> Result<(), ActionError> {
        let raw = draft.message().content(part).ok_or(BodyError::Encoding)?;
        let inner = Message::parse(&raw);
        let before = format!("{}/", names.of_part(part).0);
        let mut copy = Draft::new(&inner);
        copy.permit_as(draft);
        let locked = self.is_locked(&copy);
        self.walk_in(&mut copy, (&before, depth + 1, late), locked, &mut |place| {
            if visit(place)?.is_empty() { Ok(TextEdits::default()) } else { Err(BodyError::Encoding.into()) }
        })?;
        self.refuse_hidden(&copy, late)
    }

    /// Go through what must not be edited.
    pub(super) fn walk_locked(
        &self,
        draft: &Draft<'_>,
        late: Late<'_>,
        see: &mut dyn FnMut(Place<'_>) -> Result<(), ActionError>,
    ) -> Result<(), ActionError> {
        let message = draft.message();
        let names = Names::of(message, "");
        let Places { body, file_names, attached_messages, .. } = self.places;
        if body {
            for Body { part, kind } in draft.readable() {
                see(self.place(&names, part, kind.into(), draft.text(part)?, message))?;
            }
        }
        for file in draft.files() {
            // An invitation is shown like a body.
            if self.looks_at(&file) || body && file.is_alternative {
                see(self.place(&names, file.part, file.kind.into(), draft.file_text(file.part)?, message))?;
            }
        }
        let mut copy = draft.clone();
        let mut look = |place: Place<'_>| {
            see(place)?;
            Ok(TextEdits::default())
        };
        if file_names {
            for part in 0..message.parts().len() {
                walk_names(&mut copy, PartId(part), &names, &mut look)?;
            }
        }
        if body {
            walk_gaps(&mut copy, "", &mut look)?;
        }
        if attached_messages {
            for part in draft.attached_messages() {
                let raw = draft.attached_bytes(part).ok_or(BodyError::Encoding)?;
                let inner = Message::parse(&raw);
                let before = format!("{}/", names.of_part(part).0);
                self.walk_in(&mut Draft::new(&inner), (&before, 1, late), false, &mut look)?;
            }
        }
        Ok(())
    }
}

/// A header value: as a text, or the queries of its URLs.
fn walk_value<'m>(
    draft: &mut Draft<'m>,
    value: &Value<'m>,
    name: &str,
    urls_only: bool,
    visit: &mut Visit<'_>,
) -> Result<(), ActionError> {
    let field = crate::message::FieldText::read(&value.raw);
    let text = field.text();
    let whole = Spelled::plain(text, 0);
    let view = |text, writing| View { text, writing, what: "" };
    let views = if urls_only {
        let mut views = Vec::new();
        let mut at = 0;
        for range in urls(text) {
            views.push(view(whole.part(at..range.start), Writing::Plain));
            at = range.end;
            // Whom to write to stays: nobody could leave the list.
            url::queries(&whole.part(range), &mut |text| views.push(view(text, Writing::Url)));
        }
        views.push(view(whole.part(at..text.len()), Writing::Plain));
        views
    } else {
        vec![view(whole, Writing::Plain)]
    };
    let views = Views::Made(views);
    let edits = visit(Place { name, group: name, source: text, views, unicode: false, kind: None })?;
    if edits.is_empty() || draft.edit_value(value, &edits.to_vec()) {
        return Ok(());
    }
    // A line that is too long as it is: the field is written once more.
    let written = edits.applied(text).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    if written.is_some_and(|text| draft.write_value(value, &text)) { Ok(()) } else { Err(ActionError::Header) }
}

/// Where URLs stand between `<` and `>` (RFC 2369 §2).
fn urls(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + open + 1;
        let Some(length) = text.get(start..).and_then(|rest| rest.find('>')) else { break };
        found.push(start..start + length);
        at = start + length;
    }
    found
}

/// File names and descriptions of a part.
fn walk_names(draft: &mut Draft<'_>, part: PartId, names: &Names, visit: &mut Visit<'_>) -> Result<(), ActionError> {
    let wanted = |value: &Value<'_>, list: &[&str]| list.iter().any(|name| name.eq_ignore_ascii_case(&value.name));
    let mut fields = draft.fields_of(part);
    fields.retain(|value| wanted(value, DESCRIPTIONS) || wanted(value, NAMED));
    if fields.is_empty() {
        return Ok(());
    }
    let name = format!("{} name", names.of_part(part).0);
    let place = |text: &str, visit: &mut Visit<'_>| {
        let views = Views::Made(vec![View { text: Spelled::plain(text, 0), writing: Writing::Plain, what: "" }]);
        visit(Place { name: &name, group: &name, source: text, views, unicode: false, kind: None })
    };
    for mut value in fields {
        if wanted(&value, DESCRIPTIONS) {
            walk_value(draft, &value, &name, false, visit)?;
            continue;
        }
        if value.raw.len() > MAX_NAMED {
            let text = String::from_utf8_lossy(&value.raw);
            if !place(&text, visit)?.is_empty() {
                return Err(ActionError::Header);
            }
            continue;
        }
        let mut parameters = ParameterText::read(&value.raw);
        for which in 0..parameters.len() {
            let Some(parameter) = parameters.get(which) else { break };
            let edits = place(parameter.text(), visit)?;
            if edits.is_empty() {
                continue;
            }
            if !draft.edit_name(&mut value, parameter, &edits.to_vec()) {
                return Err(ActionError::Header);
            }
            // What stands behind it stands elsewhere now.
            parameters = ParameterText::read(&value.raw);
        }
    }
    Ok(())
}

/// What stands before the first part of a multipart and behind the last.
fn walk_gaps(draft: &mut Draft<'_>, before: &str, visit: &mut Visit<'_>) -> Result<(), ActionError> {
    for gap in draft.gaps() {
        let text = String::from_utf8_lossy(&gap.text).into_owned();
        let name = format!("{before}between parts");
        let place = Place {
            name: &name,
            group: &name,
            source: &text,
            views: Views::Of { kind: TextKind::Plain, cells: false },
            unicode: false,
            kind: None,
        };
        let edits = visit(place)?;
        if edits.is_empty() {
            continue;
        }
        let new = edits.applied(&text).filter(|_| text.as_bytes() == &*gap.text);
        if !new.is_some_and(|new| draft.edit_gap(&gap, new.as_bytes())) {
            return Err(BodyError::Doubtful.into());
        }
    }
    Ok(())
}

/// How parts are named in reports, behind the name of the attached message that they are in, and which of them belong
/// together.
struct Names {
    names: Vec<String>,
    groups: Vec<String>,
}

impl Names {
    fn of(message: &Message<'_>, before: &str) -> Self {
        let names: Vec<String> = message.part_names().iter().map(|name| format!("{before}{name}")).collect();
        let mut groups: Vec<String> = Vec::with_capacity(names.len());
        for (part, name) in message.parts().iter().zip(&names) {
            let above = || {
                let of = message.part(part.parent?)?;
                let above = groups.get(part.parent?.0)?;
                (of.media_type == "multipart/alternative" || above.ends_with('*')).then(|| above.clone())
            };
            let group = match above() {
                Some(group) => group,
                None if part.media_type == "multipart/alternative" => format!("{name}*"),
                None => format!("{name}="),
            };
            groups.push(group);
        }
        Self { names, groups }
    }

    fn of_part(&self, part: PartId) -> (&str, &str) {
        (self.names.get(part.0).map_or("", String::as_str), self.groups.get(part.0).map_or("", String::as_str))
    }
}
