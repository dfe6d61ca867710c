//! What is found in a text, and what stands in its place.
//!
//! Invariant: a value that was found once in a message is found wherever it stands in it, also where its detector alone
//! would not be sure. Linear in the text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::known::{Known, Values, plain};
use super::mask::{Mask, PARTIAL, Style, Subject};
use super::views::View;
use crate::message::TextEdits;
use crate::rule::detect::{Beyond, DetectorId, DetectorSet};
use crate::rule::value_key::ValueKey;
use crate::rule::{ActionError, Late};

/// Values shorter than this, in letters and digits, are looked for by their detector alone.
const MIN_KNOWN: usize = 6;
/// So many values of one message are remembered.
const MAX_KNOWN: usize = 20_000;

/// So many finds are masked in one message. More are no letter that anybody wrote; a rule fails by its `on_error` then.
pub(super) const MAX_FINDS: usize = 4_000_000;
/// What stands in place of the finds of one text is so long at most, in octets: no larger message goes out.
pub(super) const MAX_MASKS: usize = 48_000_000;

/// From so many edits of a text on, what stays between two masks of one find is written again with them.
const MANY: usize = 10_000;

/// A find in a view, in twelve octets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    start: u32,
    end: u32,
    pub detector: DetectorId,
    /// Index of the value that was found elsewhere in the message and is found here again; [`Hit::NEW`] where there is none.
    known: u16,
}

impl Hit {
    const NEW: u16 = u16::MAX;

    fn new(range: &Range<usize>, detector: DetectorId, known: u16) -> Option<Self> {
        Some(Self { start: u32::try_from(range.start).ok()?, end: u32::try_from(range.end).ok()?, detector, known })
    }

    /// Byte range of the view's text.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

const _: () = assert!(MAX_KNOWN < Hit::NEW as usize);

/// Looks for what a rule names in one message.
#[derive(Debug)]
pub(super) struct Search<'r> {
    pub detectors: &'r DetectorSet,
    late: Late<'r>,
    /// Which detectors found enough; all while nothing was counted.
    enough: Option<BTreeSet<DetectorId>>,
    /// Values that were found, by their letters and digits.
    known: Values,
    finder: Option<Known>,
    /// `finder` looks for all that is known.
    is_current: bool,
    /// The find that was learned last, as it was spelled: the next one is often the same.
    learned: String,
    /// What a find holds that is a mask of ours already.
    masks: [String; 2],
}

impl<'r> Search<'r> {
    /// `character` is what the rule masks with.
    pub(super) fn new(detectors: &'r DetectorSet, character: char, late: Late<'r>) -> Self {
        let masks = [character, '*'].map(|c| format!("{}@", String::from(c).repeat(PARTIAL)));
        Self {
            detectors,
            late,
            enough: None,
            known: Values::new(),
            finder: None,
            is_current: true,
            learned: String::new(),
            masks,
        }
    }

    /// Every detector counts from now on.
    pub(super) fn count_all(&mut self) {
        self.enough = None;
    }

    /// Only these detectors count from now on.
    pub(super) fn only(&mut self, enough: BTreeSet<DetectorId>) {
        let before = self.known.len();
        self.learned.clear();
        self.known.retain(|_, (detector, _)| enough.contains(detector));
        self.is_current &= self.known.len() == before;
        self.enough = Some(enough);
        self.learned();
    }

    /// Did this detector find enough?
    pub(super) fn counts(&self, id: DetectorId) -> bool {
        self.enough.as_ref().is_none_or(|enough| enough.contains(&id))
    }

    /// A find as its detector reads it: content, for no log.
    pub(super) fn value(&self, text: &str, hit: &Hit) -> Cow<'_, str> {
        let known = self.finder.as_ref().filter(|_| hit.known != Hit::NEW);
        match known.and_then(|known| known.value(usize::from(hit.known))) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(self.detectors.value(text, hit.range(), hit.detector)),
        }
    }

    /// Look for this value everywhere; [`Self::learned`] makes it so.
    pub(super) fn learn(&mut self, text: &str, hit: &Hit) {
        if self.known.len() >= MAX_KNOWN || hit.known != Hit::NEW {
            return;
        }
        let spelled = text.get(hit.range()).unwrap_or_default();
        if self.learned == spelled {
            return;
        }
        spelled.clone_into(&mut self.learned);
        let value = self.value(text, hit);
        let plain = plain(&value);
        if plain.chars().count() >= MIN_KNOWN && !self.known.contains_key(&plain) {
            let value = Arc::from(&*value);
            self.known.insert(plain, (hit.detector, value));
            self.is_current = false;
        }
    }

    pub(super) fn learned(&mut self) {
        if std::mem::replace(&mut self.is_current, true) {
            return;
        }
        self.finder = Known::new(&self.known);
    }

    /// Whether there is time left.
    pub(super) fn late(&self) -> Late<'r> {
        self.late
    }

    /// An error where time is up.
    pub(super) fn in_time(&self) -> Result<(), ActionError> {
        if self.late.is_late() { Err(ActionError::Late) } else { Ok(()) }
    }

    /// The finds in a text, in order and apart.
    pub(super) fn hits(&self, text: &str) -> Result<Vec<Hit>, ActionError> {
        let masked = |range: Range<usize>| {
            let text = text.get(range).unwrap_or_default();
            // Both masks end in it.
            text.contains('@') && self.masks.iter().any(|mask| text.contains(mask.as_str()))
        };
        let found = self.detectors.find_at_most(MAX_FINDS, text, self.late).map_err(|beyond| match beyond {
            Beyond::Finds => too_many(),
            Beyond::Time => ActionError::Late,
        })?;
        let found = found.into_iter().filter(|found| !masked(found.range()));
        let hits = found.filter_map(|found| Hit::new(&found.range(), found.detector, Hit::NEW));
        self.complete(text, hits.collect())
    }

    /// The same, where `hits` were found in that text before values were learned or detectors left out.
    pub(super) fn complete(&self, text: &str, mut hits: Vec<Hit>) -> Result<Vec<Hit>, ActionError> {
        hits.retain(|hit| hit.known == Hit::NEW && self.counts(hit.detector));
        let Some(finder) = &self.finder else { return Ok(hits) };
        self.in_time()?;
        let count = hits.len();
        let mut next = 0;
        let mut new = Vec::new();
        finder.find(text, &mut |range, detector, index| {
            let Some(hit) = u16::try_from(index).ok().and_then(|index| Hit::new(&range, detector, index)) else {
                return true;
            };
            // Both are in order and apart.
            while hits.get(next).is_some_and(|other| other.end <= hit.start) {
                next += 1;
            }
            if hits.get(next).is_none_or(|other| other.start >= hit.end) {
                new.push(hit);
            }
            count + new.len() <= MAX_FINDS
        });
        if count + new.len() > MAX_FINDS {
            return Err(too_many());
        }
        if !new.is_empty() {
            hits.append(&mut new);
            hits.sort_by_key(|hit| hit.start);
        }
        Ok(hits)
    }
}

/// More finds than [`MAX_FINDS`].
pub(super) fn too_many() -> ActionError {
    ActionError::TooMany("finds to mask", MAX_FINDS)
}

/// How finds are masked, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Painter<'r> {
    pub style: Style,
    /// What stands for a digit or a letter.
    pub character: char,
    pub key: Option<&'r ValueKey>,
}

impl Painter<'_> {
    /// The edits of the source that put masks in place of finds in a view; `unicode`: the text takes any character.
    pub(super) fn paint(
        &self,
        search: &Search<'_>,
        view: &View,
        hits: &[Hit],
        source: &str,
        unicode: bool,
        edits: &mut TextEdits,
    ) -> Result<(), ActionError> {
        let character = if unicode || view.writing.takes_references() { self.character } else { '*' };
        let character =
            if character.is_ascii() || view.writing != super::views::Writing::Raw { character } else { '*' };
        edits.reserve(hits.len());
        for hit in hits {
            let value = if self.style == Style::Pseudonym { search.value(view.text.text(), hit) } else { "".into() };
            let grown;
            let hit = if view.writing.is_whole() {
                grown = whole_number(view.text.text(), hit);
                &grown
            } else {
                hit
            };
            let text = view.text.text().get(hit.range()).unwrap_or_default();
            let label = search.detectors.label(hit.detector);
            let of = Subject { label, text, value: &value };
            let from = edits.len();
            match self.style.mask(of, character, self.key) {
                Mask::Each(mask) if view.writing.is_whole() => whole(view, hit, &mask, edits),
                Mask::Each(mask) => each(view, hit, text, &mask, edits),
                Mask::Whole(mask) => whole(view, hit, &mask, edits),
            }
            if edits.behind(from).all(|(range, text)| source.get(range) == Some(text)) {
                // The mask is what stands there, and it is found: another style, or it would be found for ever.
                edits.truncate(from);
                whole(view, hit, &format!("[{label}]"), edits);
            }
            if edits.text_len() > MAX_MASKS {
                return Err(ActionError::TooMany("octets of masks in one text", MAX_MASKS));
            }
        }
        Ok(())
    }
}

/// A find in a JSON number, with what else belongs to the number: sign, fraction, exponent.
fn whole_number(text: &str, hit: &Hit) -> Hit {
    let belongs = |b: &u8| b.is_ascii_digit() || b"+-.eE".contains(b);
    let range = hit.range();
    let before = text.as_bytes().get(..range.start).unwrap_or_default();
    let after = text.as_bytes().get(range.end..).unwrap_or_default();
    let start = range.start - before.iter().rev().take_while(|b| belongs(b)).count();
    let end = range.end + after.iter().take_while(|b| belongs(b)).count();
    Hit::new(&(start..end), hit.detector, hit.known).unwrap_or(*hit)
}

/// A mask in the first piece of a find that markup splits; the others go.
fn whole(view: &View, hit: &Hit, mask: &str, edits: &mut TextEdits) {
    if view.writing.takes_line_ends() {
        let mut pieces = view.text.pieces(hit.range());
        if let Some(first) = pieces.next() {
            let end = pieces.last().map_or(first.source.end, |last| last.source.end);
            edits.push(first.source.start..end, &view.writing.write(mask));
        }
        return;
    }
    let text = view.writing.write(mask);
    let mut text = text.as_str();
    for piece in view.text.pieces(hit.range()) {
        edits.push(piece.source, std::mem::take(&mut text));
    }
}

/// A mask laid over a find, each character in its place.
fn each(view: &View, hit: &Hit, text: &str, mask: &str, edits: &mut TextEdits) {
    let mut masks = text.chars().zip(mask.chars());
    let joins = edits.len() > MANY;
    let mut at = hit.range().start;
    for piece in view.text.pieces(hit.range()) {
        // Separators that stand for markup are in no piece.
        while at < piece.text.start {
            let Some((old, _)) = masks.next() else { return };
            at += old.len_utf8();
        }
        let mut source = piece.source.start;
        // Characters beside each other have their masks in one, and so has what is not divided.
        let mut run: Vec<(Range<usize>, String)> = Vec::new();
        let mut unit = String::new();
        while at < piece.text.end {
            let Some((old, new)) = masks.next() else { break };
            at += old.len_utf8();
            if !piece.verbatim {
                unit.push(new);
                continue;
            }
            let range = source..source + old.len_utf8();
            source = range.end;
            if old == new {
                continue;
            }
            let kept = |last: &Range<usize>| {
                let start = at - old.len_utf8();
                view.text.text().get(start - (range.start - last.end)..start).unwrap_or_default()
            };
            match run.last_mut() {
                Some((last, mask)) if last.end == range.start => {
                    last.end = range.end;
                    mask.push(new);
                }
                Some((last, mask)) if joins && view.writing.write(kept(last)) == kept(last) => {
                    mask.push_str(kept(last));
                    mask.push(new);
                    last.end = range.end;
                }
                _ => run.push((range, String::from(new))),
            }
        }
        run.drain(..).for_each(|(range, mask)| edits.push(range, &view.writing.write(&mask)));
        let shown = view.text.text().get(piece.text.clone()).unwrap_or_default();
        if !piece.verbatim && unit != shown {
            edits.push(piece.source, &view.writing.write(&unit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::views::{TextKind, views};
    use super::*;

    fn masked(style: Style, kind: TextKind, source: &str) -> String {
        let detectors = DetectorSet::built_in(&["card"]).unwrap();
        let search = Search::new(&detectors, '*', Late::NEVER);
        let painter = Painter { style, character: '•', key: None };
        let mut edits = TextEdits::default();
        views(kind, source, false, &mut |view| {
            let hits = search.hits(view.text.text()).unwrap();
            painter.paint(&search, &view, &hits, source, false, &mut edits).unwrap();
        });
        edits.part();
        edits.applied(source).unwrap_or_else(|| source.to_owned())
    }

    #[test]
    fn markup_inside_of_a_find_stays() {
        let keep = Style::Keep { first: 0, last: 4 };
        let html = "<p>4111 <b>1111</b> 1111&nbsp;&#49;111<br></p>";
        assert_eq!(masked(Style::Label, TextKind::Html, html), "<p>[CARD]<b></b><br></p>");
        assert_eq!(masked(keep, TextKind::Html, html), "<p>•••• <b>••••</b> ••••&nbsp;&#49;111<br></p>");
        assert_eq!(
            masked(Style::Label, TextKind::Html, "<a href='tel:4111%201111%201111%201111'>x</a>"),
            "<a href='tel:%5BCARD%5D'>x</a>"
        );
        assert_eq!(masked(keep, TextKind::Html, "<!-- 4111111111111111 -->"), "<!-- ************1111 -->");
    }

    #[test]
    fn numbers_in_json_become_strings() {
        let json = r#"{"card": 4111111111111111, "c": "4111 1111 1111 1111"}"#;
        assert_eq!(masked(Style::Label, TextKind::Json, json), r#"{"card": "[CARD]", "c": "[CARD]"}"#);
        let keep = Style::Keep { first: 0, last: 4 };
        assert_eq!(masked(keep, TextKind::Json, json), r#"{"card": "************1111", "c": "**** **** **** 1111"}"#);
    }

    #[test]
    fn folded_lines_stay_folded() {
        let ics = "SUMMARY:pay 4111 1111\r\n  1111 1111 now\r\nX:y";
        assert_eq!(masked(Style::Label, TextKind::Directory, ics), "SUMMARY:pay [CARD] now\r\nX:y");
    }

    #[test]
    fn what_was_found_once_is_known_elsewhere() {
        let detectors = DetectorSet::built_in(&["ssn"]).unwrap();
        let mut search = Search::new(&detectors, '*', Late::NEVER);
        let hits = search.hits("SSN: 536-22-6789").unwrap();
        assert_eq!(hits.len(), 1);
        search.learn("SSN: 536-22-6789", &hits[0]);
        search.learned();
        let found =
            |text: &str| search.hits(text).unwrap().iter().map(|hit| text[hit.range()].to_owned()).collect::<Vec<_>>();
        assert_eq!(found("a 536226789, b"), ["536226789"]);
        assert_eq!(found("a 536 22 67 89"), ["536 22 67 89"]);
        assert_eq!(found("a 5362267890"), Vec::<String>::new());
        assert_eq!(found("536 ............................................. 226789"), Vec::<String>::new());
    }
}
