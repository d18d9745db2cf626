//! Checks that the reason of a failure can be true: a host that was silent or restarted, or lost an attempt, must have
//! had a fault in the driver's records.

use super::{Promise, Violation};
use protocol::api::OperationDetail;
use protocol::{FailureReason, HostName, OperationId, Time};
use std::collections::{BTreeMap, HashSet};

/// Silence after which the server gives up a host.
pub const LOST_AFTER: i64 = 6_000_000;
/// Time from the end of a fault until the server has reconnected: its pauses between tries are up to 3 s.
const MEETING: i64 = 4_000_000;

/// Possible error of a host's time when converted to the server's clock; see `runs`.
const CLOCKS: i64 = 1_000_000;

/// Name of the server in the records: while it is down, it may miss reports of hosts.
pub const SERVER: &str = "server";
/// Name of the host inside the server.
pub const SWEEPS: &str = "sweeps";

/// Fault that the driver injected into a host or its connection.
#[derive(Clone, PartialEq, Debug)]
pub struct Trouble {
    pub host: HostName,
    pub from: Time,
    /// `None` while it lasts.
    pub to: Option<Time>,
    /// Whether the process ended: killed or stopped gracefully.
    pub restart: bool,
}

/// Finds failures whose reason no fault explains. Skips attempts in `adrift`: the server's times of these can't be
/// compared with the driver's.
pub fn check(
    details: &BTreeMap<OperationId, OperationDetail>,
    troubles: &[Trouble],
    adrift: &HashSet<(OperationId, u32)>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for (id, detail) in details {
        for attempt in detail.attempts.iter().filter(|a| !adrift.contains(&(*id, a.number))) {
            let (Some(failure), Some(host)) = (&attempt.failure, &attempt.host) else { continue };
            let Some(ended) = attempt.ended_at else { continue };
            let mut on_it =
                troubles.iter().filter(|t| t.host == *host && t.from <= ended.plus_micros(CLOCKS));
            // A host keeps its reports for a while, so an end is missed only if host or server had a fault meanwhile.
            let mut missed = troubles.iter().filter(|t| {
                (t.host == *host || t.host.as_str() == SERVER) && t.from <= ended.plus_micros(CLOCKS)
            });
            let borne_out = match failure.reason {
                FailureReason::HostSilent => {
                    let since = ended.plus_micros(-LOST_AFTER - MEETING);
                    on_it.any(|t| t.to.is_none_or(|to| to >= since))
                }
                FailureReason::HostRestarted | FailureReason::HostStopped => {
                    let since = attempt.created_at.plus_micros(-MEETING);
                    on_it.any(|t| t.restart && t.to.is_none_or(|to| to >= since))
                }
                FailureReason::HostLost => {
                    let since = attempt.created_at.plus_micros(-MEETING);
                    missed.any(|t| t.to.is_none_or(|to| to >= since))
                }
                _ => true,
            };
            if !borne_out {
                let what = format!(
                    "attempt {} failed at {ended} as {:?} on {host}, but that host and its connection had no fault: {}",
                    attempt.number, failure.reason, failure.message
                );
                found.push(Violation::of(Promise::ReasonsAreTrue, *id, what));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::made::{at, attempt, failure, operation};
    use super::*;
    use protocol::{Attempt, State};

    const MAX_ENDED_GAP_MICROS: i64 = 60_000_000;

    fn found(reason: FailureReason, troubles: &[Trouble]) -> usize {
        found_if(reason, troubles, false)
    }

    fn found_if(reason: FailureReason, troubles: &[Trouble], adrift: bool) -> usize {
        let id = OperationId::new();
        let failed = Attempt {
            failure: Some(failure(reason)),
            host: Some("soak-1".parse().unwrap()),
            ended_at: Some(at(MAX_ENDED_GAP_MICROS)),
            ..attempt(1, State::Failed)
        };
        let operation = operation(id, State::Failed, 1);
        let detail = OperationDetail {
            operation,
            attempts: vec![failed],
            result: None,
            series: vec![],
            audit: vec![],
            seq: 1,
        };
        let adrift = adrift.then_some((id, 1)).into_iter().collect();
        check(&BTreeMap::from([(id, detail)]), troubles, &adrift).len()
    }

    fn trouble(host: &str, from: i64, to: i64, restart: bool) -> Trouble {
        Trouble { host: host.parse().unwrap(), from: at(from), to: Some(at(to)), restart }
    }

    #[test]
    fn a_silence_without_trouble_on_that_host_is_found() {
        let silent = FailureReason::HostSilent;
        assert_eq!(found(silent, &[]), 1);
        assert_eq!(
            found(
                silent,
                &[trouble("soak-2", MAX_ENDED_GAP_MICROS - 8_000_000, MAX_ENDED_GAP_MICROS, false)]
            ),
            1
        );
        assert_eq!(
            found(silent, &[trouble("soak-1", 0, MAX_ENDED_GAP_MICROS - LOST_AFTER - MEETING - 1, false)]),
            1
        );
        assert_eq!(
            found(
                silent,
                &[trouble("soak-1", MAX_ENDED_GAP_MICROS - 8_000_000, MAX_ENDED_GAP_MICROS - 1, false)]
            ),
            0
        );
        assert_eq!(found(FailureReason::Work, &[]), 0);
        assert_eq!(found_if(silent, &[], true), 0, "its times are of a clock that jumped");
    }

    #[test]
    fn a_loss_without_trouble_of_that_host_or_of_the_server_is_found() {
        let lost = FailureReason::HostLost;
        assert_eq!(found(lost, &[]), 1);
        assert_eq!(found(lost, &[trouble("soak-2", 1, MAX_ENDED_GAP_MICROS, true)]), 1);
        assert_eq!(
            found(
                lost,
                &[trouble(
                    "soak-1",
                    MAX_ENDED_GAP_MICROS + CLOCKS + 1,
                    MAX_ENDED_GAP_MICROS + CLOCKS + 2,
                    false
                )]
            ),
            1
        );
        assert_eq!(found(lost, &[trouble("soak-1", 1, MAX_ENDED_GAP_MICROS - 1, false)]), 0);
        assert_eq!(found(lost, &[trouble(SERVER, 1, MAX_ENDED_GAP_MICROS - 1, false)]), 0);
    }

    #[test]
    fn a_restart_that_never_was_is_found() {
        let restarted = FailureReason::HostRestarted;
        assert_eq!(found(restarted, &[trouble("soak-1", 1, MAX_ENDED_GAP_MICROS - 1, false)]), 1);
        assert_eq!(
            found(
                restarted,
                &[trouble(
                    "soak-1",
                    MAX_ENDED_GAP_MICROS + CLOCKS + 1,
                    MAX_ENDED_GAP_MICROS + CLOCKS + 2,
                    true
                )]
            ),
            1
        );
        assert_eq!(found(restarted, &[trouble("soak-1", 1, MAX_ENDED_GAP_MICROS - 1, true)]), 0);
    }
}
