//! Where the newest text of a reply ends and what it quotes begins.
//!
//! Works on lines, from plain text here and from HTML in [`super::html`]: each with its place in the source and whether
//! it is marked as quoted. Invariant: in doubt `None`. That is when text stands below or between the quotes, when
//! quoted lines come without a line that says whose they are, and when the mail is longer than [`MAX_LINES`]. Forwards
//! count as replies.

#[cfg(test)]
mod clients;
#[cfg(test)]
mod shapes;
pub(super) mod signature;
mod words;

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use words::HeaderKey;

/// Mail with more lines is not looked at.
pub(super) const MAX_LINES: usize = 50_000;

/// What is looked at of a line, in bytes.
pub(super) const MAX_LINE: usize = 1000;

/// Longer lines are no attribution, in bytes.
const MAX_ATTRIBUTION: usize = 400;

/// Lines over which "On … wrote:" may be wrapped.
const MAX_WRAPPED: usize = 3;

/// Lines in which the header of a quoted message must show itself.
const MAX_HEADER: usize = 12;

/// How a line is marked as quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Quote {
    /// Not at all.
    #[default]
    No,
    /// Indented, as quotes are and other things too: counts with an attribution above it.
    Indented,
    /// With `>`: counts with an attribution above it.
    Marked,
    /// By its mail program, certainly.
    Cited,
}

/// What markup says at a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// All that follows is quoted.
    Quoted,
    /// An element begins that holds the attribution and the quote.
    Wrapper,
    /// A rule across the page.
    Rule,
    /// A signature.
    Signature,
    /// A line of two dashes alone, which may begin one.
    Dashes,
    /// The line above a quote that says whose it is.
    Attribution,
}

/// A line that a reader sees, or a mark between two.
#[derive(Debug, Clone, Default)]
pub(super) struct Line<'a> {
    /// Without white space at either end; cut at [`MAX_LINE`].
    pub(super) text: Cow<'a, str>,
    /// Where in the source a block would go to stand above this line.
    pub(super) place: Option<usize>,
    pub(super) quote: Quote,
    pub(super) mark: Option<Mark>,
    /// Inside the element of the last [`Mark::Wrapper`].
    pub(super) wrapped: bool,
    /// Inside an element that holds a signature.
    pub(super) signed: bool,
    /// An empty line or the edge of a block is above it.
    pub(super) apart: bool,
}

/// Where the newest text of a plain-text reply ends and the quoted message begins, as a byte offset at the start of a
/// line; `None` when it is no reply, when the replies stand between the quotes, or in doubt. Linear.
pub fn reply_end(text: &str) -> Option<usize> {
    newest_end(&lines_of(text)?)
}

/// Where the signature of the newest text begins (RFC 3676 §4.3), as a byte offset at the start of a line; `None` when there
/// is none, nothing stands above it, or in doubt. Linear.
pub fn signature_start(text: &str) -> Option<usize> {
    signature::start(&lines_of(text)?)
}

/// The lines of a plain text; `None` where there are too many.
fn lines_of(text: &str) -> Option<Vec<Line<'_>>> {
    let mut lines = Vec::new();
    let mut place = 0;
    let mut apart = true;
    for whole in text.split_inclusive('\n') {
        if lines.len() >= MAX_LINES {
            return None;
        }
        let shown = cut(whole.trim(), MAX_LINE);
        let quote = if is_marked(shown) { Quote::Marked } else { Quote::No };
        let mark = match whole.trim_end_matches(['\r', '\n']) {
            "-- " => Some(Mark::Signature),
            dashes if dashes.trim_end() == "--" => Some(Mark::Dashes),
            _ => None,
        };
        lines.push(Line { text: Cow::Borrowed(shown), place: Some(place), quote, mark, apart, ..Line::default() });
        place += whole.len();
        apart = shown.is_empty();
    }
    Some(lines)
}

/// The place of the line at which the quoted message begins.
pub(super) fn newest_end(lines: &[Line]) -> Option<usize> {
    let last_text = lines.iter().rposition(|line| !line.text.is_empty())?;
    for (at, line) in lines.iter().enumerate() {
        let quoted = line.quote != Quote::No;
        let begins = match line.mark {
            Some(Mark::Quoted) if last_text > at => Some(attribution_outside(lines, at).unwrap_or(at)),
            Some(Mark::Wrapper) if last_text > at => return wrapper_end(lines, at),
            _ if line.text.is_empty() => None,
            _ if quoted && let Some(first) = attribution_above(lines, at) => return cited_end(lines, at, first),
            _ if line.quote == Quote::Cited => return cited_end(lines, at, at),
            _ if line.quote == Quote::Marked && is_quoted_attribution(lines, at) => return cited_end(lines, at, at),
            _ if line.quote == Quote::Marked => return None,
            _ if is_separator(&line.text) || (is_dashed(&line.text) && header_follows(lines, at + 1)) => {
                return whole_end(lines, at);
            }
            _ if is_header(lines, at) => return whole_end(lines, attribution_of_header(lines, at)),
            _ if is_attribution_of_rest(lines, at) => {
                let first = attribution_start(lines, at);
                // With nothing above it, the answer stands below: what parts it from the quote is not known here.
                return if holds_text(lines, first) { place_at(lines, first) } else { None };
            }
            _ => None,
        };
        if let Some(at) = begins {
            return place_at(lines, at);
        }
    }
    None
}

/// The place of line `at`, or of the rule above it.
fn place_at(lines: &[Line], at: usize) -> Option<usize> {
    lines.get(with_rule_above(lines, at)).and_then(|line| line.place)
}

/// Is there text above line `at`?
fn holds_text(lines: &[Line], at: usize) -> bool {
    lines.get(..at).is_some_and(|above| above.iter().any(|line| !line.text.is_empty() && !is_rule(&line.text)))
}

/// For a message that is quoted whole, with a line or a header on top: where it begins, unless its lines are marked as
/// quoted and others stand between or below them.
fn whole_end(lines: &[Line], at: usize) -> Option<usize> {
    let below = lines.get(at + 1..).unwrap_or_default();
    let header = below.iter().position(|line| !line.text.is_empty()).unwrap_or_default();
    let is_quoted = |line: &&Line| line.quote != Quote::No;
    let len = below.iter().skip(header).take_while(|line| !line.text.is_empty() && !is_quoted(line)).count();
    let content = below.iter().skip(header + len).find(|line| !line.text.is_empty());
    let is_answered = content.is_some_and(|line| line.quote == Quote::Marked)
        && is_answered(below.get(header + len..).unwrap_or_default(), !holds_text(lines, at));
    if is_answered { None } else { place_at(lines, at) }
}

/// True when text stands between or below lines that are marked as quoted: where there is text above them all, only text
/// that is set apart. Else it may be the rest of a long line.
fn is_answered(lines: &[Line], nothing_above: bool) -> bool {
    for (at, line) in lines.iter().enumerate() {
        if is_signature(&line.text) || is_rule(&line.text) || line.mark == Some(Mark::Signature) {
            return false;
        }
        let written = line.quote == Quote::No && !line.text.is_empty() && (nothing_above || line.apart);
        if written && !attribution_below(lines, at) && !is_sent_from(&line.text) {
            return true;
        }
    }
    false
}

/// QUIRK: `--- On Tue, 5/7/24, Kim Lee <kim@example.com> wrote:` stands above the header of the quoted message.
fn attribution_of_header(lines: &[Line], at: usize) -> usize {
    match last_text_above(lines, at) {
        Some((above, line))
            if line.quote == Quote::No
                && ends_in_colon(&line.text)
                && says_wrote(&line.text)
                && opens_attribution(&line.text) =>
        {
            above
        }
        _ => at,
    }
}

/// For an element that holds the attribution and the quote: where it begins, unless something is written in it between
/// the quotes, or behind it.
fn wrapper_end(lines: &[Line], at: usize) -> Option<usize> {
    let inside = |line: &&Line| line.wrapped;
    let first_cited = lines
        .iter()
        .enumerate()
        .skip(at + 1)
        .take_while(|(_, line)| line.wrapped)
        .find(|(_, line)| line.quote != Quote::No && !line.text.is_empty())
        .map(|(position, _)| position);
    let above = lines.get(at + 1..first_cited.unwrap_or(at + 1)).unwrap_or_default();
    let introduced = above.iter().all(|line| line.text.is_empty() || line.text.len() < 300)
        && above.iter().filter(|line| !line.text.is_empty()).count() <= MAX_WRAPPED
        && !above.iter().any(|line| is_separator(&line.text))
        && !header_follows(lines, at + 1);
    match first_cited {
        Some(first) if introduced => cited_end(lines, first, at),
        // A whole message without a mark on its lines: a forward.
        _ => {
            let behind = at + 1 + lines.get(at + 1..)?.iter().take_while(inside).count();
            if is_written(lines, behind) { None } else { lines.get(at)?.place }
        }
    }
}

/// The place of line `first` when all from line `at` on is quoted, but for a signature.
fn cited_end(lines: &[Line], at: usize, first: usize) -> Option<usize> {
    if is_written(lines, at) { None } else { lines.get(first)?.place }
}

/// True when there is text from `at` on that is neither quoted nor a signature nor the footer of a mailing list.
fn is_written(lines: &[Line], at: usize) -> bool {
    let mut signed = false;
    for (position, line) in lines.iter().enumerate().skip(at) {
        if line.quote != Quote::No && !line.text.is_empty() {
            // A quote below a signature: that was no signature.
            if signed {
                return true;
            }
            continue;
        }
        let allowed = signed
            || line.text.is_empty()
            || matches!(line.mark, Some(Mark::Attribution))
            || attribution_below(lines, position)
            || is_sent_from(&line.text);
        signed |= line.mark == Some(Mark::Signature) || is_signature(&line.text) || is_rule(&line.text);
        if !allowed && !signed {
            return true;
        }
    }
    false
}

// -- "On … wrote:" --

/// The first line of the attribution above the quoted line `at`.
fn attribution_above(lines: &[Line], at: usize) -> Option<usize> {
    let (position, line) = last_text_above(lines, at)?;
    if line.quote != Quote::No {
        return None;
    }
    if line.mark == Some(Mark::Attribution)
        || (ends_in_colon(&line.text)
            && line.text.len() <= MAX_ATTRIBUTION
            && (says_wrote(&line.text) || names_sender(&line.text)))
    {
        return Some(attribution_start(lines, position));
    }
    None
}

/// QUIRK: NetEase writes the attribution above the element that it names as the quote.
fn attribution_outside(lines: &[Line], at: usize) -> Option<usize> {
    let (_, line) = last_text_above(lines, at)?;
    (says_wrote(&line.text) && names_sender(&line.text)).then(|| attribution_above(lines, at))?
}

/// QUIRK: Apple Mail marks the attribution as well, as the first line of the quote: `> On … wrote:`. It stands below an
/// empty line and some text.
fn is_quoted_attribution(lines: &[Line], at: usize) -> bool {
    let wrapped = lines.get(at..lines.len().min(at + MAX_WRAPPED)).unwrap_or_default();
    let bare: Vec<&str> = wrapped
        .iter()
        .take_while(|line| line.quote == Quote::Marked)
        .filter_map(|line| line.text.strip_prefix('>').map(str::trim_start))
        .collect();
    let attribution = bare.iter().position(|line| ends_in_colon(line)).and_then(|end| bare.get(..=end));
    lines.get(at).is_some_and(|line| line.apart)
        && lines.get(..at).is_some_and(|above| above.iter().any(|line| !line.text.is_empty()))
        && bare.first().is_some_and(|first| opens_attribution(first))
        && attribution.is_some_and(|lines| lines.iter().any(|line| says_wrote(line)))
}

/// The nearest line above `at` that holds text, at most two empty lines away.
fn last_text_above<'l, 'a>(lines: &'l [Line<'a>], at: usize) -> Option<(usize, &'l Line<'a>)> {
    let first = at.saturating_sub(MAX_WRAPPED);
    let above = lines.get(first..at)?;
    above.iter().enumerate().rev().find(|(_, line)| !line.text.is_empty()).map(|(offset, line)| (first + offset, line))
}

/// Where the attribution begins whose last line is `at`: up to two lines further up when it is wrapped.
fn attribution_start(lines: &[Line], at: usize) -> usize {
    let up = || {
        (0..MAX_WRAPPED.min(at + 1)).map(|wrapped| at - wrapped).take_while(|position| {
            lines.get(*position).is_some_and(|line| !line.text.is_empty() && line.quote == Quote::No)
        })
    };
    let text = |position: usize| lines.get(position).map_or("", |line| &line.text);
    // The rest of a wrapped line may begin with a time, so words come first.
    up().find(|position| opens_with_word(text(*position)))
        .or_else(|| up().find(|position| opens_with_date(text(*position))))
        .unwrap_or(at)
}

/// True for a line of an attribution between two quotes: the next quoted line is near.
fn attribution_below(lines: &[Line], at: usize) -> bool {
    let Some(window) = lines.get(at..lines.len().min(at + MAX_WRAPPED + 1)) else { return false };
    let Some(end) = window.iter().position(|line| ends_in_colon(&line.text) && says_wrote(&line.text)) else {
        return false;
    };
    window.first().is_some_and(|line| end == 0 || opens_attribution(&line.text))
        && lines
            .iter()
            .skip(at + end + 1)
            .find(|line| !line.text.is_empty())
            .is_some_and(|line| line.quote != Quote::No)
}

/// An attribution whose quote has no marks at all: it must be very much like one.
fn is_attribution_of_rest(lines: &[Line], at: usize) -> bool {
    let Some(line) = lines.get(at) else { return false };
    if !ends_in_colon(&line.text) || !says_wrote(&line.text) {
        return false;
    }
    let first = attribution_start(lines, at);
    let Some(whole) = lines.get(first..=at) else { return false };
    let next = lines.iter().skip(at + 1).find(|line| !line.text.is_empty());
    whole.first().is_some_and(|line| opens_attribution(&line.text))
        && whole.iter().any(|line| has_time(&line.text) || line.text.contains('@'))
        && next.is_some_and(|line| line.quote == Quote::No)
}

fn ends_in_colon(text: &str) -> bool {
    text.trim_end_matches(is_direction).ends_with([':', '：']) || is_dashed_attribution(text)
}

/// `---- On … wrote ----`
fn is_dashed_attribution(text: &str) -> bool {
    text.len() <= MAX_ATTRIBUTION && text.starts_with("---- ") && text.ends_with(" ----") && says_wrote(text)
}

/// Marks of writing direction, which some programs put round all that they fill in.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn says_wrote(text: &str) -> bool {
    static WROTE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(words::WROTE).ok());
    text.len() <= MAX_ATTRIBUTION && WROTE.as_ref().is_some_and(|wrote| wrote.is_match(&text.to_lowercase()))
}

/// An address or a date: an attribution in a language that is not known here.
fn names_sender(text: &str) -> bool {
    text.contains('@') || has_time(text)
}

/// `10:05`, `10.05`, `2024`, `1/2/24`: digits of a date or time.
fn has_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(4).any(|w| w.iter().all(u8::is_ascii_digit))
        || bytes.windows(4).any(|w| {
            matches!(w, [a, b':' | b'.' | b'/', c, d] if a.is_ascii_digit() && c.is_ascii_digit() && d.is_ascii_digit())
        })
}

fn opens_attribution(text: &str) -> bool {
    opens_with_word(text) || opens_with_date(text)
}

fn opens_with_word(text: &str) -> bool {
    // Enough for every opener and what follows it.
    let lower = cut(text, 40).to_lowercase();
    let lower = lower.trim_start_matches(|c: char| matches!(c, '*' | '"' | '\'' | '-' | ' ') || is_direction(c));
    words::OPENERS.iter().any(|opener| lower.starts_with(opener)) && text.contains(|c: char| c.is_ascii_digit())
}

/// `2024-05-01 10:00 GMT+02:00 …`, `śr., 1 maj 2024 o …`, `2024年5月1日…`
fn opens_with_date(text: &str) -> bool {
    let weekday = |word: &str| word.ends_with(['.', ',']) && word.chars().count() <= 5;
    has_time(text) && (text.starts_with(|c: char| c.is_ascii_digit()) || text.split(' ').next().is_some_and(weekday))
}

// -- "-----Original Message-----" and headers --

fn is_separator(text: &str) -> bool {
    if text.len() > 200 {
        return false;
    }
    let bare = text.trim_matches(|c: char| {
        matches!(c, '-' | '_' | '=' | '*' | '—' | '–' | '#' | '+' | '>' | '<' | '|' | ':' | '：') || c.is_whitespace()
    });
    if bare.is_empty() {
        return false;
    }
    let dashed = text.starts_with(['-', '_', '=', '*', '—', '–', '#', '+', '|']) || ends_in_colon(text);
    let lower = bare.to_lowercase();
    dashed
        && words::SEPARATORS.iter().any(|words| {
            lower
                .strip_prefix(words)
                .is_some_and(|rest| rest.is_empty() || (*words == "forwarded by" && !rest.is_empty()))
        })
}

/// `--- anything ---`.
fn is_dashed(text: &str) -> bool {
    let dash = |c: char| matches!(c, '-' | '_' | '=' | '—' | '–');
    text.len() <= 200
        && text.chars().take(3).all(dash)
        && text.chars().rev().take(3).all(dash)
        && text.chars().any(char::is_alphabetic)
}

/// A line of one sign.
fn is_rule(text: &str) -> bool {
    text.len() >= 10 && text.bytes().all(|b| matches!(b, b'_' | b'-' | b'=' | b'*' | b'#'))
}

fn with_rule_above(lines: &[Line], at: usize) -> usize {
    match last_text_or_mark_above(lines, at) {
        Some((position, line)) if line.mark == Some(Mark::Rule) || is_rule(&line.text) => position,
        _ => at,
    }
}

fn last_text_or_mark_above<'l, 'a>(lines: &'l [Line<'a>], at: usize) -> Option<(usize, &'l Line<'a>)> {
    let first = at.saturating_sub(MAX_WRAPPED);
    let above = lines.get(first..at)?;
    above
        .iter()
        .enumerate()
        .rev()
        .find(|(_, line)| !line.text.is_empty() || line.mark.is_some())
        .map(|(offset, line)| (first + offset, line))
}

/// True when the first text from `from` on is the header of a quoted message.
fn header_follows(lines: &[Line], from: usize) -> bool {
    let next = lines.iter().enumerate().skip(from).take(MAX_WRAPPED + 1).find(|(_, line)| !line.text.is_empty());
    next.is_some_and(|(position, _)| header_keys(lines, position).count >= 3)
}

/// True when line `at` begins the header of a quoted message. In the middle of other lines it is something else: the
/// raw header that comes back with a bounce.
fn is_header(lines: &[Line], at: usize) -> bool {
    let keys = header_keys(lines, at);
    let ruled = with_rule_above(lines, at) != at;
    // "From, To, Date" is also a journey: that needs an address or a rule above. Without a date it may be told of in a text.
    keys.count >= 3
        && (keys.subject || keys.address || ruled)
        && (keys.date || ruled)
        && (ruled || lines.get(at).is_some_and(|line| line.apart))
}

#[derive(Default)]
struct Keys {
    count: usize,
    date: bool,
    subject: bool,
    address: bool,
}

/// Which header fields stand from line `at` on; none unless the sender's is one of them.
fn header_keys(lines: &[Line], at: usize) -> Keys {
    let mut seen = [false; 4];
    let mut keys = Keys::default();
    let (mut other, mut empty) = (0, 0);
    let mut first = None;
    for (offset, line) in lines.iter().skip(at).take(MAX_HEADER).enumerate() {
        let found = key_of(&line.text);
        match found {
            Some((key, value)) => {
                first = first.or(Some(key));
                let known = match key {
                    HeaderKey::From => 0,
                    HeaderKey::Date => 1,
                    HeaderKey::To => 2,
                    HeaderKey::Subject => 3,
                };
                keys.address |= key == HeaderKey::From && value.contains('@');
                if let Some(seen) = seen.get_mut(known) {
                    *seen = true;
                }
                (other, empty) = (0, 0);
            }
            None if offset == 0 => return Keys::default(),
            None if line.text.is_empty() => empty += 1,
            None if is_separator(&line.text) || is_dashed(&line.text) => break,
            None => other += 1,
        }
        // Fields that are not known here, long lists of recipients.
        if other > 4 || empty > 1 || (empty > 0 && first != Some(HeaderKey::From)) {
            break;
        }
    }
    let [from, date, _, subject] = seen;
    if from {
        keys.count = seen.iter().filter(|seen| **seen).count();
        (keys.date, keys.subject) = (date, subject);
    }
    keys
}

/// The header field and the value of a line like `*From:* Ann`.
fn key_of(text: &str) -> Option<(HeaderKey, &str)> {
    let (label, value) = cut(text, MAX_LINE).split_once([':', '：'])?;
    if label.len() > 60 {
        return None;
    }
    let label = label.trim_matches(|c: char| matches!(c, '*' | '>' | '_') || c.is_whitespace()).to_lowercase();
    Some((words::header_key(&label)?, value))
}

// -- lines --

/// Begins with `>`, or with up to three initials and `>`. `>From ` is how mbox files write a line that begins so.
pub(super) fn is_marked(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_uppercase());
    rest.starts_with('>') && line.len() - rest.len() <= 3 && !line.starts_with(">From ")
}

fn is_signature(text: &str) -> bool {
    text == "--" || text == "-- "
}

fn is_sent_from(text: &str) -> bool {
    let lower = cut(text, 60).to_lowercase();
    words::SENT_FROM.iter().any(|words| lower.starts_with(words))
}

/// The beginning of `text`, at most `max` bytes.
pub(super) fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}
