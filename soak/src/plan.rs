//! What a storm does and when: the words for it. It is drawn from a seed.

mod draw;

use serde::{Deserialize, Serialize};

/// Hosts of a storm.
pub const HOSTS: usize = 3;
/// Operations that each of them runs at once.
pub const CAPACITY: u32 = 4;

/// A cancel on a full disk comes within this.
pub const MAX_CANCEL_ON_FULL_DISK_MS: u64 = 1_500;

/// One storm: faults and a person's acts, each at a moment, in order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Storm {
    pub seed: u64,
    /// From 1.
    pub number: u32,
    pub weather: Weather,
    /// Everything comes thick and fast, and the work is short.
    pub hurried: bool,
    /// How long it blows.
    pub burst_ms: u64,
    pub faults: Vec<Planned<Fault>>,
    pub acts: Vec<Planned<Act>>,
}

impl Storm {
    /// Clocks jump in it: what compares moments of two clocks says nothing then.
    pub fn moves_clocks(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.what, Fault::ClockJump { .. }))
    }
}

/// Which faults there are in a storm.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weather {
    /// Everything.
    Mixed,
    /// Processes are killed and paused; lines hold.
    Processes,
    /// Lines are bad; processes live.
    Lines,
    /// Nothing goes wrong: what is measured here is without excuse.
    Fair,
}

/// Something at a moment of the burst.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Planned<T> {
    pub at_ms: u64,
    pub what: T,
}

/// Something that goes wrong. `host` counts from 0.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    KillServer {
        down_ms: u64,
    },
    /// A polite restart.
    RestartServer {
        down_ms: u64,
    },
    PauseServer {
        ms: u64,
    },
    KillHost {
        host: usize,
        down_ms: u64,
    },
    RestartHost {
        host: usize,
        down_ms: u64,
    },
    PauseHost {
        host: usize,
        ms: u64,
    },
    /// The line between server and host is bad for a while.
    BadLine {
        host: usize,
        how: BadLine,
        ms: u64,
    },
    /// Every connection to the host is cut, once.
    Cut {
        host: usize,
    },
    /// The host gets starts and cancels a second time that it has answered before.
    Replay {
        host: usize,
        requests: usize,
    },
    /// Nothing more can be written where the server's database is.
    FullDisk {
        ms: u64,
    },
    /// A wall clock is set so many seconds ahead, or back when negative, and after a while set right: two jumps.
    ClockJump {
        whose: Whose,
        ahead: i64,
        ms: u64,
    },
}

/// Which process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    Server,
    Host(usize),
}

/// In which way a line is bad.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadLine {
    /// Each piece takes so much longer.
    Slow { ms: u64 },
    /// Nothing passes to the host (`up`), from it (`down`), or both; connections stay open.
    Silent { up: bool, down: bool },
    /// New connections are closed at once.
    Refusing,
    /// Of an answer only so many bytes come, then its connection is cut.
    Short { bytes: usize },
    /// Starts take so much longer to the host than everything else: a cancel overtakes them.
    HeldStarts { ms: u64 },
}

/// What a person does. `pick` chooses among what is there at that moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Start {
        work: Count,
    },
    /// The same start from two connections at once, under one key.
    StartTwice {
        work: Count,
    },
    /// Sends a start again that was answered before, under its key.
    StartAgain {
        pick: u64,
    },
    Cancel {
        pick: u64,
    },
    /// Starts something and cancels it within milliseconds of the answer.
    CancelAtStart {
        work: Count,
        after_ms: u64,
    },
    /// Starts a sweep of so many runs, and cancels it after a while.
    Sweep {
        work: Count,
        runs: u64,
        cancel_after_ms: u64,
    },
    CancelTwice {
        pick: u64,
    },
    /// Wants another attempt as soon as the cancelled one lets it.
    CancelThenRetry {
        pick: u64,
    },
    CancelQueue,
    Retry {
        pick: u64,
    },
    Resume {
        pick: u64,
    },
    /// Gives up what can't be heard, and tries it again at once.
    AbandonThenRetry {
        pick: u64,
    },
    /// Deletes something that has ended.
    Delete {
        pick: u64,
    },
    /// Deletes something that has ended, and tries it again in the same moment: one of the two is refused.
    DeleteAndRetry {
        pick: u64,
    },
    /// Deletes everything that was cancelled.
    DeleteCancelled,
}

/// The params of `soak.count`, and of `training.run` under a sweep, without their mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Count {
    pub steps: u64,
    pub step_ms: u64,
    pub outcome: Outcome,
    /// A checkpoint after so many steps; 0 for none.
    pub checkpoint_every: u64,
    /// After a cancel it takes so long to stop.
    pub linger_ms: u64,
    /// Works on a thread of its own, which nobody can abort.
    pub on_thread: bool,
    pub priority: i8,
}

/// How a count is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Succeed,
    Fail,
    Panic,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn storms_have_cancels_within_a_start_and_under_a_silent_host_and_on_a_full_disk() {
        let storms: Vec<Storm> = (1..=100).map(|number| Storm::of(7, number)).collect();
        let acts =
            |storm: &Storm, is: fn(&Act) -> bool| storm.acts.iter().filter(|act| is(&act.what)).count();
        assert!(storms.iter().all(|storm| acts(storm, |act| matches!(act, Act::CancelAtStart { .. })) > 3));
        let mut silent_sweeps = 0;
        for storm in storms.iter().filter(|storm| matches!(storm.weather, Weather::Mixed | Weather::Lines)) {
            let is_held = |fault: &Planned<Fault>| {
                matches!(fault.what, Fault::BadLine { how: BadLine::HeldStarts { .. }, .. })
            };
            assert!(storm.faults.iter().any(is_held), "starts are held in storm {}", storm.number);
            silent_sweeps += acts(storm, |act| matches!(act, Act::Sweep { .. }));
        }
        assert!(silent_sweeps > 20, "{silent_sweeps}");
        for storm in &storms {
            for Planned { at_ms, what } in &storm.faults {
                let Fault::FullDisk { ms } = what else { continue };
                let until = at_ms + ms.min(&MAX_CANCEL_ON_FULL_DISK_MS);
                let while_full = |act: &&Planned<Act>| {
                    (*at_ms..until).contains(&act.at_ms) && matches!(act.what, Act::Cancel { .. })
                };
                assert!(until > storm.burst_ms || storm.acts.iter().any(|act| while_full(&act)), "{at_ms}");
            }
        }
    }

    #[test]
    fn there_are_storms_with_jumping_clocks_and_storms_without() {
        let wild = (1..=100).map(|number| Storm::of(7, number)).filter(|s| s.weather != Weather::Fair);
        let (with, without): (Vec<Storm>, Vec<Storm>) = wild.partition(Storm::moves_clocks);
        assert!(with.len() > 20 && without.len() > 20, "{} with, {} without", with.len(), without.len());
        let jumps = with.iter().flat_map(|storm| &storm.faults);
        let ways: std::collections::HashSet<(bool, bool)> = jumps
            .filter_map(|fault| match fault.what {
                Fault::ClockJump { whose, ahead, .. } => Some((whose == Whose::Server, ahead > 0)),
                _ => None,
            })
            .collect();
        assert_eq!(ways.len(), 4, "of the server and of hosts, forwards and backwards: {ways:?}");
    }

    proptest! {
        #[test]
        fn a_seed_gives_the_same_storm_again(seed: u64, number in 1u32..1_000) {
            prop_assert_eq!(Storm::of(seed, number), Storm::of(seed, number));
        }

        #[test]
        fn another_seed_or_number_gives_another_storm(seed: u64, number in 1u32..1_000) {
            let storm = Storm::of(seed, number);
            prop_assert_ne!(&storm.acts, &Storm::of(seed, number + 1).acts);
            prop_assert_ne!(&storm.acts, &Storm::of(seed.wrapping_add(1), number).acts);
        }

        #[test]
        fn what_is_planned_is_in_order_and_within_the_burst(seed: u64, number in 1u32..100) {
            let storm = Storm::of(seed, number);
            let faults: Vec<u64> = storm.faults.iter().map(|f| f.at_ms).collect();
            let acts: Vec<u64> = storm.acts.iter().map(|a| a.at_ms).collect();
            for moments in [faults, acts] {
                prop_assert!(moments.is_sorted() && moments.iter().all(|at| *at < storm.burst_ms));
            }
            prop_assert_eq!(storm.weather == Weather::Fair, storm.faults.is_empty());
        }

        #[test]
        fn clocks_jump_by_a_second_at_least_and_an_hour_at_most(seed: u64, number in 1u32..100) {
            for Planned { what, .. } in Storm::of(seed, number).faults {
                if let Fault::ClockJump { ahead, .. } = what {
                    prop_assert!((1..=3_600).contains(&ahead.abs()));
                }
            }
        }

        #[test]
        fn a_storm_reads_back_from_its_evidence(seed: u64) {
            let storm = Storm::of(seed, 1);
            let text = serde_json::to_string(&storm).unwrap();
            prop_assert_eq!(serde_json::from_str::<Storm>(&text).unwrap(), storm);
        }
    }
}
