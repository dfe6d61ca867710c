//! Repair of faults that a message came with and that the flow refuses: lines over the limit and octets that are not
//! 7-bit, in parts that say `7bit`, `8bit`, `binary` or nothing. Such a part is encoded anew, and nothing else.
//!
//! Only for a message that was refused: what the flow takes is never touched.

use super::edits::{Rendered, sorted};
use super::part::TransferEncoding;
use super::transfer::{self, MAX_LINE};
use super::{Message, Part, PartId, mime_field};

impl<'a> Message<'a> {
    /// The message with its faulty parts encoded anew, and how many they were. `None` where there is nothing to repair,
    /// where it must not be (a protected message, a structure that is in doubt), or where the result would not hold up.
    pub fn repaired(&self) -> Option<(Rendered<'a>, usize)> {
        if self.protection().is_some() || self.doubt().is_some() {
            return None;
        }
        let faulty: Vec<(PartId, &Part)> = self
            .parts()
            .iter()
            .enumerate()
            .filter(|(_, part)| self.is_faulty(part))
            .map(|(i, p)| (PartId(i), p))
            .collect();
        let mut edits = Vec::new();
        for (id, part) in &faulty {
            let (encoding, data) = transfer::encode(self.bytes(&part.body), self.line_end());
            edits.extend(mime_field::set(self, *id, None, encoding).ok()?);
            edits.push(super::edits::Edit { range: part.body.clone(), with: data });
        }
        let rendered = Rendered::new(self.raw(), sorted(edits)).filter(|_| !faulty.is_empty())?;
        let bytes = rendered.to_vec();
        let after = Message::parse(&bytes);
        let same = |before: &Part, now: &Part| {
            let decode = |message: &Message<'_>, part: &Part| {
                let decoded = transfer::decode(part.encoding, message.bytes(&part.body)).ok()?;
                // Line ends become those of the message.
                Some(decoded.iter().copied().filter(|b| *b != b'\r').collect::<Vec<u8>>())
            };
            before.media_type == now.media_type
                && (before.boundary.is_some()
                    || before.encoding == TransferEncoding::Unknown
                    || decode(self, before) == decode(&after, now))
        };
        let whole = after.parts().len() == self.parts().len()
            && self.parts().iter().zip(after.parts()).all(|(before, now)| same(before, now));
        whole.then_some((rendered, faulty.len()))
    }

    /// A leaf whose bytes may not pass as they are.
    fn is_faulty(&self, part: &Part) -> bool {
        let body = self.bytes(&part.body);
        part.boundary.is_none()
            && part.has_separator
            && part.encoding == TransferEncoding::Identity
            && !part.is_multipart()
            // RFC 2046 §5.2: no encoding is allowed on these.
            && !part.media_type.starts_with("message/")
            && (!body.iter().all(|b| b.is_ascii() && *b != 0)
                || body.split(|b| *b == b'\n').any(|line| line.len() > MAX_LINE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(raw: &str) -> Option<String> {
        let raw = raw.replace('\n', "\r\n");
        let message = Message::parse(raw.as_bytes());
        message.repaired().map(|(rendered, _)| String::from_utf8(rendered.to_vec()).unwrap().replace("\r\n", "\n"))
    }

    #[test]
    fn only_the_part_that_is_refused_is_encoded_anew() {
        let long = "x".repeat(1_200);
        let raw = format!(
            "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\nshort\n--b\n\
             Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<p>{long} é</p>\n--b--\nepilogue\n"
        );
        let out = repaired(&raw).unwrap();
        assert!(out.lines().all(|line| line.len() <= 76), "{out}");
        assert!(out.contains("\n--b\n\nshort\n--b\n"), "{out}");
        assert!(out.contains("Content-Transfer-Encoding: quoted-printable\n"), "{out}");
        assert!(out.ends_with("\n--b--\nepilogue\n"), "{out}");
    }

    #[test]
    fn what_has_no_fault_or_is_protected_is_not_repaired() {
        assert_eq!(repaired("From: a@example.com\n\nfine\n"), None);
        let long = "x".repeat(1_200);
        assert_eq!(repaired(&format!("Content-Type: multipart/signed; boundary=b\n\n--b\n\n{long}\n--b--\n")), None);
    }
}
