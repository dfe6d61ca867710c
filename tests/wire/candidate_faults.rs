//! Whatever befalls reading a candidate: each message gets the whole of one rule set, the candidate or the one for all others,
//! and none waits for it or fails.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::calls::{Call, Sort, faults};
use crate::gate::{Fault, Which};
use crate::shelf::{CANDIDATE, packed, publish};
use crate::world::{Outcome, Port, World, event};
use crate::{default, message};

const AT_ONCE: usize = 6;
const ID: &str = "m-1";
const PLENTY: Duration = Duration::from_secs(15);
const TRIES: u32 = 3;
/// Until it is time to look again.
const NEXT_LOOK: Duration = Duration::from_millis(1_010);
const WHICH: Which = |head| head.method == "GET" && head.path.starts_with("/mail-rules/candidate.json");

#[derive(Debug, Clone, Copy)]
struct Case {
    what: &'static str,
    fault: Fault,
    sort: Sort,
    /// Whether the process has had the candidate before.
    running: bool,
}

fn footer(text: &str) -> String {
    format!("[[rule]]\nname = \"footer\"\naction = {{ kind = \"append\", text = \"{text}\", once = \"always\" }}\n")
}

fn found(world: &World) -> Result<&'static str, String> {
    let now = world.message(ID);
    let text = String::from_utf8_lossy(&now);
    let made =
        |line: &str| text.starts_with("X-Mailwright-Mark:") && text.ends_with(&format!("ripe.\r\n\r\n{line}\r\n"));
    match () {
        () if now == message("Harvest plan") => Ok("the original"),
        () if made("Deployed by Example") => Ok("that of the current rules"),
        () if made("Tried by Example") => Ok("that of the candidate"),
        () => Err(format!("neither the original nor a rewrite: {text}")),
    }
}

impl Case {
    fn may_be(self) -> &'static [&'static str] {
        match (self.sort, self.running) {
            (Sort::Deadly, _) => &["the original"],
            (Sort::Harmless, _) | (Sort::Passing, true) => &["that of the candidate"],
            // That nothing has changed is said without a body: nothing of it can be cut.
            (Sort::Unusable, true) if self.fault == Fault::TooShort => &["that of the candidate"],
            (Sort::Passing, false) | (Sort::ForGood | Sort::Unusable, _) => &["that of the current rules"],
        }
    }

    /// What is wrong, if anything is.
    async fn run(self, world: &mut World) -> Option<String> {
        for tries in 1..=TRIES {
            match self.run_once(world).await {
                Ok(()) => return None,
                Err((fatal, why)) if fatal || tries == TRIES => {
                    return Some(format!("{}, running: {}: {why}", self.what, self.running));
                }
                Err(_) => {}
            }
        }
        None
    }

    /// An error says whether what must hold whatever happens does not, and what.
    async fn run_once(self, world: &mut World) -> Result<(), (bool, String)> {
        let event = event(ID, "OUTBOUND");
        if self.running {
            tokio::time::sleep(NEXT_LOOK).await;
            world.insert(ID, message("Harvest plan"));
            world.call(&event, PLENTY).await;
            tokio::time::sleep(NEXT_LOOK).await;
        } else {
            world.restart().await;
        }
        world.insert(ID, message("Harvest plan"));
        world.gate(Port::S3).plan(WHICH, self.fault, usize::MAX);
        let outcome = world.call(&event, PLENTY).await;
        let met = world.gate(Port::S3).clear();
        let now = found(world).map_err(|why| (true, why))?;
        let answered = outcome == Outcome::Answered(default());
        let as_should_be = answered || self.sort == Sort::Deadly && outcome == Outcome::Died;
        if met == 0 || !as_should_be || !self.may_be().contains(&now) {
            return Err((false, format!("{now}, met {met} times: {outcome:?}")));
        }
        // The next try, without a fault: what was rewritten stays so.
        let before = world.message(ID);
        for _ in 0..2 {
            let last = world.call(&event, PLENTY).await;
            let then = found(world).map_err(|why| (true, why))?;
            if answered && world.message(ID) != before {
                return Err((true, format!("rewritten once more: {then}")));
            }
            if last != Outcome::Answered(default()) || then == "the original" {
                return Err((false, format!("at the next try {then}: {last:?}")));
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn whatever_befalls_reading_the_candidate() {
    let case = |running| move |(what, fault, sort)| Case { what, fault, sort, running };
    let cases: VecDeque<Case> = faults(Call::Rules)
        .into_iter()
        .map(case(false))
        .chain(faults(Call::Rules).into_iter().map(case(true)))
        .collect();
    assert!(cases.len() > 40, "{} cases", cases.len());
    let queue = Arc::new(Mutex::new(cases));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let queue = queue.clone();
        workers.spawn(async move {
            let changes = [
                ("MAILWRIGHT_CANDIDATE_RULES", CANDIDATE),
                ("MAILWRIGHT_CANDIDATE_SHARE", "100"),
                ("MAILWRIGHT_RULES_EVERY", "1"),
            ];
            let mut world = World::gated(&footer("Deployed by Example"), &changes, None).await;
            publish(&world, "candidate.json", &packed(&footer("Tried by Example")));
            let mut wrong = Vec::new();
            loop {
                let Some(case) = queue.lock().unwrap().pop_front() else { break };
                wrong.extend(case.run(&mut world).await);
            }
            if world.log().contains("panicked") {
                wrong.push(format!("a panic: {}", world.log()));
            }
            wrong
        });
    }
    let wrong = workers.join_all().await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
