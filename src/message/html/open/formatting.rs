//! The list of formatting elements: what is opened again in the next block (HTML §13.2.4.3).

use std::ops::Range;

use super::super::element::Element;
use super::{Formatting, MAX_FORMATTING, MAX_OPEN, Open, Opened};

impl Opened<'_> {
    pub(super) fn after_marker(&self) -> usize {
        self.formatting.iter().rposition(|entry| matches!(entry, Formatting::Marker)).map_or(0, |marker| marker + 1)
    }

    pub(super) fn formatting_position(&self, element: Element) -> Option<usize> {
        let from = self.after_marker();
        self.formatting
            .iter()
            .enumerate()
            .skip(from)
            .rev()
            .find(|(_, entry)| matches!(entry, Formatting::Element { open, .. } if open.element == element))
            .map(|(position, _)| position)
    }

    /// Keep a formatting element, but no more than three alike (WHATWG's "Noah's Ark clause").
    pub(super) fn remember_formatting(&mut self, open: Open, tag: Range<usize>) {
        let from = self.after_marker();
        let source = self.html.get(tag.clone());
        let mut alike = 0;
        let mut first = None;
        let mut kept = 0;
        for (position, entry) in self.formatting.iter().enumerate().skip(from) {
            if let Formatting::Element { tag, .. } = entry {
                kept += 1;
                if self.html.get(tag.clone()) == source {
                    alike += 1;
                    first = first.or(Some(position));
                }
            }
        }
        if let (3.., Some(position)) = (alike, first) {
            self.formatting.remove(position);
        } else if kept >= MAX_FORMATTING {
            self.formatting.remove(from);
        }
        self.formatting.push(Formatting::Element { open, tag });
    }

    pub(super) fn reopen_formatting(&mut self) {
        if self.stack.len() >= MAX_OPEN || self.is_foreign() {
            return;
        }
        // Nearly always nothing is pending: the last entry is still open.
        match self.formatting.last() {
            Some(Formatting::Element { open, .. }) if !self.stack.iter().rev().any(|o| o.id == open.id) => {}
            _ => return,
        }
        let pending: Vec<Open> = self.pending().cloned().collect();
        for open in pending {
            self.push_open(open);
        }
    }

    /// The adoption agency, without the nodes it moves: the element is gone, blocks inside it stay open.
    pub(super) fn end_formatting(&mut self, element: Element) {
        let Some(kept) = self.formatting_position(element) else {
            self.end_ordinary(element, &(0..0));
            return;
        };
        let Some(Formatting::Element { open, .. }) = self.formatting.get(kept) else { return };
        let Some(position) = self.stack.iter().rposition(|o| o.id == open.id) else {
            self.formatting.remove(kept);
            return;
        };
        let above = self.stack.get(position + 1..).unwrap_or_default();
        if above.iter().any(|o| !o.foreign && o.element.is_scope()) {
            return;
        }
        let holds_block = above.iter().any(|o| !o.foreign && o.element.is_special());
        self.formatting.remove(kept);
        if holds_block {
            self.remove(position);
        } else {
            self.pop_through(position);
        }
    }
}
