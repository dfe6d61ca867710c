//! Where a block of new text goes in a body, and what must stand around it.

use super::body::BodyKind;
use super::draft::{Block, BodyError, Place, TextEdit};
use super::{html, reply};

/// The edit that puts `block` into `text`. `newline` is how lines of the text end.
pub(super) fn insertion(
    kind: BodyKind,
    text: &str,
    block: &Block,
    place: Place,
    newline: &str,
    flowed: bool,
) -> Result<TextEdit, BodyError> {
    match kind {
        BodyKind::Plain => Ok(plain(text, &block.text, place, newline, flowed)),
        BodyKind::Html => hypertext(text, &block.html, place, newline),
    }
}

fn plain(text: &str, block: &str, place: Place, newline: &str, flowed: bool) -> TextEdit {
    let block = lines(block, newline, flowed);
    // A byte order mark stays in front.
    let first = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let content = text.get(first..).unwrap_or_default();
    let ends_line = content.ends_with(['\n', '\r']);
    if content.trim().is_empty() {
        // The block becomes the body; what white space there is stays below it.
        return TextEdit { range: first..first, text: block };
    }
    let at_end = || {
        let before = if ends_line { newline.to_owned() } else { newline.repeat(2) };
        let after = if ends_line { newline } else { "" };
        TextEdit { range: text.len()..text.len(), text: format!("{before}{block}{after}") }
    };
    match place {
        Place::Start | Place::BelowPreview => {
            TextEdit { range: first..first, text: format!("{block}{newline}{newline}") }
        }
        Place::End => at_end(),
        Place::BelowReply => match reply::reply_end(text).filter(|at| text.is_char_boundary(*at)) {
            Some(at) => {
                let above = text.get(..at).unwrap_or_default();
                let before = match above {
                    _ if above.lines().next_back().is_none_or(|line| line.trim().is_empty()) => "",
                    _ if above.ends_with(['\n', '\r']) => newline,
                    _ => &newline.repeat(2),
                };
                TextEdit { range: at..at, text: format!("{before}{block}{newline}{newline}") }
            }
            None => at_end(),
        },
    }
}

/// The lines of a block with the line ends of the text, without space at their ends: in `format=flowed` text such a space
/// would join lines (RFC 3676 §4.1), and lines that begin with a space, `>` or `From ` are stuffed (§4.4).
fn lines(block: &str, newline: &str, flowed: bool) -> String {
    let mut out = String::with_capacity(block.len() + 16);
    for (i, line) in block.trim_end().lines().enumerate() {
        if i > 0 {
            out.push_str(newline);
        }
        // The signature separator (RFC 3676 §4.3) is the one line that ends with a space.
        let line = if line == "-- " { line } else { line.trim_end() };
        if flowed && (line.starts_with([' ', '>']) || line.starts_with("From ")) {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}

fn hypertext(text: &str, block: &str, place: Place, newline: &str) -> Result<TextEdit, BodyError> {
    let at = match place {
        Place::Start => html::start(text),
        Place::BelowPreview => html::start(text).map(|at| html::behind_preheader(text, at).unwrap_or(at)),
        Place::End => html::end(text),
        Place::BelowReply => html::reply_end(text).or_else(|| html::end(text)),
    };
    // A byte order mark stays in front.
    let first = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let at = at.filter(|at| text.is_char_boundary(*at)).ok_or(BodyError::NoPlace)?.max(first);
    let closers = html::closers(text, at);
    // Where the sender has hidden no text for it, a copy of what is shown first.
    let copies = place == Place::BelowPreview && html::start(text) == Some(at);
    let block = if copies { format!("{}{block}", html::preheader(text)) } else { block.to_owned() };
    let block = block.lines().map(str::trim_end).collect::<Vec<_>>().join(newline);
    // Line ends around it keep lines short, and mean nothing in HTML. But what looks like a delimiter and is none, for what
    // follows it on its line, must not come to stand alone.
    let line = text.get(..at).and_then(|above| above.rsplit('\n').next()).unwrap_or_default();
    let before = if line.starts_with("--") { "" } else { newline };
    Ok(TextEdit { range: at..at, text: format!("{before}{closers}{block}{newline}") })
}
