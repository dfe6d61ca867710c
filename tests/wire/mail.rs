//! Made-up mail for load: of every size and kind, the same for the same number.

use bytes::Bytes;

/// SplitMix64: small, and the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }
}

const WORDS: [&str; 12] =
    ["apples", "pears", "ripe", "harvest", "orchard", "the", "and", "of", "weather", "invoice", "regards", "Monday"];
/// A line of base64, and not one of mail that anybody wrote.
const LINE: &str = "VGhlIGFwcGxlcyBhcmUgcmlwZSwgYW5kIHNvIGFyZSB0aGUgcGVhcnMuIFRoZSBhcHBsZXMgYXJl\r\n";
/// So many messages there are.
pub const VARIETY: usize = 500;
/// The one that is as large as mail gets.
const LARGE: usize = 10;

/// Message number `n` of [`VARIETY`], and which way it goes.
pub fn message(n: usize) -> (Bytes, &'static str) {
    let mut random = Random(n as u64);
    let direction = if random.below(5) == 0 { "INBOUND" } else { "OUTBOUND" };
    let sort = random.below(100);
    let raw = if n == LARGE {
        with_attachment(&mut random, 25_000_000)
    } else if sort < 55 {
        let lines = 5 + random.below(100);
        plain(&mut random, lines)
    } else if sort < 85 {
        let lines = 50 + random.below(500);
        alternatives(&mut random, lines)
    } else {
        let octets = 200_000 + random.below(1_600_000);
        with_attachment(&mut random, octets)
    };
    (raw, direction)
}

/// One of about so many octets.
pub fn of_size(octets: usize) -> Bytes {
    let mut random = Random(1);
    if octets < 100_000 { alternatives(&mut random, octets / 140) } else { with_attachment(&mut random, octets) }
}

fn head(random: &mut Random) -> String {
    let subject = words(random, 5);
    format!(
        "Received: from mail.example.com by mx.example.net; Mon, 2 Nov 2026 10:00:00 +0000\r\nFrom: Ann <ann@example.com>\r\n\
         To: kim@customer.example\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{}@example.com>\r\n\
         Subject: {subject}\r\nMIME-Version: 1.0\r\n",
        random.0
    )
}

fn words(random: &mut Random, count: usize) -> String {
    (0..count).map(|_| WORDS[random.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
}

fn prose(random: &mut Random, lines: usize, end: &str) -> String {
    let mut text = String::new();
    for line in 0..lines {
        text.push_str(&words(random, 10));
        if line % 40 == 7 {
            text.push_str(" 4111 1111 1111 1111");
        }
        text.push_str(end);
    }
    text
}

fn plain(random: &mut Random, lines: usize) -> Bytes {
    let head = head(random);
    let (charset, encoding) =
        [("utf-8", "8bit"), ("us-ascii", "7bit"), ("iso-8859-1", "quoted-printable")][random.below(3)];
    let text = prose(random, lines, "\r\n");
    let type_is = format!("Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n");
    format!("{head}{type_is}\r\n{text}").into()
}

fn both(random: &mut Random, lines: usize) -> String {
    let text = prose(random, lines / 2, "\r\n");
    let html = prose(random, lines / 2, "<br>\r\n");
    format!(
        "Content-Type: multipart/alternative; boundary=alt\r\n\r\n--alt\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         {text}\r\n--alt\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>{html}</p></body></html>\r\n\
         --alt--\r\n"
    )
}

fn alternatives(random: &mut Random, lines: usize) -> Bytes {
    let head = head(random);
    format!("{head}{}", both(random, lines)).into()
}

fn with_attachment(random: &mut Random, octets: usize) -> Bytes {
    let mut raw = head(random);
    raw.reserve(octets + 20_000);
    raw.push_str("Content-Type: multipart/mixed; boundary=mix\r\n\r\n--mix\r\n");
    raw.push_str(&both(random, 60));
    raw.push_str(
        "--mix\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n",
    );
    while raw.len() < octets {
        raw.push_str(LINE);
    }
    raw.push_str("--mix--\r\n");
    raw.into()
}
