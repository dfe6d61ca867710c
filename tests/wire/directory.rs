//! WorkMail's directory through the real SDK: answers, pages, failures, and what they mean for mail.

use std::time::Duration;

use jiff::Timestamp;
use mailwright::directory::{Fact, GroupName, Member, Need, People, Wanted};
use mailwright::envelope::{Address, Direction, Envelope};
use mailwright::flow::aws::{Clients, Environment, WorkMailCalls};
use mailwright::flow::directory::{Ages, WorkMailDirectory};
use mailwright::flow::key::OrganizationId;
use mailwright::flow::ports::Directory;
use tokio::time::Instant;

use crate::organization::{Fault, ID, Organization};
use crate::world::{World, event};
use crate::{KEY_ID, SECRET, default, message};

const ANN: &str = "11111111-0000-0000-0000-000000000001";
const BOB: &str = "11111111-0000-0000-0000-000000000002";
const EMEA: &str = "22222222-0000-0000-0000-000000000001";
const SALES: &str = "22222222-0000-0000-0000-000000000002";
const ALL: &str = "22222222-0000-0000-0000-000000000003";
const RING: &str = "22222222-0000-0000-0000-000000000004";
const INNER: &str = "22222222-0000-0000-0000-000000000005";

fn directory(organization: &Organization) -> WorkMailDirectory<WorkMailCalls> {
    let environment = Environment::read(&|name| match name {
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        "AWS_ACCESS_KEY_ID" => Some(KEY_ID.to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some(SECRET.to_owned()),
        "AWS_ENDPOINT_URL_WORKMAIL" => Some(format!("http://{}", organization.address)),
        _ => None,
    });
    let client = Clients::new(&environment.unwrap()).directory;
    WorkMailDirectory::new(WorkMailCalls::new(client, OrganizationId::new(ID).unwrap()), None, Ages::default())
}

fn wanted(groups: &[&str]) -> Wanted {
    Wanted { person: true, groups: groups.iter().map(|name| GroupName::new(name).unwrap()).collect() }
}

async fn ask(directory: &WorkMailDirectory<WorkMailCalls>, need: &Need, to: &str, second: i64, within: u64) -> People {
    let envelope = Envelope {
        direction: Direction::Outbound,
        sender: Address::new("ann@example.com").ok(),
        recipients: vec![Address::new(to).unwrap()],
        message_id: "m-1".into(),
        truncated: false,
    };
    let now = Timestamp::from_second(1_800_000_000 + second).unwrap();
    directory.look_up(need, &envelope, now, Instant::now() + Duration::from_millis(within)).await
}

fn groups(member: &Member) -> Vec<&str> {
    match &member.groups {
        Fact::Known(of) => of.iter().map(GroupName::as_str).collect(),
        Fact::Unknown(why) => vec!["?", why],
    }
}

#[tokio::test]
async fn what_workmail_says_is_read_page_by_page_and_asked_once() {
    let organization = Organization::start().await;
    let directory = directory(&organization);
    let groups_wanted = ["all@example.com", "emea", "sales@example.com"];
    let need = Need { domains: true, sender: wanted(&groups_wanted), recipients: wanted(&groups_wanted) };
    let people = ask(&directory, &need, "all@example.com", 0, 4_000).await;

    let domains = people.organization.clone().unwrap().known().unwrap().domains;
    assert_eq!(domains.len(), 4);
    let ann = people.sender().unwrap();
    for (attribute, value) in [
        ("email", Some("ann@example.com")),
        ("display_name", Some("Ann Lee")),
        ("department", Some("Field Sales")),
        ("job_title", Some("Grower")),
        ("state", Some("enabled")),
        ("role", Some("user")),
        ("hidden", Some("false")),
        ("office", None),
        ("city", None),
    ] {
        assert_eq!(ann.attribute(attribute), value, "{attribute}");
    }
    assert_eq!(groups(&people.sender), groups_wanted);
    let address = Address::new("all@example.com").unwrap();
    let members = people.at(&address).known().unwrap();
    let mut emails: Vec<_> = members.iter().map(|m| m.person.as_ref().known().unwrap().as_ref().unwrap()).collect();
    emails.sort_by_key(|person| person.attribute("email").map(str::to_owned));
    let emails: Vec<_> = emails.iter().map(|person| person.attribute("email").unwrap()).collect();
    assert_eq!(emails, ["ann@example.com", "bob@example.net"]);

    let mut requests = organization.requests();
    requests.sort();
    let mut expected = vec![
        "ListGroups".to_owned(),
        "ListGroups  2".to_owned(),
        "ListGroups  4".to_owned(),
        "ListMailDomains".to_owned(),
        "ListMailDomains  2".to_owned(),
        "DescribeEntity all@example.com".to_owned(),
        "DescribeEntity ann@example.com".to_owned(),
        "DescribeEntity sales@example.com".to_owned(),
        format!("DescribeUser {ANN}"),
        format!("DescribeUser {BOB}"),
        format!("ListGroupMembers {ALL}"),
        format!("ListGroupMembers {ALL} 2"),
        format!("ListGroupMembers {EMEA}"),
        format!("ListGroupMembers {SALES}"),
    ];
    expected.extend([ANN, BOB, EMEA, ALL, RING, INNER].map(|id| format!("ListGroupsForEntity {id}")));
    expected.sort();
    assert_eq!(requests, expected);

    // The next message asks nothing, until the answers are old.
    ask(&directory, &need, "all@example.com", 599, 4_000).await;
    assert!(organization.requests().is_empty());
    ask(&directory, &need, "all@example.com", 600, 4_000).await;
    assert_eq!(organization.requests().len(), expected.len());
}

#[tokio::test]
async fn throttling_is_waited_out_and_what_fails_says_why() {
    let organization = Organization::start().await;
    let throttled = || Fault::Error(400, "ThrottlingException");
    organization.fail("DescribeEntity", [throttled(), Fault::Error(503, "InternalServerError"), throttled()]);
    let need = Need { sender: wanted(&[]), ..Need::default() };
    let people = ask(&directory(&organization), &need, "kim@customer.example", 0, 8_000).await;
    assert_eq!(people.sender().and_then(|person| person.attribute("display_name")), Some("Ann Lee"));

    for (fault, why) in [
        (throttled(), "the directory is throttling"),
        (Fault::Error(500, "InternalFailure"), "the directory is in trouble"),
        (Fault::Error(400, "DirectoryUnavailableException"), "the directory is in trouble"),
        (Fault::Error(400, "InvalidParameterException"), "the directory refused the request"),
        (Fault::Error(400, "AccessDeniedException"), "access to the directory was denied"),
        (Fault::Error(400, "OrganizationNotFoundException"), "access to the directory was denied"),
        (Fault::Hang, "the directory did not answer in time"),
    ] {
        let organization = Organization::start().await;
        organization.state().always.insert("DescribeUser", fault);
        let began = Instant::now();
        let people = ask(&directory(&organization), &need, "kim@customer.example", 0, 700).await;
        assert_eq!(people.sender.person, Fact::Unknown(why));
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    // Somebody who is not there is no failure.
    organization.state().always.insert("DescribeUser", Fault::Error(400, "EntityNotFoundException"));
    let people = ask(&directory(&organization), &need, "kim@customer.example", 0, 4_000).await;
    assert_eq!(people.sender.person, Fact::Known(None));
}

fn emails(people: &People, of: &str) -> Vec<String> {
    let members = people.at(&Address::new(of).unwrap()).known().unwrap();
    let email = |member: &Member| {
        let person = member.person.as_ref().known().unwrap().as_ref();
        person.map_or("nobody", |person| person.attribute("email").unwrap()).to_owned()
    };
    let mut emails: Vec<String> = members.iter().map(email).collect();
    emails.sort();
    emails
}

#[tokio::test]
async fn groups_in_each_other_end_and_who_is_disabled_gets_no_mail_by_them() {
    let organization = Organization::start().await;
    let need = Need { recipients: wanted(&["ring@example.com"]), ..Need::default() };
    let people = ask(&directory(&organization), &need, "ring@example.com", 0, 4_000).await;
    assert_eq!(emails(&people, "ring@example.com"), ["bob@example.net", "dee@xn--bcher-kva.example"]);
    // Named by his own address he is who he is.
    let people = ask(&directory(&organization), &need, "cy@example.com", 0, 4_000).await;
    let cy = &people.at(&Address::new("cy@example.com").unwrap()).known().unwrap()[0];
    assert_eq!(cy.person.as_ref().known().unwrap().as_ref().unwrap().attribute("state"), Some("disabled"));
    assert_eq!(groups(cy), ["ring@example.com"]);
}

#[tokio::test]
async fn a_domain_is_asked_for_in_ascii_however_it_is_spelt() {
    let organization = Organization::start().await;
    let directory = directory(&organization);
    let need = Need { recipients: wanted(&[]), ..Need::default() };
    for to in ["dee@xn--bcher-kva.example", "Dee@BÜCHER.example"] {
        assert_eq!(emails(&ask(&directory, &need, to, 0, 4_000).await, to), ["dee@xn--bcher-kva.example"]);
    }
    let asked = organization.requests().into_iter().filter(|request| request.starts_with("DescribeEntity"));
    assert_eq!(asked.collect::<Vec<_>>(), ["DescribeEntity dee@xn--bcher-kva.example"]);
}

#[tokio::test]
async fn a_list_goes_on_where_it_was_throttled_and_slow_answers_are_waited_for() {
    let organization = Organization::start().await;
    let throttled = Fault::Error(400, "ThrottlingException");
    // The first page comes late, the second is refused twice.
    organization.fail("ListGroupMembers", [Fault::Slow(300), throttled.clone(), throttled]);
    // One call is never answered: it is made once more.
    organization.fail("DescribeEntity", [Fault::Hang]);
    let need = Need { recipients: wanted(&[]), ..Need::default() };
    let people = ask(&directory(&organization), &need, "all@example.com", 0, 6_000).await;
    assert_eq!(emails(&people, "all@example.com"), ["ann@example.com", "bob@example.net"]);
    let requests = organization.requests();
    let count = |what: &str| requests.iter().filter(|request| *request == what).count();
    assert_eq!((count(&format!("ListGroupMembers {ALL}")), count(&format!("ListGroupMembers {ALL} 2"))), (1, 3));
    assert_eq!(count("DescribeEntity all@example.com"), 2);
}

#[tokio::test]
async fn messages_at_one_time_share_an_answer() {
    let mut requests = Vec::new();
    // On a machine with much else to do an answer may come so late that it is asked for again.
    for _ in 0..3 {
        let organization = Organization::start().await;
        organization.fail("DescribeUser", [Fault::Slow(200)]);
        let directory = directory(&organization);
        let need = Need { sender: wanted(&["emea@example.com"]), ..Need::default() };
        let one = || ask(&directory, &need, "kim@customer.example", 0, 4_000);
        for people in <[People; 4]>::from(tokio::join!(one(), one(), one(), one())) {
            assert_eq!(people.sender().and_then(|person| person.attribute("department")), Some("Field Sales"));
            assert_eq!(groups(&people.sender), ["emea@example.com"]);
        }
        requests = organization.requests();
        requests.sort();
        if requests.windows(2).all(|two| two[0] != two[1]) {
            return;
        }
    }
    panic!("{requests:?}");
}

#[tokio::test]
async fn who_goes_while_asked_for_is_in_no_group_and_an_odd_state_is_not_taken_for_that() {
    let need = Need { sender: wanted(&["emea@example.com"]), ..Need::default() };
    for (kind, known) in [("EntityNotFoundException", true), ("EntityStateException", false)] {
        let organization = Organization::start().await;
        organization.state().always.insert("ListGroupsForEntity", Fault::Error(400, kind));
        let people = ask(&directory(&organization), &need, "kim@customer.example", 0, 4_000).await;
        assert_eq!(people.sender.groups.known().is_some_and(|of| of.is_empty()), known, "{kind}");
    }
}

const RULES: &str = r#"
[[rule]]
name = "sales-footer"
when = { sender = { group = "sales@example.com", attribute = { department = { words = "sales" } } } }
[[rule.action]]
kind = "append"
text = "Sold by Example Orchards."

[[rule]]
name = "stamp"
[[rule.action]]
kind = "set_header"
name = "X-Checked"
value = "yes"
"#;

/// The same, but mail must not go out where nobody can tell.
fn strict() -> String {
    RULES.replacen("when =", "on_error = \"fail\"\nwhen =", 1)
}

async fn world(organization: &Organization, rules: &str) -> World {
    let endpoint = format!("http://{}", organization.address);
    let variables =
        [("MAILWRIGHT_ORGANIZATION_ID", ID), ("AWS_ENDPOINT_URL_WORKMAIL", &endpoint), ("MAILWRIGHT_DOMAINS", "")];
    World::start_with(rules, &variables).await
}

fn text(world: &World, id: &str) -> String {
    String::from_utf8(world.message(id).to_vec()).unwrap()
}

#[tokio::test]
async fn the_function_asks_before_its_rules_run_and_remembers() {
    let organization = Organization::start().await;
    let mut world = world(&organization, RULES).await;
    for id in ["m-1", "m-2"] {
        world.insert(id, message("Harvest plan"));
        assert_eq!(world.invoke(&event(id, "OUTBOUND")).await, Ok(default()));
        let text = text(&world, id);
        assert!(text.contains("Sold by Example Orchards.") && text.contains("X-Checked: yes"), "{text}");
    }
    // Once for both: two pages of domains, the group, Ann, her attributes, her groups, and theirs up to the one wanted.
    assert_eq!(organization.requests().len(), 7);
    for content in ["ann@", "sales@", "Ann Lee", "Field Sales"] {
        assert!(!world.log().contains(content), "{content}: {}", world.log());
    }
}

#[tokio::test]
async fn a_directory_that_fails_costs_the_rules_that_need_it_and_no_mail() {
    let organization = Organization::start().await;
    organization.state().always.insert("ListGroupsForEntity", Fault::Error(400, "AccessDeniedException"));
    let mut lenient = world(&organization, RULES).await;
    lenient.insert("m", message("Harvest plan"));
    assert_eq!(lenient.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    let rewritten = text(&lenient, "m");
    assert!(!rewritten.contains("Sold by") && rewritten.contains("X-Checked: yes"), "{rewritten}");
    let log = lenient.log();
    assert!(
        log.contains("grant workmail:ListGroupsForEntity") && log.contains("\"rules_failed\":\"sales-footer\""),
        "{log}"
    );

    let mut strict = world(&organization, &strict()).await;
    strict.insert("m", message("Harvest plan"));
    let error = strict.invoke(&event("m", "OUTBOUND")).await.unwrap_err();
    assert_eq!(error["errorType"], "Mailwright.RuleFailed");
    assert_eq!(strict.message("m"), message("Harvest plan"));
    assert_eq!(strict.requests(), ["GET m"]);
}

#[tokio::test]
async fn a_directory_that_hangs_leaves_time_for_the_rest() {
    let organization = Organization::start().await;
    organization.state().always.insert("DescribeEntity", Fault::Hang);
    let mut world = world(&organization, RULES).await;
    world.insert("m", message("Harvest plan"));
    assert_eq!(world.invoke_within(&event("m", "OUTBOUND"), Duration::from_secs(6)).await, Ok(default()));
    assert!(text(&world, "m").contains("X-Checked: yes"));
    assert!(world.log().contains("the directory cannot be asked"), "{}", world.log());
}
