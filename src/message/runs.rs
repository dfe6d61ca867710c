//! Which pieces of a text are spelled by which pieces of a source: a list that may have as many entries as the source has
//! characters, in three or four octets each.
//!
//! Invariant: runs ascend in the text and lie apart. Where a text begins to be looked at, at most [`STRIDE`] runs before it
//! are read.

use std::ops::Range;

/// A piece of the text and what spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Byte range of the text.
    pub text: Range<usize>,
    /// Byte range of the source.
    pub source: Range<usize>,
    /// Byte for byte the same; else one unit, such as a character reference, which cannot be divided.
    pub verbatim: bool,
}

/// From so many runs to so many runs it is known where they stand.
const STRIDE: usize = 32;

/// The runs of a text, each by its distance from the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Runs {
    /// For each run: the octets of text before it that nothing spells, twice, and one more where it is verbatim; the octets
    /// of source before it, twice, or one more than twice those that it stands back; the length of its text; where it is not verbatim, the length of its source. As numbers in
    /// base 128, the lowest digit first.
    octets: Vec<u8>,
    /// One for each [`STRIDE`] runs in `octets`.
    marks: Vec<Mark>,
    /// How many are in `octets`.
    count: usize,
    /// Where the last of those ends.
    end: Mark,
    /// The last run, which may still grow.
    last: Option<Run>,
}

/// A place between two runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    text: usize,
    source: usize,
    /// Index of `octets`.
    at: usize,
}

impl Runs {
    /// One more, behind all others.
    pub(super) fn push(&mut self, run: Run) {
        if let Some(last) = self.last.replace(run) {
            self.write(&last);
        }
    }

    /// The same; what goes on where the last one ends, in the text and in the source, becomes one with it.
    pub(super) fn join(&mut self, run: Run) {
        match &mut self.last {
            Some(last)
                if run.verbatim
                    && last.verbatim
                    && last.source.end == run.source.start
                    && last.text.end == run.text.start =>
            {
                last.source.end = run.source.end;
                last.text.end = run.text.end;
            }
            _ => self.push(run),
        }
    }

    fn write(&mut self, run: &Run) {
        if self.count.is_multiple_of(STRIDE) {
            self.marks.push(self.end);
        }
        let before = run.text.start.saturating_sub(self.end.text);
        self.number(before << 1 | usize::from(run.verbatim));
        // Ahead, as good as always: the pieces of a file name may stand in any order.
        let ahead = run.source.start.checked_sub(self.end.source);
        self.number(ahead.map_or_else(|| (self.end.source - run.source.start) << 1 | 1, |ahead| ahead << 1));
        self.number(run.text.len());
        if !run.verbatim {
            self.number(run.source.len());
        }
        self.count += 1;
        self.end = Mark { text: run.text.end, source: run.source.end, at: self.octets.len() };
    }

    fn number(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.octets.push(low(number) | 0x80);
            number >>= 7;
        }
        self.octets.push(low(number));
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Run> + '_ {
        self.read(Mark { source: self.marks.first().map_or(0, |mark| mark.source), ..Mark::default() })
    }

    /// Those that end behind `text`.
    pub(super) fn from(&self, text: usize) -> impl Iterator<Item = Run> + '_ {
        let behind = self.marks.partition_point(|mark| mark.text <= text);
        let mark = behind.checked_sub(1).and_then(|at| self.marks.get(at)).copied();
        let first = mark.or_else(|| self.marks.first().copied()).unwrap_or_default();
        self.read(first).skip_while(move |run| run.text.end <= text)
    }

    fn read(&self, mark: Mark) -> impl Iterator<Item = Run> + '_ {
        let mut at = mark;
        let mut last = self.last.as_ref();
        std::iter::from_fn(move || {
            if at.at >= self.octets.len() {
                return last.take().cloned();
            }
            let mut number = || {
                let (mut number, mut shift) = (0, 0);
                loop {
                    let octet = self.octets.get(at.at).copied().unwrap_or_default();
                    at.at += 1;
                    number |= usize::from(octet & 0x7F) << shift;
                    if octet < 0x80 || shift > 56 {
                        return number;
                    }
                    shift += 7;
                }
            };
            let (before, skipped, length) = (number(), number(), number());
            let verbatim = before & 1 == 1;
            let of_source = if verbatim { length } else { number() };
            let text = at.text + (before >> 1);
            let moved = skipped >> 1;
            let source = if skipped & 1 == 0 { at.source + moved } else { at.source.saturating_sub(moved) };
            (at.text, at.source) = (text + length, source + of_source);
            Some(Run { text: text..at.text, source: source..at.source, verbatim })
        })
    }

    /// All of the source stands `offset` bytes further on.
    pub(super) fn shift(&mut self, offset: usize) {
        for mark in &mut self.marks {
            mark.source += offset;
        }
        self.end.source += offset;
        if let Some(last) = &mut self.last {
            last.source = last.source.start + offset..last.source.end + offset;
        }
    }
}

/// The seven lowest bits.
fn low(number: usize) -> u8 {
    u8::try_from(number & 0x7F).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many() -> Vec<Run> {
        let (mut text, mut source) = (0, 0);
        let run = |n: usize| {
            text += n % 3;
            source += n * n % 300;
            let (start, from) = (text, source);
            text += 1 + n % 7 * 40;
            let verbatim = n.is_multiple_of(2);
            source += if verbatim { text - start } else { 1 + n % 200 };
            Run { text: start..text, source: from..source, verbatim }
        };
        (0..STRIDE * 5 + 3).map(run).collect()
    }

    #[test]
    fn what_is_put_in_comes_out_from_wherever_it_is_read() {
        let all = many();
        for count in [0, 1, 2, STRIDE, STRIDE + 1, all.len()] {
            let some = &all[..count];
            let mut runs = Runs::default();
            for run in some {
                runs.push(run.clone());
            }
            assert_eq!(runs.iter().collect::<Vec<_>>(), some);
            for text in 0..some.last().map_or(3, |run| run.text.end + 3) {
                let expected: Vec<Run> = some.iter().filter(|run| run.text.end > text).cloned().collect();
                assert_eq!(runs.from(text).collect::<Vec<_>>(), expected, "from {text} of {count}");
            }
            runs.shift(1_000);
            let shifted = |run: &Run| Run { source: run.source.start + 1_000..run.source.end + 1_000, ..run.clone() };
            let expected: Vec<Run> = some.iter().map(shifted).collect();
            assert_eq!(runs.iter().collect::<Vec<_>>(), expected);
            assert_eq!(runs.from(0).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_source_may_be_read_in_another_order() {
        let mut runs = Runs::default();
        let all = [(0..3, 40..43), (3..5, 10..12), (6..9, 90..93), (9..10, 0..1)];
        for (text, source) in all.clone() {
            runs.push(Run { text, source, verbatim: true });
        }
        runs.push(Run { text: 10..11, source: 1..2, verbatim: true });
        assert_eq!(runs.iter().take(4).map(|run| (run.text, run.source)).collect::<Vec<_>>(), all);
    }

    #[test]
    fn a_run_goes_on_while_nothing_stands_between() {
        let mut runs = Runs::default();
        let run = |text: Range<usize>, source: Range<usize>, verbatim| Run { text, source, verbatim };
        runs.join(run(0..2, 5..7, true));
        runs.join(run(2..4, 7..9, true));
        runs.join(run(4..5, 9..12, false));
        runs.join(run(5..6, 12..13, true));
        runs.join(run(7..8, 13..14, true));
        let expected =
            [run(0..4, 5..9, true), run(4..5, 9..12, false), run(5..6, 12..13, true), run(7..8, 13..14, true)];
        assert_eq!(runs.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_run_of_a_text_full_of_markup_takes_a_few_octets() {
        let mut runs = Runs::default();
        for n in 0..100_000 {
            runs.push(Run { text: n..n + 1, source: n * 4 + 3..n * 4 + 4, verbatim: n % 2 == 0 });
        }
        assert!(runs.octets.len() + runs.marks.len() * size_of::<Mark>() <= 450_000, "{}", runs.octets.len());
    }
}
