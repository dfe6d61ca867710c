//! The mail system that a message is in transit through; for now Amazon WorkMail.
//!
//! [`handler::handle`] is the data flow from event to answer. It sees the outside only through the traits in [`ports`],
//! so that the Lambda function (`aws`, over the AWS SDK) and a replay on a laptop ([`memory`]) run the same code.
//!
//! Invariant (nothing lost): whatever fails, each recipient gets the message exactly as it came or exactly as
//! rewritten, or the invocation fails so that WorkMail tries again.

#[cfg(feature = "lambda")]
pub mod aws;
pub mod budget;
#[cfg(feature = "lambda")]
pub mod config;
pub mod directory;
pub mod earlier;
pub mod handler;
pub mod key;
#[cfg(feature = "lambda")]
pub mod log;
pub mod mark;
pub mod memory;
pub mod metrics;
pub mod mode;
pub mod ports;
pub mod provisions;
pub mod put_checks;
pub mod refresh;
pub mod report;
pub mod response;
pub mod rule_sets;
pub mod share;
mod whole;
pub mod workmail;
