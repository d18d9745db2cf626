//! Reader of the feed.

use super::PATIENCE;
use crate::covers;
use protocol::event::Skipped;
use protocol::{Event, EventBody, Operation, OperationId, State};
use signalbox_engine::{Cursor, Engine, Read};
use std::collections::HashSet;

/// Reader of the feed that records it.
pub struct Follower {
    cursor: Cursor,
    ready: std::collections::VecDeque<Event>,
    read: Vec<u64>,
    skips: Vec<Skipped>,
    from: u64,
}

impl Follower {
    pub fn new(engine: &Engine, after: u64) -> Self {
        let cursor = engine.follow(after, None);
        Self { cursor, ready: Default::default(), read: Vec::new(), skips: Vec::new(), from: after }
    }

    fn take(&mut self) -> bool {
        match self.cursor.read() {
            Read::Frames { frames, skipped, .. } => {
                self.skips.extend(skipped);
                self.read.extend(frames.iter().map(|f| f.seq));
                self.ready.extend(frames.iter().map(|f| f.event().unwrap()));
                true
            }
            Read::Nothing => false,
            other => panic!("{other:?}"),
        }
    }

    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            if !self.take() {
                tokio::time::timeout(PATIENCE, self.cursor.changed()).await.expect("nothing came for long");
            }
        }
    }

    /// Reads what is left in the feed of a closed engine.
    pub fn read_rest(&mut self) {
        while self.take() {}
    }

    pub fn last(&self) -> u64 {
        self.read.last().copied().unwrap_or(self.from)
    }

    /// Waits for the first published operation that matches. The timeout also applies while other events arrive.
    pub async fn until(&mut self, fits: impl Fn(&Operation) -> bool) -> Operation {
        let released = async {
            loop {
                if let EventBody::Operation { operation } = self.next().await.body
                    && fits(&operation)
                {
                    return *operation;
                }
            }
        };
        tokio::time::timeout(PATIENCE, released).await.expect("others came, what was waited for did not")
    }

    /// Waits until all of them run, in any order.
    pub async fn until_running(&mut self, ids: &[OperationId]) {
        let mut waited_for: HashSet<_> = ids.iter().copied().collect();
        while !waited_for.is_empty() {
            let runs = self.until(|o| o.state == State::Running && waited_for.contains(&o.id)).await;
            waited_for.remove(&runs.id);
        }
    }

    /// States of an operation from here to its end, without repetitions.
    pub async fn states_until_ended(&mut self, id: OperationId) -> Vec<State> {
        let mut states: Vec<State> = Vec::new();
        loop {
            let state = self.until(|o| o.id == id).await.state;
            if states.last() != Some(&state) {
                states.push(state);
            }
            if state.ended() {
                return states;
            }
        }
    }

    /// Asserts that each number came once, and that missing ones were reported as skipped.
    pub fn assert_gapless(&self) {
        assert!(self.read.windows(2).all(|w| w[0] < w[1]), "an event came twice");
        let read: HashSet<u64> = self.read.iter().copied().collect();
        let missing: Vec<u64> =
            (self.from + 1..=self.last()).filter(|s| !read.contains(s) && !covers(&self.skips, *s)).collect();
        assert_eq!(missing, Vec::<u64>::new(), "events are missing");
    }
}
