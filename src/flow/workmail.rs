//! WorkMail's event and response JSON, and its limits.
//!
//! An event is read leniently: every field is optional, wrong types count as absent, unknown fields are ignored, and
//! `summaryVersion` is not looked at (both `2018-10-10` and `2019-07-28` are about). Reading never fails: an event
//! without a message id that can be used still gets an answer that delivers.
//!
//! Source: WorkMail Administrator Guide, "Configuring AWS Lambda for Amazon WorkMail"; limits as named below.

use serde_json::Value;

use super::key::MessageId;
use super::ports::{PortError, Refusal};
use crate::answers::MAX_RECIPIENTS;
use crate::envelope::{Address, Direction, Envelope};

/// Largest message in transit, in octets of MIME: 40 MB (Administrator Guide, "Amazon WorkMail quotas"). Powers of
/// 1,000, as a message above would be lost where it is meant so.
pub const MAX_MESSAGE: usize = 40_000_000;
/// Largest response, in octets: 256 KB (Administrator Guide, "Synchronous Run Lambda rule").
pub const MAX_RESPONSE: usize = 256_000;
/// Most actions in a response (same place); what is over would get the fallback action.
pub const MAX_ACTIONS: usize = 10;
/// Longest invocation id that is kept; those documented have 32 or 40 characters.
const MAX_INVOCATION_ID: usize = 128;

/// What WorkMail says about a message.
#[derive(Debug, Clone)]
pub struct Event {
    /// The message to work on. `None`: the event cannot be used.
    pub message_id: Option<MessageId>,
    /// The same when the function is called again for the same event.
    pub invocation_id: Option<String>,
    /// Whether the event says which way the message goes; if not, it counts as inbound, as coming from outside.
    pub direction_known: bool,
    /// The rest.
    pub envelope: Envelope,
}

impl Event {
    /// Read an event. Never fails.
    pub fn read(event: &Value) -> Self {
        let text = |key: &str| event.get(key).and_then(Value::as_str);
        let message_id = text("messageId").and_then(|id| MessageId::new(id).ok());
        let direction = text("flowDirection").and_then(direction);
        let said = |key: &str| event.get("envelope").and_then(|envelope| envelope.get(key));
        let from = said("mailFrom");
        let given = said("recipients").and_then(Value::as_array);
        let recipients: Vec<Address> = given.into_iter().flatten().take(MAX_RECIPIENTS).filter_map(address).collect();
        // One that cannot be named in an answer is as one that was cut off.
        let left_out = given.is_some_and(|given| given.len() > recipients.len());
        let envelope = Envelope {
            direction: direction.unwrap_or(Direction::Inbound),
            // `mailFrom` is who the message is from; `sender`, where it is given, who sent it on their behalf.
            sender: from.and_then(address).or_else(|| event.get("sender").and_then(address)),
            recipients,
            message_id: message_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            truncated: left_out || event.get("truncated").is_some_and(truth),
        };
        let invocation_id = text("invocationId")
            .filter(|id| (1..=MAX_INVOCATION_ID).contains(&id.len()))
            // It is logged: nothing that could be an address.
            .filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'))
            .map(str::to_owned);
        Self { message_id, invocation_id, direction_known: direction.is_some(), envelope }
    }
}

fn direction(word: &str) -> Option<Direction> {
    if word.eq_ignore_ascii_case("INBOUND") {
        Some(Direction::Inbound)
    } else if word.eq_ignore_ascii_case("OUTBOUND") {
        Some(Direction::Outbound)
    } else {
        None
    }
}

/// `{"address": "a@b"}`; also the bare string, also `Name <a@b>` and `a@b (Name)`.
fn address(value: &Value) -> Option<Address> {
    let text = value.get("address").unwrap_or(value).as_str()?.trim();
    let inner = text.strip_suffix('>').and_then(|t| t.rsplit_once('<')).map(|(_, inner)| inner);
    let text = inner.unwrap_or(text);
    let bare = text.strip_suffix(')').and_then(|t| t.split_once('(')).map(|(bare, _)| bare);
    Address::new(text).or_else(|error| bare.map_or(Err(error), Address::new)).ok()
}

fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|word| word.eq_ignore_ascii_case("true")))
}

/// What is known to be refused, found out before anything is stored: a rewrite that makes the message larger than
/// WorkMail takes. A message that came in larger may shrink.
pub fn preflight(before: usize, after: usize) -> Result<(), PortError> {
    if after > MAX_MESSAGE && after > before {
        return Err(PortError::permanent(Refusal::TooLarge, format!("{after} octets, at most {MAX_MESSAGE}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Value {
        json!({
            "summaryVersion": "2019-07-28",
            "envelope": {
                "mailFrom": {"address": "ann@example.com"},
                "recipients": [{"address": "kim@customer.example"}, {"address": "lee@customer.example"}]
            },
            "sender": {"address": "bob@example.com"},
            "subject": "Hello",
            "messageId": "00000000-0000-0000-0000-000000000000",
            "invocationId": "00000000000000000000000000000000",
            "flowDirection": "OUTBOUND",
            "truncated": false
        })
    }

    #[test]
    fn both_documented_forms_of_an_event_are_read() {
        for version in ["2018-10-10", "2019-07-28", "2031-01-01"] {
            let mut event = sample();
            event["summaryVersion"] = version.into();
            let event = Event::read(&event);
            assert_eq!(event.message_id.unwrap().as_str(), "00000000-0000-0000-0000-000000000000");
            assert_eq!(event.invocation_id.as_deref(), Some("00000000000000000000000000000000"));
            assert_eq!(event.envelope.direction, Direction::Outbound);
            assert!(event.direction_known);
            assert_eq!(event.envelope.sender.unwrap().as_str(), "ann@example.com");
            let to: Vec<_> = event.envelope.recipients.iter().map(Address::as_str).collect();
            assert_eq!(to, ["kim@customer.example", "lee@customer.example"]);
            assert!(!event.envelope.truncated);
        }
    }

    #[test]
    fn a_field_that_is_missing_null_or_of_the_wrong_type_costs_that_field_alone() {
        let wrong = [Value::Null, json!(7), json!(["x"]), json!({"address": 1}), json!(true), json!("")];
        for key in sample().as_object().unwrap().keys() {
            let mut events: Vec<Value> = wrong
                .iter()
                .map(|value| {
                    let mut event = sample();
                    event[key] = value.clone();
                    event
                })
                .collect();
            let mut without = sample();
            without.as_object_mut().unwrap().remove(key);
            events.push(without);
            for event in events {
                let read = Event::read(&event);
                assert_eq!(read.message_id.is_none(), key == "messageId", "{event}");
                assert_eq!(read.invocation_id.is_none(), key == "invocationId", "{event}");
                assert_eq!(read.direction_known, key != "flowDirection", "{event}");
                assert_eq!(read.envelope.recipients.is_empty(), key == "envelope", "{event}");
                let sender = read.envelope.sender.map(|s| s.as_str().to_owned());
                let expected = if key == "envelope" { "bob@example.com" } else { "ann@example.com" };
                assert_eq!(sender.as_deref(), Some(expected), "{event}");
            }
        }
        for event in [Value::Null, json!([]), json!("x"), json!(3), json!({}), json!({"envelope": [1]})] {
            assert!(Event::read(&event).message_id.is_none());
        }
    }

    #[test]
    fn a_recipient_that_is_no_address_is_left_out() {
        let mut event = sample();
        event["envelope"]["recipients"] = json!([null, {"address": "no-at"}, {"address": "Kim <kim@customer.example>"}, "lee@customer.example", 3,
                   "\"a (b)@c\"@customer.example", "jürgen+x@BÜCHER.example (Jürgen)"]);
        let read = Event::read(&event);
        let to: Vec<_> = read.envelope.recipients.iter().map(Address::as_str).collect();
        let odd = ["\"a (b)@c\"@customer.example", "jürgen+x@BÜCHER.example"];
        assert_eq!(to, [&["kim@customer.example", "lee@customer.example"], &odd[..]].concat());
    }

    #[test]
    fn the_sender_of_a_bounce_is_empty() {
        let mut event = sample();
        event["envelope"]["mailFrom"] = json!({"address": ""});
        event.as_object_mut().unwrap().remove("sender");
        assert!(Event::read(&event).envelope.sender.is_none());
    }

    #[test]
    fn a_message_may_not_grow_beyond_what_workmail_takes() {
        assert!(preflight(10, MAX_MESSAGE).is_ok());
        assert!(preflight(10, MAX_MESSAGE + 1).is_err());
        assert!(preflight(MAX_MESSAGE + 2, MAX_MESSAGE + 1).is_ok());
    }
}
