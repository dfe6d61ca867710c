//! Whether a message that was fetched may be the beginning of one.
//!
//! Message Flow says neither how long a message is nor what its checksum is, in the event or with the content. What breaks off
//! on its way is noticed by its length; a length that was too short from the start is not. But hardly a message ends in the
//! midst of a line, or of its parts: one that does is fetched once more, and whoever gets the same twice has what is there.
//!
//! Invariant: it costs one more call where two are alike, at most two, and only for messages that look like it.

use memchr::memmem;

use crate::message::{Message, header_of};

/// So much of a message is searched for its header, in octets: well over that of any.
const READ: usize = 64 * 1_024;
/// What looks like a beginning is fetched so often, unless two are alike.
pub(super) const MOST_TIMES: u32 = 3;

/// True for what ends in the midst of a line, or is a multipart whose end is not there.
pub(super) fn may_be_cut(raw: &[u8]) -> bool {
    if !raw.ends_with(b"\n") {
        return true;
    }
    let header = Message::parse(header_of(raw.get(..READ).unwrap_or(raw)));
    let boundary = header.parts().first().filter(|part| part.is_multipart()).and_then(|part| part.boundary.clone());
    boundary.is_some_and(|boundary| memmem::rfind(raw, &[b"\n--", &*boundary, b"--"].concat()).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_where_messages_end_is_whole() {
        let mixed =
            "Subject: x\r\nContent-Type: multipart/mixed; boundary=\"a b\"\r\n\r\n--a b\r\n\r\nText\r\n--a b--\r\n";
        let long = mixed.replace("Text", &"The apples are ripe.\r\n".repeat(10_000));
        for whole in
            ["Subject: x\r\n\r\nText\r\n", "Subject: x\n\nText\n", "\r\n", mixed, &long, &format!("{mixed}\r\n\r\n")]
        {
            assert!(!may_be_cut(whole.as_bytes()), "{whole}");
        }
        for message in [mixed, &long] {
            let end = message.rfind("--a b--").unwrap() + "--a b--".len();
            for cut in (0..end).step_by(message.len() / 70) {
                assert!(may_be_cut(&message.as_bytes()[..cut]) || cut <= message.find("boundary").unwrap(), "{cut}");
            }
        }
        assert!(may_be_cut(b"") && may_be_cut(b"Subject: x\r\n\r\nTe") && may_be_cut(b"Subject: x\r\n\r\nText\r"));
    }
}
