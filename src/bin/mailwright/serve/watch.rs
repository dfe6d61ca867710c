//! Rule files that change: looked at three times a second, compiled aside, put in force when they are sound.
//!
//! Invariant: there is always a whole rule set in force; files that are being written are waited for.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mailwright::pipeline::Pipeline;
use tokio::time::sleep;
use walkdir::WalkDir;

use super::hub::Hub;
use super::log::Log;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(300);
/// Most files that are looked at.
const MAX_FILES: usize = 10_000;
/// Deepest folder that is looked into.
const MAX_DEPTH: usize = 20;

/// Look for changes of the rules at `path` as long as the process lives. `load` compiles them; its error is what is wrong,
/// in plain text.
pub async fn watch(
    path: PathBuf,
    hub: Arc<Hub>,
    log: Log,
    load: impl Fn() -> Result<Pipeline, String> + Clone + Send + 'static,
) {
    let mut seen = look(&path).await;
    loop {
        sleep(EVERY).await;
        let mut now = look(&path).await;
        if now == seen {
            continue;
        }
        // An editor may still be at it.
        loop {
            sleep(EVERY / 2).await;
            let next = look(&path).await;
            if next == now {
                break;
            }
            now = next;
        }
        seen = now;
        let load = load.clone();
        match tokio::task::spawn_blocking(load).await {
            Ok(Ok(pipeline)) => {
                let rules = hub.rules();
                let same = rules.pipeline.digest() == pipeline.digest();
                if !same || rules.problems.is_some() {
                    log.rules(pipeline.rules().len(), None);
                }
                if same {
                    hub.set_problems(None);
                } else {
                    hub.put_in_force(pipeline);
                }
            }
            Ok(Err(problems)) => {
                log.rules(0, Some(&problems));
                hub.set_problems(Some(problems.into()));
            }
            Err(_) => log.odd("the rule files could not be compiled: this is a bug in mailwright, please report it"),
        }
    }
}

/// Names, lengths and times of all files there are, as one number.
async fn look(path: &Path) -> u64 {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        // A rule file may name templates and lists beside it.
        let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut hash = DefaultHasher::new();
        for entry in WalkDir::new(folder).max_depth(MAX_DEPTH).sort_by_file_name().into_iter().flatten().take(MAX_FILES)
        {
            let Ok(about) = entry.metadata() else { continue };
            if about.is_file() {
                (entry.path(), about.len(), about.modified().ok()).hash(&mut hash);
            }
        }
        hash.finish()
    })
    .await
    .unwrap_or(0)
}
