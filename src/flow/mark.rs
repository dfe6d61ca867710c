//! The processed mark: a header field that says that these rules have run over this message in this flow.
//!
//! WorkMail calls the function again when an answer did not arrive, and the message that it gives out then is the
//! rewritten one. The mark tells: the second try answers as the first did and changes nothing.
//!
//! Invariant (no forged trust): a mark counts only with a valid HMAC-SHA-256 (RFC 2104) over its version, the flow's
//! message id, the rule set's digest, the direction and the dispositions asked for. Any other field of this name counts
//! for nothing; it is taken off mail that comes in, and off whatever is marked anew. The mark stands on top of the
//! header, only in messages that changed.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::key::{MessageId, hex};
use crate::envelope::Direction;
use crate::message::{Draft, Field, FieldName, Which};

/// The field's name.
pub const NAME: &str = "X-Mailwright-Mark";
/// Shortest key, in octets: as long as the hash (RFC 2104 §3).
pub const MIN_STAMP_KEY: usize = 32;
/// So many fields of this name are looked at, from the top: ours stands on top, others may have been put above.
const MAX_LOOKED_AT: usize = 4;
/// Most rules that a mark names; more than that are not marked, and the rules run again.
const MAX_DISPOSING: usize = 64;

/// The secret that marks are made with. `Debug` does not show it.
#[derive(Clone)]
pub struct StampKey(Hmac<Sha256>);

/// Why a text is no stamp key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stamp key has at least {MIN_STAMP_KEY} characters; `openssl rand -hex 32` makes a good one")]
pub struct StampKeyError;

impl StampKey {
    /// Check a key: its octets are used as they are, without white space round them.
    pub fn new(text: &str) -> Result<Self, StampKeyError> {
        let octets = text.trim().as_bytes();
        if octets.len() < MIN_STAMP_KEY {
            return Err(StampKeyError);
        }
        <Hmac<Sha256> as KeyInit>::new_from_slice(octets).map(Self).map_err(|_| StampKeyError)
    }
}

impl fmt::Debug for StampKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StampKey(…)")
    }
}

/// Reads and writes the mark of one message in one flow.
#[derive(Debug, Clone, Copy)]
pub struct Marker<'a> {
    /// The secret.
    pub key: &'a StampKey,
    /// The message.
    pub id: &'a MessageId,
    /// The rule set's digest.
    pub digest: &'a str,
    /// The flow.
    pub direction: Direction,
}

impl Marker<'_> {
    /// The indexes of the rules that asked for a disposition, when the message bears a valid mark.
    pub fn read(&self, draft: &Draft<'_>) -> Option<Vec<usize>> {
        draft.values(NAME).iter().take(MAX_LOOKED_AT).find_map(|value| self.check(value))
    }

    /// Take off what does not belong there, and mark the message where it changed. Says nothing, changes nothing in an
    /// outbound message that the rules left as it was.
    pub fn finish(&self, draft: &mut Draft<'_>, disposing: &[usize]) {
        let Ok(name) = FieldName::new(NAME) else { return };
        let changed = !draft.is_unchanged();
        if !changed && self.direction == Direction::Outbound {
            return;
        }
        let removed = draft.remove_fields(&name, Which::All);
        if (changed || removed > 0)
            && disposing.len() <= MAX_DISPOSING
            && let Ok(field) = Field::new(name, &self.value(disposing))
        {
            draft.add_field(field);
        }
    }

    /// `v=1; flow=outbound; rules=0123456789abcdef; did=0, 3; mac=…`: spaces so that it can be folded.
    fn value(&self, disposing: &[usize]) -> String {
        let did = disposing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mac = hex(&self.mac(disposing).finalize().into_bytes());
        format!("v=1; flow={}; rules={}; did={did}; mac={mac}", self.direction, self.digest)
    }

    fn check(&self, value: &str) -> Option<Vec<usize>> {
        let mut entries = value.split(';').map(|entry| entry.split_once('=').map(|(k, v)| (k.trim(), v.trim())));
        let mut take = |key: &str| entries.next()?.filter(|(k, _)| *k == key).map(|(_, v)| v);
        let expected = take("v")? == "1" && take("flow")? == self.direction.as_str() && take("rules")? == self.digest;
        let did = take("did")?;
        let mac = unhex(take("mac")?)?;
        if !expected || entries.next().is_some() {
            return None;
        }
        let numbers = did.split(',').map(str::trim).filter(|n| !n.is_empty()).take(MAX_DISPOSING + 1);
        let disposing = numbers.map(|n| n.parse().ok()).collect::<Option<Vec<usize>>>()?;
        // Constant time.
        self.mac(&disposing).verify_slice(&mac).ok()?;
        Some(disposing)
    }

    /// Every entry with its length before it, so that no two messages give the same octets.
    fn mac(&self, disposing: &[usize]) -> Hmac<Sha256> {
        let mut mac = self.key.0.clone();
        let mut add = |octets: &[u8]| {
            mac.update(&(octets.len() as u64).to_be_bytes());
            mac.update(octets);
        };
        add(b"mailwright mark v=1");
        add(self.id.as_str().as_bytes());
        add(self.digest.as_bytes());
        add(self.direction.as_str().as_bytes());
        for rule in disposing {
            add(&(*rule as u64).to_be_bytes());
        }
        mac
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn value_and_check(disposing: &[usize], change: impl Fn(&mut String), at: (&str, &str, Direction, &str)) -> bool {
        let id = MessageId::new("11111111-aaaa").unwrap();
        let key = StampKey::new(KEY).unwrap();
        let made = Marker { key: &key, id: &id, digest: "00112233aabbccdd", direction: Direction::Inbound };
        let mut value = made.value(disposing);
        change(&mut value);
        let (key, id, direction, digest) = at;
        let (key, id) = (StampKey::new(key).unwrap(), MessageId::new(id).unwrap());
        let read = Marker { key: &key, id: &id, digest, direction }.check(&value);
        assert!(read.is_none() || read.as_deref() == Some(disposing));
        read.is_some()
    }

    #[test]
    fn a_mark_holds_for_its_message_rules_flow_and_key_alone() {
        let good = (KEY, "11111111-aaaa", Direction::Inbound, "00112233aabbccdd");
        for disposing in [&[][..], &[0], &[0, 3, 12]] {
            assert!(value_and_check(disposing, |_| {}, good));
        }
        let other_key = "0123456789abcdef0123456789abcdeF";
        assert!(!value_and_check(&[1], |_| {}, (other_key, good.1, good.2, good.3)));
        assert!(!value_and_check(&[1], |_| {}, (good.0, "11111111-aaab", good.2, good.3)));
        assert!(!value_and_check(&[1], |_| {}, (good.0, good.1, Direction::Outbound, good.3)));
        assert!(!value_and_check(&[1], |_| {}, (good.0, good.1, good.2, "00112233aabbccde")));
    }

    #[test]
    fn a_mark_that_was_tampered_with_counts_for_nothing() {
        let good = (KEY, "11111111-aaaa", Direction::Inbound, "00112233aabbccdd");
        let changes: [&dyn Fn(&mut String); 8] = [
            &|v| *v = v.replace("did=1", "did=2"),
            &|v| *v = v.replace("did=1", "did="),
            &|v| *v = v.replace("did=1", "did=1, 1"),
            &|v| *v = v.replace("v=1", "v=2"),
            &|v| v.truncate(v.len() - 2),
            &|v| v.push_str("; x=1"),
            &|v| v.replace_range(v.len() - 64.., &"0".repeat(64)),
            &|v| v.clear(),
        ];
        for change in changes {
            assert!(!value_and_check(&[1], change, good));
        }
        // White space may change on the way (RFC 5322 §2.2.3).
        assert!(value_and_check(&[1], |v| *v = v.replace("; ", ";\t "), good));
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_is_shown() {
        assert!(StampKey::new("short").is_err());
        assert!(StampKey::new(&format!("  {}  ", "k".repeat(31))).is_err());
        assert_eq!(format!("{:?}", StampKey::new(KEY).unwrap()), "StampKey(…)");
    }
}
