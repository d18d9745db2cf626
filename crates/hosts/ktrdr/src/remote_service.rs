//! Interface of an external service whose runs can be followed, with two implementations.

use crate::poll::{PollResult, Position};
use crate::wire::CallError;
use async_trait::async_trait;
use serde_json::Value;

/// Service with background runs.
#[async_trait]
pub(crate) trait RemoteService: Send + Sync + 'static {
    /// Protocol name, as in the configuration.
    fn protocol(&self) -> &'static str;

    /// URL of the service.
    fn base(&self) -> &str;

    /// Counted unit: `epochs`, `bars`.
    fn unit(&self) -> &'static str;

    /// Starts a run with this ID, and returns the ID that the service uses.
    async fn start(&self, id: &str, order: &Value) -> Result<String, CallError>;

    /// Polls the state, with metrics of new epochs from this position on.
    async fn poll(&self, id: &str, from: Position) -> Result<PollResult, CallError>;

    /// Requests a stop. Can be sent again, although some services then return an error.
    async fn stop(&self, id: &str, reason: &str) -> Result<(), CallError>;

    /// Resumes a stopped run; `None` if the service does not support it.
    async fn resume_run(&self, id: &str) -> Option<Result<ResumeResponse, CallError>>;

    /// Result of a completed run.
    async fn result(&self, id: &str, seen: &PollResult) -> Result<Value, CallError>;
}

/// Response to a resume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResumeResponse {
    /// ID from now on.
    pub id: String,
    /// First epoch that is trained again.
    pub first_epoch: u64,
}
