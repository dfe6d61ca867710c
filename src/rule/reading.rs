//! What is shared while a rule set is read: the files that rules name, what was found wrong, what was read.
//!
//! Invariant: no file is read from outside of the rules folder, neither by `..` nor by a link.

use std::cell::{Cell, RefCell};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;

use super::constants::Constants;
use super::detect::OwnDetector;
use super::problem::{Code, MAX_PROBLEMS, Problem, Problems, Severity, SourceFile};
use super::section::{At, Section, Span};
use super::toml_value::{nearest_line, shown};
use crate::directory::{Book, GroupName};
use crate::facts::Timestamp;

/// The largest rule, template or organization file that is read, in octets.
pub const MAX_FILE: u64 = 1 << 20;

/// Where the files that rules name come from.
#[derive(Debug)]
pub(super) enum Files {
    /// A folder on disk.
    Folder(PathBuf),
    /// `(relative path, octets)`: a packed rule set, and tests without a file system.
    Memory(Vec<(String, Vec<u8>)>),
}

/// What is shared while a rule set is read: where files come from, what was found wrong, what was read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) files: Files,
    problems: RefCell<(Vec<Problem>, usize)>,
    read: RefCell<Vec<(String, Vec<u8>)>>,
    /// `[[detector]]`s of all files, read before the rules.
    pub(super) detectors: RefCell<Vec<Arc<OwnDetector>>>,
    /// The groups that rules name.
    pub(super) groups: RefCell<Vec<At<GroupName>>>,
    /// When what is written where is over.
    pub(super) endings: RefCell<Vec<(Span, Timestamp)>>,
    /// `[constants]` of all files, read before the rules.
    pub(super) constants: RefCell<Constants>,
    /// What is read is read again, by [`Reading::again`]: nothing of it is taken down twice.
    pub(super) again: Cell<bool>,
}

impl Reading {
    pub(super) fn new(files: Files) -> Self {
        Self {
            files,
            problems: RefCell::default(),
            read: RefCell::default(),
            detectors: RefCell::default(),
            endings: RefCell::default(),
            constants: RefCell::default(),
            groups: RefCell::default(),
            again: Cell::new(false),
        }
    }
    /// Read what has been read before, for another purpose: problems, files, groups and dates are not taken down again.
    pub(super) fn again<T>(&self, read: impl FnOnce() -> T) -> T {
        self.again.set(true);
        let read = read();
        self.again.set(false);
        read
    }
    /// Warn of groups that `organization.toml` does not have, where it has any.
    pub(super) fn check_groups(&self, book: &Book) {
        for group in self.groups.borrow().iter().filter(|group| book.has_groups() && !book.has_group(&group.value)) {
            let name = group.value.as_str();
            let known: Vec<&str> = book.group_names().map(GroupName::as_str).collect();
            self.report(Problem {
                code: Code::WrongValue,
                severity: Severity::Warning,
                what: format!("organization.toml has no group \"{}\"", shown(name)),
                span: Some(group.span.clone()),
                help: nearest_line(name, known.into_iter()),
            });
        }
    }
    pub(super) fn report(&self, problem: Problem) {
        if self.again.get() {
            return;
        }
        let (list, more) = &mut *self.problems.borrow_mut();
        if list.len() < MAX_PROBLEMS {
            list.push(problem);
        } else {
            *more += 1;
        }
    }
    pub(super) fn has_errors(&self) -> bool {
        self.problems.borrow().0.iter().any(|problem| problem.severity == Severity::Error)
    }
    pub(super) fn error(&self, span: Option<Span>, code: Code, what: impl Into<String>, help: impl Into<String>) {
        self.report(Problem { code, severity: Severity::Error, what: what.into(), span, help: help.into() });
    }
    /// The section of a whole file.
    pub(super) fn section<'p>(&'p self, file: usize, table: &'p Spanned<DeTable<'p>>) -> Section<'p> {
        Section::new(self, file, table)
    }
    /// The problems, and the files beside the rule files that were read: `(relative path, octets)`.
    pub(super) fn done(self, sources: Vec<SourceFile>) -> (Problems, Vec<(String, Vec<u8>)>) {
        let (list, more) = self.problems.into_inner();
        (Problems::new(list, sources, more), self.read.into_inner())
    }
    /// Read `[constants]` of a file.
    pub(super) fn read_constants(&self, section: Section<'_>) {
        let mut constants = self.constants.take();
        constants.read(section);
        *self.constants.borrow_mut() = constants;
    }
    /// When what is written where is over.
    pub(super) fn endings(&self) -> Vec<(Span, Timestamp)> {
        self.endings.borrow().clone()
    }
    pub(super) fn read_octets(&self, name: &str, limit: u64) -> Result<Vec<u8>, String> {
        relative(name)?;
        let octets = match &self.files {
            Files::Folder(folder) => read_octets_of(&path_inside(folder, name)?, limit)?,
            Files::Memory(files) => {
                let found = files.iter().find(|(n, _)| n == name).ok_or("no such file")?;
                found.1.clone()
            }
        };
        if !self.again.get() {
            self.read.borrow_mut().push((name.to_owned(), octets.clone()));
        }
        Ok(octets)
    }
    pub(super) fn read_file(&self, name: &str, limit: u64) -> Result<String, String> {
        text_of(self.read_octets(name, limit)?)
    }
}

/// A path that stays below a folder.
fn relative(name: &str) -> Result<&Path, String> {
    let path = Path::new(name);
    let inside = path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if !inside || name.is_empty() || name.contains('\\') {
        return Err("the file must be inside the rules folder: no `..`, no absolute path".to_owned());
    }
    Ok(path)
}

fn path_inside(folder: &Path, name: &str) -> Result<PathBuf, String> {
    // A link is the other way out of the folder.
    let real = folder.join(relative(name)?).canonicalize().map_err(|e| io_text(&e))?;
    let root = folder.canonicalize().map_err(|e| io_text(&e))?;
    if !real.starts_with(&root) {
        return Err("the file is a link that leaves the rules folder".to_owned());
    }
    Ok(real)
}

/// Read a text file of at most [`MAX_FILE`] octets; a UTF-8 byte order mark is left out.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    text_of(read_octets_of(path, MAX_FILE)?)
}

fn read_octets_of(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|e| io_text(&e))?.len();
    if size > limit {
        return Err(format!("it has {size} octets; {limit} are allowed"));
    }
    std::fs::read(path).map_err(|e| io_text(&e))
}

fn text_of(octets: Vec<u8>) -> Result<String, String> {
    let text =
        String::from_utf8(octets).map_err(|e| format!("it is not UTF-8 at octet {}", e.utf8_error().valid_up_to()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// What the operating system says, without its number: the number differs between systems.
pub(super) fn io_text(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::section::tests::read;

    #[test]
    fn files_stay_inside_the_folder() {
        let ((), _) = read("", |section| {
            assert_eq!(section.read_file("note.txt").as_deref(), Ok("hello"));
            for name in ["../note.txt", "/etc/hostname", "a/../../x", "", "..\\x"] {
                assert!(section.read_file(name).unwrap_err().contains("inside"), "{name}");
            }
            assert_eq!(section.read_file("none.txt").unwrap_err(), "no such file");
        });
    }
}
