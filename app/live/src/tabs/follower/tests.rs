//! A leader, a server and a listening tab without a browser: frames are lost, answers are late.

use super::*;
use crate::fixtures::{event as numbered, operation};
use proptest::prelude::*;
use protocol::event::Skipped;
use protocol::{EventBody, State, Time};

fn life(n: u8) -> InstanceId {
    format!("0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c{n:02x}").parse().unwrap()
}

fn event(seq: u64) -> Event {
    let id = operation(State::Running, 1).id;
    numbered(seq, EventBody::Late { id, attempt: 1, what: "running".into() })
}

fn message(seq: u64) -> Frame {
    Frame::Message(serde_json::to_string(&event(seq)).unwrap())
}

fn status(seq: u64) -> Frame {
    status_of(seq, true, 1)
}

fn status_of(seq: u64, fresh: bool, server: u8) -> Frame {
    let connectivity =
        if fresh { Connectivity::Live } else { Connectivity::Reconnecting { next: 1_000.0, age: 3_000.0 } };
    Frame::Status(LeaderStatus {
        connectivity,
        fresh,
        seq,
        server: Some(life(server)),
        beat: 2_000.0,
        clock: None,
    })
}

/// The server's answer: events after `after` up to `head`, at most three.
fn page(after: u64, head: u64) -> Page {
    let next = head.min(after + 3);
    let events = (after + 1..=next).map(event).collect();
    Page { events, next, skipped: None, reset: None, now: Time::from_micros(0) }
}

fn numbers(effects: &Effects) -> Vec<u64> {
    effects.events.iter().map(|e| e.seq).collect()
}

fn listening() -> (Follower, SequenceCheck) {
    let (mut follower, mut sequence) = (Follower::new(0.0, 0.0, Some(life(1))), SequenceCheck::at(10));
    assert!(follower.take(status(10), &mut sequence, 10.0).server_request.is_none());
    (follower, sequence)
}

#[test]
fn what_the_leader_passes_on_is_applied_once() {
    let (mut follower, mut sequence) = listening();
    assert_eq!(numbers(&follower.take(message(11), &mut sequence, 20.0)), [11]);
    assert!(follower.take(message(11), &mut sequence, 20.0).events.is_empty());
    assert_eq!(follower.connectivity(30.0), Connectivity::Live);
    assert!(follower.fresh(30.0));
}

#[test]
fn a_gap_is_requested_while_new_events_are_held() {
    let (mut follower, mut sequence) = listening();
    let effects = follower.take(message(14), &mut sequence, 20.0);
    assert_eq!(
        (numbers(&effects), effects.server_request),
        (vec![], Some(ServerRequest::Page { after: 10 }))
    );
    let effects = follower.take(message(15), &mut sequence, 21.0);
    assert_eq!((numbers(&effects), effects.server_request), (vec![], None));
    let effects = follower.page_arrived(Some(page(10, 13)), &mut sequence, 30.0);
    assert_eq!((numbers(&effects), effects.server_request), (vec![11, 12, 13, 14, 15], None));
}

#[test]
fn one_that_joins_a_quiet_feed_learns_at_once_that_it_missed_something() {
    let (mut follower, mut sequence) = (Follower::new(0.0, 0.0, Some(life(1))), SequenceCheck::at(10));
    let effects = follower.take(status(12), &mut sequence, 10.0);
    assert_eq!(effects.server_request, Some(ServerRequest::Page { after: 10 }));
    let effects = follower.page_arrived(Some(page(10, 12)), &mut sequence, 20.0);
    assert_eq!((numbers(&effects), effects.server_request), (vec![11, 12], None));
}

#[test]
fn another_life_of_the_server_and_too_much_between_mean_a_snapshot() {
    let (mut follower, mut sequence) = listening();
    assert_eq!(
        follower.take(status_of(2, true, 2), &mut sequence, 20.0).server_request,
        Some(ServerRequest::Snapshot)
    );
    assert!(follower.take(message(3), &mut sequence, 21.0).events.is_empty());
    sequence = SequenceCheck::at(2);
    assert_eq!(numbers(&follower.snapshot_arrived(Some(life(2)), &mut sequence, 30.0)), [3]);

    let (mut follower, mut sequence) = listening();
    assert_eq!(
        follower.take(status(99_999), &mut sequence, 20.0).server_request,
        Some(ServerRequest::Snapshot)
    );
}

#[test]
fn an_answer_that_brings_nothing_forward_leads_to_a_snapshot_and_a_failed_one_is_tried_again() {
    let (mut follower, mut sequence) = listening();
    follower.take(message(14), &mut sequence, 20.0);
    assert_eq!(
        follower.page_arrived(Some(page(10, 10)), &mut sequence, 30.0).server_request,
        Some(ServerRequest::Snapshot)
    );
    assert!(follower.snapshot_arrived(None, &mut sequence, 40.0).server_request.is_none());
    // Not at once, and not while the leader can't reach the server either.
    assert!(follower.take(status(14), &mut sequence, 1_000.0).server_request.is_none());
    assert!(follower.take(status_of(14, false, 1), &mut sequence, 3_000.0).server_request.is_none());
    assert_eq!(
        follower.take(status(14), &mut sequence, 3_100.0).server_request,
        Some(ServerRequest::Snapshot)
    );
    assert!(!follower.fresh(3_200.0));
    assert!(matches!(follower.connectivity(3_200.0), Connectivity::Reconnecting { .. }));
    sequence = SequenceCheck::at(14);
    follower.snapshot_arrived(Some(life(1)), &mut sequence, 3_300.0);
    assert!(follower.fresh(3_300.0));
}

#[test]
fn pages_of_a_leader_that_polls_count_from_where_it_asked() {
    let text = |after, head| {
        let Page { events, next, .. } = page(after, head);
        serde_json::to_string(
            &serde_json::json!({"events": events, "next": next, "now": "2026-11-23T10:00:00Z"}),
        )
        .unwrap()
    };
    let (mut follower, mut sequence) = listening();
    assert_eq!(numbers(&follower.take(Frame::Page(9, text(9, 12)), &mut sequence, 20.0)), [11, 12]);
    // Nothing new after 14; but 13 and 14 are unknown here.
    let effects = follower.take(Frame::Page(14, text(14, 14)), &mut sequence, 20.0);
    assert_eq!(effects.server_request, Some(ServerRequest::Page { after: 12 }));
}

#[test]
fn a_silent_leader_is_not_believed_but_own_sleep_is_not_its_silence() {
    let (mut follower, mut sequence) = listening();
    for second in 1..=4 {
        follower.tick(f64::from(second) * 1_000.0);
    }
    assert!(follower.fresh(4_009.0) && follower.silent(4_009.0) < 0.0);
    assert!(!follower.fresh(4_011.0) && follower.silent(4_011.0) > 0.0);
    assert!(
        matches!(follower.connectivity(4_500.0), Connectivity::Reconnecting { age, .. } if age == 4_490.0)
    );
    // Suspended for an hour: nothing is fresh, and nobody steals the lock for it.
    follower.take(status(10), &mut sequence, 4_600.0);
    follower.tick(5_000.0);
    follower.tick(3_600_000.0);
    assert!(!follower.fresh(3_600_000.0) && follower.silent(3_600_000.0) < 0.0);
}

proptest! {
    /// Whatever frames are lost and however late answers are: applied events have no gap, and once the leader is back
    /// everything is there.
    #[test]
    fn nothing_is_missing_and_nothing_twice(
        steps in proptest::collection::vec((0u8..6, any::<bool>()), 1..120),
        joined in 0u64..20,
    ) {
        let (mut follower, mut sequence) = (Follower::new(0.0, 0.0, Some(life(1))), SequenceCheck::at(joined));
        let mut head = 20;
        let mut last = joined;
        let mut asked: Option<(ServerRequest, u64)> = None;
        let mut now = 0.0;
        // Ends with a leader that sends and a server that answers.
        let quiet = std::iter::repeat_n((5, true), 3).chain(std::iter::repeat_n((3, true), 60));
        for (what, arrives) in steps.into_iter().chain(quiet) {
            now += 100.0;
            let effects = match what {
                0 | 1 => {
                    head += 1;
                    if !arrives { continue }
                    follower.take(message(head), &mut sequence, now)
                }
                2 => {
                    // Two superseded events.
                    head += 3;
                    if !arrives { continue }
                    let range = Skipped { from: head - 2, to: head - 1 };
                    follower.take(Frame::Skipped(serde_json::to_string(&range).unwrap()), &mut sequence, now);
                    follower.take(message(head), &mut sequence, now)
                }
                _ if asked.is_some() => {
                    let (server_request, at) = asked.take().unwrap();
                    match server_request {
                        ServerRequest::Page { after } if arrives => {
                            follower.page_arrived(Some(page(after, at)), &mut sequence, now)
                        }
                        ServerRequest::Page { .. } => follower.page_arrived(None, &mut sequence, now),
                        ServerRequest::Snapshot if arrives => {
                            sequence = SequenceCheck::at(head);
                            last = last.max(head);
                            follower.snapshot_arrived(Some(life(1)), &mut sequence, now)
                        }
                        ServerRequest::Snapshot => follower.snapshot_arrived(None, &mut sequence, now),
                    }
                }
                _ => follower.take(status(head), &mut sequence, now),
            };
            for event in &effects.events {
                prop_assert!(event.seq > last, "{} after {last}", event.seq);
                last = event.seq;
            }
            if let Some(server_request) = effects.server_request {
                prop_assert!(asked.is_none(), "two requests at once");
                asked = Some((server_request, head));
            }
        }
        prop_assert_eq!(sequence.seq(), head);
        prop_assert!(follower.in_sync());
    }
}
