//! How a block knows itself again.
//!
//! In the message itself it counts as there only where it stands as we would write it, at the place where we would put
//! it: a reader sees it then, whoever wrote it. In quoted text it is known by its mark, or by its text however it is
//! wrapped, spaced and quoted.

use std::ops::Range;

use super::Ready;
use super::wrapper::MARK;
use super::written::Written;
use crate::message::{Body, BodyKind, Draft, PartId, Place, Target, html, is_all, stands};

/// The blocks that may stand in a message: this one, and all that the rules put in.
pub(super) struct Blocks<'b> {
    pub this: &'b Written,
    pub others: &'b [std::sync::Arc<Written>],
}

/// What is found of blocks in a text.
#[derive(Default)]
struct Found {
    this: Vec<Range<usize>>,
    /// Every one of ours, this included.
    all: Vec<Range<usize>>,
    /// This one is where it would be put; where it is false, nobody has looked.
    stands: bool,
}

/// A part that stands beside a message and is nothing but blocks of ours. An empty one counts too: with a block in it, it
/// would be one.
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
    /// Where this block stands in a text, and where any of ours does that may.
    fn find(&self, kind: BodyKind, text: &str, may_stand: impl Fn(&Written) -> bool) -> Found {
        let this = self.this.find(kind, text);
        let others = self.others.iter().filter(|other| may_stand(other)).flat_map(|other| other.find(kind, text));
        let all = this.iter().cloned().chain(others).collect();
        Found { this, all, stands: false }
    }

    /// The same in a body where this block may stand at a place.
    fn find_in(&self, draft: &Draft<'_>, body: Body, place: Place) -> Found {
        // What cannot be read holds no block that is known.
        let Ok(text) = draft.text(body.part) else { return Found::default() };
        let mut found = self.find(body.kind, text, |other| other.belongs_at(place));
        if body.kind == BodyKind::Plain || found.all.is_empty() {
            return found;
        }
        // What looks like a block inside of a tag, a comment or a style sheet is none, and what stands around it is text of
        // the sender. The one block that stands where it should is none of these: nothing but space is between it and a
        // place that is in none of these either.
        if let ([block], true, true) = (&*found.this, found.all.len() == 1, place.is_edge())
            && stands(body.kind, text, &found.all, block, place)
        {
            found.stands = true;
            return found;
        }
        let tags = html::tags_at(text, found.all.iter().map(|block| block.start).collect());
        found.this.retain(|block| tags.contains(&block.start));
        found.all.retain(|block| tags.contains(&block.start));
        found
    }

    /// The parts that a run before has put beside the message: they are no bodies of it.
    pub(super) fn beside(&self, draft: &Draft<'_>) -> Vec<Beside> {
        let look = |body: Body| {
            let text = draft.text(body.part).ok()?;
            // What is said of attachments beside a message is a file.
            let found = self.find(body.kind, text, |other| !other.is_notice());
            is_all(text, &found.all).then_some(Beside { body, has_this: !found.this.is_empty() })
        };
        draft.beside().filter_map(look).collect()
    }

    /// The bodies that a block goes into there, each with whether it is there already.
    pub(super) fn look(&self, draft: &Draft<'_>, at: Where) -> Vec<Seen> {
        let beside = self.beside(draft);
        let ours: Vec<Body> = beside.iter().map(|beside| beside.body).collect();
        let (mut targets, mut these) = (Vec::new(), Vec::new());
        for body in draft.targets_among_others(at.place, &ours) {
            let found = self.find_in(draft, body, at.place);
            targets.push(Target::new(body, found.all, at.place));
            these.push((found.this, found.stands));
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
        for (target, (this, stands)) in targets.into_iter().zip(these) {
            let is_there = stands || stands_beside(target.body.kind, Some(&target)) || stands_in(&target, &this);
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

impl Ready {
    /// Does the block stand anywhere, quoted text included? `ours` stand beside the message.
    pub(super) fn is_in_thread(&self, draft: &Draft<'_>, ours: &[Body]) -> bool {
        // What an HTML body says goes before its plain alternative: it is what is read.
        let bodies = draft.readable();
        let has_html = bodies.iter().any(|body| body.kind == BodyKind::Html && !ours.contains(body));
        let decides = |body: &&Body| !has_html || body.kind == BodyKind::Html || ours.contains(body);
        let mut texts = bodies.iter().filter(decides).filter_map(|body| Some((body.kind, draft.text(body.part).ok()?)));
        texts.any(|(kind, text)| match kind {
            BodyKind::Html => {
                memchr::memmem::find(text.as_bytes(), format!("{MARK}=\"{}", self.mark).as_bytes()).is_some()
                    || (self.html_print.may_be_in(text) && self.html_print.is_in(&html::visible(text).text))
            }
            // As we write it, it may stand behind half a link, which its print takes it for a part of.
            BodyKind::Plain => {
                self.text_print.may_be_in(text)
                    && (!self.written.find(kind, text).is_empty() || self.text_print.is_in(text))
            }
        })
    }
}
