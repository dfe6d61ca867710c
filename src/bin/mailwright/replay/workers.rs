//! Work on all cores whose results come out in the order of the input.
//!
//! Invariant: at most [`WINDOW`] results wait for one that is slow, so memory does not grow with the run.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How far the fastest worker may be ahead of the output.
const WINDOW: usize = 256;
/// So many results are handed over at a time: handing one over can cost as much as working on a small message.
const BATCH: usize = 16;

struct Ready<T> {
    /// By the index of the first of them.
    results: BTreeMap<usize, Vec<T>>,
    next: usize,
    stopped: bool,
}

/// How many workers a run of `count` has.
pub fn workers(count: usize) -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(count).max(1)
}

/// Call `work` for 0 to `count` on all cores, and `done` on this thread with each result, in order. An error of `done`
/// ends the run. `work` must not panic: a result that never comes would be waited for.
pub fn in_order<T: Send, E>(
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    mut done: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    // A run of few messages is shared out evenly all the same.
    let batch = (count / (workers(count) * BATCH)).clamp(1, BATCH);
    let claimed = AtomicUsize::new(0);
    let ready = Mutex::new(Ready { results: BTreeMap::new(), next: 0, stopped: false });
    let moved = Condvar::new();
    thread::scope(|scope| {
        for _ in 0..workers(count) {
            scope.spawn(|| {
                loop {
                    let first = claimed.fetch_add(batch, Ordering::Relaxed);
                    if first >= count || lock(&ready).stopped {
                        return;
                    }
                    let results = (first..count.min(first + batch)).map(&work).collect();
                    let mut state = lock(&ready);
                    while first >= state.next + WINDOW && !state.stopped {
                        state = moved.wait(state).unwrap_or_else(PoisonError::into_inner);
                    }
                    state.results.insert(first, results);
                    drop(state);
                    moved.notify_all();
                }
            });
        }
        for first in (0..count).step_by(batch) {
            let mut state = lock(&ready);
            let results = loop {
                if let Some(results) = state.results.remove(&first) {
                    break results;
                }
                state = moved.wait(state).unwrap_or_else(PoisonError::into_inner);
            };
            state.next = first + batch;
            drop(state);
            moved.notify_all();
            if let Err(error) = results.into_iter().try_for_each(&mut done) {
                lock(&ready).stopped = true;
                moved.notify_all();
                return Err(error);
            }
        }
        Ok(())
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_though_the_first_is_the_slowest() {
        let mut seen = Vec::new();
        let slow_first = |index: usize| {
            let rounds = if index == 0 { 3_000_000_u32 } else { 10 };
            (0..rounds).for_each(|round| drop(std::hint::black_box(Box::new(round))));
            index
        };
        in_order(2_000, slow_first, |i| {
            seen.push(i);
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(seen, (0..2_000).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_ends_the_run() {
        let mut seen = 0;
        let end = in_order(
            10_000,
            |i| i,
            |i| {
                seen += 1;
                if i == 5 { Err("full") } else { Ok(()) }
            },
        );
        assert_eq!((end, seen), (Err("full"), 6));
    }

    #[test]
    fn nothing_to_do_is_done() {
        assert_eq!(in_order(0, |i| i, |_| Err("none")), Ok(()));
    }
}
