//! Work beside the requests: tasks that end with the server, and blocking calls.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Set of tasks that run until a token is cancelled.
pub struct Background {
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Background {
    /// Empty set, for tasks that end when `stop` is cancelled.
    pub fn until(stop: &CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), stop: stop.clone() }
    }

    /// Starts a task.
    pub fn spawn<W: Future<Output: Send> + Send + 'static>(&mut self, work: W) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(work).await;
        });
    }
}

/// Runs a blocking call, such as one of the store, on a thread for such calls. Its panic becomes the caller's.
pub async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let called = tokio::task::spawn_blocking(call).await;
    called.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}
