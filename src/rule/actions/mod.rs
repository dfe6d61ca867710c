//! One file per kind of action; the list that names them all.

use super::ActionKind;

/// Every kind of action. Adding one: its file, and a line here.
pub const KINDS: &[ActionKind] = &[];
