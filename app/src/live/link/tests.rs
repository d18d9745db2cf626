//! Tests of the connection's state machine.

use super::*;
use Command::*;
use proptest::prelude::*;

const HELLO: Input = Input::Hello { beat_seconds: 2.0, same_server: true };

fn started() -> Link {
    let mut link = Link::default();
    assert_eq!(link.on(Input::Start { seeded: true, heard: 1_000.0 }, 1_000.0, 0.0), [OpenStream]);
    link
}

fn live() -> Link {
    let mut link = started();
    assert_eq!(link.on(HELLO, 1_100.0, 0.0), []);
    assert_eq!(link.shown(1_100.0), Shown::Live);
    link
}

fn polling() -> Link {
    let mut link = started();
    assert_eq!(link.on(Input::Tick, 4_001.0, 0.0), [CloseStream, Poll { after: 0.0 }]);
    link.on(Input::PollAnswered { events: true }, 4_200.0, 0.0);
    assert_eq!(link.shown(4_200.0), Shown::Polling { why: Why::Mute });
    link
}

#[test]
fn a_page_without_a_snapshot_takes_one_first() {
    let mut link = Link::default();
    assert_eq!(link.on(Input::Start { seeded: false, heard: 0.0 }, 0.0, 0.0), [TakeSnapshot]);
    assert_eq!(link.on(Input::SnapshotTaken, 50.0, 0.0), [OpenStream]);
}

#[test]
fn a_stream_that_misses_a_heartbeat_is_not_called_live() {
    let mut link = live();
    link.on(Input::Word, 2_000.0, 0.0);
    assert_eq!((link.shown(4_900.0), link.fresh(4_900.0)), (Shown::Live, true));
    assert_eq!(link.on(Input::Tick, 5_000.0, 0.0), []);
    assert_eq!((link.shown(5_000.0), link.fresh(5_000.0)), (Shown::Silent { age: 3_000.0 }, false));
    link.on(Input::Word, 5_900.0, 0.0);
    assert_eq!((link.shown(5_900.0), link.fresh(5_900.0)), (Shown::Live, true));
}

#[test]
fn silence_of_two_beats_is_a_dead_stream() {
    let mut link = live();
    link.on(Input::Word, 2_000.0, 0.0);
    assert_eq!(link.on(Input::Tick, 5_999.0, 0.0), []);
    assert_eq!(link.on(Input::Tick, 6_001.0, 0.0), [CloseStream, OpenStream]);
    assert!(matches!(link.shown(6_001.0), Shown::Reconnecting { age: 4_001.0, .. }));
    assert!(!link.fresh(6_001.0));
}

#[test]
fn a_poll_that_is_not_answered_leaves_the_data_stale() {
    let link = polling();
    assert!(link.fresh(8_100.0));
    assert_eq!((link.shown(8_300.0), link.fresh(8_300.0)), (Shown::Silent { age: 4_100.0 }, false));
}

#[test]
fn a_cut_that_is_mended_before_a_heartbeat_is_missed_is_not_shown() {
    let mut link = live();
    link.on(Input::Word, 15_000.0, 0.0);
    assert_eq!(link.on(Input::StreamFailed, 15_100.0, 1.0), [Wake { after: 500.0 }]);
    assert_eq!((link.shown(15_100.0), link.fresh(15_100.0)), (Shown::Live, true));
    assert_eq!(link.on(Input::Tick, 15_600.0, 0.0), [OpenStream]);
    assert_eq!(link.shown(15_610.0), Shown::Live);
    assert_eq!(link.on(HELLO, 15_650.0, 0.0), []);
    assert_eq!(link.shown(15_650.0), Shown::Live);
}

#[test]
fn a_cut_is_shown_as_soon_as_a_heartbeat_is_missed() {
    let mut link = live();
    link.on(Input::Word, 15_000.0, 0.0);
    link.on(Input::StreamFailed, 15_100.0, 1.0);
    link.on(Input::Tick, 15_600.0, 0.0);
    // The server does not answer.
    assert_eq!(link.shown(17_499.0), Shown::Live);
    assert!(matches!(link.shown(17_501.0), Shown::Reconnecting { .. }) && !link.fresh(17_501.0));
    // A page that was never connected is not live, and neither is one with a gap.
    let mut link = started();
    link.on(Input::StreamFailed, 1_050.0, 0.0);
    assert!(matches!(link.shown(1_060.0), Shown::Reconnecting { .. }));
    let mut link = live();
    link.on(Input::Lost, 1_200.0, 0.0);
    link.on(Input::SnapshotFailed, 1_250.0, 0.0);
    assert!(matches!(link.shown(1_260.0), Shown::Reconnecting { .. }));
}

#[test]
fn a_mute_stream_is_replaced_by_polling_only_when_a_poll_is_answered() {
    let mut link = started();
    assert_eq!(link.on(Input::Tick, 3_500.0, 0.0), []);
    assert_eq!(link.on(Input::Tick, 4_001.0, 0.0), [CloseStream, Poll { after: 0.0 }]);
    assert_eq!(link.shown(4_001.0), Shown::Connecting);
    link.on(Input::PollAnswered { events: false }, 14_000.0, 0.0);
    assert_eq!(link.shown(14_000.0), Shown::Polling { why: Why::Mute });
}

#[test]
fn two_streams_that_break_lead_to_polling() {
    let mut link = started();
    assert_eq!(link.on(Input::StreamFailed, 1_050.0, 0.0), [Wake { after: 250.0 }]);
    assert_eq!(link.on(Input::Tick, 1_300.0, 0.0), [OpenStream]);
    assert_eq!(link.on(Input::StreamFailed, 1_310.0, 0.0), [Poll { after: 0.0 }]);
    link.on(Input::PollAnswered { events: false }, 1_320.0, 0.0);
    assert_eq!(link.shown(1_320.0), Shown::Polling { why: Why::Breaks });
}

#[test]
fn polling_tries_the_stream_every_minute_and_leaves_for_it() {
    let mut link = polling();
    assert_eq!(link.on(Input::Tick, 60_000.0, 0.0), [StopPoll, Wake { after: 250.0 }]);
    // That poll took too long. With answers, in between:
    let mut link = polling();
    link.on(Input::PollAnswered { events: false }, 60_000.0, 0.0);
    assert_eq!(link.on(Input::Tick, 64_200.0, 0.0), [OpenStream]);
    // Still mute: give up until the next minute, and continue polling.
    assert_eq!(link.on(Input::Tick, 67_300.0, 0.0), [CloseStream]);
    link.on(Input::PollAnswered { events: false }, 120_000.0, 0.0);
    assert_eq!(link.on(Input::Tick, 127_400.0, 0.0), [OpenStream]);
    assert_eq!(link.on(HELLO, 127_500.0, 0.0), [StopPoll]);
    assert_eq!(link.shown(127_500.0), Shown::Live);
}

#[test]
fn empty_polls_that_come_at_once_do_not_become_a_storm() {
    let mut link = polling();
    assert_eq!(link.on(Input::PollAnswered { events: false }, 4_210.0, 0.0), [Poll { after: 990.0 }]);
}

#[test]
fn pauses_grow_to_thirty_seconds_and_never_end() {
    let mut link = live();
    let mut now = 10_000.0;
    let mut pauses = vec![];
    link.on(Input::StreamFailed, now, 1.0);
    for _ in 0..60 {
        let Mode::Waiting { until } = link.mode else { panic!("{:?}", link.mode) };
        pauses.push(until - now);
        now = until;
        // Neither transport is answered.
        while !matches!(link.mode, Mode::Waiting { until } if until > now) {
            let input = match link.mode {
                Mode::Waiting { .. } => Input::Tick,
                Mode::Connecting { .. } => Input::StreamFailed,
                Mode::Polling { .. } => Input::PollFailed,
                _ => Input::SnapshotFailed,
            };
            link.on(input, now, 1.0);
        }
    }
    assert_eq!(pauses[..4], [500.0, 1_000.0, 2_000.0, 4_000.0]);
    assert!(pauses[8..].iter().all(|p| *p == 30_000.0), "{pauses:?}");
    assert!(matches!(link.shown(now), Shown::Away { since, .. } if since == 1_100.0));
}

#[test]
fn another_life_of_the_server_means_a_new_snapshot() {
    let mut link = live();
    link.on(Input::StreamFailed, 2_000.0, 0.0);
    link.on(Input::Tick, 2_300.0, 0.0);
    let hello = Input::Hello { beat_seconds: 2.0, same_server: false };
    assert_eq!(link.on(hello, 2_400.0, 0.0), [CloseStream, TakeSnapshot]);
    assert_eq!(link.on(Input::SnapshotTaken, 2_450.0, 0.0), [OpenStream]);
}

#[test]
fn a_loss_right_after_a_loss_is_met_with_a_pause() {
    let mut link = live();
    assert_eq!(link.on(Input::Lost, 5_000.0, 0.0), [CloseStream, TakeSnapshot]);
    link.on(Input::SnapshotTaken, 5_100.0, 0.0);
    link.on(HELLO, 5_200.0, 0.0);
    assert_eq!(link.on(Input::Lost, 5_300.0, 0.0), [CloseStream, Wake { after: 250.0 }]);
    assert_eq!(link.on(Input::Tick, 5_550.0, 0.0), [TakeSnapshot]);
}

#[test]
fn a_person_need_not_wait_for_the_pause_to_end() {
    let mut link = live();
    link.on(Input::StreamFailed, 2_000.0, 1.0);
    assert_eq!(link.on(Input::Nudge, 2_100.0, 0.0), [OpenStream]);
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
    fn something_is_always_under_way(
        steps in proptest::collection::vec((0u8..12, 0.0f64..20_000.0, 0.0f64..1.0), 1..200),
        seeded: bool,
    ) {
        let mut link = Link::default();
        let mut world = World::default();
        let mut now = 1_000.0;
        world.obey(&link.on(Input::Start { seeded, heard: now }, now, 0.0))?;
        for (what, later, chance) in steps {
            now += later;
            // Only what is in flight can send an input.
            let input = match what {
                0 if world.stream => Input::Hello { beat_seconds: 2.0, same_server: chance > 0.2 },
                1 | 2 if world.stream => Input::Word,
                3 if world.stream => { world.stream = false; Input::StreamFailed }
                4 if world.poll => { world.poll = false; Input::PollAnswered { events: chance > 0.5 } }
                5 if world.poll => { world.poll = false; Input::PollFailed }
                6 if world.stream || world.poll => Input::Lost,
                7 if world.snapshot => { world.snapshot = false; Input::SnapshotTaken }
                8 if world.snapshot => { world.snapshot = false; Input::SnapshotFailed }
                9 => Input::Nudge,
                _ => Input::Tick,
            };
            world.obey(&link.on(input, now, chance))?;
            let waiting = matches!(link.mode, Mode::Waiting { .. });
            prop_assert!(world.stream || world.poll || world.snapshot || waiting, "{:?} {:?}", link, world);
            if link.mode == Mode::Live {
                prop_assert!(world.stream && !world.poll && !world.snapshot);
            }
        }
    }
}
