//! `direction`: which way the message goes.

use crate::envelope::Direction;
use crate::rule::section::Section;
use crate::rule::{Condition, ConditionKind, Scene, Takes};

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "direction",
    doc: "Tests which way the message goes: \"inbound\" to mailboxes of the organization, \"outbound\" from its users.",
    takes: Takes::Word(&["inbound", "outbound"]),
    example: "direction = \"outbound\"",
    compile,
};

#[derive(Debug)]
struct Is(Direction);

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let words = [Direction::Inbound, Direction::Outbound].map(|direction| (direction.as_str(), direction));
    Some(Box::new(Is(section.choice(key, &words)?.value)))
}

impl Condition for Is {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        scene.envelope.direction == self.0
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        Some(scene.envelope.direction.to_string())
    }
    fn direction(&self) -> Option<Direction> {
        Some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds, problems};

    #[test]
    fn the_direction_of_the_envelope() {
        assert!(holds("direction = \"outbound\"", "Subject: x\n\ny"));
        assert!(!holds("direction = \"inbound\"", "Subject: x\n\ny"));
        assert!(problems("direction = \"outgoing\"").contains("\"inbound\", \"outbound\""));
    }
}
