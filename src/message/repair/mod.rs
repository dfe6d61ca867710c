//! Repair of faults that a message came with and that the flow refuses: lines over the limit, octets that are not 7-bit,
//! NUL, multiparts that nothing closes, header fields that may stand once and stand again.
//!
//! Only for a message that was refused: what the flow takes is never touched. A refusal does not say which fault it was
//! for, so all of them are repaired that can be, each by the smallest edit there is; but bodies of 8 bits, which are refused
//! by nobody that we know of, only where nothing else can have been the reason ([`Bits`]):
//!
//! | fault | repair |
//! |---|---|
//! | a line too long, 8 bits or NUL in a leaf that is not encoded | that leaf is encoded: text as quoted-printable, all else, and text with NUL, as base64 |
//! | a line too long in an encoded leaf | the line is broken where its encoding allows it |
//! | 8 bits in quoted-printable | those octets are escaped |
//! | 8 bits in a header field | RFC 2047 words in text, names and comments; RFC 2231 in MIME parameters |
//! | a header line too long | folded at white space |
//! | a multipart without its closing delimiter | it is closed where its last part ends |
//! | a second field of a name that may stand once | it goes, and the first stays, as most readers show the first; of DKIM signatures the one of the From domain stays |
//!
//! What is not repaired stays, and the message as it came is delivered: anything under a signature or encryption, in a
//! report, an invitation or an attached message; addresses that are not ASCII (RFC 6531); octets in a header that are no
//! UTF-8, unless the charset of the message's text says what they mean; NUL in a header; Comments and Keywords of which
//! there are several (RFC 5322 §3.6.5 allows them).
//!
//! Invariant: every byte outside of the repairs is the byte that was there, and what was repaired reads as before
//! ([`proof`]).

mod body;
mod delimiter;
mod duplicate;
mod field;
mod fold;
mod parameter;
mod phrase;
mod proof;
mod words;

use std::collections::BTreeMap;

use bytes::Bytes;
use encoding_rs::Encoding;
use serde::Serialize;

use super::edits::{Edit, Rendered, sorted};
use super::{Message, PartId};

/// What was repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// A leaf was encoded because of a line over the limit.
    LongLines,
    /// A leaf was encoded because of octets that are not 7-bit, or NUL.
    Octets,
    /// Lines of an encoded leaf were broken.
    EncodedLines,
    /// A header field was written in 7 bits.
    HeaderOctets,
    /// A header field was folded.
    HeaderLine,
    /// A field that may stand once stood again, and went.
    SecondField,
    /// A multipart that nothing closed was closed.
    Delimiter,
}

impl Repair {
    /// What was repaired, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::LongLines => "a part with lines over the limit encoded",
            Self::Octets => "a part with 8-bit or NUL octets encoded",
            Self::EncodedLines => "lines of an encoded part broken",
            Self::HeaderOctets => "8-bit octets of a header field encoded",
            Self::HeaderLine => "a header line over the limit folded",
            Self::SecondField => "a second field where one may stand removed",
            Self::Delimiter => "a multipart that nothing closed closed",
        }
    }
}

/// What becomes of a body whose only fault is that it is not in 7 bits, which most mail systems take as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// It stays.
    Keep,
    /// It is encoded.
    Encode,
}

/// How often something was repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mended {
    /// What.
    pub what: Repair,
    /// In how many parts, or how many fields.
    pub count: usize,
}

/// A repaired message.
#[derive(Debug, Clone)]
pub struct Repaired<'m> {
    /// The message with its repairs.
    pub rendered: Rendered<'m>,
    /// What was repaired, in the order of [`Repair`]; never empty.
    pub mended: Vec<Mended>,
}

/// The edits so far, and what they stand for.
#[derive(Debug, Default)]
struct Work {
    edits: Vec<Edit>,
    counts: BTreeMap<Repair, usize>,
    /// Leaves whose body is written in another way.
    bodies: Vec<PartId>,
}

impl Work {
    fn did(&mut self, what: Repair) {
        *self.counts.entry(what).or_default() += 1;
    }
}

impl<'a> Message<'a> {
    /// The message with what can be repaired repaired; `once` names the fields that may stand once in its header, `bits`
    /// says whether bodies of 8 bits are repaired though nothing else is wrong with them. `None` where there is nothing to
    /// repair, where the structure is in doubt, or where the result would not hold up.
    pub fn repaired(&self, once: &[&str], bits: Bits) -> Option<Repaired<'a>> {
        if self.doubt().is_some() || self.field_place(PartId(0)).is_none() {
            return None;
        }
        let mut work = Work::default();
        let dropped = duplicate::dropped(self, once);
        for index in &dropped {
            let field = self.fields().get(*index)?;
            work.edits.push(Edit { range: field.whole.clone(), with: Bytes::new() });
            work.did(Repair::SecondField);
        }
        let charset = text_charset(self);
        let guards = body::Guards::of(self);
        for (id, part) in self.parts().iter().enumerate() {
            if !guards.header(self, PartId(id)) {
                for (index, span) in part.fields.iter().enumerate() {
                    if id > 0 || dropped.binary_search(&index).is_err() {
                        field::mend(self, span, charset, &mut work);
                    }
                }
            }
            if !guards.body(self, PartId(id)) {
                body::mend(self, PartId(id), part, bits, &mut work);
            }
        }
        for (id, part) in self.parts().iter().enumerate().rev() {
            if !guards.body(self, PartId(id)) {
                delimiter::mend(self, part, &mut work);
            }
        }
        let mut edits = sorted(work.edits);
        // A field that goes as a second one may go once more with the part's encoding.
        edits.dedup();
        let rendered = Rendered::new(self.raw(), edits).filter(|_| !work.counts.is_empty())?;
        proof::holds(self, &rendered, &dropped, &work.bodies, charset)?;
        let mended = work.counts.into_iter().map(|(what, count)| Mended { what, count }).collect();
        Some(Repaired { rendered, mended })
    }
}

/// The charset of the first text, where it is one in which ASCII is ASCII: what clients read raw octets of a header as.
fn text_charset(message: &Message<'_>) -> Option<&'static Encoding> {
    let text = message.parts().iter().find(|part| part.is_text() && part.charset.is_some())?;
    let label = text.charset.as_deref()?;
    let encoding = Encoding::for_label(label.as_bytes())?;
    // A text in ASCII says nothing of other octets.
    let says = encoding.is_ascii_compatible() && encoding != encoding_rs::UTF_8 && !label.ends_with("ascii");
    says.then_some(encoding)
}

#[cfg(test)]
mod tests;
