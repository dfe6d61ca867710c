//! `authentication` and `verdict`: what Amazon SES found when the message came in.
//!
//! SES puts its findings on top of what a sender wrote: `Return-Path`, `Received`, `X-SES-Spam-Verdict`,
//! `X-SES-Virus-Verdict`, `Received-SPF`, `Authentication-Results` (SES Developer Guide, email receiving headers).
//! Invariant: only a field that stands above the second `Received`, below a `Received` of SES itself, counts, and only the
//! topmost of its name: what stands lower was there before SES looked, and anybody can write it.

use crate::envelope::Direction;
use crate::message::Message;
use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::{Condition, ConditionKind, OptionDoc, Scene, Takes};

use super::keys;

/// RFC 8601 §2.7, and `missing` where there is no result that can be trusted.
const RESULTS: &[&str] =
    &["pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror", "hardfail", "missing"];
/// What SES says (SES Developer Guide, `spamVerdict` and `virusVerdict`), and `missing`.
const VERDICTS: &[&str] = &["pass", "fail", "gray", "processing_failed", "disabled", "missing"];

/// The authserv-id (RFC 8601 §2.5) of SES.
const AUTHSERV: &str = "amazonses.com";

const METHODS: &[OptionDoc] = &[
    OptionDoc {
        key: "spf",
        takes: Takes::Words(RESULTS),
        default: "not tested",
        doc: "Whether this server may send for the envelope's sender.",
    },
    OptionDoc {
        key: "dkim",
        takes: Takes::Words(RESULTS),
        default: "not tested",
        doc: "Whether a signature verifies. Of several, one that passes is enough.",
    },
    OptionDoc {
        key: "dmarc",
        takes: Takes::Words(RESULTS),
        default: "not tested",
        doc: "Whether one of the two vouches for the domain of the From field.",
    },
];

const SCANS: &[OptionDoc] = &[
    OptionDoc { key: "spam", takes: Takes::Words(VERDICTS), default: "not tested", doc: "What the spam scan said." },
    OptionDoc { key: "virus", takes: Takes::Words(VERDICTS), default: "not tested", doc: "What the virus scan said." },
];

/// The kind `authentication`.
pub const AUTHENTICATION: ConditionKind = ConditionKind {
    key: "authentication",
    doc: "Tests what Amazon SES found out about the sender of an inbound message; all that are given must hold. Only SES's \
          own findings count, never what stands below them. \"missing\" is no such finding.",
    takes: Takes::Table(METHODS),
    example: "authentication = { dmarc = [\"fail\", \"missing\"] }",
    compile: |section, key| compile(section, key, METHODS, RESULTS, authentication),
};

/// The kind `verdict`.
pub const VERDICT_KIND: ConditionKind = ConditionKind {
    key: "verdict",
    doc: "Tests what Amazon SES's spam and virus scans said of an inbound message; all that are given must hold. Only SES's \
          own verdicts count, never what stands below them. \"missing\" is no such verdict.",
    takes: Takes::Table(SCANS),
    example: "verdict = { spam = [\"fail\", \"gray\"] }",
    compile: |section, key| compile(section, key, SCANS, VERDICTS, verdict),
};

#[derive(Debug)]
struct Finding {
    key: &'static str,
    /// For each method or scan: the words of which it must be one.
    wanted: Vec<(&'static str, Vec<&'static str>)>,
    /// The word for a method or scan; `None` is `missing`.
    find: fn(&Message<'_>, &str) -> Option<String>,
}

fn compile(
    section: &mut Section<'_>,
    key: &'static str,
    options: &'static [OptionDoc],
    words: &'static [&'static str],
    find: fn(&Message<'_>, &str) -> Option<String>,
) -> Option<Box<dyn Condition>> {
    let mut table = section.section(key)?;
    let words: Vec<(&'static str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
    let mut wanted = Vec::new();
    let mut sound = true;
    for option in options.iter().filter(|option| table.holds(option.key) != Holds::Nothing).collect::<Vec<_>>() {
        match table.choices(option.key, &words) {
            Some(found) => wanted.push((option.key, found.into_iter().map(|at| at.value).collect())),
            None => sound = false,
        }
    }
    if table.keys().is_empty() {
        let span = table.span();
        table.problem(&span, Code::Missing, format!("`{key}` tests nothing"), "");
        sound = false;
    }
    table.finish(key, &keys(options));
    (sound && !wanted.is_empty()).then(|| Box::new(Finding { key, wanted, find }) as Box<dyn Condition>)
}

impl Condition for Finding {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        let message = scene.draft.message();
        scene.envelope.direction == Direction::Inbound
            && self.wanted.iter().all(|(what, words)| {
                let found = (self.find)(message, what);
                words.contains(&found.as_deref().unwrap_or("missing"))
            })
    }
    fn key(&self) -> &'static str {
        self.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let found = |what| (self.find)(scene.draft.message(), what).unwrap_or_else(|| "missing".to_owned());
        let all = self.wanted.iter().map(|(what, _)| format!("{what}: {}", found(what)));
        Some(all.collect::<Vec<_>>().join(", "))
    }
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Inbound)
    }
}

/// The value of the topmost field of this name, where SES wrote it.
fn of_ses<'m>(message: &Message<'m>, name: &str) -> Option<&'m [u8]> {
    let mut received = 0;
    for field in message.fields() {
        let found = message.bytes(&field.name);
        let value = message.bytes(&field.value);
        if found.eq_ignore_ascii_case(b"Received") {
            received += 1;
            if received > 1 || !is_received_by_ses(value) {
                return None;
            }
        } else if found.eq_ignore_ascii_case(name.as_bytes()) {
            return (received == 1).then_some(value);
        }
    }
    None
}

/// `Received: from … by inbound-smtp.eu-west-1.amazonaws.com with SMTP id …`
fn is_received_by_ses(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let mut words = text.split_ascii_whitespace();
    // What stands in comments or behind `from` is the other side's word: the last `by` outside of parentheses is ours.
    let mut depth = 0_usize;
    let mut by = None;
    while let Some(word) = words.next() {
        let outside = depth == 0 && !word.starts_with('(');
        depth = (depth + word.matches('(').count()).saturating_sub(word.matches(')').count());
        if outside && word == "by" && by.is_none() {
            by = words.next();
        }
    }
    by.is_some_and(|host| host.starts_with("inbound-smtp.") && host.trim_end_matches(';').ends_with(".amazonaws.com"))
}

/// The result of a method; one that passes before others.
fn authentication(message: &Message<'_>, method: &str) -> Option<String> {
    let value = without_comments(of_ses(message, "Authentication-Results")?);
    let mut statements = value.split(';');
    let server = statements.next()?.split_ascii_whitespace().next()?.to_owned();
    if server != AUTHSERV {
        return None;
    }
    let results: Vec<&str> = statements
        .filter_map(|statement| {
            // `dkim=pass header.i=@example.com`, `dkim/1=pass` (RFC 8601 §2.2)
            let (name, rest) = statement.split_once('=')?;
            let name = name.split('/').next()?.trim();
            (name == method).then(|| rest.split_ascii_whitespace().next())?
        })
        .collect();
    results.iter().find(|result| **result == "pass").or(results.first()).map(|result| (*result).to_owned())
}

fn verdict(message: &Message<'_>, scan: &str) -> Option<String> {
    let name = if scan == "spam" { "X-SES-Spam-Verdict" } else { "X-SES-Virus-Verdict" };
    let value = without_comments(of_ses(message, name)?);
    value.split_ascii_whitespace().next().map(str::to_owned)
}

/// In lower case, comments (RFC 5322 §3.2.2) and quotes gone.
fn without_comments(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => depth -= 1,
            // What is quoted is a value of somebody else's choice: it must not look like a statement of its own.
            ';' | '=' if quoted => out.push('_'),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::envelope::{Address, Direction, Envelope};
    use crate::rule::conditions::testing::{envelope, holds_for, problems};

    const SES: &str = "Return-Path: <kim@customer.example>\n\
        Received: from mx.customer.example (by inbound-smtp [192.0.2.1])\n by inbound-smtp.eu-west-1.amazonaws.com with SMTP id x\n \
        for ann@example.com; Sun, 22 Nov 2026 04:00:00 +0000 (UTC)\n\
        X-SES-Spam-Verdict: GRAY\nX-SES-Virus-Verdict: PASS\n\
        Received-SPF: pass (spfCheck: domain of customer.example) client-ip=192.0.2.1;\n\
        Authentication-Results: amazonses.com;\n spf=softfail (spfCheck: \"dmarc=pass;\" dmarc=pass) client-ip=192.0.2.1;\n \
        dkim=fail header.i=@a.example;\n dkim=pass header.i=\"@b.example; dmarc=pass\";\n dmarc=none header.from=customer.example;\n\
        Authentication-Results: amazonses.com; dmarc=fail; spf=fail\n";
    const REST: &str = "Received: from a by mx.customer.example; Sun, 22 Nov 2026 03:59:59 +0000\n\
        X-SES-Spam-Verdict: PASS\nFrom: kim@customer.example\n\nx";

    fn inbound() -> Envelope {
        Envelope {
            direction: Direction::Inbound,
            sender: Address::new("kim@customer.example").ok(),
            ..envelope(&["ann@example.com"])
        }
    }

    #[track_caller]
    fn check(test: &str, message: &str, want: bool) {
        assert_eq!(holds_for(test, message, &inbound()), want, "{test}");
    }

    #[test]
    fn results_of_ses() {
        let message = format!("{SES}{REST}");
        check("authentication = { spf = \"softfail\" }", &message, true);
        check("authentication = { spf = [\"fail\", \"pass\"] }", &message, false);
        check("authentication = { dkim = \"pass\", dmarc = \"none\" }", &message, true);
        check("authentication = { dkim = \"fail\" }", &message, false);
        check("verdict = { spam = \"gray\", virus = \"pass\" }", &message, true);
        check("verdict = { spam = \"pass\" }", &message, false);
    }

    #[test]
    fn what_a_sender_wrote_counts_for_nothing() {
        let forged = "X-SES-Spam-Verdict: PASS\nAuthentication-Results: amazonses.com; dmarc=pass\n";
        let by_ses = SES.lines().take(4).collect::<Vec<_>>().join("\n") + "\n";
        for message in [
            // Nothing of SES at all.
            format!("{forged}{REST}"),
            // Below the second Received, and in a message whose first Received is another's.
            format!("{by_ses}Received: from x by y; z\n{forged}{REST}"),
            format!("Received: from inbound-smtp.eu-west-1.amazonaws.com by mx.example.net; x\n{forged}{REST}"),
            format!("Received: from (by inbound-smtp.x.amazonaws.com) by mx.example.net; x\n{forged}{REST}"),
            // Another server's results.
            format!("{by_ses}Authentication-Results: mx.customer.example; dmarc=pass\n{REST}"),
        ] {
            check("authentication = { dmarc = \"missing\" }", &message, true);
            check("authentication = { dmarc = \"pass\" }", &message, false);
            check("verdict = { spam = \"missing\" }", &message, true);
            check("verdict = { spam = \"pass\" }", &message, false);
        }
    }

    #[test]
    fn outbound_mail_has_no_verdicts() {
        let message = format!("{SES}{REST}");
        assert!(!holds_for("verdict = { spam = [\"gray\", \"missing\"] }", &message, &envelope(&["a@example.com"])));
    }

    #[test]
    fn what_cannot_be_meant() {
        assert!(problems("authentication = {}").contains("tests nothing"));
        assert!(problems("authentication = { dmarc = \"passed\" }").contains("did you mean `pass`"));
        assert!(problems("verdict = { spam = \"softfail\" }").contains("R003"));
        assert!(problems("verdict = { spm = \"pass\" }").contains("did you mean `spam`"));
    }
}
