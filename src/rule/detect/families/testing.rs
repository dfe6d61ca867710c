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
        let text = format!("{}: {value}, thanks", spec.keywords.first().unwrap_or(&"see"));
        set.find(&text).into_iter().any(|found| &text[found.range] == value)
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
