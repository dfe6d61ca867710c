//! Detectors that a rule set defines: `[[detector]]` tables with patterns or phrases, validators and keywords.
//!
//! Invariant: a detector that could be read can be compiled; every way to be wrong is a problem at its key.

use std::sync::Arc;

use super::check;
use super::context::MAX_WORD;
use super::dictionary::{self, Dictionary};
use super::{Confidence, catalog, custom, read};
use crate::rule::pattern::Pattern;
use crate::rule::problem::Code;
use crate::rule::section::{At, Holds, Section};
use crate::rule::tables;
use crate::rule::takes::keys;
use crate::rule::toml_value::shown;

/// Detectors of one rule set.
pub const MAX_DETECTORS: usize = 100;
/// Keywords of one detector.
const MAX_KEYWORDS: usize = 500;
/// Characters of a name.
const MAX_NAME: usize = 40;

/// A detector of the rule set.
#[derive(Debug)]
pub struct OwnDetector {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) patterns: Vec<Pattern>,
    pub(super) dictionary: Option<Dictionary>,
    pub(super) checks: Vec<Check>,
    pub(super) keywords: Vec<String>,
    /// How sure a find is by itself.
    pub(super) alone: Confidence,
    /// How sure it is with a keyword near.
    pub(super) near: Confidence,
}

impl OwnDetector {
    /// Finds these phrases and nothing else; the error says why it cannot.
    pub(super) fn of_phrases<'p>(phrases: impl Iterator<Item = &'p str>) -> Result<Self, String> {
        Ok(Self {
            name: "words".to_owned(),
            label: String::new(),
            patterns: Vec::new(),
            dictionary: Some(Dictionary::new(phrases)?),
            checks: Vec::new(),
            keywords: Vec::new(),
            alone: Confidence::High,
            near: Confidence::High,
        })
    }
}

/// A validator by name; all that a detector names must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// The digits pass Luhn.
    Luhn,
    /// As IBANs: the first four characters moved to the end, modulo 97.
    Mod97,
    /// ISO 7064 MOD 11,10 over the digits.
    Mod11_10,
    /// Verhoeff over the digits.
    Verhoeff,
    /// The digits but the last times these weights; the last is 11 less the remainder by 11, 10 and 11 as X and 0.
    Mod11(Vec<u32>),
    /// The same modulo 10.
    Mod10(Vec<u32>),
    /// The digits begin or end with a date: `YYYYMMDD`, `YYMMDD` or `DDMMYY`, with a century or not.
    Date,
    /// Bits of information in each character, more than this.
    Entropy(f64),
    /// None of these, compared without separators and in any case.
    NotIn(Vec<String>),
}

/// The validators for the help of problems.
const CHECKS: &str = "luhn, mod97, mod11_10, verhoeff, mod11(weights), mod10(weights), date, entropy>3.5, not_in(a, b)";

fn normal(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

impl Check {
    /// Read one; `None` where there is no such validator.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner = |name: &str| text.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')');
        let weights = |list: &str| -> Option<Vec<u32>> {
            let weights = list.split(',').map(|weight| weight.trim().parse().ok().filter(|w| *w < 1_000));
            weights.collect::<Option<Vec<u32>>>().filter(|weights| weights.len() <= 40)
        };
        match text {
            "luhn" => Some(Self::Luhn),
            "mod97" => Some(Self::Mod97),
            "mod11_10" => Some(Self::Mod11_10),
            "verhoeff" => Some(Self::Verhoeff),
            "date" => Some(Self::Date),
            _ => {
                if let Some(bits) = text.strip_prefix("entropy") {
                    let bits: f64 = bits.trim().strip_prefix('>')?.trim().parse().ok()?;
                    return (0.0..8.0).contains(&bits).then_some(Self::Entropy(bits));
                }
                if let Some(list) = inner("not_in") {
                    let list: Vec<String> = list.split(',').map(normal).filter(|value| !value.is_empty()).collect();
                    return (!list.is_empty()).then_some(Self::NotIn(list));
                }
                inner("mod11")
                    .and_then(weights)
                    .map(Self::Mod11)
                    .or_else(|| inner("mod10").and_then(weights).map(Self::Mod10))
            }
        }
    }

    /// Does it hold for what was found?
    pub fn holds(&self, found: &str) -> bool {
        let value = normal(found);
        let digits: Vec<u8> = value.bytes().filter(u8::is_ascii_digit).collect();
        let weighted = |weights: &[u32], modulus: u32| {
            let (last, rest) = value.as_bytes().split_last()?;
            let rest: Vec<u8> = rest.iter().copied().filter(u8::is_ascii_digit).collect();
            let sum = check::weighted(&rest, weights).filter(|_| rest.len() == weights.len())?;
            let last = if *last == b'X' { 10 } else { check::digit(*last)? };
            Some((modulus - sum % modulus) % modulus == last)
        };
        match self {
            Self::Luhn => !digits.is_empty() && check::luhn(&digits),
            Self::Mod97 => value.len() > 4 && check::mod97(value.as_bytes()),
            Self::Mod11_10 => check::mod11_10(&digits),
            Self::Verhoeff => !digits.is_empty() && check::verhoeff(&digits),
            Self::Mod11(weights) => weighted(weights, 11).unwrap_or(false),
            Self::Mod10(weights) => weighted(weights, 10).unwrap_or(false),
            Self::Date => {
                let is_date = |digits: &[u8]| check::yymmdd(digits) || check::ddmmyy(digits);
                let tail = digits.get(digits.len().saturating_sub(6)..).unwrap_or_default();
                check::yyyymmdd(&digits) || is_date(&digits) || is_date(tail)
            }
            Self::Entropy(bits) => check::entropy(found.as_bytes()) > *bits,
            Self::NotIn(list) => !list.contains(&value),
        }
    }
}

/// Read the `[[detector]]`s of one file; they are kept for the rules of all files.
pub fn read_own(mut file: Section<'_>) {
    if file.holds("detector") == Holds::Nothing {
        return;
    }
    for table in file.sections("detector").unwrap_or_default() {
        if table.own_detectors().len() >= MAX_DETECTORS {
            let span = table.span();
            file.problem(&span, Code::WrongValue, format!("more than {MAX_DETECTORS} detectors"), "");
            return;
        }
        if let Some(detector) = read_one(table) {
            file.keep_detector(Arc::new(detector));
        }
    }
}

fn read_one(mut table: Section<'_>) -> Option<OwnDetector> {
    let name = read_name(&mut table);
    let label = read_label(&mut table, name.as_deref());
    let patterns = read_patterns(&mut table);
    let dictionary = read_phrases(&mut table);
    if table.holds("pattern") == Holds::Nothing && table.holds("phrases") == Holds::Nothing {
        let span = table.span();
        let help = "a detector finds what a `pattern` matches, or `phrases`";
        table.problem(&span, Code::Missing, "`pattern` or `phrases` is missing", help);
    }
    let checks = read_checks(&mut table);
    let keywords = read_keywords(&mut table);
    let words = [("low", Confidence::Low), ("medium", Confidence::Medium), ("high", Confidence::High)];
    let given = ["confidence", "near"].map(|key| table.holds(key) != Holds::Nothing);
    let [alone, near] = ["confidence", "near"].map(|key| table.choice(key, &words));
    let sound = (!given[0] || alone.is_some()) && (!given[1] || near.is_some());
    if let (Some(at), Some([])) = (&near, keywords.as_deref()) {
        let help = "leave `near` out, or say with `keywords` what must stand near";
        table.problem(&at.span, Code::WrongValue, "`near` goes with `keywords` only", help);
    }
    table.finish("detector", &keys(tables::DETECTOR));
    let keywords = keywords?;
    let default = if keywords.is_empty() { Confidence::High } else { Confidence::Low };
    let detector = OwnDetector {
        name: name?,
        label: label?,
        patterns: patterns?,
        dictionary: dictionary?,
        checks: checks?,
        alone: alone.map_or(default, |at| at.value),
        near: near.map_or(Confidence::High, |at| at.value),
        keywords,
    };
    (sound && (!detector.patterns.is_empty() || detector.dictionary.is_some())).then_some(detector)
}

fn read_name(table: &mut Section<'_>) -> Option<String> {
    if table.holds("name") == Holds::Nothing {
        table.missing("name");
        return None;
    }
    let name = table.string("name")?;
    let sound = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    if name.value.is_empty() || name.value.len() > MAX_NAME || !name.value.bytes().all(sound) {
        let help = format!("a name has 1 to {MAX_NAME} lower-case letters, digits and `-`");
        table.problem(&name.span, Code::WrongValue, "this cannot be the name of a detector", help);
        return None;
    }
    let taken = !catalog::named(&name.value).is_empty() || name.value == custom::PATTERN;
    if taken || table.own_detectors().iter().any(|own| own.name == name.value) {
        let what = format!("there is a detector or group named `{}` already", name.value);
        table.problem(&name.span, Code::Duplicate, what, "give it another name");
        return None;
    }
    Some(name.value)
}

fn read_label(table: &mut Section<'_>, name: Option<&str>) -> Option<String> {
    if table.holds("label") == Holds::Nothing {
        return Some(name.unwrap_or_default().to_ascii_uppercase());
    }
    let label = table.string("label")?;
    if read::is_label(&label.value) {
        return Some(label.value.trim().to_owned());
    }
    let help = "1 to 40 printable ASCII characters, which can be written in every charset";
    table.problem(&label.span, Code::WrongValue, "this cannot be a label", help);
    None
}

fn read_patterns(table: &mut Section<'_>) -> Option<Vec<Pattern>> {
    if table.holds("pattern") == Holds::Nothing {
        return Some(Vec::new());
    }
    let patterns = table.strings("pattern")?;
    let mut compiled = Vec::with_capacity(patterns.len());
    for pattern in &patterns {
        match custom::compile(&pattern.value) {
            Ok(regex) => compiled.push(regex),
            Err(why) => {
                let what = format!("the regular expression cannot be used: {why}");
                table.problem(&pattern.span, Code::Pattern, what, "");
            }
        }
    }
    (compiled.len() == patterns.len()).then_some(compiled)
}

/// An array of phrases, or `{ file = "…" }` with one a line.
#[expect(clippy::option_option, reason = "none given is not none that can be used")]
fn read_phrases(table: &mut Section<'_>) -> Option<Option<Dictionary>> {
    let holds = table.holds("phrases");
    let (phrases, span) = match holds {
        Holds::Nothing => return Some(None),
        Holds::Table => {
            let mut below = table.section("phrases")?;
            if below.holds("file") == Holds::Nothing {
                below.missing("file");
            }
            let file = below.string("file");
            below.finish("phrases", &["file"]);
            let At { value, span } = file?;
            match table.read_large_file(&value, dictionary::MAX_FILE) {
                Ok(text) => {
                    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
                    (lines.map(str::to_owned).collect::<Vec<_>>(), span)
                }
                Err(why) => {
                    let what = format!("`{}` cannot be used as a dictionary: {why}", shown(&value));
                    let help = "a dictionary is a text file in the rules folder, one phrase a line";
                    table.problem(&span, Code::Unreadable, what, help);
                    return None;
                }
            }
        }
        _ => {
            let span = table.span_of("phrases");
            (table.strings("phrases")?.into_iter().map(|phrase| phrase.value).collect(), span)
        }
    };
    let fault = if phrases.is_empty() {
        Some("the dictionary holds no phrases".to_owned())
    } else if phrases.len() > dictionary::MAX_PHRASES {
        Some(format!("{} phrases; {} are allowed", phrases.len(), dictionary::MAX_PHRASES))
    } else {
        let bad = |phrase: &String| phrase.trim().is_empty() || phrase.len() > dictionary::MAX_PHRASE;
        let line = phrases.iter().position(bad);
        line.map(|line| {
            let bytes = phrases.get(line).map_or(0, String::len);
            format!("phrase {} has {bytes} bytes; 1 to {} are allowed", line + 1, dictionary::MAX_PHRASE)
        })
    };
    let compiled = match fault {
        Some(fault) => Err(fault),
        None => Dictionary::new(phrases.iter().map(String::as_str)),
    };
    match compiled {
        Ok(dictionary) => Some(Some(dictionary)),
        Err(what) => {
            table.problem(&span, Code::WrongValue, what, "");
            None
        }
    }
}

fn read_checks(table: &mut Section<'_>) -> Option<Vec<Check>> {
    if table.holds("check") == Holds::Nothing {
        return Some(Vec::new());
    }
    let names = table.strings("check")?;
    let mut checks = Vec::with_capacity(names.len());
    for name in &names {
        if let Some(check) = Check::parse(&name.value) {
            checks.push(check);
        } else {
            let what = format!("there is no validator \"{}\"", shown(&name.value));
            table.problem(&name.span, Code::WrongValue, what, format!("validators: {CHECKS}"));
        }
    }
    (checks.len() == names.len()).then_some(checks)
}

fn read_keywords(table: &mut Section<'_>) -> Option<Vec<String>> {
    if table.holds("keywords") == Holds::Nothing {
        return Some(Vec::new());
    }
    let words = table.strings("keywords")?;
    let mut sound = words.len() <= MAX_KEYWORDS;
    if !sound {
        let span = table.span_of("keywords");
        table.problem(&span, Code::WrongValue, format!("{} keywords; {MAX_KEYWORDS} are allowed", words.len()), "");
    }
    for word in &words {
        if word.value.trim().is_empty() || word.value.len() > MAX_WORD {
            table.problem(&word.span, Code::WrongValue, format!("a keyword has 1 to {MAX_WORD} bytes"), "");
            sound = false;
        }
    }
    sound.then(|| words.into_iter().map(|word| word.value.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_by_name() {
        for (check, good, bad) in [
            ("luhn", "7992-7398-713", "79927398710"),
            ("mod97", "GB29 NWBK 6016 1331 9268 19", "GB28NWBK60161331926819"),
            ("mod11(10,9,8,7,6,5,4,3,2)", "943 476 5919", "9434765918"),
            ("mod10 (3, 7, 1, 3, 7, 1, 3, 7)", "021000021", "021000022"),
            ("verhoeff", "2363", "2364"),
            ("mod11_10", "86095742719", "86095742718"),
            ("date", "850730-1234", "851330-1999"),
            ("entropy>2.5", "a8Fk2LpQ", "aaaaaaaa"),
            ("not_in(EMP-000, emp 001)", "EMP-002", "emp001"),
        ] {
            let check = Check::parse(check).unwrap_or_else(|| panic!("{check}"));
            assert!(check.holds(good), "{check:?} holds for {good}");
            assert!(!check.holds(bad), "{check:?} does not hold for {bad}");
        }
        for check in ["lunh", "mod11", "mod11()", "mod11(a)", "entropy", "entropy>x", "entropy>9", "not_in()", ""] {
            assert_eq!(Check::parse(check), None, "{check}");
        }
    }

    /// The set that a rule with `detect = "all"` or a name gets, from the tables of another file.
    fn set(tables: &str, options: &str) -> crate::rule::detect::DetectorSet {
        use crate::rule::section::tests::read;
        let ((), problems) = read(tables, |file| {
            read_own(file);
        });
        assert!(problems.is_empty(), "{problems}");
        let text = format!("{tables}\n[use]\n{options}\n");
        let (set, problems) = read(&text, |mut file| {
            let mut table = file.section("use").unwrap();
            read_own(file);
            read::read_detectors(&mut table, &[])
        });
        set.unwrap_or_else(|| panic!("{problems}"))
    }

    fn hits<'t>(set: &crate::rule::detect::DetectorSet, text: &'t str) -> Vec<(String, &'t str)> {
        let finds = set.find(text).into_iter();
        finds.map(|found| (set.name(found.detector).to_owned(), &text[found.range()])).collect()
    }

    #[test]
    fn patterns_checks_and_keywords() {
        let tables = "[[detector]]\nname = \"member\"\npattern = '\\b\\d{4}-\\d{4}\\b'\ncheck = \"luhn\"\nkeywords = [\"member\", \"Mitglied\"]\n";
        let found = set(tables, "detect = \"member\"");
        assert_eq!(hits(&found, "Member 1234-5674"), [("member".to_owned(), "1234-5674")]);
        assert_eq!(hits(&found, "mitglied: 1234\u{2011}5674"), [("member".to_owned(), "1234\u{2011}5674")]);
        assert_eq!(hits(&found, "Member 1234-5675, 1234-56740"), []);
        assert_eq!(hits(&found, "order 1234-5674"), []);
        let low = set(tables, "detect = \"member\"\nconfidence = \"low\"");
        assert_eq!(hits(&low, "order 1234-5674").len(), 1);
        assert_eq!(low.label(low.find("1234-5674")[0].detector), "MEMBER");
    }

    #[test]
    fn the_group_named_value_is_what_is_found() {
        let tables = "[[detector]]\nname = \"case\"\npattern = 'case (?<value>[0-9]+)'\nlabel = \"CASE NUMBER\"\n";
        let set = set(tables, "detect = [\"case\", \"card\"]");
        assert_eq!(hits(&set, "in case 4711 of"), [("case".to_owned(), "4711")]);
        assert_eq!(set.label(set.find("case 4711")[0].detector), "CASE NUMBER");
    }

    #[test]
    fn a_hundred_thousand_phrases() {
        let phrases: Vec<String> = (0..100_000).map(|n| format!("project {n} alpha")).collect();
        let dictionary = Dictionary::new(phrases.iter().map(String::as_str)).unwrap();
        let mut found = 0;
        let text = "Project 99999\r\nAlpha, project 100000 alpha, project 0 alpha";
        let ended = dictionary.find(text, crate::rule::Late::NEVER, &mut |_| {
            found += 1;
            true
        });
        assert_eq!(ended, Ok(()));
        assert_eq!(found, 2);
    }

    #[test]
    fn phrases_in_the_rule_set() {
        let tables = "[[detector]]\nname = \"names\"\nphrases = [\"Blue Heron\", \"Zebra\"]\n";
        let set = set(tables, "detect = \"all\"");
        let found = hits(&set, "blue  heron and \u{ff5a}ebra, zebras");
        assert_eq!(found, [("names".to_owned(), "blue  heron"), ("names".to_owned(), "\u{ff5a}ebra")]);
    }
}
