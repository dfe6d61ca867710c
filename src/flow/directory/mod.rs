//! WorkMail's directory: what rules need to know of people, asked by a few calls and remembered for a while.
//!
//! [`Calls`] are the calls, one page each, without AWS types; [`WorkMailDirectory`] decides what to ask. It asks only for
//! addresses that WorkMail can have (of an internal domain, in the form its API takes), follows every page, tries again
//! what is throttled while there is time, and remembers answers, that nobody is there included, in the execution
//! environment. Two that need the same answer wait for one call.
//!
//! Invariant: an answer is what WorkMail said, at most [`Ages::fresh`] ago, or at most [`Ages::stale`] ago where it cannot
//! be asked now; anything else is unknown, and says why.

mod cache;
mod names;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use super::budget::{MIN_TRY, pause};
use super::ports::{Directory, PortError, Refusal, Trouble};
use crate::directory::{Fact, GroupName, Member, NO_SUCH_GROUP, Need, Organization, People, Person, Wanted};
use crate::envelope::{Address, Domain, Envelope};
use cache::Cache;
use names::askable;

/// How long an answer is used before it is asked for again.
pub const FRESH_FOR: Duration = Duration::from_mins(10);
/// The same for the answer that there is nobody.
pub const MISSING_FOR: Duration = Duration::from_mins(2);
/// How old an answer may be that is used because WorkMail cannot be asked.
pub const STALE_FOR: Duration = Duration::from_hours(6);
/// A call that takes longer is tried again.
pub const CALL_WITHIN: Duration = Duration::from_millis(1_500);
/// Calls at one time: WorkMail publishes no rate, and a message to many must not use it up.
pub const AT_ONCE: usize = 8;
/// After a failure that will not pass by itself, or that lasted until time ran out, nothing is asked for so long.
const BRAKE_DENIED: SignedDuration = SignedDuration::from_secs(60);
const BRAKE_TROUBLE: SignedDuration = SignedDuration::from_secs(5);
/// Pages of one list, of at most 100 entries each.
const MAX_PAGES: usize = 100;
/// Groups that somebody is looked for in.
const MAX_GROUPS: usize = 300;
/// Members of one group that is a recipient.
const MAX_MEMBERS: usize = 500;

const TOO_MANY_GROUPS: &str = "somebody is in more groups than are looked at";
const TOO_MANY_MEMBERS: &str = "a group has more members than are looked at";

/// What a page of a list holds, and how to ask for the next.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its entries.
    pub entries: Vec<T>,
    /// The token of the next page.
    pub next: Option<String>,
}

/// Somebody or something with an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// WorkMail's id.
    pub id: String,
    /// What it is.
    pub sort: Sort,
}

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A person.
    User,
    /// A group.
    Group,
    /// A room or the like.
    Resource,
}

/// A group with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOf {
    /// WorkMail's id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The calls to WorkMail. Each is tried once; what is not there is `None`, or an empty page, and no error.
pub trait Calls: Send + Sync {
    /// `ListMailDomains`.
    fn domains(&self, page: Option<&str>) -> impl Future<Output = Result<Page<Domain>, PortError>> + Send;
    /// `DescribeEntity`: who has an address.
    fn entity(&self, email: &str) -> impl Future<Output = Result<Option<Entity>, PortError>> + Send;
    /// `DescribeUser`.
    fn person(&self, id: &str) -> impl Future<Output = Result<Option<Person>, PortError>> + Send;
    /// `ListGroupsForEntity`: the groups that a person or a group is in.
    fn groups_of(&self, id: &str, page: Option<&str>) -> impl Future<Output = Result<Page<GroupOf>, PortError>> + Send;
    /// `ListGroups`: all groups.
    fn groups(&self, page: Option<&str>) -> impl Future<Output = Result<Page<GroupOf>, PortError>> + Send;
    /// `ListGroupMembers`: those that get mail to the group.
    fn members(&self, id: &str, page: Option<&str>) -> impl Future<Output = Result<Page<Entity>, PortError>> + Send;
}

/// How old answers may be.
#[derive(Debug, Clone, Copy)]
pub struct Ages {
    /// [`FRESH_FOR`].
    pub fresh: Duration,
    /// [`MISSING_FOR`].
    pub missing: Duration,
    /// [`STALE_FOR`].
    pub stale: Duration,
}

impl Default for Ages {
    fn default() -> Self {
        Self::fresh_for(FRESH_FOR)
    }
}

impl Ages {
    /// With this age of answers.
    pub fn fresh_for(fresh: Duration) -> Self {
        Self { fresh, missing: MISSING_FOR.min(fresh), stale: STALE_FOR.max(fresh) }
    }
}

/// WorkMail's directory, with what it said before.
#[derive(Debug)]
pub struct WorkMailDirectory<C> {
    calls: C,
    configured: Option<Organization>,
    permits: Semaphore,
    /// Calls so far.
    made: AtomicU64,
    brake: Mutex<Option<(Timestamp, PortError)>>,
    domains: Cache<Organization>,
    entities: Cache<Option<Entity>>,
    people: Cache<Option<Arc<Person>>>,
    groups: Cache<Arc<[GroupOf]>>,
    all_groups: Cache<Arc<[GroupOf]>>,
    members: Cache<Arc<[Entity]>>,
}

/// The ids of groups that are wanted.
type Keys = HashMap<GroupName, String>;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One message's questions.
#[derive(Clone, Copy)]
struct Asking<'a> {
    now: Timestamp,
    until: Instant,
    organization: &'a Organization,
    keys: &'a Fact<Keys>,
}

impl<C: Calls> WorkMailDirectory<C> {
    /// Over these calls. Where `configured` says who is internal, WorkMail is not asked for it.
    pub fn new(calls: C, configured: Option<Organization>, ages: Ages) -> Self {
        Self {
            calls,
            configured,
            permits: Semaphore::new(AT_ONCE),
            made: AtomicU64::new(0),
            brake: Mutex::new(None),
            domains: Cache::new(ages),
            entities: Cache::new(ages),
            people: Cache::new(ages),
            groups: Cache::new(ages),
            all_groups: Cache::new(ages),
            members: Cache::new(ages),
        }
    }

    async fn find(&self, need: &Need, envelope: &Envelope, now: Timestamp, until: Instant) -> People {
        let mut people = People::default();
        let organization = match &self.configured {
            Some(organization) => Ok(organization.clone()),
            None => self.organization(now, until).await,
        };
        if self.configured.is_none() && need.domains {
            people.organization = Some(fact(organization.clone()));
        }
        if need.sender.is_empty() && need.recipients.is_empty() {
            return people;
        }
        let organization = match organization {
            Ok(organization) => organization,
            Err(error) => {
                return People::unknown(why(&error), &envelope.recipients).with_organization(people.organization);
            }
        };
        let keys = self.keys(&need.groups(), now, until, &organization).await;
        let asking = Asking { now, until, organization: &organization, keys: &keys };
        let sender = async {
            match &envelope.sender {
                _ if need.sender.is_empty() => Member::default(),
                None => Member::nobody(),
                Some(address) => self.sender(address, &need.sender, asking).await,
            }
        };
        let recipients: &[Address] = if need.recipients.is_empty() { &[] } else { &envelope.recipients };
        let recipients = join_all(recipients.iter().map(|address| self.recipient(address, &need.recipients, asking)));
        let (sender, found) = tokio::join!(sender, recipients);
        people.sender = sender;
        for (address, members) in envelope.recipients.iter().zip(found) {
            people.insert(address, members);
        }
        people
    }

    async fn sender(&self, address: &Address, wanted: &Wanted, asking: Asking<'_>) -> Member {
        match self.entity(address, asking).await {
            Err(error) => Member::unknown(why(&error)),
            Ok(None) => Member { groups: none_of(wanted, asking), ..Member::nobody() },
            Ok(Some(entity)) => self.member(&entity, wanted, asking).await,
        }
    }

    async fn recipient(&self, address: &Address, wanted: &Wanted, asking: Asking<'_>) -> Fact<Vec<Member>> {
        let entity = match self.entity(address, asking).await {
            Err(error) => return Fact::Unknown(why(&error)),
            Ok(None) => return Fact::Known(vec![Member { groups: none_of(wanted, asking), ..Member::nobody() }]),
            Ok(Some(entity)) => entity,
        };
        if entity.sort != Sort::Group {
            return Fact::Known(vec![self.member(&entity, wanted, asking).await]);
        }
        let own = self.member(&entity, wanted, asking).await;
        // Its members are in every group that it is in: where that is all that is asked, they need not be known.
        let all = matches!(&own.groups, Fact::Known(of) if of.len() == wanted.groups.len());
        if all && !wanted.person {
            return Fact::Known(vec![own]);
        }
        match self.everybody(&entity.id, asking).await {
            Err(why) => Fact::Unknown(why),
            Ok(everybody) => Fact::Known(join_all(everybody.iter().map(|one| self.member(one, wanted, asking))).await),
        }
    }

    /// As much of somebody as is wanted.
    async fn member(&self, entity: &Entity, wanted: &Wanted, asking: Asking<'_>) -> Member {
        let person = async {
            match entity.sort {
                _ if !wanted.person => Fact::default(),
                Sort::User => fact(self.person(&entity.id, asking).await),
                Sort::Group | Sort::Resource => Fact::Known(None),
            }
        };
        let groups = async {
            if wanted.groups.is_empty() {
                Fact::Known(BTreeSet::new())
            } else {
                self.is_in(entity, wanted, asking).await
            }
        };
        let (person, groups) = tokio::join!(person, groups);
        Member { person, groups }
    }

    /// Those of the groups wanted that somebody is in, by way of other groups too. A group is in itself.
    async fn is_in(&self, entity: &Entity, wanted: &Wanted, asking: Asking<'_>) -> Fact<BTreeSet<GroupName>> {
        let keys = match asking.keys {
            Fact::Known(keys) => keys,
            Fact::Unknown(why) => return Fact::Unknown(why),
        };
        let mut wanted: Vec<(&GroupName, &String)> =
            wanted.groups.iter().filter_map(|name| keys.get(name).map(|key| (name, key))).collect();
        let mut of = BTreeSet::new();
        let mut take = |id: &str| {
            wanted.retain(|(name, key)| {
                let is = *key == id;
                if is {
                    of.insert((*name).clone());
                }
                !is
            });
            wanted.is_empty()
        };
        let mut done = entity.sort == Sort::Group && take(&entity.id);
        let mut seen = HashSet::from([entity.id.clone()]);
        let mut level = vec![entity.id.clone()];
        while !done && !level.is_empty() {
            let lists = join_all(level.iter().map(|id| self.groups_of(id, asking))).await;
            level = Vec::new();
            let mut failed = None;
            for list in lists {
                match list {
                    Ok(list) => {
                        for group in list.iter().filter(|group| seen.insert(group.id.clone())) {
                            done |= take(&group.id);
                            level.push(group.id.clone());
                        }
                    }
                    Err(error) => failed = Some(why(&error)),
                }
            }
            match failed {
                Some(why) if !done => return Fact::Unknown(why),
                _ if !done && seen.len() > MAX_GROUPS => return Fact::Unknown(TOO_MANY_GROUPS),
                _ => {}
            }
        }
        Fact::Known(of)
    }

    /// Everybody who gets mail to a group, by way of groups in it too.
    async fn everybody(&self, id: &str, asking: Asking<'_>) -> Result<Vec<Entity>, &'static str> {
        let mut seen = HashSet::from([id.to_owned()]);
        let mut level = vec![id.to_owned()];
        let mut everybody = Vec::new();
        while !level.is_empty() {
            let lists = join_all(level.iter().map(|id| self.members(id, asking))).await;
            level = Vec::new();
            for list in lists {
                let list = list.map_err(|error| why(&error))?;
                for entity in list.iter().filter(|entity| seen.insert(entity.id.clone())) {
                    match entity.sort {
                        Sort::Group => level.push(entity.id.clone()),
                        Sort::User | Sort::Resource => everybody.push(entity.clone()),
                    }
                }
            }
            if seen.len() > MAX_MEMBERS {
                return Err(TOO_MANY_MEMBERS);
            }
        }
        Ok(everybody)
    }

    /// The ids of the groups that rules name. One that is none is a slip of the author: nothing is known of it.
    async fn keys(
        &self,
        names: &BTreeSet<&GroupName>,
        now: Timestamp,
        until: Instant,
        organization: &Organization,
    ) -> Fact<Keys> {
        let nothing = Fact::Known(Keys::new());
        let asking = Asking { now, until, organization, keys: &nothing };
        let found = join_all(names.iter().map(|name| async move {
            let id = if let Some(address) = name.address() {
                let entity = self.entity(&address, asking).await.map_err(|error| why(&error))?;
                entity.filter(|entity| entity.sort == Sort::Group).map(|entity| entity.id)
            } else {
                let groups = self.all_groups(asking).await.map_err(|error| why(&error))?;
                let is = |group: &&GroupOf| group.name.trim().to_lowercase() == name.as_str();
                groups.iter().find(is).map(|group| group.id.clone())
            };
            id.ok_or(NO_SUCH_GROUP)
        }))
        .await;
        let keys: Result<Keys, &'static str> =
            names.iter().zip(found).map(|(name, key)| key.map(|key| ((*name).clone(), key))).collect();
        keys.map_or_else(Fact::Unknown, Fact::Known)
    }

    async fn organization(&self, now: Timestamp, until: Instant) -> Result<Organization, PortError> {
        let missing = |organization: &Organization| organization.domains.is_empty();
        let ask = || async move {
            let domains =
                self.pages(now, until, |page| async move { self.calls.domains(page.as_deref()).await }).await?;
            Ok(Organization { domains })
        };
        self.domains.get("", now, until, missing, ask).await
    }

    /// Who has an address; nobody of the organization has one that WorkMail cannot have.
    async fn entity(&self, address: &Address, asking: Asking<'_>) -> Result<Option<Entity>, PortError> {
        let Some(email) = askable(address).filter(|_| asking.organization.is_internal(address.domain())) else {
            return Ok(None);
        };
        let email = email.as_str();
        let ask = || self.insist(asking.now, asking.until, || self.calls.entity(email));
        self.entities.get(email, asking.now, asking.until, Option::is_none, ask).await
    }

    async fn person(&self, id: &str, asking: Asking<'_>) -> Result<Option<Arc<Person>>, PortError> {
        let ask = || async move {
            let person = self.insist(asking.now, asking.until, || self.calls.person(id)).await?;
            Ok(person.map(Arc::new))
        };
        self.people.get(id, asking.now, asking.until, Option::is_none, ask).await
    }

    async fn groups_of(&self, id: &str, asking: Asking<'_>) -> Result<Arc<[GroupOf]>, PortError> {
        let ask = || async move {
            let page = |page: Option<String>| async move { self.calls.groups_of(id, page.as_deref()).await };
            Ok(self.pages(asking.now, asking.until, page).await?.into())
        };
        self.groups.get(id, asking.now, asking.until, |_| false, ask).await
    }

    async fn all_groups(&self, asking: Asking<'_>) -> Result<Arc<[GroupOf]>, PortError> {
        let ask = || async move {
            let page = |page: Option<String>| async move { self.calls.groups(page.as_deref()).await };
            Ok(self.pages(asking.now, asking.until, page).await?.into())
        };
        self.all_groups.get("", asking.now, asking.until, |groups| groups.is_empty(), ask).await
    }

    async fn members(&self, id: &str, asking: Asking<'_>) -> Result<Arc<[Entity]>, PortError> {
        let ask = || async move {
            let page = |page: Option<String>| async move { self.calls.members(id, page.as_deref()).await };
            Ok(self.pages(asking.now, asking.until, page).await?.into())
        };
        self.members.get(id, asking.now, asking.until, |_| false, ask).await
    }

    /// All pages of a list.
    async fn pages<T: Send, Fut: Future<Output = Result<Page<T>, PortError>> + Send>(
        &self,
        now: Timestamp,
        until: Instant,
        call: impl Fn(Option<String>) -> Fut + Send + Sync,
    ) -> Result<Vec<T>, PortError> {
        let mut entries = Vec::new();
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let page = self.insist(now, until, || call(next.clone())).await?;
            entries.extend(page.entries);
            next = page.next.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(entries);
            }
        }
        Err(PortError::permanent(Refusal::TooLarge, "a list of the directory has too many pages"))
    }

    /// Call until it works, is refused, or time runs out.
    async fn insist<T, Fut: Future<Output = Result<T, PortError>> + Send>(
        &self,
        now: Timestamp,
        until: Instant,
        call: impl Fn() -> Fut + Send + Sync,
    ) -> Result<T, PortError> {
        let late = || PortError::transient(Trouble::Timeout, "");
        if let Some(error) = self.braked(now) {
            return Err(error);
        }
        let Ok(Ok(_permit)) = timeout_at(until, self.permits.acquire()).await else { return Err(late()) };
        // Calls of one message are made together, and of several messages at other times.
        let nth = self.made.fetch_add(1, Ordering::Relaxed);
        let chance = u64::try_from(now.as_nanosecond()).unwrap_or_default().wrapping_add(nth << 32);
        let mut tries = 0;
        loop {
            tries += 1;
            let called: Boxed<'_, Result<T, PortError>> = Box::pin(call());
            let error = match timeout_at(until.min(Instant::now() + CALL_WITHIN), called).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error @ PortError::Permanent { .. })) => {
                    self.failed(now, &error, BRAKE_DENIED);
                    return Err(error);
                }
                Ok(Err(error)) => error,
                Err(_) => late(),
            };
            let pause = pause(tries, chance);
            if Instant::now() + pause + MIN_TRY > until {
                self.failed(now, &error, BRAKE_TROUBLE);
                return Err(error);
            }
            sleep(pause).await;
        }
    }

    /// The failure because of which nothing is asked for now.
    fn braked(&self, now: Timestamp) -> Option<PortError> {
        let brake = self.brake.lock().unwrap_or_else(PoisonError::into_inner);
        brake.as_ref().filter(|(until, _)| now < *until).map(|(_, error)| error.clone())
    }

    /// Say it once, and ask nothing for a while; a refusal that is about one request stops no other.
    fn failed(&self, now: Timestamp, error: &PortError, brake: SignedDuration) {
        if matches!(error, PortError::Permanent { kind, .. } if *kind != Refusal::Denied) {
            tracing::warn!(error = error.to_string(), "the directory refused a request");
            return;
        }
        let mut held = self.brake.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_none_or(|(until, _)| now >= *until) {
            tracing::warn!(error = error.to_string(), "the directory cannot be asked");
            // At most a minute ahead: it does not overflow.
            *held = now.checked_add(brake).ok().map(|until| (until, error.clone()));
        }
    }
}

impl<C: Calls> Directory for WorkMailDirectory<C> {
    async fn look_up(&self, need: &Need, envelope: &Envelope, now: Timestamp, until: Instant) -> People {
        // Boxed, as are the calls below: most messages need nothing looked up, and types of futures in futures end.
        let found: Boxed<'_, People> = Box::pin(self.find(need, envelope, now, until));
        found.await
    }
}

/// Nobody is in none of the groups that there are.
fn none_of(wanted: &Wanted, asking: Asking<'_>) -> Fact<BTreeSet<GroupName>> {
    match asking.keys {
        Fact::Unknown(why) if !wanted.groups.is_empty() => Fact::Unknown(why),
        _ => Fact::Known(BTreeSet::new()),
    }
}

fn fact<T>(answer: Result<T, PortError>) -> Fact<T> {
    answer.map_or_else(|error| Fact::Unknown(why(&error)), Fact::Known)
}

/// For reports: no detail.
fn why(error: &PortError) -> &'static str {
    match error {
        PortError::Permanent { kind: Refusal::Denied, .. } => "access to the directory was denied",
        PortError::Permanent { .. } => "the directory refused the request",
        PortError::Transient { kind: Trouble::Throttled, .. } => "the directory is throttling",
        PortError::Transient { kind: Trouble::Unavailable, .. } => "the directory is in trouble",
        PortError::Transient { kind: Trouble::Timeout, .. } => "the directory did not answer in time",
        PortError::Transient { kind: Trouble::Connection, .. } => "the connection to the directory failed",
    }
}

/// Wait for all; answers in order.
async fn join_all<Fut: Future + Send>(futures: impl Iterator<Item = Fut>) -> Vec<Fut::Output>
where
    Fut::Output: Send,
{
    let mut open: Vec<Pin<Box<Fut>>> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<Fut::Output>> = open.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut pending = false;
        for (future, output) in open.iter_mut().zip(&mut done).filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(value) => *output = Some(value),
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    done.into_iter().flatten().collect()
}
