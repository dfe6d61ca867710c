//! WorkMail's directory: an organization that answers as the service does (AWS JSON 1.1), in pages of two.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use serde_json::{Value, json};

use crate::server::{Answer, answer, serve, trace};

pub const ID: &str = "m-0123456789abcdef0123456789abcdef";

/// How a request goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// `(HTTP status, error type)`.
    Error(u16, &'static str),
    /// It is never answered.
    Hang,
    /// It is answered after so many milliseconds.
    Slow(u64),
}

#[derive(Clone)]
pub struct Organization {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub struct State {
    /// How the next requests of an operation go wrong.
    pub once: HashMap<&'static str, VecDeque<Fault>>,
    /// How all of them do.
    pub always: HashMap<&'static str, Fault>,
    /// `Operation what`, in order.
    pub requests: Vec<String>,
    /// The trace that each request names.
    pub traces: Vec<Option<String>>,
}

/// Address, id and type.
const ENTITIES: [(&str, &str, &str); 9] = [
    ("ann@example.com", "11111111-0000-0000-0000-000000000001", "USER"),
    ("bob@example.net", "11111111-0000-0000-0000-000000000002", "USER"),
    ("cy@example.com", "11111111-0000-0000-0000-000000000003", "USER"),
    ("dee@xn--bcher-kva.example", "11111111-0000-0000-0000-000000000004", "USER"),
    ("emea@example.com", "22222222-0000-0000-0000-000000000001", "GROUP"),
    ("sales@example.com", "22222222-0000-0000-0000-000000000002", "GROUP"),
    ("all@example.com", "22222222-0000-0000-0000-000000000003", "GROUP"),
    ("ring@example.com", "22222222-0000-0000-0000-000000000004", "GROUP"),
    ("inner@example.com", "22222222-0000-0000-0000-000000000005", "GROUP"),
];
/// Whose mailbox is turned off.
const DISABLED: &str = "cy@example.com";
/// Groups and those in them, by address.
const MEMBERS: [(&str, &[&str]); 5] = [
    ("emea@example.com", &["ann@example.com"]),
    ("sales@example.com", &["emea@example.com"]),
    ("all@example.com", &["sales@example.com", "emea@example.com", "bob@example.net"]),
    // Each in the other.
    ("ring@example.com", &["inner@example.com", "cy@example.com", "bob@example.net"]),
    ("inner@example.com", &["ring@example.com", "dee@xn--bcher-kva.example"]),
];

fn state_of(address: &str) -> &'static str {
    if address == DISABLED { "DISABLED" } else { "ENABLED" }
}

fn id_of(address: &str) -> &'static str {
    ENTITIES.iter().find(|(known, ..)| *known == address).unwrap().1
}

impl Organization {
    pub async fn start() -> Self {
        let mut organization = Self { address: ([127, 0, 0, 1], 0).into(), state: Arc::default() };
        let served = organization.clone();
        organization.address = serve(move |request| served.clone().take(request)).await;
        organization
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
    /// Requests since the last time this was asked.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }
    pub fn fail(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.state().once.entry(operation).or_default().extend(faults);
    }

    async fn take(self, request: Request<Bytes>) -> Answer {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let signed = header("authorization").contains("/eu-west-1/workmail/aws4_request");
        let operation = header("x-amz-target").strip_prefix("WorkMailService.").unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        if !signed || body["OrganizationId"] != ID {
            return error(400, "OrganizationNotFoundException");
        }
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        let what = ["Email", "UserId", "EntityId", "GroupId"].into_iter().find_map(text).unwrap_or_default();
        let from = text("NextToken").map_or(0, |token| token.trim_start_matches("page ").parse().unwrap());
        let fault = {
            let mut state = self.state();
            state.traces.push(trace(request.headers()));
            state.requests.push(format!("{operation} {what} {from}").trim_end_matches(" 0").trim_end().to_owned());
            let next = state.once.get_mut(operation.as_str()).and_then(VecDeque::pop_front);
            next.or_else(|| state.always.get(operation.as_str()).cloned())
        };
        match fault {
            Some(Fault::Error(status, kind)) => return error(status, kind),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Slow(milliseconds)) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            None => {}
        }
        assert!(operation.starts_with("Describe") || body["MaxResults"] == 100, "{operation}");
        let found = ENTITIES.iter().find(|(address, id, _)| *address == what || *id == what);
        match (operation.as_str(), found) {
            ("ListMailDomains", _) => {
                let names = ["example.com", "example.net", "orchard.awsapps.com", "xn--bcher-kva.example"];
                page("MailDomains", names.map(|name| json!({"DomainName": name, "DefaultDomain": false})).into(), from)
            }
            ("ListGroups", _) => {
                let group = |name: &str| json!({"Id": id_of(name), "Name": name.split('@').next(), "State": "ENABLED"});
                page("Groups", MEMBERS.iter().map(|(name, _)| group(name)).collect(), from)
            }
            (_, None) => error(400, "EntityNotFoundException"),
            ("DescribeEntity", Some((address, id, sort))) => {
                reply(&json!({"EntityId": id, "Name": address, "Type": sort}))
            }
            ("DescribeUser", Some((address, id, "USER"))) => reply(&json!({
                "UserId": id, "Name": "user", "Email": address, "DisplayName": "Ann Lee", "State": state_of(address),
                "UserRole": "USER", "Department": "Field Sales", "JobTitle": "  Grower ", "Office": "",
                "HiddenFromGlobalAddressList": false, "EnabledDate": 1_700_000_000.5, "Unheard": {"of": [1]}
            })),
            ("ListGroupsForEntity", Some((address, ..))) => {
                let of = MEMBERS.iter().filter(|(_, members)| members.contains(address));
                page(
                    "Groups",
                    of.map(|(group, _)| json!({"GroupId": id_of(group), "GroupName": group})).collect(),
                    from,
                )
            }
            ("ListGroupMembers", Some((address, ..))) => {
                let members = MEMBERS.iter().find(|(group, _)| group == address).unwrap().1;
                let sort = |member: &str| ENTITIES.iter().find(|(known, ..)| *known == member).unwrap().2;
                let entry = |member: &&str| json!({"Id": id_of(member), "Name": member, "Type": sort(member), "State": state_of(member)});
                page("Members", members.iter().map(entry).collect(), from)
            }
            _ => error(400, "UnsupportedOperationException"),
        }
    }
}

fn page(key: &str, all: Vec<Value>, from: usize) -> Answer {
    let next = (from + 2 < all.len()).then(|| format!("page {}", from + 2));
    let entries: Vec<Value> = all.into_iter().skip(from).take(2).collect();
    let mut body = json!({ key: entries });
    if let Some(next) = next {
        body["NextToken"] = next.into();
    }
    reply(&body)
}

fn reply(body: &Value) -> Answer {
    answer(200, &[("content-type", "application/x-amz-json-1.1")], body.to_string())
}

fn error(status: u16, kind: &str) -> Answer {
    let body = json!({"__type": kind, "Message": "ann@example.com is \"nobody\""}).to_string();
    answer(status, &[("content-type", "application/x-amz-json-1.1")], body)
}
