//! What must come of the message of a test, and what is wrong with what came.

use std::borrow::Cow;

use super::answers::ExpectedAnswers;
use crate::flow::response::Response;
use crate::message::{Body, BodyError, BodyKind, Draft, Message, html};
use crate::pipeline::{Report, Verdict};
use crate::rule::problem::Code;
use crate::rule::section::{At, Holds, Section};
use crate::rule::tables;
use crate::rule::takes::keys;

/// Where the links of HTML lead, one after another, is looked at as a text.
const LINKS: &str = "links";
/// Octets of a text that a failure shows.
const SHOWN: usize = 400;

/// What must come of a message.
#[derive(Debug, Default)]
pub struct Expect {
    matched: Vec<String>,
    not_matched: Vec<String>,
    answers: ExpectedAnswers,
    unchanged: Option<bool>,
    subject: Option<String>,
    fields: Vec<FieldExpect>,
    bodies: Vec<BodyExpect>,
    attachments: Option<Vec<String>>,
    /// A file beside the rules that must hold the octets that come out.
    pub snapshot: Option<String>,
}

#[derive(Debug)]
struct FieldExpect {
    name: String,
    is: Option<String>,
    contains: Option<String>,
    absent: bool,
    count: Option<u64>,
}

#[derive(Debug)]
struct BodyExpect {
    key: &'static str,
    kind: Option<BodyKind>,
    contains: Vec<String>,
    lacks: Vec<String>,
    once: Vec<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The message as it went in.
    pub before: &'a [u8],
    /// The message as it came out.
    pub after: &'a [u8],
    /// What WorkMail is answered; `None` when the invocation fails.
    pub response: Option<&'a Response>,
    /// What the rules did; `None` when they were not run or failed the invocation.
    pub report: Option<&'a Report>,
    /// Why the invocation fails, or the original goes out.
    pub error: Option<String>,
}

/// An expectation that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// Its key, such as `body.contains`.
    pub key: String,
    /// What is different, in lines. Holds text of the message: it is the author's own.
    pub what: String,
}

/// Read `expect`, and the names of rules in it.
pub(super) fn read(mut table: Section<'_>) -> (Expect, Vec<At<String>>) {
    if table.keys().is_empty() {
        let span = table.span();
        let what = "`expect` is empty: the test would hold whatever comes of the message";
        table.problem(&span, Code::Missing, what, format!("give one of: {}", keys(tables::EXPECT).join(", ")));
    }
    let matched = table.strings("matched").unwrap_or_default();
    let not_matched = table.strings("not_matched").unwrap_or_default();
    let mut bodies = Vec::new();
    for (key, kind) in
        [("body", None), ("text", Some(BodyKind::Plain)), ("html", Some(BodyKind::Html)), (LINKS, Some(BodyKind::Html))]
    {
        bodies.extend(body(&mut table, key, kind));
    }
    let expect = Expect {
        matched: matched.iter().map(|at| at.value.clone()).collect(),
        not_matched: not_matched.iter().map(|at| at.value.clone()).collect(),
        answers: ExpectedAnswers::read(&mut table),
        unchanged: table.boolean("unchanged").map(|at| at.value),
        subject: table.string("subject").map(|at| at.value),
        fields: table.sections("header").unwrap_or_default().into_iter().filter_map(field).collect(),
        bodies,
        attachments: attachments(&mut table),
        snapshot: table.string("snapshot").map(|at| at.value),
    };
    table.finish("expect", &keys(tables::EXPECT));
    (expect, matched.into_iter().chain(not_matched).collect())
}

/// A list of names; an empty one says that there are none.
fn attachments(table: &mut Section<'_>) -> Option<Vec<String>> {
    if table.is_empty_array("attachments") {
        table.ignore("attachments");
        return Some(Vec::new());
    }
    table.strings("attachments").map(|names| names.into_iter().map(|at| at.value).collect())
}

fn field(mut table: Section<'_>) -> Option<FieldExpect> {
    if table.holds("name") == Holds::Nothing {
        table.missing("name");
    }
    let mut text = |key| table.string(key).map(|at| at.value);
    let (name, is, contains) = (text("name"), text("is"), text("contains"));
    let absent = table.boolean("absent").is_some_and(|at| at.value);
    let count = table.number("count").map(|at| at.value);
    if absent && (is.is_some() || contains.is_some() || count.is_some()) {
        let span = table.span_of("absent");
        table.problem(
            &span,
            Code::WrongValue,
            "a field that is not there has no value",
            "leave `absent` or the rest out",
        );
    }
    table.finish("header", &keys(tables::FIELD));
    Some(FieldExpect { name: name?, is, contains, absent, count })
}

/// A bare string or a list is `contains`.
fn body(table: &mut Section<'_>, key: &'static str, kind: Option<BodyKind>) -> Option<BodyExpect> {
    let texts = |list: Option<Vec<At<String>>>| list.unwrap_or_default().iter().map(|at| fold(&at.value)).collect();
    match table.holds(key) {
        Holds::Nothing => None,
        Holds::Table => {
            let mut below = table.section(key)?;
            if below.keys().is_empty() {
                let span = below.span();
                below.problem(&span, Code::Missing, format!("`{key}` expects nothing"), "");
            }
            let mut of = |key| texts(below.strings(key));
            let (contains, lacks, once) = (of("contains"), of("lacks"), of("once"));
            below.finish(key, &keys(tables::BODY));
            Some(BodyExpect { key, kind, contains, lacks, once })
        }
        _ => Some(BodyExpect { key, kind, contains: texts(table.strings(key)), lacks: Vec::new(), once: Vec::new() }),
    }
}

/// White space is where a program wrapped a line: any run of it is a blank.
fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Expect {
    /// What does not hold; the snapshot is the caller's to compare.
    pub fn misses(&self, seen: &Seen<'_>) -> Vec<Miss> {
        let mut misses = Misses::default();
        self.rules(seen, &mut misses);
        self.answers.check(seen, &because(seen), &mut |key, what| misses.push(key, what));
        if let Some(unchanged) = self.unchanged {
            let is = seen.before == seen.after;
            misses.unless(is == unchanged, "unchanged", || {
                if is { "no octet of the message was changed".to_owned() } else { "the message was changed".to_owned() }
            });
        }
        let message = Message::parse(seen.after);
        let draft = Draft::new(&message);
        if let Some(wanted) = &self.subject {
            let subject = draft.subject();
            misses.unless(subject.as_deref() == Some(wanted), "subject", || match &subject {
                Some(subject) => format!("it is \"{}\", not \"{wanted}\"", cut(subject)),
                None => "the message has none".to_owned(),
            });
        }
        for field in &self.fields {
            field.check(&draft, &mut misses);
        }
        for body in &self.bodies {
            body.check(&draft, &mut misses);
        }
        if let Some(wanted) = &self.attachments {
            let mut names: Vec<String> = draft.attachments().into_iter().map(|a| a.name.unwrap_or_default()).collect();
            let mut wanted = wanted.clone();
            names.sort();
            wanted.sort();
            misses.unless(names == wanted, "attachments", || format!("they are {names:?}, not {wanted:?}"));
        }
        misses.0
    }

    fn rules(&self, seen: &Seen<'_>, misses: &mut Misses) {
        let verdict = |name: &String| {
            let rules = seen.report.map(|report| report.rules.as_slice()).unwrap_or_default();
            rules.iter().find(|rule| rule.name == *name).map(|rule| &rule.verdict)
        };
        for name in &self.matched {
            let verdict = verdict(name);
            misses.unless(matches!(verdict, Some(Verdict::Matched | Verdict::Audited)), "matched", || {
                let why = verdict.map_or_else(|| format!("it was not run{}", because(seen)), in_words);
                format!("`{name}` did not match: {why}")
            });
        }
        for name in &self.not_matched {
            // Its conditions held where it left the message alone, too.
            let held = match verdict(name) {
                Some(Verdict::Matched | Verdict::Audited) => Some("it matched".to_owned()),
                Some(verdict @ (Verdict::Skipped(_) | Verdict::Failed(_))) => Some(in_words(verdict)),
                _ => None,
            };
            if let Some(how) = held {
                misses.push("not_matched", format!("the conditions of `{name}` hold: {how}"));
            }
        }
    }
}

impl FieldExpect {
    fn check(&self, draft: &Draft<'_>, misses: &mut Misses) {
        let values = draft.values(&self.name);
        let all = || values.iter().map(|value| format!("\"{}\"", cut(value))).collect::<Vec<_>>().join(", ");
        let name = &self.name;
        if self.absent {
            misses.unless(values.is_empty(), "header", || format!("{name} is there: {}", all()));
            return;
        }
        if let Some(count) = self.count {
            let is = values.len() as u64;
            misses.unless(is == count, "header", || format!("{name} is there {is} times, not {count}"));
            if count == 0 {
                return;
            }
        }
        if values.is_empty() {
            misses.push("header", format!("{name} is not there"));
            return;
        }
        if let Some(wanted) = &self.is {
            misses.unless(values.iter().any(|value| fold(value) == fold(wanted)), "header.is", || {
                format!("{name} is {}, not \"{wanted}\"", all())
            });
        }
        if let Some(wanted) = &self.contains {
            misses.unless(values.iter().any(|value| fold(value).contains(&fold(wanted))), "header.contains", || {
                format!("{name} lacks \"{wanted}\", it is {}", all())
            });
        }
    }
}

impl BodyExpect {
    /// Bodies of one kind are read one below the other, as a mail program shows them.
    fn check(&self, draft: &Draft<'_>, misses: &mut Misses) {
        let bodies = draft.readable();
        let kinds = [(BodyKind::Plain, "plain text"), (BodyKind::Html, "HTML")];
        let mut found = false;
        for (kind, name) in kinds.into_iter().filter(|(kind, _)| self.kind.is_none_or(|wanted| wanted == *kind)) {
            let mut texts = Vec::new();
            for body in bodies.iter().filter(|body| body.kind == kind) {
                found = true;
                let text =
                    if self.key == LINKS { targets(draft, *body) } else { draft.visible(*body).map(Cow::into_owned) };
                match text {
                    Ok(text) => texts.push(fold(&text)),
                    Err(_) => misses.push(self.key, format!("a {name} body cannot be read")),
                }
            }
            if !texts.is_empty() {
                self.check_text(&texts.join(" "), name, misses);
            }
        }
        if !found {
            let kind = self.kind.map_or("text", |kind| if kind == BodyKind::Html { "HTML" } else { "plain text" });
            misses.push(self.key, format!("the message has no {kind} body"));
        }
    }

    fn check_text(&self, text: &str, name: &str, misses: &mut Misses) {
        let reads = || match self.key {
            LINKS => format!("the links lead to: {}", cut(text)),
            _ => format!("the {name} body reads: {}", cut(text)),
        };
        for wanted in &self.contains {
            let key = format!("{}.contains", self.key);
            misses.unless(text.contains(wanted), &key, || format!("\"{wanted}\" is not there\n{}", reads()));
        }
        for unwanted in &self.lacks {
            let key = format!("{}.lacks", self.key);
            misses.unless(!text.contains(unwanted), &key, || format!("\"{unwanted}\" is there\n{}", reads()));
        }
        for wanted in &self.once {
            let count = text.matches(wanted.as_str()).count();
            let key = format!("{}.once", self.key);
            misses.unless(count == 1, &key, || format!("\"{wanted}\" is there {count} times\n{}", reads()));
        }
    }
}

/// Where the links of a body lead.
fn targets(draft: &Draft<'_>, body: Body) -> Result<String, BodyError> {
    let links = html::links(draft.text(body.part)?);
    Ok(links.targets.iter().map(|target| target.url.text()).collect::<Vec<_>>().join(" "))
}

#[derive(Default)]
struct Misses(Vec<Miss>);

impl Misses {
    fn push(&mut self, key: &str, what: String) {
        self.0.push(Miss { key: key.to_owned(), what });
    }
    fn unless(&mut self, holds: bool, key: &str, what: impl FnOnce() -> String) {
        if !holds {
            self.push(key, what());
        }
    }
}

fn because(seen: &Seen<'_>) -> String {
    seen.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
}

/// A verdict, for the author of a test.
fn in_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Matched | Verdict::Audited => "it did".to_owned(),
        Verdict::NotMatched(key) => format!("`{key}` did not hold"),
        Verdict::Excepted(keys) => format!("the exception {keys} held"),
        Verdict::Skipped(why) => format!("it left the message alone, {why}"),
        Verdict::Failed(why) => format!("it failed, {why}"),
        Verdict::Off => "it is off".to_owned(),
        Verdict::Inactive(why) => why.clone(),
        Verdict::Stopped => "a rule before it said stop".to_owned(),
        Verdict::OutOfTime => "time ran out".to_owned(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
