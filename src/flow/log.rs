//! The function's log: one JSON object a line.
//!
//! Invariant (no content in logs): only what mailwright itself says is let through below warnings, as the SDKs' debug
//! output holds messages; and a panic is logged by its place, as its text may hold what it stumbled over.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Start it. `MAILWRIGHT_LOG` (`error`, `warn`, `info`, `debug`) says from which level on; `info` if it says nothing.
pub fn start() {
    let level = std::env::var("MAILWRIGHT_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let targets = Targets::new().with_default(LevelFilter::WARN.min(level)).with_target("mailwright", level);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_ansi(false);
    // A second start (in a test) leaves the first as it is.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "mailwright panicked; this is a bug in mailwright, please report it");
    }));
}
