//! A table of a rule file, read key by key. Every fault is reported at its own key; reading goes on.

use std::ops::Range;
use std::path::Path;

use super::problem::Code;

/// A place in a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Index of the file in the rule set.
    pub file: usize,
    /// Byte range in it.
    pub range: Range<usize>,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The key is not there.
    Nothing,
    /// A string.
    String,
    /// An array.
    Array,
    /// A table.
    Table,
    /// A boolean, a number or a date.
    Other,
}

/// A table of a rule file. Each reader takes its key away, answers `None` when it is absent, and reports a problem and
/// answers `None` when its type is wrong.
#[derive(Debug)]
pub struct Section<'p> {
    _p: std::marker::PhantomData<&'p ()>,
}

impl<'p> Section<'p> {
    /// Where the table stands.
    pub fn span(&self) -> Span {
        todo!()
    }
    /// The folder of the rule set: template files are relative to it.
    pub fn folder(&self) -> &Path {
        todo!()
    }
    /// What `key` holds; takes nothing away.
    pub fn holds(&self, key: &str) -> Holds {
        let _ = key;
        todo!()
    }
    /// The place of a key that is there, else of the table.
    pub fn span_of(&self, key: &str) -> Span {
        let _ = key;
        todo!()
    }
    /// A string.
    pub fn string(&mut self, key: &'static str) -> Option<At<String>> {
        let _ = key;
        todo!()
    }
    /// A string, or an array of strings; an empty array is a problem.
    pub fn strings(&mut self, key: &'static str) -> Option<Vec<At<String>>> {
        let _ = key;
        todo!()
    }
    /// `true` or `false`.
    pub fn boolean(&mut self, key: &'static str) -> Option<At<bool>> {
        let _ = key;
        todo!()
    }
    /// A whole number that is not negative.
    pub fn number(&mut self, key: &'static str) -> Option<At<u64>> {
        let _ = key;
        todo!()
    }
    /// Octets: a whole number, or a string such as `"64 KB"`, `"10 MB"` (powers of 1,000; `KiB`, `MiB`: of 1,024).
    pub fn size(&mut self, key: &'static str) -> Option<At<u64>> {
        let _ = key;
        todo!()
    }
    /// One of a list of words; anything else is a problem that names them.
    pub fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<At<T>> {
        let _ = (key, words);
        todo!()
    }
    /// A table.
    pub fn section(&mut self, key: &'static str) -> Option<Section<'p>> {
        let _ = key;
        todo!()
    }
    /// A table, or an array of tables.
    pub fn sections(&mut self, key: &'static str) -> Option<Vec<Section<'p>>> {
        let _ = key;
        todo!()
    }
    /// Say that a key must be given (at the place of the table).
    pub fn missing(&mut self, key: &'static str) {
        let _ = key;
        todo!()
    }
    /// Report a problem.
    pub fn problem(&mut self, span: &Span, code: Code, what: impl Into<String>, help: impl Into<String>) {
        let _ = (span, code, what.into(), help.into());
        todo!()
    }
    /// Done: keys that nobody took are unknown options, reported with what the table may hold and the nearest name.
    pub fn finish(self, of: &str, known: &[&str]) {
        let _ = (of, known);
        todo!()
    }
}
