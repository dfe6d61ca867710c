//! Groups of digits and what parts them: the pattern that cards, SSNs and IBANs share.
//!
//! Invariant: whatever follows a group is looked at for a bounded number of groups and separators, so a scan is linear.

/// Longest separator, in characters of the folded text: a line end with a blank on either side.
const MAX_SEPARATOR: usize = 4;

/// Bytes that are looked at for digits at a time.
const BLOCK: usize = 32;

/// What parts two groups. A number uses one class throughout; ` - ` counts as a dash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Blanks, tabs, line ends.
    Space,
    /// A hyphen, perhaps between blanks.
    Dash,
    /// A full stop, perhaps between blanks.
    Dot,
}

/// A run of ASCII digits: byte range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// First digit.
    pub start: usize,
    /// Behind the last.
    pub end: usize,
}

impl Group {
    /// How many digits.
    pub const fn len(self) -> usize {
        self.end - self.start
    }
}

/// The first group at or behind `from`.
pub fn next_group(bytes: &[u8], from: usize) -> Option<Group> {
    // Block by block, which the compiler turns into vector instructions.
    let rest = bytes.get(from..)?;
    let none = |block: &&[u8]| block.iter().fold(0, |any, b| any | u8::from(b.wrapping_sub(b'0') < 10)) == 0;
    let skipped = BLOCK * rest.chunks_exact(BLOCK).take_while(none).count();
    let start = from + skipped + rest.get(skipped..)?.iter().position(u8::is_ascii_digit)?;
    Some(Group { start, end: digits_end(bytes, start) })
}

/// The end of the digits that begin at `start`.
pub fn digits_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len())
}

/// The separator at `from`, when a digit follows it: its class and its end. With `quoted`, the `>` of quoted lines is
/// part of it.
pub fn separator(bytes: &[u8], from: usize, quoted: bool) -> Option<(Class, usize)> {
    let limit = if quoted { 2 * MAX_SEPARATOR } else { MAX_SEPARATOR };
    let mut class = None;
    for (offset, &byte) in bytes.get(from..)?.iter().enumerate().take(limit + 1) {
        match byte {
            b'0'..=b'9' if offset == 0 => return None,
            b'0'..=b'9' => return Some((class.unwrap_or(Class::Space), from + offset)),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'>' if quoted => {}
            b'-' if class.is_none() => class = Some(Class::Dash),
            b'.' if class.is_none() => class = Some(Class::Dot),
            _ => return None,
        }
    }
    None
}

/// The separator at `from`, when a digit or letter follows it: its class and its end.
pub fn gap(bytes: &[u8], from: usize) -> Option<(Class, usize)> {
    let mut class = None;
    for (offset, &byte) in bytes.get(from..)?.iter().enumerate().take(MAX_SEPARATOR + 1) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'-' if class.is_none() => class = Some(Class::Dash),
            b'.' if class.is_none() => class = Some(Class::Dot),
            byte if byte.is_ascii_alphanumeric() && offset > 0 => {
                return Some((class.unwrap_or(Class::Space), from + offset));
            }
            _ => return None,
        }
    }
    None
}

/// The group that follows `group`, and what parts them. At most `limit` digits of it are looked at.
pub fn follower(bytes: &[u8], group: Group, limit: usize, quoted: bool) -> Option<(Class, Group)> {
    let (class, start) = separator(bytes, group.end, quoted)?;
    let window = bytes.get(..bytes.len().min(start + limit)).unwrap_or(bytes);
    Some((class, Group { start, end: digits_end(window, start) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators() {
        for (text, want) in [
            (" 1", Some(Class::Space)),
            ("  1", Some(Class::Space)),
            (" \r\n 1", Some(Class::Space)),
            ("-1", Some(Class::Dash)),
            (" - 1", Some(Class::Dash)),
            (".1", Some(Class::Dot)),
            ("--1", None),
            (".-1", None),
            ("/1", None),
            ("1", None),
            (" x", None),
            (" ", None),
            ("     1", None),
            ("\n> 1", None),
        ] {
            assert_eq!(separator(text.as_bytes(), 0, false).map(|(class, _)| class), want, "{text:?}");
        }
        assert_eq!(separator(b"\r\n> 1", 0, true), Some((Class::Space, 4)));
    }
}
