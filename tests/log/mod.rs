//! What the code under test logs, taken down for each thread by itself: tests run beside each other.
//!
//! `start` comes before anything that may log, in every test of the file: `tracing` remembers at the first event of each
//! place in the code whether anybody listens, and an event that comes first on a thread where nobody does may be lost to
//! all others.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    static LINES: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Every event, with all its fields and its level, whatever the level; and the fields of spans.
struct Log;

/// Begins to listen, for the whole process.
pub fn start() {
    // Others wait here until somebody listens; `set_global_default` by itself lets them pass while it is at work.
    static STARTED: Once = Once::new();
    STARTED.call_once(|| tracing::subscriber::set_global_default(Log).unwrap());
}

/// What this thread has logged since it was last asked, a line for each event.
pub fn take() -> String {
    LINES.take()
}

struct Line<'l>(&'l mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        LINES.with_borrow_mut(|lines| span.record(&mut Line(lines)));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        LINES.with_borrow_mut(|lines| values.record(&mut Line(lines)));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        LINES.with_borrow_mut(|lines| {
            event.record(&mut Line(lines));
            let _ = writeln!(lines, "level={}", event.metadata().level());
        });
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
