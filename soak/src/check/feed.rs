//! Checks the numbers of the feed: each event once, in order, none missing unless reported as skipped.

use super::{Promise, Violation};
use protocol::Event;
use protocol::event::{Hello, Reset, Skipped};

/// What the server sent to a reader of the feed.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// Beginning of a connection.
    Hello(Hello),
    Event(Event),
    Skipped(Skipped),
    Reset(Reset),
}

/// Checks a reader's entries one by one.
#[derive(Default, Debug)]
pub struct Order {
    last: u64,
    /// Ranges reported as skipped on the current connection.
    skipped: Vec<Skipped>,
    /// Number of events received.
    pub events: u64,
    /// Number of events that were reported as skipped, and were.
    pub left_out: u64,
}

impl Order {
    /// Number of the last event received, from which the reader resumes.
    pub fn last(&self) -> u64 {
        self.last
    }

    pub fn take(&mut self, entry: &Entry) -> Option<Violation> {
        let broken = |evidence: String| Some(Violation::general(Promise::FeedWhole, evidence));
        match entry {
            Entry::Hello(hello) => {
                self.skipped.clear();
                if hello.head < self.last {
                    return broken(format!(
                        "after a reconnect, the server's newest event is {}, but it sent {} before",
                        hello.head, self.last
                    ));
                }
                None
            }
            Entry::Skipped(skipped) => {
                self.skipped.push(*skipped);
                None
            }
            Entry::Reset(reset) => broken(format!(
                "a reader at {} had to start over: {} (newest event {})",
                self.last, reset.why, reset.head
            )),
            Entry::Event(event) => {
                let (before, seq) = (self.last, event.seq);
                self.events += 1;
                if seq <= before {
                    return broken(format!(
                        "event {seq} came after event {before}: duplicate or out of order"
                    ));
                }
                self.last = seq;
                let said = |n: &u64| self.skipped.iter().any(|s| (s.from..=s.to).contains(n));
                let (left_out, missing): (Vec<u64>, Vec<u64>) = (before + 1..seq).partition(said);
                self.left_out += left_out.len() as u64;
                self.skipped.retain(|s| s.to > seq);
                if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
                    return broken(format!(
                        "{} events from {first} to {last} never came, and were not reported as skipped",
                        missing.len()
                    ));
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::made;
    use super::*;
    use protocol::{InstanceId, OperationId, State};

    fn event(seq: u64) -> Entry {
        Entry::Event(made::event(seq, made::operation(OperationId::new(), State::Queued, 1)))
    }

    fn hello(after: u64, head: u64) -> Entry {
        let server = InstanceId::new();
        Entry::Hello(Hello { after, head, now: made::at(0), beat_seconds: 2.0, server })
    }

    fn found(entries: &[Entry]) -> Vec<String> {
        let mut order = Order::default();
        entries.iter().filter_map(|entry| order.take(entry)).map(|v| v.evidence).collect()
    }

    #[test]
    fn a_complete_feed_over_two_connections_is_good() {
        let entries = [hello(0, 3), event(1), event(2), hello(2, 9), event(3), event(4)];
        assert_eq!(found(&entries), Vec::<String>::new());
    }

    #[test]
    fn a_gap_is_found_unless_it_is_a_skipped_range() {
        let skipped = Entry::Skipped(Skipped { from: 2, to: 4 });
        assert_eq!(found(&[event(1), skipped.clone(), event(5)]), Vec::<String>::new());
        assert!(found(&[event(1), skipped.clone(), event(6)])[0].contains("1 events from 5 to 5"));
        assert!(found(&[event(1), event(5)])[0].contains("3 events from 2 to 4"));
        // What was reported as skipped on a broken connection must come on the next one.
        assert_eq!(found(&[event(1), skipped, hello(1, 9), event(5)]).len(), 1);
    }

    #[test]
    fn a_duplicate_or_late_event_is_found() {
        assert!(found(&[event(1), event(2), event(2)])[0].contains("event 2 came after event 2"));
        assert_eq!(found(&[event(1), event(3), event(2)]).len(), 2);
    }

    #[test]
    fn a_server_that_lost_published_events_is_found() {
        assert!(found(&[event(1), event(2), hello(2, 1)])[0].contains("newest event is 1"));
        let reset = Entry::Reset(Reset { why: "never given".into(), head: 1 });
        assert_eq!(found(&[event(1), reset]).len(), 1);
    }
}
