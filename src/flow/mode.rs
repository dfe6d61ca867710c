//! What the function does with what the rules ask for: for a change of rules that nobody has to be afraid of.
//!
//! Invariant: in every mode but `enforce`, each message is delivered to everybody as it came, whatever fails.

use serde::Serialize;

/// What is done with what the rules ask for, for all messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowMode {
    /// It is done.
    #[default]
    Enforce,
    /// Nothing: the rules are run, and the report and the log say what they would have done.
    Audit,
    /// As `Audit`, and what a message would have become is stored: under a key of its own, which the log names.
    Shadow,
    /// The rules are not run and the message is not fetched: the switch for when something is wrong with either.
    Off,
}

impl FlowMode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Enforce, Self::Audit, Self::Shadow, Self::Off];

    /// Its word in configuration, log and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }

    /// The mode of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}
