//! Future whose polls count as the work of an operation, and functions that it runs on other threads.

use resources::usage::{PollClock, ThreadGroup};
use std::pin::Pin;
use std::task::{Context as PollContext, Poll};

tokio::task_local! {
    /// Threads of the operation whose future is polled.
    static THREADS: ThreadGroup;
}

/// Polls a future, and counts the time of its polls.
struct Timed<F> {
    threads: ThreadGroup,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for Timed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut PollContext<'_>) -> Poll<F::Output> {
        let clock = PollClock::start();
        let polled = self.work.as_mut().poll(context);
        clock.stop(&self.threads);
        polled
    }
}

/// Runs a future as work of an operation.
pub(crate) async fn measured<F: Future>(threads: ThreadGroup, work: F) -> F::Output {
    THREADS.scope(threads.clone(), Timed { threads, work: Box::pin(work) }).await
}

/// Function for another thread, such as for `spawn_blocking`. If it is made within [`crate::Context::measured`], its
/// CPU time and waits count as those of the operation.
pub fn counted<T>(work: impl FnOnce() -> T + Send + 'static) -> impl FnOnce() -> T + Send + 'static {
    let threads = THREADS.try_with(ThreadGroup::clone).ok();
    move || {
        let _counted = threads.as_ref().and_then(ThreadGroup::enter);
        work()
    }
}
