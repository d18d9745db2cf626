//! Counters of opened connections and of requests.

use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// Activity of a pool since it was created, without streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Connections opened.
    pub opened: u64,
    /// Requests on a connection that was already open.
    pub reused: u64,
    /// Requests sent, each try separately. A request that was repeated at once because its idle connection was closed
    /// counts once.
    pub requests: u64,
    /// Number of these that were retries.
    pub retries: u64,
    /// Calls without a usable response in the end: none, an unreadable one, 429 or 5xx.
    pub failures: u64,
}

/// Live counters, shared by all clones of a pool.
#[derive(Default, Debug)]
pub(crate) struct Counting {
    opened: AtomicU64,
    requests: AtomicU64,
    unconnected: AtomicU64,
    retries: AtomicU64,
    failures: AtomicU64,
}

impl Counting {
    pub fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    /// Counts a request that was not sent because there was no connection.
    pub fn unconnected(&self) {
        self.unconnected.fetch_add(1, Relaxed);
    }

    pub fn retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub fn failure(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    pub fn read(&self) -> Counters {
        let opened = self.opened.load(Relaxed);
        let requests = self.requests.load(Relaxed);
        let connected = requests.saturating_sub(self.unconnected.load(Relaxed));
        Counters {
            opened,
            reused: connected.saturating_sub(opened),
            requests,
            retries: self.retries.load(Relaxed),
            failures: self.failures.load(Relaxed),
        }
    }
}

/// Layer that counts each connection that the client opens.
#[derive(Clone)]
pub(crate) struct CountOpened(pub Arc<Counting>);

impl<S> Layer<S> for CountOpened {
    type Service = CountingConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CountingConnector { inner, counting: Arc::clone(&self.0) }
    }
}

/// Connector made by [`CountOpened`].
#[derive(Clone)]
pub(crate) struct CountingConnector<S> {
    inner: S,
    counting: Arc<Counting>,
}

impl<S, R> Service<R> for CountingConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, to: R) -> Self::Future {
        let counting = Arc::clone(&self.counting);
        self.inner
            .call(to)
            .inspect(move |connection| {
                if connection.is_ok() {
                    counting.opened.fetch_add(1, Relaxed);
                }
            })
            .boxed()
    }
}
