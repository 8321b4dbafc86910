//! Property names to positions: a small open-addressed table per type, quicker than a general hash map.

/// Positions by name.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// Position + 1, or 0 for free; the length is a power of two.
    slots: Box<[u16]>,
}

impl Lookup {
    /// A table of `names` by their position.
    pub(super) fn new<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> Self {
        let mut slots = vec![0_u16; (names.len() * 2).next_power_of_two().max(2)].into_boxed_slice();
        let mask = slots.len() - 1;
        for (position, name) in names.enumerate() {
            let mut slot = hash(name) & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] =
                u16::try_from(position + 1).expect("a type of R4 has far fewer than 65,535 properties");
        }
        Self { slots }
    }

    /// The position for `name`, confirmed by `is_it`.
    pub(super) fn find(&self, name: &str, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        // At least half of the slots are free: the walk ends.
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = hash(name) & mask;
        loop {
            let position = usize::from(self.slots[slot]).checked_sub(1)?;
            if is_it(position) {
                return Some(position);
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// Mixes the length with the first and the last eight bytes: enough to tell property names apart.
fn hash(name: &str) -> usize {
    let bytes = name.as_bytes();
    let mut first = [0; 8];
    let mut last = [0; 8];
    let part = bytes.len().min(8);
    first[..part].copy_from_slice(&bytes[..part]);
    last[..part].copy_from_slice(&bytes[bytes.len() - part..]);
    let mixed = u64::from_le_bytes(first)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(u64::from_le_bytes(last))
        .wrapping_mul(0xD6E8_FEB8_6659_FD93)
        .wrapping_add(bytes.len() as u64);
    // The high half is the well mixed one.
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
}
