//! Which elements are open at a place.
//!
//! The stack of open elements and the list of formatting elements as the WHATWG tree construction keeps them (HTML
//! §13.2.6), without a tree: enough to know whether text at a place is shown, stands in a table, or is inside something
//! that was never closed. Work per token is bounded by [`MAX_OPEN`].

mod end;
mod formatting;
mod start;

use std::ops::Range;

use super::element::Element;
use super::tokens::{Kind, Token, Tokens};

/// Elements deeper than this are counted, not kept; browsers do not nest deeper either (Blink, Gecko: 512).
const MAX_OPEN: usize = 512;

/// Formatting elements kept to be opened again in the next block.
const MAX_FORMATTING: usize = 64;

/// An open element.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) element: Element,
    /// In SVG or MathML.
    pub(super) foreign: bool,
    /// Its name in the source; empty when the element was implied.
    pub(super) name: Range<usize>,
    /// Differs for each start tag; the same when formatting is opened again.
    pub(super) id: usize,
}

#[derive(Debug, Clone)]
enum Formatting {
    /// Formatting before this does not reach into what is open now: a cell, an object.
    Marker,
    Element {
        open: Open,
        tag: Range<usize>,
    },
}

/// The open elements of a document as it is read.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    html: &'a str,
    stack: Vec<Open>,
    formatting: Vec<Formatting>,
    counts: [usize; Element::COUNT],
    /// Open elements beyond [`MAX_OPEN`].
    deeper: usize,
    form: Option<usize>,
    /// Without a doctype, or with an old one, a table does not end a paragraph.
    quirks: bool,
    next_id: usize,
}

/// Walks through a document: tokens, and what is open before each.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    tokens: Tokens<'a>,
    pub(super) opened: Opened<'a>,
    last: Option<Token>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        let opened = Opened {
            html,
            stack: Vec::new(),
            formatting: Vec::new(),
            counts: [0; Element::COUNT],
            deeper: 0,
            form: None,
            quirks: true,
            next_id: 0,
        };
        Self { tokens: Tokens::new(html), opened, last: None }
    }

    /// The next token; `opened` is as it was just before it.
    pub(super) fn next(&mut self) -> Option<Token> {
        if let Some(last) = self.last.take() {
            self.opened.apply(&last);
        }
        let token = self.tokens.next(self.opened.is_foreign());
        self.last.clone_from(&token);
        token
    }
}

impl Opened<'_> {
    /// Open elements, the outermost first; formatting that the next text would open again comes last.
    pub(super) fn elements(&self) -> impl DoubleEndedIterator<Item = &Open> {
        self.stack.iter().chain(self.pending())
    }

    /// Formatting elements that are not on the stack and would be opened again by text.
    fn pending(&self) -> impl DoubleEndedIterator<Item = &Open> {
        let from = self.after_marker();
        self.formatting.iter().skip(from).filter_map(|entry| match entry {
            Formatting::Element { open, .. } if !self.stack.iter().any(|o| o.id == open.id) => Some(open),
            _ => None,
        })
    }

    /// The element that is open last, unless it is SVG or MathML.
    pub(super) fn innermost(&self) -> Option<Element> {
        self.stack.last().filter(|open| !open.foreign).map(|open| open.element)
    }

    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.stack.len() + self.deeper
    }

    /// True directly in SVG or MathML.
    pub(super) fn is_foreign(&self) -> bool {
        self.stack.last().is_some_and(|open| open.foreign && !is_integration_point(open))
    }

    pub(super) fn has(&self, element: Element) -> bool {
        self.count(element) > 0
    }

    /// True where a block may stand: not between the rows and cells of a table, not in a list of options, not in a
    /// drawing.
    pub(super) fn is_flow(&self) -> bool {
        !self.is_foreign()
            && !self.has(Element::Select)
            && !self.has(Element::Template)
            && !self.stack.last().is_some_and(|open| open.element.is_table_structure())
    }

    /// True inside something whose text is not shown.
    pub(super) fn is_hidden(&self) -> bool {
        // Raw elements are never on the stack: these are the ones in SVG and MathML.
        [Element::Template, Element::Script, Element::Style, Element::Title].into_iter().any(|e| self.has(e))
    }

    /// False when an end tag has nothing to close.
    pub(super) fn may_close(&self, element: Element) -> bool {
        self.has(element)
            || self
                .formatting
                .iter()
                .any(|entry| matches!(entry, Formatting::Element { open, .. } if open.element == element))
    }

    fn count(&self, element: Element) -> usize {
        self.counts.get(element as usize).copied().unwrap_or(0)
    }

    /// Let a token open and close what it does.
    fn apply(&mut self, token: &Token) {
        match token.kind {
            Kind::Doctype { .. } => self.quirks = is_quirks(self.html.get(token.span.clone()).unwrap_or_default()),
            Kind::Start { element, self_closing } => self.start(element, self_closing, token),
            Kind::End { element } => self.end(element, token.name.clone()),
            Kind::Text => {
                if self.html.get(token.span.clone()).is_some_and(|text| !text.trim().is_empty()) {
                    self.reopen_formatting();
                }
            }
            Kind::Raw { .. } | Kind::Cdata { .. } | Kind::Comment { .. } | Kind::Unfinished => {}
        }
    }

    fn push(&mut self, element: Element, foreign: bool, name: Range<usize>) -> Open {
        let open = Open { element, foreign, name, id: self.next_id };
        self.next_id += 1;
        self.push_open(open.clone());
        open
    }

    fn push_open(&mut self, open: Open) {
        if self.stack.len() >= MAX_OPEN {
            self.deeper += 1;
            return;
        }
        if let Some(count) = self.counts.get_mut(open.element as usize) {
            *count += 1;
        }
        self.stack.push(open);
    }

    fn pop(&mut self) -> Option<Open> {
        let open = self.stack.pop()?;
        self.forget(&open);
        Some(open)
    }

    fn forget(&mut self, open: &Open) {
        if let Some(count) = self.counts.get_mut(open.element as usize) {
            *count = count.saturating_sub(1);
        }
        if open.foreign {
            return;
        }
        // WHATWG clears the list of formatting elements up to the marker when these are closed.
        if sets_marker(open.element) {
            let marker = self.formatting.iter().rposition(|entry| matches!(entry, Formatting::Marker));
            self.formatting.truncate(marker.unwrap_or(0));
        }
        if self.form == Some(open.id) {
            self.form = None;
        }
    }

    /// Pop until `position` is gone.
    fn pop_through(&mut self, position: usize) {
        while self.stack.len() > position {
            self.pop();
        }
    }

    fn remove(&mut self, position: usize) {
        if position < self.stack.len() {
            let open = self.stack.remove(position);
            self.forget(&open);
        }
    }

    /// Where the innermost element that `wanted` takes stands, unless something that `stops` takes is nearer.
    fn find(&self, wanted: impl Fn(Element) -> bool, stops: impl Fn(Element) -> bool) -> Option<usize> {
        for (position, open) in self.stack.iter().enumerate().rev() {
            if !open.foreign && wanted(open.element) {
                return Some(position);
            }
            if if open.foreign { is_integration_point(open) } else { stops(open.element) } {
                return None;
            }
        }
        None
    }

    fn in_scope(&self, element: Element) -> Option<usize> {
        if !self.has(element) {
            return None;
        }
        self.find(|e| e == element, Element::is_scope)
    }

    fn in_button_scope(&self, element: Element) -> Option<usize> {
        if !self.has(element) {
            return None;
        }
        self.find(|e| e == element, |e| e.is_scope() || e == Element::Button)
    }

    fn in_table_scope(&self, wanted: impl Fn(Element) -> bool) -> Option<usize> {
        self.find(wanted, |e| matches!(e, Element::Table | Element::Template))
    }

    fn close_paragraph(&mut self) {
        if let Some(position) = self.in_button_scope(Element::P) {
            self.pop_through(position);
        }
    }

    /// The innermost part of a table that decides what start tags mean.
    fn table_context(&self) -> Option<Element> {
        use Element::{Caption, Colgroup, Table, Tbody, Td, Template, Tfoot, Th, Thead, Tr};
        if !self.has(Table) && !self.has(Template) {
            return None;
        }
        self.stack.iter().rev().filter(|open| !open.foreign).map(|open| open.element).find(|element| {
            matches!(element, Caption | Colgroup | Table | Tbody | Td | Template | Tfoot | Th | Thead | Tr)
        })
    }
}

/// Text directly in these is HTML again, although they are SVG or MathML.
fn is_integration_point(open: &Open) -> bool {
    use Element::{Desc, ForeignObject, Mi, Mn, Mo, Ms, Mtext, Title};
    open.foreign && matches!(open.element, Desc | ForeignObject | Mi | Mn | Mo | Ms | Mtext | Title)
}

/// Closing these also drops the formatting that was opened in them.
fn sets_marker(element: Element) -> bool {
    use Element::{Applet, Caption, Marquee, Object, Td, Template, Th};
    matches!(element, Applet | Caption | Marquee | Object | Td | Template | Th)
}

/// Whether a doctype asks for quirks mode (HTML §13.2.6.4.1, the part that mail uses).
fn is_quirks(doctype: &str) -> bool {
    let lower = doctype.get(..doctype.len().min(200)).unwrap_or(doctype).to_ascii_lowercase();
    let Some(rest) = lower.trim_start_matches("<!doctype").trim_start().strip_prefix("html") else { return true };
    let old = ["html 2.0", "html 3", "html//", "html 4.0 ", "//ietf//", "//netscape", "//microsoft", "html level"];
    let unless_addressed = ["html 4.01 frameset", "html 4.01 transitional"];
    old.iter().any(|id| rest.contains(id))
        || (unless_addressed.iter().any(|id| rest.contains(id)) && !rest.contains("http:"))
}

fn is_table_part(element: Element) -> bool {
    use Element::{Caption, Table, Tbody, Td, Tfoot, Th, Thead, Tr};
    matches!(element, Caption | Table | Tbody | Td | Tfoot | Th | Thead | Tr)
}
