//! Memory for what is being received, shared by all ports.
//!
//! Invariant: what all connections together have received of messages and objects that are not whole yet is within the limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Octets that are free.
#[derive(Debug)]
pub struct Room(AtomicUsize);

/// Some of them, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    room: Arc<Room>,
    octets: usize,
}

impl Room {
    /// So many octets.
    pub fn new(octets: usize) -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(octets)))
    }
    /// None of it, to begin with.
    pub fn place(self: &Arc<Self>) -> Place {
        Place { room: Arc::clone(self), octets: 0 }
    }
}

impl Place {
    /// Take so many more; false where they are not free.
    pub fn grow(&mut self, octets: usize) -> bool {
        let took =
            self.room.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(octets)).is_ok();
        self.octets += if took { octets } else { 0 };
        took
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.octets, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let room = Room::new(10);
        let mut one = room.place();
        let mut two = room.place();
        assert!(one.grow(6) && !two.grow(5) && two.grow(4));
        drop(one);
        assert!(two.grow(6) && !two.grow(1));
    }
}
