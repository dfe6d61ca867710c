//! A fault in a rule file: code, place, what, help.
//!
//! A problem never quotes a message, only rule files. Codes are stable: a number stays with its meaning for good.

use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use super::section::Span;

/// More problems than this are counted, not kept: a broken file must not cost more to explain than to read.
pub const MAX_PROBLEMS: usize = 200;
/// Most places in a line of the log.
const MAX_PLACES: usize = 20;

/// What sort of fault. The number stays with its meaning for good: people look it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The file is not TOML.
    Syntax,
    /// A key that nobody knows.
    UnknownKey,
    /// A value of the wrong type, or not among the words allowed.
    WrongValue,
    /// A key that must be given is not.
    Missing,
    /// A regular expression or a glob that does not compile, or grows too large.
    Pattern,
    /// A header name or value that is not safe to write.
    HeaderField,
    /// A template file that cannot be read, or a template that does not compile or names an unknown variable.
    Template,
    /// An action that the direction does not allow.
    Direction,
    /// Two rules of one name, or two people or groups of one address or name.
    Duplicate,
    /// The rules folder or a file cannot be read.
    Unreadable,
    /// A rule that keeps data from leaving lets some of it pass.
    FailOpen,
    /// A rule about each recipient that does something to the message, which is one for all.
    OneForAll,
    /// What is over, by today's date.
    Over,
    /// A rule that never acts or never runs, and what of a rule has no effect.
    NeverActs,
    /// More different answers than the flow takes.
    ManyAnswers,
    /// A template that puts a value where no escaping makes it safe.
    Unescaped,
}

impl Code {
    /// Every code, in the order of its number.
    pub const ALL: &'static [Self] = &[
        Self::Syntax,
        Self::UnknownKey,
        Self::WrongValue,
        Self::Missing,
        Self::Pattern,
        Self::HeaderField,
        Self::Template,
        Self::Direction,
        Self::Duplicate,
        Self::Unreadable,
        Self::FailOpen,
        Self::OneForAll,
        Self::Over,
        Self::NeverActs,
        Self::ManyAnswers,
        Self::Unescaped,
    ];

    /// Its number, such as `R002`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "R001",
            Self::UnknownKey => "R002",
            Self::WrongValue => "R003",
            Self::Missing => "R004",
            Self::Pattern => "R005",
            Self::HeaderField => "R006",
            Self::Template => "R007",
            Self::Direction => "R008",
            Self::Duplicate => "R009",
            Self::Unreadable => "R010",
            Self::FailOpen => "R011",
            Self::OneForAll => "R012",
            Self::Over => "R013",
            Self::NeverActs => "R014",
            Self::ManyAnswers => "R015",
            Self::Unescaped => "R016",
        }
    }

    /// What it means, in one sentence, for the reference of problems.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Syntax => "The file is not TOML.",
            Self::UnknownKey => "A key that the table does not know.",
            Self::WrongValue => {
                "A value of the wrong type, out of range, or not among the words allowed; as a warning one that seems to \
                 mean something else."
            }
            Self::Missing => "A key that must be given is not there.",
            Self::Pattern => "A regular expression or a glob that does not compile, or grows too large.",
            Self::HeaderField => "A header field that is not safe to write, or that must not be touched.",
            Self::Template => {
                "A template file that cannot be read, or a template that does not compile or names an unknown variable."
            }
            Self::Direction => "An action that WorkMail does not allow in the direction of the rule.",
            Self::Duplicate => "Two rules of one name, or two people or groups of one address or name.",
            Self::Unreadable => "The rules folder or a file in it cannot be read, or holds no rules.",
            Self::FailOpen => "A rule that keeps data from leaving lets some of it pass: a warning.",
            Self::OneForAll => {
                "A rule that asks about each recipient, and does something to the message, which is one for all of them."
            }
            Self::Over => "A rule or a date that is over: a warning of `mailwright check`.",
            Self::NeverActs => {
                "A rule that never acts or never runs, or an exception, an alternative or an action that has no effect: a \
                 warning."
            }
            Self::ManyAnswers => "More different answers for one message than WorkMail takes: a warning.",
            Self::Unescaped => "A template that puts a value where no escaping makes it safe: a warning.",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The rules work; they may not do what was meant.
    Warning,
    /// The rules cannot be used.
    Error,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What sort.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub what: String,
    /// Where; `None` where no file could be read.
    pub span: Option<Span>,
    /// What to do about it, a line for each hint; may be empty.
    pub help: String,
}

/// A file of a rule set, for showing problems in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, as given by the user and joined with its name.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// Every problem of a rule set, in the order of files and places, with the sources to show them in.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    list: Vec<Problem>,
    files: Vec<SourceFile>,
    more: usize,
}

/// A problem for programs: `mailwright check --json`.
#[derive(Debug, Serialize)]
struct Record<'a> {
    code: &'static str,
    severity: Severity,
    what: &'a str,
    help: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place<'a>>,
}

/// A place for programs and editors; lines and columns count from 1, columns in characters.
#[derive(Debug, Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start: usize,
    end: usize,
}

impl Problems {
    /// Put problems in the order in which a reader meets them.
    pub(super) fn new(mut list: Vec<Problem>, files: Vec<SourceFile>, more: usize) -> Self {
        list.sort_by_key(|p| p.span.as_ref().map(|s| (s.file, s.range.start, s.range.end)));
        list.dedup();
        Self { list, files, more }
    }
    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }
    /// How many there are, those too many to keep included.
    pub fn len(&self) -> usize {
        self.list.len() + self.more
    }
    /// These and others, in the order of their places.
    #[must_use]
    pub(crate) fn with(&self, others: impl Iterator<Item = Problem>) -> Self {
        let list = self.list.iter().cloned().chain(others).collect();
        Self::new(list, self.files.clone(), self.more)
    }
    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
    /// True when one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|p| p.severity == Severity::Error)
    }
    /// `rules/20-legal.toml:12`, for a place in the files; empty where there is no such file.
    pub(crate) fn place(&self, span: &Span) -> String {
        let place = self.files.get(span.file).map(|file| {
            let line = file.text.get(..span.range.start).unwrap_or_default().matches('\n').count() + 1;
            format!("{}:{line}", file.path)
        });
        place.unwrap_or_default()
    }
    /// The files of the rule set.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }
    /// For people: each with its line of source, a caret and help.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for (i, problem) in self.list.iter().enumerate() {
            if i > 0 {
                out.push_str("\n\n");
            }
            out.push_str(&renderer.render(&[self.group(problem)]));
        }
        if self.more > 0 {
            out.push_str("\n\nand ");
            out.push_str(&self.more.to_string());
            out.push_str(" more");
        }
        out
    }
    /// For a log: the code of each error and its place, such as `R003 10-banner.toml:12:1`; of what has no place, what it is.
    /// Nothing of what the files hold.
    pub fn places(&self) -> String {
        let errors = self.list.iter().filter(|problem| problem.severity == Severity::Error);
        let shown = errors.map(|problem| match self.record(problem).place {
            Some(Place { file, line, column, .. }) => format!("{} {file}:{line}:{column}", problem.code.as_str()),
            None => format!("{} {}", problem.code.as_str(), problem.what),
        });
        let mut all = shown.take(MAX_PLACES).collect::<Vec<_>>().join(", ");
        if self.len() > MAX_PLACES {
            all.push_str(", …");
        }
        all
    }
    /// For programs: an array of `{code, severity, what, help, place}`.
    pub fn to_json(&self) -> serde_json::Value {
        self.list.iter().filter_map(|p| serde_json::to_value(self.record(p)).ok()).collect()
    }

    fn source(&self, span: Option<&Span>) -> Option<(&SourceFile, std::ops::Range<usize>)> {
        let span = span?;
        let file = self.files.get(span.file)?;
        let end = floor_boundary(&file.text, span.range.end);
        let start = floor_boundary(&file.text, span.range.start).min(end);
        Some((file, start..end))
    }
    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(problem.what.as_str()).id(problem.code.as_str());
        let mut group = match self.source(problem.span.as_ref()) {
            Some((file, range)) => title.element(
                Snippet::source(file.text.as_str())
                    .path(file.path.as_str())
                    .annotation(AnnotationKind::Primary.span(first_line(&file.text, range))),
            ),
            None => Group::with_title(title),
        };
        for line in problem.help.lines() {
            group = group.element(Level::HELP.message(line));
        }
        group
    }
    fn record<'a>(&'a self, problem: &'a Problem) -> Record<'a> {
        let place = self.source(problem.span.as_ref()).map(|(file, range)| {
            let (line, column) = position(&file.text, range.start);
            let (end_line, end_column) = position(&file.text, range.end);
            Place { file: &file.path, line, column, end_line, end_column, start: range.start, end: range.end }
        });
        Record {
            code: problem.code.as_str(),
            severity: problem.severity,
            what: &problem.what,
            help: problem.help.lines().collect(),
            place,
        }
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// A caret over a whole multi-line table says less than one under its first line.
fn first_line(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let shown = text.get(range.clone()).unwrap_or_default();
    let end = shown.find(['\n', '\r']).map_or(range.end, |at| range.start + at);
    range.start..end
}

fn floor_boundary(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

/// Line and column from 1, columns in characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str, range: std::ops::Range<usize>) -> Problems {
        let problem = Problem {
            code: Code::WrongValue,
            severity: Severity::Error,
            what: "no such word".into(),
            span: Some(Span { file: 0, range }),
            help: "did you mean `on`?\nit takes: on, off".into(),
        };
        Problems::new(vec![problem], vec![SourceFile { path: "r.toml".into(), text: text.into() }], 0)
    }

    #[test]
    fn shows_line_column_caret_and_help() {
        let shown = problems("a = 1\nb = \"ön\"\n", 10..15).to_string();
        assert!(shown.contains("error[R003]: no such word"), "{shown}");
        assert!(shown.contains("--> r.toml:2:5"), "{shown}");
        assert!(shown.contains("^^^^"), "{shown}");
        assert!(shown.contains("help: did you mean `on`?"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }

    #[test]
    fn json_counts_columns_in_characters() {
        let json = problems("é = 1\nb = \"ön\"\n", 0..2).to_json();
        assert_eq!(json.pointer("/0/place/column").and_then(serde_json::Value::as_u64), Some(1));
        assert_eq!(json.pointer("/0/place/end_column").and_then(serde_json::Value::as_u64), Some(2));
        assert_eq!(json.pointer("/0/code").and_then(serde_json::Value::as_str), Some("R003"));
    }

    #[test]
    fn a_place_off_the_text_or_inside_a_character_is_moved_not_a_panic() {
        for range in [0..1, 1..1, 5..90, 90..95] {
            assert!(problems("é\r\n= 1", range).to_string().contains("R003"));
        }
    }

    #[test]
    fn codes_are_numbered_in_order_and_apart() {
        for (i, code) in Code::ALL.iter().enumerate() {
            assert_eq!(code.as_str(), format!("R{:03}", i + 1));
            assert!(!code.doc().is_empty());
        }
    }
}
