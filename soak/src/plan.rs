//! Plan of a storm: faults and actions with their times, drawn from a seed.

mod draw;

use serde::{Deserialize, Serialize};

/// Number of hosts.
pub const HOSTS: usize = 3;
/// Slots of each host.
pub const CAPACITY: u32 = 4;

/// Latest cancel after a disk became full.
pub const MAX_CANCEL_ON_FULL_DISK_MS: u64 = 1_500;

/// Storm: faults and actions of the simulated user, in order of time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Storm {
    pub seed: u64,
    /// Number of the storm, from 1.
    pub number: u32,
    pub weather: Weather,
    /// Faults and actions come in quick succession, and most work is short.
    pub hurried: bool,
    /// Duration of the phase with faults.
    pub burst_ms: u64,
    pub faults: Vec<Planned<Fault>>,
    pub acts: Vec<Planned<Act>>,
}

impl Storm {
    /// Whether clocks jump, so that times of two clocks can't be compared.
    pub fn moves_clocks(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.what, Fault::ClockJump { .. }))
    }
}

/// Types of faults in a storm.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weather {
    /// All faults.
    Mixed,
    /// Processes are killed and paused; connections are good.
    Processes,
    /// Connections are bad; processes keep running.
    Lines,
    /// No faults.
    Fair,
}

/// Fault or action with its time within the storm.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Planned<T> {
    pub at_ms: u64,
    pub what: T,
}

/// Fault. `host` counts from 0.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    KillServer {
        down_ms: u64,
    },
    /// Graceful restart.
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
    /// Bad connection between server and host.
    BadLine {
        host: usize,
        how: BadLine,
        ms: u64,
    },
    /// All connections to the host are cut once.
    Cut {
        host: usize,
    },
    /// Repetition of starts and cancels that the host has accepted before.
    Replay {
        host: usize,
        requests: usize,
    },
    /// Full disk of the server's database.
    FullDisk {
        ms: u64,
    },
    /// Two jumps of a wall clock: set ahead by some seconds (back if negative), and corrected later.
    ClockJump {
        whose: Whose,
        ahead: i64,
        ms: u64,
    },
}

/// Process whose clock jumps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    Server,
    Host(usize),
}

/// Type of a bad connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadLine {
    /// Delays each chunk.
    Slow { ms: u64 },
    /// Passes nothing to the host (`up`), from it (`down`), or both; connections stay open.
    Silent { up: bool, down: bool },
    /// Closes new connections at once.
    Refusing,
    /// Truncates a response after some bytes and cuts its connection.
    Short { bytes: usize },
    /// Delays only starts, so that a cancel overtakes them.
    HeldStarts { ms: u64 },
}

/// Action of the simulated user. `pick` chooses among the operations that exist at that time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    Start {
        work: Count,
    },
    /// The same start on two connections at once, with one key.
    StartTwice {
        work: Count,
    },
    /// Repeats an answered start with its key.
    StartAgain {
        pick: u64,
    },
    Cancel {
        pick: u64,
    },
    /// Starts an operation and cancels it within milliseconds of the response.
    CancelAtStart {
        work: Count,
        after_ms: u64,
    },
    /// Starts a sweep and cancels it later.
    Sweep {
        work: Count,
        runs: u64,
        cancel_after_ms: u64,
    },
    CancelTwice {
        pick: u64,
    },
    /// Cancels an operation and retries it as soon as possible.
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
    /// Abandons an operation on an unreachable host and retries it at once.
    AbandonThenRetry {
        pick: u64,
    },
    /// Deletes an ended operation.
    Delete {
        pick: u64,
    },
    /// Deletes an ended operation and retries it at the same time; one of the two is refused.
    DeleteAndRetry {
        pick: u64,
    },
    /// Deletes all cancelled operations.
    DeleteCancelled,
}

/// Parameters of `soak.count`, and of `training.run` in a sweep, without the mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Count {
    pub steps: u64,
    pub step_ms: u64,
    pub outcome: Outcome,
    /// Steps between checkpoints; 0 for none.
    pub checkpoint_every: u64,
    /// Time it takes to stop after a cancel.
    pub linger_ms: u64,
    /// Runs on a thread, which can't be aborted.
    pub on_thread: bool,
    pub priority: i8,
}

/// Configured outcome of a count.
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
