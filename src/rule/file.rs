//! TOML to rules, with places; collects every problem.
//!
//! A rule set is a folder: its `*.toml` files in the order of their names, `organization.toml` (who is internal), and
//! the templates that the rules name. Invariant: a rule set with an error yields no rules, and every error is found in
//! one go.

use crate::hex::hex;
use std::collections::HashMap;
use std::path::Path;

use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::Table;
use super::period::Period;
use super::problem::{Code, Problem, Severity, SourceFile};
use super::reading::{Files, Reading, io_text, read_text};
use super::section::{Holds, Section, Span};
use super::takes::keys;
use super::test::{self, Test};
use super::toml_value::{nearest_line, shown};
use super::{Action, Disposition, Mode, OnError, Rule, actions, detect, lints, nesting, organization, tables, truths};
use super::{elsewhere, packed};
use crate::directory::{Book, Organization};
use crate::envelope::{Address, Direction};
use crate::facts::Timestamp;

pub use super::problem::Problems;

/// Files of one rule set.
pub const MAX_FILES: usize = 200;
/// Rules of one rule set.
pub const MAX_RULES: usize = 1_000;
/// Characters of a rule's name.
const MAX_NAME: usize = 100;

/// The file that says who is internal.
const ORGANIZATION: &str = "organization.toml";

/// What came of a rule set.
#[derive(Debug)]
pub(crate) struct RuleSet {
    pub(crate) rules: Vec<Rule>,
    pub(crate) organization: Organization,
    pub(crate) book: Book,
    pub(crate) tests: Vec<Test>,
    /// 16 hex digits of SHA-256 over the names and texts of all files that were read.
    pub(crate) digest: String,
    /// Warnings; never an error.
    pub(crate) warnings: Problems,
    /// All files that were read, `(relative path, octets)`.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// When what is written where is over.
    pub(crate) endings: Vec<(Span, Timestamp)>,
}

/// A file of the rule set as it is read.
struct Input {
    /// Relative to the folder.
    name: String,
    source: SourceFile,
}

/// Read and compile a folder, one file of it, or a packed rule set (`.json`).
pub(crate) fn load(path: &Path) -> Result<RuleSet, Problems> {
    load_edited(path, None)
}

/// As [`load`], with another text at a place of one of its files.
pub(crate) fn load_edited(path: &Path, edit: Option<(&Span, &str)>) -> Result<RuleSet, Problems> {
    if path.extension().is_some_and(|extension| extension == "json") && path.is_file() {
        return match std::fs::read(path) {
            Ok(octets) => packed_edited(&octets, edit),
            Err(error) => {
                Err(unreadable(format!("`{}` cannot be read: {}", shown(&path.display().to_string()), io_text(&error))))
            }
        };
    }
    let is_file = path.is_file();
    let folder =
        if is_file { path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")) } else { path };
    let reading = Reading::new(Files::Folder(folder.to_path_buf()));
    let shown_folder = if is_file { path.parent().unwrap_or(Path::new("")) } else { path };
    let names = if is_file { file_names(path, folder) } else { folder_names(folder) };
    let mut inputs = Vec::new();
    match names {
        Err(why) => {
            let what = format!("`{}` cannot be read: {why}", shown(&path.display().to_string()));
            reading.error(None, Code::Unreadable, what, "give the folder that holds the rule files, or one rule file");
        }
        Ok(names) => {
            for name in names {
                let path = shown_folder.join(&name).display().to_string();
                match read_text(&folder.join(&name)) {
                    Ok(text) => inputs.push(Input { name, source: SourceFile { path, text } }),
                    Err(why) => {
                        reading.error(None, Code::Unreadable, format!("`{}` cannot be read: {why}", shown(&path)), "");
                    }
                }
            }
        }
    }
    edit_at(&mut inputs, edit);
    compile(reading, inputs, &shown(&path.display().to_string()), !is_file)
}

/// Put another text at a place; one that is not there stays.
fn edit_at(inputs: &mut [Input], edit: Option<(&Span, &str)>) {
    let Some((span, text)) = edit else { return };
    let Some(old) = inputs.get_mut(span.file).map(|input| &mut input.source.text) else { return };
    if old.get(span.range.clone()).is_some() {
        old.replace_range(span.range.clone(), text);
    }
}

/// Compile files that are in memory: `(relative path, text)`. Those that end in `.toml` and stand in no folder are rule
/// files, or the organization; the others are what `file = "…"` may name.
pub(crate) fn from_sources(files: Vec<(String, String)>) -> Result<RuleSet, Problems> {
    let (rule_files, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|(name, _)| is_rule_file(name));
    in_memory(rule_files, others.into_iter().map(|(name, text)| (name, text.into_bytes())).collect(), None)
}

/// As [`from_sources`], of a packed rule set.
pub(crate) fn from_packed(packed: &[u8]) -> Result<RuleSet, Problems> {
    packed_edited(packed, None)
}

fn packed_edited(packed: &[u8], edit: Option<(&Span, &str)>) -> Result<RuleSet, Problems> {
    let files = packed::unpack(packed).map_err(unreadable)?;
    let (rule_files, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|(name, _)| is_rule_file(name));
    let text = |(name, octets): (String, Vec<u8>)| match String::from_utf8(octets) {
        Ok(text) => Ok((name, text)),
        Err(_) => Err(unreadable(format!("`{}` of the packed rule set is not UTF-8", shown(&name)))),
    };
    in_memory(rule_files.into_iter().map(text).collect::<Result<_, _>>()?, others, edit)
}

fn unreadable(why: String) -> Problems {
    let reading = Reading::new(Files::Memory(Vec::new()));
    reading.error(None, Code::Unreadable, why, "`mailwright pack RULES` makes one");
    reading.done(Vec::new()).0
}

fn in_memory(
    mut rule_files: Vec<(String, String)>,
    others: Vec<(String, Vec<u8>)>,
    edit: Option<(&Span, &str)>,
) -> Result<RuleSet, Problems> {
    rule_files.sort();
    let mut inputs: Vec<Input> = rule_files
        .into_iter()
        .map(|(name, text)| Input { name: name.clone(), source: SourceFile { path: name, text } })
        .collect();
    edit_at(&mut inputs, edit);
    compile(Reading::new(Files::Memory(others)), inputs, "the rule set", true)
}

fn is_rule_file(name: &str) -> bool {
    // In lower case only: what is shipped to Linux must load there as it did at home.
    !name.starts_with('.') && !name.contains('/') && name.strip_suffix(".toml").is_some_and(|stem| !stem.is_empty())
}

/// A rule file, and the organization beside it.
fn file_names(path: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let name = path.file_name().and_then(|n| n.to_str()).ok_or("its name is not UTF-8")?;
    let mut names = vec![name.to_owned()];
    if name != ORGANIZATION && folder.join(ORGANIZATION).is_file() {
        names.push(ORGANIZATION.to_owned());
    }
    Ok(names)
}

/// The rule files of a folder, sorted by their bytes.
fn folder_names(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| io_text(&e))? {
        let entry = entry.map_err(|e| io_text(&e))?;
        if let Some(name) = entry.file_name().to_str().filter(|name| is_rule_file(name))
            && !entry.path().is_dir()
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// `whole` says that the files are all there are.
fn compile(reading: Reading, inputs: Vec<Input>, place: &str, whole: bool) -> Result<RuleSet, Problems> {
    let unread = inputs.is_empty();
    let (names, sources): (Vec<String>, Vec<SourceFile>) = inputs.into_iter().map(|i| (i.name, i.source)).unzip();
    if names.len() > MAX_FILES {
        let what = format!("{} rule files; {MAX_FILES} are allowed", names.len());
        reading.error(None, Code::Unreadable, what, "");
    } else if !unread && names.iter().all(|name| name == ORGANIZATION) {
        no_rules(&reading, place);
    }
    let mut loaded = Loaded::default();
    {
        let parsed: Vec<(usize, Spanned<DeTable<'_>>)> = sources
            .iter()
            .enumerate()
            .take(MAX_FILES)
            .filter_map(|(file, source)| Some((file, parse(&reading, file, source)?)))
            .collect();
        // Rules of any file may name constants and detectors of any other.
        for (file, table) in &parsed {
            if names.get(*file).is_some_and(|name| name != ORGANIZATION) {
                reading.read_constants(reading.section(*file, table));
            }
        }
        for (file, table) in &parsed {
            if names.get(*file).is_some_and(|name| name != ORGANIZATION) {
                detect::read_own(reading.section(*file, table));
            }
        }
        for (file, table) in &parsed {
            let section = reading.section(*file, table);
            loaded.guard.asks_uninspectable |= names_key(table.get_ref(), "uninspectable");
            if names.get(*file).is_some_and(|name| name == ORGANIZATION) {
                (loaded.organization, loaded.book) = organization::read(section, &|span| place_of(span, &sources));
            } else {
                rule_file(section, &sources, &mut loaded);
            }
        }
        // A file by itself, and what is left of a broken set, lacks the rules of other files.
        if whole && parsed.len() == sources.len() {
            for test in &loaded.tests {
                test::check_names(&reading, &test.rules, &loaded.names);
            }
        }
        loaded.check_added(&reading);
        if !reading.has_errors() {
            loaded.guard.warn(&reading);
            let rules = parsed.iter().filter(|(file, _)| names.get(*file).is_some_and(|name| name != ORGANIZATION));
            let rules = rules.map(|(file, table)| (*file, table));
            lints::check(&reading, rules, &|span| place_of(span, &sources));
            reading.check_groups(&loaded.book);
        }
    }
    let mut files: Vec<(String, Vec<u8>)> =
        names.into_iter().zip(&sources).map(|(name, source)| (name, source.text.clone().into_bytes())).collect();
    let endings = reading.endings();
    let (mut problems, mut read) = reading.done(sources);
    if unread && problems.is_empty() {
        let empty = Reading::new(Files::Memory(Vec::new()));
        no_rules(&empty, place);
        problems = empty.done(Vec::new()).0;
    }
    if problems.has_errors() {
        return Err(problems);
    }
    read.sort();
    read.dedup();
    files.append(&mut read);
    let mut digest = Sha256::new();
    for (name, octets) in &files {
        digest_file(&mut digest, name, octets);
    }
    let digest = hex(digest.finalize().get(..8).unwrap_or_default());
    let tests = loaded.tests.into_iter().map(|read| read.test).collect();
    let Loaded { rules, organization, book, .. } = loaded;
    Ok(RuleSet { rules, organization, book, tests, digest, warnings: problems, endings, files })
}

fn no_rules(reading: &Reading, place: &str) {
    reading.error(
        None,
        Code::Unreadable,
        format!("{place} holds no rule files"),
        "a rule file ends in `.toml` and holds `[[rule]]` tables",
    );
}

/// Lengths keep two files apart from one that holds both.
fn digest_file(digest: &mut Sha256, name: &str, octets: &[u8]) {
    for piece in [name.as_bytes(), octets] {
        digest.update((piece.len() as u64).to_be_bytes());
        digest.update(piece);
    }
}

/// Parse one file; its syntax errors are problems, and what could be read of it is read on.
fn parse<'s>(reading: &Reading, file: usize, source: &'s SourceFile) -> Option<Spanned<DeTable<'s>>> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        let range = error.span().unwrap_or(0..0);
        let line = source.text.get(range.start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let help = elsewhere::syntax(error.message(), line).unwrap_or_default();
        reading.error(Some(Span { file, range }), Code::Syntax, error.message().replace('\n', ", "), help);
    }
    // What is left of a broken file misleads: a lost bracket makes keys of one rule those of another.
    errors.is_empty().then_some(table)
}

/// What is to be known of rules that keep data from leaving, to tell where a message gets past them.
#[derive(Default)]
struct Guard {
    /// Where such rules stand.
    keeping: Vec<Span>,
    /// The rules before the first of them that end the run and let the message go.
    stops: Vec<String>,
    /// Some rule asks for what cannot be looked into.
    asks_uninspectable: bool,
}

impl Guard {
    /// What lets such data pass is allowed, and said.
    fn warn(&self, reading: &Reading) {
        let Some(first) = self.keeping.first() else { return };
        let warn = |what: String, help: &str| {
            let (span, help) = (Some(first.clone()), help.to_owned());
            reading.report(Problem { code: Code::FailOpen, severity: Severity::Warning, what, span, help });
        };
        if let Some(name) = self.stops.first() {
            warn(
                format!("messages that the rule `{}` stops at do not reach this rule", shown(name)),
                "move this rule before it, to a file whose name sorts first",
            );
        }
        if !self.asks_uninspectable {
            warn(
                "no rule asks for what cannot be looked into: encrypted mail, archives and documents go out".to_owned(),
                "add a rule with `uninspectable = true` that bounces such mail, or one in `mode = \"audit\"` that \
                 counts it",
            );
        }
    }
}

/// Is this key anywhere in a table, or below it?
fn names_key(table: &DeTable<'_>, key: &str) -> bool {
    // As deep as conditions nest.
    let mut below: Vec<&DeValue<'_>> = table.values().map(Spanned::get_ref).collect();
    let mut found = table.contains_key(key);
    while let Some(value) = below.pop() {
        match value {
            DeValue::Table(table) => {
                found |= table.contains_key(key);
                below.extend(table.values().map(Spanned::get_ref));
            }
            DeValue::Array(list) => below.extend(list.iter().map(Spanned::get_ref)),
            _ => {}
        }
    }
    found
}

#[derive(Default)]
struct Loaded {
    rules: Vec<Rule>,
    organization: Organization,
    book: Book,
    /// Where each name was given first.
    names: HashMap<String, Span>,
    tests: Vec<test::Read>,
    guard: Guard,
    /// Whom rules for inbound mail add, and where they say so.
    adds_inbound: Vec<(Span, Address)>,
}

impl Loaded {
    /// Inbound mail goes to addresses of the organization only; where its domains are known, so is who cannot be added.
    fn check_added(&self, reading: &Reading) {
        let known = !self.organization.domains.is_empty();
        for (span, address) in self.adds_inbound.iter().filter(|_| known) {
            if !self.organization.is_internal(address.domain()) {
                let what = format!("inbound mail cannot be sent on to {}", shown(address.as_str()));
                let help = "WorkMail adds addresses of the organization only; \
                            is its domain missing in `organization.toml`?";
                reading.error(Some(span.clone()), Code::Direction, what, help);
            }
        }
    }
}

/// `rules/20-legal.toml:12`.
fn place_of(span: &Span, sources: &[SourceFile]) -> String {
    let place = sources.get(span.file).map(|source| {
        let line = source.text.get(..span.range.start).unwrap_or_default().matches('\n').count() + 1;
        format!("{}:{line}", source.path)
    });
    place.unwrap_or_default()
}

fn rule_file(mut section: Section<'_>, sources: &[SourceFile], loaded: &mut Loaded) {
    if section.holds("rule") != Holds::Nothing {
        for rule in section.sections("rule").unwrap_or_default() {
            if loaded.rules.len() >= MAX_RULES {
                let span = rule.span();
                section.problem(&span, Code::WrongValue, format!("more than {MAX_RULES} rules"), "");
                break;
            }
            if let Some(rule) = read_rule(rule, sources, &mut loaded.names, &mut loaded.guard, &mut loaded.adds_inbound)
            {
                loaded.rules.push(rule);
            }
        }
    }
    for test in section.sections("test").unwrap_or_default() {
        if let Some(read) = test::read(test, &|span| place_of(span, sources)) {
            loaded.tests.push(read);
        }
    }
    section.ignore("detector");
    section.ignore("constants");
    section.finish("the file", &keys(tables::FILE));
}

fn read_rule(
    mut section: Section<'_>,
    sources: &[SourceFile],
    names: &mut HashMap<String, Span>,
    guard: &mut Guard,
    adds: &mut Vec<(Span, Address)>,
) -> Option<Rule> {
    section.show_examples(elsewhere::rule_example);
    section.show_options(tables::RULE);
    let name = rule_name(&mut section, sources, names);
    let description = section.string("description").map(|d| d.value).unwrap_or_default();
    let mode = section.choice("mode", &[("enforce", Mode::Enforce), ("audit", Mode::Audit), ("off", Mode::Off)]);
    let on_error = section.choice("on_error", &[("skip", OnError::Skip), ("fail", OnError::Fail)]);
    let active = match section.holds("active") {
        Holds::Nothing => None,
        _ => section.section("active").and_then(|table| Period::read(table, "active")),
    };
    let span = section.span();
    let name_span = section.span_of("name");
    let mut inbound_only = false;
    let mut when = Table::default();
    if let Some(table) = section.section("when") {
        inbound_only = nesting::inbound_only(&table);
        when = nesting::read(table, "when");
    }
    let unless: Vec<Table> = section
        .sections("unless")
        .unwrap_or_default()
        .into_iter()
        .map(|table| nesting::read(table, "unless"))
        .collect();
    let actions: Vec<Box<dyn Action>> = if section.holds("action") == Holds::Nothing {
        section.problem(
            &section.span(),
            Code::Missing,
            "`action` is missing: the rule does nothing",
            "add a `[[rule.action]]` table with a `kind`",
        );
        Vec::new()
    } else {
        let tables = section.sections("action").unwrap_or_default();
        let asks_each = std::iter::once(&when).chain(&unless).any(|table| truths::asks_each(table));
        let mut read = |table: Section<'_>| {
            let span = table.span_of("addresses");
            let action = read_action(table, inbound_only, asks_each)?;
            if inbound_only {
                adds.extend(action.adds().iter().map(|address| (span.clone(), address.clone())));
            }
            Some(action)
        };
        tables.into_iter().filter_map(&mut read).collect()
    };
    let keeps = mode.as_ref().is_none_or(|mode| mode.value != Mode::Off)
        && actions.iter().any(|action| action.keeps_from_leaving());
    if let Some(on_error) = on_error.as_ref().filter(|on_error| keeps && on_error.value == OnError::Skip) {
        section.warning(
            &on_error.span,
            Code::FailOpen,
            "where `redact` fails, the message goes out with the data in it",
            "leave `on_error` out, or say \"fail\"",
        );
    }
    let is_stop = |action: &dyn Action| action.kind() == "stop";
    let lets_go =
        actions.iter().all(|action| action.disposition().is_none_or(|d| d < Disposition::Bounce(String::new())));
    section.finish_with("rule", &keys(tables::RULE), elsewhere::rule_key);
    if keeps {
        guard.keeping.push(span);
    } else if lets_go && actions.iter().any(|action| is_stop(action.as_ref())) && guard.keeping.is_empty() {
        guard.stops.extend(name.clone());
    }
    let fails = actions.iter().any(|action| action.on_error() == OnError::Fail);
    Some(Rule {
        name: name?,
        description,
        mode: mode.map_or(Mode::Enforce, |m| m.value),
        active,
        on_error: on_error.map_or(if fails { OnError::Fail } else { OnError::Skip }, |o| o.value),
        when,
        unless,
        span: Some(name_span),
        actions,
    })
}

fn rule_name(section: &mut Section<'_>, sources: &[SourceFile], names: &mut HashMap<String, Span>) -> Option<String> {
    if section.holds("name") == Holds::Nothing {
        section.missing("name");
        return None;
    }
    let name = section.string("name")?;
    if name.value.trim().is_empty()
        || name.value.trim() != name.value
        || name.value.chars().count() > MAX_NAME
        || name.value.contains(char::is_control)
    {
        section.problem(
            &name.span,
            Code::WrongValue,
            "this cannot be the name of a rule",
            format!("a name has 1 to {MAX_NAME} characters, no control characters, and no space at its ends"),
        );
        return None;
    }
    if let Some(first) = names.get(&name.value) {
        let place = place_of(first, sources);
        section.problem(
            &name.span,
            Code::Duplicate,
            format!("two rules are named `{}`", shown(&name.value)),
            format!("the first is at {place}"),
        );
        return None;
    }
    names.insert(name.value.clone(), name.span);
    Some(name.value)
}

fn read_action(mut section: Section<'_>, inbound_only: bool, asks_each: bool) -> Option<Box<dyn Action>> {
    let names = || actions::KINDS.iter().map(|kind| kind.kind);
    if section.holds("kind") == Holds::Nothing {
        let list = names().collect::<Vec<_>>().join(", ");
        section.problem(&section.span(), Code::Missing, "`kind` is missing", format!("kinds of action: {list}"));
        return None;
    }
    let kind = section.string("kind")?;
    let Some(found) = actions::KINDS.iter().chain(actions::OF_TESTS).find(|k| k.kind == kind.value) else {
        let other = elsewhere::action(&kind.value).map(|help| format!("{help}\n"));
        let help = other.unwrap_or_else(|| nearest_line(&kind.value, names()));
        let list = names().collect::<Vec<_>>().join(", ");
        let what = format!("there is no action `{}`", shown(&kind.value));
        section.problem(&kind.span, Code::WrongValue, what, format!("{help}kinds of action: {list}"));
        return None;
    };
    if !inbound_only && !found.directions.contains(&Direction::Outbound) {
        section.problem(
            &kind.span,
            Code::Direction,
            format!("WorkMail knows `{}` for inbound mail only", found.kind),
            "the rule needs `direction = \"inbound\"` in its `when`",
        );
    }
    section.show_options(found.options);
    let action = (found.compile)(&mut section);
    let known: Vec<&str> = std::iter::once("kind").chain(found.options.iter().map(|option| option.key)).collect();
    if asks_each && action.as_ref().is_some_and(|action| !action.is_for_each()) {
        section.problem(
            &kind.span,
            Code::OneForAll,
            format!("`{}` is for all recipients, and the rule asks about `each`", found.kind),
            "say `any` or `all` instead of `each`; or put it into a rule of its own",
        );
    }
    section.finish_with(found.kind, &known, elsewhere::key_of_action);
    action
}
