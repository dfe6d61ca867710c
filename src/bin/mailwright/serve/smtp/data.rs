//! The text of a message as it comes behind `DATA`: dots are unstuffed, and its end is found.
//!
//! Only CR LF `.` CR LF ends it (RFC 5321 §4.1.1.4). A CR or LF alone is kept as it is and noted, so that the message can be
//! refused: servers that end a message at one of these let a sender smuggle another message into it.
//!
//! Invariant: what comes out does not depend on where the octets were cut on their way; linear; no more than the limit is
//! kept.

use memchr::memchr2;

/// A message that is coming.
#[derive(Debug)]
pub struct Incoming {
    octets: Vec<u8>,
    limit: usize,
    state: State,
    too_large: bool,
    bare: bool,
}

/// Where the next octet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the start of a line.
    Start,
    /// Within a line.
    Text,
    /// Behind a CR.
    Cr,
    /// Behind a dot that began a line.
    Dot,
    /// Behind that dot and a CR.
    DotCr,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It has more octets than the limit.
    TooLarge,
    /// A CR or an LF stands alone.
    BareLineEnd,
}

impl Incoming {
    /// Nothing yet; at most `limit` octets.
    pub fn new(limit: usize) -> Self {
        Self { octets: Vec::new(), limit, state: State::Start, too_large: false, bare: false }
    }

    /// Take octets in. `Some(n)`: it has ended, and the first `n` of them were its own.
    pub fn take(&mut self, octets: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&octet) = octets.get(at) {
            match (self.state, octet) {
                (State::Start, b'.') => self.state = State::Dot,
                (State::Dot, b'\r') => self.state = State::DotCr,
                (State::DotCr, b'\n') => return Some(at + 1),
                (State::DotCr, _) => {
                    // The dot was stuffed, and its CR stands alone. The octet is looked at again.
                    self.bare = true;
                    self.keep(b"\r");
                    self.state = State::Text;
                    continue;
                }
                (State::Cr, b'\n') => {
                    self.keep(b"\r\n");
                    self.state = State::Start;
                }
                (State::Cr, _) => {
                    self.bare = true;
                    self.keep(b"\r");
                    self.state = State::Text;
                    continue;
                }
                (_, b'\r') => self.state = State::Cr,
                (_, b'\n') => {
                    self.bare = true;
                    self.keep(b"\n");
                    self.state = State::Text;
                }
                (State::Start | State::Text | State::Dot, _) => {
                    let rest = octets.get(at..).unwrap_or_default();
                    let end = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                    self.keep(rest.get(..end).unwrap_or_default());
                    self.state = State::Text;
                    at += end;
                    continue;
                }
            }
            at += 1;
        }
        None
    }

    /// Octets that are kept.
    pub fn len(&self) -> usize {
        self.octets.len()
    }
    /// Keep no more of it: it cannot be taken.
    pub fn give_up(&mut self) {
        self.too_large = true;
        self.octets = Vec::new();
    }
    /// The message.
    pub fn finish(self) -> Result<Vec<u8>, Fault> {
        match (self.too_large, self.bare) {
            (true, _) => Err(Fault::TooLarge),
            (_, true) => Err(Fault::BareLineEnd),
            _ => Ok(self.octets),
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        if self.octets.len() + octets.len() > self.limit {
            self.give_up();
        } else if !self.too_large {
            self.octets.extend_from_slice(octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Taken = (Result<Vec<u8>, Fault>, Vec<u8>);

    /// The message and what is left, for every way to cut it in two.
    fn take(text: &[u8]) -> Option<Taken> {
        let mut results = (0..=text.len()).map(|cut| {
            let mut incoming = Incoming::new(1_000);
            let (first, second) = text.split_at(cut);
            let end = match incoming.take(first) {
                Some(end) => Some(end),
                None => incoming.take(second).map(|end| cut + end),
            };
            end.map(|end| (incoming.finish(), text[end..].to_vec()))
        });
        let first = results.next().unwrap();
        assert!(results.all(|other| other == first));
        first
    }

    fn message(text: &str) -> String {
        String::from_utf8(take(text.as_bytes()).unwrap().0.unwrap()).unwrap()
    }

    #[test]
    fn dots_are_unstuffed_and_the_end_is_found() {
        assert_eq!(message("A: 1\r\n\r\n..x\r\n...\r\n.a\r\n.\r\n"), "A: 1\r\n\r\n.x\r\n..\r\na\r\n");
        assert_eq!(message(".\r\n"), "");
        assert_eq!(message("x.\r\n.\r\n"), "x.\r\n");
        let (message, rest) = take(b"x\r\n.\r\nQUIT\r\n").unwrap();
        assert_eq!((message.unwrap(), rest), (b"x\r\n".to_vec(), b"QUIT\r\n".to_vec()));
    }

    #[test]
    fn nothing_but_cr_lf_dot_cr_lf_ends_a_message() {
        for end in
            ["\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\n\r.\r\n", "\r\n\r.\r\n", "\r\n.\r\r\n"]
        {
            let smuggled = format!("x{end}MAIL FROM:<a@b.example>");
            assert_eq!(take(smuggled.as_bytes()), None, "{end:?}");
            let (message, rest) = take(format!("{smuggled}\r\n.\r\n").as_bytes()).unwrap();
            assert_eq!((message, rest), (Err(Fault::BareLineEnd), Vec::new()), "{end:?}");
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_read_to_its_end_and_not_kept() {
        let mut incoming = Incoming::new(10);
        let text = format!("{}\r\n.\r\nNOOP", "x".repeat(100));
        assert_eq!(incoming.take(text.as_bytes()), Some(105));
        assert_eq!((incoming.len(), incoming.finish()), (0, Err(Fault::TooLarge)));
        let mut exact = Incoming::new(12);
        assert_eq!(exact.take(b"xxxxxxxxxx\r\n.\r\n"), Some(15));
        assert_eq!(exact.finish().unwrap().len(), 12);
    }
}
