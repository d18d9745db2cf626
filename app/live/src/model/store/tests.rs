//! Tests of the live store with snapshots and events.

use super::super::log_buffer::LogBuffer;
use super::*;
use crate::fixtures::{event, operation, progress};
use protocol::api::StateCount;
use protocol::filter::Filter;

/// Browser's clock at which events are applied, milliseconds.
const NOW: f64 = 1_790_000_000_000.0;

fn snapshot(seq: u64, operations: Vec<Operation>) -> Snapshot {
    let counts = operations.iter().map(|op| StateCount { state: op.state, count: 1 }).collect();
    Snapshot {
        seq,
        now: Time::from_micros(1),
        server: "0199c2d4-7f3a-7c11-9e1b-000000000001".parse().unwrap(),
        version: "0.1.0".into(),
        operations,
        counts,
        ended_from: None,
        hosts: vec![],
        alerts: protocol::alerts::AlertSummary::default(),
    }
}

fn seeded(seq: u64, state: State) -> (OperationStore, OperationId) {
    let live = OperationStore::default();
    let op = operation(state, 1);
    live.seed(&snapshot(seq, vec![op.clone()]));
    (live, op.id)
}

#[test]
fn progress_touches_nothing_but_progress() {
    let (live, id) = seeded(10, State::Running);
    let signals = live.operation(id).unwrap();
    live.apply(
        &event(11, EventBody::Progress { id, attempt: 1, progress: progress(42), forecast: None }),
        NOW,
    );
    assert_eq!(signals.progress.get_untracked().unwrap().done, 42);
    assert_eq!(signals.state.get_untracked(), State::Running);
    assert_eq!(live.seq(), 11);
}

fn progressed(seq: u64, id: OperationId, done: u64) -> Event {
    event(seq, EventBody::Progress { id, attempt: 1, progress: progress(done), forecast: None })
}

#[test]
fn reports_in_quick_succession_are_shown_as_one_change_with_the_last_values() {
    let (live, id) = seeded(10, State::Running);
    let signals = live.operation(id).unwrap();
    let done = || signals.progress.get_untracked().map(|p| p.done);
    live.apply(&progressed(11, id, 1), NOW);
    assert_eq!(done(), Some(1), "the first is shown at once");
    live.apply(&progressed(12, id, 2), NOW + 10.0);
    live.apply(&progressed(13, id, 3), NOW + 20.0);
    assert_eq!((done(), live.seq()), (Some(1), 13));
    let due = live.next_reports().unwrap();
    live.show_reports(due, due);
    assert_eq!((done(), live.next_reports()), (Some(3), None));
}

#[test]
fn a_change_of_the_state_is_shown_at_once_and_no_held_report_undoes_it() {
    let (live, id) = seeded(10, State::Running);
    let signals = live.operation(id).unwrap();
    live.apply(&progressed(11, id, 1), NOW);
    live.apply(&progressed(12, id, 2), NOW + 10.0);
    let ended = Operation { progress: Some(progress(3)), ..operation(State::Succeeded, 1) };
    live.apply(&event(13, EventBody::Operation { operation: Box::new(ended) }), NOW + 20.0);
    live.show_reports(f64::INFINITY, NOW + 1_000.0);
    assert_eq!(signals.state.get_untracked(), State::Succeeded);
    assert_eq!(signals.progress.get_untracked().unwrap().done, 3);
}

#[test]
fn counts_follow_what_happens() {
    let (live, _) = seeded(10, State::Running);
    let ended = operation(State::Succeeded, 1);
    live.apply(&event(11, EventBody::Operation { operation: Box::new(ended) }), NOW);
    assert_eq!((live.count(State::Running), live.count(State::Succeeded)), (0, 1));
    assert_eq!(live.count_all(), 1);
    let (active, ended) = live.list(|_| true);
    assert_eq!((active.len(), ended.len()), (0, 1));
}

#[test]
fn an_answer_that_is_ahead_of_its_event_is_counted_once() {
    let (live, id) = seeded(10, State::Running);
    let ended = Operation { seq: 12, ..operation(State::Failed, 1) };
    live.adopt(&ended, 12);
    let new = Operation {
        id: "0199c2d4-7f3a-7c11-9e1b-00000000000b".parse().unwrap(),
        seq: 11,
        ..operation(State::Queued, 1)
    };
    live.adopt(&new, 0);
    assert!(live.has(new.id) && live.operation(id).unwrap().state.get_untracked() == State::Failed);
    live.apply(&event(11, EventBody::Operation { operation: Box::new(new) }), NOW);
    live.apply(&event(12, EventBody::Operation { operation: Box::new(ended) }), NOW);
    let counted = [State::Queued, State::Running, State::Failed].map(|state| live.count(state));
    assert_eq!(counted, [1, 0, 1]);
    assert_eq!(live.counts_unsure().get_untracked(), 0);
}

#[test]
fn counts_of_a_snapshot_that_is_ahead_of_the_feed_or_behind_it_are_brought_to_where_the_feed_is() {
    let (live, _) = seeded(10, State::Running);
    let old = |state, attempt| Operation {
        id: "0199c2d4-7f3a-7c11-9e1b-00000000000b".parse().unwrap(),
        ..operation(state, attempt)
    };
    let stands = |seq, op| live.apply(&event(seq, EventBody::Operation { operation: Box::new(op) }), NOW);
    let counted = || [State::Queued, State::Running, State::Failed].map(|state| live.count(state));
    stands(11, old(State::Queued, 2));
    assert_eq!(live.counts_unsure().get_untracked(), 1, "nobody here knows where it was counted");
    stands(12, operation(State::Failed, 1));
    // An older snapshot, taken before the last event.
    live.count_anew(&snapshot(11, vec![operation(State::Running, 1), old(State::Queued, 2)]));
    assert_eq!(counted(), [1, 0, 1]);
    // A newer snapshot, which includes the next event.
    live.count_anew(&snapshot(13, vec![operation(State::Failed, 1), old(State::Running, 2)]));
    stands(13, old(State::Running, 2));
    assert_eq!(counted(), [0, 1, 1]);
    stands(14, old(State::Failed, 2));
    assert_eq!(counted(), [0, 0, 2]);
    // Another server instance has other positions.
    let mut other = snapshot(15, vec![]);
    other.server = "0199c2d4-7f3a-7c11-9e1b-000000000002".parse().unwrap();
    live.count_anew(&other);
    assert_eq!(counted(), [0, 0, 2]);
}

#[test]
fn an_older_snapshot_does_not_undo_a_newer_event() {
    let (live, id) = seeded(10, State::Running);
    live.apply(
        &event(12, EventBody::Progress { id, attempt: 1, progress: progress(42), forecast: None }),
        NOW,
    );
    live.seed(&snapshot(11, vec![operation(State::Running, 1)]));
    let signals = live.operation(id).unwrap();
    assert_eq!(signals.progress.get_untracked().unwrap().done, 42);
}

#[test]
fn a_snapshot_of_another_life_of_the_server_is_believed_whatever_its_number() {
    let (live, id) = seeded(10, State::Running);
    let mut other = snapshot(3, vec![operation(State::Failed, 1)]);
    other.server = "0199c2d4-7f3a-7c11-9e1b-000000000002".parse().unwrap();
    live.seed(&other);
    assert_eq!(live.operation(id).unwrap().state.get_untracked(), State::Failed);
}

#[test]
fn an_active_operation_that_a_new_snapshot_does_not_know_is_gone() {
    let (live, id) = seeded(10, State::Running);
    live.seed(&snapshot(12, vec![]));
    assert!(live.operation(id).is_none());
}

#[test]
fn a_deleted_operation_loses_its_row_and_count_and_no_older_response_restores_it() {
    let (live, id) = seeded(10, State::Failed);
    let gone = EventBody::Deleted { id, state: State::Failed };
    live.apply(&event(11, gone.clone()), NOW);
    assert!(live.operation(id).is_none() && live.is_deleted(id));
    assert_eq!(live.count_all(), 0);
    live.adopt(&operation(State::Failed, 1), 12);
    assert!(live.operation(id).is_none());
    // Repeated events, e.g. from another tab, count once.
    live.seed(&snapshot(
        11,
        vec![Operation {
            id: "0199c2d4-7f3a-7c11-9e1b-00000000000b".parse().unwrap(),
            ..operation(State::Failed, 1)
        }],
    ));
    live.apply(&event(11, gone), NOW);
    assert_eq!(live.count_all(), 1);
}

#[test]
fn an_ended_operation_that_a_snapshot_of_everything_does_not_hold_is_gone() {
    let (live, id) = seeded(10, State::Failed);
    let mut partly = snapshot(12, vec![]);
    partly.counts = vec![StateCount { state: State::Failed, count: 1 }];
    live.seed(&partly);
    assert!(live.operation(id).is_some(), "it may be among those that are only counted");
    live.seed(&snapshot(13, vec![]));
    assert!(live.operation(id).is_none());
}

#[test]
fn log_and_curves_are_collected_only_while_followed() {
    let (live, id) = seeded(10, State::Running);
    let follow = live.follow(id);
    follow.log.take_first(Some((10, (1, vec![]))));
    let line = protocol::LogLine {
        n: 1,
        at: Time::from_micros(0),
        level: protocol::LogLevel::Info,
        text: "read MSFT_1h.csv".into(),
    };
    live.apply(&event(11, EventBody::Log { id, attempt: 1, lines: vec![line.clone()] }), NOW);
    let log = follow.log.state();
    assert_eq!(log.with_untracked(|log| log.get(1).map(|l| l.text == line.text)), Some(true));
    drop(follow);
    let next = protocol::LogLine { n: 2, ..line };
    live.apply(&event(12, EventBody::Log { id, attempt: 1, lines: vec![next] }), NOW);
    assert_eq!(log.with_untracked(LogBuffer::held), 1);
}

/// More ended operations than a page keeps.
fn too_many() -> Vec<Operation> {
    let ended = |n| Operation {
        id: format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap(),
        ..operation(State::Succeeded, 1)
    };
    (0..MAX_ENDED + 300).map(ended).collect()
}

#[test]
fn of_too_many_ended_ones_those_that_a_list_shows_are_kept() {
    let live = OperationStore::default();
    let all = too_many();
    live.adopt_all(all[100..].iter(), 1);
    live.keep_loaded([all[150].id].into());
    live.adopt_listed(&live.page_question(), 1, &all[..100]);
    let known = live.list(|_| true).1;
    assert!(known.len() <= MAX_ENDED, "{}", known.len());
    assert!(all[..100].iter().chain([&all[150]]).all(|op| live.has(op.id)));
    assert!(!live.has(all[151].id));
}

#[test]
fn a_followed_operation_keeps_its_signals_over_a_snapshot_without_it() {
    for life in [1, 2] {
        let (live, id) = seeded(10, State::Running);
        let follow = live.follow(id);
        let shown = live.operation(id).unwrap();
        // It ended, followed by so many that it is only counted.
        let mut without = snapshot(if life == 1 { 500 } else { 5 }, vec![]);
        without.server = format!("0199c2d4-7f3a-7c11-9e1b-{life:012}").parse().unwrap();
        without.counts = vec![StateCount { state: State::Succeeded, count: 1 }];
        live.seed(&without);
        live.adopt(&operation(State::Succeeded, 1), without.seq);
        assert_eq!(shown.state.get_untracked(), State::Succeeded);
        assert_eq!((live.count(State::Running), live.count(State::Succeeded)), (0, 1));
        drop(follow);
        live.seed(&snapshot(501, vec![]));
        assert!(live.operation(id).is_none());
    }
}

#[test]
fn of_too_many_ended_ones_those_that_a_page_follows_are_kept() {
    let live = OperationStore::default();
    let all = too_many();
    live.adopt_all(all.iter(), 1);
    let _follow = live.follow(all[0].id);
    live.adopt_listed(&live.page_question(), 1, &[]);
    assert!(live.has(all[0].id) && !live.has(all[1].id));
}

#[test]
fn an_operation_is_found_by_its_words() {
    let (live, _) = seeded(10, State::Running);
    let found = |name, value| live.find(&Filter::parse([(name, value)]).unwrap()).0.len();
    assert_eq!((found("q", "msft"), found("q", "aapl")), (1, 0));
}

fn points(seq: u64, id: OperationId, attempt: u32, xs: std::ops::RangeInclusive<u64>) -> Event {
    let points = xs.map(|x| protocol::Point(x as f64, x as f64)).collect();
    let series = vec![protocol::Points { name: "loss".into(), points }];
    event(seq, EventBody::Points { id, attempt, series, outside: None })
}

fn xs(follow: &Follow) -> Vec<u64> {
    follow.curves.state().with_untracked(|curves| curves.get("loss").iter().map(|p| p.0 as u64).collect())
}

fn answered(of: &Event) -> (u32, Vec<protocol::Points>) {
    match &of.body {
        EventBody::Points { attempt, series, .. } => (*attempt, series.clone()),
        _ => (1, vec![]),
    }
}

#[test]
fn points_that_pass_while_an_answer_is_on_its_way_are_in_the_curve() {
    let (live, id) = seeded(10, State::Running);
    let follow = live.follow(id);
    // The server read at 11, and the answer arrives after 14.
    for seq in 11..=14 {
        live.apply(&points(seq, id, 1, seq..=seq), NOW);
    }
    assert_eq!(xs(&follow), [0; 0], "without its beginning no curve is shown");
    assert!(follow.curves.take_first(Some((11, answered(&points(11, id, 1, 1..=11))))));
    assert_eq!(xs(&follow), (1..=14).collect::<Vec<_>>());
    // Requested again, e.g. after an attempt ended: the answer removes nothing that arrived meanwhile.
    let question = follow.curves.ask(live.seq());
    live.apply(&points(15, id, 1, 15..=16), NOW);
    assert!(follow.curves.take(question, 14, answered(&points(14, id, 1, 1..=14))));
    assert_eq!(xs(&follow), (1..=16).collect::<Vec<_>>());
}

#[test]
fn curves_are_requested_again_after_a_gap_and_have_no_line_across_it() {
    let (live, id) = seeded(10, State::Running);
    let follow = live.follow(id);
    follow.curves.take_first(Some((10, (1, vec![]))));
    live.apply(&points(11, id, 1, 1..=2), NOW);
    live.seed(&snapshot(20, vec![operation(State::Running, 1)]));
    assert_eq!(follow.curves.asks().get_untracked(), 1);
    live.apply(&points(21, id, 1, 9..=9), NOW);
    assert_eq!(xs(&follow), [1, 2]);
    let question = follow.curves.ask(live.seq());
    assert!(follow.curves.take(question, 20, answered(&points(20, id, 1, 1..=8))));
    assert_eq!(xs(&follow), (1..=9).collect::<Vec<_>>());
}

#[test]
fn details_are_requested_again_when_an_event_is_newer_than_the_response() {
    let (live, id) = seeded(10, State::Running);
    let follow = live.follow(id);
    let stands = |seq, op| live.apply(&event(seq, EventBody::Operation { operation: Box::new(op) }), NOW);
    let asks = || follow.details.asks().get_untracked();
    // It ended while an older answer was in flight.
    stands(11, operation(State::Succeeded, 1));
    assert!(follow.details.take_first(Some((10, DetailVersion::of(&operation(State::Running, 1))))));
    assert_eq!(asks(), 1);
    let question = follow.details.ask(live.seq());
    assert!(follow.details.take(question, 11, DetailVersion::of(&operation(State::Succeeded, 1))));
    stands(12, operation(State::Succeeded, 1));
    assert_eq!(asks(), 1, "nothing of it changed");
    stands(13, operation(State::Queued, 2));
    assert_eq!(asks(), 2);
}

#[test]
fn a_late_page_of_the_list_reverts_nothing() {
    let (live, _) = seeded(10, State::Running);
    let old = |state, attempt, seq| Operation {
        id: "0199c2d4-7f3a-7c11-9e1b-00000000000b".parse().unwrap(),
        seq,
        ..operation(state, attempt)
    };
    let question = live.page_question();
    let again = old(State::Queued, 2, 12);
    live.apply(&event(12, EventBody::Operation { operation: Box::new(again.clone()) }), NOW);
    // As if the page had dropped it since: only the held events show the retry.
    live.0.operations.write().unwrap().remove(&again.id);
    assert!(live.take_page(&question, 11, &[old(State::Failed, 1, 4)]));
    assert_eq!(live.operation(again.id).unwrap().state.get_untracked(), State::Queued);
    // From before a snapshot: the answer would restore operations deleted before it.
    let question = live.page_question();
    live.seed(&snapshot(30, vec![]));
    assert!(!live.take_page(&question, 29, &[old(State::Failed, 1, 4)]));
    assert!(live.operation(again.id).is_none());
}
