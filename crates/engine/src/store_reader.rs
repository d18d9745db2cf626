//! Queries of the store, on threads that may block.

use crate::error::EngineError;
use std::sync::Arc;
use store::{Store, StoreError};
use tokio_util::task::TaskTracker;

/// Runs queries of the store; [`Engine::close`](crate::Engine::close) waits for them, even if nobody else does any
/// more.
#[derive(Clone)]
pub(crate) struct StoreReader {
    store: Arc<dyn Store>,
    tasks: TaskTracker,
}

impl StoreReader {
    pub(crate) fn new(store: Arc<dyn Store>, tasks: TaskTracker) -> Self {
        Self { store, tasks }
    }

    /// Store for a query on the current thread, which must be allowed to block.
    pub(crate) fn blocking(&self) -> &dyn Store {
        &*self.store
    }

    /// Answer of a query.
    ///
    /// # Errors
    /// `Unreadable` if the query fails, `Closing` if the runtime ends.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let store = self.store.clone();
        match self.tasks.spawn_blocking(move || query(&*store)).await {
            Ok(answer) => answer.map_err(EngineError::Unreadable),
            Err(_) => Err(EngineError::Closing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Sqlite;

    #[tokio::test]
    async fn a_query_that_nobody_awaits_is_still_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
        let tasks = TaskTracker::new();
        tasks.close();
        let reader = StoreReader::new(Arc::new(store), tasks.clone());
        let (begun, begins) = tokio::sync::oneshot::channel();
        let (end, ends) = std::sync::mpsc::channel::<()>();
        let query = tokio::spawn(async move {
            let held = move |_: &dyn Store| {
                begun.send(()).unwrap();
                ends.recv().unwrap();
                Ok(())
            };
            reader.read(held).await
        });
        begins.await.unwrap();
        query.abort();
        assert!(query.await.unwrap_err().is_cancelled());
        tokio::select! {
            biased;
            () = tasks.wait() => panic!("the query still runs"),
            () = std::future::ready(()) => {}
        }
        end.send(()).unwrap();
        tasks.wait().await;
    }
}
