//! Checks that the reason of a failure can be true: a host that was silent or restarted, or lost an attempt, must have
//! had a fault in the driver's records.

use super::{Promise, Violation};
use protocol::api::OperationDetail;
use protocol::{FailureReason, HostName, OperationId, Time};
use std::collections::{BTreeMap, HashSet};

/// Silence after which the server gives up a host.
pub const LOST_AFTER_MICROS: i64 = 6_000_000;
/// Time from the end of a fault until the server has reconnected: its pauses between tries are up to 3 s.
const RECONNECT_MICROS: i64 = 4_000_000;

/// Possible error of a host's time when converted to the server's clock; see `runs`.
const MAX_CLOCK_ERROR_MICROS: i64 = 1_000_000;

/// Name of the server in the records: while it is down, it may miss reports of hosts.
pub const SERVER: &str = "server";
/// Name of the host inside the server.
pub const SWEEPS: &str = "sweeps";

/// Fault that the driver injected into a host or its connection.
#[derive(Clone, PartialEq, Debug)]
pub struct InjectedFault {
    pub host: HostName,
    pub from: Time,
    /// `None` while it lasts.
    pub to: Option<Time>,
    /// Whether the process ended: killed or stopped gracefully.
    pub restart: bool,
}

/// Finds failures whose reason no fault explains. Skips attempts in `clock_jumped`: the server's times of these can't
/// be compared with the driver's.
pub fn check(
    details: &BTreeMap<OperationId, OperationDetail>,
    injected_faults: &[InjectedFault],
    clock_jumped: &HashSet<(OperationId, u32)>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for (id, detail) in details {
        for attempt in detail.attempts.iter().filter(|a| !clock_jumped.contains(&(*id, a.number))) {
            let (Some(failure), Some(host)) = (&attempt.failure, &attempt.host) else { continue };
            let Some(ended) = attempt.ended_at else { continue };
            let mut on_host = injected_faults
                .iter()
                .filter(|t| t.host == *host && t.from <= ended.plus_micros(MAX_CLOCK_ERROR_MICROS));
            // A host keeps its reports for a while, so an end is missed only if host or server had a fault meanwhile.
            let mut missed = injected_faults.iter().filter(|t| {
                (t.host == *host || t.host.as_str() == SERVER)
                    && t.from <= ended.plus_micros(MAX_CLOCK_ERROR_MICROS)
            });
            let explained = match failure.reason {
                FailureReason::HostSilent => {
                    let since = ended.plus_micros(-LOST_AFTER_MICROS - RECONNECT_MICROS);
                    on_host.any(|t| t.to.is_none_or(|to| to >= since))
                }
                FailureReason::HostRestarted | FailureReason::HostStopped => {
                    let since = attempt.created_at.plus_micros(-RECONNECT_MICROS);
                    on_host.any(|t| t.restart && t.to.is_none_or(|to| to >= since))
                }
                FailureReason::HostLost => {
                    let since = attempt.created_at.plus_micros(-RECONNECT_MICROS);
                    missed.any(|t| t.to.is_none_or(|to| to >= since))
                }
                _ => true,
            };
            if !explained {
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

    fn found(reason: FailureReason, injected_faults: &[InjectedFault]) -> usize {
        found_if(reason, injected_faults, false)
    }

    fn found_if(reason: FailureReason, injected_faults: &[InjectedFault], clock_jumped: bool) -> usize {
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
        let clock_jumped = clock_jumped.then_some((id, 1)).into_iter().collect();
        check(&BTreeMap::from([(id, detail)]), injected_faults, &clock_jumped).len()
    }

    fn injected(host: &str, from: i64, to: i64, restart: bool) -> InjectedFault {
        InjectedFault { host: host.parse().unwrap(), from: at(from), to: Some(at(to)), restart }
    }

    #[test]
    fn a_silence_without_a_fault_of_that_host_is_found() {
        let silent = FailureReason::HostSilent;
        assert_eq!(found(silent, &[]), 1);
        assert_eq!(
            found(
                silent,
                &[injected("soak-2", MAX_ENDED_GAP_MICROS - 8_000_000, MAX_ENDED_GAP_MICROS, false)]
            ),
            1
        );
        assert_eq!(
            found(
                silent,
                &[injected(
                    "soak-1",
                    0,
                    MAX_ENDED_GAP_MICROS - LOST_AFTER_MICROS - RECONNECT_MICROS - 1,
                    false
                )]
            ),
            1
        );
        assert_eq!(
            found(
                silent,
                &[injected("soak-1", MAX_ENDED_GAP_MICROS - 8_000_000, MAX_ENDED_GAP_MICROS - 1, false)]
            ),
            0
        );
        assert_eq!(found(FailureReason::Work, &[]), 0);
        assert_eq!(found_if(silent, &[], true), 0, "its times are of a clock that jumped");
    }

    #[test]
    fn a_loss_without_a_fault_of_host_or_server_is_found() {
        let lost = FailureReason::HostLost;
        assert_eq!(found(lost, &[]), 1);
        assert_eq!(found(lost, &[injected("soak-2", 1, MAX_ENDED_GAP_MICROS, true)]), 1);
        assert_eq!(
            found(
                lost,
                &[injected(
                    "soak-1",
                    MAX_ENDED_GAP_MICROS + MAX_CLOCK_ERROR_MICROS + 1,
                    MAX_ENDED_GAP_MICROS + MAX_CLOCK_ERROR_MICROS + 2,
                    false
                )]
            ),
            1
        );
        assert_eq!(found(lost, &[injected("soak-1", 1, MAX_ENDED_GAP_MICROS - 1, false)]), 0);
        assert_eq!(found(lost, &[injected(SERVER, 1, MAX_ENDED_GAP_MICROS - 1, false)]), 0);
    }

    #[test]
    fn a_restart_that_never_happened_is_found() {
        let restarted = FailureReason::HostRestarted;
        assert_eq!(found(restarted, &[injected("soak-1", 1, MAX_ENDED_GAP_MICROS - 1, false)]), 1);
        assert_eq!(
            found(
                restarted,
                &[injected(
                    "soak-1",
                    MAX_ENDED_GAP_MICROS + MAX_CLOCK_ERROR_MICROS + 1,
                    MAX_ENDED_GAP_MICROS + MAX_CLOCK_ERROR_MICROS + 2,
                    true
                )]
            ),
            1
        );
        assert_eq!(found(restarted, &[injected("soak-1", 1, MAX_ENDED_GAP_MICROS - 1, true)]), 0);
    }
}
