//! What WorkMail takes for an answer (Administrator Guide, "Configuring AWS Lambda for Amazon WorkMail": response schema and
//! limits), written down without the code that makes answers.

use std::collections::HashSet;

use serde_json::Value;

const MOST_ACTIONS: usize = 10;
const MOST_OCTETS: usize = 256_000;

/// Why WorkMail would not take `answer` for an event, or would do something else for some recipient than is meant.
pub fn fault_of(answer: &Value, event: &Value) -> Option<String> {
    let inbound = event["flowDirection"] == "INBOUND";
    let Some(actions) = answer["actions"].as_array() else { return Some("no actions".to_owned()) };
    if actions.is_empty() || actions.len() > MOST_ACTIONS {
        return Some(format!("{} actions", actions.len()));
    }
    if answer.to_string().len() > MOST_OCTETS {
        return Some("too long".to_owned());
    }
    let mut named = HashSet::new();
    let mut rest = 0;
    for action in actions {
        let kind = action["action"]["type"].as_str().unwrap_or_default();
        let known = matches!(kind, "BOUNCE" | "DROP" | "DEFAULT");
        if !(known || inbound && matches!(kind, "BYPASS_SPAM_CHECK" | "MOVE_TO_JUNK")) {
            return Some(format!("an action {kind}"));
        }
        let text = &action["action"]["parameters"];
        if (kind == "BOUNCE") != text["bounceMessage"].is_string() || (kind != "BOUNCE" && !text.is_null()) {
            return Some(format!("parameters of {kind}: {text}"));
        }
        rest += usize::from(action["allRecipients"] == true);
        let recipients = action["recipients"].as_array().map(Vec::as_slice).unwrap_or_default();
        if recipients.is_empty() && action["allRecipients"] != true {
            return Some("an action for nobody".to_owned());
        }
        for recipient in recipients {
            let Some(address) = recipient.as_str() else { return Some("a recipient that is no text".to_owned()) };
            if !named.insert(address.to_owned()) {
                return Some("a recipient named twice".to_owned());
            }
        }
    }
    // Whom no action is for gets the fallback action.
    (rest != 1).then(|| format!("{rest} actions for all others"))
}
