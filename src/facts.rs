//! What rules know beyond the message and its envelope: handed in by whoever runs them.
//!
//! Rules do no I/O and have no clock. Invariant: the same message, envelope and facts give the same outcome, wherever
//! they are run.

pub use jiff::Timestamp;

use crate::directory::People;
use crate::stored::Links;

/// Where the time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The machine's.
    System,
    /// It stands still, for replays and tests.
    Fixed(Timestamp),
}

impl Clock {
    /// What time it is.
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => at,
        }
    }
}

/// What is known when a message passes.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// When it passes. `None`: nobody said, and what asks for the time does not hold.
    pub now: Option<Timestamp>,
    /// Who sends and gets it, as far as the rules asked for it.
    pub people: People,
    /// How links to stored attachments are made.
    pub links: Links,
}
