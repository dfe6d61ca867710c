//! What must be answered for the recipients of the message of a test.

use super::Seen;
use crate::envelope::Address;
use crate::flow::response::Response;
use crate::rule::problem::Code;
use crate::rule::section::{At, Section};
use crate::rule::toml_value::shown;

/// What is answered for a recipient, and how WorkMail calls it.
const ANSWERS: &[(&str, &str)] = &[
    ("deliver", "DEFAULT"),
    ("bounce", "BOUNCE"),
    ("drop", "DROP"),
    ("junk", "MOVE_TO_JUNK"),
    ("bypass_spam_check", "BYPASS_SPAM_CHECK"),
];
/// Nothing is answered: the invocation fails.
const FAIL: (&str, &str) = ("fail", "fail");

/// `answer`, `answers` and `added` of `expect`.
#[derive(Debug, Default)]
pub(super) struct ExpectedAnswers {
    /// For everybody: the word in [`ANSWERS`], and WorkMail's.
    all: Option<(&'static str, &'static str)>,
    /// For some.
    each: Vec<(Address, &'static str, &'static str)>,
    /// Who is added, in any order.
    added: Option<Vec<Address>>,
}

impl ExpectedAnswers {
    /// Read the three keys.
    pub(super) fn read(table: &mut Section<'_>) -> Self {
        let words: Vec<(&'static str, (&'static str, &'static str))> =
            ANSWERS.iter().chain([&FAIL]).map(|pair| (pair.0, *pair)).collect();
        Self { all: table.choice("answer", &words).map(|at| at.value), each: each(table), added: added(table) }
    }

    /// Say what is different. `because`: why the invocation fails, where it does.
    pub(super) fn check(&self, seen: &Seen<'_>, because: &str, miss: &mut dyn FnMut(&str, String)) {
        let Some(response) = seen.response else {
            match self.all {
                Some((_, "fail")) => {}
                Some((word, _)) => miss("answer", format!("it is `fail`, not `{word}`{because}")),
                None => miss("answer", format!("the invocation fails{because}")),
            }
            return;
        };
        if let Some((word, wanted)) = self.all
            && response.word() != wanted
        {
            miss("answer", format!("it is {}, not `{word}`", told(response)));
        }
        for (address, word, wanted) in &self.each {
            let got = response.word_for(address);
            if got != *wanted {
                miss("answers", format!("for {} it is `{}`, not `{word}`", address.as_str(), name(got)));
            }
        }
        if let Some(wanted) = &self.added {
            let mut wanted: Vec<String> = wanted.iter().map(Address::folded).collect();
            let mut got: Vec<String> = response.added().map(Address::folded).collect();
            wanted.sort();
            got.sort();
            if wanted != got {
                let list = |list: &[String]| if list.is_empty() { "nobody".to_owned() } else { list.join(", ") };
                miss("added", format!("it is {}, not {}", list(&got), list(&wanted)));
            }
        }
    }
}

/// `answers = { "kim@customer.example" = "bounce" }`, for each recipient of interest.
fn each(table: &mut Section<'_>) -> Vec<(Address, &'static str, &'static str)> {
    let mut list = Vec::new();
    for (address, word) in table.section("answers").map(Section::into_strings).unwrap_or_default() {
        let known = Address::new(&address.value).ok();
        let found = word.as_ref().and_then(|word| ANSWERS.iter().find(|(name, _)| *name == word.value));
        match (known, found) {
            (Some(known), Some((word, answer))) => list.push((known, *word, *answer)),
            (None, _) => not_an_address(table, &address),
            (_, None) => {
                let span = word.map_or(address.span, |word| word.span);
                let words = ANSWERS.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
                table.problem(&span, Code::WrongValue, "this is no answer", format!("it takes: {words}"));
            }
        }
    }
    list
}

/// A list of addresses; an empty one says that nobody is added.
fn added(table: &mut Section<'_>) -> Option<Vec<Address>> {
    if table.is_empty_array("added") {
        table.ignore("added");
        return Some(Vec::new());
    }
    let written = table.strings("added")?;
    let mut list = Vec::with_capacity(written.len());
    for at in &written {
        match Address::new(&at.value) {
            Ok(address) => list.push(address),
            Err(_) => not_an_address(table, at),
        }
    }
    Some(list)
}

fn not_an_address(table: &mut Section<'_>, at: &At<String>) {
    let what = format!("\"{}\" is not an e-mail address", shown(&at.value));
    table.problem(&at.span, Code::WrongValue, what, "");
}

/// The word of rule files for WorkMail's.
fn name(answer: &'static str) -> &'static str {
    ANSWERS.iter().find(|(_, known)| *known == answer).map_or(answer, |(word, _)| word)
}

/// What is answered, for how many where it is not the same for all.
fn told(response: &Response) -> String {
    if response.word() != "MIXED" {
        return format!("`{}`", name(response.word()));
    }
    let counts = response.counts();
    counts.iter().map(|(answer, count)| format!("`{}` for {count}", name(answer))).collect::<Vec<_>>().join(", ")
}
