//! Records of the store besides the protocol's types, and how many of them are kept.

use protocol::{Attempt, Baseline, InstanceId, KindName, Operation, OperationId, State};
use std::time::Duration;

/// Number of hours for which tallies are kept.
pub const TALLY_HOURS: i64 = 32 * 24;

/// Number of the newest audit entries kept.
pub const AUDIT_CAPACITY: u32 = 1_000_000;

/// Number of deleted operations remembered of which something may still run.
pub const DELETED_OPERATIONS_CAPACITY: u32 = 10_000;

/// Number of keys of deleted operations that stay taken.
pub const DELETED_KEYS_CAPACITY: u32 = 10_000;

/// Number of runs kept per kind.
pub const RUNS: u32 = 200;

/// Number of the newest succeeded runs among which past runs are searched.
pub const MAX_PAST_RUNS_SEARCHED: u32 = 500;

/// Operation with its attempts, oldest first.
#[derive(Clone, PartialEq, Debug)]
pub struct Stored {
    pub operation: Operation,
    pub attempts: Vec<Attempt>,
}

/// Encrypted value of a secret parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecretParam {
    /// Name of the parameter.
    pub name: String,
    /// ID of the key that encrypted it.
    pub key: String,
    pub sealed: Vec<u8>,
}

/// Ended operation that is to be deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EndedOperation {
    pub id: OperationId,
    pub kind: KindName,
    /// Final state.
    pub state: State,
}

/// Page of operations, in the order of its filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub operations: Vec<Operation>,
    /// Value of [`Filter::after`](crate::Filter::after) for the next page.
    pub next: Option<OperationId>,
}

/// Position in a host's feed: everything up to `seq` of this process of the host is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostCursor {
    pub instance: InstanceId,
    pub seq: u64,
}

/// Run that succeeded in one attempt, with the accuracy of its forecasts.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Title of the operation; runs with the same title had similar parameters.
    pub title: String,
    pub seconds: f64,
    /// For each recorded forecast: the actual remaining time divided by the predicted one.
    pub ratios: Vec<f64>,
}

/// Number of attempts of a kind that ended in a state within an hour.
#[derive(Clone, PartialEq, Debug)]
pub struct Tally {
    /// Hours since 1970, UTC.
    pub hour: i64,
    pub kind: KindName,
    pub state: State,
    pub count: u64,
    /// Total duration.
    pub seconds: f64,
}

/// Query for past runs of a kind that succeeded and have a series.
#[derive(Clone, Copy, Debug)]
pub struct PastRunsQuery<'a> {
    pub kind: &'a KindName,
    /// Only with this title.
    pub title: Option<&'a str>,
    /// Only accepted before this operation.
    pub before: OperationId,
    pub series: &'a str,
    /// Largest number.
    pub limit: u32,
}

/// Baseline of an operation's rule.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleBand {
    /// Current attempt when the rule was set.
    pub attempt: u32,
    /// Number of points in that attempt's series before the rule.
    pub skip: u64,
    pub baseline: Baseline,
}

/// Retention of ended operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// Age, by time of acceptance, from which they are deleted.
    pub age: Option<Duration>,
    /// Number of the newest operations kept per state.
    pub most: Option<u64>,
}
