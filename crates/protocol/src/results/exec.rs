//! What `exec.<name>` leaves behind.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The result document of a command.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExecResult {
    /// The argument vector as it ran.
    pub command: Vec<String>,
    /// Absent when a signal ended it.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// Absent when it ended by itself.
    #[serde(default)]
    pub signal: Option<i32>,
    /// From start to end.
    pub seconds: f64,
    /// CPU time of it and its children, where the system tells; looked at from time to time.
    #[serde(default)]
    pub cpu_seconds: Option<f64>,
    /// The most resident memory of one of its processes, in bytes, where the system tells; looked at from time to
    /// time, so what grew in the last moment may be missing.
    #[serde(default)]
    pub peak_memory: Option<u64>,
    /// Lines of output that were kept in the log.
    pub lines: u64,
    /// Lines of output that came too fast for the log.
    #[serde(default)]
    pub lines_left_out: u64,
    /// What the command itself said its result is.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub reported: Option<Value>,
}
