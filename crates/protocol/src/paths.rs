//! Paths of the server's API, with their queries. Written once: the client and the page call these.

use crate::{HostName, KindName, OperationId, Time};

/// Operations: GET lists them, POST starts one.
pub const OPERATIONS: &str = "/api/v1/operations";
/// Kinds with the hosts that offer them.
pub const KINDS: &str = "/api/v1/kinds";
/// Hosts with their status.
pub const HOSTS: &str = "/api/v1/hosts";
/// Load of all hosts in the last hour.
pub const HOST_TRENDS: &str = "/api/v1/hosts/trends";
/// Feed of events.
pub const EVENTS: &str = "/api/v1/events";

/// Cancels selected operations.
pub const CANCEL_MANY: &str = "/api/v1/operations/cancel";
/// Deletes selected operations.
pub const DELETE_MANY: &str = "/api/v1/operations/delete";
/// Current state of everything, and its position in the feed.
pub const SNAPSHOT: &str = "/api/v1/snapshot";

/// Activity of the last 24 hours, compared with the days before.
pub const ACTIVITY: &str = "/api/v1/activity";
/// Number of operations per state that match a filter.
pub const COUNTS: &str = "/api/v1/operations/counts";

/// Audit log.
pub const AUDIT_LOG: &str = "/api/v1/audit";
/// Audit log as JSON lines.
pub const AUDIT_LOG_EXPORT: &str = "/api/v1/audit/export";
/// Alerts, resolved ones, silences and notifications.
pub const ALERTS: &str = "/api/v1/alerts";
/// Alert rules: GET lists them, POST creates one.
pub const ALERT_RULES: &str = "/api/v1/alerts/rules";
/// Test of a rule against the history.
pub const ALERT_DRY_RUN: &str = "/api/v1/alerts/dry-run";
/// Silences: POST creates one.
pub const ALERT_SILENCES: &str = "/api/v1/alerts/silences";

/// Sender of the request: its role and permissions.
pub const ME: &str = "/api/v1/access/me";
/// Tokens for programs: GET lists them, POST creates one.
pub const ACCESS_TOKENS: &str = "/api/v1/access/tokens";

/// Local users: GET lists them, POST adds one.
pub const USERS: &str = "/api/v1/access/users";

/// Local user: POST changes it, DELETE removes it. `name` is percent-encoded already.
pub fn user(name: &str) -> String {
    format!("{USERS}/{name}")
}

/// Token for programs: DELETE revokes it. `id` is percent-encoded already.
pub fn access_token(id: &str) -> String {
    format!("{ACCESS_TOKENS}/{id}")
}

/// Silence: DELETE ends it.
pub fn alert_silence(id: &str) -> String {
    format!("{ALERT_SILENCES}/{id}")
}

/// Alert rule: PUT changes it.
pub fn alert_rule(name: &str) -> String {
    format!("{ALERT_RULES}/{name}")
}

/// Alert rule at a revision: DELETE removes it.
pub fn alert_rule_at(name: &str, revision: u64) -> String {
    format!("{ALERT_RULES}/{name}?revision={revision}")
}

/// History of a host: `metrics` in at most `width` buckets.
pub fn host_history(host: &HostName, from: Time, to: Time, width: u32, metrics: &str) -> String {
    format!("{HOSTS}/{host}/history?from={from}&to={to}&width={width}&metrics={metrics}")
}

/// Requests of the server to a host by time and latency, in at most `width` columns.
pub fn host_latency(host: &HostName, from: Time, to: Time, width: u32) -> String {
    format!("{HOSTS}/{host}/latency?from={from}&to={to}&width={width}")
}

/// Requests of the server to a host.
pub fn host_requests(host: &HostName) -> String {
    format!("{HOSTS}/{host}/requests")
}

/// Number of the newest event, in the answer to a question for events after any other.
pub fn feed_head() -> String {
    format!("{EVENTS}?after={}&wait=0s", u64::MAX)
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

/// Log lines of the current attempt.
pub fn current_log(id: OperationId) -> String {
    format!("{OPERATIONS}/{id}/logs")
}

/// Search in the log of an attempt; the query says for what.
pub fn log_search(id: OperationId) -> String {
    format!("{OPERATIONS}/{id}/logs/search")
}

/// Where the time of the current attempt went, with its course in at most `width` buckets.
pub fn time_breakdown(id: OperationId, width: u32) -> String {
    format!("{OPERATIONS}/{id}/time?width={width}")
}

/// Series, at most `points` points each.
pub fn series(id: OperationId, points: u32) -> String {
    format!("{OPERATIONS}/{id}/series?points={points}")
}

/// Baseline of a series; the query names the series.
pub fn baseline(id: OperationId) -> String {
    format!("{OPERATIONS}/{id}/baseline")
}

/// Rule of an operation: PUT sets it, DELETE removes it.
pub fn rule(id: OperationId) -> String {
    format!("{OPERATIONS}/{id}/rule")
}

/// Artifact of an operation. `name` is percent-encoded already.
pub fn artifact(id: OperationId, name: &str) -> String {
    format!("{OPERATIONS}/{id}/artifacts/{name}")
}

/// All events after a number, as a stream.
pub fn feed(after: u64) -> String {
    format!("{EVENTS}?after={after}")
}

/// All events after a number, as a document; waits for one up to `wait_seconds`.
pub fn feed_page(after: u64, wait_seconds: u64) -> String {
    format!("{EVENTS}?after={after}&wait={wait_seconds}s")
}

/// Stream of the events of one operation.
pub fn events(id: OperationId) -> String {
    format!("{EVENTS}?operation={id}")
}

/// Events of one operation after a number, as a document; waits for one up to `wait_seconds`.
pub fn events_after(id: OperationId, after: u64, wait_seconds: u64) -> String {
    format!("{EVENTS}?operation={id}&after={after}&wait={wait_seconds}s")
}

/// Drains a host, or with `on` false ends that.
pub fn drain(host: &HostName, on: bool) -> String {
    format!("/api/v1/hosts/{host}/{}", if on { "drain" } else { "undrain" })
}

/// Preview of a kind's parameters.
pub fn preview(kind: &KindName) -> String {
    format!("{KINDS}/{kind}/preview")
}
