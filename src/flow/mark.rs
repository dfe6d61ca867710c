//! The processed mark: a header field that says that rules have run over this message in this flow.
//!
//! WorkMail calls the function again when an answer did not arrive, and the message that it gives out then is the
//! rewritten one. The mark tells: the second try answers as the first did and changes nothing. That holds whatever the rule
//! set is by then, as rules may be published between two tries, or two sets be in use: what one has rewritten, no other
//! rewrites again. The answer is that of the rule set that made the mark, where it is still known; else rules are known again
//! by their names, and what one asked for that is no longer there, or no longer enforced, counts for nothing.
//!
//! Invariant (no forged trust): a mark counts only with a valid HMAC-SHA-256 (RFC 2104) over its version, the flow's
//! message id, the digest of the rule set that made it, the direction and what rules asked for in the answer, for whom. Any other field of this name counts
//! for nothing; it is taken off mail that comes in, and off whatever is marked anew. The mark stands on top of the
//! header, only in messages that changed.

mod table;

use std::collections::BTreeSet;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use self::table::{Slot, TAG, Table};
use super::key::{MessageId, hex};
use crate::answers::{Asked, MAX_RECIPIENTS, Whom, decisive};
use crate::envelope::{Address, Direction};
use crate::message::{Draft, Field, FieldName, Which};

/// The field's name.
pub const NAME: &str = "X-Mailwright-Mark";
/// Shortest key, in octets: as long as the hash (RFC 2104 §3).
pub const MIN_STAMP_KEY: usize = 32;
/// So many fields of this name are looked at, from the top: ours stands on top, others may have been put above.
const MAX_LOOKED_AT: usize = 4;
/// Most rules that a mark names one by one. Of more, it holds those that decide the answer, in a [`Table`]; were those more
/// than that has room for, which takes as many rules that add recipients, the message would have no mark.
const MAX_DISPOSING: usize = 64;
/// Longest list of them, in octets; the same.
const MAX_WORDS: usize = 4_000;
/// Longest value of a mark that is looked at, in octets.
const MAX_VALUE: usize = 40_000;
/// A table stands in words of so many octets, for the field to be folded between them.
const WORD: usize = 64;
/// So many recipients have a place in a mark.
const PLACES: usize = 512;
const _: () = assert!(PLACES >= MAX_RECIPIENTS);

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
    /// The digest of the rule set in force.
    pub digest: &'a str,
    /// The names of its rules, in order; `None` for those that are not enforced.
    pub names: &'a [Option<&'a str>],
    /// The flow.
    pub direction: Direction,
    /// The recipients that the flow names. Which of them a rule is about is kept by their place among them in alphabetical
    /// order, and holds as long as they are the same.
    pub recipients: &'a [Address],
}

impl Marker<'_> {
    /// What rules asked for in the answer, when the message bears a valid mark, and the digest of the rule set that they are of.
    pub fn read(&self, draft: &Draft<'_>) -> Option<(Vec<Asked>, String)> {
        let values = draft.values(NAME);
        values.iter().take(MAX_LOOKED_AT).find_map(|value| Some((self.check(value)?, made_by(value)?.to_owned())))
    }

    /// Take off what does not belong there, and mark the message where it changed. Says nothing, changes nothing in an
    /// outbound message that the rules left as it was.
    pub fn finish(&self, draft: &mut Draft<'_>, asked: &[Asked]) {
        let Ok(name) = FieldName::new(NAME) else { return };
        let changed = !draft.is_unchanged();
        if !changed && self.direction == Direction::Outbound {
            return;
        }
        let removed = draft.remove_fields(&name, Which::All);
        if (changed || removed > 0)
            && let Some(value) = self.value(asked).or_else(|| self.tabled(asked))
            && let Ok(field) = Field::new(name, &value)
        {
            draft.add_field(field);
        }
    }

    /// `v=3; flow=outbound; rules=0123456789abcdef; did=89abcdef01234567, 456789abcdef0123:…; to=0123456789abcdef; mac=…`:
    /// spaces so that it can be folded. Behind a digest of a rule's name, which tells nothing without the key, `+` says that it added recipients, `*` that it did nothing else to
    /// the answer, and `:` for which recipients it is.
    fn value(&self, asked: &[Asked]) -> Option<String> {
        if asked.len() > MAX_DISPOSING {
            return None;
        }
        let folded = self.folded();
        let words: Vec<String> = asked.iter().map(|asked| self.word(asked, &folded)).collect::<Option<_>>()?;
        if words.iter().map(String::len).sum::<usize>() > MAX_WORDS {
            return None;
        }
        let to = words.iter().any(|word| word.contains(':')).then(|| self.to(&folded));
        let mac = hex(&self.mac(&words, to.as_deref()).finalize().into_bytes());
        let (did, to) = (words.join(", "), to.map(|to| format!(" to={to};")).unwrap_or_default());
        Some(format!("v=3; flow={}; rules={}; did={did};{to} mac={mac}", self.direction, self.digest))
    }

    fn check(&self, value: &str) -> Option<Vec<Asked>> {
        if value.len() > MAX_VALUE {
            return None;
        }
        let entries = value.split(';').map(|entry| entry.split_once('=').map(|(k, v)| (k.trim(), v.trim())));
        let mut entries = entries.peekable();
        let mut take = |key: &str| entries.next_if(|entry| entry.is_some_and(|(k, _)| k == key))?.map(|(_, v)| v);
        let version = take("v")?;
        let expected = matches!(version, "3" | "4") && take("flow")? == self.direction.as_str();
        // Of whatever rule set: that it is one of ours is for the MAC to say.
        let of = Marker { digest: take("rules")?, ..*self };
        let did = take("did")?;
        let to = take("to");
        let mac = unhex::<32>(take("mac")?)?;
        if !expected || entries.next().is_some() {
            return None;
        }
        if version == "4" {
            return of.check_table(did, to?, &mac);
        }
        if did.len() > 2 * MAX_WORDS {
            return None;
        }
        let words = did.split(',').map(str::trim).filter(|word| !word.is_empty());
        let words: Vec<String> = words.take(MAX_DISPOSING + 1).map(str::to_owned).collect();
        // Constant time.
        of.mac(&words, to).verify_slice(&mac).ok()?;
        let folded = self.folded();
        let same = to.is_some_and(|to| to == of.to(&folded));
        let tags: Vec<String> = if words.is_empty() { Vec::new() } else { of.tags() };
        let rule = |tag: &str| tags.iter().position(|of| of == tag);
        Some(words.iter().filter_map(|word| of.asked(word, &rule, same, &folded)).collect())
    }

    /// Of rules that are too many for [`Self::value`]: those that decide the answer and for whom, as hex digits in words:
    /// `v=4; flow=outbound; rules=0123456789abcdef; did=…; to=0123456789abcdef; mac=…`.
    fn tabled(&self, asked: &[Asked]) -> Option<String> {
        let folded = self.folded();
        let decisive = decisive(asked, self.recipients)?;
        let slot = |asked: &Asked| {
            let tag = self.short_tag(self.names.get(asked.rule).copied().flatten()?)?;
            Some(Slot { tag, adds: asked.adds, disposes: asked.disposes })
        };
        let number = |wanted: &dyn Fn(&Whom) -> bool| {
            let of = |asked: &Asked| asked.disposes && asked.whom.as_ref().is_some_and(wanted);
            decisive.iter().position(of).and_then(|index| u16::try_from(index + 1).ok()).unwrap_or(0)
        };
        let place = |one: &String| {
            let at = self.recipients.iter().position(|recipient| recipient.folded() == *one);
            number(&|whom| *whom != Whom::Everybody && at.is_some_and(|at| whom.includes(at)))
        };
        let table = Table {
            slots: decisive.iter().map(slot).collect::<Option<_>>()?,
            deciding: folded.iter().map(place).collect(),
            for_everybody: number(&|whom| *whom == Whom::Everybody),
        };
        let mut octets = table.octets(PLACES)?;
        self.mask(&mut octets, TABLE);
        let digits = hex(&octets);
        let words: Vec<&str> = digits.as_bytes().chunks(WORD).filter_map(|word| str::from_utf8(word).ok()).collect();
        let to = self.to(&folded);
        let mac = hex(&self.table_mac(&digits, &to).finalize().into_bytes());
        let (flow, rules, did) = (self.direction, self.digest, words.join(" "));
        Some(format!("v=4; flow={flow}; rules={rules}; did={did}; to={to}; mac={mac}"))
    }

    fn check_table(&self, did: &str, to: &str, mac: &[u8]) -> Option<Vec<Asked>> {
        let digits: String = did.split_ascii_whitespace().collect();
        // Constant time.
        self.table_mac(&digits, to).verify_slice(mac).ok()?;
        let mut octets = unhex_all(&digits)?;
        self.mask(&mut octets, TABLE);
        let table = Table::read(&octets)?;
        let folded: Vec<String> = self.folded().into_iter().collect();
        let same = to == self.to(&self.folded());
        let tags: Vec<Option<[u8; TAG]>> =
            self.names.iter().map(|name| name.and_then(|name| self.short_tag(name))).collect();
        let asked = |(index, slot): (usize, &Slot)| {
            let number = u16::try_from(index + 1).ok()?;
            let rule = tags.iter().position(|tag| *tag == Some(slot.tag))?;
            let means = |recipient: &Address| {
                let place = folded.binary_search(&recipient.folded()).ok();
                place.and_then(|place| table.deciding.get(place)).is_some_and(|of| *of == number)
            };
            let whom = match (slot.disposes, same) {
                (true, _) if table.for_everybody == number => Some(Whom::Everybody),
                (true, true) => Some(Whom::Some(self.recipients.iter().map(means).collect())),
                (true, false) => None,
                (false, _) => Some(Whom::Everybody),
            };
            Some(Asked { rule, whom, disposes: slot.disposes, disposition: None, adds: slot.adds })
        };
        let used = table.slots.iter().enumerate().filter(|(_, slot)| slot.adds || slot.disposes);
        Some(used.filter_map(asked).collect())
    }

    /// Each address once, in order.
    fn folded(&self) -> BTreeSet<String> {
        self.recipients.iter().map(Address::folded).collect()
    }

    /// What a rule asked for, as a word; `None` where it is not known for whom.
    fn word(&self, asked: &Asked, folded: &BTreeSet<String>) -> Option<String> {
        let sign = match (asked.adds, asked.disposes) {
            (false, _) => "",
            (true, true) => "+",
            (true, false) => "*",
        };
        let tag = self.tag(self.names.get(asked.rule).copied().flatten()?);
        let mut word = format!("{tag}{sign}");
        let Whom::Some(named) = asked.whom.as_ref()? else { return Some(word) };
        let meant: BTreeSet<String> =
            self.recipients.iter().zip(named).filter(|(_, is)| **is).map(|(address, _)| address.folded()).collect();
        let mut places = [0_u8; PLACES / 8];
        for (at, _) in folded.iter().enumerate().filter(|(_, one)| meant.contains(*one)) {
            *places.get_mut(at / 8)? |= 1 << (at % 8);
        }
        word.push(':');
        word.push_str(&hex(&self.masked(places, &tag)));
        Some(word)
    }

    /// What a word of a mark says; `None` for a rule that is not in force. `rule` knows its index, `same` says that the
    /// recipients are those of the mark.
    fn asked(
        &self,
        word: &str,
        rule: &dyn Fn(&str) -> Option<usize>,
        same: bool,
        folded: &BTreeSet<String>,
    ) -> Option<Asked> {
        let (name, whom) = word.split_once(':').map_or((word, None), |(name, whom)| (name, Some(whom)));
        let tag = name.trim_end_matches(['+', '*']);
        let (adds, disposes) = (tag.len() < name.len(), !name.ends_with('*'));
        let rule = rule(tag)?;
        let whom = match whom {
            None => Some(Whom::Everybody),
            Some(_) if !same => None,
            Some(places) => {
                let places = self.masked(unhex(places)?, tag);
                let holds = |at: usize| places.get(at / 8).is_some_and(|octet| octet & (1 << (at % 8)) != 0);
                let meant: BTreeSet<&str> =
                    folded.iter().enumerate().filter(|(at, _)| holds(*at)).map(|(_, one)| one.as_str()).collect();
                Some(Whom::Some(self.recipients.iter().map(|one| meant.contains(one.folded().as_str())).collect()))
            }
        };
        Some(Asked { rule, whom, disposes, disposition: None, adds })
    }

    /// Places with a key stream over them, or without it again: how many recipients a message has, and whom a rule is about,
    /// is nothing that one recipient may learn of the others.
    fn masked(&self, mut places: [u8; PLACES / 8], tag: &str) -> [u8; PLACES / 8] {
        self.mask(&mut places, &[b"mailwright mark places", tag.as_bytes()]);
        places
    }

    /// The same for whatever is to be read by nobody else. `purpose` is for nothing else of this message.
    fn mask(&self, octets: &mut [u8], purpose: &[&[u8]]) {
        for (block, chunk) in octets.chunks_mut(32).enumerate() {
            let block = block.to_be_bytes();
            let stream = self.keyed(&[purpose, &[&block]].concat());
            for (octet, with) in chunk.iter_mut().zip(stream.finalize().into_bytes()) {
                *octet ^= with;
            }
        }
    }

    /// By which a rule is known again in another rule set; the name of a rule is nothing to be told to recipients.
    fn tag(&self, name: &str) -> String {
        let mac = self.keyed(&[b"mailwright mark rule", name.as_bytes()]).finalize().into_bytes();
        hex(mac.get(..8).unwrap_or_default())
    }

    /// The first octets of it.
    fn short_tag(&self, name: &str) -> Option<[u8; TAG]> {
        let mac = self.keyed(&[b"mailwright mark rule", name.as_bytes()]).finalize().into_bytes();
        mac.first_chunk::<TAG>().copied()
    }

    /// The tags of all rules in force, in order; empty for others.
    fn tags(&self) -> Vec<String> {
        self.names.iter().map(|name| name.map(|name| self.tag(name)).unwrap_or_default()).collect()
    }

    /// By which the recipients are known again: nothing that anybody without the key could try addresses with.
    fn to(&self, folded: &BTreeSet<String>) -> String {
        let mut mac = self.keyed(&[b"mailwright mark recipients"]);
        for address in folded {
            mac.update(&(address.len() as u64).to_be_bytes());
            mac.update(address.as_bytes());
        }
        hex(mac.finalize().into_bytes().get(..8).unwrap_or_default())
    }

    /// Every entry with its length before it, so that no two messages give the same octets.
    fn mac(&self, words: &[String], to: Option<&str>) -> Hmac<Sha256> {
        let mut mac = self.keyed(&[b"mailwright mark v=3", to.unwrap_or_default().as_bytes()]);
        for word in words {
            mac.update(&(word.len() as u64).to_be_bytes());
            mac.update(word.as_bytes());
        }
        mac
    }

    fn table_mac(&self, digits: &str, to: &str) -> Hmac<Sha256> {
        self.keyed(&[b"mailwright mark v=4", to.as_bytes(), digits.as_bytes()])
    }

    /// For one purpose, of this message, these rules and this flow.
    fn keyed(&self, purpose: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.key.0.clone();
        let here = [self.id.as_str(), self.digest, self.direction.as_str()].map(str::as_bytes);
        for octets in purpose.iter().chain(&here) {
            mac.update(&(octets.len() as u64).to_be_bytes());
            mac.update(octets);
        }
        mac
    }
}

/// The digest in a mark.
fn made_by(value: &str) -> Option<&str> {
    value.split(';').find_map(|entry| entry.trim().strip_prefix("rules=")).map(str::trim)
}

/// What the key stream over a table is for.
const TABLE: &[&[u8]] = &[b"mailwright mark table"];

fn unhex_all(text: &str) -> Option<Vec<u8>> {
    let pairs = text.is_ascii().then(|| text.as_bytes().chunks(2))?;
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok()).collect()
}

fn unhex<const OCTETS: usize>(text: &str) -> Option<[u8; OCTETS]> {
    if text.len() != 2 * OCTETS || !text.is_ascii() {
        return None;
    }
    let mut octets = [0; OCTETS];
    for (octet, pair) in octets.iter_mut().zip(text.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Disposition;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn asked(rules: &[usize]) -> Vec<Asked> {
        rules
            .iter()
            .map(|rule| Asked {
                rule: *rule,
                whom: Some(Whom::Everybody),
                disposes: *rule != 4,
                disposition: None,
                adds: (3..5).contains(rule),
            })
            .collect()
    }

    const NAMES: [Option<&str>; 13] = [
        Some("r0"),
        Some("r1"),
        Some("r2"),
        Some("r3"),
        Some("r4"),
        Some("r5"),
        Some("r6"),
        Some("r7"),
        Some("r8"),
        Some("r9"),
        Some("r10"),
        None,
        Some("r12"),
    ];

    fn value_and_check(rules: &[usize], change: impl Fn(&mut String), at: (&str, &str, Direction, &str)) -> bool {
        let id = MessageId::new("11111111-aaaa").unwrap();
        let key = StampKey::new(KEY).unwrap();
        let (direction, disposing) = (Direction::Inbound, asked(rules));
        let made = Marker { key: &key, id: &id, digest: "00112233aabbccdd", names: &NAMES, direction, recipients: &[] };
        let mut value = made.value(&disposing).unwrap();
        change(&mut value);
        let (key, id, direction, digest) = at;
        let (key, id) = (StampKey::new(key).unwrap(), MessageId::new(id).unwrap());
        let read = Marker { key: &key, id: &id, digest, names: &NAMES, direction, recipients: &[] }.check(&value);
        assert!(read.is_none() || read == Some(disposing));
        read.is_some()
    }

    #[test]
    fn a_mark_holds_for_its_message_flow_and_key_alone_whatever_rules_are_in_force() {
        let good = (KEY, "11111111-aaaa", Direction::Inbound, "00112233aabbccdd");
        for disposing in [&[][..], &[0], &[0, 3, 4, 12]] {
            assert!(value_and_check(disposing, |_| {}, good));
        }
        let other_key = "0123456789abcdef0123456789abcdeF";
        assert!(!value_and_check(&[1], |_| {}, (other_key, good.1, good.2, good.3)));
        assert!(!value_and_check(&[1], |_| {}, (good.0, "11111111-aaab", good.2, good.3)));
        assert!(!value_and_check(&[1], |_| {}, (good.0, good.1, Direction::Outbound, good.3)));
        assert!(value_and_check(&[1], |_| {}, (good.0, good.1, good.2, "00112233aabbccde")));
        // That it is of these rules must be true.
        assert!(!value_and_check(&[1], |v| *v = v.replace("aabbccdd", "aabbccde"), good));
    }

    #[test]
    fn a_mark_that_was_tampered_with_counts_for_nothing() {
        let good = (KEY, "11111111-aaaa", Direction::Inbound, "00112233aabbccdd");
        let changes: [&dyn Fn(&mut String); 10] = [
            &|v| *v = v.replace("did=", "did=0123456789abcdef, "),
            &|v| *v = v.replace("did=", "did=0"),
            &|v| *v = v.replace("did=", "did=; x="),
            &|v| *v = v.replace("v=3", "v=2"),
            &|v| *v = v.replace("; mac", "+; mac"),
            &|v| *v = v.replace("; mac", "; to=0000000000000000; mac"),
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
    fn for_whom_is_kept_and_told_to_nobody() {
        let (key, id) = (StampKey::new(KEY).unwrap(), MessageId::new("11111111-aaaa").unwrap());
        let addresses = |list: &[&str]| list.iter().map(|one| Address::new(one).unwrap()).collect::<Vec<_>>();
        let marker = |recipients| Marker {
            key: &key,
            id: &id,
            digest: "00",
            names: &NAMES,
            direction: Direction::Outbound,
            recipients,
        };
        let some = |named: &[bool]| {
            vec![Asked {
                rule: 7,
                whom: Some(Whom::Some(named.to_vec())),
                disposes: true,
                disposition: None,
                adds: true,
            }]
        };
        let these = addresses(&["kim@x.example", "lee@x.example", "Ann@x.example"]);
        let value = marker(&these).value(&some(&[true, false, true])).unwrap();
        assert_eq!(marker(&these).check(&value), Some(some(&[true, false, true])));
        // To another rule set as well.
        assert_eq!(Marker { digest: "11", ..marker(&these) }.check(&value), Some(some(&[true, false, true])));
        // In any order and spelling.
        let mixed = addresses(&["LEE@X.example", "ann@x.example", "kim@x.example"]);
        assert_eq!(marker(&mixed).check(&value), Some(some(&[false, true, true])));
        // Of others, a rule is to be asked again.
        let others = addresses(&["kim@x.example", "lee@x.example"]);
        assert_eq!(
            marker(&others).check(&value),
            Some(vec![Asked { rule: 7, whom: None, disposes: true, disposition: None, adds: true }])
        );
        // Nothing in it tells how many they are.
        let many: Vec<String> = (0..500).map(|n| format!("r{n}@x.example")).collect();
        let many = addresses(&many.iter().map(String::as_str).collect::<Vec<_>>());
        let every_other: Vec<bool> = (0..500).map(|n| n % 2 == 0).collect();
        let long = marker(&many).value(&some(&every_other)).unwrap();
        assert_eq!(long.len(), value.len());
        assert_eq!(marker(&many).check(&long), Some(some(&every_other)));
        assert!(!value.contains(&"0".repeat(16)), "{value}");
    }

    /// Rules that each ask for something, as they are asked of a message: `(whom, disposition)`.
    fn many(asked: &[(Whom, Disposition)]) -> Vec<Asked> {
        let one = |(rule, (whom, disposition)): (usize, &(Whom, Disposition))| Asked {
            rule,
            whom: Some(whom.clone()),
            disposes: true,
            disposition: Some(disposition.clone()),
            adds: false,
        };
        asked.iter().enumerate().map(one).collect()
    }

    #[test]
    fn of_more_rules_than_are_named_those_are_kept_that_decide_and_for_whom() {
        let (key, id) = (StampKey::new(KEY).unwrap(), MessageId::new("11111111-aaaa").unwrap());
        let names: Vec<String> = (0..600).map(|n| format!("r{n}")).collect();
        let names: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        let recipients: Vec<Address> =
            (0..500).map(|n| Address::new(&format!("r{}@x.example", n * 7 % 500)).unwrap()).collect();
        let marker = Marker {
            key: &key,
            id: &id,
            digest: "00",
            names: &names,
            direction: Direction::Inbound,
            recipients: &recipients,
        };
        let only = |at: usize| Whom::Some((0..500).map(|n| n == at).collect());
        let bounce = |n: usize| Disposition::Bounce(n.to_string());

        // A hundred for everybody: the first of the strictest is what counts.
        let mut asked = many(&(0..100).map(|n| (Whom::Everybody, bounce(n))).collect::<Vec<_>>());
        (asked[7].disposition, asked[90].adds) = (Some(Disposition::Drop), true);
        assert_eq!(marker.value(&asked), None);
        let value = marker.tabled(&asked).unwrap();
        let of = |rule, disposes, adds| Asked { rule, whom: Some(Whom::Everybody), disposes, disposition: None, adds };
        assert_eq!(marker.check(&value), Some(vec![of(7, true, false), of(90, false, true)]));
        // Of any recipients, as of those that are cut off.
        assert_eq!(Marker { recipients: &recipients[1..], ..marker }.check(&value), marker.check(&value));
        assert_eq!(Marker { digest: "11", ..marker }.check(&value), marker.check(&value), "to another rule set");

        // One for each recipient, and one for everybody that is stricter than some of them.
        let mut each: Vec<(Whom, Disposition)> = (0..500).map(|n| (only(n), bounce(n))).collect();
        each.push((Whom::Everybody, Disposition::Junk));
        each[3].1 = Disposition::Deliver;
        let asked = many(&each);
        let value = marker.tabled(&asked).unwrap();
        let read = marker.check(&value).unwrap();
        assert_eq!(read.len(), 500);
        assert!(read.iter().all(|one| one.rule == 500 || one.whom == Some(only(one.rule))));
        assert_eq!(read[499].whom, Some(Whom::Everybody));
        assert!(read.iter().all(|one| one.rule != 3));
        // Of other recipients, each is asked again but for the one for everybody.
        let others = Marker { recipients: &recipients[1..], ..marker }.check(&value).unwrap();
        assert_eq!(others.iter().filter(|one| one.whom.is_none()).count(), 499);

        // Nothing tells how many recipients there are, or rules that decide; and it can be folded.
        let few = marker.tabled(&many(&each[..1])).unwrap();
        assert_eq!(few.len(), marker.tabled(&many(&each[..30])).unwrap().len());
        assert!(Field::new(FieldName::new(NAME).unwrap(), &value).is_ok() && value.len() < MAX_VALUE);
        // White space may change on the way; nothing else may.
        assert_eq!(marker.check(&value.replace(' ', "\r\n ")), Some(read));
        let digit = value.len() / 2;
        for with in ["0", "1"] {
            let mut changed = value.clone();
            changed.replace_range(digit..=digit, with);
            assert!(changed == value || marker.check(&changed).is_none());
        }
        for changed in
            [value.replace("v=4", "v=3"), value.replace("to=", "to=0"), value.replace("rules=00", "rules=01")]
        {
            assert_eq!(marker.check(&changed), None);
        }
        let elsewhere = MessageId::new("22222222-aaaa").unwrap();
        assert_eq!(Marker { id: &elsewhere, ..marker }.check(&value), None);
    }

    #[test]
    fn a_rule_is_known_again_by_its_name() {
        let (key, id) = (StampKey::new(KEY).unwrap(), MessageId::new("11111111-aaaa").unwrap());
        let marker = |digest, names| {
            let (key, id, recipients, direction) = (&key, &id, &[][..], Direction::Outbound);
            Marker { key, id, digest, names, direction, recipients }
        };
        let made = marker("00", &[Some("bounced"), Some("copied"), Some("cards")]);
        let value = made.value(&asked(&[0, 2])).unwrap();
        assert!(!value.contains("bounced") && !value.contains("cards"), "{value}");
        let of =
            |names| marker("11", names).check(&value).map(|asked| asked.iter().map(|a| a.rule).collect::<Vec<_>>());
        assert_eq!(of(&[Some("bounced"), Some("copied"), Some("cards")]), Some(vec![0, 2]));
        assert_eq!(of(&[Some("cards"), Some("new"), Some("bounced")]), Some(vec![2, 0]), "in another order");
        assert_eq!(of(&[Some("new"), None, Some("cards")]), Some(vec![2]), "one is gone");
        assert_eq!(of(&[]), Some(vec![]), "none is left, and yet they have run");
        // A rule that is not enforced asks for nothing.
        assert_eq!(marker("00", &[None]).value(&asked(&[0])), None);
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_is_shown() {
        assert!(StampKey::new("short").is_err());
        assert!(StampKey::new(&format!("  {}  ", "k".repeat(31))).is_err());
        assert_eq!(format!("{:?}", StampKey::new(KEY).unwrap()), "StampKey(…)");
    }
}
