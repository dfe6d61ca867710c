//! Masking: text and HTML full of card numbers, and without any. Time is linear in the message.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use mailwright::envelope::{Address, Direction, Envelope};
use mailwright::facts::Facts;
use mailwright::message::Message;
use mailwright::pipeline::Pipeline;

const RULES: &str =
    "[[rule]]\nname = \"cards\"\n[[rule.action]]\nkind = \"redact\"\ndetect = \"card\"\nstyle = \"keep-last\"\n";
/// Lines of a message.
const LINES: &[usize] = &[4_000, 40_000, 400_000];

fn main() {
    divan::main();
}

fn message(html: bool, line: &str, lines: usize) -> Vec<u8> {
    let kind = if html { "html" } else { "plain" };
    let head = format!("Subject: a\r\nMIME-Version: 1.0\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n");
    [head.as_bytes(), line.repeat(lines).as_bytes()].concat()
}

fn redact(bencher: Bencher<'_, '_>, raw: &[u8]) {
    let pipeline = Pipeline::from_sources(vec![("rules.toml".to_owned(), RULES.to_owned())]).expect("the rules above");
    let envelope = Envelope {
        direction: Direction::Outbound,
        sender: Address::new("ann@example.com").ok(),
        recipients: Vec::new(),
        message_id: "1".to_owned(),
        truncated: false,
    };
    bencher.counter(BytesCount::new(raw.len())).bench_local(|| {
        let message = Message::parse(black_box(raw));
        pipeline
            .run(&message, &envelope, &Facts::default(), &|| false)
            .expect("it does not fail")
            .rewritten
            .map(|rewritten| rewritten.len())
    });
}

/// HTML, each line a card number.
#[divan::bench(args = LINES, sample_count = 5)]
fn html_of_numbers(bencher: Bencher<'_, '_>, lines: usize) {
    redact(bencher, &message(true, "<p>4111 1111 1111 1111</p>\r\n", lines));
}

/// Text, each line a card number.
#[divan::bench(args = LINES, sample_count = 5)]
fn text_of_numbers(bencher: Bencher<'_, '_>, lines: usize) {
    redact(bencher, &message(false, "No. 4111 1111 1111 1111\r\n", lines));
}

/// HTML without any number.
#[divan::bench(args = LINES, sample_count = 5)]
fn html_without_numbers(bencher: Bencher<'_, '_>, lines: usize) {
    redact(bencher, &message(true, "<p class=\"a\">Nothing to see here.</p>\r\n", lines));
}
