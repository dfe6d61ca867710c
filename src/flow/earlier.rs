//! What was published before: where to go back to when what is published cannot be used.
//!
//! The store keeps what was published (S3: a bucket with versioning), and nobody has to say which of it was good: that is
//! found out by compiling it, as when it was published. So the function needs to read and nothing else.
//!
//! Invariant: of all that can be used it is the newest, whoever asks and whatever he has had before.

use super::budget::{Budget, Exhausted};
use super::ports::PortError;
use super::refresh::RuleStore;
use crate::pipeline::Pipeline;

/// So many versions are looked at: who publishes more faulty ones in a row has the rules of the layer in new processes.
pub const MOST_VERSIONS: usize = 20;

/// What there is to go back to.
#[derive(Debug)]
pub(super) enum Found {
    /// The newest that can be used. `first`: it is the newest of all.
    Sound {
        /// It.
        pipeline: Box<Pipeline>,
        /// Its tag.
        tag: String,
        /// Whether none is newer.
        first: bool,
    },
    /// The one that is in force.
    Held,
    /// None, or nobody may read them.
    Nothing,
}

/// Look through the versions, the newest first, until one can be used. `held` is the tag of the one in force. An error says
/// that there was no time to.
pub(super) async fn newest<S: RuleStore>(
    store: &S,
    budget: &Budget,
    held: Option<&str>,
    compile: impl Fn(&[u8]) -> Result<Pipeline, String>,
) -> Result<Found, Exhausted> {
    let versions = match budget.insist(&mut 0, || store.versions()).await? {
        Ok(versions) => versions,
        Err(error) => {
            tell(&error);
            return Ok(Found::Nothing);
        }
    };
    let mut unread = None;
    for (place, version) in versions.iter().take(MOST_VERSIONS).enumerate() {
        if held == Some(version.tag.as_str()) {
            return Ok(Found::Held);
        }
        let published = match budget.insist(&mut 0, || store.version(version)).await? {
            Ok(published) => published,
            // Gone meanwhile, or nobody may read it.
            Err(error) => {
                unread = Some(error);
                continue;
            }
        };
        if let Ok(pipeline) = compile(&published.octets) {
            return Ok(Found::Sound { pipeline: Box::new(pipeline), tag: published.tag, first: place == 0 });
        }
    }
    unread.iter().for_each(tell);
    Ok(Found::Nothing)
}

fn tell(error: &PortError) {
    tracing::warn!(%error, "what was published before cannot be read");
}
