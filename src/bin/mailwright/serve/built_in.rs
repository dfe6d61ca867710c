//! The function's own code, invoked for many messages at a time.
//!
//! A message that waits, for a call that is tried again or one that hangs, keeps no other from its turn: as many threads as
//! there are cores run rules, and each takes the next message when it has nothing to compute. An invocation that nobody waits
//! for any more, as a newer rule set has overtaken it, ends where it waits next.
//!
//! Invariant: the messages at work have [`AT_WORK_OCTETS`] in all, or are one.

use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::{io, thread};

use mailwright::flow::handler::{ANSWER_WITHIN, Handled, Settings, handle};
use mailwright::pipeline::Pipeline;
use tokio::runtime::Builder;
use tokio::sync::{Mutex, Semaphore, mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local, yield_now};
use tokio::time::Instant;

use super::run::Run;
use super::workmail::WorkMail;
use crate::replay::function::bug;

/// Octets of all messages that are at work; each may need several times as much.
const AT_WORK_OCTETS: usize = 64 * 1024 * 1024;
/// Octets of one permit.
const PERMIT: usize = 1_024;
/// All permits.
const PERMITS: usize = AT_WORK_OCTETS / PERMIT;

/// What a thread takes: it makes a future there.
type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// The threads.
#[derive(Debug)]
pub struct BuiltIn {
    jobs: mpsc::UnboundedSender<Job>,
    room: Semaphore,
    settings: Settings,
}

impl BuiltIn {
    /// With a thread for each core. They end with this.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let (runtime, waiting) = (Builder::new_current_thread().enable_time().build()?, Arc::clone(&waiting));
            let work = move || runtime.block_on(LocalSet::new().run_until(take(&waiting)));
            thread::Builder::new().name("function".to_owned()).spawn(work)?;
        }
        Ok(Self { jobs, room: Semaphore::new(PERMITS), settings })
    }

    /// Answer for a message; the error says that there is a bug. Dropped, the invocation is given up.
    pub async fn invoke(
        &self,
        run: &Run,
        pipeline: &Arc<Pipeline>,
        workmail: &Arc<WorkMail>,
    ) -> Result<Handled, String> {
        let permits = (run.original.len() / PERMIT + 1).min(PERMITS);
        let _room = self.room.acquire_many(u32::try_from(permits).unwrap_or(u32::MAX)).await;
        let (mut done, handled) = oneshot::channel();
        let (event, settings) = (Arc::clone(&run.event), self.settings.clone());
        let (pipeline, workmail) = (Arc::clone(pipeline), Arc::clone(workmail));
        let job: Job = Box::new(move || {
            Box::pin(async move {
                let invocation = spawn_local(async move {
                    let deadline = Instant::now() + ANSWER_WITHIN;
                    handle(&event.json, deadline, &*pipeline, &*workmail, &*workmail, &settings).await
                });
                let given_up = invocation.abort_handle();
                tokio::select! {
                    ended = invocation => drop(done.send(ended.map_err(|_| bug()))),
                    () = done.closed() => given_up.abort(),
                }
            })
        });
        let _ = self.jobs.send(job);
        handled.await.unwrap_or_else(|_| Err("the flow has ended".to_owned()))
    }
}

/// Take jobs as long as there are any.
async fn take(waiting: &Mutex<mpsc::UnboundedReceiver<Job>>) {
    loop {
        let Some(job) = waiting.lock().await.recv().await else { return };
        spawn_local(job());
        // This one first computes what it can; another thread may take the next.
        yield_now().await;
    }
}
