//! The directory against calls in memory, in paused time.

use std::collections::VecDeque;

use super::*;
use crate::directory::Attribute;
use crate::envelope::Direction;

/// An organization in memory, two entries a page, that can be told to fail.
#[derive(Default)]
struct Office {
    /// `address id sort`.
    entities: Vec<(&'static str, &'static str, Sort)>,
    /// Group id and the ids in it.
    groups: Vec<(&'static str, Vec<&'static str>)>,
    domains: Vec<&'static str>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<String>,
    /// How the next calls fail.
    faults: VecDeque<Option<PortError>>,
    /// How all calls of a name fail, or hang.
    always: HashMap<&'static str, Option<PortError>>,
    /// Calls open at one time, and the most that there were.
    open: (usize, usize),
}

impl Office {
    /// Ann is in emea, Bob and emea in sales, sales and Cy in all; the room is in none.
    fn new() -> Self {
        use Sort::{Group, Resource, User};
        Self {
            entities: vec![
                ("ann@example.com", "u-ann", User),
                ("a.lee@example.com", "u-ann", User),
                ("bob@example.com", "u-bob", User),
                ("cy@example.net", "u-cy", User),
                ("room@example.com", "r-room", Resource),
                ("emea@example.com", "g-emea", Group),
                ("sales@example.com", "g-sales", Group),
                ("all@example.com", "g-all", Group),
                ("one@example.com", "g-one", Group),
            ],
            groups: vec![
                ("g-emea", vec!["u-ann"]),
                ("g-sales", vec!["u-bob", "g-emea"]),
                ("g-all", vec!["g-sales", "u-cy", "g-all"]),
                ("g-one", vec!["u-ann"]),
            ],
            domains: vec!["example.com", "example.net", "office.awsapps.com"],
            state: Mutex::default(),
        }
    }
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
    /// Calls since the last time this was asked.
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }
    fn fail(&self, faults: impl IntoIterator<Item = PortError>) {
        self.state().faults.extend(faults.into_iter().map(Some));
    }
    fn sort(&self, id: &str) -> Sort {
        self.entities.iter().find(|(_, known, _)| *known == id).unwrap().2
    }

    async fn take(&self, name: &'static str, of: &str, page: Option<&str>) -> Result<(), PortError> {
        let fault = {
            let mut state = self.state();
            state.calls.push(format!("{name} {of}{}", page.map_or(String::new(), |page| format!(" page {page}"))));
            state.open.0 += 1;
            state.open.1 = state.open.1.max(state.open.0);
            let always = state.always.get(name).cloned().map(|fault| fault.ok_or(()));
            let next = state.faults.pop_front().flatten().map(Ok);
            next.or(always)
        };
        tokio::task::yield_now().await;
        self.state().open.0 -= 1;
        match fault {
            None => Ok(()),
            Some(Ok(error)) => Err(error),
            Some(Err(())) => std::future::pending().await,
        }
    }
}

fn page<T: Clone>(all: &[T], from: Option<&str>) -> Page<T> {
    let start = from.map_or(0, |token| token.parse().unwrap());
    let entries: Vec<T> = all.iter().skip(start).take(2).cloned().collect();
    let next = (start + 2 < all.len()).then(|| (start + 2).to_string());
    Page { entries, next }
}

impl Calls for &Office {
    async fn domains(&self, from: Option<&str>) -> Result<Page<Domain>, PortError> {
        self.take("domains", "", from).await?;
        Ok(page(&self.domains.iter().map(|name| Domain::new(name).unwrap()).collect::<Vec<_>>(), from))
    }
    async fn entity(&self, email: &str) -> Result<Option<Entity>, PortError> {
        self.take("entity", email, None).await?;
        let found = self.entities.iter().find(|(address, ..)| *address == email);
        Ok(found.map(|(_, id, sort)| Entity { id: (*id).to_owned(), sort: *sort }))
    }
    async fn person(&self, id: &str) -> Result<Option<Person>, PortError> {
        self.take("person", id, None).await?;
        let mut person = Person::default();
        person.set(Attribute::Name, id);
        person.set(Attribute::Department, if id == "u-cy" { "Finance" } else { "Sales" });
        Ok(Some(person))
    }
    async fn groups_of(&self, id: &str, from: Option<&str>) -> Result<Page<GroupOf>, PortError> {
        self.take("groups_of", id, from).await?;
        let group = |id: &str| GroupOf { id: id.to_owned(), name: id.trim_start_matches("g-").to_uppercase() };
        let of: Vec<GroupOf> =
            self.groups.iter().filter(|(_, members)| members.contains(&id)).map(|(id, _)| group(id)).collect();
        Ok(page(&of, from))
    }
    async fn groups(&self, from: Option<&str>) -> Result<Page<GroupOf>, PortError> {
        self.take("groups", "", from).await?;
        let group = |id: &str| GroupOf { id: id.to_owned(), name: id.trim_start_matches("g-").to_uppercase() };
        Ok(page(&self.groups.iter().map(|(id, _)| group(id)).collect::<Vec<_>>(), from))
    }
    async fn members(&self, id: &str, from: Option<&str>) -> Result<Page<Entity>, PortError> {
        self.take("members", id, from).await?;
        let members = &self.groups.iter().find(|(group, _)| *group == id).unwrap().1;
        let entity = |id: &&str| Entity { id: (*id).to_owned(), sort: self.sort(id) };
        Ok(page(&members.iter().map(entity).collect::<Vec<_>>(), from))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn envelope(from: &str, to: &[&str]) -> Envelope {
    Envelope {
        direction: Direction::Outbound,
        sender: Address::new(from).ok(),
        recipients: to.iter().map(|address| Address::new(address).unwrap()).collect(),
        message_id: "m-1".into(),
        truncated: false,
    }
}

fn group(name: &str) -> GroupName {
    GroupName::new(name).unwrap()
}

fn wanted(person: bool, groups: &[&str]) -> Wanted {
    Wanted { person, groups: groups.iter().map(|name| group(name)).collect() }
}

fn sender(person: bool, groups: &[&str]) -> Need {
    Need { sender: wanted(person, groups), ..Need::default() }
}

fn recipients(person: bool, groups: &[&str]) -> Need {
    Need { recipients: wanted(person, groups), ..Need::default() }
}

fn directory(office: &Office) -> WorkMailDirectory<&Office> {
    WorkMailDirectory::new(office, None, Ages::default())
}

async fn ask(directory: &WorkMailDirectory<&Office>, need: &Need, envelope: &Envelope, second: i64) -> People {
    directory.look_up(need, envelope, at(second), Instant::now() + Duration::from_secs(4)).await
}

/// The groups that were found, `?` and why where they are not known.
fn told(member: &Member) -> String {
    match &member.groups {
        Fact::Known(of) => of.iter().map(GroupName::as_str).collect::<Vec<_>>().join(" "),
        Fact::Unknown(why) => format!("? {why}"),
    }
}

fn name(member: &Member) -> &str {
    match &member.person {
        Fact::Known(Some(person)) => person.attribute("name").unwrap(),
        Fact::Known(None) => "nobody",
        Fact::Unknown(why) => why,
    }
}

fn throttled() -> PortError {
    PortError::transient(Trouble::Throttled, "Rate exceeded")
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_that_no_rule_needs() {
    let office = Office::new();
    let people = ask(&directory(&office), &Need::domains(), &envelope("ann@example.com", &["x@example.com"]), 0).await;
    let domains = people.organization.unwrap().known().unwrap().domains;
    assert_eq!(domains.iter().map(Domain::as_str).collect::<Vec<_>>(), office.domains);
    assert_eq!(office.calls(), ["domains ", "domains  page 2"]);
    let configured = Organization { domains: vec![Domain::new("example.com").unwrap()] };
    let directory = WorkMailDirectory::new(&office, Some(configured), Ages::default());
    let people = ask(&directory, &Need::domains(), &envelope("ann@example.com", &[]), 0).await;
    assert!(people.organization.is_none() && office.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_person_is_found_by_any_address_and_asked_for_once() {
    let office = Office::new();
    let directory = directory(&office);
    for from in ["ann@example.com", "Ann@Example.com", "A.Lee@example.com"] {
        let people = ask(&directory, &sender(true, &[]), &envelope(from, &["bob@example.com"]), 0).await;
        assert_eq!(people.sender().and_then(|person| person.attribute("name")), Some("u-ann"));
        assert!(matches!(people.at(&Address::new("bob@example.com").unwrap()), Fact::Unknown(_)));
    }
    let expected =
        ["domains ", "domains  page 2", "entity ann@example.com", "person u-ann", "entity a.lee@example.com"];
    assert_eq!(office.calls(), expected);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_cannot_be_there_are_not_asked_for() {
    let office = Office::new();
    let to = ["kim@customer.example", "o'brien@example.com", "jürgen@example.com", "x@sub.example.com"];
    let people = ask(&directory(&office), &recipients(true, &["all"]), &envelope("ann@example.com", &to), 0).await;
    for address in to {
        let address = Address::new(address).unwrap();
        let members = people.at(&address).known().unwrap();
        assert_eq!((members.len(), name(&members[0]), told(&members[0])), (1, "nobody", String::new()));
    }
    let expected = ["domains ", "domains  page 2", "groups ", "groups  page 2"];
    assert_eq!(office.calls(), expected);
}

#[tokio::test(start_paused = true)]
async fn groups_by_way_of_groups() {
    let office = Office::new();
    let directory = directory(&office);
    let need = sender(false, &["all@example.com", "Sales", "one@example.com"]);
    let people = ask(&directory, &need, &envelope("ann@example.com", &[]), 0).await;
    assert_eq!(told(&people.sender), "all@example.com one@example.com sales");
    assert_eq!(name(&people.sender), crate::directory::NOT_LOOKED_UP);
    office.calls();
    // What is known of Ann's groups is not asked for again for Bob.
    let people = ask(&directory, &need, &envelope("bob@example.com", &[]), 1).await;
    assert_eq!(told(&people.sender), "all@example.com sales");
    assert_eq!(office.calls(), ["entity bob@example.com", "groups_of u-bob", "groups_of g-all"]);
    // It stops where all that is wanted is found.
    let office = Office::new();
    let people = ask(&self::directory(&office), &sender(false, &["emea"]), &envelope("ann@example.com", &[]), 0).await;
    assert_eq!(told(&people.sender), "emea");
    assert_eq!(office.calls().last().unwrap(), "groups_of u-ann");
}

#[tokio::test(start_paused = true)]
async fn a_group_stands_for_its_members() {
    let office = Office::new();
    let directory = directory(&office);
    let all = Address::new("all@example.com").unwrap();
    let mail = envelope("ann@example.com", &["all@example.com", "room@example.com"]);
    let people = ask(&directory, &recipients(true, &["sales"]), &mail, 0).await;
    let members = people.at(&all).known().unwrap();
    let mut seen: Vec<(&str, String)> = members.iter().map(|member| (name(member), told(member))).collect();
    seen.sort();
    let sales = || "sales".to_owned();
    assert_eq!(seen, [("u-ann", sales()), ("u-bob", sales()), ("u-cy", String::new())]);
    let room = people.at(&mail.recipients[1]).known().unwrap();
    assert_eq!((room.len(), name(&room[0])), (1, "nobody"));
    // Who is in a group that is in the group wanted need not be known.
    let office = Office::new();
    let mail = envelope("ann@example.com", &["emea@example.com"]);
    let people = ask(&self::directory(&office), &recipients(false, &["all"]), &mail, 0).await;
    assert_eq!(told(&people.at(&mail.recipients[0]).known().unwrap()[0]), "all");
    assert!(!office.calls().iter().any(|call| call.starts_with("members")));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_none_is_not_an_empty_one() {
    let office = Office::new();
    for name in ["slaes@example.com", "ann@example.com", "sales@other.example", "Slaes"] {
        let mail = envelope("bob@example.com", &["kim@customer.example"]);
        let mut need = sender(false, &[name]);
        need.add(recipients(false, &[name]));
        let people = ask(&directory(&office), &need, &mail, 0).await;
        assert_eq!(told(&people.sender), format!("? {NO_SUCH_GROUP}"), "{name}");
        assert_eq!(told(&people.at(&mail.recipients[0]).known().unwrap()[0]), format!("? {NO_SUCH_GROUP}"));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_age_and_old_ones_serve_in_need() {
    let office = Office::new();
    let directory = directory(&office);
    let mail = envelope("ann@example.com", &[]);
    let need = sender(true, &[]);
    let found = async |second| name(&ask(&directory, &need, &mail, second).await.sender).to_owned();
    assert_eq!(found(0).await, "u-ann");
    office.calls();
    assert_eq!(found(599).await, "u-ann");
    assert!(office.calls().is_empty());
    assert_eq!(found(600).await, "u-ann");
    assert_eq!(office.calls().len(), 4);
    // Hours later WorkMail is down.
    for call in ["domains", "entity", "person"] {
        office.state().always.insert(call, Some(PortError::transient(Trouble::Unavailable, "")));
    }
    assert_eq!(found(600 + 3 * 3_600).await, "u-ann");
    office.calls();
    assert_eq!(found(600 + 3 * 3_600 + 1).await, "u-ann");
    assert!(office.calls().is_empty(), "what just failed is left alone for a while");
    assert_eq!(found(600 + 7 * 3_600).await, "the directory is in trouble");
    // It is back.
    office.state().always.clear();
    assert_eq!(found(600 + 7 * 3_600 + 6).await, "u-ann");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_remembered_for_a_shorter_time() {
    let office = Office::new();
    let directory = directory(&office);
    let mail = envelope("new@example.com", &[]);
    for (second, calls) in [(0, 3), (119, 0), (120, 1)] {
        assert_eq!(name(&ask(&directory, &sender(true, &[]), &mail, second).await.sender), "nobody");
        assert_eq!(office.calls().len(), calls, "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_is_waited_out_within_the_time_given() {
    let office = Office::new();
    office.fail([throttled(), PortError::transient(Trouble::Connection, ""), throttled()]);
    let began = Instant::now();
    let mail = envelope("ann@example.com", &[]);
    let people = ask(&directory(&office), &sender(true, &[]), &mail, 0).await;
    assert_eq!(name(&people.sender), "u-ann");
    assert!(began.elapsed() > Duration::from_millis(300) && began.elapsed() < Duration::from_secs(3));

    let office = Office::new();
    office.state().always.insert("person", Some(throttled()));
    let began = Instant::now();
    let people = ask(&directory(&office), &sender(true, &["all"]), &mail, 0).await;
    assert_eq!((name(&people.sender), told(&people.sender)), ("the directory is throttling", "all".to_owned()));
    assert!(began.elapsed() <= Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn calls_that_hang_end_in_time_and_spare_what_was_answered() {
    let office = Office::new();
    office.state().always.insert("groups_of", None);
    let directory = directory(&office);
    let began = Instant::now();
    let mail = envelope("ann@example.com", &["bob@example.com"]);
    let mut need = sender(true, &["all"]);
    need.add(recipients(false, &["all"]));
    let people = ask(&directory, &need, &mail, 0).await;
    assert!(began.elapsed() <= Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(
        (name(&people.sender), told(&people.sender)),
        ("u-ann", "? the directory did not answer in time".into())
    );
    let bob = people.at(&mail.recipients[0]).known().unwrap();
    assert_eq!(told(&bob[0]), "? the directory did not answer in time");
}

#[tokio::test(start_paused = true)]
async fn who_is_denied_stops_asking_for_a_minute() {
    let office = Office::new();
    office.state().always.insert("domains", Some(PortError::permanent(Refusal::Denied, "grant it")));
    let directory = directory(&office);
    let mail = envelope("ann@example.com", &["bob@example.com"]);
    let mut need = sender(true, &["all"]);
    need.add(Need::domains());
    need.add(recipients(true, &[]));
    for (second, calls) in [(0, 1), (59, 0), (120, 1)] {
        let people = ask(&directory, &need, &mail, second).await;
        assert_eq!(name(&people.sender), "access to the directory was denied");
        assert!(matches!(people.organization, Some(Fact::Unknown(_))));
        assert!(matches!(people.at(&mail.recipients[0]), Fact::Unknown(_)));
        assert_eq!(office.calls().len(), calls, "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_refused_stops_no_other() {
    let office = Office::new();
    office.state().always.insert("person", Some(PortError::permanent(Refusal::Invalid, "")));
    let directory = directory(&office);
    let people = ask(&directory, &sender(true, &["all"]), &envelope("ann@example.com", &[]), 0).await;
    assert_eq!((name(&people.sender), told(&people.sender)), ("the directory refused the request", "all".into()));
    let calls = office.calls().iter().filter(|call| call.starts_with("person")).count();
    assert_eq!(calls, 1);
    ask(&directory, &sender(true, &[]), &envelope("ann@example.com", &[]), 1).await;
    assert!(office.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn many_recipients_share_calls_and_do_not_storm() {
    let office = Office::new();
    let directory = directory(&office);
    let to: Vec<String> = (0..100).map(|n| format!("p{}@example.com", n % 60)).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).chain(["ann@example.com", "a.lee@example.com"]).collect();
    let people = ask(&directory, &recipients(true, &["all"]), &envelope("ann@example.com", &to), 0).await;
    assert_eq!(told(&people.at(&Address::new("ann@example.com").unwrap()).known().unwrap()[0]), "all");
    let calls = office.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("entity p")).count(), 60);
    assert_eq!(calls.iter().filter(|call| *call == "groups_of u-ann").count(), 1);
    assert_eq!(calls.iter().filter(|call| *call == "person u-ann").count(), 1);
    assert!((2..=AT_ONCE).contains(&office.state().open.1), "{}", office.state().open.1);
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_is_given_up() {
    struct Endless;
    impl Calls for Endless {
        async fn domains(&self, _: Option<&str>) -> Result<Page<Domain>, PortError> {
            Ok(Page { entries: Vec::new(), next: Some("more".into()) })
        }
        async fn entity(&self, _: &str) -> Result<Option<Entity>, PortError> {
            Ok(None)
        }
        async fn person(&self, _: &str) -> Result<Option<Person>, PortError> {
            Ok(None)
        }
        async fn groups_of(&self, _: &str, _: Option<&str>) -> Result<Page<GroupOf>, PortError> {
            Ok(Page { entries: Vec::new(), next: None })
        }
        async fn groups(&self, _: Option<&str>) -> Result<Page<GroupOf>, PortError> {
            Ok(Page { entries: Vec::new(), next: None })
        }
        async fn members(&self, _: &str, _: Option<&str>) -> Result<Page<Entity>, PortError> {
            Ok(Page { entries: Vec::new(), next: None })
        }
    }
    let directory = WorkMailDirectory::new(Endless, None, Ages::default());
    let until = Instant::now() + Duration::from_secs(4);
    let people = directory.look_up(&Need::domains(), &envelope("ann@example.com", &[]), at(0), until).await;
    assert_eq!(people.organization, Some(Fact::Unknown("the directory refused the request")));
}
