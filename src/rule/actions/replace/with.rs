//! What is put in place: a text, with what the groups of a pattern matched.

use regex::Captures;

use crate::rule::pattern::Pattern;

/// Characters of the text.
pub(super) const MAX_TEXT: usize = 500;

/// The text, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct With(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A group by its number.
    Group(usize),
}

impl With {
    /// A text without groups.
    pub fn text(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// `$1`, `${name}` and `$$` for a dollar sign; the error says which group one of the patterns has not.
    pub fn read(text: &str, patterns: &[Pattern]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            pieces.push(Piece::Text(before.to_owned()));
            if let Some(more) = behind.strip_prefix('$') {
                pieces.push(Piece::Text("$".to_owned()));
                rest = more;
                continue;
            }
            let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
            let (name, more) = if digits > 0 {
                behind.split_at(digits)
            } else if let Some((name, more)) = behind.strip_prefix('{').and_then(|behind| behind.split_once('}')) {
                (name, more)
            } else {
                // A dollar sign that begins nothing.
                pieces.push(Piece::Text("$".to_owned()));
                rest = behind;
                continue;
            };
            pieces.push(Piece::Group(group(name, patterns)?));
            rest = more;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Ok(Self(pieces))
    }

    /// Where there are no groups.
    pub fn plain(&self) -> String {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Group(_) => String::new(),
        };
        self.0.iter().map(text).collect()
    }

    /// For one match.
    pub fn of(&self, captures: &Captures<'_>) -> String {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            // A group that had no part in the match is empty.
            Piece::Group(group) => captures.get(*group).map_or(String::new(), |found| found.as_str().to_owned()),
        };
        self.0.iter().map(text).collect()
    }
}

/// The number of a group, the same in all patterns.
fn group(name: &str, patterns: &[Pattern]) -> Result<usize, String> {
    let number = |pattern: &Pattern| match name.parse::<usize>() {
        Ok(number) => (number < pattern.regex().captures_len()).then_some(number),
        Err(_) => pattern.regex().capture_names().position(|known| known == Some(name)),
    };
    let all: Vec<Option<usize>> = patterns.iter().map(number).collect();
    match all.first() {
        Some(Some(first)) if all.iter().all(|one| *one == Some(*first)) => Ok(*first),
        _ if all.iter().all(Option::is_some) => Err(format!("group `{name}` is not the same in all patterns")),
        _ => Err(format!("the pattern has no group `{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn pattern(text: &str) -> Pattern {
        Regex::new(text).unwrap().into()
    }

    fn filled(text: &str, pattern: &str, of: &str) -> Result<String, String> {
        let pattern = self::pattern(pattern);
        let with = With::read(text, std::slice::from_ref(&pattern))?;
        Ok(with.of(&pattern.regex().captures(of).unwrap()))
    }

    #[test]
    fn groups_are_filled_in() {
        let pattern = r"(?<area>\d+)-(\d+)(x)?";
        for (text, want) in [
            ("$1/$2", "555/0100"),
            ("${area}0", "5550"),
            ("${2}", "0100"),
            ("$$1", "$1"),
            ("US$ $0", "US$ 555-0100"),
            ("$", "$"),
            ("[$3]", "[]"),
            ("", ""),
        ] {
            assert_eq!(filled(text, pattern, "555-0100").as_deref(), Ok(want), "{text}");
        }
        assert_eq!(filled("$4", pattern, "555-0100"), Err("the pattern has no group `4`".to_owned()));
        assert_eq!(filled("$10", pattern, "555-0100"), Err("the pattern has no group `10`".to_owned()));
        assert_eq!(filled("${x}", pattern, "555-0100"), Err("the pattern has no group `x`".to_owned()));
    }

    #[test]
    fn a_group_is_that_of_all_patterns() {
        let all = [pattern("(?<a>x)"), pattern("(y)(?<a>x)")];
        assert_eq!(With::read("${a}", &all), Err("group `a` is not the same in all patterns".to_owned()));
        assert!(With::read("$1", &all).is_ok());
        assert!(With::read("$2", &all).is_err());
    }
}
