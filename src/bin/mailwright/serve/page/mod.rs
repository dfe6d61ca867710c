//! The page: each message as it arrives, before and after and why, the rules in force, and a box for messages.
//!
//! | path | what |
//! |---|---|
//! | `GET /` | the page; nothing of any message is in it |
//! | `GET /page/events` | server-sent events: that something is new, never what |
//! | `GET /page/state?run=R&since=N` | rows, rules and problems that are new since change N of run R |
//! | `GET /page/messages/N` | all that is seen of one message, as markup in JSON |
//! | `GET /page/messages/N/before.eml` | its source as a file to keep; `.txt` to look at; `after` as rewritten |
//! | `POST /page/again` | runs all messages again: `application/json` |
//! | `POST /page/messages` | takes a message in: `message/rfc822`, and in the query `name`, `direction`, `from`, `to` |
//!
//! Invariant: what reads or takes in mail answers to this page and to programs on this machine, and to no page from
//! elsewhere. No answer that holds something of a message can be shown as a document of this page's origin: it is JSON, or
//! text in a sandbox, or a file to keep. What one page, or a thousand, can ask for costs bounded memory.

mod changes;
mod events;
mod messages;
mod shown;
mod state;
mod take;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::sync::Semaphore;

use super::hub::Hub;
use super::room::Room;
use crate::page::Live;
use changes::Changes;

/// Most pages that are told what is new.
const LISTENERS: usize = 32;
/// Most answers about messages that are made at a time: each may need several times a message of memory.
const AT_WORK: usize = 2;

/// A way to bring messages in, for who looks at an empty page.
#[derive(Debug, Clone)]
pub struct Way {
    /// What it is.
    pub name: String,
    /// What to type.
    pub text: String,
}

impl Way {
    /// All there are besides the page, for an organization with a domain.
    pub fn all(inbound: SocketAddr, outbound: SocketAddr, aws: SocketAddr, domain: &str) -> Vec<Self> {
        let (ours, theirs) = (format!("ann@{domain}"), "kim@customer.example".to_owned());
        let swaks = |at: SocketAddr, from: &str, to: &str| format!("swaks --server {at} --from {from} --to {to}");
        let ways = [
            ("By SMTP, as mail that comes in: no password, no encryption", swaks(inbound, &theirs, &ours)),
            ("By SMTP, as mail that goes out", swaks(outbound, &ours, &theirs)),
            (
                "What is in transit, for an AWS SDK or the AWS CLI",
                format!("AWS_ENDPOINT_URL_WORKMAILMESSAGEFLOW=http://{aws} AWS_ENDPOINT_URL_S3=http://{aws}"),
            ),
        ];
        ways.map(|(name, text)| Self { name: name.to_owned(), text }).into()
    }
}

/// What all requests share.
#[derive(Debug)]
struct Page {
    hub: Arc<Hub>,
    changes: Arc<Changes>,
    live: Live,
    ways: Vec<Way>,
    /// Who answers, and what is to be known of it.
    who: String,
    listeners: Arc<Semaphore>,
    looking: Arc<Semaphore>,
    /// For messages on their way in.
    room: Arc<Room>,
}

/// The routes of the page. Needs a runtime.
pub fn routes(hub: Arc<Hub>, room: Arc<Room>, ways: Vec<Way>, who: String) -> Router {
    let changes = Changes::of(&hub);
    let page = Arc::new(Page {
        hub,
        changes,
        live: Live::new(),
        ways,
        who,
        listeners: Arc::new(Semaphore::new(LISTENERS)),
        looking: Arc::new(Semaphore::new(AT_WORK)),
        room,
    });
    let mail = Router::new()
        .route("/page/events", get(events::events))
        .route("/page/state", get(state::state))
        .route("/page/again", post(take::again))
        .route("/page/messages", post(take::take))
        .route("/page/messages/{number}", get(messages::article))
        .route("/page/messages/{number}/{file}", get(messages::source))
        .layer(from_fn(no_other_page));
    // The one who takes a message in counts its octets itself, to be able to answer.
    Router::new()
        .route("/", get(shell))
        .merge(mail)
        .fallback(async || refused(StatusCode::NOT_FOUND, "there is nothing here; the page is at /"))
        .method_not_allowed_fallback(async || refused(StatusCode::METHOD_NOT_ALLOWED, "this is not done here"))
        .with_state(page)
        .layer(from_fn(fields))
        .layer(DefaultBodyLimit::disable())
}

async fn shell(State(page): State<Arc<Page>>) -> Response {
    let policy = HeaderValue::from_str(&page.live.policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let fields = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (fields, page.live.html.clone()).into_response()
}

/// Not even a link from elsewhere that somebody follows leads to what holds mail.
async fn no_other_page(request: Request, next: Next) -> Result<Response, Infallible> {
    let site = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    let own = site.is_none_or(|site| site == b"same-origin" || site == b"none");
    Ok(if own { next.run(request).await } else { refused(StatusCode::FORBIDDEN, "another page may not ask for this") })
}

/// What goes with every answer.
async fn fields(request: Request, next: Next) -> Response {
    const ALWAYS: [(HeaderName, &str); 7] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in ALWAYS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// An answer that the script shows.
fn refused(status: StatusCode, why: &str) -> Response {
    (
        status,
        axum::response::AppendHeaders([(header::CONTENT_TYPE, "application/json")]),
        json!({ "error": why }).to_string(),
    )
        .into_response()
}

fn json_answer(status: StatusCode, value: &serde_json::Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
