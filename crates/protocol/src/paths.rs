//! Paths of the server's API, with their queries. Written once: the client and the page call these.

use crate::{HostName, KindName, OperationId};

/// Operations: GET lists them, POST starts one.
pub const OPERATIONS: &str = "/api/v1/operations";
/// Kinds with the hosts that offer them.
pub const KINDS: &str = "/api/v1/kinds";
/// Hosts with their status.
pub const HOSTS: &str = "/api/v1/hosts";
/// Feed of events.
pub const EVENTS: &str = "/api/v1/events";

/// Cancels selected operations.
pub const CANCEL_MANY: &str = "/api/v1/operations/cancel";
/// Deletes selected operations.
pub const DELETE_MANY: &str = "/api/v1/operations/delete";
/// Current state of everything, and its position in the feed.
pub const SNAPSHOT: &str = "/api/v1/snapshot";

/// Requests of the server to a host.
pub fn host_requests(host: &HostName) -> String {
    format!("{HOSTS}/{host}/requests")
}

/// One operation.
pub fn operation(id: OperationId) -> String {
    format!("{OPERATIONS}/{id}")
}

/// Action on an operation: `cancel`, `retry`, `resume`.
pub fn action(id: OperationId, action: &str) -> String {
    format!("{OPERATIONS}/{id}/{action}")
}

/// At most `limit` newest log lines of an attempt, of those with a number below `before` if given.
pub fn logs(id: OperationId, attempt: u32, before: Option<u64>, limit: u64) -> String {
    let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
    format!("{OPERATIONS}/{id}/logs?attempt={attempt}{before}&limit={limit}")
}

/// Whole log of an attempt as a text file; of the current attempt if none is given.
pub fn log_file(id: OperationId, attempt: Option<u32>) -> String {
    let attempt = attempt.map(|attempt| format!("&attempt={attempt}")).unwrap_or_default();
    format!("{OPERATIONS}/{id}/logs?format=text{attempt}")
}

/// Stream of the events of one operation.
pub fn events(id: OperationId) -> String {
    format!("{EVENTS}?operation={id}")
}

/// Events of one operation after a number, as a document; waits for one up to `wait_seconds`.
pub fn events_after(id: OperationId, after: u64, wait_seconds: u64) -> String {
    format!("{EVENTS}?operation={id}&after={after}&wait={wait_seconds}s")
}

/// Preview of a kind's parameters.
pub fn preview(kind: &KindName) -> String {
    format!("{KINDS}/{kind}/preview")
}
