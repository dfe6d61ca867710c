//! Which elements are open at a place.
//!
//! The stack of open elements and the list of formatting elements as the WHATWG tree construction keeps them (HTML
//! §13.2.6), without a tree: enough to know whether text at a place is shown, stands in a table, or is inside something
//! that was never closed. Work per token is bounded by [`MAX_OPEN`].

use std::ops::Range;

use super::element::Element;
use super::tokens::{Kind, Token, Tokens, attributes};

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
            Kind::Doctype => self.quirks = is_quirks(self.html.get(token.span.clone()).unwrap_or_default()),
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

    // -- the stack --

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

    // -- start tags --

    fn start(&mut self, element: Element, self_closing: bool, token: &Token) {
        let name = token.name.clone();
        if self.is_foreign() {
            let font = element == Element::Font
                && attributes(self.html, token)
                    .any(|(name, _)| ["color", "face", "size"].iter().any(|known| name.eq_ignore_ascii_case(known)));
            if !element.breaks_out() && !font {
                if !self_closing {
                    self.push(element, true, name);
                }
                return;
            }
            while self.is_foreign() {
                self.pop();
            }
        }
        self.start_html(element, self_closing, token, name);
    }

    // One arm for each rule of "in body", as the WHATWG lists them.
    #[allow(clippy::too_many_lines)]
    fn start_html(&mut self, element: Element, self_closing: bool, token: &Token, name: Range<usize>) {
        use Element::{
            A, Applet, Area, Body, Br, Button, Caption, Col, Colgroup, Dd, Dt, Embed, Form, Frame, Frameset, Head, Hr,
            Html, Image, Img, Input, Keygen, Li, Marquee, Math, Nobr, Object, Optgroup, Option, Plaintext, Rb, Rp, Rt,
            Rtc, Ruby, Select, Svg, Table, Tbody, Td, Template, Textarea, Tfoot, Th, Thead, Tr, Wbr, Xmp,
        };
        if self.has(Select) && !self.start_in_select(element) {
            return;
        }
        match element {
            Html | Head | Body | Frameset | Frame => {}
            Caption | Colgroup | Col | Tbody | Thead | Tfoot | Tr | Td | Th => self.start_table_part(element, name),
            Table => {
                let context = self.table_context();
                if context.is_some_and(Element::is_table_structure) {
                    self.end_table();
                } else if !self.quirks {
                    self.close_paragraph();
                }
                self.push(Table, false, name);
            }
            Template => {
                self.push(Template, false, name);
                self.formatting.push(Formatting::Marker);
            }
            _ if element.is_metadata() => {}
            Xmp | Plaintext => {
                self.close_paragraph();
                self.reopen_formatting();
            }
            Hr => self.close_paragraph(),
            Area | Br | Embed | Image | Img | Input | Keygen | Wbr => self.reopen_formatting(),
            _ if element.is_void() || element.is_raw() => {
                if element != Textarea {
                    return;
                }
                self.reopen_formatting();
            }
            _ if element.is_formatting() => {
                if element == A {
                    // A link inside a link ends the first.
                    if self.formatting_position(A).is_some() {
                        self.end_formatting(A);
                    }
                } else if element == Nobr && self.in_scope(Nobr).is_some() {
                    self.reopen_formatting();
                    self.end_formatting(Nobr);
                }
                self.reopen_formatting();
                let open = self.push(element, false, name);
                self.remember_formatting(open, token.span.clone());
            }
            Form => {
                if self.form.is_some() && !self.has(Template) {
                    return;
                }
                self.close_paragraph();
                let open = self.push(Form, false, name);
                self.form = Some(open.id);
            }
            Li | Dd | Dt => self.start_item(element, name),
            _ if element.is_block() => {
                self.close_paragraph();
                if element.is_heading() && self.stack.last().is_some_and(|o| !o.foreign && o.element.is_heading()) {
                    self.pop();
                }
                self.push(element, false, name);
            }
            Element::P => {
                self.close_paragraph();
                self.push(element, false, name);
            }
            Button => {
                if let Some(position) = self.in_scope(Button) {
                    self.pop_through(position);
                }
                self.reopen_formatting();
                self.push(element, false, name);
            }
            Applet | Marquee | Object => {
                self.reopen_formatting();
                self.push(element, false, name);
                self.formatting.push(Formatting::Marker);
            }
            Option | Optgroup => {
                if self.stack.last().is_some_and(|o| o.element == Option) {
                    self.pop();
                }
                if element == Optgroup && self.stack.last().is_some_and(|o| o.element == Optgroup) {
                    self.pop();
                }
                if !self.has(Select) {
                    self.reopen_formatting();
                }
                self.push(element, false, name);
            }
            Rb | Rtc | Rp | Rt => {
                if self.in_scope(Ruby).is_some() {
                    self.close_implied(if matches!(element, Rp | Rt) { Some(Rtc) } else { None });
                }
                self.push(element, false, name);
            }
            Svg | Math => {
                self.reopen_formatting();
                if !self_closing {
                    self.push(element, true, name);
                }
            }
            _ => {
                self.reopen_formatting();
                self.push(element, false, name);
            }
        }
    }

    /// What a start tag does to an open select. True when it is to be handled as elsewhere.
    fn start_in_select(&mut self, element: Element) -> bool {
        use Element::{Hr, Input, Keygen, Optgroup, Option, Script, Select, Template, Textarea};
        let Some(position) = self.find(|e| e == Select, |e| e == Template) else { return true };
        match element {
            Option | Optgroup | Hr | Script | Template => true,
            Select => {
                self.pop_through(position);
                false
            }
            Input | Keygen | Textarea => {
                self.pop_through(position);
                true
            }
            _ if self.table_context().is_some() && is_table_part(element) => {
                self.pop_through(position);
                true
            }
            _ => false,
        }
    }

    fn start_item(&mut self, element: Element, name: Range<usize>) {
        use Element::{Address, Dd, Div, Dt, Li, P};
        let same = |e: Element| if element == Li { e == Li } else { matches!(e, Dd | Dt) };
        if self.has(Li) || self.has(Dd) || self.has(Dt) {
            let stops = |e: Element| e.is_special() && !matches!(e, Address | Div | P);
            if let Some(position) = self.find(same, stops) {
                self.pop_through(position);
            }
        }
        self.close_paragraph();
        self.push(element, false, name);
    }

    fn start_table_part(&mut self, element: Element, name: Range<usize>) {
        use Element::{Caption, Col, Colgroup, Table, Tbody, Td, Template, Tfoot, Th, Thead, Tr};
        let Some(mut context) = self.table_context() else { return };
        // A cell or a caption that is open ends here, if there is a table to go on with.
        if matches!(context, Td | Th | Caption) {
            let Some(position) = self.in_table_scope(|e| e == context) else { return };
            if self.in_table_scope(|e| e == Table || e == Template).is_none() && !self.has(Template) {
                return;
            }
            self.pop_through(position);
            match self.table_context() {
                Some(outer) => context = outer,
                None => return,
            }
        }
        if context == Template {
            if element != Col {
                self.push(element, false, name);
            }
            return;
        }
        let implied = name.start..name.start;
        match element {
            Caption | Colgroup | Col | Tbody | Thead | Tfoot => {
                self.clear_to(|e| e == Table);
                if element == Col {
                    return;
                }
            }
            Tr => {
                self.clear_to(|e| matches!(e, Table | Tbody | Thead | Tfoot));
                if self.stack.last().is_some_and(|o| o.element == Table) {
                    self.push(Tbody, false, implied);
                }
            }
            _ => {
                self.clear_to(|e| matches!(e, Table | Tbody | Thead | Tfoot | Tr));
                if self.stack.last().is_some_and(|o| o.element == Table) {
                    self.push(Tbody, false, implied.clone());
                }
                if self.stack.last().is_some_and(|o| matches!(o.element, Tbody | Thead | Tfoot)) {
                    self.push(Tr, false, implied);
                }
            }
        }
        self.push(element, false, name);
        if matches!(element, Td | Th | Caption) {
            self.formatting.push(Formatting::Marker);
        }
    }

    /// Pop until the innermost element is one that `wanted` takes, or nothing of a table is left.
    fn clear_to(&mut self, wanted: impl Fn(Element) -> bool) {
        if let Some(position) = self.find(|e| wanted(e) || e == Element::Template, |_| false) {
            self.pop_through(position + 1);
        }
    }

    // -- end tags --

    fn end(&mut self, element: Element, name: Range<usize>) {
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        if self.stack.last().is_some_and(|open| open.foreign) {
            // An end tag in a drawing closes what it names there; else it means what it means in HTML.
            for (position, open) in self.stack.iter().enumerate().rev() {
                if !open.foreign {
                    break;
                }
                if self.same_name(open, element, &name) {
                    self.pop_through(position);
                    return;
                }
            }
        }
        self.end_html(element, &name);
    }

    fn same_name(&self, open: &Open, element: Element, name: &Range<usize>) -> bool {
        open.element == element
            && (element != Element::Other || {
                let of = |range: &Range<usize>| self.html.get(range.clone()).unwrap_or_default();
                of(&open.name).eq_ignore_ascii_case(of(name))
            })
    }

    fn end_html(&mut self, element: Element, name: &Range<usize>) {
        use Element::{
            Applet, Body, Br, Button, Caption, Colgroup, Dd, Dt, Form, Head, Html, Li, Marquee, Object, Select, Table,
            Tbody, Td, Template, Tfoot, Th, Thead, Tr,
        };
        if self.has(Select) && !self.end_in_select(element) {
            return;
        }
        match element {
            Html | Body | Head | Br => {}
            Table => self.end_table(),
            Td | Th | Caption | Tr | Tbody | Thead | Tfoot | Colgroup => {
                if let Some(position) = self.in_table_scope(|e| e == element) {
                    self.pop_through(position);
                }
            }
            Template => {
                if let Some(position) = self.find(|e| e == Template, |_| false) {
                    self.pop_through(position);
                }
            }
            _ if element.is_formatting() => self.end_formatting(element),
            Element::P => self.close_paragraph(),
            Form => {
                let Some(id) = self.form.take() else { return };
                if self.in_scope(Form).is_some() {
                    self.close_implied(None);
                    if let Some(position) = self.stack.iter().rposition(|open| open.id == id) {
                        self.remove(position);
                    }
                }
            }
            Li => {
                let list = |e: Element| e.is_scope() || matches!(e, Element::Ol | Element::Ul);
                if self.has(Li)
                    && let Some(position) = self.find(|e| e == Li, list)
                {
                    self.pop_through(position);
                }
            }
            _ if element.is_heading() => {
                if let Some(position) = self.find(Element::is_heading, Element::is_scope) {
                    self.pop_through(position);
                }
            }
            Dd | Dt | Button | Applet | Marquee | Object => self.end_scoped(element),
            _ if element.is_block() => self.end_scoped(element),
            _ => self.end_ordinary(element, name),
        }
    }

    fn end_scoped(&mut self, element: Element) {
        if let Some(position) = self.in_scope(element) {
            self.pop_through(position);
        }
    }

    /// WHATWG "any other end tag".
    fn end_ordinary(&mut self, element: Element, name: &Range<usize>) {
        if !self.has(element) {
            return;
        }
        for (position, open) in self.stack.iter().enumerate().rev() {
            if self.same_name(open, element, name) {
                self.pop_through(position);
                return;
            }
            if open.foreign || open.element.is_special() {
                return;
            }
        }
    }

    /// What an end tag does to an open select. True when it is to be handled as elsewhere.
    fn end_in_select(&mut self, element: Element) -> bool {
        use Element::{Optgroup, Option, Select, Table, Template};
        let Some(position) = self.find(|e| e == Select, |e| e == Template) else { return true };
        match element {
            Template => return true,
            Select => self.pop_through(position),
            Option | Optgroup => {
                if let Some(position) = self.find(|e| e == element, |e| e == Select) {
                    self.pop_through(position);
                }
            }
            _ if (element == Table || is_table_part(element))
                && self.has(Table)
                && self.in_table_scope(|e| e == element).is_some() =>
            {
                self.pop_through(position);
                return true;
            }
            _ => {}
        }
        false
    }

    fn end_table(&mut self) {
        if let Some(position) = self.in_table_scope(|e| e == Element::Table) {
            self.pop_through(position);
        }
    }

    fn close_implied(&mut self, except: Option<Element>) {
        while self
            .stack
            .last()
            .is_some_and(|open| !open.foreign && open.element.is_implied() && Some(open.element) != except)
        {
            self.pop();
        }
    }

    // -- formatting --

    fn after_marker(&self) -> usize {
        self.formatting.iter().rposition(|entry| matches!(entry, Formatting::Marker)).map_or(0, |marker| marker + 1)
    }

    fn formatting_position(&self, element: Element) -> Option<usize> {
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
    fn remember_formatting(&mut self, open: Open, tag: Range<usize>) {
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

    fn reopen_formatting(&mut self) {
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
    fn end_formatting(&mut self, element: Element) {
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

fn is_table_part(element: Element) -> bool {
    use Element::{Caption, Table, Tbody, Td, Tfoot, Th, Thead, Tr};
    matches!(element, Caption | Table | Tbody | Td | Tfoot | Th | Thead | Tr)
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
