//! Counts of what is held at the moment, such as connections of an address.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Number of held slots by key.
#[derive(Default)]
pub(super) struct HeldCounts(Mutex<HashMap<u64, u32>>);

/// Slot of a key, until it is dropped.
pub struct Held {
    counts: Arc<HeldCounts>,
    key: u64,
}

impl HeldCounts {
    /// Takes a slot; `None` if the key has `most` already.
    pub(super) fn hold(self: &Arc<Self>, key: u64, most: u32) -> Option<Held> {
        let mut counts = self.0.lock();
        let held = counts.get(&key).copied().unwrap_or(0);
        if held >= most {
            return None;
        }
        counts.insert(key, held + 1);
        Some(Held { counts: Arc::clone(self), key })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.counts.0.lock().entry(self.key) {
            match entry.get() {
                0 | 1 => drop(entry.remove()),
                n => *entry.get_mut() = n - 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_slot_can_be_taken_again() {
        let counts = Arc::<HeldCounts>::default();
        let [first, second] = [counts.hold(1, 2).unwrap(), counts.hold(1, 2).unwrap()];
        assert!(counts.hold(1, 2).is_none());
        assert!(counts.hold(2, 2).is_some());
        drop(first);
        let third = counts.hold(1, 2).unwrap();
        drop((second, third));
        assert!(counts.0.lock().is_empty(), "keys without slots need no memory");
    }
}
