//! Tasks beside the requests: each ends with the server, or when the set is dropped.

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
