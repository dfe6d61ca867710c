//! Tests of a text that several conditions share: `contains`, `words`, `matches`.
//!
//! `contains` and `words` do not tell upper from lower case, take any run of white space for one blank, and do not see
//! soft hyphens and zero-width spaces. `matches` is a regular expression on the text as it is; `(?i)` is the author's
//! to write. Invariant: linear time, whatever the patterns and the text.

use aho_corasick::AhoCorasick;
use regex::{RegexBuilder, RegexSetBuilder};

use crate::rule::detect::{self, DetectorSet};
use crate::rule::late::{Late, Steps, TimeUp};
use crate::rule::pattern::PatternSet;
use crate::rule::problem::Code;
use crate::rule::section::{At, Holds, Section};
use crate::rule::{OptionDoc, Takes};

/// Size of one compiled regular expression, in bytes.
const EXPRESSION_LIMIT: usize = 1 << 20;
/// Size of all expressions of one condition together, in bytes.
const SET_LIMIT: usize = 16 << 20;
/// Words that begin or end within others are looked at between two looks at the clock.
const WORDS_EVERY: usize = 1 << 16;

/// `contains` for the reference.
pub const CONTAINS: OptionDoc = OptionDoc {
    key: "contains",
    takes: Takes::Either(&[Takes::Texts("string"), Takes::Table(&detect::OPTIONS)]),
    default: "not tested",
    doc: "Holds when one of these texts occurs; upper and lower case are the same, a run of white space is one blank. A \
          table holds when enough of what it detects occurs.",
};
/// `words` for the reference.
pub const WORDS: OptionDoc = OptionDoc {
    key: "words",
    takes: Takes::Texts("string"),
    default: "not tested",
    doc: "As `contains`, but whole words only; a phrase of several words may be given.",
};
/// `matches` for the reference.
pub const MATCHES: OptionDoc = OptionDoc {
    key: "matches",
    takes: Takes::Texts("string"),
    default: "not tested",
    doc: "Holds when one of these regular expressions matches somewhere; begin with `(?i)` to ignore case.",
};

/// All of them.
pub const OF_TEXT: &[OptionDoc] = &[CONTAINS, WORDS, MATCHES];

/// A compiled test. Of each list one must hold; of several lists each.
#[derive(Debug, Default)]
pub struct TextMatch {
    contains: Option<AhoCorasick>,
    detects: Option<DetectorSet>,
    words: Option<Words>,
    matches: Option<PatternSet>,
}

/// Whole words and phrases.
#[derive(Debug)]
struct Words {
    automaton: AhoCorasick,
    /// Does the start, the end of the pattern need a word boundary?
    edges: Vec<(bool, bool)>,
}

impl TextMatch {
    /// `contains` with one text, for conditions that take a bare string.
    pub fn of_contains(section: &mut Section<'_>, text: At<String>) -> Option<Self> {
        let contains = Some(automaton(section, &[text])?);
        Some(Self { contains, ..Self::default() })
    }

    /// Read the keys in `known` (of `contains`, `words`, `matches`) from a section. `None` when there were problems; a
    /// test of nothing when no key is there.
    pub fn read(section: &mut Section<'_>, known: &[OptionDoc]) -> Option<Self> {
        let mut test = Self::default();
        let mut sound = true;
        let reads = |key| known.iter().any(|option| option.key == key);
        if reads(CONTAINS.key) && present(section, CONTAINS.key) {
            if section.holds(CONTAINS.key) == Holds::Table {
                test.detects = section.section(CONTAINS.key).and_then(detectors);
            } else {
                test.contains = section.strings(CONTAINS.key).and_then(|texts| automaton(section, &texts));
            }
            sound &= test.contains.is_some() || test.detects.is_some();
        }
        if reads(WORDS.key) && present(section, WORDS.key) {
            test.words = section.strings(WORDS.key).and_then(|texts| Words::compile(section, &texts));
            sound &= test.words.is_some();
        }
        if reads(MATCHES.key) && present(section, MATCHES.key) {
            test.matches = section.strings(MATCHES.key).and_then(|texts| expressions(section, &texts));
            sound &= test.matches.is_some();
        }
        sound.then_some(test)
    }

    /// True when it tests nothing.
    pub fn is_empty(&self) -> bool {
        self.contains.is_none() && self.detects.is_none() && self.words.is_none() && self.matches.is_none()
    }

    /// Do all tests hold for `text`? Not when time runs out on the way ([`Late`]).
    pub fn holds(&self, text: &str, late: Late<'_>) -> bool {
        self.hold_in_time(text, late).unwrap_or(false)
    }

    fn hold_in_time(&self, text: &str, late: Late<'_>) -> Result<bool, TimeUp> {
        late.in_time()?;
        let folded = if self.contains.is_some() || self.words.is_some() { fold(text) } else { String::new() };
        if self.contains.as_ref().is_some_and(|automaton| !automaton.is_match(&folded)) {
            return Ok(false);
        }
        if let Some(detectors) = &self.detects
            && !detectors.enough_in(text, late)?
        {
            return Ok(false);
        }
        if let Some(words) = &self.words
            && !words.occur_in(&folded, late)?
        {
            return Ok(false);
        }
        self.matches.as_ref().map_or(Ok(true), |expressions| expressions.is_match(text, late))
    }
}

/// `contains = { detect = … }`.
fn detectors(mut table: Section<'_>) -> Option<DetectorSet> {
    let detectors = detect::read_detectors(&mut table, &detect::OPTIONS);
    table.finish(CONTAINS.key, &detect::OPTIONS.map(|option| option.key));
    detectors
}

fn present(section: &Section<'_>, key: &str) -> bool {
    section.holds(key) != Holds::Nothing
}

/// Lower case, runs of white space as one blank, none at the ends, without what cannot be seen.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = false;
    for c in text.chars() {
        match c {
            '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}' => {}
            c if c.is_whitespace() => blank = true,
            c => {
                if blank && !out.is_empty() {
                    out.push(' ');
                }
                blank = false;
                match c {
                    c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
                    // Letters whose upper case is that of others (Unicode, CaseFolding.txt).
                    'ß' | 'ẞ' => out.push_str("ss"),
                    'ς' => out.push('σ'),
                    c => out.extend(c.to_lowercase()),
                }
            }
        }
    }
    out
}

/// Fold texts for an automaton; an empty one would occur in everything.
fn folded(section: &mut Section<'_>, texts: &[At<String>]) -> Option<Vec<String>> {
    let mut sound = true;
    let folded = texts
        .iter()
        .map(|text| {
            let folded = fold(&text.value);
            if folded.is_empty() {
                sound = false;
                section.problem(&text.span, Code::WrongValue, "an empty text occurs in everything", "write some text");
            }
            folded
        })
        .collect();
    sound.then_some(folded)
}

/// What is written as a pattern is looked for as it is, stars and all: that is hardly meant.
fn warn_of_patterns(section: &mut Section<'_>, texts: &[At<String>]) {
    for text in texts {
        let written = text.value.trim();
        let glob = written.len() > 1 && (written.starts_with('*') || written.ends_with('*')) && !written.contains("**");
        let between = written.strip_prefix('/').and_then(|rest| rest.strip_suffix('/').or(rest.strip_suffix("/i")));
        let expression =
            between.is_some_and(|text| written.ends_with('i') || text.contains(['\\', '[', '(', '|', '^', '$']));
        if glob {
            let what = "this is looked for as it is written, with its `*`";
            let help = "leave the `*` out: a text is found wherever it stands";
            section.warning(&text.span, Code::WrongValue, what, help);
        } else if expression {
            let what = "this is looked for as it is written, with its slashes: it is no regular expression";
            section.warning(&text.span, Code::WrongValue, what, "write `{ matches = '(?i)…' }`, without the slashes");
        }
    }
}

fn automaton(section: &mut Section<'_>, texts: &[At<String>]) -> Option<AhoCorasick> {
    warn_of_patterns(section, texts);
    let folded = folded(section, texts)?;
    match AhoCorasick::new(&folded) {
        Ok(automaton) => Some(automaton),
        Err(why) => {
            let span = texts.first().map_or_else(|| section.span(), |text| text.span.clone());
            section.problem(&span, Code::Pattern, format!("these texts are too many: {why}"), "");
            None
        }
    }
}

/// Letters, digits, combining marks, `_`: what a word consists of (UTS #18 `\w`, near enough).
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || ('\u{300}'..='\u{36F}').contains(&c)
}

/// Does a word that begins or ends with `c` need a boundary there? Not where words are written without spaces.
fn needs_boundary(c: Option<char>) -> bool {
    c.is_some_and(|c| is_word(c) && c < '\u{2E80}' && !('\u{E00}'..='\u{EFF}').contains(&c))
}

impl Words {
    fn compile(section: &mut Section<'_>, texts: &[At<String>]) -> Option<Self> {
        let edges = folded(section, texts)?
            .iter()
            .map(|word| (needs_boundary(word.chars().next()), needs_boundary(word.chars().next_back())))
            .collect();
        Some(Self { automaton: automaton(section, texts)?, edges })
    }

    fn occur_in(&self, folded: &str, late: Late<'_>) -> Result<bool, TimeUp> {
        let mut steps = Steps::new(late, WORDS_EVERY);
        for found in self.automaton.find_overlapping_iter(folded) {
            steps.took(1)?;
            let edges = self.edges.get(found.pattern().as_usize()).copied().unwrap_or((true, true));
            if stands_alone(folded, found.start()..found.end(), edges) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Are there word boundaries round a piece of a text, where it needs them?
fn stands_alone(folded: &str, at: std::ops::Range<usize>, (start, end): (bool, bool)) -> bool {
    let before = folded.get(..at.start).and_then(|text| text.chars().next_back());
    let after = folded.get(at.end..).and_then(|text| text.chars().next());
    (!start || !before.is_some_and(is_word)) && (!end || !after.is_some_and(is_word))
}

/// Does a whole word occur in a text, as `words` takes it? Both are folded.
pub(in crate::rule) fn occurs_as_word(word: &str, text: &str) -> bool {
    let edges = (needs_boundary(word.chars().next()), needs_boundary(word.chars().next_back()));
    let found = |(at, _): (usize, char)| {
        text.get(at..).is_some_and(|rest| rest.starts_with(word)) && stands_alone(text, at..at + word.len(), edges)
    };
    text.char_indices().any(found)
}

/// What the regex crate says, in one line: its last, without the picture of the expression.
fn reason(why: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(limit) = why {
        return format!(
            "its compiled size is over the limit of {} KB; counted repetitions in each other multiply",
            limit / 1024
        );
    }
    let text = why.to_string();
    let last = text.lines().last().unwrap_or(&text).trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// Regular expressions, of which one must match; each fault is reported at its own.
pub(super) fn expressions(section: &mut Section<'_>, texts: &[At<String>]) -> Option<PatternSet> {
    let mut sound = true;
    for text in texts {
        // One by one first, so that the problem stands at the one that is wrong.
        if let Err(why) = RegexBuilder::new(&text.value).size_limit(EXPRESSION_LIMIT).build() {
            sound = false;
            let help = if matches!(why, regex::Error::CompiledTooBig(_)) {
                "write smaller counts, `+` for what may be long, or several expressions in an array"
            } else {
                "the syntax is that of https://docs.rs/regex: no look-around, no back-references"
            };
            let what = format!("this regular expression does not compile: {}", reason(&why));
            section.problem(&text.span, Code::Pattern, what, help);
        }
    }
    let list = texts.iter().map(|text| text.value.as_str());
    match sound.then(|| RegexSetBuilder::new(list).size_limit(SET_LIMIT).build())? {
        Ok(set) => Some(set.into()),
        Err(why) => {
            let span = texts.first().map_or_else(|| section.span(), |text| text.span.clone());
            section.problem(&span, Code::Pattern, format!("these expressions are too many: {}", reason(&why)), "");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::section::tests::read;

    const ALL: &[OptionDoc] = OF_TEXT;

    fn test(toml: &str) -> TextMatch {
        let (test, problems) = read(toml, |mut section| TextMatch::read(&mut section, ALL));
        assert!(problems.is_empty(), "{}", problems.render(false));
        test.unwrap()
    }

    fn problems(toml: &str) -> String {
        let (test, problems) = read(toml, |mut section| TextMatch::read(&mut section, ALL).is_none());
        assert!(test);
        problems.render(false)
    }

    #[track_caller]
    fn check(toml: &str, holds: &[&str], not: &[&str]) {
        let test = test(toml);
        for text in holds {
            assert!(test.holds(text, Late::NEVER), "{toml} holds for {text:?}");
        }
        for text in not {
            assert!(!test.holds(text, Late::NEVER), "{toml} does not hold for {text:?}");
        }
    }

    #[test]
    fn contains_ignores_case_and_the_sort_of_white_space() {
        check(
            r#"contains = "Top Secret""#,
            &["a TOP\u{a0}secret b", "top\r\n  secret", "xtop secrety", "top se\u{ad}cret"],
            &["topsecret", "top-secret", ""],
        );
        check(r#"contains = ["rot", "GRÜN"]"#, &["Brot", "grüner"], &["blau"]);
        check(
            r#"contains = ["STRASSE", "ΟΔΟΣ"]"#,
            &["Hauptstraße 3", "HAUPTSTRAẞE", "οδος", "Οδός, οδοσ"],
            &["Strase"],
        );
    }

    #[test]
    fn words_are_whole() {
        check(
            r#"words = ["secret", "top down", "C++", "Müller", "機密"]"#,
            &["Secret!", "(secret)", "a top\ndown b", "C++ code", "Herr MÜLLER", "これは機密です", "sécret secret"],
            &["secrets", "topsecret", "se cret", "top downs", "müllers", "secret_x", "2secret", ""],
        );
        // A longer match that is no word must not hide the word that ends in it.
        check(r#"words = ["ab cd", "cd"]"#, &["xab cd", "ab cd"], &["ab cdx"]);
    }

    #[test]
    fn matches_is_as_written() {
        check(r"matches = 'INV-\d{4}'", &["see INV-2024."], &["inv-2024", "INV-1"]);
        check(r"matches = ['(?i)inv', '^b']", &["INV", "bc"], &["ab"]);
    }

    #[test]
    fn contains_detects() {
        check(
            "contains = { detect = \"card\", at_least = 2, confidence = \"high\" }",
            &["4111 1111 1111 1111, 5555 5555 5555 4444"],
            &["4111 1111 1111 1111", "4111 1111 1111 1112, 5555 5555 5555 4445", ""],
        );
        check("contains = { pattern = 'EMP-\\d+', at_least = 2 }", &["EMP-1 EMP-2"], &["EMP-1"]);
    }

    #[test]
    fn problems_of_detectors_stand_at_their_keys() {
        let text = problems("contains = { detect = \"crd\", confidence = \"sure\", at_least = 0, label = \"X\" }\n");
        assert!(text.contains("did you mean `card`?"), "{text}");
        assert!(text.contains("`confidence` does not know"), "{text}");
        assert!(text.contains("`at_least` takes 1 to"), "{text}");
        assert!(text.contains("unknown key `label`"), "{text}");
        assert!(problems("contains = { at_least = 2 }\n").contains("`detect` or `pattern` is missing"));
    }

    #[test]
    fn of_several_tests_all_must_hold() {
        check("contains = \"a\"\nmatches = \"b\"", &["ab"], &["a", "b"]);
        assert!(test("").is_empty());
    }

    #[test]
    fn problems_stand_at_the_pattern() {
        let text = problems("matches = [\"ok\", \"(\", '\\w{1000}{1000}']\ncontains = [\"a\", \" \"]\n");
        assert!(text.contains("unclosed group"), "{text}");
        assert!(text.contains("size"), "{text}");
        assert!(text.contains("an empty text occurs in everything"), "{text}");
        assert_eq!(text.matches("R005").count(), 2, "{text}");
    }
}
