//! TOML to rules, with places; collects every problem.

pub use super::problem::Problems;
