//! How a rule that takes long learns that its time is up, without a clock of its own.

use std::fmt;

/// Is it too late to go on? Whoever runs the rules says so; rules ask now and then, and end with
/// [`super::ActionError::Late`].
#[derive(Clone, Copy)]
pub struct Late<'l>(&'l dyn Fn() -> bool);

impl Late<'static> {
    /// There is all the time in the world.
    pub const NEVER: Self = Self(&|| false);
}

impl<'l> Late<'l> {
    /// By this answer.
    pub fn new(is_late: &'l dyn Fn() -> bool) -> Self {
        Self(is_late)
    }

    /// Is it? Costs a look at the clock.
    pub fn is_late(self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Late<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Late(…)")
    }
}
