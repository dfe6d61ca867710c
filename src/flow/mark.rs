//! The processed mark: a header field that says that rules have run over this message in this flow.
//!
//! WorkMail calls the function again when an answer did not arrive, and the message that it gives out then is the
//! rewritten one. The mark tells: the second try answers as the first did and changes nothing. That holds whatever the rule
//! set is by then, as rules may be published between two tries, or two sets be in use: what one has rewritten, no other
//! rewrites again. The mark carries the answer ([`carried`]), in octets that nobody can read without the key. Where it is too
//! long for that, or is not the same for all and the recipients are others, the answer is that of the rule set that made the
//! mark, where it is still known; else rules are known again by their names, and what one asked for that is no longer there, or
//! no longer enforced, counts for nothing.
//!
//! Invariant (no forged trust): a mark counts only with a valid HMAC-SHA-256 (RFC 2104) over its version, the flow's
//! message id, the digest of the rule set that made it, the direction and what rules asked for in the answer, for whom. Any other field of this name counts
//! for nothing; it is taken off mail that comes in, and off whatever is marked anew. The mark stands on top of the
//! header, only in messages that changed.

mod carried;
mod table;

use std::collections::BTreeSet;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use self::carried::Carried;
use self::table::{Slot, TAG, Table};
use super::key::MessageId;
use crate::answers::{Answers, Asked, MAX_RECIPIENTS, Whom, decisive};
use crate::envelope::{Address, Direction};
use crate::hex::hex;
use crate::message::{Draft, Field, FieldName, Which};

/// The field's name.
pub const NAME: &str = "X-Mailwright-Mark";
/// Shortest key, in octets: as long as the hash (RFC 2104 §3).
pub const MIN_STAMP_KEY: usize = 32;
/// So many fields of this name are looked at, from the top: ours stands on top, others may have been put above.
const MAX_LOOKED_AT: usize = 4;
/// Most rules that a mark names one by one. Of more, it holds those that decide the answer, in a [`Table`]; are those more
/// than that has room for, which takes as many rules that add recipients, it has the answer alone.
const MAX_DISPOSING: usize = 64;
/// Longest list of them, in octets; the same.
const MAX_WORDS: usize = 4_000;
/// Longest value of a mark that is looked at, in octets.
const MAX_VALUE: usize = 40_000;
/// A table and an answer stand in words of so many octets, for the field to be folded between them.
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

/// What a valid mark says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// What was answered, where the mark says it of these recipients.
    pub answers: Option<Answers>,
    /// What rules asked for in the answer.
    pub asked: Vec<Asked>,
    /// The digest of the rule set that they are of.
    pub digest: String,
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
    /// What the mark says, when the message bears a valid one.
    pub fn read(&self, draft: &Draft<'_>) -> Option<Marked> {
        draft.values(NAME).iter().take(MAX_LOOKED_AT).find_map(|value| self.check(value))
    }

    /// Take off what does not belong there, and mark the message where it changed. Says nothing, changes nothing in an
    /// outbound message that the rules left as it was.
    pub fn finish(&self, draft: &mut Draft<'_>, asked: &[Asked], answers: &Answers) {
        let Ok(name) = FieldName::new(NAME) else { return };
        let changed = !draft.is_unchanged();
        if !changed && self.direction == Direction::Outbound {
            return;
        }
        let removed = draft.remove_fields(&name, Which::All);
        if (changed || removed > 0)
            && let Some(value) = self.marked(asked, answers)
            && let Ok(field) = Field::new(name, &value)
        {
            draft.add_field(field);
        }
    }

    /// With the answer, where it fits; and with what rules asked for, where that does.
    fn marked(&self, asked: &[Asked], answers: &Answers) -> Option<String> {
        // Nothing asked is nothing to carry: everybody gets it.
        let answer = if asked.is_empty() { None } else { self.carried(answers) };
        let fits = |value: &String| value.len() <= MAX_VALUE;
        let with = |answer: Option<&str>| self.value(asked, answer).or_else(|| self.tabled(asked, answer)).filter(fits);
        let alone = || self.value(&[], Some(answer.as_deref()?)).filter(fits);
        answer.as_deref().and_then(|answer| with(Some(answer))).or_else(|| with(None)).or_else(alone)
    }

    /// The answer, as hex digits in words.
    fn carried(&self, answers: &Answers) -> Option<String> {
        let mut octets = Carried::new(answers, self.recipients, &self.folded())?.octets()?;
        self.mask(&mut octets, ANSWER);
        Some(in_words(&hex(&octets)))
    }

    /// The same back.
    fn answers(&self, words: &str, to: Option<&str>) -> Option<Answers> {
        let digits: String = words.split_ascii_whitespace().collect();
        let mut octets = unhex_all(&digits)?;
        self.mask(&mut octets, ANSWER);
        let folded = self.folded();
        let same = to.is_some_and(|to| to == self.to(&folded));
        Carried::read(&octets)?.answers(self.recipients, &folded, same)
    }

    /// `v=3; flow=outbound; rules=0123456789abcdef; did=89abcdef01234567, 456789abcdef0123:…; to=0123456789abcdef; answer=…; mac=…`:
    /// spaces so that it can be folded. Behind a digest of a rule's name, which tells nothing without the key, `+` says that it added recipients, `*` that it did nothing else to
    /// the answer, and `:` for which recipients it is.
    fn value(&self, asked: &[Asked], answer: Option<&str>) -> Option<String> {
        if asked.len() > MAX_DISPOSING {
            return None;
        }
        let folded = self.folded();
        let words: Vec<String> = asked.iter().map(|asked| self.word(asked, &folded)).collect::<Option<_>>()?;
        if words.iter().map(String::len).sum::<usize>() > MAX_WORDS {
            return None;
        }
        let names_some = answer.is_some() || words.iter().any(|word| word.contains(':'));
        let to = names_some.then(|| self.to(&folded));
        let mac = hex(&with_answer(self.mac(&words, to.as_deref()), answer).finalize().into_bytes());
        let (did, to) = (words.join(", "), to.map(|to| format!(" to={to};")).unwrap_or_default());
        let answer = answer.map(|answer| format!(" answer={answer};")).unwrap_or_default();
        Some(format!("v=3; flow={}; rules={}; did={did};{to}{answer} mac={mac}", self.direction, self.digest))
    }

    fn check(&self, value: &str) -> Option<Marked> {
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
        let (to, answer) = (take("to"), take("answer"));
        let mac = unhex::<32>(take("mac")?)?;
        if !expected || entries.next().is_some() {
            return None;
        }
        let asked = if version == "4" {
            of.check_table(did, to?, answer, &mac)
        } else {
            of.check_words(did, to, answer, &mac)
        }?;
        let answers = answer.and_then(|answer| of.answers(answer, to));
        Some(Marked { answers, asked, digest: of.digest.to_owned() })
    }

    fn check_words(&self, did: &str, to: Option<&str>, answer: Option<&str>, mac: &[u8]) -> Option<Vec<Asked>> {
        if did.len() > 2 * MAX_WORDS {
            return None;
        }
        let words = did.split(',').map(str::trim).filter(|word| !word.is_empty());
        let words: Vec<String> = words.take(MAX_DISPOSING + 1).map(str::to_owned).collect();
        // Constant time.
        with_answer(self.mac(&words, to), answer.map(unfolded).as_deref()).verify_slice(mac).ok()?;
        let folded = self.folded();
        let same = to.is_some_and(|to| to == self.to(&folded));
        let tags: Vec<String> = if words.is_empty() { Vec::new() } else { self.tags() };
        let rule = |tag: &str| tags.iter().position(|of| of == tag);
        Some(words.iter().filter_map(|word| self.asked(word, &rule, same, &folded)).collect())
    }

    /// Of rules that are too many for [`Self::value`]: those that decide the answer and for whom, as hex digits in words:
    /// `v=4; flow=outbound; rules=0123456789abcdef; did=…; to=0123456789abcdef; mac=…`.
    fn tabled(&self, asked: &[Asked], answer: Option<&str>) -> Option<String> {
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
        let to = self.to(&folded);
        let mac = hex(&with_answer(self.table_mac(&digits, &to), answer).finalize().into_bytes());
        let (flow, rules, did) = (self.direction, self.digest, in_words(&digits));
        let answer = answer.map(|answer| format!(" answer={answer};")).unwrap_or_default();
        Some(format!("v=4; flow={flow}; rules={rules}; did={did}; to={to};{answer} mac={mac}"))
    }

    fn check_table(&self, did: &str, to: &str, answer: Option<&str>, mac: &[u8]) -> Option<Vec<Asked>> {
        let digits: String = did.split_ascii_whitespace().collect();
        // Constant time.
        with_answer(self.table_mac(&digits, to), answer.map(unfolded).as_deref()).verify_slice(mac).ok()?;
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

/// A MAC that holds for the answer as well; what follows a word of this length is nothing that a rule is known by.
fn with_answer(mut mac: Hmac<Sha256>, words: Option<&str>) -> Hmac<Sha256> {
    for octets in words.into_iter().flat_map(|words| [b"mailwright mark answer", words.as_bytes()]) {
        mac.update(&(octets.len() as u64).to_be_bytes());
        mac.update(octets);
    }
    mac
}

/// Digits in words, for a field to be folded between them.
fn in_words(digits: &str) -> String {
    let words: Vec<&str> = digits.as_bytes().chunks(WORD).filter_map(|word| str::from_utf8(word).ok()).collect();
    words.join(" ")
}

/// Words as they were before the field was folded.
fn unfolded(words: &str) -> String {
    words.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the key stream over a table is for.
const TABLE: &[&[u8]] = &[b"mailwright mark table"];
/// The same of the one over an answer.
const ANSWER: &[&[u8]] = &[b"mailwright mark answer"];

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
mod tests;
