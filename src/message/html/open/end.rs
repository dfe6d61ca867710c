//! What an end tag closes (HTML §13.2.6.4).

use std::ops::Range;

use super::super::element::Element;
use super::{Open, Opened, is_table_part};

impl Opened<'_> {
    pub(super) fn end(&mut self, element: Element, name: Range<usize>) {
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
    pub(super) fn end_ordinary(&mut self, element: Element, name: &Range<usize>) {
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

    pub(super) fn end_table(&mut self) {
        if let Some(position) = self.in_table_scope(|e| e == Element::Table) {
            self.pop_through(position);
        }
    }

    pub(super) fn close_implied(&mut self, except: Option<Element>) {
        while self
            .stack
            .last()
            .is_some_and(|open| !open.foreign && open.element.is_implied() && Some(open.element) != except)
        {
            self.pop();
        }
    }
}
