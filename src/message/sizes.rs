//! How large parts are with their transfer encoding undone: counted when somebody asks, once for each part.

use std::sync::OnceLock;

use super::{Message, PartId, transfer};

/// What was counted of a message.
#[derive(Debug, Default)]
pub(super) struct Sizes(OnceLock<Vec<OnceLock<u64>>>);

impl Message<'_> {
    /// How many octets [`Message::content`] of a part gives, without making them. Of what it cannot give: as many as
    /// `otherwise` says, or else as are written. Linear in the part the first time.
    pub(super) fn size(&self, id: PartId, otherwise: impl FnOnce() -> Option<usize>) -> u64 {
        let Some(part) = self.part(id) else { return 0 };
        let raw = self.bytes(&part.body);
        let counted = || {
            let octets = transfer::decoded_len(part.encoding, raw).or_else(otherwise);
            octets.unwrap_or(raw.len()) as u64
        };
        let sizes = self.sizes.0.get_or_init(|| self.parts.iter().map(|_| OnceLock::new()).collect());
        sizes.get(id.0).map_or(0, |size| *size.get_or_init(counted))
    }
}
