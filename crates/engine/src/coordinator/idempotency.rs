//! Idempotency keys of the latest starts, so that a repeated request needs no read of the store.

use protocol::OperationId;
use std::collections::{HashMap, VecDeque};

/// Number of keys kept in memory; older ones are looked up in the store.
const MAX_IDEMPOTENCY_KEYS: usize = 4_096;

/// Keys with the operations and requests that they stand for; the oldest are dropped.
#[derive(Default)]
pub(super) struct IdempotencyKeys {
    known: HashMap<String, (OperationId, String)>,
    order: VecDeque<String>,
}

impl IdempotencyKeys {
    /// Operation and request of a key.
    pub(super) fn get(&self, key: &str) -> Option<(OperationId, &str)> {
        self.known.get(key).map(|(id, request)| (*id, request.as_str()))
    }

    /// Adds a key. Each key is added once, by the start that it belongs to.
    pub(super) fn add(&mut self, key: String, id: OperationId, request: String) {
        self.known.insert(key.clone(), (id, request));
        self.order.push_back(key);
        while self.order.len() > MAX_IDEMPOTENCY_KEYS {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_keys_are_dropped_first() {
        let mut keys = IdempotencyKeys::default();
        let id = OperationId::new();
        for n in 0..=MAX_IDEMPOTENCY_KEYS {
            keys.add(n.to_string(), id, "{}".into());
        }
        assert_eq!(keys.get("0"), None);
        assert_eq!(keys.get("1"), Some((id, "{}")));
        assert_eq!(keys.get(&MAX_IDEMPOTENCY_KEYS.to_string()), Some((id, "{}")));
    }
}
