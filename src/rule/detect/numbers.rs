//! Numbers of many sorts in one pass: at each group of digits only those forms are tried that its length, the length of
//! the group behind it and the letters before it leave open.
//!
//! Invariant: at each group a bounded number of forms is tried, and each looks at a bounded number of bytes.

use std::ops::Range;

use super::Confidence;
use super::context::{self, Mask, Nearby};
use super::digits::{self, Class, Group};
use super::shape::{Lead, MAX_VALUE, Match, Shape, Value};

/// Lengths of groups that the tables tell apart; longer ones are all the same.
const LENGTHS: usize = 24;
/// Letters before the first digit that the tables tell apart.
const LETTERS: usize = 8;

/// What a validator says of the value without its separators: digits and upper-case letters.
pub type Valid = fn(&[u8]) -> bool;

/// A number as a function reads it.
#[derive(Debug, Clone)]
pub struct Read {
    /// Where it stands.
    pub range: Range<usize>,
    /// How sure it is by itself.
    pub alone: Option<Confidence>,
    /// How sure it is with a keyword near.
    pub near: Confidence,
    /// Is it none where digits mean something else: in URLs, ids, hex?
    pub elsewhere: bool,
}

/// Reads a number at its first digits; it looks at what touches the number by itself.
pub type AtDigits = fn(&[u8], Group) -> Option<Read>;

/// Reads a word of digits and letters: how sure it is by itself and with a keyword near.
pub type ReadWord = fn(&[u8]) -> Option<(Option<Confidence>, Confidence)>;

/// Characters of the words that are handed to [`ReadWord`].
const WORD: std::ops::RangeInclusive<usize> = 25..=120;

/// One form of one detector.
#[derive(Debug, Clone, Copy)]
struct Entry {
    shape: Shape,
    /// [`Lead::earlier`] of the shape, which each word of a text asks for.
    earlier: usize,
    detector: usize,
    valid: Valid,
}

/// All forms of a set, by what they begin with.
#[derive(Debug)]
pub struct Numbers {
    entries: Vec<Entry>,
    /// By the length of the first group of digits and of the one behind it (0: whatever is behind it).
    digits_first: Vec<Vec<u16>>,
    /// By the number of letters right before the first digit.
    letters_first: Vec<Vec<u16>>,
    /// The same, where a separator parts letters and digits.
    letters_apart: Vec<Vec<u16>>,
    /// Those of digits alone, by their number, for digits that are grouped in any way.
    ungrouped: Option<Vec<Vec<u16>>>,
    at_digits: Vec<(AtDigits, usize)>,
    words: Vec<(ReadWord, usize)>,
}

/// A find: its range, the detector, how sure.
pub type Hit = (Range<usize>, usize, Confidence);

fn push(table: &mut [Vec<u16>], at: usize, entry: u16) {
    if let Some(list) = table.get_mut(at) {
        list.push(entry);
    }
}

impl Numbers {
    /// Tables for these forms; `any_groups` finds those of digits alone however they are grouped.
    pub fn new(forms: impl Iterator<Item = (Shape, usize, Valid)>, any_groups: bool) -> Self {
        let mut numbers = Self {
            entries: Vec::new(),
            digits_first: vec![Vec::new(); LENGTHS * LENGTHS],
            letters_first: vec![Vec::new(); LETTERS],
            letters_apart: vec![Vec::new(); LETTERS],
            ungrouped: any_groups.then(|| vec![Vec::new(); LENGTHS]),
            at_digits: Vec::new(),
            words: Vec::new(),
        };
        for (shape, detector, valid) in forms {
            let Ok(entry) = u16::try_from(numbers.entries.len()) else { break };
            numbers.entries.push(Entry { shape, earlier: shape.lead().earlier, detector, valid });
            numbers.index(shape, entry);
        }
        numbers
    }

    /// Look for what this function reads as well.
    pub fn at_digits(&mut self, read: AtDigits, detector: usize) {
        self.at_digits.push((read, detector));
    }

    /// Look for words that this function reads as well.
    pub fn word(&mut self, read: ReadWord, detector: usize) {
        self.words.push((read, detector));
    }

    /// True when there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.at_digits.is_empty() && self.words.is_empty()
    }

    fn index(&mut self, shape: Shape, entry: u16) {
        let Lead { earlier, letters, parted } = shape.lead();
        if letters > 0 {
            if parted {
                push(&mut self.letters_apart, letters, entry);
                return;
            }
            // Where either may stand, letters may, and a separator may follow them.
            let rest = shape.form.as_bytes().get(earlier + letters..).unwrap_or_default();
            let more = rest.iter().take_while(|&&c| c == b'X').count();
            for letters in letters..=letters + more {
                push(&mut self.letters_first, letters, entry);
            }
            if rest.get(more).is_some_and(|c| b" -.".contains(c)) {
                push(&mut self.letters_apart, letters + more, entry);
            }
            return;
        }
        let (first, varies, second) = shape.runs();
        let second_varies = second > 0 && shape.form.as_bytes().get(first + 1 + second) == Some(&b'X');
        let last = if varies { LENGTHS - 1 } else { first };
        for first in first..=last {
            if second == 0 {
                push(&mut self.digits_first, first * LENGTHS, entry);
            } else {
                let last = if second_varies { LENGTHS - 1 } else { second };
                for second in second..=last {
                    push(&mut self.digits_first, first * LENGTHS + second, entry);
                }
            }
        }
        if let Some(table) = &mut self.ungrouped
            && shape.form.bytes().all(|c| c == b'd')
        {
            push(table, shape.form.len(), entry);
        }
    }

    /// The surest number that begins at `group`, or at the letters before it; of several the longest. `before` is the
    /// group before it.
    pub fn at(
        &self,
        bytes: &[u8],
        group: Group,
        before: Option<Group>,
        least: Confidence,
        nearby: &mut Nearby<'_>,
    ) -> Option<Hit> {
        if self.is_empty() {
            return None;
        }
        let mut seek = Seek { bytes, before, least, nearby, best: None };
        let first = group.len().min(LENGTHS - 1);
        for &entry in self.digits_first.get(first * LENGTHS).into_iter().flatten() {
            seek.form(self.entries.get(usize::from(entry)), group.start);
        }
        if let Some((_, second)) = digits::follower(bytes, group, LENGTHS, false) {
            let second = second.len().min(LENGTHS - 1);
            for &entry in self.digits_first.get(first * LENGTHS + second).into_iter().flatten() {
                seek.form(self.entries.get(usize::from(entry)), group.start);
            }
        }
        self.behind_letters(&mut seek, group);
        if let Some(table) = &self.ungrouped {
            self.ungrouped_at(&mut seek, group, table);
        }
        for (read, detector) in &self.at_digits {
            if let Some(found) = read(bytes, group) {
                seek.read(found, *detector);
            }
        }
        if !self.words.is_empty() {
            self.word_at(&mut seek, group);
        }
        seek.best
    }

    /// The word of digits and letters whose first digits these are.
    fn word_at(&self, seek: &mut Seek<'_, '_, '_>, group: Group) {
        let letter = |at: usize| seek.bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
        let touched = letter(group.end) || group.start.checked_sub(1).is_some_and(letter);
        if !touched {
            return;
        }
        let longest = *WORD.end();
        let before = seek.bytes.get(group.start.saturating_sub(longest)..group.start).unwrap_or_default();
        let back = before.iter().rev().take_while(|b| b.is_ascii_alphanumeric()).count();
        if before.get(before.len() - back..).is_none_or(|word| word.iter().any(u8::is_ascii_digit)) {
            return;
        }
        let start = group.start - back;
        let rest = seek.bytes.get(start..seek.bytes.len().min(start + longest + 1)).unwrap_or_default();
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let Some(word) = rest.get(..length).filter(|_| WORD.contains(&length)) else { return };
        let sign = |at: Option<usize>| at.and_then(|at| seek.bytes.get(at)).is_some_and(|b| b"+_".contains(b));
        if sign(start.checked_sub(1)) || sign(Some(start + length)) {
            return;
        }
        for (read, detector) in &self.words {
            if let Some((alone, near)) = read(word) {
                seek.read(Read { range: start..start + length, alone, near, elsewhere: false }, *detector);
            }
        }
    }

    fn behind_letters(&self, seek: &mut Seek<'_, '_, '_>, group: Group) {
        let before = |at: usize| at.checked_sub(1).and_then(|at| seek.bytes.get(at).copied());
        let (table, end) = match before(group.start) {
            Some(b) if b.is_ascii_alphabetic() => (&self.letters_first, group.start),
            Some(b' ' | b'-' | b'.') => (&self.letters_apart, group.start - 1),
            _ => return,
        };
        let mut start = end;
        while end - start < LETTERS && before(start).is_some_and(|b| b.is_ascii_alphabetic()) {
            start -= 1;
        }
        if start == end || before(start).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80) {
            return;
        }
        for &entry in table.get(end - start).into_iter().flatten() {
            let entry = self.entries.get(usize::from(entry));
            if let Some(start) = start.checked_sub(entry.map_or(0, |entry| entry.earlier)) {
                seek.form(entry, start);
            }
        }
    }

    fn ungrouped_at(&self, seek: &mut Seek<'_, '_, '_>, group: Group, table: &[Vec<u16>]) {
        let start = group.start;
        let mut value = Value::EMPTY;
        let mut next = Some(group);
        while let Some(group) = next {
            for &digit in seek.bytes.get(group.start..group.end).unwrap_or_default().iter().take(MAX_VALUE) {
                if !value.push(digit) {
                    return;
                }
            }
            let found = Match { end: group.end, value, class: Some(Class::Space) };
            for &entry in table.get(value.as_bytes().len()).into_iter().flatten() {
                if let Some(entry) = self.entries.get(usize::from(entry)) {
                    seek.value(entry, &found, start);
                }
            }
            next = digits::follower(seek.bytes, group, LENGTHS, true).map(|(_, group)| group);
            if value.as_bytes().len() >= LENGTHS {
                return;
            }
        }
    }
}

/// What is sought at one group.
struct Seek<'b, 'n, 't> {
    bytes: &'b [u8],
    before: Option<Group>,
    least: Confidence,
    nearby: &'n mut Nearby<'t>,
    best: Option<Hit>,
}

/// What its neighbours say of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It stands for itself.
    Free,
    /// Something touches it: only a keyword makes it a number of this sort.
    Touched,
    /// It is a piece of something else.
    Piece,
}

impl Seek<'_, '_, '_> {
    fn form(&mut self, entry: Option<&Entry>, start: usize) {
        let Some(entry) = entry else { return };
        if let Some(found) = entry.shape.at(self.bytes, start) {
            self.value(entry, &found, start);
        }
    }

    fn value(&mut self, entry: &Entry, found: &Match, start: usize) {
        if !(entry.valid)(found.value.as_bytes()) {
            return;
        }
        let range = start..found.end;
        let standing = standing(self.bytes, &range, found.class, self.before);
        if standing == Standing::Piece {
            return;
        }
        let alone = entry.shape.alone.filter(|_| standing == Standing::Free);
        let confidence = if alone.is_some_and(|alone| alone >= entry.shape.near) {
            alone
        } else if self.vouched(&range, entry.shape.alone.is_some()).has(entry.detector) {
            let near = entry.shape.near;
            Some(if standing == Standing::Free { near } else { near.min(Confidence::Medium) })
        } else {
            alone
        };
        self.keep(range, entry.detector, confidence, true);
    }

    /// Whom words near it vouch for; where there is no check, they must be closer.
    fn vouched(&mut self, range: &Range<usize>, checked: bool) -> Mask {
        if checked { self.nearby.near(range) } else { self.nearby.close(range) }
    }

    /// What a function has read, which has looked at its neighbours.
    fn read(&mut self, found: Read, detector: usize) {
        let confidence = match found.alone {
            Some(alone) if alone >= found.near => Some(alone),
            alone if self.vouched(&found.range, alone.is_some()).has(detector) => Some(found.near),
            alone => alone,
        };
        self.keep(found.range, detector, confidence, found.elsewhere);
    }

    /// The dearest look comes last. What is an address or a key may stand in a URL.
    fn keep(&mut self, range: Range<usize>, detector: usize, confidence: Option<Confidence>, elsewhere: bool) {
        let Some(confidence) = confidence.filter(|confidence| *confidence >= self.least) else { return };
        let better = self
            .best
            .as_ref()
            .is_none_or(|(best, _, sure)| (confidence, range.end - range.start) > (*sure, best.end - best.start));
        if better && !(elsewhere && context::is_something_else(self.bytes, &range)) {
            self.best = Some((range, detector, confidence));
        }
    }
}

/// Looks at what stands right before and behind the number.
fn standing(bytes: &[u8], range: &Range<usize>, class: Option<Class>, before: Option<Group>) -> Standing {
    let at = |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let (last, next) = (at(range.start.checked_sub(1)), at(Some(range.end)));
    let ends_in_digit = at(range.end.checked_sub(1)).is_ascii_digit();
    if last.is_ascii_digit()
        || last == b'+'
        || next.is_ascii_digit()
        || (!ends_in_digit && next.is_ascii_alphanumeric())
    {
        return Standing::Piece;
    }
    // `12-345…` and `…678-90`: a part of a longer number, a date, a version.
    let (before_last, behind_next) = (at(range.start.checked_sub(2)), at(range.end.checked_add(1)));
    let joins = |sign: u8, beyond: u8| b"-./_\\@=&".contains(&sign) && beyond.is_ascii_alphanumeric();
    if (b"-.".contains(&last) && before_last.is_ascii_digit())
        || (b"-.".contains(&next) && behind_next.is_ascii_digit())
    {
        return Standing::Piece;
    }
    let mut touched = last.is_ascii_alphabetic()
        || next.is_ascii_alphabetic()
        || last == b'_'
        || next == b'_'
        || last == b'$'
        || joins(last, before_last)
        || (next != b'.' && joins(next, behind_next));
    // A number in groups among other groups of the same sort may be any piece of a longer one.
    if class == Some(Class::Space) {
        let matched = bytes.get(range.clone()).unwrap_or_default();
        // Another line is another number.
        let on_line = |from: usize, to: usize| !bytes.get(from..to).unwrap_or_default().contains(&b'\n');
        let led = before.is_some_and(|before| {
            let gap = digits::separator(bytes, before.end, false);
            gap.is_some_and(|(_, start)| start == range.start && on_line(before.end, start))
        });
        let gap = digits::separator(bytes, range.end, false);
        let followed = gap.is_some_and(|(_, start)| on_line(range.end, start));
        touched |= led || followed || matched.contains(&b'\n');
    }
    // Of hex digits alone: an id of a mail queue, of a commit, of a device.
    let matched = bytes.get(range.clone()).unwrap_or_default();
    let letters = matched.iter().filter(|b| b.is_ascii_alphabetic()).count();
    touched |= class.is_none() && letters > 3 && matched.iter().all(u8::is_ascii_hexdigit);
    if touched { Standing::Touched } else { Standing::Free }
}
