//! The page: what has passed, in a browser.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::hub::Hub;

/// The routes of the page.
pub fn routes(hub: Arc<Hub>) -> Router {
    Router::new().route("/", get(list)).with_state(hub)
}

/// What is kept, as text.
async fn list(State(hub): State<Arc<Hub>>) -> String {
    let runs = hub.runs();
    runs.iter().map(|run| format!("#{} {} {}\n", run.number, run.event.direction, run.id)).collect()
}
