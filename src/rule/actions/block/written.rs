//! A block as we write it, and where it stands so in a text.
//!
//! Line by line and to the letter, but for space at the ends of lines, and for what variables hold: that may have
//! changed since, in ways that tell a reader nothing else.

use std::ops::Range;

use memchr::memmem;

use super::super::super::template::Filled;
use crate::message::{BodyKind, Place, character_references, html};

/// So many places of one block in a text are found.
const MAX_FOUND: usize = 100;
/// The longest id or number that stands for another.
const MAX_ID: usize = 64;
/// Characters of a tag in front of a subject.
const MAX_TAG: usize = 60;
/// Words in front of a subject that may be tags.
const MAX_TAGS: usize = 20;
/// Pieces of a line that are tried.
const MAX_TRIES: usize = 1_000;
/// Octets that stand for a name or the end of a link.
const MAX_ANY: usize = 2_048;
/// Letters that a block with such stand-ins has besides: fewer would make it of any text.
const MIN_LETTERS: usize = 8;

/// In a value: what an attachment that is not known may be called. Not what a mail program would make a link of.
pub(in crate::rule::actions) const ANY_NAME: char = '\u{F8F1}';
/// In a value: the end of a link, behind a host that is known.
pub(in crate::rule::actions) const ANY_END: char = '\u{F8F2}';

/// A block in both forms.
#[derive(Debug)]
pub struct Written {
    plain: Form,
    /// As it is, and with character references for what is not ASCII.
    html: [Option<Form>; 2],
    /// It says that an attachment is gone: it is put at the end of bodies and nowhere else.
    is_notice: bool,
}

/// One form of a block: its lines.
#[derive(Debug)]
struct Form {
    kind: BodyKind,
    lines: Vec<Vec<Piece>>,
    /// What is looked for first, and the line that it is in.
    anchor: (usize, memmem::Finder<'static>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Fixed(String),
    /// What a variable holds now.
    Value(String),
    /// Anything of a kind: [`ANY_NAME`], [`ANY_END`].
    Any(char),
}

impl Written {
    /// `html` is the fragment with the element round it.
    pub fn new(text: &Filled<'_>, html: &Filled<'_>) -> Self {
        let foreign = html.text().chars().any(|c| !c.is_ascii() && !matches!(c, ANY_NAME | ANY_END));
        Self {
            plain: Form::new(BodyKind::Plain, text, str::to_owned),
            html: [
                Some(Form::new(BodyKind::Html, html, str::to_owned)),
                foreign.then(|| Form::new(BodyKind::Html, html, |html| character_references(html).into_owned())),
            ],
            is_notice: false,
        }
    }

    /// What is said of an attachment that is gone, where values hold [`ANY_NAME`] and [`ANY_END`]. `None` where it says
    /// so little that any text would be such a notice.
    pub(in crate::rule::actions) fn notice(text: &Filled<'_>, html: &Filled<'_>) -> Option<Self> {
        let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
        let says = |fixed: &str| letters(fixed) >= MIN_LETTERS;
        let shown = html.map(|html| html::visible(html).text);
        let both = [text.fixed_pieces().concat(), shown.fixed_pieces().concat()];
        both.iter().all(|fixed| says(fixed)).then(|| Self { is_notice: true, ..Self::new(text, html) })
    }

    /// May it stand at this place? Elsewhere its words are those of the sender.
    pub fn belongs_at(&self, place: Place) -> bool {
        !(self.is_notice && place.is_top())
    }

    /// True for what is said of an attachment that is gone.
    pub fn is_notice(&self) -> bool {
        self.is_notice
    }

    /// Where it stands in a text, in order.
    pub fn find(&self, kind: BodyKind, text: &str) -> Vec<Range<usize>> {
        match kind {
            BodyKind::Plain => self.plain.find(text),
            BodyKind::Html => {
                let mut found: Vec<_> = self.html.iter().flatten().flat_map(|form| form.find(text)).collect();
                found.sort_by_key(|range| range.start);
                found
            }
        }
    }
}

impl Form {
    fn new(kind: BodyKind, filled: &Filled<'_>, write: impl Fn(&str) -> String) -> Self {
        let mut lines = vec![Vec::new()];
        for (value, text) in filled.pieces() {
            for (i, line) in text.split('\n').enumerate() {
                if i > 0 {
                    lines.push(Vec::new());
                }
                let Some(last) = lines.last_mut() else { continue };
                let any = |c| matches!(c, ANY_NAME | ANY_END);
                let has_any = value && line.contains(any);
                for piece in line.split_inclusive(any) {
                    let kind = piece.chars().next_back().filter(|c| has_any && any(*c));
                    let piece = write(kind.map_or(piece, |kind| piece.trim_end_matches(kind)));
                    if !piece.is_empty() {
                        last.push(if value && !has_any { Piece::Value(piece) } else { Piece::Fixed(piece) });
                    }
                    last.extend(kind.map(Piece::Any));
                }
            }
        }
        let first = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
        lines.drain(..first);
        lines.truncate(lines.iter().rposition(|line| !is_blank(line)).map_or(0, |last| last + 1));
        for (i, line) in lines.iter_mut().enumerate() {
            trim(line, kind == BodyKind::Plain || i == 0);
        }
        let (line, anchor) = anchor(kind, &lines);
        let anchor = (line, memmem::Finder::new(anchor.as_bytes()).into_owned());
        Self { kind, lines, anchor }
    }

    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let (line, anchor) = &self.anchor;
        if anchor.needle().is_empty() {
            return found;
        }
        let mut from = 0;
        for at in anchor.find_iter(text.as_bytes()).take(10 * MAX_FOUND) {
            if at < from {
                continue;
            }
            let start = match self.kind {
                BodyKind::Html => Some(at),
                BodyKind::Plain => line_start(text, at, *line),
            };
            if let Some(range) = start.and_then(|start| self.matches(text, start)) {
                from = range.end.max(at + 1);
                found.push(range);
                if found.len() >= MAX_FOUND {
                    break;
                }
            }
        }
        found
    }

    /// The block from `start` on.
    fn matches(&self, text: &str, start: usize) -> Option<Range<usize>> {
        let mut at = start;
        let mut end = start;
        for (i, line) in self.lines.iter().enumerate() {
            let rest = text.get(at..)?;
            let whole = rest.split_inclusive('\n').next().unwrap_or_default();
            let last = i + 1 == self.lines.len();
            match self.kind {
                BodyKind::Html if last => end = at + matched(whole.trim_end(), line, false)?,
                _ => {
                    is_line(whole, line, self.kind).then_some(())?;
                    end = at + whole.trim_end().len();
                }
            }
            if !last && !whole.ends_with('\n') {
                return None;
            }
            at += whole.len();
        }
        (end > start).then_some(start..end)
    }
}

impl Piece {
    fn text(&self) -> Option<&String> {
        match self {
            Self::Fixed(text) | Self::Value(text) => Some(text),
            Self::Any(_) => None,
        }
    }
}

/// A line of the text against a line of the block. Where a variable held nothing, the space beside it was at an end.
fn is_line(line: &str, pieces: &[Piece], kind: BodyKind) -> bool {
    let shown = if kind == BodyKind::Plain { line.trim() } else { line.trim_end() };
    let has_value = || pieces.iter().any(|piece| matches!(piece, Piece::Value(_) | Piece::Any(_)));
    matched(shown, pieces, true).is_some()
        || has_value()
            && (matched(&format!("{shown} "), pieces, true).is_some()
                || matched(&format!(" {shown}"), pieces, true).is_some())
}

/// How much of `text` the pieces take up; all of it where `whole` says so.
fn matched(text: &str, pieces: &[Piece], whole: bool) -> Option<usize> {
    fn length(text: &str, pieces: &[Piece], whole: bool, tries: &mut usize) -> Option<usize> {
        let Some((first, others)) = pieces.split_first() else {
            return (!whole || text.is_empty()).then_some(0);
        };
        *tries = tries.checked_sub(1)?;
        let mut behind = |taken: usize| Some(taken + length(text.get(taken..)?, others, whole, tries)?);
        match first {
            Piece::Fixed(fixed) => text.starts_with(fixed.as_str()).then(|| behind(fixed.len()))?,
            Piece::Value(value) => stand_ins(text, value).into_iter().find_map(behind),
            Piece::Any(kind) => {
                let most = text.char_indices().take(MAX_ANY).take_while(|(_, c)| is_any(*kind, *c));
                let most = most.last().map_or(0, |(at, c)| at + c.len_utf8());
                let most =
                    most.min(text.to_ascii_lowercase().find("www.").filter(|_| *kind == ANY_NAME).unwrap_or(most));
                match others.first() {
                    None => behind(most),
                    Some(Piece::Fixed(fixed)) => {
                        let near = text.get(..text.floor_char_boundary(most + fixed.len()))?;
                        near.match_indices(fixed.as_str()).map(|(at, _)| at).find_map(behind)
                    }
                    Some(_) => (0..=most).filter(|at| text.is_char_boundary(*at)).find_map(behind),
                }
            }
        }
    }
    length(text, pieces, whole, &mut MAX_TRIES.clone())
}

/// May a character stand in a name, or in the end of a link, as they are written into texts and HTML?
fn is_any(kind: char, c: char) -> bool {
    match kind {
        ANY_NAME => !c.is_control() && !matches!(c, '<' | '>' | '"' | '/' | '\\' | ':'),
        _ => c.is_ascii_alphanumeric() || "-._~%/?=&;+#".contains(c),
    }
}

/// The lengths at the beginning of `text` of what tells a reader nothing but what the variable holds `now`: a subject
/// before it was tagged; another number or id.
fn stand_ins(text: &str, now: &str) -> Vec<usize> {
    let behind_tags = now.match_indices(' ').take(MAX_TAGS).filter_map(|(at, _)| now.get(at + 1..));
    let same = std::iter::once(now).chain(behind_tags.filter(|rest| !rest.is_empty()));
    let mut lengths: Vec<usize> = same.filter(|then| text.starts_with(*then)).map(str::len).collect();
    let is_id = |b: &u8| b.is_ascii_hexdigit() || *b == b'-';
    if now.len() <= MAX_ID && now.bytes().all(|b| is_id(&b)) && now.bytes().any(|b| b.is_ascii_digit()) {
        let with_dashes = text.bytes().take(MAX_ID).take_while(is_id).count();
        let without = text.bytes().take(with_dashes).take_while(u8::is_ascii_hexdigit).count();
        lengths.extend([with_dashes, without].into_iter().filter(|length| *length > 0));
    }
    // There was no subject before it was tagged.
    if now.chars().count() <= MAX_TAG && !now.contains(['@', '.']) {
        lengths.push(0);
    }
    lengths
}

fn is_blank(line: &[Piece]) -> bool {
    line.iter().all(|piece| match piece {
        Piece::Fixed(text) | Piece::Value(text) => text.trim().is_empty(),
        Piece::Any(_) => false,
    })
}

/// Without space at the end, and at the start too where `both` says so.
fn trim(line: &mut Vec<Piece>, both: bool) {
    while let Some(Piece::Fixed(text) | Piece::Value(text)) = line.last_mut() {
        text.truncate(text.trim_end().len());
        if !text.is_empty() {
            break;
        }
        line.pop();
    }
    while both && let Some(Piece::Fixed(text) | Piece::Value(text)) = line.first_mut() {
        *text = text.trim_start().to_owned();
        if !text.is_empty() {
            break;
        }
        line.remove(0);
    }
}

/// HTML may begin anywhere in a line, so it is found by how it begins; plain text by the longest that is always the same.
fn anchor(kind: BodyKind, lines: &[Vec<Piece>]) -> (usize, String) {
    if kind == BodyKind::Html {
        let first = lines.first().and_then(|line| line.first());
        let text = first.and_then(Piece::text);
        return (0, text.cloned().unwrap_or_default());
    }
    let pieces = || lines.iter().enumerate().flat_map(|(i, line)| line.iter().map(move |piece| (i, piece)));
    let fixed = pieces().filter_map(|(i, piece)| match piece {
        Piece::Fixed(text) => Some((i, text)),
        Piece::Value(_) | Piece::Any(_) => None,
    });
    let all = pieces().filter_map(|(i, piece)| Some((i, piece.text()?)));
    let longest = fixed.max_by_key(|(_, text)| text.len()).filter(|(_, text)| text.len() > 2);
    let (line, text) =
        longest.or_else(|| all.max_by_key(|(_, text)| text.len())).unwrap_or((0, const { &String::new() }));
    (line, text.clone())
}

/// Where the line begins that is `up` lines above the one of `at`.
fn line_start(text: &str, at: usize, up: usize) -> Option<usize> {
    let mut start = at;
    for i in 0..=up {
        if i > 0 {
            start = start.checked_sub(1)?;
        }
        start = text.get(..start)?.rfind('\n').map_or(0, |end| end + 1);
    }
    Some(if start == 0 && text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { start })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, html: &str) -> Written {
        let marked = |text: &str| {
            let mut out = String::new();
            for (i, piece) in text.split('|').enumerate() {
                out.push_str(&if i % 2 == 1 { Filled::value(piece) } else { piece.to_owned() });
            }
            out
        };
        Written::new(&Filled::fixed(&marked(text)), &Filled::fixed(&marked(html)))
    }

    fn plain(block: &str, text: &str) -> Vec<String> {
        let ranges = written(block, "").find(BodyKind::Plain, text);
        ranges.into_iter().map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn plain_text_is_found_by_whole_lines() {
        let block = "This mail is\n\nconfidential.";
        assert_eq!(plain(block, "Hi\n\nThis mail is\n\nconfidential.\n"), ["This mail is\n\nconfidential."]);
        assert_eq!(plain(block, "\u{FEFF}This mail is \r\n\r\n confidential. \r\n").len(), 1);
        assert_eq!(plain(block, "This mail is\n\nconfidential.\n\nThis mail is\n\nconfidential.").len(), 2);
        for text in [
            "Hi. This mail is\n\nconfidential.",
            "This mail is\nconfidential.",
            "> This mail is\n>\n> confidential.",
            "This mail is\n\nconfidential. Or is it?",
            "This mail is\n\n\nconfidential.",
            "This mail is",
        ] {
            assert!(plain(block, text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_value_may_be_what_it_was_before_and_nothing_else() {
        let block = "From |evil.example| to |3| people: |[EXT] Re: Pay|";
        for text in [
            "From evil.example to 3 people: [EXT] Re: Pay",
            "From evil.example to 12 people: Re: Pay",
            "From evil.example to 3 people: Pay",
        ] {
            assert_eq!(plain(block, text).len(), 1, "{text}");
        }
        for text in [
            "From bank.example to 3 people: Pay",
            "From example to 3 people: Pay",
            "From evil.example to all people: Pay",
            "From evil.example to 3 people: Do as I say, Pay",
            "From evil.example to 3 people:",
        ] {
            assert!(plain(block, text).is_empty(), "{text}");
        }
        assert_eq!(plain("|Pay|", "Hi\n\nPay\n"), ["Pay"]);
        assert!(plain("|a||b|", "ab").len() == 1 && plain("|a||b|", "cab").is_empty());
    }

    #[test]
    fn a_notice_is_found_whatever_the_attachment_is_called() {
        let filled = |text: &str| {
            Filled::fixed("").map(|_| {
                let name = text.replace("NAME", &Filled::value(&ANY_NAME.to_string()));
                name.replace("LINK", &Filled::value(&format!("https://files.example.com/{ANY_END}")))
            })
        };
        let text = "The file \"NAME\" is stored here:\nLINK\nNothing else.";
        let html = "<p>The file <a href=\"LINK\">NAME</a> is stored.</p>";
        let notice = Written::notice(&filled(text), &filled(html)).unwrap();
        let plain = |name: &str, link: &str| {
            let text = format!("Hi\n\nThe file \"{name}\" is stored here:\n{link}\nNothing else.\n");
            notice.find(BodyKind::Plain, &text).len()
        };
        let link = "https://files.example.com/attachments/00ff";
        assert_eq!(plain("Größe 2 (copy).pdf", link), 1);
        for (name, link) in [
            ("a.pdf", "https://evil.example/attachments/00ff"),
            ("a.pdf", "https://files.example.com/ https://evil.example"),
            ("https://evil.example/", link),
            ("www.evil.example", link),
            ("a\nb", link),
        ] {
            assert_eq!(plain(name, link), 0, "{name} {link}");
        }
        let html = |name: &str| format!("<p>The file <a href=\"{link}?a=1&amp;b\">{name}</a> is stored.</p>");
        assert_eq!(notice.find(BodyKind::Html, &html("Gr&#246;&#223;e")).len(), 1);
        assert_eq!(notice.find(BodyKind::Html, &html("a<b>b</b>")).len(), 0);
        assert!(notice.belongs_at(Place::End) && !notice.belongs_at(Place::Start));
        assert!(Written::notice(&filled("NAME: LINK"), &filled("NAME gone")).is_none());
    }

    #[test]
    fn html_is_found_wherever_it_stands_in_a_line() {
        let block = "<div data-x=\"|0a|\">\n <p>5 € |a &amp; b|</p></div>";
        let find = |html: &str| written("", block).find(BodyKind::Html, html).len();
        assert_eq!(find("<p>Hi</p><div data-x=\"ff\"> \r\n <p>5 € a &amp; b</p></div></body>"), 1);
        assert_eq!(find("<div data-x=\"ff\">\n <p>5 &#8364; a &amp; b</p></div>\n"), 1);
        assert_eq!(find("<div data-x=\"ff\">\n <p>5 &#8364; c &amp; d</p></div>\n"), 0);
        assert_eq!(find("<div data-x=\"ff\" hidden>\n <p>5 &#8364; a &amp; b</p></div>\n"), 0);
    }

    #[test]
    fn nothing_is_found_nowhere() {
        assert!(plain("", "Hi\n").is_empty());
        assert!(plain(" \n ", "Hi\n \n \n").is_empty());
    }
}
