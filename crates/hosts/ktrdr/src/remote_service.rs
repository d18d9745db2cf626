//! Interface of an external service whose runs can be followed, with two implementations.

use crate::look::{Look, Position};
use crate::wire::CallError;
use async_trait::async_trait;
use serde_json::Value;

/// Service with background runs.
#[async_trait]
pub(crate) trait Foreign: Send + Sync + 'static {
    /// Protocol name, as in the configuration.
    fn protocol(&self) -> &'static str;

    /// URL of the service.
    fn base(&self) -> &str;

    /// Counted unit: `epochs`, `bars`.
    fn unit(&self) -> &'static str;

    /// Starts a run with this ID, and returns the ID that the service uses.
    async fn start(&self, id: &str, order: &Value) -> Result<String, CallError>;

    /// Polls the state, with metrics of new epochs from this position on.
    async fn look(&self, id: &str, from: Position) -> Result<Look, CallError>;

    /// Requests a stop. Can be sent again, although some services then return an error.
    async fn stop(&self, id: &str, reason: &str) -> Result<(), CallError>;

    /// Resumes a stopped run; `None` if the service does not support it.
    async fn go_on(&self, id: &str) -> Option<Result<GoneOn, CallError>>;

    /// Result of a completed run.
    async fn result(&self, id: &str, seen: &Look) -> Result<Value, CallError>;
}

/// Response to a resume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GoneOn {
    /// ID from now on.
    pub id: String,
    /// First epoch that is trained again.
    pub first_epoch: u64,
}
