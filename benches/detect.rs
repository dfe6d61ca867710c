//! Detectors: how fast text is looked through, all of them on and one alone; text that is hard on them at two sizes, whose
//! times tell that they grow with the size and no faster. `cargo bench --bench detect`.

use std::fmt::{self, Write as _};

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use mailwright::rule::detect::DetectorSet;

fn main() {
    divan::main();
}

/// Bytes of a text.
const SIZE: usize = 1_000_000;

/// What the texts are made of.
#[derive(Debug, Clone, Copy)]
enum Text {
    /// A mail: prose with some dates, times and prices.
    Prose,
    /// The same in Russian, with no-break spaces.
    Russian,
    /// Lines of a log or a table: half of it digits.
    Table,
    /// Things to find, one after the other.
    Finds,
    /// Base64 that was not decoded.
    Base64,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prose => "prose",
            Self::Russian => "Russian prose",
            Self::Table => "a table of numbers",
            Self::Finds => "nothing but finds",
            Self::Base64 => "base64",
        })
    }
}

/// Numbers that look random and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

impl Text {
    fn of(self, size: usize) -> String {
        let mut chance = Chance(1);
        let mut text = String::with_capacity(size + 500);
        while text.len() < size {
            let n = chance.below(9_000) + 1_000;
            let _ = match self {
                Self::Prose => write!(
                    text,
                    "Thank you for the figures of last week; we will look at them and answer by Friday. The meeting of {} \
                     May is moved to {}:30, room {}. If you have any questions about the new prices (we said {} euros a \
                     piece), please write to me or to the others in the team.\r\n\r\n",
                    n % 28 + 1,
                    n % 12,
                    n % 400,
                    n,
                ),
                Self::Russian => write!(
                    text,
                    "Спасибо за цифры за прошлую неделю; мы посмотрим их и ответим до пятницы. Встреча {}\u{a0}мая \
                     переносится на {}:30, комната {}.\r\n",
                    n % 28 + 1,
                    n % 12,
                    n % 400,
                ),
                Self::Table => write!(
                    text,
                    "2026-05-{:02};{n}{};{}-{}-{n};{}.{:02};{n}{n}{}\r\n",
                    n % 28 + 1,
                    n * 7,
                    n % 900,
                    n % 90,
                    n % 700,
                    n % 100,
                    n * 31
                ),
                Self::Finds => write!(
                    text,
                    "card 4111 1111 1111 1111, SSN 123-45-{n}, DE89 3704 0044 0532 0130 00, ann{n}@example.com, +49 30 90{n}20, \
                     192.0.2.{}, NHS 943 476 5919\r\n",
                    n % 256,
                ),
                Self::Base64 => {
                    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
                    for _ in 0..76 {
                        let at = usize::try_from(chance.below(64)).unwrap_or_default();
                        text.push(char::from(digits[at]));
                    }
                    text.write_str("\r\n")
                }
            };
        }
        text
    }
}

/// Every built-in detector.
#[divan::bench(args = [Text::Prose, Text::Russian, Text::Table, Text::Finds, Text::Base64])]
fn all(bencher: Bencher<'_, '_>, text: Text) {
    let set = DetectorSet::built_in(&["all"]).expect("a group");
    let text = text.of(SIZE);
    bencher.counter(BytesCount::of_str(&text)).bench(|| set.find(black_box(&text)));
}

/// One detector.
#[divan::bench(args = [Text::Prose, Text::Table])]
fn cards(bencher: Bencher<'_, '_>, text: Text) {
    let set = DetectorSet::built_in(&["card"]).expect("a detector");
    let text = text.of(SIZE);
    bencher.counter(BytesCount::of_str(&text)).bench(|| set.find(black_box(&text)));
}

/// What might make a scan slow: each piece begins something that does not end.
const HOSTILE: [&str; 12] = [
    "1",
    "1 ",
    "a1",
    "4111 1111 1111 ",
    "-----BEGIN PRIVATE KEY-----\n",
    "eyJ",
    "password:",
    "@a.",
    "AKIA ",
    "1:",
    "://a:b",
    "DE89 ",
];

/// Twice the text must take twice the time.
#[divan::bench(args = HOSTILE, consts = [100_000, 200_000])]
fn hostile<const SIZE: usize>(bencher: Bencher<'_, '_>, piece: &str) {
    let set = DetectorSet::built_in(&["all"]).expect("a group");
    let text = piece.repeat(SIZE / piece.len());
    bencher.counter(BytesCount::of_str(&text)).bench(|| set.find(black_box(&text)));
}

/// Compiling all detectors, once for each rule that uses them.
#[divan::bench]
fn compile() -> Option<DetectorSet> {
    DetectorSet::built_in(&["all"])
}
