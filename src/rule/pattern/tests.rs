//! What is found in steps is what the `regex` crate finds.

use super::threads::Threads;
use super::*;
use crate::rule::late::Steps;
use std::cell::Cell;
use std::time::Instant;

const EXPRESSIONS: &[&str] = &[
    "a+",
    "a+?",
    "ab|a",
    "a|ab",
    "(a|b)*c|a",
    r"\bab\b",
    r"\Bb",
    r"\b",
    "(?m)^a$",
    "(?m)^",
    r"a\z",
    r"\Aa",
    "é+",
    r"(?i)É|ß",
    r"\w+@\w+",
    r"(?s)a.*b",
    r"[^a]b",
    r"(?-u:\b)ab",
    r"(?R)(?m)a$",
    r"\d{2,3}",
    "x*y",
    r"\b\w{2}\b",
    "€|b€",
    "",
    "(?:)",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "ab",
    "aab abc cab",
    "ééab éab ab",
    "a\nab\r\na\n",
    "a@é b@c",
    "12345 6 78",
    "xxxy xy y",
    "日本ab語 ab",
    "Éß éSS",
    "€b€ ab€",
    "a\r\n\r\na",
];

fn by_regex(expression: &str, text: &str) -> Vec<Range<usize>> {
    let regex = Regex::new(expression).unwrap();
    regex.find_iter(text).filter(|hit| !hit.is_empty()).map(|hit| hit.range()).collect()
}

#[test]
fn what_is_found_is_what_the_crate_finds() {
    for expression in EXPRESSIONS {
        let stepped = Stepped::finding(expression).unwrap();
        let set = Stepped::matching(&[(*expression).to_owned()]).unwrap();
        for text in TEXTS {
            let want = by_regex(expression, text);
            let mut found = Vec::new();
            stepped
                .find(text, Late::NEVER, &mut |range| {
                    found.push(range);
                    true
                })
                .unwrap();
            assert_eq!(found, want, "{expression:?} in {text:?}");
            let is_match = Regex::new(expression).unwrap().is_match(text);
            assert_eq!(set.is_match(text, Late::NEVER), Ok(is_match), "{expression:?} in {text:?}");
        }
    }
}

#[test]
fn threads_find_the_same() {
    for expression in EXPRESSIONS {
        let nfa = regex_automata::nfa::thompson::NFA::new(expression).unwrap();
        let mut threads = Threads::new(&nfa);
        let regex = Regex::new(expression).unwrap();
        for text in TEXTS {
            for from in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                let mut steps = Steps::new(Late::NEVER, 7);
                let found = threads.find(text, from, false, &mut steps).unwrap();
                let want = regex.find_at(text, from).map(|hit| hit.range());
                assert_eq!(found, want, "{expression:?} in {text:?} from {from}");
            }
        }
    }
}

/// Words of these characters in no order that an automaton could learn.
fn disorder(characters: &[char], length: usize) -> String {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        characters[(state >> 16) as usize % characters.len()]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn a_search_that_takes_long_ends_when_time_is_up() {
    for (expression, text) in [
        ("a[ab]{300}[c-z]", disorder(&['a', 'b'], 1_000_000)),
        (r"\b[aé][aé]{200}[c-z]", disorder(&['a', 'é', ' '], 1_000_000)),
        (r"(\w+\s?){30}!", disorder(&['a', 'é', ' '], 1_000_000)),
    ] {
        let pattern = Pattern::from(Regex::new(expression).unwrap());
        let text = text.as_str();
        let looks = Cell::new(0);
        let is_late = || {
            looks.set(looks.get() + 1);
            looks.get() > 3
        };
        let begun = Instant::now();
        assert_eq!(pattern.find(text, Late::new(&is_late), &mut |_| true), Err(TimeUp));
        let set = PatternSet::from(RegexSet::new([pattern.regex().as_str()]).unwrap());
        assert_eq!(set.is_match(text, Late::new(&is_late)), Err(TimeUp));
        assert!(looks.get() > 3 && begun.elapsed().as_secs() < 20);
    }
}

#[test]
fn a_large_text_is_searched_to_its_end() {
    let text = format!("{}12-34 x", "a1 bé2\n".repeat(300_000));
    for expression in [r"(\d+)-(\d+)( x)$", r"\b(\d+)-(\d+)( x)", r"(\d+)-(\d+)\b( x)?"] {
        let pattern = Pattern::from(Regex::new(expression).unwrap());
        assert!(for_large(&pattern.stepped, &text, || Stepped::finding(expression)).is_some(), "{expression}");
        let mut groups = Vec::new();
        pattern
            .captures(&text, Late::NEVER, &mut |captures| {
                groups.extend(captures.iter().flatten().map(|group| group.as_str()));
                true
            })
            .unwrap();
        assert_eq!(groups, ["12-34 x", "12", "34", " x"], "{expression}");
        let set = PatternSet::from(RegexSet::new([expression, "never"]).unwrap());
        assert_eq!(set.is_match(&text, Late::NEVER), Ok(true));
        assert_eq!(set.is_match(&text[..text.len() - 9], Late::NEVER), Ok(false));
    }
}

#[test]
fn groups_are_those_of_the_match_that_was_found() {
    // What stands behind the match decides, and what is cut off behind it must not.
    let pattern = Pattern::from(Regex::new(r"(ab)$|(a)").unwrap());
    let at = |text: &str, range| {
        let captures = pattern.captures_at(text, &range).unwrap();
        (captures.get_match().range(), captures.get(1).is_some())
    };
    assert_eq!(at("abcd", 0..1), (0..1, false));
    assert_eq!(at("abc", 0..1), (0..1, false));
    assert_eq!(at("xxab", 2..4), (2..4, true));
}
