//! Groups of digits and what parts them: the pattern that cards, SSNs and IBANs share.
//!
//! Invariant: whatever follows a group is looked at for a bounded number of groups and separators, so a scan is linear.

/// Longest separator, in characters of the folded text: a line end with a blank on either side.
const MAX_SEPARATOR: usize = 4;

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
    let (blocks, rest) = bytes.get(from..)?.as_chunks();
    let in_block = |(nth, block): (usize, &[u8; BLOCK])| Some(nth * BLOCK + first_digit(*block)?);
    let in_rest = || Some(blocks.len() * BLOCK + rest.iter().position(u8::is_ascii_digit)?);
    let start = from + blocks.iter().enumerate().find_map(in_block).or_else(in_rest)?;
    Some(Group { start, end: digits_end(bytes, start) })
}

/// Bytes that are looked at for digits at a time.
const BLOCK: usize = 8;

/// Where the first digit stands, all bytes looked at at once: a byte with its zero taken off (`^ 0x30`) is below ten where it
/// is a digit, so that adding 0x76 leaves its highest bit clear.
fn first_digit(block: [u8; BLOCK]) -> Option<usize> {
    let each = |byte: u8| u64::from_ne_bytes([byte; BLOCK]);
    let value = u64::from_le_bytes(block) ^ each(b'0');
    let others = ((value & each(0x7F)) + each(0x76)) | value;
    let digits = !others & each(0x80);
    (digits != 0).then(|| (digits.trailing_zeros() / u8::BITS) as usize)
}

/// Are there so many digits in it? Of a long text the start is looked at, as far as it takes.
pub fn are_there(bytes: &[u8], wanted: usize) -> bool {
    let mut seen = 0;
    let enough = |part: &[u8]| {
        seen += part.iter().filter(|b| b.is_ascii_digit()).count();
        seen >= wanted
    };
    wanted == 0 || bytes.chunks(PART).any(enough)
}

/// Bytes whose digits are counted at a time.
const PART: usize = 256;

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
    fn a_digit_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut bytes = [b'x'; 20];
                bytes[at] = byte;
                let want = byte.is_ascii_digit().then_some(Group { start: at, end: at + 1 });
                assert_eq!(next_group(&bytes, 0), want, "{byte} at {at}");
            }
        }
        assert_eq!(next_group(b"a12b 345", 2), Some(Group { start: 2, end: 3 }));
        assert_eq!(next_group(b"a12b 345", 3), Some(Group { start: 5, end: 8 }));
        assert_eq!(next_group(b"12", 3), None);
    }

    #[test]
    fn digits_are_counted_up_to_those_that_are_wanted() {
        let text = format!("{}1{}2", "x".repeat(300), "y".repeat(300));
        assert!(are_there(b"", 0) && !are_there(b"", 1));
        assert!(are_there(text.as_bytes(), 1) && are_there(text.as_bytes(), 2) && !are_there(text.as_bytes(), 3));
    }

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
