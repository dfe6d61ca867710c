//! What must hold of every rewrite, checked from outside: by where the bytes lie in memory and by reading lines.
//! Shares no code with `verify.rs`.

use std::ops::Range;

use mailwright::message::Rendered;

/// RFC 5322 §2.1.1.
const MAX_LINE: usize = 998;

/// A piece of the rewritten message: where it is in the output, and where it was in the input.
struct Piece {
    out: Range<usize>,
    /// `None` for new bytes.
    was: Option<Range<usize>>,
}

/// Invariants 1, 2 and 4 of one rewrite. `named` are the header fields that the rules name, `wraps` says whether the
/// rules may put a message below a new part. The answer says what does not hold.
#[allow(dead_code, reason = "the properties check one by one")]
pub fn hold(raw: &[u8], rendered: &Rendered<'_>, named: &[&str], wraps: bool) -> Result<(), String> {
    let out = rendered.to_vec();
    locality(raw, rendered)?;
    header_fields(raw, &out, named, wraps)?;
    wire(raw, rendered, wraps)
}

/// Invariant 1: every byte outside the new ones is a byte that came in, in order.
pub fn locality(raw: &[u8], rendered: &Rendered<'_>) -> Result<(), String> {
    let mut at = 0;
    for was in pieces(raw, rendered).into_iter().filter_map(|piece| piece.was) {
        if was.start < at || was.end > raw.len() {
            return Err(format!("bytes {was:?} come after byte {at}"));
        }
        at = was.end;
    }
    if rendered.len() != rendered.to_vec().len() {
        return Err("the length is wrong".to_owned());
    }
    Ok(())
}

/// What is a slice of the input lies inside it; all else is new.
fn pieces(raw: &[u8], rendered: &Rendered<'_>) -> Vec<Piece> {
    let (first, mut at) = (raw.as_ptr().addr(), 0);
    let mut pieces = Vec::new();
    for slice in rendered.slices() {
        let start = slice.as_ptr().addr();
        let inside = !slice.is_empty() && start >= first && start + slice.len() <= first + raw.len();
        let was = inside.then(|| start - first..start - first + slice.len());
        pieces.push(Piece { out: at..at + slice.len(), was });
        at += slice.len();
    }
    pieces
}

/// Is this field meant? `List-*` are all that begin so.
fn names(pattern: &str, name: &[u8]) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.get(..start.len()).is_some_and(|n| n.eq_ignore_ascii_case(start.as_bytes())),
        None => name.eq_ignore_ascii_case(pattern.as_bytes()),
    }
}

/// Invariant 2: fields that no rule names keep their bytes and their order. A header that is not made of fields alone is
/// not compared.
pub fn header_fields(raw: &[u8], out: &[u8], named: &[&str], wraps: bool) -> Result<(), String> {
    let (Some(before), Some(after)) = (fields(raw), fields(out)) else { return Ok(()) };
    let mime: &[&str] = &["MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
    let may_change = |field: &[u8]| {
        let name = field.split(|b| *b == b':').next().unwrap_or_default().trim_ascii_end();
        named.iter().chain(mime).any(|n| names(n, name))
            // With its body, a message that is a notice takes along what says so.
            || wraps && (names("Content-*", name) || names("X-Mailwright-Notice", name))
    };
    let kept = |fields: &[Vec<u8>]| fields.iter().filter(|f| !may_change(f)).cloned().collect::<Vec<_>>();
    if kept(&before) == kept(&after) { Ok(()) } else { Err("a field that no rule names changed".to_owned()) }
}

/// The fields of the header, each with its continuation lines; `None` where it holds a line that is no field, or does
/// not end in a blank line.
pub fn fields(raw: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in raw.split_inclusive(|b| *b == b'\n') {
        let text = line.strip_suffix(b"\n").map_or(line, |l| l.strip_suffix(b"\r").unwrap_or(l));
        match text.first() {
            None => return Some(fields),
            Some(b' ' | b'\t') => fields.last_mut()?.extend_from_slice(line),
            Some(_) => {
                let name = text.get(..text.iter().position(|b| *b == b':')?)?.trim_ascii_end();
                if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) || text.contains(&b'\r') {
                    return None;
                }
                fields.push(line.to_vec());
            }
        }
    }
    None
}

/// Invariant 4: no changed line is too long, nothing that is not 7-bit and no NUL is brought in, lines end as before.
pub fn wire(raw: &[u8], rendered: &Rendered<'_>, wraps: bool) -> Result<(), String> {
    let out = rendered.to_vec();
    let is_odd = |b: &&u8| !b.is_ascii() || **b == 0;
    let mut was_end = 0;
    for piece in pieces(raw, rendered) {
        let new = out.get(piece.out.clone()).unwrap_or_default();
        let seam = piece.was.as_ref().is_some_and(|was| was.start != was_end);
        if let Some(was) = &piece.was {
            was_end = was.end;
        }
        if piece.was.is_none() {
            // Wrapping moves the fields that describe the body down, as they are.
            if !wraps && new.iter().any(|b| is_odd(&b)) {
                return Err("an octet that is not 7-bit was brought in".to_owned());
            }
            changed_lines(&out, &piece.out)?;
        } else if seam {
            changed_lines(&out, &(piece.out.start..piece.out.start))?;
        }
    }
    if out.iter().filter(is_odd).count() > raw.iter().filter(is_odd).count() {
        return Err("there are more octets that are not 7-bit".to_owned());
    }
    // A CR that stood alone and has a new LF behind it is no line end that an edit brought in.
    let mut without = out.clone();
    for piece in pieces(raw, rendered).iter().filter(|piece| piece.was.is_some()).rev() {
        let last = piece.out.end.saturating_sub(1);
        let followed = out.get(piece.out.clone()).is_some_and(|kept| kept.last() == Some(&b'\r'))
            && out.get(piece.out.end) == Some(&b'\n')
            && piece.was.as_ref().is_some_and(|was| raw.get(was.end) != Some(&b'\n'));
        if let Some(octet) = without.get_mut(last).filter(|_| followed) {
            *octet = b' ';
        }
    }
    let (before, after) = (line_ends(raw), line_ends(&without));
    if before != (true, true) && before != (false, false) && before != after {
        return Err(format!("line ends (CRLF, LF) {before:?} became {after:?}"));
    }
    Ok(())
}

/// The lines that a changed range is on are not too long. Behind a line end, the next line is no changed one.
fn changed_lines(out: &[u8], range: &Range<usize>) -> Result<(), String> {
    let start = out.get(..range.start).unwrap_or_default().iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    if start == range.end {
        return Ok(());
    }
    let mut at = start;
    for line in out.get(start..).unwrap_or_default().split_inclusive(|b| *b == b'\n') {
        if at >= range.end && at > start {
            break;
        }
        at += line.len();
        let len = line.strip_suffix(b"\n").map_or(line, |l| l.strip_suffix(b"\r").unwrap_or(l)).len();
        if len > MAX_LINE {
            return Err(format!("a changed line has {len} octets"));
        }
    }
    Ok(())
}

/// Whether lines end in CRLF, and whether lines end in LF alone or CR stands alone.
fn line_ends(raw: &[u8]) -> (bool, bool) {
    let before = |at: usize| at.checked_sub(1).and_then(|i| raw.get(i));
    let crlf = (0..raw.len()).any(|at| raw.get(at) == Some(&b'\n') && before(at) == Some(&b'\r'));
    let alone = (0..raw.len()).any(|at| match raw.get(at) {
        Some(b'\n') => before(at) != Some(&b'\r'),
        Some(b'\r') => raw.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    (crlf, alone)
}
