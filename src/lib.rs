//! Mailwright rewrites mail in transit, byte-exact outside the edit.
//!
//! # Data flow
//!
//! ```text
//! rules/*.toml ── rule::file ──> every Problem │ or ─> Pipeline (compiled once, at start)
//!                                                  │
//! WorkMail event ── flow::workmail ─> Envelope ─┐  ▼
//!                                               ├─> Message ─> Draft ─> rule ─> rule ─> … ─> Edits ─> verify ─> Report
//! MessageFlow::fetch ─> bytes ──────────────────┘
//!    unchanged ─> answer only     changed ─> ObjectStore::put ─> MessageFlow::put_back ─> answer per recipient
//! ```
//!
//! [`message`] knows bytes and nothing of rules or AWS; [`rule`] knows what rules can say; [`pipeline`] runs them;
//! [`flow`] is the mail system that the message is in transit through. Messages and rules are plain functions without
//! I/O and without a clock, so the Lambda function, the command, the benchmarks and the fuzzers run the same code.

pub mod answers;
pub mod directory;
pub mod envelope;
pub mod facts;
pub mod flow;
pub mod hex;
pub mod message;
pub mod percent;
pub mod pipeline;
pub mod rule;
pub mod stored;
