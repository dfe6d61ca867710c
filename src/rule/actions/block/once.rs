//! How a block knows itself again.
//!
//! In the message itself it counts as there only where it stands as we would write it, at the place where we would put
//! it: a reader sees it then, whoever wrote it. In quoted text it is known by its mark, or by its text however it is
//! wrapped, spaced and quoted.

use std::ops::Range;

use super::wrapper::MARK;
use super::written::Written;
use super::{Insert, Once, Ready};
use crate::message::{Body, BodyKind, Draft, Place, Target, html, is_all, stands};

/// The blocks that may stand in a message: this one, and all that the rules put in.
pub(super) struct Blocks<'b> {
    pub this: &'b Written,
    pub others: &'b [std::sync::Arc<Written>],
}

/// What is seen of a block in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    There,
    Missing,
    /// It is no body, but a part of ours that stands beside a message without one.
    NoBody,
}

impl Blocks<'_> {
    /// Where this block stands in a text, and where any of ours does.
    fn find(&self, kind: BodyKind, text: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let this = self.this.find(kind, text);
        let others = self.others.iter().flat_map(|other| other.find(kind, text));
        let all = this.iter().cloned().chain(others).collect();
        (this, all)
    }

    /// The bodies that a block at this place goes into, each with whether it is there already.
    pub(super) fn look(&self, draft: &Draft<'_>, place: Place) -> Vec<(Target, Seen)> {
        let bodies = draft.targets(place);
        // What cannot be read holds no block that is known.
        let find =
            |body: Body| draft.text(body.part).map_or_else(|_| Default::default(), |text| self.find(body.kind, text));
        let (these, mut targets): (Vec<_>, Vec<_>) = bodies
            .into_iter()
            .map(|body| {
                let (this, blocks) = find(body);
                (this, Target::new(body, blocks, place))
            })
            .unzip();
        draft.find_places(&mut targets);
        let look = |(this, target): (Vec<Range<usize>>, Target)| {
            let Target { body, blocks, place, .. } = &target;
            let Ok(text) = draft.text(body.part) else { return (target, Seen::Missing) };
            let beside = draft.is_beside(*body) && is_all(text, blocks);
            let seen = if this.iter().any(|block| stands(body.kind, text, blocks, block, *place))
                || beside && self.is_behind(draft, *body, *place)
            {
                Seen::There
            } else if beside && draft.readable().into_iter().all(|body| self.is_beside(draft, body)) {
                Seen::NoBody
            } else {
                Seen::Missing
            };
            (target, seen)
        };
        these.into_iter().zip(targets).map(look).collect()
    }

    /// Behind a body that holds nothing but blocks of ours, which is a part that stands beside the message: is it in the
    /// next such part?
    fn is_behind(&self, draft: &Draft<'_>, first: Body, place: Place) -> bool {
        let mut bodies = draft.readable();
        if !place.is_top() {
            bodies.reverse();
        }
        let behind =
            bodies.into_iter().filter(|body| body.kind == first.kind).skip_while(|body| *body != first).skip(1);
        for body in behind {
            let Ok(text) = draft.text(body.part) else { return false };
            let (this, blocks) = self.find(body.kind, text);
            if this.iter().any(|block| stands(body.kind, text, &blocks, block, place)) {
                return true;
            }
            if !draft.is_beside(body) || !is_all(text, &blocks) {
                return false;
            }
        }
        false
    }

    /// True for a body that is nothing but blocks which were put beside a message.
    fn is_beside(&self, draft: &Draft<'_>, body: Body) -> bool {
        draft.is_beside(body) && draft.text(body.part).is_ok_and(|text| is_all(text, &self.find(body.kind, text).1))
    }

    /// A quick look: false means that this block is nowhere.
    pub(super) fn may_be_there(&self, draft: &Draft<'_>) -> bool {
        let is_in = |body: Body| draft.text(body.part).is_ok_and(|text| !self.this.find(body.kind, text).is_empty());
        draft.readable().into_iter().any(is_in)
    }
}

impl Insert {
    /// With `once = "thread"`: does the block stand anywhere, quoted text included?
    pub(super) fn is_in_thread(&self, ready: &Ready, draft: &Draft<'_>) -> bool {
        if self.once != Once::Thread {
            return false;
        }
        // What an HTML body says goes before its plain alternative: it is what is read.
        let bodies = draft.readable();
        let has_html = bodies.iter().any(|body| body.kind == BodyKind::Html);
        let deciding = bodies.iter().filter(|body| !has_html || body.kind == BodyKind::Html);
        deciding.filter_map(|body| Some((body.kind, draft.text(body.part).ok()?))).any(|(kind, text)| match kind {
            BodyKind::Html => {
                text.contains(&format!("{MARK}=\"{}", ready.mark))
                    || (ready.html_print.may_be_in(text) && ready.html_print.is_in(&html::visible(text).text))
            }
            BodyKind::Plain => ready.text_print.may_be_in(text) && ready.text_print.is_in(text),
        })
    }
}
