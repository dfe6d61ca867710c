//! What is found in a text, and what stands in its place.
//!
//! Invariant: a value that was found once in a message is found wherever it stands in it, also where its detector alone
//! would not be sure. Linear in the text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};

use super::mask::{Mask, PARTIAL, Style, Subject};
use super::memo::Seen;
use super::views::View;
use crate::message::TextEdit;
use crate::rule::detect::{DetectorId, DetectorSet};
use crate::rule::value_key::ValueKey;

/// Values shorter than this, in letters and digits, are looked for by their detector alone.
const MIN_KNOWN: usize = 6;
/// So many values of one message are remembered.
const MAX_KNOWN: usize = 20_000;

/// A find in a view.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    /// Byte range of the view's text.
    pub range: Range<usize>,
    pub detector: DetectorId,
    /// The value that was found elsewhere in the message and is found here again, as its detector read it there: content,
    /// for no log.
    known: Option<Arc<str>>,
}

/// A value that is looked for everywhere.
#[derive(Debug)]
struct Known {
    detector: DetectorId,
    value: Arc<str>,
    /// Its letters and digits.
    characters: usize,
}

/// Looks for what a rule names in one message.
#[derive(Debug)]
pub(super) struct Search<'r> {
    pub detectors: &'r DetectorSet,
    /// Which detectors found enough; all while nothing was counted.
    enough: Option<BTreeSet<DetectorId>>,
    /// Values that were found, by their letters and digits.
    known: BTreeMap<String, (DetectorId, Arc<str>)>,
    finder: Option<(AhoCorasick, Vec<Known>)>,
    /// `finder` looks for all that is known.
    is_current: bool,
    /// The find that was learned last, as it was spelled: the next one is often the same.
    learned: String,
    /// What a find holds that is a mask of ours already.
    masks: [String; 2],
}

impl<'r> Search<'r> {
    /// `character` is what the rule masks with.
    pub(super) fn new(detectors: &'r DetectorSet, character: char) -> Self {
        let masks = [character, '*'].map(|c| format!("{}@", String::from(c).repeat(PARTIAL)));
        Self {
            detectors,
            enough: None,
            known: BTreeMap::new(),
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
    pub(super) fn value<'h>(&self, text: &str, hit: &'h Hit) -> Cow<'h, str> {
        match &hit.known {
            Some(value) => Cow::Borrowed(value),
            None => Cow::Owned(self.detectors.value(text, hit.range.clone(), hit.detector)),
        }
    }

    /// Look for this value everywhere; [`Self::learned`] makes it so.
    pub(super) fn learn(&mut self, text: &str, hit: &Hit) {
        if self.known.len() >= MAX_KNOWN || hit.known.is_some() {
            return;
        }
        let spelled = text.get(hit.range.clone()).unwrap_or_default();
        if self.learned == spelled {
            return;
        }
        spelled.clone_into(&mut self.learned);
        let value = self.value(text, hit);
        let plain = plain(&value);
        if plain.chars().count() >= MIN_KNOWN && !self.known.contains_key(&plain) {
            self.known.insert(plain, (hit.detector, value.into()));
            self.is_current = false;
        }
    }

    pub(super) fn learned(&mut self) {
        if std::mem::replace(&mut self.is_current, true) {
            return;
        }
        let of = |(plain, (detector, value)): (&String, &(DetectorId, Arc<str>))| Known {
            detector: *detector,
            value: Arc::clone(value),
            characters: plain.chars().count(),
        };
        let known = self.known.iter().map(of).collect();
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(self.known.keys());
        self.finder = finder.ok().filter(|_| !self.known.is_empty()).map(|finder| (finder, known));
    }

    /// The finds in a text, in order and apart.
    pub(super) fn hits(&self, text: &str) -> Vec<Hit> {
        let masked = |range: &Range<usize>| {
            let text = text.get(range.clone()).unwrap_or_default();
            // Both masks end in it.
            text.contains('@') && self.masks.iter().any(|mask| text.contains(mask.as_str()))
        };
        let found = self.detectors.find(text).into_iter().filter(|found| !masked(&found.range));
        let hits = found.map(|found| Hit { range: found.range, detector: found.detector, known: None });
        self.complete(text, hits.collect())
    }

    /// The same, where `hits` were found in that text before values were learned or detectors left out.
    pub(super) fn complete(&self, text: &str, mut hits: Vec<Hit>) -> Vec<Hit> {
        hits.retain(|hit| hit.known.is_none() && self.counts(hit.detector));
        if let Some((finder, values)) = &self.finder {
            let known = known(text, finder, values);
            if !known.is_empty() {
                let apart = |hit: &Hit, hits: &[Hit]| {
                    let behind = hits.partition_point(|other| other.range.end <= hit.range.start);
                    hits.get(behind).is_none_or(|other| other.range.start >= hit.range.end)
                };
                let new: Vec<Hit> = known.into_iter().filter(|hit| apart(hit, &hits)).collect();
                hits.extend(new);
                hits.sort_by_key(|hit| hit.range.start);
            }
        }
        hits
    }

    /// Views with what is found in them.
    pub(super) fn see(&self, views: Vec<View>) -> Vec<Seen> {
        let see = |view: View| {
            let hits = self.hits(view.text.text());
            (view, hits)
        };
        views.into_iter().map(see).collect()
    }
}

/// Letters and digits alone, digits as ASCII, letters in upper case.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    plain.extend(text.chars().filter_map(folded));
    plain
}

fn folded(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric().then(|| c.to_ascii_uppercase());
    }
    let digit = match c {
        '\u{FF10}'..='\u{FF19}' => u32::from(c) - 0xFF10,
        '\u{0660}'..='\u{0669}' => u32::from(c) - 0x0660,
        '\u{06F0}'..='\u{06F9}' => u32::from(c) - 0x06F0,
        '\u{0966}'..='\u{096F}' => u32::from(c) - 0x0966,
        '\u{1D7CE}'..='\u{1D7FF}' => (u32::from(c) - 0x1D7CE) % 10,
        _ => return c.is_alphanumeric().then(|| c.to_uppercase().next().unwrap_or(c)),
    };
    char::from_digit(digit, 10)
}

/// Where known values stand, whatever is between their characters, as long as it is little.
fn known(text: &str, finder: &AhoCorasick, values: &[Known]) -> Vec<Hit> {
    let plain = plain(text);
    let matches: Vec<_> = finder.find_iter(&plain).collect();
    if matches.is_empty() {
        return Vec::new();
    }
    let mut hits = Vec::with_capacity(matches.len());
    let mut matches = matches.into_iter().peekable();
    let (mut at, mut start) = (0, 0);
    for (place, c) in text.char_indices() {
        let Some(folded) = folded(c) else { continue };
        let Some(next) = matches.peek() else { break };
        if at == next.start() {
            start = place;
        }
        at += folded.len_utf8();
        let end = place + c.len_utf8();
        if at < next.end() {
            continue;
        }
        if let Some(next) = matches.next()
            && let Some(known) = values.get(next.pattern().as_usize())
        {
            let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let before = text.get(..start).and_then(|t| t.chars().next_back());
            let after = text.get(end..).and_then(|t| t.chars().next());
            let span = text.get(start..end).map_or(0, |t| t.chars().count());
            if !touches(before) && !touches(after) && span <= known.characters * 3 {
                let value = Some(Arc::clone(&known.value));
                hits.push(Hit { range: start..end, detector: known.detector, known: value });
            }
        }
    }
    hits
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
        edits: &mut Vec<TextEdit>,
    ) {
        let character = if unicode || view.writing.takes_references() { self.character } else { '*' };
        let character =
            if character.is_ascii() || view.writing != super::views::Writing::Raw { character } else { '*' };
        for hit in hits {
            let value = if self.style == Style::Pseudonym { search.value(view.text.text(), hit) } else { "".into() };
            let grown;
            let hit = if view.writing.is_whole() {
                grown = whole_number(view.text.text(), hit);
                &grown
            } else {
                hit
            };
            let text = view.text.text().get(hit.range.clone()).unwrap_or_default();
            let label = search.detectors.label(hit.detector);
            let of = Subject { label, text, value: &value };
            let from = edits.len();
            match self.style.mask(of, character, self.key) {
                Mask::Each(mask) if view.writing.is_whole() => whole(view, hit, &mask, edits),
                Mask::Each(mask) => each(view, hit, text, &mask, edits),
                Mask::Whole(mask) => whole(view, hit, &mask, edits),
            }
            let same = |edit: &TextEdit| source.get(edit.range.clone()) == Some(edit.text.as_str());
            if edits.iter().skip(from).all(same) {
                // The mask is what stands there, and it is found: another style, or it would be found for ever.
                edits.truncate(from);
                whole(view, hit, &format!("[{label}]"), edits);
            }
        }
    }
}

/// A find in a JSON number, with what else belongs to the number: sign, fraction, exponent.
fn whole_number(text: &str, hit: &Hit) -> Hit {
    let belongs = |b: &u8| b.is_ascii_digit() || b"+-.eE".contains(b);
    let before = text.as_bytes().get(..hit.range.start).unwrap_or_default();
    let after = text.as_bytes().get(hit.range.end..).unwrap_or_default();
    let start = hit.range.start - before.iter().rev().take_while(|b| belongs(b)).count();
    let end = hit.range.end + after.iter().take_while(|b| belongs(b)).count();
    Hit { range: start..end, ..hit.clone() }
}

/// A mask in the first piece of a find that markup splits; the others go.
fn whole(view: &View, hit: &Hit, mask: &str, edits: &mut Vec<TextEdit>) {
    if view.writing.takes_line_ends() {
        let mut pieces = view.text.pieces(hit.range.clone());
        if let Some(first) = pieces.next() {
            let end = pieces.last().map_or(first.source.end, |last| last.source.end);
            edits.push(TextEdit { range: first.source.start..end, text: view.writing.write(mask) });
        }
        return;
    }
    let mut text = Some(view.writing.write(mask));
    for piece in view.text.pieces(hit.range.clone()) {
        edits.push(TextEdit { range: piece.source, text: text.take().unwrap_or_default() });
    }
}

/// A mask laid over a find, each character in its place.
fn each(view: &View, hit: &Hit, text: &str, mask: &str, edits: &mut Vec<TextEdit>) {
    let mut masks = text.chars().zip(mask.chars());
    let mut at = hit.range.start;
    for piece in view.text.pieces(hit.range.clone()) {
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
            match run.last_mut() {
                Some((last, mask)) if last.end == range.start => {
                    last.end = range.end;
                    mask.push(new);
                }
                _ => run.push((range, String::from(new))),
            }
        }
        edits.extend(run.drain(..).map(|(range, mask)| TextEdit { range, text: view.writing.write(&mask) }));
        let shown = view.text.text().get(piece.text.clone()).unwrap_or_default();
        if !piece.verbatim && unit != shown {
            edits.push(TextEdit { range: piece.source, text: view.writing.write(&unit) });
        }
    }
}

/// In order; of what overlaps (a comment that is looked at as text and as HTML) the first stays, the other is looked at
/// again in the next round.
pub(super) fn apart(mut edits: Vec<TextEdit>) -> Vec<TextEdit> {
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut end = 0;
    edits.retain(|edit| {
        let apart = edit.range.start >= end && !(edit.range.is_empty() && edit.text.is_empty());
        if apart {
            end = edit.range.end;
        }
        apart
    });
    edits
}

#[cfg(test)]
mod tests {
    use super::super::views::{TextKind, views};
    use super::*;

    fn masked(style: Style, kind: TextKind, source: &str) -> String {
        let detectors = DetectorSet::built_in(&["card"]).unwrap();
        let search = Search::new(&detectors, '*');
        let painter = Painter { style, character: '•', key: None };
        let mut edits = Vec::new();
        for view in views(kind, source, false) {
            painter.paint(&search, &view, &search.hits(view.text.text()), source, false, &mut edits);
        }
        let mut out = source.to_owned();
        for edit in apart(edits).into_iter().rev() {
            out.replace_range(edit.range, &edit.text);
        }
        out
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
        let mut search = Search::new(&detectors, '*');
        let hits = search.hits("SSN: 536-22-6789");
        assert_eq!(hits.len(), 1);
        search.learn("SSN: 536-22-6789", &hits[0]);
        search.learned();
        let found =
            |text: &str| search.hits(text).into_iter().map(|hit| text[hit.range].to_owned()).collect::<Vec<_>>();
        assert_eq!(found("a 536226789, b"), ["536226789"]);
        assert_eq!(found("a 536 22 67 89"), ["536 22 67 89"]);
        assert_eq!(found("a 5362267890"), Vec::<String>::new());
        assert_eq!(found("536 ............................................. 226789"), Vec::<String>::new());
    }
}
