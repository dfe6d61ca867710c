//! One file per kind of condition; the list that names them all.

use super::ConditionKind;

/// Every kind of condition. Adding one: its file, and a line here.
pub const KINDS: &[ConditionKind] = &[];
