//! For the tests of validators: published examples, and what is none.

use crate::rule::detect::catalog::{Find, named};

/// The validator of `detector` takes `good` and refuses `bad`.
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
    for value in bad {
        assert!(!valid(value.as_bytes()), "{detector} refuses {value}");
    }
}
