//! The function as it runs here: its own handler, with one message in memory.

use std::cell::{Cell, RefCell};
use std::panic;
use std::time::Duration;

use bytes::Bytes;
use mailwright::flow::handler::{Fate, Handled, Settings, handle};
use mailwright::flow::key::Bucket;
use mailwright::flow::ports::{Content, MessageFlow, ObjectStore};
use mailwright::pipeline::Pipeline;
use mailwright::stored::Stored;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use super::tray::Tray;
use crate::event::Event;

/// As long as WorkMail gives the function.
const DEADLINE: Duration = Duration::from_secs(15);

thread_local! {
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
    static PANIC: Cell<Option<String>> = const { Cell::new(None) };
}

/// The function with a rule set.
pub struct Function<'r> {
    /// The rules.
    pub pipeline: &'r Pipeline,
    /// What its operator decides.
    pub settings: Settings,
    /// A put is refused as WorkMail does.
    pub strict: bool,
}

impl Function<'_> {
    /// Answer an event about `raw`: what came of it, the new content where there is one, and the attachments stored for it.
    pub fn handle(&self, event: &Event, raw: &Bytes) -> Result<(Handled, Option<Content>, Vec<Stored>), String> {
        let bucket = Bucket::new("replay").map_err(|error| error.to_string())?;
        let tray = Tray::new(bucket, raw.clone(), self.strict);
        let handled = self.answer(event, &tray, &tray)?;
        let (content, stored) = tray.into_rewritten().unzip();
        Ok((handled, content, stored.unwrap_or_default()))
    }

    /// Answer an event about a message of this flow.
    fn answer<F: MessageFlow, S: ObjectStore>(&self, event: &Event, flow: &F, store: &S) -> Result<Handled, String> {
        PANIC.take();
        let handled = RUNTIME.with_borrow_mut(|runtime| {
            let runtime = match runtime {
                Some(runtime) => runtime,
                None => runtime.insert(Builder::new_current_thread().enable_time().build()?),
            };
            let call = async {
                let deadline = Instant::now() + DEADLINE;
                handle(&event.json, deadline, self.pipeline, flow, store, &self.settings).await
            };
            Ok(runtime.block_on(call))
        });
        handled.map_err(|error: std::io::Error| format!("cannot start a runtime: {error}"))
    }
}

/// Why a message counts as failed, if it does. For the thread that handled it.
pub fn failure(handled: &Handled) -> Option<String> {
    match (&handled.answer, &handled.report.fate) {
        (Err(error), _) => Some(error.to_string()),
        (_, Fate::Original { refusal: None, .. }) => Some(bug()),
        (_, Fate::Original { stage, why, .. }) => Some(format!("{stage}: {why}; the original goes out")),
        (_, Fate::Undecodable) => Some("bug: the event could not be read; please report it".to_owned()),
        (_, Fate::Unchanged | Fate::Rewritten | Fate::Marked | Fate::Failed | Fate::Off | Fate::Observed { .. }) => {
            None
        }
    }
}

/// Keep the text of panics, which are reported with their message, from standard error.
pub fn keep_panics_quiet() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        PANIC.set(Some(place));
    }));
}

/// Where this thread panicked last.
pub fn bug() -> String {
    let place = PANIC.take().unwrap_or_else(|| "an unknown place".to_owned());
    format!("bug: mailwright panicked at {place}; please report it")
}
