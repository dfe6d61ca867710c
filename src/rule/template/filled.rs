//! A template filled in, with the places of what came from variables.

use std::borrow::Cow;

/// What stands between these two came from a variable. Noncharacters: no mail and no template holds them (what does
/// loses them), so a rendering can be told apart into what is always the same and what is not.
pub(super) const OPEN: char = '\u{FDD0}';
pub(super) const CLOSE: char = '\u{FDD1}';

/// A template filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled<'t>(pub(super) Cow<'t, str>);

impl<'t> Filled<'t> {
    /// A text without variables.
    pub fn fixed(text: &'t str) -> Self {
        Self(Cow::Borrowed(text))
    }
    /// The text.
    pub fn text(&self) -> Cow<'_, str> {
        if self.0.contains([OPEN, CLOSE]) {
            Cow::Owned(self.0.replace([OPEN, CLOSE], ""))
        } else {
            Cow::Borrowed(&self.0)
        }
    }
    /// A text as if it came from a variable, to stand in a text that [`Filled::map`] makes.
    pub fn value(text: &str) -> String {
        format!("{OPEN}{text}{CLOSE}")
    }
    /// All of it in order, each piece with whether it came from a variable.
    pub fn pieces(&self) -> Vec<(bool, &str)> {
        let mut rest: &str = &self.0;
        let mut pieces = Vec::new();
        while let Some((before, after)) = rest.split_once(OPEN) {
            let (value, after) = after.split_once(CLOSE).unwrap_or((after, ""));
            pieces.extend([(false, before), (true, value)]);
            rest = after;
        }
        pieces.push((false, rest));
        pieces
    }
    /// What is the same whatever the variables hold, in order.
    pub fn fixed_pieces(&self) -> Vec<&str> {
        let mut rest: &str = &self.0;
        let mut pieces = Vec::new();
        loop {
            let Some((before, after)) = rest.split_once(OPEN) else {
                pieces.push(rest);
                return pieces;
            };
            pieces.push(before);
            rest = after.split_once(CLOSE).map_or("", |(_, after)| after);
        }
    }
    /// True for a mark of where a variable begins or ends.
    pub fn is_mark(c: char) -> bool {
        matches!(c, OPEN | CLOSE)
    }
    /// The same text in another form, with the places of the variables kept.
    pub fn map(&self, form: impl FnOnce(&str) -> String) -> Filled<'static> {
        Filled(Cow::Owned(form(&self.0)))
    }
}
