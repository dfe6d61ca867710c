//! Parts of a rule that can be left out, to see whether a test notices: entries, alternatives and exceptions, wherever they
//! stand.
//!
//! Invariant: a rule without a piece is a rule that could be written, other than the one with it. So an entry that stands
//! alone in a table is no piece of its own beside that table.

use super::Rule;
use super::entry::{Entry, Says, Table};
use super::section::Span;

/// A part of the conditions of a rule, by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Which table of `unless` it stands in, from 0; `None` in `when`.
    pub exception: Option<usize>,
    /// The index of an entry, of a table in it, of an entry of that, and so on. None at all is the whole exception.
    pub path: Vec<usize>,
}

/// A piece, and what it is for people.
#[derive(Debug)]
pub struct Described<'r> {
    /// The piece.
    pub piece: Piece,
    /// Such as `` `size` `` or ``the alternative `subject` of `any` ``.
    pub name: String,
    /// What to add to say where it stands, such as ` in `when``; empty for an exception.
    pub within: &'static str,
    /// With it the rule lets in more than without.
    pub lets_in: bool,
    /// Where it stands.
    pub span: Option<&'r Span>,
}

impl Rule {
    /// Every piece, in the order in which they are written.
    pub fn pieces(&self) -> Vec<Described<'_>> {
        let mut pieces = Vec::new();
        let mut collect = Collect { exception: None, path: Vec::new(), pieces: &mut pieces };
        collect.entries(&self.when, "`when`", true, false);
        for (index, table) in self.unless.iter().enumerate() {
            collect.exception = Some(index);
            collect.push(format!("the exception `{}`", table.keys()), "", false, table.span());
            collect.entries(table, "the exception", table.len() > 1, true);
        }
        pieces
    }

    /// Leave a piece out; one that is not there changes nothing.
    pub fn leave_out(&mut self, piece: &Piece) {
        let table = match piece.exception {
            None => Some(&mut self.when),
            Some(index) if piece.path.is_empty() => {
                if index < self.unless.len() {
                    self.unless.remove(index);
                }
                return;
            }
            Some(index) => self.unless.get_mut(index),
        };
        if let Some(table) = table {
            remove(table, &piece.path);
        }
    }
}

fn remove(table: &mut Table, path: &[usize]) {
    match path {
        [index] if *index < table.len() => drop(table.remove(*index)),
        [index, at, rest @ ..] => {
            let tables: &mut [Table] = match table.get_mut(*index).map(|entry| &mut entry.says) {
                Some(Says::Any(tables) | Says::All(tables)) => {
                    if rest.is_empty() && *at < tables.len() {
                        tables.remove(*at);
                    }
                    tables
                }
                Some(Says::Not(table)) => std::slice::from_mut(table),
                Some(Says::Condition(_)) | None => return,
            };
            if let (Some(table), false) = (tables.get_mut(*at), rest.is_empty()) {
                remove(table, rest);
            }
        }
        _ => {}
    }
}

struct Collect<'c, 'r> {
    exception: Option<usize>,
    path: Vec<usize>,
    pieces: &'c mut Vec<Described<'r>>,
}

impl<'r> Collect<'_, 'r> {
    fn push(&mut self, name: String, within: &'static str, lets_in: bool, span: Option<&'r Span>) {
        let piece = Piece { exception: self.exception, path: self.path.clone() };
        self.pieces.push(Described { piece, name, within, lets_in, span });
    }

    /// The entries of a table that stands in `within`; each by itself, where they are not one with the table. Where they
    /// are `refused`, a table that holds keeps the rule away.
    fn entries(&mut self, table: &'r Table, within: &'static str, by_themselves: bool, refused: bool) {
        for (index, entry) in table.iter().enumerate() {
            self.path.push(index);
            if by_themselves {
                self.push(format!("`{}`", entry.key()), within, refused, entry.span.as_ref());
            }
            self.below(entry, refused);
            self.path.pop();
        }
    }

    fn below(&mut self, entry: &'r Entry, refused: bool) {
        let (list, within) = match &entry.says {
            Says::Any(_) => (Some("alternative"), "an alternative of `any`"),
            Says::All(_) => (Some("part"), "a part of `all`"),
            Says::Not(_) | Says::Condition(_) => (None, "`not`"),
        };
        let refused = refused != matches!(entry.says, Says::Not(_));
        let lets_in = refused != matches!(entry.says, Says::Any(_));
        for (index, table) in entry.tables().iter().enumerate() {
            self.path.push(index);
            if let Some(word) = list.filter(|_| entry.tables().len() > 1) {
                let name = format!("the {word} `{}` of `{}`", table.keys(), entry.key());
                self.push(name, "", lets_in, table.span());
            }
            self.entries(table, within, table.len() > 1, refused);
            self.path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pipeline::Pipeline;

    fn load(rule: &str) -> Pipeline {
        let text = format!("[[rule]]\nname = \"r\"\n{rule}\naction = {{ kind = \"drop\" }}\n");
        Pipeline::from_sources(vec![("r.toml".to_owned(), text)]).unwrap()
    }

    #[track_caller]
    fn check(rule: &str, wanted: &[&str]) {
        let pipeline = load(rule);
        let pieces = pipeline.rules()[0].pieces();
        let found: Vec<String> = pieces
            .iter()
            .map(|piece| {
                let lets = if piece.lets_in { "+" } else { "-" };
                format!("{lets} {} {} {:?}", piece.name, piece.within, piece.piece.path).replace("  ", " ")
            })
            .collect();
        assert_eq!(found, wanted, "{rule}");
    }

    #[test]
    fn entries_alternatives_and_exceptions_wherever_they_stand() {
        check("when = { subject = \"a\", size = { over = 1 } }", &["- `subject` `when` [0]", "- `size` `when` [1]"]);
        check(
            "when = { any = [{ subject = \"a\" }, { subject = \"b\", size = { over = 1 } }] }",
            &[
                "- `any` `when` [0]",
                "+ the alternative `subject` of `any` [0, 0]",
                "+ the alternative `subject, size` of `any` [0, 1]",
                "- `subject` an alternative of `any` [0, 1, 0]",
                "- `size` an alternative of `any` [0, 1, 1]",
            ],
        );
        check(
            "when = { not = { all = [{ subject = \"a\" }, { subject = \"b\" }] } }",
            &[
                "- `not` `when` [0]",
                "+ the part `subject` of `all` [0, 0, 0, 0]",
                "+ the part `subject` of `all` [0, 0, 0, 1]",
            ],
        );
        check(
            "unless = [{ subject = \"a\" }, { body = \"b\", any = [{ size = { over = 1 } }, { size = { under = 9 } }] }]",
            &[
                "- the exception `subject` []",
                "- the exception `body, any` []",
                "+ `body` the exception [0]",
                "+ `any` the exception [1]",
                "- the alternative `size` of `any` [1, 0]",
                "- the alternative `size` of `any` [1, 1]",
            ],
        );
    }

    #[test]
    fn a_table_with_one_entry_is_one_piece() {
        check("when = { any = [{ subject = \"a\" }] }", &["- `any` `when` [0]"]);
        check("unless = { not = { subject = \"a\" } }", &["- the exception `not` []"]);
    }

    #[test]
    fn what_is_left_is_the_rule_without_it() {
        let rule = "when = { any = [{ subject = \"a\" }, { not = { body = \"b\", subject = \"c\" } }] }\nunless = { body = \"d\" }";
        let left = |at: usize| {
            let pipeline = load(rule);
            let piece = pipeline.rules()[0].pieces()[at].piece.clone();
            let pipeline = pipeline.without(0, &piece);
            let rule = &pipeline.rules()[0];
            let names: Vec<String> = rule.pieces().into_iter().map(|piece| piece.name).collect();
            names.join("; ")
        };
        assert_eq!(left(0), "the exception `body`");
        assert_eq!(left(1), "`any`; `subject`; `body`; the exception `body`");
        assert_eq!(left(2), "`any`; the exception `body`");
        assert_eq!(
            left(3),
            "`any`; the alternative `subject` of `any`; the alternative `not` of `any`; the exception `body`"
        );
        assert_eq!(
            left(5),
            "`any`; the alternative `subject` of `any`; the alternative `not` of `any`; `subject`; `body`"
        );
    }
}
