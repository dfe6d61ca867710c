//! The secrets that the function has, as the command line and the environment give them. An empty one is none.

use clap::Args;
use mailwright::flow::mark::StampKey;
use mailwright::rule::value_key::ValueKey;

/// `--stamp-key`.
#[derive(Debug, Args)]
pub struct StampOption {
    /// The secret of the processed mark, as the function has it; without it messages are not marked
    #[arg(long, value_name = "KEY", env = "MAILWRIGHT_STAMP_KEY", hide_env_values = true)]
    stamp_key: Option<String>,
}

impl StampOption {
    /// As it was given.
    pub fn text(&self) -> Option<&str> {
        not_empty(self.stamp_key.as_deref())
    }

    /// The error says what is wrong with it.
    pub fn key(&self) -> Result<Option<StampKey>, String> {
        self.text().map(StampKey::new).transpose().map_err(|error| format!("--stamp-key: {error}"))
    }
}

/// `--value-key`.
#[derive(Debug, Args)]
pub struct ValueOption {
    /// The secret of pseudonyms and of the digests of what redact found, as the function has it; without it rules with
    /// style = "pseudonym" cannot be used, and finds have no digest
    #[arg(long, value_name = "KEY", env = "MAILWRIGHT_VALUE_KEY", hide_env_values = true)]
    value_key: Option<String>,
}

impl ValueOption {
    /// As it was given.
    pub fn text(&self) -> Option<&str> {
        not_empty(self.value_key.as_deref())
    }

    /// The error says what is wrong with it.
    pub fn key(&self) -> Result<Option<ValueKey>, String> {
        self.text().map(ValueKey::new).transpose().map_err(|error| format!("--value-key: {error}"))
    }
}

fn not_empty(given: Option<&str>) -> Option<&str> {
    given.filter(|key| !key.trim().is_empty())
}
