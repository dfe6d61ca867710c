//! What a mail server adds to a message as it takes it in.
//!
//! Invariant: a field goes on top, and nowhere where it would swallow what comes behind it; what is there stays as it is.

use mailwright::envelope::Address;
use mailwright::facts::Timestamp;
use mailwright::flow::key::MessageId;
use mailwright::message::{Draft, Message};

/// The server that takes a message in from outside notes the sender of its envelope on top of it (RFC 5321 §4.4), where
/// rules look for it. A message that has the field keeps it: it was saved, and is sent once more.
pub fn with_return_path(raw: Vec<u8>, sender: Option<&Address>) -> Vec<u8> {
    if !takes_fields(&raw) || has(&raw, "Return-Path") {
        return raw;
    }
    let noted = format!("Return-Path: <{}>\r\n", sender.map_or("", Address::as_str));
    [noted.as_bytes(), &raw].concat()
}

/// The server that takes a message of a user adds `Date` and `Message-ID` where they lack (RFC 6409 §8.1, §8.2): a message
/// that leaves WorkMail has them. The names of those added.
pub fn as_submitted(
    raw: Vec<u8>,
    sender: Option<&Address>,
    id: &MessageId,
    now: Timestamp,
) -> (Vec<u8>, Vec<&'static str>) {
    let mut added = Vec::new();
    let mut fields = String::new();
    if takes_fields(&raw) && !has(&raw, "Date") {
        added.push("Date");
        fields.push_str(&now.strftime("Date: %a, %d %b %Y %H:%M:%S +0000\r\n").to_string());
    }
    if takes_fields(&raw) && !has(&raw, "Message-ID") {
        added.push("Message-ID");
        let domain = sender.map_or("localhost", |sender| sender.domain().as_str());
        // An identification has no room for other letters (RFC 5322 §3.6.4).
        let domain = if domain.is_ascii() { domain } else { "localhost" };
        fields.push_str(&format!("Message-ID: <{id}@{domain}>\r\n"));
    }
    if added.is_empty() { (raw, added) } else { ([fields.as_bytes(), &raw].concat(), added) }
}

/// A line that begins with white space would go on what stands before it, and one that an mbox begins with is no field.
fn takes_fields(raw: &[u8]) -> bool {
    !raw.starts_with(b" ") && !raw.starts_with(b"\t") && !raw.starts_with(b"From ")
}

fn has(raw: &[u8], name: &str) -> bool {
    !Draft::new(&Message::parse(raw)).values(name).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_from_outside_says_who_sent_it() {
        let ann = Address::new("ann@example.com").unwrap();
        let noted = |raw: &str, sender| String::from_utf8(with_return_path(raw.into(), sender)).unwrap();
        assert_eq!(noted("A: 1\r\n\r\nx", Some(&ann)), "Return-Path: <ann@example.com>\r\nA: 1\r\n\r\nx");
        assert_eq!(noted("A: 1\r\n\r\nx", None), "Return-Path: <>\r\nA: 1\r\n\r\nx");
        let saved = "Received: x\r\nReturn-Path: <b@x.example>\r\n\r\nx";
        assert_eq!(noted(saved, Some(&ann)), saved);
        assert_eq!(noted(" A: 1\r\n\r\nx", None), " A: 1\r\n\r\nx");
    }

    #[test]
    fn mail_of_users_has_a_date_and_an_identification() {
        let ann = Address::new("ann@example.com").unwrap();
        let (id, now) = (MessageId::new("4c7d-1").unwrap(), Timestamp::from_second(1_764_000_000).unwrap());
        let submitted = |raw: &str| {
            let (raw, added) = as_submitted(raw.into(), Some(&ann), &id, now);
            (String::from_utf8(raw).unwrap(), added)
        };
        let both =
            "Date: Mon, 24 Nov 2025 16:00:00 +0000\r\nMessage-ID: <4c7d-1@example.com>\r\nFrom: a@example.com\r\n\r\nx";
        assert_eq!(submitted("From: a@example.com\r\n\r\nx"), (both.to_owned(), vec!["Date", "Message-ID"]));
        let one = submitted("MESSAGE-ID: <1@example.com>\r\n\r\nx");
        assert_eq!(one.1, ["Date"]);
        assert!(one.0.ends_with("+0000\r\nMESSAGE-ID: <1@example.com>\r\n\r\nx"), "{}", one.0);
        for whole in ["Date: x\r\nMessage-ID: y\r\n\r\n", "\tA: 1\r\n\r\nx", "From ann Mon\r\nA: 1\r\n\r\nx"] {
            assert_eq!(submitted(whole), (whole.to_owned(), Vec::new()));
        }
        assert!(submitted("\r\nx").0.ends_with("@example.com>\r\n\r\nx"));
    }
}
