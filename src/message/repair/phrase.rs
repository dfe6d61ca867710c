//! Raw 8-bit text in structured fields: names and comments are encoded, addresses never (RFC 2047 §5).

use super::super::header::decode_value;
use super::words;

/// A piece of a structured value (RFC 5322 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'t> {
    /// Folding white space.
    Blank(&'t str),
    /// `(…)`, with its parentheses.
    Comment(&'t str),
    /// `"…"`, with its quotation marks.
    Quoted(&'t str),
    /// `<…>`.
    Angle(&'t str),
    /// `,`, `;` or `:`.
    Mark(&'t str),
    /// Anything else.
    Atom(&'t str),
}

impl Piece<'_> {
    const fn text(&self) -> &str {
        match self {
            Self::Blank(t) | Self::Comment(t) | Self::Quoted(t) | Self::Angle(t) | Self::Mark(t) | Self::Atom(t) => t,
        }
    }
}

/// A list of addresses, or of phrases, with its names and comments encoded.
pub(super) fn encode_people(value: &str, column: usize) -> String {
    let mut out = String::with_capacity(value.len() * 2);
    let pieces = pieces(value);
    let ends = ends(&pieces);
    let mut at = 0;
    while at < pieces.len() {
        let rest = pieces.get(at..).unwrap_or_default();
        // A name goes on to the address, the comment or the mark behind it.
        let len = rest.iter().take_while(|p| matches!(p, Piece::Blank(_) | Piece::Quoted(_) | Piece::Atom(_))).count();
        let run = rest.get(..len).unwrap_or_default();
        let next = rest.get(len);
        let bare = run.iter().any(|piece| matches!(piece, Piece::Atom(text) if text.contains('@')));
        // Without an address in angle brackets behind it, what holds an @ is the address itself.
        let is_name = !bare || matches!(ends.get(at), Some(Some(Piece::Angle(_) | Piece::Mark(":"))));
        if is_name && run.iter().any(|piece| !piece.text().is_ascii()) {
            encode_run(run, next.is_some_and(|p| !matches!(p, Piece::Mark(_))), column, &mut out);
        } else {
            for piece in run {
                out.push_str(piece.text());
            }
        }
        if let Some(piece) = next {
            push(*piece, column, &mut out);
        }
        at += len + 1;
    }
    out
}

/// For each piece the address in angle brackets, or else the mark, that ends what it is part of.
fn ends<'t>(pieces: &[Piece<'t>]) -> Vec<Option<Piece<'t>>> {
    let mut ends = vec![None; pieces.len()];
    let mut end = None;
    for (slot, piece) in ends.iter_mut().zip(pieces).rev() {
        if matches!(piece, Piece::Angle(_) | Piece::Mark(_)) {
            end = Some(*piece);
        }
        *slot = end;
    }
    ends
}

/// Any other structured value, with its comments encoded.
pub(super) fn encode_comments(value: &str, column: usize) -> String {
    let mut out = String::with_capacity(value.len() * 2);
    for piece in pieces(value) {
        push(piece, column, &mut out);
    }
    out
}

fn push(piece: Piece<'_>, column: usize, out: &mut String) {
    match piece {
        Piece::Comment(text) if !text.is_ascii() && !text.contains('\\') => {
            // What stands between parentheses; comments may nest.
            let mut rest = text;
            while !rest.is_empty() {
                let end = rest.find(['(', ')']).unwrap_or(rest.len());
                let (inner, behind) = rest.split_at(end);
                if inner.is_ascii() {
                    out.push_str(inner);
                } else {
                    let from = words::make_room(out, column);
                    out.push_str(&words::encode(inner, from));
                }
                let (mark, behind) = behind.split_at(usize::from(!behind.is_empty()));
                out.push_str(mark);
                rest = behind;
            }
        }
        _ => out.push_str(piece.text()),
    }
}

/// A name as encoded words, all of it: quotation marks and words that are encoded already are undone. `more`: something
/// stands behind it that it must be kept apart from.
fn encode_run(run: &[Piece<'_>], more: bool, column: usize, out: &mut String) {
    let leading = run.iter().take_while(|piece| matches!(piece, Piece::Blank(_))).count();
    let trailing = run.iter().rev().take_while(|piece| matches!(piece, Piece::Blank(_))).count();
    let blank = |range: &[Piece<'_>]| range.iter().map(Piece::text).collect::<String>();
    let before = blank(run.get(..leading).unwrap_or_default());
    let behind = blank(run.get(run.len().saturating_sub(trailing)..).unwrap_or_default());
    let mut name = String::new();
    let mut plain = String::new();
    for piece in run.get(leading..run.len().saturating_sub(trailing)).unwrap_or_default() {
        match piece {
            Piece::Quoted(text) => {
                name.push_str(&decoded(&plain));
                plain.clear();
                let inner = text.strip_prefix('"').unwrap_or(text);
                name.push_str(&unescaped(inner.strip_suffix('"').unwrap_or(inner)));
            }
            piece => plain.push_str(piece.text()),
        }
    }
    name.push_str(&decoded(&plain));
    out.push_str(&before);
    if before.is_empty() && out.ends_with(|c: char| !matches!(c, ',' | ';' | ':' | ' ' | '\t' | '\n')) {
        out.push(' ');
    }
    words::append(&name, column, out);
    out.push_str(if behind.is_empty() && more { " " } else { &behind });
}

/// Atoms and the white space between them as readers show them.
fn decoded(plain: &str) -> String {
    let lead = plain.len() - plain.trim_start().len();
    let tail = plain.trim_end().len();
    let mut out = String::from(if lead > 0 { " " } else { "" });
    out.push_str(&decode_value(plain.get(lead..tail.max(lead)).unwrap_or_default().as_bytes()));
    if tail > lead && tail < plain.len() {
        out.push(' ');
    }
    out
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().filter(|c| !matches!(c, '\r' | '\n'));
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    out
}

fn pieces(value: &str) -> Vec<Piece<'_>> {
    let bytes = value.as_bytes();
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        let end = match b {
            b' ' | b'\t' | b'\r' | b'\n' => span(bytes, at, |b| b.is_ascii_whitespace()),
            b'(' => closed(bytes, at, b'(', b')'),
            b'"' => closed(bytes, at, 0, b'"'),
            b'<' => closed(bytes, at, 0, b'>'),
            b',' | b';' | b':' => at + 1,
            _ => span(bytes, at, |b| !b.is_ascii_whitespace() && !b"(\"<,;:".contains(&b)),
        };
        let text = value.get(at..end).unwrap_or_default();
        pieces.push(match b {
            b' ' | b'\t' | b'\r' | b'\n' => Piece::Blank(text),
            b'(' => Piece::Comment(text),
            b'"' => Piece::Quoted(text),
            b'<' => Piece::Angle(text),
            b',' | b';' | b':' => Piece::Mark(text),
            _ => Piece::Atom(text),
        });
        at = end;
    }
    pieces
}

fn span(bytes: &[u8], at: usize, holds: impl Fn(u8) -> bool) -> usize {
    bytes.get(at..).and_then(|rest| rest.iter().position(|b| !holds(*b))).map_or(bytes.len(), |n| at + n.max(1))
}

/// Behind the octet that closes what `at` opens; the end of the value where nothing does.
fn closed(bytes: &[u8], at: usize, open: u8, close: u8) -> usize {
    let (mut depth, mut at) = (1_usize, at + 1);
    while let Some(&b) = bytes.get(at) {
        match b {
            b'\\' => at += 1,
            b if b == close => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b if b == open && open != 0 => depth += 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::super::field::addresses;
    use super::*;

    #[test]
    fn names_and_comments_are_encoded_and_addresses_never() {
        for (value, expected) in [
            (" Jürgen <j@example.com>", " =?utf-8?Q?J=C3=BCrgen?= <j@example.com>"),
            (" \"Müller, Jürgen\" <j@example.com>", " =?utf-8?B?TcO8bGxlciwgSsO8cmdlbg==?= <j@example.com>"),
            (
                " \"Jürgen\"<j@example.com>,Ann <ann@example.com>",
                " =?utf-8?Q?J=C3=BCrgen?= <j@example.com>,Ann <ann@example.com>",
            ),
            (" j@example.com (Jürgen)", " j@example.com (=?utf-8?Q?J=C3=BCrgen?=)"),
            (
                " Großes Team: a@example.com, b@example.com;",
                " =?utf-8?Q?Gro=C3=9Fes_Team?=: a@example.com, b@example.com;",
            ),
            (
                " Ann <ann@example.com>, Zoë\r\n <z@example.com>",
                " Ann <ann@example.com>, =?utf-8?Q?Zo=C3=AB?=\r\n <z@example.com>",
            ),
            (" \"Jürgen\" Müller <j@example.com>", " =?utf-8?B?SsO8cmdlbiBNw7xsbGVy?= <j@example.com>"),
            (" =?utf-8?Q?J=C3=BCrgen?= Müller <j@example.com>", " =?utf-8?B?SsO8cmdlbiBNw7xsbGVy?= <j@example.com>"),
        ] {
            let out = encode_people(value, 5);
            assert_eq!(out, expected);
            assert_eq!(addresses(&out), addresses(value), "{value}");
        }
        for value in [" jürgen@example.com", " Ann <jürgen@example.com>", " ann@bücher.example, Bob <b@example.com>"]
        {
            assert_eq!(encode_people(value, 5), value);
        }
    }

    #[test]
    fn of_other_fields_only_comments_are_encoded() {
        let value = " from jürgen.example (Großes (inneres) Haus) by x; today";
        let expected = " from jürgen.example (=?utf-8?Q?Gro=C3=9Fes?= (inneres) Haus) by x; today";
        assert_eq!(encode_comments(value, 10), expected);
    }

    #[test]
    fn what_is_not_closed_ends_with_the_value() {
        for value in [" \"Jürgen", " (Jürgen", " <jürgen", " \"é\\", "é", "(", "<>,;:\"\"", " , é"] {
            let _ = encode_people(value, 5);
            let _ = encode_comments(value, 5);
        }
    }

    #[test]
    fn white_space_that_is_no_blank_is_a_piece_of_its_own() {
        assert_eq!(encode_comments(" a\x0C (Größe)", 5), " a\x0C (=?utf-8?B?R3LDtsOfZQ==?=)");
    }
}
