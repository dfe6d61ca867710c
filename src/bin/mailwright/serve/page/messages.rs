//! `GET /page/messages/…`: one message, as the page shows it and as it is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{Page, json_answer, refused, shown};
use crate::replay::function::bug;

const NO_NUMBER: &str = "messages have numbers, from 1";
const FILES: &str = "there is before.eml, before.txt, after.eml and after.txt";
const GONE: &str = "this message is kept no longer";

/// All that is seen of a message.
pub async fn article(State(page): State<Arc<Page>>, number: Result<Path<usize>, PathRejection>) -> Response {
    let Ok(Path(number)) = number else { return refused(StatusCode::NOT_FOUND, NO_NUMBER) };
    let change = page.changes.of_run(number);
    let Some(run) = page.hub.run(number) else { return refused(StatusCode::NOT_FOUND, GONE) };
    let rules = page.hub.rules();
    page.hub.look_at(number);
    let Ok(place) = Arc::clone(&page.looking).acquire_owned().await else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "the server ends");
    };
    let made = tokio::task::spawn_blocking(move || {
        let html = catch_unwind(AssertUnwindSafe(|| shown::entry(&run, &rules).article));
        drop(place);
        html.unwrap_or_else(|_| format!("<p class=failure>{}</p>", crate::page::text(&bug())))
    });
    match made.await {
        Ok(html) => json_answer(StatusCode::OK, &json!({ "number": number, "change": change, "html": html })),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "a bug in mailwright, please report it"),
    }
}

/// A message as it came or as it was rewritten, to keep (`.eml`) or to look at (`.txt`).
pub async fn source(State(page): State<Arc<Page>>, asked: Result<Path<(usize, String)>, PathRejection>) -> Response {
    let Ok(Path((number, file))) = asked else { return refused(StatusCode::NOT_FOUND, NO_NUMBER) };
    let Some(run) = page.hub.run(number) else { return refused(StatusCode::NOT_FOUND, GONE) };
    let (side, kind) = file.split_once('.').unwrap_or_default();
    let content = match side {
        "before" => Some(run.original.clone()),
        "after" => run.rewritten().cloned(),
        _ => return refused(StatusCode::NOT_FOUND, FILES),
    };
    let (media_type, disposition) = match kind {
        "eml" => ("message/rfc822", format!("attachment; filename=\"message-{number}-{side}.eml\"")),
        // Octets that are not UTF-8 are shown as such; the file has them.
        "txt" => ("text/plain; charset=utf-8", "inline".to_owned()),
        _ => return refused(StatusCode::NOT_FOUND, FILES),
    };
    let Some(content) = content else {
        return refused(StatusCode::NOT_FOUND, "this message was not rewritten");
    };
    let fields = [(header::CONTENT_TYPE, media_type), (header::CONTENT_DISPOSITION, &disposition)];
    (fields, content).into_response()
}
