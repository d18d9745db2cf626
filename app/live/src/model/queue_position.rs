//! Queue positions. Pure.
//!
//! Each kind has its own queue, ordered by priority, then by waiting time. Operations that wait for a retry are not in
//! it yet.

use display::QueuePosition;
use protocol::{KindName, OperationId, Time};
use std::collections::HashMap;

/// A queued operation.
#[derive(Clone, Debug)]
pub struct Waiting<'a> {
    pub id: OperationId,
    pub kind: &'a KindName,
    pub priority: i8,
    pub since: Time,
    /// Delayed before a retry.
    pub held: bool,
}

/// Positions of all queued operations.
pub fn positions<'a>(waiting: impl Iterator<Item = Waiting<'a>>) -> HashMap<OperationId, QueuePosition> {
    let mut all: Vec<Waiting> = waiting.filter(|w| !w.held).collect();
    // Ids are ordered by time and break ties of the clock.
    all.sort_unstable_by(|a, b| {
        let (a, b) = (
            (a.kind, -i32::from(a.priority), a.since, a.id),
            (b.kind, -i32::from(b.priority), b.since, b.id),
        );
        a.cmp(&b)
    });
    let mut found = HashMap::with_capacity(all.len());
    for line in all.chunk_by(|a, b| a.kind == b.kind) {
        let of = line.len() as u32;
        found.extend(line.iter().zip(1..).map(|(w, number)| (w.id, QueuePosition { number, of })));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> OperationId {
        format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap()
    }

    #[test]
    fn priority_precedes_time_and_each_kind_has_its_own_queue() {
        let (load, train) = (KindName::new("data.load").unwrap(), KindName::new("training.run").unwrap());
        let waiting = |n, kind, priority, since, held| Waiting {
            id: id(n),
            kind,
            priority,
            since: Time::from_micros(since),
            held,
        };
        let places = positions(
            [
                waiting(1, &load, 0, 10, false),
                waiting(2, &load, 0, 5, false),
                waiting(3, &load, 7, 99, false),
                waiting(4, &load, -1, 1, false),
                waiting(5, &load, 100, 1, true),
                waiting(6, &train, 0, 50, false),
            ]
            .into_iter(),
        );
        let number = |n| places.get(&id(n)).map(|p| (p.number, p.of));
        assert_eq!([3, 2, 1, 4].map(number), [1, 2, 3, 4].map(|n| Some((n, 4))));
        assert_eq!(number(5), None);
        assert_eq!(number(6), Some((1, 1)));
    }

    #[test]
    fn who_came_first_by_id_goes_first_at_the_same_moment() {
        let kind = KindName::new("data.load").unwrap();
        let at =
            |n| Waiting { id: id(n), kind: &kind, priority: 0, since: Time::from_micros(1), held: false };
        let places = positions([at(2), at(1)].into_iter());
        assert_eq!(places[&id(1)].number, 1);
    }
}
