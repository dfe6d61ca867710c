//! Lines that an edit would make into delimiters of a multipart around the part: text that was harmless in the middle of
//! a line, or behind an encoding, must not come to stand alone on one.

use super::edits::Edit;
use super::transfer::applied;
use super::{Message, Part};

/// True when a line of the edited body would be read as a delimiter (RFC 2046 §5.1.1) of a multipart that the part is in.
/// The body as it came in has no such line: it would have ended there.
pub(super) fn is_formed(message: &Message<'_>, part: &Part, edits: &[Edit]) -> bool {
    let boundaries: Vec<&[u8]> = boundaries_around(message, part);
    if boundaries.is_empty() {
        return false;
    }
    let raw = message.bytes(&part.body);
    let of_body = edits.iter().filter(|edit| edit.range.start >= part.body.start);
    // Most text has no two hyphens in a row, and none at the end of what is put together.
    let has_hyphen = |edit: &Edit| edit.with.contains(&b'-') || edit.range.len() > edit.with.len();
    if memchr::memmem::find(raw, b"--").is_none() && !of_body.clone().any(has_hyphen) {
        return false;
    }
    let body = applied(message.raw().get(..part.body.end).unwrap_or_default(), part.body.start, of_body);
    let is_delimiter = |start: usize| {
        let Some(rest) = body.get(start..).and_then(|rest| rest.strip_prefix(b"--")) else { return false };
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default().trim_ascii_end();
        boundaries.iter().any(|boundary| text == *boundary || text.strip_suffix(b"--") == Some(boundary))
    };
    is_delimiter(0) || memchr::memchr_iter(b'\n', &body).any(|end| is_delimiter(end + 1))
}

fn boundaries_around<'m>(message: &'m Message<'_>, part: &Part) -> Vec<&'m [u8]> {
    let above = |part: &Part| part.parent.and_then(|id| message.part(id));
    let parents = std::iter::successors(above(part), |part| above(part));
    parents.filter_map(|part| part.boundary.as_deref()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{block, crlf, rewritten};
    use super::super::{Draft, Message, Place, TextEdit};

    const HEAD: &str = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n";

    #[test]
    fn a_delimiter_in_the_middle_of_a_line_does_not_come_to_stand_alone() {
        for html in ["<body>--b--", "<body>--b", "<body>--b \nx"] {
            let text = format!("{HEAD}Content-Type: text/html\n\n{html}\n--b--\n");
            let out = rewritten(&text, |draft| assert_eq!(draft.insert(&block("Banner"), Place::Start), Ok(1)));
            assert!(out.contains("Content-Transfer-Encoding: base64\n"), "{out}");
        }
    }

    #[test]
    fn a_delimiter_that_was_quoted_is_not_written_as_it_is() {
        // What is not ASCII moves the text to UTF-8, and so encodes it anew.
        let text = format!("{HEAD}Content-Transfer-Encoding: quoted-printable\n\n=2D-b--\n\n--b--\n");
        let out = rewritten(&text, |draft| assert_eq!(draft.insert(&block("5 €"), Place::End), Ok(1)));
        assert!(out.contains("Content-Transfer-Encoding: base64\n"), "{out}");
        assert!(out.ends_with("\n--b--\n"), "{out}");
    }

    #[test]
    fn a_text_that_is_no_delimiter_stays_as_it_is_written() {
        let text = format!("{HEAD}Content-Type: text/html\n\n<body>--bc\n--b--\n");
        let out = rewritten(&text, |draft| assert_eq!(draft.insert(&block("Banner"), Place::Start), Ok(1)));
        assert!(out.contains("\n--bc\n") && !out.contains("base64"), "{out}");
    }

    #[test]
    fn what_is_left_when_something_goes_is_looked_at_too() {
        let raw = crlf(&format!("{HEAD}\n-x-b\n--b--\n"));
        let message = Message::parse(&raw);
        let mut draft = Draft::new(&message);
        let body = draft.bodies()[0].part;
        draft.edit(body, &[TextEdit { range: 1..2, text: String::new() }]).unwrap();
        let out = draft.render().unwrap().to_vec();
        assert_eq!(Message::parse(&out).parts().len(), 2);
        assert_eq!(Draft::new(&Message::parse(&out)).text(body), Ok("--b"));
    }
}
