//! What those see who run the function: the line of each message, its metrics, spans and traces.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::organization::{ID, Organization};
use crate::runtime_api::{REQUEST_ID, TRACE};
use crate::world::{World, event};
use crate::{default, message};

const RULES: &str = r#"
[[rule]]
name = "legal-notice"
when = { direction = "outbound" }
action = { kind = "append", text = "Grown by Example Orchards.", html = "<p>Grown by Example Orchards.</p>" }

[[rule]]
name = "subject-tag"
mode = "audit"
action = { kind = "tag_subject", tag = "[EXT]" }
"#;
const ASKING: &str = r#"
[[rule]]
name = "sales"
when = { direction = "outbound", sender = { group = "sales@example.com" } }
action = { kind = "append", text = "Grown by Example Orchards.", html = "<p>Grown by Example Orchards.</p>" }
"#;
/// Where operators read how to read a line.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");

fn lines(world: &World) -> Vec<Map<String, Value>> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    world.log().lines().map(line).collect()
}

fn message_lines(world: &World) -> Vec<Map<String, Value>> {
    lines(world).into_iter().filter(|line| line.contains_key("fate")).collect()
}

fn metric_lines(world: &World) -> Vec<Map<String, Value>> {
    lines(world).into_iter().filter(|line| line.contains_key("_aws")).collect()
}

#[tokio::test]
async fn each_call_names_the_trace_that_the_invocation_stands_in() {
    let organization = Organization::start().await;
    let endpoint = format!("http://{}", organization.address);
    let changes = [
        ("AWS_ENDPOINT_URL_WORKMAIL", endpoint.as_str()),
        ("MAILWRIGHT_ORGANIZATION_ID", ID),
        ("MAILWRIGHT_DOMAINS", ""),
    ];
    let mut world = World::start_with(ASKING, &changes).await;
    world.insert("m-1", message("Harvest plan"));
    assert_eq!(world.invoke(&event("m-1", "OUTBOUND")).await, Ok(default()));
    assert!(world.message("m-1") != message("Harvest plan"), "{}", world.log());
    let of_flow = std::mem::take(&mut world.flow.state().traces);
    let of_store = std::mem::take(&mut *world.s3.traces.lock().unwrap());
    let of_directory = std::mem::take(&mut organization.state().traces);
    assert_eq!((of_flow.len(), of_store.len()), (2, 1));
    assert!(of_directory.len() > 2, "{of_directory:?}");
    for trace in of_flow.into_iter().chain(of_store).chain(of_directory) {
        assert_eq!(trace.as_deref(), Some(TRACE));
    }
    let line = &message_lines(&world)[0];
    let root = TRACE.strip_prefix("Root=").and_then(|rest| rest.split(';').next());
    assert_eq!(line["spans"][0]["trace_id"].as_str(), root, "{line:?}");
}

#[tokio::test]
async fn the_line_of_a_message_is_the_one_that_operators_read_of() {
    let mut world = World::start_with(RULES, &[("MAILWRIGHT_PREFIX", "rewritten")]).await;
    let id = "4c7d0c1e-3f0b-3a5b-9a61-0d3f7a1c2b4e";
    world.insert(id, message("Harvest plan"));
    assert_eq!(world.invoke(&event(id, "OUTBOUND")).await, Ok(default()));
    let mut line = message_lines(&world).remove(0);
    assert_eq!(line["spans"][0]["request_id"], REQUEST_ID);
    for (key, value) in [
        ("level", Value::from("INFO")),
        ("fate", "rewritten".into()),
        ("message_id", id.into()),
        ("direction", "outbound".into()),
        ("answer", "DEFAULT".into()),
        ("rules_matched", "legal-notice".into()),
        ("rules_audited", "subject-tag".into()),
        ("retries", 0.into()),
        ("size_in", message("Harvest plan").len().into()),
        ("size_out", world.message(id).len().into()),
    ] {
        assert_eq!(line[key], value, "{key}: {line:?}");
    }
    assert_eq!(line["digest"], metric_lines(&world)[0]["digest"]);

    // The page shows it, with other times, digests and sizes.
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (begin, end) = ("<!-- line -->\n```json\n", "\n```\n<!-- /line -->");
    let shown = page.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).expect("the page shows a line").0;
    let mut shown: Map<String, Value> = serde_json::from_str(shown).unwrap();
    for (key, value) in &mut line {
        if key.ends_with("_ms") || ["timestamp", "digest", "key", "size_out"].contains(&key.as_str()) {
            *value = shown.get(key).unwrap_or(value).clone();
        }
    }
    if std::env::var_os("BLESS").is_some() {
        let blessed = serde_json::to_string_pretty(&line).unwrap();
        let (before, rest) = page.split_once(begin).unwrap();
        let (_, after) = rest.split_once(end).unwrap();
        std::fs::write(PAGE, format!("{before}{begin}{blessed}{end}{after}")).unwrap();
        shown = line.clone();
    }
    assert_eq!(shown, line, "BLESS=1 shows the line as it is now");
    // And each of its keys is told of.
    for key in line.keys() {
        assert!(page.contains(&format!("`{key}`")), "docs/operations.md says nothing of `{key}`");
    }
}

#[tokio::test]
async fn metrics_are_as_cloudwatch_reads_them_and_the_page_names_each() {
    let mut world = World::start_with(RULES, &[]).await;
    world.insert("m-1", message("Harvest plan"));
    assert_eq!(world.invoke(&event("m-1", "OUTBOUND")).await, Ok(default()));
    assert_eq!(world.invoke(&event("nowhere", "INBOUND")).await, Ok(default()));
    world.flow.state().failures.insert(hyper::Method::POST, [(400, "MessageRejected")].into());
    world.insert("m-2", message("Harvest plan"));
    assert_eq!(world.invoke(&event("m-2", "OUTBOUND")).await, Ok(default()));
    let page = std::fs::read_to_string(PAGE).unwrap();
    let lines = metric_lines(&world);
    assert_eq!(lines.len(), 3);
    for line in &lines {
        // "Specification: Embedded metric format": the root holds each metric that a directive names, as a number.
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert!(line["_aws"]["Timestamp"].as_u64().unwrap() > 1_600_000_000_000, "milliseconds");
        for directive in directives {
            assert_eq!(directive["Namespace"], "mail");
            assert!(directive["Dimensions"].as_array().unwrap().iter().all(|set| set.as_array().unwrap().len() <= 30));
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&metrics.len()));
            let names: BTreeSet<&str> = metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect();
            assert_eq!(names.len(), metrics.len(), "a metric is named twice");
            for metric in metrics {
                let name = metric["Name"].as_str().unwrap();
                assert!(line[name].is_number(), "{name}");
                assert!(["Count", "Milliseconds", "Bytes"].contains(&metric["Unit"].as_str().unwrap()), "{metric}");
                let told = if let Some(rest) = name.strip_prefix("Rule.") {
                    format!("`Rule.NAME.{}`", rest.rsplit('.').next().unwrap())
                } else {
                    format!("`{name}`")
                };
                assert!(page.contains(&told), "docs/operations.md says nothing of {told}");
            }
        }
    }
    let first = &lines[0];
    for (name, value) in [("Messages", 1), ("Rewritten", 1), ("Rule.legal-notice.Matched", 1)] {
        assert_eq!(first[name], value, "{first:?}");
    }
    assert_eq!(first["Rule.subject-tag.Audited"], 1);
    assert_eq!((&lines[1]["OriginalDelivered"], &lines[2]["Rejected"]), (&Value::from(1), &Value::from(1)));
}

#[tokio::test]
async fn with_debug_each_span_says_how_long_it_took_and_none_says_of_what() {
    let mut world = World::start_with(RULES, &[("MAILWRIGHT_LOG", "debug")]).await;
    world.insert("m-1", message("Harvest plan"));
    world.flow.state().failures.insert(hyper::Method::GET, [(503, "ServiceUnavailableException")].into());
    assert_eq!(world.invoke(&event("m-1", "OUTBOUND")).await, Ok(default()));
    let lines: Vec<Value> = lines(&world).into_iter().map(Value::Object).collect();
    let ended: Vec<String> = lines
        .iter()
        .filter(|line| line["message"] == "close")
        .map(|line| {
            assert!(line["time.busy"].is_string() && line["time.idle"].is_string(), "{line:?}");
            let span = &line["span"];
            let name = span["name"].as_str().unwrap();
            let stage = span["stage"].as_str().unwrap_or_default();
            format!("{name} {stage}").trim_end().to_owned()
        })
        .collect();
    let expected = ["call fetch", "call fetch", "run", "call store", "call put_back", "invocation"];
    assert_eq!(ended, expected);
    let again = lines.iter().find(|line| line["message"] == "a call failed and is tried again").unwrap();
    assert_eq!(again["tries"], 1);
    // Whatever is written while an invocation is answered says of which.
    let astray = |line: &&Value| {
        !line["_aws"].is_object() && line["message"] != "close" && line["spans"][0]["request_id"] != REQUEST_ID
    };
    assert_eq!(lines.iter().find(astray), None);
    let log = world.log();
    for content in ["Harvest", "pples", "example.com", "customer", "Orchards"] {
        assert!(!log.contains(content), "{content}: {log}");
    }
}
