//! `size`: how large the message is.

use crate::rule::section::Section;
use crate::rule::{Condition, ConditionKind, Scene, Takes};

use super::range::{self, SizeRange};

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "size",
    doc: "Tests the size of the whole message as it came in, in octets, encodings included.",
    takes: Takes::Table(range::OPTIONS),
    example: "size = { over = \"10 MB\" }",
    compile,
};

#[derive(Debug)]
struct Size(SizeRange);

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    Some(Box::new(Size(SizeRange::read(section.section(key)?, key)?)))
}

impl Condition for Size {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.0.holds(scene.draft.message().raw().len() as u64)
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        Some(format!("{} octets", scene.draft.message().raw().len()))
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds, problems};

    /// 40 octets with CRLF.
    const MESSAGE: &str = "Subject: hello\n\n0123456789\n0123456789";

    #[test]
    fn over_and_under() {
        assert!(holds("size = { over = 39, under = 41 }", MESSAGE));
        assert!(!holds("size = { over = 40 }", MESSAGE));
        assert!(!holds("size = { under = 40 }", MESSAGE));
        assert!(holds("size = { under = \"1 KB\" }", MESSAGE));
    }

    #[test]
    fn limits_must_leave_room() {
        assert!(problems("size = {}").contains("neither `over` nor `under`"));
        assert!(problems("size = { over = 10, under = 11 }").contains("no size"));
        assert!(problems("size = { over = \"much\" }").contains("R003"));
    }
}
