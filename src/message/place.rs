//! Where a block of new text goes in a body, and what must stand around it.

use std::ops::Range;

use super::body::BodyKind;
use super::draft::{Block, BodyError, Place};
use super::standing::Without;
use super::text_edits::TextEdit;
use super::{html, reply};

/// Where a block goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub at: usize,
    /// End tags to put in front of it, of what is open there and closed nowhere below.
    pub closers: String,
}

impl From<usize> for Spot {
    fn from(at: usize) -> Self {
        Self { at, closers: String::new() }
    }
}

impl From<html::End> for Spot {
    fn from(end: html::End) -> Self {
        Self { at: end.at, closers: end.closers }
    }
}

/// Where a block goes in `text`; `None` where nobody would see it.
pub(super) fn spot(kind: BodyKind, text: &str, place: Place) -> Option<Spot> {
    match inner_spot(kind, text, place) {
        Some(at) => Some(behind_mark(text, at.into())),
        None => edge(kind, text, place),
    }
}

/// The same for a place that is not in the midst of the text, or where there is no such place.
fn edge(kind: BodyKind, text: &str, place: Place) -> Option<Spot> {
    let spot = match (kind, place) {
        (BodyKind::Plain, Place::Start | Place::BelowPreview) => Some(0.into()),
        (BodyKind::Html, Place::Start) => html::start(text).map(Spot::from),
        (BodyKind::Html, Place::BelowPreview) => html::start(text).map(|start| {
            let Some(at) = html::behind_preheader(text, start) else { return start.into() };
            // With nothing behind it, what the sender left open is closed nowhere.
            html::end(text).filter(|end| end.at == at).map_or(at.into(), Spot::from)
        }),
        (BodyKind::Plain, _) => Some(text.len().into()),
        (BodyKind::Html, _) => html::end(text).map(Spot::from),
    };
    spot.filter(|spot| text.is_char_boundary(spot.at)).map(|spot| behind_mark(text, spot))
}

fn behind_mark(text: &str, spot: Spot) -> Spot {
    Spot { at: spot.at.max(mark_length(text)), ..spot }
}

/// A place in the midst of the text; `None` where there is none, or it is in doubt.
fn inner_spot(kind: BodyKind, text: &str, place: Place) -> Option<usize> {
    let at = match (kind, place) {
        _ if place.is_edge() => None,
        (BodyKind::Plain, Place::AboveSignature) => reply::signature_start(text),
        (BodyKind::Html, Place::AboveSignature) => html::signature_start(text),
        (BodyKind::Plain, _) => reply::reply_end(text),
        (BodyKind::Html, _) => html::reply_end(text),
    };
    at.filter(|at| text.is_char_boundary(*at))
}

/// The same in a text that holds `blocks` of ours, which are no part of what its sender wrote: behind those that stand
/// at the place.
fn inner_spot_beside(kind: BodyKind, text: &str, place: Place, blocks: &[Range<usize>]) -> Option<usize> {
    if place.is_edge() {
        return None;
    }
    let without = Without::new(text, blocks);
    inner_spot(kind, &without.text, place).map(|at| without.whole_of(at).max(mark_length(text)))
}

/// Where a block goes that is to go to `place` in each of these texts, which show the same to different readers: so they
/// all have it at the same place, or at the next best that they all have; with the offsets of those in the midst of a text.
pub(super) fn settled(texts: &[(BodyKind, &str, &[Range<usize>])], place: Place) -> (Place, Vec<Option<usize>>) {
    for place in place.and_next_best() {
        let spots: Option<Vec<usize>> =
            texts.iter().map(|(kind, text, blocks)| inner_spot_beside(*kind, text, *place, blocks)).collect();
        if let Some(spots) = spots {
            return (*place, spots.into_iter().map(Some).collect());
        }
    }
    (if place.is_edge() { place } else { Place::End }, vec![None; texts.len()])
}

/// A byte order mark stays in front.
fn mark_length(text: &str) -> usize {
    if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 }
}

/// What a block goes into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'t> {
    pub kind: BodyKind,
    pub text: &'t str,
    /// Where in the midst of the text it goes ([`settled`]); else to the edge that its place says.
    pub spot: Option<usize>,
    /// How its lines end.
    pub newline: &'t str,
    /// `format=flowed`.
    pub flowed: bool,
}

/// The edit that puts `block` there.
pub(super) fn insertion(site: Site<'_>, block: &Block, place: Place) -> Result<TextEdit, BodyError> {
    match site.kind {
        BodyKind::Plain => Ok(plain(site, &block.text, place)),
        BodyKind::Html => hypertext(site, &block.html, place),
    }
}

fn plain(site: Site<'_>, block: &str, place: Place) -> TextEdit {
    let Site { text, newline, .. } = site;
    let block = lines(block, newline, site.flowed);
    let first = mark_length(text);
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
    if place.is_top() {
        return TextEdit { range: first..first, text: format!("{block}{newline}{newline}") };
    }
    let Some(at) = site.spot else { return at_end() };
    let above = text.get(..at).unwrap_or_default();
    let before = match above {
        _ if above.lines().next_back().is_none_or(|line| line.trim().is_empty()) => "",
        _ if above.ends_with(['\n', '\r']) => newline,
        _ => &newline.repeat(2),
    };
    TextEdit { range: at..at, text: format!("{before}{block}{newline}{newline}") }
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

fn hypertext(site: Site<'_>, block: &str, place: Place) -> Result<TextEdit, BodyError> {
    let Site { text, newline, .. } = site;
    let spot = site.spot.map(Spot::from).or_else(|| edge(BodyKind::Html, text, place)).ok_or(BodyError::NoPlace)?;
    let Spot { at, closers } = spot;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::testing::{block, rewritten};

    #[test]
    fn alternatives_agree_on_where_a_block_goes() {
        let wrote = "On 7 May 2024, Kim wrote:";
        let texts = [
            ("plain", "Fine.\n".to_owned()),
            ("reply", format!("Fine.\n\n{wrote}\n> Shall we?\n")),
            ("signed", "Fine.\n\n-- \nAnn\n".to_owned()),
            ("signed reply", format!("Fine.\n\n-- \nAnn\n\n{wrote}\n> Shall we?\n")),
        ];
        let quote = format!("<p>{wrote}</p><blockquote type=cite>Shall we?</blockquote>");
        let signature = "<div id=Signature>Ann</div>";
        let htmls = [
            "<p>Fine.</p>\n".to_owned(),
            format!("<p>Fine.</p>{quote}\n"),
            format!("<p>Fine.</p>{signature}\n"),
            format!("<p>Fine.</p>{signature}{quote}\n"),
        ];
        for (of_text, text) in &texts {
            for ((of_html, _), html) in texts.iter().zip(&htmls) {
                for place in [Place::BelowReply, Place::AboveSignature] {
                    let both = |what: &str| of_text.contains(what) && of_html.contains(what);
                    let [in_text, in_html] = if place == Place::AboveSignature && both("signed") {
                        ["-- \n", "<div id"]
                    } else if both("reply") {
                        ["On 7", "<p>On"]
                    } else {
                        ["--b\n", "--b--"]
                    };
                    let raw = format!(
                        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n{text}\n--b\nContent-Type: \
                         text/html\n\n{html}\n--b--\n"
                    );
                    let out = rewritten(&raw, |draft| assert_eq!(draft.insert(&block("Footer"), place), Ok(2)));
                    let behind =
                        |footer: &str| out.split_once(footer).map(|(_, behind)| behind.trim_start().to_owned());
                    let [below_text, below_html] = ["\nFooter\n", "<p>Footer</p>"].map(behind);
                    let what = format!("{of_text}, {of_html}: {out}");
                    assert!(below_text.is_some_and(|below| below.starts_with(in_text)), "{what}");
                    assert!(below_html.is_some_and(|below| below.starts_with(in_html)), "{what}");
                }
            }
        }
    }

    #[test]
    fn a_block_keeps_its_indent_and_ends_with_its_text() {
        assert_eq!(lines("  a \n\n b\n\n \n", "\r\n", false), "  a\r\n\r\n b");
        assert_eq!(lines("  a\n>b\nFrom c\n-- \nd", "\n", true), "   a\n >b\n From c\n-- \nd");
    }
}
