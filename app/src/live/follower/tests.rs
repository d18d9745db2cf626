//! A leader, a server and a listening tab without a browser: frames are lost, answers are late.

use super::super::sequence_check::tests::{event as numbered, operation};
use super::*;
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

fn standing(seq: u64) -> Frame {
    told(seq, true, 1)
}

fn told(seq: u64, fresh: bool, server: u8) -> Frame {
    let shown = if fresh { Shown::Live } else { Shown::Reconnecting { next: 1_000.0, age: 3_000.0 } };
    Frame::Standing(Standing { shown, fresh, seq, server: Some(life(server)), beat: 2_000.0, clock: None })
}

/// The server's answer: events after `after` up to `head`, at most three.
fn page(after: u64, head: u64) -> Page {
    let next = head.min(after + 3);
    let events = (after + 1..=next).map(event).collect();
    Page { events, next, skipped: None, reset: None, now: Time::from_micros(0) }
}

fn numbers(taken: &Taken) -> Vec<u64> {
    taken.events.iter().map(|e| e.seq).collect()
}

fn listening() -> (Relay, Follower) {
    let (mut relay, mut follower) = (Relay::new(0.0, 0.0, Some(life(1))), Follower::at(10));
    assert!(relay.take(standing(10), &mut follower, 10.0).server_request.is_none());
    (relay, follower)
}

#[test]
fn what_the_leader_passes_on_is_applied_once() {
    let (mut relay, mut follower) = listening();
    assert_eq!(numbers(&relay.take(message(11), &mut follower, 20.0)), [11]);
    assert!(relay.take(message(11), &mut follower, 20.0).events.is_empty());
    assert_eq!(relay.shown(30.0), Shown::Live);
    assert!(relay.fresh(30.0));
}

#[test]
fn a_gap_is_asked_for_while_what_comes_is_held_back() {
    let (mut relay, mut follower) = listening();
    let taken = relay.take(message(14), &mut follower, 20.0);
    assert_eq!((numbers(&taken), taken.server_request), (vec![], Some(ServerRequest::Page { after: 10 })));
    let taken = relay.take(message(15), &mut follower, 21.0);
    assert_eq!((numbers(&taken), taken.server_request), (vec![], None));
    let taken = relay.page_came(Some(page(10, 13)), &mut follower, 30.0);
    assert_eq!((numbers(&taken), taken.server_request), (vec![11, 12, 13, 14, 15], None));
}

#[test]
fn one_that_joins_a_quiet_feed_learns_at_once_that_it_missed_something() {
    let (mut relay, mut follower) = (Relay::new(0.0, 0.0, Some(life(1))), Follower::at(10));
    let taken = relay.take(standing(12), &mut follower, 10.0);
    assert_eq!(taken.server_request, Some(ServerRequest::Page { after: 10 }));
    let taken = relay.page_came(Some(page(10, 12)), &mut follower, 20.0);
    assert_eq!((numbers(&taken), taken.server_request), (vec![11, 12], None));
}

#[test]
fn another_life_of_the_server_and_too_much_between_mean_a_snapshot() {
    let (mut relay, mut follower) = listening();
    assert_eq!(
        relay.take(told(2, true, 2), &mut follower, 20.0).server_request,
        Some(ServerRequest::Snapshot)
    );
    assert!(relay.take(message(3), &mut follower, 21.0).events.is_empty());
    follower = Follower::at(2);
    assert_eq!(numbers(&relay.snapshot_came(Some(life(2)), &mut follower, 30.0)), [3]);

    let (mut relay, mut follower) = listening();
    assert_eq!(
        relay.take(standing(99_999), &mut follower, 20.0).server_request,
        Some(ServerRequest::Snapshot)
    );
}

#[test]
fn an_answer_that_brings_nothing_forward_leads_to_a_snapshot_and_a_failed_one_is_tried_again() {
    let (mut relay, mut follower) = listening();
    relay.take(message(14), &mut follower, 20.0);
    assert_eq!(
        relay.page_came(Some(page(10, 10)), &mut follower, 30.0).server_request,
        Some(ServerRequest::Snapshot)
    );
    assert!(relay.snapshot_came(None, &mut follower, 40.0).server_request.is_none());
    // Not at once, and not while the leader can't reach the server either.
    assert!(relay.take(standing(14), &mut follower, 1_000.0).server_request.is_none());
    assert!(relay.take(told(14, false, 1), &mut follower, 3_000.0).server_request.is_none());
    assert_eq!(
        relay.take(standing(14), &mut follower, 3_100.0).server_request,
        Some(ServerRequest::Snapshot)
    );
    assert!(!relay.fresh(3_200.0));
    assert!(matches!(relay.shown(3_200.0), Shown::Reconnecting { .. }));
    follower = Follower::at(14);
    relay.snapshot_came(Some(life(1)), &mut follower, 3_300.0);
    assert!(relay.fresh(3_300.0));
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
    let (mut relay, mut follower) = listening();
    assert_eq!(numbers(&relay.take(Frame::Page(9, text(9, 12)), &mut follower, 20.0)), [11, 12]);
    // Nothing new after 14; but 13 and 14 are unknown here.
    let taken = relay.take(Frame::Page(14, text(14, 14)), &mut follower, 20.0);
    assert_eq!(taken.server_request, Some(ServerRequest::Page { after: 12 }));
}

#[test]
fn a_silent_leader_is_not_believed_but_own_sleep_is_not_its_silence() {
    let (mut relay, mut follower) = listening();
    for second in 1..=4 {
        relay.tick(f64::from(second) * 1_000.0);
    }
    assert!(relay.fresh(4_009.0) && relay.silent(4_009.0) < 0.0);
    assert!(!relay.fresh(4_011.0) && relay.silent(4_011.0) > 0.0);
    assert!(matches!(relay.shown(4_500.0), Shown::Reconnecting { age, .. } if age == 4_490.0));
    // Suspended for an hour: nothing is fresh, and nobody steals the lock for it.
    relay.take(standing(10), &mut follower, 4_600.0);
    relay.tick(5_000.0);
    relay.tick(3_600_000.0);
    assert!(!relay.fresh(3_600_000.0) && relay.silent(3_600_000.0) < 0.0);
}

proptest! {
    /// Whatever frames are lost and however late answers are: applied events have no gap, and once the leader is back
    /// everything is there.
    #[test]
    fn nothing_is_missing_and_nothing_twice(
        steps in proptest::collection::vec((0u8..6, any::<bool>()), 1..120),
        joined in 0u64..20,
    ) {
        let (mut relay, mut follower) = (Relay::new(0.0, 0.0, Some(life(1))), Follower::at(joined));
        let mut head = 20;
        let mut last = joined;
        let mut asked: Option<(ServerRequest, u64)> = None;
        let mut now = 0.0;
        // Ends with a leader that sends and a server that answers.
        let quiet = std::iter::repeat_n((5, true), 3).chain(std::iter::repeat_n((3, true), 60));
        for (what, arrives) in steps.into_iter().chain(quiet) {
            now += 100.0;
            let taken = match what {
                0 | 1 => {
                    head += 1;
                    if !arrives { continue }
                    relay.take(message(head), &mut follower, now)
                }
                2 => {
                    // Two superseded events.
                    head += 3;
                    if !arrives { continue }
                    let range = Skipped { from: head - 2, to: head - 1 };
                    relay.take(Frame::Skipped(serde_json::to_string(&range).unwrap()), &mut follower, now);
                    relay.take(message(head), &mut follower, now)
                }
                _ if asked.is_some() => {
                    let (server_request, at) = asked.take().unwrap();
                    match server_request {
                        ServerRequest::Page { after } if arrives => {
                            relay.page_came(Some(page(after, at)), &mut follower, now)
                        }
                        ServerRequest::Page { .. } => relay.page_came(None, &mut follower, now),
                        ServerRequest::Snapshot if arrives => {
                            follower = Follower::at(head);
                            last = last.max(head);
                            relay.snapshot_came(Some(life(1)), &mut follower, now)
                        }
                        ServerRequest::Snapshot => relay.snapshot_came(None, &mut follower, now),
                    }
                }
                _ => relay.take(standing(head), &mut follower, now),
            };
            for event in &taken.events {
                prop_assert!(event.seq > last, "{} after {last}", event.seq);
                last = event.seq;
            }
            if let Some(server_request) = taken.server_request {
                prop_assert!(asked.is_none(), "two requests at once");
                asked = Some((server_request, head));
            }
        }
        prop_assert_eq!(follower.seq(), head);
        prop_assert!(relay.direct());
    }
}
