//! The pictures of a block that is taken out.
//!
//! Invariant: a picture goes only where it is one that a block of ours brings, by its octets, and where no text that is left
//! names it.

use std::sync::Arc;

use super::super::super::readable::attribute;
use crate::message::{Draft, Image, PartId, html, is_named_by_content};

/// Pictures of one message are looked at.
const MAX_PICTURES: usize = 100;

/// The pictures in a message that blocks of ours brought.
#[derive(Debug, Default)]
pub(super) struct Pictures(Vec<(String, PartId)>);

impl Pictures {
    /// Those of the block, and all that have the name that we give to their octets.
    pub fn of(draft: &Draft<'_>, own: &[Arc<Image>]) -> Self {
        let is_ours = |name: &str, octets: &[u8]| {
            is_named_by_content(name, octets) || own.iter().any(|image| image.content() == octets)
        };
        let mut pictures = draft.pictures();
        pictures.truncate(MAX_PICTURES);
        pictures.retain(|(name, part)| draft.content(*part).is_some_and(|octets| is_ours(name, &octets)));
        Self(pictures)
    }

    /// The picture that an `img` tag shows.
    pub fn shown_by(&self, tag: &str) -> Option<PartId> {
        let name = tag.get(..4).filter(|name| name.eq_ignore_ascii_case("<img"));
        let source = name.filter(|_| !self.0.is_empty()).and_then(|_| attribute(tag, "src"))?;
        let source = html::visible(&source).text;
        let id = source.trim().get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("cid:"));
        let id = decoded(id.and_then(|_| source.trim().get(4..))?);
        self.0.iter().find(|(name, _)| *name == id).map(|(_, part)| *part)
    }

    /// How many octets of tags that show such a picture stand at the end of `above`.
    pub fn above(&self, above: &str) -> Option<usize> {
        let mut rest = above.trim_end();
        let last = |rest: &str| rest.ends_with('>').then(|| rest.rfind('<')).flatten();
        let mut open = last(rest)?;
        if is_line_break(rest.get(open..)?) {
            rest = rest.get(..open)?.trim_end();
            open = last(rest)?;
        }
        self.shown_by(rest.get(open..)?).map(|_| above.len() - open)
    }

    /// The same at the start of `below`.
    pub fn below(&self, below: &str) -> Option<usize> {
        let tag = |rest: &str| {
            let open = rest.len() - rest.trim_start().len();
            let close = rest.get(open..)?.starts_with('<').then(|| rest.find('>')).flatten()?;
            Some(open..close + 1)
        };
        let mut range = tag(below)?;
        let mut start = 0;
        if is_line_break(below.get(range.clone())?) {
            start = range.end;
            range = tag(below.get(start..)?)?;
        }
        self.shown_by(below.get(start + range.start..start + range.end)?).map(|_| start + range.end)
    }

    /// Take those out that stand in what was taken out of texts, and that nothing names any more; says how many.
    pub fn take_out(&self, draft: &mut Draft<'_>, gone: &[PartId]) -> usize {
        let mut count = 0;
        for (name, part) in self.0.iter().filter(|(_, part)| gone.contains(part)) {
            // What stands before the `@` is the same however that is written.
            let word = name.split('@').next().unwrap_or_default();
            if !word.is_empty() && !draft.texts_hold(word) && draft.take_out_picture(*part) {
                count += 1;
            }
        }
        count
    }
}

fn is_line_break(tag: &str) -> bool {
    let name = tag.trim_start_matches('<').trim_end_matches(['>', '/', ' ']);
    name.eq_ignore_ascii_case("br")
}

/// Percent signs undone (RFC 2392 §2).
fn decoded(id: &str) -> String {
    let mut out = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let octet = behind.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        if let Some(octet) = octet.filter(|_| *first == b'%') {
            out.push(octet);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
