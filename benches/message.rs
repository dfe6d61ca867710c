//! One message: indexing it, and putting a footer in. `copy` is the yardstick: its octets copied once into memory that is
//! there already. `cargo bench --bench message` prints times, MB/s and allocations; benches/README.md says how to read them.

use std::fmt::{self, Write as _};
use std::sync::LazyLock;

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use mailwright::message::{Block, Draft, Message, Place};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// The messages, named for what is in them.
#[derive(Debug, Clone, Copy)]
enum Mail {
    Ordinary,
    LongText,
    Attachment,
}

const ALL: [Mail; 3] = [Mail::Ordinary, Mail::LongText, Mail::Attachment];

static MESSAGES: LazyLock<[Vec<u8>; 3]> =
    LazyLock::new(|| [message(5_000, 0), message(500_000, 0), message(5_000, 25_000_000)]);

impl fmt::Display for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ordinary => "10 KB",
            Self::LongText => "1 MB of text",
            Self::Attachment => "25 MB attachment",
        })
    }
}

impl Mail {
    fn octets(self) -> &'static [u8] {
        let [ordinary, long_text, attachment] = &*MESSAGES;
        match self {
            Self::Ordinary => ordinary,
            Self::LongText => long_text,
            Self::Attachment => attachment,
        }
    }
}

/// A message with a plain and an HTML alternative of `text` octets each, and an attachment of `attached` octets.
fn message(text: usize, attached: usize) -> Vec<u8> {
    const WORDS: &str = "Thank you for the figures of last week; we will look at them and answer by Friday.";
    let mut mail = String::with_capacity(2 * text + attached + 4_096);
    mail.push_str(
        "Received: from mx.customer.example by mail.example.com; Mon, 5 Jan 2026 09:12:44 +0000\r\n\
         DKIM-Signature: v=1; a=rsa-sha256; d=customer.example; s=a; h=from:to:subject;\r\n\tbh=eA==; b=eA==\r\n\
         From: Kim <kim@customer.example>\r\nTo: Ann <ann@example.com>\r\nSubject: Figures of last week\r\n\
         Date: Mon, 5 Jan 2026 09:12:40 +0000\r\nMessage-ID: <1@customer.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n\
         --outer\r\nContent-Type: multipart/alternative; boundary=\"inner\"\r\n\r\n\
         --inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
    );
    for _ in 0..text / (WORDS.len() + 2) {
        mail.push_str(WORDS);
        mail.push_str("\r\n");
    }
    mail.push_str(
        "\r\n--inner\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         <html><head><style>p {{ margin: 0 }}</style></head><body>\r\n",
    );
    for n in 0..text / (WORDS.len() + 30) {
        let _ = write!(mail, "<p class=3D\"p{n}\">{}=\r\n{}&nbsp;</p>\r\n", &WORDS[..40], &WORDS[40..]);
    }
    mail.push_str("</body></html>\r\n\r\n--inner--\r\n");
    if attached > 0 {
        mail.push_str(
            "\r\n--outer\r\nContent-Type: application/pdf; name=\"figures.pdf\"\r\n\
             Content-Disposition: attachment; filename=\"figures.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        );
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        // Random enough that no search gets lucky: Knuth's generator, its upper bits.
        let mut state = 1_u64;
        for _ in 0..attached / 78 {
            for _ in 0..76 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                mail.push(char::from(digits[usize::try_from(state >> 58).unwrap_or(0)]));
            }
            mail.push_str("\r\n");
        }
    }
    mail.push_str("\r\n--outer--\r\n");
    mail.into_bytes()
}

fn footer() -> Block {
    Block {
        text: "Example Ltd, 1 High Street".to_owned(),
        html: "<p>Example Ltd, 1 High Street</p>".to_owned(),
        images: Vec::new(),
    }
}

#[divan::bench(args = ALL)]
fn copy(bencher: Bencher<'_, '_>, mail: Mail) {
    let octets = mail.octets();
    let mut to = octets.to_vec();
    bencher.counter(BytesCount::of_slice(octets)).bench_local(|| black_box(&mut to).copy_from_slice(black_box(octets)));
}

#[divan::bench(args = ALL)]
fn parse(bencher: Bencher<'_, '_>, mail: Mail) {
    let octets = mail.octets();
    bencher.counter(BytesCount::of_slice(octets)).bench(|| Message::parse(black_box(octets)));
}

/// Indexed, edited, rendered and verified: what is handed to the upload, slices of the message that came in.
#[divan::bench(args = ALL)]
fn footer_put_in(bencher: Bencher<'_, '_>, mail: Mail) {
    let octets = mail.octets();
    let block = footer();
    bencher.counter(BytesCount::of_slice(octets)).bench(|| {
        let message = Message::parse(black_box(octets));
        let mut draft = Draft::new(&message);
        assert_eq!(draft.insert(&block, Place::End), Ok(2), "both alternatives show it");
        draft.render().map(|rendered| rendered.len())
    });
}
