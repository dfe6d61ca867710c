//! The text of a part on its way through the rules, and how it goes back: in its own charset and transfer encoding.
//!
//! Invariant: what no edit touched goes back as the bytes that it came in as. The transfer encoding is undone, the charset
//! is not: new text is written in the part's charset. In HTML what is not ASCII becomes numeric character references, so
//! HTML needs no other charset. Plain text that its charset cannot hold moves the whole part to UTF-8.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::body::BodyKind;
use super::charset::{Charset, Reading};
use super::delimiter;
use super::draft::BodyError;
use super::edits::Edit;
use super::foresight;
use super::part::{Part, TransferEncoding};
use super::pieces::{Cutter, Piece, Pieces};
use super::text_edits::TextEdits;
use super::transfer::{self, Splice};
use super::{LineEnd, Message, PartId, mime_field};

/// From so many pieces on, replacements that stand near each other are written as one.
const MANY: usize = 10_000;
/// How near that is, in octets.
const NEAR: usize = 64;
/// And where there would be too many still.
const FAR: usize = 512;
/// And how long such a one gets before another begins, in octets.
const JOINED: usize = 64 * 1_024;
/// So many replacements are made in one part, when those that can be are written as one.
const MAX_REPLACEMENTS: usize = 250_000;

/// How a body is encoded anew.
type Encode = fn(&[u8], LineEnd) -> (TransferEncoding, Vec<u8>);

/// The text of one part. What is worked out from it is worked out once.
#[derive(Debug)]
pub(super) struct PartText<'m> {
    /// What came in, decoded.
    original: Arc<Cow<'m, str>>,
    /// The bytes behind it, where they differ from those of `original`.
    bytes: Option<Arc<Cow<'m, [u8]>>>,
    charset: Charset,
    /// How far readers agree on it.
    reading: Reading,
    kind: BodyKind,
    /// Empty while nothing was edited.
    pieces: Pieces,
    current: OnceLock<String>,
    raw_edits: OnceLock<Result<Vec<Edit>, BodyError>>,
}

impl<'m> PartText<'m> {
    /// Read a part.
    pub fn read(message: &Message<'m>, part: &Part, kind: BodyKind) -> Result<Self, BodyError> {
        let raw = message.raw().get(part.body.clone()).unwrap_or_default();
        let decoded = transfer::decode(part.encoding, raw)?;
        let charset = Charset::of(part.charset.as_deref(), &decoded);
        if charset.is_opaque() {
            return Err(BodyError::Charset);
        }
        let (original, bytes, reading) = match decoded {
            Cow::Borrowed(bytes) => {
                let (text, reading) = charset.decode(bytes);
                let same = text.as_bytes() == bytes;
                (text, (!same).then_some(Cow::Borrowed(bytes)), reading)
            }
            Cow::Owned(bytes) => {
                let (text, reading) = charset.decode(&bytes);
                match text {
                    // `Borrowed` means that the bytes are the text.
                    Cow::Borrowed(_) => match String::from_utf8(bytes) {
                        Ok(text) => (Cow::Owned(text), None, reading),
                        Err(error) => {
                            let bytes = error.into_bytes();
                            (Cow::Owned(charset.decode(&bytes).0.into_owned()), Some(Cow::Owned(bytes)), reading)
                        }
                    },
                    Cow::Owned(text) => (Cow::Owned(text), Some(Cow::Owned(bytes)), reading),
                }
            }
        };
        Ok(Self {
            original: Arc::new(original),
            bytes: bytes.map(Arc::new),
            charset,
            reading,
            kind,
            pieces: Pieces::default(),
            current: OnceLock::new(),
            raw_edits: OnceLock::new(),
        })
    }

    /// The text as it stands now.
    pub fn current(&self) -> &str {
        if self.pieces.is_empty() {
            return &self.original;
        }
        self.current.get_or_init(|| self.pieces.read(&self.original))
    }

    /// The text that came in.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// What the current text is made of; empty when it is what came in.
    pub fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// True when an edit was made.
    pub fn is_edited(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// The text with ranges of the current text replaced, which ascend and do not overlap; `None` when they do not. No range
    /// takes half of a CRLF: the line end stays.
    pub fn edited(&self, edits: &TextEdits) -> Option<Self> {
        let current = self.current();
        let mut at = 0;
        for (range, _) in edits.iter() {
            if range.start < at || current.get(range.clone()).is_none() {
                return None;
            }
            at = range.end;
        }
        let whole = self.pieces.is_empty().then(|| Piece::Kept(0..self.original.len()));
        let mut cutter = Cutter::new(whole.into_iter().chain(self.pieces.iter()));
        let mut new = Pieces::default();
        for (range, text) in edits.iter() {
            let range = beside_line_ends(current, &range);
            cutter.take_to(range.start, &mut |piece| new.push(piece));
            cutter.take_to(range.end, &mut |_| ());
            new.push(&Piece::New(&match self.kind {
                BodyKind::Plain => Cow::Borrowed(text),
                BodyKind::Html => character_references(text),
            }));
        }
        cutter.take_to(usize::MAX, &mut |piece| new.push(piece));
        if edits.is_over() || new.is_over() {
            return None;
        }
        Some(Self {
            original: Arc::clone(&self.original),
            bytes: self.bytes.clone(),
            charset: self.charset,
            reading: self.reading,
            kind: self.kind,
            pieces: new,
            current: OnceLock::new(),
            raw_edits: OnceLock::new(),
        })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().map_or(self.original.as_bytes(), AsRef::as_ref)
    }

    /// The edits as replacements of the text that came in. Where there are very many, the text between two that stand `near`
    /// each other is written again with them: it reads as it did, and a text that is nothing but finds is one of a few
    /// replacements. `None` where there are more than [`MAX_REPLACEMENTS`] still.
    fn replacements(&self, near: usize, rewritable: impl Fn(&str) -> bool) -> Option<Vec<(Range<usize>, String)>> {
        let joins = self.pieces.count() > MANY;
        let mut replacements: Vec<(Range<usize>, String)> = Vec::new();
        // Where the text ends that is done with, and what comes in place of what follows, up to where.
        let mut at = 0;
        let mut pending = None::<(usize, String)>;
        let mut pieces = self.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            let range = match piece {
                Piece::New(text) => {
                    pending.get_or_insert_with(|| (at, String::new())).1.push_str(text);
                    continue;
                }
                Piece::Kept(range) => range,
            };
            let from = pending.as_ref().map_or(at, |(until, _)| *until);
            if let Some((until, text)) = &mut pending
                && joins
                && pieces.peek().is_some()
                && range.len() <= near
                && text.len() < JOINED
                && let Some(kept) = self.original.get(range.clone()).filter(|kept| rewritable(kept))
            {
                text.push_str(kept);
                *until = range.end;
                continue;
            }
            if range.start > from || pending.is_some() {
                replacements.push((at..range.start, pending.take().unwrap_or_default().1));
                if replacements.len() > MAX_REPLACEMENTS {
                    return None;
                }
            }
            at = range.end;
        }
        if at < self.original.len() || pending.is_some() {
            replacements.push((at..self.original.len(), pending.unwrap_or_default().1));
        }
        Some(replacements)
    }

    /// The edits of the raw message that bring the current text about, in the part `id` that it was read from.
    pub fn raw_edits(&self, message: &Message<'m>, id: PartId) -> Result<&[Edit], BodyError> {
        let edits = self.raw_edits.get_or_init(|| self.find_raw_edits(message, id));
        edits.as_deref().map_err(|error| *error)
    }

    fn find_raw_edits(&self, message: &Message<'m>, id: PartId) -> Result<Vec<Edit>, BodyError> {
        let Some(part) = message.part(id).filter(|_| self.is_edited()) else { return Ok(Vec::new()) };
        // What is not ASCII must not depend on how well a reader understands the charset's name.
        let brings_foreign = self.pieces.iter().any(|piece| matches!(piece, Piece::New(text) if !text.is_ascii()));
        // Beside bytes that some readers cannot read, only what all agree on.
        if self.reading >= Reading::Narrow && brings_foreign {
            return Err(BodyError::Unmovable);
        }
        if self.reading == Reading::Broken && self.charset.is_wide() {
            return Err(BodyError::Unmovable);
        }
        let odd_charset = brings_foreign && mime_field::has_odd_charset(message, part);
        let splices = if odd_charset { None } else { self.splices(&self.small_enough()?) };
        let in_doubt = self.reading != Reading::Same || self.charset.depends() || self.charset.is_wide();
        if in_doubt && splices.as_ref().is_some_and(|splices| !self.reads_as_it_should(part, splices)) {
            return Err(BodyError::Unmovable);
        }
        let mut edits = match &splices {
            Some(splices) => self.splice(message, id, part, splices)?,
            None if self.charset.can_move(self.reading) => self.move_to_utf8(message, id, part, transfer::encode)?,
            None => return Err(BodyError::Unmovable),
        };
        if delimiter::is_formed(message, part, &edits) {
            edits = match &splices {
                Some(splices) => self.encode_anew(message, id, part, splices, transfer::encode_base64)?,
                None => self.move_to_utf8(message, id, part, transfer::encode_base64)?,
            };
        }
        if !foresight::reads_well(message, part, &edits, self.current(), in_doubt) {
            return Err(BodyError::Unmovable);
        }
        // An empty body may have no line end of its own before the delimiter behind it.
        let end = part.body.end;
        if part.body.is_empty()
            && message.raw().get(end..).is_some_and(|rest| rest.starts_with(b"--"))
            && let Some(edit) = edits.iter_mut().rfind(|edit| edit.range == part.body)
        {
            edit.with = [&edit.with, message.line_end().as_bytes()].concat().into();
        }
        Ok(edits)
    }

    fn small_enough(&self) -> Result<Vec<(Range<usize>, String)>, BodyError> {
        // What stands between can be written again in any charset where it is ASCII, and in this one where it stands as the
        // text does; where there is no other way, wherever the charset can write what it was read as.
        let as_it_stands = |text: &str| text.is_ascii() || self.bytes.is_none() && self.reading == Reading::Same;
        let can_be_written = |text: &str| as_it_stands(text) || self.charset.writes_again(self.reading);
        let few = self.replacements(NEAR, as_it_stands);
        few.or_else(|| self.replacements(FAR, can_be_written)).ok_or(BodyError::TooMany)
    }

    fn splices(&self, replacements: &[(Range<usize>, String)]) -> Option<Vec<Splice>> {
        let splices = self.charset.splices(self.bytes(), &self.original, self.reading, replacements)?;
        Some(splices.into_iter().map(|(at, with)| Splice { at, with: with.into() }).collect())
    }

    fn spliced(&self, splices: &[Splice]) -> Vec<u8> {
        let bytes = self.bytes();
        let mut new = Vec::with_capacity(bytes.len() + 256);
        let mut at = 0;
        for splice in splices {
            new.extend_from_slice(bytes.get(at..splice.at.start).unwrap_or_default());
            new.extend_from_slice(&splice.with);
            at = splice.at.end;
        }
        new.extend_from_slice(bytes.get(at..).unwrap_or_default());
        new
    }

    /// Half a character that was broken before can become a whole one with what stands beside it now, and where the
    /// charset is a guess, the guess can become another one.
    fn reads_as_it_should(&self, part: &Part, splices: &[Splice]) -> bool {
        let new = self.spliced(splices);
        Charset::of(part.charset.as_deref(), &new) == self.charset && self.charset.decode(&new).0 == self.current()
    }

    fn splice(
        &self,
        message: &Message<'m>,
        id: PartId,
        part: &Part,
        splices: &[Splice],
    ) -> Result<Vec<Edit>, BodyError> {
        let raw = message.raw().get(part.body.clone()).unwrap_or_default();
        let in_place = transfer::splice(part.encoding, raw, part.body.start, splices, message.line_end())?;
        if let Some(edits) = in_place {
            // The wire does not take long lines (RFC 5321 §4.5.3.1.6): a part that is edited in any case is rid of them.
            let long = has_long_line(raw);
            let anew = long.then(|| self.encode_anew(message, id, part, splices, transfer::encode));
            return anew.and_then(Result::ok).map_or(Ok(edits), Ok);
        }
        self.encode_anew(message, id, part, splices, transfer::encode)
    }

    fn encode_anew(
        &self,
        message: &Message<'m>,
        id: PartId,
        part: &Part,
        splices: &[Splice],
        encode: Encode,
    ) -> Result<Vec<Edit>, BodyError> {
        if !transfer::is_sound(part.encoding, message.bytes(&part.body)) {
            return Err(BodyError::Encoding);
        }
        let (encoding, data) = encode(&self.spliced(splices), message.line_end());
        let mut edits = mime_field::set(message, id, None, encoding)?;
        edits.push(Edit { range: part.body.clone(), with: data.into() });
        Ok(edits)
    }

    fn move_to_utf8(
        &self,
        message: &Message<'m>,
        id: PartId,
        part: &Part,
        encode: Encode,
    ) -> Result<Vec<Edit>, BodyError> {
        if !transfer::is_sound(part.encoding, message.bytes(&part.body)) {
            return Err(BodyError::Encoding);
        }
        let (encoding, data) = encode(self.current().as_bytes(), message.line_end());
        let mut edits = mime_field::set(message, id, Some("utf-8"), encoding)?;
        edits.push(Edit { range: part.body.clone(), with: data.into() });
        Ok(edits)
    }

    /// How lines of this text end, as it came in.
    pub fn newline(&self, message: &Message<'_>, part: &Part) -> &'static str {
        let text = self.original();
        match text.find(['\n', '\r']) {
            Some(at) if text.get(at..).is_some_and(|t| t.starts_with("\r\n")) => "\r\n",
            Some(at) if text.get(at..).is_some_and(|t| t.starts_with('\n')) => "\n",
            _ if part.encoding == TransferEncoding::Identity => match message.line_end() {
                LineEnd::CrLf => "\r\n",
                LineEnd::Lf => "\n",
            },
            _ => "\r\n",
        }
    }
}

fn has_long_line(raw: &[u8]) -> bool {
    let mut start = 0;
    memchr::memchr_iter(b'\n', raw).chain(std::iter::once(raw.len())).any(|end| {
        let len = end - start;
        start = end + 1;
        len > transfer::MAX_LINE + 1
    })
}

/// A range without the half of a CRLF at either end of it.
fn beside_line_ends(text: &str, range: &Range<usize>) -> Range<usize> {
    let splits = |at: usize| {
        text.get(..at).is_some_and(|t| t.ends_with('\r')) && text.get(at..).is_some_and(|t| t.starts_with('\n'))
    };
    let start = if splits(range.start) { range.start + 1 } else { range.start };
    let end = if splits(range.end) { range.end - 1 } else { range.end };
    start..end.max(start)
}

/// What is not ASCII as numeric character references: the same text in every charset.
pub(crate) fn character_references(html: &str) -> Cow<'_, str> {
    if html.is_ascii() {
        return Cow::Borrowed(html);
    }
    let mut out = String::with_capacity(html.len() + 16);
    for c in html.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let _ = write!(out, "&#{};", u32::from(c));
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{block, crlf, render, rewritten};
    use super::super::{Place, TextEdit};
    use super::*;

    fn part(charset: &str, encoding: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "MIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
        );
        [&crlf(&head), body].concat()
    }

    #[test]
    fn text_is_written_in_the_charset_of_the_part() {
        for (charset, body, new, expected) in [
            ("windows-1252", &b"Gr=FC=DFe\r\n"[..], "5 €", &b"Gr=FC=DFe\r\n\r\n5 =80\r\n"[..]),
            ("iso-8859-1", b"Gr=FC=DFe\r\n", "Füße", b"Gr=FC=DFe\r\n\r\nF=FC=DFe\r\n"),
            ("shift_jis", b"=82=A0\r\n", "Footer", b"=82=A0\r\n\r\nFooter\r\n"),
        ] {
            let raw = part(charset, "quoted-printable", body);
            let out = render(&raw, |draft| assert_eq!(draft.insert(&block(new), Place::End), Ok(1))).unwrap();
            assert!(out.ends_with(expected), "{charset}: {}", out.escape_ascii());
            assert!(memchr::memmem::find(&out, charset.as_bytes()).is_some(), "{charset} stays");
        }
    }

    #[test]
    fn utf_16_keeps_its_byte_order() {
        let little: Vec<u8> = "\u{FEFF}Hi\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let raw = part("utf-16", "base64", encodify::base64::MIME.encode(&little).as_bytes());
        let out = render(&raw, |draft| assert_eq!(draft.insert(&block("5 €"), Place::Start), Ok(1))).unwrap();
        let message = Message::parse(&out);
        let body = transfer::decode(TransferEncoding::Base64, message.bytes(&message.parts()[0].body)).unwrap();
        let expected: Vec<u8> = "\u{FEFF}5 €\r\n\r\nHi\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(body.into_owned(), expected);
    }

    #[test]
    fn broken_text_is_not_moved_to_another_charset() {
        let raw = part("gbk", "8bit", b"Gr\xFC\xFFe\r\n");
        let message = Message::parse(&raw);
        let mut draft = super::super::Draft::new(&message);
        assert_eq!(draft.insert(&block("日本"), Place::End), Err(BodyError::Unmovable));
    }

    #[test]
    fn a_guess_at_the_charset_is_the_same_after_an_edit() {
        // Without the one byte that is no UTF-8, the rest would be read as UTF-8.
        let raw = b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe x=FCx\r\n";
        let message = Message::parse(raw);
        let mut draft = super::super::Draft::new(&message);
        let at = draft.text(PartId(0)).unwrap().find("xü").unwrap();
        let edit = TextEdit { range: at..at + 4, text: "-".to_owned() };
        assert_eq!(draft.edit(PartId(0), &[edit]), Err(BodyError::Unmovable));
        assert!(draft.is_unchanged());
    }

    #[test]
    fn edits_inside_of_what_other_edits_brought_in_are_composed() {
        let raw = crlf("\nabcdef\n");
        let message = Message::parse(&raw);
        let text = PartText::read(&message, &message.parts()[0], BodyKind::Plain).unwrap();
        let edit = |range, text: &str| TextEdit { range, text: text.to_owned() };
        let text = text.edited(&(&[edit(1..2, "[one]"), edit(4..4, "[two]")]).into()).unwrap();
        assert_eq!(text.current(), "a[one]cd[two]ef\r\n");
        let text = text.edited(&(&[edit(2..5, "1"), edit(8..13, "")]).into()).unwrap();
        assert_eq!(text.current(), "a[1]cdef\r\n");
        let text = text.edited(&(&[edit(0..0, ">")]).into()).unwrap();
        assert_eq!(text.current(), ">a[1]cdef\r\n");
        let edits = text.raw_edits(&message, PartId(0)).unwrap();
        let out = super::super::Rendered::new(message.raw(), edits.to_vec()).unwrap().to_vec();
        assert_eq!(out, b"\r\n>a[1]cdef\r\n");
    }

    #[test]
    fn a_type_that_is_none_becomes_one_and_keeps_its_parameters() {
        let text = "MIME-Version: 1.0\nContent-Type: text; format=flowed\n\nHello there, how are you?\n";
        let out = rewritten(text, |draft| assert_eq!(draft.insert(&block("5 €"), Place::End), Ok(1)));
        assert!(out.contains("\nContent-Type: text/plain; charset=utf-8; format=flowed\n"), "{out}");
    }

    #[test]
    fn line_ends_of_a_text_are_its_own() {
        let base64 = "Content-Transfer-Encoding: base64\n\nSGVsbG8KeW91Cg==\n";
        let out = rewritten(base64, |draft| assert_eq!(draft.insert(&block("Footer"), Place::End), Ok(1)));
        // Hello, you, an empty line and the footer, parted by LF alone as before.
        assert_eq!(out, "Content-Transfer-Encoding: base64\n\nSGVsbG8KeW91CgpGb290ZXIK\n");
    }

    #[test]
    fn one_edit_that_is_not_ascii_is_enough_for_a_charset_that_some_do_not_see() {
        let raw = part("iso-8859-1 (Latin)", "quoted-printable", b"one two\r\n");
        let out = render(&raw, |draft| {
            let edit = |range, text: &str| TextEdit { range, text: text.to_owned() };
            draft.edit(PartId(0), &[edit(0..3, "1"), edit(4..7, "zwölf")]).unwrap();
        });
        let out = String::from_utf8(out.unwrap()).unwrap();
        assert!(out.contains("charset=utf-8") && out.ends_with("\r\n\r\n1 zw=C3=B6lf\r\n"), "{out}");
    }

    #[test]
    fn very_many_edits_are_made_in_every_charset_that_can_be_written_again() {
        const COUNT: usize = MAX_REPLACEMENTS + 1_000;
        let far = "x".repeat(NEAR + 1);
        for (charset, line) in
            [("iso-8859-1", "é1".to_owned()), ("shift_jis", "あ1".to_owned()), ("utf-8", format!("{far}é1"))]
        {
            let text = format!("{line}\n").repeat(COUNT);
            let bytes = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap().encode(&text).0;
            let raw = part(charset, "base64", encodify::base64::MIME.encode(&bytes).as_bytes());
            let edits: Vec<TextEdit> =
                text.match_indices('1').map(|(at, _)| TextEdit { range: at..at + 1, text: "[X]".to_owned() }).collect();
            let out = render(&raw, |draft| assert_eq!(draft.edit(PartId(0), &edits), Ok(()), "{charset}")).unwrap();
            let message = Message::parse(&out);
            let draft = crate::message::Draft::new(&message);
            assert_eq!(message.parts()[0].charset.as_deref(), Some(charset));
            assert!(draft.text(PartId(0)).unwrap() == text.replace('1', "[X]"), "{charset}");
        }
    }
}
