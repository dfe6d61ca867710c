//! Which rules decide the answer, and for whom, where too many asked for something to be named one by one.
//!
//! Invariant: as long whatever is in it, but for how many rules it has room for, and that in steps: it tells next to nothing
//! of how many recipients a message has.

/// So many octets of the digest of a rule's name tell it from the others.
pub(super) const TAG: usize = 6;
/// There is room for so many rules, or as many more at a time.
const STEP: usize = 32;
/// Most rules in a table: no more than recipients are decisive, and some that add recipients.
pub(super) const MAX_SLOTS: usize = 1_024;
/// It added recipients.
const ADDS: u8 = 1;
/// It asked for a disposition.
const DISPOSES: u8 = 2;

/// A rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Slot {
    pub tag: [u8; TAG],
    pub adds: bool,
    pub disposes: bool,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub slots: Vec<Slot>,
    /// For each recipient, in alphabetical order: one more than the index of the rule that decides, or 0.
    pub deciding: Vec<u16>,
    /// The same for those who are not named, and for those above for whom no other does.
    pub for_everybody: u16,
}

impl Table {
    /// In octets, with room for so many recipients; `None` where it is too large.
    pub(super) fn octets(&self, places: usize) -> Option<Vec<u8>> {
        let room = self.slots.len().next_multiple_of(STEP).max(STEP);
        if room > MAX_SLOTS || self.deciding.len() > places {
            return None;
        }
        let mut octets = u16::try_from(room).ok()?.to_be_bytes().to_vec();
        let unused = std::iter::repeat(Slot::default());
        for slot in self.slots.iter().copied().chain(unused).take(room) {
            octets.extend(slot.tag);
            octets.push(u8::from(slot.adds) * ADDS + u8::from(slot.disposes) * DISPOSES);
        }
        octets.extend(self.for_everybody.to_be_bytes());
        let nobody = std::iter::repeat(0);
        octets.extend(self.deciding.iter().copied().chain(nobody).take(places).flat_map(u16::to_be_bytes));
        Some(octets)
    }

    /// Read it; `None` for what is no table.
    pub(super) fn read(octets: &[u8]) -> Option<Self> {
        let (room, rest) = octets.split_first_chunk::<2>()?;
        let (slots, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*room)) * (TAG + 1))?;
        let slot = |octets: &[u8]| {
            let (tag, flags) = octets.split_first_chunk::<TAG>()?;
            let flags = *flags.first()?;
            Some(Slot { tag: *tag, adds: flags & ADDS != 0, disposes: flags & DISPOSES != 0 })
        };
        let slots = slots.chunks_exact(TAG + 1).map(slot).collect::<Option<_>>()?;
        let mut numbers = rest.chunks_exact(2).filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)));
        Some(Self { slots, for_everybody: numbers.next()?, deciding: numbers.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_with_room_behind_it() {
        for count in [0, 1, STEP, STEP + 1, MAX_SLOTS] {
            let slot = |n: usize| Slot {
                tag: [u8::try_from(n % 251).unwrap(); TAG],
                adds: n.is_multiple_of(2),
                disposes: n.is_multiple_of(3),
            };
            let table = Table { slots: (0..count).map(slot).collect(), deciding: vec![3, 0, 700], for_everybody: 9 };
            let octets = table.octets(8).unwrap();
            let read = Table::read(&octets).unwrap();
            assert_eq!(read.slots[..count], table.slots);
            assert!(
                read.slots[count..].iter().all(|slot| !slot.adds && !slot.disposes)
                    && read.slots.len().is_multiple_of(STEP)
            );
            assert_eq!((read.for_everybody, &read.deciding[..]), (9, &[3, 0, 700, 0, 0, 0, 0, 0][..]));
        }
        let table = Table { slots: vec![Slot::default(); MAX_SLOTS + 1], deciding: Vec::new(), for_everybody: 0 };
        assert_eq!(table.octets(8), None);
        assert_eq!(Table { slots: Vec::new(), deciding: vec![0; 9], for_everybody: 0 }.octets(8), None);
    }

    #[test]
    fn half_a_table_is_none() {
        let whole = Table { slots: Vec::new(), deciding: Vec::new(), for_everybody: 1 }.octets(0).unwrap();
        for end in 0..whole.len() {
            assert_eq!(Table::read(&whole[..end]), None, "{end}");
        }
        assert!(Table::read(&whole).is_some());
    }
}
