//! Fault schedule: faults and user actions with their times, drawn from a seed.

mod draw;

use serde::{Deserialize, Serialize};

/// Number of hosts.
pub const HOSTS: usize = 3;
/// Slots of each host.
pub const CAPACITY: u32 = 4;

/// Latest cancel after a disk became full.
pub const MAX_CANCEL_ON_FULL_DISK_MS: u64 = 1_500;

/// Faults and actions of the simulated user, in order of time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Schedule {
    pub seed: u64,
    /// Number of the schedule, from 1.
    pub number: u32,
    pub profile: Profile,
    /// Faults and actions come several times as fast, and most work is short.
    pub rapid: bool,
    /// Duration of the phase with faults.
    pub duration_ms: u64,
    pub faults: Vec<Planned<Fault>>,
    pub actions: Vec<Planned<Action>>,
}

impl Schedule {
    /// Whether clocks jump, so that times of two clocks can't be compared.
    pub fn moves_clocks(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.what, Fault::ClockJump { .. }))
    }
}

/// Kinds of faults in a schedule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// All faults.
    Mixed,
    /// Processes are killed and paused; connections are good.
    Processes,
    /// Connections are bad; processes keep running.
    Connections,
    /// No faults.
    #[serde(rename = "none")]
    NoFaults,
}

/// Fault or action with its time within the schedule.
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
    Connection {
        host: usize,
        how: ConnectionFault,
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
        owner: ClockOwner,
        ahead: i64,
        ms: u64,
    },
}

/// Process whose clock jumps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockOwner {
    Server,
    Host(usize),
}

/// Type of a bad connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionFault {
    /// Delays each chunk.
    Slow { ms: u64 },
    /// Passes nothing to the host (`up`), from it (`down`), or both; connections stay open.
    Silent { up: bool, down: bool },
    /// Closes new connections at once.
    Refused,
    /// Truncates a response after some bytes and cuts its connection.
    Truncated { bytes: usize },
    /// Delays only starts, so that a cancel overtakes them.
    DelayedStarts { ms: u64 },
}

/// Action of the simulated user. `pick` chooses among the operations that exist at that time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
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
    fn schedules_have_cancels_within_a_start_and_under_a_silent_host_and_on_a_full_disk() {
        let schedules: Vec<Schedule> = (1..=100).map(|number| Schedule::of(7, number)).collect();
        let actions = |schedule: &Schedule, is: fn(&Action) -> bool| {
            schedule.actions.iter().filter(|action| is(&action.what)).count()
        };
        assert!(
            schedules
                .iter()
                .all(
                    |schedule| actions(schedule, |action| matches!(action, Action::CancelAtStart { .. })) > 3
                )
        );
        let mut silent_sweeps = 0;
        for schedule in schedules
            .iter()
            .filter(|schedule| matches!(schedule.profile, Profile::Mixed | Profile::Connections))
        {
            let is_held = |fault: &Planned<Fault>| {
                matches!(fault.what, Fault::Connection { how: ConnectionFault::DelayedStarts { .. }, .. })
            };
            assert!(schedule.faults.iter().any(is_held), "starts are held in schedule {}", schedule.number);
            silent_sweeps += actions(schedule, |action| matches!(action, Action::Sweep { .. }));
        }
        assert!(silent_sweeps > 20, "{silent_sweeps}");
        for schedule in &schedules {
            for Planned { at_ms, what } in &schedule.faults {
                let Fault::FullDisk { ms } = what else { continue };
                let until = at_ms + ms.min(&MAX_CANCEL_ON_FULL_DISK_MS);
                let while_full = |action: &&Planned<Action>| {
                    (*at_ms..until).contains(&action.at_ms) && matches!(action.what, Action::Cancel { .. })
                };
                assert!(
                    until > schedule.duration_ms || schedule.actions.iter().any(|action| while_full(&action)),
                    "{at_ms}"
                );
            }
        }
    }

    #[test]
    fn there_are_schedules_with_and_without_clock_jumps() {
        let wild = (1..=100).map(|number| Schedule::of(7, number)).filter(|s| s.profile != Profile::NoFaults);
        let (with, without): (Vec<Schedule>, Vec<Schedule>) = wild.partition(Schedule::moves_clocks);
        assert!(with.len() > 20 && without.len() > 20, "{} with, {} without", with.len(), without.len());
        let jumps = with.iter().flat_map(|schedule| &schedule.faults);
        let ways: std::collections::HashSet<(bool, bool)> = jumps
            .filter_map(|fault| match fault.what {
                Fault::ClockJump { owner, ahead, .. } => Some((owner == ClockOwner::Server, ahead > 0)),
                _ => None,
            })
            .collect();
        assert_eq!(ways.len(), 4, "of the server and of hosts, forwards and backwards: {ways:?}");
    }

    proptest! {
        #[test]
        fn a_seed_gives_the_same_schedule_again(seed: u64, number in 1u32..1_000) {
            prop_assert_eq!(Schedule::of(seed, number), Schedule::of(seed, number));
        }

        #[test]
        fn another_seed_or_number_gives_another_schedule(seed: u64, number in 1u32..1_000) {
            let schedule = Schedule::of(seed, number);
            prop_assert_ne!(&schedule.actions, &Schedule::of(seed, number + 1).actions);
            prop_assert_ne!(&schedule.actions, &Schedule::of(seed.wrapping_add(1), number).actions);
        }

        #[test]
        fn faults_and_actions_are_in_order_and_within_the_duration(seed: u64, number in 1u32..100) {
            let schedule = Schedule::of(seed, number);
            let faults: Vec<u64> = schedule.faults.iter().map(|f| f.at_ms).collect();
            let actions: Vec<u64> = schedule.actions.iter().map(|a| a.at_ms).collect();
            for driver_clock in [faults, actions] {
                prop_assert!(driver_clock.is_sorted() && driver_clock.iter().all(|at| *at < schedule.duration_ms));
            }
            prop_assert_eq!(schedule.profile == Profile::NoFaults, schedule.faults.is_empty());
        }

        #[test]
        fn clocks_jump_by_a_second_at_least_and_an_hour_at_most(seed: u64, number in 1u32..100) {
            for Planned { what, .. } in Schedule::of(seed, number).faults {
                if let Fault::ClockJump { ahead, .. } = what {
                    prop_assert!((1..=3_600).contains(&ahead.abs()));
                }
            }
        }

        #[test]
        fn a_schedule_survives_serialization(seed: u64) {
            let schedule = Schedule::of(seed, 1);
            let text = serde_json::to_string(&schedule).unwrap();
            prop_assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
        }
    }
}
