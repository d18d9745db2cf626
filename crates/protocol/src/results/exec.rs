//! Result of `exec.<name>`.

use crate::KeyFigure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Result document of a command.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExecResult {
    /// Executed command with its arguments.
    pub command: Vec<String>,
    /// Exit code; absent if a signal ended the command.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// Signal that ended the command; absent if it exited.
    #[serde(default)]
    pub signal: Option<i32>,
    /// Duration in seconds.
    pub seconds: f64,
    /// CPU time of the command and its child processes, if the system reports it. Sampled periodically.
    #[serde(default)]
    pub cpu_seconds: Option<f64>,
    /// Peak memory in bytes, if the system reports it: of the cgroup of the command if it has a memory controller,
    /// otherwise of its largest process. Processes are sampled periodically, so a short peak at the end may be missing.
    #[serde(default)]
    pub peak_memory: Option<u64>,
    /// Number of output lines in the log.
    pub lines: u64,
    /// Number of output lines that are not in the log, because the rate limit of the log dropped them.
    #[serde(default)]
    pub lines_left_out: u64,
    /// Result reported by the command itself.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub reported: Option<Value>,
}

impl ExecResult {
    /// Figures for lists: the numbers that the command reported.
    pub fn key_figures(&self) -> Vec<KeyFigure> {
        let reported = self.reported.as_ref().and_then(Value::as_object).into_iter().flatten();
        let numbers = reported.filter_map(|(name, value)| Some((name, value.as_f64()?)));
        numbers.map(|(name, value)| KeyFigure::new(&name.replace('_', " "), value, "")).collect()
    }
}
