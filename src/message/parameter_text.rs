//! The file names in Content-Type and Content-Disposition as text, in every way of writing them, and how a change of that
//! text goes back: quoted or not, with encoded words inside (against RFC 2047 §5, and common), with percent signs and cut
//! into pieces (RFC 2231).
//!
//! Invariant: what no edit touches keeps its octets; no other parameter is touched.

use std::ops::Range;

use super::edits::Edit;
use super::mime_field::{comment_end, quoted_string};
use super::text_edits::TextEdit;
use super::{FieldText, LineEnd, Spelled};
use crate::percent::{self, IN_PARAMETER};

/// More pieces than this are not put together; RFC 2231 sets no limit.
const MAX_PIECES: usize = 1_000;

/// A file name and what spells it.
#[derive(Debug, Clone)]
pub struct ParameterText {
    /// The values, in the order of the text.
    pieces: Vec<Piece>,
    whole: Whole,
}

#[derive(Debug, Clone)]
enum Whole {
    /// One value without percent signs.
    Simple(FieldText),
    /// By RFC 2231; the source is the value of the field, in which the pieces may stand in any order.
    Pieces(Spelled),
}

#[derive(Debug, Clone)]
struct Piece {
    /// What stands between the quotes, or the whole value.
    inner: Range<usize>,
    quoted: bool,
    percent: bool,
    number: usize,
}

/// A parameter as it stands in a value.
struct Parameter {
    name: String,
    inner: Range<usize>,
    quoted: bool,
}

impl ParameterText {
    /// The `name` and `filename` parameters in the raw value of a field. Of one name there may be several: as it is and by
    /// RFC 2231, or twice.
    pub fn read(raw: &[u8]) -> Vec<Self> {
        let mut found = Vec::new();
        let parameters = parameters(raw);
        for base in ["name", "filename"] {
            let mut pieces: Vec<Piece> = Vec::new();
            for parameter in &parameters {
                let Some(rest) = parameter.name.strip_prefix(base) else { continue };
                let (inner, quoted) = (parameter.inner.clone(), parameter.quoted);
                if rest.is_empty() {
                    let text = FieldText::read(raw.get(inner.clone()).unwrap_or_default());
                    let piece = Piece { inner, quoted, percent: false, number: 0 };
                    found.push(Self { pieces: vec![piece], whole: Whole::Simple(text) });
                    continue;
                }
                let Some(rest) = rest.strip_prefix('*') else { continue };
                let (number, percent) = match rest.strip_suffix('*') {
                    Some(number) => (number, true),
                    None => (rest, rest.is_empty()),
                };
                let number = if number.is_empty() { Ok(0) } else { number.parse() };
                if let Ok(number) = number
                    && pieces.len() < MAX_PIECES
                {
                    pieces.push(Piece { inner, quoted, percent, number });
                }
            }
            if !pieces.is_empty() {
                pieces.sort_by_key(|piece| piece.number);
                if let Some(text) = joined(raw, &pieces) {
                    found.push(Self { pieces, whole: Whole::Pieces(text) });
                }
            }
        }
        found
    }

    /// The name, decoded.
    pub fn text(&self) -> &str {
        match &self.whole {
            Whole::Simple(field) => field.text(),
            Whole::Pieces(spelled) => spelled.text(),
        }
    }

    /// The edits of the raw value that it was read from which bring edits of the text about, in order.
    pub(super) fn edits(&self, edits: &[TextEdit], line_end: LineEnd) -> Option<Vec<Edit>> {
        if edits.is_empty() {
            return Some(Vec::new());
        }
        match &self.whole {
            Whole::Simple(field) => {
                let piece = self.pieces.first()?;
                let clean: Vec<TextEdit> = edits
                    .iter()
                    .map(|edit| TextEdit { range: edit.range.clone(), text: without_quotes(&edit.text) })
                    .collect();
                let mut with = field.edited(&clean, line_end)?;
                if !piece.quoted {
                    with = [b"\"", with.trim_ascii(), b"\""].concat();
                }
                Some(vec![Edit { range: piece.inner.clone(), with: with.into() }])
            }
            Whole::Pieces(spelled) => {
                let mut out: Vec<Edit> = Vec::new();
                for edit in edits {
                    for (n, run) in spelled.pieces(edit.range.clone()).enumerate() {
                        let text = if n == 0 { edit.text.as_str() } else { "" };
                        let holder = self
                            .pieces
                            .iter()
                            .find(|piece| piece.inner.start <= run.source.start && run.source.end <= piece.inner.end)?;
                        let with = if holder.percent {
                            percent::encoded(text, IN_PARAMETER).to_string()
                        } else {
                            without_quotes(text)
                        };
                        out.push(Edit { range: run.source, with: with.into_bytes().into() });
                    }
                }
                for piece in self.pieces.iter().filter(|piece| !piece.quoted && !piece.percent) {
                    let touched =
                        |edit: &Edit| piece.inner.start <= edit.range.start && edit.range.end <= piece.inner.end;
                    if out.iter().any(touched) {
                        for at in [piece.inner.start, piece.inner.end] {
                            out.push(Edit { range: at..at, with: b"\"".to_vec().into() });
                        }
                    }
                }
                // A quote that closes stands behind the edit that ends where it stands.
                out.sort_by_key(|edit| (edit.range.start, edit.range.end));
                Some(out)
            }
        }
    }
}

fn joined(raw: &[u8], pieces: &[Piece]) -> Option<Spelled> {
    let mut whole = Spelled::default();
    for (n, piece) in pieces.iter().enumerate() {
        let value = raw.get(piece.inner.clone())?;
        let text = std::str::from_utf8(value).ok()?;
        // The first piece says charset and language.
        let prefix = match text.match_indices('\'').nth(1) {
            Some((at, _)) if n == 0 && piece.percent => at + 1,
            _ => 0,
        };
        let spelled = Spelled::plain(text.get(prefix..)?, piece.inner.start + prefix);
        whole.extend(&if piece.percent { spelled.percent_decoded(false) } else { spelled });
    }
    Some(whole)
}

/// A mask inside of quotes needs no escapes.
fn without_quotes(text: &str) -> String {
    let safe = |c| match c {
        '"' | '\\' => '_',
        c if c.is_ascii() && !c.is_ascii_control() => c,
        _ => '*',
    };
    text.chars().map(safe).collect()
}

/// The parameters of a value: comments and what stands before the first `;` are passed over.
fn parameters(raw: &[u8]) -> Vec<Parameter> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        match byte {
            b'"' => at = quoted_string(raw, at).1,
            b'(' => at = comment_end(raw, at),
            b';' => {
                let Some((parameter, next)) = parameter(raw, at + 1) else {
                    at += 1;
                    continue;
                };
                found.push(parameter);
                at = next;
            }
            _ => at += 1,
        }
    }
    found
}

fn parameter(raw: &[u8], from: usize) -> Option<(Parameter, usize)> {
    let blank = |from: usize| {
        let mut at = from;
        loop {
            match raw.get(at) {
                Some(b) if b.is_ascii_whitespace() => at += 1,
                Some(b'(') => at = comment_end(raw, at),
                _ => return at,
            }
        }
    };
    let start = blank(from);
    let is_name = |b: &u8| b.is_ascii_graphic() && !b";=\"(".contains(b);
    let length = raw.get(start..)?.iter().take_while(|b| is_name(b)).count();
    let name = String::from_utf8_lossy(raw.get(start..start + length)?).to_ascii_lowercase();
    let equals = blank(start + length);
    if length == 0 || raw.get(equals) != Some(&b'=') {
        return None;
    }
    let value = blank(equals + 1);
    if raw.get(value) == Some(&b'"') {
        let (end, next) = quoted_string(raw, value);
        return Some((Parameter { name, inner: value + 1..end, quoted: true }, next));
    }
    // QUIRK: names without quotes that hold spaces and brackets are common; a value goes to the `;` or the line's end.
    let rest = raw.get(value..)?;
    let length = rest.iter().position(|b| matches!(b, b';' | b'\r' | b'\n')).unwrap_or(rest.len());
    let inner = value..value + rest.get(..length)?.trim_ascii_end().len();
    Some((Parameter { name, inner, quoted: false }, value + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(raw: &str) -> Vec<String> {
        ParameterText::read(raw.as_bytes()).iter().map(|name| name.text().to_owned()).collect()
    }

    fn masked(raw: &str, find: &str, mask: &str) -> String {
        let mut out = raw.as_bytes().to_vec();
        for n in 0..ParameterText::read(raw.as_bytes()).len() {
            let names = ParameterText::read(&out);
            let Some(start) = names[n].text().find(find) else { continue };
            let edit = TextEdit { range: start..start + find.len(), text: mask.to_owned() };
            for edit in names[n].edits(&[edit], LineEnd::CrLf).unwrap().into_iter().rev() {
                out.splice(edit.range, edit.with);
            }
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_are_read_in_every_spelling() {
        assert_eq!(texts(" text/csv; name=a b.csv; charset=x"), ["a b.csv"]);
        assert_eq!(texts(" text/csv (;name=c); Name = \"a;b.csv\""), ["a;b.csv"]);
        assert_eq!(texts(" attachment; filename=\"=?utf-8?Q?a=C3=BC?=\r\n =?utf-8?Q?b?=\""), ["aüb"]);
        assert_eq!(texts(" attachment; filename*=utf-8''a%20%C3%BC.csv"), ["a ü.csv"]);
        assert_eq!(
            texts(" attachment; filename*0*=utf-8'en'a%20;\r\n\tfilename*1=\"b c\";\r\n\tfilename*2*=%2Ed"),
            ["a b c.d"]
        );
        assert_eq!(texts(" attachment; filename*1=b; filename*0=a"), ["ab"]);
        assert_eq!(texts(" attachment; filename=\"a\"; filename*=utf-8''b"), ["a", "b"]);
    }

    #[test]
    fn names_are_masked_in_every_spelling() {
        assert_eq!(
            masked(" text/csv; name=4111.csv; charset=x", "4111", "[X]"),
            " text/csv; name=\"[X].csv\"; charset=x"
        );
        assert_eq!(masked(" text/csv; name=\"a 4111.csv\"", "4111", "[X]"), " text/csv; name=\"a [X].csv\"");
        assert_eq!(
            masked(" a; filename=\"=?utf-8?Q?=C3=BC4111?=\"", "4111", "[X]"),
            " a; filename=\"=?utf-8?Q?=C3=BC=5BX=5D?=\""
        );
        assert_eq!(
            masked(" a; filename*=utf-8''%C3%BC%34111.csv", "4111", "[X]"),
            " a; filename*=utf-8''%C3%BC%5BX%5D.csv"
        );
        assert_eq!(
            masked(" a; filename*0*=utf-8''a%2041;\r\n filename*1=\"11 b\"; filename*2=c", "4111", "[X]"),
            " a; filename*0*=utf-8''a%20%5BX%5D;\r\n filename*1=\" b\"; filename*2=c"
        );
        assert_eq!(
            masked(" a; filename*0=a41; filename*1=11", "4111", "[X]"),
            " a; filename*0=\"a[X]\"; filename*1=\"\""
        );
    }
}
