//! What a rewrite does to the DKIM signatures that a message came with (RFC 6376), as far as it can be told without keys
//! and without DNS.
//!
//! A signature holds a hash of the body (`bh=`) and names header fields (`h=`). Whether the hash matches, and whether the
//! fields are what they were, can be seen; whether the signature itself was ever good cannot. So a signature counts as
//! broken only where it could have held before and cannot any more.
//!
//! Invariant: says nothing that is not known, and nothing of the message's content but names of header fields.

mod canonical;
mod tags;

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use canonical::{BodyHasher, BodyHashes, Canon};
pub use tags::Algorithm;
use tags::Tags;

use super::edits::{Rendered, Slice};
use super::{FieldSpan, Message};

/// So many DKIM-Signature fields are looked at, from the top.
pub const MAX_SIGNATURES: usize = 32;

/// The field's name.
pub(super) const NAME: &str = "DKIM-Signature";
/// What a broken signature is renamed to.
pub(super) const RENAMED: &str = "X-Original-DKIM-Signature";

/// Whether the body hash of a signature is that of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyHash {
    /// It is.
    Matches,
    /// It is not: the signature does not hold.
    Differs,
    /// Not known: the signature's tags cannot be read, or its hash is none that still counts.
    NotChecked,
}

/// What became of a field that a signature signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It has another value.
    Changed,
    /// It is gone.
    Removed,
    /// It is one more than was signed, or was signed as absent (RFC 6376 §5.4.2).
    Added,
}

/// A field that a signature signs, and that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SignedField {
    /// Its name as the message has it.
    pub name: String,
    /// What became of it.
    pub how: How,
}

/// What is done with signatures that the rules break.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBroken {
    /// They stay.
    #[default]
    Keep,
    /// They are named `X-Original-DKIM-Signature`.
    Rename,
    /// They go.
    Remove,
}

/// What a rewrite does to one signature.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Signature {
    /// 1 for the topmost DKIM-Signature field.
    pub number: usize,
    /// `a=`; `None` where its tags cannot be read.
    pub algorithm: Option<Algorithm>,
    /// Its body hash against the body that came in.
    pub before: BodyHash,
    /// Its body hash against the body that goes out.
    pub after: BodyHash,
    /// True when the octets of the body that it covers are not what they were.
    pub body_changed: bool,
    /// The fields that it signs and that are not what they were.
    pub fields: Vec<SignedField>,
    /// True when `l=` leaves an end of the body, before or after, that anybody may have written (RFC 6376 §8.2).
    pub partial: bool,
    /// True when it could have held before and cannot any more.
    pub broken: bool,
    /// What was done with its field.
    pub done: OnBroken,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DKIM signature {}: ", self.number)?;
        f.write_str(match (self.algorithm, self.before, self.after) {
            (None, ..) => return f.write_str("it cannot be read"),
            (_, BodyHash::Matches, BodyHash::Matches) => "its body hash matches, before and after",
            (_, BodyHash::Matches, _) => "its body hash matched before and does not match after",
            (_, BodyHash::Differs, BodyHash::Matches) => "its body hash did not match before and matches after",
            (_, BodyHash::Differs, _) => "its body hash did not match before the rules ran",
            (_, BodyHash::NotChecked, _) if self.body_changed => "its body hash was not checked, and the body changed",
            (_, BodyHash::NotChecked, _) => "its body hash was not checked, and the body is what it was",
        })?;
        if self.algorithm == Some(Algorithm::RsaSha1) {
            f.write_str(" (rsa-sha1, which verifiers count no more)")?;
        }
        for SignedField { name, how } in &self.fields {
            let how = match how {
                How::Changed => "was changed",
                How::Removed => "was removed",
                How::Added => "was added over what it signs",
            };
            write!(f, "; a signed field, {name}, {how}")?;
        }
        if self.partial {
            f.write_str("; l= leaves the end of the body unsigned")?;
        }
        match (self.broken, self.done) {
            (true, OnBroken::Keep) => f.write_str("; it no longer verifies"),
            (true, OnBroken::Rename) => f.write_str("; it no longer verifies, and was renamed"),
            (true, OnBroken::Remove) => f.write_str("; it no longer verifies, and was removed"),
            (false, _) => Ok(()),
        }
    }
}

/// A signature and where it stands.
struct Read {
    /// Index of its field in the message.
    field: usize,
    tags: Option<Tags>,
}

/// Look at each signature of `message` before and after. Empty where it has none. Linear in the message: however many
/// signatures there are, each body is gone through at most once for each canonical form.
pub(super) fn compare(message: &Message<'_>, rendered: &Rendered<'_>) -> Vec<Signature> {
    let signatures = read(message);
    let Some(root) = message.parts().first().filter(|_| !signatures.is_empty()) else { return Vec::new() };
    let header: Vec<u8> = rendered.until(root.body.start).collect::<Vec<_>>().concat();
    let after = Message::parse(&header);
    let before_fields = Fields::of(message);
    let after_fields = Fields::of(&after);
    let before_bodies = hash(&signatures, || std::iter::once(message.raw().get(root.body.start..).unwrap_or_default()));
    let changed =
        rendered.parts().iter().any(|slice| matches!(slice, Slice::New(_, at) if at.start >= root.body.start));
    let after_bodies = changed.then(|| hash(&signatures, || rendered.from(root.body.start)));
    let after_bodies = after_bodies.as_ref().unwrap_or(&before_bodies);
    let one = |(number, signature): (usize, &Read)| {
        let nothing = Signature {
            number: number + 1,
            algorithm: None,
            before: BodyHash::NotChecked,
            after: BodyHash::NotChecked,
            body_changed: false,
            fields: Vec::new(),
            partial: false,
            broken: false,
            done: OnBroken::Keep,
        };
        let Some(tags) = &signature.tags else { return nothing };
        let (Some(before), Some(after)) = (before_bodies.get(&tags.body), after_bodies.get(&tags.body)) else {
            return nothing;
        };
        let check = |hashes: &BodyHashes| match hashes.of(tags.length) {
            _ if !tags.algorithm.hashes_with_sha256() => BodyHash::NotChecked,
            Some(hash) if hash.as_slice() == tags.body_hash => BodyHash::Matches,
            _ => BodyHash::Differs,
        };
        let body_changed = before.of(tags.length) != after.of(tags.length);
        let fields = before_fields.differences(&after_fields, tags);
        let (checked_before, checked_after) = (check(before), check(after));
        Signature {
            algorithm: Some(tags.algorithm),
            before: checked_before,
            after: checked_after,
            body_changed,
            partial: tags.length.is_some_and(|length| length < before.len.max(after.len)),
            broken: checked_before != BodyHash::Differs && (body_changed || !fields.is_empty()),
            fields,
            ..nothing
        }
    };
    signatures.iter().enumerate().map(one).collect()
}

/// The indexes of the fields of broken signatures, and of which each is in `signatures`, where they may go or be renamed:
/// not those that a signature covers that still holds.
pub(super) fn disposable(message: &Message<'_>, signatures: &[Signature]) -> Vec<(usize, usize)> {
    let read = read(message);
    let holds = |(signature, read): (&Signature, &Read)| {
        !signature.broken
            && signature.before != BodyHash::Differs
            && read
                .tags
                .as_ref()
                .is_some_and(|tags| tags.signed.iter().any(|name| name.eq_ignore_ascii_case(NAME.as_bytes())))
    };
    if signatures.iter().zip(&read).any(holds) {
        return Vec::new();
    }
    let broken = signatures.iter().zip(&read).enumerate().filter(|(_, (signature, _))| signature.broken);
    broken.map(|(index, (_, read))| (read.field, index)).collect()
}

fn read(message: &Message<'_>) -> Vec<Read> {
    let is_signature = |field: &FieldSpan| message.bytes(&field.name).eq_ignore_ascii_case(NAME.as_bytes());
    let fields = message.fields().iter().enumerate().filter(|(_, field)| is_signature(field)).take(MAX_SIGNATURES);
    fields.map(|(field, span)| Read { field, tags: tags::read(message.bytes(&span.value)) }).collect()
}

/// The hashes of a body, once for each canonical form that is asked for.
fn hash<'b, I: Iterator<Item = &'b [u8]>>(signatures: &[Read], body: impl Fn() -> I) -> BTreeMap<Canon, BodyHashes> {
    let tags: Vec<&Tags> = signatures.iter().filter_map(|signature| signature.tags.as_ref()).collect();
    let mut found = BTreeMap::new();
    for canon in [Canon::Simple, Canon::Relaxed] {
        let mut wanted = tags.iter().filter(|tags| tags.body == canon).peekable();
        if wanted.peek().is_some() {
            let mut hasher = BodyHasher::new(canon, wanted.filter_map(|tags| tags.length));
            body().for_each(|piece| hasher.update(piece));
            found.insert(canon, hasher.finish());
        }
    }
    found
}

/// The fields of a header by name in lower case, the lowest first: in that order signatures take them.
struct Fields<'m> {
    message: &'m Message<'m>,
    by_name: HashMap<Vec<u8>, Vec<&'m FieldSpan>>,
}

impl<'m> Fields<'m> {
    fn of(message: &'m Message<'m>) -> Self {
        let mut by_name: HashMap<Vec<u8>, Vec<&FieldSpan>> = HashMap::new();
        for field in message.fields().iter().rev() {
            by_name.entry(message.bytes(&field.name).to_ascii_lowercase()).or_default().push(field);
        }
        Self { message, by_name }
    }

    fn named(&self, name: &[u8]) -> &[&'m FieldSpan] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn canonical(&self, canon: Canon, field: &FieldSpan) -> Vec<u8> {
        let bytes = |range| self.message.bytes(range);
        canonical::field(canon, bytes(&field.name), bytes(&field.value), bytes(&field.whole))
    }

    /// What of the fields that a signature signs is not the same after. Each name that it gives takes the lowest field of
    /// that name that is left, or stands for none (RFC 6376 §5.4.2).
    fn differences(&self, after: &Fields<'_>, tags: &Tags) -> Vec<SignedField> {
        let mut times: BTreeMap<&[u8], usize> = BTreeMap::new();
        for name in &tags.signed {
            *times.entry(name).or_default() += 1;
        }
        let mut found = Vec::new();
        for (name, times) in times {
            let (old, new) = (self.named(name), after.named(name));
            let signed = |fields: &[&FieldSpan]| fields.len().min(times);
            let same = |n: usize| match (old.get(n), new.get(n)) {
                (Some(old), Some(new)) => self.canonical(tags.header, old) == after.canonical(tags.header, new),
                _ => false,
            };
            let how = match signed(old).cmp(&signed(new)) {
                std::cmp::Ordering::Less => How::Added,
                std::cmp::Ordering::Greater => How::Removed,
                std::cmp::Ordering::Equal if (0..signed(old)).all(same) => continue,
                std::cmp::Ordering::Equal if old.len() > new.len() => How::Removed,
                std::cmp::Ordering::Equal => How::Changed,
            };
            let shown = old.first().map(|field| self.message.bytes(&field.name));
            let shown = shown.or_else(|| new.first().map(|field| after.message.bytes(&field.name)));
            found.push(SignedField { name: String::from_utf8_lossy(shown.unwrap_or(name)).into_owned(), how });
        }
        found
    }
}

#[cfg(test)]
mod tests;
