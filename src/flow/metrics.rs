//! What operators count: one line for each message in CloudWatch's embedded metric format, which CloudWatch Logs reads
//! metrics out of. No call is made for them.
//!
//! There are no dimensions: what CloudWatch is paid for is each series, whether a name or a dimension tells it from others, and
//! without dimensions all of a message stands in one line. Only while two rule sets are in use, each has series of its own
//! beside those of both (`RuleSet`). What did not happen is not counted as 0: it would cost the same.
//!
//! Invariant (no content): names of metrics are fixed words and names of rules; values are counts, octets and times.
//!
//! Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".

use serde_json::{Map, Value, json};

use super::handler::{Fate, FlowError, FlowReport};
use super::ports::{PortError, Refusal};
use super::rule_sets::Which;
use crate::facts::Timestamp;
use crate::pipeline::Verdict;

/// Metrics of one line, of the 100 that the format allows: what is over it is left out, rules last.
const MAX_METRICS: usize = 100;
/// Characters of a metric's name (PutMetricData: 255).
const MAX_NAME: usize = 255;

/// The line for a message. `namespace` is what the metrics stand under in CloudWatch; `now` is when it was handled.
pub fn line(namespace: &str, report: &FlowReport, error: Option<&FlowError>, now: Timestamp) -> String {
    let mut metrics = Metrics::default();
    metrics.count("Messages", 1);
    metrics.count(fate(&report.fate), 1);
    // An event that cannot be read has its message delivered unread: the same to whoever gets it.
    metrics.count("OriginalDelivered", u64::from(matches!(report.fate, Fate::Original { .. } | Fate::Undecodable)));
    metrics.count("Rejected", u64::from(rejected(&report.fate, error)));
    metrics.count("Repaired", u64::from(!report.repaired.is_empty()));
    metrics.count("Retries", u64::from(report.retries));
    if let Fate::Observed { would, .. } = &report.fate {
        // `Would.Rewritten`, beside `Observed`.
        metrics.count(&format!("Would.{}", fate(would)), 1);
    }
    for (name, count) in [
        ("RulesSwapped", report.looks.swapped),
        ("RulesRefused", report.looks.refused),
        ("RulesUnread", report.looks.unread),
    ] {
        metrics.count(name, u64::from(count));
    }
    let layer = report.rule_set.as_ref().is_some_and(|rules| rules.which == Which::Layer);
    metrics.count("LayerRules", u64::from(layer));
    let rules = || report.rules.iter().flat_map(|rules| &rules.rules);
    metrics.count("RulesFailed", rules().filter(|rule| failed(&rule.verdict)).count() as u64);
    if let Some(error) = error {
        // `Mailwright.RuleFailed` is `Failed.RuleFailed` here.
        metrics.count(&format!("Failed.{}", error.kind().trim_start_matches("Mailwright.")), 1);
    }
    for (name, ms) in [
        ("RulesTime", report.times.rules_ms),
        ("FetchTime", report.times.fetch_ms),
        ("LookUpTime", report.times.look_up_ms),
        ("RunTime", report.times.run_ms),
        ("StoreTime", report.times.store_ms),
        ("PutBackTime", report.times.put_back_ms),
        ("TotalTime", report.times.total_ms),
    ] {
        // A stage that was not reached took no time, and is not counted in.
        if ms > 0.0 {
            metrics.put(name, "Milliseconds", json!(ms));
        }
    }
    for (name, size) in [("SizeIn", report.size_in), ("SizeOut", report.size_out)] {
        if let Some(size) = size {
            metrics.put(name, "Bytes", json!(size));
        }
    }
    for rule in rules() {
        let what = match rule.verdict {
            Verdict::Matched => "Matched",
            Verdict::Audited => "Audited",
            Verdict::Failed(_) | Verdict::OutOfTime => "Failed",
            Verdict::Skipped(_) => "Skipped",
            Verdict::NotMatched(_) | Verdict::Excepted(_) | Verdict::Off | Verdict::Inactive(_) | Verdict::Stopped => {
                continue;
            }
        };
        metrics.count(&format!("Rule.{}.{what}", rule.name), 1);
    }
    let mut line = Map::new();
    // With two rule sets in use, each is counted for itself, too.
    let both = report.rule_set.as_ref().filter(|rules| rules.other.is_some());
    let dimensions = if both.is_some() { json!([[], ["RuleSet"]]) } else { json!([[]]) };
    let directive = json!({ "Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics.names });
    line.insert("_aws".into(), json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive] }));
    line.insert("mode".into(), json!(report.mode));
    if let Some(rules) = &report.rule_set {
        line.insert("digest".into(), json!(rules.digest));
    }
    if let Some(rules) = both {
        line.insert("other_digest".into(), json!(rules.other));
        line.insert("RuleSet".into(), json!(rules.which));
    }
    line.extend(metrics.values);
    Value::Object(line).to_string()
}

/// Names and units, and the values under the names.
#[derive(Default)]
struct Metrics {
    names: Vec<Value>,
    values: Map<String, Value>,
}

impl Metrics {
    fn count(&mut self, name: &str, count: u64) {
        if count > 0 {
            self.put(name, "Count", json!(count));
        }
    }
    fn put(&mut self, name: &str, unit: &str, value: Value) {
        // CloudWatch takes names in ASCII; two rules whose names then are one are counted as one.
        let name: String =
            name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '_' }).take(MAX_NAME).collect();
        if let Some(sum) = self.values.get(&name).and_then(Value::as_u64) {
            self.values.insert(name, json!(sum + value.as_u64().unwrap_or(0)));
        } else if self.names.len() < MAX_METRICS {
            self.names.push(json!({ "Name": name, "Unit": unit }));
            self.values.insert(name, value);
        }
    }
}

fn fate(fate: &Fate) -> &'static str {
    match fate {
        Fate::Unchanged => "Unchanged",
        Fate::Rewritten => "Rewritten",
        Fate::Marked => "Marked",
        Fate::Undecodable => "Undecodable",
        Fate::Original { .. } => "Original",
        Fate::Failed => "Failed",
        Fate::Off => "Off",
        Fate::Observed { .. } => "Observed",
    }
}

/// Did a rule not do its work, so that the message went on without it?
fn failed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed(_) | Verdict::OutOfTime)
}

/// Did WorkMail's checks refuse the rewritten message, whether the original goes out for it or the invocation fails?
fn rejected(fate: &Fate, error: Option<&FlowError>) -> bool {
    let failed = |error: &PortError| matches!(error, PortError::Permanent { kind: Refusal::Rejected, .. });
    matches!(fate, Fate::Original { refusal: Some(Refusal::Rejected), .. })
        || matches!(error, Some(FlowError::Refused { error, .. }) if failed(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::handler::{Stage, Times};
    use crate::flow::mode::FlowMode;
    use crate::flow::rule_sets::RuleSet;
    use crate::flow::workmail::Event;
    use crate::pipeline::{Report, RuleReport};

    fn rule(name: &str, verdict: Verdict) -> RuleReport {
        let (effects, checked, finds) = Default::default();
        RuleReport { name: name.to_owned(), verdict, effects, edits: 0, recipients: None, checked, finds }
    }

    fn report(fate: Fate, rules: Vec<RuleReport>) -> FlowReport {
        FlowReport {
            fate,
            size_in: Some(1_000),
            retries: 2,
            rule_set: Some(RuleSet { which: Which::Candidate, digest: "0123456789abcdef".into(), other: None }),
            times: Times { fetch_ms: 3.5, total_ms: 9.0, ..Times::default() },
            rules: Some(Report { digest: "0123456789abcdef".into(), rules, notes: Vec::new(), signatures: Vec::new() }),
            ..FlowReport::new(&Event::read(&Value::Null), FlowMode::Enforce)
        }
    }

    fn read(report: &FlowReport, error: Option<&FlowError>) -> Value {
        let line = line("mail", report, error, Timestamp::from_second(1_800_000_000).unwrap());
        assert!(!line.contains('\n'));
        let line: Value = serde_json::from_str(&line).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "mail");
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!(metrics.len() <= MAX_METRICS);
        for metric in metrics {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
        line
    }

    #[test]
    fn what_became_of_a_message_is_counted() {
        let rules = vec![
            rule("legal-notice", Verdict::Matched),
            rule("banner", Verdict::NotMatched("direction".into())),
            rule("hinweis für alle", Verdict::Audited),
            rule("hinweis f_r alle", Verdict::Audited),
            rule("cards", Verdict::Failed("why".into())),
        ];
        let line = read(&report(Fate::Rewritten, rules), None);
        assert_eq!(line["_aws"]["Timestamp"], 1_800_000_000_000_i64);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        for (name, value) in [
            ("Messages", 1),
            ("Rewritten", 1),
            ("Retries", 2),
            ("RulesFailed", 1),
            ("SizeIn", 1_000),
            ("Rule.legal-notice.Matched", 1),
            ("Rule.hinweis f_r alle.Audited", 2),
            ("Rule.cards.Failed", 1),
        ] {
            assert_eq!(line[name], value, "{name}: {line}");
        }
        assert_eq!(line["FetchTime"], 3.5);
        assert_eq!(line["digest"], "0123456789abcdef");
        for absent in
            ["StoreTime", "SizeOut", "Rule.banner.Matched", "Failed", "OriginalDelivered", "Rejected", "Repaired"]
        {
            assert_eq!(line[absent], Value::Null, "{absent}: {line}");
        }
    }

    #[test]
    fn what_went_out_as_it_came_and_what_failed_is_told_apart() {
        let fate = Fate::Original { stage: Stage::PutBack, refusal: Some(Refusal::Rejected), why: String::new() };
        let line = read(&report(fate, Vec::new()), None);
        assert_eq!(
            (&line["OriginalDelivered"], &line["Rejected"], &line["Original"]),
            (&json!(1), &json!(1), &json!(1))
        );
        assert_eq!(read(&report(Fate::Undecodable, Vec::new()), None)["OriginalDelivered"], 1);
        let error = FlowError::Rule("why".into());
        let line = read(&report(Fate::Failed, Vec::new()), Some(&error));
        assert_eq!(
            (&line["Failed"], &line["Failed.RuleFailed"], &line["OriginalDelivered"], &line["Rejected"]),
            (&json!(1), &json!(1), &Value::Null, &Value::Null)
        );
        // Rejected is rejected, also where the original must not go out.
        for (refusal, rejected) in [(Refusal::Rejected, json!(1)), (Refusal::Denied, Value::Null)] {
            let (stage, because) = (Stage::PutBack, "why".to_owned());
            let error = FlowError::Refused { stage, error: PortError::permanent(refusal, ""), because };
            let line = read(&report(Fate::Failed, Vec::new()), Some(&error));
            assert_eq!((&line["Failed.Refused"], &line["Rejected"]), (&json!(1), &rejected));
        }
    }

    #[test]
    fn two_rule_sets_are_counted_each_for_itself() {
        let mut report = report(Fate::Rewritten, Vec::new());
        let other = Some("fedcba9876543210".to_owned());
        report.rule_set = report.rule_set.map(|rules| RuleSet { other, ..rules });
        report.looks.refused = 1;
        let line = read(&report, None);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[], ["RuleSet"]]));
        assert_eq!((&line["RuleSet"], &line["digest"]), (&json!("candidate"), &json!("0123456789abcdef")));
        assert_eq!((&line["other_digest"], &line["RulesRefused"]), (&json!("fedcba9876543210"), &json!(1)));
    }

    #[test]
    fn what_is_only_looked_at_is_counted_by_what_would_have_become_of_it() {
        let fate = Fate::Observed { would: Box::new(Fate::Rewritten), why: None };
        let line = read(&report(fate, Vec::new()), None);
        assert_eq!((&line["Observed"], &line["Would.Rewritten"]), (&json!(1), &json!(1)));
        assert_eq!((&line["Rewritten"], &line["OriginalDelivered"]), (&Value::Null, &Value::Null));
        let line = read(&report(Fate::Off, Vec::new()), None);
        assert_eq!((&line["Off"], &line["OriginalDelivered"]), (&json!(1), &Value::Null));
    }

    #[test]
    fn no_line_has_more_metrics_than_cloudwatch_reads() {
        let rules = (0..200).map(|n| rule(&format!("rule-{n}"), Verdict::Matched)).collect();
        let line = read(&report(Fate::Rewritten, rules), None);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap().len(), MAX_METRICS);
        assert_eq!((&line["Rule.rule-0.Matched"], &line["Rule.rule-199.Matched"]), (&json!(1), &Value::Null));
    }
}
