//! Reasons why a work ends without a result.

use protocol::{Failure, FailureReason};

/// Reason why a work ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// It was asked to stop and did.
    #[error("the work was cancelled")]
    Cancelled,
    /// It could not do what it was asked to do.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// Something that it needs is unreachable, and nothing of the work was begun: the attempt is queued again, and sent
    /// to another host if one is ready. Only for work that is certain of that; work that may have begun has failed.
    #[error("{0}")]
    NotStarted(String),
}

impl WorkError {
    /// Failure of the work itself: what happened and why, and what the user can do next (may be empty).
    pub fn failed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed(Failure { reason: FailureReason::Work, message: message.into(), hint: hint.into() })
    }
}

impl From<Failure> for WorkError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
