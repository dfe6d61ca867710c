//! TOML to rules, with places; collects every problem.

/// Every problem of a rule set, with the sources to show them in.
#[derive(Debug)]
pub struct Problems {}
