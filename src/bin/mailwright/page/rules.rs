//! What each rule did, or why it did nothing.

use std::fmt::Write as _;

use mailwright::pipeline::{RuleReport, Verdict};

use super::conditions;
use super::markup::text;
use crate::explain::words;

/// Most lines of what a rule did.
const MAX_EFFECTS: usize = 12;

/// True when the conditions of a rule held.
pub fn is_met(report: &RuleReport) -> bool {
    match report.verdict {
        Verdict::Matched | Verdict::Audited | Verdict::Skipped(_) | Verdict::Failed(_) => true,
        Verdict::NotMatched(_)
        | Verdict::Excepted(_)
        | Verdict::Off
        | Verdict::Inactive(_)
        | Verdict::Stopped
        | Verdict::OutOfTime => false,
    }
}

/// Those that met the message one by one, the others folded away.
pub fn write(reports: &[RuleReport], html: &mut String) {
    let (met, others): (Vec<_>, Vec<_>) = reports.iter().partition(|report| is_met(report));
    if met.is_empty() {
        let none = if reports.is_empty() { "no rule was run" } else { "no rule matched" };
        let _ = write!(html, "<p class=none>{none}</p>");
    }
    list(&met, html);
    if !others.is_empty() {
        let did = if others.len() == 1 { "1 rule did not match" } else { "rules did not match" };
        let number = if others.len() == 1 { String::new() } else { format!("{} ", others.len()) };
        let _ = write!(html, "<details class=others><summary>{number}{did}</summary>");
        list(&others, html);
        html.push_str("</details>");
    }
}

fn list(reports: &[&RuleReport], html: &mut String) {
    if reports.is_empty() {
        return;
    }
    html.push_str("<ul class=rules>");
    for report in reports {
        let _ = write!(
            html,
            "<li class={}><b>{}</b><span>{}</span>",
            class(&report.verdict),
            text(&report.name),
            text(&words(&report.verdict))
        );
        for effect in report.effects.iter().take(MAX_EFFECTS) {
            let _ = write!(html, "<p>{}</p>", text(effect));
        }
        if let more @ 1.. = report.effects.len().saturating_sub(MAX_EFFECTS) {
            let _ = write!(html, "<p>{more} more</p>");
        }
        conditions::write(&report.checked, html);
        html.push_str("</li>");
    }
    html.push_str("</ul>");
}

fn class(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Matched => "matched",
        Verdict::Audited | Verdict::Skipped(_) => "odd",
        Verdict::Failed(_) | Verdict::OutOfTime => "bad",
        Verdict::NotMatched(_) | Verdict::Excepted(_) | Verdict::Off | Verdict::Inactive(_) | Verdict::Stopped => "not",
    }
}
