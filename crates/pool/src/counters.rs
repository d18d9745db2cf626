//! Counts connections really opened, and what went over them.

use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// What a pool did since it was made. Streams are not part of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Connections opened.
    pub opened: u64,
    /// Requests that went over a connection already open.
    pub reused: u64,
    /// Requests sent; each try counts. One whose idle connection had been closed, and that was sent again at once,
    /// counts once.
    pub requests: u64,
    /// Of these, the second and later tries.
    pub retries: u64,
    /// Calls that had no usable answer in the end: none came, or it could not be read, or it was 429 or 5xx.
    pub failures: u64,
}

/// The counters while they count; shared by all clones of a pool.
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

    /// A request never left: there was no connection for it.
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

/// Wraps the client's connector and counts each connection that came to be.
#[derive(Clone)]
pub(crate) struct CountOpened(pub Arc<Counting>);

impl<S> Layer<S> for CountOpened {
    type Service = CountingConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CountingConnector { inner, counting: Arc::clone(&self.0) }
    }
}

/// What [`CountOpened`] makes of a connector.
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
