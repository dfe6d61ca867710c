//! What WorkMail makes of a function's answer: what is done for each recipient.
//!
//! Source: WorkMail Administrator Guide, "Configuring AWS Lambda for Amazon WorkMail". What AWS does not say is read as
//! follows, and said so where it happens: an action that the direction does not have, or that nobody has, makes the answer
//! invalid; `"true"` counts as `true`, as AWS's own samples write it.

use mailwright::directory::Organization;
use mailwright::envelope::{Address, Direction};
use mailwright::flow::workmail::{MAX_ACTIONS, MAX_RESPONSE};
use mailwright::rule::Disposition;
use serde_json::Value;

use super::run::Answered;
use crate::event::Event;

/// Most recipients that an answer may add.
const MAX_ADDED: usize = 500;

/// What is done.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// For each recipient of the event, then for those added.
    pub answered: Vec<Answered>,
    /// For those whom the event does not name.
    pub others: Disposition,
    /// What in the answer has no effect.
    pub notes: Vec<String>,
}

impl Reading {
    /// Everybody gets the same.
    pub fn same_for_all(event: &Event, disposition: &Disposition) -> Self {
        let answered = recipients(event).map(|address| Answered {
            address: address.to_owned(),
            disposition: disposition.clone(),
            added: false,
        });
        Self { answered: answered.collect(), others: disposition.clone(), notes: Vec::new() }
    }

    /// Read an answer; the error says why WorkMail would count the invocation as failed.
    pub fn of(
        answer: &Value,
        event: &Event,
        organization: &Organization,
        fallback: &Disposition,
    ) -> Result<Self, String> {
        let octets = answer.to_string().len();
        if octets > MAX_RESPONSE {
            return Err(format!("the answer has {octets} octets; WorkMail takes {MAX_RESPONSE}"));
        }
        let actions = answer.get("actions").and_then(Value::as_array);
        let actions = actions.ok_or("the answer is no object with an array `actions`")?;
        if actions.is_empty() {
            return Err("`actions` of the answer is empty".to_owned());
        }
        let mut notes = Vec::new();
        let mut others = None;
        let mut named: Vec<(Address, Disposition)> = Vec::new();
        let mut different: Vec<Disposition> = Vec::new();
        for (index, action) in actions.iter().enumerate() {
            let place = format!("actions[{index}]");
            let disposition = disposition(action, event.direction).map_err(|why| format!("{place}: {why}"))?;
            if !different.contains(&disposition) {
                different.push(disposition.clone());
            }
            let disposition = if different.iter().position(|one| *one == disposition) >= Some(MAX_ACTIONS) {
                notes.push(format!("{place} is beyond {MAX_ACTIONS} different actions: the fallback action is taken"));
                fallback.clone()
            } else {
                disposition
            };
            if action.get("allRecipients").is_some_and(truth) && others.is_none() {
                others = Some(disposition.clone());
            }
            let list = action.get("recipients").and_then(Value::as_array);
            for recipient in list.into_iter().flatten() {
                match recipient.as_str().map(Address::new) {
                    Some(Ok(address)) => named.push((address, disposition.clone())),
                    _ => notes.push(format!("{place} names a recipient that is no address")),
                }
            }
        }
        let others = others.unwrap_or_else(|| fallback.clone());
        let find = |address: &str| {
            let address = Address::new(address).ok()?.folded();
            named.iter().find(|(one, _)| one.folded() == address).map(|(_, disposition)| disposition.clone())
        };
        let mut answered: Vec<Answered> = recipients(event)
            .map(|address| Answered {
                address: address.to_owned(),
                disposition: find(address).unwrap_or_else(|| others.clone()),
                added: false,
            })
            .collect();
        let here: Vec<String> =
            answered.iter().filter_map(|one| Some(Address::new(&one.address).ok()?.folded())).collect();
        for (address, disposition) in named {
            if here.contains(&address.folded()) {
                continue;
            }
            if event.direction == Direction::Inbound && !organization.is_internal(address.domain()) {
                notes.push("a recipient outside of the organization cannot be added to inbound mail".to_owned());
            } else if answered.len() < here.len() + MAX_ADDED {
                answered.push(Answered { address: address.as_str().to_owned(), disposition, added: true });
            }
        }
        Ok(Self { answered, others, notes })
    }
}

/// Those whom the event names.
pub fn recipients(event: &Event) -> impl Iterator<Item = &str> {
    let list = event.json.pointer("/envelope/recipients").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|one| one.get("address")?.as_str())
}

fn disposition(action: &Value, direction: Direction) -> Result<Disposition, String> {
    let word = action.pointer("/action/type").and_then(Value::as_str).ok_or("it has no `action.type`")?;
    let inbound = direction == Direction::Inbound;
    match word {
        "DEFAULT" => Ok(Disposition::Deliver),
        "DROP" => Ok(Disposition::Drop),
        "BOUNCE" => {
            let text = action.pointer("/action/parameters/bounceMessage").and_then(Value::as_str);
            Ok(Disposition::Bounce(text.unwrap_or_default().to_owned()))
        }
        "MOVE_TO_JUNK" if inbound => Ok(Disposition::Junk),
        "BYPASS_SPAM_CHECK" if inbound => Ok(Disposition::BypassSpamCheck),
        "MOVE_TO_JUNK" | "BYPASS_SPAM_CHECK" => Err(format!("{word} is for inbound mail only")),
        _ => Err("`action.type` is none of WorkMail's".to_owned()),
    }
}

fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|word| word.eq_ignore_ascii_case("true")))
}

/// The word for it in rule files.
pub const fn word(disposition: &Disposition) -> &'static str {
    match disposition {
        Disposition::Deliver => "deliver",
        Disposition::Bounce(_) => "bounce",
        Disposition::Drop => "drop",
        Disposition::Junk => "junk",
        Disposition::BypassSpamCheck => "bypass_spam_check",
    }
}

#[cfg(test)]
mod tests {
    use mailwright::envelope::Domain;
    use serde_json::json;

    use super::*;
    use crate::event::Given;

    fn event(direction: Direction) -> (Event, Organization) {
        let organization = Organization { domains: vec![Domain::new("example.com").unwrap()] };
        let given = Given { direction: Some(direction), from: None, to: Vec::new(), at: None };
        let raw = b"From: ann@example.com\r\nTo: kim@customer.example, lee@customer.example\r\n\r\nx\r\n";
        (Event::new(raw, &given, &organization), organization)
    }

    fn read(answer: &Value, direction: Direction) -> Result<(String, Vec<String>), String> {
        let (event, organization) = event(direction);
        let reading = Reading::of(answer, &event, &organization, &Disposition::Bounce("fallback".to_owned()))?;
        let each = reading.answered.iter().map(|one| {
            let local = one.address.split('@').next().unwrap_or_default();
            format!("{local}{}:{}", if one.added { "+" } else { "" }, word(&one.disposition))
        });
        Ok((each.collect::<Vec<_>>().join(" "), reading.notes))
    }

    #[test]
    fn who_is_not_named_gets_what_all_others_get_or_the_fallback() {
        let all = json!({"actions": [{"action": {"type": "DEFAULT"}, "allRecipients": "True"},
            {"action": {"type": "DROP"}, "recipients": ["LEE@customer.example"]}]});
        assert_eq!(read(&all, Direction::Outbound).unwrap().0, "kim:deliver lee:drop");
        let some = json!({"actions": [{"action": {"type": "DROP"}, "recipients": ["lee@customer.example"]}]});
        assert_eq!(read(&some, Direction::Outbound).unwrap().0, "kim:bounce lee:drop");
    }

    #[test]
    fn recipients_are_added_where_workmail_adds_them() {
        let answer = json!({"actions": [{"action": {"type": "DEFAULT"}, "allRecipients": true,
            "recipients": ["log@example.com", "out@example.net", "none", 7]}]});
        let (each, notes) = read(&answer, Direction::Outbound).unwrap();
        assert_eq!((each.as_str(), notes.len()), ("kim:deliver lee:deliver log+:deliver out+:deliver", 2));
        let (each, notes) = read(&answer, Direction::Inbound).unwrap();
        assert_eq!((each.as_str(), notes.len()), ("kim:deliver lee:deliver log+:deliver", 3));
    }

    #[test]
    fn what_is_no_answer_fails_the_invocation() {
        for answer in [
            json!(null),
            json!({"statusCode": 200}),
            json!({"actions": []}),
            json!({"actions": [{"action": {}}]}),
            json!({"actions": [{"action": {"type": "QUARANTINE"}, "allRecipients": true}]}),
            json!({"actions": [{"action": {"type": "MOVE_TO_JUNK"}, "allRecipients": true}]}),
            json!({"actions": [{"action": {"type": "BOUNCE", "parameters": {"bounceMessage": "x".repeat(300_000)}}}]}),
        ] {
            assert!(read(&answer, Direction::Outbound).is_err());
        }
        let junk = json!({"actions": [{"action": {"type": "MOVE_TO_JUNK"}, "allRecipients": true}]});
        assert_eq!(read(&junk, Direction::Inbound).unwrap().0, "kim:junk lee:junk");
    }

    #[test]
    fn of_more_than_ten_different_actions_the_rest_is_the_fallback() {
        let bounce = |n: usize| {
            json!({"action": {"type": "BOUNCE", "parameters": {"bounceMessage": format!("{n}")}},
                "recipients": [format!("r{n}@customer.example")]})
        };
        let actions: Vec<Value> = (0..11).map(bounce).collect();
        let (event, organization) = event(Direction::Outbound);
        let reading = Reading::of(&json!({ "actions": actions }), &event, &organization, &Disposition::Drop).unwrap();
        assert_eq!(reading.answered.last().unwrap().disposition, Disposition::Drop);
        assert_eq!(reading.answered.iter().filter(|one| matches!(one.disposition, Disposition::Bounce(_))).count(), 10);
    }
}
