//! Text into markup.
//!
//! Invariant: what goes through here is text and nothing else, in an element and in a quoted attribute, and it neither
//! reorders nor hides what stands around it.

use mailwright::rule::template::escape_html;

use crate::terminal;

/// Text for an element or a quoted attribute. Control characters and those that reorder or hide text are spelled out, as
/// on a terminal.
pub fn text(text: &str) -> String {
    reference(&terminal::escape(text))
}

/// As [`text`], and a tab stays a tab: for lines of a source.
pub fn line(line: &str) -> String {
    let pieces: Vec<String> = line.split('\t').map(text).collect();
    pieces.join("\t")
}

/// Only what would be markup is written as references. For what a frame shows: there the sender's text is as it is.
pub fn reference(text: &str) -> String {
    escape_html(text).replace('\0', "\u{fffd}")
}

/// At most `most` characters of a text, and whether that is all of it.
pub fn cut(text: &str, most: usize) -> (&str, bool) {
    match text.char_indices().nth(most) {
        Some((at, _)) => (text.get(..at).unwrap_or_default(), false),
        None => (text, true),
    }
}

/// A size for people.
pub fn size(octets: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let octets_f = octets as f64;
    match octets {
        0..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{:.1} KB", octets_f / 1e3),
        _ => format!("{:.1} MB", octets_f / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(
            text("<b title='x'>\"&\u{202e}\0</b>"),
            "&lt;b title=&#39;x&#39;&gt;&quot;&amp;\\u{202e}\\x00&lt;/b&gt;"
        );
        assert_eq!(line("a\tb\r"), "a\tb\\r");
        assert_eq!(cut("äöü", 2), ("äö", false));
        assert_eq!((size(999), size(12_345), size(2_500_000)), ("999 B".into(), "12.3 KB".into(), "2.5 MB".into()));
    }
}
