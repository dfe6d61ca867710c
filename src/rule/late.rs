//! How a rule that takes long learns that its time is up, without a clock of its own.

use std::fmt;

/// Is it too late to go on? Whoever runs the rules says so; rules ask now and then, and end with
/// [`super::ActionError::Late`]. A condition that learns it answers anything: who asks
/// conditions knows whether one was told ([`Late::new`]), and takes no answer then.
#[derive(Clone, Copy)]
pub struct Late<'l>(&'l dyn Fn() -> bool);

/// Time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("time ran out")]
pub struct TimeUp;

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

    /// The same, as an error.
    pub fn in_time(self) -> Result<(), TimeUp> {
        if self.is_late() { Err(TimeUp) } else { Ok(()) }
    }
}

impl fmt::Debug for Late<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Late(…)")
    }
}

/// A clock that is looked at once in so many steps.
#[derive(Debug)]
pub struct Steps<'l> {
    late: Late<'l>,
    left: usize,
    every: usize,
}

impl<'l> Steps<'l> {
    /// The first look comes after `every` steps.
    pub fn new(late: Late<'l>, every: usize) -> Self {
        Self { late, left: every, every }
    }

    /// So many more were taken.
    pub fn took(&mut self, steps: usize) -> Result<(), TimeUp> {
        if let Some(left) = self.left.checked_sub(steps) {
            self.left = left;
            return Ok(());
        }
        self.left = self.every;
        self.late.in_time()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn the_clock_is_looked_at_once_in_so_many_steps() {
        let looks = Cell::new(0);
        let is_late = || {
            looks.set(looks.get() + 1);
            looks.get() == 3
        };
        let mut steps = Steps::new(Late::new(&is_late), 9);
        let taken = (0..100).take_while(|_| steps.took(1).is_ok()).count();
        assert_eq!((taken, looks.get()), (29, 3));
    }
}
