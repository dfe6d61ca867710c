//! Which rules a message gets while others are published: the current ones, those that were deployed, a candidate; and what a
//! process does that has not had them yet.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use mailwright::flow::handler::{Answered, FlowError, Handled, MarkedBy, Settings, Stage, handle};
use mailwright::flow::key::{Bucket, MessageId};
use mailwright::flow::mark::StampKey;
use mailwright::flow::memory::{Call, Memory};
use mailwright::flow::mode::FlowMode;
use mailwright::flow::ports::{PortError, Refusal, Trouble};
use mailwright::flow::provisions::Provisions;
use mailwright::flow::refresh::{InForce, Published, RuleStore, Version};
use mailwright::flow::rule_sets::{RuleSets, Which};
use mailwright::flow::share::Share;
use mailwright::pipeline::Pipeline;
use mailwright::rule::OnError;
use serde_json::json;
use tokio::time::{Instant, advance};

const EVERY: Duration = Duration::from_mins(1);

/// A place where rules are published, which can be told to fail.
#[derive(Debug, Clone)]
struct Shelf(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    published: Result<Published, PortError>,
    /// The last one first.
    versions: Vec<Published>,
    hangs: bool,
    asked: u32,
}

impl Shelf {
    fn failing(error: PortError) -> Self {
        Self(Arc::new(Mutex::new(State { published: Err(error), versions: Vec::new(), hangs: false, asked: 0 })))
    }
    fn of(footer: &str) -> Self {
        let shelf = Self::failing(PortError::permanent(Refusal::Location, ""));
        shelf.publish(&packed(footer));
        shelf
    }
    fn publish(&self, octets: &str) {
        let mut state = self.0.lock().unwrap();
        let published = Published { tag: format!("\"{octets}\""), octets: Bytes::from(octets.to_owned()) };
        state.versions.insert(0, published.clone());
        state.published = Ok(published);
    }
    fn fail(&self, error: PortError) {
        self.0.lock().unwrap().published = Err(error);
    }
    fn asked(&self) -> u32 {
        self.0.lock().unwrap().asked
    }
    fn rules(&self, on_error: OnError) -> RuleSets<Self> {
        let deployed = Pipeline::unpack(packed("deployed").as_bytes()).unwrap();
        RuleSets::published(InForce::new(deployed, self.clone(), Provisions::default(), EVERY), on_error)
    }
    fn candidate(&self) -> InForce<Self> {
        InForce::candidate(self.clone(), Provisions::default(), EVERY)
    }
}

impl RuleStore for Shelf {
    async fn published(&self, known: Option<&str>) -> Result<Option<Published>, PortError> {
        let (published, hangs) = {
            let mut state = self.0.lock().unwrap();
            state.asked += 1;
            (state.published.clone(), state.hangs)
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        published.map(|published| (known != Some(published.tag.as_str())).then_some(published))
    }
    async fn versions(&self) -> Result<Vec<Version>, PortError> {
        let state = self.0.lock().unwrap();
        let versions = state.versions.iter().enumerate();
        Ok(versions.map(|(at, version)| Version { id: at.to_string(), tag: version.tag.clone() }).collect())
    }
    async fn version(&self, version: &Version) -> Result<Published, PortError> {
        Ok(self.0.lock().unwrap().versions[version.id.parse::<usize>().unwrap()].clone())
    }
}

/// Rules that append this.
fn packed(footer: &str) -> String {
    let rule = format!(
        "[[rule]]\nname = \"footer\"\naction = {{ kind = \"append\", text = \"{footer}\", once = \"always\" }}\n"
    );
    json!({ "mailwright": 1, "files": { "r.toml": rule } }).to_string()
}

fn transient() -> PortError {
    PortError::transient(Trouble::Unavailable, "")
}

fn denied() -> PortError {
    PortError::permanent(Refusal::Denied, "")
}

struct World {
    memory: Memory,
    settings: Settings,
}

fn world() -> World {
    let stamp_key = Some(StampKey::new("0123456789abcdef0123456789abcdef").unwrap());
    World {
        memory: Memory::new(Bucket::new("bucket").unwrap()),
        settings: Settings { stamp_key, ..Settings::default() },
    }
}

impl World {
    async fn go(&self, id: &str, rules: &RuleSets<Shelf>) -> Handled {
        let event = json!({
            "envelope": {"mailFrom": {"address": "ann@example.com"}, "recipients": [{"address": "kim@customer.example"}]},
            "messageId": id, "flowDirection": "OUTBOUND"
        });
        let deadline = Instant::now() + Duration::from_secs(14);
        handle(&event, deadline, rules, &self.memory, &self.memory, &self.settings).await
    }
    /// A new message; what came of it, and its last line.
    async fn send(&self, id: &str, rules: &RuleSets<Shelf>) -> (Handled, String) {
        self.memory.insert(MessageId::new(id).unwrap(), "From: ann@example.com\r\nSubject: a\r\n\r\nApples.\r\n");
        let handled = self.go(id, rules).await;
        (handled, self.last_line(id))
    }
    fn last_line(&self, id: &str) -> String {
        let raw = self.memory.message(&MessageId::new(id).unwrap()).unwrap();
        String::from_utf8_lossy(&raw).lines().last().unwrap_or_default().to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_published_is_used_and_what_cannot_be_used_is_not() {
    let (world, shelf) = (world(), Shelf::of("one"));
    let rules = shelf.rules(OnError::Skip);
    let (handled, line) = world.send("a", &rules).await;
    assert_eq!((line.as_str(), handled.report.looks.swapped), ("one", 1), "also by the first message of a process");
    shelf.publish(&packed("two"));
    assert_eq!(world.send("b", &rules).await.1, "one", "it is not time yet");
    advance(EVERY).await;
    assert_eq!(world.send("c", &rules).await.1, "two");

    for (index, bad) in ["", "[]", "{\"mailwright\":1,\"files\":{\"r.toml\":\"[[rule]]\"}}"].into_iter().enumerate() {
        shelf.publish(bad);
        for again in 0..2 {
            advance(EVERY).await;
            let (handled, line) = world.send(&format!("d{index}{again}"), &rules).await;
            assert_eq!((line.as_str(), handled.report.looks.refused), ("two", 1), "each look counts it: {bad}");
        }
    }
    for error in [transient(), denied()] {
        shelf.fail(error);
        advance(EVERY).await;
        let (handled, line) = world.send("e", &rules).await;
        assert_eq!((line.as_str(), handled.report.looks.unread), ("two", 1));
    }
    shelf.0.lock().unwrap().hangs = true;
    advance(EVERY).await;
    let began = Instant::now();
    assert_eq!(world.send("f", &rules).await.1, "two");
    assert!(began.elapsed() <= Duration::from_millis(1_100), "a message waits no longer: {:?}", began.elapsed());
    let asked = shelf.asked();
    assert_eq!(world.send("g", &rules).await.1, "two");
    assert_eq!(shelf.asked(), asked, "and only one in a while");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_cannot_read_the_rules_in_passing_fails_until_it_can() {
    for on_error in [OnError::Skip, OnError::Fail] {
        let (world, shelf) = (world(), Shelf::failing(transient()));
        let rules = shelf.rules(on_error);
        for _ in 0..2 {
            let began = Instant::now();
            let (handled, line) = world.send("a", &rules).await;
            let error = handled.answer.unwrap_err();
            assert!(matches!(error, FlowError::Trouble { stage: Stage::Rules, tries: 2.., .. }), "{error:?}");
            assert_eq!((line.as_str(), handled.report.looks.unread), ("Apples.", 1));
            assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
            assert!(world.memory.calls().is_empty());
        }
        // At once, not once in a while.
        shelf.publish(&packed("one"));
        world.go("a", &rules).await;
        assert_eq!(world.last_line("a"), "one");
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_cannot_have_the_rules_uses_those_it_was_deployed_with_or_fails() {
    let faulty = Shelf::failing(denied());
    faulty.publish("[]");
    for shelf in [faulty, Shelf::failing(denied()), Shelf::failing(PortError::permanent(Refusal::Location, ""))] {
        let (world, rules) = (world(), shelf.rules(OnError::Skip));
        let (handled, line) = world.send("a", &rules).await;
        assert_eq!((line.as_str(), handled.report.rule_set.unwrap().which), ("deployed", Which::Layer));
        assert_eq!(handled.report.looks.refused + handled.report.looks.unread, 1);
        assert_eq!((world.send("b", &rules).await.1.as_str(), shelf.asked()), ("deployed", 1));

        let (world, rules) = (self::world(), shelf.rules(OnError::Fail));
        for _ in 0..2 {
            let (handled, line) = world.send("a", &rules).await;
            let error = handled.answer.unwrap_err();
            assert!(matches!(error, FlowError::Refused { stage: Stage::Rules, .. }), "{error:?}");
            assert!(error.to_string().starts_with("reading the published rules: "), "{error}");
            assert_eq!(line, "Apples.");
        }
        shelf.publish(&packed("one"));
        assert_eq!(world.send("b", &rules).await.1, "one", "at once");
    }
}

#[tokio::test(start_paused = true)]
async fn rules_that_cannot_be_had_keep_nobody_from_mail_while_the_function_only_looks_on() {
    let mut world = world();
    world.settings.mode = FlowMode::Audit;
    let (handled, line) = world.send("a", &Shelf::failing(transient()).rules(OnError::Fail)).await;
    assert_eq!((handled.report.answer, line.as_str()), (Some("DEFAULT"), "Apples."));
}

#[tokio::test(start_paused = true)]
async fn a_share_of_the_messages_gets_the_candidate_each_time() {
    let world = world();
    let (current, candidate) = (Shelf::of("current"), Shelf::of("candidate"));
    let share = Share::percent("30").unwrap();
    let rules = || current.rules(OnError::Fail).with_candidate(share, candidate.candidate());
    let warm = rules();
    let mut count = 0;
    for number in 0..200 {
        let id = format!("m-{number}");
        let in_share = share.includes(&MessageId::new(&id).unwrap());
        count += u32::from(in_share);
        let expected = if in_share { (Which::Candidate, "candidate") } else { (Which::Current, "current") };
        // The same in a process that has just begun.
        for rules in [&warm, &rules()] {
            let (handled, line) = world.send(&id, rules).await;
            let rule_set = handled.report.rule_set.unwrap();
            assert_eq!((rule_set.which, line.as_str()), expected, "{id}");
            assert!(rule_set.other.is_some_and(|other| other != rule_set.digest));
        }
    }
    assert!((40..=80).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_cannot_be_had_leaves_its_share_to_the_current_rules() {
    let world = world();
    let current = Shelf::of("current");
    let all = Share::percent("100").unwrap();
    for fault in [None, Some(transient()), Some(denied())] {
        let candidate = Shelf::of("candidate");
        match &fault {
            Some(error) => candidate.fail(error.clone()),
            None => candidate.publish("[]"),
        }
        let rules = current.rules(OnError::Fail).with_candidate(all, candidate.candidate());
        let (handled, line) = world.send("a", &rules).await;
        assert_eq!((line.as_str(), handled.report.rule_set.unwrap().other), ("current", None), "{fault:?}");
        candidate.publish(&packed("candidate"));
        advance(EVERY).await;
        assert_eq!(world.send("b", &rules).await.1, "candidate");
        // What has become the current rules is no candidate any more.
        current.publish(&packed("candidate"));
        advance(EVERY).await;
        let (handled, _) = world.send("c", &rules).await;
        let rule_set = handled.report.rule_set.unwrap();
        assert_eq!((rule_set.which, rule_set.other), (Which::Current, None));
        current.publish(&packed("current"));
    }
}

/// Rewritten by one rule set, the answer lost, and the share taken back or other rules published: it stays as it is.
#[tokio::test(start_paused = true)]
async fn what_one_rule_set_has_rewritten_no_other_rewrites_again() {
    let world = world();
    let (current, candidate) = (Shelf::of("current"), Shelf::of("candidate"));
    let rules = current.rules(OnError::Skip).with_candidate(Share::percent("100").unwrap(), candidate.candidate());
    assert_eq!(world.send("a", &rules).await.1, "candidate");
    let rewritten = world.memory.message(&MessageId::new("a").unwrap()).unwrap();
    for rules in [current.rules(OnError::Skip), Shelf::of("newer").rules(OnError::Skip)] {
        let handled = world.go("a", &rules).await;
        assert_eq!(handled.report.fate.as_str(), "marked");
        assert!(world.memory.message(&MessageId::new("a").unwrap()).unwrap() == rewritten);
    }
    let calls = world.memory.calls();
    assert_eq!(calls.iter().filter(|call| **call == Call::PutBack).count(), 1);
}

/// A process that begins while a faulty rule set is published has the rules that the others have, and not older ones.
#[tokio::test(start_paused = true)]
async fn a_process_that_begins_while_a_faulty_rule_set_is_published_has_the_last_good_one() {
    for on_error in [OnError::Skip, OnError::Fail] {
        let (world, shelf) = (world(), Shelf::of("one"));
        let older = shelf.rules(on_error);
        assert_eq!(world.send("a", &older).await.1, "one");
        shelf.publish(&packed("two"));
        shelf.publish("[]");
        let begun = shelf.rules(on_error);
        advance(EVERY).await;
        for rules in [&older, &begun] {
            let (handled, line) = world.send("b", rules).await;
            let rule_set = handled.report.rule_set.unwrap();
            assert_eq!((line.as_str(), rule_set.which, handled.report.looks.refused), ("two", Which::Current, 1));
            // It counts with each message, whether it was time to look or not.
            let (handled, line) = world.send("c", rules).await;
            assert_eq!((line.as_str(), handled.report.looks.refused), ("two", 1));
        }
        shelf.fail(PortError::permanent(Refusal::Location, ""));
        let begun = shelf.rules(on_error);
        let (handled, line) = world.send("d", &begun).await;
        assert_eq!((line.as_str(), handled.report.looks.unread), ("two", 1), "a deleted one is no reason either");
    }
}

/// Rules that stamp and bounce, with a text that goes on for so long.
fn bouncing(message: &str, more: usize) -> String {
    let text = format!("{message} {}", "…".repeat(more));
    let rule = format!(
        "[[rule]]\nname = \"footer\"\naction = [{{ kind = \"append\", text = \"{message}\" }}, \
         {{ kind = \"bounce\", message = \"{text}\" }}]\n"
    );
    json!({ "mailwright": 1, "files": { "r.toml": rule } }).to_string()
}

/// What is answered belongs to what the message has become: another rule of the same name would say something else. The mark
/// says it; where it is too long for that, the rule set does that has made the mark.
#[tokio::test(start_paused = true)]
async fn what_a_rule_set_has_rewritten_it_answers_itself() {
    let bounce = |handled: &Handled| {
        let answer = serde_json::to_value(handled.answer.as_ref().unwrap()).unwrap();
        let text = answer["actions"][0]["action"]["parameters"]["bounceMessage"].as_str().unwrap_or("none");
        text.split(' ').next().unwrap().to_owned()
    };
    for (more, known, unknown) in
        [(0, Answered::ByMark, Answered::ByMark), (3_000, Answered::ByItsRules, Answered::ByNames)]
    {
        let (world, shelf) = (world(), Shelf::failing(denied()));
        shelf.publish(&bouncing("one", more));
        let rules = shelf.rules(OnError::Skip);
        let (handled, _) = world.send("a", &rules).await;
        assert_eq!((bounce(&handled).as_str(), handled.report.marked_by), ("one", None));
        let digest = handled.report.rule_set.unwrap().digest;
        for later in ["two", "three"] {
            shelf.publish(&bouncing(later, more));
            advance(EVERY).await;
            assert_eq!(bounce(&world.send("b", &rules).await.0), later);
            let handled = world.go("a", &rules).await;
            let by = handled.report.marked_by.clone().unwrap();
            assert_eq!((bounce(&handled).as_str(), by.answered, by.digest == digest), ("one", known, true));
        }
        // The same of a candidate that is in use for other messages.
        let current = Shelf::failing(denied());
        current.publish(&bouncing("current", more));
        let share = Share::percent("0").unwrap();
        let with = current.rules(OnError::Skip).with_candidate(share, shelf.candidate());
        assert_eq!(bounce(&world.go("b", &with).await), "three");
        // A process that has never had it knows what the mark says. Else it answers by the names of its rules, and says so.
        let begun = shelf.rules(OnError::Skip);
        let handled = world.go("a", &begun).await;
        let by = handled.report.marked_by.clone().unwrap();
        let answer = if unknown == Answered::ByMark { "one" } else { "three" };
        assert_eq!((bounce(&handled).as_str(), by.answered), (answer, unknown));
    }
    assert_eq!(
        MarkedBy { digest: String::new(), answered: Answered::ByNames }.answered_by(),
        "rules of the same names"
    );
}
