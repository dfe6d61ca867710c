//! More different answers for one message than the flow takes.

use super::Written;
use crate::envelope::Direction;
use crate::flow::workmail::MAX_ACTIONS;
use crate::rule::section::{Holds, Section, Span};

/// Where the bounce stands with which one message may get more different answers than the flow takes, and how many.
pub(super) fn many(rules: &[Written<'_>]) -> Option<(Span, usize)> {
    for way in [Direction::Inbound, Direction::Outbound] {
        let mut texts: Vec<&str> = Vec::new();
        let mut kinds: Vec<&str> = Vec::new();
        let mut last = None;
        for rule in rules.iter().filter(|rule| rule.enforced && rule.may_go(way)) {
            // What is for all recipients alike is one answer, whatever it is.
            let tables = ["when", "unless"].iter().flat_map(|key| rule.section.peek_tables(key));
            if !tables.into_iter().any(|table| asks_each(&table)) {
                continue;
            }
            for action in &rule.actions {
                match (action.peek("kind"), action.peek("message")) {
                    (Some("bounce"), Some(text)) if !texts.contains(&text) => {
                        texts.push(text);
                        last = Some(action.span_of("kind"));
                    }
                    (Some(kind @ ("drop" | "junk" | "bypass_spam_check")), _) if !kinds.contains(&kind) => {
                        kinds.push(kind);
                    }
                    _ => {}
                }
            }
        }
        // For the others there is one more.
        let count = texts.len() + kinds.len() + 1;
        if let Some(span) = last.filter(|_| count > MAX_ACTIONS) {
            return Some((span, count));
        }
    }
    None
}

impl Written<'_> {
    fn may_go(&self, way: Direction) -> bool {
        let when = self.section.peek_tables("when");
        when.first().and_then(|when| when.peek("direction")).is_none_or(|direction| direction == way.as_str())
    }
}

/// Does `each` of `recipients` stand in a table of conditions, or below it?
fn asks_each(table: &Section<'_>) -> bool {
    table.peek_tables("recipients").iter().any(|recipients| recipients.holds("each") != Holds::Nothing)
        || ["any", "all", "not"].iter().any(|key| table.peek_tables(key).iter().any(asks_each))
}
