//! `GET /page/state`: what is new since a change that the page knows.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use mailwright::facts::{Clock, Timestamp};
use mailwright::flow::workmail::MAX_MESSAGE;
use mailwright::rule::Mode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Page, json_answer, refused, shown};
use crate::page::problems;

/// What the page knows.
#[derive(Debug, Deserialize)]
pub struct Known {
    /// Of which run of the server.
    #[serde(default)]
    run: String,
    /// Up to which change.
    #[serde(default)]
    since: u64,
}

/// What is new.
pub async fn state(State(page): State<Arc<Page>>, known: Result<Query<Known>, QueryRejection>) -> Response {
    let Ok(Query(known)) = known else {
        return refused(StatusCode::BAD_REQUEST, "the query may have run, and since, which is a number");
    };
    let Ok(place) = Arc::clone(&page.looking).acquire_owned().await else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "the server ends");
    };
    let made = tokio::task::spawn_blocking(move || {
        let made = make(&page, &known);
        drop(place);
        made
    });
    match made.await {
        Ok(value) => json_answer(StatusCode::OK, &value),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "a bug in mailwright, please report it"),
    }
}

fn make(page: &Page, known: &Known) -> Value {
    // Read first: what changes meanwhile is newer, and is asked for again.
    let last = page.changes.last();
    let server = page.changes.server();
    let since = if known.run == server { known.since } else { 0 };
    let (runs, in_force) = (page.hub.runs(), page.hub.rules());
    let messages: Vec<Value> = runs
        .iter()
        .map(|run| (run, page.changes.of_run(run.number)))
        .filter(|(_, change)| *change > since)
        .map(|(run, change)| {
            let row = shown::row(run, &in_force);
            json!({
                "number": row.number, "change": change, "at": milliseconds(run.arrived), "path": row.path,
                "fate": row.fate, "answer": row.answer, "rules": row.rules, "row": row.html,
            })
        })
        .collect();
    let (changed, _) = page.changes.of_rules();
    let mut state = json!({
        "run": server,
        "change": last,
        "first": runs.first().map_or(usize::MAX >> 12, |run| run.number),
        "messages": messages,
        "rules": (changed > since).then(|| rules(page)),
    });
    if since == 0
        && let Some(fields) = state.as_object_mut()
    {
        let ways: Vec<Value> = page.ways.iter().map(|way| json!({ "name": way.name, "text": way.text })).collect();
        let domain = page.hub.rules().pipeline.organization().domains.first().map(|domain| domain.as_str().to_owned());
        fields.insert("ways".to_owned(), json!(ways));
        fields.insert("domain".to_owned(), json!(domain));
        fields.insert("most".to_owned(), json!(MAX_MESSAGE));
        fields.insert("who".to_owned(), json!(page.who));
    }
    state
}

fn rules(page: &Page) -> Value {
    let (_, times) = page.changes.of_rules();
    let rules = page.hub.rules();
    let list: Vec<Value> = rules
        .pipeline
        .rules()
        .iter()
        .map(|rule| {
            let mode = match rule.mode {
                Mode::Enforce => "enforce",
                Mode::Audit => "audit",
                Mode::Off => "off",
            };
            json!({ "name": rule.name, "description": rule.description, "mode": mode })
        })
        .collect();
    let warnings = rules.pipeline.warnings_at(Clock::System.now());
    let warnings =
        (!warnings.is_empty()).then(|| json!({ "count": warnings.len(), "html": problems(&warnings.render(false)) }));
    let faults = rules.problems.as_deref().map(|text| {
        let count = text.lines().filter(|line| line.starts_with("error")).count().max(1);
        json!({ "count": count, "at": milliseconds(times.problems.unwrap_or(times.loaded)), "html": problems(text) })
    });
    json!({
        "loaded": milliseconds(times.loaded),
        "loads": times.loads,
        "rules": list,
        "warnings": warnings,
        "problems": faults,
    })
}

/// For the script's clock.
fn milliseconds(at: Timestamp) -> i64 {
    at.as_millisecond()
}
