//! A table of a rule file, read key by key. Every fault is reported at its own key; reading goes on.
//!
//! Invariant: a reader that answers `None` for a key that is there has reported why.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::constants::Stands;
use super::detect::OwnDetector;
use super::problem::{Code, Problem, Severity};
use super::reading::{Files, MAX_FILE, Reading};
use super::template::Context;
use super::toml_value::{list_entries, nearest_line, parse_size, shown, whole_but_negative, whole_number};
use super::{OptionDoc, elsewhere};
use crate::directory::GroupName;
use crate::facts::Timestamp;

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
#[derive(Debug, Clone)]
pub struct Section<'p> {
    reading: &'p Reading,
    file: usize,
    span: Range<usize>,
    table: &'p DeTable<'p>,
    taken: Vec<&'static str>,
    /// How its keys are written, for the help of what is of a wrong type.
    examples: Examples,
    /// What its options are, and those of the tables in it, for the help of what is missing.
    options: &'static [OptionDoc],
}

/// How a key may be written, such as `size = { over = "10 MB" }`.
pub(super) type Examples = fn(&str) -> Option<&'static str>;

fn no_examples(_: &str) -> Option<&'static str> {
    None
}

impl<'p> Section<'p> {
    pub(super) fn new(reading: &'p Reading, file: usize, table: &'p Spanned<DeTable<'p>>) -> Self {
        let (span, table) = (table.span(), table.get_ref());
        Self { reading, file, span, table, taken: Vec::new(), examples: no_examples, options: &[] }
    }
    /// Where the table stands.
    pub fn span(&self) -> Span {
        self.place(self.span.clone())
    }
    /// The folder of the rule set: template files are relative to it. Empty for a rule set that is in memory.
    pub fn folder(&self) -> &Path {
        match &self.reading.files {
            Files::Folder(folder) => folder,
            Files::Memory(_) => Path::new(""),
        }
    }
    /// Read a text file named relative to the rules folder. The error says why not.
    pub fn read_file(&self, name: &str) -> Result<String, String> {
        self.reading.read_file(name, MAX_FILE)
    }
    /// Read a file of at most `limit` octets that holds no text, relative to the folder of the rule files.
    pub fn read_octets(&self, name: &str, limit: u64) -> Result<Vec<u8>, String> {
        self.reading.read_octets(name, limit)
    }
    /// As [`Section::read_file`], of at most `limit` octets.
    pub fn read_large_file(&self, name: &str, limit: u64) -> Result<String, String> {
        self.reading.read_file(name, limit)
    }
    /// The detectors that the rule set defines itself.
    pub fn own_detectors(&self) -> Vec<Arc<OwnDetector>> {
        self.reading.detectors.borrow().clone()
    }
    /// Keep the name of a group, to be checked when `organization.toml` has been read.
    pub(super) fn keep_group(&self, group: At<GroupName>) {
        if !self.reading.again.get() {
            self.reading.groups.borrow_mut().push(group);
        }
    }
    /// Keep a detector for the rules of all files.
    pub(super) fn keep_detector(&self, detector: Arc<OwnDetector>) {
        self.reading.detectors.borrow_mut().push(detector);
    }
    /// What `key` holds; takes nothing away.
    pub fn holds(&self, key: &str) -> Holds {
        match self.table.get(key).map(Spanned::get_ref) {
            None => Holds::Nothing,
            Some(DeValue::String(_)) => Holds::String,
            Some(DeValue::Array(_)) => Holds::Array,
            Some(DeValue::Table(_)) => Holds::Table,
            Some(_) => Holds::Other,
        }
    }
    /// The keys that are there, in alphabetical order, with their places; takes nothing away.
    pub fn keys(&self) -> Vec<At<String>> {
        self.table
            .keys()
            .map(|key| At { value: key.get_ref().clone().into_owned(), span: self.place(key.span()) })
            .collect()
    }
    /// The place of a key that is there, else of the table.
    pub fn span_of(&self, key: &str) -> Span {
        self.table.get_key_value(key).map_or_else(|| self.span(), |(key, _)| self.place(key.span()))
    }
    /// A string.
    pub fn string(&mut self, key: &'static str) -> Option<At<String>> {
        let (value, span) = self.take(key)?;
        match value {
            DeValue::String(text) => {
                let values = self.stands_for(text, &span, true)?;
                values.into_iter().next().map(|value| At { value, span })
            }
            other => self.wrong(key, other, &span, "a string"),
        }
    }
    /// A string, or an array of strings; an empty array is a problem. In place of a string `{ file = "…" }` may stand: a
    /// list of its own, one entry a line, shared by as many rules as name it. What is neither is a problem and left out,
    /// so that the caller finds what is wrong with the others.
    pub fn strings(&mut self, key: &'static str) -> Option<Vec<At<String>>> {
        let (value, span) = self.take(key)?;
        let mut list = Vec::new();
        match value {
            DeValue::Array(items) if items.is_empty() => self.empty(key, &span),
            DeValue::Array(items) => {
                for item in items {
                    let span = self.place(item.span());
                    self.entries(key, item.get_ref(), &span, "strings and `{ file = \"…\" }` only", &mut list);
                }
            }
            one => self.entries(key, one, &span, "a string or an array of strings", &mut list),
        }
        (!list.is_empty()).then_some(list)
    }
    /// A date, or a date with a time of day, as it is written; of TOML's own types, without quotes.
    pub fn date_time(&mut self, key: &'static str) -> Option<At<String>> {
        let (value, span) = self.take(key)?;
        match value {
            DeValue::Datetime(date) => Some(At { value: date.to_string(), span }),
            other => self.wrong(key, other, &span, "a date such as 2026-12-31"),
        }
    }
    /// A time of day: a string such as `"08:00"`, or a local time of TOML. `"24:00"` is midnight.
    pub fn time_of_day(&mut self, key: &'static str) -> Option<At<jiff::civil::Time>> {
        let (value, span) = self.take(key)?;
        let text = match value {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Datetime(date) if date.date.is_none() => date.to_string(),
            other => return self.wrong(key, other, &span, "a time of day such as \"08:00\""),
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b':');
        let time = match text.trim() {
            "24:00" => Some(jiff::civil::Time::midnight()),
            text if digits(text) && text.contains(':') => text.parse().ok(),
            _ => None,
        };
        if time.is_none() {
            self.problem(&span, Code::WrongValue, format!("`{key}` takes a time of day such as \"08:00\""), "");
        }
        time.map(|value| At { value, span })
    }
    /// Say that what is written here is over at a moment.
    pub(super) fn ends(&self, span: &Span, until: Timestamp) {
        if !self.reading.again.get() {
            self.reading.endings.borrow_mut().push((span.clone(), until));
        }
    }
    /// `true` or `false`.
    pub fn boolean(&mut self, key: &'static str) -> Option<At<bool>> {
        let (value, span) = self.take(key)?;
        match value {
            DeValue::Boolean(value) => Some(At { value: *value, span }),
            other => self.wrong(key, other, &span, "`true` or `false`"),
        }
    }
    /// A whole number that is not negative.
    pub fn number(&mut self, key: &'static str) -> Option<At<u64>> {
        let (value, span) = self.take(key)?;
        match whole_number(value) {
            Some(value) => Some(At { value, span }),
            None => self.wrong(key, value, &span, "a whole number, 0 or more"),
        }
    }
    /// Octets: a whole number, or a string such as `"64 KB"`, `"10 MB"` (powers of 1,000; `KiB`, `MiB`: of 1,024).
    pub fn size(&mut self, key: &'static str) -> Option<At<u64>> {
        let (value, span) = self.take(key)?;
        let octets = match value {
            DeValue::String(text) => parse_size(text),
            other => whole_number(other),
        };
        match octets {
            Some(value) => Some(At { value, span }),
            None => self.wrong(key, value, &span, "a size such as `\"64 KB\"`, `\"10 MB\"` or a number of octets"),
        }
    }
    /// One of a list of words; anything else is a problem that names them.
    pub fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<At<T>> {
        if let Holds::Other | Holds::Array | Holds::Table = self.holds(key) {
            return self.no_word(key, words);
        }
        let found = self.string(key)?;
        self.word(key, &found, words).map(|value| At { value, span: found.span })
    }
    /// One or several of a list of words; anything else is a problem that names them.
    pub fn choices<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<Vec<At<T>>> {
        if self.holds(key) == Holds::Other {
            return self.no_word(key, words);
        }
        let found = self.strings(key)?;
        let good: Vec<_> = found
            .iter()
            .filter_map(|text| self.word(key, text, words).map(|value| At { value, span: text.span.clone() }))
            .collect();
        (!good.is_empty()).then_some(good)
    }
    /// A table.
    pub fn section(&mut self, key: &'static str) -> Option<Section<'p>> {
        let (value, span) = self.take(key)?;
        match value {
            DeValue::Table(table) => Some(self.below(table, span.range)),
            other => self.wrong(key, other, &span, "a table"),
        }
    }
    /// A table, or an array of tables; an empty array is a problem.
    pub fn sections(&mut self, key: &'static str) -> Option<Vec<Section<'p>>> {
        let (value, span) = self.take(key)?;
        match value {
            DeValue::Table(table) => Some(vec![self.below(table, span.range)]),
            DeValue::Array(items) => self.tables(key, items, &span),
            other => self.wrong(key, other, &span, "a table or an array of tables"),
        }
    }
    /// Every key of a table whose keys are the author's to choose, with its string; `None` for a value that is none.
    pub fn into_strings(self) -> Vec<(At<String>, Option<At<String>>)> {
        let key = |key: &Spanned<std::borrow::Cow<'_, str>>| At {
            value: key.get_ref().clone().into_owned(),
            span: self.place(key.span()),
        };
        let value = |value: &Spanned<DeValue<'_>>| {
            let text = value.get_ref().as_str()?;
            Some(At { value: text.to_owned(), span: self.place(value.span()) })
        };
        self.table.iter().map(|(k, v)| (key(k), value(v))).collect()
    }
    /// True where `key` holds an array without entries; takes nothing away.
    pub fn is_empty_array(&self, key: &str) -> bool {
        matches!(self.table.get(key).map(Spanned::get_ref), Some(DeValue::Array(items)) if items.is_empty())
    }
    /// Count a key as read: its problem has been reported.
    pub fn ignore(&mut self, key: &'static str) {
        self.taken.push(key);
    }
    /// The string that `key` holds; takes nothing away and reports nothing.
    pub fn peek(&self, key: &str) -> Option<&'p str> {
        self.table.get(key)?.get_ref().as_str()
    }
    /// The value of `key` as it is written; takes nothing away.
    pub(super) fn value(&self, key: &str) -> Option<&'p DeValue<'p>> {
        self.table.get(key).map(Spanned::get_ref)
    }
    /// The tables that `key` holds; takes nothing away and reports nothing.
    pub fn peek_tables(&self, key: &str) -> Vec<Section<'p>> {
        let of = |value: &'p Spanned<DeValue<'p>>| value.get_ref().as_table().map(|t| self.below(t, value.span()));
        match self.table.get(key) {
            None => Vec::new(),
            Some(value) => match value.get_ref() {
                DeValue::Array(items) => items.iter().filter_map(of).collect(),
                _ => of(value).into_iter().collect(),
            },
        }
    }
    /// Say how keys of this table are written where they are of a wrong type.
    pub(super) fn show_examples(&mut self, examples: Examples) {
        self.examples = examples;
    }
    /// Say what the options of this table are, and of those in it.
    pub(super) fn show_options(&mut self, options: &'static [OptionDoc]) {
        self.options = options;
    }
    /// Say that a key must be given (at the place of the table).
    pub fn missing(&mut self, key: &'static str) {
        let doc = self.options.iter().find(|option| option.key == key);
        let help = doc.map(|option| format!("`{key}`: {}", option.doc)).unwrap_or_default();
        self.problem(&self.span(), Code::Missing, format!("`{key}` is missing"), help);
    }
    /// Report a problem.
    pub fn problem(&mut self, span: &Span, code: Code, what: impl Into<String>, help: impl Into<String>) {
        self.reading.error(Some(span.clone()), code, what, help);
    }
    /// Report a problem that does not keep the rules from being used.
    pub fn warning(&mut self, span: &Span, code: Code, what: impl Into<String>, help: impl Into<String>) {
        self.reading.report(Problem {
            code,
            severity: Severity::Warning,
            what: what.into(),
            span: Some(span.clone()),
            help: help.into(),
        });
    }
    /// Done: keys that nobody took are unknown options, reported with what the table may hold and the nearest name.
    /// `of` is the name of the table, such as `append` or `recipients`; it is shown between backticks unless it is more
    /// than one word.
    pub fn finish(self, of: &str, known: &[&str]) {
        self.finish_with(of, known, |_: &str| None::<&'static str>);
    }
    /// The same, where `elsewhere` may say what to write in place of a name that other systems have.
    pub(super) fn finish_with<T: fmt::Display>(self, of: &str, known: &[&str], other: impl Fn(&str) -> Option<T>) {
        let of = if of.contains(' ') { of.to_owned() } else { format!("`{of}`") };
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.taken.contains(&name) {
                continue;
            }
            let mut help = other(name).map(|help| format!("{help}\n")).unwrap_or_default();
            if help.is_empty() {
                help = self
                    .deeper(name, known)
                    .map(|table| format!("write `{table} = {{ {name} = … }}`\n"))
                    .unwrap_or_default();
            }
            if help.is_empty() {
                help = nearest_line(name, known.iter().copied());
            }
            if help.is_empty() {
                help =
                    elsewhere::option(name, known).map(|word| format!("did you mean `{word}`?\n")).unwrap_or_default();
            }
            let _ = if known.is_empty() {
                write!(help, "{of} takes no options")
            } else {
                write!(help, "{of} takes: {}", known.join(", "))
            };
            let span = Some(self.place(key.span()));
            self.reading.error(span, Code::UnknownKey, format!("unknown key `{}` in {of}", shown(name)), help);
        }
    }

    /// The option that takes a table with this key in it.
    fn deeper(&self, name: &str, known: &[&str]) -> Option<&'static str> {
        let has_it = |option: &&OptionDoc| option.takes.options().iter().any(|inner| inner.key == name);
        let options = self.options.iter().filter(|option| known.contains(&option.key));
        options.filter(has_it).map(|option| option.key).next()
    }

    fn take(&mut self, key: &'static str) -> Option<(&'p DeValue<'p>, Span)> {
        let value = self.table.get(key)?;
        self.taken.push(key);
        Some((value.get_ref(), self.place(value.span())))
    }
    fn place(&self, range: Range<usize>) -> Span {
        Span { file: self.file, range }
    }
    fn below(&self, table: &'p DeTable<'p>, span: Range<usize>) -> Section<'p> {
        let (reading, file, options) = (self.reading, self.file, self.options);
        Section { reading, file, span, table, taken: Vec::new(), examples: no_examples, options }
    }
    fn tables(&mut self, key: &'static str, items: &'p DeArray<'p>, span: &Span) -> Option<Vec<Section<'p>>> {
        if items.is_empty() {
            self.empty(key, span);
            return None;
        }
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref() {
                DeValue::Table(table) => list.push(self.below(table, item.span())),
                other => {
                    let span = self.place(item.span());
                    self.wrong::<()>(key, other, &span, "tables only");
                }
            }
        }
        Some(list)
    }
    /// What a string stands for: itself, or a constant, which may be a list where several strings may stand.
    fn stands_for(&mut self, text: &str, span: &Span, one: bool) -> Option<Vec<String>> {
        let found = self.reading.constants.borrow().resolve(text);
        match found {
            Stands::Written(text) => Some(vec![text]),
            Stands::Constant(constant) if one && constant.text().is_none() => {
                let what = format!("`{}` is a list, and one string is wanted here", shown(text));
                self.problem(span, Code::WrongValue, what, "");
                None
            }
            Stands::Constant(constant) => Some(constant.values()),
            Stands::Missing(name) => {
                let help = self.reading.constants.borrow().nearest(&name);
                let help = format!("{help}\na text that begins with `$` is written with two of them");
                self.problem(span, Code::WrongValue, format!("there is no constant `{}`", shown(&name)), help);
                None
            }
        }
    }
    /// A text with the constants that it names filled in.
    pub(super) fn with_constants(&mut self, text: At<String>, context: Context) -> Option<At<String>> {
        let reading = self.reading;
        reading.constants.borrow().filled(self, text, context)
    }
    /// Every key of a table with its string or its array of strings; `None` for what is neither.
    pub(super) fn into_texts(self) -> Vec<(At<String>, Option<Texts>)> {
        let texts = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Some(Texts { values: vec![text.clone().into_owned()], is_list: false }),
            DeValue::Array(items) => {
                let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
                texts
                    .collect::<Option<Vec<_>>>()
                    .filter(|texts| !texts.is_empty())
                    .map(|values| Texts { values, is_list: true })
            }
            _ => None,
        };
        let name = |key: &Spanned<std::borrow::Cow<'_, str>>| At {
            value: key.get_ref().clone().into_owned(),
            span: self.place(key.span()),
        };
        self.table.iter().map(|(key, value)| (name(key), texts(value.get_ref()))).collect()
    }
    /// What stands for one string, or for those in a file.
    fn entries(&mut self, key: &str, value: &'p DeValue<'p>, span: &Span, wanted: &str, list: &mut Vec<At<String>>) {
        match value {
            DeValue::String(text) => {
                let values = self.stands_for(text, span, false).unwrap_or_default();
                list.extend(values.into_iter().map(|value| At { value, span: span.clone() }));
            }
            DeValue::Table(table) if table.contains_key("file") => {
                let mut below = self.below(table, span.range.clone());
                let Some(name) = below.string("file") else { return };
                below.finish(key, &["file"]);
                match self.read_file(&name.value).and_then(|text| list_entries(&text)) {
                    Ok(entries) => {
                        list.extend(entries.into_iter().map(|value| At { value, span: name.span.clone() }));
                    }
                    Err(why) => {
                        let what = format!("`{}` cannot be used as a list: {why}", shown(&name.value));
                        self.problem(
                            &name.span,
                            Code::Unreadable,
                            what,
                            "a list is a text file in the rules folder, one entry a line",
                        );
                    }
                }
            }
            other => {
                self.wrong::<()>(key, other, span, wanted);
            }
        }
    }
    fn word<T: Copy>(&mut self, key: &str, found: &At<String>, words: &[(&'static str, T)]) -> Option<T> {
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == found.value) {
            return Some(*value);
        }
        let other =
            elsewhere::word(key, &found.value).filter(|help| words.iter().any(|(word, _)| help.contains(*word)));
        let mut help = other.map(|help| format!("{help}\n")).unwrap_or_default();
        if help.is_empty() {
            help = nearest_line(&found.value, words.iter().map(|(word, _)| *word));
        }
        help.push_str(&all_of(words));
        self.problem(&found.span, Code::WrongValue, format!("`{key}` does not know \"{}\"", shown(&found.value)), help);
        None
    }
    /// What is neither a word nor a list of them.
    fn no_word<T, U>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<U> {
        let (_, span) = self.take(key)?;
        self.problem(&span, Code::WrongValue, format!("`{key}` takes a word in quotes"), all_of(words));
        None
    }
    fn empty(&mut self, key: &str, span: &Span) {
        self.problem(
            span,
            Code::WrongValue,
            format!("`{key}` is an empty list"),
            "leave the key out, or list something",
        );
    }
    fn wrong<T>(&mut self, key: &str, value: &DeValue<'_>, span: &Span, wanted: &str) -> Option<T> {
        let found = match value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "`true` or `false`",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        let what = if found.contains("string") && wanted.starts_with("a size") || whole_but_negative(value) {
            format!("`{key}` takes {wanted}")
        } else {
            format!("`{key}` takes {wanted}, not {found}")
        };
        let help = (self.examples)(key).map(|example| format!("write `{example}`")).unwrap_or_default();
        self.problem(span, Code::WrongValue, what, help);
        None
    }
}

/// `it takes: "skip", "fail"`.
fn all_of<T>(words: &[(&'static str, T)]) -> String {
    format!("it takes: {}", words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", "))
}

/// A string, or an array of them.
#[derive(Debug)]
pub(super) struct Texts {
    /// One, or the entries of the array.
    pub values: Vec<String>,
    /// It is an array.
    pub is_list: bool,
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::problem::{Problems, SourceFile};
    use super::*;

    /// Read a table and answer what was read with the problems.
    pub(in crate::rule) fn read<T>(text: &str, read: impl FnOnce(Section<'_>) -> T) -> (T, Problems) {
        let list = "# people\n\n ann@example.com \nbob@example.com\n";
        let files = [("note.txt", "hello"), ("list.txt", list), ("empty.txt", "# none\n")];
        let reading = Reading::new(Files::Memory(files.map(|(name, text)| (name.into(), text.into())).to_vec()));
        let table = DeTable::parse(text).expect("a test table is TOML");
        let value = read(reading.section(0, &table));
        let (problems, _) = reading.done(vec![SourceFile { path: "t.toml".into(), text: text.into() }]);
        (value, problems)
    }

    fn whats(problems: &Problems) -> Vec<String> {
        problems.iter().map(|p| p.what.clone()).collect()
    }

    #[test]
    fn reads_each_type_with_its_place() {
        let text = "s = \"x\"\nl = [\"a\", \"b\"]\nt = true\nn = 7\nz = \"1.5 MB\"\nw = \"on\"\n[in]\nk = 1\n";
        let ((), problems) = read(text, |mut section| {
            let s = section.string("s").unwrap();
            assert_eq!((s.value.as_str(), text.get(s.span.range)), ("x", Some("\"x\"")));
            assert_eq!(section.strings("l").unwrap().len(), 2);
            assert!(section.boolean("t").unwrap().value);
            assert_eq!(section.number("n").unwrap().value, 7);
            assert_eq!(section.size("z").unwrap().value, 1_500_000);
            assert_eq!(section.choice("w", &[("on", 1), ("off", 0)]).unwrap().value, 1);
            assert_eq!(section.holds("in"), Holds::Table);
            assert_eq!(section.section("in").unwrap().number("k").unwrap().value, 1);
            assert!(section.string("absent").is_none());
            section.finish("test", &[]);
        });
        assert!(problems.is_empty(), "{problems}");
    }

    #[test]
    fn every_wrong_type_is_reported_and_reading_goes_on() {
        let text = "s = 1\nl = [1, \"b\", 2]\nt = \"yes\"\nn = -7\nz = \"10 apples\"\nw = \"onn\"\nplce = 1\n";
        let ((), problems) = read(text, |mut section| {
            assert!(section.string("s").is_none());
            assert_eq!(section.strings("l").map(|list| list.len()), Some(1));
            assert!(section.boolean("t").is_none());
            assert!(section.number("n").is_none());
            assert!(section.size("z").is_none());
            assert!(section.choice("w", &[("on", 1), ("off", 0)]).is_none());
            section.finish("append", &["html", "place"]);
        });
        assert_eq!(problems.len(), 8, "{problems}");
        let shown = problems.to_string();
        assert!(shown.contains("did you mean `on`?"), "{shown}");
        assert!(shown.contains("did you mean `place`?"), "{shown}");
        assert!(shown.contains("`append` takes: html, place"), "{shown}");
        assert_eq!(whats(&problems).first().map(String::as_str), Some("`s` takes a string, not a number"));
    }

    #[test]
    fn a_list_may_stand_in_a_file() {
        let text = "a = { file = \"list.txt\" }\nb = [\"kim@example.com\", { file = \"list.txt\" }]\n\
                    c = { file = \"none.txt\" }\nd = { file = \"empty.txt\" }\ne = { file = \"list.txt\", x = 1 }\nf = { x = 1 }\n";
        let ((), problems) = read(text, |mut section| {
            let mut values =
                |key| section.strings(key).map(|list| list.into_iter().map(|at| at.value).collect::<Vec<_>>());
            assert_eq!(values("a").unwrap(), ["ann@example.com", "bob@example.com"]);
            assert_eq!(values("b").unwrap(), ["kim@example.com", "ann@example.com", "bob@example.com"]);
            for key in ["c", "d", "f"] {
                assert_eq!(values(key), None, "{key}");
            }
            values("e");
            section.finish("test", &[]);
        });
        let shown = problems.to_string();
        assert_eq!(problems.len(), 4, "{shown}");
        for part in ["no such file", "holds no entry", "unknown key `x`", "not a table"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
