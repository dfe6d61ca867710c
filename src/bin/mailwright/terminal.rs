//! What may reach a terminal.
//!
//! Invariant: text from a message or a file name goes through [`escape`] first, so that mail can neither move the
//! cursor nor colour, reorder or hide what is shown.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::Path;

use anstyle::{AnsiColor, Style};

/// For what changed nothing and for what stands beside the point.
pub const FAINT: Style = Style::new().dimmed();
/// For what went well, and for lines that came in.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// For what failed, and for lines that went out.
pub const BAD: Style = AnsiColor::Red.on_default();
/// For what wants a look.
pub const ODD: Style = AnsiColor::Yellow.on_default();
/// For names.
pub const NAME: Style = Style::new().bold();

/// Whether output may be coloured.
#[derive(Debug, Clone, Copy)]
pub struct Colour(pub bool);

impl Colour {
    /// Only on a terminal, and not where `NO_COLOR` (<https://no-color.org>) is set or the terminal is a dumb one.
    pub fn of(stream: &impl IsTerminal) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Self(stream.is_terminal() && !refused && !dumb)
    }

    /// `text` in a style. It must be safe already.
    pub fn paint(self, style: Style, text: &str) -> Cow<'_, str> {
        if self.0 { Cow::Owned(format!("{style}{text}{style:#}")) } else { Cow::Borrowed(text) }
    }
}

/// Text without anything that a terminal would obey: control characters become `\n`, `\x1b` and the like, characters
/// that reorder or hide text become `\u{202e}`. A backslash stays as it is: this is for people to read.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => {
                let code = u32::from(c);
                let _ = if code < 0x100 { write!(out, "\\x{code:02x}") } else { write!(out, "\\u{{{code:x}}}") };
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// As [`escape`], for octets: those that are not UTF-8 become `\xNN`.
pub fn escape_octets(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        out.push_str(&escape(chunk.valid()));
        for octet in chunk.invalid() {
            let _ = write!(out, "\\x{octet:02x}");
        }
    }
    out
}

/// A path to show.
pub fn path(path: &Path) -> String {
    escape_octets(path.as_os_str().as_encoded_bytes())
}

/// Control characters (C0, DEL, C1), bidirectional controls, zero-width and line-parting characters, tags.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_comes_through() {
        assert_eq!(escape("caf\u{e9} \u{65e5}\u{672c} \u{1f600} \\"), "caf\u{e9} \u{65e5}\u{672c} \u{1f600} \\");
        assert_eq!(escape("\x1b[31mred\x07\r\n\t\x7f"), "\\x1b[31mred\\x07\\r\\n\\t\\x7f");
        assert_eq!(escape("\u{9b}2J \u{202e}txt.exe \u{200b}"), "\\x9b2J \\u{202e}txt.exe \\u{200b}");
        assert_eq!(escape_octets(b"a\xff\x1b\xc3\xa9"), "a\\xff\\x1b\u{e9}");
    }

    #[test]
    fn colour_is_left_out_where_it_is_not_wanted() {
        assert_eq!(Colour(false).paint(BAD, "x"), "x");
        assert_eq!(Colour(true).paint(BAD, "x"), "\x1b[31mx\x1b[0m");
    }
}
