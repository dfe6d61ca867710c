//! What a target says of an input that fails, and the shortest input that still fails so.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::time::{Duration, Instant};

/// Making a finding small takes no longer than this.
const TIME: Duration = Duration::from_secs(20);

thread_local! {
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics are kept instead of printed.
pub fn catch_quietly() {
    set_hook(Box::new(|panic| {
        let what = panic.payload_as_str().unwrap_or("a panic without words");
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        let told = format!("{place}: {what}");
        LAST.with_borrow_mut(|last| *last = told);
    }));
}

/// Why the target fails on the input; `None` where it does not.
pub fn failure(target: &dyn Fn(&[u8]), input: &[u8]) -> Option<String> {
    LAST.with_borrow_mut(String::clear);
    catch_unwind(AssertUnwindSafe(|| target(input))).err().map(|_| LAST.with_borrow(String::clone))
}

/// Findings that differ in numbers only are one.
pub fn kind(failure: &str) -> String {
    failure.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).take(160).collect::<String>().replace("00", "0")
}

/// The input without all that it takes not to fail in the same way: lines first, then octets.
pub fn minimised(target: &dyn Fn(&[u8]), input: &[u8], wanted: &str) -> Vec<u8> {
    let until = Instant::now() + TIME;
    let mut input = input.to_vec();
    let fails = |input: &[u8]| failure(target, input).is_some_and(|what| kind(&what) == wanted);
    loop {
        let len = input.len();
        let mut size = len.div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < input.len() {
                if Instant::now() > until {
                    return input;
                }
                let without = [&input[..at], &input[(at + size).min(input.len())..]].concat();
                if fails(&without) {
                    input = without;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        if input.len() == len {
            return input;
        }
    }
}
