//! Edits and what comes of them: a list of slices, most of them borrowed from the message.

/// A rewritten message: slices in order, most of them borrowed from the message that came in.
#[derive(Debug, Clone)]
pub struct Rendered<'m> {
    slices: Vec<std::borrow::Cow<'m, [u8]>>,
}

impl<'m> Rendered<'m> {
    /// Length in octets.
    pub fn len(&self) -> usize {
        self.slices.iter().map(|s| s.len()).sum()
    }
    /// True when there is not an octet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The slices, in order.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.slices.iter().map(AsRef::as_ref)
    }
    /// The message in one piece: a copy.
    pub fn to_vec(&self) -> Vec<u8> {
        self.slices().collect::<Vec<_>>().concat()
    }
}
