//! What is found in a text, and what stands in its place.
//!
//! Invariant: a value that was found once in a message is found wherever it stands in it, also where its detector alone
//! would not be sure. Linear in the text.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::mask::{Mask, PARTIAL, Style, Subject};
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
    /// As its detector reads it: content, for no log.
    pub value: String,
}

/// Looks for what a rule names in one message.
#[derive(Debug)]
pub(super) struct Search<'r> {
    pub detectors: &'r DetectorSet,
    /// Which detectors found enough; all while nothing was counted.
    enough: Option<BTreeSet<DetectorId>>,
    /// Letters and digits of values that were found.
    known: BTreeMap<String, DetectorId>,
    finder: Option<(AhoCorasick, Vec<(DetectorId, usize)>)>,
    /// What a find holds that is a mask of ours already.
    masks: [String; 2],
}

impl<'r> Search<'r> {
    /// `character` is what the rule masks with.
    pub(super) fn new(detectors: &'r DetectorSet, character: char) -> Self {
        let masks = [character, '*'].map(|c| format!("{}@", String::from(c).repeat(PARTIAL)));
        Self { detectors, enough: None, known: BTreeMap::new(), finder: None, masks }
    }

    /// Only these detectors count from now on.
    pub(super) fn only(&mut self, enough: BTreeSet<DetectorId>) {
        self.known.retain(|_, detector| enough.contains(detector));
        self.enough = Some(enough);
        self.learned();
    }

    /// Did this detector find enough?
    pub(super) fn counts(&self, id: DetectorId) -> bool {
        self.enough.as_ref().is_none_or(|enough| enough.contains(&id))
    }

    /// Look for this value everywhere; [`Self::learned`] makes it so.
    pub(super) fn learn(&mut self, hit: &Hit) {
        let value = plain(&hit.value);
        if value.chars().count() >= MIN_KNOWN && self.known.len() < MAX_KNOWN {
            self.known.entry(value).or_insert(hit.detector);
        }
    }

    pub(super) fn learned(&mut self) {
        let values: Vec<&String> = self.known.keys().collect();
        let ids = self.known.iter().map(|(value, id)| (*id, value.chars().count())).collect();
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(values);
        self.finder = finder.ok().filter(|_| !self.known.is_empty()).map(|finder| (finder, ids));
    }

    /// The finds in a text, in order and apart.
    pub(super) fn hits(&self, text: &str) -> Vec<Hit> {
        let masked = |range: &Range<usize>| {
            let text = text.get(range.clone()).unwrap_or_default();
            self.masks.iter().any(|mask| text.contains(mask.as_str()))
        };
        let found = self.detectors.find(text).into_iter();
        let found = found.filter(|found| self.counts(found.detector) && !masked(&found.range));
        let mut hits: Vec<Hit> = found
            .map(|found| {
                let value = self.detectors.value(text, &found);
                Hit { range: found.range, detector: found.detector, value }
            })
            .collect();
        if let Some((finder, ids)) = &self.finder {
            let known = known(text, finder, ids);
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
}

/// Letters and digits alone, digits as ASCII, letters in upper case.
fn plain(text: &str) -> String {
    text.chars().filter_map(folded).collect()
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
fn known(text: &str, finder: &AhoCorasick, ids: &[(DetectorId, usize)]) -> Vec<Hit> {
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
            && let Some((detector, characters)) = ids.get(next.pattern().as_usize())
        {
            let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let before = text.get(..start).and_then(|t| t.chars().next_back());
            let after = text.get(end..).and_then(|t| t.chars().next());
            let span = text.get(start..end).map_or(0, |t| t.chars().count());
            if !touches(before) && !touches(after) && span <= characters * 3 {
                let value = plain.get(next.range()).unwrap_or_default().to_owned();
                hits.push(Hit { range: start..end, detector: *detector, value });
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
        detectors: &DetectorSet,
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
            let grown;
            let hit = if view.writing.is_whole() {
                grown = whole_number(view.text.text(), hit);
                &grown
            } else {
                hit
            };
            let text = view.text.text().get(hit.range.clone()).unwrap_or_default();
            let label = detectors.label(hit.detector);
            let of = Subject { label, text, value: &hit.value };
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
    if view.writing == super::views::Writing::Directory {
        // Folding inside of what goes away goes with it: a line that holds nothing would be left.
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
        // What is not divided has its mask in one.
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
            let new = view.writing.write(new.encode_utf8(&mut [0; 4]));
            match edits.last_mut() {
                Some(last) if last.range.end == range.start => {
                    last.range.end = range.end;
                    last.text.push_str(&new);
                }
                _ => edits.push(TextEdit { range, text: new }),
            }
        }
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
            painter.paint(&detectors, &view, &search.hits(view.text.text()), source, false, &mut edits);
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
        search.learn(&hits[0]);
        search.learned();
        let found =
            |text: &str| search.hits(text).into_iter().map(|hit| text[hit.range].to_owned()).collect::<Vec<_>>();
        assert_eq!(found("a 536226789, b"), ["536226789"]);
        assert_eq!(found("a 536 22 67 89"), ["536 22 67 89"]);
        assert_eq!(found("a 5362267890"), Vec::<String>::new());
        assert_eq!(found("536 ............................................. 226789"), Vec::<String>::new());
    }
}
