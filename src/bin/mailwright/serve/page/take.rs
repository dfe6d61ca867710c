//! `POST /page/messages`: a message that was pasted or dropped.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use mailwright::envelope::{Address, AddressError, Direction, Sender};
use mailwright::flow::workmail::MAX_MESSAGE;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::{Page, json_answer, refused};
use crate::event::Given;
use crate::serve::hub::Full;
use crate::serve::room::Room;
use crate::serve::run::{Arrival, Origin};

/// A message has come by then.
const WITHIN: Duration = Duration::from_mins(1);
/// So many octets of a message that is too large are read and thrown away, as a client that sends still does not hear.
const MAX_DISCARDED: usize = 4 * MAX_MESSAGE;
/// Longest name of a file that is kept, in characters.
const MAX_NAME: usize = 100;
/// Most recipients that can be named.
const MAX_RECIPIENTS: usize = 500;

/// What is said about a message.
#[derive(Debug, Deserialize)]
pub struct Said {
    #[serde(default)]
    name: String,
    #[serde(default)]
    direction: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

impl Said {
    fn given(&self) -> Result<Given, String> {
        let no_address =
            |text: &str, error: AddressError| format!("`{}` is no address: {error}", crate::terminal::escape(text));
        let address = |text: &str| Address::new(text).map_err(|error| no_address(text, error));
        let sender = |text: &str| Sender::read(text).map_err(|error| no_address(text, error));
        let direction = match self.direction.as_str() {
            "" => None,
            "inbound" => Some(Direction::Inbound),
            "outbound" => Some(Direction::Outbound),
            _ => return Err("the direction is inbound or outbound".to_owned()),
        };
        let from = Some(self.from.trim()).filter(|from| !from.is_empty()).map(sender).transpose()?;
        let to = self.to.split([',', ';']).map(str::trim).filter(|one| !one.is_empty());
        let to = to.take(MAX_RECIPIENTS).map(address).collect::<Result<_, _>>()?;
        Ok(Given { direction, from, to, at: None })
    }

    /// Safe to show.
    fn name(&self) -> String {
        let name: String = self.name.trim().chars().take(MAX_NAME).collect();
        if name.is_empty() { "pasted".to_owned() } else { crate::terminal::escape(&name).into_owned() }
    }
}

/// Take a message in.
pub async fn take(
    State(page): State<Arc<Page>>,
    said: Result<Query<Said>, QueryRejection>,
    request: Request,
) -> Response {
    let Ok(Query(said)) = said else {
        return refused(StatusCode::BAD_REQUEST, "the query may have name, direction, from and to, each once");
    };
    let (parts, body) = request.into_parts();
    // No form of a page from elsewhere can say so, whatever the browser thinks of where it is from.
    if !is_of_type(&parts.headers, "message/rfc822") {
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the message as Content-Type: message/rfc822");
    }
    let given = match said.given() {
        Ok(given) => given,
        Err(why) => return refused(StatusCode::UNPROCESSABLE_ENTITY, &why),
    };
    let too_large = format!("a message has {} MB at most", MAX_MESSAGE / 1_000_000);
    let raw = match timeout(WITHIN, read(body, &page.room)).await {
        Ok(Ok(raw)) => raw,
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT, "the message did not come in time"),
        Ok(Err(Unread::Broken)) => return refused(StatusCode::BAD_REQUEST, "the message did not come as a whole"),
        Ok(Err(Unread::TooLarge)) => return refused(StatusCode::PAYLOAD_TOO_LARGE, &too_large),
        Ok(Err(Unread::NoRoom)) => return refused(StatusCode::SERVICE_UNAVAILABLE, &Full.to_string()),
    };
    let arrival = Arrival { given, ..Arrival::new(Origin::Page(said.name().into()), raw) };
    match page.hub.take(arrival).await {
        Ok(taken) => json_answer(StatusCode::CREATED, &json!({ "number": taken.number })),
        Err(full) => refused(StatusCode::SERVICE_UNAVAILABLE, &full.to_string()),
    }
}

/// Run all messages again: a function that has changed answers otherwise.
pub async fn again(State(page): State<Arc<Page>>, request: Request) -> Response {
    if !is_of_type(request.headers(), "application/json") {
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json");
    }
    page.hub.run_again();
    json_answer(StatusCode::ACCEPTED, &json!({ "messages": page.hub.runs().len() }))
}

fn is_of_type(headers: &HeaderMap, wanted: &str) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

enum Unread {
    Broken,
    TooLarge,
    NoRoom,
}

/// The whole of it.
async fn read(mut body: Body, room: &Arc<Room>) -> Result<Bytes, Unread> {
    let mut raw = BytesMut::new();
    let mut place = room.place();
    let mut octets = 0_usize;
    let mut wrong = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        octets = octets.saturating_add(data.len());
        if wrong.is_none() && octets > MAX_MESSAGE {
            wrong = Some(Unread::TooLarge);
        } else if wrong.is_none() && !place.grow(data.len()) {
            wrong = Some(Unread::NoRoom);
        }
        if wrong.is_none() {
            raw.extend_from_slice(&data);
        } else if octets > MAX_DISCARDED {
            break;
        } else {
            (raw, place) = (BytesMut::new(), room.place());
        }
    }
    wrong.map_or_else(|| Ok(raw.freeze()), Err)
}
