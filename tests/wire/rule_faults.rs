//! Whatever befalls reading the rules that are published: a message gets them, or the last good ones, or it is as it came and
//! the invocation has failed. Those of the layer it gets where nothing else can be had for good, and nobody forbids it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;

use crate::calls::{Call, Policy, Sort, faults};
use crate::gate::Fault;
use crate::shelf::{FAULTY, RULES, forget, packed, publish};
use crate::world::{Outcome, Port, World, event};
use crate::{default, message};

const AT_ONCE: usize = 5;
const ID: &str = "m-1";
const KEY: &str = "rules.json";
const PLENTY: Duration = Duration::from_secs(15);
/// A third of it goes into reading rules.
const ENOUGH: Duration = Duration::from_secs(11);
const LITTLE: Duration = Duration::from_secs(3);
/// How often a case is tried that ends otherwise than it should: on a busy machine time runs out elsewhere than is meant.
const TRIES: u32 = 3;
/// Until it is time to look again.
const NEXT_LOOK: Duration = Duration::from_millis(1_010);

/// What the process has had before.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Process {
    Begun,
    Running,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    call: Call,
    what: &'static str,
    fault: Fault,
    sort: Sort,
    always: bool,
    policy: Policy,
    process: Process,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let often = if self.always { "for ever" } else { "once" };
        write!(f, "{:?}, {:?}: {}, {often}, on_error = {:?}", self.call, self.process, self.what, self.policy)
    }
}

fn footer(text: &str) -> String {
    format!("[[rule]]\nname = \"footer\"\naction = {{ kind = \"append\", text = \"{text}\", once = \"always\" }}\n")
}

/// A world where two good rule sets were published, the second of which is to be in force.
async fn world(policy: Policy, closed: Option<Port>) -> World {
    let on_error = if policy == Policy::Skip { "skip" } else { "fail" };
    let changes =
        [("MAILWRIGHT_PUBLISHED_RULES", RULES), ("MAILWRIGHT_RULES_EVERY", "1"), ("MAILWRIGHT_ON_ERROR", on_error)];
    let world = World::gated(&footer("Deployed by Example"), &changes, closed).await;
    publish(&world, KEY, &packed(&footer("Picked by Example")));
    publish(&world, KEY, &packed(&footer("Grown by Example")));
    world
}

/// What is seen of a message: the last line tells which rules it has got.
fn found(world: &World) -> Result<&'static str, String> {
    let now = world.message(ID);
    let text = String::from_utf8_lossy(&now);
    let made =
        |line: &str| text.starts_with("X-Mailwright-Mark:") && text.ends_with(&format!("ripe.\r\n\r\n{line}\r\n"));
    if now == original() {
        Ok("the original")
    } else if made("Grown by Example") {
        Ok("the rewrite")
    } else if made("Deployed by Example") {
        Ok("that of the layer")
    } else {
        Err(format!("neither the original nor a rewrite of now or of the layer: {text}"))
    }
}

fn original() -> Bytes {
    message("Harvest plan")
}

impl Case {
    fn time(self) -> Duration {
        match self.sort {
            Sort::Passing if self.process == Process::Running => PLENTY,
            Sort::Passing if self.always => LITTLE,
            Sort::Passing => ENOUGH,
            _ => PLENTY,
        }
    }

    fn should_be(self) -> (&'static str, &'static str) {
        let for_good = self.sort == Sort::ForGood || self.sort == Sort::Unusable && self.always;
        match self.process {
            _ if self.sort == Sort::Deadly => ("died", "the original"),
            Process::Begun if for_good && self.policy == Policy::Skip => ("answered", "that of the layer"),
            Process::Begun if for_good => ("Mailwright.Refused", "the original"),
            Process::Begun if self.sort == Sort::Passing && self.always => ("Mailwright.OutOfTime", "the original"),
            Process::Begun | Process::Running => ("answered", "the rewrite"),
        }
    }

    /// What is wrong, if anything is.
    async fn run(self, world: &mut World) -> Option<String> {
        for more in 1..=TRIES {
            if self.call == Call::Versions {
                publish(world, KEY, &format!("{FAULTY}{}", " ".repeat(more as usize)));
            }
            let verdict = self.run_within(self.time() * more, world).await;
            world.gate(Port::S3).clear();
            if self.call == Call::Versions {
                forget(world, KEY);
            }
            match verdict {
                Ok(()) => return None,
                Err((fatal, why)) if fatal || more == TRIES => return Some(format!("{self}: {why}")),
                Err(_) => {}
            }
        }
        None
    }

    /// An error says whether what must hold whatever happens does not, and what.
    async fn run_within(self, time: Duration, world: &mut World) -> Result<(), (bool, String)> {
        let event = event(ID, "OUTBOUND");
        if self.process == Process::Begun {
            world.restart().await;
        } else {
            if self.call == Call::Versions {
                // It has looked at what is there now, and at nothing newer.
                forget(world, KEY);
            }
            tokio::time::sleep(NEXT_LOOK).await;
            world.insert(ID, original());
            world.call(&event, PLENTY).await;
            if self.call == Call::Versions {
                publish(world, KEY, &format!("{FAULTY}{}", " ".repeat(self.what.len())));
            }
            tokio::time::sleep(NEXT_LOOK).await;
        }
        world.insert(ID, original());
        world.gate(Port::S3).plan(self.call.which(), self.fault, if self.always { usize::MAX } else { 1 });
        let outcome = world.call(&event, time).await;
        let met = world.gate(Port::S3).clear();
        let now = found(world).map_err(|why| (true, why))?;
        let how = match &outcome {
            Outcome::Answered(answer) if *answer == default() => "answered",
            Outcome::Answered(_) => "answered otherwise",
            Outcome::Failed(error) => error["errorType"].as_str().unwrap_or_default(),
            Outcome::Silent => "silent",
            Outcome::Died => "died",
        };
        let is = (how, now);
        if met == 0 || is != self.should_be() {
            return Err((false, format!("{is:?}, met {met} times: {outcome:?}")));
        }
        // The next try, without a fault: what was rewritten stays so, anything else becomes what is in force.
        tokio::time::sleep(NEXT_LOOK).await;
        let last = world.call(&event, PLENTY).await;
        let now_is = found(world).map_err(|why| (true, why))?;
        let expected = if now == "that of the layer" { now } else { "the rewrite" };
        if last != Outcome::Answered(default()) || now_is != expected {
            return Err((false, format!("at the next try {now_is}: {last:?}")));
        }
        Ok(())
    }
}

fn cases(policy: Policy) -> VecDeque<Case> {
    let mut all = Vec::new();
    for (call, process) in [
        (Call::Rules, Process::Begun),
        (Call::Rules, Process::Running),
        (Call::Versions, Process::Begun),
        (Call::Versions, Process::Running),
    ] {
        for (what, fault, sort) in faults(call) {
            let often: &[bool] = match sort {
                // What is too slow is too slow each time.
                Sort::Passing if matches!(fault, Fault::ByteByByte(_)) => &[true],
                Sort::Passing | Sort::Unusable => &[true, false],
                Sort::ForGood | Sort::Harmless => &[true],
                Sort::Deadly => &[false],
            };
            all.extend(often.iter().map(|&always| Case { call, what, fault, sort, always, policy, process }));
        }
    }
    all.into()
}

#[tokio::test]
async fn whatever_befalls_reading_the_published_rules() {
    let mut workers = JoinSet::new();
    let mut count = 0;
    for policy in [Policy::Skip, Policy::Fail] {
        let cases = cases(policy);
        count += cases.len();
        let queue = Arc::new(Mutex::new(cases));
        for _ in 0..AT_ONCE {
            let queue = queue.clone();
            workers.spawn(async move {
                let mut world = world(policy, None).await;
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
    }
    let wrong = workers.join_all().await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 200, "{count} cases");
    println!("{count} cases");
}

#[tokio::test]
async fn nobody_listens_where_the_rules_are_published() {
    // From the start, and after what is published was read and cannot be used: where its versions are asked for.
    for (policy, answers) in [(Policy::Skip, 0), (Policy::Fail, 0), (Policy::Skip, 1), (Policy::Fail, 1)] {
        let mut world = world(policy, (answers == 0).then_some(Port::S3)).await;
        if answers > 0 {
            publish(&world, KEY, FAULTY);
            world.gate(Port::S3).shut_after(answers);
        }
        world.insert(ID, original());
        let event = event(ID, "OUTBOUND");
        let mut time = LITTLE;
        let error = loop {
            let Outcome::Failed(error) = world.call(&event, time).await else { panic!("answered: {}", world.log()) };
            // On a busy machine the first answer may come too late.
            if !world.gate(Port::S3).is_open() {
                break error;
            }
            time *= 2;
            assert!(time <= PLENTY, "somebody listens");
        };
        assert_eq!((error["errorType"].as_str(), found(&world)), (Some("Mailwright.OutOfTime"), Ok("the original")));
        world.gate(Port::S3).open();
        for _ in 0..2 {
            assert_eq!(world.call(&event, PLENTY).await, Outcome::Answered(default()));
            assert_eq!(found(&world), Ok("the rewrite"));
        }
    }
}
