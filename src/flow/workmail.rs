//! WorkMail's event and response JSON, and its limits.
//!
//! An event is read leniently: every field is optional, wrong types count as absent, unknown fields are ignored, and
//! `summaryVersion` is not looked at (both `2018-10-10` and `2019-07-28` are about). Reading never fails: an event
//! without a message id that can be used still gets an answer that delivers.
//!
//! Source: WorkMail Administrator Guide, "Configuring AWS Lambda for Amazon WorkMail"; limits as named below.

use serde::Serialize;
use serde_json::Value;

use super::key::MessageId;
use super::ports::{PortError, Refusal};
use crate::envelope::{Address, Direction, Envelope};
use crate::rule::Disposition;

/// Largest message in transit, in octets of MIME: 40 MB (Administrator Guide, "Amazon WorkMail quotas"). Powers of
/// 1,000, as a message above would be lost where it is meant so.
pub const MAX_MESSAGE: usize = 40_000_000;
/// Largest response, in octets: 256 KB (Administrator Guide, "Synchronous Run Lambda rule").
pub const MAX_RESPONSE: usize = 256_000;
/// Most actions in a response (same place); what is over gets the fallback action. We give one, for all recipients.
pub const MAX_ACTIONS: usize = 10;
/// Longest bounce text, in octets of JSON: what is left of a response by what stands round it.
pub const MAX_BOUNCE_TEXT: usize = MAX_RESPONSE - 1_000;
/// Most recipients of one message (Administrator Guide, "Amazon WorkMail quotas"); any more are not read.
pub const MAX_RECIPIENTS: usize = 500;
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
        let from = event.pointer("/envelope/mailFrom");
        let recipients = event.pointer("/envelope/recipients").and_then(Value::as_array);
        let envelope = Envelope {
            direction: direction.unwrap_or(Direction::Inbound),
            // `mailFrom` is who the message is from; `sender`, where it is given, who sent it on their behalf.
            sender: from.and_then(address).or_else(|| event.get("sender").and_then(address)),
            recipients: recipients.into_iter().flatten().take(MAX_RECIPIENTS).filter_map(address).collect(),
            message_id: message_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            truncated: event.get("truncated").is_some_and(truth),
        };
        let invocation_id = text("invocationId")
            .filter(|id| (1..=MAX_INVOCATION_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()))
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

/// The answer: what to do for each recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Response {
    actions: Vec<ResponseAction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseAction {
    action: ActionType,
    all_recipients: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", content = "parameters", rename_all = "SCREAMING_SNAKE_CASE")]
enum ActionType {
    #[serde(rename_all = "camelCase")]
    Bounce {
        bounce_message: String,
    },
    Drop,
    Default,
    BypassSpamCheck,
    MoveToJunk,
}

impl Response {
    /// Deliver to everybody.
    pub fn deliver() -> Self {
        Self::for_all(ActionType::Default)
    }
    /// One answer for all recipients, so it is right for a truncated list, too. An action that the direction does not
    /// allow delivers; where the direction is not known, what either direction does not allow.
    pub fn new(disposition: &Disposition, direction: Option<Direction>) -> Self {
        let inbound = direction == Some(Direction::Inbound);
        Self::for_all(match disposition {
            Disposition::Bounce(text) => ActionType::Bounce { bounce_message: cut(text).to_owned() },
            Disposition::Drop => ActionType::Drop,
            Disposition::Junk if inbound => ActionType::MoveToJunk,
            Disposition::BypassSpamCheck if inbound => ActionType::BypassSpamCheck,
            Disposition::Junk | Disposition::BypassSpamCheck | Disposition::Deliver => ActionType::Default,
        })
    }
    /// The word that WorkMail knows the answer by, such as `MOVE_TO_JUNK`.
    pub fn word(&self) -> &'static str {
        match self.actions.first().map(|a| &a.action) {
            Some(ActionType::Bounce { .. }) => "BOUNCE",
            Some(ActionType::Drop) => "DROP",
            Some(ActionType::BypassSpamCheck) => "BYPASS_SPAM_CHECK",
            Some(ActionType::MoveToJunk) => "MOVE_TO_JUNK",
            Some(ActionType::Default) | None => "DEFAULT",
        }
    }

    fn for_all(action: ActionType) -> Self {
        Self { actions: vec![ResponseAction { action, all_recipients: true }] }
    }
}

/// The start of a bounce text that fits into a response: cut on a character boundary, by its length in JSON.
fn cut(text: &str) -> &str {
    let mut room = MAX_BOUNCE_TEXT;
    let end = text.char_indices().find(|(_, c)| {
        let octets = match c {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            c if c.is_control() => 6,
            c => c.len_utf8(),
        };
        match room.checked_sub(octets) {
            Some(left) => {
                room = left;
                false
            }
            None => true,
        }
    });
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
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
    fn answers_look_as_documented() {
        let json = |d, dir| serde_json::to_string(&Response::new(&d, dir)).unwrap();
        let inbound = Some(Direction::Inbound);
        let outbound = Some(Direction::Outbound);
        let default = r#"{"actions":[{"action":{"type":"DEFAULT"},"allRecipients":true}]}"#;
        assert_eq!(serde_json::to_string(&Response::deliver()).unwrap(), default);
        assert_eq!(json(Disposition::Deliver, inbound), default);
        assert_eq!(
            json(Disposition::Bounce("No \"x\".".into()), outbound),
            r#"{"actions":[{"action":{"type":"BOUNCE","parameters":{"bounceMessage":"No \"x\"."}},"allRecipients":true}]}"#
        );
        assert_eq!(json(Disposition::Drop, outbound), default.replace("DEFAULT", "DROP"));
        assert_eq!(json(Disposition::Junk, inbound), default.replace("DEFAULT", "MOVE_TO_JUNK"));
        assert_eq!(json(Disposition::BypassSpamCheck, inbound), default.replace("DEFAULT", "BYPASS_SPAM_CHECK"));
        for direction in [outbound, None] {
            assert_eq!(json(Disposition::Junk, direction), default);
            assert_eq!(json(Disposition::BypassSpamCheck, direction), default);
        }
    }

    #[test]
    fn a_long_bounce_text_is_cut_between_characters_and_fits() {
        for unit in ["a", "é", "€", "\u{1F600}", "\"", "\u{1}", "\u{7f}", "\n"] {
            let text = format!("x{}", unit.repeat(300_000));
            let answer = serde_json::to_vec(&Response::new(&Disposition::Bounce(text.clone()), None)).unwrap();
            assert!(answer.len() <= MAX_RESPONSE, "{unit:?}: {}", answer.len());
            assert!(cut(&text).len() > 40_000, "{unit:?}");
            assert!(text.starts_with(cut(&text)));
        }
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn a_message_may_not_grow_beyond_what_workmail_takes() {
        assert!(preflight(10, MAX_MESSAGE).is_ok());
        assert!(preflight(10, MAX_MESSAGE + 1).is_err());
        assert!(preflight(MAX_MESSAGE + 2, MAX_MESSAGE + 1).is_ok());
    }
}
