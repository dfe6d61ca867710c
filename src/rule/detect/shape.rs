//! How a number is written: which characters stand where, where separators may part them, and how sure that makes it.
//!
//! A form is one character for each of the number: `d` a digit, `A` a letter in either case, `X` one of both; a blank is
//! any separator, the same sort throughout; `-` and `.` are that separator; `/`, `(`, `)` are themselves.
//! Invariant: a form is of bounded length, and so is the look at a text for it.

use super::Confidence;
use super::digits::{self, Class};

/// Characters of the longest value.
pub const MAX_VALUE: usize = 40;

/// A form of a number, and how sure a valid number of that form is.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The form.
    pub form: &'static str,
    /// How sure it is by itself; `None`: it is nothing without a keyword.
    pub alone: Option<Confidence>,
    /// How sure it is with a keyword near.
    pub near: Confidence,
}

/// Little else has this form and passes the checks.
pub const fn sure(form: &'static str) -> Shape {
    Shape { form, alone: Some(Confidence::High), near: Confidence::High }
}

/// Some other numbers have this form and pass the checks.
pub const fn good(form: &'static str) -> Shape {
    Shape { form, alone: Some(Confidence::Medium), near: Confidence::High }
}

/// Many other numbers do; with a keyword it is sure.
pub const fn fair(form: &'static str) -> Shape {
    Shape { form, alone: Some(Confidence::Low), near: Confidence::High }
}

/// Many other numbers do, and the check is weak.
pub const fn weak(form: &'static str) -> Shape {
    Shape { form, alone: Some(Confidence::Low), near: Confidence::Medium }
}

/// There is no check: it is the keyword that tells.
pub const fn named(form: &'static str) -> Shape {
    Shape { form, alone: None, near: Confidence::Medium }
}

/// A number without separators, as it was read: digits and upper-case letters.
#[derive(Debug, Clone, Copy)]
pub struct Value {
    bytes: [u8; MAX_VALUE],
    len: usize,
}

impl Value {
    /// Nothing yet.
    pub const EMPTY: Self = Self { bytes: [0; MAX_VALUE], len: 0 };

    /// Add a character, in upper case; false where it is full.
    pub fn push(&mut self, byte: u8) -> bool {
        let Some(place) = self.bytes.get_mut(self.len) else { return false };
        *place = byte.to_ascii_uppercase();
        self.len += 1;
        true
    }

    /// Its characters.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The letters that a form begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    /// Characters of the words before the last one, each with the separator behind it.
    pub earlier: usize,
    /// Letters of the last word before the first digit.
    pub letters: usize,
    /// A separator parts them from what follows.
    pub parted: bool,
}

/// A match of a form.
#[derive(Debug, Clone, Copy)]
pub struct Match {
    /// Behind its last character.
    pub end: usize,
    /// What it reads.
    pub value: Value,
    /// What parts its groups; `None` where nothing does.
    pub class: Option<Class>,
}

impl Shape {
    /// What stands before the first character that may be a digit.
    pub fn lead(&self) -> Lead {
        let end = self.form.bytes().take_while(|c| b"A -.".contains(c)).count();
        let lead = self.form.get(..end).unwrap_or_default();
        let words = lead.trim_end_matches([' ', '-', '.']);
        let earlier = words.rfind([' ', '-', '.']).map_or(0, |at| at + 1);
        Lead { earlier, letters: words.len() - earlier, parted: words.len() < end }
    }

    /// The lengths of its first run of digits and of the second, where a separator parts them; 0 where something else
    /// follows the first. `None` for the first where it can vary.
    pub fn runs(&self) -> (usize, bool, usize) {
        let form = self.form.as_bytes();
        let Lead { earlier, letters, parted } = self.lead();
        let from = earlier + letters + usize::from(parted);
        let run = |from: usize| form.get(from..).unwrap_or_default().iter().take_while(|&&c| c == b'd').count();
        let first = run(from);
        let varies = form.get(from + first) == Some(&b'X');
        let parted = form.get(from + first).is_some_and(|c| b" -.".contains(c));
        let second = if parted { run(from + first + 1) } else { 0 };
        (first, varies, second)
    }

    /// Does the form stand at `start`?
    pub fn at(&self, bytes: &[u8], start: usize) -> Option<Match> {
        let mut value = Value::EMPTY;
        let mut at = start;
        let mut uniform: Option<Class> = None;
        for want in self.form.bytes() {
            if b" -.".contains(&want) {
                let (class, end) = digits::gap(bytes, at)?;
                let fits = match want {
                    b' ' => *uniform.get_or_insert(class) == class,
                    b'-' => class == Class::Dash,
                    _ => class == Class::Dot,
                };
                if !fits {
                    return None;
                }
                at = end;
                continue;
            }
            let &byte = bytes.get(at)?;
            let fits = match want {
                b'd' => byte.is_ascii_digit(),
                b'A' => byte.is_ascii_alphabetic(),
                b'X' => byte.is_ascii_alphanumeric(),
                _ => byte == want,
            };
            if !fits || (want.is_ascii_alphabetic() && !value.push(byte)) {
                return None;
            }
            at += 1;
        }
        let class = uniform.or_else(|| if self.form.contains('-') { Some(Class::Dash) } else { None });
        let class = class.or_else(|| if self.form.contains('.') { Some(Class::Dot) } else { None });
        Some(Match { end: at, value, class })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &'static str, text: &str) -> Option<String> {
        let found = sure(form).at(text.as_bytes(), 0)?;
        assert_eq!(found.end, text.trim_end_matches('!').len());
        Some(String::from_utf8(found.value.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn forms() {
        assert_eq!(read("ddd dd dddd", "123-45-6789!").as_deref(), Some("123456789"));
        assert_eq!(read("ddd dd dddd", "123 45 6789").as_deref(), Some("123456789"));
        assert_eq!(read("ddd dd dddd", "123 45-6789"), None);
        assert_eq!(read("ddd.ddd.ddd-dd", "529.982.247-25").as_deref(), Some("52998224725"));
        assert_eq!(read("ddd.ddd.ddd-dd", "529 982 247 25"), None);
        assert_eq!(read("AA dd dd dd A", "ab 12 34 56 c").as_deref(), Some("AB123456C"));
        assert_eq!(read("Adddddd(X)", "G123456(A)").as_deref(), Some("G123456A"));
        assert_eq!(read("dddddd/dddd", "710319/2745").as_deref(), Some("7103192745"));
        assert_eq!(read("ddd", "12"), None);
    }

    #[test]
    fn leads_and_runs() {
        let lead = |form| {
            let Lead { earlier, letters, parted } = sure(form).lead();
            (earlier, letters, parted)
        };
        assert_eq!(lead("AA dd dd dd A"), (0, 2, true));
        assert_eq!(lead("AAA AA dXAXX"), (4, 2, true));
        assert_eq!(lead("AXXX ddd"), (0, 1, false));
        assert_eq!(sure("AA dd dd dd A").runs(), (2, false, 2));
        assert_eq!(lead("AAAAAdddd"), (0, 5, false));
        assert_eq!(sure("ddd-dd").runs(), (3, false, 2));
        assert_eq!(sure("ddX").runs(), (2, true, 0));
    }
}
