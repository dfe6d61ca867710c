//! `GET /page/events`: server-sent events, each the number of the last change (WHATWG HTML §9.2).

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::channel::Channel;
use tokio::time::timeout;

use super::{Page, refused};

/// So often a line goes out that says nothing: then it is known whether somebody still listens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Tell a page what is new for as long as it listens.
pub async fn events(State(page): State<Arc<Page>>) -> Response {
    let Ok(place) = Arc::clone(&page.listeners).try_acquire_owned() else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "too many pages are open");
    };
    let mut told = page.changes.told();
    let (mut sender, body) = Channel::<Bytes>::new(4);
    tokio::spawn(async move {
        let mut line = format!("retry: 500\ndata: {}\n\n", *told.borrow_and_update());
        while sender.send_data(Bytes::from(line)).await.is_ok() {
            line = match timeout(KEEP_ALIVE, told.changed()).await {
                Ok(Ok(())) => format!("data: {}\n\n", *told.borrow_and_update()),
                Ok(Err(_)) => break,
                Err(_) => ":\n\n".to_owned(),
            };
        }
        drop(place);
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::new(body)).into_response()
}
