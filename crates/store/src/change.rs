//! Changes that make up a batch.

use crate::{HostCursor, Run, SecretParam};
use protocol::host::ResultDoc;
use protocol::{
    Attempt, AuditEntry, Baseline, HostName, KindName, LogLine, Operation, OperationId, Points, Progress,
    Time,
};
use serde_json::Value;
use std::sync::Arc;

/// Required durability of a change on a loss of power.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// Progress, points, logs: the last second may be lost.
    Light,
    /// States, receipts, results: on disk before they are published.
    Heavy,
}

/// Serialized record of the event log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    pub seq: u64,
    pub operation: Option<OperationId>,
    /// Progress, which a newer event of the same operation replaces for slow readers.
    pub progress: bool,
    /// Event as JSON.
    pub json: Arc<str>,
}

/// Change of the store.
#[derive(Clone, Debug)]
pub enum Change {
    /// Sets the current state of an operation and its attempt.
    Operation {
        operation: Box<Operation>,
        attempt: Box<Attempt>,
    },
    /// Sets only progress and time of the last report.
    Progress {
        id: OperationId,
        heard_at: Time,
        progress: Progress,
    },
    Points {
        id: OperationId,
        attempt: u32,
        series: Vec<Points>,
    },
    Log {
        id: OperationId,
        attempt: u32,
        lines: Vec<LogLine>,
    },
    Result {
        id: OperationId,
        attempt: u32,
        result: Box<ResultDoc>,
    },
    Event(EventRecord),
    /// Drains or undrains a host.
    Drain {
        host: HostName,
        on: bool,
    },
    /// Adds a succeeded run, for future forecasts.
    Run {
        kind: KindName,
        run: Run,
    },
    /// Deletes operations with their attempts, results, series and logs. Their audit entries remain, and their events
    /// leave the log by age like all others, so that its numbers stay without gaps; their keys stay taken until
    /// [`DELETED_KEYS_CAPACITY`](crate::DELETED_KEYS_CAPACITY) others were deleted after them.
    Forget {
        ids: Vec<OperationId>,
    },
    /// Adds an audit entry.
    Audit(Box<AuditEntry>),
    /// Sets the configuration that the server runs with, one setting per line.
    Configuration {
        lines: Vec<String>,
    },
    /// Sets the position in a host's feed up to which everything is stored with this batch.
    Cursor {
        host: HostName,
        cursor: HostCursor,
    },
    /// Sets the baseline of an operation's rule. Points stored before are not judged by it.
    RuleBand {
        id: OperationId,
        attempt: u32,
        baseline: Arc<Baseline>,
    },
    /// Adds the encrypted values of an operation's secret parameters.
    Secrets {
        id: OperationId,
        secrets: Vec<SecretParam>,
    },
    /// Adds an idempotency key, with the request it stands for.
    Key {
        key: String,
        id: OperationId,
        request: String,
        at: Time,
    },
}

impl Change {
    /// Approximate memory while it waits, in bytes.
    pub fn size(&self) -> usize {
        /// Memory of any change besides what is counted, including what is published with it.
        const EACH: usize = 1_024;
        let counted = match self {
            Change::Event(event) => event.json.len(),
            Change::Log { lines, .. } => lines.iter().map(|line| line.text.len() + 64).sum(),
            Change::Points { series, .. } => series.iter().map(|one| one.points.len() * 16).sum(),
            Change::Result { result, .. } => json_size(&result.document),
            Change::Operation { .. }
            | Change::Progress { .. }
            | Change::Drain { .. }
            | Change::Run { .. }
            | Change::Forget { .. }
            | Change::Audit(_)
            | Change::Configuration { .. }
            | Change::Cursor { .. }
            | Change::RuleBand { .. }
            | Change::Key { .. } => 0,
            Change::Secrets { secrets, .. } => secrets.iter().map(|one| one.sealed.len() + 64).sum(),
        };
        EACH + counted
    }

    /// Required durability.
    pub fn weight(&self) -> Weight {
        match self {
            Change::Operation { .. }
            | Change::Result { .. }
            | Change::Key { .. }
            | Change::Secrets { .. }
            | Change::Drain { .. }
            | Change::Forget { .. }
            | Change::Audit(_)
            | Change::Configuration { .. } => Weight::Heavy,
            Change::Progress { .. }
            | Change::Points { .. }
            | Change::Log { .. }
            | Change::Event(_)
            | Change::Run { .. }
            | Change::Cursor { .. }
            | Change::RuleBand { .. } => Weight::Light,
        }
    }
}

/// Approximate memory of a document.
fn json_size(value: &Value) -> usize {
    match value {
        Value::String(text) => 32 + text.len(),
        Value::Array(all) => 32 + all.iter().map(json_size).sum::<usize>(),
        Value::Object(all) => {
            32 + all.iter().map(|(name, one)| 32 + name.len() + json_size(one)).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
    }
}
