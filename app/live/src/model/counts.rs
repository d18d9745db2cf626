//! Number of stored operations per state. Pure.
//!
//! A snapshot has the numbers at its feed position, and each later event moves one operation between states. Nothing
//! else is counted: if an answer brings an operation before its event, the event still counts. So nothing is counted
//! twice or missed.

use protocol::api::{Snapshot, StateCount};
use protocol::{Operation, OperationId, State};
use std::collections::{HashMap, VecDeque};

/// Recent moves kept to adjust a snapshot that is older than they are.
const MOVES: usize = 2_000;

/// One number per state, in the order of [`State::ALL`].
pub type Numbers = [u64; State::ALL.len()];

/// Index of a state in [`Numbers`].
pub fn slot(state: State) -> usize {
    State::ALL.iter().position(|s| *s == state).expect("ALL holds every state")
}

/// An operation that was added, deleted or changed its state.
struct Move {
    seq: u64,
    from: Option<State>,
    to: Option<State>,
}

/// The counts, and the data to update them.
#[derive(Default)]
pub struct Counts {
    numbers: Numbers,
    /// State in which each operation is counted, where known.
    counted: HashMap<OperationId, State>,
    /// Position of the last counted event.
    seq: u64,
    /// Position of the last snapshot, and the moves counted after it.
    taken_at: u64,
    moves: VecDeque<Move>,
}

/// Counts as sent by the server.
pub fn numbers_of(counts: &[StateCount]) -> Numbers {
    let mut numbers = Numbers::default();
    for known in counts {
        numbers[slot(known.state)] = known.count;
    }
    numbers
}

impl Counts {
    /// Starts over from a snapshot; the feed continues after it.
    pub fn begin(&mut self, snapshot: &Snapshot) {
        *self = Self {
            numbers: numbers_of(&snapshot.counts),
            counted: snapshot.operations.iter().map(|op| (op.id, op.state)).collect(),
            seq: snapshot.seq,
            taken_at: snapshot.seq,
            moves: VecDeque::new(),
        };
    }

    /// Takes the counts of a snapshot while the feed continues at its own position. Moves after an older snapshot are
    /// counted again; events up to a newer snapshot will be skipped.
    pub fn take(&mut self, snapshot: &Snapshot) {
        if snapshot.seq < self.taken_at {
            return;
        }
        self.numbers = numbers_of(&snapshot.counts);
        for op in &snapshot.operations {
            let known = self.counted.entry(op.id).or_insert(op.state);
            if snapshot.seq >= self.seq {
                *known = op.state;
            }
        }
        self.taken_at = snapshot.seq;
        self.seq = self.seq.max(snapshot.seq);
        self.moves.retain(|step| step.seq > snapshot.seq);
        for step in &self.moves {
            count(&mut self.numbers, step);
        }
    }

    /// Records an unknown operation from an answer, with the feed applied up to `applied`. If its last change is within
    /// that, it is counted in its state; otherwise the state is unknown until its event arrives.
    pub fn learn(&mut self, op: &Operation, applied: u64) {
        if op.seq <= applied.max(self.seq) {
            self.counted.entry(op.id).or_insert(op.state);
        }
    }

    /// Counts the new state of an operation at event `seq`. False when its previous state is unknown: then only a
    /// snapshot has the right numbers.
    pub fn apply(&mut self, seq: u64, op: &Operation) -> bool {
        let before = self.counted.insert(op.id, op.state);
        if seq <= self.seq {
            return true;
        }
        self.seq = seq;
        let new = op.attempt == 1 && op.state == State::Queued;
        let known = before.is_some() || new;
        if known && before != Some(op.state) {
            self.step(Move { seq, from: before, to: Some(op.state) });
        }
        known
    }

    /// Counts the delete of an operation at event `seq`; it had ended in `state`.
    pub fn delete(&mut self, seq: u64, id: OperationId, state: State) {
        self.counted.remove(&id);
        // Repeated events, e.g. from another tab, count once.
        if seq > self.seq {
            self.seq = seq;
            self.step(Move { seq, from: Some(state), to: None });
        }
    }

    /// The page dropped the operation; the numbers stay the same.
    pub fn release(&mut self, id: OperationId) {
        self.counted.remove(&id);
    }

    /// Number of operations per state.
    pub fn numbers(&self) -> Numbers {
        self.numbers
    }

    fn step(&mut self, step: Move) {
        count(&mut self.numbers, &step);
        self.moves.push_back(step);
        if self.moves.len() > MOVES {
            self.moves.pop_front();
        }
    }
}

fn count(numbers: &mut Numbers, step: &Move) {
    if let Some(from) = step.from {
        numbers[slot(from)] = numbers[slot(from)].saturating_sub(1);
    }
    if let Some(to) = step.to {
        numbers[slot(to)] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::operation;
    use proptest::prelude::*;
    use protocol::Time;

    /// The server's data at each feed position.
    #[derive(Clone, Default)]
    struct Server {
        seq: u64,
        operations: Vec<Operation>,
        /// Ids are not reused.
        gone: usize,
    }

    /// Content of an event.
    #[derive(Clone)]
    enum Recorded {
        Stands(Box<Operation>),
        Gone(OperationId, State),
    }

    impl Server {
        /// Something happens to the `n`th of four operations; returns the event.
        fn happens(&mut self, n: u8, what: u8) -> Recorded {
            self.seq += 1;
            let title = format!("{n}");
            let Some(at) = self.operations.iter().position(|op| op.title == title) else {
                let number = self.operations.len() + self.gone;
                let id = format!("0199c2d4-7f3a-7c11-9e1b-{number:012}").parse().unwrap();
                let new = Operation { id, title, seq: self.seq, ..operation(State::Queued, 1) };
                self.operations.push(new.clone());
                return Recorded::Stands(Box::new(new));
            };
            let op = &mut self.operations[at];
            if op.state.ended() && what == 0 {
                self.gone += 1;
                let gone = self.operations.remove(at);
                return Recorded::Gone(gone.id, gone.state);
            }
            (op.state, op.attempt) = match (op.state, what) {
                (state, _) if state.ended() => (State::Queued, op.attempt + 1),
                (state, 1) => (state, op.attempt),
                (State::Queued, _) => (State::Running, op.attempt),
                (_, 2) => (State::Succeeded, op.attempt),
                _ => (State::Failed, op.attempt),
            };
            op.seq = self.seq;
            Recorded::Stands(Box::new(op.clone()))
        }

        fn numbers(&self) -> Numbers {
            let mut numbers = Numbers::default();
            self.operations.iter().for_each(|op| numbers[slot(op.state)] += 1);
            numbers
        }

        /// Leaves out ended operations, as a server with many of them does.
        fn snapshot(&self) -> Snapshot {
            let counts = State::ALL.into_iter().zip(self.numbers());
            Snapshot {
                seq: self.seq,
                now: Time::from_micros(1),
                server: "0199c2d4-7f3a-7c11-9e1b-000000000001".parse().unwrap(),
                version: "0.1.0".into(),
                operations: self.operations.iter().filter(|op| !op.state.ended()).cloned().collect(),
                counts: counts.map(|(state, count)| StateCount { state, count }).collect(),
                ended_from: None,
                hosts: vec![],
                alerts: protocol::alerts::AlertSummary::default(),
            }
        }
    }

    fn tell(counts: &mut Counts, seq: u64, recorded: &Recorded) -> bool {
        match recorded {
            Recorded::Stands(op) => counts.apply(seq, op),
            Recorded::Gone(id, state) => {
                counts.delete(seq, *id, *state);
                true
            }
        }
    }

    fn at(seq: u64, state: State) -> Operation {
        Operation { seq, ..operation(state, 1) }
    }

    fn of(counts: &Counts, state: State) -> u64 {
        counts.numbers()[slot(state)]
    }

    #[test]
    fn an_operation_in_a_response_and_a_later_event_is_counted_once() {
        let mut counts = Counts::default();
        counts.begin(&Server { seq: 10, ..Server::default() }.snapshot());
        let started = at(12, State::Queued);
        counts.learn(&started, 11);
        assert_eq!(of(&counts, State::Queued), 0, "its event is still to come");
        assert!(counts.apply(12, &started));
        assert!(counts.apply(13, &at(13, State::Queued)));
        assert_eq!(of(&counts, State::Queued), 1);
    }

    #[test]
    fn a_retry_of_an_unknown_old_operation_makes_counts_uncertain() {
        let mut counts = Counts::default();
        counts.begin(&Server { seq: 10, ..Server::default() }.snapshot());
        assert!(!counts.apply(11, &Operation { seq: 11, ..operation(State::Queued, 2) }));
        counts.begin(&Server { seq: 10, ..Server::default() }.snapshot());
        counts.learn(&at(4, State::Failed), 10);
        assert!(counts.apply(11, &Operation { seq: 11, ..operation(State::Queued, 2) }));
    }

    #[test]
    fn an_older_snapshot_does_not_replace_a_newer_one() {
        let mut server = Server { seq: 10, ..Server::default() };
        let older = server.snapshot();
        server.happens(1, 0);
        let mut counts = Counts::default();
        counts.begin(&server.snapshot());
        counts.take(&older);
        assert_eq!(of(&counts, State::Queued), 1);
    }

    proptest! {
        /// Whatever happens, wherever a snapshot is taken and arrives, and however far an answer is ahead of the feed:
        /// the counts equal the server's, or are known to be unsure.
        #[test]
        fn counts_are_what_the_server_has(
            steps in proptest::collection::vec((0u8..4, 0u8..4), 1..60),
            begun in any::<proptest::sample::Index>(),
            taken in any::<proptest::sample::Index>(),
            came in any::<proptest::sample::Index>(),
            asked in any::<proptest::sample::Index>(),
            answered in any::<proptest::sample::Index>(),
        ) {
            let mut server = Server::default();
            let mut past = vec![server.clone()];
            let recorded: Vec<Recorded> = steps.iter().map(|(n, what)| {
                let recorded = server.happens(*n, *what);
                past.push(server.clone());
                recorded
            }).collect();
            let [begun, taken, came, asked, answered] =
                [begun, taken, came, asked, answered].map(|at| at.index(past.len()));
            let mut counts = Counts::default();
            counts.begin(&past[begun].snapshot());
            // The last event that made the counts unsure, and the position from which they are right.
            let mut unsure = None;
            for seq in begun..=recorded.len() {
                if seq > begun && !tell(&mut counts, seq as u64, &recorded[seq - 1]) {
                    unsure = Some(seq);
                }
                if seq == answered.min(asked) {
                    past[answered.max(asked)].operations.iter().for_each(|op| counts.learn(op, seq as u64));
                }
                if seq == came && taken >= begun {
                    counts.take(&past[taken].snapshot());
                    unsure = unsure.filter(|at| *at > taken);
                }
            }
            if unsure.is_none() {
                prop_assert_eq!(counts.numbers(), past[recorded.len()].numbers());
            }
        }
    }
}
