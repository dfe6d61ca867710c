//! How a block knows itself again.
//!
//! In the message itself it counts as there only where it stands as we would write it, at the place where we would put
//! it: a reader sees it then, whoever wrote it. In quoted text it is known by its mark, or by its text however it is
//! wrapped, spaced and quoted.

use std::ops::Range;

use super::wrapper::MARK;
use super::written::Written;
use super::{Insert, Ready};
use crate::message::{Body, BodyKind, Draft, PartId, Place, Target, html, is_all, stands};

/// The blocks that may stand in a message: this one, and all that the rules put in.
pub(super) struct Blocks<'b> {
    pub this: &'b Written,
    pub others: &'b [std::sync::Arc<Written>],
}

/// A part that stands beside a message and is nothing but blocks of ours.
pub(super) struct Beside {
    pub body: Body,
    /// This block is one of them.
    has_this: bool,
}

/// Where in a message to look for a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Where {
    pub place: Place,
    /// Where it cannot stand there, it is put above the message.
    pub or_above: bool,
}

/// What is seen of a block in the bodies of one kind.
pub(super) struct Seen {
    /// The body that it goes into; none where there are only parts that stand beside a message.
    pub target: Option<Target>,
    pub is_there: bool,
}

impl Blocks<'_> {
    /// Where this block stands in a text, and where any of ours does.
    fn find(&self, kind: BodyKind, text: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
        let mut this = self.this.find(kind, text);
        let mut others: Vec<_> = self.others.iter().flat_map(|other| other.find(kind, text)).collect();
        if kind == BodyKind::Html {
            html::retain_tags(text, &mut this);
            html::retain_tags(text, &mut others);
        }
        let all = this.iter().cloned().chain(others).collect();
        (this, all)
    }

    /// The parts that a run before has put beside the message: they are no bodies of it.
    pub(super) fn beside(&self, draft: &Draft<'_>) -> Vec<Beside> {
        let look = |body: Body| {
            let text = draft.text(body.part).ok()?;
            let (this, blocks) = self.find(body.kind, text);
            is_all(text, &blocks).then_some(Beside { body, has_this: !this.is_empty() })
        };
        draft.beside().filter_map(look).collect()
    }

    /// The bodies that a block goes into there, each with whether it is there already.
    pub(super) fn look(&self, draft: &Draft<'_>, at: Where) -> Vec<Seen> {
        let beside = self.beside(draft);
        let ours: Vec<Body> = beside.iter().map(|beside| beside.body).collect();
        let (mut targets, mut these) = (Vec::new(), Vec::new());
        for body in draft.targets_among_others(at.place, &ours) {
            // What cannot be read holds no block that is known.
            let (this, blocks) =
                draft.text(body.part).map_or_else(|_| Default::default(), |text| self.find(body.kind, text));
            targets.push(Target::new(body, blocks, at.place));
            these.push(this);
        }
        draft.find_places(&mut targets);
        let stands_in = |target: &Target, this: &[Range<usize>]| {
            let Target { body, blocks, place, .. } = target;
            let text = draft.text(body.part).unwrap_or_default();
            this.iter().any(|block| stands(body.kind, text, blocks, block, *place))
        };
        // Between the edge of the message and the text that its sender wrote.
        let stands_beside = |kind: BodyKind, target: Option<&Target>| {
            let is_outside = |part: PartId| match target {
                None => true,
                Some(target) if at.place.is_top() => part < target.body.part,
                Some(target) => part > target.body.part || at.or_above,
            };
            beside.iter().any(|beside| beside.has_this && beside.body.kind == kind && is_outside(beside.body.part))
        };
        let mut seen = Vec::new();
        for kind in [BodyKind::Plain, BodyKind::Html] {
            if !targets.iter().any(|target| target.body.kind == kind) && stands_beside(kind, None) {
                seen.push(Seen { target: None, is_there: true });
            }
        }
        for (target, this) in targets.into_iter().zip(these) {
            let is_there = stands_beside(target.body.kind, Some(&target)) || stands_in(&target, &this);
            seen.push(Seen { target: Some(target), is_there });
        }
        seen
    }

    /// A quick look: false means that this block is nowhere.
    pub(super) fn may_be_there(&self, draft: &Draft<'_>) -> bool {
        let is_in = |body: Body| draft.text(body.part).is_ok_and(|text| !self.this.find(body.kind, text).is_empty());
        draft.readable().into_iter().any(is_in)
    }
}

impl Insert {
    /// Does the block stand anywhere, quoted text included? `ours` stand beside the message.
    pub(super) fn is_in_thread(&self, ready: &Ready, draft: &Draft<'_>, ours: &[Body]) -> bool {
        // What an HTML body says goes before its plain alternative: it is what is read.
        let bodies = draft.readable();
        let has_html = bodies.iter().any(|body| body.kind == BodyKind::Html && !ours.contains(body));
        let decides = |body: &&Body| !has_html || body.kind == BodyKind::Html || ours.contains(body);
        let mut texts = bodies.iter().filter(decides).filter_map(|body| Some((body.kind, draft.text(body.part).ok()?)));
        texts.any(|(kind, text)| match kind {
            BodyKind::Html => {
                text.contains(&format!("{MARK}=\"{}", ready.mark))
                    || (ready.html_print.may_be_in(text) && ready.html_print.is_in(&html::visible(text).text))
            }
            // As we write it, it may stand behind half a link, which its print takes it for a part of.
            BodyKind::Plain => {
                ready.text_print.may_be_in(text)
                    && (ready.text_print.is_in(text) || !ready.written.find(kind, text).is_empty())
            }
        })
    }
}
