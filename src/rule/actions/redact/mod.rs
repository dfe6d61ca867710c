//! `redact`: sensitive data is masked wherever a reader or a program could see it.
//!
//! `places.rs` goes through the message, `views.rs` says how a text is read there and how a mask is written, `search.rs`
//! finds and masks, `known.rs` finds again what was found, `memo.rs` keeps what a look has found for the pass that masks,
//! `report.rs` tells what was found, `told.rs` keeps it from telling anything twice.
//!
//! Invariant: where this action has run and answered without an error, a second look at every place of `where` finds
//! nothing that it looks for. What cannot be read or changed there is an error, never passed over. No value is in an
//! effect, an error or a report.

mod known;
mod mask;
mod memo;
mod options;
mod places;
mod report;
mod search;
#[cfg(test)]
mod tests;
mod told;
mod url;
pub(super) mod views;

use std::collections::{BTreeMap, BTreeSet};

use super::super::detect::{Beyond, DetectorId, DetectorSet};
use super::super::section::Section;
use super::super::{
    Action, ActionError, ActionKind, Disposition, Effect, Late, OnError, Protected, Redacted, Scene, Unbounceable,
};
use crate::envelope::Direction;
use crate::message::{BodyError, Draft, FieldName, Permission, Protection, TextEdit, TextEdits};
use mask::Style;
use memo::{Memo, Seen};
use places::Place;
use report::Tally;
use search::{Hit, MAX_FINDS, Painter, Search, too_many};
use told::Told;
pub(in crate::rule) use views::uuencoded;
use views::{See, View};

/// `redact`.
pub const KIND: ActionKind = ActionKind {
    kind: "redact",
    doc: "Masks sensitive data in the subject, in every text and in the names of files. A rule with it has on_error = \
          \"fail\" unless it says otherwise.",
    options: options::OPTIONS,
    directions: &[Direction::Inbound, Direction::Outbound],
    example: "kind = \"redact\"\ndetect = [\"card\", \"iban\"]\nstyle = \"keep-last\"\nkeep = 4\n",
    compile: |section: &mut Section<'_>| options::read(section).map(|redact| Box::new(redact) as Box<dyn Action>),
};

/// How often a message is gone through: where one find is masked, what stood too close to it to be told can be found.
const MAX_ROUNDS: usize = 10;
/// From this round on a label stands in place of finds, whatever the style: masks that are found again end here.
const LABEL_FROM: usize = 5;
/// From this round on nothing does.
const REMOVE_FROM: usize = 8;

/// Where to look.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "one for each word of an option")]
struct Places {
    subject: bool,
    body: bool,
    file_names: bool,
    attachments: bool,
    attached_messages: bool,
}

#[derive(Debug)]
struct Redact {
    detectors: DetectorSet,
    style: Style,
    character: char,
    places: Places,
    fields: Vec<FieldName>,
    cells: bool,
    notice: String,
    message: String,
    protected: Protected,
    unbounceable: Unbounceable,
}

/// Places whose text gives way to a notice: those that hold a find, and their alternatives.
type Noticed = BTreeSet<String>;

impl Redact {
    /// Every find of a message, by place; learns their values.
    fn look(&self, draft: &mut Draft<'_>, search: &mut Search<'_>, memo: &mut Memo) -> Result<Looked, ActionError> {
        let mut looked = Looked::new(&self.detectors);
        memo.forget();
        // What is too little by itself counts together with what else is found.
        let passes_over = self.detectors.at_least() == 1;
        self.walk(draft, search.late(), &mut |mut place: Place<'_>| {
            search.in_time()?;
            let key = memo.key(&place);
            if passes_over && memo.is_clean(key) {
                return Ok(TextEdits::default());
            }
            memo.begin(key);
            let group = place.group;
            each_view(
                |see| place.views(see),
                |view| {
                    let text = view.text.text();
                    let hits = search.hits(text)?;
                    if !hits.is_empty() {
                        looked.saw(group, hits.len())?;
                    }
                    for hit in &hits {
                        looked.add(search, text, hit);
                        search.learn(text, hit);
                    }
                    memo.saw(key, view, hits);
                    Ok(())
                },
            )?;
            Ok(TextEdits::default())
        })?;
        search.learned();
        Ok(looked)
    }

    /// One pass over the message that masks what is found.
    fn mask(
        &self,
        draft: &mut Draft<'_>,
        search: &Search<'_>,
        memo: &mut Memo,
        painter: Painter<'_>,
        noticed: &Noticed,
        tally: &mut Tally,
    ) -> Result<(), ActionError> {
        memo.soil();
        self.walk(draft, search.late(), &mut |mut place: Place<'_>| {
            search.in_time()?;
            let mut edits = TextEdits::default();
            let mut is_clean = true;
            let key = memo.key(&place);
            let mut told = place.has_several_views().then(Told::default);
            let mut seen = memo.take(key);
            let kept = seen.as_mut().and_then(Seen::take_views);
            let mut found = seen.map(Seen::into_hits);
            let (name, source, unicode) = (place.name, place.source, place.unicode);
            let mut paint = |view: View| {
                let text = view.text.text();
                let hits = match &mut found {
                    Some(next) => search.complete(text, next())?,
                    None => search.hits(text)?,
                };
                is_clean &= hits.is_empty();
                painter.paint(search, &view, &hits, source, unicode, &mut edits)?;
                tally.add(search, &view, &hits, name, painter.key, told.as_mut());
                Ok(())
            };
            match kept {
                Some(views) => views.into_iter().try_for_each(paint)?,
                None => each_view(|see| place.views(see), &mut paint)?,
            }
            if is_clean {
                memo.found_nothing(key);
            }
            if noticed.contains(place.group)
                && let Some(text) = place.notice(&self.notice)
            {
                return Ok(TextEdits::from(&[TextEdit { range: 0..place.source.len(), text }]));
            }
            edits.part();
            search.in_time()?;
            Ok(edits)
        })
    }

    fn redact(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let mut search = Search::new(&self.detectors, self.character, scene.late);
        let mut tally = Tally::default();
        let mut memo = Memo::new();
        if self.style == Style::Pseudonym && scene.key.is_none() {
            return Err(ActionError::Key);
        }
        let mut painter = Painter { style: self.style, character: self.character, key: scene.key };
        // Detectors that have found enough, in this round or in one before.
        let mut enough = BTreeSet::new();
        for (wanted, permission) in [
            (self.places.file_names, Permission::Names),
            (self.places.attachments, Permission::Attachments),
            (self.places.attachments, Permission::Calendar),
            (self.places.attached_messages, Permission::AttachedMessages),
        ] {
            if wanted {
                scene.draft.permit(permission);
            }
        }
        for round in 0..MAX_ROUNDS {
            // A mask can lay open what another detector finds: each round looks for everything.
            search.count_all();
            let mut looked = self.look(scene.draft, &mut search, &mut memo)?;
            enough.extend(looked.enough());
            if looked.counts.keys().any(|id| !enough.contains(id)) {
                search.only(enough.clone());
                looked = self.look(scene.draft, &mut search, &mut memo)?;
            }
            if looked.groups.is_empty() {
                return Ok(match tally.total() {
                    0 => Effect::Nothing("nothing was found"),
                    count => {
                        let note = tally.to_string();
                        Effect::Redacted(Redacted { count, note, finds: tally.into_finds(), disposition: None })
                    }
                });
            }
            if self.style == Style::Bounce {
                return self.bounced(scene, &search, painter, tally);
            }
            painter.style = match round {
                REMOVE_FROM.. => Style::Remove,
                LABEL_FROM.. => Style::Label,
                _ => self.style,
            };
            let noticed = if self.style == Style::Notice { looked.groups } else { Noticed::new() };
            self.mask(scene.draft, &search, &mut memo, painter, &noticed, &mut tally)?;
        }
        Err(ActionError::Remains)
    }

    /// What was found is told, and nothing is changed.
    fn bounced(
        &self,
        scene: &mut Scene<'_, '_>,
        search: &Search<'_>,
        painter: Painter<'_>,
        mut tally: Tally,
    ) -> Result<Effect, ActionError> {
        self.walk(scene.draft, search.late(), &mut |mut place: Place<'_>| {
            let name = place.name;
            let mut told = place.has_several_views().then(Told::default);
            each_view(
                |see| place.views(see),
                |view| {
                    let hits = search.hits(view.text.text())?;
                    tally.add(search, &view, &hits, name, painter.key, told.as_mut());
                    Ok(())
                },
            )?;
            Ok(TextEdits::default())
        })?;
        let (count, note) = (0, tally.to_string());
        let disposition = Some(Disposition::Bounce(self.message.clone()));
        Ok(Effect::Redacted(Redacted { count, note, finds: tally.into_finds(), disposition }))
    }

    /// Where the structure cannot be taken apart, or not in one way only, what it holds is no body. It is looked through
    /// as it stands, and a find there cannot be masked.
    fn refuse_hidden(&self, draft: &Draft<'_>, late: Late<'_>) -> Result<(), ActionError> {
        let message = draft.message();
        let opaque = message.parts().iter().any(|part| part.is_multipart() && part.children.is_empty());
        if draft.protection().is_some() || (message.doubt().is_none() && !opaque) {
            return Ok(());
        }
        let start = message.parts().first().map_or(0, |root| root.body.start);
        let text = String::from_utf8_lossy(message.raw().get(start..).unwrap_or_default());
        match self.detectors.find_at_most(0, &text, late) {
            Ok(_) => Ok(()),
            Err(Beyond::Finds) => Err(BodyError::Doubtful.into()),
            Err(Beyond::Time) => Err(ActionError::Late),
        }
    }

    /// True where the message is protected, and not by an invitation that this rule may edit.
    fn is_locked(&self, draft: &Draft<'_>) -> bool {
        match draft.protection() {
            None => false,
            Some(Protection::Calendar) => !self.places.attachments,
            Some(_) => true,
        }
    }

    /// Does what must not be edited hold something to mask? What cannot be read cannot be cleared.
    fn is_in_protected(&self, draft: &Draft<'_>, late: Late<'_>) -> bool {
        let search = Search::new(&self.detectors, self.character, late);
        let mut looked = Looked::new(&self.detectors);
        let readable = self.walk_locked(draft, late, &mut |mut place: Place<'_>| {
            each_view(
                |see| place.views(see),
                |view| {
                    let text = view.text.text();
                    search.hits(text)?.iter().for_each(|hit| looked.add(&search, text, hit));
                    Ok(())
                },
            )
        });
        readable.is_err() || !looked.enough().is_empty()
    }
}

/// Each view in turn, up to the first that is an error.
fn each_view(
    views: impl FnOnce(&mut See<'_>),
    mut see: impl FnMut(View) -> Result<(), ActionError>,
) -> Result<(), ActionError> {
    let mut result = Ok(());
    views(&mut |view| {
        if result.is_ok() {
            result = see(view);
        }
    });
    result
}

/// What one look at a message came to.
#[derive(Debug)]
struct Looked {
    /// The places that hold a find, with their alternatives as one.
    groups: BTreeSet<String>,
    /// Values of each detector, until they are enough: one that stands in two alternatives counts once.
    counts: BTreeMap<DetectorId, BTreeSet<String>>,
    /// How many are enough.
    at_least: usize,
    /// How many finds there are, whatever found them.
    finds: usize,
}

impl Looked {
    fn new(detectors: &DetectorSet) -> Self {
        Self { groups: BTreeSet::new(), counts: BTreeMap::new(), at_least: detectors.at_least(), finds: 0 }
    }

    /// So many finds in one view of a place of this group.
    fn saw(&mut self, group: &str, finds: usize) -> Result<(), ActionError> {
        if !self.groups.contains(group) {
            self.groups.insert(group.to_owned());
        }
        self.finds += finds;
        if self.finds > MAX_FINDS { Err(too_many()) } else { Ok(()) }
    }

    fn add(&mut self, search: &Search<'_>, text: &str, hit: &Hit) {
        let values = self.counts.entry(hit.detector).or_default();
        if values.len() < self.at_least {
            values.insert(search.value(text, hit).into_owned());
        }
    }

    fn enough(&self) -> BTreeSet<DetectorId> {
        self.counts.iter().filter(|(_, values)| values.len() >= self.at_least).map(|(id, _)| *id).collect()
    }
}

impl Action for Redact {
    fn run(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        let effect = self.redact(scene)?;
        if self.places.body {
            self.refuse_hidden(scene.draft, scene.late)?;
        }
        Ok(effect)
    }
    fn kind(&self) -> &'static str {
        KIND.kind
    }
    fn protected(&self, scene: &Scene<'_, '_>) -> Option<Protected> {
        (self.is_locked(scene.draft) && self.is_in_protected(scene.draft, scene.late)).then_some(self.protected)
    }
    fn run_on_header(&self, scene: &mut Scene<'_, '_>) -> Result<Effect, ActionError> {
        // What must not be edited is not among what it goes through.
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
    fn unbounceable(&self) -> Unbounceable {
        self.unbounceable
    }
    fn may_dispose(&self) -> Option<Disposition> {
        (self.style == Style::Bounce).then(|| Disposition::Bounce(self.message.clone()))
    }
    fn is_for_each(&self) -> bool {
        self.style == Style::Bounce
    }
    fn needs_key(&self) -> bool {
        self.style == Style::Pseudonym
    }
    fn keeps_from_leaving(&self) -> bool {
        true
    }
}
