//! Waiting for child operations, for the server's own kinds.

use crate::problem::problem_of;
use engine::{Cursor, Engine, EngineError, Read};
use host_kit::{Context, WorkError};
use protocol::api::OperationDetail;
use protocol::{Operation, OperationId};
use std::time::Duration;

/// Minimum interval of checks of the children, because events of other operations wake a waiting parent, too.
pub const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Drains the feed, which only serves as a wake-up.
pub fn pass_over(feed: &mut Cursor) {
    while matches!(feed.read(), Read::Frames { .. }) {}
}

/// Waits until a child has ended, and passes on its state after each change. Returns its details.
///
/// # Errors
/// `Cancelled` if the parent is cancelled meanwhile; a failure if the child was deleted or can't be read.
pub async fn ended(
    engine: &Engine,
    ctx: &Context,
    id: OperationId,
    mut changed: impl FnMut(&Operation),
) -> Result<OperationDetail, WorkError> {
    let mut feed = engine.follow(engine.feed().head(), None);
    loop {
        match engine.at_hand(id) {
            Some(child) if !child.state.ended() => changed(&child),
            _ => {
                let detail = engine.operation(id).await.map_err(failed)?;
                // What is at hand is published; the store may be slightly ahead of it, never behind.
                if detail.operation.state.ended() {
                    return Ok(detail);
                }
            }
        }
        tokio::select! {
            () = feed.changed() => {}
            () = ctx.token().cancelled() => return Err(WorkError::Cancelled),
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
        pass_over(&mut feed);
    }
}

/// Failure of a parent for an error of the engine.
pub fn failed(error: EngineError) -> WorkError {
    WorkError::failed(problem_of(error).detail, "Retry it; completed child operations are kept.")
}
