//! Rule sets over a message, and what must hold of what comes out.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::OnceLock;

use mailwright::envelope::{Address, Direction, Envelope};
use mailwright::facts::Facts;
use mailwright::flow::put_checks;
use mailwright::message::Message;
use mailwright::pipeline::{Outcome, Pipeline, RuleReport, Verdict};

use super::invariants;

/// A second run may find what a later rule of the first laid open, and so on; not for ever.
const MAX_RUNS: usize = 8;

/// A rule set that is run over messages.
pub struct RuleSet {
    /// Its file.
    pub name: &'static str,
    pipeline: Pipeline,
    /// The header fields that its rules name; `*` where they redact what stands in any.
    named: &'static [&'static str],
    direction: Direction,
    /// False where a rule says `once = "always"`: the processed mark keeps the function from a second run.
    rests: bool,
}

/// Name, text, the header fields that its rules name, and the direction of the mail.
type Source = (&'static str, &'static str, &'static [&'static str], Direction);

/// Where `redact` looks.
const MASKED: &[&str] = &[
    "Subject",
    "Thread-Topic",
    "Comments",
    "Keywords",
    "Original-Subject",
    "X-Original-Subject",
    "Summary",
    "List-*",
    "X-Example-Origin",
];

const SOURCES: &[Source] = &[
    ("append", include_str!("../rules/append.toml"), &[], Direction::Outbound),
    ("prepend", include_str!("../rules/prepend.toml"), &["Subject"], Direction::Inbound),
    ("both", include_str!("../rules/both.toml"), &["Subject"], Direction::Outbound),
    ("html", include_str!("../rules/html.toml"), &[], Direction::Outbound),
    ("wide", include_str!("../rules/wide.toml"), &["Subject"], Direction::Inbound),
    ("parts", include_str!("../rules/parts.toml"), &[], Direction::Inbound),
    ("wrap", include_str!("../rules/wrap.toml"), &["X-Proof"], Direction::Outbound),
    (
        "header",
        include_str!("../rules/header.toml"),
        &["X-Proof", "X-Mailer", "X-Seen", "Subject"],
        Direction::Outbound,
    ),
    (
        "signatures",
        include_str!("../rules/signatures.toml"),
        &["DKIM-Signature", "X-Original-DKIM-Signature", "X-Original-Authentication-Results"],
        Direction::Inbound,
    ),
    ("links", include_str!("../rules/links.toml"), &[], Direction::Inbound),
    ("attachments", include_str!("../rules/attachments.toml"), &["X-Mailwright-Notice"], Direction::Inbound),
    ("redact", include_str!("../rules/redact.toml"), MASKED, Direction::Outbound),
    ("mask", include_str!("../rules/mask.toml"), MASKED, Direction::Outbound),
];

/// Every rule set: those of `fuzz/rules`, and the rules that ship over mail of either direction.
///
/// # Panics
/// When one does not compile.
pub fn rule_sets() -> &'static [RuleSet] {
    static SETS: OnceLock<Vec<RuleSet>> = OnceLock::new();
    SETS.get_or_init(|| {
        let of = |(name, text, named, direction): &Source| {
            let files = vec![("10-fuzz.toml".to_owned(), (*text).to_owned())];
            let pipeline = Pipeline::from_sources(files).unwrap_or_else(|p| panic!("{}", p.render(false)));
            RuleSet { name, pipeline, named, direction: *direction, rests: true }
        };
        let ship = |name, direction| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
            let folder = if folder.ends_with("fuzz") { folder.join("../rules") } else { folder.join("rules") };
            let folder = std::env::var_os("FUZZ_RULES").map_or(folder, Into::into);
            let pipeline = Pipeline::load(&folder).unwrap_or_else(|p| panic!("{}", p.render(false)));
            RuleSet { name, pipeline, named: MASKED, direction, rests: direction == Direction::Outbound }
        };
        let ships = [ship("shipped-inbound", Direction::Inbound), ship("shipped-outbound", Direction::Outbound)];
        let only = std::env::var("FUZZ_SET").ok();
        let all = SOURCES.iter().map(of).chain(ships);
        all.filter(|set| only.as_deref().is_none_or(|only| set.name == only)).collect()
    })
}

/// An envelope: from outside, or to the outside.
///
/// # Panics
/// Never: the addresses are addresses.
pub fn envelope(direction: Direction) -> Envelope {
    let address = |text| Address::new(text).expect("an address");
    let (sender, recipient) = match direction {
        Direction::Inbound => ("kim@customer.example", "ann@example.com"),
        Direction::Outbound => ("ann@example.com", "kim@customer.example"),
    };
    Envelope {
        direction,
        sender: Some(address(sender)),
        recipients: vec![address(recipient)],
        message_id: "fuzz".to_owned(),
        truncated: false,
    }
}

/// What came of a message, for telling inputs apart that do something new.
pub struct Judged {
    /// Digest of what the rules did, and of what the message is made of.
    pub signature: u64,
    /// The rewritten message.
    pub rewritten: Option<Vec<u8>>,
}

/// One rule set over a message, and over what comes out, until nothing changes.
///
/// # Panics
/// On a finding: a rule that panicked, a rewrite that `verify.rs` or the invariants refuse, a second run that changes
/// something.
pub fn judge(set: &RuleSet, raw: &[u8]) -> Judged {
    let message = Message::parse(raw);
    let outcome = run(set, &message);
    let rules = outcome.as_ref().map_or(&[][..], |outcome| &outcome.report.rules);
    let signature = signature(set, &message, rules);
    let Some(outcome) = outcome else { return Judged { signature, rewritten: None } };
    let Some(rewritten) = &outcome.rewritten else { return Judged { signature, rewritten: None } };
    invariants::hold(raw, rewritten, set.named, true).unwrap_or_else(|what| panic!("{}: {what}", set.name));
    let first = rewritten.to_vec();
    // All of it, and not what was edited alone as the function does.
    let mut faults = put_checks::compare(&Message::parse(&first), &message);
    faults.retain(|fault| !fault.came && fault.demand.refuses());
    assert!(faults.is_empty(), "{}: WorkMail would reject what came about: {}", set.name, put_checks::words(&faults));
    assert_eq!(put_checks::brought_in(&message, rewritten), [], "{}: no fault, and one brought in", set.name);
    if !set.rests {
        return Judged { signature, rewritten: Some(first) };
    }
    let (mut out, mut before) = (first.clone(), outcome.report.rules);
    for _ in 1..MAX_RUNS {
        let message = Message::parse(&out);
        let Some(outcome) = run(set, &message) else { panic!("{}: another run fails", set.name) };
        let Some(rewritten) = outcome.rewritten else { return Judged { signature, rewritten: Some(first) } };
        let next = rewritten.to_vec();
        if next == out {
            return Judged { signature, rewritten: Some(first) };
        }
        let is_excused = |(index, rule): (usize, &RuleReport)| rule.edits == 0 || is_laid_open(&before, index);
        assert!(
            outcome.report.rules.iter().enumerate().all(is_excused),
            "{}: another run changes the message once more: {:?} then {:?}",
            set.name,
            told(&before),
            told(&outcome.report.rules)
        );
        before = outcome.report.rules;
        out = next;
    }
    panic!("{}: {MAX_RUNS} runs, and the message still changes: {:?}", set.name, told(&before));
}

fn told(rules: &[RuleReport]) -> Vec<(&str, &Verdict, &[String], usize)> {
    rules.iter().map(|r| (r.name.as_str(), &r.verdict, r.effects.as_slice(), r.edits)).collect()
}

/// Rules run in order, each once. What a later rule took out or put in can lay open what this one looks for: a mask in
/// the place of what stood against a number, or text that a body can now be edited around.
fn is_laid_open(before: &[RuleReport], index: usize) -> bool {
    let Some((this, later)) = before.get(index..).and_then(<[_]>::split_first) else { return false };
    let is_skipped = matches!(&this.verdict, Verdict::Skipped(why) if why.contains("could not be edited"));
    // Words of a sender that are those of a block count as the block where nothing but a quote is around them. A block that
    // goes above them makes a quote of them.
    let was_there = this.edits == 0 && this.effects.iter().any(|effect| effect.contains("it is there already"));
    let redacts = |rule: &RuleReport| matches!(&*rule.name, "cards" | "words");
    later.iter().any(|rule| rule.edits > 0 && (is_skipped || was_there || redacts(this) && redacts(rule)))
}

/// `None` where a rule that must not fail did: such a message is not delivered.
fn run<'m>(set: &RuleSet, message: &'m Message<'m>) -> Option<Outcome<'m>> {
    let outcome = match set.pipeline.run(message, &envelope(set.direction), &Facts::default(), &|| false) {
        Ok(outcome) => outcome,
        Err(error) => {
            assert!(set.name.starts_with("shipped"), "{}: {error}", set.name);
            assert!(!error.to_string().contains("bug in mailwright"), "{}: {error}", set.name);
            return None;
        }
    };
    sound(&outcome);
    let is_once_more = |verdict: &Verdict| matches!(verdict, Verdict::Failed(why) if why.contains("once more"));
    assert!(
        !outcome.report.rules.iter().any(|rule| is_once_more(&rule.verdict)),
        "{}: a block is not known again",
        set.name
    );
    Some(outcome)
}

/// No rule panicked, and no rewrite was taken back.
///
/// # Panics
/// When one did.
pub fn sound(outcome: &Outcome<'_>) {
    for rule in &outcome.report.rules {
        if let Verdict::Failed(why) = &rule.verdict {
            assert!(!why.contains("bug in mailwright"), "{}: {why}", rule.name);
        }
    }
    for note in &outcome.report.notes {
        assert!(!note.contains("bug in mailwright"), "{note}");
    }
}

fn signature(set: &RuleSet, message: &Message<'_>, rules: &[RuleReport]) -> u64 {
    let mut hasher = DefaultHasher::new();
    set.name.hash(&mut hasher);
    for rule in rules {
        format!("{:?}", rule.verdict).hash(&mut hasher);
        rule.effects.hash(&mut hasher);
        rule.edits.min(4).hash(&mut hasher);
    }
    for part in message.parts().iter().take(4) {
        let is_html = part.media_type == "text/html";
        (part.is_text(), is_html, part.is_multipart(), part.charset.is_some(), part.flowed).hash(&mut hasher);
        std::mem::discriminant(&part.encoding).hash(&mut hasher);
    }
    message.notes().hash(&mut hasher);
    hasher.finish()
}
