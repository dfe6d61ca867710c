//! Fields that may stand once and stand again.

use super::super::Message;
use super::field::addresses;

/// RFC 5322 §3.6.5 lets these stand as often as one likes: a second one says something of its own.
const SEVERAL: &[&[u8]] = &[b"Comments", b"Keywords"];

/// The indexes of the fields of the message that go, in order.
pub(super) fn dropped(message: &Message<'_>, once: &[&str]) -> Vec<usize> {
    let fields = message.fields();
    let mut dropped = Vec::new();
    for name in once {
        let named = |(_, field): &(usize, &super::super::FieldSpan)| {
            message.bytes(&field.name).eq_ignore_ascii_case(name.as_bytes())
        };
        let all: Vec<usize> = fields.iter().enumerate().filter(named).map(|(index, _)| index).collect();
        if all.len() < 2 {
            continue;
        }
        let value = |index: usize| fields.get(index).map_or(&[][..], |field| message.bytes(&field.value).trim_ascii());
        let kept = if name.eq_ignore_ascii_case("DKIM-Signature") { signature(message, &all, value) } else { None };
        let kept = kept.or(all.first().copied()).unwrap_or_default();
        let alike = |index: usize| {
            !SEVERAL.iter().any(|s| s.eq_ignore_ascii_case(name.as_bytes())) || value(index) == value(kept)
        };
        dropped.extend(all.into_iter().filter(|index| *index != kept && alike(*index)));
    }
    dropped.sort_unstable();
    dropped
}

/// The signature that is worth most to who reads the message: the topmost whose domain (`d=`, RFC 6376 §3.5) is that of
/// From or one above or below it, as DMARC (RFC 7489 §3.1.1) asks. Each signature stands for itself (RFC 6376 §4.2).
fn signature<'m>(message: &Message<'_>, all: &[usize], value: impl Fn(usize) -> &'m [u8]) -> Option<usize> {
    let from = message.fields().iter().find(|field| message.bytes(&field.name).eq_ignore_ascii_case(b"From"))?;
    let from = addresses(&String::from_utf8_lossy(message.bytes(&from.value)));
    let from = from.iter().find_map(|(_, address)| address.rsplit_once('@'))?.1.to_ascii_lowercase();
    let domain = |index: usize| {
        let value: String = String::from_utf8_lossy(value(index)).split_whitespace().collect();
        value.split(';').find_map(|tag| tag.strip_prefix("d=").map(str::to_ascii_lowercase))
    };
    let below = |one: &str, other: &str| {
        one == other || one.strip_suffix(other).is_some_and(|rest| rest.ends_with('.') && other.contains('.'))
    };
    all.iter().copied().find(|index| domain(*index).is_some_and(|d| below(&d, &from) || below(&from, &d)))
}
