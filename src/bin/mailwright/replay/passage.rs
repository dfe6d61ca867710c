//! One message through the function's handler, and what is shown of it.
//!
//! Invariant: whatever happens to a message, a panic included, it is shown and counted, and with `--out` it is written:
//! as rewritten, or as it came in.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use mailwright::flow::handler::{Handled, Settings};
use mailwright::flow::mark::StampKey;
use mailwright::flow::ports::Content;
use mailwright::flow::put_checks;
use mailwright::message::Message;
use mailwright::pipeline::Pipeline;

use super::View;
use super::function::{Function, bug, failure};
use super::out::Out;
use super::totals::Tally;
use super::{diff, shown};
use crate::event::{Event, Given};
use crate::page::report::Room;
use crate::page::{Entry, RUN, Sight};
use crate::source::Found;

/// What all messages of a run have in common.
pub struct Passage<'r> {
    function: Function<'r>,
    given: &'r Given,
    out: Option<&'r Out>,
    /// Whether a message is shown on a page, where there is one.
    room: Option<&'r Room>,
    view: View,
}

/// What came of a message.
#[derive(Debug)]
pub struct Passed {
    /// What to print: whole lines, or nothing.
    pub shown: String,
    /// What to count.
    pub tally: Tally,
    /// What to put on the page.
    pub entry: Option<Entry>,
}

/// All there is to say about a message.
pub struct Account<'a> {
    /// Its path.
    pub path: &'a str,
    /// The event; `None` when it could not be read.
    pub event: Option<&'a Event>,
    /// What the handler made of it; `None` when it could not be read, or panicked.
    pub handled: Option<&'a Handled>,
    /// Where it was written.
    pub written: Option<String>,
    /// Why it counts as failed.
    pub failure: Option<String>,
    /// `--diff`.
    pub diff: String,
}

impl<'r> Passage<'r> {
    /// What all messages of a run have in common.
    pub fn new(
        pipeline: &'r Pipeline,
        stamp_key: Option<StampKey>,
        given: &'r Given,
        out: Option<&'r Out>,
        room: Option<&'r Room>,
        view: View,
    ) -> Self {
        let settings = Settings { stamp_key, clock: given.clock(), ..Settings::default() };
        Self { function: Function { pipeline, settings, strict: view.strict }, given, out, room, view }
    }

    /// Run a message.
    pub fn pass(&self, found: &Found, index: usize) -> Passed {
        let read = catch_unwind(AssertUnwindSafe(|| self.run(found, index)));
        read.unwrap_or_else(|_| self.spared(found, index))
    }

    fn run(&self, found: &Found, index: usize) -> Passed {
        let raw = match found.read() {
            Ok(raw) => Bytes::from(raw),
            Err(error) => {
                return self.account((found, index), None, None, None, Some(format!("cannot be read: {error}")));
            }
        };
        let event = Event::new(&raw, self.given, self.function.pipeline.organization());
        let (handled, content, kept) = match self.function.handle(&event, &raw) {
            Ok(done) => done,
            Err(why) => return self.account((found, index), Some((&event, &raw)), None, None, Some(why)),
        };
        let unwritten = self.out.and_then(|out| out.write_attachments(&kept).err());
        let unwritten = unwritten.map(|error| format!("an attachment cannot be written below --out: {error}"));
        let failure = failure(&handled).or(unwritten);
        self.account((found, index), Some((&event, &raw)), Some(&handled), content.as_ref(), failure)
    }

    fn account(
        &self,
        (found, index): (&Found, usize),
        read: Option<(&Event, &Bytes)>,
        handled: Option<&Handled>,
        content: Option<&Content>,
        mut failure: Option<String>,
    ) -> Passed {
        let mut written = None;
        if let (Some(out), Some((_, raw))) = (self.out, read) {
            let chunks = content.map_or(std::slice::from_ref(raw), Content::chunks);
            match out.write(&found.relative, chunks.iter().map(AsRef::as_ref)) {
                Ok(path) => written = Some(crate::terminal::path(&path)),
                Err(error) => {
                    failure.get_or_insert(format!("cannot write it below --out: {error}"));
                }
            }
        }
        let mut diff = String::new();
        if let (true, Some((_, raw)), Some(content)) = (self.view.diff, read, content) {
            let after = content.chunks().concat();
            diff = diff::diff(&Message::parse(raw), &Message::parse(&after), self.view.colour);
        }
        // In a strict run, the put has said so itself.
        let rejectable = match (read, content) {
            (Some((_, raw)), Some(content)) if !self.view.strict => {
                put_checks::put(&content.chunks().concat(), raw).is_err()
            }
            _ => false,
        };
        let failed = failure.clone();
        let octets = read.map(|(_, raw)| raw.len());
        let tally = Tally::new(octets, handled, content.is_some(), rejectable, failure.is_some());
        let event = read.map(|(event, _)| event);
        let account = Account { path: &found.shown, event, handled, written, failure, diff };
        let shown = match self.view {
            View { quiet: true, .. } if !tally.failed => String::new(),
            View { json: true, .. } => shown::json(&account),
            view => shown::text(&account, view),
        };
        let has_room = self.room.is_some_and(|room| room.has(index));
        let after = content.filter(|_| has_room).map(|content| content.chunks().concat());
        let entry = self.entry(&Sight {
            number: index + 1,
            path: &found.shown,
            event,
            handled,
            before: read.map(|(_, raw)| raw.as_ref()).unwrap_or_default(),
            after: after.as_deref(),
            titles: &RUN,
            notes: &[],
            failure: failed.as_deref(),
            passage: None,
        });
        Passed { shown, tally, entry }
    }

    /// The message on the page, where there is room for it. A page that cannot be made does not fail the message.
    fn entry(&self, sight: &Sight<'_>) -> Option<Entry> {
        self.room.filter(|room| room.has(sight.number - 1))?;
        catch_unwind(AssertUnwindSafe(|| Entry::of(sight))).ok().or_else(|| {
            let why = format!("this entry cannot be shown: {}", bug());
            Some(Entry::of(&Sight { before: b"", after: None, failure: Some(&why), ..*sight }))
        })
    }

    /// A panic came through: say so, and keep the message.
    fn spared(&self, found: &Found, index: usize) -> Passed {
        let why = bug();
        let raw = found.read().map(Bytes::from);
        let kept = catch_unwind(AssertUnwindSafe(|| {
            let written = raw.ok().and_then(|raw| {
                let path = self.out?.write(&found.relative, std::iter::once(raw.as_ref())).ok()?;
                Some(crate::terminal::path(&path))
            });
            let failure = Some(why.clone());
            let account =
                Account { path: &found.shown, event: None, handled: None, written, failure, diff: String::new() };
            if self.view.json { shown::json(&account) } else { shown::text(&account, self.view) }
        }));
        let shown = kept.unwrap_or_else(|_| format!("{}  {why}\n", found.shown));
        let entry = self.entry(&Sight {
            number: index + 1,
            path: &found.shown,
            event: None,
            handled: None,
            before: b"",
            after: None,
            titles: &RUN,
            notes: &[],
            failure: Some(&why),
            passage: None,
        });
        Passed { shown, tally: Tally::new(None, None, false, false, true), entry }
    }
}
