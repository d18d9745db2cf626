//! Changes: what a batch is made of.

use crate::{HostCursor, Run};
use protocol::host::ResultDoc;
use protocol::{
    Attempt, AuditEntry, Envelope, HostName, KindName, LogLine, Operation, OperationId, Points, Progress,
    Time,
};
use serde_json::Value;
use std::sync::Arc;

/// How much a change weighs when the power goes out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// Progress, points, logs: losing the last second of them is allowed.
    Light,
    /// States, receipts, results: on the disk before anyone is told.
    Heavy,
}

/// One record of the event log, serialized already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    pub seq: u64,
    pub operation: Option<OperationId>,
    /// A newer event of the same operation overtakes it, for whoever is behind.
    pub progress: bool,
    /// The event as JSON.
    pub json: Arc<str>,
}

/// One change.
#[derive(Clone, Debug)]
pub enum Change {
    /// Writes the operation and its attempt as they now stand.
    Operation {
        operation: Box<Operation>,
        attempt: Box<Attempt>,
    },
    /// Only the progress and the time of the last word changed.
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
    /// A host takes no new work from now on, or takes it again.
    Drain {
        host: HostName,
        on: bool,
    },
    /// A run of a kind that succeeded, for the forecasts of those to come.
    Run {
        kind: KindName,
        run: Run,
    },
    /// Operations are no more: they, their attempts, results, curves, logs and what the audit has of them. Their
    /// events leave the log as all do, by age, so that it keeps its numbers without gaps; their keys stay taken until
    /// [`SPENT`](crate::SPENT) others went after them.
    Forget {
        ids: Vec<OperationId>,
    },
    /// Somebody did something. That somebody deleted an operation is kept beside what is about none: it outlives it.
    Audit(Box<AuditEntry>),
    /// The configuration that the server runs with from now on, a setting a line.
    Configuration {
        lines: Vec<String>,
    },
    /// Everything up to here of a host's feed is in the store together with this batch.
    Cursor {
        host: HostName,
        cursor: HostCursor,
    },
    /// The band that an operation's rule goes by. What is stored by now of its curve is not judged by it.
    RuleBand {
        id: OperationId,
        attempt: u32,
        envelope: Arc<Envelope>,
    },
    /// An idempotency key, with the request that it stands for.
    Key {
        key: String,
        id: OperationId,
        request: String,
        at: Time,
    },
}

impl Change {
    /// About how much memory it takes while it waits, bytes.
    pub fn size(&self) -> usize {
        /// What any of them takes beside what is counted, with what is told of it.
        const EACH: usize = 1_024;
        let counted = match self {
            Change::Event(event) => event.json.len(),
            Change::Log { lines, .. } => lines.iter().map(|line| line.text.len() + 64).sum(),
            Change::Points { series, .. } => series.iter().map(|one| one.points.len() * 16).sum(),
            Change::Result { result, .. } => json_size(&result.document),
            _ => 0,
        };
        EACH + counted
    }

    /// What the change weighs.
    pub fn weight(&self) -> Weight {
        match self {
            Change::Operation { .. }
            | Change::Result { .. }
            | Change::Key { .. }
            | Change::Drain { .. }
            | Change::Forget { .. }
            | Change::Audit(_)
            | Change::Configuration { .. } => Weight::Heavy,
            _ => Weight::Light,
        }
    }
}

/// About how much memory a document takes.
fn json_size(value: &Value) -> usize {
    match value {
        Value::String(text) => 32 + text.len(),
        Value::Array(all) => 32 + all.iter().map(json_size).sum::<usize>(),
        Value::Object(all) => {
            32 + all.iter().map(|(name, one)| 32 + name.len() + json_size(one)).sum::<usize>()
        }
        _ => 32,
    }
}
