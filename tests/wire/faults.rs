//! Every call that the function makes, and everything that can become of one: the message in transit is the original or the
//! whole rewrite, the answer is valid or the invocation fails, and after WorkMail's next try the message is the whole
//! rewrite, exactly once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::calls::{Call, Policy, Sort, faults};
use crate::gate::Fault;
use crate::world::{Outcome, Port, World, event};
use crate::{default, message_with_a_file};

/// Processes that cases of one call are tried on at the same time, for each of the two rule sets; most of the time they wait.
const AT_ONCE: usize = 7;
const ID: &str = "m-1";
/// Time for an invocation that goes well in spite of a fault.
const PLENTY: Duration = Duration::from_secs(15);
/// Time for one that has to wait until a try is given up: half of it goes into that.
const ENOUGH: Duration = Duration::from_secs(8);
/// Time for one that is to fail.
const LITTLE: Duration = Duration::from_secs(3);

/// How often a case is tried that ends otherwise than it should.
const TRIES: u32 = 3;

/// A rule for each port: one stores an attachment, one asks the directory, one needs nothing.
const RULES: &str = r#"
[[rule]]
name = "files"
on_error = "skip"
action = { kind = "store_attachments", attachment = { extension = "pdf" }, link = "https://files.example.com/{{ attachment.key }}" }

[[rule]]
name = "footer"
on_error = "skip"
when = { sender = { group = "sales@example.com" } }
action = { kind = "append", text = "Grown by Example Orchards.", once = "always" }

[[rule]]
name = "stamp"
action = { kind = "add_header", name = "X-Checked", value = "yes" }
"#;

#[derive(Debug, Clone, Copy)]
struct Case {
    call: Call,
    what: &'static str,
    fault: Fault,
    sort: Sort,
    always: bool,
    policy: Policy,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let often = if self.always { "for ever" } else { "once" };
        write!(f, "{:?}: {}, {often}, on_error = {:?}", self.call, self.what, self.policy)
    }
}

fn cases(call: Call, policy: Policy) -> Vec<Case> {
    let all = faults(call).into_iter().flat_map(move |(what, fault, sort)| {
        let often: &[bool] = match sort {
            // What is too slow is too slow each time.
            Sort::Passing if matches!(fault, Fault::ByteByByte(_)) => &[true],
            Sort::Passing if call == Call::Fetch && fault == Fault::TooShort => &[false],
            Sort::Passing => &[false, true],
            Sort::ForGood | Sort::Harmless | Sort::Unusable => &[true],
            Sort::Deadly => &[false],
        };
        often.iter().map(move |&always| Case { call, what, fault, sort, always, policy })
    });
    // Those that take longest first.
    let (long, short): (Vec<_>, Vec<_>) = all.partition(|case| case.always);
    long.into_iter().chain(short).collect()
}

fn rules(policy: Policy) -> String {
    match policy {
        Policy::Skip => RULES.to_owned(),
        Policy::Fail => RULES.replace("\"skip\"", "\"fail\""),
    }
}

/// What becomes of the message where nothing goes wrong, and where the directory says nothing.
#[derive(Debug, Clone)]
struct Expected {
    original: Bytes,
    rewrite: Bytes,
    without_directory: Bytes,
}

async fn expected(policy: Policy) -> Expected {
    let original = message_with_a_file();
    let mut world = World::gated(&rules(policy), &[], None).await;
    world.insert(ID, original.clone());
    assert_eq!(world.call(&event(ID, "OUTBOUND"), PLENTY).await, Outcome::Answered(default()));
    let rewrite = world.message(ID);
    let text = String::from_utf8(rewrite.to_vec()).unwrap();
    for once in
        ["Grown by Example Orchards.", "X-Checked: yes", "https://files.example.com/attachments/", "X-Mailwright-Mark:"]
    {
        assert_eq!(text.matches(once).count(), 1, "{once}: {text}");
    }
    let mut without_directory = original.clone();
    if policy == Policy::Skip {
        world.restart().await;
        world.insert(ID, original.clone());
        world.gate(Port::Directory).plan(|_| true, Fault::Says(403, "AccessDeniedException"), usize::MAX);
        assert_eq!(world.call(&event(ID, "OUTBOUND"), PLENTY).await, Outcome::Answered(default()));
        without_directory = world.message(ID);
        assert!(without_directory != original && without_directory != rewrite);
    }
    Expected { original, rewrite, without_directory }
}

/// Why a case went wrong.
enum Wrong {
    /// What must hold whatever happens does not.
    Broken(String),
    /// It ended in another way than it should.
    Otherwise(String),
}

type Verdict = Result<(), Wrong>;

fn must(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Wrong::Broken(why())) }
}

fn should(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Wrong::Otherwise(why())) }
}

impl Case {
    fn time(self) -> Duration {
        let waits = matches!(self.fault, Fault::Hang | Fault::HangAfter | Fault::TooLong);
        match self.sort {
            // The directory gets a third of it at most.
            Sort::Passing if self.call == Call::LookUp => {
                if self.always {
                    ENOUGH
                } else {
                    PLENTY
                }
            }
            Sort::Passing if self.always => LITTLE,
            Sort::Passing if waits => ENOUGH,
            _ => PLENTY,
        }
    }

    /// What is wrong, if anything is. On a machine with much else to do the time may run out at another place than is meant:
    /// then it is tried again with more of it.
    async fn run(self, world: &mut World, expected: &Expected) -> Option<String> {
        for more in 1..=TRIES {
            match self.run_within(self.time() * more, world, expected).await {
                Ok(()) => return None,
                Err(Wrong::Otherwise(_)) if more < TRIES => {
                    world.restart().await;
                    warm(world, expected).await;
                }
                Err(Wrong::Broken(why) | Wrong::Otherwise(why)) => return Some(format!("{self}: {why}")),
            }
        }
        None
    }

    async fn run_within(self, time: Duration, world: &mut World, expected: &Expected) -> Verdict {
        if self.call == Call::LookUp {
            // What was asked before is not asked again.
            world.restart().await;
        }
        world.insert(ID, expected.original.clone());
        world.gate(self.call.port()).plan(self.call.which(), self.fault, if self.always { usize::MAX } else { 1 });
        let event = event(ID, "OUTBOUND");
        let outcome = world.call(&event, time).await;
        let met = world.gate(self.call.port()).clear();
        let now = world.message(ID);
        let lenient_look_up = self.call == Call::LookUp && self.policy == Policy::Skip;
        // Without the directory only where it was not to be had, which is asked for below.
        let whole = now == expected.original || now == expected.rewrite || now == expected.without_directory;
        must(whole, || format!("neither the original nor the rewrite: {}", String::from_utf8_lossy(&now)))?;
        should(met > 0, || "no call met the fault".to_owned())?;
        let found = || format!("{outcome:?}, {}", if now == expected.original { "the original" } else { "a rewrite" });
        let failed = |kind: &str| matches!(&outcome, Outcome::Failed(error) if error["errorType"] == kind);
        let answered = outcome == Outcome::Answered(default());
        let as_should_be = match (self.sort, self.always) {
            (Sort::Harmless, _) | (Sort::Passing, false) => answered && now == expected.rewrite,
            (Sort::Passing | Sort::ForGood, true) if lenient_look_up => answered && now == expected.without_directory,
            (Sort::Passing | Sort::ForGood, true) if self.call == Call::LookUp => failed("Mailwright.RuleFailed"),
            (Sort::Passing, true) => failed("Mailwright.OutOfTime"),
            (Sort::ForGood, _) if self.policy == Policy::Skip => answered && now == expected.original,
            (Sort::ForGood, _) => failed("Mailwright.Refused") && now == expected.original,
            (Sort::Deadly, _) => outcome == Outcome::Died,
            (Sort::Unusable, _) => false,
        };
        should(as_should_be, found)?;
        if !answered {
            if self.call == Call::LookUp && outcome != Outcome::Died {
                // A directory that failed is left alone for a while.
                world.restart().await;
            }
            again(world, expected, &event).await?;
        }
        if now == expected.rewrite {
            // WorkMail may call again although it was answered.
            again(world, expected, &event).await?;
        }
        Ok(())
    }
}

/// WorkMail's next try, without a fault.
async fn again(world: &mut World, expected: &Expected, event: &Value) -> Verdict {
    let outcome = world.call(event, PLENTY).await;
    should(outcome == Outcome::Answered(default()), || format!("at the next try: {outcome:?}"))?;
    let now = world.message(ID);
    // On a busy machine there may be no time to ask the directory: what all other rules make of it is whole as well.
    let asked = now == expected.original || now != expected.without_directory;
    should(asked, || "at the next try the directory was not asked in time".to_owned())?;
    must(now == expected.rewrite, || "after the next try it is not the rewrite".to_owned())
}

/// Have the directory asked: what it says is remembered.
async fn warm(world: &mut World, expected: &Expected) {
    world.insert(ID, expected.original.clone());
    world.call(&event(ID, "OUTBOUND"), PLENTY).await;
}

/// Try all cases, several at a time; what went wrong, by name.
async fn try_all(call: Call) {
    let mut workers = JoinSet::new();
    for policy in [Policy::Skip, Policy::Fail] {
        let expected = expected(policy).await;
        let queue = Arc::new(Mutex::new(VecDeque::from(cases(call, policy))));
        for _ in 0..AT_ONCE {
            let (queue, expected) = (queue.clone(), expected.clone());
            workers.spawn(async move {
                let mut world = World::gated(&rules(policy), &[], None).await;
                let mut wrong = Vec::new();
                warm(&mut world, &expected).await;
                loop {
                    let Some(case) = queue.lock().unwrap().pop_front() else { break };
                    wrong.extend(case.run(&mut world, &expected).await);
                }
                if world.log().contains("panicked") {
                    wrong.push(format!("{call:?}: a panic: {}", world.log()));
                }
                wrong
            });
        }
    }
    let wrong = workers.join_all().await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn whatever_befalls_fetching_the_message() {
    try_all(Call::Fetch).await;
}

#[tokio::test]
async fn whatever_befalls_asking_the_directory() {
    try_all(Call::LookUp).await;
}

#[tokio::test]
async fn whatever_befalls_storing_an_attachment() {
    try_all(Call::Keep).await;
}

#[tokio::test]
async fn whatever_befalls_storing_the_rewritten_message() {
    try_all(Call::Store).await;
}

#[tokio::test]
async fn whatever_befalls_putting_it_back() {
    try_all(Call::PutBack).await;
}

/// Where nobody listens from the start, and where only after so many answers: what is called there before is answered.
const LAST_ANSWER: [(Call, usize); 5] =
    [(Call::Fetch, 0), (Call::LookUp, 0), (Call::Keep, 0), (Call::Store, 1), (Call::PutBack, 1)];

#[tokio::test]
async fn nobody_listens_where_the_function_calls() {
    let mut all = JoinSet::new();
    for policy in [Policy::Skip, Policy::Fail] {
        let expected = expected(policy).await;
        for (call, answers) in LAST_ANSWER {
            let expected = expected.clone();
            all.spawn(async move {
                let case =
                    Case { call, what: "refused", fault: Fault::Hang, sort: Sort::Passing, always: true, policy };
                for more in 1..=TRIES {
                    match refused(case, answers, LITTLE * more, &expected).await {
                        Ok(()) => break,
                        Err(Wrong::Otherwise(_)) if more < TRIES => {}
                        Err(Wrong::Broken(why) | Wrong::Otherwise(why)) => return Some(format!("{case}: {why}")),
                    }
                }
                None
            });
        }
    }
    let wrong: Vec<String> = all.join_all().await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A world where nobody listens at one port, after so many answers.
async fn shut(case: Case, answers: usize, expected: &Expected) -> World {
    let port = case.call.port();
    let world = World::gated(&rules(case.policy), &[], (answers == 0).then_some(port)).await;
    if answers > 0 {
        world.gate(port).shut_after(answers);
    }
    world.insert(ID, expected.original.clone());
    world
}

/// The connection is refused, until somebody listens again: only after the invocation, and within it.
async fn refused(case: Case, answers: usize, time: Duration, expected: &Expected) -> Verdict {
    let event = event(ID, "OUTBOUND");
    let mut world = shut(case, answers, expected).await;
    let outcome = world.call(&event, time).await;
    let now = world.message(ID);
    let whole = now == expected.original || now == expected.without_directory;
    must(whole, || "neither the original nor what the other rules make of it".to_owned())?;
    should(!world.gate(case.call.port()).is_open(), || "somebody listens".to_owned())?;
    let lenient_look_up = case.call == Call::LookUp && case.policy == Policy::Skip;
    if lenient_look_up {
        should(outcome == Outcome::Answered(default()), || format!("{outcome:?}"))?;
        should(now == expected.without_directory, || "not what the other rules make of it".to_owned())?;
    } else {
        let kind = if case.call == Call::LookUp { "Mailwright.RuleFailed" } else { "Mailwright.OutOfTime" };
        let failed = matches!(&outcome, Outcome::Failed(error) if error["errorType"] == kind);
        should(failed, || format!("{outcome:?}"))?;
        must(now == expected.original, || "not the original".to_owned())?;
        world.gate(case.call.port()).open();
        if case.call == Call::LookUp {
            world.restart().await;
        }
        for _ in 0..2 {
            again(&mut world, expected, &event).await?;
        }
    }

    let mut world = shut(case, answers, expected).await;
    let gate = world.gate(case.call.port()).clone();
    let open = tokio::spawn(async move {
        while gate.is_open() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
        gate.open();
    });
    let verdict = again(&mut world, expected, &event).await;
    open.abort();
    verdict
}
