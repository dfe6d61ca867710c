//! Where in HTML: start, end, above the quoted reply; visible text with a map to the source.
//!
//! Tokenises as the WHATWG says, far enough to know what a byte is (text, tag, comment, raw text); never builds a tree,
//! never writes HTML out again. All offsets are byte offsets of the `&str` handed in, on character boundaries. Linear.

/// Where a block would be seen first: after `<body …>`, or before the first content where there is none. `None` when no
/// place in the document would show it.
pub fn start(html: &str) -> Option<usize> {
    let _ = html;
    todo!()
}

/// Where a block would be seen last: before the last effective `</body>`/`</html>`, never inside a comment, script,
/// style, title, attribute or a quoted inner document; formatting left open must not swallow it. `None` when no place
/// in the document would show it.
pub fn end(html: &str) -> Option<usize> {
    let _ = html;
    todo!()
}

/// Where the newest text of a reply ends and the quoted message begins; `None` when it is no reply, when the replies
/// stand between the quotes, or in doubt.
pub fn reply_end(html: &str) -> Option<usize> {
    let _ = html;
    todo!()
}

/// What a reader sees, with a map back to the source.
#[derive(Debug, Clone, Default)]
pub struct Visible {
    /// The text: entities decoded, markup gone, block elements parted by `\n`, runs of white space as they are.
    pub text: String,
    /// `(offset in text, offset in source)`: ascending anchors; between two anchors text and source run byte for byte.
    pub map: Vec<(usize, usize)>,
}

/// The visible text of `html`.
pub fn visible(html: &str) -> Visible {
    let _ = html;
    todo!()
}
