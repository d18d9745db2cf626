//! Tests of the connection's state machine.

use super::*;
use Command::*;
use proptest::prelude::*;

const HELLO: Input = Input::Hello { beat_seconds: 2.0, same_server: true };

fn started() -> ConnectionState {
    let mut connection = ConnectionState::default();
    assert_eq!(connection.on(Input::Start { seeded: true, valid_at: 1_000.0 }, 1_000.0, 0.0), [OpenStream]);
    connection
}

fn live() -> ConnectionState {
    let mut connection = started();
    assert_eq!(connection.on(HELLO, 1_100.0, 0.0), []);
    assert_eq!(connection.connectivity(1_100.0), Connectivity::Live);
    connection
}

fn polling() -> ConnectionState {
    let mut connection = started();
    assert_eq!(connection.on(Input::Tick, 4_001.0, 0.0), [CloseStream, Poll { after: 0.0 }]);
    connection.on(Input::PollAnswered { events: true }, 4_200.0, 0.0);
    assert_eq!(connection.connectivity(4_200.0), Connectivity::Polling { why: PollReason::Mute });
    connection
}

#[test]
fn a_page_without_a_snapshot_takes_one_first() {
    let mut connection = ConnectionState::default();
    assert_eq!(connection.on(Input::Start { seeded: false, valid_at: 0.0 }, 0.0, 0.0), [TakeSnapshot]);
    assert_eq!(connection.on(Input::SnapshotTaken, 50.0, 0.0), [OpenStream]);
}

#[test]
fn a_stream_that_misses_a_heartbeat_is_not_called_live() {
    let mut connection = live();
    connection.on(Input::Message, 2_000.0, 0.0);
    assert_eq!((connection.connectivity(4_900.0), connection.fresh(4_900.0)), (Connectivity::Live, true));
    assert_eq!(connection.on(Input::Tick, 5_000.0, 0.0), []);
    assert_eq!(
        (connection.connectivity(5_000.0), connection.fresh(5_000.0)),
        (Connectivity::Silent { age: 3_000.0 }, false)
    );
    connection.on(Input::Message, 5_900.0, 0.0);
    assert_eq!((connection.connectivity(5_900.0), connection.fresh(5_900.0)), (Connectivity::Live, true));
}

#[test]
fn silence_of_two_beats_is_a_dead_stream() {
    let mut connection = live();
    connection.on(Input::Message, 2_000.0, 0.0);
    assert_eq!(connection.on(Input::Tick, 5_999.0, 0.0), []);
    assert_eq!(connection.on(Input::Tick, 6_001.0, 0.0), [CloseStream, OpenStream]);
    assert!(matches!(connection.connectivity(6_001.0), Connectivity::Reconnecting { age: 4_001.0, .. }));
    assert!(!connection.fresh(6_001.0));
}

#[test]
fn a_poll_that_is_not_answered_leaves_the_data_stale() {
    let connection = polling();
    assert!(connection.fresh(8_100.0));
    assert_eq!(
        (connection.connectivity(8_300.0), connection.fresh(8_300.0)),
        (Connectivity::Silent { age: 4_100.0 }, false)
    );
}

#[test]
fn a_cut_that_is_mended_before_a_heartbeat_is_missed_is_not_shown() {
    let mut connection = live();
    connection.on(Input::Message, 15_000.0, 0.0);
    assert_eq!(connection.on(Input::StreamFailed, 15_100.0, 1.0), [Wake { after: 500.0 }]);
    assert_eq!((connection.connectivity(15_100.0), connection.fresh(15_100.0)), (Connectivity::Live, true));
    assert_eq!(connection.on(Input::Tick, 15_600.0, 0.0), [OpenStream]);
    assert_eq!(connection.connectivity(15_610.0), Connectivity::Live);
    assert_eq!(connection.on(HELLO, 15_650.0, 0.0), []);
    assert_eq!(connection.connectivity(15_650.0), Connectivity::Live);
}

#[test]
fn a_cut_is_shown_as_soon_as_a_heartbeat_is_missed() {
    let mut connection = live();
    connection.on(Input::Message, 15_000.0, 0.0);
    connection.on(Input::StreamFailed, 15_100.0, 1.0);
    connection.on(Input::Tick, 15_600.0, 0.0);
    // The server does not answer.
    assert_eq!(connection.connectivity(17_499.0), Connectivity::Live);
    assert!(
        matches!(connection.connectivity(17_501.0), Connectivity::Reconnecting { .. })
            && !connection.fresh(17_501.0)
    );
    // A page that was never connected is not live, and neither is one with a gap.
    let mut connection = started();
    connection.on(Input::StreamFailed, 1_050.0, 0.0);
    assert!(matches!(connection.connectivity(1_060.0), Connectivity::Reconnecting { .. }));
    let mut connection = live();
    connection.on(Input::Lost, 1_200.0, 0.0);
    connection.on(Input::SnapshotFailed, 1_250.0, 0.0);
    assert!(matches!(connection.connectivity(1_260.0), Connectivity::Reconnecting { .. }));
}

#[test]
fn a_mute_stream_is_replaced_by_polling_only_when_a_poll_is_answered() {
    let mut connection = started();
    assert_eq!(connection.on(Input::Tick, 3_500.0, 0.0), []);
    assert_eq!(connection.on(Input::Tick, 4_001.0, 0.0), [CloseStream, Poll { after: 0.0 }]);
    assert_eq!(connection.connectivity(4_001.0), Connectivity::Connecting);
    connection.on(Input::PollAnswered { events: false }, 14_000.0, 0.0);
    assert_eq!(connection.connectivity(14_000.0), Connectivity::Polling { why: PollReason::Mute });
}

#[test]
fn two_streams_that_break_lead_to_polling() {
    let mut connection = started();
    assert_eq!(connection.on(Input::StreamFailed, 1_050.0, 0.0), [Wake { after: 250.0 }]);
    assert_eq!(connection.on(Input::Tick, 1_300.0, 0.0), [OpenStream]);
    assert_eq!(connection.on(Input::StreamFailed, 1_310.0, 0.0), [Poll { after: 0.0 }]);
    connection.on(Input::PollAnswered { events: false }, 1_320.0, 0.0);
    assert_eq!(connection.connectivity(1_320.0), Connectivity::Polling { why: PollReason::Breaks });
}

#[test]
fn polling_tries_the_stream_every_minute_and_leaves_for_it() {
    let mut connection = polling();
    assert_eq!(connection.on(Input::Tick, 60_000.0, 0.0), [StopPoll, Wake { after: 250.0 }]);
    // That poll took too long. With answers, in between:
    let mut connection = polling();
    connection.on(Input::PollAnswered { events: false }, 60_000.0, 0.0);
    assert_eq!(connection.on(Input::Tick, 64_200.0, 0.0), [OpenStream]);
    // Still mute: give up until the next minute, and continue polling.
    assert_eq!(connection.on(Input::Tick, 67_300.0, 0.0), [CloseStream]);
    connection.on(Input::PollAnswered { events: false }, 120_000.0, 0.0);
    assert_eq!(connection.on(Input::Tick, 127_400.0, 0.0), [OpenStream]);
    assert_eq!(connection.on(HELLO, 127_500.0, 0.0), [StopPoll]);
    assert_eq!(connection.connectivity(127_500.0), Connectivity::Live);
}

#[test]
fn empty_polls_that_come_at_once_do_not_become_a_storm() {
    let mut connection = polling();
    assert_eq!(connection.on(Input::PollAnswered { events: false }, 4_210.0, 0.0), [Poll { after: 990.0 }]);
}

#[test]
fn pauses_grow_to_thirty_seconds_and_never_end() {
    let mut connection = live();
    let mut now = 10_000.0;
    let mut pauses = vec![];
    connection.on(Input::StreamFailed, now, 1.0);
    for _ in 0..60 {
        let Mode::Waiting { until } = connection.mode else { panic!("{:?}", connection.mode) };
        pauses.push(until - now);
        now = until;
        // Neither transport is answered.
        while !matches!(connection.mode, Mode::Waiting { until } if until > now) {
            let input = match connection.mode {
                Mode::Waiting { .. } => Input::Tick,
                Mode::Connecting { .. } => Input::StreamFailed,
                Mode::Polling { .. } => Input::PollFailed,
                _ => Input::SnapshotFailed,
            };
            connection.on(input, now, 1.0);
        }
    }
    assert_eq!(pauses[..4], [500.0, 1_000.0, 2_000.0, 4_000.0]);
    assert!(pauses[8..].iter().all(|p| *p == 30_000.0), "{pauses:?}");
    assert!(matches!(connection.connectivity(now), Connectivity::Away { since, .. } if since == 1_100.0));
}

#[test]
fn another_life_of_the_server_means_a_new_snapshot() {
    let mut connection = live();
    connection.on(Input::StreamFailed, 2_000.0, 0.0);
    connection.on(Input::Tick, 2_300.0, 0.0);
    let hello = Input::Hello { beat_seconds: 2.0, same_server: false };
    assert_eq!(connection.on(hello, 2_400.0, 0.0), [CloseStream, TakeSnapshot]);
    assert_eq!(connection.on(Input::SnapshotTaken, 2_450.0, 0.0), [OpenStream]);
}

#[test]
fn a_loss_right_after_a_loss_is_met_with_a_pause() {
    let mut connection = live();
    assert_eq!(connection.on(Input::Lost, 5_000.0, 0.0), [CloseStream, TakeSnapshot]);
    connection.on(Input::SnapshotTaken, 5_100.0, 0.0);
    connection.on(HELLO, 5_200.0, 0.0);
    assert_eq!(connection.on(Input::Lost, 5_300.0, 0.0), [CloseStream, Wake { after: 250.0 }]);
    assert_eq!(connection.on(Input::Tick, 5_550.0, 0.0), [TakeSnapshot]);
}

#[test]
fn a_person_need_not_wait_for_the_pause_to_end() {
    let mut connection = live();
    connection.on(Input::StreamFailed, 2_000.0, 1.0);
    assert_eq!(connection.on(Input::Nudge, 2_100.0, 0.0), [OpenStream]);
}

/// What the browser has in flight, tracked as in the driver.
#[derive(Default, Debug)]
struct World {
    stream: bool,
    poll: bool,
    snapshot: bool,
    wake: bool,
}

impl World {
    fn obey(&mut self, commands: &[Command]) -> Result<(), TestCaseError> {
        for command in commands {
            match command {
                OpenStream => {
                    prop_assert!(!self.stream, "a second stream beside the first");
                    self.stream = true;
                }
                CloseStream => self.stream = false,
                Poll { .. } => {
                    prop_assert!(!self.poll, "a second poll beside the first");
                    self.poll = true;
                }
                StopPoll => self.poll = false,
                TakeSnapshot => {
                    prop_assert!(!self.snapshot, "a second snapshot beside the first");
                    self.snapshot = true;
                }
                Wake { .. } => self.wake = true,
            }
        }
        Ok(())
    }
}

proptest! {
    /// Whatever the network does, something is always in flight, and never two of the same.
    #[test]
    fn a_request_or_a_timer_is_always_open(
        steps in proptest::collection::vec((0u8..12, 0.0f64..20_000.0, 0.0f64..1.0), 1..200),
        seeded: bool,
    ) {
        let mut connection = ConnectionState::default();
        let mut world = World::default();
        let mut now = 1_000.0;
        world.obey(&connection.on(Input::Start { seeded, valid_at: now }, now, 0.0))?;
        for (what, later, chance) in steps {
            now += later;
            // Only what is in flight can send an input.
            let input = match what {
                0 if world.stream => Input::Hello { beat_seconds: 2.0, same_server: chance > 0.2 },
                1 | 2 if world.stream => Input::Message,
                3 if world.stream => { world.stream = false; Input::StreamFailed }
                4 if world.poll => { world.poll = false; Input::PollAnswered { events: chance > 0.5 } }
                5 if world.poll => { world.poll = false; Input::PollFailed }
                6 if world.stream || world.poll => Input::Lost,
                7 if world.snapshot => { world.snapshot = false; Input::SnapshotTaken }
                8 if world.snapshot => { world.snapshot = false; Input::SnapshotFailed }
                9 => Input::Nudge,
                _ => Input::Tick,
            };
            world.obey(&connection.on(input, now, chance))?;
            let waiting = matches!(connection.mode, Mode::Waiting { .. });
            prop_assert!(world.stream || world.poll || world.snapshot || waiting, "{:?} {:?}", connection, world);
            if connection.mode == Mode::Live {
                prop_assert!(world.stream && !world.poll && !world.snapshot);
            }
        }
    }
}
