//! What a start tag opens, and what it closes before (HTML §13.2.6.4).

use std::ops::Range;

use super::super::element::Element;
use super::super::tokens::{Token, attributes};
use super::{Formatting, Opened, is_table_part};

impl Opened<'_> {
    pub(super) fn start(&mut self, element: Element, self_closing: bool, token: &Token) {
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
}
