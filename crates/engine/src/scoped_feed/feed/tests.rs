use super::*;
use crate::view::ViewChange;
use proptest::prelude::*;
use protocol::{Event, Progress, State, Time};
use serde_json::json;

const VISIBLE: &str = "exec.fit";
const HIDDEN: &str = "exec.payroll";

/// Feed of all events, and what happens in it.
struct All {
    feed: Arc<Feed>,
    view: Arc<RwLock<View>>,
}

impl All {
    fn new() -> Self {
        let view = Arc::new(RwLock::new(View::new(Vec::new(), Vec::new())));
        Self { feed: Arc::new(Feed::new(0, RingLimits::default())), view }
    }

    fn scoped(&self) -> ScopedFeed {
        let kinds = Arc::new(KindRegistry::new(|_, _| {}, |_, _| None));
        ScopedFeed::new("exec.f*".parse().unwrap(), &self.feed, self.view.clone(), kinds)
    }

    /// Publishes an event, as the coordinator does.
    fn publish(&self, body: EventBody, change: Option<ViewChange>, deleted: Option<KindName>) -> u64 {
        let event = Event { seq: self.feed.head() + 1, at: Time::from_micros(1), body };
        let progress = matches!(event.body, EventBody::Progress { .. });
        let json = serde_json::to_string(&event).unwrap();
        let (seq, operation) = (event.seq, event.operation());
        let mut frame = Frame::new(&EventRecord { seq, operation, progress, json: json.into() });
        frame.deleted = deleted;
        self.feed
            .publish(vec![frame], || change.into_iter().for_each(|change| self.view.write().apply(change)));
        seq
    }

    fn operation(&self, operation: &Operation, before: Option<State>) {
        let operation = Box::new(Operation { seq: self.feed.head() + 1, ..operation.clone() });
        let change = ViewChange::Operation { operation: operation.clone(), before };
        self.publish(EventBody::Operation { operation }, Some(change), None);
    }
}

fn operation(kind: &str) -> Operation {
    let mut operation = Operation::queued(
        OperationId::new(),
        kind.parse().unwrap(),
        String::new(),
        json!({}),
        Time::from_micros(1),
    );
    operation.parent = Some(OperationId::new());
    operation
}

/// All events of a scoped feed after a number.
fn read(feed: &ScopedFeed, after: u64) -> Vec<Event> {
    feed.update();
    match feed.feed().read(after, None) {
        Read::Frames { frames, .. } => frames.iter().map(|frame| frame.event().unwrap()).collect(),
        Read::Nothing => Vec::new(),
        other => panic!("{other:?}"),
    }
}

proptest! {
    /// Whatever happens, the readers get each visible event, numbered without gaps, and nothing of the others.
    #[test]
    fn readers_get_the_visible_events_with_consecutive_numbers(
        turns in prop::collection::vec((0usize..6, 0u8..6, any::<bool>()), 0..120),
    ) {
        let all = All::new();
        let feed = all.scoped();
        let begin = feed.feed().head();
        let mut operations: Vec<(Operation, bool)> =
            (0..6).map(|n| (operation(if n % 2 == 0 { VISIBLE } else { HIDDEN }), false)).collect();
        let (mut expected, mut hidden) = (Vec::new(), Vec::new());
        for (n, turn, update) in turns {
            let (operation, known) = &mut operations[n];
            let id = operation.id;
            if *known {
                match turn {
                    0 => {
                        let progress = Progress::start(Time::from_micros(1));
                        all.publish(EventBody::Progress { id, attempt: 1, progress, forecast: None }, None, None);
                    }
                    1 => {
                        all.publish(EventBody::Log { id, attempt: 1, lines: Vec::new() }, None, None);
                    }
                    2 => {
                        let alerts = protocol::alerts::AlertSummary::default();
                        all.publish(EventBody::Alerts { alerts }, None, None);
                        continue;
                    }
                    3 => {
                        let (kind, state) = (operation.kind.clone(), operation.state);
                        let ended = store::EndedOperation { id, kind: kind.clone(), state };
                        let change = ViewChange::Forgotten(vec![ended]);
                        all.publish(EventBody::Deleted { id, state }, Some(change), Some(kind));
                        *known = false;
                    }
                    _ => {
                        let before = operation.state;
                        operation.state = if before == State::Running { State::Failed } else { State::Running };
                        all.operation(operation, Some(before));
                    }
                }
            } else {
                all.operation(operation, None);
                *known = true;
            }
            if n % 2 == 0 { expected.push(id) } else { hidden.push(id) }
            if update {
                feed.update();
            }
        }
        let events = read(&feed, begin);
        let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
        prop_assert_eq!(numbers, (begin + 1..=begin + expected.len() as u64).collect::<Vec<_>>());
        let of: Vec<OperationId> = events.iter().filter_map(Event::operation).collect();
        prop_assert_eq!(of, expected);
        for event in &events {
            if let EventBody::Operation { operation } = &event.body {
                prop_assert_eq!((operation.seq, operation.parent), (event.seq, None));
            }
        }
        prop_assert_eq!(feed.number_at(all.feed.head()), begin + events.len() as u64);
    }
}

#[test]
fn positions_of_both_feeds_are_translated() {
    let all = All::new();
    let feed = all.scoped();
    let begin = feed.feed().head();
    all.operation(&operation(HIDDEN), None);
    all.operation(&operation(VISIBLE), None);
    all.operation(&operation(HIDDEN), None);
    all.operation(&operation(VISIBLE), None);
    assert_eq!([0, 1, 2, 3, 4].map(|seq| feed.number_at(seq) - begin), [0, 0, 1, 1, 2]);
    assert_eq!([0, 1, 2].map(|number| feed.source_of(begin + number)), [1, 3, 4]);
    assert_eq!(feed.source_of(begin - 1), 0, "too old to know");
    assert!((1 << 51..1 << 52).contains(&begin), "JavaScript has numbers up to 2⁵³ exactly");
}

#[test]
fn events_of_an_operation_that_nobody_knows_are_not_delivered() {
    let all = All::new();
    let feed = all.scoped();
    let begin = feed.feed().head();
    let id = OperationId::new();
    all.publish(EventBody::Late { id, attempt: 1, what: "ended".into() }, None, None);
    all.publish(EventBody::Deleted { id, state: State::Failed }, None, None);
    assert!(read(&feed, begin).iter().all(|event| event.operation().is_none()), "its kind is unknown");
}

#[test]
fn a_feed_that_lost_events_says_so() {
    let view = Arc::new(RwLock::new(View::new(Vec::new(), Vec::new())));
    let all = All { feed: Arc::new(Feed::new(0, RingLimits { events: 1, bytes: 1 << 20 })), view };
    let feed = all.scoped();
    all.operation(&operation(VISIBLE), None);
    assert!(!feed.lost());
    all.operation(&operation(VISIBLE), None);
    feed.update();
    assert!(feed.lost());
}
