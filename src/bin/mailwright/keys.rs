//! The secrets that the function has, as the command line and the environment give them. An empty one is none.

use mailwright::flow::mark::StampKey;
use mailwright::rule::value_key::ValueKey;

/// `--stamp-key`; the error says what is wrong with it.
pub fn stamp(given: Option<&str>) -> Result<Option<StampKey>, String> {
    not_empty(given).map(StampKey::new).transpose().map_err(|error| format!("--stamp-key: {error}"))
}

/// `--value-key`; the error says what is wrong with it.
pub fn value(given: Option<&str>) -> Result<Option<ValueKey>, String> {
    not_empty(given).map(ValueKey::new).transpose().map_err(|error| format!("--value-key: {error}"))
}

fn not_empty(given: Option<&str>) -> Option<&str> {
    given.filter(|key| !key.trim().is_empty())
}
