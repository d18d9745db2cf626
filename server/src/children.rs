//! Starting child operations and waiting for them, for the server's own kinds.

use crate::problem::problem_of;
use engine::{Cursor, Engine, EngineError, Read, Started};
use host_kit::{Context, WorkError};
use protocol::api::{OperationDetail, StartOperation};
use protocol::operation::AttemptOrigin;
use protocol::{Operation, OperationId, State};
use std::time::Duration;

/// Minimum interval of checks of the children, because events of other operations wake a waiting parent, too.
pub const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Drains the feed, which only serves as a wake-up.
pub fn pass_over(feed: &mut Cursor) {
    while matches!(feed.read(), Read::Frames { .. }) {}
}

/// Children of one attempt of a parent.
#[derive(Clone, Copy)]
pub struct Children<'a> {
    pub engine: &'a Engine,
    /// Context of the parent.
    pub ctx: &'a Context,
    /// What a user can do if the parent fails for an error of the engine.
    pub hint: &'static str,
}

impl Children<'_> {
    /// Whether the engine considers this attempt of the parent ended or ending. Its cancel is then on the way.
    pub fn parent_is_ending(&self) -> bool {
        self.engine.recent_operation(self.ctx.id()).is_none_or(|parent| {
            parent.state.ended() || parent.state == State::Cancelling || parent.attempt != self.ctx.attempt()
        })
    }

    /// Starts a child, or finds the one that an earlier attempt started under the same key; `None` if that was deleted.
    ///
    /// # Errors
    /// `Cancelled` if the parent is ending: the engine starts no more children for it. Otherwise a failure.
    pub async fn start(&self, request: StartOperation, key: String) -> Result<Option<Started>, WorkError> {
        match self.engine.start_child(self.ctx.id(), request, key).await {
            Ok(started) => Ok(Some(started)),
            // The token is also cancelled when the server stops.
            Err(_) if self.ctx.token().is_cancelled() || self.parent_is_ending() => {
                Err(self.cancelled().await)
            }
            Err(EngineError::KeyOfDeleted) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Starts another attempt of a child, unless another client was faster or the parent is being cancelled.
    ///
    /// # Errors
    /// Any other error of the engine, as a failure.
    pub async fn repeat(&self, id: OperationId) -> Result<(), WorkError> {
        match self.engine.again(id, AttemptOrigin::Retry).await {
            Ok(_) | Err(EngineError::Denied(_) | EngineError::OperationNotFound(_)) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Waits until a child has ended, and passes on its state after each change. Returns its details.
    ///
    /// # Errors
    /// `Cancelled` if the parent is cancelled meanwhile; a failure if the child was deleted or can't be read.
    pub async fn ended(
        &self,
        id: OperationId,
        mut changed: impl FnMut(&Operation),
    ) -> Result<OperationDetail, WorkError> {
        let mut feed = self.engine.follow(self.engine.feed().head(), None);
        loop {
            match self.engine.recent_operation(id) {
                Some(child) if !child.state.ended() => changed(&child),
                _ => {
                    let detail = self.engine.operation(id).await.map_err(|error| self.failed(error))?;
                    // What is at hand is published; the store may be slightly ahead of it, never behind.
                    if detail.operation.state.ended() {
                        return Ok(detail);
                    }
                }
            }
            tokio::select! {
                () = feed.changed() => {}
                () = self.ctx.token().cancelled() => return Err(WorkError::Cancelled),
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
            pass_over(&mut feed);
        }
    }

    /// Waits for the cancel of a parent that is ending: the engine cancels its children first.
    pub async fn cancelled(&self) -> WorkError {
        self.ctx.token().cancelled().await;
        WorkError::Cancelled
    }

    /// Failure of the parent for an error of the engine.
    pub fn failed(&self, error: EngineError) -> WorkError {
        WorkError::failed(problem_of(error).detail, self.hint)
    }
}
