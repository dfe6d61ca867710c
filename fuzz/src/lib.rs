//! What is fuzzed: plain functions of bytes, which panic on a finding. `cargo fuzz` calls them with coverage, and
//! `tests/fuzz.rs` on any toolchain.

#[path = "../../tests/invariants/mod.rs"]
pub mod invariants;
pub mod judge;
pub mod made;

use std::fs;

use mailwright::envelope::Direction;
use mailwright::facts::Facts;
use mailwright::flow::put_checks::{self, fields};
use mailwright::message::{Bits, Draft, Message, PartId, TextEdit};
use mailwright::pipeline::Pipeline;

/// A fuzz target.
pub type Target = fn(&[u8]);

/// Every target, by name.
pub const TARGETS: &[(&str, Target)] =
    &[("parse", parse), ("pipeline", pipeline), ("made", made), ("edits", edits), ("repair", repair), ("rules", rules)];

/// Any bytes are a message: indexing it, asking it everything and changing nothing. The index is in order and inside.
///
/// # Panics
/// On a finding.
pub fn parse(raw: &[u8]) {
    let message = Message::parse(raw);
    assert!(!message.parts().is_empty(), "a message has a part");
    let inside = |range: &std::ops::Range<usize>| range.start <= range.end && range.end <= raw.len();
    for (id, part) in message.parts().iter().enumerate() {
        assert!(inside(&part.header) && inside(&part.body), "part {id} reaches out of the message");
        assert!(part.header.end <= part.body.start, "the body of part {id} begins before its header ends");
        assert!(part.parent.is_none_or(|p| p.0 < id), "part {id} stands before its parent");
        assert_eq!(part.parent.is_none(), id == 0, "one part has no parent");
        let mut at = part.header.start;
        for field in &part.fields {
            assert!(
                field.whole.start >= at && field.whole.end <= part.header.end,
                "a field of part {id} is out of order"
            );
            assert!(field.name.start == field.whole.start && field.name.end < field.value.start);
            assert!(field.value.start <= field.value.end && field.value.end <= field.whole.end);
            at = field.whole.end;
        }
        for child in &part.children {
            let child = message.part(*child).expect("a child is a part");
            // The blank line of a part that is empty is the line end before the delimiter of its multipart, too.
            let end = part.body.end + if child.body.is_empty() { 2 } else { 0 };
            assert!(part.body.start <= child.header.start && child.body.end <= end, "a child is outside");
        }
    }
    let _ = (message.protection(), message.notes(), message.attachments(), message.doubt());
    let draft = Draft::new(&message);
    for body in draft.readable() {
        let _ = draft.visible(body);
    }
    let _ = draft.subject();
    assert!(draft.is_unchanged());
    assert_eq!(draft.render().expect("an unchanged draft holds up").to_vec(), raw);
}

/// Any bytes are a message: every rule set over it. A violation, a panic or a broken invariant is a finding.
///
/// # Panics
/// On a finding.
pub fn pipeline(raw: &[u8]) {
    edits(raw);
    for set in judge::rule_sets() {
        judge::judge(set, raw);
    }
}

/// Any bytes are choices, of which a message is made ([`made::message`]); then as [`pipeline`], with one of the rule sets.
///
/// # Panics
/// On a finding.
pub fn made(choices: &[u8]) {
    let (set, choices) = choices.split_first().unwrap_or((&0, &[]));
    let sets = judge::rule_sets();
    if let Some(set) = sets.get(usize::from(*set) % sets.len()) {
        judge::judge(set, &made::message(choices));
    }
}

/// Any bytes are a message: what WorkMail would reject in it is repaired. There is nothing left to repair then, no part
/// comes or goes and no fault, and each text reads as it did.
///
/// # Panics
/// On a finding.
pub fn repair(raw: &[u8]) {
    let message = Message::parse(raw);
    let Some(repaired) = message.repaired(fields::ONCE, Bits::Encode) else { return };
    assert!(!repaired.mended.is_empty(), "a repair that mends nothing");
    let out = repaired.rendered.to_vec();
    let after = Message::parse(&out);
    let kinds = |message: &Message<'_>| message.parts().iter().map(|p| p.media_type.clone()).collect::<Vec<_>>();
    assert_eq!(kinds(&message), kinds(&after), "the parts are not what they were");
    let faults =
        |message: &Message<'_>| put_checks::unmet(&put_checks::check(message)).iter().map(|f| f.count).sum::<usize>();
    assert!(faults(&after) <= faults(&message), "a repair that brings in a fault: {:?}", repaired.mended);
    if let Some(again) = after.repaired(fields::ONCE, Bits::Encode) {
        panic!("{:?} were repaired, and then {:?}", repaired.mended, again.mended);
    }
    let (before, after) = (Draft::new(&message), Draft::new(&after));
    for body in before.readable() {
        let text = |draft: &Draft<'_>| draft.text(body.part).map(|text| text.replace('\r', ""));
        if let (Ok(before), Ok(after)) = (text(&before), text(&after)) {
            assert!(before == after, "part {} reads differently after {:?}", body.part.0, repaired.mended);
        }
    }
}

/// Replacements at places of each body that depend on the bytes.
///
/// # Panics
/// On a finding.
pub fn edits(raw: &[u8]) {
    const TEXTS: &[&str] = &["x", "=", "Größe 5 €", "[CARD]", "日本", "."];
    let message = Message::parse(raw);
    let mut draft = Draft::new(&message);
    let mut state = raw.iter().fold(raw.len() as u64, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % below.max(1)
    };
    let bodies = draft.bodies();
    for _ in 0..2 {
        for body in &bodies {
            let Ok(text) = draft.text(body.part) else { continue };
            let mut ends: Vec<usize> =
                (0..next(3) * 2 + 2).map(|_| text.floor_char_boundary(next(text.len() + 1))).collect();
            ends.sort_unstable();
            let edit =
                |range: &[usize]| TextEdit { range: range[0]..range[1], text: TEXTS[next(TEXTS.len())].to_owned() };
            let edits: Vec<TextEdit> = ends.chunks_exact(2).map(edit).collect();
            let _ = draft.edit(PartId(body.part.0), &edits);
        }
    }
    if !draft.is_unchanged() {
        let rendered = draft.render().unwrap_or_else(|violation| panic!("edits anywhere: {violation}"));
        invariants::hold(raw, &rendered, &[], false).unwrap_or_else(|what| panic!("edits anywhere: {what}"));
    }
}

/// Any text is a rule file: every problem can be shown, and what compiles can be run.
///
/// # Panics
/// On a finding.
pub fn rules(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let files = vec![
        ("10-fuzz.toml".to_owned(), text.to_owned()),
        ("templates/block.html".to_owned(), "<p>Hello {{ sender.domain }}</p>".to_owned()),
        ("templates/block.txt".to_owned(), "Hello {{ sender.domain }}".to_owned()),
    ];
    match Pipeline::from_sources(files) {
        Err(problems) => {
            assert!(problems.has_errors(), "a rule set without errors was turned down");
            let _ = (problems.render(false), problems.render(true), problems.to_json());
        }
        Ok(pipeline) => {
            let _ = pipeline.warnings().render(false);
            let raw = b"Subject: Hi\r\nFrom: ann@example.com\r\n\r\nSecret 4111 1111 1111 1111\r\n";
            let message = Message::parse(raw);
            let _ = pipeline
                .run(&message, &judge::envelope(Direction::Outbound), &Facts::default(), &|| false)
                .map(|o| judge::sound(&o));
        }
    }
}

/// A file that a target failed on, run once more.
///
/// # Panics
/// When the file cannot be read, and on the finding.
pub fn reproduce(target: Target, path: &str) {
    target(&fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}")));
}
