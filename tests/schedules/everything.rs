//! The same with all that the function may have: rules that are published, faulty ones on top of them or others meanwhile, a
//! candidate for a share of the messages, WorkMail's directory, and attachments that are stored outside of the message. All
//! of these are calls, and any of them may fail.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use mailwright::directory::{Organization, Person};
use mailwright::envelope::Domain;
use mailwright::facts::Clock;
use mailwright::flow::directory::{Ages, Calls, Entity, GroupOf, Page, Sort, WorkMailDirectory};
use mailwright::flow::handler::{ANSWER_WITHIN, Fate, Handled, Settings, handle_with_directory};
use mailwright::flow::key::MessageId;
use mailwright::flow::mark::StampKey;
use mailwright::flow::ports::{PortError, Refusal};
use mailwright::flow::provisions::Provisions;
use mailwright::flow::refresh::{InForce, Published, RuleStore, Version};
use mailwright::flow::rule_sets::{RuleSets, Which};
use mailwright::flow::share::Share;
use mailwright::pipeline::{Pipeline, Verdict};
use mailwright::rule::OnError;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::world::World;
use crate::{RULE_TIMEOUT, schedules};

/// Fewer than of the others: each process compiles its rules, and there are many.
const SCHEDULES: u64 = 2_000;
const EVERY: Duration = Duration::from_mins(1);
const FAULTY: &str = "{\"mailwright\":1,\"files\":{\"r.toml\":\"[[rule]]\"}}";

const MESSAGE: &str = "From: Ann <ann@example.com>\nTo: kim@customer.example\nDate: Mon, 5 Oct 2026 10:00:00 \
                       +0000\nMessage-ID: <1@example.com>\nSubject: Harvest plan\nMIME-Version: 1.0\nContent-Type: \
                       multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=us-ascii\n\nThe apples are \
                       ripe.\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; \
                       filename=plan.pdf\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQKJSBub3QgbXVjaCBvZiBhIHBsYW4K\n--b--\n";

/// A packed rule set that stores a file, asks the directory, and answers; each by its name.
fn packed(name: &str, on_error: OnError) -> String {
    let on_error = if on_error == OnError::Fail { "fail" } else { "skip" };
    let rules = format!(
        "[[rule]]\nname = \"files\"\naction = {{ kind = \"store_attachments\", attachment = {{ extension = \"pdf\" }}, \
         link = \"https://files.example.com/{{{{ attachment.key }}}}\" }}\n\
         [[rule]]\nname = \"sales\"\non_error = \"{on_error}\"\nwhen = {{ sender = {{ group = \"sales@example.com\" }} }}\n\
         action = {{ kind = \"append\", text = \"Grown by {name}\", once = \"always\" }}\n\
         [[rule]]\nname = \"end\"\naction = {{ kind = \"bounce\", message = \"{name}\" }}\n"
    );
    json!({ "mailwright": 1, "files": { "r.toml": rules } }).to_string()
}

/// Where rules are published: all that ever was, the last one last.
struct Shelf<'w> {
    world: &'w World,
    versions: &'w Mutex<Vec<String>>,
}

impl Shelf<'_> {
    fn at(&self, version: usize) -> Option<Published> {
        let octets = self.versions.lock().unwrap().get(version)?.clone();
        Some(Published { tag: octets.clone(), octets: Bytes::from(octets) })
    }
}

impl RuleStore for Shelf<'_> {
    async fn published(&self, known: Option<&str>) -> Result<Option<Published>, PortError> {
        let published = || {
            let count = self.versions.lock().unwrap().len();
            let last = count.checked_sub(1).and_then(|last| self.at(last));
            let last = last.ok_or_else(|| PortError::permanent(Refusal::Location, ""))?;
            Ok((known != Some(last.tag.as_str())).then_some(last))
        };
        self.world.call(published).await
    }
    async fn versions(&self) -> Result<Vec<Version>, PortError> {
        let versions = || {
            let versions = self.versions.lock().unwrap();
            let each = versions.iter().enumerate().rev();
            Ok(each.map(|(at, text)| Version { id: at.to_string(), tag: text.clone() }).collect())
        };
        self.world.call(versions).await
    }
    async fn version(&self, version: &Version) -> Result<Published, PortError> {
        self.world.call(|| Ok(self.at(version.id.parse().unwrap()).unwrap())).await
    }
}

/// WorkMail's directory: one person, who is in one group.
struct Office<'w> {
    world: &'w World,
    denied: bool,
}

impl Office<'_> {
    async fn call<T: Send>(&self, said: impl FnOnce() -> T + Send) -> Result<T, PortError> {
        if self.denied {
            return Err(PortError::permanent(Refusal::Denied, ""));
        }
        self.world.call(|| Ok(said())).await
    }
}

fn page<T>(entries: Vec<T>) -> Page<T> {
    Page { entries, next: None }
}

fn sales() -> GroupOf {
    GroupOf { id: "g".to_owned(), name: "sales".to_owned() }
}

impl Calls for Office<'_> {
    async fn domains(&self, _: Option<&str>) -> Result<Page<Domain>, PortError> {
        self.call(|| page(vec![Domain::new("example.com").unwrap()])).await
    }
    async fn entity(&self, email: &str) -> Result<Option<Entity>, PortError> {
        let entity = match email {
            "ann@example.com" => Some(Entity { id: "u".to_owned(), sort: Sort::User }),
            "sales@example.com" => Some(Entity { id: "g".to_owned(), sort: Sort::Group }),
            _ => None,
        };
        self.call(|| entity).await
    }
    async fn person(&self, _: &str) -> Result<Option<Person>, PortError> {
        self.call(|| Some(Person::default())).await
    }
    async fn groups_of(&self, id: &str, _: Option<&str>) -> Result<Page<GroupOf>, PortError> {
        let groups = if id == "u" { vec![sales()] } else { vec![] };
        self.call(|| page(groups)).await
    }
    async fn groups(&self, _: Option<&str>) -> Result<Page<GroupOf>, PortError> {
        self.call(|| page(vec![sales()])).await
    }
    async fn members(&self, _: &str, _: Option<&str>) -> Result<Page<Entity>, PortError> {
        self.call(|| page(vec![Entity { id: "u".to_owned(), sort: Sort::User }])).await
    }
}

/// What is published in one schedule.
#[derive(Default)]
struct Shelves {
    current: Mutex<Vec<String>>,
    candidate: Mutex<Vec<String>>,
}

/// A process of the function, from its start to its end.
struct Process<'w> {
    rules: RuleSets<Shelf<'w>>,
    directory: WorkMailDirectory<Office<'w>>,
}

impl<'w> Process<'w> {
    fn begin(world: &'w World, shelves: &'w Shelves, deployed: &str, denied: bool) -> Self {
        let provisions = || Provisions { attachments: true, directory: true, ..Provisions::default() };
        let deployed = Pipeline::unpack(deployed.as_bytes()).unwrap();
        let current = InForce::new(deployed, Shelf { world, versions: &shelves.current }, provisions(), EVERY);
        let candidate = InForce::candidate(Shelf { world, versions: &shelves.candidate }, provisions(), EVERY);
        let rules = RuleSets::published(current, OnError::Skip).with_candidate(half(), candidate);
        let organization = Organization { domains: [Domain::new("example.com").unwrap()].into() };
        let office = Office { world, denied };
        Self { rules, directory: WorkMailDirectory::new(office, Some(organization), Ages::default()) }
    }

    async fn invoke(&self, id: &str, world: &World, began: Instant) -> Handled {
        let event = json!({
            "envelope": {"mailFrom": {"address": "ann@example.com"}, "recipients": [{"address": "kim@customer.example"}]},
            "messageId": id, "invocationId": "1", "flowDirection": "OUTBOUND", "truncated": false
        });
        let stamp_key = Some(StampKey::new("0123456789abcdef0123456789abcdef").unwrap());
        let elapsed = SignedDuration::try_from(began.elapsed()).unwrap();
        let clock = Clock::Fixed(Timestamp::from_second(1_800_000_000).unwrap() + elapsed);
        let settings = Settings { stamp_key, clock, ..Settings::default() };
        let deadline = Instant::now() + ANSWER_WITHIN;
        handle_with_directory(&event, deadline, &self.rules, world, world, &self.directory, &settings).await
    }
}

fn half() -> Share {
    Share::percent("50").unwrap()
}

/// What one rule set makes of the message.
struct Makes {
    name: &'static str,
    rewrite: Bytes,
    /// The same where the directory says nothing, and may.
    without_directory: Option<Bytes>,
}

impl Makes {
    async fn of(name: &'static str, on_error: OnError, id: &str, original: &Bytes) -> Self {
        let mut made = Vec::new();
        for denied in [false, true] {
            let world = World::calm(original);
            let shelves = Shelves::default();
            shelves.current.lock().unwrap().push(packed(name, on_error));
            let process = Process::begin(&world, &shelves, &packed("layer", on_error), denied);
            let handled = process.invoke(id, &world, Instant::now()).await;
            assert_eq!(handled.answer.is_err(), denied && on_error == OnError::Fail, "{:?}", handled.answer);
            made.push(world.now());
        }
        assert!(made[0] != *original && String::from_utf8_lossy(&made[0]).contains(&format!("Grown by {name}")));
        let without_directory = made.pop().filter(|_| on_error == OnError::Skip);
        assert!(without_directory.as_ref().is_none_or(|without| *without != made[0] && without != original));
        Self { name, rewrite: made.remove(0), without_directory }
    }

    fn is(&self, content: &Bytes) -> bool {
        *content == self.rewrite || self.without_directory.as_ref() == Some(content)
    }
}

/// What became of a message in the end.
struct Answered {
    handled: Handled,
    answer: Value,
}

impl Answered {
    fn late(&self) -> bool {
        let rules = self.handled.report.rules.iter().flat_map(|report| &report.rules);
        rules.into_iter().any(|rule| rule.verdict == Verdict::OutOfTime)
    }
    fn bounces_for(&self) -> Option<&str> {
        self.answer["actions"][0]["action"]["parameters"]["bounceMessage"].as_str()
    }
}

/// How many answers were lost before the rule's timeout.
struct Lost(u32);

/// WorkMail calls, and calls again, until its rule's timeout; with another process where one has died, and now and then
/// otherwise.
async fn deliver<'w>(
    id: &str,
    world: &'w World,
    begin: impl Fn() -> Process<'w>,
    publish: impl Fn(),
) -> Result<Answered, Lost> {
    let first_try = Instant::now();
    let (mut process, mut lost) = (begin(), 0);
    let mut pause = Duration::from_secs(10);
    while first_try.elapsed() < RULE_TIMEOUT {
        if world.random.below(4) == 0 {
            publish();
        }
        if world.random.below(5) == 0 {
            process = begin();
        }
        let handled = tokio::select! {
            biased;
            handled = timeout(ANSWER_WITHIN, process.invoke(id, world, first_try)) => handled.ok(),
            () = world.died.notified() => None,
        };
        match handled {
            None => process = begin(),
            Some(handled) => {
                if let Ok(answer) = &handled.answer {
                    let answer = serde_json::to_value(answer).unwrap();
                    // The answer may be lost on its way.
                    if world.random.below(4) > 0 {
                        return Ok(Answered { handled, answer });
                    }
                    lost += 1;
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_mins(30));
    }
    Err(Lost(lost))
}

#[derive(Debug, Default)]
struct Counts {
    rewritten: u32,
    candidate: u32,
    layer: u32,
    answered_itself: u32,
    cut: u64,
    without_directory: u32,
    refused: u32,
    fell_back: u32,
}

#[tokio::test(start_paused = true)]
async fn with_published_rules_a_candidate_a_directory_and_stored_files_nothing_is_lost_doubled_or_half_done() {
    let original = Bytes::from(MESSAGE.replace('\n', "\r\n"));
    let (schedules, alone) = schedules(SCHEDULES);
    let mut counts = Counts::default();
    // A message in the share of the candidate, and one beside it: ids are in the marks, so each has rewrites of its own.
    let ids: Vec<String> = (0..50).map(|n| format!("00000000-0000-4000-8000-{n:012x}")).collect();
    let in_share = |id: &String| half().includes(&MessageId::new(id).unwrap());
    let ids = [true, false].map(|inside| ids.iter().find(|id| in_share(id) == inside).unwrap().as_str());
    let mut prepared = Vec::new();
    for on_error in [OnError::Skip, OnError::Fail] {
        for id in ids {
            let mut makes = Vec::new();
            for name in ["current", "newer", "candidate", "layer"] {
                makes.push(Makes::of(name, on_error, id, &original).await);
            }
            prepared.push((on_error, id, makes));
        }
    }
    for schedule in schedules {
        let (on_error, id, makes) = &prepared[usize::try_from(schedule % 4).unwrap()];
        let strict = *on_error == OnError::Fail;
        let at = || format!("SCHEDULE={schedule}, on_error = {on_error:?}, {id}");
        let world = World::new(schedule, &original);
        let shelves = Shelves::default();
        let text = |name: &str| packed(name, *on_error);
        shelves.current.lock().unwrap().push(text("current"));
        shelves.candidate.lock().unwrap().push(text("candidate"));
        for shelf in [&shelves.current, &shelves.candidate] {
            if world.random.below(3) == 0 {
                shelf.lock().unwrap().push(FAULTY.to_owned());
            }
        }
        let layer = text("layer");
        let begin = || Process::begin(&world, &shelves, &layer, false);
        let publish = || shelves.current.lock().unwrap().push(text("newer"));
        let end = deliver(id, &world, begin, publish).await;

        counts.cut += world.cut.load(Ordering::Relaxed);
        let refused = world.refused.load(Ordering::Relaxed) > 0;
        let published = shelves.current.lock().unwrap().iter().any(|version| *version == text("newer"));
        let allowed = |makes: &&Makes| match makes.name {
            "newer" => published,
            "candidate" => *id == ids[0] && shelves.candidate.lock().unwrap().len() == 1,
            // What is published can be read but for a refusal.
            "layer" => refused,
            _ => true,
        };
        let made_by = |content: &Bytes| makes.iter().filter(allowed).find(|makes| makes.is(content));
        let mut seen = world.seen.lock().unwrap().clone();
        seen.dedup();
        let rewrites: Vec<&Bytes> = seen.iter().filter(|content| **content != original).collect();
        assert!(rewrites.len() <= 1, "{}: rewritten twice", at());
        assert!(rewrites.iter().all(|content| made_by(content).is_some()), "{}: half done, or by other rules", at());
        // What a message links to is there.
        let stored: BTreeSet<String> =
            world.objects.lock().unwrap().iter().map(|(key, _)| key.as_str().to_owned()).collect();
        for content in &rewrites {
            let text = String::from_utf8_lossy(content).replace("=\r\n", "").replace("=3D", "=");
            let key = text.split("https://files.example.com/").nth(1).and_then(|rest| rest.split_whitespace().next());
            assert!(key.is_some_and(|key| stored.contains(key)), "{}: a link to nothing: {key:?}", at());
        }
        let now = world.now();
        counts.refused += u32::from(refused);
        let end = match end {
            Ok(end) => end,
            Err(Lost(answers)) => {
                assert!(refused || answers > 0 || !world.is_calm(), "{}: the faults were over long before", at());
                counts.fell_back += 1;
                continue;
            }
        };
        if now == original {
            assert!(!strict, "{}: what must not go out went out", at());
            assert!(refused || end.late(), "{}: the rewrite was lost", at());
            continue;
        }
        // What was rewritten gets the answer of the rules that did it.
        let makes = made_by(&now).unwrap();
        if matches!(end.handled.report.fate, Fate::Original { .. }) {
            // At an earlier try; the last could not even read it, and leaves it as it is.
            assert!(refused && !strict, "{}: {:?}", at(), end.handled.report.fate);
            continue;
        }
        assert_eq!(end.bounces_for(), Some(makes.name), "{}: {}", at(), end.answer);
        let which = end.handled.report.rule_set.as_ref().map(|set| set.which);
        counts.rewritten += 1;
        counts.candidate += u32::from(makes.name == "candidate");
        counts.layer += u32::from(which == Some(Which::Layer));
        counts.answered_itself += u32::from(end.handled.report.marked_by.is_some());
        counts.without_directory += u32::from(makes.without_directory.as_ref() == Some(&now));
    }
    let Counts { rewritten, candidate, layer, answered_itself, cut, without_directory, refused, .. } = counts;
    // The schedules are worth something only if they hit.
    let least = [rewritten / 10, candidate / 10, layer, answered_itself, without_directory, refused];
    assert!(alone || least.iter().all(|count| *count >= 5) && cut >= 100, "{counts:?}");
}
