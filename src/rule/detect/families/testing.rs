//! For the tests of validators: published examples, and what is none.

use crate::rule::detect::DetectorSet;
use crate::rule::detect::catalog::{Find, named};

/// The validator of `detector` takes `good` and refuses `bad`; so does the detector behind a word that vouches for it.
#[track_caller]
pub fn check(detector: &str, good: &[&str], bad: &[&str]) {
    let specs = named(detector);
    let [spec] = specs.as_slice() else { panic!("one detector is named {detector}") };
    let Find::Number(shapes, valid) = spec.find else { panic!("{detector} is no number") };
    for value in good {
        assert!(valid(value.as_bytes()), "{detector} takes {value}");
        let length = |form: &str| form.bytes().filter(u8::is_ascii_alphabetic).count();
        assert!(shapes.iter().any(|shape| length(shape.form) == value.len()), "{detector} has a form for {value}");
    }
    let set = DetectorSet::built_in(&[detector]).expect("it has a name");
    let finds = |value: &str| {
        let mut text = format!("{}: {value}, thanks", spec.keywords.first().unwrap_or(&"see"));
        let found = set.find(&text).into_iter().find(|found| &text[found.range()] == value);
        if let Some(found) = &found {
            text.replace_range(found.range(), &format!("[{}]", spec.label));
            assert_eq!(set.find(&text), [], "{detector} finds something in its own label");
        }
        found.is_some()
    };
    // The value as each form writes it.
    let spelled = |value: &str| {
        let written = |form: &str| {
            let mut characters = value.chars();
            let each = form.chars().map(|c| if c.is_ascii_alphabetic() { characters.next() } else { Some(c) });
            each.collect::<Option<String>>().filter(|_| characters.next().is_none())
        };
        shapes.iter().filter_map(|shape| written(shape.form)).collect::<Vec<_>>()
    };
    for value in good {
        for text in spelled(value) {
            assert!(finds(&text), "{detector} finds {text}");
        }
        let variants = variants(value, valid);
        assert!(variants.iter().any(|(_, is_valid)| *is_valid), "{detector} takes none that is like {value}");
        for (other, is_valid) in variants {
            for text in spelled(&other) {
                for text in with_separators(&text) {
                    assert_eq!(finds(&text), is_valid, "{detector} and {text:?}");
                }
            }
        }
    }
    for value in bad {
        for text in spelled(value) {
            assert!(!finds(&text), "{detector} does not find {text}");
        }
    }
    for value in bad {
        assert!(!valid(value.as_bytes()), "{detector} refuses {value}");
    }
}

/// Values that are made of one by changing some of its digits and letters, some that the validator takes and some that it
/// does not.
fn variants(value: &str, valid: fn(&[u8]) -> bool) -> Vec<(String, bool)> {
    let mut state = 11_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let mut found = Vec::new();
    let mut counts = [0; 2];
    for _ in 0..TRIES {
        let mut other = value.as_bytes().to_vec();
        for _ in 0..=below(3) {
            let place = &mut other[below(value.len())];
            let (first, count) = if place.is_ascii_digit() { (b'0', 10) } else { (b'A', 26) };
            *place = first + u8::try_from(below(count)).unwrap();
        }
        let is_valid = valid(&other);
        let count = &mut counts[usize::from(is_valid)];
        *count += 1;
        if *count <= VARIANTS {
            found.push((String::from_utf8(other).unwrap(), is_valid));
        }
    }
    found
}

/// Values of each sort that are tried, and how often one is made up.
const VARIANTS: usize = 12;
const TRIES: usize = 2_000;

/// The same, parted by what else counts as that sort of separator.
fn with_separators(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    if text.contains(' ') {
        all.extend(["\u{a0}", "\u{2009}", "-", "\u{2013}"].map(|separator| text.replace(' ', separator)));
    }
    if text.contains('-') {
        all.push(text.replace('-', "\u{2011}"));
    }
    all
}
