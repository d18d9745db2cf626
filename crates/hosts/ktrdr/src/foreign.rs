//! What a service must be able to do so that a run on it can be followed: one trait, two dialects.

use crate::look::{Look, Position};
use crate::wire::CallError;
use async_trait::async_trait;
use serde_json::Value;

/// A service that runs things in the background and can be asked about them.
#[async_trait]
pub(crate) trait Foreign: Send + Sync + 'static {
    /// Which protocol it speaks, as in the configuration.
    fn protocol(&self) -> &'static str;

    /// Where it is.
    fn base(&self) -> &str;

    /// What is counted: `epochs`, `bars`.
    fn unit(&self) -> &'static str;

    /// Starts a run under this id, and gives the id that the service uses for it.
    async fn start(&self, id: &str, order: &Value) -> Result<String, CallError>;

    /// Where it stands, with figures of the epochs that are new from this position on.
    async fn look(&self, id: &str, from: Position) -> Result<Look, CallError>;

    /// Asks it to stop. May be sent again, though some services answer a second one with an error.
    async fn stop(&self, id: &str, reason: &str) -> Result<(), CallError>;

    /// Goes on with a run that stopped; `None` when the service has no way to.
    async fn go_on(&self, id: &str) -> Option<Result<GoneOn, CallError>>;

    /// What a completed run leaves behind.
    async fn result(&self, id: &str, seen: &Look) -> Result<Value, CallError>;
}

/// What a service answers when it goes on with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GoneOn {
    /// The id that it uses from now on.
    pub id: String,
    /// The first epoch that it trains anew.
    pub first_epoch: u64,
}
