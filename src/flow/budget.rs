//! The time for one message, and calls that are tried again as long as there is some.
//!
//! ```text
//! start                                                                                             deadline of the invocation,
//! ├─ rule set: a second, or a third of all at a cold start                                          at most 15 s
//! ├─ fetch ────────────────┬─ rules ────────────────┬─ store ── put back ─┬─ answer ────────────────┤
//! ├─ look people up: 4 s   │                        └ PUT_RESERVE: 3 s    └ ANSWER_RESERVE: 0.75 s
//! ```
//!
//! Invariant: no call is started with less than [`MIN_TRY`] left, none outlives the time for the message, and a call that
//! hangs leaves time for another.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::ports::{PortError, Trouble};

/// WorkMail waits so long for an answer (Administrator Guide, "Synchronous Run Lambda rule").
pub const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Kept back from the time given, for the answer to arrive.
pub const ANSWER_RESERVE: Duration = Duration::from_millis(750);
/// Kept back from the rules, for storing and putting back; a third of the time where that is less.
pub const PUT_RESERVE: Duration = Duration::from_secs(3);
/// The directory is asked for so long, beside fetching the message; a third of the time where that is less.
pub const LOOK_UP_WITHIN: Duration = Duration::from_secs(4);
/// No call is started with less time left than this.
pub(super) const MIN_TRY: Duration = Duration::from_millis(250);
/// Pause before the second try, before jitter; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause, before jitter.
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// The time for one message.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    started: Instant,
    until: Instant,
    /// What pauses vary by.
    chance: u64,
}

/// A call that failed until there was no time left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exhausted {
    /// How often it was tried; 0 where there was no time for it.
    pub(super) tries: u32,
    /// The last failure.
    pub(super) error: PortError,
}

impl Budget {
    /// For an answer that must have been given at `deadline`; [`ANSWER_WITHIN`] holds in any case.
    pub fn new(started: Instant, deadline: Instant) -> Self {
        let deadline = deadline.min(started + ANSWER_WITHIN);
        Self { started, until: deadline.checked_sub(ANSWER_RESERVE).unwrap_or(started).max(started), chance: 0 }
    }
    /// With pauses that vary by this: what differs from message to message, so that those that failed together do not all come
    /// again together.
    #[must_use]
    pub fn with_chance(self, chance: u64) -> Self {
        Self { chance, ..self }
    }
    /// A part of it, from now on.
    #[must_use]
    pub fn part(&self, within: Duration) -> Self {
        let now = Instant::now();
        Self { started: now, until: self.until.min(now + within), ..*self }
    }
    /// A third of all.
    pub fn third(&self) -> Duration {
        self.until.saturating_duration_since(self.started) / 3
    }
    /// When no rule is begun any more.
    pub fn rules_until(&self) -> Instant {
        self.until.checked_sub(PUT_RESERVE.min(self.third())).unwrap_or(self.until)
    }
    /// Until when the directory is asked.
    pub fn look_up_until(&self) -> Instant {
        self.until.min(Instant::now() + LOOK_UP_WITHIN.min(self.third()))
    }

    /// Call until it works, is refused for good, or time runs out. The outer error says that it did, the inner one is a
    /// refusal.
    pub(super) async fn insist<T, Fut: Future<Output = Result<T, PortError>>>(
        &self,
        retries: &mut u32,
        call: impl Fn() -> Fut,
    ) -> Result<Result<T, PortError>, Exhausted> {
        let mut error = PortError::transient(Trouble::Timeout, "");
        let mut tries = 0;
        loop {
            let now = Instant::now();
            let left = self.until.saturating_duration_since(now);
            if left < MIN_TRY {
                return Err(Exhausted { tries, error });
            }
            tries += 1;
            *retries += u32::from(tries > 1);
            // Half of what is left, so that a call that hangs leaves time for another.
            error = match timeout_at(now + (left / 2).max(MIN_TRY), call()).await {
                Ok(Ok(value)) => return Ok(Ok(value)),
                Ok(Err(error @ PortError::Permanent { .. })) => return Ok(Err(error)),
                Ok(Err(error)) => error,
                Err(_) => PortError::transient(Trouble::Timeout, ""),
            };
            let pause = pause(tries, self.chance);
            if Instant::now() + pause + MIN_TRY > self.until {
                return Err(Exhausted { tries, error });
            }
            tracing::debug!(tries, error = error.to_string(), "a call failed and is tried again");
            sleep(pause).await;
        }
    }
}

/// Backoff that doubles, with jitter over its upper half. The same chance gives the same pauses.
pub(super) fn pause(tries: u32, chance: u64) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(MAX_PAUSE);
    let half = whole / 2;
    half + half.mul_f64(f64::from(u32::try_from(mixed(chance, tries) % 1_000).unwrap_or(0)) / 1_000.0)
}

/// SplitMix64: each bit of what is returned depends on all of what is given.
const fn mixed(chance: u64, tries: u32) -> u64 {
    let mut z = chance.wrapping_add((tries as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Call what fails in passing each time after `takes`; when it was called, and when that ended.
    async fn insisted(budget: Budget, takes: Duration) -> (Vec<Duration>, Duration, u32) {
        let began = Instant::now();
        let (calls, mut retries) = (RefCell::new(Vec::new()), 0);
        let call = || {
            calls.borrow_mut().push(began.elapsed());
            async move {
                sleep(takes).await;
                Err::<(), _>(PortError::transient(Trouble::Throttled, ""))
            }
        };
        let exhausted = budget.insist(&mut retries, call).await.unwrap_err();
        let calls = calls.into_inner();
        assert_eq!(exhausted.tries as usize, calls.len());
        assert_eq!(retries as usize, calls.len().saturating_sub(1));
        (calls, began.elapsed(), retries)
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_tried_again_with_growing_pauses_until_the_reserve() {
        let now = Instant::now();
        let (calls, took, _) = insisted(Budget::new(now, now + seconds(14)), Duration::ZERO).await;
        assert!((8..=14).contains(&calls.len()), "{calls:?}");
        assert!(took + ANSWER_RESERVE <= seconds(14), "{took:?}");
        for (at, pair) in calls.windows(2).enumerate() {
            let whole = FIRST_PAUSE.saturating_mul(1 << at.min(10)).min(MAX_PAUSE);
            let pause = pair[1].saturating_sub(pair[0]);
            // tokio's clock goes by milliseconds.
            assert!(whole / 2 <= pause && pause <= whole + Duration::from_millis(2), "{at}: {pause:?}");
        }
    }

    #[test]
    fn pauses_vary_with_chance_and_with_nothing_else() {
        let pauses = |chance| (1..=8).map(|tries| pause(tries, chance)).collect::<Vec<_>>();
        assert_eq!(pauses(7), pauses(7));
        let first: std::collections::BTreeSet<Duration> = (0..1_000).map(|chance| pause(1, chance)).collect();
        assert!(first.len() > 500, "{}", first.len());
        let (least, most) = (first.first().unwrap(), first.last().unwrap());
        assert!(*least < FIRST_PAUSE.mul_f64(0.51) && *most > FIRST_PAUSE.mul_f64(0.99), "{least:?} to {most:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_leaves_time_for_another() {
        let now = Instant::now();
        let (calls, took, _) = insisted(Budget::new(now, now + seconds(15)), seconds(3_600)).await;
        assert!(calls.len() >= 4, "{calls:?}");
        assert!(calls[1] <= seconds(8), "{calls:?}");
        assert!(took + ANSWER_RESERVE <= seconds(15), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_begun_that_cannot_be_ended() {
        let now = Instant::now();
        for deadline in [now, now + ANSWER_RESERVE, now + ANSWER_RESERVE + MIN_TRY - Duration::from_millis(1)] {
            let (calls, took, _) = insisted(Budget::new(now, deadline), seconds(1)).await;
            assert_eq!((calls.len(), took), (0, Duration::ZERO));
        }
        let budget = Budget::new(now, now + seconds(3_600));
        assert_eq!(budget.until, now + ANSWER_WITHIN - ANSWER_RESERVE, "WorkMail waits no longer");
        assert!(budget.part(seconds(60)).until == budget.until && budget.part(seconds(1)).until == now + seconds(1));
        for deadline in [seconds(1), seconds(5), seconds(15)] {
            let budget = Budget::new(now, now + deadline);
            assert!(budget.rules_until() <= budget.until && budget.look_up_until() <= budget.until);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_taken_at_once() {
        let now = Instant::now();
        let refused = PortError::permanent(super::super::ports::Refusal::Frozen, "");
        let mut retries = 0;
        let call = || std::future::ready(Err::<(), _>(refused.clone()));
        assert_eq!(Budget::new(now, now + seconds(14)).insist(&mut retries, call).await, Ok(Err(refused.clone())));
        assert_eq!((retries, now.elapsed()), (0, Duration::ZERO));
    }
}
