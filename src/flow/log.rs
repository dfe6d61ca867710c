//! The function's log: one JSON object a line.
//!
//! Invariant (no content in logs): only what mailwright itself says is let through below warnings, as the SDKs' debug
//! output holds messages; and a panic is logged by its place, as its text may hold what it stumbled over.
//!
//! A line that is written while an invocation is answered bears the spans that it stands in, first of all [`invocation`], by
//! which it is found among Lambda's own. With `debug` each span has a line when it ends, with the time it took (`time.busy`) and
//! waited (`time.idle`): every try of every call, and the run of the rules.

use tracing::Span;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Start it. `MAILWRIGHT_LOG` (`error`, `warn`, `info`, `debug`) says from which level on; `info` if it says nothing.
pub fn start() {
    let level = std::env::var("MAILWRIGHT_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let targets = Targets::new().with_default(LevelFilter::WARN.min(level)).with_target("mailwright", level);
    let debug = level >= LevelFilter::DEBUG;
    let ends = if debug { FmtSpan::CLOSE } else { FmtSpan::NONE };
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(debug);
    let lines = lines.with_span_list(true).with_span_events(ends).with_ansi(false);
    // A second start (in a test) leaves the first as it is.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "mailwright panicked; this is a bug in mailwright, please report it");
    }));
}

/// The span of an invocation: Lambda's id of it, which its own lines bear as well, and the id of the trace in X-Ray where this
/// one is recorded. `trace` is the header `Lambda-Runtime-Trace-Id`.
pub fn invocation(request_id: &str, trace: Option<&str>) -> Span {
    tracing::error_span!(target: "mailwright", "invocation", request_id, trace_id = trace.and_then(recorded))
}

/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1` (X-Ray Developer Guide, "Tracing header").
fn recorded(trace: &str) -> Option<&str> {
    let field = |name: &str| trace.split(';').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
    (field("Sampled") == Some("1")).then(|| field("Root")).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_named_where_it_is_recorded() {
        let root = "1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(recorded(&format!("Root={root};Parent=53995c3f42cd8ad8;Sampled=1")), Some(root));
        assert_eq!(recorded(&format!("Sampled=1; Root={root}")), Some(root));
        for other in [&format!("Root={root};Sampled=0"), &format!("Root={root}"), "", "Sampled=1", ";=;Root"] {
            assert_eq!(recorded(other), None, "{other}");
        }
    }
}
