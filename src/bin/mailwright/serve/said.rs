//! What a function that serve has started says in its log of a message, where it is the function of this project.
//!
//! Another function that answers does not say why. This one writes a line for each message, with the names of the rules that
//! matched: `docs/operations.md`, "The line of a message".

use mailwright::flow::key::MessageId;
use serde_json::Value;

/// Most characters of a line's error that are shown.
const MAX_ERROR: usize = 500;

/// The line of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Names of the rules that acted.
    pub matched: Vec<String>,
    /// Those in audit that would have.
    pub audited: Vec<String>,
    /// Those that met something protected.
    pub skipped: Vec<String>,
    /// Those that failed.
    pub failed: Vec<String>,
    /// Places that were changed.
    pub edits: u64,
    /// What went wrong.
    pub error: Option<String>,
}

impl Said {
    /// Read a line that a function wrote; `None` for every other line.
    pub fn read(line: &[u8]) -> Option<(MessageId, Self)> {
        if !line.starts_with(b"{") {
            return None;
        }
        let line: Value = serde_json::from_slice(line).ok()?;
        let text = |key: &str| line.get(key).and_then(Value::as_str);
        if text("message") != Some("message handled") {
            return None;
        }
        let id = MessageId::new(text("message_id")?).ok()?;
        let names = |key: &str| -> Vec<String> {
            let names = text(key).unwrap_or_default().split(',').filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        let said = Self {
            matched: names("rules_matched"),
            audited: names("rules_audited"),
            skipped: names("rules_skipped"),
            failed: names("rules_failed"),
            edits: line.get("edits").and_then(Value::as_u64).unwrap_or_default(),
            error: text("error").map(|error| error.chars().take(MAX_ERROR).collect()),
        };
        Some((id, said))
    }

    /// All that met the message.
    pub fn met(&self) -> impl Iterator<Item = &str> {
        [&self.matched, &self.audited, &self.skipped, &self.failed].into_iter().flatten().map(String::as_str)
    }

    /// In lines for people.
    pub fn lines(&self) -> Vec<String> {
        let kinds = [
            ("rules that matched", &self.matched),
            ("in audit, would have acted", &self.audited),
            ("rules that met something protected", &self.skipped),
            ("rules that failed", &self.failed),
        ];
        let named = kinds.into_iter().filter(|(_, names)| !names.is_empty());
        let mut lines: Vec<String> =
            named.map(|(what, names)| format!("the function's log: {what}: {}", names.join(", "))).collect();
        if lines.is_empty() {
            lines.push("the function's log: no rule matched".to_owned());
        }
        lines.extend(self.error.iter().map(|error| format!("the function's log: {error}")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_message_says_which_rules_matched() {
        let line = br#"{"timestamp":"t","level":"INFO","message":"message handled","fate":"rewritten","message_id":"4c7d0c1e-3f0b",
            "rules_matched":"footer,tag","rules_audited":"watch","edits":2}"#;
        let (id, said) = Said::read(line).unwrap();
        assert_eq!((id.as_str(), said.edits), ("4c7d0c1e-3f0b", 2));
        assert_eq!(said.met().collect::<Vec<_>>(), ["footer", "tag", "watch"]);
        assert_eq!(
            said.lines(),
            [
                "the function's log: rules that matched: footer, tag",
                "the function's log: in audit, would have acted: watch"
            ]
        );
        assert_eq!(Said::default().lines(), ["the function's log: no rule matched"]);
    }

    #[test]
    fn other_lines_say_nothing() {
        for line in [
            &b""[..],
            b"START RequestId",
            b"{",
            b"{}",
            b"[1]",
            br#"{"message":"message handled"}"#,
            br#"{"message":"message handled","message_id":"../x"}"#,
            br#"{"message":"something else","message_id":"a-1"}"#,
        ] {
            assert_eq!(Said::read(line), None);
        }
    }
}
